/* SPDX-License-Identifier: MIT */
/* Nodes and the pods on them, with their sums. */
#include <string.h>

#include "cluster/scheduler/scheduler_internal.h"

const char *sched_word(struct scheduler *scheduler, const char *text)
{
	struct kt_strs *words = &scheduler->words;

	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->items[i], text) == 0)
			return words->items[i];
	kt_strs_add(words, text);
	return words->items[words->count - 1];
}

struct sched_node *sched_node_find(struct scheduler *scheduler, const char *name)
{
	struct sched_node *node;

	HASH_FIND_STR(scheduler->node_table, name, node);
	return node;
}

struct sched_assigned *sched_assigned_find(struct scheduler *scheduler, const char *uid)
{
	struct sched_assigned *assigned;

	HASH_FIND_STR(scheduler->assigned, uid, assigned);
	return assigned;
}

/* --- images --- */

static void images_set(struct scheduler *scheduler, const struct sched_node *node, bool there)
{
	const struct kt_json *one, *name;

	if (!node->object)
		return;
	KT_JSON_EACH (one, kt_path(node->object->json, "status.images")) {
		KT_JSON_EACH (name, kt_get(one, "names")) {
			const char *text = kt_str_or(name, "");
			struct sched_image *image;

			HASH_FIND_STR(scheduler->images, text, image);
			if (!image) {
				if (!there)
					continue;
				image = kt_alloc(sizeof(*image));
				image->name = kt_strdup(text);
				image->on = kt_alloc(scheduler->index_cap + 1);
				HASH_ADD_KEYPTR(hh, scheduler->images, image->name, strlen(image->name),
				                image);
			}
			image->size = kt_get_int(one, "sizeBytes", 0);
			image->nodes += (size_t)(there && !image->on[node->index]);
			image->nodes -= (size_t)(!there && image->on[node->index]);
			image->on[node->index] = there;
		}
	}
}

/* --- nodes --- */

static void grow(struct scheduler *scheduler)
{
	size_t from = scheduler->index_cap, to = from ? from * 2 : 64;

	scheduler->by_index = kt_realloc(scheduler->by_index, to * sizeof(struct sched_node *));
	scheduler->order = kt_realloc(scheduler->order, to * sizeof(struct sched_node *));
	scheduler->feasible = kt_realloc(scheduler->feasible, to * sizeof(struct sched_node *));
	scheduler->verdicts = kt_realloc(scheduler->verdicts, to * sizeof(*scheduler->verdicts));
	scheduler->scores = kt_realloc(scheduler->scores, to * sizeof(*scheduler->scores));
	scheduler->totals = kt_realloc(scheduler->totals, to * sizeof(*scheduler->totals));
	for (size_t i = from; i < to; i++)
		scheduler->by_index[i] = NULL;
	for (struct sched_image *image = scheduler->images; image; image = image->hh.next) {
		image->on = kt_realloc(image->on, to + 1);
		memset(image->on + from, 0, to + 1 - from);
	}
	sched_tallies_grow(scheduler, from, to);
	scheduler->index_cap = to;
}

static void read_taints(struct sched_node *node)
{
	const struct kt_json *taint;

	node->tainted = node->soft_tainted = false;
	KT_JSON_EACH (taint, node->view->taints) {
		const char *effect = kt_str_or(kt_get(taint, "effect"), "");

		if (strcmp(effect, "PreferNoSchedule") == 0)
			node->soft_tainted = true;
		else
			node->tainted = true;
	}
}

static bool standard(const char *name)
{
	return strcmp(name, "cpu") == 0 || strcmp(name, "memory") == 0 || strcmp(name, "pods") == 0 ||
	       strcmp(name, "ephemeral-storage") == 0;
}

