/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/awk.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- values: text, or a number when that is what it came from --- */
struct awk_value awk_number(double n)
{
	return (struct awk_value){.number = n};
}

static bool looks_numeric(const char *text, double *out)
{
	char *end;
	*out = strtod(text, &end);
	end += strspn(end, " \t\n");
	return end != text && !*end;
}

struct awk_value awk_text(const char *text, bool input)
{
	struct awk_value v = {.text = kt_strdup(text)};
	v.numeric = input && looks_numeric(text, &v.number);
	return v;
}

void awk_value_clear(struct awk_value *v)
{
	kt_free(v->text);
	*v = (struct awk_value){0};
}

double awk_to_number(const struct awk_value *v)
{
	return v->text ? strtod(v->text, NULL) : v->number;
}

static void add_number(struct kt_buf *out, double n)
{
	if (n == floor(n) && fabs(n) < 1e15)
		kt_buf_addf(out, "%.0f", n + 0.0);
	else
		kt_buf_addf(out, "%.6g", n);
}

char *awk_to_text(const struct awk_value *v)
{
	struct kt_buf out = {0};
	if (v->text)
		return kt_strdup(v->text);
	add_number(&out, v->number);
	return kt_buf_take(&out);
}

static bool truth(const struct awk_value *v)
{
	return v->text ? (v->numeric ? v->number != 0 : *v->text != '\0') : v->number != 0;
}

void awk_split_line(struct awk *s, const char *line)
{
	const char *fs = kt_get_str(s->variables, "FS");
	kt_strs_clear(&s->fields);
	if (!fs || !strcmp(fs, " ")) {
		for (const char *at = line + strspn(line, " \t\n"); *at; at += strspn(at, " \t\n")) {
			size_t len = strcspn(at, " \t\n");
			kt_strs_steal(&s->fields, kt_strndup(at, len));
			at += len;
		}
		return;
	}
	regex_t regex;
	char *single = fs[1] ? kt_strdup(fs) : kt_strf("[%s]", fs);
	bool plain = (!fs[1] && strchr("^]\\", fs[0])) || strlen(single) > 200 ||
	             regcomp(&regex, single, REG_EXTENDED);
	kt_free(single);
	const char *at = line;
	regmatch_t m;
	for (const char *c = line; !*fs && *c; c++) /* FS="": every character */
		kt_strs_steal(&s->fields, kt_strndup(c, 1));
	if (!*fs) {
		if (!plain)
			regfree(&regex);
		return;
	}
	while (*line && !plain && !regexec(&regex, at, 1, &m, 0) && m.rm_eo > 0) {
		kt_strs_steal(&s->fields, kt_strndup(at, (size_t)m.rm_so));
		at += m.rm_eo;
	}
	if (*line)
		kt_strs_add(&s->fields, at);
	if (!plain)
		regfree(&regex);
}

void awk_set_line(struct awk *s, const char *line)
{
	char *copy = kt_strdup(line);
	kt_free(s->line);
	s->line = copy;
	awk_split_line(s, s->line);
}

static void join_fields(struct awk *s)
{
	struct kt_buf line = {0};
	for (size_t i = 0; i < s->fields.count; i++)
		kt_buf_addf(&line, "%s%s", i ? kt_str_or(kt_get(s->variables, "OFS"), " ") : "",
		            s->fields.items[i]);
	kt_buf_adds(&line, "");
	kt_free(s->line);
	s->line = kt_buf_take(&line);
}

static struct awk_value field(const struct awk *s, double n)
{
	if (n == 0)
		return awk_text(s->line ? s->line : "", true);
	if (n < 1 || n > (double)s->fields.count)
		return (struct awk_value){.text = kt_strdup(""), .numeric = true};
	return awk_text(s->fields.items[(size_t)n - 1], true);
}

char *awk_text_of(struct awk *s, const struct awk_node *n)
{
	struct awk_value v = awk_evaluate(s, n);
	char *text = awk_to_text(&v);
	awk_value_clear(&v);
	return text;
}

