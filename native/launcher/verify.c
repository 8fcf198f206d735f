/*
 * Trust is good: the task, locked down, tries what it must not be able to do. An attempt that works has no effect beyond this process,
 * which then ends. All attempts together cost some ten system calls.
 */
#include "launcher.h"
#include <sched.h>
#include <sys/ptrace.h>

static bool can_mount(void)
{
	struct mount_attr private = {.propagation = PROPAGATION_PRIVATE};

	return sys_mount_setattr(AT_FDCWD, "/", 0, &private) == 0;
}

static bool can_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool can_trace_init(void)
{
	return ptrace(PTRACE_SEIZE, 1, NULL, NULL) == 0;
}

/* One bit more than there is, whichever that is. */
static bool can_regain_capabilities(uint64_t mask)
{
	for (unsigned int cap = 0; cap <= CAP_LAST_CAP; cap++) {
		if (!(mask >> cap & 1))
			return sys_capset(mask | 1ull << cap, mask) == 0;
	}
	return false;
}

/* The mounts show this file, and no Landlock rule allows it. */
static bool can_read_probe(void)
{
	return can_open("/.rauha", O_RDONLY) || errno != EACCES;
}

/** verify_lockdown - carries out `verify`, and reports which forbidden acts were tried and refused */
int verify_lockdown(struct zone *z, struct fault *f)
{
	const struct op *op = z->plan.only[OP_VERIFY];
	struct record_verified record;

	if (!op)
		return 0;
	fault_at(f, &z->plan, op);
	record.checks = op->u.verify.checks;
	if (record.checks & ~VERIFY_ALL)
		return fault_with(f, EINVAL, "verify", "a check that this launcher does not know");
	if ((record.checks & VERIFY_NEW_USER_NAMESPACE) && unshare(CLONE_NEWUSER) == 0)
		return fault_with(f, 0, "verify", "a new user namespace could be made");
	if ((record.checks & VERIFY_MOUNT) && can_mount())
		return fault_with(f, 0, "verify", "a mount could be changed");
	if ((record.checks & VERIFY_WRITE_PROC_SYS) && can_open("/proc/sys/kernel/hostname", O_WRONLY))
		return fault_with(f, 0, "verify", "/proc/sys could be written");
	if ((record.checks & VERIFY_PTRACE_INIT) && can_trace_init())
		return fault_with(f, 0, "verify", "init could be traced");
	if ((record.checks & VERIFY_REGAIN_CAPABILITIES) &&
	    can_regain_capabilities(z->plan.only[OP_CAPABILITIES]->u.capabilities.mask))
		return fault_with(f, 0, "verify", "capabilities could be regained");
	if ((record.checks & VERIFY_LANDLOCK) && can_read_probe())
		return fault_with(f, 0, "verify", "Landlock let a file be read that no rule allows");
	report_add(z, RECORD_VERIFIED, &record);
	return 0;
}
