/* SPDX-License-Identifier: MIT */
/* JSON values: life and reading. Changing them is in json_edit.c, text in json_parse.c and json_print.c. */
#include "base/json_internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define STATIC_VALUE(type, len)                                                                              \
	{                                                                                                    \
		JSON_IMMORTAL, JSON_INFO(type, len)                                                          \
	}

static const struct kt_json null_value = STATIC_VALUE(KT_JSON_NULL, 0);
static const struct kt_json bool_values[2] = {STATIC_VALUE(KT_JSON_BOOL, 0), STATIC_VALUE(KT_JSON_BOOL, 1)};
static const struct kt_json empty_array = STATIC_VALUE(KT_JSON_ARRAY, 0);
static const struct kt_json empty_object = STATIC_VALUE(KT_JSON_OBJECT, 0);
static const struct {
	struct kt_json head;
	char text[8];
} empty_string = {STATIC_VALUE(KT_JSON_STRING, 0), ""};

#define I1(i)                                                                                                \
	{                                                                                                    \
		STATIC_VALUE(KT_JSON_INT, 0), i                                                              \
	}
#define I4(i)  I1(i), I1(i + 1), I1(i + 2), I1(i + 3)
#define I16(i) I4(i), I4(i + 4), I4(i + 8), I4(i + 12)
#define I64(i) I16(i), I16(i + 16), I16(i + 32), I16(i + 48)
static const struct json_int small_ints[] = {I1(-1), I64(0), I64(64)};

static struct kt_json *value_alloc(enum kt_json_type type, size_t len, size_t bytes)
{
	if (len > JSON_MAX_LEN)
		kt_bug("a JSON value of %zu parts", len);
	struct kt_json *v = kt_realloc(NULL, sizeof(*v) + bytes);
	v->refs = 1;
	v->info = JSON_INFO(type, len);
	return v;
}

struct kt_json *kt_json_ref(const struct kt_json *v)
{
	struct kt_json *own = json_own(v);
	/* A value with four billion holders stays for good. */
	if (own && own->refs != JSON_IMMORTAL)
		own->refs++;
	return own;
}

void kt_json_free(struct kt_json *v)
{
	if (!v || v->refs == JSON_IMMORTAL || --v->refs)
		return;
	if (json_type(v) == KT_JSON_ARRAY) {
		for (uint32_t i = 0, n = json_len(v); i < n; i++)
			kt_json_free(json_items(v)[i]);
	} else if (json_type(v) == KT_JSON_OBJECT) {
		for (uint32_t i = 0, n = json_len(v); i < n; i++) {
			kt_json_free(json_members(v)[i].key);
			kt_json_free(json_members(v)[i].value);
		}
	}
	kt_free(v);
}

bool kt_json_is_shared(const struct kt_json *v)
{
	return v && v->refs > 1;
}

void kt_json_freep(struct kt_json **slot)
{
	kt_json_free(*slot);
	*slot = NULL;
}

struct kt_json *kt_json_null(void)
{
	return json_own(&null_value);
}

struct kt_json *kt_json_bool(bool b)
{
	return json_own(&bool_values[b]);
}

struct kt_json *json_fresh_scalar(enum kt_json_type type, uint32_t info_len)
{
	return value_alloc(type, info_len, 0);
}

struct kt_json *json_fresh_int(int64_t i)
{
	struct kt_json *v = value_alloc(KT_JSON_INT, 0, sizeof(i));
	memcpy(v + 1, &i, sizeof(i));
	return v;
}

struct kt_json *kt_json_int(int64_t i)
{
	if (i >= -1 && i < (int64_t)KT_COUNT(small_ints) - 1)
		return json_own(&small_ints[i + 1].head);
	return json_fresh_int(i);
}

struct kt_json *kt_json_real(double d)
{
	struct kt_json *v = value_alloc(KT_JSON_REAL, 0, sizeof(d));
	memcpy(v + 1, &d, sizeof(d));
	return v;
}

struct kt_json *json_fresh_string(const char *s, size_t len)
{
	struct kt_json *v = value_alloc(KT_JSON_STRING, len, len + 1);
	char *text = (char *)(v + 1);
	if (len)
		memcpy(text, s, len);
	text[len] = 0;
	return v;
}

struct kt_json *kt_json_strn(const char *s, size_t len)
{
	const struct kt_json *common = len ? json_common_key(s, len) : &empty_string.head;
	return common ? json_own(common) : json_fresh_string(s, len);
}

