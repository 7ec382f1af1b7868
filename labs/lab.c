/* SPDX-License-Identifier: MIT */
/* lab.yaml: read once, every error with file and line. */
#include "labs/labs_internal.h"

#include <string.h>

static const char *const lab_keys[] = {"lab",   "title", "lesson", "minutes", "needs", "cluster", "setup",
                                       "tasks", "text",  "seed",   "think",   "vary",  "meaning"};
static const char *const task_keys[] = {"task", "title", "text", "points", "after", "checks", "hints", "why"};
static const char *const cluster_keys[] = {"nodes", "seed", "version"};
enum node_value { SCALAR, NAMES, MAP, TAINTS, QUANTITY, WHOLE };
static const struct {
	const char *key;
	enum node_value value;
	const char *wanted;
} node_keys[] = {{"pool", SCALAR, "a name"},
                 {"count", WHOLE, "a number"},
                 {"zones", NAMES, "a list, as in [a, b, c]"},
                 {"zone", SCALAR, "a name"},
                 {"regions", NAMES, "a list, as in [eu, us]"},
                 {"region", SCALAR, "a name"},
                 {"cpu", QUANTITY, "a quantity, as in 4"},
                 {"memory", QUANTITY, "a quantity, as in 8Gi"},
                 {"pods", SCALAR, "a number"},
                 {"labels", MAP, "a map, as in {role: backend}"},
                 {"taints", TAINTS, "a list, as in [gpu=yes:NoSchedule]"},
                 {"gpu", SCALAR, "a number"},
                 {"spot", SCALAR, "yes or no"},
                 {"price", SCALAR, "a number"},
                 {"min", SCALAR, "a number"},
                 {"max", SCALAR, "a number"},
                 {"name", SCALAR, "a name"},
                 {"ephemeral-storage", QUANTITY, "a quantity, as in 100Gi"},
                 {"resources", MAP, "a map, as in {nvidia.com/gpu: 2}"}};
static const char *const capabilities[] = {"zones",         "node-failure",  "traffic",  "network-policy",
                                           "metrics",       "storage",       "registry", "ingress",
                                           "gateway",       "load-balancer", "links",    "autoscaler",
                                           "network-disks", "whole-machines"};
/* What else authors call them; NULL: every provider's clusters have it. */
static const struct {
	const char *word, *capability;
} other_words[] = {{"kubelet", NULL},
                   {"network", NULL},
                   {"dns", NULL},
                   {"rbac", NULL},
                   {"nodes", "node-failure"},
                   {"node", "node-failure"},
                   {"node-down", "node-failure"},
                   {"zone-failure", "zones"},
                   {"zone", "zones"},
                   {"load", "traffic"},
                   {"network-policies", "network-policy"},
                   {"networkpolicy", "network-policy"},
                   {"metrics-server", "metrics"},
                   {"persistent-volumes", "storage"},
                   {"volumes", "storage"},
                   {"pvc", "storage"},
                   {"image", "registry"},
                   {"images", "registry"},
                   {"link", "links"},
                   {"link-failure", "links"},
                   {"ingress-controller", "ingress"},
                   {"gateway-api", "gateway"},
                   {"loadbalancer", "load-balancer"},
                   {"load-balancers", "load-balancer"}};

struct reader {
	struct kt_yaml *yaml;
	struct kt_arena *arena;
	struct kt_err *err;
};

static const char *keep(const struct reader *r, const char *text)
{
	return text ? kt_arena_strdup(r->arena, text) : NULL;
}

static enum kt_code need_text(const struct reader *r, const struct kt_json *object, const char *what,
                              const char *key, const char **out)
{
	const char *text = kt_get_str(object, key);
	if (!text || !*text)
		return kt_yaml_fail(r->yaml, object, r->err, "%s needs '%s' with a text", what, key);
	*out = keep(r, text);
	return KT_OK;
}

static enum kt_code need_number(const struct reader *r, const struct kt_json *object, const char *key,
                                unsigned otherwise, unsigned *out)
{
	const struct kt_json *v = kt_get(object, key);
	if (v && (!kt_is_whole(v) || kt_whole_or(v, 0) < 0 || kt_whole_or(v, 0) > 100000))
		return kt_yaml_fail(r->yaml, v, r->err, "'%s': expected a whole number", key);
	*out = (unsigned)kt_whole_or(v, otherwise);
	return KT_OK;
}

