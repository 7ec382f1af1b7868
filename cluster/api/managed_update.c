/* SPDX-License-Identifier: MIT */
/* managedFields after a create or an update, as k8s.io/apimachinery/pkg/util/managedfields keeps them: what
 * the request changed is its manager's and nobody else's, what it removed is nobody's. */
#include "cluster/api/managed_internal.h"

#include <stdlib.h>
#include <string.h>

#define MAX_UPDATE_MANAGERS 10
#define ANCIENT             "ancient-changes"

struct kt_json *managed_time(kt_ns now)
{
	struct kt_buf text = {0};
	kt_time_print(now, &text);
	struct kt_json *time = kt_json_str(kt_buf_str(&text));
	kt_buf_clear(&text);
	return time;
}

struct kt_json *managed_entry(const char *manager, const char *operation, const char *api_version,
                              const char *subresource, const struct kt_json *time, const struct kt_json *set)
{
	struct kt_json *entry = kt_json_object();
	kt_set(&entry, "manager", kt_json_str(manager));
	kt_set(&entry, "operation", kt_json_str(operation));
	kt_set(&entry, "apiVersion", kt_json_str(api_version));
	if (time)
		kt_set(&entry, "time", kt_json_ref(time));
	kt_set(&entry, "fieldsType", kt_json_str("FieldsV1"));
	kt_set(&entry, "fieldsV1", set ? kt_json_ref(set) : kt_json_object());
	if (*subresource)
		kt_set(&entry, "subresource", kt_json_str(subresource));
	return entry;
}

bool managed_is_entry(const struct kt_json *entry, const char *manager, const char *operation,
                      const char *api_version, const char *subresource)
{
	return kt_streq(kt_get_str(entry, "manager"), manager) &&
	       kt_streq(kt_get_str(entry, "operation"), operation) &&
	       (!api_version || kt_streq(kt_get_str(entry, "apiVersion"), api_version)) &&
	       strcmp(kt_str_or(kt_get(entry, "subresource"), ""), subresource) == 0;
}

/* A write of the object does not touch its status, one of the status not the spec, so they do not own it. */
struct kt_json *managed_stripped(struct managed_cache *cache, const struct schema_kind *kind,
                                 const char *subresource, const struct kt_json *set)
{
	if (!set)
		return NULL;
	bool of_status = strcmp(subresource, "status") == 0;
	struct kt_json *never = managed_never_owned(cache);
	struct kt_json *left = managed_do(cache, MANAGED_DIFFERENCE, set, never);
	kt_json_free(never);
	if (of_status || (!*subresource && schema_subresource_named(kind, "status"))) {
		struct kt_json *both = left;
		left = managed_do(cache, of_status ? MANAGED_NO_SPEC : MANAGED_NO_STATUS, both, NULL);
		kt_json_free(both);
	}
	return left;
}

/* --- storing --- */

static int by_operation_time_name(const void *a, const void *b)
{
	static const char *const keys[] = {"operation", "time", "manager", "apiVersion", "subresource"};
	const struct kt_json *x = *(const struct kt_json *const *)a, *y = *(const struct kt_json *const *)b;
	for (size_t i = 0; i < KT_COUNT(keys); i++) {
		int order = strcmp(kt_str_or(kt_get(x, keys[i]), ""), kt_str_or(kt_get(y, keys[i]), ""));
		if (order != 0)
			return order;
	}
	return 0;
}

/* More than ten managers of the same kind of write: the oldest become one. */
static void cap_managers(const struct kt_json **entries, size_t *count, struct kt_json **made)
{
	size_t updates = 0, first = *count;
	for (size_t i = 0; i < *count; i++) {
		if (!kt_streq(kt_get_str(entries[i], "operation"), "Update"))
			continue;
		if (first == *count)
			first = i;
		updates++;
	}
	while (updates > MAX_UPDATE_MANAGERS && first + 1 < *count) {
		const struct kt_json *a = entries[first], *b = entries[first + 1];
		struct kt_json *set = managed_union(kt_get(a, "fieldsV1"), kt_get(b, "fieldsV1"));
		struct kt_json *merged =
		        managed_entry(ANCIENT, "Update", kt_str_or(kt_get(b, "apiVersion"), ""), "",
		                      kt_get(b, "time"), set);
		kt_json_free(set);
		kt_push(made, merged);
		entries[first] = merged;
		memmove(entries + first + 1, entries + first + 2, (*count - first - 2) * sizeof(*entries));
		(*count)--;
		updates--;
	}
}

/* What is written through "scale" has no time: scalehandler.go ToParent looks for one among the entries of
 * the whole object, which did not have that manager. */
static void drop_scale_times(struct kt_json **entries)
{
	for (size_t i = 0; i < kt_count(*entries); i++) {
		const struct kt_json *entry = kt_at(*entries, i);

		if (kt_streq(kt_get_str(entry, "subresource"), "scale") && kt_get(entry, "time"))
			kt_unset(kt_edit_at(entries, i), "time");
	}
}

