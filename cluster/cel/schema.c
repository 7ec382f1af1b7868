/* SPDX-License-Identifier: MIT */
/* From a structural schema to CEL's types, with the sizes that bound what rules may cost (apiserver
 * pkg/cel/common schemas.go, pkg/cel/escaping.go, limits.go). */
#include "cluster/cel/cel_internal.h"

#include <string.h>

#define MAX_REQUEST (3 * 1024 * 1024) /* bytes of a request: DefaultMaxRequestSizeBytes */

struct sizes {
	struct kt_arena *arena;
};

bool cel_escape(const char *key, struct kt_buf *out)
{
	static const char *const reserved[] = {"true",   "false",    "null", "in",      "as",        "break",
	                                       "const",  "continue", "else", "for",     "function",  "if",
	                                       "import", "let",      "loop", "package", "namespace", "return",
	                                       "var",    "void",     "while"};
	if (!*key || (*key >= '0' && *key <= '9'))
		return false;
	for (size_t i = 0; i < KT_COUNT(reserved); i++) {
		if (strcmp(key, reserved[i]) == 0) {
			kt_buf_addf(out, "__%s__", key);
			return true;
		}
	}
	for (const char *s = key; *s; s++) {
		bool plain = (*s >= '0' && *s <= '9') || ((*s | 32) >= 'a' && (*s | 32) <= 'z') || *s == '_';
		if (s[0] == '_' && s[1] == '_') {
			kt_buf_adds(out, "__underscores__");
			s++;
		} else if (plain) {
			kt_buf_addc(out, *s);
		} else if (*s == '.') {
			kt_buf_adds(out, "__dot__");
		} else if (*s == '-') {
			kt_buf_adds(out, "__dash__");
		} else if (*s == '/') {
			kt_buf_adds(out, "__slash__");
		} else {
			return false;
		}
	}
	return true;
}

static struct cel_type *new_type(struct kt_arena *arena, enum cel_kind kind, uint64_t most, int64_t least)
{
	struct cel_type *type = kt_arena_alloc(arena, sizeof(*type));
	type->kind = kind;
	type->most = most;
	type->least = least;
	return type;
}

static bool limit(const struct kt_json *schema, const char *name, uint64_t *out)
{
	const struct kt_json *v = kt_get(schema, name);
	int64_t n = kt_int_or(v, 0);
	*out = n < 0 ? 0 : (uint64_t)n;
	return v != NULL;
}

static uint64_t longest_of(const struct kt_json *values)
{
	const struct kt_json *v;
	uint64_t most = 0;
	KT_JSON_EACH (v, values)
		if (kt_str(v) && kt_str_len(v) > most)
			most = kt_str_len(v);
	return most;
}

static const struct cel_type *text_type(struct kt_arena *arena, const struct kt_json *schema)
{
	const char *format = kt_get_text(schema, "format");
	uint64_t n;
	bool bounded = limit(schema, "maxLength", &n);
	if (strcmp(format, "byte") == 0)
		return new_type(arena, CEL_BYTES, bounded ? n : MAX_REQUEST - 2, 2);
	if (strcmp(format, "duration") == 0)
		return new_type(arena, CEL_DURATION, 32, 3);
	if (strcmp(format, "date") == 0)
		return new_type(arena, CEL_TIMESTAMP, 12, 12);
	if (strcmp(format, "date-time") == 0)
		return new_type(arena, CEL_TIMESTAMP, 32, 21);
	if (bounded)
		n *= 4; /* bytes of a character */
	else
		n = kt_count(kt_get(schema, "enum")) > 0 ? longest_of(kt_get(schema, "enum"))
		                                         : MAX_REQUEST - 2;
	return new_type(arena, CEL_STRING, n, 2);
}

static const struct cel_type *below(struct kt_arena *arena, const struct kt_json *schema, const char *name)
{
	return cel_schema_type(arena, schema, kt_get_bool(schema, "x-kubernetes-embedded-resource", false),
	                       name);
}

static void add_field(struct kt_arena *arena, struct cel_field *fields, size_t *count, const char *key,
                      const struct cel_type *type)
{
	struct kt_buf name = {0};
	if (type && cel_escape(key, &name))
		fields[(*count)++] = (struct cel_field){kt_arena_strdup(arena, kt_buf_str(&name)),
		                                        kt_arena_strdup(arena, key), type};
	kt_buf_clear(&name);
}

