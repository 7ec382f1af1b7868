/* SPDX-License-Identifier: MIT */
/* What an expression may cost at most, before it has run: cel-go checker/cost.go with the rules that
 * apiserver adds (pkg/cel/library/cost.go). A size is known from the expression, from the declared type that
 * a path leads to, or it is anything. */
#include "cluster/cel/cel_internal.h"

#include <math.h>
#include <string.h>

#define MANY     UINT64_MAX
#define TEXT     0.1  /* of a traversal, by character */
#define PATTERN  0.25 /* of a regular expression, by character */
#define NEW_LIST 10
#define NEW_MAP  30

struct range {
	uint64_t min, max;
};
struct size {
	bool known;
	struct range range;
};
/* What is known of a node, or of a variable of a loop. */
struct known {
	struct size size;
	bool entries; /* key and value are known */
	bool list;
	struct range key, value;
	const struct cel_type *decl; /* where its path leads to, or NULL */
};
struct local {
	const char *name;
	struct known known;
	struct local *outer;
};
struct notes {
	const struct cel_node *node;
	struct known known;
};
struct coster {
	const struct cel_type *root;
	struct local *locals;
	struct notes *notes; /* a hash table by node */
	size_t cap, used;
};

static struct range cost_of(struct coster *c, const struct cel_node *node);

/* --- sums that do not overflow --- */

static uint64_t plus(uint64_t a, uint64_t b)
{
	return a > MANY - b ? MANY : a + b;
}

static uint64_t times(uint64_t a, uint64_t b)
{
	return b != 0 && a > MANY / b ? MANY : a * b;
}

static uint64_t scaled(uint64_t a, double by)
{
	double product = ceil((double)a * by);
	return product >= 18446744073709551616.0 ? MANY : (uint64_t)product;
}

static struct range add(struct range a, struct range b)
{
	return (struct range){plus(a.min, b.min), plus(a.max, b.max)};
}

static struct range multiply(struct range a, struct range b)
{
	return (struct range){times(a.min, b.min), times(a.max, b.max)};
}

static struct range factor(struct range a, double by)
{
	return (struct range){scaled(a.min, by), scaled(a.max, by)};
}

static struct range either(struct range a, struct range b)
{
	return (struct range){a.min < b.min ? a.min : b.min, a.max > b.max ? a.max : b.max};
}

static struct range exactly(uint64_t n)
{
	return (struct range){n, n};
}

static const struct range anything = {0, MANY};

/* --- what is known --- */

static struct known *known(struct coster *c, const struct cel_node *node)
{
	if (2 * (c->used + 1) > c->cap) {
		struct notes *old = c->notes;
		size_t n = c->cap;
		c->cap = n ? 2 * n : 64;
		c->notes = kt_alloc(c->cap * sizeof(*c->notes));
		c->used = 0;
		for (size_t i = 0; i < n; i++)
			if (old[i].node)
				*known(c, old[i].node) = old[i].known;
		kt_free(old);
	}
	size_t at = (size_t)(((uintptr_t)node >> 4) * 2654435761u) % c->cap;
	while (c->notes[at].node && c->notes[at].node != node)
		at = (at + 1) % c->cap;
	c->used += !c->notes[at].node;
	c->notes[at].node = node;
	return &c->notes[at].known;
}

static struct local *local(const struct coster *c, const char *name)
{
	struct local *l = c->locals;
	while (l && strcmp(l->name, name) != 0)
		l = l->outer;
	return l;
}

static bool is_scalar(const struct cel_type *t)
{
	if (cel_is_optional(t))
		return is_scalar(t->args[0]);
	return t->kind == CEL_BOOL || t->kind == CEL_DOUBLE || t->kind == CEL_DURATION ||
	       t->kind == CEL_INT || t->kind == CEL_TIMESTAMP || t->kind == CEL_UINT;
}

static const struct cel_type *path_of(struct coster *c, const struct cel_node *node)
{
	struct local *l = node->kind == CEL_IDENT ? local(c, node->name) : NULL;
	return l ? l->known.decl : known(c, node)->decl;
}

