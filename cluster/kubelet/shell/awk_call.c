/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/awk.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* sub and gsub: the third argument, or the line. */
static double substitute(struct awk *s, const struct awk_node *args, bool all)
{
	const struct awk_node *pattern = args, *with = args ? args->next : NULL,
	                      *place = with ? with->next : NULL;
	struct awk_node line = {.kind = AWK_FIELD}, zero = {.kind = AWK_NUMBER};
	regex_t regex;
	if (!with || !awk_regex(s, pattern, &regex))
		return 0;
	line.a = &zero;
	char *text = awk_text_of(s, place ? place : &line), *insert = awk_text_of(s, with);
	struct kt_buf out = {0};
	const char *at = text;
	double hits = 0;
	regmatch_t m;
	while ((all || hits == 0) && out.len < 1u << 20 &&
	       !regexec(&regex, at, 1, &m, at == text ? 0 : REG_NOTBOL)) {
		hits++;
		kt_buf_add(&out, at, (size_t)m.rm_so);
		for (const char *c = insert; *c; c++) {
			if (*c == '\\' && c[1] == '&')
				kt_buf_addc(&out, *++c);
			else if (*c == '&')
				kt_buf_add(&out, at + m.rm_so, (size_t)(m.rm_eo - m.rm_so));
			else
				kt_buf_addc(&out, *c);
		}
		at += m.rm_eo;
		if (m.rm_eo == m.rm_so) {
			if (!*at)
				break;
			kt_buf_addc(&out, *at++);
		}
	}
	kt_buf_adds(&out, at);
	regfree(&regex);
	if (hits > 0) {
		struct awk_value v = awk_text(kt_buf_str(&out), false);
		awk_assign(s, place ? place : &line, &v);
		awk_value_clear(&v);
	}
	kt_buf_clear(&out);
	kt_free(text);
	kt_free(insert);
	return hits;
}

static double split_call(struct awk *s, const struct awk_node *args)
{
	const struct awk_node *array = args ? args->next : NULL;
	if (!array || array->kind != AWK_NAME)
		return 0;
	char *text = awk_text_of(s, args), *name = kt_strf("[]%s", array->text);
	struct kt_strs old = s->fields;
	const struct kt_json *kept = kt_get(s->variables, "FS");
	struct kt_json *fs = kt_json_ref(kept);
	s->fields = (struct kt_strs){0};
	if (array->next) {
		char *given = array->next->kind == AWK_REGEX ? kt_strdup(array->next->text)
		                                             : awk_text_of(s, array->next);
		kt_set(&s->variables, "FS", kt_json_str(given));
		kt_free(given);
	}
	awk_split_line(s, text);
	kt_set(&s->variables, "FS", fs);
	kt_set(&s->variables, name, kt_json_object());
	struct kt_json **slot = kt_edit(&s->variables, name);
	for (size_t i = 0; i < s->fields.count; i++) {
		char *key = kt_strf("%zu", i + 1);
		kt_set(slot, key, kt_json_str(s->fields.items[i]));
		kt_free(key);
	}
	double count = (double)s->fields.count;
	kt_strs_clear(&s->fields);
	s->fields = old;
	kt_free(text);
	kt_free(name);
	return count;
}

char *awk_format(struct awk *s, const struct awk_node *args)
{
	struct kt_strs argv = {0};
	struct kt_buf out = {0};
	char message[160] = "";
	kt_strs_add(&argv, "printf");
	kt_strs_add(&argv, "--");
	bool is_number[64] = {false};
	size_t n = 0;
	for (const struct awk_node *a = args; a; a = a->next) {
		struct awk_value v = awk_evaluate(s, a);
		char *text = awk_to_text(&v);
		if (a != args && n < KT_COUNT(is_number))
			is_number[n++] = !v.text;
		/* %d of 3.7 is 3 */
		if (a != args && !v.text && v.number != floor(v.number)) {
			kt_free(text);
			text = kt_strf("%.15g", v.number);
		}
		kt_strs_steal(&argv, text);
		awk_value_clear(&v);
	}
	/* integers for integer conversions */
	const char *spec = argv.count > 2 ? argv.items[2] : "";
	size_t at = 3;
	for (const char *c = spec; *c && at < argv.count && at - 3 < KT_COUNT(is_number); c++) {
		if (*c != '%')
			continue;
		c += 1 + strspn(c + 1, "-+ #0123456789.");
		if (*c == '%' || !*c)
			continue;
		if (*c == 'c' && is_number[at - 3]) { /* a character by its number */
			char letter[2] = {(char)(int)strtod(argv.items[at], NULL), '\0'};
			kt_free(argv.items[at]);
			argv.items[at] = kt_strdup(letter);
		}
		if (strchr("dioxX", *c)) {
			double d = trunc(strtod(argv.items[at], NULL));
			kt_free(argv.items[at]);
			argv.items[at] = kt_strf("%.0f", fabs(d) < 9e18 ? d : 0.0);
		}
		at++;
	}
	/* what is left over must not start the format again */
	for (; argv.count > at; argv.count--)
		kt_free(argv.items[argv.count - 1]);
	(void)printf_text(&argv, &out, message);
	kt_buf_adds(&out, "");
	kt_strs_clear(&argv);
	return kt_buf_take(&out);
}

