/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Whose file: decided by the mount that it is reached through and the file system that it lies on, never by its path.
 *
 * A zone's file is one reached through its own mount tree. The kernel keeps for each mount the namespace that it is in; a file opened by
 * a descriptor that leaked in, through /proc/PID/root or any other magic link comes with the mount of where it was, so that all of these
 * are one case.
 */
#ifndef RAUHA_OWNER_BPF_H
#define RAUHA_OWNER_BPF_H

#include "verdict.bpf.h"

/* The namespace of mounts that the kernel makes for itself: pipes, memfds, namespaces, the layers of an overlay. ERR_PTR(-EINVAL). */
#define MOUNT_NS_INTERNAL ((const struct mnt_namespace *)-22L)
#define BPF_FS_MAGIC	  0xcafe4a11
/* User namespaces that a zone may nest are looked through to this depth. */
#define USER_NS_DEPTH 8

struct finding {
	__u32 reason;
	__u32 zero;
	__u64 zone; /* whose it is, where that is known */
};

static __always_inline const struct mnt_namespace *namespace_of(const struct vfsmount *mnt)
{
	const struct mount *mount = (const void *)((const char *)mnt - bpf_core_field_offset(struct mount, mnt));

	return BPF_CORE_READ(mount, mnt_ns);
}

/* Whether a namespace is owned by the zone's user namespace or one below it: made by the zone itself. */
static __always_inline bool is_made_by(const struct zone_record *zone, const struct mnt_namespace *ns)
{
	const struct config_record *facts = config();
	struct user_namespace *user_ns = BPF_CORE_READ(ns, user_ns);

	if (!facts || zone->user_ns == facts->host_userns)
		return false;
	for (int depth = 0; depth < USER_NS_DEPTH && user_ns; depth++) {
		if (BPF_CORE_READ(user_ns, ns.inum) == zone->user_ns)
			return true;
		user_ns = BPF_CORE_READ(user_ns, parent);
	}
	return false;
}

/* Looks at what is reached through this mount. True: it is the zone's, or it may be touched. */
static __always_inline bool may_reach(const struct subject *s, const struct vfsmount *mnt, struct finding *found)
{
	struct super_block *sb = BPF_CORE_READ(mnt, mnt_sb);
	const struct mnt_namespace *ns = namespace_of(mnt);
	__u32 device = BPF_CORE_READ(sb, s_dev);
	const __u64 *owner = bpf_map_lookup_elem(&rauha_devices, &device);
	__u32 inum;

	found->reason = WHY_NONE;
	found->zone = 0;
	if (BPF_CORE_READ(sb, s_magic) == BPF_FS_MAGIC) {
		found->reason = WHY_NEVER;
		return false;
	}
	if (owner && *owner != s->id && bpf_map_lookup_elem(&rauha_zones, owner)) {
		found->reason = WHY_OTHER_ZONE_FILE;
		found->zone = *owner;
		return may_contact(s, *owner);
	}
	if (ns == MOUNT_NS_INTERNAL)
		return true;
	if (ns) {
		inum = BPF_CORE_READ(ns, ns.inum);
		if (inum == s->zone->mount_ns || is_made_by(s->zone, ns))
			return true;
		owner = bpf_map_lookup_elem(&rauha_mounts, &inum);
		if (owner && *owner != s->id && bpf_map_lookup_elem(&rauha_zones, owner)) {
			found->reason = WHY_OTHER_ZONE_FILE;
			found->zone = *owner;
			return may_contact(s, *owner);
		}
	}
	found->reason = WHY_OUTSIDE_MOUNT_TREE;
	return false;
}

/* The kernel names the file where it can; a path that is too long is named by its last part. */
static __always_inline int deny_file(struct subject *s, __u32 hook, const struct finding *found, struct file *file)
{
	struct event_record *event = event_begin(s, hook, found->reason, found->zone);

	if (event) {
		__u32 kind = OBJECT_PATH;

		if (bpf_d_path(&file->f_path, (char *)event->object, sizeof(event->object)) < 0) {
			bpf_probe_read_kernel_str(event->object, sizeof(event->object),
						  BPF_CORE_READ(file, f_path.dentry, d_name.name));
			kind = OBJECT_NAME;
		}
		event_end(event, kind);
	}
	return -EACCES;
}

static __always_inline int check_file(struct subject *s, __u32 hook, struct file *file)
{
	struct finding found;

	if (may_reach(s, file->f_path.mnt, &found))
		return allow(hook);
	return deny_file(s, hook, &found, file);
}

#endif
