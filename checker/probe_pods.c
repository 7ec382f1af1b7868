/* SPDX-License-Identifier: MIT */
/* Whom and from where: pods that are there, and pods started for the purpose. */
#include "checker/probe_internal.h"

#include "checker/steps_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Serves HTTP on any port and has a shell with the usual tools. */
#define PROBE_IMAGE "registry.k8s.io/e2e-test-images/agnhost:2.53"
#define START_LIMIT (90 * KT_SEC)

static void copy(char *out, size_t size, const char *s)
{
	size_t len = s ? KT_MIN(strlen(s), size - 1) : 0;
	if (len)
		memcpy(out, s, len);
	out[len] = '\0';
}

/* What beside the main key narrows it down: " (zone a)". */
static void tell_narrower(const struct kt_json *who, struct kt_buf *out)
{
	static const char *const keys[] = {"zone", "region", "pool", "node", "labels", "which"};
	for (size_t i = 0; i < KT_COUNT(keys); i++) {
		const struct kt_json *v = kt_get(who, keys[i]), *label;
		if (kt_is_object(v)) {
			KT_JSON_EACH (label, v)
				kt_buf_addf(out, " %s=%s", kt_key(v, label_i), kt_str_or(label, "?"));
		} else if (v) {
			struct kt_json *list = kt_jsonf("[%J]", v);
			kt_buf_addf(out, " %s ", keys[i]);
			check_show(list, out);
			kt_json_free(list);
		}
	}
}

/* The key that says what it is, and its value as a text. */
static const char *form_of(const struct kt_json *who, const char **value)
{
	static const char *const forms[] = {"service",   "internet",   "ip",   "host",       "ingress",
	                                    "new-pod",   "pod",        "pods", "deployment", "statefulset",
	                                    "daemonset", "replicaset", "job",  "set",        "of",
	                                    "running",   "name"};
	for (size_t i = 0; i < KT_COUNT(forms); i++)
		if (kt_get(who, forms[i])) {
			*value = kt_str(kt_get(who, forms[i]));
			return forms[i];
		}
	*value = NULL;
	return NULL;
}

static bool is_words(const char *form)
{
	return kt_streq(form, "set") || kt_streq(form, "of") || kt_streq(form, "running");
}

/* Of `new-pod`: the map that stands behind it, or the one it stands in. */
static const struct kt_json *new_pod_part(const struct kt_json *who, const char *key)
{
	const struct kt_json *inner = kt_get(who, "new-pod");
	return kt_is_object(inner) && kt_get(inner, key) ? kt_get(inner, key) : kt_get(who, key);
}

static const char *new_pod_ns(const struct kt_json *who)
{
	const char *ns = kt_get_str(who, "new-pod");
	return ns ? ns : kt_str_or(new_pod_part(who, "namespace"), "default");
}

char *check_who_text(const struct kt_json *who)
{
	const char *value, *form = kt_str(who) ? NULL : form_of(who, &value);
	struct kt_buf out = {0};
	const struct kt_json *port = new_pod_part(who, "port");
	if (kt_str(who))
		return kt_strdup(kt_str(who));
	if (!form)
		kt_buf_addf(&out, "a pod%s%s", kt_get(who, "namespace") ? " in " : "",
		            kt_str_or(kt_get(who, "namespace"), ""));
	else if (kt_streq(form, "new-pod"))
		kt_buf_addf(&out, "a new pod in %s", new_pod_ns(who));
	else if (kt_streq(form, "internet") || kt_streq(form, "ip") || kt_streq(form, "host"))
		kt_buf_adds(&out, value ? value : "?");
	else if (is_words(form))
		kt_buf_adds(&out, value ? value : "?");
	else
		kt_buf_addf(&out, "%s %s", kt_streq(form, "name") ? "pod" : form, value ? value : "?");
	if (form ? !kt_streq(form, "new-pod") || kt_get(who, "labels") : true)
		tell_narrower(who, &out);
	if (port) {
		struct kt_json *list = kt_jsonf("[%J]", port);
		kt_buf_addc(&out, ':');
		check_show(list, &out);
		kt_json_free(list);
	}
	return kt_buf_take(&out);
}

