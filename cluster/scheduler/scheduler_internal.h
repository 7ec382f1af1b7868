/* SPDX-License-Identifier: MIT */
/* The inside of the scheduler. The cache keeps what a cycle reads (nodes with their sums, tallies of pods by
 * selector) up to date with every change of the store, so that a cycle allocates nothing per node. */
#ifndef SCHEDULER_INTERNAL_H
#define SCHEDULER_INTERNAL_H

/* The hash tables end the program when memory is out, as kt_alloc does. */
#define uthash_malloc(size)  kt_alloc(size)
#define uthash_free(p, size) kt_free(p)
#include <uthash.h>

#include "cluster/scheduler/scheduler.h"

#define SCHED_MAX_SCORE      100
#define SCHED_EXTENDED       8  /* extended resources of one pod or node that are counted */
#define SCHED_TERMS          16 /* affinity terms or spread constraints of one pod that are heeded */
#define SCHED_REASONS        4  /* of one node */
#define SCHED_CYCLE          (2 * KT_MS)
#define SCHED_LATENCY        (4 * KT_MS)
#define SCHED_BACKOFF_FIRST  KT_SEC
#define SCHED_BACKOFF_LAST   (10 * KT_SEC)
#define SCHED_FLUSH          (5 * KT_MIN_NS) /* an unschedulable pod is tried again at the latest */
#define SCHED_BIND_TIMEOUT   (600 * KT_SEC)  /* for volumes */
#define SCHED_DEFAULT_CPU    100             /* milli, of a container without a request, for scoring */
#define SCHED_DEFAULT_MEMORY ((int64_t)200 * 1024 * 1024)

struct sched_extended {
	const char *name; /* interned in the scheduler */
	int64_t amount, used;
};

/* A topology key: which domain each node is in. */
struct sched_topo {
	char *key;
	bool hostname;   /* every node is its own domain */
	int32_t *domain; /* by node; -1: the node lacks the label */
	struct sched_value *values;
	size_t count;
	struct sched_topo *next;
};
struct sched_value {
	char *text;
	int32_t id;
	UT_hash_handle hh;
};

/* Pods counted by node and by domain. */
struct sched_tally {
	int32_t *node;
	int32_t total;
	struct sched_sum {
		const struct sched_topo *topo;
		int32_t *sum;
		size_t cap;
	} sums[4];
	size_t sum_count;
};

/* Pods that are alike for selectors: same namespace, same labels. */
struct sched_class {
	uint64_t hash;
	char *ns;
	struct kt_json *labels;
	struct sched_assigned *pods;     /* list */
	bool held;                       /* by the pod of the cycle */
	struct sched_counter **counters; /* that count them */
	size_t counter_count, counter_cap;
	struct kt_json *selector; /* of the default spread, for pods of selector_owner */
	char *selector_owner;
	uint64_t selector_generation;
	UT_hash_handle hh;
};

/* Which pods: namespaces and a selector. */
struct sched_match {
	struct kt_json *selector;   /* LabelSelector; NULL matches nothing */
	struct kt_json *namespaces; /* array; NULL with ns_selector NULL: `ns` alone */
	struct kt_json *ns_selector;
	const char *ns; /* the namespace of the pod with the term; borrowed from the owner of the struct */
};
/* Counts the assigned pods that all of `matches` match. Shared by pods with equal terms. */
struct sched_counter {
	char *key;
	char *ns;
	struct sched_match matches[SCHED_TERMS];
	size_t match_count;
	struct sched_tally tally;
	uint64_t used; /* the cycle that used it last */
	UT_hash_handle hh;
};

enum sched_term_kind { SCHED_ANTI, SCHED_AFFINITY, SCHED_PREFERRED };
/* A term of pods that are assigned: counts its owners. */
struct sched_term {
	char *key;
	char *ns;
	enum sched_term_kind kind;
	struct sched_match match;
	const struct sched_topo *topo;
	int64_t weight;
	struct sched_tally tally;
	UT_hash_handle hh;
};

struct sched_port {
	uint16_t port;
	char protocol;
	const char *ip; /* "0.0.0.0" or borrowed from the pod's version, which is referenced */
};

/* A pod that is on a node, or as good as. */
struct sched_assigned {
	char uid[40];
	struct sched_node *node;
	struct sched_assigned *prev, *next; /* of its node */
	struct sched_class *class;
	struct sched_assigned *class_prev, *class_next;
	int64_t cpu, memory, ephemeral, nz_cpu, nz_memory;
	int32_t priority;
	bool assumed, has_ports, has_extended, deleting;
	bool away; /* as if it were gone, while preemption tries */
	const struct store_object
	        *object; /* kept only while one of the has_ flags or `assumed` asks for it */
	struct sched_term **terms;
	size_t term_count;
	UT_hash_handle hh;
};