static void read_capacity(struct scheduler *scheduler, struct sched_node *node)
{
	const struct kt_json *all = kt_path(node->object->json, "status.allocatable");
	struct sched_extended old[SCHED_EXTENDED];
	size_t count = node->extended_count;

	memcpy(old, node->extended, sizeof(old));
	node->cap_cpu = node->view->allocatable.cpu_milli;
	node->cap_memory = node->view->allocatable.memory;
	node->cap_ephemeral = node->view->allocatable.ephemeral;
	node->cap_pods = node->view->allocatable.pods;
	node->extended_count = 0;
	for (size_t i = 0; i < kt_count(all) && node->extended_count < SCHED_EXTENDED; i++) {
		struct sched_extended *one = &node->extended[node->extended_count];
		struct kt_quantity quantity;

		if (standard(kt_key(all, i)) || !kt_quantity_parse(kt_str_or(kt_at(all, i), ""), &quantity))
			continue;
		*one = (struct sched_extended){.name = sched_word(scheduler, kt_key(all, i)),
		                               .amount = quantity.value};
		for (size_t j = 0; j < count; j++)
			if (old[j].name == one->name)
				one->used = old[j].used;
		node->extended_count++;
	}
}

static unsigned difference(const struct view_node *old, const struct view_node *view,
                           const struct store_object *before, const struct store_object *after)
{
	unsigned events = 0;

	if (before == after)
		return 0;
	if (old->labels != view->labels && !kt_equal(old->labels, view->labels))
		events |= SCHED_NODE_LABELS;
	if (old->unschedulable != view->unschedulable ||
	    (old->taints != view->taints && !kt_equal(old->taints, view->taints)))
		events |= SCHED_NODE_TAINTS;
	if (!kt_equal(kt_path(before->json, "status.allocatable"),
	              kt_path(after->json, "status.allocatable")))
		events |= SCHED_NODE_RESOURCES;
	return events;
}

void sched_node_set(struct scheduler *scheduler, const struct store_object *object, unsigned *events)
{
	struct sched_node *node = sched_node_find(scheduler, object->name);
	const struct store_object *old = NULL;
	unsigned what = SCHED_NODE_ADDED;
	bool images = true;

	if (node) {
		old = node->object;
		what = difference(node->view, view_node(object), old, object);
		images = kt_path(old->json, "status.images") != kt_path(object->json, "status.images");
		if (images)
			images_set(scheduler, node, false);
		HASH_DEL(scheduler->node_table, node); /* its name belongs to the old version */
	} else {
		size_t index = 0;

		while (index < scheduler->index_cap && scheduler->by_index[index])
			index++;
		if (index == scheduler->index_cap)
			grow(scheduler);
		node = kt_alloc(sizeof(*node));
		node->index = index;
		scheduler->by_index[index] = node;
		scheduler->node_count++;
		scheduler->order_stale = true;
	}
	node->object = store_ref(object);
	node->view = view_node(object);
	node->name = object->name;
	HASH_ADD_KEYPTR(hh, scheduler->node_table, node->name, strlen(node->name), node);
	node->unschedulable = node->view->unschedulable;
	if (images)
		images_set(scheduler, node, true);
	if (what & (SCHED_NODE_ADDED | SCHED_NODE_TAINTS))
		read_taints(node);
	if (what & (SCHED_NODE_ADDED | SCHED_NODE_RESOURCES))
		read_capacity(scheduler, node);
	if (what & (SCHED_NODE_ADDED | SCHED_NODE_LABELS)) {
		sched_topo_node(scheduler, node);
		scheduler->order_stale = true;
	}
	store_unref(old);
	*events |= what;
}

static void node_free(struct scheduler *scheduler, struct sched_node *node)
{
	while (node->pods)
		sched_unassign(scheduler, node->pods);
	images_set(scheduler, node, false);
	sched_tallies_drop_node(scheduler, node->index);
	HASH_DEL(scheduler->node_table, node);
	scheduler->by_index[node->index] = NULL;
	scheduler->node_count--;
	scheduler->order_stale = true;
	store_unref(node->object);
	kt_free(node);
}

void sched_node_remove(struct scheduler *scheduler, const char *name)
{
	struct sched_node *node = sched_node_find(scheduler, name);

	if (node)
		node_free(scheduler, node);
}

