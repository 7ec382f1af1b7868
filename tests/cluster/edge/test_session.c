/* SPDX-License-Identifier: MIT */
#include "cluster/edge/session.h"
#include "cluster/edge/ws.h"
#include "tests/cluster/edge/client.h"
#include "tests/cluster/edge/fake_cluster.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct talk {
	struct cluster *cluster;
	struct session *session;
	struct kt_buf wire;
	struct cluster_response response;
};

#define WS_HEAD(protocol)                                                                                    \
	"GET /fake HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: "                                  \
	"websocket\r\nSec-WebSocket-Version: 13\r\n"                                                         \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: " protocol "\r\n\r\n"
#define SPDY_HEAD(protocol)                                                                                  \
	"POST /fake?stdin=true&stdout=true&command=x HTTP/1.1\r\nHost: h\r\nConnection: "                    \
	"Upgrade\r\nUpgrade: SPDY/3.1\r\n"                                                                   \
	"X-Stream-Protocol-Version: " protocol "\r\n\r\n"

static enum kt_code begin(struct talk *talk, const char *target, const char *text)
{
	const struct cluster_options options = {0};
	struct cluster_request request = {.method = "GET", .target = target};
	struct http_head head = {0};
	memset(talk, 0, sizeof *talk);
	assert_int_equal(cluster_new(&options, &talk->cluster, NULL), KT_OK);
	cluster_handle(talk->cluster, &request, &talk->response);
	struct cluster_stream *stream = talk->response.stream;
	talk->response.stream = NULL;
	assert_true(http_parse_head(text, strlen(text), &head) > 0);
	enum kt_code rc = session_new(&head, stream, &talk->response, &talk->session);
	http_head_clear(&head);
	return rc;
}

static void end(struct talk *talk)
{
	session_free(talk->session);
	cluster_response_clear(&talk->response);
	cluster_free(talk->cluster);
	kt_buf_clear(&talk->wire);
}

static const char *answered(const struct talk *talk, const char *name)
{
	for (size_t i = 0; i < talk->response.headers.names.count; i++)
		if (kt_streq(talk->response.headers.names.items[i], name))
			return talk->response.headers.values.items[i];
	return NULL;
}

/* The server's WebSocket frames as text: "OPCODE:CHANNEL payload;" */
static char *ws_text(const struct kt_buf *out)
{
	struct kt_buf text = {0};
	const char *data;
	size_t at = 0, len;
	int opcode;
	while ((opcode = client_ws_next(out, &at, &data, &len)) >= 0) {
		if (opcode == WS_BINARY)
			kt_buf_addf(&text, "%d %.*s;", data[0], (int)len - 1, data + 1);
		else
			kt_buf_addf(&text, "opcode %d;", opcode);
	}
	kt_buf_addc(&text, '\0');
	return kt_buf_take(&text);
}

