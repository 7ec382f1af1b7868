/* SPDX-License-Identifier: MIT */
/* Checks of state: object, absent, objects, ready; and the values of questions. */
#include "checker/checker_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOLD = 4, NAMES = 6 }; /* so many misfits; so many names of what is there */

/* What `path` yields in `object`; the path was held when it was parsed. */
static struct kt_json *values_at(const char *path, const struct kt_json *object)
{
	struct kt_jsonpath *compiled = NULL;
	if (kt_jsonpath_new(path, &compiled, NULL))
		return kt_json_array();
	struct kt_json *values = kt_jsonpath_find(compiled, object);
	kt_jsonpath_free(compiled);
	return values;
}

/* A status that was written before the last change of the spec says nothing about it yet; that an object is
 * to go is a change of the same number, and of nothing else. */
static bool is_stale(const struct kt_json *object, const char *path)
{
	if (kt_path(object, "metadata.deletionTimestamp"))
		return false;
	int64_t seen = kt_path_int(object, "status.observedGeneration", -1);
	path += strspn(path, "{$.");
	return kt_starts(path, "status") && seen >= 0 && seen < kt_path_int(object, "metadata.generation", 0);
}

/* What a field in seconds says is a duration: 200 is less than `5m`. New. */
static struct kt_json *as_durations(const char *path, const struct kt_json *values)
{
	const struct kt_json *value;
	if (!kt_ends(path, "Seconds"))
		return kt_json_ref(values);
	struct kt_json *out = kt_json_array();
	KT_JSON_EACH (value, values)
		kt_push(&out, kt_json_type(value) == KT_JSON_INT
		                      ? kt_json_strf("%llds", (long long)kt_int_or(value, 0))
		                      : kt_json_ref(value));
	return out;
}

/* Numbers of a status that Kubernetes leaves out where they are 0. */
static bool is_counter(const char *path)
{
	static const char *const names[] = {"replicas",
	                                    "readyReplicas",
	                                    "availableReplicas",
	                                    "unavailableReplicas",
	                                    "updatedReplicas",
	                                    "currentReplicas",
	                                    "succeeded",
	                                    "failed",
	                                    "active",
	                                    "ready",
	                                    "terminating",
	                                    "numberAvailable",
	                                    "numberUnavailable",
	                                    "updatedNumberScheduled"};
	path += strspn(path, "{$.");
	if (!kt_starts(path, "status."))
		return false;
	for (size_t i = 0; i < KT_COUNT(names); i++)
		if (kt_streq(path + strlen("status."), names[i]))
			return true;
	return false;
}

static bool path_fits(const char *path, const struct kt_json *expect, const struct kt_json *values)
{
	struct kt_json *as = kt_count(values)                                ? as_durations(path, values)
	                     : !kt_get(expect, "exists") && is_counter(path) ? kt_jsonf("[0]")
	                                                                     : kt_json_array();
	bool fits = check_fits(expect, as) || check_fits(expect, values);
	kt_json_free(as);
	return fits;
}

static bool is_misfit(const struct kt_json *object, const struct kt_json *has, size_t i)
{
	struct kt_json *values = values_at(kt_key(has, i), object);
	bool fits = path_fits(kt_key(has, i), kt_at(has, i), values) && !is_stale(object, kt_key(has, i));
	kt_json_free(values);
	return !fits;
}

/* The first path of `has` that does not fit; -1: all fit. */
static ptrdiff_t misfit(const struct kt_json *object, const struct kt_json *has)
{
	for (size_t i = 0; i < kt_count(has); i++)
		if (is_misfit(object, has, i))
			return (ptrdiff_t)i;
	return -1;
}

static void describe_paths(const struct kt_json *has, struct kt_buf *out)
{
	for (size_t i = 0; i < kt_count(has); i++) {
		kt_buf_addf(out, "%s%s ", i ? ", " : "", kt_key(has, i));
		check_describe(kt_at(has, i), out);
	}
}

static bool is_of_status(const char *path)
{
	return kt_starts(path + strspn(path, "{$."), "status");
}

