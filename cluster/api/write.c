/* SPDX-License-Identifier: MIT */
/* The one path into the store, for every create and update: metadata, defaults, ownership, admission,
 * strategy, validation, in the real server's order (apiserver pkg/registry/generic/registry/store.go,
 * pkg/registry/rest). */
#include "cluster/api/internal.h"
#include "cluster/api/times.h"
#include <stdlib.h>
#include <string.h>

#define GENERATE_TRIES 8

/* --- metadata --- */
const char *const api_metadata_order[] = {
        "name",
        "generateName",
        "namespace",
        "selfLink",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "labels",
        "annotations",
        "ownerReferences",
        "finalizers",
        "managedFields",
        NULL,
};

/* Names that are not in the list count as its end. */
static bool in_order(const struct kt_json *metadata)
{
	size_t at = 0;

	for (size_t i = 0, n = kt_count(metadata); i < n; i++) {
		const char *key = kt_key(metadata, i);
		size_t here = at;

		while (api_metadata_order[here] && strcmp(api_metadata_order[here], key) != 0)
			here++;
		for (size_t k = 0; !api_metadata_order[here] && k < at && api_metadata_order[k]; k++)
			if (strcmp(api_metadata_order[k], key) == 0)
				return false;
		at = here;
	}
	return true;
}

void api_order_metadata(struct kt_json **object)
{
	struct kt_json **metadata = kt_edit(object, "metadata");
	struct kt_json_member members[KT_COUNT(api_metadata_order)];
	size_t count = 0;

	if (in_order(*metadata))
		return;
	for (; api_metadata_order[count]; count++)
		members[count] = (struct kt_json_member){
		        api_metadata_order[count], kt_json_ref(kt_get(*metadata, api_metadata_order[count]))};
	kt_json_free(*metadata);
	*metadata = kt_json_members(members, count);
}

/* Lists that are printed though unset: an empty one comes back from the store as none. */
static void forget_empty_lists(const struct schema_kind *kind, struct kt_json **object)
{
	static const struct {
		const char *group, *kind, *path;
	} rows[] = {
	        {"rbac.authorization.k8s.io", "Role", "rules"},
	        {"rbac.authorization.k8s.io", "ClusterRole", "rules"},
	        {"discovery.k8s.io", "EndpointSlice", "endpoints"},
	        {"discovery.k8s.io", "EndpointSlice", "ports"},
	        {"", "LimitRange", "spec.limits"},
	        {"storage.k8s.io", "CSINode", "spec.drivers"},
	};

	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		const struct kt_json *list =
		        kt_streq(rows[i].kind, kind->kind) && kt_streq(rows[i].group, kind->group)
		                ? kt_path(*object, rows[i].path)
		                : NULL;
		if (kt_is_array(list) && !kt_count(list))
			kt_set_path(object, rows[i].path, kt_json_null());
	}
}

/* kind, apiVersion and metadata come first, whoever built the value. */
static void order_root(const struct schema_kind *kind, struct kt_json **object)
{
	struct kt_json *ordered;
	const struct kt_json *member;

	if (kt_streq(kt_key(*object, 0), "kind") && kt_streq(kt_key(*object, 1), "apiVersion") &&
	    kt_streq(kt_key(*object, 2), "metadata"))
		return;
	ordered = kt_jsonf("{kind: %s, apiVersion: %s, metadata: %J}", kind->kind, kind->api_version,
	                   kt_get(*object, "metadata"));
	KT_JSON_EACH (member, *object) {
		const char *key = kt_key(*object, member_i);

		if (!kt_get(ordered, key))
			kt_set(&ordered, key, kt_json_ref(member));
	}
	kt_json_free(*object);
	*object = ordered;
}

char *api_time(kt_ns t)
{
	struct kt_buf text = {0};

	kt_time_print(t, &text);
	return kt_buf_take(&text);
}

struct kt_json *api_micro_time(kt_ns t)
{
	struct kt_buf text = {0};
	struct kt_json *json;

	kt_time_print_micro(t, &text);
	json = kt_json_strn(text.data, text.len);
	kt_buf_clear(&text);
	return json;
}

static struct kt_json *time_json(kt_ns t)
{
	struct kt_buf text = {0};
	struct kt_json *json;

	kt_time_print(t, &text);
	json = kt_json_strn(text.data, text.len);
	kt_buf_clear(&text);
	return json;
}

