/*
 * What the parts of the launcher share. Three processes come from one program:
 *
 *   supervisor   the launcher itself, on the host: makes the zone, relays streams, keeps time, cleans up
 *   init         pid 1 of the zone: mounts the zone's root, forks the task, reaps, watches memory
 *   task         locks itself down and becomes the user's command
 *
 * Parts are declared in the order in which they work; main.c tells the story.
 */
#ifndef RAUHA_LAUNCHER_H
#define RAUHA_LAUNCHER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "contract.gen.h"
#include "sys.h"
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <termios.h>

#define CGROUPS_MAX 8
#define STREAMS_MAX 3

/*
 * Where and why something went wrong. The caller sets `stage` and `op` (fault_at) before it calls something that can fail; what
 * fails adds the rest (fault) and returns -1.
 */
struct fault {
	uint32_t stage;
	uint32_t op;
	int err;
	const char *step;
	char detail[1024];
};

struct op {
	uint32_t id;
	union op_fields u;
};

struct plan {
	uint32_t count;
	struct op *ops;
	const struct op *only[PLAN_OP_MAX + 1]; /* of each kind that stands at most once, the one there is */
};

/* A flow of bytes that the supervisor keeps going: from a descriptor to another one, or into the report. */
struct stream {
	int from;	 /* -1: it has ended */
	int to;		 /* -1: into the report */
	uint32_t number; /* 0 stdin, 1 stdout, 2 stderr */
	bool terminal;	 /* `from` is the caller's terminal: read it in the foreground only */
	bool own_source; /* `from` is a pipe of ours: closing it tells the task that nobody reads */
	bool own_sink;	 /* `to` is a pipe of ours: closing it tells the task of the end */
	bool to_pty;	 /* `to` is the zone's terminal: a ^D tells the task of the end */
	uint64_t room;	 /* bytes that may still be reported */
	uint32_t start;	 /* what waits in the buffer: [start, end) */
	uint32_t end;
	uint8_t last; /* the byte that went last */
	uint8_t *buffer;
};

/* The caller's terminal, put into raw mode while the zone's own terminal is in use. */
struct terminal {
	bool raw;
	struct termios saved;
	struct winsize size; /* of the caller's terminal when the zone started; zeros for unknown */
};

/* What tells one directory from another. */
struct place {
	dev_t device;
	ino_t inode;
};

/* Everything about one run. Descriptors are -1 when there is none. */
struct zone {
	struct plan plan;
	int report;		/* where this process writes records: the report pipe, or `startup` in init and task */
	uint32_t cgroups;	/* cgroup ops carried out */
	int cgroup_dir;		/* v2: to be cloned into */
	int tasks[CGROUPS_MAX]; /* v1: `tasks` files, for init to enter by */
	uint32_t tasks_count;
	pid_t init;
	int pidfd;
	int socket; /* supervisor and init: this process's end */
	int socket_peer;
	int startup; /* records of init and task; end of file when the task has become the command */
	int startup_peer;
	pid_t task;
	int gate; /* init and task: a word each when the network namespace, and when the tree is there */
	int gate_peer;
	bool joined; /* init is in the zone's network namespace */
	bool lends;  /* the supervisor opens the sources and lends them to init */
	int user_ns; /* of the zone, for idmapped mounts */
	int store;   /* the root tmpfs itself, which the zone never sees whole */
	int root;    /* the zone's root: a directory of the store */
	struct place root_place;
	dev_t store_device;
	bool has_image; /* the root is an overlayfs on the store, and not a directory of the store itself */
	uint32_t scratches;
	int parent; /* directory that the last target was made in, and its path */
	bool parent_is_ours;
	char parent_path[PATH_MAX];
	int stdio[3];	/* the task's; -1: the zone's /dev/null */
	int stdin_pipe; /* what the task reads a regular file through: says how much of it was not read */
	int pty;	/* the zone's terminal, its master side */
	uint32_t stream_count;
	struct stream streams[STREAMS_MAX];
	uint64_t seen[3]; /* bytes of each stream that came */
	struct terminal terminal;
	int listener;	/* of the task's system call filter: where denied calls wait */
	bool verifying; /* the self-test is not over: what the task is denied is no news */
	uint64_t denials;
	bool deaf; /* nobody reads the report any more */
};

