/* SPDX-License-Identifier: MIT */
#include "cluster/store/store_internal.h"
#include <string.h>

#define DEFAULT_EVENTS 16384
#define DEFAULT_BYTES  ((size_t)4 << 20)

/* --- object versions --- */
const struct store_object *store_ref(const struct store_object *object)
{
	if (object)
		object->inner->refs++;
	return object;
}

void store_unref(const struct store_object *object)
{
	if (!object || --object->inner->refs)
		return;
	view_drop(object);
	kt_json_free((struct kt_json *)(uintptr_t)object->json);
	kt_free((void *)(uintptr_t)object);
}

/* What a version adds to memory, roughly: metadata and status are new each time, specs are mostly shared. */
static size_t cost_of(const struct kt_json *json)
{
	size_t cost = 512 + 48 * (kt_count(kt_get(json, "metadata")) + kt_count(kt_get(json, "status")));
	const struct kt_json *data = kt_get(json, "data"), *item;

	KT_JSON_EACH (item, data)
		cost += 64 + kt_str_len(item);
	return cost;
}

/* Every write has one: printf takes ten times as long. */
static struct kt_json *version_json(uint64_t version)
{
	char text[24], *at = text + sizeof(text);

	do
		*--at = (char)('0' + version % 10);
	while (version /= 10);
	return kt_json_strn(at, (size_t)(text + sizeof(text) - at));
}

static const struct store_object *object_new(const struct schema_kind *kind, struct kt_json *json,
                                             uint64_t version, uint64_t created)
{
	struct {
		struct store_object object;
		struct store_inner inner;
	} * both;
	struct kt_json **metadata = kt_edit(&json, "metadata");

	kt_set(metadata, "resourceVersion", version_json(version));
	both = kt_alloc(sizeof(*both));
	both->object.kind = kind;
	both->object.json = json;
	both->object.ns = kt_str_or(kt_get(*metadata, "namespace"), "");
	both->object.name = kt_str_or(kt_get(*metadata, "name"), "");
	both->object.uid = kt_str_or(kt_get(*metadata, "uid"), "");
	both->object.version = version;
	both->object.created_version = created;
	both->object.inner = &both->inner;
	both->inner.refs = 1;
	both->inner.cost = cost_of(json);
	both->inner.controller = view_controller_of(json).uid;
	return &both->object;
}

/* --- lookups --- */
uint64_t store_key_hash(const struct schema_kind *kind, const char *ns, const char *name)
{
	uint64_t hash = kt_hash(name, strlen(name)) ^ ((uint64_t)kind->index * 0x9e3779b97f4a7c15u);

	return *ns ? hash * 31 + kt_hash(ns, strlen(ns)) : hash;
}

struct key {
	const struct schema_kind *kind;
	const char *ns, *name;
};

static bool entry_is(const void *item, const void *key)
{
	const struct store_object *object = ((const struct store_entry *)item)->object;
	const struct key *k = key;

	return object->kind == k->kind && strcmp(object->name, k->name) == 0 &&
	       strcmp(object->ns, k->ns) == 0;
}

static bool entry_has_uid(const void *item, const void *key)
{
	return strcmp(((const struct store_entry *)item)->object->uid, key) == 0;
}

struct store_entry *store_entry_of(struct store *store, const struct schema_kind *kind, const char *ns,
                                   const char *name)
{
	struct key key = {kind, ns, name};

	return store_table_find(&store->by_key, store_key_hash(kind, ns, name), entry_is, &key);
}

const struct store_object *store_get(struct store *store, const struct schema_kind *kind, const char *ns,
                                     const char *name)
{
	struct store_entry *entry = name ? store_entry_of(store, kind, ns ? ns : "", name) : NULL;

	return entry ? entry->object : NULL;
}

const struct store_object *store_get_uid(struct store *store, const char *uid)
{
	struct store_entry *entry;

	if (!uid || !*uid)
		return NULL;
	entry = store_table_find(&store->by_uid, kt_hash(uid, strlen(uid)), entry_has_uid, uid);
	return entry ? entry->object : NULL;
}

