/* SPDX-License-Identifier: MIT */
/* drill: things are done to the cluster, and what must hold through it is looked at whenever anything
 * changed. Afterwards the cluster is put back. */
#include "checker/checker_internal.h"

#include "checker/steps_internal.h"

#include <stdio.h>
#include <string.h>

#define LOAD_OF_A_DRILL 20 /* requests a second, where a drill asks for availability and nobody calls */

/* --- available --- */

static void split_service(const char *words, char ns[64], char name[64])
{
	const char *space = strrchr(words, ' '), *slash;
	words = space ? space + 1 : words;
	slash = strchr(words, '/');
	snprintf(ns, 64, "%.*s", slash ? (int)(slash - words) : 7, slash ? words : "default");
	snprintf(name, 64, "%s", slash ? slash + 1 : words);
}

void check_look_available(const struct check_run *run, const struct check_check *check,
                          struct check_finding *finding)
{
	const char *service = kt_get_str(check->body, "service");
	struct kt_json *expect = check_operators(check->body, "service"), *traffic = NULL;
	struct kt_buf want = {0};
	struct kt_err err = {0};
	char ns[64], name[64];
	kt_ns now = run->world->now(run->world->arg),
	      since = run->began ? run->began : now - check_duration(kt_get(check->body, "since"), KT_MIN_NS);
	split_service(service, ns, name);
	check_describe(expect, &want);
	check_expected(finding, "%s of the requests to service %s answered", kt_buf_str(&want), service);
	check_where(finding, service, NULL);
	kt_buf_clear(&want);
	enum kt_code rc = run->world->traffic
	                          ? run->world->traffic(run->world->arg, ns, name, since, &traffic, &err)
	                          : kt_fail(&err, KT_EUNSUPPORTED, "this cluster does not count requests");
	double offered = kt_real_or(kt_get(traffic, "offered"), 0),
	       answered = kt_real_or(kt_get(traffic, "answered"), 0);
	if (rc) {
		check_unknown(finding, &err);
	} else if (offered < 1) {
		check_found(finding, CHECK_UNKNOWN, "nobody called service %s", service);
	} else {
		double percent = 100 * answered / offered;
		struct kt_json *value = kt_jsonf("[%f]", percent);
		check_found(finding, check_fits(expect, value) ? CHECK_PASSED : CHECK_FAILED,
		            "%.2f %% answered (%.0f of %.0f)", percent, answered, offered);
		kt_json_free(value);
	}
	kt_json_free(traffic);
	kt_json_free(expect);
}

/* Without traffic there is nothing to be available for. */
static enum kt_code start_load(const struct check_run *run, const struct check_check *check,
                               struct kt_err *err)
{
	const struct check_check *const *lists[] = {(const struct check_check *const *)check->checks,
	                                            (const struct check_check *const *)check->end};
	const size_t counts[] = {check->check_count, check->end_count};
	for (size_t l = 0; l < KT_COUNT(lists); l++)
		for (size_t i = 0; i < counts[l]; i++) {
			const struct check_check *c = lists[l][i];
			if (c->kind->look != check_look_available || !run->world->traffic)
				continue;
			char ns[64], name[64];
			struct kt_json *traffic = NULL;
			split_service(kt_get_str(c->body, "service"), ns, name);
			enum kt_code rc =
			        run->world->traffic(run->world->arg, ns, name, run->began, &traffic, NULL);
			double rps = kt_real_or(kt_get(traffic, "rps"), 0);
			kt_json_free(traffic);
			if (rc || rps > 0)
				continue;
			struct kt_json *load =
			        kt_jsonf("{load: {to: %j, rps: %d}}", kt_json_strf("service %s/%s", ns, name),
			                 LOAD_OF_A_DRILL);
			rc = run->world->disturb(run->world->arg, load, err);
			kt_json_free(load);
			if (rc)
				return rc;
		}
	return KT_OK;
}

/* --- what must hold --- */

/* True while it holds. Availability is a share of the whole time: it is judged at the end of it. */
static bool holds(const struct check_run *run, const struct check_check *check, bool last,
                  struct check_finding *finding)
{
	for (size_t i = 0; i < check->check_count; i++) {
		if (check->checks[i]->kind->look == check_look_available && !last)
			continue;
		check_finding_clear(finding);
		check_look_once(run, check->checks[i], finding);
		if (finding->status != CHECK_PASSED)
			return false;
	}
	return true;
}

