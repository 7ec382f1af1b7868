/* SPDX-License-Identifier: MIT */
/* A lab's life: start, open, check, reset, stop. */
#include "labs/labs_internal.h"
#include "labs/real/real.h"

#include <stdio.h>
#include <string.h>

#define PROBE_AGE    (3 * KT_MIN_NS) /* no check keeps a pod of its own for longer */
#define NAME_MAX_LEN 40              /* of an embedded cluster */

static const struct provider *provider_of(const struct lab_options *options, const struct lab_state *state)
{
	if (options->provider)
		return options->provider;
	const struct provider *named = state && state->provider[0] ? provider_find(state->provider) : NULL;
	return named ? named : providers[0];
}

static void new_state(const struct lab *lab, const struct lab_options *options, struct lab_state *out)
{
	const struct provider *provider = provider_of(options, NULL);
	memset(out, 0, sizeof(*out));
	snprintf(out->provider, sizeof(out->provider), "%s", provider->name);
	snprintf(out->cluster, NAME_MAX_LEN, "%s", options->cluster ? options->cluster : lab->lab);
	out->started = kt_clock_real().now(NULL);
}

/* --- sessions --- */

static enum kt_code open_session(const struct provider *provider, const char *home, const char *cluster,
                                 const char *kubeconfig, struct lab_session **out, struct kt_err *err)
{
	struct lab_session *session = kt_alloc(sizeof(*session));
	session->provider = provider;
	session->cluster = kt_strdup(cluster);
	session->home = kt_strdup(home);
	session->kubeconfig = kt_strdup(kubeconfig);
	enum kt_code rc = provider->world(home, cluster, &session->world, err);
	if (!rc)
		rc = provider->client ? provider->client(home, cluster, &session->client, err)
		                      : check_client_new(kubeconfig, NULL, false, &session->client, err);
	if (rc) {
		lab_close(session);
		return rc;
	}
	*out = session;
	return KT_OK;
}

enum kt_code lab_open(const struct lab *lab, const struct lab_options *options, struct lab_session **out,
                      struct kt_err *err)
{
	struct lab_state state = {0};
	struct kt_err why = {0};
	enum kt_code rc = lab_state_read(options->home, lab, &state, &why);
	const struct provider *provider = provider_of(options, &state);
	if (!rc && !state.ready)
		rc = kt_fail(&why, KT_EUNREACHABLE, "the start of the lab '%s' did not end", lab->lab);
	if (!rc)
		rc = open_session(provider, options->home, state.cluster, state.kubeconfig, out, &why);
	if (rc)
		kt_fail(err, rc == KT_ENOTFOUND ? KT_EUNREACHABLE : rc, "%s%s%s%s", why.text,
		        strstr(why.text, "lab start") ? "" : "; start it with `ktutor lab start ",
		        strstr(why.text, "lab start") ? "" : lab->lab,
		        strstr(why.text, "lab start") ? "" : "`");
	lab_state_clear(&state);
	return rc == KT_ENOTFOUND ? KT_EUNREACHABLE : rc;
}

void lab_close(struct lab_session *session)
{
	if (!session)
		return;
	session->provider->world_free(session->world);
	check_client_free(session->client);
	kt_free(session->kubeconfig);
	kt_free(session->cluster);
	kt_free(session->home);
	kt_free(session);
}

struct check_client *lab_client(struct lab_session *session)
{
	return session->client;
}

const struct check_world *lab_world(struct lab_session *session)
{
	return session->world;
}

const char *lab_kubeconfig(const struct lab_session *session)
{
	return session->kubeconfig;
}

/* --- start --- */

/* One that does not answer holds nothing; whatever comes next will tell. */
static void hold(const struct check_world *world, bool on)
{
	struct kt_err ignored = {0};
	if (world->hold && world->hold(world->arg, on, &ignored))
		kt_err_clear(&ignored);
}

