/* SPDX-License-Identifier: MIT */
/* Expressions of admission (apiserver pkg/admission/plugin/cel): which variables they have, whether they
 * compile. */
#ifndef API_EXPRESSION_H
#define API_EXPRESSION_H

#include "cluster/api/api.h"
#include "cluster/cel/cel.h"

#define EXPRESSION_MOST 12 /* variables, and the one without a name */

/* What is declared: `object` and `params` are dyn where NULL. Filled in by expression_open; variables that a
 * policy makes are fields of `variables`, added as they are compiled. */
struct expression_scope {
	struct kt_arena arena;
	struct cel_variable declared[EXPRESSION_MOST];
	struct cel_type composed; /* of `variables` */
	struct cel_field *fields;
	size_t cap;
};
/* `composed`: it has `variables`. Close it with expression_close. */
void expression_open(struct expression_scope *scope, const struct cel_type *object, bool has_params,
                     const struct cel_type *params, bool has_authorizer, bool composed);
void expression_add(struct expression_scope *scope, const char *name, const struct cel_type *type);
void expression_close(struct expression_scope *scope);

/* What an expression must give. */
enum expression_result { EXPRESSION_ANY, EXPRESSION_BOOL, EXPRESSION_TEXT, EXPRESSION_TEXT_OR_NULL };
/* NULL and *out, or what is wrong with it, new ("compilation failed: …", "must evaluate to bool but got
 * int"). */
char *expression_compile(const struct expression_scope *scope, const char *text,
                         enum expression_result result, struct cel_program **out);

/* The type of a kind's objects: of a custom kind by its schema, of another by the rows of fields. In `arena`.
 */
const struct cel_type *expression_kind_type(struct kt_arena *arena, const struct schema_kind *kind);
/* What does not fit the types of the kinds that a ValidatingAdmissionPolicy looks at:
 * [{fieldRef, warning}], new; NULL if all does (policy/validating/typechecking.go). */
struct kt_json *expression_warnings(struct cluster *cluster, const struct kt_json *policy);

#endif
