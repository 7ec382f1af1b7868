/* SPDX-License-Identifier: MIT */
/* labs: the labs as data, the providers that start clusters for them, and their life: start, check, hint,
 * solution, reset, stop; and the proof that each is sound (course test). */
#ifndef LABS_H
#define LABS_H

#include "checker/checker.h"
#include "lessons/lessons.h"

struct lab_task {
	const char *task, *title, *text, *why;
	unsigned points;
	const char *const *after;
	size_t after_count;
	struct check_check **checks;
	size_t check_count;
	const char *const *hints;
	size_t hint_count;
	bool has_drill;
};
struct lab {
	const char *lab, *title, *lesson, *dir;
	const char *think; /* a question to take along, asked when it is passed; NULL: none */
	unsigned minutes;
	const char *const *needs;      /* NULL-terminated capabilities */
	const struct kt_json *cluster; /* {nodes: [{pool, count, zones, cpu, memory, labels, taints,
	                                  version…}]} as written */
	struct check_step **setup;
	size_t setup_count;
	struct lab_task *tasks;
	size_t task_count;
	const size_t *order; /* in which they are graded: those that `after` names first, else as written */
	const char *source;  /* the folder that was written; `dir` may be a copy with what was drawn in it */
	size_t draw, draws;  /* which of how many variants this is: what `vary` may draw */
	const struct kt_json *drawn; /* {zone: b, …} */
	struct lab_inner *inner;
};
/* Read a lab's folder. Errors: "lab 'x': lab.yaml:31: …". Of what varies it has the first value of each. */
KT_MUST_CHECK enum kt_code lab_new(const char *dir, struct lab **out, struct kt_err *err);
/* Variant `draw` (of its draws; larger ones begin again). */
KT_MUST_CHECK enum kt_code lab_new_drawn(const char *dir, size_t draw, struct lab **out, struct kt_err *err);
/* Variants that have every value of every name at least once: there are lab_covers(), the first is 0. */
size_t lab_covers(const struct lab *lab);
size_t lab_cover(const struct lab *lab, size_t i); /* a draw */
/* Lay the variant down as a folder below `home`: all of the lab's own, with what was drawn put in, manifests,
 * answers and texts alike; `*lab` is then that of the folder. One that does not vary stays where it is. What
 * lies there already is used, unless the lab was written anew since. */
KT_MUST_CHECK enum kt_code lab_lay(const char *home, struct lab **lab, struct kt_err *err);
/* The variant that was drawn when the lab was started in this home, laid down, in the place of `*lab`; and
 * another one for a start: the first there is in this home, after that any but the last. $KTUTOR_DRAW fixes
 * which. */
KT_MUST_CHECK enum kt_code lab_as_drawn(const char *home, struct lab **lab, struct kt_err *err);
KT_MUST_CHECK enum kt_code lab_draw_anew(const char *home, struct lab **lab, struct kt_err *err);
void lab_free(struct lab *lab);
/* All labs below `dir` (share/labs), $KTUTOR_LABS (folders, with colons) and the packs that were added, by
 * lesson. A lab that is wrong is left out; `wrong` (may be NULL) gets a sentence for each: file, line,
 * remedy. */
KT_MUST_CHECK enum kt_code lab_list(const char *dir, struct lab ***out, size_t *count, struct kt_strs *wrong,
                                    struct kt_err *err);
/* Only those in or below one folder; KT_ENOTFOUND where there is none. */
KT_MUST_CHECK enum kt_code lab_list_below(const char *folder, struct lab ***out, size_t *count,
                                          struct kt_strs *wrong, struct kt_err *err);
/* Packs from elsewhere: folders, kept in HOME/packs. */
KT_MUST_CHECK enum kt_code lab_packs(struct kt_strs *out, struct kt_err *err);
KT_MUST_CHECK enum kt_code lab_pack_add(const char *folder, struct kt_err *err);
KT_MUST_CHECK enum kt_code lab_pack_remove(const char *folder, struct kt_err *err); /* KT_ENOTFOUND */
/* A name that contains a slash or a dot is a folder. */
KT_MUST_CHECK enum kt_code lab_find(const char *dir, const char *name, struct lab **out,
                                    struct kt_err *err); /* unknown: names the nearest */
void lab_list_free(struct lab **labs, size_t count);
/* Node objects (a v1 List) that lab->cluster asks for, one control plane added. New. */
struct kt_json *lab_nodes(const struct lab *lab);

