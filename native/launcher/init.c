/*
 * Pid 1 of the zone. It builds the zone from inside, forks the task, and stays: it reaps, passes signals on, may watch memory. When it
 * ends, the kernel kills every process of the zone.
 */
#include "launcher.h"
#include <sched.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

/* Descriptors that init keeps while the task runs. */
enum { INIT_SOCKET = 0, INIT_ROOT = 1 };

/* What clone3 could not do yet. The order matters: the cgroup namespace's root is the cgroup that init is in by now. */
static int namespaces_finish(struct zone *z, struct fault *f)
{
	struct mount_attr private = {.propagation = PROPAGATION_PRIVATE};

	fault_at(f, &z->plan, z->plan.only[OP_NAMESPACES]);
	if ((z->plan.only[OP_NAMESPACES]->u.namespaces.flags & CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) < 0)
		return fault(f, "unshare(CLONE_NEWCGROUP)", NULL);
	/* Before anything is mounted: without a user namespace the copied mounts are still shared with the host's. */
	f->stage = STAGE_MOUNT;
	return sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &private) < 0 ? fault(f, "mount_setattr", "/") : 0;
}

/* From a process in new namespaces to the zone's root. Every step says in its function why it stands where it stands. */
static int zone_enter(struct zone *z, struct fault *f)
{
	struct message message;
	int fd;

	if (cgroups_enter(z, f) < 0 || namespaces_finish(z, f) < 0)
		return -1;
	/* Ids mean nothing before the supervisor has written the maps. No message: it has ended, or has given up. */
	if (message_receive(z->socket, &message, &fd) != 1 || message.kind != MESSAGE_GO)
		_exit(1);
	if (ids_take(z, f) < 0)
		return -1;
	/* After the last change of ids, which undoes it. A supervisor that died before is seen as the end of the socket. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return fault(f, "prctl(PR_SET_PDEATHSIG)", NULL);
	/* Nobody in the zone may trace init, or the task while it still is a copy of init. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fault(f, "prctl(PR_SET_DUMPABLE)", NULL);
	umask(0);
	return 0;
}

/*
 * Forks the task before there is anything for it to run in: on another processor it makes the network namespace, the slowest of all,
 * while this one mounts. Then it waits at the gate.
 */
static int task_fork(struct zone *z, struct fault *f)
{
	int gate[2];

	f->stage = STAGE_CLONE;
	f->op = NO_OP;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, gate) < 0)
		return fault(f, "socketpair", NULL);
	z->gate = gate[0], z->gate_peer = gate[1];
	z->task = fork();
	if (z->task == 0) {
		z->gate = gate[1], z->gate_peer = gate[0];
		task_main(z);
	}
	close(gate[1]);
	return z->task < 0 ? fault(f, "fork", NULL) : 0;
}

/* Builds the tree and opens the gate. Of a task that has failed meanwhile the record is there already, and its end is awaited. */
static int zone_build(struct zone *z, struct fault *f)
{
	if (zone_mount(z, f) < 0 || network_join(z, f) < 0 || network_await(z, f) < 0)
		return -1;
	report_flush(z);
	/* First: when the command writes, the supervisor must have seen the end of this file, which says that it runs. */
	close(z->startup);
	send(z->gate, &z->root_place, sizeof(z->root_place), MSG_NOSIGNAL);
	return 0;
}

/* The last word, after which init ends. */
static _Noreturn void say_end(uint32_t kind, int status, const struct memory_watch *watch)
{
	struct message message = {.kind = kind};
	struct rusage own;

	getrusage(RUSAGE_SELF, &own);
	message.end = (struct task_end){status, watch->pids_peak, watch->peak, microseconds(own.ru_utime),
					microseconds(own.ru_stime)};
	message_send(INIT_SOCKET, &message, -1);
	_exit(0);
}

/*
 * Kills and waits for all that is left. The kernel would do it at our exit, but without counting what they used. kill(-1) spares
 * nobody but us, and a fork that is under way at that moment fails. It looks at every process of the host's: not for nothing.
 */
static void end_zone(pid_t task, int *status)
{
	bool killed = false;
	int other;
	pid_t pid;

	while ((pid = waitpid(-1, &other, killed ? 0 : WNOHANG)) >= 0 || errno == EINTR) {
		if (pid == task)
			*status = other;
		if (pid == 0) {
			kill(-1, SIGKILL);
			killed = true;
		}
	}
}