double awk_number_of(struct awk *s, const struct awk_node *n)
{
	struct awk_value v = awk_evaluate(s, n);
	double d = awk_to_number(&v);
	awk_value_clear(&v);
	return d;
}

/* Values are kept as {t: text} or numbers, so that input's numbers stay both. */
static struct kt_json *stored(const struct awk_value *v)
{
	return v->text ? kt_jsonf("{t: %s, n: %b}", v->text, (int)v->numeric) : kt_json_real(v->number);
}

static struct awk_value loaded(const struct kt_json *json)
{
	if (kt_is_object(json))
		return awk_text(kt_str_or(kt_get(json, "t"), ""), kt_get_bool(json, "n", false));
	if (kt_is_string(json))
		return awk_text(kt_str(json), true);
	if (!json)
		return (struct awk_value){.text = kt_strdup(""), .numeric = true}; /* nothing yet: "" and 0 */
	return awk_number(kt_real_or(json, 0));
}

void awk_assign(struct awk *s, const struct awk_node *place, const struct awk_value *v)
{
	if (place->kind == AWK_FIELD) {
		double n = awk_number_of(s, place->a);
		char *text = awk_to_text(v);
		if (n == 0) {
			kt_free(s->line);
			s->line = kt_strdup(text);
			awk_split_line(s, text);
		} else if (n >= 1 && n < 1000) {
			while (s->fields.count < (size_t)n)
				kt_strs_add(&s->fields, "");
			kt_free(s->fields.items[(size_t)n - 1]);
			s->fields.items[(size_t)n - 1] = kt_strdup(text);
			join_fields(s);
		}
		kt_free(text);
	} else if (place->kind == AWK_INDEX) {
		char *key = awk_text_of(s, place->a), *array = kt_strf("[]%s", place->text);
		struct kt_json **slot = kt_edit(&s->variables, array);
		if (kt_count(*slot) < 100000)
			kt_set(slot, key, stored(v));
		kt_free(key);
		kt_free(array);
	} else if (place->kind == AWK_NAME && !strcmp(place->text, "NF")) {
		double n = fmin(fmax(awk_to_number(v), 0), 1000);
		while (s->fields.count > (size_t)n)
			kt_free(s->fields.items[--s->fields.count]);
		while (s->fields.count < (size_t)n)
			kt_strs_add(&s->fields, "");
		join_fields(s);
	} else if (place->kind == AWK_NAME && (!strcmp(place->text, "NR") || !strcmp(place->text, "FNR"))) {
		*(place->text[0] == 'N' ? &s->records : &s->file_records) = (int64_t)awk_to_number(v);
	} else if (place->kind == AWK_NAME) {
		static const char *const special[] = {"FS", "OFS", "ORS", "RS"};
		bool plain = false;
		for (size_t i = 0; i < KT_COUNT(special); i++)
			plain = plain || !strcmp(special[i], place->text);
		char *text = plain ? awk_to_text(v) : NULL;
		kt_set(&s->variables, place->text, plain ? kt_json_str(text) : stored(v));
		kt_free(text);
	} else {
		s->bad = true;
	}
}

static const struct kt_json *element(struct awk *s, const char *array, const char *key)
{
	char *name = kt_strf("[]%s", array);
	const struct kt_json *v = kt_get(kt_get(s->variables, name), key);
	kt_free(name);
	return v;
}

bool awk_regex(struct awk *s, const struct awk_node *n, regex_t *out)
{
	char *words = n->kind == AWK_REGEX ? kt_strdup(n->text) : awk_text_of(s, n);
	bool fine = strlen(words) <= 1000 && !regcomp(out, words, REG_EXTENDED);
	kt_free(words);
	return fine;
}

static bool matches(struct awk *s, const char *text, const struct awk_node *pattern)
{
	if (pattern->kind == AWK_REGEX)
		return pattern->regex && !regexec(pattern->regex, text, 0, NULL, 0);
	char *words = awk_text_of(s, pattern);
	regex_t regex;
	bool fits = false;
	if (strlen(words) <= 1000 && !regcomp(&regex, words, REG_EXTENDED)) {
		fits = !regexec(&regex, text, 0, NULL, 0);
		regfree(&regex);
	}
	kt_free(words);
	return fits;
}

