/* SPDX-License-Identifier: MIT */
#include "cluster/edge/http.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

static ptrdiff_t parse(struct http_head *head, const char *text)
{
	memset(head, 0, sizeof *head);
	return http_parse_head(text, strlen(text), head);
}

static void a_whole_head_is_taken_apart(void **state)
{
	static const char text[] = "PATCH /api/v1/nodes/n1?x=%20 HTTP/1.1\r\nHost: h\r\nAccept:  a, b \r\n"
	                           "content-LENGTH: 12\r\nConnection: keep-alive, Upgrade\r\n\r\nbody";
	struct http_head head;
	(void)state;
	assert_int_equal(parse(&head, text), (ptrdiff_t)strlen(text) - 4);
	assert_string_equal(head.method, "PATCH");
	assert_string_equal(head.target, "/api/v1/nodes/n1?x=%20");
	assert_string_equal(http_header(&head, "ACCEPT"), "a, b");
	assert_true(http_header_has(&head, "accept", "B"));
	assert_true(http_header_has(&head, "connection", "upgrade"));
	assert_false(http_header_has(&head, "connection", "up"));
	assert_int_equal(head.length, 12);
	assert_true(head.keep_alive);
	http_head_clear(&head);
}

static void a_cut_head_waits_for_more_at_every_byte(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
	(void)state;
	for (size_t len = 0; len < sizeof text - 1; len++) {
		struct http_head head = {0};
		assert_int_equal(http_parse_head(text, len, &head), 0);
		http_head_clear(&head);
	}
}

static void what_is_not_a_request_is_refused_with_the_right_status(void **state)
{
	static const struct {
		const char *text;
		int status;
	} rows[] = {
	        {"GET\r\n\r\n", 400},
	        {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
	        {"GET / HTTX/1.1\r\nHost: h\r\n\r\n", 400},
	        {"G T / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	        {"GET / HTTP/1.1\r\n\r\n", 400}, /* no Host */
	        {"GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n", 400},
	        {"GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400},
	        {"GET / HTTP/1.1\r\nHost: h\x01\r\n\r\n", 400},
	        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
	        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n", 400},
	        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", 413},
	        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
	         400},
	        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
	        {"POST / HTTP/1.1\r\nHost: h\r\nExpect: miracles\r\n\r\n", 417},
	};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct http_head head;
		if (parse(&head, rows[i].text) != -rows[i].status)
			fail_msg("row %zu: not %d", i, rows[i].status);
		http_head_clear(&head);
	}
}

static void an_endless_head_is_refused(void **state)
{
	struct kt_buf text = {0};
	struct http_head head = {0};
	(void)state;
	kt_buf_adds(&text, "GET / HTTP/1.1\r\nHost: h\r\nX: ");
	while (text.len < HTTP_MAX_HEAD)
		kt_buf_addc(&text, 'x');
	assert_int_equal(http_parse_head(text.data, text.len, &head), -431);
	http_head_clear(&head);
	kt_buf_cut(&text, 0);
	kt_buf_adds(&text, "GET / HTTP/1.1\r\nHost: h\r\n");
	for (int i = 0; i < HTTP_MAX_HEADERS; i++)
		kt_buf_adds(&text, "A: b\r\n");
	kt_buf_adds(&text, "\r\n");
	assert_int_equal(http_parse_head(text.data, text.len, &head), -431);
	http_head_clear(&head);
	kt_buf_clear(&text);
}

static void chunks_come_whole_however_they_are_cut(void **state)
{
	static const char text[] =
	        "4\r\nWiki\r\n6;ext=1\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nTrailer: x\r\n\r\nNEXT";
	(void)state;
	for (size_t cut = 0; cut < sizeof text; cut++) {
		struct http_chunks chunks = {0};
		struct kt_buf out = {0};
		bool done;
		ptrdiff_t first = http_parse_chunks(&chunks, text, cut, 1000, &out, &done);
		assert_true(first >= 0);
		if (!done)
			first += http_parse_chunks(&chunks, text + first, sizeof text - 1 - (size_t)first,
			                           1000, &out, &done);
		assert_true(done);
		assert_string_equal(kt_buf_str(&out), "Wikipedia in \r\n\r\nchunks.");
		assert_string_equal(text + first, "NEXT");
		kt_buf_clear(&out);
	}
}

static void wrong_chunks_are_refused(void **state)
{
	static const struct {
		const char *text;
		int status;
	} rows[] = {{"x\r\n", 400},
	            {"\r\n", 400},
	            {"4\r\nWikiX", 400},
	            {"fffffffff\r\n", 413},
	            {"ffff\r\n1234567890x", 413}};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct http_chunks chunks = {0};
		struct kt_buf out = {0};
		bool done;
		assert_int_equal(
		        http_parse_chunks(&chunks, rows[i].text, strlen(rows[i].text), 10, &out, &done),
		        -rows[i].status);
		kt_buf_clear(&out);
	}
}

static void a_header_with_a_line_break_in_it_is_not_printed(void **state)
{
	struct cluster_response response = {.status = 200};
	struct kt_buf out = {0};
	(void)state;
	kt_strs_add(&response.headers.names, "Warning");
	kt_strs_add(&response.headers.values, "299 - \"x\"\r\nSet-Cookie: y");
	kt_strs_add(&response.headers.names, "ETag");
	kt_strs_add(&response.headers.values, "\"1\"");
	http_print_head(&out, &response, 5, false, true, 0);
	assert_null(strstr(out.data, "Cookie"));
	assert_non_null(strstr(out.data,
	                       "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
	                       "Content-Length: 5\r\n\r\n"));
	kt_buf_clear(&out);
	kt_strs_clear(&response.headers.names);
	kt_strs_clear(&response.headers.values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_whole_head_is_taken_apart),
	        cmocka_unit_test(a_cut_head_waits_for_more_at_every_byte),
	        cmocka_unit_test(what_is_not_a_request_is_refused_with_the_right_status),
	        cmocka_unit_test(an_endless_head_is_refused),
	        cmocka_unit_test(chunks_come_whole_however_they_are_cut),
	        cmocka_unit_test(wrong_chunks_are_refused),
	        cmocka_unit_test(a_header_with_a_line_break_in_it_is_not_printed),
	};
	return cmocka_run_group_tests_name("edge http", tests, NULL, NULL);
}
