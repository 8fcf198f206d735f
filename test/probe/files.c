/* Verbs about one file: opening, reading, writing, running it. */
#include "probe.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* The descriptor stays open for the verbs that follow. */
static int do_open(int argc, char **argv, struct answer *a)
{
	int fd = open(argv[2], open_flags(argv[1]), 0644);

	(void)argc;
	TRY(fd);
	say(a, "fd %d", fd);
	return 0;
}

static int do_openat(int argc, char **argv, struct answer *a)
{
	int fd = openat((int)number_of(argv[1]), argv[3], open_flags(argv[2]), 0644);

	(void)argc;
	TRY(fd);
	say(a, "fd %d", fd);
	return 0;
}

/* Opens a descriptor anew through /proc, which ignores how it was opened before. */
static int do_reopen_fd(int argc, char **argv, struct answer *a)
{
	char path[64];
	int fd;

	(void)argc;
	snprintf(path, sizeof(path), "/proc/self/fd/%ld", number_of(argv[1]));
	TRY(fd = open(path, open_flags(argv[2])));
	say(a, "fd %d", fd);
	return 0;
}

static int do_fchdir(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	TRY(fchdir((int)number_of(argv[1])));
	return 0;
}

static int do_chdir(int argc, char **argv, struct answer *a)
{
	char path[4096];

	(void)argc;
	TRY(chdir(argv[1]));
	say(a, "%s", getcwd(path, sizeof(path)) ? path : "(unreachable)");
	return 0;
}

/* read PATH [BYTES] */
static int do_read(int argc, char **argv, struct answer *a)
{
	char buffer[8192];
	size_t want = argc > 2 ? (size_t)number_of(argv[2]) : sizeof(buffer);
	int fd = open(argv[1], O_RDONLY | O_NONBLOCK);
	ssize_t n;

	TRY(fd);
	n = read(fd, buffer, want < sizeof(buffer) ? want : sizeof(buffer));
	close(fd);
	TRY(n);
	say_bytes(a, buffer, (size_t)n);
	return 0;
}

/* read-fd FD: what the descriptor of the caller's gives */
static int do_read_fd(int argc, char **argv, struct answer *a)
{
	char buffer[4096];
	ssize_t n = pread((int)number_of(argv[1]), buffer, sizeof(buffer), 0);

	(void)argc;
	if (n < 0 && errno == ESPIPE)
		n = read((int)number_of(argv[1]), buffer, sizeof(buffer));
	TRY(n);
	say_bytes(a, buffer, (size_t)n);
	return 0;
}

/* write PATH TEXT: into a file that exists */
static int do_write(int argc, char **argv, struct answer *a)
{
	int fd = open(argv[1], O_WRONLY | O_TRUNC);
	ssize_t n;

	(void)argc;
	(void)a;
	TRY(fd);
	n = write(fd, argv[2], strlen(argv[2]));
	if (n < 0) {
		int err = errno;

		close(fd);
		return err;
	}
	TRY(close(fd));
	return 0;
}

/* create PATH [TEXT]: a file that does not exist */
static int do_create(int argc, char **argv, struct answer *a)
{
	int fd = open(argv[1], O_WRONLY | O_CREAT | O_EXCL, 0644);

	(void)a;
	TRY(fd);
	if (argc > 2)
		TRY(write(fd, argv[2], strlen(argv[2])));
	TRY(close(fd));
	return 0;
}

static void say_stat(struct answer *a, const struct stat *st)
{
	static const char *const types[] = {[S_IFREG >> 12] = "file",	[S_IFDIR >> 12] = "dir",
					    [S_IFLNK >> 12] = "link",	[S_IFCHR >> 12] = "char",
					    [S_IFBLK >> 12] = "block",	[S_IFIFO >> 12] = "fifo",
					    [S_IFSOCK >> 12] = "socket"};

	say_item(a, "%s", types[(st->st_mode & S_IFMT) >> 12]);
	say_item(a, "%04o", st->st_mode & 07777U);
	say_item(a, "%u:%u", st->st_uid, st->st_gid);
	say_item(a, "%lld", (long long)st->st_size);
	say_item(a, "%u:%u", major(st->st_rdev), minor(st->st_rdev));
}

static int do_stat(int argc, char **argv, struct answer *a)
{
	struct stat st;

	(void)argc;
	TRY(stat(argv[1], &st));
	say_stat(a, &st);
	return 0;
}

static int do_lstat(int argc, char **argv, struct answer *a)
{
	struct stat st;

	(void)argc;
	TRY(lstat(argv[1], &st));
	say_stat(a, &st);
	return 0;
}

static int do_readlink(int argc, char **argv, struct answer *a)
{
	char target[4096];
	ssize_t n = readlink(argv[1], target, sizeof(target));

	(void)argc;
	TRY(n);
	say_bytes(a, target, (size_t)n);
	return 0;
}

