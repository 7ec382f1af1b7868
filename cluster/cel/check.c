/* SPDX-License-Identifier: MIT */
/* The type checker (cel-go checker/checker.go, types.go): every node gets a type, every call the overloads
 * that its arguments fit; what is unknown is a variable until something binds it, and dyn if nothing does. */
#include "cluster/cel/cel_internal.h"

#include <string.h>

struct scope {
	const char *name;
	const struct cel_type *type;
	struct scope *outer;
};
struct checker {
	struct kt_arena *arena;
	struct cel_faults *faults;
	const struct cel_variable *variables;
	struct scope *scope;
	const struct cel_type **bound; /* by number of parameter */
	size_t count, cap;             /* of parameters */
};

static const struct cel_type error_type = {.kind = CEL_ERROR};

static void check(struct checker *c, struct cel_node *node);

/* --- variables of types --- */

static const struct cel_type *fresh(struct checker *c)
{
	struct cel_type *type = kt_arena_alloc(c->arena, sizeof(*type));
	type->kind = CEL_PARAM;
	type->number = (unsigned)c->count;
	c->bound = kt_grow(c->bound, &c->cap, c->count + 1, sizeof(const struct cel_type *));
	c->bound[c->count++] = NULL;
	return type;
}

static const struct cel_type *bound(const struct checker *c, const struct cel_type *type)
{
	return type->kind == CEL_PARAM && type->number < c->count ? c->bound[type->number] : NULL;
}

static const struct cel_type *substitute(struct checker *c, const struct cel_type *type, bool to_dyn)
{
	const struct cel_type *found = bound(c, type), *a, *b;
	if (found)
		return substitute(c, found, to_dyn);
	if (type->kind == CEL_PARAM)
		return to_dyn ? &cel_dyn : type;
	if (!type->args[0])
		return type;
	a = substitute(c, type->args[0], to_dyn);
	b = type->args[1] ? substitute(c, type->args[1], to_dyn) : NULL;
	if (a == type->args[0] && b == type->args[1])
		return type;
	struct cel_type *copy = kt_arena_alloc(c->arena, sizeof(*copy));
	*copy = *type;
	copy->args[0] = a;
	copy->args[1] = b;
	return copy;
}

static bool is_open(const struct cel_type *type)
{
	return type->kind == CEL_DYN || type->kind == CEL_ERROR;
}

static bool is_less_specific(const struct cel_type *a, const struct cel_type *b)
{
	if (a->kind == CEL_DYN || a->kind == CEL_PARAM)
		return true;
	if (b->kind == CEL_DYN || b->kind == CEL_PARAM || a->kind != b->kind)
		return false;
	if (a->kind == CEL_TYPE)
		return true;
	if (a->kind != CEL_OPAQUE && a->kind != CEL_LIST && a->kind != CEL_MAP)
		return cel_type_is(a, b);
	if (!kt_streq(a->name, b->name))
		return false;
	for (int i = 0; i < 2 && a->args[i]; i++)
		if (!b->args[i] || !is_less_specific(a->args[i], b->args[i]))
			return false;
	return true;
}

static bool occurs(const struct checker *c, const struct cel_type *param, const struct cel_type *in)
{
	if (cel_type_is(param, in))
		return true;
	if (in->kind == CEL_PARAM)
		return bound(c, in) && occurs(c, param, bound(c, in));
	return (in->args[0] && occurs(c, param, in->args[0])) ||
	       (in->args[1] && occurs(c, param, in->args[1]));
}

static bool assign(struct checker *c, const struct cel_type *a, const struct cel_type *b);

/* May `param` stand for `type`? `*had`: it stood for something before. */
static bool bind(struct checker *c, const struct cel_type *type, const struct cel_type *param, bool *had)
{
	const struct cel_type *now = bound(c, param);
	*had = true;
	if (cel_type_is(type, param))
		return true;
	if (now) {
		if (cel_type_is(type, now))
			return true;
		if (!assign(c, type, now))
			return false;
		const struct cel_type *general = is_less_specific(type, now) ? type : now;
		if (!occurs(c, param, general))
			c->bound[param->number] = general;
		return true;
	}
	*had = false;
	if (occurs(c, param, type))
		return false;
	c->bound[param->number] = type;
	return true;
}

static bool is_nullable(const struct cel_type *type)
{
	return type->kind == CEL_OPAQUE || type->kind == CEL_STRUCT || type->kind == CEL_DURATION ||
	       type->kind == CEL_TIMESTAMP || type->kind == CEL_NULL;
}

