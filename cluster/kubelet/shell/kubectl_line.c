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

bool kubectl_parse(struct tool_run *r, struct kubectl *s)
{
	const struct {
		const char *longer, *shorter;
		const char **value;
		bool *flag;
	} options[] = {{"namespace", "n", &s->ns, NULL},
	               {"output", "o", &s->output, NULL},
	               {"selector", "l", &s->selector, NULL},
	               {"container", "c", &s->container, NULL},
	               {"patch", "p", &s->patch, NULL},
	               {"type", "", &s->patch_type, NULL},
	               {"filename", "f", &s->file, NULL},
	               {"replicas", "", &s->replicas, NULL},
	               {"tail", "", &s->tail, NULL},
	               {"image", "", &s->image, NULL},
	               {"timeout", "", &s->timeout, NULL},
	               {"field-selector", "", &s->field_selector, NULL},
	               {"for", "", &s->condition, NULL},
	               {"raw", "", &s->raw, NULL},
	               {"subresource", "", &s->subresource, NULL},
	               {"sort-by", "", &s->sort_by, NULL},
	               {"label-columns", "L", &s->label_columns, NULL},
	               {"all", "", NULL, &s->all},
	               {"show-labels", "", NULL, &s->show_labels},
	               {"all-namespaces", "A", NULL, &s->all_namespaces},
	               {"no-headers", "", NULL, &s->no_headers},
	               {"quiet", "q", NULL, &s->quiet},
	               {"ignore-not-found", "", NULL, &s->ignore_missing},
	               {"overwrite", "", NULL, &s->overwrite},
	               {"client", "", NULL, &s->dry}};
	const char *verb = NULL;
	s->cluster = kubectl_cluster(r);
	s->more = kt_json_object();
	for (size_t i = 1; i < r->argv.count; i++) {
		const char *word = r->argv.items[i], *equals;
		bool longer = kt_starts(word, "--");
		size_t n = 0, len;
		if (!strcmp(word, "--")) {
			while (++i < r->argv.count)
				kt_strs_add(&s->rest, r->argv.items[i]);
			break;
		}
		if (word[0] != '-' || !word[1]) {
			verb = verb ? verb : word;
			kt_strs_add(&s->words, word);
			continue;
		}
		if (own_letters(s, verb, word))
			continue;
		if (kt_starts(word, "--from-literal")) {
			equals = strchr(word, '=');
			if (equals)
				kt_strs_add(&s->literals, equals + 1);
			else if (i + 1 < r->argv.count)
				kt_strs_add(&s->literals, r->argv.items[++i]);
			continue;
		}
		word += longer ? 2 : 1;
		equals = longer ? strchr(word, '=') : NULL;
		len = longer ? (equals ? (size_t)(equals - word) : strlen(word)) : 1;
		for (; n < KT_COUNT(options); n++) {
			const char *name = longer ? options[n].longer : options[n].shorter;
			if (strlen(name) == len && !strncmp(name, word, len))
				break;
		}
		if (longer && !strncmp(word, "dry-run", len)) { /* without a value it has one */
			s->dry_run = equals ? equals + 1 : "unchanged";
			continue;
		}
		if (n == KT_COUNT(options) && !longer) {
			kubectl_complain(r, s, "error: unknown shorthand flag: '%c' in -%s", word[0], word);
			return false;
		}
		if (n == KT_COUNT(options)) {
			/* most do not matter here: --wait, --grace-period=0, --force */
			char *name = kt_strndup(word, len);
			bool takes = !equals && takes_value(name) && i + 1 < r->argv.count;
			add_option(s, name, equals ? equals + 1 : (takes ? r->argv.items[++i] : "true"));
			kt_free(name);
			continue;
		}
		if (options[n].flag) {
			*options[n].flag = !equals || strcmp(equals + 1, "false") != 0;
			if (!longer && word[1])
				kubectl_complain(r, s, "error: unknown shorthand flag: '%c' in -%s", word[1],
				                 word);
		} else if (equals) {
			*options[n].value = equals + 1;
		} else if (!longer && word[1]) {
			*options[n].value = word + 1 + (word[1] == '=');
		} else if (i + 1 < r->argv.count) {
			*options[n].value = r->argv.items[++i];
		} else {
			kubectl_complain(r, s, "error: flag needs an argument: %s", r->argv.items[i]);
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
