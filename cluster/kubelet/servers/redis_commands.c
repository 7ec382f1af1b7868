/* SPDX-License-Identifier: MIT */
/* Redis' commands: a row each. Source: redis.io/docs/latest/commands. */
#include "cluster/kubelet/servers/redis.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct call {
	struct redis_client *client;
	struct redis *redis;
	char **argv;
	size_t argc;
	struct kt_buf *out;
	bool changed;
	int64_t until; /* when a key ends that this command gave an end to; ns */
};

static const char WRONG_TYPE[] = "WRONGTYPE Operation against a key holding the wrong kind of value";
static const char NO_INTEGER[] = "ERR value is not an integer or out of range";
static const char SYNTAX[] = "ERR syntax error";

/* --- keys --- */
static char *db_name(const struct call *c)
{
	return kt_strf("%d", c->client->db);
}

static const struct kt_json *db_of(const struct call *c)
{
	char *name = db_name(c);
	const struct kt_json *db = kt_get(c->redis->data, name);
	kt_free(name);
	return db;
}

static void drop(const struct call *c, const char *key)
{
	char *name = db_name(c);
	redis_put(c->redis, name, key, NULL);
	kt_free(name);
}

/* What is there, unless its time is over. */
static const struct kt_json *entry(const struct call *c, const char *key)
{
	const struct kt_json *e = kt_get(db_of(c), key);
	int64_t until = kt_get_int(e, "until", 0);
	if (e && until && until <= redis_now(c->redis)) {
		drop(c, key);
		return NULL;
	}
	return e;
}

/* Its value when it is of that type (NULL: none); *wrong after an error reply. */
static const struct kt_json *value(const struct call *c, const char *key, const char *type, bool *wrong)
{
	const struct kt_json *e = entry(c, key);
	*wrong = e && strcmp(kt_str_or(kt_get(e, "type"), ""), type) != 0;
	if (*wrong)
		resp_error(c->out, "%s", WRONG_TYPE);
	return *wrong ? NULL : kt_get(e, "value");
}

/* Put it there; an empty list, hash or set is none. The time it has left stays when `keep`. */
static void put(struct call *c, const char *key, const char *type, struct kt_json *steal, bool keep)
{
	char *name = db_name(c);
	int64_t until = keep ? kt_get_int(entry(c, key), "until", 0) : 0;
	bool empty = strcmp(type, "string") != 0 && !kt_count(steal);
	c->changed = true;
	redis_put(c->redis, name, key,
	          empty ? NULL : kt_jsonf("{type: %s, value: %J, until: %l}", type, steal, until));
	kt_json_free(steal);
	kt_free(name);
}

static bool integer(const char *text, int64_t *out)
{
	char *end;
	*out = strtoll(text, &end, 10);
	return *text && !*end && !isspace((unsigned char)*text);
}

static void set_until(struct call *c, const char *key, int64_t until)
{
	char *name = db_name(c);
	kt_set(kt_edit(kt_edit(&c->redis->data, name), key), "until", kt_json_int(until));
	kt_free(name);
	c->changed = true;
	c->until = until;
}

/* --- strings --- */
static const char *string_of(const struct call *c, const char *key, bool *wrong)
{
	return kt_str_or(value(c, key, "string", wrong), NULL);
}

static void do_get(struct call *c)
{
	bool wrong;
	const char *text = string_of(c, c->argv[1], &wrong);
	if (!wrong)
		resp_text(c->out, text);
}

/* "EX 10", "PX 10000", "EXAT 1767225600", "PXAT 1767225600000" */
static bool ends_at(const struct call *c, const char *word, const char *number, int64_t *n, int64_t *until)
{
	static const char *const words[] = {"ex", "px", "exat", "pxat"};
	for (size_t i = 0; i < KT_COUNT(words); i++) {
		if (strcasecmp(word, words[i]) != 0 || !integer(number, n))
			continue;
		kt_ns unit = i % 2 ? KT_MS : KT_SEC, most = INT64_MAX / 4 / unit;
		*until = KT_MIN(*n, most) * unit + (i < 2 ? redis_now(c->redis) : 0);
		return true;
	}
	return false;
}

static void do_set(struct call *c)
{
	bool wrong = false, get = false, keep = false;
	const char *only = "";
	int64_t until = 0, n;
	for (size_t i = 3; i < c->argc; i++) {
		const char *word = c->argv[i];
		if (!strcasecmp(word, "nx") || !strcasecmp(word, "xx")) {
			only = word;
		} else if (!strcasecmp(word, "get")) {
			get = true;
		} else if (!strcasecmp(word, "keepttl")) {
			keep = true;
		} else if (ends_at(c, word, i + 1 < c->argc ? c->argv[i + 1] : "", &n, &until)) {
			if (n <= 0) {
				resp_error(c->out, "ERR invalid expire time in 'set' command");
				return;
			}
			i++;
		} else {
			resp_error(c->out, "%s", SYNTAX);
			return;
		}
	}
	bool there = entry(c, c->argv[1]) != NULL;
	char *old = get ? kt_strdup(string_of(c, c->argv[1], &wrong)) : NULL;
	if (wrong)
		return;
	bool refused = (tolower((unsigned char)*only) == 'n' && there) ||
	               (tolower((unsigned char)*only) == 'x' && !there);
	if (!refused) {
		put(c, c->argv[1], "string", kt_json_str(c->argv[2]), keep);
		if (until)
			set_until(c, c->argv[1], until);
	}
	if (get || refused)
		resp_text(c->out, old);
	else
		resp_simple(c->out, "OK");
	kt_free(old);
}

