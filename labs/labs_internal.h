/* SPDX-License-Identifier: MIT */
/* What the files of labs/ share. */
#ifndef LABS_INTERNAL_H
#define LABS_INTERNAL_H

#include "labs/labs.h"

#define LAB_NAMES_MAX 16 /* names that vary */
struct lab_inner {
	struct kt_arena arena;
	struct kt_yaml *yaml; /* checks and steps refer to its nodes */
	struct kt_json *drawn;
	size_t counts[LAB_NAMES_MAX], names; /* how many values each drawn name may have */
};
struct lab_session {
	const struct provider *provider;
	struct check_client *client;
	struct check_world *world;
	char *kubeconfig, *cluster, *home;
};

/* Read a file of which something is drawn (`vary`, `meaning`): `pick` gives an index below `count`, once for
 * each name. *drawn: {zone: b, …}, new. */
KT_MUST_CHECK enum kt_code lab_draw(const char *path, size_t (*pick)(void *arg, size_t count), void *arg,
                                    struct kt_yaml **yaml, struct kt_json **drawn, struct kt_err *err);

/* Put what was drawn in place of `{name}`, and sums of it in place of `{=SUM}`, but in the blocks that say
 * what may be drawn. `where` is the file, for an error with its line. *out is owned. */
KT_MUST_CHECK enum kt_code lab_put_in(const char *where, const char *text, const struct kt_json *drawn,
                                      char **out, struct kt_err *err);
/* ceil(replicas * 3 / 2), replicas > 3 ? 1 : 0; the names are what was drawn. */
KT_MUST_CHECK enum kt_code lab_reckon(const char *sum, const struct kt_json *drawn, double *out,
                                      struct kt_err *err);

/* What was applied a moment ago has not been acted on yet: let virtual time pass until nothing has changed
 * for three seconds, fifteen at most; a second of real time. */
void lab_settle(const struct check_world *world);

/* Every zone and region that steps name is one of the lab's machines'; else file, line and what there is. */
KT_MUST_CHECK enum kt_code lab_hold_places(const struct lab *lab, const struct kt_yaml *yaml,
                                           const struct kt_json *doc, struct kt_err *err);

/* What is kept of a lab that was started: HOME/labs/LAB/state.json. */
struct lab_state {
	char provider[32], cluster[64];
	char *kubeconfig;
	bool ready;    /* setup is done and marked */
	kt_ns started; /* wall clock */
};
KT_MUST_CHECK enum kt_code lab_state_read(const char *home, const struct lab *lab, struct lab_state *out,
                                          struct kt_err *err); /* KT_ENOTFOUND: none */
KT_MUST_CHECK enum kt_code lab_state_write(const char *home, const struct lab *lab,
                                           const struct lab_state *state, struct kt_err *err);
void lab_state_remove(const char *home, const struct lab *lab);
void lab_state_clear(struct lab_state *state);
/* One process at a time starts, resets or stops a lab; who comes second waits and says so. */
KT_MUST_CHECK enum kt_code lab_lock(const struct lab *lab, const struct lab_options *options, int *out,
                                    struct kt_err *err);
void lab_unlock(int lock);

/* A file that may stand beside a lab or a lesson: a list of maps. */
struct lab_rows {
	const char *file, *what;      /* "survivors.yaml", "a survivor" */
	const char *example, *wanted; /* for what is no list; for a row without what is required */
	const char *const *keys;
	size_t key_count, required; /* the first of the keys; texts */
};
/* *out stays NULL where there is none. */
KT_MUST_CHECK enum kt_code lab_read_rows(const struct lab_rows *shape, const char *dir, struct kt_yaml **out,
                                         struct kt_err *err);
const struct kt_json *lab_rows_of(const struct kt_yaml *yaml); /* NULL: none */

/* The rows of the table of providers. */
extern const struct provider provider_embedded, provider_kind, provider_context;

#endif
