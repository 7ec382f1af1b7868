/* SPDX-License-Identifier: MIT */
/* Random evenings on a shop: machines die and return, pods are killed, evicted and deleted, sizes and images
 * change, traffic comes and goes. Whatever happens, some things never do; in the end all settles; the same
 * seed is the same history; and a cluster whose journal breaks off at any write comes back and settles as
 * well.
 *
 * KT_SEEDS=N runs N evenings (8 otherwise), KT_SEED=N that one alone. */
#include <stdlib.h>

#include "base/yaml.h"
#include "tests/cluster/shelf.h"
#include "tests/cluster/support.h"

enum { NODES = 6, STEPS = 25, QUOTA_PODS = 30 };

struct evening {
	struct cluster *cluster;
	struct kt_random random;
	uint64_t seed, listener;
	bool elsewhere;      /* between two moments: nothing is to be asked */
	struct kt_buf trace; /* what was done: told when a property fails */
	uint64_t hash;       /* of every event */
	const char *broken;  /* the property that does not hold */
	char where[200];
	int64_t most[3]; /* highest spec.replicas of each Deployment since its last change settled */
};

static const char *const deployments[] = {"frontend", "backend", "search"};

/* --- the shop --- */
static void apply(struct cluster *cluster, const char *group, const char *kind, const char *yaml)
{
	struct kt_yaml *document = NULL;
	struct kt_err err = {0};
	if (kt_yaml_parse("test", yaml, strlen(yaml), &document, &err))
		fail_msg("%s", err.text);
	support_create(cluster, group, kind, kt_json_ref(kt_yaml_doc(document, 0)));
	kt_yaml_free(document);
}

static void open_shop(struct cluster *cluster, struct kt_random *random)
{
	char text[1200];
	apply(cluster, "", "ResourceQuota",
	      "metadata: {name: all}\nspec: {hard: {pods: '30', requests.cpu: '6'}}\n");
	for (size_t i = 0; i < KT_COUNT(deployments); i++) {
		const char *name = deployments[i];
		snprintf(text, sizeof(text),
		         "metadata: {name: %s}\nspec:\n  replicas: %u\n  selector: {matchLabels: {app: %s}}\n"
		         "  strategy: {rollingUpdate: {maxSurge: %u, maxUnavailable: %u}}\n"
		         "  template:\n    metadata: {labels: {app: %s}}\n    spec:\n"
		         "      topologySpreadConstraints: [{maxSkew: 1, topologyKey: "
		         "topology.kubernetes.io/zone, "
		         "whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: %s}}}]\n"
		         "      containers: [{name: c, image: 'nginx:1.27', resources: {requests: {cpu: "
		         "150m, memory: "
		         "64Mi}, limits: {memory: 128Mi}}}]\n",
		         name, 2 + kt_random_below(random, 4), name, 1 + kt_random_below(random, 2),
		         kt_random_below(random, 2), name, name);
		apply(cluster, "apps", "Deployment", text);
		snprintf(text, sizeof(text),
		         "metadata: {name: %s}\nspec: {minAvailable: %s, selector: {matchLabels: {app: "
		         "%s}}}\n",
		         name, i == 1 ? "50%" : "1", name);
		apply(cluster, "policy", "PodDisruptionBudget", text);
	}
	apply(cluster, "", "Service",
	      "metadata: {name: frontend}\nspec: {selector: {app: frontend}, ports: [{port: 80}]}\n");
	apply(cluster, "apps", "StatefulSet",
	      "metadata: {name: orders}\nspec:\n  serviceName: orders\n  replicas: 3\n  selector: "
	      "{matchLabels: {app: "
	      "orders}}\n  template:\n    metadata: {labels: {app: orders}}\n    spec: {containers: [{name: "
	      "c, image: "
	      "'postgres:16', env: [{name: POSTGRES_PASSWORD, value: x}], resources: {requests: {cpu: "
	      "200m}}}]}\n");
}

/* --- what must never be --- */
static void broken(struct evening *e, const char *property, const char *fmt, ...) KT_PRINTF(3, 4);
static void broken(struct evening *e, const char *property, const char *fmt, ...)
{
	va_list ap;
	if (e->broken)
		return;
	e->broken = property;
	va_start(ap, fmt);
	vsnprintf(e->where, sizeof(e->where), fmt, ap);
	va_end(ap);
}

