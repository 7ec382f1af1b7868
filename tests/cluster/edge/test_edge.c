/* SPDX-License-Identifier: MIT */
/* The server as a client on the loopback sees it. A child process serves a fake cluster; it frees everything
 * at its end, so that leaks show. */
#include "cluster/edge/edge.h"
#include "tests/cluster/edge/client.h"
#include "tests/cluster/edge/fake_cluster.h"
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

struct place {
	char dir[256];
	pid_t pid;
	int ready, held; /* pipes: the child says that it answers; an unused lock */
	unsigned port;
	bool flush_fails;
	kt_ns every; /* something is due this often; 0: never */
};

/* --- the server --- */

static int serve(const struct place *place, int ready)
{
	struct edge_identity identity = {0};
	struct kt_loop *loop = kt_loop_new();
	struct edge_options options = {.dir = place->dir, .name = "demo", .loop = loop};
	const struct cluster_options what = {.now = 1000 * KT_SEC};
	struct edge *edge = NULL;
	struct cluster *cluster = NULL;
	struct kt_err err = {0};
	(void)signal(SIGPIPE, SIG_IGN);
	if (edge_identity_load(place->dir, &identity, &err) || edge_new(&options, &identity, &edge, &err) ||
	    cluster_new(&what, &cluster, &err) || edge_serve(edge, cluster, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	cluster->flush_fails = place->flush_fails;
	cluster->every = place->every;
	cluster->next = place->every ? cluster->now + place->every : INT64_MAX;
	unsigned port = edge_port(edge);
	if (write(ready, &port, sizeof port) != sizeof port)
		return 1;
	kt_loop_run(loop);
	edge_free(edge);
	cluster_free(cluster);
	edge_identity_clear(&identity);
	kt_loop_free(loop);
	return 0;
}

static void start(struct place *place)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	(void)fflush(NULL);
	place->pid = fork();
	if (!place->pid) {
		(void)close(ends[0]);
		exit(serve(place, ends[1]));
	}
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], &place->port, sizeof place->port), sizeof place->port);
	(void)close(ends[0]);
}

static void stop(struct place *place)
{
	int status = -1;
	struct kt_err err = {0};
	if (edge_call(place->dir, "POST", "/ktutor/v1/stop", NULL, 0, NULL, &err))
		fail_msg("%s", err.text);
	assert_int_equal(waitpid(place->pid, &status, 0), place->pid);
	assert_int_equal(status, 0);
}

static int set_up(void **state)
{
	struct place *place = kt_alloc(sizeof *place);
	(void)snprintf(place->dir, sizeof place->dir, "%s", "/tmp/ktutor-edge.XXXXXX");
	if (!mkdtemp(place->dir))
		return -1;
	start(place);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;
	stop(place);
	int rc = kt_remove_tree(place->dir, NULL);
	kt_free(place);
	return rc;
}

/* --- the client --- */

struct client {
	int fd;
	gnutls_session_t tls;
	gnutls_certificate_credentials_t creds;
};

static void dial(const struct place *place, struct client *client)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)place->port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(client->fd, (struct sockaddr *)(void *)&address, sizeof address), 0);
}

static void greet(const struct place *place, struct client *client, bool with_certificate)
{
	struct edge_identity id = {0};
	assert_int_equal(edge_identity_load(place->dir, &id, NULL), KT_OK);
	gnutls_datum_t ca = {(unsigned char *)id.ca_pem, (unsigned)strlen(id.ca_pem)};
	gnutls_datum_t cert = {(unsigned char *)id.admin_pem, (unsigned)strlen(id.admin_pem)};
	gnutls_datum_t key = {(unsigned char *)id.admin_key_pem, (unsigned)strlen(id.admin_key_pem)};
	assert_int_equal(gnutls_certificate_allocate_credentials(&client->creds), 0);
	assert_int_equal(gnutls_certificate_set_x509_trust_mem(client->creds, &ca, GNUTLS_X509_FMT_PEM), 1);
	if (with_certificate)
		assert_int_equal(
		        gnutls_certificate_set_x509_key_mem(client->creds, &cert, &key, GNUTLS_X509_FMT_PEM),
		        0);
	assert_int_equal(gnutls_init(&client->tls, GNUTLS_CLIENT), 0);
	assert_int_equal(gnutls_set_default_priority(client->tls), 0);
	assert_int_equal(gnutls_credentials_set(client->tls, GNUTLS_CRD_CERTIFICATE, client->creds), 0);
	gnutls_session_set_verify_cert(client->tls, "kubernetes.default.svc", 0);
	gnutls_transport_set_int(client->tls, client->fd);
	assert_int_equal(gnutls_handshake(client->tls), 0);
	edge_identity_clear(&id);
}

