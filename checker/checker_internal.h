/* SPDX-License-Identifier: MIT */
/* What the files of the scenario language share. A construct of the language is a row: its name, the shape of
 * what stands behind it, and what it does. Steps and checks keep the YAML nodes they were read from; shapes
 * were held when they were parsed. */
#ifndef CHECKER_INTERNAL_H
#define CHECKER_INTERNAL_H

#include "checker/checker.h"

/* --- shapes: what may stand where (shape.c) --- */
enum check_type {
	CHECK_T_ANY,
	CHECK_T_TEXT,
	CHECK_T_INT,
	CHECK_T_NUMBER,
	CHECK_T_BOOL,
	CHECK_T_DURATION,
	CHECK_T_OBJECT, /* "KIND [NAMESPACE/]NAME" */
	CHECK_T_SET,    /* "KINDS NAMESPACE [SELECTOR]" */
	CHECK_T_OF,     /* an object or a set */
	CHECK_T_OFS,    /* one of them or a list */
	CHECK_T_EXPECT, /* a scalar, a list, or operators */
	CHECK_T_PATHS,  /* {PATH: EXPECT} */
	CHECK_T_WHO,
	CHECK_T_WHOM,
	CHECK_T_WHOS, /* {NAME: WHO} */
	CHECK_T_WHOMS,
	CHECK_T_PICK, /* a selection of nodes or pods */
	CHECK_T_MAP,
	CHECK_T_LIST,
	CHECK_T_TEXTS, /* a text or a list of them */
	CHECK_T_FILES, /* a file beside lab.yaml, or a list */
	CHECK_T_STEPS,
	CHECK_T_CHECK,
	CHECK_T_CHECKS,
	CHECK_T_WORD,   /* one of `words` */
	CHECK_T_STRUCT, /* `inner` */
};
struct check_shape {
	const char *key;
	enum check_type type;
	bool required;
	const char *words;               /* "up|down" for CHECK_T_WORD */
	const struct check_shape *inner; /* for CHECK_T_STRUCT; ends with a row without key */
};
struct check_source {
	const struct kt_yaml *yaml;
	const char *dir;
	unsigned depth; /* of checks inside checks: capped */
	struct kt_err *err;
};
/* `node` is a map with keys of `shapes` only, each as its type wants it. */
KT_MUST_CHECK enum kt_code check_shape_hold(const struct check_source *source, const struct kt_json *node,
                                            const struct check_shape *shapes, const char *what);
KT_MUST_CHECK enum kt_code check_type_hold(const struct check_source *source, const struct kt_json *value,
                                           const struct check_shape *shape);
/* Fail at `node` naming the nearest of the keys. */
enum kt_code check_unknown_key(const struct check_source *source, const struct kt_json *node, const char *key,
                               const char *what, const char *const *known, size_t count);
/* "3m", "90s": a duration that was held; 0 where absent. */
kt_ns check_duration(const struct kt_json *value, kt_ns otherwise);

/* --- steps and checks --- */
struct check_step_kind {
	const char *name;
	const struct check_shape *shapes; /* of the value when it is a map; */
	enum check_type scalar;           /* what else the value may be; CHECK_T_ANY: only a map */
	const char *needs;                /* a capability */
	enum kt_code (*hold)(const struct check_source *source, const struct kt_json *body); /* may be NULL */
	enum kt_code (*run)(const struct check_run *run, const struct check_step *step, struct kt_err *err);
};
struct check_step {
	const struct check_step_kind *kind;
	const struct kt_yaml *yaml;
	const struct kt_json *node, *body; /* the whole map; what stands behind the step's name */
	char *dir;
	struct check_check **until; /* wait: {for: CHECK} */
	size_t until_count;
};
extern const struct check_step_kind check_step_kinds[];
extern const size_t check_step_kind_count;

