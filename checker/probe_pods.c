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
	snprintf(out, size, "%s", s ? s : "");
}

char *check_who_text(const struct kt_json *who)
{
	if (kt_str(who))
		return kt_strdup(kt_str(who));
	if (kt_get(who, "internet"))
		return kt_strf("%s:%lld", kt_str_or(kt_get(who, "internet"), "?"),
		               (long long)kt_get_int(who, "port", 0));
	const char *ns = kt_get_str(who, "new-pod");
	if (ns && kt_get(who, "port"))
		return kt_strf("a new pod in %s:%lld", ns, (long long)kt_get_int(who, "port", 0));
	return ns ? kt_strf("a new pod in %s", ns) : kt_json_text(who);
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
	if (!rc && !best_pod(pods))
		rc = kt_fail(err, KT_ENOTFOUND, "%s has no running pod", words);
	if (!rc)
		*out = kt_json_ref(best_pod(pods));
	kt_json_free(pods);
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

static enum kt_code start_pod(const struct check_run *run, const char *ns, const struct kt_json *labels,
                              unsigned port, const char *image, bool never_ready, struct check_who *out,
                              struct kt_err *err)
{
	unsigned char noise[5];
	struct kt_buf name = {0};
	kt_random_secret(noise, sizeof(noise));
	kt_buf_adds(&name, "ktutor-probe-");
	kt_hex(noise, sizeof(noise), &name);
	struct kt_json *pod = kt_jsonf(
	        "{apiVersion: 'v1', kind: 'Pod', metadata: {name: %s, namespace: %s, annotations: "
	        "{'ktutor.dev/probe': 'yes'}},"
	        " spec: {restartPolicy: 'Never', terminationGracePeriodSeconds: 0, activeDeadlineSeconds: "
	        "600, automountServiceAccountToken: false, enableServiceLinks: false,"
	        " securityContext: {runAsNonRoot: true, runAsUser: 65534, seccompProfile: {type: "
	        "'RuntimeDefault'}},"
	        " containers: [{name: 'probe', image: %s, imagePullPolicy: 'IfNotPresent', args: ['netexec', "
	        "%j],"
	        " resources: {requests: {cpu: '1m', memory: '8Mi'}, limits: {cpu: '100m', memory: '64Mi'}},"
	        " securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: ['ALL']}}}]}}",
	        kt_buf_str(&name), ns, image ? image : PROBE_IMAGE, kt_json_strf("--http-port=%u", port));
	if (kt_count(labels))
		kt_set_path(&pod, "metadata.labels", kt_json_ref(labels));
	if (never_ready)
		kt_set_path(&pod, "spec.readinessGates", kt_jsonf("[{conditionType: 'ktutor.dev/never'}]"));
	char *path = kt_strf("/api/v1/namespaces/%s/pods", ns);
	enum kt_code rc = check_call(run, "POST", path, NULL, pod, NULL, err);
	if (!rc) {
		copy(out->ns, sizeof(out->ns), ns);
		copy(out->pod, sizeof(out->pod), kt_buf_str(&name));
		copy(out->container, sizeof(out->container), "probe");
		out->ours = true;
		rc = check_wait_until(run, START_LIMIT, is_running, out, "starting a pod to try connections",
		                      err);
		if (rc)
			check_who_clear(run, out);
	}
	kt_free(path);
	kt_json_free(pod);
	kt_buf_clear(&name);
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
		rc = start_pod(run, who->ns, labels, 8080, NULL, true, &twin, err);
	if (!rc)
		*who = twin;
	kt_json_free(labels);
	kt_json_free(pod);
	return rc;
}

/* --- who and whom --- */

enum kt_code check_who_find(const struct check_run *run, const struct kt_json *who, struct check_who *out,
                            struct kt_err *err)
{
	memset(out, 0, sizeof(*out));
	const char *ns = kt_get_str(who, "new-pod"), *words = kt_str(who);
	if (words && kt_starts(words, "new-pod"))
		ns = words + 7 + strspn(words + 7, ": ");
	if (ns) {
		if (run->no_wait)
			return kt_fail(err, KT_EUNSUPPORTED,
			               "needs a pod of its own: not looked at while you work");
		return start_pod(run, ns, kt_get(who, "labels"), 8080, kt_get_str(who, "image"), false, out,
		                 err);
	}
	static const char *const forms[] = {"deployment", "pod", "set"};
	char *made = NULL;
	for (size_t i = 0; !words && i < KT_COUNT(forms); i++)
		if (kt_get_str(who, forms[i])) {
			made = kt_streq(forms[i], "set")
			               ? kt_strdup(kt_get_str(who, forms[i]))
			               : kt_strf("%s %s", forms[i], kt_get_str(who, forms[i]));
			words = made;
		}
	struct kt_json *pod = NULL;
	enum kt_code rc = words ? pod_behind(run, words, &pod, err) : kt_fail(err, KT_EINVAL, "who is that?");
	if (!rc)
		is_pod(pod, out);
	kt_json_free(pod);
	kt_free(made);
	return rc;
}

static enum kt_code whom_service(const struct check_run *run, const char *name, struct check_whom *out,
                                 struct kt_err *err)
{
	const char *slash = strchr(name, '/');
	char ns[64] = "default";
	if (slash)
		snprintf(ns, sizeof(ns), "%.*s", (int)(slash - name), name);
	name = slash ? slash + 1 : name;
	char *path = kt_strf("/api/v1/namespaces/%s/services/%s", ns, name);
	struct kt_json *service = NULL;
	enum kt_code rc = check_call(run, "GET", path, NULL, NULL, &service, err);
	if (!rc) {
		snprintf(out->host, sizeof(out->host), "%s.%s", name, ns);
		if (!out->port)
			out->port = (unsigned)kt_path_int(service, "spec.ports.0.port", 80);
	}
	kt_json_free(service);
	kt_free(path);
	return rc;
}

static enum kt_code whom_pod(const struct check_run *run, const char *words, struct check_whom *out,
                             struct kt_err *err)
{
	struct kt_json *pod = NULL;
	enum kt_code rc = pod_behind(run, words, &pod, err);
	if (!rc) {
		copy(out->host, sizeof(out->host), kt_path_str(pod, "status.podIP"));
		if (!out->port)
			out->port = (unsigned)kt_path_int(pod, "spec.containers.0.ports.0.containerPort", 80);
	}
	kt_json_free(pod);
	return rc;
}

static enum kt_code whom_new_pod(const struct check_run *run, const struct kt_json *whom,
                                 struct check_whom *out, struct kt_err *err)
{
	if (run->no_wait)
		return kt_fail(err, KT_EUNSUPPORTED, "needs a pod of its own: not looked at while you work");
	enum kt_code rc = start_pod(run, kt_get_str(whom, "new-pod"), kt_get(whom, "labels"), out->port, NULL,
	                            false, &out->pod, err);
	if (rc)
		return rc;
	char *words = kt_strf("pod %s/%s", out->pod.ns, out->pod.pod);
	rc = whom_pod(run, words, out, err);
	kt_free(words);
	return rc;
}

enum kt_code check_whom_find(const struct check_run *run, const struct kt_json *whom, struct check_whom *out,
                             struct kt_err *err)
{
	memset(out, 0, sizeof(*out));
	out->port = (unsigned)kt_get_int(whom, "port", 0);
	if (kt_get_str(whom, "new-pod"))
		return whom_new_pod(run, whom, out, err);
	if (kt_get_str(whom, "internet")) {
		copy(out->host, sizeof(out->host), kt_get_str(whom, "internet"));
		return KT_OK;
	}
	if (kt_get_str(whom, "service"))
		return whom_service(run, kt_get_str(whom, "service"), out, err);
	char *words = kt_str(whom) ? kt_strdup(kt_str(whom))
	                           : kt_strf("pod %s", kt_str_or(kt_get(whom, "pod"), ""));
	char *colon = strrchr(words, ':');
	if (colon) {
		*colon = '\0';
		out->port = (unsigned)strtoul(colon + 1, NULL, 10);
	}
	size_t kind = strcspn(words, " ");
	const char *name = words + kind + strspn(words + kind, " ");
	bool service = (kind == 7 && !strncmp(words, "service", 7)) ||
	               (kind == 3 && !strncmp(words, "svc", 3)) ||
	               (kind == 8 && !strncmp(words, "services", 8));
	enum kt_code rc = service ? whom_service(run, name, out, err) : whom_pod(run, words, out, err);
	kt_free(words);
	return rc;
}
