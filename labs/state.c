/* SPDX-License-Identifier: MIT */
/* What is kept of labs that were started: small files below HOME/labs, written whole or not at all. */
#include "labs/labs_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_MAX (64 * 1024)
#define LOCK_POLL (50 * 1000) /* microseconds */

static char *state_path(const char *home, const char *lab)
{
	return kt_strf("%s/labs/%s/state.json", home, lab);
}

enum kt_code lab_state_read(const char *home, const struct lab *lab, struct lab_state *out,
                            struct kt_err *err)
{
	char *path = state_path(home, lab->lab);
	struct kt_json *json = NULL;
	enum kt_code rc = kt_is_file(path) ? kt_read_json(path, STATE_MAX, &json, err)
	                                   : kt_fail(err, KT_ENOTFOUND,
	                                             "the lab '%s' was not started: `ktutor lab start %s`",
	                                             lab->lab, lab->lab);
	if (!rc) {
		memset(out, 0, sizeof(*out));
		snprintf(out->provider, sizeof(out->provider), "%s",
		         kt_str_or(kt_get(json, "provider"), "embedded"));
		snprintf(out->cluster, sizeof(out->cluster), "%s",
		         kt_str_or(kt_get(json, "cluster"), lab->lab));
		out->kubeconfig = kt_strdup(kt_get_str(json, "kubeconfig"));
		out->ready = kt_get_bool(json, "ready", false);
		out->started = kt_get_int(json, "started", 0) * KT_SEC;
	}
	kt_json_free(json);
	kt_free(path);
	return rc;
}

enum kt_code lab_state_write(const char *home, const struct lab *lab, const struct lab_state *state,
                             struct kt_err *err)
{
	char *dir = kt_strf("%s/labs/%s", home, lab->lab), *path = kt_join(dir, "state.json"),
	     *current = kt_strf("%s/labs/current", home);
	struct kt_json *json = kt_jsonf("{provider: %s, cluster: %s, kubeconfig: %s, ready: %b, started: %l}",
	                                state->provider, state->cluster, state->kubeconfig, state->ready,
	                                (int64_t)(state->started / KT_SEC));
	enum kt_code rc = kt_make_dirs(dir, 0700, err);
	if (!rc)
		rc = kt_write_json(path, json, 0600, err);
	if (!rc)
		rc = kt_write_file(current, lab->source, strlen(lab->source), 0600, err);
	kt_json_free(json);
	kt_free(dir);
	kt_free(path);
	kt_free(current);
	return rc;
}

struct kt_json *lab_state(const char *home, const char *lab)
{
	char *path = state_path(home, lab);
	struct kt_json *json = NULL;
	if (kt_read_json(path, STATE_MAX, &json, NULL))
		json = NULL;
	kt_free(path);
	return json;
}

void lab_state_remove(const char *home, const struct lab *lab)
{
	char *path = state_path(home, lab->lab), *current = kt_strf("%s/labs/current", home),
	     *named = lab_current(home);
	(void)unlink(path);
	if (kt_streq(named, lab->source))
		(void)unlink(current);
	kt_free(named);
	kt_free(current);
	kt_free(path);
}

void lab_state_clear(struct lab_state *state)
{
	kt_free(state->kubeconfig);
	memset(state, 0, sizeof(*state));
}

char *lab_current(const char *home)
{
	char *path = kt_strf("%s/labs/current", home);
	struct kt_buf text = {0};
	if (kt_is_file(path) && kt_read_file(path, STATE_MAX, &text, NULL))
		kt_buf_clear(&text);
	kt_free(path);
	char *dir = text.len ? kt_buf_take(&text) : NULL;
	kt_buf_clear(&text);
	return dir;
}

/* Waits for the lock; false: somebody else has it and waiting was cancelled. */
static bool wait_for(int file, const struct lab_options *options)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	kt_ns began = kt_monotonic();
	while (fcntl(file, F_SETLK, &lock) && (errno == EACCES || errno == EAGAIN || errno == EINTR)) {
		if (options->progress &&
		    !options->progress(options->progress_arg, "another ktutor is busy with this lab",
		                       kt_monotonic() - began, 0))
			return false;
		(void)usleep(LOCK_POLL);
	}
	return true; /* a file system without locks is no reason not to go on */
}

/* A record lock: its end is the end of this process, a cluster that it forks does not inherit it. */
enum kt_code lab_lock(const struct lab *lab, const struct lab_options *options, int *out, struct kt_err *err)
{
	char *dir = kt_strf("%s/labs/%s", options->home, lab->lab), *path = kt_join(dir, "lock");
	int file = -1;
	enum kt_code rc = kt_make_dirs(dir, 0700, err);
	if (!rc)
		file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (!rc && file < 0)
		rc = kt_fail(err, KT_EIO, "%s: %s", path, strerror(errno));
	if (!rc && !wait_for(file, options)) {
		(void)close(file);
		rc = kt_fail(err, KT_ECANCELLED, "cancelled");
	}
	if (!rc)
		*out = file;
	kt_free(path);
	kt_free(dir);
	return rc;
}

void lab_unlock(int lock)
{
	(void)close(lock);
}
