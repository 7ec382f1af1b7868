/* SPDX-License-Identifier: MIT */
/* redis-cli. Source: redis.io/docs/latest/develop/tools/cli. */
#include "cluster/kubelet/servers/redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct cli {
	struct fetch fetch;
	const char *password;
	char *of_url, *user; /* of -u: the password, and whose */
	int64_t db, repeat, done;
	kt_ns interval;
	bool raw, formatted, verbatim /* as it comes, without a newline behind */, quiet, exit_code,
	        last_from_stdin, scan, pipes;
	const char *pattern;
	char *inbox;  /* of one that subscribed: its name there */
	size_t first; /* of the command's words */
	bool waits;   /* no answer yet: it is asked for again */
	kt_ns since;  /* it waits */
	struct kt_buf input, ask;
	int status;
};

static void end_cli(struct tool_run *r)
{
	struct cli *s = r->state;
	fetch_clear(&s->fetch);
	kt_buf_clear(&s->input);
	kt_buf_clear(&s->ask);
	kt_free(s->of_url);
	kt_free(s->user);
	kt_free(s->inbox);
}

/* redis://[:PASSWORD@]HOST[:PORT][/DB] */
static void take_url(struct cli *s, const char *url)
{
	const char *rest = strstr(url, "://") ? strstr(url, "://") + 3 : url, *at = strchr(rest, '@');
	if (at) {
		const char *colon = memchr(rest, ':', (size_t)(at - rest));
		const char *from = colon ? colon + 1 : rest;
		kt_free(s->of_url);
		kt_free(s->user);
		s->user = colon ? kt_strndup(rest, (size_t)(colon - rest)) : NULL;
		s->password = s->of_url = kt_strndup(from, (size_t)(at - from));
		rest = at + 1;
	}
	size_t len = strcspn(rest, ":/");
	kt_free(s->fetch.host);
	s->fetch.host = kt_strndup(rest, len);
	if (rest[len] == ':')
		s->fetch.port = (unsigned)strtoul(rest + len + 1, NULL, 10);
	const char *slash = strchr(rest, '/');
	if (slash)
		s->db = strtoll(slash + 1, NULL, 10);
}

static bool read_options(struct tool_run *r, struct cli *s)
{
	size_t i = 1, given = r->argv.count;
	bool told = false; /* the password, where everybody sees it */
	s->fetch.port = 6379;
	s->repeat = 1;
	s->password = tool_env(r, "REDISCLI_AUTH");
	for (; i < given && r->argv.items[i][0] == '-' && r->argv.items[i][1]; i++) {
		const char *word = r->argv.items[i], *value = i + 1 < given ? r->argv.items[i + 1] : "";
		bool takes = true;
		if (!strcmp(word, "-h")) {
			kt_free(s->fetch.host);
			s->fetch.host = kt_strdup(value);
		} else if (!strcmp(word, "-p")) {
			s->fetch.port = (unsigned)strtoul(value, NULL, 10);
		} else if (!strcmp(word, "-a") || !strcmp(word, "--pass")) {
			s->password = value;
			told = true;
		} else if (!strcmp(word, "-u")) {
			take_url(s, value);
		} else if (!strcmp(word, "-n")) {
			s->db = strtoll(value, NULL, 10);
		} else if (!strcmp(word, "-r")) {
			s->repeat = strtoll(value, NULL, 10);
		} else if (!strcmp(word, "-i")) {
			s->interval = fetch_seconds(value);
		} else if (!strcmp(word, "-t")) {
			s->fetch.limit = fetch_seconds(value);
		} else if (!strcmp(word, "--pattern")) {
			s->pattern = value;
		} else if (!strcmp(word, "--user") || !strcmp(word, "-d")) {
			;
		} else {
			takes = false;
			if (!strcmp(word, "--version") || !strcmp(word, "-v")) {
				tool_outf(r, "redis-cli %s\n", redis_version(r));
				return false;
			}
			s->raw = s->raw || !strcmp(word, "--raw");
			s->formatted = s->formatted || !strcmp(word, "--no-raw");
			s->quiet = s->quiet || !strcmp(word, "--no-auth-warning");
			s->exit_code = s->exit_code || !strcmp(word, "-e");
			s->last_from_stdin = s->last_from_stdin || !strcmp(word, "-x");
			s->scan = s->scan || !strcmp(word, "--scan");
			s->pipes = s->pipes || !strcmp(word, "--pipe");
		}
		i += takes;
	}
	if ((told || s->of_url) && !s->quiet)
		tool_err(r, "Warning: Using a password with '-a' or '-u' option on the command line "
		            "interface may not be safe.\n");
	if (!s->fetch.host)
		s->fetch.host = kt_strdup("127.0.0.1");
	s->first = i;
	if (r->task->process->spec.tty && !s->raw)
		s->formatted = true;
	return true;
}

