/* SPDX-License-Identifier: MIT */
/* Redis' commands for strings. */
#include "cluster/kubelet/servers/redis_command.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *string_of(const struct redis_call *c, const char *key, bool *wrong)
{
	return kt_str_or(redis_value(c, key, "string", wrong), NULL);
}

static void do_get(struct redis_call *c)
{
	bool wrong;
	const char *text = string_of(c, c->argv[1], &wrong);
	if (!wrong)
		resp_text(c->out, text);
}

/* "EX 10", "PX 10000", "EXAT 1767225600", "PXAT 1767225600000" from `at`: *until. False: after an error
 * reply, or (nothing replied, *until -1) they are other words. */
static bool ends_at(const struct redis_call *c, size_t at, int64_t *until)
{
	static const char *const words[] = {"ex", "px", "exat", "pxat"};
	*until = -1;
	for (size_t i = 0; i < KT_COUNT(words); i++) {
		int64_t n;
		if (!redis_is(c->argv[at], words[i]) || at + 1 == c->argc)
			continue;
		*until = 0;
		if (!redis_take_int(c, at + 1, &n))
			return false;
		if (n <= 0) {
			resp_error(c->out, "ERR invalid expire time in '%s' command", c->row->name);
			return false;
		}
		kt_ns unit = i % 2 ? KT_MS : KT_SEC, most = INT64_MAX / 4 / unit;
		*until = KT_MIN(n, most) * unit + (i < 2 ? redis_now(c->redis) : 0);
		return true;
	}
	return false;
}

static void do_set(struct redis_call *c)
{
	bool wrong = false, get = false, keep = false;
	const char *only = "";
	int64_t until = 0;
	for (size_t i = 3; i < c->argc; i++) {
		const char *word = c->argv[i];
		if (!strcasecmp(word, "nx") || !strcasecmp(word, "xx")) {
			only = word;
		} else if (!strcasecmp(word, "get")) {
			get = true;
		} else if (!strcasecmp(word, "keepttl")) {
			keep = true;
		} else if (ends_at(c, i, &until)) {
			i++;
		} else {
			if (until < 0)
				resp_error(c->out, REDIS_SYNTAX);
			return;
		}
	}
	bool there = redis_entry(c, c->argv[1]) != NULL;
	char *old = get ? kt_strdup(string_of(c, c->argv[1], &wrong)) : NULL;
	if (wrong)
		return;
	bool refused = (tolower((unsigned char)*only) == 'n' && there) ||
	               (tolower((unsigned char)*only) == 'x' && !there);
	if (!refused) {
		redis_store(c, c->argv[1], "string", kt_json_str(c->argv[2]), keep);
		if (until)
			redis_until(c, c->argv[1], until);
	}
	if (get || refused)
		resp_text(c->out, old);
	else
		resp_simple(c->out, "OK");
	kt_free(old);
}

static void do_setnx(struct redis_call *c)
{
	bool there = redis_entry(c, c->argv[1]) != NULL;
	if (!there)
		redis_store(c, c->argv[1], "string", kt_json_str(c->argv[2]), false);
	resp_int(c->out, !there);
}

/* SETEX, PSETEX */
static void do_setex(struct redis_call *c)
{
	kt_ns unit = redis_is(c->row->name, "setex") ? KT_SEC : KT_MS;
	int64_t n;
	if (!redis_take_int(c, 2, &n))
		return;
	if (n <= 0) {
		resp_error(c->out, "ERR invalid expire time in '%s' command", c->row->name);
		return;
	}
	redis_store(c, c->argv[1], "string", kt_json_str(c->argv[3]), false);
	redis_until(c, c->argv[1], redis_now(c->redis) + KT_MIN(n, INT64_MAX / 4 / unit) * unit);
	resp_simple(c->out, "OK");
}