/* What init says when the task has ended. */
struct task_end {
	int32_t status;
	uint32_t pids_peak;
	uint64_t memory_peak;
	uint64_t own_user_us; /* init's own share of the zone's processor time */
	uint64_t own_system_us;
};

enum source_kind { SOURCE_SKIPPED, SOURCE_MOUNT, SOURCE_FILE, SOURCE_LINK };

/* A path of the host, opened. */
struct source {
	enum source_kind kind;
	bool is_dir;
	int fd;
	char link[PATH_MAX];
};

enum message_kind {
	MESSAGE_GO,
	MESSAGE_NETWORK,
	MESSAGE_SOURCE,
	MESSAGE_SIGNAL,
	MESSAGE_KILL,
	MESSAGE_PTY,
	MESSAGE_LISTENER,
	MESSAGE_EXITED,
	MESSAGE_MEMORY
};

/* What supervisor and init tell each other. `text` is sent as far as `length` says. */
struct message {
	uint32_t kind;
	uint32_t value;
	uint32_t is_dir;
	uint32_t length;
	struct task_end end;
	char text[PATH_MAX];
};

/* fault.c */
void fault_at(struct fault *f, const struct plan *plan, const struct op *op);
int fault(struct fault *f, const char *step, const char *detail);
int fault_with(struct fault *f, int err, const char *step, const char *detail);

/* text.c */
char *text_put(char *at, const char *end, const char *text);
char *text_number(char *at, const char *end, uint64_t number);
int file_write(const char *path, const char *text);

/* report.c */
void report_start(struct zone *z, int fd);
void report_add(struct zone *z, enum record_id id, const void *record);
void report_copy(struct zone *z, const uint8_t *bytes, uint32_t size);
void report_flush(struct zone *z);
void report_send(struct zone *z, enum record_id id, const void *record);
void report_failed(struct zone *z, const struct fault *f);
void report_skipped(struct zone *z, const struct op *op, int err, const char *step);

/* decode.c */
const struct op *op_next(const struct plan *plan, const struct op *op, uint32_t id);
int plan_read(struct plan *plan, struct fault *f);

/* cgroup.c */
int cgroups_make(struct zone *z, struct fault *f);
int cgroups_enter(struct zone *z, struct fault *f);
void cgroups_collect(struct zone *z);
int cgroups_remove(struct zone *z, struct fault *f);
void cgroups_sweep(const struct zone *z);

/* clone.c */
bool is_mapped(const struct plan *plan, uint32_t map_op, uint32_t id, bool outside);
int init_clone(struct zone *z, struct fault *f);
int ids_map(struct zone *z, struct fault *f);
int ids_take(struct zone *z, struct fault *f);

/* message.c */
int message_send(int socket, const struct message *message, int fd);
int message_receive(int socket, struct message *message, int *fd);

/* source.c, lend.c */
int source_open(struct zone *z, const struct op *op, struct source *s, struct fault *f);
int sources_lend(struct zone *z, struct fault *f);
int source_next(struct zone *z, const struct op *op, struct source *s, struct fault *f);

/* target.c */
int target_find(const struct zone *z, const char *path);
int target_make(struct zone *z, const char *path, bool is_dir, mode_t mode, struct fault *f);
int target_parent(struct zone *z, const char *path, const char **name, struct fault *f);
int target_attach(struct zone *z, int tree, int target, const char *path, bool is_dir, struct fault *f);

