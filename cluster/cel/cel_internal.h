/* SPDX-License-Identifier: MIT */
/* What the files of cel share: nodes, overloads, values. */
#ifndef CEL_INTERNAL_H
#define CEL_INTERNAL_H

#include "cluster/cel/cel.h"

#define CEL_MAX_TEXT  100000 /* characters of an expression */
#define CEL_MAX_DEPTH 200    /* of its nodes below each other */
#define CEL_ACCU      "@result"
#define CEL_NOWHERE   UINT32_MAX /* a fault of the whole expression */

/* --- values --- */

struct cel_value;
struct cel_items {
	size_t count, cap;
	struct cel_value *items;
};
/* A value lives in the run's arena, or is part of the JSON that it was given. */
struct cel_value {
	enum cel_kind kind;
	union {
		bool b;
		int64_t i; /* also a duration or a timestamp, in nanoseconds */
		uint64_t u;
		double d;
		struct {
			const char *s;
			size_t len;
		};
		struct {
			struct cel_items *list; /* of a map: keys and values by turns; NULL: as JSON */
			size_t count;           /* of the list's items, those that are this value's */
		};
		const struct cel_type *type;
		const struct cel_value *inner; /* an optional value; NULL: none */
		const struct cel_opaque *opaque;
	};
	const struct kt_json *json; /* lists, maps and structs out of JSON */
	const struct cel_type *as;  /* what it was declared as; NULL: unknown */
};
/* Values of Kubernetes' libraries. */
struct cel_opaque {
	enum {
		CEL_QUANTITY,
		CEL_IP,
		CEL_CIDR,
		CEL_URL,
		CEL_SEMVER,
		CEL_FORMAT,
		CEL_AUTHORIZER,
		CEL_DECISION
	} what;
	const char *text;
	unsigned char address[16];
	unsigned family, bits; /* 4 or 6 */
	int64_t numbers[3];    /* of a version */
	const char *rest;      /* of a version: what follows a - */
	struct kt_quantity quantity;
	struct cel_review review;
	bool allowed;
};

struct cel_run {
	const struct cel_world *world;
	struct kt_arena arena;
	struct cel_scope *scope;
	const char *function; /* that is called */
	uint64_t cost;
	unsigned depth;
	bool over;
};
typedef struct cel_value cel_function(struct cel_run *run, const struct cel_value *args, size_t count);

struct cel_value cel_fault(struct cel_run *run, const char *fmt, ...) KT_PRINTF(2, 3);
struct cel_value cel_no_overload(struct cel_run *run);
struct cel_value cel_of_bool(bool b);
struct cel_value cel_of_int(int64_t i);
struct cel_value cel_of_text(struct cel_run *run, const char *s, size_t len); /* copied */
struct cel_value cel_of_json(struct cel_run *run, const struct kt_json *json, const struct cel_type *as);
struct cel_value cel_of_list(struct cel_run *run, size_t count); /* items zeroed: nulls to be filled */
struct cel_value cel_of_optional(struct cel_run *run, const struct cel_value *value); /* NULL: none */
size_t cel_count(const struct cel_value *value); /* items of a list, members of a map */
struct cel_value cel_item(struct cel_run *run, const struct cel_value *list, size_t i);
struct cel_value cel_key(struct cel_run *run, const struct cel_value *map, size_t i);
struct cel_value cel_member(struct cel_run *run, const struct cel_value *map, size_t i);
bool cel_find(struct cel_run *run, const struct cel_value *map, const struct cel_value *key,
              struct cel_value *out);
bool cel_same(struct cel_run *run, const struct cel_value *a, const struct cel_value *b);
/* -1, 0, 1; false where they are not to be compared. */
bool cel_order(const struct cel_value *a, const struct cel_value *b, int *out);
struct cel_value cel_append(struct cel_run *run, const struct cel_value *list, const struct cel_value *more);
const struct cel_type *cel_type_of(const struct cel_value *value);
struct kt_json *cel_to_json(struct cel_run *run, const struct cel_value *value);
int64_t cel_characters(const char *s, size_t len);

/* --- overloads --- */

