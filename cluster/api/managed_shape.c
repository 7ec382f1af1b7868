/* SPDX-License-Identifier: MIT */
/* The shape of a value: all of it that says which fields it sets. Names of members, keys of list items, what
 * is there and what is not; not what stands in them. Two values of a shape set the same fields. */
#include "cluster/api/managed_internal.h"

#include <string.h>

static bool is_container(const struct kt_json *v)
{
	return kt_is_object(v) || kt_is_array(v);
}

/* null, "", 0, false: of a field that is always printed they are no change. */
static bool is_zero(const struct kt_json *v)
{
	switch (kt_json_type(v)) {
	case KT_JSON_NULL:
		return true;
	case KT_JSON_STRING:
		return kt_str_len(v) == 0;
	case KT_JSON_BOOL:
		return !kt_bool_or(v, false);
	default:
		return kt_real_or(v, 1) == 0;
	}
}

static bool same_scalars(const struct kt_json *a, const struct kt_json *b)
{
	return (kt_json_type(a) == KT_JSON_NULL) == (kt_json_type(b) == KT_JSON_NULL) &&
	       is_zero(a) == is_zero(b);
}

static bool same_items(const struct managed_at *at, const struct kt_json *a, const struct kt_json *b)
{
	struct managed_at below = managed_at_item(at);
	for (size_t i = 0, n = kt_count(a); i < n; i++)
		if (!managed_same_element(at, kt_at(a, i), kt_at(b, i)) ||
		    !managed_same_shape(&below, kt_at(a, i), kt_at(b, i)))
			return false;
	return true;
}

static bool same_members(const struct managed_at *at, const struct kt_json *a, const struct kt_json *b)
{
	for (size_t i = 0, n = kt_count(a); i < n; i++) {
		const char *key = kt_key(a, i), *other = kt_key(b, i);
		const struct kt_json *x = kt_at(a, i), *y = kt_at(b, i);
		if (key != other && strcmp(key, other) != 0)
			return false;
		if (x == y)
			continue;
		if (!is_container(x) && !is_container(y)) {
			if (!same_scalars(x, y))
				return false;
			continue;
		}
		struct managed_at below = managed_at_member(at, key);
		if (!managed_same_shape(&below, x, y))
			return false;
	}
	return true;
}

bool managed_same_shape(const struct managed_at *at, const struct kt_json *a, const struct kt_json *b)
{
	if (a == b)
		return true;
	if (!is_container(a) && !is_container(b))
		return same_scalars(a, b);
	if (kt_json_type(a) != kt_json_type(b))
		return false;
	if (managed_is_map(at, a))
		return kt_count(a) == kt_count(b) && same_members(at, a, b);
	if (managed_is_list(at, a))
		return kt_count(a) == kt_count(b) && same_items(at, a, b);
	return true; /* one value, whatever is in it */
}

/* Cheap, and different for most that differ: the names of the members, here and one below. */
uint64_t managed_shape_hash(const struct kt_json *value)
{
	uint64_t hash = kt_count(value);
	for (size_t i = 0, n = kt_count(value); i < n; i++) {
		const struct kt_json *below = kt_at(value, i);
		const char *key = kt_is_object(value) ? kt_key(value, i) : "";
		hash = (hash ^ (unsigned char)key[0] ^ kt_count(below) << 8) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	return hash;
}
