/* SPDX-License-Identifier: MIT */
/* Defaults against what real Kubernetes 1.34 stored for the same manifests (defaults.json: from recorded
 * sessions). Only what admission, allocators and controllers add may be missing. */
#include "tests/cluster/schema/help.h"

/* Paths that others than the defaults fill in. */
static const char *const by_others[] = {
        ".metadata.creationTimestamp", ".metadata.generation", ".metadata.namespace",
        ".metadata.resourceVersion", ".metadata.uid", ".metadata.annotations", ".metadata.finalizers",
        ".metadata.labels", ".status", ".spec.extra", ".spec.groups", ".spec.username", ".spec.finalizers",
        ".spec.claimRef", ".spec.volumeName",
        /* jobs */
        ".spec.selector.matchLabels", ".spec.selector", ".spec.template.metadata.labels",
        /* admission of pods */
        ".spec.containers.0.volumeMounts", ".spec.preemptionPolicy", ".spec.priority", ".spec.serviceAccount",
        ".spec.serviceAccountName", ".spec.tolerations", ".spec.volumes",
        /* allocators of Services */
        ".spec.clusterIP", ".spec.clusterIPs", ".spec.healthCheckNodePort", ".spec.ipFamilies",
        ".spec.ipFamilyPolicy", ".spec.ports.0.nodePort",
        /* the token controller */
        ".data"};

static bool others(const char *path)
{
	for (size_t i = 0; i < KT_COUNT(by_others); i++)
		if (kt_starts(path, by_others[i]))
			return true;
	return false;
}

static void compare(const char *title, const char *path, const struct kt_json *ours,
                    const struct kt_json *real)
{
	if (kt_starts(path, ".status") || (!ours && others(path)))
		return;
	if (!ours || !real || kt_json_type(ours) != kt_json_type(real))
		fail_msg("%s: %s: we have %s, the real server %s", title, path,
		         ours ? kt_json_text(ours) : "nothing", real ? kt_json_text(real) : "nothing");
	if (!kt_is_object(ours) && !kt_is_array(ours)) {
		if (!kt_equal(ours, real))
			fail_msg("%s: %s: we have %s, the real server %s", title, path, kt_json_text(ours),
			         kt_json_text(real));
		return;
	}
	for (size_t i = 0; i < kt_count(ours) || i < kt_count(real); i++) {
		const struct kt_json *const both[] = {ours, real};
		for (size_t side = 0; side < 2; side++) {
			if (i >= kt_count(both[side]))
				continue;
			const char *key = kt_is_object(ours) ? kt_key(both[side], i) : NULL;
			char *inner = key ? kt_strf("%s.%s", path, key) : kt_strf("%s.%zu", path, i);
			compare(title, inner, key ? kt_get(ours, key) : kt_at(ours, i),
			        key ? kt_get(real, key) : kt_at(real, i));
			kt_free(inner);
		}
	}
}

static void manifests_get_the_defaults_of_the_real_server(void **state)
{
	(void)state;
	struct kt_json *cases = read_json("tests/cluster/schema/defaults.json");
	const struct kt_json *one;
	assert_true(kt_count(cases) > 25);
	KT_JSON_EACH (one, cases) {
		struct kt_json *ours = decoded(schema, kt_get(one, "in"));
		compare(kt_get_str(one, "title"), "", ours, kt_get(one, "out"));
		kt_json_free(ours);
	}
	kt_json_free(cases);
}

static void defaulting_twice_changes_and_copies_nothing(void **state)
{
	(void)state;
	struct kt_json *cases = read_json("tests/cluster/schema/defaults.json");
	const struct kt_json *one;
	KT_JSON_EACH (one, cases) {
		struct kt_json *ours = decoded(schema, kt_get(one, "in")), *again = kt_json_ref(ours);
		schema_default(schema,
		               kind_named(schema, kt_get_str(ours, "apiVersion"), kt_get_str(ours, "kind")),
		               &again);
		assert_ptr_equal(ours, again);
		kt_json_free(ours);
		kt_json_free(again);
	}
	kt_json_free(cases);
}

/* A struct behind a pointer that is printed as null is not filled in again and again. */
static void empty_objects_of_all_kinds_are_defaulted_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < schema_kind_count(schema); i++) {
		const struct schema_kind *kind = schema_kind_at(schema, i);
		struct kt_json *raw = kt_jsonf("{spec: {template: {}}}"), *out = NULL, *again;
		assert_int_equal(schema_decode(schema, kind, raw, &out, NULL, NULL), KT_OK);
		schema_default(schema, kind, &out);
		again = kt_json_ref(out);
		schema_default(schema, kind, &again);
		if (again != out)
			fail_msg("%s is changed again", kind->kind);
		kt_json_free(raw);
		kt_json_free(out);
		kt_json_free(again);
	}
}

static const struct {
	const char *image, *policy;
} images[] = {
        {"nginx", "Always"},
        {"nginx:latest", "Always"},
        {"nginx:1.27", "IfNotPresent"},
        {"registry:5000/nginx", "Always"},
        {"registry:5000/nginx:1", "IfNotPresent"},
        {"nginx@sha256:0000000000000000000000000000000000000000000000000000000000000000", "IfNotPresent"},
        {"nginx:latest@sha256:0000000000000000000000000000000000000000000000000000000000000000", "Always"}};

