/* Verbs that change what is mounted, or which namespaces one is in. */
#include "probe.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int mount(const char *, const char *, const char *, unsigned long, const void *);
int umount2(const char *, int);

#define FLAG_RDONLY  1UL
#define FLAG_NOSUID  2UL
#define FLAG_REMOUNT 32UL
#define FLAG_BIND    4096UL
#define FLAG_MOVE    8192UL
#define FLAG_REC     16384UL
#define FLAG_PRIVATE (1UL << 18)
#define FLAG_SHARED  (1UL << 20)

static const struct bit_name mount_flags[] = {
	{"ro", FLAG_RDONLY},	   {"nosuid", FLAG_NOSUID}, {"remount", FLAG_REMOUNT},
	{"bind", FLAG_BIND},	   {"move", FLAG_MOVE},	    {"rec", FLAG_REC},
	{"private", FLAG_PRIVATE}, {"shared", FLAG_SHARED}, {NULL, 0},
};

static const struct bit_name clone_flags[] = {
	{"user", CLONE_NEWUSER},     {"mount", CLONE_NEWNS}, {"pid", CLONE_NEWPID},
	{"net", CLONE_NEWNET},	     {"ipc", CLONE_NEWIPC},  {"uts", CLONE_NEWUTS},
	{"cgroup", CLONE_NEWCGROUP}, {"time", 0x80},	     {NULL, 0},
};

/* mount SOURCE TARGET TYPE [FLAGS] [DATA] */
static int do_mount(int argc, char **argv, struct answer *a)
{
	unsigned long flags = argc > 4 ? (unsigned long)bits_of(argv[4], mount_flags) : 0;

	(void)a;
	TRY(mount(argv[1], argv[2], argv[3], flags, argc > 5 ? argv[5] : NULL));
	return 0;
}

static int do_umount(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	TRY(umount2(argv[1], 2 /* MNT_DETACH */));
	return 0;
}

static int do_pivot(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	TRY(syscall(SYS_pivot_root, argv[1], argv[2]));
	return 0;
}

static int do_chroot(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	TRY(chroot(argv[1]));
	return 0;
}

static int do_unshare(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	TRY(unshare((int)bits_of(argv[1], clone_flags)));
	return 0;
}

/* After a clone: the child is gone at once, and its parent says that there was one. */
static int child_ends(long pid, struct answer *a)
{
	if (pid == 0)
		_exit(0);
	TRY(pid);
	TRY(waitpid((pid_t)pid, NULL, 0));
	say(a, "child");
	return 0;
}

/* clone3 FLAGS: the child ends at once */
static int do_clone3(int argc, char **argv, struct answer *a)
{
	struct clone_args args = {.flags = bits_of(argv[1], clone_flags), .exit_signal = SIGCHLD};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	(void)argc;
	return child_ends(pid, a);
}

/* clone-raw FLAGS: by clone(2), whose flags a filter can see */
static int do_clone_raw(int argc, char **argv, struct answer *a)
{
	long pid = syscall(SYS_clone, bits_of(argv[1], clone_flags) | SIGCHLD, 0, 0, 0, 0);

	(void)argc;
	return child_ends(pid, a);
}

static int do_setns(int argc, char **argv, struct answer *a)
{
	int fd = open(argv[1], O_RDONLY);

	(void)argc;
	if (fd < 0) {
		say(a, "open");
		return errno;
	}
	TRY(setns(fd, 0));
	return 0;
}

/* The mount calls of Linux 5.2 and later, which a filter that only knows mount(2) forgets. */
static int do_fsopen(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	TRY(syscall(SYS_fsopen, argv[1], 0));
	return 0;
}

static int do_open_tree(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	TRY(syscall(SYS_open_tree, AT_FDCWD, argv[1], OPEN_TREE_CLONE));
	return 0;
}

static int do_move_mount(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	TRY(syscall(SYS_move_mount, AT_FDCWD, argv[1], AT_FDCWD, argv[2], 0));
	return 0;
}

/* mount-setattr PATH: takes the read-only attribute away */
static int do_mount_setattr(int argc, char **argv, struct answer *a)
{
	struct mount_attr attributes = {.attr_clr = MOUNT_ATTR_RDONLY};

	(void)argc;
	(void)a;
	TRY(syscall(SYS_mount_setattr, AT_FDCWD, argv[1], 0, &attributes, sizeof(attributes)));
	return 0;
}

const struct verb mount_verbs[] = {
	{"mount", do_mount, 3, "SOURCE TARGET TYPE [FLAGS] [DATA]"},
	{"umount", do_umount, 1, "PATH"},
	{"pivot", do_pivot, 2, "NEW OLD"},
	{"chroot", do_chroot, 1, "DIR"},
	{"unshare", do_unshare, 1, "FLAGS"},
	{"clone3", do_clone3, 1, "FLAGS"},
	{"clone-raw", do_clone_raw, 1, "FLAGS"},
	{"setns", do_setns, 1, "PATH"},
	{"fsopen", do_fsopen, 1, "TYPE"},
	{"open-tree", do_open_tree, 1, "PATH"},
	{"move-mount", do_move_mount, 2, "FROM TO"},
	{"mount-setattr", do_mount_setattr, 1, "PATH"},
	{NULL, NULL, 0, NULL},
};