static void do_setnx(struct call *c)
{
	bool there = entry(c, c->argv[1]) != NULL;
	if (!there)
		put(c, c->argv[1], "string", kt_json_str(c->argv[2]), false);
	resp_int(c->out, !there);
}

static void do_setex(struct call *c)
{
	int64_t n;
	if (!integer(c->argv[2], &n) || n <= 0) {
		resp_error(c->out, n <= 0 ? "ERR invalid expire time in 'setex' command" : "%s", NO_INTEGER);
		return;
	}
	put(c, c->argv[1], "string", kt_json_str(c->argv[3]), false);
	set_until(c, c->argv[1], redis_now(c->redis) + n * KT_SEC);
	resp_simple(c->out, "OK");
}

static void do_getset(struct call *c)
{
	bool wrong;
	const char *text = string_of(c, c->argv[1], &wrong);
	if (wrong)
		return;
	resp_text(c->out, text);
	put(c, c->argv[1], "string", kt_json_str(c->argv[2]), false);
}

static void do_getdel(struct call *c)
{
	bool wrong;
	const char *text = string_of(c, c->argv[1], &wrong);
	if (wrong)
		return;
	resp_text(c->out, text);
	c->changed = text != NULL;
	drop(c, c->argv[1]);
}

static void do_mset(struct call *c)
{
	if (c->argc % 2 == 0) {
		resp_error(c->out, "ERR wrong number of arguments for 'mset' command");
		return;
	}
	for (size_t i = 1; i + 1 < c->argc; i += 2)
		put(c, c->argv[i], "string", kt_json_str(c->argv[i + 1]), false);
	resp_simple(c->out, "OK");
}

static void do_mget(struct call *c)
{
	resp_array(c->out, c->argc - 1);
	for (size_t i = 1; i < c->argc; i++) {
		const struct kt_json *e = entry(c, c->argv[i]);
		resp_text(c->out, kt_str_or(kt_get(e, "value"), NULL));
	}
}

static void do_append(struct call *c)
{
	bool wrong;
	const char *text = string_of(c, c->argv[1], &wrong);
	if (wrong)
		return;
	char *all = kt_strf("%s%s", text ? text : "", c->argv[2]);
	put(c, c->argv[1], "string", kt_json_str(all), true);
	resp_int(c->out, (int64_t)strlen(all));
	kt_free(all);
}

static void do_strlen(struct call *c)
{
	bool wrong;
	const char *text = string_of(c, c->argv[1], &wrong);
	if (!wrong)
		resp_int(c->out, text ? (int64_t)strlen(text) : 0);
}

static void add_to(struct call *c, int64_t by)
{
	bool wrong;
	const char *text = string_of(c, c->argv[1], &wrong);
	int64_t n = 0;
	if (wrong)
		return;
	if (text && !integer(text, &n)) {
		resp_error(c->out, "%s", NO_INTEGER);
		return;
	}
	put(c, c->argv[1], "string", kt_json_strf("%lld", (long long)(n + by)), true);
	resp_int(c->out, n + by);
}

static void do_incr(struct call *c)
{
	int64_t by = 1;
	if (c->argc > 2 && !integer(c->argv[2], &by)) {
		resp_error(c->out, "%s", NO_INTEGER);
		return;
	}
	add_to(c, tolower((unsigned char)c->argv[0][0]) == 'd' ? -by : by);
}

/* --- all keys --- */
static void do_del(struct call *c)
{
	int64_t count = 0;
	for (size_t i = 1; i < c->argc; i++)
		if (entry(c, c->argv[i])) {
			drop(c, c->argv[i]);
			count++;
		}
	c->changed = count > 0;
	resp_int(c->out, count);
}

static void do_exists(struct call *c)
{
	int64_t count = 0;
	for (size_t i = 1; i < c->argc; i++)
		count += entry(c, c->argv[i]) != NULL;
	resp_int(c->out, count);
}

static void do_type(struct call *c)
{
	const struct kt_json *e = entry(c, c->argv[1]);
	resp_simple(c->out, e ? kt_str_or(kt_get(e, "type"), "none") : "none");
}

static void live_keys(const struct call *c, const char *pattern, struct kt_strs *out)
{
	struct kt_strs all = {0};
	const struct kt_json *db = db_of(c);
	for (size_t i = 0; i < kt_count(db); i++)
		kt_strs_add(&all, kt_key(db, i));
	for (size_t i = 0; i < all.count; i++)
		if (entry(c, all.items[i]) && pattern_match(pattern, all.items[i]))
			kt_strs_add(out, all.items[i]);
	kt_strs_clear(&all);
}

static void give_strs(struct call *c, struct kt_strs *list)
{
	resp_array(c->out, list->count);
	for (size_t i = 0; i < list->count; i++)
		resp_text(c->out, list->items[i]);
	kt_strs_clear(list);
}

static void do_keys(struct call *c)
{
	struct kt_strs keys = {0};
	live_keys(c, c->argv[1], &keys);
	give_strs(c, &keys);
}

static void do_scan(struct call *c)
{
	struct kt_strs keys = {0};
	const char *pattern = "*";
	for (size_t i = 2; i + 1 < c->argc; i += 2)
		pattern = strcasecmp(c->argv[i], "match") ? pattern : c->argv[i + 1];
	live_keys(c, pattern, &keys);
	resp_array(c->out, 2);
	resp_text(c->out, "0");
	give_strs(c, &keys);
}

static void do_dbsize(struct call *c)
{
	struct kt_strs keys = {0};
	live_keys(c, "*", &keys);
	resp_int(c->out, (int64_t)keys.count);
	kt_strs_clear(&keys);
}