struct sched_node {
	size_t index; /* for tallies and verdicts; reused */
	const struct store_object *object;
	const struct view_node *view;
	const char *name;
	int64_t cap_cpu, cap_memory, cap_ephemeral, cap_pods;
	int64_t cpu, memory, ephemeral, nz_cpu, nz_memory;
	int32_t pod_count;
	bool unschedulable, tainted, soft_tainted, has_nominated;
	struct sched_extended extended[SCHED_EXTENDED];
	size_t extended_count;
	struct sched_assigned *pods;
	size_t port_pods, extended_pods;
	UT_hash_handle hh;
};

struct sched_image {
	char *name;
	int64_t size;
	size_t nodes;
	uint8_t *on; /* by node index */
	UT_hash_handle hh;
};

struct sched_constraint {
	const struct sched_topo *topo;
	struct sched_counter *counter;
	int64_t max_skew, min_domains;
	bool honor_affinity, honor_taints, self;
	/* of this cycle */
	const int32_t *sum;
	int32_t *own_sum; /* owned, when not all nodes count */
	int32_t min;
	double weight;
};
struct sched_aff {
	const struct sched_topo *topo;
	struct sched_counter *counter;
	int64_t weight; /* negative: anti-affinity */
};

struct sched_claim {
	const struct store_object *claim, *bound; /* the PV it is bound to, or NULL */
	const struct store_object *storage_class;
	bool waits; /* for its first consumer */
	bool fully; /* bound from both sides */
};

/* The pod of a cycle, read once. */
struct sched_pod {
	const struct store_object *object;
	const struct view_pod *view;
	const struct kt_json *spec, *tolerations, *node_selector, *required, *preferred;
	struct sched_class *class;
	int64_t cpu, memory, ephemeral, nz_cpu, nz_memory;
	struct sched_extended extended[SCHED_EXTENDED];
	size_t extended_count;
	struct sched_port ports[32];
	size_t port_count;
	struct sched_constraint hard[SCHED_TERMS], soft[SCHED_TERMS];
	size_t hard_count, soft_count;
	bool default_spread;
	struct sched_aff affinity[SCHED_TERMS], anti[SCHED_TERMS], preferred_terms[SCHED_TERMS];
	size_t affinity_count, anti_count, preferred_count;
	struct sched_counter *all_affinity; /* pods that match all required affinity terms */
	bool self_affinity;
	struct sched_term *against[64]; /* anti-affinity terms of others that match this pod */
	size_t against_count;
	struct sched_term *liked[64]; /* preferred and required affinity terms of others that match */
	size_t liked_count;
	struct sched_claim claims[32];
	size_t claim_count,
	        taken_claims; /* taken: ReadWriteOncePod, and pods that have been placed use them */
	char *missing_claim;  /* what is said of one that is not there */
	char *missing_own;    /* the same, where the pod's ephemeral volume makes it */
	int32_t priority;
	bool never_preempts, tolerates_unschedulable;
};

enum sched_code { SCHED_OK, SCHED_UNSCHEDULABLE, SCHED_UNRESOLVABLE };
struct sched_verdict {
	uint8_t code, count, plugin;
	const char *reasons[SCHED_REASONS];
};

struct scheduler;
struct sched_cycle {
	struct scheduler *scheduler;
	struct sched_pod *pod;
	struct sched_node **feasible;
	size_t feasible_count;
	char *reject;                /* words of a plugin that refuses all nodes at once; owned */
	const struct kt_json *names; /* required node affinity that names nodes: no other is looked at */
	const struct sched_plugin *active[16]; /* that have something to say */
	uint8_t active_bit[16], names_bit;
	unsigned active_count;
};

/* What can make a pod schedulable that a plugin refused. */
enum sched_event {
	SCHED_NODE_ADDED = 1,
	SCHED_NODE_RESOURCES = 2,
	SCHED_NODE_LABELS = 4,
	SCHED_NODE_TAINTS = 8,
	SCHED_POD_DELETED = 16, /* an assigned one, or its requests shrank */
	SCHED_POD_ADDED = 32,   /* assigned, or its labels changed */
	SCHED_VOLUMES = 64,     /* a claim, a volume or a class was made or changed */
	SCHED_POD_ITSELF = 128, /* the pod that waits was changed */
	SCHED_NODE_GONE = 256,
};
/* What happened: to a node, a pod, a claim... `before` NULL: it was not there; `after` NULL: it is gone. Both
 * NULL: not known. */
