/* The task: from a copy of init to the user's command. */
#include "launcher.h"

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

/*
 * Descriptors 0 to 2. -1 is the zone's own /dev/null; in a zone without one, a pipe that nobody holds the other end of: reading it
 * ends at once.
 */
static int stdio_set(const struct zone *z, struct fault *f)
{
	for (int fd = 0; fd < 3; fd++) {
		int from = z->stdio[fd];
		int ends[2] = {-1, -1};

		if (from < 0)
			from = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (from < 0 && pipe2(ends, O_CLOEXEC) == 0)
			from = ends[fd == 0 ? 0 : 1];
		if (from < 0 || dup2(from, fd) < 0)
			return fault(f, "dup2", NULL);
	}
	return 0;
}

/* With -t: the zone's terminal as the controlling one. */
static int terminal_take(struct zone *z, struct fault *f)
{
	if (z->plan.only[OP_IO]->u.io.mode != IO_PTY)
		return 0;
	if (pty_open(z, f) < 0)
		return -1;
	/* The terminal belongs to who works at it: mode 0620 keeps others out. */
	if (fchown(z->stdio[0], z->plan.only[OP_IDENTITY]->u.identity.uid, (gid_t)-1) < 0)
		return fault(f, "fchown", "terminal");
	return ioctl(z->stdio[0], TIOCSCTTY, 0) < 0 ? fault(f, "ioctl(TIOCSCTTY)", NULL) : 0;
}

/* By no link of /proc: it could lead to a directory of the host's that the launcher has open, its cgroup for one. */
static int workdir_enter(const struct zone *z, struct fault *f)
{
	const struct op *workdir = z->plan.only[OP_WORKDIR];
	const char *path = workdir ? workdir->u.workdir.path : "/";
	int fd = sys_openat2(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, RESOLVE_NO_MAGICLINKS);

	fault_at(f, &z->plan, workdir);
	return fd < 0 || fchdir(fd) < 0 ? fault(f, "chdir", path) : 0;
}

static const char *path_variable(const struct strs *env)
{
	for (uint32_t i = 0; i < env->count; i++) {
		if (strncmp(env->items[i], "PATH=", 5) == 0)
			return env->items[i] + 5;
	}
	return DEFAULT_PATH;
}

/*
 * Tries the command in each directory of PATH, as execvp does: what is not there is passed over, what may not be run is remembered.
 * Unlike execvp, what is not a program stays an error: no shell is guessed. Returns only with errno set.
 */
static void execute(const struct op_exec *exec)
{
	const char *name = exec->argv.items[0];
	const char *path = path_variable(&exec->env);
	int err = ENOENT;

	if (strchr(name, '/')) {
		execve(name, exec->argv.items, exec->env.items);
		return;
	}
	for (bool more = name[0] != '\0'; more;) {
		const char *end = strchrnul(path, ':');
		char file[PATH_MAX];
		char *at = file;

		if (end > path && (size_t)(end - path) < sizeof(file)) {
			memcpy(file, path, (size_t)(end - path));
			at += end - path;
			*at++ = '/';
		}
		at = text_put(at, file + sizeof(file), name);
		if (at + 1 < file + sizeof(file))
			execve(file, exec->argv.items, exec->env.items);
		else
			errno = ENAMETOOLONG;
		if (errno == EACCES)
			err = EACCES;
		else if (errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG)
			return;
		more = *end == ':';
		path = end + 1;
	}
	errno = err;
}

/* What can be done before there is a tree: a session of its own, the network, the loss of capabilities for good. */
static int prepare(struct zone *z, struct fault *f)
{
	close(z->gate_peer);
	f->stage = STAGE_EXEC;
	if (setsid() < 0)
		return fault(f, "setsid", NULL);
	return network_make(z, f) < 0 ? -1 : bounding_set_drop(z, f);
}

/*
 * Waits until init has built the tree. pivot_root(2) moves our root along with init's: looked at, not assumed. The directory we were in
 * is the host's and must be left. No word: init has failed, and says why.
 */
static int gate_pass(struct zone *z, struct fault *f)
{
	struct place root, here;

	if (read(z->gate, &root, sizeof(root)) != sizeof(root))
		_exit(1);
	fault_at(f, &z->plan, z->plan.only[OP_PIVOT]);
	if (chdir("/") < 0 || place_of(AT_FDCWD, ".", &here) < 0)
		return fault(f, "chdir", "/");
	return here.device == root.device && here.inode == root.inode ? 0 : fault_with(f, EXDEV, "pivot_root", "task");
}

/**
 * become - everything between the gate and exec
 *
 * The order: what needs privilege, then the loss of it, then what an unprivileged process may still do to itself. Landlock and then
 * seccomp go last, so that nothing of ours has to be allowed by them; the self-test alone comes after, to meet what the task meets.
 */
static int become(struct zone *z, struct fault *f)
{
	if (terminal_take(z, f) < 0 || stdio_set(z, f) < 0)
		return -1;
	/* Before the ids change: a hard limit may be raised by root only. */
	if (limits_set(z, f) < 0)
		return -1;
	if (identity_take(z, f) < 0 || capabilities_drop(z, f) < 0)
		return -1;
	/* After the ids have changed: only what the task itself may enter. */
	if (workdir_enter(z, f) < 0)
		return -1;
	/* Nothing of ours survives exec, whatever a part of the launcher may have left open. */
	if (sys_close_range(3, CLOSE_RANGE_CLOEXEC) < 0)
		return fault(f, "close_range", NULL);
	if (landlock_restrict(z, f) < 0 || seccomp_install(z, f) < 0)
		return -1;
	return verify_lockdown(z, f);
}

/** task_main - the life of the task, up to execve */
_Noreturn void task_main(struct zone *z)
{
	const struct op *exec = z->plan.only[OP_EXEC];
	struct fault f = {.op = NO_OP};

	report_start(z, z->startup);
	if (prepare(z, &f) == 0 && gate_pass(z, &f) == 0 && become(z, &f) == 0) {
		const uint64_t none = 0;

		report_flush(z);
		fault_at(&f, &z->plan, exec);
		/* Raw, to reach the signals that C libraries keep for themselves. A signal sent meanwhile takes effect now. */
		syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));
		execute(&exec->u.exec);
		fault(&f, "execve", exec->u.exec.argv.items[0]);
	}
	report_failed(z, &f);
	_exit(1);
}
