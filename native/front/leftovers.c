/*
 * Records of zones whose owner is gone (src/linux/zones): a start that finds one is the runtime's, which takes it away. Zones that live
 * hold a lock on theirs.
 */
#include "front.h"
#include <linux/fcntl.h>

#define LOCK_SH	      1
#define LOCK_NB	      4
#define PATH_BYTES    4096
#define LIST_BYTES    4096
#define LOOKS_PER_RUN 8
/* struct linux_dirent64: inode (8), offset (8), length (2), type (1), name. */
#define ENTRY_LENGTH 16
#define ENTRY_NAME   19

static bool is_left(long directory, const char *name)
{
	long fd = SYS4(__NR_openat, directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	bool left = fd >= 0 && SYS2(__NR_flock, fd, LOCK_SH | LOCK_NB) == 0;

	close_fd((int)fd);
	return left;
}

/* A few of those that the kernel lists first. */
static bool looks_left(long directory)
{
	uint8_t list[LIST_BYTES] __attribute__((aligned(8)));
	long size = SYS3(__NR_getdents64, directory, list, sizeof(list));
	uint16_t length;

	for (long at = 0, looks = 0; at < size && looks < LOOKS_PER_RUN; at += length) {
		const char *name = (const char *)list + at + ENTRY_NAME;

		memcpy(&length, list + at + ENTRY_LENGTH, sizeof(length));
		if (name[0] == '.')
			continue;
		looks++;
		if (is_left(directory, name))
			return true;
	}
	return false;
}

/** has_leftovers - whether a zone that was killed left its record in the runtime directory: root's is /run */
bool has_leftovers(char **envp)
{
	static const char below[] = "/rauha/zones";
	const char *runtime = SYS0(__NR_geteuid) == 0 ? "/run" : variable(envp, "XDG_RUNTIME_DIR", 15);
	size_t length = runtime ? text_length(runtime) : 0;
	char path[PATH_BYTES];
	struct writer w = {(uint8_t *)path};
	bool left;
	long fd;

	if (length + sizeof(below) > sizeof(path))
		return false;
	if (length > 0)
		put(&w, runtime, length);
	put(&w, below, sizeof(below));
	fd = SYS4(__NR_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	left = fd >= 0 && looks_left(fd);
	close_fd((int)fd);
	return left;
}
