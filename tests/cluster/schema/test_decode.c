/* SPDX-License-Identifier: MIT */
#include "tests/cluster/schema/help.h"

/* What the real server answered to each: golden/validation. */
static const struct {
	const char *body, *error;
} refused[] = {
        {"{'kind':'Deployment','apiVersion':'apps/"
         "v1','metadata':{'name':'web'},'spec':{'replicas':'three','selector':{},"
         "'template':{'spec':{'containers':{'name':'web'}}}}}",
         "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"},
        {"{'kind':'Deployment','apiVersion':'apps/"
         "v1','spec':{'template':{'spec':{'containers':{'name':'web'}}}}}",
         "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type "
         "[]v1.Container"},
        {"{'kind':'Deployment','apiVersion':'apps/"
         "v1','spec':{'template':{'spec':{'tolerations':[{'value':true}]}}}}",
         "json: cannot unmarshal bool into Go struct field Toleration.spec.template.spec.tolerations.value "
         "of type "
         "string"},
        {"{'kind':'ConfigMap','apiVersion':'v1','data':{'a':1}}",
         "json: cannot unmarshal number into Go struct field ConfigMap.data of type string"},
        {"{'kind':'Pod','apiVersion':'v1','metadata':{'labels':{'a':1}}}",
         "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string"},
        {"{'kind':'Pod','apiVersion':'v1','spec':{'containers':[{'ports':[{'containerPort':'http'}]}]}}",
         "json: cannot unmarshal string into Go struct field "
         "ContainerPort.spec.containers.ports.containerPort of type "
         "int32"},
        {"{'kind':'Secret','apiVersion':'v1','data':{'a':'not base64'}}",
         "illegal base64 data at input byte 3"},
        {"{'kind':'Pod','apiVersion':'v1','spec':{'containers':[{'resources':{'limits':{'cpu':'lots'}}}]}}",
         "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
        {"{'kind':'Deployment','apiVersion':'apps/v1','spec':{'replicas':1.5}}",
         "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32"},
        {"{'kind':'Deployment','apiVersion':'apps/v1','spec':{'replicas':3000000000}}",
         "json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type "
         "int32"},
        {"{'kind':'Pod','apiVersion':'v1','spec':[]}",
         "json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec"},
        {"[]", "json: cannot unmarshal array into Go value of type v1.Pod"},
};

/* For readable tables: ' stands for ". */
static struct kt_json *quoted(const char *text)
{
	char *copy = kt_strdup(text);
	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	struct kt_json *v = parsed(copy);
	kt_free(copy);
	return v;
}

static const struct schema_kind *kind_of(const struct kt_json *raw)
{
	if (!kt_is_object(raw))
		return kind_named(schema, "v1", "Pod");
	return kind_named(schema, kt_get_str(raw, "apiVersion"), kt_get_str(raw, "kind"));
}

static void wrong_types_are_told_in_the_words_of_the_real_decoder(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(refused); i++) {
		struct kt_json *raw = quoted(refused[i].body), *out = NULL;
		struct kt_err err = {0};
		assert_int_equal(schema_decode(schema, kind_of(raw), raw, &out, NULL, &err), KT_EINVAL);
		assert_string_equal(err.text, refused[i].error);
		assert_null(out);
		kt_json_free(raw);
	}
}

