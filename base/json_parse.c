/* SPDX-License-Identifier: MIT */
/* JSON text in, with the words of Go's encoding/json (scanner.go) where it is wrong. */
#include "base/json_internal.h"
#include "base/utf8_internal.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_DEPTH = 200, KEY_SLOTS = 256, MAX_DUPLICATES = 100 };
static const size_t default_bytes = (size_t)64 << 20;

struct parser {
	const char *p, *end;
	size_t depth, max_depth;
	/* Members and items of the containers that are open, those of the innermost on top; an item has no
	 * key. */
	struct json_member *stack;
	const char **where; /* their keys stand in the text */
	size_t count, cap, where_cap;
	size_t *bases;                   /* where in the stack each open container starts; by depth */
	struct kt_json *keys[KEY_SLOTS]; /* keys met, by hash: the same key is one string */
	struct kt_buf scratch;
	struct duplicate {
		const char *where;
		char *path;
	} * duplicates;
	size_t duplicate_count, duplicate_cap;
	struct kt_err *err;
};

/* --- what is wrong --- */

static struct kt_json *fail_at(struct parser *ps, const char *context)
{
	if (ps->p >= ps->end) {
		kt_fail(ps->err, KT_EINVAL, "unexpected end of JSON input");
		return NULL;
	}
	unsigned char c = (unsigned char)*ps->p;
	static const struct {
		char c;
		const char *text;
	} named[] = {{'\'', "\\'"}, {'"', "\""},   {'\\', "\\\\"}, {'\a', "\\a"}, {'\b', "\\b"},
	             {'\f', "\\f"}, {'\n', "\\n"}, {'\r', "\\r"},  {'\t', "\\t"}, {'\v', "\\v"}};
	struct kt_buf text = {0};
	for (size_t i = 0; i < KT_COUNT(named); i++)
		if ((char)c == named[i].c)
			kt_buf_adds(&text, named[i].text);
	/* Go takes the byte for a character of Latin 1. */
	if (!text.len && (c < 0x20 || c == 0x7f))
		kt_buf_addf(&text, "\\x%02x", c);
	else if (!text.len && ((c >= 0x80 && c <= 0xa0) || c == 0xad))
		kt_buf_addf(&text, "\\u%04x", c);
	else if (!text.len)
		kt_utf8_add(&text, c);
	kt_fail(ps->err, KT_EINVAL, "invalid character '%s' %s", kt_buf_str(&text), context);
	kt_buf_clear(&text);
	return NULL;
}

static void skip_space(struct parser *ps)
{
	while (ps->p < ps->end && (*ps->p == ' ' || *ps->p == '\n' || *ps->p == '\t' || *ps->p == '\r'))
		ps->p++;
}

static bool at(const struct parser *ps, char c)
{
	return ps->p < ps->end && *ps->p == c;
}

/* --- strings --- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits of \uXXXX at ps->p, moving behind them; -1 and the error where they are none. */
static long read_unit(struct parser *ps)
{
	long unit = 0;
	for (int i = 0; i < 4; i++, ps->p++) {
		int digit = ps->p < ps->end ? hex_digit(*ps->p) : -1;
		if (digit < 0) {
			fail_at(ps, "in \\u hexadecimal character escape");
			return -1;
		}
		unit = unit << 4 | digit;
	}
	return unit;
}

static bool read_unicode(struct parser *ps)
{
	long c = read_unit(ps);
	if (c < 0)
		return false;
	if (c == 0) {
		kt_fail(ps->err, KT_EUNSUPPORTED, "a string holds \\u0000");
		return false;
	}
	if (c >= 0xd800 && c < 0xdc00 && ps->end - ps->p >= 6 && ps->p[0] == '\\' && ps->p[1] == 'u') {
		const char *back = ps->p;
		ps->p += 2;
		long low = read_unit(ps);
		if (low < 0)
			return false;
		if (low >= 0xdc00 && low < 0xe000)
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		else
			ps->p = back; /* half a pair: U+FFFD, as in Go */
	}
	kt_utf8_add(&ps->scratch, (uint32_t)c);
	return true;
}

static bool read_escape(struct parser *ps)
{
	static const char letters[][2] = {{'"', '"'},  {'\\', '\\'}, {'/', '/'},  {'b', '\b'},
	                                  {'f', '\f'}, {'n', '\n'},  {'r', '\r'}, {'t', '\t'}};
	ps->p++;
	for (size_t i = 0; i < KT_COUNT(letters); i++) {
		if (at(ps, letters[i][0])) {
			kt_buf_addc(&ps->scratch, letters[i][1]);
			ps->p++;
			return true;
		}
	}
	if (!at(ps, 'u')) {
		fail_at(ps, "in string escape code");
		return false;
	}
	ps->p++;
	return read_unicode(ps);
}

