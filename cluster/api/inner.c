/* SPDX-License-Identifier: MIT */
/* The clients inside the cluster: controllers, scheduler, kubelets. The same path as over HTTP, without its
 * text. */
#include "cluster/api/internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void api_write_from_actor(struct api_write *write, struct api_user *user, struct cluster *cluster,
                          const struct api_actor *actor, const struct schema_kind *kind,
                          struct api_status *status)
{
	*user = (struct api_user){.name = actor->user};
	*write = (struct api_write){
	        .cluster = cluster,
	        .kind = kind,
	        .ns = "",
	        .subresource = "",
	        .user = user,
	        .actor = actor,
	        .manager = actor->manager ? actor->manager : actor->component,
	        .trusted = true,
	        .status = status,
	};
}

const struct store_object *api_create(struct cluster *cluster, const struct api_actor *actor,
                                      const struct schema_kind *kind, struct kt_json *steal,
                                      struct api_status *status)
{
	struct api_status own = {0};
	struct api_write write;
	struct api_user user;
	struct kt_json *out = NULL;
	const struct store_object *object = NULL;
	char *ns = kt_strdup(kt_str_or(kt_path(steal, "metadata.namespace"), ""));

	api_write_from_actor(&write, &user, cluster, actor, kind, status ? status : &own);
	write.ns = ns;
	if (api_write_create(&write, steal, &out))
		object = store_get(cluster_store(cluster), kind->storage, kind->namespaced ? ns : "",
		                   kt_path_str(out, "metadata.name"));
	kt_json_free(out);
	kt_free(ns);
	api_status_clear(&own);
	return object;
}

static const struct store_object *update(struct cluster *cluster, const struct api_actor *actor,
                                         const struct schema_kind *kind, struct kt_json *steal,
                                         const char *subresource, struct api_status *status)
{
	struct api_status own = {0};
	struct api_write write;
	struct api_user user;
	struct kt_json *out = NULL;
	const struct store_object *old, *object = NULL;
	char *ns = kt_strdup(kt_str_or(kt_path(steal, "metadata.namespace"), ""));
	char *name = kt_strdup(kt_str_or(kt_path(steal, "metadata.name"), ""));

	api_write_from_actor(&write, &user, cluster, actor, kind, status ? status : &own);
	write.ns = ns;
	write.name = name;
	write.subresource = subresource;
	old = api_find(&write);
	if (!old) {
		kt_json_free(steal);
	} else if (api_write_update(&write, old, steal, &out)) {
		/* gone when its last finalizer went: then there is nothing to return but success */
		object = store_get(cluster_store(cluster), kind->storage, kind->namespaced ? ns : "", name);
	}
	kt_json_free(out);
	kt_free(ns);
	kt_free(name);
	api_status_clear(&own);
	return object;
}

const struct store_object *api_update(struct cluster *cluster, const struct api_actor *actor,
                                      const struct schema_kind *kind, struct kt_json *steal,
                                      struct api_status *status)
{
	return update(cluster, actor, kind, steal, "", status);
}

const struct store_object *api_update_status(struct cluster *cluster, const struct api_actor *actor,
                                             const struct schema_kind *kind, struct kt_json *steal,
                                             struct api_status *status)
{
	return update(cluster, actor, kind, steal, "status", status);
}

bool api_delete(struct cluster *cluster, const struct api_actor *actor, const struct schema_kind *kind,
                const char *ns, const char *name, const struct api_delete_options *options,
                struct api_status *status)
{
	struct api_status own = {0};
	struct api_write write;
	struct api_user user;
	struct api_deletion deletion = {.grace = -1};
	struct kt_json *out = NULL;
	const struct store_object *object;
	char version[24];
	bool gone, fine = false;

	if (options) {
		deletion.propagation = options->propagation;
		deletion.grace = options->grace;
		deletion.uid = options->uid;
		snprintf(version, sizeof(version), "%" PRIu64, options->version);
		deletion.version_text = options->version ? version : NULL;
	}
	api_write_from_actor(&write, &user, cluster, actor, kind, status ? status : &own);
	write.ns = ns ? ns : "";
	write.name = name;
	object = api_find(&write);
	if (object)
		fine = api_write_delete(&write, object, &deletion, &out, &gone);
	kt_json_free(out);
	api_status_clear(&own);
	return fine;
}

