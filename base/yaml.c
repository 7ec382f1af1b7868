/* SPDX-License-Identifier: MIT */
/* YAML in, through libyaml's events. */
#include "base/yaml.h"

#include "base/file.h"
#include "base/json_internal.h"
#include "base/yaml_internal.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MAX_BYTES = 4 << 20, MAX_DEPTH = 100, MAX_ALIASED = 10000, MAX_ANCHORS = 1000, MAX_DOCUMENTS = 10000 };

/* Where a node stands; of an object also where its keys do. */
struct place {
	const struct kt_json *node; /* NULL: free */
	unsigned line;
	size_t keys; /* first of its keys' lines */
};

struct kt_yaml {
	char *file;
	struct kt_json **docs;
	size_t doc_count, doc_cap;
	struct place *places; /* a hash table, by address */
	size_t place_count, place_cap;
	unsigned *key_lines;
	size_t key_count, key_cap;
};

struct anchor {
	char *name;
	struct kt_json *node; /* held: what it named may have been a key or given way in a merge */
};

struct loader {
	yaml_parser_t parser;
	struct kt_yaml *yaml;
	struct kt_err *err;
	struct anchor *anchors;
	size_t anchor_count, anchor_cap, named_count;
	size_t depth, aliased;
	bool letters; /* y and n are texts */
};

/* --- places --- */

static size_t slot_of(const struct kt_yaml *yaml, const struct kt_json *node)
{
	uint64_t hash = (uint64_t)(uintptr_t)node * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(hash >> 32) & (yaml->place_cap - 1);
	while (yaml->places[i].node && yaml->places[i].node != node)
		i = (i + 1) & (yaml->place_cap - 1);
	return i;
}

static void grow_places(struct kt_yaml *yaml)
{
	struct place *old = yaml->places;
	size_t n = yaml->place_cap;
	yaml->place_cap = n ? 2 * n : 64;
	yaml->places = kt_alloc(yaml->place_cap * sizeof(*old));
	for (size_t i = 0; i < n; i++)
		if (old[i].node)
			yaml->places[slot_of(yaml, old[i].node)] = old[i];
	kt_free(old);
}

static void put_place(struct kt_yaml *yaml, const struct kt_json *node, unsigned line, size_t keys)
{
	if (4 * (yaml->place_count + 1) > 3 * yaml->place_cap)
		grow_places(yaml);
	size_t i = slot_of(yaml, node);
	yaml->place_count += !yaml->places[i].node;
	yaml->places[i] = (struct place){node, line, keys};
}

static const struct place *get_place(const struct kt_yaml *yaml, const struct kt_json *node)
{
	const struct place *place = node && yaml->place_cap ? &yaml->places[slot_of(yaml, node)] : NULL;
	return place && place->node ? place : NULL;
}

unsigned kt_yaml_line(const struct kt_yaml *yaml, const struct kt_json *node)
{
	const struct place *place = get_place(yaml, node);
	return place ? place->line : 0;
}

unsigned kt_yaml_key_line(const struct kt_yaml *yaml, const struct kt_json *object, size_t i)
{
	const struct place *place = get_place(yaml, object);
	return place && kt_is_object(object) && i < kt_count(object) ? yaml->key_lines[place->keys + i] : 0;
}

/* --- what is wrong --- */

static struct kt_json *fail_at(struct loader *ld, const yaml_mark_t *mark, enum kt_code code,
                               const char *what)
{
	kt_fail(ld->err, code, "%s:%zu: %s", ld->yaml->file, mark->line + 1, what);
	return NULL;
}

/* What mostly stands behind words of libyaml that say how it reads, not what to write. */
static const char *advice(const char *problem)
{
	static const struct {
		const char *problem, *advice;
	} rows[] = {
	        {"did not find expected ',' or '}'", "a text with [ ] { } , or : inside { } wants quotes"},
	        {"did not find expected ',' or ']'", "a text with [ ] { } , or : inside [ ] wants quotes"},
	        {"found character that cannot start any token",
	         "a text that begins with ` @ % or a tab wants quotes"},
	        {"mapping values are not allowed in this context", "a text with `: ` in it wants quotes"},
	        {"did not find expected key",
	         "a quote that is not closed, or another indent than the lines above"},
	        {"found unexpected end of stream", "a quote or bracket that is not closed"},
	};
	for (size_t i = 0; i < KT_COUNT(rows); i++)
		if (!strcmp(problem, rows[i].problem))
			return rows[i].advice;
	return NULL;
}

