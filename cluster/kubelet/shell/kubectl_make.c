/* SPDX-License-Identifier: MIT */
/* kubectl in a pod: what create, run, expose and autoscale make of a command line. */
#include "cluster/kubelet/shell/kubectl.h"

#include <stdlib.h>
#include <string.h>

static const char *word_at(const struct kubectl *s, size_t i)
{
	return i < s->words.count ? s->words.items[i] : NULL;
}

struct kt_json *kubectl_pairs(const char *text)
{
	struct kt_json *out = kt_json_object();
	const char *rest = text;
	size_t len;
	for (const char *one; rest && (one = kt_split(&rest, ',', &len));) {
		char *pair = kt_strndup(one, len), *equals = strchr(pair, '=');
		if (equals) {
			*equals = '\0';
			kt_set(&out, pair, kt_json_str(equals + 1));
		}
		kt_free(pair);
	}
	return out;
}

/* All values of an option, "a,b" as two. */
static struct kt_json *listed(const struct kubectl *s, const char *name)
{
	struct kt_json *out = kt_json_array();
	const struct kt_json *value;
	KT_JSON_EACH (value, kt_get(s->more, name)) {
		const char *rest = kt_str_or(value, "");
		size_t len;
		for (const char *one; rest && (one = kt_split(&rest, ',', &len));)
			kt_push(&out, kt_json_strn(one, len));
	}
	return out;
}

static struct kt_json *rest_words(const struct kubectl *s)
{
	struct kt_json *out = kt_json_array();
	for (size_t i = 0; i < s->rest.count; i++)
		kt_push(&out, kt_json_str(s->rest.items[i]));
	return out;
}

static struct kt_json *container(const struct kubectl *s, const char *name, bool args)
{
	struct kt_json *out = kt_jsonf("{name: %s, image: %s}", name, s->image), *env = kt_json_array();
	const struct kt_json *one;
	if (s->rest.count)
		kt_set(&out, args ? "args" : "command", rest_words(s));
	KT_JSON_EACH (one, kt_get(s->more, "env")) {
		struct kt_json *pair = kubectl_pairs(kt_str_or(one, ""));
		if (kt_count(pair))
			kt_push(&env, kt_jsonf("{name: %s, value: %s}", kt_key(pair, 0),
			                       kt_str_or(kt_at(pair, 0), "")));
		kt_json_free(pair);
	}
	if (kt_count(env))
		kt_set(&out, "env", env);
	else
		kt_json_free(env);
	const char *port = kubectl_option(s, "port");
	if (port)
		kt_set(&out, "ports", kt_jsonf("[{containerPort: %l}]", strtoll(port, NULL, 10)));
	return out;
}

static struct kt_json *make_job(struct tool_run *r, struct kubectl *s, const char *name)
{
	(void)r;
	return kt_jsonf("{apiVersion: 'batch/v1', kind: 'Job', metadata: {name: %s}, spec: {template: {spec: "
	                "{restartPolicy: 'Never', containers: [%j]}}}}",
	                name, container(s, name, false));
}

static struct kt_json *make_cron_job(struct tool_run *r, struct kubectl *s, const char *name)
{
	const char *schedule = kubectl_option(s, "schedule"), *restart = kubectl_option(s, "restart");
	if (!schedule) {
		kubectl_complain(r, s, "error: required flag(s) \"schedule\" not set");
		return NULL;
	}
	return kt_jsonf(
	        "{apiVersion: 'batch/v1', kind: 'CronJob', metadata: {name: %s}, spec: {schedule: %s, "
	        "jobTemplate: {metadata: {name: %s}, spec: {template: {spec: {restartPolicy: %s, containers: "
	        "[%j]}}}}}}",
	        name, schedule, name, restart ? restart : "OnFailure", container(s, name, false));
}

