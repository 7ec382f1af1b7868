/* SPDX-License-Identifier: MIT */
/* CEL's values: those that a run makes live in its arena; JSON that was given is looked into where it lies,
 * as the type says that it was declared with. */
#include "cluster/cel/cel_internal.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

struct cel_value cel_fault(struct cel_run *run, const char *fmt, ...)
{
	struct cel_value value = {.kind = CEL_ERROR};
	struct kt_buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	value.s = kt_arena_strdup(&run->arena, kt_buf_str(&text));
	value.len = text.len;
	kt_buf_clear(&text);
	return value;
}

struct cel_value cel_no_overload(struct cel_run *run)
{
	return cel_fault(run, "no such overload");
}

struct cel_value cel_of_bool(bool b)
{
	return (struct cel_value){.kind = CEL_BOOL, .b = b};
}

struct cel_value cel_of_int(int64_t i)
{
	return (struct cel_value){.kind = CEL_INT, .i = i};
}

struct cel_value cel_of_text(struct cel_run *run, const char *s, size_t len)
{
	struct cel_value value = {.kind = CEL_STRING};
	char *copy = kt_arena_alloc(&run->arena, len + 1);
	memcpy(copy, s, len);
	value.s = copy;
	value.len = len;
	return value;
}

struct cel_value cel_of_list(struct cel_run *run, size_t count)
{
	struct cel_value value = {.kind = CEL_LIST};
	value.list = kt_arena_alloc(&run->arena, sizeof(*value.list));
	value.list->items = kt_arena_alloc(&run->arena, (count + 1) * sizeof(struct cel_value));
	for (size_t i = 0; i < count; i++)
		value.list->items[i].kind = CEL_NULL;
	value.list->count = value.list->cap = value.count = count;
	return value;
}

struct cel_value cel_of_optional(struct cel_run *run, const struct cel_value *inner)
{
	struct cel_value value = {.kind = CEL_OPAQUE}, *copy = NULL;
	static const struct cel_type type = {
	        .kind = CEL_OPAQUE, .name = "optional_type", .args = {&cel_dyn, NULL}};
	if (inner) {
		copy = kt_arena_alloc(&run->arena, sizeof(*copy));
		*copy = *inner;
	}
	value.inner = copy;
	value.as = &type;
	return value;
}

static struct cel_value text_as(struct cel_run *run, const struct kt_json *json, const struct cel_type *as)
{
	struct cel_value value = {.kind = CEL_STRING, .s = kt_str(json), .len = kt_str_len(json)};
	struct kt_buf bytes = {0};
	kt_ns ns;
	if (!as || as->kind == CEL_STRING || as->kind == CEL_DYN)
		return value;
	if (as->kind == CEL_DURATION && kt_duration_parse(value.s, &ns)) {
		value.kind = CEL_DURATION;
		value.i = ns;
	} else if (as->kind == CEL_TIMESTAMP) {
		char *whole = value.len == 10 ? kt_arena_strf(&run->arena, "%sT00:00:00Z", value.s) : NULL;
		if (!kt_time_parse(whole ? whole : value.s, &ns))
			return cel_fault(run, "Invalid date string");
		value.kind = CEL_TIMESTAMP;
		value.i = ns;
	} else if (as->kind == CEL_BYTES && kt_unbase64(value.s, value.len, &bytes)) {
		value = cel_of_text(run, kt_buf_str(&bytes), bytes.len);
		value.kind = CEL_BYTES;
	}
	kt_buf_clear(&bytes);
	return value;
}

struct cel_value cel_of_json(struct cel_run *run, const struct kt_json *json, const struct cel_type *as)
{
	struct cel_value value = {.kind = CEL_NULL, .json = json, .as = as};
	if (as && cel_is_optional(as)) {
		struct cel_value inner = cel_of_json(run, json, as->args[0]);
		return cel_of_optional(run, json ? &inner : NULL);
	}
	switch (kt_json_type(json)) {
	case KT_JSON_NULL:
		return value;
	case KT_JSON_BOOL:
		return cel_of_bool(kt_bool_or(json, false));
	case KT_JSON_INT:
		if (as && as->kind == CEL_DOUBLE)
			return (struct cel_value){.kind = CEL_DOUBLE, .d = kt_real_or(json, 0)};
		return cel_of_int(kt_int_or(json, 0));
	case KT_JSON_REAL:
		if (as && as->kind == CEL_INT)
			return cel_of_int(kt_int_or(json, 0));
		return (struct cel_value){.kind = CEL_DOUBLE, .d = kt_real_or(json, 0)};
	case KT_JSON_STRING:
		return text_as(run, json, as);
	case KT_JSON_ARRAY:
		value.kind = CEL_LIST;
		break;
	case KT_JSON_OBJECT:
		value.kind = as && as->kind == CEL_STRUCT ? CEL_STRUCT : CEL_MAP;
		break;
	}
	value.count = kt_count(json);
	return value;
}

/* --- what they contain --- */

