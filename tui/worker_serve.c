/* SPDX-License-Identifier: MIT */
/* The worker's own side: start the lab, then look whenever the cluster's version moved. */
#include "db/db.h"
#include "tui/wire.h"
#include "tui/work_internal.h"
#include "tui/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PODS        "/api/v1/pods?limit=2000"
#define SAMPLES_MAX 500
#define POLL_MS     250
#define LOOK_AGAIN  (5 * KT_SEC) /* some checks depend on time alone */

struct serving {
	const struct tui_worker_options *options;
	struct lab_options lab;
	struct lab_session *session;
	struct tui_wire wire;
	kt_ns busy_since;
	struct kt_json
	        *timelines; /* of the drills of this check: {task: {span, samples: [{at, ready, down}]}} */
	char version[64];   /* of the cluster when it was looked at last */
	kt_ns looked;
};

static void tell(struct serving *s, struct kt_json *steal)
{
	tui_wire_tell(&s->wire, steal);
}

static void say(struct serving *s, bool bad, const char *text)
{
	tell(s, kt_jsonf("{told: 'said', text: %s, bad: %b}", text, (int)bad));
}

/* --- looking at the cluster --- */

static struct kt_json *get(struct serving *s, const char *path)
{
	struct check_answer answer = {0};
	struct kt_json *json = NULL;
	if (!check_request(lab_client(s->session), "GET", path, NULL, NULL, 0, &answer, NULL) &&
	    answer.status == 200)
		json = kt_json_ref(answer.json);
	check_answer_clear(&answer);
	return json;
}

static bool is_ready(const struct kt_json *object)
{
	const struct kt_json *conditions = kt_path(object, "status.conditions");
	ptrdiff_t i = kt_find(conditions, "type", "Ready");
	return i >= 0 && kt_streq(kt_get_str(kt_at(conditions, (size_t)i), "status"), "True");
}

static struct kt_json *node_row(const struct kt_json *node)
{
	const struct kt_json *labels = kt_path(node, "metadata.labels");
	const char *pool = kt_get_str(labels, "pool");
	return kt_jsonf(
	        "{name: %s, zone: %s, pool: %s, ready: %b, cordoned: %b, control: %b, cpu: %s, memory: %s}",
	        kt_path_str(node, "metadata.name"), kt_get_str(labels, "topology.kubernetes.io/zone"), pool,
	        (int)is_ready(node), (int)kt_path_bool(node, "spec.unschedulable", false),
	        kt_get(labels, "node-role.kubernetes.io/control-plane") != NULL,
	        kt_path_str(node, "status.allocatable.cpu"), kt_path_str(node, "status.allocatable.memory"));
}

/* In a word: what the map shows of a pod. */
static const char *pod_state(const struct kt_json *pod)
{
	const char *phase = kt_str_or(kt_path(pod, "status.phase"), "Unknown");
	const struct kt_json *container;
	if (kt_path(pod, "metadata.deletionTimestamp"))
		return "ending";
	KT_JSON_EACH (container, kt_path(pod, "status.containerStatuses")) {
		const char *reason = kt_path_str(container, "state.waiting.reason");
		if (reason && !kt_streq(reason, "ContainerCreating") && !kt_streq(reason, "PodInitializing"))
			return "failing";
	}
	if (kt_streq(phase, "Running"))
		return is_ready(pod) ? "ready" : "starting";
	return kt_streq(phase, "Succeeded")    ? "done"
	       : kt_streq(phase, "Failed")     ? "failing"
	       : kt_path(pod, "spec.nodeName") ? "starting"
	                                       : "pending";
}

static struct kt_json *pod_row(const struct kt_json *pod)
{
	return kt_jsonf("{ns: %s, name: %s, node: %s, state: %s, app: %s}",
	                kt_path_str(pod, "metadata.namespace"), kt_path_str(pod, "metadata.name"),
	                kt_path_str(pod, "spec.nodeName"), pod_state(pod),
	                kt_path_str(pod, "metadata.labels.app"));
}

