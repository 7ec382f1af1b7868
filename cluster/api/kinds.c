/* SPDX-License-Identifier: MIT */
/* What differs by kind in the generic verbs: the strategies of kubernetes pkg/registry, a row a kind. */
#include "cluster/api/internal.h"
#include <stdlib.h>

#define GEN API_GENERATION
static const struct api_traits traits[] = {
        {"", "Pod", GEN | API_RETURNS_DELETED},
        {"", "ReplicationController", GEN},
        {"", "PersistentVolume", API_RETURNS_DELETED},
        {"", "PersistentVolumeClaim", API_RETURNS_DELETED},
        {"", "PodTemplate", GEN | API_RETURNS_DELETED},
        {"", "ResourceQuota", API_RETURNS_DELETED},
        {"", "Service", API_RETURNS_DELETED | API_CREATES_ON_UPDATE},
        {"", "ServiceAccount", API_RETURNS_DELETED},
        {"apps", "Deployment", GEN | API_GENERATION_ANNOTATIONS | API_STATUS_KEEPS_LABELS},
        {"apps", "ReplicaSet", GEN},
        {"apps", "StatefulSet", GEN},
        {"apps", "DaemonSet", GEN},
        {"batch", "Job", GEN},
        {"batch", "CronJob", GEN},
        {"networking.k8s.io", "Ingress", GEN},
        {"networking.k8s.io", "IngressClass", GEN},
        {"networking.k8s.io", "NetworkPolicy", GEN},
        {"networking.k8s.io", "ServiceCIDR", API_CREATES_WITH_STATUS},
        {"policy", "PodDisruptionBudget", GEN | API_NEEDS_VERSION},
        {"discovery.k8s.io", "EndpointSlice", GEN | API_GENERATION_LABELS},
        {"scheduling.k8s.io", "PriorityClass", GEN | API_GENERATION_STAYS},
        {"apiextensions.k8s.io", "CustomResourceDefinition", GEN | API_NEEDS_VERSION},
        {"apiregistration.k8s.io", "APIService", API_NEEDS_VERSION},
        {"coordination.k8s.io", "Lease", API_NEEDS_VERSION | API_CREATES_ON_UPDATE},
        {"certificates.k8s.io", "CertificateSigningRequest", API_UNMANAGED | API_KEEPS_SPEC},
        {"flowcontrol.apiserver.k8s.io", "FlowSchema", GEN},
        {"flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", GEN},
        {"admissionregistration.k8s.io", "MutatingWebhookConfiguration", GEN},
        {"admissionregistration.k8s.io", "ValidatingWebhookConfiguration", GEN},
        {"admissionregistration.k8s.io", "ValidatingAdmissionPolicy", GEN},
        {"admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", GEN},
        {"storage.k8s.io", "StorageClass", API_RETURNS_DELETED},
        {"storage.k8s.io", "CSIDriver", API_RETURNS_DELETED},
        {"storage.k8s.io", "CSINode", API_RETURNS_DELETED},
        {"storage.k8s.io", "VolumeAttachment", API_RETURNS_DELETED},
        {"storage.k8s.io", "VolumeAttributesClass", API_RETURNS_DELETED},
        {"resource.k8s.io", "DeviceClass", GEN | API_RETURNS_DELETED},
        {"resource.k8s.io", "ResourceClaim", API_RETURNS_DELETED},
        {"resource.k8s.io", "ResourceClaimTemplate", API_RETURNS_DELETED},
        {"resource.k8s.io", "ResourceSlice", GEN | API_RETURNS_DELETED},
        {"", "Endpoints", API_CREATES_ON_UPDATE},
        {"", "Event", API_CREATES_ON_UPDATE},
        {"", "Node", API_CREATES_WITH_STATUS},
        {"events.k8s.io", "Event", API_CREATES_ON_UPDATE},
        {"", "LimitRange", API_CREATES_ON_UPDATE},
        {"node.k8s.io", "RuntimeClass", API_CREATES_ON_UPDATE},
        {"rbac.authorization.k8s.io", "Role", API_CREATES_ON_UPDATE},
        {"rbac.authorization.k8s.io", "RoleBinding", API_CREATES_ON_UPDATE},
        {"rbac.authorization.k8s.io", "ClusterRole", API_CREATES_ON_UPDATE},
        {"rbac.authorization.k8s.io", "ClusterRoleBinding", API_CREATES_ON_UPDATE},
};

