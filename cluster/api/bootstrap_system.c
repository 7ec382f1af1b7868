/* SPDX-License-Identifier: MIT */
/* What the API server keeps for itself in a new cluster: flow control (apiserver
 * pkg/apis/flowcontrol/bootstrap), the versions that it serves as APIServices (cmd/kube-apiserver/app
 * aggregator.go) and the range of Service addresses. Their conditions: controllers/registration.c. */
#include "cluster/api/internal.h"

#include <string.h>

static const struct api_actor server = {
        .user = "system:apiserver", .manager = "kube-apiserver", .component = "kube-apiserver"};
static const struct api_actor fairness = {.user = "system:apiserver",
                                          .manager = "api-priority-and-fairness-config-producer-v1",
                                          .component = "kube-apiserver"};

static void create(struct cluster *cluster, const struct api_actor *actor, const char *group,
                   const char *kind, struct kt_json *steal)
{
	(void)api_create(cluster, actor, schema_stored(cluster_schema(cluster), group, kind), steal, NULL);
}

/* --- flow control --- */
#define FLOW "flowcontrol.apiserver.k8s.io"

/* `queues` 0: what is too much is refused. */
static const struct level {
	const char *name;
	int shares, lendable, queues, hand;
} levels[] = {
        {"catch-all", 5, 0, 0, 0},         {"global-default", 20, 50, 128, 6},
        {"leader-election", 10, 0, 16, 4}, {"node-high", 40, 25, 64, 6},
        {"system", 30, 33, 64, 6},         {"workload-high", 40, 50, 128, 6},
        {"workload-low", 100, 90, 128, 6},
};

static void add_level(struct cluster *cluster, const struct level *level)
{
	struct kt_json *response = kt_jsonf("{type: 'Reject'}");
	if (level->queues) {
		kt_json_free(response);
		response =
		        kt_jsonf("{queuing: {queues: %d, handSize: %d, queueLengthLimit: 50}, type: 'Queue'}",
		                 level->queues, level->hand);
	}
	create(cluster, &fairness, FLOW, "PriorityLevelConfiguration",
	       kt_jsonf(
	               "{metadata: {name: %s, annotations: {'apf.kubernetes.io/autoupdate-spec': 'true'}}, "
	               "spec: {type: 'Limited', limited: {nominalConcurrencyShares: %d, lendablePercent: %d, "
	               "limitResponse: %j}}}",
	               level->name, level->shares, level->lendable, response));
}

/* Subjects: group names, users with a '@', all service accounts of kube-system "*". Rules: "all", or
 * "verbs|group|resources|cluster"; with `paths` non-resource rules. */
static const struct flow {
	const char *name, *level;
	int precedence;
	const char *by, *subjects;
	const char *rules[2];
	const char *paths;
} flows[] = {
        {"exempt", "exempt", 1, NULL, "system:masters", {"*|*|*|yes"}, "*|*"},
        {"probes",
         "exempt",
         2,
         NULL,
         "system:unauthenticated,system:authenticated",
         {NULL},
         "get|/healthz,/readyz,/livez"},
        {"system-leader-election",
         "leader-election",
         100,
         "ByUser",
         "@system:kube-controller-manager,@system:kube-scheduler,*",
         {"get,create,update|coordination.k8s.io|leases|"},
         NULL},
        {"system-node-high",
         "node-high",
         400,
         "ByUser",
         "system:nodes",
         {"*||nodes,nodes/status|yes", "*|coordination.k8s.io|leases|"},
         NULL},
        {"system-nodes", "system", 500, "ByUser", "system:nodes", {"*|*|*|yes"}, "*|*"},
        {"kube-controller-manager",
         "workload-high",
         800,
         "ByNamespace",
         "@system:kube-controller-manager",
         {"*|*|*|yes"},
         "*|*"},
        {"kube-scheduler",
         "workload-high",
         800,
         "ByNamespace",
         "@system:kube-scheduler",
         {"*|*|*|yes"},
         "*|*"},
        {"kube-system-service-accounts", "workload-high", 900, "ByNamespace", "*", {"*|*|*|yes"}, "*|*"},
        {"service-accounts", "workload-low", 9000, "ByUser", "system:serviceaccounts", {"*|*|*|yes"}, "*|*"},
        {"global-default",
         "global-default",
         9900,
         "ByUser",
         "system:unauthenticated,system:authenticated",
         {"*|*|*|yes"},
         "*|*"},
        {"catch-all",
         "catch-all",
         10000,
         "ByUser",
         "system:unauthenticated,system:authenticated",
         {"*|*|*|yes"},
         "*|*"},
};

/* The words of `text` up to `stop`, between commas; *text goes behind it. */
static struct kt_json *words(const char **text, char stop)
{
	struct kt_json *list = kt_json_array();
	const char *p = *text;
	for (;;) {
		const char stops[] = {',', stop, 0};
		size_t n = strcspn(p, stops);
		kt_push(&list, kt_json_strf("%.*s", (int)n, p));
		p += n;
		if (*p != ',')
			break;
		p++;
	}
	*text = *p ? p + 1 : p;
	return list;
}

