/* Verbs about processes: reaching for others, and ways to live longer than one should. */
#include "probe.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void sleep_seconds(const char *word)
{
	double seconds = strtod(word, NULL);
	struct timespec left = {.tv_sec = (time_t)seconds,
				.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

static int do_ptrace(int argc, char **argv, struct answer *a)
{
	pid_t pid = (pid_t)number_of(argv[1]);

	(void)argc;
	(void)a;
	TRY(ptrace(PTRACE_SEIZE, pid, 0, 0));
	ptrace(PTRACE_DETACH, pid, 0, 0);
	return 0;
}

/* vm-read PID: asks for memory of another process; an address that is not mapped there still tells whether it may be asked for */
static int do_vm_read(int argc, char **argv, struct answer *a)
{
	char buffer[16];
	struct iovec local = {buffer, sizeof(buffer)};
	struct iovec remote = {(void *)0x1000, sizeof(buffer)};

	(void)argc;
	(void)a;
	if (process_vm_readv((pid_t)number_of(argv[1]), &local, 1, &remote, 1, 0) < 0)
		return errno == EFAULT ? 0 : errno;
	return 0;
}

static int do_kill(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	TRY(kill((pid_t)number_of(argv[1]), (int)number_of(argv[2])));
	return 0;
}

/* pidfd PID [FD]: a handle on a process, and with FD a copy of one of its descriptors */
static int do_pidfd(int argc, char **argv, struct answer *a)
{
	int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)number_of(argv[1]), 0);
	int fd;

	if (pidfd < 0) {
		say(a, "pidfd_open");
		return errno;
	}
	if (argc < 3)
		return 0;
	TRY(fd = (int)syscall(SYS_pidfd_getfd, pidfd, (int)number_of(argv[2]), 0));
	say(a, "fd %d", fd);
	return 0;
}

static int do_sleep(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	sleep_seconds(argv[1]);
	return 0;
}

static void ignore_signals(void)
{
	for (int number = 1; number < 32; number++)
		signal(number, SIG_IGN);
}

/* ignore-term SECONDS: nothing but SIGKILL ends it sooner */
static int do_ignore_term(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	ignore_signals();
	if (write(STDOUT_FILENO, "deaf\n", 5) < 0)
		return errno;
	sleep_seconds(argv[1]);
	return 0;
}

/* daemonise SECONDS: leaves a process in a session of its own that holds the standard streams open and hears no signal */
static int do_daemonise(int argc, char **argv, struct answer *a)
{
	pid_t pid = fork();

	(void)argc;
	TRY(pid);
	if (pid > 0) {
		TRY(waitpid(pid, NULL, 0));
		say(a, "left behind");
		return 0;
	}
	setsid();
	if (fork() != 0)
		_exit(0);
	ignore_signals();
	sleep_seconds(argv[1]);
	_exit(0);
}

/* orphans N: children of children that end after their parents did, for pid 1 to reap */
static int do_orphans(int argc, char **argv, struct answer *a)
{
	long count = number_of(argv[1]);

	(void)argc;
	for (long i = 0; i < count; i++) {
		pid_t pid = fork();

		TRY(pid);
		if (pid == 0) {
			if (fork() == 0)
				usleep(20000);
			_exit(0);
		}
		TRY(waitpid(pid, NULL, 0));
	}
	say(a, "%ld", count);
	return 0;
}

static volatile sig_atomic_t caught;

static void catch_signal(int number)
{
	caught = number;
}

/* await-signal SECONDS: says which signal came first, 0 for none */
static int do_await_signal(int argc, char **argv, struct answer *a)
{
	struct sigaction action = {.sa_handler = catch_signal};
	struct timespec left = {.tv_sec = number_of(argv[1])};

	(void)argc;
	for (int number = 1; number < 32; number++)
		sigaction(number, &action, NULL);
	if (write(STDOUT_FILENO, "ready\n", 6) < 0)
		return errno;
	while (caught == 0 && nanosleep(&left, &left) < 0 && errno == EINTR)
		;
	say(a, "%d", (int)caught);
	return 0;
}

/* die SIGNAL */
static int do_die(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	signal((int)number_of(argv[1]), SIG_DFL);
	TRY(raise((int)number_of(argv[1])));
	return 0;
}

static int do_exit(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	_exit((int)number_of(argv[1]));
}

/* dumpable N: whether other processes of this user may look at this one */
static int do_dumpable(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	TRY(prctl(PR_SET_DUMPABLE, number_of(argv[1]), 0, 0, 0));
	return 0;
}

/* title TEXT: the name that other processes see */
static int do_title(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	TRY(prctl(PR_SET_NAME, argv[1], 0, 0, 0));
	return 0;
}

const struct verb process_verbs[] = {
	{"ptrace", do_ptrace, 1, "PID"},
	{"vm-read", do_vm_read, 1, "PID"},
	{"kill", do_kill, 2, "PID SIGNAL"},
	{"pidfd", do_pidfd, 1, "PID [FD]"},
	{"sleep", do_sleep, 1, "SECONDS"},
	{"ignore-term", do_ignore_term, 1, "SECONDS"},
	{"daemonise", do_daemonise, 1, "SECONDS"},
	{"orphans", do_orphans, 1, "COUNT"},
	{"await-signal", do_await_signal, 1, "SECONDS"},
	{"die", do_die, 1, "SIGNAL"},
	{"exit", do_exit, 1, "CODE"},
	{"dumpable", do_dumpable, 1, "0|1"},
	{"title", do_title, 1, "TEXT"},
	{NULL, NULL, 0, NULL},
};