static void images_are_pulled_by_their_tag(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(images); i++) {
		struct kt_json *raw =
		        kt_jsonf("{apiVersion: 'v1', kind: 'Pod', metadata: {name: 'p'}, spec: {containers: ["
		                 "{name: 'c', image: %s}]}}",
		                 images[i].image);
		struct kt_json *pod = decoded(schema, raw);
		assert_string_equal(kt_path_str(pod, "spec.containers.0.imagePullPolicy"), images[i].policy);
		kt_json_free(pod);
		kt_json_free(raw);
	}
}

static void requests_follow_limits_in_pods_but_not_in_templates(void **state)
{
	(void)state;
	struct kt_json *spec = kt_jsonf(
	        "{containers: [{name: 'c', image: 'i:1', resources: {limits: {cpu: '1', memory: '1Gi'},"
	        "requests: {cpu: '100m'}}}]}");
	struct kt_json *raw =
	        kt_jsonf("{apiVersion: 'v1', kind: 'Pod', metadata: {name: 'p'}, spec: %J}", spec);
	struct kt_json *pod = decoded(schema, raw);
	assert_json(kt_path(pod, "spec.containers.0.resources"),
	            "{\"limits\":{\"cpu\":\"1\",\"memory\":\"1Gi\"},\"requests\":{\"cpu\":\"100m\","
	            "\"memory\":\"1Gi\"}}");
	struct kt_json *set = kt_jsonf(
	        "{apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: {name: 'p'}, spec: {selector: {},"
	        "template: {spec: %J}}}",
	        spec);
	struct kt_json *done = decoded(schema, set);
	assert_json(kt_path(done, "spec.template.spec.containers.0.resources.requests"),
	            "{\"cpu\":\"100m\"}");
	assert_null(kt_path(done, "spec.template.spec.enableServiceLinks"));
	kt_json_free(spec);
	kt_json_free(raw);
	kt_json_free(pod);
	kt_json_free(set);
	kt_json_free(done);
}

static void a_pod_made_of_a_defaulted_template_shares_its_parts(void **state)
{
	(void)state;
	struct kt_json *raw = kt_jsonf(
	        "{apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: {name: 'p'}, spec: {selector: {},"
	        "template: {spec: {containers: [{name: 'c', image: 'i:1'}]}}}}");
	struct kt_json *set = decoded(schema, raw);
	struct kt_json *pod = kt_jsonf("{kind: 'Pod', apiVersion: 'v1', metadata: {name: 'x'}, spec: %J}",
	                               kt_path(set, "spec.template.spec"));
	schema_default(schema, kind_named(schema, "v1", "Pod"), &pod);
	assert_ptr_equal(kt_path(pod, "spec.containers"), kt_path(set, "spec.template.spec.containers"));
	assert_true(kt_path_bool(pod, "spec.enableServiceLinks", false));
	kt_json_free(raw);
	kt_json_free(set);
	kt_json_free(pod);
}

/* What was changed gets its defaults; what is as it was in a defaulted object is not looked at. */
static void what_was_left_as_it_was_is_not_looked_at(void **state)
{
	(void)state;
	const struct schema_kind *kind = schema_by_kind(schema, "", "v1", "Pod");
	struct kt_json *pod =
	        kt_jsonf("{apiVersion: 'v1', kind: 'Pod', spec: {containers: [{name: 'a', image: 'i:1'}, "
	                 "{name: 'b', image: 'i:1', ports: [{containerPort: 80}]}]}}");
	schema_default(schema, kind, &pod);
	struct kt_json *next = kt_json_ref(pod), *whole;
	kt_unset_path(&next, "spec.containers.1.ports.0.protocol");
	kt_set_path(&next, "status.phase", kt_json_str("Pending"));
	whole = kt_json_ref(next);
	schema_default(schema, kind, &whole);
	schema_default_since(schema, kind, pod, &next);
	assert_true(kt_equal(whole, next));
	assert_string_equal(kt_path_str(next, "spec.containers.1.ports.0.protocol"), "TCP");
	assert_ptr_equal(kt_path(pod, "spec.containers.0"), kt_path(next, "spec.containers.0"));
	kt_json_free(whole);
	kt_json_free(next);
	kt_json_free(pod);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(manifests_get_the_defaults_of_the_real_server),
	        cmocka_unit_test(defaulting_twice_changes_and_copies_nothing),
	        cmocka_unit_test(empty_objects_of_all_kinds_are_defaulted_once),
	        cmocka_unit_test(images_are_pulled_by_their_tag),
	        cmocka_unit_test(requests_follow_limits_in_pods_but_not_in_templates),
	        cmocka_unit_test(a_pod_made_of_a_defaulted_template_shares_its_parts),
	        cmocka_unit_test(what_was_left_as_it_was_is_not_looked_at),
	};
	return cmocka_run_group_tests(tests, with_schema, without_schema);
}
