/* SPDX-License-Identifier: MIT */
/* Redis' settings: those of 7.0, what a value of each may be, and the lines in which they are given. What is
 * wrong is told as config.c tells it. */
#include "cluster/kubelet/servers/redis.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum kind { TEXT, YES_NO, NUMBER, MEMORY, ONE_OF, WORDS, SAVE, FOLDER, FILE_NAME };
struct setting {
	const char *name, *usual; /* usual NULL: not one that is shown */
	enum kind kind;
	bool fixed; /* once it runs */
	int64_t least, most;
	const char *words;
};
static const struct setting settings[] = {
        {"acl-pubsub-default", "resetchannels", TEXT, false, 0, 0, NULL},
        {"aclfile", "", TEXT, true, 0, 0, NULL},
        {"acllog-max-len", "128", NUMBER, false, 0, 2147483647, NULL},
        {"active-defrag-cycle-max", "25", NUMBER, false, 0, 2147483647, NULL},
        {"active-defrag-cycle-min", "1", NUMBER, false, 0, 2147483647, NULL},
        {"active-defrag-ignore-bytes", "104857600", MEMORY, false, 0, 0, NULL},
        {"active-defrag-max-scan-fields", "1000", NUMBER, false, 0, 2147483647, NULL},
        {"active-defrag-threshold-lower", "10", NUMBER, false, 0, 2147483647, NULL},
        {"active-defrag-threshold-upper", "100", NUMBER, false, 0, 2147483647, NULL},
        {"active-expire-effort", "1", NUMBER, false, 0, 2147483647, NULL},
        {"activedefrag", "no", YES_NO, false, 0, 0, NULL},
        {"activerehashing", "yes", YES_NO, false, 0, 0, NULL},
        {"always-show-logo", "no", YES_NO, true, 0, 0, NULL},
        {"aof-disable-auto-gc", "no", YES_NO, false, 0, 0, NULL},
        {"aof-load-truncated", "yes", YES_NO, false, 0, 0, NULL},
        {"aof-rewrite-incremental-fsync", "yes", YES_NO, false, 0, 0, NULL},
        {"aof-timestamp-enabled", "no", YES_NO, false, 0, 0, NULL},
        {"aof-use-rdb-preamble", "yes", YES_NO, false, 0, 0, NULL},
        {"aof_rewrite_cpulist", "", TEXT, false, 0, 0, NULL},
        {"appenddirname", "appendonlydir", TEXT, true, 0, 0, NULL},
        {"appendfilename", "appendonly.aof", TEXT, true, 0, 0, NULL},
        {"appendfsync", "everysec", ONE_OF, false, 0, 0, "everysec, always, no"},
        {"appendonly", "no", YES_NO, false, 0, 0, NULL},
        {"auto-aof-rewrite-min-size", "67108864", MEMORY, false, 0, 0, NULL},
        {"auto-aof-rewrite-percentage", "100", NUMBER, false, 0, 2147483647, NULL},
        {"bgsave_cpulist", "", TEXT, false, 0, 0, NULL},
        {"bind", "* -::*", WORDS, false, 0, 0, NULL},
        {"bind-source-addr", "", TEXT, false, 0, 0, NULL},
        {"bio_cpulist", "", TEXT, false, 0, 0, NULL},
        {"busy-reply-threshold", "5000", NUMBER, false, 0, 2147483647, NULL},
        {"client-output-buffer-limit", "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
         WORDS, false, 0, 0, NULL},
        {"client-query-buffer-limit", "1073741824", MEMORY, false, 0, 0, NULL},
        {"cluster-allow-pubsubshard-when-down", "yes", YES_NO, false, 0, 0, NULL},
        {"cluster-allow-reads-when-down", "no", YES_NO, false, 0, 0, NULL},
        {"cluster-allow-replica-migration", "yes", YES_NO, false, 0, 0, NULL},
        {"cluster-announce-bus-port", "0", NUMBER, false, 0, 65535, NULL},
        {"cluster-announce-hostname", "", TEXT, false, 0, 0, NULL},
        {"cluster-announce-ip", "", TEXT, false, 0, 0, NULL},
        {"cluster-announce-port", "0", NUMBER, false, 0, 65535, NULL},
        {"cluster-announce-tls-port", "0", NUMBER, false, 0, 2147483647, NULL},
        {"cluster-config-file", "nodes.conf", TEXT, true, 0, 0, NULL},
        {"cluster-enabled", "no", YES_NO, true, 0, 0, NULL},
        {"cluster-link-sendbuf-limit", "0", MEMORY, false, 0, 0, NULL},
        {"cluster-migration-barrier", "1", NUMBER, false, 0, 2147483647, NULL},
        {"cluster-node-timeout", "15000", NUMBER, false, 0, 2147483647, NULL},
        {"cluster-port", "0", NUMBER, true, 0, 65535, NULL},
        {"cluster-preferred-endpoint-type", "ip", TEXT, false, 0, 0, NULL},
        {"cluster-replica-no-failover", "no", YES_NO, false, 0, 0, NULL},
        {"cluster-replica-validity-factor", "10", NUMBER, false, 0, 2147483647, NULL},
        {"cluster-require-full-coverage", "yes", YES_NO, false, 0, 0, NULL},
        {"cluster-slave-no-failover", "no", YES_NO, false, 0, 0, NULL},
        {"cluster-slave-validity-factor", "10", NUMBER, false, 0, 2147483647, NULL},
        {"crash-log-enabled", "yes", YES_NO, false, 0, 0, NULL},
        {"crash-memcheck-enabled", "yes", YES_NO, false, 0, 0, NULL},
        {"daemonize", "no", YES_NO, true, 0, 0, NULL},
        {"databases", "16", NUMBER, true, 1, 2147483647, NULL},
        {"dbfilename", "dump.rdb", FILE_NAME, false, 0, 0, NULL},
        {"dir", "", FOLDER, false, 0, 0, NULL},
        {"disable-thp", "yes", YES_NO, true, 0, 0, NULL},
        {"dynamic-hz", "yes", YES_NO, false, 0, 0, NULL},
        {"enable-debug-command", "no", ONE_OF, true, 0, 0, "no, yes, local"},
        {"enable-module-command", "no", ONE_OF, true, 0, 0, "no, yes, local"},
        {"enable-protected-configs", "no", ONE_OF, true, 0, 0, "no, yes, local"},
        {"hash-max-listpack-entries", "512", NUMBER, false, 0, 2147483647, NULL},
        {"hash-max-listpack-value", "64", NUMBER, false, 0, 2147483647, NULL},
        {"hash-max-ziplist-entries", "512", NUMBER, false, 0, 2147483647, NULL},
        {"hash-max-ziplist-value", "64", NUMBER, false, 0, 2147483647, NULL},
        {"hll-sparse-max-bytes", "3000", NUMBER, false, 0, 2147483647, NULL},
        {"hz", "10", NUMBER, false, 0, 2147483647, NULL},
        {"ignore-warnings", "", TEXT, false, 0, 0, NULL},
        {"io-threads", "1", NUMBER, true, 1, 128, NULL},
        {"io-threads-do-reads", "no", YES_NO, true, 0, 0, NULL},
        {"jemalloc-bg-thread", "yes", YES_NO, false, 0, 0, NULL},
        {"latency-monitor-threshold", "0", NUMBER, false, 0, 2147483647, NULL},
        {"latency-tracking", "yes", YES_NO, false, 0, 0, NULL},
        {"latency-tracking-info-percentiles", "50 99 99.9", WORDS, false, 0, 0, NULL},
        {"lazyfree-lazy-eviction", "no", YES_NO, false, 0, 0, NULL},
        {"lazyfree-lazy-expire", "no", YES_NO, false, 0, 0, NULL},
        {"lazyfree-lazy-server-del", "no", YES_NO, false, 0, 0, NULL},
        {"lazyfree-lazy-user-del", "no", YES_NO, false, 0, 0, NULL},
        {"lazyfree-lazy-user-flush", "no", YES_NO, false, 0, 0, NULL},
        {"lfu-decay-time", "1", NUMBER, false, 0, 2147483647, NULL},
        {"lfu-log-factor", "10", NUMBER, false, 0, 2147483647, NULL},
        {"list-compress-depth", "0", NUMBER, false, 0, 2147483647, NULL},
        {"list-max-listpack-size", "-2", NUMBER, false, -2147483648, 2147483647, NULL},
        {"list-max-ziplist-size", "-2", NUMBER, false, -2147483648, 2147483647, NULL},
        {"logfile", "", TEXT, true, 0, 0, NULL},
        {"loglevel", "notice", ONE_OF, false, 0, 0, "debug, verbose, notice, warning"},
        {"masterauth", "", TEXT, false, 0, 0, NULL},
        {"masteruser", "", TEXT, false, 0, 0, NULL},
        {"maxclients", "10000", NUMBER, false, 1, 4294967295, NULL},
        {"maxmemory", "0", MEMORY, false, 0, 0, NULL},
        {"maxmemory-clients", "0", MEMORY, false, 0, 0, NULL},
        {"maxmemory-eviction-tenacity", "10", NUMBER, false, 0, 2147483647, NULL},
        {"maxmemory-policy", "noeviction", ONE_OF, false, 0, 0,
         "volatile-lru, volatile-lfu, volatile-random, volatile-ttl, allkeys-lru, allkeys-lfu, "
         "allkeys-random, noeviction"},
        {"maxmemory-samples", "5", NUMBER, false, 1, 2147483647, NULL},
        {"min-replicas-max-lag", "10", NUMBER, false, 0, 2147483647, NULL},
        {"min-replicas-to-write", "0", NUMBER, false, 0, 2147483647, NULL},
        {"no-appendfsync-on-rewrite", "no", YES_NO, false, 0, 0, NULL},
        {"notify-keyspace-events", "", TEXT, false, 0, 0, NULL},
        {"oom-score-adj", "no", TEXT, false, 0, 0, NULL},
        {"oom-score-adj-values", "0 200 800", WORDS, false, 0, 0, NULL},
        {"pidfile", "", TEXT, true, 0, 0, NULL},
        {"port", "6379", NUMBER, false, 0, 65535, NULL},
        {"proc-title-template", "{title} {listen-addr} {server-mode}", TEXT, false, 0, 0, NULL},
        {"propagation-error-behavior", "ignore", TEXT, false, 0, 0, NULL},
        {"protected-mode", "yes", YES_NO, false, 0, 0, NULL},
        {"proto-max-bulk-len", "536870912", MEMORY, false, 0, 0, NULL},
        {"rdb-del-sync-files", "no", YES_NO, false, 0, 0, NULL},
        {"rdb-save-incremental-fsync", "yes", YES_NO, false, 0, 0, NULL},
        {"rdbchecksum", "yes", YES_NO, true, 0, 0, NULL},
        {"rdbcompression", "yes", YES_NO, false, 0, 0, NULL},
        {"repl-backlog-size", "1048576", MEMORY, false, 0, 0, NULL},
        {"repl-backlog-ttl", "3600", NUMBER, false, 0, 2147483647, NULL},
        {"repl-disable-tcp-nodelay", "no", YES_NO, false, 0, 0, NULL},
        {"repl-diskless-load", "disabled", ONE_OF, false, 0, 0, "disabled, on-empty-db, swapdb"},
        {"repl-diskless-sync", "yes", YES_NO, false, 0, 0, NULL},
        {"repl-diskless-sync-delay", "5", NUMBER, false, 0, 2147483647, NULL},
        {"repl-diskless-sync-max-replicas", "0", NUMBER, false, 0, 2147483647, NULL},
        {"repl-ping-replica-period", "10", NUMBER, false, 0, 2147483647, NULL},
        {"repl-ping-slave-period", "10", NUMBER, false, 0, 2147483647, NULL},
        {"repl-timeout", "60", NUMBER, false, 0, 2147483647, NULL},
        {"replica-announce-ip", "", TEXT, false, 0, 0, NULL},
        {"replica-announce-port", "0", NUMBER, false, 0, 65535, NULL},
        {"replica-announced", "yes", YES_NO, false, 0, 0, NULL},
        {"replica-ignore-disk-write-errors", "no", YES_NO, false, 0, 0, NULL},
        {"replica-ignore-maxmemory", "yes", YES_NO, false, 0, 0, NULL},
        {"replica-lazy-flush", "no", YES_NO, false, 0, 0, NULL},
        {"replica-priority", "100", NUMBER, false, 0, 2147483647, NULL},
        {"replica-read-only", "yes", YES_NO, false, 0, 0, NULL},
        {"replica-serve-stale-data", "yes", YES_NO, false, 0, 0, NULL},
        {"replicaof", "", WORDS, false, 0, 0, NULL},
        {"requirepass", "", TEXT, false, 0, 0, NULL},
        {"sanitize-dump-payload", "no", ONE_OF, false, 0, 0, "no, yes, clients"},
        {"save", "3600 1 300 100 60 10000", SAVE, false, 0, 0, NULL},
        {"server_cpulist", "", TEXT, true, 0, 0, NULL},
        {"set-max-intset-entries", "512", NUMBER, false, 0, 2147483647, NULL},
        {"set-proc-title", "yes", YES_NO, false, 0, 0, NULL},
        {"shutdown-on-sigint", "default", TEXT, false, 0, 0, NULL},
        {"shutdown-on-sigterm", "default", TEXT, false, 0, 0, NULL},
        {"shutdown-timeout", "10", NUMBER, false, 0, 2147483647, NULL},
        {"slowlog-log-slower-than", "10000", NUMBER, false, 0, 2147483647, NULL},
        {"slowlog-max-len", "128", NUMBER, false, 0, 2147483647, NULL},
        {"socket-mark-id", "0", NUMBER, false, 0, 2147483647, NULL},
        {"stop-writes-on-bgsave-error", "yes", YES_NO, false, 0, 0, NULL},
        {"stream-node-max-bytes", "4096", NUMBER, false, 0, 2147483647, NULL},
        {"stream-node-max-entries", "100", NUMBER, false, 0, 2147483647, NULL},
        {"supervised", "no", ONE_OF, true, 0, 0, "upstart, systemd, auto, no"},
        {"syslog-enabled", "no", YES_NO, true, 0, 0, NULL},
        {"syslog-facility", "local0", TEXT, false, 0, 0, NULL},
        {"syslog-ident", "redis", TEXT, true, 0, 0, NULL},
        {"tcp-backlog", "511", NUMBER, true, 0, 2147483647, NULL},
        {"tcp-keepalive", "300", NUMBER, false, 0, 2147483647, NULL},
        {"timeout", "0", NUMBER, false, 0, 2147483647, NULL},
        {"tls-auth-clients", "yes", TEXT, false, 0, 0, NULL},
        {"tls-ca-cert-dir", "", TEXT, false, 0, 0, NULL},
        {"tls-ca-cert-file", "", TEXT, false, 0, 0, NULL},
        {"tls-cert-file", "", TEXT, false, 0, 0, NULL},
        {"tls-ciphers", "", TEXT, false, 0, 0, NULL},
        {"tls-ciphersuites", "", TEXT, false, 0, 0, NULL},
        {"tls-client-cert-file", "", TEXT, false, 0, 0, NULL},
        {"tls-client-key-file", "", TEXT, false, 0, 0, NULL},
        {"tls-client-key-file-pass", "", TEXT, false, 0, 0, NULL},
        {"tls-cluster", "no", YES_NO, false, 0, 0, NULL},
        {"tls-dh-params-file", "", TEXT, false, 0, 0, NULL},
        {"tls-key-file", "", TEXT, false, 0, 0, NULL},
        {"tls-key-file-pass", "", TEXT, false, 0, 0, NULL},
        {"tls-port", "0", NUMBER, false, 0, 65535, NULL},
        {"tls-prefer-server-ciphers", "no", YES_NO, false, 0, 0, NULL},
        {"tls-protocols", "", TEXT, false, 0, 0, NULL},
        {"tls-replication", "no", YES_NO, false, 0, 0, NULL},
        {"tls-session-cache-size", "20480", NUMBER, false, 0, 2147483647, NULL},
        {"tls-session-cache-timeout", "300", NUMBER, false, 0, 2147483647, NULL},
        {"tls-session-caching", "yes", YES_NO, false, 0, 0, NULL},
        {"tracking-table-max-keys", "1000000", NUMBER, false, 0, 2147483647, NULL},
        {"unixsocket", "", TEXT, true, 0, 0, NULL},
        {"unixsocketperm", "0", TEXT, true, 0, 0, NULL},
        {"zset-max-listpack-entries", "128", NUMBER, false, 0, 2147483647, NULL},
        {"zset-max-listpack-value", "64", NUMBER, false, 0, 2147483647, NULL},
        {"zset-max-ziplist-entries", "128", NUMBER, false, 0, 2147483647, NULL},
        {"zset-max-ziplist-value", "64", NUMBER, false, 0, 2147483647, NULL},
        {"user", NULL, WORDS, true, 0, 0, NULL},
        {"rename-command", NULL, WORDS, true, 0, 0, NULL},
        {"loadmodule", NULL, WORDS, true, 0, 0, NULL},
        {"include", NULL, WORDS, true, 0, 0, NULL},
};