struct kt_json *kt_json_str(const char *s)
{
	return s ? kt_json_strn(s, strlen(s)) : NULL;
}

struct kt_json *kt_json_strf(const char *fmt, ...)
{
	struct kt_buf buf = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&buf, fmt, ap);
	va_end(ap);
	struct kt_json *v = kt_json_strn(kt_buf_str(&buf), buf.len);
	kt_buf_clear(&buf);
	return v;
}

struct kt_json *kt_json_array(void)
{
	return json_own(&empty_array);
}

struct kt_json *kt_json_object(void)
{
	return json_own(&empty_object);
}

struct kt_json *json_fresh_array(struct kt_json *const *items, size_t count)
{
	struct kt_json *v = value_alloc(KT_JSON_ARRAY, count, count * sizeof(*items));
	if (count)
		memcpy(v + 1, items, count * sizeof(*items));
	return v;
}

struct kt_json *json_fresh_object(const struct json_member *members, size_t count)
{
	struct kt_json *v = value_alloc(KT_JSON_OBJECT, count, count * sizeof(*members));
	if (count)
		memcpy(v + 1, members, count * sizeof(*members));
	return v;
}

struct kt_json *json_array_of(struct kt_json *const *items, size_t count)
{
	return count ? json_fresh_array(items, count) : kt_json_array();
}

struct kt_json *json_object_of(const struct json_member *members, size_t count)
{
	return count ? json_fresh_object(members, count) : kt_json_object();
}

struct kt_json *kt_json_members(const struct kt_json_member *members, size_t count)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		n += members[i].value != NULL;
	if (!n)
		return kt_json_object();
	struct kt_json *v = value_alloc(KT_JSON_OBJECT, n, n * sizeof(struct json_member));
	struct json_member *at = json_members(v);
	for (size_t i = 0; i < count; i++)
		if (members[i].value)
			*at++ = (struct json_member){kt_json_str(members[i].key), members[i].value};
	return v;
}

struct kt_json *json_key(const char *s, size_t len)
{
	return kt_json_strn(s, len);
}

struct kt_json *kt_json_copy(const struct kt_json *v)
{
	if (!v)
		return NULL;
	uint32_t n = json_len(v);
	switch (json_type(v)) {
	case KT_JSON_ARRAY: {
		struct kt_json *copy = json_array_of(json_items(v), n);
		for (uint32_t i = 0; i < n; i++)
			json_items(copy)[i] = kt_json_copy(json_items(v)[i]);
		return copy;
	}
	case KT_JSON_OBJECT: {
		struct kt_json *copy = json_object_of(json_members(v), n);
		for (uint32_t i = 0; i < n; i++) {
			kt_json_ref(json_members(v)[i].key);
			json_members(copy)[i].value = kt_json_copy(json_members(v)[i].value);
		}
		return copy;
	}
	case KT_JSON_STRING:
		return kt_json_strn(json_text(v), n);
	case KT_JSON_INT:
		return kt_json_int(json_int_value(v));
	case KT_JSON_REAL:
		return kt_json_real(json_real_value(v));
	case KT_JSON_NULL:
	case KT_JSON_BOOL:
		break;
	}
	return json_type(v) == KT_JSON_BOOL ? kt_json_bool(n != 0) : kt_json_null();
}

/* --- reading --- */

enum kt_json_type kt_json_type(const struct kt_json *v)
{
	return v ? json_type(v) : KT_JSON_NULL;
}

bool kt_is_object(const struct kt_json *v)
{
	return v && json_type(v) == KT_JSON_OBJECT;
}

bool kt_is_array(const struct kt_json *v)
{
	return v && json_type(v) == KT_JSON_ARRAY;
}

bool kt_is_string(const struct kt_json *v)
{
	return v && json_type(v) == KT_JSON_STRING;
}

size_t kt_count(const struct kt_json *v)
{
	return v && json_type(v) >= KT_JSON_ARRAY ? json_len(v) : 0;
}

const struct kt_json *kt_at(const struct kt_json *v, size_t i)
{
	if (i >= kt_count(v))
		return NULL;
	return json_type(v) == KT_JSON_ARRAY ? json_items(v)[i] : json_members(v)[i].value;
}

const char *kt_key(const struct kt_json *v, size_t i)
{
	return kt_is_object(v) && i < json_len(v) ? json_text(json_members(v)[i].key) : NULL;
}

