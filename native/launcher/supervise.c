/* The supervisor while the zone runs: one poll loop over everything that can happen, and the accounts at the end. */
#include "launcher.h"
#include <linux/seccomp.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#define POLLS_MAX	    8
#define NEVER		    UINT64_MAX
#define KILL_WAIT_NS	    1000000000u
#define FOREGROUND_CHECK_NS 250000000u
/* After the zone's end a pipe holds at most what fits in it; more comes only from outside, where the task may have sent its end. */
#define DRAIN_TURNS 64

struct run {
	uint32_t cause;
	bool failed; /* a `failed` record has gone out: there will be no `ended` */
	bool started;
	bool startup_open;
	bool ended; /* init has said how the task ended */
	bool dead;  /* init has ended, and with it every process of the zone */
	bool killed;
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t wall_ns; /* when the time is up */
	uint64_t kill_ns; /* when the grace is over */
	uint32_t drained;
	int winch;
	struct task_end end;
	struct rusage usage;
};

static void signal_send(const struct zone *z, uint32_t signal)
{
	const struct message message = {.kind = MESSAGE_SIGNAL, .value = signal};

	message_send(z->socket, &message, -1);
}

/*
 * The end of the zone, now. Init kills everyone and then tells what they used; while there is no task, or when init does not come to
 * it within a second (its memory cgroup may be full), the kernel does it by init's death.
 */
static void zone_kill(struct zone *z, struct run *run)
{
	const struct message message = {.kind = MESSAGE_KILL};

	if (run->dead)
		return;
	if (run->killed || !run->started || z->deaf || message_send(z->socket, &message, -1) < 0)
		sys_pidfd_kill(z->pidfd, SIGKILL);
	else
		run->kill_ns = clock_ns() + KILL_WAIT_NS;
	run->killed = true;
}

/* Asks the task to end and gives it the plan's grace; the first reason is the one that counts. A stopped task must run to obey. */
static void zone_stop(struct zone *z, struct run *run, uint32_t cause, uint32_t signal)
{
	const struct op *timeout = z->plan.only[OP_TIMEOUT];

	if (run->ended)
		return;
	if (run->cause == CAUSE_NONE)
		run->cause = cause;
	signal_send(z, signal);
	signal_send(z, SIGCONT);
	if (run->kill_ns == NEVER)
		run->kill_ns = clock_ns() + (timeout ? timeout->u.timeout.grace_ms * 1000000u : 0);
}

static void zone_cancel(struct zone *z, struct run *run)
{
	if (run->cause == CAUSE_NONE && !run->ended)
		run->cause = CAUSE_CANCELLED;
	zone_kill(z, run);
}

/* Rauha's words: pairs of kind and value. Their end is rauha's: nobody is left to run the zone for. */
static void control_turn(struct zone *z, struct run *run)
{
	const struct message go = {.kind = MESSAGE_GO};
	uint8_t words[64];
	ssize_t got = read(FD_CONTROL, words, sizeof(words));

	if (got < 0 && errno == EINTR)
		return;
	if (got <= 0) {
		z->deaf = true;
		return;
	}
	for (ssize_t i = 0; i + 1 < got; i += 2) {
		if (words[i] == CONTROL_SIGNAL)
			signal_send(z, words[i + 1]);
		else if (words[i] == CONTROL_GO)
			message_send(z->socket, &go, -1);
		else if (words[i] == CONTROL_CANCEL)
			zone_stop(z, run, CAUSE_CANCELLED, words[i + 1]);
		else
			zone_cancel(z, run);
	}
}

/* Takes note of records of init and task, and passes them on: none after the first failure, which is the cause of any other. */
static void records_pass(struct zone *z, struct run *run, const uint8_t *bytes, size_t size)
{
	uint32_t header[2];
	size_t at = 0;

	while (at + sizeof(header) <= size && !run->failed) {
		memcpy(header, bytes + at, sizeof(header));
		run->failed = header[0] == RECORD_FAILED;
		z->verifying &= header[0] != RECORD_VERIFIED;
		at += sizeof(header) + header[1];
	}
	report_copy(z, bytes, (uint32_t)(at < size ? at : size));
}

/*
 * Records of init and task, each of them whole. The end of file without a `failed` means that execve closed the last descriptor; or
 * that init was killed before, which its end will tell.
 */
static void startup_turn(struct zone *z, struct run *run)
{
	static uint8_t records[65536];
	ssize_t got = read(z->startup, records, sizeof(records));

	if (got > 0) {
		records_pass(z, run, records, (size_t)got);
		return;
	}
	run->startup_open = false;
	if (!run->failed && !run->killed) {
		const struct record_started record = {(uint32_t)z->init};

		run->started = true;
		run->start_ns = clock_ns();
		/* The time is the task's own: what setting up took is not taken from it. */
		if (run->wall_ns != NEVER)
			run->wall_ns = run->start_ns + z->plan.only[OP_TIMEOUT]->u.timeout.wall_ms * 1000000u;
		report_add(z, RECORD_STARTED, &record);
	}
}

