/* Rauha's orders: taken from the pipe, checked for their form, carried out. One that is not in the contract ends the gateway. */
#include "gateway.h"
#include <string.h>
#include <unistd.h>

static struct {
	uint8_t bytes[2u * (LIMIT_RECORD + sizeof(struct record_header))];
	size_t size;
} inbox;

/* The fields of an order, or the end: a record that is too short comes from another build. */
#define FIELDS(type, name)                         \
	struct type name;                          \
	if (length < sizeof(name)) {               \
		errno = EPROTO;                    \
		stop("order");                     \
	}                                          \
	memcpy(&(name), body, sizeof(name));       \
	const uint8_t *data = body + sizeof(name); \
	size_t size = length - sizeof(name);       \
	(void)data;                                \
	(void)size

static void order_connect(const uint8_t *body, size_t length)
{
	FIELDS(order_connect, order);
	connection_connect(&order, data, size);
}

static void order_pass(const uint8_t *body, size_t length)
{
	FIELDS(order_pass, order);
	connection_pass(&order);
}

static void order_refuse(const uint8_t *body, size_t length)
{
	FIELDS(order_refuse, order);
	connection_refuse(order.connection);
}

static void order_reply(const uint8_t *body, size_t length)
{
	FIELDS(order_reply, order);
	connection_reply(order.connection, data, size);
}

static void order_answer(const uint8_t *body, size_t length)
{
	FIELDS(order_answer, order);
	query_answer(order.query, data, size);
}

static void order_ask(const uint8_t *body, size_t length)
{
	FIELDS(order_ask, order);
	lookup_ask(&order, data, size);
}

static void order_forget(const uint8_t *body, size_t length)
{
	FIELDS(order_forget, order);
	lookup_forget(order.lookup);
}

static void obey(uint32_t id, const uint8_t *body, size_t length)
{
	switch ((enum order_id)id) {
	case ORDER_CONNECT:
		order_connect(body, length);
		return;
	case ORDER_PASS:
		order_pass(body, length);
		return;
	case ORDER_REFUSE:
		order_refuse(body, length);
		return;
	case ORDER_REPLY:
		order_reply(body, length);
		return;
	case ORDER_ANSWER:
		order_answer(body, length);
		return;
	case ORDER_ASK:
		order_ask(body, length);
		return;
	case ORDER_FORGET:
		order_forget(body, length);
		return;
	case ORDER_FINISH:
		connections_finish();
		return;
	}
	errno = EPROTO;
	stop("order");
}

/** orders_turn - reads once and carries out every whole order. The end of the pipe is rauha's end: there is nobody to work for. */
void orders_turn(void)
{
	ssize_t got = read(FD_ORDERS, inbox.bytes + inbox.size, sizeof(inbox.bytes) - inbox.size);
	size_t at = 0;

	if (got == 0)
		stop(NULL);
	if (got < 0) {
		if (errno != EAGAIN && errno != EINTR)
			stop("orders");
		return;
	}
	inbox.size += (size_t)got;
	while (inbox.size - at >= sizeof(struct record_header)) {
		struct record_header header;

		memcpy(&header, inbox.bytes + at, sizeof(header));
		if (header.length > LIMIT_RECORD) {
			errno = EPROTO;
			stop("order");
		}
		if (inbox.size - at < sizeof(header) + header.length)
			break;
		obey(header.id, inbox.bytes + at + sizeof(header), header.length);
		at += sizeof(header) + header.length;
	}
	memmove(inbox.bytes, inbox.bytes + at, inbox.size - at);
	inbox.size -= at;
}
