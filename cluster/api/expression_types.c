/* SPDX-License-Identifier: MIT */
/* Types of kinds for CEL, and the policies whose expressions do not fit them. */
#include "cluster/api/expression.h"

#include <stdlib.h>
#include <string.h>

#define MAX_KINDS 10 /* that one policy is checked against */

/* --- types by the rows of fields --- */

static const struct cel_type *message_type(struct kt_arena *arena, const struct schema_type *type);

static const struct cel_type *scalar_type(struct kt_arena *arena, const struct schema_type *type)
{
	static const struct cel_type instant = {.kind = CEL_TIMESTAMP},
	                             words = {.kind = CEL_LIST, .args = {&cel_string, NULL}};
	switch (type->scalar) {
	case SCHEMA_MESSAGE:
		return message_type(arena, type);
	case SCHEMA_STRING:
	case SCHEMA_DURATION:
		return &cel_string;
	case SCHEMA_BOOL:
		return &cel_bool;
	case SCHEMA_INT32:
	case SCHEMA_INT64:
		return &cel_int;
	case SCHEMA_DOUBLE:
		return &cel_double;
	case SCHEMA_BYTES:
		return &cel_bytes;
	case SCHEMA_TIME:
	case SCHEMA_MICROTIME:
		return &instant;
	case SCHEMA_STRINGS:
		return &words;
	default:
		/* Quantities and the like say no type in the published schema: they cannot be named. */
		return NULL;
	}
}

static const struct cel_type *find_field(void *arg, const void *of, const char *name)
{
	const struct schema_field *field = schema_field_named(of, name);
	const struct cel_type *type = field ? scalar_type(arg, field->type) : NULL;
	if (!type || field->shape == SCHEMA_ONE)
		return type;
	return field->shape == SCHEMA_LIST ? cel_list_of(arg, type) : cel_map_of(arg, &cel_string, type);
}

static const struct cel_type *message_type(struct kt_arena *arena, const struct schema_type *type)
{
	struct cel_type *made = kt_arena_alloc(arena, sizeof(*made));
	made->kind = CEL_STRUCT;
	made->name = type->name;
	made->opened = true;
	made->find = find_field;
	made->arg = arena;
	made->of = type;
	return made;
}

const struct cel_type *expression_kind_type(struct kt_arena *arena, const struct schema_kind *kind)
{
	const struct kt_json *version;
	if (!kind->crd)
		return message_type(arena, kind->type);
	KT_JSON_EACH (version, kt_path(kind->crd, "spec.versions"))
		if (kt_streq(kt_get_str(version, "name"), kind->version))
			return cel_schema_type(arena, kt_path(version, "schema.openAPIV3Schema"), true,
			                       kind->kind);
	return NULL;
}

/* --- which kinds a policy looks at --- */

static int by_name(const void *a, const void *b)
{
	const struct schema_kind *x = *(const struct schema_kind *const *)a,
	                         *y = *(const struct schema_kind *const *)b;
	int order = strcmp(x->group, y->group);
	if (!order)
		order = strcmp(x->version, y->version);
	return order ? order : strcmp(x->kind, y->kind);
}

static size_t kinds_of(struct cluster *cluster, const struct kt_json *policy,
                       const struct schema_kind *out[MAX_KINDS])
{
	const struct kt_json *rule, *group, *version, *resource;
	size_t count = 0;
	KT_JSON_EACH (rule, kt_path(policy, "spec.matchConstraints.resourceRules"))
		KT_JSON_EACH (group, kt_get(rule, "apiGroups"))
			KT_JSON_EACH (version, kt_get(rule, "apiVersions"))
				KT_JSON_EACH (resource, kt_get(rule, "resources")) {
					const struct schema_kind *kind = schema_by_resource(
					        cluster_schema(cluster), kt_str_or(group, ""),
					        kt_str_or(version, ""), kt_str_or(resource, ""));
					bool known = !kind || count == MAX_KINDS;
					for (size_t i = 0; i < count && !known; i++)
						known = out[i] == kind;
					if (!known)
						out[count++] = kind;
				}
	if (count > 0)
		qsort((void *)out, count, sizeof(const struct schema_kind *), by_name);
	return count;
}

/* --- warnings --- */

struct checking {
	struct cluster *cluster;
	const struct kt_json *policy;
	const struct schema_kind *kinds[MAX_KINDS];
	size_t count;
	struct kt_json *warnings;
};

static const struct cel_type *params_type(struct checking *c, struct kt_arena *arena)
{
	const struct kt_json *of = kt_path(c->policy, "spec.paramKind");
	const struct schema_kind *kind =
	        of ? schema_by_api_version(cluster_schema(c->cluster), kt_get_text(of, "apiVersion"),
	                                   kt_get_text(of, "kind"))
	           : NULL;
	return kind ? expression_kind_type(arena, kind) : NULL;
}

/* Lists and maps that a variable holds are not looked into: they are dyn to those that use it. */
static void add_variables(struct checking *c, struct expression_scope *scope)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, kt_path(c->policy, "spec.variables")) {
		struct cel_program *program = NULL;
		char *why =
		        expression_compile(scope, kt_get_text(item, "expression"), EXPRESSION_ANY, &program);
		const struct cel_type *type = program ? cel_program_type(program) : NULL;
		bool plain = type &&
		             (type->kind == CEL_BOOL || type->kind == CEL_INT || type->kind == CEL_DOUBLE ||
		              type->kind == CEL_STRING || type->kind == CEL_UINT);
		expression_add(scope, kt_get_text(item, "name"),
		               plain ? cel_type_copy(&scope->arena, type) : NULL);
		kt_free(why);
		cel_program_free(program);
	}
}

static void check(struct checking *c, const char *text, size_t i, const char *field)
{
	static const char prefix[] = "compilation failed: ";
	struct kt_buf all = {0};
	for (size_t k = 0; k < c->count; k++) {
		struct kt_arena arena = {0};
		struct expression_scope scope;
		struct cel_program *program = NULL;
		const struct cel_type *type = expression_kind_type(&arena, c->kinds[k]),
		                      *params = params_type(c, &arena);
		expression_open(&scope, type, params != NULL, params, true, true);
		add_variables(c, &scope);
		char *why = expression_compile(&scope, text, EXPRESSION_ANY, &program);
		if (why)
			kt_buf_addf(&all, "%s%s/%s, Kind=%s: %s\n", all.len ? "\n" : "", c->kinds[k]->group,
			            c->kinds[k]->version, c->kinds[k]->kind,
			            why + (kt_starts(why, prefix) ? strlen(prefix) : 0));
		kt_free(why);
		cel_program_free(program);
		expression_close(&scope);
		kt_arena_clear(&arena);
	}
	if (all.len) {
		char *ref = kt_strf("spec.validations[%zu].%s", i, field);
		if (!c->warnings)
			c->warnings = kt_json_array();
		kt_push(&c->warnings, kt_jsonf("{fieldRef: %s, warning: %s}", ref, kt_buf_str(&all)));
		kt_free(ref);
	}
	kt_buf_clear(&all);
}

struct kt_json *expression_warnings(struct cluster *cluster, const struct kt_json *policy)
{
	struct checking c = {.cluster = cluster, .policy = policy};
	const struct kt_json *item;
	c.count = kinds_of(cluster, policy, c.kinds);
	KT_JSON_EACH (item, kt_path(policy, "spec.validations")) {
		check(&c, kt_get_text(item, "expression"), item_i, "expression");
		if (*kt_get_text(item, "messageExpression"))
			check(&c, kt_get_text(item, "messageExpression"), item_i, "messageExpression");
	}
	return c.warnings;
}