static struct kt_json *rows_of(struct serving *s, const char *path,
                               struct kt_json *(*row)(const struct kt_json *))
{
	struct kt_json *list = get(s, path), *rows = kt_json_array();
	const struct kt_json *item;
	KT_JSON_EACH (item, kt_get(list, "items"))
		kt_push(&rows, row(item));
	kt_json_free(list);
	return rows;
}

/* usage of allocatable, 0 to 1; NULL: unknown. New. */
static struct kt_json *share_of(const struct kt_json *metrics, const struct kt_json *row, const char *what)
{
	struct kt_quantity used, all;
	const struct kt_json *item;
	KT_JSON_EACH (item, kt_get(metrics, "items")) {
		const char *usage = kt_get_str(kt_get(item, "usage"), what), *whole = kt_get_str(row, what);
		if (!kt_streq(kt_path_str(item, "metadata.name"), kt_get_str(row, "name")) || !usage ||
		    !whole || !kt_quantity_parse(usage, &used) || !kt_quantity_parse(whole, &all))
			continue;
		return all.milli > 0 ? kt_json_real((double)used.milli / (double)all.milli) : NULL;
	}
	return NULL;
}

static struct kt_json *node_rows(struct serving *s)
{
	struct kt_json *metrics = get(s, "/apis/metrics.k8s.io/v1beta1/nodes"),
	               *rows = rows_of(s, "/api/v1/nodes", node_row);
	for (size_t i = 0; metrics && i < kt_count(rows); i++) {
		struct kt_json *cpu = share_of(metrics, kt_at(rows, i), "cpu"),
		               *memory = share_of(metrics, kt_at(rows, i), "memory");
		kt_set(kt_edit_at(&rows, i), "cpu_used", cpu);
		kt_set(kt_edit_at(&rows, i), "memory_used", memory);
	}
	kt_json_free(metrics);
	return rows;
}

/* Services that are called: [{service: "ns/name", rps, p95 (seconds), availability}]. New. */
static struct kt_json *traffic_rows(struct serving *s)
{
	struct kt_json *report = get(s, "/ktutor/v1/traffic"), *rows = kt_json_array();
	const struct kt_json *row;
	KT_JSON_EACH (row, kt_get(report, "services")) {
		if (kt_real_or(kt_get(row, "rps"), 0) <= 0)
			continue;
		char *name = kt_strf("%s/%s", kt_str_or(kt_get(row, "namespace"), ""),
		                     kt_str_or(kt_get(row, "service"), "?"));
		kt_push(&rows, kt_jsonf("{service: %s, rps: %J, p95: %J, availability: %J}", name,
		                        kt_get(row, "rps"), kt_get(row, "p95"), kt_get(row, "availability")));
		kt_free(name);
	}
	kt_json_free(report);
	return rows;
}

static void tell_world(struct serving *s)
{
	struct kt_json *pods = get(s, PODS), *clock = get(s, "/ktutor/v1/clock"),
	               *policies = get(s, "/apis/networking.k8s.io/v1/networkpolicies"),
	               *namespaces = get(s, "/api/v1/namespaces"), *rows = kt_json_array();
	const struct kt_json *pod;
	KT_JSON_EACH (pod, kt_get(pods, "items"))
		kt_push(&rows, pod_row(pod));
	tell(s, kt_jsonf("{told: 'world', nodes: %j, pods: %j, clock: %j, traffic: %j, reach: %j}",
	                 node_rows(s), rows, clock, traffic_rows(s), tui_reach(pods, policies, namespaces)));
	kt_json_free(pods);
	kt_json_free(policies);
	kt_json_free(namespaces);
}

/* --- checking --- */

static struct kt_json *finding_json(const struct check_finding *finding)
{
	static const char *const words[] = {
	        [CHECK_PASSED] = "passed", [CHECK_FAILED] = "failed", [CHECK_UNKNOWN] = "unknown"};
	return kt_jsonf("{status: %s, expected: %s, found: %s, object: %s, path: %s, table: %s}",
	                words[finding->status], finding->expected, finding->found, finding->object,
	                finding->path, finding->table);
}