static enum kt_code set_up(const struct lab *lab, const struct lab_options *options,
                           struct lab_session *session, struct kt_err *err)
{
	struct check_run run = {.client = session->client,
	                        .world = session->world,
	                        .progress = options->progress,
	                        .progress_arg = options->progress_arg,
	                        .seed = (uint64_t)kt_get_int(lab->cluster, "seed", 1)};
	return check_do(&run, lab->setup, lab->setup_count, err);
}

/* On a bare cluster, whose time stands where that can be: set-up, and the mark that a reset goes back to. */
static enum kt_code set_up_and_mark(const struct lab *lab, const struct lab_options *options,
                                    struct lab_state *state, struct kt_err *err)
{
	const struct provider *provider = provider_of(options, state);
	struct lab_session *session = NULL;
	enum kt_code rc =
	        open_session(provider, options->home, state->cluster, state->kubeconfig, &session, err);
	if (!rc)
		rc = set_up(lab, options, session, err);
	if (!rc)
		rc = provider->mark(options->home, state->cluster, err);
	if (session && !options->held)
		hold(session->world, false);
	lab_close(session);
	state->ready = !rc;
	return rc ? rc : lab_state_write(options->home, lab, state, err);
}

static enum kt_code start_fresh(const struct lab *lab, const struct lab_options *options,
                                struct lab_state *state, struct kt_err *err)
{
	const struct provider *provider = provider_of(options, state);
	bool bare = true;
	kt_free(state->kubeconfig);
	state->kubeconfig = NULL;
	state->ready = false;
	enum kt_code rc = lab_state_write(options->home, lab, state, err);
	if (!rc)
		rc = provider->start(options, state->cluster, lab, &state->kubeconfig, &bare, err);
	return rc ? rc : set_up_and_mark(lab, options, state, err);
}

static void throw_away(const struct lab_options *options, const struct lab_state *state)
{
	struct kt_err ignored = {0};
	const struct provider *provider = provider_find(state->provider);
	if (provider && provider->stop(options, state->cluster, &ignored)) {
		/* it was not there */
	}
}

static enum kt_code hold_running(const struct provider *provider, const struct lab_options *options,
                                 const struct lab_state *state, struct kt_err *err)
{
	struct lab_session *session = NULL;
	enum kt_code rc =
	        open_session(provider, options->home, state->cluster, state->kubeconfig, &session, err);
	if (!rc)
		hold(session->world, true);
	lab_close(session);
	return rc;
}

/* One that runs is found again; one whose process was killed is taken up where it was. */
static enum kt_code find_again(const struct lab *lab, const struct lab_options *options,
                               struct lab_state *state, struct kt_err *err)
{
	const struct provider *provider = provider_of(options, state);
	char *kubeconfig = NULL;
	bool bare = false;
	enum kt_code rc = provider->start(options, state->cluster, lab, &kubeconfig, &bare, err);
	if (rc)
		return rc;
	kt_free(state->kubeconfig);
	state->kubeconfig = kubeconfig;
	if (bare) /* it was deleted behind our back, and is there again without what was on it */
		return set_up_and_mark(lab, options, state, err);
	rc = options->held ? hold_running(provider, options, state, err) : KT_OK;
	return rc ? rc : lab_state_write(options->home, lab, state, err);
}

