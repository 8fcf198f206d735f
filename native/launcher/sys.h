/*
 * System calls that the C libraries in use don't wrap, or wrap in headers that clash with the kernel's. All are raw: the launcher
 * needs Linux 5.12 (mount_setattr), and says ENOSYS where it finds less.
 */
#ifndef RAUHA_SYS_H
#define RAUHA_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UMOUNT_DETACH	    2
#define PROPAGATION_PRIVATE (1u << 18)

/**
 * sys_openat2 - openat2(2), again when a rename elsewhere disturbed the walk
 *
 * With RESOLVE_IN_ROOT the kernel answers EAGAIN when it can't be sure that a ".." stayed below the root.
 */
static inline int sys_openat2(int dir, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = {.flags = (uint32_t)flags | O_CLOEXEC, .resolve = resolve};
	long fd = -1;

	for (int tries = 0; tries < 64; tries++) {
		fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return (int)fd;
}

static inline int sys_open_tree(int dir, const char *path, unsigned int flags)
{
	return (int)syscall(SYS_open_tree, dir, path, flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
}

/** sys_move_mount - attaches the mount `tree` at what `dir` and `path` name; "" for `dir` itself */
static inline int sys_move_mount(int tree, int dir, const char *path)
{
	unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;

	return (int)syscall(SYS_move_mount, tree, "", dir, path, flags);
}

static inline int sys_mount_setattr(int dir, const char *path, unsigned int flags, struct mount_attr *attr)
{
	return (int)syscall(SYS_mount_setattr, dir, path, flags | AT_EMPTY_PATH, attr, sizeof(*attr));
}

static inline int sys_fsopen(const char *type)
{
	return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

static inline int sys_fsconfig(int fs, unsigned int command, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, fs, command, key, value, 0);
}

static inline int sys_fsmount(int fs, unsigned int attributes)
{
	return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes);
}

static inline int sys_pidfd_kill(int pidfd, int signal)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

static inline int sys_close_range(unsigned int first, unsigned int flags)
{
	return (int)syscall(SYS_close_range, first, ~0u, flags);
}

static inline int sys_capset(uint64_t mask, uint64_t inheritable)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (int half = 0; half < 2; half++) {
		data[half].effective = data[half].permitted = (uint32_t)(mask >> (32 * half));
		data[half].inheritable = (uint32_t)(inheritable >> (32 * half));
	}
	return (int)syscall(SYS_capset, &header, data);
}

#endif
