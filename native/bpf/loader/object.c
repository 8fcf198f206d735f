/* The object: opened, fitted to the kernel, loaded, attached. */
#include "loader.h"
#include <bpf/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

/* Hooks that the kernel may lack: those of CONFIG_SECURITY_PATH, of 6.1, of CONFIG_PERF_EVENTS. */
static const char *const optional[] = {"path_",	  "userns_create", "perf_event_open",
				       "kernel_", "move_mount",	   "mmap_file"};

static bool is_optional(const char *hook)
{
	for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++) {
		if (strncmp(hook, optional[i], strlen(optional[i])) == 0)
			return true;
	}
	return false;
}

/* The hook of a section "lsm/HOOK", NULL for any other section. */
static const char *hook_of(const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);

	return strncmp(section, "lsm/", 4) == 0 ? section + 4 : NULL;
}

/* Leaves out programs whose hook this kernel lacks. That is said, and an error unless the hook is an optional one. */
static int choose_programs(struct loaded *loaded, const char *only)
{
	struct btf *btf = btf__load_vmlinux_btf();
	struct bpf_program *program;
	int status = 0;

	if (!btf)
		return say_failed("the kernel describes its types nowhere (BTF)", errno);
	bpf_object__for_each_program(program, loaded->object)
	{
		const char *hook = hook_of(program);
		char function[128];

		if (!hook)
			continue;
		snprintf(function, sizeof(function), "bpf_lsm_%s", hook);
		if (only && strcmp(bpf_program__name(program), only) != 0) {
			bpf_program__set_autoload(program, false);
		} else if (btf__find_by_name_kind(btf, function, BTF_KIND_FUNC) < 0) {
			if (!is_optional(hook) && status == 0)
				status = say_failed(function, ENOENT);
			bpf_program__set_autoload(program, false);
		}
	}
	btf__free(btf);
	return status;
}

/** object_open - opens the carried object; with `only`, that program alone will be loaded */
int object_open(struct loaded *loaded, const char *only)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "rauha");

	loaded->object = bpf_object__open_mem(image_start, (size_t)(image_end - image_start), &options);
	if (!loaded->object)
		return say_failed("open object", errno);
	return choose_programs(loaded, only);
}

/** object_load - loads into the kernel; with a directory, maps that are pinned there are used again, and new ones pinned */
int object_load(struct loaded *loaded, const char *pin_directory)
{
	struct bpf_map *map;
	int err;

	bpf_object__for_each_map(map, loaded->object)
	{
		char path[PATH_MAX];

		if (!pin_directory || bpf_map__is_internal(map))
			continue;
		if (path_join(path, pin_directory, "maps/") < 0 ||
		    strlen(path) + strlen(bpf_map__name(map)) >= sizeof(path))
			return say_failed("pin path", ENAMETOOLONG);
		strcat(path, bpf_map__name(map));
		err = bpf_map__set_pin_path(map, path);
		if (err < 0)
			return say_failed(path, err);
	}
	err = bpf_object__load(loaded->object);
	return err < 0 ? say_failed("load", err) : 0;
}

/**
 * object_attach - attaches every loaded program
 *
 * The last first: of the programs of one hook the kernel runs the one that was attached last before the others, and the order of the
 * sources is meant.
 */
int object_attach(struct loaded *loaded)
{
	struct bpf_program *programs[PROGRAMS_MAX];
	struct bpf_program *program;
	uint32_t count = 0;

	bpf_object__for_each_program(program, loaded->object)
	{
		if (!hook_of(program) || !bpf_program__autoload(program))
			continue;
		if (count == PROGRAMS_MAX)
			return say_failed("too many programs", E2BIG);
		programs[count++] = program;
	}
	while (count > 0) {
		struct bpf_link *link = bpf_program__attach_lsm(programs[--count]);

		if (!link)
			return say_failed(bpf_program__name(programs[count]), errno);
		loaded->links[loaded->count] = link;
		loaded->names[loaded->count++] = bpf_program__name(programs[count]);
	}
	return 0;
}

/** object_close - lets go of everything; what is pinned stays */
void object_close(struct loaded *loaded)
{
	for (uint32_t i = 0; i < loaded->count; i++)
		bpf_link__destroy(loaded->links[i]);
	loaded->count = 0;
	bpf_object__close(loaded->object);
	loaded->object = NULL;
}

static int map_fd(const struct loaded *loaded, const char *name)
{
	return bpf_object__find_map_fd_by_name(loaded->object, name);
}

/** object_state - the maps of the loaded object */
int object_state(const struct loaded *loaded, struct state *state)
{
	*state = (struct state){
		.zones = map_fd(loaded, "rauha_zones"),
		.policies = map_fd(loaded, "rauha_policies"),
		.levels = map_fd(loaded, "rauha_levels"),
		.events = map_fd(loaded, "rauha_events"),
		.counters = map_fd(loaded, "rauha_counters"),
	};
	return 0;
}

/** config_write - notes which contract these maps follow, and what the host's namespaces are */
int config_write(const struct loaded *loaded)
{
	struct config_record config = {.contract = BPF_CONTRACT_HASH};
	struct stat network, users, mounts;
	struct timespec now;
	uint32_t zero = 0;

	if (stat("/proc/self/ns/net", &network) < 0 || stat("/proc/self/ns/user", &users) < 0 ||
	    stat("/proc/self/ns/mnt", &mounts) < 0)
		return say_failed("stat /proc/self/ns", errno);
	clock_gettime(CLOCK_REALTIME, &now);
	config.loaded_ms = (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
	config.host_netns = (uint32_t)network.st_ino;
	config.host_userns = (uint32_t)users.st_ino;
	config.host_mntns = (uint32_t)mounts.st_ino;
	if (bpf_map_update_elem(map_fd(loaded, "rauha_config"), &zero, &config, BPF_ANY) < 0)
		return say_failed("write rauha_config", errno);
	return 0;
}