static struct size fixed(uint64_t n)
{
	return (struct size){true, exactly(n)};
}

static struct size size_of(struct coster *c, const struct cel_node *node)
{
	const struct cel_type *decl;
	struct local *l;
	if (known(c, node)->size.known)
		return known(c, node)->size;
	if (node->kind == CEL_LITERAL)
		return fixed(node->literal.kind == CEL_STRING
		                     ? (uint64_t)cel_characters(node->literal.s, node->literal.len)
		             : node->literal.kind == CEL_BYTES ? node->literal.len
		                                               : 1);
	if (node->kind == CEL_NEW_LIST || node->kind == CEL_NEW_MAP)
		return fixed(node->kind == CEL_NEW_LIST ? node->count : node->count / 2);
	decl = path_of(c, node);
	if (decl) {
		known(c, node)->size = (struct size){true, {0, decl->most}};
		return known(c, node)->size;
	}
	if (node->type && is_scalar(node->type))
		return fixed(1);
	l = node->kind == CEL_IDENT ? local(c, node->name) : NULL;
	return l ? l->known.size : (struct size){0};
}

static struct range size_or_any(struct coster *c, const struct cel_node *node)
{
	struct size size = size_of(c, node);
	return size.known ? size.range : anything;
}

/* Keys and values of what a node makes. */
static const struct known *entries(struct coster *c, const struct cel_node *node)
{
	const struct known *k = known(c, node);
	if (k->entries)
		return k;
	struct local *l = node->kind == CEL_IDENT ? local(c, node->name) : NULL;
	return l && l->known.entries ? &l->known : NULL;
}

static void set_entries(struct coster *c, const struct cel_node *node, const struct known *from)
{
	struct known *k = known(c, node);
	k->entries = true;
	k->list = from->list;
	k->key = from->key;
	k->value = from->value;
}

static void join_entries(struct coster *c, const struct cel_node *node, const struct cel_node *a,
                         const struct cel_node *b)
{
	const struct known *x = entries(c, a), *y = x ? entries(c, b) : NULL;
	struct known both;
	if (!x || !y)
		return;
	both = *x;
	both.key = either(x->key, y->key);
	both.value = either(x->value, y->value);
	set_entries(c, node, &both);
}

/* --- calls --- */

/* A traversal of each item of a list, and of its text. */
static struct range each_element(struct coster *c, const struct cel_node *list)
{
	const struct cel_type *t = list->type, *decl;
	struct range one = exactly(1), sizes = size_or_any(c, list);
	if (t->kind != CEL_LIST)
		return factor(sizes, TEXT);
	if (t->args[0]->kind == CEL_STRING || t->args[0]->kind == CEL_BYTES) {
		decl = path_of(c, list);
		decl = decl && decl->kind == CEL_LIST ? decl->args[0] : NULL;
		one = add(one, factor(decl ? (struct range){0, decl->most} : anything, TEXT));
	}
	return multiply(sizes, one);
}

static struct range replaced(struct range text, struct range what, struct range by)
{
	struct range count = {0, 0}, kept = {0, 0};
	if (what.min == 0) {
		count.max = plus(text.max, 1);
		kept.max = text.max;
	} else if (by.max <= what.min) {
		kept.max = text.max;
	} else {
		count.max = scaled(text.max, 1.0 / (double)what.min);
	}
	if (what.max == 0) {
		count.min = plus(text.min, 1);
		kept.min = text.min;
	} else if (what.max <= by.min) {
		kept.min = text.min;
	} else {
		count.min = scaled(text.min, 1.0 / (double)what.max);
	}
	return add(multiply(count, by), kept);
}

static struct range joined(struct coster *c, const struct cel_node *node)
{
	const struct cel_node *list = node->args[0];
	const struct cel_type *decl = path_of(c, list);
	struct range n = size_or_any(c, list), out = {0, 0};
	if (list->type->kind == CEL_LIST)
		out = multiply(n, decl && decl->kind == CEL_LIST ? (struct range){0, decl->args[0]->most}
		                                                 : anything);
	if (node->count > 1)
		out = add(out, multiply(size_or_any(c, node->args[1]),
		                        (struct range){n.min ? n.min - 1 : 0, n.max ? n.max - 1 : 0}));
	return out;
}

