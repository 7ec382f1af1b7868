/* SPDX-License-Identifier: MIT */
/* What the files of api/ share. */
#ifndef API_INTERNAL_H
#define API_INTERNAL_H

#include "cluster/api/api.h"
#include "cluster/api/patch.h"
#include "cluster/api/rules.h"
#include "cluster/api/selector.h"
#include "cluster/api/state.h"

/* --- one HTTP request --- */
enum api_as { API_AS_OBJECT, API_AS_TABLE, API_AS_PARTIAL, API_AS_PARTIAL_LIST };
struct api_request {
	struct cluster *cluster;
	const struct cluster_request *http;
	struct cluster_response *response;
	struct api_status status;
	struct api_user user;
	struct kt_strs query_names, query_values;
	struct kt_strs segments; /* of the path, decoded, without empty ones */
	size_t gap;              /* the segment before which there is an empty one; 0 none */
	char *path;              /* decoded */
	const char *verb;        /* get, list, watch, create… */
	const char *group, *version, *resource, *ns, *name,
	        *subresource; /* "" where none; borrowed from segments */
	const struct schema_kind *kind;
	const struct schema_subresource *sub;
	enum api_as as;
	const char *as_version; /* of meta.k8s.io: "v1", "v1beta1" */
	bool yaml, pretty, watch;
	struct kt_strs warnings;
};

const char *api_query(const struct api_request *request, const char *name); /* NULL if absent */
bool api_query_bool(const struct api_request *request, const char *name);
const char *api_header(const struct cluster_request *http, const char *name);

/* --- answering (respond.c) --- */
void api_respond_status(struct api_request *request);
void api_respond_text(struct api_request *request, int code, const char *type, const char *text);
/* A value as it is (discovery, raw answers). `indent`: two spaces, as WriteRawJSON. */
void api_respond_json(struct api_request *request, int code, const struct kt_json *value, bool indent);
/* An object of request->kind (storage version), as object, Table or PartialObjectMetadata. */
void api_respond_object(struct api_request *request, int code, const struct kt_json *object);
/* {kind, apiVersion, metadata} of lists, then the items one by one. */
struct api_list_head {
	uint64_t version;
	const char *continue_token; /* NULL none */
	int64_t remaining;          /* -1 none */
};
void api_respond_list(struct api_request *request, const struct api_list_head *head,
                      const struct store_object *const *items, size_t count);
/* One watched object into `out`, as the request wants it. `first`: the first Table of a watch has its
 * columns. */
struct api_rendering {
	const struct schema_kind *kind;
	enum api_as as;
	const char *as_version;
	const char *include_object; /* "None", "Metadata", "Object" */
	kt_ns now, offset;
	bool first;
};
void api_render(const struct api_rendering *rendering, const struct kt_json *object, struct kt_buf *out);
bool api_negotiate(struct api_request *request); /* Accept; 406 */
/* Storage version to request version, times shifted for the wire. New. */
struct kt_json *api_outward(const struct schema_kind *kind, const struct kt_json *object, kt_ns offset);
struct kt_json *api_shift_times(const struct schema_type *type, const struct kt_json *value, kt_ns by);

/* --- writing (write.c): the path of every create and update, from HTTP or from inside --- */
struct api_write {
	struct cluster *cluster;
	const struct schema_kind *kind; /* of the request; objects are of kind->storage from here on */
	const char *ns, *name;          /* of the URL; name NULL on create */
	const char *subresource;        /* "" none */
	const struct api_user *user;
	const struct api_actor *actor; /* inner: manager and cause; NULL over HTTP */
	const char *manager;
	bool trusted; /* inner: no validation but names */
	bool dry_run;
	bool patched; /* by PATCH: other words for a changed uid */
	bool owned;   /* managedFields are made already, by its Scale */
	bool applied; /* managedFields are made already (server-side apply) */
	struct kt_strs *warnings;
	struct api_status *status;
};
/* `steal` is decoded, of the storage kind. On success *out is the stored (or dry-run) object, new reference.
 */
bool api_write_create(struct api_write *write, struct kt_json *steal, struct kt_json **out);
/* `old` is the version read for this update. `*deleted` (may be NULL): the last finalizer went, and the
 * object. */
bool api_write_update(struct api_write *write, const struct store_object *old, struct kt_json *steal,
                      struct kt_json **out);
const struct store_object *api_find(struct api_write *write); /* NULL and 404 */
struct store_cause api_cause(const struct api_write *write);
void api_write_from_actor(struct api_write *write, struct api_user *user, struct cluster *cluster,
                          const struct api_actor *actor, const struct schema_kind *kind,
                          struct api_status *status);