struct sched_change {
	unsigned what; /* bits of enum sched_event */
	const struct store_object *before, *after;
};

struct sched_plugin {
	const char *name;
	unsigned events;
	/* Look at the pod once. False: nothing to say about any node (or cycle->reject is set: no node will
	 * do). */
	bool (*prefilter)(struct sched_cycle *cycle);
	enum sched_code (*filter)(struct sched_cycle *cycle, struct sched_node *node,
	                          struct sched_verdict *verdict);
	/* May this change, with both sides not unknown, help a pod that the plugin refused? NULL: it may.
	 * (QueueingHintFn) */
	bool (*helps)(struct scheduler *scheduler, const struct store_object *pod,
	              const struct sched_change *change);
	int weight;
	bool (*prescore)(struct sched_cycle *cycle);
	/* Scores of all feasible nodes, normalised to 0..100. */
	void (*score)(struct sched_cycle *cycle, int64_t *scores);
};
extern const struct sched_plugin *const sched_plugins[]; /* NULL-terminated, in the default order */

/* An entry of the queue. */
enum sched_where { SCHED_NOWHERE, SCHED_ACTIVE, SCHED_BACKOFF, SCHED_PARKED, SCHED_BINDING };
struct sched_item {
	char uid[40];
	char *ns, *name;
	int32_t priority;
	uint64_t seq;
	kt_ns since, backoff_until;
	unsigned attempts, rejected_by; /* bits of plugins */
	enum sched_where where;
	size_t heap_index;
	char *nominated;
	char *binding_to;
	kt_ns bind_by;
	struct sched_item *prev, *next; /* of the parked ones */
	UT_hash_handle hh;
};

struct scheduler {
	struct cluster *cluster;
	const struct schema_kind *pods, *nodes, *services, *claims, *disks, *storage_classes, *budgets,
	        *namespaces, *replica_sets, *stateful_sets, *replication_controllers;
	struct sched_node *node_table;
	struct sched_node **by_index; /* NULL: free */
	size_t index_cap;
	struct sched_node **order; /* interleaved by zone */
	size_t node_count;
	bool order_stale;
	size_t next_start;
	struct sched_assigned *assigned;
	struct sched_class *classes;
	struct sched_counter *counters;
	struct sched_term *terms;
	struct sched_topo *topos;
	struct sched_image *images;
	struct kt_strs words;           /* interned */
	struct sched_verdict *verdicts; /* by node index */
	int64_t *scores, *totals;
	struct sched_node **feasible;
	size_t scratch_cap;
	struct sched_item *items;
	struct sched_item **heap;
	size_t heap_count, heap_cap;
	struct sched_item *parked;
	uint64_t seq, cycle;
	bool deciding;   /* about a pod that is in no queue */
	unsigned missed; /* what happened meanwhile: a victim without grace is gone at once */
	uint64_t timer, wake_timer, volume_timer;
	size_t binding; /* pods that wait for their volumes */
	kt_ns wake;
	struct sched_pod pod;      /* of the cycle: too large for the stack */
	size_t nominated;          /* items that hold a place */
	uint64_t owner_generation; /* changes with Services and workloads' selectors */
};

/* --- cache.c --- */
void sched_node_set(struct scheduler *scheduler, const struct store_object *object, unsigned *events);
void sched_node_remove(struct scheduler *scheduler, const char *name);
struct sched_node *sched_node_find(struct scheduler *scheduler, const char *name);
void sched_order(struct scheduler *scheduler);
/* Account for a pod on its node (or take it away). */
struct sched_assigned *sched_assign(struct scheduler *scheduler, const struct store_object *pod,
                                    struct sched_node *node, bool assumed);
void sched_unassign(struct scheduler *scheduler, struct sched_assigned *assigned);
struct sched_assigned *sched_assigned_find(struct scheduler *scheduler, const char *uid);
/* For preemption: as if it were gone, and back. */
void sched_account(struct scheduler *scheduler, struct sched_assigned *assigned, int sign);
void sched_cache_clear(struct scheduler *scheduler);
const char *sched_word(struct scheduler *scheduler, const char *text); /* interned */

/* --- tally.c --- */
const struct sched_topo *sched_topo(struct scheduler *scheduler, const char *key);
void sched_topo_node(struct scheduler *scheduler, struct sched_node *node); /* its labels are new */
void sched_tally_add(struct scheduler *scheduler, struct sched_tally *tally, const struct sched_node *node,
                     int sign);
const int32_t *sched_tally_sum(struct scheduler *scheduler, struct sched_tally *tally,
                               const struct sched_topo *topo);