static struct awk_value compute(const char *op, double a, double b)
{
	switch (op[0]) {
	case '+':
		return awk_number(a + b);
	case '-':
		return awk_number(a - b);
	case '*':
		return awk_number(a * b);
	case '/':
		return awk_number(b != 0 ? a / b : 0);
	case '%':
		return awk_number(b != 0 ? fmod(a, b) : 0);
	default:
		return awk_number(pow(a, b));
	}
}

static struct awk_value two(struct awk *s, const struct awk_node *n)
{
	if (!strcmp(n->op, "&&") || !strcmp(n->op, "||")) {
		struct awk_value left = awk_evaluate(s, n->a);
		bool yes = truth(&left);
		awk_value_clear(&left);
		if (yes == (n->op[0] == '|'))
			return awk_number(yes);
		struct awk_value right = awk_evaluate(s, n->b);
		yes = truth(&right);
		awk_value_clear(&right);
		return awk_number(yes);
	}
	if (strchr(n->op, '~')) {
		char *text = awk_text_of(s, n->a);
		bool fits = matches(s, text, n->b);
		kt_free(text);
		return awk_number(fits == (n->op[0] == '~'));
	}
	struct awk_value a = awk_evaluate(s, n->a), b = awk_evaluate(s, n->b), out;
	if (n->op[0] == ' ') {
		char *x = awk_to_text(&a), *y = awk_to_text(&b);
		bool fits = strlen(x) + strlen(y) < 1u << 20;
		out = (struct awk_value){.text = kt_strf("%s%s", x, fits ? y : "")};
		if (!fits) { /* whoever makes such texts runs out of memory sooner or later */
			process_out_of_memory(s->r->task->process);
			s->steps = AWK_STEPS;
		}
		kt_free(x);
		kt_free(y);
	} else if (strchr("<>=!", n->op[0])) {
		int order;
		if ((!a.text || a.numeric) && (!b.text || b.numeric)) {
			double x = awk_to_number(&a), y = awk_to_number(&b);
			order = (x > y) - (x < y);
		} else {
			char *x = awk_to_text(&a), *y = awk_to_text(&b);
			order = strcmp(x, y);
			kt_free(x);
			kt_free(y);
		}
		bool equal = n->op[1] == '=';
		out = awk_number(n->op[0] == '<'   ? (equal ? order <= 0 : order < 0)
		                 : n->op[0] == '>' ? (equal ? order >= 0 : order > 0)
		                 : n->op[0] == '=' ? order == 0
		                                   : order != 0);
	} else {
		out = compute(n->op, awk_to_number(&a), awk_to_number(&b));
	}
	awk_value_clear(&a);
	awk_value_clear(&b);
	return out;
}

struct awk_value awk_evaluate(struct awk *s, const struct awk_node *n)
{
	struct awk_value v;
	if (!n || ++s->steps > AWK_STEPS)
		return awk_text("", false);
	switch (n->kind) {
	case AWK_NUMBER:
		return awk_number(n->number);
	case AWK_STRING:
		return awk_text(n->text, false);
	case AWK_REGEX:
		return awk_number(matches(s, s->line ? s->line : "", n));
	case AWK_NAME:
		if (!strcmp(n->text, "NR"))
			return awk_number((double)s->records);
		if (!strcmp(n->text, "FNR"))
			return awk_number((double)s->file_records);
		if (!strcmp(n->text, "NF"))
			return awk_number((double)s->fields.count);
		return loaded(kt_get(s->variables, n->text));
	case AWK_FIELD:
		return field(s, awk_number_of(s, n->a));
	case AWK_INDEX: {
		char *key = awk_text_of(s, n->a);
		v = loaded(element(s, n->text, key));
		kt_free(key);
		return v;
	}
	case AWK_UNARY:
		v = awk_evaluate(s, n->a);
		double d = n->op[0] == '!' ? !truth(&v)
		                           : (n->op[0] == '-' ? -awk_to_number(&v) : awk_to_number(&v));
		awk_value_clear(&v);
		return awk_number(d);
	case AWK_BINARY:
		return two(s, n);
	case AWK_ASSIGN:
		v = awk_evaluate(s, n->b);
		if (n->op[0]) {
			double old = awk_number_of(s, n->a), by = awk_to_number(&v);
			awk_value_clear(&v);
			v = compute(n->op, old, by);
		}
		awk_assign(s, n->a, &v);
		return v;
	case AWK_STEP: {
		double old = awk_number_of(s, n->a), next = old + (n->op[0] == '+' ? 1 : -1);
		v = awk_number(next);
		awk_assign(s, n->a, &v);
		return awk_number(n->prefix ? next : old);
	}
	case AWK_IN: {
		char *key = awk_text_of(s, n->a);
		bool in = n->b && n->b->text && element(s, n->b->text, key);
		kt_free(key);
		return awk_number(in);
	}
	case AWK_CHOOSE:
		v = awk_evaluate(s, n->a);
		bool yes = truth(&v);
		awk_value_clear(&v);
		return awk_evaluate(s, yes ? n->b : n->c);
	case AWK_CALL:
		return awk_call(s, n);
	case AWK_GETLINE:
		return awk_getline(s, n);
	default:
		return awk_number(0);
	}
}

