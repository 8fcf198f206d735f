/*
 * Puts a filter on itself and tries system calls, one process each, so that one that kills does not end the probe.
 *
 *   probe none|plain|listen|orphan [FILTER]
 *
 * plain: the filter alone. listen: a listener answers EPERM, as Rauha's does. orphan: the listener is closed at once. FILTER is
 * a file with struct sock_filter[]. Writes a line for each attempt: its name, then `ok`, `errno N` or `signal N`; and for what
 * the listener was asked `asked NUMBER`.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define HIGH	  0xdeadbeef00000000UL
#define FILE_NAME ((unsigned long)"probe.file")

struct attempt {
	const char *name;
	long number;
	unsigned long args[6];
};

/* Numbers that older headers lack. */
#define NR_FCHMODAT2 452
#define NR_UNKNOWN   0x3fff

static struct sock_filter allow_all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
static struct sock_fprog second_filter = {1, allow_all};

static const struct attempt attempts[] = {
	{"socket unix", SYS_socket, {AF_UNIX, SOCK_STREAM}},
	{"socket inet stream", SYS_socket, {AF_INET, SOCK_STREAM | SOCK_CLOEXEC}},
	{"socket inet datagram", SYS_socket, {AF_INET, SOCK_DGRAM, 17}},
	{"socket inet6 stream", SYS_socket, {AF_INET6, SOCK_STREAM, 6}},
	{"socket inet stream, high bits", SYS_socket, {HIGH | AF_INET, HIGH | SOCK_STREAM, HIGH}},
	{"socket inet raw", SYS_socket, {AF_INET, SOCK_RAW, 255}},
	{"socket inet raw, flags", SYS_socket, {AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 1}},
	{"socket inet sctp", SYS_socket, {AF_INET, SOCK_STREAM, 132}},
	{"socket inet mptcp", SYS_socket, {AF_INET, SOCK_STREAM, 262}},
	{"socket packet", SYS_socket, {AF_PACKET, SOCK_RAW, 0x300}},
	{"socket inet packet", SYS_socket, {AF_INET, SOCK_PACKET, 0x300}},
	{"socket netlink route", SYS_socket, {AF_NETLINK, SOCK_RAW, 0}},
	{"socket netlink audit", SYS_socket, {AF_NETLINK, SOCK_RAW, 9}},
	{"socket netlink netfilter", SYS_socket, {AF_NETLINK, SOCK_RAW, 12}},
	{"socket vsock", SYS_socket, {40, SOCK_STREAM}},
	{"socket vsock, high bits", SYS_socket, {HIGH | 40, SOCK_STREAM}},
	{"socket alg", SYS_socket, {38, SOCK_SEQPACKET}},
	{"socket key", SYS_socket, {15, SOCK_RAW, 2}},
	{"socket bluetooth", SYS_socket, {31, SOCK_RAW, 1}},
	{"clone", SYS_clone, {SIGCHLD}},
	{"clone newuser", SYS_clone, {0x10000000 | SIGCHLD}},
	{"clone newuser, high bits", SYS_clone, {HIGH | 0x10000000 | SIGCHLD}},
	{"clone newnet", SYS_clone, {0x40000000 | SIGCHLD}},
	{"clone3", SYS_clone3, {0}},
	{"unshare newuser", SYS_unshare, {0x10000000}},
	{"unshare newtime", SYS_unshare, {0x80}},
	{"setns", SYS_setns, {-1UL, 0}},
	{"ioctl TCGETS", SYS_ioctl, {-1UL, 0x5401}},
	{"ioctl TIOCSTI", SYS_ioctl, {-1UL, 0x5412}},
	{"ioctl TIOCSTI, high bits", SYS_ioctl, {-1UL, HIGH | 0x5412}},
	{"ioctl TIOCLINUX", SYS_ioctl, {-1UL, 0x541c}},
	{"ioctl TIOCLINUX, high bits", SYS_ioctl, {-1UL, 0xffffffff0000541c}},
	{"ioctl TIOCSETD", SYS_ioctl, {-1UL, 0x5423}},
	{"personality query", SYS_personality, {0xffffffff}},
	{"personality no randomize", SYS_personality, {0x0040000}},
	{"personality read implies exec", SYS_personality, {0x0400000}},
	{"chmod 755", SYS_fchmodat, {AT_FDCWD, FILE_NAME, 0755}},
	{"chmod u+s", SYS_fchmodat, {AT_FDCWD, FILE_NAME, 04755}},
	{"chmod u+s, high bits", SYS_fchmodat, {AT_FDCWD, FILE_NAME, HIGH | 04755}},
	{"chmod g+s", SYS_fchmodat, {AT_FDCWD, FILE_NAME, 02755}},
	{"fchmodat2 u+s", NR_FCHMODAT2, {AT_FDCWD, FILE_NAME, 04755}},
	{"mknod fifo", SYS_mknodat, {AT_FDCWD, (unsigned long)"probe.fifo", S_IFIFO | 0600}},
	{"mknod device", SYS_mknodat, {AT_FDCWD, (unsigned long)"probe.null", S_IFCHR | 0600, 0x103}},
	{"mknod whiteout", SYS_mknodat, {AT_FDCWD, (unsigned long)"probe.white", S_IFCHR | 0600, 0}},
	{"mknod u+s", SYS_mknodat, {AT_FDCWD, (unsigned long)"probe.suid", S_IFREG | 04700}},
	{"ptrace traceme", SYS_ptrace, {0}},
	{"process_vm_readv", SYS_process_vm_readv, {0, 0, 0, 0, 0, 1}},
	{"pidfd_getfd", SYS_pidfd_getfd, {-1UL, 0, 0}},
	{"bpf", SYS_bpf, {-1UL, 0, 0}},
	{"keyctl", SYS_keyctl, {-1UL}},
	{"add_key", SYS_add_key, {0, 0, 0, 0, 0}},
	{"request_key", SYS_request_key, {0, 0, 0, 0}},
	{"userfaultfd", SYS_userfaultfd, {-1UL}},
	{"perf_event_open", SYS_perf_event_open, {0, 0, -1UL, -1UL, 0}},
	{"io_uring_setup", SYS_io_uring_setup, {0, 0}},
	{"io_uring_enter", SYS_io_uring_enter, {-1UL}},
	{"mount", SYS_mount, {0, 0, 0, 0, 0}},
	{"umount2", SYS_umount2, {0, 0}},
	{"fsopen", SYS_fsopen, {0, 0}},
	{"open_tree", SYS_open_tree, {-1UL, 0, 0}},
	{"pivot_root", SYS_pivot_root, {0, 0}},
	{"chroot", SYS_chroot, {0}},
	{"open_by_handle_at", SYS_open_by_handle_at, {-1UL, 0, 0}},
	{"kexec_load", SYS_kexec_load, {0, 1UL << 40, 0, 0}},
	{"init_module", SYS_init_module, {0, 0, 0}},
	{"swapon", SYS_swapon, {0, 0}},
	{"settimeofday", SYS_settimeofday, {1, 1}},
	{"reboot", SYS_reboot, {0, 0, 0, 0}},
	{"seccomp filter", SYS_seccomp, {1, 0, (unsigned long)&second_filter}},
	{"seccomp second listener", SYS_seccomp, {1, 8, (unsigned long)&second_filter}},
	{"unknown call", NR_UNKNOWN, {0}},
	{"skipped call", -1, {0}},
	{"getppid", SYS_getppid, {0}},
#ifdef __x86_64__
	{"x32 getpid", 0x40000000 | SYS_getpid, {0}},
#endif
};

