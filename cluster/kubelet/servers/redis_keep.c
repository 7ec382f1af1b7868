/* SPDX-License-Identifier: MIT */
/* Redis' data: every change of it, how much memory it is, and how it is kept: dump.rdb as a whole at save
 * points, with appendonly a base and each command behind it as it was answered (times made absolute). Source:
 * redis.io/docs/latest/operate/oss_and_stack/management/persistence. What is in a .rdb is JSON here. */
#include "cluster/kubelet/servers/redis.h"

#include <stdlib.h>
#include <string.h>

/* --- memory --- */
static int64_t entry_bytes(const struct kt_json *e)
{
	enum { KEY = 64 };
	if (!e)
		return 0;
	char *text = kt_json_text(kt_get(e, "value"));
	int64_t bytes = (int64_t)strlen(text) + KEY;
	kt_free(text);
	return bytes;
}

static int64_t db_bytes(const struct kt_json *db)
{
	const struct kt_json *key;
	int64_t bytes = 0;
	KT_JSON_EACH (key, db)
		bytes += entry_bytes(key);
	return bytes;
}

int64_t redis_memory(const struct redis *redis)
{
	enum { EMPTY = 860 << 10 };
	return EMPTY + redis->bytes;
}

/* --- changes --- */
void redis_put(struct redis *redis, const char *db, const char *key, struct kt_json *steal)
{
	const struct kt_json *old = kt_get(kt_get(redis->data, db), key);
	redis->bytes += entry_bytes(steal) - entry_bytes(old);
	if (!steal && old)
		kt_unset(kt_edit(&redis->data, db), key);
	if (!steal)
		return;
	if (!kt_is_object(kt_get(redis->data, db)))
		kt_set(&redis->data, db, kt_json_object());
	kt_set(kt_edit(&redis->data, db), key, steal);
}

void redis_flush(struct redis *redis, const char *db)
{
	if (!db) {
		redis_take(redis, kt_json_object());
		return;
	}
	redis->bytes -= db_bytes(kt_get(redis->data, db));
	kt_unset(&redis->data, db);
}

void redis_take(struct redis *redis, struct kt_json *steal)
{
	kt_json_free(redis->data);
	redis->data = steal;
	redis->bytes = 0;
	for (size_t d = 0; d < kt_count(redis->data); d++)
		redis->bytes += db_bytes(kt_at(redis->data, d));
}

/* --- files --- */
struct kt_json *redis_data_parse(const char *text, size_t len)
{
	struct kt_err err = {0};
	struct kt_json *data = NULL;
	size_t magic = strlen(REDIS_MAGIC);
	if (len < magic || memcmp(text, REDIS_MAGIC, magic) != 0 ||
	    kt_json_parse(text + magic, len - magic, NULL, &data, NULL, &err) != KT_OK)
		return NULL;
	if (kt_is_object(data))
		return data;
	kt_json_free(data);
	return NULL;
}

static bool appends(const struct redis *redis)
{
	return kt_streq(redis_config(redis, "appendonly"), "yes");
}

static struct files *files_of(const struct redis *redis)
{
	return tool_container(redis->r)->files;
}

static char *dump_path(const struct redis *redis)
{
	return kt_strf("%s/%s", redis_config(redis, "dir"), redis_config(redis, "dbfilename"));
}

/* "base.rdb", "incr.aof", "manifest" (which has no number) */
static char *append_path(const struct redis *redis, const char *part)
{
	const char *dir = redis_config(redis, "dir"), *sub = redis_config(redis, "appenddirname"),
	           *name = redis_config(redis, "appendfilename");
	return kt_streq(part, "manifest") ? kt_strf("%s/%s/%s.manifest", dir, sub, name)
	                                  : kt_strf("%s/%s/%s.%d.%s", dir, sub, name, redis->part, part);
}

static int write_whole(const struct redis *redis, char *steal_path, char *steal_text)
{
	int rc = files_write(files_of(redis), steal_path, steal_text, strlen(steal_text), false, 0600,
	                     redis_now(redis));
	kt_free(steal_path);
	kt_free(steal_text);
	return rc;
}

static int write_data(const struct redis *redis, char *steal_path)
{
	char *text = kt_json_text(redis->data), *all = kt_strf("%s%s", REDIS_MAGIC, text);
	kt_free(text);
	return write_whole(redis, steal_path, all);
}

static void remove_part(const struct redis *redis, const char *part)
{
	char *path = append_path(redis, part);
	(void)files_remove(files_of(redis), path, false);
	kt_free(path);
}