static void set_name(struct api_write *write, struct kt_json **metadata)
{
	const char *base = kt_get_str(*metadata, "generateName");
	char suffix[6] = "";

	if (kt_str_len(kt_get(*metadata, "name")) || !base || !*base)
		return;
	kt_random_name(cluster_random(write->cluster), suffix, 5);
	suffix[5] = '\0';
	/* names.MaxGeneratedNameLength: 63 - 5 */
	kt_set(metadata, "name", kt_json_strf("%.58s%s", base, suffix));
}

static bool fill_metadata(struct api_write *write, struct kt_json **object)
{
	struct kt_json **metadata = kt_edit(object, "metadata");
	char uid[37];

	if (!*metadata)
		*metadata = kt_json_object();
	if (write->kind->namespaced)
		kt_set(metadata, "namespace", kt_json_str(write->ns));
	else
		kt_unset(metadata, "namespace");
	kt_random_uuid(cluster_random(write->cluster), uid);
	kt_set(metadata, "uid", kt_json_str(uid));
	kt_set(metadata, "creationTimestamp", time_json(cluster_now(write->cluster)));
	kt_unset(metadata, "selfLink");
	kt_set(metadata, "resourceVersion", kt_json_str("")); /* its place; the store fills it */
	kt_unset(metadata, "deletionTimestamp");
	kt_unset(metadata, "deletionGracePeriodSeconds");
	api_order_metadata(object);
	order_root(write->kind->storage, object);
	return true;
}

/* --- the parts of the way --- */
struct store_cause api_cause(const struct api_write *write)
{
	if (write->actor)
		return (struct store_cause){.actor = write->actor->component ? write->actor->component
		                                                             : write->actor->user,
		                            .because = write->actor->because};
	return (struct store_cause){.actor = write->user ? write->user->name : NULL};
}

static struct rules_request rules_of(struct api_write *write, enum rules_operation operation,
                                     struct kt_json **object, const struct kt_json *old)
{
	return (struct rules_request){
	        .cluster = write->cluster,
	        .operation = operation,
	        .kind = write->kind->storage,
	        .ns = write->kind->namespaced ? write->ns : "",
	        .name = object ? kt_str_or(kt_path(*object, "metadata.name"), "") : write->name,
	        .subresource = write->subresource ? write->subresource : "",
	        .user = write->user,
	        .object = object,
	        .old = old,
	        .dry_run = write->dry_run,
	        .warnings = write->warnings,
	};
}

static bool invalid(struct api_write *write, const struct kt_json *object, struct rules_errors *errors)
{
	bool any = kt_count(errors->causes) > 0;
	/* rules of custom kinds warn while they are looked at, the others' warnings are of what is valid */
	bool warns = !any || write->kind->crd;

	for (size_t i = 0; warns && write->warnings && i < errors->warnings.count; i++)
		if (!kt_strs_has(write->warnings, errors->warnings.items[i]))
			kt_strs_add(write->warnings, errors->warnings.items[i]);
	if (any)
		api_fail_invalid(write->status, write->kind, kt_str_or(kt_path(object, "metadata.name"), ""),
		                 errors->causes);
	rules_errors_clear(errors);
	return any;
}

static bool is_kind(const struct api_write *write, const char *group, const char *kind)
{
	return kt_streq(write->kind->kind, kind) && kt_streq(write->kind->group, group);
}

static bool resets_status(const struct api_write *write)
{
	return api_has_status(write->kind->storage) &&
	       !(api_traits_of(write->kind->storage) & API_KEEPS_STATUS);
}

/* Ownership is worked out before admission changes anything: what the server adds has no manager. */
static void own(struct api_write *write, const struct kt_json *old, struct kt_json **object)
{
	api_prepare_owned(write, old, object);
	if (api_traits_of(write->kind->storage) & API_UNMANAGED) {
		kt_unset(kt_edit(object, "metadata"), "managedFields");
		return;
	}
	if (write->applied || write->owned)
		return;
	managed_update_cached(cluster_api_state(write->cluster)->managed, write->kind->storage, old, object,
	                      write->manager, write->subresource ? write->subresource : "",
	                      cluster_now(write->cluster));
}

