/* SPDX-License-Identifier: MIT */
/* checker: reaches any cluster through the Kubernetes API (libcurl, one kept connection), understands the
 * scenario language, runs steps and checks, and says what it found. Never runs kubectl; knows nothing of the
 * embedded cluster, of curses, of labs' folders. */
#ifndef CHECKER_H
#define CHECKER_H

#include "base/base.h"

/* --- a cluster's API --- */
struct check_client;
/* From a kubeconfig (its current context, or `context`): server, CA, client certificate, token; exec plugins
 * are refused unless `allow_exec`. */
KT_MUST_CHECK enum kt_code check_client_new(const char *kubeconfig, const char *context, bool allow_exec,
                                            struct check_client **out, struct kt_err *err);
/* From now on reach the same server through a Unix socket: plain HTTP, no credentials. */
void check_client_by_socket(struct check_client *client, const char *path);
/* What check_request() asks for, borrowed; NULL: "application/json", as at the beginning. */
void check_client_accept(struct check_client *client, const char *accept);
void check_client_free(struct check_client *client);
/* The server that the current context of a kubeconfig names; owned; NULL if there is none. */
char *check_server_of(const char *kubeconfig);
/* Ask `judge` before each request and each exec (method "EXEC", the path of its pod); what it refuses is not
 * sent. Who is given it owns `arg`: `done(arg)` when the client is freed. */
void check_client_guard(struct check_client *client,
                        enum kt_code (*judge)(void *arg, const char *method, const char *path,
                                              struct kt_err *err),
                        void (*done)(void *arg), void *arg);
struct check_answer {
	int status; /* HTTP */
	struct kt_buf body;
	struct kt_json *json; /* parsed body, or NULL */
};
void check_answer_clear(struct check_answer *answer);
/* One request. KT_EUNREACHABLE when the cluster did not answer (never for an HTTP error: read
 * answer->status). */
KT_MUST_CHECK enum kt_code check_request(struct check_client *client, const char *method, const char *path,
                                         const char *content_type, const void *body, size_t len,
                                         struct check_answer *out, struct kt_err *err);
/* `deployment`, `deploy`, `deployments.apps`… as kubectl accepts them; from discovery, kept. */
struct check_resource {
	char prefix[128], resource[64], kind[64], api_version[96]; /* prefix "/apis/apps/v1" */
	bool namespaced;
};
KT_MUST_CHECK enum kt_code check_find_resource(struct check_client *client, const char *words,
                                               struct check_resource *out, struct kt_err *err);
/* Run a program in a container through the exec subresource (WebSocket, v5 or v4 channels). `instant` asks
 * the embedded cluster not to let virtual time pass (header X-Ktutor-Instant; other clusters ignore it). */
struct check_exec {
	const char *ns, *pod, *container; /* container NULL: the default */
	const char *const *argv;
	long timeout_ms;
	bool instant;
};
struct check_exec_result {
	int exit_code; /* -1: did not run; why tells */
	struct kt_buf out, errout;
	char why[512];
};
/* All at once; `results` is a zeroed array of `count`. A result that did not run has exit_code -1 and `why`.
 * KT_EUNREACHABLE when no connection to the cluster came about at all. */
KT_MUST_CHECK enum kt_code check_exec(struct check_client *client, const struct check_exec *execs,
                                      size_t count, struct check_exec_result *results, struct kt_err *err);
void check_exec_result_clear(struct check_exec_result *result);

/* A namespace that was just made has no account yet, and a pod is refused for want of it: true for that
 * refusal, which a moment mends (`kubectl` shows the same race). */
bool check_account_is_coming(const struct check_answer *answer);

/* Changes as they happen: a watch on each of several collections ("/api/v1/pods"), over connections of their
 * own. What changed before it was made is not told. The client must outlive it. */
struct check_feed;
KT_MUST_CHECK enum kt_code check_feed_new(struct check_client *client, const char *const *paths, size_t count,
                                          struct check_feed **out, struct kt_err *err);
