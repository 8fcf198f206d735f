/* Bytes of one direction of a connection: heard by rauha as long as it has not decided, then passed on, with the end of them. */
#include "gateway.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Turns of one direction before others have theirs. */
#define BUDGET	     16
#define SPLICE_BYTES (1u << 20)
/* Bytes that all connections together may have waiting for a decision: who floods beyond that is reset. */
#define HEARD_TOTAL_MAX (32u << 20)

static uint64_t heard_total;

/* What recv(2) and splice(2) say when there is nothing now. */
static bool is_idle(ssize_t got)
{
	return got < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Reads for rauha, up to what it will look at; the rest stays in the socket. */
static enum pumped hear(struct connection *c, enum side from)
{
	static uint8_t bytes[LIMIT_HEARD];
	struct flow *f = &c->flow[from];
	const struct report_heard record = {c->id, from};

	if (heard_total > HEARD_TOTAL_MAX) {
		errno = ENOBUFS;
		return PUMPED_BROKEN;
	}
	while (!f->ended && f->heard < LIMIT_HEARD) {
		size_t room = LIMIT_HEARD - f->heard;
		ssize_t got = recv(c->fd[from], bytes, room, MSG_DONTWAIT);
		uint8_t *buffer;

		if (is_idle(got))
			return PUMPED_IDLE;
		if (got < 0)
			return PUMPED_BROKEN;
		if (got == 0) {
			f->ended = true;
			break;
		}
		buffer = realloc(f->buffer, f->heard + (size_t)got);
		if (!buffer)
			stop("memory");
		f->buffer = buffer;
		heard_total += (uint64_t)got;
		memcpy(f->buffer + f->heard, bytes, (size_t)got);
		f->heard += (uint32_t)got;
		report(REPORT_HEARD, &record, sizeof(record), bytes, (size_t)got);
	}
	return PUMPED_IDLE;
}

/* Passes on what was heard. */
static enum pumped pass_heard(struct connection *c, enum side from)
{
	struct flow *f = &c->flow[from];

	while (f->passed < f->heard) {
		ssize_t sent =
			send(c->fd[!from], f->buffer + f->passed, f->heard - f->passed, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (is_idle(sent))
			return PUMPED_BUDGET;
		if (sent < 0)
			return PUMPED_BROKEN;
		f->passed += (uint32_t)sent;
		f->total += (uint64_t)sent;
	}
	free(f->buffer);
	f->buffer = NULL;
	heard_total -= f->heard;
	f->heard = f->passed = 0;
	return PUMPED_IDLE;
}

/* From the pipe to the other side. Idle: the pipe is empty. Budget: the other side takes no more now. */
static enum pumped drain(struct connection *c, enum side from)
{
	struct flow *f = &c->flow[from];

	while (f->piped > 0) {
		ssize_t sent = splice(pipe_end(f->pipe, false), NULL, c->fd[!from], NULL, f->piped,
				      SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

		if (is_idle(sent))
			return PUMPED_BUDGET;
		if (sent <= 0)
			return PUMPED_BROKEN;
		f->piped -= (uint32_t)sent;
		f->total += (uint64_t)sent;
	}
	return PUMPED_IDLE;
}

/* From the side into the pipe. Idle: there is nothing now, or nothing ever. */
static enum pumped fill(struct connection *c, enum side from)
{
	struct flow *f = &c->flow[from];
	ssize_t got = splice(c->fd[from], NULL, pipe_end(f->pipe, true), NULL, SPLICE_BYTES,
			     SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (is_idle(got))
		return PUMPED_IDLE;
	if (got < 0)
		return PUMPED_BROKEN;
	f->ended = got == 0;
	f->piped += (uint32_t)got;
	return f->ended ? PUMPED_IDLE : PUMPED_BUDGET;
}

/* Moves bytes until one of the two sides can't, or it is the turn of others. */
static enum pumped move(struct connection *c, enum side from)
{
	struct flow *f = &c->flow[from];

	for (int turns = 0; turns < BUDGET; turns++) {
		enum pumped state;

		if (f->pipe < 0)
			f->pipe = pipe_take();
		if (f->pipe < 0)
			return PUMPED_BUDGET;
		state = drain(c, from);
		/* The other side is full: epoll tells when it is not. */
		if (state != PUMPED_IDLE)
			return state == PUMPED_BUDGET ? PUMPED_IDLE : state;
		if (f->ended)
			return PUMPED_IDLE;
		state = fill(c, from);
		if (state != PUMPED_BUDGET)
			return state;
	}
	return PUMPED_BUDGET;
}

/** flow_pump - does what can be done now for the bytes that come from a side; also tells the other side of their end */
enum pumped flow_pump(struct connection *c, enum side from)
{
	struct flow *f = &c->flow[from];
	enum pumped state;

	if (f->held || !c->connected)
		return hear(c, from);
	if (f->buffer) {
		state = pass_heard(c, from);
		if (state != PUMPED_IDLE)
			return state == PUMPED_BUDGET ? PUMPED_IDLE : state;
	}
	state = f->ended && f->piped == 0 ? PUMPED_IDLE : move(c, from);
	if (f->piped == 0 && f->pipe >= 0) {
		pipe_give(f->pipe, true);
		f->pipe = -1;
	}
	if (state == PUMPED_IDLE && f->ended && f->piped == 0 && !f->shut) {
		f->shut = true;
		shutdown(c->fd[!from], SHUT_WR);
	}
	return state;
}

void flow_close(struct flow *f)
{
	if (f->pipe >= 0)
		pipe_give(f->pipe, f->piped == 0);
	free(f->buffer);
	heard_total -= f->heard;
	*f = (struct flow){.pipe = -1};
}
