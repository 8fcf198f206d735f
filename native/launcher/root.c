/* The zone's root: first thing mounted, last thing closed. */
#include "launcher.h"

/** place_of - which directory a path leads to; "" for `dir` itself */
int place_of(int dir, const char *path, struct place *place)
{
	struct stat status;

	if (fstatat(dir, path, &status, AT_EMPTY_PATH) < 0)
		return -1;
	*place = (struct place){status.st_dev, status.st_ino};
	return 0;
}

/* The store: one tmpfs with the quota of everything that the zone can write in memory. */
static int store_make(const struct op_root *root, struct fault *f)
{
	char size[24];
	char inodes[24];
	int store;
	int fs = sys_fsopen("tmpfs");

	if (fs < 0)
		return fault(f, "fsopen", "tmpfs");
	text_number(size, size + sizeof(size), root->size);
	text_number(inodes, inodes + sizeof(inodes), root->inodes);
	if (sys_fsconfig(fs, FSCONFIG_SET_STRING, "size", size) < 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", inodes) < 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755") < 0 ||
	    sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
		return fault(f, "fsconfig", "tmpfs");
	store = sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (store < 0)
		return fault(f, "fsmount", "tmpfs");
	close(fs);
	return store;
}

/**
 * root_make - `root`: mounts the store, and in it the directory that becomes the zone's root
 *
 * Both are mounted on the host's /proc/fs, in init's own mount namespace: it is always there, nobody wants to see it in a zone, and it
 * is not the top of the old root, where they would be in the pivot's way. The zone sees only the directory; scratch directories and
 * masks are other directories of the store. All mounts were made private before, so that the host sees none of this.
 */
int root_make(struct zone *z, const struct op_root *root, struct fault *f)
{
	int empty;

	z->store = store_make(root, f);
	if (z->store < 0)
		return -1;
	if (sys_move_mount(z->store, AT_FDCWD, "/proc/fs") < 0)
		return fault(f, "move_mount", "/proc/fs");
	if (mkdirat(z->store, "root", 0755) < 0 || mkdirat(z->store, "empty-dir", 0555) < 0)
		return fault(f, "mkdirat", "tmpfs");
	empty = openat(z->store, "empty-file", O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0444);
	if (empty < 0)
		return fault(f, "openat", "tmpfs");
	close(empty);
	z->root = sys_open_tree(z->store, "root", 0);
	if (z->root < 0 || place_of(z->root, "", &z->root_place) < 0)
		return fault(f, "open_tree", "tmpfs");
	z->store_device = z->root_place.device;
	return sys_move_mount(z->root, AT_FDCWD, "/proc/fs") < 0 ? fault(f, "move_mount", "/proc/fs") : 0;
}

/**
 * root_pivot - `pivot`: the zone's root becomes the root, and the host's tree goes
 *
 * pivot_root(".", ".") stacks the old root on the new one, where umount finds it: no directory is needed for it. Detached,
 * not unmounted: our own program is still in use there, and the store is mounted in it. If anything of the old tree were left on the
 * stack, ".." of the root would lead there; so that is looked at, not assumed.
 */
int root_pivot(struct zone *z, const struct op_pivot *pivot, struct fault *f)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	struct place above;

	if (fchdir(z->root) < 0)
		return fault(f, "fchdir", "/");
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return fault(f, "pivot_root", NULL);
	if (syscall(SYS_umount2, ".", UMOUNT_DETACH) < 0)
		return fault(f, "umount2", NULL);
	if (chdir("/") < 0)
		return fault(f, "chdir", "/");
	if (place_of(AT_FDCWD, "/..", &above) < 0)
		return fault(f, "fstatat", "/..");
	if (above.device != z->root_place.device || above.inode != z->root_place.inode)
		return fault_with(f, EXDEV, "pivot_root", "the host's tree is still there");
	/* This mount alone: scratch directories are others. Last, since targets were made on it until now. */
	if (pivot->read_only_root && sys_mount_setattr(z->root, "", 0, &attr) < 0)
		return fault(f, "mount_setattr", "/");
	return 0;
}
