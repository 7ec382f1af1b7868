/* SPDX-License-Identifier: MIT */
/* What the world does to a cluster (the disturbances of the scenario language): a row a step. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster/api/api.h"
#include "cluster/controllers/spot.h"
#include "cluster/kubelet/kubelet.h"
#include "cluster/network/network.h"
#include "cluster/network/world.h"

static const struct api_actor actor = {.user = "system:admin", .manager = "ktutor", .component = "ktutor"};

static const struct schema_kind *kind_of(struct cluster *cluster, const char *group, const char *kind)
{
	return schema_stored(cluster_schema(cluster), group, kind);
}

static void list_add(struct kt_buf *list, const char *name)
{
	if (list->len < 400 && name && *name)
		kt_buf_addf(list, "%s%s", list->len ? ", " : "", name);
}

static enum kt_code unknown_keys(const struct kt_json *object, const char *const *known, size_t count,
                                 const char *where, struct kt_err *err)
{
	for (size_t i = 0; i < kt_count(object); i++) {
		const char *key = kt_key(object, i);
		bool found = false;
		for (size_t k = 0; k < count; k++)
			found = found || !strcmp(known[k], key);
		if (found)
			continue;
		const char *near = kt_nearest(key, known, count);
		return kt_fail(err, KT_EINVAL, "%s: unknown key '%s'%s%s%s", where, key,
		               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
	return KT_OK;
}

/* --- selections --- */
struct chosen {
	const struct store_object **items;
	size_t count, cap;
};

static void chosen_clear(struct chosen *chosen)
{
	for (size_t i = 0; i < chosen->count; i++)
		store_unref(chosen->items[i]);
	kt_free(chosen->items);
	*chosen = (struct chosen){0};
}

static void chosen_add(struct chosen *chosen, const struct store_object *object)
{
	chosen->items = kt_grow(chosen->items, &chosen->cap, chosen->count + 1, sizeof(*chosen->items));
	chosen->items[chosen->count++] = store_ref(object);
}

static bool labels_fit(const struct kt_json *wanted, const struct kt_json *labels)
{
	for (size_t i = 0; i < kt_count(wanted); i++) {
		if (!kt_equal(kt_get(labels, kt_key(wanted, i)), kt_at(wanted, i)))
			return false;
	}
	return true;
}

/* Zones may be written short: a for zone-a. */
static bool is_zone(const char *zone, const char *name)
{
	return zone && name && (!strcmp(zone, name) || (kt_starts(zone, "zone-") && !strcmp(zone + 5, name)));
}

/* "deployment shop/web": is this pod one of its? By the owner, or the owner's owner. */
static bool pod_of(struct cluster *cluster, const struct store_object *pod, const char *what)
{
	const char *space = strchr(what, ' '), *name = space ? space + 1 : what, *slash = strchr(name, '/');
	char *kind = kt_strndup(what, space ? (size_t)(space - what) : 0);
	char *ns = slash ? kt_strndup(name, (size_t)(slash - name)) : kt_strdup("default");
	name = slash ? slash + 1 : name;
	bool same = kt_streq(pod->ns, ns), found = false;
	struct view_owner owner = view_pod(pod)->owner;
	if (same && (kt_starts("pods", kind) && strlen(kind) > 1))
		found = kt_streq(pod->name, name);
	for (int depth = 0; same && !found && owner.uid && depth < 3; depth++) {
		found = !strncasecmp(owner.kind, kind, strlen(kind)) && kt_streq(owner.name, name);
		const struct store_object *above = store_get_uid(cluster_store(cluster), owner.uid);
		owner = above ? view_controller_of(above->json) : (struct view_owner){0};
	}
	if (same && !found && (kt_streq(kind, "service") || kt_streq(kind, "svc"))) {
		const struct store_object *service =
		        store_get(cluster_store(cluster), kind_of(cluster, "", "Service"), ns, name);
		found = service &&
		        view_map_matches(kt_path(service->json, "spec.selector"), view_pod(pod)->labels);
	}
	kt_free(kind);
	kt_free(ns);
	return found;
}

static bool node_runs(struct cluster *cluster, const char *node, const char *what)
{
	struct store_list pods = {0};
	bool found = false;
	store_pods_on_node(cluster_store(cluster), node, &pods);
	for (size_t i = 0; i < pods.count && !found; i++)
		found = pod_of(cluster, pods.items[i], what);
	store_list_clear(&pods);
	return found;
}

