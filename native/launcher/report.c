/*
 * Records on their way to rauha. The supervisor alone holds the report pipe. Init and task write their records, already encoded, to
 * the startup pipe, each in one write of at most PIPE_BUF bytes, so that they never mix; the supervisor copies them.
 */
#include "launcher.h"
#include "sys.h"
#include <string.h>
#include <sys/uio.h>

#define RECORD_HEADER_BYTES 8u
#define TEXT_MAX	    1500u

struct encoder {
	uint8_t bytes[4096];
	uint32_t size;
};

static void put(struct encoder *e, const void *data, uint32_t size)
{
	memcpy(e->bytes + e->size, data, size);
	e->size += size;
}

static void put_u32(struct encoder *e, uint32_t value)
{
	put(e, &value, sizeof(value));
}

static void put_str(struct encoder *e, const char *text)
{
	uint32_t length = (uint32_t)strnlen(text, TEXT_MAX);

	put_u32(e, length);
	put(e, text, length);
	put(e, "", 1);
}

/**
 * encode - a record without the content of its last field, if that is `bytes`
 *
 * Returns that content: it is written from where it lies.
 */
static struct bytes encode(struct encoder *e, uint32_t id, const void *record)
{
	const struct record_spec *spec = &report_records[id];
	struct bytes tail = {0, NULL};
	uint32_t length;

	put_u32(e, id);
	put_u32(e, 0);
	for (uint32_t i = 0; i < spec->field_count; i++) {
		const char *field = (const char *)record + spec->fields[i].offset;

		switch (spec->fields[i].type) {
		case FIELD_U32:
			put(e, field, 4);
			break;
		case FIELD_U64:
			put(e, field, 8);
			break;
		case FIELD_STR:
			put_str(e, *(const char *const *)(const void *)field);
			break;
		default:
			memcpy(&tail, field, sizeof(tail));
			put_u32(e, tail.size);
		}
	}
	length = e->size - RECORD_HEADER_BYTES + tail.size;
	memcpy(e->bytes + 4, &length, sizeof(length));
	return tail;
}

/* Writes all of it. Nobody reading is not an error of the zone's, but its end: see `deaf`. */
static int write_all(struct zone *z, struct iovec *parts, int count)
{
	while (count > 0) {
		ssize_t done = writev(z->report, parts, count);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0) {
			z->deaf = true;
			return -1;
		}
		for (; count > 0 && (size_t)done >= parts->iov_len; parts++, count--)
			done -= (ssize_t)parts->iov_len;
		if (count > 0) {
			parts->iov_base = (char *)parts->iov_base + done;
			parts->iov_len -= (size_t)done;
		}
	}
	return 0;
}

/** report_send - writes a record; `record` is its struct of contract.gen.h */
int report_send(struct zone *z, enum record_id id, const void *record)
{
	struct encoder e = {.size = 0};
	struct bytes tail = encode(&e, id, record);
	struct iovec parts[2] = {{e.bytes, e.size}, {(void *)(uintptr_t)tail.data, tail.size}};

	return write_all(z, parts, tail.size > 0 ? 2 : 1);
}

/** report_copy - passes records of init and task on as they are */
int report_copy(struct zone *z, const void *bytes, size_t size)
{
	struct iovec part = {(void *)(uintptr_t)bytes, size};

	return write_all(z, &part, 1);
}

void report_failed(struct zone *z, const struct fault *f)
{
	struct record_failed record = {f->stage, f->op, (uint32_t)f->err, f->step, f->detail};

	report_send(z, RECORD_FAILED, &record);
}

void report_skipped(struct zone *z, const struct op *op, int err, const char *step)
{
	struct record_skipped record = {(uint32_t)(op - z->plan.ops), (uint32_t)err, step};

	report_send(z, RECORD_SKIPPED, &record);
}
