/*
 * Records on their way to rauha. The pipe is not waited for while rauha may be waiting for us: what does not fit stays in memory, and
 * while that is a lot nothing new is accepted or heard.
 */
#include "gateway.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Above this, nothing but orders is looked at. */
#define PENDING_MAX (256u << 10)

static struct {
	uint8_t *bytes;
	size_t start;
	size_t end;
	size_t room;
} pending;

static void put(const void *data, size_t size)
{
	if (size == 0)
		return;
	if (pending.end + size > pending.room) {
		memmove(pending.bytes, pending.bytes + pending.start, pending.end - pending.start);
		pending.end -= pending.start;
		pending.start = 0;
	}
	if (pending.end + size > pending.room) {
		pending.room = (pending.end + size) * 2;
		pending.bytes = realloc(pending.bytes, pending.room);
		if (!pending.bytes)
			stop("memory");
	}
	memcpy(pending.bytes + pending.end, data, size);
	pending.end += size;
}

/** report - adds a record; it goes out with the others of this turn */
void report(enum report_id id, const void *fields, size_t size, const void *data, size_t data_size)
{
	const struct record_header header = {id, (uint32_t)(size + data_size)};

	put(&header, sizeof(header));
	put(fields, size);
	put(data, data_size);
}

bool reports_pending(void)
{
	return pending.end > pending.start;
}

/** reports_flush - writes as much as the pipe takes. Nobody there: rauha has ended. */
void reports_flush(void)
{
	while (reports_pending()) {
		ssize_t sent = write(FD_REPORTS, pending.bytes + pending.start, pending.end - pending.start);

		if (sent < 0 && errno == EAGAIN)
			return;
		if (sent < 0 && errno != EINTR)
			stop(errno == EPIPE ? NULL : "report");
		if (sent > 0)
			pending.start += (size_t)sent;
	}
	pending.start = pending.end = 0;
}

/** reports_settle - flushes, and comes back when there is room for more */
void reports_settle(void)
{
	reports_flush();
	while (pending.end - pending.start > PENDING_MAX) {
		struct pollfd polls[2] = {{.fd = FD_ORDERS, .events = POLLIN}, {.fd = FD_REPORTS, .events = POLLOUT}};

		if (poll(polls, 2, -1) < 0 && errno != EINTR)
			stop("poll");
		if (polls[0].revents)
			orders_turn();
		reports_flush();
	}
}