/* --- statements --- */
static bool condition(struct awk *s, const struct awk_node *n)
{
	struct awk_value v = awk_evaluate(s, n);
	bool yes = truth(&v);
	awk_value_clear(&v);
	return yes;
}

/* To stdout, a file (made anew at the first time, unless >>), or a command that gets it all at the end. */
static void emit(struct awk *s, const struct awk_node *n, const char *text)
{
	const struct awk_node *to = n ? n->b : NULL;
	char *path = to ? awk_text_of(s, to) : NULL;
	if (!path || !strcmp(path, "/dev/stdout") || (n->op[0] == '>' && !strcmp(path, "-"))) {
		kt_buf_adds(&s->out, text);
	} else if (n->op[0] == '|') {
		char *all = kt_strf("%s%s", kt_str_or(kt_get(s->piped, path), ""), text);
		kt_set(&s->piped, path, kt_json_str(all));
		kt_free(all);
	} else if (!strcmp(path, "/dev/stderr")) {
		task_write(s->r->task, 2, text, strlen(text));
	} else {
		char *full = tool_path(s->r, path);
		bool more = n->op[1] == '>' || kt_get(s->written, path);
		kt_set(&s->written, path, kt_json_bool(true));
		int rc = files_write(tool_container(s->r)->files, full, text, strlen(text), more, 0644,
		                     process_now(s->r->task->process));
		if (rc) {
			tool_errf(s->r, "can't open '%s': %s", path, tool_strerror(rc));
			s->exiting = true;
			s->status = 1;
		}
		kt_free(full);
	}
	kt_free(path);
}

static void print(struct awk *s, const struct awk_node *n)
{
	struct kt_buf text = {0};
	for (const struct awk_node *a = n ? n->a : NULL; a; a = a->next) {
		char *one = awk_text_of(s, a);
		kt_buf_addf(&text, "%s%s", a != n->a ? kt_str_or(kt_get(s->variables, "OFS"), " ") : "", one);
		kt_free(one);
	}
	if (!n || !n->a)
		kt_buf_adds(&text, s->line ? s->line : "");
	kt_buf_adds(&text, kt_str_or(kt_get(s->variables, "ORS"), "\n"));
	emit(s, n, kt_buf_str(&text));
	kt_buf_clear(&text);
}

/* continue ends one turn of a loop; break, the loop. */
static enum awk_flow turned(enum awk_flow flow)
{
	return flow == FLOW_CONTINUE ? FLOW_ON : flow;
}

