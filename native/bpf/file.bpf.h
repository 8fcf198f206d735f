/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Hooks on files: opening, mapping, receiving, and the cgroup file systems. */
#ifndef RAUHA_FILE_BPF_H
#define RAUHA_FILE_BPF_H

#include "owner.bpf.h"

#define CGROUP_SUPER_MAGIC  0x27e0eb
#define CGROUP2_SUPER_MAGIC 0x63677270
#define FMODE_WRITE	    2
#define CGROUP_DEPTH	    32

/*
 * The cgroup tree: a zoned task may write below its own cgroup, and its own cgroup's member files; nothing else, since the rest is other
 * cgroups and its own limits. It comes before rauha_file_open, so that the denial says what it is about.
 */
static __always_inline struct kernfs_node *parent_of(struct kernfs_node *node)
{
	struct kernfs_node___since_6_15 *now = (void *)node;

	if (bpf_core_field_exists(now->__parent))
		return BPF_CORE_READ(now, __parent);
	return BPF_CORE_READ(node, parent);
}

static __always_inline bool is_member_file(struct file *file)
{
	char name[16] = {};

	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	return bpf_strncmp(name, 13, "cgroup.procs") == 0 || bpf_strncmp(name, 15, "cgroup.threads") == 0;
}

static __always_inline bool may_write_cgroup(struct subject *s, struct file *file, unsigned long magic)
{
	struct dentry *directory = BPF_CORE_READ(file, f_path.dentry, d_parent);
	struct kernfs_node *node = BPF_CORE_READ(directory, d_inode, i_private);

	if (magic != CGROUP2_SUPER_MAGIC)
		return false;
	for (int depth = 0; depth < CGROUP_DEPTH && node; depth++) {
		if (BPF_CORE_READ(node, id) == s->id)
			return depth > 0 || is_member_file(file);
		node = parent_of(node);
	}
	return false;
}

SEC("lsm/file_open")
int BPF_PROG(rauha_cgroup_lock, struct file *file, int ret)
{
	struct finding found = {.reason = WHY_CGROUP};
	unsigned long magic;
	struct subject s;

	if (ret || !(file->f_mode & FMODE_WRITE))
		return ret;
	magic = file->f_inode->i_sb->s_magic;
	if ((magic != CGROUP2_SUPER_MAGIC && magic != CGROUP_SUPER_MAGIC) || !is_subject(&s))
		return 0;
	if (may_write_cgroup(&s, file, magic))
		return allow(HOOK_CGROUP_LOCK);
	return deny_file(&s, HOOK_CGROUP_LOCK, &found, file);
}

SEC("lsm/file_open")
int BPF_PROG(rauha_file_open, struct file *file, int ret)
{
	struct subject s;

	if (ret || !is_subject(&s))
		return ret;
	return check_file(&s, HOOK_FILE_OPEN, file);
}

SEC("lsm/mmap_file")
int BPF_PROG(rauha_mmap_file, struct file *file, unsigned long reqprot, unsigned long prot, unsigned long flags,
	     int ret)
{
	struct subject s;

	if (ret || !file || !is_subject(&s))
		return ret;
	return check_file(&s, HOOK_MMAP_FILE, file);
}

/* A descriptor that comes over a socket or out of another process. */
SEC("lsm/file_receive")
int BPF_PROG(rauha_file_receive, struct file *file, int ret)
{
	struct subject s;

	if (ret || !is_subject(&s))
		return ret;
	return check_file(&s, HOOK_FILE_RECEIVE, file);
}

#endif
