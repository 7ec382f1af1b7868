/* SPDX-License-Identifier: MIT */
/* kubectl in a pod: logs, top and exec, which look into pods. */
#include "cluster/kubelet/kubelet.h"
#include "cluster/kubelet/shell/kubectl.h"

#include <stdlib.h>
#include <string.h>

/* Of one container only: several would have to be asked at once. */
static bool follows(const struct kubectl *s)
{
	return kubectl_option(s, "follow") && s->rest.count == 2;
}

/* --- logs POD, TYPE/NAME, -l SELECTOR --- */
static char *log_path(const struct kubectl *s, const char *pod, const char *container)
{
	static const char *const passed[][2] = {
	        {"tail", "tailLines"}, {"since", "sinceSeconds"}, {"limit-bytes", "limitBytes"}};
	struct kt_buf path = {0};
	char *base = kubectl_path_of(s, kubectl_kind_named(s, "pods"), s->ns, pod);
	kt_buf_addf(&path, "%s/log?", base);
	kt_free(base);
	if (container)
		kt_buf_addf(&path, "container=%s&", container);
	for (size_t i = 0; i < KT_COUNT(passed); i++) {
		const char *value = i ? kubectl_option(s, passed[i][0]) : (follows(s) ? NULL : s->tail);
		kt_ns span;
		if (value && i == 1 && kt_duration_parse(value, &span))
			kt_buf_addf(&path, "%s=%lld&", passed[i][1], (long long)(span / KT_SEC));
		else if (value && i != 1 && strcmp(value, "-1") != 0)
			kt_buf_addf(&path, "%s=%s&", passed[i][1], value);
	}
	if (kubectl_option(s, "previous"))
		kt_buf_adds(&path, "previous=true&");
	if (kubectl_option(s, "timestamps"))
		kt_buf_adds(&path, "timestamps=true&");
	kt_buf_cut(&path, path.len - 1);
	return kt_buf_take(&path);
}

/* The labels that its pods have: what -l and a workload's selector come to. Owned; NULL: none. */
static char *selector_of(const struct kt_json *object)
{
	const struct kt_json *labels = kt_path(object, "spec.selector.matchLabels");
	struct kt_buf out = {0};
	if (!labels)
		labels = kt_path(object, "spec.selector");
	for (size_t i = 0; i < kt_count(labels); i++)
		kt_buf_addf(&out, "%s%s=%s", i ? "," : "", kt_key(labels, i),
		            kt_str_or(kt_at(labels, i), ""));
	return out.len ? kt_buf_take(&out) : NULL;
}

static bool list_pods(struct kubectl *s, const char *selector)
{
	struct kt_buf path = {0};
	char *base = kubectl_path_of(s, kubectl_kind_named(s, "pods"), s->ns, NULL);
	kt_buf_addf(&path, "%s?labelSelector=", base);
	kt_percent(selector, &path);
	kt_free(base);
	s->call = (struct kubectl_call){.method = "GET", .path = kt_buf_take(&path)};
	s->stage = 2;
	return true;
}

/* Stages: 1 the workload was asked for, 2 its pods, 3 a log after the other (words of `rest`: POD CONTAINER).
 */
bool kubectl_ask_logs(struct tool_run *r, struct kubectl *s)
{
	const char *word = s->words.count > 1 ? s->words.items[1] : NULL,
	           *slash = word ? strchr(word, '/') : NULL;
	if (s->stage == 0) {
		if (!word && s->selector)
			return list_pods(s, s->selector);
		if (!word) {
			kubectl_complain(
			        r, s,
			        "error: expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or "
			        "TYPE/NAME is a required argument for the logs command");
			return false;
		}
		size_t first = 0;
		if (slash && !kubectl_want_objects(r, s, &first))
			return false;
		if (slash && !kt_streq(s->kind->kind, "Pod")) {
			s->stage = 1;
			s->call = (struct kubectl_call){
			        .method = "GET", .path = kubectl_path_of(s, s->kind, s->ns, slash + 1)};
			return true;
		}
		s->kind = kubectl_kind_named(s, "pods");
		if (kubectl_option(s, "all-containers")) {
			s->stage = 2;
			s->call = (struct kubectl_call){
			        .method = "GET",
			        .path = kubectl_path_of(s, s->kind, s->ns, kubectl_name_at(s, 1))};
			return true;
		}
		kt_strs_add(&s->rest, kubectl_name_at(s, 1));
		kt_strs_add(&s->rest, s->container         ? s->container
		                      : s->words.count > 2 ? s->words.items[2]
		                                           : "");
		s->stage = 3;
	} else if (s->stage == 1 && s->seen) {
		char *selector = selector_of(s->seen);
		if (!selector)
			kubectl_complain(r, s, "error: cannot get the logs from %s/%s: selector is empty",
			                 s->kind->resource, kubectl_name_at(s, 1));
		bool asked = selector && list_pods(s, selector);
		kt_free(selector);
		return asked;
	}
	if (s->stage == 4 && !s->status) { /* is what is followed over? */
		s->call = (struct kubectl_call){
		        .method = "GET",
		        .path = kubectl_path_of(s, kubectl_kind_named(s, "pods"), s->ns, s->rest.items[0])};
		return true;
	}
	if (s->stage != 3 || s->at + 1 >= s->rest.count || (s->status && follows(s)))
		return false;
	s->call = (struct kubectl_call){
	        .method = "GET",
	        .path = log_path(s, s->rest.items[s->at],
	                         *s->rest.items[s->at + 1] ? s->rest.items[s->at + 1] : NULL)};
	s->at += 2;
	return true;
}

