/* SPDX-License-Identifier: MIT */
/* The cluster as a value: time, parts, what is kept, snapshots. */
#include "cluster/api/state.h"
#include "cluster/journal.h"
#include "cluster/timers.h"
#include <string.h>

struct cluster_snapshot {
	struct store_snapshot *store;
	struct kt_json *kept;
	struct kt_random random;
	kt_ns now;
};

/* --- time --- */
kt_ns cluster_now(const struct cluster *cluster)
{
	return cluster->now;
}

kt_ns cluster_next(const struct cluster *cluster)
{
	return cluster_timers_next(&cluster->timers);
}

static bool run_next(struct cluster *cluster, kt_ns until)
{
	struct cluster_timer timer;

	if (cluster_next(cluster) > until || !cluster_timers_take(&cluster->timers, &timer))
		return false;
	cluster->now = KT_MAX(cluster->now, timer.when);
	timer.fn(cluster, timer.arg);
	return true;
}

void cluster_advance(struct cluster *cluster, kt_ns until)
{
	while (run_next(cluster, until))
		;
	cluster->now = KT_MAX(cluster->now, until);
}

bool cluster_advance_to_change(struct cluster *cluster, kt_ns until)
{
	uint64_t before = cluster->changes;

	while (run_next(cluster, until)) {
		if (cluster->changes != before)
			return true;
	}
	cluster->now = KT_MAX(cluster->now, until);
	return false;
}

uint64_t cluster_at(struct cluster *cluster, kt_ns when, cluster_timer_fn *fn, void *arg)
{
	return cluster_timers_add(&cluster->timers, when, fn, arg);
}

uint64_t cluster_after(struct cluster *cluster, kt_ns delay, cluster_timer_fn *fn, void *arg)
{
	return cluster_timers_add(&cluster->timers, cluster->now + KT_MAX(delay, 0), fn, arg);
}

void cluster_cancel(struct cluster *cluster, uint64_t timer)
{
	cluster_timers_cancel(&cluster->timers, timer);
}

void cluster_set_wire_offset(struct cluster *cluster, kt_ns offset)
{
	cluster->wire_offset = offset;
}

kt_ns cluster_wire_offset(const struct cluster *cluster)
{
	return cluster->wire_offset;
}

/* --- what parts see --- */
struct store *cluster_store(struct cluster *cluster)
{
	return cluster->store;
}

struct schema *cluster_schema(struct cluster *cluster)
{
	return cluster->schema;
}

struct kt_random *cluster_random(struct cluster *cluster)
{
	return &cluster->random;
}

const struct cluster_options *cluster_get_options(const struct cluster *cluster)
{
	return &cluster->options;
}

struct api_state *cluster_api_state(struct cluster *cluster)
{
	return cluster->api;
}

uint64_t cluster_hash(const struct cluster *cluster, const char *words)
{
	uint64_t h = kt_hash(words, strlen(words)) ^ (cluster->options.seed * 0x9e3779b97f4a7c15u);

	h = (h ^ (h >> 31)) * 0xbf58476d1ce4e5b9u;
	return h ^ (h >> 29);
}

/* --- parts --- */
static size_t part_count(void)
{
	size_t count = 0;

	while (cluster_parts[count])
		count++;
	return count;
}

void *cluster_part_state(struct cluster *cluster, const struct cluster_part *part)
{
	for (size_t i = 0; cluster_parts[i]; i++) {
		if (cluster_parts[i] == part)
			return cluster->part_states[i];
	}
	return NULL;
}

static void start_parts(struct cluster *cluster)
{
	for (size_t i = 0; cluster_parts[i]; i++) {
		cluster->part_states[i] = cluster_parts[i]->start ? cluster_parts[i]->start(cluster) : NULL;
		cluster->part_runs[i] = true;
	}
}

static void stop_parts(struct cluster *cluster)
{
	for (size_t i = part_count(); i-- > 0;) {
		if (cluster->part_runs[i] && cluster_parts[i]->stop)
			cluster_parts[i]->stop(cluster, cluster->part_states[i]);
		cluster->part_runs[i] = false;
		cluster->part_states[i] = NULL;
	}
}

/* Kinds come and go with their definitions. */
static void follow_crd(struct cluster *cluster, const struct store_event *event)
{
	if (event->change == STORE_DELETED) {
		api_crd_remove_objects(cluster, event->object);
		schema_remove_crd(cluster->schema, event->object->name);
		return;
	}
	/* the status alone does not make other kinds */
	if (event->old && kt_equal(kt_get(event->old->json, "spec"), kt_get(event->object->json, "spec")))
		return;
	(void)!schema_add_crd(cluster->schema, event->object->json, NULL);
}

/* The holder of a lease says that it is still there. */
static bool is_heartbeat(const struct cluster *cluster, const struct store_event *event)
{
	return event->object->kind == cluster->lease_kind && event->change == STORE_MODIFIED &&
	       kt_equal(kt_path(event->object->json, "spec.holderIdentity"),
	                kt_path(event->old->json, "spec.holderIdentity"));
}

