/* SPDX-License-Identifier: MIT */
/* kubectl's command line, and the kinds and names that stand in it. */
#include "cluster/kubelet/shell/kubectl.h"

#include <string.h>
#include <strings.h>

struct cluster *kubectl_cluster(const struct tool_run *r)
{
	return r->task->process->cluster;
}

char *kubectl_read(const struct tool_run *r, const char *path)
{
	struct kt_buf text = {0};
	if (files_read(tool_container(r)->files, path, &text)) {
		kt_buf_clear(&text);
		return NULL;
	}
	kt_buf_adds(&text, "");
	return kt_buf_take(&text);
}

static void add_option(struct kubectl *s, const char *name, const char *value)
{
	struct kt_json *values = kt_get(s->more, name) ? kt_json_ref(kt_get(s->more, name)) : kt_json_array();
	kt_push(&values, kt_json_str(value));
	kt_set(&s->more, name, values);
}

const char *kubectl_option(const struct kubectl *s, const char *name)
{
	const struct kt_json *values = kt_get(s->more, name);
	const char *value = kt_str_or(kt_at(values, kt_count(values) - (kt_count(values) > 0)), NULL);
	return kt_streq(value, "false") ? NULL : value;
}

static bool takes_value(const char *name)
{
	static const char *const names[] = {"port",
	                                    "target-port",
	                                    "name",
	                                    "restart",
	                                    "env",
	                                    "labels",
	                                    "requests",
	                                    "limits",
	                                    "schedule",
	                                    "from",
	                                    "verb",
	                                    "resource",
	                                    "user",
	                                    "group",
	                                    "role",
	                                    "clusterrole",
	                                    "min",
	                                    "max",
	                                    "cpu-percent",
	                                    "to-revision",
	                                    "revision",
	                                    "since",
	                                    "hard",
	                                    "tcp",
	                                    "cluster-ip",
	                                    "from-file",
	                                    "grace-period",
	                                    "serviceaccount",
	                                    "protocol",
	                                    "external-ip",
	                                    "limit-bytes",
	                                    "since-time",
	                                    "context",
	                                    "kubeconfig",
	                                    "cascade",
	                                    "token",
	                                    "server",
	                                    "as",
	                                    "field-manager",
	                                    "chunk-size",
	                                    "resource-name",
	                                    "from-env-file",
	                                    "duration",
	                                    "overrides",
	                                    "request-timeout",
	                                    "max-log-requests",
	                                    "pod-running-timeout",
	                                    "containers",
	                                    "as-group",
	                                    "description",
	                                    "api-group",
	                                    "verbs",
	                                    "categories",
	                                    "pod-selector",
	                                    "min-available",
	                                    "max-unavailable",
	                                    "value",
	                                    "rule",
	                                    "class"};
	for (size_t i = 0; i < KT_COUNT(names); i++)
		if (kt_streq(names[i], name))
			return true;
	return false;
}

/* -f, -p of logs and -i, -t of exec are no options with a value. */
static bool own_letters(struct kubectl *s, const char *verb, const char *word)
{
	static const struct {
		const char *verb;
		char letter;
		const char *name;
	} rows[] = {{"logs", 'f', "follow"}, {"logs", 'p', "previous"}, {"exec", 'i', "stdin"},
	            {"exec", 't', "tty"},    {"run", 'i', "stdin"},     {"run", 't', "tty"},
	            {"get", 'w', "watch"},   {"rollout", 'w', "watch"}};
	bool all = word[1] != '-';
	for (const char *c = word + 1; all && *c; c++) {
		bool known = false;
		for (size_t i = 0; i < KT_COUNT(rows); i++)
			known = known || (kt_streq(rows[i].verb, verb) && rows[i].letter == *c);
		all = known;
	}
	for (const char *c = word + 1; all && *c; c++)
		for (size_t i = 0; i < KT_COUNT(rows); i++)
			if (kt_streq(rows[i].verb, verb) && rows[i].letter == *c)
				add_option(s, rows[i].name, "true");
	return all;
}

#define VALUE(member) offsetof(struct kubectl, member), false
#define FLAG(member)  offsetof(struct kubectl, member), true