static bool next_event(struct loader *ld, yaml_event_t *event)
{
	if (yaml_parser_parse(&ld->parser, event))
		return true;
	const yaml_parser_t *p = &ld->parser;
	const char *problem = p->problem ? p->problem : "cannot be read";
	if (p->error == YAML_READER_ERROR) {
		kt_fail(ld->err, KT_EINVAL, "%s: %s (byte %zu)", ld->yaml->file, problem, p->problem_offset);
	} else {
		struct kt_buf more = {0};
		if (p->context && p->context_mark.line != p->problem_mark.line)
			kt_buf_addf(&more, " (%s that began in line %zu)", p->context,
			            p->context_mark.line + 1);
		if (ld->letters && advice(problem)) /* a file of ours */
			kt_buf_addf(&more, "; %s", advice(problem));
		kt_fail(ld->err, KT_EINVAL, "%s:%zu: %s%s", ld->yaml->file, p->problem_mark.line + 1, problem,
		        kt_buf_str(&more));
		kt_buf_clear(&more);
	}
	return false;
}

/* --- scalars --- */

static const char core_tag[] = "tag:yaml.org,2002:";

/* The value of a scalar with a tag of the YAML core ("int"), NULL when it is none. */
static struct kt_json *read_tagged(struct loader *ld, const yaml_event_t *event, const char *s, size_t len,
                                   const char *tag)
{
	static const struct {
		const char *tag;
		enum yaml_kind kind;
	} tags[] = {{"int", YAML_INT},
	            {"float", YAML_REAL},
	            {"bool", YAML_BOOL},
	            {"null", YAML_NULL},
	            {"timestamp", YAML_TIME}};
	for (size_t i = 0; i < KT_COUNT(tags); i++) {
		if (!kt_streq(tag, tags[i].tag))
			continue;
		struct kt_json *v = NULL;
		enum yaml_kind kind = yaml_resolve(s, len, &v);
		if (kind == tags[i].kind)
			return v;
		if (kind == YAML_INT && tags[i].kind == YAML_REAL) {
			struct kt_json *real = kt_json_real(kt_real_or(v, 0));
			kt_json_free(v);
			return real;
		}
		kt_json_free(v);
		return fail_at(ld, &event->start_mark, KT_EINVAL, "the value is not what its tag says");
	}
	return json_fresh_string(s, len); /* !!str, !!binary and foreign tags */
}

static struct kt_json *read_scalar(struct loader *ld, const yaml_event_t *event)
{
	const char *s = (const char *)event->data.scalar.value, *tag = (const char *)event->data.scalar.tag;
	size_t len = event->data.scalar.length;
	if (memchr(s, 0, len))
		return fail_at(ld, &event->start_mark, KT_EUNSUPPORTED, "a string holds \\0");
	if (tag && *tag && !kt_streq(tag, "!"))
		return read_tagged(ld, event, s, len,
		                   kt_starts(tag, core_tag) ? tag + sizeof(core_tag) - 1 : "str");
	if (tag || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return json_fresh_string(s, len);
	if (ld->letters && len == 1 && strchr("yYnN", *s))
		return json_fresh_string(s, len);
	struct kt_json *v = NULL;
	enum yaml_kind kind = yaml_resolve(s, len, &v);
	if (kind == YAML_BEYOND)
		return fail_at(ld, &event->start_mark, KT_EINVAL, "infinity and NaN cannot be said in JSON");
	return v ? v : json_fresh_string(s, len);
}

/* --- containers --- */

struct row {
	struct kt_json *key;
	struct kt_json *value;
	unsigned line;
	size_t at;
	bool merged;
};

struct rows {
	struct row *items;
	size_t count, cap;
};

static void add_row(struct rows *rows, struct kt_json *key, struct kt_json *value, unsigned line, bool merged)
{
	rows->items = kt_grow(rows->items, &rows->cap, rows->count + 1, sizeof(*rows->items));
	rows->items[rows->count] = (struct row){key, value, line, rows->count, merged};
	rows->count++;
}

static void clear_rows(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		kt_json_free(rows->items[i].key);
		kt_json_free(rows->items[i].value);
	}
	kt_free(rows->items);
}

