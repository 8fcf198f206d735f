/*
 * Pipes for splice(2): bytes go from socket to pipe to socket without being copied. A direction holds one only while bytes wait in it,
 * so thousands of idle connections need none. What is left of a pipe that is not empty is thrown away with it.
 */
#include "gateway.h"
#include <fcntl.h>
#include <unistd.h>

/*
 * The fewer wakings, the cheaper: a large pipe saves a third of the processor time. But what a user's pipes may hold together is bounded
 * (pipe-user-pages-soft), and other programs of the caller want some: so only a few are large, the rest as pipes are made.
 */
#define LARGE_BYTES (1 << 20)
#define LARGE_MAX   16u
#define PIPES_MAX   (2u * LIMIT_CONNECTIONS)
/* Idle pipes that are kept. */
#define IDLE_MAX 64u

struct ends {
	int read;
	int write;
	bool large;
};

static struct ends pipes[PIPES_MAX];
static uint32_t idle[IDLE_MAX];
static uint32_t idle_count;
static uint32_t large;
static uint32_t made; /* below this, every place has been used */
static uint32_t vacant[PIPES_MAX];
static uint32_t vacant_count;

/** pipe_take - an empty pipe, or -1 where there are no descriptors left: then what waits must wait */
int pipe_take(void)
{
	int ends[2];
	uint32_t place;

	if (idle_count > 0)
		return (int)idle[--idle_count];
	if (vacant_count == 0 && made == PIPES_MAX)
		return -1;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	place = vacant_count > 0 ? vacant[--vacant_count] : made++;
	pipes[place] = (struct ends){ends[0], ends[1], false};
	pipes[place].large = large < LARGE_MAX && fcntl(ends[1], F_SETPIPE_SZ, LARGE_BYTES) >= 0;
	large += pipes[place].large;
	return (int)place;
}

/** pipe_give - gives a pipe back; one that is not empty holds bytes that nobody may get, and is closed */
void pipe_give(int pipe, bool empty)
{
	uint32_t place = (uint32_t)pipe;

	if (empty && idle_count < IDLE_MAX) {
		idle[idle_count++] = place;
		return;
	}
	large -= pipes[place].large;
	close(pipes[place].read);
	close(pipes[place].write);
	vacant[vacant_count++] = place;
}

int pipe_end(int pipe, bool write_end)
{
	return write_end ? pipes[pipe].write : pipes[pipe].read;
}
