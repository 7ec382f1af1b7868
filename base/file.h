/* SPDX-License-Identifier: MIT */
/* Files and folders. Every function names the path in its error. */
#ifndef KT_FILE_H
#define KT_FILE_H

#include "base/err.h"
#include "base/buf.h"
#include "base/json.h"

KT_MUST_CHECK enum kt_code kt_read_file(const char *path, size_t max, struct kt_buf *out, struct kt_err *err);
/* Whole or not at all (a temporary name beside it, fsync, rename); `mode` as for open(2). */
KT_MUST_CHECK enum kt_code kt_write_file(const char *path, const void *data, size_t len, unsigned mode,
                                         struct kt_err *err);
/* A file of JSON, in and out; *out is the caller's. Not there: KT_ENOTFOUND, `err` says so of the path. */
KT_MUST_CHECK enum kt_code kt_read_json(const char *path, size_t max, struct kt_json **out,
                                        struct kt_err *err);
KT_MUST_CHECK enum kt_code kt_write_json(const char *path, const struct kt_json *json, unsigned mode,
                                         struct kt_err *err);
KT_MUST_CHECK enum kt_code kt_make_dirs(const char *path, unsigned mode,
                                        struct kt_err *err); /* as mkdir -p */
KT_MUST_CHECK enum kt_code kt_list_dir(const char *path, struct kt_strs *out,
                                       struct kt_err *err); /* names, sorted, no . and .. */
KT_MUST_CHECK enum kt_code kt_remove_tree(const char *path,
                                          struct kt_err *err); /* missing is fine; never follows links */
bool kt_is_dir(const char *path);
bool kt_is_file(const char *path);
char *kt_join(const char *dir, const char *name); /* owned; "" dir gives name */
const char *kt_basename(const char *path);        /* borrowed */

/* Hold the file's lock (it is made where it is not there) until *fd is closed or this process ends, whatever
 * ends it; a child that is forked does not have it. KT_EEXIST with *pid and without a message: another
 * process holds it; what that means the caller says. */
KT_MUST_CHECK enum kt_code kt_lock(const char *path, int *fd, long *pid, struct kt_err *err);
long kt_lock_holder(const char *path); /* another process, or 0 */

/* $KTUTOR_HOME, else $XDG_STATE_HOME/ktutor, else ~/.local/state/ktutor (macOS: ~/Library/Application
 * Support/ktutor). */
KT_MUST_CHECK enum kt_code kt_home(char **out, struct kt_err *err);
/* The path of the running program, owned; NULL where the system does not tell. */
char *kt_program(void);
/* Where the course lies: $KTUTOR_SHARE, the source tree of an uninstalled build (KT_SOURCE_DIR while it is
 * there), or the installed PREFIX/share/ktutor (KT_PREFIX_SHARE). */
KT_MUST_CHECK enum kt_code kt_share(char **out, struct kt_err *err);
/* First executable of that name on $PATH, owned; NULL if none. */
char *kt_which(const char *program);

/* Run `argv` (argv[0] looked up on PATH), stdin from `in` (may be NULL), gather stdout and stderr (may be
 * NULL). `*status` is the exit code, 128+N for a signal. */
enum { KT_RUN_TICK_MS = 20 };
struct kt_run {
	const char *const *argv;
	const char *const *env; /* NULL: inherited; else NAME=value pairs added to it */
	const char *dir;        /* NULL: here */
	const char *in;
	struct kt_buf *out, *errout;
	long timeout_ms;              /* 0: none */
	void (*meanwhile)(void *arg); /* called every KT_RUN_TICK_MS while it runs; may be NULL */
	void *meanwhile_arg;
};
KT_MUST_CHECK enum kt_code kt_run(const struct kt_run *run, int *status, struct kt_err *err);

#endif
