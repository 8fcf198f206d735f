/*
 * System calls of the task that its filter denies. The kernel holds each until the supervisor answers: always EPERM, never anything
 * else, so that a supervisor that is slow or gone can only deny. See seccomp_unotify(2).
 */
#include "notify.h"
#include <sys/uio.h>

/* Denials reported one by one; the rest is counted. A task that makes a million of them costs us no memory. */
#define DENIALS_REPORTED 256u
#define OBJECT_BYTES	 256

/** caller_text - a string in the caller's memory, as far as it can be read; the caller may change it while we look */
void caller_text(uint32_t pid, uint64_t address, char *text, size_t size)
{
	struct iovec to = {text, size - 1};
	size_t here = 4096 - (address & 4095);
	struct iovec parts[2];
	ssize_t got;

	/* The rest of its page and the page behind, which may not be there: a part is read whole or not at all. */
	if (here > size - 1)
		here = size - 1;
	parts[0] = (struct iovec){(void *)(uintptr_t)address, here};
	parts[1] = (struct iovec){(void *)(uintptr_t)(address + here), size - 1 - here};
	got = process_vm_readv((pid_t)pid, &to, 1, parts, 2, 0);
	text[got < 0 ? 0 : got] = '\0';
}

/* What the call was about: the plan says which argument of which call is a path. */
static void describe(const struct zone *z, const struct seccomp_notif *call, char *object)
{
	const struct bytes *paths = &z->plan.only[OP_SECCOMP]->u.seccomp.paths;
	uint32_t entry[2];

	object[0] = '\0';
	for (uint32_t at = 0; at + sizeof(entry) <= paths->size; at += sizeof(entry)) {
		memcpy(entry, paths->data + at, sizeof(entry));
		if (entry[0] == (uint32_t)call->data.nr && entry[1] < 6)
			caller_text(call->pid, call->data.args[entry[1]], object, OBJECT_BYTES);
	}
}

static void read_comm(uint32_t pid, char *comm, size_t size)
{
	char path[64];
	char *at = text_put(path, path + sizeof(path), "/proc/");
	ssize_t got = -1;
	int fd;

	at = text_number(at, path + sizeof(path), pid);
	text_put(at, path + sizeof(path), "/comm");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		got = read(fd, comm, size - 1);
		close(fd);
	}
	comm[got > 0 ? got - 1 : 0] = '\0';
}

static void report_denied(struct zone *z, const struct seccomp_notif *call)
{
	char comm[17];
	char object[OBJECT_BYTES];
	struct record_denied record = {
		.nr = (uint32_t)call->data.nr,
		.arch = call->data.arch,
		.pid = call->pid,
		.comm = comm,
		.object = object,
		.args = {sizeof(call->data.args), (const uint8_t *)call->data.args},
	};

	read_comm(call->pid, comm, sizeof(comm));
	describe(z, call, object);
	/* The caller may have been killed while we looked, and its pid be another process's by now: then nothing read counts. */
	if (syscall(SYS_ioctl, z->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &call->id) < 0)
		comm[0] = object[0] = '\0';
	report_send(z, RECORD_DENIED, &record);
}

/** denials_receive - takes one waiting call from the listener; false when its caller was killed in the meantime */
bool denials_receive(struct zone *z, struct seccomp_notif *call)
{
	memset(call, 0, sizeof(*call));
	return syscall(SYS_ioctl, z->listener, SECCOMP_IOCTL_NOTIF_RECV, call) == 0;
}

/** denials_answer - denies a call, and reports it unless it is the launcher's own self-test; a watched call takes place */
void denials_answer(struct zone *z, const struct seccomp_notif *call)
{
	struct seccomp_notif_resp answer = {.id = call->id, .error = -EPERM};

	if (watch_answer(z, call))
		return;
	if (!z->verifying && z->denials++ < DENIALS_REPORTED)
		report_denied(z, call);
	syscall(SYS_ioctl, z->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

/** denials_close - nobody is left under the filter */
void denials_close(struct zone *z)
{
	close(z->listener);
	z->listener = -1;
}

/** denials_end - says how many there were more than were reported */
void denials_end(struct zone *z)
{
	struct record_denials_dropped record = {.count = z->denials - DENIALS_REPORTED};

	if (z->denials > DENIALS_REPORTED)
		report_send(z, RECORD_DENIALS_DROPPED, &record);
}
