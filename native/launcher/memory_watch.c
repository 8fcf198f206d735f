/*
 * Where no cgroup counts the zone's memory, init does: what its processes hold, and what its tmpfs holds. It misses what belongs to no
 * process, like memfds that nobody maps and pipes that nobody reads: the guarantee says "rlimit", not "cgroup".
 */
#include "launcher.h"
#include <dirent.h>
#include <stdlib.h>
#include <sys/statfs.h>

/* No program fills memory faster than this, in bytes for each ns: how long a look at the zone holds good. */
#define FILL_RATE	8u
#define LONGEST_WAIT_NS 1000000000u
/* Looking takes at most a twentieth of a processor; counted in its time, or a busy machine would make the watch a lazy one. */
#define LOOK_SHARE 20u

struct held {
	uint64_t anonymous;
	uint64_t shared;
	bool blind; /* init could not look: see memory_is_over */
};

/* The number behind a key of a file of /proc, in bytes. */
static uint64_t value_of(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, 10) * 1024u : 0;
}

static bool read_file(int proc, const char *pid, const char *name, char *text, size_t size)
{
	char path[64];
	char *at = text_put(path, path + sizeof(path), pid);
	ssize_t got;
	int fd;

	text_put(at, path + sizeof(path), name);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, text, size - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got > 0;
}

/* What one process holds: quickly, where what it shares with others counts in each; or exactly, as its share. */
static void add_process(int proc, const char *pid, bool exactly, struct held *sum)
{
	char text[4096];

	if (exactly && read_file(proc, pid, "/smaps_rollup", text, sizeof(text))) {
		sum->anonymous += value_of(text, "\nPss_Anon:");
		sum->shared += value_of(text, "\nPss_Shmem:");
	} else if (read_file(proc, pid, "/status", text, sizeof(text))) {
		sum->anonymous += value_of(text, "\nRssAnon:");
		sum->shared += value_of(text, "\nRssShmem:");
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
		sum->blind = true; /* not because the process has ended */
	}
}

/* All processes of the zone; returns how many there are besides init. */
static uint32_t add_processes(int proc, bool exactly, struct held *sum)
{
	DIR *directory = fdopendir(dup(proc));
	const struct dirent *entry;
	uint32_t count = 0;

	if (!directory) {
		sum->blind = true;
		return 0;
	}
	rewinddir(directory);
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		add_process(proc, entry->d_name, exactly, sum);
		count++;
	}
	closedir(directory);
	return count > 0 ? count - 1 : 0;
}

static uint64_t tmpfs_bytes(int root)
{
	struct statfs status;

	return fstatfs(root, &status) < 0 ? 0 : (uint64_t)(status.f_blocks - status.f_bfree) * (uint64_t)status.f_bsize;
}

/*
 * The quick sum is never too small. Only when it is over the limit, the exact one is made, which takes the kernel a walk over all page
 * tables; in it, mapped files of the tmpfs are in both figures, so that the larger one counts.
 */
static uint64_t zone_bytes(struct memory_watch *watch, bool *blind)
{
	uint64_t tmpfs = tmpfs_bytes(watch->root);
	struct held quick = {.blind = false};
	struct held exact = {.blind = false};
	uint32_t pids = add_processes(watch->proc, false, &quick);

	if (pids > watch->pids_peak)
		watch->pids_peak = pids;
	*blind = quick.blind;
	if (quick.anonymous + quick.shared + tmpfs <= watch->limit)
		return quick.anonymous + quick.shared + tmpfs;
	add_processes(watch->proc, true, &exact);
	*blind |= exact.blind;
	return exact.anonymous + (exact.shared > tmpfs ? exact.shared : tmpfs);
}

/**
 * memory_is_over - looks at the zone's memory, and sets the time of the next look
 *
 * That is when the zone could have filled what is left of its limit, but not before `interval_ms`. A zone that keeps init from looking
 * counts as over: its processes have init's uid where an ordinary user runs it, and may take init's descriptors by prlimit(2).
 */
bool memory_is_over(struct memory_watch *watch)
{
	uint64_t start = processor_ns();
	bool blind = false;
	uint64_t bytes = zone_bytes(watch, &blind);
	uint64_t look = processor_ns() - start;
	uint64_t wait;

	if (bytes > watch->peak)
		watch->peak = bytes;
	if (blind || bytes > watch->limit)
		return true;
	wait = (watch->limit - bytes) / FILL_RATE;
	if (wait > LONGEST_WAIT_NS)
		wait = LONGEST_WAIT_NS;
	if (wait < watch->interval_ns)
		wait = watch->interval_ns;
	if (wait < look * LOOK_SHARE)
		wait = look * LOOK_SHARE;
	watch->next_ns = clock_ns() + wait;
	return false;
}
