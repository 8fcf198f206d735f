/* Verbs that take as much as they get. Each says how far it came; each is bounded by its operands, should nothing else stop it. */
#include "probe.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* forkbomb N [HOLD_MS]: N children that stay; says how many came to be and which errno ended it */
static int do_forkbomb(int argc, char **argv, struct answer *a)
{
	static pid_t children[100000];
	long want = number_of(argv[1]);
	long made = 0;
	int err = 0;

	for (; made < want && made < 100000; made++) {
		children[made] = fork();
		if (children[made] < 0) {
			err = errno;
			break;
		}
		if (children[made] == 0) {
			pause();
			_exit(0);
		}
	}
	if (argc > 2)
		usleep((useconds_t)number_of(argv[2]) * 1000);
	say(a, "%ld made", made);
	for (long i = 0; i < made; i++)
		kill(children[i], SIGKILL);
	for (long i = 0; i < made; i++)
		waitpid(children[i], NULL, 0);
	return err;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* forkbomb-tree SECONDS: every process makes more, for ever; only the first one ends after this time */
static int do_forkbomb_tree(int argc, char **argv, struct answer *a)
{
	long end = now_ms() + number_of(argv[1]) * 1000;
	pid_t first = getpid();
	int err = 0;

	(void)argc;
	while (now_ms() < end) {
		if (fork() < 0)
			err = errno;
		if (getpid() != first)
			end = now_ms() + 60000;
		else
			usleep(100);
	}
	if (getpid() != first)
		_exit(0);
	say(a, "still here");
	return err;
}

/* memhog BYTES [touch [HOLD_MS]]: in steps of 1 MiB; says how much it got */
static int do_memhog(int argc, char **argv, struct answer *a)
{
	size_t want = (size_t)number_of(argv[1]);
	size_t step = 1 << 20;
	size_t got = 0;

	for (; got < want; got += step) {
		char *piece = mmap(NULL, step, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (piece == MAP_FAILED) {
			say(a, "%zu MiB", got >> 20);
			return errno;
		}
		if (argc > 2)
			memset(piece, 0x5a, step);
	}
	say(a, "%zu MiB", got >> 20);
	if (argc > 3)
		usleep((useconds_t)number_of(argv[3]) * 1000);
	return 0;
}

/* memhogs N BYTES HOLD_MS: N processes with BYTES each at the same time; says how many of them lived */
static int do_memhogs(int argc, char **argv, struct answer *a)
{
	long count = number_of(argv[1]);
	long lived = 0;
	int status;

	(void)argc;
	for (long i = 0; i < count; i++) {
		pid_t pid = fork();

		TRY(pid);
		if (pid == 0) {
			char *words[] = {argv[0], argv[2], "touch", argv[3]};
			static struct answer ignored;

			_exit(do_memhog(4, words, &ignored) == 0 ? 0 : 1);
		}
	}
	while (wait(&status) > 0)
		lived += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	say(a, "%ld lived", lived);
	return lived == count ? 0 : ENOMEM;
}

/* filebomb DIR N [BYTES]: N files with BYTES each */
static int do_filebomb(int argc, char **argv, struct answer *a)
{
	static char block[1 << 20];
	long want = number_of(argv[2]);
	size_t bytes = argc > 3 ? (size_t)number_of(argv[3]) : 0;
	long made = 0;
	int err = 0;

	for (; made < want && err == 0; made++) {
		char path[4096];
		int fd;

		snprintf(path, sizeof(path), "%s/%ld", argv[1], made);
		fd = open(path, O_WRONLY | O_CREAT, 0644);
		if (fd < 0) {
			err = errno;
			break;
		}
		for (size_t left = bytes; left > 0 && err == 0;) {
			ssize_t n = write(fd, block, left < sizeof(block) ? left : sizeof(block));

			if (n < 0)
				err = errno;
			else
				left -= (size_t)n;
		}
		close(fd);
	}
	say(a, "%ld made", made);
	return err;
}

/* openbomb N: descriptors */
static int do_openbomb(int argc, char **argv, struct answer *a)
{
	long want = number_of(argv[1]);
	long made = 0;
	int err = 0;

	(void)argc;
	for (; made < want; made++) {
		if (open("/dev/null", O_RDONLY) < 0) {
			err = errno;
			break;
		}
	}
	say(a, "%ld made", made);
	return err;
}

/* spin SECONDS: processor time */
static int do_spin(int argc, char **argv, struct answer *a)
{
	long want = number_of(argv[1]);
	struct timespec used;

	(void)argc;
	do {
		for (volatile int i = 0; i < 1000000; i++)
			;
		TRY(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used));
	} while (used.tv_sec < want);
	say(a, "%ld s", (long)used.tv_sec);
	return 0;
}

/* yes BYTES [FD]: output */
static int do_yes(int argc, char **argv, struct answer *a)
{
	static char block[1 << 16];
	long left = number_of(argv[1]);
	int fd = argc > 2 ? (int)number_of(argv[2]) : STDOUT_FILENO;

	for (size_t i = 0; i < sizeof(block); i += 2)
		memcpy(block + i, "y\n", 2);
	while (left > 0) {
		ssize_t n = write(fd, block, left < (long)sizeof(block) ? (size_t)left : sizeof(block));

		TRY(n);
		left -= n;
	}
	(void)a;
	return 0;
}

/* bytes HEX: exactly these bytes */
static int do_bytes(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	for (const char *at = argv[1]; at[0] && at[1]; at += 2) {
		char pair[] = {at[0], at[1], '\0'};
		unsigned char byte = (unsigned char)strtoul(pair, NULL, 16);

		TRY(write(STDOUT_FILENO, &byte, 1));
	}
	_exit(0);
}

/* Says that the most was taken, and keeps it until stdin ends. */
static void hold(void)
{
	char byte;

	if (write(STDOUT_FILENO, "holding\n", 8) < 0)
		_exit(1);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

/* queue-signals COUNT [hold]: as many signals to itself as may wait */
static int do_queue_signals(int argc, char **argv, struct answer *a)
{
	const union sigval none = {.sival_int = 0};
	long want = number_of(argv[1]);
	long queued = 0;
	sigset_t set;
	int err = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	TRY(sigprocmask(SIG_BLOCK, &set, NULL));
	while (queued < want && err == 0) {
		if (sigqueue(getpid(), SIGRTMIN, none) < 0)
			err = errno;
		else
			queued++;
	}
	if (argc > 2)
		hold();
	say(a, "%ld queued", queued);
	return err;
}

/* inotify COUNT [hold]: as many instances as there may be */
static int do_inotify(int argc, char **argv, struct answer *a)
{
	long want = number_of(argv[1]);
	long made = 0;

	while (made < want && inotify_init1(IN_CLOEXEC) >= 0)
		made++;
	int err = made < want ? errno : 0;
	if (argc > 2)
		hold();
	say(a, "%ld made", made);
	return err;
}

const struct verb bomb_verbs[] = {
	{"forkbomb", do_forkbomb, 1, "COUNT [HOLD_MS]"},
	{"forkbomb-tree", do_forkbomb_tree, 1, "SECONDS"},
	{"memhog", do_memhog, 1, "BYTES [touch [HOLD_MS]]"},
	{"memhogs", do_memhogs, 3, "COUNT BYTES HOLD_MS"},
	{"filebomb", do_filebomb, 2, "DIR COUNT [BYTES]"},
	{"openbomb", do_openbomb, 1, "COUNT"},
	{"queue-signals", do_queue_signals, 1, "COUNT [hold]"},
	{"inotify", do_inotify, 1, "COUNT [hold]"},
	{"spin", do_spin, 1, "SECONDS"},
	{"yes", do_yes, 1, "BYTES [FD]"},
	{"bytes", do_bytes, 1, "HEX"},
	{NULL, NULL, 0, NULL},
};
