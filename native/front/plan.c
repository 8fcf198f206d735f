/* The plan: what Rauha recorded of it, with the zone's own id and host ids in the places for them, and the command. */
#include "front.h"

#define OP_HEADER 8u
/* src/run/plan/sections/identity.ts, hostRange: the same arithmetic, for the same zones. */
#define RANGE_BASE  0x70000000u
#define RANGE_SLOTS 0x0fffu
#define RANGE_SIZE  65536u

static uint32_t range_base(const char *zone_id)
{
	uint32_t hash = 0x811c9dc5u;

	for (uint32_t i = 0; i < ID_BYTES; i++)
		hash = (hash ^ (uint8_t)zone_id[i]) * 0x01000193u;
	return RANGE_BASE + hash % RANGE_SLOTS * RANGE_SIZE;
}

static void put_str(struct writer *w, const char *text)
{
	uint32_t size = (uint32_t)text_length(text);

	put_u32(w, size);
	put(w, text, size + 1);
}

/* Ids stand where the record says, and nowhere outside of what it recorded. */
static bool fill_in(struct run *run, uint8_t *ops)
{
	const struct record *record = &run->record;
	uint32_t base = range_base(run->zone_id);

	for (uint32_t i = 0; i < record->zone_places.size; i += 4) {
		uint32_t at = get_u32(record->zone_places.data + i);

		if (at > record->plan.size || record->plan.size - at < ID_BYTES)
			return false;
		memcpy(ops + at, run->zone_id, ID_BYTES);
	}
	for (uint32_t i = 0; i < record->range_places.size; i += 4) {
		uint32_t at = get_u32(record->range_places.data + i);

		if (at > record->plan.size || record->plan.size - at < sizeof(base))
			return false;
		memcpy(ops + at, &base, sizeof(base));
	}
	return true;
}

/** plan_make - makes the plan of this start; false where there is too much of it */
bool plan_make(struct run *run)
{
	const struct record *record = &run->record;
	const struct asked *asked = &run->asked;
	size_t payload = 4 + record->before.size + record->environment.size;
	struct writer w;

	for (uint32_t i = 0; i < asked->command_count; i++)
		payload += 5 + text_length(asked->command[i]);
	run->plan_bytes = (uint32_t)(PLAN_HEADER_BYTES + record->plan.size + OP_HEADER + payload);
	if (payload > LIMIT_PLAN_BYTES || run->plan_bytes > LIMIT_PLAN_BYTES)
		return false;
	run->plan = memory(run->plan_bytes);
	if (!run->plan)
		return false;
	w.at = run->plan;
	put_u32(&w, PLAN_MAGIC);
	put_u64(&w, CONTRACT_HASH);
	put_u32(&w, record->plan_ops);
	put_u32(&w, run->plan_bytes);
	put(&w, record->plan.data, record->plan.size);
	if (!fill_in(run, run->plan + PLAN_HEADER_BYTES))
		return false;
	put_u32(&w, OP_EXEC);
	put_u32(&w, (uint32_t)payload);
	put_u32(&w, record->before_count + asked->command_count);
	put(&w, record->before.data, record->before.size);
	for (uint32_t i = 0; i < asked->command_count; i++)
		put_str(&w, asked->command[i]);
	put(&w, record->environment.data, record->environment.size);
	return true;
}
