/* SPDX-License-Identifier: MIT */
/* What the validate_*.c files share: paths that cost nothing until an error needs them, the kinds of error,
 * checks of formats with the server's words, and tables of plain field rules. */
#ifndef API_VALIDATE_H
#define API_VALIDATE_H

#include "cluster/api/rules.h"

/* A field path, kept as a chain on the stack. */
struct v_path {
	const struct v_path *up;
	const char *name; /* ".name", or NULL */
	const char *key;  /* "[key]", or NULL */
	size_t index;     /* "[0]" when neither */
};
#define V_ROOT(name)   (&(const struct v_path){NULL, (name), NULL, 0})
#define V_IN(up, name) (&(const struct v_path){(up), (name), NULL, 0})
#define V_KEY(up, key) (&(const struct v_path){(up), NULL, (key), 0})
#define V_AT(up, i)    (&(const struct v_path){(up), NULL, NULL, (i)})
void v_path_print(const struct v_path *path, struct kt_buf *out);

struct v {
	struct cluster *cluster;
	struct rules_errors *errors;
	const struct schema_kind *asked; /* as the request names it */
	const struct schema_kind *kind;  /* in which it is kept */
	const struct kt_json *object;    /* the whole */
	const struct kt_json *old;       /* on update */
	const struct kt_json *pod;       /* the pod spec whose containers are being checked */
	struct expression_scope *scope;  /* what the expressions of a policy or webhook may name */
};

/* --- errors (k8s.io/apimachinery/pkg/util/validation/field) --- */
void v_invalid(struct v *v, const struct v_path *path, const struct kt_json *value, const char *fmt, ...)
        KT_PRINTF(4, 5);
void v_invalid_str(struct v *v, const struct v_path *path, const char *value, const char *fmt, ...)
        KT_PRINTF(4, 5);
/* `value` is stolen. */
void v_invalid_steal(struct v *v, const struct v_path *path, struct kt_json *value, const char *fmt, ...)
        KT_PRINTF(4, 5);
/* Invalid, without showing the value. */
void v_invalid_bare(struct v *v, const struct v_path *path, const char *detail);
/* One that others have put together, as in a Status. */
void v_add_cause(struct v *v, const struct kt_json *cause);
void v_required(struct v *v, const struct v_path *path, const char *detail /* "" none */);
void v_duplicate(struct v *v, const struct v_path *path, const struct kt_json *value);
void v_duplicate_because(struct v *v, const struct v_path *path, const struct kt_json *value,
                         const char *detail);
void v_forbidden(struct v *v, const struct v_path *path, const char *fmt, ...) KT_PRINTF(3, 4);
void v_not_found(struct v *v, const struct v_path *path, const struct kt_json *value);
void v_not_found_because(struct v *v, const struct v_path *path, const struct kt_json *value,
                         const char *detail);
/* `values` is NULL-terminated, in the order in which the server lists them. */
void v_unsupported(struct v *v, const struct v_path *path, const struct kt_json *value,
                   const char *const *values);
void v_too_long(struct v *v, const struct v_path *path, size_t max);
void v_too_many(struct v *v, const struct v_path *path, size_t is, size_t max);
void v_warn(struct v *v, const struct v_path *path, const char *fmt, ...) KT_PRINTF(3, 4);
size_t v_count(const struct v *v);
/* What an object that is valid is warned of (warnings.c). */
void v_warnings(struct v *v);

/* --- formats: each appends what is wrong with `s` to `out`; none: it is fine --- */
typedef void v_format(const char *s, struct kt_strs *out);
v_format v_dns_label, v_dns_subdomain, v_dns_1035, v_qualified_name, v_label_value, v_config_key, v_port_name,
        v_env_name, v_path_segment, v_percent, v_cron, v_fully_qualified, v_wildcard_dns, v_annotation_key,
        v_ip, v_http_header, v_dns_label_trailing, v_dns_subdomain_trailing, v_dns_1035_trailing, v_time_zone,
        v_cidr, v_subnet, v_c_identifier, v_dns_subdomain_underscore, v_sysctl, v_endpoint_ip;
/* Whether the CIDR `inner` is a part of `outer`, and not all of it; both are valid. */
bool v_is_within(const char *outer, const char *inner);
/* Check a string and report each fault as invalid. */
bool v_check(struct v *v, const struct v_path *path, const char *s, v_format *format);