unsigned api_traits_of(const struct schema_kind *kind)
{
	if (kind->crd)
		return GEN | API_NEEDS_VERSION | API_STATUS_KEEPS_METADATA;
	for (size_t i = 0; i < KT_COUNT(traits); i++) {
		if (kt_streq(traits[i].kind, kind->kind) && kt_streq(traits[i].group, kind->group))
			return traits[i].flags;
	}
	/* Gateway API kinds are custom resources on real clusters */
	return kt_ends(kind->group, "gateway.networking.k8s.io")
	               ? GEN | API_NEEDS_VERSION | API_STATUS_KEEPS_METADATA
	               : 0;
}

bool api_has_status(const struct schema_kind *kind)
{
	return schema_subresource_named(kind, "status") != NULL;
}

/* --- members that the server itself sets --- */
static bool pod_create(struct api_write *write, struct kt_json **object);
static bool namespace_create(struct api_write *write, struct kt_json **object);
static bool volume_create(struct api_write *write, struct kt_json **object);
static bool limit_range_create(struct api_write *write, struct kt_json **object);
static bool node_create(struct api_write *write, struct kt_json **object);
static bool csr_create(struct api_write *write, struct kt_json **object);
static bool crd_create(struct api_write *write, struct kt_json **object);

static const struct {
	const char *group, *kind;
	bool (*create)(struct api_write *write, struct kt_json **object);
} preparers[] = {
        {"", "Pod", pod_create},
        {"", "Namespace", namespace_create},
        {"", "LimitRange", limit_range_create},
        {"", "Node", node_create},
        {"", "PersistentVolume", volume_create},
        {"", "PersistentVolumeClaim", volume_create},
        {"certificates.k8s.io", "CertificateSigningRequest", csr_create},
        {"apiextensions.k8s.io", "CustomResourceDefinition", crd_create},
};

/* Guaranteed: every container has equal cpu and memory requests and limits; BestEffort: none has any
 * (kubernetes pkg/apis/core/v1/helper/qos). */
struct qos {
	bool any, guaranteed;
};

static void look_at_resources(struct qos *qos, const struct kt_json *resources)
{
	static const char *const names[] = {"cpu", "memory"};

	for (size_t i = 0; i < KT_COUNT(names); i++) {
		const char *request = kt_get_str(kt_get(resources, "requests"), names[i]);
		const char *limit = kt_get_str(kt_get(resources, "limits"), names[i]);

		qos->any = qos->any || request || limit;
		if (!limit || (request && kt_quantity_compare(request, limit) != 0))
			qos->guaranteed = false;
	}
}

const char *api_qos_class(const struct kt_json *spec)
{
	struct qos qos = {.guaranteed = true};
	const struct kt_json *container;

	if (kt_count(kt_get(spec, "resources"))) {
		look_at_resources(&qos, kt_get(spec, "resources"));
	} else {
		KT_JSON_EACH (container, kt_get(spec, "containers"))
			look_at_resources(&qos, kt_get(container, "resources"));
		KT_JSON_EACH (container, kt_get(spec, "initContainers"))
			look_at_resources(&qos, kt_get(container, "resources"));
	}
	return !qos.any ? "BestEffort" : qos.guaranteed ? "Guaranteed" : "Burstable";
}

/* The pod's own values of the keys in `member` become requirements of the term's selector; without a selector
 * nothing is selected, with them neither (kubernetes pkg/registry/core/pod/strategy.go). */
static void merge_label_keys(struct kt_json **term, const char *member, const char *operator,
                             const struct kt_json * labels)
{
	struct kt_json *keys = kt_json_ref(kt_get(*term, member));
	const struct kt_json *key;

	KT_JSON_EACH (key, kt_get(*term, "labelSelector") ? keys : NULL) {
		const char *name = kt_str_or(key, ""), *value = kt_get_str(labels, name);

		if (value)
			kt_push(kt_edit(kt_edit(term, "labelSelector"), "matchExpressions"),
			        kt_jsonf("{key: %s, operator: %s, values: [%s]}", name, operator, value));
	}
	kt_json_free(keys);
}

static void merge_in_list(struct kt_json **spec, const char *path, const char *body,
                          const struct kt_json *labels)
{
	for (size_t i = 0, n = kt_count(kt_path(*spec, path)); i < n; i++) {
		struct kt_json **item = kt_edit_at(kt_edit_path(spec, path), i);
		struct kt_json **term = body ? kt_edit(item, body) : item;

		merge_label_keys(term, "matchLabelKeys", "In", labels);
		merge_label_keys(term, "mismatchLabelKeys", "NotIn", labels);
	}
}