static void do_getset(struct redis_call *c)
{
	bool wrong;
	const char *text = string_of(c, c->argv[1], &wrong);
	if (wrong)
		return;
	resp_text(c->out, text);
	redis_store(c, c->argv[1], "string", kt_json_str(c->argv[2]), false);
}

static void do_getdel(struct redis_call *c)
{
	bool wrong;
	const char *text = string_of(c, c->argv[1], &wrong);
	if (wrong)
		return;
	resp_text(c->out, text);
	c->changed = text != NULL;
	redis_drop(c, c->argv[1]);
}

/* MSET, MSETNX: all or nothing */
static void do_mset(struct redis_call *c)
{
	bool fresh = redis_is(c->row->name, "msetnx"), there = false;
	if (c->argc % 2 == 0) {
		resp_error(c->out, "ERR wrong number of arguments for '%s' command", c->row->name);
		return;
	}
	for (size_t i = 1; fresh && i < c->argc; i += 2)
		there = there || redis_entry(c, c->argv[i]);
	for (size_t i = 1; !there && i + 1 < c->argc; i += 2)
		redis_store(c, c->argv[i], "string", kt_json_str(c->argv[i + 1]), false);
	if (fresh)
		resp_int(c->out, !there);
	else
		resp_simple(c->out, "OK");
}

static void do_mget(struct redis_call *c)
{
	resp_array(c->out, c->argc - 1);
	for (size_t i = 1; i < c->argc; i++) {
		const struct kt_json *e = redis_entry(c, c->argv[i]);
		resp_text(c->out, kt_str_or(kt_get(e, "value"), NULL));
	}
}

static void do_append(struct redis_call *c)
{
	bool wrong;
	const char *text = string_of(c, c->argv[1], &wrong);
	if (wrong)
		return;
	char *all = kt_strf("%s%s", text ? text : "", c->argv[2]);
	redis_store(c, c->argv[1], "string", kt_json_str(all), true);
	resp_int(c->out, (int64_t)strlen(all));
	kt_free(all);
}

static void do_strlen(struct redis_call *c)
{
	bool wrong;
	const char *text = string_of(c, c->argv[1], &wrong);
	if (!wrong)
		resp_int(c->out, text ? (int64_t)strlen(text) : 0);
}

static void add_to(struct redis_call *c, int64_t by)
{
	bool wrong;
	const char *text = string_of(c, c->argv[1], &wrong);
	int64_t n = 0, sum;
	if (wrong)
		return;
	if (text && !redis_integer(text, &n)) {
		resp_error(c->out, REDIS_NO_INTEGER);
		return;
	}
	if (__builtin_add_overflow(n, by, &sum)) {
		resp_error(c->out, "ERR increment or decrement would overflow");
		return;
	}
	redis_store(c, c->argv[1], "string", kt_json_strf("%lld", (long long)sum), true);
	resp_int(c->out, sum);
}

static void do_incr(struct redis_call *c)
{
	int64_t by = 1;
	if (c->argc > 2 && !redis_take_int(c, 2, &by))
		return;
	add_to(c, tolower((unsigned char)c->argv[0][0]) == 'd' ? -by : by);
}

static void do_incrbyfloat(struct redis_call *c)
{
	bool wrong;
	double n = 0, by;
	const char *text = string_of(c, c->argv[1], &wrong);
	if (wrong || !redis_take_float(c, 2, &by))
		return;
	if (text && !redis_float(text, &n)) {
		resp_error(c->out, REDIS_NO_FLOAT);
		return;
	}
	char *sum = redis_float_text(strtold(text ? text : "0", NULL) + strtold(c->argv[2], NULL));
	redis_store(c, c->argv[1], "string", kt_json_str(sum), true);
	resp_text(c->out, sum);
	redis_keep(c, "SET", c->argv[1], sum);
	kt_free(sum);
}

