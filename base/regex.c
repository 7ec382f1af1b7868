/* SPDX-License-Identifier: MIT */
#include "base/regex.h"

#include "base/buf.h"

#include <ctype.h>
#include <string.h>

/* What a letter behind a backslash means, alone and in a set; NULL: as POSIX (or the GNU library) has it. */
static const struct {
	char letter;
	const char *alone, *in_set;
} classes[] = {{'d', "[0-9]", "0-9"},
               {'D', "[^0-9]", NULL},
               {'w', "[A-Za-z0-9_]", "A-Za-z0-9_"},
               {'s', "[[:space:]]", "[:space:]"},
               {'S', "[^[:space:]]", NULL},
               {'A', "^", NULL},
               {'z', "$", NULL},
               {'Z', "$", NULL},
               {'n', "\n", "\n"},
               {'t', "\t", "\t"},
               {'r', "\r", "\r"},
               {'/', "/", "/"},
               {'-', "-", NULL}};

/* One escape; how many characters it has. */
static size_t add_escape(const char *c, bool in_set, struct kt_buf *out)
{
	for (size_t i = 0; i < KT_COUNT(classes); i++) {
		const char *text = in_set ? classes[i].in_set : classes[i].alone;
		if (c[1] == classes[i].letter && text) {
			kt_buf_adds(out, text);
			return 2;
		}
	}
	kt_buf_add(out, in_set ? c + 1 : c, in_set ? 1 : 2); /* a set of POSIX knows no escapes */
	return 2;
}

/* `(?i)`, `(?m)`, `(?s)` at the beginning; past them. */
static const char *read_flags(const char *regex, int *flags)
{
	size_t n = kt_starts(regex, "(?") ? strspn(regex + 2, "ims") : 0;
	if (!n || regex[2 + n] != ')')
		return regex;
	*flags |= memchr(regex + 2, 'i', n) ? REG_ICASE : 0;
	*flags |= memchr(regex + 2, 'm', n) && !memchr(regex + 2, 's', n) ? REG_NEWLINE : 0;
	return regex + n + 3;
}

/* POSIX extended, with what people know from elsewhere: \d and its like, (?:groups), quantifiers that are
 * lazy (whether something matches does not depend on it). Owned. */
static char *posix(const char *regex)
{
	struct kt_buf out = {0};
	bool in_set = false;
	for (const char *c = regex; *c; c++) {
		if (*c == '\\' && c[1]) {
			c += add_escape(c, in_set, &out) - 1;
			continue;
		}
		bool quantifier = !in_set && strchr("*+?}", *c) && c > regex;
		if (*c == '[' && !in_set) {
			in_set = true;
			if (c[1] == '^')
				kt_buf_addc(&out, *c++);
			if (c[1] == ']')
				kt_buf_addc(&out, *c++);
		} else if (*c == '[' && strchr(":.=", c[1]) && strchr(c, ']')) {
			while (*c != ']') /* [:alnum:] */
				kt_buf_addc(&out, *c++);
		} else if (*c == ']') {
			in_set = false;
		} else if (!in_set && kt_starts(c, "(?:")) {
			kt_buf_addc(&out, '(');
			c += 2;
			continue;
		} else if (!in_set && (kt_starts(c, "(?<") || kt_starts(c, "(?P<")) &&
		           isalpha((unsigned char)strchr(c, '<')[1]) && strchr(c, '>')) { /* (?<name>group) */
			kt_buf_addc(&out, '(');
			c = strchr(c, '>');
			continue;
		}
		kt_buf_addc(&out, *c);
		c += quantifier && c[1] == '?';
	}
	return kt_buf_take(&out);
}

bool kt_regex(const char *text, int flags, regex_t *out)
{
	char *regex = posix(read_flags(text, &flags));
	bool fine = regcomp(out, regex, flags | REG_EXTENDED) == 0;
	kt_free(regex);
	return fine;
}