/* --- the program's own --- */

/* Parameters are variables that get their old values back; arrays are the caller's. */
static struct awk_value call_own(struct awk *s, const struct awk_function *f, const struct awk_node *args)
{
	enum { MOST = 16, DEEPEST = 200 };
	struct kt_json *old[MOST] = {NULL}, *old_array[MOST] = {NULL}, *given[MOST] = {NULL},
	               *array[MOST] = {NULL};
	const char *lent[MOST] = {NULL};
	const struct awk_node *param, *arg = args;
	size_t n = 0, i = 0;
	if (s->calls == DEEPEST)
		return awk_number(0);
	for (param = f->params; param && n < MOST; param = param->next, n++) {
		char *name = arg && arg->kind == AWK_NAME ? kt_strf("[]%s", arg->text) : NULL;
		bool whole = name && !kt_get(s->variables, arg->text);
		if (whole) { /* an array, or what may become one */
			array[n] = kt_json_ref(kt_get(s->variables, name));
			lent[n] = arg->text;
		} else if (arg) {
			struct awk_value v = awk_evaluate(s, arg);
			given[n] = v.text ? kt_jsonf("{t: %s, n: %b}", v.text, (int)v.numeric)
			                  : kt_json_real(v.number);
			awk_value_clear(&v);
		}
		kt_free(name);
		arg = arg ? arg->next : NULL;
	}
	for (param = f->params, i = 0; i < n; param = param->next, i++) {
		char *name = kt_strf("[]%s", param->text);
		old[i] = kt_json_ref(kt_get(s->variables, param->text));
		old_array[i] = kt_json_ref(kt_get(s->variables, name));
		kt_unset(&s->variables, param->text);
		kt_unset(&s->variables, name);
		if (given[i])
			kt_set(&s->variables, param->text, given[i]);
		if (array[i])
			kt_set(&s->variables, name, array[i]);
		kt_free(name);
	}
	s->calls++;
	awk_value_clear(&s->returned);
	(void)awk_execute(s, f->body);
	s->calls--;
	struct awk_value out = s->returned;
	s->returned = (struct awk_value){0};
	for (param = f->params, i = 0; i < n; param = param->next, i++) {
		char *name = kt_strf("[]%s", param->text);
		array[i] = kt_json_ref(kt_get(s->variables, name));
		kt_unset(&s->variables, param->text);
		kt_unset(&s->variables, name);
		if (old[i])
			kt_set(&s->variables, param->text, old[i]);
		if (old_array[i])
			kt_set(&s->variables, name, old_array[i]);
		kt_free(name);
	}
	for (i = 0; i < n; i++) {
		char *name = lent[i] ? kt_strf("[]%s", lent[i]) : NULL;
		if (name && array[i])
			kt_set(&s->variables, name, array[i]);
		else
			kt_json_free(array[i]);
		kt_free(name);
	}
	return out;
}

/* --- files and commands --- */

int awk_command(struct awk *s, const char *command, const char *in)
{
	const char *const argv[] = {"sh", "-c", command, NULL};
	struct kt_buf out = {0};
	kt_ns took = 0;
	int code = 127;
	if (process_answer(tool_container(s->r), argv, in, strlen(in), &out, &took, &code))
		tool_out(s->r, kt_buf_str(&out), out.len);
	kt_buf_clear(&out);
	return code;
}