/* --resource=pods,deployments.apps/scale: rules by group. */
static struct kt_json *rules(const struct kubectl *s)
{
	struct kt_json *verbs = listed(s, "verb"), *resources = listed(s, "resource"), *out = kt_json_array();
	struct kt_json *names = listed(s, "resource-name");
	const struct kt_json *one;
	KT_JSON_EACH (one, resources) {
		const char *text = kt_str_or(one, ""), *slash = strchr(text, '/');
		char *type = kt_strndup(text, strcspn(text, "/"));
		const struct schema_kind *kind = kubectl_kind_named(s, type);
		char *full = kt_strf("%s%s", kind ? kind->resource : type, slash ? slash : "");
		struct kt_json *rule =
		        kt_jsonf("{apiGroups: [%s], resources: [%s]}", kind ? kind->group : "", full);
		kt_set(&rule, "verbs", kt_json_ref(verbs));
		if (kt_count(names))
			kt_set(&rule, "resourceNames", kt_json_ref(names));
		kt_push(&out, rule);
		kt_free(full);
		kt_free(type);
	}
	kt_json_free(verbs);
	kt_json_free(resources);
	kt_json_free(names);
	return out;
}

static struct kt_json *make_role(struct tool_run *r, struct kubectl *s, const char *name)
{
	struct kt_json *all = rules(s);
	if (!kt_count(all)) {
		kubectl_complain(r, s, "error: at least one verb must be specified");
		kt_json_free(all);
		return NULL;
	}
	return kt_jsonf(
	        "{apiVersion: 'rbac.authorization.k8s.io/v1', kind: %s, metadata: {name: %s}, rules: %j}",
	        s->kind->kind, name, all);
}

static struct kt_json *make_binding(struct tool_run *r, struct kubectl *s, const char *name)
{
	const char *role = kubectl_option(s, "role"), *cluster = kubectl_option(s, "clusterrole");
	struct kt_json *subjects = kt_json_array(), *accounts = listed(s, "serviceaccount");
	struct kt_json *users = listed(s, "user"), *groups = listed(s, "group");
	const struct kt_json *one;
	KT_JSON_EACH (one, users)
		kt_push(&subjects, kt_jsonf("{kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: %s}",
		                            kt_str_or(one, "")));
	KT_JSON_EACH (one, groups)
		kt_push(&subjects,
		        kt_jsonf("{kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: %s}",
		                 kt_str_or(one, "")));
	KT_JSON_EACH (one, accounts) {
		const char *text = kt_str_or(one, ""), *colon = strchr(text, ':');
		char *ns = kt_strndup(text, strcspn(text, ":"));
		kt_push(&subjects, kt_jsonf("{kind: 'ServiceAccount', namespace: %s, name: %s}", ns,
		                            colon ? colon + 1 : ""));
		kt_free(ns);
	}
	kt_json_free(users);
	kt_json_free(groups);
	kt_json_free(accounts);
	if (!role == !cluster) {
		kubectl_complain(r, s, "error: exactly one of clusterrole or role must be specified");
		kt_json_free(subjects);
		return NULL;
	}
	return kt_jsonf(
	        "{apiVersion: 'rbac.authorization.k8s.io/v1', kind: %s, metadata: {name: %s}, roleRef: "
	        "{apiGroup: 'rbac.authorization.k8s.io', kind: %s, name: %s}, subjects: %j}",
	        s->kind->kind, name, role ? "Role" : "ClusterRole", role ? role : cluster, subjects);
}

