/* SPDX-License-Identifier: MIT */
/* What a cluster can do is found out by trying, not by the names of its add-ons. */
#include "labs/real/real.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define SPACE       "ktutor-network-trial"
#define TRIAL_IMAGE "registry.k8s.io/e2e-test-images/agnhost:2.53"
#define START_LIMIT (90 * KT_SEC)
#define OPEN_LIMIT  (60 * KT_SEC) /* the network's agents of a young cluster take their time to know a pod */
#define SHUT_LIMIT  (20 * KT_SEC)
/* CHECK_PROBE_LABEL, as it stands in a query */
#define PROBE_SELECTOR "ktutor.dev%%2Fprobe"

enum kt_code real_has_storage(struct check_client *client, bool *out, struct kt_err *err)
{
	struct kt_json *classes = NULL;
	const struct kt_json *class;
	enum kt_code rc =
	        real_call(client, "GET", "/apis/storage.k8s.io/v1/storageclasses", NULL, NULL, &classes, err);
	*out = false;
	KT_JSON_EACH (class, kt_get(classes, "items"))
		*out = *out || kt_streq(kt_get_str(kt_path(class, "metadata.annotations"),
		                                   "storageclass.kubernetes.io/is-default-class"),
		                        "true");
	kt_json_free(classes);
	return rc;
}

enum kt_code real_has_metrics(struct check_client *client, bool *out, struct kt_err *err)
{
	struct kt_json *nodes = NULL;
	struct kt_err why = {0};
	enum kt_code rc =
	        real_call(client, "GET", "/apis/metrics.k8s.io/v1beta1/nodes", NULL, NULL, &nodes, &why);
	*out = !rc && kt_count(kt_get(nodes, "items"));
	kt_json_free(nodes);
	/* 503: it is registered, and not ready yet; only a transport error is one of the cluster */
	if (rc == KT_EUNREACHABLE && strstr(why.text, "did not answer:"))
		return kt_fail(err, rc, "%s", why.text);
	return KT_OK;
}

/* --- network policies --- */

/* On a machine of its own where there is one: what goes between machines takes another way. */
static enum kt_code make_pod(struct check_client *client, const char *name, struct kt_err *err)
{
	struct kt_json *pod = kt_jsonf(
	        "{apiVersion: 'v1', kind: 'Pod', metadata: {name: %s, namespace: 'ktutor-network-trial', "
	        "labels: "
	        "{trial: %s}}, spec: {terminationGracePeriodSeconds: 0, automountServiceAccountToken: false,"
	        " affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: "
	        "100, podAffinityTerm: {topologyKey: 'kubernetes.io/hostname', labelSelector: "
	        "{matchExpressions: [{key: 'trial', operator: 'Exists'}]}}}]}},"
	        " containers: [{name: 'trial', image: %s, imagePullPolicy: 'IfNotPresent', args: ['netexec', "
	        "'--http-port=8080'], ports: [{name: 'http', containerPort: 8080}], resources: {requests: "
	        "{cpu: '1m', memory: '8Mi'}}}]}}",
	        name, name, TRIAL_IMAGE);
	enum kt_code rc =
	        real_call(client, "POST", "/api/v1/namespaces/" SPACE "/pods", NULL, pod, NULL, err);
	kt_json_free(pod);
	return rc == KT_ECONFLICT ? KT_OK : rc;
}

static enum kt_code address_of(struct check_client *client, const char *name, char out[64],
                               struct kt_err *err)
{
	char *path = kt_strf("/api/v1/namespaces/" SPACE "/pods/%s", name);
	kt_ns until = kt_monotonic() + START_LIMIT;
	enum kt_code rc = KT_OK;
	for (out[0] = '\0'; !rc && !out[0];) {
		struct kt_json *pod = NULL;
		rc = real_call(client, "GET", path, NULL, NULL, &pod, err);
		if (kt_path(pod, "status.containerStatuses.0.state.running") &&
		    kt_path_str(pod, "status.podIP"))
			snprintf(out, 64, "%s", kt_path_str(pod, "status.podIP"));
		if (!rc && !out[0] && kt_monotonic() > until)
			rc = kt_fail(
			        err, KT_ETIMEOUT,
			        "the pods that try the network did not start (image %s; %s)", TRIAL_IMAGE,
			        kt_str_or(kt_path(pod, "status.containerStatuses.0.state.waiting.reason"),
			                  "no reason given"));
		kt_json_free(pod);
		if (!rc && !out[0])
			(void)poll(NULL, 0, 250);
	}
	kt_free(path);
	return rc;
}

static enum kt_code connects(struct check_client *client, const char *address, bool *out, struct kt_err *err)
{
	char *to = kt_strf("%s:8080", address);
	const char *const argv[] = {"/agnhost", "connect", "--timeout=2s", to, NULL};
	struct check_exec exec = {.ns = SPACE, .pod = "caller", .argv = argv, .timeout_ms = 15000};
	struct check_exec_result result = {0};
	enum kt_code rc = check_exec(client, &exec, 1, &result, err);
	if (!rc && result.exit_code < 0)
		rc = kt_fail(err, KT_EUNREACHABLE, "the network cannot be tried: %s", result.why);
	*out = !rc && result.exit_code == 0;
	check_exec_result_clear(&result);
	kt_free(to);
	return rc;
}

