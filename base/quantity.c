/* SPDX-License-Identifier: MIT */
/* Quantities, as k8s.io/apimachinery/pkg/api/resource (quantity.go, suffix.go, amount.go) reads and prints
 * them. */
#include "base/quantity.h"

#include <string.h>

/* Nano-units in 128 bits hold every quantity up to 1e29 exactly; larger ones become that. */
__extension__ typedef __int128 nanos;

static const nanos nano_max = (nanos)10000000000000000000u * 10000000000000000000u;
enum { NANO_DIGITS = 9, SI_MAX_EXPONENT = 18 };
static const int64_t nano_unit = 1000000000;

static const struct {
	const char *text;
	int base, exponent;
	enum kt_quantity_format format;
} suffixes[] = {
        {"Ki", 2, 10, KT_BINARY_SI},  {"Mi", 2, 20, KT_BINARY_SI},  {"Gi", 2, 30, KT_BINARY_SI},
        {"Ti", 2, 40, KT_BINARY_SI},  {"Pi", 2, 50, KT_BINARY_SI},  {"Ei", 2, 60, KT_BINARY_SI},
        {"n", 10, -9, KT_DECIMAL_SI}, {"u", 10, -6, KT_DECIMAL_SI}, {"m", 10, -3, KT_DECIMAL_SI},
        {"", 10, 0, KT_DECIMAL_SI},   {"k", 10, 3, KT_DECIMAL_SI},  {"M", 10, 6, KT_DECIMAL_SI},
        {"G", 10, 9, KT_DECIMAL_SI},  {"T", 10, 12, KT_DECIMAL_SI}, {"P", 10, 15, KT_DECIMAL_SI},
        {"E", 10, 18, KT_DECIMAL_SI},
};

struct amount {
	nanos nano;
	enum kt_quantity_format format;
};

static nanos times(nanos a, nanos b)
{
	nanos product;
	return __builtin_mul_overflow(a, b, &product) || product > nano_max ? nano_max : product;
}

