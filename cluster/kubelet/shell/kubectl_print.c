/* SPDX-License-Identifier: MIT */
/* kubectl in a pod: what it prints of objects. */
#include "cluster/kubelet/shell/kubectl.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

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

/* --- output of get --- */
static void add_labels(const struct kt_json *labels, struct kt_buf *out)
{
	for (size_t i = 0; i < kt_count(labels); i++)
		kt_buf_addf(out, "%s%s=%s", i ? "," : "", kt_key(labels, i), kt_str_or(kt_at(labels, i), ""));
	kt_buf_adds(out, kt_count(labels) ? "" : "<none>");
}

/* -L a,b: a column each, the label's last word as its head; row NULL: the heads. */
static void add_label_columns(const char *names, const struct kt_json *row, const struct kt_json *rows,
                              struct kt_buf *line)
{
	size_t len;
	for (const char *one; names && (one = kt_split(&names, ',', &len));) {
		char *name = kt_strndup(one, len);
		const char *slash = strrchr(name, '/'), *head = slash ? slash + 1 : name;
		const struct kt_json *each;
		size_t width = strlen(head), from = line->len;
		KT_JSON_EACH (each, rows)
			width = KT_MAX(
			        width,
			        strlen(kt_str_or(kt_get(kt_path(each, "object.metadata.labels"), name), "")));
		const char *text =
		        row ? kt_str_or(kt_get(kt_path(row, "object.metadata.labels"), name), "") : head;
		kt_buf_addf(line, "%-*s   ", (int)width, text);
		for (size_t c = from; !row && c < line->len; c++)
			line->data[c] = (char)toupper((unsigned char)line->data[c]);
		kt_free(name);
	}
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
	struct kt_buf prefix = {0};
	if (s->many_types)
		kubectl_full_name(s->kind, "", true, &prefix);
	KT_JSON_EACH (row, rows) {
		space = KT_MAX(space, strlen(kt_str_or(kt_path(row, "object.metadata.namespace"), "")));
		for (size_t i = 0; i < count; i++) {
			char *text = kt_json_text(kt_at(kt_get(row, "cells"), i));
			const char *plain = kt_str_or(kt_at(kt_get(row, "cells"), i), text);
			widths[i] = KT_MAX(widths[i], strlen(plain) + (i ? 0 : prefix.len));
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
			kt_buf_adds(&line, cells && !i ? kt_buf_str(&prefix) : "");
			kt_buf_addf(&line, "%-*s   ", (int)(widths[i] - (cells && !i ? prefix.len : 0)),
			            plain);
			for (size_t c = from; !cells && c < line.len; c++)
				line.data[c] = (char)toupper((unsigned char)line.data[c]);
			kt_free(text);
		}
		if (s->label_columns)
			add_label_columns(s->label_columns, n ? kt_at(rows, n - 1) : NULL, rows, &line);
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
	kt_buf_clear(&prefix);
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
		if (inner[0] == '"' || inner[0] == '\'') {
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
		kubectl_full_name(s->kind, kt_str_or(kt_path(object, "metadata.name"), ""), true, &text);
		kt_buf_addc(&text, '\n');
	}
	KT_JSON_EACH (item, items) {
		kubectl_full_name(s->kind, kt_str_or(kt_path(item, "metadata.name"), ""), true, &text);
		kt_buf_addc(&text, '\n');
	}
	tool_out(r, kt_buf_str(&text), text.len);
	kt_buf_clear(&text);
}

/* --- -o custom-columns --- */

/* What a path says of an object: several values with commas between; false: it is no path. */
static bool say_path(const char *expression, const struct kt_json *object, const char *none,
                     struct kt_buf *out)
{
	struct kt_jsonpath *path = NULL;
	struct kt_err err = {0};
	size_t len = strlen(expression);
	bool braces = len > 1 && expression[0] == '{' && expression[len - 1] == '}';
	char *inner = kt_strndup(expression + braces, len - 2 * braces);
	char *rooted = *inner == '.' || *inner == '$' ? kt_strdup(inner) : kt_strf(".%s", inner);
	bool good = !kt_jsonpath_new(rooted, &path, &err);
	kt_free(inner);
	kt_free(rooted);
	if (!good)
		return false;
	struct kt_json *found = kt_jsonpath_find(path, object);
	kt_jsonpath_free(path);
	for (size_t i = 0; i < kt_count(found); i++) {
		const struct kt_json *value = kt_at(found, i);
		char *json = kt_json_text(value);
		kt_buf_addf(out, "%s%s", i ? "," : "",
		            kt_json_type(value) == KT_JSON_NULL ? none : kt_str_or(value, json));
		kt_free(json);
	}
	if (!kt_count(found))
		kt_buf_adds(out, none);
	kt_buf_adds(out, "");
	kt_json_free(found);
	return true;
}

static void print_columns(struct tool_run *r, struct kubectl *s, const struct kt_json *object,
                          const char *spec)
{
	struct kt_strs names = {0}, paths = {0}, cells = {0};
	const struct kt_json *items = kt_get(object, "items");
	size_t len, widths[32] = {0}, rows = items ? kt_count(items) : 1;
	const char *rest = spec;
	for (const char *column; rest && (column = kt_split(&rest, ',', &len));) {
		const char *colon = memchr(column, ':', len);
		if (!colon) {
			kubectl_complain(r, s,
			                 "error: unexpected custom-columns spec: %.*s, expected "
			                 "<header>:<json-path-expr>",
			                 (int)len, column);
			break;
		}
		kt_strs_steal(&names, kt_strndup(column, (size_t)(colon - column)));
		kt_strs_steal(&paths, kt_strndup(colon + 1, len - (size_t)(colon + 1 - column)));
	}
	size_t count = KT_MIN(names.count, KT_COUNT(widths));
	for (size_t c = 0; c < count; c++)
		kt_strs_add(&cells, names.items[c]);
	for (size_t i = 0; i < rows && !s->status; i++) {
		for (size_t c = 0; c < count; c++) {
			struct kt_buf text = {0};
			if (!say_path(paths.items[c], items ? kt_at(items, i) : object, "<none>", &text))
				kubectl_complain(r, s, "error: error parsing jsonpath %s", paths.items[c]);
			kt_strs_add(&cells, kt_buf_str(&text));
			kt_buf_clear(&text);
		}
	}
	size_t from = s->no_headers ? count : 0;
	for (size_t i = from; i < cells.count; i++)
		widths[i % count] = KT_MAX(widths[i % count], strlen(cells.items[i]));
	for (size_t i = from; count && i < cells.count && !s->status; i++) {
		bool last = i % count + 1 == count;
		tool_outf(r, "%-*s%s", last ? 0 : (int)widths[i % count], cells.items[i],
		          last ? "\n" : "   ");
	}
	kt_strs_clear(&names);
	kt_strs_clear(&paths);
	kt_strs_clear(&cells);
}

/* --- --sort-by --- */

/* Numbers and quantities by value, all else as text (kubectl sort/sorting_printer.go). */
static int compare_keys(const char *a, const char *b)
{
	struct kt_quantity x, y;
	if (kt_quantity_parse(a, &x) && kt_quantity_parse(b, &y))
		return kt_quantity_compare(a, b);
	return strcmp(a, b);
}

/* The rows of a table or the items of a list, in the order of a path; new. */
static struct kt_json *sorted(const struct kt_json *list, const char *path, bool rows)
{
	size_t count = kt_count(list), *order = kt_alloc((count + 1) * sizeof(*order));
	struct kt_strs keys = {0};
	for (size_t i = 0; i < count; i++) {
		const struct kt_json *item = kt_at(list, i);
		struct kt_buf key = {0};
		(void)say_path(path, rows ? kt_get(item, "object") : item, "", &key);
		kt_strs_add(&keys, kt_buf_str(&key));
		kt_buf_clear(&key);
		size_t at = i;
		for (; at && compare_keys(keys.items[order[at - 1]], keys.items[i]) > 0; at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	struct kt_json *out = kt_json_array();
	for (size_t i = 0; i < count; i++)
		kt_push(&out, kt_json_ref(kt_at(list, order[i])));
	kt_strs_clear(&keys);
	kt_free(order);
	return out;
}

/* What yaml and json leave out unless it is asked for. */
static struct kt_json *without_managers(const struct kubectl *s, const struct kt_json *object)
{
	struct kt_json *out = kt_json_ref(object), *meta, *items;
	if (kubectl_option(s, "show-managed-fields"))
		return out;
	if (kt_path(out, "metadata.managedFields")) {
		meta = kt_json_ref(kt_get(out, "metadata"));
		kt_unset(&meta, "managedFields");
		kt_set(&out, "metadata", meta);
	}
	if (kt_get(out, "items")) {
		items = kt_json_array();
		for (size_t i = 0; i < kt_count(kt_get(out, "items")); i++)
			kt_push(&items, without_managers(s, kt_at(kt_get(out, "items"), i)));
		kt_set(&out, "items", items);
	}
	return out;
}

void kubectl_print(struct tool_run *r, struct kubectl *s, const struct kt_json *object)
{
	struct kt_buf text = {0};
	const char *part = kt_get(object, "rows") ? "rows" : "items";
	if (s->sort_by && kt_get(object, part)) {
		struct kt_json *copy = kt_json_ref(object);
		const char *path = s->sort_by;
		kt_set(&copy, part, sorted(kt_get(object, part), path, !strcmp(part, "rows")));
		s->sort_by = NULL;
		kubectl_print(r, s, copy);
		s->sort_by = path;
		kt_json_free(copy);
		return;
	}
	if (!s->output || kt_streq(s->output, "wide")) {
		if (s->many_types && !kt_count(kt_get(object, "rows")))
			return;
		if (s->many_types && s->type_at > 1 && s->told_types)
			tool_outs(r, "\n");
		s->told_types = true;
		print_table(r, s, object);
	} else if (kt_streq(s->output, "name")) {
		print_names(r, s, object);
	} else if (kt_starts(s->output, "jsonpath=")) {
		print_template(r, s, object, s->output + 9, strlen(s->output + 9));
	} else if (kt_starts(s->output, "custom-columns=")) {
		print_columns(r, s, object, s->output + 15);
	} else if (kt_starts(s->output, "go-template=")) {
		kubectl_print_go(r, s, object, s->output + 12);
	} else if (kt_streq(s->output, "yaml") || kt_streq(s->output, "json")) {
		struct kt_json *shown = without_managers(s, object);
		if (kt_streq(s->output, "yaml"))
			yaml_add(shown, 0, false, &text);
		else
			kt_json_print_pretty(shown, 4, &text);
		tool_outf(r, "%s%s", kt_buf_str(&text), kt_streq(s->output, "yaml") ? "" : "\n");
		kt_json_free(shown);
	} else {
		kubectl_complain(r, s,
		                 "error: unable to match a printer suitable for the output format \"%s\"",
		                 s->output);
	}
	kt_buf_clear(&text);
}
