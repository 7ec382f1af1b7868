/* SPDX-License-Identifier: MIT */
/* Redis' commands for lists. */
#include "cluster/kubelet/servers/redis_command.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* An end of a list: "left", "right". */
static bool end_of(const char *word, bool *left)
{
	*left = redis_is(word, "left");
	return *left || redis_is(word, "right");
}

/* LPUSH, RPUSH; LPUSHX, RPUSHX where there is one already */
static void do_push(struct redis_call *c)
{
	bool wrong, left = *c->row->name == 'l';
	struct kt_json *list = redis_edit(c, c->argv[1], "list", kt_json_array(), &wrong);
	if (wrong)
		return;
	if (!kt_count(list) && kt_ends(c->row->name, "x")) {
		kt_json_free(list);
		resp_int(c->out, 0);
		return;
	}
	for (size_t i = 2; i < c->argc; i++)
		if (left)
			kt_insert(&list, 0, kt_json_str(c->argv[i]));
		else
			kt_push(&list, kt_json_str(c->argv[i]));
	resp_int(c->out, (int64_t)kt_count(list));
	redis_store(c, c->argv[1], "list", list, true);
}

/* The first or last of the list there; owned, NULL: there is none (or *wrong). */
static char *take(struct redis_call *c, const char *key, bool left, bool *wrong)
{
	struct kt_json *list = kt_json_ref(redis_value(c, key, "list", wrong));
	if (!list)
		return NULL;
	size_t at = left ? 0 : kt_count(list) - 1;
	char *item = kt_strdup(kt_str_or(kt_at(list, at), ""));
	kt_remove(&list, at);
	redis_store(c, key, "list", list, true);
	return item;
}

static void do_pop(struct redis_call *c)
{
	bool wrong, left = *c->row->name == 'l';
	struct kt_strs items = {0};
	int64_t most = 1;
	if (c->argc > 2 && !redis_take_int(c, 2, &most))
		return;
	if (most < 0) {
		resp_error(c->out, "ERR value is out of range, must be positive");
		return;
	}
	bool there = redis_value(c, c->argv[1], "list", &wrong) != NULL;
	if (wrong)
		return;
	for (char *item; (int64_t)items.count < most && (item = take(c, c->argv[1], left, &wrong));)
		kt_strs_steal(&items, item);
	if (c->argc > 2 && there)
		redis_give_strs(c, &items);
	else if (c->argc > 2)
		resp_none(c->out);
	else
		resp_text(c->out, items.count ? items.items[0] : NULL);
	kt_strs_clear(&items);
}

/* RPOPLPUSH, LMOVE, and BRPOPLPUSH and BLMOVE, whose client asks again until its patience ends */
static void do_move(struct redis_call *c)
{
	bool wrong, from_left = false, to_left = true;
	double seconds;
	if (kt_ends(c->row->name, "lmove") &&
	    (!end_of(c->argv[3], &from_left) || !end_of(c->argv[4], &to_left))) {
		resp_error(c->out, REDIS_SYNTAX);
		return;
	}
	if (*c->row->name == 'b' && !redis_patience(c, &seconds))
		return;
	(void)redis_value(c, c->argv[2], "list", &wrong);
	char *item = wrong ? NULL : take(c, c->argv[1], from_left, &wrong);
	if (wrong)
		return;
	resp_text(c->out, item);
	if (item) {
		struct kt_json *to = redis_edit(c, c->argv[2], "list", kt_json_array(), &wrong);
		kt_insert(&to, to_left ? 0 : kt_count(to), kt_json_str(item));
		redis_store(c, c->argv[2], "list", to, true);
	}
	kt_free(item);
}

/* BLPOP, BRPOP */
static void do_bpop(struct redis_call *c)
{
	bool wrong = false, left = c->row->name[1] == 'l';
	double seconds;
	if (!redis_patience(c, &seconds))
		return;
	for (size_t i = 1; i + 1 < c->argc; i++) {
		char *item = take(c, c->argv[i], left, &wrong);
		if (wrong)
			return;
		if (!item)
			continue;
		resp_array(c->out, 2);
		resp_text(c->out, c->argv[i]);
		resp_text(c->out, item);
		redis_keep(c, left ? "LPOP" : "RPOP", c->argv[i], NULL);
		kt_free(item);
		return;
	}
	resp_none(c->out);
}

static void do_lrange(struct redis_call *c)
{
	bool wrong;
	size_t from, to;
	const struct kt_json *list = redis_value(c, c->argv[1], "list", &wrong);
	if (wrong || !redis_range(c, 2, kt_count(list), &from, &to))
		return;
	resp_array(c->out, to - from);
	for (size_t i = from; i < to; i++)
		resp_text(c->out, kt_str_or(kt_at(list, i), ""));
}

static void do_ltrim(struct redis_call *c)
{
	bool wrong;
	size_t from, to;
	const struct kt_json *list = redis_value(c, c->argv[1], "list", &wrong);
	if (wrong || !redis_range(c, 2, kt_count(list), &from, &to))
		return;
	struct kt_json *kept = kt_json_array();
	for (size_t i = from; i < to; i++)
		kt_push(&kept, kt_json_ref(kt_at(list, i)));
	redis_store(c, c->argv[1], "list", kept, true);
	resp_simple(c->out, "OK");
}

