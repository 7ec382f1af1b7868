/* SPDX-License-Identifier: MIT */
#include "cluster/api/patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define T0 ((kt_ns)1700000000 * KT_SEC)

struct world {
	struct schema *schema;
	const struct schema_kind *kind;
};

static int start(void **state)
{
	struct world *w = kt_alloc(sizeof(*w));
	w->schema = schema_new();
	*state = w;
	return 0;
}

static int stop(void **state)
{
	struct world *w = *state;
	schema_free(w->schema);
	kt_free(w);
	return 0;
}

/* Single quotes stand for double ones. */
static struct kt_json *parse(const char *quoted)
{
	char *plain = kt_strdup(quoted);
	struct kt_json *v = NULL;
	struct kt_err err = {0};
	for (char *c = plain; *c; c++)
		if (*c == '\'')
			*c = '"';
	if (kt_json_parse(plain, strlen(plain), NULL, &v, NULL, &err))
		fail_msg("%s: %s", plain, err.text);
	kt_free(plain);
	return v;
}

static struct kt_json *decode(struct world *w, struct kt_json *raw)
{
	struct kt_json *out = NULL;
	struct schema_problems problems = {0};
	struct kt_err err = {0};
	const char *version = kt_get_str(raw, "apiVersion"), *kind = kt_get_str(raw, "kind");
	w->kind = schema_by_api_version(w->schema, version, kind);
	assert_non_null(w->kind);
	if (schema_decode(w->schema, w->kind, raw, &out, &problems, &err))
		fail_msg("%s", err.text);
	schema_default(w->schema, w->kind, &out);
	schema_problems_clear(&problems);
	kt_json_free(raw);
	return out;
}

/* "manager operation[/subresource] set" a line. */
static char *entries(const struct kt_json *object)
{
	struct kt_buf out = {0};
	const struct kt_json *entry;
	KT_JSON_EACH (entry, kt_path(object, "metadata.managedFields")) {
		const char *sub = kt_get_str(entry, "subresource");
		kt_buf_addf(&out, "%s%s %s%s%s ", entry_i > 0 ? "\n" : "", kt_get_str(entry, "manager"),
		            kt_get_str(entry, "operation"), sub ? "/" : "", sub ? sub : "");
		kt_json_print(kt_get(entry, "fieldsV1"), &out);
	}
	char *text = kt_strdup(kt_buf_str(&out));
	kt_buf_clear(&out);
	return text;
}

static void expect(const struct kt_json *object, const char *wanted)
{
	char *is = entries(object), *plain = kt_strdup(wanted);
	for (char *c = plain; *c; c++)
		if (*c == '\'')
			*c = '"';
	assert_string_equal(is, plain);
	kt_free(is);
	kt_free(plain);
}

static struct kt_json *created(struct world *w, const char *text, const char *manager)
{
	struct kt_json *object = decode(w, parse(text));
	managed_update(w->kind, NULL, &object, manager, "", T0);
	return object;
}

static void updated(struct world *w, struct kt_json **object, const char *patch, const char *manager,
                    const char *subresource, kt_ns now)
{
	struct kt_json *old = *object, *p = parse(patch), *next = NULL;
	struct api_status status = {0};
	assert_true(patch_merge(old, p, &next, &status));
	struct kt_json *raw = kt_json_ref(next);
	next = decode(w, next);
	managed_keep_reset(raw, &next);
	kt_json_free(raw);
	managed_update(w->kind, old, &next, manager, subresource, now);
	kt_json_free(old);
	kt_json_free(p);
	*object = next;
}

#define POD                                                                                                  \
	"{'apiVersion':'v1','kind':'Pod','metadata':{'name':'web','namespace':'n'},'spec':{'nodeSelector':{" \
	"'nowhere':'true'},"                                                                                 \
	"'containers':[{'name':'web','image':'nginx:1.27'}]}}"
#define DEPLOYMENT                                                                                           \
	"{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'web','namespace':'n'},'spec':{"     \
	"'selector':{'matchLabels':{'app':'web'}},'template':{'metadata':{'labels':{'app':'web'}},'spec':{"  \
	"'containers':[{'name':'web','image':'nginx:1.27'}]}}}}"
#define CONFIG(data)                                                                                         \
	"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'c','namespace':'n'},'data':" data "}"