/* --- plain field rules, in the order of the rows --- */
enum v_rule_kind {
	V_REQUIRED,    /* a string that is not empty */
	V_FORMAT,      /* `format`, if there and not empty */
	V_NEEDED,      /* REQUIRED, then FORMAT */
	V_MIN,         /* at least `lo`: "must be greater than or equal to 0" */
	V_POSITIVE,    /* "must be greater than 0" */
	V_RANGE,       /* lo…hi inclusive */
	V_ENUM,        /* one of `values`; if there */
	V_ENUM_NEEDED, /* one of `values`; required if empty */
	V_CALL,        /* fn, also when absent */
	V_OBJECT,      /* fn, if there */
	V_EACH,        /* fn for each item of a list */
	V_IMMUTABLE,   /* on update: "field is immutable" */
	V_FIXED /* IMMUTABLE, whole value Forbidden-free: as IMMUTABLE but an absent old value may be set */
};
typedef void v_fn(struct v *v, const struct v_path *path, const struct kt_json *value);
struct v_rule {
	const char *field;
	enum v_rule_kind kind;
	int64_t lo, hi;
	v_format *format;
	const char *const *values;
	v_fn *fn;
};
void v_rules(struct v *v, const struct v_path *path, const struct kt_json *object, const struct v_rule *rules,
             size_t count);
#define V_RULES(v, path, object, rules) v_rules((v), (path), (object), (rules), KT_COUNT(rules))
/* The immutable rows, against the old object's value. */
void v_immutable(struct v *v, const struct v_path *path, const struct kt_json *now,
                 const struct kt_json *old);
#define V_WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* --- pieces that many kinds have --- */
void v_domain_path(struct v *v, const struct v_path *path, const char *s);
void v_metadata(struct v *v, bool namespaced, v_format *name, v_format *prefix);
void v_metadata_update(struct v *v);
void v_labels(struct v *v, const struct v_path *path, const struct kt_json *labels);
void v_annotations(struct v *v, const struct v_path *path, const struct kt_json *annotations);
/* metav1.LabelSelector. */
void v_label_selector(struct v *v, const struct v_path *path, const struct kt_json *selector);
bool v_selector_is_empty(const struct kt_json *selector);
bool v_selector_valid(const struct kt_json *selector);
void v_pod_spec(struct v *v, const struct v_path *path, const struct kt_json *spec);
void v_pod_spec_of(struct v *v, const struct v_path *path, const struct kt_json *spec,
                   const struct kt_json *meta);
/* `old` NULL on create. */
void v_pod_annotations(struct v *v, const struct v_path *path, const struct kt_json *now,
                       const struct kt_json *old);
void v_pod_template(struct v *v, const struct v_path *path, const struct kt_json *template);
void v_pod_update(struct v *v, const char *subresource);
void v_tolerations(struct v *v, const struct v_path *path, const struct kt_json *list);
void v_node_selector_term(struct v *v, const struct v_path *path, const struct kt_json *term);
void v_claim_spec(struct v *v, const struct v_path *path, const struct kt_json *spec);
void v_volumes(struct v *v, const struct v_path *path, const struct kt_json *volumes,
               const struct kt_json *meta);
const char *v_volume_source_field(const char *name);
/* A source that pods and PersistentVolumes have alike. */
void v_volume_source(struct v *v, const struct v_path *path, const char *name, const struct kt_json *s);
void v_ephemeral_containers(struct v *v, const struct v_path *path, const struct kt_json *spec);
void v_containers(struct v *v, const struct v_path *path, const struct kt_json *spec,
                  const struct kt_json *meta);
void v_host_path(struct v *v, const struct v_path *path, const struct kt_json *source);
void v_class_parameters(struct v *v, const struct v_path *path, const struct kt_json *map);
void v_csi_driver_name(struct v *v, const struct v_path *path, const char *name);
void v_resources(struct v *v, const struct v_path *path, const struct kt_json *resources);
void v_pod_claims(struct v *v, const struct v_path *path, const struct kt_json *claims);
/* Of the pod as a whole: `path` its resources, `spec` all of it. */
void v_pod_resources(struct v *v, const struct v_path *path, const struct kt_json *spec);
void v_security_context(struct v *v, const struct v_path *path, const struct kt_json *context);
/* Of the pod itself, `path` its securityContext; hostUsers, and what another system lacks, at `path` the
 * spec. */
