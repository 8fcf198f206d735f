#include "launcher.h"
#include <time.h>

static uint64_t read_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/** clock_ns - monotonic time */
uint64_t clock_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

/** processor_ns - processor time that this process has used */
uint64_t processor_ns(void)
{
	return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t microseconds(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_usec;
}