void check_feed_free(struct check_feed *feed);
/* Wait at most `span` of real time; true as soon as something changed since the last call. A watch that ends
 * is begun again, which counts as a change; a cluster that does not answer is only waited for. */
bool check_feed_wait(struct check_feed *feed, kt_ns span);

/* --- what the checker needs of whoever started the cluster: given by the provider --- */
/* Those who ask the cluster, whoever they are. */
struct check_clients {
	size_t waiting; /* have been told all that there is, and wait for more: watches, commands in pods,
	                   logs */
	int64_t asked;  /* requests so far */
};
struct check_world {
	void *arg;
	/* Do a disturbance (node, zone, region, link, load, pod, image) given as the step's JSON.
	 * KT_EUNSUPPORTED where the provider cannot. */
	enum kt_code (*disturb)(void *arg, const struct kt_json *step, struct kt_err *err);
	/* Let time pass: at most `span`; returns early after the first change when `until_change`. Real
	 * clusters sleep; the embedded one jumps. */
	enum kt_code (*pass)(void *arg, kt_ns span, bool until_change, kt_ns *passed, struct kt_err *err);
	kt_ns (*now)(void *arg); /* the cluster's time */
	/* Where time can stand: from now on it passes by `pass` alone, until this process has let it go (`on`
	 * false) as often as it has held it, or has ended. So what is done and seen depends on nothing but
	 * the cluster; a set-up, a check, a drill, a proof hold it. NULL: time goes on. */
	enum kt_code (*hold)(void *arg, bool on, struct kt_err *err);
	enum kt_code (*clients)(void *arg, struct check_clients *out,
	                        struct kt_err *err); /* NULL: nobody knows */
	/* Traffic of a Service (or "gateway NAME", "ingress NAME") since `since`: {offered, answered, errors,
	 * p95…}; KT_EUNSUPPORTED where unknown. */
	enum kt_code (*traffic)(void *arg, const char *ns, const char *service, kt_ns since,
	                        struct kt_json **out, struct kt_err *err);
	/* Take and put back the whole cluster (drills clean up with it where it is there; else they undo step
	 * by step). May be NULL. */
	enum kt_code (*snapshot)(void *arg, char **out_name, struct kt_err *err);
	enum kt_code (*restore)(void *arg, const char *name, struct kt_err *err);
	const char *const *capabilities; /* NULL-terminated: "zones", "node-failure"… */
	bool virtual_time;               /* passing time costs nothing: it can be looked at every change */
};

/* --- the language: parsed once; errors name file and line; unknown keys name the nearest known one --- */
struct check_step;
struct check_check;
/* `dir`: where the files that steps name lie. */
KT_MUST_CHECK enum kt_code check_steps_parse(const struct kt_yaml *yaml, const struct kt_json *node,
                                             const char *dir, struct check_step ***out, size_t *count,
                                             struct kt_err *err);
void check_steps_free(struct check_step **steps, size_t count);
/* The steps that a document of a solution holds (a list, `steps:` and a list, one step alone), for
 * check_steps_parse(); NULL: it holds objects. */
const struct kt_json *check_steps_in(const struct kt_json *doc);
KT_MUST_CHECK enum kt_code check_checks_parse(const struct kt_yaml *yaml, const struct kt_json *node,
                                              const char *dir, struct check_check ***out, size_t *count,
                                              struct kt_err *err);
void check_checks_free(struct check_check **checks, size_t count);
/* The capability that a step needs beyond the API ("zones"…), for lint: NULL none. */
const char *check_step_needs(const struct check_step *step);
const char *check_check_needs(const struct check_check *check);
/* Does it cordon or drain machines? (A cluster of somebody else's may forbid it.) */
bool check_touches_nodes(const struct check_check *check);
bool check_has_drill(const struct check_check *check); /* it takes time, and disturbs */
/* How much of the cluster's time its drills take when they hold: their `for`, and the waits in their steps.
 */
kt_ns check_drill_span(const struct check_check *check);

/* On every pod that a check starts for its purpose. A check deletes its own; one that was killed did not, and
 * whoever comes next deletes what is older than any check. */
