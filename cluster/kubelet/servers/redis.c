/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/servers/redis.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* --- RESP --- */
void resp_simple(struct kt_buf *out, const char *text)
{
	kt_buf_addf(out, "+%s\r\n", text);
}

void resp_error(struct kt_buf *out, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	kt_buf_addc(out, '-');
	kt_buf_vaddf(out, fmt, ap);
	kt_buf_adds(out, "\r\n");
	va_end(ap);
}

void resp_int(struct kt_buf *out, int64_t n)
{
	kt_buf_addf(out, ":%lld\r\n", (long long)n);
}

void resp_text(struct kt_buf *out, const char *text)
{
	if (text)
		kt_buf_addf(out, "$%zu\r\n%s\r\n", strlen(text), text);
	else
		kt_buf_adds(out, "$-1\r\n");
}

void resp_array(struct kt_buf *out, size_t count)
{
	kt_buf_addf(out, "*%zu\r\n", count);
}

void resp_none(struct kt_buf *out)
{
	kt_buf_adds(out, "*-1\r\n");
}

/* "$LEN\r\n…\r\n" */
static bool bulk(const char **at, const char *end, struct kt_strs *words)
{
	char *number;
	if (*at >= end || **at != '$')
		return false;
	long len = strtol(*at + 1, &number, 10);
	const char *from = number + 2;
	if (len < 0 || !kt_starts(number, "\r\n") || end - from < len)
		return false;
	kt_strs_steal(words, kt_strndup(from, (size_t)len));
	*at = from + len;
	*at += kt_starts(*at, "\r\n") ? 2 : 0;
	return true;
}

bool resp_request(const char **at, const char *end, struct kt_strs *words)
{
	enum { MOST_WORDS = 4096 };
	kt_strs_clear(words);
	while (*at < end && (**at == '\r' || **at == '\n'))
		(*at)++;
	if (*at >= end)
		return false;
	if (**at == '*') {
		char *number;
		long count = strtol(*at + 1, &number, 10);
		*at = number + (kt_starts(number, "\r\n") ? 2 : 0);
		for (long i = 0; i < count && i < MOST_WORDS; i++)
			if (!bulk(at, end, words)) {
				*at = end;
				return false;
			}
		return count > 0;
	}
	static const char blanks[] = " \t\v\f";
	const char *stop = *at + strcspn(*at, "\r\n");
	for (const char *c = *at; c < stop;) {
		c += strspn(c, blanks);
		char quote = *c == '"' || *c == '\'' ? *c : '\0';
		const char *from = c + (quote != '\0'), *to = from;
		while (to < stop && (quote ? *to != quote : !strchr(blanks, *to)))
			to++;
		if (from < stop && c < stop)
			kt_strs_steal(words, kt_strndup(from, (size_t)(to - from)));
		c = to + (quote != '\0');
	}
	*at = stop;
	return words->count > 0;
}

kt_ns redis_now(const struct redis *redis)
{
	return process_now(redis->r->task->process);
}

/* Its log: pid, role (C: while it starts), when. */
void redis_note(const struct redis *redis, char role, const char *fmt, ...)
{
	struct kt_buf text = {0};
	char when[40];
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	struct tm tm = server_now(redis->r);
	size_t len = strftime(when, sizeof(when), "%d %b %Y %H:%M:%S", &tm);
	tool_outf(redis->r, "%d:%c %.*s.%03d %s\n", redis->r->task->pid,
	          role == 'M' && redis->master ? 'S' : role, (int)len, when,
	          (int)(redis_now(redis) % KT_SEC / KT_MS), kt_buf_str(&text));
	kt_buf_clear(&text);
}

static const kt_ns FIRST_SYNC = 6 * KT_SEC; /* repl-diskless-sync-delay, and a handshake */

void redis_follow(struct redis *redis, const char *host, unsigned port)
{
	char *copy = kt_strdup(host);
	kt_free(redis->master);
	redis->master = copy;
	redis->master_port = port;
	redis->linked = false;
	redis->following = redis_now(redis);
}