/* Zones in turn, each with its nodes by age, as the node tree of the real one lists them. */
void sched_order(struct scheduler *scheduler)
{
	const char **zones;
	size_t zone_count = 0, filled = 0, *starts;

	if (!scheduler->order_stale)
		return;
	scheduler->order_stale = false;
	zones = kt_alloc((scheduler->node_count + 1) * sizeof(*zones));
	starts = kt_alloc((scheduler->node_count + 1) * sizeof(*starts));
	for (size_t i = 0; i < scheduler->index_cap; i++) {
		struct sched_node *node = scheduler->by_index[i];
		const char *zone = node && node->view->zone ? node->view->zone : "";
		size_t z = 0;

		if (!node)
			continue;
		while (z < zone_count && strcmp(zones[z], zone) != 0)
			z++;
		if (z == zone_count)
			zones[zone_count++] = zone;
	}
	while (filled < scheduler->node_count) {
		for (size_t z = 0; z < zone_count; z++) {
			for (; starts[z] < scheduler->index_cap; starts[z]++) {
				struct sched_node *node = scheduler->by_index[starts[z]];

				if (node && strcmp(node->view->zone ? node->view->zone : "", zones[z]) == 0)
					break;
			}
			if (starts[z] < scheduler->index_cap)
				scheduler->order[filled++] = scheduler->by_index[starts[z]++];
		}
	}
	kt_free(zones);
	kt_free(starts);
}

/* --- pods on nodes --- */

static void count_extended(struct scheduler *scheduler, struct sched_node *node, const struct view_pod *view,
                           int sign)
{
	const struct kt_json *all = view->requests.all;

	for (size_t i = 0; i < kt_count(all); i++) {
		if (standard(kt_key(all, i)))
			continue;
		for (size_t j = 0; j < node->extended_count; j++)
			if (node->extended[j].name == sched_word(scheduler, kt_key(all, i)))
				node->extended[j].used += sign * kt_int_or(kt_at(all, i), 0);
	}
}

void sched_account(struct scheduler *scheduler, struct sched_assigned *assigned, int sign)
{
	struct sched_node *node = assigned->node;

	node->cpu += sign * assigned->cpu;
	node->memory += sign * assigned->memory;
	node->ephemeral += sign * assigned->ephemeral;
	node->nz_cpu += sign * assigned->nz_cpu;
	node->nz_memory += sign * assigned->nz_memory;
	node->pod_count += sign;
	if (assigned->has_ports)
		node->port_pods += (size_t)sign;
	if (assigned->has_extended)
		count_extended(scheduler, node, view_pod(assigned->object), sign);
	/* Pods that are being deleted do not count for spread and affinity of others, but for room. */
	if (!assigned->deleting)
		for (size_t i = 0; i < assigned->class->counter_count; i++)
			sched_tally_add(scheduler, &assigned->class->counters[i]->tally, node, sign);
	for (size_t i = 0; i < assigned->term_count; i++)
		sched_tally_add(scheduler, &assigned->terms[i]->tally, node, sign);
}

static void add_terms(struct scheduler *scheduler, struct sched_assigned *assigned,
                      const struct store_object *pod, const struct kt_json *list, enum sched_term_kind kind,
                      int sign, bool weighted)
{
	const struct kt_json *one;

	KT_JSON_EACH (one, list) {
		const struct kt_json *body = weighted ? kt_get(one, "podAffinityTerm") : one;
		struct sched_match match = sched_term_match(body);
		int64_t weight = weighted ? kt_get_int(one, "weight", 1) : 1;
		const char *key = kt_str_or(kt_get(body, "topologyKey"), "");

		if (assigned->term_count < SCHED_TERMS) {
			assigned->terms = kt_realloc(assigned->terms, (assigned->term_count + 1) *
			                                                      sizeof(struct sched_term *));
			assigned->terms[assigned->term_count++] =
			        sched_term(scheduler, pod->ns, kind, &match, key, sign * weight);
		}
		sched_match_clear(&match);
	}
}

