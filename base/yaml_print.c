/* SPDX-License-Identifier: MIT */
/* YAML out: the styles that goyaml.v2/encode.go chooses, written by libyaml's emitter (of which Go's is a
 * port). */
#include "base/yaml.h"

#include "base/json_internal.h"
#include "base/yaml_internal.h"

#include <string.h>
#include <yaml.h>

struct printer {
	yaml_emitter_t emitter;
	bool keep_order;
};

static int write_out(void *data, unsigned char *bytes, size_t size)
{
	kt_buf_add(data, bytes, size);
	return 1;
}

static void emit(struct printer *p, yaml_event_t *event, int made)
{
	if (!made || !yaml_emitter_emit(&p->emitter, event))
		kt_bug("YAML output: %s", p->emitter.problem ? p->emitter.problem : "out of memory");
}

static void emit_scalar(struct printer *p, const char *s, size_t len, yaml_scalar_style_t style)
{
	yaml_event_t event;
	emit(p, &event,
	     yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)s, (int)len, 1, 1, style));
}

static void emit_string(struct printer *p, const char *s, size_t len)
{
	yaml_scalar_style_t style = YAML_PLAIN_SCALAR_STYLE;
	if (memchr(s, '\n', len))
		style = YAML_LITERAL_SCALAR_STYLE;
	else if (yaml_resolve(s, len, NULL) != YAML_STRING || yaml_is_base60(s))
		style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	emit_scalar(p, s, len, style);
}

/* strconv.FormatFloat(d, 'g', -1, 64): exponents outside of 1e-4 .. 1e6. */
static void emit_real(struct printer *p, double d)
{
	enum { LEAST = -4, MOST = 6 };
	char digits[JSON_DIGITS];
	struct kt_buf text = {0};
	long exponent = 0;
	size_t n = d < 0 || d > 0 ? json_shortest(d, digits, &exponent) : 0;
	long wide = KT_MAX(exponent, -exponent);
	if (!n || (exponent >= LEAST && exponent < MOST)) {
		json_print_real(d, &text);
	} else {
		kt_buf_addf(&text, "%s%c%s%.*s", d < 0 ? "-" : "", digits[0], n > 1 ? "." : "", (int)n - 1,
		            digits + 1);
		kt_buf_addf(&text, "e%c%02ld", exponent < 0 ? '-' : '+', wide);
	}
	emit_scalar(p, kt_buf_str(&text), text.len, YAML_PLAIN_SCALAR_STYLE);
	kt_buf_clear(&text);
}

/* --- order of keys: goyaml.v2/sorter.go, numbers within names by their value --- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static size_t read_digits(const char *s, uint64_t *n)
{
	size_t i = 0;
	for (; is_digit(s[i]); i++)
		*n = *n * 10 + (uint64_t)(s[i] - '0');
	return i;
}

static int natural(const char *a, const char *b, void *arg)
{
	(void)arg;
	size_t i = 0;
	while (a[i] && a[i] == b[i])
		i++;
	if (!a[i] || !b[i])
		return (a[i] != 0) - (b[i] != 0);
	if (is_letter(a[i]) && is_letter(b[i]))
		return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
	if (is_letter(a[i]) || is_letter(b[i]))
		return is_letter(b[i]) ? -1 : 1;
	/* Zeros within a number count, in front of one they do not. */
	uint64_t x = 0, y = 0;
	if (a[i] == '0' || b[i] == '0')
		for (size_t j = i; j-- && is_digit(a[j]);)
			if (a[j] != '0')
				x = y = 1;
	size_t n = read_digits(a + i, &x), m = read_digits(b + i, &y);
	if (x != y)
		return x < y ? -1 : 1;
	if (n != m)
		return n < m ? -1 : 1;
	return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
}

/* --- values --- */

static void emit_value(struct printer *p, const struct kt_json *v);

static void emit_array(struct printer *p, const struct kt_json *v)
{
	yaml_event_t event;
	emit(p, &event,
	     yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE));
	for (uint32_t i = 0, n = json_len(v); i < n; i++)
		emit_value(p, json_items(v)[i]);
	emit(p, &event, yaml_sequence_end_event_initialize(&event));
}

static void emit_object(struct printer *p, const struct kt_json *v)
{
	yaml_event_t event;
	struct kt_json *ordered = kt_json_ref(v);
	if (!p->keep_order)
		kt_sort_keys(&ordered, natural, NULL);
	emit(p, &event, yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
	for (uint32_t i = 0, n = json_len(ordered); i < n; i++) {
		const struct json_member *m = &json_members(ordered)[i];
		emit_string(p, json_text(m->key), json_len(m->key));
		emit_value(p, m->value);
	}
	emit(p, &event, yaml_mapping_end_event_initialize(&event));
	kt_json_free(ordered);
}

static void emit_value(struct printer *p, const struct kt_json *v)
{
	struct kt_buf text = {0};
	switch (kt_json_type(v)) {
	case KT_JSON_NULL:
		emit_scalar(p, "null", 4, YAML_PLAIN_SCALAR_STYLE);
		break;
	case KT_JSON_BOOL:
		emit_scalar(p, json_len(v) ? "true" : "false", json_len(v) ? 4 : 5, YAML_PLAIN_SCALAR_STYLE);
		break;
	case KT_JSON_INT:
		json_print_int(json_int_value(v), &text);
		emit_scalar(p, kt_buf_str(&text), text.len, YAML_PLAIN_SCALAR_STYLE);
		break;
	case KT_JSON_REAL:
		emit_real(p, json_real_value(v));
		break;
	case KT_JSON_STRING:
		emit_string(p, json_text(v), json_len(v));
		break;
	case KT_JSON_ARRAY:
		emit_array(p, v);
		break;
	case KT_JSON_OBJECT:
		emit_object(p, v);
		break;
	}
	kt_buf_clear(&text);
}

void kt_yaml_print(const struct kt_json *v, bool keep_order, struct kt_buf *out)
{
	struct printer p = {.keep_order = keep_order};
	yaml_event_t event;
	if (!yaml_emitter_initialize(&p.emitter))
		kt_bug("YAML output: out of memory");
	yaml_emitter_set_output(&p.emitter, write_out, out);
	yaml_emitter_set_unicode(&p.emitter, 1);
	emit(&p, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
	emit(&p, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
	emit_value(&p, v);
	p.emitter.open_ended = 0; /* no "..." after a block that keeps its last empty lines: Go writes none */
	emit(&p, &event, yaml_document_end_event_initialize(&event, 1));
	p.emitter.open_ended = 0;
	emit(&p, &event, yaml_stream_end_event_initialize(&event));
	yaml_emitter_delete(&p.emitter);
}