/* create service clusterip|nodeport|loadbalancer NAME --tcp=80:8080 */
static struct kt_json *make_service(struct tool_run *r, struct kubectl *s, const char *type)
{
	static const char *const types[][2] = {
	        {"clusterip", "ClusterIP"}, {"nodeport", "NodePort"}, {"loadbalancer", "LoadBalancer"}};
	const char *name = word_at(s, 3), *given = NULL;
	struct kt_json *ports = kt_json_array(), *all = listed(s, "tcp");
	const struct kt_json *one;
	for (size_t i = 0; i < KT_COUNT(types); i++)
		given = kt_streq(types[i][0], type) ? types[i][1] : given;
	if (!given || !name)
		kubectl_complain(r, s, "error: exactly one NAME is required, got 0");
	KT_JSON_EACH (one, all) {
		const char *text = kt_str_or(one, ""), *colon = strchr(text, ':');
		char *label = kt_strdup(text), *mark = strchr(label, ':');
		if (mark)
			*mark = '-';
		kt_push(&ports,
		        kt_jsonf("{name: %s, port: %l, targetPort: %l, protocol: 'TCP'}", label,
		                 strtoll(text, NULL, 10), strtoll(colon ? colon + 1 : text, NULL, 10)));
		kt_free(label);
	}
	kt_json_free(all);
	if (s->status) {
		kt_json_free(ports);
		return NULL;
	}
	return kt_jsonf("{apiVersion: 'v1', kind: 'Service', metadata: {name: %s, labels: {app: %s}}, spec: "
	                "{type: %s, "
	                "selector: {app: %s}, ports: %j}}",
	                name, name, given, name, ports);
}

static struct kt_json *make_quota(struct tool_run *r, struct kubectl *s, const char *name)
{
	(void)r;
	const char *hard = kubectl_option(s, "hard");
	return kt_jsonf("{apiVersion: 'v1', kind: 'ResourceQuota', metadata: {name: %s}, spec: {hard: %j}}",
	                name, kubectl_pairs(hard ? hard : ""));
}

/* A number, or a text as in 50% */
static struct kt_json *int_or_text(const char *text)
{
	char *end;
	long long n = strtoll(text, &end, 10);
	return *end ? kt_json_str(text) : kt_jsonf("%l", n);
}

static struct kt_json *make_budget(struct tool_run *r, struct kubectl *s, const char *name)
{
	const char *least = kubectl_option(s, "min-available"), *most = kubectl_option(s, "max-unavailable");
	if (!s->selector || !least == !most) {
		kubectl_complain(r, s,
		                 s->selector
		                         ? "error: one of min-available or max-unavailable must be specified"
		                         : "error: a selector must be specified");
		return NULL;
	}
	struct kt_json *spec = kt_jsonf("{selector: {matchLabels: %j}}", kubectl_pairs(s->selector));
	kt_set(&spec, least ? "minAvailable" : "maxUnavailable", int_or_text(least ? least : most));
	return kt_jsonf(
	        "{apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: {name: %s}, spec: %j}",
	        name, spec);
}

static struct kt_json *make_priority(struct tool_run *r, struct kubectl *s, const char *name)
{
	(void)r;
	const char *value = kubectl_option(s, "value"), *words = kubectl_option(s, "description");
	struct kt_json *object =
	        kt_jsonf("{apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: {name: "
	                 "%s}, value: %l}",
	                 name, value ? strtoll(value, NULL, 10) : 0LL);
	if (words)
		kt_set(&object, "description", kt_json_str(words));
	if (kubectl_option(s, "global-default"))
		kt_set(&object, "globalDefault", kt_json_bool(true));
	return object;
}

