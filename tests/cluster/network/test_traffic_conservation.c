/* SPDX-License-Identifier: MIT */
/* No request is lost from the books: at any moment, and whatever happens to pods, nodes and links,
 * offered = answered + errors + waiting; and nobody is answered without CPU that was spent on it. */
#include "cluster/kubelet/process.h"
#include "tests/cluster/network/traffic_test.h"

static const double WORK = 0.01; /* seconds of CPU of a request */

/* CPU that all programs spent, looked at after each second of traffic. Who ended since the look before took
 * its last second's CPU along: up to one second more each. */
struct meter {
	struct cluster *cluster;
	double spent;
	int ended;
	struct seen {
		const struct container *container;
		kt_ns began;
		int64_t cpu;
		bool there;
	} seen[64];
	size_t count;
};

static void read_container(struct meter *meter, const struct container *c)
{
	int64_t cpu, memory;
	size_t i = 0;
	container_usage(c, &cpu, &memory);
	while (i < meter->count && meter->seen[i].container != c)
		i++;
	for (size_t k = 0; i == meter->count && k < meter->count; k++)
		i = meter->seen[k].container ? i : k;
	assert_true(i < KT_COUNT(meter->seen));
	meter->count = KT_MAX(meter->count, i + 1);
	struct seen *seen = &meter->seen[i];
	bool again = seen->began != c->began;
	meter->ended += again && seen->began;
	meter->spent += (double)(cpu - (again ? 0 : seen->cpu)) / 1e9;
	*seen = (struct seen){c, c->began, cpu, true};
}

static void read_meter(struct meter *meter)
{
	const struct store_object *pod;
	STORE_EACH (pod, cluster_store(meter->cluster), support_kind(meter->cluster, "", "Pod"), "default") {
		const struct container *c = kubelet_container(meter->cluster, pod->ns, pod->name, NULL, NULL);
		if (c && kt_starts(pod->name, "web"))
			read_container(meter, c);
	}
	for (size_t i = 0; i < meter->count; i++) {
		struct seen *seen = &meter->seen[i];
		meter->ended += !seen->there && seen->began;
		if (!seen->there)
			*seen = (struct seen){0};
		seen->there = false;
	}
}

static double most(const struct meter *meter) /* that may have been answered */
{
	return (meter->spent + meter->ended) / WORK;
}

struct books {
	double offered, answered, errors, waiting;
};

static struct books books_of(struct cluster *cluster, const char *name)
{
	struct traffic_stats stats;
	assert_true(traffic_get(cluster, "default", name, &stats));
	return (struct books){stats.offered, stats.answered, stats.errors, stats.waiting};
}

static void balanced(struct cluster *cluster, const char *name, const char *when)
{
	struct books books = books_of(cluster, name);
	double sum = books.answered + books.errors + books.waiting;
	if (fabs(sum - books.offered) > 1e-3 + 1e-6 * books.offered || books.answered < -1e-3 ||
	    books.errors < -1e-3 || books.waiting < -1e-3)
		fail_msg("%s, %s: %g offered, %g answered, %g failed, %g waiting", when, name, books.offered,
		         books.answered, books.errors, books.waiting);
	assert_true(fabs(told(cluster, "services", name, 0, "answered") - books.answered) < 0.1);
	assert_true(fabs(told(cluster, "services", name, 0, "errors") - books.errors) < 0.1);
}

static void seconds_pass(struct meter *meter, int seconds, const char *when)
{
	for (int i = 0; i < seconds; i++) {
		support_wait(meter->cluster, 1);
		read_meter(meter);
		balanced(meter->cluster, "web", when);
	}
}

static struct meter meter_of(struct cluster *cluster)
{
	struct meter meter = {.cluster = cluster};
	support_wait(cluster, 5);
	read_meter(&meter);
	meter.spent = 0;
	return meter;
}

/* After its program was killed for its memory, whoever waited in it is not answered. */
static void who_waits_in_a_program_that_is_killed_is_not_answered(void **state)
{
	struct cluster *cluster = three_zones();
	(void)state;
	tier(cluster, "web", 2, kt_jsonf("{'ktutor.dev/work': '10ms', 'ktutor.dev/memory': '1Mi'}"), NULL);
	struct meter meter = meter_of(cluster);
	load(cluster, kt_jsonf("{to: 'service web', rps: 400}"));
	support_wait(cluster, 0.001);
	seconds_pass(&meter, 300, "killed for memory");
	struct books books = books_of(cluster, "web");
	near_to(books.answered, most(&meter), 0.02);
	assert_true(blamed(cluster, "services", "web", "ended while requests waited in them") > 100);
	near_to(blamed(cluster, "services", "web", NULL), books.errors, 0.01);
	cluster_free(cluster);
}

