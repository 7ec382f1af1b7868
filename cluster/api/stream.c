/* SPDX-License-Identifier: MIT */
#include "cluster/api/internal.h"

enum cluster_stream_kind cluster_stream_kind(const struct cluster_stream *stream)
{
	return stream->ops->kind;
}

enum cluster_stream_state cluster_stream_read(struct cluster_stream *stream, unsigned *channel,
                                              struct kt_buf *out)
{
	return stream->ops->read(stream, channel, out);
}

void cluster_stream_write(struct cluster_stream *stream, unsigned channel, const void *data, size_t len)
{
	if (stream->ops->write)
		stream->ops->write(stream, channel, data, len);
}

void cluster_stream_eof(struct cluster_stream *stream, unsigned channel)
{
	if (stream->ops->eof)
		stream->ops->eof(stream, channel);
}

unsigned cluster_stream_open(struct cluster_stream *stream, unsigned port)
{
	return stream->ops->open ? stream->ops->open(stream, port) : 0;
}

void cluster_stream_notify(struct cluster_stream *stream, void (*fn)(void *arg), void *arg)
{
	stream->notify = fn;
	stream->notify_arg = arg;
}

void cluster_stream_free(struct cluster_stream *stream)
{
	if (stream)
		stream->ops->free(stream);
}

void api_stream_wake(struct cluster_stream *stream)
{
	if (stream->notify)
		stream->notify(stream->notify_arg);
}
