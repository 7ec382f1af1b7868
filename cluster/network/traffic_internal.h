/* SPDX-License-Identifier: MIT */
/* Inside of traffic: traffic.c (a second of it), traffic_plan.c (who reaches whom), traffic_pod.c (what a pod
 * does for a request), traffic_load.c (what is asked for), traffic_gaps.c (moments of it that lead to
 * nobody), traffic_report.c (what became of it), traffic_waiting.c (who still waits, and what is lost with
 * those who were to answer). */
#ifndef NETWORK_TRAFFIC_INTERNAL_H
#define NETWORK_TRAFFIC_INTERNAL_H

#include "cluster/kubelet/kubelet.h"
#include "cluster/network/balancer_internal.h"
#include "cluster/network/queue.h"

enum { TRAFFIC_SECONDS = 3600, TRAFFIC_SLOTS = 240, TRAFFIC_CALLS = 8, TRAFFIC_DEPTH = 5 };
#define TRAFFIC_TICK     KT_SEC
#define TRAFFIC_SLOT     (15 * KT_SEC)
#define TRAFFIC_PATIENCE 10.0 /* seconds until a caller gives up */

struct second {
	kt_ns at;
	double offered, answered;
};
struct slot { /* latencies of 15 seconds, as requests in buckets */
	kt_ns at;
	struct latency latency;
};
/* Requests of one second that were promised an answer, by how long it takes. Those whose time is not over
 * wait. */
struct cohort {
	kt_ns at, counted; /* when they were sent (the last time); in which second they count */
	struct latency latency;
};
struct cause { /* why requests were not answered */
	char *why;
	double errors;
	kt_ns first, last;
};
enum flow_kind { FLOW_SERVICE, FLOW_INGRESS, FLOW_GATEWAY };
struct flow {
	enum flow_kind kind;
	char *ns, *name;
	/* what is asked for, unless it is only called by others */
	bool given;
	double rps, from; /* wanted; and where a ramp began */
	char shape[8];
	kt_ns begin, over;
	kt_ns work;                 /* 0: what the pods say */
	char *host, *path, *region; /* may be NULL */
	double timeout;             /* seconds */
	int retries;
	/* what became of it */
	double offered, answered, errors, rate, failing; /* answered: with those who still wait */
	struct cohort *cohorts;                          /* the newest last */
	size_t cohort_count, cohort_cap;
	double lately;  /* requests a second, the last time that there were some */
	double again;   /* requests that were lost and are sent once more in the next second */
	kt_ns again_of; /* ... of that second */
	double p50, p95, p99;
	struct second *seconds; /* a ring once it is full */
	size_t count, cap, next;
	struct slot *slots;
	size_t slot_count, slot_cap, slot_next;
	struct cause *causes; /* the newest last */
	size_t cause_count, cause_cap;
};
/* What remains of a pod from second to second. */
struct pod_load {
	char *ns, *pod; /* within the table's key */
	struct queue queue;
	double wait, failing; /* seconds; share */
	double passed;        /* share that it passed on to those it calls */
	double admit;         /* share that fits into its concurrency */
	bool seen;
	/* which program it is that they wait for */
	char uid[40];
	kt_ns began;            /* 0: nobody */
	kt_ns work;             /* as its Service's load says */
	double in_flight, gone; /* after the last second; share of it that is lost in this one */
	bool ended, reached;    /* its program; by what is asked for now */
	double *mix;            /* share of what waits that is a flow's, by flow */
	size_t mix_cap;
};
struct outcome {
	struct latency latency; /* its sum: what was answered */
	double held;            /* seconds that a caller waits on average, for failures too */
};
struct traffic_call {
	size_t way;
	double times;
};
struct traffic_pod {
	struct pod_load *load;
	size_t node; /* in the plan */
	double cores, request, work, variation, memory, concurrency;
	struct traffic_call calls[TRAFFIC_CALLS];
	size_t call_count;
	bool called;                 /* its calls are complete */
	struct container *container; /* while the plan holds */
	/* this second; and the one before */
	double arriving, fresh, next, granted, admit;
	double was_arriving, was_granted, was_admit, was_waiting;
	struct queue_result result;
	struct outcome out;
	bool done, busy;
};
struct hop { /* an endpoint as one source sees it */
	size_t pod;
	char address[46];
	double latency, loss;
	bool open, silent; /* silent: dropped, not refused */
	bool cut;          /* since the plan was made */
	kt_ns since;       /* when its port closed; 0: longer ago */
	char *why;         /* owned: why it is not open */
};
struct way { /* from a source to a Service */
	char *key;
	size_t flow;
	struct hop *hops;
	size_t count, open;
	double closed;   /* share of the second's requests that found nobody at their first try */
	double gone;     /* of it, in endpoints: those that are none any more */
	double reaching; /* share that finds an open one */
	size_t caller;   /* the last pod whose outcome was worked out over it */
	bool balancer;   /* tries another endpoint when one fails */
	kt_ns work;
	double wanted, lately; /* this second; the last time that there was something */
	struct outcome out;
	bool done, busy;
};
struct entry {            /* where a flow comes in */
	size_t flow, way; /* way SIZE_MAX: answered (or refused) by the balancer itself */
	double share;
	bool fails;
};
struct traffic_node {
	char *name;
	double cores, demand, others;
};
struct plan {
	uint64_t epoch; /* of the network, for which it holds */
	struct traffic_pod *pods;
	size_t pod_count, pod_cap;
	struct way *ways;
	size_t way_count, way_cap;
	struct entry *entries;
	size_t entry_count, entry_cap;
	struct traffic_node *nodes;
	size_t node_count, node_cap;
	struct table way_by_key, pod_by_name, pod_by_owner; /* index + 1 */
	bool worked_out;                                    /* outcomes are those of a second before */
};
/* An endpoint of the Service that nobody answered at, until the Service forgot it. */
struct gap {
	size_t flow;
	kt_ns from, to;
	size_t of; /* endpoints that there were */
};
struct traffic {
	struct flow *flows;
	size_t count, cap;
	struct table closed; /* listener_key -> kt_ns *: when it closed */
	struct gap *gaps;    /* of this second */
	size_t gap_count, gap_cap;
	struct table pods; /* "ns/pod" -> struct pod_load * */
	struct plan plan;
	uint64_t timer;
};

