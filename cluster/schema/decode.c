/* SPDX-License-Identifier: MIT */
/* Objects from outside: what the real server has after decoding JSON into its Go structs and printing them
 * again. Values that are in that form already are shared with `raw`, not copied. */
#include "cluster/schema/decode_internal.h"

#include <stdarg.h>
#include <string.h>

enum { MAX_PROBLEMS = 100, FEW_FIELDS = 64 };

static struct kt_json *decode_message(struct decode *d, const struct decode_at *at,
                                      const struct schema_type *type, const struct kt_json *raw);

static const char *json_word(const struct kt_json *raw)
{
	static const char *const words[] = {
	        [KT_JSON_NULL] = "null",    [KT_JSON_BOOL] = "bool",     [KT_JSON_INT] = "number",
	        [KT_JSON_REAL] = "number",  [KT_JSON_STRING] = "string", [KT_JSON_ARRAY] = "array",
	        [KT_JSON_OBJECT] = "object"};
	return words[kt_json_type(raw)];
}

/* Names of fields only: Go's stack of fields knows no indexes and no keys of maps. */
static void field_path(const struct decode_at *at, struct kt_buf *out)
{
	if (!at)
		return;
	field_path(at->up, out);
	if (at->owner)
		kt_buf_addf(out, "%s%s", out->len ? "." : "", at->name);
}

/* "spec.containers[0].image": as the strict decoder names places. */
static void strict_path(const struct decode_at *at, struct kt_buf *out)
{
	if (!at)
		return;
	strict_path(at->up, out);
	if (at->name)
		kt_buf_addf(out, "%s%s", out->len ? "." : "", at->name);
	else
		kt_buf_addf(out, "[%zu]", at->index);
}

struct kt_json *decode_refuse(struct decode *d, const char *fmt, ...)
{
	struct kt_buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	if (!d->failed)
		(void)kt_fail(d->err, KT_EINVAL, "%s", kt_buf_str(&text));
	d->failed = true;
	kt_buf_clear(&text);
	return NULL;
}

struct kt_json *decode_mismatch(struct decode *d, const struct decode_at *at, const char *go,
                                const struct kt_json *raw)
{
	if (d->failed)
		return NULL;
	struct kt_buf value = {0}, path = {0};
	kt_buf_adds(&value, json_word(raw));
	bool whole = go && (kt_starts(go, "int") || kt_starts(go, "*int"));
	if (whole && (kt_json_type(raw) == KT_JSON_REAL || kt_json_type(raw) == KT_JSON_INT)) {
		kt_buf_addc(&value, ' ');
		kt_json_print(raw, &value);
	}
	const struct decode_at *inner = at;
	while (inner && !inner->owner)
		inner = inner->up;
	field_path(at, &path);
	if (inner)
		decode_refuse(d, "json: cannot unmarshal %s into Go struct field %s.%s of type %s",
		              kt_buf_str(&value), schema_short_name(inner->owner), kt_buf_str(&path),
		              go ? go : "string");
	else
		decode_refuse(d, "json: cannot unmarshal %s into Go value of type %s", kt_buf_str(&value),
		              go ? go : "string");
	kt_buf_clear(&value);
	kt_buf_clear(&path);
	return NULL;
}

static void note_unknown(struct decode *d, const struct decode_at *at, const char *name)
{
	if (!d->problems || d->problems->unknown.count >= MAX_PROBLEMS)
		return;
	struct kt_buf path = {0};
	strict_path(at, &path);
	kt_strs_steal(&d->problems->unknown,
	              kt_strf("unknown field \"%s%s%s\"", kt_buf_str(&path), path.len ? "." : "", name));
	kt_buf_clear(&path);
}

/* The Go type of an item of `go` ("[]v1.Container", "map[string]string"), else `go` itself. */
static const char *go_item(const char *go)
{
	if (!go)
		return NULL;
	if (kt_starts(go, "[]"))
		return go + 2;
	const char *close = kt_starts(go, "map[") ? strchr(go, ']') : NULL;
	return close ? close + 1 : "string";
}

