/* Verbs for parts of the kernel that a task has no business with. Each call is as harmless as it can be where it works. */
#include "probe.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define SAY_FD(call)                   \
	do {                           \
		long fd_ = (call);     \
		TRY(fd_);              \
		say(a, "fd %ld", fd_); \
		return 0;              \
	} while (0)

static int do_hostname(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	TRY(sethostname(argv[1], strlen(argv[1])));
	return 0;
}

static long key_call(unsigned long op, unsigned long b, unsigned long c, unsigned long d)
{
	return syscall(SYS_keyctl, op, b, c, d, 0UL);
}

/* key-add NAME TEXT: into the session keyring */
static int do_key_add(int argc, char **argv, struct answer *a)
{
	long id = syscall(SYS_add_key, "user", argv[1], argv[2], strlen(argv[2]), KEY_SPEC_SESSION_KEYRING);

	(void)argc;
	TRY(id);
	say(a, "%ld", id);
	return 0;
}

/* key-read NAME: searched in the session keyring, then in the user's */
static int do_key_read(int argc, char **argv, struct answer *a)
{
	static const int rings[] = {KEY_SPEC_SESSION_KEYRING, KEY_SPEC_USER_KEYRING, KEY_SPEC_USER_SESSION_KEYRING};
	char text[256];
	long length;
	long id = -1;

	(void)argc;
	for (size_t i = 0; i < sizeof(rings) / sizeof(*rings) && id < 0; i++)
		id = key_call(KEYCTL_SEARCH, (unsigned long)rings[i], (unsigned long)"user", (unsigned long)argv[1]);
	if (id < 0) {
		say(a, "search");
		return errno;
	}
	length = key_call(KEYCTL_READ, (unsigned long)id, (unsigned long)text, sizeof(text));
	TRY(length);
	say_bytes(a, text, (size_t)length);
	return 0;
}

/* key-read-id ID: by its number, past every keyring */
static int do_key_read_id(int argc, char **argv, struct answer *a)
{
	char text[256];
	long length;

	(void)argc;
	length = key_call(KEYCTL_READ, (unsigned long)number_of(argv[1]), (unsigned long)text, sizeof(text));
	TRY(length);
	say_bytes(a, text, (size_t)length);
	return 0;
}

/* key-session NAME: begins a session keyring of one's own, for the verbs that follow */
static int do_key_session(int argc, char **argv, struct answer *a)
{
	long id = key_call(KEYCTL_JOIN_SESSION_KEYRING, (unsigned long)argv[1], 0, 0);

	(void)argc;
	TRY(id);
	say(a, "%ld", id);
	return 0;
}

static int do_bpf(int argc, char **argv, struct answer *a)
{
	union bpf_attr attributes = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};

	(void)argc;
	(void)argv;
	SAY_FD(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes)));
}

static int do_perf(int argc, char **argv, struct answer *a)
{
	struct perf_event_attr attributes = {.type = PERF_TYPE_SOFTWARE,
					     .size = sizeof(attributes),
					     .config = PERF_COUNT_SW_CPU_CLOCK,
					     .exclude_kernel = 1};

	(void)argc;
	(void)argv;
	SAY_FD(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
}

static int do_io_uring(int argc, char **argv, struct answer *a)
{
	struct io_uring_params parameters = {0};

	(void)argc;
	(void)argv;
	SAY_FD(syscall(SYS_io_uring_setup, 1, &parameters));
}

static int do_userfaultfd(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)argv;
	SAY_FD(syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* UFFD_USER_MODE_ONLY */));
}

/* The calls below can't succeed as they are made: an errno other than EPERM or ENOSYS means that the kernel went on to look. */
#define REFUSED(name, call)                                           \
	static int do_##name(int argc, char **argv, struct answer *a) \
	{                                                             \
		(void)argc;                                           \
		(void)argv;                                           \
		(void)a;                                              \
		TRY(call);                                            \
		return 0;                                             \
	}

REFUSED(kexec, syscall(SYS_kexec_load, 0, 99, NULL, 0))
REFUSED(module, syscall(SYS_finit_module, -1, "", 0))
REFUSED(module_init, syscall(SYS_init_module, NULL, 0, ""))
REFUSED(reboot, syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL))
REFUSED(swapon, syscall(SYS_swapon, "/nonexistent", 0))
REFUSED(acct, syscall(SYS_acct, "/nonexistent"))
REFUSED(syslog, klogctl(3, (char[16]){0}, 16))
REFUSED(vhangup, syscall(SYS_vhangup))
REFUSED(quotactl, syscall(SYS_quotactl, 0x80000100, "/dev/null", 0, NULL))