/* A replica asks its master for all of it: what it has is what the master had when somebody looked last. */
static void follow(struct redis *redis)
{
	struct tool_run *r = redis->r;
	struct cluster *cluster = tool_container(r)->cluster;
	struct network_peer from = task_peer(r->task);
	struct kt_strs addresses = {0};
	struct kt_buf reply = {0};
	enum network_outcome outcome;
	struct network_path to = {.outcome = NETWORK_REFUSED};
	if (task_resolve(r->task, redis->master, &addresses, NULL, &outcome))
		network_connect(cluster, &from, addresses.items[0], redis->master_port, "TCP", &to);
	kt_strs_clear(&addresses);
	const struct network_listener *there = network_path_listener(cluster, &to);
	bool open = to.outcome == NETWORK_OPEN && there && there->bytes && r->task->process->steps < 4;
	const char *password = redis_config(redis, "masterauth");
	if (open) {
		struct kt_buf ask = {0};
		if (*password)
			kt_buf_addf(&ask, "AUTH %s\r\n", password);
		kt_buf_addf(&ask, "REPLCONF ip-address %s\r\nPSYNC ? -1\r\n", tool_container(r)->pod_ip);
		r->task->process->steps++;
		there->bytes(there->arg, ask.data, ask.len, &reply);
		r->task->process->steps--;
		kt_buf_clear(&ask);
	}
	const char *whole = strstr(kt_buf_str(&reply), REDIS_MAGIC);
	struct kt_json *data = whole ? redis_data_parse(whole, strcspn(whole + strlen(REDIS_MAGIC), "\r\n") +
	                                                               strlen(REDIS_MAGIC))
	                             : NULL;
	redis->linked = data != NULL;
	if (data && !kt_equal(data, redis->data)) {
		redis_take(redis, kt_json_ref(data));
		redis_rewrite(redis);
	}
	kt_json_free(data);
	kt_buf_clear(&reply);
}

/* --- the server --- */
void redis_free(void *own)
{
	struct redis *redis = own;
	if (!redis)
		return;
	kt_json_free(redis->data);
	kt_json_free(redis->config);
	kt_json_free(redis->replicas);
	kt_json_free(redis->inboxes);
	kt_free(redis->master);
	kt_free(redis);
}

const char *redis_version(const struct tool_run *r)
{
	const char *version = tool_env(r, "REDIS_VERSION");
	return version ? version : "7.4.1";
}

/* A port, and addresses that are its own. */
static bool can_listen(const struct redis *redis)
{
	const char *port = redis_config(redis, "port"), *rest = redis_config(redis, "bind");
	const char *own = tool_container(redis->r)->pod_ip;
	size_t len;
	if (!strcmp(port, "0")) {
		redis_note(redis, 'M', "# Configured to not listen anywhere, exiting.");
		return false;
	}
	for (const char *one; rest && (one = kt_split(&rest, ' ', &len));) {
		char *address = kt_strndup(one, len);
		bool good = !len || strspn(address, "0123456789.") != len || kt_starts(address, "127.") ||
		            !strcmp(address, "0.0.0.0") || kt_streq(address, own);
		if (!good)
			redis_note(redis, 'M',
			           "# Warning: Could not create server TCP listening socket %s:%s: bind: "
			           "Cannot assign "
			           "requested address",
			           address, port);
		kt_free(address);
		if (!good) {
			redis_note(redis, 'M', "# Failed listening on port %s (TCP), aborting.", port);
			return false;
		}
	}
	return true;
}

/* At each address that it is bound to. */
static void listen_at(const struct redis *redis, struct server *s)
{
	unsigned long port = strtoul(redis_config(redis, "port"), NULL, 10);
	const char *rest = redis_config(redis, "bind");
	size_t len;
	for (const char *one; rest && (one = kt_split(&rest, ' ', &len));) {
		char *address = kt_strndup(one, len);
		if (!strchr(address, ':')) /* IPv6 is nowhere here */
			server_port_at(s, address, port, "TCP");
		kt_free(address);
	}
}

