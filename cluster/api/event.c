/* SPDX-License-Identifier: MIT */
/* Events of the parts (core/v1), as client-go's recorder writes them: the same thing again raises count and
 * lastTimestamp. Like the recorder, whose queue is short, it drops events when there are too many at once;
 * and like etcd, it forgets them after an hour. */
#include "cluster/api/event_flow.h"
#include "cluster/api/internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TTL        (3600 * KT_SEC)
#define SWEEP      (300 * KT_SEC)
#define BURST      4000 /* events that a component may have in flight */
#define PER_SECOND 200
#define MAX_KEYS   20000

static const struct schema_kind *event_kind(struct cluster *cluster)
{
	return schema_stored(cluster_schema(cluster), "", "Event");
}

/* A bucket of tokens a component, on virtual time. */
static bool may_record(struct api_state *state, const char *component)
{
	struct kt_json **bucket = kt_edit(&state->event_budget, component);
	kt_ns now = cluster_now(state->cluster);
	int64_t left, at;

	if (!*bucket)
		*bucket = kt_jsonf("{at: %l, left: %d}", now, BURST);
	at = kt_get_int(*bucket, "at", now);
	left = kt_get_int(*bucket, "left", 0);
	if (now - at >= KT_SEC || now < at) {
		left = KT_MIN(BURST, left + (now - at) / KT_SEC * PER_SECOND);
		kt_set(bucket, "at", kt_json_int(now));
	}
	kt_set(bucket, "left", kt_json_int(left > 0 ? left - 1 : 0));
	return left > 0;
}

/* Who records through events.k8s.io/v1: no source, no count, but an action; a series for repetitions, which
 * belong together only while the object is at the same version. */
static const struct {
	const char *component, *reason, *action;
} modern[] = {
        {"default-scheduler", "Scheduled", "Binding"},
        {"default-scheduler", "FailedScheduling", "Scheduling"},
        {"default-scheduler", "Preempted", "Preempting"},
};

struct event_facts {
	const struct api_actor *actor;
	const struct store_object *about;
	const char *action; /* NULL: recorded the old way */
	const char *type, *reason, *field_path, *host, *message;
};

/* The Event that counts it: its own, or the one that all further ones of its reason share. */
static void event_key(const struct event_facts *facts, bool combined, struct kt_buf *key)
{
	const char *const words[] = {facts->actor->component,
	                             facts->host,
	                             facts->about->uid,
	                             facts->type,
	                             facts->reason,
	                             combined ? NULL : facts->field_path,
	                             combined ? NULL : facts->message};

	for (size_t i = 0; i < KT_COUNT(words); i++) {
		if (i)
			kt_buf_addc(key, '|');
		if (words[i])
			kt_buf_adds(key, words[i]);
	}
	if (facts->action)
		kt_buf_addf(key, "|%" PRIu64, facts->about->version);
}

static uint64_t hash_more(uint64_t hash, const char *text)
{
	return hash * 1099511628211ULL ^ kt_hash(text, strlen(text));
}

static struct event_flow_key flow_key(const struct event_facts *facts)
{
	struct event_flow_key key = {
	        .about = kt_hash(facts->actor->component, strlen(facts->actor->component))};

	key.about = hash_more(hash_more(key.about, facts->host ? facts->host : ""), facts->about->uid);
	key.reason = hash_more(hash_more(key.about, facts->type), facts->reason);
	key.message = kt_hash(facts->message, strlen(facts->message));
	return key;
}

static void put(struct cluster *cluster, const struct api_actor *actor, struct kt_json *steal)
{
	struct store_cause cause = {.actor = actor->component, .because = actor->because};

	store_put(cluster_store(cluster), event_kind(cluster), steal, cluster_now(cluster), &cause);
}

/* `times`: this one, and those that were held back. */
static void count_again(struct cluster *cluster, const struct event_facts *facts,
                        const struct store_object *event, int64_t times)
{
	const struct api_actor *actor = facts->actor;
	struct kt_json *json = kt_json_ref(event->json);
	char *now = api_time(cluster_now(cluster));

	if (kt_get(json, "action")) {
		struct kt_buf micro = {0};

		kt_time_print_micro(cluster_now(cluster), &micro);
		kt_set(&json, "series",
		       kt_jsonf("{count: %l, lastObservedTime: %s}", kt_path_int(json, "series.count", 1) + 1,
		                kt_buf_str(&micro)));
		kt_buf_clear(&micro);
		kt_free(now);
		put(cluster, actor, json);
		return;
	}
	kt_set(&json, "count", kt_json_int(kt_get_int(json, "count", 1) + times));
	if (!kt_streq(kt_get_str(json, "message"), facts->message))
		kt_set(&json, "message", kt_json_str(facts->message));
	kt_set(&json, "lastTimestamp", kt_json_str(now));
	kt_free(now);
	put(cluster, actor, json);
}

