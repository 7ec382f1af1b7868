/* SPDX-License-Identifier: MIT */
/* Shapes of the language, held when a file is read, so that nothing wrong is found only in the middle of a
 * lab. */
#include "checker/checker_internal.h"

#include <string.h>
#include <strings.h>

#define DEPTH_MAX 8

enum kt_code check_unknown_key(const struct check_source *source, const struct kt_json *node, const char *key,
                               const char *what, const char *const *known, size_t count)
{
	return kt_yaml_unknown_key(source->yaml, node, what, key, known, count, source->err);
}

kt_ns check_duration(const struct kt_json *value, kt_ns otherwise)
{
	kt_ns out;
	return kt_str(value) && kt_duration_parse(kt_str(value), &out) ? out : otherwise;
}

static enum kt_code expected(const struct check_source *source, const struct kt_json *value,
                             const struct check_shape *shape, const char *what)
{
	return kt_yaml_fail(source->yaml, value, source->err, "'%s': expected %s", shape->key, what);
}

/* "KIND [NS/]NAME" and "KINDS NS [SELECTOR]" are one word, then one or two more. */
static bool looks_like_object(const char *s)
{
	const char *space = s ? strchr(s, ' ') : NULL;
	const char *slash = space ? strchr(space, '/') : NULL;
	return space && space != s && space[1] && !strpbrk(space + 1, " =,()") &&
	       !(slash && strchr(slash + 1, '/'));
}

static bool looks_like_set(const char *s)
{
	return s && *s && *s != ' ' && strcspn(s, " ") == strcspn(s, " =,()/");
}

/* A map that says who or whom has one key of `forms`, and any of the others. */
static const char *const who_forms[] = {"new-pod",   "pod",        "pods",     "deployment", "statefulset",
                                        "daemonset", "replicaset", "job",      "set",        "of",
                                        "running",   "name",       "zone",     "region",     "pool",
                                        "node",      "labels",     "namespace"};
static const char *const whom_forms[] = {
        "service",    "internet",    "ip",        "host",       "new-pod", "pod",      "pods", "set",
        "of",         "running",     "name",      "zone",       "region",  "pool",     "node", "labels",
        "deployment", "statefulset", "daemonset", "replicaset", "ingress", "namespace"};
static const char *const further_keys[] = {"count",    "which",          "container",       "image", "port",
                                           "protocol", "serviceaccount", "service-account", "path"};

static enum kt_code hold_end_map(const struct check_source *source, const struct kt_json *value,
                                 const struct check_shape *shape, bool who)
{
	const char *known[40];
	const char *const *forms = who ? who_forms : whom_forms;
	size_t n = 0, form_count = who ? KT_COUNT(who_forms) : KT_COUNT(whom_forms);
	bool says = false;
	for (size_t i = 0; i < form_count; i++) {
		says = says || kt_get(value, forms[i]);
		known[n++] = forms[i];
	}
	for (size_t i = 0; i < KT_COUNT(further_keys); i++)
		known[n++] = further_keys[i];
	enum kt_code rc = kt_yaml_keys(source->yaml, value, shape->key, known, n, source->err);
	const char *protocol = kt_get_str(value, "protocol");
	if (!rc && protocol && strcasecmp(protocol, "TCP") != 0)
		return kt_yaml_fail(source->yaml, kt_get(value, "protocol"), source->err,
		                    "'protocol': only TCP connections can be tried");
	if (rc || says)
		return rc;
	return expected(source, value, shape,
	                who ? "who: a pod's owner (`deployment: ns/name`), `new-pod: ns`, or a selection "
	                      "(`labels`, `zone`…)"
	                    : "whom: `service: ns/name`, a pod, `new-pod: ns` or `internet: ADDRESS`");
}

