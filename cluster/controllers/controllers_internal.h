/* SPDX-License-Identifier: MIT */
/* What the files of this folder share beyond controller.h: kinds, small reads and writes, claiming of
 * dependents, revisions, cron schedules. Not for outside this folder. */
#ifndef CONTROLLERS_INTERNAL_H
#define CONTROLLERS_INTERNAL_H

#include "cluster/controllers/controller.h"

/* name, group, kind: looked up once when the part starts. */
#define CONTROLLER_KINDS(X)                                                                                  \
	X(pod, "", "Pod")                                                                                    \
	X(node, "", "Node")                                                                                  \
	X(service, "", "Service")                                                                            \
	X(endpoints, "", "Endpoints")                                                                        \
	X(ns, "", "Namespace")                                                                               \
	X(config_map, "", "ConfigMap")                                                                       \
	X(event, "", "Event")                                                                                \
	X(secret, "", "Secret")                                                                              \
	X(service_account, "", "ServiceAccount")                                                             \
	X(pvc, "", "PersistentVolumeClaim")                                                                  \
	X(pv, "", "PersistentVolume")                                                                        \
	X(quota, "", "ResourceQuota")                                                                        \
	X(rc, "", "ReplicationController")                                                                   \
	X(deployment, "apps", "Deployment")                                                                  \
	X(replica_set, "apps", "ReplicaSet")                                                                 \
	X(stateful_set, "apps", "StatefulSet")                                                               \
	X(daemon_set, "apps", "DaemonSet")                                                                   \
	X(revision, "apps", "ControllerRevision")                                                            \
	X(job, "batch", "Job")                                                                               \
	X(cron_job, "batch", "CronJob")                                                                      \
	X(hpa, "autoscaling", "HorizontalPodAutoscaler")                                                     \
	X(pdb, "policy", "PodDisruptionBudget")                                                              \
	X(slice, "discovery.k8s.io", "EndpointSlice")                                                        \
	X(lease, "coordination.k8s.io", "Lease")                                                             \
	X(service_cidr, "networking.k8s.io", "ServiceCIDR")                                                  \
	X(storage_class, "storage.k8s.io", "StorageClass")                                                   \
	X(cluster_role, "rbac.authorization.k8s.io", "ClusterRole")                                          \
	X(csr, "certificates.k8s.io", "CertificateSigningRequest")                                           \
	X(crd, "apiextensions.k8s.io", "CustomResourceDefinition")                                           \
	X(api_service, "apiregistration.k8s.io", "APIService")                                               \
	X(flow_schema, "flowcontrol.apiserver.k8s.io", "FlowSchema")                                         \
	X(priority_level, "flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration")                      \
	X(admission_policy, "admissionregistration.k8s.io", "ValidatingAdmissionPolicy")                     \
	X(ingress, "networking.k8s.io", "Ingress")                                                           \
	X(ingress_class, "networking.k8s.io", "IngressClass")                                                \
	X(gateway, "gateway.networking.k8s.io", "Gateway")                                                   \
	X(gateway_class, "gateway.networking.k8s.io", "GatewayClass")                                        \
	X(http_route, "gateway.networking.k8s.io", "HTTPRoute")                                              \
	X(reference_grant, "gateway.networking.k8s.io", "ReferenceGrant")

struct controller_kinds {
#define X(name, group, kind) const struct schema_kind *name;
	CONTROLLER_KINDS(X)
#undef X
};

/* The rows of controllers.c, each defined in the file of its name. */
extern const struct controller controller_deployment, controller_replica_set, controller_replication,
        controller_endpoints, controller_endpoint_slice, controller_slice_mirroring,
        controller_service_account, controller_root_ca, controller_token_secret, controller_csr_signing,
        controller_namespace, controller_garbage, controller_disruption, controller_hpa, controller_node_ipam,
        controller_ttl, controller_node_lifecycle, controller_taint_eviction, controller_pod_gc,
        controller_stateful_set, controller_daemon_set, controller_job, controller_cron_job,
        controller_job_ttl, controller_ephemeral_volume, controller_quota, controller_volume,
        controller_volume_protection, controller_role_aggregation, controller_node_pools,
        controller_load_balancer, controller_ingress, controller_gateway_class, controller_gateway,
        controller_http_route, controller_spot, controller_cost, controller_flow_schema,
        controller_api_service, controller_policy_status, controller_disruption_stale;

/* --- reading --- */
const struct store_object *controller_get(struct cluster *cluster, const struct schema_kind *kind,
                                          const char *key);
bool controller_is(const struct store_object *object, const struct schema_kind *kind);
int64_t controller_generation(const struct store_object *object);
kt_ns controller_created(const struct store_object *object);
kt_ns controller_time_of(const struct kt_json *time); /* 0 if absent */
const char *controller_annotation(const struct kt_json *object, const char *name);
const char *controller_label(const struct kt_json *object, const char *name);
int64_t controller_sum(const struct store_list *list, const char *path);
/* Who owns it by an owner reference with controller: true, if it is of `kind` and still the same object. */
const struct store_object *controller_owner(struct cluster *cluster, const struct schema_kind *kind,
                                            const struct store_object *object);
/* Queue the controlling owner of an event's object (and the former one) in `kind`; orphans queue every object
 * of that kind in the namespace whose spec.selector fits, if `adopts`. */
void controller_add_owner(struct cluster *cluster, struct controller_queue *queue,
                          const struct schema_kind *kind, const struct store_event *event, bool adopts,
                          kt_ns delay);
