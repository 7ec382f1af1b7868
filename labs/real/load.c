/* SPDX-License-Identifier: MIT */
/* Traffic from a pod: curl, so many times a second, each request on a connection of its own (as many callers
 * are), and one line a second of what became of them in the pod's log. */
#include "labs/real/real.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOAD_IMAGE   "curlimages/curl:8.10.1"
#define START_LIMIT  (120 * KT_SEC)
#define NO_RATE      "step 0 0 0 1"
#define RATE_MAX     2000.0
#define FACTOR_LEAST 0.05
#define FACTOR_MOST  20.0

/* $1 the URL, $2 what the rate was when the pod was made. The rate is read anew each second from /tmp/rate:
 * SHAPE FROM TO BEGIN OVER, in thousandths of requests a second and seconds; so it can change without a gap.
 * Batches run beside each other: slow answers do not slow the callers down. */
static const char load_script[] =
        "echo \"$2\" >/tmp/rate; acc=0\n"
        "while :; do\n"
        "  now=$(date +%s); read -r shape from to begin over </tmp/rate; t=$((now - begin)); r=$to\n"
        "  case $shape in\n"
        "  ramp) [ $t -lt $over ] && r=$((from + (to - from) * t / over)) ;;\n"
        "  wave) h=$((over / 2)); [ $h -gt 0 ] || h=1; p=$((t % (2 * h))); [ $p -gt $h ] && p=$((2 * h - "
        "p))\n"
        "        r=$((to / 5 + (to - to / 5) * p / h)) ;;\n"
        "  spike) [ $t -ge $over ] && r=$from ;;\n"
        "  esac\n"
        "  acc=$((acc + r)); n=$((acc / 1000)); acc=$((acc % 1000))\n"
        "  if [ $n -gt 0 ]; then\n"
        "    { curl -s -Z --parallel-immediate --parallel-max 300 -H 'Connection: close' --connect-timeout 2 "
        "-m 5 "
        "-o /dev/null -w '%{http_code} %{time_total}\\n' \"$1?[1-$n]\" 2>/dev/null | sort -n -k 2 |\n"
        "      awk -v now=$now -v n=$n '{ c++; t[c] = $2; if ($1 >= 200 && $1 < 500) ok++ }\n"
        "        END { i = int(c * 0.95); if (i < 1) i = 1; print now, n, ok + 0, int(t[i] * 1000) }'; } &\n"
        "  fi\n"
        "  while [ \"$(date +%s)\" = $now ]; do sleep 0.1 2>/dev/null || sleep 1; done\n"
        "done\n";

static char *pod_name(const char *ns, const char *service)
{
	char *key = kt_strf("%s/%s", ns, service),
	     *name = kt_strf("load-%08x", (unsigned)kt_hash32(key, strlen(key)));
	kt_free(key);
	return name;
}

static char *pod_path(const char *ns, const char *name)
{
	return kt_strf("/api/v1/namespaces/%s/pods/%s", ns, name);
}

/* The control plane's machine is never taken down by a lab; elsewhere the pod goes where there is room. */
static struct kt_json *new_pod(const char *ns, const char *name, const char *url, const char *rate)
{
	return kt_jsonf(
	        "{apiVersion: 'v1', kind: 'Pod', metadata: {name: %s, namespace: %s, labels: "
	        "{'ktutor.dev/made-by': "
	        "'ktutor', 'ktutor.dev/load': 'yes'}, annotations: {'ktutor.dev/rate': %s}},"
	        " spec: {terminationGracePeriodSeconds: 0, automountServiceAccountToken: false, "
	        "enableServiceLinks: "
	        "false, dnsConfig: {options: [{name: 'ndots', value: '1'}]},"
	        " tolerations: [{key: 'node-role.kubernetes.io/control-plane', operator: 'Exists'}],"
	        " affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, "
	        "preference: {matchExpressions: [{key: 'node-role.kubernetes.io/control-plane', operator: "
	        "'Exists'}]}}]}},"
	        " securityContext: {runAsNonRoot: true, runAsUser: 65534, seccompProfile: {type: "
	        "'RuntimeDefault'}},"
	        " containers: [{name: 'load', image: %s, imagePullPolicy: 'IfNotPresent', command: ['sh', "
	        "'-c', %s, "
	        "'load', %s, %s],"
	        " resources: {requests: {cpu: '10m', memory: '16Mi'}}, securityContext: "
	        "{allowPrivilegeEscalation: "
	        "false, capabilities: {drop: ['ALL']}}}]}}",
	        name, ns, rate, LOAD_IMAGE, load_script, url, rate);
}

