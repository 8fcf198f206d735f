/*
 * Follows the launcher's report. Everything is kept: the runtime reads it again if it has to take over, which it has to when the task
 * lasts, when a signal comes in, and for each record that a plain end does not have.
 */
#include "front.h"
#include <linux/errno.h>
#include <linux/poll.h>
#include <linux/time_types.h>

#define RECORD_HEADER 8u

/** report_next - the next whole record of what lies between; false when there is none */
bool report_next(const uint8_t **at, const uint8_t *end, uint32_t *id, struct bytes *payload)
{
	size_t left = (size_t)(end - *at);

	if (left < RECORD_HEADER)
		return false;
	*id = get_u32(*at);
	payload->size = get_u32(*at + 4);
	payload->data = *at + RECORD_HEADER;
	if (left - RECORD_HEADER < payload->size)
		return false;
	*at = payload->data + payload->size;
	return true;
}

/* Whether so far there is nothing but what every plain run reports; notes when the steps of it were heard of. */
static bool take_note(struct run *run, const uint8_t **seen)
{
	struct state *state = run->state;
	uint32_t id;
	struct bytes payload;

	while (report_next(seen, run->heard + state->heard_bytes, &id, &payload)) {
		switch (id) {
		case RECORD_STARTED:
			state->started_at = state->heard_at;
			state->started_bytes = (uint64_t)(*seen - run->heard);
			break;
		case RECORD_ENDED:
			run->ended_at = state->heard_at;
			break;
		case RECORD_CLEANED:
			run->cleaned_at = state->heard_at;
			run->cleaned = true;
			break;
		case RECORD_SKIPPED:
		case RECORD_VERIFIED:
		case RECORD_OUTPUT:
		case RECORD_COLLECTED:
			break;
		default:
			return false;
		}
	}
	return true;
}

/* Waits for more of the report; false when it is the runtime's turn. */
static bool wait_for_more(const struct run *run)
{
	struct pollfd polls[] = {{.fd = run->report, .events = POLLIN}, {.fd = run->signals, .events = POLLIN}};
	struct __kernel_timespec left = {0};
	const struct state *state = run->state;

	if (state->started_at != 0) {
		uint64_t passed = now_ms() - state->started_at;

		if (passed >= LASTING_MS)
			return false;
		left.tv_nsec = (long long)(LASTING_MS - passed) * 1000000;
	}
	return SYS6(__NR_ppoll, polls, 2, state->started_at ? &left : NULL, 0, 0, 0) > 0 && polls[1].revents == 0;
}

/** report_follow - up to the last record of a run that has nothing but plain records; or up to where it is the runtime's turn */
enum heard report_follow(struct run *run)
{
	struct state *state = run->state;
	const uint8_t *seen = run->heard;

	while (!run->cleaned) {
		long got;

		if (state->heard_bytes == HEARD_BYTES || !wait_for_more(run))
			return HEARD_OTHER;
		got = SYS3(__NR_read, run->report, run->heard + state->heard_bytes, HEARD_BYTES - state->heard_bytes);
		if (got == -EINTR)
			continue;
		if (got <= 0)
			return HEARD_OTHER;
		state->heard_at = now_ms();
		state->heard_bytes += (uint64_t)got;
		if (!take_note(run, &seen))
			return HEARD_OTHER;
	}
	return HEARD_PLAIN;
}