static enum kt_code start_locked(const struct lab *lab, const struct lab_options *options,
                                 char **out_kubeconfig, struct kt_err *err)
{
	struct lab_state state = {0};
	char why[512];
	enum kt_code rc = lab_state_read(options->home, lab, &state, NULL);
	bool again = !rc && state.ready && !options->fresh &&
	             (!options->provider || kt_streq(options->provider->name, state.provider));
	const struct provider *provider = provider_of(options, again ? &state : NULL);
	const char *lacks = provider->cannot ? NULL : provider_lacks(provider, lab);
	if (lacks) {
		lab_state_clear(&state);
		return kt_fail(
		        err, KT_EUNSUPPORTED,
		        "the lab '%s' needs '%s', which %s clusters do not have; `--provider %s` has it",
		        lab->lab, lacks, provider->name, providers[0]->name);
	}
	if (!provider->available(options->home, why)) {
		lab_state_clear(&state);
		return kt_fail(err, KT_EUNSUPPORTED, "%s", why);
	}
	if (again) {
		rc = find_again(lab, options, &state, err);
	} else {
		if (!rc)
			throw_away(options, &state); /* a start that did not end */
		lab_state_clear(&state);
		new_state(lab, options, &state);
		throw_away(options, &state);
		rc = start_fresh(lab, options, &state, err);
		if (rc && provider->foreign) { /* whatever was pressed */
			struct lab_options quiet = *options;
			quiet.progress = NULL;
			throw_away(&quiet, &state);
		}
	}
	if (!rc && out_kubeconfig)
		*out_kubeconfig = kt_strdup(state.kubeconfig);
	lab_state_clear(&state);
	return rc ? kt_wrap(err, "lab '%s'", lab->lab) : KT_OK;
}

enum kt_code lab_start(const struct lab *lab, const struct lab_options *options, char **out_kubeconfig,
                       struct kt_err *err)
{
	int lock;
	enum kt_code rc = lab_lock(lab, options, &lock, err);
	if (rc)
		return kt_wrap(err, "lab '%s'", lab->lab);
	rc = start_locked(lab, options, out_kubeconfig, err);
	lab_unlock(lock);
	return rc;
}

static enum kt_code reset_locked(const struct lab *lab, const struct lab_options *options, struct kt_err *err)
{
	struct lab_state state = {0};
	struct kt_err why = {0};
	enum kt_code rc = lab_state_read(options->home, lab, &state, err);
	if (rc)
		return rc;
	const struct provider *provider = provider_of(options, &state);
	bool bare = false;
	rc = state.ready ? provider->reset(options, state.cluster, lab, &bare, &why) : KT_ENOTFOUND;
	if (rc == KT_ECANCELLED) {
		kt_fail(err, rc, "%s", why.text);
	} else if (!rc && bare) {
		rc = set_up_and_mark(lab, options, &state, err);
	} else if (rc) { /* what to go back to is gone: begin anew */
		throw_away(options, &state);
		rc = start_fresh(lab, options, &state, err);
	}
	lab_state_clear(&state);
	return rc ? kt_wrap(err, "lab '%s'", lab->lab) : KT_OK;
}

enum kt_code lab_reset(const struct lab *lab, const struct lab_options *options, struct kt_err *err)
{
	int lock;
	enum kt_code rc = lab_lock(lab, options, &lock, err);
	if (rc)
		return kt_wrap(err, "lab '%s'", lab->lab);
	rc = reset_locked(lab, options, err);
	lab_unlock(lock);
	return rc;
}

static enum kt_code stop_locked(const struct lab *lab, const struct lab_options *options, struct kt_err *err)
{
	struct lab_state state = {0};
	enum kt_code rc = lab_state_read(options->home, lab, &state, err);
	if (rc)
		return rc;
	rc = provider_of(options, &state)->stop(options, state.cluster, err);
	if (rc == KT_ENOTFOUND) { /* somebody was faster */
		kt_err_clear(err);
		rc = KT_OK;
	}
	if (!rc)
		lab_state_remove(options->home, lab);
	lab_state_clear(&state);
	return rc;
}

enum kt_code lab_stop(const struct lab *lab, const struct lab_options *options, struct kt_err *err)
{
	int lock;
	enum kt_code rc = lab_lock(lab, options, &lock, err);
	if (rc)
		return kt_wrap(err, "lab '%s'", lab->lab);
	rc = stop_locked(lab, options, err);
	lab_unlock(lock);
	return rc;
}

/* --- check --- */

struct lab_result_inner {
	struct check_finding **findings; /* one array a task */
};

static ptrdiff_t find_task(const struct lab *lab, const char *name)
{
	for (size_t i = 0; i < lab->task_count; i++)
		if (kt_streq(lab->tasks[i].task, name))
			return (ptrdiff_t)i;
	return -1;
}