static const struct setting *setting_of(const char *name)
{
	static const char *const olds[][2] = {{"slaveof", "replicaof"},
	                                      {"slave-read-only", "replica-read-only"}};
	for (size_t i = 0; i < KT_COUNT(olds); i++)
		if (!strcasecmp(olds[i][0], name))
			name = olds[i][1];
	for (size_t i = 0; i < KT_COUNT(settings); i++)
		if (!strcasecmp(settings[i].name, name))
			return &settings[i];
	return NULL;
}

const char *redis_config(const struct redis *redis, const char *name)
{
	const char *set = kt_get_str(redis->config, name);
	const struct setting *setting = set ? NULL : setting_of(name);
	return set ? set : setting && setting->usual ? setting->usual : "";
}

void redis_config_list(const struct redis *redis, const char *pattern, struct kt_strs *out)
{
	char *lower = kt_strdup(pattern);
	for (char *c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	for (size_t i = 0; i < KT_COUNT(settings); i++) {
		if (!settings[i].usual || !pattern_match(lower, settings[i].name))
			continue;
		kt_strs_add(out, settings[i].name);
		kt_strs_add(out, redis_config(redis, settings[i].name));
	}
	kt_free(lower);
}

/* --- what a value may be: NULL and *out (owned), or what is wrong (static, or in `why`) --- */
static bool memory_of(const char *text, int64_t *out)
{
	static const struct {
		const char *name;
		int64_t factor;
	} units[] = {{"", 1},        {"b", 1},        {"k", 1000},       {"kb", 1 << 10},
	             {"m", 1000000}, {"mb", 1 << 20}, {"g", 1000000000}, {"gb", 1 << 30}};
	char *end;
	*out = strtoll(text, &end, 10);
	for (size_t i = 0; isdigit((unsigned char)*text) && i < KT_COUNT(units); i++)
		if (!strcasecmp(units[i].name, end)) {
			*out *= units[i].factor;
			return true;
		}
	return false;
}

static const char *number_of(const struct setting *setting, const char *text, struct kt_buf *why)
{
	char *end;
	long long n = strtoll(text, &end, 10);
	if (!*text || *end || isspace((unsigned char)*text))
		return "argument couldn't be parsed into an integer";
	if (n >= setting->least && n <= setting->most)
		return NULL;
	kt_buf_addf(why, "argument must be between %lld and %lld inclusive", (long long)setting->least,
	            (long long)setting->most);
	return kt_buf_str(why);
}

static const char *one_of(const struct setting *setting, const char *text, struct kt_buf *why)
{
	const char *rest = setting->words;
	size_t len;
	for (const char *word; rest && (word = kt_split(&rest, ',', &len));) {
		size_t blank = strspn(word, " ");
		if (strlen(text) == len - blank && !strncasecmp(word + blank, text, len - blank))
			return NULL;
	}
	kt_buf_addf(why, "argument(s) must be one of the following: %s", setting->words);
	return kt_buf_str(why);
}

/* "3600 1 300 100" or "" */
static const char *save_of(const char *text)
{
	size_t count = 0;
	for (const char *at = text; *at; count++) {
		char *end;
		long long n = strtoll(at, &end, 10);
		if (end == at || n < (count % 2 ? 0 : 1) || (*end && *end != ' '))
			return "Invalid save parameters";
		at = end + strspn(end, " ");
	}
	return count % 2 ? "Invalid save parameters" : NULL;
}

static const char *value_of(const struct redis *redis, const struct setting *setting, const char *text,
                            char **out, struct kt_buf *why)
{
	const char *wrong = NULL;
	struct files_stat st;
	int64_t bytes;
	int rc;
	switch (setting->kind) {
	case YES_NO:
		if (strcasecmp(text, "yes") != 0 && strcasecmp(text, "no") != 0)
			return "argument must be 'yes' or 'no'";
		*out = kt_strdup(strcasecmp(text, "yes") ? "no" : "yes");
		return NULL;
	case MEMORY:
		if (!memory_of(text, &bytes))
			return "argument must be a memory value";
		*out = kt_strf("%lld", (long long)bytes);
		return NULL;
	case NUMBER:
		wrong = number_of(setting, text, why);
		break;
	case ONE_OF:
		wrong = one_of(setting, text, why);
		break;
	case SAVE:
		wrong = save_of(text);
		break;
	case FOLDER:
		rc = files_stat(tool_container(redis->r)->files, text, &st);
		wrong = !rc && st.type != FILES_DIR ? "Not a directory" : rc ? tool_strerror(rc) : NULL;
		break;
	case FILE_NAME:
		wrong = strchr(text, '/') ? "dbfilename can't be a path, just a filename" : NULL;
		break;
	case TEXT:
	case WORDS:
		break;
	}
	if (!wrong)
		*out = kt_strdup(text);
	return wrong;
}

bool redis_config_set(struct redis *redis, const char *name, const char *text, struct kt_buf *why)
{
	const struct setting *setting = setting_of(name);
	struct kt_buf words = {0};
	char *value = NULL;
	const char *wrong = !setting ? ""
	                    : setting->fixed && redis->listens
	                            ? "can't set immutable config"
	                            : value_of(redis, setting, text, &value, &words);
	if (wrong)
		kt_buf_adds(why, wrong);
	else
		kt_set(&redis->config, setting->name, kt_json_str(value));
	kt_free(value);
	kt_buf_clear(&words);
	return !wrong;
}

bool redis_config_known(const char *name)
{
	return setting_of(name) != NULL;
}

/* --- lines --- */
static bool bad_line(struct redis *redis, const char *line, size_t number, const char *why)
{
	tool_err(redis->r,
	         "\n*** FATAL CONFIG FILE ERROR (Redis %s) ***\nReading the configuration file, at line "
	         "%zu\n>>> '%s'\n%s\n",
	         redis_version(redis->r), number, line, why);
	return false;
}

/* The words of a line, quoted or not; false: a quote is open. */
static bool line_words(const char *line, struct kt_strs *out)
{
	for (const char *c = line + strspn(line, " \t\r\n"); *c; c += strspn(c, " \t\r\n")) {
		struct kt_buf word = {0};
		char quote = '\0';
		kt_buf_adds(&word, "");
		for (; *c && (quote || !strchr(" \t\r\n", *c)); c++) {
			if (!quote && (*c == '"' || *c == '\''))
				quote = *c;
			else if (quote && *c == quote)
				quote = '\0';
			else if (quote == '"' && *c == '\\' && c[1])
				kt_buf_addc(&word, *++c);
			else
				kt_buf_addc(&word, *c);
		}
		kt_strs_steal(out, kt_buf_take(&word));
		if (quote)
			return false;
	}
	return true;
}

static bool config_file(struct redis *redis, const char *name, size_t *lines);

static const char *fits(const struct setting *setting, size_t values, bool pair)
{
	bool any = setting && (setting->kind == WORDS || setting->kind == SAVE);
	if (!setting)
		return "Bad directive or wrong number of arguments";
	if (!values || (!any && values > 1) || (pair && values != 2))
		return "wrong number of arguments";
	return NULL;
}

/* A line of a configuration file, or an option of the command line as one. */
static bool config_line(struct redis *redis, const char *text, size_t number)
{
	struct kt_strs words = {0};
	struct kt_buf value = {0}, why = {0};
	char *line = kt_strdup(text + strspn(text, " \t\r"));
	for (size_t n = strlen(line); n && strchr(" \t\r", line[n - 1]); n--)
		line[n - 1] = '\0';
	bool good = true;
	if (!*line || *line == '#') {
		kt_free(line);
		return true;
	}
	if (!line_words(line, &words)) {
		good = bad_line(redis, line, number, "Unbalanced quotes in configuration line");
	} else {
		const struct setting *setting = setting_of(words.items[0]);
		bool pair = setting &&
		            (!strcmp(setting->name, "replicaof") || !strcmp(setting->name, "rename-command"));
		/* both may be one word */
		size_t values = pair && words.count == 2 && strchr(words.items[1], ' ') ? 2 : words.count - 1;
		const char *wrong = fits(setting, values, pair);
		size_t inner = 0;
		for (size_t i = 1; i < words.count; i++)
			kt_buf_addf(&value, "%s%s", i > 1 ? " " : "", words.items[i]);
		kt_buf_adds(&value, "");
		if (wrong)
			good = bad_line(redis, line, number, wrong);
		else if (!strcmp(setting->name, "include"))
			good = config_file(redis, kt_buf_str(&value), &inner);
		else if (!redis_config_set(redis, words.items[0], kt_buf_str(&value), &why))
			good = bad_line(redis, line, number, kt_buf_str(&why));
	}
	kt_strs_clear(&words);
	kt_buf_clear(&value);
	kt_buf_clear(&why);
	kt_free(line);
	return good;
}

static bool config_file(struct redis *redis, const char *name, size_t *lines)
{
	struct kt_buf text = {0};
	char *path = tool_path(redis->r, name);
	bool good = true;
	int rc = files_read(tool_container(redis->r)->files, path, &text);
	if (rc) {
		redis_note(redis, 'C', "# Fatal error, can't open config file '%s': %s", path,
		           tool_strerror(rc));
		good = false;
	}
	const char *rest = kt_buf_str(&text);
	size_t len;
	for (const char *line; good && rest && (line = kt_split(&rest, '\n', &len));) {
		char *one = kt_strndup(line, len);
		good = config_line(redis, one, ++*lines);
		kt_free(one);
	}
	kt_free(path);
	kt_buf_clear(&text);
	return good;
}

bool redis_configure(struct redis *redis)
{
	struct tool_run *r = redis->r;
	size_t at = 1, number = 1; /* options come behind an empty line, or the file */
	kt_set(&redis->config, "dir", kt_json_str(r->task->dir));
	if (at < r->argv.count && !kt_starts(r->argv.items[at], "--") &&
	    strcmp(r->argv.items[at], "-") != 0) {
		number = 0;
		if (!config_file(redis, r->argv.items[at++], &number))
			return false;
	}
	while (at < r->argv.count) {
		struct kt_buf line = {0};
		const char *word = r->argv.items[at++];
		kt_buf_adds(&line, word + (kt_starts(word, "--") ? 2 : 0));
		while (at < r->argv.count && !kt_starts(r->argv.items[at], "--"))
			kt_buf_addf(&line, " \"%s\"", r->argv.items[at++]);
		bool good = config_line(redis, kt_buf_str(&line), ++number);
		kt_buf_clear(&line);
		if (!good)
			return false;
	}
	return true;
}
