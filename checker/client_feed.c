/* SPDX-License-Identifier: MIT */
/* Changes as they happen: one watch a collection, all over one libcurl multi handle. */
#include "checker/client_internal.h"

#include <string.h>

#define REOPEN_AFTER (1 * KT_SEC)

struct stream {
	struct check_feed *feed;
	char *path;
	CURL *curl; /* NULL: not open */
	struct curl_slist *headers;
	struct kt_buf line;
	kt_ns ended; /* when it last ended, monotonic */
};
struct check_feed {
	struct check_client *client;
	CURLM *multi;
	struct stream *streams;
	size_t count;
	bool changed;
};

/* One line is one event: {"type":"MODIFIED","object":{…}}. */
static void take_line(struct stream *s)
{
	static const char *const quiet[] = {"{\"type\":\"BOOKMARK\"", "{\"type\":\"ERROR\""};
	bool counts = s->line.len > 0;
	for (size_t i = 0; i < KT_COUNT(quiet); i++)
		counts = counts && !kt_starts(kt_buf_str(&s->line), quiet[i]);
	s->feed->changed = s->feed->changed || counts;
	kt_buf_cut(&s->line, 0);
}

/* Only a line's head is kept: its type. */
static size_t take(char *data, size_t size, size_t count, void *arg)
{
	struct stream *s = arg;
	for (size_t i = 0; i < size * count; i++) {
		if (data[i] == '\n')
			take_line(s);
		else if (s->line.len < 64)
			kt_buf_addc(&s->line, data[i]);
	}
	return size * count;
}

static void shut(struct stream *s)
{
	if (!s->curl)
		return;
	curl_multi_remove_handle(s->feed->multi, s->curl);
	curl_easy_cleanup(s->curl);
	curl_slist_free_all(s->headers);
	s->curl = NULL;
	s->headers = NULL;
	s->ended = kt_monotonic();
	kt_buf_clear(&s->line);
}

/* From the version that the collection has now. */
static void open_stream(struct stream *s)
{
	struct check_client *client = s->feed->client;
	struct check_answer answer = {0};
	struct kt_err ignored = {0};
	char *list = kt_strf("%s?limit=1", s->path);
	s->ended = kt_monotonic();
	enum kt_code rc = check_request(client, "GET", list, NULL, NULL, 0, &answer, &ignored);
	const char *version = kt_path_str(answer.json, "metadata.resourceVersion");
	if (!rc && answer.status == 200 && version) {
		char *url = kt_strf("%s%s?watch=true&resourceVersion=%s&timeoutSeconds=600", client->origin,
		                    s->path, version);
		s->curl = curl_easy_init();
		check_curl_setup(client, s->curl);
		for (const struct curl_slist *h = client->auth; h; h = h->next)
			s->headers = curl_slist_append(s->headers, h->data);
		curl_easy_setopt(s->curl, CURLOPT_SHARE, NULL);
		curl_easy_setopt(s->curl, CURLOPT_URL, url);
		curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, s->headers);
		curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, take);
		curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, s);
		curl_multi_add_handle(s->feed->multi, s->curl);
		kt_free(url);
	}
	check_answer_clear(&answer);
	kt_free(list);
}

enum kt_code check_feed_new(struct check_client *client, const char *const *paths, size_t count,
                            struct check_feed **out, struct kt_err *err)
{
	struct check_feed *feed = kt_alloc(sizeof(*feed));
	*feed = (struct check_feed){.client = client, .multi = curl_multi_init(), .count = count};
	if (!feed->multi) {
		kt_free(feed);
		return kt_fail(err, KT_EIO, "libcurl cannot be started");
	}
	feed->streams = kt_alloc(KT_MAX(count, 1) * sizeof(*feed->streams));
	for (size_t i = 0; i < count; i++) {
		feed->streams[i] = (struct stream){.feed = feed, .path = kt_strdup(paths[i])};
		open_stream(&feed->streams[i]);
	}
	*out = feed;
	return KT_OK;
}

void check_feed_free(struct check_feed *feed)
{
	if (!feed)
		return;
	for (size_t i = 0; i < feed->count; i++) {
		shut(&feed->streams[i]);
		kt_free(feed->streams[i].path);
	}
	curl_multi_cleanup(feed->multi);
	kt_free(feed->streams);
	kt_free(feed);
}

/* What came meanwhile; streams that ended. */
static void read_streams(struct check_feed *feed)
{
	int running = 0, left = 0;
	CURLMsg *message;
	curl_multi_perform(feed->multi, &running);
	while ((message = curl_multi_info_read(feed->multi, &left))) {
		CURL *done = message->easy_handle;
		for (size_t i = 0; message->msg == CURLMSG_DONE && i < feed->count; i++)
			if (feed->streams[i].curl == done)
				shut(&feed->streams[i]);
	}
}

/* Whatever happened while a stream was not open counts as a change. */
static void reopen(struct check_feed *feed)
{
	for (size_t i = 0; i < feed->count; i++) {
		struct stream *s = &feed->streams[i];
		if (s->curl || kt_monotonic() - s->ended < REOPEN_AFTER)
			continue;
		open_stream(s);
		feed->changed = feed->changed || s->curl;
	}
}

bool check_feed_wait(struct check_feed *feed, kt_ns span)
{
	kt_ns until = kt_monotonic() + span;
	for (;;) {
		read_streams(feed);
		reopen(feed);
		kt_ns left = until - kt_monotonic();
		if (feed->changed || left <= 0)
			break;
		(void)curl_multi_poll(feed->multi, NULL, 0, (int)(KT_MIN(left, KT_SEC) / KT_MS) + 1, NULL);
	}
	bool changed = feed->changed;
	feed->changed = false;
	return changed;
}