struct flow *flow_find(const struct traffic *traffic, enum flow_kind kind, const char *ns, const char *name);
/* Index of the flow, made if it is missing. */
size_t flow_add(struct traffic *traffic, enum flow_kind kind, const char *ns, const char *name, kt_ns now);
double flow_rate(const struct flow *flow, kt_ns now);
struct second *flow_second(struct flow *flow, kt_ns at); /* NULL: none is kept */
struct slot *flow_slot(struct flow *flow, kt_ns now);    /* made if it is missing */
/* `rps` for `dt` seconds ended so. */
void flow_note(struct flow *flow, kt_ns now, double rps, const struct latency *latency, double dt);
void flow_blame(struct flow *flow, kt_ns now, const char *why, double errors);
void flow_clear(struct flow *flow);
void traffic_wake(struct cluster *cluster, struct traffic *traffic); /* tick from now on */

/* `errors` requests of `flow` were lost over this way (of the flow at `at`: where it comes in). */
void traffic_blame_way(const struct traffic *traffic, struct flow *flow, const struct way *way, kt_ns now,
                       double errors);
void traffic_blame_entries(struct traffic *traffic, size_t at, kt_ns now, double errors);

/* --- traffic_waiting.c --- */
/* Requests of the second `counted` that were promised these answers, sent at `now`. */
void flow_promise(struct flow *flow, kt_ns now, kt_ns counted, const struct latency *requests);
double flow_waiting(const struct flow *flow, kt_ns now, kt_ns since); /* of the seconds since then */
/* Lost requests that were sent once more: `seen` became of them. */
void flow_note_again(struct flow *flow, kt_ns now, const struct latency *seen);
/* The program that they wait for runs no more (or is another one): all of it is gone. */
void traffic_watch_over(struct cluster *cluster, struct traffic *traffic);
/* A pod that is no endpoint any more works off what waits in it. */
void traffic_drain(struct cluster *cluster, struct traffic *traffic);
bool traffic_drains(const struct traffic *traffic);
/* What was in flight in pods that are gone (by `gone`), or came over a way that was cut since `old` held, is
 * not answered. `next` NULL: no way changed. */
void traffic_lose(struct traffic *traffic, struct plan *old, const struct plan *next, kt_ns now);

/* --- traffic_gaps.c; the other half of it is in network_internal.h --- */
kt_ns traffic_closed_since(const struct traffic *traffic, const char *address,
                           unsigned port); /* 0: not known */
/* What share of the second before `now` each way led to nobody. */
void traffic_weigh(struct traffic *traffic, kt_ns now);
void traffic_forget_gaps(struct traffic *traffic);

void plan_make(struct cluster *cluster, struct traffic *traffic);
void plan_clear(struct plan *plan);
/* The way from a source to a Service, made if it is missing; SIZE_MAX where there is no such Service. `as`:
 * words that tell sources apart that are treated differently. */
size_t plan_way(struct cluster *cluster, struct traffic *traffic, const struct network_peer *from,
                const char *as, const struct balancer *balancer, const struct route_target *target,
                const char *region, kt_ns work, unsigned depth);
/* Its pod; made, with what it calls, if it is missing. SIZE_MAX: nothing runs there. */
size_t plan_pod(struct cluster *cluster, struct traffic *traffic, const struct endpoint *endpoint, kt_ns work,
                unsigned depth);

#endif
