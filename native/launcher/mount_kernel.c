/* What the kernel shows: its own file systems, made anew for the zone, and the parts of them that it must not see or change. */
#include "launcher.h"

#define TTY_GID 5u

/* A devpts instance always is a new one, since Linux 4.7. */
static int devpts_configure(const struct plan *plan, int fs)
{
	if (sys_fsconfig(fs, FSCONFIG_SET_STRING, "ptmxmode", "0666") < 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0620") < 0)
		return -1;
	return is_mapped(plan, OP_GID_MAP, TTY_GID, false) ? sys_fsconfig(fs, FSCONFIG_SET_STRING, "gid", "5") : 0;
}

/**
 * mount_kernel - `proc`, `sysfs`, `devpts`: a new instance of the zone's namespaces
 *
 * In a user namespace the kernel gives a procfs only while an unobstructed one can be seen in the mount namespace: the reason why
 * this comes before the pivot, and what EPERM means here (inside most containers, parts of /proc are covered).
 */
int mount_kernel(struct zone *z, const struct op *op, struct fault *f)
{
	/* the three have the same field */
	const char *path = op->u.proc.target;
	const char *type = plan_ops[op->id].name;
	unsigned int attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
	int fs = sys_fsopen(type);
	int tree;

	if (fs < 0)
		return fault(f, "fsopen", type);
	if (op->id == OP_DEVPTS && devpts_configure(&z->plan, fs) < 0)
		return fault(f, "fsconfig", type);
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
		return fault(f, "fsconfig(create)", type);
	if (op->id != OP_DEVPTS)
		attributes |= MOUNT_ATTR_NODEV;
	if (op->id == OP_SYSFS)
		attributes |= MOUNT_ATTR_RDONLY;
	tree = sys_fsmount(fs, attributes);
	if (tree < 0)
		return fault(f, "fsmount", type);
	close(fs);
	return tree_mount(z, tree, path, true, f);
}

/* What is at a path that has to be in the zone already; -2 when it is not and need not be. */
static int find_or_skip(struct zone *z, const struct op *op, const char *path, uint32_t flags, struct fault *f)
{
	int target = target_find(z, path);

	if (target >= 0)
		return target;
	if (!(flags & MOUNT_OPTIONAL) || (errno != ENOENT && errno != ENOTDIR))
		return fault(f, "openat2", path);
	report_skipped(z, op, errno, "openat2");
	return -2;
}

/** mount_mask - `mask`: hides a path under an empty, read-only directory or file of the store */
int mount_mask(struct zone *z, const struct op *op, struct fault *f)
{
	const char *path = op->u.mask.target;
	int target = find_or_skip(z, op, path, op->u.mask.flags, f);
	struct stat status;
	bool is_dir;
	int tree;

	if (target < 0)
		return target == -2 ? 0 : -1;
	if (fstat(target, &status) < 0)
		return fault(f, "fstat", path);
	is_dir = S_ISDIR(status.st_mode);
	tree = tree_copy(z->store, is_dir ? "empty-dir" : "empty-file", 0,
			 attributes_of(MOUNT_READ_ONLY | MOUNT_NO_EXEC), path, f);
	return tree < 0 ? -1 : target_attach(z, tree, target, path, is_dir, f);
}

/**
 * mount_read_only - `read_only`: binds what is at a path on itself, with all below it, and takes write access from the copy
 *
 * With MOUNT_EXPECT_FILE a directory is left as it is.
 */
int mount_read_only(struct zone *z, const struct op *op, struct fault *f)
{
	const char *path = op->u.read_only.target;
	int target = find_or_skip(z, op, path, op->u.read_only.flags, f);
	struct stat status;
	int tree;

	if (target < 0)
		return target == -2 ? 0 : -1;
	if (fstat(target, &status) < 0)
		return fault(f, "fstat", path);
	if ((op->u.read_only.flags & MOUNT_EXPECT_FILE) && S_ISDIR(status.st_mode)) {
		close(target);
		return 0;
	}
	tree = tree_copy(target, "", AT_RECURSIVE, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, path, f);
	return tree < 0 ? -1 : target_attach(z, tree, target, path, true, f);
}
