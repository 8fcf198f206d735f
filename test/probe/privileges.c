/* Verbs about who one is and what one may do. */
#include "probe.h"
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int do_setuid(int argc, char **argv, struct answer *a)
{
	uid_t uid = (uid_t)number_of(argv[1]);

	(void)argc;
	(void)a;
	TRY(setresuid(uid, uid, uid));
	return 0;
}

static int do_setgid(int argc, char **argv, struct answer *a)
{
	gid_t gid = (gid_t)number_of(argv[1]);

	(void)argc;
	(void)a;
	TRY(setresgid(gid, gid, gid));
	return 0;
}

static int do_setgroups(int argc, char **argv, struct answer *a)
{
	gid_t gid = (gid_t)number_of(argv[1]);

	(void)argc;
	(void)a;
	TRY(setgroups(1, &gid));
	return 0;
}

static int read_capabilities(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

	return (int)syscall(SYS_capget, &header, data);
}

/* caps: effective, permitted, inheritable, bounding and ambient set in hex, and no_new_privs */
static int do_caps(int argc, char **argv, struct answer *a)
{
	struct __user_cap_data_struct data[2] = {0};
	uint64_t bounding = 0;
	uint64_t ambient = 0;

	(void)argc;
	(void)argv;
	TRY(read_capabilities(data));
	for (unsigned long number = 0; number < 64; number++) {
		if (prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1)
			bounding |= 1ULL << number;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, number, 0, 0) == 1)
			ambient |= 1ULL << number;
	}
	say_item(a, "effective=%08x%08x", data[1].effective, data[0].effective);
	say_item(a, "permitted=%08x%08x", data[1].permitted, data[0].permitted);
	say_item(a, "inheritable=%08x%08x", data[1].inheritable, data[0].inheritable);
	say_item(a, "bounding=%016llx", (unsigned long long)bounding);
	say_item(a, "ambient=%016llx", (unsigned long long)ambient);
	say_item(a, "no_new_privs=%d", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	return 0;
}

/* cap-raise NUMBER: tries to get a capability back, in every set */
static int do_cap_raise(int argc, char **argv, struct answer *a)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};
	unsigned long number = (unsigned long)number_of(argv[1]);

	(void)argc;
	(void)a;
	TRY(read_capabilities(data));
	data[number / 32].permitted |= 1U << (number % 32);
	data[number / 32].effective |= 1U << (number % 32);
	data[number / 32].inheritable |= 1U << (number % 32);
	TRY(syscall(SYS_capset, &header, data));
	return 0;
}

/* cap-ambient NUMBER */
static int do_cap_ambient(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	TRY(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number_of(argv[1]), 0, 0));
	return 0;
}

static const struct {
	const char *name;
	int resource;
} resources[] = {
	{"cpu", RLIMIT_CPU},	 {"fsize", RLIMIT_FSIZE},     {"data", RLIMIT_DATA},
	{"core", RLIMIT_CORE},	 {"as", RLIMIT_AS},	      {"nofile", RLIMIT_NOFILE},
	{"nproc", RLIMIT_NPROC}, {"memlock", RLIMIT_MEMLOCK}, {"stack", RLIMIT_STACK},
};

static void say_limit(struct answer *a, const char *name, rlim_t value)
{
	if (value == RLIM_INFINITY)
		say_item(a, "%s=unlimited", name);
	else
		say_item(a, "%s=%llu", name, (unsigned long long)value);
}

/* limits: the soft limit of each resource, and the hard one as NAME.hard */
static int do_limits(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)argv;
	for (size_t i = 0; i < sizeof(resources) / sizeof(*resources); i++) {
		struct rlimit limit;
		char name[32];

		TRY(getrlimit(resources[i].resource, &limit));
		snprintf(name, sizeof(name), "%s.hard", resources[i].name);
		say_limit(a, resources[i].name, limit.rlim_cur);
		say_limit(a, name, limit.rlim_max);
	}
	return 0;
}

/* raise-limit NUMBER: tries to lift a hard limit */
static int do_raise_limit(int argc, char **argv, struct answer *a)
{
	int resource = (int)number_of(argv[1]);
	struct rlimit limit;

	(void)argc;
	(void)a;
	TRY(getrlimit(resource, &limit));
	if (limit.rlim_max == RLIM_INFINITY)
		return 0;
	limit.rlim_max++;
	TRY(setrlimit(resource, &limit));
	return 0;
}

/* nice VALUE */
static int do_nice(int argc, char **argv, struct answer *a)
{
	(void)argc;
	(void)a;
	TRY(setpriority(PRIO_PROCESS, 0, (int)number_of(argv[1])));
	return 0;
}

/* ids: user and group ids, supplementary groups, umask */
static int do_ids(int argc, char **argv, struct answer *a)
{
	gid_t groups[64];
	int count = getgroups(64, groups);
	uid_t uid[3];
	gid_t gid[3];

	(void)argc;
	(void)argv;
	TRY(count);
	TRY(getresuid(&uid[0], &uid[1], &uid[2]));
	TRY(getresgid(&gid[0], &gid[1], &gid[2]));
	say_item(a, "uid=%u,%u,%u,%d", uid[0], uid[1], uid[2], setfsuid((uid_t)-1));
	say_item(a, "gid=%u,%u,%u,%d", gid[0], gid[1], gid[2], setfsgid((gid_t)-1));
	say_item(a, "groups=");
	for (int i = 0; i < count; i++)
		say(a, "%s%u", i > 0 ? "," : "", groups[i]);
	return 0;
}

const struct verb privilege_verbs[] = {
	{"setuid", do_setuid, 1, "UID"},
	{"setgid", do_setgid, 1, "GID"},
	{"setgroups", do_setgroups, 1, "GID"},
	{"caps", do_caps, 0, ""},
	{"cap-raise", do_cap_raise, 1, "NUMBER"},
	{"cap-ambient", do_cap_ambient, 1, "NUMBER"},
	{"limits", do_limits, 0, ""},
	{"raise-limit", do_raise_limit, 1, "RESOURCE"},
	{"nice", do_nice, 1, "VALUE"},
	{"ids", do_ids, 0, ""},
	{NULL, NULL, 0, NULL},
};
