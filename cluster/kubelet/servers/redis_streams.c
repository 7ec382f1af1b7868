/* SPDX-License-Identifier: MIT */
/* Redis' commands for streams: entries, and groups that share them. Source: t_stream.c of 7.0. The value of a
 * stream: {entries: [[id, name, value…]…], last: id, added: n, groups: {NAME: {last, read, consumers: {NAME:
 * when it was seen}, pending: [[id, consumer, when, how often]…]}}}. A client that waits (BLOCK) asks again.
 */
#include "cluster/kubelet/servers/redis_command.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define BAD_ID   "ERR Invalid stream ID specified as stream command argument"
#define TOO_LOW  "ERR The ID specified in XADD is equal or smaller than the target stream top item"
#define NO_GROUP "NOGROUP No such key '%s' or consumer group '%s'"

struct id {
	uint64_t ms, seq;
};

static int id_cmp(struct id a, struct id b)
{
	return a.ms != b.ms ? (a.ms < b.ms ? -1 : 1) : a.seq != b.seq ? (a.seq < b.seq ? -1 : 1) : 0;
}

/* "5-1", "5": with that sequence. */
static bool id_read(const char *text, uint64_t seq, struct id *out)
{
	char *end;
	if (!isdigit((unsigned char)*text))
		return false;
	*out = (struct id){strtoull(text, &end, 10), seq};
	if (*end == '-' && isdigit((unsigned char)end[1]))
		out->seq = strtoull(end + 1, &end, 10);
	return !*end;
}

static char *id_text(struct id id)
{
	return kt_strf("%llu-%llu", (unsigned long long)id.ms, (unsigned long long)id.seq);
}

static struct id id_of(const struct kt_json *text)
{
	struct id id = {0};
	(void)id_read(kt_str_or(text, "0-0"), 0, &id);
	return id;
}

static struct id entry_id(const struct kt_json *entries, size_t i)
{
	return id_of(kt_at(kt_at(entries, i), 0));
}