/* Every misfit in words: "spec.replicas is 1; status.readyReplicas: there is nothing". The first is where. */
static void tell_misfits(const struct check_run *run, struct check_finding *finding, const char *words,
                         const struct kt_json *object, const struct kt_json *has)
{
	struct kt_buf want = {0}, got = {0};
	size_t told = 0;
	for (size_t i = 0; i < kt_count(has) && told < TOLD; i++) {
		if (!is_misfit(object, has, i))
			continue;
		struct kt_json *values = values_at(kt_key(has, i), object);
		kt_buf_addf(&want, "%s%s ", told ? ", " : "", kt_key(has, i));
		check_describe(kt_at(has, i), &want);
		kt_buf_addf(&got, "%s%s", told ? "; " : "", kt_key(has, i));
		kt_buf_adds(&got, kt_count(values) ? " is " : ": there is ");
		check_show(values, &got);
		if (path_fits(kt_key(has, i), kt_at(has, i), values))
			kt_buf_adds(&got, ", but that was before the last change");
		if (!told++)
			check_where(finding, words, kt_key(has, i));
		kt_json_free(values);
	}
	if (kt_path(object, "spec.containers"))
		check_tell_pod(run, object, &got);
	else if (!kt_path(object, "spec.template") && is_of_status(finding->path))
		check_tell_object(run, object, &got);
	check_expected(finding, "%s: %s", words, kt_buf_str(&want));
	check_found(finding, CHECK_FAILED, "%s", kt_buf_str(&got));
	kt_buf_clear(&want);
	kt_buf_clear(&got);
}

/* What of that kind is there instead: "deployments in shop: a, b". */
static void tell_instead(const struct check_run *run, const struct check_ref *ref, struct kt_buf *out)
{
	struct check_ref set = *ref;
	struct kt_json *items = NULL;
	const struct kt_json *item;
	set.is_set = true;
	set.selector[0] = '\0';
	if (check_list(run, &set, &items, NULL))
		return;
	kt_buf_addf(out, " (%s%s%s: ", set.resource.resource, *set.ns ? " in " : "", set.ns);
	size_t n = 0;
	KT_JSON_EACH (item, items) {
		if (n == 5)
			kt_buf_adds(out, ", …");
		if (n++ < 5)
			kt_buf_addf(out, "%s%s", n > 1 ? ", " : "",
			            kt_str_or(kt_path(item, "metadata.name"), "?"));
	}
	kt_buf_adds(out, n ? ")" : "none)");
	kt_json_free(items);
}

/* What a workload's status lacks is its pods' doing. */
static void tell_its_pods(const struct check_run *run, const char *words, const struct kt_json *object,
                          struct check_finding *finding)
{
	struct kt_buf found = {0};
	if (!is_of_status(finding->path) ||
	    (!kt_path(object, "spec.template") && !kt_path(object, "spec.jobTemplate")))
		return;
	kt_buf_adds(&found, finding->found);
	check_tell_behind(run, words, &found);
	check_found(finding, CHECK_FAILED, "%s", kt_buf_str(&found));
	kt_buf_clear(&found);
}

void check_look_object(const struct check_run *run, const struct check_check *check,
                       struct check_finding *finding)
{
	const char *words = kt_str(check->body);
	const struct kt_json *has = kt_get(check->node, "has");
	struct check_ref ref;
	struct kt_json *object = NULL;
	struct kt_err err = {0};
	struct kt_buf want = {0};
	describe_paths(has, &want);
	check_expected(finding, want.len ? "%s: %s" : "%s is there", words, kt_buf_str(&want));
	kt_buf_clear(&want);
	check_where(finding, words, NULL);
	enum kt_code rc = check_ref_object(run, words, &ref, &err);
	bool no_type = rc == KT_ENOTFOUND;
	if (!rc)
		rc = check_get(run, &ref, &object, &err);
	if (rc == KT_ENOTFOUND) {
		struct kt_buf instead = {0};
		if (!no_type)
			tell_instead(run, &ref, &instead);
		else /* mistyped, or what nobody has defined yet */
			kt_buf_addf(&instead, " (the cluster has no kind '%.*s')", (int)strcspn(words, " "),
			            words);
		check_found(finding, CHECK_FAILED, "%s is not there%s", words, kt_buf_str(&instead));
		kt_buf_clear(&instead);
	} else if (rc) {
		check_unknown(finding, &err);
	} else {
		if (misfit(object, has) >= 0) {
			tell_misfits(run, finding, words, object, has);
			tell_its_pods(run, words, object, finding);
		} else
			check_found(finding, CHECK_PASSED, has ? "%s is so" : "%s is there", words);
	}
	kt_json_free(object);
}

