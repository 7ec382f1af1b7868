/* SPDX-License-Identifier: MIT */
/* schema: every kind as a row, every field as a row, and what is derived from them. The rows come from
 * kinds.tsv, fields.tsv and columns.tsv in this folder (facts of Kubernetes 1.34, see tools/schema-gen), plus
 * those that CustomResourceDefinitions add while a cluster runs. Knows objects as JSON values; no store, no
 * HTTP. */
#ifndef SCHEMA_H
#define SCHEMA_H

#include "base/base.h"

enum schema_shape { SCHEMA_ONE, SCHEMA_LIST, SCHEMA_MAP };
enum schema_scalar {
	SCHEMA_MESSAGE = 0, /* has fields */
	SCHEMA_STRING,
	SCHEMA_BOOL,
	SCHEMA_INT32,
	SCHEMA_INT64,
	SCHEMA_DOUBLE,
	SCHEMA_BYTES, /* bytes: base64 in JSON */
	SCHEMA_QUANTITY,
	SCHEMA_TIME,
	SCHEMA_MICROTIME,
	SCHEMA_DURATION,
	SCHEMA_INT_OR_STRING,
	SCHEMA_RAW,
	SCHEMA_FIELDS_V1,
	SCHEMA_ANY,
	SCHEMA_STRINGS, /* a list of strings as the value of a map (ExtraValue) */
};
enum schema_list_type {
	SCHEMA_ATOMIC,
	SCHEMA_SET,
	SCHEMA_KEYED,
	SCHEMA_GRANULAR
}; /* server-side apply; a list is atomic, set or keyed, a map or struct atomic or granular (the field's mark
      wins over its type's) */

struct schema_type {
	const char *name; /* "core.v1.PodSpec" */
	enum schema_scalar scalar;
	const struct schema_field
	        *fields; /* in the order in which the real server prints them (its Go structs') */
	size_t field_count;
	const uint16_t *sorted; /* indexes of `fields` in order of name; NULL: not sorted */
	unsigned id;            /* of a built-in type, from 1; 0 for those of a CustomResourceDefinition */
	bool atomic;            /* a struct that server-side apply treats as one value */
	bool open;              /* takes what it does not declare (x-kubernetes-preserve-unknown-fields) */
	const char *text;       /* one sentence, or NULL */
};
struct schema_field {
	const char *name;
	const struct schema_type *type; /* of the field, or of the items */
	enum schema_shape shape;
	const char *proto; /* "4", or "2.1" = field 1 of the inlined message 2; "" none */
	const char
	        *go; /* the Go type, as decoding errors name it ("int32", "[]v1.Container"); NULL unknown */
	bool required;
	bool pointer;              /* a Go pointer: an explicit zero is kept; else it is as if not given */
	bool keep;                 /* printed even when unset ("source": {}, "firstTimestamp": null) */
	const char *deflt;         /* default in the published schema, JSON text; NULL none */
	const char *const *values; /* NULL-terminated enum, or NULL */
	bool values_open;
	enum schema_list_type list_type;
	const char *const *list_keys;                       /* NULL-terminated; for SCHEMA_KEYED */
	bool patch_merge, patch_replace_keys, patch_retain; /* strategic merge: merge, retainKeys */
	const char *patch_key;                              /* merge key or NULL */
	const char *text; /* one sentence for `kubectl explain`, ours; NULL none */
};

enum schema_verb {
	SCHEMA_CREATE = 1,
	SCHEMA_DELETE = 2,
	SCHEMA_DELETECOLLECTION = 4,
	SCHEMA_GET = 8,
	SCHEMA_LIST_VERB = 16,
	SCHEMA_PATCH = 32,
	SCHEMA_UPDATE = 64,
	SCHEMA_WATCH = 128,
};
struct schema_subresource {
	const char *name;                   /* "status", "scale", "log"… */
	const char *group, *version, *kind; /* of its body */
	unsigned verbs;
};
struct schema_column {
	const char *name, *type, *format;
	int priority;
	const char *text;
	const char *path; /* JSONPath, for custom resources; NULL: the printer knows */
};
struct schema_kind {
	const char *group, *version, *kind, *list_kind; /* group "" is core */
	const char *resource, *singular;
	const char *api_version; /* "v1", "apps/v1" */
	bool namespaced;
	unsigned verbs;
	const char *const *short_names; /* NULL-terminated */
	const char *const *categories;
	const struct schema_subresource *subresources;
	size_t subresource_count;
	const struct schema_column *columns;
	size_t column_count;
	const struct schema_type *type;
	/* The kind in which objects are kept, when this one is another version of it (autoscaling/v1 HPA,
	 * events.k8s.io Event); else itself. Conversions: schema_convert. */
	const struct schema_kind *storage;
	bool unstored;             /* never stored: reviews, bindings, evictions, metrics */
	const struct kt_json *crd; /* its CustomResourceDefinition, for custom kinds: borrowed */
	unsigned index;            /* small and unique in this schema: for tables by kind */
	const void *printer;       /* private to the table printer */
};