static void on_event(void *arg, const struct store_event *event)
{
	struct cluster *cluster = arg;

	cluster->changes += !is_heartbeat(cluster, event);
	if (event->object->kind == cluster->crd_kind)
		follow_crd(cluster, event);
	api_observe(cluster, event);
	for (size_t i = 0; cluster_parts[i]; i++) {
		if (cluster->part_runs[i] && cluster_parts[i]->observe)
			cluster_parts[i]->observe(cluster, cluster->part_states[i], event);
	}
}

/* --- kept things --- */
enum { KEPT_BEFORE = 2000 };

static void forget_kept(struct cluster *cluster, size_t from, size_t count)
{
	if (!count) /* there may be no array yet */
		return;
	for (size_t i = from; i < from + count; i++)
		kt_json_free(cluster->kept_before[i].kept);
	memmove(cluster->kept_before + from, cluster->kept_before + from + count,
	        (cluster->kept_before_count - from - count) * sizeof(*cluster->kept_before));
	cluster->kept_before_count -= count;
}

/* What was kept at `t`: what it was before the first change after that. */
static const struct kt_json *kept_at(const struct cluster *cluster, kt_ns t)
{
	for (size_t i = 0; i < cluster->kept_before_count; i++) {
		if (cluster->kept_before[i].at > t)
			return cluster->kept_before[i].kept;
	}
	return cluster->kept;
}

/* Time went back to `t`: what was noted after that did not happen. */
static void unhappen_kept(struct cluster *cluster, kt_ns t)
{
	size_t i = 0;
	while (i < cluster->kept_before_count && cluster->kept_before[i].at <= t)
		i++;
	if (i < cluster->kept_before_count)
		forget_kept(cluster, i, cluster->kept_before_count - i);
}

static void note_kept(struct cluster *cluster)
{
	size_t count = cluster->kept_before_count;
	if (count && cluster->kept_before[count - 1].at == cluster->now)
		return;
	if (count == KEPT_BEFORE)
		forget_kept(cluster, 0, KEPT_BEFORE / 4);
	cluster->kept_before = kt_grow(cluster->kept_before, &cluster->kept_before_cap,
	                               cluster->kept_before_count + 1, sizeof(*cluster->kept_before));
	cluster->kept_before[cluster->kept_before_count++] =
	        (struct cluster_kept_before){cluster->now, kt_json_ref(cluster->kept)};
}

void cluster_keep(struct cluster *cluster, const char *key, struct kt_json *steal)
{
	note_kept(cluster);
	kt_set(&cluster->kept, key, steal);
	if (cluster->options.journal && !kt_strs_has(&cluster->kept_dirty, key))
		kt_strs_add(&cluster->kept_dirty, key);
}

const struct kt_json *cluster_kept(const struct cluster *cluster, const char *key)
{
	return kt_get(cluster->kept, key);
}

void cluster_kept_keys(const struct cluster *cluster, const char *prefix, struct kt_strs *out)
{
	for (size_t i = 0, n = kt_count(cluster->kept); i < n; i++) {
		if (kt_starts(kt_key(cluster->kept, i), prefix))
			kt_strs_add(out, kt_key(cluster->kept, i));
	}
	kt_strs_sort(out);
}

/* --- life --- */
static void copy_options(struct cluster *cluster, const struct cluster_options *options)
{
	cluster->options = *options;
	cluster->options.name = kt_strdup(options->name ? options->name : "ktutor");
	cluster->options.ca_pem = kt_strdup(options->ca_pem);
	cluster->options.server_address = kt_strdup(options->server_address);
	cluster->options.nodes = kt_json_ref(options->nodes);
}

enum kt_code cluster_new(const struct cluster_options *options, struct cluster **out, struct kt_err *err)
{
	struct cluster *cluster = kt_alloc(sizeof(*cluster));
	bool found = false;

	copy_options(cluster, options);
	cluster->now = options->now;
	kt_random_init(&cluster->random, options->seed);
	cluster->schema = schema_new();
	cluster->store = store_new();
	cluster->kept = kt_json_object();
	cluster->part_states = kt_alloc((part_count() + 1) * sizeof(void *));
	cluster->part_runs = kt_alloc(part_count() + 1);
	cluster->crd_kind =
	        schema_by_kind(cluster->schema, "apiextensions.k8s.io", "v1", "CustomResourceDefinition");
	cluster->lease_kind = schema_by_kind(cluster->schema, "coordination.k8s.io", "v1", "Lease");
	if (options->journal) {
		enum kt_code rc = cluster_journal_read(cluster, &found, err);

		if (rc) {
			cluster_free(cluster);
			return kt_wrap(err, "cluster '%s'", options->name ? options->name : "ktutor");
		}
		store_track(cluster->store);
	}
	cluster->api = api_state_new(cluster);
	cluster->listener = store_listen(cluster->store, on_event, cluster);
	if (!found)
		api_bootstrap(cluster);
	start_parts(cluster);
	*out = cluster;
	return KT_OK;
}