/* Ready before not ready, running before neither. */
static const struct kt_json *best_pod(const struct kt_json *pods)
{
	const struct kt_json *pod, *best = NULL;
	int rank = 0;
	KT_JSON_EACH (pod, pods) {
		int mine = !check_pod_active(pod) || !kt_streq(kt_path_str(pod, "status.phase"), "Running")
		                   ? 0
		           : check_pod_ready(pod) ? 2
		                                  : 1;
		if (mine > rank) {
			rank = mine;
			best = pod;
		}
	}
	return best;
}

static enum kt_code pod_behind(const struct check_run *run, const char *words, struct kt_json **out,
                               struct kt_err *err)
{
	struct kt_json *pods = NULL;
	enum kt_code rc = check_pods_of(run, words, &pods, err);
	if (!rc && !best_pod(pods)) {
		struct kt_buf why = {0};
		check_tell_unready(run, words, pods, &why);
		rc = kt_fail(err, KT_ENOTFOUND, "%s has no running pod%s", words, kt_buf_str(&why));
		kt_buf_clear(&why);
	}
	if (!rc)
		*out = kt_json_ref(best_pod(pods));
	kt_json_free(pods);
	return rc;
}

/* A map as a selection of pods (check_pick). New. */
static struct kt_json *selection(const struct kt_json *who)
{
	static const char *const kept[] = {"labels", "zone",      "region", "pool",
	                                   "node",   "namespace", "count",  "which"};
	const char *value = NULL, *form = form_of(who, &value);
	struct kt_json *pick = kt_json_object();
	for (size_t i = 0; i < KT_COUNT(kept); i++)
		kt_set(&pick, kept[i], kt_json_ref(kt_get(who, kept[i])));
	if (kt_streq(form, "name") || kt_streq(form, "pod")) {
		kt_set(&pick, "name", kt_json_str(value));
		if (value && !strchr(value, '/') && !kt_get(pick, "namespace"))
			kt_set(&pick, "namespace", kt_json_str("default"));
	} else if (form && is_words(form)) {
		kt_set(&pick, "running", kt_json_str(value));
	} else if (form && value) {
		const char *ns = kt_get_str(who, "namespace");
		bool whole = strchr(value, '/') || !ns || kt_streq(form, "pods");
		kt_set(&pick, "running",
		       whole ? kt_json_strf("%s %s", form, value)
		             : kt_json_strf("%s %s/%s", form, ns, value));
	}
	return pick;
}

/* The pod that a text or a map names. */
static enum kt_code pod_named(const struct check_run *run, const struct kt_json *who, struct kt_json **out,
                              struct kt_err *err)
{
	if (kt_str(who))
		return pod_behind(run, kt_str(who), out, err);
	struct kt_json *pick = selection(who), *pods = NULL;
	enum kt_code rc = check_pick(run, pick, false, &pods, err);
	if (!rc && !best_pod(pods)) {
		char *text = check_who_text(who);
		rc = kt_fail(err, KT_ENOTFOUND, "%s: no such pod is running", text);
		kt_free(text);
	}
	if (!rc)
		*out = kt_json_ref(kt_get(who, "which") ? kt_at(pods, 0) : best_pod(pods));
	kt_json_free(pods);
	kt_json_free(pick);
	return rc;
}

static void is_pod(const struct kt_json *pod, struct check_who *out)
{
	copy(out->ns, sizeof(out->ns), kt_path_str(pod, "metadata.namespace"));
	copy(out->pod, sizeof(out->pod), kt_path_str(pod, "metadata.name"));
	copy(out->container, sizeof(out->container), kt_path_str(pod, "spec.containers.0.name"));
}

/* --- pods of our own --- */

static enum kt_code is_running(const struct check_run *run, void *arg, bool *out, struct kt_err *err)
{
	const struct check_who *who = arg;
	char *path = kt_strf("/api/v1/namespaces/%s/pods/%s", who->ns, who->pod);
	struct kt_json *pod = NULL;
	enum kt_code rc = check_call(run, "GET", path, NULL, NULL, &pod, err);
	const struct kt_json *state = kt_path(pod, "status.containerStatuses.0");
	*out = kt_path(state, "state.running") && kt_path_str(pod, "status.podIP");
	kt_json_free(pod);
	kt_free(path);
	return rc;
}

