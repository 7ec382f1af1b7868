/* SPDX-License-Identifier: MIT */
/* Redis: RESP in, RESP out, over one data set. Source: redis.io/docs/latest/develop/reference/protocol-spec
 * and commands. Commands are rows (redis_command.h); the data and how it is kept are redis_keep.c's,
 * configuration and replication redis.c's. Expiry is looked at when a key is used. */
#ifndef REDIS_H
#define REDIS_H

#include "cluster/kubelet/servers/servers.h"

struct redis {
	/* {"0": {KEY: {type: "string|list|hash|set|zset|stream", value, until (ns of virtual time, 0
	 * never)}}} */
	struct kt_json *data;   /* changed by redis_put, redis_flush, redis_take only */
	int64_t bytes;          /* of what is in it */
	struct kt_json *config; /* {name: text} of what was set */
	struct tool_run *r;
	kt_ns started, saved_at;
	int64_t changes, commands, connections; /* changes: since it was saved last */
	char *master;                           /* host of replicaof; NULL: it is one itself */
	unsigned master_port;
	bool linked;              /* the master answered last time */
	kt_ns following;          /* since */
	struct kt_json *inboxes;  /* of who subscribed: {NAME: {seen, channels, patterns, waiting}} */
	struct kt_json *replicas; /* {address: when it asked last, ns} */
	int part, append_db; /* of appendonly: which pair of files; the database of its last command, -1 */
	bool listens;        /* it has begun */
	bool loading,
	        leaves; /* leaves: SHUTDOWN was said; it ends behind the conversation, which it is freed by */
	kt_ns paused_until; /* CLIENT PAUSE: nobody else is answered before */
};

/* One conversation: what AUTH and SELECT of it hold for. */
struct redis_client {
	struct redis *redis;
	const char *address;
	int db;
	bool known, is_replica;
	char *inbox;            /* where what is published lies for it; NULL: it has none */
	struct kt_json *queued; /* since MULTI: a list of words each; NULL: none */
	bool spoilt;            /* one of them was refused */
};

kt_ns redis_now(const struct redis *redis);
/* Answer one command; argv[0] is its name. */
void redis_command(struct redis_client *client, char **argv, size_t argc, struct kt_buf *out);
void redis_client_clear(struct redis_client *client);
const char *redis_version(const struct tool_run *r);
/* --- redis_config.c --- */
/* From its command line and the file named there; false after saying what is wrong. */
bool redis_configure(struct redis *redis);
const char *redis_config(const struct redis *redis, const char *name); /* "" where nothing is set */
bool redis_config_known(const char *name);
/* False: what is wrong with it is added to `why`. */
bool redis_config_set(struct redis *redis, const char *name, const char *text, struct kt_buf *why);
/* Names that fit, each with its value. */
void redis_config_list(const struct redis *redis, const char *pattern, struct kt_strs *out);
/* Its log. `role`: M, or C while it starts. */
void redis_note(const struct redis *redis, char role, const char *fmt, ...) KT_PRINTF(3, 4);

/* --- redis_keep.c --- */
#define REDIS_MAGIC "REDIS0012\n" /* begins a dump, and what a replica gets */
/* An entry {type, value, until} of database `db` ("0"); NULL takes the key away. */
void redis_put(struct redis *redis, const char *db, const char *key, struct kt_json *steal);
void redis_flush(struct redis *redis, const char *db);          /* NULL: all */
void redis_take(struct redis *redis, struct kt_json *steal);    /* all of it is this now */
struct kt_json *redis_data_parse(const char *text, size_t len); /* of a dump; NULL: it is none. New. */
void redis_changed(struct redis *redis);                        /* after a command that changed something */
void redis_append(struct redis *redis, int db, const char *const *words, size_t count);
void redis_rewrite(struct redis *redis); /* appendonly: a new base of what is there, with nothing behind it */
void redis_load(struct redis *redis);
bool redis_save(struct redis *redis); /* dump.rdb; false: it cannot be written */
int64_t redis_memory(const struct redis *redis);
void redis_follow(struct redis *redis, const char *host, unsigned port); /* NULL: no one */

/* The server's hooks. */
void redis_free(void *own);
void redis_terminating(struct tool_run *r);
struct kt_json *redis_kept(struct tool_run *r); /* its data, for process_memory */

/* --- RESP --- */
void resp_simple(struct kt_buf *out, const char *text);
void resp_error(struct kt_buf *out, const char *fmt, ...) KT_PRINTF(2, 3);
void resp_int(struct kt_buf *out, int64_t n);
void resp_text(struct kt_buf *out, const char *text); /* NULL: nil */
void resp_array(struct kt_buf *out, size_t count);
void resp_none(struct kt_buf *out); /* no list */
/* The next request of `*at`: an array of bulk strings, or an inline line. False: nothing (more). */
bool resp_request(const char **at, const char *end, struct kt_strs *words);

#endif