void cluster_free(struct cluster *cluster)
{
	if (!cluster)
		return;
	stop_parts(cluster);
	api_state_free(cluster->api);
	store_free(cluster->store);
	schema_free(cluster->schema);
	cluster_timers_clear(&cluster->timers);
	cluster_batch_free(cluster->unwritten);
	kt_strs_clear(&cluster->kept_dirty);
	forget_kept(cluster, 0, cluster->kept_before_count);
	kt_free(cluster->kept_before);
	kt_json_free(cluster->kept);
	kt_free(cluster->part_states);
	kt_free(cluster->part_runs);
	kt_free((void *)(uintptr_t)cluster->options.name);
	kt_free((void *)(uintptr_t)cluster->options.ca_pem);
	kt_free((void *)(uintptr_t)cluster->options.server_address);
	kt_json_free((struct kt_json *)(uintptr_t)cluster->options.nodes);
	kt_free(cluster);
}

enum kt_code cluster_flush(struct cluster *cluster, struct kt_err *err)
{
	return cluster->options.journal ? cluster_journal_write(cluster, err) : KT_OK;
}

/* --- snapshots --- */
struct cluster_snapshot *cluster_snapshot(struct cluster *cluster)
{
	struct cluster_snapshot *snapshot = kt_alloc(sizeof(*snapshot));

	for (size_t i = 0; cluster_parts[i]; i++)
		if (cluster_parts[i]->keep)
			cluster_parts[i]->keep(cluster, cluster_part_state(cluster, cluster_parts[i]));
	snapshot->store = store_snapshot(cluster->store);
	snapshot->kept = kt_json_ref(cluster->kept);
	snapshot->random = cluster->random;
	snapshot->now = cluster->now;
	return snapshot;
}

static void restore_kept(struct cluster *cluster, const struct kt_json *kept)
{
	struct kt_json *next = kt_json_ref(kept); /* before the one at hand goes: it may be that */
	for (size_t i = 0, n = kt_count(cluster->kept); cluster->options.journal && i < n; i++) {
		if (!kt_get(kept, kt_key(cluster->kept, i)))
			kt_strs_add(&cluster->kept_dirty, kt_key(cluster->kept, i));
	}
	for (size_t i = 0, n = kt_count(kept); cluster->options.journal && i < n; i++) {
		if (!kt_strs_has(&cluster->kept_dirty, kt_key(kept, i)))
			kt_strs_add(&cluster->kept_dirty, kt_key(kept, i));
	}
	kt_json_free(cluster->kept);
	cluster->kept = next;
	unhappen_kept(cluster, cluster->now);
}

static void put_back(struct cluster *cluster, const struct store_snapshot *store, const struct kt_json *kept,
                     kt_ns now)
{
	stop_parts(cluster);
	cluster->now = now;
	store_restore(cluster->store, store, now);
	restore_kept(cluster, kept);
	api_state_reset(cluster->api);
	start_parts(cluster);
}

void cluster_restore(struct cluster *cluster, const struct cluster_snapshot *snapshot)
{
	cluster->random = snapshot->random;
	put_back(cluster, snapshot->store, snapshot->kept, snapshot->now);
}

void cluster_snapshot_free(struct cluster_snapshot *snapshot)
{
	if (!snapshot)
		return;
	store_snapshot_free(snapshot->store);
	kt_json_free(snapshot->kept);
	kt_free(snapshot);
}

/* The newest version that is not younger than `t`, looking back through the history. */
struct moment {
	kt_ns t;
	uint64_t version;
	kt_ns first;
};

static bool look(void *arg, const struct store_event *event)
{
	struct moment *moment = arg;

	if (!moment->first)
		moment->first = event->at;
	/* after a rewind the times in the history start anew: the last stretch counts */
	if (event->at <= moment->t)
		moment->version = event->version;
	return true;
}

enum kt_code cluster_rewind(struct cluster *cluster, kt_ns t, struct kt_err *err)
{
	struct moment moment = {.t = t, .version = store_oldest(cluster->store)};
	struct store_snapshot *snapshot;
	struct kt_buf text = {0};

	if (t > cluster->now)
		return kt_fail(err, KT_EINVAL, "that moment is still to come");
	store_history(cluster->store, 0, look, &moment);
	if (moment.first && t < moment.first && store_oldest(cluster->store)) {
		kt_time_print(moment.first, &text);
		kt_fail(err, KT_ENOTFOUND, "the history reaches back to %s only", kt_buf_str(&text));
		kt_buf_clear(&text);
		return KT_ENOTFOUND;
	}
	snapshot = store_snapshot_at(cluster->store, moment.version);
	if (!snapshot)
		return kt_fail(err, KT_ENOTFOUND, "the history does not reach that far back");
	put_back(cluster, snapshot, kept_at(cluster, t), t);
	store_snapshot_free(snapshot);
	return KT_OK;
}

/* --- requests --- */
void cluster_handle(struct cluster *cluster, const struct cluster_request *request,
                    struct cluster_response *response)
{
	api_handle(cluster, request, response);
}

void cluster_response_clear(struct cluster_response *response)
{
	kt_strs_clear(&response->headers.names);
	kt_strs_clear(&response->headers.values);
	kt_buf_clear(&response->body);
	cluster_stream_free(response->stream);
	*response = (struct cluster_response){0};
}