struct new_pod {
	const char *ns, *image, *account;
	const struct kt_json *labels;
	unsigned port;
	bool never_ready;
};

static enum kt_code start_pod(const struct check_run *run, const struct new_pod *wanted,
                              struct check_who *out, struct kt_err *err)
{
	const char *ns = wanted->ns;
	struct kt_json *pod = kt_jsonf(
	        "{apiVersion: 'v1', kind: 'Pod', metadata: {generateName: 'ktutor-probe-', namespace: %s, "
	        "annotations: "
	        "{'ktutor.dev/probe': 'yes'}},"
	        " spec: {restartPolicy: 'Never', terminationGracePeriodSeconds: 0, activeDeadlineSeconds: "
	        "600, automountServiceAccountToken: false, enableServiceLinks: false, serviceAccountName: %s,"
	        " securityContext: {runAsNonRoot: true, runAsUser: 65534, seccompProfile: {type: "
	        "'RuntimeDefault'}},"
	        " containers: [{name: 'probe', image: %s, imagePullPolicy: 'IfNotPresent', args: ['netexec', "
	        "%j],"
	        " resources: {requests: {cpu: '1m', memory: '8Mi'}, limits: {cpu: '100m', memory: '64Mi'}},"
	        " securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: ['ALL']}}}]}}",
	        ns, wanted->account, wanted->image ? wanted->image : PROBE_IMAGE,
	        kt_json_strf("--http-port=%u", wanted->port ? wanted->port : 8080));
	if (kt_count(wanted->labels))
		kt_set_path(&pod, "metadata.labels", kt_json_ref(wanted->labels));
	/* by which one that nobody lived to delete is found */
	kt_set(kt_edit_path(&pod, "metadata.labels"), CHECK_PROBE_LABEL, kt_json_str("yes"));
	if (wanted->never_ready)
		kt_set_path(&pod, "spec.readinessGates", kt_jsonf("[{conditionType: 'ktutor.dev/never'}]"));
	char *path = kt_strf("/api/v1/namespaces/%s/pods", ns);
	struct kt_json *made = NULL;
	enum kt_code rc = check_call(run, "POST", path, NULL, pod, &made, err);
	if (rc)
		kt_wrap(err, "a pod to try from cannot be started in %s", ns);
	if (!rc) {
		copy(out->ns, sizeof(out->ns), ns);
		copy(out->pod, sizeof(out->pod), kt_str_or(kt_path(made, "metadata.name"), ""));
		copy(out->container, sizeof(out->container), "probe");
		out->ours = true;
		rc = check_wait_until(run, START_LIMIT, is_running, out, "starting a pod to try connections",
		                      err);
		if (rc)
			check_who_clear(run, out);
	}
	kt_free(path);
	kt_json_free(made);
	kt_json_free(pod);
	return rc;
}

void check_who_clear(const struct check_run *run, struct check_who *who)
{
	if (!who->ours)
		return;
	char *path = kt_strf("/api/v1/namespaces/%s/pods/%s?gracePeriodSeconds=0", who->ns, who->pod);
	if (check_call(run, "DELETE", path, NULL, NULL, NULL, NULL)) {
		/* It ends by itself after ten minutes (activeDeadlineSeconds). */
	}
	kt_free(path);
	who->ours = false;
}

enum kt_code check_who_twin(const struct check_run *run, struct check_who *who, struct kt_err *err)
{
	static const char *const controllers_own[] = {"pod-template-hash",
	                                              "controller-revision-hash",
	                                              "statefulset.kubernetes.io/pod-name",
	                                              "apps.kubernetes.io/pod-index",
	                                              "batch.kubernetes.io/controller-uid",
	                                              "controller-uid"};
	char *path = kt_strf("/api/v1/namespaces/%s/pods/%s", who->ns, who->pod);
	struct kt_json *pod = NULL;
	enum kt_code rc = check_call(run, "GET", path, NULL, NULL, &pod, err);
	kt_free(path);
	struct kt_json *labels = kt_json_ref(kt_path(pod, "metadata.labels"));
	for (size_t i = 0; labels && i < KT_COUNT(controllers_own); i++)
		kt_unset(&labels, controllers_own[i]);
	struct check_who twin = {0};
	if (!rc)
		rc = start_pod(run, &(struct new_pod){.ns = who->ns, .labels = labels, .never_ready = true},
		               &twin, err);
	if (!rc)
		*who = twin;
	kt_json_free(labels);
	kt_json_free(pod);
	return rc;
}

