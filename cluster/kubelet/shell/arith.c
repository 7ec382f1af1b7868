/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* $((…)): C's operators on 64 bits, by precedence climbing. */
struct arith {
	struct task *task;
	const char *at;
	char *message;
	unsigned depth;
	bool skip; /* the side of && || ?: that does not count */
};
static int64_t expression(struct arith *a, int min);

static void trouble(struct arith *a, const char *what)
{
	if (!a->message[0])
		memcpy(a->message, what, strlen(what) + 1);
}

static void blanks(struct arith *a)
{
	while (isspace((unsigned char)*a->at))
		a->at++;
}

static int64_t value_of(struct arith *a, const char *name)
{
	const char *text = task_var(a->task, name);
	if (!text || !*text)
		return 0;
	char *end;
	int64_t n = strtoll(text, &end, 0);
	if (*end && isspace((unsigned char)*end))
		return n;
	if (*end) {
		int64_t inner = 0;
		if (++a->depth > 20) {
			trouble(a, "expression recursion level exceeded");
			return 0;
		}
		if (!strcmp(name, text) || !arithmetic(a->task, text, &inner, a->message))
			trouble(a, "arithmetic syntax error");
		a->depth--;
		return inner;
	}
	return n;
}

static void assign(struct arith *a, const char *name, int64_t value)
{
	char text[32];
	struct kt_buf buf = {0};
	if (a->skip)
		return;
	kt_buf_addf(&buf, "%lld", (long long)value);
	memcpy(text, buf.data, buf.len + 1);
	kt_buf_clear(&buf);
	task_set_var(a->task, name, text);
}

struct op {
	const char *text;
	int level;
};
static const struct op ops[] = {{"||", 1}, {"&&", 2},  {"<<", 8}, {">>", 8}, {"<=", 7}, {">=", 7}, {"==", 6},
                                {"!=", 6}, {"|", 3},   {"^", 4},  {"&", 5},  {"<", 7},  {">", 7},  {"+", 9},
                                {"-", 9},  {"**", 11}, {"*", 10}, {"/", 10}, {"%", 10}};

static int64_t apply(struct arith *a, const char *op, int64_t x, int64_t y)
{
	uint64_t ux = (uint64_t)x, uy = (uint64_t)y;
	switch (op[0]) {
	case '+':
		return (int64_t)(ux + uy);
	case '-':
		return (int64_t)(ux - uy);
	case '*':
		if (op[1]) {
			uint64_t power = 1;
			for (int64_t i = 0; i < y && i < 64; i++)
				power *= ux;
			return (int64_t)power;
		}
		return (int64_t)(ux * uy);
	case '/':
	case '%':
		if (!y) {
			if (!a->skip)
				trouble(a, "divide by zero");
			return 0;
		}
		if (y == -1)
			return op[0] == '/' ? (int64_t)(0 - ux) : 0;
		return op[0] == '/' ? x / y : x % y;
	case '<':
		return op[1] == '<' ? (int64_t)(ux << (uy & 63)) : (op[1] == '=' ? x <= y : x < y);
	case '>':
		return op[1] == '>' ? x >> (uy & 63) : (op[1] == '=' ? x >= y : x > y);
	case '=':
		return x == y;
	case '!':
		return x != y;
	case '|':
		return x | y;
	case '&':
		return x & y;
	case '^':
		return x ^ y;
	default:
		return 0;
	}
}

/* NAME, NAME = …, NAME += …, NAME++ */
static int64_t name_value(struct arith *a)
{
	char name[128];
	size_t n = 0;
	for (; isalnum((unsigned char)*a->at) || *a->at == '_'; a->at++) {
		if (n < sizeof(name) - 1)
			name[n++] = *a->at;
	}
	name[n] = '\0';
	blanks(a);
	if (a->at[0] == '=' && a->at[1] != '=') {
		a->at++;
		int64_t value = expression(a, 0);
		assign(a, name, value);
		return value;
	}
	int64_t old = value_of(a, name);
	if ((a->at[0] == '+' || a->at[0] == '-') && a->at[1] == a->at[0]) {
		assign(a, name, old + (a->at[0] == '+' ? 1 : -1));
		a->at += 2;
		return old;
	}
	for (size_t i = 0; i < KT_COUNT(ops); i++) {
		size_t len = strlen(ops[i].text);
		if (!strncmp(a->at, ops[i].text, len) && a->at[len] == '=' && ops[i].level > 2 &&
		    ops[i].level != 6 && !(ops[i].level == 7)) {
			a->at += len + 1;
			int64_t value = apply(a, ops[i].text, old, expression(a, 0));
			assign(a, name, value);
			return value;
		}
	}
	return old;
}