size_t cel_count(const struct cel_value *value)
{
	return value->list && !value->json ? value->count : kt_count(value->json);
}

static const struct cel_type *part_type(const struct cel_value *of, size_t which)
{
	return of->as && (of->as->kind == CEL_LIST || of->as->kind == CEL_MAP) ? of->as->args[which] : NULL;
}

struct cel_value cel_item(struct cel_run *run, const struct cel_value *list, size_t i)
{
	if (!list->json)
		return list->list->items[i];
	return cel_of_json(run, kt_at(list->json, i), part_type(list, 0));
}

static const char *field_name(const struct cel_value *of, const char *key)
{
	for (size_t i = 0; of->kind == CEL_STRUCT && i < of->as->field_count; i++)
		if (strcmp(of->as->fields[i].key, key) == 0)
			return of->as->fields[i].name;
	return key;
}

struct cel_value cel_key(struct cel_run *run, const struct cel_value *map, size_t i)
{
	if (!map->json)
		return map->list->items[2 * i];
	const char *key = field_name(map, kt_key(map->json, i));
	(void)run;
	return (struct cel_value){.kind = CEL_STRING, .s = key, .len = strlen(key)};
}

static struct cel_value json_member(struct cel_run *run, const struct cel_value *map, const char *name,
                                    bool *found)
{
	const struct cel_type *type = part_type(map, 1);
	const struct kt_json *json = NULL;
	if (map->kind == CEL_STRUCT) {
		type = cel_field_type(map->as, name);
		for (size_t i = 0; i < map->as->field_count; i++)
			if (strcmp(map->as->fields[i].name, name) == 0)
				json = kt_get(map->json, map->as->fields[i].key);
		if (map->as->field_count == 0)
			json = kt_get(map->json, name);
	} else {
		json = kt_get(map->json, name);
	}
	*found = json != NULL;
	return cel_of_json(run, json, type);
}

struct cel_value cel_member(struct cel_run *run, const struct cel_value *map, size_t i)
{
	bool found;
	if (!map->json)
		return map->list->items[2 * i + 1];
	return json_member(run, map, field_name(map, kt_key(map->json, i)), &found);
}

bool cel_find(struct cel_run *run, const struct cel_value *map, const struct cel_value *key,
              struct cel_value *out)
{
	bool found = false;
	if (map->json) {
		if (key->kind == CEL_STRING && strlen(key->s) == key->len)
			*out = json_member(run, map, key->s, &found);
		return found;
	}
	for (size_t i = 0; i < map->count; i++) {
		if (!cel_same(run, &map->list->items[2 * i], key))
			continue;
		*out = map->list->items[2 * i + 1];
		return true;
	}
	return false;
}

/* Joined lists share what they have while there is room behind it that nobody took. */
struct cel_value cel_append(struct cel_run *run, const struct cel_value *list, const struct cel_value *more)
{
	size_t n = cel_count(list), m = cel_count(more);
	struct cel_value out = *list;
	if (list->json || list->list->count != n || list->list->cap < n + m) {
		out = cel_of_list(run, n + m > 8 ? 2 * (n + m) : 8);
		for (size_t i = 0; i < n; i++)
			out.list->items[i] = cel_item(run, list, i);
		out.list->cap = out.list->count;
	}
	for (size_t i = 0; i < m; i++)
		out.list->items[n + i] = cel_item(run, more, i);
	out.list->count = out.count = n + m;
	return out;
}

/* --- comparing --- */

static bool is_number(const struct cel_value *v)
{
	return v->kind == CEL_INT || v->kind == CEL_UINT || v->kind == CEL_DOUBLE;
}

static double real(const struct cel_value *v)
{
	return v->kind == CEL_INT ? (double)v->i : v->kind == CEL_UINT ? (double)v->u : v->d;
}

bool cel_order(const struct cel_value *a, const struct cel_value *b, int *out)
{
	if (is_number(a) && is_number(b)) {
		if (a->kind == CEL_INT && b->kind == CEL_INT)
			*out = a->i < b->i ? -1 : a->i > b->i;
		else if (a->kind == CEL_UINT && b->kind == CEL_UINT)
			*out = a->u < b->u ? -1 : a->u > b->u;
		else
			*out = real(a) < real(b) ? -1 : real(a) > real(b);
		return true;
	}
	if (a->kind != b->kind)
		return false;
	if (a->kind == CEL_BOOL) {
		*out = (int)a->b - (int)b->b;
	} else if (a->kind == CEL_DURATION || a->kind == CEL_TIMESTAMP) {
		*out = a->i < b->i ? -1 : a->i > b->i;
	} else if (a->kind == CEL_STRING || a->kind == CEL_BYTES) {
		size_t n = a->len < b->len ? a->len : b->len;
		*out = memcmp(a->s, b->s, n);
		if (*out == 0)
			*out = a->len < b->len ? -1 : a->len > b->len;
	} else {
		return false;
	}
	return true;
}

