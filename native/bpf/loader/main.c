/* The loader's verbs; see loader.h. */
#include "loader.h"
#include <stdio.h>
#include <unistd.h>

static int probe(void)
{
	struct loaded loaded = {.object = NULL};
	int status;

	say_begin("probe");
	status = object_open(&loaded, "rauha_file_open");
	if (status == 0)
		status = object_load(&loaded, NULL);
	if (status == 0)
		status = object_attach(&loaded);
	if (loaded.object)
		object_close(&loaded);
	return status < 0 ? -1 : say_ok();
}

static int load_fresh(struct loaded *loaded, const char *directory)
{
	struct state state;

	if (object_open(loaded, NULL) < 0 || object_load(loaded, directory) < 0)
		return -1;
	if (config_write(loaded) < 0 || object_attach(loaded) < 0 || object_state(loaded, &state) < 0)
		return -1;
	if (self_test(&state) < 0)
		return -1;
	say_number("programs", loaded->count);
	return pin_links(loaded, directory);
}

/* The very programs are there: they are tried again, and nothing is changed. */
static int try_pinned(const char *directory, uint32_t programs)
{
	struct state state;

	say_number("programs", programs);
	say_text("change", "none");
	return pin_state(directory, &state) < 0 || self_test(&state) < 0 ? -1 : 0;
}

static int load(const char *directory)
{
	struct loaded loaded = {.object = NULL};
	bool existed = access(directory, F_OK) == 0;
	uint32_t current;
	int status;

	say_begin("load");
	if (pin_open(directory) < 0 || pin_check_layout(directory) < 0)
		return -1;
	current = pin_current(directory);
	if (current > 0) {
		status = try_pinned(directory, current);
	} else {
		say_text("change", existed ? "upgraded" : "loaded");
		status = load_fresh(&loaded, directory);
	}
	if (loaded.object)
		object_close(&loaded);
	if (status == 0)
		return say_ok();
	/* Nothing half-made stays, but what had been there before. */
	if (!existed)
		pin_remove(directory);
	return -1;
}

static int remove_all(const char *directory)
{
	say_begin("remove");
	return pin_lock(directory) < 0 || pin_remove(directory) < 0 ? -1 : say_ok();
}

int main(int argc, char **argv)
{
	log_start();
	if (argc == 2 && strcmp(argv[1], "probe") == 0)
		return probe() < 0;
	if (argc == 3 && strcmp(argv[1], "load") == 0)
		return load(argv[2]) < 0;
	if (argc == 3 && strcmp(argv[1], "remove") == 0)
		return remove_all(argv[2]) < 0;
	fprintf(stderr, "usage: loader probe | load DIRECTORY | remove DIRECTORY\n");
	return 2;
}