static void who_creates_owns_what_is_set(void **state)
{
	static const struct {
		const char *object, *entry;
	} rows[] = {
	        {CONFIG("{'a':'1'}"), "m Update {'f:data':{'.':{},'f:a':{}}}"},
	        {POD, "m Update "
	              "{'f:spec':{'f:containers':{'k:{\\\"name\\\":\\\"web\\\"}':{'.':{},'f:image':{},'f:"
	              "imagePullPolicy':{},"
	              "'f:name':{},'f:resources':{},'f:terminationMessagePath':{},'f:"
	              "terminationMessagePolicy':{}}},"
	              "'f:dnsPolicy':{},'f:enableServiceLinks':{},'f:nodeSelector':{},'f:restartPolicy':{},'"
	              "f:schedulerName':{},"
	              "'f:securityContext':{},'f:terminationGracePeriodSeconds':{}}}"},
	        {DEPLOYMENT,
	         "m Update "
	         "{'f:spec':{'f:progressDeadlineSeconds':{},'f:replicas':{},'f:revisionHistoryLimit':{},'f:"
	         "selector':{},"
	         "'f:strategy':{'f:rollingUpdate':{'.':{},'f:maxSurge':{},'f:maxUnavailable':{}},'f:type':{}}"
	         ","
	         "'f:template':{'f:metadata':{'f:labels':{'.':{},'f:app':{}}},'f:spec':{'f:containers':{"
	         "'k:{\\\"name\\\":\\\"web\\\"}':{'.':{},'f:image':{},'f:imagePullPolicy':{},'f:name':{},'f:"
	         "resources':{},"
	         "'f:terminationMessagePath':{},'f:terminationMessagePolicy':{}}},'f:dnsPolicy':{},'f:"
	         "restartPolicy':{},"
	         "'f:schedulerName':{},'f:securityContext':{},'f:terminationGracePeriodSeconds':{}}}}}"},
	        {"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'c','generateName':'c-','labels':{"
	         "'x':'y'},'finalizers':["
	         "'a/b'],'ownerReferences':[{'apiVersion':'v1','kind':'Pod','name':'p','uid':'u'}]}}",
	         "m Update "
	         "{'f:metadata':{'f:finalizers':{'.':{},'v:\\\"a/"
	         "b\\\"':{}},'f:generateName':{},'f:labels':{'.':{},'f:x':{}},"
	         "'f:ownerReferences':{'.':{},'k:{\\\"uid\\\":\\\"u\\\"}':{}}}}"},
	        {"{'apiVersion':'v1','kind':'Service','metadata':{'name':'s'},'spec':{'ports':[{'port':443},{"
	         "'port':80,'protocol':"
	         "'UDP'}]}}",
	         "m Update {'f:spec':{'f:internalTrafficPolicy':{},'f:ports':{'.':{},"
	         "'k:{\\\"port\\\":80,\\\"protocol\\\":\\\"UDP\\\"}':{'.':{},'f:port':{},'f:protocol':{},'f:"
	         "targetPort':{}},"
	         "'k:{\\\"port\\\":443,\\\"protocol\\\":\\\"TCP\\\"}':{'.':{},'f:port':{},'f:protocol':{},'f:"
	         "targetPort':{}}},"
	         "'f:sessionAffinity':{},'f:type':{}}}"},
	};
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct kt_json *object = created(*state, rows[i].object, "m");
		struct kt_buf wanted = {0};
		for (const char *c = rows[i].entry; *c;
		     c++) /* quotes inside keys are escaped on paper and in JSON */
			kt_buf_addc(&wanted, *c);
		expect(object, kt_buf_str(&wanted));
		kt_buf_clear(&wanted);
		kt_json_free(object);
	}
}

static void what_is_changed_changes_hands(void **state)
{
	struct kt_json *object = created(*state, CONFIG("{'a':'1'}"), "kubectl-create");
	updated(*state, &object, "{'data':{'a':'2'}}", "kubectl-patch", "", T0);
	expect(object, "kubectl-create Update {'f:data':{}}\nkubectl-patch Update {'f:data':{'f:a':{}}}");
	updated(*state, &object, "{'metadata':{'labels':{'watched':'yes'}}}", "kubectl-patch", "", T0);
	expect(object, "kubectl-create Update {'f:data':{}}\n"
	               "kubectl-patch Update "
	               "{'f:data':{'f:a':{}},'f:metadata':{'f:labels':{'.':{},'f:watched':{}}}}");
	updated(*state, &object, "{'data':{'a':'2'}}", "nobody", "", T0);
	expect(object, "kubectl-create Update {'f:data':{}}\n"
	               "kubectl-patch Update "
	               "{'f:data':{'f:a':{}},'f:metadata':{'f:labels':{'.':{},'f:watched':{}}}}");
	updated(*state, &object, "{'data':null}", "remover", "", T0);
	expect(object, "kubectl-patch Update {'f:metadata':{'f:labels':{'.':{},'f:watched':{}}}}");
	kt_json_free(object);
}

