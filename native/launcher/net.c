/* The zone's host name and its network namespace. */
#include "launcher.h"
#include <net/if.h>
#include <sched.h>

static bool has_own(const struct zone *z, uint32_t namespace)
{
	return (z->plan.only[OP_NAMESPACES]->u.namespaces.flags & namespace) != 0;
}

/** hostname_set - names the zone; without a UTS namespace of its own it would be the host that is named anew */
int hostname_set(const struct zone *z, const char *name, struct fault *f)
{
	if (!has_own(z, CLONE_NEWUTS))
		return fault_with(f, EINVAL, "sethostname", name);
	return sethostname(name, strlen(name)) < 0 ? fault(f, "sethostname", name) : 0;
}

/* Sets IFF_UP on `lo`; the kernel then gives it 127.0.0.1 and ::1 by itself. */
static int loopback_up(const struct zone *z, int socket, struct fault *f)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};

	if (!z->plan.only[OP_LOOPBACK])
		return 0;
	fault_at(f, &z->plan, z->plan.only[OP_LOOPBACK]);
	if (!has_own(z, CLONE_NEWNET))
		return fault_with(f, EINVAL, "ioctl(SIOCSIFFLAGS)", "lo");
	return ioctl(socket, SIOCSIFFLAGS, &request) < 0 ? fault(f, "ioctl(SIOCSIFFLAGS)", "lo") : 0;
}

/**
 * network_make - the task's part, while init mounts: makes the namespace, brings its loopback device up, shows init the way in
 *
 * By a socket's namespace: init could not take it from our entry in /proc, since we are not dumpable.
 */
int network_make(struct zone *z, struct fault *f)
{
	const struct message message = {.kind = MESSAGE_NETWORK};
	int device, network;

	fault_at(f, &z->plan, z->plan.only[OP_NAMESPACES]);
	if (has_own(z, CLONE_NEWNET) && unshare(CLONE_NEWNET) < 0)
		return fault(f, "unshare(CLONE_NEWNET)", NULL);
	device = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (device < 0)
		return fault(f, "socket", NULL);
	if (loopback_up(z, device, f) < 0 || way_out_make(z, has_own(z, CLONE_NEWNET), f) < 0)
		return -1;
	network = has_own(z, CLONE_NEWNET) ? ioctl(device, SIOCGSKNS) : -1;
	if (network >= 0) {
		message_send(z->gate, &message, network);
		close(network);
	}
	close(device);
	return 0;
}

/**
 * network_await - init's part: says through the supervisor that the namespace is there, and waits for rauha's word
 *
 * Rauha connects the namespace meanwhile, from the host. A signal in its place means that the run is cancelled.
 */
int network_await(struct zone *z, struct fault *f)
{
	struct message message = {.kind = MESSAGE_NETWORK};
	int fd;

	/* Not joined: the task has failed, and has said why. */
	if (!z->plan.only[OP_NETWORK_GATE] || !z->joined)
		return 0;
	fault_at(f, &z->plan, z->plan.only[OP_NETWORK_GATE]);
	message_send(z->socket, &message, -1);
	if (message_receive(z->socket, &message, &fd) != 1 || message.kind != MESSAGE_GO)
		return fault_with(f, ECANCELED, "start", "cancelled before the task could start");
	return 0;
}

/** network_join - init's part: waits for the task's word and enters its network namespace; not twice */
int network_join(struct zone *z, struct fault *f)
{
	struct message message;
	int network;

	if (!has_own(z, CLONE_NEWNET) || z->joined)
		return 0;
	/* No word: the task has failed, and has said why. */
	if (message_receive(z->gate, &message, &network) != 1 || network < 0)
		return 0;
	z->joined = true;
	if (setns(network, CLONE_NEWNET) < 0)
		return fault(f, "setns(CLONE_NEWNET)", NULL);
	close(network);
	return 0;
}