static bool is_plain_opaque(const struct cel_type *t)
{
	static const char *const names[] = {"net.IP", "net.CIDR", "kubernetes.Quantity", "kubernetes.Semver"};
	for (size_t i = 0; t->name && i < KT_COUNT(names); i++)
		if (strcmp(t->name, names[i]) == 0)
			return true;
	return t->name && kt_starts(t->name, "kubernetes.authorization.");
}

static struct range compared(struct coster *c, const struct cel_node *node)
{
	struct range a = size_or_any(c, node->args[0]), b = size_or_any(c, node->args[1]);
	uint64_t most = a.max < b.max ? a.max : b.max;
	if (strcmp(node->name, "_==_") == 0 && cel_type_is(node->args[0]->type, node->args[1]->type) &&
	    is_plain_opaque(node->args[0]->type))
		return exactly(1);
	return factor((struct range){most > 0, most}, TEXT);
}

/* What the call itself costs, its arguments aside; *result where its size is known. */
static struct range call_cost(struct coster *c, const struct cel_node *node,
                              const struct cel_overload *overload, struct size *result)
{
	const struct cel_node *of = node->args[0], *arg = node->args[node->method ? 1 : 0];
	struct range n = node->count > 0 ? size_or_any(c, of) : anything, one = exactly(1), m, pattern;
	switch (overload->cost) {
	case CEL_COST_SCAN:
		return factor(n, TEXT);
	case CEL_COST_SCAN_ARG:
		return factor(size_or_any(c, arg), TEXT);
	case CEL_COST_SCAN_TWICE:
		return factor(size_or_any(c, arg), 2 * TEXT);
	case CEL_COST_KEEP:
	case CEL_COST_KEEP_ARG:
		*result = (struct size){true, n};
		return factor(n, TEXT);
	case CEL_COST_QUOTE:
		*result = (struct size){true, {plus(n.min, 2), plus(times(n.max, 2), 2)}};
		return factor(n, TEXT);
	case CEL_COST_REPLACE:
		*result = (struct size){
		        true, replaced(n, size_or_any(c, node->args[1]), size_or_any(c, node->args[2]))};
		return factor(n, 2 * TEXT);
	case CEL_COST_SPLIT:
		*result = (struct size){true, {0, n.max}};
		if (node->count > 2 && node->args[2]->kind == CEL_LITERAL &&
		    node->args[2]->literal.kind == CEL_INT)
			result->range.max = (uint64_t)node->args[2]->literal.i;
		return factor(n, 2 * TEXT);
	case CEL_COST_JOIN:
		*result = (struct size){true, joined(c, node)};
		return factor(result->range, TEXT);
	case CEL_COST_FIND:
	case CEL_COST_MATCHES:
		if (overload->cost == CEL_COST_FIND)
			*result = (struct size){true, {0, n.max}};
		m = factor(add(n, one), TEXT);
		pattern = factor(size_or_any(c, arg), PATTERN);
		return multiply(m, pattern);
	case CEL_COST_CONTAINS:
		return multiply(factor(n, TEXT), factor(size_or_any(c, arg), TEXT));
	case CEL_COST_ELEMENTS:
		return each_element(c, of);
	case CEL_COST_ADD:
		*result = (struct size){true, add(n, size_or_any(c, node->args[1]))};
		join_entries(c, node, node->args[0], node->args[1]);
		return strstr(overload->signature, "list(") ? one : factor(result->range, TEXT);
	case CEL_COST_COMPARE:
		return compared(c, node);
	case CEL_COST_IN:
		return size_or_any(c, node->args[1]);
	case CEL_COST_TO_BYTES:
		*result = (struct size){true, {n.min, times(n.max, 4)}};
		return factor(n, TEXT);
	case CEL_COST_TO_STRING:
		*result = (struct size){true, {n.min / 4, n.max}};
		return factor(n, TEXT);
	case CEL_COST_CHECK:
		return exactly(350000);
	case CEL_COST_SELECTOR:
		m = size_or_any(c, arg);
		return add(exactly(NEW_LIST), add(factor(m, TEXT), factor(factor(m, 0.5), NEW_LIST + 40)));
	case CEL_COST_ADDRESS:
	case CEL_COST_RANGE:
		m = factor((struct range){8, 32}, TEXT);
		if (overload->cost == CEL_COST_RANGE)
			m = add(add(m, factor((struct range){4, 16}, TEXT)), one);
		if (strstr(overload->signature, "(string)"))
			m = add(m, factor(size_or_any(c, arg), TEXT));
		return m;
	case CEL_COST_VALIDATE:
		return factor(factor(size_or_any(c, arg), TEXT), 128 * PATTERN);
	default:
		return one;
	}
}