/* Thousandths of requests a second that the annotation says come now. */
static double rate_now(const char *rate)
{
	char shape[16] = "";
	long long from = 0, to = 0, begin = 0, over = 0;
	if (!rate || sscanf(rate, "%15s %lld %lld %lld %lld", shape, &from, &to, &begin, &over) != 5)
		return 0;
	long long t = real_now() / KT_SEC - begin;
	if (kt_streq(shape, "ramp") && t < over)
		return (double)from + (double)(to - from) * (double)t / (double)over;
	if (kt_streq(shape, "spike") && t >= over)
		return (double)from;
	return (double)to;
}

/* `factor`: requests that stand for one of the step's. */
static char *new_rate(const struct kt_json *load, const char *before, double factor, struct kt_err *err)
{
	double now = rate_now(before),
	       rps = kt_get(load, "rps") ? kt_real_or(kt_get(load, "rps"), 0) * factor : now / 1000,
	       to = rps * kt_real_or(kt_get(load, "times"), 1) * 1000;
	kt_ns over = 0;
	const char *text = kt_get_str(load, "over");
	if (!kt_get(load, "rps") && now <= 0) {
		kt_fail(err, KT_EINVAL, "load: nobody calls %s yet: rps is wanted",
		        kt_str_or(kt_get(load, "to"), "it"));
		return NULL;
	}
	if (to < 0 || to > RATE_MAX * 1000) {
		kt_fail(err, KT_EUNSUPPORTED,
		        "load: up to %.0f requests a second can be made on a real cluster, not %.0f",
		        RATE_MAX, to / 1000);
		return NULL;
	}
	if (text && !kt_duration_parse(text, &over)) {
		kt_fail(err, KT_EINVAL, "load: over: a duration is wanted, not '%s'", text);
		return NULL;
	}
	return kt_strf("%s %lld %lld %lld %lld", kt_str_or(kt_get(load, "shape"), "step"), (long long)now,
	               (long long)to, (long long)(real_now() / KT_SEC), (long long)KT_MAX(over / KT_SEC, 1));
}

static enum kt_code await_pod(struct check_client *client, const char *path, struct kt_err *err)
{
	kt_ns until = kt_monotonic() + START_LIMIT;
	struct real_pace pace = {.client = client};
	enum kt_code rc = KT_OK;
	for (bool running = false; !rc && !running;) {
		struct kt_json *pod = NULL;
		kt_ns passed;
		rc = real_call(client, "GET", path, NULL, NULL, &pod, err);
		const struct kt_json *state = kt_path(pod, "status.containerStatuses.0.state");
		const char *why = kt_path_str(state, "waiting.reason");
		running = kt_get(state, "running") != NULL;
		if (!rc && !running && why && (strstr(why, "ImagePull") || strstr(why, "Err")))
			rc = kt_fail(err, KT_EUNSUPPORTED,
			             "load: the pod that makes requests cannot start (%s: %s): its image "
			             "cannot be "
			             "fetched; with kind, `kind load docker-image %s` brings it in",
			             why, LOAD_IMAGE, LOAD_IMAGE);
		if (!rc && !running && kt_monotonic() > until)
			rc = kt_fail(err, KT_ETIMEOUT,
			             "load: the pod that makes requests did not start within %d s",
			             (int)(START_LIMIT / KT_SEC));
		kt_json_free(pod);
		if (!rc && !running)
			rc = real_pass(&pace, KT_SEC, true, &passed, err);
	}
	real_pace_clear(&pace);
	return rc;
}