/* --- providers: one row each in labs/providers.c --- */
struct lab_session; /* a lab on a cluster */
struct lab_options;
struct provider {
	const char *name, *title;        /* "embedded", "kind", "context" */
	const char *const *capabilities; /* NULL-terminated */
	bool foreign;   /* somebody else's cluster: a start that fails leaves nothing on it */
	bool real_time; /* its minutes are minutes: a drill is watched, left, taken up again */
	/* Is it possible on this machine? `why` (1 sentence with the remedy) if not. Quick: asks no program.
	 */
	bool (*available)(const char *home, char why[512]);
	/* Start (or find) a cluster that fits; writes a kubeconfig below the home. `*bare`: nothing of the
	 * lab is on it (any more): it is to be set up. A bare one whose time can stand is held (check_world's
	 * `hold`) for whoever sets it up. Cancelled by options->progress: KT_ECANCELLED, nothing left. */
	enum kt_code (*start)(const struct lab_options *options, const char *cluster, const struct lab *lab,
	                      char **out_kubeconfig, bool *bare, struct kt_err *err);
	/* The lab leaves it. Embedded: it ends; others are put back to how they were. */
	enum kt_code (*stop)(const struct lab_options *options, const char *cluster, struct kt_err *err);
	/* The world of a running cluster, for check_run; owned by the caller: world_free. */
	enum kt_code (*world)(const char *home, const char *cluster, struct check_world **out,
	                      struct kt_err *err);
	void (*world_free)(struct check_world *world);
	/* Back to how it was when setup had ended: instantly where snapshots are; where `*bare` becomes true,
	 * by deleting what the lab made, and set-up is to be done again. */
	enum kt_code (*mark)(const char *home, const char *cluster, struct kt_err *err);
	enum kt_code (*reset)(const struct lab_options *options, const char *cluster, const struct lab *lab,
	                      bool *bare, struct kt_err *err);
	/* --- for `ktutor cluster`: NULL where these have no meaning --- */
	/* [{cluster, provider, status, server, kubeconfig, lab…}], without asking a cluster. New. */
	enum kt_code (*list)(const char *home, struct kt_json **out, struct kt_err *err);
	/* Delete one, held or not. KT_ENOTFOUND. */
	enum kt_code (*down)(const struct lab_options *options, const char *cluster, struct kt_err *err);
	/* Why task `i` cannot be graded there, a phrase ("it takes machines down"), or NULL: it can. Where
	 * this is given, a lab whose capabilities are not all there still starts, if one of its tasks can be
	 * graded. */
	const char *(*cannot)(const char *home, const char *cluster, const struct lab *lab, size_t i);
	/* A client of the cluster, with what it must refuse; NULL: one of the kubeconfig, which may do
	 * everything. */
	enum kt_code (*client)(const char *home, const char *cluster, struct check_client **out,
	                       struct kt_err *err);
};
extern const struct provider *const providers[]; /* NULL-terminated; the embedded one first */
const struct provider *provider_find(const char *name);
/* What of `lab->needs` the provider lacks; NULL: nothing. */
const char *provider_lacks(const struct provider *provider, const struct lab *lab);

/* --- a lab's life. State (current lab, its provider, when it began) is under `home`/labs/LAB. --- */
struct lab_options {
	const char *home;                /* $KTUTOR_HOME */
	const struct provider *provider; /* NULL: the embedded one */
	const char *context;             /* for provider context */
	const char *cluster;             /* the cluster's name; NULL: after the lab */
	bool fresh;                      /* throw away what is there */
	bool held; /* its time stands, where that can be, from before the set-up until this process ends, or
	              the lab: proofs, lessons' commands, predictions */
	bool (*progress)(void *arg, const char *sentence, kt_ns elapsed, kt_ns usual); /* false cancels */
	void *progress_arg;
	const char *image; /* for provider kind: the nodes'; NULL: $KTUTOR_KIND_IMAGE, the setting
	                      `kind-image`, the pinned one */
	/* for provider context: what the person allowed */
	const char *kubeconfig; /* NULL: $KUBECONFIG, else ~/.kube/config */
	bool yes, allow_nodes, allow_cluster, allow_exec;
	bool (*ask)(void *arg, const char *question); /* NULL: nobody is there to be asked */
	void *ask_arg;
	void (*tell)(void *arg, const char *line); /* what is to be known beforehand; NULL: nobody reads it */
	void *tell_arg;
};
/* Cluster up, setup done, marked for reset. A lab that runs already is found again. While it is set up time
 * passes only where a step waits: the same lab and seed begins with the same cluster, to the letter but for
 * when that was. */
KT_MUST_CHECK enum kt_code lab_start(const struct lab *lab, const struct lab_options *options,
                                     char **out_kubeconfig, struct kt_err *err);
KT_MUST_CHECK enum kt_code lab_reset(const struct lab *lab, const struct lab_options *options,
                                     struct kt_err *err);