/* An object's name; of a row of the record what it is about. */
static const char *name_of(const struct kt_json *object)
{
	static const char *const keys[] = {"task", "lab", "lesson", "family"};
	const char *name = kt_path_str(object, "metadata.name");
	for (size_t i = 0; !name && i < KT_COUNT(keys); i++)
		name = kt_get_str(object, keys[i]);
	return name ? name : "?";
}

/* ": a, b, c (1 of them being deleted)" */
static void tell_names(const struct kt_json *items, struct kt_buf *out)
{
	const struct kt_json *item;
	size_t going = 0;
	KT_JSON_EACH (item, items) {
		if (item_i < NAMES)
			kt_buf_addf(out, "%s%s", item_i ? ", " : ": ", name_of(item));
		going += kt_path(item, "metadata.deletionTimestamp") != NULL;
	}
	kt_buf_adds(out, kt_count(items) > NAMES ? ", …" : "");
	if (going)
		kt_buf_addf(out, " (%zu of them being deleted)", going);
}

/* "2 are there: a, b" */
static void tell_those(struct check_finding *finding, const struct kt_json *items)
{
	struct kt_buf list = {0};
	tell_names(items, &list);
	check_found(finding, CHECK_FAILED, "%zu %s there%s", kt_count(items),
	            kt_count(items) == 1 ? "is" : "are", kt_buf_str(&list));
	kt_buf_clear(&list);
}

static void tell_going(struct check_finding *finding, const char *words, const struct kt_json *object)
{
	struct kt_buf held = {0};
	check_tell_held(object, &held);
	check_found(finding, CHECK_FAILED, "%s is being deleted, but still there%s", words,
	            kt_buf_str(&held));
	kt_buf_clear(&held);
}

void check_look_absent(const struct check_run *run, const struct check_check *check,
                       struct check_finding *finding)
{
	const char *words = kt_str(check->body);
	struct check_ref ref;
	struct kt_json *found = NULL;
	struct kt_err err = {0};
	check_expected(finding, "%s is not there", words);
	check_where(finding, words, NULL);
	enum kt_code rc = check_ref_of(run, words, &ref, &err);
	if (!rc)
		rc = ref.is_set ? check_list(run, &ref, &found, &err) : check_get(run, &ref, &found, &err);
	if (rc == KT_ENOTFOUND || (!rc && ref.is_set && !kt_count(found)))
		check_found(finding, CHECK_PASSED, "it is not there");
	else if (rc)
		check_unknown(finding, &err);
	else if (ref.is_set)
		tell_those(finding, found);
	else if (!kt_path(found, "metadata.deletionTimestamp"))
		check_found(finding, CHECK_FAILED, "%s is there", words);
	else
		tell_going(finding, words, found);
	kt_json_free(found);
}

/* --- objects --- */

struct set_look {
	const struct check_run *run;
	const char *words;
	const struct kt_json *items, *wanted;
	struct check_finding *finding;
};

