/* SPDX-License-Identifier: MIT */
/* What can be said of lessons and labs together, and of the YAML in a lesson: a whole object is one of
 * Kubernetes, a piece of one fits some type of its schema. What is not Kubernetes' is not marked as `yaml`.
 */
#include "cluster/cluster.h"
#include "labs/labs_internal.h"

#include <string.h>

/* --- the YAML of a lesson --- */

static void look_at_object(struct lesson_pencil *pencil, unsigned line, const struct kt_json *v)
{
	const char *api = kt_get_str(v, "apiVersion"), *kind = kt_get_str(v, "kind");
	char *where = NULL;
	switch (cluster_fits(v, &where)) {
	case CLUSTER_FITS:
		break;
	case CLUSTER_NO_KIND:
		lesson_found(pencil, "lesson.md", line, "Kubernetes has no kind '%s'%s%s; name one it has",
		             kind, api ? " in " : "", api ? api : "");
		break;
	case CLUSTER_NO_FIELD:
		lesson_found(pencil, "lesson.md", line,
		             "a %s has no '%s', or not so; `kubectl explain` says what it has", kind, where);
		break;
	case CLUSTER_NO_PIECE:
		lesson_found(
		        pencil, "lesson.md", line,
		        "this is no piece of an object of Kubernetes; mend its names, or mark the block as "
		        "another program's");
		break;
	}
	kt_free(where);
}

static void look_at_yaml(struct lesson_pencil *pencil, const struct lesson_block *block)
{
	struct kt_yaml *yaml = NULL;
	struct kt_err err = {0};
	const struct kt_json *item;
	if (kt_yaml_parse("lesson.md", block->text, strlen(block->text), &yaml, &err)) {
		lesson_found(pencil, "lesson.md", block->line, "%s (lines of the block); mend it", err.text);
		return;
	}
	for (size_t d = 0; d < kt_yaml_count(yaml); d++) {
		const struct kt_json *doc = kt_yaml_doc(yaml, d);
		if (kt_is_array(doc))
			KT_JSON_EACH (item, doc)
				look_at_object(pencil, block->line + kt_yaml_line(yaml, item) - 1, item);
		else
			look_at_object(pencil, block->line + kt_yaml_line(yaml, doc) - 1, doc);
	}
	kt_yaml_free(yaml);
}

/* --- all lessons --- */

static void look_at_lab(struct lesson_pencil *pencil, struct lab *const *labs, size_t count)
{
	const struct lesson *lesson = pencil->lesson;
	bool there = !lesson->lab;
	for (size_t i = 0; i < count; i++)
		there = there || kt_streq(labs[i]->lab, lesson->lab);
	if (!there)
		lesson_found(pencil, "lesson.md", 1, "its lab '%s' is not there; name one that is",
		             lesson->lab);
}

static void look_at_lesson(struct lesson_pencil *pencil)
{
	const struct lesson *lesson = pencil->lesson;
	for (size_t p = 0; p < lesson->page_count; p++)
		for (size_t b = 0; b < lesson->pages[p].block_count; b++)
			if (kt_streq(lesson->pages[p].blocks[b].language, "yaml"))
				look_at_yaml(pencil, &lesson->pages[p].blocks[b]);
}

void lab_lint_course(const struct lesson_course *course, struct lab *const *labs, size_t count,
                     struct lesson_pencil *pencil)
{
	for (size_t v = 0; v < course->level_count; v++)
		for (size_t i = 0; i < course->levels[v].lesson_count; i++) {
			pencil->lesson = course->levels[v].lessons[i];
			look_at_lab(pencil, labs, count);
			look_at_lesson(pencil);
		}
	for (size_t i = 0; i < count; i++)
		if (labs[i]->lesson && !lesson_find(course, labs[i]->lesson)) {
			char *line =
			        kt_strf("lab '%s': lab.yaml: there is no lesson %s; name one of the course",
			                labs[i]->lab, labs[i]->lesson);
			pencil->told(pencil->told_arg, line);
			pencil->found++;
			kt_free(line);
		}
}
