/* SPDX-License-Identifier: MIT */
/* ktutor's own routes: the clock, the world, memory. Not Kubernetes. */
#include "cluster/edge/edge_internal.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#define PREFIX        "/ktutor/v1/"
#define MAX_ADVANCE   ((kt_ns)400 * 24 * KT_HOUR)
#define MAX_SPEED     100000.0
#define HISTORY_LIMIT 500

struct call {
	struct edge *edge;
	const char *query;          /* "" if none */
	const struct kt_json *body; /* NULL if none */
	struct kt_json *out;        /* the answer; owned */
	struct kt_err *err;
};

static struct kt_json *time_json(kt_ns t)
{
	if (t == INT64_MAX)
		return NULL;
	struct kt_buf text = {0};
	kt_time_print_micro(t, &text);
	struct kt_json *json = kt_json_strn(kt_buf_str(&text), text.len);
	kt_buf_clear(&text);
	return json;
}

/* --- the clock --- */

static struct kt_json *clock_json(const struct edge *edge)
{
	kt_ns now = cluster_now(edge->cluster);
	return kt_jsonf(
	        "{now: %j, speed: %f, paused: %b, held: %b, next: %j, ahead: %f, waiting: %l, asked: %l}",
	        time_json(now), edge->clock.speed, edge->clock.paused, edge->clock.held,
	        time_json(cluster_next(edge->cluster)),
	        (double)(now - kt_clock_real().now(NULL)) / (double)KT_SEC, (int64_t)edge_waiting(edge),
	        (int64_t)edge->asked);
}

static enum kt_code get_clock(struct call *call)
{
	call->out = clock_json(call->edge);
	return KT_OK;
}

static enum kt_code set_speed(struct edge *edge, const struct kt_json *value, struct kt_err *err)
{
	double speed = kt_real_or(value, 0);
	if (!(speed > 0) || speed > MAX_SPEED)
		return kt_fail(err, KT_EINVAL, "speed: a number above 0, at most %.0f, was expected",
		               MAX_SPEED);
	edge->clock.speed = speed;
	return KT_OK;
}

static enum kt_code advance(struct edge *edge, const struct kt_json *body, struct kt_json **changed,
                            struct kt_err *err)
{
	kt_ns by = 0;
	const char *text = kt_get_str(body, "advance"), *until = kt_get_str(body, "until");
	if (!text || !kt_duration_parse(text, &by) || by < 0 || by > MAX_ADVANCE)
		return kt_fail(err, KT_EINVAL, "advance: a duration such as \"90s\" or \"3m\" was expected");
	if (until && !kt_streq(until, "change"))
		return kt_fail(err, KT_EINVAL, "until: only \"change\" is known");
	kt_ns end = cluster_now(edge->cluster) + by;
	if (until)
		*changed = kt_json_bool(cluster_advance_to_change(edge->cluster, end));
	else
		cluster_advance(edge->cluster, end);
	return KT_OK;
}

/* To the next moment at which something is due. */
static enum kt_code jump(struct edge *edge, const struct kt_json *body, struct kt_json **changed,
                         struct kt_err *err)
{
	kt_ns next = cluster_next(edge->cluster);
	if (!kt_streq(kt_get_str(body, "jump"), "next"))
		return kt_fail(err, KT_EINVAL, "jump: only \"next\" is known");
	if (next != INT64_MAX)
		*changed = kt_json_bool(cluster_advance_to_change(edge->cluster, next));
	return KT_OK;
}

static enum kt_code set_hold(struct edge *edge, const struct kt_json *body, struct kt_err *err)
{
	enum kt_code rc = KT_OK;
	if (kt_get(body, "hold"))
		rc = edge_hold(edge, (long)kt_get_int(body, "hold", 0), err);
	if (kt_get(body, "release"))
		edge_release(edge, (long)kt_get_int(body, "release", 0));
	return rc;
}

static enum kt_code post_clock(struct call *call)
{
	struct edge *edge = call->edge;
	struct edge_clock *clock = &edge->clock;
	const struct kt_json *speed = kt_get(call->body, "speed"), *paused = kt_get(call->body, "paused");
	struct kt_json *changed = NULL;
	enum kt_code rc = KT_OK;
	/* What has passed, has passed at the old pace. */
	(void)edge_tick(edge);
	edge_clock_set(clock, kt_monotonic(), cluster_now(edge->cluster));
	if (speed)
		rc = set_speed(edge, speed, call->err);
	if (!rc && paused)
		clock->paused = kt_bool_or(paused, clock->paused);
	if (!rc)
		rc = set_hold(edge, call->body, call->err);
	if (!rc && kt_get(call->body, "advance"))
		rc = advance(edge, call->body, &changed, call->err);
	if (!rc && kt_get(call->body, "jump"))
		rc = jump(edge, call->body, &changed, call->err);
	edge_clock_set(clock, kt_monotonic(), cluster_now(edge->cluster));
	if (rc) {
		kt_json_free(changed);
		return rc;
	}
	(void)edge_tick(edge);
	call->out = clock_json(edge);
	if (changed)
		kt_set(&call->out, "changed", changed);
	return KT_OK;
}