static size_t busy_of(struct cluster *cluster, const struct store_object *object)
{
	struct store_list pods = {0};
	store_pods_on_node(cluster_store(cluster), object->name, &pods);
	size_t n = pods.count;
	store_list_clear(&pods);
	return n;
}

static enum kt_code keep_some(struct cluster *cluster, const struct kt_json *pick, struct chosen *chosen,
                              struct kt_err *err)
{
	const char *which = kt_str_or(kt_get(pick, "which"), "first");
	int64_t count = kt_get_int(pick, "count", (int64_t)chosen->count);
	if (strcmp(which, "first") != 0 && strcmp(which, "busiest") != 0 && strcmp(which, "random") != 0)
		return kt_fail(err, KT_EINVAL, "pick: which: first, busiest or random is wanted, not '%s'",
		               which);
	if (count < 0)
		return kt_fail(err, KT_EINVAL, "pick: count: a number from 0 on is wanted");
	for (size_t i = 0; i < chosen->count && (int64_t)i < count; i++) {
		size_t best = i;
		if (which[0] == 'r') {
			best = i + kt_random_below(cluster_random(cluster), (uint32_t)(chosen->count - i));
		} else if (which[0] == 'b') {
			for (size_t k = i + 1; k < chosen->count; k++) {
				if (busy_of(cluster, chosen->items[k]) >
				    busy_of(cluster, chosen->items[best]))
					best = k;
			}
		}
		const struct store_object *swap = chosen->items[i];
		chosen->items[i] = chosen->items[best];
		chosen->items[best] = swap;
	}
	while ((int64_t)chosen->count > count)
		store_unref(chosen->items[--chosen->count]);
	return KT_OK;
}

static bool node_fits(struct cluster *cluster, const struct store_object *node, const struct kt_json *pick)
{
	const struct view_node *view = view_node(node);
	const char *name = kt_get_str(pick, "name"), *zone = kt_get_str(pick, "zone"),
	           *running = kt_get_str(pick, "running");
	return (!name || kt_streq(node->name, name)) && (!zone || is_zone(view->zone, zone)) &&
	       labels_fit(kt_get(pick, "labels"), view->labels) &&
	       (!running || node_runs(cluster, node->name, running));
}

static bool pod_fits(struct cluster *cluster, const struct store_object *pod, const struct kt_json *pick)
{
	const struct view_pod *view = view_pod(pod);
	const char *name = kt_get_str(pick, "name"), *zone = kt_get_str(pick, "zone"),
	           *running = kt_get_str(pick, "running");
	const char *ns = kt_get_str(pick, "namespace"), *slash = name ? strchr(name, '/') : NULL,
	           *node = kt_get_str(pick, "node");
	if (view->phase == VIEW_SUCCEEDED || view->phase == VIEW_FAILED)
		return false;
	if (slash && (strlen(pod->ns) != (size_t)(slash - name) ||
	              strncmp(pod->ns, name, (size_t)(slash - name)) != 0))
		return false;
	if ((name && !kt_streq(pod->name, slash ? slash + 1 : name)) || (ns && !kt_streq(ns, pod->ns)) ||
	    (node && !kt_streq(view->node, node)))
		return false;
	if (zone) {
		const struct store_object *on =
		        view->node ? store_get(cluster_store(cluster), kind_of(cluster, "", "Node"), "",
		                               view->node)
		                   : NULL;
		if (!on || !is_zone(view_node(on)->zone, zone))
			return false;
	}
	return labels_fit(kt_get(pick, "labels"), view->labels) &&
	       (!running || pod_of(cluster, pod, running));
}

static enum kt_code pick_objects(struct cluster *cluster, const struct kt_json *pick, bool pods,
                                 struct chosen *out, struct kt_err *err)
{
	static const char *const known[] = {"name",  "labels", "zone",      "running",
	                                    "count", "which",  "namespace", "node"};
	const struct store_object *object;
	struct kt_buf there = {0};
	if (!kt_is_object(pick))
		return kt_fail(err, KT_EINVAL,
		               "pick: a selection is wanted, as in {name: n1} or {labels: {role: backend}}");
	enum kt_code rc = unknown_keys(pick, known, KT_COUNT(known), "pick", err);
	if (rc)
		return rc;
	STORE_EACH (object, cluster_store(cluster), kind_of(cluster, "", pods ? "Pod" : "Node"), NULL) {
		if (pods ? pod_fits(cluster, object, pick) : node_fits(cluster, object, pick))
			chosen_add(out, object);
		list_add(&there, object->name);
	}
	if (!out->count)
		rc = kt_fail(err, KT_ENOTFOUND, "pick: no %s fits; there is: %s", pods ? "pod" : "node",
		             there.len ? kt_buf_str(&there) : "none");
	else
		rc = keep_some(cluster, pick, out, err);
	kt_buf_clear(&there);
	return rc;
}