/* --rule=HOST/PATH[*]=SERVICE:PORT */
static struct kt_json *make_ingress(struct tool_run *r, struct kubectl *s, const char *name)
{
	struct kt_json *all = listed(s, "rule"), *rules_made = kt_json_array();
	const struct kt_json *one;
	KT_JSON_EACH (one, all) {
		const char *text = kt_str_or(one, ""), *equals = strrchr(text, '='),
		           *slash = strchr(text, '/'), *colon = equals ? strchr(equals, ':') : NULL;
		if (!equals || !slash || slash > equals || !colon) {
			kubectl_complain(
			        r, s,
			        "error: rule %s is invalid and should be in format host/path=svcname:svcport",
			        text);
			break;
		}
		bool prefix = equals[-1] == '*';
		char *host = kt_strndup(text, (size_t)(slash - text)),
		     *path = kt_strndup(slash, (size_t)(equals - slash) - prefix),
		     *service = kt_strndup(equals + 1, (size_t)(colon - equals - 1));
		char *end;
		long long port = strtoll(colon + 1, &end, 10);
		struct kt_json *backend =
		        *end ? kt_jsonf("{name: %s}", colon + 1) : kt_jsonf("{number: %l}", port);
		struct kt_json *rule = kt_jsonf("{http: {paths: [{path: %s, pathType: %s, backend: {service: "
		                                "{name: %s, port: %j}}}]}}",
		                                path, prefix ? "Prefix" : "Exact", service, backend);
		if (*host)
			kt_set(&rule, "host", kt_json_str(host));
		kt_push(&rules_made, rule);
		kt_free(host);
		kt_free(path);
		kt_free(service);
	}
	kt_json_free(all);
	struct kt_json *spec = kt_jsonf("{rules: %j}", rules_made);
	if (kubectl_option(s, "class"))
		kt_set(&spec, "ingressClassName", kt_json_str(kubectl_option(s, "class")));
	return kt_jsonf(
	        "{apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: {name: %s}, spec: %j}", name,
	        spec);
}

static const struct {
	const char *kind;
	bool image; /* it needs one */
	struct kt_json *(*make)(struct tool_run *r, struct kubectl *s, const char *name);
} makers[] = {{"Job", true, make_job},
              {"CronJob", true, make_cron_job},
              {"Role", false, make_role},
              {"ClusterRole", false, make_role},
              {"RoleBinding", false, make_binding},
              {"ClusterRoleBinding", false, make_binding},
              {"Service", false, make_service},
              {"ResourceQuota", false, make_quota},
              {"PodDisruptionBudget", false, make_budget},
              {"PriorityClass", false, make_priority},
              {"Ingress", false, make_ingress}};

struct kt_json *kubectl_made(struct tool_run *r, struct kubectl *s, bool *known)
{
	const char *type = word_at(s, 1), *name = word_at(s, 2);
	const struct schema_kind *kind =
	        type ? kubectl_kind_named(s, kt_streq(type, "quota") ? "resourcequota" : type) : NULL;
	*known = false;
	for (size_t i = 0; kind && i < KT_COUNT(makers); i++) {
		if (!kt_streq(makers[i].kind, kind->kind))
			continue;
		*known = true;
		s->kind = kind;
		if (!name)
			kubectl_complain(r, s, "error: exactly one NAME is required, got 0");
		else if (makers[i].image && !s->image)
			kubectl_complain(r, s, "error: required flag(s) \"image\" not set");
		else
			return makers[i].make(r, s, name);
	}
	return NULL;
}

static bool post(struct kubectl *s, struct kt_json *steal)
{
	char *base = kubectl_path_of(s, s->kind, s->ns, NULL);
	s->call =
	        (struct kubectl_call){.method = "POST",
	                              .type = "application/json",
	                              .body = kt_json_text(steal),
	                              .path = kt_strf("%s?fieldManager=kubectl-%s", base, s->command->name)};
	kt_free(base);
	kt_json_free(steal);
	return true;
}

/* run NAME --image=IMAGE [--command] [-- WORDS] */
bool kubectl_ask_run(struct tool_run *r, struct kubectl *s)
{
	const char *name = word_at(s, 1), *labels = kubectl_option(s, "labels"),
	           *restart = kubectl_option(s, "restart");
	if (s->at++)
		return false;
	if (!name || !s->image) {
		kubectl_complain(r, s,
		                 name ? "error: required flag(s) \"image\" not set"
		                      : "error: NAME is required for run");
		return false;
	}
	/* words behind the name are arguments, too */
	for (size_t i = 2; i < s->words.count; i++)
		kt_strs_add(&s->rest, s->words.items[i]);
	s->kind = kubectl_kind_named(s, "pods");
	struct kt_json *marked = labels ? kubectl_pairs(labels) : kt_jsonf("{run: %s}", name);
	struct kt_json *pod =
	        kt_jsonf("{apiVersion: 'v1', kind: 'Pod', metadata: {name: %s, labels: %j}, spec: "
	                 "{restartPolicy: %s, dnsPolicy: 'ClusterFirst', containers: [%j]}}",
	                 name, marked, restart ? restart : "Always",
	                 container(s, name, !kubectl_option(s, "command")));
	if (s->dry_run && strcmp(s->dry_run, "server") != 0 && strcmp(s->dry_run, "none") != 0) {
		if (s->output)
			kubectl_print(r, s, pod);
		else
			kubectl_told(r, s, name, true, "created (dry run)");
		kt_json_free(pod);
		return false;
	}
	return post(s, pod);
}