/* --- the world --- */

static enum kt_code post_disturb(struct call *call)
{
	return cluster_disturb(call->edge->cluster, call->body, &call->out, call->err);
}

/* --- memory --- */

static enum kt_code find_snapshot(struct call *call, struct edge_snapshot **out)
{
	const char *name = kt_get_str(call->body, "name");
	*out = NULL;
	if (!name || !*name || strlen(name) > 63)
		return kt_fail(call->err, KT_EINVAL, "name: a name of 1 to 63 characters was expected");
	for (size_t i = 0; i < call->edge->snapshot_count; i++)
		if (kt_streq(call->edge->snapshots[i].name, name))
			*out = &call->edge->snapshots[i];
	return KT_OK;
}

static enum kt_code post_snapshot(struct call *call)
{
	struct edge *edge = call->edge;
	struct edge_snapshot *snapshot;
	enum kt_code rc = find_snapshot(call, &snapshot);
	if (rc)
		return rc;
	if (snapshot) {
		cluster_snapshot_free(snapshot->snapshot);
	} else if (edge->snapshot_count == EDGE_MAX_SNAPSHOTS) {
		return kt_fail(call->err, KT_ELIMIT, "there are %d snapshots already", EDGE_MAX_SNAPSHOTS);
	} else {
		snapshot = &edge->snapshots[edge->snapshot_count++];
		snapshot->name = kt_strdup(kt_get_str(call->body, "name"));
	}
	snapshot->snapshot = cluster_snapshot(edge->cluster);
	snapshot->at = cluster_now(edge->cluster);
	call->out = kt_jsonf("{name: %s, at: %j}", snapshot->name, time_json(snapshot->at));
	return KT_OK;
}

static enum kt_code post_restore(struct call *call)
{
	struct edge_snapshot *snapshot;
	enum kt_code rc = find_snapshot(call, &snapshot);
	if (rc)
		return rc;
	if (!snapshot)
		return kt_fail(call->err, KT_ENOTFOUND, "no snapshot '%s'", kt_get_str(call->body, "name"));
	cluster_restore(call->edge->cluster, snapshot->snapshot);
	edge_clock_set(&call->edge->clock, kt_monotonic(), cluster_now(call->edge->cluster));
	call->out = clock_json(call->edge);
	return KT_OK;
}

static enum kt_code get_snapshots(struct call *call)
{
	call->out = kt_json_array();
	for (size_t i = 0; i < call->edge->snapshot_count; i++)
		kt_push(&call->out, kt_jsonf("{name: %s, at: %j}", call->edge->snapshots[i].name,
		                             time_json(call->edge->snapshots[i].at)));
	return KT_OK;
}

static enum kt_code post_rewind(struct call *call)
{
	kt_ns to = 0, by = 0;
	const char *text = kt_get_str(call->body, "to");
	if (text && kt_duration_parse(text, &by))
		to = cluster_now(call->edge->cluster) - by;
	else if (!text || !kt_time_parse(text, &to))
		return kt_fail(call->err, KT_EINVAL,
		               "to: a time (RFC 3339) or how long ago (\"5m\") was expected");
	enum kt_code rc = cluster_rewind(call->edge->cluster, to, call->err);
	if (rc)
		return rc;
	edge_clock_set(&call->edge->clock, kt_monotonic(), cluster_now(call->edge->cluster));
	call->out = clock_json(call->edge);
	return KT_OK;
}

/* The decoded value of a query parameter, owned; NULL if it is not there. */
static char *parameter(const char *query, const char *name)
{
	size_t len, name_len = strlen(name);
	const char *piece;
	while (query && (piece = kt_split(&query, '&', &len))) {
		if (len <= name_len || piece[name_len] != '=' || strncmp(piece, name, name_len) != 0)
			continue;
		struct kt_buf value = {0};
		if (kt_unpercent(piece + name_len + 1, len - name_len - 1, true, &value))
			return kt_buf_take(&value);
		kt_buf_clear(&value);
	}
	return NULL;
}

static enum kt_code get_traffic(struct call *call)
{
	char *text = parameter(call->query, "since");
	kt_ns since = 0;
	bool wrong = text && !kt_time_parse(text, &since);
	if (wrong)
		kt_fail(call->err, KT_EINVAL, "since: an RFC 3339 time was expected, not '%s'", text);
	else
		call->out = cluster_traffic(call->edge->cluster, since);
	kt_free(text);
	return wrong ? KT_EINVAL : KT_OK;
}

static enum kt_code get_history(struct call *call)
{
	char *object = parameter(call->query, "object"), *since = parameter(call->query, "since");
	uint64_t version = 0;
	for (const char *c = since; c && *c >= '0' && *c <= '9'; c++)
		version = version * 10 + (uint64_t)(*c - '0');
	call->out = cluster_history(call->edge->cluster, object, version, HISTORY_LIMIT);
	kt_free(object);
	kt_free(since);
	return KT_OK;
}

/* --- the process --- */