static bool look_count(const struct set_look *l)
{
	struct kt_json *count = kt_jsonf("[%l]", (int64_t)kt_count(l->items));
	struct kt_buf want = {0};
	check_describe(l->wanted, &want);
	check_expected(l->finding, "%s: %s of them", l->words, kt_buf_str(&want));
	bool fits = check_fits(l->wanted, count);
	struct kt_buf names = {0};
	if (!fits && kt_path(kt_at(l->items, 0), "metadata.name"))
		tell_names(l->items, &names);
	check_found(l->finding, fits ? CHECK_PASSED : CHECK_FAILED, "there %s %zu%s",
	            kt_count(l->items) == 1 ? "is" : "are", kt_count(l->items), kt_buf_str(&names));
	kt_buf_clear(&names);
	kt_buf_clear(&want);
	kt_json_free(count);
	return fits;
}

/* What one of the set misses: "web-1: spec.x is 2". */
static void tell_one(const struct set_look *l, const char *which, const struct kt_json *item)
{
	char *words = kt_strf("%s %s", which, l->words);
	tell_misfits(l->run, l->finding, words, item, l->wanted);
	char *object = kt_strf("%.*s %s/%s", (int)strcspn(l->words, " "), l->words,
	                       kt_str_or(kt_path(item, "metadata.namespace"), ""), name_of(item));
	tell_its_pods(l->run, object, item, l->finding);
	kt_free(object);
	char *found = kt_strdup(l->finding->found), *path = kt_strdup(l->finding->path);
	check_found(l->finding, CHECK_FAILED, "%s: %s", name_of(item), found);
	check_where(l->finding, name_of(item), path);
	kt_free(found);
	kt_free(path);
	kt_free(words);
}

/* "; nor do web-2, web-3" */
static void tell_others(struct check_finding *finding, const char *words, const struct kt_strs *names)
{
	struct kt_buf found = {0};
	if (!names->count)
		return;
	kt_buf_addf(&found, "%s%s ", finding->found, words);
	for (size_t i = 0; i < KT_MIN(names->count, TOLD); i++)
		kt_buf_addf(&found, "%s%s", i ? ", " : "", names->items[i]);
	kt_buf_adds(&found, names->count > TOLD ? ", …" : "");
	check_found(finding, CHECK_FAILED, "%s", kt_buf_str(&found));
	kt_buf_clear(&found);
}

static bool look_each(const struct set_look *l)
{
	const struct kt_json *item;
	struct kt_buf want = {0};
	describe_paths(l->wanted, &want);
	check_expected(l->finding, "each of %s: %s", l->words, kt_buf_str(&want));
	kt_buf_clear(&want);
	if (!kt_count(l->items)) {
		check_found(l->finding, CHECK_FAILED, "there are none");
		return false;
	}
	struct kt_strs others = {0};
	bool fits = true;
	KT_JSON_EACH (item, l->items) {
		if (misfit(item, l->wanted) < 0)
			continue;
		if (fits)
			tell_one(l, "each of", item);
		else
			kt_strs_add(&others, name_of(item));
		fits = false;
	}
	tell_others(l->finding, "; nor do", &others);
	kt_strs_clear(&others);
	if (!fits)
		return false;
	check_found(l->finding, CHECK_PASSED, "all %zu are so", kt_count(l->items));
	return true;
}

/* Of those that miss, the one that misses last is the nearest. */
static bool look_some(const struct set_look *l)
{
	const struct kt_json *item, *nearest = NULL;
	ptrdiff_t best = -1;
	struct kt_buf want = {0};
	describe_paths(l->wanted, &want);
	check_expected(l->finding, "one of %s: %s", l->words, kt_buf_str(&want));
	kt_buf_clear(&want);
	KT_JSON_EACH (item, l->items) {
		ptrdiff_t i = misfit(item, l->wanted);
		if (i < 0) {
			check_found(l->finding, CHECK_PASSED, "%s is so", name_of(item));
			return true;
		}
		if (i > best) {
			best = i;
			nearest = item;
		}
	}
	if (!nearest) {
		check_found(l->finding, CHECK_FAILED, "there are none");
		return false;
	}
	tell_one(l, "one of", nearest);
	return false;
}

