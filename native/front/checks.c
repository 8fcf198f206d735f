/* Whether all that a start depended on is as it was: the same questions to the kernel as the planner's probes ask (src/linux/probe). */
#include "front.h"
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/landlock.h>
#include <linux/prctl.h>
#include <linux/stat.h>

#define LOCK_SH 1
#define LOCK_NB 4
#define PIECE	4096

static uint64_t capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	if (SYS2(__NR_capget, &header, data) < 0)
		return 0;
	return (uint64_t)data[1].effective << 32 | data[0].effective;
}

static uint64_t user_namespace(void)
{
	struct statx about;

	if (SYS6(__NR_statx, AT_FDCWD, "/proc/self/ns/user", 0, STATX_INO, &about, 0) < 0)
		return 0;
	return about.stx_ino;
}

static uint32_t landlock_abi(void)
{
	long abi = SYS3(__NR_landlock_create_ruleset, 0, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : (uint32_t)abi;
}

/** caller_is_same - who the caller is, and what kernel this is */
bool caller_is_same(struct reader *r)
{
	struct termios settings;

	if (read_u32(r) != (uint32_t)SYS0(__NR_geteuid) || read_u32(r) != (uint32_t)SYS0(__NR_getegid))
		return false;
	if (read_u64(r) != capabilities() || read_u64(r) != user_namespace() || read_u32(r) != landlock_abi())
		return false;
	if (read_u32(r) != (SYS1(__NR_prctl, PR_GET_SECCOMP) != -EINVAL))
		return false;
	return read_u32(r) == (SYS3(__NR_ioctl, 0, TCGETS, &settings) == 0);
}

/* A file's content up to `limit` bytes, or why it can't be read. */
static bool reads_the_same(const char *path, uint32_t limit, uint32_t error, struct bytes content)
{
	long fd = SYS4(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	uint8_t piece[PIECE];
	uint32_t done = 0;
	long got = fd;

	while (fd >= 0) {
		uint32_t left = limit - done;

		got = left == 0 ? 0 : SYS3(__NR_read, fd, piece, left < PIECE ? left : PIECE);
		if (got <= 0 || (size_t)got > content.size - done ||
		    memcmp(piece, content.data + done, (size_t)got) != 0)
			break;
		done += (uint32_t)got;
	}
	close_fd((int)fd);
	if (got < 0)
		return (uint32_t)-got == error;
	return got == 0 && error == 0 && done == content.size;
}

/* As the image store takes it (src/image/layers/stored-layer.ts), so that nobody removes what the zone is made of. */
static bool can_hold(const char *path)
{
	long fd = SYS4(__NR_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);

	return fd >= 0 && SYS2(__NR_flock, fd, LOCK_SH | LOCK_NB) == 0;
}

static bool check_holds(struct reader *r, char **envp)
{
	uint32_t kind = read_u32(r);
	const char *name = read_str(r);

	if (kind == CHECK_READ) {
		uint32_t limit = read_u32(r);
		uint32_t error = read_u32(r);
		struct bytes content = read_bytes(r);

		return !r->bad && reads_the_same(name, limit, error, content);
	}
	if (kind == CHECK_ACCESS) {
		uint32_t mode = read_u32(r);
		bool allowed = read_u32(r);

		return !r->bad && (SYS3(__NR_faccessat, AT_FDCWD, name, mode) == 0) == allowed;
	}
	if (kind == CHECK_VARIABLE) {
		const char *value = variable(envp, name, (uint32_t)text_length(name));
		bool present = read_u32(r);
		struct bytes content = read_bytes(r);

		if (r->bad || (value != NULL) != present)
			return false;
		return !present ||
		       (text_length(value) == content.size && memcmp(value, content.data, content.size) == 0);
	}
	return kind == CHECK_HOLD && !r->bad && can_hold(name);
}

/** checks_hold - whether every check of the list does */
bool checks_hold(struct reader *r, char **envp)
{
	for (uint32_t left = read_u32(r); left > 0; left--) {
		if (!check_holds(r, envp))
			return false;
	}
	return !r->bad;
}