/* --- steps --- */
static enum kt_code up_or_down(const struct kt_json *step, bool *up, struct kt_err *err)
{
	const char *is = kt_get_str(step, "is");
	if (!is || (strcmp(is, "up") != 0 && strcmp(is, "down") != 0))
		return kt_fail(err, KT_EINVAL, "is: up or down is wanted, not '%s'", is ? is : "");
	*up = is[0] == 'u';
	return KT_OK;
}

/* A spot machine gets its two minutes' notice. */
static enum kt_code interrupt(struct cluster *cluster, const struct chosen *nodes, struct kt_json **result,
                              struct kt_err *err)
{
	for (size_t i = 0; i < nodes->count; i++) {
		if (!spot_is(nodes->items[i]))
			return kt_fail(err, KT_EINVAL,
			               "node: '%s' is no spot machine (label " SPOT_LABEL "=true)",
			               nodes->items[i]->name);
	}
	for (size_t i = 0; i < nodes->count; i++) {
		spot_interrupt(cluster, nodes->items[i]);
		kt_push(result, kt_json_str(nodes->items[i]->name));
	}
	return KT_OK;
}

static enum kt_code do_node(struct cluster *cluster, const struct kt_json *step, struct kt_json **result,
                            struct kt_err *err)
{
	static const char *const known[] = {"is", "pick"};
	struct chosen nodes = {0};
	bool up = false;
	enum kt_code rc = unknown_keys(step, known, KT_COUNT(known), "node", err);
	bool notice = kt_streq(kt_get_str(step, "is"), "interrupted");
	if (!rc && !notice)
		rc = up_or_down(step, &up, err);
	if (!rc)
		rc = pick_objects(cluster, kt_get(step, "pick"), false, &nodes, err);
	if (!rc && notice)
		rc = interrupt(cluster, &nodes, result, err);
	for (size_t i = 0; !rc && !notice && i < nodes.count; i++) {
		kubelet_node_set(cluster, nodes.items[i]->name, up);
		kt_push(result, kt_json_str(nodes.items[i]->name));
	}
	chosen_clear(&nodes);
	return rc;
}

static enum kt_code all_of(struct cluster *cluster, const struct kt_json *step, bool region,
                           struct kt_json **result, struct kt_err *err)
{
	static const char *const known[] = {"is", "name"};
	const char *name = kt_get_str(step, "name"), *what = region ? "region" : "zone";
	const struct store_object *node;
	struct kt_strs names = {0};
	struct kt_buf there = {0};
	bool up = false;
	enum kt_code rc = unknown_keys(step, known, KT_COUNT(known), what, err);
	if (!rc)
		rc = up_or_down(step, &up, err);
	if (!rc && !name)
		rc = kt_fail(err, KT_EINVAL, "%s: name is wanted", what);
	STORE_EACH (node, cluster_store(cluster), kind_of(cluster, "", "Node"), NULL) {
		const char *mine = region ? view_node(node)->region : view_node(node)->zone;
		if (region ? mine && kt_streq(mine, name) : is_zone(mine, name))
			kt_strs_add(&names, node->name);
		else if (mine && !strstr(kt_buf_str(&there), mine))
			list_add(&there, mine);
	}
	if (!rc && !names.count)
		rc = kt_fail(err, KT_ENOTFOUND, "%s: no node is in %s '%s'; there is: %s", what, what, name,
		             there.len ? kt_buf_str(&there) : "none");
	for (size_t i = 0; !rc && i < names.count; i++) {
		kubelet_node_set(cluster, names.items[i], up);
		kt_push(result, kt_json_str(names.items[i]));
	}
	kt_strs_clear(&names);
	kt_buf_clear(&there);
	return rc;
}

static enum kt_code do_zone(struct cluster *cluster, const struct kt_json *step, struct kt_json **result,
                            struct kt_err *err)
{
	return all_of(cluster, step, false, result, err);
}

static enum kt_code do_region(struct cluster *cluster, const struct kt_json *step, struct kt_json **result,
                              struct kt_err *err)
{
	return all_of(cluster, step, true, result, err);
}