static enum awk_flow for_in(struct awk *s, const struct awk_node *n)
{
	if (!n->a->b || !n->a->b->text)
		return FLOW_ON;
	char *name = kt_strf("[]%s", n->a->b->text);
	struct kt_json *array = kt_json_ref(kt_get(s->variables, name));
	enum awk_flow flow = FLOW_ON;
	for (size_t i = 0; i < kt_count(array) && flow == FLOW_ON && s->steps < AWK_STEPS; i++) {
		struct awk_value key = awk_text(kt_key(array, i), true);
		awk_assign(s, n->a->a, &key);
		awk_value_clear(&key);
		flow = turned(awk_execute(s, n->d));
	}
	kt_json_free(array);
	kt_free(name);
	return flow == FLOW_BREAK ? FLOW_ON : flow;
}

enum awk_flow awk_execute(struct awk *s, const struct awk_node *n)
{
	enum awk_flow flow = FLOW_ON;
	struct awk_value v;
	if (!n || ++s->steps > AWK_STEPS)
		return FLOW_ON;
	switch (n->kind) {
	case AWK_PRINT:
		print(s, n);
		break;
	case AWK_PRINTF: {
		char *text = awk_format(s, n->a);
		emit(s, n, text);
		kt_free(text);
		break;
	}
	case AWK_IF:
		return awk_execute(s, condition(s, n->a) ? n->b : n->c);
	case AWK_WHILE:
		while (flow == FLOW_ON && s->steps < AWK_STEPS && condition(s, n->a))
			flow = turned(awk_execute(s, n->b));
		return flow == FLOW_BREAK ? FLOW_ON : flow;
	case AWK_DO:
		do
			flow = turned(awk_execute(s, n->b));
		while (flow == FLOW_ON && s->steps < AWK_STEPS && condition(s, n->a));
		return flow == FLOW_BREAK ? FLOW_ON : flow;
	case AWK_FOR:
		v = awk_evaluate(s, n->a);
		awk_value_clear(&v);
		while (flow == FLOW_ON && s->steps < AWK_STEPS && (!n->b || condition(s, n->b))) {
			flow = turned(awk_execute(s, n->d));
			if (flow != FLOW_ON)
				break;
			v = awk_evaluate(s, n->c);
			awk_value_clear(&v);
		}
		return flow == FLOW_BREAK ? FLOW_ON : flow;
	case AWK_FOR_IN:
		return for_in(s, n);
	case AWK_BLOCK:
		for (const struct awk_node *a = n->a; a && flow == FLOW_ON; a = a->next)
			flow = awk_execute(s, a);
		break;
	case AWK_NEXT:
		return FLOW_NEXT;
	case AWK_BREAK:
		return FLOW_BREAK;
	case AWK_CONTINUE:
		return FLOW_CONTINUE;
	case AWK_RETURN:
		awk_value_clear(&s->returned);
		s->returned = awk_evaluate(s, n->a);
		return FLOW_RETURN;
	case AWK_EXIT:
		s->status = n->a ? (int)awk_number_of(s, n->a) & 255 : s->status;
		s->exiting = true;
		return FLOW_EXIT;
	case AWK_DELETE: {
		char *name = kt_strf("[]%s", n->a && n->a->text ? n->a->text : ""), *key = NULL;
		if (n->a && n->a->kind == AWK_INDEX && kt_get(s->variables, name)) {
			key = awk_text_of(s, n->a->a);
			kt_unset(kt_edit(&s->variables, name), key);
		} else {
			kt_unset(&s->variables, name);
		}
		kt_free(name);
		kt_free(key);
		break;
	}
	default:
		v = awk_evaluate(s, n->a);
		awk_value_clear(&v);
		break;
	}
	return flow == FLOW_ON && s->exiting ? FLOW_EXIT : flow;
}

/* A pattern, or a range that begins with one and ends with another. */
static bool applies(struct awk *s, struct awk_rule *rule)
{
	if (!rule->pattern)
		return true;
	if (!rule->until)
		return condition(s, rule->pattern);
	if (!rule->inside && !condition(s, rule->pattern))
		return false;
	rule->inside = !condition(s, rule->until);
	return true;
}

static void run_rules(struct awk *s, bool begin, bool end)
{
	for (struct awk_rule *rule = s->rules; rule; rule = rule->next) {
		if (rule->begin != begin || rule->end != end || !applies(s, rule))
			continue;
		enum awk_flow flow = FLOW_ON;
		if (rule->body)
			flow = awk_execute(s, rule->body);
		else
			print(s, NULL);
		if (flow != FLOW_ON)
			return;
	}
}

