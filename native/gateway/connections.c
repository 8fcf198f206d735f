/*
 * Connections of the zone: accepted with the destination that the program meant, reported, and then whatever rauha says. All descriptors
 * are watched edge by edge: an event means that both directions are to be tried.
 */
#include "gateway.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define SIDE_EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)
/* Descriptors of one connection: two sockets, two pipes. And of everything else. */
#define FDS_EACH     6u
#define FDS_ELSE     400u
#define ACCEPT_TURNS 64

static struct connection *table;
static uint32_t table_size;
static uint32_t generation;
static uint32_t free_slots[LIMIT_CONNECTIONS];
static uint32_t free_count;
static uint32_t again_slots[LIMIT_CONNECTIONS];
static uint32_t again_count;
static bool accepting = true;

/** connections_start - room for as many connections as there are descriptors for */
void connections_start(void)
{
	struct rlimit files = {.rlim_cur = 1024};

	getrlimit(RLIMIT_NOFILE, &files);
	table_size = LIMIT_CONNECTIONS;
	if (files.rlim_cur < FDS_ELSE + FDS_EACH * LIMIT_CONNECTIONS)
		table_size = files.rlim_cur > FDS_ELSE + 16 * FDS_EACH
				     ? (uint32_t)(files.rlim_cur - FDS_ELSE) / FDS_EACH
				     : 16;
	table = calloc(table_size, sizeof(*table));
	if (!table)
		stop("memory");
	for (uint32_t i = table_size; i > 0; i--)
		free_slots[free_count++] = i - 1;
}

static struct connection *find(uint32_t id)
{
	struct connection *c = &table[(id & 0xffff) % table_size];

	return c->id == id && id != 0 ? c : NULL;
}

static uint32_t slot_of(const struct connection *c)
{
	return (uint32_t)(c - table);
}

