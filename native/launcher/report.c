/*
 * Records on their way to rauha. The supervisor alone holds the report pipe. Init and task write their records, already encoded, to
 * the startup pipe, and the supervisor copies them. What is not urgent waits for company: every write wakes a reader.
 */
#include "launcher.h"
#include <sys/uio.h>

#define TEXT_MAX 1500u

/* At most PIPE_BUF: what init and task write at the same time never mixes. */
static struct {
	uint8_t bytes[PIPE_BUF];
	uint32_t size;
} pending;

static void put(const void *data, uint32_t size)
{
	memcpy(pending.bytes + pending.size, data, size);
	pending.size += size;
}

static void put_u32(uint32_t value)
{
	put(&value, sizeof(value));
}

static void put_str(const char *text)
{
	uint32_t length = (uint32_t)strnlen(text, TEXT_MAX);

	put_u32(length);
	put(text, length);
	put("", 1);
}

/* Bytes that a record takes at most, without the content of a field of `bytes`. */
static uint32_t record_room(const struct record_spec *spec)
{
	uint32_t room = 8;

	for (uint32_t i = 0; i < spec->field_count; i++)
		room += spec->fields[i].type == FIELD_STR ? TEXT_MAX + 5 : 8;
	return room;
}

/* Encodes a record but for the content of its last field, if that is `bytes`; returns that content. */
static struct bytes encode(uint32_t id, const void *record)
{
	const struct record_spec *spec = &report_records[id];
	struct bytes tail = {0, NULL};
	uint32_t start = pending.size;
	uint32_t length;

	put_u32(id);
	put_u32(0);
	for (uint32_t i = 0; i < spec->field_count; i++) {
		const char *field = (const char *)record + spec->fields[i].offset;

		if (spec->fields[i].type == FIELD_U32) {
			put(field, 4);
		} else if (spec->fields[i].type == FIELD_U64) {
			put(field, 8);
		} else if (spec->fields[i].type == FIELD_STR) {
			put_str(*(const char *const *)(const void *)field);
		} else {
			memcpy(&tail, field, sizeof(tail));
			put_u32(tail.size);
		}
	}
	length = pending.size - start - 8 + tail.size;
	memcpy(pending.bytes + start + 4, &length, sizeof(length));
	return tail;
}

/* Writes what is pending, and `tail`. Nobody reading is not an error of the zone's, but its end: see `deaf`. */
static void write_all(struct zone *z, struct bytes tail)
{
	struct iovec all[2] = {{pending.bytes, pending.size}, {(void *)(uintptr_t)tail.data, tail.size}};
	struct iovec *parts = all;
	int count = 2;

	pending.size = 0;
	while (count > 0) {
		ssize_t done = parts->iov_len == 0 ? 0 : writev(z->report, parts, count);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0) {
			z->deaf = true;
			return;
		}
		for (; count > 0 && (size_t)done >= parts->iov_len; parts++, count--)
			done -= (ssize_t)parts->iov_len;
		if (count > 0) {
			parts->iov_base = (char *)parts->iov_base + done;
			parts->iov_len -= (size_t)done;
		}
	}
}

/** report_flush - writes what waits */
void report_flush(struct zone *z)
{
	write_all(z, (struct bytes){0, NULL});
}

/** report_start - from here on, records of this process go to `fd`; those of the process it was forked from are not its own */
void report_start(struct zone *z, int fd)
{
	z->report = fd;
	pending.size = 0;
}

/** report_copy - encoded records as they are, or the content of one */
void report_copy(struct zone *z, const uint8_t *bytes, uint32_t size)
{
	if (pending.size + size > sizeof(pending.bytes))
		write_all(z, (struct bytes){size, bytes});
	else if (size > 0)
		put(bytes, size);
}

/** report_add - a record that can wait until others go, or until report_flush; `record` is its struct of contract.gen.h */
void report_add(struct zone *z, enum record_id id, const void *record)
{
	struct bytes tail;

	if (pending.size + record_room(&report_records[id]) > sizeof(pending.bytes))
		report_flush(z);
	tail = encode(id, record);
	report_copy(z, tail.data, tail.size);
}

/** report_send - a record that rauha waits for */
void report_send(struct zone *z, enum record_id id, const void *record)
{
	report_add(z, id, record);
	report_flush(z);
}

void report_failed(struct zone *z, const struct fault *f)
{
	struct record_failed record = {f->stage, f->op, (uint32_t)f->err, f->step, f->detail};

	report_send(z, RECORD_FAILED, &record);
}

void report_skipped(struct zone *z, const struct op *op, int err, const char *step)
{
	struct record_skipped record = {(uint32_t)(op - z->plan.ops), (uint32_t)err, step};

	report_add(z, RECORD_SKIPPED, &record);
}
