/**
 * How often programs make a system call, in rough steps: the search tree keeps what is asked often near its root. Since Linux
 * 5.11 the kernel asks no filter about a call that is always allowed, so that there only calls with argument rules count.
 */
const steps: readonly (readonly [weight: number, names: string])[] = [
  [64, "read write openat close fstat newfstatat futex mmap"],
  [
    16,
    "ioctl lseek pread64 pwrite64 munmap mprotect poll epoll_wait epoll_pwait recvfrom sendto recvmsg sendmsg stat lstat",
  ],
  [
    8,
    "open readv writev fcntl getdents64 statx clone socket readlink readlinkat access faccessat faccessat2 brk madvise",
  ],
  [
    4,
    "rt_sigaction rt_sigprocmask wait4 execve pipe2 dup2 dup3 unlink unlinkat rename getpid gettid clock_nanosleep ppoll",
  ],
];

const weights = new Map(steps.flatMap(([weight, names]) => names.split(" ").map((name) => [name, weight] as const)));

/** At least 1; `looked` says that a filter has to look at the call's arguments each time. */
export function syscallWeight(name: string, looked: boolean): number {
  return (weights.get(name) ?? 1) * (looked ? 8 : 1);
}
