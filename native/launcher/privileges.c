/*
 * Who the task is and what it may do. Half a loss of privilege is worse than none, since the rest relies on it: any failure here is
 * the end of the task.
 */
#include "launcher.h"
#include <grp.h>
#include <stdlib.h>

/**
 * bounding_set_drop - leaves the plan's mask in the bounding set
 *
 * First of all, since a change of ids takes CAP_SETPCAP out of the effective set. Whatever a file's capabilities or uid 0 would give at
 * an exec ends at the bounding set, which is why no securebits are needed on top.
 */
int bounding_set_drop(struct zone *z, struct fault *f)
{
	const struct op *op = z->plan.only[OP_CAPABILITIES];

	fault_at(f, &z->plan, op);
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (op->u.capabilities.mask >> cap & 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL && cap > CAP_SETPCAP)
			break; /* the kernel has no more */
		return fault(f, "prctl(PR_CAPBSET_DROP)", NULL);
	}
	return 0;
}

static int groups_take(const struct strs *groups, struct fault *f)
{
	gid_t ids[64];

	if (groups->count > sizeof(ids) / sizeof(ids[0]))
		return fault_with(f, E2BIG, "setgroups", NULL);
	for (uint32_t i = 0; i < groups->count; i++)
		ids[i] = (gid_t)strtoul(groups->items[i], NULL, 10);
	return setgroups(groups->count, ids) < 0 ? fault(f, "setgroups", NULL) : 0;
}

/**
 * identity_take - umask, groups, gid, uid: in this order, as each takes away the right to change the ones before
 *
 * KEEPCAPS: a change from uid 0 to another one would drop the capabilities that the policy grants; what is too many goes next, in
 * capabilities_drop. Raw system calls: C libraries would look for threads to change as well.
 */
int identity_take(struct zone *z, struct fault *f)
{
	const struct op *op = z->plan.only[OP_IDENTITY];
	const struct op_identity *identity = &op->u.identity;

	fault_at(f, &z->plan, op);
	umask((mode_t)identity->umask & 0777);
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return fault(f, "prctl(PR_SET_KEEPCAPS)", NULL);
	if ((identity->flags & IDENTITY_SETGROUPS) && groups_take(&identity->groups, f) < 0)
		return -1;
	if (syscall(SYS_setresgid, identity->gid, identity->gid, identity->gid) < 0)
		return fault(f, "setresgid", NULL);
	if (syscall(SYS_setresuid, identity->uid, identity->uid, identity->uid) < 0)
		return fault(f, "setresuid", NULL);
	return 0;
}

/**
 * capabilities_drop - all sets but the bounding one become the plan's mask
 *
 * no_new_privs before anything of the user's runs. The ambient set last: it may hold only what is permitted and inheritable; it is
 * what carries capabilities through the exec of a task that is not uid 0.
 */
int capabilities_drop(struct zone *z, struct fault *f)
{
	const struct op *op = z->plan.only[OP_CAPABILITIES];
	uint64_t mask = op->u.capabilities.mask;

	fault_at(f, &z->plan, op);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fault(f, "prctl(PR_SET_NO_NEW_PRIVS)", NULL);
	if (sys_capset(mask, mask) < 0)
		return fault(f, "capset", NULL);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return fault(f, "prctl(PR_CAP_AMBIENT)", NULL);
	for (unsigned long cap = 0; cap < 64; cap++) {
		if ((mask >> cap & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return fault(f, "prctl(PR_CAP_AMBIENT)", NULL);
	}
	return 0;
}

/**
 * init_privileges_drop - leaves init next to nothing
 *
 * It keeps CAP_KILL, to signal a task of another uid, and to watch memory CAP_SYS_PTRACE, without which the kernel hides how much of
 * a process's memory is shared. To hold a capability that the task lacks also keeps the task from tracing init.
 */
int init_privileges_drop(bool watches)
{
	uint64_t mask = 1ull << CAP_KILL;

	if (watches)
		mask |= 1ull << CAP_SYS_PTRACE;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || sys_capset(mask, 0) < 0 ? -1 : 0;
}