/* Ends a socket so that the other side sees a reset, not an orderly end. */
static void reset(int fd)
{
	const struct linger now = {1, 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

static void no_delay(int fd)
{
	const int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* While the table is full, what comes waits in the zone's own queue. */
static void accept_more(bool more)
{
	static const enum zone_socket listeners[] = {SOCKET_TCP4, SOCKET_TCP6};

	if (accepting == more)
		return;
	accepting = more;
	for (size_t i = 0; i < sizeof(listeners) / sizeof(listeners[0]); i++) {
		int fd = gateway.sockets[listeners[i]];

		if (fd >= 0 && more)
			watch(fd, EPOLLIN, SOURCE_LISTENER, listeners[i]);
		else if (fd >= 0)
			epoll_ctl(gateway.epoll, EPOLL_CTL_DEL, fd, NULL);
	}
}

static struct connection *new_connection(int fd)
{
	uint32_t slot = free_slots[--free_count];
	struct connection *c = &table[slot];

	generation = (generation + 1) & 0x7fff;
	*c = (struct connection){
		.id = ((generation + 1) << 16) | slot, .fd = {fd, -1}, .again = c->again, .since = gateway.round};
	c->flow[CLIENT] = (struct flow){.pipe = -1, .held = true};
	c->flow[SERVER] = (struct flow){.pipe = -1};
	gateway.open++;
	no_delay(fd);
	/* What the program has sent already is an event of its own. */
	if (watch(fd, SIDE_EVENTS, SOURCE_SIDE, slot * SIDES + CLIENT) < 0)
		stop("epoll_ctl");
	return c;
}

static void open_connection(int fd, const struct report_opened *place)
{
	struct report_opened record = *place;

	record.connection = new_connection(fd)->id;
	report(REPORT_OPENED, &record, sizeof(record), NULL, 0);
}

/** connections_accept - takes what waits at one of the zone's listeners */
void connections_accept(enum zone_socket listener)
{
	for (int turns = 0; turns < ACCEPT_TURNS; turns++) {
		struct report_opened record = {0};
		int fd;

		if (free_count == 0) {
			accept_more(false);
			return;
		}
		fd = accept4(gateway.sockets[listener], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
			accept_more(gateway.open == 0);
		if (fd < 0)
			return;
		if (address_meant(fd, listener, &record) < 0)
			reset(fd);
		else
			open_connection(fd, &record);
	}
}

static void side_close(struct connection *c, enum side side, uint32_t error)
{
	int fd = c->fd[side];

	c->fd[side] = -1;
	if (fd < 0)
		return;
	if (side == SERVER && c->published)
		dialer_give(fd, error == 0);
	else if (error)
		reset(fd);
	else
		close(fd);
}

/* Frees a connection. `error` 0: both sides have said all, and closing is the end that they expect. */
static void release(struct connection *c, uint32_t error)
{
	for (int side = 0; side < SIDES; side++) {
		side_close(c, (enum side)side, error);
		flow_close(&c->flow[side]);
	}
	free(c->preamble);
	free_slots[free_count++] = slot_of(c);
	c->id = 0;
	gateway.open--;
	accept_more(true);
	publish_watch(true);
}

static void end(struct connection *c, uint32_t error)
{
	const struct report_closed record = {c->id, error, c->flow[CLIENT].total, c->flow[SERVER].total};

	report(REPORT_CLOSED, &record, sizeof(record), NULL, 0);
	release(c, error);
}

static uint32_t socket_error(int fd)
{
	int error = 0;
	socklen_t length = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		return (uint32_t)errno;
	return (uint32_t)error;
}

static void connect_failed(struct connection *c, uint32_t error)
{
	const struct report_failed record = {c->id, error};

	side_close(c, SERVER, error);
	report(REPORT_FAILED, &record, sizeof(record), NULL, 0);
}

/* Tries both directions; ends the connection where there is no more to do. */
static void turn(struct connection *c)
{
	const struct report_spoke record = {c->id};
	/* What comes for a published port is nothing that rauha hears: it waits in the socket. */
	bool is_early = c->published && !c->connected;
	enum pumped client = is_early ? PUMPED_IDLE : flow_pump(c, CLIENT);
	enum pumped server = c->connected && client != PUMPED_BROKEN ? flow_pump(c, SERVER) : PUMPED_IDLE;
	struct flow *first = &c->flow[CLIENT];

	if (client == PUMPED_BROKEN || server == PUMPED_BROKEN) {
		end(c, errno ? (uint32_t)errno : ECONNRESET);
		return;
	}
	if (c->server_first && first->held && first->heard == 0 && c->flow[SERVER].total > 0) {
		first->held = false;
		report(REPORT_SPOKE, &record, sizeof(record), NULL, 0);
		client = PUMPED_BUDGET;
	}
	if (first->shut && c->flow[SERVER].shut) {
		end(c, 0);
		return;
	}
	/* The zone is gone: a program that has sent all it had hears no answer any more. */
	if (gateway.finishing &&
	    (c->flow[c->published ? SERVER : CLIENT].shut || (first->ended && first->heard == 0 && !c->connected))) {
		end(c, 0);
		return;
	}
	if ((client == PUMPED_BUDGET || server == PUMPED_BUDGET) && !c->again) {
		c->again = true;
		again_slots[again_count++] = slot_of(c);
	}
}

/* The server is there. */
static void connected(struct connection *c)
{
	c->connected = true;
	no_delay(c->fd[SERVER]);
	/* A fresh socket takes this whole. */
	if (c->preamble_size > 0 &&
	    send(c->fd[SERVER], c->preamble, c->preamble_size, MSG_NOSIGNAL) != (ssize_t)c->preamble_size)
		connect_failed(c, ECONNRESET);
	else
		turn(c);
}

/** connections_event - something happened on one side of a connection */
void connections_event(uint32_t index, uint32_t events)
{
	struct connection *c = &table[index / SIDES];
	enum side side = (enum side)(index % SIDES);

	/* One that came in this round: the event is of whoever had its place before. */
	if (c->id == 0 || c->fd[side] < 0 || c->since == gateway.round)
		return;
	if (side == SERVER && !c->connected) {
		uint32_t error = socket_error(c->fd[SERVER]);

		if (error)
			connect_failed(c, error);
		else if (events & EPOLLOUT && !(c->published && dialer_is_connecting(c->fd[SERVER])))
			connected(c);
		return;
	}
	if (events & EPOLLERR) {
		uint32_t error = socket_error(c->fd[side]);

		end(c, error ? error : ECONNRESET);
		return;
	}
	errno = 0;
	turn(c);
}

/** connections_again - goes on with those that did not get done; returns whether any still have not */
bool connections_again(void)
{
	uint32_t count = again_count;
	static uint32_t slots[LIMIT_CONNECTIONS];

	memcpy(slots, again_slots, count * sizeof(slots[0]));
	again_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct connection *c = &table[slots[i]];

		c->again = false;
		errno = 0;
		if (c->id != 0)
			turn(c);
	}
	return again_count > 0;
}

/** connections_finish - the zone has ended: whoever still waits there is let in, and everyone may only finish */
void connections_finish(void)
{
	gateway.finishing = true;
	publish_watch(false);
	for (int listener = 0; listener < SOCKETS; listener++) {
		if ((listener == SOCKET_TCP4 || listener == SOCKET_TCP6) && gateway.sockets[listener] >= 0)
			connections_accept((enum zone_socket)listener);
	}
	if (gateway.sockets[SOCKET_NOTICES] >= 0)
		notices_turn();
	for (uint32_t i = 0; i < table_size; i++) {
		errno = 0;
		if (table[i].id != 0)
			turn(&table[i]);
	}
}

bool connections_full(void)
{
	return free_count == 0;
}

/** connection_publish - joins somebody on the host to a port of the zone; both sockets are this one's from here on */
void connection_publish(int client, int dialer, const struct sockaddr_in *to, const struct report_published *from)
{
	struct connection *c = new_connection(client);
	struct report_published record = *from;

	c->published = true;
	c->flow[CLIENT].held = false;
	c->fd[SERVER] = dialer;
	record.connection = c->id;
	report(REPORT_PUBLISHED, &record, sizeof(record), NULL, 0);
	if ((connect(dialer, (const struct sockaddr *)to, sizeof(*to)) < 0 && errno != EINPROGRESS) ||
	    watch(dialer, SIDE_EVENTS, SOURCE_SIDE, slot_of(c) * SIDES + SERVER) < 0)
		connect_failed(c, (uint32_t)errno);
}

/** connection_connect - goes to an address of the host's network for a program of the zone */
void connection_connect(const struct order_connect *order, const uint8_t *data, size_t size)
{
	struct connection *c = find(order->connection);
	struct sockaddr_storage to;
	socklen_t length = address_make(&to, order->family, order->address, order->port);

	if (!c || c->fd[SERVER] >= 0)
		return;
	free(c->preamble);
	c->preamble = size > 0 ? malloc(size) : NULL;
	c->preamble_size = size;
	if (size > 0 && !c->preamble)
		stop("memory");
	if (size > 0)
		memcpy(c->preamble, data, size);
	c->flow[CLIENT].held = order->mode != MODE_OPEN;
	c->flow[SERVER].held = order->mode == MODE_HANDSHAKE;
	c->server_first = order->mode == MODE_INSPECT;
	c->fd[SERVER] = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd[SERVER] < 0 || (connect(c->fd[SERVER], (struct sockaddr *)&to, length) < 0 && errno != EINPROGRESS) ||
	    watch(c->fd[SERVER], SIDE_EVENTS, SOURCE_SIDE, slot_of(c) * SIDES + SERVER) < 0)
		connect_failed(c, (uint32_t)errno);
}

/** connection_pass - lets bytes flow, but for the first ones of the server's that were meant for rauha */
void connection_pass(const struct order_pass *order)
{
	struct connection *c = find(order->connection);

	if (!c)
		return;
	c->server_first = false;
	c->flow[CLIENT].held = c->flow[SERVER].held = false;
	if (order->skip <= c->flow[SERVER].heard)
		c->flow[SERVER].passed = order->skip;
	errno = 0;
	turn(c);
}

void connection_refuse(uint32_t id)
{
	struct connection *c = find(id);

	if (c)
		release(c, ECONNREFUSED);
}

/** connection_reply - says rauha's own words to the program: they are short, and its socket has room */
void connection_reply(uint32_t id, const uint8_t *data, size_t size)
{
	struct connection *c = find(id);

	if (!c)
		return;
	if (size > 0)
		(void)send(c->fd[CLIENT], data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	shutdown(c->fd[CLIENT], SHUT_WR);
	release(c, 0);
}
