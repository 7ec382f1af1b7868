/* SPDX-License-Identifier: MIT */
/* embedded: the processes behind the embedded provider: a cluster each, kept in HOME/clusters/NAME (0700). A
 * cluster outlives the program that started it, and kill -9; what it keeps is enough to go on with. */
#ifndef EMBEDDED_H
#define EMBEDDED_H

#include "base/base.h"

struct embedded_options {
	const char *home;            /* $KTUTOR_HOME */
	const char *name;            /* a DNS label, at most 40 characters */
	const struct kt_json *nodes; /* a v1 List of Nodes, or NULL */
	unsigned workers;            /* beside one control plane, when `nodes` is NULL */
	uint64_t seed;
	double speed; /* 0: 1 */
	/* A process that holds the clock (cluster/edge/edge.h, "The clock held") from its first moment on; a
	 * new one begins on a whole minute then, and what is set up on it is the same every time. 0: nobody.
	 */
	long holder;
};
/* Start it, or find it running (*found), or take it up where it was killed; returns when it answers. `nodes`,
 * `workers` and `seed` count for a new one only. */
KT_MUST_CHECK enum kt_code embedded_up(const struct embedded_options *options, bool *found,
                                       struct kt_err *err);
/* The process itself, in the foreground, until it is told to stop. When it answers, "ok\n" is written to
 * `ready_fd` (-1: nobody waits). */
KT_MUST_CHECK enum kt_code embedded_serve(const struct embedded_options *options, int ready_fd,
                                          struct kt_err *err);
/* Stop it, and forget it unless `keep`. One that is not there: KT_ENOTFOUND. */
KT_MUST_CHECK enum kt_code embedded_down(const char *home, const char *name, bool keep, struct kt_err *err);
/* Names of all clusters, running or not, sorted. */
KT_MUST_CHECK enum kt_code embedded_list(const char *home, struct kt_strs *out, struct kt_err *err);
/* The folder of a cluster; a name that cannot be one fails. It need not exist. */
KT_MUST_CHECK enum kt_code embedded_dir(const char *home, const char *name, char **out, struct kt_err *err);
/* The same, of one that exists (KT_ENOTFOUND: names the nearest), and runs if `running` (KT_EUNREACHABLE). */
KT_MUST_CHECK enum kt_code embedded_find(const char *home, const char *name, bool running, char **out_dir,
                                         struct kt_err *err);
/* The Unix socket of one in this folder, owned; NULL: only its port. */
char *embedded_socket(const char *dir);
/* The pid of its process, 0 none. */
long embedded_pid(const char *home, const char *name);
/* The cluster started last that still exists; owned; NULL none. */
char *embedded_current(const char *home);

#endif
