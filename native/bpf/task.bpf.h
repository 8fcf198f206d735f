/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What one task does to another: signals, tracing, scheduling, limits. */
#ifndef RAUHA_TASK_BPF_H
#define RAUHA_TASK_BPF_H

#include "verdict.bpf.h"

#define PTRACE_MODE_ATTACH 2

static __always_inline int check_task(struct subject *s, __u32 hook, struct task_struct *target, __u64 number)
{
	__u64 other = zone_of_task(target);

	if (other == s->id || (other && may_contact(s, other)))
		return allow(hook);
	return deny_number(s, hook, other ? WHY_OTHER_ZONE : WHY_HOST, other, number);
}

SEC("lsm/task_kill")
int BPF_PROG(rauha_task_kill, struct task_struct *target, struct kernel_siginfo *info, int signal,
	     const struct cred *cred, int ret)
{
	struct subject s;

	if (ret || !is_subject(&s))
		return ret;
	return check_task(&s, HOOK_TASK_KILL, target, (__u64)(__u32)signal);
}

/* Also what looks into another process by /proc, process_vm_readv(2) or pidfd_getfd(2). */
SEC("lsm/ptrace_access_check")
int BPF_PROG(rauha_ptrace_check, struct task_struct *target, unsigned int mode, int ret)
{
	struct subject s;

	if (ret || !is_subject(&s))
		return ret;
	ret = check_policy(&s, HOOK_PTRACE_ACCESS_CHECK, mode & PTRACE_MODE_ATTACH ? POLICY_TRACING : 0, mode);
	return ret ? ret : check_task(&s, HOOK_PTRACE_ACCESS_CHECK, target, mode);
}

SEC("lsm/ptrace_traceme")
int BPF_PROG(rauha_ptrace_traceme, struct task_struct *parent, int ret)
{
	struct subject s;

	if (ret || !is_subject(&s))
		return ret;
	ret = check_policy(&s, HOOK_PTRACE_TRACEME, POLICY_TRACING, 0);
	return ret ? ret : check_task(&s, HOOK_PTRACE_TRACEME, parent, 0);
}

SEC("lsm/task_setscheduler")
int BPF_PROG(rauha_setscheduler, struct task_struct *target, int ret)
{
	struct subject s;

	if (ret || !is_subject(&s))
		return ret;
	return check_task(&s, HOOK_TASK_SETSCHEDULER, target, 0);
}

SEC("lsm/task_setnice")
int BPF_PROG(rauha_setnice, struct task_struct *target, int nice, int ret)
{
	struct subject s;

	if (ret || !is_subject(&s))
		return ret;
	return check_task(&s, HOOK_TASK_SETNICE, target, (__u64)(__u32)nice);
}

SEC("lsm/task_setrlimit")
int BPF_PROG(rauha_setrlimit, struct task_struct *target, unsigned int resource, void *limit, int ret)
{
	struct subject s;

	if (ret || !is_subject(&s))
		return ret;
	return check_task(&s, HOOK_TASK_PRLIMIT, target, resource);
}

#endif
