/* SPDX-License-Identifier: MIT */
/* The Job controller's files: job.c (the sync), job_pods.c (making and counting pods), job_policy.c (failure
 * and success policies, back-off), job_indexes.c (sets of completion indexes). */
#ifndef CONTROLLER_JOB_H
#define CONTROLLER_JOB_H

#include "cluster/controllers/controllers_internal.h"

#define JOB_FINALIZER      "batch.kubernetes.io/job-tracking"
#define JOB_INDEX          "batch.kubernetes.io/job-completion-index"
#define JOB_INDEX_FAILURES "batch.kubernetes.io/job-index-failure-count"

/* --- sets of indexes: "0-2,5,7" --- */
struct job_indexes {
	bool *has;
	int64_t count; /* completions: size of `has` */
};
void job_indexes_init(struct job_indexes *indexes, int64_t completions, const char *text);
void job_indexes_clear(struct job_indexes *indexes);
bool job_indexes_has(const struct job_indexes *indexes, int64_t index);
void job_indexes_add(struct job_indexes *indexes, int64_t index);
int64_t job_indexes_total(const struct job_indexes *indexes);
char *job_indexes_text(const struct job_indexes *indexes); /* owned; "" for none */

struct job_sync {
	struct cluster *cluster;
	struct controller_queue *queue;
	struct api_actor actor;
	const char *key;
	const struct store_object *job;
	const struct kt_json *spec;
	struct kt_json *status; /* as it will be written */
	struct store_list pods; /* all that it controls and that match */
	struct store_list active;
	bool indexed, per_index, suspended, failed;
	int64_t completions; /* -1: none, a work queue */
	int64_t parallelism, succeeded, failures, terminating, ready;
	int64_t uncounted_failures; /* seen in this sync */
	struct job_indexes done, lost;
	char *fail_reason, *fail_message; /* from a policy */
};
/* Sort pods into active and finished, count what was not counted yet, let finished pods go (finalizer). */
void job_count_pods(struct job_sync *sync);
bool job_create_pods(struct job_sync *sync, int64_t count);
void job_delete_pod(struct job_sync *sync, const struct store_object *pod);
void job_release(struct cluster *cluster, struct controller_queue *queue, const struct store_object *pod);
/* Was it counted, and let go? */
bool job_pod_counted(const struct store_object *pod);
int64_t job_pod_index(const struct store_object *pod); /* -1 none */
bool job_only_failed_replaced(const struct job_sync *sync);
bool job_pod_failed(const struct job_sync *sync, const struct store_object *pod);

enum job_action { JOB_COUNT, JOB_IGNORE, JOB_FAIL, JOB_FAIL_INDEX };
/* What the job's failure policy says of a failed pod; for JOB_FAIL *message is owned by the caller. */
enum job_action job_failure_action(const struct job_sync *sync, const struct store_object *pod,
                                   char **message);
/* The rule of the success policy that is met, or -1. */
int64_t job_success_rule(const struct job_sync *sync);
/* How long to wait before the next pod; `index` -1: for the job as a whole. */
/* Note what failed and is not counted yet, for the back-off: before job_count_pods(). */
void job_remember(const struct job_sync *sync);
void job_forget(struct controller_queue *queue, const char *key);
void job_forget_all(struct controller_queue *queue);
kt_ns job_backoff(const struct job_sync *sync, int64_t index);
bool job_past_restarts(const struct job_sync *sync); /* restartPolicy OnFailure: containers count */

#endif
