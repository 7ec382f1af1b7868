/* SPDX-License-Identifier: MIT */
/* What can be said of a lab without starting it: is everything there that a lab has, does it declare what it
 * needs, are the kinds and fields of its manifests those of Kubernetes? The embedded cluster itself is asked
 * about the latter, in this process, strictly and dry. */
#include "cluster/cluster.h"
#include "labs/labs_internal.h"
#include "labs/prove_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct lint {
	const struct lab *lab;
	void (*told)(void *arg, const char *line);
	void *told_arg;
	unsigned found;
	struct cluster *cluster; /* made when the first manifest is read */
	struct kt_json *custom;  /* {"group/Kind": true}: of the lab's own definitions */
};

static void found(struct lint *l, const char *fmt, ...) KT_PRINTF(2, 3);
static void found(struct lint *l, const char *fmt, ...)
{
	struct kt_buf line = {0};
	va_list ap;
	kt_buf_addf(&line, "lab '%s': ", l->lab->lab);
	va_start(ap, fmt);
	kt_buf_vaddf(&line, fmt, ap);
	va_end(ap);
	l->found++;
	l->told(l->told_arg, kt_buf_str(&line));
	kt_buf_clear(&line);
}

/* --- structure --- */

/* What lies in an answer's folder and is neither applied nor prose does not do what its author believes. */
static void lint_answer(struct lint *l, const char *below)
{
	struct kt_strs names = {0};
	char *dir = kt_join(l->lab->dir, below);
	if (!kt_is_dir(dir) || kt_list_dir(dir, &names, NULL))
		names.count = 0;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i];
		char *path = kt_join(dir, name);
		if (name[0] != '.' && kt_is_file(path) && !kt_ends(name, ".yaml") && !lab_is_answer(name) &&
		    !kt_ends(name, ".md"))
			found(l,
			      "%s/%s is not applied: an answer is .yaml, .yml or .json, objects or a list of "
			      "steps",
			      below, name);
		kt_free(path);
	}
	kt_strs_clear(&names);
	kt_free(dir);
}

/* The answers in wrong/ or also-right/; how many there are. */
static size_t lint_answers(struct lint *l, const char *name)
{
	struct kt_strs names = {0};
	char *dir = kt_join(l->lab->dir, name);
	size_t count = 0;
	if (!kt_is_dir(dir) || kt_list_dir(dir, &names, NULL))
		names.count = 0;
	for (size_t i = 0; i < names.count; i++) {
		char *below = kt_join(name, names.items[i]), *path = kt_join(l->lab->dir, below);
		if (kt_is_dir(path)) {
			struct kt_json *list = NULL;
			struct kt_err err = {0};
			lint_answer(l, below);
			if (kt_streq(name, "wrong") && lab_expect_read(l->lab, path, &list, &err))
				found(l, "%s", err.text);
			kt_json_free(list);
			count++;
		}
		kt_free(below);
		kt_free(path);
	}
	kt_strs_clear(&names);
	kt_free(dir);
	return count;
}

static void lint_structure(struct lint *l)
{
	static const struct {
		const char *name;
		size_t least;
	} folders[] = {{"wrong", 2}, {"also-right", 1}};
	char *solution = kt_join(l->lab->dir, "solution"), *why = kt_join(l->lab->dir, "solution.md");
	if (!kt_is_dir(solution))
		found(l, "there is no folder solution/");
	if (!kt_is_file(why))
		found(l, "there is no solution.md that says why it is solved so");
	for (size_t i = 0; i < KT_COUNT(folders); i++)
		if (lint_answers(l, folders[i].name) < folders[i].least)
			found(l, "%s/ needs %zu folder%s or more", folders[i].name, folders[i].least,
			      folders[i].least == 1 ? "" : "s");
	for (size_t i = 0; i < l->lab->task_count; i++) {
		const struct lab_task *task = &l->lab->tasks[i];
		if (!*task->text)
			found(l, "task '%s' has no text", task->task);
		if (!task->hint_count)
			found(l, "task '%s' has no hint", task->task);
		if (!task->why)
			found(l, "task '%s' does not say why it matters", task->task);
	}
	lint_answer(l, "solution");
	kt_free(solution);
	kt_free(why);
}