/* What is to be shown of a task; what a look leaves out (drills, what needs a pod of its own) does not count
 * against it. */
static struct kt_json *task_json(const struct lab_task *task, const struct check_report_task *result,
                                 bool whole)
{
	struct kt_json *findings = kt_json_array();
	bool failed = false, unknown = false, left_out = false;
	for (size_t i = 0; i < result->finding_count; i++) {
		const struct check_finding *f = &result->findings[i];
		if (!whole && (f->status == CHECK_UNKNOWN || check_has_drill(task->checks[i]))) {
			left_out = true;
			continue;
		}
		failed = failed || f->status == CHECK_FAILED;
		unknown = unknown || f->status == CHECK_UNKNOWN;
		if (f->status != CHECK_PASSED)
			kt_push(&findings, finding_json(f));
	}
	const char *status = result->blocked ? "blocked"
	                     : failed        ? "failed"
	                     : unknown       ? "unknown"
	                     : left_out      ? "drill"
	                                     : "passed";
	return kt_jsonf("{task: %s, status: %s, findings: %j}", task->task, status, findings);
}

static bool stands(const struct kt_json *tasks, const char *name)
{
	ptrdiff_t i = kt_find(tasks, "task", name);
	const char *status = i < 0 ? NULL : kt_get_str(kt_at(tasks, (size_t)i), "status");
	return kt_streq(status, "passed") || kt_streq(status, "drill");
}

/* Tasks were looked at without regard to order; those whose turn has not come are marked as such. */
static void mark_blocked(const struct lab *lab, struct kt_json **tasks)
{
	for (size_t i = 0; i < lab->task_count; i++)
		for (size_t a = 0; a < lab->tasks[i].after_count; a++)
			if (!stands(*tasks, lab->tasks[i].after[a])) {
				struct kt_json **row = kt_edit_at(tasks, i);
				kt_set(row, "status", kt_json_str("blocked"));
				kt_set(row, "findings", kt_json_array());
			}
}

/* --- a drill's timeline --- */

/* How many pods are ready, by what they belong to: {"shop/frontend": 3}. New. */
static struct kt_json *count_ready(const struct kt_json *pods)
{
	struct kt_json *counts = kt_json_object();
	const struct kt_json *pod;
	KT_JSON_EACH (pod, kt_get(pods, "items")) {
		const char *ns = kt_path_str(pod, "metadata.namespace"),
		           *app = kt_path_str(pod, "metadata.labels.app");
		if (!app || kt_streq(ns, "kube-system"))
			continue;
		char *name = kt_strf("%s/%s", ns, app);
		bool ready = is_ready(pod) && !kt_path(pod, "metadata.deletionTimestamp");
		kt_set(&counts, name, kt_json_int(kt_get_int(counts, name, 0) + ready));
		kt_free(name);
	}
	return counts;
}

static struct kt_json *names_down(const struct kt_json *nodes)
{
	struct kt_json *names = kt_json_array();
	const struct kt_json *node;
	KT_JSON_EACH (node, kt_get(nodes, "items"))
		if (!is_ready(node))
			kt_push(&names, kt_json_str(kt_path_str(node, "metadata.name")));
	return names;
}

/* A sample for the timeline, unless the last one says the same. */
static void sample(void *arg, const struct lab_task *task, kt_ns since, kt_ns span)
{
	struct serving *s = arg;
	struct kt_json **line = kt_edit(&s->timelines, task->task);
	size_t count = kt_count(kt_get(*line, "samples"));
	const struct kt_json *last = count ? kt_at(kt_get(*line, "samples"), count - 1) : NULL;
	if (count >= SAMPLES_MAX)
		return;
	struct kt_json *pods = get(s, PODS), *nodes = get(s, "/api/v1/nodes");
	struct kt_json *ready = count_ready(pods), *down = names_down(nodes);
	kt_set(line, "span", kt_json_real((double)span / 1e9));
	if (!last || !kt_equal(kt_get(last, "ready"), ready) || !kt_equal(kt_get(last, "down"), down))
		kt_push(kt_edit(line, "samples"),
		        kt_jsonf("{at: %f, ready: %J, down: %J}", (double)since / 1e9, ready, down));
	kt_json_free(ready);
	kt_json_free(down);
	kt_json_free(pods);
	kt_json_free(nodes);
}