struct check_check_kind {
	const char *name;
	const struct check_shape *shapes; /* keys beside the name, or of the value when `inside` */
	enum check_type scalar;           /* what the value is when the keys stand beside it */
	bool inside;                      /* the keys stand inside the value */
	const char *needs;
	enum kt_code (*hold)(const struct check_source *source, const struct kt_json *body); /* may be NULL */
	void (*look)(const struct check_run *run, const struct check_check *check,
	             struct check_finding *finding);
};
struct check_check {
	const struct check_check_kind *kind;
	const struct kt_yaml *yaml;
	const struct kt_json *node, *body;
	char *dir;
	kt_ns within;
	bool patient;                       /* `within` is written there */
	struct check_check **checks, **end; /* all, any, not, drill.hold; drill.end */
	size_t check_count, end_count;
	struct check_step **steps; /* drill.do */
	size_t step_count;
};
extern const struct check_check_kind check_check_kinds[];
extern const size_t check_check_kind_count;
KT_MUST_CHECK enum kt_code check_check_parse(const struct check_source *source, const struct kt_json *node,
                                             struct check_check **out);
KT_MUST_CHECK enum kt_code check_checks_read(const struct check_source *source, const struct kt_json *node,
                                             struct check_check ***out, size_t *count);
KT_MUST_CHECK enum kt_code check_steps_read(const struct check_source *source, const struct kt_json *node,
                                            struct check_step ***out, size_t *count);
void check_check_free(struct check_check *check);
/* Look once, without waiting. `finding` starts zeroed. */
void check_look_once(const struct check_run *run, const struct check_check *check,
                     struct check_finding *finding);
/* Tell; false: cancelled. */
bool check_tell(const struct check_run *run, kt_ns elapsed, kt_ns limit, const char *fmt, ...)
        KT_PRINTF(4, 5);

/* --- findings --- */
void check_expected(struct check_finding *finding, const char *fmt, ...) KT_PRINTF(2, 3);
void check_found(struct check_finding *finding, enum check_status status, const char *fmt, ...)
        KT_PRINTF(3, 4);
/* The cluster did not answer (or could not be asked): never a failure. */
void check_unknown(struct check_finding *finding, const struct kt_err *err);
void check_where(struct check_finding *finding, const char *object, const char *path);

/* --- what must be (expect.c) --- */
/* Do `values` (what a path yielded) fit? */
bool check_fits(const struct kt_json *expect, const struct kt_json *values);
/* Compare by value: numbers, quantities, durations, times, percentages; -2: cannot be compared. */
int check_compare(const struct kt_json *a, const struct kt_json *b);
/* yes/no, true/false, on/off, with or without quotes. */
bool check_is_bool(const struct kt_json *v);
bool check_bool(const struct kt_json *v, bool otherwise);
void check_describe(const struct kt_json *expect, struct kt_buf *out); /* "at least 3" */
void check_show(const struct kt_json *values, struct kt_buf *out);     /* "2", "nothing", "a, b" */
KT_MUST_CHECK enum kt_code check_expect_hold(const struct check_source *source, const struct kt_json *expect);

/* --- references (refs.c) --- */
struct check_ref {
	struct check_resource resource;
	char ns[64], name[254];
	char selector[512]; /* of a set */
	bool is_set;
};
/* "deployment shop/web" (object) or "pods shop app=web" (set). The namespace defaults to "default". */
KT_MUST_CHECK enum kt_code check_ref_object(const struct check_run *run, const char *words,
                                            struct check_ref *out, struct kt_err *err);
KT_MUST_CHECK enum kt_code check_ref_set(const struct check_run *run, const char *words,
                                         struct check_ref *out, struct kt_err *err);
/* An object or a set, as the words read. */
KT_MUST_CHECK enum kt_code check_ref_of(const struct check_run *run, const char *words, struct check_ref *out,
                                        struct kt_err *err);
/* May one of the pods stand on the node (selector, affinity, taints, cordon)? A selector that names a place
 * itself (the label `over`, a zone, a machine) keeps none away. (placement.c) */
