/* SPDX-License-Identifier: MIT */
#include "cluster/edge/spdy.h"
#include "tests/cluster/edge/client.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void note(void *arg, const struct spdy_event *event)
{
	static const char *const kinds[] = {"open", "data", "reset", "goaway"};
	kt_buf_addf(arg, "%s %u", kinds[event->kind], event->stream);
	if (event->kind == SPDY_OPEN)
		kt_buf_addf(arg, " %s",
		            spdy_header(event, "streamtype") ? spdy_header(event, "streamtype") : "-");
	if (event->kind == SPDY_DATA)
		kt_buf_addf(arg, " %.*s", (int)event->len, (const char *)event->data);
	kt_buf_adds(arg, event->fin ? " fin;" : ";");
}

static void talk(struct kt_buf *wire)
{
	static const char *const first[] = {"streamtype", "error", "port", "80", NULL, NULL};
	static const char *const second[] = {"streamtype", "data", "port", "80", NULL, NULL};
	z_stream z;
	client_zlib(&z);
	client_syn(wire, &z, 1, 1, first);
	client_syn(wire, &z, 3, 0, second);
	client_data(wire, 3, "hello", false);
	client_data(wire, 3, "", true);
	client_put32(wire, 0x80030006u);
	client_put32(wire, 4);
	client_put32(wire, 7);
	(void)deflateEnd(&z);
}

static void frames_become_events_however_they_are_cut(void **state)
{
	struct kt_buf wire = {0};
	(void)state;
	talk(&wire);
	for (size_t piece = 1; piece <= wire.len; piece += piece < 20 ? 1 : 17) {
		struct kt_buf said = {0}, out = {0};
		struct spdy *spdy = spdy_new(note, &said);
		for (size_t at = 0; at < wire.len; at += piece)
			assert_true(spdy_feed(spdy, wire.data + at, KT_MIN(piece, wire.len - at)));
		assert_string_equal(kt_buf_str(&said),
		                    "open 1 error fin;open 3 data;data 3 hello;data 3  fin;");
		spdy_drain(spdy, &out);
		char *text = client_spdy_text(&out);
		assert_string_equal(text, "ping 7;");
		kt_free(text);
		spdy_free(spdy);
		kt_buf_clear(&said);
		kt_buf_clear(&out);
	}
	kt_buf_clear(&wire);
}

static void what_the_server_says_can_be_read(void **state)
{
	struct kt_buf said = {0}, out = {0};
	struct spdy *spdy = spdy_new(note, &said);
	(void)state;
	spdy_reply(spdy, 1);
	spdy_reply(spdy, 3);
	spdy_send(spdy, 3, "hello", 5, false);
	spdy_send(spdy, 3, "", 0, true);
	spdy_goaway(spdy);
	spdy_drain(spdy, &out);
	char *text = client_spdy_text(&out);
	assert_string_equal(text, "reply 1;reply 3;data 3 hello;fin 3;goaway;");
	kt_free(text);
	/* The header blocks are one zlib stream that a client with the same dictionary unpacks to no headers.
	 */
	z_stream z = {0};
	unsigned char plain[16];
	assert_int_equal(inflateInit(&z), Z_OK);
	size_t first = client_get32(out.data + 4) & 0xffffff;
	z.next_in = (unsigned char *)out.data + 12;
	z.avail_in = (unsigned)first - 4;
	z.next_out = plain;
	z.avail_out = sizeof plain;
	assert_int_equal(inflate(&z, Z_SYNC_FLUSH), Z_NEED_DICT);
	assert_int_equal(inflateSetDictionary(&z, spdy_dictionary, sizeof spdy_dictionary), Z_OK);
	assert_int_equal(inflate(&z, Z_SYNC_FLUSH), Z_OK);
	assert_int_equal(sizeof plain - z.avail_out, 4);
	assert_memory_equal(plain, "\0\0\0\0", 4);
	(void)inflateEnd(&z);
	spdy_free(spdy);
	kt_buf_clear(&said);
	kt_buf_clear(&out);
}

static void rubbish_ends_with_goaway(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
	        {"GET / HTTP/1.1\r\nHost: h\r\n", 25},        /* a frame of 3 MiB for stream 0x47455420 */
	        {"\x80\x02\x00\x01\x00\x00\x00\x00", 8},      /* SPDY/2 */
	        {"\x80\x03\x00\x01\x00\x00\x00\x04xxxx", 12}, /* too short for SYN_STREAM */
	        {"\x80\x03\x00\x01\x00\x00\x00\x0exxxxxxxxxxxxxx", 22}, /* headers that are not zlib */
	        {"\x00\x00\x00\x00\x00\x00\x00\x01x", 9},               /* data on stream 0 */
	};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct kt_buf said = {0}, out = {0};
		struct spdy *spdy = spdy_new(note, &said);
		assert_false(spdy_feed(spdy, rows[i].bytes, rows[i].len));
		assert_false(spdy_feed(spdy, "more", 4));
		spdy_drain(spdy, &out);
		char *text = client_spdy_text(&out);
		assert_string_equal(text, "goaway;");
		kt_free(text);
		assert_int_equal(said.len, 0);
		spdy_free(spdy);
		kt_buf_clear(&said);
		kt_buf_clear(&out);
	}
}

static void a_stream_that_goes_back_is_reset(void **state)
{
	static const char *const headers[] = {"streamtype", "data", NULL, NULL};
	struct kt_buf wire = {0}, said = {0}, out = {0};
	z_stream z;
	struct spdy *spdy = spdy_new(note, &said);
	(void)state;
	client_zlib(&z);
	client_syn(&wire, &z, 5, 0, headers);
	client_syn(&wire, &z, 3, 0, headers);
	client_syn(&wire, &z, 8, 0, headers);
	assert_true(spdy_feed(spdy, wire.data, wire.len));
	assert_string_equal(kt_buf_str(&said), "open 5 data;");
	spdy_drain(spdy, &out);
	char *text = client_spdy_text(&out);
	assert_string_equal(text, "reset 3;reset 8;");
	kt_free(text);
	(void)deflateEnd(&z);
	spdy_free(spdy);
	kt_buf_clear(&wire);
	kt_buf_clear(&said);
	kt_buf_clear(&out);
}

static void headers_that_unpack_without_end_are_refused(void **state)
{
	struct kt_buf wire = {0}, said = {0}, big = {0};
	z_stream z;
	struct spdy *spdy = spdy_new(note, &said);
	(void)state;
	client_zlib(&z);
	for (int i = 0; i < 200000; i++)
		kt_buf_addc(&big, 'a');
	const char *const headers[] = {"streamtype", big.data, NULL, NULL};
	client_syn(&wire, &z, 1, 0, headers);
	assert_false(spdy_feed(spdy, wire.data, wire.len));
	assert_int_equal(said.len, 0);
	(void)deflateEnd(&z);
	spdy_free(spdy);
	kt_buf_clear(&wire);
	kt_buf_clear(&said);
	kt_buf_clear(&big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(frames_become_events_however_they_are_cut),
	        cmocka_unit_test(what_the_server_says_can_be_read),
	        cmocka_unit_test(rubbish_ends_with_goaway),
	        cmocka_unit_test(a_stream_that_goes_back_is_reset),
	        cmocka_unit_test(headers_that_unpack_without_end_are_refused),
	};
	return cmocka_run_group_tests_name("edge spdy", tests, NULL, NULL);
}
