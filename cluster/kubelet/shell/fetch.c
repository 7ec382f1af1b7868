/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/fetch.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const kt_ns DNS_PATIENCE = 10 * KT_SEC, SYN_PATIENCE = 127 * KT_SEC, ROUTE_PATIENCE = 3 * KT_SEC;

bool fetch_url(struct fetch *fetch, const char *url)
{
	const char *rest = url;
	fetch->https = kt_starts(url, "https://");
	if (fetch->https || kt_starts(url, "http://"))
		rest = strstr(url, "://") + 3;
	else if (strstr(url, "://"))
		return false;
	const char *at = strchr(rest, '@'), *slash = rest + strcspn(rest, "/?");
	if (at && at < slash)
		rest = at + 1;
	size_t len = (size_t)(slash - rest);
	const char *colon = memchr(rest, ':', len);
	fetch->port = fetch->https ? 443 : 80;
	if (colon) {
		char *end;
		unsigned long port = strtoul(colon + 1, &end, 10);
		if (end != slash || !port || port > 65535)
			return false;
		fetch->port = (unsigned)port;
		fetch->with_port = true;
		len = (size_t)(colon - rest);
	}
	if (!len || len > 253)
		return false;
	fetch->host = kt_strndup(rest, len);
	fetch->path = *slash == '/' ? kt_strdup(slash) : kt_strf("/%s", slash);
	return true;
}

/* /etc/hosts comes first. */
static char *in_hosts(const struct tool_run *r, const char *name)
{
	struct kt_buf text = {0};
	char *found = NULL;
	if (!strcmp(name, "localhost"))
		return kt_strdup("127.0.0.1");
	(void)files_read(tool_container(r)->files, "/etc/hosts", &text);
	const char *rest = kt_buf_str(&text);
	size_t len;
	for (const char *line; rest && !found && (line = kt_split(&rest, '\n', &len));) {
		char *copy = kt_strndup(line, len), *at = copy, *address = NULL;
		copy[strcspn(copy, "#")] = '\0';
		while (*(at += strspn(at, " \t")) && !found) {
			size_t n = strcspn(at, " \t");
			bool more = at[n] != '\0';
			at[n] = '\0';
			if (!address)
				address = at;
			else if (!strcmp(at, name) && !strchr(address, ':'))
				found = kt_strdup(address);
			at += n + more;
		}
		kt_free(copy);
	}
	kt_buf_clear(&text);
	return found;
}

bool fetch_lost_patience(const struct fetch *fetch)
{
	return fetch->result == FETCH_NO_DNS && fetch->limit >= KT_SEC && fetch->limit < DNS_PATIENCE;
}

static bool over(const struct tool_run *r, const struct fetch *fetch, kt_ns also)
{
	kt_ns now = process_now(r->task->process);
	return fetch->total && now + also - fetch->started > fetch->total;
}

/* Wait `delay`, or as long as there is still time in all. */
static int pause_for(struct tool_run *r, const struct fetch *fetch, kt_ns delay)
{
	if (fetch->total && !r->until) {
		kt_ns left = fetch->started + fetch->total - process_now(r->task->process);
		delay = KT_MIN(delay, KT_MAX(left, 0));
	}
	return tool_sleep(r, delay);
}

static void resolve(struct tool_run *r, struct fetch *fetch)
{
	struct kt_strs addresses = {0};
	enum network_outcome outcome;
	fetch->address = fetch->given ? kt_strdup(fetch->given) : in_hosts(r, fetch->host);
	fetch->result = FETCH_OK;
	if (!fetch->address && task_resolve(r->task, fetch->host, &addresses, &fetch->canonical, &outcome))
		fetch->address = kt_strdup(addresses.items[kt_random_below(
		        cluster_random(r->task->process->cluster), (uint32_t)addresses.count)]);
	else if (!fetch->address)
		fetch->result = outcome == NETWORK_REFUSED ? FETCH_BAD_NAME : FETCH_NO_DNS;
	kt_strs_clear(&addresses);
}

