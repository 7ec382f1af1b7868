/* SPDX-License-Identifier: MIT */
/* Server-side apply: sigs.k8s.io/structured-merge-diff merge/update.go (merge, prune, conflicts) and
 * k8s.io/apimachinery/pkg/util/managedfields (their texts; kubectl's client-side apply as a forgiven owner).
 */
#include "cluster/api/managed_internal.h"

#include <stdlib.h>
#include <string.h>

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"
#define KUBECTL      "kubectl"

struct apply {
	const struct schema_kind *kind;
	struct managed_at at;
	const struct kt_json *old;
	struct kt_json *live;   /* old without managedFields */
	struct kt_json *config; /* what is applied */
	const struct kt_json *entries;
	const char *manager, *subresource;
	bool force;
	kt_ns now;
	struct api_status *status;
};

/* --- what goes when a manager no longer applies it --- */

struct prune {
	const struct managed_at *at;
	const struct kt_json *merged;
};

static struct kt_json *keep_named(const struct prune *p, const struct kt_json *value)
{
	struct kt_json *set = managed_to_set(p->at, value), *named = managed_named(p->at, set);
	kt_json_free(set);
	return named;
}

static struct kt_json *remove_set(const struct prune *p, const struct kt_json *set)
{
	struct kt_json *left = managed_without(p->at, p->merged, set);
	return left ? left : kt_json_object();
}

static struct kt_json *prune(const struct managed_at *at, struct kt_json *merged, const struct kt_json *last,
                             const struct kt_json *owned)
{
	struct prune p = {at, merged};
	struct kt_json *mine = managed_named(at, last);
	struct kt_json *all = keep_named(&p, merged);
	/* all of mine goes… */
	struct kt_json *pruned = remove_set(&p, mine);
	/* …but what anybody owns comes back… */
	struct kt_json *left = keep_named(&p, pruned), *named = managed_named(at, owned),
	               *keep = managed_union(left, named);
	struct kt_json *gone = managed_difference(all, keep);
	kt_json_free(pruned);
	pruned = remove_set(&p, gone);
	kt_json_free(gone);
	kt_json_free(left);
	/* …and so does what was not mine. */
	left = keep_named(&p, pruned);
	gone = managed_difference(all, left);
	struct kt_json *mine_gone = managed_intersection(gone, mine);
	kt_json_free(pruned);
	pruned = mine_gone ? remove_set(&p, mine_gone) : kt_json_ref(merged);
	kt_json_free(mine_gone);
	kt_json_free(gone);
	kt_json_free(left);
	kt_json_free(named);
	kt_json_free(keep);
	kt_json_free(all);
	kt_json_free(mine);
	kt_json_free(merged);
	return pruned;
}

/* --- conflicts --- */

struct conflict {
	char *manager, *path;
	size_t at; /* in the order in which they were found */
};
struct conflicts {
	struct conflict *items;
	size_t count, cap;
	char *manager; /* of those being added */
};

static void add_conflict(void *arg, const char *path)
{
	struct conflicts *c = arg;
	c->items = kt_grow(c->items, &c->cap, c->count + 1, sizeof(*c->items));
	c->items[c->count] = (struct conflict){kt_strdup(c->manager), kt_strdup(path), c->count};
	c->count++;
}

static void conflicts_clear(struct conflicts *c)
{
	for (size_t i = 0; i < c->count; i++) {
		kt_free(c->items[i].manager);
		kt_free(c->items[i].path);
	}
	kt_free(c->items);
}

/* "kubectl-create" using apps/v1; of an applier the name is enough. */
static char *print_manager(const struct kt_json *entry)
{
	struct kt_buf text = {0};
	const char *name = kt_str_or(kt_get(entry, "manager"), ""), *sub = kt_get_str(entry, "subresource");
	kt_json_print_string(name, strlen(name), &text);
	if (sub && *sub)
		kt_buf_addf(&text, " with subresource \"%s\"", sub);
	if (kt_streq(kt_get_str(entry, "operation"), "Update"))
		kt_buf_addf(&text, " using %s", kt_str_or(kt_get(entry, "apiVersion"), ""));
	return kt_buf_take(&text);
}

static int by_manager(const void *a, const void *b)
{
	const struct conflict *x = a, *y = b;
	int order = strcmp(x->manager, y->manager);
	return order ? order : x->at < y->at ? -1 : 1;
}