static enum kt_code start_pod(struct check_client *client, const char *ns, const char *name, const char *url,
                              const char *rate, struct kt_err *err)
{
	struct kt_json *space = kt_jsonf("{apiVersion: 'v1', kind: 'Namespace', metadata: {name: %s}}", ns),
	               *pod = new_pod(ns, name, url, rate);
	char *space_path = kt_strf("/api/v1/namespaces/%s", ns),
	     *pods = kt_strf("/api/v1/namespaces/%s/pods", ns), *path = pod_path(ns, name);
	struct kt_err ignored = {0};
	enum kt_code rc = real_call(client, "GET", space_path, NULL, NULL, NULL, &ignored) == KT_ENOTFOUND
	                          ? real_apply(client, space_path, space, err)
	                          : KT_OK;
	if (!rc)
		rc = real_call(client, "POST", pods, NULL, pod, NULL, err);
	if (!rc)
		rc = await_pod(client, path, err);
	kt_free(path);
	kt_free(pods);
	kt_free(space_path);
	kt_json_free(pod);
	kt_json_free(space);
	return rc;
}

static enum kt_code change_rate(struct check_client *client, const char *ns, const char *name,
                                const char *rate, struct kt_err *err)
{
	const char *const argv[] = {"sh",   "-c", "echo \"$1\" >/tmp/rate.new && mv /tmp/rate.new /tmp/rate",
	                            "rate", rate, NULL};
	struct check_exec exec = {.ns = ns, .pod = name, .argv = argv, .timeout_ms = 15000};
	struct check_exec_result result = {0};
	struct kt_json *patch = kt_jsonf("{metadata: {annotations: {'ktutor.dev/rate': %s}}}", rate);
	char *path = pod_path(ns, name);
	enum kt_code rc = check_exec(client, &exec, 1, &result, err);
	if (!rc && result.exit_code)
		rc = kt_fail(err, KT_EUNREACHABLE, "load: the pod that makes requests could not be told: %s",
		             result.why[0] ? result.why : kt_buf_str(&result.errout));
	if (!rc)
		rc = real_call(client, "PATCH", path, "application/merge-patch+json", patch, NULL, err);
	check_exec_result_clear(&result);
	kt_json_free(patch);
	kt_free(path);
	return rc;
}

static void split(const char *words, char ns[64], char name[64])
{
	const char *space = strrchr(words, ' '), *slash;
	words = space ? space + 1 : words;
	slash = strchr(words, '/');
	snprintf(ns, 64, "%.*s", slash ? (int)(slash - words) : 7, slash ? words : "default");
	snprintf(name, 64, "%s", slash ? slash + 1 : words);
	name[strcspn(name, ":")] = '\0';
}

static enum kt_code url_of(struct check_client *client, const struct kt_json *load, const char *ns,
                           const char *service, char **out, struct kt_err *err)
{
	const char *to = kt_str_or(kt_get(load, "to"), ""), *colon = strrchr(to, ':'),
	           *at = kt_str_or(kt_get(load, "path"), "/");
	char *path = kt_strf("/api/v1/namespaces/%s/services/%s", ns, service);
	struct kt_json *object = NULL;
	enum kt_code rc = real_call(client, "GET", path, NULL, NULL, &object, err);
	if (!rc)
		*out = kt_strf("http://%s.%s.svc.cluster.local:%lld%s", service, ns,
		               colon ? strtoll(colon + 1, NULL, 10)
		                     : (long long)kt_path_int(object, "spec.ports.0.port", 80),
		               at);
	kt_json_free(object);
	kt_free(path);
	return rc;
}

/* --- how much work a request is --- */

