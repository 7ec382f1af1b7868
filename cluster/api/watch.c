/* SPDX-License-Identifier: MIT */
/* Watches read from the store's history: nothing is buffered for a slow client, and one that is too slow is
 * told that its version is gone, as by etcd. */
#include "cluster/api/internal.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BOOKMARK_EVERY (60 * KT_SEC)
#define PIECE          ((size_t)64 << 10)

struct api_watch {
	struct cluster_stream stream; /* first: a watch is a stream */
	struct api_state *state;      /* NULL: the cluster is gone */
	struct api_watch *next, **link;
	const struct schema_kind *kind;
	struct api_filter filter;
	char *ns, *name, *include_object;
	struct api_rendering rendering;
	uint64_t since, hint;
	struct store_list initial;
	size_t initial_at;
	bool end_bookmark; /* owed: the one that closes the initial events */
	bool bookmarks, bookmark_due, over, expired;
	uint64_t bookmarked; /* version of the last one */
	uint64_t deadline, bookmark_timer;
};

/* --- events as lines --- */
static void line(struct api_watch *watch, const char *type, const struct kt_json *object, struct kt_buf *out)
{
	watch->rendering.now = cluster_now(watch->state->cluster);
	watch->rendering.offset = cluster_wire_offset(watch->state->cluster);
	kt_buf_addf(out, "{\"type\":\"%s\",\"object\":", type);
	api_render(&watch->rendering, object, out);
	kt_buf_adds(out, "}\n");
	watch->rendering.first = false;
}

static void bookmark(struct api_watch *watch, bool end, struct kt_buf *out)
{
	char *version = kt_strf("%" PRIu64, watch->since);
	struct kt_json *object = kt_jsonf("{kind: %s, apiVersion: %s, metadata: {resourceVersion: %s}}",
	                                  watch->kind->kind, watch->kind->api_version, version);
	struct api_rendering plain = watch->rendering;

	if (end)
		kt_set_path(&object, "metadata.annotations",
		            kt_jsonf("{'k8s.io/initial-events-end': 'true'}"));
	if (plain.as == API_AS_TABLE) {
		line(watch, "BOOKMARK", object, out);
	} else {
		kt_buf_adds(out, "{\"type\":\"BOOKMARK\",\"object\":");
		kt_json_print(object, out);
		kt_buf_adds(out, "}\n");
	}
	kt_json_free(object);
	kt_free(version);
	watch->bookmarked = watch->since;
	watch->bookmark_due = false;
}

static void expire(struct api_watch *watch, struct kt_buf *out)
{
	struct store *store = cluster_store(watch->state->cluster);

	kt_buf_addf(
	        out,
	        "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
	        "\"status\":\"Failure\",\"message\":\"too old resource version: %" PRIu64 " (%" PRIu64
	        ")\",\"reason\":\"Expired\",\"code\":410}}\n",
	        watch->since, store_kind_compacted(store, watch->kind->storage) + 1);
	watch->over = true;
}

/* The old object as it leaves the selection, with the version of the change. */
static struct kt_json *leaving(const struct store_event *event)
{
	struct kt_json *object = kt_json_ref(event->old->json);

	kt_set_path(&object, "metadata.resourceVersion",
	            kt_json_ref(kt_path(event->object->json, "metadata.resourceVersion")));
	return object;
}

static void tell(struct api_watch *watch, const struct store_event *event, struct kt_buf *out)
{
	const struct schema_kind *kind = watch->kind;
	bool is = false, was;

	if (watch->ns && strcmp(event->object->ns, watch->ns) != 0)
		return;
	if (event->change != STORE_DELETED)
		is = api_filter_matches(&watch->filter, kind, event->object->json);
	was = event->old && api_filter_matches(&watch->filter, kind, event->old->json);
	if (is) {
		line(watch, was ? "MODIFIED" : "ADDED", event->object->json, out);
	} else if (was && event->change == STORE_DELETED) {
		line(watch, "DELETED", event->object->json, out);
	} else if (was) {
		struct kt_json *object = leaving(event);

		line(watch, "DELETED", object, out);
		kt_json_free(object);
	}
}

static void tell_initial(struct api_watch *watch, struct kt_buf *out)
{
	while (watch->initial_at < watch->initial.count && out->len < PIECE) {
		const struct store_object *object = watch->initial.items[watch->initial_at++];

		if (api_filter_matches(&watch->filter, watch->kind, object->json))
			line(watch, "ADDED", object->json, out);
	}
	if (watch->initial_at == watch->initial.count)
		store_list_clear(&watch->initial);
}

static void tell_events(struct api_watch *watch, struct kt_buf *out)
{
	struct store *store = cluster_store(watch->state->cluster);
	const struct store_event *event;

	if (watch->since < store_kind_compacted(store, watch->kind->storage)) {
		expire(watch, out);
		return;
	}
	while (out->len < PIECE &&
	       (event = store_next_event(store, watch->kind->storage, watch->since, watch->hint))) {
		watch->since = watch->hint = event->version;
		tell(watch, event, out);
	}
	if (out->len < PIECE)
		watch->since = KT_MAX(watch->since, store_version(store));
}

static enum cluster_stream_state watch_read(struct cluster_stream *stream, unsigned *channel,
                                            struct kt_buf *out)
{
	struct api_watch *watch = (struct api_watch *)stream;
	size_t before = out->len;

	*channel = 0;
	if (!watch->state || watch->over)
		return CLUSTER_STREAM_END;
	tell_initial(watch, out);
	if (watch->initial.count)
		return CLUSTER_STREAM_DATA;
	if (watch->end_bookmark) {
		watch->end_bookmark = false;
		bookmark(watch, true, out);
	}
	tell_events(watch, out);
	if (!watch->over && watch->bookmark_due && watch->bookmarked != watch->since)
		bookmark(watch, false, out);
	watch->bookmark_due = false;
	if (out->len > before)
		return CLUSTER_STREAM_DATA;
	return watch->expired ? CLUSTER_STREAM_END : CLUSTER_STREAM_WAIT;
}

