/* Sources on their way from the supervisor to init, where init can't open them itself; see init_clone. */
#include "launcher.h"

static bool has_source(const struct op *op)
{
	return op->id == OP_BIND || op->id == OP_MIRROR || op->id == OP_COPY || op->id == OP_EXPECT ||
	       op->id == OP_LAYER;
}

/**
 * sources_lend - opens all sources in the plan's order and sends them to init, without waiting for it
 *
 * Init takes each when it comes to its op. When it has ended before that, its own record says why, so that is no failure here.
 */
int sources_lend(struct zone *z, struct fault *f)
{
	struct message message = {.kind = MESSAGE_SOURCE};
	struct source source;

	for (const struct op *op = z->plan.ops; z->lends && op < z->plan.ops + z->plan.count; op++) {
		int sent;

		if (!has_source(op))
			continue;
		fault_at(f, &z->plan, op);
		if (source_open(z, op, &source, f) < 0)
			return -1;
		message.value = source.kind;
		message.is_dir = source.is_dir;
		message.length = source.kind == SOURCE_LINK ? (uint32_t)strlen(source.link) : 0;
		memcpy(message.text, source.link, message.length);
		sent = message_send(z->socket, &message, source.fd);
		if (source.fd >= 0)
			close(source.fd);
		if (sent < 0)
			return 0;
	}
	return 0;
}

/** source_next - init's source for `op`: borrowed, or opened here; no message means that the supervisor has given up */
int source_next(struct zone *z, const struct op *op, struct source *s, struct fault *f)
{
	struct message message;

	if (!z->lends)
		return source_open(z, op, s, f);
	if (message_receive(z->socket, &message, &s->fd) != 1 || message.kind != MESSAGE_SOURCE)
		_exit(1);
	s->kind = (enum source_kind)message.value;
	s->is_dir = message.is_dir != 0;
	memcpy(s->link, message.text, message.length);
	s->link[message.length] = '\0';
	return 0;
}
