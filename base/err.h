/* SPDX-License-Identifier: MIT */
/* Errors: a code and a sentence. The origin fills it, each layer wraps it with
 * a phrase in front ("lab 'x': lab.yaml:31: task 'y' has no check"), only the
 * command line and the screens print it. The first message is kept. */
#ifndef KT_ERR_H
#define KT_ERR_H

#include "base/mem.h"

enum kt_code {
	KT_OK = 0,
	KT_EINVAL = -1, /* what was given is wrong */
	KT_ENOTFOUND = -2,
	KT_EEXIST = -3,
	KT_EIO = -4,          /* file, socket, database */
	KT_EUNREACHABLE = -5, /* a cluster did not answer */
	KT_ELIMIT = -6,       /* too large, too deep, too many */
	KT_ETIMEOUT = -7,
	KT_EDENIED = -8,
	KT_ECONFLICT = -9,
	KT_ECANCELLED = -10,
	KT_EUNSUPPORTED = -11,
};

struct kt_err {
	enum kt_code code;
	char text[1024]; /* UTF-8, cut at a character's border with "…" when too long */
};

/* Fill `err` (NULL is fine) unless it holds an error already; return `code`. */
enum kt_code kt_fail(struct kt_err *err, enum kt_code code, const char *fmt, ...) KT_PRINTF(3, 4);
/* Put a phrase and ": " in front of the text; return the code that is there (KT_EINVAL if none). */
enum kt_code kt_wrap(struct kt_err *err, const char *fmt, ...) KT_PRINTF(2, 3);
void kt_err_clear(struct kt_err *err);
const char *kt_code_name(enum kt_code code); /* "invalid", "not found", … */

#endif