bool redis_prepare(struct tool_run *r, struct server *s, int *status)
{
	struct redis *redis = kt_alloc(sizeof(*redis));
	s->own = redis;
	redis->r = r;
	redis->data = kt_json_object();
	redis->config = kt_json_object();
	redis->replicas = kt_json_object();
	redis->inboxes = kt_json_object();
	redis->started = redis->saved_at = redis_now(redis);
	if (r->argv.count > 1 &&
	    (!strcmp(r->argv.items[1], "--version") || !strcmp(r->argv.items[1], "-v"))) {
		tool_outf(r,
		          "Redis server v=%s sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 "
		          "build=0000000000000000\n",
		          redis_version(r));
		*status = 0;
		return false;
	}
	if (!redis_configure(redis)) {
		*status = 1;
		return false;
	}
	if (!strcasecmp(redis_config(redis, "daemonize"), "yes")) {
		server_background(r, "--daemonize", "no", true);
		*status = 0;
		return false;
	}
	redis_note(redis, 'C', "* oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo");
	redis_note(redis, 'C',
	           "* Redis version=%s, bits=64, commit=00000000, modified=0, pid=%d, just started",
	           redis_version(r), r->task->pid);
	if (r->argv.count > 1)
		redis_note(redis, 'C', "* Configuration loaded");
	else
		redis_note(redis, 'C',
		           "# Warning: no config file specified, using the default config. In order to "
		           "specify a "
		           "config file use "
		           "redis-server /path/to/redis.conf");
	redis_note(redis, 'M', "* monotonic clock: POSIX clock_gettime");
	if (!can_listen(redis)) {
		*status = 1;
		return false;
	}
	/* after a restore of the simulation nothing happened: it has what it had */
	char *key = process_memory_key(tool_container(r));
	const struct kt_json *kept =
	        r->task->process->spec.ran ? cluster_kept(tool_container(r)->cluster, key) : NULL;
	kt_free(key);
	if (kept)
		redis_take(redis, kt_json_ref(kept));
	else
		redis_load(redis);
	const char *of = redis_config(redis, "replicaof"), *port = strchr(of, ' ');
	if (port && strcasecmp(of, "no one") != 0) {
		char *host = kt_strndup(of, (size_t)(port - of));
		redis_follow(redis, host, (unsigned)strtoul(port, NULL, 10));
		kt_free(host);
	}
	redis->listens = true;
	listen_at(redis, s);
	redis_note(redis, 'M', "* Running mode=standalone, port=%s.", redis_config(redis, "port"));
	redis_note(redis, 'M', "* Server initialized");
	redis_note(redis, 'M', "* Ready to accept connections tcp");
	return true;
}

void redis_bytes(struct tool_run *r, const char *data, size_t len, struct kt_buf *reply)
{
	struct redis *redis = ((struct server *)r->state)->own;
	struct redis_client client = {.redis = redis, .known = !*redis_config(redis, "requirepass")};
	const char *at = data, *end = data + len;
	struct kt_strs words = {0};
	redis->connections++;
	if (redis->master && redis_now(redis) >= redis->following + FIRST_SYNC)
		follow(redis);
	while (!redis->leaves && resp_request(&at, end, &words)) {
		if (redis_now(redis) < redis->paused_until && strcasecmp(words.items[0], "client") != 0)
			break; /* no reply yet: who asks waits, and asks again */
		redis->commands++;
		redis_command(&client, words.items, words.count, reply);
	}
	redis_client_clear(&client);
	kt_strs_clear(&words);
	if (redis->leaves)
		task_signal(r->task, 15); /* and with it this server is gone */
}

/* SIGTERM: what is in memory is saved when there are save points. */
void redis_terminating(struct tool_run *r)
{
	struct redis *redis = ((struct server *)r->state)->own;
	if (!redis)
		return;
	redis_note(redis, 'M', "* User requested shutdown...");
	if (*redis_config(redis, "save")) {
		redis_note(redis, 'M', "* Saving the final RDB snapshot before exiting.");
		(void)redis_save(redis);
	}
	redis_note(redis, 'M', "# Redis is now ready to exit, bye bye...");
}

struct kt_json *redis_kept(struct tool_run *r)
{
	struct redis *redis = ((struct server *)r->state)->own;
	return redis && ((struct server *)r->state)->listening ? kt_json_ref(redis->data) : NULL;
}
