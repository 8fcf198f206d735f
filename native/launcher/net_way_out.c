/*
 * The way out of a zone whose network namespace has none: messages that set the namespace up, and sockets in it that rauha's gateway
 * accepts on. Carried out by the task before it has lost any privilege; what the messages mean is the plan's business.
 */
#include "launcher.h"
#include <linux/netlink.h>
#include <netinet/in.h>

/* Within what one message may carry (SCM_MAX_FD, 253). */
#define GIVEN_MAX 144
#define BACKLOG	  4096

struct given {
	int fds[GIVEN_MAX];
	uint32_t count;
};

/* How many of the messages want an answer; -1 for what are no messages. */
static int answers_wanted(const struct bytes *messages)
{
	int wanted = 0;

	for (uint32_t at = 0; at < messages->size;) {
		struct nlmsghdr header;

		if (messages->size - at < sizeof(header))
			return -1;
		memcpy(&header, messages->data + at, sizeof(header));
		if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > messages->size - at)
			return -1;
		wanted += (header.nlmsg_flags & NLM_F_ACK) != 0;
		at += NLMSG_ALIGN(header.nlmsg_len);
	}
	return wanted;
}

/* Waits for the answers. One that is an error ends the zone: of a batch the kernel has then done nothing. */
static int answers_take(int socket, int wanted, struct fault *f)
{
	static union {
		struct nlmsghdr header;
		char bytes[16384];
	} buffer;

	while (wanted > 0) {
		ssize_t got = recv(socket, &buffer, sizeof(buffer), 0);
		const struct nlmsghdr *header = &buffer.header;

		if (got < 0)
			return fault(f, "recv(NETLINK)", NULL);
		for (uint32_t left = (uint32_t)got; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
			const struct nlmsgerr *error = NLMSG_DATA(header);
			char which[32] = "message ";

			if (header->nlmsg_type != NLMSG_ERROR)
				continue;
			*text_number(which + 8, which + sizeof(which) - 1, header->nlmsg_seq) = '\0';
			if (error->error)
				return fault_with(f, -error->error, "netlink", which);
			wanted--;
		}
	}
	return 0;
}

static int messages_send(const struct op_netlink *op, struct given *given, struct fault *f)
{
	int socket_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, (int)op->protocol);
	int wanted = answers_wanted(&op->messages);

	if (socket_fd < 0)
		return fault(f, "socket(AF_NETLINK)", NULL);
	if (wanted < 0)
		return fault_with(f, EINVAL, "netlink", "not whole messages");
	if (send(socket_fd, op->messages.data, op->messages.size, 0) != (ssize_t)op->messages.size)
		return fault(f, "send(NETLINK)", NULL);
	if (answers_take(socket_fd, wanted, f) < 0)
		return -1;
	if (!op->give)
		close(socket_fd);
	else if (given->count == GIVEN_MAX)
		return fault_with(f, EMFILE, "netlink", NULL);
	else
		given->fds[given->count++] = socket_fd;
	return 0;
}

/* What a socket is opened by that is to be neither bound nor listening. */
static const struct op_listen plain = {.type = SOCK_STREAM, .address = {.data = (const uint8_t *)""}};

static int socket_open(const struct op_listen *op, struct given *given, struct fault *f)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)op->port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)op->port)};
	bool is_6 = op->address.size == sizeof(in6.sin6_addr);
	bool is_plain = op == &plain;
	const int one = 1;
	int fd;

	if (given->count == GIVEN_MAX || (!is_6 && !is_plain && op->address.size != sizeof(in.sin_addr)))
		return fault_with(f, EINVAL, "listen", NULL);
	memcpy(is_6 ? (void *)&in6.sin6_addr : (void *)&in.sin_addr, op->address.data, op->address.size);
	fd = socket(is_6 ? AF_INET6 : AF_INET, (int)op->type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fault(f, "socket", NULL);
	if (is_6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0)
		return fault(f, "setsockopt(IPV6_V6ONLY)", NULL);
	if (!is_plain && bind(fd, is_6 ? (void *)&in6 : (void *)&in, is_6 ? sizeof(in6) : sizeof(in)) < 0)
		return fault(f, "bind", NULL);
	if (!is_plain && op->type == SOCK_STREAM && listen(fd, BACKLOG) < 0)
		return fault(f, "listen", NULL);
	given->fds[given->count++] = fd;
	return 0;
}

/* Hands the sockets to rauha. In a plan that has such sockets the control pipe is a socket. */
static int sockets_give(const struct given *given, struct fault *f)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int) * GIVEN_MAX)];
	} space = {.bytes = {0}};
	struct iovec part = {(void *)(uintptr_t) "s", 1};
	size_t size = given->count * sizeof(int);
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &space,
				 .msg_controllen = (socklen_t)CMSG_SPACE(size)};
	struct cmsghdr *control = CMSG_FIRSTHDR(&message);

	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = SCM_RIGHTS;
	control->cmsg_len = (socklen_t)CMSG_LEN(size);
	memcpy(CMSG_DATA(control), given->fds, size);
	if (sendmsg(FD_CONTROL, &message, MSG_NOSIGNAL) != 1)
		return fault(f, "sendmsg", "sockets");
	for (uint32_t i = 0; i < given->count; i++)
		close(given->fds[i]);
	return 0;
}

/** way_out_make - carries out the plan's `netlink`, `listen` and `dial` ops in their order; never in a network namespace of the host's */
int way_out_make(struct zone *z, bool own_network, struct fault *f)
{
	struct given given = {.count = 0};

	for (uint32_t i = 0; i < z->plan.count; i++) {
		const struct op *op = &z->plan.ops[i];

		if (op->id != OP_NETLINK && op->id != OP_LISTEN && op->id != OP_DIAL)
			continue;
		fault_at(f, &z->plan, op);
		if (!own_network)
			return fault_with(f, EINVAL, "netlink", "the zone has no network namespace of its own");
		if (op->id == OP_NETLINK && messages_send(&op->u.netlink, &given, f) < 0)
			return -1;
		if (op->id == OP_LISTEN && socket_open(&op->u.listen, &given, f) < 0)
			return -1;
		for (uint32_t n = op->id == OP_DIAL ? op->u.dial.count : 0; n > 0; n--)
			if (socket_open(&plain, &given, f) < 0)
				return -1;
	}
	return given.count > 0 ? sockets_give(&given, f) : 0;
}
