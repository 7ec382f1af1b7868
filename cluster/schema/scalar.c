/* SPDX-License-Identifier: MIT */
/* Scalars on their way in: checked and in their canonical form, with the words of Go's decoders
 * (sigs.k8s.io/json, k8s.io/apimachinery resource.Quantity, metav1.Time, encoding/base64). */
#include "cluster/schema/decode_internal.h"

#include <string.h>

#define QUANTITY_WORDS                                                                                       \
	"quantities must match the regular expression "                                                      \
	"'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

static struct kt_json *same(const struct kt_json *raw)
{
	return kt_json_ref(raw);
}

/* A text that is equal to the string `raw` gives `raw` itself. */
static struct kt_json *text_of(const struct kt_json *raw, struct kt_buf *buf)
{
	const char *old = kt_str(raw);
	struct kt_json *v = old && kt_streq(old, kt_buf_str(buf)) ? same(raw) : kt_json_str(kt_buf_str(buf));
	kt_buf_clear(buf);
	return v;
}

static struct kt_json *decode_string(struct decode *d, const struct decode_at *at, const char *go,
                                     const struct kt_json *raw)
{
	return kt_is_string(raw) ? same(raw) : decode_mismatch(d, at, go, raw);
}

static struct kt_json *decode_bool(struct decode *d, const struct decode_at *at, const char *go,
                                   const struct kt_json *raw)
{
	return kt_json_type(raw) == KT_JSON_BOOL ? same(raw) : decode_mismatch(d, at, go, raw);
}

static struct kt_json *decode_int32(struct decode *d, const struct decode_at *at, const char *go,
                                    const struct kt_json *raw)
{
	int64_t i = kt_int_or(raw, 0);
	if (kt_json_type(raw) == KT_JSON_INT && d->problems && d->problems->wraps)
		return kt_json_int((int32_t)(uint32_t)(uint64_t)i);
	if (kt_json_type(raw) != KT_JSON_INT || i < INT32_MIN || i > INT32_MAX)
		return decode_mismatch(d, at, go, raw);
	return same(raw);
}

static struct kt_json *decode_int64(struct decode *d, const struct decode_at *at, const char *go,
                                    const struct kt_json *raw)
{
	return kt_json_type(raw) == KT_JSON_INT ? same(raw) : decode_mismatch(d, at, go, raw);
}

static struct kt_json *decode_double(struct decode *d, const struct decode_at *at, const char *go,
                                     const struct kt_json *raw)
{
	enum kt_json_type type = kt_json_type(raw);
	return type == KT_JSON_INT || type == KT_JSON_REAL ? same(raw) : decode_mismatch(d, at, go, raw);
}

/* Where Go's base64 decoder gives up, or -1. Line breaks are skipped. */
static ptrdiff_t base64_error(const char *s, size_t len)
{
	size_t digits = 0;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '\n' || c == '\r')
			continue;
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", c) && c) {
			digits++;
			continue;
		}
		if (c != '=' || digits % 4 < 2)
			return (ptrdiff_t)i;
		size_t pads = 4 - digits % 4, seen = 0, j = i;
		for (; j < len && (s[j] == '=' || s[j] == '\n' || s[j] == '\r'); j++)
			seen += s[j] == '=';
		if (seen < pads)
			return (ptrdiff_t)(j < len ? j : len);
		return j < len || seen > pads ? (ptrdiff_t)(i + pads) : -1;
	}
	return digits % 4 ? (ptrdiff_t)(len - digits % 4) : -1;
}

static struct kt_json *decode_bytes(struct decode *d, const struct decode_at *at, const char *go,
                                    const struct kt_json *raw)
{
	if (!kt_is_string(raw))
		return decode_mismatch(d, at, go, raw);
	ptrdiff_t wrong = base64_error(kt_str(raw), kt_str_len(raw));
	if (wrong >= 0)
		return decode_refuse(d, "illegal base64 data at input byte %td", wrong);
	if (!strpbrk(kt_str(raw), "\r\n"))
		return same(raw);
	struct kt_buf buf = {0};
	for (const char *s = kt_str(raw); *s; s++)
		if (*s != '\r' && *s != '\n')
			kt_buf_addc(&buf, *s);
	return text_of(raw, &buf);
}

