/* SPDX-License-Identifier: MIT */
/* What each step does. */
#ifndef CHECKER_STEPS_INTERNAL_H
#define CHECKER_STEPS_INTERNAL_H

#include "checker/checker_internal.h"

/* steps_api.c: through the Kubernetes API */
enum kt_code check_do_apply(const struct check_run *run, const struct check_step *step, struct kt_err *err);
enum kt_code check_do_delete(const struct check_run *run, const struct check_step *step, struct kt_err *err);
enum kt_code check_do_patch(const struct check_run *run, const struct check_step *step, struct kt_err *err);
enum kt_code check_do_scale(const struct check_run *run, const struct check_step *step, struct kt_err *err);
enum kt_code check_do_set_image(const struct check_run *run, const struct check_step *step,
                                struct kt_err *err);
enum kt_code check_do_restart(const struct check_run *run, const struct check_step *step, struct kt_err *err);
/* steps_nodes.c: nodes, the world, time */
enum kt_code check_do_cordon(const struct check_run *run, const struct check_step *step, struct kt_err *err);
enum kt_code check_do_uncordon(const struct check_run *run, const struct check_step *step,
                               struct kt_err *err);
enum kt_code check_do_drain(const struct check_run *run, const struct check_step *step, struct kt_err *err);
/* Asks once for each pod that is picked; a budget that refuses is no error. */
enum kt_code check_do_evict(const struct check_run *run, const struct check_step *step, struct kt_err *err);
enum kt_code check_do_disturb(const struct check_run *run, const struct check_step *step, struct kt_err *err);
enum kt_code check_do_pod(const struct check_run *run, const struct check_step *step, struct kt_err *err);
enum kt_code check_do_wait(const struct check_run *run, const struct check_step *step, struct kt_err *err);

/* The items of a List (or PodList, …), as kubectl goes through them; NULL: it is an object. */
const struct kt_json *check_items(const struct kt_json *object);
/* The path of the collection or object that `object` (with apiVersion and kind) belongs to. */
KT_MUST_CHECK enum kt_code check_object_ref(const struct check_run *run, const struct kt_json *object,
                                            struct check_ref *out, struct kt_err *err);
/* Each object that stands in `item` (a file or folder below `dir`, an object, a text, a list of these), in
 * order, until one fails; a List is seen as such. (manifests.c) */
typedef enum kt_code check_see_fn(void *arg, const struct kt_json *object, struct kt_err *err);
KT_MUST_CHECK enum kt_code check_each_manifest(const char *dir, const struct kt_json *item, check_see_fn *see,
                                               void *arg, struct kt_err *err);
KT_MUST_CHECK enum kt_code check_each_manifest_in(const char *path, check_see_fn *see, void *arg,
                                                  struct kt_err *err);
/* Where no snapshot is: the objects that steps change through the API, as they are now (or are not); and back
 * to that. New. (put_back.c) */
struct kt_json *check_keep(const struct check_run *run, struct check_step *const *steps, size_t count);
KT_MUST_CHECK enum kt_code check_put_back(const struct check_run *run, const struct kt_json *kept,
                                          struct kt_err *err);
/* Wait until `gone(arg)` says so, looking whenever something changed; KT_ETIMEOUT after `limit`. */
KT_MUST_CHECK enum kt_code check_wait_until(const struct check_run *run, kt_ns limit,
                                            enum kt_code (*done)(const struct check_run *run, void *arg,
                                                                 bool *out, struct kt_err *err),
                                            void *arg, const char *sentence, struct kt_err *err);
/* Pass up to `span` of the cluster's time. */
KT_MUST_CHECK enum kt_code check_pass(const struct check_run *run, kt_ns span, bool until_change,
                                      kt_ns *passed, struct kt_err *err);

#endif
