/* Text without stdio, which would be a third of the program. */
#include "launcher.h"

/** text_put - appends as much of `text` as fits before `end`, always with a NUL; returns where the NUL is */
char *text_put(char *at, const char *end, const char *text)
{
	while (*text && at + 1 < end)
		*at++ = *text++;
	*at = '\0';
	return at;
}

/** text_number - appends a decimal number */
char *text_number(char *at, const char *end, uint64_t number)
{
	char digits[21];
	char *first = digits + sizeof(digits) - 1;

	*first = '\0';
	do {
		*--first = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return text_put(at, end, first);
}

/** file_write - writes a text to a file of the kernel's, all at once; -1 with errno */
int file_write(const char *path, const char *text)
{
	ssize_t size = (ssize_t)strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int status = fd >= 0 && write(fd, text, (size_t)size) == size ? 0 : -1;

	if (fd >= 0)
		close(fd);
	return status;
}
