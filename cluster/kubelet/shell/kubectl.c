/* SPDX-License-Identifier: MIT */
/* kubectl inside a pod: as its ServiceAccount, over the network to the Service `kubernetes`. The commands
 * that Jobs and sidecars run: get, describe's little brothers are not among them. */
#include "cluster/kubelet/shell/kubectl.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount/"

static struct cluster *cluster_of(const struct tool_run *r)
{
	return r->task->process->cluster;
}

void kubectl_complain(struct tool_run *r, struct kubectl *s, const char *fmt, ...)
{
	struct kt_buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	kt_buf_addc(&text, '\n');
	task_write(r->task, 2, text.data, text.len);
	kt_buf_clear(&text);
	s->status = 1;
}

/* --- the command line --- */
static char *read_text(const struct tool_run *r, const char *path)
{
	struct kt_buf text = {0};
	if (files_read(tool_container(r)->files, path, &text)) {
		kt_buf_clear(&text);
		return NULL;
	}
	kt_buf_adds(&text, "");
	return kt_buf_take(&text);
}

static bool parse(struct tool_run *r, struct kubectl *s)
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
	               {"all", "", NULL, &s->all},
	               {"show-labels", "", NULL, &s->show_labels},
	               {"all-namespaces", "A", NULL, &s->all_namespaces},
	               {"no-headers", "", NULL, &s->no_headers},
	               {"quiet", "q", NULL, &s->quiet},
	               {"ignore-not-found", "", NULL, &s->ignore_missing},
	               {"overwrite", "", NULL, &s->overwrite},
	               {"client", "", NULL, &s->dry}};
	for (size_t i = 1; i < r->argv.count; i++) {
		const char *word = r->argv.items[i], *equals;
		bool longer = kt_starts(word, "--");
		size_t n = 0, len;
		if (word[0] != '-' || !word[1]) {
			kt_strs_add(&s->words, word);
			continue;
		}
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
			/* --wait, --grace-period=0, --force and the like do not matter here */
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
	s->own_ns = read_text(r, ACCOUNT "namespace");
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
static const struct schema_kind *kind_named(const struct tool_run *r, const char *name)
{
	const struct schema *schema = cluster_schema(cluster_of(r));
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

static bool want_kind(struct tool_run *r, struct kubectl *s, const char *name)
{
	s->kind = kind_named(r, name);
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
	good = want_kind(r, s, word);
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
static void full_name(const struct schema_kind *kind, const char *name, bool slash, struct kt_buf *out)
{
	kt_buf_addf(out, "%s%s%s", kind->singular, *kind->group ? "." : "", kind->group);
	kt_buf_addf(out, slash ? "/%s" : " \"%s\"", name);
}

void kubectl_told(struct tool_run *r, const struct kubectl *s, const char *name, bool slash, const char *what)
{
	struct kt_buf text = {0};
	full_name(s->kind, name, slash, &text);
	tool_outf(r, "%s %s\n", kt_buf_str(&text), what);
	kt_buf_clear(&text);
}

/* --- YAML out: block style, strings quoted where they could be taken for something else --- */
static bool is_plain(const char *text)
{
	static const char *const words[] = {"true", "false", "null", "yes", "no", "on", "off", "~"};
	char *end;
	if (!*text || strchr("-?:,[]{}#&*!|>'\"%@` .", *text))
		return false;
	(void)strtod(text, &end);
	if (!*end || (isdigit((unsigned char)*text) && strchr(text, ':')))
		return false; /* a number, a time */
	for (size_t i = 0; i < KT_COUNT(words); i++) {
		if (!strcasecmp(words[i], text))
			return false;
	}
	return !strstr(text, ": ") && !strstr(text, " #") && !strchr(text, '\n') && !kt_ends(text, ":") &&
	       !kt_ends(text, " ");
}

static void yaml_add(const struct kt_json *value, int depth, bool in_list, struct kt_buf *out);

static void yaml_value(const struct kt_json *value, int depth, struct kt_buf *out)
{
	bool list = kt_is_array(value), object = kt_is_object(value);
	if ((list || object) && kt_count(value)) {
		kt_buf_addc(out, '\n');
		yaml_add(value, list ? depth : depth + 1, false, out);
		return;
	}
	const char *text = kt_str_or(value, NULL);
	char *shown = list ? kt_strdup("[]") : (object ? kt_strdup("{}") : NULL);
	if (!shown && text && strchr(text, '\n')) {
		kt_buf_adds(out, kt_ends(text, "\n") ? " |\n" : " |-\n");
		size_t len;
		const char *rest = text;
		for (const char *line; rest && (line = kt_split(&rest, '\n', &len));) {
			if (rest || len)
				kt_buf_addf(out, "%*s%.*s\n", (depth + 1) * 2, "", (int)len, line);
		}
		return;
	}
	if (!shown)
		shown = text && is_plain(text) ? kt_strdup(text) : kt_json_text(value);
	kt_buf_addf(out, " %s\n", shown);
	kt_free(shown);
}

static void yaml_add(const struct kt_json *value, int depth, bool in_list, struct kt_buf *out)
{
	bool list = kt_is_array(value);
	struct kt_strs keys = {0};
	for (size_t i = 0; !list && i < kt_count(value); i++)
		kt_strs_add(&keys, kt_key(value, i));
	kt_strs_sort(&keys);
	for (size_t i = 0; i < kt_count(value); i++) {
		const struct kt_json *item = list ? kt_at(value, i) : kt_get(value, keys.items[i]);
		if (!in_list || i)
			kt_buf_addf(out, "%*s", depth * 2, "");
		if (!list) {
			kt_buf_addf(out, "%s:", keys.items[i]);
			yaml_value(item, depth, out);
		} else if (kt_is_object(item) && kt_count(item)) {
			kt_buf_adds(out, "- ");
			yaml_add(item, depth + 1, true, out);
		} else {
			kt_buf_addc(out, '-');
			yaml_value(item, depth, out);
		}
	}
	kt_strs_clear(&keys);
}

struct kt_json *kubectl_answer(const char *body)
{
	struct kt_json *object = NULL;
	return kt_json_parse(body, strlen(body), NULL, &object, NULL, NULL) ? NULL : object;
}

/* --- output of get --- */
static void add_labels(const struct kt_json *labels, struct kt_buf *out)
{
	for (size_t i = 0; i < kt_count(labels); i++)
		kt_buf_addf(out, "%s%s=%s", i ? "," : "", kt_key(labels, i), kt_str_or(kt_at(labels, i), ""));
	kt_buf_adds(out, kt_count(labels) ? "" : "<none>");
}

static void print_table(struct tool_run *r, const struct kubectl *s, const struct kt_json *table)
{
	const struct kt_json *columns = kt_get(table, "columnDefinitions"), *rows = kt_get(table, "rows"),
	                     *row;
	bool wide = kt_streq(s->output, "wide"), spaces = s->all_namespaces && s->kind->namespaced;
	size_t widths[32] = {0}, count = KT_MIN(kt_count(columns), (size_t)31), space = 9;
	if (!kt_count(rows)) {
		struct kt_buf text = {0};
		kt_buf_addf(&text,
		            s->all_namespaces || !s->kind->namespaced
		                    ? "No resources found%.0s\n"
		                    : "No resources found in %s namespace.\n",
		            s->ns);
		if (!s->ignore_missing)
			task_write(r->task, 2, text.data, text.len);
		kt_buf_clear(&text);
		return;
	}
	for (size_t i = 0; i < count; i++)
		widths[i] = s->no_headers ? 0 : strlen(kt_str_or(kt_get(kt_at(columns, i), "name"), ""));
	KT_JSON_EACH (row, rows) {
		space = KT_MAX(space, strlen(kt_str_or(kt_path(row, "object.metadata.namespace"), "")));
		for (size_t i = 0; i < count; i++) {
			char *text = kt_json_text(kt_at(kt_get(row, "cells"), i));
			const char *plain = kt_str_or(kt_at(kt_get(row, "cells"), i), text);
			widths[i] = KT_MAX(widths[i], strlen(plain));
			kt_free(text);
		}
	}
	for (size_t n = s->no_headers ? 1 : 0; n <= kt_count(rows); n++) {
		struct kt_buf line = {0};
		const struct kt_json *cells = n ? kt_get(kt_at(rows, n - 1), "cells") : NULL;
		if (spaces)
			kt_buf_addf(
			        &line, "%-*s   ", (int)space,
			        n ? kt_str_or(kt_path(kt_at(rows, n - 1), "object.metadata.namespace"), "")
			          : "NAMESPACE");
		for (size_t i = 0; i < count; i++) {
			const struct kt_json *column = kt_at(columns, i);
			if (kt_get_int(column, "priority", 0) > 0 && !wide)
				continue;
			char *text = cells ? kt_json_text(kt_at(cells, i)) : kt_strdup("");
			const char *plain = cells ? kt_str_or(kt_at(cells, i), text)
			                          : kt_str_or(kt_get(column, "name"), "");
			size_t from = line.len;
			kt_buf_addf(&line, "%-*s   ", (int)widths[i], plain);
			for (size_t c = from; !cells && c < line.len; c++)
				line.data[c] = (char)toupper((unsigned char)line.data[c]);
			kt_free(text);
		}
		if (s->show_labels && n)
			add_labels(kt_path(kt_at(rows, n - 1), "object.metadata.labels"), &line);
		else if (s->show_labels)
			kt_buf_adds(&line, "LABELS");
		while (line.len && line.data[line.len - 1] == ' ')
			kt_buf_cut(&line, line.len - 1);
		kt_buf_addc(&line, '\n');
		tool_out(r, line.data, line.len);
		kt_buf_clear(&line);
	}
}

/* {range .items[*]}…{end} and plain pieces. */
static void print_template(struct tool_run *r, struct kubectl *s, const struct kt_json *root,
                           const char *text, size_t len)
{
	const char *end = text + len;
	while (text < end) {
		const char *open = memchr(text, '{', (size_t)(end - text)), *close;
		if (!open) {
			tool_out(r, text, (size_t)(end - text));
			return;
		}
		tool_out(r, text, (size_t)(open - text));
		close = memchr(open, '}', (size_t)(end - open));
		if (!close) {
			kubectl_complain(r, s, "error: error parsing jsonpath %s, unclosed action", text);
			return;
		}
		char *inner = kt_strndup(open + 1, (size_t)(close - open - 1));
		text = close + 1;
		if (inner[0] == '"') {
			struct kt_buf out = {0};
			bool stop = false;
			unescape(inner + 1, strlen(inner) > 1 ? strlen(inner) - 2 : 0, false, &out, &stop);
			tool_out(r, kt_buf_str(&out), out.len);
			kt_buf_clear(&out);
			kt_free(inner);
			continue;
		}
		bool range = kt_starts(inner, "range ");
		struct kt_jsonpath *path = NULL;
		struct kt_err err = {0};
		const char *expression = range ? inner + 6 : inner;
		char *rooted = *expression == '.' || *expression == '$' ? kt_strdup(expression)
		                                                        : kt_strf(".%s", expression);
		if (kt_jsonpath_new(rooted, &path, &err)) {
			kubectl_complain(r, s, "error: error parsing jsonpath {%s}", inner);
			kt_free(inner);
			kt_free(rooted);
			return;
		}
		struct kt_json *found = kt_jsonpath_find(path, root);
		kt_jsonpath_free(path);
		kt_free(rooted);
		kt_free(inner);
		if (range) {
			const char *stop = text, *found_end = NULL;
			for (; stop + 4 < end + 1 && !found_end; stop++) {
				if (!strncmp(stop, "{end}", 5))
					found_end = stop;
			}
			for (size_t i = 0; found_end && i < kt_count(found); i++)
				print_template(r, s, kt_at(found, i), text, (size_t)(found_end - text));
			text = found_end ? found_end + 5 : end;
		} else {
			for (size_t i = 0; i < kt_count(found); i++) {
				char *json = kt_json_text(kt_at(found, i));
				tool_outf(r, "%s%s", i ? " " : "", kt_str_or(kt_at(found, i), json));
				kt_free(json);
			}
		}
		kt_json_free(found);
	}
}

static void print_names(struct tool_run *r, const struct kubectl *s, const struct kt_json *object)
{
	const struct kt_json *items = kt_get(object, "items"), *item;
	struct kt_buf text = {0};
	if (!items) {
		full_name(s->kind, kt_str_or(kt_path(object, "metadata.name"), ""), true, &text);
		kt_buf_addc(&text, '\n');
	}
	KT_JSON_EACH (item, items) {
		full_name(s->kind, kt_str_or(kt_path(item, "metadata.name"), ""), true, &text);
		kt_buf_addc(&text, '\n');
	}
	tool_out(r, kt_buf_str(&text), text.len);
	kt_buf_clear(&text);
}

static void tell_object(struct tool_run *r, struct kubectl *s, const struct kt_json *object)
{
	struct kt_buf text = {0};
	if (!s->output || kt_streq(s->output, "wide")) {
		print_table(r, s, object);
	} else if (kt_streq(s->output, "name")) {
		print_names(r, s, object);
	} else if (kt_starts(s->output, "jsonpath=")) {
		print_template(r, s, object, s->output + 9, strlen(s->output + 9));
	} else if (kt_streq(s->output, "yaml")) {
		yaml_add(object, 0, false, &text);
		tool_out(r, kt_buf_str(&text), text.len);
	} else if (kt_streq(s->output, "json")) {
		kt_json_print_pretty(object, 4, &text);
		tool_outf(r, "%s\n", kt_buf_str(&text));
	} else {
		kubectl_complain(r, s,
		                 "error: unable to match a printer suitable for the output format \"%s\"",
		                 s->output);
	}
	kt_buf_clear(&text);
}

static void tell_get(struct tool_run *r, struct kubectl *s, const char *body)
{
	if (s->raw) {
		tool_outs(r, body);
		return;
	}
	struct kt_json *object = kubectl_answer(body);
	if (!object) {
		kubectl_complain(r, s, "error: %s", body);
		return;
	}
	tell_object(r, s, object);
	kt_json_free(object);
}

/* "?labelSelector=…&fieldSelector=…" */
static void add_selectors(const struct kubectl *s, struct kt_buf *path)
{
	const char *const of[][2] = {{"labelSelector", s->selector}, {"fieldSelector", s->field_selector}};
	char mark = '?';
	for (size_t i = 0; i < KT_COUNT(of); i++) {
		if (!of[i][1])
			continue;
		kt_buf_addf(path, "%c%s=", mark, of[i][0]);
		kt_percent(of[i][1], path);
		mark = '&';
	}
}

static bool ask_get(struct tool_run *r, struct kubectl *s)
{
	size_t first = 0;
	struct kt_buf path = {0};
	if (s->raw) {
		s->call = (struct kubectl_call){.method = "GET", .path = kt_strdup(s->raw)};
		return !s->at++;
	}
	if (!s->at && !kubectl_want_objects(r, s, &first))
		return false;
	if (s->at && (s->at >= s->words.count || s->words.count <= 2))
		return false;
	first = strchr(s->words.items[1], '/') ? 1 : 2;
	s->at = s->at ? s->at : first;
	char *base =
	        kubectl_path_of(s, s->kind, s->ns, s->at < s->words.count ? kubectl_name_at(s, s->at) : NULL);
	s->at++;
	kt_buf_adds(&path, base);
	add_selectors(s, &path);
	kt_free(base);
	s->call = (struct kubectl_call){.method = "GET",
	                                .path = kt_buf_take(&path),
	                                .table = !s->output || kt_streq(s->output, "wide")};
	return true;
}

/* --- changes --- */
static void tell_delete(struct tool_run *r, struct kubectl *s, const char *body)
{
	(void)body;
	kubectl_told(r, s, kubectl_name_at(s, s->at - 1), false, "deleted");
}

static bool ask_delete(struct tool_run *r, struct kubectl *s)
{
	size_t first = 0;
	if (!s->at && !kubectl_want_objects(r, s, &first))
		return false;
	if (!s->at && first >= s->words.count) {
		kubectl_complain(r, s, "error: resource(s) were provided, but no name was specified");
		return false;
	}
	s->at = s->at ? s->at : first;
	if (s->at >= s->words.count)
		return false;
	s->call =
	        (struct kubectl_call){.method = "DELETE",
	                              .type = "application/json",
	                              .body = kt_strdup("{\"propagationPolicy\":\"Background\"}"),
	                              .path = kubectl_path_of(s, s->kind, s->ns, kubectl_name_at(s, s->at))};
	s->at++;
	return true;
}

bool kubectl_patch_with(struct tool_run *r, struct kubectl *s, const char *type, const char *sub, char *steal)
{
	size_t first = 0;
	if (s->at || !kubectl_want_objects(r, s, &first) || first >= s->words.count) {
		if (!s->at && !s->status)
			kubectl_complain(r, s, "error: resource(s) were provided, but no name was specified");
		kt_free(steal);
		return false;
	}
	char *base = kubectl_path_of(s, s->kind, s->ns, kubectl_name_at(s, first));
	s->call = (struct kubectl_call){
	        .method = "PATCH",
	        .type = type,
	        .body = steal,
	        .path = kt_strf("%s%s?fieldManager=kubectl-%s", base, sub, s->command->name)};
	kt_free(base);
	s->at = first + 1;
	return true;
}

static bool ask_scale(struct tool_run *r, struct kubectl *s)
{
	if (!s->replicas) {
		kubectl_complain(
		        r, s,
		        "error: The --replicas=COUNT flag is required, and COUNT must be greater than or "
		        "equal to 0");
		return false;
	}
	return kubectl_patch_with(r, s, "application/merge-patch+json", "/scale",
	                          kt_strf("{\"spec\":{\"replicas\":%ld}}", strtol(s->replicas, NULL, 10)));
}

static void tell_scale(struct tool_run *r, struct kubectl *s, const char *body)
{
	(void)body;
	kubectl_told(r, s, kubectl_name_at(s, s->at - 1), true, "scaled");
}

static bool ask_patch(struct tool_run *r, struct kubectl *s)
{
	const char *type = !s->patch_type || kt_streq(s->patch_type, "strategic")
	                           ? "application/strategic-merge-patch+json"
	                           : (kt_streq(s->patch_type, "json") ? "application/json-patch+json"
	                                                              : "application/merge-patch+json");
	if (!s->patch) {
		kubectl_complain(
		        r, s,
		        "error: must specify --patch or --patch-file containing the contents of the patch");
		return false;
	}
	char *sub = s->subresource ? kt_strf("/%s", s->subresource) : kt_strdup("");
	bool asked = kubectl_patch_with(r, s, type, sub, kt_strdup(s->patch));
	kt_free(sub);
	return asked;
}

static void tell_patch(struct tool_run *r, struct kubectl *s, const char *body)
{
	(void)body;
	kubectl_told(r, s, kubectl_name_at(s, s->at - 1), true, "patched");
}

/* label and annotate: NAME KEY=VALUE KEY- */
static bool ask_label(struct tool_run *r, struct kubectl *s)
{
	const char *field = s->command->name[0] == 'l' ? "labels" : "annotations";
	struct kt_json *map = kt_json_object();
	size_t first = s->words.count > 1 && strchr(s->words.items[1], '/') ? 2 : 3;
	for (size_t i = first; i < s->words.count; i++) {
		const char *word = s->words.items[i], *equals = strchr(word, '=');
		size_t len = equals ? (size_t)(equals - word) : strlen(word) - kt_ends(word, "-");
		char *key = kt_strndup(word, len);
		kt_set(&map, key, equals ? kt_json_str(equals + 1) : kt_json_null());
		kt_free(key);
	}
	struct kt_json *meta = NULL, *patch = NULL;
	kt_set(&meta, field, map);
	kt_set(&patch, "metadata", meta);
	char *text = kt_json_text(patch);
	kt_json_free(patch);
	return kubectl_patch_with(r, s, "application/merge-patch+json", "", text);
}

static void tell_label(struct tool_run *r, struct kubectl *s, const char *body)
{
	(void)body;
	kubectl_told(r, s, kubectl_name_at(s, s->at - 1), true,
	             s->command->name[0] == 'l' ? "labeled" : "annotated");
}

void kubectl_drop_word(struct kubectl *s, size_t i)
{
	kt_free(s->words.items[i]);
	memmove(s->words.items + i, s->words.items + i + 1,
	        (s->words.count - i - 1) * sizeof(*s->words.items));
	s->words.count--;
}

/* set image TYPE/NAME CONTAINER=IMAGE… */
static bool ask_set(struct tool_run *r, struct kubectl *s)
{
	if (s->at)
		return false;
	if (s->words.count < 4 || strcmp(s->words.items[1], "image") != 0) {
		kubectl_complain(r, s, "error: unknown command \"%s\"",
		                 s->words.count > 1 ? s->words.items[1] : "");
		return false;
	}
	kubectl_drop_word(s, 1);
	struct kt_json *containers = kt_json_array();
	for (size_t i = strchr(s->words.items[1], '/') ? 2 : 3; i < s->words.count; i++) {
		const char *word = s->words.items[i], *equals = strchr(word, '=');
		char *name = kt_strndup(word, equals ? (size_t)(equals - word) : strlen(word));
		kt_push(&containers, kt_jsonf("{name: %s, image: %s}", name, equals ? equals + 1 : ""));
		kt_free(name);
	}
	struct kt_json *patch = kt_jsonf("{spec: {template: {spec: {containers: %j}}}}", containers);
	char *text = kt_json_text(patch);
	kt_json_free(patch);
	return kubectl_patch_with(r, s, "application/strategic-merge-patch+json", "", text);
}

static void tell_set(struct tool_run *r, struct kubectl *s, const char *body)
{
	(void)body;
	kubectl_told(r, s, kubectl_name_at(s, s->at - 1), true, "image updated");
}

static const struct kubectl_command rollout_status = {"rollout", kubectl_ask_status, kubectl_tell_status,
                                                      false};

/* rollout restart TYPE NAME */
static bool ask_rollout(struct tool_run *r, struct kubectl *s)
{
	struct kt_buf now = {0};
	if (s->at)
		return false;
	if (s->words.count >= 3 && !strcmp(s->words.items[1], "status")) {
		kubectl_drop_word(s, 1);
		s->command = &rollout_status;
		return s->command->ask(r, s);
	}
	if (s->words.count < 3 || strcmp(s->words.items[1], "restart") != 0) {
		kubectl_complain(r, s, "error: unknown command \"%s\"",
		                 s->words.count > 1 ? s->words.items[1] : "");
		return false;
	}
	kubectl_drop_word(s, 1);
	kt_time_print(process_now(r->task->process), &now);
	char *text =
	        kt_strf("{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"kubectl.kubernetes.io/"
	                "restartedAt\":\"%s\"}}}}}",
	                kt_buf_str(&now));
	kt_buf_clear(&now);
	return kubectl_patch_with(r, s, "application/strategic-merge-patch+json", "", text);
}

static void tell_rollout(struct tool_run *r, struct kubectl *s, const char *body)
{
	(void)body;
	kubectl_told(r, s, kubectl_name_at(s, s->at - 1), true, "restarted");
}

/* --- create and apply from files; create configmap|secret generic --- */
/* create deployment NAME --image=IMAGE */
static struct kt_json *created_deployment(struct tool_run *r, struct kubectl *s)
{
	if (s->words.count < 3 || !s->image) {
		kubectl_complain(r, s,
		                 s->image ? "error: exactly one NAME is required, got %d"
		                          : "error: required flag(s) \"image\" not set%.0d",
		                 (int)s->words.count - 2);
		return NULL;
	}
	if (!want_kind(r, s, "deployments"))
		return NULL;
	const char *name = s->words.items[2], *base = kt_basename(s->image);
	char *container = kt_strndup(base, strcspn(base, ":@"));
	struct kt_json *object = kt_jsonf("{apiVersion: 'apps/v1', kind: 'Deployment', metadata: {name: %s, "
	                                  "labels: {app: %s}}, spec: {replicas: %l, "
	                                  "selector: {matchLabels: {app: %s}}, template: {metadata: {labels: "
	                                  "{app: %s}}, spec: {containers: [{name: %s, "
	                                  "image: %s}]}}}}",
	                                  name, name, s->replicas ? strtoll(s->replicas, NULL, 10) : 1LL,
	                                  name, name, container, s->image);
	kt_free(container);
	return object;
}

static struct kt_json *created_object(struct tool_run *r, struct kubectl *s)
{
	if (s->words.count > 1 &&
	    (kt_streq(s->words.items[1], "deployment") || kt_streq(s->words.items[1], "deploy")))
		return created_deployment(r, s);
	bool secret = s->words.count > 1 && kt_streq(s->words.items[1], "secret");
	size_t name = secret ? 3 : 2;
	struct kt_json *data = kt_json_object();
	if (s->words.count <= name ||
	    !(secret || kt_streq(s->words.items[1], "configmap") || kt_streq(s->words.items[1], "cm") ||
	      kt_streq(s->words.items[1], "namespace") || kt_streq(s->words.items[1], "ns") ||
	      kt_streq(s->words.items[1], "serviceaccount") || kt_streq(s->words.items[1], "sa"))) {
		kubectl_complain(r, s, "error: unknown command \"%s\"",
		                 s->words.count > 1 ? s->words.items[1] : "");
		kt_json_free(data);
		return NULL;
	}
	if (!want_kind(r, s, s->words.items[1])) {
		kt_json_free(data);
		return NULL;
	}
	for (size_t i = 0; i < s->literals.count; i++) {
		char *key = kt_strndup(s->literals.items[i], strcspn(s->literals.items[i], "="));
		const char *value = s->literals.items[i] + strlen(key);
		kt_set(&data, key, kt_json_str(*value ? value + 1 : ""));
		kt_free(key);
	}
	struct kt_json *object = kt_jsonf("{apiVersion: %s, kind: %s, metadata: {name: %s}}",
	                                  s->kind->api_version, s->kind->kind, s->words.items[name]);
	if (kt_count(data))
		kt_set(&object, secret ? "stringData" : "data", data);
	else
		kt_json_free(data);
	return object;
}

static const struct kt_json *next_document(struct tool_run *r, struct kubectl *s)
{
	if (!s->docs) {
		struct kt_err err = {0};
		struct kt_buf text = {0};
		if (kt_streq(s->file, "-")) {
			kt_buf_add(&text, kt_buf_str(&s->input), s->input.len);
		} else {
			char *path = tool_path(r, s->file), *read = read_text(r, path);
			kt_free(path);
			if (!read) {
				kubectl_complain(r, s, "error: the path \"%s\" does not exist", s->file);
				return NULL;
			}
			kt_buf_adds(&text, read);
			kt_free(read);
		}
		if (kt_yaml_parse(s->file, kt_buf_str(&text), text.len, &s->docs, &err))
			kubectl_complain(r, s, "error: error parsing %s", s->file);
		kt_buf_clear(&text);
		if (!s->docs)
			return NULL;
	}
	return s->at < kt_yaml_count(s->docs) ? kt_yaml_doc(s->docs, s->at) : NULL;
}

/* --dry-run=client: what would be sent. */
static void tell_dry(struct tool_run *r, struct kubectl *s, const struct kt_json *object)
{
	if (!s->output)
		kubectl_told(r, s, kt_str_or(kt_path(object, "metadata.name"), ""), true,
		             "created (dry run)");
	else
		tell_object(r, s, object);
}

static bool ask_create(struct tool_run *r, struct kubectl *s)
{
	bool apply = s->command->name[0] == 'a';
	struct kt_json *object = NULL;
	if (s->file) {
		const struct kt_json *doc = next_document(r, s);
		if (!doc)
			return false;
		object = kt_json_ref(doc);
		s->kind = schema_by_api_version(cluster_schema(cluster_of(r)),
		                                kt_str_or(kt_get(doc, "apiVersion"), ""),
		                                kt_str_or(kt_get(doc, "kind"), ""));
		if (!s->kind)
			kubectl_complain(
			        r, s,
			        "error: resource mapping not found for name: \"%s\" from \"%s\": no matches "
			        "for kind "
			        "\"%s\" in version \"%s\"",
			        kt_str_or(kt_path(doc, "metadata.name"), ""), s->file,
			        kt_str_or(kt_get(doc, "kind"), ""), kt_str_or(kt_get(doc, "apiVersion"), ""));
	} else if (!s->at && !apply) {
		object = created_object(r, s);
	} else if (!s->at) {
		kubectl_complain(r, s, "error: must specify one of -f and -k");
	}
	if (!object || !s->kind) {
		kt_json_free(object);
		return false;
	}
	if (s->dry_run && strcmp(s->dry_run, "server") != 0 && strcmp(s->dry_run, "none") != 0) {
		tell_dry(r, s, object);
		kt_json_free(object);
		s->at++;
		return s->file ? ask_create(r, s) : false;
	}
	const char *name = kt_str_or(kt_path(object, "metadata.name"), ""),
	           *ns = kt_str_or(kt_path(object, "metadata.namespace"), s->ns);
	char *base = kubectl_path_of(s, s->kind, ns, apply ? name : NULL);
	s->call = (struct kubectl_call){
	        .method = apply ? "PATCH" : "POST",
	        .type = apply ? "application/apply-patch+yaml" : "application/json",
	        .body = kt_json_text(object),
	        .path = kt_strf("%s?fieldManager=kubectl%s%s", base, apply ? "&force=true" : "-create",
	                        s->dry_run && !strcmp(s->dry_run, "server") ? "&dryRun=All" : "")};
	kt_free(base);
	kt_json_free(object);
	s->at++;
	return true;
}

static void tell_create(struct tool_run *r, struct kubectl *s, const char *body)
{
	struct kt_json *object = kubectl_answer(body);
	if (!object)
		return;
	bool created = s->command->name[0] == 'c' || s->fetch.response.status == 201;
	kubectl_told(r, s, kt_str_or(kt_path(object, "metadata.name"), ""), true,
	             created ? "created" : "configured");
	kt_json_free(object);
}

/* --- auth can-i VERB TYPE [NAME] --- */
static bool ask_auth(struct tool_run *r, struct kubectl *s)
{
	if (s->at)
		return false;
	if (s->words.count < 4 || strcmp(s->words.items[1], "can-i") != 0) {
		kubectl_complain(r, s,
		                 "error: you must specify two arguments: verb resource or verb "
		                 "resource/resourceName.");
		return false;
	}
	char *type = kt_strndup(s->words.items[3], strcspn(s->words.items[3], "/"));
	const char *slash = strchr(s->words.items[3], '/');
	const struct schema_kind *kind = kind_named(r, type);
	struct kt_json *review =
	        kt_jsonf("{apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: "
	                 "{resourceAttributes: "
	                 "{verb: %s, resource: %s, group: %s, namespace: %s, name: %s}}}",
	                 s->words.items[2], kind ? kind->resource : type, kind ? kind->group : "",
	                 s->all_namespaces ? "" : s->ns, slash ? slash + 1 : "");
	s->call = (struct kubectl_call){
	        .method = "POST",
	        .type = "application/json",
	        .path = kt_strdup("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
	        .body = kt_json_text(review)};
	kt_json_free(review);
	kt_free(type);
	s->at = 1;
	return true;
}

static void tell_auth(struct tool_run *r, struct kubectl *s, const char *body)
{
	struct kt_json *review = kubectl_answer(body);
	if (!review)
		return;
	bool yes = kt_path_bool(review, "status.allowed", false);
	if (!s->quiet)
		tool_outs(r, yes ? "yes\n" : "no\n");
	s->status = yes ? 0 : 1;
	kt_json_free(review);
}

/* --- logs POD --- */
static bool ask_logs(struct tool_run *r, struct kubectl *s)
{
	if (s->at)
		return false;
	if (s->words.count < 2) {
		kubectl_complain(r, s,
		                 "error: expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or "
		                 "TYPE/NAME "
		                 "is a required argument for the logs command");
		return false;
	}
	s->kind = kind_named(r, "pods");
	char *base = kubectl_path_of(s, s->kind, s->ns, kubectl_name_at(s, 1));
	s->call = (struct kubectl_call){
	        .method = "GET",
	        .path = kt_strf("%s/log?%s%s%s%s", base, s->container ? "container=" : "",
	                        s->container ? s->container : "", s->tail ? "&tailLines=" : "",
	                        s->tail ? s->tail : "")};
	kt_free(base);
	s->at = 1;
	return true;
}

static void tell_logs(struct tool_run *r, struct kubectl *s, const char *body)
{
	(void)s;
	tool_outs(r, body);
}

static const struct kubectl_command commands[] = {
        {"annotate", ask_label, tell_label, false},
        {"apply", ask_create, tell_create, false},
        {"auth", ask_auth, tell_auth, false},
        {"create", ask_create, tell_create, false},
        {"delete", ask_delete, tell_delete, true},
        {"get", ask_get, tell_get, false},
        {"label", ask_label, tell_label, false},
        {"logs", ask_logs, tell_logs, false},
        {"patch", ask_patch, tell_patch, false},
        {"rollout", ask_rollout, tell_rollout, false},
        {"scale", ask_scale, tell_scale, false},
        {"set", ask_set, tell_set, false},
        {"wait", kubectl_ask_wait, kubectl_tell_wait, true},
};

/* -l, --all: those that are there become words of the command line. */
static bool ask_list(struct tool_run *r, struct kubectl *s)
{
	size_t first = 0;
	struct kt_buf path = {0};
	if (!kubectl_want_objects(r, s, &first))
		return false;
	char *base = kubectl_path_of(s, s->kind, s->ns, NULL);
	kt_buf_adds(&path, base);
	add_selectors(s, &path);
	kt_free(base);
	s->call = (struct kubectl_call){.method = "GET", .path = kt_buf_take(&path)};
	return true;
}

static void tell_list(struct tool_run *r, struct kubectl *s, const char *body)
{
	struct kt_json *list = kubectl_answer(body);
	const struct kt_json *item;
	s->listed = true;
	if (!list)
		return;
	KT_JSON_EACH (item, kt_get(list, "items"))
		kt_strs_add(&s->words, kt_str_or(kt_path(item, "metadata.name"), ""));
	bool deletes = s->command->name[0] == 'd';
	if (!kt_count(kt_get(list, "items")) && deletes) {
		tool_outs(r, "No resources found\n");
		s->words.count = KT_MIN(s->words.count, (size_t)1); /* nothing is left to be done */
	} else if (!kt_count(kt_get(list, "items"))) {
		kubectl_complain(r, s, "error: no matching resources found");
	}
	kt_json_free(list);
}

static const struct kubectl_command listing = {"list", ask_list, tell_list, false};

/* --- the conversation --- */
static void call_clear(struct kubectl_call *call)
{
	kt_free(call->path);
	kt_free(call->body);
	*call = (struct kubectl_call){0};
}

static void refused(struct tool_run *r, struct kubectl *s, const struct network_http_response *response)
{
	struct kt_json *status = NULL;
	struct kt_err err = {0};
	struct kt_buf body = {0};
	kt_buf_add(&body, response->body.data ? response->body.data : "", response->body.len);
	const char *reason = NULL, *message = NULL;
	if (!kt_json_parse(kt_buf_str(&body), body.len, NULL, &status, NULL, &err)) {
		reason = kt_get_str(status, "reason");
		message = kt_get_str(status, "message");
	}
	bool gone = s->command->ask == kubectl_ask_wait && kt_streq(s->condition, "delete");
	if (response->status == 404 && (s->ignore_missing || gone))
		;
	else if (response->status == 401)
		kubectl_complain(r, s, "error: You must be logged in to the server (Unauthorized)");
	else if (kt_streq(reason, "Invalid"))
		kubectl_complain(r, s, "The %s", message ? message : "");
	else
		kubectl_complain(r, s, "Error from server%s%s%s: %s", reason ? " (" : "",
		                 reason ? reason : "", reason ? ")" : "", message ? message : "");
	kt_json_free(status);
	kt_buf_clear(&body);
}

static bool prepare(struct tool_run *r, struct kubectl *s)
{
	const char *host = tool_env(r, "KUBERNETES_SERVICE_HOST"),
	           *port = tool_env(r, "KUBERNETES_SERVICE_PORT");
	char *token = read_text(r, ACCOUNT "token"), *bearer;
	if (!host || !token) {
		kubectl_complain(
		        r, s,
		        "The connection to the server localhost:8080 was refused - did you specify the right "
		        "host or port?");
		kt_free(token);
		return false;
	}
	token[strcspn(token, "\r\n")] = '\0';
	bearer = kt_strf("Bearer %s", token);
	kt_set(&s->headers, "Authorization", kt_json_str(bearer));
	kt_free(bearer);
	kt_free(token);
	s->fetch.host = kt_strdup(host);
	s->fetch.port = port ? (unsigned)strtoul(port, NULL, 10) : 443;
	s->fetch.https = true;
	s->fetch.limit = 30 * KT_SEC;
	return true;
}

static bool begin(struct tool_run *r, struct kubectl *s)
{
	if (!parse(r, s))
		return false;
	const char *word = s->words.count ? s->words.items[0] : "";
	if (!strcmp(word, "version")) {
		tool_outs(r, "Client Version: v1.34.1\nKustomize Version: v5.7.1\n");
		return false;
	}
	for (size_t i = 0; i < KT_COUNT(commands) && !s->command; i++) {
		if (!strcmp(commands[i].name, word))
			s->command = &commands[i];
	}
	if (!*word)
		tool_outs(r, "kubectl controls the Kubernetes cluster manager.\n\n Find more information at: "
		             "https://kubernetes.io/docs/reference/kubectl/\n");
	else if (!s->command)
		kubectl_complain(r, s, "error: unknown command \"%s\" for \"kubectl\"", word);
	return s->command != NULL;
}

static int run_kubectl(struct tool_run *r)
{
	struct kubectl *s = r->state;
	if (!s->prepared) {
		s->prepared = true;
		if (!begin(r, s))
			return s->status;
	}
	if (kt_streq(s->file, "-") && !s->docs) {
		tool_inputs(r, r->argv.count);
		if (tool_all(r, &s->input) == TOOL_WAIT)
			return TOOL_WAIT;
	}
	for (;;) {
		bool lists = s->command->many && (s->selector || s->field_selector || s->all) && !s->listed;
		const struct kubectl_command *command = lists ? &listing : s->command;
		if (s->pause && tool_sleep(r, KT_SEC))
			return TOOL_WAIT;
		s->pause = false;
		if (!s->call.path) {
			if (s->listed && s->words.count < 3)
				return s->status;
			if (!command->ask(r, s))
				return s->status;
			fetch_clear(&s->fetch);
			kt_json_freep(&s->headers);
			if (!prepare(r, s))
				return s->status;
			s->fetch.path = kt_strdup(s->call.path);
			kt_set(&s->headers, "Accept",
			       kt_json_str(s->call.table ? "application/"
			                                   "json;as=Table;v=v1;g=meta.k8s.io,application/json"
			                                 : "application/json"));
			kt_set(&s->headers, "User-Agent", kt_json_str("kubectl/v1.34.1 (linux/amd64)"));
			if (s->call.type)
				kt_set(&s->headers, "Content-Type", kt_json_str(s->call.type));
		}
		if (fetch_connect(r, &s->fetch))
			return TOOL_WAIT;
		if (s->fetch.result != FETCH_OK) {
			kubectl_complain(
			        r, s,
			        s->fetch.result == FETCH_REFUSED
			                ? "The connection to the server %s:%u was refused - did you specify "
			                  "the "
			                  "right host or port?"
			                : "Unable to connect to the server: dial tcp %s:%u: i/o timeout",
			        s->fetch.host, s->fetch.port);
			return s->status;
		}
		if (fetch_request(r, &s->fetch, s->call.method, s->headers, s->call.body))
			return TOOL_WAIT;
		kt_buf_adds(&s->fetch.response.body, "");
		if (s->fetch.response.status >= 300)
			refused(r, s, &s->fetch.response);
		else
			command->tell(r, s, kt_buf_str(&s->fetch.response.body));
		if (lists && s->fetch.response.status >= 300)
			return s->status;
		call_clear(&s->call);
	}
}

static void end_kubectl(struct tool_run *r)
{
	struct kubectl *s = r->state;
	fetch_clear(&s->fetch);
	call_clear(&s->call);
	kt_json_free(s->headers);
	kt_strs_clear(&s->words);
	kt_strs_clear(&s->literals);
	kt_yaml_free(s->docs);
	kt_buf_clear(&s->input);
	kt_free(s->told);
	kt_free(s->own_ns);
}

const struct tool tools_kubectl[] = {
        {.name = "kubectl",
         .sets = "kubectl",
         .run = run_kubectl,
         .state_size = sizeof(struct kubectl),
         .end = end_kubectl},
        {.name = NULL},
};
