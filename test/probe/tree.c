/* Verbs that change the tree of files. */
#include "probe.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define SIMPLE(name, call)                                            \
	static int do_##name(int argc, char **argv, struct answer *a) \
	{                                                             \
		(void)argc;                                           \
		(void)a;                                              \
		TRY(call);                                            \
		return 0;                                             \
	}

SIMPLE(mkdir, mkdir(argv[1], 0755))
SIMPLE(rmdir, rmdir(argv[1]))
SIMPLE(unlink, unlink(argv[1]))
SIMPLE(rename, rename(argv[1], argv[2]))
SIMPLE(symlink, symlink(argv[1], argv[2]))
SIMPLE(link, link(argv[1], argv[2]))
SIMPLE(truncate, truncate(argv[1], number_of(argv[2])))
SIMPLE(chmod, chmod(argv[2], (mode_t)number_of(argv[1])))
SIMPLE(chown, lchown(argv[3], (uid_t)number_of(argv[1]), (gid_t)number_of(argv[2])))
SIMPLE(utimes, utimensat(AT_FDCWD, argv[1], NULL, 0))

/* mknod PATH c|b|p|s MAJOR MINOR */
static int do_mknod(int argc, char **argv, struct answer *a)
{
	mode_t type = argv[2][0] == 'c'	  ? S_IFCHR
		      : argv[2][0] == 'b' ? S_IFBLK
		      : argv[2][0] == 's' ? S_IFSOCK
					  : S_IFIFO;
	unsigned int high = argc > 3 ? (unsigned int)number_of(argv[3]) : 0;
	unsigned int low = argc > 4 ? (unsigned int)number_of(argv[4]) : 0;

	(void)a;
	TRY(mknod(argv[1], type | 0666, makedev(high, low)));
	return 0;
}

static int by_name(const struct dirent **left, const struct dirent **right)
{
	return strcmp((*left)->d_name, (*right)->d_name);
}

static int do_list(int argc, char **argv, struct answer *a)
{
	struct dirent **entries;
	int count = scandir(argv[1], &entries, NULL, by_name);

	(void)argc;
	TRY(count);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
			say_item(a, "%s", name);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

/* open-by-handle MOUNT PATH: asks for a file's handle and opens it by that, past every directory's permissions. */
static int do_open_by_handle(int argc, char **argv, struct answer *a)
{
	struct {
		struct file_handle handle;
		unsigned char bytes[MAX_HANDLE_SZ];
	} h = {.handle.handle_bytes = MAX_HANDLE_SZ};
	int mount_id;
	int mount;
	int fd;

	(void)argc;
	TRY(mount = open(argv[1], O_RDONLY | O_DIRECTORY));
	if (name_to_handle_at(AT_FDCWD, argv[2], &h.handle, &mount_id, 0) < 0) {
		say(a, "name_to_handle_at");
		return errno;
	}
	TRY(fd = open_by_handle_at(mount, &h.handle, O_RDONLY));
	say(a, "fd %d", fd);
	return 0;
}

/* proc-root PID: opens the root directory of another process */
static int do_proc_root(int argc, char **argv, struct answer *a)
{
	char path[64];
	int fd;

	(void)argc;
	snprintf(path, sizeof(path), "/proc/%ld/root/etc/hostname", number_of(argv[1]));
	TRY(fd = open(path, O_RDONLY));
	say(a, "fd %d", fd);
	return 0;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* race-symlink PATH A B MS: makes PATH point to A and B in turn, as fast as it can */
static int do_race_symlink(int argc, char **argv, struct answer *a)
{
	char temporary[4096];
	unsigned long turns = 0;

	(void)argc;
	snprintf(temporary, sizeof(temporary), "%s.turn", argv[1]);
	for (long end = now_ms() + number_of(argv[4]); now_ms() < end; turns++) {
		if (symlink(argv[2 + turns % 2], temporary) < 0 || rename(temporary, argv[1]) < 0)
			return errno;
	}
	say(a, "%lu turns", turns);
	return 0;
}

const struct verb tree_verbs[] = {
	{"mkdir", do_mkdir, 1, "PATH"},
	{"rmdir", do_rmdir, 1, "PATH"},
	{"unlink", do_unlink, 1, "PATH"},
	{"rename", do_rename, 2, "FROM TO"},
	{"symlink", do_symlink, 2, "TARGET LINK"},
	{"link", do_link, 2, "FROM TO"},
	{"truncate", do_truncate, 2, "PATH BYTES"},
	{"chmod", do_chmod, 2, "MODE PATH"},
	{"chown", do_chown, 3, "UID GID PATH"},
	{"utimes", do_utimes, 1, "PATH"},
	{"mknod", do_mknod, 2, "PATH c|b|p|s [MAJOR MINOR]"},
	{"list", do_list, 1, "DIR"},
	{"open-by-handle", do_open_by_handle, 2, "MOUNT PATH"},
	{"proc-root", do_proc_root, 1, "PID"},
	{"race-symlink", do_race_symlink, 4, "PATH A B MS"},
	{NULL, NULL, 0, NULL},
};
