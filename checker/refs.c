/* SPDX-License-Identifier: MIT */
/* Objects and sets by their words, pods behind things, selections. */
#include "checker/checker_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCOUNT_TRIES 40 /* of half a second */

static void copy(char *out, size_t size, const char *s, size_t len)
{
	len = KT_MIN(len, size - 1);
	memcpy(out, s, len);
	out[len] = '\0';
}

enum kt_code check_ref_object(const struct check_run *run, const char *words, struct check_ref *out,
                              struct kt_err *err)
{
	char kind[64];
	const char *space = strchr(words, ' ');
	memset(out, 0, sizeof(*out));
	if (!space)
		return kt_fail(err, KT_EINVAL, "'%s' is not an object: write `KIND NAMESPACE/NAME`", words);
	copy(kind, sizeof(kind), words, (size_t)(space - words));
	enum kt_code rc = check_find_resource(run->client, kind, &out->resource, err);
	if (rc)
		return rc;
	const char *name = space + strspn(space, " "), *slash = strchr(name, '/');
	if (out->resource.namespaced) {
		copy(out->ns, sizeof(out->ns), slash ? name : "default", slash ? (size_t)(slash - name) : 7);
		name = slash ? slash + 1 : name;
	}
	copy(out->name, sizeof(out->name), name, strlen(name));
	return KT_OK;
}

/* Blanks between requirements count as commas, but within `in (a, b)`; `-l` may stand in front. */
static void tidy_selector(char *selector)
{
	if (kt_starts(selector, "-l "))
		memmove(selector, selector + 3, strlen(selector + 3) + 1);
	char *end = selector + strlen(selector);
	while (end > selector && end[-1] == ' ')
		*--end = '\0';
	if (strpbrk(selector, "("))
		return;
	for (char *c = selector; *c; c++)
		if (*c == ' ' && c > selector && !strchr("=!, ", c[-1]) && !strchr("=!, ", c[1]))
			*c = ',';
}

static bool is_selector(const char *word)
{
	return strpbrk(word, "=!(,") != NULL;
}

enum kt_code check_ref_set(const struct check_run *run, const char *words, struct check_ref *out,
                           struct kt_err *err)
{
	char kind[64];
	size_t len = strcspn(words, " ");
	memset(out, 0, sizeof(*out));
	out->is_set = true;
	copy(kind, sizeof(kind), words, len);
	enum kt_code rc = check_find_resource(run->client, kind, &out->resource, err);
	if (rc)
		return rc;
	const char *rest = words + len + strspn(words + len, " ");
	len = strcspn(rest, " ");
	char word[256];
	copy(word, sizeof(word), rest, len);
	bool all = kt_streq(word, "*") || kt_streq(word, "all") || kt_streq(word, "-A");
	if ((out->resource.namespaced || all) && *word && !is_selector(word)) {
		copy(out->ns, sizeof(out->ns), all ? "" : word, all ? 0 : len);
		rest += len + strspn(rest + len, " ");
	} else if (out->resource.namespaced) {
		copy(out->ns, sizeof(out->ns), "default", 7);
	}
	copy(out->selector, sizeof(out->selector), rest, strlen(rest));
	tidy_selector(out->selector);
	return KT_OK;
}

/* "pods shop" and "pods shop app=web" are sets, "pod web" is one in `default`, "pod shop/web" and "node n1"
 * one. */
enum kt_code check_ref_of(const struct check_run *run, const char *words, struct check_ref *out,
                          struct kt_err *err)
{
	const char *space = strchr(words, ' '), *rest = space ? space + strspn(space, " ") : "";
	bool one = *rest && !strpbrk(rest, " =!(,");
	if (!one)
		return check_ref_set(run, words, out, err);
	enum kt_code rc = check_ref_object(run, words, out, err);
	size_t len = strcspn(words, " .");
	bool plural =
	        !rc && strlen(out->resource.resource) == len && !strncmp(words, out->resource.resource, len);
	bool all = kt_streq(rest, "all") || kt_streq(rest, "*");
	return !rc && ((plural && out->resource.namespaced && !strchr(rest, '/')) || all)
	               ? check_ref_set(run, words, out, err)
	               : rc;
}

