/* SPDX-License-Identifier: MIT */
/* kt_jsonf: values from a template in relaxed JSON. */
#include "base/json_internal.h"

#include <stdarg.h>
#include <string.h>

struct template
{
	const char *fmt, *p;
	va_list ap;
	struct json_member *stack;
	size_t count, cap;
};

static KT_NORETURN void wrong(const struct template *t, const char *what)
{
	kt_bug("template %s: %s at %zu", t->fmt, what, (size_t)(t->p - t->fmt));
}

static void skip_space(struct template *t)
{
	while (*t->p == ' ' || *t->p == '\t' || *t->p == '\r' || *t->p == '\n')
		t->p++;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '-' || c == '.' || c == '/' || c == '+';
}

/* The string at the quote t->p, either sort; \n, \t and \" are known. */
static struct kt_json *read_quoted(struct template *t)
{
	char quote = *t->p++;
	size_t plain = strcspn(t->p, quote == '"' ? "\"\\" : "'\\");
	if (t->p[plain] == quote) {
		t->p += plain + 1;
		return kt_json_strn(t->p - plain - 1, plain);
	}
	struct kt_buf text = {0};
	for (; *t->p != quote; t->p++) {
		if (!*t->p)
			wrong(t, "string without an end");
		if (*t->p != '\\') {
			kt_buf_addc(&text, *t->p);
			continue;
		}
		t->p++;
		kt_buf_addc(&text, *t->p == 'n' ? '\n' : *t->p == 't' ? '\t' : *t->p);
	}
	t->p++;
	struct kt_json *v = kt_json_strn(kt_buf_str(&text), text.len);
	kt_buf_clear(&text);
	return v;
}

static struct kt_json *read_word(struct template *t)
{
	const char *word = t->p;
	while (is_word(*t->p))
		t->p++;
	size_t len = (size_t)(t->p - word);
	if (len == 4 && memcmp(word, "true", 4) == 0)
		return kt_json_bool(true);
	if (len == 5 && memcmp(word, "false", 5) == 0)
		return kt_json_bool(false);
	if (len == 4 && memcmp(word, "null", 4) == 0)
		return kt_json_null();
	struct kt_json *v = NULL;
	if (!len || !(*word == '-' || (*word >= '0' && *word <= '9')) || !json_number(word, len, &v))
		wrong(t, "no value");
	return v;
}

/* The argument for %X at t->p; NULL: leave the place out. */
static struct kt_json *read_argument(struct template *t)
{
	t->p++;
	switch (*t->p++) {
	case 's':
		return kt_json_str(va_arg(t->ap, const char *));
	case 'd':
		return kt_json_int(va_arg(t->ap, int));
	case 'l':
		return kt_json_int(va_arg(t->ap, int64_t));
	case 'f':
		return kt_json_real(va_arg(t->ap, double));
	case 'b':
		return kt_json_bool(va_arg(t->ap, int) != 0);
	case 'j':
		return va_arg(t->ap, struct kt_json *);
	case 'J':
		return kt_json_ref(va_arg(t->ap, const struct kt_json *));
	default:
		wrong(t, "unknown conversion");
	}
}

static struct kt_json *read_value(struct template *t);

static struct kt_json *read_key(struct template *t)
{
	struct kt_json *key = NULL;
	if (*t->p == '"' || *t->p == '\'') {
		key = read_quoted(t);
	} else if (t->p[0] == '%' && t->p[1] == 's') {
		key = read_argument(t);
	} else {
		const char *word = t->p;
		while (is_word(*t->p))
			t->p++;
		if (t->p > word)
			key = json_key(word, (size_t)(t->p - word));
	}
	skip_space(t);
	if (!key || *t->p != ':')
		wrong(t, "no key");
	t->p++;
	skip_space(t);
	return key;
}

/* Keep what has a value; a key that is there already gets the new value. */
static void keep(struct template *t, size_t base, struct kt_json *key, struct kt_json *value)
{
	if (!value) {
		kt_json_free(key);
		return;
	}
	for (size_t i = base; key && i < t->count; i++) {
		if (json_text_is(t->stack[i].key, json_text(key), json_len(key))) {
			kt_json_free(t->stack[i].value);
			t->stack[i].value = value;
			kt_json_free(key);
			return;
		}
	}
	t->stack = kt_grow(t->stack, &t->cap, t->count + 1, sizeof(*t->stack));
	t->stack[t->count++] = (struct json_member){key, value};
}

static struct kt_json *read_container(struct template *t)
{
	bool object = *t->p++ == '{';
	char close = object ? '}' : ']';
	size_t base = t->count;
	for (skip_space(t); *t->p != close; skip_space(t)) {
		struct kt_json *key = object ? read_key(t) : NULL;
		keep(t, base, key, read_value(t));
		skip_space(t);
		if (*t->p == ',')
			t->p++;
		else if (*t->p != close)
			wrong(t, "neither a comma nor the end");
	}
	t->p++;
	size_t n = t->count - base;
	struct kt_json *v = object ? json_object_of(t->stack + base, n) : NULL;
	for (size_t i = 0; !object && i < n; i++)
		kt_push(&v, t->stack[base + i].value);
	t->count = base;
	return v ? v : kt_json_array();
}

static struct kt_json *read_value(struct template *t)
{
	if (*t->p == '{' || *t->p == '[')
		return read_container(t);
	if (*t->p == '"' || *t->p == '\'')
		return read_quoted(t);
	return *t->p == '%' ? read_argument(t) : read_word(t);
}

struct kt_json *kt_jsonf(const char *fmt, ...)
{
	struct template t = {.fmt = fmt, .p = fmt};
	t.stack = kt_grow(NULL, &t.cap, 1, sizeof(*t.stack));
	va_start(t.ap, fmt);
	skip_space(&t);
	struct kt_json *v = read_value(&t);
	skip_space(&t);
	if (*t.p)
		wrong(&t, "more than one value");
	va_end(t.ap);
	kt_free(t.stack);
	return v;
}
