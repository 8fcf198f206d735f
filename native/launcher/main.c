/*
 * The launcher: turns a plan into a zone that runs one task, and says what became of it. It decides nothing. All that happens is in
 * the plan, which rauha wrote; all that is found out goes into the report, for rauha to read.
 *
 *   supervisor                          init (pid 1 of the zone)              task
 *   ----------                          ------------------------              ----
 *   decode and check the plan
 *   make cgroups, set limits
 *   open the task's streams
 *   clone3 ──────────────────────────►  enter cgroups, cut propagation
 *   write id maps ───────── go ──────►  become the zone's root
 *                                       fork ──────────────────────────────►  session, network namespace, loopback,
 *   open sources, map ids ── lend ───►  mount the zone's tree, pivot,          bounding set
 *                                       host name
 *   poll:                               join the network ◄─── network ──────
 *     word of the network   ◄── network ──  (network_gate: rauha connects it)
 *     go of rauha ─────────── go ──────►
 *                                       open the gate ────── root ─────────►  terminal (-t), streams, rlimits
 *                                       give up privileges                    ids, capabilities, no_new_privs
 *                                                                             Landlock, seccomp, verify
 *     records of the start  ◄── end of file: execve has worked ────────────   execve
 *     streams, clock, window size
 *     denied calls          ◄── listener ──────────────────────────────────   (the command)
 *     words of rauha ──── signal ────►  pass on, reap, watch memory
 *     init's last word  ◄── status ───  end the zone, exit
 *   drain, account, remove cgroups
 *
 * Whoever dies takes the zone along: rauha's death is the end of the control pipe, the supervisor's is PR_SET_PDEATHSIG and the end
 * of the socket for init, init's is the end of every process of its pid namespace.
 */
#include "launcher.h"
#include <sys/wait.h>

/*
 * The process as this program wants to have it, whatever the caller left: no descriptor above the agreed ones, none of those missing
 * (the next open would take its place), every signal blocked, none ignored.
 *
 * Blocked, because ^C and hang-ups hit the whole foreground job: what they mean is rauha's to decide, and rauha says it over the
 * control pipe. SIGTTOU and SIGTTIN blocked let us write to a terminal from the background instead of stopping. The kernel's own
 * calls, because C libraries keep some signals for themselves.
 */
static void process_prepare(void)
{
	const uint64_t all = UINT64_MAX;
	const struct {
		void *handler;
		unsigned long flags, restorer, mask;
	} inherited = {.handler = NULL};

	sys_close_range(FD_STDERR + 1, 0);
	for (int fd = FD_CONTROL; fd <= FD_STDERR; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			_exit(1);
	}
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
	for (int signal = 1; signal <= 64; signal++)
		syscall(SYS_rt_sigaction, signal, &inherited, NULL, sizeof(all));
}

/* From plan to running init. What fails on init's side is in init's own record. */
static int zone_make(struct zone *z, struct fault *f)
{
	if (plan_read(&z->plan, f) < 0)
		return -1;
	if (cgroups_make(z, f) < 0 || streams_open(z, f) < 0 || init_clone(z, f) < 0)
		return -1;
	streams_release(z);
	if (ids_map(z, f) < 0 || sources_lend(z, f) < 0)
		return -1;
	return 0;
}

/* A zone that could not be made: whatever there is of it ends now. */
static void zone_abandon(struct zone *z, const struct fault *f)
{
	if (z->init > 0) {
		sys_pidfd_kill(z->pidfd, SIGKILL);
		waitpid(z->init, NULL, 0);
	}
	report_failed(z, f);
}

int main(void)
{
	static struct zone zone;
	struct fault f = {.op = NO_OP};
	struct record_cleaned cleaned = {0, ""};

	process_prepare();
	zone = (struct zone){
		.report = FD_REPORT, .cgroup_dir = -1, .pidfd = -1, .socket = -1, .user_ns = -1, .parent = -1};
	zone.listener = -1;
	zone.stdio[0] = zone.stdio[1] = zone.stdio[2] = zone.stdin_pipe = zone.pty = -1;
	if (zone_make(&zone, &f) == 0)
		supervise(&zone);
	else
		zone_abandon(&zone, &f);
	terminal_restore(&zone);
	report_flush(&zone);
	if (cgroups_remove(&zone, &f) < 0)
		cleaned = (struct record_cleaned){(uint32_t)f.err, f.detail};
	report_send(&zone, RECORD_CLEANED, &cleaned);
	return 0;
}
