/* The socket between supervisor and init: messages, each with at most one descriptor. */
#include "launcher.h"

#define MESSAGE_FIXED_BYTES offsetof(struct message, text)

union fd_space {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

/** message_send - sends a message, with `fd` if that is not -1 */
int message_send(int socket, const struct message *message, int fd)
{
	struct iovec part = {(void *)(uintptr_t)message, MESSAGE_FIXED_BYTES + message->length};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	union fd_space space;
	ssize_t sent;

	if (fd >= 0) {
		struct cmsghdr *control;

		memset(&space, 0, sizeof(space));
		header.msg_control = space.bytes;
		header.msg_controllen = sizeof(space.bytes);
		control = CMSG_FIRSTHDR(&header);
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(control), &fd, sizeof(fd));
	}
	do {
		sent = sendmsg(socket, &header, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

/**
 * message_receive - the next message, and its descriptor or -1
 *
 * Returns 1; 0 when the other side has ended; -1 on an error. `text` ends with a NUL.
 */
int message_receive(int socket, struct message *message, int *fd)
{
	struct iovec part = {message, sizeof(*message) - 1};
	union fd_space space;
	struct msghdr header = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = space.bytes, .msg_controllen = sizeof(space.bytes)};
	const struct cmsghdr *control;
	ssize_t got;

	*fd = -1;
	do {
		got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
		/* ECONNRESET comes once, when the other side ended with a word of ours unread: its own last words still wait behind it. */
	} while (got < 0 && (errno == EINTR || errno == ECONNRESET));
	if (got < (ssize_t)MESSAGE_FIXED_BYTES)
		return got < 0 ? -1 : 0;
	((char *)message)[got] = '\0';
	control = CMSG_FIRSTHDR(&header);
	if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(control), sizeof(*fd));
	return 1;
}