bool json_text_is(const struct kt_json *string, const char *s, size_t len)
{
	return string->info == JSON_INFO(KT_JSON_STRING, len) && memcmp(json_text(string), s, len) == 0;
}

/* The first bytes of a word and its last ones, up to eight each, as numbers: most words differ there or
 * nowhere. */
struct ends {
	uint64_t first, last;
};

static inline struct ends ends_of(const char *s, size_t len)
{
	struct ends ends = {0, 0};
	if (len >= 8) {
		memcpy(&ends.first, s, 8);
		memcpy(&ends.last, s + len - 8, 8);
	} else if (len >= 4) {
		memcpy(&ends.first, s, 4);
		memcpy(&ends.last, s + len - 4, 4);
	} else if (len) {
		ends.first = (unsigned char)s[0];
		ends.last = (uint64_t)(unsigned char)s[len / 2] << 8 | (unsigned char)s[len - 1];
	}
	return ends;
}

ptrdiff_t json_index(const struct kt_json *object, const char *key, size_t len)
{
	const struct json_member *members = json_members(object);
	const struct ends wanted = ends_of(key, len);
	const uint32_t info = JSON_INFO(KT_JSON_STRING, len);
	for (uint32_t i = 0, n = json_len(object); i < n; i++) {
		const struct kt_json *here = members[i].key;
		if (here->info != info)
			continue;
		struct ends ends = ends_of(json_text(here), len);
		if (ends.first == wanted.first && ends.last == wanted.last &&
		    (len <= 16 || memcmp(json_text(here), key, len) == 0))
			return i;
	}
	return -1;
}

const struct kt_json *kt_get_len(const struct kt_json *v, const char *key, size_t len)
{
	if (!kt_is_object(v))
		return NULL;
	ptrdiff_t i = json_index(v, key, len);
	return i < 0 ? NULL : json_members(v)[i].value;
}

const struct kt_json *kt_path(const struct kt_json *v, const char *path)
{
	size_t len;
	for (const char *step; v && (step = kt_split(&path, '.', &len));) {
		if (kt_is_array(v)) {
			char *end;
			unsigned long i = strtoul(step, &end, 10);
			v = len && *step >= '0' && *step <= '9' && end == step + len ? kt_at(v, i) : NULL;
		} else {
			v = kt_get_len(v, step, len);
		}
	}
	return v;
}

const char *kt_str(const struct kt_json *v)
{
	return kt_is_string(v) ? json_text(v) : NULL;
}

size_t kt_str_len(const struct kt_json *v)
{
	return kt_is_string(v) ? json_len(v) : 0;
}

const char *kt_str_or(const struct kt_json *v, const char *otherwise)
{
	return kt_is_string(v) ? json_text(v) : otherwise;
}

int64_t kt_int_or(const struct kt_json *v, int64_t otherwise)
{
	if (!v)
		return otherwise;
	if (json_type(v) == KT_JSON_INT)
		return json_int_value(v);
	if (json_type(v) == KT_JSON_REAL) {
		double d = json_real_value(v);
		if (d >= -9223372036854775808.0 && d < 9223372036854775808.0 && (double)(int64_t)d >= d &&
		    (double)(int64_t)d <= d)
			return (int64_t)d;
	}
	return otherwise;
}

double kt_real_or(const struct kt_json *v, double otherwise)
{
	if (v && json_type(v) == KT_JSON_REAL)
		return json_real_value(v);
	return v && json_type(v) == KT_JSON_INT ? (double)json_int_value(v) : otherwise;
}

bool kt_bool_or(const struct kt_json *v, bool otherwise)
{
	return v && json_type(v) == KT_JSON_BOOL ? json_len(v) != 0 : otherwise;
}

bool kt_is_whole(const struct kt_json *v)
{
	const char *text = kt_str(v);
	size_t sign = text && *text == '-', len = text ? strlen(text + sign) : 0;
	return text ? len && len < 18 && strspn(text + sign, "0123456789") == len
	            : v && kt_json_type(v) == KT_JSON_INT;
}

int64_t kt_whole_or(const struct kt_json *v, int64_t otherwise)
{
	return kt_str(v) && kt_is_whole(v) ? (int64_t)strtoll(kt_str(v), NULL, 10) : kt_int_or(v, otherwise);
}

const char *kt_get_text(const struct kt_json *v, const char *key)
{
	return kt_str_or(kt_get(v, key), "");
}

