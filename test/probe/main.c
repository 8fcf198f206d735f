/*
 * probe VERB [operands...] [+ VERB [operands...]]...
 *
 * Does one thing after the other in one process and prints a line for each: `VERB operands: OK details` or `VERB operands: EPERM details`.
 * Exits 0 when everything was tried, whatever the kernel said; 2 when a verb or an operand is not known.
 */
#include "probe.h"
#include <stdio.h>
#include <string.h>

static const struct verb *const groups[] = {
	file_verbs, tree_verbs,	  mount_verbs, process_verbs, privilege_verbs,
	net_verbs,  kernel_verbs, bomb_verbs,  show_verbs,    terminal_verbs,
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		for (const struct verb *verb = groups[i]; verb->name; verb++) {
			if (strcmp(verb->name, name) == 0)
				return verb;
		}
	}
	return NULL;
}

static int list_verbs(void)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		for (const struct verb *verb = groups[i]; verb->name; verb++)
			printf("%s %s\n", verb->name, verb->operands);
	}
	return 2;
}

/* Operands of this verb: up to the next + that stands alone, except for a verb that takes a whole command. */
static int count_words(char **argv, int left)
{
	static const char *const whole[] = {"pty-run", "usage", "least-locked"};
	int count = 1;

	for (size_t i = 0; i < sizeof(whole) / sizeof(*whole); i++) {
		if (strcmp(argv[0], whole[i]) == 0)
			return left;
	}
	while (count < left && strcmp(argv[count], "+") != 0)
		count++;
	return count;
}

int main(int argc, char **argv)
{
	static struct answer answer;

	if (argc < 2)
		return list_verbs();
	for (int at = 1; at < argc; at++) {
		int count = count_words(argv + at, argc - at);
		const struct verb *verb = find_verb(argv[at]);
		int err;

		if (!verb || count - 1 < verb->min_operands) {
			fprintf(stderr, "probe: %s: %s\n", argv[at], verb ? verb->operands : "no such verb");
			return 2;
		}
		answer.length = 0;
		answer.text[0] = '\0';
		err = verb->run(count, argv + at, &answer);
		print_answer(count, argv + at, err, &answer);
		at += count;
	}
	return 0;
}
