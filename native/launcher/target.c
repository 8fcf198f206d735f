/*
 * Places in the zone, always looked up from its root: a symlink there can't lead out. Missing ones are made, but only on the zone's
 * own tmpfs. Inside a tree of the host's a missing place is an error, because nothing may be littered on the host.
 */
#include "launcher.h"

/** target_find - what is at `path` in the zone, as an O_PATH descriptor */
int target_find(const struct zone *z, const char *path)
{
	return sys_openat2(z->root, path, O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

/* Every mount of the root tmpfs has its device number, and nothing else has; so have directories of the image's overlayfs theirs. */
static bool is_ours(const struct zone *z, int fd)
{
	struct place place;

	return place_of(fd, "", &place) == 0 &&
	       (place.device == z->root_place.device || place.device == z->store_device);
}

/* Makes one entry of a directory and opens it. */
static int entry_make(int parent, const char *name, bool is_dir, mode_t mode)
{
	int fd;

	if (is_dir)
		return mkdirat(parent, name, mode) < 0 ? -1 : openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
	if (fd < 0)
		return -1;
	close(fd);
	return openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

/* Opens a directory, component by component, making what is missing. `path` has no slash at its end. */
static int directories_make(struct zone *z, const char *path, struct fault *f)
{
	char part[PATH_MAX];
	const char *name = path + 1;
	int fd = fcntl(z->root, F_DUPFD_CLOEXEC, 0);

	while (fd >= 0 && *name) {
		const char *end = strchrnul(name, '/');
		int next;

		memcpy(part, path, (size_t)(end - path));
		part[end - path] = '\0';
		next = target_find(z, part);
		if (next < 0 && errno == ENOENT) {
			if (!is_ours(z, fd))
				errno = EROFS;
			else
				next = entry_make(fd, part + (name - path), true, 0755);
		}
		close(fd);
		fd = next;
		name = *end ? end + 1 : end;
	}
	return fd < 0 ? fault(f, errno == EROFS ? "make target in a tree of the host" : "mkdirat", path) : fd;
}

/**
 * target_parent - the directory that `path` is an entry of, and the entry's name
 *
 * The directory stays open for the next op, which mostly has the same one (all of /dev, all of /etc).
 */
int target_parent(struct zone *z, const char *path, const char **name, struct fault *f)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;
	char parent[PATH_MAX];

	if (path[0] != '/' || !slash || slash[1] == '\0' || length >= sizeof(parent))
		return fault_with(f, EINVAL, "target", path);
	*name = slash + 1;
	memcpy(parent, path, length);
	parent[length] = '\0';
	if (z->parent >= 0 && strcmp(parent, z->parent_path) == 0)
		return z->parent;
	if (z->parent >= 0)
		close(z->parent);
	z->parent = length == 0 ? target_find(z, "/") : target_find(z, parent);
	if (z->parent < 0 && errno == ENOENT)
		z->parent = directories_make(z, parent, f);
	else if (z->parent < 0)
		fault(f, "openat2", parent);
	if (z->parent < 0)
		return -1;
	memcpy(z->parent_path, parent, length + 1);
	z->parent_is_ours = is_ours(z, z->parent);
	return z->parent;
}

/** target_make - opens `path` in the zone (O_PATH), after making it a directory or an empty file if it is missing */
int target_make(struct zone *z, const char *path, bool is_dir, mode_t mode, struct fault *f)
{
	const char *name;
	int parent = target_parent(z, path, &name, f);
	int fd;

	if (parent < 0)
		return -1;
	/* Most targets are new: making one first saves a look-up in vain. */
	if (z->parent_is_ours) {
		fd = entry_make(parent, name, is_dir, mode);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST && errno != EROFS)
			return fault(f, is_dir ? "mkdirat" : "openat", path);
	}
	fd = target_find(z, path);
	if (fd < 0)
		return fault(f, errno == ENOENT ? "make target in a tree of the host" : "openat2", path);
	return fd;
}

/** target_attach - mounts `tree` on `target`, which is at `path`; closes both */
int target_attach(struct zone *z, int tree, int target, const char *path, bool is_dir, struct fault *f)
{
	int status = sys_move_mount(tree, target, "") < 0 ? fault(f, "move_mount", path) : 0;

	close(tree);
	close(target);
	/* A mounted directory may hide the one kept open. */
	if (is_dir && z->parent >= 0) {
		close(z->parent);
		z->parent = -1;
	}
	return status;
}
