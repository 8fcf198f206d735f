/* The zone's terminal (-t): a pty of its own devpts, whose master side comes out to the supervisor; and the caller's terminal. */
#include "launcher.h"

/** pty_open - the task's part: opens the pair, sends the master side out, and keeps the other one */
int pty_open(struct zone *z, struct fault *f)
{
	const struct message message = {.kind = MESSAGE_PTY};
	const struct op *op = z->plan.only[OP_IO];
	const struct op *devpts = op_next(&z->plan, NULL, OP_DEVPTS);
	char path[PATH_MAX];
	int unlock = 0;
	int master;
	int slave;

	fault_at(f, &z->plan, op);
	if (!devpts)
		return fault_with(f, ENOENT, "open", "a terminal needs a devpts op");
	text_put(text_put(path, path + sizeof(path), devpts->u.devpts.target), path + sizeof(path), "/ptmx");
	master = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0)
		return fault(f, "open", path);
	slave = ioctl(master, TIOCSPTLCK, &unlock) < 0 ? -1 : ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return fault(f, "ioctl(TIOCGPTPEER)", path);
	/* Now, so that the first thing the task asks is answered. */
	if (z->terminal.size.ws_col > 0)
		ioctl(master, TIOCSWINSZ, &z->terminal.size);
	message_send(z->socket, &message, master);
	close(master);
	z->stdio[0] = z->stdio[1] = z->stdio[2] = slave;
	return 0;
}

/* The caller's terminal, by whichever of its streams. */
static int terminal_fd(void)
{
	if (isatty(FD_STDIN))
		return FD_STDIN;
	return isatty(FD_STDOUT) ? FD_STDOUT : -1;
}

/** terminal_measure - notes the size of the caller's terminal */
void terminal_measure(struct zone *z)
{
	int fd = terminal_fd();

	if (fd < 0 || ioctl(fd, TIOCGWINSZ, &z->terminal.size) < 0)
		memset(&z->terminal.size, 0, sizeof(z->terminal.size));
}

/** terminal_follow - gives the zone's terminal the size of the caller's; the kernel tells the foreground job there */
void terminal_follow(const struct zone *z)
{
	struct winsize size;
	int fd = terminal_fd();

	if (fd >= 0 && z->pty >= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0)
		ioctl(z->pty, TIOCSWINSZ, &size);
}

/* Keys go to the zone's terminal as they are, ^C too. Never from the background: the terminal is another job's then. */
static void terminal_make_raw(struct zone *z)
{
	struct termios raw;

	if (!in_foreground(FD_STDIN) || tcgetattr(FD_STDIN, &z->terminal.saved) < 0)
		return;
	raw = z->terminal.saved;
	cfmakeraw(&raw);
	z->terminal.raw = tcsetattr(FD_STDIN, TCSANOW, &raw) == 0;
}

/** pty_attach - the supervisor's part: connects the zone's terminal with the caller's streams */
void pty_attach(struct zone *z, int master)
{
	z->pty = master;
	fcntl(master, F_SETFL, O_NONBLOCK);
	if (z->plan.only[OP_IO]->u.io.stdin == STDIN_CALLER) {
		struct stream *s = stream_add(z, 0, descriptor_unshare(FD_STDIN), master);

		s->to_pty = true;
		s->terminal = isatty(FD_STDIN) != 0;
		if (s->terminal)
			terminal_make_raw(z);
	}
	stream_add(z, 1, master, descriptor_unshare(FD_STDOUT));
	terminal_follow(z);
}

/** terminal_restore - gives the caller's terminal back as it was */
void terminal_restore(const struct zone *z)
{
	if (z->terminal.raw)
		tcsetattr(FD_STDIN, TCSANOW, &z->terminal.saved);
}