struct store_kind_table *store_kind_table(struct store *store, const struct schema_kind *kind)
{
	if (kind->index >= store->kind_cap) {
		size_t cap = store->kind_cap;

		store->kinds = kt_grow(store->kinds, &cap, (size_t)kind->index + 1,
		                       sizeof(struct store_kind_table *));
		for (size_t i = store->kind_cap; i < cap; i++)
			store->kinds[i] = NULL;
		store->kind_cap = cap;
	}
	if (!store->kinds[kind->index]) {
		struct store_kind_table *table = kt_alloc(sizeof(*table));

		table->kind = kind;
		table->compacted = store->loaded;
		table->is_pod = !*kind->group && kt_streq(kind->kind, "Pod");
		store->kinds[kind->index] = table;
	}
	return store->kinds[kind->index];
}

/* --- indexes of one entry --- */
static const char *node_of(const struct store_object *object)
{
	return kt_get_str(kt_get(object->json, "spec"), "nodeName");
}

static const struct kt_json *owners_of(const struct store_object *object)
{
	return kt_get(kt_get(object->json, "metadata"), "ownerReferences");
}

static void index_owners(struct store *store, const struct kt_json *owners, struct store_entry *entry,
                         bool add)
{
	const struct kt_json *owner;

	KT_JSON_EACH (owner, owners) {
		const char *uid = kt_get_str(owner, "uid");

		if (uid && add)
			store_index_add(&store->by_owner, uid, entry);
		else if (uid)
			store_index_remove(&store->by_owner, uid, entry);
	}
}

static void index_node(struct store *store, const char *node, struct store_entry *entry, bool add)
{
	if (!node || !*node)
		return;
	if (add)
		store_index_add(&store->by_node, node, entry);
	else
		store_index_remove(&store->by_node, node, entry);
}

/* Move the entry from where its old version stood; entry->object is the old one still. */
static void reindex(struct store *store, struct store_kind_table *table, struct store_entry *entry,
                    const struct store_object *to)
{
	const struct store_object *from = entry->object;
	const struct kt_json *owners_from = owners_of(from), *owners_to = owners_of(to);
	bool owners = owners_from != owners_to && !kt_equal(owners_from, owners_to);
	const char *node_from = table->is_pod ? node_of(from) : NULL,
	           *node_to = table->is_pod ? node_of(to) : NULL;
	bool node = !kt_streq(node_from, node_to);

	if (owners)
		index_owners(store, owners_from, entry, false);
	if (node)
		index_node(store, node_from, entry, false);
	entry->object = to;
	if (owners)
		index_owners(store, owners_to, entry, true);
	if (node)
		index_node(store, node_to, entry, true);
}

/* --- telling --- */
static void emit(struct store *store)
{
	if (store->emitting)
		return;
	store->emitting = true;
	while (store->emitted < store->version) {
		struct store_event event = store_record_at(store, store->emitted + 1)->event;

		store_ref(event.object);
		store_ref(event.old);
		store->emitted++;
		for (size_t i = 0; i < store->listener_count; i++) {
			if (store->listeners[i].fn)
				store->listeners[i].fn(store->listeners[i].arg, &event);
		}
		/* the view of a version that only the history remembers is not needed again */
		if (event.old && event.old->inner->refs <= event.old->inner->ring_refs + 1)
			view_drop(event.old);
		store_unref(event.object);
		store_unref(event.old);
	}
	store->emitting = false;
}

static bool word_is(const void *item, const void *key)
{
	return strcmp(item, key) == 0;
}

static const char *intern(struct store *store, const char *word)
{
	uint64_t hash;
	char *known;

	if (!word)
		return NULL;
	hash = kt_hash(word, strlen(word));
	known = store_table_find(&store->actors, hash, word_is, word);
	if (!known) {
		known = kt_strdup(word);
		store_table_add(&store->actors, hash, known);
	}
	return known;
}

