/* SPDX-License-Identifier: MIT */
/* pods/exec and pods/attach: a program's input and output as channels, its end as a Status (client-go
 * tools/remotecommand, v4 and v5). */
#include "base/codec.h"
#include "cluster/api/internal.h"
#include "cluster/kubelet/kubelet.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LOOK_EVERY (100 * KT_MS)
enum { STDIN, STDOUT, STDERR, STATUS, RESIZE };

struct exec_stream {
	struct cluster_stream stream;
	struct cluster *cluster;
	struct process *process; /* of exec */
	char *ns, *pod, *container;
	bool has_stdin, tty, attached;
	struct kt_buf out[STATUS + 1];
	uint64_t since[STATUS + 1], writes; /* since: which write began what is in `out` */
	bool over;
	/* attach: the log from now on */
	struct kubelet_log_options log;
	uint64_t position, timer;
};

/* --- ends --- */
static void say_end(struct exec_stream *exec, int code)
{
	struct kt_json *status;

	if (exec->over)
		return;
	exec->over = true;
	if (!code)
		status = kt_jsonf("{metadata: {}, status: 'Success'}");
	else
		status = kt_jsonf(
		        "{metadata: {}, status: 'Failure', message: %j, reason: 'NonZeroExitCode', details: "
		        "{causes: "
		        "[{reason: 'ExitCode', message: %j}]}}",
		        kt_json_strf("command terminated with non-zero exit code: exit status %d", code),
		        kt_json_strf("%d", code));
	kt_json_print(status, &exec->out[STATUS]);
	kt_json_free(status);
	api_stream_wake(&exec->stream);
}

/* `who`: those who each put "Internal error occurred: " before it. */
static void say_failure(struct exec_stream *exec, unsigned who, const char *why)
{
	struct kt_buf message = {0};

	while (who--)
		kt_buf_adds(&message, "Internal error occurred: ");
	kt_buf_adds(&message, why);

	struct kt_json *status = kt_jsonf("{metadata: {}, status: 'Failure', message: %j, reason: "
	                                  "'InternalError', details: {causes: [{message: "
	                                  "%s}]}, code: 500}",
	                                  kt_json_str(kt_buf_str(&message)), why);

	kt_buf_clear(&message);
	exec->over = true;
	kt_json_print(status, &exec->out[STATUS]);
	kt_json_free(status);
}

static void output(void *arg, int fd, const void *data, size_t len)
{
	struct exec_stream *exec = arg;

	unsigned channel = fd == 2 && !exec->tty ? STDERR : STDOUT;

	if (!exec->out[channel].len)
		exec->since[channel] = ++exec->writes;
	kt_buf_add(&exec->out[channel], data, len);
	api_stream_wake(&exec->stream);
}

static void exited(void *arg, int code, const char *reason)
{
	(void)reason;
	say_end(arg, code);
}

/* --- the stream --- */
static void look(struct cluster *cluster, void *arg)
{
	struct exec_stream *exec = arg;

	exec->timer = cluster_after(cluster, LOOK_EVERY, look, exec);
	api_stream_wake(&exec->stream);
}

static enum cluster_stream_state exec_read(struct cluster_stream *stream, unsigned *channel,
                                           struct kt_buf *out)
{
	struct exec_stream *exec = (struct exec_stream *)stream;

	if (exec->attached && !exec->over && !exec->out[STDOUT].len &&
	    !kubelet_log_more(exec->cluster, exec->ns, exec->pod, &exec->log, &exec->out[STDOUT],
	                      &exec->position))
		say_end(exec, 0);
	/* what was said first comes first: a client may leave when it has its output */
	bool errors_first = exec->out[STDERR].len && exec->since[STDERR] < exec->since[STDOUT];
	const unsigned order[] = {errors_first ? STDERR : STDOUT, errors_first ? STDOUT : STDERR, STATUS};

	for (size_t at = 0; at < KT_COUNT(order); at++) {
		unsigned i = order[at];

		if (!exec->out[i].len)
			continue;
		*channel = i;
		kt_buf_add(out, exec->out[i].data, exec->out[i].len);
		kt_buf_clear(&exec->out[i]);
		return CLUSTER_STREAM_DATA;
	}
	*channel = 0;
	return exec->over ? CLUSTER_STREAM_END : CLUSTER_STREAM_WAIT;
}

static struct process *target(struct exec_stream *exec)
{
	struct container *container;

	if (!exec->attached)
		return exec->over ? NULL : exec->process;
	container = kubelet_container(exec->cluster, exec->ns, exec->pod, exec->container, NULL);
	return container ? container->main : NULL;
}

