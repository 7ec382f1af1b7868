/* SPDX-License-Identifier: MIT */
/* The course from its folders: course.yaml, glossary.yaml, level-N-NAME/NN-TOPIC/{lesson.md,quiz.yaml}. */
#include "lessons/lessons_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LESSON_FILE_MAX (256 * 1024)

/* The front matter: the YAML between two lines `---` at the top. */
static enum kt_code front_matter(const char *file, const struct kt_buf *text, struct kt_yaml **out,
                                 size_t *body, struct kt_err *err)
{
	const char *all = kt_buf_str(text);
	const char *end = kt_starts(all, "---\n") ? strstr(all + 4, "\n---\n") : NULL;
	if (!end)
		return kt_fail(err, KT_EINVAL, "%s:1: expected front matter between two lines `---`", file);
	*body = (size_t)(end - all) + 5;
	return kt_yaml_parse(file, all, (size_t)(end - all) + 1, out, err);
}

static enum kt_code read_head(const struct kt_yaml *yaml, struct kt_arena *arena, struct lesson *lesson,
                              struct kt_err *err)
{
	static const char *const keys[] = {"lesson", "title", "minutes", "lab"};
	const struct kt_json *head = kt_yaml_doc(yaml, 0);
	enum kt_code rc = kt_yaml_keys(yaml, head, "the front matter", keys, KT_COUNT(keys), err);
	if (rc)
		return rc;
	const char *id = kt_get_str(head, "lesson"), *title = kt_get_str(head, "title"),
	           *lab = kt_get_str(head, "lab");
	unsigned level, number;
	char rest;
	if (!id || sscanf(id, "%u.%u%c", &level, &number, &rest) != 2)
		return kt_yaml_fail(yaml, head, err, "expected lesson: \"LEVEL.NUMBER\"");
	if (!title)
		return kt_yaml_fail(yaml, head, err, "expected 'title'");
	lesson->id = kt_arena_strdup(arena, id);
	lesson->title = kt_arena_strdup(arena, title);
	lesson->lab = lab ? kt_arena_strdup(arena, lab) : NULL;
	lesson->minutes = (unsigned)kt_get_int(head, "minutes", 10);
	lesson->level = level;
	lesson->number = number;
	return KT_OK;
}

static unsigned lines_of(const char *text, size_t len)
{
	unsigned lines = 0;
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	return lines;
}

static enum kt_code read_lesson(struct kt_arena *arena, const char *dir, struct lesson *lesson,
                                struct kt_err *err)
{
	char *file = kt_join(dir, "lesson.md"), *quiz = kt_join(dir, "quiz.yaml");
	struct kt_buf text = {0};
	struct kt_yaml *yaml = NULL;
	size_t body = 0;
	lesson->dir = kt_arena_strdup(arena, dir);
	enum kt_code rc = kt_read_file(file, LESSON_FILE_MAX, &text, err);
	if (!rc)
		rc = front_matter(file, &text, &yaml, &body, err);
	if (!rc)
		rc = read_head(yaml, arena, lesson, err);
	if (!rc)
		rc = lesson_parse_markdown(arena, file, lines_of(text.data, body) + 1, text.data + body,
		                           text.len - body, lesson, err);
	if (!rc && kt_is_file(quiz))
		rc = lesson_read_quiz(arena, quiz, lesson, err);
	kt_yaml_free(yaml);
	kt_buf_clear(&text);
	kt_free(file);
	kt_free(quiz);
	return rc;
}

static int by_number(const void *a, const void *b)
{
	const struct lesson *const *x = a, *const *y = b;
	return ((*x)->number > (*y)->number) - ((*x)->number < (*y)->number);
}

/* All lessons below one level's folder, if it is there. */
static enum kt_code read_level(struct kt_arena *arena, const char *dir, struct lesson_level *level,
                               struct kt_err *err)
{
	char *folder = kt_strf("%s/level-%u-%s", dir, level->level, level->name);
	struct kt_strs names = {0};
	enum kt_code rc = kt_is_dir(folder) ? kt_list_dir(folder, &names, err) : KT_OK;
	const struct lesson **lessons = kt_arena_alloc(arena, (names.count + 1) * sizeof(*lessons));
	for (size_t i = 0; !rc && i < names.count; i++) {
		char *path = kt_join(folder, names.items[i]);
		if (kt_is_dir(path)) {
			struct lesson *lesson = kt_arena_alloc(arena, sizeof(*lesson));
			rc = read_lesson(arena, path, lesson, err);
			if (!rc && lesson->level != level->level)
				rc = kt_fail(err, KT_EINVAL,
				             "%s/lesson.md: lesson %s lies in the folder of level %u", path,
				             lesson->id, level->level);
			lessons[level->lesson_count++] = lesson;
		}
		kt_free(path);
	}
	if (!rc)
		qsort(lessons, level->lesson_count, sizeof(*lessons), by_number);
	level->lessons = lessons;
	kt_strs_clear(&names);
	kt_free(folder);
	return rc;
}