static void do_flush(struct call *c)
{
	char *name = db_name(c);
	redis_flush(c->redis, strcasecmp(c->argv[0], "flushdb") ? NULL : name);
	kt_free(name);
	c->changed = true;
	resp_simple(c->out, "OK");
}

static void do_rename(struct call *c)
{
	struct kt_json *e = kt_json_ref(entry(c, c->argv[1]));
	if (!e) {
		resp_error(c->out, "ERR no such key");
		return;
	}
	char *name = db_name(c);
	drop(c, c->argv[1]);
	redis_put(c->redis, name, c->argv[2], e);
	kt_free(name);
	c->changed = true;
	resp_simple(c->out, "OK");
}

static void do_expire(struct call *c)
{
	int64_t n;
	bool there = entry(c, c->argv[1]) != NULL;
	if (!integer(c->argv[2], &n)) {
		resp_error(c->out, "%s", NO_INTEGER);
		return;
	}
	const char *name = c->argv[0];
	bool absolute = !strcasecmp(name + strlen(name) - 2, "at");
	kt_ns unit = tolower((unsigned char)name[0]) == 'p' ? KT_MS : KT_SEC;
	kt_ns until = KT_MIN(n, INT64_MAX / 4 / unit) * unit + (absolute ? 0 : redis_now(c->redis));
	if (there && until <= redis_now(c->redis))
		drop(c, c->argv[1]), c->changed = true;
	else if (there)
		set_until(c, c->argv[1], until);
	resp_int(c->out, there);
}

static void do_ttl(struct call *c)
{
	const struct kt_json *e = entry(c, c->argv[1]);
	int64_t until = kt_get_int(e, "until", 0), left = until - redis_now(c->redis);
	kt_ns unit = tolower((unsigned char)c->argv[0][0]) == 'p' ? KT_MS : KT_SEC;
	resp_int(c->out, !e ? -2 : !until ? -1 : (left + unit / 2) / unit);
}

static void do_persist(struct call *c)
{
	bool had = kt_get_int(entry(c, c->argv[1]), "until", 0) != 0;
	if (had)
		set_until(c, c->argv[1], 0);
	resp_int(c->out, had);
}

/* --- lists --- */
static void do_push(struct call *c)
{
	bool wrong, left = tolower((unsigned char)c->argv[0][0]) == 'l';
	struct kt_json *list = kt_json_ref(value(c, c->argv[1], "list", &wrong));
	if (wrong)
		return;
	list = list ? list : kt_json_array();
	for (size_t i = 2; i < c->argc; i++)
		if (left)
			kt_insert(&list, 0, kt_json_str(c->argv[i]));
		else
			kt_push(&list, kt_json_str(c->argv[i]));
	resp_int(c->out, (int64_t)kt_count(list));
	put(c, c->argv[1], "list", list, true);
}

static void do_pop(struct call *c)
{
	bool wrong, left = tolower((unsigned char)c->argv[0][0]) == 'l';
	struct kt_json *list = kt_json_ref(value(c, c->argv[1], "list", &wrong));
	if (wrong)
		return;
	if (!kt_count(list)) {
		kt_json_free(list);
		resp_text(c->out, NULL);
		return;
	}
	size_t at = left ? 0 : kt_count(list) - 1;
	resp_text(c->out, kt_str_or(kt_at(list, at), ""));
	kt_remove(&list, at);
	put(c, c->argv[1], "list", list, true);
}

static bool range(const struct call *c, size_t at, size_t count, size_t *from, size_t *to)
{
	int64_t a, b, n = (int64_t)count;
	if (!integer(c->argv[at], &a) || !integer(c->argv[at + 1], &b)) {
		resp_error(c->out, "%s", NO_INTEGER);
		return false;
	}
	a = a < 0 ? KT_MAX(a + n, 0) : a;
	b = b < 0 ? b + n : KT_MIN(b, n - 1);
	*from = (size_t)a;
	*to = b >= a && a < n ? (size_t)b + 1 : (size_t)a;
	return true;
}

static void do_lrange(struct call *c)
{
	bool wrong;
	size_t from, to;
	const struct kt_json *list = value(c, c->argv[1], "list", &wrong);
	if (wrong || !range(c, 2, kt_count(list), &from, &to))
		return;
	resp_array(c->out, to - from);
	for (size_t i = from; i < to; i++)
		resp_text(c->out, kt_str_or(kt_at(list, i), ""));
}

static void do_ltrim(struct call *c)
{
	bool wrong;
	size_t from, to;
	const struct kt_json *list = value(c, c->argv[1], "list", &wrong);
	if (wrong || !range(c, 2, kt_count(list), &from, &to))
		return;
	struct kt_json *kept = kt_json_array();
	for (size_t i = from; i < to; i++)
		kt_push(&kept, kt_json_ref(kt_at(list, i)));
	put(c, c->argv[1], "list", kept, true);
	resp_simple(c->out, "OK");
}

static void do_lindex(struct call *c)
{
	bool wrong;
	int64_t i;
	const struct kt_json *list = value(c, c->argv[1], "list", &wrong);
	if (wrong)
		return;
	if (!integer(c->argv[2], &i)) {
		resp_error(c->out, "%s", NO_INTEGER);
		return;
	}
	i = i < 0 ? i + (int64_t)kt_count(list) : i;
	resp_text(c->out, i >= 0 ? kt_str_or(kt_at(list, (size_t)i), NULL) : NULL);
}

