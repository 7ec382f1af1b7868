/* SPDX-License-Identifier: MIT */
/* CEL's types: those that have a name, how they are written, and how signatures of functions name them. */
#include "cluster/cel/cel_internal.h"

#include <string.h>

#define SIMPLE(symbol, of) const struct cel_type symbol = {.kind = (of), .least = 1}
SIMPLE(cel_dyn, CEL_DYN);
SIMPLE(cel_bool, CEL_BOOL);
SIMPLE(cel_int, CEL_INT);
SIMPLE(cel_double, CEL_DOUBLE);
SIMPLE(cel_string, CEL_STRING);
SIMPLE(cel_bytes, CEL_BYTES);
const struct cel_type cel_authorizer = {.kind = CEL_STRUCT, .name = "kubernetes.authorization.Authorizer"};

#define SIMPLE_TYPE(of)                                                                                      \
	{                                                                                                    \
		.kind = (of)                                                                                 \
	}
#define NAMED_TYPE(text)                                                                                     \
	{                                                                                                    \
		.kind = CEL_STRUCT, .name = (text)                                                           \
	}
static const struct {
	const char *name, *alias;
	struct cel_type type;
} named[] = {
        {"bool", "google.protobuf.BoolValue", SIMPLE_TYPE(CEL_BOOL)},
        {"int", "google.protobuf.Int64Value", SIMPLE_TYPE(CEL_INT)},
        {"uint", "google.protobuf.UInt64Value", SIMPLE_TYPE(CEL_UINT)},
        {"double", "google.protobuf.DoubleValue", SIMPLE_TYPE(CEL_DOUBLE)},
        {"string", "google.protobuf.StringValue", SIMPLE_TYPE(CEL_STRING)},
        {"bytes", "google.protobuf.BytesValue", SIMPLE_TYPE(CEL_BYTES)},
        {"dyn", "google.protobuf.Value", SIMPLE_TYPE(CEL_DYN)},
        {"null_type", "google.protobuf.NullValue", SIMPLE_TYPE(CEL_NULL)},
        {"google.protobuf.Duration", "duration", SIMPLE_TYPE(CEL_DURATION)},
        {"google.protobuf.Timestamp", "timestamp", SIMPLE_TYPE(CEL_TIMESTAMP)},
        {"type", "type", SIMPLE_TYPE(CEL_TYPE)},
        {"net.IP", "IP", {.kind = CEL_OPAQUE, .name = "net.IP"}},
        {"net.CIDR", "CIDR", {.kind = CEL_OPAQUE, .name = "net.CIDR"}},
        {"kubernetes.Quantity", "Quantity", NAMED_TYPE("kubernetes.Quantity")},
        {"kubernetes.URL", "URL", NAMED_TYPE("kubernetes.URL")},
        {"kubernetes.Semver", "Semver", NAMED_TYPE("kubernetes.Semver")},
        {"kubernetes.NamedFormat", "Format", NAMED_TYPE("kubernetes.NamedFormat")},
        {"kubernetes.authorization.Authorizer", "Authorizer",
         NAMED_TYPE("kubernetes.authorization.Authorizer")},
        {"kubernetes.authorization.PathCheck", "PathCheck", NAMED_TYPE("kubernetes.authorization.PathCheck")},
        {"kubernetes.authorization.GroupCheck", "GroupCheck",
         NAMED_TYPE("kubernetes.authorization.GroupCheck")},
        {"kubernetes.authorization.ResourceCheck", "ResourceCheck",
         NAMED_TYPE("kubernetes.authorization.ResourceCheck")},
        {"kubernetes.authorization.Decision", "Decision", NAMED_TYPE("kubernetes.authorization.Decision")},
};

static const struct cel_type *by_name(const char *name, size_t len)
{
	for (size_t i = 0; i < KT_COUNT(named); i++)
		if ((strlen(named[i].name) == len && memcmp(named[i].name, name, len) == 0) ||
		    (strlen(named[i].alias) == len && memcmp(named[i].alias, name, len) == 0))
			return &named[i].type;
	return NULL;
}

const struct cel_type *cel_named_type(const char *name)
{
	static const struct cel_type list = {.kind = CEL_LIST, .args = {&cel_dyn, NULL}},
	                             map = {.kind = CEL_MAP, .args = {&cel_dyn, &cel_dyn}};
	if (strcmp(name, "list") == 0)
		return &list;
	if (strcmp(name, "map") == 0)
		return &map;
	/* The short names are those of signatures only. */
	for (size_t i = 0; i < KT_COUNT(named); i++)
		if (strcmp(named[i].name, name) == 0 ||
		    (kt_starts(name, "google.") && strcmp(named[i].alias, name) == 0))
			return &named[i].type;
	return NULL;
}

static struct cel_type *new_type(struct kt_arena *arena, enum cel_kind kind, const char *name,
                                 const struct cel_type *a, const struct cel_type *b)
{
	struct cel_type *type = kt_arena_alloc(arena, sizeof(*type));
	*type = (struct cel_type){.kind = kind, .name = name, .args = {a, b}, .least = 2};
	return type;
}

const struct cel_type *cel_list_of(struct kt_arena *arena, const struct cel_type *item)
{
	return new_type(arena, CEL_LIST, NULL, item, NULL);
}

