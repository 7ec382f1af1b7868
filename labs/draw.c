/* SPDX-License-Identifier: MIT */
/* A file of which something is drawn: `vary` says from what, `meaning` what a value means elsewhere. What was
 * drawn is put in as text, so that lines stay what they are; then it is read as any file of the language. */
#include "labs/labs_internal.h"

#include <string.h>

#define FILE_MAX (256 * 1024)

/* The lines of one top-level key, with what is indented below it. Owned. */
static char *block_of(const char *text, const char *key)
{
	struct kt_buf out = {0};
	const char *line;
	size_t len;
	bool inside = false;
	while ((line = kt_split(&text, '\n', &len))) {
		bool top = len && line[0] != ' ' && line[0] != '#' && line[0] != '-';
		if (top)
			inside = strlen(key) < len && !strncmp(line, key, strlen(key)) &&
			         line[strlen(key)] == ':';
		if (inside)
			kt_buf_addf(&out, "%.*s\n", (int)len, line);
	}
	return kt_buf_take(&out);
}

static enum kt_code read_block(const char *path, const char *text, const char *key, struct kt_json **out,
                               struct kt_err *err)
{
	struct kt_yaml *yaml = NULL;
	char *block = block_of(text, key);
	enum kt_code rc = *block ? kt_yaml_parse_letters(path, block, strlen(block), &yaml, err) : KT_OK;
	*out = rc || !yaml ? NULL : kt_json_copy(kt_get(kt_yaml_doc(yaml, 0), key));
	kt_yaml_free(yaml);
	kt_free(block);
	return rc;
}

/* As it is written in YAML and in a sentence alike: yes, 3, [a, b], text. Owned. */
static char *word_of(const struct kt_json *v)
{
	if (kt_str(v))
		return kt_strdup(kt_str(v));
	if (kt_json_type(v) == KT_JSON_BOOL)
		return kt_strdup(kt_bool_or(v, false) ? "yes" : "no");
	return kt_json_text(v);
}

static enum kt_code draw(const char *path, const struct kt_json *vary, const struct kt_json *meaning,
                         size_t (*pick)(void *arg, size_t count), void *arg, struct kt_json **out,
                         struct kt_err *err)
{
	*out = kt_json_object();
	for (size_t i = 0; i < kt_count(vary); i++) {
		const struct kt_json *choices = kt_at(vary, i);
		if (!kt_is_array(choices) || !kt_count(choices))
			return kt_fail(err, KT_EINVAL, "%s: vary: '%s': expected a list to draw from", path,
			               kt_key(vary, i));
		const struct kt_json *drawn = kt_at(choices, pick(arg, kt_count(choices)));
		kt_set(out, kt_key(vary, i), kt_json_ref(drawn));
		/* what a drawn value means elsewhere: {spread: {yes: {constraint: …}}} */
		char *word = word_of(drawn);
		const struct kt_json *cases = kt_get(meaning, kt_key(vary, i)), *more = NULL;
		for (size_t c = 0; c < kt_count(cases); c++)
			more = kt_streq(kt_key(cases, c), word) ||
			                       (kt_json_type(drawn) == KT_JSON_BOOL &&
			                        kt_streq(kt_key(cases, c),
			                                 kt_bool_or(drawn, false) ? "true" : "false"))
			               ? kt_at(cases, c)
			               : more;
		for (size_t m = 0; m < kt_count(more); m++)
			kt_set(out, kt_key(more, m), kt_json_ref(kt_at(more, m)));
		kt_free(word);
	}
	return KT_OK;
}

/* A sum as it is written in YAML and in a sentence alike. */
static enum kt_code put_sum(const char *line, size_t len, const struct kt_json *drawn, struct kt_buf *out,
                            struct kt_err *err)
{
	char *sum = kt_strndup(line, len);
	double value = 0;
	enum kt_code rc = lab_reckon(sum, drawn, &value, err);
	if (!rc)
		kt_buf_addf(out, "%.10g", value);
	kt_free(sum);
	return rc;
}

/* What stands at `at` in place of braces; how much of the line that was, 0: nothing. */
static enum kt_code put_one(const char *at, size_t left, const struct kt_json *drawn, struct kt_buf *out,
                            size_t *used, struct kt_err *err)
{
	const char *end = memchr(at, '}', left);
	size_t len = end ? (size_t)(end - at) - 1 : 0;
	*used = 0;
	if (!end)
		return KT_OK;
	if (at[1] == '=') {
		*used = len + 2;
		return put_sum(at + 2, len - 1, drawn, out, err);
	}
	char *key = kt_strndup(at + 1, len);
	const struct kt_json *v = kt_get(drawn, key);
	char *word = v ? word_of(v) : NULL;
	if (word) {
		kt_buf_adds(out, word);
		*used = len + 2;
	}
	kt_free(word);
	kt_free(key);
	return KT_OK;
}

enum kt_code lab_put_in(const char *where, const char *text, const struct kt_json *drawn, char **out,
                        struct kt_err *err)
{
	struct kt_buf all = {0};
	const char *line;
	size_t len, used;
	unsigned number = 0;
	bool spared = false;
	while ((line = kt_split(&text, '\n', &len))) {
		if (!len && !text)
			break; /* behind the last line's end */
		number++;
		if (len && line[0] != ' ' && line[0] != '#')
			spared = !strncmp(line, "vary:", KT_MIN(len, 5)) ||
			         !strncmp(line, "meaning:", KT_MIN(len, 8));
		for (size_t i = 0; i < len; i += used ? used : 1) {
			used = 0;
			if (line[i] == '{' && !spared &&
			    put_one(line + i, len - i, drawn, &all, &used, err)) {
				kt_buf_clear(&all);
				return kt_wrap(err, "%s:%u", where, number);
			}
			if (!used)
				kt_buf_addc(&all, line[i]);
		}
		kt_buf_addc(&all, '\n');
	}
	*out = kt_buf_take(&all);
	return KT_OK;
}

enum kt_code lab_draw(const char *path, size_t (*pick)(void *arg, size_t count), void *arg,
                      struct kt_yaml **yaml, struct kt_json **drawn, struct kt_err *err)
{
	struct kt_buf text = {0};
	struct kt_json *vary = NULL, *meaning = NULL;
	enum kt_code rc = kt_read_file(path, FILE_MAX, &text, err);
	*drawn = NULL;
	if (!rc)
		rc = read_block(path, kt_buf_str(&text), "vary", &vary, err);
	if (!rc)
		rc = read_block(path, kt_buf_str(&text), "meaning", &meaning, err);
	if (!rc)
		rc = draw(path, vary, meaning, pick, arg, drawn, err);
	if (!rc) {
		char *all = NULL;
		if (kt_count(*drawn))
			rc = lab_put_in(path, kt_buf_str(&text), *drawn, &all, err);
		else
			all = kt_strdup(kt_buf_str(&text));
		if (!rc)
			rc = kt_yaml_parse_letters(path, all, strlen(all), yaml, err);
		kt_free(all);
	}
	if (rc) {
		kt_json_free(*drawn);
		*drawn = NULL;
	}
	kt_json_free(vary);
	kt_json_free(meaning);
	kt_buf_clear(&text);
	return rc;
}
