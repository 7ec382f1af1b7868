/* SPDX-License-Identifier: MIT */
/* The pod of a cycle: its spec read once, its selectors looked up among the tallies. */
#include <string.h>

#include "cluster/scheduler/scheduler_internal.h"

/* Requests for scoring: a container without one counts as 100m and 200Mi. */
void sched_non_zero(const struct kt_json *spec, const struct view_pod *view, int64_t *cpu, int64_t *memory)
{
	const struct kt_json *containers = kt_get(spec, "containers"), *one;
	int64_t extra_cpu = 0, extra_memory = 0;

	if (!view->requests.cpu_milli && !view->requests.memory) {
		*cpu = (int64_t)kt_count(containers) * SCHED_DEFAULT_CPU;
		*memory = (int64_t)kt_count(containers) * SCHED_DEFAULT_MEMORY;
		return;
	}
	KT_JSON_EACH (one, containers) {
		const struct kt_json *requests = kt_get(kt_get(one, "resources"), "requests");

		extra_cpu += kt_get(requests, "cpu") ? 0 : SCHED_DEFAULT_CPU;
		extra_memory += kt_get(requests, "memory") ? 0 : SCHED_DEFAULT_MEMORY;
	}
	*cpu = view->requests.cpu_milli + extra_cpu;
	*memory = view->requests.memory + extra_memory;
}

size_t sched_ports(const struct kt_json *spec, struct sched_port *ports, size_t cap)
{
	static const char *const lists[] = {"containers", "initContainers"};
	size_t count = 0;

	for (size_t l = 0; l < KT_COUNT(lists); l++) {
		const struct kt_json *one, *port;

		KT_JSON_EACH (one, kt_get(spec, lists[l])) {
			const struct kt_json *list = kt_get(one, "ports");

			if (!list || (l == 1 && !kt_streq(kt_get_str(one, "restartPolicy"), "Always")))
				continue;
			KT_JSON_EACH (port, list) {
				int64_t number = kt_get_int(port, "hostPort", 0);
				const char *ip = kt_get_str(port, "hostIP");

				if (number <= 0 || count == cap)
					continue;
				ports[count++] = (struct sched_port){
				        .port = (uint16_t)number,
				        .protocol = kt_str_or(kt_get(port, "protocol"), "TCP")[0],
				        .ip = ip && *ip ? ip : "0.0.0.0"};
			}
		}
	}
	return count;
}

/* --- terms --- */

struct sched_match sched_term_match(const struct kt_json *term)
{
	const struct kt_json *namespaces = kt_get(term, "namespaces"),
	                     *selector = kt_get(term, "labelSelector");
	struct sched_match match = {.selector = kt_json_ref(selector),
	                            .namespaces = kt_count(namespaces) ? kt_json_ref(namespaces) : NULL,
	                            .ns_selector = kt_json_ref(kt_get(term, "namespaceSelector"))};

	return match;
}

static void read_affinity(struct scheduler *scheduler, struct sched_pod *pod, const struct kt_json *list,
                          int sign, bool weighted)
{
	const struct kt_json *one;
	const char *ns = pod->object->ns;

	KT_JSON_EACH (one, list) {
		const struct kt_json *body = weighted ? kt_get(one, "podAffinityTerm") : one;
		struct sched_match match = sched_term_match(body);
		struct sched_aff aff = {
		        .topo = sched_topo(scheduler, kt_str_or(kt_get(body, "topologyKey"), "")),
		        .counter = sched_counter(scheduler, ns, &match, 1),
		        .weight = weighted ? sign * kt_get_int(one, "weight", 1) : sign,
		};

		sched_match_clear(&match);
		if (weighted && pod->preferred_count < SCHED_TERMS)
			pod->preferred_terms[pod->preferred_count++] = aff;
		else if (!weighted && sign > 0 && pod->affinity_count < SCHED_TERMS)
			pod->affinity[pod->affinity_count++] = aff;
		else if (!weighted && sign < 0 && pod->anti_count < SCHED_TERMS)
			pod->anti[pod->anti_count++] = aff;
	}
}