char *check_ref_path(const struct check_ref *ref)
{
	struct kt_buf path = {0};
	kt_buf_adds(&path, ref->resource.prefix);
	if (*ref->ns)
		kt_buf_addf(&path, "/namespaces/%s", ref->ns);
	kt_buf_addf(&path, "/%s", ref->resource.resource);
	if (!ref->is_set)
		kt_buf_addf(&path, "/%s", ref->name);
	if (*ref->selector) {
		kt_buf_adds(&path, "?labelSelector=");
		kt_percent(ref->selector, &path);
	}
	return kt_buf_take(&path);
}

static enum kt_code answer_fail(const struct check_answer *answer, struct kt_err *err)
{
	const char *message = kt_get_str(answer->json, "message");
	/* an overloaded or broken server did not answer the question */
	enum kt_code code = answer->status == 404                            ? KT_ENOTFOUND
	                    : answer->status == 409                          ? KT_ECONFLICT
	                    : answer->status == 403                          ? KT_EDENIED
	                    : answer->status == 429                          ? KT_ELIMIT
	                    : answer->status == 401 || answer->status >= 500 ? KT_EUNREACHABLE
	                                                                     : KT_EINVAL;
	/* which budget it is, and what it counts, stands in the cause alone */
	const struct kt_json *cause = kt_at(kt_path(answer->json, "details.causes"), 0);
	if (message && kt_streq(kt_get_str(cause, "reason"), "DisruptionBudget"))
		return kt_fail(err, code, "%s %s", message, kt_str_or(kt_get(cause, "message"), ""));
	return message ? kt_fail(err, code, "%s", message)
	               : kt_fail(err, code, "the cluster answered %d", answer->status);
}

enum kt_code check_call(const struct check_run *run, const char *method, const char *path,
                        const char *content_type, const struct kt_json *body, struct kt_json **out,
                        struct kt_err *err)
{
	struct check_answer answer = {0};
	char *text = body ? kt_json_text(body) : NULL;
	enum kt_code rc;
	for (int attempt = 0;; attempt++) {
		rc = check_request(run->client, method, path,
		                   body ? (content_type ? content_type : "application/json") : NULL, text,
		                   text ? strlen(text) : 0, &answer, err);
		if (rc || attempt >= ACCOUNT_TRIES || !check_account_is_coming(&answer) || !run->world ||
		    run->world->pass(run->world->arg, KT_SEC / 2, false, &(kt_ns){0}, NULL))
			break;
	}
	if (!rc && (answer.status < 200 || answer.status > 299))
		rc = answer_fail(&answer, err);
	if (!rc && out)
		*out = kt_json_ref(answer.json);
	check_answer_clear(&answer);
	kt_free(text);
	return rc;
}

enum kt_code check_get(const struct check_run *run, const struct check_ref *ref, struct kt_json **out,
                       struct kt_err *err)
{
	char *path = check_ref_path(ref);
	enum kt_code rc = check_call(run, "GET", path, NULL, NULL, out, err);
	kt_free(path);
	return rc;
}

enum kt_code check_list(const struct check_run *run, const struct check_ref *ref, struct kt_json **out,
                        struct kt_err *err)
{
	char *path = check_ref_path(ref);
	struct kt_json *list = NULL;
	enum kt_code rc = check_call(run, "GET", path, NULL, NULL, &list, err);
	if (!rc) {
		const struct kt_json *items = kt_get(list, "items");
		*out = kt_is_array(items) ? kt_json_ref(items) : kt_json_array();
	}
	kt_json_free(list);
	kt_free(path);
	return rc;
}

enum kt_code check_list_words(const struct check_run *run, const char *words, struct kt_json **out,
                              struct kt_err *err)
{
	struct check_ref ref;
	enum kt_code rc = check_ref_set(run, words, &ref, err);
	return rc ? rc : check_list(run, &ref, out, err);
}