/* --- deleting (delete.c) --- */
struct api_deletion {
	const char *propagation; /* NULL: default */
	int64_t grace;           /* -1 */
	const char *uid, *version_text;
	bool orphan_set, orphan; /* orphanDependents */
};
/* *out: the object that remains, or the last version; *gone: it is removed. */
bool api_write_delete(struct api_write *write, const struct store_object *object,
                      const struct api_deletion *deletion, struct kt_json **out, bool *gone);

/* --- kinds (kinds.c): what differs by kind, a row each --- */
struct api_traits {
	const char *group, *kind;
	unsigned flags;
};
enum {
	API_GENERATION = 1,             /* metadata.generation counts changes beside metadata and status */
	API_GENERATION_ANNOTATIONS = 2, /* … and of annotations */
	API_RETURNS_DELETED = 4,        /* DELETE answers with the object, not a Status */
	API_NEEDS_VERSION = 8,          /* no unconditional update */
	API_KEEPS_STATUS = 16,          /* status may be sent on create and update (no reset) */
	API_CREATES_WITH_STATUS = 1024, /* … on create alone: its PrepareForCreate resets nothing */
	API_STATUS_KEEPS_METADATA =
	        32,                  /* status updates change nothing else; for others spec alone is safe */
	API_UNMANAGED = 64,          /* Kubernetes 1.34 keeps no managedFields of it */
	API_KEEPS_SPEC = 128,        /* what an update says of the spec is not heard */
	API_CREATES_ON_UPDATE = 512, /* PUT makes what is not there (AllowCreateOnUpdate) */
	API_STATUS_KEEPS_LABELS = 256,
	API_GENERATION_LABELS = 2048, /* … and of labels */
	API_GENERATION_STAYS = 4096,  /* it is 1 for ever */
};
/* Whether who sent an update may also create; if not, the status says so. */
bool api_may_create(struct api_request *request);
unsigned api_traits_of(const struct schema_kind *kind);
bool api_has_status(const struct schema_kind *kind);
/* What the real strategies do before a create: spec and status members that the server itself sets. */
/* Unset what belongs to features that are off. `old` may be NULL: what is the same value as there stays. */
void api_drop_disabled(const struct schema_kind *kind, const struct kt_json *old, struct kt_json **object);
void api_prepare_owned(struct api_write *write, const struct kt_json *old /* NULL: create */,
                       struct kt_json **object);
void api_reset_status(const struct schema_kind *kind, struct kt_json **object);
bool api_prepare_create(struct api_write *write, struct kt_json **object);
void api_prepare_update(struct api_write *write, const struct kt_json *old, struct kt_json **object);

/* --- services (service.c) --- */
bool api_service_create(struct api_write *write, struct kt_json **object);
bool api_service_update(struct api_write *write, const struct kt_json *old, struct kt_json **object);
/* After a write: `old` NULL: it is new; `service` NULL: it went. */
void api_service_settle(struct cluster *cluster, const struct kt_json *old, const struct kt_json *service);
void api_service_observe(struct api_state *state, const struct store_event *event);
void api_service_reset(struct api_state *state);
void api_crd_observe(struct api_state *state, const struct store_event *event);

/* --- reading (read.c, watch.c) --- */
void api_get(struct api_request *request);
void api_list(struct api_request *request);
void api_watch_start(struct api_request *request);
void api_watch_forget_all(struct api_state *state); /* the cluster ends */
void api_watch_observe(struct api_state *state, const struct store_event *event);
/* Selectors, name and namespace of a list or watch. False with status. */
struct api_filter {
	struct api_labels labels;
	struct api_fields fields;
	const char *name; /* one object, from the path or metadata.name=…; NULL any */
};
bool api_filter_init(struct api_filter *filter, struct api_request *request);
bool api_filter_matches(const struct api_filter *filter, const struct schema_kind *kind,
                        const struct kt_json *object);
void api_filter_clear(struct api_filter *filter);
bool api_invalid_options(struct api_request *request, const char *cause, const char *field, const char *fmt,
                         ...) KT_PRINTF(4, 5);
/* resourceVersionMatch and sendInitialEvents of a list or a watch: all faults at once. */
bool api_list_options_fit(struct api_request *request, bool watch);
bool api_parse_int(struct api_request *request, const char *text, int64_t *out); /* 400 */
bool api_parse_version(struct api_request *request, const char *text, uint64_t *out);
/* metrics.k8s.io */
void api_metrics_get(struct api_request *request);
void api_metrics_list(struct api_request *request);