static void select_by_own_labels(struct kt_json **object)
{
	static const struct {
		const char *path, *body;
	} lists[] = {
	        {"affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution", "podAffinityTerm"},
	        {"affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution", NULL},
	        {"affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution",
	         "podAffinityTerm"},
	        {"affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution", NULL},
	        {"topologySpreadConstraints", NULL},
	};
	struct kt_json *labels = kt_json_ref(kt_path(*object, "metadata.labels"));

	for (size_t i = 0; labels && i < KT_COUNT(lists); i++) {
		if (kt_count(kt_path(kt_get(*object, "spec"), lists[i].path)))
			merge_in_list(kt_edit(object, "spec"), lists[i].path, lists[i].body, labels);
	}
	kt_json_free(labels);
}

static bool pod_create(struct api_write *write, struct kt_json **object)
{
	select_by_own_labels(object);
	const struct kt_json *spec = kt_get(*object, "spec");
	struct kt_json *status = kt_jsonf("{phase: 'Pending', qosClass: %s}", api_qos_class(spec));

	/* podStrategy.PrepareForCreate: gated pods say so at once */
	if (kt_count(kt_get(spec, "schedulingGates"))) {
		char *now = api_time(cluster_now(write->cluster));
		kt_set(&status, "conditions",
		       kt_jsonf("[{type: 'PodScheduled', status: 'False', lastProbeTime: null, "
		                "lastTransitionTime: %s, "
		                "reason: 'SchedulingGated', message: 'Scheduling is blocked due to non-empty "
		                "scheduling gates'}]",
		                now));
		kt_free(now);
	}
	kt_set(object, "status", status);
	return true;
}

static bool namespace_create(struct api_write *write, struct kt_json **object)
{
	const char *name = kt_path_str(*object, "metadata.name");
	struct kt_json **finalizers = kt_edit_path(object, "spec.finalizers");
	bool there = false;

	(void)write;
	for (size_t i = 0, n = kt_count(*finalizers); i < n; i++)
		there |= kt_streq(kt_str(kt_at(*finalizers, i)), "kubernetes");
	if (!there)
		kt_push(finalizers, kt_json_str("kubernetes"));
	kt_set(object, "status", kt_jsonf("{phase: 'Active'}"));
	if (name)
		kt_set(kt_edit(kt_edit(object, "metadata"), "labels"), "kubernetes.io/metadata.name",
		       kt_json_str(name));
	return true;
}

/* admission plugin StorageObjectInUseProtection */
static void protect(struct kt_json **object, const char *protection)
{
	struct kt_json **finalizers = kt_edit(kt_edit(object, "metadata"), "finalizers");

	for (size_t i = 0, n = kt_count(*finalizers); i < n; i++) {
		if (kt_streq(kt_str(kt_at(*finalizers, i)), protection))
			return;
	}
	kt_push(finalizers, kt_json_str(protection));
}

/* Other sources than claims and snapshots are dropped, unless dataSourceRef names them; then each of the two
 * fields says what the other does (pkg/api/persistentvolumeclaim/util.go). */
static void data_sources(struct kt_json **object)
{
	const struct kt_json *spec = kt_get(*object, "spec"), *source = kt_get(spec, "dataSource"),
	                     *ref = kt_get(spec, "dataSourceRef");
	const char *group = source ? kt_get_str(source, "apiGroup") : NULL;
	const char *kind = source ? kt_get_str(source, "kind") : NULL;
	bool known = (kt_streq(kind, "PersistentVolumeClaim") && (!group || !*group)) ||
	             (kt_streq(kind, "VolumeSnapshot") && kt_streq(group, "snapshot.storage.k8s.io"));

	if (source && !ref && !known)
		kt_unset(kt_edit(object, "spec"), "dataSource");
	else if (source && !ref)
		kt_set(kt_edit(object, "spec"), "dataSourceRef", kt_json_ref(source));
	else if (ref && !source && !kt_str_len(kt_get(ref, "namespace")))
		kt_set(kt_edit(object, "spec"), "dataSource", kt_json_ref(ref));
}