static void resize(struct process *process, const void *data, size_t len)
{
	struct kt_json *json = NULL;

	if (kt_json_parse(data, len, NULL, &json, NULL, NULL))
		return;
	process_resize(process, (unsigned)kt_get_int(json, "Width", 80),
	               (unsigned)kt_get_int(json, "Height", 24));
	kt_json_free(json);
}

static void exec_write(struct cluster_stream *stream, unsigned channel, const void *data, size_t len)
{
	struct exec_stream *exec = (struct exec_stream *)stream;
	struct process *process = target(exec);

	if (!process)
		return;
	if (channel == STDIN && exec->has_stdin)
		process_write(process, data, len);
	else if (channel == RESIZE)
		resize(process, data, len);
}

static void exec_eof(struct cluster_stream *stream, unsigned channel)
{
	struct exec_stream *exec = (struct exec_stream *)stream;
	struct process *process = target(exec);

	if (process && channel == STDIN && exec->has_stdin)
		process_eof(process);
}

static void exec_free(struct cluster_stream *stream)
{
	struct exec_stream *exec = (struct exec_stream *)stream;

	cluster_cancel(exec->cluster, exec->timer);
	exec->stream.notify = NULL;
	process_free(exec->process);
	for (unsigned i = 0; i <= STATUS; i++)
		kt_buf_clear(&exec->out[i]);
	kt_free(exec->ns);
	kt_free(exec->pod);
	kt_free(exec->container);
	kt_free(exec);
}

static const struct api_stream_ops exec_ops = {
        .kind = CLUSTER_STREAM_EXEC,
        .read = exec_read,
        .write = exec_write,
        .eof = exec_eof,
        .free = exec_free,
};

/* --- requests --- */
static bool is_upgrade(struct api_request *request)
{
	const char *connection = api_header(request->http, "Connection");

	if (request->http->loopback_admin || (connection && strcasestr(connection, "upgrade")))
		return true;
	return api_fail(&request->status, 400, "BadRequest", "Upgrade request required");
}

static bool is_web_socket(const struct api_request *request)
{
	const char *upgrade = api_header(request->http, "Upgrade");

	return upgrade && strcasestr(upgrade, "websocket");
}

static struct exec_stream *exec_new(struct api_request *request, const char *container);
static void upgraded(struct api_request *request, struct cluster_stream *stream);

/* A WebSocket is open before the kubelet is asked: what that says comes as the end of the stream
 * (apiserver util/proxy/streamtranslator.go). */
static void fail_upgraded(struct api_request *request, const char *why)
{
	struct exec_stream *exec = exec_new(request, "");

	say_failure(exec, 1, why);
	upgraded(request, &exec->stream);
}

/* As Go's url.Values: a space is a plus. */
static void add_value(struct kt_buf *url, const char *text)
{
	struct kt_buf escaped = {0};

	kt_percent(text, &escaped);
	for (const char *p = kt_buf_str(&escaped); *p; p++) {
		bool space = kt_starts(p, "%20");

		kt_buf_add(url, space ? "+" : p, 1);
		p += space ? 2 : 0;
	}
	kt_buf_clear(&escaped);
}

/* Nobody answered at the node's address. */
static void fail_unsent(struct api_request *request, const char *verb, const char *dial)
{
	static const char *const rows[][2] = {
	        {"stderr", "error"}, {"stdin", "input"}, {"stdout", "output"}, {"tty", "tty"}};
	const char *host = dial + strlen("dial tcp "), *container = api_query(request, "container");
	struct kt_buf url = {0}, told = {0};

	for (size_t i = 0; i < request->query_names.count; i++) {
		if (!kt_streq(request->query_names.items[i], "command"))
			continue;
		kt_buf_adds(&url, url.len ? "&command=" : "command=");
		add_value(&url, request->query_values.items[i]);
	}
	for (size_t i = 0; i < KT_COUNT(rows); i++)
		if (api_query_bool(request, rows[i][0]))
			kt_buf_addf(&url, "%s%s=1", url.len ? "&" : "", rows[i][1]);
	kt_buf_addf(&told, "error sending request: Post \"https://%.*s/%s/%s/%s/%s?%s\": %s",
	            (int)(strcspn(host, ":") + strlen(":10250")), host, verb, request->ns, request->name,
	            container ? container : "", kt_buf_str(&url), dial);
	fail_upgraded(request, kt_buf_str(&told));
	kt_buf_clear(&url);
	kt_buf_clear(&told);
}

static bool fail_with(struct api_request *request, bool attach, const char *why)
{
	static const char dialing[] = "error dialing backend: ";

	if (kt_starts(why, "unable to upgrade") && is_web_socket(request)) {
		fail_upgraded(request, why);
		return false;
	}
	if (kt_starts(why, dialing) && is_web_socket(request)) {
		fail_unsent(request, attach ? "attach" : "exec", why + strlen(dialing));
		return false;
	}
	if (kt_starts(why, dialing) || kt_starts(why, "no preferred"))
		return api_fail(&request->status, 500, "", "%s", why);
	if (kt_starts(why, "unable to upgrade"))
		return api_fail(&request->status, 500, "InternalError", "%s", why);
	return api_fail(&request->status, 400, "BadRequest", "%s", why);
}

