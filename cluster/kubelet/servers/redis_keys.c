/* SPDX-License-Identifier: MIT */
/* Redis' commands for keys of any type. */
#include "cluster/kubelet/servers/redis_command.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void do_del(struct redis_call *c)
{
	int64_t count = 0;
	for (size_t i = 1; i < c->argc; i++)
		if (redis_entry(c, c->argv[i])) {
			redis_drop(c, c->argv[i]);
			count++;
		}
	c->changed = count > 0;
	resp_int(c->out, count);
}

static void do_exists(struct redis_call *c)
{
	int64_t count = 0;
	for (size_t i = 1; i < c->argc; i++)
		count += redis_entry(c, c->argv[i]) != NULL;
	resp_int(c->out, count);
}

static void do_type(struct redis_call *c)
{
	const struct kt_json *e = redis_entry(c, c->argv[1]);
	resp_simple(c->out, e ? kt_str_or(kt_get(e, "type"), "none") : "none");
}

static void live_keys(const struct redis_call *c, const char *pattern, struct kt_strs *out)
{
	struct kt_strs all = {0};
	const struct kt_json *db = redis_db(c);
	for (size_t i = 0; i < kt_count(db); i++)
		kt_strs_add(&all, kt_key(db, i));
	for (size_t i = 0; i < all.count; i++)
		if (redis_entry(c, all.items[i]) && pattern_match(pattern, all.items[i]))
			kt_strs_add(out, all.items[i]);
	kt_strs_clear(&all);
}

static void do_keys(struct redis_call *c)
{
	struct kt_strs keys = {0};
	live_keys(c, c->argv[1], &keys);
	redis_give_strs(c, &keys);
}

static void do_scan(struct redis_call *c)
{
	struct kt_strs keys = {0};
	live_keys(c, redis_scan_pattern(c, 2), &keys);
	redis_give_scan(c, &keys);
}

static void do_randomkey(struct redis_call *c)
{
	struct kt_strs keys = {0};
	live_keys(c, "*", &keys);
	resp_text(c->out, keys.count ? keys.items[redis_any(c, keys.count)] : NULL);
	kt_strs_clear(&keys);
}

static void do_dbsize(struct redis_call *c)
{
	struct kt_strs keys = {0};
	live_keys(c, "*", &keys);
	resp_int(c->out, (int64_t)keys.count);
	kt_strs_clear(&keys);
}

static void do_flush(struct redis_call *c)
{
	char *name = redis_db_name(c);
	redis_flush(c->redis, strcasecmp(c->argv[0], "flushdb") ? NULL : name);
	kt_free(name);
	c->changed = true;
	resp_simple(c->out, "OK");
}

/* To that key of that database; what was there is gone. */
static void place(struct redis_call *c, const char *db, const char *key, const struct kt_json *e)
{
	redis_put(c->redis, db, key, kt_json_ref(e));
	c->changed = true;
}

/* RENAME, RENAMENX */
static void do_rename(struct redis_call *c)
{
	bool fresh = redis_is(c->row->name, "renamenx");
	struct kt_json *e = kt_json_ref(redis_entry(c, c->argv[1]));
	if (!e) {
		resp_error(c->out, "ERR no such key");
		return;
	}
	bool refused = fresh && redis_entry(c, c->argv[2]);
	char *name = redis_db_name(c);
	if (!refused) {
		redis_drop(c, c->argv[1]);
		place(c, name, c->argv[2], e);
	}
	kt_free(name);
	kt_json_free(e);
	if (fresh)
		resp_int(c->out, !refused);
	else
		resp_simple(c->out, "OK");
}

/* COPY source destination [DB n] [REPLACE] */
static void do_copy(struct redis_call *c)
{
	bool replace = false;
	int64_t db = c->client->db;
	for (size_t i = 3; i < c->argc; i++) {
		if (redis_is(c->argv[i], "replace")) {
			replace = true;
		} else if (redis_is(c->argv[i], "db") && i + 1 < c->argc) {
			if (!redis_take_int(c, ++i, &db))
				return;
		} else {
			resp_error(c->out, REDIS_SYNTAX);
			return;
		}
	}
	char *name = kt_strf("%lld", (long long)db);
	const struct kt_json *e = redis_entry(c, c->argv[1]);
	bool there = kt_get(kt_get(c->redis->data, name), c->argv[2]) != NULL;
	if (e && (replace || !there))
		place(c, name, c->argv[2], e);
	resp_int(c->out, e && (replace || !there));
	kt_free(name);
}

static void do_move(struct redis_call *c)
{
	int64_t db;
	if (!redis_take_int(c, 2, &db))
		return;
	char *name = kt_strf("%lld", (long long)db);
	struct kt_json *e = kt_json_ref(redis_entry(c, c->argv[1]));
	bool moves = e && db != c->client->db && !kt_get(kt_get(c->redis->data, name), c->argv[1]);
	if (moves) {
		redis_drop(c, c->argv[1]);
		place(c, name, c->argv[1], e);
	}
	resp_int(c->out, moves);
	kt_json_free(e);
	kt_free(name);
}