static bool over(const struct view_pod *pod)
{
	return pod->phase == VIEW_SUCCEEDED || pod->phase == VIEW_FAILED;
}

static void node_not_over_committed(struct evening *e, const char *name)
{
	const struct store_object *node = support_get(e->cluster, "Node", name);
	struct store_list pods = {0};
	int64_t cpu = 0, memory = 0, count = 0;
	if (!node)
		return;
	store_pods_on_node(cluster_store(e->cluster), name, &pods);
	for (size_t i = 0; i < pods.count; i++) {
		const struct view_pod *pod = view_pod(pods.items[i]);
		if (over(pod))
			continue;
		cpu += pod->requests.cpu_milli;
		memory += pod->requests.memory;
		count++;
	}
	store_list_clear(&pods);
	const struct view_resources *room = &view_node(node)->allocatable;
	if (cpu > room->cpu_milli || memory > room->memory || count > room->pods)
		broken(e, "no node is over-committed by requests", "%s: %lldm of %lldm", name, (long long)cpu,
		       (long long)room->cpu_milli);
}

static void quota_not_exceeded(struct evening *e)
{
	const struct store_object *pod;
	int64_t cpu = 0, count = 0;
	STORE_EACH (pod, cluster_store(e->cluster), support_kind(e->cluster, "", "Pod"), "default") {
		if (over(view_pod(pod)))
			continue;
		cpu += view_pod(pod)->requests.cpu_milli;
		count++;
	}
	if (count > QUOTA_PODS || cpu > 6000)
		broken(e, "the quota is never exceeded", "%lld pods, %lldm", (long long)count,
		       (long long)cpu);
}

static void surge_not_passed(struct evening *e)
{
	const struct schema_kind *kind = support_kind(e->cluster, "apps", "Deployment"),
	                         *sets = support_kind(e->cluster, "apps", "ReplicaSet");
	for (size_t i = 0; i < KT_COUNT(deployments); i++) {
		const struct store_object *object =
		        store_get(cluster_store(e->cluster), kind, "default", deployments[i]);
		struct store_list list = {0};
		int64_t sum = 0;
		if (!object)
			continue;
		store_controlled_by(cluster_store(e->cluster), sets, object->uid, &list);
		for (size_t k = 0; k < list.count; k++)
			sum += kt_path_int(list.items[k]->json, "spec.replicas", 0);
		store_list_clear(&list);
		int64_t surge = kt_path_int(object->json, "spec.strategy.rollingUpdate.maxSurge", 1),
		        replicas = kt_path_int(object->json, "spec.replicas", 0);
		e->most[i] = KT_MAX(e->most[i], replicas);
		if (sum > e->most[i] + surge)
			broken(e, "surge is never passed", "%s: %lld of %lld+%lld", deployments[i],
			       (long long)sum, (long long)e->most[i], (long long)surge);
		if (sum == replicas) /* at rest: a smaller size counts from now on */
			e->most[i] = replicas;
	}
}

/* The same member twice would be two databases with one name. */
struct twin {
	struct evening *e;
	const char *uid[16];
};

static bool count_member(void *arg, struct container *container)
{
	struct twin *twin = arg;
	if (!kt_starts(container->pod, "orders-") || !container->main ||
	    !kubelet_node_is_up(twin->e->cluster, container->node))
		return true;
	size_t ordinal = strtoul(container->pod + strlen("orders-"), NULL, 10) % 16;
	if (twin->uid[ordinal] && !kt_streq(twin->uid[ordinal], container->pod_uid))
		broken(twin->e, "a StatefulSet's member runs once", "%s", container->pod);
	twin->uid[ordinal] = container->pod_uid;
	return true;
}

static void watch(void *arg, const struct store_event *event)
{
	struct evening *e = arg;
	const struct store_object *object = event->object;
	char *text = kt_json_text(object->json);
	e->hash = (e->hash ^ kt_hash(text, strlen(text)) ^ (uint64_t)event->at ^ event->version) *
	          0x9e3779b97f4a7c15u;
	kt_free(text);
	if (e->elsewhere)
		return;
	if (kt_streq(object->kind->kind, "Pod")) {
		struct twin twin = {.e = e};
		if (view_pod(object)->node)
			node_not_over_committed(e, view_pod(object)->node);
		quota_not_exceeded(e);
		kubelet_each(e->cluster, count_member, &twin);
	} else if (kt_streq(object->kind->kind, "Deployment") || kt_streq(object->kind->kind, "ReplicaSet")) {
		surge_not_passed(e);
	}
}

