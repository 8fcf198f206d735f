/*
 * Before anything is pinned: an attack from a throw-away zone must be denied, and counted; and what the zone may do must work. The zone
 * is a cgroup with one process, whose mount tree is none: every file that it opens lies outside.
 */
#include "loader.h"
#include <fcntl.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define INIT_CGROUP_NAMESPACE 0xeffffffbu
#define CPUS_MAX	      4096

enum outcome { DENIED_AS_MEANT = 0, NOT_ENTERED = 1, OPENED = 2, WRONG_ERRNO = 3, KILLED = 4, NEIGHBOUR_DENIED = 5 };

static const char *const words[] = {
	"",
	"the throw-away zone's process could not enter its cgroup",
	"a file outside the zone's mount tree could be opened",
	"a denial has another errno than EACCES or EPERM",
	"a process outside the zone could be signalled",
	"the zone's process could not signal itself",
};

/* Runs in the zone. Nothing may be opened after entering. */
static enum outcome attack(int members)
{
	pid_t parent = getppid();

	if (write(members, "0", 1) != 1)
		return NOT_ENTERED;
	if (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
		return OPENED;
	if (errno != EACCES)
		return WRONG_ERRNO;
	if (kill(parent, 0) == 0)
		return KILLED;
	if (errno != EPERM)
		return WRONG_ERRNO;
	return kill(getpid(), 0) == 0 ? DENIED_AS_MEANT : NEIGHBOUR_DENIED;
}

static int unified_mount(char path[PATH_MAX])
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	const struct mntent *entry;
	int status = -1;

	while (mounts && status < 0 && (entry = getmntent(mounts)) != NULL) {
		if (strcmp(entry->mnt_type, "cgroup2") == 0 && strlen(entry->mnt_dir) + 64 < PATH_MAX) {
			snprintf(path, PATH_MAX, "%s/rauha-selftest-%d", entry->mnt_dir, getpid());
			status = 0;
		}
	}
	if (mounts)
		endmntent(mounts);
	return status;
}

static uint64_t denials(const struct state *state, uint32_t hook)
{
	static uint64_t values[CPUS_MAX];
	uint32_t key = hook * DECISION_COUNT + DECISION_DENY;
	int cpus = libbpf_num_possible_cpus();
	uint64_t sum = 0;

	if (cpus <= 0 || cpus > CPUS_MAX || bpf_map_lookup_elem(state->counters, &key, values) < 0)
		return 0;
	for (int cpu = 0; cpu < cpus; cpu++)
		sum += values[cpu];
	return sum;
}

/* Marks the levels where the throw-away zone may lie. Below a cgroup namespace nobody says how deep: then all of them. */
static void levels_mark(const struct state *state, uint64_t mark)
{
	struct stat ns;
	bool is_host = stat("/proc/self/ns/cgroup", &ns) == 0 && ns.st_ino == INIT_CGROUP_NAMESPACE;
	uint32_t last = is_host ? 1 : LEVELS - 1;

	for (uint32_t level = 1; level <= last; level++)
		bpf_map_update_elem(state->levels, &level, &mark, BPF_ANY);
}

static bool levels_are_marked(const struct state *state)
{
	uint32_t level = 1;
	uint64_t mark = 0;

	bpf_map_lookup_elem(state->levels, &level, &mark);
	return mark != 0;
}

static int zone_make(const struct state *state, uint64_t id)
{
	/* A namespace number that the kernel gives to nobody. */
	struct zone_record zone = {.cgroup = id, .owner_pid = (uint32_t)getpid(), .armed = 1, .mount_ns = 1};
	struct policy_record policy = {0};

	snprintf((char *)zone.id, sizeof(zone.id), "selftest");
	if (bpf_map_update_elem(state->policies, &id, &policy, BPF_ANY) < 0 ||
	    bpf_map_update_elem(state->zones, &id, &zone, BPF_NOEXIST) < 0)
		return say_failed("make the throw-away zone", errno);
	return 0;
}

/* Takes the zone away; returns how many of its denials were told. */
static uint32_t zone_remove(const struct state *state, uint64_t id)
{
	uint32_t told = 0;

	bpf_map_delete_elem(state->zones, &id);
	bpf_map_delete_elem(state->policies, &id);
	for (struct event_key_record key = {.zone = id}; key.number < EVENTS_PER_ZONE; key.number++) {
		if (bpf_map_delete_elem(state->events, &key) < 0)
			break;
		told++;
	}
	return told;
}

static int run_attack(const struct state *state, const char *cgroup, uint64_t id)
{
	uint64_t opens = denials(state, HOOK_FILE_OPEN);
	uint64_t kills = denials(state, HOOK_TASK_KILL);
	char path[PATH_MAX];
	int status = 0;
	int members;
	uint32_t told;
	pid_t child;

	if (path_join(path, cgroup, "cgroup.procs") < 0)
		return say_failed(cgroup, ENAMETOOLONG);
	members = open(path, O_WRONLY | O_CLOEXEC);
	if (members < 0 || zone_make(state, id) < 0)
		return say_failed(path, errno);
	child = fork();
	if (child == 0)
		_exit(attack(members));
	close(members);
	if (child < 0 || waitpid(child, &status, 0) < 0)
		status = -1;
	told = zone_remove(state, id);
	if (!WIFEXITED(status) || WEXITSTATUS(status) > NEIGHBOUR_DENIED)
		return say_failed("the throw-away zone's process did not come to its end", ECHILD);
	if (WEXITSTATUS(status) != DENIED_AS_MEANT)
		return say_failed(words[WEXITSTATUS(status)], EPERM);
	if (denials(state, HOOK_FILE_OPEN) == opens || denials(state, HOOK_TASK_KILL) == kills || told < 2)
		return say_failed("a denial was not counted or not told", ENODATA);
	return 0;
}

/** self_test - attacks from a throw-away zone; says what got through */
int self_test(const struct state *state)
{
	bool marked = levels_are_marked(state);
	char cgroup[PATH_MAX];
	struct stat status;
	int result;

	if (unified_mount(cgroup) < 0)
		return say_failed("no cgroup2 file system is mounted", ENOENT);
	if (mkdir(cgroup, 0755) < 0 || stat(cgroup, &status) < 0)
		return say_failed(cgroup, errno);
	levels_mark(state, 1);
	result = run_attack(state, cgroup, status.st_ino);
	if (!marked)
		levels_mark(state, 0);
	/* The kernel may count the process that was waited for a moment longer. */
	for (int tries = 0; rmdir(cgroup) < 0 && errno == EBUSY && tries < 200; tries++)
		usleep(1000);
	return result;
}
