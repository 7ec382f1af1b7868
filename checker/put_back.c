/* SPDX-License-Identifier: MIT */
/* Putting back what a drill changes through the API, on clusters that have no snapshots: the objects that its
 * steps name are kept as they are before it. What controllers make of them follows by itself. */
#include "checker/steps_internal.h"

#include <stdio.h>
#include <string.h>

struct keeping {
	const struct check_run *run;
	struct kt_json
	        *kept; /* [{path, collection, object}], the first kept first; object null: there was none */
};

static void keep_ref(struct keeping *k, const struct check_ref *ref, const struct kt_json *object)
{
	struct check_ref collection = *ref;
	char *path = check_ref_path(ref), *all;
	collection.is_set = true;
	all = check_ref_path(&collection);
	if (kt_find(k->kept, "path", path) < 0)
		kt_push(&k->kept, kt_jsonf("{path: %s, collection: %s, object: %J}", path, all, object));
	kt_free(path);
	kt_free(all);
}

/* An object as it is now, or that there is none. What cannot be asked is not kept. */
static void keep_one(struct keeping *k, const struct check_ref *ref)
{
	struct kt_json *object = NULL;
	struct kt_err err = {0};
	enum kt_code rc = check_get(k->run, ref, &object, &err);
	if (!rc || rc == KT_ENOTFOUND)
		keep_ref(k, ref, rc ? NULL : object);
	kt_json_free(object);
}

static void keep_words(struct keeping *k, const char *words)
{
	struct check_ref ref;
	struct kt_json *items = NULL;
	const struct kt_json *item;
	if (!words || check_ref_of(k->run, words, &ref, NULL))
		return;
	if (!ref.is_set) {
		keep_one(k, &ref);
		return;
	}
	if (check_list(k->run, &ref, &items, NULL))
		return;
	KT_JSON_EACH (item, items) {
		struct check_ref one = ref;
		one.is_set = false;
		one.selector[0] = '\0';
		snprintf(one.ns, sizeof(one.ns), "%s", kt_str_or(kt_path(item, "metadata.namespace"), ""));
		snprintf(one.name, sizeof(one.name), "%s", kt_path_str(item, "metadata.name"));
		keep_one(k, &one);
	}
	kt_json_free(items);
}

static enum kt_code keep_object(void *arg, const struct kt_json *object, struct kt_err *err)
{
	struct keeping *k = arg;
	struct check_ref ref;
	const struct kt_json *item;
	KT_JSON_EACH (item, check_items(object))
		if (keep_object(k, item, err))
			break;
	if (!check_object_ref(k->run, object, &ref, NULL))
		keep_one(k, &ref);
	return KT_OK;
}

static void keep_step(struct keeping *k, const struct check_step *step)
{
	const struct kt_json *item, *body = step->body;
	if (step->kind->run == check_do_apply) {
		if (check_each_manifest(step->dir, body, keep_object, k, NULL))
			return; /* what cannot be read cannot be applied either */
	} else if (step->kind->run == check_do_delete && kt_is_array(body)) {
		KT_JSON_EACH (item, body)
			keep_words(k, kt_str(item));
	} else if (step->kind->run == check_do_delete || step->kind->run == check_do_restart) {
		keep_words(k, kt_str(body) ? kt_str(body) : kt_get_str(body, "object"));
	} else if (kt_get_str(body, "object")) { /* patch, scale, set-image */
		keep_words(k, kt_get_str(body, "object"));
	}
}

struct kt_json *check_keep(const struct check_run *run, struct check_step *const *steps, size_t count)
{
	struct keeping k = {run, kt_json_array()};
	for (size_t i = 0; i < count; i++)
		keep_step(&k, steps[i]);
	return k.kept;
}

/* Without what only the server may say. New. */
static struct kt_json *as_written(const struct kt_json *object)
{
	static const char *const said[] = {"uid",
	                                   "resourceVersion",
	                                   "generation",
	                                   "managedFields",
	                                   "creationTimestamp",
	                                   "selfLink",
	                                   "deletionTimestamp",
	                                   "deletionGracePeriodSeconds"};
	struct kt_json *out = kt_json_ref(object), *meta = kt_json_ref(kt_get(object, "metadata"));
	for (size_t i = 0; i < KT_COUNT(said); i++)
		kt_unset(&meta, said[i]);
	kt_set(&out, "metadata", meta);
	kt_unset(&out, "status");
	return out;
}

static bool is_owned(const struct kt_json *object)
{
	return kt_count(kt_path(object, "metadata.ownerReferences")) > 0;
}

static enum kt_code put_one(const struct check_run *run, const struct kt_json *row, struct kt_err *err)
{
	const char *path = kt_get_str(row, "path");
	const struct kt_json *object = kt_get(row, "object");
	struct kt_json *now = NULL;
	struct kt_err why = {0};
	enum kt_code rc = check_call(run, "GET", path, NULL, NULL, &now, &why);
	bool was = kt_is_object(object), there = !rc;
	if (rc && rc != KT_ENOTFOUND)
		return kt_fail(err, rc, "%s", why.text);
	/* a status that moved on is no change; a generation would tell neither of labels nor of a Service */
	struct kt_json *written = was ? as_written(object) : NULL, *is = there ? as_written(now) : NULL;
	rc = KT_OK;
	if (!was && there)
		rc = check_call(run, "DELETE", path, NULL, NULL, NULL, err);
	else if (was && there && !kt_equal(written, is))
		rc = check_call(run, "PUT", path, NULL, written, NULL, err);
	else if (was && !there && !is_owned(object))
		rc = check_call(run, "POST", kt_get_str(row, "collection"), NULL, written, NULL, err);
	kt_json_free(written);
	kt_json_free(is);
	kt_json_free(now);
	return rc == KT_ENOTFOUND ? KT_OK : rc;
}

enum kt_code check_put_back(const struct check_run *run, const struct kt_json *kept, struct kt_err *err)
{
	enum kt_code rc = KT_OK;
	for (size_t i = kt_count(kept); i-- > 0;) {
		struct kt_err why = {0};
		enum kt_code one = put_one(run, kt_at(kept, i), &why);
		if (one && !rc) /* the others are put back all the same */
			rc = kt_fail(err, one, "%s could not be put back: %s",
			             kt_get_str(kt_at(kept, i), "path"), why.text);
	}
	return rc;
}
