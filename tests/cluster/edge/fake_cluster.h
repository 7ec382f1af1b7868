/* SPDX-License-Identifier: MIT */
/* A cluster that is no cluster: everything of cluster.h, with routes that show what the edge does with them.
 * Linked instead of the real one, so that the edge's tests say exactly what comes when. Include it once in a
 * program. GET  /fake/hello      200 "hello USER"           POST /fake/echo      the body; counts as a change
 *   GET  /fake/big?N      N bytes                    GET  /fake/watch     a stream: what POST /fake/say says,
 * until POST /fake/end        … ends all streams         GET  /fake/rounds     "FLUSHES CHANGES", both so far
 *   any  /fake/exec      a terminal that echoes stdin to
 * stdout, any  /fake/forward    every port echoes          and with the end of stdin ends with a Status on
 * channel 3 */
#ifndef FAKE_CLUSTER_H
#define FAKE_CLUSTER_H

#include "cluster/cluster.h"
#include "cluster/network/network.h"
#include <stdlib.h>
#include <string.h>

#define FAKE_CHANNELS 64

struct cluster_stream {
	struct cluster *cluster;
	struct cluster_stream *next;
	enum cluster_stream_kind kind;
	struct kt_buf out[FAKE_CHANNELS];
	bool eof[FAKE_CHANNELS], eof_said[FAKE_CHANNELS];
	unsigned ports;
	bool ended;
	void (*fn)(void *arg);
	void *arg;
};
struct cluster {
	kt_ns now, next, every; /* every: what is due is due again; 0: not */
	unsigned changes, flushed, rounds;
	bool flush_fails;
	struct cluster_stream *streams;
	const struct cluster_journal *journal;
	char *said;
};

enum kt_code cluster_new(const struct cluster_options *options, struct cluster **out, struct kt_err *err)
{
	struct cluster *cluster = kt_alloc(sizeof *cluster);
	(void)err;
	cluster->now = options->now;
	cluster->next = INT64_MAX;
	cluster->journal = options->journal;
	*out = cluster;
	return KT_OK;
}

void cluster_free(struct cluster *cluster)
{
	if (!cluster)
		return;
	kt_free(cluster->said);
	kt_free(cluster);
}

kt_ns cluster_now(const struct cluster *cluster)
{
	return cluster->now;
}

kt_ns cluster_next(const struct cluster *cluster)
{
	return cluster->next;
}

void cluster_advance(struct cluster *cluster, kt_ns until)
{
	if (cluster->next <= until) {
		cluster->next = cluster->every ? cluster->next + cluster->every : INT64_MAX;
		cluster->changes++;
	}
	cluster->now = KT_MAX(cluster->now, until);
}

bool cluster_advance_to_change(struct cluster *cluster, kt_ns until)
{
	bool change = cluster->next <= until;
	cluster_advance(cluster, change ? cluster->next : until);
	return change;
}

void cluster_set_wire_offset(struct cluster *cluster, kt_ns offset)
{
	(void)cluster;
	(void)offset;
}

enum kt_code cluster_flush(struct cluster *cluster, struct kt_err *err)
{
	cluster->rounds++;
	if (cluster->flush_fails && cluster->flushed != cluster->changes)
		return kt_fail(err, KT_EIO, "the disk is full");
	cluster->flushed = cluster->changes;
	return KT_OK;
}

static void fake_news(struct cluster_stream *stream)
{
	if (stream->fn)
		stream->fn(stream->arg);
}

static struct cluster_stream *fake_stream(struct cluster *cluster, enum cluster_stream_kind kind)
{
	struct cluster_stream *stream = kt_alloc(sizeof *stream);
	stream->cluster = cluster;
	stream->kind = kind;
	stream->next = cluster->streams;
	cluster->streams = stream;
	return stream;
}

static void fake_say(struct cluster *cluster, const char *text, size_t len, bool end)
{
	for (struct cluster_stream *s = cluster->streams; s; s = s->next) {
		kt_buf_add(&s->out[s->kind == CLUSTER_STREAM_EXEC ? 1 : 0], text, len);
		s->ended = s->ended || end;
		fake_news(s);
	}
}

void cluster_handle(struct cluster *cluster, const struct cluster_request *request,
                    struct cluster_response *response)
{
	const char *path = request->target;
	response->status = 200;
	memcpy(response->content_type, "text/plain", sizeof "text/plain");
	if (kt_starts(path, "/fake/hello")) {
		kt_buf_addf(&response->body, "hello %s", request->cert_user ? request->cert_user : "nobody");
	} else if (kt_starts(path, "/fake/rounds")) {
		kt_buf_addf(&response->body, "{\"rounds\": %u, \"changes\": %u}", cluster->rounds,
		            cluster->changes);
	} else if (kt_starts(path, "/fake/echo")) {
		cluster->changes++;
		kt_buf_add(&response->body, request->body_len ? request->body : "", request->body_len);
	} else if (kt_starts(path, "/fake/big?")) {
		for (long left = strtol(path + 10, NULL, 10); left > 0; left--)
			kt_buf_addc(&response->body, 'x');
	} else if (kt_starts(path, "/fake/watch")) {
		kt_buf_adds(&response->body, "first\n");
		response->stream = fake_stream(cluster, CLUSTER_STREAM_CHUNKS);
	} else if (kt_starts(path, "/fake/say")) {
		fake_say(cluster, request->body, request->body_len, false);
	} else if (kt_starts(path, "/fake/end")) {
		fake_say(cluster, "", 0, true);
	} else if (kt_starts(path, "/fake/exec") || kt_starts(path, "/fake/forward")) {
		response->status = 101;
		response->stream =
		        fake_stream(cluster, kt_starts(path, "/fake/exec") ? CLUSTER_STREAM_EXEC
		                                                           : CLUSTER_STREAM_PORTFORWARD);
	} else {
		response->status = 404;
	}
}