/* LLEN, HLEN, SCARD, ZCARD */
static void count_of(struct call *c, const char *type)
{
	bool wrong;
	const struct kt_json *all = value(c, c->argv[1], type, &wrong);
	if (!wrong)
		resp_int(c->out, (int64_t)kt_count(all));
}

static void do_llen(struct call *c)
{
	count_of(c, "list");
}

/* --- hashes --- */
static void do_hset(struct call *c)
{
	bool wrong, simple = !strcasecmp(c->argv[0], "hmset");
	struct kt_json *hash = kt_json_ref(value(c, c->argv[1], "hash", &wrong));
	int64_t added = 0;
	if (wrong)
		return;
	if (c->argc % 2) {
		resp_error(c->out, "ERR wrong number of arguments for 'hset' command");
		kt_json_free(hash);
		return;
	}
	hash = hash ? hash : kt_json_object();
	for (size_t i = 2; i + 1 < c->argc; i += 2) {
		added += !kt_get(hash, c->argv[i]);
		kt_set(&hash, c->argv[i], kt_json_str(c->argv[i + 1]));
	}
	put(c, c->argv[1], "hash", hash, true);
	if (simple)
		resp_simple(c->out, "OK");
	else
		resp_int(c->out, added);
}

static void do_hget(struct call *c)
{
	bool wrong;
	const struct kt_json *hash = value(c, c->argv[1], "hash", &wrong);
	if (!wrong)
		resp_text(c->out, kt_get_str(hash, c->argv[2]));
}

static void do_hmget(struct call *c)
{
	bool wrong;
	const struct kt_json *hash = value(c, c->argv[1], "hash", &wrong);
	if (wrong)
		return;
	resp_array(c->out, c->argc - 2);
	for (size_t i = 2; i < c->argc; i++)
		resp_text(c->out, kt_get_str(hash, c->argv[i]));
}

/* HGETALL, HKEYS, HVALS */
static void do_hall(struct call *c)
{
	bool wrong, keys = strcasecmp(c->argv[0], "hvals") != 0,
	            values = strcasecmp(c->argv[0], "hkeys") != 0;
	const struct kt_json *hash = value(c, c->argv[1], "hash", &wrong);
	if (wrong)
		return;
	resp_array(c->out, kt_count(hash) * (keys && values ? 2 : 1));
	for (size_t i = 0; i < kt_count(hash); i++) {
		if (keys)
			resp_text(c->out, kt_key(hash, i));
		if (values)
			resp_text(c->out, kt_str_or(kt_at(hash, i), ""));
	}
}

static void do_hdel(struct call *c)
{
	bool wrong, set = tolower((unsigned char)c->argv[0][0]) != 'h';
	const char *type = set ? (tolower((unsigned char)c->argv[0][0]) == 'z' ? "zset" : "set") : "hash";
	struct kt_json *hash = kt_json_ref(value(c, c->argv[1], type, &wrong));
	int64_t gone = 0;
	if (wrong)
		return;
	for (size_t i = 2; hash && i < c->argc; i++)
		if (kt_get(hash, c->argv[i])) {
			kt_unset(&hash, c->argv[i]);
			gone++;
		}
	resp_int(c->out, gone);
	if (gone)
		put(c, c->argv[1], type, hash, true);
	else
		kt_json_free(hash);
}

static void do_hexists(struct call *c)
{
	bool wrong;
	const struct kt_json *all =
	        value(c, c->argv[1], tolower((unsigned char)c->argv[0][0]) == 'h' ? "hash" : "set", &wrong);
	if (!wrong)
		resp_int(c->out, kt_get(all, c->argv[2]) != NULL);
}

static void do_hlen(struct call *c)
{
	count_of(c, "hash");
}

static void do_hincrby(struct call *c)
{
	bool wrong;
	int64_t n = 0, by;
	struct kt_json *hash = kt_json_ref(value(c, c->argv[1], "hash", &wrong));
	if (wrong)
		return;
	const char *old = kt_get_str(hash, c->argv[2]);
	if (!integer(c->argv[3], &by) || (old && !integer(old, &n))) {
		resp_error(c->out, old ? "ERR hash value is not an integer" : "%s", NO_INTEGER);
		kt_json_free(hash);
		return;
	}
	hash = hash ? hash : kt_json_object();
	kt_set(&hash, c->argv[2], kt_json_strf("%lld", (long long)(n + by)));
	put(c, c->argv[1], "hash", hash, true);
	resp_int(c->out, n + by);
}

/* --- sets: {member: true} --- */
static void do_sadd(struct call *c)
{
	bool wrong;
	struct kt_json *set = kt_json_ref(value(c, c->argv[1], "set", &wrong));
	int64_t added = 0;
	if (wrong)
		return;
	set = set ? set : kt_json_object();
	for (size_t i = 2; i < c->argc; i++)
		if (!kt_get(set, c->argv[i])) {
			kt_set(&set, c->argv[i], kt_json_bool(true));
			added++;
		}
	resp_int(c->out, added);
	put(c, c->argv[1], "set", set, true);
}

static void do_smembers(struct call *c)
{
	bool wrong;
	const struct kt_json *set = value(c, c->argv[1], "set", &wrong);
	if (wrong)
		return;
	resp_array(c->out, kt_count(set));
	for (size_t i = 0; i < kt_count(set); i++)
		resp_text(c->out, kt_key(set, i));
}

static void do_scard(struct call *c)
{
	count_of(c, "set");
}

