/* SPDX-License-Identifier: MIT */
/* Evaluation. A fault is a value: && and || and ?: leave out what does not matter for their result,
 * everything else hands it on. */
#include "cluster/cel/cel_internal.h"

#include <string.h>

struct cel_scope {
	const char *name;
	struct cel_value value;
	struct cel_scope *outer;
};

static struct cel_value eval(struct cel_run *run, const struct cel_node *node);

static bool is_fault(const struct cel_value *v)
{
	return v->kind == CEL_ERROR;
}

static struct cel_value variable(struct cel_run *run, const char *name)
{
	const struct cel_world *world = run->world;
	name += *name == '.';
	for (struct cel_scope *s = run->scope; s; s = s->outer)
		if (strcmp(s->name, name) == 0)
			return s->value;
	for (const struct cel_variable *v = world->variables; v && v->name; v++) {
		if (strcmp(v->name, name) != 0)
			continue;
		if (v->type->kind == CEL_STRUCT && kt_starts(v->type->name, "kubernetes.authorization.")) {
			struct cel_opaque *opaque = kt_arena_alloc(&run->arena, sizeof(*opaque));
			opaque->what = CEL_AUTHORIZER;
			const struct kt_json *given = kt_get(world->values, name);
			opaque->review = (struct cel_review){.group = kt_get_text(given, "group"),
			                                     .resource = kt_get_text(given, "resource"),
			                                     .subresource = kt_get_text(given, "subresource"),
			                                     .ns = kt_get_text(given, "namespace"),
			                                     .name = kt_get_text(given, "name")};
			return (struct cel_value){.kind = CEL_STRUCT, .opaque = opaque, .as = v->type};
		}
		return cel_of_json(run, kt_get(world->values, name), v->type);
	}
	const struct cel_type *type = cel_named_type(name);
	if (type)
		return (struct cel_value){.kind = CEL_TYPE, .type = type};
	return cel_fault(run, "no such attribute(s): %s", name);
}

static const char *shown_key(struct cel_run *run, const struct cel_value *key)
{
	return key->kind == CEL_STRING ? key->s
	       : key->kind == CEL_INT  ? kt_arena_strf(&run->arena, "%lld", (long long)key->i)
	       : key->kind == CEL_BOOL ? (key->b ? "true" : "false")
	                               : "";
}

/* A member of a map or struct; `there`: false instead of a fault where it is not. What has no members lacks
 * the one asked for (cel-go interpreter/attributes.go refQualify). */
static struct cel_value member(struct cel_run *run, const struct cel_value *of, const struct cel_value *key,
                               bool *there)
{
	struct cel_value out = {.kind = CEL_NULL};
	*there = false;
	if (of->kind == CEL_LIST || (of->kind == CEL_STRUCT && !of->json))
		return cel_no_overload(run);
	*there = (of->kind == CEL_MAP || of->kind == CEL_STRUCT) && cel_find(run, of, key, &out);
	return *there ? out : cel_fault(run, "no such key: %s", shown_key(run, key));
}

static struct cel_value item(struct cel_run *run, const struct cel_value *of, const struct cel_value *index,
                             bool *there)
{
	*there = false;
	if (of->kind != CEL_LIST)
		return member(run, of, index, there);
	int64_t i = index->kind == CEL_INT    ? index->i
	            : index->kind == CEL_UINT ? (index->u > INT64_MAX ? -1 : (int64_t)index->u)
	            : index->kind == CEL_DOUBLE
	                    ? (index->d == (double)(int64_t)index->d ? (int64_t)index->d : -1)
	                    : -2;
	if (i == -2)
		return cel_no_overload(run);
	if (i < 0 || i >= (int64_t)cel_count(of))
		return cel_fault(run, "index out of bounds: %lld", (long long)i);
	*there = true;
	return cel_item(run, of, (size_t)i);
}

/* What stands behind an optional value; *none where there is nothing. */
static struct cel_value unwrap(struct cel_value of, bool *optional, bool *none)
{
	*optional = of.kind == CEL_OPAQUE && of.as && cel_is_optional(of.as);
	*none = *optional && !of.inner;
	return *optional && of.inner ? *of.inner : of;
}

