/* SPDX-License-Identifier: MIT */
/* Redis' commands for sets: {member: true}. */
#include "cluster/kubelet/servers/redis_command.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Members of a set in the order that a real one gives: numbers by size, while there are only numbers. */
static int by_number(const void *a, const void *b)
{
	int64_t x = strtoll(*(char *const *)a, NULL, 10), y = strtoll(*(char *const *)b, NULL, 10);
	return x < y ? -1 : x > y;
}

static void sort_numbers(struct kt_strs *members)
{
	int64_t n;
	for (size_t i = 0; i < members->count; i++)
		if (!redis_integer(members->items[i], &n))
			return;
	if (members->count)
		qsort(members->items, members->count, sizeof(*members->items), by_number);
}

static void do_sadd(struct redis_call *c)
{
	bool wrong;
	struct kt_json *set = kt_json_ref(redis_value(c, c->argv[1], "set", &wrong));
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
	redis_store(c, c->argv[1], "set", set, true);
}

static void do_smembers(struct redis_call *c)
{
	bool wrong;
	const struct kt_json *set = redis_value(c, c->argv[1], "set", &wrong);
	struct kt_strs members = {0};
	if (wrong)
		return;
	for (size_t i = 0; i < kt_count(set); i++)
		kt_strs_add(&members, kt_key(set, i));
	sort_numbers(&members);
	redis_give_strs(c, &members);
}

/* SINTER, SUNION, SDIFF over the keys [from, to); false after an error reply. */
static bool combine(const struct redis_call *c, const char *how, size_t from, size_t to, struct kt_strs *out)
{
	bool wrong = false, all = !strcmp(how, "inter"), none = !strcmp(how, "diff");
	struct kt_json *seen = kt_json_object();
	for (size_t i = from; i < to && !wrong; i++) {
		const struct kt_json *set = redis_value(c, c->argv[i], "set", &wrong);
		for (size_t m = 0; !wrong && m < kt_count(set); m++)
			kt_set(&seen, kt_key(set, m), kt_json_int(kt_get_int(seen, kt_key(set, m), 0) + 1));
	}
	const struct kt_json *first = wrong ? NULL : redis_value(c, c->argv[from], "set", &wrong);
	for (size_t m = 0; !wrong && m < kt_count(seen); m++) {
		int64_t times = kt_int_or(kt_at(seen, m), 0);
		bool in = all    ? times == (int64_t)(to - from)
		          : none ? times == 1 && kt_get(first, kt_key(seen, m))
		                 : true;
		if (in)
			kt_strs_add(out, kt_key(seen, m));
	}
	kt_json_free(seen);
	sort_numbers(out);
	return !wrong;
}

static const char *how_of(const struct redis_call *c)
{
	static const char *const hows[] = {"inter", "union", "diff"};
	for (size_t i = 0; i < KT_COUNT(hows); i++)
		if (strstr(c->row->name, hows[i]))
			return hows[i];
	return "";
}

static void do_combine(struct redis_call *c)
{
	struct kt_strs found = {0};
	if (combine(c, how_of(c), 1, c->argc, &found))
		redis_give_strs(c, &found);
	kt_strs_clear(&found);
}

static void do_combine_store(struct redis_call *c)
{
	struct kt_strs found = {0};
	struct kt_json *set = kt_json_object();
	if (combine(c, how_of(c), 2, c->argc, &found)) {
		for (size_t i = 0; i < found.count; i++)
			kt_set(&set, found.items[i], kt_json_bool(true));
		resp_int(c->out, (int64_t)found.count);
		redis_store(c, c->argv[1], "set", kt_json_ref(set), false);
	}
	kt_json_free(set);
	kt_strs_clear(&found);
}

/* SINTERCARD numkeys key… */
static void do_sintercard(struct redis_call *c)
{
	int64_t keys;
	struct kt_strs found = {0};
	if (!redis_take_int(c, 1, &keys))
		return;
	if (keys <= 0 || (size_t)keys + 2 > c->argc) {
		resp_error(c->out, keys <= 0 ? "ERR numkeys should be greater than 0"
		                             : "ERR Number of keys can't be greater than number of args");
		return;
	}
	if (combine(c, "inter", 2, 2 + (size_t)keys, &found))
		resp_int(c->out, (int64_t)found.count);
	kt_strs_clear(&found);
}