int fetch_connect(struct tool_run *r, struct fetch *fetch)
{
	struct network_peer from = task_peer(r->task);
	kt_ns wait;
	switch (fetch->stage) {
	case 0:
		fetch->started = process_now(r->task->process);
		resolve(r, fetch);
		fetch->stage = 1;
		/* fall through */
	case 1:
		wait = fetch->result == FETCH_NO_DNS ? DNS_PATIENCE : 200 * KT_US;
		if (fetch->limit >= KT_SEC) /* who waits so long for an answer waits no longer for a name */
			wait = KT_MIN(wait, fetch->limit);
		if (pause_for(r, fetch, wait))
			return TOOL_WAIT;
		if (fetch->result != FETCH_OK)
			return 0;
		network_connect(r->task->process->cluster, &from, fetch->address, fetch->port,
		                fetch->protocol, &fetch->to);
		fetch->stage = 2;
		/* fall through */
	case 2:
		wait = fetch->to.latency;
		if (fetch->to.outcome == NETWORK_TIMEOUT)
			wait = fetch->limit ? fetch->limit : SYN_PATIENCE;
		else if (fetch->to.outcome == NETWORK_UNREACHABLE)
			wait = ROUTE_PATIENCE;
		else if (fetch->limit && wait > fetch->limit)
			fetch->to.outcome = NETWORK_TIMEOUT, wait = fetch->limit;
		if (pause_for(r, fetch, wait))
			return TOOL_WAIT;
		fetch->connected = fetch->to.outcome == NETWORK_OPEN ? process_now(r->task->process) : 0;
		fetch->result = fetch->to.outcome == NETWORK_OPEN      ? FETCH_OK
		                : fetch->to.outcome == NETWORK_REFUSED ? FETCH_REFUSED
		                : fetch->to.outcome == NETWORK_TIMEOUT || over(r, fetch, 1)
		                        ? FETCH_TIMEOUT
		                        : FETCH_UNREACHABLE;
		fetch->stage = 3;
		return 0;
	default:
		return 0;
	}
}

int fetch_request(struct tool_run *r, struct fetch *fetch, const char *method, const struct kt_json *headers,
                  const char *body)
{
	if (fetch->stage == 3) {
		char *host = fetch->port == (fetch->https ? 443 : 80)
		                     ? kt_strdup(fetch->host)
		                     : kt_strf("%s:%u", fetch->host, fetch->port);
		const char *given = kt_get_str(headers, "Host"),
		           *client = kt_starts(fetch->address, "127.") ? "127.0.0.1"
		                                                       : tool_container(r)->pod_ip;
		struct network_http_request request = {.method = method,
		                                       .path = fetch->path,
		                                       .host = given ? given : host,
		                                       .headers = headers,
		                                       .body = body ? body : "",
		                                       .body_len = body ? strlen(body) : 0,
		                                       .client = client,
		                                       .https = fetch->https};
		bool spoke = network_serve(r->task->process->cluster, &fetch->to, &request, &fetch->response);
		kt_free(host);
		fetch->stage = spoke ? 4 : 5;
	}
	if (fetch->stage == 5) {
		/* it accepts and says nothing */
		if (pause_for(r, fetch,
		              fetch->limit && !fetch->total ? fetch->limit
		                                            : (fetch->total ? fetch->total : SYN_PATIENCE)))
			return TOOL_WAIT;
		fetch->result = FETCH_SILENT;
		return 0;
	}
	kt_ns takes = fetch->to.latency + fetch->response.takes;
	bool slow = (fetch->total && fetch->connected + takes > fetch->started + fetch->total);
	if (pause_for(r, fetch, takes))
		return TOOL_WAIT;
	fetch->result = slow ? FETCH_SLOW : fetch->response.status == 444 ? FETCH_EMPTY : FETCH_OK;
	return 0;
}

void fetch_clear(struct fetch *fetch)
{
	kt_free(fetch->host);
	kt_free(fetch->path);
	kt_free(fetch->address);
	kt_free(fetch->canonical);
	network_http_response_clear(&fetch->response);
	*fetch = (struct fetch){0};
}

char *fetch_redirect(const struct fetch *fetch)
{
	const char *to = network_header(fetch->response.headers, "Location");
	int status = fetch->response.status;
	if (!to || status < 300 || status > 399)
		return NULL;
	if (strstr(to, "://"))
		return kt_strdup(to);
	bool usual = fetch->port == (fetch->https ? 443 : 80);
	char *port = usual ? kt_strdup("") : kt_strf(":%u", fetch->port);
	char *whole = kt_strf("http%s://%s%s%s%s", fetch->https ? "s" : "", fetch->host, port,
	                      *to == '/' ? "" : "/", to);
	kt_free(port);
	return whole;
}

void fetch_add_header(struct kt_json **headers, const char *line)
{
	size_t len = strcspn(line, ":");
	if (!line[len])
		return;
	char *name = kt_strndup(line, len);
	const char *value = line + len + 1;
	kt_set(headers, strcasecmp(name, "host") ? name : "Host", kt_json_str(value + strspn(value, " ")));
	kt_free(name);
}

int fetch_save(struct tool_run *r, const char *name, const struct kt_buf *data)
{
	char *path = tool_path(r, name);
	int rc = 0;
	if (!strcmp(path, "/dev/stdout") || !strcmp(name, "-"))
		tool_out(r, kt_buf_str(data), data->len);
	else if (strcmp(path, "/dev/null") != 0)
		rc = files_write(tool_container(r)->files, path, kt_buf_str(data), data->len, false, 0644,
		                 process_now(r->task->process));
	if (rc)
		tool_errf(r, "can't open '%s': %s", name, tool_strerror(rc));
	kt_free(path);
	return rc;
}

kt_ns fetch_seconds(const char *text)
{
	double n = strtod(text, NULL);
	return n > 1e9 ? (kt_ns)1e18 : (kt_ns)(n * 1e9);
}