static void tell_timelines(struct serving *s)
{
	if (kt_count(s->timelines))
		tell(s, kt_jsonf("{told: 'drills', timelines: %J}", s->timelines));
	kt_json_freep(&s->timelines);
}

/* What was typed and done so far, in the shell beside this screen, too. */
static void read_learner(const struct serving *s, struct kt_json **answers, struct kt_json **record)
{
	struct db *db = NULL;
	if (db_progress_open(s->options->home, &db, NULL))
		return;
	if (db_replies(db, s->options->lab->lab, answers, NULL))
		*answers = NULL;
	if (db_progress_read(db, record, NULL))
		*record = NULL;
	db_close(db);
}

static void look(struct serving *s, bool whole)
{
	const struct lab *lab = s->options->lab;
	struct kt_err err = {0};
	struct lab_result *result = NULL;
	struct kt_json *answers = NULL, *record = NULL;
	read_learner(s, &answers, &record);
	struct lab_check_options options = {.no_wait = !whole,
	                                    .no_drills = !whole,
	                                    .ignore_after = !whole,
	                                    .answers = answers,
	                                    .record = record,
	                                    .progress = whole ? tui_wire_progress : NULL,
	                                    .progress_arg = &s->wire,
	                                    .moment = whole ? sample : NULL,
	                                    .moment_arg = s};
	enum kt_code rc = lab_check(s->session, lab, &options, &result, &err);
	kt_json_free(answers);
	kt_json_free(record);
	if (rc) {
		say(s, true, err.text);
		return;
	}
	tell_timelines(s);
	struct kt_json *tasks = kt_json_array();
	for (size_t i = 0; i < lab->task_count; i++)
		kt_push(&tasks, task_json(&lab->tasks[i], &result->tasks[i], whole));
	if (!whole)
		mark_blocked(lab, &tasks);
	if (whole && s->wire.cancelled)
		kt_json_free(tasks);
	else
		tell(s, kt_jsonf("{told: 'tasks', whole: %b, passed: %b, points: %d, of: %d, tasks: %j}",
		                 (int)whole, (int)result->passed, (int)result->points, (int)result->points_of,
		                 tasks));
	lab_result_free(result);
}

/* The version of everything, as any list names it. */
static bool version_now(struct serving *s, char out[64])
{
	struct kt_json *list = get(s, "/api/v1/namespaces?limit=1");
	(void)snprintf(out, 64, "%s", kt_str_or(kt_path(list, "metadata.resourceVersion"), ""));
	kt_json_free(list);
	return out[0] != '\0';
}

/* Checks may themselves make and remove things: what counts is the version after them. */
static void look_if_changed(struct serving *s)
{
	char version[64];
	kt_ns now = kt_monotonic();
	if (!version_now(s, version)) {
		if (s->version[0] || !s->looked)
			say(s, true,
			    "the cluster does not answer; leave the lab and start it again: it goes on where "
			    "it was");
		s->version[0] = '\0';
		s->looked = now;
		tui_wire_hear(&s->wire, 1000);
		return;
	}
	if (kt_streq(version, s->version) && s->looked && now - s->looked < LOOK_AGAIN)
		return;
	look(s, false);
	tell_world(s);
	if (!version_now(s, s->version))
		s->version[0] = '\0';
	s->looked = kt_monotonic();
}

/* --- requests --- */

static void do_check(struct serving *s, const struct kt_json *request)
{
	(void)request;
	look(s, true);
}

static void do_reset(struct serving *s, const struct kt_json *request)
{
	struct kt_err err = {0};
	(void)request;
	(void)tui_wire_progress(&s->wire, "putting the lab back to its start", 0, 0);
	if (lab_reset(s->options->lab, &s->lab, &err))
		say(s, true, err.text);
	else
		tell(s, kt_jsonf("{told: 'reset'}"));
}