/* One that is what none should be: "web-1: spec.x is 2". */
static void tell_so(const struct set_look *l, const struct kt_json *item)
{
	struct kt_buf got = {0};
	for (size_t i = 0; i < KT_MIN(kt_count(l->wanted), TOLD); i++) {
		struct kt_json *values = values_at(kt_key(l->wanted, i), item);
		kt_buf_addf(&got, "%s%s", i ? "; " : "", kt_key(l->wanted, i));
		kt_buf_adds(&got, kt_count(values) ? " is " : ": there is ");
		check_show(values, &got);
		kt_json_free(values);
	}
	check_found(l->finding, CHECK_FAILED, "%s: %s", name_of(item),
	            got.len ? kt_buf_str(&got) : "it is there");
	check_where(l->finding, name_of(item), kt_count(l->wanted) ? kt_key(l->wanted, 0) : NULL);
	kt_buf_clear(&got);
}

static bool look_none(const struct set_look *l)
{
	const struct kt_json *item;
	struct kt_buf want = {0};
	describe_paths(l->wanted, &want);
	check_expected(l->finding, "none of %s: %s", l->words, kt_buf_str(&want));
	kt_buf_clear(&want);
	struct kt_strs others = {0};
	bool fits = true;
	KT_JSON_EACH (item, l->items) {
		if (misfit(item, l->wanted) >= 0)
			continue;
		if (fits)
			tell_so(l, item);
		else
			kt_strs_add(&others, name_of(item));
		fits = false;
	}
	tell_others(l->finding, "; so are", &others);
	kt_strs_clear(&others);
	if (!fits)
		return false;
	check_found(l->finding, CHECK_PASSED, "none is so");
	return true;
}

/* How many different values a path has over the set. */
static bool look_distinct(const struct set_look *l)
{
	for (size_t p = 0; p < kt_count(l->wanted); p++) {
		struct kt_json *seen = kt_json_array();
		const struct kt_json *item, *value, *known;
		KT_JSON_EACH (item, l->items) {
			struct kt_json *values = values_at(kt_key(l->wanted, p), item);
			KT_JSON_EACH (value, values) {
				bool is_new = true;
				KT_JSON_EACH (known, seen)
					is_new = is_new && !kt_equal(known, value);
				if (is_new)
					kt_push(&seen, kt_json_ref(value));
			}
			kt_json_free(values);
		}
		struct kt_json *count = kt_jsonf("[%l]", (int64_t)kt_count(seen));
		struct kt_buf want = {0}, got = {0};
		check_describe(kt_at(l->wanted, p), &want);
		check_show(seen, &got);
		bool fits = check_fits(kt_at(l->wanted, p), count);
		check_expected(l->finding, "%s: %s different values of %s", l->words, kt_buf_str(&want),
		               kt_key(l->wanted, p));
		check_found(l->finding, fits ? CHECK_PASSED : CHECK_FAILED, "there are %zu: %s",
		            kt_count(seen), kt_buf_str(&got));
		check_where(l->finding, l->words, kt_key(l->wanted, p));
		kt_buf_clear(&want);
		kt_buf_clear(&got);
		kt_json_free(count);
		kt_json_free(seen);
		if (!fits)
			return false;
	}
	return true;
}

static void count_domains(const struct kt_json *nodes, const struct kt_json *pods, const char *label,
                          struct kt_json **counts, size_t *homeless)
{
	const struct kt_json *node, *pod;
	KT_JSON_EACH (node, nodes) {
		const char *domain = kt_get_str(kt_path(node, "metadata.labels"), label);
		if (domain && !kt_get(*counts, domain) && check_takes_one_of(node, pods, label))
			kt_set(counts, domain, kt_json_int(0));
	}
	KT_JSON_EACH (pod, pods) {
		const char *domain = NULL, *on = kt_path_str(pod, "spec.nodeName");
		if (!check_pod_active(pod))
			continue;
		KT_JSON_EACH (node, nodes)
			if (on && kt_streq(kt_path_str(node, "metadata.name"), on))
				domain = kt_get_str(kt_path(node, "metadata.labels"), label);
		if (domain)
			kt_set(counts, domain, kt_json_int(kt_get_int(*counts, domain, 0) + 1));
		else
			++*homeless;
	}
}

