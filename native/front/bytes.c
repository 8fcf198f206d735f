/* Bytes, memory and the clock. */
#include "front.h"
#include <linux/mman.h>
#include <linux/time.h>
#include <linux/time_types.h>

void *memcpy(void *to, const void *from, size_t size)
{
	uint8_t *out = to;
	const uint8_t *in = from;

	while (size-- > 0)
		*out++ = *in++;
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	uint8_t *out = to;

	while (size-- > 0)
		*out++ = (uint8_t)byte;
	return to;
}

int memcmp(const void *one, const void *other, size_t size)
{
	const uint8_t *a = one;
	const uint8_t *b = other;

	for (; size > 0; size--, a++, b++) {
		if (*a != *b)
			return *a - *b;
	}
	return 0;
}

size_t text_length(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

bool text_equal(const char *one, const char *other)
{
	size_t length = text_length(one);

	return length == text_length(other) && memcmp(one, other, length) == 0;
}

void put(struct writer *w, const void *data, size_t size)
{
	memcpy(w->at, data, size);
	w->at += size;
}

void put_u32(struct writer *w, uint32_t value)
{
	put(w, &value, sizeof(value));
}

void put_u64(struct writer *w, uint64_t value)
{
	put(w, &value, sizeof(value));
}

uint32_t get_u32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

uint64_t get_u64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/** memory - zeroed memory that stays until the process ends; NULL where there is none */
void *memory(size_t size)
{
	long at = SYS6(__NR_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at < 0 && at > -4096 ? NULL : (void *)at;
}

/** now_ms - ms since the epoch */
uint64_t now_ms(void)
{
	struct __kernel_timespec now;

	SYS2(__NR_clock_gettime, CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

void close_fd(int fd)
{
	if (fd >= 0)
		SYS1(__NR_close, fd);
}