/* --- what comes back --- */
/* One value of the reply; *at moves behind it. `indent`: columns of a list around it. */
static void print_reply(struct tool_run *r, struct cli *s, const char **at, unsigned indent)
{
	const char *text = *at + 1, *end = strstr(*at, "\r\n");
	if (!end) {
		*at += strlen(*at);
		return;
	}
	int len = (int)(end - text);
	char kind = **at;
	long n = strtol(text, NULL, 10);
	*at = end + 2;
	if (kind == '+') {
		tool_outf(r, "%.*s\n", len, text);
	} else if (kind == '-') {
		tool_outf(r, "%s%.*s\n%s", s->formatted ? "(error) " : "", len, text,
		          s->formatted ? "" : "\n");
		s->status = s->exit_code ? 1 : 0;
	} else if (kind == ':') {
		tool_outf(r, "%s%.*s\n", s->formatted ? "(integer) " : "", len, text);
	} else if (kind == '$' && n < 0) {
		tool_outs(r, s->formatted ? "(nil)\n" : "\n");
	} else if (kind == '$') {
		struct kt_buf shown = {0};
		if (s->formatted)
			kt_json_print_string(*at, (size_t)n, &shown);
		else
			kt_buf_add(&shown, *at, (size_t)n);
		if (!s->verbatim)
			kt_buf_addc(&shown, '\n');
		tool_out(r, shown.data, shown.len);
		kt_buf_clear(&shown);
		*at += n + 2;
	} else if (kind == '*') {
		if (n <= 0)
			tool_outs(r, !s->formatted ? "\n" : n < 0 ? "(nil)\n" : "(empty array)\n");
		for (long i = 0; i < n; i++) {
			if (s->formatted)
				tool_outf(r, "%*s%ld) ", i ? (int)indent : 0, "", i + 1);
			print_reply(r, s, at, indent + 3);
		}
	}
}

static void add_words(struct cli *s, char *const *words, size_t count, const char *last)
{
	resp_array(&s->ask, count + (last != NULL));
	for (size_t i = 0; i < count; i++)
		resp_text(&s->ask, words[i]);
	if (last)
		resp_text(&s->ask, last);
}

/* How many replies come first: of AUTH and SELECT. */
static size_t add_greeting(struct cli *s)
{
	size_t count = 0;
	if (s->password) {
		resp_array(&s->ask, s->user ? 3 : 2);
		resp_text(&s->ask, "AUTH");
		if (s->user)
			resp_text(&s->ask, s->user);
		resp_text(&s->ask, s->password);
		count++;
	}
	if (s->db) {
		char *number = kt_strf("%lld", (long long)s->db);
		resp_array(&s->ask, 2);
		resp_text(&s->ask, "SELECT");
		resp_text(&s->ask, number);
		kt_free(number);
		count++;
	}
	if (s->inbox) {
		resp_array(&s->ask, 3);
		resp_text(&s->ask, "CLIENT");
		resp_text(&s->ask, "INBOX");
		resp_text(&s->ask, s->inbox);
		count++;
	}
	return count;
}

static int not_connected(struct tool_run *r, const struct cli *s)
{
	static const char *const words[] = {[FETCH_BAD_NAME] = "Name or service not known",
	                                    [FETCH_NO_DNS] = "Temporary failure in name resolution",
	                                    [FETCH_REFUSED] = "Connection refused",
	                                    [FETCH_TIMEOUT] = "Connection timed out",
	                                    [FETCH_UNREACHABLE] = "No route to host"};
	bool known = s->fetch.result < KT_COUNT(words) && words[s->fetch.result];
	tool_err(r, "Could not connect to Redis at %s:%u: %s\n", s->fetch.host, s->fetch.port,
	         known ? words[s->fetch.result] : "Connection refused");
	return 1;
}

/* Behind one value, with all that is in it. */
static const char *behind_reply(const char *at)
{
	const char *end = strstr(at, "\r\n");
	long n = strtol(at + 1, NULL, 10);
	if (!end)
		return at + strlen(at);
	char kind = *at;
	at = end + 2;
	if (kind == '$' && n >= 0)
		return at + KT_MIN(strlen(at), (size_t)n + 2);
	for (long i = 0; kind == '*' && i < n && *at; i++)
		at = behind_reply(at);
	return at;
}