/*
 * A denied call. Those of the self-test are no news; the record of its end lies in the pipe before the command's first call is made,
 * so a look there tells them apart.
 */
static void denied_turn(struct zone *z, struct run *run)
{
	struct seccomp_notif call;
	struct pollfd startup = {.fd = run->startup_open ? z->startup : -1, .events = POLLIN};

	if (!denials_receive(z, &call))
		return;
	if (z->verifying && poll(&startup, 1, 0) > 0)
		startup_turn(z, run);
	denials_answer(z, &call);
}

static void init_turn(struct zone *z, struct run *run)
{
	static struct message message;
	int fd;

	if (message_receive(z->socket, &message, &fd) != 1) {
		/* Init is ending; the pidfd says when it has. */
		close(z->socket);
		z->socket = -1;
		return;
	}
	if (message.kind == MESSAGE_NETWORK) {
		const struct record_network record = {(uint32_t)z->init};

		report_send(z, RECORD_NETWORK, &record);
	}
	if (message.kind == MESSAGE_PTY && fd >= 0)
		pty_attach(z, fd);
	if (message.kind == MESSAGE_LISTENER && fd >= 0)
		z->listener = fd;
	if (message.kind != MESSAGE_EXITED && message.kind != MESSAGE_MEMORY)
		return;
	run->end = message.end;
	run->end_ns = clock_ns();
	run->ended = true;
	if (message.kind == MESSAGE_MEMORY && run->cause == CAUSE_NONE)
		run->cause = CAUSE_MEMORY;
	/* Now, while the kernel takes the zone's namespaces down: there is nothing else to do until init has ended. */
	cgroups_sweep(z);
}

/* Init is gone. Its usage includes everyone's who was waited for, and at the end the kernel waits for all that is left. */
static void death_turn(struct zone *z, struct run *run)
{
	int status;

	run->dead = true;
	wait4(z->init, &status, 0, &run->usage);
	if (run->end_ns == 0)
		run->end_ns = clock_ns();
}

static void winch_turn(const struct zone *z, const struct run *run)
{
	struct signalfd_siginfo info;

	if (read(run->winch, &info, sizeof(info)) > 0)
		terminal_follow(z);
}

/* What is due by the clock; returns how long to wait for the next such thing, in ms. */
static int clock_turn(struct zone *z, struct run *run)
{
	uint64_t now = clock_ns();
	uint64_t next = NEVER;

	if (run->dead)
		return 0;
	if (now >= run->wall_ns) {
		run->wall_ns = NEVER;
		zone_stop(z, run, CAUSE_TIMEOUT, z->plan.only[OP_TIMEOUT]->u.timeout.signal);
	}
	if (now >= run->kill_ns) {
		run->kill_ns = NEVER;
		zone_kill(z, run);
	}
	for (uint32_t i = 0; i < z->stream_count; i++) {
		if (stream_waits_for_terminal(&z->streams[i]))
			next = now + FOREGROUND_CHECK_NS;
	}
	next = run->wall_ns < next ? run->wall_ns : next;
	next = run->kill_ns < next ? run->kill_ns : next;
	if (next == NEVER)
		return -1;
	next = next > now ? (next - now) / 1000000u + 1 : 0;
	return next > INT_MAX ? INT_MAX : (int)next;
}

/* Whether anything of the task's output is still to come, or waits to go out. Called after a poll, when the zone is dead. */
static bool has_output(struct zone *z, struct run *run, const struct pollfd *polls)
{
	bool more = false;

	for (uint32_t i = 0; i < z->stream_count; i++) {
		struct stream *s = &z->streams[i];

		if (s->number == 0)
			continue;
		if (s->from >= 0 && s->start == s->end && (!polls[i].revents || run->drained++ > DRAIN_TURNS))
			stream_end(s);
		more |= s->from >= 0 || s->end > s->start;
	}
	return more && !z->deaf;
}

static bool has_pending_output(const struct zone *z)
{
	for (uint32_t i = 0; i < z->stream_count; i++) {
		if (z->streams[i].number > 0 && z->streams[i].end > z->streams[i].start)
			return true;
	}
	return false;
}

