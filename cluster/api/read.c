/* SPDX-License-Identifier: MIT */
/* get and list: selectors, chunks, versions. */
#include "cluster/api/internal.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- options (apimachinery pkg/apis/meta/internalversion/validation) --- */
static const struct schema_kind list_options = {
        .group = "meta.k8s.io", .kind = "ListOptions", .resource = ""};

bool api_invalid_options(struct api_request *request, const char *cause, const char *field, const char *fmt,
                         ...)
{
	struct kt_buf text = {0};
	struct kt_json *causes;
	va_list ap;

	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	causes = kt_jsonf("[{reason: %s, message: %s, field: %s}]", cause, kt_buf_str(&text), field);
	api_fail_invalid(&request->status, &list_options, "", causes);
	kt_json_free(causes);
	kt_buf_clear(&text);
	return false;
}

bool api_parse_int(struct api_request *request, const char *text, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	if (!*text || *end || strchr(" \t\n\v\f\r", *text))
		return api_fail(&request->status, 400, "BadRequest",
		                "strconv.ParseInt: parsing \"%s\": invalid syntax", text);
	if (errno == ERANGE)
		return api_fail(&request->status, 400, "BadRequest",
		                "strconv.ParseInt: parsing \"%s\": value out of range", text);
	return true;
}

bool api_parse_version(struct api_request *request, const char *text, uint64_t *out)
{
	bool list = kt_streq(request->verb, "list");

	*out = 0;
	if (!text || !*text)
		return true;
	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '9' || c - text > 18)
			return api_fail(&request->status, list ? 400 : 500, list ? "BadRequest" : "",
			                "%sresourceVersion: Invalid value: \"%s\": strconv.ParseUint: "
			                "parsing \"%s\": "
			                "invalid syntax",
			                list ? "invalid resource version: " : "", text, text);
		*out = *out * 10 + (uint64_t)(*c - '0');
	}
	return true;
}

static bool too_large(struct api_request *request, uint64_t version)
{
	uint64_t now = store_version(cluster_store(request->cluster));

	if (version <= now)
		return false;
	api_fail(&request->status, 504, "Timeout",
	         "Timeout: Too large resource version: %" PRIu64 ", current: %" PRIu64, version, now);
	request->status.details =
	        kt_jsonf("{causes: [{reason: 'ResourceVersionTooLarge', message: 'Too large resource "
	                 "version'}], retryAfterSeconds: 1}");
	return true;
}

/* --- selectors --- */
bool api_filter_init(struct api_filter *filter, struct api_request *request)
{
	const char *labels = api_query(request, "labelSelector"),
	           *fields = api_query(request, "fieldSelector");
	struct kt_buf why = {0};
	bool fine;

	*filter = (struct api_filter){0};
	fine = (!labels || api_labels_parse(labels, &filter->labels, &why)) &&
	       (!fields || api_fields_parse(fields, request->kind, &filter->fields, &why));
	if (!fine)
		api_fail(&request->status, 400, "BadRequest", "%s", kt_buf_str(&why));
	kt_buf_clear(&why);
	for (size_t i = 0; i < filter->fields.count; i++) {
		const struct api_requirement *r = &filter->fields.items[i];

		if (r->op == API_EQUALS && kt_streq(r->key, "metadata.name"))
			filter->name = r->values.items[0];
	}
	if (fine && *request->name && filter->fields.count && !kt_streq(filter->name, request->name)) {
		fine = api_fail(&request->status, 400, "BadRequest",
		                "fieldSelector metadata.name doesn't match requested name");
		api_filter_clear(filter);
		*filter = (struct api_filter){0};
	}
	if (*request->name)
		filter->name = request->name;
	return fine;
}

bool api_filter_matches(const struct api_filter *filter, const struct schema_kind *kind,
                        const struct kt_json *object)
{
	if (filter->name && !kt_streq(kt_path_str(object, "metadata.name"), filter->name))
		return false;
	return api_labels_match(&filter->labels, view_labels(object)) &&
	       api_fields_match(&filter->fields, kind, object);
}

void api_filter_clear(struct api_filter *filter)
{
	api_labels_clear(&filter->labels);
	api_fields_clear(&filter->fields);
}

/* --- get --- */
void api_get(struct api_request *request)
{
	const struct store_object *object;
	uint64_t version;

	if (request->kind->unstored) {
		api_metrics_get(request);
		return;
	}
	if (!api_parse_version(request, api_query(request, "resourceVersion"), &version) ||
	    too_large(request, version))
		return;
	object = store_get(cluster_store(request->cluster), request->kind->storage, request->ns,
	                   request->name);
	if (!object) {
		api_fail_not_found(&request->status, request->kind, request->name);
		return;
	}
	api_respond_object(request, 200, object->json);
}

