/* What the zone has of its own on the root tmpfs: files, symlinks, scratch directories. */
#include "launcher.h"

#define COPY_MAX (1u << 20)

/* Creates a new file; its parents are made where they are missing. */
static int file_make(struct zone *z, const char *path, uint32_t mode, struct fault *f)
{
	const char *name;
	int parent = target_parent(z, path, &name, f);
	int fd;

	if (parent < 0)
		return -1;
	if (!z->parent_is_ours)
		return fault_with(f, EROFS, "make target in a tree of the host", path);
	/* What an image has of that name (hosts, resolv.conf; a symlink, at times) gives way. */
	if (z->has_image && unlinkat(parent, name, 0) < 0 && errno != ENOENT)
		return fault(f, "unlinkat", path);
	fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, (mode_t)mode & 0777);
	return fd < 0 ? fault(f, "openat", path) : fd;
}

static int write_whole(int fd, const uint8_t *data, size_t size)
{
	while (size > 0) {
		ssize_t done = write(fd, data, size);

		if (done < 0)
			return -1;
		data += done;
		size -= (size_t)done;
	}
	return 0;
}

/* At most COPY_MAX bytes from one file to the other. */
static int copy_content(int from, int to)
{
	static uint8_t buffer[32768];
	size_t copied = 0;

	for (;;) {
		ssize_t got = read(from, buffer, sizeof(buffer));

		if (got <= 0)
			return (int)got;
		copied += (size_t)got;
		if (copied > COPY_MAX) {
			errno = EFBIG;
			return -1;
		}
		if (write_whole(to, buffer, (size_t)got) < 0)
			return -1;
	}
}

/** mount_copy - `copy`: a small file of the host, as the zone's own */
int mount_copy(struct zone *z, const struct op *op, struct fault *f)
{
	const struct op_copy *copy = &op->u.copy;
	struct source source;
	int status;
	int to;

	if (source_next(z, op, &source, f) < 0)
		return -1;
	if (source.kind == SOURCE_SKIPPED)
		return 0;
	to = file_make(z, copy->target, copy->mode, f);
	if (to < 0)
		return -1;
	status = copy_content(source.fd, to);
	if (status < 0)
		fault(f, "copy", copy->source);
	close(source.fd);
	close(to);
	return status;
}

/** mount_file - `file`: content that the plan brings along */
int mount_file(struct zone *z, const struct op_file *file, struct fault *f)
{
	int fd = file_make(z, file->target, file->mode, f);
	int status;

	if (fd < 0)
		return -1;
	status = write_whole(fd, file->content.data, file->content.size);
	if (status < 0)
		fault(f, "write", file->target);
	close(fd);
	return status;
}

int mount_symlink(struct zone *z, const char *value, const char *target, struct fault *f)
{
	const char *name;
	int parent = target_parent(z, target, &name, f);

	if (parent < 0)
		return -1;
	if (!z->parent_is_ours)
		return fault_with(f, EROFS, "make target in a tree of the host", target);
	return symlinkat(value, parent, name) < 0 ? fault(f, "symlinkat", target) : 0;
}

/**
 * mount_scratch - `scratch`: a writable directory
 *
 * It is a numbered directory of the store, bound to its place: so it shares the root's quota, stays writable when the root does not,
 * and can stand in a tree of the host's (`--tmpfs /src/build`) where nothing of it is seen.
 */
int mount_scratch(struct zone *z, const struct op_scratch *scratch, struct fault *f)
{
	char name[24];

	text_number(name, name + sizeof(name), z->scratches++);
	if (mkdirat(z->store, name, scratch->mode & 01777) < 0)
		return fault(f, "mkdirat", scratch->target);
	return tree_mount(z, tree_copy(z->store, name, 0, attributes_of(scratch->flags), scratch->target, f),
			  scratch->target, true, f);
}
