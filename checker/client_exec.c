/* SPDX-License-Identifier: MIT */
/* exec over WebSocket: v5.channel.k8s.io (or v4), several at once. libcurl makes the connection and its TLS,
 * wslay the frames. */
#include "checker/client_internal.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <wslay/wslay.h>

#define OUTPUT_MAX (4u * 1024 * 1024)
#define HEAD_MAX   (64u * 1024)

enum state { CONNECTING, TALKING, OVER };
struct talk {
	struct check_client *client;
	const struct check_exec *exec;
	struct check_exec_result *result;
	CURL *curl;
	curl_socket_t socket;
	enum state state;
	struct kt_buf in; /* bytes received and not yet understood */
	wslay_event_context_ptr ws;
	struct kt_random random; /* masks */
	kt_ns deadline;
};

static void end(struct talk *t, const char *why)
{
	t->state = OVER;
	if (why && t->result->exit_code < 0 && !t->result->why[0])
		snprintf(t->result->why, sizeof(t->result->why), "%s", why);
}

/* --- bytes --- */

/* False when the other side is gone. */
static bool fill(struct talk *t)
{
	for (;;) {
		char piece[16384];
		size_t got = 0;
		CURLcode code = curl_easy_recv(t->curl, piece, sizeof(piece), &got);
		if (code == CURLE_AGAIN)
			return true;
		if (code != CURLE_OK || !got)
			return false;
		kt_buf_add(&t->in, piece, got);
	}
}

static bool send_all(struct talk *t, const char *data, size_t len)
{
	while (len) {
		size_t sent = 0;
		CURLcode code = curl_easy_send(t->curl, data, len, &sent);
		if (code == CURLE_AGAIN) {
			struct pollfd p = {.fd = t->socket, .events = POLLOUT};
			if (poll(&p, 1, 5000) <= 0)
				return false;
			continue;
		}
		if (code != CURLE_OK)
			return false;
		data += sent;
		len -= sent;
	}
	return true;
}

/* --- frames --- */