/* "zone a", "region eu", "node n1" or a bare name. */
static const char *end_of_link(struct cluster *cluster, const struct kt_json *v, struct kt_err *err)
{
	static const char *const kinds[] = {"zone ", "region ", "node "};
	const char *text = kt_str(v), *name = text;
	const struct store_object *node;
	struct kt_buf there = {0};
	if (!text) {
		(void)kt_fail(err, KT_EINVAL, "link: between: two ends are wanted, as in [zone a, zone b]");
		return NULL;
	}
	for (size_t i = 0; i < KT_COUNT(kinds); i++)
		name = kt_starts(text, kinds[i]) ? text + strlen(kinds[i]) : name;
	bool found = false;
	STORE_EACH (node, cluster_store(cluster), kind_of(cluster, "", "Node"), NULL) {
		const struct view_node *view = view_node(node);
		if (!found && is_zone(view->zone, name))
			name = view->zone; /* borrowed from the node's version */
		found = found || kt_streq(node->name, name) || kt_streq(view->zone, name) ||
		        kt_streq(view->region, name);
		if (view->zone && !strstr(kt_buf_str(&there), view->zone))
			list_add(&there, view->zone);
	}
	if (!found)
		(void)kt_fail(err, KT_ENOTFOUND, "link: there is no '%s'; zones are: %s", text,
		              there.len ? kt_buf_str(&there) : "none");
	kt_buf_clear(&there);
	return found ? name : NULL;
}

static enum kt_code do_link(struct cluster *cluster, const struct kt_json *step, struct kt_json **result,
                            struct kt_err *err)
{
	static const char *const known[] = {"between", "is", "slow", "loss"};
	const struct kt_json *between = kt_get(step, "between");
	const char *is = kt_get_str(step, "is"), *slow = kt_get_str(step, "slow"),
	           *loss_text = kt_get_str(step, "loss");
	kt_ns latency = 0;
	double loss = loss_text ? strtod(loss_text, NULL) / (strchr(loss_text, '%') ? 100 : 1)
	                        : kt_real_or(kt_get(step, "loss"), 0);
	enum kt_code rc = unknown_keys(step, known, KT_COUNT(known), "link", err);
	if (rc)
		return rc;
	/* `is: slow: 200ms` may also be written {is: {slow: 200ms}} */
	if (!slow)
		slow = kt_path_str(step, "is.slow");
	if (slow && !kt_duration_parse(slow, &latency))
		return kt_fail(err, KT_EINVAL, "link: slow: a duration is wanted, as in 200ms, not '%s'",
		               slow);
	if (is && strcmp(is, "cut") != 0 && strcmp(is, "ok") != 0 && strcmp(is, "slow") != 0)
		return kt_fail(err, KT_EINVAL, "link: is: cut or ok is wanted (or slow: 200ms), not '%s'",
		               is);
	if (!is && !slow && loss <= 0)
		return kt_fail(err, KT_EINVAL, "link: is, slow or loss is wanted");
	if (kt_count(between) != 2)
		return kt_fail(err, KT_EINVAL, "link: between: two ends are wanted, as in [zone a, zone b]");
	const char *a = end_of_link(cluster, kt_at(between, 0), err),
	           *b = a ? end_of_link(cluster, kt_at(between, 1), err) : NULL;
	if (!a || !b)
		return err ? err->code : KT_ENOTFOUND;
	network_link_set(cluster, a, b, kt_streq(is, "cut"), latency, loss);
	kt_push(result, kt_json_strf("%s - %s", a, b));
	return KT_OK;
}

static enum kt_code do_load(struct cluster *cluster, const struct kt_json *step, struct kt_json **result,
                            struct kt_err *err)
{
	static const char *const known[] = {"to",   "rps",  "shape", "over",    "times",  "work",
	                                    "host", "path", "from",  "timeout", "retries"};
	enum kt_code rc = unknown_keys(step, known, KT_COUNT(known), "load", err);
	if (!rc)
		rc = traffic_set(cluster, step, err);
	if (!rc)
		kt_push(result, kt_json_ref(kt_get(step, "to")));
	return rc;
}

