/* SPDX-License-Identifier: MIT */
/* Deleting: grace, finalizers, propagation (apiserver pkg/registry/rest/delete.go,
 * generic/registry/store.go). */
#include "cluster/api/internal.h"
#include <inttypes.h>
#include <string.h>

#define ORPHAN     "orphan"
#define FOREGROUND "foregroundDeletion"

static bool is_kind(const struct store_object *object, const char *kind)
{
	return !*object->kind->group && kt_streq(object->kind->kind, kind);
}

/* --- preconditions --- */
static bool conflict(struct api_write *write, const char *name, char *why)
{
	/* the real server names the kind here, not the resource */
	const struct schema_kind *kind = write->kind;
	struct schema_kind named = {.group = kind->group, .kind = kind->kind, .resource = kind->kind};

	api_fail_conflict(write->status, &named, name, why);
	kt_free(why);
	return false;
}

static bool preconditions_hold(struct api_write *write, const struct store_object *object,
                               const struct api_deletion *deletion)
{
	const char *version = kt_path_str(object->json, "metadata.resourceVersion");

	if (deletion->uid && strcmp(deletion->uid, object->uid) != 0)
		return conflict(write, object->name,
		                kt_strf("the UID in the precondition (%s) does not match the UID in record "
		                        "(%s). The object "
		                        "might have been deleted and then recreated",
		                        deletion->uid, object->uid));
	if (deletion->version_text && !kt_streq(deletion->version_text, version))
		return conflict(write, object->name,
		                kt_strf("the ResourceVersion in the precondition (%s) does not match the "
		                        "ResourceVersion "
		                        "in record (%s). The object might have been modified",
		                        deletion->version_text, version));
	return true;
}

/* --- grace: pods only (pkg/registry/core/pod/strategy.go CheckGracefulDelete) --- */
static int64_t grace_of(const struct store_object *object, const struct api_deletion *deletion)
{
	const struct view_pod *pod;
	int64_t grace;

	if (!is_kind(object, "Pod"))
		return -1;
	pod = view_pod(object);
	grace = deletion->grace >= 0 ? deletion->grace
	                             : kt_get_int(pod->spec, "terminationGracePeriodSeconds", 30);
	if (!pod->node || pod->phase == VIEW_SUCCEEDED || pod->phase == VIEW_FAILED)
		return 0;
	return grace < 0 ? 1 : grace;
}

static void set_deletion(struct kt_json **object, kt_ns at, int64_t grace)
{
	struct kt_json **metadata = kt_edit(object, "metadata");
	char *when = api_time(at);

	kt_set(metadata, "deletionTimestamp", kt_json_str(when));
	kt_set(metadata, "deletionGracePeriodSeconds", kt_json_int(grace));
	kt_free(when);
}

/* True: the deletion is under way already and nothing changes. */
static bool is_pending(struct kt_json **object, const struct store_object *stored, int64_t grace,
                       bool *graceful)
{
	const struct kt_json *metadata = kt_get(*object, "metadata");
	const char *when = kt_get_str(metadata, "deletionTimestamp");
	int64_t before = kt_get_int(metadata, "deletionGracePeriodSeconds", 0);
	kt_ns at = 0;

	*graceful = false;
	if (!when || !is_kind(stored, "Pod"))
		return false;
	/* the time left can only become shorter */
	if (grace >= before || !kt_time_parse(when, &at)) {
		*graceful = before > 0;
		return before > 0;
	}
	set_deletion(object, at - (before - grace) * KT_SEC, grace);
	*graceful = true;
	return false;
}

/* --- finalizers of the garbage collector --- */
static bool wanted(const struct api_deletion *deletion, const struct kt_json *finalizers, const char *policy,
                   const char *finalizer)
{
	if (deletion->orphan_set)
		return kt_streq(finalizer, ORPHAN) && deletion->orphan;
	if (deletion->propagation)
		return kt_streq(deletion->propagation, policy);
	return kt_has_word(finalizers, finalizer);
}