static void hang_up(struct client *client)
{
	if (client->tls)
		gnutls_deinit(client->tls);
	if (client->creds)
		gnutls_certificate_free_credentials(client->creds);
	(void)close(client->fd);
	memset(client, 0, sizeof *client);
}

static void call_up(const struct place *place, struct client *client)
{
	memset(client, 0, sizeof *client);
	dial(place, client);
	greet(place, client, true);
}

/* The Unix socket in the cluster's folder. */
static void knock(const struct place *place, struct client *client)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char *path = edge_socket(place->dir);
	assert_non_null(path);
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	kt_free(path);
	memset(client, 0, sizeof *client);
	client->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(client->fd, (struct sockaddr *)(void *)&address, sizeof address), 0);
}

static void send_text(struct client *client, const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = client->tls ? gnutls_record_send(client->tls, text + at, len - at)
		                        : write(client->fd, text + at, len - at);
		assert_true(n > 0);
		at += (size_t)n;
	}
}

/* Receive until `want` is in what came, or the end. */
static void receive(struct client *client, struct kt_buf *got, const char *want)
{
	char piece[16384];
	while (!want || !strstr(kt_buf_str(got), want)) {
		ssize_t n = client->tls ? gnutls_record_recv(client->tls, piece, sizeof piece)
		                        : read(client->fd, piece, sizeof piece);
		if (n == GNUTLS_E_REHANDSHAKE || n == GNUTLS_E_AGAIN)
			continue;
		if (n <= 0)
			break;
		kt_buf_add(got, piece, (size_t)n);
	}
	if (want && !strstr(kt_buf_str(got), want))
		fail_msg("'%s' did not come, but: %s", want, kt_buf_str(got));
}

static void say(struct client *client, const char *text)
{
	send_text(client, text, strlen(text));
}

/* --- */