void sched_tally_clear(struct sched_tally *tally);
void sched_tallies_stale(struct scheduler *scheduler, const struct sched_topo *topo);
struct sched_class *sched_class(struct scheduler *scheduler, const char *ns, const struct kt_json *labels);
void sched_class_unused(struct scheduler *scheduler, struct sched_class *class);
struct sched_counter *sched_counter(struct scheduler *scheduler, const char *ns,
                                    const struct sched_match *matches, size_t count);
bool sched_matches(struct scheduler *scheduler, const struct sched_match *match, const char *ns,
                   const char *pod_ns, const struct kt_json *labels);
struct sched_term *sched_term(struct scheduler *scheduler, const char *ns, enum sched_term_kind kind,
                              const struct sched_match *match, const char *topology_key, int64_t weight);
void sched_tallies_trim(struct scheduler *scheduler);
void sched_tallies_free(struct scheduler *scheduler);
void sched_tallies_grow(struct scheduler *scheduler, size_t from, size_t to); /* more node indexes */
void sched_tallies_drop_node(struct scheduler *scheduler, size_t index);

/* --- pod.c --- */
void sched_pod_read(struct scheduler *scheduler, const struct store_object *object, struct sched_pod *pod);
void sched_pod_clear(struct scheduler *scheduler, struct sched_pod *pod);
struct kt_json *sched_default_selector(struct scheduler *scheduler, struct sched_pod *pod); /* borrowed */
void sched_non_zero(const struct kt_json *spec, const struct view_pod *view, int64_t *cpu, int64_t *memory);
size_t sched_ports(const struct kt_json *spec, struct sched_port *ports, size_t cap);
/* The affinity term as match. (The API has merged matchLabelKeys into its selector.) */
struct sched_match sched_term_match(const struct kt_json *term);
void sched_match_clear(struct sched_match *match);

/* --- cycle.c --- */
/* Filter one node: all plugins that have something to say. */
enum sched_code sched_filter(struct sched_cycle *cycle, struct sched_node *node,
                             struct sched_verdict *verdict);
void sched_no(struct sched_verdict *verdict, const char *reason);
/* Is `name` among the nodes that all terms of a required node affinity name (node_affinity.c)? */
bool sched_names_node(const struct kt_json *required, const char *name);
/* Where the pod should go; NULL: nowhere, and *message says why. *rejected_by: bits of plugins. */
struct sched_node *sched_choose(struct scheduler *scheduler, struct sched_pod *pod, const char *nominated,
                                unsigned *rejected_by, char **message, char **new_nominated);
/* The sum of all verdicts, in words. */
void sched_reasons(struct scheduler *scheduler, struct kt_buf *out);
size_t sched_sample(size_t nodes); /* numFeasibleNodesToFind */
void sched_normalise(int64_t *scores, size_t count, bool reverse);

/* --- preemption.c --- */
/* Make room on a node: victims are deleted. What the pod is nominated for now (owned): the node's name, "" if
 * there is none, NULL if it stays as it is; *text gets the preemption half of the message. */
char *sched_preempt(struct sched_cycle *cycle, const char *nominated, struct kt_buf *text);

/* --- volumes: volume_binding.c --- */
/* Prepare the claims for `node`: true if the pod may be bound now, false if it must wait for its volumes. */
bool sched_volumes_reserve(struct scheduler *scheduler, struct sched_pod *pod, const struct sched_node *node);
bool sched_volumes_ready(struct scheduler *scheduler, const struct store_object *pod);

/* --- queue.c --- */
void sched_queue_add(struct scheduler *scheduler, const struct store_object *pod);
void sched_queue_remove(struct scheduler *scheduler, const char *uid);
struct sched_item *sched_queue_find(struct scheduler *scheduler, const char *uid);
void sched_nominate(struct scheduler *scheduler, struct sched_item *item, const char *node /* NULL, "" */);
struct sched_item *sched_queue_pop(struct scheduler *scheduler);
void sched_queue_activate(struct scheduler *scheduler, struct sched_item *item);
void sched_queue_park(struct scheduler *scheduler, struct sched_item *item, unsigned rejected_by);
void sched_queue_event(struct scheduler *scheduler, const struct sched_change *change);
void sched_queue_clear(struct scheduler *scheduler);
void sched_queue_wake(struct scheduler *scheduler, kt_ns when); /* look at the waiting ones then */
void sched_queue_run_soon(struct scheduler *scheduler);
void sched_one(struct cluster *cluster, void *arg); /* the timer: one cycle */

struct api_actor sched_actor(const struct store_object *because);

#endif
