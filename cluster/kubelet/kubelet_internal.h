/* SPDX-License-Identifier: MIT */
/* The inside of the kubelets: nodes, pods and containers as they are on the machines, apart from what the
 * API server has been told. A pod has one timer; kubelet_pod_sync() looks at everything that may be due and
 * sets it again. */
#ifndef KUBELET_INTERNAL_H
#define KUBELET_INTERNAL_H

/* The hash tables end the program when memory is out, as kt_alloc does. */
#define uthash_malloc(size)  kt_alloc(size)
#define uthash_free(p, size) kt_free(p)
#include <uthash.h>

#include "cluster/api/api.h"
#include "cluster/kubelet/kubelet.h"
#include "cluster/network/network.h"

/* How long things take on a machine (kind clusters on a laptop, measured by hand; real ones differ more). */
#define KUBELET_SEE     (15 * KT_MS)  /* from the binding to the first sync */
#define KUBELET_VOLUMES (120 * KT_MS) /* the volume manager's loop */
#define KUBELET_SANDBOX (230 * KT_MS) /* pause container, network */
#define KUBELET_CREATE  (50 * KT_MS)
#define KUBELET_START   (60 * KT_MS)
#define KUBELET_ADDRESS (250 * KT_MS) /* of a pod, from the runtime: usual servers listen by then */
#define KUBELET_PLEG    KT_SEC        /* relisting of the containers: how late an exit is noticed */
#define KUBELET_RECONCILE                                                                                    \
	(10 * KT_SEC) /* until a status that somebody else changed is written again (status manager's        \
	                 syncPeriod) */
#define KUBELET_REMOUNT (200 * KT_MS) /* from a change of the pod to its volumes' */
#define KUBELET_HEED    (5 * KT_MS)   /* from a change of the pod, such as its deletion, to the sync */
/* From the last container's end to the final delete. At the short end of what is seen: whoever deletes a pod
 * whose programs heed SIGTERM, and then asks with the next kubectl, does not find it any more. */
#define KUBELET_REMOVE        (20 * KT_MS)
#define KUBELET_LEASE         (10 * KT_SEC)
#define KUBELET_NODE_STATUS   (5 * KT_MIN_NS)
#define KUBELET_BOOT          (4 * KT_SEC) /* from power to a kubelet that answers */
#define KUBELET_BACKOFF_FIRST (10 * KT_SEC)
#define KUBELET_BACKOFF_LAST  (300 * KT_SEC)
#define KUBELET_REFRESH       (60 * KT_SEC) /* of ConfigMaps and Secrets in volumes */
#define KUBELET_NEVER         INT64_MAX

#define KUBELET_LOG_BYTES ((size_t)256 * 1024) /* kept of one container */

struct kubelet_image {
	char *name;     /* full */
	kt_ns ready_at; /* a pull under way ends then */
	bool loaded;    /* came with the node, not from a registry */
	UT_hash_handle hh;
};

/* A tree that outlives pods: a PV or a hostPath. */
struct kubelet_disk {
	char *key; /* "pv NAME" or "host NODE PATH" */
	struct volume *volume;
	UT_hash_handle hh;
};

struct kubelet_node {
	struct kubelet *kubelet;
	char *name, *user, *address;
	struct kt_json *host_ips; /* [{ip: address}]; NULL until asked for */
	bool up, registered;      /* the machine has power; its kubelet has told its status */
	bool listed;              /* there is a Node object */
	kt_ns pleg_phase, pull_free_at, up_at;
	struct kubelet_image *images;
	struct kubelet_pod *pods; /* list */
	size_t pod_count;         /* that are not over */
	int64_t cpu_milli, memory;
	uint64_t timer;
	kt_ns status_at; /* next report */
	kt_ns pressure_until;
	bool memory_pressure; /* as told */
	bool images_changed;
	UT_hash_handle hh;
};

