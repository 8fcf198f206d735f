/* JSON strings, as `JSON.stringify` writes them. */
#include "front.h"

/* How many bytes the character has that begins here; 0 for what is no UTF-8: too long, a surrogate, or beyond the last character. */
static size_t character_bytes(const uint8_t *at, size_t left)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size = *at < 0x80 ? 1 : *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : 2;
	uint32_t code = *at & (0xffu >> (size + 1));

	if (size == 1)
		return 1;
	if (*at < 0xc2 || *at > 0xf4 || size > left)
		return 0;
	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	return code < least[size] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : size;
}

bool is_utf8(const uint8_t *data, size_t size)
{
	for (size_t at = 0, step; at < size; at += step) {
		step = character_bytes(data + at, size - at);
		if (step == 0)
			return false;
	}
	return true;
}

/** put_json - UTF-8 as the inside of a JSON string: six bytes for each of it at most */
void put_json(struct writer *w, const uint8_t *data, size_t size)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		uint8_t byte = data[i];
		char letter = byte == '\b'   ? 'b'
			      : byte == '\t' ? 't'
			      : byte == '\n' ? 'n'
			      : byte == '\f' ? 'f'
			      : byte == '\r' ? 'r'
					     : (char)byte;

		if (byte >= 0x20 && byte != '"' && byte != '\\') {
			*w->at++ = byte;
		} else if (byte >= 0x20 || letter != (char)byte) {
			*w->at++ = '\\';
			*w->at++ = (uint8_t)letter;
		} else {
			put(w, "\\u00", 4);
			*w->at++ = (uint8_t)digits[byte >> 4];
			*w->at++ = (uint8_t)digits[byte & 15];
		}
	}
}
