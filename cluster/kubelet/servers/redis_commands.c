/* SPDX-License-Identifier: MIT */
/* Redis' commands: found by name, refused or queued, run, kept. Each file of commands is a table of rows.
 * Source: redis.io/docs/latest/commands. */
#include "cluster/kubelet/servers/redis_command.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- keys --- */
char *redis_db_name(const struct redis_call *c)
{
	return kt_strf("%d", c->client->db);
}

const struct kt_json *redis_db(const struct redis_call *c)
{
	char *name = redis_db_name(c);
	const struct kt_json *db = kt_get(c->redis->data, name);
	kt_free(name);
	return db;
}

void redis_drop(const struct redis_call *c, const char *key)
{
	char *name = redis_db_name(c);
	redis_put(c->redis, name, key, NULL);
	kt_free(name);
}

const struct kt_json *redis_entry(const struct redis_call *c, const char *key)
{
	const struct kt_json *e = kt_get(redis_db(c), key);
	int64_t until = kt_get_int(e, "until", 0);
	if (e && until && until <= redis_now(c->redis)) {
		redis_drop(c, key);
		return NULL;
	}
	return e;
}

const struct kt_json *redis_value(const struct redis_call *c, const char *key, const char *type, bool *wrong)
{
	const struct kt_json *e = redis_entry(c, key);
	*wrong = e && strcmp(kt_str_or(kt_get(e, "type"), ""), type) != 0;
	if (*wrong)
		resp_error(c->out, REDIS_WRONG_TYPE);
	return *wrong ? NULL : kt_get(e, "value");
}

void redis_store(struct redis_call *c, const char *key, const char *type, struct kt_json *steal, bool keep)
{
	char *name = redis_db_name(c);
	int64_t until = keep ? kt_get_int(redis_entry(c, key), "until", 0) : 0;
	bool empty = strcmp(type, "string") != 0 && !kt_count(steal);
	c->changed = true;
	redis_put(c->redis, name, key,
	          empty ? NULL : kt_jsonf("{type: %s, value: %J, until: %l}", type, steal, until));
	kt_json_free(steal);
	kt_free(name);
}

bool redis_integer(const char *text, int64_t *out)
{
	char *end;
	*out = strtoll(text, &end, 10);
	return *text && !*end && !isspace((unsigned char)*text);
}

void redis_until(struct redis_call *c, const char *key, int64_t until)
{
	char *name = redis_db_name(c);
	kt_set(kt_edit(kt_edit(&c->redis->data, name), key), "until", kt_json_int(until));
	kt_free(name);
	c->changed = true;
	c->until = until;
}

struct kt_json *redis_edit(const struct redis_call *c, const char *key, const char *type,
                           struct kt_json *empty, bool *wrong)
{
	struct kt_json *there = kt_json_ref(redis_value(c, key, type, wrong));
	if (*wrong || there) {
		kt_json_free(empty);
		return there;
	}
	return empty;
}

/* --- words --- */
bool redis_is(const char *word, const char *name)
{
	return !strcasecmp(word, name);
}

bool redis_float(const char *text, double *out)
{
	char *end;
	*out = strtod(text, &end);
	return *text && !*end && !isspace((unsigned char)*text) && !isnan(*out);
}

bool redis_take_int(const struct redis_call *c, size_t at, int64_t *out)
{
	bool good = redis_integer(c->argv[at], out);
	if (!good)
		resp_error(c->out, REDIS_NO_INTEGER);
	return good;
}

bool redis_take_float(const struct redis_call *c, size_t at, double *out)
{
	bool good = redis_float(c->argv[at], out);
	if (!good)
		resp_error(c->out, REDIS_NO_FLOAT);
	return good;
}

size_t redis_any(const struct redis_call *c, size_t count)
{
	return count ? (size_t)(redis_now(c->redis) / KT_US) % count : 0;
}

bool redis_patience(const struct redis_call *c, double *seconds)
{
	bool number = redis_float(c->argv[c->argc - 1], seconds);
	if (!number || *seconds < 0)
		resp_error(c->out,
		           number ? "ERR timeout is negative" : "ERR timeout is not a float or out of range");
	return number && *seconds >= 0;
}

char *redis_float_text(long double n)
{
	char *text = kt_strf("%.17Lf", n);
	size_t len = strlen(text);
	while (len && text[len - 1] == '0')
		text[--len] = '\0';
	if (len && text[len - 1] == '.')
		text[--len] = '\0';
	return text;
}