enum kubelet_role { KUBELET_INIT, KUBELET_SIDECAR, KUBELET_MAIN, KUBELET_EPHEMERAL };
enum kubelet_state {
	KUBELET_WAITING,  /* not started, or between two runs */
	KUBELET_PULLING,  /* until op_at */
	KUBELET_CREATING, /* until op_at */
	KUBELET_STARTING, /* until op_at; then the postStart hook */
	KUBELET_RUNNING,
	KUBELET_EXITED, /* over, not noticed yet */
	KUBELET_ENDED,  /* over and noticed */
};
struct kubelet_ended {
	kt_ns started_at, finished_at;
	int code;
	const char *reason; /* static */
	char *message;
	uint64_t id;
};
struct kubelet_log;
struct kubelet_probe;
struct kubelet_exec;

/* A container's worker. */
struct kubelet_ctr {
	struct container pub;
	struct kubelet_pod *pod;
	struct kubelet_ctr *next;
	struct kt_json *spec; /* referenced */
	enum kubelet_role role;
	enum kubelet_state state;
	bool ready, started, seen; /* seen: the status has told that it runs */
	bool stopping, term_sent, oom, started_once, loaded_image;
	bool vanished;           /* evicted: the runtime had removed it before its end was told */
	const char *wait_reason; /* static; NULL: ContainerCreating or PodInitializing */
	char *wait_message;
	kt_ns op_at, retry_at;
	kt_ns loop_at; /* the sync that finds the back-off and tells CrashLoopBackOff; 0: none is due */
	kt_ns started_at, kill_at, stop_grace;
	kt_ns backoff, backoff_used; /* crash loop; when it was used last */
	kt_ns pull_backoff;
	kt_ns pull_began, pull_waited;
	int restarts;
	unsigned execs; /* probes and hooks whose program could not be started */
	uint64_t id;
	struct kubelet_ended end;   /* of state EXITED, ENDED */
	struct kubelet_ended *last; /* the run before */
	struct process *process;    /* pub.main, also while its end is being told */
	struct kubelet_probe *probes;
	struct kubelet_exec *hook; /* postStart or preStop */
	struct kubelet_log *log, *previous;
};

enum kubelet_stage { KUBELET_SEEING, KUBELET_MOUNTING, KUBELET_SANDBOXING, KUBELET_GOING, KUBELET_OVER };
struct kubelet_mount {
	const char *name; /* borrowed from the pod's spec */
	const struct kt_json *spec;
	struct volume *volume;
	bool put_off; /* a token that nobody has looked at yet */
};
struct kubelet_pod {
	struct kubelet_node *node;
	struct kubelet_pod *prev, *next; /* of the node */
	const struct store_object *object;
	struct kt_json *words[3]; /* those of the first version, which live as long as this */
	struct kt_json *spec;     /* referenced */
	const char *ns, *name, *uid;
	struct kt_json *labels;
	char *full_name; /* with its domain, if that is its host name; else NULL */
	char ip[46];
	struct kubelet_ctr *ctrs, *busy;
	struct kubelet_mount *mounts;
	size_t mount_count;
	enum kubelet_stage stage;
	bool orphaned;        /* deleted while its containers ran */
	bool storage_bounded; /* of its spec: kubelet_storage_bounded */
	bool initialized, dirty, writing, deleting, sandbox, gone, held, restored,
	        lost,      /* its sandbox, with the machine's power */
	        disrupted; /* for the node's sake: the condition DisruptionTarget says so */
	const char
	        *fail_reason; /* static: the pod is Failed for this (DeadlineExceeded, Evicted, OutOfcpu) */
	char *fail_message;
	const char *resize_reason; /* static; NULL: it has what it asks for */
	char *resize_message;
	kt_ns resize_at; /* a deferred one is tried again */
	bool resizing;   /* it has new resources, and it was not told yet that all containers do */
	kt_ns stage_at, pleg_at, retry_at, retry_delay, mount_began, started_at, delete_by, remove_at,
	        refresh_at;
	kt_ns wake;
	uint64_t timer;
	int64_t cpu_milli, memory; /* counted on the node */
	UT_hash_handle hh;
};

