/* SPDX-License-Identifier: MIT */
#include "cluster/journal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- writing --- */
struct cluster_batch {
	struct cluster_record *records;
	struct kt_buf *keys, *values;
	size_t count, cap, key_cap, value_cap;
};

static struct kt_buf *batch_add(struct cluster_batch *batch, struct kt_buf **key)
{
	size_t i = batch->count++;

	batch->keys = kt_grow(batch->keys, &batch->key_cap, batch->count, sizeof(*batch->keys));
	batch->values = kt_grow(batch->values, &batch->value_cap, batch->count, sizeof(*batch->values));
	batch->keys[i] = (struct kt_buf){0};
	batch->values[i] = (struct kt_buf){0};
	*key = &batch->keys[i];
	return &batch->values[i];
}

static void add_objects(struct cluster *cluster, struct cluster_batch *batch)
{
	const struct store_object **dirty;
	size_t count = store_take_dirty(cluster->store, &dirty);

	for (size_t i = 0; i < count; i++) {
		const struct store_object *was = dirty[i];
		const struct store_object *object = store_get(cluster->store, was->kind, was->ns, was->name);
		struct kt_buf *key, *value = batch_add(batch, &key);

		kt_buf_addf(key, "o/%s/%s/%s/%s", was->kind->group, was->kind->kind, was->ns, was->name);
		if (object) {
			kt_buf_addf(value, "%" PRIu64 " ", object->created_version);
			kt_json_print(object->json, value);
		}
		store_unref(was);
	}
	kt_free(dirty);
}

static void add_kept(struct cluster *cluster, struct cluster_batch *batch)
{
	for (size_t i = 0; i < cluster->kept_dirty.count; i++) {
		const struct kt_json *kept = cluster_kept(cluster, cluster->kept_dirty.items[i]);
		struct kt_buf *key, *value = batch_add(batch, &key);

		kt_buf_addf(key, "k/%s", cluster->kept_dirty.items[i]);
		if (kept)
			kt_json_print(kept, value);
	}
	kt_strs_clear(&cluster->kept_dirty);
}

static void add_meta(const struct cluster *cluster, struct cluster_batch *batch)
{
	struct kt_buf *key, *value = batch_add(batch, &key);

	kt_buf_adds(key, "m");
	kt_buf_addf(value, "%" PRIu64 " %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
	            store_version(cluster->store), cluster->now, cluster->random.state, cluster->random.inc,
	            cluster->options.seed);
}

static void batch_clear(struct cluster_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		kt_buf_clear(&batch->keys[i]);
		kt_buf_clear(&batch->values[i]);
	}
	kt_free(batch->keys);
	kt_free(batch->values);
	kt_free(batch->records);
}

void cluster_batch_free(struct cluster_batch *batch)
{
	if (!batch)
		return;
	batch_clear(batch);
	kt_free(batch);
}

static enum kt_code batch_write(struct cluster_batch *batch, const struct cluster_journal *journal,
                                struct kt_err *err)
{
	enum kt_code rc;

	batch->records = kt_alloc(batch->count * sizeof(*batch->records));
	for (size_t i = 0; i < batch->count; i++) {
		const struct kt_buf *value = &batch->values[i];

		batch->records[i].key = kt_buf_str(&batch->keys[i]);
		batch->records[i].value = value->len ? value->data : NULL;
		batch->records[i].len = value->len;
	}
	rc = journal->write ? journal->write(journal->arg, batch->records, batch->count, err) : KT_OK;
	kt_free(batch->records);
	batch->records = NULL;
	return rc;
}

enum kt_code cluster_journal_write(struct cluster *cluster, struct kt_err *err)
{
	/* What could not be written before goes first: a newer version of a key comes behind it. */
	struct cluster_batch *batch = cluster->unwritten ? cluster->unwritten : kt_alloc(sizeof(*batch));
	enum kt_code rc = KT_OK;

	cluster->unwritten = NULL;
	add_objects(cluster, batch);
	add_kept(cluster, batch);
	/* time alone is worth a record now and then */
	if (batch->count || cluster->now - cluster->written_now >= 60 * KT_SEC) {
		add_meta(cluster, batch);
		cluster->written_now = cluster->now;
		rc = batch_write(batch, cluster->options.journal, err);
	}
	if (rc)
		cluster->unwritten = batch;
	else
		cluster_batch_free(batch);
	return rc;
}

