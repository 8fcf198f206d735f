/*
 * Parts of the native front, asked from outside: frames of `u32 question, u32 length, payload` on stdin, one answer each, `u32 length,
 * bytes`, on stdout. Each payload lies in memory of its own size, so that a sanitizer sees every byte that is read beyond it.
 */
#include <stdint.h>

extern uint64_t build_id;

#include "../../native/front/record.c"
#include <stdlib.h>
#include <unistd.h>

enum question {
	JSON = 1,
	UTF8,
	TIME,
	NUMBER,
	PARSE,
	SHA256,
	OOM,
	IO,
	RECORD,
	CUTS,
};

uint64_t build_id;
static struct run run;
static const char *cwd;

static void fill(uint8_t *to, size_t size)
{
	while (size > 0) {
		ssize_t got = read(0, to, size);

		if (got <= 0)
			exit(size > 0 ? 0 : 2);
		to += got;
		size -= (size_t)got;
	}
}

static void answer(const void *data, size_t size)
{
	uint32_t header = (uint32_t)size;

	if (write(1, &header, sizeof(header)) != sizeof(header))
		exit(3);
	for (const uint8_t *at = data; size > 0;) {
		ssize_t got = write(1, at, size);

		if (got <= 0)
			exit(3);
		at += got;
		size -= (size_t)got;
	}
}

/* What record_find and the parts after it do with a segment of these bytes; true where a plan comes of it. */
static bool ask_record(const uint8_t *data, size_t size)
{
	struct reader r = {data, data + size, false};

	run.plan = NULL;
	run.plan_bytes = 0;
	run.record = (struct record){0};
	if (!is_this(&r, &run, cwd))
		return false;
	read_record(&r, &run.record);
	return !r.bad && plan_make(&run);
}

/* How many beginnings of it are taken for a record: with their own size in the place for it, or the whole one's. */
static uint32_t count_cuts(const uint8_t *data, uint32_t size)
{
	uint32_t taken = 0;

	for (uint32_t cut = 0; cut < size; cut += cut < 2048 ? 1 : 37) {
		for (int honest = 0; honest < 2; honest++) {
			uint8_t *copy = malloc(cut);

			memcpy(copy, data, cut);
			if (honest && cut >= 8)
				memcpy(copy + 4, &cut, sizeof(cut));
			taken += ask_record(copy, cut);
			free(copy);
		}
	}
	return taken;
}

static void ask_sha(const uint8_t *data, uint32_t size)
{
	struct sha256 s;
	char digits[HASH_DIGITS];
	uint32_t at = 0;

	sha256_begin(&s);
	for (uint32_t piece = 1; at < size; at += piece, piece = piece * 3 % 101) {
		piece = piece < size - at ? piece : size - at;
		sha256_add(&s, data + at, piece);
	}
	sha256_end(&s, digits);
	answer(digits, sizeof(digits));
}

static void ask_one(uint32_t question, const uint8_t *data, uint32_t size)
{
	uint8_t *room = malloc((size_t)size * 6 + 64);
	struct writer w = {room};
	uint64_t number[2] = {0, 0};
	bool good;

	switch ((enum question)question) {
	case JSON:
		put_json(&w, data, size);
		answer(room, (size_t)(w.at - room));
		break;
	case UTF8:
		good = is_utf8(data, size);
		answer(&good, 1);
		break;
	case TIME:
		put_time(&w, get_u64(data));
		answer(room, (size_t)(w.at - room));
		break;
	case NUMBER:
		put_number(&w, get_u64(data));
		answer(room, (size_t)(w.at - room));
		break;
	case PARSE:
		good = parse_number((struct bytes){size, data}, &number[0]);
		answer(&number[0], good ? 8 : 0);
		break;
	case SHA256:
		ask_sha(data, size);
		break;
	case OOM:
		good = oom_killed((struct bytes){size, data});
		answer(&good, 1);
		break;
	case IO:
		good = io_totals((struct bytes){size, data}, &number[0], &number[1]);
		answer(number, good ? 16 : 0);
		break;
	case RECORD:
		good = ask_record(data, size);
		answer(run.plan, good ? run.plan_bytes : 0);
		break;
	case CUTS:
		number[0] = count_cuts(data, size);
		answer(number, 4);
		break;
	default:
		exit(4);
	}
	free(room);
}

/* front_harness BUILD ZONE CWD OPTIONS -- COMMAND */
int main(int argc, char **argv, char **envp)
{
	uint32_t options = 0;

	build_id = strtoull(argv[1], NULL, 16);
	memcpy(run.zone_id, argv[2], ID_BYTES);
	cwd = argv[3];
	while (4 + options < (uint32_t)argc && !text_equal(argv[4 + options], "--"))
		options++;
	run.asked = (struct asked){argv + 4, options, argv + 5 + options, (uint32_t)argc - 5 - options, envp};
	for (;;) {
		uint32_t header[2];
		uint8_t *payload;

		fill((uint8_t *)header, sizeof(header));
		payload = malloc(header[1]);
		fill(payload, header[1]);
		ask_one(header[0], payload, header[1]);
		free(payload);
	}
}