void v_pod_security_context(struct v *v, const struct v_path *path, const struct kt_json *spec);
void v_host_users(struct v *v, const struct v_path *path, const struct kt_json *spec);
void v_host_process(struct v *v, const struct v_path *path, const struct kt_json *spec);
void v_windows_options(struct v *v, const struct v_path *path, const struct kt_json *options);
void v_pod_os(struct v *v, const struct v_path *path, const struct kt_json *spec);
void v_env(struct v *v, const struct v_path *path, const struct kt_json *vars);
void v_env_from(struct v *v, const struct v_path *path, const struct kt_json *list);
/* ObjectFieldSelector and ResourceFieldSelector, as variables and downward volumes have them. */
void v_field_ref(struct v *v, const struct v_path *path, const struct kt_json *ref,
                 const char *const *supported);
void v_resource_ref(struct v *v, const struct v_path *path, const struct kt_json *ref, bool of_volume);
/* A path below something: not absolute, no "..". */
void v_descending_path(struct v *v, const struct v_path *path, const char *s);
void v_job_spec(struct v *v, const struct v_path *path, const struct kt_json *spec, bool in_cron_job);
bool v_standard_resource(const char *name); /* helper.IsStandardResourceName */
bool v_resource_name(const char *name, struct kt_strs *out);
/* A resource that containers may have. */
void v_container_resource(struct v *v, const struct v_path *path, const char *name);
void v_int_or_percent(struct v *v, const struct v_path *path, const struct kt_json *value);
bool v_is_percent(const struct kt_json *value, int64_t *out); /* "25%" */
bool v_is_zero(const struct kt_json *value);                  /* 0 or "0%" */
/* `of_status`: only its status is written, and looked at. */
void v_custom_resource(struct v *v, bool of_status);
/* What may stand in the status of a built-in kind. */
void v_status(struct v *v);
void v_service(struct v *v);
void v_service_update(struct v *v);
void v_service_addresses(struct v *v);
void v_quantity_min(struct v *v, const struct v_path *path, const struct kt_json *value);

/* A value as Go's encoding/json prints the server's internal type of it (names in capitals, nothing left
 * out). New. */
struct kt_json *v_internal(struct v *v, const char *type, const struct kt_json *value);
/* A unified diff of two values, printed with one space of indent, as in "pod updates may not change fields
 * other than". */
void v_diff(const struct kt_json *was, const struct kt_json *is, struct kt_buf *out);

/* One row a kind. */
struct v_kind {
	const char *group, *kind;
	v_format *name, *prefix; /* of metadata.name and generateName; NULL: subdomain */
	void (*create)(struct v *v);
	void (*update)(struct v *v); /* after metadata; NULL: create's checks and nothing more */
	void (*part)(struct v *v, const char *subresource); /* of an update of status, approval… */
	const char *const *immutable; /* paths that never change, checked after create's rules */
};
const struct v_kind *v_kind_of(const struct schema_kind *kind);
extern const struct v_kind v_kinds_pods[], v_kinds_batch[], v_kinds_core[], v_kinds_apps[], v_kinds_net[],
        v_kinds_storage[], v_kinds_policy[], v_kinds_rbac[], v_kinds_crd[], v_kinds_admission[],
        v_kinds_flow[], v_kinds_csi[], v_kinds_csr[], v_kinds_device[];
/* Rules in CEL of a schema that is structural: whether they compile, and what they may cost
 * (validate_crd_rules.c). `faulty`: nodes with a fault in them or below, at which rules are not looked at;
 * NULL-terminated. */
void v_crd_rules(struct v *v, const struct v_path *path, const struct kt_json *schema,
                 const struct kt_json *const *faulty);
void v_signer_name(struct v *v, const struct v_path *path, const char *name);
/* A schema of a custom kind: all of it; whether it is structural and its defaults fit. */
void v_crd_schema(struct v *v, const struct v_path *path, const struct kt_json *schema, bool has_status);
bool v_crd_structure(struct v *v, const struct v_path *path, const struct kt_json *schema);
/* Follow ".spec.a['b']" (the latter if `keys`) through a schema: NULL and *out (may be NULL), or why not,
 * new. */
char *v_schema_path(const struct kt_json *schema, const char *path, bool keys, const struct kt_json **out);
/* {url} or {service} of a webhook (apiserver pkg/util/webhook/validation.go). */
/* The versions of a review that a webhook takes; `none`: what is said of an empty list. */
void v_review_versions(struct v *v, const struct v_path *path, const struct kt_json *list, const char *none);
void v_webhook_client(struct v *v, const struct v_path *path, const struct kt_json *client);
/* Ports and protocols of whatever has an address (validate_net.c). */
void v_port_range(struct v *v, const struct v_path *path, int64_t port);
void v_port_or_name(struct v *v, const struct v_path *path, const struct kt_json *port);
extern const char *const v_protocols[]; /* as messages list them; NULL-terminated */

#endif
