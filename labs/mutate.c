/* SPDX-License-Identifier: MIT */
/* Mutations of a solution: an object or a step dropped, a value changed, a selector widened. What no task
 * notices is a hole in the lab, or means nothing; then a row of survivors.yaml in the lab's folder says why.
 */
#include "labs/labs_internal.h"
#include "labs/prove_internal.h"

#include <fnmatch.h>
#include <string.h>

#define MUTANTS_MAX 400

struct file {
	const char *name;
	struct kt_json *docs; /* its documents; of steps: one, a list */
	bool steps;
};
struct mutant {
	size_t file;          /* whose place is taken */
	struct kt_json *docs; /* by these */
	char *what;
};
struct mutants {
	struct mutant list[MUTANTS_MAX];
	size_t count, left_out;
	struct kt_strs names;
	struct file *files;
	size_t file_count;
	struct kt_yaml *explained;  /* the lab's survivors.yaml, or NULL */
	struct kt_yaml *everywhere; /* that of the folder above: what means nothing in any of its labs */
	bool *used;                 /* which rows of the lab's explained something */
};

static void add(struct mutants *m, size_t file, struct kt_json *steal, char *steal_what)
{
	if (m->count < MUTANTS_MAX) {
		m->list[m->count++] = (struct mutant){file, steal, steal_what};
		return;
	}
	m->left_out++;
	kt_json_free(steal);
	kt_free(steal_what);
}

/* --- what is changed --- */

/* A value near the right one, of times one far from it; NULL: left as it is. */
static struct kt_json *changed(const char *path, const struct kt_json *v)
{
	int64_t number = kt_int_or(v, 0);
	switch (kt_json_type(v)) {
	case KT_JSON_BOOL:
		return kt_json_bool(!kt_bool_or(v, false));
	case KT_JSON_INT:
		if (kt_ends(path, "econds"))
			return kt_json_int(number ? number * 10 : 10);
		return kt_json_int(number + (number > 1 ? -1 : 1));
	case KT_JSON_STRING:
		return kt_json_strf("%s-x", kt_str(v));
	default:
		return NULL;
	}
}

/* What says nothing about the answer, is the learner's to choose, or must stay for the object to be the same.
 */
static bool is_spared(const char *path)
{
	static const char *const spared[] = {"apiVersion",
	                                     "kind",
	                                     "metadata.name",
	                                     "metadata.namespace",
	                                     "spec.template.spec.containers.[0-9].image",
	                                     "spec.template.spec.containers.[0-9].imagePullPolicy",
	                                     "spec.template.spec.containers.[0-9].name"};
	for (size_t i = 0; i < KT_COUNT(spared); i++)
		if (!fnmatch(spared[i], path, 0))
			return true;
	return strchr(path, '/') != NULL; /* keys with a slash hold dots as well */
}

/* "Deployment shop/web"; owned. */
static char *name_of(const struct kt_json *object)
{
	const char *ns = kt_path_str(object, "metadata.namespace"),
	           *name = kt_path_str(object, "metadata.name");
	return kt_strf("%s %s%s%s", kt_get_str(object, "kind"), ns ? ns : "", ns ? "/" : "",
	               name ? name : "?");
}

static void walk(struct mutants *m, size_t file, size_t doc, const struct kt_json *v, const char *path)
{
	const struct kt_json *docs = m->files[file].docs;
	char *name = name_of(kt_at(docs, doc));
	bool selector = kt_ends(path, "matchLabels");
	for (size_t i = 0; i < kt_count(v); i++) {
		char *at = kt_is_array(v) ? kt_strf("%s%s%zu", path, *path ? "." : "", i)
		                          : kt_strf("%s%s%s", path, *path ? "." : "", kt_key(v, i));
		bool dotted = !kt_is_array(v) && strchr(kt_key(v, i), '.');
		struct kt_json *other = is_spared(at) || dotted ? NULL : changed(at, kt_at(v, i));
		if (other) {
			struct kt_json *copy = kt_json_ref(docs);
			kt_set_path(kt_edit_at(&copy, doc), at, other);
			add(m, file, copy, kt_strf("%s: %s changed", name, at));
		}
		if (selector) {
			struct kt_json *copy = kt_json_ref(docs);
			kt_unset(kt_edit_path(kt_edit_at(&copy, doc), path), kt_key(v, i));
			add(m, file, copy, kt_strf("%s: %s widened", name, at));
		}
		walk(m, file, doc, kt_at(v, i), at);
		kt_free(at);
	}
	kt_free(name);
}