static bool volume_create(struct api_write *write, struct kt_json **object)
{
	const char *protection = kt_streq(write->kind->kind, "PersistentVolume")
	                                 ? "kubernetes.io/pv-protection"
	                                 : "kubernetes.io/pvc-protection";

	kt_set(object, "status", kt_jsonf("{phase: 'Pending'}"));
	if (!kt_streq(write->kind->kind, "PersistentVolume"))
		data_sources(object);
	if (kt_streq(write->kind->kind, "PersistentVolume")) {
		char *now = api_time(cluster_now(write->cluster));

		kt_set(kt_edit(object, "status"), "lastPhaseTransitionTime", kt_json_str(now));
		kt_free(now);
	}
	protect(object, protection);
	return true;
}

/* The one kind that names itself (pkg/registry/core/limitrange/strategy.go). */
static bool limit_range_create(struct api_write *write, struct kt_json **object)
{
	char uuid[37];

	if (!kt_str_len(kt_path(*object, "metadata.name"))) {
		kt_random_uuid(cluster_random(write->cluster), uuid);
		kt_set_path(object, "metadata.name", kt_json_str(uuid));
	}
	return true;
}

/* Nothing is placed on a node before it was seen to be ready (plugin/pkg/admission/nodetaint). One that says
 * so itself would lose the taint at once. */
static bool node_create(struct api_write *write, struct kt_json **object)
{
	static const char key[] = "node.kubernetes.io/not-ready";
	const struct kt_json *conditions = kt_path(*object, "status.conditions"), *taint;
	ptrdiff_t ready = kt_find(conditions, "type", "Ready");

	(void)write;
	if (ready >= 0 && kt_streq(kt_get_text(kt_at(conditions, (size_t)ready), "status"), "True"))
		return true;
	KT_JSON_EACH (taint, kt_path(*object, "spec.taints"))
		if (kt_streq(kt_get_text(taint, "key"), key) &&
		    kt_streq(kt_get_text(taint, "effect"), "NoSchedule"))
			return true;
	kt_push(kt_edit_path(object, "spec.taints"), kt_jsonf("{key: %s, effect: 'NoSchedule'}", key));
	return true;
}

static bool csr_create(struct api_write *write, struct kt_json **object)
{
	struct kt_json **spec = kt_edit(object, "spec");
	struct kt_json *groups = NULL;

	if (!write->user)
		return true;
	for (size_t i = 0; i < write->user->groups.count; i++)
		kt_push(&groups, kt_json_str(write->user->groups.items[i]));
	kt_set(spec, "username", kt_json_str(write->user->name));
	kt_set(spec, "uid", write->user->uid && *write->user->uid ? kt_json_str(write->user->uid) : NULL);
	kt_set(spec, "groups", groups);
	kt_set(spec, "extra", kt_count(write->user->extra) ? kt_json_ref(write->user->extra) : NULL);
	kt_set(object, "status", kt_json_object());
	return true;
}

/* A job selects its pods by its own uid, unless it is told otherwise (pkg/registry/batch/job/strategy.go
 * generateSelector). */
/* apiextensions-apiserver customresourcedefinition strategy: the storage version is remembered. */
static bool crd_create(struct api_write *write, struct kt_json **object)
{
	const struct kt_json *version;
	struct kt_json *stored = NULL;

	(void)write;
	KT_JSON_EACH (version, kt_path(*object, "spec.versions")) {
		if (!stored && kt_get_bool(version, "storage", false))
			kt_push(&stored, kt_json_ref(kt_get(version, "name")));
	}
	kt_set(object, "status",
	       kt_jsonf("{conditions: %j, acceptedNames: {plural: '', kind: ''}, storedVersions: %j}",
	                kt_json_null(), stored));
	return true;
}

bool api_prepare_create(struct api_write *write, struct kt_json **object)
{
	const struct schema_kind *kind = write->kind->storage;
	unsigned flags = api_traits_of(kind);
	struct kt_json **metadata = kt_edit(object, "metadata");

	if (flags & API_GENERATION)
		kt_set(metadata, "generation", kt_json_int(1));
	for (size_t i = 0; i < KT_COUNT(preparers); i++) {
		if (kt_streq(preparers[i].kind, kind->kind) && kt_streq(preparers[i].group, kind->group))
			return preparers[i].create(write, object);
	}
	return true;
}

/* --- what is set before ownership is worked out, so that the writer owns it --- */
/* apps/v1 shows the template generation of DaemonSets as an annotation (pkg/apis/apps/v1/conversion.go). */
static void daemon_set_owned(struct api_write *write, const struct kt_json *old, struct kt_json **object)
{
	static const char key[] = "deprecated.daemonset.template.generation";
	const char *was = kt_get_str(kt_path(old, "metadata.annotations"), key);
	long long generation = was ? strtoll(was, NULL, 10) : 0;

	(void)write;
	if (!old || !kt_equal(kt_path(old, "spec.template"), kt_path(*object, "spec.template")))
		generation++;
	kt_set(kt_edit_path(object, "metadata.annotations"), key, kt_json_strf("%lld", generation));
}