/* One table for all that is only another form of the same. */
static const struct {
	const char *body, *result;
} decodes[] = {
        /* schema order, sorted maps, canonical quantities, dropped zeros, structs that are always there */
        {"{'spec':{'containers':[{'resources':{'limits':{'memory':'1024Mi','cpu':0.5}},'name':'a','stdin':"
         "false,"
         "'command':[]}],'initContainers':[]},'metadata':{'labels':{'b':'1','a':'2'},'name':'x'},'apiVersion'"
         ":'v1',"
         "'kind':'Pod'}",
         "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"x\",\"labels\":{\"a\":\"2\",\"b\":"
         "\"1\"}},"
         "\"spec\":{\"containers\":[{\"name\":\"a\",\"resources\":{\"limits\":{\"cpu\":\"500m\",\"memory\":"
         "\"1Gi\"}}}]},"
         "\"status\":{}}"},
        /* a pointer keeps its zero */
        {"{'kind':'Pod','apiVersion':'v1','metadata':{},'spec':{'terminationGracePeriodSeconds':0,'"
         "containers':[],"
         "'nodeName':''},'status':{}}",
         "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{},\"spec\":{\"containers\":[],"
         "\"terminationGracePeriodSeconds\":0},\"status\":{}}"},
        /* times that Go prints even when unset */
        {"{'kind':'Event','apiVersion':'v1','metadata':{'name':'e'},'involvedObject':{},'lastTimestamp':"
         "'2026-01-02T04:04:05.5+01:00'}",
         "{\"kind\":\"Event\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"e\"},\"involvedObject\":{},"
         "\"source\":{},"
         "\"firstTimestamp\":null,\"lastTimestamp\":\"2026-01-02T03:04:05Z\",\"eventTime\":null,"
         "\"reportingComponent\":\"\",\"reportingInstance\":\"\"}"},
        /* null is not given; a list that is required is printed as null */
        {"{'kind':'Role','apiVersion':'rbac.authorization.k8s.io/v1','metadata':null,'rules':null}",
         "{\"kind\":\"Role\",\"apiVersion\":\"rbac.authorization.k8s.io/"
         "v1\",\"metadata\":{},\"rules\":null}"},
        /* apiVersion and kind are filled in */
        {"{'kind':'Lease','apiVersion':'coordination.k8s.io/v1','metadata':{'name':'l'},'spec':{'renewTime':"
         "'2026-01-02T03:04:05.000000Z'}}",
         "{\"kind\":\"Lease\",\"apiVersion\":\"coordination.k8s.io/v1\",\"metadata\":{\"name\":\"l\"},"
         "\"spec\":{\"renewTime\":\"2026-01-02T03:04:05.000000Z\"}}"},
};

static void objects_come_out_as_go_would_print_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(decodes); i++) {
		struct kt_json *raw = quoted(decodes[i].body), *out = NULL;
		struct kt_err err = {0};
		if (schema_decode(schema, kind_of(raw), raw, &out, NULL, &err))
			fail_msg("%s", err.text);
		assert_json(out, decodes[i].result);
		kt_json_free(out);
		kt_json_free(raw);
	}
}

static void unknown_fields_are_named_with_their_place_in_order(void **state)
{
	(void)state;
	struct kt_json *raw = quoted(
	        "{'kind':'Pod','apiVersion':'v1','metadata':{'label':{'a':'b'},'name':'web'},'spec':{"
	        "'containers':[{'image':'nginx','imagePolicy':'Always','name':'web'}],'contaners':[]}}");
	struct kt_json *out = NULL;
	struct schema_problems problems = {.wraps = false};
	assert_int_equal(schema_decode(schema, kind_of(raw), raw, &out, &problems, NULL), KT_OK);
	assert_int_equal(problems.unknown.count, 3);
	assert_string_equal(problems.unknown.items[0], "unknown field \"metadata.label\"");
	assert_string_equal(problems.unknown.items[1], "unknown field \"spec.containers[0].imagePolicy\"");
	assert_string_equal(problems.unknown.items[2], "unknown field \"spec.contaners\"");
	assert_null(kt_path(out, "spec.contaners"));
	schema_problems_clear(&problems);
	kt_json_free(out);
	kt_json_free(raw);
}

static void what_is_canonical_already_is_shared_not_copied(void **state)
{
	(void)state;
	struct kt_json *raw = quoted(decodes[0].body), *once = NULL, *twice = NULL;
	assert_int_equal(schema_decode(schema, kind_of(raw), raw, &once, NULL, NULL), KT_OK);
	assert_int_equal(schema_decode(schema, kind_of(raw), once, &twice, NULL, NULL), KT_OK);
	assert_ptr_equal(once, twice);
	kt_json_free(once);
	kt_json_free(twice);
	kt_json_free(raw);
}