static struct kt_json *make_array(struct kt_yaml *yaml, struct rows *rows, unsigned line)
{
	struct kt_json **items = kt_alloc((rows->count + 1) * sizeof(*items));
	for (size_t i = 0; i < rows->count; i++)
		items[i] = rows->items[i].value;
	struct kt_json *v = json_fresh_array(items, rows->count);
	kt_free(items);
	rows->count = 0;
	put_place(yaml, v, line, 0);
	return v;
}

static struct kt_json *make_object(struct kt_yaml *yaml, struct rows *rows, unsigned line)
{
	struct json_member *members = kt_alloc((rows->count + 1) * sizeof(*members));
	size_t keys = yaml->key_count;
	yaml->key_lines =
	        kt_grow(yaml->key_lines, &yaml->key_cap, keys + rows->count, sizeof(*yaml->key_lines));
	for (size_t i = 0; i < rows->count; i++) {
		members[i] = (struct json_member){rows->items[i].key, rows->items[i].value};
		yaml->key_lines[yaml->key_count++] = rows->items[i].line;
	}
	struct kt_json *v = json_fresh_object(members, rows->count);
	kt_free(members);
	rows->count = 0;
	put_place(yaml, v, line, keys);
	return v;
}

static bool keep_anchor(struct loader *ld, const char *name, const struct kt_json *node,
                        const yaml_mark_t *mark)
{
	/* nodes without a name are kept as well, so that no later node gets the address of one that was
	 * dropped */
	if (name && ld->named_count++ >= MAX_ANCHORS)
		return fail_at(ld, mark, KT_ELIMIT, "too many anchors") != NULL;
	ld->anchors = kt_grow(ld->anchors, &ld->anchor_cap, ld->anchor_count + 1, sizeof(*ld->anchors));
	ld->anchors[ld->anchor_count++] = (struct anchor){kt_strdup(name), kt_json_ref(node)};
	return true;
}

/* What an alias stands for: a copy with nodes, and places, of its own. */
static struct kt_json *copy_node(struct loader *ld, const struct kt_json *node, const yaml_mark_t *mark)
{
	unsigned line = kt_yaml_line(ld->yaml, node);
	if (!line)
		line = (unsigned)mark->line + 1; /* the anchor stood on a key */
	if (++ld->aliased > MAX_ALIASED)
		return fail_at(ld, mark, KT_ELIMIT, "aliases stand for too many values");
	struct kt_json *v = NULL;
	switch (json_type(node)) {
	case KT_JSON_ARRAY:
	case KT_JSON_OBJECT: {
		struct rows rows = {0};
		bool object = json_type(node) == KT_JSON_OBJECT;
		for (size_t i = 0, n = json_len(node); i < n; i++) {
			struct kt_json *part = copy_node(ld, kt_at(node, i), mark);
			if (!part) {
				clear_rows(&rows);
				return NULL;
			}
			add_row(&rows, object ? kt_json_ref(json_members(node)[i].key) : NULL, part,
			        kt_yaml_key_line(ld->yaml, node, i), false);
		}
		v = object ? make_object(ld->yaml, &rows, line) : make_array(ld->yaml, &rows, line);
		clear_rows(&rows);
		(void)keep_anchor(ld, NULL, v, mark);
		return v;
	}
	case KT_JSON_INT:
		v = json_fresh_int(json_int_value(node));
		break;
	case KT_JSON_REAL:
		v = kt_json_real(json_real_value(node));
		break;
	case KT_JSON_STRING:
		v = json_fresh_string(json_text(node), json_len(node));
		break;
	case KT_JSON_NULL:
	case KT_JSON_BOOL:
		v = json_fresh_scalar(json_type(node), json_len(node));
		break;
	}
	put_place(ld->yaml, v, line, 0);
	(void)keep_anchor(ld, NULL, v, mark); /* it may give way in a merge */
	return v;
}

