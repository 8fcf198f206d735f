/* Verbs that say what a process sees of itself and around it. */
#include "probe.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

extern char **environ;

static int do_env(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)argv;
	for (char **at = environ; *at; at++)
		say_item(a, "%s", *at);
	return 0;
}

static int by_number(const struct dirent **left, const struct dirent **right)
{
	return atoi((*left)->d_name) - atoi((*right)->d_name);
}

static int is_number(const struct dirent *entry)
{
	return entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
}

/* fds: open descriptors as NUMBER=TARGET; the probe's own look at the directory is left out by asking again */
static int do_fds(int argc, char **argv, struct answer *a)
{
	struct dirent **entries;
	int count = scandir("/proc/self/fd", &entries, is_number, by_number);

	(void)argc;
	(void)argv;
	TRY(count);
	for (int i = 0; i < count; i++) {
		char path[64];
		char target[4096];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%.8s", entries[i]->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		if (n >= 0) {
			target[n] = '\0';
			say_item(a, "%s=%s", entries[i]->d_name, target);
		}
		free(entries[i]);
	}
	free(entries);
	return 0;
}

/* ns [PID]: KIND=INODE of each namespace */
static int do_ns(int argc, char **argv, struct answer *a)
{
	static const char *const kinds[] = {"user", "mnt", "pid", "ipc", "uts", "net", "cgroup"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		char path[64];
		struct stat st;

		snprintf(path, sizeof(path), "/proc/%s/ns/%s", argc > 1 ? argv[1] : "self", kinds[i]);
		TRY(stat(path, &st));
		say_item(a, "%s=%llu", kinds[i], (unsigned long long)st.st_ino);
	}
	return 0;
}

/* Lines of a file of /proc as items. */
static int say_lines(struct answer *a, const char *path)
{
	char line[4096];
	FILE *file = fopen(path, "re");

	if (!file)
		return errno;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		say_item(a, "%s", line);
	}
	fclose(file);
	return 0;
}

static int do_mounts(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)argv;
	return say_lines(a, "/proc/self/mountinfo");
}

static int do_lines(int argc, char **argv, struct answer *a)
{
	(void)argc;
	return say_lines(a, argv[1]);
}

/* processes: PID STATE NAME of all that /proc shows */
static int do_processes(int argc, char **argv, struct answer *a)
{
	struct dirent **entries;
	int count = scandir("/proc", &entries, is_number, by_number);

	(void)argc;
	(void)argv;
	TRY(count);
	for (int i = 0; i < count; i++) {
		char path[64];
		char name[64];
		char state = '?';
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%.10s/stat", entries[i]->d_name);
		file = fopen(path, "re");
		if (file && fscanf(file, "%*d (%63[^)]) %c", name, &state) == 2)
			say_item(a, "%s %c %s", entries[i]->d_name, state, name);
		if (file)
			fclose(file);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

static int do_self(int argc, char **argv, struct answer *a)
{
	char path[4096];
	struct utsname names;
	mode_t mask = umask(0);

	(void)argc;
	(void)argv;
	umask(mask);
	TRY(uname(&names));
	say_item(a, "pid=%d", getpid());
	say_item(a, "ppid=%d", getppid());
	say_item(a, "pgid=%d", getpgrp());
	say_item(a, "sid=%d", getsid(0));
	say_item(a, "cwd=%s", getcwd(path, sizeof(path)) ? path : "?");
	say_item(a, "hostname=%s", names.nodename);
	say_item(a, "umask=%04o", mask);
	return 0;
}

/* stdin: all of it, by its length and beginning */
static int do_stdin(int argc, char **argv, struct answer *a)
{
	char first[64];
	char buffer[65536];
	size_t kept = 0;
	unsigned long long total = 0;
	ssize_t n;

	(void)argc;
	(void)argv;
	while ((n = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0) {
		for (ssize_t i = 0; i < n && kept < sizeof(first); i++)
			first[kept++] = buffer[i];
		total += (unsigned long long)n;
	}
	TRY(n);
	say_item(a, "%llu", total);
	say_item(a, "%s", "");
	say_bytes(a, first, kept);
	return 0;
}

const struct verb show_verbs[] = {
	{"env", do_env, 0, ""},	      {"fds", do_fds, 0, ""},	      {"ns", do_ns, 0, "[PID]"},
	{"mounts", do_mounts, 0, ""}, {"lines", do_lines, 1, "PATH"}, {"processes", do_processes, 0, ""},
	{"self", do_self, 0, ""},     {"stdin", do_stdin, 0, ""},     {NULL, NULL, 0, NULL},
};