/* Types with an UnmarshalJSON of their own: Go ends where one of them fails. */
static bool decodes_itself(enum schema_scalar scalar)
{
	switch (scalar) {
	case SCHEMA_QUANTITY:
	case SCHEMA_TIME:
	case SCHEMA_MICROTIME:
	case SCHEMA_DURATION:
	case SCHEMA_INT_OR_STRING:
		return true;
	default:
		return false;
	}
}

static struct kt_json *decode_scalar(struct decode *d, const struct decode_at *at, enum schema_scalar scalar,
                                     const char *go, const struct kt_json *raw)
{
	struct kt_err err = {0};
	struct decode own = {.err = &err};
	struct kt_json *v;
	if (!decodes_itself(scalar))
		return decode_scalars[scalar](d, at, go, raw);
	v = decode_scalars[scalar](&own, at, go, raw);
	if (own.failed && !d->ended) {
		d->failed = d->ended = true;
		if (d->err)
			*d->err = err;
	}
	return v;
}

static struct kt_json *decode_one(struct decode *d, const struct decode_at *at,
                                  const struct schema_type *type, const char *go, const struct kt_json *raw)
{
	if (type->scalar != SCHEMA_MESSAGE)
		return decode_scalar(d, at, type->scalar, go, raw);
	if (!kt_is_object(raw))
		return decode_mismatch(d, at, go, raw);
	return decode_message(d, at, type, raw);
}

/* An item that is null is a Go zero value. */
static struct kt_json *decode_item(struct decode *d, const struct decode_at *at,
                                   const struct schema_field *field, const struct kt_json *raw)
{
	if (kt_json_type(raw) != KT_JSON_NULL)
		return decode_one(d, at, field->type, go_item(field->go), raw);
	struct schema_field item = *field;
	item.shape = SCHEMA_ONE;
	item.pointer = false;
	/* no bytes are kept as none */
	return field->type->scalar == SCHEMA_BYTES ? kt_json_str("") : schema_zero(&item);
}

static struct kt_json *decode_list(struct decode *d, const struct decode_at *at,
                                   const struct schema_field *field, const struct kt_json *raw)
{
	if (!kt_is_array(raw))
		return decode_mismatch(d, at, field->go, raw);
	struct kt_json *out = kt_json_ref(raw);
	for (size_t i = 0, n = kt_count(raw); i < n; i++) {
		struct decode_at inner = {.up = at, .index = i};
		struct kt_json *item = decode_item(d, &inner, field, kt_at(raw, i));
		if (!item || item == kt_at(raw, i))
			kt_json_free(item);
		else
			kt_put(&out, i, item);
	}
	return out;
}

static int by_name(const char *a, const char *b, void *arg)
{
	(void)arg;
	return strcmp(a, b);
}

/* Go prints maps in order of their keys. */
static struct kt_json *decode_map(struct decode *d, const struct decode_at *at,
                                  const struct schema_field *field, const struct kt_json *raw)
{
	if (!kt_is_object(raw))
		return decode_mismatch(d, at, field->go, raw);
	struct kt_json *out = kt_json_ref(raw);
	bool sorted = true;
	for (size_t i = 0, n = kt_count(raw); i < n; i++) {
		struct decode_at inner = {.up = at, .name = kt_key(raw, i)};
		struct kt_json *item = decode_item(d, &inner, field, kt_at(raw, i));
		sorted = sorted && (!i || strcmp(kt_key(raw, i - 1), kt_key(raw, i)) < 0);
		if (!item || item == kt_at(raw, i))
			kt_json_free(item);
		else
			kt_put(&out, i, item);
	}
	if (!sorted)
		kt_sort_keys(&out, by_name, NULL);
	return out;
}