static struct kt_json *read_node(struct loader *ld, yaml_event_t *event);

static bool read_items(struct loader *ld, struct rows *rows)
{
	for (;;) {
		yaml_event_t event;
		if (!next_event(ld, &event))
			return false;
		if (event.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&event);
			return true;
		}
		struct kt_json *item = read_node(ld, &event);
		if (!item)
			return false;
		add_row(rows, NULL, item, 0, false);
	}
}

/* The name of a member: what is no string is written as one (1: "1", on: "true"). */
static struct kt_json *key_of(struct loader *ld, const struct kt_json *v, const yaml_mark_t *mark)
{
	struct kt_buf text = {0};
	switch (json_type(v)) {
	case KT_JSON_STRING:
		return json_key(json_text(v), json_len(v));
	case KT_JSON_BOOL:
	case KT_JSON_INT:
	case KT_JSON_REAL:
		kt_json_print(v, &text);
		break;
	case KT_JSON_NULL:
	case KT_JSON_ARRAY:
	case KT_JSON_OBJECT:
		return fail_at(ld, mark, KT_EINVAL, "a key must be a string");
	}
	struct kt_json *key = json_key(kt_buf_str(&text), text.len);
	kt_buf_clear(&text);
	return key;
}

/* Add the members of `value` (an object, or several in an array) that `<<` names; consumes it. */
static bool merge(struct loader *ld, struct rows *rows, struct kt_json *value, const yaml_mark_t *mark)
{
	bool several = kt_is_array(value), ok = several || kt_is_object(value);
	for (size_t i = 0, n = several ? kt_count(value) : 1; ok && i < n; i++) {
		const struct kt_json *from = several ? kt_at(value, i) : value;
		ok = kt_is_object(from);
		for (size_t j = 0; ok && j < kt_count(from); j++) {
			struct kt_json *copy = copy_node(ld, kt_at(from, j), mark);
			ok = copy != NULL;
			if (ok)
				add_row(rows, kt_json_ref(json_members(from)[j].key), copy,
				        (unsigned)mark->line + 1, true);
		}
	}
	if (!ok)
		fail_at(ld, mark, KT_EINVAL, "map merge requires map or sequence of maps as the value");
	kt_json_free(value);
	return ok;
}

static bool is_merge(const yaml_event_t *event)
{
	return event->type == YAML_SCALAR_EVENT && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       !event->data.scalar.tag && kt_streq((const char *)event->data.scalar.value, "<<");
}

/* A key's value. It is nobody's node: it gets no place. */
static struct kt_json *read_name(struct loader *ld, yaml_event_t *event)
{
	if (event->type != YAML_SCALAR_EVENT)
		return read_node(ld, event);
	struct kt_json *v = read_scalar(ld, event);
	if (v && !keep_anchor(ld, (const char *)event->data.scalar.anchor, v, &event->start_mark))
		kt_json_freep(&v);
	yaml_event_delete(event);
	return v;
}

static bool read_member(struct loader *ld, yaml_event_t *event, struct rows *rows, struct rows *merged)
{
	yaml_mark_t mark = event->start_mark;
	bool merging = is_merge(event);
	struct kt_json *name = read_name(ld, event);
	struct kt_json *key = name ? key_of(ld, name, &mark) : NULL;
	kt_json_free(name);
	yaml_event_t next;
	struct kt_json *value = key && next_event(ld, &next) ? read_node(ld, &next) : NULL;
	if (!value || merging)
		kt_json_freep(&key);
	if (value && merging)
		return merge(ld, merged, value, &mark);
	if (value)
		add_row(rows, key, value, (unsigned)mark.line + 1, false);
	return value != NULL;
}

static int by_key(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = strcmp(json_text(x->key), json_text(y->key));
	return order ? order : x->at < y->at ? -1 : 1;
}

static int by_place(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	return x->at < y->at ? -1 : 1;
}

