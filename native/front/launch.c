/* Starts the launcher as src/linux/zone-process.ts does: from a sealed memfd, with the descriptors of `launcherFd`. */
#include "front.h"
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/wait.h>

#define SEAL_ALL 15
#ifndef MFD_EXEC
#define MFD_EXEC 0x10u
#endif
/* Descriptors below this belong to the launcher's own table. */
#define LOWEST_FD   64
#define STACK_BYTES 16384

/* The launcher's executable; LAUNCHER names its file. */
__asm__(".section .rodata\n"
	".balign 16\n"
	"launcher_begin:\n"
	"	.incbin \"" LAUNCHER "\"\n"
	"launcher_end:\n");
extern const uint8_t launcher_begin[] __attribute__((visibility("hidden")));
extern const uint8_t launcher_end[] __attribute__((visibility("hidden")));

/* What the child needs, on the parent's stack: it runs in the parent's memory until it executes the launcher. */
struct birth {
	int table[FD_STDERR + 1];
	char path[32];
	long failure;
};

/* A duplicate above the table. The descriptor itself is closed unless it is the caller's. */
static int raise_fd(long fd, bool keep)
{
	long high = fd < 0 ? fd : SYS3(__NR_fcntl, fd, F_DUPFD_CLOEXEC, LOWEST_FD);

	if (!keep)
		close_fd((int)fd);
	return (int)high;
}

static int filled_memfd(const char *name, uint32_t flags, const uint8_t *data, size_t size)
{
	long fd = SYS2(__NR_memfd_create, name, MFD_CLOEXEC | flags);

	/* Kernels before 6.3 don't know it. */
	if (fd == -EINVAL && flags & MFD_EXEC)
		fd = SYS2(__NR_memfd_create, name, MFD_CLOEXEC | (flags & ~MFD_EXEC));
	while (fd >= 0 && size > 0) {
		long done = SYS3(__NR_write, fd, data, size);

		if (done <= 0 && done != -EINTR) {
			close_fd((int)fd);
			return -1;
		}
		data += done > 0 ? done : 0;
		size -= done > 0 ? (size_t)done : 0;
	}
	return raise_fd(fd, false);
}

static void child(struct birth *birth)
{
	const char *argv[] = {"rauha-zone", NULL};
	const char *envp[] = {NULL};

	for (int i = 0; i <= FD_STDERR; i++)
		SYS3(__NR_dup3, birth->table[i], i, 0);
	birth->failure = SYS3(__NR_execve, birth->path, argv, envp);
	for (;;)
		SYS1(__NR_exit_group, 127);
}

/* clone(2) as vfork(2): the parent waits until the child has executed something, or ended. */
static long spawn(struct birth *birth, uint8_t *stack_end)
{
	long flags = CLONE_VM | CLONE_VFORK | 17 /* SIGCHLD */;
#if defined(__x86_64__)
	register void (*entry)(struct birth *) __asm__("r12") = child;
	register void *argument __asm__("r13") = birth;
	long result;

	__asm__ volatile("xor %%edx, %%edx\n"
			 "	xor %%r10d, %%r10d\n"
			 "	xor %%r8d, %%r8d\n"
			 "	syscall\n"
			 "	test %%rax, %%rax\n"
			 "	jnz 1f\n"
			 "	mov %%r13, %%rdi\n"
			 "	call *%%r12\n"
			 "1:"
			 : "=a"(result)
			 : "a"(__NR_clone), "D"(flags), "S"(stack_end), "r"(entry), "r"(argument)
			 : "rcx", "rdx", "r8", "r10", "r11", "memory");
	return result;
#else
	register long x8 __asm__("x8") = __NR_clone;
	register long x0 __asm__("x0") = flags;
	register void *x1 __asm__("x1") = stack_end;
	register long x2 __asm__("x2") = 0;
	register long x3 __asm__("x3") = 0;
	register long x4 __asm__("x4") = 0;
	register void (*entry)(struct birth *) __asm__("x19") = child;
	register void *argument __asm__("x20") = birth;

	__asm__ volatile("svc 0\n"
			 "	cbnz x0, 1f\n"
			 "	mov x0, x20\n"
			 "	blr x19\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(entry), "r"(argument)
			 : "x30", "memory");
	return x0;
#endif
}

static bool start(struct run *run, struct birth *birth, const int ours[2])
{
	uint8_t *stack = memory(STACK_BYTES);
	long pid = stack ? spawn(birth, stack + STACK_BYTES) : -ENOMEM;

	if (pid > 0 && birth->failure < 0)
		SYS4(__NR_wait4, pid, 0, 0, 0);
	if (pid <= 0 || birth->failure < 0)
		return false;
	run->pid = (int)pid;
	run->report = ours[0];
	run->control = ours[1];
	return true;
}

/* "/proc/self/fd/N" */
static void path_of(char path[32], int fd)
{
	struct writer w = {(uint8_t *)path};

	put(&w, "/proc/self/fd/", 14);
	put_number(&w, (uint64_t)fd);
	*w.at = 0;
}

/** launch - starts the launcher with the run's plan; false where that can't be done, and then nothing is left of it */
bool launch(struct run *run)
{
	size_t size = (size_t)(launcher_end - launcher_begin);
	int image = filled_memfd("rauha-launcher", MFD_ALLOW_SEALING | MFD_EXEC, launcher_begin, size);
	int plan = filled_memfd("rauha-plan", 0, run->plan, run->plan_bytes);
	int report[2] = {-1, -1}, control[2] = {-1, -1};
	struct birth birth = {.failure = 0};
	bool is_started = image >= 0 && plan >= 0 && SYS3(__NR_fcntl, image, F_ADD_SEALS, SEAL_ALL) == 0 &&
			  SYS2(__NR_pipe2, report, O_CLOEXEC) == 0 && SYS2(__NR_pipe2, control, O_CLOEXEC) == 0;
	const int given[] = {control[0], report[1], 2, plan, 0, 1, 2};

	for (int i = 0; i <= FD_STDERR; i++) {
		birth.table[i] = is_started ? raise_fd(given[i], true) : -1;
		is_started = is_started && birth.table[i] >= 0;
	}
	if (is_started) {
		path_of(birth.path, image);
		is_started = start(run, &birth, (const int[]){report[0], control[1]});
	}
	for (int i = 0; i <= FD_STDERR; i++)
		close_fd(birth.table[i]);
	close_fd(image);
	close_fd(plan);
	close_fd(control[0]);
	close_fd(report[1]);
	if (!is_started) {
		close_fd(control[1]);
		close_fd(report[0]);
	}
	return is_started;
}
