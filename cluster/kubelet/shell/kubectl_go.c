/* SPDX-License-Identifier: MIT */
/* kubectl in a pod: templates of Go, as far as they are in use. */
#include "base/codec.h"
#include "cluster/kubelet/shell/kubectl.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- -o go-template: fields, range, if, texts, and base64decode --- */
static const char *go_action(const char *at, const char *end, struct kt_buf *out)
{
	const char *close = strstr(at, "}}");
	if (!close || close >= end)
		return NULL;
	const char *from = at + 2;
	from += *from == '-';
	from += strspn(from, " \t\n");
	const char *to = close - (close > from && close[-1] == '-');
	while (to > from && isspace((unsigned char)to[-1]))
		to--;
	kt_buf_cut(out, 0);
	kt_buf_add(out, from, (size_t)(to - from));
	kt_buf_adds(out, "");
	return close + 2;
}

/* Where the block that begins behind `at` ends: at its {{else}} or {{end}}. */
static const char *go_block(const char *at, const char *end, bool *is_else)
{
	struct kt_buf word = {0};
	const char *found = NULL, *open = at;
	for (unsigned depth = 0; !found && (open = strstr(open, "{{")) && open < end;) {
		const char *behind = go_action(open, end, &word);
		const char *text = kt_buf_str(&word);
		*is_else = kt_starts(text, "else");
		if (kt_starts(text, "range") || kt_starts(text, "if") || kt_starts(text, "with"))
			depth++;
		else if (!depth && (*is_else || !strcmp(text, "end")))
			found = open;
		else if (!strcmp(text, "end"))
			depth--;
		open = behind ? behind : end;
	}
	kt_buf_clear(&word);
	return found;
}

/* `.a.b`, `index .a "b"`, a text; `| base64decode` behind it. New; NULL: nothing is there. */
static struct kt_json *go_value(const char *expression, const struct kt_json *dot, const struct kt_json *root)
{
	char *copy = kt_strdup(expression), *pipe = strchr(copy, '|'), *at = copy;
	struct kt_json *value = NULL;
	if (pipe)
		*pipe++ = '\0';
	at += strspn(at, " (");
	bool index = kt_starts(at, "index ");
	at += index ? 6 + strspn(at + 6, " ") : 0;
	size_t len = strcspn(at, " )");
	char *path = kt_strndup(at, len);
	const struct kt_json *from = *path == '$' ? root : dot;
	const char *plain = path + (*path == '$');
	plain += *plain == '.';
	if (*at == '"') {
		struct kt_buf text = {0};
		bool stop = false;
		const char *end = strrchr(at, '"');
		unescape(at + 1, end > at ? (size_t)(end - at - 1) : 0, false, &text, &stop);
		value = kt_json_str(kt_buf_str(&text));
		kt_buf_clear(&text);
	} else {
		const struct kt_json *found = *plain ? kt_path(from, plain) : from;
		const char *key = at + len + strspn(at + len, " ");
		if (index && *key == '"') {
			char *name = kt_strndup(key + 1, strcspn(key + 1, "\""));
			found = kt_get(found, name);
			kt_free(name);
		} else if (index) {
			found = kt_at(found, strtoul(key, NULL, 10));
		}
		value = found ? kt_json_ref(found) : NULL;
	}
	if (pipe && strstr(pipe, "base64decode") && value) {
		struct kt_buf text = {0};
		const char *coded = kt_str_or(value, "");
		(void)kt_unbase64(coded, strlen(coded), &text);
		kt_json_free(value);
		value = kt_json_str(kt_buf_str(&text));
		kt_buf_clear(&text);
	}
	kt_free(path);
	kt_free(copy);
	return value;
}

static bool go_true(const struct kt_json *value)
{
	if (kt_is_array(value) || kt_is_object(value))
		return kt_count(value) > 0;
	if (kt_is_string(value))
		return *kt_str_or(value, "") != '\0';
	return value && kt_json_type(value) != KT_JSON_NULL && kt_bool_or(value, kt_int_or(value, 1) != 0);
}

static bool go_print(struct tool_run *r, const struct kt_json *dot, const struct kt_json *root,
                     const char *text, const char *end)
{
	struct kt_buf action = {0};
	bool good = true;
	while (good && text < end) {
		const char *open = strstr(text, "{{");
		if (!open || open >= end) {
			tool_out(r, text, (size_t)(end - text));
			break;
		}
		tool_out(r, text, (size_t)(open - text));
		text = go_action(open, end, &action);
		if (!text) {
			good = false;
			break;
		}
		const char *words = kt_buf_str(&action);
		bool range = kt_starts(words, "range "), test = kt_starts(words, "if "), is_else = false;
		struct kt_json *value = go_value(words + (range                               ? 6
		                                          : test || kt_starts(words, "with ") ? (test ? 3 : 5)
		                                                                              : 0),
		                                 dot, root);
		if (range || test || kt_starts(words, "with ")) {
			const char *first = go_block(text, end, &is_else), *second = NULL, *other = NULL;
			if (first && is_else) {
				other = strstr(first, "}}") + 2;
				second = go_block(other, end, &is_else);
			}
			good = first && (!other || second);
			bool any = range ? kt_count(value) > 0 : go_true(value);
			for (size_t i = 0; good && range && i < kt_count(value); i++)
				good = go_print(r, kt_at(value, i), root, text, first);
			if (good && !range && any)
				good = go_print(r, test ? dot : value, root, text, first);
			if (good && !any && other)
				good = go_print(r, dot, root, other, second);
			if (good)
				text = strstr(second ? second : first, "}}") + 2;
		} else {
			char *json = value ? kt_json_text(value) : NULL;
			tool_outs(r, value ? kt_str_or(value, json) : "<no value>");
			kt_free(json);
		}
		kt_json_free(value);
	}
	kt_buf_clear(&action);
	return good;
}

void kubectl_print_go(struct tool_run *r, struct kubectl *s, const struct kt_json *object,
                      const char *template)
{
	if (!go_print(r, object, object, template, template + strlen(template)))
		kubectl_complain(r, s, "error: error parsing template %s", template);
}
