/* SPDX-License-Identifier: MIT */
#include "cluster/api/expression.h"

/* --- the types of what a request brings along --- */

static const struct cel_type words = {.kind = CEL_LIST, .args = {&cel_string, NULL}};
static const struct cel_type labels = {.kind = CEL_MAP, .args = {&cel_string, &cel_string}};
static const struct cel_type extra = {.kind = CEL_MAP, .args = {&cel_string, &words}};
static const struct cel_type instant = {.kind = CEL_TIMESTAMP};

#define STRUCT(symbol, text, list)                                                                           \
	static const struct cel_type symbol = {.kind = CEL_STRUCT,                                           \
	                                       .name = (text),                                               \
	                                       .fields = (list),                                             \
	                                       .field_count = KT_COUNT(list),                                \
	                                       .opened = true}
#define FIELD(name, type)                                                                                    \
	{                                                                                                    \
		name, name, type                                                                             \
	}

static const struct cel_field gvk_fields[] = {FIELD("group", &cel_string), FIELD("version", &cel_string),
                                              FIELD("kind", &cel_string)};
STRUCT(gvk, "kubernetes.GroupVersionKind", gvk_fields);
static const struct cel_field gvr_fields[] = {FIELD("group", &cel_string), FIELD("version", &cel_string),
                                              FIELD("resource", &cel_string)};
STRUCT(gvr, "kubernetes.GroupVersionResource", gvr_fields);
static const struct cel_field user_fields[] = {FIELD("username", &cel_string), FIELD("uid", &cel_string),
                                               FIELD("groups", &words), FIELD("extra", &extra)};
STRUCT(user, "kubernetes.UserInfo", user_fields);
static const struct cel_field request_fields[] = {
        FIELD("kind", &gvk),        FIELD("resource", &gvr),         FIELD("subResource", &cel_string),
        FIELD("requestKind", &gvk), FIELD("requestResource", &gvr),  FIELD("requestSubResource", &cel_string),
        FIELD("name", &cel_string), FIELD("namespace", &cel_string), FIELD("operation", &cel_string),
        FIELD("userInfo", &user),   FIELD("dryRun", &cel_bool),      FIELD("options", &cel_dyn),
};
STRUCT(request, "kubernetes.AdmissionRequest", request_fields);
static const struct cel_field namespace_meta_fields[] = {
        FIELD("name", &cel_string),
        FIELD("generateName", &cel_string),
        FIELD("namespace", &cel_string),
        FIELD("labels", &labels),
        FIELD("annotations", &labels),
        {"UID", "uid", &cel_string},
        FIELD("creationTimestamp", &instant),
        FIELD("deletionGracePeriodSeconds", &cel_int),
        FIELD("deletionTimestamp", &instant),
        FIELD("generation", &cel_int),
        FIELD("resourceVersion", &cel_string),
        FIELD("finalizers", &words),
};
STRUCT(namespace_meta, "kubernetes.NamespaceMetadata", namespace_meta_fields);
static const struct cel_field namespace_spec_fields[] = {FIELD("finalizers", &words)};
STRUCT(namespace_spec, "kubernetes.NamespaceSpec", namespace_spec_fields);
static const struct cel_field condition_fields[] = {
        FIELD("status", &cel_string), FIELD("type", &cel_string), FIELD("lastTransitionTime", &instant),
        FIELD("message", &cel_string), FIELD("reason", &cel_string)};
STRUCT(condition, "kubernetes.NamespaceCondition", condition_fields);
static const struct cel_type conditions = {.kind = CEL_LIST, .args = {&condition, NULL}};
static const struct cel_field namespace_status_fields[] = {FIELD("conditions", &conditions),
                                                           FIELD("phase", &cel_string)};
STRUCT(namespace_status, "kubernetes.NamespaceStatus", namespace_status_fields);
static const struct cel_field namespace_fields[] = {FIELD("metadata", &namespace_meta),
                                                    FIELD("spec", &namespace_spec),
                                                    FIELD("status", &namespace_status)};
STRUCT(namespace_type, "kubernetes.Namespace", namespace_fields);
static const struct cel_type resource_check = {.kind = CEL_STRUCT,
                                               .name = "kubernetes.authorization.ResourceCheck"};

void expression_open(struct expression_scope *scope, const struct cel_type *object, bool has_params,
                     const struct cel_type *params, bool has_authorizer, bool composed)
{
	size_t n = 0;
	*scope = (struct expression_scope){0};
	scope->composed =
	        (struct cel_type){.kind = CEL_STRUCT, .name = "kubernetes.variables", .opened = true};
	scope->declared[n++] = (struct cel_variable){"object", object ? object : &cel_dyn};
	scope->declared[n++] = (struct cel_variable){"oldObject", object ? object : &cel_dyn};
	scope->declared[n++] = (struct cel_variable){"namespaceObject", &namespace_type};
	scope->declared[n++] = (struct cel_variable){"request", &request};
	if (has_params)
		scope->declared[n++] = (struct cel_variable){"params", params ? params : &cel_dyn};
	if (has_authorizer) {
		scope->declared[n++] = (struct cel_variable){"authorizer", &cel_authorizer};
		scope->declared[n++] = (struct cel_variable){"authorizer.requestResource", &resource_check};
	}
	if (composed)
		scope->declared[n++] = (struct cel_variable){"variables", &scope->composed};
}

void expression_add(struct expression_scope *scope, const char *name, const struct cel_type *type)
{
	const char *copy = kt_arena_strdup(&scope->arena, name);
	scope->fields =
	        kt_grow(scope->fields, &scope->cap, scope->composed.field_count + 1, sizeof(*scope->fields));
	scope->fields[scope->composed.field_count++] = (struct cel_field){copy, copy, type ? type : &cel_dyn};
	scope->composed.fields = scope->fields;
}

void expression_close(struct expression_scope *scope)
{
	kt_free(scope->fields);
	kt_arena_clear(&scope->arena);
}

char *expression_compile(const struct expression_scope *scope, const char *text,
                         enum expression_result result, struct cel_program **out)
{
	static const char *const musts[] = {[EXPRESSION_ANY] = "",
	                                    [EXPRESSION_BOOL] = "bool",
	                                    [EXPRESSION_TEXT] = "string",
	                                    [EXPRESSION_TEXT_OR_NULL] = "one of [string null_type]"};
	struct kt_buf wrong = {0}, type = {0};
	struct cel_program *program;
	char *why = NULL;
	if (!cel_compile(text, scope->declared, &program, &wrong)) {
		why = kt_strf("compilation failed: %s", kt_buf_str(&wrong));
		kt_buf_clear(&wrong);
		return why;
	}
	enum cel_kind kind = cel_program_type(program)->kind;
	if (result == EXPRESSION_ANY || (result == EXPRESSION_BOOL && kind == CEL_BOOL) ||
	    (result >= EXPRESSION_TEXT && kind == CEL_STRING) ||
	    (result == EXPRESSION_TEXT_OR_NULL && kind == CEL_NULL)) {
		*out = program;
		return NULL;
	}
	cel_type_print_names(cel_program_type(program), &type);
	why = kt_strf("must evaluate to %s but got %s", musts[result], kt_buf_str(&type));
	kt_buf_clear(&type);
	cel_program_free(program);
	return why;
}