static int do_settime(int argc, char **argv, struct answer *a)
{
	struct timezone zone = {0};

	(void)argc;
	(void)argv;
	(void)a;
	TRY(syscall(SYS_settimeofday, NULL, &zone));
	return 0;
}

/* iopl: ports of the hardware */
static int do_iopl(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)argv;
	(void)a;
#ifdef SYS_iopl
	TRY(syscall(SYS_iopl, 3));
	return 0;
#else
	return ENOSYS;
#endif
}

/* syscall NUMBER [ARGUMENT...] */
static int do_syscall(int argc, char **argv, struct answer *a)
{
	long v[6] = {0};
	long result;

	for (int i = 2; i < argc && i < 8; i++)
		v[i - 2] = number_of(argv[i]);
	result = syscall(number_of(argv[1]), v[0], v[1], v[2], v[3], v[4], v[5]);
	TRY(result);
	say(a, "%ld", result);
	return 0;
}

/* mq-open NAME: a POSIX message queue, made and forgotten again */
static int do_mq_open(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	TRY(syscall(SYS_mq_open, argv[1], O_CREAT | O_RDWR | O_CLOEXEC, 0600, NULL));
	TRY(syscall(SYS_mq_unlink, argv[1]));
	return 0;
}

/* The least Landlock can be: a ruleset of one rule that allows all. */
static int lock_by_ruleset(void)
{
	uint64_t handled[3] = {0x1fff, 0, 0};
	struct {
		uint64_t access;
		int32_t fd;
	} __attribute__((packed)) rule = {0x1fff, open("/", O_PATH | O_CLOEXEC)};
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, handled, sizeof(handled[0]), 0);

	TRY(ruleset);
	TRY(syscall(SYS_landlock_add_rule, ruleset, 1, &rule, 0));
	TRY(syscall(SYS_landlock_restrict_self, ruleset, 0));
	return 0;
}

/* The least seccomp can be: a filter of one instruction that allows all. */
static int lock_by_filter(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {1, &allow};

	TRY(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
	return 0;
}

/* least-locked landlock|seccomp|both COMMAND [args]: runs it under the least a sandbox can be. What work costs there is the kernel's
 * own price. */
static int do_least_locked(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	TRY(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (strcmp(argv[1], "seccomp") != 0)
		TRY(lock_by_ruleset() == 0 ? 0 : -1);
	if (strcmp(argv[1], "landlock") != 0)
		TRY(lock_by_filter() == 0 ? 0 : -1);
	TRY(execvp(argv[2], argv + 2));
	return 0;
}

const struct verb kernel_verbs[] = {
	{"hostname", do_hostname, 1, "NAME"},
	{"key-add", do_key_add, 2, "NAME TEXT"},
	{"key-read", do_key_read, 1, "NAME"},
	{"key-read-id", do_key_read_id, 1, "ID"},
	{"key-session", do_key_session, 1, "NAME"},
	{"bpf", do_bpf, 0, ""},
	{"perf", do_perf, 0, ""},
	{"io_uring", do_io_uring, 0, ""},
	{"userfaultfd", do_userfaultfd, 0, ""},
	{"kexec", do_kexec, 0, ""},
	{"module", do_module, 0, ""},
	{"module-init", do_module_init, 0, ""},
	{"reboot", do_reboot, 0, ""},
	{"swapon", do_swapon, 0, ""},
	{"acct", do_acct, 0, ""},
	{"syslog", do_syslog, 0, ""},
	{"vhangup", do_vhangup, 0, ""},
	{"quotactl", do_quotactl, 0, ""},
	{"settime", do_settime, 0, ""},
	{"iopl", do_iopl, 0, ""},
	{"syscall", do_syscall, 1, "NUMBER [ARGUMENTS]"},
	{"mq-open", do_mq_open, 1, "NAME"},
	{"least-locked", do_least_locked, 2, "landlock|seccomp|both COMMAND [ARGS]"},
	{NULL, NULL, 0, NULL},
};