static void add_pod_logs(struct kubectl *s, const struct kt_json *pod)
{
	const char *name = kt_str_or(kt_path(pod, "metadata.name"), "");
	const struct kt_json *one;
	if (!kubectl_option(s, "all-containers")) {
		kt_strs_add(&s->rest, name);
		const char *first = kt_str_or(kt_path(pod, "spec.containers.0.name"), "");
		kt_strs_add(&s->rest, s->container ? s->container : first);
		return;
	}
	static const char *const lists[] = {"spec.initContainers", "spec.containers"};
	for (size_t i = 0; i < KT_COUNT(lists); i++)
		KT_JSON_EACH (one, kt_path(pod, lists[i])) {
			kt_strs_add(&s->rest, name);
			kt_strs_add(&s->rest, kt_str_or(kt_get(one, "name"), ""));
		}
}

void kubectl_tell_logs(struct tool_run *r, struct kubectl *s, const char *body)
{
	if (s->stage == 1) {
		s->seen = kubectl_answer(body);
		return;
	}
	if (s->stage == 4) {
		struct kt_json *pod = kubectl_answer(body);
		s->last_look = kubectl_log_over(pod, *s->rest.items[1] ? s->rest.items[1] : NULL);
		s->pause = s->last_look ? 0 : KT_SEC;
		kt_json_free(pod);
		s->stage = 3;
		s->at = 0;
		return;
	}
	if (s->stage == 3 && follows(s)) {
		kubectl_tell_more(r, s, body);
		s->stage = s->last_look ? 5 : 4;
		return;
	}
	if (s->stage == 3) {
		if (kubectl_option(s, "prefix") && s->at >= 2) {
			const char *rest = body;
			size_t len;
			for (const char *line; rest && *rest && (line = kt_split(&rest, '\n', &len));)
				tool_outf(r, "[pod/%s/%s] %.*s\n", s->rest.items[s->at - 2],
				          s->rest.items[s->at - 1], (int)len, line);
		} else {
			tool_outs(r, body);
		}
		return;
	}
	struct kt_json *pods = kubectl_answer(body);
	const struct kt_json *pod, *items = kt_get(pods, "items");
	size_t found = 0;
	if (!items)
		add_pod_logs(s, pods);
	KT_JSON_EACH (pod, items) {
		if (!found && !s->selector && kt_count(items) > 1)
			tool_err(r, "Found %zu pods, using pod/%s\n", kt_count(items),
			         kt_str_or(kt_path(pod, "metadata.name"), ""));
		if (!found++ || s->selector) /* of a workload: one of its pods */
			add_pod_logs(s, pod);
	}
	if (items && !found && s->selector)
		tool_err(r, "No resources found in %s namespace.\n", s->ns);
	else if (items && !found)
		kubectl_complain(r, s, "error: timed out waiting for the condition");
	s->stage = 3;
	s->at = 0;
	kt_json_free(pods);
}

/* --- top pods, nodes --- */
bool kubectl_ask_top(struct tool_run *r, struct kubectl *s)
{
	const char *type = s->words.count > 1 ? s->words.items[1] : "";
	s->kind = kubectl_kind_named(s, type);
	bool nodes = s->kind && kt_streq(s->kind->kind, "Node");
	if (!nodes && !(s->kind && kt_streq(s->kind->kind, "Pod"))) {
		kubectl_complain(r, s, "error: unknown command \"%s\"", type);
		return false;
	}
	if (s->stage == 2 || (s->stage == 1 && !nodes))
		return false;
	struct kt_buf path = {0};
	if (s->stage == 1)
		kt_buf_adds(&path, "/api/v1/nodes");
	else if (nodes)
		kt_buf_adds(&path, "/apis/metrics.k8s.io/v1beta1/nodes");
	else if (s->all_namespaces)
		kt_buf_adds(&path, "/apis/metrics.k8s.io/v1beta1/pods");
	else
		kt_buf_addf(&path, "/apis/metrics.k8s.io/v1beta1/namespaces/%s/pods", s->ns);
	if (s->selector) {
		kt_buf_adds(&path, "?labelSelector=");
		kt_percent(s->selector, &path);
	}
	s->call = (struct kubectl_call){.method = "GET", .path = kt_buf_take(&path)};
	return true;
}

