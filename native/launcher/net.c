/* The zone's host name and its loopback device. */
#include "launcher.h"
#include "sys.h"
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

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

/** loopback_up - sets IFF_UP on `lo`; the kernel then gives it 127.0.0.1 and ::1 by itself */
int loopback_up(const struct zone *z, struct fault *f)
{
	struct ifreq request = {.ifr_name = "lo"};
	int status;
	int fd;

	if (!has_own(z, CLONE_NEWNET))
		return fault_with(f, EINVAL, "ioctl(SIOCSIFFLAGS)", "lo");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fault(f, "socket", NULL);
	request.ifr_flags = IFF_UP;
	status = ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? fault(f, "ioctl(SIOCSIFFLAGS)", "lo") : 0;
	close(fd);
	return status;
}
