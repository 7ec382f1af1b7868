/* SPDX-License-Identifier: MIT */
/* What is put into a new pod: its service account, priority, tolerations, runtime class (kubernetes
 * plugin/pkg/admission/ serviceaccount, priority, defaulttolerationseconds, runtimeclass). */
#include "cluster/api/admit.h"

#include <string.h>

#define TOKEN_PATH   "/var/run/secrets/kubernetes.io/serviceaccount"
#define VOLUME_NAME  "kube-api-access-"
#define TOKEN_EXPIRY "3607" /* an hour and the kubelet's seven seconds */

/* --- service accounts --- */

static bool mounts_token(const struct kt_json *container)
{
	return kt_find(kt_get(container, "volumeMounts"), "mountPath", TOKEN_PATH) >= 0;
}

/* Mount the volume in each container of a list that has nothing there yet; true if one did. */
static bool mount_all(struct kt_json **spec, const char *list, const char *volume)
{
	bool any = false;
	for (size_t i = 0, n = kt_count(kt_get(*spec, list)); i < n; i++) {
		if (mounts_token(kt_at(kt_get(*spec, list), i)))
			continue;
		struct kt_json **container = kt_edit_at(kt_edit(spec, list), i);
		kt_push(kt_edit(container, "volumeMounts"),
		        kt_jsonf("{name: %s, readOnly: %b, mountPath: %s}", volume, 1, TOKEN_PATH));
		any = true;
	}
	return any;
}

static const char *token_volume(const struct kt_json *spec)
{
	const struct kt_json *volume;
	KT_JSON_EACH (volume, kt_get(spec, "volumes"))
		if (kt_starts(kt_str_or(kt_get(volume, "name"), ""), VOLUME_NAME))
			return kt_get_str(volume, "name");
	return NULL;
}

static void add_token(const struct rules_request *r, struct kt_json **spec,
                      const struct schema_type *container)
{
	const char *there = token_volume(*spec);
	char name[sizeof(VOLUME_NAME) + 6] = VOLUME_NAME;
	if (there) {
		strncpy(name, there, sizeof(name) - 1);
	} else {
		size_t at = strlen(VOLUME_NAME);
		kt_random_name(cluster_random(r->cluster), name + at, 5);
		name[at + 5] = '\0';
	}
	bool init = mount_all(spec, "initContainers", name), main = mount_all(spec, "containers", name);
	for (size_t i = 0; main && i < kt_count(kt_get(*spec, "containers")); i++)
		admit_reorder(container, kt_edit_at(kt_edit(spec, "containers"), i));
	if (there || !(init || main))
		return;
	static const char sources[] =
	        "[{\"serviceAccountToken\":{\"expirationSeconds\":" TOKEN_EXPIRY ",\"path\":\"token\"}},"
	        "{\"configMap\":{\"name\":\"kube-root-ca.crt\",\"items\":[{\"key\":\"ca.crt\",\"path\":"
	        "\"ca.crt\"}]}},{\"downwardAPI\":{\"items\":[{\"path\":\"namespace\",\"fieldRef\":{"
	        "\"apiVersion\":\"v1\",\"fieldPath\":\"metadata.namespace\"}}]}}]";
	kt_push(kt_edit(spec, "volumes"), kt_jsonf("{name: %s, projected: {sources: %j, defaultMode: 420}}",
	                                           name, admit_common(r, sources)));
}

bool admit_service_account(const struct rules_request *r, struct api_status *status)
{
	struct kt_json **spec = kt_edit(r->object, "spec");
	const char *name = kt_get_str(*spec, "serviceAccountName");
	if (kt_get(kt_path(*r->object, "metadata.annotations"), "kubernetes.io/config.mirror"))
		return true;
	if (!name || !*name) {
		kt_set(spec, "serviceAccountName", kt_json_str("default"));
		kt_set(spec, "serviceAccount", kt_json_str("default"));
		name = "default";
	}
	const struct kt_json *account = admit_get(r, "", "ServiceAccount", r->ns, name);
	/* A namespace's default account comes a moment after it: the real server waits for it. */
	if (!account && strcmp(name, "default") != 0)
		return admit_forbid(r, status,
		                    "error looking up service account %s/%s: serviceaccount \"%s\" not found",
		                    r->ns, name, name);
	const struct kt_json *own = kt_get(*spec, "automountServiceAccountToken");
	const struct schema_type *container =
	        schema_type_named(cluster_schema(r->cluster), "core.v1.Container");
	if (own ? kt_bool_or(own, true) : kt_get_bool(account, "automountServiceAccountToken", true))
		add_token(r, spec, container);
	if (kt_count(kt_get(*spec, "imagePullSecrets")) == 0 &&
	    kt_count(kt_get(account, "imagePullSecrets")) > 0)
		kt_set(spec, "imagePullSecrets", kt_json_ref(kt_get(account, "imagePullSecrets")));
	return true;
}

