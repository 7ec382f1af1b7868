/* SPDX-License-Identifier: MIT */
/* What the files of store/ share: entries, their order, indexes, the ring of events. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "cluster/store/store.h"
#include "cluster/store/table.h"

struct store_inner {
	unsigned refs;
	unsigned ring_refs;     /* of these, the ring's */
	size_t cost;            /* rough bytes of this version that no other version shares */
	const char *controller; /* uid of the controlling owner; NULL none */
	void *view;
	void (*view_free)(void *view);
};

/* A key that exists, and its newest version. */
struct store_entry {
	uint64_t hash, uid_hash;
	const struct store_object *object;
	bool dirty;
};

/* Entries in key order: sorted chunks, so that an insertion moves a few hundred pointers at most. */
#define STORE_CHUNK 256
struct store_chunk {
	size_t count;
	struct store_entry *items[STORE_CHUNK];
};
struct store_order {
	struct store_chunk **chunks;
	size_t count, cap;
};
void store_order_insert(struct store_order *order, struct store_entry *entry);
void store_order_remove(struct store_order *order, const struct store_entry *entry);
void store_order_clear(struct store_order *order);
/* First place at or behind (ns, name). */
void store_order_seek(const struct store_order *order, const char *ns, const char *name, size_t *chunk,
                      size_t *item);
/* etcd's order of "/registry/RESOURCE/NS/NAME". */
int store_key_compare(const char *ns_a, const char *name_a, const char *ns_b, const char *name_b);

struct store_kind_table {
	const struct schema_kind *kind;
	struct store_order order;
	size_t count;
	uint64_t last;      /* version of its newest event */
	uint64_t compacted; /* version of its newest event that is forgotten */
	bool is_pod;
};

/* Entries under one word (a node's name, an owner's uid), in order of creation. */
struct store_bucket {
	char *word;
	uint64_t hash;
	struct store_entry **items;
	size_t count, cap;
};
void store_index_add(struct store_table *index, const char *word, struct store_entry *entry);
void store_index_remove(struct store_table *index, const char *word, const struct store_entry *entry);
const struct store_bucket *store_index_find(const struct store_table *index, const char *word);
void store_index_clear(struct store_table *index);

struct store_record {
	struct store_event event;      /* references object and old; owns reason; actor is interned */
	uint64_t next_kind, prev_kind; /* neighbours of the same kind; 0 none */
};

struct store_listener {
	uint64_t id;
	store_listener_fn *fn;
	void *arg;
};

struct store {
	struct store_kind_table **kinds; /* by schema_kind.index */
	size_t kind_cap;
	size_t objects;
	struct store_table by_key, by_uid, by_node, by_owner, actors;
	uint64_t version, emitted;
	uint64_t loaded; /* where this life began: what was before is not in the history */
	/* The ring: events with versions (oldest, version], at version % ring_cap. */
	struct store_record *ring;
	size_t ring_cap, ring_bytes;
	uint64_t oldest;
	size_t max_events, max_bytes;
	struct store_listener *listeners;
	size_t listener_count, listener_cap;
	uint64_t next_listener;
	bool emitting, tracking;
	const struct store_object **dirty;
	size_t dirty_count, dirty_cap;
};

uint64_t store_key_hash(const struct schema_kind *kind, const char *ns, const char *name);
struct store_entry *store_entry_of(struct store *store, const struct schema_kind *kind, const char *ns,
                                   const char *name);
struct store_kind_table *store_kind_table(struct store *store, const struct schema_kind *kind);
/* history.c */
void store_history_add(struct store *store, const struct store_event *event);
void store_history_clear(struct store *store);
const struct store_record *store_record_at(const struct store *store, uint64_t version);
/* view.c */
void view_inherit(const struct store_object *old, const struct store_object *object);
void view_drop(const struct store_object *object);
/* write with a given created_version (0: this one's) */
const struct store_object *store_put_as(struct store *store, const struct schema_kind *kind,
                                        struct kt_json *steal, kt_ns now, const struct store_cause *cause,
                                        uint64_t created_version);

#endif