static void tell_moment(struct check_finding *finding, kt_ns since, const char *when)
{
	struct kt_buf at = {0};
	char *found = kt_strdup(finding->found), *expected = kt_strdup(finding->expected);
	kt_duration_print((since / KT_SEC) * KT_SEC, &at);
	check_found(finding, finding->status, "%s %s: %s", kt_buf_str(&at), when, found);
	check_expected(finding, "%s, through the drill", expected);
	kt_free(found);
	kt_free(expected);
	kt_buf_clear(&at);
}

/* Let `span` pass, looking after each change. False: it broke (finding tells), or err. */
static bool hold_on(const struct check_run *run, const struct check_check *check, kt_ns began, kt_ns span,
                    struct check_finding *finding, struct kt_err *err)
{
	for (;;) {
		kt_ns since = run->world->now(run->world->arg) - began, left = span - since;
		bool last = left <= 0;
		if (!holds(run, check, last, finding)) {
			tell_moment(finding, since, "after it began");
			return false;
		}
		if (last)
			return true;
		if (!check_tell(run, since, span, "the drill goes on")) {
			kt_fail(err, KT_ECANCELLED, "cancelled");
			return false;
		}
		if (check_pass(run, left, check->check_count > 0, NULL, err))
			return false;
	}
}

static void run_drill(const struct check_run *run, const struct check_check *check,
                      struct check_finding *finding, struct kt_err *err)
{
	struct check_run inside = *run;
	kt_ns span = check_duration(kt_get(check->body, "for"), 0);
	inside.began = run->world->now(run->world->arg);
	inside.no_wait = false;
	if (start_load(&inside, check, err) || check_do(&inside, check->steps, check->step_count, err))
		return;
	if (!hold_on(&inside, check, inside.began, span, finding, err))
		return;
	for (size_t i = 0; i < check->end_count; i++) {
		check_finding_clear(finding);
		check_look_once(&inside, check->end[i], finding);
		if (finding->status != CHECK_PASSED) {
			tell_moment(finding, inside.world->now(inside.world->arg) - inside.began,
			            "after it began, at the end");
			return;
		}
	}
	check_finding_clear(finding);
	check_found(finding, CHECK_PASSED, "it held");
}

static const char *const opposite[][3] = {{"node", "down", "up"},   {"zone", "down", "up"},
                                          {"region", "down", "up"}, {"link", "cut", "ok"},
                                          {"link", "slow", "ok"},   {"image", "missing", "there"}};

/* Without snapshots: what was done is undone, last first. */
static void undo(const struct check_run *run, const struct check_check *check)
{
	for (size_t i = check->step_count; i-- > 0;) {
		const struct check_step *step = check->steps[i];
		for (size_t o = 0; o < KT_COUNT(opposite); o++)
			if (kt_streq(step->kind->name, opposite[o][0]) &&
			    (kt_streq(kt_get_str(step->body, "is"), opposite[o][1]) ||
			     kt_get(step->body, opposite[o][1]))) {
				struct kt_json *body = kt_json_ref(step->body);
				kt_set(&body, "is", kt_json_str(opposite[o][2]));
				struct kt_json *node = kt_json_object();
				kt_set(&node, step->kind->name, kt_json_ref(body));
				struct check_step back = *step;
				back.body = body;
				back.node = node;
				if (step->kind->run(run, &back, NULL)) {
					/* the next reset puts it right */
				}
				kt_json_free(node);
				kt_json_free(body);
			}
		if (kt_streq(step->kind->name, "drain") || kt_streq(step->kind->name, "cordon")) {
			const struct kt_json *pick =
			        kt_str(step->body) || kt_get(step->body, "name") ? step->body : NULL;
			struct kt_json *all = kt_jsonf("{labels: {}}");
			struct check_step back = *step;
			back.body =
			        pick ? pick : all; /* whoever was chosen then may not be chosen now: all */
			if (check_do_uncordon(run, &back, NULL)) {
				/* likewise */
			}
			kt_json_free(all);
		}
	}
}

void check_look_drill(const struct check_run *run, const struct check_check *check,
                      struct check_finding *finding)
{
	struct kt_err err = {0};
	char *snapshot = NULL;
	check_expected(finding, "it holds through the drill");
	if (run->no_drills || !run->world) {
		check_found(finding, CHECK_UNKNOWN, "the drill was not run");
		return;
	}
	bool saved = run->world->snapshot && !run->world->snapshot(run->world->arg, &snapshot, &err);
	kt_err_clear(&err);
	run_drill(run, check, finding, &err);
	if (err.text[0])
		check_unknown(finding, &err);
	if (!saved)
		undo(run, check);
	else if (run->world->restore(run->world->arg, snapshot, &err))
		check_unknown(finding, &err);
	kt_free(snapshot);
}