/* A list of texts, or a single one. NULL-terminated. */
static enum kt_code read_texts(const struct reader *r, const struct kt_json *list, const char *key,
                               const char *const **out, size_t *count)
{
	size_t n = kt_is_array(list) ? kt_count(list) : kt_str(list) ? 1 : 0;
	const char **texts = kt_arena_alloc(r->arena, (n + 1) * sizeof(*texts));
	if (list && !kt_is_array(list) && !kt_str(list))
		return kt_yaml_fail(r->yaml, list, r->err, "'%s': expected a list of texts", key);
	for (size_t i = 0; i < n; i++) {
		const struct kt_json *item = kt_is_array(list) ? kt_at(list, i) : list;
		if (!kt_str(item))
			return kt_yaml_fail(r->yaml, item, r->err,
			                    "'%s': expected a text (put quotes around it?)", key);
		texts[i] = keep(r, kt_str(item));
	}
	*out = texts;
	if (count)
		*count = n;
	return KT_OK;
}

/* What is written as text is one, where it is written at all. */
static enum kt_code hold_texts(const struct reader *r, const struct kt_json *object, const char *const *keys,
                               size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct kt_json *v = kt_get(object, keys[i]);
		if (v && (kt_is_object(v) || kt_is_array(v)))
			return kt_yaml_fail(r->yaml, v, r->err, "'%s': expected a text", keys[i]);
	}
	return KT_OK;
}

static enum kt_code read_task(const struct reader *r, const struct kt_json *node, const char *dir,
                              struct lab_task *task)
{
	static const char *const texts[] = {"title", "text", "why"};
	enum kt_code rc = kt_yaml_keys(r->yaml, node, "a task", task_keys, KT_COUNT(task_keys), r->err);
	if (!rc)
		rc = hold_texts(r, node, texts, KT_COUNT(texts));
	if (!rc)
		rc = need_text(r, node, "a task", "task", &task->task);
	if (rc)
		return rc;
	task->title = keep(r, kt_str_or(kt_get(node, "title"), task->task));
	task->text = keep(r, kt_str_or(kt_get(node, "text"), ""));
	task->why = keep(r, kt_get_str(node, "why"));
	rc = need_number(r, node, "points", 1, &task->points);
	if (!rc)
		rc = read_texts(r, kt_get(node, "after"), "after", &task->after, &task->after_count);
	if (!rc)
		rc = read_texts(r, kt_get(node, "hints"), "hints", &task->hints, &task->hint_count);
	if (!rc && !kt_count(kt_get(node, "checks")))
		rc = kt_yaml_fail(r->yaml, node, r->err, "task '%s' has no check", task->task);
	if (!rc)
		rc = check_checks_parse(r->yaml, kt_get(node, "checks"), dir, &task->checks,
		                        &task->check_count, r->err);
	for (size_t i = 0; !rc && i < task->check_count; i++)
		task->has_drill = task->has_drill || check_has_drill(task->checks[i]);
	return rc;
}

static size_t task_named(const struct lab *lab, const char *name)
{
	size_t i = 0;
	while (i < lab->task_count && !kt_streq(lab->tasks[i].task, name))
		i++;
	return i;
}

static bool is_in(const size_t *order, size_t count, size_t task)
{
	for (size_t i = 0; i < count; i++)
		if (order[i] == task)
			return true;
	return false;
}

/* All that it comes after are in the order already. */
static bool may_be_next(const struct lab *lab, size_t i, const size_t *order, size_t count)
{
	for (size_t a = 0; a < lab->tasks[i].after_count; a++)
		if (!is_in(order, count, task_named(lab, lab->tasks[i].after[a])))
			return false;
	return true;
}

/* Names are unique, `after` names other tasks, and none waits for itself by way of others. */
static enum kt_code hold_order(const struct reader *r, const struct kt_json *list, struct lab *lab)
{
	size_t *order = kt_arena_alloc(r->arena, (lab->task_count + 1) * sizeof(*order)), count = 0;
	lab->order = order;
	for (size_t i = 0; i < lab->task_count; i++) {
		if (task_named(lab, lab->tasks[i].task) < i)
			return kt_yaml_fail(r->yaml, kt_at(list, i), r->err, "a second task is called '%s'",
			                    lab->tasks[i].task);
		for (size_t a = 0; a < lab->tasks[i].after_count; a++)
			if (task_named(lab, lab->tasks[i].after[a]) == lab->task_count)
				return kt_yaml_fail(r->yaml, kt_get(kt_at(list, i), "after"), r->err,
				                    "there is no task '%s'", lab->tasks[i].after[a]);
	}
	while (count < lab->task_count) {
		size_t i = 0;
		while (i < lab->task_count && (is_in(order, count, i) || !may_be_next(lab, i, order, count)))
			i++;
		if (i == lab->task_count)
			break;
		order[count++] = i;
	}
	for (size_t i = 0; i < lab->task_count; i++)
		if (!is_in(order, count, i))
			return kt_yaml_fail(r->yaml, kt_get(kt_at(list, i), "after"), r->err,
			                    "'%s' waits for itself", lab->tasks[i].task);
	return KT_OK;
}

