/* SPDX-License-Identifier: MIT */
/* quiz.yaml: questions, each with choices that say why they are right or wrong, or a number to type. */
#include "lessons/lessons_internal.h"

#include <string.h>

static const char *const quiz_keys[] = {"quiz", "questions"};
static const char *const question_keys[] = {"ask", "choices", "type", "right", "because"};
static const char *const choice_keys[] = {"text", "right", "because"};

static enum kt_code need_text(const struct kt_yaml *yaml, const struct kt_json *object, const char *key,
                              struct kt_arena *arena, const char **out, struct kt_err *err)
{
	const char *text = kt_get_str(object, key);
	if (!text || !*text)
		return kt_yaml_fail(yaml, object, err, "expected '%s' with a text", key);
	*out = kt_arena_strdup(arena, text);
	return KT_OK;
}

static enum kt_code read_choices(const struct kt_yaml *yaml, const struct kt_json *list,
                                 struct kt_arena *arena, struct lesson_question *question, struct kt_err *err)
{
	size_t count = kt_count(list), right = 0;
	if (!kt_is_array(list) || count < 2 || count > 6)
		return kt_yaml_fail(yaml, list, err, "expected two to six choices");
	struct lesson_choice *choices = kt_arena_alloc(arena, count * sizeof(*choices));
	for (size_t i = 0; i < count; i++) {
		const struct kt_json *choice = kt_at(list, i);
		enum kt_code rc =
		        kt_yaml_keys(yaml, choice, "a choice", choice_keys, KT_COUNT(choice_keys), err);
		if (!rc)
			rc = need_text(yaml, choice, "text", arena, &choices[i].text, err);
		if (!rc)
			rc = need_text(yaml, choice, "because", arena, &choices[i].because, err);
		if (rc)
			return rc;
		choices[i].right = kt_get_bool(choice, "right", false);
		right += choices[i].right;
	}
	question->choices = choices;
	question->choice_count = count;
	return right == 1
	               ? KT_OK
	               : kt_yaml_fail(yaml, list, err, "exactly one choice must be right, found %zu", right);
}

static enum kt_code read_question(const struct kt_yaml *yaml, const struct kt_json *node,
                                  struct kt_arena *arena, struct lesson_question *question,
                                  struct kt_err *err)
{
	enum kt_code rc = kt_yaml_keys(yaml, node, "a question", question_keys, KT_COUNT(question_keys), err);
	if (!rc)
		rc = need_text(yaml, node, "ask", arena, &question->ask, err);
	if (rc)
		return rc;
	question->line = kt_yaml_line(yaml, node);
	const char *type = kt_str_or(kt_get(node, "type"), "choice");
	if (kt_streq(type, "choice"))
		return read_choices(yaml, kt_get(node, "choices"), arena, question, err);
	if (!kt_streq(type, "number"))
		return kt_yaml_fail(yaml, kt_get(node, "type"), err,
		                    "expected type 'choice' or 'number', found '%s'", type);
	enum kt_json_type right = kt_json_type(kt_get(node, "right"));
	if (right != KT_JSON_INT && right != KT_JSON_REAL)
		return kt_yaml_fail(yaml, node, err, "expected 'right' with a number");
	question->number = kt_real_or(kt_get(node, "right"), 0);
	return need_text(yaml, node, "because", arena, &question->because, err);
}

enum kt_code lesson_read_quiz(struct kt_arena *arena, const char *path, struct lesson *lesson,
                              struct kt_err *err)
{
	struct kt_yaml *yaml = NULL;
	enum kt_code rc = kt_yaml_read(path, &yaml, err);
	if (rc)
		return rc;
	const struct kt_json *doc = kt_yaml_doc(yaml, 0);
	const struct kt_json *list = kt_get(doc, "questions");
	rc = kt_yaml_keys(yaml, doc, "a quiz", quiz_keys, KT_COUNT(quiz_keys), err);
	if (!rc && !kt_streq(kt_get_str(doc, "quiz"), lesson->id))
		rc = kt_yaml_fail(yaml, doc, err, "expected quiz: \"%s\", as the lesson beside it",
		                  lesson->id);
	if (!rc && (!kt_is_array(list) || !kt_count(list)))
		rc = kt_yaml_fail(yaml, doc, err, "expected 'questions' with a list");
	struct lesson_question *questions =
	        kt_arena_alloc(arena, KT_MAX(kt_count(list), 1) * sizeof(*questions));
	for (size_t i = 0; !rc && i < kt_count(list); i++)
		rc = read_question(yaml, kt_at(list, i), arena, &questions[i], err);
	if (!rc) {
		lesson->questions = questions;
		lesson->question_count = kt_count(list);
	}
	kt_yaml_free(yaml);
	return rc;
}