/* The string at the quote ps->p: borrowed from the text when it needs no decoding, else from the scratch. */
static bool read_string(struct parser *ps, const char **out, size_t *len)
{
	const char *start = ++ps->p, *p = start, *end = ps->end;
	while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80)
		p++;
	if (p < end && *p == '"') {
		*out = start;
		*len = (size_t)(p - start);
		ps->p = p + 1;
		return true;
	}
	kt_buf_cut(&ps->scratch, 0);
	kt_buf_add(&ps->scratch, start, (size_t)(p - start));
	for (ps->p = p; !at(ps, '"');) {
		if (ps->p >= end || (unsigned char)*ps->p < 0x20) {
			fail_at(ps, "in string literal");
			return false;
		}
		if (*ps->p == '\\') {
			if (!read_escape(ps))
				return false;
			continue;
		}
		uint32_t c;
		size_t n = kt_utf8_next(ps->p, (size_t)(end - ps->p), &c);
		if (n)
			kt_buf_add(&ps->scratch, ps->p, n);
		else
			kt_utf8_add(&ps->scratch, 0xfffd);
		ps->p += n ? n : 1;
	}
	ps->p++;
	*out = kt_buf_str(&ps->scratch);
	*len = ps->scratch.len;
	return true;
}

/* The key's string, one for all that are equal (as far as the slots last). */
static struct kt_json *shared_key(struct parser *ps, const char *s, size_t len)
{
	struct kt_json **slot = &ps->keys[kt_hash32(s, len) % KEY_SLOTS];
	if (!*slot || !json_text_is(*slot, s, len)) {
		kt_json_free(*slot);
		*slot = json_key(s, len);
	}
	return kt_json_ref(*slot);
}

/* --- numbers --- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool skip_digits(struct parser *ps)
{
	const char *start = ps->p;
	while (ps->p < ps->end && is_digit(*ps->p))
		ps->p++;
	return ps->p > start;
}

bool json_number(const char *s, size_t len, struct kt_json **out)
{
	bool negative = len && *s == '-';
	uint64_t n = 0;
	size_t i = negative;
	for (; i < len && is_digit(s[i]); i++) {
		if (n > (UINT64_MAX - 9) / 10)
			break;
		n = n * 10 + (uint64_t)(s[i] - '0');
	}
	if (i == len && n <= (uint64_t)INT64_MAX + negative) {
		*out = kt_json_int(negative ? (int64_t)(0 - n) : (int64_t)n);
		return true;
	}
	char near[64], *text = len < sizeof(near) ? near : kt_alloc(len + 1);
	memcpy(text, s, len);
	text[len] = 0;
	double d = strtod(text, NULL);
	if (text != near)
		kt_free(text);
	if (isfinite(d))
		*out = kt_json_real(d);
	return isfinite(d) != 0;
}

static struct kt_json *read_number(struct parser *ps)
{
	const char *start = ps->p;
	if (*ps->p == '-')
		ps->p++;
	if (at(ps, '0'))
		ps->p++;
	else if (!skip_digits(ps))
		return fail_at(ps, "in numeric literal");
	if (at(ps, '.')) {
		ps->p++;
		if (!skip_digits(ps))
			return fail_at(ps, "after decimal point in numeric literal");
	}
	if (at(ps, 'e') || at(ps, 'E')) {
		ps->p++;
		if (at(ps, '+') || at(ps, '-'))
			ps->p++;
		if (!skip_digits(ps))
			return fail_at(ps, "in exponent of numeric literal");
	}
	struct kt_json *v = NULL;
	size_t len = (size_t)(ps->p - start);
	if (!json_number(start, len, &v))
		kt_fail(ps->err, KT_EINVAL,
		        "json: cannot unmarshal number %.*s into Go value of type float64",
		        (int)KT_MIN(len, 64), start);
	return v;
}

static struct kt_json *read_word(struct parser *ps, const char *word, struct kt_json *v)
{
	for (size_t i = 0; word[i]; i++, ps->p++) {
		if (!at(ps, word[i])) {
			char context[64];
			snprintf(context, sizeof(context), "in literal %s (expecting '%c')", word, word[i]);
			return fail_at(ps, context);
		}
	}
	return v;
}

/* --- containers --- */

/* Put an empty place on the stack. */
static void open_place(struct parser *ps, struct kt_json *key, const char *where)
{
	ps->stack = kt_grow(ps->stack, &ps->cap, ps->count + 1, sizeof(*ps->stack));
	ps->where = kt_grow((void *)ps->where, &ps->where_cap, ps->count + 1, sizeof(*ps->where));
	ps->where[ps->count] = where;
	ps->stack[ps->count++] = (struct json_member){.key = key};
}