/* --- priority --- */

static const struct kt_json *default_class(const struct rules_request *r)
{
	const struct schema_kind *kind =
	        schema_stored(cluster_schema(r->cluster), "scheduling.k8s.io", "PriorityClass");
	const struct store_object *object;
	const struct kt_json *best = NULL;
	STORE_EACH (object, cluster_store(r->cluster), kind, NULL)
		if (kt_get_bool(object->json, "globalDefault", false) &&
		    (!best || kt_get_int(object->json, "value", 0) < kt_get_int(best, "value", 0)))
			best = object->json;
	return best;
}

bool admit_priority(const struct rules_request *r, struct api_status *status)
{
	struct kt_json **spec = kt_edit(r->object, "spec");
	const char *name = kt_get_str(*spec, "priorityClassName");
	const struct kt_json *class = name && *name
	                                      ? admit_get(r, "scheduling.k8s.io", "PriorityClass", "", name)
	                                      : default_class(r);
	int64_t value = kt_get_int(class, "value", 0);
	if (name && *name && !class)
		return admit_forbid(r, status, "no PriorityClass with name %s was found", name);
	if (class && !(name && *name))
		kt_set(spec, "priorityClassName", kt_json_str(kt_path_str(class, "metadata.name")));
	if (kt_get(*spec, "priority") && kt_get_int(*spec, "priority", 0) != value)
		return admit_forbid(r, status,
		                    "the integer value of priority (%lld) must not be provided in pod spec; "
		                    "priority admission controller "
		                    "computed %lld from the given PriorityClass name",
		                    (long long)kt_get_int(*spec, "priority", 0), (long long)value);
	const char *policy = kt_str_or(kt_get(class, "preemptionPolicy"), "PreemptLowerPriority"),
	           *own = kt_get_str(*spec, "preemptionPolicy");
	if (own && strcmp(own, policy) != 0)
		return admit_forbid(r, status,
		                    "the string value of PreemptionPolicy (%s) must not be provided in pod "
		                    "spec; priority admission controller "
		                    "computed %s from the given PriorityClass name",
		                    own, policy);
	kt_set(spec, "priority", kt_json_int(value));
	kt_set(spec, "preemptionPolicy", kt_json_str(policy));
	return true;
}

bool admit_priority_class(const struct rules_request *r, struct api_status *status)
{
	const struct kt_json *other =
	        kt_get_bool(*r->object, "globalDefault", false) ? default_class(r) : NULL;
	const char *name = kt_path_str(other, "metadata.name");
	if (other && !kt_streq(name, kt_path_str(*r->object, "metadata.name")))
		return admit_forbid(
		        r, status,
		        "PriorityClass %s is already marked as default. Only one default can exist", name);
	return true;
}

/* The real server refuses it in the storage (pkg/registry/scheduling/priorityclass/storage). */
bool admit_system_priority(const struct rules_request *r, struct api_status *status)
{
	static const char *const system[] = {"system-node-critical", "system-cluster-critical"};
	for (size_t i = 0; i < KT_COUNT(system); i++)
		if (kt_streq(r->name, system[i]))
			return admit_forbid(r, status,
			                    "this is a system priority class and cannot be deleted");
	return true;
}

/* --- tolerations --- */

static bool tolerates(const struct kt_json *list, const char *key)
{
	const struct kt_json *t;
	KT_JSON_EACH (t, list) {
		const char *effect = kt_str_or(kt_get(t, "effect"), ""),
		           *has = kt_str_or(kt_get(t, "key"), "");
		if ((strcmp(has, key) == 0 || !*has) && (strcmp(effect, "NoExecute") == 0 || !*effect))
			return true;
	}
	return false;
}