static void drop_steps(struct mutants *m, size_t file)
{
	const struct kt_json *docs = m->files[file].docs;
	for (size_t i = 0; i < kt_count(kt_at(docs, 0)); i++) {
		struct kt_json *copy = kt_json_ref(docs);
		kt_remove(kt_edit_at(&copy, 0), i);
		add(m, file, copy, kt_strf("%s: step %zu dropped", m->files[file].name, i + 1));
	}
}

static void change_file(struct mutants *m, size_t file)
{
	const struct kt_json *docs = m->files[file].docs;
	if (m->files[file].steps)
		drop_steps(m, file);
	for (size_t i = 0; !m->files[file].steps && i < kt_count(docs); i++) {
		struct kt_json *fewer = kt_json_ref(docs);
		kt_remove(&fewer, i);
		char *name = name_of(kt_at(docs, i));
		add(m, file, fewer, kt_strf("%s: dropped", name));
		kt_free(name);
		walk(m, file, i, kt_get(kt_at(docs, i), "spec"), "spec");
	}
}

/* --- the solution, and what is put in its place --- */

/* A file with steps in it is one list of steps: among them objects are applied. */
static void read_docs(const struct kt_yaml *yaml, struct file *file)
{
	struct kt_json *steps = kt_json_array();
	const struct kt_json *step;
	for (size_t d = 0; d < kt_yaml_count(yaml); d++) {
		const struct kt_json *doc = kt_yaml_doc(yaml, d), *list = check_steps_in(doc);
		kt_push(&file->docs, kt_json_copy(doc));
		file->steps = file->steps || list;
		KT_JSON_EACH (step, kt_is_array(list) ? list : NULL)
			kt_push(&steps, kt_json_copy(step));
		if (!kt_is_array(list))
			kt_push(&steps, list ? kt_json_copy(list) : kt_jsonf("{manifest: %J}", doc));
	}
	if (file->steps) {
		kt_json_free(file->docs);
		file->docs = kt_jsonf("[%J]", steps);
	}
	kt_json_free(steps);
}

static enum kt_code read_solution(struct mutants *m, const char *dir, struct kt_err *err)
{
	enum kt_code rc = kt_list_dir(dir, &m->names, err);
	m->files = kt_alloc((m->names.count + 1) * sizeof(*m->files));
	for (size_t i = 0; !rc && i < m->names.count; i++) {
		struct kt_yaml *yaml = NULL;
		char *path = kt_join(dir, m->names.items[i]);
		if (kt_ends(path, ".yaml"))
			rc = kt_yaml_read(path, &yaml, err);
		struct file *file = &m->files[m->file_count];
		if (yaml)
			*file = (struct file){m->names.items[i], kt_json_array(), false};
		if (yaml) {
			read_docs(yaml, file);
			m->file_count++;
		}
		kt_yaml_free(yaml);
		kt_free(path);
	}
	return rc;
}

static enum kt_code write_docs(const char *dir, const struct file *file, const struct kt_json *docs,
                               struct kt_err *err)
{
	struct kt_json *what = file->steps ? kt_json_ref(kt_at(docs, 0))
	                                   : kt_jsonf("{apiVersion: 'v1', kind: 'List', items: %J}", docs);
	char *path = kt_join(dir, file->name), *text = kt_json_text(what);
	bool empty = !kt_count(file->steps ? what : docs);
	enum kt_code rc = empty ? KT_OK : kt_write_file(path, text, strlen(text), 0600, err);
	kt_json_free(what);
	kt_free(text);
	kt_free(path);
	return rc;
}

/* Does any task notice? A mutant that the server refuses is noticed, too. NULL: the solution as it is. */
static bool noticed(struct proof *p, const struct mutants *m, const struct mutant *mutant)
{
	struct kt_err err = {0};
	struct lab_result *result = NULL;
	char *dir = kt_strf("%s/labs/%s/mutant", p->options->options->home, p->lab->lab);
	enum kt_code rc = kt_remove_tree(dir, &err);
	if (!rc)
		rc = kt_make_dirs(dir, 0700, &err);
	for (size_t i = 0; !rc && i < m->file_count; i++)
		rc = write_docs(dir, &m->files[i],
		                mutant && mutant->file == i ? mutant->docs : m->files[i].docs, &err);
	if (!rc)
		rc = lab_proof_reset(p, &err);
	if (!rc)
		rc = lab_proof_apply(p, dir, &err);
	if (!rc)
		rc = lab_proof_check(p, NULL, true, &result, &err);
	bool seen = rc || !result->passed;
	lab_result_free(result);
	kt_free(dir);
	return seen;
}

