/* Whether the command line is one that Rauha could remember. */
#include "front.h"
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <linux/fcntl.h>

/** variable - the value of a variable of the caller's environment; NULL without it */
const char *variable(char **envp, const char *name, uint32_t size)
{
	for (; *envp; envp++) {
		if (text_length(*envp) > size && memcmp(*envp, name, size) == 0 && (*envp)[size] == '=')
			return *envp + size + 1;
	}
	return NULL;
}

static bool is_text(char **words, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (!is_utf8((const uint8_t *)words[i], text_length(words[i])))
			return false;
	}
	return true;
}

/* Variables that change what the executable itself does: the runtime's own. */
static bool is_changed(char **envp)
{
	const char *start = variable(envp, START_VARIABLE, sizeof(START_VARIABLE) - 1);

	for (char **each = envp; *each; each++) {
		if (text_length(*each) >= 4 && memcmp(*each, "BUN_", 4) == 0)
			return true;
	}
	return start && *start;
}

/* What the front opens must not take the place of a descriptor that the caller has closed. */
static bool is_open(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (SYS2(__NR_fcntl, fd, F_GETFD) < 0)
			return false;
	}
	return true;
}

/**
 * ask - reads `rauha sandbox [options] -- command`
 *
 * The command begins after the first `--`: without one it takes the table of options to tell where. A result for people, that is
 * with a terminal on stdout, is the runtime's; so are arguments that are not UTF-8, or that it refuses without any option.
 */
bool ask(struct asked *asked, int argc, char **argv, char **envp)
{
	struct termios settings;
	uint32_t at = 2;

	if (argc < 4 || !text_equal(argv[1], "sandbox"))
		return false;
	while (at < (uint32_t)argc && !text_equal(argv[at], "--"))
		at++;
	*asked = (struct asked){argv + 2, at - 2, argv + at + 1, (uint32_t)argc - at - 1, envp};
	if (at + 1 >= (uint32_t)argc || *asked->command[0] == 0 || *asked->command[0] & 0x80)
		return false;
	if (!is_open() || is_changed(envp) || !is_text(asked->options, asked->option_count) ||
	    !is_text(asked->command, asked->command_count))
		return false;
	if (SYS0(__NR_getuid) != SYS0(__NR_geteuid) || SYS0(__NR_getgid) != SYS0(__NR_getegid))
		return false;
	return SYS3(__NR_ioctl, 1, TCGETS, &settings) < 0;
}
