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

static int attach_all(struct loaded *loaded, const char *directory)
{
	if (pin_open(directory) < 0 || pin_check_layout(directory) < 0)
		return -1;
	if (object_open(loaded, NULL) < 0 || object_load(loaded, directory) < 0)
		return -1;
	if (config_write(loaded) < 0 || object_attach(loaded) < 0)
		return -1;
	return self_test(loaded);
}

static int load(const char *directory)
{
	struct loaded loaded = {.object = NULL};
	bool existed = access(directory, F_OK) == 0;
	bool current = false;
	int status;

	say_begin("load");
	status = attach_all(&loaded, directory);
	if (status == 0) {
		current = pin_is_current(directory);
		say_number("programs", loaded.count);
		say_text("change", current ? "none" : existed ? "upgraded" : "loaded");
		/* Already there: these were attached for the self-test alone, beside the pinned ones. */
		status = current ? 0 : pin_links(&loaded, directory);
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
	return pin_remove(directory) < 0 ? -1 : say_ok();
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