/* Refuse keys that are there twice; merged ones give way. */
static bool check_keys(struct loader *ld, struct rows *rows)
{
	struct row *r = rows->items;
	size_t stay = 0;
	bool ok = true;
	if (rows->count < 2)
		return true;
	qsort(r, rows->count, sizeof(*r), by_key);
	for (size_t i = 0; i < rows->count; i++) {
		bool again = stay && strcmp(json_text(r[stay - 1].key), json_text(r[i].key)) == 0;
		if (!again) {
			r[stay++] = r[i];
			continue;
		}
		if (!r[i].merged) {
			ok = false;
			kt_fail(ld->err, KT_EINVAL, "%s:%u: key \"%s\" is already set in line %u",
			        ld->yaml->file, r[i].line, json_text(r[i].key), r[stay - 1].line);
		}
		kt_json_free(r[i].key);
		kt_json_free(r[i].value);
	}
	rows->count = stay;
	qsort(r, stay, sizeof(*r), by_place);
	return ok;
}

static bool read_members(struct loader *ld, struct rows *rows)
{
	struct rows merged = {0};
	bool ok = true;
	for (;;) {
		yaml_event_t event;
		ok = next_event(ld, &event);
		if (!ok)
			break;
		if (event.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&event);
			break;
		}
		ok = read_member(ld, &event, rows, &merged);
		if (!ok)
			break;
	}
	for (size_t i = 0; i < merged.count; i++)
		add_row(rows, merged.items[i].key, merged.items[i].value, merged.items[i].line, true);
	kt_free(merged.items);
	return ok && check_keys(ld, rows);
}

static struct kt_json *read_container(struct loader *ld, const yaml_event_t *event)
{
	unsigned line = (unsigned)event->start_mark.line + 1;
	bool object = event->type == YAML_MAPPING_START_EVENT;
	if (++ld->depth > MAX_DEPTH)
		return fail_at(ld, &event->start_mark, KT_ELIMIT, "nested too deep");
	struct rows rows = {0};
	struct kt_json *v = NULL;
	if (object ? read_members(ld, &rows) : read_items(ld, &rows))
		v = object ? make_object(ld->yaml, &rows, line) : make_array(ld->yaml, &rows, line);
	clear_rows(&rows);
	ld->depth--;
	return v;
}

static struct kt_json *read_alias(struct loader *ld, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	for (size_t i = ld->anchor_count; i-- > 0;)
		if (kt_streq(ld->anchors[i].name, name))
			return copy_node(ld, ld->anchors[i].node, &event->start_mark);
	return fail_at(ld, &event->start_mark, KT_EINVAL, "an alias names an anchor that is not there");
}

/* The node that `event` begins; ends the event. NULL and the error if it is wrong. */
static struct kt_json *read_node(struct loader *ld, yaml_event_t *event)
{
	struct kt_json *v = NULL;
	const char *anchor = NULL;
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		anchor = (const char *)event->data.scalar.anchor;
		v = read_scalar(ld, event);
		if (v)
			put_place(ld->yaml, v, (unsigned)event->start_mark.line + 1, 0);
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = (const char *)event->data.sequence_start.anchor;
		v = read_container(ld, event);
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = (const char *)event->data.mapping_start.anchor;
		v = read_container(ld, event);
		break;
	case YAML_ALIAS_EVENT:
		v = read_alias(ld, event);
		break;
	default:
		fail_at(ld, &event->start_mark, KT_EINVAL, "unexpected end of a document");
		break;
	}
	if (v && !keep_anchor(ld, anchor, v, &event->start_mark))
		kt_json_freep(&v);
	yaml_event_delete(event);
	return v;
}

static void clear_anchors(struct loader *ld)
{
	for (size_t i = 0; i < ld->anchor_count; i++) {
		kt_free(ld->anchors[i].name);
		kt_json_free(ld->anchors[i].node);
	}
	ld->anchor_count = ld->named_count = 0;
}

/* One document behind its start; false and the error if it is wrong. */
static bool read_document(struct loader *ld)
{
	yaml_event_t event;
	if (!next_event(ld, &event))
		return false;
	struct kt_yaml *yaml = ld->yaml;
	yaml_mark_t mark = event.start_mark;
	struct kt_json *v = read_node(ld, &event);
	clear_anchors(ld);
	if (!v)
		return false;
	if (json_type(v) == KT_JSON_NULL) {
		kt_json_free(v);
		return true;
	}
	if (yaml->doc_count >= MAX_DOCUMENTS) {
		kt_json_free(v);
		return fail_at(ld, &mark, KT_ELIMIT, "too many documents") != NULL;
	}
	yaml->docs = kt_grow(yaml->docs, &yaml->doc_cap, yaml->doc_count + 1, sizeof(*yaml->docs));
	yaml->docs[yaml->doc_count++] = v;
	return true;
}