/* How much a call costs, and how large its result is (cost.c has the rules). */
enum cel_cost {
	CEL_COST_ONE,
	CEL_COST_SCAN,     /* a traversal of the first argument or the target */
	CEL_COST_SCAN_ARG, /* of the argument */
	CEL_COST_SCAN_TWICE,
	CEL_COST_KEEP, /* a traversal of the target; the result is as long */
	CEL_COST_KEEP_ARG,
	CEL_COST_REPLACE,
	CEL_COST_SPLIT,
	CEL_COST_JOIN,
	CEL_COST_FIND,
	CEL_COST_MATCHES,
	CEL_COST_CONTAINS,
	CEL_COST_ELEMENTS, /* each item, and its text */
	CEL_COST_LOGIC,
	CEL_COST_CHOICE,
	CEL_COST_ADD, /* of texts or lists */
	CEL_COST_COMPARE,
	CEL_COST_IN,
	CEL_COST_ITEM,
	CEL_COST_VALUE,
	CEL_COST_TO_BYTES,
	CEL_COST_TO_STRING,
	CEL_COST_CHECK, /* of an authorizer */
	CEL_COST_SELECTOR,
	CEL_COST_ADDRESS,
	CEL_COST_RANGE,
	CEL_COST_VALIDATE,
	CEL_COST_QUOTE,
};
struct cel_overload {
	const char *function;
	const char *signature; /* "string.(string)bool" for a method, "(A,A)bool" */
	cel_function *call;
	enum cel_cost cost;
};
/* The overloads of a function: the first of them, and how many; NULL if there is none. */
const struct cel_overload *cel_overloads(const char *function, size_t *count);

/* --- nodes --- */

enum cel_node_kind {
	CEL_LITERAL,
	CEL_IDENT,
	CEL_SELECT,
	CEL_CALL,
	CEL_NEW_LIST,
	CEL_NEW_MAP,
	CEL_NEW_STRUCT,
	CEL_FOLD,
	CEL_BROKEN
};
enum cel_fold_arg { CEL_RANGE, CEL_INIT, CEL_WHILE, CEL_STEP, CEL_RESULT, CEL_FOLD_ARGS };
#define CEL_MAX_OVERLOADS 24
struct cel_node {
	enum cel_node_kind kind;
	uint32_t at;            /* where it begins, as faults are told: byte of the text */
	const char *name;       /* identifier, field, function, struct; of a fold: its variable */
	const char *name2;      /* of a fold: its second variable, or NULL */
	bool test;              /* of a select: has() */
	bool method;            /* of a call: args[0] is what it is called on */
	struct cel_node **args; /* of a map: keys and values by turns; of a select: the operand; of a fold:
	                           see cel_fold_arg */
	size_t count;
	bool *optional; /* by item or member: "?x" */
	struct cel_value literal;
	const struct cel_type *type; /* once checked */
	const struct cel_overload *overloads[CEL_MAX_OVERLOADS];
	size_t overload_count;
	bool variable; /* of a select: "a.b" is declared as a variable */
};
struct cel_faults {
	struct kt_arena *arena;
	const char *text;
	struct cel_fault {
		size_t line, column;
		const char *message;
		struct cel_fault *next;
	} * first;
	size_t count;
};
void cel_faults_add(struct cel_faults *faults, uint32_t at, const char *fmt, ...) KT_PRINTF(3, 4);
void cel_faults_print(const struct cel_faults *faults, struct kt_buf *out);

struct cel_program {
	struct kt_arena arena;
	const char *text;
	struct cel_node *root;
};

/* parse.c */
struct cel_node *cel_parse(struct kt_arena *arena, const char *text, struct cel_faults *faults);
/* macros.c: the macro's expansion, or NULL where it is none. */
struct cel_node *cel_expand(struct kt_arena *arena, struct cel_faults *faults, struct cel_node *call);
struct cel_node *cel_node_new(struct kt_arena *arena, enum cel_node_kind kind, uint32_t at, const char *name,
                              size_t count);
/* check.c */
void cel_check(struct kt_arena *arena, struct cel_node *root, const struct cel_variable *variables,
               struct cel_faults *faults);
/* types.c */
const struct cel_type *cel_type_parse(struct kt_arena *arena, const char **at, unsigned first_param);
const char *cel_kind_name(enum cel_kind kind); /* at run time: "null_type"; NULL: each type has its own */
const struct cel_type *cel_named_type(const char *name); /* int, google.protobuf.Timestamp, net.IP, …; NULL */
bool cel_type_is(const struct cel_type *a, const struct cel_type *b);
bool cel_is_optional(const struct cel_type *type);

#endif