static void entries_stand_in_order_of_time_and_name(void **state)
{
	struct kt_json *object = created(*state, CONFIG("{'a':'1'}"), "zz");
	updated(*state, &object, "{'data':{'b':'2'}}", "cc", "", T0 + 2 * KT_SEC);
	updated(*state, &object, "{'data':{'c':'2'}}", "bb", "", T0 + 2 * KT_SEC);
	expect(object, "zz Update {'f:data':{'.':{},'f:a':{}}}\nbb Update {'f:data':{'f:c':{}}}\ncc Update "
	               "{'f:data':{'f:b':{}}}");
	kt_json_free(object);
}

static void a_status_has_an_entry_of_its_own(void **state)
{
	struct kt_json *object = created(*state, DEPLOYMENT, "m");
	updated(*state, &object,
	        "{'metadata':{'annotations':{'deployment.kubernetes.io/"
	        "revision':'1'}},'spec':{'replicas':7},'status':{'replicas':1,"
	        "'conditions':[{'type':'Available','status':'True'}]}}",
	        "kcm", "status", T0 - KT_SEC);
	const struct kt_json *entry = kt_at(kt_path(object, "metadata.managedFields"), 0);
	char *text = kt_json_text(kt_get(entry, "fieldsV1"));
	assert_string_equal(kt_get_str(entry, "subresource"), "status");
	assert_string_equal(kt_get_str(entry, "manager"), "kcm");
	assert_non_null(strstr(
	        text,
	        "\"f:metadata\":{\"f:annotations\":{\".\":{},\"f:deployment.kubernetes.io/revision\":{}}}"));
	assert_non_null(strstr(text, "\"f:status\":{\"f:conditions\":{\".\":{},\"k:{\\\"type\\\":"
	                             "\\\"Available\\\"}\":{\".\":{},"));
	assert_null(strstr(text, "f:spec"));
	kt_free(text);
	kt_json_free(object);
}

static void a_manager_may_change_all_that_it_owns(void **state)
{
	struct kt_json *object = created(*state, CONFIG("{'a':'1'}"), "m");
	updated(*state, &object, "{'data':{'a':'2'}}", "n", "", T0);
	updated(*state, &object, "{'data':{'a':'3'}}", "n", "", T0);
	expect(object, "m Update {'f:data':{}}\nn Update {'f:data':{'f:a':{}}}");
	kt_json_free(object);
}

static void writers_can_forget_the_entries(void **state)
{
	struct kt_json *object = created(*state, CONFIG("{'a':'1'}"), "m");
	updated(*state, &object, "{'metadata':{'managedFields':[]}}", "n", "", T0);
	assert_null(kt_path(object, "metadata.managedFields"));
	updated(*state, &object, "{'data':{'a':'2'}}", "n", "", T0);
	updated(*state, &object, "{'metadata':{'managedFields':[{}]}}", "n", "", T0);
	assert_null(kt_path(object, "metadata.managedFields"));
	kt_json_free(object);
}

static void the_oldest_of_many_managers_become_one(void **state)
{
	struct kt_json *object = created(*state, CONFIG("{'a':'1'}"), "m");
	for (int i = 0; i < 12; i++) {
		char *manager = kt_strf("m%02d", i), *patch = kt_strf("{'data':{'k%d':'1'}}", i);
		updated(*state, &object, patch, manager, "", T0 + (i + 1) * KT_SEC);
		kt_free(manager);
		kt_free(patch);
	}
	const struct kt_json *list = kt_path(object, "metadata.managedFields");
	assert_int_equal(kt_count(list), 10);
	assert_string_equal(kt_get_str(kt_at(list, 0), "manager"), "ancient-changes");
	kt_json_free(object);
}

/* --- apply --- */

