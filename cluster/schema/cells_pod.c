/* SPDX-License-Identifier: MIT */
/* Cells of a pod (printPod in kubernetes pkg/printers/internalversion/printers.go). */
#include "cluster/schema/cells_internal.h"

#include <stdio.h>
#include <string.h>

enum { REASON = 300 };

struct pod_row {
	const struct cell_source *from;
	char reason[REASON];
	int64_t restarts, total, ready;
	kt_ns restarted; /* 0: never */
};

static void set_reason(struct pod_row *row, const char *prefix, const char *reason)
{
	(void)snprintf(row->reason, sizeof(row->reason), "%s%s", prefix, reason);
}

static void set_exit(struct pod_row *row, const char *prefix, const struct kt_json *terminated)
{
	int64_t signal = kt_get_int(terminated, "signal", 0);
	(void)snprintf(row->reason, sizeof(row->reason), "%s%s:%lld", prefix, signal ? "Signal" : "ExitCode",
	               (long long)(signal ? signal : kt_get_int(terminated, "exitCode", 0)));
}

static const char *reason_of(const struct kt_json *state)
{
	const char *reason = kt_get_str(state, "reason");
	return reason && *reason ? reason : NULL;
}

static void count_restarts(struct pod_row *row, const struct kt_json *status)
{
	kt_ns t;
	const char *finished = kt_get_str(kt_get(kt_get(status, "lastState"), "terminated"), "finishedAt");
	row->restarts += kt_get_int(status, "restartCount", 0);
	if (finished && kt_time_parse(finished, &t) && t > row->restarted)
		row->restarted = t;
}

static bool is_sidecar(const struct kt_json *container)
{
	return kt_streq(kt_get_str(container, "restartPolicy"), "Always");
}

static const struct kt_json *container_named(const struct kt_json *list, const char *name)
{
	ptrdiff_t i = name ? kt_find(list, "name", name) : -1;
	return i < 0 ? NULL : kt_at(list, (size_t)i);
}

/* One init container; true if the pod is held up at it. */
static bool held_up(struct pod_row *row, const struct kt_json *status, bool sidecar, size_t i, size_t count)
{
	const struct kt_json *state = kt_get(status, "state");
	const struct kt_json *terminated = kt_get(state, "terminated"), *waiting = kt_get(state, "waiting");
	if (terminated && !kt_get_int(terminated, "exitCode", 0))
		return false;
	if (sidecar && kt_get_bool(status, "started", false)) {
		row->ready += kt_get_bool(status, "ready", false);
		return false;
	}
	if (terminated) {
		if (reason_of(terminated))
			set_reason(row, "Init:", reason_of(terminated));
		else
			set_exit(row, "Init:", terminated);
	} else if (reason_of(waiting) && strcmp(reason_of(waiting), "PodInitializing") != 0) {
		set_reason(row, "Init:", reason_of(waiting));
	} else {
		(void)snprintf(row->reason, sizeof(row->reason), "Init:%zu/%zu", i, count);
	}
	return true;
}

/* Returns whether the pod is still initializing; *sidecars gets what counts once it is not. */
static bool walk_init(struct pod_row *row, struct pod_row *sidecars)
{
	const struct kt_json *specs = kt_get(row->from->spec, "initContainers");
	const struct kt_json *list = kt_get(row->from->status, "initContainerStatuses");
	for (size_t i = 0; i < kt_count(specs); i++)
		row->total += is_sidecar(kt_at(specs, i));
	for (size_t i = 0; i < kt_count(list); i++) {
		const struct kt_json *status = kt_at(list, i);
		bool sidecar = is_sidecar(container_named(specs, kt_get_str(status, "name")));
		count_restarts(row, status);
		if (sidecar)
			count_restarts(sidecars, status);
		if (held_up(row, status, sidecar, i, kt_count(specs)))
			return true;
	}
	return false;
}

