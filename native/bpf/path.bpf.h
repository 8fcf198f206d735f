/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What changes a directory tree without opening a file: also there the mount decides. These hooks exist where the kernel is built with
 * CONFIG_SECURITY_PATH.
 */
#ifndef RAUHA_PATH_BPF_H
#define RAUHA_PATH_BPF_H

#include "owner.bpf.h"

static __always_inline int check_path(int ret, const struct path *path, struct dentry *entry)
{
	struct event_record *event;
	struct finding found;
	struct subject s;

	if (ret || !is_subject(&s))
		return ret;
	if (may_reach(&s, BPF_CORE_READ(path, mnt), &found))
		return allow(HOOK_PATH_CHANGE);
	event = event_begin(&s, HOOK_PATH_CHANGE, found.reason, found.zone);
	if (event) {
		struct dentry *named = entry ? entry : BPF_CORE_READ(path, dentry);

		bpf_probe_read_kernel_str(event->object, sizeof(event->object), BPF_CORE_READ(named, d_name.name));
		event_end(event, OBJECT_NAME);
	}
	return -EACCES;
}

SEC("lsm/path_unlink")
int BPF_PROG(rauha_path_unlink, const struct path *dir, struct dentry *entry, int ret)
{
	return check_path(ret, dir, entry);
}

SEC("lsm/path_mkdir")
int BPF_PROG(rauha_path_mkdir, const struct path *dir, struct dentry *entry, unsigned short mode, int ret)
{
	return check_path(ret, dir, entry);
}

SEC("lsm/path_rmdir")
int BPF_PROG(rauha_path_rmdir, const struct path *dir, struct dentry *entry, int ret)
{
	return check_path(ret, dir, entry);
}

SEC("lsm/path_mknod")
int BPF_PROG(rauha_path_mknod, const struct path *dir, struct dentry *entry, unsigned short mode, unsigned int device,
	     int ret)
{
	return check_path(ret, dir, entry);
}

SEC("lsm/path_symlink")
int BPF_PROG(rauha_path_symlink, const struct path *dir, struct dentry *entry, const char *target, int ret)
{
	return check_path(ret, dir, entry);
}

SEC("lsm/path_link")
int BPF_PROG(rauha_path_link, struct dentry *old, const struct path *dir, struct dentry *entry, int ret)
{
	return check_path(ret, dir, entry);
}

/* Both directories are of one mount: the kernel allows no other rename. */
SEC("lsm/path_rename")
int BPF_PROG(rauha_path_rename, const struct path *from, struct dentry *entry, const struct path *to,
	     struct dentry *target, unsigned int flags, int ret)
{
	return check_path(ret, from, entry);
}

SEC("lsm/path_truncate")
int BPF_PROG(rauha_path_truncate, const struct path *path, int ret)
{
	return check_path(ret, path, NULL);
}

SEC("lsm/path_chmod")
int BPF_PROG(rauha_path_chmod, const struct path *path, unsigned short mode, int ret)
{
	return check_path(ret, path, NULL);
}

SEC("lsm/path_chown")
int BPF_PROG(rauha_path_chown, const struct path *path, unsigned long uid, unsigned long gid, int ret)
{
	return check_path(ret, path, NULL);
}

#endif
