/* SPDX-License-Identifier: MIT */
/* The gate behind the last level, from course.yaml. */
#include "lessons/lessons_internal.h"

/* A list of texts, NULL-terminated. */
static enum kt_code read_texts(struct kt_arena *arena, const struct kt_yaml *yaml, const struct kt_json *list,
                               const char *expected, const char *const **out, struct kt_err *err)
{
	const char **texts = kt_arena_alloc(arena, (kt_count(list) + 1) * sizeof(*texts));
	const struct kt_json *item;
	size_t count = 0;
	KT_JSON_EACH (item, list) {
		if (!kt_str(item))
			return kt_yaml_fail(yaml, item, err, "expected %s", expected);
		texts[count++] = kt_arena_strdup(arena, kt_str(item));
	}
	*out = texts;
	return KT_OK;
}

static enum kt_code read_line(struct kt_arena *arena, const struct kt_yaml *yaml, const struct kt_json *row,
                              struct lesson_gate_line *line, struct kt_err *err)
{
	static const char *const keys[] = {"says", "lessons", "tasks"};
	const struct kt_json *list = kt_get(row, "lessons");
	const char *const *lessons, *const *tasks;
	enum kt_code rc = kt_yaml_keys(yaml, row, "a line of the gate", keys, KT_COUNT(keys), err);
	if (rc)
		return rc;
	if (!kt_get_str(row, "says") || !kt_count(list))
		return kt_yaml_fail(yaml, row, err, "expected 'says' and 'lessons' with a list");
	rc = read_texts(arena, yaml, list, "a lesson as \"LEVEL.NUMBER\"", &lessons, err);
	if (!rc)
		rc = read_texts(arena, yaml, kt_get(row, "tasks"), "a task as LAB/TASK", &tasks, err);
	if (rc)
		return rc;
	*line = (struct lesson_gate_line){kt_arena_strdup(arena, kt_get_str(row, "says")), lessons, tasks};
	return KT_OK;
}

enum kt_code lesson_read_gate(struct kt_arena *arena, const struct kt_yaml *yaml, struct lesson_gate *gate,
                              struct kt_err *err)
{
	static const char *const keys[] = {"level", "word", "title", "after", "lines"};
	const struct kt_json *node = kt_get(kt_yaml_doc(yaml, 0), "gate"), *list = kt_get(node, "lines"),
	                     *row;
	if (!node)
		return KT_OK;
	enum kt_code rc = kt_yaml_keys(yaml, node, "the gate", keys, KT_COUNT(keys), err);
	if (rc)
		return rc;
	const char *word = kt_get_str(node, "word"), *title = kt_get_str(node, "title"),
	           *after = kt_get_str(node, "after");
	if (!word || !title || !after || !kt_count(list))
		return kt_yaml_fail(yaml, node, err, "expected level, word, title, after and lines");
	struct lesson_gate_line *lines = kt_arena_alloc(arena, kt_count(list) * sizeof(*lines));
	*gate = (struct lesson_gate){.level = (unsigned)kt_get_int(node, "level", 0),
	                             .word = kt_arena_strdup(arena, word),
	                             .title = kt_arena_strdup(arena, title),
	                             .after = kt_arena_strdup(arena, after),
	                             .lines = lines};
	KT_JSON_EACH (row, list) {
		rc = read_line(arena, yaml, row, &lines[gate->line_count], err);
		if (rc)
			return rc;
		gate->line_count++;
	}
	return KT_OK;
}
