/* The zone's tree, op by op, in the plan's order; init at work before and after the pivot. */
#include "launcher.h"

/** attributes_of - the mount attributes that an op's flags ask for; nosuid always */
unsigned int attributes_of(uint32_t flags)
{
	return MOUNT_ATTR_NOSUID | (flags & MOUNT_READ_ONLY ? MOUNT_ATTR_RDONLY : 0u) |
	       (flags & MOUNT_NO_EXEC ? MOUNT_ATTR_NOEXEC : 0u) | (flags & MOUNT_DEV ? 0u : MOUNT_ATTR_NODEV);
}

/**
 * tree_copy - a copy of the mount at `dir` and `path`, in no namespace yet, with these attributes
 *
 * `flags` is 0, or AT_RECURSIVE for all that is mounted below as well. Private: a copy of a shared mount would pass on to the host what
 * is mounted on it inside.
 */
int tree_copy(int dir, const char *path, unsigned int flags, uint64_t attributes, const char *detail, struct fault *f)
{
	struct mount_attr attr = {.attr_set = attributes, .propagation = PROPAGATION_PRIVATE};
	int tree = sys_open_tree(dir, path, flags);

	if (tree < 0)
		return fault(f, "open_tree", detail);
	if (sys_mount_setattr(tree, "", flags, &attr) == 0)
		return tree;
	fault(f, "mount_setattr", detail);
	close(tree);
	return -1;
}

/** tree_mount - mounts `tree` at a place of the zone, which is made if it is missing; -1 for what could not be copied */
int tree_mount(struct zone *z, int tree, const char *path, bool is_dir, struct fault *f)
{
	int target = tree < 0 ? -1 : target_make(z, path, is_dir, is_dir ? 0755 : 0444, f);

	return target < 0 ? -1 : target_attach(z, tree, target, path, is_dir, f);
}

/* `bind` and `mirror`. The source comes with its attributes set, while it is in no namespace: it is never visible with fewer. */
static int mount_bind(struct zone *z, const struct op *op, struct fault *f)
{
	/* bind and mirror have the same fields */
	const struct op_bind *bind = &op->u.bind;
	struct source source;

	if (source_next(z, op, &source, f) < 0)
		return -1;
	if (source.kind == SOURCE_SKIPPED)
		return 0;
	if (source.kind == SOURCE_LINK)
		return mount_symlink(z, source.link, bind->target, f);
	return tree_mount(z, source.fd, bind->target, source.is_dir, f);
}

static int mount_expect(struct zone *z, const struct op *op, struct fault *f)
{
	struct source source;

	if (source_next(z, op, &source, f) < 0)
		return -1;
	if (source.fd >= 0)
		close(source.fd);
	return 0;
}

static int mount_dir(struct zone *z, const struct op_dir *dir, struct fault *f)
{
	int fd = target_make(z, dir->target, true, dir->mode & 01777, f);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

/* One op of the stages mount, pivot and net. */
static int carry_out(struct zone *z, const struct op *op, struct fault *f)
{
	switch (op->id) {
	case OP_ROOT:
		return root_make(z, &op->u.root, f);
	case OP_BIND:
	case OP_MIRROR:
		return mount_bind(z, op, f);
	case OP_COPY:
		return mount_copy(z, op, f);
	case OP_EXPECT:
		return mount_expect(z, op, f);
	case OP_SCRATCH:
		return mount_scratch(z, &op->u.scratch, f);
	case OP_DIR:
		return mount_dir(z, &op->u.dir, f);
	case OP_SYMLINK:
		return mount_symlink(z, op->u.symlink.value, op->u.symlink.target, f);
	case OP_FILE:
		return mount_file(z, &op->u.file, f);
	case OP_SYSFS:
		/* It shows the network namespace of who mounts it. */
		if (network_join(z, f) < 0)
			return -1;
		return mount_kernel(z, op, f);
	case OP_PROC:
	case OP_DEVPTS:
		return mount_kernel(z, op, f);
	case OP_MASK:
		return mount_mask(z, op, f);
	case OP_READ_ONLY:
		return mount_read_only(z, op, f);
	case OP_OVERLAY:
		return mount_overlay(z, &op->u.overlay, f);
	case OP_DETACH:
		return mount_detach(z, &op->u.detach, f);
	case OP_LAYER:
		return mount_layer(z, op, f);
	case OP_IMAGE:
		return mount_image(z, &op->u.image, f);
	case OP_PIVOT:
		return root_pivot(z, &op->u.pivot, f);
	case OP_HOSTNAME:
		return hostname_set(z, op->u.hostname.name, f);
	default:
		return 0;
	}
}

/** zone_mount - carries out every op of the zone's view and surroundings; the loopback device is the task's work */
int zone_mount(struct zone *z, struct fault *f)
{
	for (const struct op *op = z->plan.ops; op < z->plan.ops + z->plan.count; op++) {
		uint32_t stage = plan_ops[op->id].stage;

		if (stage != STAGE_MOUNT && stage != STAGE_PIVOT && stage != STAGE_NET)
			continue;
		fault_at(f, &z->plan, op);
		if (carry_out(z, op, f) < 0)
			return -1;
	}
	return 0;
}