static enum kt_code hold_ends(const struct check_source *source, const struct kt_json *value,
                              const struct check_shape *shape)
{
	bool who = shape->type == CHECK_T_WHO;
	const char *text = kt_str(value);
	if (kt_is_object(value))
		return hold_end_map(source, value, shape, who);
	if (text && (strchr(text, ' ') || kt_streq(text, "new-pod") || (!who && strpbrk(text, ":."))))
		return KT_OK;
	return expected(source, value, shape,
	                who ? "who: `deployment ns/name`, `pod ns/name`, `pods ns selector` or {new-pod: ns}"
	                    : "whom: `service ns/name:port`, `pod ns/name:port`, {new-pod: ns, port: N}, "
	                      "ADDRESS:PORT or {internet: ADDRESS, port: N}");
}

static const struct check_shape pick_shapes[] = {
        {"name", CHECK_T_TEXT, false, NULL, NULL},
        {"labels", CHECK_T_MAP, false, NULL, NULL},
        {"zone", CHECK_T_TEXT, false, NULL, NULL},
        {"region", CHECK_T_TEXT, false, NULL, NULL},
        {"pool", CHECK_T_TEXT, false, NULL, NULL},
        {"node", CHECK_T_TEXT, false, NULL, NULL},
        {"running", CHECK_T_OF, false, NULL, NULL},
        {"of", CHECK_T_OF, false, NULL, NULL},
        {"namespace", CHECK_T_TEXT, false, NULL, NULL},
        {"container", CHECK_T_TEXT, false, NULL, NULL},
        {"count", CHECK_T_INT, false, NULL, NULL},
        {"which", CHECK_T_WORD, false, "first|busiest|random|last", NULL},
        {0}};

const struct kt_json *check_written_here(const struct kt_json *value)
{
	return kt_is_object(value) && kt_count(value) == 1 ? kt_get(value, "manifest") : NULL;
}

/* What is written out has all that an object needs to be sent. */
static enum kt_code hold_object(const struct check_source *source, const struct kt_json *item)
{
	static const char *const needed[] = {"apiVersion", "kind"};
	for (size_t i = 0; i < KT_COUNT(needed); i++)
		if (!kt_get_str(item, needed[i]))
			return kt_yaml_fail(source->yaml, item, source->err, "a manifest needs '%s'",
			                    needed[i]);
	return KT_OK;
}

static enum kt_code hold_file(const struct check_source *source, const struct kt_json *item,
                              const struct check_shape *shape)
{
	if (kt_is_object(item)) /* an object written here */
		return hold_object(source, item);
	if (kt_str(item) && strchr(kt_str(item), '\n')) { /* manifests as a text */
		struct kt_yaml *text = NULL;
		enum kt_code held = kt_yaml_parse_letters(kt_yaml_file(source->yaml), kt_str(item),
		                                          kt_str_len(item), &text, source->err);
		kt_yaml_free(text);
		return held;
	}
	if (!kt_str(item) || kt_str(item)[0] == '/' || strstr(kt_str(item), ".."))
		return expected(source, item, shape, "a file beside this one");
	char *path = kt_join(source->dir, kt_str(item));
	struct kt_yaml *yaml = NULL;
	enum kt_code rc = kt_is_dir(path) ? KT_OK : kt_yaml_read(path, &yaml, source->err);
	kt_yaml_free(yaml);
	kt_free(path);
	return rc ? kt_wrap(source->err, "%s:%u", kt_yaml_file(source->yaml),
	                    kt_yaml_line(source->yaml, item))
	          : KT_OK;
}

static enum kt_code hold_files(const struct check_source *source, const struct kt_json *value,
                               const struct check_shape *shape)
{
	const struct kt_json *item, *written = check_written_here(value);
	if (written)
		return hold_files(source, written, shape);
	if (!kt_is_array(value))
		return hold_file(source, value, shape);
	KT_JSON_EACH (item, value) {
		enum kt_code rc = hold_files(source, item, shape);
		if (rc)
			return rc;
	}
	return KT_OK;
}

