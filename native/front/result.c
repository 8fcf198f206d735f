/* The result of a plain run: the text that Rauha recorded, with what this run came to in its holes. */
#include "front.h"
#include <linux/errno.h>
#include <linux/poll.h>

/* The longest of the holes with a size of their own: a time, the digits of a hash. */
#define HOLE_BYTES 80u
/* An escaped byte of a JSON string. */
#define JSON_BYTES 6u

/* What a control file says, as the record wants it taken. */
static bool take_collected(const struct run *run, struct bytes payload, struct ending *end)
{
	struct bytes wanted = run->record.collected;
	struct bytes text;
	uint32_t kind = 0;

	if (payload.size < 8)
		return false;
	text = (struct bytes){payload.size - 8, payload.data + 8};
	for (uint32_t i = 0; i < wanted.size; i += 8) {
		if (get_u32(wanted.data + i) == get_u32(payload.data))
			kind = get_u32(wanted.data + i + 4);
	}
	switch (kind) {
	case COLLECTED_IGNORED:
		return true;
	case COLLECTED_MEMORY_PEAK:
		return parse_number(text, &end->memory_peak);
	case COLLECTED_PIDS_PEAK:
		if (!parse_number(text, &end->pids_peak))
			return false;
		end->pids_peak -= end->pids_peak > 0;
		return true;
	case COLLECTED_OOM_KILLS:
		return !oom_killed(text);
	case COLLECTED_IO_TOTALS:
		return io_totals(text, &end->io_read, &end->io_written);
	default:
		return false;
	}
}

static bool take_ended(struct bytes p, struct ending *end)
{
	uint32_t status;

	if (p.size != 68)
		return false;
	status = get_u32(p.data);
	*end = (struct ending){
		.exit_code = status >> 8 & 0xff,
		.user_us = get_u64(p.data + 8),
		.system_us = get_u64(p.data + 16),
		.max_rss = get_u64(p.data + 24),
		.wall_us = get_u64(p.data + 32),
		.output = {0, get_u64(p.data + 40), get_u64(p.data + 48)},
		.pids_counted = get_u32(p.data + 56),
		.memory_watched = get_u64(p.data + 60),
	};
	return (status & 0x7f) == 0 && get_u32(p.data + 4) == CAUSE_NONE;
}

/* One of the records that each run of this plan reports alike. */
static bool is_quiet(const struct record *record, const uint8_t *from, size_t size)
{
	const uint8_t *at = record->quiet.data;

	for (uint32_t i = 0; i < record->quiet_count; i++) {
		uint32_t each = get_u32(at);

		if (each == size && memcmp(at + 4, from, size) == 0)
			return true;
		at += 4 + each;
	}
	return false;
}

/* Whether the report is the one of a run that passed as the recorded one did; what it came to. */
static bool take_report(const struct run *run, struct ending *end, uint64_t bytes[3])
{
	const uint8_t *at = run->heard;
	const uint8_t *from = at;
	uint32_t quiet = 0, collected = 0, id;
	bool started = false, ended = false;
	struct bytes p;

	for (; report_next(&at, run->heard + run->state->heard_bytes, &id, &p); from = at) {
		if (id == RECORD_STARTED)
			started = true;
		else if (is_quiet(&run->record, from, (size_t)(at - from)))
			quiet++;
		else if (id == RECORD_OUTPUT && p.size >= 8 && get_u32(p.data) <= 2)
			bytes[get_u32(p.data)] += p.size - 8;
		else if (id == RECORD_ENDED && !ended)
			ended = take_ended(p, end);
		else if (id == RECORD_COLLECTED && ended && take_collected(run, p, end))
			collected++;
		else if (id != RECORD_CLEANED || p.size < 4 || get_u32(p.data) != 0)
			return false;
	}
	return started && ended && quiet == run->record.quiet_count && collected == run->record.collected.size / 8;
}

/* All pieces of a stream, one behind the other. */
static struct bytes join(const struct run *run, uint32_t stream, uint64_t size)
{
	uint8_t *joined = memory(size + 1);
	struct writer w = {joined};
	const uint8_t *at = run->heard;
	struct bytes p;
	uint32_t id;

	while (joined && report_next(&at, run->heard + run->state->heard_bytes, &id, &p)) {
		if (id == RECORD_OUTPUT && get_u32(p.data) == stream)
			put(&w, p.data + 8, p.size - 8);
	}
	return (struct bytes){(uint32_t)size, joined};
}

