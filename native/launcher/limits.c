#include "launcher.h"
#include <sys/resource.h>

/*
 * One rlimit. Nobody without CAP_SYS_RESOURCE on the host may raise a hard limit: where the plan says so (`clamp`), what the caller
 * has is kept, which is stricter than what was asked.
 */
static int limit_set(struct zone *z, const struct op *op, struct fault *f)
{
	const struct op_rlimit *want = &op->u.rlimit;
	struct rlimit limit = {want->soft, want->hard};
	struct rlimit old;

	if (setrlimit((int)want->resource, &limit) == 0)
		return 0;
	if (errno != EPERM || !want->clamp || getrlimit((int)want->resource, &old) < 0)
		return fault(f, "prlimit64", NULL);
	limit.rlim_max = old.rlim_max;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	if (setrlimit((int)want->resource, &limit) < 0)
		return fault(f, "prlimit64", NULL);
	report_skipped(z, op, EPERM, "prlimit64");
	return 0;
}

/** limits_set - the task's rlimits; RLIMIT_NPROC is counted inside the zone's own user namespace since 5.14 */
int limits_set(struct zone *z, struct fault *f)
{
	for (const struct op *op = NULL; (op = op_next(&z->plan, op, OP_RLIMIT)) != NULL;) {
		fault_at(f, &z->plan, op);
		if (limit_set(z, op, f) < 0)
			return -1;
	}
	return 0;
}
