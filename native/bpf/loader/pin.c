/*
 * What is pinned:
 *
 *   DIRECTORY/maps/NAME                    the state; outlives the programs' upgrades
 *   DIRECTORY/links/GENERATION/PROGRAM     attached programs; GENERATION is the hash of the object they came from
 *
 * An upgrade attaches and pins the new generation, and only then takes the old one away: at no moment are there none. A generation is
 * pinned under another name and renamed when it is whole, so that whatever was killed half-way is told from it.
 */
#include "loader.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define BPF_FS_MAGIC 0xcafe4a11u

int path_join(char path[PATH_MAX], const char *directory, const char *name)
{
	int length = snprintf(path, PATH_MAX, "%s/%s", directory, name);

	return length > 0 && length < PATH_MAX ? 0 : -1;
}

static int make_directory(const char *path)
{
	return mkdir(path, 0700) < 0 && errno != EEXIST ? say_failed(path, errno) : 0;
}

static const char *generation(void)
{
	static char text[17];
	uint64_t hash = 0xcbf29ce484222325u;

	for (const unsigned char *at = image_start; at < image_end; at++)
		hash = (hash ^ *at) * 0x100000001b3u;
	snprintf(text, sizeof(text), "%016llx", (unsigned long long)hash);
	return text;
}

/** pin_lock - takes the directory's lock, which lasts as long as this process: one setup at a time */
int pin_lock(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0;
	return fd < 0 || flock(fd, LOCK_EX) < 0 ? say_failed(directory, errno) : 0;
}

/** pin_open - makes the directory, if it is on a bpffs, and takes its lock */
int pin_open(const char *directory)
{
	char path[PATH_MAX];
	struct statfs fs;

	if (make_directory(directory) < 0)
		return -1;
	if (statfs(directory, &fs) < 0)
		return say_failed(directory, errno);
	if ((uint32_t)fs.f_type != BPF_FS_MAGIC) {
		rmdir(directory);
		return say_failed("not a bpffs", ENOTSUP);
	}
	if (pin_lock(directory) < 0)
		return -1;
	if (path_join(path, directory, "maps") < 0 || make_directory(path) < 0)
		return -1;
	if (path_join(path, directory, "links") < 0 || make_directory(path) < 0)
		return -1;
	return 0;
}

static int pinned_map(const char *directory, const char *name)
{
	char path[PATH_MAX];
	char file[64];

	snprintf(file, sizeof(file), "maps/%s", name);
	return path_join(path, directory, file) < 0 ? -1 : bpf_obj_get(path);
}

static bool has_zones(const char *directory)
{
	int fd = pinned_map(directory, "rauha_zones");
	uint64_t key;
	bool any = fd >= 0 && bpf_map_get_next_key(fd, NULL, &key) == 0;

	if (fd >= 0)
		close(fd);
	return any;
}

/**
 * pin_check_layout - maps of another contract can't be used again: without zones in them they are taken away
 *
 * With zones they stay, and that is an error: their zones would be unguarded.
 */
int pin_check_layout(const char *directory)
{
	union {
		struct config_record config;
		char room[256];
	} value = {.room = ""};
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	int fd = pinned_map(directory, "rauha_config");
	uint32_t zero = 0;

	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.value_size <= sizeof(value))
		bpf_map_lookup_elem(fd, &zero, &value);
	close(fd);
	/* Nothing was noted yet: a setup that was killed before the end. */
	if (value.config.contract == BPF_CONTRACT_HASH || (value.config.contract == 0 && !has_zones(directory)))
		return 0;
	if (has_zones(directory))
		return say_failed("the pinned maps are of another version of Rauha and hold live zones", EBUSY);
	return pin_remove(directory) < 0 ? -1 : pin_open(directory);
}

/** pin_current - how many programs are pinned when they are the very ones of this loader; else 0 */
uint32_t pin_current(const char *directory)
{
	char path[PATH_MAX];
	char name[32];
	const struct dirent *entry;
	uint32_t count = 0;
	DIR *links;

	snprintf(name, sizeof(name), "links/%s", generation());
	links = path_join(path, directory, name) == 0 ? opendir(path) : NULL;
	while (links && (entry = readdir(links)) != NULL)
		count += entry->d_name[0] != '.';
	if (links)
		closedir(links);
	return count;
}

/** pin_state - opens the pinned maps */
int pin_state(const char *directory, struct state *state)
{
	*state = (struct state){
		.zones = pinned_map(directory, "rauha_zones"),
		.policies = pinned_map(directory, "rauha_policies"),
		.levels = pinned_map(directory, "rauha_levels"),
		.events = pinned_map(directory, "rauha_events"),
		.counters = pinned_map(directory, "rauha_counters"),
	};
	if (state->zones < 0 || state->policies < 0 || state->levels < 0 || state->events < 0 || state->counters < 0)
		return say_failed("open the pinned maps", errno);
	return 0;
}

/* Removes a directory of pins; with `keep`, but for that entry. */
static int remove_entries(const char *path, const char *keep, bool deep)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	int status = 0;

	if (!directory)
		return errno == ENOENT ? 0 : say_failed(path, errno);
	while ((entry = readdir(directory)) != NULL) {
		char name[PATH_MAX];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if ((keep && strcmp(entry->d_name, keep) == 0) || path_join(name, path, entry->d_name) < 0)
			continue;
		if (deep && remove_entries(name, NULL, false) < 0)
			status = -1;
		else if (remove(name) < 0)
			status = say_failed(name, errno);
	}
	closedir(directory);
	return status;
}

/** pin_links - pins a new generation and takes the older ones away */
int pin_links(struct loaded *loaded, const char *directory)
{
	char links[PATH_MAX], fresh[PATH_MAX], whole[PATH_MAX];

	if (path_join(links, directory, "links") < 0 || path_join(fresh, links, "new") < 0 ||
	    path_join(whole, links, generation()) < 0)
		return say_failed("pin path", ENAMETOOLONG);
	if (remove_entries(fresh, NULL, false) < 0 || make_directory(fresh) < 0)
		return -1;
	for (uint32_t i = 0; i < loaded->count; i++) {
		char path[PATH_MAX];
		int err = path_join(path, fresh, loaded->names[i]) < 0 ? -ENAMETOOLONG
								       : bpf_link__pin(loaded->links[i], path);

		if (err < 0)
			return say_failed(loaded->names[i], err);
	}
	if (rename(fresh, whole) < 0)
		return say_failed(whole, errno);
	return remove_entries(links, generation(), true);
}

/** pin_remove - takes everything away: programs first, then the state */
int pin_remove(const char *directory)
{
	char path[PATH_MAX];

	if (access(directory, F_OK) < 0)
		return errno == ENOENT ? 0 : say_failed(directory, errno);
	if (path_join(path, directory, "links") < 0 || remove_entries(path, NULL, true) < 0)
		return -1;
	if (rmdir(path) < 0 && errno != ENOENT)
		return say_failed(path, errno);
	if (path_join(path, directory, "maps") < 0 || remove_entries(path, NULL, false) < 0)
		return -1;
	if (rmdir(path) < 0 && errno != ENOENT)
		return say_failed(path, errno);
	return rmdir(directory) < 0 ? say_failed(directory, errno) : 0;
}
