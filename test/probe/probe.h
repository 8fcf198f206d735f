/*
 * The probe: one static program that tries things and says in one line each what the kernel answered. Tests run it inside a zone, and
 * sometimes outside as the allowed neighbour. Every verb is a function that fills in an answer; main.c prints it.
 */
#ifndef RAUHA_TEST_PROBE_H
#define RAUHA_TEST_PROBE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a verb says after OK or after the errno's name. Items are separated by tabs; everything that is no plain text is escaped. */
struct answer {
	char text[1 << 16];
	size_t length;
};

/* One verb: argv[0] is its name, argv[1..argc-1] its operands. Returns 0 or the errno that it met. */
typedef int verb_fn(int argc, char **argv, struct answer *a);

struct verb {
	const char *name;
	verb_fn *run;
	int min_operands;
	const char *operands;
};

/* Each list ends with an entry without a name. */
extern const struct verb file_verbs[];
extern const struct verb tree_verbs[];
extern const struct verb mount_verbs[];
extern const struct verb process_verbs[];
extern const struct verb privilege_verbs[];
extern const struct verb net_verbs[];
extern const struct verb kernel_verbs[];
extern const struct verb bomb_verbs[];
extern const struct verb show_verbs[];
extern const struct verb terminal_verbs[];

/* answer.c */
void say(struct answer *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_item(struct answer *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_bytes(struct answer *a, const void *bytes, size_t length);
void print_answer(int argc, char **argv, int err, const struct answer *a);
const char *errno_name(int err);

/* A word of a comma-separated list and the bits that it stands for; the last has no name. */
struct bit_name {
	const char *name;
	uint64_t bits;
};

/* number.c: each exits with 2 on what it does not know, since a misspelled test must not pass. */
long number_of(const char *word);
uint64_t bits_of(const char *words, const struct bit_name *names);
int open_flags(const char *mode);

/* After a call that returns -1 on failure. */
#define TRY(call)                     \
	do {                          \
		if ((call) < 0)       \
			return errno; \
	} while (0)

#endif