/* The path of a member of the innermost container: "spec.containers[0].name". */
static char *path_to(const struct parser *ps, const struct kt_json *key)
{
	struct kt_buf path = {0};
	for (size_t d = 0; d + 1 < ps->depth; d++) {
		size_t at_place = ps->bases[d + 1] - 1;
		const struct kt_json *parent = ps->stack[at_place].key;
		if (parent)
			kt_buf_addf(&path, "%s%s", path.len ? "." : "", json_text(parent));
		else
			kt_buf_addf(&path, "[%zu]", at_place - ps->bases[d]);
	}
	kt_buf_addf(&path, "%s%s", path.len ? "." : "", json_text(key));
	return kt_buf_take(&path);
}

struct place {
	const struct kt_json *key;
	size_t at;
};

static int by_key_and_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = strcmp(json_text(x->key), json_text(y->key));
	return order ? order : x->at < y->at ? -1 : 1;
}

static void note_duplicate(struct parser *ps, const struct kt_json *key, const char *where)
{
	if (ps->duplicate_count >= MAX_DUPLICATES)
		return;
	ps->duplicates =
	        kt_grow(ps->duplicates, &ps->duplicate_cap, ps->duplicate_count + 1, sizeof(*ps->duplicates));
	ps->duplicates[ps->duplicate_count++] = (struct duplicate){where, path_to(ps, key)};
}

/* Of members with the same key keep the first's place and the last's value. Returns how many stay. */
static size_t drop_duplicates(struct parser *ps, size_t base, size_t n)
{
	struct json_member *m = ps->stack + base;
	struct place *places = kt_alloc(n * sizeof(*places));
	bool any = false;
	for (size_t i = 0; i < n; i++)
		places[i] = (struct place){m[i].key, i};
	qsort(places, n, sizeof(*places), by_key_and_place);
	for (size_t i = 1, group = 0; i < n; i++) {
		if (strcmp(json_text(places[i].key), json_text(places[group].key)) != 0) {
			group = i;
			continue;
		}
		struct json_member *kept = &m[places[group].at], *again = &m[places[i].at];
		if (i == group + 1)
			note_duplicate(ps, again->key, ps->where[base + places[i].at]);
		any = true;
		kt_json_free(kept->value);
		kept->value = again->value;
		again->value = NULL;
	}
	kt_free(places);
	if (!any)
		return n;
	size_t stay = 0;
	for (size_t i = 0; i < n; i++) {
		if (m[i].value)
			m[stay++] = m[i];
		else
			kt_json_free(m[i].key);
	}
	return stay;
}

static struct kt_json *read_value(struct parser *ps);

static bool open_container(struct parser *ps)
{
	if (ps->depth >= ps->max_depth) {
		kt_fail(ps->err, KT_ELIMIT, "exceeded max depth");
		return false;
	}
	ps->bases[ps->depth++] = ps->count;
	ps->p++;
	skip_space(ps);
	return true;
}

/* Read the value for the place on top of the stack. */
static bool fill_place(struct parser *ps)
{
	size_t place = ps->count - 1;
	struct kt_json *v = read_value(ps);
	if (v)
		ps->stack[place].value = v;
	return v != NULL;
}

/* After a value: true when another one follows, false at the end or with an error (told by ps->p). */
static bool another(struct parser *ps, char close, const char *context, bool *failed)
{
	skip_space(ps);
	if (at(ps, ',')) {
		ps->p++;
		skip_space(ps);
		return true;
	}
	if (at(ps, close)) {
		ps->p++;
		return false;
	}
	fail_at(ps, context);
	*failed = true;
	return false;
}

static struct kt_json *read_array(struct parser *ps)
{
	if (!open_container(ps))
		return NULL;
	size_t base = ps->count;
	bool failed = false;
	if (at(ps, ']')) {
		ps->p++;
	} else {
		do {
			open_place(ps, NULL, ps->p);
			if (!fill_place(ps))
				return NULL;
		} while (another(ps, ']', "after array element", &failed));
	}
	if (failed)
		return NULL;
	size_t n = ps->count - base;
	/* The values alone, packed where they lie: no place needs its (empty) key any more. */
	struct kt_json **items = (struct kt_json **)(void *)(ps->stack + base);
	for (size_t i = 0; i < n; i++)
		items[i] = ps->stack[base + i].value;
	struct kt_json *v = json_array_of(items, n);
	ps->count = base;
	ps->depth--;
	return v;
}