static size_t count_of_type(const struct kt_json *conditions, const char *type)
{
	const struct kt_json *condition;
	size_t count = 0;

	KT_JSON_EACH (condition, conditions)
		count += kt_streq(kt_get_text(condition, "type"), type);
	return count;
}

/* Who signs leaves as it is what those who approve say; more or less of it is for validation to refuse. */
static void keep_conditions(const struct kt_json *before, struct kt_json **conditions, const char *type)
{
	size_t at = 0;

	if (count_of_type(before, type) != count_of_type(*conditions, type))
		return;
	for (size_t i = 0, n = kt_count(*conditions); i < n; i++) {
		if (!kt_streq(kt_get_text(kt_at(*conditions, i), "type"), type))
			continue;
		while (!kt_streq(kt_get_text(kt_at(before, at), "type"), type))
			at++;
		struct kt_json **slot = kt_edit_at(conditions, i);

		kt_json_free(*slot);
		*slot = kt_json_ref(kt_at(before, at++));
	}
}

static void csr_parts(const char *subresource, const struct kt_json *old, struct kt_json **object)
{
	if (kt_streq(subresource, "approval")) {
		struct kt_json *conditions = kt_json_ref(kt_path(*object, "status.conditions"));

		kt_set(object, "status", kt_json_ref(kt_get(old, "status")));
		kt_set(kt_edit(object, "status"), "conditions", conditions);
	} else if (kt_streq(subresource, "status") && kt_count(kt_path(*object, "status.conditions"))) {
		struct kt_json **conditions = kt_edit_path(object, "status.conditions");

		keep_conditions(kt_path(old, "status.conditions"), conditions, "Approved");
		keep_conditions(kt_path(old, "status.conditions"), conditions, "Denied");
	}
}

/* pkg/registry/certificates/certificates/strategy.go: PrepareForUpdate, populateConditionTimestamps */
static void csr_owned(struct api_write *write, const struct kt_json *old, struct kt_json **object)
{
	const struct kt_json *before = kt_path(old, "status.conditions");
	char *now = api_time(cluster_now(write->cluster));

	if (old)
		csr_parts(write->subresource, old, object);
	for (size_t i = 0, n = kt_count(kt_path(*object, "status.conditions")); i < n; i++) {
		const struct kt_json *condition = kt_at(kt_path(*object, "status.conditions"), i);
		ptrdiff_t at = kt_find(before, "type", kt_str_or(kt_get(condition, "type"), ""));
		const struct kt_json *was = at < 0 ? NULL : kt_at(before, (size_t)at);
		struct kt_json **slot = kt_edit_at(kt_edit_path(object, "status.conditions"), i);
		bool same = was && kt_equal(kt_get(was, "status"), kt_get(*slot, "status"));

		if (!kt_str(kt_get(*slot, "lastUpdateTime")))
			kt_set(slot, "lastUpdateTime", kt_json_str(now));
		if (!kt_str(kt_get(*slot, "lastTransitionTime")))
			kt_set(slot, "lastTransitionTime",
			       same && kt_get(was, "lastTransitionTime")
			               ? kt_json_ref(kt_get(was, "lastTransitionTime"))
			               : kt_json_str(now));
	}
	kt_free(now);
}

/* core/v1 Secret: what is written in plain text is kept in base64 (pkg/apis/core/v1/conversion.go). */
static void secret_owned(struct api_write *write, const struct kt_json *old, struct kt_json **object)
{
	const struct kt_json *plain = kt_get(*object, "stringData"), *item;
	struct kt_json *data = kt_json_ref(kt_get(*object, "data"));

	(void)write;
	(void)old;
	if (!plain) {
		kt_json_free(data);
		return;
	}
	KT_JSON_EACH (item, plain) {
		struct kt_buf text = {0};

		kt_base64(kt_str_or(item, ""), kt_str_len(item), &text);
		kt_set(&data, kt_key(plain, item_i), kt_json_str(kt_buf_str(&text)));
		kt_buf_clear(&text);
	}
	kt_set(object, "data", data);
	kt_unset(object, "stringData");
}