/* A few requests one after the other; the quickest tells what one costs when nobody else asks. */
static const char measure_script[] =
        "i=0; while [ $i -lt 15 ]; do i=$((i + 1)); curl -s -m 5 -o /dev/null -w '%{time_connect} "
        "%{time_starttransfer}\\n' \"$1\"; done | awk '{ d = ($2 - $1) * 1000000; if (d > 0 && (!m || d < "
        "m)) m = d } END "
        "{ print int(m) }'";

/* The step says what CPU one request takes (`work: {cpu: 50ms}`); what it really takes is the program's
 * business. So that the load is what the lab means, as many requests are made as are that much work. */
static enum kt_code measure(struct check_client *client, const char *ns, const char *name, const char *url,
                            const struct kt_json *load, double *factor, struct kt_err *err)
{
	const char *cpu = kt_path_str(load, "work.cpu");
	const char *const argv[] = {"sh", "-c", measure_script, "measure", url, NULL};
	struct check_exec exec = {.ns = ns, .pod = name, .argv = argv, .timeout_ms = 90000};
	struct check_exec_result result = {0};
	kt_ns wanted = 0;
	if (!cpu || !kt_duration_parse(cpu, &wanted))
		return KT_OK;
	enum kt_code rc = check_exec(client, &exec, 1, &result, err);
	double real = rc ? 0 : strtod(kt_buf_str(&result.out), NULL); /* microseconds */
	if (real > 0)
		*factor = KT_MIN(KT_MAX((double)wanted / KT_US / real, FACTOR_LEAST), FACTOR_MOST);
	check_exec_result_clear(&result);
	return rc;
}

static double factor_of(const struct kt_json *pod)
{
	const char *text = kt_get_str(kt_path(pod, "metadata.annotations"), "ktutor.dev/factor");
	double factor = text ? strtod(text, NULL) : 1;
	return factor > 0 ? factor : 1;
}

static enum kt_code keep_factor(struct check_client *client, const char *path, double factor,
                                struct kt_err *err)
{
	struct kt_json *patch = kt_jsonf("{metadata: {annotations: {'ktutor.dev/factor': %j}}}",
	                                 kt_json_strf("%.3f", factor));
	enum kt_code rc = real_call(client, "PATCH", path, "application/merge-patch+json", patch, NULL, err);
	kt_json_free(patch);
	return rc;
}

enum kt_code real_load(struct check_client *client, const char *ns, const struct kt_json *load,
                       struct kt_err *err)
{
	char service_ns[64], service[64], *url = NULL, *rate = NULL;
	struct kt_json *pod = NULL;
	struct kt_err ignored = {0};
	split(kt_str_or(kt_get(load, "to"), ""), service_ns, service);
	char *name = pod_name(service_ns, service), *path = pod_path(ns, name);
	enum kt_code rc = url_of(client, load, service_ns, service, &url, err),
	             there = real_call(client, "GET", path, NULL, NULL, &pod, &ignored);
	if (!rc && there && there != KT_ENOTFOUND)
		rc = kt_fail(err, there, "%s", ignored.text);
	double factor = factor_of(pod), before = factor;
	if (!rc && !pod)
		rc = start_pod(client, ns, name, url, NO_RATE, err);
	if (!rc && (!pod || kt_get(load, "rps")))
		rc = measure(client, ns, name, url, load, &factor, err);
	if (!rc && factor != before)
		rc = keep_factor(client, path, factor, err);
	if (!rc) {
		rate = new_rate(load, kt_get_str(kt_path(pod, "metadata.annotations"), "ktutor.dev/rate"),
		                factor, err);
		rc = rate ? change_rate(client, ns, name, rate, err) : KT_EINVAL;
	}
	kt_json_free(pod);
	kt_free(rate);
	kt_free(path);
	kt_free(name);
	kt_free(url);
	return rc;
}

/* --- what became of it --- */