static void read_all_affinity(struct scheduler *scheduler, struct sched_pod *pod, const struct kt_json *list)
{
	struct sched_match matches[SCHED_TERMS];
	const struct kt_json *one;
	size_t count = 0;

	KT_JSON_EACH (one, list) {
		if (count < SCHED_TERMS)
			matches[count++] = sched_term_match(one);
	}
	pod->all_affinity = sched_counter(scheduler, pod->object->ns, matches, count);
	pod->self_affinity = true;
	for (size_t i = 0; i < count; i++) {
		if (!sched_matches(scheduler, &matches[i], pod->object->ns, pod->object->ns,
		                   pod->view->labels))
			pod->self_affinity = false;
		sched_match_clear(&matches[i]);
	}
}

static void read_affinities(struct scheduler *scheduler, struct sched_pod *pod)
{
	static const char required[] = "requiredDuringSchedulingIgnoredDuringExecution";
	static const char preferred[] = "preferredDuringSchedulingIgnoredDuringExecution";
	const struct kt_json *affinity = kt_get(pod->spec, "affinity"),
	                     *with = kt_get(affinity, "podAffinity");
	const struct kt_json *against = kt_get(affinity, "podAntiAffinity"),
	                     *node = kt_get(affinity, "nodeAffinity");

	pod->required = kt_get(node, required);
	pod->preferred = kt_get(node, preferred);
	if (kt_count(kt_get(with, required))) {
		read_affinity(scheduler, pod, kt_get(with, required), 1, false);
		read_all_affinity(scheduler, pod, kt_get(with, required));
	}
	read_affinity(scheduler, pod, kt_get(against, required), -1, false);
	read_affinity(scheduler, pod, kt_get(with, preferred), 1, true);
	read_affinity(scheduler, pod, kt_get(against, preferred), -1, true);
}

/* Terms of pods that are there already and mean this one. */
static void read_others(struct scheduler *scheduler, struct sched_pod *pod)
{
	for (struct sched_term *term = scheduler->terms; term; term = term->hh.next) {
		if (!term->tally.total ||
		    !sched_matches(scheduler, &term->match, term->ns, pod->object->ns, pod->view->labels))
			continue;
		if (term->kind == SCHED_ANTI) {
			if (pod->against_count < KT_COUNT(pod->against))
				pod->against[pod->against_count++] = term;
		} else if (pod->liked_count < KT_COUNT(pod->liked)) {
			pod->liked[pod->liked_count++] = term;
		}
	}
}

/* --- spread --- */

static void add_constraint(struct scheduler *scheduler, struct sched_pod *pod, const char *key,
                           struct kt_json *selector, int64_t skew, bool hard, const struct kt_json *from)
{
	struct sched_match match = {.selector = selector};
	struct sched_constraint one = {
	        .topo = sched_topo(scheduler, key),
	        .max_skew = skew,
	        .min_domains = kt_get_int(from, "minDomains", 1),
	        .honor_affinity = !kt_streq(kt_get_str(from, "nodeAffinityPolicy"), "Ignore"),
	        .honor_taints = kt_streq(kt_get_str(from, "nodeTaintsPolicy"), "Honor"),
	};

	one.counter = sched_counter(scheduler, pod->object->ns, &match, 1);
	one.self = view_selector_matches(selector, pod->view->labels);
	if (hard && pod->hard_count < SCHED_TERMS)
		pod->hard[pod->hard_count++] = one;
	else if (!hard && pod->soft_count < SCHED_TERMS)
		pod->soft[pod->soft_count++] = one;
}

/* helper.DefaultSelector: the selectors of the Services that choose the pod and of its owner, together. NULL:
 * none. */
static struct kt_json *default_selector(struct scheduler *scheduler, const struct sched_pod *pod)
{
	struct store *store = cluster_store(scheduler->cluster);
	const struct store_object *service, *owner;
	struct kt_json *selector = NULL;
	const struct schema_kind *kind =
	        kt_streq(pod->view->owner.kind, "ReplicaSet")    ? scheduler->replica_sets
	        : kt_streq(pod->view->owner.kind, "StatefulSet") ? scheduler->stateful_sets
	        : kt_streq(pod->view->owner.kind, "ReplicationController")
	                ? scheduler->replication_controllers
	                : NULL;

