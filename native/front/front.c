/* The order of things. */
#include "front.h"
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/signal.h>
#include <linux/signalfd.h>

#define SIGNAL_BIT(number) (1ull << ((number)-1))
/* SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM: left for the runtime's handlers, which find them waiting (src/cli/signals.ts). */
#define HEARD_SIGNALS (SIGNAL_BIT(1) | SIGNAL_BIT(2) | SIGNAL_BIT(3) | SIGNAL_BIT(10) | SIGNAL_BIT(12) | SIGNAL_BIT(15))
#define BROKEN_PIPE   SIGNAL_BIT(13)
#define RANDOM_BYTES  10

static void die(const char *words)
{
	SYS3(__NR_write, 2, words, text_length(words));
	for (;;)
		SYS1(__NR_exit_group, 125);
}

/* The page that the runtime looks at: it must be there, whatever the front does. */
static struct state *state_make(void)
{
	long flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
	long at = SYS6(__NR_mmap, STATE_ADDRESS, STATE_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);
	struct state *state = (struct state *)STATE_ADDRESS;

	if (at != (long)STATE_ADDRESS)
		die("rauha: a page of memory can't be had at its address, 0x4000000000: is the limit of address space "
		    "too "
		    "low? (`ulimit -v`: unlimited will do)\n");
	state->magic = FRONT_MAGIC;
	state->says = SAYS_NOTHING;
	return state;
}

/* 80 random bits behind a prefix that says of what (src/cli/ids.ts). */
static bool name(char id[ID_BYTES], const char *prefix)
{
	uint8_t random[RANDOM_BYTES];
	struct writer w = {(uint8_t *)id};

	if (SYS3(__NR_getrandom, random, sizeof(random), 0) != sizeof(random))
		return false;
	put(&w, prefix, 5);
	for (uint32_t i = 0; i < RANDOM_BYTES; i++) {
		*w.at++ = (uint8_t) "0123456789abcdef"[random[i] >> 4];
		*w.at++ = (uint8_t) "0123456789abcdef"[random[i] & 15];
	}
	return true;
}

static uint64_t mask(uint32_t how, uint64_t signals)
{
	uint64_t before = 0;

	SYS4(__NR_rt_sigprocmask, how, &signals, &before, sizeof(signals));
	return before;
}

/* From here on a signal waits: for the runtime, or for nobody, when the run has ended first. What the caller blocks stays so. */
static bool signals_hold(struct run *run)
{
	uint64_t heard = HEARD_SIGNALS;

	run->state->held = (HEARD_SIGNALS | BROKEN_PIPE) & ~mask(SIG_BLOCK, HEARD_SIGNALS | BROKEN_PIPE);
	run->signals = (int)SYS4(__NR_signalfd4, -1, &heard, sizeof(heard), SFD_CLOEXEC);
	if (run->signals >= 0)
		return true;
	mask(SIG_UNBLOCK, run->state->held);
	return false;
}

static void signals_release(struct run *run)
{
	close_fd(run->signals);
	mask(SIG_UNBLOCK, run->state->held);
}

/* What the runtime must know to take over; it lets signals in again when it listens for them. */
static void hand_over(struct run *run)
{
	struct state *state = run->state;

	close_fd(run->signals);
	state->pid = (uint64_t)run->pid;
	state->report = (uint64_t)run->report;
	state->control = (uint64_t)run->control;
	state->heard = (uint64_t)run->heard;
	state->plan = (uint64_t)run->plan;
	state->plan_bytes = run->plan_bytes;
	state->says = SAYS_BEGUN;
}

/* Where the runtime finds the ids: behind the state, on its page. */
static void keep_ids(struct run *run)
{
	char *ids = (char *)run->state + sizeof(struct state);

	memcpy(ids, run->task_id, ID_BYTES);
	memcpy(ids + ID_BYTES, run->zone_id, ID_BYTES);
	run->state->task_id = (uint64_t)ids;
	run->state->zone_id = (uint64_t)(ids + ID_BYTES);
}

static bool begin(struct run *run)
{
	enum found found;

	run->state->created_at = now_ms();
	found = record_find(run);
	if (found != FOUND_RECORD) {
		run->state->says = found == FOUND_NONE ? SAYS_UNKNOWN : SAYS_NOTHING;
		return false;
	}
	run->heard = memory(HEARD_BYTES);
	if (!run->heard || !name(run->task_id, "task_") || !name(run->zone_id, "zone_") || !plan_make(run))
		return false;
	keep_ids(run);
	if (!signals_hold(run))
		return false;
	if (launch(run))
		return true;
	signals_release(run);
	return false;
}

void front_main(uintptr_t *stack);

/** front_main - `stack` is what the kernel put there: the number of arguments, them, NULL, the environment, NULL */
void front_main(uintptr_t *stack)
{
	char **argv = (char **)(stack + 1);
	int argc = (int)stack[0];
	struct run run = {.state = state_make(), .report = -1, .control = -1, .signals = -1};
	uint32_t exit_code;

	if (!ask(&run.asked, argc, argv, argv + argc + 1) || has_leftovers(run.asked.environment) || !begin(&run))
		return;
	if (report_follow(&run) != HEARD_PLAIN || !result_write(&run, &exit_code)) {
		hand_over(&run);
		return;
	}
	/* Nothing of the zone is left when rauha has ended, and its launcher is of the zone. */
	close_fd(run.control);
	SYS4(__NR_wait4, run.pid, 0, 0, 0);
	for (;;)
		SYS1(__NR_exit_group, exit_code);
}
