#include "launcher.h"

/** fault_at - says which op is at work, for whatever goes wrong next; NULL for none */
void fault_at(struct fault *f, const struct plan *plan, const struct op *op)
{
	f->op = op ? (uint32_t)(op - plan->ops) : NO_OP;
	if (op)
		f->stage = plan_ops[op->id].stage;
}

/** fault - records that `step` failed with errno, over `detail` (a path, mostly); returns -1 */
int fault(struct fault *f, const char *step, const char *detail)
{
	return fault_with(f, errno, step, detail);
}

int fault_with(struct fault *f, int err, const char *step, const char *detail)
{
	f->err = err;
	f->step = step;
	text_put(f->detail, f->detail + sizeof(f->detail), detail ? detail : "");
	return -1;
}