/* --- create --- */
static bool finish_create(struct api_write *write, struct kt_json **object, struct kt_json **out)
{
	struct rules_errors errors = {0};
	struct rules_request rules = rules_of(write, RULES_CREATE, object, NULL);
	struct store *store = cluster_store(write->cluster);
	struct store_cause cause = api_cause(write);
	const char *name;

	if (!rules_mutate(&rules, write->status))
		return false;
	set_name(write, kt_edit(object, "metadata")); /* plugins up to here see no name of a generated one */
	if (!rules_prepare(&rules, write->status) || !api_prepare_create(write, object))
		return false;
	/* the allocators come before validation (registry.Store's BeginCreate) */
	if (is_kind(write, "", "Service") && !api_service_create(write, object))
		return false;
	if (!write->trusted)
		rules_validate_create(write->cluster, write->kind, *object, &errors);
	if (invalid(write, *object, &errors))
		return false;
	rules.name = name = kt_str_or(kt_path(*object, "metadata.name"), "");
	if (!rules_admit(&rules, write->status))
		return false;
	const struct store_object *there = store_get(store, write->kind->storage, rules.ns, name);
	if (there)
		return api_fail_exists(write->status, write->kind, name, view_is_deleting(there->json));
	api_order_metadata(object);
	forget_empty_lists(write->kind->storage, object);
	if (write->dry_run) {
		kt_unset(kt_edit(object, "metadata"), "resourceVersion");
		*out = kt_json_ref(*object);
		return true;
	}
	*out = kt_json_ref(store_put(store, write->kind->storage, kt_json_ref(*object),
	                             cluster_now(write->cluster), &cause)
	                           ->json);
	if (is_kind(write, "", "Service"))
		api_service_settle(write->cluster, NULL, *out);
	return true;
}

static bool create_once(struct api_write *write, const struct kt_json *body, struct kt_json **out)
{
	struct kt_json *object = kt_json_ref(body);
	bool fine;

	schema_default(cluster_schema(write->cluster), write->kind->storage, &object);
	if (resets_status(write) && !(api_traits_of(write->kind->storage) & API_CREATES_WITH_STATUS))
		api_reset_status(write->kind->storage, &object);
	fill_metadata(write, &object);
	own(write, NULL, &object);
	fine = finish_create(write, &object, out);
	kt_json_free(object);
	return fine;
}

bool api_write_create(struct api_write *write, struct kt_json *steal, struct kt_json **out)
{
	bool generated = !kt_str_len(kt_path(steal, "metadata.name")) &&
	                 kt_str_len(kt_path(steal, "metadata.generateName"));
	bool fine = create_once(write, steal, out);

	for (int i = 1; !fine && generated && write->status &&
	                kt_streq(write->status->reason, "AlreadyExists") && i < GENERATE_TRIES;
	     i++) {
		api_status_clear(write->status);
		fine = create_once(write, steal, out);
	}
	kt_json_free(steal);
	return fine;
}

/* --- update --- */
const struct store_object *api_find(struct api_write *write)
{
	const struct store_object *object = store_get(cluster_store(write->cluster), write->kind->storage,
	                                              write->kind->namespaced ? write->ns : "", write->name);

	if (!object)
		api_fail_not_found(write->status, write->kind, write->name);
	return object;
}

/* Where the real server keeps it (kubeapiserver/default_storage_factory_builder.go); a trial is not told the
 * root of all keys. */
static char *storage_key(const struct api_write *write, const struct store_object *object)
{
	static const char *const others[][3] = {
	        {"", "replicationcontrollers", "controllers"},
	        {"", "endpoints", "services/endpoints"},
	        {"", "nodes", "minions"},
	        {"", "services", "services/specs"},
	        {"networking.k8s.io", "ingresses", "ingress"},
	};
	const struct schema_kind *kind = write->kind->storage;
	const char *resource = kind->resource;

	for (size_t i = 0; i < KT_COUNT(others); i++)
		if (kt_streq(others[i][0], kind->group) && kt_streq(others[i][1], resource))
			resource = others[i][2];
	return kt_strf("%s/%s%s%s/%s%s%s", write->dry_run ? "" : "/registry", kind->crd ? kind->group : "",
	               kind->crd ? "/" : "", resource, kind->namespaced ? object->ns : "",
	               kind->namespaced ? "/" : "", object->name);
}