/* A pod that is not ready gets nothing new; what it has, it works off. */
static void a_pod_that_is_not_ready_works_off_what_waits_in_it(void **state)
{
	struct cluster *cluster = three_zones();
	(void)state;
	support_create(
	        cluster, "apps", "Deployment",
	        kt_jsonf("{metadata: {name: 'web'}, spec: {replicas: 2, selector: {matchLabels: {app: "
	                 "'web'}}, template: {metadata: {labels: {app: 'web'}, annotations: "
	                 "{'ktutor.dev/work': '10ms', 'ktutor.dev/memory': '1Ki'}}, spec: {containers: "
	                 "[{name: 'c', image: 'nginx:1.27', resources: {limits: {cpu: '1'}}, readinessProbe: "
	                 "{periodSeconds: 1, exec: {command: ['sh', '-c', %s]}}}]}}}}",
	                 "test $(( $(date +%s) / 7 % 2 )) = 0"));
	support_create(cluster, "", "Service",
	               kt_jsonf("{metadata: {name: 'web'}, spec: {selector: {app: 'web'}, ports: [{port: "
	                        "80}]}}"));
	struct meter meter = meter_of(cluster);
	load(cluster, kt_jsonf("{to: 'service web', rps: 300}"));
	support_wait(cluster, 0.001);
	seconds_pass(&meter, 120, "now ready, now not");
	load(cluster, kt_jsonf("{to: 'service web', rps: 0}"));
	seconds_pass(&meter, 20, "no more load");
	struct books books = books_of(cluster, "web");
	assert_true(books.waiting < 0.01);
	near_to(books.answered, meter.spent / WORK, 0.02);
	assert_true(meter.spent > 100);
	cluster_free(cluster);
}

/* The end of the load is not the end of those who wait. */
static void who_waits_when_the_load_ends_is_answered(void **state)
{
	struct cluster *cluster = three_zones();
	(void)state;
	tier(cluster, "web", 1, kt_jsonf("{'ktutor.dev/work': '10ms', 'ktutor.dev/memory': '1Ki'}"), NULL);
	struct meter meter = meter_of(cluster);
	load(cluster, kt_jsonf("{to: 'service web', rps: 200}"));
	support_wait(cluster, 0.001);
	seconds_pass(&meter, 5, "too much");
	assert_true(books_of(cluster, "web").waiting > 300);
	load(cluster, kt_jsonf("{to: 'service web', rps: 0}"));
	seconds_pass(&meter, 20, "no more load");
	struct books books = books_of(cluster, "web");
	assert_true(books.waiting < 0.01);
	assert_true(books.errors < 0.01 * books.offered);
	near_to(meter.spent / WORK, books.offered, 0.02);
	cluster_free(cluster);
}

/* A caller that dies answers nobody, though the database works on. */
static void who_waits_through_a_caller_that_dies_is_not_answered(void **state)
{
	struct cluster *cluster = three_zones();
	struct kt_err err = {0};
	(void)state;
	tier(cluster, "orders", 1, kt_jsonf("{'ktutor.dev/work': '10ms'}"), NULL);
	tier(cluster, "web", 1, kt_jsonf("{'ktutor.dev/work': '1ms', 'ktutor.dev/memory': '1Ki'}"),
	     kt_jsonf("[{name: 'DATABASE_HOST', value: 'orders'}]"));
	support_wait(cluster, 5);
	load(cluster, kt_jsonf("{to: 'service web', rps: 150}"));
	support_wait(cluster, 8.01);
	struct books before = books_of(cluster, "web");
	assert_true(before.waiting > 300);
	struct kt_json *kill =
	        kt_jsonf("{pod: {is: 'killed', pick: {namespace: 'default', labels: {app: 'web'}}}}");
	if (cluster_disturb(cluster, kill, NULL, &err))
		fail_msg("%s", err.text);
	kt_json_free(kill);
	support_wait(cluster, 1);
	struct books after = books_of(cluster, "web");
	balanced(cluster, "web", "the caller died");
	assert_true(after.errors - before.errors > before.waiting - 150);
	cluster_free(cluster);
}