/* GETRANGE, SUBSTR */
static void do_getrange(struct redis_call *c)
{
	bool wrong;
	size_t from, to;
	const char *text = string_of(c, c->argv[1], &wrong);
	if (wrong || !redis_range(c, 2, text ? strlen(text) : 0, &from, &to))
		return;
	char *piece = to > from ? kt_strndup(text + from, to - from) : kt_strdup("");
	resp_text(c->out, piece);
	kt_free(piece);
}

static void do_setrange(struct redis_call *c)
{
	enum { LONGEST = 512 << 20, HERE = 1 << 20 };
	bool wrong;
	int64_t at;
	const char *text = string_of(c, c->argv[1], &wrong);
	size_t len = text ? strlen(text) : 0, more = strlen(c->argv[3]);
	if (wrong || !redis_take_int(c, 2, &at))
		return;
	if (at < 0 || at + (int64_t)more > LONGEST || at > HERE) {
		resp_error(c->out, at < 0 ? "ERR offset is out of range"
		                          : "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
		return;
	}
	struct kt_buf all = {0};
	kt_buf_adds(&all, text ? text : "");
	while (all.len < (size_t)at)
		kt_buf_addc(&all, ' '); /* zeros, which a text here cannot hold */
	kt_buf_cut(&all, (size_t)at);
	kt_buf_adds(&all, c->argv[3]);
	if (len > all.len)
		kt_buf_adds(&all, text + all.len);
	resp_int(c->out, (int64_t)all.len);
	if (more)
		redis_store(c, c->argv[1], "string", kt_json_str(kt_buf_str(&all)), true);
	kt_buf_clear(&all);
}

static void do_getex(struct redis_call *c)
{
	bool wrong;
	const char *text = string_of(c, c->argv[1], &wrong);
	int64_t until = 0;
	bool persist = c->argc == 3 && redis_is(c->argv[2], "persist");
	if (wrong)
		return;
	if (c->argc > 2 && !persist && !ends_at(c, 2, &until)) {
		if (until < 0)
			resp_error(c->out, REDIS_SYNTAX);
		return;
	}
	resp_text(c->out, text);
	if (text && c->argc > 2)
		redis_until(c, c->argv[1], until);
	if (persist)
		redis_keep(c, "PERSIST", c->argv[1], NULL);
}

const struct redis_row redis_string_rows[] = {
        {"get", 2, 2, 0, do_get, NULL},
        {"set", 3, 0, REDIS_WRITES | REDIS_SETS, do_set, NULL},
        {"setnx", 3, 3, REDIS_WRITES, do_setnx, NULL},
        {"setex", 4, 4, REDIS_WRITES | REDIS_SETS, do_setex, NULL},
        {"getset", 3, 3, REDIS_WRITES, do_getset, NULL},
        {"getdel", 2, 2, REDIS_WRITES, do_getdel, NULL},
        {"mset", 3, 0, REDIS_WRITES, do_mset, NULL},
        {"mget", 2, 0, 0, do_mget, NULL},
        {"append", 3, 3, REDIS_WRITES, do_append, NULL},
        {"strlen", 2, 2, 0, do_strlen, NULL},
        {"incr", 2, 2, REDIS_WRITES, do_incr, NULL},
        {"decr", 2, 2, REDIS_WRITES, do_incr, NULL},
        {"incrby", 3, 3, REDIS_WRITES, do_incr, NULL},
        {"decrby", 3, 3, REDIS_WRITES, do_incr, NULL},
        {"psetex", 4, 4, REDIS_WRITES | REDIS_SETS, do_setex, NULL},
        {"msetnx", 3, 0, REDIS_WRITES, do_mset, NULL},
        {"incrbyfloat", 3, 3, REDIS_WRITES, do_incrbyfloat, NULL},
        {"getrange", 4, 4, 0, do_getrange, NULL},
        {"substr", 4, 4, 0, do_getrange, NULL},
        {"setrange", 4, 4, REDIS_WRITES, do_setrange, NULL},
        {"getex", 2, 4, REDIS_WRITES, do_getex, NULL},
        {0},
};
