/* SPDX-License-Identifier: MIT */
/* CEL, the Common Expression Language, as Kubernetes 1.34 speaks it: parsed, checked against declared types
 * (with the words of cel-go for what is wrong), its cost estimated before it is allowed, evaluated on JSON
 * values.
 *
 *     types (from a schema, or those below) -> cel_env -> cel_compile() -> cel_program -> cel_run()
 *
 * The language: github.com/google/cel-spec; the libraries that Kubernetes adds: apiserver pkg/cel/library,
 * those of an expression that is new in 1.34 (environment/base.go at compatibility 1.33). Knows nothing of
 * requests or stores. */
#ifndef CEL_CEL_H
#define CEL_CEL_H

#include "base/base.h"

/* --- types --- */

enum cel_kind {
	CEL_ERROR, /* of what could not be checked; of a value: what went wrong */
	CEL_DYN,
	CEL_NULL,
	CEL_BOOL,
	CEL_INT,
	CEL_UINT,
	CEL_DOUBLE,
	CEL_STRING,
	CEL_BYTES,
	CEL_DURATION,
	CEL_TIMESTAMP,
	CEL_LIST,   /* args[0]: the items */
	CEL_MAP,    /* args[0]: the keys, args[1]: the values */
	CEL_TYPE,   /* args[0], if known */
	CEL_STRUCT, /* named, with fields */
	CEL_OPAQUE, /* named, with arguments: optional_type(x), net.IP */
	CEL_PARAM,  /* a variable of an overload's signature */
};
struct cel_type {
	enum cel_kind kind;
	const char *name; /* of a struct, an opaque type, a parameter; of a dyn that has one: what may be
	                     anything */
	const struct cel_type *args[2];
	const struct cel_field *fields; /* of a struct */
	size_t field_count;
	bool opened;   /* a struct whose fields are all that it has; else it is one of CEL's own. A map whose
	                * values are known by it, by whatever name they are asked for */
	uint64_t most; /* items, members or characters that a value may have */
	int64_t least; /* bytes that the smallest value takes as JSON */
	unsigned number; /* of a parameter */
	/* A struct whose fields are looked up when they are asked for (types that contain themselves). */
	const struct cel_type *(*find)(void *arg, const void *of, const char *name);
	void *arg;
	const void *of;
};
struct cel_field {
	const char *name; /* as CEL writes it */
	const char *key;  /* as JSON does */
	const struct cel_type *type;
};
extern const struct cel_type cel_dyn, cel_bool, cel_int, cel_double, cel_string, cel_bytes, cel_authorizer;
/* What they are made of lives in `arena`, as what they are given must. */
const struct cel_type *cel_list_of(struct kt_arena *arena, const struct cel_type *item);
const struct cel_type *cel_map_of(struct kt_arena *arena, const struct cel_type *key,
                                  const struct cel_type *value);
const struct cel_type *cel_optional_of(struct kt_arena *arena, const struct cel_type *value);
/* As it is, with all that it is made of but the fields of structs. */
const struct cel_type *cel_type_copy(struct kt_arena *arena, const struct cel_type *type);
/* A field of a struct, or NULL. */
const struct cel_type *cel_field_type(const struct cel_type *type, const char *name);
void cel_type_print(const struct cel_type *type, struct kt_buf *out); /* "map(string, dyn)" */
/* By the names that types have at run time: "google.protobuf.Duration", "null_type". */
void cel_type_print_names(const struct cel_type *type, struct kt_buf *out);
/* The type of what an OpenAPI v3 schema describes, as apiserver pkg/cel/common SchemaDeclType makes it;
 * `root`: the object has kind, apiVersion and metadata whatever the schema says. NULL where rules cannot see
 * it. `name` goes before the names of its structs. */
const struct cel_type *cel_schema_type(struct kt_arena *arena, const struct kt_json *schema, bool root,
                                       const char *name);
/* How CEL writes a property's name ("__if__", "a__dot__b"); false where it cannot. */
bool cel_escape(const char *key, struct kt_buf *out);

/* --- compiling --- */

struct cel_variable {
	const char *name;
	const struct cel_type *type;
};
struct cel_program;
/* Compile `text` where `variables` are declared (up to one without a name). False, and what is wrong with it,
 * a line or three for each fault ("ERROR: <input>:1:6: undefined field 'x'\n | self.x\n | ....^"), added to
 * `wrong`. */
KT_MUST_CHECK bool cel_compile(const char *text, const struct cel_variable *variables,
                               struct cel_program **out, struct kt_buf *wrong);
void cel_program_free(struct cel_program *program); /* NULL is fine */
const struct cel_type *cel_program_type(const struct cel_program *program);
bool cel_program_uses(const struct cel_program *program, const char *variable);
/* The most it may cost by the sizes that its variables' types allow (cel-go checker/cost.go, apiserver
 * pkg/cel/library/cost.go). `root`: the type that paths begin at. */
uint64_t cel_program_cost(const struct cel_program *program, const struct cel_type *root);

/* --- running --- */

#define CEL_CALL_LIMIT 1000000 /* cost of one run (apiserver pkg/apis/cel PerCallLimit) */

/* A review that an expression asks for with `authorizer`. */
struct cel_review {
	const char *group, *resource, *subresource, *ns, *name, *verb, *path, *service_account,
	        *service_account_ns;
};
struct cel_world {
	const struct kt_json *values;         /* the variables, as JSON */
	const struct cel_variable *variables; /* as they were declared */
	/* May be NULL: nobody may do anything. */
	bool (*allowed)(void *arg, const struct cel_review *review);
	void *arg;
};
/* Evaluate. *out is new. KT_EINVAL: "no such key: x", "index out of bounds: 3", "no such overload", …;
 * KT_ELIMIT: it cost more than CEL_CALL_LIMIT. */
KT_MUST_CHECK enum kt_code cel_run(const struct cel_program *program, const struct cel_world *world,
                                   struct kt_json **out, struct kt_err *err);

#endif