static bool assign(struct checker *c, const struct cel_type *a, const struct cel_type *b)
{
	bool had;
	if (b->kind == CEL_PARAM) {
		if (bind(c, a, b, &had))
			return true;
		if (had)
			return false;
	}
	if (a->kind == CEL_PARAM)
		return bind(c, b, a, &had);
	if (is_open(a) || is_open(b))
		return true;
	if (a->kind == CEL_NULL)
		return is_nullable(b);
	if (b->kind == CEL_NULL)
		return is_nullable(a);
	if (a->kind != b->kind)
		return false;
	if (a->kind == CEL_TYPE)
		return true;
	if (!kt_streq(a->name, b->name))
		return false;
	for (int i = 0; i < 2 && a->args[i] && b->args[i]; i++)
		if (!assign(c, a->args[i], b->args[i]))
			return false;
	return true;
}

/* All of it or nothing. */
static bool assign_all(struct checker *c, const struct cel_type *const *a, const struct cel_type *const *b,
                       size_t count)
{
	size_t bytes = c->count * sizeof(const struct cel_type *);
	const struct cel_type **before = kt_alloc(bytes + 1);
	bool fine = true;
	if (bytes)
		memcpy(before, c->bound, bytes);
	for (size_t i = 0; i < count && fine; i++)
		fine = assign(c, a[i], b[i]);
	if (!fine && bytes)
		memcpy(c->bound, before, bytes);
	kt_free(before);
	return fine;
}

/* --- faults --- */

static char *printed(struct checker *c, const struct cel_type *type)
{
	struct kt_buf text = {0};
	cel_type_print(type, &text);
	char *out = kt_arena_strdup(c->arena, kt_buf_str(&text));
	kt_buf_clear(&text);
	return out;
}

static void mismatch(struct checker *c, const struct cel_node *at, const struct cel_type *expected,
                     const struct cel_type *found)
{
	cel_faults_add(c->faults, at->at, "expected type '%s' but found '%s'", printed(c, expected),
	               printed(c, found));
}

static void undeclared(struct checker *c, const struct cel_node *at, const char *name)
{
	cel_faults_add(c->faults, at->at, "undeclared reference to '%s' (in container '')",
	               name + (*name == '.'));
}

static void no_overload(struct checker *c, const struct cel_node *node, const struct cel_type *const *types,
                        size_t count)
{
	struct kt_buf text = {0};
	size_t i = 0;
	if (node->method) {
		cel_type_print(substitute(c, types[i++], true), &text);
		kt_buf_addc(&text, '.');
	}
	kt_buf_addc(&text, '(');
	for (size_t first = i; i < count; i++) {
		kt_buf_adds(&text, i > first ? ", " : "");
		cel_type_print(substitute(c, types[i], true), &text);
	}
	cel_faults_add(c->faults, node->at, "found no matching overload for '%s' applied to '%s)'",
	               node->name, kt_buf_str(&text));
	kt_buf_clear(&text);
}

/* --- names --- */

static const struct cel_type *type_named(struct checker *c, const char *name)
{
	const struct cel_type *type = cel_named_type(name);
	if (!type)
		return NULL;
	struct cel_type *of = kt_arena_alloc(c->arena, sizeof(*of));
	of->kind = CEL_TYPE;
	of->args[0] = type;
	return of;
}

static const struct cel_type *lookup(struct checker *c, const char *name)
{
	if (*name == '.')
		name++;
	else
		for (const struct scope *s = c->scope; s; s = s->outer)
			if (strcmp(s->name, name) == 0)
				return s->type;
	for (const struct cel_variable *v = c->variables; v && v->name; v++)
		if (strcmp(v->name, name) == 0)
			return v->type;
	return type_named(c, name);
}

/* "a.b.c" of selects that begin with a name; NULL of anything else. */
static char *qualified(struct checker *c, const struct cel_node *node)
{
	if (node->kind == CEL_IDENT)
		return kt_arena_strdup(c->arena, node->name);
	if (node->kind != CEL_SELECT || node->test)
		return NULL;
	char *of = qualified(c, node->args[0]);
	return of ? kt_arena_strf(c->arena, "%s.%s", of, node->name) : NULL;
}

static void check_ident(struct checker *c, struct cel_node *node)
{
	node->type = lookup(c, node->name);
	if (!node->type) {
		node->type = &error_type;
		undeclared(c, node, node->name);
	}
}

static const struct cel_type *optional(struct checker *c, const struct cel_type *type)
{
	return cel_optional_of(c->arena, type);
}

