/* SPDX-License-Identifier: MIT */
/* bc, as far as scripts reckon with it: numbers, variables, scale, operators, comparisons, sqrt, length.
 * Numbers have the digits of a long double; what is beyond scale is cut off, as bc does. */
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BC_DEPTH = 100 };
struct bc {
	struct kt_buf input;
	const char *at;
	long double variables[26];
	unsigned scale, depth;
	unsigned kept[26];
	bool bad, zero;
};
struct bc_value {
	long double n;
	unsigned digits;
};

static void end_bc(struct tool_run *r)
{
	kt_buf_clear(&((struct bc *)r->state)->input);
}

static void blanks(struct bc *s)
{
	s->at += strspn(s->at, " \t");
}

static bool take(struct bc *s, const char *text)
{
	blanks(s);
	size_t len = strlen(text);
	if (strncmp(s->at, text, len) != 0)
		return false;
	s->at += len;
	return true;
}

static long double cut(long double n, unsigned digits)
{
	long double by = powl(10, digits);
	return truncl(n * by + (n < 0 ? -1e-9L : 1e-9L)) / by;
}

static struct bc_value expression(struct bc *s);

static struct bc_value primary(struct bc *s)
{
	struct bc_value v = {0};
	blanks(s);
	if (s->bad || ++s->depth > BC_DEPTH) {
		s->bad = true;
	} else if (take(s, "-")) {
		v = primary(s);
		v.n = -v.n;
	} else if (take(s, "(")) {
		v = expression(s);
		s->bad = s->bad || !take(s, ")");
	} else if (take(s, "sqrt(") || take(s, "sqrt (")) {
		v = expression(s);
		s->bad = s->bad || !take(s, ")") || v.n < 0;
		v.digits = KT_MAX(v.digits, s->scale);
		v.n = s->bad ? 0 : cut(sqrtl(v.n), v.digits);
	} else if (take(s, "length(")) {
		v = expression(s);
		s->bad = s->bad || !take(s, ")");
		v = (struct bc_value){
		        .n = v.n == 0 ? 1 : floorl(log10l(fabsl(truncl(v.n)) + 0.5L)) + 1 + v.digits};
	} else if (take(s, "scale")) {
		v.n = s->scale;
	} else if (isdigit((unsigned char)*s->at) || *s->at == '.') {
		char *end;
		const char *point;
		v.n = strtold(s->at, &end);
		point = memchr(s->at, '.', (size_t)(end - s->at));
		v.digits = point ? (unsigned)(end - point - 1) : 0;
		s->at = end;
	} else if (islower((unsigned char)*s->at) && !islower((unsigned char)s->at[1])) {
		size_t i = (size_t)(*s->at++ - 'a');
		v = (struct bc_value){s->variables[i], s->kept[i]};
	} else {
		s->bad = true;
	}
	s->depth -= s->depth > 0;
	return v;
}

static struct bc_value power(struct bc *s)
{
	struct bc_value v = primary(s);
	if (take(s, "^")) {
		struct bc_value by = power(s);
		v.digits = by.n < 0 ? s->scale
		                    : (unsigned)fminl(v.digits * fabsl(by.n), fmaxl(s->scale, v.digits));
		v.n = cut(powl(v.n, truncl(by.n)), v.digits);
	}
	return v;
}

static struct bc_value product(struct bc *s)
{
	struct bc_value v = power(s);
	for (;;) {
		blanks(s);
		char op = *s->at;
		if (!op || !strchr("*/%", op) || s->bad)
			return v;
		s->at++;
		struct bc_value by = power(s);
		if (op == '*') {
			v.digits =
			        KT_MIN(v.digits + by.digits, KT_MAX(s->scale, KT_MAX(v.digits, by.digits)));
			v.n = cut(v.n * by.n, v.digits);
		} else if (by.n == 0) {
			s->zero = true;
		} else if (op == '/') {
			v.digits = s->scale;
			v.n = cut(v.n / by.n, s->scale);
		} else {
			long double whole = cut(v.n / by.n, s->scale);
			v.digits = KT_MAX(s->scale + by.digits, v.digits);
			v.n = cut(v.n - whole * by.n, v.digits);
		}
	}
}

