/*
 * What the parts of the loader share. It loads the programs that it carries, tries them, pins them; it decides nothing. One verb a run,
 * one JSON object a line on stdout; exit code 0, or 1 when a line says `"ok":false`.
 *
 *   loader probe                   attach one program and detach it again: can this kernel do it?
 *   loader load DIRECTORY          load, attach, self-test, pin below DIRECTORY of a bpffs; in place of older ones.
 *                                  When these very programs are there: the self-test alone
 *   loader remove DIRECTORY        take away what is pinned there
 */
#ifndef RAUHA_LOADER_H
#define RAUHA_LOADER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "../contract.gen.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PROGRAMS_MAX 64

/* The object, as the assembler put it into this program (image.c). */
extern const unsigned char image_start[];
extern const unsigned char image_end[];

struct loaded {
	struct bpf_object *object;
	struct bpf_link *links[PROGRAMS_MAX];
	const char *names[PROGRAMS_MAX];
	uint32_t count;
};

/* What the self-test looks at: maps of a loaded object, or pinned ones. */
struct state {
	int zones;
	int policies;
	int levels;
	int events;
	int counters;
};

/* say.c */
void say_begin(const char *step);
void say_text(const char *key, const char *text);
void say_number(const char *key, uint64_t number);
int say_ok(void);
int say_failed(const char *what, int err);
void log_start(void);

/* object.c */
int object_open(struct loaded *loaded, const char *only);
int object_load(struct loaded *loaded, const char *pin_directory);
int object_attach(struct loaded *loaded);
void object_close(struct loaded *loaded);
int config_write(const struct loaded *loaded);
int object_state(const struct loaded *loaded, struct state *state);

/* pin.c */
int pin_lock(const char *directory);
int pin_open(const char *directory);
int pin_check_layout(const char *directory);
uint32_t pin_current(const char *directory);
int pin_state(const char *directory, struct state *state);
int pin_links(struct loaded *loaded, const char *directory);
int pin_remove(const char *directory);
int path_join(char path[PATH_MAX], const char *directory, const char *name);

/* self_test.c */
int self_test(const struct state *state);

#endif