	STORE_EACH (service, store, scheduler->services, pod->object->ns) {
		const struct kt_json *map = kt_path(service->json, "spec.selector");

		if (!view_map_matches(map, pod->view->labels))
			continue;
		for (size_t i = 0; i < kt_count(map); i++)
			kt_set(kt_edit(&selector, "matchLabels"), kt_key(map, i), kt_json_ref(kt_at(map, i)));
	}
	owner = kind && pod->view->owner.name ? store_get(store, kind, pod->object->ns, pod->view->owner.name)
	                                      : NULL;
	if (owner) {
		const struct kt_json *own = kt_path(owner->json, "spec.selector"), *one;
		const struct kt_json *labels =
		        kind == scheduler->replication_controllers ? own : kt_get(own, "matchLabels");

		for (size_t i = 0; i < kt_count(labels); i++)
			kt_set(kt_edit(&selector, "matchLabels"), kt_key(labels, i),
			       kt_json_ref(kt_at(labels, i)));
		KT_JSON_EACH (one, kt_get(own, "matchExpressions"))
			kt_push(kt_edit(&selector, "matchExpressions"), kt_json_ref(one));
	}
	return selector;
}

static void read_spread(struct scheduler *scheduler, struct sched_pod *pod)
{
	const struct kt_json *list = kt_get(pod->spec, "topologySpreadConstraints"), *one;
	struct kt_json *selector;

	KT_JSON_EACH (one, list) {
		bool hard = kt_streq(kt_get_str(one, "whenUnsatisfiable"), "DoNotSchedule");
		struct kt_json *own = kt_json_ref(kt_get(one, "labelSelector"));

		add_constraint(scheduler, pod, kt_str_or(kt_get(one, "topologyKey"), ""), own,
		               kt_get_int(one, "maxSkew", 1), hard, one);
		kt_json_free(own);
	}
	if (kt_count(list))
		return;
	selector = sched_default_selector(scheduler, pod);
	if (!selector)
		return;
	pod->default_spread = true;
	add_constraint(scheduler, pod, "kubernetes.io/hostname", selector, 3, false, NULL);
	add_constraint(scheduler, pod, "topology.kubernetes.io/zone", selector, 5, false, NULL);
}

/* The default selector is the same for pods that are alike, until a Service or a workload changes. */
struct kt_json *sched_default_selector(struct scheduler *scheduler, struct sched_pod *pod)
{
	struct sched_class *class = pod->class;

	if (class->selector_generation != scheduler->owner_generation ||
	    !kt_streq(class->selector_owner, pod->view->owner.uid)) {
		kt_json_free(class->selector);
		kt_free(class->selector_owner);
		class->selector = default_selector(scheduler, pod);
		class->selector_owner = kt_strdup(pod->view->owner.uid);
		class->selector_generation = scheduler->owner_generation;
	}
	return class->selector;
}

/* --- claims --- */