static bool check_identity(struct api_write *write, const struct store_object *old,
                           const struct kt_json *object)
{
	const struct kt_json *metadata = kt_get(object, "metadata");
	const char *uid = kt_get_str(metadata, "uid"), *version = kt_get_str(metadata, "resourceVersion");

	if (uid && *uid && strcmp(uid, old->uid) != 0 && write->patched) {
		struct rules_errors errors = {0};

		/* once for all objects, once for those of this kind */
		for (int i = 0; i < 2; i++)
			rules_error(&errors, "FieldValueInvalid", "metadata.uid", kt_get(metadata, "uid"),
			            "field is immutable");
		api_fail_invalid(write->status, write->kind, old->name, errors.causes);
		rules_errors_clear(&errors);
		return false;
	}
	if (uid && *uid && strcmp(uid, old->uid) != 0) {
		char *key = storage_key(write, old);
		char *why = kt_strf(
		        "StorageError: invalid object, Code: 4, Key: %s, ResourceVersion: 0, "
		        "AdditionalErrorMsg: Precondition failed: UID in precondition: %s, UID in object "
		        "meta: %s",
		        key, uid, old->uid);

		kt_free(key);

		api_fail_conflict(write->status, write->kind, old->name, why);
		kt_free(why);
		return false;
	}
	if (version && *version && !kt_streq(version, "0")) {
		char *end;

		bool same = strtoull(version, &end, 10) == old->version;
		if (*end)
			return api_fail(write->status, 500, "",
			                "strconv.ParseUint: parsing \"%s\": invalid syntax", version);
		if (!same)
			return api_fail_conflict(
			        write->status, write->kind, old->name,
			        "the object has been modified; please apply your changes to the latest "
			        "version and try again");
	} else if (!write->trusted && (api_traits_of(write->kind->storage) & API_NEEDS_VERSION) &&
	           !write->applied) {
		struct kt_json *causes =
		        kt_jsonf("[{reason: 'FieldValueInvalid', message: 'Invalid value: 0: must be "
		                 "specified for an update', field: 'metadata.resourceVersion'}]");
		struct schema_kind named = *write->kind; /* the store knows resources only */

		named.kind = named.resource;
		api_fail_invalid(write->status, &named, old->name, causes);
		kt_json_free(causes);
		return false;
	}
	return true;
}

static void keep_member(struct kt_json **object, const struct kt_json *old, const char *name)
{
	const struct kt_json *was = kt_get(old, name);

	if (was == kt_get(*object, name))
		return;
	kt_set(object, name, kt_json_ref(was));
}

/* What an update may not change: who the object is; and the half that belongs to the other endpoint. */
static void keep_what_stays(struct api_write *write, const struct kt_json *old, struct kt_json **object)
{
	static const char *const own_members[] = {"namespace",         "uid",
	                                          "resourceVersion",   "creationTimestamp",
	                                          "deletionTimestamp", "deletionGracePeriodSeconds"};
	const struct kt_json *was = kt_get(old, "metadata");
	bool status = kt_streq(write->subresource, "status") || kt_streq(write->subresource, "approval");
	struct kt_json **metadata;

	if (status && (api_traits_of(write->kind->storage) & API_STATUS_KEEPS_METADATA)) {
		struct kt_json *managed = kt_json_ref(kt_path(*object, "metadata.managedFields"));

		kt_set(object, "metadata", kt_json_ref(was));
		if (write->applied || managed)
			kt_set(kt_edit(object, "metadata"), "managedFields", managed);
	}
	metadata = kt_edit(object, "metadata");
	for (size_t i = 0; i < KT_COUNT(own_members); i++) {
		/* who sets the end of something that lives is told so (ValidateObjectMetaUpdate) */
		bool ends = kt_starts(own_members[i], "deletion") && !write->trusted && !status &&
		            !kt_get(was, own_members[i]);
		if (!ends)
			keep_member(metadata, was, own_members[i]);
	}
	if (status && (api_traits_of(write->kind->storage) & API_STATUS_KEEPS_LABELS))
		keep_member(metadata, was, "labels");
	kt_unset(metadata, "selfLink");
	if (!status && (api_traits_of(write->kind->storage) & API_KEEPS_SPEC))
		keep_member(object, old, "spec");
	if (!status && resets_status(write)) {
		keep_member(object, old, "status");
	} else if (status) {
		for (size_t i = 0, n = kt_count(old); i < n; i++) {
			const char *key = kt_key(old, i);

			if (!kt_streq(key, "metadata") && !kt_streq(key, "status"))
				keep_member(object, old, key);
		}
	}
}

