/* SPDX-License-Identifier: MIT */
/* PCG32 (XSH-RR, 64 bits of state), after the description on pcg-random.org. */
#include "base/random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static const uint64_t multiplier = UINT64_C(6364136223846793005);

void kt_random_init(struct kt_random *r, uint64_t seed)
{
	r->state = 0;
	r->inc = UINT64_C(0xda3e39cb94b95bdb);
	kt_random_u32(r);
	r->state += seed;
	kt_random_u32(r);
}

uint32_t kt_random_u32(struct kt_random *r)
{
	uint64_t old = r->state;
	r->state = old * multiplier + (r->inc | 1);
	uint32_t mixed = (uint32_t)(((old >> 18) ^ old) >> 27);
	uint32_t turn = (uint32_t)(old >> 59);
	return mixed >> turn | mixed << ((32 - turn) & 31);
}

uint64_t kt_random_u64(struct kt_random *r)
{
	uint64_t high = kt_random_u32(r);
	return high << 32 | kt_random_u32(r);
}

uint32_t kt_random_below(struct kt_random *r, uint32_t bound)
{
	if (!bound)
		return 0;
	/* What is below this would make the small results likelier. */
	uint32_t threshold = (0u - bound) % bound;
	for (;;) {
		uint32_t value = kt_random_u32(r);
		if (value >= threshold)
			return value % bound;
	}
}

double kt_random_unit(struct kt_random *r)
{
	return (double)(kt_random_u64(r) >> 11) * 0x1p-53;
}

void kt_random_fill(struct kt_random *r, void *out, size_t len)
{
	unsigned char *p = out;
	while (len) {
		uint32_t value = kt_random_u32(r);
		size_t n = KT_MIN(len, sizeof(value));
		for (size_t i = 0; i < n; i++) /* byte by byte: the same on every machine */
			p[i] = (unsigned char)(value >> (8 * i));
		p += n;
		len -= n;
	}
}

/* kubernetes staging/src/k8s.io/apimachinery/pkg/util/rand/rand.go: no vowels, no look-alikes. */
void kt_random_name(struct kt_random *r, char *out, size_t len)
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
	for (size_t i = 0; i < len; i++)
		out[i] = letters[kt_random_below(r, sizeof(letters) - 1)];
	out[len] = 0;
}

void kt_random_uuid(struct kt_random *r, char out[37])
{
	unsigned char b[16];
	kt_random_fill(r, b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	static const char digits[] = "0123456789abcdef";
	char *at = out;
	for (size_t i = 0; i < sizeof(b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		*at++ = digits[b[i] >> 4];
		*at++ = digits[b[i] & 15];
	}
	*at = 0;
}

void kt_random_secret(void *out, size_t len)
{
	enum { AT_ONCE = 256 }; /* the most that getentropy gives */
	unsigned char *p = out;
	while (len) {
		size_t n = KT_MIN(len, (size_t)AT_ONCE);
		if (getentropy(p, n) != 0)
			kt_bug("the system gives no randomness: %s", strerror(errno));
		p += n;
		len -= n;
	}
}