/* --- pods --- */

void check_selector_text(const struct kt_json *selector, bool plain, struct kt_buf *out)
{
	const struct kt_json *labels = plain ? selector : kt_get(selector, "matchLabels"),
	                     *expressions = plain ? NULL : kt_get(selector, "matchExpressions"), *e, *v;
	for (size_t i = 0; i < kt_count(labels); i++)
		kt_buf_addf(out, "%s%s=%s", out->len ? "," : "", kt_key(labels, i),
		            kt_str_or(kt_at(labels, i), ""));
	KT_JSON_EACH (e, expressions) {
		const char *key = kt_str_or(kt_get(e, "key"), ""), *op = kt_str_or(kt_get(e, "operator"), "");
		kt_buf_adds(out, out->len ? "," : "");
		if (kt_streq(op, "Exists") || kt_streq(op, "DoesNotExist")) {
			kt_buf_addf(out, "%s%s", kt_streq(op, "Exists") ? "" : "!", key);
			continue;
		}
		kt_buf_addf(out, "%s %s (", key, kt_streq(op, "In") ? "in" : "notin");
		size_t n = 0;
		KT_JSON_EACH (v, kt_get(e, "values"))
			kt_buf_addf(out, "%s%s", n++ ? "," : "", kt_str_or(v, ""));
		kt_buf_addc(out, ')');
	}
}

const struct kt_json *check_condition(const struct kt_json *object, const char *type)
{
	const struct kt_json *list = kt_path(object, "status.conditions");
	ptrdiff_t i = kt_find(list, "type", type);
	return i < 0 ? NULL : kt_at(list, (size_t)i);
}

bool check_pod_ready(const struct kt_json *pod)
{
	return kt_streq(kt_get_str(check_condition(pod, "Ready"), "status"), "True");
}

bool check_pod_active(const struct kt_json *pod)
{
	const char *phase = kt_path_str(pod, "status.phase");
	return !kt_path(pod, "metadata.deletionTimestamp") && !kt_streq(phase, "Succeeded") &&
	       !kt_streq(phase, "Failed");
}

static enum kt_code pods_by_selector(const struct check_run *run, const char *ns,
                                     const struct kt_json *selector, bool plain, struct kt_json **out,
                                     struct kt_err *err)
{
	struct kt_buf text = {0};
	struct check_ref pods = {.is_set = true};
	check_selector_text(selector, plain, &text);
	enum kt_code rc = check_find_resource(run->client, "pods", &pods.resource, err);
	copy(pods.ns, sizeof(pods.ns), ns, strlen(ns));
	copy(pods.selector, sizeof(pods.selector), kt_buf_str(&text), text.len);
	kt_buf_clear(&text);
	return rc ? rc : check_list(run, &pods, out, err);
}

static bool owned_by(const struct kt_json *object, const char *kind, const char *name)
{
	const struct kt_json *owner;
	KT_JSON_EACH (owner, kt_path(object, "metadata.ownerReferences"))
		if (kt_streq(kt_get_str(owner, "kind"), kind) && kt_streq(kt_get_str(owner, "name"), name))
			return true;
	return false;
}

/* The pods of the jobs that a CronJob made. */
static enum kt_code pods_of_jobs(const struct check_run *run, const char *ns, const char *cron_job,
                                 struct kt_json **out, struct kt_err *err)
{
	char *jobs_words = kt_strf("jobs %s", ns), *pods_words = kt_strf("pods %s", ns);
	struct kt_json *jobs = NULL, *pods = NULL;
	const struct kt_json *job, *pod;
	enum kt_code rc = check_list_words(run, jobs_words, &jobs, err);
	if (!rc)
		rc = check_list_words(run, pods_words, &pods, err);
	if (!rc)
		*out = kt_json_array();
	KT_JSON_EACH (job, jobs)
		KT_JSON_EACH (pod, pods)
			if (!rc && owned_by(job, "CronJob", cron_job) &&
			    owned_by(pod, "Job", kt_path_str(job, "metadata.name")))
				kt_push(out, kt_json_ref(pod));
	kt_json_free(jobs);
	kt_json_free(pods);
	kt_free(jobs_words);
	kt_free(pods_words);
	return rc;
}