/* Is task i wanted: named, or does one that is come after it? */
static bool wanted(const struct lab *lab, size_t i, const struct lab_check_options *options)
{
	if (!options->task || kt_streq(lab->tasks[i].task, options->task))
		return true;
	if (options->ignore_after)
		return false;
	for (size_t t = 0; t < lab->task_count; t++)
		for (size_t a = 0; a < lab->tasks[t].after_count; a++)
			if (kt_streq(lab->tasks[t].after[a], lab->tasks[i].task) && wanted(lab, t, options))
				return true;
	return false;
}

static bool is_blocked(const struct lab *lab, size_t i, const struct lab_result *result)
{
	for (size_t a = 0; a < lab->tasks[i].after_count; a++) {
		ptrdiff_t before = find_task(lab, lab->tasks[i].after[a]);
		if (before >= 0 && check_task_status(&result->tasks[before]) != CHECK_PASSED)
			return true;
	}
	return false;
}

struct drilled {
	const struct lab_check_options *options;
	const struct lab_task *task;
};

static void tell_moment(void *arg, kt_ns since, kt_ns span)
{
	const struct drilled *d = arg;
	d->options->moment(d->options->moment_arg, d->task, since, span);
}

/* A task that this provider cannot grade: unknown, never failed. */
static void tell_cannot(const struct lab_session *session, const struct lab *lab, size_t i, const char *why,
                        struct lab_result *result)
{
	const struct lab_task *task = &lab->tasks[i];
	struct check_finding *finding = kt_alloc(sizeof(*finding));
	finding->status = CHECK_UNKNOWN;
	finding->expected = kt_strdup("a cluster that it can be graded on");
	finding->found = kt_strf("not graded with provider %s: %s", session->provider->name, why);
	result->inner->findings[i] = finding;
	result->tasks[i] = (struct check_report_task){.task = task->task,
	                                              .title = task->title,
	                                              .why = task->why,
	                                              .points = task->points,
	                                              .findings = finding,
	                                              .finding_count = 1,
	                                              .hints_left = (unsigned)task->hint_count};
}

static void look_at_task(const struct check_run *run, const struct lab *lab, size_t i,
                         const struct lab_check_options *options, struct lab_result *result)
{
	const struct lab_task *task = &lab->tasks[i];
	struct check_report_task *out = &result->tasks[i];
	struct check_finding *findings = kt_alloc(task->check_count * sizeof(*findings));
	result->inner->findings[i] = findings;
	*out = (struct check_report_task){.task = task->task,
	                                  .title = task->title,
	                                  .why = task->why,
	                                  .points = task->points,
	                                  .hints_left = (unsigned)task->hint_count};
	out->blocked = !options->ignore_after && is_blocked(lab, i, result);
	if (out->blocked)
		return;
	struct drilled drilled = {options, task};
	struct check_run told = *run;
	told.moment = options->moment ? tell_moment : NULL;
	told.moment_arg = &drilled;
	kt_ns began = kt_monotonic();
	check_look(&told, task->checks, task->check_count, findings);
	out->took = kt_monotonic() - began;
	out->findings = findings;
	out->finding_count = task->check_count;
}

#define QUIET       (3 * KT_SEC)
#define SETTLE      (15 * KT_SEC)
#define SETTLE_REAL (1 * KT_SEC) /* where time costs time */
#define SETTLE_LOOK 200

void lab_settle(const struct check_world *world)
{
	kt_ns total = 0, passed = 0, quiet = 0;
	if (!world->virtual_time) {
		if (world->pass(world->arg, SETTLE_REAL, false, &passed, NULL))
			return;
		total = SETTLE;
	}
	for (int i = 0; i < SETTLE_LOOK && total < SETTLE && quiet < QUIET; i++) {
		if (world->pass(world->arg, QUIET, true, &passed, NULL))
			return; /* the checks will find out that nobody answers */
		total += KT_MAX(passed, KT_MS);
		quiet = passed;
	}
}

