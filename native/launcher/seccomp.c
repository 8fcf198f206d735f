/* The task's system call filter: the last lock, since after it only what the filter allows can be done. See seccomp(2). */
#include "launcher.h"
#include <linux/filter.h>
#include <linux/seccomp.h>

/**
 * seccomp_install - `seccomp`: the filter that was compiled for this zone
 *
 * With SECCOMP_LISTEN, calls that the filter hands to a listener wait for the supervisor's answer; the listener goes to it at once,
 * and not to the command: it is closed by exec. Allowed calls never reach the listener and cost nothing.
 */
int seccomp_install(struct zone *z, struct fault *f)
{
	const struct op *op = z->plan.only[OP_SECCOMP];
	struct message message = {.kind = MESSAGE_LISTENER};
	struct sock_fprog program;
	unsigned int flags = 0;
	long listener;

	if (!op)
		return 0;
	fault_at(f, &z->plan, op);
	if (op->u.seccomp.filter.size % sizeof(struct sock_filter) != 0)
		return fault_with(f, EINVAL, "seccomp", "filter of a broken length");
	program.len = (unsigned short)(op->u.seccomp.filter.size / sizeof(struct sock_filter));
	program.filter = (struct sock_filter *)(uintptr_t)op->u.seccomp.filter.data;
	if (op->u.seccomp.flags & SECCOMP_LISTEN)
		flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (listener < 0)
		return fault(f, "seccomp", NULL);
	if (flags == 0)
		return 0;
	/* The planner makes no listener for a filter that asks it about sendmsg: that would wait for itself. */
	if (message_send(z->socket, &message, (int)listener) < 0)
		return fault(f, "sendmsg", "listener");
	close((int)listener);
	return 0;
}