static void read_claims(struct scheduler *scheduler, struct sched_pod *pod)
{
	struct store *store = cluster_store(scheduler->cluster);
	const struct kt_json *volume;

	KT_JSON_EACH (volume, kt_get(pod->spec, "volumes")) {
		char own[VIEW_CLAIM_NAME];
		const char *name = view_volume_claim(pod->object, volume, own), *bound, *class;
		struct sched_claim claim = {0};

		if (!name || pod->claim_count == KT_COUNT(pod->claims))
			continue;
		claim.claim = store_get(store, scheduler->claims, pod->object->ns, name);
		char **missing = name == own ? &pod->missing_own : &pod->missing_claim;
		if (!claim.claim && !*missing)
			*missing =
			        kt_strf(name == own ? "waiting for ephemeral volume controller to create the "
			                              "persistentvolumeclaim \"%s\""
			                            : "persistentvolumeclaim \"%s\" not found",
			                name);
		bound = claim.claim ? kt_path_str(claim.claim->json, "spec.volumeName") : NULL;
		class = claim.claim ? kt_path_str(claim.claim->json, "spec.storageClassName") : NULL;
		if (bound && *bound)
			claim.bound = store_get(store, scheduler->disks, "", bound);
		claim.fully = bound && *bound &&
		              kt_get(kt_path(claim.claim->json, "metadata.annotations"),
		                     "pv.kubernetes.io/bind-completed") != NULL;
		if (!claim.fully && claim.claim &&
		    kt_streq(kt_path_str(claim.claim->json, "status.phase"), "Bound"))
			claim.fully = true;
		claim.storage_class =
		        class && *class ? store_get(store, scheduler->storage_classes, "", class) : NULL;
		claim.waits = claim.storage_class &&
		              kt_streq(kt_get_str(claim.storage_class->json, "volumeBindingMode"),
		                       "WaitForFirstConsumer");
		pod->claims[pod->claim_count++] = claim;
	}
}

/* --- all --- */

static void read_extended(struct scheduler *scheduler, struct sched_pod *pod)
{
	const struct kt_json *all = pod->view->requests.all;

	for (size_t i = 0; i < kt_count(all) && pod->extended_count < SCHED_EXTENDED; i++) {
		const char *name = kt_key(all, i);

		if (strcmp(name, "cpu") == 0 || strcmp(name, "memory") == 0 || strcmp(name, "pods") == 0 ||
		    strcmp(name, "ephemeral-storage") == 0)
			continue;
		pod->extended[pod->extended_count++] = (struct sched_extended){
		        .name = sched_word(scheduler, name), .amount = kt_int_or(kt_at(all, i), 0)};
	}
}

void sched_pod_read(struct scheduler *scheduler, const struct store_object *object, struct sched_pod *pod)
{
	static const struct sched_pod none;
	static const char unschedulable[] = "{key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule'}";

	*pod = none;
	pod->object = store_ref(object);
	pod->view = view_pod(object);
	pod->spec = pod->view->spec;
	pod->class = sched_class(scheduler, object->ns, pod->view->labels);
	pod->class->held = true;
	pod->tolerations = kt_get(pod->spec, "tolerations");
	pod->node_selector = kt_get(pod->spec, "nodeSelector");
	if (!kt_count(pod->node_selector))
		pod->node_selector = NULL;
	pod->cpu = pod->view->requests.cpu_milli;
	pod->memory = pod->view->requests.memory;
	pod->ephemeral = pod->view->requests.ephemeral;
	sched_non_zero(pod->spec, pod->view, &pod->nz_cpu, &pod->nz_memory);
	pod->priority = pod->view->priority;
	pod->never_preempts = kt_streq(kt_get_str(pod->spec, "preemptionPolicy"), "Never");
	if (kt_count(pod->tolerations)) {
		struct kt_json *taint = kt_jsonf(unschedulable);

		pod->tolerates_unschedulable = scheduler_tolerates(pod->tolerations, taint);
		kt_json_free(taint);
	}
	pod->port_count = sched_ports(pod->spec, pod->ports, KT_COUNT(pod->ports));
	read_extended(scheduler, pod);
	if (kt_get(pod->spec, "affinity"))
		read_affinities(scheduler, pod);
	read_others(scheduler, pod);
	read_spread(scheduler, pod);
	if (kt_count(kt_get(pod->spec, "volumes")))
		read_claims(scheduler, pod);
}

void sched_pod_clear(struct scheduler *scheduler, struct sched_pod *pod)
{
	for (size_t i = 0; i < pod->hard_count; i++)
		kt_free(pod->hard[i].own_sum);
	for (size_t i = 0; i < pod->soft_count; i++)
		kt_free(pod->soft[i].own_sum);
	pod->class->held = false;
	sched_class_unused(scheduler, pod->class);
	kt_free(pod->missing_claim);
	kt_free(pod->missing_own);
	store_unref(pod->object);
	pod->object = NULL;
}