bool awk_record(struct awk *s, const struct kt_buf *text, size_t *at, struct kt_buf *out)
{
	const char *rs = kt_str_or(kt_get(s->variables, "RS"), "\n"), *data = kt_buf_str(text);
	kt_buf_cut(out, 0);
	if (!*rs)
		*at += strspn(data + *at, "\n");
	if (*at >= text->len)
		return false;
	const char *from = data + *at, *end = *rs ? strchr(from, *rs) : strstr(from, "\n\n");
	size_t len = end ? (size_t)(end - from) : text->len - *at;
	*at += len + (end ? 1 : 0);
	bool last = !end && len && from[len - 1] == '\n';
	kt_buf_add(out, from, len - last);
	kt_buf_adds(out, "");
	return true;
}

/* All of a file, or of what a command says; NULL: there is none. Owned. */
static char *source_text(struct awk *s, const char *name, bool command)
{
	struct kt_buf text = {0};
	kt_ns took = 0;
	bool there;
	if (command) {
		const char *const argv[] = {"sh", "-c", name, NULL};
		awk_flush(s);
		there = process_answer(tool_container(s->r), argv, "", 0, &text, &took, NULL);
	} else {
		char *path = tool_path(s->r, name);
		there = !special_file(s->r->task, path, &text);
		kt_free(path);
	}
	kt_buf_adds(&text, "");
	if (there)
		return kt_buf_take(&text);
	kt_buf_clear(&text);
	return NULL;
}

struct awk_value awk_getline(struct awk *s, const struct awk_node *n)
{
	struct kt_buf line = {0};
	bool command = n->op[0] == '|', plain = !command && !n->c;
	double got = 0;
	if (plain) {
		got = awk_record(s, &s->all, &s->all_at, &line);
	} else {
		char *name = awk_text_of(s, command ? n->a : n->c),
		     *key = kt_strf("%c%s", command ? '|' : '<', name);
		if (!kt_get(s->read, key)) {
			char *text = source_text(s, name, command);
			if (text)
				kt_set(&s->read, key, kt_json_str(text));
			else
				got = -1;
			kt_free(text);
		}
		if (got == 0) {
			struct kt_buf rest = {0};
			size_t at = 0;
			kt_buf_adds(&rest, kt_str_or(kt_get(s->read, key), ""));
			got = awk_record(s, &rest, &at, &line);
			kt_set(&s->read, key, kt_json_str(kt_buf_str(&rest) + KT_MIN(at, rest.len)));
			kt_buf_clear(&rest);
		}
		kt_free(name);
		kt_free(key);
	}
	if (got > 0) {
		if (plain || command) {
			s->records++;
			s->file_records += plain;
		}
		if (n->b) {
			struct awk_value v = awk_text(kt_buf_str(&line), true);
			awk_assign(s, n->b, &v);
			awk_value_clear(&v);
		} else {
			awk_set_line(s, kt_buf_str(&line));
		}
	}
	kt_buf_clear(&line);
	return awk_number(got);
}

/* close(): what goes into a command is done now; what is read or written begins anew. */
static double close_one(struct awk *s, const struct awk_node *n)
{
	char *name = awk_text_of(s, n), *in = kt_strf("<%s", name), *out = kt_strf("|%s", name);
	char *text = kt_get(s->piped, name) ? kt_strdup(kt_get_str(s->piped, name)) : NULL;
	if (text) {
		awk_flush(s);
		(void)awk_command(s, name, text);
		kt_unset(&s->piped, name);
	}
	kt_unset(&s->written, name);
	kt_unset(&s->read, in);
	kt_unset(&s->read, out);
	kt_free(text);
	kt_free(name);
	kt_free(in);
	kt_free(out);
	return 0;
}

/* mktime("2024 01 15 12 30 00"), UTC; -1: it is no time */
static struct awk_value time_number(struct awk *s, const struct awk_node *first)
{
	char *text = first ? awk_text_of(s, first) : kt_strdup("");
	struct tm tm = {0};
	int read = sscanf(text, "%d %d %d %d %d %d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
	                  &tm.tm_min, &tm.tm_sec);
	kt_free(text);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return awk_number(read < 6 ? -1 : (double)timegm(&tm));
}

static struct awk_value time_text(struct awk *s, const struct awk_node *args)
{
	struct kt_buf out = {0};
	char *words = args ? awk_text_of(s, args) : kt_strdup("%a %b %e %H:%M:%S UTC %Y");
	kt_ns now = args && args->next ? (kt_ns)(awk_number_of(s, args->next) * KT_SEC)
	                               : process_now(s->r->task->process);
	if (strlen(words) < 200)
		tool_time(now, words, &out);
	kt_buf_adds(&out, "");
	kt_free(words);
	return (struct awk_value){.text = kt_buf_take(&out)};
}

