/* SPDX-License-Identifier: MIT */
/* What the files of Redis' commands share: a call, the keys under it, and a table of rows for each file. */
#ifndef REDIS_COMMAND_H
#define REDIS_COMMAND_H

#include "cluster/kubelet/servers/redis.h"

struct redis_call {
	const struct redis_row *row;
	struct redis_client *client;
	struct redis *redis;
	char **argv; /* argv[0]: the command's name as it was written */
	size_t argc;
	struct kt_buf *out;
	bool changed;
	int64_t until; /* when a key ends that this command gave an end to; ns */
	struct kt_strs
	        kept; /* what appendonly keeps in its place, where it cannot be said again; else empty */
};

enum {
	REDIS_WRITES = 1,
	REDIS_ANYBODY = 2, /* before AUTH, too */
	REDIS_FREES = 4,   /* taken over maxmemory, too */
	REDIS_AT_ONCE = 8, /* within MULTI it is not queued */
	REDIS_SETS = 16    /* a string, as SET k v EX 5, SETEX k 5 v: kept with when it ends */
};
struct redis_row {
	const char *name;   /* NULL: the end */
	size_t least, most; /* words with its name; 0: any number */
	unsigned flags;
	void (*run)(struct redis_call *c);
	const char *type; /* of the key that redis_do_… looks at */
};
extern const struct redis_row redis_string_rows[], redis_key_rows[], redis_list_rows[], redis_hash_rows[],
        redis_set_rows[], redis_zset_rows[], redis_server_rows[], redis_stream_rows[], redis_channel_rows[];

#define REDIS_WRONG_TYPE "WRONGTYPE Operation against a key holding the wrong kind of value"
#define REDIS_NO_INTEGER "ERR value is not an integer or out of range"
#define REDIS_NO_FLOAT   "ERR value is not a valid float"
#define REDIS_SYNTAX     "ERR syntax error"

/* --- keys --- */
char *redis_db_name(const struct redis_call *c); /* owned */
const struct kt_json *redis_db(const struct redis_call *c);
void redis_drop(const struct redis_call *c, const char *key);
/* What is there, unless its time is over. */
const struct kt_json *redis_entry(const struct redis_call *c, const char *key);
/* Its value when it is of that type (NULL: none); *wrong after an error reply. */
const struct kt_json *redis_value(const struct redis_call *c, const char *key, const char *type, bool *wrong);
/* The same to be changed: of its own, never NULL unless wrong; `empty` where there is none (stolen). */
struct kt_json *redis_edit(const struct redis_call *c, const char *key, const char *type,
                           struct kt_json *empty, bool *wrong);
/* Put it there; an empty list, hash or set is none. The time it has left stays when `keep`. */
void redis_store(struct redis_call *c, const char *key, const char *type, struct kt_json *steal, bool keep);
void redis_until(struct redis_call *c, const char *key, int64_t until);

/* --- words --- */
bool redis_is(const char *word, const char *name); /* whatever the letters' case */
bool redis_integer(const char *text, int64_t *out);
bool redis_float(const char *text, double *out); /* "inf", "-inf", too */
/* The word at `at` as a number; false after an error reply. */
bool redis_take_int(const struct redis_call *c, size_t at, int64_t *out);
bool redis_take_float(const struct redis_call *c, size_t at, double *out);
/* The last word of a command that waits: seconds, 0 without end; false after an error reply. */
bool redis_patience(const struct redis_call *c, double *seconds);
/* "0 -1" at `at` and behind it, of `count` items: [*from, *to); false after an error reply. */
bool redis_range(const struct redis_call *c, size_t at, size_t count, size_t *from, size_t *to);
char *redis_float_text(long double n);                                   /* owned */
size_t redis_any(const struct redis_call *c, size_t count);              /* one of so many; 0: of none */
void redis_give_strs(struct redis_call *c, struct kt_strs *list);        /* clears it */
void redis_give_scan(struct redis_call *c, struct kt_strs *list);        /* as SCAN does, all at once */
const char *redis_scan_pattern(const struct redis_call *c, size_t from); /* of "MATCH pattern"; "*" */
void redis_keep(struct redis_call *c, const char *a, const char *b, const char *d); /* NULL: no more words */

/* --- rows that several types have --- */
void redis_do_count(struct redis_call *c);
void redis_do_remove(struct redis_call *c);
void redis_do_has(struct redis_call *c);
void redis_do_ok(struct redis_call *c);
void redis_inbox(struct redis_call *c); /* CLIENT INBOX NAME: it says who it is, and gets what waits */

#endif
