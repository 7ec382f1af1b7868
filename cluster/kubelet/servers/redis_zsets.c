/* SPDX-License-Identifier: MIT */
/* Redis' commands for sorted sets: {member: score as text}. */
#include "cluster/kubelet/servers/redis_command.h"

#include <stdlib.h>
#include <string.h>

struct scored {
	const char *member, *text;
	double score;
};

static int by_score(const void *a, const void *b)
{
	const struct scored *x = a, *y = b;
	return x->score < y->score ? -1 : x->score > y->score ? 1 : strcmp(x->member, y->member);
}

/* Its members by score; new. They lie in the set. */
static struct scored *sorted(const struct kt_json *set)
{
	size_t count = kt_count(set);
	struct scored *all = kt_alloc((count + 1) * sizeof(*all));
	for (size_t i = 0; i < count; i++) {
		const char *text = kt_str_or(kt_at(set, i), "0");
		all[i] = (struct scored){kt_key(set, i), text, strtod(text, NULL)};
	}
	qsort(all, count, sizeof(*all), by_score);
	return all;
}

struct zadd {
	bool nx, xx, gt, lt, changes, increments;
};

static bool zadd_option(struct zadd *z, const char *word)
{
	struct {
		const char *name;
		bool *is;
	} options[] = {{"nx", &z->nx}, {"xx", &z->xx},      {"gt", &z->gt},
	               {"lt", &z->lt}, {"ch", &z->changes}, {"incr", &z->increments}};
	for (size_t i = 0; i < KT_COUNT(options); i++)
		if (redis_is(word, options[i].name))
			return *options[i].is = true;
	return false;
}

static char *score_text(double score)
{
	return kt_strf("%.17g", score);
}

/* 0: as it was, 1: another score, 2: new. */
static int give_score(struct kt_json **set, const struct zadd *z, const char *member, double *score)
{
	const char *there = kt_get_str(*set, member);
	double old = there ? strtod(there, NULL) : 0;
	*score += z->increments ? old : 0;
	if ((there && z->nx) || (!there && z->xx) || (there && z->gt && *score <= old) ||
	    (there && z->lt && *score >= old) || (there && *score == old))
		return 0;
	char *text = score_text(*score);
	kt_set(set, member, kt_json_str(text));
	kt_free(text);
	return there ? 1 : 2;
}

/* ZADD key [NX|XX] [GT|LT] [CH] [INCR] score member … */
static void do_zadd(struct redis_call *c)
{
	struct zadd z = {0};
	bool wrong;
	size_t at = 2;
	int64_t added = 0, changed = 0;
	double score = 0;
	int is = 0;
	while (at < c->argc && zadd_option(&z, c->argv[at]))
		at++;
	if (at == c->argc || (c->argc - at) % 2 || (z.nx && (z.xx || z.gt || z.lt))) {
		resp_error(c->out,
		           z.nx && z.xx ? "ERR XX and NX options at the same time are not compatible"
		           : z.nx && (z.gt || z.lt)
		                   ? "ERR GT, LT, and/or NX options at the same time are not compatible"
		                   : REDIS_SYNTAX);
		return;
	}
	struct kt_json *set = redis_edit(c, c->argv[1], "zset", kt_json_object(), &wrong);
	for (size_t i = at; !wrong && i + 1 < c->argc; i += 2) {
		if (!redis_take_float(c, i, &score)) {
			kt_json_free(set);
			return;
		}
		is = give_score(&set, &z, c->argv[i + 1], &score);
		added += is == 2;
		changed += is > 0;
	}
	if (wrong)
		return;
	if (z.increments) {
		char *text = score_text(score);
		resp_text(c->out, is || kt_streq(kt_get_str(set, c->argv[at + 1]), text) ? text : NULL);
		kt_free(text);
	} else {
		resp_int(c->out, z.changes ? changed : added);
	}
	if (changed)
		redis_store(c, c->argv[1], "zset", set, true);
	else
		kt_json_free(set);
}

