/* Builds the one line that a verb prints. */
#include "probe.h"
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
	int err;
	const char *name;
} errnos[] = {
#define E(name)             \
	{                   \
		name, #name \
	}
	E(EPERM),	  E(ENOENT),	      E(ESRCH),	       E(EINTR),	   E(EIO),
	E(ENXIO),	  E(E2BIG),	      E(ENOEXEC),      E(EBADF),	   E(ECHILD),
	E(EAGAIN),	  E(ENOMEM),	      E(EACCES),       E(EFAULT),	   E(ENOTBLK),
	E(EBUSY),	  E(EEXIST),	      E(EXDEV),	       E(ENODEV),	   E(ENOTDIR),
	E(EISDIR),	  E(EINVAL),	      E(ENFILE),       E(EMFILE),	   E(ENOTTY),
	E(ETXTBSY),	  E(EFBIG),	      E(ENOSPC),       E(ESPIPE),	   E(EROFS),
	E(EMLINK),	  E(EPIPE),	      E(ERANGE),       E(ENAMETOOLONG),	   E(ENOSYS),
	E(ENOTEMPTY),	  E(ELOOP),	      E(EPROTO),       E(EOVERFLOW),	   E(ENOTSOCK),
	E(EUSERS),	  E(EPROTONOSUPPORT), E(EOPNOTSUPP),   E(EAFNOSUPPORT),	   E(EADDRINUSE),
	E(EADDRNOTAVAIL), E(ENETDOWN),	      E(ENETUNREACH),  E(ECONNRESET),	   E(EDESTADDRREQ),
	E(EHOSTUNREACH),  E(ETIMEDOUT),	      E(ECONNREFUSED), E(EINPROGRESS),	   E(EDQUOT),
	E(ENOKEY),	  E(EKEYEXPIRED),     E(EKEYREVOKED),  E(ESOCKTNOSUPPORT), E(EPROTOTYPE),
#undef E
};

const char *errno_name(int err)
{
	static char other[32];

	for (size_t i = 0; i < sizeof(errnos) / sizeof(*errnos); i++) {
		if (errnos[i].err == err)
			return errnos[i].name;
	}
	snprintf(other, sizeof(other), "errno-%d", err);
	return other;
}

static void put(struct answer *a, char c)
{
	if (a->length + 1 < sizeof(a->text))
		a->text[a->length++] = c;
	a->text[a->length] = '\0';
}

/* Anything that could be taken for the end of an item or of the line becomes \xNN. */
void say_bytes(struct answer *a, const void *bytes, size_t length)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *at = bytes;

	for (size_t i = 0; i < length; i++) {
		if (isprint(at[i]) && at[i] != '\\') {
			put(a, (char)at[i]);
			continue;
		}
		put(a, '\\');
		put(a, 'x');
		put(a, hex[at[i] >> 4]);
		put(a, hex[at[i] & 15]);
	}
}

void say(struct answer *a, const char *format, ...)
{
	char text[8192];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say_bytes(a, text, strlen(text));
}

/* Like say, but begins a new item. */
void say_item(struct answer *a, const char *format, ...)
{
	char text[8192];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (a->length > 0)
		put(a, '\t');
	say_bytes(a, text, strlen(text));
}

/* One write for the whole line: lines of several processes don't mix. */
void print_answer(int argc, char **argv, int err, const struct answer *a)
{
	static struct answer line;

	line.length = 0;
	for (int i = 0; i < argc; i++) {
		if (i > 0)
			put(&line, ' ');
		say_bytes(&line, argv[i], strlen(argv[i]));
	}
	put(&line, ':');
	put(&line, ' ');
	for (const char *name = err ? errno_name(err) : "OK"; *name; name++)
		put(&line, *name);
	if (a->length > 0)
		put(&line, ' ');
	for (size_t i = 0; i < a->length; i++)
		put(&line, a->text[i]);
	put(&line, '\n');
	if (write(STDOUT_FILENO, line.text, line.length) < 0)
		_exit(3);
}