static bool look_spread(const struct set_look *l)
{
	const char *label = kt_get_str(l->wanted, "over"), *slash = strrchr(label, '/');
	int64_t allowed = kt_whole_or(kt_get(l->wanted, "skew"), 1), least = INT64_MAX, most = 0;
	struct kt_json *nodes = NULL, *counts = kt_json_object();
	struct kt_err err = {0};
	size_t homeless = 0;
	check_expected(l->finding, "%s spread over %s, differing by at most %lld", l->words, label,
	               (long long)allowed);
	if (check_list_words(l->run, "nodes", &nodes, &err)) {
		check_unknown(l->finding, &err);
		kt_json_free(counts);
		return false;
	}
	count_domains(nodes, l->items, label, &counts, &homeless);
	struct kt_buf got = {0};
	for (size_t i = 0; i < kt_count(counts); i++) {
		int64_t n = kt_int_or(kt_at(counts, i), 0);
		least = KT_MIN(least, n);
		most = KT_MAX(most, n);
		kt_buf_addf(&got, "%s%s %s: %lld", i ? ", " : "", slash ? slash + 1 : label,
		            kt_key(counts, i), (long long)n);
	}
	if (homeless)
		kt_buf_addf(&got, "%swithout a node: %zu", got.len ? ", " : "", homeless);
	bool fits = kt_count(counts) && most > 0 && most - least <= allowed && !homeless;
	check_found(l->finding, fits ? CHECK_PASSED : CHECK_FAILED, "%s",
	            got.len ? kt_buf_str(&got) : "no node has that label");
	check_where(l->finding, l->words, label);
	kt_buf_clear(&got);
	kt_json_free(nodes);
	kt_json_free(counts);
	return fits;
}

/* Of two questions about one set both may fail: one finding says it. */
static void tell_as_well(struct check_finding *finding, const struct check_finding *other)
{
	char *expected = kt_strdup(finding->expected), *found = kt_strdup(finding->found);
	bool both = finding->status == CHECK_FAILED;
	check_where(finding, both ? finding->object : other->object, both ? finding->path : other->path);
	check_expected(finding, both ? "%s, and %s" : "%.0s%s", both ? expected : "", other->expected);
	check_found(finding, CHECK_FAILED, both ? "%s; %s" : "%.0s%s", both ? found : "", other->found);
	kt_free(expected);
	kt_free(found);
}

void check_look_rows(const struct check_run *run, const char *words, const struct kt_json *items,
                     const struct kt_json *node, struct check_finding *finding)
{
	static const struct {
		const char *key;
		bool (*look)(const struct set_look *look);
	} questions[] = {{"count", look_count}, {"each", look_each},         {"some", look_some},
	                 {"none", look_none},   {"distinct", look_distinct}, {"spread", look_spread}};
	struct set_look look = {.run = run, .words = words, .items = items, .finding = finding};
	bool asked = false;
	for (size_t i = 0; i < KT_COUNT(questions); i++) {
		struct check_finding one = {0};
		look.wanted = kt_get(node, questions[i].key);
		if (!look.wanted || (finding->status == CHECK_FAILED && asked && !kt_count(items)))
			continue; /* of none there is no more to say */
		look.finding = asked ? &one : finding;
		bool fits = questions[i].look(&look);
		if (asked && !fits)
			tell_as_well(finding, &one);
		check_finding_clear(&one);
		asked = true;
	}
	if (!asked)
		check_found(finding, kt_count(items) ? CHECK_PASSED : CHECK_FAILED, "there are %zu",
		            kt_count(items));
}

