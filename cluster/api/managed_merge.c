/* SPDX-License-Identifier: MIT */
/* Laying an applied configuration over the live object, and checking it first. */
#include "cluster/api/managed_internal.h"

#include <string.h>

/* --- merging: maps by member, keyed lists in the order of the configuration, live-only items where they were
 * --- */

struct elements {
	struct kt_strs names;
	struct kt_json *index; /* name -> position */
};

static void elements_init(struct elements *e, const struct managed_at *at, const struct kt_json *list)
{
	struct kt_buf name = {0};
	const struct kt_json *item;
	*e = (struct elements){.index = kt_json_object()};
	KT_JSON_EACH (item, list) {
		if (!managed_element(at, item, &name))
			kt_buf_addf(&name, " %zu", item_i);
		kt_strs_add(&e->names, kt_buf_str(&name));
		if (!kt_get(e->index, kt_buf_str(&name)))
			kt_set(&e->index, kt_buf_str(&name), kt_json_int((int64_t)item_i));
	}
	kt_buf_clear(&name);
}

static void elements_clear(struct elements *e)
{
	kt_strs_clear(&e->names);
	kt_json_free(e->index);
}

static ptrdiff_t elements_find(const struct elements *e, const char *name)
{
	return (ptrdiff_t)kt_get_int(e->index, name, -1);
}

/* The next name of `config` from *at on that `live` has too. */
static const char *next_shared(const struct elements *config, const struct elements *live, size_t *at)
{
	for (; *at < config->names.count; (*at)++)
		if (elements_find(live, config->names.items[*at]) >= 0)
			return config->names.items[(*at)++];
	return NULL;
}

static struct kt_json *merge_lists(const struct managed_at *at, const struct kt_json *live,
                                   const struct kt_json *config)
{
	struct managed_at below = managed_at_item(at);
	struct kt_json *out = kt_json_array(), *done = kt_json_object();
	struct elements l, c;
	size_t li = 0, ci = 0, shared_at = 0;
	elements_init(&l, at, live);
	elements_init(&c, at, config);
	const char *shared = next_shared(&c, &l, &shared_at);
	while (li < l.names.count || ci < c.names.count) {
		const char *ln = li < l.names.count ? l.names.items[li] : NULL;
		const char *cn = ci < c.names.count ? c.names.items[ci] : NULL;
		bool in_config = ln && elements_find(&c, ln) >= 0;
		if (ln && cn && strcmp(ln, cn) != 0 && in_config && shared && strcmp(shared, ln) != 0) {
			li++; /* comes later, where the configuration has it */
			continue;
		}
		if (ln && !in_config) {
			kt_push(&out, kt_json_ref(kt_at(live, li++)));
			continue;
		}
		if (ln && (strcmp(ln, cn ? cn : "") == 0 || kt_get(done, ln))) {
			li++;
			if (!cn || strcmp(ln, cn) != 0)
				continue;
		}
		if (!cn)
			continue;
		ptrdiff_t match = elements_find(&l, cn);
		kt_push(&out, managed_merge(&below, match >= 0 ? kt_at(live, (size_t)match) : NULL,
		                            kt_at(config, ci++)));
		kt_set(&done, cn, kt_json_bool(true));
		if (shared && strcmp(shared, cn) == 0)
			shared = next_shared(&c, &l, &shared_at);
	}
	elements_clear(&l);
	elements_clear(&c);
	kt_json_free(done);
	return out;
}