/* --- anything may happen --- */
enum event { KILL, OOM, DELETE, SCALE, CUT, MEND, NODE_OFF, NODE_ON, LOAD, EVENTS };

static void happens(struct cluster *cluster, enum event event, struct kt_random *random)
{
	static const char *const kills[] = {[KILL] = "killed", [OOM] = "oom", [DELETE] = "deleted"};
	struct kt_json *what = NULL;
	struct kt_err err = {0};
	char node[3] = {'n', (char)('0' + kt_random_below(random, 6)), '\0'};
	switch (event) {
	case KILL:
	case OOM:
	case DELETE:
		what = kt_jsonf(
		        "{pod: {is: %s, pick: {namespace: 'default', labels: {app: 'web'}, count: 1}}}",
		        kills[event]);
		break;
	case SCALE: {
		const struct schema_kind *kind = support_kind(cluster, "apps", "Deployment");
		struct kt_json *json =
		        kt_json_ref(store_get(cluster_store(cluster), kind, "default", "web")->json);
		kt_set_path(&json, "spec.replicas", kt_json_int(1 + kt_random_below(random, 4)));
		(void)api_update(cluster, &support_actor, kind, json, NULL);
		return;
	}
	case CUT:
	case MEND:
		network_link_set(cluster, "zone-a", "zone-b", event == CUT, 0, 0);
		return;
	case NODE_OFF:
	case NODE_ON:
		kubelet_node_set(cluster, node, event == NODE_ON);
		return;
	default:
		what = kt_jsonf("{load: {to: 'service front', rps: %d, timeout: '5s', retries: %d}}",
		                (int)(50 * kt_random_below(random, 10)), (int)kt_random_below(random, 2));
		break;
	}
	/* where no pod runs, none is killed */
	if (cluster_disturb(cluster, what, NULL, &err) && event == LOAD)
		fail_msg("%s", err.text);
	kt_json_free(what);
}

static void whatever_happens_the_books_balance(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		struct cluster *cluster = three_zones();
		struct kt_random random;
		kt_random_init(&random, seed);
		tier(cluster, "web", 2, kt_jsonf("{'ktutor.dev/work': '10ms', 'ktutor.dev/memory': '200Ki'}"),
		     NULL);
		tier(cluster, "front", 2, kt_jsonf("{'ktutor.dev/work': '1ms', 'ktutor.dev/calls': 'web'}"),
		     NULL);
		struct meter meter = meter_of(cluster);
		load(cluster, kt_jsonf("{to: 'service front', rps: 250, timeout: '5s'}"));
		support_wait(cluster, 0.001);
		for (int step = 0; step < 60; step++) {
			char when[64];
			enum event event = (enum event)kt_random_below(&random, EVENTS);
			happens(cluster, event, &random);
			snprintf(when, sizeof(when), "seed %d, step %d, event %d", (int)seed, step,
			         (int)event);
			seconds_pass(&meter, 1 + (int)kt_random_below(&random, 4), when);
			balanced(cluster, "front", when);
		}
		load(cluster, kt_jsonf("{to: 'service front', rps: 0}"));
		seconds_pass(&meter, 30, "the end");
		struct books web = books_of(cluster, "web"), front = books_of(cluster, "front");
		assert_true(web.waiting < 0.01 && front.waiting < 0.01);
		if (web.answered > 1.02 * most(&meter))
			fail_msg("seed %d: %g answered, worked for %g", (int)seed, web.answered,
			         most(&meter));
		assert_true(front.answered <= web.answered * 1.01 + 1);
		assert_true(web.answered > 0.5 * meter.spent / WORK);
		near_to(blamed(cluster, "services", "front", NULL), front.errors, 0.02);
		cluster_free(cluster);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(who_waits_in_a_program_that_is_killed_is_not_answered),
	        cmocka_unit_test(a_pod_that_is_not_ready_works_off_what_waits_in_it),
	        cmocka_unit_test(who_waits_when_the_load_ends_is_answered),
	        cmocka_unit_test(who_waits_through_a_caller_that_dies_is_not_answered),
	        cmocka_unit_test(whatever_happens_the_books_balance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