/* --- who and whom --- */

static enum kt_code find_new_pod(const struct check_run *run, const struct kt_json *who, unsigned port,
                                 struct check_who *out, struct kt_err *err)
{
	if (run->no_wait)
		return kt_fail(err, KT_EUNSUPPORTED, "needs a pod of its own: not looked at while you work");
	const char *words = kt_str(who);
	if (words)
		words += 7 + strspn(words + 7, ": ");
	const struct kt_json *account = new_pod_part(who, "serviceaccount");
	account = account ? account : new_pod_part(who, "service-account");
	char ns[64] = "default"; /* "new-pod shop:8080" has its port behind it */
	if (words && *words)
		snprintf(ns, sizeof(ns), "%.*s", (int)KT_MIN(strcspn(words, ":"), 63), words);
	struct new_pod wanted = {.ns = words ? ns : new_pod_ns(who),
	                         .labels = new_pod_part(who, "labels"),
	                         .image = kt_str(new_pod_part(who, "image")),
	                         .account = kt_str(account),
	                         .port = port};
	return start_pod(run, &wanted, out, err);
}

static bool is_new_pod(const struct kt_json *who)
{
	const char *words = kt_str(who);
	return words ? kt_starts(words, "new-pod") : kt_get(who, "new-pod") != NULL;
}

enum kt_code check_who_find(const struct check_run *run, const struct kt_json *who, struct check_who *out,
                            struct kt_err *err)
{
	memset(out, 0, sizeof(*out));
	if (is_new_pod(who))
		return find_new_pod(run, who, 0, out, err);
	struct kt_json *pod = NULL;
	enum kt_code rc = pod_named(run, who, &pod, err);
	if (!rc) {
		is_pod(pod, out);
		if (kt_get_str(who, "container"))
			copy(out->container, sizeof(out->container), kt_get_str(who, "container"));
	}
	kt_json_free(pod);
	return rc;
}

/* --- whom --- */

/* A port as a number, or by the name it has in `list` (of ports). */
static unsigned port_of(const char *text, const struct kt_json *list, const char *number_key)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	if (end != text && !*end)
		return (unsigned)n;
	ptrdiff_t i = kt_find(list, "name", text);
	return i < 0 ? 0 : (unsigned)kt_get_int(kt_at(list, (size_t)i), number_key, 0);
}

/* Whom, taken apart: what it is, which one, which port ("" the first). */
struct target {
	char kind[64], name[330], port[64];
};

static enum kt_code no_port(const struct target *target, const struct kt_json *list, struct kt_err *err)
{
	struct kt_buf names = {0};
	const struct kt_json *row;
	KT_JSON_EACH (row, list)
		if (kt_get_str(row, "name"))
			kt_buf_addf(&names, "%s%s", names.len ? ", " : "", kt_get_str(row, "name"));
	enum kt_code rc =
	        kt_fail(err, KT_ENOTFOUND, "%s %s has no port '%s' (it has: %s)", target->kind, target->name,
	                target->port, names.len ? kt_buf_str(&names) : "none with a name");
	kt_buf_clear(&names);
	return rc;
}

static void split_name(const char *words, char ns[64], const char **name)
{
	const char *slash = strchr(words, '/');
	snprintf(ns, 64, "%.*s", slash ? (int)(slash - words) : 7, slash ? words : "default");
	*name = slash ? slash + 1 : words;
}