enum kt_code check_pods_of(const struct check_run *run, const char *words, struct kt_json **out,
                           struct kt_err *err)
{
	struct check_ref ref;
	char kind[64];
	copy(kind, sizeof(kind), words, strcspn(words, " "));
	enum kt_code rc = check_find_resource(run->client, kind, &ref.resource, err);
	if (rc)
		return rc;
	const char *second = words + strcspn(words, " ");
	bool is_pods = kt_streq(ref.resource.kind, "Pod");
	/* "pods NS [SELECTOR]" is a set; "pod NS/NAME" an object */
	if (is_pods &&
	    (kt_streq(kind, "pods") || strchr(second + strspn(second, " "), ' ') || is_selector(second)))
		return check_list_words(run, words, out, err);
	struct kt_json *object = NULL;
	rc = check_ref_object(run, words, &ref, err);
	if (!rc)
		rc = check_get(run, &ref, &object, err);
	if (rc)
		return rc;
	const struct kt_json *selector = kt_path(object, "spec.selector");
	if (is_pods) {
		*out = kt_jsonf("[%J]", object);
	} else if (kt_streq(ref.resource.kind, "CronJob")) {
		rc = pods_of_jobs(run, ref.ns, ref.name, out, err);
	} else if (!selector) {
		rc = kt_fail(err, KT_ENOTFOUND, "%s has no selector, so no pods are behind it", words);
	} else {
		bool plain = kt_streq(ref.resource.kind, "Service") ||
		             kt_streq(ref.resource.kind, "ReplicationController");
		rc = pods_by_selector(run, ref.ns, selector, plain, out, err);
	}
	kt_json_free(object);
	return rc;
}

/* --- selections --- */

static bool labels_fit(const struct kt_json *object, const struct kt_json *wanted)
{
	const struct kt_json *labels = kt_path(object, "metadata.labels");
	for (size_t i = 0; i < kt_count(wanted); i++)
		if (check_compare(kt_get(labels, kt_key(wanted, i)), kt_at(wanted, i)) != 0)
			return false;
	return true;
}

#define ZONE   "topology.kubernetes.io/zone"
#define REGION "topology.kubernetes.io/region"
#define POOL   "ktutor.dev/pool"

/* Places are written `a` in labs; a cluster may call it `zone-a`. */
static bool is_place(const struct kt_json *node, const char *label, const char *prefix,
                     const struct kt_json *wanted)
{
	const char *its = kt_get_str(kt_path(node, "metadata.labels"), label);
	if (!wanted)
		return true;
	if (!its)
		return false;
	struct kt_json *whole = kt_json_str(its),
	               *tail = kt_json_str(kt_starts(its, prefix) ? its + strlen(prefix) : its);
	bool is = check_compare(whole, wanted) == 0 || check_compare(tail, wanted) == 0;
	kt_json_free(whole);
	kt_json_free(tail);
	return is;
}

static bool is_in(const struct kt_json *node, const struct kt_json *pick)
{
	return is_place(node, ZONE, "zone-", kt_get(pick, "zone")) &&
	       is_place(node, REGION, "region-", kt_get(pick, "region")) &&
	       is_place(node, POOL, "", kt_get(pick, "pool"));
}

/* Nobody who says "any node" means the control plane. */
static bool is_control_plane(const struct kt_json *node)
{
	return kt_get(kt_path(node, "metadata.labels"), "node-role.kubernetes.io/control-plane") != NULL;
}

