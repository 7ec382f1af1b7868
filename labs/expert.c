/* SPDX-License-Identifier: MIT */
/* A round's file: what varies is drawn first, then put in as text, so that lines stay what they are; then it
 * is read as any file of the language. */
#include "labs/expert.h"
#include "labs/expert_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (256 * 1024)

static const char *const keys[] = {"prediction", "title", "vary",   "meaning", "cluster", "text",
                                   "scene",      "does",  "action", "ask",     "explain"};
static const char *const ask_keys[] = {"question", "value", "when", "at", "within"};

/* --- drawing --- */

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
	enum kt_code rc = *block ? kt_yaml_parse(path, block, strlen(block), &yaml, err) : KT_OK;
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
                         uint64_t seed, struct kt_json **out, struct kt_err *err)
{
	struct kt_random random;
	kt_random_init(&random, seed);
	*out = kt_json_object();
	for (size_t i = 0; i < kt_count(vary); i++) {
		const struct kt_json *choices = kt_at(vary, i);
		if (!kt_is_array(choices) || !kt_count(choices))
			return kt_fail(err, KT_EINVAL, "%s: vary: '%s': expected a list to draw from", path,
			               kt_key(vary, i));
		const struct kt_json *drawn =
		        kt_at(choices, kt_random_below(&random, (uint32_t)kt_count(choices)));
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

/* Put what was drawn in place of `{name}`, but in the blocks that say what may be drawn. */
static char *put_in(const char *text, const struct kt_json *drawn)
{
	struct kt_buf out = {0};
	const char *line;
	size_t len;
	bool spared = false;
	while ((line = kt_split(&text, '\n', &len))) {
		if (len && line[0] != ' ' && line[0] != '#')
			spared = !strncmp(line, "vary:", KT_MIN(len, 5)) ||
			         !strncmp(line, "meaning:", KT_MIN(len, 8));
		for (size_t i = 0; i < len; i++) {
			size_t name = strcspn(line + i + 1, "}\n{ ,:");
			bool closes = line[i] == '{' && i + 1 + name < len && line[i + 1 + name] == '}';
			char *key = closes && !spared ? kt_strndup(line + i + 1, name) : NULL;
			const struct kt_json *v = key ? kt_get(drawn, key) : NULL;
			char *word = v ? word_of(v) : NULL;
			if (word)
				kt_buf_adds(&out, word);
			else
				kt_buf_addc(&out, line[i]);
			i += word ? name + 1 : 0;
			kt_free(word);
			kt_free(key);
		}
		kt_buf_addc(&out, '\n');
	}
	return kt_buf_take(&out);
}

/* --- reading --- */

static enum kt_code read_ask(struct lab_round *r, const struct kt_json *node, const char *dir,
                             struct lab_round_ask *ask, struct kt_err *err)
{
	const struct kt_yaml *yaml = r->inner->yaml;
	kt_ns at;
	enum kt_code rc = kt_yaml_keys(yaml, node, "a question", ask_keys, KT_COUNT(ask_keys), err);
	if (rc)
		return rc;
	ask->question = kt_get_str(node, "question");
	ask->value = kt_get(node, "value");
	ask->within = kt_real_or(kt_get(node, "within"), 0);
	if (!ask->question || (!ask->value && !kt_get(node, "when")))
		return kt_yaml_fail(yaml, node, err, "expected 'question', and 'value' or 'when'");
	if (!kt_str(kt_get(node, "at")) || !kt_duration_parse(kt_get_str(node, "at"), &at) || at < 0)
		return kt_yaml_fail(yaml, node, err, "'at': expected a duration after the action, as in 30s");
	ask->at = at;
	if (ask->value)
		return check_value_hold(yaml, ask->value, err);
	return check_checks_parse(yaml, kt_get(node, "when"), dir, &ask->when, &ask->when_count, err);
}

static enum kt_code read_round(struct lab_round *r, const char *path, struct kt_err *err)
{
	const struct kt_yaml *yaml = r->inner->yaml;
	const struct kt_json *doc = kt_yaml_doc(yaml, 0), *asks = kt_get(doc, "ask");
	char *dir = kt_strndup(path, (size_t)(kt_basename(path) - path));
	enum kt_code rc = kt_yaml_keys(yaml, doc, "a prediction", keys, KT_COUNT(keys), err);
	r->family = kt_get_str(doc, "prediction");
	if (!rc && !r->family)
		rc = kt_yaml_fail(yaml, doc, err, "expected `prediction: NAME`");
	r->title = kt_str_or(kt_get(doc, "title"), r->family);
	r->text = kt_str_or(kt_get(doc, "text"), "");
	r->does = kt_str_or(kt_get(doc, "does"), "");
	r->explain = kt_str_or(kt_get(doc, "explain"), "");
	r->inner->cluster = kt_get(doc, "cluster");
	if (!rc)
		rc = check_steps_parse(yaml, kt_get(doc, "scene"), dir, &r->inner->scene,
		                       &r->inner->scene_count, err);
	if (!rc)
		rc = check_steps_parse(yaml, kt_get(doc, "action"), dir, &r->inner->action,
		                       &r->inner->action_count, err);
	if (!rc && !kt_count(asks))
		rc = kt_yaml_fail(yaml, doc, err, "a prediction needs 'ask' with a list of questions");
	r->asks = kt_alloc((kt_count(asks) + 1) * sizeof(*r->asks));
	for (; !rc && r->ask_count < kt_count(asks); r->ask_count++)
		rc = read_ask(r, kt_at(asks, r->ask_count), dir, &r->asks[r->ask_count], err);
	kt_free(dir);
	return rc;
}

enum kt_code lab_round_new(const char *path, uint64_t seed, struct lab_round **out, struct kt_err *err)
{
	struct lab_round *r = kt_alloc(sizeof(*r));
	struct kt_buf text = {0};
	struct kt_json *vary = NULL, *meaning = NULL;
	char *drawn = NULL;
	r->inner = kt_alloc(sizeof(*r->inner));
	r->seed = seed;
	enum kt_code rc = kt_read_file(path, FILE_MAX, &text, err);
	if (!rc)
		rc = read_block(path, kt_buf_str(&text), "vary", &vary, err);
	if (!rc)
		rc = read_block(path, kt_buf_str(&text), "meaning", &meaning, err);
	if (!rc)
		rc = draw(path, vary, meaning, seed, &r->drawn, err);
	if (!rc) {
		drawn = put_in(kt_buf_str(&text), r->drawn);
		rc = kt_yaml_parse(path, drawn, strlen(drawn), &r->inner->yaml, err);
	}
	if (!rc)
		rc = read_round(r, path, err);
	if (rc)
		lab_round_free(r);
	else
		*out = r;
	kt_free(drawn);
	kt_json_free(vary);
	kt_json_free(meaning);
	kt_buf_clear(&text);
	return rc;
}

void lab_round_free(struct lab_round *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->ask_count; i++)
		check_checks_free(r->asks[i].when, r->asks[i].when_count);
	check_steps_free(r->inner->scene, r->inner->scene_count);
	check_steps_free(r->inner->action, r->inner->action_count);
	kt_yaml_free(r->inner->yaml);
	kt_json_free(r->drawn);
	kt_free(r->inner);
	kt_free(r->asks);
	kt_free(r);
}

enum kt_code lab_rounds(const char *dir, struct kt_json **out, struct kt_strs *wrong, struct kt_err *err)
{
	struct kt_strs names = {0};
	enum kt_code rc = kt_is_dir(dir) ? kt_list_dir(dir, &names, err) : KT_OK;
	*out = rc ? NULL : kt_json_array();
	for (size_t i = 0; !rc && i < names.count; i++) {
		char *path = kt_join(dir, names.items[i]);
		struct lab_round *round = NULL;
		struct kt_err why = {0};
		if (kt_ends(path, ".yaml") && !lab_round_new(path, 1, &round, &why))
			kt_push(out, kt_jsonf("{family: %s, title: %s, file: %s}", round->family,
			                      round->title, path));
		else if (why.text[0] && wrong)
			kt_strs_add(wrong, why.text);
		lab_round_free(round);
		kt_free(path);
	}
	kt_strs_clear(&names);
	return rc;
}
