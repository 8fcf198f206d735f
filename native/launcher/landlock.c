/*
 * The filesystem view a second time, as a Landlock ruleset: what no rule allows is denied, whatever the mounts show. See landlock(7).
 */
#include "launcher.h"
#include <dirent.h>

/* The kernel's, in our own words: the headers of the machine that builds may be older than the kernel that runs. */
struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* since ABI 4; kernels before take the zeros for what they don't know */
	uint64_t scoped;	     /* since ABI 6 */
};
struct path_rule {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));
struct port_rule {
	uint64_t allowed_access;
	uint64_t port;
};
enum { RULE_PATH_BENEATH = 1, RULE_NET_PORT = 2 };

/* Rights that mean something on a file that is no directory; the kernel refuses a rule for a file with any other. */
#define FILE_RIGHTS (1ull << 0 | 1ull << 1 | 1ull << 2 | 1ull << 14 | 1ull << 15)

static int rule_add(int ruleset, int fd, uint64_t access, const char *path, struct fault *f)
{
	struct path_rule rule = {.parent_fd = fd};
	struct stat status;

	if (fstat(fd, &status) < 0)
		return fault(f, "fstat", path);
	rule.allowed_access = S_ISDIR(status.st_mode) ? access : access & FILE_RIGHTS;
	if (rule.allowed_access == 0)
		return 0;
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0)
		return fault(f, "landlock_add_rule", path);
	return 0;
}

static bool is_at_or_below(const char *path, const char *root)
{
	size_t length = strlen(root);

	return strncmp(path, root, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static int rules_around(int ruleset, const char *path, const struct op_landlock_path *rule, struct fault *f);

/* One entry of a directory on the way to a denied path: denied itself, on the way as well, or free. */
static int rule_for_entry(int ruleset, const char *path, const struct op_landlock_path *rule, struct fault *f)
{
	int status = 0;
	int fd;

	for (uint32_t i = 0; i < rule->except.count; i++) {
		if (strcmp(rule->except.items[i], path) == 0)
			return 0;
	}
	for (uint32_t i = 0; i < rule->except.count; i++) {
		if (is_at_or_below(rule->except.items[i], path))
			return rules_around(ruleset, path, rule, f);
	}
	fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == EACCES ? 0 : fault(f, "open", path);
	status = rule_add(ruleset, fd, rule->access, path, f);
	close(fd);
	return status;
}

/*
 * A rule allows everything below a directory and nothing can be taken back from it. So a tree with denied places in it gets its rule
 * piece by piece: for every entry beside the way to a denied place.
 */
static int rules_around(int ruleset, const char *path, const struct op_landlock_path *rule, struct fault *f)
{
	char entry[PATH_MAX];
	const char *end = entry + sizeof(entry);
	DIR *directory = opendir(path);
	const struct dirent *found;
	int status = 0;

	if (!directory)
		return fault(f, "open", path);
	while (status == 0 && (found = readdir(directory)) != NULL) {
		if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
			continue;
		text_put(text_put(text_put(entry, end, path[1] ? path : ""), end, "/"), end, found->d_name);
		status = rule_for_entry(ruleset, entry, rule, f);
	}
	closedir(directory);
	return status;
}

static int path_allow(struct zone *z, int ruleset, const struct op *op, struct fault *f)
{
	const struct op_landlock_path *rule = &op->u.landlock_path;
	int fd;
	int status;

	if (rule->except.count > 0)
		return rules_around(ruleset, rule->path, rule, f);
	fd = open(rule->path, O_PATH | O_CLOEXEC);
	if (fd < 0 && (rule->flags & MOUNT_OPTIONAL) && (errno == ENOENT || errno == EACCES)) {
		report_skipped(z, op, errno, "open");
		return 0;
	}
	if (fd < 0)
		return fault(f, "open", rule->path);
	status = rule_add(ruleset, fd, rule->access, rule->path, f);
	close(fd);
	return status;
}

/**
 * landlock_restrict - `landlock` and its rules, for the task and all it becomes
 *
 * After the ids have changed, since paths are opened with the task's own rights; after no_new_privs, which the kernel asks for;
 * before seccomp, which need not allow any of it.
 */
int landlock_restrict(struct zone *z, struct fault *f)
{
	const struct op *op = z->plan.only[OP_LANDLOCK];
	struct ruleset_attr attr;
	int ruleset;

	if (!op)
		return 0;
	fault_at(f, &z->plan, op);
	attr = (struct ruleset_attr){op->u.landlock.fs, op->u.landlock.net, op->u.landlock.scope};
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return fault(f, "landlock_create_ruleset", NULL);
	for (const struct op *rule = z->plan.ops; rule < z->plan.ops + z->plan.count; rule++) {
		fault_at(f, &z->plan, rule);
		if (rule->id == OP_LANDLOCK_PATH && path_allow(z, ruleset, rule, f) < 0)
			return -1;
		if (rule->id == OP_LANDLOCK_PORT) {
			struct port_rule port = {rule->u.landlock_port.access, rule->u.landlock_port.port};

			if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &port, 0) < 0)
				return fault(f, "landlock_add_rule", "port");
		}
	}
	fault_at(f, &z->plan, op);
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return fault(f, "landlock_restrict_self", NULL);
	close(ruleset);
	return 0;
}