static uint64_t milliseconds(uint64_t us)
{
	return (us + 500) / 1000;
}

static void put_command(struct writer *w, const struct run *run)
{
	for (uint32_t i = 0; i < run->asked.command_count; i++) {
		const char *word = run->asked.command[i];

		if (i + run->record.before_count > 0)
			put(w, ",", 1);
		put(w, "\"", 1);
		put_json(w, (const uint8_t *)word, text_length(word));
		put(w, "\"", 1);
	}
}

/* Over all arguments, each followed by NUL (src/cli/ids.ts). */
static void put_command_hash(struct writer *w, const struct run *run)
{
	struct reader before = {run->record.before.data, run->record.before.data + run->record.before.size, false};
	struct sha256 s;

	sha256_begin(&s);
	for (uint32_t i = 0; i < run->record.before_count; i++) {
		const char *word = read_str(&before);

		sha256_add(&s, word, text_length(word) + 1);
	}
	for (uint32_t i = 0; i < run->asked.command_count; i++)
		sha256_add(&s, run->asked.command[i], text_length(run->asked.command[i]) + 1);
	sha256_end(&s, (char *)w->at);
	w->at += HASH_DIGITS;
}

/* The watcher can miss a short peak: what one process held at most is one of the zone as well (src/run/report/usage.ts). */
static void put_watched(struct writer *w, const struct ending *end)
{
	if (end->memory_watched == 0)
		put(w, "null", 4);
	else
		put_number(w, end->memory_watched > end->max_rss ? end->memory_watched : end->max_rss);
}

/* The launcher says 0 for what it did not measure. */
static void put_measured(struct writer *w, uint64_t number)
{
	if (number == 0)
		put(w, "null", 4);
	else
		put_number(w, number);
}

static uint64_t last_of(const struct run *run)
{
	const uint64_t times[] = {run->state->created_at, run->state->started_at, run->ended_at, run->cleaned_at};
	uint64_t last = 0;

	for (uint32_t i = 0; i < 4; i++)
		last = times[i] > last ? times[i] : last;
	return last;
}

static bool put_hole(struct writer *w, uint32_t hole, const struct run *run, const struct ending *end,
		     const struct bytes streams[3])
{
	const struct state *state = run->state;

	switch ((enum hole_kind)hole) {
	case HOLE_TASK_ID:
		put(w, run->task_id, ID_BYTES);
		return true;
	case HOLE_ZONE_ID:
		put(w, run->zone_id, ID_BYTES);
		return true;
	case HOLE_COMMAND:
		put_command(w, run);
		return true;
	case HOLE_COMMAND_HASH:
		put_command_hash(w, run);
		return true;
	case HOLE_EXIT_CODE:
		put_number(w, end->exit_code);
		return true;
	case HOLE_CREATED_AT:
		put_time(w, state->created_at);
		return true;
	case HOLE_STARTED_AT:
		put_time(w, state->started_at);
		return true;
	case HOLE_ENDED_AT:
		put_time(w, run->ended_at);
		return true;
	case HOLE_CLEANED_AT:
		put_time(w, run->cleaned_at);
		return true;
	case HOLE_FINISHED_AT:
		put_time(w, last_of(run));
		return true;
	case HOLE_SETUP_MS:
		/* The clock may have been set back: then the runtime says so in its own way. */
		if (state->started_at < state->created_at)
			return false;
		put_number(w, state->started_at - state->created_at);
		return true;
	case HOLE_WALL_MS:
		put_number(w, milliseconds(end->wall_us));
		return true;
	case HOLE_STDOUT:
		put_json(w, streams[1].data, streams[1].size);
		return true;
	case HOLE_STDOUT_BYTES:
		put_number(w, streams[1].size);
		return true;
	case HOLE_STDERR:
		put_json(w, streams[2].data, streams[2].size);
		return true;
	case HOLE_STDERR_BYTES:
		put_number(w, streams[2].size);
		return true;
	case HOLE_USER_MS:
		put_number(w, milliseconds(end->user_us));
		return true;
	case HOLE_SYSTEM_MS:
		put_number(w, milliseconds(end->system_us));
		return true;
	case HOLE_MAX_RSS:
		put_measured(w, end->max_rss);
		return true;
	case HOLE_MEMORY_PEAK:
		put_number(w, end->memory_peak);
		return true;
	case HOLE_MEMORY_WATCHED:
		put_watched(w, end);
		return true;
	case HOLE_PIDS_PEAK:
		put_number(w, end->pids_peak);
		return true;
	case HOLE_PIDS_COUNTED:
		put_measured(w, end->pids_counted);
		return true;
	case HOLE_IO_READ:
		put_number(w, end->io_read);
		return true;
	case HOLE_IO_WRITTEN:
		put_number(w, end->io_written);
		return true;
	}
	return false;
}