/* a * 10^n, saturated; a / 10^-n, rounded up. */
static nanos scale10(nanos a, int64_t n)
{
	bool rest = false;
	for (; n > 0 && a && a < nano_max; n--)
		a = times(a, 10);
	for (; n < 0 && a; n++) {
		rest |= a % 10 != 0;
		a /= 10;
	}
	return a + rest;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The suffix's base, exponent and format: one of the table, or "e3". */
static bool read_suffix(const char *s, int *base, int64_t *exponent, enum kt_quantity_format *format)
{
	for (size_t i = 0; i < KT_COUNT(suffixes); i++) {
		if (!kt_streq(s, suffixes[i].text))
			continue;
		*base = suffixes[i].base;
		*exponent = suffixes[i].exponent;
		*format = suffixes[i].format;
		return true;
	}
	if (*s != 'e' && *s != 'E')
		return false;
	int sign = *++s == '-' ? -1 : 1;
	if (*s == '-' || *s == '+')
		s++;
	int64_t n = 0;
	if (!*s)
		return false;
	for (; is_digit(*s); s++)
		n = KT_MIN(n * 10 + (*s - '0'), 100000);
	*base = 10;
	*exponent = sign * n;
	*format = KT_DECIMAL_EXPONENT;
	return !*s;
}

/* The digits of a number as one integer, those behind the point counted; what is too long for it rounds up.
 */
struct digits {
	nanos all;
	int64_t behind; /* decimal places of `all`; negative when digits before the point were left out */
	bool more;      /* something not 0 was left out */
};

static const char *read_digits(const char *s, bool behind, struct digits *d)
{
	static const nanos enough = (nanos)1000000000000000000 * 1000000000000000000;
	for (; is_digit(*s); s++) {
		if (d->all >= enough) {
			d->more |= *s != '0';
			d->behind -= !behind;
			continue;
		}
		d->all = d->all * 10 + (*s - '0');
		d->behind += behind;
	}
	return s;
}

/* The digits times 2^exponent in nano-units, whole and fraction apart, so that neither leaves 128 bits; of
 * the fraction eighteen digits count. */
static nanos scale2(const struct digits *d, int exponent)
{
	enum { FRACTION = 18 };
	nanos unit = 1, whole = d->all, fraction = 0;
	int64_t places = KT_MAX(d->behind, 0);
	bool more = d->more;
	for (int64_t i = 0; i < places; i++) {
		/* Digit by digit from the end: the last `places` of them are the fraction. */
		if (i >= places - FRACTION) {
			fraction += whole % 10 * unit;
			unit *= 10;
		} else {
			more |= whole % 10 != 0;
		}
		whole /= 10;
	}
	nanos n = times(times(scale10(whole, -KT_MIN(d->behind, 0)), (nanos)1 << exponent), nano_unit);
	fraction = scale10(fraction << exponent, NANO_DIGITS - KT_MIN(places, FRACTION));
	return KT_MIN(n, nano_max - fraction - more) + fraction + more;
}

static bool read_amount(const char *text, struct amount *out)
{
	if (!text || !*text)
		return false;
	bool negative = *text == '-';
	const char *s = text + (*text == '-' || *text == '+');
	struct digits d = {0};
	s = read_digits(s, false, &d);
	if (*s == '.')
		s = read_digits(s + 1, true, &d);
	/* Kubernetes takes what has no digit at all ("-", ".", "Mi") for 0. */
	int base;
	int64_t exponent;
	if (!read_suffix(s, &base, &exponent, &out->format))
		return false;
	nanos n;
	if (base == 10) {
		n = scale10(d.all, exponent + NANO_DIGITS - d.behind);
		n += d.more;
	} else {
		n = scale2(&d, (int)exponent);
		n = KT_MIN(n, (nanos)INT64_MAX * nano_unit);
		if (n && n < nano_unit)
			out->format = KT_DECIMAL_SI; /* to show it without rounding */
	}
	n = KT_MIN(n, nano_max);
	out->nano = negative ? -n : n;
	return true;
}

/* n / unit, rounded away from zero, as an int64_t or the nearest there is. */
static int64_t divide_up(nanos n, int64_t unit)
{
	nanos q = n / unit;
	if (n % unit)
		q += n < 0 ? -1 : 1;
	return q > INT64_MAX ? INT64_MAX : q < INT64_MIN ? INT64_MIN : (int64_t)q;
}

bool kt_quantity_parse(const char *text, struct kt_quantity *out)
{
	struct amount a;
	if (!read_amount(text, &a))
		return false;
	out->value = divide_up(a.nano, nano_unit);
	out->milli = divide_up(a.nano, nano_unit / 1000);
	out->nano = divide_up(a.nano, 1);
	out->format = a.format;
	return true;
}

static void print_number(nanos n, struct kt_buf *out)
{
	char text[48], *p = text + sizeof(text);
	bool negative = n < 0;
	do {
		int digit = (int)(n % 10);
		*--p = (char)('0' + (digit < 0 ? -digit : digit));
		n /= 10;
	} while (n);
	if (negative)
		*--p = '-';
	kt_buf_add(out, p, (size_t)(text + sizeof(text) - p));
}

static void print_suffix(int base, int exponent, struct kt_buf *out)
{
	for (size_t i = 0; i < KT_COUNT(suffixes); i++)
		if (suffixes[i].base == base && suffixes[i].exponent == exponent)
			kt_buf_adds(out, suffixes[i].text);
}

static void print_decimal(nanos n, bool as_exponent, struct kt_buf *out)
{
	int exponent = -NANO_DIGITS;
	/* In steps of a thousand, as the suffixes go; there is none beyond E. */
	while (n % 1000 == 0 && (as_exponent || exponent < SI_MAX_EXPONENT)) {
		n /= 1000;
		exponent += 3;
	}
	print_number(n, out);
	if (!as_exponent)
		print_suffix(10, exponent, out);
	else if (exponent)
		kt_buf_addf(out, "e%d", exponent);
}

static void print_amount(const struct amount *a, struct kt_buf *out)
{
	if (!a->nano) {
		kt_buf_addc(out, '0');
		return;
	}
	nanos value = a->nano / nano_unit;
	bool small = value > -1024 && value < 1024;
	if (a->format != KT_BINARY_SI || small || a->nano % nano_unit) {
		print_decimal(a->nano, a->format == KT_DECIMAL_EXPONENT, out);
		return;
	}
	int exponent = 0;
	for (; value % 1024 == 0 && exponent < 60; exponent += 10)
		value /= 1024;
	print_number(value, out);
	print_suffix(exponent ? 2 : 10, exponent, out);
}

bool kt_quantity_canonical(const char *text, struct kt_buf *out)
{
	struct amount a;
	if (!read_amount(text, &a))
		return false;
	print_amount(&a, out);
	return true;
}

int kt_quantity_compare(const char *a, const char *b)
{
	struct amount x = {0}, y = {0};
	if (!read_amount(a, &x) || !read_amount(b, &y))
		return 0;
	return x.nano < y.nano ? -1 : x.nano > y.nano;
}

void kt_quantity_print_milli(int64_t milli, enum kt_quantity_format format, struct kt_buf *out)
{
	print_amount(&(struct amount){(nanos)milli * (nano_unit / 1000), format}, out);
}

void kt_quantity_print_value(int64_t value, enum kt_quantity_format format, struct kt_buf *out)
{
	print_amount(&(struct amount){(nanos)value * nano_unit, format}, out);
}
