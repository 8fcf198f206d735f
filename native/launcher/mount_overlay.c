/* Copy-on-write directories: an overlayfs over what helper mounts of the same plan show, which then go out of sight. */
#include "launcher.h"

/* Paths of the mount's options are looked up from the current directory: the zone's root. */
static const char *relative(const char *path)
{
	return path[0] == '/' ? path + 1 : path;
}

/*
 * `userxattr` keeps overlayfs' notes in user.overlay.*, the only ones that a user namespace may write. `volatile` leaves out the
 * sync of the whole underlying file system when the zone ends: no file needs more care here than the same file without overlayfs.
 */
static int overlay_configure(int fs, const struct op_overlay *overlay)
{
	if (sys_fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL) < 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL) < 0)
		return -1;
	if (sys_fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir", relative(overlay->lower)) < 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "upperdir", relative(overlay->upper)) < 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "workdir", relative(overlay->work)) < 0)
		return -1;
	return sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
}

/** mount_overlay - `overlay`: the task sees `lower`, and what it changes is in `upper` */
int mount_overlay(struct zone *z, const struct op_overlay *overlay, struct fault *f)
{
	int fs = sys_fsopen("overlay");
	int tree;

	if (fs < 0)
		return fault(f, "fsopen", "overlay");
	if (fchdir(z->root) < 0)
		return fault(f, "fchdir", "/");
	if (overlay_configure(fs, overlay) < 0)
		return fault(f, "fsconfig", "overlay");
	tree = sys_fsmount(fs, attributes_of(overlay->flags));
	if (tree < 0)
		return fault(f, "fsmount", "overlay");
	close(fs);
	return tree_mount(z, tree, overlay->target, true, f);
}

/**
 * mount_detach - `detach`: takes a helper mount away
 *
 * What is mounted on top of it, like an overlayfs that reads it, holds a private copy and goes on.
 */
int mount_detach(struct zone *z, const struct op_detach *detach, struct fault *f)
{
	const char *path = relative(detach->target);

	if (fchdir(z->root) < 0)
		return fault(f, "fchdir", "/");
	if (syscall(SYS_umount2, path, UMOUNT_DETACH) < 0)
		return fault(f, "umount2", detach->target);
	return unlinkat(z->root, path, AT_REMOVEDIR) < 0 ? fault(f, "rmdir", detach->target) : 0;
}