struct kubelet {
	struct cluster *cluster;
	const struct schema_kind *pods, *nodes, *leases, *config_maps, *secrets, *services, *claims, *disks,
	        *namespaces;
	struct kubelet_node *node_table;
	struct kubelet_pod *pod_table;
	struct kubelet_disk *disk_table;
	uint64_t lease_timer;
	struct kubelet_service_env *service_env;
	uint64_t env_generation;        /* raised by changes of Services */
	struct kt_json *words, *second; /* shared by many statuses: words; the time of the second at hand */
	kt_ns second_at;
	struct kubelet_told {
		const char *type, *reason; /* static: their addresses stand for them */
		bool is;
		int64_t generation;
		struct kt_json *since, *row; /* NULL: free */
	} told[256];                         /* what statuses have in common, by all of it but the row */
	struct kt_json *lists[16];           /* of conditions: the last different ones */
	size_t next_list;                    /* the place in lists of the next, modulo their count */
	struct kt_json *full_images;         /* {reference: full name} */
	struct kt_json *root_user;           /* of a container's status; NULL until asked for */
	struct kt_json *image_ids[2];        /* {full name: id}; of images that were loaded into nodes */
	struct kubelet_shared {
		char *key;
		void *value;
		void (*done)(void *value);
	} * shared;
	size_t shared_count, shared_cap;
	bool running;                /* started: new nodes boot, old ones were there */
	struct kubelet_ctr *zombies; /* containers that are gone, but for programs that people run in them */
};

struct kubelet *kubelet_of(struct cluster *cluster);
struct api_actor kubelet_actor(const struct kubelet_pod *pod);
/* Events about a pod: the kubelet of its node is the source. `field` NULL or a container. */
void kubelet_event(struct kubelet_pod *pod, const struct kubelet_ctr *ctr, bool warning, const char *reason,
                   const char *fmt, ...) KT_PRINTF(5, 6);

/* --- node.c --- */
/* A Node that came or went: whether a machine stands behind it. To be told before the two below. */
void kubelet_node_note(struct kubelet *kubelet, const struct store_event *event);
void kubelet_node_seen(struct kubelet *kubelet, const struct store_object *node);
void kubelet_node_lost(struct kubelet *kubelet, const struct store_object *node);
struct kubelet_node *kubelet_node_find(struct kubelet *kubelet, const char *name);
void kubelet_node_free(struct kubelet *kubelet, struct kubelet_node *node);
void kubelet_leases_start(struct kubelet *kubelet);
void kubelet_node_report(struct kubelet_node *node);
/* The next relisting of the node's containers after `now`. */
kt_ns kubelet_pleg(const struct kubelet_node *node, kt_ns now);

/* --- sysctl.c --- */
/* Why a pod with this spec may not run, in the kubelet's words (owned); NULL: it may. */
char *kubelet_sysctl_refusal(const struct kt_json *spec);

/* --- restore.c --- */
/* After a restart of the simulation: go on from what the status says. */
void kubelet_pod_restore(struct kubelet_pod *pod);
/* The machine had no power: everything that ran is over, exit code 255. */
void kubelet_pod_power_lost(struct kubelet_pod *pod);
void kubelet_pod_power_back(struct kubelet_pod *pod);

/* --- worker.c --- */
struct kubelet_pod *kubelet_pod_new(struct kubelet_node *node, const struct store_object *object);
void kubelet_pod_changed(struct kubelet_pod *pod, const struct store_object *object);
void kubelet_pod_free(struct kubelet *kubelet, struct kubelet_pod *pod);
/* Its object was deleted; the pod is not valid afterwards. */
void kubelet_pod_gone(struct kubelet_pod *pod);
void kubelet_pod_sync(struct kubelet_pod *pod);
void kubelet_pod_wake(struct kubelet_pod *pod, kt_ns when);
/* A sync that failed is tried again after 10 to 15 seconds (pod_workers.go, completeWork). */
kt_ns kubelet_next_sync(const struct kubelet_pod *pod, kt_ns now);
void kubelet_pod_fail(struct kubelet_pod *pod, const char *reason, const char *message);
struct kubelet_ctr *kubelet_ctr_find(struct kubelet_pod *pod, const char *name);
bool kubelet_restarts(const struct kubelet_ctr *ctr); /* by the restart policy, after its end */

