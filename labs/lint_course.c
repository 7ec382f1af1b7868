/* SPDX-License-Identifier: MIT */
/* What can be said of lessons and labs together, and of the YAML in a lesson: a whole object is one of
 * Kubernetes, a piece of one fits some type of its schema. What is not Kubernetes' is not marked as `yaml`.
 */
#include "cluster/schema/schema.h"
#include "labs/labs_internal.h"

#include <string.h>

#define DEPTH_MAX 32

struct lint {
	struct lesson_pencil *pencil;
	struct schema *schema;
};

/* --- does a value fit a type? --- */

static bool fits(const struct kt_json *v, const struct schema_type *type);

static bool fits_field(const struct kt_json *v, const struct schema_field *field)
{
	if (field->shape == SCHEMA_ONE)
		return fits(v, field->type);
	if (kt_json_type(v) != KT_JSON_NULL && kt_is_array(v) != (field->shape == SCHEMA_LIST))
		return false;
	for (size_t i = 0; i < kt_count(v); i++)
		if (!fits(kt_at(v, i), field->type))
			return false;
	return true;
}

static bool fits(const struct kt_json *v, const struct schema_type *type)
{
	if (type->scalar != SCHEMA_MESSAGE) /* whether its value is right, a cluster says */
		return type->scalar == SCHEMA_ANY || type->scalar == SCHEMA_RAW || !kt_count(v);
	if (kt_is_array(v) || kt_str(v))
		return false;
	for (size_t i = 0; i < kt_count(v); i++) {
		const struct schema_field *field = schema_field_named(type, kt_key(v, i));
		if (!field || !fits_field(kt_at(v, i), field))
			return false;
	}
	return true;
}

/* Is it a piece of some object: does it fit the type, or one below it? */
static bool fits_below(const struct kt_json *v, const struct schema_type *type, struct kt_json **seen,
                       unsigned depth)
{
	if (type->scalar != SCHEMA_MESSAGE || depth > DEPTH_MAX || kt_get(*seen, type->name))
		return false;
	kt_set(seen, type->name, kt_json_bool(true));
	if (fits(v, type))
		return true;
	for (size_t i = 0; i < type->field_count; i++)
		if (fits_below(v, type->fields[i].type, seen, depth + 1))
			return true;
	return false;
}

static bool is_piece(const struct lint *l, const struct kt_json *v)
{
	struct kt_json *seen = kt_json_object();
	bool piece = false;
	for (size_t i = 0; !piece && i < schema_kind_count(l->schema); i++)
		piece = fits_below(v, schema_kind_at(l->schema, i)->type, &seen, 0);
	kt_json_free(seen);
	return piece;
}

/* --- the YAML of a lesson --- */

/* `kind` may stand without its apiVersion, where the page is about something else. */
static const struct schema_type *type_of(const struct lint *l, const char *api, const char *kind)
{
	if (api)
		return schema_type_for(l->schema, api, kind);
	for (size_t i = 0; i < schema_kind_count(l->schema); i++)
		if (kt_streq(schema_kind_at(l->schema, i)->kind, kind))
			return schema_kind_at(l->schema, i)->type;
	return NULL;
}

/* The first name in the way from the top that the type does not have: "spec.replcas". Owned; NULL: none. */
static char *misfit(const struct kt_json *v, const struct schema_type *type, const char *above)
{
	char *found = NULL;
	for (size_t i = 0; !found && !kt_is_array(v) && i < kt_count(v); i++) {
		const struct schema_field *field = schema_field_named(type, kt_key(v, i));
		char *here = kt_strf("%s%s%s", above, *above ? "." : "", kt_key(v, i));
		if (field && fits_field(kt_at(v, i), field))
			kt_free(here);
		else if (field && field->shape == SCHEMA_ONE && field->type->scalar == SCHEMA_MESSAGE &&
		         (found = misfit(kt_at(v, i), field->type, here)))
			kt_free(here);
		else
			found = here;
	}
	return found;
}

static void look_at_object(struct lint *l, unsigned line, const struct kt_json *v)
{
	const char *api = kt_get_str(v, "apiVersion"), *kind = kt_get_str(v, "kind");
	const struct schema_type *type = kind ? type_of(l, api, kind) : NULL;
	if (kind && !type) {
		lesson_found(l->pencil, "lesson.md", line, "Kubernetes has no kind '%s'%s%s; name one it has",
		             kind, api ? " in " : "", api ? api : "");
		return;
	}
	char *where = type ? misfit(v, type, "") : NULL;
	if (where)
		lesson_found(l->pencil, "lesson.md", line,
		             "a %s has no '%s', or not so; `kubectl explain` says what it has", kind, where);
	else if (!type && !is_piece(l, v))
		lesson_found(
		        l->pencil, "lesson.md", line,
		        "this is no piece of an object of Kubernetes; mend its names, or mark the block as "
		        "another program's");
	kt_free(where);
}

static void look_at_yaml(struct lint *l, const struct lesson_block *block)
{
	struct kt_yaml *yaml = NULL;
	struct kt_err err = {0};
	const struct kt_json *item;
	if (kt_yaml_parse("lesson.md", block->text, strlen(block->text), &yaml, &err)) {
		lesson_found(l->pencil, "lesson.md", block->line, "%s (lines of the block); mend it",
		             err.text);
		return;
	}
	for (size_t d = 0; d < kt_yaml_count(yaml); d++) {
		const struct kt_json *doc = kt_yaml_doc(yaml, d);
		if (kt_is_array(doc))
			KT_JSON_EACH (item, doc)
				look_at_object(l, block->line + kt_yaml_line(yaml, item) - 1, item);
		else
			look_at_object(l, block->line + kt_yaml_line(yaml, doc) - 1, doc);
	}
	kt_yaml_free(yaml);
}

/* --- all lessons --- */

static void look_at_lab(struct lint *l, struct lab *const *labs, size_t count)
{
	const struct lesson *lesson = l->pencil->lesson;
	bool there = !lesson->lab;
	for (size_t i = 0; i < count; i++)
		there = there || kt_streq(labs[i]->lab, lesson->lab);
	if (!there)
		lesson_found(l->pencil, "lesson.md", 1, "its lab '%s' is not there; name one that is",
		             lesson->lab);
}

static void look_at_lesson(struct lint *l)
{
	const struct lesson *lesson = l->pencil->lesson;
	for (size_t p = 0; p < lesson->page_count; p++)
		for (size_t b = 0; b < lesson->pages[p].block_count; b++)
			if (kt_streq(lesson->pages[p].blocks[b].language, "yaml"))
				look_at_yaml(l, &lesson->pages[p].blocks[b]);
}

void lab_lint_course(const struct lesson_course *course, struct lab *const *labs, size_t count,
                     struct lesson_pencil *pencil)
{
	struct lint l = {.pencil = pencil, .schema = schema_new()};
	for (size_t v = 0; v < course->level_count; v++)
		for (size_t i = 0; i < course->levels[v].lesson_count; i++) {
			pencil->lesson = course->levels[v].lessons[i];
			look_at_lab(&l, labs, count);
			look_at_lesson(&l);
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
	schema_free(l.schema);
}