enum kt_code lab_check(struct lab_session *session, const struct lab *lab,
                       const struct lab_check_options *options, struct lab_result **out, struct kt_err *err)
{
	if (options->task && find_task(lab, options->task) < 0) {
		const char **names = kt_alloc((lab->task_count + 1) * sizeof(*names));
		for (size_t i = 0; i < lab->task_count; i++)
			names[i] = lab->tasks[i].task;
		const char *near = kt_nearest(options->task, names, lab->task_count);
		kt_free(names);
		return near ? kt_fail(err, KT_ENOTFOUND, "the lab '%s' has no task '%s': did you mean '%s'?",
		                      lab->lab, options->task, near)
		            : kt_fail(err, KT_ENOTFOUND, "the lab '%s' has no task '%s'", lab->lab,
		                      options->task);
	}
	struct lab_result *result = kt_alloc(sizeof(*result));
	result->inner = kt_alloc(sizeof(*result->inner));
	result->inner->findings = kt_alloc((lab->task_count + 1) * sizeof(struct check_finding *));
	result->tasks = kt_alloc((lab->task_count + 1) * sizeof(*result->tasks));
	result->task_count = lab->task_count;
	struct check_run run = {.client = session->client,
	                        .world = session->world,
	                        .progress = options->progress,
	                        .progress_arg = options->progress_arg,
	                        .no_wait = options->no_wait,
	                        .no_drills = options->no_drills,
	                        .all_drills = options->all_drills,
	                        .answers = options->answers,
	                        .record = options->record,
	                        .answer_rightly = options->answer_rightly,
	                        .seed = (uint64_t)kt_get_int(lab->cluster, "seed", 1)};
	result->passed = true;
	if (!options->no_wait && !session->world->virtual_time)
		real_sweep(session->client, NULL, PROBE_AGE);
	if (!options->no_wait) {
		hold(session->world, true);
		lab_settle(session->world);
	}
	/* Where minutes are minutes: what settles has settled since the check began, whichever task asks for
	 * it. */
	if (!session->world->virtual_time)
		run.settling = session->world->now(session->world->arg);
	for (size_t n = 0; n < lab->task_count; n++) {
		size_t i = lab->order[n];
		if (!wanted(lab, i, options)) {
			result->tasks[i] = (struct check_report_task){.task = lab->tasks[i].task,
			                                              .title = lab->tasks[i].title,
			                                              .points = lab->tasks[i].points,
			                                              .blocked = true};
			continue;
		}
		const char *cannot =
		        session->provider->cannot
		                ? session->provider->cannot(session->home, session->cluster, lab, i)
		                : NULL;
		if (cannot)
			tell_cannot(session, lab, i, cannot, result);
		else
			look_at_task(&run, lab, i, options, result);
		if (run.settling && lab->tasks[i].has_drill &&
		    !result->tasks[i].blocked) /* it stirred things up */
			run.settling = session->world->now(session->world->arg);
		enum check_status status = check_task_status(&result->tasks[i]);
		bool counts = !options->task || kt_streq(options->task, lab->tasks[i].task);
		result->points += status == CHECK_PASSED ? lab->tasks[i].points : 0;
		result->points_of += lab->tasks[i].points;
		result->unknown = result->unknown || status == CHECK_UNKNOWN;
		result->passed = result->passed && (status == CHECK_PASSED || !counts);
		if (options->first_failure && !result->passed)
			break;
	}
	if (!options->no_wait)
		hold(session->world, false);
	*out = result;
	return KT_OK;
}

void lab_result_free(struct lab_result *result)
{
	if (!result)
		return;
	for (size_t i = 0; i < result->task_count; i++) {
		for (size_t f = 0; f < result->tasks[i].finding_count; f++)
			check_finding_clear(&result->inner->findings[i][f]);
		kt_free(result->inner->findings[i]);
	}
	kt_free(result->inner->findings);
	kt_free(result->inner);
	kt_free(result->tasks);
	kt_free(result);
}