/* --- what happens --- */
static const struct store_object *some_pod(struct evening *e, const char *app)
{
	const struct store_object *pod, *found = NULL;
	uint32_t seen = 0;
	STORE_EACH (pod, cluster_store(e->cluster), support_kind(e->cluster, "", "Pod"), "default") {
		if (view_pod(pod)->deleting ||
		    (app && !kt_streq(kt_get_str(view_pod(pod)->labels, "app"), app)))
			continue;
		if (!kt_random_below(&e->random, ++seen))
			found = pod;
	}
	return found;
}

static void disturb(struct evening *e, struct kt_json *steal)
{
	char *text = kt_json_text(steal);
	kt_buf_addf(&e->trace, "  %s\n", text);
	kt_free(text);
	(void)!cluster_disturb(e->cluster, steal, NULL, NULL);
	kt_json_free(steal);
}

static const char *random_node(struct evening *e)
{
	static const char *const names[NODES] = {"n0", "n1", "n2", "n3", "n4", "n5"};
	return names[kt_random_below(&e->random, NODES)];
}

static void change(struct evening *e, const char *path, struct kt_json *steal)
{
	const char *name = deployments[kt_random_below(&e->random, KT_COUNT(deployments))];
	const struct store_object *object = store_get(
	        cluster_store(e->cluster), support_kind(e->cluster, "apps", "Deployment"), "default", name);
	struct kt_json *json = kt_json_ref(object->json);
	char *text = kt_json_text(steal);
	kt_buf_addf(&e->trace, "  %s %s = %s\n", name, path, text);
	kt_free(text);
	kt_set_path(&json, path, steal);
	(void)api_update(e->cluster, &support_actor, object->kind, json, NULL);
}

static void do_node(struct evening *e)
{
	disturb(e, kt_jsonf("{node: {is: %s, pick: {name: %s}}}",
	                    kt_random_below(&e->random, 2) ? "down" : "up", random_node(e)));
}

static void do_zone(struct evening *e)
{
	static const char *const zones[] = {"zone-a", "zone-b", "zone-c"};
	disturb(e, kt_jsonf("{zone: {name: %s, is: %s}}", zones[kt_random_below(&e->random, 3)],
	                    kt_random_below(&e->random, 3) ? "up" : "down"));
}

static void do_link(struct evening *e)
{
	disturb(e, kt_jsonf("{link: {between: ['zone-a', 'zone-b'], is: %s}}",
	                    kt_random_below(&e->random, 2) ? "cut" : "ok"));
}

static void do_kill(struct evening *e)
{
	const struct store_object *pod = some_pod(e, NULL);
	if (pod)
		disturb(e, kt_jsonf("{pod: {is: %s, pick: {name: %s}}}",
		                    kt_random_below(&e->random, 2) ? "oom" : "killed", pod->name));
}

static void do_delete(struct evening *e)
{
	const struct store_object *pod = some_pod(e, NULL);
	if (pod)
		disturb(e, kt_jsonf("{pod: {is: 'deleted', pick: {name: %s}}}", pod->name));
}

static void do_load(struct evening *e)
{
	disturb(e, kt_jsonf("{load: {to: 'service frontend', rps: %d}}",
	                    (int)kt_random_below(&e->random, 1500)));
}

static void do_scale(struct evening *e)
{
	change(e, "spec.replicas", kt_json_int(kt_random_below(&e->random, 9)));
}

static void do_image(struct evening *e)
{
	static const char *const images[] = {"nginx:1.27", "nginx:1.26", "httpd:2.4", "nginx:no-such-tag"};
	change(e, "spec.template.spec.containers.0.image",
	       kt_json_str(images[kt_random_below(&e->random, KT_COUNT(images))]));
}

static void do_cordon(struct evening *e)
{
	const struct store_object *node = support_get(e->cluster, "Node", random_node(e));
	struct kt_json *json = kt_json_ref(node->json);
	kt_buf_addf(&e->trace, "  cordon or not %s\n", node->name);
	kt_set_path(&json, "spec.unschedulable", kt_random_below(&e->random, 2) ? kt_json_bool(true) : NULL);
	(void)api_update(e->cluster, &support_actor, node->kind, json, NULL);
}

