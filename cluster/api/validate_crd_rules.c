/* SPDX-License-Identifier: MIT */
/* Rules in CEL of custom kinds (pkg/apis/apiextensions/validation, cel_validation.go,
 * pkg/apiserver/schema/cel): they compile, give a boolean, name old values only where these can be told, and
 * do not cost too much. */
#include "cluster/api/validate.h"
#include "cluster/cel/cel.h"

#include <stdio.h>
#include <string.h>

#define MAX_DEPTH   64
#define MAX_REQUEST (3 * 1024 * 1024)
#define RULE_LIMIT  10000000  /* estimated cost of one expression */
#define ALL_LIMIT   100000000 /* of all in a schema */
#define MANY        UINT64_MAX

struct costly {
	char *path;
	uint64_t cost;
};
struct rules {
	struct v *v;
	const struct kt_json *const *faulty;
	uint64_t total;
	struct costly most[5]; /* the most expensive first */
	size_t count;
};
/* Where a schema lies. */
struct place {
	const struct v_path *path;
	const struct v_path *no_old; /* from where on old values are not known, or NULL */
	bool root, bounded;
	uint64_t times; /* that it may occur, if bounded */
	unsigned depth;
};

static uint64_t product(uint64_t a, uint64_t b)
{
	return a != 0 && MANY / a < b ? MANY : a * b;
}

static char *too_much(const char *what, uint64_t cost, uint64_t limit)
{
	double by = (double)cost / (double)limit;
	char factor[64];
	if (by > 100)
		snprintf(factor, sizeof(factor), "more than 100x");
	else
		snprintf(factor, sizeof(factor), by < 1.5 ? "%fx" : "%.1fx", by);
	return kt_strf("%s exceeds budget by factor of %s (try simplifying the rule, or adding maxItems, "
	               "maxProperties, and "
	               "maxLength where arrays, maps, and strings are declared)",
	               what, factor);
}

static void observe(struct rules *r, const struct v_path *path, uint64_t cost)
{
	struct kt_buf text = {0};
	size_t i;
	r->total = r->total > MANY - cost ? MANY : r->total + cost;
	if (cost < ALL_LIMIT / 100)
		return;
	for (i = r->count; i > 0 && r->most[i - 1].cost < cost; i--)
		r->most[i] = r->most[i - 1];
	v_path_print(path, &text);
	r->most[i] = (struct costly){kt_buf_take(&text), cost};
	if (++r->count > 4)
		kt_free(r->most[--r->count].path);
}

/* A rule as the server's own type is printed. */
static void refuse(struct rules *r, const struct v_path *path, const struct kt_json *rule, const char *fmt,
                   const char *detail)
{
	struct kt_json *shown = v_internal(r->v, "ValidationRule", rule);
	char *text = kt_strf("%s%s", fmt, detail);
	v_invalid_steal(r->v, path, shown, "%s", text);
	kt_free(text);
}

struct compiled {
	uint64_t cost;
	bool uses_old;
};

static struct compiled compile(struct rules *r, const struct v_path *path, const struct kt_json *rule,
                               const struct cel_variable *variables, const char *name, enum cel_kind kind)
{
	struct compiled out = {0};
	struct cel_program *program;
	struct kt_buf wrong = {0};
	bool message = strcmp(name, "rule") != 0;
	const struct v_path *at = V_IN(path, name);
	if (!cel_compile(kt_get_text(rule, name), variables, &program, &wrong)) {
		refuse(r, at, rule,
		       message ? "messageExpression compilation failed: " : "compilation failed: ",
		       kt_buf_str(&wrong));
		kt_buf_clear(&wrong);
		return out;
	}
	if (cel_program_type(program)->kind != kind) {
		refuse(r, at, rule,
		       message ? "messageExpression must evaluate to a string"
		               : "cel expression must evaluate to a bool",
		       "");
	} else {
		out.cost = cel_program_cost(program, variables[0].type);
		out.uses_old = cel_program_uses(program, "oldSelf");
	}
	cel_program_free(program);
	return out;
}