static bool read_stream(struct loader *ld)
{
	for (;;) {
		yaml_event_t event;
		if (!next_event(ld, &event))
			return false;
		yaml_event_type_t type = event.type;
		yaml_event_delete(&event);
		if (type == YAML_STREAM_END_EVENT)
			return true;
		if (type == YAML_DOCUMENT_START_EVENT && !read_document(ld))
			return false;
	}
}

static enum kt_code parse(const char *file, const char *text, size_t len, bool letters, struct kt_yaml **out,
                          struct kt_err *err)
{
	if (len > MAX_BYTES)
		return kt_fail(err, KT_ELIMIT, "%s: larger than %d bytes", file, (int)MAX_BYTES);
	struct kt_err own = {0};
	struct kt_yaml *yaml = kt_alloc(sizeof(*yaml));
	struct loader ld = {.yaml = yaml, .err = &own, .letters = letters};
	yaml->file = kt_strdup(file ? file : "yaml");
	if (!yaml_parser_initialize(&ld.parser))
		kt_bug("YAML input: out of memory");
	yaml_parser_set_encoding(&ld.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&ld.parser, (const unsigned char *)(text ? text : ""), text ? len : 0);
	bool ok = read_stream(&ld);
	yaml_parser_delete(&ld.parser);
	clear_anchors(&ld);
	kt_free(ld.anchors);
	if (!ok) {
		kt_yaml_free(yaml);
		return kt_fail(err, own.code ? own.code : KT_EINVAL, "%s", own.text);
	}
	*out = yaml;
	return KT_OK;
}

enum kt_code kt_yaml_parse(const char *file, const char *text, size_t len, struct kt_yaml **out,
                           struct kt_err *err)
{
	return parse(file, text, len, false, out, err);
}

enum kt_code kt_yaml_parse_letters(const char *file, const char *text, size_t len, struct kt_yaml **out,
                                   struct kt_err *err)
{
	return parse(file, text, len, true, out, err);
}

enum kt_code kt_yaml_read(const char *path, struct kt_yaml **out, struct kt_err *err)
{
	struct kt_buf text = {0};
	enum kt_code rc = kt_read_file(path, MAX_BYTES, &text, err);
	if (!rc)
		rc = parse(path, kt_buf_str(&text), text.len, true, out, err);
	kt_buf_clear(&text);
	return rc;
}

void kt_yaml_free(struct kt_yaml *yaml)
{
	if (!yaml)
		return;
	for (size_t i = 0; i < yaml->doc_count; i++)
		kt_json_free(yaml->docs[i]);
	kt_free(yaml->docs);
	kt_free(yaml->places);
	kt_free(yaml->key_lines);
	kt_free(yaml->file);
	kt_free(yaml);
}

size_t kt_yaml_count(const struct kt_yaml *yaml)
{
	return yaml ? yaml->doc_count : 0;
}

const struct kt_json *kt_yaml_doc(const struct kt_yaml *yaml, size_t i)
{
	return i < kt_yaml_count(yaml) ? yaml->docs[i] : NULL;
}

const char *kt_yaml_file(const struct kt_yaml *yaml)
{
	return yaml->file;
}

enum kt_code kt_yaml_fail(const struct kt_yaml *yaml, const struct kt_json *node, struct kt_err *err,
                          const char *fmt, ...)
{
	struct kt_buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	unsigned line = kt_yaml_line(yaml, node);
	enum kt_code rc = line ? kt_fail(err, KT_EINVAL, "%s:%u: %s", yaml->file, line, kt_buf_str(&text))
	                       : kt_fail(err, KT_EINVAL, "%s: %s", yaml->file, kt_buf_str(&text));
	kt_buf_clear(&text);
	return rc;
}
