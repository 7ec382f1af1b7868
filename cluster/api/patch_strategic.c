/* SPDX-License-Identifier: MIT */
/* Strategic merge patch. The rules are those of k8s.io/apimachinery/pkg/util/strategicpatch/patch.go:
 *   maps merge member by member, null deletes; `$patch: replace|delete|merge` in a map or a list item;
 *   lists with the strategy merge merge by key (or as a set, of primitives), others are replaced;
 *   `$deleteFromPrimitiveList/F` takes values out; `$setElementOrder/F` gives the order; `$retainKeys` drops
 * the others. New list items come before the old ones unless an order says otherwise. */
#include "cluster/api/patch.h"

#include <string.h>

#define DIRECTIVE   "$patch"
#define RETAIN_KEYS "$retainKeys"
#define DELETE_FROM "$deleteFromPrimitiveList/"
#define SET_ORDER   "$setElementOrder/"
#define MAX_DEPTH   128
#define MAX_ITEMS   5000 /* of a merged list: merging compares each with each */

struct merge {
	struct api_status *status;
	unsigned depth;
};

static bool merge_map(struct merge *m, const struct schema_type *type, struct kt_json **original,
                      const struct kt_json *patch);

static bool fail_bad(struct merge *m, const char *text)
{
	return api_fail(m->status, 400, "BadRequest", "%s", text);
}

/* Errors that the server does not expect: 500 without a reason. */
static bool fail_key(struct merge *m, const struct kt_json *item, const char *key)
{
	struct kt_buf text = {0};
	patch_print_go(item, &text);
	api_fail(m->status, 500, "", "map: %s does not contain declared merge key: %s", kt_buf_str(&text),
	         key);
	kt_buf_clear(&text);
	return false;
}

/* As Go names the type of a value of JSON. */
static const char *go_type(const struct kt_json *v)
{
	static const char *const types[] = {[KT_JSON_NULL] = "%!s(<nil>)",
	                                    [KT_JSON_BOOL] = "bool",
	                                    [KT_JSON_INT] = "int64",
	                                    [KT_JSON_REAL] = "float64",
	                                    [KT_JSON_STRING] = "string",
	                                    [KT_JSON_ARRAY] = "[]interface {}",
	                                    [KT_JSON_OBJECT] = "map[string]interface {}"};
	return types[kt_json_type(v)];
}

static bool fail_directive(struct merge *m, const struct kt_json *directive, const struct kt_json *map)
{
	struct kt_buf what = {0}, text = {0};
	bool word = kt_is_string(directive); /* Go's %s shows of all else what it is */
	if (!word)
		kt_buf_addf(&what, "%%!s(%s=", go_type(directive));
	patch_print_go(directive, &what);
	if (!word)
		kt_buf_addc(&what, ')');
	patch_print_go(map, &text);
	api_fail(m->status, 500, "", "unknown patch type: %s in map: %s", kt_buf_str(&what),
	         kt_buf_str(&text));
	kt_buf_clear(&what);
	kt_buf_clear(&text);
	return false;
}

/* Of a value that is not what Go's `expected` is: 500, in Go's words. */
static bool fail_type(struct merge *m, const char *expected, const struct kt_json *v)
{
	return api_fail(m->status, 500, "", "expected a %s, but received a %s", expected, go_type(v));
}

/* --- what is new --- */

static bool is_directive(const char *key)
{
	return strcmp(key, DIRECTIVE) == 0 || strcmp(key, RETAIN_KEYS) == 0 || kt_starts(key, DELETE_FROM) ||
	       kt_starts(key, SET_ORDER);
}

/* What a patch adds where nothing was: a map with `$patch` is left out altogether, NULL; other directives
 * stay and are unknown fields to who decodes the object. Nulls stay only if asked to. */
