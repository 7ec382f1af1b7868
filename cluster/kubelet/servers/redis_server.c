/* SPDX-License-Identifier: MIT */
/* Redis' commands about the server: who may come in, what it is like, how it is kept, its replicas. */
#include "cluster/kubelet/servers/redis_command.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void do_ping(struct redis_call *c)
{
	if (c->argc > 1)
		resp_text(c->out, c->argv[1]);
	else
		resp_simple(c->out, "PONG");
}

static void do_echo(struct redis_call *c)
{
	resp_text(c->out, c->argv[1]);
}

static void do_auth(struct redis_call *c)
{
	const char *wanted = redis_config(c->redis, "requirepass"),
	           *user = c->argc > 2 ? c->argv[1] : "default";
	if (!*wanted && c->argc == 2) {
		resp_error(c->out, "ERR AUTH <password> called without any password configured for the "
		                   "default user. Are you sure "
		                   "your configuration is correct?");
		return;
	}
	c->client->known = !strcmp(user, "default") && (!*wanted || !strcmp(c->argv[c->argc - 1], wanted));
	if (c->client->known)
		resp_simple(c->out, "OK");
	else
		resp_error(c->out, "WRONGPASS invalid username-password pair or user is disabled.");
}

static void do_select(struct redis_call *c)
{
	int64_t n;
	if (!redis_integer(c->argv[1], &n)) {
		resp_error(c->out, REDIS_NO_INTEGER);
	} else if (n < 0 || n >= strtoll(redis_config(c->redis, "databases"), NULL, 10)) {
		resp_error(c->out, "ERR DB index is out of range");
	} else {
		c->client->db = (int)n;
		resp_simple(c->out, "OK");
	}
}

static void do_save(struct redis_call *c)
{
	bool background = !strcasecmp(c->argv[0], "bgsave");
	if (!redis_save(c->redis) && !background)
		resp_error(c->out, "ERR");
	else
		resp_simple(c->out, background ? "Background saving started" : "OK");
}

static void do_lastsave(struct redis_call *c)
{
	resp_int(c->out, c->redis->saved_at / KT_SEC);
}

static void do_time(struct redis_call *c)
{
	kt_ns now = redis_now(c->redis);
	char *seconds = kt_strf("%lld", (long long)(now / KT_SEC)),
	     *micros = kt_strf("%lld", (long long)(now % KT_SEC / KT_US));
	resp_array(c->out, 2);
	resp_text(c->out, seconds);
	resp_text(c->out, micros);
	kt_free(seconds);
	kt_free(micros);
}

/* It was started without a file, or nobody looks into it. */
static void config_rewrite(struct redis_call *c)
{
	const struct tool_run *r = c->redis->r;
	if (r->argv.count < 2 || kt_starts(r->argv.items[1], "--"))
		resp_error(c->out, "ERR The server is running without a config file");
	else
		resp_simple(c->out, "OK");
}

static void config_get(struct redis_call *c)
{
	struct kt_strs found = {0};
	for (size_t i = 2; i < c->argc; i++)
		redis_config_list(c->redis, c->argv[i], &found);
	redis_give_strs(c, &found);
}

static void config_set(struct redis_call *c)
{
	for (size_t i = 2; i + 1 < c->argc; i += 2) {
		struct kt_buf why = {0};
		bool known = redis_config_known(c->argv[i]),
		     good = known && redis_config_set(c->redis, c->argv[i], c->argv[i + 1], &why);
		if (!known)
			resp_error(c->out, "ERR Unknown option or number of arguments for CONFIG SET - '%s'",
			           c->argv[i]);
		else if (!good)
			resp_error(c->out, "ERR CONFIG SET failed (possibly related to argument '%s') - %s",
			           c->argv[i], kt_buf_str(&why));
		else if (redis_is(c->argv[i], "appendonly"))
			redis_rewrite(c->redis); /* what is there is written at once */
		kt_buf_clear(&why);
		if (!good)
			return;
	}
	resp_simple(c->out, "OK");
}

static void do_config(struct redis_call *c)
{
	static const struct {
		const char *name;
		size_t least;
		bool pairs;
		void (*run)(struct redis_call *c);
	} parts[] = {{"get", 3, false, config_get},
	             {"set", 4, true, config_set},
	             {"resetstat", 2, false, redis_do_ok},
	             {"rewrite", 2, false, config_rewrite}};
	for (size_t i = 0; i < KT_COUNT(parts); i++) {
		if (!redis_is(c->argv[1], parts[i].name))
			continue;
		if (c->argc < parts[i].least || (parts[i].pairs && c->argc % 2))
			resp_error(c->out, "ERR wrong number of arguments for 'config|%s' command",
			           parts[i].name);
		else
			parts[i].run(c);
		return;
	}
	resp_error(c->out, "ERR unknown subcommand '%s'. Try CONFIG HELP.", c->argv[1]);
}

