/* Verbs about the terminal that one has, inside a zone. */
#include "probe.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

verb_fn do_pty_run;

/* tty: which of the three streams are terminals, its size and its mode */
static int do_tty(int argc, char **argv, struct answer *a)
{
	struct winsize size = {0};
	struct termios mode;

	(void)argc;
	(void)argv;
	say_item(a, "terminals=%d%d%d", isatty(0), isatty(1), isatty(2));
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		say_item(a, "size=%ux%u", size.ws_row, size.ws_col);
	if (tcgetattr(STDIN_FILENO, &mode) == 0) {
		say_item(a, "canonical=%d", (mode.c_lflag & ICANON) != 0);
		say_item(a, "echo=%d", (mode.c_lflag & ECHO) != 0);
	}
	say_item(a, "name=%s", ttyname(STDIN_FILENO) ? ttyname(STDIN_FILENO) : "none");
	say_item(a, "foreground=%d", tcgetpgrp(STDIN_FILENO) == getpgrp());
	return 0;
}

/* sti PATH TEXT: pushes keys into a terminal's input, to be read by whoever reads it next */
static int do_sti(int argc, char **argv, struct answer *a)
{
	int fd = strcmp(argv[1], "-") == 0 ? STDIN_FILENO : open(argv[1], O_RDWR | O_NOCTTY | O_NONBLOCK);

	(void)argc;
	if (fd < 0) {
		say(a, "open");
		return errno;
	}
	for (const char *key = argv[2]; *key; key++)
		TRY(ioctl(fd, TIOCSTI, key));
	return 0;
}

/* steal-tty PATH: makes a terminal the controlling one, in a session of its own */
static int do_steal_tty(int argc, char **argv, struct answer *a)
{
	int fd = open(argv[1], O_RDWR | O_NOCTTY | O_NONBLOCK);

	(void)argc;
	if (fd < 0) {
		say(a, "open");
		return errno;
	}
	setsid();
	TRY(ioctl(fd, TIOCSCTTY, 1));
	return 0;
}

static volatile sig_atomic_t resized;

static void on_resize(int number)
{
	(void)number;
	resized = 1;
}

/* await-resize SECONDS: says the size before and after */
static int do_await_resize(int argc, char **argv, struct answer *a)
{
	struct sigaction action = {.sa_handler = on_resize};
	struct winsize before = {0};
	struct winsize after = {0};

	(void)argc;
	sigaction(SIGWINCH, &action, NULL);
	TRY(ioctl(STDIN_FILENO, TIOCGWINSZ, &before));
	if (write(STDOUT_FILENO, "ready\n", 6) < 0)
		return errno;
	for (long left = number_of(argv[1]) * 100; left > 0 && !resized; left--)
		usleep(10000);
	TRY(ioctl(STDIN_FILENO, TIOCGWINSZ, &after));
	say(a, "%ux%u %ux%u", before.ws_row, before.ws_col, after.ws_row, after.ws_col);
	return resized ? 0 : ETIMEDOUT;
}

const struct verb terminal_verbs[] = {
	{"tty", do_tty, 0, ""},
	{"sti", do_sti, 2, "PATH|- TEXT"},
	{"steal-tty", do_steal_tty, 1, "PATH"},
	{"await-resize", do_await_resize, 1, "SECONDS"},
	{"pty-run", do_pty_run, 2, "[STEP...] -- COMMAND [ARGUMENTS]"},
	{NULL, NULL, 0, NULL},
};