static bool node_fits(const struct kt_json *node, const struct kt_json *pick, const struct kt_json *running)
{
	const char *name = kt_path_str(node, "metadata.name"),
	           *wanted = kt_str(pick) ? kt_str(pick) : kt_get_str(pick, "name");
	const struct kt_json *pod;
	if (wanted && kt_starts(wanted, "node ")) /* as objects are written */
		wanted += strlen("node ");
	if (wanted && !kt_streq(name, wanted))
		return false;
	if (!wanted && !kt_count(kt_get(pick, "labels")) && is_control_plane(node))
		return false;
	if (!is_in(node, pick) || !labels_fit(node, kt_get(pick, "labels")))
		return false;
	if (!running)
		return true;
	KT_JSON_EACH (pod, running)
		if (check_pod_active(pod) && kt_streq(kt_path_str(pod, "spec.nodeName"), name))
			return true;
	return false;
}

struct ranked {
	const struct kt_json *object;
	size_t weight, at;
};

static int by_weight(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	return (x->at > y->at) - (x->at < y->at);
}

static int64_t milli(const char *quantity)
{
	struct kt_quantity q;
	return quantity && kt_quantity_parse(quantity, &q) ? q.milli : 0;
}

/* How busy: a node by its pods, a pod by the CPU that its metrics tell. */
static size_t business(const struct kt_json *object, const struct kt_json *busy)
{
	const char *name = kt_path_str(object, "metadata.name");
	const struct kt_json *row, *container;
	int64_t sum = 0;
	KT_JSON_EACH (row, busy) {
		if (kt_path_str(row, "spec.nodeName")) {
			sum += check_pod_active(row) && kt_streq(kt_path_str(row, "spec.nodeName"), name);
			continue;
		}
		if (!kt_streq(kt_path_str(row, "metadata.name"), name) ||
		    !kt_equal(kt_path(row, "metadata.namespace"), kt_path(object, "metadata.namespace")))
			continue;
		KT_JSON_EACH (container, kt_get(row, "containers"))
			sum += milli(kt_path_str(container, "usage.cpu"));
	}
	return (size_t)sum;
}

/* `which`: first (by name), busiest, random (from the seed). */
static struct kt_json *choose(const struct check_run *run, const struct kt_json *pick,
                              const struct kt_json *fitting, const struct kt_json *busy)
{
	size_t n = kt_count(fitting);
	const char *which = kt_str_or(kt_get(pick, "which"), "first");
	struct ranked *rows = kt_alloc(KT_MAX(n, 1) * sizeof(*rows));
	struct kt_random random;
	kt_random_init(&random, run->seed);
	for (size_t i = 0; i < n; i++) {
		rows[i] = (struct ranked){kt_at(fitting, i), 0, i};
		if (kt_streq(which, "random"))
			rows[i].weight = kt_random_u32(&random);
		else if (kt_streq(which, "last"))
			rows[i].weight = i;
		else if (kt_streq(which, "busiest"))
			rows[i].weight = business(rows[i].object, busy);
	}
	qsort(rows, n, sizeof(*rows), by_weight);
	int64_t count = kt_whole_or(kt_get(pick, "count"), kt_get(pick, "which") ? 1 : (int64_t)n);
	struct kt_json *out = kt_json_array();
	for (size_t i = 0; i < n && (int64_t)i < count; i++)
		kt_push(&out, kt_json_ref(rows[i].object));
	kt_free(rows);
	return out;
}

static enum kt_code pick_nodes(const struct check_run *run, const struct kt_json *pick, struct kt_json **out,
                               struct kt_err *err)
{
	struct kt_json *nodes = NULL, *running = NULL, *pods = NULL, *fitting = kt_json_array();
	const char *of = kt_get_str(pick, "running");
	const struct kt_json *node;
	enum kt_code rc = check_list_words(run, "nodes", &nodes, err);
	if (!rc && of)
		rc = check_pods_of(run, of, &running, err);
	if (!rc && kt_streq(kt_get_str(pick, "which"), "busiest"))
		rc = check_list_words(run, "pods all", &pods, err);
	KT_JSON_EACH (node, nodes)
		if (!rc && node_fits(node, pick, running))
			kt_push(&fitting, kt_json_ref(node));
	if (!rc && !kt_count(fitting)) {
		struct kt_buf names = {0};
		KT_JSON_EACH (node, nodes)
			kt_buf_addf(&names, "%s%s", names.len ? ", " : "",
			            kt_path_str(node, "metadata.name"));
		rc = kt_fail(err, KT_ENOTFOUND, "no node fits this selection; there are %s",
		             kt_buf_str(&names));
		kt_buf_clear(&names);
	}
	if (!rc)
		*out = choose(run, pick, fitting, pods);
	kt_json_free(nodes);
	kt_json_free(running);
	kt_json_free(pods);
	kt_json_free(fitting);
	return rc;
}