static struct kt_json *decode_field(struct decode *d, const struct decode_at *at,
                                    const struct schema_field *field, const struct kt_json *raw)
{
	switch (field->shape) {
	case SCHEMA_LIST:
		return decode_list(d, at, field, raw);
	case SCHEMA_MAP:
		return decode_map(d, at, field, raw);
	case SCHEMA_ONE:
		break;
	}
	return decode_one(d, at, field->type, field->go, raw);
}

/* Go's omitempty: "", 0, false, empty lists and maps; never structs, never through a pointer. */
static bool omitted(const struct schema_field *field, const struct kt_json *v)
{
	if (field->keep)
		return false;
	if (field->pointer)
		return false;
	if (field->shape != SCHEMA_ONE)
		return !kt_count(v);
	switch (kt_json_type(v)) {
	case KT_JSON_NULL:
		return true;
	case KT_JSON_BOOL:
		return !kt_bool_or(v, true);
	case KT_JSON_INT:
		return field->type->scalar != SCHEMA_INT_OR_STRING && !kt_int_or(v, 1);
	case KT_JSON_REAL:
		return kt_real_or(v, 1) == 0;
	case KT_JSON_STRING:
		return !kt_str_len(v) && field->type->scalar != SCHEMA_INT_OR_STRING;
	case KT_JSON_ARRAY:
	case KT_JSON_OBJECT:
		return field->type->scalar == SCHEMA_STRINGS && !kt_count(v);
	}
	return false;
}

struct kt_json *schema_zero(const struct schema_field *field)
{
	struct decode d = {0};
	struct kt_json *nothing;
	if (field->shape != SCHEMA_ONE || field->pointer)
		return kt_json_null();
	switch (field->type->scalar) {
	case SCHEMA_MESSAGE:
		nothing = kt_json_object();
		struct kt_json *zero = decode_message(&d, NULL, field->type, nothing);
		kt_json_free(nothing);
		return zero;
	case SCHEMA_STRING:
	case SCHEMA_DURATION:
		return kt_json_str("");
	case SCHEMA_BOOL:
		return kt_json_bool(false);
	case SCHEMA_INT32:
	case SCHEMA_INT64:
	case SCHEMA_DOUBLE:
	case SCHEMA_INT_OR_STRING:
		return kt_json_int(0);
	case SCHEMA_QUANTITY:
		return kt_json_str("0");
	default:
		return kt_json_null();
	}
}

/* Members by the index of their field, before they are put together. */
struct gathered {
	struct kt_json *few[FEW_FIELDS];
	struct kt_json **values;
	bool same; /* nothing dropped, added, changed or out of order */
};

static void gather(struct decode *d, const struct decode_at *at, const struct schema_type *type,
                   const struct kt_json *raw, struct gathered *g)
{
	ptrdiff_t last = -1;
	for (size_t i = 0, n = kt_count(raw); i < n; i++) {
		const char *key = kt_key(raw, i);
		const struct kt_json *value = kt_at(raw, i);
		ptrdiff_t f = schema_field_index(type, key);
		if (f < 0) {
			note_unknown(d, at, key);
			g->same = false;
			continue;
		}
		const struct schema_field *field = &type->fields[f];
		g->same = g->same && f > last;
		last = f;
		if (kt_json_type(value) == KT_JSON_NULL) {
			g->values[f] = field->keep ? schema_zero(field) : NULL;
			g->same = g->same && g->values[f] && kt_json_type(g->values[f]) == KT_JSON_NULL;
			continue;
		}
		struct decode_at inner = {.up = at, .name = field->name, .owner = type};
		struct kt_json *v = decode_field(d, &inner, field, value);
		g->same = g->same && v == value;
		if (v && omitted(field, v)) {
			kt_json_freep(&v);
			g->same = false;
		}
		g->values[f] = v;
	}
}