static size_t replica_count(const struct redis *redis)
{
	size_t count = 0;
	for (size_t i = 0; i < kt_count(redis->replicas); i++)
		count += redis_now(redis) - kt_int_or(kt_at(redis->replicas, i), 0) < KT_MIN_NS;
	return count;
}

static void info_replication(const struct redis *redis, struct kt_buf *text)
{
	kt_buf_addf(text, "role:%s\r\n", redis->master ? "slave" : "master");
	if (redis->master)
		kt_buf_addf(text,
		            "master_host:%s\r\nmaster_port:%u\r\nmaster_link_status:%s\r\n%sslave_read_only:"
		            "1\r\n",
		            redis->master, redis->master_port, redis->linked ? "up" : "down",
		            redis->linked ? "" : "master_link_down_since_seconds:-1\r\n");
	kt_buf_addf(text, "connected_slaves:%zu\r\n", replica_count(redis));
	for (size_t i = 0, n = 0; i < kt_count(redis->replicas); i++)
		if (redis_now(redis) - kt_int_or(kt_at(redis->replicas, i), 0) < KT_MIN_NS)
			kt_buf_addf(text, "slave%zu:ip=%s,port=6379,state=online,offset=0,lag=0\r\n", n++,
			            kt_key(redis->replicas, i));
}

static void info_keyspace(const struct redis *redis, struct kt_buf *text)
{
	for (size_t i = 0; i < kt_count(redis->data); i++) {
		const struct kt_json *db = kt_at(redis->data, i), *key;
		size_t expires = 0;
		KT_JSON_EACH (key, db)
			expires += kt_get_int(key, "until", 0) != 0;
		if (kt_count(db))
			kt_buf_addf(text, "db%s:keys=%zu,expires=%zu,avg_ttl=0\r\n", kt_key(redis->data, i),
			            kt_count(db), expires);
	}
}

static void info_server(const struct redis *redis, struct kt_buf *text)
{
	kt_buf_addf(text,
	            "redis_version:%s\r\nredis_mode:standalone\r\nos:Linux\r\narch_bits:64\r\nprocess_id:%"
	            "d\r\ntcp_port:%s\r\n"
	            "uptime_in_seconds:%lld\r\n",
	            redis_version(redis->r), redis->r->task->pid, redis_config(redis, "port"),
	            (long long)((redis_now(redis) - redis->started) / KT_SEC));
}

/* A size, and the same for people (server.c: bytesToHuman). */
static void info_size(struct kt_buf *text, const char *name, int64_t bytes)
{
	static const char units[] = "BKMG";
	double size = (double)bytes;
	size_t unit = 0;
	for (; size >= 1024 && unit + 2 < sizeof(units); unit++)
		size /= 1024;
	kt_buf_addf(text, "%s:%lld\r\n%s_human:%.*f%c\r\n", name, (long long)bytes, name, unit ? 2 : 0, size,
	            units[unit]);
}

static void info_memory(const struct redis *redis, struct kt_buf *text)
{
	info_size(text, "used_memory", redis_memory(redis));
	info_size(text, "maxmemory", strtoll(redis_config(redis, "maxmemory"), NULL, 10));
	kt_buf_addf(text, "maxmemory_policy:%s\r\n", redis_config(redis, "maxmemory-policy"));
}

static void info_persistence(const struct redis *redis, struct kt_buf *text)
{
	kt_buf_addf(text,
	            "loading:0\r\nrdb_changes_since_last_save:%lld\r\nrdb_bgsave_in_progress:0\r\nrdb_last_"
	            "save_time:%lld\r\n"
	            "rdb_last_bgsave_status:ok\r\naof_enabled:%d\r\n",
	            (long long)redis->changes, (long long)(redis->saved_at / KT_SEC),
	            !strcmp(redis_config(redis, "appendonly"), "yes"));
}

static void info_clients(const struct redis *redis, struct kt_buf *text)
{
	kt_buf_addf(text, "connected_clients:1\r\nmaxclients:%s\r\nblocked_clients:0\r\n",
	            redis_config(redis, "maxclients"));
}

static void info_stats(const struct redis *redis, struct kt_buf *text)
{
	kt_buf_addf(text, "total_connections_received:%lld\r\ntotal_commands_processed:%lld\r\n",
	            (long long)redis->connections, (long long)redis->commands);
}

