/* Numbers and times, as JavaScript writes them. */
#include "front.h"

#define MS_PER_DAY 86400000u
/* The greatest integer up to which JavaScript counts. */
#define SAFE_MAX ((1ull << 53) - 1)

void put_number(struct writer *w, uint64_t number)
{
	uint8_t digits[20];
	uint32_t count = 0;

	do
		digits[count++] = (uint8_t)('0' + number % 10);
	while ((number /= 10) > 0);
	while (count > 0)
		*w->at++ = digits[--count];
}

static void put_digits(struct writer *w, uint64_t number, uint32_t width, char behind)
{
	for (uint32_t i = width; i-- > 0; number /= 10)
		w->at[i] = (uint8_t)('0' + number % 10);
	w->at[width] = (uint8_t)behind;
	w->at += width + 1;
}

/** put_time - YYYY-MM-DDTHH:MM:SS.mmmZ of ms since the epoch: `Date.toISOString` of the years 1970 to 9999 */
void put_time(struct writer *w, uint64_t ms)
{
	/* Days of a calendar that begins on a 1 March, so that the leap day is the last; 719468 of them before 1970. */
	uint64_t days = ms / MS_PER_DAY + 719468;
	uint64_t rest = ms % MS_PER_DAY;
	uint64_t era = days / 146097;
	uint64_t day = days % 146097;
	uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	uint64_t month;

	day -= year * 365 + year / 4 - year / 100;
	month = (5 * day + 2) / 153;
	day -= (153 * month + 2) / 5;
	put_digits(w, era * 400 + year + (month >= 10), 4, '-');
	put_digits(w, month < 10 ? month + 3 : month - 9, 2, '-');
	put_digits(w, day + 1, 2, 'T');
	put_digits(w, rest / 3600000, 2, ':');
	put_digits(w, rest / 60000 % 60, 2, ':');
	put_digits(w, rest / 1000 % 60, 2, '.');
	put_digits(w, rest % 1000, 3, 'Z');
}

/** parse_number - the number that is all of a control file's content, but for a newline; false for anything else */
bool parse_number(struct bytes text, uint64_t *number)
{
	uint32_t size = text.size > 0 && text.data[text.size - 1] == '\n' ? text.size - 1 : text.size;

	*number = 0;
	if (size == 0 || size > 16)
		return false;
	for (uint32_t i = 0; i < size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		*number = *number * 10 + (text.data[i] - '0');
	}
	return *number <= SAFE_MAX;
}