static enum kt_code read_levels(const char *dir, const struct kt_yaml *yaml, struct lesson_course *course,
                                struct kt_err *err)
{
	struct kt_arena *arena = &course->inner->arena;
	const struct kt_json *doc = kt_yaml_doc(yaml, 0), *list = kt_get(doc, "levels"), *row;
	if (!kt_is_array(list) || !kt_get_str(doc, "course"))
		return kt_yaml_fail(yaml, doc, err,
		                    "expected 'course' with a title and 'levels' with a list");
	course->title = kt_arena_strdup(arena, kt_get_str(doc, "course"));
	struct lesson_level *levels = kt_arena_alloc(arena, (kt_count(list) + 1) * sizeof(*levels));
	course->levels = levels;
	KT_JSON_EACH (row, list) {
		struct lesson_level *level = &levels[course->level_count++];
		const char *name = kt_get_str(row, "name"), *title = kt_get_str(row, "title"),
		           *about = kt_get_str(row, "about");
		if (!name || !title || !about)
			return kt_yaml_fail(yaml, row, err, "expected level, name, title and about");
		*level = (struct lesson_level){.level = (unsigned)kt_get_int(row, "level", 0),
		                               .name = kt_arena_strdup(arena, name),
		                               .title = kt_arena_strdup(arena, title),
		                               .about = kt_arena_strdup(arena, about)};
		enum kt_code rc = read_level(arena, dir, level, err);
		if (rc)
			return rc;
	}
	return KT_OK;
}

static enum kt_code read_course(const char *dir, struct lesson_course *course, struct kt_err *err)
{
	char *file = kt_join(dir, "course.yaml"), *words = kt_join(dir, "glossary.yaml");
	struct kt_yaml *yaml = NULL;
	enum kt_code rc = kt_yaml_read(file, &yaml, err);
	if (!rc)
		rc = read_levels(dir, yaml, course, err);
	if (!rc)
		rc = lesson_read_gate(&course->inner->arena, yaml, &course->gate, err);
	if (!rc && kt_is_file(words))
		rc = kt_yaml_read(words, &course->inner->glossary, err);
	if (!rc && course->inner->glossary)
		course->glossary = kt_yaml_doc(course->inner->glossary, 0);
	kt_yaml_free(yaml);
	kt_free(file);
	kt_free(words);
	return rc;
}

enum kt_code lesson_course_new(const char *dir, struct lesson_course **out, struct kt_err *err)
{
	struct lesson_course *course = kt_alloc(sizeof(*course));
	course->inner = kt_alloc(sizeof(*course->inner));
	enum kt_code rc = read_course(dir, course, err);
	if (rc) {
		lesson_course_free(course);
		return rc;
	}
	*out = course;
	return KT_OK;
}

void lesson_course_free(struct lesson_course *course)
{
	if (!course)
		return;
	kt_yaml_free(course->inner->glossary);
	kt_arena_clear(&course->inner->arena);
	kt_free(course->inner);
	kt_free(course);
}

static const struct lesson *find(const struct lesson_course *course, const char *id, const char *lab)
{
	for (size_t l = 0; l < course->level_count; l++)
		for (size_t i = 0; i < course->levels[l].lesson_count; i++) {
			const struct lesson *lesson = course->levels[l].lessons[i];
			if (id ? kt_streq(lesson->id, id) : lesson->lab && kt_streq(lesson->lab, lab))
				return lesson;
		}
	return NULL;
}

const struct lesson *lesson_find(const struct lesson_course *course, const char *id)
{
	return id ? find(course, id, NULL) : NULL;
}

const struct lesson *lesson_by_lab(const struct lesson_course *course, const char *lab)
{
	return lab ? find(course, NULL, lab) : NULL;
}