static bool apply(struct world *w, struct kt_json **object, const char *config, const char *manager,
                  bool force, struct api_status *status)
{
	struct kt_json *body = parse(config), *out = NULL, *old = *object;
	w->kind = schema_by_api_version(w->schema, kt_get_str(body, "apiVersion"), kt_get_str(body, "kind"));
	bool ok = managed_apply(w->kind, old, body, manager, "", force, T0, &out, status);
	kt_json_free(body);
	if (ok) {
		kt_json_free(old);
		*object = out;
	}
	return ok;
}

static void owners_conflict_are_forced_and_give_up(void **state)
{
	struct api_status status = {0};
	struct kt_json *object = NULL;
	assert_true(apply(*state, &object, CONFIG("{'x':'1','true':'1'}"), "kubectl", false, &status));
	const struct kt_json *same = object;
	assert_true(apply(*state, &object, CONFIG("{'x':'1','true':'1'}"), "kubectl", false, &status));
	assert_ptr_equal(same, object);
	expect(object, "kubectl Apply {'f:data':{'f:true':{},'f:x':{}}}");
	assert_false(apply(*state, &object, CONFIG("{'x':'2'}"), "other", false, &status));
	assert_int_equal(status.code, 409);
	assert_string_equal(status.message,
	                    "Apply failed with 1 conflict: conflict with \"kubectl\": .data.x");
	assert_string_equal(kt_path_str(status.details, "causes.0.reason"), "FieldManagerConflict");
	assert_string_equal(kt_path_str(status.details, "causes.0.field"), ".data.x");
	assert_string_equal(kt_path_str(status.details, "causes.0.message"), "conflict with \"kubectl\"");
	api_status_clear(&status);
	assert_true(apply(*state, &object, CONFIG("{'x':'2'}"), "other", true, &status));
	expect(object, "kubectl Apply {'f:data':{'f:true':{}}}\nother Apply {'f:data':{'f:x':{}}}");
	assert_true(apply(*state, &object, CONFIG("{'true':'1'}"), "kubectl", false, &status));
	assert_true(apply(*state, &object,
	                  "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'c','namespace':'n'}}",
	                  "other", false, &status));
	char *text = kt_json_text(kt_get(object, "data"));
	assert_string_equal(text, "{\"true\":\"1\"}");
	expect(object, "kubectl Apply {'f:data':{'f:true':{}}}");
	kt_free(text);
	kt_json_free(object);
}

static void conflicts_with_several_are_listed_by_manager(void **state)
{
	struct api_status status = {0};
	struct kt_json *object = created(*state, DEPLOYMENT, "kubectl-create");
	updated(*state, &object, "{'spec':{'replicas':4}}", "scaler", "", T0);
	assert_false(apply(
	        *state, &object,
	        "{'apiVersion':'apps/"
	        "v1','kind':'Deployment','metadata':{'name':'web'},'spec':{'replicas':2,'template':{'spec':{"
	        "'containers':[{'name':'web','image':'nginx:1.28'}]}}}}",
	        "kubectl", false, &status));
	assert_string_equal(
	        status.message,
	        "Apply failed with 2 conflicts: conflicts with \"kubectl-create\" using apps/v1:\n"
	        "- .spec.template.spec.containers[name=\"web\"].image\n"
	        "conflicts with \"scaler\" using apps/v1:\n- .spec.replicas");
	api_status_clear(&status);
	kt_json_free(object);
}

static void equal_values_are_owned_together(void **state)
{
	struct api_status status = {0};
	struct kt_json *object = NULL;
	assert_true(apply(*state, &object, CONFIG("{'x':'1'}"), "a", false, &status));
	assert_true(apply(*state, &object, CONFIG("{'x':'1'}"), "b", false, &status));
	/* the second changed nothing, so it has no time, and no time comes first */
	expect(object, "b Apply {'f:data':{'f:x':{}}}\na Apply {'f:data':{'f:x':{}}}");
	assert_true(apply(*state, &object, CONFIG("{}"), "a", false, &status));
	assert_string_equal(kt_path_str(object, "data.x"), "1");
	kt_json_free(object);
}