/* Queue every object of a kind: for start. */
void controller_add_all(struct cluster *cluster, struct controller_queue *queue,
                        const struct schema_kind *kind);

/* --- lists --- */
void controller_list_add(struct store_list *list, const struct store_object *object); /* refs */
void controller_list_drop(struct store_list *list, size_t i);                         /* keeps the order */
void controller_list_sort(struct store_list *list,
                          int (*cmp)(const struct store_object *a, const struct store_object *b));
int controller_by_creation(const struct store_object *a, const struct store_object *b); /* then by name */

/* --- building --- */
struct kt_json *controller_time(kt_ns t); /* metav1.Time as a string value */
void controller_set_annotation(struct kt_json **object, const char *name, const char *value);
void controller_unset_annotation(struct kt_json **object, const char *name);
void controller_set_label(struct kt_json **object, const char *name, const char *value);
/* A condition as the workload controllers set it: same status and reason: nothing; else the old one goes and
 * the new one is put last, with the old transition time if the status is the same. */
bool controller_replace_condition(struct kt_json **conditions, struct kt_json *steal);
const struct kt_json *controller_condition(const struct kt_json *conditions, const char *type);
bool controller_remove_condition(struct kt_json **conditions, const char *type);

/* --- writing --- */
/* Write `status` if it differs. Returns the newest version (borrowed), NULL on failure. */
const struct store_object *controller_write_status(struct cluster *cluster, const struct api_actor *actor,
                                                   const struct store_object *object, struct kt_json *steal);
/* Write a whole changed object (spec, metadata); NULL on failure. */
const struct store_object *controller_write(struct cluster *cluster, const struct api_actor *actor,
                                            const struct store_object *object, struct kt_json *steal);
bool controller_delete(struct cluster *cluster, const struct api_actor *actor,
                       const struct store_object *object, const char *propagation, struct api_status *status);
/* Write spec.replicas, unless it is so already. */
const struct store_object *controller_write_replicas(struct cluster *cluster, const struct api_actor *actor,
                                                     const struct store_object *object, int64_t replicas);

/* --- claiming (controller_ref_manager.go) --- */
/* The objects of `kind` that belong to `owner`: controlled and matching `selector` (others are released), and
 * orphans that match (adopted, unless the owner is being deleted). With `active`, finished and deleted pods
 * are left alone and out. References in *out. */
void controller_claim(struct cluster *cluster, struct controller_queue *queue,
                      const struct store_object *owner, const struct schema_kind *kind,
                      const struct kt_json *selector, bool active, struct store_list *out);
/* Objects without a controller (pods, replica sets), kept by controllers.c: namespace by namespace. */
void controller_orphans(struct cluster *cluster, struct controller_queue *queue,
                        const struct schema_kind *kind, const char *ns, struct store_list *out);

/* --- ControllerRevisions of StatefulSets and DaemonSets (revision.c) --- */
/* The revision of the owner's template: found among `history` (sorted by revision) or made; its number is the
 * highest. NULL if it could not be made. References. `*collisions` is raised when a name is taken. */
const struct store_object *controller_revision_sync(struct cluster *cluster, struct controller_queue *queue,
                                                    const struct store_object *owner,
                                                    struct store_list *history, int64_t *collisions);
void controller_revision_list(struct cluster *cluster, struct controller_queue *queue,
                              const struct store_object *owner, struct store_list *out);
/* Delete the oldest beyond the owner's limit that `live` (names) does not hold. */
void controller_revision_trim(struct cluster *cluster, struct controller_queue *queue,
                              const struct store_object *owner, const struct store_list *history,
                              const struct kt_strs *live);

/* --- cron schedules (cron_schedule.c) --- */
/* The first time after `after` at which a 5-field schedule ("0 4 * * mon-fri", "@hourly", "@every 5m") is
 * due, in a zone ("" or NULL: UTC). False if the schedule or the zone is not understood; *out is 0 if it is
 * never due. */
bool controller_cron_next(const char *schedule, const char *zone, kt_ns after, kt_ns *out);

/* --- proportional scaling (deployment_util.go GetReplicaSetProportion): what a replica set of `size` gets of
 * `to_add`, of which `added` are given out; `before` is the max-replicas annotation --- */
int64_t controller_deployment_share(int64_t size, int64_t replicas, int64_t surge, int64_t before,
                                    int64_t to_add, int64_t added);

/* --- the HPA's arithmetic (replica_calculator.go), apart from where the numbers come from --- */
struct controller_hpa_pod {
	bool ignored;  /* failed or being deleted */
	bool unready;  /* its CPU does not count yet */
	bool measured; /* a metric is there */
	int64_t usage, request;
};
/* Utilization (`target` percent of request) or average value (`target` with `by_value`). False: no metrics
 * for any ready pod. */
bool controller_hpa_replicas(const struct controller_hpa_pod *pods, size_t count, int64_t current,
                             int64_t target, bool by_value, double tolerance_up, double tolerance_down,
                             int64_t *out_replicas, int64_t *out_utilization, int64_t *out_value);

/* --- toleration of NoExecute taints (taint_eviction.go) --- */
/* -1: tolerated for ever; else the seconds until eviction (0: at once). */
int64_t controller_taint_seconds(const struct kt_json *tolerations, const struct kt_json *taints);
/* nodeSelector and required node affinity of a pod's spec, against a node's labels and name. */
bool controller_affinity_fits(const struct kt_json *spec, const struct kt_json *labels, const char *node);
bool controller_tolerates(const struct kt_json *tolerations, const struct kt_json *taint);

#endif