struct awk_value awk_call(struct awk *s, const struct awk_node *n)
{
	const struct awk_node *first = n->a, *second = first ? first->next : NULL,
	                      *third = second ? second->next : NULL;
	const char *name = n->text;
	if (!strcmp(name, "sub") || !strcmp(name, "gsub"))
		return awk_number(substitute(s, first, name[0] == 'g'));
	if (!strcmp(name, "split"))
		return awk_number(split_call(s, first));
	if (!strcmp(name, "sprintf"))
		return (struct awk_value){.text = awk_format(s, first)};
	if (!strcmp(name, "length") && first && first->kind == AWK_NAME) {
		char *array = kt_strf("[]%s", first->text);
		const struct kt_json *items = kt_get(s->variables, array);
		size_t count = kt_count(items);
		kt_free(array);
		if (items)
			return awk_number((double)count);
	}
	const struct awk_function *own = s->functions;
	while (own && strcmp(own->name, name) != 0)
		own = own->next;
	if (own)
		return call_own(s, own, first);
	if (!strcmp(name, "close") || !strcmp(name, "fflush"))
		return awk_number(first ? close_one(s, first) : 0);
	if (!strcmp(name, "srand"))
		return awk_number(0);
	if (!strcmp(name, "strftime"))
		return time_text(s, first);
	if (!strcmp(name, "systime"))
		return awk_number((double)(process_now(s->r->task->process) / KT_SEC));
	if (!strcmp(name, "rand"))
		return awk_number(kt_random_unit(cluster_random(s->r->task->process->cluster)));
	if (!strcmp(name, "mktime"))
		return time_number(s, first);
	char *text = first ? awk_text_of(s, first) : kt_strdup(s->line ? s->line : "");
	struct awk_value out = awk_number(0);
	double x = strtod(text, NULL);
	if (!strcmp(name, "length")) {
		out = awk_number((double)strlen(text));
	} else if (!strcmp(name, "toupper") || !strcmp(name, "tolower")) {
		for (char *c = text; *c; c++)
			*c = (char)(name[2] == 'u' ? toupper((unsigned char)*c) : tolower((unsigned char)*c));
		out.text = kt_strdup(text);
	} else if (!strcmp(name, "substr") && second) {
		double from = awk_number_of(s, second), all = (double)strlen(text),
		       len = third ? awk_number_of(s, third) : all;
		double low = fmax(from, 1), high = fmin(third ? from + len : all + 1, all + 1);
		out.text =
		        high > low ? kt_strndup(text + (size_t)low - 1, (size_t)(high - low)) : kt_strdup("");
	} else if (!strcmp(name, "index") && second) {
		char *what = awk_text_of(s, second);
		const char *hit = strstr(text, what);
		out = awk_number(hit ? (double)(hit - text) + 1 : 0);
		kt_free(what);
	} else if (!strcmp(name, "match") && second) {
		regmatch_t m;
		regex_t regex;
		bool fits = awk_regex(s, second, &regex);
		if (fits) {
			fits = !regexec(&regex, text, 1, &m, 0);
			regfree(&regex);
		}
		out = awk_number(fits ? (double)m.rm_so + 1 : 0);
		kt_set(&s->variables, "RSTART", kt_json_real(out.number));
		kt_set(&s->variables, "RLENGTH", kt_json_real(fits ? (double)(m.rm_eo - m.rm_so) : -1));
	} else if (!strcmp(name, "int")) {
		out = awk_number(trunc(x));
	} else if (!strcmp(name, "sqrt")) {
		out = awk_number(sqrt(x));
	} else if (!strcmp(name, "log")) {
		out = awk_number(log(x));
	} else if (!strcmp(name, "exp")) {
		out = awk_number(exp(x));
	} else if (!strcmp(name, "sin") || !strcmp(name, "cos")) {
		out = awk_number(name[0] == 's' ? sin(x) : cos(x));
	} else if (!strcmp(name, "atan2") && second) {
		out = awk_number(atan2(x, awk_number_of(s, second)));
	} else if (!strcmp(name, "system")) {
		awk_flush(s);
		out = awk_number(awk_command(s, text, ""));
	}
	kt_free(text);
	return out;
}