struct kt_json *real_tally(const char *lines, kt_ns since)
{
	int64_t offered = 0, answered = 0, p95 = 0;
	const char *line;
	size_t len;
	while ((line = kt_split(&lines, '\n', &len))) {
		long long at, n, ok, slow;
		char copy[96];
		snprintf(copy, sizeof(copy), "%.*s", (int)KT_MIN(len, sizeof(copy) - 1), line);
		if (sscanf(copy, "%lld %lld %lld %lld", &at, &n, &ok, &slow) != 4 || at * KT_SEC < since)
			continue;
		offered += n;
		answered += KT_MIN(ok, n);
		p95 = KT_MAX(p95, slow);
	}
	return kt_jsonf("{offered: %l, answered: %l, errors: %l, p95: %l}", offered, answered,
	                offered - answered, p95);
}

enum kt_code real_traffic(struct check_client *client, const char *ns, const char *service_ns,
                          const char *service, kt_ns since, struct kt_json **out, struct kt_err *err)
{
	char *name = pod_name(service_ns, service), *path = pod_path(ns, name), *log = NULL;
	struct kt_buf time = {0};
	struct kt_json *pod = NULL;
	struct check_answer answer = {0};
	enum kt_code rc = real_call(client, "GET", path, NULL, NULL, &pod, err);
	if (rc == KT_ENOTFOUND) { /* nobody ever called it */
		kt_err_clear(err);
		*out = kt_json_object();
		rc = KT_OK;
	} else if (!rc) {
		kt_time_print(since - KT_SEC, &time);
		log = kt_strf("%s/log?sinceTime=%s", path, kt_buf_str(&time));
		rc = check_request(client, "GET", log, NULL, NULL, 0, &answer, err);
		if (!rc && answer.status != 200)
			rc = kt_fail(err, KT_EUNREACHABLE, "what became of the requests cannot be read: %s",
			             kt_str_or(kt_get(answer.json, "message"), "its pod has no log"));
	}
	if (!rc && log) {
		double rps =
		        rate_now(kt_get_str(kt_path(pod, "metadata.annotations"), "ktutor.dev/rate")) / 1000;
		*out = real_tally(kt_buf_str(&answer.body), since);
		kt_set(out, "rps", kt_json_real(rps));
	}
	check_answer_clear(&answer);
	kt_json_free(pod);
	kt_buf_clear(&time);
	kt_free(log);
	kt_free(path);
	kt_free(name);
	return rc;
}

/* --- before and after a drill --- */

enum kt_code real_load_rates(struct check_client *client, const char *ns, struct kt_json **out,
                             struct kt_err *err)
{
	char *path = kt_strf("/api/v1/namespaces/%s/pods?labelSelector=ktutor.dev%%2Fload", ns);
	struct kt_json *pods = NULL;
	const struct kt_json *pod;
	enum kt_code rc = real_call(client, "GET", path, NULL, NULL, &pods, err);
	*out = kt_json_object();
	KT_JSON_EACH (pod, kt_get(pods, "items"))
		if (!kt_path(pod, "metadata.deletionTimestamp"))
			kt_set(out, kt_path_str(pod, "metadata.name"),
			       kt_json_ref(kt_get(kt_path(pod, "metadata.annotations"), "ktutor.dev/rate")));
	if (rc)
		kt_json_freep(out);
	kt_json_free(pods);
	kt_free(path);
	return rc;
}

enum kt_code real_load_put(struct check_client *client, const char *ns, const struct kt_json *rates,
                           struct kt_err *err)
{
	struct kt_json *now = NULL;
	enum kt_code rc = real_load_rates(client, ns, &now, err);
	for (size_t i = 0; !rc && i < kt_count(now); i++) {
		const char *name = kt_key(now, i), *rate = kt_get_str(rates, name);
		char *path = pod_path(ns, name), *gone = kt_strf("%s?gracePeriodSeconds=0", path);
		if (!rate)
			rc = real_call(client, "DELETE", gone, NULL, NULL, NULL, err);
		else if (!kt_streq(rate, kt_str(kt_at(now, i))))
			rc = change_rate(client, ns, name, rate, err);
		kt_free(gone);
		kt_free(path);
	}
	kt_json_free(now);
	return rc;
}