/* --- sorted sets: {member: score as text} --- */
static void do_zadd(struct call *c)
{
	bool wrong;
	struct kt_json *set = kt_json_ref(value(c, c->argv[1], "zset", &wrong));
	int64_t added = 0;
	if (wrong)
		return;
	set = set ? set : kt_json_object();
	for (size_t i = 2; i + 1 < c->argc; i += 2) {
		char *end;
		double score = strtod(c->argv[i], &end);
		if (*end || isnan(score)) {
			resp_error(c->out, "ERR value is not a valid float");
			kt_json_free(set);
			return;
		}
		added += !kt_get(set, c->argv[i + 1]);
		kt_set(&set, c->argv[i + 1], kt_json_strf("%.17g", score));
	}
	put(c, c->argv[1], "zset", set, true);
	resp_int(c->out, added);
}

static void do_zincrby(struct call *c)
{
	bool wrong;
	struct kt_json *set = kt_json_ref(value(c, c->argv[1], "zset", &wrong));
	if (wrong)
		return;
	set = set ? set : kt_json_object();
	double score = strtod(kt_str_or(kt_get(set, c->argv[3]), "0"), NULL) + strtod(c->argv[2], NULL);
	char *text = kt_strf("%.17g", score);
	kt_set(&set, c->argv[3], kt_json_str(text));
	put(c, c->argv[1], "zset", set, true);
	resp_text(c->out, text);
	kt_free(text);
}

static void do_zscore(struct call *c)
{
	bool wrong;
	const struct kt_json *set = value(c, c->argv[1], "zset", &wrong);
	if (!wrong)
		resp_text(c->out, kt_get_str(set, c->argv[2]));
}

static void do_zcard(struct call *c)
{
	count_of(c, "zset");
}

struct scored {
	const char *member, *text;
	double score;
};

static int by_score(const void *a, const void *b)
{
	const struct scored *x = a, *y = b;
	return x->score < y->score ? -1 : x->score > y->score ? 1 : strcmp(x->member, y->member);
}

static void do_zrange(struct call *c)
{
	bool wrong, back = !strcasecmp(c->argv[0], "zrevrange"), scores = false;
	size_t from, to;
	const struct kt_json *set = value(c, c->argv[1], "zset", &wrong);
	for (size_t i = 4; i < c->argc; i++) {
		back = back || !strcasecmp(c->argv[i], "rev");
		scores = scores || !strcasecmp(c->argv[i], "withscores");
	}
	size_t count = kt_count(set);
	if (wrong || !range(c, 2, count, &from, &to))
		return;
	struct scored *all = kt_alloc((count + 1) * sizeof(*all));
	for (size_t i = 0; i < count; i++) {
		const char *text = kt_str_or(kt_at(set, i), "0");
		all[i] = (struct scored){kt_key(set, i), text, strtod(text, NULL)};
	}
	qsort(all, count, sizeof(*all), by_score);
	resp_array(c->out, (to - from) * (scores ? 2 : 1));
	for (size_t i = from; i < to; i++) {
		const struct scored *one = &all[back ? count - 1 - i : i];
		resp_text(c->out, one->member);
		if (scores)
			resp_text(c->out, one->text);
	}
	kt_free(all);
}

/* --- the server --- */
static void do_ping(struct call *c)
{
	if (c->argc > 1)
		resp_text(c->out, c->argv[1]);
	else
		resp_simple(c->out, "PONG");
}

static void do_echo(struct call *c)
{
	resp_text(c->out, c->argv[1]);
}

static void do_ok(struct call *c)
{
	resp_simple(c->out, "OK");
}

static void do_auth(struct call *c)
{
	const char *wanted = redis_config(c->redis, "requirepass"),
	           *user = c->argc > 2 ? c->argv[1] : "default";
	if (!*wanted && c->argc == 2) {
		resp_error(c->out, "ERR AUTH <password> called without any password configured for the "
		                   "default user. Are you sure "
		                   "your configuration is correct?");
		return;
	}
	c->client->known = !strcmp(user, "default") && (!*wanted || !strcmp(c->argv[c->argc - 1], wanted));
	if (c->client->known)
		resp_simple(c->out, "OK");
	else
		resp_error(c->out, "WRONGPASS invalid username-password pair or user is disabled.");
}

static void do_select(struct call *c)
{
	int64_t n;
	if (!integer(c->argv[1], &n)) {
		resp_error(c->out, "ERR value is not an integer or out of range");
	} else if (n < 0 || n >= strtoll(redis_config(c->redis, "databases"), NULL, 10)) {
		resp_error(c->out, "ERR DB index is out of range");
	} else {
		c->client->db = (int)n;
		resp_simple(c->out, "OK");
	}
}

static void do_save(struct call *c)
{
	bool background = !strcasecmp(c->argv[0], "bgsave");
	if (!redis_save(c->redis) && !background)
		resp_error(c->out, "ERR");
	else
		resp_simple(c->out, background ? "Background saving started" : "OK");
}

static void do_lastsave(struct call *c)
{
	resp_int(c->out, c->redis->saved_at / KT_SEC);
}

static void do_time(struct call *c)
{
	kt_ns now = redis_now(c->redis);
	char *seconds = kt_strf("%lld", (long long)(now / KT_SEC)),
	     *micros = kt_strf("%lld", (long long)(now % KT_SEC / KT_US));
	resp_array(c->out, 2);
	resp_text(c->out, seconds);
	resp_text(c->out, micros);
	kt_free(seconds);
	kt_free(micros);
}