/* --pipe: errors as they are, then how many there were. */
static void print_pipe(struct tool_run *r, struct cli *s, const char *at)
{
	size_t replies = 0, errors = 0;
	for (; *at; at = behind_reply(at), replies++) {
		if (*at != '-')
			continue;
		errors++;
		tool_err(r, "%.*s\n", (int)strcspn(at + 1, "\r\n"), at + 1);
	}
	tool_outf(r,
	          "All data transferred. Waiting for the last reply...\nLast reply received from "
	          "server.\nerrors: %zu, "
	          "replies: %zu\n",
	          errors, replies);
	s->status = errors ? 1 : 0;
}

/* Commands that wait for somebody to push: how long is said by their last word. One who waits asks again. */
static bool goes_on_waiting(struct tool_run *r, const struct cli *s, const char *reply)
{
	static const char *const names[] = {"blpop", "brpop", "brpoplpush", "blmove"};
	const char *name = s->first < r->argv.count ? r->argv.items[s->first] : "";
	bool blocks = false;
	if (s->inbox)
		return true;
	if (!*reply) /* CLIENT PAUSE, unless nothing was asked or there is nobody to answer */
		return s->ask.len > 0 && strcasecmp(name, "shutdown") != 0;
	for (size_t i = 0; i < KT_COUNT(names); i++)
		blocks = blocks || !strcasecmp(name, names[i]);
	for (size_t i = s->first + 1; kt_starts(name, "xread") && i + 1 < r->argv.count; i++)
		if (!strcasecmp(r->argv.items[i], "block")) {
			double ms = strtod(r->argv.items[i + 1], NULL);
			return kt_starts(reply, "*-1") &&
			       (ms <= 0 || (double)(process_now(r->task->process) - s->since) < ms * 1e6);
		}
	double seconds = blocks ? strtod(r->argv.items[r->argv.count - 1], NULL) : 0;
	return blocks && (kt_starts(reply, "*-1") || kt_starts(reply, "$-1")) &&
	       (seconds <= 0 || (double)(process_now(r->task->process) - s->since) < seconds * 1e9);
}

/* How much of what is typed comes before "quit" or "exit", which the client takes itself. */
static size_t until_quit(const char *text)
{
	const char *rest = text;
	size_t len;
	for (const char *line; (line = kt_split(&rest, '\n', &len));)
		if (len == 4 && (!strncasecmp(line, "quit", len) || !strncasecmp(line, "exit", len)))
			return (size_t)(line - text);
	return strlen(text);
}

/* What comes "$", the last entry, is known when one begins to wait. */
static void pin_last(struct tool_run *r, struct cli *s, const struct network_listener *to)
{
	size_t streams = s->first + 1;
	while (streams < r->argv.count && strcasecmp(r->argv.items[streams], "streams") != 0)
		streams++;
	for (size_t i = streams + 1, half = (r->argv.count - streams) / 2; i < r->argv.count; i++) {
		struct kt_buf reply = {0};
		if (strcmp(r->argv.items[i], "$") != 0 || i < streams + 1 + half)
			continue;
		kt_buf_cut(&s->ask, 0);
		(void)add_greeting(s);
		const char *const words[] = {"XREVRANGE", r->argv.items[i - half], "+", "-", "COUNT", "1"};
		resp_array(&s->ask, KT_COUNT(words));
		for (size_t n = 0; n < KT_COUNT(words); n++)
			resp_text(&s->ask, words[n]);
		to->bytes(to->arg, kt_buf_str(&s->ask), s->ask.len, &reply);
		const char *entry = strstr(kt_buf_str(&reply), "*1\r\n*2\r\n$");
		const char *id = entry ? strchr(entry + 9, '\n') : NULL;
		kt_free(r->argv.items[i]);
		r->argv.items[i] = id ? kt_strndup(id + 1, strcspn(id + 1, "\r")) : kt_strdup("0-0");
		kt_buf_clear(&reply);
	}
}

/* One that subscribes, or waits for entries. */
static void prepare_to_wait(struct tool_run *r, struct cli *s, const struct network_listener *to)
{
	const char *name = r->argv.items[s->first];
	if (!strcasecmp(name, "xread") && to && to->bytes)
		pin_last(r, s, to);
	if (!strcasecmp(name, "subscribe") || !strcasecmp(name, "psubscribe")) {
		kt_free(s->inbox);
		s->inbox = kt_strf("%s/%d/%lld", tool_container(r)->pod_ip, r->task->pid,
		                   (long long)process_now(r->task->process));
		if (s->formatted)
			tool_outs(r, "Reading messages... (press Ctrl-C to quit)\n");
	}
}