/* --- reading --- */
struct reader {
	struct cluster *cluster;
	bool found;
	struct kt_strs late_keys, late_values; /* objects of kinds that are not known yet */
	uint64_t version;
	struct kt_err *err;
	enum kt_code rc;
};

static const struct schema_kind *kind_of_key(struct cluster *cluster, const char *key)
{
	const char *rest = key + 2;
	size_t group_len, kind_len;
	const char *group = kt_split(&rest, '/', &group_len);
	const char *kind = rest ? kt_split(&rest, '/', &kind_len) : NULL;

	for (size_t i = 0; kind && i < schema_kind_count(cluster->schema); i++) {
		const struct schema_kind *k = schema_kind_at(cluster->schema, i);

		if (k->storage == k && strlen(k->group) == group_len &&
		    strncmp(k->group, group, group_len) == 0 && strlen(k->kind) == kind_len &&
		    strncmp(k->kind, kind, kind_len) == 0)
			return k;
	}
	return NULL;
}

static bool read_object(struct reader *reader, const char *key, const char *text, size_t len)
{
	const struct schema_kind *kind = kind_of_key(reader->cluster, key);
	char *end;
	uint64_t created;
	struct kt_json *json = NULL;
	const struct store_object *object;

	if (!kind)
		return false;
	created = strtoull(text, &end, 10);
	if (*end != ' ' ||
	    kt_json_parse(end + 1, len - (size_t)(end + 1 - text), NULL, &json, NULL, reader->err)) {
		reader->rc = kt_fail(reader->err, KT_EIO, "record '%s' cannot be read", key);
		return true;
	}
	object = store_load(reader->cluster->store, kind, json, created);
	if (kind == reader->cluster->crd_kind)
		(void)!schema_add_crd(reader->cluster->schema, object->json, NULL);
	return true;
}

static void read_meta(struct reader *reader, const char *text)
{
	struct cluster *cluster = reader->cluster;
	int64_t now;

	if (sscanf(text, "%" SCNu64 " %" SCNd64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &reader->version, &now,
	           &cluster->random.state, &cluster->random.inc, &cluster->options.seed) != 5) {
		reader->rc = kt_fail(reader->err, KT_EIO, "record 'm' cannot be read");
		return;
	}
	cluster->now = cluster->written_now = now;
	reader->found = true;
}

static void read_row(void *arg, const struct cluster_record *record)
{
	struct reader *reader = arg;
	char *text = kt_strndup(record->value, record->len);
	struct kt_json *json = NULL;

	if (!reader->rc && strcmp(record->key, "m") == 0) {
		read_meta(reader, text);
	} else if (!reader->rc && kt_starts(record->key, "k/")) {
		if (!kt_json_parse(text, record->len, NULL, &json, NULL, NULL))
			kt_set(&reader->cluster->kept, record->key + 2, json);
	} else if (!reader->rc && kt_starts(record->key, "o/") &&
	           !read_object(reader, record->key, text, record->len)) {
		kt_strs_add(&reader->late_keys, record->key);
		kt_strs_add(&reader->late_values, text);
	}
	kt_free(text);
}

enum kt_code cluster_journal_read(struct cluster *cluster, bool *out_found, struct kt_err *err)
{
	struct reader reader = {.cluster = cluster, .err = err};
	const struct cluster_journal *journal = cluster->options.journal;
	enum kt_code rc = journal->read ? journal->read(journal->arg, read_row, &reader, err) : KT_OK;

	for (size_t i = 0; !rc && !reader.rc && i < reader.late_keys.count; i++)
		(void)read_object(&reader, reader.late_keys.items[i], reader.late_values.items[i],
		                  strlen(reader.late_values.items[i]));
	kt_strs_clear(&reader.late_keys);
	kt_strs_clear(&reader.late_values);
	if (reader.found)
		store_set_version(cluster->store, KT_MAX(reader.version, store_version(cluster->store)));
	*out_found = reader.found;
	return rc ? rc : reader.rc;
}
