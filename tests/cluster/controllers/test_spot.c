/* SPDX-License-Identifier: MIT */
/* Spot machines and what machines cost. */
#include "tests/cluster/support.h"

#include <math.h>
#include <stdlib.h>

static struct kt_json *machine(const char *name, const char *pool, const char *price, bool spot)
{
	struct kt_json *node = support_node(name, "zone-a", "4", NULL);
	struct kt_json **labels = kt_edit_path(&node, "metadata.labels");
	kt_set(labels, "ktutor.dev/pool", kt_json_str(pool));
	kt_set(labels, "ktutor.dev/price", kt_json_str(price));
	if (spot)
		kt_set(labels, "ktutor.dev/spot", kt_json_str("true"));
	return node;
}

static struct cluster *farm(bool spot)
{
	struct kt_json *nodes = kt_json_array();
	kt_push(&nodes, machine("fixed-0", "fixed", "0.4", false));
	kt_push(&nodes, machine("spot-0", "spot", "0.1", spot));
	kt_push(&nodes, machine("spot-1", "spot", "0.1", spot));
	return support_cluster(nodes);
}

static double cost(struct cluster *cluster, const char *key)
{
	const struct store_object *map =
	        store_get(cluster_store(cluster), support_kind(cluster, "", "ConfigMap"), "kube-system",
	                  "cluster-cost");
	assert_non_null(map);
	return strtod(kt_str_or(kt_get(kt_get(map->json, "data"), key), "-1"), NULL);
}

static void near_to(double got, double want)
{
	if (fabs(got - want) > 0.005 * fabs(want) + 1e-9)
		fail_msg("%g expected, got %g", want, got);
}

static void interrupt(struct cluster *cluster, const char *name)
{
	struct kt_json *what = kt_jsonf("{node: {is: 'interrupted', pick: {name: %s}}}", name);
	struct kt_err err = {0};
	if (cluster_disturb(cluster, what, NULL, &err))
		fail_msg("%s", err.text);
	kt_json_free(what);
}

static void the_bill_adds_up_by_pool_and_hour(void **state)
{
	struct cluster *cluster = farm(false); /* nobody takes a machine away meanwhile */
	(void)state;
	support_wait(cluster, 1);
	near_to(cost(cluster, "perHour"), 0.6);
	near_to(cost(cluster, "perHour.spot"), 0.2);
	near_to(cost(cluster, "perHour.fixed"), 0.4);
	double before = cost(cluster, "total");
	support_wait(cluster, 1800);
	near_to(cost(cluster, "total") - before, 0.3);
	cluster_free(cluster);
}

static size_t on_node(struct cluster *cluster, const char *node)
{
	struct store_list pods = {0};
	store_pods_on_node(cluster_store(cluster), node, &pods);
	size_t count = 0;
	for (size_t i = 0; i < pods.count; i++)
		count += kt_streq(pods.items[i]->ns, "default");
	store_list_clear(&pods);
	return count;
}

static void a_spot_node_is_emptied_in_its_two_minutes_and_goes(void **state)
{
	struct cluster *cluster = farm(true);
	(void)state;
	support_create(
	        cluster, "apps", "Deployment",
	        kt_jsonf(
	                "{metadata: {name: 'web'}, spec: {replicas: 2, selector: {matchLabels: {app: "
	                "'web'}}, "
	                "template: {metadata: {labels: {app: 'web'}}, spec: {nodeSelector: "
	                "{'ktutor.dev/pool': "
	                "'spot'}, topologySpreadConstraints: [{maxSkew: 1, topologyKey: "
	                "'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: "
	                "{matchLabels: {app: 'web'}}}], containers: [{name: 'c', image: 'nginx:1.27'}]}}}}"));
	support_wait(cluster, 5);
	assert_int_equal(on_node(cluster, "spot-0"), 1);
	interrupt(cluster, "spot-0");
	support_wait(cluster, 30);
	const struct store_object *node = support_get(cluster, "Node", "spot-0");
	assert_non_null(node);
	assert_true(view_node(node)->unschedulable);
	assert_true(kt_find(view_node(node)->taints, "key", "ktutor.dev/spot-interruption") >= 0);
	assert_int_equal(support_events(cluster, "spot-0", "SpotInterruption", "The machine will be taken"),
	                 1);
	assert_int_equal(on_node(cluster, "spot-0"), 0);
	assert_int_equal(on_node(cluster, "spot-1"), 2);
	support_wait(cluster, 95);
	assert_null(support_get(cluster, "Node", "spot-0"));
	near_to(cost(cluster, "perHour"), 0.5);
	cluster_free(cluster);
}

static void only_spot_machines_can_be_interrupted(void **state)
{
	struct cluster *cluster = farm(true);
	struct kt_json *what = kt_jsonf("{node: {is: 'interrupted', pick: {name: 'fixed-0'}}}");
	struct kt_err err = {0};
	(void)state;
	assert_int_not_equal(cluster_disturb(cluster, what, NULL, &err), KT_OK);
	assert_non_null(strstr(err.text, "no spot machine"));
	kt_json_free(what);
	cluster_free(cluster);
}

/* A quarter of a day on average: of 60 machines about half are gone after the median, 4.16 h. */
static void spot_machines_are_taken_back_of_their_own_accord(void **state)
{
	struct kt_json *nodes = kt_json_array();
	(void)state;
	kt_push(&nodes, machine("fixed-0", "fixed", "0.4", false));
	for (int i = 0; i < 60; i++) {
		char *name = kt_strf("spot-%d", i);
		kt_push(&nodes, machine(name, "spot", "0.1", true));
		kt_free(name);
	}
	struct cluster *cluster = support_cluster(nodes);
	support_wait(cluster, 4.16 * 3600);
	size_t left = store_count(cluster_store(cluster), support_kind(cluster, "", "Node"), NULL) - 1;
	assert_in_range(left, 20, 40);
	cluster_free(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_bill_adds_up_by_pool_and_hour),
	        cmocka_unit_test(a_spot_node_is_emptied_in_its_two_minutes_and_goes),
	        cmocka_unit_test(only_spot_machines_can_be_interrupted),
	        cmocka_unit_test(spot_machines_are_taken_back_of_their_own_accord),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