static void check_rule(struct rules *r, const struct place *place, const struct kt_json *rule, size_t i,
                       const struct cel_type *self)
{
	struct kt_arena arena = {0};
	const struct v_path *path = V_AT(V_IN(place->path, "x-kubernetes-validations"), i);
	bool optional = kt_get_bool(rule, "optionalOldSelf", false);
	const struct cel_variable variables[] = {
	        {"self", self}, {"oldSelf", optional ? cel_optional_of(&arena, self) : self}, {NULL, NULL}};
	uint64_t times = place->bounded ? place->times : (uint64_t)(MAX_REQUEST / (self->least + 1));
	size_t before = v_count(r->v);
	/* The cost is told first, but known only when it compiles. */
	struct compiled rule_is = compile(r, path, rule, variables, "rule", CEL_BOOL), message_is = {0};
	bool fine = v_count(r->v) == before;
	uint64_t cost = product(rule_is.cost, times);
	if (fine && cost > RULE_LIMIT) {
		char *text = too_much("estimated rule cost", cost, RULE_LIMIT);
		v_forbidden(r->v, V_IN(path, "rule"), "%s", text);
		kt_free(text);
	}
	observe(r, V_IN(path, "rule"), cost);
	if (fine && *kt_get_text(rule, "messageExpression")) {
		before = v_count(r->v);
		message_is = compile(r, path, rule, variables, "messageExpression", CEL_STRING);
		if (v_count(r->v) == before) {
			if (message_is.cost > RULE_LIMIT) {
				char *text = too_much("estimated messageExpression cost", message_is.cost,
				                      RULE_LIMIT);
				v_forbidden(r->v, V_IN(path, "messageExpression"), "%s", text);
				kt_free(text);
			}
			observe(r, V_IN(path, "messageExpression"), message_is.cost);
		}
	}
	if (rule_is.uses_old && place->no_old) {
		struct kt_buf text = {0};
		v_path_print(place->no_old, &text);
		v_invalid(r->v, V_IN(path, "rule"), kt_get(rule, "rule"),
		          "oldSelf cannot be used on the uncorrelatable portion of the schema within %s",
		          kt_buf_str(&text));
		kt_buf_clear(&text);
	} else if (!rule_is.uses_old && kt_get(rule, "optionalOldSelf")) {
		v_invalid(r->v, V_IN(path, "optionalOldSelf"), kt_get(rule, "optionalOldSelf"),
		          "may not be set if oldSelf is not used in rule");
	}
	kt_arena_clear(&arena);
}

/* The place of what lies below, which occurs `limit` times as often; without that, who knows. */
static struct place below(const struct place *place, const struct v_path *path, const struct kt_json *schema,
                          const char *limit)
{
	const struct kt_json *most = limit ? kt_get(schema, limit) : NULL;
	struct place out = {.path = path, .no_old = place->no_old, .depth = place->depth + 1};
	int64_t n = most ? kt_int_or(most, 0) : 1;
	out.bounded = place->bounded && (!limit || most);
	out.times = product(place->times, n < 0 ? 0 : (uint64_t)n);
	return out;
}

static bool is_faulty(const struct rules *r, const struct kt_json *schema)
{
	for (size_t i = 0; r->faulty[i]; i++)
		if (r->faulty[i] == schema)
			return true;
	return false;
}

static void check_schema(struct rules *r, const struct place *place, const struct kt_json *s)
{
	const struct kt_json *properties = kt_get(s, "properties"), *more = kt_get(s, "additionalProperties"),
	                     *items = kt_get(s, "items"), *rules = kt_get(s, "x-kubernetes-validations"),
	                     *rule;
	if (place->depth > MAX_DEPTH)
		return;
	if (kt_is_object(more)) {
		struct place sub =
		        below(place, V_IN(place->path, "additionalProperties"), s, "maxProperties");
		check_schema(r, &sub, more);
	}
	for (size_t i = 0, n = kt_count(properties); i < n; i++) {
		struct place sub = below(place, V_KEY(V_IN(place->path, "properties"), kt_key(properties, i)),
		                         s, kt_is_object(more) ? "maxProperties" : NULL);
		if (kt_streq(kt_get_str(s, "x-kubernetes-map-type"), "atomic") && !sub.no_old)
			sub.no_old = place->path;
		check_schema(r, &sub, kt_at(properties, i));
	}
	if (kt_is_object(items)) {
		struct place sub = below(place, V_IN(place->path, "items"), s, "maxItems");
		if (!kt_streq(kt_get_str(s, "x-kubernetes-list-type"), "map") && !sub.no_old)
			sub.no_old = place->path;
		check_schema(r, &sub, items);
	}
	if (kt_count(rules) == 0 || is_faulty(r, s))
		return;
	struct kt_arena arena = {0};
	bool whole = place->root || kt_get_bool(s, "x-kubernetes-embedded-resource", false);
	const struct cel_type *self = cel_schema_type(&arena, s, whole, "selfType");
	KT_JSON_EACH (rule, rules)
		if (self)
			check_rule(r, place, rule, rule_i, self);
	kt_arena_clear(&arena);
}

void v_crd_rules(struct v *v, const struct v_path *path, const struct kt_json *schema,
                 const struct kt_json *const *faulty)
{
	struct rules r = {.v = v, .faulty = faulty};
	struct place root = {.path = path, .root = true, .bounded = true, .times = 1};
	check_schema(&r, &root, schema);
	if (r.total > ALL_LIMIT) {
		char *text = too_much(
		        "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema",
		        r.total, ALL_LIMIT);
		for (size_t i = 0; i < r.count; i++)
			v_forbidden(v, V_ROOT(r.most[i].path),
			            "contributed to estimated rule cost total exceeding cost limit for "
			            "entire OpenAPIv3 schema");
		v_forbidden(v, path, "%s", text);
		kt_free(text);
	}
	for (size_t i = 0; i < r.count; i++)
		kt_free(r.most[i].path);
}