void check_look_objects(const struct check_run *run, const struct check_check *check,
                        struct check_finding *finding)
{
	const char *words = kt_str(check->body);
	struct kt_json *items = NULL;
	struct kt_err err = {0};
	check_expected(finding, "%s are there", words);
	check_where(finding, words, NULL);
	enum kt_code rc = check_list_words(run, words, &items, &err);
	if (rc && rc != KT_ENOTFOUND) /* a kind that is not there has no objects */
		check_unknown(finding, &err);
	else
		check_look_rows(run, words, items, check->node, finding);
	if (rc == KT_ENOTFOUND && finding->status == CHECK_FAILED) {
		char *found = kt_strdup(finding->found);
		check_found(finding, CHECK_FAILED, "%s (the cluster has no kind '%.*s')", found,
		            (int)strcspn(words, " "), words);
		kt_free(found);
	}
	kt_json_free(items);
}

/* --- ready --- */

/* The operators beside `of` or `service`, as an EXPECT. New. */
struct kt_json *check_operators(const struct kt_json *body, const char *besides)
{
	struct kt_json *expect = kt_json_object();
	for (size_t i = 0; i < kt_count(body); i++)
		if (!kt_streq(kt_key(body, i), besides) && !kt_streq(kt_key(body, i), "since") &&
		    !kt_streq(kt_key(body, i), "within"))
			kt_set(&expect, kt_key(body, i), kt_json_ref(kt_at(body, i)));
	if (!kt_count(expect))
		kt_set(&expect, "at-least", kt_json_int(1));
	return expect;
}

void check_look_ready(const struct check_run *run, const struct check_check *check,
                      struct check_finding *finding)
{
	const char *words = kt_get_str(check->body, "of");
	struct kt_json *expect = check_operators(check->body, "of"), *pods = NULL;
	const struct kt_json *pod;
	struct kt_err err = {0};
	struct kt_buf want = {0};
	check_describe(expect, &want);
	check_expected(finding, "%s: %s ready", words, kt_buf_str(&want));
	kt_buf_clear(&want);
	check_where(finding, words, NULL);
	enum kt_code rc = check_pods_of(run, words, &pods, &err);
	int64_t ready = 0, pending = 0;
	KT_JSON_EACH (pod, pods) {
		ready += check_pod_ready(pod) && check_pod_active(pod);
		pending += kt_streq(kt_path_str(pod, "status.phase"), "Pending");
	}
	if (rc == KT_ENOTFOUND) {
		check_found(finding, CHECK_FAILED, "%s is not there", words);
	} else if (rc) {
		check_unknown(finding, &err);
	} else {
		struct kt_json *value = kt_jsonf("[%l]", ready);
		enum check_status status = check_fits(expect, value) ? CHECK_PASSED : CHECK_FAILED;
		struct kt_buf found = {0};
		kt_buf_addf(&found, "%lld ready", (long long)ready);
		if (pending)
			kt_buf_addf(&found, ", %lld Pending", (long long)pending);
		if (status == CHECK_FAILED)
			check_tell_unready(run, words, pods, &found);
		check_found(finding, status, "%s", kt_buf_str(&found));
		kt_buf_clear(&found);
		kt_json_free(value);
	}
	kt_json_free(pods);
	kt_json_free(expect);
}

/* --- values of questions --- */

static bool counts_as(const char *what, const struct kt_json *object)
{
	if (kt_streq(what, "ready"))
		return check_pod_ready(object) && check_pod_active(object);
	const char *phase = kt_path_str(object, "status.phase");
	if (kt_streq(what, "pending"))
		return kt_streq(phase, "Pending");
	if (kt_streq(what, "running"))
		return kt_streq(phase, "Running");
	return true; /* all */
}

struct kt_json *check_rows_where(const struct kt_json *rows, const struct kt_json *where)
{
	struct kt_json *out = kt_json_array();
	const struct kt_json *row;
	KT_JSON_EACH (row, rows)
		if (misfit(row, where) < 0)
			kt_push(&out, kt_json_ref(row));
	return out;
}