/* mount.c, mount_files.c, mount_kernel.c, mount_overlay.c, mount_image.c, root.c */
int zone_mount(struct zone *z, struct fault *f);
unsigned int attributes_of(uint32_t flags);
int tree_copy(int dir, const char *path, unsigned int flags, uint64_t attributes, const char *detail, struct fault *f);
int tree_mount(struct zone *z, int tree, const char *path, bool is_dir, struct fault *f);
int mount_copy(struct zone *z, const struct op *op, struct fault *f);
int mount_file(struct zone *z, const struct op_file *file, struct fault *f);
int mount_symlink(struct zone *z, const char *value, const char *target, struct fault *f);
int mount_scratch(struct zone *z, const struct op_scratch *scratch, struct fault *f);
int mount_kernel(struct zone *z, const struct op *op, struct fault *f);
int mount_mask(struct zone *z, const struct op *op, struct fault *f);
int mount_read_only(struct zone *z, const struct op *op, struct fault *f);
int mount_overlay(struct zone *z, const struct op_overlay *overlay, struct fault *f);
int mount_detach(struct zone *z, const struct op_detach *detach, struct fault *f);
int mount_layer(struct zone *z, const struct op *op, struct fault *f);
int mount_image(struct zone *z, const struct op_image *image, struct fault *f);
int place_of(int dir, const char *path, struct place *place);
int root_make(struct zone *z, const struct op_root *root, struct fault *f);
int root_pivot(struct zone *z, const struct op_pivot *pivot, struct fault *f);

/* net.c */
int hostname_set(const struct zone *z, const char *name, struct fault *f);
int network_make(struct zone *z, struct fault *f);
int network_join(struct zone *z, struct fault *f);
int network_await(struct zone *z, struct fault *f);

/* net_way_out.c */
int way_out_make(struct zone *z, bool own_network, struct fault *f);

/* init.c */
_Noreturn void init_main(struct zone *z);

/* memory_watch.c */
struct memory_watch {
	uint64_t limit;
	uint64_t interval_ns;
	uint64_t next_ns;
	uint64_t peak;
	uint32_t pids_peak;
	int proc;
	int root;
};
bool memory_is_over(struct memory_watch *watch);

/* task.c */
_Noreturn void task_main(struct zone *z);

/* limits.c, privileges.c, landlock.c, seccomp.c, verify.c */
int limits_set(struct zone *z, struct fault *f);
int bounding_set_drop(struct zone *z, struct fault *f);
int identity_take(struct zone *z, struct fault *f);
int capabilities_drop(struct zone *z, struct fault *f);
int init_privileges_drop(bool watches);
int landlock_restrict(struct zone *z, struct fault *f);
int seccomp_install(struct zone *z, struct fault *f);
int verify_lockdown(struct zone *z, struct fault *f);

/* streams.c */
int streams_open(struct zone *z, struct fault *f);
void streams_release(struct zone *z);
struct stream *stream_add(struct zone *z, uint32_t number, int from, int to);
int descriptor_unshare(int fd);
short stream_events(const struct stream *s, int *fd);
void stream_turn(struct zone *z, struct stream *s);
void stream_end(struct stream *s);
bool in_foreground(int terminal);
bool stream_waits_for_terminal(const struct stream *s);
void stdin_put_back(const struct zone *z);

/* pty.c */
int pty_open(struct zone *z, struct fault *f);
void pty_attach(struct zone *z, int master);
void terminal_measure(struct zone *z);
void terminal_follow(const struct zone *z);
void terminal_restore(const struct zone *z);

/* denials.c */
struct seccomp_notif;
bool denials_receive(struct zone *z, struct seccomp_notif *call);
void denials_answer(struct zone *z, const struct seccomp_notif *call);
void denials_close(struct zone *z);
void denials_end(struct zone *z);

/* supervise.c */
void supervise(struct zone *z);

/* clock.c */
uint64_t clock_ns(void);
uint64_t processor_ns(void);
uint64_t microseconds(struct timeval time);

#endif