bool check_takes_one_of(const struct kt_json *node, const struct kt_json *pods, const char *over);
/* The API path of an object or a set; owned. */
char *check_ref_path(const struct check_ref *ref);
/* An object; KT_ENOTFOUND where it is not there. */
KT_MUST_CHECK enum kt_code check_get(const struct check_run *run, const struct check_ref *ref,
                                     struct kt_json **out, struct kt_err *err);
/* The items of a set; a new array. */
KT_MUST_CHECK enum kt_code check_list(const struct check_run *run, const struct check_ref *ref,
                                      struct kt_json **out, struct kt_err *err);
KT_MUST_CHECK enum kt_code check_list_words(const struct check_run *run, const char *words,
                                            struct kt_json **out, struct kt_err *err);
/* The pods behind an object (by its selector), a pod, a service, or a set of pods. New array. */
KT_MUST_CHECK enum kt_code check_pods_of(const struct check_run *run, const char *words, struct kt_json **out,
                                         struct kt_err *err);
/* One of the object's conditions, by its type; NULL. Borrowed. */
const struct kt_json *check_condition(const struct kt_json *object, const char *type);
bool check_pod_ready(const struct kt_json *pod);
bool check_pod_active(const struct kt_json *pod); /* not ended, not being deleted */
/* NODES and PODS selections. New array of objects. */
KT_MUST_CHECK enum kt_code check_pick(const struct check_run *run, const struct kt_json *pick, bool nodes,
                                      struct kt_json **out, struct kt_err *err);
/* A request that must succeed; the Status' message otherwise. */
KT_MUST_CHECK enum kt_code check_call(const struct check_run *run, const char *method, const char *path,
                                      const char *content_type, const struct kt_json *body,
                                      struct kt_json **out, struct kt_err *err);
/* A label selector (matchLabels, matchExpressions, or a plain map) as the query's text. */
void check_selector_text(const struct kt_json *selector, bool plain, struct kt_buf *out);

/* The operators of `body` beside the key `besides`, as an EXPECT ("at least 1" where there is none). New. */
struct kt_json *check_operators(const struct kt_json *body, const char *besides);

/* "a > x" as its two names, owned; false: no pair. */
bool check_matrix_pair(const char *text, char **left, char **right);

/* What stands in `{manifest: …}`, where a file could be named; NULL: it is something else. */
const struct kt_json *check_written_here(const struct kt_json *value);

/* --- what stands behind a failure, added to what was found; nothing where nothing is known (reasons.c) ---
 */
/* Why pods of `words` are not Ready, or could not be made: " (2 × ImagePullBackOff; its readiness probe does
 * not pass)". */
void check_tell_unready(const struct check_run *run, const char *words, const struct kt_json *pods,
                        struct kt_buf *out);
/* The same of the pods behind an object or in a set. */
void check_tell_behind(const struct check_run *run, const char *words, struct kt_buf *out);
void check_tell_pod(const struct check_run *run, const struct kt_json *pod, struct kt_buf *out); /* of one */
/* What the conditions and events of an object without pods of its own say of its status. */
void check_tell_object(const struct check_run *run, const struct kt_json *object, struct kt_buf *out);
/* The last event about `object` with one of these reasons (NULL ends them): "FailedMount: …"; false: none. */
bool check_tell_event(const struct check_run *run, const struct kt_json *object, const char *const *reasons,
                      struct kt_buf *out);
/* What keeps an object that is being deleted: " (finalizers: example.com/keep)". */
void check_tell_held(const struct kt_json *object, struct kt_buf *out);
/* Whom a Service sends to: " (endpoints of web: 2, port 8080)", " (service web has no endpoints)". */
void check_tell_endpoints(const struct check_run *run, const char *ns, const char *service,
                          struct kt_buf *out);
/* The largest causes of requests that were not answered: "; not: 412: …". */
void check_tell_lost(const struct kt_json *traffic, struct kt_buf *out);

/* Before a drill: wait until rollouts have ended and autoscalers have reached their minimum, a minute at
 * most. (rollouts.c) */