static const struct cel_type *select_type(struct checker *c, struct cel_node *node, struct cel_node *of,
                                          const char *field, bool opt)
{
	check(c, of);
	const struct cel_type *target = substitute(c, of->type, false), *result = &error_type;
	bool was_optional = cel_is_optional(target);
	if (was_optional)
		target = target->args[0];
	if (target->kind == CEL_MAP) {
		result = target->args[1];
	} else if (target->kind == CEL_STRUCT) {
		const struct cel_type *found = cel_field_type(target, field);
		if (found)
			result = found;
		else if (!target->opened)
			cel_faults_add(c->faults, node->at, "unexpected failed resolution of '%s'",
			               target->name);
		else
			cel_faults_add(c->faults, node->at, "undefined field '%s'", field);
	} else {
		if (target->kind == CEL_PARAM) {
			const struct cel_type *dyn = &cel_dyn;
			(void)assign_all(c, &dyn, &target, 1);
		} else if (!is_open(target)) {
			cel_faults_add(c->faults, node->at, "type '%s' does not support field selection",
			               printed(c, target));
		}
		result = &cel_dyn;
	}
	return was_optional || opt ? optional(c, result) : result;
}

static void check_select(struct checker *c, struct cel_node *node)
{
	const char *name = qualified(c, node);
	const struct cel_type *declared = name ? lookup(c, name) : NULL;
	if (declared) {
		node->type = declared;
		node->variable = true;
		node->name = name;
		return;
	}
	node->type = select_type(c, node, node->args[0], node->name, false);
	node->type = node->test ? &cel_bool : substitute(c, node->type, false);
}

/* --- calls --- */

static void resolve(struct checker *c, struct cel_node *node)
{
	size_t count, n = node->count;
	const struct cel_overload *overloads = cel_overloads(node->name, &count);
	const struct cel_type **types = kt_arena_alloc(c->arena, (n + 1) * sizeof(*types));
	const struct cel_type *result = NULL;
	for (size_t i = 0; i < n; i++)
		types[i] = node->args[i]->type;
	if (strcmp(node->name, "_&&_") == 0 || strcmp(node->name, "_||_") == 0) {
		const struct cel_type *boolean = &cel_bool;
		bool wrong = false;
		for (size_t i = 0; i < n; i++) {
			if (assign_all(c, &types[i], &boolean, 1))
				continue;
			mismatch(c, node->args[i], &cel_bool, types[i]);
			wrong = true;
		}
		node->overloads[node->overload_count++] = overloads;
		node->type = wrong ? &error_type : &cel_bool;
		return;
	}
	for (size_t o = 0; o < count; o++) {
		const struct cel_type *params[8];
		const char *at = overloads[o].signature;
		unsigned first = (unsigned)c->count;
		size_t given = 0;
		for (const char *s = at; *s; s++)
			if (*s >= 'A' && *s <= 'C' && (s[1] == ')' || s[1] == ',' || s[1] == '.' || !s[1]))
				while (c->count <= first + (unsigned)(*s - 'A'))
					(void)fresh(c);
		bool method = *at != '(';
		if (method != node->method)
			continue;
		if (method) {
			params[given++] = cel_type_parse(c->arena, &at, first);
			at++;
		}
		for (at++; *at != ')'; at += *at == ',')
			params[given++] = cel_type_parse(c->arena, &at, first);
		at++;
		if (given != n || !assign_all(c, types, params, n))
			continue;
		if (node->overload_count < CEL_MAX_OVERLOADS)
			node->overloads[node->overload_count++] = &overloads[o];
		const struct cel_type *made = substitute(c, cel_type_parse(c->arena, &at, first), false);
		if (!result)
			result = made;
		else if (result->kind != CEL_DYN && !cel_type_is(made, result))
			result = &cel_dyn;
	}
	if (!result)
		no_overload(c, node, types, n);
	node->type = result ? result : &error_type;
}

static void check_call(struct checker *c, struct cel_node *node)
{
	size_t count;
	if (strcmp(node->name, "_?._") == 0) {
		const struct cel_value *field = &node->args[1]->literal;
		node->type = substitute(c, select_type(c, node, node->args[0], field->s, true), false);
		return;
	}
	for (size_t i = node->method ? 1 : 0; i < node->count; i++)
		check(c, node->args[i]);
	if (node->method) {
		/* a.b.c() is c of a.b, or the function a.b.c. */
		char *prefix = qualified(c, node->args[0]);
		char *whole = prefix ? kt_arena_strf(c->arena, "%s.%s", prefix, node->name) : NULL;
		if (whole && cel_overloads(whole, &count)) {
			node->name = whole;
			node->method = false;
			node->args++;
			node->count--;
			resolve(c, node);
			return;
		}
		check(c, node->args[0]);
	}
	if (*node->name == '.')
		node->name++;
	if (cel_overloads(node->name, &count)) {
		resolve(c, node);
		return;
	}
	node->type = &error_type;
	undeclared(c, node, node->name);
}

