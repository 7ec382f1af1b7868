/* SPDX-License-Identifier: MIT */
/* Sums in texts of which something is drawn: {=ceil(replicas * 3 / 2)}. Numbers, drawn names, + - * /,
 * comparisons, a ? b : c, brackets, ceil floor min max. */
#include "labs/labs_internal.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 40

struct sum {
	const char *at;
	const struct kt_json *drawn;
	int depth;
	struct kt_err *err;
	bool wrong;
};

static double choice(struct sum *s);

static double fail(struct sum *s, const char *what)
{
	if (!s->wrong)
		(void)kt_fail(s->err, KT_EINVAL, "%s at '%.20s'", what, s->at);
	s->wrong = true;
	return 0;
}

static bool takes(struct sum *s, const char *word)
{
	s->at += strspn(s->at, " ");
	if (!kt_starts(s->at, word))
		return false;
	s->at += strlen(word);
	return true;
}

/* A drawn value as a number: 3, "3", 25% (a quarter). */
static double value_of(struct sum *s, const struct kt_json *v)
{
	const char *text = kt_str(v);
	char *end = NULL;
	double d = text ? strtod(text, &end) : kt_real_or(v, NAN);
	if (text && end != text && kt_streq(end, "%"))
		return d / 100;
	if (isnan(d) || (text && (end == text || *end)))
		return fail(s, "no number");
	return d;
}

static double function_of(struct sum *s, const char *name, size_t len)
{
	static const char *const names[] = {"ceil", "floor", "min", "max"};
	size_t which = 0;
	while (which < KT_COUNT(names) && !(strlen(names[which]) == len && !strncmp(names[which], name, len)))
		which++;
	if (which == KT_COUNT(names))
		return fail(s, "no such function");
	double a = choice(s);
	if (which >= 2 && !takes(s, ","))
		return fail(s, "expected a comma");
	double b = which >= 2 ? choice(s) : 0;
	if (!takes(s, ")"))
		return fail(s, "expected a bracket");
	/* 0.1 * 30 is a little more than 3, and three is meant */
	return which == 0   ? ceil(a - 1e-9)
	       : which == 1 ? floor(a + 1e-9)
	       : which == 2 ? fmin(a, b)
	                    : fmax(a, b);
}

static double atom(struct sum *s)
{
	if (takes(s, "(")) {
		double inside = choice(s);
		return takes(s, ")") ? inside : fail(s, "expected a bracket");
	}
	if (takes(s, "-")) {
		double inside = ++s->depth > DEPTH_MAX ? fail(s, "too deep") : atom(s);
		s->depth--;
		return -inside;
	}
	if (isdigit((unsigned char)*s->at)) {
		char *end;
		double d = strtod(s->at, &end);
		s->at = end;
		return d;
	}
	const char *name = s->at;
	while (isalnum((unsigned char)*s->at) || *s->at == '_')
		s->at++;
	size_t len = (size_t)(s->at - name);
	if (len && takes(s, "("))
		return function_of(s, name, len);
	for (size_t i = 0; len && i < kt_count(s->drawn); i++)
		if (strlen(kt_key(s->drawn, i)) == len && !strncmp(kt_key(s->drawn, i), name, len))
			return value_of(s, kt_at(s->drawn, i));
	s->at = name;
	return fail(s, "expected a number or a name that is drawn");
}

static double product(struct sum *s)
{
	double a = atom(s);
	for (;;) {
		if (takes(s, "*")) {
			a *= atom(s);
		} else if (takes(s, "/")) {
			double b = atom(s);
			a = b != 0 ? a / b : fail(s, "a division by nought");
		} else {
			return a;
		}
	}
}

static double addition(struct sum *s)
{
	double a = product(s);
	for (;;) {
		if (takes(s, "+"))
			a += product(s);
		else if (takes(s, "-"))
			a -= product(s);
		else
			return a;
	}
}

static double comparison(struct sum *s)
{
	static const char *const words[] = {"<=", ">=", "==", "<", ">"};
	double a = addition(s);
	for (size_t i = 0; i < KT_COUNT(words); i++)
		if (takes(s, words[i])) {
			double b = addition(s), by = a - b;
			bool same = fabs(by) < 1e-9;
			return i == 0   ? same || by < 0
			       : i == 1 ? same || by > 0
			       : i == 2 ? same
			       : i == 3 ? !same && by < 0
			                : !same && by > 0;
		}
	return a;
}

static double choice(struct sum *s)
{
	if (++s->depth > DEPTH_MAX)
		return fail(s, "too deep");
	double a = comparison(s);
	if (takes(s, "?")) {
		double yes = choice(s);
		if (!takes(s, ":"))
			return fail(s, "expected a colon");
		double no = choice(s);
		a = a != 0 ? yes : no;
	}
	s->depth--;
	return a;
}

enum kt_code lab_reckon(const char *text, const struct kt_json *drawn, double *out, struct kt_err *err)
{
	struct sum s = {.at = text, .drawn = drawn, .err = err};
	double result = choice(&s);
	s.at += strspn(s.at, " ");
	if (!s.wrong && *s.at)
		(void)fail(&s, "expected an end");
	if (s.wrong)
		return kt_wrap(err, "{=%s}", text);
	*out = result;
	return KT_OK;
}