bool admit_tolerations(const struct rules_request *r, struct api_status *status)
{
	static const char *const keys[] = {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"};
	static const char *const wanted[] = {
	        "{\"key\":\"node.kubernetes.io/not-ready\",\"operator\":\"Exists\",\"effect\":\"NoExecute\","
	        "\"tolerationSeconds\":300}",
	        "{\"key\":\"node.kubernetes.io/"
	        "unreachable\",\"operator\":\"Exists\",\"effect\":\"NoExecute\","
	        "\"tolerationSeconds\":300}"};
	bool missing[2];
	(void)status;
	if (*r->subresource)
		return true;
	const struct kt_json *list = kt_path(*r->object, "spec.tolerations");
	for (size_t i = 0; i < 2; i++)
		missing[i] = !tolerates(list, keys[i]);
	for (size_t i = 0; i < 2; i++)
		if (missing[i])
			kt_push(kt_edit(kt_edit(r->object, "spec"), "tolerations"),
			        admit_common(r, wanted[i]));
	return true;
}

/* --- runtime classes --- */

/* plugin/pkg/admission/runtimeclass: what the class asks of nodes is added to the pod. */
static bool schedule_as(const struct rules_request *r, const struct kt_json *scheduling,
                        struct api_status *status)
{
	const struct kt_json *wanted = kt_get(scheduling, "nodeSelector"), *toleration;
	for (size_t i = 0, n = kt_count(wanted); i < n; i++) {
		const char *key = kt_key(wanted, i), *value = kt_str_or(kt_at(wanted, i), "");
		const char *is = kt_get_str(kt_path(*r->object, "spec.nodeSelector"), key);
		if (is && strcmp(is, value) != 0)
			return admit_forbid(r, status,
			                    "conflict: runtimeClass.scheduling.nodeSelector[%s] = %s; "
			                    "pod.spec.nodeSelector[%s] = %s",
			                    key, value, key, is);
		kt_set(kt_edit(kt_edit(r->object, "spec"), "nodeSelector"), key, kt_json_str(value));
	}
	KT_JSON_EACH (toleration, kt_get(scheduling, "tolerations")) {
		const struct kt_json *had = kt_path(*r->object, "spec.tolerations"), *item;
		bool there = false;
		KT_JSON_EACH (item, had)
			there = there || kt_equal(item, toleration);
		if (!there)
			kt_push(kt_edit(kt_edit(r->object, "spec"), "tolerations"), kt_json_ref(toleration));
	}
	return true;
}

bool admit_runtime_class(const struct rules_request *r, struct api_status *status)
{
	const char *name = kt_path_str(*r->object, "spec.runtimeClassName");
	const struct kt_json *own = kt_path(*r->object, "spec.overhead");
	const struct kt_json *class = NULL, *overhead;
	if (name && *name) {
		class = admit_get(r, "node.k8s.io", "RuntimeClass", "", name);
		if (!class)
			return admit_forbid(r, status, "pod rejected: RuntimeClass \"%s\" not found", name);
	}
	overhead = kt_path(class, "overhead.podFixed");
	if (overhead && kt_count(own) > 0 && !kt_equal(own, overhead))
		return admit_forbid(
		        r, status,
		        "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
	if (overhead)
		kt_set(kt_edit(r->object, "spec"), "overhead", kt_json_ref(overhead));
	return schedule_as(r, kt_get(class, "scheduling"), status);
}

bool admit_overhead(const struct rules_request *r, struct api_status *status)
{
	const char *name = kt_path_str(*r->object, "spec.runtimeClassName");
	const struct kt_json *class =
	        name && *name ? admit_get(r, "node.k8s.io", "RuntimeClass", "", name) : NULL;
	if (kt_count(kt_path(*r->object, "spec.overhead")) > 0 && !kt_path(class, "overhead.podFixed"))
		return admit_forbid(
		        r, status,
		        "pod rejected: Pod Overhead set without corresponding RuntimeClass defined "
		        "Overhead");
	return true;
}

bool admit_pod_order(const struct rules_request *r, struct api_status *status)
{
	const struct schema_type *type = schema_type_named(cluster_schema(r->cluster), "core.v1.PodSpec");
	(void)status;
	if (type)
		admit_reorder(type, kt_edit(r->object, "spec"));
	return true;
}
