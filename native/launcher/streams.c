/*
 * The task's streams. It gets pipes and connected unix sockets of the caller's as they are; anything else is relayed through a pipe of
 * ours: through a regular file of the host's the task could open the file again, with other rights, a terminal would take its commands,
 * and a socket stays in the network namespace it was made in: the task could connect it anew, to any server of the host's.
 */
#include "launcher.h"
#include <sys/sysmacros.h>

static uint8_t buffers[STREAMS_MAX][LIMIT_OUTPUT_CHUNK];

struct stream *stream_add(struct zone *z, uint32_t number, int from, int to)
{
	struct stream *s = &z->streams[z->stream_count];

	*s = (struct stream){
		.last = '\n', .number = number, .from = from, .to = to, .buffer = buffers[z->stream_count++]};
	return s;
}

/**
 * descriptor_unshare - a second, non-blocking way to the caller's terminal
 *
 * O_NONBLOCK on the caller's own descriptor would be set for everyone who shares it, the shell first. Where the terminal can't be
 * opened anew the descriptor itself must do.
 */
int descriptor_unshare(int fd)
{
	char path[32];
	char *at = text_put(path, path + sizeof(path), "/proc/self/fd/");
	int own;

	if (!isatty(fd))
		return fd;
	text_number(at, path + sizeof(path), (uint64_t)fd);
	own = open(path, (fcntl(fd, F_GETFL) & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return own < 0 ? fd : own;
}

static bool is_null_device(const struct stat *status)
{
	return S_ISCHR(status->st_mode) && status->st_rdev == makedev(1, 3);
}

/* Whether the task may have the descriptor itself. A unix stream that is connected can't be connected to anything else. */
static bool is_passed_on(int fd, const struct stat *status)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	socklen_t type_size = sizeof(int);
	int type;

	if (!S_ISSOCK(status->st_mode))
		return S_ISFIFO(status->st_mode);
	return getpeername(fd, (struct sockaddr *)&peer, &size) == 0 && peer.ss_family == AF_UNIX &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) == 0 && type != SOCK_DGRAM;
}

/* A pipe to or from the task; the other end's stream starts or ends there. */
static int pipe_open(struct zone *z, uint32_t number, int ends[2], struct fault *f)
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault(f, "pipe2", NULL);
	z->stdio[number] = ends[number == 0 ? 0 : 1];
	return 0;
}

static int stdin_open(struct zone *z, struct fault *f)
{
	struct stat status;
	struct stream *s;
	int ends[2];

	if (fstat(FD_STDIN, &status) < 0 || is_null_device(&status))
		return 0;
	if (is_passed_on(FD_STDIN, &status)) {
		z->stdio[0] = FD_STDIN;
		return 0;
	}
	if (pipe_open(z, 0, ends, f) < 0)
		return -1;
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	s = stream_add(z, 0, descriptor_unshare(FD_STDIN), ends[1]);
	s->own_sink = true;
	s->terminal = isatty(FD_STDIN) != 0;
	if (S_ISREG(status.st_mode))
		z->stdin_pipe = fcntl(ends[0], F_DUPFD_CLOEXEC, 0);
	return 0;
}

/* Standard output or error into the report. */
static int capture_open(struct zone *z, uint32_t number, struct fault *f)
{
	struct stream *s;
	int ends[2];

	if (pipe_open(z, number, ends, f) < 0)
		return -1;
	s = stream_add(z, number, ends[0], -1);
	s->own_source = true;
	s->room = z->plan.only[OP_IO]->u.io.max_output;
	return 0;
}

/* Standard output or error as the caller's own. */
static int output_open(struct zone *z, uint32_t number, int fd, struct fault *f)
{
	struct stat status, first;
	int ends[2];

	if (fstat(fd, &status) < 0 || is_null_device(&status))
		return 0;
	if (is_passed_on(fd, &status)) {
		z->stdio[number] = fd;
		return 0;
	}
	/* Both to the same place: through one pipe, so that their order stays. */
	if (number == 2 && z->stdio[1] >= 0 && fstat(FD_STDOUT, &first) == 0 && first.st_dev == status.st_dev &&
	    first.st_ino == status.st_ino) {
		z->stdio[2] = z->stdio[1];
		return 0;
	}
	if (pipe_open(z, number, ends, f) < 0)
		return -1;
	stream_add(z, number, ends[0], descriptor_unshare(fd))->own_source = true;
	return 0;
}

/** streams_open - makes the task's standard descriptors as `io` says; a zone's terminal comes later, from the zone (pty.c) */
int streams_open(struct zone *z, struct fault *f)
{
	const struct op *op = z->plan.only[OP_IO];
	const struct op_io *io = &op->u.io;

	fault_at(f, &z->plan, op);
	if (io->mode == IO_PTY) {
		terminal_measure(z);
		return 0;
	}
	if (io->mode > IO_PTY)
		return fault_with(f, EINVAL, "io mode", NULL);
	if (io->stdin == STDIN_CALLER && stdin_open(z, f) < 0)
		return -1;
	if (io->mode == IO_CAPTURE)
		return capture_open(z, 1, f) < 0 ? -1 : capture_open(z, 2, f);
	return output_open(z, 1, FD_STDOUT, f) < 0 ? -1 : output_open(z, 2, FD_STDERR, f);
}

