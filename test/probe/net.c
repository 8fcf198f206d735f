/* Verbs about sockets. */
#include "probe.h"
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_MS 3000

union address {
	struct sockaddr any;
	struct sockaddr_in inet;
	struct sockaddr_in6 inet6;
	struct sockaddr_un local;
	struct sockaddr_vm vsock;
};

/* Reads `inet ADDRESS PORT`, `inet6 ADDRESS PORT`, `unix PATH`, `abstract NAME`, `vsock CID PORT`; the length, 0 for none of them. */
static socklen_t address_of(int argc, char **argv, union address *at)
{
	const char *family = argv[1];
	uint16_t port = argc > 3 ? htons((uint16_t)number_of(argv[3])) : 0;

	memset(at, 0, sizeof(*at));
	if (strcmp(family, "inet") == 0) {
		at->inet.sin_family = AF_INET;
		at->inet.sin_port = port;
		return inet_pton(AF_INET, argv[2], &at->inet.sin_addr) == 1 ? sizeof(at->inet) : 0;
	}
	if (strcmp(family, "inet6") == 0) {
		at->inet6.sin6_family = AF_INET6;
		at->inet6.sin6_port = port;
		return inet_pton(AF_INET6, argv[2], &at->inet6.sin6_addr) == 1 ? sizeof(at->inet6) : 0;
	}
	if (strcmp(family, "vsock") == 0) {
		at->vsock.svm_family = AF_VSOCK;
		at->vsock.svm_cid = (unsigned int)number_of(argv[2]);
		at->vsock.svm_port = argc > 3 ? (unsigned int)number_of(argv[3]) : 0;
		return sizeof(at->vsock);
	}
	if (strcmp(family, "unix") != 0 && strcmp(family, "abstract") != 0)
		return 0;
	at->local.sun_family = AF_UNIX;
	/* The name of an abstract socket begins with a NUL. */
	size_t skip = strcmp(family, "abstract") == 0;
	size_t length = strlen(argv[2]);

	if (length + skip >= sizeof(at->local.sun_path))
		return 0;
	memcpy(at->local.sun_path + skip, argv[2], length);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + skip + length + !skip);
}

static int wait_for_connection(int fd)
{
	struct pollfd entry = {.fd = fd, .events = POLLOUT};
	socklen_t length = sizeof(int);
	int err = 0;

	if (poll(&entry, 1, CONNECT_MS) == 0)
		return ETIMEDOUT;
	TRY(getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &length));
	return err;
}

static int do_connect(int argc, char **argv, struct answer *a)
{
	union address at;
	socklen_t length = address_of(argc, argv, &at);
	int fd;

	if (length == 0)
		return EINVAL;
	fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		say(a, "socket");
		return errno;
	}
	if (connect(fd, &at.any, length) == 0)
		return 0;
	return errno == EINPROGRESS ? wait_for_connection(fd) : errno;
}

/* send inet ADDRESS PORT: one datagram */
static int do_send(int argc, char **argv, struct answer *a)
{
	union address at;
	socklen_t length = address_of(argc, argv, &at);
	int fd;

	if (length == 0)
		return EINVAL;
	fd = socket(at.any.sa_family, SOCK_DGRAM, 0);
	if (fd < 0) {
		say(a, "socket");
		return errno;
	}
	TRY(sendto(fd, "probe", 5, 0, &at.any, length));
	return 0;
}

/* listen FAMILY …: binds, listens, and connects to itself */
static int do_listen(int argc, char **argv, struct answer *a)
{
	union address at;
	socklen_t length = address_of(argc, argv, &at);
	socklen_t bound = sizeof(at);
	int fd;
	int client;

	if (length == 0)
		return EINVAL;
	TRY(fd = socket(at.any.sa_family, SOCK_STREAM, 0));
	if (bind(fd, &at.any, length) < 0) {
		say(a, "bind");
		return errno;
	}
	if (listen(fd, 1) < 0) {
		say(a, "listen");
		return errno;
	}
	TRY(getsockname(fd, &at.any, &bound));
	TRY(client = socket(at.any.sa_family, SOCK_STREAM, 0));
	if (connect(client, &at.any, bound) < 0) {
		say(a, "connect");
		return errno;
	}
	say(a, "connected");
	return 0;
}

static int do_bind(int argc, char **argv, struct answer *a)
{
	union address at;
	socklen_t length = address_of(argc, argv, &at);
	int fd;

	(void)a;
	if (length == 0)
		return EINVAL;
	TRY(fd = socket(at.any.sa_family, SOCK_STREAM, 0));
	TRY(bind(fd, &at.any, length));
	return 0;
}

static int do_socket(int argc, char **argv, struct answer *a)
{
	int fd = socket((int)number_of(argv[1]), (int)number_of(argv[2]), argc > 3 ? (int)number_of(argv[3]) : 0);

	TRY(fd);
	say(a, "fd %d", fd);
	close(fd);
	return 0;
}

static int do_interfaces(int argc, char **argv, struct answer *a)
{
	struct if_nameindex *list = if_nameindex();

	(void)argc;
	(void)argv;
	if (!list)
		return errno;
	for (struct if_nameindex *at = list; at->if_index != 0; at++)
		say_item(a, "%s", at->if_name);
	if_freenameindex(list);
	return 0;
}

const struct verb net_verbs[] = {
	{"connect", do_connect, 2, "inet|inet6|unix|abstract|vsock ADDRESS [PORT]"},
	{"send", do_send, 2, "inet|inet6|unix|abstract ADDRESS [PORT]"},
	{"listen", do_listen, 2, "inet|inet6|unix|abstract ADDRESS [PORT]"},
	{"bind", do_bind, 2, "inet|inet6|unix|abstract|vsock ADDRESS [PORT]"},
	{"socket", do_socket, 2, "FAMILY TYPE [PROTOCOL]"},
	{"interfaces", do_interfaces, 0, ""},
	{NULL, NULL, 0, NULL},
};