static void call_clock(struct serving *s, const char *path, const struct kt_json *body)
{
	struct check_answer answer = {0};
	struct kt_err err = {0};
	char *text = kt_json_text(body);
	if (check_request(lab_client(s->session), "POST", path, "application/json", text, strlen(text),
	                  &answer, &err))
		say(s, true, err.text);
	else if (answer.status > 299)
		say(s, true,
		    kt_str_or(kt_get(answer.json, "message"), "this cluster's time cannot be changed"));
	check_answer_clear(&answer);
	kt_free(text);
}

static void do_clock(struct serving *s, const struct kt_json *request)
{
	call_clock(s, "/ktutor/v1/clock", kt_get(request, "body"));
}

static void do_rewind(struct serving *s, const struct kt_json *request)
{
	call_clock(s, "/ktutor/v1/rewind", kt_get(request, "body"));
}

static void do_why(struct serving *s, const struct kt_json *request)
{
	const char *object = kt_str_or(kt_get(request, "object"), "");
	struct kt_buf path = {0};
	kt_buf_adds(&path, "/ktutor/v1/history?object=");
	kt_percent(object, &path);
	struct kt_json *history = get(s, kt_buf_str(&path));
	tell(s, kt_jsonf("{told: 'why', object: %s, events: %J}", object, kt_get(history, "events")));
	kt_json_free(history);
	kt_buf_clear(&path);
}

static void do_compare(struct serving *s, const struct kt_json *request)
{
	(void)request;
	tell(s, kt_jsonf("{told: 'compared', objects: %j}", lab_compare(s->session, s->options->lab)));
}

static const struct {
	const char *word;
	void (*run)(struct serving *s, const struct kt_json *request);
} requests[] = {{"check", do_check},   {"reset", do_reset}, {"clock", do_clock},
                {"rewind", do_rewind}, {"why", do_why},     {"compare", do_compare}};

static void answer_requests(struct serving *s)
{
	while (kt_count(s->wire.asked) && !s->wire.ended) {
		struct kt_json *request = kt_json_ref(kt_at(s->wire.asked, 0));
		kt_remove(&s->wire.asked, 0);
		s->wire.cancelled = false;
		for (size_t i = 0; i < KT_COUNT(requests); i++)
			if (kt_streq(requests[i].word, kt_get_str(request, "do")))
				requests[i].run(s, request);
		kt_json_free(request);
		tell(s, kt_jsonf("{told: 'idle'}"));
		s->looked = 0;
	}
}

static bool start(struct serving *s)
{
	struct kt_err err = {0};
	char *kubeconfig = NULL;
	enum kt_code rc = lab_start(s->options->lab, &s->lab, &kubeconfig, &err);
	if (!rc)
		rc = lab_open(s->options->lab, &s->lab, &s->session, &err);
	if (rc)
		tell(s,
		     kt_jsonf("{told: 'failed', error: %s, cancelled: %b}", err.text, rc == KT_ECANCELLED));
	else
		tell(s, kt_jsonf("{told: 'ready', kubeconfig: %s}", kubeconfig));
	kt_free(kubeconfig);
	return !rc;
}

void tui_worker_serve(const struct tui_worker_options *options, int in, int out)
{
	struct serving s = {.options = options, .wire = {.in = in, .out = out}};
	s.lab = (struct lab_options){.home = options->home,
	                             .provider = options->provider,
	                             .progress = tui_wire_progress,
	                             .progress_arg = &s.wire};
	s.wire.asked = kt_json_array();
	if (start(&s)) {
		while (!s.wire.ended) {
			answer_requests(&s);
			look_if_changed(&s);
			if (!kt_count(s.wire.asked))
				tui_wire_hear(&s.wire, POLL_MS);
		}
		lab_close(s.session);
	}
	kt_json_free(s.wire.asked);
	kt_json_free(s.timelines);
	kt_buf_clear(&s.wire.heard);
}
