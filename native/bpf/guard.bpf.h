/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What re-arms a zone, or disarms Rauha: BPF, mounts, modules, profiling. */
#ifndef RAUHA_GUARD_BPF_H
#define RAUHA_GUARD_BPF_H

#include "verdict.bpf.h"

static __always_inline int check_never(int ret, __u32 hook, __u64 number)
{
	struct subject s;

	if (ret || !is_subject(&s))
		return ret;
	return deny_number(&s, hook, WHY_NEVER, 0, number);
}

static __always_inline int check_mount(int ret, __u32 hook)
{
	struct subject s;

	if (ret || !is_subject(&s))
		return ret;
	ret = check_policy(&s, hook, POLICY_MOUNTS, 0);
	return ret ? ret : allow(hook);
}

/* All of bpf(2): what is pinned, and any new program. */
SEC("lsm/bpf")
int BPF_PROG(rauha_bpf, int command, void *attributes, unsigned int size, int ret)
{
	return check_never(ret, HOOK_BPF, (__u64)(__u32)command);
}

SEC("lsm/sb_mount")
int BPF_PROG(rauha_sb_mount, const char *device, const struct path *path, const char *type, unsigned long flags,
	     void *data, int ret)
{
	return check_mount(ret, HOOK_SB_MOUNT);
}

SEC("lsm/move_mount")
int BPF_PROG(rauha_move_mount, const struct path *from, const struct path *to, int ret)
{
	return check_mount(ret, HOOK_MOVE_MOUNT);
}

SEC("lsm/sb_umount")
int BPF_PROG(rauha_sb_umount, struct vfsmount *mnt, int flags, int ret)
{
	return check_mount(ret, HOOK_SB_UMOUNT);
}

SEC("lsm/sb_remount")
int BPF_PROG(rauha_sb_remount, struct super_block *sb, void *options, int ret)
{
	return check_mount(ret, HOOK_SB_REMOUNT);
}

SEC("lsm/sb_pivotroot")
int BPF_PROG(rauha_pivotroot, const struct path *old, const struct path *new, int ret)
{
	return check_mount(ret, HOOK_SB_PIVOTROOT);
}

SEC("lsm/kernel_read_file")
int BPF_PROG(rauha_read_file, struct file *file, int id, bool contents, int ret)
{
	return check_never(ret, HOOK_KERNEL_READ_FILE, (__u64)(__u32)id);
}

SEC("lsm/kernel_load_data")
int BPF_PROG(rauha_load_data, int id, bool contents, int ret)
{
	return check_never(ret, HOOK_KERNEL_LOAD_DATA, (__u64)(__u32)id);
}

/* A socket of a rare kind must not pull a module in. */
SEC("lsm/kernel_module_request")
int BPF_PROG(rauha_module_request, char *name, int ret)
{
	struct subject s;

	if (ret || !is_subject(&s))
		return ret;
	return deny_name(&s, HOOK_KERNEL_MODULE_REQUEST, WHY_NEVER, name, -EPERM);
}

SEC("lsm/perf_event_open")
int BPF_PROG(rauha_perf, struct perf_event_attr *attributes, int type, int ret)
{
	return check_never(ret, HOOK_PERF_EVENT_OPEN, (__u64)(__u32)type);
}

#endif