static void do_zincrby(struct redis_call *c)
{
	bool wrong;
	double by;
	if (!redis_take_float(c, 2, &by))
		return;
	struct kt_json *set = redis_edit(c, c->argv[1], "zset", kt_json_object(), &wrong);
	if (wrong)
		return;
	char *text = score_text(strtod(kt_str_or(kt_get(set, c->argv[3]), "0"), NULL) + by);
	kt_set(&set, c->argv[3], kt_json_str(text));
	redis_store(c, c->argv[1], "zset", set, true);
	resp_text(c->out, text);
	kt_free(text);
}

static void do_zscore(struct redis_call *c)
{
	bool wrong;
	const struct kt_json *set = redis_value(c, c->argv[1], "zset", &wrong);
	if (!wrong)
		resp_text(c->out, kt_get_str(set, c->argv[2]));
}

/* "1.5", "(1.5", "-inf" */
struct bound {
	double score;
	bool open;
};

static bool bound(const char *text, struct bound *out)
{
	out->open = *text == '(';
	return redis_float(text + out->open, &out->score);
}

static bool bounds(const struct redis_call *c, size_t least, size_t most, struct bound out[2])
{
	bool good = bound(c->argv[least], &out[0]) && bound(c->argv[most], &out[1]);
	if (!good)
		resp_error(c->out, "ERR min or max is not a float");
	return good;
}

static bool within(double score, const struct bound b[2])
{
	return (b[0].open ? score > b[0].score : score >= b[0].score) &&
	       (b[1].open ? score < b[1].score : score <= b[1].score);
}

static void give_scored(struct redis_call *c, const struct scored *one, bool scores)
{
	resp_text(c->out, one->member);
	if (scores)
		resp_text(c->out, one->text);
}

/* ZRANGE, ZREVRANGE, ZRANGEBYSCORE, ZREVRANGEBYSCORE: by place or by score, forwards or back */
static void do_zrange(struct redis_call *c)
{
	bool wrong, back = kt_starts(c->row->name, "zrev"), by = kt_ends(c->row->name, "byscore"),
	            scores = false;
	int64_t offset = 0, most = -1;
	struct bound limits[2];
	size_t from = 0, to;
	const struct kt_json *set = redis_value(c, c->argv[1], "zset", &wrong);
	if (wrong)
		return;
	for (size_t i = 4; i < c->argc; i++) {
		back = back || redis_is(c->argv[i], "rev");
		by = by || redis_is(c->argv[i], "byscore");
		scores = scores || redis_is(c->argv[i], "withscores");
		if (redis_is(c->argv[i], "limit") && i + 2 < c->argc) {
			if (!redis_take_int(c, i + 1, &offset) || !redis_take_int(c, i + 2, &most))
				return;
			i += 2;
		}
	}
	size_t count = kt_count(set), first = back ? 3 : 2, found = 0;
	if (by ? !bounds(c, first, 5 - first, limits) : !redis_range(c, 2, count, &from, &to))
		return;
	struct scored *all = sorted(set);
	struct scored *hits = kt_alloc((count + 1) * sizeof(*hits));
	to = by ? count : to;
	for (size_t i = from; i < to; i++) {
		const struct scored *one = &all[back ? count - 1 - i : i];
		if (by && !within(one->score, limits))
			continue;
		if (offset-- <= 0 && (most < 0 || (int64_t)found < most))
			hits[found++] = *one;
	}
	resp_array(c->out, found * (scores ? 2 : 1));
	for (size_t i = 0; i < found; i++)
		give_scored(c, &hits[i], scores);
	kt_free(hits);
	kt_free(all);
}

static void do_zcount(struct redis_call *c)
{
	bool wrong;
	struct bound limits[2];
	int64_t count = 0;
	const struct kt_json *set = redis_value(c, c->argv[1], "zset", &wrong);
	if (wrong || !bounds(c, 2, 3, limits))
		return;
	for (size_t i = 0; i < kt_count(set); i++)
		count += within(strtod(kt_str_or(kt_at(set, i), "0"), NULL), limits);
	resp_int(c->out, count);
}

/* ZRANK, ZREVRANK */
static void do_zrank(struct redis_call *c)
{
	bool wrong, back = kt_starts(c->row->name, "zrev");
	const struct kt_json *set = redis_value(c, c->argv[1], "zset", &wrong);
	size_t count = kt_count(set), at = 0;
	if (wrong)
		return;
	if (!kt_get(set, c->argv[2])) {
		resp_text(c->out, NULL);
		return;
	}
	struct scored *all = sorted(set);
	while (at < count && strcmp(all[at].member, c->argv[2]) != 0)
		at++;
	resp_int(c->out, (int64_t)(back ? count - 1 - at : at));
	kt_free(all);
}