static void set_finalizers(struct kt_json **object, const struct api_deletion *deletion)
{
	const struct kt_json *now = kt_path(*object, "metadata.finalizers");
	struct kt_json *next = kt_json_array();
	bool orphan = wanted(deletion, now, "Orphan", ORPHAN);
	bool foreground = wanted(deletion, now, "Foreground", FOREGROUND);

	for (size_t i = 0, n = kt_count(now); i < n; i++) {
		const char *word = kt_str_or(kt_at(now, i), "");

		if (!kt_streq(word, ORPHAN) && !kt_streq(word, FOREGROUND))
			kt_push(&next, kt_json_str(word));
	}
	if (orphan)
		kt_push(&next, kt_json_str(ORPHAN));
	if (foreground)
		kt_push(&next, kt_json_str(FOREGROUND));
	if (kt_equal(now, next) || (!now && !kt_count(next))) {
		kt_json_free(next);
		return;
	}
	if (!kt_count(next))
		kt_json_freep(&next);
	kt_set(kt_edit(object, "metadata"), "finalizers", next);
}

/* --- namespaces: emptied first (pkg/registry/core/namespace/storage) --- */
static bool namespace_waits(struct api_write *write, const struct store_object *object,
                            struct kt_json **changed)
{
	if (!is_kind(object, "Namespace"))
		return false;
	if (!kt_count(kt_path(object->json, "spec.finalizers")))
		return false;
	if (view_is_deleting(object->json))
		return true;
	set_deletion(changed, cluster_now(write->cluster), 0);
	kt_unset_path(changed, "metadata.deletionGracePeriodSeconds");
	kt_set_path(changed, "status.phase", kt_json_str("Terminating"));
	return true;
}

static bool put(struct api_write *write, const struct store_object *object, struct kt_json **changed,
                struct kt_json **out)
{
	struct store_cause cause = api_cause(write);

	api_order_metadata(changed);
	if (write->dry_run || kt_equal(object->json, *changed))
		*out = kt_json_ref(*changed);
	else
		*out = kt_json_ref(store_put(cluster_store(write->cluster), object->kind,
		                             kt_json_ref(*changed), cluster_now(write->cluster), &cause)
		                           ->json);
	return true;
}

static bool remove_now(struct api_write *write, const struct store_object *object, struct kt_json **out,
                       bool *gone)
{
	struct store_cause cause = api_cause(write);

	*out = kt_json_ref(object->json);
	*gone = true;
	if (write->dry_run)
		return true;
	store_delete(cluster_store(write->cluster), object, cluster_now(write->cluster), &cause);
	if (is_kind(object, "Service"))
		api_service_settle(write->cluster, *out, NULL);
	return true;
}

static bool delete_object(struct api_write *write, const struct store_object *object,
                          const struct api_deletion *deletion, struct kt_json **changed, struct kt_json **out,
                          bool *gone)
{
	int64_t grace = grace_of(object, deletion),
	        generation = kt_path_int(object->json, "metadata.generation", 0);
	bool graceful, first = !view_is_deleting(object->json);

	if (namespace_waits(write, object, changed)) {
		if (first)
			return put(write, object, changed, out);
		*out = kt_json_ref(object->json);
		return true;
	}
	if (is_pending(changed, object, grace, &graceful)) {
		*out = kt_json_ref(*changed);
		return true;
	}
	set_finalizers(changed, deletion);
	if (grace <= 0 && !kt_count(kt_path(*changed, "metadata.finalizers")))
		return remove_now(write, object, out, gone);
	if (first) {
		set_deletion(changed, cluster_now(write->cluster) + KT_MAX(grace, 0) * KT_SEC,
		             KT_MAX(grace, 0));
		if (generation > 0)
			kt_set(kt_edit(changed, "metadata"), "generation", kt_json_int(generation + 1));
	}
	return put(write, object, changed, out);
}

bool api_write_delete(struct api_write *write, const struct store_object *object,
                      const struct api_deletion *deletion, struct kt_json **out, bool *gone)
{
	struct rules_request rules = {
	        .cluster = write->cluster,
	        .operation = RULES_DELETE,
	        .kind = write->kind->storage,
	        .ns = object->ns,
	        .name = object->name,
	        .subresource = "",
	        .user = write->user,
	        .old = object->json,
	        .dry_run = write->dry_run,
	        .warnings = write->warnings,
	};
	struct kt_json *changed;
	bool fine;

	*gone = false;
	if (!rules_admit(&rules, write->status) || !preconditions_hold(write, object, deletion))
		return false;
	store_ref(object);
	changed = kt_json_ref(object->json);
	fine = delete_object(write, object, deletion, &changed, out, gone);
	kt_json_free(changed);
	store_unref(object);
	return fine;
}

