/* DNS by UDP, from the zone and to the host's resolvers, and what the zone's packet filter says of packets that it refused. */
#include "gateway.h"
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define QUERY_MAX   1232
#define NOTICE_MAX  16384
#define NOTICES_MAX 2048u
#define TURNS	    64

/* Who asked: the answer goes there, from the socket that was asked. */
struct query {
	uint32_t number; /* 0: free */
	enum zone_socket socket;
	socklen_t length;
	struct sockaddr_storage from;
};

struct lookup {
	uint32_t number; /* 0: free */
	int fd;
};

static struct query queries[LIMIT_QUERIES];
static struct lookup lookups[LIMIT_LOOKUPS];
static uint32_t last_query;
static uint32_t notices;

static void dropped(uint32_t lost_queries, uint32_t lost_notices)
{
	const struct report_dropped record = {lost_queries, lost_notices};

	report(REPORT_DROPPED, &record, sizeof(record), NULL, 0);
}

/** datagrams_turn - takes queries of the zone's; where too many wait for an answer the oldest gets none */
void datagrams_turn(enum zone_socket socket)
{
	for (int turns = 0; turns < TURNS; turns++) {
		uint8_t bytes[QUERY_MAX];
		struct query q = {.socket = socket, .length = sizeof(q.from)};
		struct report_asked record;
		ssize_t got = recvfrom(gateway.sockets[socket], bytes, sizeof(bytes), MSG_DONTWAIT,
				       (struct sockaddr *)&q.from, &q.length);
		struct query *place;

		if (got < 0)
			return;
		if (++last_query == 0)
			last_query = 1;
		place = &queries[last_query % LIMIT_QUERIES];
		if (place->number != 0)
			dropped(1, 0);
		q.number = last_query;
		*place = q;
		record.query = q.number;
		report(REPORT_ASKED, &record, sizeof(record), bytes, (size_t)got);
	}
}

/** query_answer - answers a query that is still remembered */
void query_answer(uint32_t number, const uint8_t *data, size_t size)
{
	struct query *q = &queries[number % LIMIT_QUERIES];

	if (number == 0 || q->number != number)
		return;
	q->number = 0;
	if (size > 0)
		(void)sendto(gateway.sockets[q->socket], data, size, MSG_DONTWAIT | MSG_NOSIGNAL,
			     (const struct sockaddr *)&q->from, q->length);
}

static struct lookup *lookup_find(uint32_t number)
{
	for (uint32_t i = 0; i < LIMIT_LOOKUPS; i++) {
		if (lookups[i].number == number)
			return &lookups[i];
	}
	return NULL;
}

static void lookup_failed(uint32_t number, uint32_t error)
{
	const struct report_unanswered record = {number, error};

	report(REPORT_UNANSWERED, &record, sizeof(record), NULL, 0);
}

/** lookup_ask - sends a query of rauha's from a socket of its own, so that its port can't be guessed from others */
void lookup_ask(const struct order_ask *order, const uint8_t *data, size_t size)
{
	struct sockaddr_storage to;
	socklen_t length = address_make(&to, order->family, order->address, order->port);
	struct lookup *lookup = lookup_find(0);
	int fd = lookup ? socket(to.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;

	if (!lookup || fd < 0) {
		lookup_failed(order->lookup, lookup ? (uint32_t)errno : EMFILE);
		return;
	}
	if (connect(fd, (struct sockaddr *)&to, length) < 0 || send(fd, data, size, MSG_NOSIGNAL) < 0 ||
	    watch(fd, EPOLLIN, SOURCE_LOOKUP, (uint32_t)(lookup - lookups)) < 0) {
		lookup_failed(order->lookup, (uint32_t)errno);
		close(fd);
		return;
	}
	*lookup = (struct lookup){order->lookup, fd};
}

/** lookup_turn - an answer, or the news that nobody is there */
void lookup_turn(uint32_t index)
{
	static uint8_t bytes[65536];
	struct lookup *lookup = &lookups[index];
	const struct report_answered record = {lookup->number};
	ssize_t got;

	if (lookup->number == 0)
		return;
	got = recv(lookup->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (got >= 0) {
		report(REPORT_ANSWERED, &record, sizeof(record), bytes, (size_t)got);
	} else if (errno != EAGAIN && errno != EINTR) {
		lookup_failed(lookup->number, (uint32_t)errno);
		close(lookup->fd);
		lookup->number = 0;
	}
}

void lookup_forget(uint32_t number)
{
	struct lookup *lookup = number == 0 ? NULL : lookup_find(number);

	if (!lookup)
		return;
	close(lookup->fd);
	lookup->number = 0;
}

/** notices_turn - takes messages of the packet filter; beyond a bound they are only counted */
void notices_turn(void)
{
	for (int turns = 0; turns < TURNS; turns++) {
		uint8_t bytes[NOTICE_MAX];
		ssize_t got = recv(gateway.sockets[SOCKET_NOTICES], bytes, sizeof(bytes), MSG_DONTWAIT);

		/* The kernel says so once when it had more than fits. */
		if (got < 0 && errno == ENOBUFS)
			dropped(0, 1);
		else if (got < 0)
			return;
		else if (++notices > NOTICES_MAX)
			dropped(0, 1);
		else
			report(REPORT_NOTICED, NULL, 0, bytes, (size_t)got);
	}
}