void managed_store(struct kt_json **object, struct kt_json *entries)
{
	drop_scale_times(&entries);
	size_t n = kt_count(entries), kept = 0;
	const struct kt_json **list = kt_alloc((n + 1) * sizeof(struct kt_json *));
	struct kt_json *sorted = kt_json_array(), *made = kt_json_array();
	for (size_t i = 0; i < n; i++)
		if (kt_count(kt_get(kt_at(entries, i), "fieldsV1")) > 0)
			list[kept++] = kt_at(entries, i);
	qsort(list, kept, sizeof(struct kt_json *), by_operation_time_name);
	cap_managers(list, &kept, &made);
	for (size_t i = 0; i < kept; i++)
		kt_push(&sorted, kt_json_ref(list[i]));
	kt_free(list);
	kt_json_free(made);
	kt_json_free(entries);
	if (kt_count(sorted) == 0) {
		kt_json_free(sorted);
		sorted = NULL;
	}
	const struct kt_json *old = kt_get(kt_get(*object, "metadata"), "managedFields");
	if (sorted && old && kt_equal(old, sorted)) {
		kt_json_free(sorted);
		return;
	}
	if (sorted || old)
		kt_set(kt_edit(object, "metadata"), "managedFields", sorted);
}

/* --- updating --- */

static bool is_valid(const struct kt_json *entries)
{
	const struct kt_json *entry;
	KT_JSON_EACH (entry, entries)
		if (!kt_get_str(entry, "manager") || !kt_get_str(entry, "operation") ||
		    !kt_is_object(kt_get(entry, "fieldsV1")))
			return false;
	return true;
}

/* The entries that count before this write: those that the writer sends, unless it sends none or rubbish; []
 * or [{}] from a writer means "forget them". A write of a subresource cannot change them. */
static const struct kt_json *live_entries(const struct kt_json *old, const struct kt_json *object,
                                          const char *subresource)
{
	const struct kt_json *live = kt_path(old, "metadata.managedFields");
	const struct kt_json *sent = kt_path(object, "metadata.managedFields");
	if (*subresource || !kt_is_array(sent) || sent == live)
		return live;
	if (kt_count(sent) == 0 || (kt_count(sent) == 1 && kt_count(kt_at(sent, 0)) == 0))
		return NULL;
	return is_valid(sent) ? sent : live;
}

void managed_keep_reset(const struct kt_json *raw, struct kt_json **object)
{
	const struct kt_json *sent = kt_path(raw, "metadata.managedFields");
	if (kt_is_array(sent) && kt_count(sent) == 0)
		kt_set(kt_edit(object, "metadata"), "managedFields", kt_json_array());
}

static struct kt_json *less(struct managed_cache *cache, const struct kt_json *entry,
                            const struct managed_diff *diff)
{
	const struct kt_json *set = kt_get(entry, "fieldsV1");
	struct kt_json *a = managed_do(cache, MANAGED_DIFFERENCE, set, diff->changed),
	               *b = managed_do(cache, MANAGED_DIFFERENCE, a, diff->removed);
	struct kt_json *out = kt_json_ref(entry);
	if (b != set) {
		kt_set(&out, "fieldsV1", b ? kt_json_ref(b) : kt_json_object());
		out = managed_one(cache, out);
	}
	kt_json_free(a);
	kt_json_free(b);
	/* An entry without fields goes: its fieldsV1 is {}, which managed_store drops. */
	return out;
}

void managed_update_cached(struct managed_cache *cache, const struct schema_kind *kind,
                           const struct kt_json *old, struct kt_json **object, const char *manager,
                           const char *subresource, kt_ns now)
{
	struct managed_at at = managed_at_root(kind->type);
	struct managed_diff diff = {0};
	struct kt_json *nothing = kt_json_object(), *entries = kt_json_array();
	const struct kt_json *live = live_entries(old, *object, subresource), *entry;
	/* a write of the scale may leave a manager twice */
	struct kt_json *each = schema_subresource_named(kind, "scale") ? managed_last_of_each(live) : NULL;
	bool found = false;
	managed_compare(&at, old ? old : nothing, *object, cache, &diff);
	struct kt_json *mine = managed_stripped(cache, kind, subresource, diff.changed);
	KT_JSON_EACH (entry, each ? each : live) {
		struct kt_json *left = less(cache, entry, &diff);
		if (mine && !found &&
		    managed_is_entry(entry, manager, "Update", kind->api_version, subresource)) {
			const struct kt_json *rest = kt_get(left, "fieldsV1");
			/* an emptied set is {}, which below the root would mean "this itself" */
			struct kt_json *set =
			        managed_do(cache, MANAGED_UNION, kt_count(rest) > 0 ? rest : NULL, mine);
			kt_json_free(left);
			left = managed_update_entry(cache, manager, kind->api_version, subresource, now, set);
			kt_json_free(set);
			found = true;
		}
		kt_push(&entries, left);
	}
	if (mine && !found)
		kt_push(&entries,
		        managed_update_entry(cache, manager, kind->api_version, subresource, now, mine));
	managed_store(object, entries);
	kt_json_free(each);
	kt_json_free(mine);
	kt_json_free(diff.changed);
	kt_json_free(diff.removed);
	kt_json_free(nothing);
}

void managed_update(const struct schema_kind *kind, const struct kt_json *old, struct kt_json **object,
                    const char *manager, const char *subresource, kt_ns now)
{
	managed_update_cached(NULL, kind, old, object, manager, subresource, now);
}
