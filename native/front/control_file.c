/* What control files of cgroups say, as src/run/report/usage.ts reads them. */
#include "front.h"

static bool begins(struct bytes text, uint32_t at, const char *with)
{
	size_t size = text_length(with);

	return text.size - at >= size && memcmp(text.data + at, with, size) == 0;
}

/** oom_killed - whether the number behind `oom_kill ` at the begin of a line is another than 0 */
bool oom_killed(struct bytes text)
{
	for (uint32_t at = 0; at < text.size; at++) {
		if ((at == 0 || text.data[at - 1] == '\n') && begins(text, at, "oom_kill "))
			return !begins(text, at, "oom_kill 0\n") &&
			       !(begins(text, at, "oom_kill 0") && at + 10 == text.size);
	}
	return false;
}

static bool add(struct bytes text, uint32_t at, uint64_t *sum)
{
	uint32_t size = 0;
	uint64_t number;

	while (at + size < text.size && text.data[at + size] > ' ')
		size++;
	if (!parse_number((struct bytes){size, text.data + at}, &number))
		return false;
	*sum += number;
	return true;
}

/** io_totals - sums of what stands behind `rbytes=` and `wbytes=` at the begin of a word; false where that is no number */
bool io_totals(struct bytes text, uint64_t *read, uint64_t *written)
{
	*read = *written = 0;
	for (uint32_t at = 0; at < text.size; at++) {
		if (at > 0 && text.data[at - 1] > ' ')
			continue;
		if (begins(text, at, "rbytes=") && !add(text, at + 7, read))
			return false;
		if (begins(text, at, "wbytes=") && !add(text, at + 7, written))
			return false;
	}
	return true;
}