/* Ends the zone before the task has ended by itself, and says why. */
static _Noreturn void cut_short(uint32_t kind, pid_t task, const struct memory_watch *watch)
{
	int status = SIGKILL;

	end_zone(task, &status);
	say_end(kind, status, watch);
}

/* Waits for every child that has ended; the zone ends with the task. */
static void reap(pid_t task, const struct memory_watch *watch)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != task)
			continue;
		end_zone(task, &status);
		say_end(MESSAGE_EXITED, status, watch);
	}
}

/* Signals go to the task's process group; to the task alone while it has not made its group yet. */
static void obey(pid_t task, const struct memory_watch *watch)
{
	struct message message;
	int fd;

	if (message_receive(INIT_SOCKET, &message, &fd) != 1)
		_exit(1);
	if (message.kind == MESSAGE_KILL)
		cut_short(MESSAGE_EXITED, task, watch);
	if (message.kind == MESSAGE_SIGNAL && kill(-task, (int)message.value) < 0)
		kill(task, (int)message.value);
}

static int watch_timeout(const struct memory_watch *watch)
{
	uint64_t now = clock_ns();

	if (watch->limit == 0)
		return -1;
	return watch->next_ns <= now ? 0 : (int)((watch->next_ns - now) / 1000000u + 1);
}

static _Noreturn void serve(pid_t task, struct memory_watch *watch)
{
	sigset_t child;
	struct pollfd polls[2] = {{.fd = INIT_SOCKET, .events = POLLIN}, {.events = POLLIN}};

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	polls[1].fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	for (;;) {
		struct signalfd_siginfo info;

		/* Before the first wait as well: the task may have ended before there was a signalfd. */
		reap(task, watch);
		/*
		 * poll(2) takes no more descriptors than RLIMIT_NOFILE says, and a task with init's uid may set that to nothing by
		 * prlimit(2): then init would hear neither the supervisor nor its own watch again. No program does that to pid 1 but
		 * to get around a limit.
		 */
		if (poll(polls, 2, watch_timeout(watch)) < 0) {
			if (errno == EINTR)
				continue;
			cut_short(watch->limit > 0 ? MESSAGE_MEMORY : MESSAGE_EXITED, task, watch);
		}
		if (polls[0].revents)
			obey(task, watch);
		while (polls[1].revents && read(polls[1].fd, &info, sizeof(info)) > 0)
			;
		if (watch->limit > 0 && clock_ns() >= watch->next_ns && memory_is_over(watch))
			cut_short(MESSAGE_MEMORY, task, watch);
	}
}

/**
 * settle - gives up all that init no longer needs, once the gate is open: it now shares the zone with a program that nobody trusts
 *
 * Of the descriptors the socket stays, and the root where memory is watched.
 */
static void settle(struct zone *z, struct memory_watch *watch)
{
	const struct op *op = z->plan.only[OP_WATCH_MEMORY];

	/* Fails when the task was quicker and took init's descriptors: without ears and eyes there is no zone. */
	if (dup2(z->socket, INIT_SOCKET) < 0 || dup2(z->root, INIT_ROOT) < 0)
		_exit(1);
	sys_close_range(INIT_ROOT + 1, 0);
	if (op && op->u.watch_memory.limit > 0) {
		watch->limit = op->u.watch_memory.limit;
		watch->interval_ns = (uint64_t)op->u.watch_memory.interval_ms * 1000000u;
		watch->next_ns = clock_ns() + 20000000u;
		watch->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		watch->root = INIT_ROOT;
	}
	if (init_privileges_drop(watch->limit > 0) < 0)
		_exit(1);
}

/** init_main - the life of init */
_Noreturn void init_main(struct zone *z)
{
	struct memory_watch watch = {.proc = -1};
	struct fault f = {.op = NO_OP};

	report_start(z, z->startup);
	/* Our copies of the supervisor's ends: while they are open, its death is not seen. */
	close(z->socket_peer);
	close(z->startup_peer);
	if (zone_enter(z, &f) < 0 || task_fork(z, &f) < 0 || zone_build(z, &f) < 0) {
		report_failed(z, &f);
		_exit(1);
	}
	settle(z, &watch);
	serve(z->task, &watch);
}