/* --- DELETE over HTTP --- */
static const char *const policies[] = {"Orphan", "Background", "Foreground"};

struct delete_options {
	struct kt_json *body;
	struct api_deletion deletion;
	bool dry_run;
};

/* Why a body is no DeleteOptions, in the words of the real server, which takes it for its own fault: 500. */
static char *body_fault(const struct kt_json *body)
{
	static const struct {
		const char *name;
		enum kt_json_type type;
		const char *go;
	} members[] = {
	        {"gracePeriodSeconds", KT_JSON_INT, "int64"},
	        {"propagationPolicy", KT_JSON_STRING, "v1.DeletionPropagation"},
	        {"orphanDependents", KT_JSON_BOOL, "bool"},
	        {"preconditions", KT_JSON_OBJECT, "v1.Preconditions"},
	        {"dryRun", KT_JSON_ARRAY, "[]string"},
	};
	const char *said = kt_get_text(body, "kind"), *version = kt_get_text(body, "apiVersion");

	if (*said && !kt_streq(said, "DeleteOptions"))
		return kt_strf("no kind \"%s\" is registered for version \"%s\" in scheme "
		               "\"pkg/runtime/scheme.go:110\"",
		               said, *version ? version : "meta.k8s.io/v1");
	for (size_t i = 0; i < KT_COUNT(members); i++) {
		const struct kt_json *value = kt_get(body, members[i].name);

		if (value && kt_json_type(value) != members[i].type && kt_json_type(value) != KT_JSON_NULL)
			return kt_strf(
			        "json: cannot unmarshal %s into Go struct field DeleteOptions.%s of type %s",
			        patch_json_kind(value), members[i].name, members[i].go);
	}
	return NULL;
}

static bool read_body(struct api_request *request, struct delete_options *out)
{
	char *why;

	if (!request->http->body_len)
		return true;
	if (!api_body(request, &out->body))
		return false;
	why = kt_json_type(out->body) == KT_JSON_NULL ? NULL : api_type_fault(out->body);
	if (!why)
		why = body_fault(out->body);
	if (why)
		api_fail(&request->status, 500, "", "%s", why);
	kt_free(why);
	return !request->status.code;
}