/* --- survivors that are explained --- */

static const char *const row_keys[] = {"change", "because", "sometimes"};
static const struct lab_rows survivors = {.file = "survivors.yaml",
                                          .what = "a survivor",
                                          .example = "- {change: PATTERN, because: …}",
                                          .wanted = "'change' and 'because'",
                                          .keys = row_keys,
                                          .key_count = KT_COUNT(row_keys),
                                          .required = 2};

static enum kt_code read_explained(struct proof *p, struct mutants *m, struct kt_err *err)
{
	char *above = kt_join(p->lab->source, "..");
	enum kt_code rc = lab_read_rows(&survivors, p->lab->dir, &m->explained, err);
	if (!rc)
		rc = lab_read_rows(&survivors, above, &m->everywhere, err);
	m->used = kt_alloc((kt_count(lab_rows_of(m->explained)) + 1) * sizeof(*m->used));
	kt_free(above);
	return rc;
}

/* Why it may survive; NULL: nobody says. */
static const char *because(struct mutants *m, const char *what)
{
	const struct kt_json *rows = lab_rows_of(m->explained), *row;
	KT_JSON_EACH (row, rows)
		if (!fnmatch(kt_get_str(row, "change"), what, 0)) {
			m->used[row_i] = true;
			return kt_get_str(row, "because");
		}
	rows = lab_rows_of(m->everywhere);
	KT_JSON_EACH (row, rows)
		if (!fnmatch(kt_get_str(row, "change"), what, 0))
			return kt_get_str(row, "because");
	return NULL;
}

static void tell_unused(struct proof *p, const struct mutants *m)
{
	const struct kt_json *rows = lab_rows_of(m->explained), *row;
	KT_JSON_EACH (row, rows)
		if (!m->used[row_i] && !kt_get_bool(row, "sometimes", false)) /* chance may notice it */
			lab_proof_wrong(p, "mutations",
			                "survivors.yaml:%u: nothing that survives is '%s'; take it out",
			                kt_yaml_line(m->explained, row), kt_get_str(row, "change"));
}

/* --- all of it --- */

static void try_all(struct proof *p, struct mutants *m)
{
	size_t unnoticed = 0, explained = 0;
	for (size_t i = 0; i < m->file_count; i++)
		change_file(m, i);
	for (size_t i = 0; i < m->count; i++) {
		if (noticed(p, m, &m->list[i]))
			continue;
		const char *why = because(m, m->list[i].what);
		unnoticed++;
		explained += why != NULL;
		if (why)
			lab_proof_tell(p, "not noticed: %s; %s", m->list[i].what, why);
		else
			lab_proof_wrong(p, "mutations",
			                "no task notices '%s'; tighten a check, or say why in survivors.yaml",
			                m->list[i].what);
	}
	tell_unused(p, m);
	lab_proof_tell(p, "mutations: %zu of %zu noticed, %zu explained", m->count - unnoticed, m->count,
	               explained);
	if (m->left_out)
		lab_proof_tell(p, "mutations: %zu more were not tried", m->left_out);
}

void lab_proof_mutate(struct proof *p, const char *solution)
{
	struct kt_err err = {0};
	struct mutants *m = kt_alloc(sizeof(*m));
	if (read_solution(m, solution, &err) || read_explained(p, m, &err))
		lab_proof_wrong(p, "mutations", "%s", err.text);
	else if (noticed(p, m, NULL))
		lab_proof_wrong(p, "mutations", "the solution itself does not pass, put down as a mutant is");
	else
		try_all(p, m);
	for (size_t i = 0; i < m->count; i++) {
		kt_json_free(m->list[i].docs);
		kt_free(m->list[i].what);
	}
	for (size_t i = 0; i < m->file_count; i++)
		kt_json_free(m->files[i].docs);
	kt_free(m->files);
	kt_strs_clear(&m->names);
	kt_yaml_free(m->explained);
	kt_yaml_free(m->everywhere);
	kt_free(m->used);
	kt_free(m);
}