static bool same_map(struct cel_run *run, const struct cel_value *a, const struct cel_value *b)
{
	size_t n = cel_count(a);
	if (n != cel_count(b))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct cel_value key = cel_key(run, a, i), mine = cel_member(run, a, i), other;
		if (!cel_find(run, b, &key, &other) || !cel_same(run, &mine, &other))
			return false;
	}
	return true;
}

static bool same_opaque(struct cel_run *run, const struct cel_value *a, const struct cel_value *b)
{
	if (a->as && cel_is_optional(a->as))
		return a->inner && b->inner ? cel_same(run, a->inner, b->inner) : a->inner == b->inner;
	if (a->opaque->what != b->opaque->what)
		return false;
	if (a->opaque->what == CEL_QUANTITY)
		return kt_quantity_compare(a->opaque->text, b->opaque->text) == 0;
	if (a->opaque->what == CEL_IP || a->opaque->what == CEL_CIDR)
		return a->opaque->family == b->opaque->family && a->opaque->bits == b->opaque->bits &&
		       memcmp(a->opaque->address, b->opaque->address, 16) == 0;
	if (a->opaque->what == CEL_SEMVER)
		return memcmp(a->opaque->numbers, b->opaque->numbers, sizeof(a->opaque->numbers)) == 0 &&
		       kt_streq(a->opaque->rest, b->opaque->rest);
	return kt_streq(a->opaque->text, b->opaque->text);
}

bool cel_same(struct cel_run *run, const struct cel_value *a, const struct cel_value *b)
{
	int order;
	bool maps = (a->kind == CEL_MAP || a->kind == CEL_STRUCT) &&
	            (b->kind == CEL_MAP || b->kind == CEL_STRUCT);
	run->cost++;
	if (is_number(a) && is_number(b) && (isnan(real(a)) || isnan(real(b))))
		return false;
	if (cel_order(a, b, &order))
		return order == 0;
	if (maps && !(a->kind == CEL_STRUCT && !a->json) && !(b->kind == CEL_STRUCT && !b->json))
		return same_map(run, a, b);
	if (a->kind != b->kind)
		return false;
	if (a->kind == CEL_NULL)
		return true;
	if (a->kind == CEL_TYPE)
		return a->type->kind == b->type->kind && kt_streq(a->type->name, b->type->name);
	if (a->kind == CEL_OPAQUE || a->kind == CEL_STRUCT)
		return same_opaque(run, a, b);
	if (a->kind != CEL_LIST || cel_count(a) != cel_count(b))
		return false;
	for (size_t i = 0; i < cel_count(a); i++) {
		struct cel_value x = cel_item(run, a, i), y = cel_item(run, b, i);
		if (!cel_same(run, &x, &y))
			return false;
	}
	return true;
}

const struct cel_type *cel_type_of(const struct cel_value *value)
{
	bool any = value->kind == CEL_ERROR || value->kind == CEL_PARAM;
	const char *name = cel_kind_name(any ? CEL_DYN : value->kind);
	return name ? cel_named_type(name) : value->as;
}

struct kt_json *cel_to_json(struct cel_run *run, const struct cel_value *value)
{
	struct kt_buf text = {0};
	struct kt_json *out = NULL;
	switch (value->kind) {
	case CEL_BOOL:
		return kt_json_bool(value->b);
	case CEL_INT:
		return kt_json_int(value->i);
	case CEL_UINT:
		return kt_json_int(value->u > INT64_MAX ? INT64_MAX : (int64_t)value->u);
	case CEL_DOUBLE:
		return kt_json_real(value->d);
	case CEL_STRING:
		return kt_json_strn(value->s, value->len);
	case CEL_BYTES:
		kt_base64(value->s, value->len, &text);
		break;
	case CEL_DURATION:
		kt_duration_print(value->i, &text);
		break;
	case CEL_TIMESTAMP:
		kt_time_print(value->i, &text);
		break;
	case CEL_LIST:
		out = kt_json_array();
		for (size_t i = 0; i < cel_count(value); i++) {
			struct cel_value item = cel_item(run, value, i);
			kt_push(&out, cel_to_json(run, &item));
		}
		return out;
	case CEL_MAP:
		if (value->json)
			return kt_json_ref(value->json);
		out = kt_json_object();
		for (size_t i = 0; i < value->count; i++) {
			const struct cel_value *key = &value->list->items[2 * i];
			if (key->kind == CEL_STRING)
				kt_set(&out, key->s, cel_to_json(run, &value->list->items[2 * i + 1]));
		}
		return out;
	case CEL_OPAQUE:
		if (value->as && cel_is_optional(value->as))
			return value->inner ? cel_to_json(run, value->inner) : kt_json_null();
		return value->opaque ? kt_json_str(value->opaque->text) : kt_json_null();
	case CEL_STRUCT:
		return value->json ? kt_json_ref(value->json) : kt_json_null();
	default:
		return kt_json_null();
	}
	out = kt_json_strn(kt_buf_str(&text), text.len);
	kt_buf_clear(&text);
	return out;
}