static void do_smove(struct redis_call *c)
{
	bool wrong;
	struct kt_json *from = redis_edit(c, c->argv[1], "set", kt_json_object(), &wrong),
	               *to = wrong ? NULL : redis_edit(c, c->argv[2], "set", kt_json_object(), &wrong);
	bool there = !wrong && kt_get(from, c->argv[3]);
	if (!wrong)
		resp_int(c->out, there);
	if (there && strcmp(c->argv[1], c->argv[2]) != 0) {
		kt_unset(&from, c->argv[3]);
		kt_set(&to, c->argv[3], kt_json_bool(true));
		redis_store(c, c->argv[1], "set", kt_json_ref(from), true);
		redis_store(c, c->argv[2], "set", kt_json_ref(to), true);
	}
	kt_json_free(from);
	kt_json_free(to);
}

static void do_smismember(struct redis_call *c)
{
	bool wrong;
	const struct kt_json *set = redis_value(c, c->argv[1], "set", &wrong);
	if (wrong)
		return;
	resp_array(c->out, c->argc - 2);
	for (size_t i = 2; i < c->argc; i++)
		resp_int(c->out, kt_get(set, c->argv[i]) != NULL);
}

/* SPOP, SRANDMEMBER: any of them; with a count a list */
static void do_any(struct redis_call *c)
{
	bool wrong, pops = redis_is(c->row->name, "spop");
	int64_t most = 1;
	if (c->argc > 2 && !redis_take_int(c, 2, &most))
		return;
	struct kt_json *set = redis_edit(c, c->argv[1], "set", kt_json_object(), &wrong);
	struct kt_strs left = {0}, out = {0};
	if (wrong)
		return;
	for (size_t i = 0; i < kt_count(set); i++)
		kt_strs_add(&left, kt_key(set, i));
	size_t count = KT_MIN((size_t)llabs(most), left.count), start = redis_any(c, left.count);
	for (size_t i = 0; i < count; i++) {
		const char *member = left.items[(start + i) % left.count];
		kt_strs_add(&out, member);
		if (pops)
			kt_unset(&set, member);
	}
	if (pops && count) {
		redis_store(c, c->argv[1], "set", kt_json_ref(set), true);
		redis_keep(c, "SREM", c->argv[1], NULL);
		for (size_t i = 0; i < out.count; i++)
			kt_strs_add(&c->kept, out.items[i]);
	}
	if (c->argc > 2)
		redis_give_strs(c, &out);
	else
		resp_text(c->out, out.count ? out.items[0] : NULL);
	kt_json_free(set);
	kt_strs_clear(&left);
	kt_strs_clear(&out);
}

static void do_sscan(struct redis_call *c)
{
	bool wrong;
	const struct kt_json *set = redis_value(c, c->argv[1], "set", &wrong);
	struct kt_strs found = {0};
	if (wrong)
		return;
	for (size_t i = 0; i < kt_count(set); i++)
		if (pattern_match(redis_scan_pattern(c, 3), kt_key(set, i)))
			kt_strs_add(&found, kt_key(set, i));
	sort_numbers(&found);
	redis_give_scan(c, &found);
}

const struct redis_row redis_set_rows[] = {
        {"sadd", 3, 0, REDIS_WRITES, do_sadd, NULL},
        {"srem", 3, 0, REDIS_WRITES, redis_do_remove, "set"},
        {"smembers", 2, 2, 0, do_smembers, NULL},
        {"sismember", 3, 3, 0, redis_do_has, "set"},
        {"scard", 2, 2, 0, redis_do_count, "set"},
        {"smismember", 3, 0, 0, do_smismember, NULL},
        {"sinter", 2, 0, 0, do_combine, NULL},
        {"sunion", 2, 0, 0, do_combine, NULL},
        {"sdiff", 2, 0, 0, do_combine, NULL},
        {"sinterstore", 3, 0, REDIS_WRITES, do_combine_store, NULL},
        {"sunionstore", 3, 0, REDIS_WRITES, do_combine_store, NULL},
        {"sdiffstore", 3, 0, REDIS_WRITES, do_combine_store, NULL},
        {"sintercard", 3, 0, 0, do_sintercard, NULL},
        {"smove", 4, 4, REDIS_WRITES, do_smove, NULL},
        {"spop", 2, 3, REDIS_WRITES, do_any, NULL},
        {"srandmember", 2, 3, 0, do_any, NULL},
        {"sscan", 3, 0, 0, do_sscan, NULL},
        {0},
};