static struct kt_json *fresh(const struct kt_json *patch, bool nulls)
{
	if (kt_is_object(patch)) {
		if (kt_get(patch, DIRECTIVE))
			return NULL;
		struct kt_json *out = kt_json_object();
		for (size_t i = 0, n = kt_count(patch); i < n; i++) {
			bool null = kt_json_type(kt_at(patch, i)) == KT_JSON_NULL;
			struct kt_json *value = null && !nulls ? NULL : fresh(kt_at(patch, i), nulls);
			if (value)
				kt_set(&out, kt_key(patch, i), value);
		}
		return out;
	}
	if (kt_is_array(patch)) {
		struct kt_json *out = kt_json_array(), *value;
		const struct kt_json *item;
		KT_JSON_EACH (item, patch)
			if ((value = fresh(item, nulls)) != NULL)
				kt_push(&out, value);
		return out;
	}
	return kt_json_ref(patch);
}

/* `patch` without its own `$patch`. */
static struct kt_json *without_directive(const struct kt_json *patch)
{
	struct kt_json *out = kt_json_ref(patch);
	kt_unset(&out, DIRECTIVE);
	return out;
}

/* --- lists --- */

static bool same_item(const struct kt_json *a, const struct kt_json *b, const char *key)
{
	if (!key)
		return kt_equal(a, b);
	const struct kt_json *ka = kt_get(a, key), *kb = kt_get(b, key);
	return ka && kb && kt_equal(ka, kb);
}

static ptrdiff_t index_of(const struct kt_json *list, const struct kt_json *item, const char *key)
{
	for (size_t i = 0, n = kt_count(list); i < n; i++)
		if (same_item(kt_at(list, i), item, key))
			return (ptrdiff_t)i;
	return -1;
}

/* A list's items, sorted (stable, by insertion: lists are short) by their place in `order`; unknown ones keep
 * their place at the end. */
static void sort_by(const struct kt_json **items, size_t count, const struct kt_json *order, const char *key)
{
	for (size_t i = 1; i < count; i++) {
		const struct kt_json *item = items[i];
		ptrdiff_t at = index_of(order, item, key);
		size_t j = i;
		while (j > 0 && at >= 0) {
			ptrdiff_t before = index_of(order, items[j - 1], key);
			if (before >= 0 && before <= at)
				break;
			items[j] = items[j - 1];
			j--;
		}
		items[j] = item;
	}
}

/* `merged` in its final order: those in `wanted` as there, those that only the server has in its order,
 * interleaved as they were. */
static struct kt_json *in_order(const struct kt_json *merged, const struct kt_json *wanted,
                                const struct kt_json *server, const char *key)
{
	size_t n = kt_count(merged), mine = 0, theirs = 0, i = 0, j = 0;
	const struct kt_json **patched = kt_alloc((n + 1) * sizeof(struct kt_json *));
	const struct kt_json **others = kt_alloc((n + 1) * sizeof(struct kt_json *));
	struct kt_json *out = kt_json_array();
	const struct kt_json *item;
	KT_JSON_EACH (item, merged) {
		if (index_of(wanted, item, key) >= 0)
			patched[mine++] = item;
		else
			others[theirs++] = item;
	}
	sort_by(patched, mine, wanted, key);
	sort_by(others, theirs, server, key);
	while (i < theirs || j < mine) {
		bool other = j >= mine;
		if (i < theirs && j < mine) {
			ptrdiff_t a = index_of(server, others[i], key), b = index_of(server, patched[j], key);
			other = a >= 0 && b >= 0 && a < b;
		}
		kt_push(&out, kt_json_ref(other ? others[i++] : patched[j++]));
	}
	kt_free(patched);
	kt_free(others);
	return out;
}

/* The items of a patch that say `$patch`. `*rest` gets the others; true in *replaced: the list is theirs
 * alone. */
static bool special_items(struct merge *m, struct kt_json **original, const struct kt_json *patch,
                          const char *key, struct kt_json **rest, bool *replaced)
{
	const struct kt_json *item;
	*rest = kt_json_array();
	*replaced = false;
	KT_JSON_EACH (item, patch) {
		const struct kt_json *directive = kt_get(item, DIRECTIVE);
		const char *what = kt_str_or(directive, "");
		if (!directive) {
			kt_push(rest, kt_json_ref(item));
		} else if (strcmp(what, "delete") == 0) {
			if (!kt_get(item, key))
				return fail_key(m, item, key);
			for (ptrdiff_t at; (at = index_of(*original, item, key)) >= 0;)
				kt_remove(original, (size_t)at);
		} else if (strcmp(what, "replace") == 0) {
			*replaced = true;
		} else if (strcmp(what, "merge") == 0) {
			return api_fail(m->status, 500, "",
			                "merging lists cannot yet be specified in the patch");
		} else {
			return fail_directive(m, directive, item);
		}
	}
	return true;
}