bool api_evict(struct cluster *cluster, const struct api_actor *actor, const char *ns, const char *pod,
               struct api_status *status)
{
	struct api_status own = {0};
	struct api_write write;
	struct api_user user;
	struct api_deletion deletion = {.grace = -1};
	const struct store_object *object;
	bool fine = false;

	api_write_from_actor(&write, &user, cluster, actor, schema_stored(cluster_schema(cluster), "", "Pod"),
	                     status ? status : &own);
	write.ns = ns;
	write.name = pod;
	object = api_find(&write);
	if (object)
		fine = api_evict_pod(&write, object, &deletion);
	api_status_clear(&own);
	return fine;
}

/* --- binding (pkg/registry/core/pod/storage assignPod) --- */
/* Most pods have no condition before, and many are bound in one second: one list for all of these. */
static struct kt_json *scheduled_now(struct cluster *cluster)
{
	struct kt_json **common = &cluster_api_state(cluster)->common;
	const struct kt_json *known = kt_get(*common, "scheduled");
	char *now = api_time(cluster_now(cluster));

	if (!kt_streq(kt_path_str(known, "0.lastTransitionTime"), now)) {
		kt_set(common, "scheduled",
		       kt_jsonf("[{type: 'PodScheduled', status: 'True', lastProbeTime: %j, "
		                "lastTransitionTime: %s}]",
		                kt_json_null(), now));
		known = kt_get(*common, "scheduled");
	}
	kt_free(now);
	return kt_json_ref(known);
}

static void set_scheduled(struct cluster *cluster, struct kt_json **pod)
{
	struct kt_json **conditions = kt_edit_path(pod, "status.conditions");
	ptrdiff_t at = kt_find(*conditions, "type", "PodScheduled");
	struct kt_json *scheduled = scheduled_now(cluster);

	if (!kt_count(*conditions)) {
		kt_json_free(*conditions);
		*conditions = scheduled;
		return;
	}
	if (at < 0)
		kt_push(conditions, kt_json_ref(kt_at(scheduled, 0)));
	else
		kt_put(conditions, (size_t)at, kt_json_ref(kt_at(scheduled, 0)));
	kt_json_free(scheduled);
}

bool api_bind_pod(struct api_write *write, const struct store_object *pod, const char *node)
{
	struct store_cause cause = api_cause(write);
	const struct view_pod *view = view_pod(pod);
	struct kt_json *json;
	char *why = NULL;

	if (view->deleting)
		why = kt_strf("pod %s is being deleted, cannot be assigned to a host", pod->name);
	else if (view->node)
		why = kt_strf("pod %s is already assigned to node \"%s\"", pod->name, view->node);
	else if (view->gated)
		why = kt_strf("pod %s has non-empty .spec.schedulingGates", pod->name);
	if (why) {
		struct schema_kind binding = {.group = "", .kind = "Pod", .resource = "pods/binding"};

		api_fail_conflict(write->status, &binding, pod->name, why);
		kt_free(why);
		return false;
	}
	if (write->dry_run)
		return true;
	json = kt_json_ref(pod->json);
	kt_set_path(&json, "spec.nodeName", kt_json_str(node));
	set_scheduled(write->cluster, &json);
	store_put(cluster_store(write->cluster), pod->kind, json, cluster_now(write->cluster), &cause);
	return true;
}

bool api_bind(struct cluster *cluster, const struct api_actor *actor, const struct store_object *pod,
              const char *node, struct api_status *status)
{
	struct api_status own = {0};
	struct api_write write;
	struct api_user user;
	const struct store_object *now;
	bool fine = false;

	api_write_from_actor(&write, &user, cluster, actor, pod->kind, status ? status : &own);
	write.ns = pod->ns;
	write.name = pod->name;
	now = api_find(&write);
	if (now)
		fine = api_bind_pod(&write, now, node);
	api_status_clear(&own);
	return fine;
}