bool redis_range(const struct redis_call *c, size_t at, size_t count, size_t *from, size_t *to)
{
	int64_t a, b, n = (int64_t)count;
	if (!redis_take_int(c, at, &a) || !redis_take_int(c, at + 1, &b))
		return false;
	a = a < 0 ? KT_MAX(a + n, 0) : a;
	b = b < 0 ? b + n : KT_MIN(b, n - 1);
	*from = (size_t)a;
	*to = b >= a && a < n ? (size_t)b + 1 : (size_t)a;
	return true;
}

void redis_give_strs(struct redis_call *c, struct kt_strs *list)
{
	resp_array(c->out, list->count);
	for (size_t i = 0; i < list->count; i++)
		resp_text(c->out, list->items[i]);
	kt_strs_clear(list);
}

void redis_give_scan(struct redis_call *c, struct kt_strs *list)
{
	resp_array(c->out, 2);
	resp_text(c->out, "0");
	redis_give_strs(c, list);
}

const char *redis_scan_pattern(const struct redis_call *c, size_t from)
{
	const char *pattern = "*";
	for (size_t i = from; i + 1 < c->argc; i += 2)
		pattern = redis_is(c->argv[i], "match") ? c->argv[i + 1] : pattern;
	return pattern;
}

void redis_keep(struct redis_call *c, const char *a, const char *b, const char *d)
{
	const char *const kept[] = {a, b, d};
	kt_strs_clear(&c->kept);
	for (size_t i = 0; i < KT_COUNT(kept) && kept[i]; i++)
		kt_strs_add(&c->kept, kept[i]);
}

/* --- rows that several types have --- */
void redis_do_count(struct redis_call *c)
{
	bool wrong;
	const struct kt_json *all = redis_value(c, c->argv[1], c->row->type, &wrong);
	if (!wrong)
		resp_int(c->out, (int64_t)kt_count(all));
}

void redis_do_remove(struct redis_call *c)
{
	bool wrong;
	struct kt_json *all = redis_edit(c, c->argv[1], c->row->type, kt_json_object(), &wrong);
	int64_t gone = 0;
	if (wrong)
		return;
	for (size_t i = 2; i < c->argc; i++)
		if (kt_get(all, c->argv[i])) {
			kt_unset(&all, c->argv[i]);
			gone++;
		}
	resp_int(c->out, gone);
	if (gone)
		redis_store(c, c->argv[1], c->row->type, all, true);
	else
		kt_json_free(all);
}

void redis_do_has(struct redis_call *c)
{
	bool wrong;
	const struct kt_json *all = redis_value(c, c->argv[1], c->row->type, &wrong);
	if (!wrong)
		resp_int(c->out, kt_get(all, c->argv[2]) != NULL);
}

void redis_do_ok(struct redis_call *c)
{
	resp_simple(c->out, "OK");
}

/* --- MULTI --- */
static void do_multi(struct redis_call *c)
{
	if (c->client->queued) {
		resp_error(c->out, "ERR MULTI calls can not be nested");
		return;
	}
	c->client->queued = kt_json_array();
	c->client->spoilt = false;
	resp_simple(c->out, "OK");
}

static void do_discard(struct redis_call *c)
{
	if (!c->client->queued) {
		resp_error(c->out, "ERR DISCARD without MULTI");
		return;
	}
	kt_json_freep(&c->client->queued);
	resp_simple(c->out, "OK");
}

static void do_exec(struct redis_call *c)
{
	struct kt_json *queued = c->client->queued;
	const struct kt_json *words;
	c->client->queued = NULL;
	if (!queued) {
		resp_error(c->out, "ERR EXEC without MULTI");
	} else if (c->client->spoilt) {
		resp_error(c->out, "EXECABORT Transaction discarded because of previous errors.");
	} else {
		resp_array(c->out, kt_count(queued));
		KT_JSON_EACH (words, queued) {
			struct kt_strs argv = {0};
			for (size_t i = 0; i < kt_count(words); i++)
				kt_strs_add(&argv, kt_str_or(kt_at(words, i), ""));
			redis_command(c->client, argv.items, argv.count, c->out);
			kt_strs_clear(&argv);
		}
	}
	kt_json_free(queued);
}

/* One conversation is answered at a time: nothing changes between WATCH and EXEC. */
static void do_watch(struct redis_call *c)
{
	if (c->client->queued)
		resp_error(c->out, "ERR WATCH inside MULTI is not allowed");
	else
		resp_simple(c->out, "OK");
}

static const struct redis_row transaction_rows[] = {
        {"multi", 1, 1, REDIS_AT_ONCE, do_multi, NULL},
        {"exec", 1, 1, REDIS_AT_ONCE, do_exec, NULL},
        {"discard", 1, 1, REDIS_AT_ONCE, do_discard, NULL},
        {"watch", 2, 0, REDIS_AT_ONCE, do_watch, NULL},
        {"unwatch", 1, 1, 0, redis_do_ok, NULL},
        {0},
};

