/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Execution: where a zone is armed, and whose programs it may run. */
#ifndef RAUHA_EXEC_BPF_H
#define RAUHA_EXEC_BPF_H

#include "owner.bpf.h"

/*
 * The zone's first execve(2) is that of its command, by its launcher: before the command's first instruction the zone is armed. Where it
 * is, the kernel says itself: nobody can have told it wrong.
 */
static __always_inline int arm(struct subject *s)
{
	struct task_struct *task = s->task;
	struct task_struct *parent = BPF_CORE_READ(task, real_parent);
	struct zone_record *zone = s->zone;
	const struct config_record *facts = config();
	struct super_block *root = BPF_CORE_READ(task, fs, root.mnt, mnt_sb);
	__u32 device = BPF_CORE_READ(root, s_dev);
	__u32 mounts = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);

	if (!facts)
		return -1;
	zone->mount_ns = mounts;
	zone->user_ns = BPF_CORE_READ(task, nsproxy, mnt_ns, user_ns, ns.inum);
	zone->network_ns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	/* Init is in the zone as well; any other parent is nobody to spare. */
	if (zone_of_task(parent) == s->id)
		zone->init = (__u32)BPF_CORE_READ(parent, tgid);
	if (mounts != facts->host_mntns && bpf_map_update_elem(&rauha_mounts, &mounts, &s->id, BPF_ANY) < 0)
		return -1;
	/* A root that was mounted in the zone's own user namespace is the zone's: the host's never is. */
	if (zone->user_ns != facts->host_userns && BPF_CORE_READ(root, s_user_ns, ns.inum) == zone->user_ns) {
		zone->root_device = device;
		if (bpf_map_update_elem(&rauha_devices, &device, &s->id, BPF_ANY) < 0)
			return -1;
	}
	zone->armed = 1;
	return 0;
}

SEC("lsm/bprm_check_security")
int BPF_PROG(rauha_bprm_check, struct linux_binprm *bprm, int ret)
{
	struct finding found;
	struct subject s;

	if (ret || !find_subject(&s))
		return ret;
	if (!s.zone->armed && arm(&s) < 0) {
		found = (struct finding){.reason = WHY_LOOKUP_FAILED};
		return deny_file(&s, HOOK_BPRM_CHECK_SECURITY, &found, bprm->file);
	}
	if (may_reach(&s, bprm->file->f_path.mnt, &found))
		return allow(HOOK_BPRM_CHECK_SECURITY);
	return deny_file(&s, HOOK_BPRM_CHECK_SECURITY, &found, bprm->file);
}

#endif