void cluster_response_clear(struct cluster_response *response)
{
	kt_buf_clear(&response->body);
	kt_strs_clear(&response->headers.names);
	kt_strs_clear(&response->headers.values);
	cluster_stream_free(response->stream);
	response->stream = NULL;
}

enum cluster_stream_kind cluster_stream_kind(const struct cluster_stream *stream)
{
	return stream->kind;
}

enum cluster_stream_state cluster_stream_read(struct cluster_stream *stream, unsigned *channel,
                                              struct kt_buf *out)
{
	for (unsigned i = 0; i < FAKE_CHANNELS; i++) {
		*channel = i;
		if (stream->out[i].len) {
			kt_buf_add(out, stream->out[i].data, stream->out[i].len);
			kt_buf_clear(&stream->out[i]);
			return CLUSTER_STREAM_DATA;
		}
		if (stream->kind == CLUSTER_STREAM_PORTFORWARD && stream->eof[i] && !stream->eof_said[i]) {
			stream->eof_said[i] = true;
			return CLUSTER_STREAM_DATA;
		}
	}
	return stream->ended ? CLUSTER_STREAM_END : CLUSTER_STREAM_WAIT;
}

void cluster_stream_write(struct cluster_stream *stream, unsigned channel, const void *data, size_t len)
{
	if (channel < FAKE_CHANNELS)
		kt_buf_add(
		        &stream->out[stream->kind == CLUSTER_STREAM_EXEC ? (channel == 4 ? 2 : 1) : channel],
		        data, len);
	fake_news(stream);
}

void cluster_stream_eof(struct cluster_stream *stream, unsigned channel)
{
	if (channel < FAKE_CHANNELS)
		stream->eof[channel] = true;
	if (stream->kind == CLUSTER_STREAM_EXEC && channel == 0) {
		kt_buf_adds(&stream->out[3], "{\"status\":\"Success\"}");
		stream->ended = true;
	}
	fake_news(stream);
}

unsigned cluster_stream_open(struct cluster_stream *stream, unsigned port)
{
	unsigned index = stream->ports++;
	if (2 * index < FAKE_CHANNELS)
		kt_buf_addf(&stream->out[2 * index], "port %u\n", port);
	return index;
}

void cluster_stream_notify(struct cluster_stream *stream, void (*fn)(void *arg), void *arg)
{
	stream->fn = fn;
	stream->arg = arg;
}

void cluster_stream_free(struct cluster_stream *stream)
{
	if (!stream)
		return;
	struct cluster_stream **slot = &stream->cluster->streams;
	while (*slot && *slot != stream)
		slot = &(*slot)->next;
	if (*slot)
		*slot = stream->next;
	for (unsigned i = 0; i < FAKE_CHANNELS; i++)
		kt_buf_clear(&stream->out[i]);
	kt_free(stream);
}

enum kt_code cluster_disturb(struct cluster *cluster, const struct kt_json *what, struct kt_json **out_result,
                             struct kt_err *err)
{
	(void)cluster;
	if (!kt_get(what, "node"))
		return kt_fail(err, KT_EINVAL, "there is no such step");
	*out_result = kt_jsonf("{done: %J}", what);
	return KT_OK;
}

struct cluster_snapshot {
	kt_ns now;
};

struct cluster_snapshot *cluster_snapshot(struct cluster *cluster)
{
	struct cluster_snapshot *snapshot = kt_alloc(sizeof *snapshot);
	snapshot->now = cluster->now;
	return snapshot;
}

void cluster_restore(struct cluster *cluster, const struct cluster_snapshot *snapshot)
{
	cluster->now = snapshot->now;
}

void cluster_snapshot_free(struct cluster_snapshot *snapshot)
{
	kt_free(snapshot);
}

enum kt_code cluster_rewind(struct cluster *cluster, kt_ns t, struct kt_err *err)
{
	(void)err;
	cluster->now = t;
	return KT_OK;
}

struct kt_json *cluster_history(struct cluster *cluster, const char *object, uint64_t since, size_t limit)
{
	(void)cluster;
	(void)limit;
	return kt_jsonf("{object: %s, since: %l, events: []}", object, (int64_t)since);
}

struct kt_json *cluster_traffic(struct cluster *cluster, kt_ns since)
{
	(void)since;
	(void)cluster;
	return kt_json_array();
}

#endif
