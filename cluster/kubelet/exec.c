/* SPDX-License-Identifier: MIT */
/* Handlers of probes and hooks: exec, httpGet, tcpSocket, grpc, sleep. Words: kubernetes pkg/probe. */
#include <string.h>

#include "cluster/kubelet/kubelet_internal.h"

#define EXEC_OUTPUT 10240 /* the kubelet keeps 10 KiB of a probe's output */

struct kubelet_exec {
	struct kubelet_ctr *ctr;
	struct process *process;
	struct kt_buf output;
	kubelet_exec_fn *fn;
	void *arg;
	struct kt_json *action; /* of what is asked over the network */
	uint64_t timer;
	kt_ns timeout;
	char *command;
	enum kubelet_answer answer;
	char *text;
	bool over;
};

static void finish(struct cluster *cluster, void *arg)
{
	struct kubelet_exec *exec = arg;

	(void)cluster;
	exec->timer = 0;
	exec->over = true;
	exec->fn(exec->arg, exec->answer, exec->text ? exec->text : "");
}

/* The answer leaves from a timer, so that who asked may free the exec in it. */
static void answer_at(struct kubelet_exec *exec, kt_ns delay, enum kubelet_answer answer, char *text)
{
	struct cluster *cluster = exec->ctr->pub.cluster;

	kt_free(exec->text);
	exec->text = text;
	exec->answer = answer;
	cluster_cancel(cluster, exec->timer);
	exec->timer = cluster_after(cluster, delay, finish, exec);
}

static void output(void *arg, int fd, const void *data, size_t len)
{
	struct kubelet_exec *exec = arg;

	(void)fd;
	if (exec->output.len < EXEC_OUTPUT)
		kt_buf_add(&exec->output, data, KT_MIN(len, EXEC_OUTPUT - exec->output.len));
}

static void exited(void *arg, int code, const char *reason)
{
	struct kubelet_exec *exec = arg;

	(void)reason;
	if (exec->over)
		return;
	answer_at(exec, 0, code ? KUBELET_FAILURE : KUBELET_SUCCESS, kt_strdup(kt_buf_str(&exec->output)));
}

static void timed_out(struct cluster *cluster, void *arg)
{
	struct kubelet_exec *exec = arg;
	struct kt_buf span = {0};

	exec->timer = 0;
	kt_duration_print(exec->timeout, &span);
	exec->text =
	        kt_strf("command timed out: \"%s\" timed out after %s", exec->command, kt_buf_str(&span));
	kt_buf_clear(&span);
	exec->answer = KUBELET_FAILURE;
	exec->over = true;
	finish(cluster, exec);
}

static void start_process(struct kubelet_exec *exec, const struct kt_json *command)
{
	size_t count = kt_count(command);
	const char **argv = kt_alloc((count + 1) * sizeof(*argv));
	struct kt_buf words = {0};
	struct process_spec spec = {
	        .container = &exec->ctr->pub, .argv = argv, .output = output, .exited = exited, .arg = exec};
	char *why = NULL;

	for (size_t i = 0; i < count; i++) {
		argv[i] = kt_str_or(kt_at(command, i), "");
		kt_buf_addf(&words, "%s%s", i ? " " : "", argv[i]);
	}
	exec->command = kt_buf_take(&words);
	if (count)
		exec->process = process_start(&spec, &why);
	kt_free(argv);
	if (exec->process) {
		if (exec->timeout > 0 && !exec->timer)
			exec->timer = cluster_after(exec->ctr->pub.cluster, exec->timeout, timed_out, exec);
		return;
	}
	/* each try has an ID of its own */
	char id[65];
	kubelet_id_text(kt_hash(exec->ctr->pod->uid, strlen(exec->ctr->pod->uid)) + ++exec->ctr->execs, id);
	answer_at(exec, 0, KUBELET_ERROR,
	          kt_strf("rpc error: code = Unknown desc = failed to exec in container: failed to start "
	                  "exec \"%s\": OCI runtime exec failed: exec failed: unable to start container "
	                  "process: "
	                  "%s: unknown",
	                  id, why ? why : "no command"));
	kt_free(why);
}