static bool is_value(enum node_value wanted, const struct kt_json *v)
{
	const struct kt_json *item;
	if (wanted == MAP)
		return kt_is_object(v);
	if (wanted == QUANTITY) {
		char *text = kt_str(v) ? kt_strdup(kt_str(v)) : kt_json_text(v);
		struct kt_quantity quantity;
		bool fine = kt_quantity_parse(text, &quantity);
		kt_free(text);
		return fine;
	}
	if (wanted == WHOLE)
		return kt_is_whole(v);
	if (wanted == SCALAR)
		return !kt_is_object(v) && !kt_is_array(v) && kt_json_type(v) != KT_JSON_NULL;
	if (wanted == NAMES && kt_json_type(v) == KT_JSON_INT)
		return kt_int_or(v, 0) > 0; /* so many of them */
	KT_JSON_EACH (item, v)
		if (kt_is_array(item) || (wanted == NAMES && kt_is_object(item)))
			return false;
	return kt_is_array(v) && kt_count(v);
}

static enum kt_code hold_nodes_row(const struct reader *r, const struct kt_json *row)
{
	const char *known[KT_COUNT(node_keys)];
	for (size_t k = 0; k < KT_COUNT(node_keys); k++)
		known[k] = node_keys[k].key;
	enum kt_code rc = kt_yaml_keys(r->yaml, row, "a row of nodes", known, KT_COUNT(known), r->err);
	for (size_t k = 0; !rc && k < KT_COUNT(node_keys); k++) {
		const struct kt_json *v = kt_get(row, node_keys[k].key);
		if (v && !is_value(node_keys[k].value, v))
			rc = kt_yaml_fail(r->yaml, v, r->err, "'%s': expected %s", node_keys[k].key,
			                  node_keys[k].wanted);
	}
	int64_t count = kt_whole_or(kt_get(row, "count"), 1);
	if (!rc && (count < 0 || count > 200))
		rc = kt_yaml_fail(r->yaml, kt_get(row, "count"), r->err, "'count': expected 0 to 200");
	return rc;
}

static enum kt_code hold_cluster(const struct reader *r, const struct kt_json *cluster)
{
	if (!cluster)
		return KT_OK;
	enum kt_code rc =
	        kt_yaml_keys(r->yaml, cluster, "'cluster'", cluster_keys, KT_COUNT(cluster_keys), r->err);
	const struct kt_json *nodes = kt_get(cluster, "nodes"), *row;
	bool number =
	        kt_json_type(nodes) == KT_JSON_INT && kt_int_or(nodes, 0) > 0 && kt_int_or(nodes, 0) <= 200;
	if (!rc && nodes && !kt_is_array(nodes) && !number)
		rc = kt_yaml_fail(r->yaml, nodes, r->err,
		                  "'nodes': expected a list, as in [{pool: general, count: 3}]");
	KT_JSON_EACH (row, nodes)
		if (!rc)
			rc = hold_nodes_row(r, row);
	return rc;
}

static enum kt_code read_needs(const struct reader *r, const struct kt_json *list, struct lab *lab)
{
	const char *const *written = NULL;
	size_t count = 0, kept = 0;
	enum kt_code rc = read_texts(r, list, "needs", &written, &count);
	const char **needs = kt_arena_alloc(r->arena, (count + 1) * sizeof(*needs));
	for (size_t i = 0; !rc && i < count; i++) {
		const char *need = written[i];
		bool known = false;
		for (size_t k = 0; k < KT_COUNT(other_words); k++)
			if (kt_streq(other_words[k].word, need)) {
				known = true;
				need = other_words[k].capability;
				break;
			}
		for (size_t k = 0; k < KT_COUNT(capabilities); k++)
			known = known || kt_streq(capabilities[k], need);
		if (!known)
			rc = kt_yaml_unknown_key(r->yaml, kt_at(list, i), "the list of capabilities", need,
			                         capabilities, KT_COUNT(capabilities), r->err);
		if (need)
			needs[kept++] = need;
	}
	needs[kept] = NULL;
	lab->needs = needs;
	return rc;
}

/* A number as 6.12 loses its nought as YAML: written without quotes, 6.1 and 6.10 would be the same. */
static const char *lesson_id(const struct reader *r, const struct kt_json *value)
{
	if (kt_json_type(value) != KT_JSON_REAL && kt_json_type(value) != KT_JSON_INT)
		return keep(r, kt_str(value));
	char *text = kt_json_text(value);
	const char *kept = keep(r, text);
	kt_free(text);
	return kept;
}

