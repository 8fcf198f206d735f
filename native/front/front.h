/*
 * The front: what runs of dist/rauha before the JavaScript runtime does. It begins a start that Rauha remembers (src/run/start), while
 * all is as it was then, and writes its result when its end is plain. It decides nothing: what is not plain is the runtime's, which
 * plans as ever and adopts the launcher that is at work already.
 *
 *   entry.c    from the kernel's and the loader's hands, and into the program's
 *   front.c    the order of things
 *   ask.c      whether the command line could be remembered
 *   leftovers.c   whether a killed zone left something for the runtime to take away
 *   record.c   the record of it
 *   checks.c   whether all is as it was
 *   plan.c     the plan, with names of its own
 *   launch.c   the launcher
 *   report.c   what it reports, up to an end
 *   result.c   the result, if that end is plain
 *   control_file.c   what control files of cgroups say
 *   json.c, numbers.c, bytes.c, sha256.c   the ways in which things are written
 *
 * It has no C library and no variables outside of functions: it must not touch what the program finds later.
 */
#ifndef RAUHA_FRONT_H
#define RAUHA_FRONT_H

#include "../launcher/contract.gen.h"
#include "contract.gen.h"
#include "sys.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEARD_BYTES (256u << 10)
/* A task that runs for longer lasts: the runtime has something to do for it (zone-process.ts). */
#define LASTING_MS  100
#define HASH_DIGITS 64

/* Reads what a record holds, one after the other. What lies beyond its end is empty, and `bad` says so. */
struct reader {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

/* Writes into memory that is large enough. */
struct writer {
	uint8_t *at;
};

/* What the command line says: arguments as the kernel gave them. */
struct asked {
	char **options;
	uint32_t option_count;
	char **command;
	uint32_t command_count;
	char **environment;
};

/* The text of a result, and where what goes into it: pairs of u32. */
struct template
{
	struct bytes text;
	struct bytes holes;
};

/* A record, as far as the front must remember where its parts are. */
struct record {
	uint32_t plan_ops;
	struct bytes plan;
	struct bytes zone_places;
	struct bytes range_places;
	struct bytes before; /* arguments before the command's: as `str` */
	uint32_t before_count;
	struct bytes environment;
	struct bytes quiet; /* list of records that each run of the plan reports alike */
	uint32_t quiet_count;
	struct bytes collected; /* pairs of u32 */
	struct template results[2];
};

/* One start, from begin to end. */
struct run {
	struct asked asked;
	struct record record;
	struct state *state;
	uint8_t *heard; /* HEARD_BYTES of the report */
	uint8_t *plan;
	uint32_t plan_bytes;
	char task_id[ID_BYTES];
	char zone_id[ID_BYTES];
	int report;
	int control;
	int signals;
	int pid;
	uint64_t ended_at;
	uint64_t cleaned_at;
	bool cleaned;
};

/* What a plain end says. */
struct ending {
	uint32_t exit_code;
	uint64_t wall_us, user_us, system_us, max_rss, memory_watched, pids_counted;
	uint64_t memory_peak, pids_peak, io_read, io_written;
	uint64_t output[3]; /* bytes of stdout (1), stderr (2) */
};

/* ask.c */
bool ask(struct asked *asked, int argc, char **argv, char **envp);
const char *variable(char **envp, const char *name, uint32_t size);

/* leftovers.c */
bool has_leftovers(char **envp);

/* record.c */
uint32_t read_u32(struct reader *r);
uint64_t read_u64(struct reader *r);
struct bytes read_bytes(struct reader *r);
const char *read_str(struct reader *r);
enum found { FOUND_RECORD, FOUND_NONE, FOUND_NO_PLACE };
enum found record_find(struct run *run);

/* checks.c */
bool checks_hold(struct reader *r, char **envp);
bool caller_is_same(struct reader *r);

/* plan.c */
bool plan_make(struct run *run);

/* launch.c */
bool launch(struct run *run);

/* report.c */
enum heard { HEARD_PLAIN, HEARD_OTHER };
enum heard report_follow(struct run *run);
bool report_next(const uint8_t **at, const uint8_t *end, uint32_t *id, struct bytes *payload);

/* result.c */
bool result_write(struct run *run, uint32_t *exit_code);

/* control_file.c */
bool oom_killed(struct bytes text);
bool io_totals(struct bytes text, uint64_t *read, uint64_t *written);

/* json.c */
bool is_utf8(const uint8_t *data, size_t size);
void put_json(struct writer *w, const uint8_t *data, size_t size);

/* numbers.c */
void put_number(struct writer *w, uint64_t number);
void put_time(struct writer *w, uint64_t ms);
bool parse_number(struct bytes text, uint64_t *number);

/* bytes.c */
void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *one, const void *other, size_t size);
size_t text_length(const char *text);
bool text_equal(const char *one, const char *other);
void put(struct writer *w, const void *data, size_t size);
void put_u32(struct writer *w, uint32_t value);
void put_u64(struct writer *w, uint64_t value);
uint32_t get_u32(const uint8_t *at);
uint64_t get_u64(const uint8_t *at);
void *memory(size_t size);
uint64_t now_ms(void);
void close_fd(int fd);

/* sha256.c */
struct sha256 {
	uint32_t state[8];
	uint64_t size;
	uint8_t block[64];
};
void sha256_begin(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t size);
void sha256_end(struct sha256 *s, char digits[HASH_DIGITS]);

#endif
