/* SPDX-License-Identifier: MIT */
/* A thousand watches while things are written: what a second's thousand writes cost until every watch has
 * read all that it was to see. Prints "WHAT  MEASURED  BUDGET" a line; a lost event is a failure. */
#include "cluster/cluster.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WATCHES 1000
#define WRITES  1000

static int handle(struct cluster *cluster, const char *method, const char *target, const char *body,
                  struct cluster_stream **stream)
{
	static const struct cluster_header headers[] = {{"Accept", "application/json"},
	                                                {"Content-Type", "application/json"}};
	struct cluster_request request = {.method = method,
	                                  .target = target,
	                                  .headers = headers,
	                                  .header_count = 2,
	                                  .body = body,
	                                  .body_len = body ? strlen(body) : 0,
	                                  .loopback_admin = true};
	struct cluster_response response = {0};
	cluster_handle(cluster, &request, &response);
	int status = response.status;
	if (stream) {
		*stream = response.stream;
		response.stream = NULL;
	}
	cluster_response_clear(&response);
	return status;
}

/* Events are lines. */
static size_t read_all(struct cluster_stream *stream)
{
	struct kt_buf data = {0};
	unsigned channel;
	size_t lines = 0;
	while (cluster_stream_read(stream, &channel, &data) == CLUSTER_STREAM_DATA) {
		for (size_t i = 0; i < data.len; i++)
			lines += data.data[i] == '\n';
		kt_buf_cut(&data, 0);
	}
	kt_buf_clear(&data);
	return lines;
}

/* `spaces` namespaces; watch i looks at one of them, write j goes to one of them. */
static int measure(struct cluster *cluster, unsigned spaces)
{
	static struct cluster_stream *streams[WATCHES];
	size_t seen = 0, expected = (size_t)WATCHES * WRITES / spaces;
	char target[128], body[256];
	for (unsigned i = 0; i < spaces; i++) {
		(void)snprintf(body, sizeof body, "{\"metadata\":{\"name\":\"w%u-%u\"}}", spaces, i);
		(void)handle(cluster, "POST", "/api/v1/namespaces", body, NULL);
	}
	cluster_advance(cluster, cluster_now(cluster) + 5 * KT_SEC);
	for (unsigned i = 0; i < WATCHES; i++) {
		(void)snprintf(target, sizeof target, "/api/v1/namespaces/w%u-%u/secrets?watch=1", spaces,
		               i % spaces);
		(void)handle(cluster, "GET", target, NULL, &streams[i]);
		(void)read_all(streams[i]);
	}
	clock_t start = clock(); /* of the CPU: what else the machine does is not measured */
	for (unsigned j = 0; j < WRITES; j++) {
		(void)snprintf(target, sizeof target, "/api/v1/namespaces/w%u-%u/secrets", spaces,
		               j % spaces);
		(void)snprintf(body, sizeof body,
		               "{\"metadata\":{\"name\":\"s%u\"},\"stringData\":{\"a\":\"b\"}}", j);
		(void)handle(cluster, "POST", target, body, NULL);
		/* as the edge does: after each round of requests the streams are read */
		for (unsigned i = 0; i < WATCHES && j % 10 == 9; i++)
			seen += read_all(streams[i]);
	}
	double took = (double)(clock() - start) / CLOCKS_PER_SEC;
	for (unsigned i = 0; i < WATCHES; i++)
		cluster_stream_free(streams[i]);
	(void)printf("1,000 watches of %4u namespaces: 1,000 writes, %7zu events %9.3f s    budget <= 1 s\n",
	             spaces, seen, took);
	if (seen != expected)
		(void)fprintf(stderr, "bench_watch: %zu events were seen, not %zu\n", seen, expected);
	return seen != expected;
}

int main(void)
{
	const struct cluster_options options = {
	        .name = "bench", .seed = 1, .now = 1767225600 * KT_SEC, .workers = 1};
	struct cluster *cluster = NULL;
	if (cluster_new(&options, &cluster, NULL))
		return 1;
	int bad = measure(cluster, 100) | measure(cluster, 1);
	cluster_free(cluster);
	return bad;
}