static void do_lindex(struct redis_call *c)
{
	bool wrong;
	int64_t i;
	const struct kt_json *list = redis_value(c, c->argv[1], "list", &wrong);
	if (wrong)
		return;
	if (!redis_take_int(c, 2, &i))
		return;
	i = i < 0 ? i + (int64_t)kt_count(list) : i;
	resp_text(c->out, i >= 0 ? kt_str_or(kt_at(list, (size_t)i), NULL) : NULL);
}

/* LREM key count item: from the end when count is negative, all when it is 0 */
static void do_lrem(struct redis_call *c)
{
	bool wrong;
	int64_t most, gone = 0;
	if (!redis_take_int(c, 2, &most))
		return;
	struct kt_json *list = redis_edit(c, c->argv[1], "list", kt_json_array(), &wrong);
	if (wrong)
		return;
	size_t n = kt_count(list);
	for (size_t i = 0; i < n && (!most || gone < llabs(most)); i++) {
		size_t at = most < 0 ? n - 1 - i : i - (size_t)gone;
		if (!kt_streq(kt_str(kt_at(list, at)), c->argv[3]))
			continue;
		kt_remove(&list, at);
		gone++;
	}
	resp_int(c->out, gone);
	if (gone)
		redis_store(c, c->argv[1], "list", list, true);
	else
		kt_json_free(list);
}

static ptrdiff_t find(const struct kt_json *list, const char *item)
{
	for (size_t i = 0; i < kt_count(list); i++)
		if (kt_streq(kt_str(kt_at(list, i)), item))
			return (ptrdiff_t)i;
	return -1;
}

static void do_linsert(struct redis_call *c)
{
	bool wrong, after = redis_is(c->argv[2], "after");
	if (!after && !redis_is(c->argv[2], "before")) {
		resp_error(c->out, REDIS_SYNTAX);
		return;
	}
	struct kt_json *list = kt_json_ref(redis_value(c, c->argv[1], "list", &wrong));
	if (wrong)
		return;
	ptrdiff_t at = find(list, c->argv[3]);
	if (at >= 0)
		kt_insert(&list, (size_t)at + after, kt_json_str(c->argv[4]));
	resp_int(c->out, list && at < 0 ? -1 : (int64_t)kt_count(list));
	if (at >= 0)
		redis_store(c, c->argv[1], "list", list, true);
	else
		kt_json_free(list);
}

static void do_lset(struct redis_call *c)
{
	bool wrong;
	int64_t at;
	const struct kt_json *there = redis_value(c, c->argv[1], "list", &wrong);
	if (wrong)
		return;
	if (!there) {
		resp_error(c->out, "ERR no such key");
		return;
	}
	if (!redis_take_int(c, 2, &at))
		return;
	int64_t n = (int64_t)kt_count(there);
	at += at < 0 ? n : 0;
	if (at < 0 || at >= n) {
		resp_error(c->out, "ERR index out of range");
		return;
	}
	struct kt_json *list = kt_json_ref(there);
	kt_remove(&list, (size_t)at);
	kt_insert(&list, (size_t)at, kt_json_str(c->argv[3]));
	redis_store(c, c->argv[1], "list", list, true);
	resp_simple(c->out, "OK");
}

static void do_lpos(struct redis_call *c)
{
	bool wrong;
	ptrdiff_t at = find(redis_value(c, c->argv[1], "list", &wrong), c->argv[2]);
	if (wrong)
		return;
	if (at >= 0)
		resp_int(c->out, at);
	else
		resp_text(c->out, NULL);
}

const struct redis_row redis_list_rows[] = {
        {"lpush", 3, 0, REDIS_WRITES, do_push, NULL},
        {"rpush", 3, 0, REDIS_WRITES, do_push, NULL},
        {"lpop", 2, 3, REDIS_WRITES, do_pop, NULL},
        {"rpop", 2, 3, REDIS_WRITES, do_pop, NULL},
        {"lrange", 4, 4, 0, do_lrange, NULL},
        {"ltrim", 4, 4, REDIS_WRITES, do_ltrim, NULL},
        {"lindex", 3, 3, 0, do_lindex, NULL},
        {"llen", 2, 2, 0, redis_do_count, "list"},
        {"lpushx", 3, 0, REDIS_WRITES, do_push, NULL},
        {"rpushx", 3, 0, REDIS_WRITES, do_push, NULL},
        {"rpoplpush", 3, 3, REDIS_WRITES, do_move, NULL},
        {"lmove", 5, 5, REDIS_WRITES, do_move, NULL},
        {"brpoplpush", 4, 4, REDIS_WRITES, do_move, NULL},
        {"blmove", 6, 6, REDIS_WRITES, do_move, NULL},
        {"blpop", 3, 0, REDIS_WRITES, do_bpop, NULL},
        {"brpop", 3, 0, REDIS_WRITES, do_bpop, NULL},
        {"lrem", 4, 4, REDIS_WRITES, do_lrem, NULL},
        {"linsert", 5, 5, REDIS_WRITES, do_linsert, NULL},
        {"lset", 4, 4, REDIS_WRITES, do_lset, NULL},
        {"lpos", 3, 0, 0, do_lpos, NULL},
        {0},
};
