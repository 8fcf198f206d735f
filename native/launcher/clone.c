/* Init's birth in namespaces of its own, and who its ids are. */
#include "launcher.h"
#include <grp.h>
#include <sched.h>

/** is_mapped - whether an id outside, or inside, has a counterpart; without a user namespace every id has */
bool is_mapped(const struct plan *plan, uint32_t map_op, uint32_t id, bool outside)
{
	if (!(plan->only[OP_NAMESPACES]->u.namespaces.flags & CLONE_NEWUSER))
		return true;
	for (const struct op *op = NULL; (op = op_next(plan, op, map_op)) != NULL;) {
		const struct op_uid_map *map = &op->u.uid_map;

		if (id - (outside ? map->outside : map->inside) < map->count)
			return true;
	}
	return false;
}

/**
 * init_clone - clones init into the plan's namespaces, all but two
 *
 * Raw clone3 without a stack is a fork. The cgroup namespace's root is the caller's cgroup, so init makes it when it has entered the
 * zone's cgroups. The network namespace takes the kernel longer than all others together: the task makes it while init mounts.
 */
int init_clone(struct zone *z, struct fault *f)
{
	const struct op *namespaces = z->plan.only[OP_NAMESPACES];
	struct clone_args args = {
		.flags = (namespaces->u.namespaces.flags & ~(uint32_t)(CLONE_NEWCGROUP | CLONE_NEWNET)) | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&z->pidfd,
		.exit_signal = SIGCHLD,
	};
	int startup[2];
	int sockets[2];

	fault_at(f, &z->plan, namespaces);
	if (!(args.flags & CLONE_NEWNS) || !(args.flags & CLONE_NEWPID))
		return fault_with(f, EINVAL, "namespaces", "a zone needs at least mount and pid");
	if (pipe2(startup, O_CLOEXEC) < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return fault(f, "pipe2", NULL);
	if (z->cgroup_dir >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)(uint32_t)z->cgroup_dir;
	}
	/*
	 * Where the maps leave the supervisor's own id out (root, who maps an unprivileged range), init is a stranger to the host's
	 * files and has no say over their file systems: then the supervisor opens every source, maps its ids where asked, and lends
	 * init the mount. An ordinary user's init is still that user, and does it itself in its own mount namespace.
	 */
	z->lends = !is_mapped(&z->plan, OP_UID_MAP, geteuid(), true);
	z->init = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (z->init < 0) {
		z->init = 0;
		return fault(f, "clone3", NULL);
	}
	if (z->init == 0) {
		z->socket = sockets[1], z->socket_peer = sockets[0];
		z->startup = startup[1], z->startup_peer = startup[0];
		init_main(z);
	}
	z->socket = sockets[0], z->startup = startup[0];
	close(sockets[1]);
	close(startup[1]);
	return 0;
}

/* The path of a file of init's directory in /proc. */
static const char *proc_path(const struct zone *z, const char *name, char path[64])
{
	char *at = text_put(path, path + 64, "/proc/");

	at = text_number(at, path + 64, (uint64_t)z->init);
	at = text_put(at, path + 64, "/");
	text_put(at, path + 64, name);
	return path;
}

static int proc_write(const struct zone *z, const char *name, const char *text, struct fault *f)
{
	char path[64];

	return file_write(proc_path(z, name, path), text) < 0 ? fault(f, "write", name) : 0;
}

/* All lines of one map, in one write, as the kernel wants it. */
static int map_write(const struct zone *z, uint32_t id, const char *name, struct fault *f)
{
	char text[4096];
	const char *end = text + sizeof(text);
	char *at = text;

	for (const struct op *op = NULL; (op = op_next(&z->plan, op, id)) != NULL;) {
		/* uid_map and gid_map have the same fields */
		const struct op_uid_map *map = &op->u.uid_map;

		fault_at(f, &z->plan, op);
		at = text_number(at, end, map->inside);
		at = text_put(at, end, " ");
		at = text_number(at, end, map->outside);
		at = text_put(at, end, " ");
		at = text_number(at, end, map->count);
		at = text_put(at, end, "\n");
	}
	return at == text ? 0 : proc_write(z, name, text, f);
}

/** ids_map - writes the id maps of the zone's user namespace and lets init go on; or says that they are rauha's to write */
int ids_map(struct zone *z, struct fault *f)
{
	const struct op *deny = z->plan.only[OP_SETGROUPS_DENY];
	const struct message go = {.kind = MESSAGE_GO};

	f->stage = STAGE_IDMAP;
	f->op = NO_OP;
	if (z->plan.only[OP_ID_HELPERS]) {
		/* Not ours to write: init goes on when the supervisor hears rauha's word. */
		report_send(z, RECORD_IDS, &(const struct record_ids){(uint32_t)z->init});
		return 0;
	}
	if (z->plan.only[OP_NAMESPACES]->u.namespaces.flags & CLONE_NEWUSER) {
		if (deny) {
			fault_at(f, &z->plan, deny);
			if (proc_write(z, "setgroups", "deny", f) < 0)
				return -1;
		}
		if (map_write(z, OP_GID_MAP, "gid_map", f) < 0 || map_write(z, OP_UID_MAP, "uid_map", f) < 0)
			return -1;
		/* Now, while init's ids are still ours: later it takes CAP_SYS_PTRACE. */
		if (z->lends) {
			char path[64];

			z->user_ns = open(proc_path(z, "ns/user", path), O_RDONLY | O_CLOEXEC);
			if (z->user_ns < 0)
				return fault(f, "open", "ns/user");
		}
	}
	/* A failure to send means that init has ended: its own record says why. */
	message_send(z->socket, &go, -1);
	return 0;
}

/* Settings of the zone's own user namespace; where /proc/sys is read-only (in a container) or has no such file, the host's hold. */
static void user_limits_set(struct zone *z)
{
	for (const struct op *op = NULL; (op = op_next(&z->plan, op, OP_USER_LIMIT)) != NULL;)
		if (file_write(op->u.user_limit.path, op->u.user_limit.value) < 0)
			report_skipped(z, op, errno, "write");
}

/**
 * ids_take - makes init the zone's root, where it is nobody
 *
 * Root's init starts with ids that mean nothing inside: it could make no file. The change also undoes PR_SET_PDEATHSIG, so that
 * comes after. An ordinary user's init stays that user, with his groups: only so it can open all that he can.
 */
int ids_take(struct zone *z, struct fault *f)
{
	f->stage = STAGE_IDMAP;
	f->op = NO_OP;
	if (z->lends && (setgroups(0, NULL) < 0 || syscall(SYS_setresgid, 0, 0, 0) < 0))
		return fault(f, "setresgid", NULL);
	if (z->lends && syscall(SYS_setresuid, 0, 0, 0) < 0)
		return fault(f, "setresuid", NULL);
	user_limits_set(z);
	return 0;
}