static bool fail_conflicts(struct apply *a, struct conflicts *c)
{
	struct kt_buf text = {0};
	struct kt_json *causes = kt_json_array();
	const char *last = "";
	qsort(c->items, c->count, sizeof(*c->items), by_manager);
	if (c->count == 1)
		kt_buf_addf(&text, "Apply failed with 1 conflict: conflict with %s: %s", c->items[0].manager,
		            c->items[0].path);
	else
		kt_buf_addf(&text, "Apply failed with %zu conflicts: ", c->count);
	for (size_t i = 0; i < c->count; i++) {
		char *message = kt_strf("conflict with %s", c->items[i].manager);
		kt_push(&causes, kt_jsonf("{reason: 'FieldManagerConflict', message: %s, field: %s}", message,
		                          c->items[i].path));
		kt_free(message);
		if (c->count == 1)
			continue;
		if (strcmp(last, c->items[i].manager) != 0)
			kt_buf_addf(&text, "%sconflicts with %s:", i > 0 ? "\n" : "", c->items[i].manager);
		kt_buf_addf(&text, "\n- %s", c->items[i].path);
		last = c->items[i].manager;
	}
	bool first = a->status && a->status->code == 0;
	api_fail(a->status, 409, "Conflict", "%s", kt_buf_str(&text));
	if (first && !a->status->details)
		a->status->details = kt_jsonf("{causes: %j}", causes);
	else
		kt_json_free(causes);
	kt_buf_clear(&text);
	return false;
}

/* Fields that kubectl's client-side apply owns are kubectl's to take over: what the annotation holds. */
static struct kt_json *forgiven(const struct apply *a)
{
	const struct kt_json *annotations = kt_path(a->live, "metadata.annotations");
	const char *text = kt_get_str(annotations, LAST_APPLIED);
	struct kt_json *last = NULL;
	struct kt_err err = {0};
	if (strcmp(a->manager, KUBECTL) != 0 || !text ||
	    kt_json_parse(text, strlen(text), NULL, &last, NULL, &err) != KT_OK)
		return NULL;
	struct kt_json *set = managed_to_set(&a->at, last);
	kt_json_free(last);
	return set;
}

static bool find_conflicts(struct apply *a, const struct managed_diff *diff)
{
	struct conflicts found = {0};
	struct kt_json *allowed = a->force ? NULL : forgiven(a);
	const struct kt_json *entry;
	bool ok = true;
	KT_JSON_EACH (entry, a->entries) {
		if (a->force || managed_is_entry(entry, a->manager, "Apply", NULL, a->subresource))
			continue;
		struct kt_json *both = managed_intersection(kt_get(entry, "fieldsV1"), diff->changed);
		struct kt_json *left = managed_difference(both, allowed);
		found.manager = print_manager(entry);
		managed_each(left, add_conflict, &found);
		kt_free(found.manager);
		kt_json_free(both);
		kt_json_free(left);
	}
	if (found.count > 0)
		ok = fail_conflicts(a, &found);
	conflicts_clear(&found);
	kt_json_free(allowed);
	return ok;
}

/* --- the whole --- */

static bool check_config(struct apply *a)
{
	struct kt_strs errors = {0};
	struct kt_buf text = {0};
	const char *ns = kt_path_str(a->config, "metadata.namespace"),
	           *name = kt_path_str(a->config, "metadata.name");
	if (kt_path(a->config, "metadata.managedFields"))
		return api_fail(a->status, 400, "BadRequest", "metadata.managedFields must be nil");
	managed_check(&a->at, a->config, &errors);
	for (size_t i = 0; i < errors.count; i++)
		kt_buf_addf(&text, errors.count > 1 ? "%s  %s" : "%s%s",
		            i > 0              ? "\n"
		            : errors.count > 1 ? "errors:\n"
		                               : "",
		            errors.items[i]);
	size_t count = errors.count;
	kt_strs_clear(&errors);
	if (count > 0)
		api_fail(a->status, 500, "", "failed to create typed patch object (%s/%s; %s%s, Kind=%s): %s",
		         ns ? ns : "", name ? name : "", *a->kind->group ? "" : "/", a->kind->api_version,
		         a->kind->kind, kt_buf_str(&text));
	kt_buf_clear(&text);
	return count == 0;
}

static struct kt_json *without_entries(const struct kt_json *object)
{
	struct kt_json *out = kt_json_ref(object);
	if (kt_path(out, "metadata.managedFields"))
		kt_unset(kt_edit(&out, "metadata"), "managedFields");
	return out;
}

static struct kt_json *last_set(const struct apply *a)
{
	const struct kt_json *entry;
	KT_JSON_EACH (entry, a->entries)
		if (managed_is_entry(entry, a->manager, "Apply", NULL, a->subresource))
			return kt_json_ref(kt_get(entry, "fieldsV1"));
	return NULL;
}

static struct kt_json *owned_by_any(const struct apply *a, const struct kt_json *applied)
{
	struct kt_json *all = kt_json_ref(applied);
	const struct kt_json *entry;
	KT_JSON_EACH (entry, a->entries) {
		if (managed_is_entry(entry, a->manager, "Apply", NULL, a->subresource))
			continue;
		struct kt_json *more = managed_union(all, kt_get(entry, "fieldsV1"));
		kt_json_free(all);
		all = more;
	}
	return all;
}

