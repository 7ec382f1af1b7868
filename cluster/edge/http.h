/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 as functions from bytes to requests (RFC 9112): no sockets, nothing kept between calls but what
 * the structs here hold, so that a fuzzer can call them. Strict where leniency has been a hole elsewhere: no
 * folded headers, no two lengths, no length beside chunks, no control characters. */
#ifndef EDGE_HTTP_H
#define EDGE_HTTP_H

#include "cluster/cluster.h"

#define HTTP_MAX_HEAD    (64 * 1024)
#define HTTP_MAX_HEADERS 128
#define HTTP_MAX_TARGET  (16 * 1024)
/* kube-apiserver's limit for a resource in a request (staging/src/k8s.io/apiserver config.go,
 * MaxRequestBodyBytes). */
#define HTTP_MAX_BODY (3 * 1024 * 1024)

struct http_head {
	struct kt_arena arena;
	const char *method, *target;
	unsigned minor; /* HTTP/1.minor */
	struct cluster_header headers[HTTP_MAX_HEADERS];
	size_t header_count;
	uint64_t length; /* of the body; 0 if chunked or none */
	bool chunked, keep_alive, expect_continue;
};

/* Parse the head at the start of `data`. Returns its size; 0: more bytes are needed; -N: refuse with HTTP
 * status N. `head` starts zeroed; http_head_clear() frees it after any outcome. */
ptrdiff_t http_parse_head(const char *data, size_t len, struct http_head *head);
void http_head_clear(struct http_head *head);
/* The first header of that name (any case), or NULL. */
const char *http_header(const struct http_head *head, const char *name);
/* Is `word` in a comma-separated header of that name (any case)? All headers of the name are looked at. */
bool http_header_has(const struct http_head *head, const char *name, const char *word);

/* Chunked bodies: append what `data` holds of the body to `out`. */
struct http_chunks {
	uint64_t left; /* of the chunk at hand */
	int state;
	unsigned line; /* bytes of the size or trailer line so far */
};
/* Returns bytes used, -N to refuse with HTTP status N; `*done` at the end of the body. */
ptrdiff_t http_parse_chunks(struct http_chunks *chunks, const char *data, size_t len, size_t max,
                            struct kt_buf *out, bool *done);

/* Status line and headers of `response`, with the blank line. `length` < 0: chunked, or nothing for status
 * 101. */
void http_print_head(struct kt_buf *out, const struct cluster_response *response, int64_t length,
                     bool chunked, bool keep_alive, kt_ns now);
/* A metav1.Status as the whole body of `response`. */
void http_fail(struct cluster_response *response, int status, const char *reason, const char *message);

#endif