static void the_best_common_protocol_is_chosen(void **state)
{
	struct talk talk;
	(void)state;
	assert_int_equal(begin(&talk, "/fake/exec", WS_HEAD("v4.channel.k8s.io, v5.channel.k8s.io")), KT_OK);
	assert_int_equal(talk.response.status, 101);
	assert_string_equal(answered(&talk, "Sec-WebSocket-Protocol"), "v5.channel.k8s.io");
	assert_string_equal(answered(&talk, "Sec-WebSocket-Accept"),
	                    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="); /* RFC 6455 1.3 */
	end(&talk);
	assert_int_equal(begin(&talk, "/fake/exec",
	                       SPDY_HEAD("v4.channel.k8s.io\r\nX-Stream-Protocol-Version: "
	                                 "v3.channel.k8s.io")),
	                 KT_OK);
	assert_string_equal(answered(&talk, "X-Stream-Protocol-Version"), "v4.channel.k8s.io");
	end(&talk);
}

static void no_common_protocol_and_no_upgrade_are_refused_in_words(void **state)
{
	struct talk talk;
	(void)state;
	assert_int_not_equal(begin(&talk, "/fake/exec", WS_HEAD("v1.nobody")), KT_OK);
	assert_int_equal(talk.response.status, 403);
	assert_non_null(
	        strstr(talk.response.body.data, "unable to negotiate protocol: client supports [v1.nobody]"));
	end(&talk);
	assert_int_not_equal(begin(&talk, "/fake/exec", "GET / HTTP/1.1\r\nHost: h\r\n\r\n"), KT_OK);
	assert_int_equal(talk.response.status, 400);
	assert_non_null(strstr(talk.response.body.data, "Upgrade request required"));
	end(&talk);
}

static void a_command_over_websocket_ends_with_status_and_close(void **state)
{
	struct talk talk;
	struct kt_buf client = {0};
	(void)state;
	assert_int_equal(begin(&talk, "/fake/exec", WS_HEAD("v5.channel.k8s.io")), KT_OK);
	client_ws(&client, WS_BINARY, "\0hello", 6);
	client_ws(&client, WS_PING, "x", 1);
	client_ws(&client, WS_BINARY, "\4{}", 3);
	client_ws(&client, WS_BINARY, "\1not for us", 11);
	client_ws(&client, WS_BINARY, "\377\0", 2); /* v5: channel 0 is closed */
	assert_true(session_feed(talk.session, client.data, client.len));
	assert_true(session_pump(talk.session, 100000, &talk.wire));
	char *text = ws_text(&talk.wire);
	assert_string_equal(text, "opcode 10;1 hello;2 {};3 {\"status\":\"Success\"};opcode 8;");
	kt_free(text);
	kt_buf_cut(&client, 0);
	client_ws(&client, WS_CLOSE, "\003\350", 2);
	(void)session_feed(talk.session, client.data, client.len);
	assert_false(session_pump(talk.session, 100000, &talk.wire));
	kt_buf_clear(&client);
	end(&talk);
}

static void a_command_over_spdy_waits_for_the_clients_streams(void **state)
{
	static const char *const error[] = {"streamtype", "error", NULL, NULL};
	static const char *const in[] = {"streamtype", "stdin", NULL, NULL};
	static const char *const out[] = {"streamtype", "stdout", NULL, NULL};
	static const char *const odd[] = {"streamtype", "strange", NULL, NULL};
	struct talk talk;
	struct kt_buf client = {0};
	z_stream z;
	(void)state;
	client_zlib(&z);
	assert_int_equal(begin(&talk, "/fake/exec", SPDY_HEAD("v4.channel.k8s.io")), KT_OK);
	client_syn(&client, &z, 1, 0, in);
	client_data(&client, 1, "hello", true);
	assert_true(session_feed(talk.session, client.data, client.len));
	assert_true(session_pump(talk.session, 100000, &talk.wire)); /* done, but nobody can hear it yet */
	kt_buf_cut(&client, 0);
	client_syn(&client, &z, 3, 1, error);
	client_syn(&client, &z, 5, 1, odd);
	assert_true(session_feed(talk.session, client.data, client.len));
	assert_true(
	        session_pump(talk.session, 100000, &talk.wire)); /* its standard output is still to come */
	kt_buf_cut(&client, 0);
	client_syn(&client, &z, 7, 1, out);
	assert_true(session_feed(talk.session, client.data, client.len));
	assert_false(session_pump(talk.session, 100000, &talk.wire));
	char *text = client_spdy_text(&talk.wire);
	assert_string_equal(text, "reply 1;fin 1;reply 3;data 3 {\"status\":\"Success\"};fin 3;reset 5;"
	                          "reply 7;data 7 hello;fin 7;");
	kt_free(text);
	(void)deflateEnd(&z);
	kt_buf_clear(&client);
	end(&talk);
}

static void forward(struct kt_buf *client, z_stream *z, uint32_t stream, const char *id, const char *port)
{
	const char *const error[] = {"streamtype", "error", "port", port, "requestid", id, NULL, NULL};
	const char *const data[] = {"streamtype", "data", "port", port, "requestid", id, NULL, NULL};
	client_syn(client, z, stream, 1, error);
	client_syn(client, z, stream + 2, 0, data);
}

static void forwarded_connections_keep_apart(void **state)
{
	struct talk talk;
	struct kt_buf client = {0};
	z_stream z;
	(void)state;
	client_zlib(&z);
	assert_int_equal(begin(&talk, "/fake/forward", SPDY_HEAD("portforward.k8s.io")), KT_OK);
	forward(&client, &z, 1, "0", "80");
	forward(&client, &z, 5, "1", "81");
	client_data(&client, 3, "a", false);
	client_data(&client, 7, "b", true);
	assert_true(session_feed(talk.session, client.data, client.len));
	assert_true(session_pump(talk.session, 100000, &talk.wire));
	char *text = client_spdy_text(&talk.wire);
	assert_string_equal(
	        text, "reply 1;reply 3;reply 5;reply 7;data 3 port 80\na;data 7 port 81\nb;fin 7;fin 5;");
	kt_free(text);
	kt_buf_cut(&client, 0);
	forward(&client, &z, 9, "2", "0"); /* no such port */
	assert_true(session_feed(talk.session, client.data, client.len));
	kt_buf_cut(&talk.wire, 0);
	assert_true(session_pump(talk.session, 100000, &talk.wire));
	text = client_spdy_text(&talk.wire);
	assert_string_equal(text, "reset 9;reset 11;");
	kt_free(text);
	(void)deflateEnd(&z);
	kt_buf_clear(&client);
	end(&talk);
}

static void spdy_travels_in_websocket_messages(void **state)
{
	struct talk talk;
	struct kt_buf frames = {0}, client = {0}, inner = {0};
	const char *data;
	size_t at = 0, len;
	z_stream z;
	(void)state;
	client_zlib(&z);
	assert_int_equal(begin(&talk, "/fake/forward", WS_HEAD("SPDY/3.1+portforward.k8s.io")), KT_OK);
	forward(&frames, &z, 1, "0", "8080");
	client_data(&frames, 3, "x", true);
	client_ws(&client, WS_BINARY, frames.data, 30); /* messages do not end where frames do */
	client_ws(&client, WS_BINARY, frames.data + 30, frames.len - 30);
	assert_true(session_feed(talk.session, client.data, client.len));
	assert_true(session_pump(talk.session, 100000, &talk.wire));
	while (client_ws_next(&talk.wire, &at, &data, &len) == WS_BINARY)
		kt_buf_add(&inner, data, len);
	assert_int_equal(at, talk.wire.len);
	char *text = client_spdy_text(&inner);
	assert_string_equal(text, "reply 1;reply 3;data 3 port 8080\nx;fin 3;fin 1;");
	kt_free(text);
	(void)deflateEnd(&z);
	kt_buf_clear(&frames);
	kt_buf_clear(&client);
	kt_buf_clear(&inner);
	end(&talk);
}

static void unmasked_frames_end_the_session(void **state)
{
	struct talk talk;
	(void)state;
	assert_int_equal(begin(&talk, "/fake/exec", WS_HEAD("v5.channel.k8s.io")), KT_OK);
	(void)session_feed(talk.session, "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10);
	(void)session_feed(talk.session, "\x82\x05hello", 7);
	char *text = NULL;
	(void)session_pump(talk.session, 1000, &talk.wire);
	text = ws_text(&talk.wire);
	assert_string_equal(text, "opcode 8;");
	kt_free(text);
	end(&talk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_best_common_protocol_is_chosen),
	        cmocka_unit_test(no_common_protocol_and_no_upgrade_are_refused_in_words),
	        cmocka_unit_test(a_command_over_websocket_ends_with_status_and_close),
	        cmocka_unit_test(a_command_over_spdy_waits_for_the_clients_streams),
	        cmocka_unit_test(forwarded_connections_keep_apart),
	        cmocka_unit_test(spdy_travels_in_websocket_messages),
	        cmocka_unit_test(unmasked_frames_end_the_session),
	};
	return cmocka_run_group_tests_name("edge session", tests, NULL, NULL);
}