static enum kt_code do_pod(struct cluster *cluster, const struct kt_json *step, struct kt_json **result,
                           struct kt_err *err)
{
	static const char *const known[] = {"pick", "is", "container"};
	const char *is = kt_get_str(step, "is");
	struct chosen pods = {0};
	enum kt_code rc = unknown_keys(step, known, KT_COUNT(known), "pod", err);
	if (!rc &&
	    (!is || (strcmp(is, "killed") != 0 && strcmp(is, "oom") != 0 && strcmp(is, "deleted") != 0)))
		rc = kt_fail(err, KT_EINVAL, "pod: is: killed, oom or deleted is wanted, not '%s'",
		             is ? is : "");
	if (!rc)
		rc = pick_objects(cluster, kt_get(step, "pick"), true, &pods, err);
	for (size_t i = 0; !rc && i < pods.count; i++) {
		const struct store_object *pod = pods.items[i];
		struct api_delete_options options = {.grace = -1};
		if (is[0] == 'd')
			(void)api_delete(cluster, &actor, pod->kind, pod->ns, pod->name, &options, NULL);
		else
			(void)kubelet_kill(cluster, pod->ns, pod->name, kt_get_str(step, "container"),
			                   is[0] == 'o');
		kt_push(result, kt_json_strf("%s/%s", pod->ns, pod->name));
	}
	chosen_clear(&pods);
	return rc;
}

static enum kt_code do_image(struct cluster *cluster, const struct kt_json *step, struct kt_json **result,
                             struct kt_err *err)
{
	static const char *const known[] = {"name", "is"};
	const char *name = kt_get_str(step, "name"), *is = kt_str_or(kt_get(step, "is"), "");
	enum kt_code rc = unknown_keys(step, known, KT_COUNT(known), "image", err);
	if (rc)
		return rc;
	if (!name || (strcmp(is, "missing") != 0 && strcmp(is, "there") != 0 && strcmp(is, "ok") != 0))
		return kt_fail(err, KT_EINVAL, "image: name and is: missing (or ok) are wanted");
	char *full = image_full_name(name);
	/* a name without a tag stands for all of its tags */
	const char *slash = strrchr(name, '/');
	if (!strchr(slash ? slash : name, ':') && kt_ends(full, ":latest"))
		full[strlen(full) - strlen(":latest")] = '\0';
	struct kt_json *images = world_get(cluster, "images");
	kt_set(&images, full, is[0] == 'm' ? kt_json_bool(true) : NULL);
	world_set(cluster, "images", images);
	kt_push(result, kt_json_str(full));
	kt_free(full);
	return KT_OK;
}

static enum kt_code do_internet(struct cluster *cluster, const struct kt_json *step, struct kt_json **result,
                                struct kt_err *err)
{
	const char *is = kt_str_or(kt_get(step, "is"), "");
	if (strcmp(is, "cut") != 0 && strcmp(is, "ok") != 0)
		return kt_fail(err, KT_EINVAL, "internet: is: cut or ok is wanted, not '%s'", is);
	world_set(cluster, "internet", is[0] == 'c' ? kt_jsonf("{cut: true}") : NULL);
	kt_push(result, kt_json_str("internet"));
	return KT_OK;
}

static const struct {
	const char *name;
	enum kt_code (*run)(struct cluster *cluster, const struct kt_json *step, struct kt_json **result,
	                    struct kt_err *err);
} steps[] = {{"node", do_node}, {"zone", do_zone}, {"region", do_region}, {"link", do_link},
             {"load", do_load}, {"pod", do_pod},   {"image", do_image},   {"internet", do_internet}};

enum kt_code cluster_disturb(struct cluster *cluster, const struct kt_json *what, struct kt_json **out_result,
                             struct kt_err *err)
{
	const char *names[KT_COUNT(steps)];
	struct kt_json *result = kt_json_array();
	enum kt_code rc = KT_EINVAL;
	for (size_t i = 0; i < KT_COUNT(steps); i++)
		names[i] = steps[i].name;
	const char *name = kt_count(what) == 1 ? kt_key(what, 0) : NULL;
	if (!kt_is_object(what) || !name) {
		(void)kt_fail(
		        err, KT_EINVAL,
		        "a disturbance is one step: node, zone, region, link, load, pod, image or internet");
	} else {
		size_t i = 0;
		while (i < KT_COUNT(steps) && strcmp(steps[i].name, name) != 0)
			i++;
		if (i < KT_COUNT(steps)) {
			rc = steps[i].run(cluster, kt_at(what, 0), &result, err);
		} else {
			const char *near = kt_nearest(name, names, KT_COUNT(steps));
			(void)kt_fail(err, KT_EINVAL, "'%s' is no disturbance%s%s%s", name,
			              near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
		}
	}
	if (rc == KT_OK && out_result)
		*out_result = kt_jsonf("{disturbed: %J}", result);
	kt_json_free(result);
	return rc;
}