static struct cel_value get(struct cel_run *run, const struct cel_node *node, const struct cel_value *key,
                            bool ask, bool list)
{
	bool optional, none, there;
	struct cel_value of = unwrap(eval(run, node->args[0]), &optional, &none), out;
	if (is_fault(&of) || is_fault(key))
		return is_fault(&of) ? of : *key;
	if (none)
		return node->test ? cel_of_bool(false) : cel_of_optional(run, NULL);
	out = list ? item(run, &of, key, &there) : member(run, &of, key, &there);
	if (node->test)
		return there || (is_fault(&out) && kt_starts(out.s, "no such key")) ? cel_of_bool(there)
		                                                                    : out;
	if (!optional && !ask)
		return out;
	if (!there && !kt_starts(out.s, "no such overload"))
		return cel_of_optional(run, NULL);
	return there ? cel_of_optional(run, &out) : out;
}

static struct cel_value select(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value key = {.kind = CEL_STRING, .s = node->name, .len = strlen(node->name)};
	if (node->variable)
		return variable(run, node->name);
	return get(run, node, &key, false, false);
}

/* && and ||: what decides does so on either side, whatever is wrong with the other. */
static struct cel_value logic(struct cel_run *run, const struct cel_node *node, bool decides)
{
	struct cel_value left = eval(run, node->args[0]);
	if (left.kind == CEL_BOOL && left.b == decides)
		return left;
	struct cel_value right = eval(run, node->args[1]);
	if (right.kind == CEL_BOOL && right.b == decides)
		return right;
	if (is_fault(&left) || is_fault(&right))
		return is_fault(&left) ? left : right;
	return left.kind == CEL_BOOL && right.kind == CEL_BOOL ? right : cel_no_overload(run);
}

static struct cel_value call(struct cel_run *run, const struct cel_node *node)
{
	const char *name = node->name;
	if (strcmp(name, "_&&_") == 0 || strcmp(name, "_||_") == 0)
		return logic(run, node, name[1] == '|');
	if (strcmp(name, "_?_:_") == 0) {
		struct cel_value which = eval(run, node->args[0]);
		if (which.kind != CEL_BOOL)
			return is_fault(&which) ? which : cel_no_overload(run);
		return eval(run, node->args[which.b ? 1 : 2]);
	}
	if (strcmp(name, "_?._") == 0)
		return get(run, node, &node->args[1]->literal, true, false);
	if (strcmp(name, "_[_]") == 0 || strcmp(name, "_[?_]") == 0) {
		struct cel_value key = eval(run, node->args[1]);
		return get(run, node, &key, name[2] == '?', true);
	}
	struct cel_value args[8];
	for (size_t i = 0; i < node->count && i < KT_COUNT(args); i++) {
		args[i] = eval(run, node->args[i]);
		if (is_fault(&args[i]) && strcmp(name, "@not_strictly_false") != 0)
			return args[i];
	}
	run->function = name;
	return node->overload_count > 0 ? node->overloads[0]->call(run, args, node->count)
	                                : cel_no_overload(run);
}

static struct cel_value new_list(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value out = cel_of_list(run, node->count);
	bool optional, none;
	out.list->count = out.count = 0;
	for (size_t i = 0; i < node->count; i++) {
		struct cel_value v = eval(run, node->args[i]);
		none = false;
		if (node->optional[i])
			v = unwrap(v, &optional, &none);
		if (is_fault(&v))
			return v;
		if (!none)
			out.list->items[out.count++] = v;
	}
	out.list->count = out.count;
	return out;
}

static struct cel_value new_map(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value out = cel_of_list(run, node->count), other;
	bool optional, none;
	out.kind = CEL_MAP;
	out.count = 0;
	for (size_t i = 0; i + 1 < node->count; i += 2) {
		struct cel_value key = eval(run, node->args[i]), v = eval(run, node->args[i + 1]);
		none = false;
		if (node->optional && node->optional[i])
			v = unwrap(v, &optional, &none);
		if (is_fault(&key) || is_fault(&v))
			return is_fault(&key) ? key : v;
		if (none)
			continue;
		if (cel_find(run, &out, &key, &other))
			return cel_fault(run, "Failed with repeated key");
		out.list->items[2 * out.count] = key;
		out.list->items[2 * out.count++ + 1] = v;
	}
	return out;
}