void kubectl_tell_created(struct tool_run *r, struct kubectl *s, const char *body)
{
	struct kt_json *object = kubectl_answer(body);
	const char *verb = kt_streq(s->command->name, "expose")      ? "exposed"
	                   : kt_streq(s->command->name, "autoscale") ? "autoscaled"
	                                                             : "created";
	if (s->output)
		kubectl_print(r, s, object);
	else
		kubectl_told(r, s, kt_str_or(kt_path(object, "metadata.name"), ""), true, verb);
	kt_json_free(object);
}

static bool get_first(struct tool_run *r, struct kubectl *s, size_t *first)
{
	if (!kubectl_want_objects(r, s, first))
		return false;
	if (*first >= s->words.count) {
		kubectl_complain(r, s, "error: resource(s) were provided, but no name was specified");
		return false;
	}
	s->call = (struct kubectl_call){
	        .method = "GET", .path = kubectl_path_of(s, s->kind, s->ns, kubectl_name_at(s, *first))};
	return true;
}

/* expose TYPE NAME --port=80 --target-port=8080 --name=N --type=T: the object's labels or selector choose. */
bool kubectl_ask_expose(struct tool_run *r, struct kubectl *s)
{
	size_t first = 0;
	if (!s->seen)
		return s->at++ ? false : get_first(r, s, &first);
	if (s->at++ > 1)
		return false;
	const struct kt_json *selector = kt_path(s->seen, "spec.selector.matchLabels");
	const char *kind = kt_str_or(kt_get(s->seen, "kind"), ""), *name = kubectl_option(s, "name");
	const char *port = kubectl_option(s, "port"), *target = kubectl_option(s, "target-port");
	if (kt_streq(kind, "Pod"))
		selector = kt_path(s->seen, "metadata.labels");
	else if (kt_streq(kind, "Service") || kt_streq(kind, "ReplicationController"))
		selector = kt_path(s->seen, "spec.selector");
	long long number =
	        port ? strtoll(port, NULL, 10)
	             : kt_path_int(s->seen,
	                           kt_streq(kind, "Pod")
	                                   ? "spec.containers.0.ports.0.containerPort"
	                                   : "spec.template.spec.containers.0.ports.0.containerPort",
	                           0);
	if (!kt_count(selector)) {
		kubectl_complain(
		        r, s,
		        "error: couldn't retrieve selectors via --selector flag or introspection: the "
		        "%s has no labels and cannot be exposed",
		        kind);
		return false;
	}
	if (!number) {
		kubectl_complain(r, s, "error: couldn't find port via --port flag or introspection");
		return false;
	}
	char *end = NULL;
	long long target_number = target ? strtoll(target, &end, 10) : number;
	struct kt_json *service =
	        kt_jsonf("{apiVersion: 'v1', kind: 'Service', metadata: {name: %s}, spec: {ports: [{port: "
	                 "%l, protocol: 'TCP'}]}}",
	                 name ? name : kt_str_or(kt_path(s->seen, "metadata.name"), ""), number);
	struct kt_json *spec = kt_json_ref(kt_get(service, "spec")), *ports = kt_json_array();
	struct kt_json *one = kt_jsonf("{port: %l, protocol: 'TCP'}", number);
	kt_set(&one, "targetPort", target && *end ? kt_json_str(target) : kt_json_int(target_number));
	kt_push(&ports, one);
	kt_set(&spec, "ports", ports);
	kt_set(&spec, "selector", kt_json_ref(selector));
	if (s->patch_type)
		kt_set(&spec, "type", kt_json_str(s->patch_type));
	if (kubectl_option(s, "cluster-ip"))
		kt_set(&spec, "clusterIP", kt_json_str(kubectl_option(s, "cluster-ip")));
	kt_set(&service, "spec", spec);
	s->kind = kubectl_kind_named(s, "services");
	return post(s, service);
}