#define CHECK_PROBE_LABEL "ktutor.dev/probe"

enum check_status { CHECK_PASSED, CHECK_FAILED, CHECK_UNKNOWN };
struct check_finding {
	enum check_status status;
	const char *check;      /* its kind: "connect"; static */
	char *expected, *found; /* owned sentences, cleaned of control characters */
	char *object, *path;    /* where; may be NULL */
	char *table;            /* matrix: lines of text with the wrong cells marked; may be NULL */
	kt_ns at;               /* the cluster's time of the finding (for drills: when it broke) */
};
void check_finding_clear(struct check_finding *finding);

struct check_run {
	struct check_client *client;
	const struct check_world *world;
	/* Told while something is waited for or done, for screens; may be NULL. Returns false to cancel. */
	bool (*progress)(void *arg, const char *sentence, kt_ns elapsed, kt_ns limit);
	void *progress_arg;
	/* Told at every moment of a drill that is looked at, `since` its beginning, of `span`; may be NULL.
	 */
	void (*moment)(void *arg, kt_ns since, kt_ns span);
	void *moment_arg;
	bool no_wait;    /* look once, without `within` and pods of its own (the screen's live marks) */
	bool once;       /* look once; pods of its own are started (predictions) */
	bool no_drills;  /* drills yield CHECK_UNKNOWN "not run" */
	bool all_drills; /* they are run even where another check of the task fails already */
	const struct kt_json *answers; /* what the learner typed: {question: answer}; may be NULL */
	const struct kt_json *record; /* what the learner has done, as db_progress_read has it; may be NULL */
	bool answer_rightly;          /* proofs: take the cluster's own answers for the learner's */
	kt_ns began;                  /* the cluster's time at which a drill began; 0: none is going on */
	kt_ns settling; /* the cluster's time from which `within` counts; 0: from `began`, or from each call
	                 */
	uint64_t seed;
};
/* Do steps in order. The error names the step's file and line. */
KT_MUST_CHECK enum kt_code check_do(const struct check_run *run, struct check_step *const *steps,
                                    size_t count, struct kt_err *err);
/* Apply an object, a List, an array of objects, as the step `apply` does. */
KT_MUST_CHECK enum kt_code check_apply_object(const struct check_run *run, const struct kt_json *object,
                                              struct kt_err *err);
/* Evaluate all; `findings` is a zeroed array of `count`. */
void check_look(const struct check_run *run, struct check_check *const *checks, size_t count,
                struct check_finding *findings);
/* Which sets a check looks at ("pods shop"), so that a watch on them tells when to look again. New array of
 * strings. */
struct kt_json *check_watches(struct check_check *const *checks, size_t count);
/* A prediction's value ({objects: …, count: ready}, {of: OBJECT, path: …}, {record: labs, …}) now. New value.
 */
KT_MUST_CHECK enum kt_code check_value(const struct check_run *run, const struct kt_json *spec,
                                       struct kt_json **out, struct kt_err *err);

/* Has `spec` the shape of such a value? */
KT_MUST_CHECK enum kt_code check_value_hold(const struct kt_yaml *yaml, const struct kt_json *spec,
                                            struct kt_err *err);
/* Is what was typed the same as what the cluster says: by value, lists in any order? */
bool check_answer_is(const struct kt_json *right, const char *typed);

/* --- reports --- */
struct check_report_task {
	const char *task, *title, *why;
	unsigned points;
	bool blocked; /* `after` not passed: not graded */
	const struct check_finding *findings;
	size_t finding_count;
	unsigned hints_left;
	kt_ns took;
};
enum check_format { CHECK_TEXT, CHECK_JSON, CHECK_JUNIT, CHECK_TAP };
bool check_format_parse(const char *word, enum check_format *out);
/* Findings with the same cause are shown once. `colour`: ANSI. */
void check_report(enum check_format format, const char *lab, const struct check_report_task *tasks,
                  size_t count, bool colour, struct kt_buf *out);
enum check_status check_task_status(const struct check_report_task *task);

#endif
