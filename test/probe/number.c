/* Reads operands. A word that is not known ends the probe with 2: a misspelled test must fail. */
#include "probe.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void unknown(const char *what, const char *word)
{
	fprintf(stderr, "probe: %s: not %s\n", word, what);
	exit(2);
}

/* Decimal, 0x hex or 0 octal; K, M and G are powers of 1024. */
long number_of(const char *word)
{
	char *end = NULL;
	long value;

	errno = 0;
	value = strtol(word, &end, 0);
	if (*end == 'K' || *end == 'M' || *end == 'G')
		value <<= *end == 'K' ? 10 : *end == 'M' ? 20 : 30, end++;
	if (errno || end == word || *end != '\0')
		unknown("a number", word);
	return value;
}

uint64_t bits_of(const char *words, const struct bit_name *names)
{
	char copy[256];
	char *rest = copy;
	uint64_t bits = 0;

	snprintf(copy, sizeof(copy), "%s", words);
	for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ",")) {
		const struct bit_name *name = names;

		while (name->name && strcmp(name->name, word) != 0)
			name++;
		if (!name->name && strcmp(word, "none") != 0)
			unknown("a flag that is known here", word);
		bits |= name->bits;
	}
	return bits;
}

int open_flags(const char *mode)
{
	static const struct bit_name modes[] = {
		{"r", O_RDONLY},
		{"w", O_WRONLY},
		{"rw", O_RDWR},
		{"create", O_WRONLY | O_CREAT | O_EXCL},
		{"append", O_WRONLY | O_APPEND},
		{"path", O_PATH},
		{"dir", O_RDONLY | O_DIRECTORY},
		{"nofollow", O_NOFOLLOW},
		{"nonblock", O_NONBLOCK},
		{"tmpfile", O_TMPFILE | O_RDWR},
		{NULL, 0},
	};
	return (int)bits_of(mode, modes);
}