KT_MUST_CHECK enum kt_code lab_stop(const struct lab *lab, const struct lab_options *options,
                                    struct kt_err *err);
/* What is kept of a lab that was started: {provider, cluster, kubeconfig, ready, started}. New; NULL:
 * nothing. */
struct kt_json *lab_state(const char *home, const char *lab);
/* The folder of the lab started last (for lab_new), NULL if none; owned. */
char *lab_current(const char *home);
/* KT_EUNREACHABLE with "start it with `ktutor lab start X`" when it does not run. */
KT_MUST_CHECK enum kt_code lab_open(const struct lab *lab, const struct lab_options *options,
                                    struct lab_session **out, struct kt_err *err);
void lab_close(struct lab_session *session);
struct check_client *lab_client(struct lab_session *session);
const struct check_world *lab_world(struct lab_session *session);
const char *lab_kubeconfig(const struct lab_session *session);

struct lab_result {
	struct check_report_task *tasks; /* one a lab task, in order */
	size_t task_count;
	unsigned points, points_of;
	bool passed, unknown;
	struct lab_result_inner *inner;
};
struct lab_check_options {
	const char *task; /* NULL: all */
	bool no_wait, no_drills, all_drills;
	bool ignore_after;             /* grade tasks even where those before them did not pass */
	bool first_failure;            /* enough is known when one task fails */
	const struct kt_json *answers; /* the learner's: {question: answer}; may be NULL */
	const struct kt_json *record;  /* what the learner has done (db_progress_read); may be NULL */
	bool answer_rightly;           /* proofs */
	bool (*progress)(void *arg, const char *sentence, kt_ns elapsed, kt_ns limit);
	void *progress_arg;
	/* At every moment of a task's drill that is looked at; may be NULL. */
	void (*moment)(void *arg, const struct lab_task *task, kt_ns since, kt_ns span);
	void *moment_arg;
};
/* Grade. Tasks whose `after` did not pass are blocked. */
KT_MUST_CHECK enum kt_code lab_check(struct lab_session *session, const struct lab *lab,
                                     const struct lab_check_options *options, struct lab_result **out,
                                     struct kt_err *err);
void lab_result_free(struct lab_result *result);
/* The objects of the given solution beside the learner's: [{kind, namespace, name, there, nearest (the name
 * of the one of the kind that is most like it, where none has its name), differences: [{path, yours,
 * given}]}]. By meaning: a dry run lets the cluster fill in what is not written. Changes nothing. New. */
struct kt_json *lab_compare(struct lab_session *session, const struct lab *lab);

/* What is wrong with a lab as it lies there: parts that are missing, needs that are not declared, kinds and
 * fields that Kubernetes does not have. A sentence each; how many. */
unsigned lab_lint(const struct lab *lab, void (*told)(void *arg, const char *line), void *told_arg);
/* What is wrong between lessons and labs: one that names the other, which is not there; kinds and fields in a
 * lesson's YAML that Kubernetes does not have. */
void lab_lint_course(const struct lesson_course *course, struct lab *const *labs, size_t count,
                     struct lesson_pencil *pencil);

/* Run the commands that a lesson shows where its lab begins, and hold what it shows against what they print.
 * `bin`: a folder that comes first on PATH. Needs kubectl. */
void lab_lint_commands(const struct lesson *lesson, const struct lab *lab, const struct lab_options *options,
                       const char *bin, struct lesson_pencil *pencil);

/* --- proof (course test): start fails every task, solution passes, each also-right passes, each wrong fails
 * as its expect.yaml says; then mutations --- */
enum { LAB_PROOF_START = 1, LAB_PROOF_SOLUTION = 2, LAB_PROOF_WRONG = 4, LAB_PROOF_ALSO_RIGHT = 8 };
/* "start,solution" -> parts; false: an unknown word. */
bool lab_proof_parts(const char *words, unsigned *out);
struct lab_proof_options {
	const struct lab_options *options;
	bool mutate; /* also: change the solution bit by bit; report what no check notices */
	void (*told)(void *arg, const char *line);
	void *told_arg;
	unsigned seeds; /* so many variants are drawn and proved in full; 0: the solution with every value
	                   once */
	unsigned parts; /* LAB_PROOF_…; 0: all */
	kt_ns until;    /* nothing new is begun after it (kt_monotonic); 0: never. What is left out is told */
};
struct lab_proof_result {
	unsigned failures, left_out;
	kt_ns start, reset, check; /* what the start, and the solution's reset and check took */
};
/* `lab` is laid down (lab_lay) in the options' home. */
KT_MUST_CHECK enum kt_code lab_prove(const struct lab *lab, const struct lab_proof_options *options,
                                     struct lab_proof_result *out, struct kt_err *err);

#endif