struct kt_json *managed_merge(const struct managed_at *at, const struct kt_json *live,
                              const struct kt_json *config)
{
	/* null lays nothing over members or items: they stay, unless pruning takes them */
	if (config && kt_json_type(config) == KT_JSON_NULL && kt_count(live) > 0 &&
	    ((kt_is_object(live) && managed_is_map(at, live)) ||
	     (kt_is_array(live) && managed_is_list(at, live))))
		return kt_json_ref(live);
	if (kt_is_object(live) && kt_is_object(config) && managed_is_map(at, config)) {
		struct kt_json *out = kt_json_ref(live);
		for (size_t i = 0, n = kt_count(config); i < n; i++) {
			const char *key = kt_key(config, i);
			const struct kt_json *old = kt_get(out, key);
			struct managed_at below = managed_at_member(at, key);
			struct kt_json *merged = managed_merge(&below, old, kt_at(config, i));
			if (merged == old)
				kt_json_free(merged);
			else
				kt_set(&out, key, merged);
		}
		return out;
	}
	if (kt_is_array(live) && kt_is_array(config) && managed_is_list(at, config)) {
		struct kt_json *out = merge_lists(at, live, config);
		if (!kt_equal(out, live))
			return out;
		kt_json_free(out);
		return kt_json_ref(live);
	}
	return kt_json_ref(live && kt_equal(live, config) ? live : config);
}

/* --- checking: the texts are those of structured-merge-diff typed/validate.go --- */

struct check {
	struct kt_buf path;
	struct kt_strs *errors;
};

static void complain(struct check *c, const char *fmt, ...) KT_PRINTF(2, 3);
static void complain(struct check *c, const char *fmt, ...)
{
	struct kt_buf text = {0};
	va_list ap;
	if (c->errors->count >= 100)
		return;
	kt_buf_addf(&text, "%s: ", kt_buf_str(&c->path));
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	kt_strs_steal(c->errors, kt_buf_take(&text));
}

static const char *go_type(const struct kt_json *v)
{
	static const char *const names[] = {
	        [KT_JSON_NULL] = "<nil>",
	        [KT_JSON_BOOL] = "bool",
	        [KT_JSON_INT] = "int64",
	        [KT_JSON_REAL] = "float64",
	        [KT_JSON_STRING] = "string",
	        [KT_JSON_ARRAY] = "[]interface {}",
	        [KT_JSON_OBJECT] = "map[string]interface {}",
	};
	return names[kt_json_type(v)];
}

static void add_go(const struct kt_json *v, struct kt_buf *out)
{
	const struct kt_json *item;
	if (kt_is_array(v)) {
		kt_buf_adds(out, "[]interface {}{");
		KT_JSON_EACH (item, v) {
			kt_buf_adds(out, item_i ? ", " : "");
			add_go(item, out);
		}
	} else if (kt_is_object(v)) {
		kt_buf_adds(out, "map[string]interface {}{");
		KT_JSON_EACH (item, v) {
			kt_buf_addf(out, "%s\"%s\":", item_i ? ", " : "", kt_key(v, item_i));
			add_go(item, out);
		}
	} else {
		kt_json_print(v, out);
	}
	if (kt_is_array(v) || kt_is_object(v))
		kt_buf_addc(out, '}');
}

/* As Go prints a value with %#v. */
static char *go_value(const struct kt_json *v)
{
	struct kt_buf text = {0};
	struct kt_json *sorted = kt_json_sorted(v);
	add_go(sorted, &text);
	kt_json_free(sorted);
	return kt_buf_take(&text);
}

static void complain_of(struct check *c, const char *expected, const struct kt_json *value)
{
	struct kt_buf text = {0};
	patch_print_go(value, &text);
	complain(c, "expected %s, got &{%s}", expected, kt_buf_str(&text));
	kt_buf_clear(&text);
}

static void check_scalar(struct check *c, const struct schema_type *type, const struct kt_json *v)
{
	char *text = go_value(v);
	switch (type->scalar) {
	case SCHEMA_INT32:
	case SCHEMA_INT64:
	case SCHEMA_DOUBLE:
		if (kt_json_type(v) != KT_JSON_INT && kt_json_type(v) != KT_JSON_REAL)
			complain(c, "expected numeric (int or float), got %s", go_type(v));
		break;
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
	case SCHEMA_TIME:
	case SCHEMA_MICROTIME:
		if (!kt_is_string(v))
			complain(c, "expected string, got &value.valueUnstructured{Value:%s}", text);
		break;
	case SCHEMA_BOOL:
		if (kt_json_type(v) != KT_JSON_BOOL)
			complain(c, "expected boolean, got &{%s}", kt_is_string(v) ? kt_str(v) : text);
		break;
	case SCHEMA_QUANTITY:
	case SCHEMA_INT_OR_STRING:
	case SCHEMA_DURATION:
		if (kt_is_array(v) || kt_is_object(v))
			complain_of(c, "any scalar", v);
		break;
	default: /* untyped in the published schema: `items` of a CustomResourceDefinition's schema */
		break;
	}
	kt_free(text);
}