static void bodies_of_subresources_have_types_too(void **state)
{
	(void)state;
	static const char *const known[][2] = {{"autoscaling/v1", "Scale"},
	                                       {"policy/v1", "Eviction"},
	                                       {"authentication.k8s.io/v1", "TokenRequest"},
	                                       {"v1", "DeleteOptions"},
	                                       {"apps/v1", "DeleteOptions"},
	                                       {"v1", "Binding"},
	                                       {"meta.k8s.io/v1", "Status"}};
	for (size_t i = 0; i < KT_COUNT(known); i++)
		if (!schema_type_for(schema, known[i][0], known[i][1]))
			fail_msg("no type for %s %s", known[i][0], known[i][1]);
	assert_null(schema_type_for(schema, "v1", "Unicorn"));
}

static void kinds_are_found_by_resource_and_kind(void **state)
{
	(void)state;
	assert_string_equal(schema_by_resource(schema, "apps", "v1", "deployments")->kind, "Deployment");
	assert_string_equal(schema_by_resource(schema, "", "v1", "pods")->kind, "Pod");
	assert_string_equal(schema_by_kind(schema, "autoscaling", NULL, "HorizontalPodAutoscaler")->version,
	                    "v2");
	assert_string_equal(kind_named(schema, "autoscaling/v1", "HorizontalPodAutoscaler")->storage->version,
	                    "v2");
	assert_string_equal(kind_named(schema, "events.k8s.io/v1", "Event")->storage->api_version, "v1");
	assert_null(schema_by_resource(schema, "apps", "v1", "pods"));
	for (size_t i = 0; i < schema_kind_count(schema); i++) {
		const struct schema_kind *kind = schema_kind_at(schema, i);
		assert_int_equal(kind->index, i);
		if (kind->type->scalar != SCHEMA_MESSAGE)
			fail_msg("%s has no fields", kind->kind);
	}
}

static void hpas_survive_the_way_through_the_other_version(void **state)
{
	(void)state;
	const struct schema_kind *v1 = kind_named(schema, "autoscaling/v1", "HorizontalPodAutoscaler");
	struct kt_json *one = quoted(
	        "{'kind':'HorizontalPodAutoscaler','apiVersion':'autoscaling/v1','metadata':{'name':'web'},"
	        "'spec':{'scaleTargetRef':{'kind':'Deployment','name':'web','apiVersion':'apps/v1'},"
	        "'minReplicas':1,'maxReplicas':3,'targetCPUUtilizationPercentage':50},"
	        "'status':{'currentReplicas':0,'desiredReplicas':0}}");
	struct kt_json *two = schema_convert(one, v1, v1->storage);
	assert_json(kt_path(two, "spec.metrics"),
	            "[{\"type\":\"Resource\",\"resource\":{\"name\":\"cpu\",\"target\":{"
	            "\"type\":\"Utilization\",\"averageUtilization\":50}}}]");
	struct kt_json *back = schema_convert(two, v1->storage, v1);
	assert_true(kt_equal(one, back));
	kt_json_free(one);
	kt_json_free(two);
	kt_json_free(back);
}

static void a_deep_or_odd_body_does_no_harm(void **state)
{
	(void)state;
	static const char *const odd[] = {"{}",
	                                  "{'spec':null,'metadata':null}",
	                                  "{'spec':{'containers':[null,{}]}}",
	                                  "{'spec':{'containers':[[]]}}",
	                                  "{'metadata':{'labels':{'a':null}}}",
	                                  "1",
	                                  "null"};
	for (size_t i = 0; i < KT_COUNT(odd); i++) {
		struct kt_json *raw = quoted(odd[i]), *out = NULL;
		if (!schema_decode(schema, kind_named(schema, "v1", "Pod"), raw, &out, NULL, NULL))
			schema_default(schema, kind_named(schema, "v1", "Pod"), &out);
		kt_json_free(out);
		kt_json_free(raw);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(wrong_types_are_told_in_the_words_of_the_real_decoder),
	        cmocka_unit_test(objects_come_out_as_go_would_print_them),
	        cmocka_unit_test(unknown_fields_are_named_with_their_place_in_order),
	        cmocka_unit_test(what_is_canonical_already_is_shared_not_copied),
	        cmocka_unit_test(bodies_of_subresources_have_types_too),
	        cmocka_unit_test(kinds_are_found_by_resource_and_kind),
	        cmocka_unit_test(hpas_survive_the_way_through_the_other_version),
	        cmocka_unit_test(a_deep_or_odd_body_does_no_harm),
	};
	return cmocka_run_group_tests(tests, with_schema, without_schema);
}
