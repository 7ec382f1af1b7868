/* SPDX-License-Identifier: MIT */
/* Redis' commands for hashes. */
#include "cluster/kubelet/servers/redis_command.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void do_hset(struct redis_call *c)
{
	bool wrong, simple = !strcasecmp(c->argv[0], "hmset");
	struct kt_json *hash = kt_json_ref(redis_value(c, c->argv[1], "hash", &wrong));
	int64_t added = 0;
	if (wrong)
		return;
	if (c->argc % 2) {
		resp_error(c->out, "ERR wrong number of arguments for '%s' command", c->row->name);
		kt_json_free(hash);
		return;
	}
	hash = hash ? hash : kt_json_object();
	for (size_t i = 2; i + 1 < c->argc; i += 2) {
		added += !kt_get(hash, c->argv[i]);
		kt_set(&hash, c->argv[i], kt_json_str(c->argv[i + 1]));
	}
	redis_store(c, c->argv[1], "hash", hash, true);
	if (simple)
		resp_simple(c->out, "OK");
	else
		resp_int(c->out, added);
}

static void do_hget(struct redis_call *c)
{
	bool wrong;
	const struct kt_json *hash = redis_value(c, c->argv[1], "hash", &wrong);
	if (!wrong)
		resp_text(c->out, kt_get_str(hash, c->argv[2]));
}

static void do_hmget(struct redis_call *c)
{
	bool wrong;
	const struct kt_json *hash = redis_value(c, c->argv[1], "hash", &wrong);
	if (wrong)
		return;
	resp_array(c->out, c->argc - 2);
	for (size_t i = 2; i < c->argc; i++)
		resp_text(c->out, kt_get_str(hash, c->argv[i]));
}

/* HGETALL, HKEYS, HVALS */
static void do_hall(struct redis_call *c)
{
	bool wrong, keys = strcasecmp(c->argv[0], "hvals") != 0,
	            values = strcasecmp(c->argv[0], "hkeys") != 0;
	const struct kt_json *hash = redis_value(c, c->argv[1], "hash", &wrong);
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

static void do_hincrby(struct redis_call *c)
{
	bool wrong;
	int64_t n = 0, by;
	struct kt_json *hash = kt_json_ref(redis_value(c, c->argv[1], "hash", &wrong));
	if (wrong)
		return;
	const char *old = kt_get_str(hash, c->argv[2]);
	if (!redis_integer(c->argv[3], &by) || (old && !redis_integer(old, &n))) {
		resp_error(c->out, old ? "ERR hash value is not an integer" : "%s", REDIS_NO_INTEGER);
		kt_json_free(hash);
		return;
	}
	hash = hash ? hash : kt_json_object();
	kt_set(&hash, c->argv[2], kt_json_strf("%lld", (long long)(n + by)));
	redis_store(c, c->argv[1], "hash", hash, true);
	resp_int(c->out, n + by);
}

static void do_hsetnx(struct redis_call *c)
{
	bool wrong;
	struct kt_json *hash = redis_edit(c, c->argv[1], "hash", kt_json_object(), &wrong);
	if (wrong)
		return;
	bool there = kt_get(hash, c->argv[2]) != NULL;
	resp_int(c->out, !there);
	if (there) {
		kt_json_free(hash);
		return;
	}
	kt_set(&hash, c->argv[2], kt_json_str(c->argv[3]));
	redis_store(c, c->argv[1], "hash", hash, true);
}

static void do_hincrbyfloat(struct redis_call *c)
{
	bool wrong;
	double by, n;
	if (!redis_take_float(c, 3, &by))
		return;
	struct kt_json *hash = redis_edit(c, c->argv[1], "hash", kt_json_object(), &wrong);
	if (wrong)
		return;
	const char *old = kt_get_str(hash, c->argv[2]);
	if (old && !redis_float(old, &n)) {
		resp_error(c->out, "ERR hash value is not a float");
		kt_json_free(hash);
		return;
	}
	char *sum = redis_float_text(strtold(old ? old : "0", NULL) + strtold(c->argv[3], NULL));
	kt_set(&hash, c->argv[2], kt_json_str(sum));
	redis_store(c, c->argv[1], "hash", hash, true);
	resp_text(c->out, sum);
	kt_free(sum);
}

static void do_hstrlen(struct redis_call *c)
{
	bool wrong;
	const char *text = kt_get_str(redis_value(c, c->argv[1], "hash", &wrong), c->argv[2]);
	if (!wrong)
		resp_int(c->out, text ? (int64_t)strlen(text) : 0);
}

static void do_hrandfield(struct redis_call *c)
{
	bool wrong;
	const struct kt_json *hash = redis_value(c, c->argv[1], "hash", &wrong);
	size_t n = kt_count(hash);
	if (!wrong)
		resp_text(c->out, n ? kt_key(hash, redis_any(c, n)) : NULL);
}

static void do_hscan(struct redis_call *c)
{
	bool wrong;
	const struct kt_json *hash = redis_value(c, c->argv[1], "hash", &wrong);
	const char *pattern = redis_scan_pattern(c, 3);
	struct kt_strs found = {0};
	if (wrong)
		return;
	for (size_t i = 0; i < kt_count(hash); i++)
		if (pattern_match(pattern, kt_key(hash, i))) {
			kt_strs_add(&found, kt_key(hash, i));
			kt_strs_add(&found, kt_str_or(kt_at(hash, i), ""));
		}
	redis_give_scan(c, &found);
}

const struct redis_row redis_hash_rows[] = {
        {"hset", 4, 0, REDIS_WRITES, do_hset, NULL},
        {"hmset", 4, 0, REDIS_WRITES, do_hset, NULL},
        {"hget", 3, 3, 0, do_hget, NULL},
        {"hmget", 3, 0, 0, do_hmget, NULL},
        {"hgetall", 2, 2, 0, do_hall, NULL},
        {"hkeys", 2, 2, 0, do_hall, NULL},
        {"hvals", 2, 2, 0, do_hall, NULL},
        {"hdel", 3, 0, REDIS_WRITES, redis_do_remove, "hash"},
        {"hexists", 3, 3, 0, redis_do_has, "hash"},
        {"hlen", 2, 2, 0, redis_do_count, "hash"},
        {"hincrby", 4, 4, REDIS_WRITES, do_hincrby, NULL},
        {"hsetnx", 4, 4, REDIS_WRITES, do_hsetnx, NULL},
        {"hincrbyfloat", 4, 4, REDIS_WRITES, do_hincrbyfloat, NULL},
        {"hstrlen", 3, 3, 0, do_hstrlen, NULL},
        {"hrandfield", 2, 2, 0, do_hrandfield, NULL},
        {"hscan", 3, 0, 0, do_hscan, NULL},
        {0},
};
