/* SPDX-License-Identifier: MIT */
#include "base/yaml_internal.h"

#include "base/json_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text;
	enum yaml_kind kind;
	bool value;
} words[] = {
        {"y", YAML_BOOL, true},        {"Y", YAML_BOOL, true},        {"yes", YAML_BOOL, true},
        {"Yes", YAML_BOOL, true},      {"YES", YAML_BOOL, true},      {"true", YAML_BOOL, true},
        {"True", YAML_BOOL, true},     {"TRUE", YAML_BOOL, true},     {"on", YAML_BOOL, true},
        {"On", YAML_BOOL, true},       {"ON", YAML_BOOL, true},       {"n", YAML_BOOL, false},
        {"N", YAML_BOOL, false},       {"no", YAML_BOOL, false},      {"No", YAML_BOOL, false},
        {"NO", YAML_BOOL, false},      {"false", YAML_BOOL, false},   {"False", YAML_BOOL, false},
        {"FALSE", YAML_BOOL, false},   {"off", YAML_BOOL, false},     {"Off", YAML_BOOL, false},
        {"OFF", YAML_BOOL, false},     {"", YAML_NULL, false},        {"~", YAML_NULL, false},
        {"null", YAML_NULL, false},    {"Null", YAML_NULL, false},    {"NULL", YAML_NULL, false},
        {".nan", YAML_BEYOND, false},  {".NaN", YAML_BEYOND, false},  {".NAN", YAML_BEYOND, false},
        {".inf", YAML_BEYOND, false},  {".Inf", YAML_BEYOND, false},  {".INF", YAML_BEYOND, false},
        {"+.inf", YAML_BEYOND, false}, {"+.Inf", YAML_BEYOND, false}, {"+.INF", YAML_BEYOND, false},
        {"-.inf", YAML_BEYOND, false}, {"-.Inf", YAML_BEYOND, false}, {"-.INF", YAML_BEYOND, false},
        {"<<", YAML_MERGE, false},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *s)
{
	while (is_digit(*s))
		s++;
	return s;
}

/* --- times: "2006-1-2", "2006-1-2 15:4:5.9", "2006-1-2T15:4:5.9Z" --- */

/* A number of one or two digits from `least` to `most`, or NULL. */
static const char *skip_part(const char *s, int least, int most)
{
	if (!s || !is_digit(*s))
		return NULL;
	int n = *s++ - '0';
	if (is_digit(*s))
		n = n * 10 + (*s++ - '0');
	return n >= least && n <= most ? s : NULL;
}

static const char *skip_char(const char *s, char c)
{
	return s && *s == c ? s + 1 : NULL;
}

static const char *skip_zone(const char *s)
{
	if (*s == 'Z')
		return s + 1;
	if ((*s != '+' && *s != '-') || !is_digit(s[1]) || !is_digit(s[2]) || s[3] != ':' ||
	    !is_digit(s[4]) || !is_digit(s[5]))
		return NULL;
	return s + 6;
}

static bool is_time(const char *s)
{
	if (skip_digits(s) != s + 4)
		return false;
	s = skip_part(skip_char(skip_part(skip_char(s + 4, '-'), 1, 12), '-'), 1, 31);
	if (!s || !*s)
		return s != NULL;
	char between = *s;
	s = skip_part(skip_char(skip_part(skip_char(skip_part(s + 1, 0, 23), ':'), 0, 59), ':'), 0, 59);
	if (s && *s == '.' && is_digit(s[1]))
		s = skip_digits(s + 1);
	if (s && (between == 'T' || between == 't'))
		s = skip_zone(s);
	else if (between != ' ')
		return false;
	return s && !*s;
}

/* --- numbers --- */