static const struct row {
	const char *longer, *shorter;
	size_t at; /* of its member */
	bool flag;
} rows[] = {{"namespace", "n", VALUE(ns)},
            {"output", "o", VALUE(output)},
            {"selector", "l", VALUE(selector)},
            {"container", "c", VALUE(container)},
            {"patch", "p", VALUE(patch)},
            {"type", "", VALUE(patch_type)},
            {"filename", "f", VALUE(file)},
            {"replicas", "", VALUE(replicas)},
            {"tail", "", VALUE(tail)},
            {"image", "", VALUE(image)},
            {"timeout", "", VALUE(timeout)},
            {"field-selector", "", VALUE(field_selector)},
            {"for", "", VALUE(condition)},
            {"raw", "", VALUE(raw)},
            {"subresource", "", VALUE(subresource)},
            {"sort-by", "", VALUE(sort_by)},
            {"label-columns", "L", VALUE(label_columns)},
            {"all", "", FLAG(all)},
            {"show-labels", "", FLAG(show_labels)},
            {"all-namespaces", "A", FLAG(all_namespaces)},
            {"no-headers", "", FLAG(no_headers)},
            {"quiet", "q", FLAG(quiet)},
            {"ignore-not-found", "", FLAG(ignore_missing)},
            {"overwrite", "", FLAG(overwrite)},
            {"client", "", FLAG(dry)}};

static const struct row *row_of(const char *word, size_t len, bool longer)
{
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		const char *name = longer ? rows[i].longer : rows[i].shorter;
		if (strlen(name) == len && !strncmp(name, word, len))
			return &rows[i];
	}
	return NULL;
}

/* The word behind the one at *at, if there is one: *at moves on. */
static const char *next_word(const struct tool_run *r, size_t *at)
{
	return *at + 1 < r->argv.count ? r->argv.items[++*at] : NULL;
}

/* `word` without its dashes, of `len` up to its `=value` (NULL: none). */
static bool take_row(struct tool_run *r, struct kubectl *s, const struct row *row, size_t *at,
                     const char *word, const char *value)
{
	bool longer = kt_starts(r->argv.items[*at], "--");
	void *member = (char *)s + row->at;
	if (row->flag) {
		*(bool *)member = !value || strcmp(value, "false") != 0;
		if (!longer && word[1])
			kubectl_complain(r, s, "error: unknown shorthand flag: '%c' in -%s", word[1], word);
		return true;
	}
	if (!value && !longer && word[1])
		value = word + 1 + (word[1] == '=');
	if (!value)
		value = next_word(r, at);
	if (!value) {
		kubectl_complain(r, s, "error: flag needs an argument: %s", r->argv.items[*at]);
		return false;
	}
	*(const char **)member = value;
	return true;
}

/* The option at *at and its value. */
static bool take_option(struct tool_run *r, struct kubectl *s, size_t *at)
{
	const char *word = r->argv.items[*at];
	bool longer = kt_starts(word, "--");
	word += longer ? 2 : 1;
	const char *equals = longer ? strchr(word, '=') : NULL, *value = equals ? equals + 1 : NULL;
	size_t len = !longer ? 1 : equals ? (size_t)(equals - word) : strlen(word);
	const struct row *row = row_of(word, len, longer);
	if (longer && kt_starts(word, "from-literal")) {
		value = value ? value : next_word(r, at);
		if (value)
			kt_strs_add(&s->literals, value);
	} else if (longer && !strncmp(word, "dry-run", len)) { /* without a value it has one */
		s->dry_run = value ? value : "unchanged";
	} else if (row) {
		return take_row(r, s, row, at, word, value);
	} else if (!longer) {
		kubectl_complain(r, s, "error: unknown shorthand flag: '%c' in -%s", word[0], word);
		return false;
	} else {
		/* most do not matter here: --wait, --grace-period=0, --force */
		char *name = kt_strndup(word, len);
		if (!value && takes_value(name))
			value = next_word(r, at);
		add_option(s, name, value ? value : "true");
		kt_free(name);
	}
	return true;
}

bool kubectl_parse(struct tool_run *r, struct kubectl *s)
{
	const char *verb = NULL;
	s->cluster = kubectl_cluster(r);
	s->more = kt_json_object();
	for (size_t i = 1; i < r->argv.count; i++) {
		const char *word = r->argv.items[i];
		if (!strcmp(word, "--")) {
			while (++i < r->argv.count)
				kt_strs_add(&s->rest, r->argv.items[i]);
		} else if (word[0] != '-' || !word[1]) {
			verb = verb ? verb : word;
			kt_strs_add(&s->words, word);
		} else if (!own_letters(s, verb, word) && !take_option(r, s, &i)) {
			return false;
		}
	}
	s->own_ns = kubectl_read(r, KUBECTL_ACCOUNT "namespace");
	if (!s->ns)
		s->ns = s->own_ns ? s->own_ns : "default";
	return s->status == 0;
}