/* Resident bytes now, or at their highest where the system does not say. */
static int64_t resident(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (file) {
		int got = fscanf(file, "%*s %ld", &pages);
		(void)fclose(file);
		if (got == 1)
			return (int64_t)pages * sysconf(_SC_PAGESIZE);
	}
	struct rusage usage;
	if (getrusage(RUSAGE_SELF, &usage))
		return 0;
#ifdef __APPLE__
	return usage.ru_maxrss;
#else
	return usage.ru_maxrss * 1024;
#endif
}

static int64_t count(struct edge *edge, const char *target)
{
	struct cluster_request request = {.method = "GET", .target = target, .loopback_admin = true};
	struct cluster_response response = {0};
	struct kt_json *list = NULL;
	int64_t n = -1;
	cluster_handle(edge->cluster, &request, &response);
	if (response.status == 200 &&
	    !kt_json_parse(kt_buf_str(&response.body), response.body.len, NULL, &list, NULL, NULL))
		n = (int64_t)kt_count(kt_get(list, "items")) +
		    kt_path_int(list, "metadata.remainingItemCount", 0);
	kt_json_free(list);
	cluster_response_clear(&response);
	return n;
}

static enum kt_code get_status(struct call *call)
{
	struct edge *edge = call->edge;
	call->out =
	        kt_jsonf("{name: %s, server: %s, pid: %l, nodes: %l, pods: %l, memory: %l, connections: %l, "
	                 "uptime: %f, clock: %j, journal: %s}",
	                 edge->name, edge->address, (int64_t)getpid(), count(edge, "/api/v1/nodes?limit=1"),
	                 count(edge, "/api/v1/pods?limit=1"), resident(), (int64_t)edge->conn_count,
	                 (double)(kt_monotonic() - edge->started) / (double)KT_SEC, clock_json(edge),
	                 edge->flush_trouble);
	return KT_OK;
}

static enum kt_code post_stop(struct call *call)
{
	call->edge->stopping = true;
	call->out = kt_jsonf("{stopping: %j}", kt_json_bool(true));
	return KT_OK;
}

/* --- the table --- */

static const struct route {
	const char *method, *path;
	enum kt_code (*fn)(struct call *call);
} routes[] = {
        {"GET", "clock", get_clock},       {"POST", "clock", post_clock},
        {"POST", "disturb", post_disturb}, {"POST", "snapshot", post_snapshot},
        {"POST", "restore", post_restore}, {"GET", "snapshots", get_snapshots},
        {"POST", "rewind", post_rewind},   {"GET", "history", get_history},
        {"GET", "traffic", get_traffic},   {"GET", "status", get_status},
        {"POST", "stop", post_stop},
};

static const struct {
	enum kt_code code;
	int status;
	const char *reason;
} statuses[] = {
        {KT_EINVAL, 400, "BadRequest"},         {KT_ENOTFOUND, 404, "NotFound"},
        {KT_EEXIST, 409, "AlreadyExists"},      {KT_ECONFLICT, 409, "Conflict"},
        {KT_ELIMIT, 403, "Forbidden"},          {KT_EDENIED, 403, "Forbidden"},
        {KT_EUNSUPPORTED, 501, "NotSupported"},
};

bool control_is_route(const char *target)
{
	return kt_starts(target, PREFIX);
}

static const struct route *find_route(const char *method, const char *path, size_t len, int *status)
{
	*status = 404;
	for (size_t i = 0; i < KT_COUNT(routes); i++) {
		if (strlen(routes[i].path) != len || strncmp(routes[i].path, path, len) != 0)
			continue;
		*status = 405;
		if (kt_streq(routes[i].method, method))
			return &routes[i];
	}
	return NULL;
}

static void fail(struct cluster_response *response, enum kt_code code, const char *message)
{
	for (size_t i = 0; i < KT_COUNT(statuses); i++) {
		if (statuses[i].code == code) {
			http_fail(response, statuses[i].status, statuses[i].reason, message);
			return;
		}
	}
	http_fail(response, 500, "InternalError", message);
}

void control_handle(struct edge *edge, const struct cluster_request *request,
                    struct cluster_response *response)
{
	const char *path = request->target + strlen(PREFIX);
	size_t len = strcspn(path, "?");
	int status = 0;
	const struct route *route = find_route(request->method, path, len, &status);
	if (!route) {
		http_fail(response, status, status == 404 ? "NotFound" : "MethodNotAllowed",
		          status == 404 ? "no such route of ktutor" : "no such method on this route");
		return;
	}
	struct kt_err err = {0};
	struct kt_json *body = NULL;
	struct call call = {.edge = edge, .query = path[len] ? path + len + 1 : "", .err = &err};
	enum kt_code rc = KT_OK;
	if (request->body_len)
		rc = kt_json_parse(request->body, request->body_len, NULL, &body, NULL, &err);
	call.body = body;
	if (!rc)
		rc = route->fn(&call);
	if (rc) {
		fail(response, rc, err.text);
	} else {
		response->status = 200;
		memcpy(response->content_type, "application/json", sizeof "application/json");
		kt_json_print(call.out, &response->body);
		kt_buf_addc(&response->body, '\n');
	}
	kt_json_free(call.out);
	kt_json_free(body);
}