/* [-+]? then digits in the base of the prefix 0x, 0o, 0b or 0. */
static bool read_based(const char *s, struct kt_json **out)
{
	static const struct {
		char letter;
		int base;
	} bases[] = {{'x', 16}, {'X', 16}, {'o', 8}, {'O', 8}, {'b', 2}, {'B', 2}};
	bool negative = *s == '-';
	if (*s == '-' || *s == '+')
		s++;
	if (*s != '0' || !s[1])
		return false;
	const char *digits = s + 1;
	int base = 8;
	for (size_t i = 0; i < KT_COUNT(bases); i++) {
		if (s[1] == bases[i].letter) {
			base = bases[i].base;
			digits = s + 2;
		}
	}
	/* strtoull would take a sign, space or another prefix. */
	if (!is_digit(*digits) && !(base == 16 && strchr("abcdefABCDEF", *digits)))
		return false;
	if (base == 16 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
		return false;
	char *end;
	errno = 0;
	unsigned long long n = strtoull(digits, &end, base);
	if (*end || errno || end == digits)
		return false;
	if (negative ? n <= (uint64_t)INT64_MAX + 1 : n <= (uint64_t)INT64_MAX)
		*out = json_fresh_int(negative ? (int64_t)(0 - n) : (int64_t)n);
	else if (!negative)
		*out = kt_json_real((double)n);
	return *out != NULL;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool looks_decimal(const char *s, bool *whole)
{
	s += *s == '-' || *s == '+';
	const char *digits = s;
	s = skip_digits(s);
	bool before = s > digits;
	*whole = before && !*s;
	if (*s == '.') {
		digits = ++s;
		s = skip_digits(s);
		if (!before && s == digits)
			return false;
	} else if (!before) {
		return false;
	}
	if (*s == 'e' || *s == 'E') {
		s += s[1] == '-' || s[1] == '+' ? 2 : 1;
		digits = s;
		s = skip_digits(s);
		if (s == digits)
			return false;
	}
	return !*s;
}

static enum yaml_kind read_number(const char *s, struct kt_json **out)
{
	bool whole;
	if (read_based(s, out))
		return json_type(*out) == KT_JSON_INT ? YAML_INT : YAML_REAL;
	if (!looks_decimal(s, &whole))
		return YAML_STRING;
	s += *s == '+';
	/* What begins with 0 and is no octal number ("08") is a real one for Go. */
	const char *digits = s + (*s == '-');
	bool integer = whole && !(digits[0] == '0' && digits[1]);
	struct kt_json *v = NULL;
	if (!json_number(s, strlen(s), &v))
		return YAML_STRING;
	if (json_type(v) == KT_JSON_INT) {
		int64_t i = json_int_value(v);
		kt_json_free(v);
		v = integer ? json_fresh_int(i) : kt_json_real((double)i);
	}
	*out = v;
	return json_type(v) == KT_JSON_INT ? YAML_INT : YAML_REAL;
}

/* With "_" between digits taken out, where there are any. */
static enum yaml_kind resolve_number(const char *s, struct kt_json **out)
{
	if (*s == '.' || !strchr(s, '_'))
		return read_number(s, out);
	struct kt_buf plain = {0};
	for (; *s; s++)
		if (*s != '_')
			kt_buf_addc(&plain, *s);
	enum yaml_kind kind = read_number(kt_buf_str(&plain), out);
	kt_buf_clear(&plain);
	return kind;
}

enum yaml_kind yaml_resolve(const char *s, size_t len, struct kt_json **out)
{
	struct kt_json *v = NULL;
	enum yaml_kind kind = YAML_STRING;
	bool numeric = len && (is_digit(*s) || *s == '+' || *s == '-' || *s == '.');
	for (size_t i = 0; i < KT_COUNT(words); i++) {
		if (!kt_streq(s, words[i].text))
			continue;
		kind = words[i].kind;
		if (kind == YAML_BOOL || kind == YAML_NULL)
			v = json_fresh_scalar(kind == YAML_BOOL ? KT_JSON_BOOL : KT_JSON_NULL,
			                      words[i].value);
	}
	if (kind == YAML_STRING && numeric)
		kind = is_time(s) ? YAML_TIME : resolve_number(s, &v);
	if (!v && (kind == YAML_STRING || kind == YAML_TIME) && out)
		v = json_fresh_string(s, len);
	if (out)
		*out = v;
	else
		kt_json_free(v);
	return kind;
}

bool yaml_is_base60(const char *s)
{
	s += *s == '-' || *s == '+';
	if (!is_digit(*s))
		return false;
	while (is_digit(*s) || *s == '_')
		s++;
	if (*s != ':')
		return false;
	while (*s == ':') {
		s++;
		if (!is_digit(*s))
			return false;
		bool two = is_digit(s[1]);
		if (two && *s > '5')
			return false;
		s += two ? 2 : 1;
	}
	if (*s == '.')
		for (s++; is_digit(*s) || *s == '_';)
			s++;
	return !*s;
}
