/*
 * pty-run [STEP...] -- COMMAND [ARGUMENTS]
 *
 * A person at a terminal: makes a terminal of 24x80, runs COMMAND as its session, and goes through the steps. What the screen would show
 * goes to stderr; stdout has the one line that says how it ended.
 *
 *   expect:TEXT   waits for TEXT on the screen, after what was expected before
 *   send:TEXT     types TEXT; \r \n \xNN as in C
 *   resize:RxC    drags the window's corner
 *   signal:N      signals COMMAND
 *   mode          says how the terminal is set: canonical and echo
 *   wait:MS       looks at the screen for a while
 *   hangup        closes the window
 */
#include "probe.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 20000

struct window {
	int master;
	int slave;
	pid_t pid;
	char screen[1 << 16];
	size_t length;
	size_t seen; /* up to here everything was expected */
};

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Takes what the screen shows within this time; false when nothing came. */
static bool look(struct window *w, long ms)
{
	struct pollfd entry = {.fd = w->master, .events = POLLIN};
	char piece[4096];
	ssize_t n;

	if (w->master < 0 || poll(&entry, 1, (int)ms) <= 0)
		return false;
	n = read(w->master, piece, sizeof(piece));
	if (n <= 0)
		return false;
	if (write(STDERR_FILENO, piece, (size_t)n) < 0)
		return false;
	for (ssize_t i = 0; i < n && w->length < sizeof(w->screen); i++)
		w->screen[w->length++] = piece[i];
	return true;
}

static bool expect_text(struct window *w, const char *text)
{
	long end = now_ms() + PATIENCE_MS;

	for (;;) {
		char *at = memmem(w->screen + w->seen, w->length - w->seen, text, strlen(text));

		if (at) {
			w->seen = (size_t)(at - w->screen) + strlen(text);
			return true;
		}
		if (now_ms() > end)
			return false;
		look(w, 50);
	}
}

static void type_text(struct window *w, const char *text)
{
	while (*text) {
		char key = *text++;

		if (key == '\\' && *text == 'x') {
			char pair[] = {text[1], text[2], '\0'};

			key = (char)strtoul(pair, NULL, 16);
			text += 3;
		} else if (key == '\\') {
			key = *text == 'r' ? '\r' : *text == 'n' ? '\n' : *text;
			text++;
		}
		if (write(w->master, &key, 1) < 0)
			return;
	}
}

static void say_mode(struct answer *a, int fd)
{
	struct termios mode;

	if (tcgetattr(fd, &mode) < 0)
		say_item(a, "mode=%s", errno_name(errno));
	else
		say_item(a, "mode=%s,%s", mode.c_lflag & ICANON ? "canonical" : "raw",
			 mode.c_lflag & ECHO ? "echo" : "silent");
}

static int take_step(struct window *w, const char *step, struct answer *a)
{
	const char *value = strchr(step, ':') ? strchr(step, ':') + 1 : "";
	struct winsize size = {0};

	if (strncmp(step, "expect:", 7) == 0)
		return expect_text(w, value) ? 0 : ETIMEDOUT;
	if (strncmp(step, "send:", 5) == 0)
		type_text(w, value);
	else if (sscanf(step, "resize:%hux%hu", &size.ws_row, &size.ws_col) == 2)
		ioctl(w->master, TIOCSWINSZ, &size);
	else if (strncmp(step, "signal:", 7) == 0)
		kill(w->pid, (int)number_of(value));
	else if (strcmp(step, "mode") == 0)
		say_mode(a, w->slave);
	else if (strncmp(step, "wait:", 5) == 0)
		for (long end = now_ms() + number_of(value); now_ms() < end;)
			look(w, 20);
	else if (strcmp(step, "hangup") == 0) {
		close(w->slave);
		close(w->master);
		w->slave = w->master = -1;
	} else
		return EINVAL;
	return 0;
}

static int open_window(struct window *w, char **command)
{
	struct winsize size = {.ws_row = 24, .ws_col = 80};

	TRY(w->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
	if (grantpt(w->master) < 0 || unlockpt(w->master) < 0)
		return errno;
	TRY(w->slave = open(ptsname(w->master), O_RDWR | O_NOCTTY | O_CLOEXEC));
	TRY(ioctl(w->master, TIOCSWINSZ, &size));
	TRY(w->pid = fork());
	if (w->pid > 0)
		return 0;
	setsid();
	ioctl(w->slave, TIOCSCTTY, 0);
	for (int fd = 0; fd < 3; fd++)
		dup2(w->slave, fd);
	execvp(command[0], command);
	_exit(127);
}

/* Looks until the command has ended; its status, or -1 when it does not. */
static int wait_for_end(struct window *w)
{
	long end = now_ms() + PATIENCE_MS;
	int status;

	for (;;) {
		if (waitpid(w->pid, &status, WNOHANG) == w->pid)
			break;
		if (now_ms() > end) {
			kill(w->pid, SIGKILL);
			waitpid(w->pid, &status, 0);
			return -1;
		}
		if (!look(w, 10) && w->master < 0)
			usleep(10000);
	}
	while (look(w, 30))
		;
	return status;
}

int do_pty_run(int argc, char **argv, struct answer *a)
{
	static struct window w;
	int at = 1;
	int err = 0;
	int status;

	while (at < argc && strcmp(argv[at], "--") != 0)
		at++;
	if (at + 1 >= argc)
		return EINVAL;
	argv[argc] = NULL;
	err = open_window(&w, argv + at + 1);
	if (err)
		return err;
	for (int i = 1; i < at && err == 0; i++) {
		err = take_step(&w, argv[i], a);
		if (err)
			say_item(a, "failed=%s", argv[i]);
	}
	status = wait_for_end(&w);
	if (w.slave >= 0)
		say_mode(a, w.slave);
	if (status == -1)
		say_item(a, "end=never");
	else if (WIFSIGNALED(status))
		say_item(a, "end=signal %d", WTERMSIG(status));
	else
		say_item(a, "end=exit %d", WEXITSTATUS(status));
	return err;
}