void redis_rewrite(struct redis *redis)
{
	if (!appends(redis))
		return;
	char *dir = kt_strf("%s/%s", redis_config(redis, "dir"), redis_config(redis, "appenddirname"));
	(void)files_mkdir(files_of(redis), dir, false, redis_now(redis));
	kt_free(dir);
	if (redis->part) {
		remove_part(redis, "base.rdb");
		remove_part(redis, "incr.aof");
	}
	redis->part++;
	redis->append_db = -1;
	(void)write_data(redis, append_path(redis, "base.rdb"));
	(void)write_whole(redis, append_path(redis, "incr.aof"), kt_strdup(""));
	const char *name = redis_config(redis, "appendfilename");
	(void)write_whole(redis, append_path(redis, "manifest"),
	                  kt_strf("file %s.%d.base.rdb seq %d type b\nfile %s.%d.incr.aof seq %d type i\n",
	                          name, redis->part, redis->part, name, redis->part, redis->part));
}

static void add_words(struct kt_buf *out, const char *const *words, size_t count)
{
	resp_array(out, count);
	for (size_t i = 0; i < count; i++)
		resp_text(out, words[i]);
}

void redis_append(struct redis *redis, int db, const char *const *words, size_t count)
{
	struct kt_buf text = {0};
	if (!appends(redis) || redis->loading)
		return;
	if (redis->append_db != db) {
		char *number = kt_strf("%d", db);
		add_words(&text, (const char *const[]){"SELECT", number}, 2);
		kt_free(number);
		redis->append_db = db;
	}
	add_words(&text, words, count);
	char *path = append_path(redis, "incr.aof");
	(void)files_write(files_of(redis), path, text.data, text.len, true, 0600, redis_now(redis));
	kt_free(path);
	kt_buf_clear(&text);
}

static void load_data(struct redis *redis, char *steal_path)
{
	struct kt_buf text = {0};
	(void)files_read(files_of(redis), steal_path, &text);
	struct kt_json *data = redis_data_parse(kt_buf_str(&text), text.len);
	if (data)
		redis_take(redis, data);
	kt_buf_clear(&text);
	kt_free(steal_path);
}

static void replay(struct redis *redis)
{
	struct redis_client client = {.redis = redis, .known = true};
	struct kt_buf text = {0}, replies = {0};
	struct kt_strs words = {0};
	char *path = append_path(redis, "incr.aof");
	(void)files_read(files_of(redis), path, &text);
	redis->loading = true;
	const char *at = kt_buf_str(&text), *end = at + text.len;
	while (resp_request(&at, end, &words)) {
		redis_command(&client, words.items, words.count, &replies);
		kt_buf_clear(&replies);
	}
	redis->loading = false;
	redis->append_db = -1;
	redis_client_clear(&client);
	kt_strs_clear(&words);
	kt_buf_clear(&text);
	kt_free(path);
}

void redis_load(struct redis *redis)
{
	struct kt_buf manifest = {0};
	if (!appends(redis)) {
		load_data(redis, dump_path(redis));
		return;
	}
	char *path = append_path(redis, "manifest");
	(void)files_read(files_of(redis), path, &manifest);
	const char *seq = strstr(kt_buf_str(&manifest), " seq ");
	redis->part = seq ? (int)strtol(seq + strlen(" seq "), NULL, 10) : 0;
	if (redis->part > 0) {
		load_data(redis, append_path(redis, "base.rdb"));
		replay(redis);
	} else {
		redis_rewrite(redis);
	}
	kt_buf_clear(&manifest);
	kt_free(path);
}

/* --- save points --- */
bool redis_save(struct redis *redis)
{
	int rc = write_data(redis, dump_path(redis));
	if (rc) {
		redis_note(redis, 'M',
		           "# Failed opening the temp RDB file temp-%d.rdb (in server root dir %s) for "
		           "saving: %s",
		           redis->r->task->pid, redis_config(redis, "dir"), tool_strerror(rc));
		return false;
	}
	redis->changes = 0;
	redis->saved_at = redis_now(redis);
	redis_note(redis, 'M', "* DB saved on disk");
	return true;
}

/* "3600 1 300 100": seconds and changes, pair by pair. */
static bool is_due(const struct redis *redis)
{
	const char *at = redis_config(redis, "save");
	while (at && *at) {
		char *end;
		long long seconds = strtoll(at, &end, 10), changes;
		if (end == at)
			return false;
		at = end;
		changes = strtoll(at, &end, 10);
		if (end == at)
			return false;
		if (redis->changes >= changes && redis_now(redis) - redis->saved_at >= seconds * KT_SEC)
			return true;
		at = end + strspn(end, " ");
	}
	return false;
}

void redis_changed(struct redis *redis)
{
	if (redis->loading)
		return;
	redis->changes++;
	if (is_due(redis))
		(void)redis_save(redis);
	tool_memory(redis->r, redis_memory(redis));
}