/* --- verbs over HTTP (verbs.c) and subresources (subresources.c) --- */
void api_create_request(struct api_request *request);
void api_update_request(struct api_request *request);
void api_patch_request(struct api_request *request);
void api_delete_request(struct api_request *request);
void api_delete_collection_request(struct api_request *request);
struct api_subresource {
	const char *kind, *name; /* kind "" any */
	void (*get)(struct api_request *request);
	void (*create)(struct api_request *request);
	void (*update)(struct api_request *request);
	void (*patch)(struct api_request *request);
};
const struct api_subresource *api_subresource_of(const struct schema_kind *kind, const char *name);
void api_write_from_request(struct api_write *write, struct api_request *request);
/* The body: JSON, YAML or protobuf, as parsed JSON (new); 415, 400. */
bool api_body(struct api_request *request, struct kt_json **out);
/* The body as an object of `kind`, in its storage version. New. */
bool api_body_object(struct api_request *request, const struct schema_kind *kind, struct kt_json **out);
/* The body as `kind`: strict as fieldValidation asks. New. */
bool api_decode(struct api_request *request, const struct schema_kind *kind, struct kt_json *steal,
                struct kt_json **out);
/* --- what create, update and patch share (verbs.c); each fails with the real server's Status --- */
void api_media_type(struct api_request *request, char out[96]); /* of the body, "" if it does not say */
bool api_body_too_big(struct api_request *request);
char *api_yaml_fault(const char *text); /* what kt_yaml_parse told, in Go's words; new */
bool api_undecodable(struct api_request *request, const struct kt_json *raw, const struct schema_kind *kind,
                     const char *why);
/* True if unknown or repeated fields do not matter, or only for a warning. */
bool api_tolerate(struct api_request *request, const struct kt_json *raw, const struct schema_kind *kind,
                  const struct schema_problems *problems);
/* "duplicate field …" for each of the paths that kt_json_parse found twice; `before` stands before them. */
void api_add_duplicates(const char *paths, const char *before, struct schema_problems *problems);
char *api_strict_fault(const struct schema_problems *problems); /* "strict decoding error: …", new */
/* Why what says that it is `said` of `version` is not of `kind`; NULL: it is. New. */
char *api_kind_fault(struct api_request *request, const struct schema_kind *kind, const char *version,
                     const char *said);
/* What a body says that does not tell what it is; NULL: it may. New. */
char *api_type_fault(const struct kt_json *raw);
bool api_options_fit(struct api_request *request, const char *options);
bool api_name_fits(struct api_request *request, const struct kt_json *object);
/* PATCH with the request's body applied to `target` (of `kind`, request version); SSA where asked. `old`
 * NULL: apply may create. */
bool api_patch_value(struct api_request *request, const struct schema_kind *kind,
                     const struct kt_json *target, bool *out_applied, struct kt_json **out);
struct kt_json *api_scale_of(struct api_request *request, const struct store_object *object);

/* --- streams --- */
struct api_stream_ops {
	enum cluster_stream_kind kind;
	enum cluster_stream_state (*read)(struct cluster_stream *stream, unsigned *channel,
	                                  struct kt_buf *out);
	void (*write)(struct cluster_stream *stream, unsigned channel, const void *data, size_t len);
	void (*eof)(struct cluster_stream *stream, unsigned channel);
	unsigned (*open)(struct cluster_stream *stream, unsigned port);
	void (*free)(struct cluster_stream *stream);
};
struct cluster_stream {
	const struct api_stream_ops *ops;
	void (*notify)(void *arg);
	void *notify_arg;
};
void api_stream_wake(struct cluster_stream *stream);
void api_log_request(struct api_request *request);
void api_exec_request(struct api_request *request);
void api_attach_request(struct api_request *request);
void api_portforward_request(struct api_request *request);
void api_proxy_request(struct api_request *request); /* nodes/, pods/, services/proxy: any verb */

/* --- the rest --- */
bool api_nonresource(struct api_request *request); /* /version, /healthz, discovery…; false: no such path */
void api_event_sweep(struct api_state *state);
void api_events_reset(struct api_state *state);
const char *api_qos_class(const struct kt_json *spec); /* of a pod */
char *api_time(kt_ns t);                               /* metav1.Time, owned */
/* metadata with these members in the real order; new */
extern const char *const api_metadata_order[];
void api_order_metadata(struct kt_json **object);
bool api_bind_pod(struct api_write *write, const struct store_object *pod, const char *node);
bool api_evict_pod(struct api_write *write, const struct store_object *pod,
                   const struct api_deletion *deletion);

/* CoreDNS and what it needs (bootstrap_dns.c). */
void api_bootstrap_dns(struct cluster *cluster);
void api_bootstrap_system(struct cluster *cluster);
void api_bootstrap_accounts(struct cluster *cluster);

#endif