static enum kt_code read_lab(const struct reader *r, const char *dir, struct lab *lab)
{
	const struct kt_json *doc = kt_yaml_doc(r->yaml, 0), *tasks = kt_get(doc, "tasks");
	enum kt_code rc = kt_yaml_keys(r->yaml, doc, "a lab", lab_keys, KT_COUNT(lab_keys), r->err);
	if (!rc)
		rc = need_text(r, doc, "a lab", "lab", &lab->lab);
	if (!rc && !kt_streq(lab->lab, kt_basename(dir)))
		rc = kt_yaml_fail(r->yaml, kt_get(doc, "lab"), r->err,
		                  "expected lab: %s, the name of its folder", kt_basename(dir));
	if (!rc)
		rc = need_text(r, doc, "a lab", "title", &lab->title);
	static const char *const texts[] = {"lesson", "text", "think"};
	if (!rc)
		rc = hold_texts(r, doc, texts, KT_COUNT(texts));
	if (rc)
		return rc;
	lab->dir = lab->source = keep(r, dir);
	lab->lesson = lesson_id(r, kt_get(doc, "lesson"));
	rc = need_number(r, doc, "minutes", 15, &lab->minutes);
	if (rc)
		return rc;
	lab->think = keep(r, kt_get_str(doc, "think"));
	lab->cluster = kt_get(doc, "cluster");
	rc = read_needs(r, kt_get(doc, "needs"), lab);
	if (!rc)
		rc = hold_cluster(r, lab->cluster);
	if (!rc)
		rc = check_steps_parse(r->yaml, kt_get(doc, "setup"), dir, &lab->setup, &lab->setup_count,
		                       r->err);
	if (!rc && !kt_count(tasks))
		rc = kt_yaml_fail(r->yaml, doc, r->err, "a lab needs 'tasks' with a list");
	if (rc)
		return rc;
	lab->tasks = kt_arena_alloc(r->arena, kt_count(tasks) * sizeof(*lab->tasks));
	for (size_t i = 0; !rc && i < kt_count(tasks); i++)
		rc = read_task(r, kt_at(tasks, i), dir, &lab->tasks[lab->task_count++]);
	if (!rc)
		rc = hold_order(r, tasks, lab);
	return rc ? rc : lab_hold_places(lab, r->yaml, doc, r->err);
}

/* Every name turns like a wheel of a counter: each draw is another variant until all were there. */
struct counter {
	size_t left, draws;
	struct lab_inner *inner;
};

static size_t turn(void *arg, size_t count)
{
	struct counter *c = arg;
	size_t at = c->left % count;
	c->left /= count;
	c->draws *= count;
	if (c->inner->names < LAB_NAMES_MAX)
		c->inner->counts[c->inner->names++] = count;
	return at;
}

enum kt_code lab_new_drawn(const char *dir, size_t draw, struct lab **out, struct kt_err *err)
{
	struct lab *lab = kt_alloc(sizeof(*lab));
	struct counter counter = {draw, 1, NULL};
	char *folder = kt_strdup(dir), *path = NULL;
	for (size_t n = strlen(folder); n > 1 && folder[n - 1] == '/'; n--)
		folder[n - 1] = '\0';
	path = kt_join(folder, "lab.yaml");
	lab->inner = counter.inner = kt_alloc(sizeof(*lab->inner));
	enum kt_code rc = lab_draw(path, turn, &counter, &lab->inner->yaml, &lab->inner->drawn, err);
	lab->draws = counter.draws;
	lab->draw = draw % counter.draws;
	lab->drawn = lab->inner->drawn;
	if (!rc)
		rc = read_lab(&(struct reader){lab->inner->yaml, &lab->inner->arena, err}, folder, lab);
	if (rc) {
		kt_wrap(err, "lab '%s'", kt_basename(folder));
		lab_free(lab);
	} else {
		*out = lab;
	}
	kt_free(path);
	kt_free(folder);
	return rc;
}

size_t lab_covers(const struct lab *lab)
{
	size_t most = 1;
	for (size_t i = 0; i < lab->inner->names; i++)
		most = KT_MAX(most, lab->inner->counts[i]);
	return most;
}

size_t lab_cover(const struct lab *lab, size_t i)
{
	size_t draw = 0, weight = 1;
	for (size_t k = 0; k < lab->inner->names; k++) {
		draw += i % lab->inner->counts[k] * weight;
		weight *= lab->inner->counts[k];
	}
	return draw;
}

enum kt_code lab_new(const char *dir, struct lab **out, struct kt_err *err)
{
	return lab_new_drawn(dir, 0, out, err);
}

void lab_free(struct lab *lab)
{
	if (!lab)
		return;
	for (size_t i = 0; i < lab->task_count; i++)
		check_checks_free(lab->tasks[i].checks, lab->tasks[i].check_count);
	check_steps_free(lab->setup, lab->setup_count);
	kt_yaml_free(lab->inner->yaml);
	kt_json_free(lab->inner->drawn);
	kt_arena_clear(&lab->inner->arena);
	kt_free(lab->inner);
	kt_free(lab);
}
