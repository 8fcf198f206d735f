/*
 * Makes the maps of the BPF object and pins them, without its programs: on a kernel that takes maps and no LSM programs, all that `rauha
 * sandbox` does about zones can be measured, though nothing guards them.
 *
 *   pin-maps OBJECT DIRECTORY
 */
#include "../native/bpf/contract.gen.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int fail(const char *what)
{
	perror(what);
	return 1;
}

int main(int argc, char **argv)
{
	struct config_record config = {.contract = BPF_CONTRACT_HASH};
	struct bpf_program *program;
	struct bpf_object *object;
	char path[PATH_MAX];
	struct bpf_map *map;
	__u32 zero = 0;

	if (argc != 3)
		return fail("usage: pin-maps OBJECT DIRECTORY");
	object = bpf_object__open_file(argv[1], NULL);
	if (!object)
		return fail(argv[1]);
	snprintf(path, sizeof(path), "%s/maps", argv[2]);
	if (mkdir(argv[2], 0700) < 0 || mkdir(path, 0700) < 0)
		return fail(path);
	bpf_object__for_each_program(program, object) bpf_program__set_autoload(program, false);
	bpf_object__for_each_map(map, object)
	{
		snprintf(path, sizeof(path), "%s/maps/%s", argv[2], bpf_map__name(map));
		if (!bpf_map__is_internal(map) && bpf_map__set_pin_path(map, path) < 0)
			return fail(path);
	}
	if (bpf_object__load(object) < 0)
		return fail("load");
	if (bpf_map_update_elem(bpf_object__find_map_fd_by_name(object, "rauha_config"), &zero, &config, BPF_ANY) < 0)
		return fail("rauha_config");
	return 0;
}