#ifdef __x86_64__
/* getpid by the entry for 32-bit programs. */
static int enter_i386(void)
{
	long result = 20;

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
	return result > 0 ? 0 : (int)-result;
}
#endif

static void die(const char *what)
{
	perror(what);
	exit(125);
}

/* Runs one attempt in a process of its own. */
static void try_it(const char *name, const struct attempt *attempt)
{
	int status;
	pid_t child = fork();

	if (child < 0)
		die("fork");
	if (child == 0) {
		const unsigned long *a;
		long result;

#ifdef __x86_64__
		if (attempt == NULL)
			_exit(enter_i386());
#endif
		a = attempt->args;
		result = syscall(attempt->number, a[0], a[1], a[2], a[3], a[4], a[5]);
		_exit(result >= 0 ? 0 : errno);
	}
	if (waitpid(child, &status, 0) != child)
		die("waitpid");
	if (WIFSIGNALED(status))
		printf("%s: signal %d\n", name, WTERMSIG(status));
	else if (WEXITSTATUS(status) == 0)
		printf("%s: ok\n", name);
	else
		printf("%s: errno %d\n", name, WEXITSTATUS(status));
	fflush(stdout);
}

static void try_all(void)
{
	size_t i;

	close(open("probe.file", O_CREAT | O_WRONLY, 0600));
	for (i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		try_it(attempts[i].name, &attempts[i]);
#ifdef __x86_64__
	try_it("i386 getpid", NULL);
#endif
}

static int install(const char *path, unsigned int flags)
{
	static struct sock_filter code[4096];
	struct sock_fprog program = {0, code};
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = file < 0 ? -1 : read(file, code, sizeof(code));
	long result;

	if (size <= 0)
		die(path);
	close(file);
	program.len = (unsigned short)((size_t)size / sizeof(code[0]));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die("no_new_privs");
	result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (result < 0)
		die("seccomp");
	return (int)result;
}

/* Hands a descriptor over; what the descriptor was called here stays open. */
static void send_fd(int channel, int fd)
{
	char byte = 0, space[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec part = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	if (sendmsg(channel, &message, 0) != 1)
		die("sendmsg");
}

static int receive_fd(int channel)
{
	char byte, space[CMSG_SPACE(sizeof(int))];
	struct iovec part = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)};
	int fd;

	if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != 1 || CMSG_FIRSTHDR(&message) == NULL)
		die("recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

/* Answers EPERM to everything until nobody is left who could ask. */
static void answer(int listener)
{
	struct pollfd watched = {.fd = listener, .events = POLLIN};

	while (poll(&watched, 1, -1) == 1 && (watched.revents & POLLIN)) {
		struct seccomp_notif call = {0};
		struct seccomp_notif_resp reply = {.error = -EPERM};

		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
			continue;
		printf("asked %d\n", call.data.nr);
		fflush(stdout);
		reply.id = call.id;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
	}
}

static void try_with_listener(const char *filter)
{
	int channel[2], status;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0 || (child = fork()) < 0)
		die("socketpair, fork");
	if (child == 0) {
		int listener = install(filter, SECCOMP_FILTER_FLAG_NEW_LISTENER);

		send_fd(channel[1], listener);
		close(listener);
		try_all();
		_exit(0);
	}
	answer(receive_fd(channel[0]));
	if (waitpid(child, &status, 0) != child || status != 0)
		die("child");
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (argc > 2 && strcmp(mode, "listen") == 0) {
		try_with_listener(argv[2]);
		return 0;
	}
	if (argc > 2 && strcmp(mode, "plain") == 0)
		install(argv[2], 0);
	else if (argc > 2 && strcmp(mode, "orphan") == 0)
		close(install(argv[2], SECCOMP_FILTER_FLAG_NEW_LISTENER));
	else if (strcmp(mode, "none") != 0)
		return 2;
	try_all();
	return 0;
}