/* --- the state of one kind at a version: today's objects, and what was different then --- */
struct past {
	const struct store_object **was; /* NULL at the place of `key`: it did not exist */
	const struct store_object **key;
	size_t count, cap, key_cap;
};

static bool past_has(const struct past *past, const struct store_object *key, size_t *at)
{
	for (size_t i = 0; i < past->count; i++) {
		if (strcmp(past->key[i]->name, key->name) == 0 && strcmp(past->key[i]->ns, key->ns) == 0) {
			*at = i;
			return true;
		}
	}
	return false;
}

static void past_init(struct past *past, struct store *store, const struct schema_kind *kind,
                      uint64_t version)
{
	const struct store_event *event;
	uint64_t hint = 0, since = version;
	size_t at;

	*past = (struct past){0};
	while ((event = store_next_event(store, kind, since, hint))) {
		since = hint = event->version;
		/* the first change after `version` knows what was before it */
		if (past_has(past, event->object, &at))
			continue;
		past->was = kt_grow(past->was, &past->cap, past->count + 1, sizeof(*past->was));
		past->key = kt_grow(past->key, &past->key_cap, past->count + 1, sizeof(*past->key));
		past->was[past->count] = event->old;
		past->key[past->count++] = event->object;
	}
}

static void past_clear(struct past *past)
{
	kt_free(past->was);
	kt_free(past->key);
}

static int by_key(const void *a, const void *b)
{
	const struct store_object *x = *(const struct store_object *const *)a;
	const struct store_object *y = *(const struct store_object *const *)b;

	if (strcmp(x->ns, y->ns) == 0)
		return strcmp(x->name, y->name);
	/* as the store orders: a namespace ends with '/' */
	for (const char *p = x->ns, *q = y->ns;; p++, q++) {
		if (*p != *q)
			return (*p ? (unsigned char)*p : '/') - (*q ? (unsigned char)*q : '/');
	}
}

/* --- list --- */
struct listing {
	struct api_request *request;
	struct store *store;
	struct api_filter filter;
	uint64_t version; /* the state that is listed */
	int64_t limit;    /* 0 none */
	char *from_ns, *from_name;
	bool behind; /* start behind from_*, not at it */
	const struct store_object **items;
	size_t count, cap;
	char *continue_token;
	int64_t remaining;
	size_t uncounted; /* behind the page */
};