/* Until the answer is `wanted`, for so long at most. */
static enum kt_code settles(struct check_client *client, const char *address, bool wanted, kt_ns limit,
                            bool *out, struct kt_err *err)
{
	kt_ns until = kt_monotonic() + limit;
	enum kt_code rc = connects(client, address, out, err);
	while (!rc && *out != wanted && kt_monotonic() < until) {
		(void)poll(NULL, 0, 500);
		rc = connects(client, address, out, err);
	}
	return rc;
}

/* A policy may name a port as the container does; not every network knows what is meant. */
static enum kt_code try_named_port(struct check_client *client, const char *address, bool *out,
                                   struct kt_err *err)
{
	struct kt_json *policy = kt_jsonf("{apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', "
	                                  "metadata: {name: 'named', namespace: "
	                                  "'ktutor-network-trial'}, spec: {podSelector: {}, policyTypes: "
	                                  "['Ingress'], ingress: [{ports: [{port: "
	                                  "'http', protocol: 'TCP'}]}]}}");
	enum kt_code rc =
	        real_call(client, "POST", "/apis/networking.k8s.io/v1/namespaces/" SPACE "/networkpolicies",
	                  NULL, policy, NULL, err);
	if (!rc)
		rc = settles(client, address, true, SHUT_LIMIT, out, err);
	kt_json_free(policy);
	return rc;
}

static enum kt_code try_policy(struct check_client *client, bool *out, bool *named, struct kt_err *err)
{
	struct kt_json *policy = kt_jsonf(
	        "{apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: {name: 'none', "
	        "namespace: 'ktutor-network-trial'}, spec: {podSelector: {}, policyTypes: ['Ingress']}}");
	char address[64], caller[64];
	bool open = false, still = true;
	enum kt_code rc = make_pod(client, "server", err);
	if (!rc)
		rc = make_pod(client, "caller", err);
	if (!rc)
		rc = address_of(client, "server", address, err);
	if (!rc)
		rc = address_of(client, "caller", caller, err);
	if (!rc)
		rc = settles(client, address, true, OPEN_LIMIT, &open, err);
	if (!rc && !open)
		rc = kt_fail(
		        err, KT_EUNSUPPORTED,
		        "pods of this cluster cannot reach each other; where Docker and Podman share a "
		        "host, Docker's firewall drops what Podman's nodes send on (`iptables -P FORWARD "
		        "ACCEPT`)");
	if (!rc)
		rc = real_call(client, "POST",
		               "/apis/networking.k8s.io/v1/namespaces/" SPACE "/networkpolicies", NULL,
		               policy, NULL, err);
	if (!rc)
		rc = settles(client, address, false, SHUT_LIMIT, &still, err);
	*out = !rc && !still;
	*named = false;
	if (*out)
		rc = try_named_port(client, address, named, err);
	kt_json_free(policy);
	return rc;
}

enum kt_code real_enforces(struct check_client *client, bool *out, bool *named, struct kt_err *err)
{
	struct kt_json *space =
	        kt_jsonf("{apiVersion: 'v1', kind: 'Namespace', metadata: {name: "
	                 "'ktutor-network-trial', labels: {'ktutor.dev/made-by': 'ktutor'}}}");
	struct kt_err ignored = {0};
	enum kt_code rc = real_apply(client, "/api/v1/namespaces/" SPACE, space, err);
	if (!rc)
		rc = try_policy(client, out, named, err);
	(void)!real_call(client, "DELETE", "/api/v1/namespaces/" SPACE, NULL, NULL, NULL, &ignored);
	kt_json_free(space);
	return rc;
}

/* --- what was left behind --- */

void real_sweep(struct check_client *client, const char *ns, kt_ns age)
{
	char *path = kt_strf("/api/v1/%s%s%spods?labelSelector=" PROBE_SELECTOR, ns ? "namespaces/" : "",
	                     ns ? ns : "", ns ? "/" : "");
	struct kt_json *pods = NULL;
	const struct kt_json *pod;
	struct kt_err ignored = {0};
	(void)!real_call(client, "GET", path, NULL, NULL, &pods, &ignored);
	KT_JSON_EACH (pod, kt_get(pods, "items")) {
		kt_ns made = 0;
		if (!kt_get(kt_path(pod, "metadata.labels"), CHECK_PROBE_LABEL) ||
		    !kt_time_parse(kt_str_or(kt_path(pod, "metadata.creationTimestamp"), ""), &made) ||
		    real_now() - made < age)
			continue;
		char *one =
		        kt_strf("/api/v1/namespaces/%s/pods/%s?gracePeriodSeconds=0",
		                kt_path_str(pod, "metadata.namespace"), kt_path_str(pod, "metadata.name"));
		(void)!real_call(client, "DELETE", one, NULL, NULL, NULL, &ignored);
		kt_free(one);
	}
	kt_json_free(pods);
	kt_free(path);
}