/* "web.1838b1ad91e2a9b7": the object and the time in hexadecimal; equal times count on. */
static char *event_name(struct cluster *cluster, const struct store_object *about, const char *ns)
{
	uint64_t t = (uint64_t)cluster_now(cluster);

	for (;; t++) {
		char *name = kt_strf("%.200s.%" PRIx64, about->name, t);

		if (!store_get(cluster_store(cluster), event_kind(cluster), ns, name))
			return name;
		kt_free(name);
	}
}

/* There are many Events: the words of what they are about are that object's own. */
static struct kt_json *about_json(const struct event_facts *facts)
{
	const struct store_object *about = facts->about;
	const struct kt_json *metadata = kt_get(about->json, "metadata");

	return KT_MEMBERS({"kind", kt_json_str(about->kind->kind)},
	                  {"namespace", *about->ns ? kt_json_ref(kt_get(metadata, "namespace")) : NULL},
	                  {"name", kt_json_ref(kt_get(metadata, "name"))},
	                  {"uid", kt_json_ref(kt_get(metadata, "uid"))},
	                  {"apiVersion", kt_json_str(about->kind->api_version)},
	                  {"resourceVersion", kt_json_ref(kt_get(metadata, "resourceVersion"))},
	                  {"fieldPath", kt_json_str(facts->field_path)});
}

static struct kt_json *micro_now(struct cluster *cluster)
{
	struct kt_buf micro = {0};
	struct kt_json *json;

	kt_time_print_micro(cluster_now(cluster), &micro);
	json = kt_json_strn(kt_buf_str(&micro), micro.len);
	kt_buf_clear(&micro);
	return json;
}

/* What the old recorder writes is null or empty where the new one writes, and the other way round. What
 * repeats within one is kept once. */
static char *create(struct cluster *cluster, const struct event_facts *facts, const char *ns, int64_t count)
{
	char *name = event_name(cluster, facts->about, ns), *text = api_time(cluster_now(cluster)), uid[37];
	const char *action = facts->action;
	struct kt_json *when = kt_json_str(text), *component = kt_json_str(facts->actor->component),
	               *host = kt_json_str(facts->host);

	kt_random_uuid(cluster_random(cluster), uid);
	put(cluster, facts->actor,
	    KT_MEMBERS(
	            {"kind", kt_json_str("Event")}, {"apiVersion", kt_json_str("v1")},
	            {"metadata", KT_MEMBERS({"name", kt_json_str(name)}, {"namespace", kt_json_str(ns)},
	                                    {"uid", kt_json_str(uid)}, {"resourceVersion", kt_json_str("")},
	                                    {"creationTimestamp", kt_json_ref(when)})},
	            {"involvedObject", about_json(facts)}, {"reason", kt_json_str(facts->reason)},
	            {"message", kt_json_str(facts->message)},
	            {"source",
	             action ? kt_json_object()
	                    : KT_MEMBERS({"component", kt_json_ref(component)}, {"host", kt_json_ref(host)})},
	            {"firstTimestamp", action ? kt_json_null() : kt_json_ref(when)},
	            {"lastTimestamp", action ? kt_json_null() : kt_json_ref(when)},
	            {"count", action ? NULL : kt_json_int(count)}, {"type", kt_json_str(facts->type)},
	            {"eventTime", action ? micro_now(cluster) : kt_json_null()},
	            {"action", kt_json_str(action)}, {"reportingComponent", kt_json_ref(component)},
	            {"reportingInstance", action ? kt_json_strf("%s-control-plane", facts->actor->component)
	                                  : host ? kt_json_ref(host)
	                                         : kt_json_str("")}));
	kt_json_free(when);
	kt_json_free(component);
	kt_json_free(host);
	kt_free(text);
	return name;
}

/* api_words of "NAME" or "NAME N": an Event, and how many times it was not written. */
static int64_t take_held_back(char *known)
{
	char *space = strchr(known, ' ');

	if (!space)
		return 0;
	*space = '\0';
	return atoll(space + 1);
}

static void remember(struct api_state *state, const char *key, const char *name, int64_t held_back)
{
	char *value = held_back ? kt_strf("%s %lld", name, (long long)held_back) : kt_strdup(name);

	if (api_words_count(&state->events) > MAX_KEYS)
		api_words_clear(&state->events);
	api_words_set(&state->events, key, value);
	kt_free(value);
}