/* Waits once, and does all that there is to do. Returns whether the zone, or its output, is still there. */
static bool turn(struct zone *z, struct run *run)
{
	enum { CONTROL, STARTUP, INIT, DEATH, WINCH, DENIALS, STREAMS };
	struct pollfd polls[STREAMS + STREAMS_MAX] = {
		[CONTROL] = {.fd = z->deaf ? -1 : FD_CONTROL, .events = POLLIN},
		[STARTUP] = {.fd = run->startup_open ? z->startup : -1, .events = POLLIN},
		[INIT] = {.fd = z->socket, .events = POLLIN},
		[DEATH] = {.fd = run->dead ? -1 : z->pidfd, .events = POLLIN},
		[WINCH] = {.fd = run->winch, .events = POLLIN},
		[DENIALS] = {.fd = z->listener, .events = POLLIN},
	};
	int wait_ms = clock_turn(z, run);
	uint32_t streams = z->stream_count;

	for (uint32_t i = 0; i < STREAMS_MAX; i++) {
		polls[STREAMS + i].fd = -1;
		if (i < streams && !(run->dead && z->streams[i].number == 0))
			polls[STREAMS + i].events = stream_events(&z->streams[i], &polls[STREAMS + i].fd);
	}
	/* A dead zone's pipes are only emptied; but a terminal that the user has stopped is waited for, as ever. */
	if (run->dead && has_pending_output(z))
		wait_ms = -1;
	/* Nobody waits for what happened before the start: it goes with the start's own record. */
	if (run->started)
		report_flush(z);
	if (poll(polls, STREAMS + STREAMS_MAX, wait_ms) < 0)
		return true;
	if (polls[CONTROL].revents)
		control_turn(z, run);
	if (polls[STARTUP].revents)
		startup_turn(z, run);
	if (polls[INIT].revents)
		init_turn(z, run);
	if (polls[WINCH].revents)
		winch_turn(z, run);
	/* After the start: the command's first denied call may come together with the news that it runs. */
	if (polls[DENIALS].revents & POLLIN)
		denied_turn(z, run);
	if (polls[DENIALS].revents & (POLLHUP | POLLERR))
		denials_close(z);
	for (uint32_t i = 0; i < streams; i++) {
		if (polls[STREAMS + i].revents)
			stream_turn(z, &z->streams[i]);
	}
	if (z->deaf)
		zone_cancel(z, run);
	/* Of a zone that was dead before this poll, what had nothing to read is at its end. */
	if (run->dead && !run->startup_open && z->socket < 0 && !has_output(z, run, polls + STREAMS))
		return false;
	if (polls[DEATH].revents)
		death_turn(z, run);
	return true;
}

static uint64_t microseconds_less(struct timeval time, uint64_t minus)
{
	return microseconds(time) > minus ? microseconds(time) - minus : 0;
}

/* The zone's account. Init's own time, which mostly went into building the zone, is not the task's. */
static void report_ended(struct zone *z, const struct run *run)
{
	bool lost = !run->ended && run->cause == CAUSE_NONE;
	const struct record_ended record = {
		.status = run->ended ? (uint32_t)run->end.status : SIGKILL,
		.cause = lost ? CAUSE_INIT_LOST : run->cause,
		.user_us = microseconds_less(run->usage.ru_utime, run->end.own_user_us),
		.system_us = microseconds_less(run->usage.ru_stime, run->end.own_system_us),
		.max_rss_bytes = (uint64_t)run->usage.ru_maxrss * 1024u,
		/* A task that ends at once may be seen to end before it is seen to start. */
		.wall_us = run->end_ns > run->start_ns ? (run->end_ns - run->start_ns) / 1000u : 0,
		.stdout_bytes = z->seen[1],
		.stderr_bytes = z->seen[2],
		.pids_peak = run->end.pids_peak,
		.memory_peak = run->end.memory_peak,
	};

	report_add(z, RECORD_ENDED, &record);
}

/* A zone that was stopped before its task was the user's command, or whose init did not live to say what went wrong. */
static void report_not_started(struct zone *z, const struct run *run)
{
	struct fault f = {.stage = STAGE_RUN, .op = NO_OP};

	if (run->cause == CAUSE_TIMEOUT)
		fault_with(&f, ETIMEDOUT, "start", "the time was up before the task could start");
	else if (run->cause == CAUSE_CANCELLED)
		fault_with(&f, ECANCELED, "start", "cancelled before the task could start");
	else
		fault_with(&f, ECHILD, "start", "init ended before the task could start");
	report_failed(z, &f);
}

/** supervise - stays with the zone until it and its output have ended, and reports how */
void supervise(struct zone *z)
{
	const struct op *timeout = z->plan.only[OP_TIMEOUT];
	struct run run = {.startup_open = true, .wall_ns = NEVER, .kill_ns = NEVER, .winch = -1};

	z->verifying = z->plan.only[OP_VERIFY];
	if (timeout && timeout->u.timeout.wall_ms > 0 && timeout->u.timeout.wall_ms < NEVER / 2000000u)
		run.wall_ns = clock_ns() + timeout->u.timeout.wall_ms * 1000000u;
	if (z->plan.only[OP_IO]->u.io.mode == IO_PTY) {
		sigset_t winch;

		sigemptyset(&winch);
		sigaddset(&winch, SIGWINCH);
		run.winch = signalfd(-1, &winch, SFD_CLOEXEC | SFD_NONBLOCK);
	}
	while (turn(z, &run))
		;
	stdin_put_back(z);
	denials_end(z);
	if (run.started) {
		report_ended(z, &run);
		cgroups_collect(z);
	} else if (!run.failed) {
		report_not_started(z, &run);
	}
}