static void call(struct cluster *cluster, void *arg)
{
	struct kubelet_exec *exec = arg;
	kt_ns timeout = exec->timeout > 0 ? exec->timeout : 30 * KT_SEC, took = 0;
	enum kubelet_answer answer = KUBELET_SUCCESS;
	char *text = NULL;

	(void)cluster;
	exec->timer = 0;
	if (kubelet_exec_instant(exec->ctr, exec->action, timeout, &answer, &took, &text) &&
	    answer == KUBELET_BAD_STATUS)
		answer = KUBELET_SUCCESS;
	answer_at(exec, took, answer, text);
}

/* A hook without a host goes to the pod's address, for which the runtime is asked first
 * (kubernetes pkg/kubelet/lifecycle/handlers.go, runHTTPHandler). */
static kt_ns until_addressed(const struct kt_json *action)
{
	const char *host = kt_path_str(action, "httpGet.host");

	return host && *host ? 0 : KUBELET_ADDRESS;
}

struct kubelet_exec *kubelet_exec_new(struct kubelet_ctr *ctr, const struct kt_json *action, kt_ns timeout,
                                      kubelet_exec_fn *fn, void *arg)
{
	struct kubelet_exec *exec = kt_alloc(sizeof(*exec));
	const struct kt_json *command = kt_path(action, "exec.command"), *sleep = kt_get(action, "sleep");

	*exec = (struct kubelet_exec){.ctr = ctr, .fn = fn, .arg = arg, .timeout = timeout};
	if (kt_get(action, "exec")) {
		start_process(exec, command);
	} else if (sleep) {
		kt_ns span = kt_get_int(sleep, "seconds", 0) * KT_SEC;

		if (timeout > 0 && span > timeout)
			answer_at(exec, timeout, KUBELET_FAILURE, NULL);
		else
			answer_at(exec, span, KUBELET_SUCCESS, NULL);
	} else {
		exec->action = kt_json_ref(action);
		exec->timer = cluster_after(ctr->pub.cluster, until_addressed(action), call, exec);
	}
	return exec;
}

void kubelet_exec_free(struct kubelet_exec *exec)
{
	if (!exec)
		return;
	cluster_cancel(exec->ctr->pub.cluster, exec->timer);
	exec->over = true;
	process_free(exec->process);
	kt_buf_clear(&exec->output);
	kt_free(exec->command);
	kt_json_free(exec->action);
	kt_free(exec->text);
	kt_free(exec);
}

/* --- over the network --- */

/* A number or a name of the container's ports; false: it names none. */
static bool port_of(const struct kubelet_ctr *ctr, const struct kt_json *port, unsigned *out)
{
	const struct kt_json *ports = kt_get(ctr->spec, "ports");
	const char *name = kt_str(port);
	ptrdiff_t at;

	if (!name) {
		*out = (unsigned)kt_int_or(port, 0);
		return true;
	}
	at = kt_find(ports, "name", name);
	if (at >= 0)
		*out = (unsigned)kt_get_int(kt_at(ports, (size_t)at), "containerPort", 0);
	return at >= 0;
}

static void headers_of(const struct kt_json *http, struct kt_json **out)
{
	const struct kt_json *one;

	kt_set(out, "User-Agent", kt_json_str("kube-probe/1.34"));
	KT_JSON_EACH (one, kt_get(http, "httpHeaders"))
		kt_set(out, kt_str_or(kt_get(one, "name"), ""),
		       kt_json_str(kt_str_or(kt_get(one, "value"), "")));
}