/* --- container.c --- */
struct kubelet_ctr *kubelet_ctr_new(struct kubelet_pod *pod, const struct kt_json *spec,
                                    enum kubelet_role role);
void kubelet_ctr_free(struct kubelet_ctr *ctr);
void kubelet_zombies_sweep(struct kubelet *kubelet, bool all);
/* Tell that it waits for its back-off to pass: what a sync finds in which it may not start yet. */
void kubelet_ctr_tell_loop(struct kubelet_ctr *ctr);
/* Begin to start it: image, configuration. False when that cannot be (wait_reason, retry_at are set). */
bool kubelet_ctr_begin(struct kubelet_ctr *ctr, kt_ns now);
/* Go on with what was begun; true when it is finished, well or not. */
bool kubelet_ctr_step(struct kubelet_ctr *ctr, kt_ns now);
/* Start the process. False and an EXITED state if there is no such program. */
bool kubelet_ctr_run(struct kubelet_ctr *ctr, kt_ns now, bool quiet);
/* End it: preStop, SIGTERM, after `grace` SIGKILL. */
void kubelet_ctr_stop(struct kubelet_ctr *ctr, kt_ns now, kt_ns grace, const char *message);
void kubelet_ctr_stop_step(struct kubelet_ctr *ctr, kt_ns now);
void kubelet_ctr_noticed(struct kubelet_ctr *ctr, kt_ns now);
void kubelet_ctr_wait(struct kubelet_ctr *ctr, const char *reason, char *message);
void kubelet_ctr_drop(struct kubelet_ctr *ctr); /* its processes vanish, nobody is told */
/* After a restart of the simulation: the process is there again, nobody notices. */
bool kubelet_ctr_resume(struct kubelet_ctr *ctr, kt_ns now);
void kubelet_ctr_again(struct kubelet_ctr *ctr); /* its end becomes lastState; it will start anew */
bool kubelet_ctr_alive(const struct kubelet_ctr *ctr);
void kubelet_ended_clear(struct kubelet_ended *end);
void kubelet_id_text(uint64_t id, char out[65]); /* containerd's 64 hex digits */

/* --- pull.c --- */
/* The full name of an image; reckoned once an image. Borrowed, until the next call. */
const char *kubelet_image_full(struct kubelet *kubelet, const char *reference);
enum kubelet_pull { KUBELET_PRESENT, KUBELET_PULL, KUBELET_REFUSED };
enum kubelet_pull kubelet_pull_begin(struct kubelet_ctr *ctr, kt_ns now);
void kubelet_pull_done(struct kubelet_ctr *ctr, kt_ns now);
bool kubelet_image_has(struct kubelet_node *node, const char *full, bool *loaded);
void kubelet_image_preload(struct kubelet_node *node);
void kubelet_image_present(struct kubelet_node *node, const char *reference);
struct kt_json *kubelet_image_list(struct kubelet_node *node);
bool kubelet_image_loaded(struct kubelet_ctr *ctr);

/* --- env.c --- */
/* {NAME: value}, or NULL and *why. */
struct kt_json *kubelet_env(struct kubelet_ctr *ctr, char **why);
char *kubelet_expand(const char *text, const struct kt_json *env); /* $(VAR); owned */
/* The value of a fieldRef; owned; NULL and *why. */
char *kubelet_field(struct kubelet_pod *pod, const char *path, char **why);
char *kubelet_resource_field(struct kubelet_pod *pod, const struct kt_json *ref,
                             const struct kubelet_ctr *self, char **why);
