/* SPDX-License-Identifier: MIT */
/* Policies of admission are checked against the types that they look at, and their status says what does not
 * fit (kubernetes pkg/controller/validatingadmissionpolicystatus). */
#include "cluster/api/expression.h"
#include "cluster/controllers/controllers_internal.h"

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *policy = controller_get(cluster, queue->kinds->admission_policy, key);
	int64_t generation = policy ? controller_generation(policy) : 0;
	if (!policy || generation <= kt_path_int(policy->json, "status.observedGeneration", 0))
		return true;
	struct api_actor actor = controller_actor(queue, because ? because : policy);
	struct kt_json *status = kt_json_ref(kt_get(policy->json, "status")), *warnings;
	if (!status)
		status = kt_json_object();
	warnings = expression_warnings(cluster, policy->json);
	kt_set(&status, "observedGeneration", kt_json_int(generation));
	kt_set(&status, "typeChecking", kt_jsonf("{expressionWarnings: %j}", warnings));
	actor.manager = "validatingadmissionpolicy-status";
	return controller_write_status(cluster, &actor, policy, status) != NULL;
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	if (event->object->kind == queue->kinds->admission_policy)
		controller_add(cluster, queue, "", event->object->name, event->object);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->admission_policy);
}

const struct controller controller_policy_status = {
        .name = "validatingadmissionpolicy-status",
        .component = "validatingadmissionpolicy-status-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 20 * KT_MS,
};