bool kt_has_word(const struct kt_json *list, const char *word)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, list)
		if (kt_streq(kt_str(item), word))
			return true;
	return false;
}

const char *kt_path_str(const struct kt_json *v, const char *path)
{
	return kt_str(kt_path(v, path));
}

int64_t kt_path_int(const struct kt_json *v, const char *path, int64_t otherwise)
{
	return kt_int_or(kt_path(v, path), otherwise);
}

bool kt_path_bool(const struct kt_json *v, const char *path, bool otherwise)
{
	return kt_bool_or(kt_path(v, path), otherwise);
}

ptrdiff_t kt_find(const struct kt_json *array, const char *key, const char *value)
{
	if (!kt_is_array(array) || !key || !value)
		return -1;
	size_t key_len = strlen(key), len = strlen(value);
	for (uint32_t i = 0, n = json_len(array); i < n; i++) {
		const struct kt_json *member = kt_get_len(json_items(array)[i], key, key_len);
		if (member && json_text_is(member, value, len))
			return i;
	}
	return -1;
}

/* --- equality --- */

static bool equal_numbers(const struct kt_json *a, const struct kt_json *b)
{
	if (json_type(a) == KT_JSON_INT && json_type(b) == KT_JSON_INT)
		return json_int_value(a) == json_int_value(b);
	if (json_type(a) == KT_JSON_REAL && json_type(b) == KT_JSON_REAL)
		return json_real_value(a) >= json_real_value(b) && json_real_value(a) <= json_real_value(b);
	const struct kt_json *i = json_type(a) == KT_JSON_INT ? a : b, *r = i == a ? b : a;
	int64_t n = json_int_value(i);
	return kt_int_or(r, n == 0 ? 1 : 0) == n;
}

static int by_key(const void *a, const void *b)
{
	const struct json_member *x = a, *y = b;
	return strcmp(json_text(x->key), json_text(y->key));
}

static bool same_key(const struct json_member *a, const struct json_member *b)
{
	return a->key == b->key || json_text_is(a->key, json_text(b->key), json_len(b->key));
}

/* Large objects in another order: compare them sorted, or somebody's million keys take a million squared. */
static bool equal_sorted(const struct kt_json *a, const struct kt_json *b)
{
	size_t n = json_len(a), bytes = n * sizeof(struct json_member);
	struct json_member *x = kt_alloc(2 * bytes), *y = x + n;
	memcpy(x, json_members(a), bytes);
	memcpy(y, json_members(b), bytes);
	qsort(x, n, sizeof(*x), by_key);
	qsort(y, n, sizeof(*y), by_key);
	bool equal = true;
	for (size_t i = 0; equal && i < n; i++)
		equal = same_key(&x[i], &y[i]) && kt_equal(x[i].value, y[i].value);
	kt_free(x);
	return equal;
}

static bool equal_objects(const struct kt_json *a, const struct kt_json *b)
{
	enum { SMALL = 32 };
	const struct json_member *x = json_members(a), *y = json_members(b);
	uint32_t n = json_len(a);
	for (uint32_t i = 0; i < n; i++) {
		const struct json_member *other = &y[i];
		if (!same_key(&x[i], other)) {
			if (n > SMALL)
				return equal_sorted(a, b);
			ptrdiff_t at = json_index(b, json_text(x[i].key), json_len(x[i].key));
			if (at < 0)
				return false;
			other = &y[at];
		}
		if (!kt_equal(x[i].value, other->value))
			return false;
	}
	return true;
}

bool kt_equal(const struct kt_json *a, const struct kt_json *b)
{
	if (a == b)
		return true;
	enum kt_json_type type = kt_json_type(a), other = kt_json_type(b);
	bool number = type == KT_JSON_INT || type == KT_JSON_REAL;
	if (number && (other == KT_JSON_INT || other == KT_JSON_REAL))
		return equal_numbers(a, b);
	if (type != other)
		return false;
	if (type == KT_JSON_NULL)
		return true;
	if (json_len(a) != json_len(b))
		return false;
	if (type == KT_JSON_STRING)
		return memcmp(json_text(a), json_text(b), json_len(a)) == 0;
	if (type == KT_JSON_ARRAY) {
		for (uint32_t i = 0, n = json_len(a); i < n; i++)
			if (!kt_equal(json_items(a)[i], json_items(b)[i]))
				return false;
	}
	return type != KT_JSON_OBJECT || equal_objects(a, b);
}