static void do_config(struct call *c)
{
	const char *what = c->argv[1];
	if (!strcasecmp(what, "get") && c->argc > 2) {
		struct kt_strs found = {0};
		for (size_t i = 0; i < kt_count(c->redis->config); i++)
			if (pattern_match(c->argv[2], kt_key(c->redis->config, i))) {
				kt_strs_add(&found, kt_key(c->redis->config, i));
				kt_strs_add(&found, kt_str_or(kt_at(c->redis->config, i), ""));
			}
		give_strs(c, &found);
	} else if (!strcasecmp(what, "set") && c->argc > 3 && kt_get(c->redis->config, c->argv[2])) {
		kt_set(&c->redis->config, c->argv[2], kt_json_str(c->argv[3]));
		if (!strcmp(c->argv[2], "appendonly"))
			redis_rewrite(c->redis); /* what is there is written at once */
		resp_simple(c->out, "OK");
	} else if (!strcasecmp(what, "set") && c->argc > 3) {
		resp_error(c->out, "ERR Unknown option or number of arguments for CONFIG SET - '%s'",
		           c->argv[2]);
	} else if (!strcasecmp(what, "resetstat") || !strcasecmp(what, "rewrite")) {
		resp_simple(c->out, "OK");
	} else {
		resp_error(c->out, "ERR unknown subcommand '%s'. Try CONFIG HELP.", what);
	}
}

static size_t replica_count(const struct redis *redis)
{
	size_t count = 0;
	for (size_t i = 0; i < kt_count(redis->replicas); i++)
		count += redis_now(redis) - kt_int_or(kt_at(redis->replicas, i), 0) < KT_MIN_NS;
	return count;
}

static void info_replication(const struct redis *redis, struct kt_buf *text)
{
	kt_buf_addf(text, "role:%s\r\n", redis->master ? "slave" : "master");
	if (redis->master)
		kt_buf_addf(text,
		            "master_host:%s\r\nmaster_port:%u\r\nmaster_link_status:%s\r\n%sslave_read_only:"
		            "1\r\n",
		            redis->master, redis->master_port, redis->linked ? "up" : "down",
		            redis->linked ? "" : "master_link_down_since_seconds:-1\r\n");
	kt_buf_addf(text, "connected_slaves:%zu\r\n", replica_count(redis));
	for (size_t i = 0, n = 0; i < kt_count(redis->replicas); i++)
		if (redis_now(redis) - kt_int_or(kt_at(redis->replicas, i), 0) < KT_MIN_NS)
			kt_buf_addf(text, "slave%zu:ip=%s,port=6379,state=online,offset=0,lag=0\r\n", n++,
			            kt_key(redis->replicas, i));
}

static void info_keyspace(const struct redis *redis, struct kt_buf *text)
{
	for (size_t i = 0; i < kt_count(redis->data); i++) {
		const struct kt_json *db = kt_at(redis->data, i), *key;
		size_t expires = 0;
		KT_JSON_EACH (key, db)
			expires += kt_get_int(key, "until", 0) != 0;
		if (kt_count(db))
			kt_buf_addf(text, "db%s:keys=%zu,expires=%zu,avg_ttl=0\r\n", kt_key(redis->data, i),
			            kt_count(db), expires);
	}
}

static void info_server(const struct redis *redis, struct kt_buf *text)
{
	kt_buf_addf(text,
	            "redis_version:7.4.1\r\nredis_mode:standalone\r\nos:Linux\r\narch_bits:64\r\nprocess_id:%"
	            "d\r\ntcp_port:%s\r\n"
	            "uptime_in_seconds:%lld\r\n",
	            redis->r->task->pid, redis_config(redis, "port"),
	            (long long)((redis_now(redis) - redis->started) / KT_SEC));
}

static void info_memory(const struct redis *redis, struct kt_buf *text)
{
	int64_t bytes = redis_memory(redis);
	kt_buf_addf(text,
	            "used_memory:%lld\r\nused_memory_human:%.2fM\r\nmaxmemory:%s\r\nmaxmemory_policy:%s\r\n",
	            (long long)bytes, (double)bytes / (1 << 20), redis_config(redis, "maxmemory"),
	            redis_config(redis, "maxmemory-policy"));
}

static void info_persistence(const struct redis *redis, struct kt_buf *text)
{
	kt_buf_addf(text,
	            "loading:0\r\nrdb_changes_since_last_save:%lld\r\nrdb_bgsave_in_progress:0\r\nrdb_last_"
	            "save_time:%lld\r\n"
	            "rdb_last_bgsave_status:ok\r\naof_enabled:%d\r\n",
	            (long long)redis->changes, (long long)(redis->saved_at / KT_SEC),
	            !strcmp(redis_config(redis, "appendonly"), "yes"));
}

static void info_clients(const struct redis *redis, struct kt_buf *text)
{
	kt_buf_addf(text, "connected_clients:1\r\nmaxclients:%s\r\nblocked_clients:0\r\n",
	            redis_config(redis, "maxclients"));
}

static void info_stats(const struct redis *redis, struct kt_buf *text)
{
	kt_buf_addf(text, "total_connections_received:%lld\r\ntotal_commands_processed:%lld\r\n",
	            (long long)redis->connections, (long long)redis->commands);
}

static void do_info(struct call *c)
{
	static const struct {
		const char *name;
		void (*add)(const struct redis *redis, struct kt_buf *text);
	} parts[] = {{"Server", info_server},    {"Clients", info_clients},
	             {"Memory", info_memory},    {"Persistence", info_persistence},
	             {"Stats", info_stats},      {"Replication", info_replication},
	             {"Keyspace", info_keyspace}};
	struct kt_buf text = {0};
	kt_buf_adds(&text, "");
	for (size_t i = 0; i < KT_COUNT(parts); i++) {
		bool wanted = c->argc < 2;
		for (size_t k = 1; k < c->argc; k++)
			wanted = wanted || !strcasecmp(c->argv[k], parts[i].name) ||
			         !strcasecmp(c->argv[k], "all") || !strcasecmp(c->argv[k], "everything") ||
			         !strcasecmp(c->argv[k], "default");
		if (!wanted)
			continue;
		kt_buf_addf(&text, "%s# %s\r\n", text.len ? "\r\n" : "", parts[i].name);
		parts[i].add(c->redis, &text);
	}
	resp_text(c->out, text.data);
	kt_buf_clear(&text);
}