static enum kt_code hold_word(const struct check_source *source, const struct kt_json *value,
                              const struct check_shape *shape)
{
	const char *words = shape->words, *word, *text = kt_str(value);
	/* YAML 1.1 reads yes/no/on/off as booleans; both spellings are meant */
	if (kt_json_type(value) == KT_JSON_BOOL)
		text = kt_bool_or(value, false) ? "yes" : "no";
	else if (text && strstr(words, "yes|no") && check_is_bool(value))
		text = check_bool(value, false) ? "yes" : "no";
	size_t len;
	while (text && (word = kt_split(&words, '|', &len)))
		if (strlen(text) == len && !strncmp(word, text, len))
			return KT_OK;
	return kt_yaml_fail(source->yaml, value, source->err, "'%s': expected one of %s", shape->key,
	                    shape->words);
}

static enum kt_code hold_map_of(const struct check_source *source, const struct kt_json *value,
                                const struct check_shape *shape, enum check_type inner)
{
	if (!kt_is_object(value) || !kt_count(value))
		return expected(source, value, shape, "a map");
	for (size_t i = 0; i < kt_count(value); i++) {
		struct check_shape row = {.key = kt_key(value, i), .type = inner};
		enum kt_code rc = check_type_hold(source, kt_at(value, i), &row);
		struct kt_jsonpath *path = NULL;
		if (!rc && inner == CHECK_T_EXPECT && kt_jsonpath_new(row.key, &path, source->err))
			rc = kt_wrap(source->err, "%s:%u: path '%s'", kt_yaml_file(source->yaml),
			             kt_yaml_key_line(source->yaml, value, i), row.key);
		kt_jsonpath_free(path);
		if (rc)
			return rc;
	}
	return KT_OK;
}

static enum kt_code hold_texts(const struct check_source *source, const struct kt_json *value,
                               const struct check_shape *shape)
{
	const struct kt_json *item;
	bool fine = kt_str(value) || kt_count(value);
	KT_JSON_EACH (item, value)
		fine = fine && kt_is_array(value) && kt_str(item);
	return fine ? KT_OK : expected(source, value, shape, "a text or a list of texts");
}

static enum kt_code hold_nested(const struct check_source *source, const struct kt_json *value,
                                const struct check_shape *shape)
{
	struct check_source inner = *source;
	struct check_check **checks = NULL;
	struct check_step **steps = NULL;
	size_t count = 0;
	inner.depth++;
	if (inner.depth > DEPTH_MAX)
		return kt_yaml_fail(source->yaml, value, source->err,
		                    "checks inside checks inside checks: more than %d deep", DEPTH_MAX);
	enum kt_code rc;
	if (shape->type == CHECK_T_STEPS) {
		rc = check_steps_read(&inner, value, &steps, &count);
		check_steps_free(steps, count);
	} else {
		rc = check_checks_read(&inner, value, &checks, &count);
		check_checks_free(checks, count);
	}
	return rc;
}