static int64_t milli(const char *text)
{
	struct kt_quantity q;
	return text && kt_quantity_parse(text, &q) ? q.milli : 0;
}

static void top_row(struct tool_run *r, const struct kubectl *s, const struct kt_json *item,
                    const struct kt_json *nodes)
{
	const char *name = kt_str_or(kt_path(item, "metadata.name"), "");
	const struct kt_json *one, *containers = kt_get(item, "containers");
	int64_t cpu = milli(kt_str_or(kt_path(item, "usage.cpu"), NULL));
	int64_t memory = milli(kt_str_or(kt_path(item, "usage.memory"), NULL));
	KT_JSON_EACH (one, containers) {
		cpu += milli(kt_str_or(kt_path(one, "usage.cpu"), NULL));
		memory += milli(kt_str_or(kt_path(one, "usage.memory"), NULL));
	}
	memory = memory / 1000 / (1 << 20);
	if (s->words.count > 2 && !kt_streq(name, s->words.items[2]))
		return;
	char *shown_cpu = kt_strf("%lldm", (long long)cpu),
	     *shown_memory = kt_strf("%lldMi", (long long)memory);
	if (s->all_namespaces && !nodes)
		tool_outf(r, "%-20s ", kt_str_or(kt_path(item, "metadata.namespace"), ""));
	if (nodes) {
		int64_t all_cpu = 0, all_memory = 0;
		KT_JSON_EACH (one, kt_get(nodes, "items"))
			if (kt_streq(kt_str_or(kt_path(one, "metadata.name"), ""), name)) {
				all_cpu = milli(kt_str_or(kt_path(one, "status.allocatable.cpu"), NULL));
				all_memory =
				        milli(kt_str_or(kt_path(one, "status.allocatable.memory"), NULL)) /
				        1000 / (1 << 20);
			}
		char *share = kt_strf("%lld%%", all_cpu ? (long long)(cpu * 100 / all_cpu) : 0);
		tool_outf(r, "%-30s %-12s %-8s %-15s %lld%%\n", name, shown_cpu, share, shown_memory,
		          all_memory ? (long long)(memory * 100 / all_memory) : 0);
		kt_free(share);
	} else {
		tool_outf(r, "%-46s %-12s %s\n", name, shown_cpu, shown_memory);
	}
	kt_free(shown_cpu);
	kt_free(shown_memory);
}

void kubectl_tell_top(struct tool_run *r, struct kubectl *s, const char *body)
{
	struct kt_json *answer = kubectl_answer(body);
	bool nodes = kt_streq(s->kind->kind, "Node");
	const struct kt_json *item;
	s->stage++;
	if (s->stage == 1 && nodes) {
		s->seen = answer;
		return;
	}
	const struct kt_json *list = nodes ? s->seen : answer;
	if (!kt_count(kt_get(list, "items"))) {
		tool_err(r, nodes ? "No resources found%.0s\n" : "No resources found in %s namespace.\n",
		         s->ns);
	} else if (!s->no_headers) {
		if (nodes)
			tool_outf(r, "%-30s %-12s %-8s %-15s %s\n", "NAME", "CPU(cores)", "CPU(%)",
			          "MEMORY(bytes)", "MEMORY(%)");
		else
			tool_outf(r, "%s%-46s %-12s %s\n", s->all_namespaces ? "NAMESPACE            " : "",
			          "NAME", "CPU(cores)", "MEMORY(bytes)");
	}
	KT_JSON_EACH (item, kt_get(list, "items"))
		top_row(r, s, item, nodes ? answer : NULL);
	kt_json_free(answer);
}

/* --- exec POD -- WORDS --- */
struct kubectl_exec {
	struct tool_run *r;
	struct process *process;
	struct kt_buf out, err;
	int code;
	bool over, fed;
};

static void exec_output(void *arg, int fd, const void *data, size_t len)
{
	struct kubectl_exec *exec = arg;
	kt_buf_add(fd == 1 ? &exec->out : &exec->err, data, len);
	process_changed(exec->r->task->process);
}

static void exec_exited(void *arg, int code, const char *reason)
{
	struct kubectl_exec *exec = arg;
	(void)reason;
	exec->over = true;
	exec->code = code;
	process_changed(exec->r->task->process);
}

void kubectl_exec_end(struct kubectl *s)
{
	if (!s->exec)
		return;
	process_free(s->exec->process);
	kt_buf_clear(&s->exec->out);
	kt_buf_clear(&s->exec->err);
	kt_free(s->exec);
	s->exec = NULL;
}

/* 1 the workload was asked for, 2 its pods; then whether the account may: what is refused is in the server's
 * words, what is not wants to be upgraded. */