static void kubectl_may_take_over_what_it_applied_from_the_client(void **state)
{
	struct api_status status = {0};
	struct kt_json *object = created(
	        *state, "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'c'},'data':{'x':'1'}}",
	        "kubectl-client-side-apply");
	kt_set(kt_edit(kt_edit(&object, "metadata"), "annotations"),
	       "kubectl.kubernetes.io/last-applied-configuration",
	       kt_json_str("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c\"},"
	                   "\"data\":{\"x\":\"1\"}}\n"));
	assert_false(apply(*state, &object, CONFIG("{'x':'2'}"), "other", false, &status));
	api_status_clear(&status);
	assert_true(apply(*state, &object, CONFIG("{'x':'2'}"), "kubectl", false, &status));
	assert_string_equal(kt_path_str(object, "data.x"), "2");
	const char *last = kt_get_str(kt_path(object, "metadata.annotations"),
	                              "kubectl.kubernetes.io/last-applied-configuration");
	assert_non_null(strstr(last, "\"x\":\"2\""));
	kt_json_free(object);
}

static void lists_are_merged_by_key_in_the_applied_order(void **state)
{
	static const struct {
		const char *live, *config, *merged; /* names */
	} rows[] = {
	        {"ab", "ab", "ab"},    {"ab", "ba", "ba"},   {"abc", "ac", "abc"},
	        {"abc", "ca", "bca"},  {"ab", "cab", "cab"}, {"ab", "acb", "acb"},
	        {"xay", "ba", "xbay"}, {"", "ab", "ab"},     {"ab", "c", "abc"},
	};
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct api_status status = {0};
		struct kt_json *live =
		        kt_jsonf("{apiVersion: 'v1', kind: 'Pod', metadata: {name: 'p'}, spec: {}}");
		struct kt_json *config = kt_json_copy(live), *out = NULL;
		struct world *w = *state;
		for (const char *c = rows[i].live; *c; c++)
			kt_push(kt_edit_path(&live, "spec.containers"),
			        kt_jsonf("{name: %s, image: 'x'}", (char[]){*c, 0}));
		for (const char *c = rows[i].config; *c; c++)
			kt_push(kt_edit_path(&config, "spec.containers"),
			        kt_jsonf("{name: %s}", (char[]){*c, 0}));
		assert_true(managed_apply(schema_by_api_version(w->schema, "v1", "Pod"), live, config, "m",
		                          "", true, T0, &out, &status));
		char names[16] = "";
		const struct kt_json *item;
		KT_JSON_EACH (item, kt_path(out, "spec.containers"))
			names[item_i] = *kt_get_str(item, "name"), names[item_i + 1] = '\0';
		assert_string_equal(names, rows[i].merged);
		kt_json_free(live);
		kt_json_free(config);
		kt_json_free(out);
	}
}

static void what_is_no_longer_applied_goes_from_lists(void **state)
{
	struct api_status status = {0};
	struct kt_json *object = NULL;
#define ENV(env)                                                                                             \
	"{'apiVersion':'v1','kind':'Pod','metadata':{'name':'p'},'spec':{'containers':[{'name':'c','image':" \
	"'i',"                                                                                               \
	"'env':[" env "]}]}}"
	assert_true(apply(*state, &object, ENV("{'name':'A','value':'1'},{'name':'B','value':'2'}"), "m",
	                  false, &status));
	assert_true(apply(*state, &object, ENV("{'name':'B','value':'2'}"), "m", false, &status));
	char *text = kt_json_text(kt_path(object, "spec.containers.0.env"));
	assert_string_equal(text, "[{\"name\":\"B\",\"value\":\"2\"}]");
	expect(object, "m Apply {'f:spec':{'f:containers':{'k:{\\\"name\\\":\\\"c\\\"}':{'.':{},'f:env':{"
	               "'k:{\\\"name\\\":\\\"B\\\"}':{'.':{},'f:name':{},'f:value':{}}},'f:image':{},'f:name'"
	               ":{}}}}}");
	kt_free(text);
	kt_json_free(object);
}