static void a_connection_serves_request_after_request(void **state)
{
	struct client client;
	struct kt_buf got = {0};
	call_up(*state, &client);
	for (int i = 0; i < 3; i++) {
		kt_buf_cut(&got, 0);
		say(&client, "GET /fake/hello HTTP/1.1\r\nHost: h\r\n\r\n");
		receive(&client, &got, "hello kubernetes-admin");
		assert_true(kt_starts(got.data, "HTTP/1.1 200 OK\r\n"));
	}
	/* And those that are sent ahead are answered in turn. */
	kt_buf_cut(&got, 0);
	say(&client, "POST /fake/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nfirst"
	             "POST /fake/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nsecond"
	             "GET /fake/hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	receive(&client, &got, NULL);
	const char *first = strstr(got.data, "first"), *second = strstr(got.data, "second");
	assert_true(first && second && first < second && second < strstr(got.data, "hello"));
	hang_up(&client);
	kt_buf_clear(&got);
}

static void the_socket_in_the_folder_is_the_admins(void **state)
{
	struct place *place = *state;
	struct client client;
	struct kt_buf got = {0};
	struct stat info;
	char *path = edge_socket(place->dir);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	kt_free(path);
	knock(place, &client);
	say(&client, "GET /fake/hello HTTP/1.1\r\nHost: h\r\n\r\n");
	receive(&client, &got, "hello kubernetes-admin");
	kt_buf_cut(&got, 0);
	say(&client, "GET /ktutor/v1/clock HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	receive(&client, &got, NULL);
	assert_true(kt_starts(got.data, "HTTP/1.1 200 OK\r\n"));
	hang_up(&client);
	kt_buf_clear(&got);
	/* A process that was killed leaves it behind: no reason not to start. */
	assert_int_equal(kill(place->pid, SIGKILL), 0);
	assert_int_equal(waitpid(place->pid, NULL, 0), place->pid);
	start(place);
	knock(place, &client);
	hang_up(&client);
	stop(place);
	assert_null(edge_socket(place->dir));
	start(place);
}

static void who_has_no_certificate_is_nobody(void **state)
{
	struct client client = {0};
	struct kt_buf got = {0};
	dial(*state, &client);
	greet(*state, &client, false);
	say(&client, "GET /fake/hello HTTP/1.1\r\nHost: h\r\n\r\n");
	receive(&client, &got, "hello nobody");
	kt_buf_cut(&got, 0);
	say(&client, "GET /ktutor/v1/clock HTTP/1.1\r\nHost: h\r\n\r\n");
	receive(&client, &got, "for the cluster's admin");
	assert_true(kt_starts(got.data, "HTTP/1.1 403 "));
	hang_up(&client);
	kt_buf_clear(&got);
}

static void a_watch_streams_what_happens_until_it_ends(void **state)
{
	struct place *place = *state;
	struct client client;
	struct kt_buf got = {0};
	call_up(place, &client);
	say(&client, "GET /fake/watch HTTP/1.1\r\nHost: h\r\n\r\n");
	receive(&client, &got, "first");
	assert_non_null(strstr(got.data, "Transfer-Encoding: chunked"));
	struct client other;
	struct kt_buf reply = {0};
	call_up(place, &other);
	say(&other, "POST /fake/say HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nsecond");
	receive(&other, &reply, "HTTP/1.1 200");
	receive(&client, &got, "6\r\nsecond\r\n");
	kt_buf_cut(&reply, 0);
	say(&other, "POST /fake/end HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
	receive(&client, &got, "0\r\n\r\n");
	/* The connection lives on. */
	say(&client, "GET /fake/hello HTTP/1.1\r\nHost: h\r\n\r\n");
	receive(&client, &got, "hello kubernetes-admin");
	hang_up(&client);
	hang_up(&other);
	kt_buf_clear(&got);
	kt_buf_clear(&reply);
}

static void a_client_that_dawdles_does_not_hold_up_others(void **state)
{
	struct place *place = *state;
	struct client slow, silent = {0}, greedy, client;
	struct kt_buf got = {0};
	dial(place, &silent); /* never says hello */
	call_up(place, &slow);
	say(&slow, "POST /fake/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf");
	call_up(place, &greedy); /* asks for much and takes nothing */
	say(&greedy, "GET /fake/big?30000000 HTTP/1.1\r\nHost: h\r\n\r\n");
	for (int i = 0; i < 3; i++) {
		kt_buf_cut(&got, 0);
		call_up(place, &client);
		say(&client, "GET /fake/hello HTTP/1.1\r\nHost: h\r\n\r\n");
		receive(&client, &got, "hello kubernetes-admin");
		hang_up(&client);
	}
	hang_up(&slow);
	hang_up(&greedy);
	hang_up(&silent);
	kt_buf_clear(&got);
}

static void too_large_a_body_is_refused_as_the_real_server_does(void **state)
{
	struct client client;
	struct kt_buf got = {0};
	call_up(*state, &client);
	say(&client, "POST /fake/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3145729\r\n\r\n");
	receive(&client, &got, "limit is 3145728");
	assert_true(kt_starts(got.data, "HTTP/1.1 413 "));
	hang_up(&client);
	kt_buf_clear(&got);
}

static void a_body_of_the_largest_size_is_taken(void **state)
{
	struct client client;
	struct kt_buf got = {0}, body = {0};
	kt_buf_reserve(&body, 3145728);
	while (body.len < 3145728)
		kt_buf_addc(&body, (char)('a' + body.len % 26));
	call_up(*state, &client);
	say(&client,
	    "POST /fake/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3145728\r\nConnection: close\r\n\r\n");
	send_text(&client, body.data, body.len);
	receive(&client, &got, NULL);
	const char *text = strstr(got.data, "\r\n\r\n");
	assert_non_null(text);
	assert_int_equal(got.len - (size_t)(text + 4 - got.data), body.len);
	assert_memory_equal(text + 4, body.data, body.len);
	hang_up(&client);
	kt_buf_clear(&got);
	kt_buf_clear(&body);
}

static void what_is_no_tls_and_what_is_no_http_is_shown_the_door(void **state)
{
	struct client client = {0};
	char piece[256];
	struct kt_buf got = {0};
	dial(*state, &client);
	assert_int_equal(send(client.fd, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
	ssize_t n;
	while ((n = recv(client.fd, piece, sizeof piece, 0)) > 0)
		;
	hang_up(&client);
	call_up(*state, &client);
	say(&client, "EHLO mail\r\n\r\n");
	receive(&client, &got, NULL);
	assert_true(kt_starts(got.data, "HTTP/1.1 400 "));
	hang_up(&client);
	kt_buf_clear(&got);
}

static void exec_goes_through_a_websocket(void **state)
{
	struct client client;
	struct kt_buf got = {0}, frames = {0};
	call_up(*state, &client);
	say(&client, "GET /fake/exec HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
	             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	             "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n");
	receive(&client, &got, "\r\n\r\n");
	assert_true(kt_starts(got.data, "HTTP/1.1 101 Switching Protocols\r\n"));
	client_ws(&frames, WS_BINARY, "\0echo me", 8);
	send_text(&client, frames.data, frames.len);
	receive(&client, &got, "echo me");
	kt_buf_cut(&frames, 0);
	client_ws(&frames, WS_BINARY, "\377\0", 2);
	client_ws(&frames, WS_CLOSE, "\003\350", 2);
	send_text(&client, frames.data, frames.len);
	receive(&client, &got, NULL);
	hang_up(&client);
	kt_buf_clear(&got);
	kt_buf_clear(&frames);
}

/* kubectl up to 1.33 drops what comes before it has opened its streams. */
static void a_command_does_not_speak_before_its_client_can_listen(void **state)
{
	struct client client;
	struct kt_buf got = {0}, frames = {0};
	call_up(*state, &client);
	kt_ns began = kt_monotonic();
	say(&client, "GET /fake/exec HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
	             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	             "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n");
	client_ws(&frames, WS_BINARY, "\0echo me", 8);
	send_text(&client, frames.data, frames.len);
	receive(&client, &got, "\r\n\r\n");
	assert_null(strstr(got.data, "echo me"));
	receive(&client, &got, "echo me");
	assert_true(kt_monotonic() - began >= 40 * KT_MS);
	hang_up(&client);
	kt_buf_clear(&got);
	kt_buf_clear(&frames);
}

static void a_watcher_that_leaves_is_forgotten(void **state)
{
	struct place *place = *state;
	struct client client;
	struct kt_buf got = {0};
	struct kt_json *status = NULL;
	for (int i = 0; i < 5; i++) {
		kt_buf_cut(&got, 0);
		call_up(place, &client);
		say(&client, "GET /fake/watch HTTP/1.1\r\nHost: h\r\n\r\n");
		receive(&client, &got, "first");
		(void)gnutls_bye(client.tls, GNUTLS_SHUT_RDWR); /* returns when the server has closed too */
		hang_up(&client);
	}
	assert_int_equal(edge_call(place->dir, "GET", "/ktutor/v1/status", NULL, 0, &status, NULL), KT_OK);
	assert_int_equal(kt_get_int(status, "connections", 0), 1);
	kt_json_free(status);
	kt_buf_clear(&got);
}

/* What the fake cluster counts in a while of silence. */
static void count_for(const struct place *place, kt_ns real, int64_t *rounds, int64_t *changes)
{
	struct kt_json *counts[2] = {NULL, NULL};
	for (int i = 0; i < 2; i++) {
		if (i)
			(void)poll(NULL, 0, (int)(real / KT_MS));
		assert_int_equal(edge_call(place->dir, "GET", "/fake/rounds", NULL, 0, &counts[i], NULL),
		                 KT_OK);
	}
	*rounds = kt_get_int(counts[1], "rounds", 0) - kt_get_int(counts[0], "rounds", 0);
	*changes = kt_get_int(counts[1], "changes", 0) - kt_get_int(counts[0], "changes", 0);
	kt_json_free(counts[0]);
	kt_json_free(counts[1]);
}

static void a_cluster_is_not_woken_while_nobody_looks_and_is_up_to_date_when_somebody_does(void **state)
{
	struct place *place = *state;
	struct client client;
	struct kt_buf got = {0};
	int64_t rounds, changes;
	stop(place);
	place->every = 2 * KT_MS;
	start(place);
	count_for(place, 400 * KT_MS, &rounds, &changes);
	assert_in_range(changes, 200, 100000);
	assert_in_range(rounds, 1, 20); /* of the connections, not of what was due */
	call_up(place, &client);
	say(&client, "GET /fake/watch HTTP/1.1\r\nHost: h\r\n\r\n");
	receive(&client, &got, "first");
	/* On a machine that is busy with other things it wakes less often; but it wakes. */
	rounds = 0;
	for (int i = 0; i < 100 && rounds <= 20; i++)
		count_for(place, 400 * KT_MS, &rounds, &changes);
	assert_in_range(rounds, 21, 100000);
	hang_up(&client);
	kt_buf_clear(&got);
}

/* --- ktutor's routes --- */

static struct kt_json *ask(const struct place *place, const char *method, const char *path, const char *body)
{
	struct kt_json *json = NULL, *out = NULL;
	struct kt_err err = {0};
	if (body)
		assert_int_equal(kt_json_parse(body, strlen(body), NULL, &json, NULL, NULL), KT_OK);
	char *target = kt_strf("/ktutor/v1/%s", path);
	if (edge_call(place->dir, method, target, json, 0, &out, &err))
		out = kt_jsonf("{error: %s}", err.text);
	kt_free(target);
	kt_json_free(json);
	return out;
}

static void the_clock_stops_jumps_and_says_so(void **state)
{
	struct kt_json *clock = ask(*state, "POST", "clock", "{\"paused\": true}"), *after;
	assert_true(kt_get_bool(clock, "paused", false));
	kt_ns before, now;
	assert_true(kt_time_parse(kt_get_str(clock, "now"), &before));
	after = ask(*state, "POST", "clock", "{\"advance\": \"10m\"}");
	assert_true(kt_time_parse(kt_get_str(after, "now"), &now));
	assert_int_equal(now - before, 600 * KT_SEC); /* a stopped clock moves by this and nothing else */
	kt_json_free(after);
	kt_json_free(clock);
	static const char *const wrong[] = {"{\"advance\": \"soon\"}", "{\"speed\": 0}", "{\"jump\": \"up\"}",
	                                    "{\"advance\": \"1m\", \"until\": \"dawn\"}"};
	for (size_t i = 0; i < KT_COUNT(wrong); i++) {
		after = ask(*state, "POST", "clock", wrong[i]);
		assert_non_null(kt_get_str(after, "error"));
		kt_json_free(after);
	}
}

static kt_ns now_of(const struct place *place)
{
	kt_ns now = 0;
	struct kt_json *clock = ask(place, "GET", "clock", NULL);
	assert_true(kt_time_parse(kt_get_str(clock, "now"), &now));
	kt_json_free(clock);
	return now;
}

static struct kt_json *hold(const struct place *place, const char *word, long pid)
{
	char *body = kt_strf("{\"%s\": %ld}", word, pid);
	struct kt_json *clock = ask(place, "POST", "clock", body);
	kt_free(body);
	return clock;
}

static void a_held_clock_passes_by_jumps_alone(void **state)
{
	struct kt_json *clock = hold(*state, "hold", getpid());
	assert_true(kt_get_bool(clock, "held", false));
	kt_json_free(clock);
	kt_ns before = now_of(*state);
	kt_json_free(ask(*state, "POST", "clock", "{\"advance\": \"10m\"}"));
	assert_int_equal(now_of(*state) - before, 600 * KT_SEC);
	/* held twice, it is released twice; by somebody else, never */
	kt_json_free(hold(*state, "hold", getpid()));
	kt_json_free(hold(*state, "release", getpid()));
	clock = hold(*state, "release", getppid());
	assert_true(kt_get_bool(clock, "held", false));
	kt_json_free(clock);
	clock = hold(*state, "release", getpid());
	assert_false(kt_get_bool(clock, "held", true));
	kt_json_free(clock);
	before = now_of(*state);
	while (now_of(*state) == before)
		; /* it goes on */
	clock = hold(*state, "hold", -1);
	assert_string_equal(kt_get_str(clock, "error"), "hold: the pid of a process that runs was expected");
	kt_json_free(clock);
}

static void who_ends_holds_it_no_more(void **state)
{
	int ends[2], status;
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (!child) {
		char end;
		(void)close(ends[1]);
		_exit(read(ends[0], &end, 1) != 0);
	}
	(void)close(ends[0]);
	struct kt_json *clock = hold(*state, "hold", child);
	assert_true(kt_get_bool(clock, "held", false));
	kt_json_free(clock);
	(void)close(ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	for (bool held = true; held;) {
		(void)poll(NULL, 0, 10);
		clock = ask(*state, "GET", "clock", NULL);
		held = kt_get_bool(clock, "held", true);
		kt_json_free(clock);
	}
}

static void a_snapshot_is_restored_by_its_name(void **state)
{
	struct kt_json *at = ask(*state, "POST", "clock", "{\"paused\": true}"), *answer;
	kt_json_free(ask(*state, "POST", "snapshot", "{\"name\": \"start\"}"));
	kt_json_free(ask(*state, "POST", "clock", "{\"advance\": \"1h\"}"));
	answer = ask(*state, "POST", "restore", "{\"name\": \"start\"}");
	assert_string_equal(kt_get_str(answer, "now"), kt_get_str(at, "now"));
	kt_json_free(answer);
	answer = ask(*state, "GET", "snapshots", NULL);
	assert_int_equal(kt_count(answer), 1);
	assert_string_equal(kt_get_str(kt_at(answer, 0), "name"), "start");
	kt_json_free(answer);
	answer = ask(*state, "POST", "restore", "{\"name\": \"other\"}");
	assert_string_equal(kt_get_str(answer, "error"), "no snapshot 'other'");
	kt_json_free(answer);
	kt_json_free(at);
}

static void unknown_routes_and_wrong_bodies_are_told(void **state)
{
	static const struct {
		const char *method, *path, *error;
	} rows[] = {{"GET", "nothing", "no such route of ktutor"},
	            {"DELETE", "clock", "no such method on this route"},
	            {"POST", "disturb", "there is no such step"}};
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct kt_json *answer = ask(*state, rows[i].method, rows[i].path, "{\"x\": 1}");
		assert_string_equal(kt_get_str(answer, "error"), rows[i].error);
		kt_json_free(answer);
	}
}

/* --- what is kept --- */

static void the_port_and_the_identity_survive_a_restart(void **state)
{
	struct place *place = *state;
	unsigned port = place->port;
	char *path = kt_join(place->dir, "kubeconfig");
	struct kt_buf before = {0}, after = {0};
	struct stat info;
	assert_int_equal(kt_read_file(path, 65536, &before, NULL), KT_OK);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	stop(place);
	start(place);
	assert_int_equal(place->port, port);
	assert_int_equal(kt_read_file(path, 65536, &after, NULL), KT_OK);
	assert_string_equal(before.data, after.data);
	kt_buf_clear(&before);
	kt_buf_clear(&after);
	kt_free(path);
}

/* A folder so deep that no socket can have its path: loopback does for all. */
static void without_a_socket_the_port_serves(void **state)
{
	struct place *place = *state;
	char short_dir[64];
	struct kt_err err = {0};
	stop(place);
	(void)snprintf(short_dir, sizeof short_dir, "%.63s", place->dir);
	(void)snprintf(place->dir, sizeof place->dir, "%s/%0100d", short_dir, 0);
	assert_int_equal(kt_make_dirs(place->dir, 0700, &err), KT_OK);
	start(place);
	assert_null(edge_socket(place->dir));
	struct kt_json *clock = ask(place, "GET", "clock", NULL);
	assert_non_null(kt_get_str(clock, "now"));
	kt_json_free(clock);
	stop(place);
	(void)snprintf(place->dir, sizeof place->dir, "%s", short_dir);
	start(place);
}

static void a_port_that_was_taken_meanwhile_is_replaced(void **state)
{
	struct place *place = *state;
	stop(place);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)place->port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	assert_int_equal(bind(fd, (struct sockaddr *)(void *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 1), 0);
	unsigned before = place->port;
	start(place);
	assert_int_not_equal(place->port, before);
	struct kt_json *clock = ask(place, "GET", "clock", NULL);
	assert_non_null(kt_get_str(clock, "now"));
	kt_json_free(clock);
	(void)close(fd);
}

static void a_change_that_cannot_be_kept_is_not_confirmed(void **state)
{
	struct place *place = *state;
	struct client client;
	struct kt_buf got = {0};
	stop(place);
	place->flush_fails = true;
	start(place);
	call_up(place, &client);
	say(&client,
	    "POST /fake/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
	receive(&client, &got, NULL);
	assert_true(kt_starts(got.data, "HTTP/1.1 500 "));
	assert_non_null(strstr(got.data, "the change could not be kept: the disk is full"));
	hang_up(&client);
	kt_buf_clear(&got);
}

static void the_lock_names_its_holder_and_goes_with_it(void **state)
{
	struct place *place = *state;
	int ends[2], fd = -1;
	long pid = 0;
	char byte;
	assert_int_equal(edge_holder(place->dir), 0);
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (!child) {
		if (edge_lock(place->dir, &fd, &pid, NULL) || write(ends[1], "x", 1) != 1)
			_exit(1);
		(void)pause();
		_exit(0);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(edge_holder(place->dir), child);
	assert_int_equal(edge_lock(place->dir, &fd, &pid, NULL), KT_EEXIST);
	assert_int_equal(pid, child);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(edge_holder(place->dir), 0);
	assert_int_equal(edge_lock(place->dir, &fd, &pid, NULL), KT_OK);
	(void)close(fd);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        TEST(a_connection_serves_request_after_request),
	        TEST(the_socket_in_the_folder_is_the_admins),
	        TEST(without_a_socket_the_port_serves),
	        TEST(who_has_no_certificate_is_nobody),
	        TEST(a_watch_streams_what_happens_until_it_ends),
	        TEST(a_cluster_is_not_woken_while_nobody_looks_and_is_up_to_date_when_somebody_does),
	        TEST(a_client_that_dawdles_does_not_hold_up_others),
	        TEST(too_large_a_body_is_refused_as_the_real_server_does),
	        TEST(a_body_of_the_largest_size_is_taken),
	        TEST(what_is_no_tls_and_what_is_no_http_is_shown_the_door),
	        TEST(exec_goes_through_a_websocket),
	        TEST(a_command_does_not_speak_before_its_client_can_listen),
	        TEST(a_watcher_that_leaves_is_forgotten),
	        TEST(the_clock_stops_jumps_and_says_so),
	        TEST(a_held_clock_passes_by_jumps_alone),
	        TEST(who_ends_holds_it_no_more),
	        TEST(a_snapshot_is_restored_by_its_name),
	        TEST(unknown_routes_and_wrong_bodies_are_told),
	        TEST(the_port_and_the_identity_survive_a_restart),
	        TEST(a_port_that_was_taken_meanwhile_is_replaced),
	        TEST(a_change_that_cannot_be_kept_is_not_confirmed),
	        TEST(the_lock_names_its_holder_and_goes_with_it),
	};
	return cmocka_run_group_tests_name("edge", tests, NULL, NULL);
}
