/*
 * Ports of the host's that lead to the zone. The listeners are the host's. The sockets that connect to the zone were made in its network
 * namespace: there is a pool of them, each is used again and again, and they reach nothing but that namespace's loopback. While all are
 * in use, whoever comes waits in the listener's queue.
 */
#include "gateway.h"
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

static int dialers[LIMIT_DIALERS];
static uint32_t dialer_count;
static uint16_t zone_ports[LIMIT_PUBLISHED];
static uint32_t listener_count;
static int first_listener;
static bool watching;

/** publish_prepare - reads the program's arguments; returns the first descriptor that is none of the gateway's */
uint32_t publish_prepare(int count, char **arguments)
{
	unsigned long sockets = count > 1 ? strtoul(arguments[1], NULL, 10) : 0;

	if (sockets > LIMIT_DIALERS || count - 2 > (int)LIMIT_PUBLISHED) {
		errno = E2BIG;
		stop("published ports");
	}
	for (int i = 2; i < count; i++)
		zone_ports[listener_count++] = (uint16_t)strtoul(arguments[i], NULL, 10);
	while (dialer_count < sockets) {
		dialers[dialer_count] = FD_SOCKETS + SOCKETS + (int)dialer_count;
		dialer_count++;
	}
	first_listener = FD_SOCKETS + SOCKETS + (int)dialer_count;
	return (uint32_t)first_listener + listener_count;
}

static void nonblocking(int fd)
{
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		stop("published ports");
}

void publish_start(void)
{
	for (uint32_t i = 0; i < dialer_count; i++)
		nonblocking(dialers[i]);
	for (uint32_t i = 0; i < listener_count; i++)
		nonblocking(first_listener + (int)i);
	publish_watch(true);
}

/** publish_watch - whether the listeners are accepted on; never again when the zone has ended, nor without a socket to connect with */
void publish_watch(bool on)
{
	on = on && dialer_count > 0 && !connections_full() && !gateway.finishing;
	if (watching == on)
		return;
	watching = on;
	for (uint32_t i = 0; i < listener_count; i++) {
		int fd = first_listener + (int)i;

		if (!on)
			epoll_ctl(gateway.epoll, EPOLL_CTL_DEL, fd, NULL);
		else if (watch(fd, EPOLLIN, SOURCE_PUBLISHED, i) < 0)
			stop("published ports");
	}
}

/** publish_accept - takes who waits at one of the host's published ports, and connects to the zone's */
void publish_accept(uint32_t listener)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
				       .sin_port = htons(zone_ports[listener]),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	while (watching) {
		struct sockaddr_in peer = {0};
		socklen_t length = sizeof(peer);
		struct report_published from = {.listener = listener};
		int fd = accept4(first_listener + (int)listener, (struct sockaddr *)&peer, &length,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
			publish_watch(gateway.open == 0);
		if (fd < 0)
			return;
		from.port = ntohs(peer.sin_port);
		__builtin_memcpy(from.address, &peer.sin_addr, sizeof(peer.sin_addr));
		connection_publish(fd, dialers[--dialer_count], &to, &from);
		publish_watch(true);
	}
}

static uint8_t state_of(int fd)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
	return info.tcpi_state;
}

bool dialer_is_connecting(int fd)
{
	return state_of(fd) == TCP_SYN_SENT;
}

/*
 * Disconnects a socket (a reset, if the other side is still there), throws away what is left in it, and makes it as good as new:
 * connect(2), AF_UNSPEC. One that can't be is closed.
 */
static void renew(int fd)
{
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
	socklen_t length = sizeof(int);
	int error;

	epoll_ctl(gateway.epoll, EPOLL_CTL_DEL, fd, NULL);
	if (connect(fd, &nobody, sizeof(nobody)) < 0) {
		close(fd);
		return;
	}
	/* The reset leaves its error behind. */
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
	dialers[dialer_count++] = fd;
	publish_watch(true);
}

/** dialer_give - gives a socket back. Gently: what is on its way to the zone arrives before. */
void dialer_give(int fd, bool gently)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET,
				    .data.u64 = ((uint64_t)SOURCE_DIALER << 32) | (uint32_t)fd};

	/* The kernel tells when the last is acknowledged: the socket hangs up. */
	if (!gently || state_of(fd) == TCP_CLOSE || epoll_ctl(gateway.epoll, EPOLL_CTL_MOD, fd, &event) < 0)
		renew(fd);
}

/** dialer_turn - something happened to a socket that is on its way back */
void dialer_turn(uint32_t fd)
{
	if (state_of((int)fd) == TCP_CLOSE)
		renew((int)fd);
}