static const struct cel_type *struct_type(struct kt_arena *arena, const struct kt_json *schema, bool root,
                                          const char *name)
{
	static const char *const meta[] = {"kind", "apiVersion", "metadata"};
	const struct kt_json *properties = kt_get(schema, "properties");
	size_t n = kt_count(properties), count = 0;
	struct cel_field *fields = kt_arena_alloc(arena, (n + 4) * sizeof(*fields));
	struct cel_type *type = new_type(arena, CEL_STRUCT, 0, 2);
	for (size_t i = 0; i < n; i++) {
		const char *key = kt_key(properties, i);
		const struct kt_json *of = kt_at(properties, i);
		bool hidden = root && (strcmp(key, meta[0]) == 0 || strcmp(key, meta[1]) == 0 ||
		                       strcmp(key, meta[2]) == 0);
		if (hidden)
			continue;
		const struct cel_type *field = below(arena, of, kt_arena_strf(arena, "%s.%s", name, key));
		add_field(arena, fields, &count, key, field);
		if (field && kt_has_word(kt_get(schema, "required"), key) && !kt_get(of, "default"))
			type->least += (int64_t)strlen(key) + field->least + 4;
	}
	if (root) {
		static const char *const names[] = {"name", "generateName"};
		struct cel_type *metadata = new_type(arena, CEL_STRUCT, 0, 2);
		struct cel_field *inner = kt_arena_alloc(arena, 3 * sizeof(*inner));
		for (size_t i = 0; i < 2; i++)
			add_field(arena, inner, &metadata->field_count, names[i],
			          new_type(arena, CEL_STRING, MAX_REQUEST - 2, 2));
		metadata->fields = inner;
		metadata->opened = true;
		metadata->name = kt_arena_strf(arena, "%s.metadata", name);
		for (size_t i = 0; i < 2; i++)
			add_field(arena, fields, &count, meta[i],
			          new_type(arena, CEL_STRING, MAX_REQUEST - 2, 2));
		add_field(arena, fields, &count, meta[2], metadata);
	}
	type->name = kt_arena_strdup(arena, name);
	type->fields = fields;
	type->field_count = count;
	type->opened = true;
	return type;
}

const struct cel_type *cel_schema_type(struct kt_arena *arena, const struct kt_json *schema, bool root,
                                       const char *name)
{
	const char *is = kt_get_text(schema, "type");
	const struct kt_json *more = kt_get(schema, "additionalProperties"), *items = kt_get(schema, "items");
	const struct cel_type *of;
	struct cel_type *type;
	uint64_t n;
	if (kt_get_bool(schema, "x-kubernetes-int-or-string", false))
		return new_type(arena, CEL_DYN, limit(schema, "maxLength", &n) ? n * 4 : MAX_REQUEST - 2, 1);
	if (root && strcmp(is, "object") != 0)
		root = false;
	if (strcmp(is, "array") == 0) {
		of = items ? below(arena, items, kt_arena_strf(arena, "%s.@idx", name)) : NULL;
		if (!of)
			return NULL;
		type = new_type(
		        arena, CEL_LIST,
		        limit(schema, "maxItems", &n) ? n : (MAX_REQUEST - 2) / ((uint64_t)of->least + 1), 2);
		type->args[0] = of;
		return type;
	}
	if (strcmp(is, "object") == 0 && kt_is_object(more) && !root) {
		of = below(arena, more, kt_arena_strf(arena, "%s.@elem", name));
		if (!of)
			return NULL;
		type = new_type(arena, CEL_MAP,
		                limit(schema, "maxProperties", &n)
		                        ? n
		                        : (MAX_REQUEST - 2) / ((uint64_t)of->least + 6),
		                2);
		type->args[0] = &cel_string;
		type->args[1] = of;
		return type;
	}
	if (strcmp(is, "object") == 0)
		return struct_type(arena, schema, root, name);
	if (strcmp(is, "string") == 0)
		return text_type(arena, schema);
	if (strcmp(is, "boolean") == 0)
		return new_type(arena, CEL_BOOL, 0, 4);
	if (strcmp(is, "number") == 0)
		return new_type(arena, CEL_DOUBLE, 0, 1);
	return strcmp(is, "integer") == 0 ? new_type(arena, CEL_INT, 0, 1) : NULL;
}
