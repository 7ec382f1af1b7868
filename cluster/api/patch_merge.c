/* SPDX-License-Identifier: MIT */
/* RFC 7386, and what the patches have in common: their errors and Go's way of printing a map. */
#include "cluster/api/patch.h"

#include <stdlib.h>
#include <string.h>

static struct kt_json *merge(const struct kt_json *target, const struct kt_json *patch)
{
	if (!kt_is_object(patch))
		return kt_json_ref(patch);
	struct kt_json *out = kt_is_object(target) ? kt_json_ref(target) : kt_json_object();
	for (size_t i = 0, n = kt_count(patch); i < n; i++) {
		const char *key = kt_key(patch, i);
		const struct kt_json *value = kt_at(patch, i);
		if (kt_json_type(value) == KT_JSON_NULL)
			kt_unset(&out, key);
		else
			kt_set(&out, key, merge(kt_get(out, key), value));
	}
	return out;
}

bool patch_merge(const struct kt_json *target, const struct kt_json *patch, struct kt_json **out,
                 struct api_status *status)
{
	if (kt_json_type(patch) == KT_JSON_NULL)
		return api_fail(status, 400, "BadRequest", "Invalid JSON Patch");
	if (!kt_is_object(patch))
		return api_fail(status, 400, "BadRequest",
		                "error decoding patch: json: cannot unmarshal %s into Go value of type "
		                "map[string]interface {}",
		                patch_json_kind(patch));
	*out = merge(target, patch);
	return true;
}

const char *patch_json_kind(const struct kt_json *v)
{
	static const char *const names[] = {
	        [KT_JSON_NULL] = "null",     [KT_JSON_BOOL] = "bool",     [KT_JSON_INT] = "number",
	        [KT_JSON_REAL] = "number",   [KT_JSON_STRING] = "string", [KT_JSON_ARRAY] = "array",
	        [KT_JSON_OBJECT] = "object",
	};
	return names[kt_json_type(v)];
}

bool patch_fail_unprocessable(struct api_status *status)
{
	bool first = status && status->code == 0;
	api_fail(status, 422, "Invalid", "the server rejected our request due to an error in our request");
	if (first && !status->details)
		status->details = kt_json_object();
	return false;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void patch_print_go(const struct kt_json *v, struct kt_buf *out)
{
	const struct kt_json *item;
	switch (kt_json_type(v)) {
	case KT_JSON_NULL:
		kt_buf_adds(out, "<nil>");
		break;
	case KT_JSON_STRING:
		kt_buf_add(out, kt_str(v), kt_str_len(v));
		break;
	case KT_JSON_ARRAY:
		kt_buf_addc(out, '[');
		KT_JSON_EACH (item, v) {
			if (item_i > 0)
				kt_buf_addc(out, ' ');
			patch_print_go(item, out);
		}
		kt_buf_addc(out, ']');
		break;
	case KT_JSON_OBJECT: {
		size_t n = kt_count(v);
		const char **keys = kt_alloc((n + 1) * sizeof(*keys));
		for (size_t i = 0; i < n; i++)
			keys[i] = kt_key(v, i);
		qsort(keys, n, sizeof(*keys), by_key);
		kt_buf_adds(out, "map[");
		for (size_t i = 0; i < n; i++) {
			kt_buf_addf(out, "%s%s:", i > 0 ? " " : "", keys[i]);
			patch_print_go(kt_get(v, keys[i]), out);
		}
		kt_buf_addc(out, ']');
		kt_free(keys);
		break;
	}
	default:
		kt_json_print(v, out);
		break;
	}
}

/* The server tells the patch after merging, which has taken the ordered lists out of it. */
static struct kt_json *used_up(const struct kt_json *patch)
{
	static const char order[] = "$setElementOrder/";
	struct kt_json *out = kt_json_ref(patch);
	for (size_t i = 0, n = kt_is_object(patch) ? kt_count(patch) : 0; i < n; i++) {
		const char *key = kt_key(patch, i);
		if (kt_starts(key, order)) {
			kt_unset(&out, key);
			kt_unset(&out, key + strlen(order));
		} else if (kt_get(out, key)) {
			kt_set(&out, key, used_up(kt_at(patch, i)));
		}
	}
	return out;
}

bool patch_fail_text(struct api_status *status, const char *shown, const char *why)
{
	struct kt_buf quoted = {0};
	if (status && status->code != 0)
		return false;
	struct kt_json *text = kt_json_str(shown);
	kt_json_print_pretty(text, 0, &quoted); /* %q leaves <, > and & */
	kt_json_free(text);
	api_fail(status, 422, "Invalid", " \"\" is invalid: patch: Invalid value: %s: %s",
	         kt_buf_str(&quoted), why);
	if (status) {
		char *message = kt_strf("Invalid value: %s: %s", kt_buf_str(&quoted), why);
		kt_json_free(status->details);
		status->details = kt_jsonf(
		        "{causes: [{reason: 'FieldValueInvalid', message: %s, field: 'patch'}]}", message);
		kt_free(message);
	}
	kt_buf_clear(&quoted);
	return false;
}

bool patch_fail_undecodable(struct api_status *status, const struct kt_json *patch, const char *why)
{
	struct kt_buf text = {0};
	struct kt_json *left = used_up(patch);
	patch_print_go(left, &text);
	kt_json_free(left);
	patch_fail_text(status, kt_buf_str(&text), why);
	kt_buf_clear(&text);
	return false;
}

static int by_name(const char *a, const char *b, void *arg)
{
	(void)arg;
	return strcmp(a, b);
}

static void sort_merged(struct kt_json **slot, const struct kt_json *patch)
{
	if (!kt_is_object(*slot) || !kt_is_object(patch))
		return;
	for (size_t i = 0, n = kt_count(patch); i < n; i++)
		if (kt_is_object(kt_at(patch, i)) && kt_is_object(kt_get(*slot, kt_key(patch, i))))
			sort_merged(kt_edit(slot, kt_key(patch, i)), kt_at(patch, i));
	kt_sort_keys(slot, by_name, NULL);
}

/* The maps on the way to where `pointer` points. */
static void sort_way(struct kt_json **slot, const char *pointer)
{
	if (kt_is_object(*slot))
		kt_sort_keys(slot, by_name, NULL);
	if (*pointer != '/')
		return;
	size_t len = strcspn(pointer + 1, "/");
	char *name = kt_strndup(pointer + 1, len);
	const struct kt_json *below = kt_is_object(*slot) ? kt_get(*slot, name) : NULL;
	size_t at = kt_is_array(*slot) && *name >= '0' && *name <= '9' ? strtoul(name, NULL, 10) : SIZE_MAX;
	/* the last one is what was put there, as it came */
	if (pointer[1 + len] == '/' && below)
		sort_way(kt_edit(slot, name), pointer + 1 + len);
	else if (pointer[1 + len] == '/' && at < kt_count(*slot))
		sort_way(kt_edit_at(slot, at), pointer + 1 + len);
	kt_free(name);
}

struct kt_json *patch_shown(const struct kt_json *patched, const struct kt_json *patch)
{
	struct kt_json *shown = kt_json_ref(patched);
	const struct kt_json *op;
	if (!kt_is_array(patch))
		sort_merged(&shown, patch);
	KT_JSON_EACH (op, kt_is_array(patch) ? patch : NULL)
		sort_way(&shown, kt_get_text(op, "path"));
	return shown;
}