static void write_event(struct cluster *cluster, const struct event_facts *facts, const char *key,
                        bool allowed)
{
	struct api_state *state = cluster_api_state(cluster);
	const char *ns = *facts->about->ns ? facts->about->ns : "default";
	const char *known = api_words_get(&state->events, key);
	char *name = kt_strdup(known ? known : "");
	int64_t held_back = take_held_back(name);
	const struct store_object *event =
	        *name ? store_get(cluster_store(cluster), event_kind(cluster), ns, name) : NULL;

	if (!allowed) {
		remember(state, key, name, held_back + 1);
	} else if (event) {
		count_again(cluster, facts, event, held_back + 1);
		if (held_back)
			remember(state, key, name, 0);
	} else {
		kt_free(name);
		name = create(cluster, facts, ns, held_back + 1);
		remember(state, key, name, 0);
	}
	kt_free(name);
}

static void record(struct cluster *cluster, struct event_facts *facts)
{
	struct api_state *state = cluster_api_state(cluster);
	struct event_flow_key flow = flow_key(facts);
	struct kt_buf key = {0}, combined = {0};
	bool allowed = true;

	if (!may_record(state, facts->actor->component))
		return;
	if (!facts->action) {
		if (!state->event_flow)
			state->event_flow = event_flow_new();
		if (event_flow_combines(state->event_flow, &flow, cluster_now(cluster))) {
			kt_buf_addf(&combined, "(combined from similar events): %s", facts->message);
			facts->message = kt_buf_str(&combined);
		}
		allowed = event_flow_allows(state->event_flow, &flow, cluster_now(cluster));
	}
	event_key(facts, combined.len > 0, &key);
	write_event(cluster, facts, kt_buf_str(&key), allowed);
	kt_buf_clear(&key);
	kt_buf_clear(&combined);
}

void api_event(struct cluster *cluster, const struct api_actor *actor, const struct store_object *about,
               const char *type, const char *reason, const char *field_path, const char *host,
               const char *fmt, ...)
{
	struct kt_buf message = {0};
	struct event_facts facts = {.actor = actor,
	                            .about = about,
	                            .type = type,
	                            .reason = reason,
	                            .field_path = field_path,
	                            .host = host};
	const struct store_object *ns;
	va_list ap;

	/* in a namespace that is going nothing new is written */
	ns = *about->ns ? store_get(cluster_store(cluster),
	                            schema_stored(cluster_schema(cluster), "", "Namespace"), "", about->ns)
	                : NULL;
	if (*about->ns && (!ns || view_is_deleting(ns->json)))
		return;
	va_start(ap, fmt);
	kt_buf_vaddf(&message, fmt, ap);
	va_end(ap);
	kt_buf_cut(&message, KT_MIN(message.len, 1024));
	facts.message = kt_buf_str(&message);
	for (size_t i = 0; i < KT_COUNT(modern); i++)
		if (kt_streq(modern[i].component, actor->component) && kt_streq(modern[i].reason, reason))
			facts.action = modern[i].action;
	record(cluster, &facts);
	kt_buf_clear(&message);
}

/* --- an hour later --- */
static kt_ns last_seen(const struct store_object *event)
{
	static const char *const members[] = {"lastTimestamp", "eventTime", "firstTimestamp"};
	kt_ns t;

	for (size_t i = 0; i < KT_COUNT(members); i++) {
		if (kt_time_parse(kt_str_or(kt_get(event->json, members[i]), ""), &t))
			return t;
	}
	return kt_time_parse(kt_str_or(kt_path(event->json, "metadata.creationTimestamp"), ""), &t) ? t : 0;
}

static void sweep(struct cluster *cluster, void *arg)
{
	struct api_state *state = arg;
	struct store_cause cause = {.actor = "kube-apiserver"};
	struct store_list list;

	store_list(cluster_store(cluster), event_kind(cluster), NULL, &list);
	for (size_t i = 0; i < list.count; i++) {
		if (cluster_now(cluster) - last_seen(list.items[i]) >= TTL)
			store_delete(cluster_store(cluster), list.items[i], cluster_now(cluster), &cause);
	}
	store_list_clear(&list);
	state->event_sweep = 0;
	api_event_sweep(state);
}

/* Runs while there are Events at all. */
void api_event_sweep(struct api_state *state)
{
	if (!state->event_sweep &&
	    store_count(cluster_store(state->cluster), event_kind(state->cluster), NULL))
		state->event_sweep = cluster_after(state->cluster, SWEEP, sweep, state);
}

void api_events_reset(struct api_state *state)
{
	api_words_clear(&state->events);
	event_flow_free(state->event_flow);
	state->event_flow = NULL;
	kt_json_freep(&state->event_budget);
	state->event_budget = kt_json_object();
	cluster_cancel(state->cluster, state->event_sweep);
	state->event_sweep = 0;
}
