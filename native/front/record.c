/* The record of a start: found, and taken apart. Only its owner could write it, but a length is checked before it is believed. */
#include "front.h"
#include <linux/errno.h>
#include <linux/ipc.h>
#include <linux/shm.h>

#define PATH_BYTES 4096
#define FNV_FIRST  0x811c9dc5u
#define FNV_PRIME  0x01000193u

static const uint8_t *take(struct reader *r, size_t size)
{
	const uint8_t *at = r->at;

	if (r->bad || (size_t)(r->end - r->at) < size) {
		r->bad = true;
		return NULL;
	}
	r->at += size;
	return at;
}

uint32_t read_u32(struct reader *r)
{
	const uint8_t *at = take(r, sizeof(uint32_t));

	return at ? get_u32(at) : 0;
}

uint64_t read_u64(struct reader *r)
{
	const uint8_t *at = take(r, sizeof(uint64_t));

	return at ? get_u64(at) : 0;
}

struct bytes read_bytes(struct reader *r)
{
	uint32_t size = read_u32(r);
	const uint8_t *at = take(r, size);

	return at ? (struct bytes){size, at} : (struct bytes){0, NULL};
}

const char *read_str(struct reader *r)
{
	uint32_t size = read_u32(r);
	const uint8_t *at = take(r, (size_t)size + 1);

	if (at && (at[size] != 0 || text_length((const char *)at) != size))
		r->bad = true;
	return at && !r->bad ? (const char *)at : "";
}

/* A list of entries of one size, without its count. */
static struct bytes read_list(struct reader *r, uint32_t each)
{
	uint32_t count = read_u32(r);
	const uint8_t *at = take(r, (size_t)count * each);

	return at ? (struct bytes){count * each, at} : (struct bytes){0, NULL};
}

/* A list of `str`, or of `bytes`, as it lies there; `nul` is what stands behind each. */
static struct bytes read_all(struct reader *r, uint32_t *count, uint32_t nul)
{
	const uint8_t *from;

	*count = read_u32(r);
	from = r->at;
	for (uint32_t i = 0; i < *count && !r->bad; i++)
		take(r, (size_t)read_u32(r) + nul);
	return r->bad ? (struct bytes){0, NULL} : (struct bytes){(uint32_t)(r->at - from), from};
}

static uint32_t hash(uint32_t so_far, const void *data, size_t size)
{
	const uint8_t *in = data;

	while (size-- > 0)
		so_far = (so_far ^ *in++) * FNV_PRIME;
	return so_far;
}

static uint32_t key_of(const struct asked *asked, const char *cwd)
{
	uint32_t uid = (uint32_t)SYS0(__NR_geteuid);
	uint32_t of_slot = FNV_FIRST;
	uint8_t slot;
	uint32_t key;

	for (uint32_t i = 0; i < asked->option_count; i++)
		of_slot = hash(of_slot, asked->options[i], text_length(asked->options[i]) + 1);
	slot = (uint8_t)(hash(of_slot, cwd, text_length(cwd) + 1) % START_SLOTS);
	key = hash(FNV_FIRST, "rauha start", 11);
	key = hash(hash(key, &uid, sizeof(uid)), &slot, sizeof(slot));
	return key == 0 ? 1 : key;
}

/*
 * The caller's own segment with that key; anybody could have made one, and what is not the caller's can't be replaced by a record. Nor can
 * there be one where the kernel, or a filter around Rauha, has no shared memory.
 */
static enum found attach(uint32_t key, struct reader *r)
{
	uint32_t uid = (uint32_t)SYS0(__NR_geteuid);
	long id = SYS3(__NR_shmget, (int32_t)key, 0, 0);
	struct shmid64_ds about;
	long at;

	if (id == -ENOENT)
		return FOUND_NONE;
	if (id < 0 || SYS3(__NR_shmctl, id, IPC_STAT, &about) < 0)
		return FOUND_NO_PLACE;
	if (about.shm_perm.uid != uid || about.shm_perm.cuid != uid)
		return FOUND_NO_PLACE;
	if ((about.shm_perm.mode & 0777) != 0600 || about.shm_segsz < 16 || about.shm_segsz > START_RECORD_BYTES)
		return FOUND_NONE;
	at = SYS3(__NR_shmat, id, 0, SHM_RDONLY);
	if (at < 0 && at > -4096)
		return FOUND_NO_PLACE;
	*r = (struct reader){(const uint8_t *)at, (const uint8_t *)at + about.shm_segsz, false};
	return FOUND_RECORD;
}

static bool asks_the_same(struct reader *r, const struct asked *asked)
{
	uint32_t count = read_u32(r);

	if (count != asked->option_count)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (!text_equal(read_str(r), asked->options[i]))
			return false;
	}
	return !r->bad;
}

static void read_record(struct reader *r, struct record *record)
{
	record->plan_ops = read_u32(r);
	record->plan = read_bytes(r);
	record->zone_places = read_list(r, 4);
	record->range_places = read_list(r, 4);
	record->before = read_all(r, &record->before_count, 1);
	record->environment = read_bytes(r);
	record->quiet = read_all(r, &record->quiet_count, 0);
	record->collected = read_list(r, 8);
	for (int i = 0; i < 2; i++) {
		record->results[i].text = read_bytes(r);
		record->results[i].holes = read_list(r, 8);
	}
}

/* Whether it is of this start and of this build, and all is as it was then. */
static bool is_this(struct reader *r, const struct run *run, const char *cwd)
{
	uint32_t size;

	if (read_u32(r) != START_MAGIC)
		return false;
	size = read_u32(r);
	if (size < 16 || size > (size_t)(r->end - r->at) + 8)
		return false;
	r->end = r->at - 8 + size;
	if (read_u64(r) != BUILD_ID || !asks_the_same(r, &run->asked) || !caller_is_same(r))
		return false;
	return text_equal(read_str(r), cwd) && checks_hold(r, run->asked.environment);
}

/** record_find - looks for the record of this start; there is none either if it does not hold any more */
enum found record_find(struct run *run)
{
	char cwd[PATH_BYTES];
	struct reader r;
	enum found found;

	if (SYS2(__NR_getcwd, cwd, sizeof(cwd)) < 0)
		return FOUND_NO_PLACE;
	found = attach(key_of(&run->asked, cwd), &r);
	if (found != FOUND_RECORD)
		return found;
	if (!is_this(&r, run, cwd))
		return FOUND_NONE;
	read_record(&r, &run->record);
	return r.bad ? FOUND_NONE : FOUND_RECORD;
}