/* ZPOPMIN, ZPOPMAX */
static void do_zpop(struct redis_call *c)
{
	bool wrong, back = redis_is(c->row->name, "zpopmax");
	int64_t most = 1;
	if (c->argc > 2 && !redis_take_int(c, 2, &most))
		return;
	const struct kt_json *set = redis_value(c, c->argv[1], "zset", &wrong);
	if (wrong)
		return;
	struct kt_json *left = set ? kt_json_ref(set) : kt_json_object();
	size_t count = kt_count(set), n = KT_MIN((size_t)KT_MAX(most, 0), count);
	struct scored *all = sorted(set);
	resp_array(c->out, n * 2);
	for (size_t i = 0; i < n; i++) {
		give_scored(c, &all[back ? count - 1 - i : i], true);
		kt_unset(&left, all[back ? count - 1 - i : i].member);
	}
	kt_free(all);
	if (n)
		redis_store(c, c->argv[1], "zset", left, true);
	else
		kt_json_free(left);
}

/* ZREMRANGEBYSCORE, ZREMRANGEBYRANK */
static void do_zremrange(struct redis_call *c)
{
	bool wrong, by = kt_ends(c->row->name, "byscore");
	struct bound limits[2] = {{0}};
	size_t from = 0, to = 0;
	int64_t gone = 0;
	const struct kt_json *set = redis_value(c, c->argv[1], "zset", &wrong);
	size_t count = kt_count(set);
	if (wrong || (by ? !bounds(c, 2, 3, limits) : !redis_range(c, 2, count, &from, &to)))
		return;
	struct kt_json *left = set ? kt_json_ref(set) : kt_json_object();
	struct scored *all = sorted(set);
	for (size_t i = 0; i < count; i++)
		if (by ? within(all[i].score, limits) : i >= from && i < to) {
			kt_unset(&left, all[i].member);
			gone++;
		}
	kt_free(all);
	resp_int(c->out, gone);
	if (gone)
		redis_store(c, c->argv[1], "zset", left, true);
	else
		kt_json_free(left);
}

static void do_zmscore(struct redis_call *c)
{
	bool wrong;
	const struct kt_json *set = redis_value(c, c->argv[1], "zset", &wrong);
	if (wrong)
		return;
	resp_array(c->out, c->argc - 2);
	for (size_t i = 2; i < c->argc; i++)
		resp_text(c->out, kt_get_str(set, c->argv[i]));
}

const struct redis_row redis_zset_rows[] = {
        {"zadd", 4, 0, REDIS_WRITES, do_zadd, NULL},
        {"zrem", 3, 0, REDIS_WRITES, redis_do_remove, "zset"},
        {"zincrby", 4, 4, REDIS_WRITES, do_zincrby, NULL},
        {"zscore", 3, 3, 0, do_zscore, NULL},
        {"zcard", 2, 2, 0, redis_do_count, "zset"},
        {"zrange", 4, 0, 0, do_zrange, NULL},
        {"zrevrange", 4, 0, 0, do_zrange, NULL},
        {"zrangebyscore", 4, 0, 0, do_zrange, NULL},
        {"zrevrangebyscore", 4, 0, 0, do_zrange, NULL},
        {"zcount", 4, 4, 0, do_zcount, NULL},
        {"zrank", 3, 3, 0, do_zrank, NULL},
        {"zrevrank", 3, 3, 0, do_zrank, NULL},
        {"zpopmin", 2, 3, REDIS_WRITES, do_zpop, NULL},
        {"zpopmax", 2, 3, REDIS_WRITES, do_zpop, NULL},
        {"zremrangebyscore", 4, 4, REDIS_WRITES, do_zremrange, NULL},
        {"zremrangebyrank", 4, 4, REDIS_WRITES, do_zremrange, NULL},
        {"zmscore", 3, 0, 0, do_zmscore, NULL},
        {0},
};