static enum kubelet_answer http(const struct kubelet_ctr *ctr, const struct kt_json *get, const char *url,
                                const struct network_path *path, kt_ns timeout, kt_ns *took, char **text)
{
	const char *target = kt_str_or(kt_get(get, "path"), "/");
	struct network_http_response response = {0};
	struct kt_json *headers = NULL;
	struct network_http_request request = {.method = "GET",
	                                       .path = *target ? target : "/",
	                                       .host = ctr->pod->ip,
	                                       .client = ctr->pod->node->address,
	                                       .https = kt_streq(kt_get_str(get, "scheme"), "HTTPS")};
	enum kubelet_answer answer = KUBELET_FAILURE;

	const struct network_listener *listener = network_path_listener(ctr->pub.cluster, path);

	if (request.https && listener && listener->http && !listener->certificate) {
		*text = kt_strf("Get \"%s\": http: server gave HTTP response to HTTPS client", url);
		return answer;
	}
	headers_of(get, &headers);
	request.headers = headers;
	if (!network_serve(ctr->pub.cluster, path, &request, &response)) {
		*text = kt_strf("Get \"%s\": EOF", url);
		kt_json_free(headers);
		return answer;
	}
	*took = path->latency + response.takes;
	if (*took > timeout) {
		*took = timeout;
		*text = kt_strf("Get \"%s\": context deadline exceeded (Client.Timeout exceeded while "
		                "awaiting headers)",
		                url);
	} else if (response.status >= 200 && response.status < 400) {
		answer = KUBELET_SUCCESS;
	} else {
		answer = KUBELET_BAD_STATUS;
		*text = kt_strf("HTTP probe failed with statuscode: %d", response.status);
	}
	network_http_response_clear(&response);
	kt_json_free(headers);
	return answer;
}

bool kubelet_exec_instant(struct kubelet_ctr *ctr, const struct kt_json *action, kt_ns timeout,
                          enum kubelet_answer *answer, kt_ns *took, char **text)
{
	const struct kt_json *get = kt_get(action, "httpGet"), *tcp = kt_get(action, "tcpSocket");
	const struct kt_json *grpc = kt_get(action, "grpc"), *what = get ? get : tcp ? tcp : grpc;
	const char *host = kt_get_str(what, "host"), *scheme = kt_get_str(get, "scheme");
	struct network_peer from = {.node = ctr->pod->node->name, .address = ctr->pod->node->address};
	struct network_path path = {0};
	struct kt_buf url = {0};
	unsigned port;

	*text = NULL;
	*took = 0;
	if (!what)
		return false;
	host = host && *host ? host : ctr->pod->ip;
	if (!port_of(ctr, kt_get(what, "port"), &port)) {
		*answer = KUBELET_ERROR;
		*text = kt_strf("strconv.Atoi: parsing \"%s\": invalid syntax", kt_get_str(what, "port"));
		return true;
	}
	network_connect(ctr->pub.cluster, &from, host, port, "TCP", &path);
	*took = path.latency;
	if (get) {
		const char *target = kt_str_or(kt_get(get, "path"), "/");

		kt_buf_addf(&url, "%s://%s:%u%s", kt_streq(scheme, "HTTPS") ? "https" : "http", host, port,
		            target);
	}
	*answer = KUBELET_FAILURE;
	if (path.outcome == NETWORK_OPEN && get) {
		*answer = http(ctr, get, kt_buf_str(&url), &path, timeout, took, text);
	} else if (path.outcome == NETWORK_OPEN) {
		*answer = KUBELET_SUCCESS;
	} else if (grpc) {
		struct kt_buf span = {0};

		kt_duration_print(timeout, &span);
		*took = timeout; /* it dials until then, also where it is refused */
		*text = kt_strf("timeout: failed to connect service \"%s:%u\" within %s: context deadline "
		                "exceeded",
		                host, port, kt_buf_str(&span));
		kt_buf_clear(&span);
	} else if (path.outcome == NETWORK_TIMEOUT) {
		*took = timeout;
		if (get)
			*text = kt_strf("Get \"%s\": context deadline exceeded (Client.Timeout exceeded "
			                "while awaiting "
			                "headers)",
			                kt_buf_str(&url));
		else
			*text = kt_strf("dial tcp %s:%u: i/o timeout", host, port);
	} else {
		const char *words =
		        path.outcome == NETWORK_REFUSED ? "connection refused" : "no route to host";

		if (get)
			*text = kt_strf("Get \"%s\": dial tcp %s:%u: connect: %s", kt_buf_str(&url), host,
			                port, words);
		else
			*text = kt_strf("dial tcp %s:%u: connect: %s", host, port, words);
	}
	kt_buf_clear(&url);
	return true;
}