/* As much as the text with all of its holes can take, however often each of them is there. */
static size_t room_for(const struct run *run, const struct template *template, const struct bytes streams[3])
{
	size_t room = template->text.size;

	for (uint32_t i = 0; i < template->holes.size; i += 8) {
		uint32_t hole = get_u32(template->holes.data + i + 4);

		room += HOLE_BYTES;
		room += hole == HOLE_COMMAND ? (size_t)JSON_BYTES * run->plan_bytes : 0;
		room += hole == HOLE_STDOUT ? (size_t)JSON_BYTES * streams[1].size : 0;
		room += hole == HOLE_STDERR ? (size_t)JSON_BYTES * streams[2].size : 0;
	}
	return room;
}

/* The text up to the last hole and behind it. */
static bool fill(struct writer *w, const struct run *run, const struct ending *end, const struct bytes streams[3])
{
	struct bytes text = run->record.results[end->exit_code != 0].text;
	struct bytes holes = run->record.results[end->exit_code != 0].holes;
	uint32_t done = 0;

	for (uint32_t i = 0; i < holes.size; i += 8) {
		uint32_t at = get_u32(holes.data + i);

		if (at < done || at > text.size)
			return false;
		put(w, text.data + done, at - done);
		if (!put_hole(w, get_u32(holes.data + i + 4), run, end, streams))
			return false;
		done = at;
	}
	put(w, text.data + done, text.size - done);
	return true;
}

/* All of it; -errno of the first failure. A pipe whose other side set O_NONBLOCK may be full. */
static long write_all(const uint8_t *data, size_t size, size_t *done)
{
	for (*done = 0; *done < size;) {
		long got = SYS3(__NR_write, 1, data + *done, size - *done);
		struct pollfd full = {.fd = 1, .events = POLLOUT};

		if (got == -EAGAIN)
			SYS6(__NR_ppoll, &full, 1, 0, 0, 0, 0);
		else if (got < 0 && got != -EINTR)
			return got;
		*done += got > 0 ? (size_t)got : 0;
	}
	return 0;
}

static void put_text(struct writer *w, const char *text)
{
	put(w, text, text_length(text));
}

/* Rauha's own words (src/cli/result-sink.ts) for a result of which only a part could be written; it ends with 1 then (docs/adr/0035). */
static void complain(long failure)
{
	uint8_t line[160];
	struct writer w = {line};

	put_text(&w, "rauha: stdout: the result can't be written: ");
	if (failure == -EPIPE) {
		put_text(&w, "nobody reads it any more (EPIPE)");
	} else if (failure == -ENOSPC) {
		put_text(&w, "no space left (or a limit on how many is reached) (ENOSPC)");
	} else {
		put_text(&w, "errno ");
		put_number(&w, (uint64_t)-failure);
	}
	put_text(&w, "\n");
	SYS3(__NR_write, 2, line, (size_t)(w.at - line));
}

/**
 * result_write - writes the result of a run with a plain end, and says what to exit with
 *
 * False for anything else, and where nothing of it could be written: then it is the runtime's.
 */
bool result_write(struct run *run, uint32_t *exit_code)
{
	struct ending end = {0};
	uint64_t bytes[3] = {0};
	struct bytes streams[3] = {{0, NULL}};
	struct writer w;
	size_t room, done;
	uint8_t *text;
	long failure;

	if (!take_report(run, &end, bytes) || bytes[0] > 0)
		return false;
	for (uint32_t stream = 1; stream <= 2; stream++) {
		if (bytes[stream] != end.output[stream])
			return false;
		streams[stream] = join(run, stream, bytes[stream]);
		if (!streams[stream].data || !is_utf8(streams[stream].data, streams[stream].size))
			return false;
	}
	room = room_for(run, &run->record.results[end.exit_code != 0], streams);
	text = memory(room);
	if (!text)
		return false;
	w.at = text;
	if (!fill(&w, run, &end, streams))
		return false;
	failure = write_all(text, (size_t)(w.at - text), &done);
	if (failure < 0 && done == 0)
		return false;
	if (failure < 0)
		complain(failure);
	*exit_code = end.exit_code == 0 && failure < 0 ? 1 : end.exit_code;
	return true;
}