static void do_replicaof(struct call *c)
{
	if (!strcasecmp(c->argv[1], "no") && !strcasecmp(c->argv[2], "one"))
		redis_follow(c->redis, NULL, 0);
	else
		redis_follow(c->redis, c->argv[1], (unsigned)strtoul(c->argv[2], NULL, 10));
	resp_simple(c->out, "OK");
}

static void do_role(struct call *c)
{
	resp_array(c->out, 3);
	resp_text(c->out, c->redis->master ? "slave" : "master");
	if (c->redis->master)
		resp_text(c->out, c->redis->master);
	else
		resp_int(c->out, 0);
	resp_array(c->out, 0);
}

static void do_wait(struct call *c)
{
	resp_int(c->out, (int64_t)replica_count(c->redis));
}

static void do_replconf(struct call *c)
{
	if (c->argc > 2 && !strcasecmp(c->argv[1], "ip-address"))
		kt_set(&c->redis->replicas, c->argv[2], kt_json_int(redis_now(c->redis)));
	resp_simple(c->out, "OK");
}

/* A replica's: all of it. */
static void do_psync(struct call *c)
{
	char *text = kt_json_text(c->redis->data);
	resp_simple(c->out, "FULLRESYNC 0000000000000000000000000000000000000000 0");
	kt_buf_addf(c->out, REDIS_MAGIC "%s\r\n", text);
	kt_free(text);
}

static void do_shutdown(struct call *c)
{
	const char *how = c->argc > 1 ? c->argv[1] : "";
	if (!strcasecmp(how, "save"))
		(void)redis_save(c->redis);
	struct task *task = c->redis->r->task;
	if (!strcasecmp(how, "nosave"))
		kt_set(&c->redis->config, "save", kt_json_str(""));
	((struct server *)c->redis->r->state)->exit_after = 1;
	task_signal(task, 15);
}

static void do_rewrite(struct call *c)
{
	redis_rewrite(c->redis);
	resp_simple(c->out, "Background append only file rewriting started");
}

static void do_command_info(struct call *c)
{
	resp_array(c->out, 0);
}

enum { WRITES = 1, ANYBODY = 2, FREES = 4 /* taken over maxmemory, too */ };
static const struct command {
	const char *name;
	size_t least, most; /* words with its name; 0: any number */
	unsigned flags;
	void (*run)(struct call *c);
} commands[] = {
        {"ping", 1, 2, 0, do_ping},
        {"echo", 2, 2, 0, do_echo},
        {"auth", 2, 3, ANYBODY, do_auth},
        {"hello", 1, 0, ANYBODY, do_command_info},
        {"quit", 1, 0, ANYBODY, do_ok},
        {"select", 2, 2, 0, do_select},
        {"get", 2, 2, 0, do_get},
        {"set", 3, 0, WRITES, do_set},
        {"setnx", 3, 3, WRITES, do_setnx},
        {"setex", 4, 4, WRITES, do_setex},
        {"getset", 3, 3, WRITES, do_getset},
        {"getdel", 2, 2, WRITES, do_getdel},
        {"mset", 3, 0, WRITES, do_mset},
        {"mget", 2, 0, 0, do_mget},
        {"append", 3, 3, WRITES, do_append},
        {"strlen", 2, 2, 0, do_strlen},
        {"incr", 2, 2, WRITES, do_incr},
        {"decr", 2, 2, WRITES, do_incr},
        {"incrby", 3, 3, WRITES, do_incr},
        {"decrby", 3, 3, WRITES, do_incr},
        {"del", 2, 0, WRITES | FREES, do_del},
        {"unlink", 2, 0, WRITES, do_del},
        {"exists", 2, 0, 0, do_exists},
        {"type", 2, 2, 0, do_type},
        {"keys", 2, 2, 0, do_keys},
        {"scan", 2, 0, 0, do_scan},
        {"dbsize", 1, 1, 0, do_dbsize},
        {"flushall", 1, 2, WRITES, do_flush},
        {"flushdb", 1, 2, WRITES, do_flush},
        {"rename", 3, 3, WRITES, do_rename},
        {"expire", 3, 4, WRITES, do_expire},
        {"pexpire", 3, 4, WRITES, do_expire},
        {"expireat", 3, 4, WRITES, do_expire},
        {"pexpireat", 3, 4, WRITES, do_expire},
        {"ttl", 2, 2, 0, do_ttl},
        {"pttl", 2, 2, 0, do_ttl},
        {"persist", 2, 2, WRITES, do_persist},
        {"lpush", 3, 0, WRITES, do_push},
        {"rpush", 3, 0, WRITES, do_push},
        {"lpop", 2, 2, WRITES, do_pop},
        {"rpop", 2, 2, WRITES, do_pop},
        {"lrange", 4, 4, 0, do_lrange},
        {"ltrim", 4, 4, WRITES, do_ltrim},
        {"lindex", 3, 3, 0, do_lindex},
        {"llen", 2, 2, 0, do_llen},
        {"hset", 4, 0, WRITES, do_hset},
        {"hmset", 4, 0, WRITES, do_hset},
        {"hget", 3, 3, 0, do_hget},
        {"hmget", 3, 0, 0, do_hmget},
        {"hgetall", 2, 2, 0, do_hall},
        {"hkeys", 2, 2, 0, do_hall},
        {"hvals", 2, 2, 0, do_hall},
        {"hdel", 3, 0, WRITES, do_hdel},
        {"hexists", 3, 3, 0, do_hexists},
        {"hlen", 2, 2, 0, do_hlen},
        {"hincrby", 4, 4, WRITES, do_hincrby},
        {"sadd", 3, 0, WRITES, do_sadd},
        {"srem", 3, 0, WRITES, do_hdel},
        {"smembers", 2, 2, 0, do_smembers},
        {"sismember", 3, 3, 0, do_hexists},
        {"scard", 2, 2, 0, do_scard},
        {"zadd", 4, 0, WRITES, do_zadd},
        {"zrem", 3, 0, WRITES, do_hdel},
        {"zincrby", 4, 4, WRITES, do_zincrby},
        {"zscore", 3, 3, 0, do_zscore},
        {"zcard", 2, 2, 0, do_zcard},
        {"zrange", 4, 0, 0, do_zrange},
        {"zrevrange", 4, 5, 0, do_zrange},
        {"info", 1, 0, 0, do_info},
        {"config", 2, 0, 0, do_config},
        {"save", 1, 1, 0, do_save},
        {"bgsave", 1, 2, 0, do_save},
        {"bgrewriteaof", 1, 1, 0, do_rewrite},
        {"lastsave", 1, 1, 0, do_lastsave},
        {"time", 1, 1, 0, do_time},
        {"replicaof", 3, 3, 0, do_replicaof},
        {"slaveof", 3, 3, 0, do_replicaof},
        {"role", 1, 1, 0, do_role},
        {"replconf", 1, 0, 0, do_replconf},
        {"psync", 1, 3, 0, do_psync},
        {"shutdown", 1, 2, 0, do_shutdown},
        {"client", 2, 0, 0, do_ok},
        {"command", 1, 0, 0, do_command_info},
        {"wait", 3, 3, 0, do_wait},
};