static void do_info(struct redis_call *c)
{
	static const struct {
		const char *name;
		void (*add)(const struct redis *redis, struct kt_buf *text);
	} parts[] = {{"Server", info_server},    {"Clients", info_clients},
	             {"Memory", info_memory},    {"Persistence", info_persistence},
	             {"Stats", info_stats},      {"Replication", info_replication},
	             {"Keyspace", info_keyspace}};
	struct kt_buf text = {0};
	kt_buf_adds(&text, "");
	for (size_t i = 0; i < KT_COUNT(parts); i++) {
		bool wanted = c->argc < 2;
		for (size_t k = 1; k < c->argc; k++)
			wanted = wanted || !strcasecmp(c->argv[k], parts[i].name) ||
			         !strcasecmp(c->argv[k], "all") || !strcasecmp(c->argv[k], "everything") ||
			         !strcasecmp(c->argv[k], "default");
		if (!wanted)
			continue;
		kt_buf_addf(&text, "%s# %s\r\n", text.len ? "\r\n" : "", parts[i].name);
		parts[i].add(c->redis, &text);
	}
	resp_text(c->out, text.data);
	kt_buf_clear(&text);
}

static void do_replicaof(struct redis_call *c)
{
	if (!strcasecmp(c->argv[1], "no") && !strcasecmp(c->argv[2], "one"))
		redis_follow(c->redis, NULL, 0);
	else
		redis_follow(c->redis, c->argv[1], (unsigned)strtoul(c->argv[2], NULL, 10));
	resp_simple(c->out, "OK");
}

static void do_role(struct redis_call *c)
{
	resp_array(c->out, 3);
	resp_text(c->out, c->redis->master ? "slave" : "master");
	if (c->redis->master)
		resp_text(c->out, c->redis->master);
	else
		resp_int(c->out, 0);
	resp_array(c->out, 0);
}

static void do_wait(struct redis_call *c)
{
	resp_int(c->out, (int64_t)replica_count(c->redis));
}

static void do_replconf(struct redis_call *c)
{
	if (c->argc > 2 && !strcasecmp(c->argv[1], "ip-address"))
		kt_set(&c->redis->replicas, c->argv[2], kt_json_int(redis_now(c->redis)));
	resp_simple(c->out, "OK");
}

/* A replica's: all of it. */
static void do_psync(struct redis_call *c)
{
	char *text = kt_json_text(c->redis->data);
	resp_simple(c->out, "FULLRESYNC 0000000000000000000000000000000000000000 0");
	kt_buf_addf(c->out, REDIS_MAGIC "%s\r\n", text);
	kt_free(text);
}

static void do_shutdown(struct redis_call *c)
{
	const char *how = c->argc > 1 ? c->argv[1] : "";
	if (!strcasecmp(how, "save"))
		(void)redis_save(c->redis);
	if (!strcasecmp(how, "nosave"))
		kt_set(&c->redis->config, "save", kt_json_str(""));
	((struct server *)c->redis->r->state)->exit_after = 1;
	c->redis->leaves = true;
}

static void do_rewrite(struct redis_call *c)
{
	redis_rewrite(c->redis);
	resp_simple(c->out, "Background append only file rewriting started");
}

static void do_command_info(struct redis_call *c)
{
	resp_array(c->out, 0);
}

static void do_debug(struct redis_call *c)
{
	resp_error(c->out,
	           "ERR DEBUG command not allowed. If the enable-debug-command option is set to "
	           "\"local\", you can run it from a local connection, otherwise you need to set this "
	           "option in the configuration file, and then restart the server.");
}

static void do_cluster(struct redis_call *c)
{
	resp_error(c->out, "ERR This instance has cluster support disabled");
}

static void do_reset(struct redis_call *c)
{
	kt_json_freep(&c->client->queued);
	c->client->db = 0;
	c->client->known = !*redis_config(c->redis, "requirepass");
	resp_simple(c->out, "RESET");
}

static void client_getname(struct redis_call *c)
{
	resp_text(c->out, "");
}

static void client_id(struct redis_call *c)
{
	resp_int(c->out, c->redis->connections);
}

static void client_list(struct redis_call *c)
{
	char *text = kt_strf("id=%lld addr=%s:50000 laddr=127.0.0.1:%s fd=8 name= age=0 idle=0 flags=N db=%d "
	                     "sub=0 psub=0 multi=-1 cmd=client|%s user=default\n",
	                     (long long)c->redis->connections,
	                     c->client->address ? c->client->address : "127.0.0.1",
	                     redis_config(c->redis, "port"), c->client->db, c->argv[1]);
	resp_text(c->out, text);
	kt_free(text);
}

static void client_pause(struct redis_call *c)
{
	int64_t ms;
	if (c->argc < 3 || !redis_integer(c->argv[2], &ms) || ms < 0) {
		resp_error(c->out, "ERR timeout is not an integer or out of range");
		return;
	}
	c->redis->paused_until = redis_now(c->redis) + KT_MIN(ms, INT64_MAX / 4 / KT_MS) * KT_MS;
	resp_simple(c->out, "OK");
}

static void client_unpause(struct redis_call *c)
{
	c->redis->paused_until = 0;
	resp_simple(c->out, "OK");
}