static void wrong_configurations_are_told(void **state)
{
	static const struct {
		const char *config, *message;
	} rows[] = {
	        {"{'apiVersion':'v1','kind':'Pod','metadata':{'name':'other','namespace':'n'},'spec':{'"
	         "containers':[{'name':'web',"
	         "'imagePolicy':'Always'}]}}",
	         "failed to create typed patch object (n/other; /v1, Kind=Pod): "
	         ".spec.containers[name=\"web\"].imagePolicy: field not "
	         "declared in schema"},
	        {"{'apiVersion':'apps/"
	         "v1','kind':'Deployment','metadata':{'name':'x'},'spec':{'replicas':'3','nope':1}}",
	         "failed to create typed patch object (/x; apps/v1, Kind=Deployment): errors:\n  "
	         ".spec.replicas: expected numeric (int or "
	         "float), got string\n  .spec.nope: field not declared in schema"},
	        {"{'apiVersion':'v1','kind':'Pod','metadata':{'name':'x','managedFields':[]}}",
	         "metadata.managedFields must be nil"},
	        {"{'apiVersion':'v1','kind':'Pod','metadata':{'name':'x'},'spec':{'containers':[{'name':'a'},"
	         "{'name':'a'}]}}",
	         "failed to create typed patch object (/x; /v1, Kind=Pod): .spec.containers: duplicate "
	         "entries for key [name=\"a\"]"},
	        {"{'apiVersion':'v1','kind':'Pod','metadata':{'name':'x'},'spec':{'containers':[1]}}",
	         "failed to create typed patch object (/x; /v1, Kind=Pod): .spec.containers: element 0: "
	         "associative list with keys may not have non-map elements"},
	        {"{'apiVersion':'v1','kind':'Pod','metadata':{'name':'x'},'spec':{'containers':{}}}",
	         "failed to create typed patch object (/x; /v1, Kind=Pod): .spec.containers: expected list, "
	         "got "
	         "&{map[]}"},
	        {"{'apiVersion':'v1','kind':'Pod','metadata':{'name':'x'},'spec':{'tolerations':[1]}}",
	         "failed to create typed patch object (/x; /v1, Kind=Pod): .spec.tolerations[0]: expected "
	         "map, "
	         "got &{1}"},
	};
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct api_status status = {0};
		struct kt_json *object = NULL;
		assert_false(apply(*state, &object, rows[i].config, "m", false, &status));
		assert_string_equal(status.message, rows[i].message);
		api_status_clear(&status);
	}
}

/* A name that Go always writes is "" where it is left out; keys without a default may be missing, but not
 * all. */
static void an_item_without_its_key_has_the_keys_default(void **state)
{
	struct api_status status = {0};
	struct kt_json *object = NULL;
	assert_true(apply(
	        *state, &object,
	        "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'x'},'spec':{'containers':[{'image':'a'}"
	        "]}}",
	        "m", false, &status));
	expect(object,
	       "m Apply {'f:spec':{'f:containers':{'k:{\\\"name\\\":\\\"\\\"}':{'.':{},'f:image':{}}}}}");
	assert_false(
	        apply(*state, &object,
	              "{'apiVersion':'v1','kind':'ServiceAccount','metadata':{'name':'x'},'secrets':[{}]}",
	              "m", false, &status));
	kt_json_free(object);
	api_status_clear(&status);
}

static void a_shared_list_is_looked_at_once(void **state)
{
	struct world *w = *state;
	struct managed_cache *cache = managed_cache_new();
	struct kt_json *pod = decode(w, parse(POD)), *first = kt_json_ref(pod), *second = kt_json_ref(pod);
	managed_update_cached(cache, w->kind, NULL, &first, "kubelet", "", T0);
	managed_update_cached(cache, w->kind, NULL, &second, "kubelet", "", T0);
	assert_true(kt_equal(first, second));
	assert_ptr_equal(kt_path(first, "metadata.managedFields.0"),
	                 kt_path(second, "metadata.managedFields.0"));
	const char *path = "metadata.managedFields.0.fieldsV1.f:spec.f:containers";
	assert_ptr_equal(kt_path(first, path), kt_path(second, path));
	kt_json_free(pod);
	kt_json_free(first);
	kt_json_free(second);
	managed_cache_free(cache);
}