static struct kt_json *flow_subjects(const char *text)
{
	struct kt_json *names = words(&text, 0), *out = kt_json_array();
	const struct kt_json *item;
	KT_JSON_EACH (item, names) {
		const char *name = kt_str_or(item, "");
		if (strcmp(name, "*") == 0)
			kt_push(&out, kt_jsonf("{kind: 'ServiceAccount', serviceAccount: {namespace: "
			                       "'kube-system', name: '*'}}"));
		else if (*name == '@')
			kt_push(&out, kt_jsonf("{kind: 'User', user: {name: %s}}", name + 1));
		else
			kt_push(&out, kt_jsonf("{kind: 'Group', group: {name: %s}}", name));
	}
	kt_json_free(names);
	return out;
}

static struct kt_json *flow_rule(const char *text)
{
	struct kt_json *verbs = words(&text, '|'), *groups = words(&text, '|'),
	               *resources = words(&text, '|');
	struct kt_json *rule = kt_jsonf("{verbs: %j, apiGroups: %j, resources: %j, namespaces: ['*']}", verbs,
	                                groups, resources);
	if (*text)
		kt_set(&rule, "clusterScope", kt_json_bool(true));
	return rule;
}

static void add_flow(struct cluster *cluster, const struct flow *flow)
{
	struct kt_json *rule = kt_json_object(), *spec;
	kt_set(&rule, "subjects", flow_subjects(flow->subjects));
	for (size_t i = 0; i < KT_COUNT(flow->rules) && flow->rules[i]; i++)
		kt_push(kt_edit(&rule, "resourceRules"), flow_rule(flow->rules[i]));
	if (flow->paths) {
		const char *text = flow->paths;
		struct kt_json *verbs = words(&text, '|'), *paths = words(&text, '|');
		kt_push(kt_edit(&rule, "nonResourceRules"),
		        kt_jsonf("{verbs: %j, nonResourceURLs: %j}", verbs, paths));
	}
	spec = kt_jsonf("{priorityLevelConfiguration: {name: %s}, matchingPrecedence: %d, rules: [%j]}",
	                flow->level, flow->precedence, rule);
	if (flow->by)
		kt_set(&spec, "distinguisherMethod", kt_jsonf("{type: %s}", flow->by));
	create(cluster, &fairness, FLOW, "FlowSchema",
	       kt_jsonf("{metadata: {name: %s, annotations: {'apf.kubernetes.io/autoupdate-spec': 'true'}}, "
	                "spec: %j}",
	                flow->name, spec));
}

static void flow_control(struct cluster *cluster)
{
	create(cluster, &fairness, FLOW, "PriorityLevelConfiguration",
	       kt_jsonf("{metadata: {name: 'exempt', annotations: {'apf.kubernetes.io/autoupdate-spec': "
	                "'true'}}, spec: {type: 'Exempt', exempt: {nominalConcurrencyShares: 0, "
	                "lendablePercent: 0}}}"));
	for (size_t i = 0; i < KT_COUNT(levels); i++)
		add_level(cluster, &levels[i]);
	for (size_t i = 0; i < KT_COUNT(flows); i++)
		add_flow(cluster, &flows[i]);
}

/* --- the versions served --- */
static const struct {
	const char *group, *version;
	int group_priority, version_priority;
} versions[] = {
        {"", "v1", 18000, 1},
        {"admissionregistration.k8s.io", "v1", 16700, 15},
        {"apiextensions.k8s.io", "v1", 16700, 15},
        {"apps", "v1", 17800, 15},
        {"authentication.k8s.io", "v1", 17700, 15},
        {"authorization.k8s.io", "v1", 17600, 15},
        {"autoscaling", "v1", 17500, 15},
        {"autoscaling", "v2", 17500, 30},
        {"batch", "v1", 17400, 15},
        {"certificates.k8s.io", "v1", 17300, 15},
        {"coordination.k8s.io", "v1", 16500, 15},
        {"discovery.k8s.io", "v1", 16200, 15},
        {"events.k8s.io", "v1", 17750, 15},
        {"flowcontrol.apiserver.k8s.io", "v1", 16100, 21},
        {"networking.k8s.io", "v1", 17200, 15},
        {"node.k8s.io", "v1", 16300, 15},
        {"policy", "v1", 17100, 15},
        {"rbac.authorization.k8s.io", "v1", 17000, 15},
        {"resource.k8s.io", "v1", 16200, 21},
        {"scheduling.k8s.io", "v1", 16600, 15},
        {"storage.k8s.io", "v1", 16800, 15},
};

static void api_services(struct cluster *cluster)
{
	for (size_t i = 0; i < KT_COUNT(versions); i++) {
		char *name = kt_strf("%s.%s", versions[i].version, versions[i].group);
		struct kt_json *spec = kt_jsonf(
		        "{version: %s, groupPriorityMinimum: %d, versionPriority: %d}", versions[i].version,
		        versions[i].group_priority, versions[i].version_priority);
		if (*versions[i].group)
			kt_set(&spec, "group", kt_json_str(versions[i].group));
		create(cluster, &server, "apiregistration.k8s.io", "APIService",
		       kt_jsonf("{metadata: {name: %s, labels: {'kube-aggregator.kubernetes.io/automanaged': "
		                "'onstart'}}, spec: %j}",
		                name, spec));
		kt_free(name);
	}
}

void api_bootstrap_system(struct cluster *cluster)
{
	flow_control(cluster);
	api_services(cluster);
	create(cluster, &server, "networking.k8s.io", "ServiceCIDR",
	       kt_jsonf("{metadata: {name: 'kubernetes'}, spec: {cidrs: ['10.96.0.0/16']}}"));
}
