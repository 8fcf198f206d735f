/*
 * From the plan's bytes to ops. All of it is checked before the first of it is carried out: a plan is well-formed as a whole or
 * refused as a whole. Tables generated from the contract say what an op is made of; nothing here knows one from another.
 */
#include "launcher.h"
#include <stdlib.h>

struct reader {
	const uint8_t *at;
	const uint8_t *end;
};

static bool take(struct reader *r, void *out, size_t size)
{
	if ((size_t)(r->end - r->at) < size)
		return false;
	memcpy(out, r->at, size);
	r->at += size;
	return true;
}

/* A length and that many bytes, left where they are. */
static bool take_sized(struct reader *r, const uint8_t **data, uint32_t *size)
{
	if (!take(r, size, sizeof(*size)) || (size_t)(r->end - r->at) < *size)
		return false;
	*data = r->at;
	r->at += *size;
	return true;
}

/* A string that ends with its only NUL, so that it can be used where it lies in the plan. */
static bool take_str(struct reader *r, const char **text, uint32_t longest)
{
	const uint8_t *data;
	uint32_t size;
	uint8_t nul;

	if (!take_sized(r, &data, &size) || size > longest || memchr(data, 0, size) != NULL)
		return false;
	*text = (const char *)data;
	return take(r, &nul, 1) && nul == 0;
}

/* Each string takes at least five bytes: a count that the rest of the plan can't hold never reaches malloc. */
static bool take_strs(struct reader *r, struct strs *strs)
{
	if (!take(r, &strs->count, sizeof(strs->count)) || strs->count > (size_t)(r->end - r->at) / 5)
		return false;
	strs->items = calloc((size_t)strs->count + 1, sizeof(*strs->items));
	for (uint32_t i = 0; strs->items && i < strs->count; i++) {
		const char *text;

		if (!take_str(r, &text, LIMIT_PLAN_BYTES))
			return false;
		strs->items[i] = (char *)(uintptr_t)text;
	}
	return strs->items != NULL;
}

static bool take_field(struct reader *r, uint16_t type, void *out)
{
	struct bytes *bytes = out;

	switch (type) {
	case FIELD_U32:
		return take(r, out, 4);
	case FIELD_U64:
		return take(r, out, 8);
	case FIELD_STR:
		return take_str(r, out, LIMIT_PATH_BYTES);
	case FIELD_STRS:
		return take_strs(r, out);
	default:
		return take_sized(r, &bytes->data, &bytes->size);
	}
}

/* One op, with all of its payload used up. */
static int decode_op(struct reader *r, struct op *op, struct fault *f)
{
	const struct record_spec *spec;
	struct reader payload;
	const uint8_t *data;
	uint32_t size;

	if (!take(r, &op->id, sizeof(op->id)) || !take_sized(r, &data, &size))
		return fault_with(f, EBADMSG, "op header", NULL);
	if (op->id > PLAN_OP_MAX || plan_ops[op->id].name == NULL)
		return fault_with(f, EBADMSG, "op id", NULL);
	spec = &plan_ops[op->id];
	payload = (struct reader){data, data + size};
	for (uint32_t i = 0; i < spec->field_count; i++) {
		if (!take_field(&payload, spec->fields[i].type, (char *)&op->u + spec->fields[i].offset))
			return fault_with(f, EBADMSG, "op field", spec->name);
	}
	if (payload.at != payload.end)
		return fault_with(f, EBADMSG, "op length", spec->name);
	return 0;
}

/*
 * What the table can't say by itself: ops of setup stand in the order in which they are carried out, as mounts after the pivot would
 * reach the wrong tree; a control file belongs to a cgroup before it; and there is a command.
 */