void kubelet_env_free(struct kubelet *kubelet);

/* --- volumes.c --- */
/* All volumes of the pod; false and *why (the FailedMount text). */
bool kubelet_volumes_setup(struct kubelet_pod *pod, char **why);
void kubelet_volumes_clear(struct kubelet_pod *pod);
void kubelet_volumes_refresh(struct kubelet_pod *pod);
/* Tell that a resize is over, once it is. */
void kubelet_resize_tell(struct kubelet_pod *pod);
/* The spec to go by (owned): as the API has it, but for resources that the node cannot give. */
struct kt_json *kubelet_heeded_spec(struct kubelet_pod *pod, kt_ns now);
/* Has it a volume that shows the pod's own labels or annotations? */
bool kubelet_volumes_tell_of_pod(const struct kubelet_pod *pod);
bool kubelet_volumes_uses(const struct kubelet_pod *pod, bool secret, const char *name);
/* The files of a container with its mounts; false and *why. */
bool kubelet_volumes_mount(struct kubelet_ctr *ctr, char **why);
void kubelet_disks_free(struct kubelet *kubelet);
void kubelet_disk_drop(struct kubelet *kubelet, const char *key);
void kubelet_memories_keep(struct kubelet *kubelet);  /* and what programs hold in memory (process_memory) */
void kubelet_disks_keep(struct kubelet *kubelet);     /* remember what is written on PVs */
void kubelet_tokens_project(struct kubelet_pod *pod); /* those that were put off */

/* --- pressure.c --- */
/* Some limit on what is written to the node's disk. */
bool kubelet_storage_bounded(const struct kt_json *spec);
void kubelet_pressure_check(struct kubelet_node *node, kt_ns now);

/* --- status.c --- */
/* Was a pod with this reason not let in at all? Of such a pod nothing is told but that. */
bool kubelet_is_rejection(const char *reason);
struct kt_json *kubelet_status(struct kubelet_pod *pod, kt_ns now);
void kubelet_status_write(struct kubelet_pod *pod, kt_ns now);
const char *kubelet_phase(struct kubelet_pod *pod);

/* --- probe.c --- */
void kubelet_probes_start(struct kubelet_ctr *ctr, kt_ns now);
void kubelet_probes_stop(struct kubelet_ctr *ctr);

/* --- exec.c: a program, a request or a pause inside a container: for probes and hooks --- */
/* REFUSED: an HTTP status that tells of a failure; to a hook any answer is as good as another. */
enum kubelet_answer { KUBELET_SUCCESS, KUBELET_FAILURE, KUBELET_ERROR, KUBELET_BAD_STATUS };
typedef void kubelet_exec_fn(void *arg, enum kubelet_answer answer, const char *text);
/* `action` is a Probe or LifecycleHandler ({exec}, {httpGet}, {tcpSocket}, {grpc}, {sleep}). fn is called
 * once, never before this returns; then the exec is over and must be freed. */
struct kubelet_exec *kubelet_exec_new(struct kubelet_ctr *ctr, const struct kt_json *action, kt_ns timeout,
                                      kubelet_exec_fn *fn, void *arg);
void kubelet_exec_free(struct kubelet_exec *exec);
/* Probes over the network have their answer at once, if they answer within the timeout: true and *text
 * (owned). */
bool kubelet_exec_instant(struct kubelet_ctr *ctr, const struct kt_json *action, kt_ns timeout,
                          enum kubelet_answer *answer, kt_ns *took, char **text);

/* --- log.c --- */
struct kubelet_log *kubelet_log_new(void);
void kubelet_log_free(struct kubelet_log *log);
void kubelet_log_add(struct kubelet_log *log, kt_ns now, int fd, const void *data, size_t len);
size_t kubelet_log_size(const struct kubelet_log *log); /* bytes ever written */
char *kubelet_log_tail(const struct kubelet_log *log, size_t bytes, size_t lines);

#endif