/* One schema a cluster, since CRDs differ. */
struct schema *schema_new(void);
void schema_free(struct schema *schema);
size_t schema_kind_count(const struct schema *schema);
const struct schema_kind *schema_kind_at(const struct schema *schema, size_t i);
const struct schema_kind *schema_by_resource(const struct schema *schema, const char *group,
                                             const char *version, const char *resource);
const struct schema_kind *schema_by_kind(const struct schema *schema, const char *group, const char *version,
                                         const char *kind);
/* By "v1" or "apps/v1". */
const struct schema_kind *schema_by_api_version(const struct schema *schema, const char *api_version,
                                                const char *kind);
/* Stored kind of a core, apps… resource at its preferred version: schema_stored(s, "apps", "Deployment"). A
 * bug if absent. */
const struct schema_kind *schema_stored(const struct schema *schema, const char *group, const char *kind);
const struct schema_type *schema_type_named(const struct schema *schema, const char *name);
/* The type of `kind` at "v1" or "apps/v1", also when no resource has it (Scale, DeleteOptions of any group);
 * NULL if unknown. */
const struct schema_type *schema_type_for(const struct schema *schema, const char *api_version,
                                          const char *kind);
/* The default that the published schema gives: strings that Go always prints have one too. JSON text, NULL
 * none. */
const char *schema_field_default(const struct schema_field *field);
const struct schema_field *schema_field_named(const struct schema_type *type, const char *name);
const struct schema_subresource *schema_subresource_named(const struct schema_kind *kind, const char *name);
/* Custom kinds come and go (all versions of one CRD). */
KT_MUST_CHECK enum kt_code schema_add_crd(struct schema *schema, const struct kt_json *crd,
                                          struct kt_err *err);
void schema_remove_crd(struct schema *schema, const char *crd_name);
uint64_t schema_generation(
        const struct schema *schema); /* changes with every CRD: for caches of discovery and OpenAPI */

/* --- decoding --- */
struct schema_problems {
	struct kt_strs unknown;   /* `unknown field "spec.foo"`, as the real strict decoder words them */
	struct kt_strs duplicate; /* `duplicate field "spec.replicas"` */
	bool wraps; /* given: an int32 takes the lower half of what is wider, as Go converts it */
};
void schema_problems_clear(struct schema_problems *problems);
/* `raw` (parsed JSON) as an object of `kind`: fields in schema order, unknown fields and nulls dropped and
 * noted, numbers and strings checked against their types, quantities canonical, times normal. A type mismatch
 * fails with the words of the real decoder
 * (`json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`). */
KT_MUST_CHECK enum kt_code schema_decode(const struct schema *schema, const struct schema_kind *kind,
                                         const struct kt_json *raw, struct kt_json **out,
                                         struct schema_problems *problems, struct kt_err *err);
/* The same for a type that is no kind of its own: the bodies of subresources and options
 * (autoscaling.v1.Scale, policy.v1.Eviction, meta.v1.DeleteOptions; see schema_type_for). `problems` may be
 * NULL. */
KT_MUST_CHECK enum kt_code schema_decode_type(const struct schema_type *type, const struct kt_json *raw,
                                              struct kt_json **out, struct schema_problems *problems,
                                              struct kt_err *err);
/* The body of application/vnd.kubernetes.protobuf ("k8s\0" + runtime.Unknown) as JSON, with the apiVersion
 * and kind that it says it is. Go zero values that JSON would omit are omitted. */
KT_MUST_CHECK enum kt_code schema_decode_proto(const struct schema *schema, const void *data, size_t len,
                                               struct kt_json **out, struct kt_err *err);