static struct bc_value sum(struct bc *s)
{
	struct bc_value v = product(s);
	for (;;) {
		blanks(s);
		char op = *s->at;
		if ((op != '+' && op != '-') || s->bad)
			return v;
		s->at++;
		struct bc_value by = product(s);
		v.n += op == '+' ? by.n : -by.n;
		v.digits = KT_MAX(v.digits, by.digits);
	}
}

static struct bc_value expression(struct bc *s)
{
	static const char *const ops[] = {"<=", ">=", "==", "!=", "<", ">"};
	struct bc_value v = sum(s);
	for (size_t i = 0; i < KT_COUNT(ops); i++) {
		if (!take(s, ops[i]))
			continue;
		struct bc_value by = sum(s);
		long double d = v.n - by.n;
		bool yes = i == 0   ? d <= 0
		           : i == 1 ? d >= 0
		           : i == 2 ? d == 0
		           : i == 3 ? d != 0
		           : i == 4 ? d < 0
		                    : d > 0;
		return (struct bc_value){.n = yes};
	}
	return v;
}

/* As bc prints it: .33, not 0.33. */
static void print(struct tool_run *r, const struct bc_value *v)
{
	char *text = kt_strf("%.*Lf", (int)v->digits, v->n);
	bool minus = *text == '-';
	const char *number = text + minus;
	if (number[0] == '0' && number[1] == '.')
		number++;
	tool_outf(r, "%s%s\n", minus && v->n != 0 ? "-" : "", number);
	kt_free(text);
}

static void statement(struct tool_run *r, struct bc *s)
{
	blanks(s);
	const char *from = s->at;
	bool scale = take(s, "scale");
	size_t i = !scale && islower((unsigned char)*s->at) && !islower((unsigned char)s->at[1])
	                   ? (size_t)(*s->at++ - 'a')
	                   : SIZE_MAX;
	blanks(s);
	if ((scale || i != SIZE_MAX) && *s->at == '=' && s->at[1] != '=') {
		s->at++;
		struct bc_value v = expression(s);
		if (scale)
			s->scale = (unsigned)fminl(fmaxl(v.n, 0), 15);
		else {
			s->variables[i] = v.n;
			s->kept[i] = v.digits;
		}
		return;
	}
	s->at = from;
	struct bc_value v = expression(s);
	if (!s->bad && !s->zero)
		print(r, &v);
}

static int run_bc(struct tool_run *r)
{
	struct bc *s = r->state;
	if (!r->opened) {
		size_t at = 1;
		for (; at < r->argv.count && r->argv.items[at][0] == '-'; at++)
			s->scale = strchr(r->argv.items[at], 'l') ? 15 : s->scale;
		tool_inputs(r, at);
		r->opened = true;
	}
	if (tool_all(r, &s->input))
		return TOOL_WAIT;
	s->at = kt_buf_str(&s->input);
	for (;;) {
		s->at += strspn(s->at, " \t\n;");
		if (!*s->at || kt_starts(s->at, "quit"))
			return 0;
		if (*s->at == '#') {
			s->at += strcspn(s->at, "\n");
			continue;
		}
		s->bad = s->zero = false;
		statement(r, s);
		blanks(s);
		if (s->zero)
			tool_errf(r, "divide by zero");
		else if (s->bad || (*s->at && !strchr(";\n", *s->at)))
			tool_errf(r, "bad expression");
		if (s->bad || s->zero || (*s->at && !strchr(";\n", *s->at))) {
			s->at += strcspn(s->at, "\n");
			if (tool_busybox(r))
				return 1;
		}
	}
}

const struct tool tools_bc[] = {
        {.name = "bc",
         .sets = "busybox netshoot",
         .run = run_bc,
         .state_size = sizeof(struct bc),
         .end = end_bc},
        {.name = NULL},
};
