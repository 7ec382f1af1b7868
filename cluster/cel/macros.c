/* SPDX-License-Identifier: MIT */
/* CEL's macros: has(), and the loops, which all become one form (cel-go parser/macro.go,
 * ext/comprehensions.go, cel/library.go): a range, a first value, a condition to go on, what a step makes of
 * the value, the result. */
#include "cluster/cel/cel_internal.h"

#include <string.h>

struct macro {
	struct kt_arena *arena;
	struct cel_faults *faults;
	struct cel_node *call;
};

static struct cel_node *ident(struct macro *m, const char *name)
{
	return cel_node_new(m->arena, CEL_IDENT, m->call->at, name, 0);
}

static struct cel_node *literal(struct macro *m, struct cel_value value)
{
	struct cel_node *node = cel_node_new(m->arena, CEL_LITERAL, m->call->at, NULL, 0);
	node->literal = value;
	return node;
}

static struct cel_node *call(struct macro *m, const char *function, struct cel_node *a, struct cel_node *b,
                             struct cel_node *c)
{
	struct cel_node *node = cel_node_new(m->arena, CEL_CALL, m->call->at, function, c ? 3 : b ? 2 : 1);
	node->args[0] = a;
	if (b)
		node->args[1] = b;
	if (c)
		node->args[2] = c;
	return node;
}

static struct cel_node *list(struct macro *m, struct cel_node *item)
{
	struct cel_node *node = cel_node_new(m->arena, CEL_NEW_LIST, m->call->at, NULL, item ? 1 : 0);
	node->args[0] = item;
	node->optional = kt_arena_alloc(m->arena, 1);
	return node;
}

static struct cel_node *accu(struct macro *m)
{
	return ident(m, CEL_ACCU);
}

static struct cel_node *fold(struct macro *m, size_t variables, struct cel_node *init, struct cel_node *go_on,
                             struct cel_node *step, struct cel_node *result)
{
	struct cel_node *node =
	        cel_node_new(m->arena, CEL_FOLD, m->call->at, m->call->args[1]->name, CEL_FOLD_ARGS);
	if (variables == 2)
		node->name2 = m->call->args[2]->name;
	node->args[CEL_RANGE] = m->call->args[0];
	node->args[CEL_INIT] = init;
	node->args[CEL_WHILE] = go_on ? go_on : literal(m, cel_of_bool(true));
	node->args[CEL_STEP] = step;
	node->args[CEL_RESULT] = result ? result : accu(m);
	return node;
}

static struct cel_node *wrong(struct macro *m, const struct cel_node *at, const char *what)
{
	cel_faults_add(m->faults, at->at, "%s", what);
	return cel_node_new(m->arena, CEL_BROKEN, at->at, NULL, 0);
}

static struct cel_node *all(struct macro *m, size_t n)
{
	struct cel_node *body = m->call->args[1 + n];
	return fold(m, n, literal(m, cel_of_bool(true)), call(m, "@not_strictly_false", accu(m), NULL, NULL),
	            call(m, "_&&_", accu(m), body, NULL), NULL);
}

static struct cel_node *exists(struct macro *m, size_t n)
{
	struct cel_node *body = m->call->args[1 + n];
	return fold(m, n, literal(m, cel_of_bool(false)),
	            call(m, "@not_strictly_false", call(m, "!_", accu(m), NULL, NULL), NULL, NULL),
	            call(m, "_||_", accu(m), body, NULL), NULL);
}

static struct cel_node *exists_one(struct macro *m, size_t n)
{
	struct cel_node *body = m->call->args[1 + n], *one = literal(m, cel_of_int(1));
	return fold(m, n, literal(m, cel_of_int(0)), NULL,
	            call(m, "_?_:_", body, call(m, "_+_", accu(m), one, NULL), accu(m)),
	            call(m, "_==_", accu(m), literal(m, cel_of_int(1)), NULL));
}

/* map and transformList, with or without a condition before what is made. */
static struct cel_node *map(struct macro *m, size_t n)
{
	bool filtered = m->call->count == n + 3;
	struct cel_node *made = m->call->args[m->call->count - 1];
	struct cel_node *step = call(m, "_+_", accu(m), list(m, made), NULL);
	if (filtered)
		step = call(m, "_?_:_", m->call->args[1 + n], step, accu(m));
	return fold(m, n, list(m, NULL), NULL, step, NULL);
}

static struct cel_node *filter(struct macro *m, size_t n)
{
	struct cel_node *step = call(m, "_+_", accu(m), list(m, m->call->args[1]), NULL);
	return fold(m, n, list(m, NULL), NULL, call(m, "_?_:_", m->call->args[2], step, accu(m)), NULL);
}

