/* The loader's words: one JSON object a line. */
#include "loader.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The end of what libbpf and the kernel's verifier had to say; shown when something fails. */
static char log_text[2560];
static size_t log_length;
/* A line says one thing: what fails after a failure, while undoing, is not said. */
static bool ended;

static int log_line(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char *line = NULL;
	int length;

	if (level == LIBBPF_DEBUG)
		return 0;
	length = vasprintf(&line, format, arguments);
	if (length > 0) {
		size_t keep = sizeof(log_text) - 1;
		size_t size = (size_t)length < keep ? (size_t)length : keep;

		/* Of what does not fit, the oldest goes: the verifier says last what it did not like. */
		if (log_length + size > keep) {
			size_t drop = log_length + size - keep;

			memmove(log_text, log_text + drop, log_length - drop);
			log_length -= drop;
		}
		memcpy(log_text + log_length, line + ((size_t)length - size), size);
		log_length += size;
		log_text[log_length] = '\0';
	}
	free(line);
	return 0;
}

/** log_start - keeps what libbpf says, instead of letting it write to stderr */
void log_start(void)
{
	libbpf_set_print(log_line);
}

static void quoted(const char *text)
{
	putchar('"');
	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		if (*at == '"' || *at == '\\')
			printf("\\%c", *at);
		else if (*at < 0x20 || *at > 0x7e)
			printf("\\u%04x", *at);
		else
			putchar(*at);
	}
	putchar('"');
}

void say_begin(const char *step)
{
	ended = false;
	printf("{\"step\":\"%s\"", step);
}

void say_text(const char *key, const char *text)
{
	if (ended)
		return;
	printf(",\"%s\":", key);
	quoted(text);
}

void say_number(const char *key, uint64_t number)
{
	if (!ended)
		printf(",\"%s\":%" PRIu64, key, number);
}

int say_ok(void)
{
	puts(",\"ok\":true}");
	ended = true;
	fflush(stdout);
	return 0;
}

/** say_failed - ends a line with what failed and why; returns -1 */
int say_failed(const char *what, int err)
{
	if (ended)
		return -1;
	say_text("failed", what);
	say_number("errno", (uint64_t)(err < 0 ? -err : err));
	say_text("log", log_text);
	puts(",\"ok\":false}");
	ended = true;
	fflush(stdout);
	return -1;
}