static struct kt_json *decode_message(struct decode *d, const struct decode_at *at,
                                      const struct schema_type *type, const struct kt_json *raw)
{
	struct gathered g = {.same = true};
	struct kt_json *out = NULL;
	g.values = type->field_count > FEW_FIELDS ? kt_alloc(type->field_count * sizeof(*g.values)) : g.few;
	gather(d, at, type, raw, &g);
	for (size_t i = 0; i < type->field_count; i++) {
		if (g.values[i] || !type->fields[i].keep)
			continue;
		g.values[i] = schema_zero(&type->fields[i]);
		g.same = false;
	}
	if (g.same) {
		out = kt_json_ref(raw);
		for (size_t i = 0; i < type->field_count; i++)
			kt_json_free(g.values[i]);
	} else {
		out = kt_json_object();
		for (size_t i = 0; i < type->field_count; i++)
			if (g.values[i])
				kt_set(&out, type->fields[i].name, g.values[i]);
	}
	if (g.values != g.few)
		kt_free(g.values);
	return out;
}

enum kt_code schema_decode_type(const struct schema_type *type, const struct kt_json *raw,
                                struct kt_json **out, struct schema_problems *problems, struct kt_err *err)
{
	struct decode d = {.problems = problems, .err = err};
	if (!kt_is_object(raw))
		return kt_fail(err, KT_EINVAL, "json: cannot unmarshal %s into Go value of type v1.%s",
		               json_word(raw), schema_short_name(type));
	struct kt_json *v = decode_message(&d, NULL, type, raw);
	if (d.failed) {
		kt_json_free(v);
		return KT_EINVAL;
	}
	*out = v;
	return KT_OK;
}

/* A custom object: metadata by its type, the rest by the structural schema; members in order of name, as the
 * real server's unstructured objects print. */
static enum kt_code decode_custom(const struct schema_kind *kind, const struct kt_json *raw,
                                  struct kt_json **out, struct schema_problems *problems, struct kt_err *err)
{
	if (!kt_is_object(raw))
		return kt_fail(err, KT_EINVAL,
		               "json: cannot unmarshal %s into Go value of type map[string]interface {}",
		               json_word(raw));
	struct decode d = {.problems = problems, .err = err};
	struct schema_problems unknown = {.wraps = false};
	const struct schema_type *meta = schema_builtin_type_named("meta.v1.ObjectMeta");
	struct decode_at at = {.name = "metadata", .owner = kind->type};
	struct kt_json *v = structural_prune(schema_structural(kind), raw, &unknown.unknown);
	struct kt_json *metadata = NULL;
	if (kt_is_object(kt_get(raw, "metadata")))
		metadata = decode_message(&d, &at, meta, kt_get(raw, "metadata"));
	for (size_t i = 0; problems && i < unknown.unknown.count && problems->unknown.count < MAX_PROBLEMS;
	     i++)
		kt_strs_add(&problems->unknown, unknown.unknown.items[i]);
	schema_problems_clear(&unknown);
	if (metadata)
		kt_set(&v, "metadata", metadata);
	if (d.failed) {
		kt_json_free(v);
		return KT_EINVAL;
	}
	*out = kt_json_sorted(v);
	kt_json_free(v);
	return KT_OK;
}

enum kt_code schema_decode(const struct schema *schema, const struct schema_kind *kind,
                           const struct kt_json *raw, struct kt_json **out, struct schema_problems *problems,
                           struct kt_err *err)
{
	(void)schema;
	struct kt_json *v = NULL;
	enum kt_code rc = kind->crd ? decode_custom(kind, raw, &v, problems, err)
	                            : schema_decode_type(kind->type, raw, &v, problems, err);
	if (rc)
		return rc;
	bool named = kt_get(v, "apiVersion") && kt_get(v, "kind");
	if (!kt_get(v, "kind"))
		kt_set(&v, "kind", kt_json_str(kind->kind));
	if (!kt_get(v, "apiVersion"))
		kt_set(&v, "apiVersion", kt_json_str(kind->api_version));
	if (!named && !kind->crd)
		schema_reorder(kind->type, &v);
	*out = v;
	return KT_OK;
}

void schema_problems_clear(struct schema_problems *problems)
{
	kt_strs_clear(&problems->unknown);
	kt_strs_clear(&problems->duplicate);
}