enum kt_code check_type_hold(const struct check_source *source, const struct kt_json *value,
                             const struct check_shape *shape)
{
	kt_ns duration;
	enum kt_json_type type = kt_json_type(value);
	switch (shape->type) {
	case CHECK_T_ANY:
		return KT_OK;
	case CHECK_T_TEXT:
		return type == KT_JSON_STRING || type == KT_JSON_INT || type == KT_JSON_BOOL ||
		                       type == KT_JSON_REAL
		               ? KT_OK
		               : expected(source, value, shape, "a text");
	case CHECK_T_INT:
		return kt_is_whole(value) && kt_whole_or(value, 0) >= 0
		               ? KT_OK
		               : expected(source, value, shape, "a whole number, 0 or more");
	case CHECK_T_NUMBER:
		return (type == KT_JSON_INT || type == KT_JSON_REAL) && kt_real_or(value, 0) >= 0
		               ? KT_OK
		               : expected(source, value, shape, "a number, 0 or more");
	case CHECK_T_BOOL:
		return check_is_bool(value) ? KT_OK : expected(source, value, shape, "yes or no");
	case CHECK_T_DURATION:
		return kt_str(value) && kt_duration_parse(kt_str(value), &duration) && duration >= 0
		               ? KT_OK
		               : expected(source, value, shape, "a duration like 90s or 3m");
	case CHECK_T_OBJECT:
		return looks_like_object(kt_str(value))
		               ? KT_OK
		               : expected(source, value, shape, "an object, written `KIND NAMESPACE/NAME`");
	case CHECK_T_SET:
	case CHECK_T_OF:
		return looks_like_set(kt_str(value))
		               ? KT_OK
		               : expected(source, value, shape,
		                          "a set, written `KINDS NAMESPACE LABEL=VALUE`");
	case CHECK_T_OFS: {
		struct check_shape one = {.key = shape->key, .type = CHECK_T_OF};
		enum kt_code rc = kt_is_array(value) ? KT_OK : check_type_hold(source, value, &one);
		for (size_t i = 0; !rc && kt_is_array(value) && i < kt_count(value); i++)
			rc = check_type_hold(source, kt_at(value, i), &one);
		return rc;
	}
	case CHECK_T_EXPECT:
		return check_expect_hold(source, value);
	case CHECK_T_PATHS:
		return hold_map_of(source, value, shape, CHECK_T_EXPECT);
	case CHECK_T_WHO:
	case CHECK_T_WHOM:
		return hold_ends(source, value, shape);
	case CHECK_T_WHOS:
		return hold_map_of(source, value, shape, CHECK_T_WHO);
	case CHECK_T_WHOMS:
		return hold_map_of(source, value, shape, CHECK_T_WHOM);
	case CHECK_T_PICK:
		return kt_str(value) ? KT_OK
		       : kt_is_object(value) && !kt_count(value)
		               ? expected(source, value, shape, "a selection, as in {zone: a, count: 1}")
		               : check_shape_hold(source, value, pick_shapes, shape->key);
	case CHECK_T_MAP:
		return kt_is_object(value) ? KT_OK : expected(source, value, shape, "a map");
	case CHECK_T_LIST:
		return kt_is_array(value) ? KT_OK : expected(source, value, shape, "a list");
	case CHECK_T_TEXTS:
		return hold_texts(source, value, shape);
	case CHECK_T_FILES:
		return hold_files(source, value, shape);
	case CHECK_T_STEPS:
	case CHECK_T_CHECK:
	case CHECK_T_CHECKS:
		return hold_nested(source, value, shape);
	case CHECK_T_WORD:
		return hold_word(source, value, shape);
	case CHECK_T_STRUCT:
		return check_shape_hold(source, value, shape->inner, shape->key);
	}
	return KT_OK;
}

enum kt_code check_shape_hold(const struct check_source *source, const struct kt_json *node,
                              const struct check_shape *shapes, const char *what)
{
	const char *known[32];
	size_t count = 0;
	if (!kt_is_object(node))
		return kt_yaml_fail(source->yaml, node, source->err, "'%s': expected a map", what);
	for (; count < KT_COUNT(known) && shapes[count].key; count++)
		known[count] = shapes[count].key;
	for (size_t i = 0; i < kt_count(node); i++) {
		const struct check_shape *shape = NULL;
		for (size_t k = 0; k < count && !shape; k++)
			if (kt_streq(known[k], kt_key(node, i)))
				shape = &shapes[k];
		if (!shape)
			return check_unknown_key(source, kt_at(node, i), kt_key(node, i), what, known, count);
		enum kt_code rc = check_type_hold(source, kt_at(node, i), shape);
		if (rc)
			return rc;
	}
	for (size_t k = 0; k < count; k++)
		if (shapes[k].required && !kt_get(node, shapes[k].key))
			return kt_yaml_fail(source->yaml, node, source->err, "'%s' needs '%s'", what,
			                    shapes[k].key);
	return KT_OK;
}