static struct cel_value fold(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value range = eval(run, node->args[CEL_RANGE]);
	struct cel_scope accu = {CEL_ACCU, eval(run, node->args[CEL_INIT]), run->scope};
	struct cel_scope one = {node->name, {.kind = CEL_NULL}, &accu},
	                 two = {node->name2, {.kind = CEL_NULL}, &one};
	bool list = range.kind == CEL_LIST,
	     map = range.kind == CEL_MAP || (range.kind == CEL_STRUCT && range.json);
	struct cel_scope *outer = run->scope;
	if (is_fault(&range))
		return range;
	if (!list && !map)
		return cel_no_overload(run);
	for (size_t i = 0, n = cel_count(&range); i < n && !run->over; i++) {
		if (list) {
			one.value = node->name2 ? cel_of_int((int64_t)i) : cel_item(run, &range, i);
			if (node->name2)
				two.value = cel_item(run, &range, i);
		} else {
			one.value = cel_key(run, &range, i);
			if (node->name2)
				two.value = cel_member(run, &range, i);
		}
		run->scope = node->name2 ? &two : &one;
		struct cel_value go_on = eval(run, node->args[CEL_WHILE]);
		if (go_on.kind == CEL_BOOL && !go_on.b)
			break;
		accu.value = eval(run, node->args[CEL_STEP]);
	}
	run->scope = &accu;
	struct cel_value out = eval(run, node->args[CEL_RESULT]);
	run->scope = outer;
	return out;
}

static struct cel_value eval(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value out;
	if (run->over || ++run->cost > CEL_CALL_LIMIT || run->depth > 2000) {
		run->over = true;
		return cel_fault(run, "operation cancelled: actual cost limit exceeded");
	}
	run->depth++;
	switch (node->kind) {
	case CEL_LITERAL:
		out = node->literal;
		break;
	case CEL_IDENT:
		out = variable(run, node->name);
		break;
	case CEL_SELECT:
		out = select(run, node);
		break;
	case CEL_CALL:
		out = call(run, node);
		break;
	case CEL_NEW_LIST:
		out = new_list(run, node);
		break;
	case CEL_NEW_MAP:
		out = new_map(run, node);
		break;
	case CEL_FOLD:
		out = fold(run, node);
		break;
	default:
		out = cel_no_overload(run);
		break;
	}
	run->depth--;
	return out;
}

enum kt_code cel_run(const struct cel_program *program, const struct cel_world *world, struct kt_json **out,
                     struct kt_err *err)
{
	struct cel_run run = {.world = world};
	enum kt_code rc = KT_OK;
	struct cel_value value = eval(&run, program->root);
	if (run.over)
		rc = kt_fail(err, KT_ELIMIT, "operation cancelled: actual cost limit exceeded");
	else if (is_fault(&value))
		rc = kt_fail(err, KT_EINVAL, "%s", value.s);
	else
		*out = cel_to_json(&run, &value);
	kt_arena_clear(&run.arena);
	return rc;
}

bool cel_compile(const char *text, const struct cel_variable *variables, struct cel_program **out,
                 struct kt_buf *wrong)
{
	struct cel_program *program = kt_alloc(sizeof(*program));
	program->text = kt_arena_strdup(&program->arena, text);
	struct cel_faults faults = {.arena = &program->arena, .text = program->text};
	program->root = cel_parse(&program->arena, program->text, &faults);
	if (faults.count == 0)
		cel_check(&program->arena, program->root, variables, &faults);
	if (faults.count > 0) {
		cel_faults_print(&faults, wrong);
		cel_program_free(program);
		return false;
	}
	*out = program;
	return true;
}

void cel_program_free(struct cel_program *program)
{
	if (!program)
		return;
	kt_arena_clear(&program->arena);
	kt_free(program);
}

const struct cel_type *cel_program_type(const struct cel_program *program)
{
	return program->root->type;
}

static bool uses(const struct cel_node *node, const char *name)
{
	if (node->kind == CEL_IDENT && strcmp(node->name + (*node->name == '.'), name) == 0)
		return true;
	for (size_t i = 0; i < node->count; i++)
		if (node->args[i] && uses(node->args[i], name))
			return true;
	return false;
}

bool cel_program_uses(const struct cel_program *program, const char *name)
{
	return uses(program->root, name);
}