static void keep(struct listing *list, const struct store_object *object)
{
	if (*list->request->ns && strcmp(object->ns, list->request->ns) != 0)
		return;
	if (!api_filter_matches(&list->filter, list->request->kind, object->json))
		return;
	list->items = kt_grow(list->items, &list->cap, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = object;
}

static char *make_token(uint64_t version, const char *ns, const char *name)
{
	struct kt_buf text = {0}, token = {0};

	kt_buf_addf(&text, "{\"v\":\"meta.k8s.io/v1\",\"rv\":%" PRIu64 ",\"start\":\"%s%s%s\\u0000\"}",
	            version, ns, *ns ? "/" : "", name);
	kt_base64url(text.data, text.len, &token);
	kt_buf_clear(&text);
	return kt_buf_take(&token);
}

/* Everything of today that is behind the start, and then the past over it. */
static void gather(struct listing *list)
{
	const struct schema_kind *kind = list->request->kind->storage;
	const char *ns = *list->request->ns ? list->request->ns : NULL;
	struct store_iter iter =
	        list->from_name ? store_iter_from(list->store, kind, ns, list->from_ns, list->from_name)
	                        : store_iter(list->store, kind, ns);
	struct past past = {0};
	const struct store_object *object;
	size_t at;
	bool countable =
	        list->limit && !list->filter.labels.count && !list->filter.fields.count && !list->filter.name;

	if (list->version < store_kind_version(list->store, kind))
		past_init(&past, list->store, kind, list->version);
	if (list->filter.name && ns && !past.count) {
		object = store_get(list->store, kind, ns, list->filter.name);
		if (object)
			keep(list, object);
		return;
	}
	while ((object = store_next(&iter))) {
		if (past.count && past_has(&past, object, &at))
			continue;
		if (list->behind && strcmp(object->ns, list->from_ns) == 0 &&
		    strcmp(object->name, list->from_name) == 0)
			continue;
		/* one page, and how many are behind it */
		if (countable && !past.count && list->count == (size_t)list->limit)
			list->uncounted++;
		else
			keep(list, object);
	}
	for (size_t i = 0; i < past.count; i++) {
		if (!past.was[i])
			continue;
		if (list->from_name &&
		    by_key(&past.was[i], &(const struct store_object *){&(struct store_object){
		                                 .ns = list->from_ns, .name = list->from_name}}) <= 0)
			continue;
		keep(list, past.was[i]);
	}
	if (past.count && list->count > 1)
		qsort(list->items, list->count, sizeof(*list->items), by_key);
	past_clear(&past);
}

static void cut(struct listing *list)
{
	const struct store_object *last;

	list->remaining = -1;
	if (!list->limit || list->count + list->uncounted <= (size_t)list->limit)
		return;
	/* with selectors the real server cannot count what is left */
	if (!list->filter.labels.count && !list->filter.fields.count)
		list->remaining = (int64_t)(list->count + list->uncounted) - list->limit;
	list->count = (size_t)list->limit;
	last = list->items[list->count - 1];
	list->continue_token = make_token(list->version, *list->request->ns ? "" : last->ns, last->name);
}

static bool expired(struct listing *list, const char *ns, const char *name)
{
	struct api_request *request = list->request;

	(void)ns;
	(void)name;
	return api_fail(
	        &request->status, 410, "Expired",
	        "The provided continue parameter is too old to display a consistent list result. You can "
	        "start "
	        "a new list without the continue parameter, or use the continue token in this response to "
	        "retrieve the remainder of the results. Continuing with the provided token results in an "
	        "inconsistent list - objects that were created, modified, or deleted between the time the "
	        "first chunk was returned and now may show up in the list.");
}

/* Go's words for what JSON cannot begin with. */
static void bad_start(const struct kt_buf *text, struct kt_buf *why)
{
	unsigned char c = text->len ? (unsigned char)text->data[0] : 0;

	if (!text->len)
		kt_buf_adds(why, "unexpected end of JSON input");
	else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		kt_buf_addf(why,
		            c < 0x80 ? "invalid character '\\x%02x' looking for beginning of value"
		                     : "invalid character '\\u%04x' looking for beginning of value",
		            c);
	else if (c < 0x80)
		kt_buf_addf(why, "invalid character '%c' looking for beginning of value", c);
	else
		kt_buf_addf(why, "invalid character '%c%c' looking for beginning of value", 0xc0 | (c >> 6),
		            0x80 | (c & 0x3f));
}

static bool bad_token(struct api_request *request, const char *why)
{
	return api_fail(&request->status, 400, "BadRequest",
	                "invalid continue token: continue key is not valid: %s", why);
}

static bool read_start(struct listing *list, const char *start)
{
	const char *slash = strchr(start, '/');

	if (!*start || strstr(start, ".."))
		return false;
	if (!*list->request->ns && list->request->kind->namespaced) {
		if (!slash)
			return false;
		list->from_ns = kt_strndup(start, (size_t)(slash - start));
		list->from_name = kt_strdup(slash + 1);
	} else {
		list->from_ns = kt_strdup(list->request->ns);
		list->from_name = kt_strdup(start);
	}
	list->behind = true;
	return true;
}

/* The text of "start" without its closing \u0000, which no JSON value here can hold. */
static void drop_nul(struct kt_buf *text)
{
	char *nul = text->data ? strstr(text->data, "\\u0000") : NULL;

	if (nul) {
		memmove(nul, nul + 6, strlen(nul + 6) + 1);
		text->len = strlen(text->data);
	}
}

static bool versionless(struct api_request *request)
{
	const char *version = api_query(request, "resourceVersion");

	return !version || !version[strspn(version, "0")];
}

static bool read_token(struct listing *list, const char *token)
{
	struct api_request *request = list->request;
	struct kt_buf text = {0}, why = {0};
	struct kt_json *json = NULL;
	bool fine = true;

	if (!kt_unbase64(token, strlen(token), &text))
		fine = bad_token(request, "illegal base64 data at input byte 0");
	drop_nul(&text);
	if (fine && kt_json_parse(kt_buf_str(&text), text.len, NULL, &json, NULL, NULL)) {
		bad_start(&text, &why);
		fine = bad_token(request, kt_buf_str(&why));
	}
	if (fine && !kt_streq(kt_get_str(json, "v"), "meta.k8s.io/v1"))
		fine = bad_token(request, "server does not recognize this encoded version");
	if (fine && !read_start(list, kt_str_or(kt_get(json, "start"), "")))
		fine = bad_token(request, "encoded start key empty (version meta.k8s.io/v1)");
	if (fine && !versionless(request))
		fine = api_fail(&request->status, 400, "BadRequest",
		                "specifying resource version is not allowed when using continue");
	if (fine) {
		list->version = (uint64_t)kt_get_int(json, "rv", 0);
		if (list->version < store_kind_compacted(list->store, request->kind->storage) ||
		    list->version > store_version(list->store))
			fine = expired(list, list->from_ns, list->from_name);
	}
	kt_json_free(json);
	kt_buf_clear(&text);
	kt_buf_clear(&why);
	return fine;
}

static bool read_limit(struct listing *list)
{
	const char *text = api_query(list->request, "limit");

	if (!text)
		return true;
	if (!api_parse_int(list->request, text, &list->limit))
		return false;
	if (list->limit < 0)
		list->limit = 0;
	return true;
}

/* apimachinery pkg/apis/meta/internalversion/validation */
bool api_list_options_fit(struct api_request *request, bool watch)
{
	const char *match = api_query(request, "resourceVersionMatch"),
	           *version = api_query(request, "resourceVersion"), *token = api_query(request, "continue");
	bool asked = match && *match, initial = api_query(request, "sendInitialEvents") != NULL,
	     newer = kt_streq(match, "NotOlderThan"), exact = kt_streq(match, "Exact");
	const struct {
		bool wrong;
		const char *field, *message;
	} rows[] = {
	        {watch && initial && !newer, "resourceVersionMatch",
	         "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"},
	        {watch && asked && !initial, "resourceVersionMatch",
	         "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"},
	        {watch && asked && !newer, "resourceVersionMatch", NULL},
	        {!watch && asked && (!version || !*version), "resourceVersionMatch",
	         "resourceVersionMatch is forbidden unless resourceVersion is provided"},
	        {asked && token && *token, "resourceVersionMatch",
	         "resourceVersionMatch is forbidden when continue is provided"},
	        {!watch && asked && !newer && !exact, "resourceVersionMatch", NULL},
	        {!watch && exact && kt_streq(version, "0"), "resourceVersionMatch",
	         "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""},
	        {!watch && initial, "sendInitialEvents", "sendInitialEvents is forbidden for list"},
	};
	struct kt_json *causes = NULL;
	bool fine;

	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		if (!rows[i].wrong)
			continue;
		kt_push(&causes,
		        kt_jsonf("{reason: %s, message: %j, field: %s}",
		                 rows[i].message ? "FieldValueForbidden" : "FieldValueNotSupported",
		                 rows[i].message
		                         ? kt_json_strf("Forbidden: %s", rows[i].message)
		                         : kt_json_strf("Unsupported value: \"%s\": supported values: %s",
		                                        match,
		                                        watch ? "\"NotOlderThan\""
		                                              : "\"Exact\", \"NotOlderThan\", \"\""),
		                 rows[i].field));
	}
	fine = !causes || api_fail_invalid(&request->status, &list_options, "", causes);
	kt_json_free(causes);
	return fine;
}

static bool read_version(struct listing *list)
{
	struct api_request *request = list->request;
	const char *version = api_query(request, "resourceVersion"),
	           *match = api_query(request, "resourceVersionMatch");
	uint64_t asked;

	if (!api_list_options_fit(request, false))
		return false;
	if (!api_parse_version(request, version, &asked) || too_large(request, asked))
		return false;
	/* a limit with an exact version lists that version; without a match it means at least */
	if (asked && kt_streq(match, "Exact")) {
		list->version = asked;
		if (asked < store_kind_compacted(list->store, request->kind->storage))
			return api_fail(&request->status, 410, "Expired",
			                "The resourceVersion for the provided list is too old.");
	}
	return true;
}

static bool timeout_fits(struct api_request *request)
{
	const char *text = api_query(request, "timeoutSeconds");
	int64_t seconds;

	return !text || api_parse_int(request, text, &seconds);
}

void api_list(struct api_request *request)
{
	struct listing list = {.request = request, .store = cluster_store(request->cluster), .remaining = -1};
	const char *token = api_query(request, "continue");

	if (request->kind->unstored) {
		api_metrics_list(request);
		return;
	}
	list.version = store_version(list.store);
	if (!timeout_fits(request))
		return;
	if (read_limit(&list) && api_filter_init(&list.filter, request) && read_version(&list) &&
	    (!token || !*token || read_token(&list, token))) {
		gather(&list);
		cut(&list);
		api_respond_list(request,
		                 &(struct api_list_head){.version = list.version,
		                                         .continue_token = list.continue_token,
		                                         .remaining = list.remaining},
		                 list.items, list.count);
	}
	api_filter_clear(&list.filter);
	kt_free(list.items);
	kt_free(list.from_ns);
	kt_free(list.from_name);
	kt_free(list.continue_token);
}
