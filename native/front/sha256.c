/* SHA-256, FIPS 180-4: of the command, for the events. */
#include "front.h"

static const uint32_t round_words[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};
static const uint32_t first_state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static uint32_t rotate(uint32_t word, uint32_t by)
{
	return word >> by | word << (32 - by);
}

static void turn(struct sha256 *s)
{
	uint32_t w[64], v[8];

	for (uint32_t i = 0; i < 16; i++)
		w[i] = __builtin_bswap32(get_u32(s->block + 4 * i));
	for (uint32_t i = 16; i < 64; i++) {
		uint32_t a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
		uint32_t b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;

		w[i] = w[i - 16] + a + w[i - 7] + b;
	}
	memcpy(v, s->state, sizeof(v));
	for (uint32_t i = 0; i < 64; i++) {
		uint32_t a = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
		uint32_t b = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
		uint32_t one = v[7] + a + ((v[4] & v[5]) ^ (~v[4] & v[6])) + round_words[i] + w[i];
		uint32_t two = b + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

		for (uint32_t j = 7; j > 0; j--)
			v[j] = v[j - 1];
		v[4] += one;
		v[0] = one + two;
	}
	for (uint32_t i = 0; i < 8; i++)
		s->state[i] += v[i];
}

void sha256_begin(struct sha256 *s)
{
	memcpy(s->state, first_state, sizeof(s->state));
	s->size = 0;
}

void sha256_add(struct sha256 *s, const void *data, size_t size)
{
	const uint8_t *in = data;

	for (size_t i = 0; i < size; i++) {
		s->block[s->size++ % 64] = in[i];
		if (s->size % 64 == 0)
			turn(s);
	}
}

/** sha256_end - the digest in lower-case hexadecimal digits */
void sha256_end(struct sha256 *s, char digits[HASH_DIGITS])
{
	uint64_t bits = __builtin_bswap64(s->size * 8);

	sha256_add(s, "\x80", 1);
	while (s->size % 64 != 56)
		sha256_add(s, "", 1);
	sha256_add(s, &bits, sizeof(bits));
	for (uint32_t i = 0; i < HASH_DIGITS; i++)
		digits[i] = "0123456789abcdef"[s->state[i / 8] >> (28 - 4 * (i % 8)) & 15];
}