static bool merge_items(struct merge *m, const struct schema_type *type, struct kt_json **list,
                        const struct kt_json *patch, const char *key)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, patch) {
		if (!kt_get(item, key))
			return fail_key(m, item, key);
		ptrdiff_t at = index_of(*list, item, key);
		if (at < 0)
			kt_push(list, kt_json_ref(item));
		else if (!merge_map(m, type, kt_edit_at(list, (size_t)at), item))
			return false;
	}
	return true;
}

static void merge_primitives(struct kt_json **list, const struct kt_json *patch, bool take_out)
{
	const struct kt_json *item;
	for (size_t i = kt_count(*list); !take_out && i-- > 0;)
		if (index_of(*list, kt_at(*list, i), NULL) < (ptrdiff_t)i)
			kt_remove(list, i); /* what stood there twice stands there once */
	KT_JSON_EACH (item, patch) {
		ptrdiff_t at = index_of(*list, item, NULL);
		if (!take_out && at < 0)
			kt_push(list, kt_json_ref(item));
		for (; take_out && at >= 0; at = index_of(*list, item, NULL))
			kt_remove(list, (size_t)at);
	}
}

static const struct kt_json *item_of(const struct kt_json *a, const struct kt_json *b)
{
	return kt_count(a) > 0 ? kt_at(a, 0) : kt_at(b, 0);
}

static bool fail_mixed(struct merge *m, const struct kt_json *original, const struct kt_json *patch)
{
	struct kt_buf text = {0};
	patch_print_go(original, &text);
	kt_buf_addc(&text, ' ');
	patch_print_go(patch, &text);
	api_fail(m->status, 500, "", "list element types are not identical: [%s]", kt_buf_str(&text));
	kt_buf_clear(&text);
	return false;
}

static bool merge_list(struct merge *m, const struct schema_field *field, struct kt_json **original,
                       const struct kt_json *patch)
{
	if (!field || !field->patch_merge) {
		kt_json_free(*original);
		*original = kt_json_ref(patch);
		return true;
	}
	if (kt_count(*original) == 0 && kt_count(patch) == 0)
		return true;
	if (kt_count(*original) > MAX_ITEMS || kt_count(patch) > MAX_ITEMS)
		return api_fail(m->status, 413, "RequestEntityTooLarge", "list is too long to be merged");
	enum kt_json_type of = kt_json_type(item_of(*original, patch));
	const struct kt_json *item;
	const char *key = of == KT_JSON_OBJECT ? field->patch_key : NULL;
	if (of == KT_JSON_ARRAY)
		return patch_fail_unprocessable(m->status);
	KT_JSON_EACH (item, patch)
		if (kt_json_type(item) != of)
			return fail_mixed(m, *original, patch);
	struct kt_json *server = kt_json_ref(*original), *rest = NULL;
	bool ok = true, replaced = false;
	if (of == KT_JSON_OBJECT && !key)
		ok = api_fail(m->status, 500, "", "cannot merge lists without merge key for %s", field->name);
	else if (!key && field->patch_key)
		ok = fail_type(m, "map[string]interface {}", item_of(*original, patch));
	else if (!key)
		rest = kt_json_ref(patch), merge_primitives(original, patch, false);
	else
		ok = special_items(m, original, patch, key, &rest, &replaced);
	if (ok && replaced) {
		kt_json_free(*original);
		*original = kt_json_ref(rest);
	} else if (ok && key) {
		ok = merge_items(m, field->type, original, rest, key);
	}
	if (ok && !replaced) {
		struct kt_json *sorted = in_order(*original, rest, server, key);
		kt_json_free(*original);
		*original = sorted;
	}
	kt_json_free(rest);
	kt_json_free(server);
	return ok;
}

/* --- directives of maps --- */