/* The first entry that is not below (or, `above`, that is above) an id. */
static size_t place_of(const struct kt_json *entries, struct id id, bool above)
{
	size_t low = 0, high = kt_count(entries);
	while (low < high) {
		size_t middle = (low + high) / 2;
		int cmp = id_cmp(entry_id(entries, middle), id);
		if (cmp < 0 || (above && cmp == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void set_id(struct kt_json **slot, const char *name, struct id id)
{
	char *text = id_text(id);
	kt_set(slot, name, kt_json_str(text));
	kt_free(text);
}

static struct kt_json *new_stream(void)
{
	return kt_jsonf("{entries: %J, last: %s, added: %l, groups: %J}", kt_json_array(), "0-0", 0LL,
	                kt_json_object());
}

static void give_entry(struct redis_call *c, const struct kt_json *entry)
{
	resp_array(c->out, 2);
	resp_text(c->out, kt_str_or(kt_at(entry, 0), ""));
	resp_array(c->out, kt_count(entry) - 1);
	for (size_t i = 1; i < kt_count(entry); i++)
		resp_text(c->out, kt_str_or(kt_at(entry, i), ""));
}

/* --- adding, cutting --- */
/* MAXLEN or MINID [=|~] THRESHOLD [LIMIT N] at *at. How many of the first go; false after an error reply. */
struct cut {
	bool by_length, rough;
	struct id least;
	int64_t most;
};

static bool read_cut(struct redis_call *c, size_t *at, struct cut *cut)
{
	cut->by_length = redis_is(c->argv[(*at)++], "maxlen");
	if (*at < c->argc && (!strcmp(c->argv[*at], "=") || !strcmp(c->argv[*at], "~")))
		cut->rough = *c->argv[(*at)++] == '~';
	if (*at >= c->argc) {
		resp_error(c->out, REDIS_SYNTAX);
		return false;
	}
	if (cut->by_length && !redis_take_int(c, *at, &cut->most))
		return false;
	if (!cut->by_length && !id_read(c->argv[*at], 0, &cut->least)) {
		resp_error(c->out, BAD_ID);
		return false;
	}
	(*at)++;
	if (*at + 1 < c->argc && redis_is(c->argv[*at], "limit"))
		*at += 2;
	return true;
}

static size_t cut_off(struct kt_json **stream, const struct cut *cut)
{
	enum { NODE = 100 }; /* what is cut roughly goes in whole nodes */
	const struct kt_json *entries = kt_get(*stream, "entries");
	size_t count = kt_count(entries), most = (size_t)KT_MAX(cut->most, 0), gone;
	gone = !cut->by_length ? place_of(entries, cut->least, false) : count > most ? count - most : 0;
	if (cut->rough)
		gone -= gone % NODE;
	for (size_t i = 0; i < gone; i++)
		kt_remove(kt_edit(stream, "entries"), 0);
	return gone;
}

/* The new entry's id of what was asked for; false after an error reply. */
static bool next_id(struct redis_call *c, const char *text, struct id last, struct id *out)
{
	struct id now = {(uint64_t)(redis_now(c->redis) / KT_MS), 0};
	size_t len = strlen(text);
	if (!strcmp(text, "*")) {
		*out = now.ms > last.ms ? now : (struct id){last.ms, last.seq + 1};
		return true;
	}
	bool open = len > 2 && !strcmp(text + len - 2, "-*");
	char *stem = kt_strndup(text, open ? len - 2 : len);
	bool good = id_read(stem, 0, out);
	kt_free(stem);
	if (!good) {
		resp_error(c->out, BAD_ID);
		return false;
	}
	if (open && out->ms == last.ms)
		out->seq = last.seq + 1;
	if (!open && !out->ms && !out->seq)
		resp_error(c->out, "ERR The ID specified in XADD must be greater than 0-0");
	else if (id_cmp(*out, last) <= 0)
		resp_error(c->out, TOO_LOW);
	else
		return true;
	return false;
}

static void keep_words(struct redis_call *c, size_t id_at, const char *id)
{
	kt_strs_clear(&c->kept);
	for (size_t i = 0; i < c->argc; i++)
		kt_strs_add(&c->kept, i == id_at ? id : c->argv[i]);
}

static void do_add(struct redis_call *c)
{
	struct cut cut = {0};
	struct id id;
	bool cuts = false, make = true, wrong;
	size_t at = 2;
	for (; at < c->argc; at++) {
		if (redis_is(c->argv[at], "nomkstream")) {
			make = false;
		} else if (redis_is(c->argv[at], "maxlen") || redis_is(c->argv[at], "minid")) {
			cuts = true;
			if (!read_cut(c, &at, &cut))
				return;
			at--;
		} else {
			break;
		}
	}
	if (at + 2 >= c->argc || (c->argc - at) % 2 == 0) {
		resp_error(c->out, "ERR wrong number of arguments for 'xadd' command");
		return;
	}
	if (!make && !redis_entry(c, c->argv[1])) {
		resp_text(c->out, NULL);
		return;
	}
	struct kt_json *stream = redis_edit(c, c->argv[1], "stream", new_stream(), &wrong);
	if (wrong)
		return;
	if (!next_id(c, c->argv[at], id_of(kt_get(stream, "last")), &id)) {
		kt_json_free(stream);
		return;
	}
	char *text = id_text(id);
	struct kt_json *entry = kt_json_array();
	kt_push(&entry, kt_json_str(text));
	for (size_t i = at + 1; i < c->argc; i++)
		kt_push(&entry, kt_json_str(c->argv[i]));
	kt_push(kt_edit(&stream, "entries"), entry);
	kt_set(&stream, "last", kt_json_str(text));
	kt_set(&stream, "added", kt_json_int(kt_get_int(stream, "added", 0) + 1));
	if (cuts)
		(void)cut_off(&stream, &cut);
	keep_words(c, at, text);
	resp_text(c->out, text);
	kt_free(text);
	redis_store(c, c->argv[1], "stream", stream, true);
}

/* How many went; the stream is kept if any did. Takes it. */
static void give_gone(struct redis_call *c, struct kt_json *steal, int64_t gone)
{
	resp_int(c->out, gone);
	if (gone)
		redis_store(c, c->argv[1], "stream", steal, true);
	else
		kt_json_free(steal);
}

static void do_trim(struct redis_call *c)
{
	struct cut cut = {0};
	size_t at = 2;
	bool wrong;
	if (!redis_is(c->argv[2], "maxlen") && !redis_is(c->argv[2], "minid")) {
		resp_error(c->out, REDIS_SYNTAX);
		return;
	}
	if (!read_cut(c, &at, &cut))
		return;
	struct kt_json *stream = redis_edit(c, c->argv[1], "stream", NULL, &wrong);
	if (wrong)
		return;
	size_t gone = stream ? cut_off(&stream, &cut) : 0;
	give_gone(c, stream, (int64_t)gone);
}

static void do_del(struct redis_call *c)
{
	struct id id;
	bool wrong;
	int64_t gone = 0;
	for (size_t i = 2; i < c->argc; i++)
		if (!id_read(c->argv[i], 0, &id)) {
			resp_error(c->out, BAD_ID);
			return;
		}
	struct kt_json *stream = redis_edit(c, c->argv[1], "stream", NULL, &wrong);
	if (wrong)
		return;
	for (size_t i = 2; stream && i < c->argc; i++) {
		(void)id_read(c->argv[i], 0, &id);
		const struct kt_json *entries = kt_get(stream, "entries");
		size_t at = place_of(entries, id, false);
		if (at < kt_count(entries) && !id_cmp(entry_id(entries, at), id)) {
			kt_remove(kt_edit(&stream, "entries"), at);
			gone++;
		}
	}
	give_gone(c, stream, gone);
}

static void do_set_id(struct redis_call *c)
{
	struct id id;
	bool wrong;
	if (!id_read(c->argv[2], 0, &id)) {
		resp_error(c->out, BAD_ID);
		return;
	}
	struct kt_json *stream = redis_edit(c, c->argv[1], "stream", NULL, &wrong);
	if (wrong)
		return;
	if (!stream) {
		resp_error(c->out, "ERR no such key");
		return;
	}
	set_id(&stream, "last", id);
	redis_store(c, c->argv[1], "stream", stream, true);
	resp_simple(c->out, "OK");
}

/* --- looking --- */
static void do_len(struct redis_call *c)
{
	bool wrong;
	const struct kt_json *stream = redis_value(c, c->argv[1], "stream", &wrong);
	if (!wrong)
		resp_int(c->out, (int64_t)kt_count(kt_get(stream, "entries")));
}

/* "-", "+", "5", "(5-1" as an end of a range; false after an error reply. */
static bool read_end(const struct redis_call *c, const char *text, bool from, struct id *out, bool *without)
{
	*without = *text == '(';
	if (!strcmp(text, "-") || !strcmp(text, "+")) {
		*out = *text == '-' ? (struct id){0, 0} : (struct id){UINT64_MAX, UINT64_MAX};
		return true;
	}
	if (id_read(text + *without, from ? 0 : UINT64_MAX, out))
		return true;
	resp_error(c->out, BAD_ID);
	return false;
}

/* The entries of "FROM TO" at `at`: [*from, *to). */
static bool read_range(const struct redis_call *c, const struct kt_json *entries, const char *first,
                       const char *last, size_t *from, size_t *to)
{
	struct id low, high;
	bool without_low, without_high;
	if (!read_end(c, first, true, &low, &without_low) || !read_end(c, last, false, &high, &without_high))
		return false;
	*from = place_of(entries, low, without_low);
	*to = place_of(entries, high, !without_high);
	*to = KT_MAX(*to, *from);
	return true;
}

static void do_range(struct redis_call *c)
{
	bool wrong, back = redis_is(c->row->name, "xrevrange");
	size_t from, to;
	int64_t most = INT64_MAX;
	if (c->argc > 4 && (c->argc != 6 || !redis_is(c->argv[4], "count"))) {
		resp_error(c->out, REDIS_SYNTAX);
		return;
	}
	if (c->argc > 4 && !redis_take_int(c, 5, &most))
		return;
	const struct kt_json *entries = kt_get(redis_value(c, c->argv[1], "stream", &wrong), "entries");
	if (wrong || !read_range(c, entries, c->argv[back ? 3 : 2], c->argv[back ? 2 : 3], &from, &to))
		return;
	size_t count = (size_t)KT_MIN((int64_t)(to - from), KT_MAX(most, 0));
	resp_array(c->out, count);
	for (size_t i = 0; i < count; i++)
		give_entry(c, kt_at(entries, back ? to - 1 - i : from + i));
}

/* --- groups --- */
/* The slot of a group, whose holder is of its own; NULL after an error reply. */
static struct kt_json **group_slot(struct redis_call *c, struct kt_json **stream, const char *name,
                                   const char *behind)
{
	if (kt_get(kt_get(*stream, "groups"), name))
		return kt_edit(kt_edit(stream, "groups"), name);
	resp_error(c->out, NO_GROUP "%s", c->argv[1], name, behind);
	return NULL;
}

static ptrdiff_t pending_at(const struct kt_json *pending, struct id id)
{
	for (size_t i = 0; i < kt_count(pending); i++)
		if (!id_cmp(id_of(kt_at(kt_at(pending, i), 0)), id))
			return (ptrdiff_t)i;
	return -1;
}

/* It is this consumer's now. */
static void hand_out(const struct redis_call *c, struct kt_json **group, struct id id, const char *consumer)
{
	const struct kt_json *pending = kt_get(*group, "pending");
	ptrdiff_t at = pending_at(pending, id);
	int64_t times = at < 0 ? 0 : kt_int_or(kt_at(kt_at(pending, (size_t)at), 3), 0);
	struct kt_json *one = kt_json_array();
	char *text = id_text(id);
	kt_push(&one, kt_json_str(text));
	kt_push(&one, kt_json_str(consumer));
	kt_push(&one, kt_json_int(redis_now(c->redis)));
	kt_push(&one, kt_json_int(times + 1));
	kt_free(text);
	if (at >= 0) {
		kt_put(kt_edit(group, "pending"), (size_t)at, one);
		return;
	}
	size_t place = 0;
	while (place < kt_count(pending) && id_cmp(id_of(kt_at(kt_at(pending, place), 0)), id) < 0)
		place++;
	kt_insert(kt_edit(group, "pending"), place, one);
}

static void see(const struct redis_call *c, struct kt_json **group, const char *consumer)
{
	kt_set(kt_edit(group, "consumers"), consumer, kt_json_int(redis_now(c->redis)));
}

static void group_create(struct redis_call *c)
{
	bool wrong, make = c->argc > 5 && redis_is(c->argv[5], "mkstream");
	struct id last = {0};
	struct kt_json *stream = redis_edit(c, c->argv[2], "stream", make ? new_stream() : NULL, &wrong);
	if (wrong)
		return;
	if (!stream) {
		resp_error(c->out,
		           "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you "
		           "may want to use the MKSTREAM option to create an empty stream automatically.");
	} else if (strcmp(c->argv[4], "$") != 0 && !id_read(c->argv[4], 0, &last)) {
		resp_error(c->out, BAD_ID);
	} else if (kt_get(kt_get(stream, "groups"), c->argv[3])) {
		resp_error(c->out, "BUSYGROUP Consumer Group name already exists");
	} else {
		struct kt_json *group = kt_jsonf("{read: %l, consumers: %J, pending: %J}", 0LL,
		                                 kt_json_object(), kt_json_array());
		set_id(&group, "last", *c->argv[4] == '$' ? id_of(kt_get(stream, "last")) : last);
		kt_set(kt_edit(&stream, "groups"), c->argv[3], group);
		redis_store(c, c->argv[2], "stream", stream, true);
		stream = NULL;
		resp_simple(c->out, "OK");
	}
	kt_json_free(stream);
}

static void group_set_id(struct redis_call *c, struct kt_json **group, struct id last)
{
	struct id id = last;
	if (strcmp(c->argv[4], "$") != 0 && !id_read(c->argv[4], 0, &id)) {
		resp_error(c->out, BAD_ID);
		return;
	}
	set_id(group, "last", id);
	c->changed = true;
	resp_simple(c->out, "OK");
}

static void group_consumer(struct redis_call *c, struct kt_json **group)
{
	bool there = kt_get(kt_get(*group, "consumers"), c->argv[4]) != NULL;
	int64_t gone = 0;
	if (redis_is(c->argv[1], "createconsumer")) {
		if (!there)
			see(c, group, c->argv[4]);
		resp_int(c->out, !there);
	} else {
		for (size_t i = kt_count(kt_get(*group, "pending")); i-- > 0;)
			if (kt_streq(kt_str(kt_at(kt_at(kt_get(*group, "pending"), i), 1)), c->argv[4])) {
				kt_remove(kt_edit(group, "pending"), i);
				gone++;
			}
		kt_unset(kt_edit(group, "consumers"), c->argv[4]);
		resp_int(c->out, gone);
	}
	c->changed = true;
}

static void group_of(struct redis_call *c)
{
	bool wrong, destroys = redis_is(c->argv[1], "destroy");
	struct kt_json *stream = redis_edit(c, c->argv[2], "stream", NULL, &wrong);
	if (wrong)
		return;
	bool there = kt_get(kt_get(stream, "groups"), c->argv[3]) != NULL;
	if (!stream) {
		resp_error(c->out,
		           "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you "
		           "may want to use the MKSTREAM option to create an empty stream automatically.");
	} else if (destroys) {
		kt_unset(kt_edit(&stream, "groups"), c->argv[3]);
		c->changed = there;
		resp_int(c->out, there);
	} else if (!there) {
		resp_error(c->out, "NOGROUP No such consumer group '%s' for key name '%s'", c->argv[3],
		           c->argv[2]);
	} else {
		struct id last = id_of(kt_get(stream, "last"));
		struct kt_json **group = kt_edit(kt_edit(&stream, "groups"), c->argv[3]);
		if (redis_is(c->argv[1], "setid"))
			group_set_id(c, group, last);
		else
			group_consumer(c, group);
	}
	if (c->changed)
		redis_store(c, c->argv[2], "stream", stream, true);
	else
		kt_json_free(stream);
}

static void do_group(struct redis_call *c)
{
	static const struct {
		const char *name;
		size_t least;
		void (*run)(struct redis_call *c);
	} parts[] = {{"create", 5, group_create},
	             {"destroy", 4, group_of},
	             {"setid", 5, group_of},
	             {"createconsumer", 5, group_of},
	             {"delconsumer", 5, group_of}};
	for (size_t i = 0; i < KT_COUNT(parts); i++) {
		if (!redis_is(c->argv[1], parts[i].name))
			continue;
		if (c->argc < parts[i].least)
			resp_error(c->out, "ERR wrong number of arguments for 'xgroup|%s' command",
			           parts[i].name);
		else
			parts[i].run(c);
		return;
	}
	resp_error(c->out, "ERR unknown subcommand '%s'. Try XGROUP HELP.", c->argv[1]);
}

/* --- XREAD, XREADGROUP --- */
struct reading {
	const char *group, *consumer;
	int64_t count;
	bool no_ack;
	size_t keys, first; /* how many, where the first is */
};

static bool read_words(struct redis_call *c, struct reading *out)
{
	size_t at = 1;
	*out = (struct reading){.count = INT64_MAX};
	if (redis_is(c->row->name, "xreadgroup") && c->argc > 3 && redis_is(c->argv[1], "group")) {
		out->group = c->argv[2];
		out->consumer = c->argv[3];
		at = 4;
	}
	for (; at < c->argc && !redis_is(c->argv[at], "streams"); at++) {
		int64_t ms;
		bool count = redis_is(c->argv[at], "count"), block = redis_is(c->argv[at], "block");
		if ((count || block) && at + 1 < c->argc) {
			if (!redis_take_int(c, ++at, count ? &out->count : &ms))
				return false;
		} else if (redis_is(c->argv[at], "noack")) {
			out->no_ack = true;
		} else {
			resp_error(c->out, REDIS_SYNTAX);
			return false;
		}
	}
	out->first = at + 1;
	out->keys = at < c->argc ? (c->argc - at - 1) / 2 : 0;
	if (out->keys && (c->argc - at - 1) % 2 == 0)
		return true;
	resp_error(
	        c->out,
	        "ERR Unbalanced '%s' list of streams: for each stream key an ID or '%s' must be specified.",
	        c->row->name, out->group ? ">" : "$");
	return false;
}

/* One stream's part of the answer, from that id on. How many entries. */
static size_t read_new(struct redis_call *c, const struct reading *reading, const char *key, struct id after,
                       const struct kt_json *entries, struct kt_json **group)
{
	size_t from = place_of(entries, after, true), to = kt_count(entries);
	size_t count = (size_t)KT_MIN((int64_t)(to - from), KT_MAX(reading->count, 0));
	if (!count)
		return 0;
	resp_array(c->out, 2);
	resp_text(c->out, key);
	resp_array(c->out, count);
	for (size_t i = from; i < from + count; i++) {
		give_entry(c, kt_at(entries, i));
		if (group && !reading->no_ack)
			hand_out(c, group, entry_id(entries, i), reading->consumer);
	}
	if (group) {
		set_id(group, "last", entry_id(entries, from + count - 1));
		kt_set(group, "read", kt_json_int(kt_get_int(*group, "read", 0) + (int64_t)count));
	}
	return count;
}

/* What this consumer has and did not acknowledge. */
static void read_pending(struct redis_call *c, const struct reading *reading, const char *key,
                         struct id after, const struct kt_json *entries, const struct kt_json *group)
{
	const struct kt_json *one, *pending = kt_get(group, "pending");
	struct kt_buf list = {0};
	struct redis_call inner = *c;
	size_t count = 0;
	inner.out = &list;
	KT_JSON_EACH (one, pending) {
		struct id id = id_of(kt_at(one, 0));
		size_t at = place_of(entries, id, false);
		if (!kt_streq(kt_str(kt_at(one, 1)), reading->consumer) || id_cmp(id, after) <= 0 ||
		    (int64_t)count >= reading->count)
			continue;
		count++;
		if (at < kt_count(entries) && !id_cmp(entry_id(entries, at), id)) {
			give_entry(&inner, kt_at(entries, at));
		} else { /* it was deleted */
			resp_array(&list, 2);
			resp_text(&list, kt_str_or(kt_at(one, 0), ""));
			resp_none(&list);
		}
	}
	resp_array(c->out, 2);
	resp_text(c->out, key);
	resp_array(c->out, count);
	kt_buf_add(c->out, kt_buf_str(&list), list.len);
	kt_buf_clear(&list);
}

/* False after an error reply. */
static bool read_stream(struct redis_call *c, const struct reading *reading, size_t n, size_t *given)
{
	const char *key = c->argv[reading->first + n], *from = c->argv[reading->first + reading->keys + n];
	struct id after = {0};
	bool wrong, fresh = !strcmp(from, ">"), last = !strcmp(from, "$");
	struct kt_json *stream = kt_json_ref(redis_value(c, key, "stream", &wrong)), **group = NULL;
	if (wrong)
		return false;
	if (!fresh && !last && !id_read(from, 0, &after)) {
		resp_error(c->out, BAD_ID);
		kt_json_free(stream);
		return false;
	}
	if (last)
		after = id_of(kt_get(stream, "last"));
	struct kt_json *entries = kt_json_ref(kt_get(stream, "entries"));
	bool there = reading->group && kt_get(kt_get(stream, "groups"), reading->group);
	if (reading->group && !there) {
		resp_error(c->out, NO_GROUP " in XREADGROUP with GROUP option", key, reading->group);
	} else if (there) {
		group = kt_edit(kt_edit(&stream, "groups"), reading->group);
		see(c, group, reading->consumer);
		if (fresh)
			*given +=
			        read_new(c, reading, key, id_of(kt_get(*group, "last")), entries, group) > 0;
		else
			read_pending(c, reading, key, after, entries, *group), ++*given;
		redis_store(c, key, "stream", stream, true);
		stream = NULL;
	} else {
		*given += read_new(c, reading, key, after, entries, NULL) > 0;
	}
	kt_json_free(entries);
	kt_json_free(stream);
	return !reading->group || there;
}

static void do_read(struct redis_call *c)
{
	struct reading reading;
	struct kt_buf list = {0}, *out = c->out;
	size_t given = 0;
	if (!read_words(c, &reading))
		return;
	bool good = true;
	for (size_t i = 0; i < reading.keys && good; i++) {
		struct kt_buf one = {0};
		c->out = &one;
		good = read_stream(c, &reading, i, &given);
		if (!good)
			kt_buf_cut(&list, 0);
		kt_buf_add(&list, kt_buf_str(&one), one.len);
		kt_buf_clear(&one);
	}
	c->out = out;
	if (good && given)
		resp_array(c->out, given);
	if (good && !given)
		resp_none(c->out);
	else
		kt_buf_add(c->out, kt_buf_str(&list), list.len);
	kt_buf_clear(&list);
}

/* --- what is pending --- */
static void do_ack(struct redis_call *c)
{
	bool wrong;
	int64_t gone = 0;
	struct kt_json *stream = redis_edit(c, c->argv[1], "stream", NULL, &wrong);
	if (wrong)
		return;
	bool there = kt_get(kt_get(stream, "groups"), c->argv[2]) != NULL;
	for (size_t i = 3; there && i < c->argc; i++) {
		struct id id;
		struct kt_json **group = kt_edit(kt_edit(&stream, "groups"), c->argv[2]);
		ptrdiff_t at = id_read(c->argv[i], 0, &id) ? pending_at(kt_get(*group, "pending"), id) : -1;
		if (at >= 0) {
			kt_remove(kt_edit(group, "pending"), (size_t)at);
			gone++;
		}
	}
	give_gone(c, stream, gone);
}

static void pending_summary(struct redis_call *c, const struct kt_json *group)
{
	const struct kt_json *pending = kt_get(group, "pending"), *consumers = kt_get(group, "consumers"),
	                     *one;
	size_t count = kt_count(pending), busy = 0;
	struct kt_buf list = {0};
	for (size_t i = 0; i < kt_count(consumers); i++) {
		size_t own = 0;
		KT_JSON_EACH (one, pending)
			own += kt_streq(kt_str(kt_at(one, 1)), kt_key(consumers, i));
		if (!own)
			continue;
		char *number = kt_strf("%zu", own);
		resp_array(&list, 2);
		resp_text(&list, kt_key(consumers, i));
		resp_text(&list, number);
		kt_free(number);
		busy++;
	}
	resp_array(c->out, 4);
	resp_int(c->out, (int64_t)count);
	resp_text(c->out, kt_str(kt_at(kt_at(pending, 0), 0)));
	resp_text(c->out, count ? kt_str(kt_at(kt_at(pending, count - 1), 0)) : NULL);
	if (busy)
		resp_array(c->out, busy);
	else
		resp_none(c->out);
	kt_buf_add(c->out, kt_buf_str(&list), list.len);
	kt_buf_clear(&list);
}

/* [IDLE MS] FROM TO COUNT [CONSUMER] */
static void pending_list(struct redis_call *c, const struct kt_json *group)
{
	const struct kt_json *pending = kt_get(group, "pending"), *one;
	size_t at = 3, from, to;
	int64_t idle = 0, most = 0, count = 0;
	if (redis_is(c->argv[at], "idle") && at + 1 < c->argc) {
		if (!redis_take_int(c, at + 1, &idle))
			return;
		at += 2;
	}
	if (at + 2 >= c->argc) {
		resp_error(c->out, REDIS_SYNTAX);
		return;
	}
	if (!redis_take_int(c, at + 2, &most) ||
	    !read_range(c, pending, c->argv[at], c->argv[at + 1], &from, &to))
		return;
	struct kt_buf list = {0};
	for (size_t i = from; i < to && count < most; i++) {
		one = kt_at(pending, i);
		int64_t waits = (redis_now(c->redis) - kt_int_or(kt_at(one, 2), 0)) / KT_MS;
		if (waits < idle || (at + 3 < c->argc && !kt_streq(kt_str(kt_at(one, 1)), c->argv[at + 3])))
			continue;
		resp_array(&list, 4);
		resp_text(&list, kt_str(kt_at(one, 0)));
		resp_text(&list, kt_str(kt_at(one, 1)));
		resp_int(&list, waits);
		resp_int(&list, kt_int_or(kt_at(one, 3), 0));
		count++;
	}
	resp_array(c->out, (size_t)count);
	kt_buf_add(c->out, kt_buf_str(&list), list.len);
	kt_buf_clear(&list);
}

static void do_pending(struct redis_call *c)
{
	bool wrong;
	const struct kt_json *stream = redis_value(c, c->argv[1], "stream", &wrong),
	                     *group = kt_get(kt_get(stream, "groups"), c->argv[2]);
	if (wrong)
		return;
	if (!group)
		resp_error(c->out, NO_GROUP, c->argv[1], c->argv[2]);
	else if (c->argc == 3)
		pending_summary(c, group);
	else
		pending_list(c, group);
}

/* One pending entry goes to another consumer, when it waits that long. */
static bool claim(struct redis_call *c, struct kt_json **group, const struct kt_json *entries, struct id id,
                  int64_t idle, struct kt_buf *list)
{
	const struct kt_json *pending = kt_get(*group, "pending");
	ptrdiff_t at = pending_at(pending, id);
	size_t place = place_of(entries, id, false);
	if (at < 0 ||
	    (redis_now(c->redis) - kt_int_or(kt_at(kt_at(pending, (size_t)at), 2), 0)) / KT_MS < idle ||
	    place >= kt_count(entries) || id_cmp(entry_id(entries, place), id) != 0)
		return false;
	hand_out(c, group, id, c->argv[3]);
	struct redis_call inner = *c;
	inner.out = list;
	give_entry(&inner, kt_at(entries, place));
	return true;
}

/* XCLAIM KEY GROUP CONSUMER IDLE ID…, XAUTOCLAIM KEY GROUP CONSUMER IDLE FROM [COUNT N] */
static void do_claim(struct redis_call *c)
{
	bool wrong, all = redis_is(c->row->name, "xautoclaim");
	int64_t idle, most = 100;
	struct kt_buf list = {0};
	size_t count = 0;
	struct id id = {0}, next = {0};
	if (!redis_take_int(c, 4, &idle) || (all && c->argc > 7 && !redis_take_int(c, 7, &most)))
		return;
	struct kt_json *stream = redis_edit(c, c->argv[1], "stream", NULL, &wrong);
	if (wrong)
		return;
	struct kt_json **group = group_slot(c, &stream, c->argv[2], ""),
	               *entries = kt_json_ref(kt_get(stream, "entries"));
	if (!group) {
		kt_json_free(stream);
		kt_json_free(entries);
		return;
	}
	see(c, group, c->argv[3]);
	for (size_t i = 5; !all && i < c->argc; i++)
		if (id_read(c->argv[i], 0, &id))
			count += claim(c, group, entries, id, idle, &list);
	if (all)
		(void)id_read(c->argv[5], 0, &id);
	struct kt_json *pending = kt_json_ref(kt_get(*group, "pending"));
	for (size_t i = 0; all && i < kt_count(pending); i++) {
		struct id one = id_of(kt_at(kt_at(pending, i), 0));
		if (id_cmp(one, id) < 0)
			continue;
		if ((int64_t)count >= most) {
			next = one;
			break;
		}
		count += claim(c, group, entries, one, idle, &list);
	}
	kt_json_free(pending);
	kt_json_free(entries);
	if (all) {
		char *text = id_text(next);
		resp_array(c->out, 3);
		resp_text(c->out, text);
		kt_free(text);
	}
	resp_array(c->out, count);
	kt_buf_add(c->out, kt_buf_str(&list), list.len);
	if (all)
		resp_array(c->out, 0);
	kt_buf_clear(&list);
	redis_store(c, c->argv[1], "stream", stream, true);
}

/* --- XINFO --- */
static void give_pair(struct redis_call *c, const char *name, int64_t n)
{
	resp_text(c->out, name);
	resp_int(c->out, n);
}

static void info_stream(struct redis_call *c, const struct kt_json *stream)
{
	const struct kt_json *entries = kt_get(stream, "entries");
	size_t count = kt_count(entries);
	resp_array(c->out, 20);
	give_pair(c, "length", (int64_t)count);
	give_pair(c, "radix-tree-keys", count ? 1 : 0);
	give_pair(c, "radix-tree-nodes", count ? 2 : 1);
	resp_text(c->out, "last-generated-id");
	resp_text(c->out, kt_get_str(stream, "last"));
	resp_text(c->out, "max-deleted-entry-id");
	resp_text(c->out, "0-0");
	give_pair(c, "entries-added", kt_get_int(stream, "added", 0));
	resp_text(c->out, "recorded-first-entry-id");
	resp_text(c->out, count ? kt_str(kt_at(kt_at(entries, 0), 0)) : "0-0");
	give_pair(c, "groups", (int64_t)kt_count(kt_get(stream, "groups")));
	for (int last = 0; last < 2; last++) {
		resp_text(c->out, last ? "last-entry" : "first-entry");
		if (count)
			give_entry(c, kt_at(entries, last ? count - 1 : 0));
		else
			resp_text(c->out, NULL);
	}
}

static void info_groups(struct redis_call *c, const struct kt_json *stream)
{
	const struct kt_json *groups = kt_get(stream, "groups");
	resp_array(c->out, kt_count(groups));
	for (size_t i = 0; i < kt_count(groups); i++) {
		const struct kt_json *group = kt_at(groups, i);
		resp_array(c->out, 12);
		resp_text(c->out, "name");
		resp_text(c->out, kt_key(groups, i));
		give_pair(c, "consumers", (int64_t)kt_count(kt_get(group, "consumers")));
		give_pair(c, "pending", (int64_t)kt_count(kt_get(group, "pending")));
		resp_text(c->out, "last-delivered-id");
		resp_text(c->out, kt_get_str(group, "last"));
		give_pair(c, "entries-read", kt_get_int(group, "read", 0));
		give_pair(c, "lag",
		          (int64_t)(kt_count(kt_get(stream, "entries")) -
		                    place_of(kt_get(stream, "entries"), id_of(kt_get(group, "last")), true)));
	}
}

static void info_consumers(struct redis_call *c, const struct kt_json *stream)
{
	const struct kt_json *group = kt_get(kt_get(stream, "groups"), c->argc > 3 ? c->argv[3] : ""),
	                     *consumers = kt_get(group, "consumers"), *one;
	if (!group) {
		resp_error(c->out, "NOGROUP No such consumer group '%s' for key name '%s'",
		           c->argc > 3 ? c->argv[3] : "", c->argv[2]);
		return;
	}
	resp_array(c->out, kt_count(consumers));
	for (size_t i = 0; i < kt_count(consumers); i++) {
		int64_t own = 0;
		KT_JSON_EACH (one, kt_get(group, "pending"))
			own += kt_streq(kt_str(kt_at(one, 1)), kt_key(consumers, i));
		resp_array(c->out, 6);
		resp_text(c->out, "name");
		resp_text(c->out, kt_key(consumers, i));
		give_pair(c, "pending", own);
		give_pair(c, "idle", (redis_now(c->redis) - kt_int_or(kt_at(consumers, i), 0)) / KT_MS);
	}
}

static void do_info(struct redis_call *c)
{
	static const struct {
		const char *name;
		void (*run)(struct redis_call *c, const struct kt_json *stream);
	} parts[] = {{"stream", info_stream}, {"groups", info_groups}, {"consumers", info_consumers}};
	bool wrong;
	for (size_t i = 0; i < KT_COUNT(parts); i++) {
		if (!redis_is(c->argv[1], parts[i].name) || c->argc < 3)
			continue;
		const struct kt_json *stream = redis_value(c, c->argv[2], "stream", &wrong);
		if (!stream && !wrong)
			resp_error(c->out, "ERR no such key");
		else if (!wrong)
			parts[i].run(c, stream);
		return;
	}
	resp_error(c->out, "ERR unknown subcommand '%s'. Try XINFO HELP.", c->argv[1]);
}

const struct redis_row redis_stream_rows[] = {
        {"xadd", 5, 0, REDIS_WRITES, do_add, NULL},
        {"xlen", 2, 2, 0, do_len, NULL},
        {"xrange", 4, 6, 0, do_range, NULL},
        {"xrevrange", 4, 6, 0, do_range, NULL},
        {"xread", 4, 0, 0, do_read, NULL},
        {"xdel", 3, 0, REDIS_WRITES | REDIS_FREES, do_del, NULL},
        {"xtrim", 4, 0, REDIS_WRITES | REDIS_FREES, do_trim, NULL},
        {"xsetid", 3, 0, REDIS_WRITES, do_set_id, NULL},
        {"xgroup", 2, 0, REDIS_WRITES, do_group, NULL},
        {"xreadgroup", 7, 0, REDIS_WRITES, do_read, NULL},
        {"xack", 4, 0, REDIS_WRITES | REDIS_FREES, do_ack, NULL},
        {"xpending", 3, 0, 0, do_pending, NULL},
        {"xclaim", 6, 0, REDIS_WRITES, do_claim, NULL},
        {"xautoclaim", 6, 0, REDIS_WRITES, do_claim, NULL},
        {"xinfo", 2, 0, 0, do_info, NULL},
        {0},
};
