/* SPDX-License-Identifier: MIT */
/* JSON text as Go's encoding/json writes it (encode.go, indent.go). */
#include "base/json_internal.h"
#include "base/utf8_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct style {
	unsigned width; /* of one level; 0: all in one line */
	bool html;      /* escape <, > and & */
};

/* What a byte needs: nothing, an escape (always, or for HTML only), or a look at the whole character. */
enum { PLAIN, ESCAPE, HTML, MULTI };

static const unsigned char needs[256] = {
        [0x00] = ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ESCAPE,
        ['"'] = ESCAPE,
        ['\\'] = ESCAPE,
        ['<'] = HTML,
        ['>'] = HTML,
        ['&'] = HTML,
        /* Only these two lead what needs care: E2 (U+2028, U+2029) and what is no UTF-8. */
        [0x80] = MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
        MULTI,
};

static void print_escape(unsigned char c, struct kt_buf *out)
{
	static const char letters[][2] = {{'"', '"'},  {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'},
	                                  {'\n', 'n'}, {'\r', 'r'},  {'\t', 't'}};
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < KT_COUNT(letters); i++) {
		if ((char)c == letters[i][0]) {
			kt_buf_add(out, (char[]){'\\', letters[i][1]}, 2);
			return;
		}
	}
	kt_buf_add(out, (char[]){'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]}, 6);
}

static void print_string(const char *s, size_t len, bool html, struct kt_buf *out)
{
	kt_buf_reserve(out, len + 2);
	kt_buf_addc(out, '"');
	size_t done = 0, i = 0;
	while (i < len) {
		unsigned char c = (unsigned char)s[i], need = needs[c];
		if (need == PLAIN || (need == HTML && !html)) {
			i++;
			continue;
		}
		uint32_t wide = 0;
		size_t n = 1;
		if (need == MULTI) {
			n = kt_utf8_next(s + i, len - i, &wide);
			if (n && wide != 0x2028 && wide != 0x2029) {
				i += n;
				continue;
			}
		}
		kt_buf_add(out, s + done, i - done);
		if (need != MULTI)
			print_escape(c, out);
		else
			kt_buf_adds(out, !n ? "\\ufffd" : wide == 0x2028 ? "\\u2028" : "\\u2029");
		i += n ? n : 1;
		done = i;
	}
	kt_buf_add(out, s + done, len - done);
	kt_buf_addc(out, '"');
}

void json_print_int(int64_t i, struct kt_buf *out)
{
	char text[24], *p = text + sizeof(text);
	uint64_t n = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	if (i < 0)
		*--p = '-';
	kt_buf_add(out, p, (size_t)(text + sizeof(text) - p));
}

/* The fewest digits that read back as `d` ("d.dddde+xx"). What has at most 15 is found by asking for 15. */
static void shortest(double d, char *text, size_t size)
{
	bool denormal = fabs(d) < 2.3e-308;
	for (int precision = denormal ? 0 : 14; precision <= 16; precision++) {
		snprintf(text, size, "%.*e", precision, d);
		double back = strtod(text, NULL);
		if (back <= d && back >= d)
			return;
	}
}

size_t json_shortest(double d, char digits[JSON_DIGITS], long *exponent)
{
	char text[40];
	shortest(d, text, sizeof(text));
	char *e = strchr(text, 'e');
	*exponent = e ? strtol(e + 1, NULL, 10) : 0;
	size_t n = 0;
	for (const char *p = text; p < e; p++)
		if (*p >= '0' && *p <= '9')
			digits[n++] = *p;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	return n;
}

/* encode.go floatEncoder: like ECMAScript, exponents outside of 1e-6 .. 1e21 only. */
void json_print_real(double d, struct kt_buf *out)
{
	if (!isfinite(d)) { /* cannot be said in JSON and comes from nowhere */
		kt_buf_adds(out, "null");
		return;
	}
	if (d >= 0 && d <= 0) {
		kt_buf_adds(out, signbit(d) ? "-0" : "0");
		return;
	}
	char digits[JSON_DIGITS];
	long exponent;
	size_t n = json_shortest(d, digits, &exponent);
	if (d < 0)
		kt_buf_addc(out, '-');
	if (exponent < -6 || exponent >= 21) {
		kt_buf_addc(out, digits[0]);
		if (n > 1)
			kt_buf_addc(out, '.');
		kt_buf_add(out, digits + 1, n - 1);
		kt_buf_addf(out, "e%c%0*ld", exponent < 0 ? '-' : '+', exponent < 0 ? 1 : 2, labs(exponent));
		return;
	}
	if (exponent < 0) {
		kt_buf_adds(out, "0.");
		for (long i = -1; i > exponent; i--)
			kt_buf_addc(out, '0');
		kt_buf_add(out, digits, n);
		return;
	}
	for (size_t i = 0; i < n || i <= (size_t)exponent; i++) {
		if (i == (size_t)exponent + 1)
			kt_buf_addc(out, '.');
		kt_buf_addc(out, i < n ? digits[i] : '0');
	}
}

static void new_line(const struct style *style, unsigned level, struct kt_buf *out)
{
	if (!style->width)
		return;
	kt_buf_reserve(out, 1 + (size_t)level * style->width);
	kt_buf_addc(out, '\n');
	for (unsigned i = 0; i < level * style->width; i++)
		kt_buf_addc(out, ' ');
}

static void print(const struct kt_json *v, const struct style *style, unsigned level, struct kt_buf *out);

static void print_container(const struct kt_json *v, const struct style *style, unsigned level,
                            struct kt_buf *out)
{
	bool object = json_type(v) == KT_JSON_OBJECT;
	uint32_t n = json_len(v);
	kt_buf_addc(out, object ? '{' : '[');
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			kt_buf_addc(out, ',');
		new_line(style, level + 1, out);
		if (object) {
			const struct kt_json *key = json_members(v)[i].key;
			print_string(json_text(key), json_len(key), style->html, out);
			kt_buf_addc(out, ':');
			if (style->width)
				kt_buf_addc(out, ' ');
		}
		print(object ? json_members(v)[i].value : json_items(v)[i], style, level + 1, out);
	}
	if (n)
		new_line(style, level, out);
	kt_buf_addc(out, object ? '}' : ']');
}

static void print(const struct kt_json *v, const struct style *style, unsigned level, struct kt_buf *out)
{
	switch (kt_json_type(v)) {
	case KT_JSON_NULL:
		kt_buf_add(out, "null", 4);
		break;
	case KT_JSON_BOOL:
		kt_buf_adds(out, json_len(v) ? "true" : "false");
		break;
	case KT_JSON_INT:
		json_print_int(json_int_value(v), out);
		break;
	case KT_JSON_REAL:
		json_print_real(json_real_value(v), out);
		break;
	case KT_JSON_STRING:
		print_string(json_text(v), json_len(v), style->html, out);
		break;
	case KT_JSON_ARRAY:
	case KT_JSON_OBJECT:
		print_container(v, style, level, out);
		break;
	}
}

void kt_json_print(const struct kt_json *v, struct kt_buf *out)
{
	print(v, &(struct style){.html = true}, 0, out);
}

void kt_json_print_pretty(const struct kt_json *v, unsigned width, struct kt_buf *out)
{
	print(v, &(struct style){.width = width}, 0, out);
}

void kt_json_print_indented(const struct kt_json *v, unsigned width, struct kt_buf *out)
{
	print(v, &(struct style){.width = width, .html = true}, 0, out);
}

char *kt_json_text(const struct kt_json *v)
{
	struct kt_buf out = {0};
	kt_json_print(v, &out);
	return kt_buf_take(&out);
}

void kt_json_print_string(const char *s, size_t len, struct kt_buf *out)
{
	print_string(s, len, true, out);
}