static const struct {
	const char *group, *kind;
	void (*set)(struct api_write *write, const struct kt_json *old, struct kt_json **object);
} owned[] = {
        {"", "Secret", secret_owned},
        {"apps", "DaemonSet", daemon_set_owned},
        {"certificates.k8s.io", "CertificateSigningRequest", csr_owned},
};

void api_prepare_owned(struct api_write *write, const struct kt_json *old, struct kt_json **object)
{
	const struct schema_kind *kind = write->kind->storage;

	api_drop_disabled(kind, old, object);
	for (size_t i = 0; i < KT_COUNT(owned); i++) {
		if (kt_streq(owned[i].kind, kind->kind) && kt_streq(owned[i].group, kind->group))
			owned[i].set(write, old, object);
	}
}

/* A new object's status: nothing but what the real server prints of an empty one ("loadBalancer": {}). */
void api_reset_status(const struct schema_kind *kind, struct kt_json **object)
{
	const struct schema_field *field = kind->type ? schema_field_named(kind->type, "status") : NULL;
	struct kt_json *nothing, *empty = NULL;

	if (!field || field->pointer || kind->crd || !field->type || field->type->scalar != SCHEMA_MESSAGE) {
		kt_unset(object, "status");
		return;
	}
	nothing = kt_json_object();
	if (schema_decode_type(field->type, nothing, &empty, NULL, NULL))
		empty = kt_json_ref(nothing);
	kt_json_free(nothing);
	kt_set(object, "status", empty);
}

/* --- generation --- */
static bool counts(const char *member)
{
	return !kt_streq(member, "metadata") && !kt_streq(member, "status") && !kt_streq(member, "kind") &&
	       !kt_streq(member, "apiVersion");
}

static bool content_differs(const struct kt_json *a, const struct kt_json *b)
{
	const struct kt_json *member;

	KT_JSON_EACH (member, a) {
		const char *key = kt_key(a, member_i);

		if (counts(key) && !kt_equal(member, kt_get(b, key)))
			return true;
	}
	KT_JSON_EACH (member, b) {
		const char *key = kt_key(b, member_i);

		if (counts(key) && !kt_get(a, key))
			return true;
	}
	return false;
}

/* pkg/registry/core/persistentvolume/strategy.go: the server's own doing, so nobody owns it. */
static void volume_status(struct api_write *write, const struct kt_json *old, struct kt_json **object)
{
	char *now;

	if (kt_streq(kt_path_str(*object, "status.phase"), kt_path_str(old, "status.phase")))
		return;
	now = api_time(cluster_now(write->cluster));
	kt_set(kt_edit(object, "status"), "lastPhaseTransitionTime", kt_json_str(now));
	kt_free(now);
}

/* Finalizers of the spec go through /finalize alone (pkg/registry/core/namespace/strategy.go). */
static void namespace_update(struct api_write *write, const struct kt_json *old, struct kt_json **object)
{
	const struct kt_json *was = kt_path(old, "spec.finalizers");

	if (write->trusted || kt_streq(write->subresource, "finalize"))
		return;
	if (was)
		kt_set_path(object, "spec.finalizers", kt_json_ref(was));
	else
		kt_unset_path(object, "spec.finalizers");
}

void api_prepare_update(struct api_write *write, const struct kt_json *old, struct kt_json **object)
{
	const struct schema_kind *kind = write->kind->storage;
	unsigned flags = api_traits_of(kind);
	const struct kt_json *was = kt_get(old, "metadata");
	int64_t generation = kt_get_int(was, "generation", 0);
	bool changed;

	if (kt_streq(kind->kind, "Namespace") && !*kind->group)
		namespace_update(write, old, object);
	changed =
	        (flags & API_GENERATION) && !(flags & API_GENERATION_STAYS) && content_differs(old, *object);

	if (kt_streq(write->subresource, "status")) {
		if (kt_streq(kind->kind, "PersistentVolume") && !*kind->group)
			volume_status(write, old, object);
		return;
	}
	if (flags & API_GENERATION_ANNOTATIONS)
		changed = changed ||
		          !kt_equal(kt_get(was, "annotations"), kt_path(*object, "metadata.annotations"));
	if (flags & API_GENERATION_LABELS)
		changed = changed || !kt_equal(kt_get(was, "labels"), kt_path(*object, "metadata.labels"));
	if (changed)
		generation++;
	kt_set(kt_edit(object, "metadata"), "generation", generation ? kt_json_int(generation) : NULL);
}