/* --- lists, maps, structs --- */

/* Items of different types make a list of dyn; validate() has something to say about that. */
static const struct cel_type *join(struct checker *c, const struct cel_type *before,
                                   const struct cel_type *now)
{
	if (!before)
		return now;
	if (assign_all(c, &before, &now, 1))
		return is_less_specific(before, now) ? before : now;
	return &cel_dyn;
}

static const struct cel_type *unwrapped(struct checker *c, const struct cel_node *node, bool is_optional)
{
	const struct cel_type *type = substitute(c, node->type, false);
	if (!is_optional)
		return node->type;
	if (cel_is_optional(type))
		return type->args[0];
	if (type->kind != CEL_DYN)
		mismatch(c, node, optional(c, type), type);
	return type;
}

static void check_list(struct checker *c, struct cel_node *node)
{
	const struct cel_type *item = NULL;
	for (size_t i = 0; i < node->count; i++) {
		check(c, node->args[i]);
		item = join(c, item, unwrapped(c, node->args[i], node->optional[i]));
	}
	node->type = cel_list_of(c->arena, item ? item : fresh(c));
}

static void check_map(struct checker *c, struct cel_node *node)
{
	const struct cel_type *key = NULL, *value = NULL;
	for (size_t i = 0; i + 1 < node->count; i += 2) {
		check(c, node->args[i]);
		key = join(c, key, node->args[i]->type);
		check(c, node->args[i + 1]);
		value = join(c, value, unwrapped(c, node->args[i + 1], node->optional[i]));
	}
	if (!key) {
		key = fresh(c);
		value = fresh(c);
	}
	node->type = cel_map_of(c->arena, key, value);
}

static void check_struct(struct checker *c, struct cel_node *node)
{
	const struct cel_type *named = lookup(c, node->name);
	node->type = &error_type;
	if (!named)
		undeclared(c, node, node->name);
	else if (named->kind != CEL_TYPE)
		cel_faults_add(c->faults, node->at, "'%s' is not a type", printed(c, named));
	else if (named->args[0] && named->args[0]->kind == CEL_STRUCT)
		node->type = named->args[0];
	else
		cel_faults_add(c->faults, node->at, "'%s' is not a message type", node->name);
	for (size_t i = 0; named && i + 1 < node->count; i += 2) {
		check(c, node->args[i + 1]);
		if (node->type->kind == CEL_STRUCT)
			cel_faults_add(c->faults, node->args[i]->at, "undefined field '%s'",
			               node->args[i]->name);
	}
}

/* --- loops --- */

static void expect_bool(struct checker *c, const struct cel_node *node)
{
	const struct cel_type *boolean = &cel_bool;
	if (!assign_all(c, &boolean, &node->type, 1))
		mismatch(c, node, &cel_bool, node->type);
}

static void check_fold(struct checker *c, struct cel_node *node)
{
	check(c, node->args[CEL_RANGE]);
	check(c, node->args[CEL_INIT]);
	const struct cel_type *range = substitute(c, node->args[CEL_RANGE]->type, false), *one, *two = NULL;
	const struct cel_type *accu = node->args[CEL_INIT]->type, *dyn = &cel_dyn;
	struct scope outer = {CEL_ACCU, accu, c->scope}, inner = {node->name, NULL, &outer},
	             second = {node->name2, NULL, &inner};
	if (range->kind == CEL_LIST) {
		one = node->name2 ? &cel_int : range->args[0];
		two = range->args[0];
	} else if (range->kind == CEL_MAP) {
		one = range->args[0];
		two = range->args[1];
	} else if (is_open(range) || range->kind == CEL_PARAM) {
		(void)assign_all(c, &dyn, &range, 1);
		one = two = &cel_dyn;
	} else {
		cel_faults_add(c->faults, node->args[CEL_RANGE]->at,
		               "expression of type '%s' cannot be range of a comprehension (must be list, "
		               "map, or dynamic)",
		               printed(c, range));
		one = two = &error_type;
	}
	inner.type = one;
	second.type = two;
	c->scope = node->name2 ? &second : &inner;
	check(c, node->args[CEL_WHILE]);
	expect_bool(c, node->args[CEL_WHILE]);
	check(c, node->args[CEL_STEP]);
	const struct cel_type *step = node->args[CEL_STEP]->type;
	if (!assign_all(c, &accu, &step, 1))
		mismatch(c, node->args[CEL_STEP], accu, step);
	c->scope = &outer;
	check(c, node->args[CEL_RESULT]);
	c->scope = outer.outer;
	node->type = substitute(c, node->args[CEL_RESULT]->type, false);
}