static void tell(struct store *store, enum store_change change, const struct store_object *object,
                 const struct store_object *old, kt_ns now, const struct store_cause *cause)
{
	struct store_event event = {
	        .change = change,
	        .version = object->version,
	        .at = now,
	        .object = object,
	        .old = store_ref(old),
	        .actor = intern(store, cause ? cause->actor : NULL),
	        .reason = kt_strdup(cause ? cause->reason : NULL),
	        .because = cause && cause->because ? cause->because->version : 0,
	};

	object->inner->ring_refs++;
	if (old)
		old->inner->ring_refs++;
	store_history_add(store, &event);
}

static void mark_dirty(struct store *store, struct store_entry *entry, const struct store_object *object)
{
	if (!store->tracking || (entry && entry->dirty))
		return;
	if (entry)
		entry->dirty = true;
	store->dirty =
	        kt_grow(store->dirty, &store->dirty_cap, store->dirty_count + 1, sizeof(*store->dirty));
	store->dirty[store->dirty_count++] = store_ref(object);
}

/* --- writing --- */
static struct store_entry *entry_new(struct store *store, struct store_kind_table *table,
                                     const struct store_object *object)
{
	struct store_entry *entry = kt_alloc(sizeof(*entry));

	entry->object = object;
	entry->hash = store_key_hash(object->kind, object->ns, object->name);
	entry->uid_hash = kt_hash(object->uid, strlen(object->uid));
	store_table_add(&store->by_key, entry->hash, entry);
	store_table_add(&store->by_uid, entry->uid_hash, entry);
	store_order_insert(&table->order, entry);
	table->count++;
	index_owners(store, owners_of(object), entry, true);
	if (table->is_pod)
		index_node(store, node_of(object), entry, true);
	return entry;
}

static void entry_free(struct store *store, struct store_kind_table *table, struct store_entry *entry)
{
	index_owners(store, owners_of(entry->object), entry, false);
	if (table->is_pod)
		index_node(store, node_of(entry->object), entry, false);
	store_order_remove(&table->order, entry);
	table->count--;
	store_table_remove(&store->by_key, entry->hash, entry);
	store_table_remove(&store->by_uid, entry->uid_hash, entry);
	kt_free(entry);
}

const struct store_object *store_put_as(struct store *store, const struct schema_kind *kind,
                                        struct kt_json *steal, kt_ns now, const struct store_cause *cause,
                                        uint64_t created_version)
{
	struct store_kind_table *table = store_kind_table(store, kind);
	const struct kt_json *metadata = kt_get(steal, "metadata");
	struct store_entry *entry = store_entry_of(store, kind, kt_str_or(kt_get(metadata, "namespace"), ""),
	                                           kt_str_or(kt_get(metadata, "name"), ""));
	const struct store_object *old, *object;
	uint64_t version;

	/* a key given to another object: the first one goes before the next one comes */
	if (entry && strcmp(entry->object->uid, kt_str_or(kt_get(metadata, "uid"), "")) != 0) {
		store_delete(store, entry->object, now, cause);
		entry = NULL;
	}
	version = ++store->version;
	old = entry ? entry->object : NULL;
	object = object_new(kind, steal, version,
	                    old               ? old->created_version
	                    : created_version ? created_version
	                                      : version);
	if (entry) {
		reindex(store, table, entry, object);
		view_inherit(old, object);
	} else {
		entry = entry_new(store, table, object);
	}
	store_ref(object); /* the entry's; the first one goes to the ring */
	mark_dirty(store, entry, object);
	tell(store, old ? STORE_MODIFIED : STORE_ADDED, object, old, now, cause);
	store_unref(old); /* the entry's */
	emit(store);
	return object;
}

const struct store_object *store_put(struct store *store, const struct schema_kind *kind,
                                     struct kt_json *steal, kt_ns now, const struct store_cause *cause)
{
	return store_put_as(store, kind, steal, now, cause, 0);
}