bool kubectl_ask_exec(struct tool_run *r, struct kubectl *s)
{
	const char *word = s->words.count > 1 ? s->words.items[1] : NULL,
	           *slash = word ? strchr(word, '/') : NULL;
	size_t first = 0;
	if (s->stage == 0 && !word) {
		kubectl_complain(r, s, "error: pod, type/name or --filename must be specified");
		return false;
	}
	if (s->stage == 0 && !s->rest.count) {
		for (size_t i = 2; i < s->words.count; i++) /* the old way, without -- */
			kt_strs_add(&s->rest, s->words.items[i]);
		if (!s->rest.count) {
			kubectl_complain(r, s,
			                 "error: you must specify at least one command for the container");
			return false;
		}
	}
	if (s->stage == 0 && slash && !kubectl_want_objects(r, s, &first))
		return false;
	if (s->stage == 0 && slash && !kt_streq(s->kind->kind, "Pod")) {
		s->stage = 1;
		s->call = (struct kubectl_call){.method = "GET",
		                                .path = kubectl_path_of(s, s->kind, s->ns, slash + 1)};
		return true;
	}
	if (s->stage == 0) {
		kt_free(s->told);
		s->told = kt_strdup(slash ? slash + 1 : word);
	} else if (s->stage == 1) {
		char *selector = selector_of(s->seen);
		bool asked = selector && list_pods(s, selector);
		kt_free(selector);
		return asked;
	}
	if (s->stage == 4 || !s->told)
		return false;
	s->stage = 3;
	char *base = kubectl_path_of(s, kubectl_kind_named(s, "pods"), s->ns, s->told);
	s->call = (struct kubectl_call){.method = "POST", .path = kt_strf("%s/exec?command=true", base)};
	kt_free(base);
	return true;
}

void kubectl_tell_exec(struct tool_run *r, struct kubectl *s, const char *body)
{
	struct kt_json *answer = kubectl_answer(body);
	const struct kt_json *pod;
	if (s->stage == 1) {
		s->seen = answer;
		return;
	}
	KT_JSON_EACH (pod, kt_get(answer, "items"))
		if (!s->told && kt_streq(kt_str_or(kt_path(pod, "status.phase"), ""), "Running"))
			s->told = kt_strdup(kt_str_or(kt_path(pod, "metadata.name"), ""));
	if (!s->told)
		kubectl_complain(r, s, "error: timed out waiting for the condition");
	kt_json_free(answer);
}

bool kubectl_exec_start(struct tool_run *r, struct kubectl *s)
{
	char *why = NULL;
	struct container *container = kubelet_container(s->cluster, s->ns, s->told, s->container, &why);
	if (!container) {
		kubectl_complain(r, s, "error: %s", why ? why : "container not found");
		kt_free(why);
		return false;
	}
	const char **argv = kt_alloc((s->rest.count + 1) * sizeof(*argv));
	for (size_t i = 0; i < s->rest.count; i++)
		argv[i] = s->rest.items[i];
	s->exec = kt_alloc(sizeof(*s->exec));
	s->exec->r = r;
	struct process_spec spec = {.container = container,
	                            .argv = argv,
	                            .has_stdin = kubectl_option(s, "stdin") != NULL,
	                            .output = exec_output,
	                            .exited = exec_exited,
	                            .arg = s->exec};
	s->exec->process = process_start(&spec, &why);
	kt_free(argv);
	if (!s->exec->process) {
		kubectl_complain(r, s,
		                 "error: Internal error occurred: error executing command in container: "
		                 "failed to exec in "
		                 "container: failed to start exec: OCI runtime exec failed: exec failed: "
		                 "unable to start "
		                 "container process: %s: unknown",
		                 why ? why : "");
		kt_free(why);
		kubectl_exec_end(s);
		return false;
	}
	s->stage = 4;
	return true;
}

int kubectl_exec_run(struct tool_run *r, struct kubectl *s)
{
	struct kubectl_exec *exec = s->exec;
	if (!exec->fed && kubectl_option(s, "stdin")) {
		tool_inputs(r, r->argv.count);
		if (tool_all(r, &s->input) == TOOL_WAIT)
			return TOOL_WAIT;
		process_write(exec->process, kt_buf_str(&s->input), s->input.len);
		process_eof(exec->process);
	}
	exec->fed = true;
	tool_out(r, kt_buf_str(&exec->out), exec->out.len);
	if (exec->err.len)
		task_write(r->task, 2, exec->err.data, exec->err.len);
	kt_buf_cut(&exec->out, 0);
	kt_buf_cut(&exec->err, 0);
	if (!exec->over)
		return TOOL_WAIT;
	if (exec->code)
		tool_err(r, "command terminated with exit code %d\n", exec->code);
	return exec->code;
}