void check_wait_for_rollouts(const struct check_run *run);

/* --- what a shape alone cannot say, held when a file is read --- */
enum kt_code check_hold_matrix(const struct check_source *source, const struct kt_json *body);
enum kt_code check_hold_http(const struct check_source *source, const struct kt_json *body);
enum kt_code check_hold_can(const struct check_source *source, const struct kt_json *body);
enum kt_code check_hold_answer(const struct check_source *source, const struct kt_json *body);

/* --- looking (one function a check) --- */
void check_look_object(const struct check_run *run, const struct check_check *check,
                       struct check_finding *finding);
void check_look_absent(const struct check_run *run, const struct check_check *check,
                       struct check_finding *finding);
/* Which Ingress or HTTPRoute knows a host, and the object that has the address: the Ingress, or its Gateway
 * (NULL: not there). KT_ENOTFOUND: none. */
struct check_edge {
	struct kt_json *rules, *door;
	bool is_gateway;
};
KT_MUST_CHECK enum kt_code check_edge_find(const struct check_run *run, const char *host,
                                           struct check_edge *out);
const char *check_edge_address(const struct check_edge *edge); /* NULL: none yet */
void check_edge_clear(struct check_edge *edge);
/* "host shop.example" in the world's words, "ingress shop/web"; any other words as they are. Owned. */
KT_MUST_CHECK enum kt_code check_edge_words(const struct check_run *run, const char *words, char **out,
                                            struct kt_err *err);
/* What `count`, `each`, `some` … of `node` ask of these rows, which are called `words`. */
void check_look_rows(const struct check_run *run, const char *words, const struct kt_json *items,
                     const struct kt_json *node, struct check_finding *finding);
/* Those that fit `where` (paths; NULL: all). New. */
struct kt_json *check_rows_where(const struct kt_json *rows, const struct kt_json *where);
/* What became of the requests to `words` since the run began: `answered` (per cent), `offered` (requests),
 * `p50`, `p95`, `p99` (milliseconds). */
KT_MUST_CHECK enum kt_code check_traffic_value(const struct check_run *run, const char *words,
                                               const char *path, struct kt_json **out, struct kt_err *err);
/* The rows of one part of the learner's record. New. KT_EUNREACHABLE: nobody keeps one. */
KT_MUST_CHECK enum kt_code check_record_rows(const struct check_run *run, const char *part,
                                             struct kt_json **out, struct kt_err *err);
#define CHECK_RECORDS "lessons|answers|labs|tasks|predictions|unlocks|days"
void check_look_record(const struct check_run *run, const struct check_check *check,
                       struct check_finding *finding);
void check_look_objects(const struct check_run *run, const struct check_check *check,
                        struct check_finding *finding);
void check_look_ready(const struct check_run *run, const struct check_check *check,
                      struct check_finding *finding);
void check_look_connect(const struct check_run *run, const struct check_check *check,
                        struct check_finding *finding);
void check_look_matrix(const struct check_run *run, const struct check_check *check,
                       struct check_finding *finding);
void check_look_http(const struct check_run *run, const struct check_check *check,
                     struct check_finding *finding);
void check_look_can(const struct check_run *run, const struct check_check *check,
                    struct check_finding *finding);
void check_look_refused(const struct check_run *run, const struct check_check *check,
                        struct check_finding *finding);
void check_look_answer(const struct check_run *run, const struct check_check *check,
                       struct check_finding *finding);
void check_look_drill(const struct check_run *run, const struct check_check *check,
                      struct check_finding *finding);
void check_look_available(const struct check_run *run, const struct check_check *check,
                          struct check_finding *finding);
void check_look_all(const struct check_run *run, const struct check_check *check,
                    struct check_finding *finding);
void check_look_any(const struct check_run *run, const struct check_check *check,
                    struct check_finding *finding);
void check_look_not(const struct check_run *run, const struct check_check *check,
                    struct check_finding *finding);

#endif
