#include "launcher.h"
#include <sys/resource.h>

struct limit {
	uint64_t soft;
	uint64_t hard;
};

static int prlimit_set(uint32_t resource, const struct limit *limit)
{
	return (int)syscall(SYS_prlimit64, 0, resource, limit, NULL);
}

/*
 * One rlimit. Nobody without CAP_SYS_RESOURCE on the host may raise a hard limit: where the plan says so (`clamp`), what the caller
 * has is kept, which is stricter than what was asked.
 */
static int limit_set(struct zone *z, const struct op *op, struct fault *f)
{
	const struct op_rlimit *want = &op->u.rlimit;
	struct limit limit = {want->soft, want->hard};
	struct limit old;

	if (prlimit_set(want->resource, &limit) == 0)
		return 0;
	if (errno != EPERM || !want->clamp || syscall(SYS_prlimit64, 0, want->resource, NULL, &old) < 0)
		return fault(f, "prlimit64", NULL);
	limit.hard = old.hard;
	if (limit.soft > limit.hard)
		limit.soft = limit.hard;
	if (prlimit_set(want->resource, &limit) < 0)
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