void kubectl_tell_expose(struct tool_run *r, struct kubectl *s, const char *body)
{
	if (s->seen) {
		kubectl_tell_created(r, s, body);
		return;
	}
	s->seen = kubectl_answer(body);
}

/* autoscale TYPE NAME --min --max --cpu-percent */
bool kubectl_ask_autoscale(struct tool_run *r, struct kubectl *s)
{
	size_t first = 0;
	const char *min = kubectl_option(s, "min"), *max = kubectl_option(s, "max"),
	           *cpu = kubectl_option(s, "cpu-percent");
	if (s->at++)
		return false;
	if (!max) {
		kubectl_complain(r, s, "error: --max=MAXPODS is required and must be at least 1, max: -1");
		return false;
	}
	if (!kubectl_want_objects(r, s, &first) || first >= s->words.count)
		return false;
	const char *name = kubectl_name_at(s, first);
	struct kt_json *scaler =
	        kt_jsonf("{apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: {name: "
	                 "%s}, spec: {scaleTargetRef: "
	                 "{apiVersion: %s, kind: %s, name: %s}, minReplicas: %l, maxReplicas: %l, metrics: "
	                 "[{type: 'Resource', resource: "
	                 "{name: 'cpu', target: {type: 'Utilization', averageUtilization: %l}}}]}}",
	                 kubectl_option(s, "name") ? kubectl_option(s, "name") : name, s->kind->api_version,
	                 s->kind->kind, name, min ? strtoll(min, NULL, 10) : 1LL, strtoll(max, NULL, 10),
	                 cpu ? strtoll(cpu, NULL, 10) : 80LL);
	s->kind = kubectl_kind_named(s, "hpa");
	return post(s, scaler);
}

bool kubectl_ask_from(struct tool_run *r, struct kubectl *s)
{
	const char *from = kubectl_option(s, "from"), *slash = strchr(from, '/'), *name = word_at(s, 2);
	if (!kt_starts(from, "cronjob") || !slash || !name) {
		kubectl_complain(r, s, "error: from must be an existing cronjob");
		return false;
	}
	s->kind = kubectl_kind_named(s, "cronjobs");
	s->call =
	        (struct kubectl_call){.method = "GET", .path = kubectl_path_of(s, s->kind, s->ns, slash + 1)};
	return true;
}

struct kt_json *kubectl_made_from(struct kubectl *s)
{
	const struct kt_json *template = kt_path(s->seen, "spec.jobTemplate");
	struct kt_json *job =
	        kt_jsonf("{apiVersion: 'batch/v1', kind: 'Job', metadata: {name: %s, annotations: "
	                 "{'cronjob.kubernetes.io/instantiate': "
	                 "'manual'}, labels: %J, ownerReferences: [{apiVersion: 'batch/v1', kind: 'CronJob', "
	                 "name: %s, uid: %s, "
	                 "controller: %b}]}, spec: %J}",
	                 word_at(s, 2), kt_path(template, "metadata.labels"),
	                 kt_str_or(kt_path(s->seen, "metadata.name"), ""),
	                 kt_str_or(kt_path(s->seen, "metadata.uid"), ""), 1, kt_get(template, "spec"));
	s->kind = kubectl_kind_named(s, "jobs");
	return job;
}