static void do_swapdb(struct redis_call *c)
{
	int64_t db[2];
	struct kt_json *held[2];
	char *names[2];
	if (!redis_take_int(c, 1, &db[0]) || !redis_take_int(c, 2, &db[1]))
		return;
	for (size_t i = 0; i < KT_COUNT(db); i++) {
		names[i] = kt_strf("%lld", (long long)db[i]);
		held[i] = kt_json_ref(kt_get(c->redis->data, names[i]));
	}
	struct kt_json *data = kt_json_ref(c->redis->data);
	for (size_t i = 0; i < KT_COUNT(db); i++) {
		kt_set(&data, names[i], held[1 - i] ? held[1 - i] : kt_json_object());
		kt_free(names[i]);
	}
	redis_take(c->redis, data);
	c->changed = true;
	resp_simple(c->out, "OK");
}

/* "NX", "XX", "GT", "LT": whether the end may be set, given the one that there is (0: none). */
static bool may_expire(const char *word, int64_t old, int64_t until)
{
	return redis_is(word, "nx")   ? !old
	       : redis_is(word, "xx") ? old != 0
	       : redis_is(word, "gt") ? old && until > old
	                              : !old || until < old;
}

static void do_expire(struct redis_call *c)
{
	static const char *const words[] = {"nx", "xx", "gt", "lt", NULL};
	int64_t n;
	if (!redis_take_int(c, 2, &n))
		return;
	const char *name = c->row->name;
	bool absolute = kt_ends(name, "at");
	kt_ns unit = *name == 'p' ? KT_MS : KT_SEC;
	kt_ns until = KT_MIN(n, INT64_MAX / 4 / unit) * unit + (absolute ? 0 : redis_now(c->redis));
	const struct kt_json *e = redis_entry(c, c->argv[1]);
	bool sets = e != NULL;
	for (size_t i = 3; i < c->argc; i++) {
		bool known = false;
		for (size_t w = 0; words[w]; w++)
			known = known || redis_is(c->argv[i], words[w]);
		if (!known) {
			resp_error(c->out, "ERR Unsupported option %s", c->argv[i]);
			return;
		}
		sets = sets && may_expire(c->argv[i], kt_get_int(e, "until", 0), until);
	}
	if (sets && until <= redis_now(c->redis))
		redis_drop(c, c->argv[1]), c->changed = true;
	else if (sets)
		redis_until(c, c->argv[1], until);
	resp_int(c->out, sets);
}

/* EXPIRETIME, PEXPIRETIME */
static void do_expiretime(struct redis_call *c)
{
	const struct kt_json *e = redis_entry(c, c->argv[1]);
	int64_t until = kt_get_int(e, "until", 0);
	resp_int(c->out, !e ? -2 : !until ? -1 : until / (*c->row->name == 'p' ? KT_MS : KT_SEC));
}

static void do_ttl(struct redis_call *c)
{
	const struct kt_json *e = redis_entry(c, c->argv[1]);
	int64_t until = kt_get_int(e, "until", 0), left = until - redis_now(c->redis);
	kt_ns unit = tolower((unsigned char)c->argv[0][0]) == 'p' ? KT_MS : KT_SEC;
	resp_int(c->out, !e ? -2 : !until ? -1 : (left + unit / 2) / unit);
}

static void do_persist(struct redis_call *c)
{
	bool had = kt_get_int(redis_entry(c, c->argv[1]), "until", 0) != 0;
	if (had)
		redis_until(c, c->argv[1], 0);
	resp_int(c->out, had);
}

static int by_number(const void *a, const void *b)
{
	double x = strtod(*(char *const *)a, NULL), y = strtod(*(char *const *)b, NULL);
	return x < y ? -1 : x > y;
}

/* SORT key [ASC|DESC] [ALPHA] [LIMIT from count] */
static void do_sort(struct redis_call *c)
{
	const struct kt_json *e = redis_entry(c, c->argv[1]), *all = kt_get(e, "value");
	struct kt_strs items = {0}, out = {0};
	bool alpha = false, back = false;
	int64_t from = 0, count = -1;
	double number;
	for (size_t i = 2; i < c->argc; i++) {
		alpha = alpha || redis_is(c->argv[i], "alpha");
		back = redis_is(c->argv[i], "desc") || (back && !redis_is(c->argv[i], "asc"));
		if (redis_is(c->argv[i], "limit") && i + 2 < c->argc) {
			if (!redis_take_int(c, i + 1, &from) || !redis_take_int(c, i + 2, &count))
				return;
			i += 2;
		}
	}
	if (kt_is_string(all)) {
		resp_error(c->out, REDIS_WRONG_TYPE);
		return;
	}
	bool numbers = true;
	for (size_t i = 0; i < kt_count(all); i++) {
		kt_strs_add(&items, kt_is_array(all) ? kt_str_or(kt_at(all, i), "") : kt_key(all, i));
		numbers = numbers && redis_float(items.items[i], &number);
	}
	if (!alpha && !numbers) {
		resp_error(c->out, "ERR One or more scores can't be converted into double");
		kt_strs_clear(&items);
		return;
	}
	if (alpha)
		kt_strs_sort(&items);
	else if (items.count)
		qsort(items.items, items.count, sizeof(*items.items), by_number);
	for (size_t i = 0, n = 0; i < items.count; i++)
		if ((int64_t)i >= from && (count < 0 || (int64_t)n++ < count))
			kt_strs_add(&out, items.items[back ? items.count - 1 - i : i]);
	redis_give_strs(c, &out);
	kt_strs_clear(&items);
}

