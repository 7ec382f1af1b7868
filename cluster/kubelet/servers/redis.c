/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/servers/redis.h"

#include <ctype.h>
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
	const char *stop = *at + strcspn(*at, "\r\n");
	for (const char *c = *at; c < stop;) {
		c += strspn(c, " \t");
		char quote = *c == '"' || *c == '\'' ? *c : '\0';
		const char *from = c + (quote != '\0'), *to = from;
		while (to < stop && (quote ? *to != quote : !isspace((unsigned char)*to)))
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
static void note(const struct redis *redis, char role, const char *fmt, ...) KT_PRINTF(3, 4);
static void note(const struct redis *redis, char role, const char *fmt, ...)
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

/* --- configuration --- */
static const struct {
	const char *name, *usual;
} settings[] = {{"port", "6379"},
                {"bind", "* -::*"},
                {"dir", ""},
                {"dbfilename", "dump.rdb"},
                {"save", "3600 1 300 100 60 10000"},
                {"appendonly", "no"},
                {"appendfsync", "everysec"},
                {"appendfilename", "appendonly.aof"},
                {"appenddirname", "appendonlydir"},
                {"requirepass", ""},
                {"masterauth", ""},
                {"maxmemory", "0"},
                {"maxmemory-policy", "noeviction"},
                {"maxclients", "10000"},
                {"timeout", "0"},
                {"tcp-keepalive", "300"},
                {"tcp-backlog", "511"},
                {"databases", "16"},
                {"loglevel", "notice"},
                {"logfile", ""},
                {"daemonize", "no"},
                {"protected-mode", "yes"},
                {"replicaof", ""},
                {"replica-read-only", "yes"},
                {"replica-announce-ip", ""},
                {"replica-announce-port", "0"},
                {"stop-writes-on-bgsave-error", "yes"},
                {"rdbcompression", "yes"},
                {"rdbchecksum", "yes"},
                {"lazyfree-lazy-eviction", "no"},
                {"slowlog-log-slower-than", "10000"},
                {"hz", "10"},
                {"cluster-enabled", "no"},
                {"cluster-config-file", "nodes.conf"},
                {"cluster-node-timeout", "15000"},
                {"notify-keyspace-events", ""},
                {"auto-aof-rewrite-percentage", "100"},
                {"auto-aof-rewrite-min-size", "67108864"},
                {"io-threads", "1"},
                {"pidfile", ""},
                {"supervised", "no"},
                {"always-show-logo", "no"},
                {"maxmemory-samples", "5"},
                {"user", ""},
                {"rename-command", ""},
                {"min-replicas-to-write", "0"},
                {"repl-diskless-sync", "yes"},
                {"unixsocket", ""}};

static bool set_config(struct redis *redis, const char *name, const char *value)
{
	char *lower = kt_strdup(name);
	for (char *c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	bool known = false;
	for (size_t i = 0; i < KT_COUNT(settings); i++)
		known = known || !strcmp(settings[i].name, lower);
	if (!strcmp(lower, "slaveof"))
		known = true;
	if (known)
		kt_set(&redis->config, !strcmp(lower, "slaveof") ? "replicaof" : lower, kt_json_str(value));
	kt_free(lower);
	return known;
}

const char *redis_config(const struct redis *redis, const char *name)
{
	return kt_get_str(redis->config, name);
}

static const char fatal[] = "\n*** FATAL CONFIG FILE ERROR (Redis 7.4.1) ***\n";

/* A line of a configuration file, or a word pair of the command line: "name value…". */
static bool config_line(struct redis *redis, const char *line, size_t number)
{
	const char *from = line + strspn(line, " \t\r");
	size_t len = strcspn(from, " \t\r");
	if (!len || *from == '#')
		return true;
	char *name = kt_strndup(from, len);
	const char *value = from + len + strspn(from + len, " \t");
	size_t n = strlen(value);
	while (n && strchr(" \t\r", value[n - 1]))
		n--;
	bool quoted = n > 1 && (*value == '"' || *value == '\'') && value[n - 1] == *value;
	char *text = kt_strndup(value + quoted, n - (quoted ? 2u : 0u));
	bool good = n > 0 && set_config(redis, name, text);
	if (!good)
		tool_err(redis->r,
		         "%sReading the configuration file, at line %zu\n>>> '%.*s'\nBad directive or wrong "
		         "number of arguments\n",
		         fatal, number, (int)(value + n - from), from);
	kt_free(text);
	kt_free(name);
	return good;
}

static bool config_file(struct redis *redis, const char *name)
{
	struct kt_buf text = {0};
	char *path = tool_path(redis->r, name);
	bool good = true;
	if (files_read(tool_container(redis->r)->files, path, &text)) {
		tool_err(redis->r, "Fatal error, can't open config file '%s': No such file or directory\n",
		         path);
		good = false;
	}
	const char *rest = kt_buf_str(&text);
	size_t len, number = 0;
	for (const char *line; good && rest && (line = kt_split(&rest, '\n', &len));) {
		char *one = kt_strndup(line, len);
		good = config_line(redis, one, ++number);
		kt_free(one);
	}
	kt_free(path);
	kt_buf_clear(&text);
	return good;
}

/* redis-server [FILE] [--name value…]… */
static bool configure(struct redis *redis)
{
	struct tool_run *r = redis->r;
	for (size_t i = 0; i < KT_COUNT(settings); i++)
		kt_set(&redis->config, settings[i].name, kt_json_str(settings[i].usual));
	kt_set(&redis->config, "dir", kt_json_str(r->task->dir));
	size_t at = 1;
	if (at < r->argv.count && !kt_starts(r->argv.items[at], "--") && strcmp(r->argv.items[at], "-") != 0)
		if (!config_file(redis, r->argv.items[at++]))
			return false;
	while (at < r->argv.count) {
		struct kt_buf line = {0};
		const char *word = r->argv.items[at++];
		kt_buf_adds(&line, word + (kt_starts(word, "--") ? 2 : 0));
		/* an empty value is written as one */
		while (at < r->argv.count && !kt_starts(r->argv.items[at], "--")) {
			kt_buf_addf(&line, " %s", *r->argv.items[at] ? r->argv.items[at] : "\"\"");
			at++;
		}
		bool good = config_line(redis, kt_buf_str(&line), at / 2);
		kt_buf_clear(&line);
		if (!good)
			return false;
	}
	return true;
}

/* --- what lies on the disk --- */
static char *file_of(const struct redis *redis, const char *part)
{
	const char *dir = redis_config(redis, "dir");
	return !strcmp(part, "rdb")
	               ? kt_strf("%s/%s", dir, redis_config(redis, "dbfilename"))
	               : kt_strf("%s/%s/%s.1.incr.aof", dir, redis_config(redis, "appenddirname"),
	                         redis_config(redis, "appendfilename"));
}

static const char MAGIC[] = "REDIS0012\n";

static int write_data(struct redis *redis, const char *part)
{
	char *path = file_of(redis, part), *text = kt_json_text(redis->data),
	     *all = kt_strf("%s%s", MAGIC, text);
	struct files *files = tool_container(redis->r)->files;
	kt_ns now = redis_now(redis);
	char *dir = kt_strndup(path, (size_t)(strrchr(path, '/') - path));
	if (strcmp(part, "rdb") != 0)
		(void)files_mkdir(files, dir, false, now);
	int rc = files_write(files, path, all, strlen(all), false, 0600, now);
	kt_free(dir);
	kt_free(path);
	kt_free(text);
	kt_free(all);
	return rc;
}

static void read_data(struct redis *redis)
{
	bool append = !strcmp(redis_config(redis, "appendonly"), "yes");
	char *path = file_of(redis, append ? "aof" : "rdb");
	struct kt_buf text = {0};
	struct kt_err err = {0};
	struct kt_json *data = NULL;
	(void)files_read(tool_container(redis->r)->files, path, &text);
	if (kt_starts(kt_buf_str(&text), MAGIC) &&
	    kt_json_parse(text.data + strlen(MAGIC), text.len - strlen(MAGIC), NULL, &data, NULL, &err) ==
	            KT_OK &&
	    kt_is_object(data)) {
		kt_json_free(redis->data);
		redis->data = kt_json_ref(data);
	}
	kt_json_free(data);
	kt_buf_clear(&text);
	kt_free(path);
}

bool redis_save(struct redis *redis)
{
	int rc = write_data(redis, "rdb");
	if (rc) {
		note(redis, 'M',
		     "# Failed opening the temp RDB file temp-%d.rdb (in server root dir %s) for saving: %s",
		     redis->r->task->pid, redis_config(redis, "dir"), tool_strerror(rc));
		return false;
	}
	redis->changes = 0;
	redis->saved_at = redis_now(redis);
	note(redis, 'M', "* DB saved on disk");
	return true;
}

/* "3600 1 300 100": seconds and changes, pair by pair. */
static bool is_due(const struct redis *redis)
{
	const char *at = redis_config(redis, "save");
	while (at && *at) {
		char *end;
		long long seconds = strtoll(at, &end, 10), changes;
		if (end == at)
			return false;
		at = end;
		changes = strtoll(at, &end, 10);
		if (end == at)
			return false;
		if (redis->changes >= changes && redis_now(redis) - redis->saved_at >= seconds * KT_SEC)
			return true;
		at = end + strspn(end, " ");
	}
	return false;
}

int64_t redis_memory(const struct redis *redis)
{
	enum { EMPTY = 860 << 10, KEY = 64 };
	int64_t bytes = EMPTY;
	for (size_t d = 0; d < kt_count(redis->data); d++) {
		const struct kt_json *db = kt_at(redis->data, d), *key;
		KT_JSON_EACH (key, db) {
			char *text = kt_json_text(kt_get(key, "value"));
			bytes += (int64_t)strlen(text) + KEY;
			kt_free(text);
		}
	}
	return bytes;
}

void redis_changed(struct redis *redis)
{
	redis->changes++;
	if (!strcmp(redis_config(redis, "appendonly"), "yes"))
		(void)write_data(redis, "aof");
	if (is_due(redis))
		(void)redis_save(redis);
	tool_memory(redis->r, redis_memory(redis));
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
	if (network_resolve(cluster, &from, redis->master, &addresses, NULL, &outcome))
		network_connect(cluster, &from, addresses.items[0], redis->master_port, "TCP", &to);
	kt_strs_clear(&addresses);
	bool open = to.outcome == NETWORK_OPEN && to.listener && to.listener->bytes &&
	            r->task->process->steps < 4;
	const char *password = redis_config(redis, "masterauth");
	if (open) {
		struct kt_buf ask = {0};
		if (*password)
			kt_buf_addf(&ask, "AUTH %s\r\n", password);
		kt_buf_addf(&ask, "REPLCONF ip-address %s\r\nPSYNC ? -1\r\n", tool_container(r)->pod_ip);
		r->task->process->steps++;
		to.listener->bytes(to.listener->arg, ask.data, ask.len, &reply);
		r->task->process->steps--;
		kt_buf_clear(&ask);
	}
	const char *whole = strstr(kt_buf_str(&reply), MAGIC);
	struct kt_json *data = NULL;
	struct kt_err err = {0};
	redis->linked = whole && kt_json_parse(whole + strlen(MAGIC), strcspn(whole + strlen(MAGIC), "\r\n"),
	                                       NULL, &data, NULL, &err) == KT_OK;
	if (redis->linked) {
		kt_json_free(redis->data);
		redis->data = kt_json_ref(data);
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
	kt_free(redis->master);
	kt_free(redis);
}

bool redis_prepare(struct tool_run *r, struct server *s, int *status)
{
	struct redis *redis = kt_alloc(sizeof(*redis));
	s->own = redis;
	redis->r = r;
	redis->data = kt_json_object();
	redis->config = kt_json_object();
	redis->replicas = kt_json_object();
	redis->started = redis->saved_at = redis_now(redis);
	if (r->argv.count > 1 &&
	    (!strcmp(r->argv.items[1], "--version") || !strcmp(r->argv.items[1], "-v"))) {
		tool_outs(r, "Redis server v=7.4.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 "
		             "build=0000000000000000\n");
		*status = 0;
		return false;
	}
	if (!configure(redis)) {
		*status = 1;
		return false;
	}
	note(redis, 'C', "* oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo");
	note(redis, 'C', "* Redis version=7.4.1, bits=64, commit=00000000, modified=0, pid=%d, just started",
	     r->task->pid);
	if (r->argv.count > 1)
		note(redis, 'C', "* Configuration loaded");
	else
		note(redis, 'C',
		     "# Warning: no config file specified, using the default config. In order to specify a "
		     "config file use "
		     "redis-server /path/to/redis.conf");
	/* after a restore of the simulation nothing happened: it has what it had */
	char *key = process_memory_key(tool_container(r));
	const struct kt_json *kept =
	        r->task->process->spec.ran ? cluster_kept(tool_container(r)->cluster, key) : NULL;
	kt_free(key);
	if (kept) {
		kt_json_free(redis->data);
		redis->data = kt_json_ref(kept);
	} else {
		read_data(redis);
	}
	const char *of = redis_config(redis, "replicaof"), *port = strchr(of, ' ');
	if (port && strcasecmp(of, "no one") != 0) {
		char *host = kt_strndup(of, (size_t)(port - of));
		redis_follow(redis, host, (unsigned)strtoul(port, NULL, 10));
		kt_free(host);
	}
	server_port(s, strtoul(redis_config(redis, "port"), NULL, 10), "TCP");
	note(redis, 'M', "* Running mode=standalone, port=%s.", redis_config(redis, "port"));
	note(redis, 'M', "* Server initialized");
	note(redis, 'M', "* Ready to accept connections tcp");
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
	while (resp_request(&at, end, &words)) {
		redis->commands++;
		redis_command(&client, words.items, words.count, reply);
	}
	kt_strs_clear(&words);
}

/* SIGTERM: what is in memory is saved when there are save points. */
void redis_terminating(struct tool_run *r)
{
	struct redis *redis = ((struct server *)r->state)->own;
	if (!redis)
		return;
	note(redis, 'M', "* User requested shutdown...");
	if (*redis_config(redis, "save")) {
		note(redis, 'M', "* Saving the final RDB snapshot before exiting.");
		(void)redis_save(redis);
	}
	note(redis, 'M', "# Redis is now ready to exit, bye bye...");
}

struct kt_json *redis_kept(struct tool_run *r)
{
	struct redis *redis = ((struct server *)r->state)->own;
	return redis && ((struct server *)r->state)->listening ? kt_json_ref(redis->data) : NULL;
}