static struct cel_node *transform_map(struct macro *m, size_t n)
{
	bool filtered = m->call->count == n + 3;
	bool entry = strcmp(m->call->name, "transformMapEntry") == 0;
	struct cel_node *made = m->call->args[m->call->count - 1], *init, *step;
	init = cel_node_new(m->arena, CEL_NEW_MAP, m->call->at, NULL, 0);
	step = entry ? call(m, "cel.@mapInsert", accu(m), made, NULL)
	             : call(m, "cel.@mapInsert", accu(m), ident(m, m->call->args[1]->name), made);
	if (filtered)
		step = call(m, "_?_:_", m->call->args[1 + n], step, accu(m));
	return fold(m, n, init, NULL, step, NULL);
}

/* optional.optMap(v, made): made of the value, if there is one. */
static struct cel_node *opt_map(struct macro *m, size_t n)
{
	struct cel_node *of = m->call->args[0], *has = call(m, "hasValue", of, NULL, NULL), *made, *bound;
	bool flat = strcmp(m->call->name, "optFlatMap") == 0;
	(void)n;
	has->method = true;
	bound = cel_node_new(m->arena, CEL_FOLD, m->call->at, "#unused", CEL_FOLD_ARGS);
	bound->name2 = NULL;
	struct cel_node *value = call(m, "value", of, NULL, NULL);
	value->method = true;
	/* a loop over the one value that there is */
	bound->name = m->call->args[1]->name;
	bound->args[CEL_RANGE] = list(m, value);
	made = m->call->args[2];
	bound->args[CEL_INIT] = call(m, "optional.none", NULL, NULL, NULL);
	bound->args[CEL_INIT]->count = 0;
	bound->args[CEL_WHILE] = literal(m, cel_of_bool(true));
	bound->args[CEL_STEP] = flat ? made : call(m, "optional.of", made, NULL, NULL);
	bound->args[CEL_RESULT] = accu(m);
	struct cel_node *none = call(m, "optional.none", NULL, NULL, NULL);
	none->count = 0;
	return call(m, "_?_:_", has, bound, none);
}

/* `count`: arguments without the target, at least and at most; how many of them are variables. */
static const struct {
	const char *name;
	size_t least, most, variables;
	struct cel_node *(*expand)(struct macro *m, size_t variables);
	const char *no_name;
} macros[] = {
        {"all", 2, 2, 1, all, "argument must be a simple name"},
        {"exists", 2, 2, 1, exists, "argument must be a simple name"},
        {"exists_one", 2, 2, 1, exists_one, "argument must be a simple name"},
        {"existsOne", 2, 2, 1, exists_one, "argument must be a simple name"},
        {"map", 2, 3, 1, map, "argument is not an identifier"},
        {"filter", 2, 2, 1, filter, "argument is not an identifier"},
        {"optMap", 2, 2, 1, opt_map, "optMap() variable name must be a simple identifier"},
        {"optFlatMap", 2, 2, 1, opt_map, "optFlatMap() variable name must be a simple identifier"},
        {"all", 3, 3, 2, all, "argument must be a simple name"},
        {"exists", 3, 3, 2, exists, "argument must be a simple name"},
        {"existsOne", 3, 3, 2, exists_one, "argument must be a simple name"},
        {"exists_one", 3, 3, 2, exists_one, "argument must be a simple name"},
        {"transformList", 3, 4, 2, map, "argument must be a simple name"},
        {"transformMap", 3, 4, 2, transform_map, "argument must be a simple name"},
        {"transformMapEntry", 3, 4, 2, transform_map, "argument must be a simple name"},
};

static struct cel_node *has(struct macro *m)
{
	struct cel_node *of = m->call->args[0];
	if (of->kind != CEL_SELECT)
		return wrong(m, of, "invalid argument to has() macro");
	struct cel_node *node = cel_node_new(m->arena, CEL_SELECT, m->call->at, of->name, 1);
	node->args[0] = of->args[0];
	node->test = true;
	return node;
}

struct cel_node *cel_expand(struct kt_arena *arena, struct cel_faults *faults, struct cel_node *node)
{
	struct macro m = {arena, faults, node};
	if (!node->method)
		return strcmp(node->name, "has") == 0 && node->count == 1 ? has(&m) : NULL;
	for (size_t i = 0; i < KT_COUNT(macros); i++) {
		if (strcmp(macros[i].name, node->name) != 0 || node->count - 1 < macros[i].least ||
		    node->count - 1 > macros[i].most)
			continue;
		for (size_t v = 0; v < macros[i].variables; v++) {
			const struct cel_node *name = node->args[1 + v];
			if (name->kind != CEL_IDENT || *name->name == '.')
				return wrong(&m, name, macros[i].no_name);
			if (strcmp(name->name, "__result__") == 0)
				return wrong(&m, name, "iteration variable overwrites accumulator variable");
		}
		return macros[i].expand(&m, macros[i].variables);
	}
	return NULL;
}