/* --- needs --- */

static void want(struct lint *l, const char *needs, const char *where)
{
	for (size_t n = 0; needs && l->lab->needs && l->lab->needs[n]; n++)
		if (kt_streq(l->lab->needs[n], needs))
			return;
	if (needs)
		found(l, "%s needs '%s', which `needs:` does not name", where, needs);
}

static void lint_needs(struct lint *l)
{
	for (size_t i = 0; i < l->lab->setup_count; i++)
		want(l, check_step_needs(l->lab->setup[i]), "setup");
	for (size_t t = 0; t < l->lab->task_count; t++)
		for (size_t c = 0; c < l->lab->tasks[t].check_count; c++) {
			char *where = kt_strf("task '%s'", l->lab->tasks[t].task);
			want(l, check_check_needs(l->lab->tasks[t].checks[c]), where);
			kt_free(where);
		}
}

/* --- manifests --- */

static struct kt_json *ask(struct lint *l, const char *method, const char *target, const struct kt_json *body,
                           int *status)
{
	char *text = body ? kt_json_text(body) : NULL;
	struct cluster_header headers[] = {{"Accept", "application/json"},
	                                   {"Content-Type", "application/json"}};
	struct cluster_request request = {.method = method,
	                                  .target = target,
	                                  .headers = headers,
	                                  .header_count = KT_COUNT(headers),
	                                  .body = text,
	                                  .body_len = text ? strlen(text) : 0,
	                                  .loopback_admin = true};
	struct cluster_response response = {0};
	struct kt_json *json = NULL;
	cluster_handle(l->cluster, &request, &response);
	if (kt_json_parse(kt_buf_str(&response.body), response.body.len, NULL, &json, NULL, NULL))
		json = NULL;
	*status = response.status;
	cluster_response_clear(&response);
	kt_free(text);
	return json;
}

/* Where objects of the kind are made: "/apis/apps/v1/namespaces/default/deployments"; NULL: no such kind. */
static char *path_of(struct lint *l, const char *api, const char *kind)
{
	char *base = kt_strf("%s/%s", strchr(api, '/') ? "/apis" : "/api", api), *path = NULL;
	int status;
	struct kt_json *list = ask(l, "GET", base, NULL, &status);
	const struct kt_json *row;
	KT_JSON_EACH (row, kt_get(list, "resources"))
		if (!path && kt_streq(kt_get_str(row, "kind"), kind) && !strchr(kt_get_str(row, "name"), '/'))
			path = kt_strf("%s%s/%s?dryRun=All&fieldValidation=Strict", base,
			               kt_get_bool(row, "namespaced", false) ? "/namespaces/default" : "",
			               kt_get_str(row, "name"));
	kt_json_free(list);
	kt_free(base);
	return path;
}

static bool is_custom(struct lint *l, const char *api, const char *kind)
{
	char *key = kt_strf("%.*s/%s", (int)strcspn(api, "/"), api, kind);
	bool custom = kt_get(l->custom, key) != NULL;
	kt_free(key);
	return custom;
}

/* Only what cannot be read is wrong here: whether it may be so, the proof finds out. */
static bool is_unreadable(const char *message)
{
	static const char *const words[] = {"strict decoding error", "unknown field", "cannot unmarshal",
	                                    "unable to parse", "unrecognized type"};
	for (size_t i = 0; i < KT_COUNT(words); i++)
		if (strstr(message, words[i]))
			return true;
	return false;
}