static int64_t sequence(struct arith *a);

static int64_t primary(struct arith *a)
{
	int64_t value = 0;
	blanks(a);
	char c = *a->at;
	if (++a->depth > 200) {
		trouble(a, "expression too deep");
	} else if (c == '(') {
		a->at++;
		value = sequence(a);
		blanks(a);
		if (*a->at == ')')
			a->at++;
		else
			trouble(a, "arithmetic syntax error");
	} else if ((c == '+' || c == '-') && a->at[1] == c &&
	           (isalpha((unsigned char)a->at[2]) || a->at[2] == '_')) {
		char name[128];
		size_t n = 0;
		for (a->at += 2; isalnum((unsigned char)*a->at) || *a->at == '_'; a->at++) {
			if (n < sizeof(name) - 1)
				name[n++] = *a->at;
		}
		name[n] = '\0';
		value = value_of(a, name) + (c == '+' ? 1 : -1);
		assign(a, name, value);
	} else if (c && strchr("+-!~", c)) {
		a->at++;
		value = primary(a);
		value = c == '-' ? (int64_t)(0 - (uint64_t)value)
		                 : (c == '!' ? !value : (c == '~' ? ~value : value));
	} else if (isdigit((unsigned char)c)) {
		char *end;
		value = strtoll(a->at, &end, 0);
		a->at = end;
	} else if (isalpha((unsigned char)c) || c == '_') {
		value = name_value(a);
	} else {
		trouble(a, "arithmetic syntax error");
	}
	a->depth--;
	return value;
}

static int64_t expression(struct arith *a, int min)
{
	int64_t left = primary(a);
	while (!a->message[0]) {
		const struct op *op = NULL;
		blanks(a);
		for (size_t i = 0; i < KT_COUNT(ops) && !op; i++) {
			if (!strncmp(a->at, ops[i].text, strlen(ops[i].text)))
				op = &ops[i];
		}
		if (op && op->text[0] == '*' && a->at[1] == '*')
			op = &ops[15];
		if (!op || op->level <= min)
			break;
		a->at += strlen(op->text);
		bool skip = a->skip;
		if (op->level <= 2) {
			a->skip = skip || (op->level == 1 ? left != 0 : left == 0);
			int64_t right = expression(a, op->level);
			left = op->level == 1 ? (left || right) : (left && right);
			a->skip = skip;
		} else {
			left = apply(a, op->text, left, expression(a, op->level));
		}
	}
	blanks(a);
	if (!min && *a->at == '?' && !a->message[0]) {
		bool skip = a->skip;
		a->at++;
		a->skip = skip || !left;
		int64_t yes = expression(a, 0);
		blanks(a);
		if (*a->at == ':')
			a->at++;
		else
			trouble(a, "arithmetic syntax error");
		a->skip = skip || left;
		int64_t no = expression(a, 0);
		a->skip = skip;
		left = left ? yes : no;
	}
	return left;
}

/* The comma binds least: less than an assignment, less than `a ? b : c`. */
static int64_t sequence(struct arith *a)
{
	int64_t value = expression(a, 0);
	for (blanks(a); *a->at == ',' && !a->message[0]; blanks(a)) {
		a->at++;
		value = expression(a, 0);
	}
	return value;
}

bool arithmetic(struct task *task, const char *text, int64_t *out, char message[128])
{
	struct arith a = {.task = task, .at = text, .message = message};
	message[0] = '\0';
	blanks(&a);
	*out = *a.at ? sequence(&a) : 0;
	blanks(&a);
	if (*a.at)
		trouble(&a, "arithmetic syntax error");
	return !message[0];
}
