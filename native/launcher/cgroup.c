/*
 * The zone's cgroups: made, filled with limits, entered, read at the end, removed. One on the unified hierarchy, or one for each
 * version 1 controller in use.
 */
#include "launcher.h"
#include <dirent.h>
#include <time.h>

#define REMOVE_TRIES 200
/* What one run removes of what others left: a few directories take no time that anybody notices. */
#define SWEEP_MAX 16

static void join(char path[PATH_MAX], const char *directory, const char *name)
{
	char *at = text_put(path, path + PATH_MAX, directory);

	at = text_put(at, path + PATH_MAX, "/");
	text_put(at, path + PATH_MAX, name);
}

/* Writes a control file of the cgroup made last. */
static int cgroup_set(struct zone *z, const struct op *op, const char *directory, struct fault *f)
{
	const struct op_cgroup_set *set = &op->u.cgroup_set;
	char path[PATH_MAX];

	join(path, directory, set->file);
	if (file_write(path, set->value) == 0)
		return 0;
	if (errno != ENOENT || !set->optional)
		return fault(f, "write", path);
	report_skipped(z, op, errno, "open");
	return 0;
}

/* Makes one cgroup and opens the way into it. */
static int cgroup_make(struct zone *z, const struct op_cgroup *cgroup, struct fault *f)
{
	char path[PATH_MAX];
	int fd;

	if (z->cgroups == CGROUPS_MAX)
		return fault_with(f, E2BIG, "mkdir", cgroup->path);
	if (mkdir(cgroup->path, 0755) < 0 && (errno != EEXIST || cgroup->kind != CGROUP_KIND_V2_GIVEN))
		return fault(f, "mkdir", cgroup->path);
	z->cgroups++;
	if (cgroup->kind != CGROUP_KIND_V1) {
		z->cgroup_dir = open(cgroup->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return z->cgroup_dir < 0 ? fault(f, "open", cgroup->path) : 0;
	}
	join(path, cgroup->path, "tasks");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return fault(f, "open", path);
	z->tasks[z->tasks_count++] = fd;
	return 0;
}

/** cgroups_make - carries out `cgroup` and `cgroup_set` ops, in their order */
int cgroups_make(struct zone *z, struct fault *f)
{
	const char *directory = NULL;

	for (const struct op *op = z->plan.ops; op < z->plan.ops + z->plan.count; op++) {
		fault_at(f, &z->plan, op);
		if (op->id == OP_CGROUP) {
			directory = op->u.cgroup.path;
			if (cgroup_make(z, &op->u.cgroup, f) < 0)
				return -1;
		} else if (op->id == OP_CGROUP_SET && cgroup_set(z, op, directory, f) < 0) {
			return -1;
		}
	}
	return 0;
}

/**
 * cgroups_enter - puts init itself into its version 1 cgroups (version 2: clone3 did)
 *
 * "0" to `tasks`, from the process concerned: moving another one, or writing to cgroup.procs, takes a lock of the whole system that
 * waits for an RCU grace period, 12 to 18 ms. A single thread that moves itself does not (since 5.8). The kernel checks the rights of
 * who opened the file (since 5.16, and where backported), which was the supervisor.
 */
int cgroups_enter(struct zone *z, struct fault *f)
{
	f->stage = STAGE_CGROUP;
	f->op = NO_OP;
	for (uint32_t i = 0; i < z->tasks_count; i++) {
		if (write(z->tasks[i], "0", 1) != 1)
			return fault(f, "write", "tasks");
		close(z->tasks[i]);
	}
	return 0;
}

/** cgroups_collect - reports the control files that the plan wants to see at the end */
void cgroups_collect(struct zone *z)
{
	const char *directory = "";

	for (const struct op *op = z->plan.ops; op < z->plan.ops + z->plan.count; op++) {
		uint8_t text[4096];
		char path[PATH_MAX];
		ssize_t size;
		int fd;

		if (op->id == OP_CGROUP)
			directory = op->u.cgroup.path;
		if (op->id != OP_CGROUP_COLLECT)
			continue;
		join(path, directory, op->u.cgroup_collect.file);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		size = fd < 0 ? -1 : read(fd, text, sizeof(text));
		if (size < 0) {
			report_skipped(z, op, errno, fd < 0 ? "open" : "read");
		} else {
			struct record_collected record = {(uint32_t)(op - z->plan.ops), {(uint32_t)size, text}};

			report_add(z, RECORD_COLLECTED, &record);
		}
		if (fd >= 0)
			close(fd);
	}
}

/*
 * The last process of a cgroup has been waited for, and still the kernel may count it for a moment: EBUSY then, and a millisecond
 * later no more.
 */
static int remove_one(const char *path)
{
	for (int tries = 0; rmdir(path) < 0 && errno != ENOENT; tries++) {
		const struct timespec pause = {.tv_nsec = 500000};

		if (errno != EBUSY || tries == REMOVE_TRIES)
			return -1;
		nanosleep(&pause, NULL);
	}
	return 0;
}

/** cgroups_remove - removes what cgroups_make made, last first; all of it, and then says what stayed */
int cgroups_remove(struct zone *z, struct fault *f)
{
	uint32_t left = 0;
	int status = 0;

	for (const struct op *op = NULL; (op = op_next(&z->plan, op, OP_CGROUP)) != NULL;)
		left++;
	for (const struct op *op = z->plan.ops + z->plan.count; left > 0;) {
		if ((--op)->id != OP_CGROUP)
			continue;
		/* Of the plan's cgroups, the first `cgroups` were made. */
		if (left-- <= z->cgroups && remove_one(op->u.cgroup.path) < 0)
			status = fault(f, "rmdir", op->u.cgroup.path);
	}
	return status;
}

/*
 * Empty directories only: rmdir refuses a cgroup that anyone lives in. Young ones may be about to be entered. The kernel dates a cgroup
 * from its inode's first use, and again when the inode was dropped from memory: a sweep may come late, never early.
 */
static void sweep(const struct op_cgroup_sweep *old)
{
	DIR *directory = opendir(old->path);
	const struct dirent *entry;
	struct timespec now;
	int removals = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	while (directory && removals < SWEEP_MAX && (entry = readdir(directory)) != NULL) {
		struct stat status;

		if (strncmp(entry->d_name, old->prefix, strlen(old->prefix)) != 0 || old->prefix[0] == '\0')
			continue;
		if (fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(status.st_mode) && status.st_mtim.tv_sec + (time_t)old->min_age_s < now.tv_sec)
			removals += unlinkat(dirfd(directory), entry->d_name, AT_REMOVEDIR) == 0;
	}
	if (directory)
		closedir(directory);
}

/** cgroups_sweep - removes cgroups that killed runs left behind; see init_turn for when */
void cgroups_sweep(const struct zone *z)
{
	for (const struct op *op = NULL; (op = op_next(&z->plan, op, OP_CGROUP_SWEEP)) != NULL;)
		sweep(&op->u.cgroup_sweep);
}