/* How a real one keeps it, by its size. */
static const char *encoding(const struct kt_json *e)
{
	enum { SHORT = 44, FEW = 128, NUMBERS = 512 };
	const char *type = kt_str_or(kt_get(e, "type"), "");
	const struct kt_json *value = kt_get(e, "value");
	int64_t n;
	if (!strcmp(type, "string"))
		return redis_integer(kt_str_or(value, ""), &n) ? "int"
		       : strlen(kt_str_or(value, "")) <= SHORT ? "embstr"
		                                               : "raw";
	bool numbers = !strcmp(type, "set");
	for (size_t i = 0; numbers && i < kt_count(value); i++)
		numbers = redis_integer(kt_key(value, i), &n);
	if (numbers && kt_count(value) <= NUMBERS)
		return "intset";
	if (!strcmp(type, "stream"))
		return type;
	if (kt_count(value) <= FEW)
		return "listpack";
	return !strcmp(type, "list") ? "quicklist" : !strcmp(type, "zset") ? "skiplist" : "hashtable";
}

static void do_object(struct redis_call *c)
{
	const struct kt_json *e = c->argc > 2 ? redis_entry(c, c->argv[2]) : NULL;
	const char *what = c->argv[1];
	if (redis_is(what, "encoding") && c->argc == 3)
		resp_text(c->out, e ? encoding(e) : NULL);
	else if ((redis_is(what, "refcount") || redis_is(what, "idletime")) && c->argc == 3 && e)
		resp_int(c->out, redis_is(what, "refcount"));
	else if (redis_is(what, "freq") && e)
		resp_error(c->out, "ERR An LFU maxmemory policy is not selected, access frequency not "
		                   "tracked. Please note that when switching between policies at runtime LRU "
		                   "and LFU data will take some time to adjust.");
	else if (c->argc == 3)
		resp_text(c->out, NULL);
	else
		resp_error(c->out, "ERR unknown subcommand '%s'. Try OBJECT HELP.", what);
}

const struct redis_row redis_key_rows[] = {
        {"del", 2, 0, REDIS_WRITES | REDIS_FREES, do_del, NULL},
        {"unlink", 2, 0, REDIS_WRITES, do_del, NULL},
        {"exists", 2, 0, 0, do_exists, NULL},
        {"type", 2, 2, 0, do_type, NULL},
        {"keys", 2, 2, 0, do_keys, NULL},
        {"scan", 2, 0, 0, do_scan, NULL},
        {"dbsize", 1, 1, 0, do_dbsize, NULL},
        {"flushall", 1, 2, REDIS_WRITES, do_flush, NULL},
        {"flushdb", 1, 2, REDIS_WRITES, do_flush, NULL},
        {"rename", 3, 3, REDIS_WRITES, do_rename, NULL},
        {"expire", 3, 0, REDIS_WRITES, do_expire, NULL},
        {"pexpire", 3, 0, REDIS_WRITES, do_expire, NULL},
        {"expireat", 3, 4, REDIS_WRITES, do_expire, NULL},
        {"pexpireat", 3, 4, REDIS_WRITES, do_expire, NULL},
        {"ttl", 2, 2, 0, do_ttl, NULL},
        {"pttl", 2, 2, 0, do_ttl, NULL},
        {"persist", 2, 2, REDIS_WRITES, do_persist, NULL},
        {"touch", 2, 0, 0, do_exists, NULL},
        {"randomkey", 1, 1, 0, do_randomkey, NULL},
        {"renamenx", 3, 3, REDIS_WRITES, do_rename, NULL},
        {"copy", 3, 0, REDIS_WRITES, do_copy, NULL},
        {"move", 3, 3, REDIS_WRITES, do_move, NULL},
        {"swapdb", 3, 3, REDIS_WRITES, do_swapdb, NULL},
        {"expiretime", 2, 2, 0, do_expiretime, NULL},
        {"pexpiretime", 2, 2, 0, do_expiretime, NULL},
        {"sort", 2, 0, 0, do_sort, NULL},
        {"sort_ro", 2, 0, 0, do_sort, NULL},
        {"object", 2, 0, 0, do_object, NULL},
        {0},
};