static struct container *container_of_request(struct api_request *request, bool attach)
{
	const char *name = api_query(request, "container");
	struct container *container;
	char *why = NULL;

	if (!store_get(cluster_store(request->cluster), request->kind->storage, request->ns, request->name)) {
		api_fail_not_found(&request->status, request->kind, request->name);
		return NULL;
	}
	container = kubelet_container(request->cluster, request->ns, request->name,
	                              name && *name ? name : NULL, &why);
	if (!container && why && attach && strstr(why, "container not found")) {
		char *quoted = strchr(why, '"') + 1;

		quoted[strcspn(quoted, "\"")] = '\0';
		char *told = kt_strf("unable to upgrade connection: container %s not found in pod %s_%s",
		                     quoted, request->name, request->ns);

		fail_with(request, attach, told);
		kt_free(told);
	} else if (!container) {
		fail_with(request, attach, why ? why : "container not found");
	}
	kt_free(why);
	return container;
}

static struct exec_stream *exec_new(struct api_request *request, const char *container)
{
	struct exec_stream *exec = kt_alloc(sizeof(*exec));

	exec->stream.ops = &exec_ops;
	exec->cluster = request->cluster;
	exec->ns = kt_strdup(request->ns);
	exec->pod = kt_strdup(request->name);
	exec->container = kt_strdup(container);
	exec->has_stdin = api_query_bool(request, "stdin");
	exec->tty = api_query_bool(request, "tty");
	return exec;
}

static void start(struct api_request *request, struct exec_stream *exec, struct container *container)
{
	const char **argv = kt_alloc((request->query_names.count + 1) * sizeof(*argv));
	size_t argc = 0;
	char *why = NULL;
	struct process_spec spec = {
	        .container = container,
	        .argv = argv,
	        .has_stdin = exec->has_stdin,
	        .tty = exec->tty,
	        .instant = api_header(request->http, "X-Ktutor-Instant") != NULL,
	        .output = output,
	        .exited = exited,
	        .arg = exec,
	};

	for (size_t i = 0; i < request->query_names.count; i++) {
		if (kt_streq(request->query_names.items[i], "command"))
			argv[argc++] = request->query_values.items[i];
	}
	exec->process = process_start(&spec, &why);
	if (!exec->process) {
		char hex[65];
		char *text;
		unsigned char hash[32];
		struct kt_buf id = {0};

		kt_sha256(container->pod_uid, strlen(container->pod_uid), hash);
		kt_hex(hash, sizeof(hash), &id);
		snprintf(hex, sizeof(hex), "%.64s", kt_buf_str(&id));
		kt_buf_clear(&id);
		text = kt_strf("error executing command in container: failed to exec in container: failed to "
		               "start exec "
		               "\"%s\": OCI runtime exec failed: exec failed: unable to start container "
		               "process: %s: unknown",
		               hex, why ? why : "no such program");
		say_failure(exec, 2, text); /* the runtime's server and the kubelet's both say so */
		kt_free(text);
	}
	kt_free(why);
	kt_free(argv);
}

static void upgraded(struct api_request *request, struct cluster_stream *stream)
{
	request->response->status = 101;
	request->response->stream = stream;
}

void api_exec_request(struct api_request *request)
{
	struct container *container = container_of_request(request, false);
	struct exec_stream *exec;

	if (!container)
		return;
	if (!api_query(request, "command")) {
		api_fail(&request->status, 400, "BadRequest",
		         "you must specify at least one command for the container");
		return;
	}
	if (!is_upgrade(request))
		return;
	exec = exec_new(request, container->name);
	start(request, exec, container);
	upgraded(request, &exec->stream);
}

void api_attach_request(struct api_request *request)
{
	struct container *container = container_of_request(request, true);
	struct exec_stream *exec;
	struct kt_buf unused = {0};

	if (!container || !is_upgrade(request))
		return;
	exec = exec_new(request, container->name);
	exec->attached = true;
	exec->log = (struct kubelet_log_options){
	        .container = exec->container, .follow = true, .tail = 0, .limit_bytes = -1};
	if (!kubelet_log(request->cluster, exec->ns, exec->pod, &exec->log, &unused, &exec->position, NULL))
		say_end(exec, 0);
	kt_buf_clear(&unused);
	exec->timer = cluster_after(request->cluster, LOOK_EVERY, look, exec);
	upgraded(request, &exec->stream);
}
