/* SPDX-License-Identifier: MIT */
/* What the parts of a cluster see of each other: time, randomness, the store, the other parts. Not for
 * outside cluster/. */
#ifndef CLUSTER_INTERNAL_H
#define CLUSTER_INTERNAL_H

#include "cluster/cluster.h"
#include "cluster/schema/schema.h"
#include "cluster/store/store.h"

/* A part (the scheduler, each controller, the kubelets, the network) is a row in the table of
 * cluster/parts.c. Everything a part knows it can rebuild from the store alone: after a kill -9, a restore or
 * a rewind `stop` and `start` are called again. */
struct cluster_part {
	const char *name;
	void *(*start)(struct cluster *cluster); /* its state; looks at the store, sets timers */
	void (*stop)(struct cluster *cluster,
	             void *state); /* frees; its timers are cancelled by their owner */
	/* Every change of the store, in order, right after it happened. Should only take note (queue a key,
	 * set a timer): writes belong into timers, so that order and time stay clear. */
	void (*observe)(struct cluster *cluster, void *state, const struct store_event *event);
	/* Before a snapshot: what it holds that is not kept yet (files in volumes) is to be kept now. */
	void (*keep)(struct cluster *cluster, void *state);
};
extern const struct cluster_part *const cluster_parts[]; /* NULL-terminated, in order of start */
void *cluster_part_state(struct cluster *cluster, const struct cluster_part *part);

struct store *cluster_store(struct cluster *cluster);
struct schema *cluster_schema(struct cluster *cluster);
struct kt_random *
cluster_random(struct cluster *cluster); /* the one source of randomness: names, uids, jitter, ties */
const struct cluster_options *cluster_get_options(const struct cluster *cluster);

/* --- timers on the virtual clock. Due at equal times, they run in order of setting. --- */
typedef void cluster_timer_fn(struct cluster *cluster, void *arg);
uint64_t cluster_at(struct cluster *cluster, kt_ns when, cluster_timer_fn *fn, void *arg); /* never 0 */
uint64_t cluster_after(struct cluster *cluster, kt_ns delay, cluster_timer_fn *fn, void *arg);
void cluster_cancel(struct cluster *cluster, uint64_t timer); /* 0 or one that ran already: fine */

/* --- small things that parts keep beside the objects (machines that are switched off, files in volumes…):
 * with the journal and in snapshots. Keys "part/thing". --- */
void cluster_keep(struct cluster *cluster, const char *key, struct kt_json *steal); /* NULL forgets it */
const struct kt_json *cluster_kept(const struct cluster *cluster, const char *key); /* borrowed; NULL none */
/* All kept keys with this prefix, sorted. */
void cluster_kept_keys(const struct cluster *cluster, const char *prefix, struct kt_strs *out);

struct api_state;
struct api_state *
cluster_api_state(struct cluster *cluster); /* the API's own: watches, addresses, event counts */
/* Times on the wire are virtual time minus this; see cluster_set_wire_offset. */
kt_ns cluster_wire_offset(const struct cluster *cluster);

/* A number that is the same for the same words: for jitter that must not depend on what else happened. */
uint64_t cluster_hash(const struct cluster *cluster, const char *words);

#endif
