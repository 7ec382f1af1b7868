/* SPDX-License-Identifier: MIT */
/* managedFields of a Scale and of the object that it scales: k8s.io/apimachinery/pkg/util/managedfields,
 * scalehandler.go and DecodeManagedFields. */
#include "cluster/api/managed_internal.h"

#include <string.h>

#define SCALE_VERSION "autoscaling/v1"
#define SCALE_PATH    "spec.replicas"

static struct kt_json *set_of_path(const char *path)
{
	size_t len = strcspn(path, ".");
	char *name = kt_strndup(path, len);
	struct kt_json *set = kt_json_object();

	managed_put(&set, "f:", name, path[len] ? set_of_path(path + len + 1) : kt_json_object());
	kt_free(name);
	return set;
}

static bool has(const struct kt_json *entry, const struct kt_json *path)
{
	struct kt_json *both = managed_intersection(kt_get(entry, "fieldsV1"), path);
	bool found = kt_count(both) > 0;

	kt_json_free(both);
	return found;
}

/* BuildManagerIdentifier: who applies is one manager in all versions. */
static bool same_manager(const struct kt_json *a, const struct kt_json *b)
{
	const char *operation = kt_get_text(a, "operation");

	return managed_is_entry(b, kt_get_text(a, "manager"), operation,
	                        kt_streq(operation, "Apply") ? NULL : kt_get_text(a, "apiVersion"),
	                        kt_get_text(a, "subresource"));
}

static const struct kt_json *find(const struct kt_json *entries, const struct kt_json *like, size_t from)
{
	for (size_t i = from; i < kt_count(entries); i++)
		if (same_manager(kt_at(entries, i), like))
			return kt_at(entries, i);
	return NULL;
}

struct kt_json *managed_last_of_each(const struct kt_json *entries)
{
	struct kt_json *out = kt_json_array();
	const struct kt_json *entry;

	KT_JSON_EACH (entry, entries)
		if (!find(entries, entry, entry_i + 1))
			kt_push(&out, kt_json_ref(entry));
	return out;
}

static struct kt_json *with_set(const struct kt_json *entry, const char *api_version, struct kt_json *steal)
{
	struct kt_json *out = kt_json_ref(entry);

	kt_set(&out, "apiVersion", kt_json_str(api_version));
	kt_set(&out, "fieldsV1", steal ? steal : kt_json_object());
	return out;
}

struct kt_json *managed_to_scale(const struct kt_json *parent, const char *path)
{
	struct kt_json *out = kt_json_array(), *each = managed_last_of_each(parent),
	               *replicas = set_of_path(path);
	const struct kt_json *entry;

	KT_JSON_EACH (entry, each)
		if (has(entry, replicas))
			kt_push(&out, with_set(entry, SCALE_VERSION, set_of_path(SCALE_PATH)));
	kt_json_free(replicas);
	kt_json_free(each);
	return out;
}

void managed_from_scale(struct kt_json **object, const struct kt_json *scale, const char *path,
                        const char *api_version)
{
	struct kt_json *each = managed_last_of_each(kt_path(*object, "metadata.managedFields")),
	               *out = kt_json_array(), *replicas = set_of_path(path),
	               *of_scale = set_of_path(SCALE_PATH);
	const struct kt_json *entry;

	KT_JSON_EACH (entry, each) {
		const char *version = kt_get_text(entry, "apiVersion");

		if (!has(entry, replicas) || find(scale, entry, 0))
			kt_push(&out, kt_json_ref(entry));
		else
			kt_push(&out, with_set(entry, version,
			                       managed_difference(kt_get(entry, "fieldsV1"), replicas)));
	}
	KT_JSON_EACH (entry, scale) {
		const struct kt_json *was = find(each, entry, 0);

		if (!has(entry, of_scale) || (was && has(was, replicas)))
			continue;
		struct kt_json *more = with_set(entry, api_version, kt_json_ref(replicas));
		/* the time is looked for among the entries of the whole object */
		if (!was)
			kt_unset(&more, "time");
		kt_push(&out, more);
	}
	managed_store(object, out);
	kt_json_free(of_scale);
	kt_json_free(replicas);
	kt_json_free(each);
}