/* --- the tool --- */
static void end_awk(struct tool_run *r)
{
	struct awk *s = r->state;
	for (size_t i = 0; i < s->regex_count; i++) {
		regfree(s->regexes[i]);
		kt_free(s->regexes[i]);
	}
	kt_arena_clear(&s->arena);
	kt_json_free(s->variables);
	kt_strs_clear(&s->fields);
	kt_free(s->line);
	kt_buf_clear(&s->out);
	kt_buf_clear(&s->all);
	kt_json_free(s->written);
	kt_json_free(s->piped);
	kt_json_free(s->read);
	awk_value_clear(&s->returned);
}

static void set_text(struct awk *s, const char *pair)
{
	size_t len = strcspn(pair, "=");
	if (!pair[len])
		return;
	char *name = kt_strndup(pair, len);
	struct kt_buf value = {0};
	bool stop = false;
	unescape(pair + len + 1, strlen(pair + len + 1), false, &value, &stop);
	kt_set(&s->variables, name, kt_json_str(kt_buf_str(&value)));
	kt_buf_clear(&value);
	kt_free(name);
}

/* ENVIRON, ARGV. */
static void set_arrays(struct awk *s, size_t at)
{
	struct kt_json *env = tool_env_all(s->r);
	size_t n = 1;
	kt_set(&s->variables, "[]ENVIRON", env ? env : kt_json_object());
	kt_set(kt_edit(&s->variables, "[]ARGV"), "0", kt_json_str("awk"));
	for (size_t i = at; i < s->r->argv.count; i++, n++) {
		char *key = kt_strf("%zu", n);
		kt_set(kt_edit(&s->variables, "[]ARGV"), key, kt_json_str(s->r->argv.items[i]));
		kt_free(key);
	}
	kt_set(&s->variables, "ARGC", kt_json_real((double)n));
	kt_set(&s->variables, "SUBSEP", kt_json_str("\034"));
}

static bool is_assignment(const char *word)
{
	size_t len = 0;
	while (isalnum((unsigned char)word[len]) || word[len] == '_')
		len++;
	return len && !isdigit((unsigned char)*word) && word[len] == '=';
}

/* NAME=TEXT among the files is no file. */
static void take_assignments(struct awk *s, size_t at)
{
	struct kt_strs *argv = &s->r->argv;
	for (size_t i = at; i < argv->count;) {
		if (!is_assignment(argv->items[i])) {
			i++;
			continue;
		}
		set_text(s, argv->items[i]);
		kt_free(argv->items[i]);
		memmove(&argv->items[i], &argv->items[i + 1], (argv->count - i - 1) * sizeof(argv->items[0]));
		argv->count--;
	}
}

static int start(struct tool_run *r, struct awk *s)
{
	size_t at = 1, in = 0;
	const char *value;
	int option;
	struct kt_buf program = {0};
	s->r = r;
	s->variables = kt_json_object();
	while ((option = tool_option(r, &at, &in, "+F:v:f:", &value))) {
		if (option == '?')
			return 1;
		if (option == 'F') {
			char *pair = kt_strf("FS=%s", !strcmp(value, "t") ? "\t" : value);
			set_text(s, pair);
			kt_free(pair);
		} else if (option == 'v') {
			set_text(s, value);
		} else if (option == 'f') {
			char *path = tool_path(r, value);
			int rc = files_read(tool_container(r)->files, path, &program);
			kt_free(path);
			if (rc) {
				kt_buf_clear(&program);
				return tool_fail(r, 1, "can't open '%s': %s", value, tool_strerror(rc));
			}
		}
	}
	if (!program.len && at < r->argv.count)
		kt_buf_adds(&program, r->argv.items[at++]);
	s->at = awk_keep(s, kt_buf_str(&program), program.len);
	kt_buf_clear(&program);
	awk_parse(s);
	if (s->bad)
		return tool_fail(r, tool_busybox(r) ? 1 : 2, "cmd. line:1: Unexpected token");
	set_arrays(s, at);
	take_assignments(s, at);
	tool_inputs(r, at);
	return 0;
}

