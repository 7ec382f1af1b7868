/* SPDX-License-Identifier: MIT */
/* bash's a{b,c}d and {1..9..2}, on the text of a word, before anything else is looked at in it. */
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 100000, MAX_NESTED = 16 };

/* Behind what is quoted or belongs to an expansion of another kind; `at` itself where nothing is. */
static const char *skip_quoted(const char *at, const char *end)
{
	if (*at == '\\')
		return KT_MIN(at + 2, end);
	if (*at == '\'' || *at == '"' || *at == '`') {
		const char *c = at + 1;
		while (c < end && *c != *at)
			c += 1 + (*c == '\\' && *at != '\'' && c + 1 < end);
		return KT_MIN(c + 1, end);
	}
	if (*at != '$' || at + 1 >= end || !strchr("({", at[1]))
		return at;
	char open = at[1], close = open == '(' ? ')' : '}';
	unsigned depth = 0;
	for (const char *c = at + 1; c < end; c++) {
		depth += *c == open;
		depth -= *c == close;
		if (!depth)
			return c + 1;
	}
	return end;
}

/* The brace that closes the one at `open`; whether there is a comma that is its own. NULL: none does. */
static const char *closing(const char *open, const char *end, bool *comma)
{
	unsigned depth = 0;
	*comma = false;
	for (const char *c = open; c < end;) {
		const char *behind = skip_quoted(c, end);
		if (behind != c) {
			c = behind;
			continue;
		}
		depth += *c == '{';
		*comma = *comma || (*c == ',' && depth == 1);
		depth -= *c == '}';
		if (!depth)
			return c;
		c++;
	}
	return NULL;
}

static void expand(const char *text, size_t len, unsigned nested, struct kt_strs *out);

/* 1..9, 01..10..2, a..e */
static bool sequence(const char *text, size_t len, struct kt_strs *out)
{
	char *word = kt_strndup(text, len), *dots = strstr(word, ".."), *end;
	bool letters = dots == word + 1 && isalpha((unsigned char)*word) && isalpha((unsigned char)dots[2]) &&
	               (!dots[3] || dots[3] == '.');
	bool good = dots != NULL;
	if (good) {
		long long from = letters ? *word : strtoll(word, &end, 10), to, step = 1;
		good = dots != word && (letters || end == dots);
		const char *second = dots + 2;
		to = letters ? *second : strtoll(second, &end, 10);
		if (letters)
			end = dots + 3;
		good = good && end != second;
		if (good && !strncmp(end, "..", 2) && end[2])
			step = llabs(strtoll(end + 2, &end, 10));
		good = good && !*end;
		step = step ? step : 1;
		bool padded = !letters && ((word[0] == '0' && dots > word + 1) ||
		                           (second[0] == '0' && second[1] && second[1] != '.'));
		int width = padded ? (int)KT_MAX(dots - word, (long)strcspn(second, ".")) : 0;
		for (long long n = from; good && (from <= to ? n <= to : n >= to) && out->count < MAX_WORDS;
		     n += from <= to ? step : -step)
			kt_strs_steal(out, letters ? kt_strf("%c", (char)n) : kt_strf("%0*lld", width, n));
	}
	kt_free(word);
	return good;
}

static void alternatives(const char *from, const char *end, unsigned nested, struct kt_strs *out)
{
	unsigned depth = 0;
	const char *start = from;
	for (const char *c = from; c <= end;) {
		const char *behind = c < end ? skip_quoted(c, end) : c;
		if (behind != c) {
			c = behind;
			continue;
		}
		if (c == end || (*c == ',' && !depth)) {
			expand(start, (size_t)(c - start), nested + 1, out);
			start = c + 1;
		} else {
			depth += *c == '{';
			depth -= *c == '}' && depth;
		}
		c++;
	}
}

static void expand(const char *text, size_t len, unsigned nested, struct kt_strs *out)
{
	const char *end = text + len;
	for (const char *c = text; c < end && nested < MAX_NESTED;) {
		const char *behind = skip_quoted(c, end), *close;
		bool comma;
		if (behind != c) {
			c = behind;
			continue;
		}
		if (*c != '{' || !(close = closing(c, end, &comma))) {
			c++;
			continue;
		}
		struct kt_strs middle = {0}, rest = {0};
		if (comma)
			alternatives(c + 1, close, nested, &middle);
		else if (!sequence(c + 1, (size_t)(close - c - 1), &middle)) {
			c++;
			continue;
		}
		expand(close + 1, (size_t)(end - close - 1), nested + 1, &rest);
		for (size_t i = 0; i < middle.count; i++)
			for (size_t k = 0; k < rest.count && out->count < MAX_WORDS; k++)
				kt_strs_steal(out, kt_strf("%.*s%s%s", (int)(c - text), text, middle.items[i],
				                           rest.items[k]));
		kt_strs_clear(&middle);
		kt_strs_clear(&rest);
		return;
	}
	kt_strs_steal(out, kt_strndup(text, len));
}

void braces_expand(const char *text, size_t len, struct kt_strs *out)
{
	expand(text, len, 0, out);
}
