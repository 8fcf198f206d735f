/*
 * Calls that the plan wants to know of and that take place: what a task uses, for whoever writes its policy. They are no barrier, so
 * letting them continue is safe: what the task changes in its memory meanwhile meets mounts and Landlock as ever.
 */
#include "notify.h"
#include <sys/uio.h>

#define PATH_BYTES    1400
#define ADDRESS_BYTES 128
/* What was reported lately is not reported again; a cell that another use took only means a repeat. */
#define SEEN 8192u

/* One entry of `watch.calls`. Arguments are numbers from 0; WATCH_NONE for a call that has none such. */
struct entry {
	uint32_t nr;
	uint32_t kind;
	uint32_t subject;   /* the path, or the address; its length is the argument behind it */
	uint32_t directory; /* descriptor that a relative path starts from */
	uint32_t flags;
};

static bool entry_find(const struct bytes *calls, uint32_t nr, struct entry *entry)
{
	for (uint32_t at = 0; at + sizeof(*entry) <= calls->size; at += sizeof(*entry)) {
		memcpy(entry, calls->data + at, sizeof(*entry));
		if (entry->nr == nr && entry->subject < 6)
			return true;
	}
	return false;
}

/* Where a relative path starts, as the zone sees it: the caller's directory or one of its descriptors. */
static void read_base(const struct seccomp_notif *call, uint32_t directory, char *base, size_t size)
{
	char link[64];
	const char *end = link + sizeof(link);
	char *at = text_number(text_put(link, end, "/proc/"), end, call->pid);
	int fd = directory < 6 ? (int)call->data.args[directory] : AT_FDCWD;
	ssize_t got;

	at = text_put(at, end, fd == AT_FDCWD ? "/cwd" : "/fd/");
	if (fd != AT_FDCWD)
		text_number(at, end, (uint64_t)(uint32_t)fd);
	got = readlink(link, base, size - 1);
	base[got > 0 ? got : 0] = '\0';
}

static uint64_t hash_add(uint64_t hash, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ull;
	return hash;
}

static bool is_new(const struct record_used *used)
{
	static uint64_t seen[SEEN];
	uint64_t hash = hash_add(0xcbf29ce484222325ull, &used->nr, sizeof(used->nr));

	hash = hash_add(hash, &used->flags, sizeof(used->flags));
	hash = hash_add(hash, used->path, strlen(used->path) + 1);
	hash = hash_add(hash, used->base, strlen(used->base));
	hash = hash_add(hash, used->address.data, used->address.size);
	if (seen[hash % SEEN] == hash)
		return false;
	seen[hash % SEEN] = hash;
	return true;
}

static void report_used(struct zone *z, const struct seccomp_notif *call, const struct entry *entry)
{
	char path[PATH_BYTES] = "";
	char base[PATH_BYTES] = "";
	uint8_t address[ADDRESS_BYTES];
	struct record_used record = {
		.nr = (uint32_t)call->data.nr,
		.arch = call->data.arch,
		.flags = entry->flags < 6 ? call->data.args[entry->flags] : 0,
		.path = path,
		.base = base,
	};

	if (entry->kind == WATCH_PATH) {
		caller_text(call->pid, call->data.args[entry->subject], path, sizeof(path));
		/* Without a path a call is about a descriptor, which the caller had before. */
		if (path[0] == '\0')
			return;
		if (path[0] != '/')
			read_base(call, entry->directory, base, sizeof(base));
	} else {
		uint64_t length = entry->subject < 5 ? call->data.args[entry->subject + 1] : 0;
		struct iovec to = {address, length < ADDRESS_BYTES ? length : ADDRESS_BYTES};
		struct iovec from = {(void *)(uintptr_t)call->data.args[entry->subject], to.iov_len};
		ssize_t got = process_vm_readv((pid_t)call->pid, &to, 1, &from, 1, 0);

		if (got <= 0)
			return;
		record.address = (struct bytes){(uint32_t)got, address};
	}
	if (is_new(&record))
		report_send(z, RECORD_USED, &record);
}

/** watch_answer - if the call is one that `watch` names: reports it, lets it take place and returns true */
bool watch_answer(struct zone *z, const struct seccomp_notif *call)
{
	const struct op *op = z->plan.only[OP_WATCH];
	struct seccomp_notif_resp answer = {.id = call->id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
	struct entry entry;

	if (!op || !entry_find(&op->u.watch.calls, (uint32_t)call->data.nr, &entry))
		return false;
	if (!z->verifying)
		report_used(z, call, &entry);
	syscall(SYS_ioctl, z->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	return true;
}