static bool only_begin(const struct awk *s)
{
	for (const struct awk_rule *rule = s->rules; rule; rule = rule->next) {
		if (!rule->begin)
			return false;
	}
	return true;
}

void awk_flush(struct awk *s)
{
	tool_out(s->r, kt_buf_str(&s->out), s->out.len);
	kt_buf_cut(&s->out, 0);
}

/* One more record; a new file begins to count anew. */
static void next_record(struct awk *s, const char *line)
{
	const char *name = s->r->use_stdin ? NULL : s->r->in_name;
	if (name && !kt_streq(name, kt_get_str(s->variables, "FILENAME"))) {
		kt_set(&s->variables, "FILENAME", kt_json_str(name));
		s->file_records = 0;
	} else if (s->file != s->r->file && !s->r->use_stdin) {
		s->file_records = 0; /* the same file once more */
	}
	s->file = s->r->file;
	s->records++;
	s->file_records++;
	awk_set_line(s, line);
	run_rules(s, false, false);
}

/* Is all the input needed before the first record? */
static bool is_whole(const struct awk *s)
{
	return s->asks || !kt_streq(kt_str_or(kt_get(s->variables, "RS"), "\n"), "\n");
}

static int read_records(struct awk *s)
{
	struct kt_buf line = {0};
	int rc;
	if (s->slurped) {
		while (!s->exiting && awk_record(s, &s->all, &s->all_at, &line)) {
			next_record(s, kt_buf_str(&line));
		}
		kt_buf_clear(&line);
		return 0;
	}
	while (!s->exiting && (rc = tool_line(s->r, &line)) != 0) {
		if (rc == TOOL_WAIT) {
			kt_buf_clear(&line);
			awk_flush(s);
			return TOOL_WAIT;
		}
		next_record(s, kt_buf_str(&line));
	}
	kt_buf_clear(&line);
	return 0;
}

static void run_pipes(struct awk *s)
{
	struct kt_json *piped = s->piped;
	s->piped = NULL;
	for (size_t i = 0; i < kt_count(piped); i++)
		(void)awk_command(s, kt_key(piped, i), kt_str_or(kt_at(piped, i), ""));
	kt_json_free(piped);
}

enum { AWK_START, AWK_SLURP_FIRST, AWK_BEGIN, AWK_SLURP, AWK_RECORDS };

static int run_awk(struct tool_run *r)
{
	struct awk *s = r->state;
	int rc;
	if (r->pc == AWK_START) {
		if ((rc = start(r, s)))
			return rc;
		r->opened = true;
		r->pc = is_whole(s) ? AWK_SLURP_FIRST : AWK_BEGIN;
	}
	if (r->pc == AWK_SLURP_FIRST) {
		if (tool_all(r, &s->all))
			return TOOL_WAIT;
		s->slurped = true;
		r->pc = AWK_BEGIN;
	}
	if (r->pc == AWK_BEGIN) {
		run_rules(s, true, false);
		r->pc = AWK_SLURP;
	}
	bool reads = !s->exiting && !only_begin(s);
	if (r->pc == AWK_SLURP) {
		if (reads && !s->slurped && is_whole(s)) {
			if (tool_all(r, &s->all))
				return TOOL_WAIT;
			s->slurped = true;
		}
		r->pc = AWK_RECORDS;
	}
	if (reads && read_records(s))
		return TOOL_WAIT;
	s->exiting = false; /* END is done after exit as well; an exit in there ends it */
	run_rules(s, false, true);
	awk_flush(s);
	run_pipes(s);
	return s->status ? s->status : (r->in_status ? 2 : 0);
}

const struct tool tools_awk[] = {
        {.name = "awk",
         .sets = "busybox debian",
         .run = run_awk,
         .state_size = sizeof(struct awk),
         .end = end_awk},
        {.name = "gawk",
         .sets = "netshoot",
         .run = run_awk,
         .state_size = sizeof(struct awk),
         .end = end_awk},
        {.name = NULL},
};