static void check(struct check *c, const struct managed_at *at, const struct kt_json *value);

/* A field that nobody declared ends it: the real walk goes no further in such a map (typed.visitMapItems). */
static void check_map(struct check *c, const struct managed_at *at, const struct kt_json *value)
{
	size_t len = c->path.len;
	bool closed = at->shape == SCHEMA_ONE && at->type && at->type->field_count > 0 && !at->type->open;
	for (size_t i = 0, n = kt_count(value); i < n; i++) {
		struct managed_at below = managed_at_member(at, kt_key(value, i));
		bool unknown = closed && !below.field;
		kt_buf_addf(&c->path, ".%s", kt_key(value, i));
		if (unknown)
			complain(c, "field not declared in schema");
		else
			check(c, &below, kt_at(value, i));
		kt_buf_cut(&c->path, len);
		if (unknown)
			break;
	}
}

static void complain_of_keys(struct check *c, const struct managed_at *at, size_t i)
{
	struct kt_buf keys = {0};
	for (size_t k = 0; at->keys && at->keys[k]; k++)
		kt_buf_addf(&keys, "%s\"%s\"", k ? " " : "", at->keys[k]);
	complain(c,
	         "element %zu: associative list with keys has an element that omits all key fields [%s] "
	         "(and doesn't have default values for any key fields)",
	         i, kt_buf_str(&keys));
	kt_buf_clear(&keys);
}

static void check_list(struct check *c, const struct managed_at *at, const struct kt_json *value)
{
	struct managed_at below = managed_at_item(at);
	struct kt_json *seen = kt_json_object();
	struct kt_buf element = {0};
	const struct kt_json *item;
	size_t len = c->path.len;
	KT_JSON_EACH (item, value) {
		if (managed_is_list(at, value) && at->list == SCHEMA_KEYED && !kt_is_object(item)) {
			complain(c, "element %zu: associative list with keys may not have %s", item_i,
			         kt_json_type(item) == KT_JSON_NULL ? "a null element" : "non-map elements");
			continue;
		}
		bool named = managed_is_list(at, value) && managed_element(at, item, &element);
		if (managed_is_list(at, value) && !named) {
			complain_of_keys(c, at, item_i);
			continue;
		}
		if (named) {
			struct kt_buf word = {0};
			managed_print_element(kt_buf_str(&element), &word);
			if (kt_get(seen, kt_buf_str(&element)))
				complain(c, "duplicate entries for key %s", kt_buf_str(&word));
			kt_set(&seen, kt_buf_str(&element), kt_json_bool(true));
			kt_buf_adds(&c->path, kt_buf_str(&word));
			kt_buf_clear(&word);
		} else {
			kt_buf_addf(&c->path, "[%zu]", item_i);
		}
		check(c, &below, item);
		kt_buf_cut(&c->path, len);
	}
	kt_buf_clear(&element);
	kt_json_free(seen);
}

static void check(struct check *c, const struct managed_at *at, const struct kt_json *value)
{
	bool message = at->type && at->type->scalar == SCHEMA_MESSAGE;
	if (kt_json_type(value) == KT_JSON_NULL || !at->type)
		return;
	if (at->shape == SCHEMA_LIST) {
		if (kt_is_array(value))
			check_list(c, at, value);
		else
			complain_of(c, "list", value);
	} else if (at->shape == SCHEMA_MAP || (message && at->type->field_count > 0)) {
		if (kt_is_object(value))
			check_map(c, at, value);
		else
			complain_of(c, "map", value);
	} else {
		check_scalar(c, at->type, value);
	}
}

void managed_check(const struct managed_at *at, const struct kt_json *value, struct kt_strs *errors)
{
	struct check c = {.errors = errors};
	check(&c, at, value);
	kt_buf_clear(&c.path);
}
