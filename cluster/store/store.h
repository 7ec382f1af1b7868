/* SPDX-License-Identifier: MIT */
/* store: the objects, their versions, who watches, what happened and why. Keeps any kind; knows no rules of
 * Kubernetes but keys, uids and resourceVersions. Every version is immutable and shared by whoever needs it:
 * watches, history, snapshots. */
#ifndef STORE_H
#define STORE_H

#include "base/base.h"
#include "cluster/schema/schema.h"

struct store;
/* One version of one object. Reference counted; borrowed pointers live until the next write of that key. */
struct store_object {
	const struct schema_kind *kind; /* storage kind */
	const char *ns;                 /* "" for cluster-scoped kinds */
	const char *name, *uid;
	uint64_t version; /* metadata.resourceVersion */
	uint64_t created_version;
	const struct kt_json *json; /* whole, with metadata.resourceVersion and metadata.uid */
	struct store_inner *inner;  /* refs, typed view, cached text and cells */
};
const struct store_object *store_ref(const struct store_object *object);
void store_unref(const struct store_object *object);

/* Why a change happened: kept in the history, shown by `ktutor why`. */
struct store_cause {
	const char *actor;                  /* "deployment-controller", "kubelet worker-1", user name… */
	const char *reason;                 /* a phrase, or NULL */
	const struct store_object *because; /* the object version that made the actor act, or NULL */
};
enum store_change { STORE_ADDED, STORE_MODIFIED, STORE_DELETED };
struct store_event {
	enum store_change change;
	uint64_t version;
	kt_ns at;
	const struct store_object
	        *object; /* new version; for DELETED the last one, with the deletion's resourceVersion */
	const struct store_object *old; /* NULL for ADDED */
	const char *actor, *reason;
	uint64_t because; /* resourceVersion of the cause, 0 none */
};

struct store *store_new(void);
void store_free(struct store *store);
uint64_t store_version(const struct store *store);
/* --- the journal's side (cluster_flush) --- */
void store_track(struct store *store); /* from now on, remember what changed */
/* One version of each key that changed since the last call; whether it still exists, store_get tells. The
 * caller unrefs the items and frees the array. */
size_t store_take_dirty(struct store *store, const struct store_object ***out);
/* Put back what a journal kept, without telling anybody; all before the first write. */
const struct store_object *store_load(struct store *store, const struct schema_kind *kind,
                                      struct kt_json *steal, uint64_t created_version);
void store_set_version(struct store *store, uint64_t version); /* forgets the history */

const struct store_object *store_get(struct store *store, const struct schema_kind *kind, const char *ns,
                                     const char *name);
const struct store_object *store_get_uid(struct store *store, const char *uid);
/* Write. `json` carries namespace, name and uid; the store sets metadata.resourceVersion. Returns the new
 * version, borrowed. Preconditions are the caller's business (one thread). */
const struct store_object *store_put(struct store *store, const struct schema_kind *kind,
                                     struct kt_json *steal, kt_ns now, const struct store_cause *cause);
void store_delete(struct store *store, const struct store_object *object, kt_ns now,
                  const struct store_cause *cause);

/* --- lists: objects of one kind in order of namespace and name. `ns` NULL: all. Stable while iterating even
 * if the list is written. --- */
struct store_list {
	const struct store_object **items; /* referenced */
	size_t count;
	uint64_t version;
};
void store_list(struct store *store, const struct schema_kind *kind, const char *ns, struct store_list *out);
void store_list_clear(struct store_list *list);
size_t store_count(struct store *store, const struct schema_kind *kind, const char *ns);
/* Without copying; do not write while iterating. */
struct store_iter {
	const struct store_order *order;
	size_t chunk, item;
	const char *ns;
};
struct store_iter store_iter(struct store *store, const struct schema_kind *kind, const char *ns);
/* From the first key at or behind (from_ns, from_name). */
struct store_iter store_iter_from(struct store *store, const struct schema_kind *kind, const char *ns,
                                  const char *from_ns, const char *from_name);
const struct store_object *store_next(struct store_iter *iter);
#define STORE_EACH(object, store, kind, ns)                                                                  \
	for (struct store_iter object##_i = store_iter((store), (kind), (ns));                               \
	     ((object) = store_next(&object##_i));)

/* --- indexes, kept up to date --- */
/* Pods of a node (spec.nodeName); objects whose controller owner has `uid`; any owner. References as in a
 * list; in order of creation. */
void store_pods_on_node(struct store *store, const char *node, struct store_list *out);
void store_controlled_by(struct store *store, const struct schema_kind *kind, const char *owner_uid,
                         struct store_list *out);
void store_owned_by(struct store *store, const char *owner_uid, struct store_list *out);

/* --- listening: parts (through cluster_internal.h) and watches --- */
/* A listener that writes is heard: its events are told after the one at hand. */
typedef void store_listener_fn(void *arg, const struct store_event *event);
uint64_t store_listen(struct store *store, store_listener_fn *fn, void *arg);
void store_unlisten(struct store *store, uint64_t id);

/* --- history: every event since the oldest kept (a bound in bytes and count; what is older is compacted
 * away) --- */
uint64_t store_oldest(const struct store *store); /* a watch from before this gets 410 */
void store_set_history_limits(struct store *store, size_t max_events, size_t max_bytes);
/* The same for one kind: the newest version that is forgotten, the newest one at all (0 none). A watch of
 * that kind can go on from any version >= the first. */
uint64_t store_kind_compacted(struct store *store, const struct schema_kind *kind);
uint64_t store_kind_version(struct store *store, const struct schema_kind *kind);
/* The first event of `kind` after `since`, or NULL. `hint`: version of the event of that kind that was read
 * last (0 none): makes it cheap. Borrowed until the next write. */
const struct store_event *store_next_event(struct store *store, const struct schema_kind *kind,
                                           uint64_t since, uint64_t hint);
/* Events with version > since, oldest first, until fn returns false. */
void store_history(struct store *store, uint64_t since,
                   bool (*fn)(void *arg, const struct store_event *event), void *arg);

/* --- snapshots --- */
struct store_snapshot;
struct store_snapshot *store_snapshot(struct store *store);
/* The state right after `version`, worked out from the history; NULL when that is forgotten. */
struct store_snapshot *store_snapshot_at(struct store *store, uint64_t version);
void store_restore(struct store *store, const struct store_snapshot *snapshot,
                   kt_ns now); /* as writes: watchers see the differences */
void store_snapshot_free(struct store_snapshot *snapshot);

/* --- typed views: what controllers, scheduler and kubelet read instead of walking JSON. Built once a
 * version. --- */
#include "cluster/store/view.h"

#endif