static bool retain_keys(struct merge *m, struct kt_json **original, const struct kt_json *patch)
{
	const struct kt_json *keep = kt_get(patch, RETAIN_KEYS), *word;
	if (!keep)
		return true;
	if (!kt_is_array(keep))
		return fail_bad(m, "invalid patch format of retainKeys");
	for (size_t i = 0, n = kt_count(patch); i < n; i++) {
		const char *key = kt_key(patch, i);
		bool found = is_directive(key) || kt_json_type(kt_at(patch, i)) == KT_JSON_NULL;
		KT_JSON_EACH (word, keep)
			found = found || kt_streq(kt_str(word), key);
		if (!found)
			return fail_bad(m, "invalid patch format of retainKeys");
	}
	for (size_t i = kt_count(*original); i-- > 0;) {
		bool found = false;
		KT_JSON_EACH (word, keep)
			found = found || kt_streq(kt_str(word), kt_key(*original, i));
		if (!found)
			kt_remove(original, i);
	}
	return true;
}

static bool fail_order(struct merge *m, const struct kt_json *list, const struct kt_json *order)
{
	struct kt_buf items = {0}, wanted = {0};
	patch_print_go(list, &items);
	patch_print_go(order, &wanted);
	api_fail(m->status, 500, "", "The order in patch list:\n%s\n doesn't match %s list:\n%s\n",
	         kt_buf_str(&items), "$setElementOrder", kt_buf_str(&wanted));
	kt_buf_clear(&items);
	kt_buf_clear(&wanted);
	return false;
}

/* What a patch's list holds must stand in the order that comes with it, in the same sequence; a key may be in
 * both twice (kubectl debug sends that when a name is there already). */
static bool check_order(struct merge *m, const struct kt_json *list, const struct kt_json *order,
                        const char *key)
{
	const struct kt_json *item;
	size_t at = 0, n = kt_count(order);
	if (!n)
		return true;
	KT_JSON_EACH (item, list)
		if (key && !kt_is_object(item))
			return fail_type(m, "map[string]interface {}", item);
	KT_JSON_EACH (item, list) {
		bool found = kt_get(item, DIRECTIVE) != NULL;
		for (; !found && at < n; at++) {
			const struct kt_json *place = kt_at(order, at);
			if (key && !kt_is_object(place))
				return fail_type(m, "map[string]interface {}", place);
			if (key && !(kt_get(item, key) && kt_get(place, key)))
				return fail_key(m, kt_get(item, key) ? place : item, key);
			found = same_item(place, item, key);
		}
		if (!found)
			return fail_order(m, list, order);
	}
	return true;
}

static bool set_order(struct merge *m, const struct schema_type *type, struct kt_json **original,
                      const struct kt_json *patch, const char *name, const struct kt_json *order)
{
	const struct schema_field *field = type ? schema_field_named(type, name) : NULL;
	const struct kt_json *list = kt_get(patch, name);
	const char *key = field ? field->patch_key : NULL;
	if (kt_count(order) > MAX_ITEMS || kt_count(kt_get(*original, name)) > MAX_ITEMS)
		return api_fail(m->status, 413, "RequestEntityTooLarge", "list is too long to be ordered");
	const struct kt_json *old = kt_get(*original, name);
	const struct kt_json *const lists[] = {order, old, list};
	for (size_t i = 0; i < KT_COUNT(lists); i++)
		if (lists[i] && !kt_is_array(lists[i]))
			return fail_type(m, "[]interface {}", lists[i]);
	if (!check_order(m, list, order, key))
		return false;
	if (!old && !list)
		return true;
	if (!kt_count(old) && !kt_count(list))
		return api_fail(m->status, 500, "", "no elements in any of the given slices");
	struct kt_json *server = kt_json_ref(old);
	bool ok = true;
	if (!old)
		kt_set(original, name, fresh(list, true));
	else if (list)
		ok = merge_list(m, field, kt_edit(original, name), list);
	const struct kt_json *place;
	KT_JSON_EACH (place, key ? order : NULL)
		if (ok && kt_is_object(place) && !kt_get(place, key))
			ok = fail_key(m, place, key);
	if (ok)
		kt_set(original, name, in_order(kt_get(*original, name), order, server, key));
	kt_json_free(server);
	return ok;
}

