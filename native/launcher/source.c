/* Paths of the host that a zone shows: opened once, checked on what was opened, and mounted from there. */
#include "launcher.h"

/* What a source may be and how it is shown, for every kind of op that has one. */
struct wish {
	const char *path;
	uint32_t flags;
};

static struct wish wish_of(const struct op *op)
{
	if (op->id == OP_COPY)
		return (struct wish){op->u.copy.source, op->u.copy.flags};
	if (op->id == OP_EXPECT)
		return (struct wish){op->u.expect.source, op->u.expect.flags};
	/* bind, mirror and layer have the same fields */
	return (struct wish){op->u.bind.source, op->u.bind.flags};
}

/*
 * Ids first, on the whole tree. A file system that can't (procfs, FUSE, many network file systems) below one that can: where the plan
 * allows, the top alone; or nothing. What is left out is reported.
 */
static int map_ids(struct zone *z, const struct op *op, int tree, const struct wish *wish, struct fault *f)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)(uint32_t)z->user_ns};

	if (z->user_ns >= 0 && sys_mount_setattr(tree, "", AT_RECURSIVE, &attr) == 0)
		return 0;
	if (z->user_ns < 0)
		errno = EPERM;
	if (!(wish->flags & MOUNT_IDMAP_OPTIONAL))
		return fault(f, "mount_setattr(MOUNT_ATTR_IDMAP)", wish->path);
	if (z->user_ns >= 0 && sys_mount_setattr(tree, "", 0, &attr) == 0)
		report_skipped(z, op, EINVAL, "idmap of submounts");
	else
		report_skipped(z, op, errno, "idmap");
	return 0;
}

/*
 * The source's mount and all below it. Recursive, always: an ordinary user may not look under the mounts he inherited, so the kernel
 * refuses to copy one without its children.
 */
static int tree_make(struct zone *z, const struct op *op, int fd, const struct wish *wish, struct fault *f)
{
	int tree = tree_copy(fd, "", AT_RECURSIVE, attributes_of(wish->flags), wish->path, f);

	if (tree < 0 || !(wish->flags & MOUNT_IDMAP) || map_ids(z, op, tree, wish, f) == 0)
		return tree;
	close(tree);
	return -1;
}

/* From what was opened to what init needs; takes over `fd`. */
static int source_take(struct zone *z, const struct op *op, const struct wish *wish, int fd, struct source *s,
		       struct fault *f)
{
	struct stat status;

	s->fd = fd;
	s->kind = SOURCE_FILE;
	if (fstat(fd, &status) < 0)
		return fault(f, "fstat", wish->path);
	s->is_dir = S_ISDIR(status.st_mode);
	if ((wish->flags & MOUNT_EXPECT_SOCKET) && !S_ISSOCK(status.st_mode))
		return fault_with(f, ENOTSOCK, "openat2", wish->path);
	if ((wish->flags & MOUNT_EXPECT_DIR && !s->is_dir))
		return fault_with(f, ENOTDIR, "openat2", wish->path);
	if (s->is_dir && (wish->flags & MOUNT_EXPECT_FILE || op->id == OP_COPY))
		return fault_with(f, EISDIR, "openat2", wish->path);
	if (op->id == OP_COPY)
		return S_ISREG(status.st_mode) ? 0 : fault_with(f, EINVAL, "not a regular file", wish->path);
	if (op->id == OP_EXPECT)
		return 0;
	if (S_ISLNK(status.st_mode)) {
		ssize_t length = op->id == OP_MIRROR ? readlinkat(fd, "", s->link, sizeof(s->link) - 1) : -1;

		if (length < 0)
			return fault_with(f, op->id == OP_MIRROR ? errno : ELOOP, "readlinkat", wish->path);
		s->link[length] = '\0';
		s->kind = SOURCE_LINK;
		return 0;
	}
	s->kind = SOURCE_MOUNT;
	s->fd = tree_make(z, op, fd, wish, f);
	close(fd);
	return s->fd < 0 ? -1 : 0;
}

/**
 * source_open - opens what `bind`, `mirror`, `copy` and `expect` name on the host
 *
 * Without `followSource` no component may be a symlink, not only the last: the plan says which path it means, and a directory of an
 * earlier zone's that has become a symlink would lead anywhere. Paths that a user named may follow. Magic links never.
 * A missing source of an optional op is reported, and SOURCE_SKIPPED.
 */
int source_open(struct zone *z, const struct op *op, struct source *s, struct fault *f)
{
	const struct wish wish = wish_of(op);
	/* A FIFO or a terminal in a file's place must not stop us. */
	int flags = op->id == OP_COPY ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH;
	uint64_t resolve = RESOLVE_NO_MAGICLINKS;
	int fd;

	s->fd = -1;
	s->kind = SOURCE_SKIPPED;
	if (wish.path[0] != '/')
		return fault_with(f, EINVAL, "not an absolute path", wish.path);
	if (!(wish.flags & MOUNT_FOLLOW_SOURCE)) {
		flags |= O_NOFOLLOW;
		resolve |= RESOLVE_NO_SYMLINKS;
	}
	fd = sys_openat2(AT_FDCWD, wish.path, flags, resolve);
	if (fd >= 0) {
		if (source_take(z, op, &wish, fd, s, f) == 0)
			return 0;
		return -1;
	}
	if (!(wish.flags & MOUNT_OPTIONAL) || (errno != ENOENT && errno != ENOTDIR))
		return fault(f, "openat2", wish.path);
	report_skipped(z, op, errno, "openat2");
	return 0;
}
