/* SPDX-License-Identifier: MIT */
/* How a JSON value lies in memory: one allocation, a head of eight bytes, then what the type needs.
 *
 *   int, real   8 bytes            string   len bytes and a NUL
 *   array       items              object   members {key, value}, keys being strings nodes shared by many
 *
 * There is no room for a capacity: it follows from the length (json_capacity). `true`, `false`, `null`, small
 * integers, the empty containers and common keys lie in read-only memory and are never counted. */
#ifndef KT_JSON_INTERNAL_H
#define KT_JSON_INTERNAL_H

#include "base/json.h"

struct kt_json {
	uint32_t refs; /* JSON_IMMORTAL: never counted, never written */
	uint32_t info; /* length << 3 | type; of a bool the length is its value */
};
struct json_int {
	struct kt_json head;
	int64_t value;
};
struct json_real {
	struct kt_json head;
	double value;
};
struct json_member {
	struct kt_json *key;
	struct kt_json *value; /* NULL only between kt_edit and its filling */
};

#define JSON_IMMORTAL        UINT32_MAX
#define JSON_MAX_LEN         (UINT32_MAX >> 3)
#define JSON_INFO(type, len) ((uint32_t)(len) << 3 | (uint32_t)(type))

static inline enum kt_json_type json_type(const struct kt_json *v)
{
	return (enum kt_json_type)(v->info & 7);
}

static inline uint32_t json_len(const struct kt_json *v)
{
	return v->info >> 3;
}

/* The value as one of its holders may change it. */
static inline struct kt_json *json_own(const struct kt_json *v)
{
	return (struct kt_json *)(uintptr_t)v;
}

static inline const char *json_text(const struct kt_json *v)
{
	return (const char *)(v + 1);
}

static inline struct kt_json **json_items(const struct kt_json *v)
{
	return (struct kt_json **)((uintptr_t)v + sizeof(*v));
}

static inline struct json_member *json_members(const struct kt_json *v)
{
	return (struct json_member *)((uintptr_t)v + sizeof(*v));
}

static inline int64_t json_int_value(const struct kt_json *v)
{
	return ((const struct json_int *)(const void *)v)->value;
}

static inline double json_real_value(const struct kt_json *v)
{
	return ((const struct json_real *)(const void *)v)->value;
}

/* A value with an address of its own, never a static one. */
struct kt_json *json_fresh_scalar(enum kt_json_type type, uint32_t info_len);
struct kt_json *json_fresh_int(int64_t i);
struct kt_json *json_fresh_string(const char *s, size_t len);
struct kt_json *json_fresh_array(struct kt_json *const *items, size_t count); /* takes the items */
struct kt_json *json_fresh_object(const struct json_member *members,
                                  size_t count); /* takes keys and values */
/* The same, static where it is empty. */
struct kt_json *json_array_of(struct kt_json *const *items, size_t count);
struct kt_json *json_object_of(const struct json_member *members, size_t count);

/* A key: a common one from the table in json_keys.c, else a new string. */
struct kt_json *json_key(const char *s, size_t len);
const struct kt_json *json_common_key(const char *s, size_t len); /* NULL if it is none */
bool json_text_is(const struct kt_json *string, const char *s, size_t len);
/* Index of the member, or -1. */
ptrdiff_t json_index(const struct kt_json *object, const char *key, size_t len);

/* A number's text as Go reads it into interface{} or int64; false if it is beyond a double. */
bool json_number(const char *s, size_t len, struct kt_json **out);
/* As Go's encoding/json prints a float64. */
void json_print_real(double d, struct kt_buf *out);
/* The fewest digits that read back as the finite number d: d.ddd * 10^exponent, without the sign; returns how
 * many. */
enum { JSON_DIGITS = 24 };
size_t json_shortest(double d, char digits[JSON_DIGITS], long *exponent);
void json_print_int(int64_t i, struct kt_buf *out);

#endif
