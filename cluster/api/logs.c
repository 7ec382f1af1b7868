/* SPDX-License-Identifier: MIT */
/* pods/log: the text so far, and with ?follow what comes after it. */
#include "cluster/api/internal.h"
#include "cluster/kubelet/kubelet.h"
#include <stdlib.h>
#include <string.h>

#define LOOK_EVERY (100 * KT_MS)

struct log_stream {
	struct cluster_stream stream;
	struct cluster *cluster;
	char *ns, *pod, *container;
	struct kubelet_log_options options;
	uint64_t position, timer;
	bool over;
};

static void look(struct cluster *cluster, void *arg)
{
	struct log_stream *log = arg;

	log->timer = cluster_after(cluster, LOOK_EVERY, look, log);
	api_stream_wake(&log->stream);
}

static enum cluster_stream_state log_read(struct cluster_stream *stream, unsigned *channel,
                                          struct kt_buf *out)
{
	struct log_stream *log = (struct log_stream *)stream;
	size_t before = out->len;

	*channel = 0;
	if (!log->over &&
	    !kubelet_log_more(log->cluster, log->ns, log->pod, &log->options, out, &log->position))
		log->over = true;
	if (out->len > before)
		return CLUSTER_STREAM_DATA;
	return log->over ? CLUSTER_STREAM_END : CLUSTER_STREAM_WAIT;
}

static void log_free(struct cluster_stream *stream)
{
	struct log_stream *log = (struct log_stream *)stream;

	cluster_cancel(log->cluster, log->timer);
	kt_free(log->ns);
	kt_free(log->pod);
	kt_free(log->container);
	kt_free(log);
}

static const struct api_stream_ops log_ops = {
        .kind = CLUSTER_STREAM_CHUNKS,
        .read = log_read,
        .free = log_free,
};

static struct cluster_stream *follow(struct api_request *request, const struct kubelet_log_options *options,
                                     uint64_t position)
{
	struct log_stream *log = kt_alloc(sizeof(*log));

	log->stream.ops = &log_ops;
	log->cluster = request->cluster;
	log->ns = kt_strdup(request->ns);
	log->pod = kt_strdup(request->name);
	log->container = kt_strdup(options->container);
	log->options = *options;
	log->options.container = log->container;
	log->position = position;
	log->timer = cluster_after(request->cluster, LOOK_EVERY, look, log);
	return &log->stream;
}

/* --- options (PodLogOptions) --- */
static bool number_option(struct api_request *request, const char *name, int64_t *out)
{
	const char *text = api_query(request, name);
	char *end;

	if (!text || !*text)
		return true;
	*out = strtoll(text, &end, 10);
	return !*end || api_fail(&request->status, 400, "BadRequest",
	                         "strconv.ParseInt: parsing \"%s\": invalid syntax", text);
}

static bool time_option(struct api_request *request, const char *name, kt_ns *out)
{
	const char *text = api_query(request, name);
	struct kt_buf why = {0};

	if (!text || !*text)
		return true;
	if (kt_time_parse(text, out)) {
		*out += cluster_wire_offset(request->cluster);
		return true;
	}
	kt_time_fault(text, false, &why);
	api_fail(&request->status, 400, "BadRequest", "%s", kt_buf_str(&why));
	kt_buf_clear(&why);
	return false;
}

static void check_least(const struct api_request *request, const char *name, int64_t least, int64_t is,
                        struct rules_errors *errors)
{
	const char *text = api_query(request, name);
	struct kt_json *value;

	if (!text || !*text || is >= least)
		return;
	value = kt_json_int(is);
	rules_error(errors, "FieldValueInvalid", name, value,
	            least ? "must be greater than 0" : "must be greater than or equal to 0");
	kt_json_free(value);
}

/* ValidatePodLogOptions. */
static bool options_fit(struct api_request *request, const struct kubelet_log_options *options,
                        int64_t seconds)
{
	static const struct schema_kind kind = {.group = "", .kind = "PodLogOptions", .resource = ""};
	const char *time = api_query(request, "sinceTime"), *stream = api_query(request, "stream"),
	           *since = api_query(request, "sinceSeconds");
	struct rules_errors errors = {0};
	bool fine;

	check_least(request, "tailLines", 0, options->tail, &errors);
	check_least(request, "limitBytes", 1, options->limit_bytes, &errors);
	if (time && *time && since && *since)
		rules_error(&errors, "FieldValueForbidden", "[]", NULL,
		            "at most one of `sinceTime` or `sinceSeconds` may be specified");
	else
		check_least(request, "sinceSeconds", 1, seconds, &errors);
	if (stream)
		rules_error(&errors, "FieldValueForbidden", "stream", NULL, "may not be specified");
	fine = !errors.causes;
	if (!fine)
		api_fail_invalid(&request->status, &kind, request->name, errors.causes);
	rules_errors_clear(&errors);
	return fine;
}

static bool read_options(struct api_request *request, struct kubelet_log_options *out)
{
	int64_t seconds = -1;
	const char *container = api_query(request, "container");

	*out = (struct kubelet_log_options){
	        .container = container && *container ? container : NULL,
	        .previous = api_query_bool(request, "previous"),
	        .timestamps = api_query_bool(request, "timestamps"),
	        .follow = api_query_bool(request, "follow"),
	        .tail = -1,
	        .limit_bytes = -1,
	};
	if (!number_option(request, "tailLines", &out->tail) ||
	    !number_option(request, "limitBytes", &out->limit_bytes) ||
	    !number_option(request, "sinceSeconds", &seconds) ||
	    !time_option(request, "sinceTime", &out->since) || !options_fit(request, out, seconds))
		return false;
	if (seconds > 0)
		out->since = cluster_now(request->cluster) - seconds * KT_SEC;
	return true;
}

void api_log_request(struct api_request *request)
{
	struct kubelet_log_options options;
	struct kt_buf text = {0};
	uint64_t position = 0;
	char *why = NULL;

	if (!read_options(request, &options))
		return;
	if (!store_get(cluster_store(request->cluster), request->kind->storage, request->ns, request->name)) {
		api_fail_not_found(&request->status, request->kind, request->name);
		return;
	}
	if (kubelet_log(request->cluster, request->ns, request->name, &options, &text, &position, &why)) {
		api_respond_text(request, 200, "text/plain", "");
		kt_buf_add(&request->response->body, text.data, text.len);
		if (options.follow)
			request->response->stream = follow(request, &options, position);
	} else if (why && (kt_starts(why, "Get \"") || kt_starts(why, "no preferred"))) {
		api_fail(&request->status, 500, "", "%s", why);
	} else {
		api_fail(&request->status, 400, "BadRequest", "%s", why ? why : "the log cannot be read");
	}
	kt_free(why);
	kt_buf_clear(&text);
}