static bool only_managed_times_differ(const struct kt_json *old, const struct kt_json *object)
{
	const struct kt_json *member;

	if (kt_count(old) != kt_count(object))
		return false;
	KT_JSON_EACH (member, object) {
		const char *key = kt_key(object, member_i);
		const struct kt_json *was = kt_get(old, key), *item;

		if (member == was)
			continue;
		if (!kt_streq(key, "metadata")) {
			if (!kt_equal(member, was))
				return false;
			continue;
		}
		if (kt_count(was) != kt_count(member))
			return false;
		KT_JSON_EACH (item, member) {
			const char *name = kt_key(member, item_i);
			const struct kt_json *before = kt_get(was, name);

			if (item == before || kt_equal(item, before))
				continue;
			if (!kt_streq(name, "managedFields") || kt_count(item) != kt_count(before))
				return false;
			for (size_t i = 0, n = kt_count(item); i < n; i++) {
				struct kt_json *a = kt_json_ref(kt_at(item, i)),
				               *b = kt_json_ref(kt_at(before, i));
				bool same;

				kt_unset(&a, "time");
				kt_unset(&b, "time");
				same = kt_equal(a, b);
				kt_json_free(a);
				kt_json_free(b);
				if (!same)
					return false;
			}
		}
	}
	return true;
}

/* The last finalizer of an object that is to go: it goes now (Store.deleteWithoutFinalizers). */
static bool is_finished(const struct api_write *write, const struct kt_json *object)
{
	const struct kt_json *metadata = kt_get(object, "metadata");

	if (!kt_get_str(metadata, "deletionTimestamp") || kt_count(kt_get(metadata, "finalizers")))
		return false;
	if (is_kind(write, "", "Namespace") && kt_count(kt_path(object, "spec.finalizers")))
		return false;
	return kt_get_int(metadata, "deletionGracePeriodSeconds", 0) == 0;
}

static bool store_update(struct api_write *write, const struct store_object *old, struct kt_json **object,
                         struct kt_json **out)
{
	struct store *store = cluster_store(write->cluster);
	struct store_cause cause = api_cause(write);
	kt_ns now = cluster_now(write->cluster);
	const struct store_object *stored;

	if (only_managed_times_differ(old->json, *object)) {
		*out = kt_json_ref(old->json);
		return true;
	}
	if (write->dry_run) {
		*out = kt_json_ref(*object);
		return true;
	}
	if (is_finished(write, *object)) {
		*out = kt_json_ref(*object);
		store_delete(store, old, now, &cause);
		if (is_kind(write, "", "Service"))
			api_service_settle(write->cluster, old->json, NULL);
		return true;
	}
	stored = store_put(store, write->kind->storage, kt_json_ref(*object), now, &cause);
	*out = kt_json_ref(stored->json);
	if (is_kind(write, "", "Service"))
		api_service_settle(write->cluster, old->json, *out);
	return true;
}

static bool update_object(struct api_write *write, const struct store_object *old, struct kt_json **object,
                          struct kt_json **out)
{
	struct rules_errors errors = {0};
	struct rules_request rules;

	/* what a part of the cluster left as it was has its defaults */
	schema_default_since(cluster_schema(write->cluster), write->kind->storage,
	                     write->trusted ? old->json : NULL, object);
	keep_what_stays(write, old->json, object);
	own(write, old->json, object);
	rules = rules_of(write, RULES_UPDATE, object, old->json);
	if (!rules_mutate(&rules, write->status))
		return false;
	api_prepare_update(write, old->json, object);
	if (is_kind(write, "", "Service") && !api_service_update(write, old->json, object))
		return false;
	if (!write->trusted) {
		rules_validate_update(write->cluster, write->kind,
		                      write->subresource ? write->subresource : "", *object, old->json,
		                      &errors);
		if (invalid(write, *object, &errors))
			return false;
	}
	if (!rules_admit(&rules, write->status))
		return false;
	api_order_metadata(object);
	order_root(write->kind->storage, object);
	forget_empty_lists(write->kind->storage, object);
	return store_update(write, old, object, out);
}

bool api_write_update(struct api_write *write, const struct store_object *old, struct kt_json *steal,
                      struct kt_json **out)
{
	struct kt_json *object = steal;
	bool fine;

	/* the old version stays readable until this one is in its place */
	store_ref(old);
	fine = check_identity(write, old, object) && update_object(write, old, &object, out);
	store_unref(old);
	kt_json_free(object);
	return fine;
}