/* --- kinds --- */
static bool names_kind(const struct schema_kind *kind, const char *name, size_t len)
{
	if ((strlen(kind->resource) == len && !strncasecmp(kind->resource, name, len)) ||
	    (kind->singular && strlen(kind->singular) == len && !strncasecmp(kind->singular, name, len)))
		return true;
	for (size_t i = 0; kind->short_names && kind->short_names[i]; i++) {
		if (strlen(kind->short_names[i]) == len && !strncasecmp(kind->short_names[i], name, len))
			return true;
	}
	return false;
}

/* "pods", "po", "deployments.apps". */
const struct schema_kind *kubectl_kind_named(const struct kubectl *s, const char *name)
{
	const struct schema *schema = cluster_schema(s->cluster);
	size_t len = strcspn(name, ".");
	const char *group = name[len] ? name + len + 1 : NULL;
	const struct schema_kind *found = NULL;
	for (size_t i = 0; i < schema_kind_count(schema); i++) {
		const struct schema_kind *kind = schema_kind_at(schema, i);
		if (kind->unstored || !names_kind(kind, name, len) ||
		    (group && strcmp(group, kind->group) != 0))
			continue;
		/* core first, and the version that is kept */
		if (!found || (found->storage != found && kind->storage == kind) ||
		    (*found->group && !*kind->group))
			found = kind;
	}
	return found;
}

bool kubectl_want_kind(struct tool_run *r, struct kubectl *s, const char *name)
{
	s->kind = kubectl_kind_named(s, name);
	if (!s->kind)
		kubectl_complain(r, s, "error: the server doesn't have a resource type \"%s\"", name);
	return s->kind != NULL;
}

bool kubectl_want_objects(struct tool_run *r, struct kubectl *s, size_t *first)
{
	char *word, *slash;
	bool good;
	if (s->words.count < 2) {
		kubectl_complain(r, s, "error: You must specify the type of resource to %s.",
		                 s->command->name);
		return false;
	}
	word = kt_strdup(s->words.items[1]);
	slash = strchr(word, '/');
	*first = 2;
	if (slash) {
		/* every word is TYPE/NAME */
		*slash = '\0';
		*first = 1;
	}
	good = kubectl_want_kind(r, s, word);
	kt_free(word);
	return good;
}

const char *kubectl_name_at(const struct kubectl *s, size_t i)
{
	const char *word = s->words.items[i], *slash = strchr(word, '/');
	return slash ? slash + 1 : word;
}

char *kubectl_path_of(const struct kubectl *s, const struct schema_kind *kind, const char *ns,
                      const char *name)
{
	struct kt_buf path = {0};
	kt_buf_addf(&path, *kind->group ? "/apis/%s/%s" : "/api%.0s/%s", kind->group, kind->version);
	if (kind->namespaced && !s->all_namespaces)
		kt_buf_addf(&path, "/namespaces/%s", ns);
	kt_buf_addf(&path, "/%s", kind->resource);
	if (name)
		kt_buf_addf(&path, "/%s", name);
	return kt_buf_take(&path);
}

/* "deployment.apps/web" */
void kubectl_full_name(const struct schema_kind *kind, const char *name, bool slash, struct kt_buf *out)
{
	kt_buf_addf(out, "%s%s%s", kind->singular, *kind->group ? "." : "", kind->group);
	kt_buf_addf(out, slash ? "/%s" : " \"%s\"", name);
}

void kubectl_told(struct tool_run *r, const struct kubectl *s, const char *name, bool slash, const char *what)
{
	struct kt_buf text = {0};
	kubectl_full_name(s->kind, name, slash, &text);
	tool_outf(r, "%s %s\n", kt_buf_str(&text), what);
	kt_buf_clear(&text);
}

struct kt_json *kubectl_answer(const char *body)
{
	struct kt_json *object = NULL;
	return kt_json_parse(body, strlen(body), NULL, &object, NULL, NULL) ? NULL : object;
}
