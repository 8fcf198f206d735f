/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Privilege: the policy's mask of capabilities, and user namespaces. */
#ifndef RAUHA_CAPABLE_BPF_H
#define RAUHA_CAPABLE_BPF_H

#include "verdict.bpf.h"

/*
 * Asked only about capabilities that the task holds: the kernel's own check comes first. While the kernel acts in another's name
 * (overlayfs as who mounted it), `cred` is not the task's, and the mask not meant.
 */
SEC("lsm/capable")
int BPF_PROG(rauha_capable, const struct cred *cred, struct user_namespace *ns, int capability, unsigned int options,
	     int ret)
{
	const struct policy_record *policy;
	struct subject s;

	if (ret || !is_subject(&s) || s.task->cred != s.task->real_cred)
		return ret;
	policy = policy_of(&s);
	if (!policy)
		return deny_number(&s, HOOK_CAPABLE, WHY_LOOKUP_FAILED, 0, (__u64)(__u32)capability);
	if (policy->capabilities & (1ull << (capability & 63)))
		return allow(HOOK_CAPABLE);
	return deny_number(&s, HOOK_CAPABLE, WHY_CAPABILITY, 0, (__u64)(__u32)capability);
}

SEC("lsm/userns_create")
int BPF_PROG(rauha_userns_create, const struct cred *cred, int ret)
{
	struct subject s;

	if (ret || !is_subject(&s))
		return ret;
	ret = check_policy(&s, HOOK_USERNS_CREATE, POLICY_USER_NAMESPACES, 0);
	return ret ? ret : allow(HOOK_USERNS_CREATE);
}

#endif