static bool merge_member(struct merge *m, const struct schema_type *type, struct kt_json **original,
                         const char *key, const struct kt_json *value)
{
	const struct kt_json *old = kt_get(*original, key);
	const struct schema_field *field = type ? schema_field_named(type, key) : NULL;
	if (kt_json_type(value) == KT_JSON_NULL) {
		kt_unset(original, key);
		return true;
	}
	if (old && kt_is_object(old) && kt_is_object(value)) {
		if (field && field->patch_replace_keys) {
			kt_set(original, key, kt_json_ref(value));
			return true;
		}
		const struct schema_type *below = field && field->shape == SCHEMA_ONE ? field->type : NULL;
		return merge_map(m, below, kt_edit(original, key), value);
	}
	if (old && kt_is_array(old) && kt_is_array(value))
		return merge_list(m, field, kt_edit(original, key), value);
	struct kt_json *added = fresh(value, false);
	if (added)
		kt_set(original, key, added);
	else
		kt_unset(original, key);
	return true;
}

static bool delete_primitives(struct merge *m, struct kt_json **original, const char *name,
                              const struct kt_json *value)
{
	if (kt_count(value) > MAX_ITEMS)
		return api_fail(m->status, 413, "RequestEntityTooLarge", "list is too long to be merged");
	if (kt_is_array(value) && kt_is_array(kt_get(*original, name)))
		merge_primitives(kt_edit(original, name), value, true);
	return true;
}

static bool merge_directive(struct merge *m, struct kt_json **original, const struct kt_json *patch,
                            const struct kt_json *directive)
{
	const char *what = kt_str_or(directive, "");
	if (strcmp(what, "replace") == 0 || strcmp(what, "delete") == 0) {
		struct kt_json *value = *what == 'r' ? without_directive(patch) : kt_json_object();
		kt_json_free(*original);
		*original = value;
		return true;
	}
	return fail_directive(m, directive, patch);
}

static bool merge_members(struct merge *m, const struct schema_type *type, struct kt_json **original,
                          const struct kt_json *patch)
{
	size_t n = kt_count(patch);
	struct kt_strs ordered = {0};
	bool ok = retain_keys(m, original, patch);
	for (size_t i = 0; i < n && ok; i++) {
		if (!kt_starts(kt_key(patch, i), SET_ORDER))
			continue;
		const char *name = kt_key(patch, i) + strlen(SET_ORDER);
		kt_strs_add(&ordered, name);
		ok = set_order(m, type, original, patch, name, kt_at(patch, i));
	}
	for (size_t i = 0; i < n && ok; i++) {
		const char *key = kt_key(patch, i);
		if (kt_starts(key, DELETE_FROM))
			ok = delete_primitives(m, original, key + strlen(DELETE_FROM), kt_at(patch, i));
		else if (!is_directive(key) && !(kt_is_array(kt_at(patch, i)) && kt_strs_has(&ordered, key)))
			ok = merge_member(m, type, original, key, kt_at(patch, i));
	}
	kt_strs_clear(&ordered);
	return ok;
}

static bool merge_map(struct merge *m, const struct schema_type *type, struct kt_json **original,
                      const struct kt_json *patch)
{
	const struct kt_json *directive = kt_get(patch, DIRECTIVE);
	if (directive)
		return merge_directive(m, original, patch, directive);
	if (m->depth >= MAX_DEPTH)
		return fail_bad(m, "exceeded max depth");
	m->depth++;
	bool ok = merge_members(m, type, original, patch);
	m->depth--;
	return ok;
}

bool patch_strategic(const struct schema_type *type, const struct kt_json *target,
                     const struct kt_json *patch, struct kt_json **out, struct api_status *status)
{
	struct merge m = {.status = status};
	if (!kt_is_object(patch))
		return api_fail(status, 400, "BadRequest",
		                "json: cannot unmarshal %s into Go value of type map[string]interface {}",
		                patch_json_kind(patch));
	struct kt_json *result = target ? kt_json_ref(target) : kt_json_object();
	if (!merge_map(&m, type, &result, patch)) {
		kt_json_free(result);
		return false;
	}
	*out = result;
	return true;
}