/* Pods of the app that are Ready and stay; and how many of all there ought to be. */
static int64_t healthy(struct evening *e, const char *app)
{
	const struct store_object *pod;
	int64_t count = 0;
	STORE_EACH (pod, cluster_store(e->cluster), support_kind(e->cluster, "", "Pod"), "default")
		count += kt_streq(kt_get_str(view_pod(pod)->labels, "app"), app) && view_pod(pod)->ready &&
		         !view_pod(pod)->deleting;
	return count;
}

static void do_evict(struct evening *e)
{
	size_t at = kt_random_below(&e->random, KT_COUNT(deployments));
	const char *app = deployments[at];
	/* the budget's controller sees what happened before */
	support_wait(e->cluster, 0.5);
	const struct store_object *pod = some_pod(e, app);
	bool was_healthy = pod && view_pod(pod)->ready;
	int64_t before = healthy(e, app);
	const struct store_object *deployment = store_get(
	        cluster_store(e->cluster), support_kind(e->cluster, "apps", "Deployment"), "default", app);
	int64_t replicas = kt_path_int(deployment->json, "spec.replicas", 0),
	        wanted = at == 1 ? (replicas + 1) / 2 : 1;
	if (!pod)
		return;
	kt_buf_addf(&e->trace, "  evict %s (%lld healthy, %lld wanted)\n", pod->name, (long long)before,
	            (long long)wanted);
	bool evicted = api_evict(e->cluster, &support_actor, "default", pod->name, NULL);
	if (evicted && was_healthy && before - 1 < wanted)
		broken(e, "no eviction violates a budget", "%s: %lld healthy, %lld wanted", app,
		       (long long)before, (long long)wanted);
}

static void (*const actions[])(struct evening *e) = {do_node,  do_node,   do_zone,  do_link,  do_kill,
                                                     do_kill,  do_delete, do_load,  do_scale, do_scale,
                                                     do_image, do_cordon, do_evict, do_evict, do_evict};

/* --- an evening --- */
static struct kt_json *machines(void)
{
	struct kt_json *nodes = kt_json_array();
	for (int i = 0; i < NODES; i++) {
		char name[8] = "n0", zone[8] = "zone-a";
		name[1] = (char)('0' + i);
		zone[5] = (char)('a' + i % 3);
		kt_push(&nodes, support_node(name, zone, "2", NULL));
	}
	return kt_jsonf("{apiVersion: 'v1', kind: 'List', items: %j}", nodes);
}

static void begin(struct evening *e, uint64_t seed, const struct cluster_journal *journal)
{
	struct kt_json *nodes = machines();
	struct cluster_options options = {.name = "test",
	                                  .seed = seed,
	                                  .now = (kt_ns)1764000000 * KT_SEC,
	                                  .nodes = nodes,
	                                  .journal = journal};
	struct kt_err err = {0};
	*e = (struct evening){.seed = seed, .hash = seed};
	kt_random_init(&e->random, seed);
	if (cluster_new(&options, &e->cluster, &err))
		fail_msg("%s", err.text);
	kt_json_free(nodes);
	e->listener = store_listen(cluster_store(e->cluster), watch, e);
}

static void end(struct evening *e)
{
	store_unlisten(cluster_store(e->cluster), e->listener);
	cluster_free(e->cluster);
	kt_buf_clear(&e->trace);
}

/* What there is, for who looks for the cause: KT_DUMP=1. */
static void dump(const struct evening *e)
{
	static const char *const kinds[][2] = {{"", "Pod"}, {"", "Event"}, {"apps", "ReplicaSet"}};
	const struct store_object *object;
	for (size_t i = 0; getenv("KT_DUMP") && i < KT_COUNT(kinds); i++) {
		STORE_EACH (object, cluster_store(e->cluster),
		            support_kind(e->cluster, kinds[i][0], kinds[i][1]), "default") {
			char *text = kt_json_text(object->json);
			(void)fprintf(stderr, "%s\n", text);
			kt_free(text);
		}
	}
}

static void holds(const struct evening *e)
{
	if (e->broken)
		dump(e);
	if (e->broken)
		fail_msg("seed %llu: %s: %s, after\n%s", (unsigned long long)e->seed, e->broken, e->where,
		         kt_buf_str(&e->trace));
}

