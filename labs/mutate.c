/* SPDX-License-Identifier: MIT */
/* Mutations of a solution: an object dropped, a value changed, a selector widened. What no check notices is
 * reported: the lab may mean it so, or has a hole. */
#include "labs/prove_internal.h"

#include <string.h>

#define MUTANTS_MAX 60

struct mutant {
	struct kt_json *objects; /* the whole solution with one thing changed */
	char *what;
};
struct mutants {
	struct mutant list[MUTANTS_MAX];
	size_t count;
	const struct kt_json *objects;
};

static void add(struct mutants *m, struct kt_json *steal, char *steal_what)
{
	if (m->count < MUTANTS_MAX) {
		m->list[m->count++] = (struct mutant){steal, steal_what};
		return;
	}
	kt_json_free(steal);
	kt_free(steal_what);
}

/* A value near the right one; NULL: left as it is. */
static struct kt_json *changed(const struct kt_json *v)
{
	switch (kt_json_type(v)) {
	case KT_JSON_BOOL:
		return kt_json_bool(!kt_bool_or(v, false));
	case KT_JSON_INT:
		return kt_json_int(kt_int_or(v, 0) + (kt_int_or(v, 0) > 1 ? -1 : 1));
	case KT_JSON_STRING:
		return kt_json_strf("%s-x", kt_str(v));
	default:
		return NULL;
	}
}

/* What says nothing about the answer, or must stay for the object to be the same. */
static bool is_spared(const char *path)
{
	static const char *const spared[] = {"apiVersion", "kind", "metadata.name", "metadata.namespace",
	                                     "spec.template.spec.containers.0.image"};
	for (size_t i = 0; i < KT_COUNT(spared); i++)
		if (kt_streq(path, spared[i]))
			return true;
	return strchr(path, '/') != NULL; /* keys with a slash hold dots as well */
}

static void walk(struct mutants *m, size_t object, const struct kt_json *v, const char *path)
{
	const char *name = kt_path_str(kt_at(m->objects, object), "metadata.name");
	bool selector = kt_ends(path, "matchLabels");
	for (size_t i = 0; i < kt_count(v); i++) {
		char *at = kt_is_array(v) ? kt_strf("%s%s%zu", path, *path ? "." : "", i)
		                          : kt_strf("%s%s%s", path, *path ? "." : "", kt_key(v, i));
		struct kt_json *other =
		        is_spared(at) || (kt_key(v, i) && !kt_is_array(v) && strchr(kt_key(v, i), '.'))
		                ? NULL
		                : changed(kt_at(v, i));
		if (other) {
			struct kt_json *objects = kt_json_ref(m->objects);
			kt_set_path(kt_edit_at(&objects, object), at, other);
			add(m, objects, kt_strf("%s: %s changed", name, at));
		}
		if (selector) {
			struct kt_json *objects = kt_json_ref(m->objects);
			kt_unset(kt_edit_path(kt_edit_at(&objects, object), path), kt_key(v, i));
			add(m, objects, kt_strf("%s: %s widened", name, at));
		}
		walk(m, object, kt_at(v, i), at);
		kt_free(at);
	}
}

static enum kt_code read_objects(const char *dir, struct kt_json **out, struct kt_err *err)
{
	struct kt_strs names = {0};
	enum kt_code rc = kt_list_dir(dir, &names, err);
	*out = kt_json_array();
	for (size_t i = 0; !rc && i < names.count; i++) {
		struct kt_yaml *yaml = NULL;
		char *path = kt_join(dir, names.items[i]);
		if (kt_ends(path, ".yaml"))
			rc = kt_yaml_read(path, &yaml, err);
		for (size_t d = 0; yaml && d < kt_yaml_count(yaml); d++)
			kt_push(out, kt_json_copy(kt_yaml_doc(yaml, d)));
		kt_yaml_free(yaml);
		kt_free(path);
	}
	kt_strs_clear(&names);
	return rc;
}

/* Does any task notice? A mutant that the server refuses is noticed, too. */
static bool noticed(struct proof *p, const struct mutant *mutant)
{
	struct kt_err err = {0};
	struct lab_result *result = NULL;
	char *dir = kt_strf("%s/labs/%s/mutant", p->options->options->home, p->lab->lab),
	     *file = kt_join(dir, "all.json");
	struct kt_json *list = kt_jsonf("{apiVersion: 'v1', kind: 'List', items: %J}", mutant->objects);
	char *text = kt_json_text(list);
	enum kt_code rc = kt_make_dirs(dir, 0700, &err);
	if (!rc)
		rc = kt_write_file(file, text, strlen(text), 0600, &err);
	if (!rc)
		rc = lab_proof_reset(p, &err);
	if (!rc)
		rc = lab_proof_apply(p, dir, &err);
	if (!rc)
		rc = lab_proof_check(p, NULL, &result, &err);
	bool seen = rc || !result->passed;
	lab_result_free(result);
	kt_json_free(list);
	kt_free(text);
	kt_free(file);
	kt_free(dir);
	return seen;
}

void lab_proof_mutate(struct proof *p, const char *solution)
{
	struct kt_json *objects = NULL;
	struct mutants *m = kt_alloc(sizeof(*m));
	size_t unnoticed = 0;
	if (!read_objects(solution, &objects, NULL)) {
		m->objects = objects;
		for (size_t i = 0; i < kt_count(objects); i++) {
			struct kt_json *fewer = kt_json_ref(objects);
			kt_remove(&fewer, i);
			add(m, fewer,
			    kt_strf("%s: dropped", kt_path_str(kt_at(objects, i), "metadata.name")));
			walk(m, i, kt_get(kt_at(objects, i), "spec"), "spec");
		}
	}
	for (size_t i = 0; i < m->count; i++) {
		if (!noticed(p, &m->list[i])) {
			char *line = kt_strf("not noticed: %s", m->list[i].what);
			lab_proof_tell(p, line);
			kt_free(line);
			unnoticed++;
		}
		kt_json_free(m->list[i].objects);
		kt_free(m->list[i].what);
	}
	char *line = kt_strf("mutations: %zu of %zu noticed", m->count - unnoticed, m->count);
	lab_proof_tell(p, line);
	kt_free(line);
	kt_json_free(objects);
	kt_free(m);
}