/* create-mode HOW MODE PATH: a file that has this mode from the beginning, by one of the calls that can do it */
static int do_create_mode(int argc, char **argv, struct answer *a)
{
	const char *how = argv[1];
	mode_t mode = (mode_t)number_of(argv[2]);
	const char *path = argv[3];
	int fd = -1;

	(void)argc;
	(void)a;
	umask(0);
	if (strcmp(how, "open") == 0) {
		TRY(fd = (int)syscall(SYS_open, path, O_CREAT | O_EXCL | O_RDWR, mode));
	} else if (strcmp(how, "openat") == 0) {
		TRY(fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_EXCL | O_RDWR, mode));
	} else if (strcmp(how, "openat2") == 0) {
		struct open_how open_how = {.flags = O_CREAT | O_EXCL | O_RDWR, .mode = mode};

		TRY(fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &open_how, sizeof(open_how)));
	} else if (strcmp(how, "creat") == 0) {
		TRY(fd = (int)syscall(SYS_creat, path, mode));
	} else if (strcmp(how, "mknod") == 0) {
		TRY(syscall(SYS_mknod, path, S_IFREG | mode, 0));
	} else if (strcmp(how, "tmpfile") == 0) {
		char folder[4096];
		char link[64];

		snprintf(folder, sizeof(folder), "%s", path);
		*strrchr(folder, '/') = '\0';
		TRY(fd = open(folder, O_TMPFILE | O_RDWR, mode));
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		TRY(linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW));
	} else {
		TRY(fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600));
		if (strcmp(how, "fchmod") == 0)
			TRY(fchmod(fd, mode));
		else if (strcmp(how, "chmod") == 0)
			TRY(chmod(path, mode));
		else if (strcmp(how, "fchmodat") == 0)
			TRY(syscall(SYS_fchmodat, AT_FDCWD, path, mode));
		else if (strcmp(how, "fchmodat2") == 0)
			TRY(syscall(452, AT_FDCWD, path, mode, 0));
		else
			return ENOTSUP;
	}
	return 0;
}

/* exec PATH [args]: in a child; says how it ended. The errno is execve's own. */
static int do_exec(int argc, char **argv, struct answer *a)
{
	int failure[2];
	int err = 0;
	int status;
	pid_t pid;

	(void)argc;
	TRY(pipe2(failure, O_CLOEXEC));
	pid = fork();
	TRY(pid);
	if (pid == 0) {
		char *args[64] = {0};

		for (int i = 1; i < argc && i < 63; i++)
			args[i - 1] = argv[i];
		execvp(args[0], args);
		err = errno;
		if (write(failure[1], &err, sizeof(err)) < 0)
			_exit(126);
		_exit(127);
	}
	close(failure[1]);
	if (read(failure[0], &err, sizeof(err)) < 0)
		err = errno;
	close(failure[0]);
	TRY(waitpid(pid, &status, 0));
	if (err)
		return err;
	if (WIFEXITED(status))
		say(a, "exit %d", WEXITSTATUS(status));
	else
		say(a, "signal %d", WTERMSIG(status));
	return 0;
}

/* usage COMMAND [args]: runs it in a child and says what it and its own children used; a small parent, whose memory does not count */
static int do_usage(int argc, char **argv, struct answer *a)
{
	struct rusage used;
	int status;
	pid_t pid = fork();

	(void)argc;
	TRY(pid);
	if (pid == 0) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	TRY(wait4(pid, &status, 0, &used));
	say_item(a, "exit=%d", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	say_item(a, "max_rss_kib=%ld", used.ru_maxrss);
	say_item(a, "cpu_us=%ld",
		 (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000L + used.ru_utime.tv_usec +
			 used.ru_stime.tv_usec);
	return 0;
}

/* exec-fd FD: runs what a descriptor refers to */
static int do_exec_fd(int argc, char **argv, struct answer *a)
{
	char *args[] = {argv[1], NULL};

	(void)argc;
	(void)a;
	TRY(fexecve((int)number_of(argv[1]), args, args + 1));
	return 0;
}

/* ioctl PATH REQUEST [VALUE] */
static int do_ioctl(int argc, char **argv, struct answer *a)
{
	char buffer[256] = {0};
	int fd = open(argv[1], O_RDWR | O_NONBLOCK | O_NOCTTY);

	(void)a;
	TRY(fd);
	if (argc > 3)
		buffer[0] = argv[3][0];
	TRY(ioctl(fd, (int)number_of(argv[2]), buffer));
	return 0;
}

const struct verb file_verbs[] = {
	{"open", do_open, 2, "MODE PATH"},
	{"openat", do_openat, 3, "FD MODE PATH"},
	{"reopen-fd", do_reopen_fd, 2, "FD MODE"},
	{"fchdir", do_fchdir, 1, "FD"},
	{"chdir", do_chdir, 1, "PATH"},
	{"read", do_read, 1, "PATH [BYTES]"},
	{"read-fd", do_read_fd, 1, "FD"},
	{"write", do_write, 2, "PATH TEXT"},
	{"create", do_create, 1, "PATH [TEXT]"},
	{"create-mode", do_create_mode, 3, "HOW MODE PATH"},
	{"stat", do_stat, 1, "PATH"},
	{"lstat", do_lstat, 1, "PATH"},
	{"readlink", do_readlink, 1, "PATH"},
	{"exec", do_exec, 1, "PATH [ARGS]"},
	{"usage", do_usage, 1, "COMMAND [ARGS]"},
	{"exec-fd", do_exec_fd, 1, "FD"},
	{"ioctl", do_ioctl, 2, "PATH REQUEST [VALUE]"},
	{NULL, NULL, 0, NULL},
};