static void lint_object(struct lint *l, const char *file, unsigned line, const struct kt_json *object)
{
	const char *api = kt_get_str(object, "apiVersion"), *kind = kt_get_str(object, "kind");
	const struct kt_json *item;
	if (!api || !kind) {
		found(l, "%s:%u: a manifest needs apiVersion and kind", file, line);
		return;
	}
	if (kind && kt_ends(kind, "List") && kt_is_array(kt_get(object, "items"))) {
		KT_JSON_EACH (item, kt_get(object, "items"))
			lint_object(l, file, line, item);
		return;
	}
	char *path = path_of(l, api, kind);
	if (!path && !is_custom(l, api, kind))
		found(l, "%s:%u: Kubernetes has no kind '%s' in %s", file, line, kind, api);
	if (path) {
		int status;
		struct kt_json *copy = kt_json_ref(object);
		if (strstr(path, "/namespaces/default"))
			kt_set_path(&copy, "metadata.namespace", kt_json_str("default"));
		struct kt_json *answer = ask(l, "POST", path, copy, &status);
		const char *message = kt_get_str(answer, "message");
		if (status >= 400 && message && is_unreadable(message))
			found(l, "%s:%u: %s", file, line, message);
		kt_json_free(answer);
		kt_json_free(copy);
	}
	kt_free(path);
}

static void note_definition(struct lint *l, const struct kt_json *object)
{
	if (!kt_streq(kt_get_str(object, "kind"), "CustomResourceDefinition"))
		return;
	char *key = kt_strf("%s/%s", kt_str_or(kt_path(object, "spec.group"), ""),
	                    kt_str_or(kt_path(object, "spec.names.kind"), ""));
	kt_set(&l->custom, key, kt_json_bool(true));
	kt_free(key);
}

/* A document is an object, several in a list, or steps. */
static void
each_object(struct lint *l, const char *file, const struct kt_yaml *yaml, const struct kt_json *doc,
            void (*each)(struct lint *l, const char *file, unsigned line, const struct kt_json *object))
{
	const struct kt_json *item;
	if (check_steps_in(doc))
		return;
	if (!kt_is_array(doc))
		each(l, file, kt_yaml_line(yaml, doc), doc);
	KT_JSON_EACH (item, kt_is_array(doc) ? doc : NULL)
		each(l, file, kt_yaml_line(yaml, item), item);
}

/* Everything below the lab's folder that is a manifest: not lab.yaml, expect.yaml, nor lists of steps. */
static void lint_files(struct lint *l, const char *dir, const char *below,
                       void (*each)(struct lint *l, const char *file, unsigned line,
                                    const struct kt_json *object))
{
	struct kt_strs names = {0};
	char *here = *below ? kt_join(dir, below) : kt_strdup(dir);
	if (kt_list_dir(here, &names, NULL))
		names.count = 0;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i];
		char *path = kt_join(here, name), *shown = *below ? kt_join(below, name) : kt_strdup(name);
		struct kt_yaml *yaml = NULL;
		struct kt_err err = {0};
		bool spared = kt_streq(shown, "lab.yaml") || kt_streq(name, "expect.yaml");
		if (kt_is_dir(path) && name[0] != '.')
			lint_files(l, dir, shown, each);
		else if (!spared && (kt_ends(name, ".yaml") || kt_ends(name, ".yml")) &&
		         kt_yaml_read(path, &yaml, &err))
			found(l, "%s", err.text);
		for (size_t d = 0; yaml && d < kt_yaml_count(yaml); d++)
			each_object(l, shown, yaml, kt_yaml_doc(yaml, d), each);
		kt_yaml_free(yaml);
		kt_free(path);
		kt_free(shown);
	}
	kt_strs_clear(&names);
	kt_free(here);
}

static void each_definition(struct lint *l, const char *file, unsigned line, const struct kt_json *object)
{
	(void)file;
	(void)line;
	note_definition(l, object);
}

static void lint_manifests(struct lint *l)
{
	struct cluster_options options = {
	        .name = "lint", .seed = 1, .now = kt_clock_real().now(NULL), .workers = 1};
	struct kt_err err = {0};
	if (cluster_new(&options, &l->cluster, &err)) {
		found(l, "%s", err.text);
		return;
	}
	l->custom = kt_json_object();
	lint_files(l, l->lab->dir, "", each_definition);
	lint_files(l, l->lab->dir, "", lint_object);
	cluster_free(l->cluster);
	kt_json_free(l->custom);
}

unsigned lab_lint(const struct lab *lab, void (*told)(void *arg, const char *line), void *told_arg)
{
	struct lint l = {.lab = lab, .told = told, .told_arg = told_arg};
	lint_structure(&l);
	lint_needs(&l);
	lint_manifests(&l);
	return l.found;
}