static void step(struct evening *e)
{
	actions[kt_random_below(&e->random, KT_COUNT(actions))](e);
	support_wait(e->cluster, 0.1 + 0.1 * kt_random_below(&e->random, 400));
}

/* All that was broken is mended; the images are there. */
static void calm(struct evening *e)
{
	static const char *const names[NODES] = {"n0", "n1", "n2", "n3", "n4", "n5"};
	for (int i = 0; i < NODES; i++) {
		disturb(e, kt_jsonf("{node: {is: 'up', pick: {name: %s}}}", names[i]));
		const struct store_object *node = support_get(e->cluster, "Node", names[i]);
		struct kt_json *json = kt_json_ref(node->json);
		kt_set_path(&json, "spec.unschedulable", NULL);
		(void)api_update(e->cluster, &support_actor, node->kind, json, NULL);
	}
	disturb(e, kt_jsonf("{link: {between: ['zone-a', 'zone-b'], is: 'ok'}}"));
	disturb(e, kt_jsonf("{load: {to: 'service frontend', rps: 0}}"));
	for (size_t i = 0; i < KT_COUNT(deployments); i++) {
		const struct store_object *object =
		        store_get(cluster_store(e->cluster), support_kind(e->cluster, "apps", "Deployment"),
		                  "default", deployments[i]);
		struct kt_json *json = kt_json_ref(object->json);
		kt_set_path(&json, "spec.template.spec.containers.0.image", kt_json_str("nginx:1.27"));
		kt_set_path(&json, "spec.replicas", kt_json_int(3 + (int64_t)i));
		(void)api_update(e->cluster, &support_actor, object->kind, json, NULL);
	}
	support_wait(e->cluster, 900);
}

static void settled(struct evening *e)
{
	const struct schema_kind *kind = support_kind(e->cluster, "apps", "Deployment");
	const struct store_object *pod;
	for (size_t i = 0; i < KT_COUNT(deployments); i++) {
		const struct store_object *object =
		        store_get(cluster_store(e->cluster), kind, "default", deployments[i]);
		if (kt_path_int(object->json, "status.availableReplicas", 0) != 3 + (int64_t)i ||
		    kt_path_int(object->json, "status.updatedReplicas", 0) != 3 + (int64_t)i)
			broken(e, "everything settles", "%s: %lld available", deployments[i],
			       (long long)kt_path_int(object->json, "status.availableReplicas", 0));
	}
	const struct store_object *orders =
	        store_get(cluster_store(e->cluster), support_kind(e->cluster, "apps", "StatefulSet"),
	                  "default", "orders");
	if (kt_path_int(orders->json, "status.readyReplicas", 0) != 3)
		broken(e, "everything settles", "orders: %lld ready",
		       (long long)kt_path_int(orders->json, "status.readyReplicas", 0));
	STORE_EACH (pod, cluster_store(e->cluster), support_kind(e->cluster, "", "Pod"), "default") {
		if (view_pod(pod)->deleting || (!view_pod(pod)->ready && !over(view_pod(pod))))
			broken(e, "everything settles", "pod %s", pod->name);
	}
}

static uint64_t whole(uint64_t seed)
{
	struct evening e;
	begin(&e, seed, NULL);
	support_wait(e.cluster, 5);
	open_shop(e.cluster, &e.random);
	for (int i = 0; i < STEPS; i++) {
		step(&e);
		holds(&e);
	}
	calm(&e);
	settled(&e);
	holds(&e);
	uint64_t hash = e.hash;
	end(&e);
	return hash;
}

static void whatever_happens_these_hold_and_all_settles(void **state)
{
	const char *only = getenv("KT_SEED"), *many = getenv("KT_SEEDS");
	uint64_t first = only ? strtoull(only, NULL, 10) : 1, count = many ? strtoull(many, NULL, 10) : 8;
	(void)state;
	for (uint64_t seed = first; seed < first + (only ? 1 : count); seed++)
		(void)whole(seed);
	if (!only)
		(void)whole(125); /* a machine that returned in the second in which it was given up */
}

static void the_same_seed_is_the_same_history(void **state)
{
	(void)state;
	for (uint64_t seed = 100; seed < 102; seed++)
		assert_true(whole(seed) == whole(seed));
	assert_true(whole(100) != whole(101));
}