static void ask(struct tool_run *r, struct cli *s)
{
	struct kt_buf reply = {0};
	const struct network_listener *to = network_path_listener(r->task->process->cluster, &s->fetch.to);
	if (s->fetch.to.listener && !to) {
		tool_err(r, "Error: Server closed the connection\n");
		s->status = 1;
		s->repeat = 0;
		s->waits = false;
		return;
	}
	bool words = s->first < r->argv.count, first = !s->waits;
	if (words && first)
		prepare_to_wait(r, s, to);
	kt_buf_cut(&s->ask, 0);
	size_t greetings = add_greeting(s);
	if (s->inbox && !first) {
		; /* what came meanwhile */
	} else if (s->scan) {
		resp_array(&s->ask, 2);
		resp_text(&s->ask, "KEYS");
		resp_text(&s->ask, s->pattern ? s->pattern : "*");
	} else if (words) {
		add_words(s, r->argv.items + s->first, r->argv.count - s->first,
		          s->last_from_stdin ? kt_buf_str(&s->input) : NULL);
	} else {
		kt_buf_add(&s->ask, kt_buf_str(&s->input), until_quit(kt_buf_str(&s->input)));
	}
	bool speaks = to && to->bytes; /* SHUTDOWN takes the listener away */
	if (speaks)
		to->bytes(to->arg, kt_buf_str(&s->ask), s->ask.len, &reply);
	const char *at = kt_buf_str(&reply), *name = words ? r->argv.items[s->first] : "";
	for (size_t i = 0; i < greetings && *at; i++) {
		const char *end = strstr(at, "\r\n");
		if (*at == '-' && end && !s->waits)
			tool_err(r, "%s failed: %.*s\n", i || !s->password ? "SELECT" : "AUTH",
			         (int)(end - at - 1), at + 1);
		at = end ? end + 2 : at + strlen(at);
	}
	if (!s->waits)
		s->since = process_now(r->task->process);
	s->waits = speaks && goes_on_waiting(r, s, at);
	s->verbatim =
	        !strcasecmp(name, "info") || !strcasecmp(name, "client") || !strcasecmp(name, "cluster");
	if (s->verbatim)
		s->formatted = false;
	if (s->waits && !s->inbox)
		at = "";
	if (s->pipes)
		print_pipe(r, s, at);
	while (!s->pipes && *at)
		print_reply(r, s, &at, 0);
	kt_buf_clear(&reply);
}

static int run_cli(struct tool_run *r)
{
	struct cli *s = r->state;
	if (!r->opened) {
		r->opened = true;
		if (!read_options(r, s))
			return 0;
	}
	bool reads = !s->scan && (s->first >= r->argv.count || s->last_from_stdin);
	if (reads && !r->ended) {
		if (!r->use_stdin)
			tool_inputs(r, r->argv.count);
		if (tool_all(r, &s->input) == TOOL_WAIT)
			return TOOL_WAIT;
		r->ended = true;
	}
	if (s->done && s->interval && tool_sleep(r, s->interval))
		return TOOL_WAIT;
	if (s->waits && tool_sleep(r, s->inbox ? 200 * KT_MS : 100 * KT_MS))
		return TOOL_WAIT;
	if (fetch_connect(r, &s->fetch))
		return TOOL_WAIT;
	if (s->fetch.result != FETCH_OK)
		return not_connected(r, s);
	ask(r, s);
	if (s->waits)
		return TOOL_AGAIN;
	return ++s->done < s->repeat || s->repeat < 0 ? TOOL_AGAIN : s->status;
}

#define SERVER                                                                                               \
	.run = server_run, .state_size = sizeof(struct server), .end = server_end, .term = 1,                \
	.terminating = redis_terminating, .memory = redis_kept
#define CLI .run = run_cli, .state_size = sizeof(struct cli), .end = end_cli
const struct tool tools_redis[] = {
        {.name = "redis-cli", .sets = "redis", CLI},
        {.name = "redis-server", .sets = "redis", SERVER},
        {.name = "valkey-cli", .sets = "redis", CLI},
        {.name = "valkey-server", .sets = "redis", SERVER},
        {.name = NULL},
};