void store_delete(struct store *store, const struct store_object *object, kt_ns now,
                  const struct store_cause *cause)
{
	struct store_kind_table *table = store_kind_table(store, object->kind);
	struct store_entry *entry = store_entry_of(store, object->kind, object->ns, object->name);
	const struct store_object *old, *last;

	if (!entry)
		return;
	old = entry->object;
	entry->dirty = false;
	mark_dirty(store, NULL, old);
	last = object_new(old->kind, kt_json_ref(old->json), ++store->version, old->created_version);
	entry_free(store, table, entry);
	tell(store, STORE_DELETED, last, old, now, cause);
	store_unref(old); /* the entry's */
	emit(store);
}

/* --- lists --- */
size_t store_count(struct store *store, const struct schema_kind *kind, const char *ns)
{
	const struct store_object *object;
	size_t count = 0;

	if (!ns)
		return store_kind_table(store, kind)->count;
	STORE_EACH (object, store, kind, ns)
		count++;
	return count;
}

struct store_iter store_iter_from(struct store *store, const struct schema_kind *kind, const char *ns,
                                  const char *from_ns, const char *from_name)
{
	struct store_kind_table *table = store_kind_table(store, kind);
	struct store_iter iter = {.order = &table->order, .ns = ns};

	store_order_seek(&table->order, from_ns, from_name, &iter.chunk, &iter.item);
	return iter;
}

struct store_iter store_iter(struct store *store, const struct schema_kind *kind, const char *ns)
{
	struct store_iter iter = {.order = &store_kind_table(store, kind)->order, .ns = ns};

	return ns ? store_iter_from(store, kind, ns, ns, "") : iter;
}

const struct store_object *store_next(struct store_iter *iter)
{
	const struct store_chunk *chunk;
	const struct store_object *object;

	if (iter->chunk >= iter->order->count)
		return NULL;
	chunk = iter->order->chunks[iter->chunk];
	object = chunk->items[iter->item]->object;
	if (iter->ns && strcmp(object->ns, iter->ns) != 0)
		return NULL;
	if (++iter->item == chunk->count) {
		iter->item = 0;
		iter->chunk++;
	}
	return object;
}