static struct range cost_call(struct coster *c, const struct cel_node *node)
{
	struct range args[8], sum = {0, 0}, all = {MANY, 0}, own;
	struct size result = {0};
	size_t first = node->method ? 1 : 0;
	if (strcmp(node->name, "dyn") == 0 && node->count == 1) {
		struct range of = cost_of(c, node->args[0]);
		known(c, node)->size = size_of(c, node->args[0]);
		const struct known *inner = entries(c, node->args[0]);
		if (inner)
			set_entries(c, node, inner);
		return add(exactly(1), of);
	}
	for (size_t i = first; i < node->count && i < KT_COUNT(args); i++)
		args[i] = cost_of(c, node->args[i]);
	for (size_t i = first; i < node->count; i++)
		sum = add(sum, args[i]);
	if (node->method)
		args[0] = cost_of(c, node->args[0]);
	for (size_t o = 0; o < node->overload_count; o++) {
		const struct cel_overload *overload = node->overloads[o];
		struct size made = {0};
		if (overload->cost == CEL_COST_LOGIC) {
			own = (struct range){args[0].min, plus(args[0].max, args[1].max)};
		} else if (overload->cost == CEL_COST_CHOICE) {
			made = (struct size){
			        true, either(size_or_any(c, node->args[1]), size_or_any(c, node->args[2]))};
			join_entries(c, node, node->args[1], node->args[2]);
			own = add(args[0], either(args[1], args[2]));
		} else {
			own = add(call_cost(c, node, overload, &made), sum);
		}
		all = either(all, own);
		if (made.known)
			result = (struct size){true,
			                       result.known ? either(result.range, made.range) : made.range};
		if (overload->cost == CEL_COST_ITEM || overload->cost == CEL_COST_VALUE) {
			const struct known *k = entries(c, node->args[0]);
			const struct cel_type *decl = path_of(c, node->args[0]);
			result = k ? (struct size){true, k->value} : (struct size){0};
			known(c, node)->decl =
			        !decl                                                       ? NULL
			        : overload->cost == CEL_COST_ITEM && decl->kind == CEL_LIST ? decl->args[0]
			        : overload->cost == CEL_COST_VALUE && decl->kind == CEL_MAP ? decl->args[1]
			                                                                    : NULL;
		}
		if (!result.known)
			result = size_of(c, node);
	}
	if (result.known)
		known(c, node)->size = result;
	if (node->overload_count == 0)
		return sum;
	return node->method ? add(args[0], all) : all;
}

/* --- the rest --- */

static struct range cost_select(struct coster *c, const struct cel_node *node)
{
	const struct cel_type *decl, *of;
	struct range sum;
	if (node->variable) {
		known(c, node)->decl = c->root;
		return exactly(1);
	}
	sum = cost_of(c, node->args[0]);
	if (node->test)
		return sum;
	of = node->args[0]->type;
	if (of->kind == CEL_MAP || of->kind == CEL_STRUCT || of->kind == CEL_PARAM)
		sum = add(sum, exactly(1));
	decl = path_of(c, node->args[0]);
	if (decl && decl->kind == CEL_MAP && decl->opened)
		known(c, node)->decl = decl->args[1];
	else
		known(c, node)->decl =
		        decl && decl->kind == CEL_STRUCT ? cel_field_type(decl, node->name) : NULL;
	return sum;
}

