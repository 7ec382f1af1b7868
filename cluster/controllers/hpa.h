/* SPDX-License-Identifier: MIT */
/* The autoscaler's files among themselves: hpa.c (the loop), hpa_metrics.c (numbers from pods),
 * hpa_replicas.c (the arithmetic), hpa_behavior.c (how fast it may go). */
#ifndef CONTROLLER_HPA_H
#define CONTROLLER_HPA_H

#include "cluster/controllers/controllers_internal.h"

struct hpa_sync {
	struct cluster *cluster;
	struct controller_queue *queue;
	struct api_actor actor;
	const struct store_object *hpa, *target; /* references */
	const char *key;
	int64_t min, max, current;
	struct kt_json *conditions; /* as they will be written */
	struct kt_json *metrics;    /* currentMetrics */
	double tolerance_up, tolerance_down;
};
void hpa_condition(struct hpa_sync *sync, const char *type, bool status, const char *reason, const char *fmt,
                   ...) KT_PRINTF(5, 6);

/* What one metric asks for. False: *why (owned) says why not, `reason` is the condition's. */
struct hpa_proposal {
	int64_t replicas;
	char *name;             /* "cpu resource utilization (percentage of request)" */
	struct kt_json *status; /* an item of currentMetrics */
	const char *reason;
	char *why;    /* as the event tells it */
	char *longer; /* as the caller's error tells it */
};
bool hpa_propose(struct hpa_sync *sync, const struct kt_json *metric, struct hpa_proposal *out);
void hpa_proposal_clear(struct hpa_proposal *proposal);

/* What an autoscaler scales, or NULL; borrowed. */
const struct store_object *hpa_target(struct hpa_sync *sync, const struct store_object *hpa);
/* Names of the autoscalers of its namespace whose targets' selectors match a pod of this one's target. */
void hpa_rivals(struct hpa_sync *sync, struct kt_strs *out);

/* --- memory between syncs: recommendations and scalings, by key --- */
struct hpa_memory;
struct hpa_memory *hpa_memory_get(struct controller_queue *queue, const char *key, bool make);
void hpa_memory_drop(struct controller_queue *queue, const char *key);
void hpa_memory_free_all(struct controller_queue *queue);
void hpa_memory_recommended(struct hpa_memory *memory, int64_t replicas, kt_ns now);
void hpa_memory_first(struct hpa_memory *memory, int64_t replicas, kt_ns now);
void hpa_memory_scaled(struct hpa_memory *memory, int64_t from, int64_t to, kt_ns now);
/* `desired` within what window, rates and bounds allow; sets the conditions. */
int64_t hpa_normalize(struct hpa_sync *sync, int64_t desired);

#endif