static enum kt_code whom_service(const struct check_run *run, const struct target *target,
                                 struct check_whom *out, struct kt_err *err)
{
	const char *name;
	char ns[64];
	split_name(target->name, ns, &name);
	char *path = kt_strf("/api/v1/namespaces/%s/services/%s", ns, name);
	struct kt_json *service = NULL;
	struct kt_err local = {0};
	enum kt_code rc = check_call(run, "GET", path, NULL, NULL, &service, &local);
	const struct kt_json *ports = kt_path(service, "spec.ports");
	if (rc == KT_ENOTFOUND)
		rc = kt_fail(err, rc, "%s: the name %s.%s does not resolve", local.text, name, ns);
	else if (rc)
		rc = kt_fail(err, rc, "%s", local.text);
	if (!rc) {
		snprintf(out->host, sizeof(out->host), "%s.%s", name, ns);
		copy(out->ns, sizeof(out->ns), ns);
		out->port = target->port[0] ? port_of(target->port, ports, "port")
		                            : (unsigned)kt_path_int(service, "spec.ports.0.port", 80);
		if (!out->port)
			rc = no_port(target, ports, err);
	}
	kt_json_free(service);
	kt_free(path);
	return rc;
}

/* All the ports that a pod's containers declare. New. */
static struct kt_json *ports_of(const struct kt_json *pod)
{
	struct kt_json *all = kt_json_array();
	const struct kt_json *container, *port;
	KT_JSON_EACH (container, kt_path(pod, "spec.containers"))
		KT_JSON_EACH (port, kt_get(container, "ports"))
			kt_push(&all, kt_json_ref(port));
	return all;
}

static enum kt_code whom_pod(const struct kt_json *pod, const struct target *target, struct check_whom *out,
                             struct kt_err *err)
{
	struct kt_json *ports = ports_of(pod);
	enum kt_code rc = KT_OK;
	copy(out->host, sizeof(out->host), kt_path_str(pod, "status.podIP"));
	copy(out->ns, sizeof(out->ns), kt_path_str(pod, "metadata.namespace"));
	out->port = target->port[0] ? port_of(target->port, ports, "containerPort")
	                            : (unsigned)kt_path_int(ports, "0.containerPort", 80);
	if (!out->port)
		rc = no_port(target, ports, err);
	else if (!out->host[0])
		rc = kt_fail(err, KT_ENOTFOUND, "%s %s has no address yet", target->kind, target->name);
	kt_json_free(ports);
	return rc;
}

static enum kt_code whom_new_pod(const struct check_run *run, const struct kt_json *whom,
                                 const struct target *target, struct check_whom *out, struct kt_err *err)
{
	struct kt_json *pod = NULL;
	enum kt_code rc = find_new_pod(run, whom, (unsigned)strtoul(target->port, NULL, 10), &out->pod, err);
	char *words = kt_strf("pod %s/%s", out->pod.ns, out->pod.pod);
	if (!rc)
		rc = pod_behind(run, words, &pod, err);
	if (!rc)
		rc = whom_pod(pod, target, out, err);
	if (!rc && !target->port[0])
		out->port = 8080;
	kt_json_free(pod);
	kt_free(words);
	return rc;
}

static enum kt_code whom_node(const struct check_run *run, const struct target *target,
                              struct check_whom *out, struct kt_err *err)
{
	char *path = kt_strf("/api/v1/nodes/%s", target->name);
	struct kt_json *node = NULL;
	enum kt_code rc = check_call(run, "GET", path, NULL, NULL, &node, err);
	ptrdiff_t i = kt_find(kt_path(node, "status.addresses"), "type", "InternalIP");
	if (!rc && i < 0)
		rc = kt_fail(err, KT_ENOTFOUND, "node %s has no address", target->name);
	if (!rc) {
		copy(out->host, sizeof(out->host),
		     kt_get_str(kt_at(kt_path(node, "status.addresses"), (size_t)i), "address"));
		out->port = target->port[0] ? (unsigned)strtoul(target->port, NULL, 10) : 10250;
	}
	kt_json_free(node);
	kt_free(path);
	return rc;
}

