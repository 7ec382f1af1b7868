/* SPDX-License-Identifier: MIT */
/* Trying connections from inside the cluster, with what the pods' images have. */
#ifndef CHECKER_PROBE_INTERNAL_H
#define CHECKER_PROBE_INTERNAL_H

#include "checker/checker_internal.h"

/* Where a connection is tried from. */
struct check_who {
	char ns[64], pod[254], container[64];
	bool ours; /* started for the purpose: check_who_clear deletes it */
};
/* What is tried. */
struct check_whom {
	char host[300];
	unsigned port;
	char ns[64];          /* of the service or pod behind it; "" outside */
	struct check_who pod; /* `ours` where one was started */
};
/* Find (or start) it. KT_ENOTFOUND: what is named is not there, or no pod of it runs; err says which. */
KT_MUST_CHECK enum kt_code check_who_find(const struct check_run *run, const struct kt_json *who,
                                          struct check_who *out, struct kt_err *err);
KT_MUST_CHECK enum kt_code check_whom_find(const struct check_run *run, const struct kt_json *whom,
                                           struct check_whom *out, struct kt_err *err);
void check_who_clear(const struct check_run *run, struct check_who *who);
/* A pod without tools gets a twin in the same place for policies: its labels (but those by which controllers
 * find their own), never ready, so no Service sends anything to it. `who` becomes the twin. */
KT_MUST_CHECK enum kt_code check_who_twin(const struct check_run *run, struct check_who *who,
                                          struct kt_err *err);
char *check_who_text(const struct kt_json *who); /* as it was written; owned */

enum check_outcome { CHECK_OPEN, CHECK_REFUSED, CHECK_TIMEOUT, CHECK_NO_NAME, CHECK_NO_TOOL, CHECK_NOT_RUN };
struct check_probe {
	struct check_who *who;
	const struct check_whom *whom;
	enum check_outcome outcome;
	char why[512];
};
const char *check_outcome_text(enum check_outcome outcome); /* "connected", "refused"… */
/* Try all, grouped by the pod they start from, all pods at once. */
KT_MUST_CHECK enum kt_code check_probe_all(const struct check_run *run, struct check_probe *probes,
                                           size_t count, kt_ns timeout, struct kt_err *err);
/* Run a shell script in `who`, falling back on a twin where the image has no shell. */
KT_MUST_CHECK enum kt_code check_script(const struct check_run *run, struct check_who *who,
                                        const char *script, long timeout_ms, struct check_exec_result *out,
                                        struct kt_err *err);

/* Lines that a container wrote since a moment of the cluster's time, but for those of the kubelet's probes;
 * -1: not known. (logged.c) */
int64_t check_lines_since(const struct check_run *run, const char *ns, const char *pod, const char *container,
                          kt_ns since);

#endif