static int check_order(const struct plan *plan, struct fault *f)
{
	uint32_t stage = STAGE_DECODE;
	bool has_cgroup = false;

	for (const struct op *op = plan->ops; op < plan->ops + plan->count; op++) {
		const struct record_spec *spec = &plan_ops[op->id];

		f->op = (uint32_t)(op - plan->ops);
		has_cgroup |= op->id == OP_CGROUP;
		if ((op->id == OP_CGROUP_SET || op->id == OP_CGROUP_COLLECT) && !has_cgroup)
			return fault_with(f, EBADMSG, "op order", spec->name);
		if (spec->stage != STAGE_MOUNT && spec->stage != STAGE_PIVOT && spec->stage != STAGE_NET)
			continue;
		if (spec->stage < stage ||
		    (spec->stage == STAGE_MOUNT && (op->id == OP_ROOT) != (stage == STAGE_DECODE)))
			return fault_with(f, EBADMSG, "op order", spec->name);
		stage = spec->stage;
	}
	f->op = NO_OP;
	for (uint32_t id = 0; id <= PLAN_OP_MAX; id++) {
		if (plan_ops[id].name && plan_ops[id].times == TIMES_ONCE && !plan->only[id])
			return fault_with(f, EBADMSG, "op missing", plan_ops[id].name);
	}
	if (plan->only[OP_EXEC]->u.exec.argv.count == 0)
		return fault_with(f, EBADMSG, "op field", "exec");
	return 0;
}

static int decode(struct plan *plan, struct reader r, struct fault *f)
{
	uint32_t magic = 0;
	uint32_t total = 0;
	uint64_t hash = 0;
	uint32_t count = 0;
	size_t size = (size_t)(r.end - r.at);

	if (!take(&r, &magic, sizeof(magic)) || !take(&r, &hash, sizeof(hash)) || !take(&r, &count, sizeof(count)) ||
	    !take(&r, &total, sizeof(total)) || magic != PLAN_MAGIC || total != size || count > LIMIT_OPS)
		return fault_with(f, EBADMSG, "plan header", NULL);
	if (hash != CONTRACT_HASH)
		return fault_with(f, EPROTO, "contract hash", "rauha and its launcher are of different builds");
	plan->ops = calloc((size_t)count + 1, sizeof(*plan->ops));
	if (!plan->ops)
		return fault(f, "calloc", NULL);
	plan->count = count;
	for (struct op *op = plan->ops; op < plan->ops + plan->count; op++) {
		f->op = (uint32_t)(op - plan->ops);
		if (decode_op(&r, op, f) < 0)
			return -1;
		if (plan_ops[op->id].times == TIMES_MANY)
			continue;
		if (plan->only[op->id])
			return fault_with(f, EBADMSG, "op repeated", plan_ops[op->id].name);
		plan->only[op->id] = op;
	}
	f->op = NO_OP;
	if (r.at != r.end)
		return fault_with(f, EBADMSG, "plan length", NULL);
	return check_order(plan, f);
}

/**
 * plan_read - reads the plan's descriptor to its end, decodes and checks
 *
 * A memfd arrives with its offset wherever its writer left it, a pipe can't seek: rewind where that works.
 */
int plan_read(struct plan *plan, struct fault *f)
{
	size_t room = 32768;
	size_t size = 0;
	uint8_t *bytes = malloc(room);

	f->stage = STAGE_DECODE;
	f->op = NO_OP;
	lseek(FD_PLAN, 0, SEEK_SET);
	while (bytes) {
		ssize_t got = read(FD_PLAN, bytes + size, room - size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fault(f, "read", "plan");
		if (got == 0)
			break;
		size += (size_t)got;
		if (size > LIMIT_PLAN_BYTES)
			return fault_with(f, EMSGSIZE, "plan length", NULL);
		if (size == room)
			bytes = realloc(bytes, room *= 4);
	}
	if (!bytes)
		return fault(f, "malloc", "plan");
	close(FD_PLAN);
	return decode(plan, (struct reader){bytes, bytes + size}, f);
}

/** op_next - the next op of this kind behind `op`; the first one for NULL; NULL for no more */
const struct op *op_next(const struct plan *plan, const struct op *op, uint32_t id)
{
	for (op = op ? op + 1 : plan->ops; op < plan->ops + plan->count; op++) {
		if (op->id == id)
			return op;
	}
	return NULL;
}