/* What the pods are taken from: an object's, a set, a namespace, everywhere. Owned. */
static char *pods_wanted(const struct kt_json *pick)
{
	const char *of = kt_str(pick) ? kt_str(pick) : kt_get_str(pick, "running"),
	           *name = kt_get_str(pick, "name"), *slash = name ? strchr(name, '/') : NULL;
	of = of ? of : kt_get_str(pick, "of");
	if (of)
		return strchr(of, ' ') ? kt_strdup(of) : kt_strf("pod %s", of);
	return slash ? kt_strf("pods %.*s", (int)(slash - name), name)
	             : kt_strf("pods %s", kt_str_or(kt_get(pick, "namespace"), "all"));
}

static bool pod_stands(const struct kt_json *pod, const struct kt_json *pick, const struct kt_json *nodes)
{
	const char *on = kt_path_str(pod, "spec.nodeName"), *wanted = kt_get_str(pick, "node");
	const struct kt_json *node;
	if (wanted && !kt_streq(on, wanted))
		return false;
	if (!nodes)
		return true;
	KT_JSON_EACH (node, nodes)
		if (on && kt_streq(kt_path_str(node, "metadata.name"), on))
			return is_in(node, pick);
	return false;
}

static enum kt_code pick_pods(const struct check_run *run, const struct kt_json *pick, struct kt_json **out,
                              struct kt_err *err)
{
	const char *name = kt_get_str(pick, "name"), *slash = name ? strchr(name, '/') : NULL,
	           *ns = kt_get_str(pick, "namespace");
	bool placed = kt_get(pick, "zone") || kt_get(pick, "region") || kt_get(pick, "pool");
	char *words = pods_wanted(pick);
	struct kt_json *pods = NULL, *nodes = NULL, *busy = NULL, *fitting = kt_json_array();
	const struct kt_json *pod;
	enum kt_code rc = check_pods_of(run, words, &pods, err);
	if (!rc && placed)
		rc = check_list_words(run, "nodes", &nodes, err);
	if (!rc && kt_streq(kt_get_str(pick, "which"), "busiest") &&
	    check_call(run, "GET", "/apis/metrics.k8s.io/v1beta1/pods", NULL, NULL, &busy, NULL))
		busy = NULL; /* no metrics: as they come */
	KT_JSON_EACH (pod, pods) {
		bool named = !name || kt_streq(kt_path_str(pod, "metadata.name"), slash ? slash + 1 : name);
		named = named && (!ns || kt_streq(kt_path_str(pod, "metadata.namespace"), ns));
		if (!rc && check_pod_active(pod) && named && labels_fit(pod, kt_get(pick, "labels")) &&
		    pod_stands(pod, pick, nodes))
			kt_push(&fitting, kt_json_ref(pod));
	}
	if (!rc && !kt_count(fitting))
		rc = kt_fail(err, KT_ENOTFOUND, "no pod fits this selection (%s)", words);
	if (!rc)
		*out = choose(run, pick, fitting, kt_get(busy, "items"));
	kt_json_free(pods);
	kt_json_free(nodes);
	kt_json_free(busy);
	kt_json_free(fitting);
	kt_free(words);
	return rc;
}

enum kt_code check_pick(const struct check_run *run, const struct kt_json *pick, bool nodes,
                        struct kt_json **out, struct kt_err *err)
{
	return nodes ? pick_nodes(run, pick, out, err) : pick_pods(run, pick, out, err);
}