/* Over maxmemory nothing more is taken; unless keys may go, those that lie longest first. */
static bool has_room(struct call *c)
{
	int64_t most = strtoll(redis_config(c->redis, "maxmemory"), NULL, 10);
	const char *unit = redis_config(c->redis, "maxmemory");
	unit += strspn(unit, "0123456789");
	static const struct {
		const char *name;
		int64_t factor;
	} units[] = {{"kb", 1 << 10}, {"mb", 1 << 20}, {"gb", 1 << 30},
	             {"k", 1000},     {"m", 1000000},  {"g", 1000000000}};
	for (size_t i = 0; i < KT_COUNT(units); i++)
		most *= strcasecmp(unit, units[i].name) ? 1 : units[i].factor;
	bool may_go = strcmp(redis_config(c->redis, "maxmemory-policy"), "noeviction") != 0;
	while (most && redis_memory(c->redis) > most) {
		const struct kt_json *db = db_of(c);
		if (!may_go || !kt_count(db))
			return false;
		char *oldest = kt_strdup(kt_key(db, 0));
		drop(c, oldest);
		redis_append(c->redis, c->client->db, (const char *const[]){"DEL", oldest}, 2);
		kt_free(oldest);
	}
	return true;
}

/* As it was asked, but with times that hold whenever it is read again. */
static void keep(const struct call *c)
{
	char *at = kt_strf("%lld", (long long)(c->until / KT_MS));
	const char *key = c->argc > 1 ? c->argv[1] : "";
	if (!c->until)
		redis_append(c->redis, c->client->db, (const char *const *)c->argv, c->argc);
	else if (tolower((unsigned char)c->argv[0][0]) == 's') /* set k v ex 5, setex k 5 v */
		redis_append(c->redis, c->client->db,
		             (const char *const[]){"SET", key, c->argv[c->argc == 4 ? 3 : 2], "PXAT", at}, 5);
	else
		redis_append(c->redis, c->client->db, (const char *const[]){"PEXPIREAT", key, at}, 3);
	kt_free(at);
}

void redis_command(struct redis_client *client, char **argv, size_t argc, struct kt_buf *out)
{
	struct call call = {client, client->redis, argv, argc, out, false, 0};
	const struct command *row = NULL;
	for (size_t i = 0; i < KT_COUNT(commands) && !row; i++)
		if (!strcasecmp(commands[i].name, argv[0]))
			row = &commands[i];
	if (!client->known && (!row || !(row->flags & ANYBODY))) {
		resp_error(out, "NOAUTH Authentication required.");
	} else if (!row) {
		resp_error(out, "ERR unknown command '%s', with args beginning with: %s%s%s", argv[0],
		           argc > 1 ? "'" : "", argc > 1 ? argv[1] : "", argc > 1 ? "' " : "");
	} else if (argc < row->least || (row->most && argc > row->most)) {
		resp_error(out, "ERR wrong number of arguments for '%s' command", row->name);
	} else if (row->flags & WRITES && client->redis->master) {
		resp_error(out, "READONLY You can't write against a read only replica.");
	} else if (row->flags & WRITES && !(row->flags & FREES) && !client->redis->loading &&
	           !has_room(&call)) {
		resp_error(out, "OOM command not allowed when used memory > 'maxmemory'.");
	} else {
		row->run(&call);
		if (call.changed) {
			keep(&call);
			redis_changed(client->redis);
		}
	}
}