static void list_add(struct store_list *list, size_t *cap, const struct store_object *object)
{
	list->items = kt_grow(list->items, cap, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = store_ref(object);
}

void store_list(struct store *store, const struct schema_kind *kind, const char *ns, struct store_list *out)
{
	const struct store_object *object;
	size_t cap = 0;

	*out = (struct store_list){.version = store->version};
	STORE_EACH (object, store, kind, ns)
		list_add(out, &cap, object);
}

void store_list_clear(struct store_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		store_unref(list->items[i]);
	kt_free(list->items);
	*list = (struct store_list){0};
}

void store_pods_on_node(struct store *store, const char *node, struct store_list *out)
{
	const struct store_bucket *bucket = store_index_find(&store->by_node, node);
	size_t cap = 0;

	*out = (struct store_list){.version = store->version};
	for (size_t i = 0; bucket && i < bucket->count; i++)
		list_add(out, &cap, bucket->items[i]->object);
}

void store_controlled_by(struct store *store, const struct schema_kind *kind, const char *owner_uid,
                         struct store_list *out)
{
	const struct store_bucket *bucket = store_index_find(&store->by_owner, owner_uid);
	size_t cap = 0;

	*out = (struct store_list){.version = store->version};
	for (size_t i = 0; bucket && i < bucket->count; i++) {
		const struct store_object *object = bucket->items[i]->object;

		if (object->kind == kind && kt_streq(object->inner->controller, owner_uid))
			list_add(out, &cap, object);
	}
}

void store_owned_by(struct store *store, const char *owner_uid, struct store_list *out)
{
	const struct store_bucket *bucket = store_index_find(&store->by_owner, owner_uid);
	size_t cap = 0;

	*out = (struct store_list){.version = store->version};
	for (size_t i = 0; bucket && i < bucket->count; i++)
		list_add(out, &cap, bucket->items[i]->object);
}

/* --- listening --- */
uint64_t store_listen(struct store *store, store_listener_fn *fn, void *arg)
{
	size_t at = 0;

	while (at < store->listener_count && store->listeners[at].fn)
		at++;
	/* while events are told, a new listener waits at the end */
	if (store->emitting)
		at = store->listener_count;
	if (at == store->listener_count) {
		store->listeners =
		        kt_grow(store->listeners, &store->listener_cap, at + 1, sizeof(*store->listeners));
		store->listener_count++;
	}
	store->listeners[at] = (struct store_listener){.id = ++store->next_listener, .fn = fn, .arg = arg};
	return store->next_listener;
}

void store_unlisten(struct store *store, uint64_t id)
{
	for (size_t i = 0; i < store->listener_count; i++) {
		if (store->listeners[i].id == id)
			store->listeners[i] = (struct store_listener){0};
	}
}

/* --- the journal's side --- */
void store_track(struct store *store)
{
	store->tracking = true;
}

size_t store_take_dirty(struct store *store, const struct store_object ***out)
{
	size_t count = store->dirty_count;

	*out = store->dirty;
	store->dirty = NULL;
	store->dirty_count = store->dirty_cap = 0;
	for (size_t i = 0; i < count; i++) {
		const struct store_object *object = (*out)[i];
		struct store_entry *entry = store_entry_of(store, object->kind, object->ns, object->name);

		if (entry)
			entry->dirty = false;
	}
	return count;
}

const struct store_object *store_load(struct store *store, const struct schema_kind *kind,
                                      struct kt_json *steal, uint64_t created_version)
{
	struct store_kind_table *table = store_kind_table(store, kind);
	const char *text = kt_get_str(kt_get(steal, "metadata"), "resourceVersion");
	const char *end = text;
	uint64_t version = 0;
	const struct store_object *object;

	while (end && *end >= '0' && *end <= '9')
		version = version * 10 + (uint64_t)(*end++ - '0');
	object = object_new(kind, steal, version, created_version);
	entry_new(store, table, object);
	store_set_version(store, KT_MAX(store->version, version));
	return object;
}

void store_set_version(struct store *store, uint64_t version)
{
	store->version = store->emitted = store->oldest = store->loaded = version;
	for (size_t i = 0; i < store->kind_cap; i++) {
		if (store->kinds[i])
			store->kinds[i]->compacted = store->kinds[i]->last = version;
	}
}

/* --- life --- */
struct store *store_new(void)
{
	struct store *store = kt_alloc(sizeof(*store));

	store->max_events = DEFAULT_EVENTS;
	store->max_bytes = DEFAULT_BYTES;
	return store;
}

void store_free(struct store *store)
{
	struct store_entry *entry;
	char *word;

	if (!store)
		return;
	store_history_clear(store);
	store_index_clear(&store->by_node);
	store_index_clear(&store->by_owner);
	for (size_t i = 0; (entry = store_table_next(&store->by_key, &i));) {
		store_unref(entry->object);
		kt_free(entry);
	}
	store_table_clear(&store->by_key);
	store_table_clear(&store->by_uid);
	for (size_t i = 0; i < store->kind_cap; i++) {
		if (store->kinds[i])
			store_order_clear(&store->kinds[i]->order);
		kt_free(store->kinds[i]);
	}
	for (size_t i = 0; (word = store_table_next(&store->actors, &i));)
		kt_free(word);
	store_table_clear(&store->actors);
	for (size_t i = 0; i < store->dirty_count; i++)
		store_unref(store->dirty[i]);
	kt_free(store->dirty);
	kt_free(store->listeners);
	kt_free(store->kinds);
	kt_free(store);
}

uint64_t store_version(const struct store *store)
{
	return store->version;
}