/* With what others have in common, as without: pods that differ a little, in one after the other. */
static void what_is_known_of_others_changes_nothing(void **state)
{
	struct world *w = *state;
	struct managed_cache *cache = managed_cache_new();
	for (int round = 0; round < 40; round++) {
		struct kt_json *a = decode(w, parse(POD));
		if (round % 2)
			kt_set_path(&a, "metadata.labels.x", kt_json_int(round));
		if (round % 3)
			kt_set_path(&a, "spec.nodeName", kt_json_str("n"));
		if (round % 5)
			kt_set_path(&a, "spec.containers.0.tty", kt_json_bool(true));
		struct kt_json *b = kt_json_ref(a), *first = kt_json_ref(a);
		managed_update_cached(cache, w->kind, NULL, &a, "m", "", T0 + round % 4 * KT_SEC);
		managed_update(w->kind, NULL, &b, "m", "", T0 + round % 4 * KT_SEC);
		assert_true(kt_equal(a, b));
		struct kt_json *old = kt_json_ref(a), *c;
		kt_set_path(&a, "metadata.labels",
		            round % 7 ? kt_jsonf("{y: '1', z: %s}", round % 2 ? "2" : NULL) : NULL);
		kt_set_path(&a, "status",
		            kt_jsonf("{phase: 'Running', podIPs: [{ip: %s}], conditions: [{type: "
		                     "'Ready', status: 'True'}, {type: 'A', status: 'False'}]}",
		                     round % 2 ? "10.0.0.1" : "10.0.0.2"));
		c = kt_json_ref(a);
		const char *sub = round % 4 ? "status" : "";
		managed_update_cached(cache, w->kind, old, &a, "m", sub, T0 + KT_MIN_NS);
		managed_update(w->kind, old, &c, "m", sub, T0 + KT_MIN_NS);
		char *x = kt_json_text(a), *y = kt_json_text(c);
		assert_string_equal(x, y);
		kt_free(x);
		kt_free(y);
		kt_json_free(old);
		kt_json_free(a);
		kt_json_free(b);
		kt_json_free(c);
		kt_json_free(first);
	}
	managed_cache_free(cache);
}

/* Conditions that many objects share, one list after the other: what differs is found once, and is right. */
static void what_many_had_in_turn_differs_alike(void **state)
{
	struct world *w = *state;
	struct managed_cache *cache = managed_cache_new();
	struct kt_json *lists[] = {
	        kt_jsonf("[{type: 'A', status: 'True'}, {type: 'B', status: 'False'}]"),
	        kt_jsonf("[{type: 'A', status: 'False'}, {type: 'B', status: 'False'}]"),
	        kt_jsonf("[{type: 'B', status: 'False', reason: 'R'}, {type: 'C', status: 'True'}]"),
	};
	for (int round = 0; round < 60; round++) {
		struct kt_json *old = decode(w, parse(POD)), *a, *b;
		kt_set_path(&old, "status.conditions", kt_json_ref(lists[round % 3]));
		managed_update(w->kind, NULL, &old, round % 2 ? "m" : "n", "", T0);
		a = kt_json_ref(old);
		kt_set_path(&a, "status.conditions", kt_json_ref(lists[(round / 3 + 1) % 3]));
		b = kt_json_ref(a);
		managed_update_cached(cache, w->kind, old, &a, "m", "status", T0 + KT_SEC);
		managed_update(w->kind, old, &b, "m", "status", T0 + KT_SEC);
		char *x = kt_json_text(a), *y = kt_json_text(b);
		assert_string_equal(x, y);
		kt_free(x);
		kt_free(y);
		kt_json_free(old);
		kt_json_free(a);
		kt_json_free(b);
	}
	for (size_t i = 0; i < KT_COUNT(lists); i++)
		kt_json_free(lists[i]);
	managed_cache_free(cache);
}

/* Objects whose shapes are alike but not the same: keys of lists, zeros, empty parts, order, what is absent.
 */