/* Fill in what the real server defaults (not only the published ones: probes, strategies, imagePullPolicy by
 * tag, …). Idempotent. */
void schema_default(const struct schema *schema, const struct schema_kind *kind, struct kt_json **object);
/* The same for one that was made of `settled`, which has its defaults: what is the same value in both is not
 * looked at. */
void schema_default_since(const struct schema *schema, const struct schema_kind *kind,
                          const struct kt_json *settled, struct kt_json **object);
/* A custom object against its structural schema (after decoding and defaulting): causes as in metav1.Status,
 * [{reason: "FieldValueInvalid", message: "Invalid value: 12: spec.heads in body should be …", field:
 * "spec.heads"}]; NULL if it is valid (or of no custom kind). New. Rules in CEL are not evaluated. `old`: of
 * an update; what is the same there is not looked at; NULL: all is new. `member`: only that one
 * ("status") is looked at; NULL: all of it. */
struct kt_json *schema_validate_crd_object(const struct schema_kind *kind, const struct kt_json *object,
                                           const struct kt_json *old, const char *member);
/* Of a list that is told apart by keys, the item of `old` that `item` was; else NULL. */
const struct kt_json *schema_old_item(const struct kt_json *schema, const struct kt_json *old,
                                      const struct kt_json *item);
/* The same for any value against any such schema, fields relative to it ("<nil>": itself). */
struct kt_json *schema_validate_value(const struct kt_json *schema, const struct kt_json *value);
/* What the schema does not know is left out. New. */
struct kt_json *schema_structural_prune(const struct kt_json *schema, const struct kt_json *value);
/* Whether a Go regular expression can be read; else `err` says why in Go's words. */
bool schema_pattern_parses(const char *pattern, struct kt_err *err);
/* A Go regular expression, as far as POSIX can say it; one that cannot be read matches all. */
bool schema_pattern_matches(const char *pattern, const char *text);
/* Where the first of what fits lies: bytes. */
bool schema_pattern_find(const char *pattern, const char *text, size_t *begin, size_t *end);
/* Where objects of that kind hold a pod's spec ("spec" of Pod, "spec.template.spec" of what makes pods), to
 * be given to kt_path(); NULL: such a kind holds none. */
const char *schema_pod_spec_path(const char *group, const char *kind);
/* "requests" or "limits" of all containers of a pod spec together, by resource. New. */
struct kt_json *schema_pod_sum(const struct kt_json *spec, const char *member);
/* Whether a resource can be asked for by a pod as a whole. */
bool schema_pod_level(const char *resource);
/* One version as another of the same storage kind. */
struct kt_json *schema_convert(const struct kt_json *object, const struct schema_kind *from,
                               const struct schema_kind *to);

/* --- telling --- */
/* GET /api and /apis, aggregated ("v2" or "v2beta1") or plain (NULL); /api/v1, /apis/GROUP,
 * /apis/GROUP/VERSION. NULL if no such. */
struct kt_json *schema_discovery_root(const struct schema *schema, bool legacy, const char *aggregated);
struct kt_json *schema_discovery_group(const struct schema *schema, const char *group);
struct kt_json *schema_discovery_version(const struct schema *schema, const char *group, const char *version);
/* GET /openapi/v3 (paths with hashes) and /openapi/v3/PATH ("api/v1", "apis/apps/v1"): JSON text, made once a
 * generation; borrowed. */
const struct kt_buf *schema_openapi_index(struct schema *schema);
const struct kt_buf *schema_openapi(struct schema *schema, const char *path, char out_hash[65]);

/* GET /openapi/v2 as protobuf, appended to `out`: definitions only, for old clients and `explain
 * --output=plaintext-openapiv2`. */
void schema_openapi_v2(const struct schema *schema, struct kt_buf *out);

/* --- tables --- */
/* The cells of one object, as the real printer prints them, at time `now`. `related` answers questions that a
 * printer asks of other objects (none in the real server; NULL). New array, one cell a column of
 * kind->columns. */
struct kt_json *schema_cells(const struct schema_kind *kind, const struct kt_json *object, kt_ns now);
/* meta.k8s.io/v1 columnDefinitions of the kind (with descriptions). New. */
struct kt_json *schema_column_definitions(const struct schema_kind *kind);

#endif