const struct cel_type *cel_map_of(struct kt_arena *arena, const struct cel_type *key,
                                  const struct cel_type *value)
{
	return new_type(arena, CEL_MAP, NULL, key, value);
}

const struct cel_type *cel_optional_of(struct kt_arena *arena, const struct cel_type *value)
{
	return new_type(arena, CEL_OPAQUE, "optional_type", value, NULL);
}

const struct cel_type *cel_type_copy(struct kt_arena *arena, const struct cel_type *type)
{
	if (!type || type->kind == CEL_STRUCT)
		return type;
	struct cel_type *copy = kt_arena_alloc(arena, sizeof(*copy));
	*copy = *type;
	copy->args[0] = cel_type_copy(arena, type->args[0]);
	copy->args[1] = cel_type_copy(arena, type->args[1]);
	return copy;
}

bool cel_is_optional(const struct cel_type *type)
{
	return type->kind == CEL_OPAQUE && strcmp(type->name, "optional_type") == 0;
}

const struct cel_type *cel_field_type(const struct cel_type *type, const char *name)
{
	for (size_t i = 0; i < type->field_count; i++)
		if (strcmp(type->fields[i].name, name) == 0)
			return type->fields[i].type;
	return type->find ? type->find(type->arg, type->of, name) : NULL;
}

/* "list(A)", "map(string,dyn)", "optional(A)", "string": `*at` moves behind it. Parameters A, B … are
 * numbered from `first_param`. */
const struct cel_type *cel_type_parse(struct kt_arena *arena, const char **at, unsigned first_param)
{
	const char *s = *at;
	size_t n = strcspn(s, "(),.");
	const struct cel_type *a = NULL, *b = NULL, *found;
	*at = s + n;
	if (n == 1 && *s >= 'A' && *s <= 'Z') {
		struct cel_type *param = new_type(arena, CEL_PARAM, NULL, NULL, NULL);
		param->number = first_param + (unsigned)(*s - 'A');
		return param;
	}
	if (**at == '(') {
		(*at)++;
		a = cel_type_parse(arena, at, first_param);
		if (**at == ',') {
			(*at)++;
			b = cel_type_parse(arena, at, first_param);
		}
		(*at)++;
		return kt_starts(s, "list(")   ? cel_list_of(arena, a)
		       : kt_starts(s, "map(")  ? cel_map_of(arena, a, b)
		       : kt_starts(s, "type(") ? new_type(arena, CEL_TYPE, NULL, a, NULL)
		                               : cel_optional_of(arena, a);
	}
	found = by_name(s, n);
	if (!found)
		kt_bug("cel: a signature names the unknown type '%.*s'", (int)n, s);
	return found;
}

static const char *const words[] = {[CEL_ERROR] = "!error!",
                                    [CEL_DYN] = "dyn",
                                    [CEL_NULL] = "null",
                                    [CEL_BOOL] = "bool",
                                    [CEL_INT] = "int",
                                    [CEL_UINT] = "uint",
                                    [CEL_DOUBLE] = "double",
                                    [CEL_STRING] = "string",
                                    [CEL_BYTES] = "bytes",
                                    [CEL_DURATION] = "duration",
                                    [CEL_TIMESTAMP] = "timestamp",
                                    [CEL_LIST] = "list",
                                    [CEL_MAP] = "map",
                                    [CEL_TYPE] = "type",
                                    [CEL_STRUCT] = NULL,
                                    [CEL_OPAQUE] = NULL,
                                    [CEL_PARAM] = "_var"};
/* Those whose names at run time are others. */
static const char *const run_words[KT_COUNT(words)] = {[CEL_NULL] = "null_type",
                                                       [CEL_DURATION] = "google.protobuf.Duration",
                                                       [CEL_TIMESTAMP] = "google.protobuf.Timestamp"};

const char *cel_kind_name(enum cel_kind kind)
{
	return run_words[kind] ? run_words[kind] : words[kind];
}

static void print_type(const struct cel_type *type, bool names, struct kt_buf *out)
{
	const char *word = names ? cel_kind_name(type->kind) : words[type->kind];
	if (type->kind == CEL_DYN && type->name)
		word = names ? type->name : "any";
	if (!word)
		word = type->name;
	if (word)
		kt_buf_adds(out, word);
	if (type->kind == CEL_PARAM)
		kt_buf_addf(out, "%u", type->number);
	if (!type->args[0])
		return;
	kt_buf_addc(out, '(');
	print_type(type->args[0], names, out);
	if (type->args[1]) {
		kt_buf_adds(out, ", ");
		print_type(type->args[1], names, out);
	}
	kt_buf_addc(out, ')');
}

void cel_type_print(const struct cel_type *type, struct kt_buf *out)
{
	print_type(type, false, out);
}

void cel_type_print_names(const struct cel_type *type, struct kt_buf *out)
{
	print_type(type, true, out);
}

bool cel_type_is(const struct cel_type *a, const struct cel_type *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->kind != b->kind || a->number != b->number || !kt_streq(a->name, b->name))
		return false;
	return cel_type_is(a->args[0], b->args[0]) && cel_type_is(a->args[1], b->args[1]);
}