static struct range cost_items(struct coster *c, const struct cel_node *node)
{
	bool list = node->kind == CEL_NEW_LIST;
	struct known made = {
	        .list = list, .key = {node->count ? MANY : 0, 0}, .value = {node->count ? MANY : 0, 0}};
	struct range sum = exactly(list ? NEW_LIST : NEW_MAP);
	if (list)
		made.key = exactly(1);
	for (size_t i = 0; i < node->count; i++) {
		sum = add(sum, cost_of(c, node->args[i]));
		struct range *of = list || i % 2 ? &made.value : &made.key;
		*of = either(*of, size_or_any(c, node->args[i]));
	}
	set_entries(c, node, &made);
	return sum;
}

static struct local variable_of(struct coster *c, const char *name, const struct cel_node *range, bool value,
                                bool single)
{
	const struct known *k = entries(c, range);
	const struct cel_type *decl = path_of(c, range);
	bool list = k ? k->list : range->type->kind == CEL_LIST;
	struct local l = {.name = name, .outer = c->locals};
	bool of_value = value || (single && list);
	if (k)
		l.known.size = (struct size){true, of_value ? k->value : k->key};
	if (decl && list && of_value && decl->kind == CEL_LIST)
		l.known.decl = decl->args[0];
	else if (decl && !list && decl->kind == CEL_MAP)
		l.known.decl = decl->args[of_value ? 1 : 0];
	return l;
}

static struct range cost_fold(struct coster *c, const struct cel_node *node)
{
	const struct cel_node *range = node->args[CEL_RANGE], *init = node->args[CEL_INIT];
	struct range sum = add(cost_of(c, range), cost_of(c, init)), loop, count;
	struct local accu = {.name = CEL_ACCU, .outer = c->locals}, one, two;
	struct local *outer = c->locals;
	accu.known.size = size_of(c, init);
	const struct known *k = entries(c, init);
	if (k) {
		accu.known.entries = true;
		accu.known.list = k->list;
		accu.known.key = k->key;
		accu.known.value = k->value;
	}
	one = variable_of(c, node->name, range, false, !node->name2);
	two = variable_of(c, node->name2, range, true, false);
	c->locals = &accu;
	one.outer = &accu;
	two.outer = &one;
	c->locals = node->name2 ? &two : &one;
	loop = cost_of(c, node->args[CEL_WHILE]);
	loop = add(loop, cost_of(c, node->args[CEL_STEP]));
	c->locals = &accu;
	sum = add(sum, cost_of(c, node->args[CEL_RESULT]));
	c->locals = outer;
	count = size_or_any(c, range);
	sum = add(sum, multiply(count, loop));
	if (init->kind == CEL_LITERAL) {
		known(c, node)->size = size_of(c, init);
	} else if (init->kind == CEL_NEW_LIST || init->kind == CEL_NEW_MAP) {
		known(c, node)->size = (struct size){true, count};
		k = entries(c, node->args[CEL_STEP]);
		if (k)
			set_entries(c, node, k);
	}
	return sum;
}

static struct range cost_of(struct coster *c, const struct cel_node *node)
{
	struct local *l;
	switch (node->kind) {
	case CEL_IDENT:
		l = local(c, node->name);
		known(c, node)->decl = l ? l->known.decl : c->root;
		return exactly(1);
	case CEL_SELECT:
		return cost_select(c, node);
	case CEL_CALL:
		return cost_call(c, node);
	case CEL_NEW_LIST:
	case CEL_NEW_MAP:
		return cost_items(c, node);
	case CEL_FOLD:
		return cost_fold(c, node);
	default:
		return (struct range){0, 0};
	}
}

uint64_t cel_program_cost(const struct cel_program *program, const struct cel_type *root)
{
	struct coster c = {.root = root};
	struct range cost = cost_of(&c, program->root);
	kt_free(c.notes);
	return cost.max;
}