static struct kt_json *decode_quantity(struct decode *d, const struct decode_at *at, const char *go,
                                       const struct kt_json *raw)
{
	(void)at;
	(void)go;
	struct kt_buf text = {0}, buf = {0};
	if (kt_is_string(raw)) {
		const char *s = kt_str(raw);
		size_t len = kt_str_len(raw);
		while (len && strchr(" \t\r\n", s[len - 1]))
			len--;
		while (len && strchr(" \t\r\n", *s))
			s++, len--;
		kt_buf_add(&text, s, len);
	} else {
		kt_json_print(raw, &text);
	}
	bool ok = kt_quantity_canonical(kt_buf_str(&text), &buf);
	kt_buf_clear(&text);
	if (ok)
		return text_of(raw, &buf);
	kt_buf_clear(&buf);
	return decode_refuse(d, "%s", QUANTITY_WORDS);
}

/* metav1.MicroTime wants all six digits; `s` is a time. */
static bool has_micros(const char *s)
{
	const char *fraction = s + strlen("2006-01-02T15:04:05");
	return *fraction == '.' && strspn(fraction + 1, "0123456789") >= 6;
}

static struct kt_json *decode_time(struct decode *d, const struct decode_at *at, const char *go,
                                   const struct kt_json *raw, bool micro)
{
	(void)go;
	kt_ns t;
	if (!kt_is_string(raw))
		return decode_mismatch(d, at, "string", raw);
	struct kt_buf buf = {0};
	if (!kt_time_parse(kt_str(raw), &t) || (micro && !has_micros(kt_str(raw)))) {
		kt_time_fault(kt_str(raw), micro, &buf);
		decode_refuse(d, "%s", kt_buf_str(&buf));
		kt_buf_clear(&buf);
		return NULL;
	}
	if (micro)
		kt_time_print_micro(t, &buf);
	else
		kt_time_print(t, &buf);
	return text_of(raw, &buf);
}

static struct kt_json *decode_second(struct decode *d, const struct decode_at *at, const char *go,
                                     const struct kt_json *raw)
{
	return decode_time(d, at, go, raw, false);
}

static struct kt_json *decode_micro(struct decode *d, const struct decode_at *at, const char *go,
                                    const struct kt_json *raw)
{
	return decode_time(d, at, go, raw, true);
}

static struct kt_json *decode_int_or_string(struct decode *d, const struct decode_at *at, const char *go,
                                            const struct kt_json *raw)
{
	(void)go;
	if (kt_is_string(raw))
		return same(raw);
	return decode_int32(d, at, "int32", raw);
}

static struct kt_json *decode_strings(struct decode *d, const struct decode_at *at, const char *go,
                                      const struct kt_json *raw)
{
	const struct kt_json *item;
	if (!kt_is_array(raw))
		return decode_mismatch(d, at, go, raw);
	KT_JSON_EACH (item, raw)
		if (!kt_is_string(item))
			return decode_mismatch(d, at, "string", item);
	return same(raw);
}

static struct kt_json *decode_any(struct decode *d, const struct decode_at *at, const char *go,
                                  const struct kt_json *raw)
{
	(void)d;
	(void)at;
	(void)go;
	return same(raw);
}

decode_scalar_fn *const decode_scalars[] = {
        [SCHEMA_STRING] = decode_string,
        [SCHEMA_BOOL] = decode_bool,
        [SCHEMA_INT32] = decode_int32,
        [SCHEMA_INT64] = decode_int64,
        [SCHEMA_DOUBLE] = decode_double,
        [SCHEMA_BYTES] = decode_bytes,
        [SCHEMA_QUANTITY] = decode_quantity,
        [SCHEMA_TIME] = decode_second,
        [SCHEMA_MICROTIME] = decode_micro,
        [SCHEMA_DURATION] = decode_string,
        [SCHEMA_INT_OR_STRING] = decode_int_or_string,
        [SCHEMA_RAW] = decode_any,
        [SCHEMA_FIELDS_V1] = decode_any,
        [SCHEMA_ANY] = decode_any,
        [SCHEMA_STRINGS] = decode_strings,
};