/* kubectl keeps the annotation of client-side apply up to date, so that one can go back. */
static void renew_last_applied(const struct apply *a, struct kt_json **object)
{
	if (strcmp(a->manager, KUBECTL) != 0 ||
	    !kt_get(kt_path(*object, "metadata.annotations"), LAST_APPLIED))
		return;
	struct kt_json *config = kt_json_ref(a->config);
	if (kt_get(kt_path(config, "metadata.annotations"), LAST_APPLIED))
		kt_unset(kt_edit(kt_edit(&config, "metadata"), "annotations"), LAST_APPLIED);
	struct kt_json *sorted = kt_json_sorted(config);
	char *text = kt_json_text(sorted);
	kt_set(kt_edit(kt_edit(object, "metadata"), "annotations"), LAST_APPLIED, kt_json_strf("%s\n", text));
	kt_free(text);
	kt_json_free(sorted);
	kt_json_free(config);
}

static void store_entries(struct apply *a, struct kt_json **merged, const struct kt_json *applied,
                          const struct managed_diff *diff, bool changed)
{
	struct kt_json *entries = kt_json_array(), *time = managed_time(a->now);
	const struct kt_json *entry, *before = NULL;
	KT_JSON_EACH (entry, a->entries) {
		if (managed_is_entry(entry, a->manager, "Apply", NULL, a->subresource)) {
			before = kt_get(entry, "time");
			continue;
		}
		struct kt_json *x = managed_difference(kt_get(entry, "fieldsV1"), diff->changed);
		struct kt_json *y = managed_difference(x, diff->removed), *left = kt_json_ref(entry);
		if (y != kt_get(entry, "fieldsV1"))
			kt_set(&left, "fieldsV1", y ? kt_json_ref(y) : kt_json_object());
		kt_push(&entries, left);
		kt_json_free(x);
		kt_json_free(y);
	}
	if (applied)
		kt_push(&entries, managed_entry(a->manager, "Apply", a->kind->api_version, a->subresource,
		                                changed ? time : before, applied));
	managed_store(merged, entries);
	kt_json_free(time);
}

static bool apply(struct apply *a, struct kt_json **out)
{
	struct kt_json *set = managed_to_set(&a->at, a->config);
	struct kt_json *applied = managed_stripped(NULL, a->kind, a->subresource, set), *last = last_set(a);
	struct kt_json *merged = managed_merge(&a->at, a->live, a->config);
	struct managed_diff diff = {0};
	if (last) {
		struct kt_json *owned = owned_by_any(a, set);
		merged = prune(&a->at, merged, last, owned);
		kt_json_free(owned);
	}
	managed_compare(&a->at, a->live, merged, NULL, &diff);
	bool ok = find_conflicts(a, &diff);
	if (ok) {
		renew_last_applied(a, &merged);
		store_entries(a, &merged, applied, &diff, !a->old || !kt_equal(a->live, merged));
		/* metadata keeps its entries where they were for comparing: equal means the same object */
		if (a->old && kt_equal(a->old, merged)) {
			kt_json_free(merged);
			merged = kt_json_ref(a->old);
		}
		*out = merged;
		merged = NULL;
	}
	kt_json_free(merged);
	kt_json_free(diff.changed);
	kt_json_free(diff.removed);
	kt_json_free(last);
	kt_json_free(applied);
	kt_json_free(set);
	return ok;
}

/* An object that nobody owns a field of is taken to be somebody's (managedfields/internal/skipnonapplied.go).
 */
static struct kt_json *before_first_apply(const struct apply *a)
{
	struct kt_json *set = managed_to_set(&a->at, a->live), *entries = kt_json_array(),
	               *fields = managed_stripped(NULL, a->kind, a->subresource, set),
	               *time = managed_time(a->now);
	if (fields)
		kt_push(&entries, managed_entry("before-first-apply", "Update", a->kind->api_version,
		                                a->subresource, time, fields));
	kt_json_free(time);
	kt_json_free(fields);
	kt_json_free(set);
	return entries;
}

bool managed_apply(const struct schema_kind *kind, const struct kt_json *old, const struct kt_json *applied,
                   const char *manager, const char *subresource, bool force, kt_ns now, struct kt_json **out,
                   struct api_status *status)
{
	struct apply a = {.kind = kind,
	                  .at = managed_at_root(kind->type),
	                  .old = old,
	                  .manager = manager,
	                  .subresource = subresource,
	                  .force = force,
	                  .now = now,
	                  .status = status};
	a.config = kt_json_ref(applied);
	a.live = old ? without_entries(old)
	             : kt_jsonf("{apiVersion: %s, kind: %s}", kind->api_version, kind->kind);
	struct kt_json *before = NULL;
	struct kt_json *each = managed_last_of_each(kt_path(old, "metadata.managedFields"));
	a.entries = each;
	if (old && !kt_count(a.entries))
		a.entries = before = before_first_apply(&a);
	bool ok = check_config(&a);
	if (!*subresource && schema_subresource_named(kind, "status"))
		kt_unset(&a.config, "status");
	ok = ok && apply(&a, out);
	kt_json_free(a.config);
	kt_json_free(a.live);
	kt_json_free(each);
	kt_json_free(before);
	return ok;
}
