/* SPDX-License-Identifier: MIT */
/* The cluster itself, and its way into the journal: "m" how far it is, "k/KEY" what parts keep,
 * "o/GROUP/KIND/NS/NAME" the objects. For cluster.c and journal.c. */
#ifndef CLUSTER_JOURNAL_H
#define CLUSTER_JOURNAL_H

#include "cluster/cluster_internal.h"
#include "cluster/timers.h"

struct cluster {
	struct cluster_options options; /* strings are the cluster's own */
	kt_ns now, wire_offset;
	struct kt_random random;
	struct schema *schema;
	struct store *store;
	struct cluster_timers timers;
	struct api_state *api;
	uint64_t listener;
	uint64_t changes; /* of the store, but for heartbeats */
	void **part_states;
	bool *part_runs;
	struct kt_json *kept;
	struct cluster_kept_before { /* what was kept until a moment, oldest first: for rewinds */
		kt_ns at;
		struct kt_json *kept;
	} * kept_before;
	size_t kept_before_count, kept_before_cap;
	struct kt_strs kept_dirty;
	const struct schema_kind *crd_kind, *lease_kind;
	kt_ns written_now;
	struct cluster_batch *unwritten; /* the journal failed: for the next write */
};

/* *out_found: there was a cluster in it. */
KT_MUST_CHECK enum kt_code cluster_journal_read(struct cluster *cluster, bool *out_found, struct kt_err *err);
void cluster_batch_free(struct cluster_batch *batch);
KT_MUST_CHECK enum kt_code cluster_journal_write(struct cluster *cluster, struct kt_err *err);

#endif