static void walk_containers(struct pod_row *row)
{
	const struct kt_json *list = kt_get(row->from->status, "containerStatuses");
	bool running = false;
	for (size_t i = kt_count(list); i-- > 0;) {
		const struct kt_json *status = kt_at(list, i), *state = kt_get(status, "state");
		const struct kt_json *terminated = kt_get(state, "terminated"),
		                     *waiting = kt_get(state, "waiting");
		count_restarts(row, status);
		if (reason_of(waiting)) {
			set_reason(row, "", reason_of(waiting));
		} else if (reason_of(terminated)) {
			set_reason(row, "", reason_of(terminated));
		} else if (terminated) {
			set_exit(row, "", terminated);
		} else if (kt_get_bool(status, "ready", false) && kt_get(state, "running")) {
			running = true;
			row->ready++;
		}
	}
	if (running && !strcmp(row->reason, "Completed"))
		set_reason(row, "",
		           cell_condition_true(kt_get(row->from->status, "conditions"), "Ready")
		                   ? "Running"
		                   : "NotReady");
}

static void find_status(struct pod_row *row)
{
	const struct kt_json *status = row->from->status, *conditions = kt_get(status, "conditions");
	const char *phase = kt_str_or(kt_get(status, "phase"), ""), *why = reason_of(status);
	struct pod_row sidecars = {.from = row->from};
	set_reason(row, "", why ? why : phase);
	if (kt_streq(kt_get_str(cell_condition(conditions, "PodScheduled"), "reason"), "SchedulingGated"))
		set_reason(row, "", "SchedulingGated");
	row->total = (int64_t)kt_count(kt_get(row->from->spec, "containers"));
	bool initializing = walk_init(row, &sidecars);
	if (!initializing || cell_condition_true(conditions, "Initialized")) {
		row->restarts = sidecars.restarts;
		row->restarted = sidecars.restarted;
		walk_containers(row);
	}
	if (!kt_get(row->from->metadata, "deletionTimestamp"))
		return;
	if (kt_streq(why, "NodeLost"))
		set_reason(row, "", "Unknown");
	else if (strcmp(phase, "Succeeded") != 0 && strcmp(phase, "Failed") != 0)
		set_reason(row, "", "Terminating");
}

static struct kt_json *or_none(const struct kt_json *v)
{
	return kt_str_len(v) ? kt_json_ref(v) : kt_json_str("<none>");
}

static struct kt_json *restarts_cell(const struct pod_row *row)
{
	struct kt_buf buf = {0};
	kt_buf_addf(&buf, "%lld", (long long)row->restarts);
	if (row->restarts && row->restarted) {
		kt_buf_adds(&buf, " (");
		kt_duration_print_human(row->from->now - row->restarted, &buf);
		kt_buf_adds(&buf, " ago)");
	}
	return cell_take(&buf);
}

static struct kt_json *gates_cell(const struct cell_source *from)
{
	const struct kt_json *gates = kt_get(from->spec, "readinessGates"), *gate;
	int held = 0;
	if (!kt_count(gates))
		return kt_json_str("<none>");
	KT_JSON_EACH (gate, gates)
		held += cell_condition_true(kt_get(from->status, "conditions"),
		                            kt_str_or(kt_get(gate, "conditionType"), ""));
	return kt_json_strf("%d/%zu", held, kt_count(gates));
}

void cells_of_pod(const struct cell_source *from, struct kt_json **cells)
{
	struct pod_row row = {.from = from};
	char ready[64];
	find_status(&row);
	(void)snprintf(ready, sizeof(ready), "%lld/%lld", (long long)row.ready, (long long)row.total);
	kt_push(cells, kt_json_str(kt_str_or(kt_get(from->metadata, "name"), "")));
	kt_push(cells, kt_json_str(ready));
	kt_push(cells, kt_json_str(row.reason));
	kt_push(cells, restarts_cell(&row));
	kt_push(cells, cell_since(kt_get(from->metadata, "creationTimestamp"), from->now));
	kt_push(cells, or_none(kt_get(kt_at(kt_get(from->status, "podIPs"), 0), "ip")));
	kt_push(cells, or_none(kt_get(from->spec, "nodeName")));
	kt_push(cells, or_none(kt_get(from->status, "nominatedNodeName")));
	kt_push(cells, gates_cell(from));
}
