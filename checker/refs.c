/* SPDX-License-Identifier: MIT */
/* Objects and sets by their words, pods behind things, selections. */
#include "checker/checker_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	const char *name = space + 1, *slash = strchr(name, '/');
	if (out->resource.namespaced) {
		copy(out->ns, sizeof(out->ns), slash ? name : "default", slash ? (size_t)(slash - name) : 7);
		name = slash ? slash + 1 : name;
	}
	copy(out->name, sizeof(out->name), name, strlen(name));
	return KT_OK;
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
	if (out->resource.namespaced && *word && !is_selector(word)) {
		bool all = kt_streq(word, "*") || kt_streq(word, "all");
		copy(out->ns, sizeof(out->ns), all ? "" : word, all ? 0 : len);
		rest += len + strspn(rest + len, " ");
	} else if (out->resource.namespaced) {
		copy(out->ns, sizeof(out->ns), "default", 7);
	}
	copy(out->selector, sizeof(out->selector), rest, strlen(rest));
	return KT_OK;
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
	return message ? kt_fail(err, code, "%s", message)
	               : kt_fail(err, code, "the cluster answered %d", answer->status);
}

enum kt_code check_call(const struct check_run *run, const char *method, const char *path,
                        const char *content_type, const struct kt_json *body, struct kt_json **out,
                        struct kt_err *err)
{
	struct check_answer answer = {0};
	char *text = body ? kt_json_text(body) : NULL;
	enum kt_code rc = check_request(run->client, method, path,
	                                body ? (content_type ? content_type : "application/json") : NULL,
	                                text, text ? strlen(text) : 0, &answer, err);
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

static const struct kt_json *condition(const struct kt_json *object, const char *type)
{
	const struct kt_json *list = kt_path(object, "status.conditions");
	ptrdiff_t i = kt_find(list, "type", type);
	return i < 0 ? NULL : kt_at(list, (size_t)i);
}

bool check_pod_ready(const struct kt_json *pod)
{
	return kt_streq(kt_get_str(condition(pod, "Ready"), "status"), "True");
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
	} else if (!selector) {
		rc = kt_fail(err, KT_EINVAL, "%s has no selector, so no pods are behind it", words);
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
		if (!kt_streq(kt_get_str(labels, kt_key(wanted, i)), kt_str(kt_at(wanted, i))))
			return false;
	return true;
}

static bool node_fits(const struct kt_json *node, const struct kt_json *pick, const struct kt_json *running)
{
	const char *name = kt_path_str(node, "metadata.name"),
	           *wanted = kt_str(pick) ? kt_str(pick) : kt_get_str(pick, "name");
	const char *zone = kt_get_str(pick, "zone"), *pool = kt_get_str(pick, "pool");
	const struct kt_json *labels = kt_path(node, "metadata.labels"), *pod;
	const char *its_zone = kt_get_str(labels, "topology.kubernetes.io/zone"),
	           *its_pool = kt_get_str(labels, "ktutor.dev/pool");
	if (wanted && !kt_streq(name, wanted))
		return false;
	/* zones are written `a` in labs; a cluster may call it `zone-a` */
	if (zone && !kt_streq(its_zone, zone) &&
	    !(kt_starts(its_zone ? its_zone : "", "zone-") && kt_streq(its_zone + 5, zone)))
		return false;
	if ((pool && !kt_streq(its_pool, pool)) || !labels_fit(node, kt_get(pick, "labels")))
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

/* `which`: first (by name), busiest (most pods), random (from the seed). */
static struct kt_json *choose(const struct check_run *run, const struct kt_json *pick,
                              const struct kt_json *fitting, const struct kt_json *pods)
{
	size_t n = kt_count(fitting);
	const char *which = kt_str_or(kt_get(pick, "which"), "first");
	struct ranked *rows = kt_alloc(KT_MAX(n, 1) * sizeof(*rows));
	struct kt_random random;
	kt_random_init(&random, run->seed);
	for (size_t i = 0; i < n; i++) {
		const struct kt_json *pod;
		rows[i] = (struct ranked){kt_at(fitting, i), 0, i};
		if (kt_streq(which, "random"))
			rows[i].weight = kt_random_u32(&random);
		else if (kt_streq(which, "last"))
			rows[i].weight = i;
		else if (kt_streq(which, "busiest"))
			KT_JSON_EACH (pod, pods)
				rows[i].weight += kt_streq(kt_path_str(pod, "spec.nodeName"),
				                           kt_path_str(rows[i].object, "metadata.name"));
	}
	qsort(rows, n, sizeof(*rows), by_weight);
	int64_t count = kt_get_int(pick, "count", kt_get(pick, "which") ? 1 : (int64_t)n);
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

static enum kt_code pick_pods(const struct check_run *run, const struct kt_json *pick, struct kt_json **out,
                              struct kt_err *err)
{
	const char *of = kt_str(pick) ? kt_str(pick) : kt_get_str(pick, "of");
	of = of ? of : kt_get_str(pick, "running");
	const char *ns = kt_str_or(kt_get(pick, "namespace"), "all"), *name = kt_get_str(pick, "name"),
	           *slash = name ? strchr(name, '/') : NULL;
	char *words = of      ? kt_strdup(of)
	              : slash ? kt_strf("pods %.*s", (int)(slash - name), name)
	                      : kt_strf("pods %s", ns);
	struct kt_json *pods = NULL, *fitting = kt_json_array();
	const struct kt_json *pod;
	enum kt_code rc = check_pods_of(run, words, &pods, err);
	KT_JSON_EACH (pod, pods) {
		bool named = !name || kt_streq(kt_path_str(pod, "metadata.name"), slash ? slash + 1 : name);
		if (!rc && check_pod_active(pod) && named && labels_fit(pod, kt_get(pick, "labels")))
			kt_push(&fitting, kt_json_ref(pod));
	}
	if (!rc && !kt_count(fitting))
		rc = kt_fail(err, KT_ENOTFOUND, "no pod fits this selection (%s)", words);
	if (!rc)
		*out = choose(run, pick, fitting, NULL);
	kt_json_free(pods);
	kt_json_free(fitting);
	kt_free(words);
	return rc;
}

enum kt_code check_pick(const struct check_run *run, const struct kt_json *pick, bool nodes,
                        struct kt_json **out, struct kt_err *err)
{
	return nodes ? pick_nodes(run, pick, out, err) : pick_pods(run, pick, out, err);
}