static const struct cel_type *literal_type(enum cel_kind kind)
{
	static const struct cel_type null = {.kind = CEL_NULL}, uint = {.kind = CEL_UINT};
	return kind == CEL_BOOL     ? &cel_bool
	       : kind == CEL_INT    ? &cel_int
	       : kind == CEL_UINT   ? &uint
	       : kind == CEL_DOUBLE ? &cel_double
	       : kind == CEL_STRING ? &cel_string
	       : kind == CEL_BYTES  ? &cel_bytes
	                            : &null;
}

static void check(struct checker *c, struct cel_node *node)
{
	/* What a macro put in twice is checked once. */
	if (node->type)
		return;
	switch (node->kind) {
	case CEL_LITERAL:
		node->type = literal_type(node->literal.kind);
		break;
	case CEL_IDENT:
		check_ident(c, node);
		break;
	case CEL_SELECT:
		check_select(c, node);
		break;
	case CEL_CALL:
		check_call(c, node);
		break;
	case CEL_NEW_LIST:
		check_list(c, node);
		break;
	case CEL_NEW_MAP:
		check_map(c, node);
		break;
	case CEL_NEW_STRUCT:
		check_struct(c, node);
		break;
	case CEL_FOLD:
		check_fold(c, node);
		break;
	case CEL_BROKEN:
		node->type = &error_type;
		break;
	}
}

static void finish(struct checker *c, struct cel_node *node)
{
	if (node->type)
		node->type = substitute(c, node->type, true);
	for (size_t i = 0; i < node->count; i++)
		if (node->args[i])
			finish(c, node->args[i]);
}

/* --- what cel-go's validators look at once the types are right --- */

static bool is_call(const struct cel_node *node, const char *name)
{
	return node->kind == CEL_CALL && strcmp(node->name, name) == 0;
}

static void validate_arguments(struct checker *c, struct cel_node *node)
{
	static const struct {
		const char *function, *what;
		size_t at;
	} rows[] = {{"duration", "duration", 0}, {"timestamp", "timestamp", 0}, {"matches", "matches", 1}};
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		if (!is_call(node, rows[i].function) || node->count <= rows[i].at)
			continue;
		struct cel_node *given = node->args[rows[i].at];
		if (given->kind != CEL_LITERAL || given->literal.kind != CEL_STRING)
			continue;
		struct cel_run run = {0};
		struct cel_value args[2] = {{.kind = CEL_STRING, .s = "", .len = 0}, given->literal};
		struct cel_value out =
		        node->overloads[0]->call(&run, rows[i].at ? args : args + 1, rows[i].at + 1);
		if (out.kind == CEL_ERROR)
			cel_faults_add(c->faults, given->at, "invalid %s argument", rows[i].what);
		kt_arena_clear(&run.arena);
	}
}

/* What is written out as a list or a map has one type throughout, but for what a text is formatted with. */
static void validate_items(struct checker *c, const struct cel_node *node)
{
	size_t width = node->kind == CEL_NEW_MAP ? 2 : 1;
	const struct cel_type *first[2] = {NULL, NULL};
	for (size_t i = 0; i < node->count; i++) {
		const struct cel_type *type = node->args[i]->type;
		if (node->optional && node->optional[i] && i % width == width - 1 && type->args[0])
			type = type->args[0];
		if (!first[i % width]) {
			first[i % width] = type;
		} else if (!cel_type_is(first[i % width], type)) {
			mismatch(c, node->args[i], first[i % width], type);
			if (width == 1)
				break;
		}
	}
}

static void validate(struct checker *c, struct cel_node *node, bool exempt)
{
	exempt = exempt || is_call(node, "format");
	for (size_t i = 0; i < node->count; i++)
		if (node->args[i])
			validate(c, node->args[i], exempt);
	validate_arguments(c, node);
	if (!exempt && (node->kind == CEL_NEW_LIST || node->kind == CEL_NEW_MAP))
		validate_items(c, node);
}

void cel_check(struct kt_arena *arena, struct cel_node *root, const struct cel_variable *variables,
               struct cel_faults *faults)
{
	struct checker c = {.arena = arena, .faults = faults, .variables = variables};
	check(&c, root);
	finish(&c, root);
	if (faults->count == 0)
		validate(&c, root, false);
	kt_free(c.bound);
}
