/*
 * Builds a filter by libseccomp from lines on standard input and writes it to standard output as struct sock_filter[].
 *
 *   begin ARCH ACTION            architecture (x86_64, aarch64) and default action, first
 *   rule ACTION NAME N (INDEX OP A B){N}
 *   known NAME                   writes "NAME NUMBER" to standard error, -1 for a name that libseccomp does not know
 *
 * Actions are SECCOMP_RET_* values in hexadecimal, operators are the numbers of enum scmp_compare, A and B are hexadecimal.
 * Other architectures than the one named are killed.
 */
#include <errno.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void die(const char *what, int code)
{
	fprintf(stderr, "libseccomp-export: %s: %s\n", what, strerror(-code));
	exit(1);
}

/* A filter for one architecture only; libseccomp starts with that of this machine. */
static scmp_filter_ctx begin(const char *arch, uint32_t action)
{
	scmp_filter_ctx ctx = seccomp_init(action);
	uint32_t token = seccomp_arch_resolve_name(arch);
	int code;

	if (ctx == NULL || token == 0)
		die(arch, -EINVAL);
	code = seccomp_arch_add(ctx, token);
	if (code < 0 && code != -EEXIST)
		die("seccomp_arch_add", code);
	if (token != seccomp_arch_native()) {
		code = seccomp_arch_remove(ctx, seccomp_arch_native());
		if (code < 0)
			die("seccomp_arch_remove", code);
	}
	seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	return ctx;
}

static void add_rule(scmp_filter_ctx ctx)
{
	struct scmp_arg_cmp conditions[6];
	char name[64];
	uint32_t action;
	unsigned int count, i, op;
	int number, code;

	if (scanf("%" SCNx32 " %63s %u", &action, name, &count) != 3 || count > 6)
		die("rule", -EINVAL);
	for (i = 0; i < count; i++) {
		if (scanf("%u %u %" SCNx64 " %" SCNx64, &conditions[i].arg, &op, &conditions[i].datum_a,
			  &conditions[i].datum_b) != 4)
			die("condition", -EINVAL);
		conditions[i].op = (enum scmp_compare)op;
	}
	number = seccomp_syscall_resolve_name(name);
	if (number == __NR_SCMP_ERROR)
		die(name, -ENOENT);
	code = seccomp_rule_add_exact_array(ctx, action, number, count, conditions);
	if (code < 0)
		die(name, code);
}

int main(void)
{
	scmp_filter_ctx ctx = NULL;
	char verb[64], word[64];
	uint32_t action;
	int code;

	while (scanf("%63s", verb) == 1) {
		if (strcmp(verb, "begin") == 0 && scanf("%63s %" SCNx32, word, &action) == 2)
			ctx = begin(word, action);
		else if (strcmp(verb, "rule") == 0 && ctx != NULL)
			add_rule(ctx);
		else if (strcmp(verb, "known") == 0 && scanf("%63s", word) == 1)
			fprintf(stderr, "%s %d\n", word, seccomp_syscall_resolve_name(word));
		else
			die(verb, -EINVAL);
	}
	if (ctx == NULL)
		return 0;
	code = seccomp_export_bpf(ctx, STDOUT_FILENO);
	if (code < 0)
		die("seccomp_export_bpf", code);
	seccomp_release(ctx);
	return 0;
}