static enum kt_code whom_ingress(const struct check_run *run, const struct target *target,
                                 struct check_whom *out, struct kt_err *err)
{
	const char *name;
	char ns[64];
	split_name(target->name, ns, &name);
	char *path = kt_strf("/apis/networking.k8s.io/v1/namespaces/%s/ingresses/%s", ns, name);
	struct kt_json *ingress = NULL;
	enum kt_code rc = check_call(run, "GET", path, NULL, NULL, &ingress, err);
	const struct kt_json *at = kt_path(ingress, "status.loadBalancer.ingress.0");
	const char *address = kt_get_str(at, "ip") ? kt_get_str(at, "ip") : kt_get_str(at, "hostname");
	if (!rc && !address)
		rc = kt_fail(err, KT_ENOTFOUND, "ingress %s has no address yet", target->name);
	if (!rc) {
		copy(out->host, sizeof(out->host), address);
		copy(out->ns, sizeof(out->ns), ns);
		out->port = target->port[0] ? (unsigned)strtoul(target->port, NULL, 10) : 80;
	}
	kt_json_free(ingress);
	kt_free(path);
	return rc;
}

/* "KIND NAME[:PORT]", "ADDRESS:PORT" or a map, as a target. */
static void take_apart(const struct kt_json *whom, struct target *out)
{
	const char *value = NULL, *form = kt_str(whom) ? NULL : form_of(whom, &value), *text = kt_str(whom);
	const struct kt_json *port = new_pod_part(whom, "port");
	memset(out, 0, sizeof(*out));
	if (text) {
		size_t kind = strcspn(text, " ");
		bool bare = !text[kind];
		snprintf(out->kind, sizeof(out->kind), "%.*s", bare ? 4 : (int)kind, bare ? "host" : text);
		copy(out->name, sizeof(out->name), bare ? text : text + kind + strspn(text + kind, " "));
	} else {
		const char *ns = kt_get_str(whom, "namespace");
		bool prefixed = ns && value && !strchr(value, '/') &&
		                (kt_streq(form, "service") || kt_streq(form, "ingress"));
		copy(out->kind, sizeof(out->kind), form ? form : "pod");
		snprintf(out->name, sizeof(out->name), "%s%s%s", prefixed ? ns : "", prefixed ? "/" : "",
		         value ? value : "");
	}
	char *colon = strrchr(out->name, ':');
	if (colon && strchr(out->name, ':') == colon) { /* several colons: an IPv6 address */
		*colon = '\0';
		copy(out->port, sizeof(out->port), colon + 1);
	}
	if (port) {
		struct kt_json *list = kt_jsonf("[%J]", port);
		struct kt_buf shown = {0};
		check_show(list, &shown);
		copy(out->port, sizeof(out->port), kt_buf_str(&shown));
		kt_buf_clear(&shown);
		kt_json_free(list);
	}
}

static bool is_kind(const struct target *target, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (kt_streq(target->kind, words[i]))
			return true;
	return false;
}

enum kt_code check_whom_find(const struct check_run *run, const struct kt_json *whom, struct check_whom *out,
                             struct kt_err *err)
{
	static const char *const services[] = {"service", "svc", "services"},
	                         *const ingresses[] = {"ingress", "ing", "ingresses"},
	                         *const addresses[] = {"internet", "ip", "host"},
	                         *const nodes[] = {"node", "nodes", "no"};
	struct target target;
	memset(out, 0, sizeof(*out));
	take_apart(whom, &target);
	if (is_new_pod(whom))
		return whom_new_pod(run, whom, &target, out, err);
	if (is_kind(&target, services, KT_COUNT(services)))
		return whom_service(run, &target, out, err);
	if (is_kind(&target, ingresses, KT_COUNT(ingresses)))
		return whom_ingress(run, &target, out, err);
	if (is_kind(&target, nodes, KT_COUNT(nodes)) && kt_str(whom))
		return whom_node(run, &target, out, err);
	if (is_kind(&target, addresses, KT_COUNT(addresses))) {
		copy(out->host, sizeof(out->host), target.name);
		out->port = target.port[0] ? (unsigned)strtoul(target.port, NULL, 10) : 80;
		return KT_OK;
	}
	struct kt_json *pod = NULL;
	char *words = kt_strf("%s %s", target.kind, target.name);
	enum kt_code rc = kt_str(whom) ? pod_behind(run, words, &pod, err) : pod_named(run, whom, &pod, err);
	if (!rc)
		rc = whom_pod(pod, &target, out, err);
	kt_json_free(pod);
	kt_free(words);
	return rc;
}
