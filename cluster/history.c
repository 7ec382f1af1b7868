/* SPDX-License-Identifier: MIT */
/* What happened and why, from the store's history: for `why`. */
#include "cluster/cluster_internal.h"
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define MAX_CHANGES    40
#define DEFAULT_EVENTS 500

/* --- the paths that differ --- */
struct changes {
	struct kt_json *list;
	struct kt_buf path;
};

static void note(struct changes *changes, const struct kt_json *from, const struct kt_json *to)
{
	if (kt_count(changes->list) < MAX_CHANGES)
		kt_push(&changes->list,
		        kt_jsonf("{path: %s, from: %J, to: %J}", kt_buf_str(&changes->path), from, to));
}

static bool is_noise(const char *path)
{
	return kt_streq(path, "metadata.resourceVersion") || kt_streq(path, "metadata.managedFields") ||
	       kt_streq(path, "metadata.generation");
}

static void compare(struct changes *changes, const struct kt_json *from, const struct kt_json *to);

static void compare_member(struct changes *changes, const char *key, const struct kt_json *from,
                           const struct kt_json *to)
{
	size_t len = changes->path.len;

	kt_buf_addf(&changes->path, len ? ".%s" : "%s", key);
	if (!is_noise(kt_buf_str(&changes->path)))
		compare(changes, from, to);
	kt_buf_cut(&changes->path, len);
}

static void compare_items(struct changes *changes, const struct kt_json *from, const struct kt_json *to)
{
	for (size_t i = 0, n = KT_MAX(kt_count(from), kt_count(to)); i < n; i++) {
		size_t len = changes->path.len;
		/* conditions and containers are told by their names */
		const struct kt_json *item = kt_at(to, i) ? kt_at(to, i) : kt_at(from, i);
		const char *name =
		        kt_get_str(item, "type") ? kt_get_str(item, "type") : kt_get_str(item, "name");

		if (name)
			kt_buf_addf(&changes->path, "[%s]", name);
		else
			kt_buf_addf(&changes->path, "[%zu]", i);
		compare(changes, kt_at(from, i), kt_at(to, i));
		kt_buf_cut(&changes->path, len);
	}
}

static void compare(struct changes *changes, const struct kt_json *from, const struct kt_json *to)
{
	const struct kt_json *member;

	if (from == to || kt_equal(from, to))
		return;
	if (kt_is_array(from) && kt_is_array(to)) {
		compare_items(changes, from, to);
		return;
	}
	if (!kt_is_object(from) || !kt_is_object(to)) {
		note(changes, from, to);
		return;
	}
	KT_JSON_EACH (member, to)
		compare_member(changes, kt_key(to, member_i), kt_get(from, kt_key(to, member_i)), member);
	KT_JSON_EACH (member, from) {
		if (!kt_get(to, kt_key(from, member_i)))
			compare_member(changes, kt_key(from, member_i), member, NULL);
	}
}

/* --- events --- */
struct telling {
	const char *kind, *ns, *name; /* NULL any */
	size_t limit;
	struct kt_json *events;
};

static bool word_is(const char *word, const struct schema_kind *kind)
{
	if (strcasecmp(word, kind->kind) == 0 || strcasecmp(word, kind->resource) == 0 ||
	    strcasecmp(word, kind->singular ? kind->singular : "") == 0)
		return true;
	for (size_t i = 0; kind->short_names && kind->short_names[i]; i++) {
		if (kt_streq(kind->short_names[i], word))
			return true;
	}
	return false;
}

static bool tell(void *arg, const struct store_event *event)
{
	static const char *const words[] = {"added", "modified", "deleted"};
	struct telling *telling = arg;
	const struct store_object *object = event->object;
	struct changes changes = {0};
	struct kt_buf at = {0};

	if ((telling->kind && !word_is(telling->kind, object->kind)) ||
	    (telling->ns && !kt_streq(telling->ns, object->ns)) ||
	    (telling->name && !kt_streq(telling->name, object->name)))
		return true;
	if (event->change == STORE_MODIFIED)
		compare(&changes, event->old->json, object->json);
	kt_time_print_micro(event->at, &at);
	kt_push(&telling->events,
	        kt_jsonf("{version: %l, at: %s, change: %s, kind: %s, namespace: %s, name: %s, actor: %s, "
	                 "reason: %s, "
	                 "because: %j, changed: %j}",
	                 (int64_t)event->version, kt_buf_str(&at), words[event->change], object->kind->kind,
	                 *object->ns ? object->ns : NULL, object->name, event->actor, event->reason,
	                 event->because ? kt_json_int((int64_t)event->because) : NULL, changes.list));
	if (kt_count(telling->events) > telling->limit)
		kt_remove(&telling->events, 0);
	kt_buf_clear(&at);
	kt_buf_clear(&changes.path);
	return true;
}

struct kt_json *cluster_history(struct cluster *cluster, const char *object, uint64_t since, size_t limit)
{
	struct store *store = cluster_store(cluster);
	struct telling telling = {.limit = limit ? limit : DEFAULT_EVENTS, .events = kt_json_array()};
	char *copy = kt_strdup(object), *slash = copy ? strchr(copy, '/') : NULL, *second;

	if (copy && *copy)
		telling.kind = copy;
	if (slash) {
		*slash = '\0';
		second = strchr(slash + 1, '/');
		telling.name = second ? second + 1 : slash + 1;
		if (second) {
			*second = '\0';
			telling.ns = slash + 1;
		}
	}
	store_history(store, since, tell, &telling);
	kt_free(copy);
	return kt_jsonf("{oldest: %l, version: %l, events: %j}", (int64_t)store_oldest(store),
	                (int64_t)store_version(store), telling.events);
}