/* --- all of them --- */
static const struct redis_row *row_named(const char *name)
{
	static const struct redis_row *const tables[] = {
	        redis_string_rows,  redis_key_rows,  redis_list_rows,   redis_hash_rows,
	        redis_set_rows,     redis_zset_rows, redis_server_rows, redis_stream_rows,
	        redis_channel_rows, transaction_rows};
	for (size_t t = 0; t < KT_COUNT(tables); t++)
		for (const struct redis_row *row = tables[t]; row->name; row++)
			if (redis_is(row->name, name))
				return row;
	return NULL;
}

/* Over maxmemory nothing more is taken; unless keys may go, those that lie longest first. */
static bool has_room(struct redis_call *c)
{
	int64_t most = strtoll(redis_config(c->redis, "maxmemory"), NULL, 10);
	bool may_go = strcmp(redis_config(c->redis, "maxmemory-policy"), "noeviction") != 0;
	while (most && redis_memory(c->redis) > most) {
		const struct kt_json *db = redis_db(c);
		if (!may_go || !kt_count(db))
			return false;
		char *oldest = kt_strdup(kt_key(db, 0));
		redis_drop(c, oldest);
		redis_append(c->redis, c->client->db, (const char *const[]){"DEL", oldest}, 2);
		kt_free(oldest);
	}
	return true;
}

/* As it was asked, but with times that hold whenever it is read again. */
static void keep(const struct redis_call *c)
{
	const char *const *words = (const char *const *)(c->kept.count ? c->kept.items : c->argv);
	char *at = kt_strf("%lld", (long long)(c->until / KT_MS));
	const char *key = c->argc > 1 ? c->argv[1] : "";
	if (!c->until)
		redis_append(c->redis, c->client->db, words, c->kept.count ? c->kept.count : c->argc);
	else if (c->row->flags & REDIS_SETS) /* set k v ex 5, setex k 5 v */
		redis_append(c->redis, c->client->db,
		             (const char *const[]){"SET", key, c->argv[c->argc == 4 ? 3 : 2], "PXAT", at}, 5);
	else
		redis_append(c->redis, c->client->db, (const char *const[]){"PEXPIREAT", key, at}, 3);
	kt_free(at);
}

/* An error reply to what is not even tried; NULL: none. */
static bool refused(struct redis_call *c)
{
	const struct redis_row *row = c->row;
	bool writes = row && row->flags & REDIS_WRITES;
	if (!c->client->known && (!row || !(row->flags & REDIS_ANYBODY)))
		resp_error(c->out, "NOAUTH Authentication required.");
	else if (!row)
		resp_error(c->out, "ERR unknown command '%s', with args beginning with: %s%s%s", c->argv[0],
		           c->argc > 1 ? "'" : "", c->argc > 1 ? c->argv[1] : "", c->argc > 1 ? "' " : "");
	else if (c->argc < row->least || (row->most && c->argc > row->most))
		resp_error(c->out, "ERR wrong number of arguments for '%s' command", row->name);
	else if (writes && c->redis->master)
		resp_error(c->out, "READONLY You can't write against a read only replica.");
	else if (writes && !(row->flags & REDIS_FREES) && !c->redis->loading && !has_room(c))
		resp_error(c->out, "OOM command not allowed when used memory > 'maxmemory'.");
	else
		return false;
	return true;
}

static void queue(struct redis_call *c)
{
	struct kt_json *words = kt_json_array();
	for (size_t i = 0; i < c->argc; i++)
		kt_push(&words, kt_json_str(c->argv[i]));
	kt_push(&c->client->queued, words);
	resp_simple(c->out, "QUEUED");
}

void redis_command(struct redis_client *client, char **argv, size_t argc, struct kt_buf *out)
{
	struct redis_call call = {.row = row_named(argv[0]),
	                          .client = client,
	                          .redis = client->redis,
	                          .argv = argv,
	                          .argc = argc,
	                          .out = out};
	if (refused(&call)) {
		client->spoilt = true;
	} else if (client->queued && !(call.row->flags & REDIS_AT_ONCE)) {
		queue(&call);
	} else {
		call.row->run(&call);
		if (call.changed) {
			keep(&call);
			redis_changed(client->redis);
		}
	}
	kt_strs_clear(&call.kept);
}

void redis_client_clear(struct redis_client *client)
{
	kt_json_freep(&client->queued);
	kt_free(client->inbox);
}