static void read_terms(struct scheduler *scheduler, struct sched_assigned *assigned,
                       const struct store_object *pod)
{
	const struct kt_json *affinity = kt_path(pod->json, "spec.affinity");
	const struct kt_json *with = kt_get(affinity, "podAffinity"),
	                     *against = kt_get(affinity, "podAntiAffinity");
	static const char required[] = "requiredDuringSchedulingIgnoredDuringExecution";
	static const char preferred[] = "preferredDuringSchedulingIgnoredDuringExecution";

	add_terms(scheduler, assigned, pod, kt_get(against, required), SCHED_ANTI, 1, false);
	add_terms(scheduler, assigned, pod, kt_get(with, required), SCHED_AFFINITY, 1, false);
	add_terms(scheduler, assigned, pod, kt_get(with, preferred), SCHED_PREFERRED, 1, true);
	add_terms(scheduler, assigned, pod, kt_get(against, preferred), SCHED_PREFERRED, -1, true);
}

static bool has_extended(const struct view_pod *view)
{
	const struct kt_json *all = view->requests.all;

	for (size_t i = 0; i < kt_count(all); i++)
		if (!standard(kt_key(all, i)))
			return true;
	return false;
}

struct sched_assigned *sched_assign(struct scheduler *scheduler, const struct store_object *pod,
                                    struct sched_node *node, bool assumed)
{
	struct sched_assigned *assigned = kt_alloc(sizeof(*assigned));
	const struct view_pod *view = view_pod(pod);
	struct sched_port ports[1];

	if (strlen(pod->uid) >= sizeof(assigned->uid)) {
		kt_free(assigned);
		return NULL;
	}
	memcpy(assigned->uid, pod->uid, strlen(pod->uid) + 1);
	assigned->node = node;
	assigned->class = sched_class(scheduler, pod->ns, view->labels);
	assigned->class_next = assigned->class->pods;
	if (assigned->class_next)
		assigned->class_next->class_prev = assigned;
	assigned->class->pods = assigned;
	assigned->cpu = view->requests.cpu_milli;
	assigned->memory = view->requests.memory;
	assigned->ephemeral = view->requests.ephemeral;
	sched_non_zero(view->spec, view, &assigned->nz_cpu, &assigned->nz_memory);
	assigned->priority = view->priority;
	assigned->deleting = view->deleting;
	assigned->assumed = assumed;
	assigned->has_ports = sched_ports(view->spec, ports, 1) > 0;
	assigned->has_extended = has_extended(view);
	if (kt_get(view->spec, "affinity"))
		read_terms(scheduler, assigned, pod);
	if (assigned->has_ports || assigned->has_extended || assumed)
		assigned->object = store_ref(pod);
	assigned->next = node->pods;
	if (assigned->next)
		assigned->next->prev = assigned;
	node->pods = assigned;
	HASH_ADD_STR(scheduler->assigned, uid, assigned);
	sched_account(scheduler, assigned, 1);
	return assigned;
}

void sched_unassign(struct scheduler *scheduler, struct sched_assigned *assigned)
{
	sched_account(scheduler, assigned, -1);
	if (assigned->prev)
		assigned->prev->next = assigned->next;
	else
		assigned->node->pods = assigned->next;
	if (assigned->next)
		assigned->next->prev = assigned->prev;
	HASH_DEL(scheduler->assigned, assigned);
	if (assigned->class_prev)
		assigned->class_prev->class_next = assigned->class_next;
	else
		assigned->class->pods = assigned->class_next;
	if (assigned->class_next)
		assigned->class_next->class_prev = assigned->class_prev;
	sched_class_unused(scheduler, assigned->class);
	store_unref(assigned->object);
	kt_free(assigned->terms);
	kt_free(assigned);
}

void sched_cache_clear(struct scheduler *scheduler)
{
	struct sched_node *node, *next_node;
	struct sched_image *image, *next_image;

	HASH_ITER (hh, scheduler->node_table, node, next_node)
		node_free(scheduler, node);
	HASH_ITER (hh, scheduler->images, image, next_image) {
		HASH_DEL(scheduler->images, image);
		kt_free(image->name);
		kt_free(image->on);
		kt_free(image);
	}
	sched_tallies_free(scheduler);
	kt_strs_clear(&scheduler->words);
	kt_free(scheduler->by_index);
	kt_free(scheduler->order);
	kt_free(scheduler->feasible);
	kt_free(scheduler->verdicts);
	kt_free(scheduler->scores);
	kt_free(scheduler->totals);
}
