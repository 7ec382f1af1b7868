/* SPDX-License-Identifier: MIT */
/* Redis' channels. A client's conversation is over with each answer, so what is published for it lies in a
 * box with its name (CLIENT INBOX) until it asks again; whom nobody has seen for a second has gone. */
#include "cluster/kubelet/servers/redis_command.h"

#include <string.h>

enum { MOST_WAITING = 10000 };
static const kt_ns GONE = KT_SEC;

static bool is_there(const struct redis *redis, const struct kt_json *box)
{
	return redis_now(redis) - kt_get_int(box, "seen", 0) < GONE;
}

void redis_inbox(struct redis_call *c)
{
	if (c->argc < 3) {
		resp_error(c->out, "ERR unknown subcommand '%s'. Try CLIENT HELP.", c->argv[1]);
		return;
	}
	struct kt_json **box = kt_edit(&c->redis->inboxes, c->argv[2]);
	const struct kt_json *words = *box ? kt_get(*box, "waiting") : NULL, *one;
	resp_simple(c->out, "OK");
	KT_JSON_EACH (one, words) {
		resp_array(c->out, kt_count(one));
		for (size_t i = 0; i < kt_count(one); i++)
			resp_text(c->out, kt_str_or(kt_at(one, i), ""));
	}
	kt_set(box, "waiting", kt_json_array());
	kt_set(box, "seen", kt_json_int(redis_now(c->redis)));
	kt_free(c->client->inbox);
	c->client->inbox = kt_strdup(c->argv[2]);
}

/* SUBSCRIBE, PSUBSCRIBE and what undoes them */
static void do_subscribe(struct redis_call *c)
{
	bool undoes = strstr(c->row->name, "unsub") != NULL;
	const char *of = *c->row->name == 'p' ? "patterns" : "channels";
	struct kt_json *none = kt_json_object(),
	               **box = c->client->inbox ? kt_edit(&c->redis->inboxes, c->client->inbox) : &none;
	if (undoes && c->argc == 1) {
		resp_array(c->out, 3);
		resp_text(c->out, c->row->name);
		resp_text(c->out, NULL);
		resp_int(c->out, 0);
	}
	for (size_t i = 1; i < c->argc; i++) {
		if (undoes)
			kt_unset(kt_edit(box, of), c->argv[i]);
		else
			kt_set(kt_edit(box, of), c->argv[i], kt_json_bool(true));
		resp_array(c->out, 3);
		resp_text(c->out, c->row->name);
		resp_text(c->out, c->argv[i]);
		resp_int(c->out,
		         (int64_t)(kt_count(kt_get(*box, "channels")) + kt_count(kt_get(*box, "patterns"))));
	}
	kt_json_free(none);
}

static void put(struct kt_json **box, const char *const *words, size_t count)
{
	struct kt_json *one = kt_json_array();
	for (size_t i = 0; i < count; i++)
		kt_push(&one, kt_json_str(words[i]));
	if (kt_count(kt_get(*box, "waiting")) < MOST_WAITING)
		kt_push(kt_edit(box, "waiting"), one);
	else
		kt_json_free(one);
}

static void do_publish(struct redis_call *c)
{
	const char *channel = c->argv[1], *text = c->argv[2];
	int64_t heard = 0;
	for (size_t i = kt_count(c->redis->inboxes); i-- > 0;) {
		if (!is_there(c->redis, kt_at(c->redis->inboxes, i))) {
			kt_remove(&c->redis->inboxes, i);
			continue;
		}
		struct kt_json **box = kt_edit_at(&c->redis->inboxes, i);
		if (kt_get(kt_get(*box, "channels"), channel)) {
			put(box, (const char *const[]){"message", channel, text}, 3);
			heard++;
		}
		for (size_t n = 0; n < kt_count(kt_get(*box, "patterns")); n++) {
			const char *pattern = kt_key(kt_get(*box, "patterns"), n);
			if (!pattern_match(pattern, channel))
				continue;
			put(box, (const char *const[]){"pmessage", pattern, channel, text}, 4);
			heard++;
		}
	}
	resp_int(c->out, heard);
}

static int64_t listeners(const struct redis *redis, const char *channel)
{
	const struct kt_json *box;
	int64_t count = 0;
	KT_JSON_EACH (box, redis->inboxes)
		count += is_there(redis, box) && kt_get(kt_get(box, "channels"), channel);
	return count;
}

static void do_pubsub(struct redis_call *c)
{
	const struct kt_json *box, *all = c->redis->inboxes;
	struct kt_strs names = {0};
	int64_t patterns = 0;
	KT_JSON_EACH (box, all) {
		const struct kt_json *channels = is_there(c->redis, box) ? kt_get(box, "channels") : NULL;
		patterns += is_there(c->redis, box) ? (int64_t)kt_count(kt_get(box, "patterns")) : 0;
		for (size_t i = 0; i < kt_count(channels); i++)
			if (!kt_strs_has(&names, kt_key(channels, i)) &&
			    pattern_match(c->argc > 2 ? c->argv[2] : "*", kt_key(channels, i)))
				kt_strs_add(&names, kt_key(channels, i));
	}
	if (redis_is(c->argv[1], "channels")) {
		redis_give_strs(c, &names);
	} else if (redis_is(c->argv[1], "numpat")) {
		resp_int(c->out, patterns);
	} else if (redis_is(c->argv[1], "numsub")) {
		resp_array(c->out, 2 * (c->argc - 2));
		for (size_t i = 2; i < c->argc; i++) {
			resp_text(c->out, c->argv[i]);
			resp_int(c->out, listeners(c->redis, c->argv[i]));
		}
	} else {
		resp_error(c->out, "ERR unknown subcommand '%s'. Try PUBSUB HELP.", c->argv[1]);
	}
	kt_strs_clear(&names);
}

const struct redis_row redis_channel_rows[] = {
        {"subscribe", 2, 0, 0, do_subscribe, NULL},
        {"psubscribe", 2, 0, 0, do_subscribe, NULL},
        {"unsubscribe", 1, 0, 0, do_subscribe, NULL},
        {"punsubscribe", 1, 0, 0, do_subscribe, NULL},
        {"publish", 3, 3, 0, do_publish, NULL},
        {"pubsub", 2, 0, 0, do_pubsub, NULL},
        {0},
};