/* apimachinery pkg/apis/meta/v1/validation ValidateDeleteOptions */
static bool options_hold(struct api_request *request, const struct delete_options *o,
                         const struct kt_json *dry)
{
	static const struct schema_kind kind = {
	        .group = "meta.k8s.io", .kind = "DeleteOptions", .resource = ""};
	const char *policy = o->deletion.propagation;
	struct kt_json *text = policy ? kt_json_str(policy) : NULL;
	struct rules_errors errors = {0};
	bool known = !policy, fine;

	for (size_t i = 0; policy && i < KT_COUNT(policies); i++)
		known = known || kt_streq(policies[i], policy);
	if (policy && o->deletion.orphan_set)
		rules_error(&errors, "FieldValueInvalid", "propagationPolicy", text,
		            "orphanDependents and deletionPropagation cannot be both set");
	if (!known)
		rules_error(&errors, "FieldValueNotSupported", "propagationPolicy", text,
		            "supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"");
	if (kt_count(dry) && (kt_count(dry) > 1 || !kt_streq(kt_str(kt_at(dry, 0)), "All")))
		rules_error(&errors, "FieldValueNotSupported", "dryRun", dry, "supported values: \"All\"");
	fine = !errors.causes;
	if (!fine)
		api_fail_invalid(&request->status, &kind, "", errors.causes);
	rules_errors_clear(&errors);
	kt_json_free(text);
	return fine;
}

static bool read_options(struct api_request *request, struct delete_options *out)
{
	const char *grace = api_query(request, "gracePeriodSeconds"), *dry = api_query(request, "dryRun");
	const char *policy = api_query(request, "propagationPolicy"),
	           *orphan = api_query(request, "orphanDependents");
	struct api_deletion *deletion = &out->deletion;
	const struct kt_json *body;
	struct kt_json *runs;
	int64_t seconds = -1;

	*out = (struct delete_options){.deletion = {.grace = -1}};
	if (!read_body(request, out))
		return false;
	if (grace && !api_parse_int(request, grace, &seconds))
		return false;
	body = out->body;
	deletion->grace =
	        kt_get(body, "gracePeriodSeconds") ? kt_get_int(body, "gracePeriodSeconds", -1) : seconds;
	deletion->propagation = kt_get_str(body, "propagationPolicy");
	if (!deletion->propagation && policy && *policy)
		deletion->propagation = policy;
	deletion->orphan_set = kt_get(body, "orphanDependents") || orphan;
	deletion->orphan = kt_get_bool(body, "orphanDependents", api_query_bool(request, "orphanDependents"));
	deletion->uid = kt_path_str(body, "preconditions.uid");
	deletion->version_text = kt_path_str(body, "preconditions.resourceVersion");
	runs = kt_count(kt_get(body, "dryRun")) ? kt_json_ref(kt_get(body, "dryRun"))
	       : dry                            ? kt_jsonf("[%s]", dry)
	                                        : NULL;
	out->dry_run = kt_count(runs) > 0;
	bool fine = options_hold(request, out, runs);
	kt_json_free(runs);
	return fine;
}

static void respond_deleted(struct api_request *request, const struct kt_json *object, bool gone)
{
	struct kt_json *status;

	if (!gone || (api_traits_of(request->kind->storage) & API_RETURNS_DELETED)) {
		api_respond_object(request, 200, object);
		return;
	}
	status = kt_jsonf("{kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details: "
	                  "{name: %s, group: "
	                  "%s, kind: %s, uid: %s}}",
	                  request->name, *request->kind->group ? request->kind->group : NULL,
	                  request->kind->resource, kt_path_str(object, "metadata.uid"));
	/* custom resources and built-in ones alike */
	request->as = API_AS_OBJECT;
	api_respond_json(request, 200, status, false);
	kt_json_free(status);
}

void api_delete_request(struct api_request *request)
{
	struct api_write write;
	struct delete_options options;
	const struct store_object *object;
	struct kt_json *out = NULL;
	bool gone = false;

	api_write_from_request(&write, request);
	if (read_options(request, &options)) {
		write.dry_run = options.dry_run;
		object = api_find(&write);
		if (object && api_write_delete(&write, object, &options.deletion, &out, &gone))
			respond_deleted(request, out, gone);
	}
	kt_json_free(out);
	kt_json_free(options.body);
}

void api_delete_collection_request(struct api_request *request)
{
	struct api_write write;
	struct delete_options options;
	struct api_filter filter;
	struct store_list list;
	const struct store_object **removed;
	size_t count = 0;

	api_write_from_request(&write, request);
	if (!read_options(request, &options)) {
		kt_json_free(options.body);
		return;
	}
	if (!api_filter_init(&filter, request)) {
		kt_json_free(options.body);
		return;
	}
	write.dry_run = options.dry_run;
	store_list(cluster_store(request->cluster), request->kind->storage,
	           request->kind->namespaced ? request->ns : NULL, &list);
	removed = kt_alloc((list.count + 1) * sizeof(*removed));
	for (size_t i = 0; i < list.count && !request->status.code; i++) {
		struct kt_json *out = NULL;
		bool gone;

		if (!api_filter_matches(&filter, request->kind, list.items[i]->json))
			continue;
		write.name = list.items[i]->name;
		if (api_write_delete(&write, list.items[i], &options.deletion, &out, &gone))
			removed[count++] = list.items[i];
		kt_json_free(out);
	}
	if (!request->status.code)
		api_respond_list(request, &(struct api_list_head){.version = list.version, .remaining = -1},
		                 removed, count);
	kt_free(removed);
	store_list_clear(&list);
	api_filter_clear(&filter);
	kt_json_free(options.body);
}
