/* SPDX-License-Identifier: MIT */
/* A round's file: what varies is drawn first, then put in as text, so that lines stay what they are; then it
 * is read as any file of the language. */
#include "labs/expert.h"
#include "labs/expert_internal.h"
#include "labs/labs_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const keys[] = {"prediction", "title", "vary",   "meaning", "cluster", "text",
                                   "scene",      "does",  "action", "ask",     "explain"};
static const char *const ask_keys[] = {"question", "value", "when",    "at",
                                       "within",   "holds", "choices", "reckoned"};

/* --- reading --- */

static bool comes_before(const struct kt_json *a, const struct kt_json *b)
{
	bool numbers = !kt_str(a) && !kt_str(b);
	return numbers && kt_real_or(a, 0) < kt_real_or(b, 0);
}

/* Numbers by size, and none twice: what was drawn may make two alike. New. */
static struct kt_json *sorted(const struct kt_json *list)
{
	struct kt_json *out = kt_json_array();
	const struct kt_json *item;
	KT_JSON_EACH (item, list) {
		struct kt_json *next = kt_json_array();
		bool placed = false;
		for (size_t i = 0; i < kt_count(out); i++) {
			bool same = kt_equal(kt_at(out, i), item);
			if (!placed && !same && comes_before(item, kt_at(out, i)))
				kt_push(&next, kt_json_ref(item));
			placed = placed || same || comes_before(item, kt_at(out, i));
			kt_push(&next, kt_json_ref(kt_at(out, i)));
		}
		if (!placed)
			kt_push(&next, kt_json_ref(item));
		kt_json_free(out);
		out = next;
	}
	return out;
}

static enum kt_code read_ask(struct lab_round *r, const struct kt_json *node, const char *dir,
                             struct lab_round_ask *ask, struct kt_err *err)
{
	const struct kt_yaml *yaml = r->inner->yaml;
	kt_ns at;
	enum kt_code rc = kt_yaml_keys(yaml, node, "a question", ask_keys, KT_COUNT(ask_keys), err);
	if (rc)
		return rc;
	const struct kt_json *choices = kt_get(node, "choices"), *check = kt_get(node, "when");
	if (choices && (!kt_is_array(choices) || kt_count(choices) < 2 || kt_count(choices) > 8))
		return kt_yaml_fail(yaml, choices, err, "'choices': expected a list of 2 to 8");
	ask->holds = kt_get(node, "holds") != NULL;
	check = ask->holds ? kt_get(node, "holds") : check;
	ask->reckoned = kt_get(node, "reckoned");
	ask->choices = choices ? sorted(choices) : NULL;
	ask->question = kt_get_str(node, "question");
	ask->value = kt_get(node, "value");
	ask->within = kt_real_or(kt_get(node, "within"), 0);
	if (!ask->question || (!ask->value && !check))
		return kt_yaml_fail(yaml, node, err, "expected 'question', and 'value', 'when' or 'holds'");
	if (!kt_str(kt_get(node, "at")) || !kt_duration_parse(kt_get_str(node, "at"), &at) || at < 0)
		return kt_yaml_fail(yaml, node, err, "'at': expected a duration after the action, as in 30s");
	ask->at = at;
	if (ask->value)
		return check_value_hold(yaml, ask->value, err);
	return check_checks_parse(yaml, check, dir, &ask->when, &ask->when_count, err);
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

static size_t pick(void *arg, size_t count)
{
	return kt_random_below(arg, (uint32_t)count);
}

enum kt_code lab_round_new(const char *path, uint64_t seed, struct lab_round **out, struct kt_err *err)
{
	struct lab_round *r = kt_alloc(sizeof(*r));
	struct kt_random random;
	r->inner = kt_alloc(sizeof(*r->inner));
	r->seed = seed;
	kt_random_init(&random, seed);
	enum kt_code rc = lab_draw(path, pick, &random, &r->inner->yaml, &r->drawn, err);
	if (!rc)
		rc = read_round(r, path, err);
	if (rc)
		lab_round_free(r);
	else
		*out = r;
	return rc;
}

void lab_round_free(struct lab_round *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->ask_count; i++) {
		check_checks_free(r->asks[i].when, r->asks[i].when_count);
		kt_json_free(r->asks[i].choices);
	}
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
	struct kt_strs files = {0};
	enum kt_code rc = lab_round_files(dir, &files, err);
	*out = rc ? NULL : kt_json_array();
	for (size_t i = 0; !rc && i < files.count; i++) {
		struct lab_round *round = NULL;
		struct kt_err why = {0};
		if (!lab_round_new(files.items[i], 1, &round, &why))
			kt_push(out, kt_jsonf("{family: %s, title: %s, file: %s}", round->family,
			                      round->title, files.items[i]));
		else if (wrong)
			kt_strs_add(wrong, why.text);
		lab_round_free(round);
	}
	kt_strs_clear(&files);
	return rc;
}