/* --- life --- */
static void unlink_watch(struct api_watch *watch)
{
	if (!watch->state)
		return;
	cluster_cancel(watch->state->cluster, watch->deadline);
	cluster_cancel(watch->state->cluster, watch->bookmark_timer);
	*watch->link = watch->next;
	if (watch->next)
		watch->next->link = watch->link;
	watch->state = NULL;
}

static void watch_free(struct cluster_stream *stream)
{
	struct api_watch *watch = (struct api_watch *)stream;

	unlink_watch(watch);
	store_list_clear(&watch->initial);
	api_filter_clear(&watch->filter);
	kt_free(watch->ns);
	kt_free(watch->name);
	kt_free(watch->include_object);
	kt_free(watch);
}

static const struct api_stream_ops watch_ops = {
        .kind = CLUSTER_STREAM_CHUNKS,
        .read = watch_read,
        .free = watch_free,
};

static void time_is_up(struct cluster *cluster, void *arg)
{
	struct api_watch *watch = arg;

	(void)cluster;
	watch->deadline = 0;
	watch->expired = true;
	/* the last bookmark lets the client go on from here */
	watch->bookmark_due = watch->bookmarks;
	api_stream_wake(&watch->stream);
}

static void bookmark_time(struct cluster *cluster, void *arg)
{
	struct api_watch *watch = arg;

	watch->bookmark_due = true;
	watch->bookmark_timer = cluster_after(cluster, BOOKMARK_EVERY, bookmark_time, watch);
	api_stream_wake(&watch->stream);
}

void api_watch_observe(struct api_state *state, const struct store_event *event)
{
	for (struct api_watch *watch = state->watches; watch; watch = watch->next) {
		if (watch->kind->storage == event->object->kind &&
		    (!watch->ns || strcmp(watch->ns, event->object->ns) == 0))
			api_stream_wake(&watch->stream);
	}
}

/* The server's own: 30 to 60 minutes (kubernetes apiserver/pkg/endpoints/handlers/get.go). Who only looks on
 * draws nothing from the cluster's randomness: names must not depend on it. */
static kt_ns own_timeout(struct cluster *cluster)
{
	struct kt_random *random = &cluster_api_state(cluster)->watch_random;

	return (1800 + (kt_ns)kt_random_below(random, 1800)) * KT_SEC;
}

static bool timeout_of(struct api_request *request, kt_ns *out)
{
	const char *text = api_query(request, "timeoutSeconds");
	char *end = NULL;
	long long seconds = text && *text ? strtoll(text, &end, 10) : 0;

	if (end && *end)
		return api_fail(&request->status, 400, "BadRequest",
		                "strconv.ParseInt: parsing \"%s\": invalid syntax", text);
	*out = seconds > 0 && seconds < 86400 ? seconds * KT_SEC : own_timeout(request->cluster);
	return true;
}

static void begin(struct api_watch *watch, struct api_request *request, uint64_t version)
{
	struct store *store = cluster_store(request->cluster);
	const char *asked = api_query(request, "sendInitialEvents");
	bool explicitly = api_query_bool(request, "sendInitialEvents");

	watch->since = watch->bookmarked = version ? version : store_version(store);
	if (!explicitly && (version || asked))
		return;
	watch->since = store_version(store);
	store_list(store, watch->kind->storage, watch->ns, &watch->initial);
	watch->end_bookmark = explicitly && watch->bookmarks;
}

void api_watch_start(struct api_request *request)
{
	struct api_state *state = cluster_api_state(request->cluster);
	struct api_watch *watch;
	struct api_filter filter;
	uint64_t version;
	kt_ns timeout = 0;
	const char *include = api_query(request, "includeObject");

	if (request->kind->unstored) {
		api_respond_text(request, 405, "text/plain; charset=utf-8", "405: Method Not Allowed");
		return;
	}
	if (!api_list_options_fit(request, true) || !timeout_of(request, &timeout) ||
	    !api_parse_version(request, api_query(request, "resourceVersion"), &version) ||
	    !api_filter_init(&filter, request))
		return;
	watch = kt_alloc(sizeof(*watch));
	watch->stream.ops = &watch_ops;
	watch->state = state;
	watch->kind = request->kind;
	watch->filter = filter;
	watch->ns = *request->ns ? kt_strdup(request->ns) : NULL;
	watch->name = kt_strdup(filter.name);
	watch->filter.name = watch->name;
	watch->include_object = kt_strdup(include && *include ? include : "Metadata");
	watch->bookmarks = api_query_bool(request, "allowWatchBookmarks");
	watch->rendering = (struct api_rendering){
	        .kind = request->kind,
	        .as = request->as,
	        .as_version = request->as_version ? request->as_version : "v1",
	        .include_object = watch->include_object,
	        .first = true,
	};
	begin(watch, request, version);
	watch->next = state->watches;
	watch->link = &state->watches;
	if (watch->next)
		watch->next->link = &watch->next;
	state->watches = watch;
	watch->deadline = cluster_after(request->cluster, timeout, time_is_up, watch);
	if (watch->bookmarks)
		watch->bookmark_timer = cluster_after(request->cluster, BOOKMARK_EVERY, bookmark_time, watch);
	api_respond_text(request, 200, "application/json", "");
	request->response->stream = &watch->stream;
}

void api_watch_forget_all(struct api_state *state)
{
	while (state->watches) {
		struct api_watch *watch = state->watches;

		unlink_watch(watch);
		api_stream_wake(&watch->stream);
	}
}