/** streams_release - closes the task's ends in the supervisor, so that it sees when the last process of the zone closes them */
void streams_release(struct zone *z)
{
	for (int fd = 0; fd < 3; fd++) {
		bool shared = fd == 2 && z->stdio[2] == z->stdio[1];

		if (z->stdio[fd] > FD_STDERR && !shared)
			close(z->stdio[fd]);
	}
}

/** in_foreground - whether we may read the terminal: the foreground job alone; where job control does not apply, anybody */
bool in_foreground(int terminal)
{
	pid_t foreground = tcgetpgrp(terminal);

	return foreground < 0 || foreground == getpgrp();
}

/** stream_waits_for_terminal - whether the stream would read the caller's terminal, but is in the background */
bool stream_waits_for_terminal(const struct stream *s)
{
	return s->terminal && s->from >= 0 && s->start == s->end && !in_foreground(s->from);
}

/** stream_events - what the stream waits for, and at which descriptor (-1: nothing) */
short stream_events(const struct stream *s, int *fd)
{
	bool full = s->end > s->start;

	*fd = full ? s->to : stream_waits_for_terminal(s) ? -1 : s->from;
	return full ? POLLOUT : POLLIN;
}

/* Nothing more will come: the task's side hears of it once all has gone. */
static void finish_sink(struct stream *s)
{
	if (s->from >= 0 || s->end > s->start || s->to < 0)
		return;
	if (s->to_pty) {
		/* The first ^D ends a line that has begun, the second the input. */
		ssize_t sent = write(s->to, "\4\4", s->last == '\n' ? 1 : 2);

		(void)sent; /* a terminal that takes no more input has nobody reading it */
	} else if (s->own_sink) {
		close(s->to);
	}
	s->to = -1;
}

/** stream_end - reads no more; what is in the buffer still goes out */
void stream_end(struct stream *s)
{
	if (s->own_source)
		close(s->from);
	s->from = -1;
	finish_sink(s);
}

static void report_output(struct zone *z, struct stream *s, size_t size)
{
	size_t reported = size < s->room ? size : (size_t)s->room;
	struct record_output record = {s->number, {(uint32_t)reported, s->buffer}};

	s->room -= reported;
	if (reported > 0)
		report_send(z, RECORD_OUTPUT, &record);
}

static void stream_read(struct zone *z, struct stream *s)
{
	ssize_t got = read(s->from, s->buffer, LIMIT_OUTPUT_CHUNK);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		stream_end(s);
		return;
	}
	z->seen[s->number] += (uint64_t)got;
	s->last = s->buffer[got - 1];
	if (s->to < 0 && s->number > 0) {
		report_output(z, s, (size_t)got);
	} else {
		s->start = 0;
		s->end = (uint32_t)got;
	}
}

static void stream_write(struct stream *s)
{
	/* A socket of the caller's may be a blocking one, whose peer reads when it likes: that must not stop the clock. */
	ssize_t done = send(s->to, s->buffer + s->start, s->end - s->start, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (done < 0 && errno == ENOTSOCK)
		done = write(s->to, s->buffer + s->start, s->end - s->start);
	if (done < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (done < 0) {
		/* Nobody takes it any more. The writer will notice: its end of the pipe closes, or its terminal interrupts it. */
		if (s->number > 0)
			ioctl(s->from, TIOCSIG, SIGINT);
		s->start = s->end = 0;
		stream_end(s);
		return;
	}
	s->start += (uint32_t)done;
	finish_sink(s);
}

/** stream_turn - moves one piece, after poll(2) has said that it can */
void stream_turn(struct zone *z, struct stream *s)
{
	if (s->end > s->start)
		stream_write(s);
	else if (s->from >= 0)
		stream_read(z, s);
}

/**
 * stdin_put_back - sets a regular file's offset back by what the task has not read
 *
 * A shell's `while read line; do rauha sandbox …; done < file` shares the file with us: it must find the next line there.
 */
void stdin_put_back(const struct zone *z)
{
	/* stdin's stream is the first one, where there is one */
	const struct stream *s = z->streams;
	off_t waiting = (off_t)(s->end - s->start);
	off_t given = (off_t)z->seen[0] - waiting;
	int unread = 0;

	if (z->stdin_pipe < 0 || ioctl(z->stdin_pipe, FIONREAD, &unread) < 0)
		return;
	/* The task can write into its own stdin: what never came from the file is not put back, or the shell would do its lines again. */
	lseek(FD_STDIN, -((off_t)unread < given ? (off_t)unread : given) - waiting, SEEK_CUR);
}