static void acl_whoami(struct redis_call *c)
{
	resp_text(c->out, "default");
}

static void acl_list(struct redis_call *c)
{
	struct kt_strs users = {0};
	kt_strs_add(&users, *redis_config(c->redis, "requirepass") ? "user default on ~* &* +@all"
	                                                           : "user default on nopass ~* &* +@all");
	redis_give_strs(c, &users);
}

static void memory_usage(struct redis_call *c)
{
	enum { KEY = 50 };
	const struct kt_json *e = c->argc > 2 ? redis_entry(c, c->argv[2]) : NULL;
	char *text = e ? kt_json_text(kt_get(e, "value")) : NULL;
	if (text)
		resp_int(c->out, (int64_t)(strlen(text) + strlen(c->argv[2])) + KEY);
	else
		resp_text(c->out, NULL);
	kt_free(text);
}

static void number_none(struct redis_call *c)
{
	resp_int(c->out, 0);
}

static void empty_list(struct redis_call *c)
{
	resp_array(c->out, 0);
}

static void do_parts(struct redis_call *c)
{
	static const struct {
		const char *name, *part;
		void (*run)(struct redis_call *c);
	} parts[] = {{"client", "getname", client_getname}, {"client", "setname", redis_do_ok},
	             {"client", "setinfo", redis_do_ok},    {"client", "no-evict", redis_do_ok},
	             {"client", "no-touch", redis_do_ok},   {"client", "reply", redis_do_ok},
	             {"client", "kill", redis_do_ok},       {"client", "id", client_id},
	             {"client", "list", client_list},       {"client", "info", client_list},
	             {"client", "pause", client_pause},     {"client", "unpause", client_unpause},
	             {"acl", "whoami", acl_whoami},         {"acl", "list", acl_list},
	             {"memory", "usage", memory_usage},     {"memory", "purge", redis_do_ok},
	             {"slowlog", "len", number_none},       {"slowlog", "get", empty_list},
	             {"slowlog", "reset", redis_do_ok},     {"latency", "latest", empty_list},
	             {"latency", "reset", number_none},     {"module", "list", empty_list},
	             {"client", "inbox", redis_inbox}};
	for (size_t i = 0; i < KT_COUNT(parts); i++)
		if (redis_is(c->row->name, parts[i].name) && redis_is(c->argv[1], parts[i].part)) {
			parts[i].run(c);
			return;
		}
	char *upper = kt_strdup(c->row->name);
	for (char *letter = upper; *letter; letter++)
		*letter = (char)toupper((unsigned char)*letter);
	resp_error(c->out, "ERR unknown subcommand '%s'. Try %s HELP.", c->argv[1], upper);
	kt_free(upper);
}

const struct redis_row redis_server_rows[] = {
        {"ping", 1, 2, 0, do_ping, NULL},
        {"echo", 2, 2, 0, do_echo, NULL},
        {"auth", 2, 3, REDIS_ANYBODY, do_auth, NULL},
        {"hello", 1, 0, REDIS_ANYBODY, do_command_info, NULL},
        {"quit", 1, 0, REDIS_ANYBODY, redis_do_ok, NULL},
        {"select", 2, 2, 0, do_select, NULL},
        {"info", 1, 0, 0, do_info, NULL},
        {"config", 2, 0, 0, do_config, NULL},
        {"save", 1, 1, 0, do_save, NULL},
        {"bgsave", 1, 2, 0, do_save, NULL},
        {"bgrewriteaof", 1, 1, 0, do_rewrite, NULL},
        {"lastsave", 1, 1, 0, do_lastsave, NULL},
        {"time", 1, 1, 0, do_time, NULL},
        {"replicaof", 3, 3, 0, do_replicaof, NULL},
        {"slaveof", 3, 3, 0, do_replicaof, NULL},
        {"role", 1, 1, 0, do_role, NULL},
        {"replconf", 1, 0, 0, do_replconf, NULL},
        {"psync", 1, 3, 0, do_psync, NULL},
        {"shutdown", 1, 2, 0, do_shutdown, NULL},
        {"command", 1, 0, 0, do_command_info, NULL},
        {"wait", 3, 3, 0, do_wait, NULL},
        {"client", 2, 0, 0, do_parts, NULL},
        {"acl", 2, 0, 0, do_parts, NULL},
        {"memory", 2, 0, 0, do_parts, NULL},
        {"slowlog", 2, 0, 0, do_parts, NULL},
        {"latency", 2, 0, 0, do_parts, NULL},
        {"module", 2, 0, 0, do_parts, NULL},
        {"debug", 2, 0, 0, do_debug, NULL},
        {"cluster", 2, 0, 0, do_cluster, NULL},
        {"reset", 1, 1, REDIS_ANYBODY | REDIS_AT_ONCE, do_reset, NULL},
        {0},
};