static struct kt_json *any_pod(struct kt_random *random)
{
	static const char *const finalizers[] = {"a/x", "a/y", "b/x"}, *const names[] = {"A", "B", "C", "D"};
	static const char *const types[] = {"Ready", "Initialized", "PodScheduled"};
	struct kt_json *pod =
	        kt_jsonf("{apiVersion: 'v1', kind: 'Pod', metadata: {name: 'p', namespace: 'n'}, spec: "
	                 "{containers: [{name: 'c', image: 'i'}]}}");
#define ONCE_IN(n) (!kt_random_below(random, n))
	for (int i = 0; i < 3; i++) {
		const char *name = names[kt_random_below(random, 4)],
		           *type = types[kt_random_below(random, 3)];
		char value[2] = {(char)('0' + kt_random_below(random, 2)), 0};
		if (ONCE_IN(3))
			kt_push(kt_edit_path(&pod, "metadata.finalizers"),
			        kt_json_str(finalizers[kt_random_below(random, 3)]));
		if (ONCE_IN(2))
			kt_set(kt_edit_path(&pod, "metadata.labels"), name,
			       kt_json_str(ONCE_IN(2) ? value : ""));
		if (ONCE_IN(2) && kt_find(kt_path(pod, "spec.containers.0.env"), "name", name) < 0)
			kt_push(kt_edit_path(&pod, "spec.containers.0.env"),
			        kt_jsonf("{name: %s, value: %s}", name, ONCE_IN(2) ? value : NULL));
		if (ONCE_IN(3))
			kt_push(kt_edit_path(&pod, "spec.containers.0.ports"),
			        kt_jsonf("{containerPort: %d, protocol: %s}", 80 + i,
			                 ONCE_IN(2) ? "TCP" : NULL));
		if (ONCE_IN(3) && kt_find(kt_path(pod, "status.conditions"), "type", type) < 0)
			kt_push(kt_edit_path(&pod, "status.conditions"),
			        kt_jsonf("{type: %s, status: %s, lastProbeTime: %j}", type,
			                 ONCE_IN(2) ? "True" : "False",
			                 ONCE_IN(2) ? kt_json_null() : kt_json_str("2026-01-02T03:04:05Z")));
		if (ONCE_IN(4))
			kt_set_path(&pod, "spec.securityContext", kt_json_object());
		if (ONCE_IN(4))
			kt_set_path(&pod, "spec.securityContext.runAsUser",
			            kt_json_int(kt_random_below(random, 2)));
		if (ONCE_IN(4))
			kt_set_path(&pod, "spec.restartPolicy", kt_json_str(ONCE_IN(2) ? "" : "Never"));
		if (ONCE_IN(3))
			kt_set_path(&pod, "status.podIPs",
			            kt_jsonf("[{ip: %j}]",
			                     kt_json_strf("10.0.0.%u", kt_random_below(random, 3))));
	}
#undef ONCE_IN
	return pod;
}

static void objects_of_nearly_one_shape_are_told_apart(void **state)
{
	struct world *w = *state;
	struct managed_cache *cache = managed_cache_new();
	struct kt_random random;
	kt_random_init(&random, 7);
	for (int round = 0; round < 2000; round++) {
		struct kt_json *a = decode(w, any_pod(&random)), *b = kt_json_ref(a),
		               *next = decode(w, any_pod(&random));
		const char *sub = round % 3 ? "" : "status", *who = round % 2 ? "m" : "n";
		managed_update_cached(cache, w->kind, NULL, &a, "m", "", T0);
		managed_update(w->kind, NULL, &b, "m", "", T0);
		struct kt_json *c = kt_json_ref(next), *d = kt_json_ref(next);
		kt_set_path(&c, "metadata.managedFields", kt_json_ref(kt_path(a, "metadata.managedFields")));
		kt_set_path(&d, "metadata.managedFields", kt_json_ref(kt_path(b, "metadata.managedFields")));
		managed_update_cached(cache, w->kind, a, &c, who, sub, T0 + KT_SEC);
		managed_update(w->kind, b, &d, who, sub, T0 + KT_SEC);
		char *x = kt_json_text(c), *y = kt_json_text(d);
		assert_string_equal(x, y);
		kt_free(x);
		kt_free(y);
		kt_json_free(a);
		kt_json_free(b);
		kt_json_free(c);
		kt_json_free(d);
		kt_json_free(next);
	}
	managed_cache_free(cache);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, start, stop)
	const struct CMUnitTest tests[] = {
	        T(who_creates_owns_what_is_set),
	        T(what_is_changed_changes_hands),
	        T(entries_stand_in_order_of_time_and_name),
	        T(a_status_has_an_entry_of_its_own),
	        T(a_manager_may_change_all_that_it_owns),
	        T(writers_can_forget_the_entries),
	        T(the_oldest_of_many_managers_become_one),
	        T(owners_conflict_are_forced_and_give_up),
	        T(conflicts_with_several_are_listed_by_manager),
	        T(equal_values_are_owned_together),
	        T(kubectl_may_take_over_what_it_applied_from_the_client),
	        T(lists_are_merged_by_key_in_the_applied_order),
	        T(what_is_no_longer_applied_goes_from_lists),
	        T(wrong_configurations_are_told),
	        T(an_item_without_its_key_has_the_keys_default),
	        T(a_shared_list_is_looked_at_once),
	        T(what_is_known_of_others_changes_nothing),
	        T(what_many_had_in_turn_differs_alike),
	        T(objects_of_nearly_one_shape_are_told_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