/* Those of which `path` is the largest number. Nought is not large: who has none is not among them. New. */
static struct kt_json *rows_with_most(const struct kt_json *rows, const char *path)
{
	struct kt_json *out = kt_json_array();
	const struct kt_json *row;
	double most = 0;
	for (int round = 0; round < 2; round++)
		KT_JSON_EACH (row, rows) {
			struct kt_json *values = values_at(path, row);
			double value = kt_real_or(kt_at(values, 0), 0);
			if (round && most > 0 && value >= most)
				kt_push(&out, kt_json_ref(row));
			most = KT_MAX(most, value);
			kt_json_free(values);
		}
	return out;
}

static enum kt_code set_value(const struct check_run *run, const struct kt_json *spec, struct kt_json **out,
                              struct kt_err *err)
{
	struct kt_json *all = NULL;
	const struct kt_json *item;
	const char *path = kt_get_str(spec, "path"), *most = kt_get_str(spec, "most");
	enum kt_code rc = kt_get_str(spec, "record")
	                          ? check_record_rows(run, kt_get_str(spec, "record"), &all, err)
	                          : check_list_words(run, kt_get_str(spec, "objects"), &all, err);
	if (rc)
		return rc;
	struct kt_json *fit = check_rows_where(all, kt_get(spec, "where")),
	               *items = most ? rows_with_most(fit, most) : kt_json_ref(fit);
	int64_t count = 0;
	struct kt_json *values = kt_json_array();
	KT_JSON_EACH (item, items) {
		if (!counts_as(kt_str_or(kt_get(spec, "count"), "all"), item))
			continue;
		count++;
		struct kt_json *found = path ? values_at(path, item) : NULL;
		for (size_t i = 0; i < kt_count(found); i++)
			kt_push(&values, kt_json_ref(kt_at(found, i)));
		kt_json_free(found);
	}
	const char *what = kt_get_str(spec, "count");
	if (path && kt_streq(what, "values"))
		*out = kt_json_int((int64_t)kt_count(values));
	else if (path && !what)
		*out = kt_json_ref(kt_count(values) == 1 ? kt_at(values, 0) : values);
	else
		*out = kt_json_int(count);
	kt_json_free(values);
	kt_json_free(items);
	kt_json_free(fit);
	kt_json_free(all);
	return KT_OK;
}

/* The path begins at the list, as kubectl's does (`items[*].…`), or at each of its objects. */
static struct kt_json *values_of_set(const char *path, const struct kt_json *items)
{
	struct kt_json *list = kt_jsonf("{items: %J}", items);
	const struct kt_json *item;
	bool whole = kt_starts(path + strspn(path, "{$."), "items");
	struct kt_json *values = whole ? values_at(path, list) : kt_json_array();
	KT_JSON_EACH (item, whole ? NULL : items) {
		struct kt_json *found = values_at(path, item);
		for (size_t i = 0; i < kt_count(found); i++)
			kt_push(&values, kt_json_ref(kt_at(found, i)));
		kt_json_free(found);
	}
	kt_json_free(list);
	return values;
}

enum kt_code check_value(const struct check_run *run, const struct kt_json *spec, struct kt_json **out,
                         struct kt_err *err)
{
	const char *of = kt_get_str(spec, "of"), *path = kt_get_str(spec, "path");
	if (kt_get_str(spec, "objects") || kt_get_str(spec, "record"))
		return set_value(run, spec, out, err);
	if (kt_get_str(spec, "traffic") && path)
		return check_traffic_value(run, kt_get_str(spec, "traffic"), path, out, err);
	if (!of || !path)
		return kt_fail(err, KT_EINVAL,
		               "a value needs 'of' and 'path', or 'objects' or 'record' and 'count'");
	struct check_ref ref;
	struct kt_json *object = NULL;
	enum kt_code rc = check_ref_of(run, of, &ref, err);
	bool one = !ref.is_set;
	if (!rc)
		rc = one ? check_get(run, &ref, &object, err) : check_list(run, &ref, &object, err);
	if (rc)
		return rc;
	struct kt_json *values = one ? values_at(path, object) : values_of_set(path, object);
	*out = kt_json_ref(kt_count(values) == 1 ? kt_at(values, 0) : values);
	kt_json_free(values);
	kt_json_free(object);
	return KT_OK;
}