/* Back by a minute, in the middle of everything: as it was then, and it settles from there. */
static void a_rewind_in_the_middle_is_as_good_as_having_been_there(void **state)
{
	(void)state;
	for (uint64_t seed = 200; seed < 204; seed++) {
		struct evening e;
		struct kt_err err = {0};
		begin(&e, seed, NULL);
		support_wait(e.cluster, 5);
		open_shop(e.cluster, &e.random);
		for (int i = 0; i < STEPS / 2; i++)
			step(&e);
		e.elsewhere = true;
		if (cluster_rewind(e.cluster, cluster_now(e.cluster) - 60 * KT_SEC, &err))
			fail_msg("%s", err.text);
		e.elsewhere = false;
		for (size_t i = 0; i < KT_COUNT(e.most); i++)
			e.most[i] = 9;
		for (int i = 0; i < STEPS / 2; i++)
			step(&e);
		calm(&e);
		settled(&e);
		holds(&e);
		end(&e);
	}
}

static void a_rewind_brings_the_machines_back_as_they_were(void **state)
{
	struct evening e;
	struct kt_err err = {0};
	(void)state;
	begin(&e, 1, NULL);
	support_wait(e.cluster, 30);
	kt_ns whole_again = cluster_now(e.cluster);
	support_wait(e.cluster, 10);
	disturb(&e, kt_jsonf("{node: {is: 'down', pick: {name: 'n1'}}}"));
	support_wait(e.cluster, 10);
	kt_ns broken_again = cluster_now(e.cluster);
	support_wait(e.cluster, 10);
	disturb(&e, kt_jsonf("{node: {is: 'up', pick: {name: 'n1'}}}"));
	support_wait(e.cluster, 10);
	e.elsewhere = true;
	assert_int_equal(cluster_rewind(e.cluster, broken_again, &err), KT_OK);
	assert_false(kubelet_node_is_up(e.cluster, "n1"));
	assert_int_equal(cluster_rewind(e.cluster, whole_again, &err), KT_OK);
	assert_true(kubelet_node_is_up(e.cluster, "n1"));
	end(&e);
}

/* --- a journal that breaks off --- */
/* A drill, flushed each second; its journal holds the first `last` writes. How many there were. */
static size_t drill(struct shelf *shelf, size_t last)
{
	struct cluster_journal journal = {shelf, shelf_write, shelf_read};
	struct evening e;
	*shelf = (struct shelf){.breaks = true, .last = last};
	begin(&e, 7, &journal);
	support_wait(e.cluster, 5);
	open_shop(e.cluster, &e.random);
	for (int i = 0; i < 40; i++) {
		if (i == 10)
			disturb(&e, kt_jsonf("{zone: {name: 'zone-a', is: 'down'}}"));
		if (i == 20)
			do_image(&e);
		support_wait(e.cluster, i < 10 ? 0.3 : 5);
		assert_int_equal(cluster_flush(e.cluster, NULL), KT_OK);
	}
	holds(&e);
	end(&e);
	return shelf->writes;
}

static void a_cluster_killed_in_a_drill_comes_back_consistent(void **state)
{
	struct shelf shelf;
	size_t all = drill(&shelf, SIZE_MAX);
	(void)state;
	kt_json_free(shelf.records);
	assert_in_range(all, 20, 100);
	for (size_t last = 1; last < all; last++) {
		struct cluster_journal journal = {&shelf, shelf_write, shelf_read};
		struct evening e;
		(void)drill(&shelf, last);
		shelf.last = 0;
		begin(&e, 7, &journal);
		for (size_t i = 0; i < KT_COUNT(e.most); i++)
			e.most[i] = 9; /* what was scaled down just before is not known any more */
		kt_buf_addf(&e.trace, "  cut after %zu writes\n", last);
		calm(&e);
		settled(&e);
		holds(&e);
		end(&e);
		kt_json_free(shelf.records);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(whatever_happens_these_hold_and_all_settles),
	        cmocka_unit_test(the_same_seed_is_the_same_history),
	        cmocka_unit_test(a_rewind_in_the_middle_is_as_good_as_having_been_there),
	        cmocka_unit_test(a_rewind_brings_the_machines_back_as_they_were),
	        cmocka_unit_test(a_cluster_killed_in_a_drill_comes_back_consistent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