static ssize_t ws_recv(wslay_event_context_ptr ws, uint8_t *buf, size_t len, int flags, void *arg)
{
	struct talk *t = arg;
	(void)flags;
	size_t n = KT_MIN(len, t->in.len);
	if (!n) {
		wslay_event_set_error(ws, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(buf, t->in.data, n);
	kt_buf_drop(&t->in, n);
	return (ssize_t)n;
}

static ssize_t ws_send(wslay_event_context_ptr ws, const uint8_t *data, size_t len, int flags, void *arg)
{
	(void)flags;
	if (send_all(arg, (const char *)data, len))
		return (ssize_t)len;
	wslay_event_set_error(ws, WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static int ws_mask(wslay_event_context_ptr ws, uint8_t *buf, size_t len, void *arg)
{
	(void)ws;
	kt_random_fill(&((struct talk *)arg)->random, buf, len);
	return 0;
}

/* Channel 3 is a Status: Success, or NonZeroExitCode with the code as a cause. */
static void take_status(struct talk *t, const char *text, size_t len)
{
	struct kt_json *status = NULL;
	if (kt_json_parse(text, len, NULL, &status, NULL, NULL))
		return;
	const struct kt_json *causes = kt_path(status, "details.causes"), *cause;
	if (kt_streq(kt_get_str(status, "status"), "Success"))
		t->result->exit_code = 0;
	KT_JSON_EACH (cause, causes)
		if (kt_streq(kt_get_str(cause, "reason"), "ExitCode"))
			sscanf(kt_str_or(kt_get(cause, "message"), "-1"), "%d", &t->result->exit_code);
	end(t,
	    kt_str_or(kt_get(status, "message"), "the program did not run")); /* nothing follows a Status */
	kt_json_free(status);
}

static void ws_message(wslay_event_context_ptr ws, const struct wslay_event_on_msg_recv_arg *message,
                       void *arg)
{
	struct talk *t = arg;
	(void)ws;
	if (message->opcode == WSLAY_CONNECTION_CLOSE) {
		end(t, "the connection was closed");
		return;
	}
	if (!message->msg_length)
		return;
	const char *data = (const char *)message->msg + 1;
	size_t len = message->msg_length - 1;
	struct kt_buf *out = message->msg[0] == 1   ? &t->result->out
	                     : message->msg[0] == 2 ? &t->result->errout
	                                            : NULL;
	if (out && out->len + len <= OUTPUT_MAX)
		kt_buf_add(out, data, len);
	else if (message->msg[0] == 3)
		take_status(t, data, len);
}

/* --- a conversation --- */

static void add_query(struct kt_buf *url, const char *name, const char *value)
{
	kt_buf_addf(url, "&%s=", name);
	kt_percent(value, url);
}

static void ask(struct talk *t)
{
	const struct check_exec *e = t->exec;
	const char *server = t->client->origin;
	const char *host = strstr(server, "://") ? strstr(server, "://") + 3 : server;
	size_t host_len = strcspn(host, "/");
	struct kt_buf head = {0};
	unsigned char nonce[16];
	kt_random_fill(&t->random, nonce, sizeof(nonce));
	kt_buf_addf(&head, "GET %s/api/v1/namespaces/%s/pods/%s/exec?stdout=true&stderr=true",
	            host + host_len, e->ns, e->pod);
	if (e->container)
		add_query(&head, "container", e->container);
	for (size_t i = 0; e->argv[i]; i++)
		add_query(&head, "command", e->argv[i]);
	kt_buf_addf(&head,
	            " HTTP/1.1\r\nHost: %.*s\r\nUpgrade: websocket\r\nConnection: "
	            "Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ",
	            (int)host_len, host);
	kt_base64(nonce, sizeof(nonce), &head);
	kt_buf_adds(&head, "\r\nSec-WebSocket-Protocol: v5.channel.k8s.io, v4.channel.k8s.io\r\n");
	for (const struct curl_slist *h = t->client->auth; h; h = h->next)
		kt_buf_addf(&head, "%s\r\n", h->data);
	if (e->instant)
		kt_buf_adds(&head, "X-Ktutor-Instant: 1\r\n");
	kt_buf_adds(&head, "\r\n");
	if (!send_all(t, head.data, head.len))
		end(t, "the cluster closed the connection");
	kt_buf_clear(&head);
}

/* A refusal is an ordinary answer: its Status tells why. */
static void refused(struct talk *t, size_t head_len)
{
	const char *body = t->in.data + head_len, *brace = memchr(body, '{', t->in.len - head_len);
	struct kt_json *status = NULL;
	size_t len = brace ? t->in.len - (size_t)(brace - t->in.data) : 0;
	while (len && brace[len - 1] != '}')
		len--;
	if (len && !kt_json_parse(brace, len, NULL, &status, NULL, NULL))
		end(t, kt_str_or(kt_get(status, "message"), "the cluster refused to run it"));
	else
		end(t, "the cluster refused to run it");
	kt_json_free(status);
}

static void take_head(struct talk *t, bool gone)
{
	const char *text = kt_buf_str(&t->in), *stop = strstr(text, "\r\n\r\n");
	if (!stop) {
		if (gone || t->in.len > HEAD_MAX)
			end(t, "the cluster closed the connection");
		return;
	}
	size_t head_len = (size_t)(stop - text) + 4;
	if (strncmp(text, "HTTP/1.1 101", 12) != 0) {
		if (gone || strchr(text + head_len, '}'))
			refused(t, head_len);
		return;
	}
	static const struct wslay_event_callbacks callbacks = {.recv_callback = ws_recv,
	                                                       .send_callback = ws_send,
	                                                       .genmask_callback = ws_mask,
	                                                       .on_msg_recv_callback = ws_message};
	kt_buf_drop(&t->in, head_len);
	if (wslay_event_context_client_init(&t->ws, &callbacks, t)) {
		end(t, "no memory for the WebSocket");
		return;
	}
	wslay_event_config_set_max_recv_msg_length(t->ws, OUTPUT_MAX);
	t->state = TALKING;
}

static void talk_frames(struct talk *t, bool gone)
{
	while (t->state == TALKING && t->in.len) {
		size_t before = t->in.len;
		if (wslay_event_recv(t->ws)) {
			end(t, "the cluster sent something that is no WebSocket frame");
			return;
		}
		if (t->in.len == before)
			break;
	}
	if (wslay_event_want_write(t->ws))
		wslay_event_send(t->ws);
	if (gone)
		end(t, "the connection broke off");
}

static void step(struct talk *t)
{
	bool gone = !fill(t);
	if (t->state == CONNECTING)
		take_head(t, gone);
	if (t->state == TALKING)
		talk_frames(t, gone);
	if (gone && t->state != OVER)
		end(t, "the connection broke off");
}

static enum kt_code begin(struct check_client *client, const struct check_exec *exec,
                          struct check_exec_result *result, struct talk *t, struct kt_err *err)
{
	*t = (struct talk){.client = client, .exec = exec, .result = result, .socket = CURL_SOCKET_BAD};
	result->exit_code = -1;
	uint64_t seed;
	kt_random_secret(&seed, sizeof(seed));
	kt_random_init(&t->random, seed);
	t->deadline = kt_monotonic() + (exec->timeout_ms ? exec->timeout_ms : 30000) * KT_MS;
	t->curl = curl_easy_init();
	check_curl_setup(client, t->curl);
	curl_easy_setopt(t->curl, CURLOPT_URL, client->origin);
	curl_easy_setopt(t->curl, CURLOPT_CONNECT_ONLY, 1L);
	CURLcode code = curl_easy_perform(t->curl);
	if (code == CURLE_OK)
		code = curl_easy_getinfo(t->curl, CURLINFO_ACTIVESOCKET, &t->socket);
	if (code != CURLE_OK) {
		t->state = OVER;
		return check_curl_fail(client, code, err);
	}
	ask(t);
	return KT_OK;
}

/* Until all are over: one poll for all sockets. */
static void run(struct talk *talks, size_t count, struct pollfd *polls)
{
	for (;;) {
		size_t open = 0;
		kt_ns now = kt_monotonic(), wait = KT_SEC;
		for (size_t i = 0; i < count; i++) {
			struct talk *t = &talks[i];
			if (t->state != OVER && now >= t->deadline)
				end(t, "no answer in time");
			polls[i] = (struct pollfd){.fd = t->state == OVER ? -1 : t->socket, .events = POLLIN};
			if (t->state == OVER)
				continue;
			open++;
			wait = KT_MIN(wait, t->deadline - now);
		}
		if (!open)
			return;
		poll(polls, (nfds_t)count, (int)(wait / KT_MS) + 1);
		for (size_t i = 0; i < count; i++)
			if (talks[i].state != OVER && polls[i].revents)
				step(&talks[i]);
	}
}

enum kt_code check_exec(struct check_client *client, const struct check_exec *execs, size_t count,
                        struct check_exec_result *results, struct kt_err *err)
{
	struct talk *talks = kt_alloc(KT_MAX(count, 1) * sizeof(*talks));
	struct pollfd *polls = kt_alloc(KT_MAX(count, 1) * sizeof(*polls));
	enum kt_code rc = KT_OK;
	for (size_t i = 0; !rc && client->judge && i < count; i++) {
		char *path = kt_strf("/api/v1/namespaces/%s/pods/%s/exec", execs[i].ns, execs[i].pod);
		rc = client->judge(client->judge_arg, "EXEC", path, err);
		kt_free(path);
	}
	for (size_t i = 0; !rc && i < count; i++)
		rc = begin(client, &execs[i], &results[i], &talks[i], err);
	if (!rc) {
		for (size_t i = 0; i < count; i++)
			step(&talks[i]); /* TLS may have read ahead of the socket */
		run(talks, count, polls);
	}
	for (size_t i = 0; i < count; i++) {
		if (talks[i].ws)
			wslay_event_context_free(talks[i].ws);
		curl_easy_cleanup(talks[i].curl);
		kt_buf_clear(&talks[i].in);
	}
	kt_free(talks);
	kt_free(polls);
	return rc;
}

void check_exec_result_clear(struct check_exec_result *result)
{
	kt_buf_clear(&result->out);
	kt_buf_clear(&result->errout);
	result->exit_code = -1;
	result->why[0] = '\0';
}