static bool read_member(struct parser *ps, uint64_t *seen, bool *twice)
{
	const char *s;
	size_t len;
	if (!at(ps, '"')) {
		fail_at(ps, "looking for beginning of object key string");
		return false;
	}
	const char *where = ps->p;
	if (!read_string(ps, &s, &len))
		return false;
	struct kt_json *key = shared_key(ps, s, len);
	/* A key whose bit is not there yet is new: the rule. Only else is there something to compare. */
	uint64_t bit = (uint64_t)1 << (kt_hash32(json_text(key), len) >> 7 & 63);
	*twice |= (*seen & bit) != 0;
	*seen |= bit;
	open_place(ps, key, where);
	skip_space(ps);
	if (!at(ps, ':')) {
		fail_at(ps, "after object key");
		return false;
	}
	ps->p++;
	skip_space(ps);
	return fill_place(ps);
}

static struct kt_json *read_object(struct parser *ps)
{
	if (!open_container(ps))
		return NULL;
	size_t base = ps->count;
	uint64_t seen = 0;
	bool twice = false, failed = false;
	if (at(ps, '}')) {
		ps->p++;
	} else {
		do {
			if (!read_member(ps, &seen, &twice))
				return NULL;
		} while (another(ps, '}', "after object key:value pair", &failed));
	}
	if (failed)
		return NULL;
	size_t n = ps->count - base;
	if (twice)
		n = drop_duplicates(ps, base, n);
	struct kt_json *v = json_object_of(ps->stack + base, n);
	ps->count = base;
	ps->depth--;
	return v;
}

static struct kt_json *read_value(struct parser *ps)
{
	const char *s;
	size_t len;
	switch (ps->p < ps->end ? *ps->p : 0) {
	case '{':
		return read_object(ps);
	case '[':
		return read_array(ps);
	case '"':
		return read_string(ps, &s, &len) ? kt_json_strn(s, len) : NULL;
	case 't':
		return read_word(ps, "true", kt_json_bool(true));
	case 'f':
		return read_word(ps, "false", kt_json_bool(false));
	case 'n':
		return read_word(ps, "null", kt_json_null());
	default:
		if (ps->p < ps->end && (*ps->p == '-' || is_digit(*ps->p)))
			return read_number(ps);
		return fail_at(ps, "looking for beginning of value");
	}
}

static void parser_clear(struct parser *ps)
{
	for (size_t i = 0; i < ps->count; i++) {
		kt_json_free(ps->stack[i].key);
		kt_json_free(ps->stack[i].value);
	}
	for (size_t i = 0; i < KEY_SLOTS; i++)
		kt_json_free(ps->keys[i]);
	kt_free(ps->stack);
	kt_free(ps->bases);
	for (size_t i = 0; i < ps->duplicate_count; i++)
		kt_free(ps->duplicates[i].path);
	kt_free(ps->duplicates);
	kt_free((void *)ps->where);
	kt_buf_clear(&ps->scratch);
}

static int by_where(const void *a, const void *b)
{
	const struct duplicate *x = a, *y = b;
	return x->where < y->where ? -1 : x->where > y->where;
}

/* Their paths, one a line, in the order of the text; NULL if there is none. */
static char *duplicate_paths(struct parser *ps)
{
	struct kt_buf out = {0};
	if (ps->duplicate_count == 0)
		return NULL;
	qsort(ps->duplicates, ps->duplicate_count, sizeof(*ps->duplicates), by_where);
	for (size_t i = 0; i < ps->duplicate_count; i++)
		kt_buf_addf(&out, "%s%s", i > 0 ? "\n" : "", ps->duplicates[i].path);
	return kt_buf_take(&out);
}

enum kt_code kt_json_parse(const char *text, size_t len, const struct kt_json_limits *limits,
                           struct kt_json **out, char **duplicates, struct kt_err *err)
{
	size_t max_bytes = limits && limits->bytes ? limits->bytes : default_bytes;
	if (len > max_bytes)
		return kt_fail(err, KT_ELIMIT, "%zu bytes of JSON are more than the %zu allowed", len,
		               max_bytes);
	struct kt_err own = {0};
	struct parser ps = {.p = text ? text : "",
	                    .max_depth = limits && limits->depth ? limits->depth : DEFAULT_DEPTH,
	                    .err = &own};
	ps.end = ps.p + (text ? len : 0);
	ps.stack = kt_grow(NULL, &ps.cap, 1, sizeof(*ps.stack));
	ps.bases = kt_alloc(ps.max_depth * sizeof(*ps.bases));
	skip_space(&ps);
	struct kt_json *v = read_value(&ps);
	skip_space(&ps);
	if (v && ps.p < ps.end) {
		fail_at(&ps, "after top-level value");
		kt_json_freep(&v);
	}
	if (v) {
		*out = v;
		if (duplicates)
			*duplicates = duplicate_paths(&ps);
	}
	parser_clear(&ps);
	return v ? KT_OK : kt_fail(err, own.code, "%s", own.text);
}
