/*
 * The gateway's loop. It starts with pipes to and from rauha and the zone's sockets, and ends with rauha: the end of the orders' pipe,
 * however it comes about, is the end of this process, and with it of every connection.
 */
#include "gateway.h"
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EVENTS_MAX 256
#define NOBODY	   65534

struct gateway gateway = {.epoll = -1};

/** stop - ends the gateway; `why` in a word for the caller's stderr, NULL when all went well */
_Noreturn void stop(const char *why)
{
	if (why)
		dprintf(FD_ERRORS, "rauha: the gateway stops: %s: %s\n", why, strerror(errno));
	_exit(why ? 1 : 0);
}

/** watch - adds a descriptor to what the loop waits for */
int watch(int fd, uint32_t events, enum source source, uint32_t index)
{
	struct epoll_event event = {.events = events, .data.u64 = ((uint64_t)source << 32) | index};

	return epoll_ctl(gateway.epoll, EPOLL_CTL_ADD, fd, &event);
}

static void nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/*
 * Root's gateway needs nothing of root: it gives up its ids and every capability. Then no core file, no tracer, no privilege anew.
 * It is nobody afterwards, who must not be able to trace it either.
 */
static void privileges_drop(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			       setresuid(NOBODY, NOBODY, NOBODY) < 0)) {
		/* Root of a user namespace that has no such id. */
		if (errno != EINVAL && errno != EPERM)
			stop("setresuid");
	}
	if (syscall(SYS_capset, &header, none) < 0)
		stop("capset");
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* As many descriptors as the caller may have, and no signals but the last: the end of the orders' pipe is what ends it. */
static void process_prepare(uint32_t fds)
{
	struct rlimit files;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	/* Whatever else the caller left open. */
	syscall(SYS_close_range, fds, ~0u, 0);
	prctl(PR_SET_NAME, "rauha-gateway");
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	privileges_drop();
}

static void sockets_watch(void)
{
	static const enum source sources[SOCKETS] = {
		[SOCKET_TCP4] = SOURCE_LISTENER,  [SOCKET_TCP6] = SOURCE_LISTENER,   [SOCKET_UDP4] = SOURCE_DATAGRAMS,
		[SOCKET_UDP6] = SOURCE_DATAGRAMS, [SOCKET_NOTICES] = SOURCE_NOTICES,
	};

	for (uint32_t i = 0; i < SOCKETS; i++) {
		int fd = FD_SOCKETS + (int)i;
		int kind;
		socklen_t length = sizeof(kind);

		/* In place of a socket that the zone has not stands something else. */
		gateway.sockets[i] = getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &length) < 0 ? -1 : fd;
		if (gateway.sockets[i] < 0)
			continue;
		nonblocking(fd);
		if (watch(fd, EPOLLIN, sources[i], i) < 0)
			stop("a socket of the zone");
	}
}

static void dispatch(const struct epoll_event *event)
{
	uint32_t index = (uint32_t)event->data.u64;

	switch ((enum source)(event->data.u64 >> 32)) {
	case SOURCE_ORDERS:
		orders_turn();
		break;
	case SOURCE_REPORTS:
		reports_flush();
		break;
	case SOURCE_LISTENER:
		connections_accept((enum zone_socket)index);
		break;
	case SOURCE_DATAGRAMS:
		datagrams_turn((enum zone_socket)index);
		break;
	case SOURCE_NOTICES:
		notices_turn();
		break;
	case SOURCE_LOOKUP:
		lookup_turn(index);
		break;
	case SOURCE_PUBLISHED:
		publish_accept(index);
		break;
	case SOURCE_DIALER:
		dialer_turn(index);
		break;
	case SOURCE_SIDE:
		connections_event(index, event->events);
		break;
	}
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS_MAX];
	bool again = false;

	process_prepare(publish_prepare(argc, argv));
	gateway.epoll = epoll_create1(EPOLL_CLOEXEC);
	nonblocking(FD_ORDERS);
	nonblocking(FD_REPORTS);
	if (gateway.epoll < 0 || watch(FD_ORDERS, EPOLLIN, SOURCE_ORDERS, 0) < 0 ||
	    watch(FD_REPORTS, EPOLLOUT | EPOLLET, SOURCE_REPORTS, 0) < 0)
		stop("epoll");
	connections_start();
	sockets_watch();
	publish_start();
	for (;;) {
		int count;

		reports_settle();
		if (gateway.finishing && gateway.open == 0 && !reports_pending())
			stop(NULL);
		count = epoll_wait(gateway.epoll, events, EVENTS_MAX, again ? 0 : -1);
		if (count < 0 && errno != EINTR)
			stop("epoll_wait");
		gateway.round++;
		for (int i = 0; i < count; i++)
			dispatch(&events[i]);
		again = connections_again();
	}
}
