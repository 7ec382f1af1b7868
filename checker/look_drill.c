/* SPDX-License-Identifier: MIT */
/* drill: things are done to the cluster, and what must hold through it is looked at whenever anything
 * changed. Afterwards the cluster is put back. */
#include "checker/checker_internal.h"

#include "checker/steps_internal.h"

#include <stdio.h>
#include <string.h>

#define SILENCE         (30 * KT_SEC)
#define LOAD_OF_A_DRILL 20 /* requests a second, where a drill asks for availability and nobody calls */

/* --- available --- */

/* `shop/web`, `service shop/web`; of `gateway shop/front` (and ingress) the kind stays before the name, as
 * the world wants it. */
static void split_service(const char *words, char ns[64], char name[80])
{
	const char *space = strrchr(words, ' '), *slash;
	int kind = kt_starts(words, "gateway ") || kt_starts(words, "ingress ") ? 8 : 0;
	const char *whole = words;
	words = space ? space + 1 : words;
	slash = strchr(words, '/');
	snprintf(ns, 64, "%.*s", slash ? (int)(slash - words) : 7, slash ? words : "default");
	snprintf(name, 80, "%.*s%.63s", kind, whole, slash ? slash + 1 : words);
}

/* A share may be written 99.9%, 99.9 or 0.999. */
static void as_percent(struct kt_json **expect)
{
	for (size_t i = 0; i < kt_count(*expect); i++) {
		const struct kt_json *v = kt_at(*expect, i);
		double d = kt_real_or(v, 0);
		if (kt_json_type(v) == KT_JSON_INT || kt_json_type(v) == KT_JSON_REAL)
			kt_put(expect, i, kt_json_strf("%g%%", d > 0 && d <= 1 ? d * 100 : d));
	}
}

void check_look_available(const struct check_run *run, const struct check_check *check,
                          struct check_finding *finding)
{
	const char *service = kt_get_str(check->body, "service");
	struct kt_json *expect = check_operators(check->body, "service"), *traffic = NULL;
	struct kt_buf want = {0};
	struct kt_err err = {0};
	char ns[64], name[80];
	char *words = NULL;
	kt_ns now = run->world->now(run->world->arg),
	      since = run->began ? run->began : now - check_duration(kt_get(check->body, "since"), KT_MIN_NS);
	enum kt_code rc = check_edge_words(run, service, &words, &err);
	check_describe(expect, &want);
	check_expected(finding, "%s of the requests to %s%s answered", kt_buf_str(&want),
	               strchr(service, ' ') ? "" : "service ", service);
	check_where(finding, service, NULL);
	kt_buf_clear(&want);
	as_percent(&expect);
	if (!rc)
		split_service(words, ns, name);
	bool nobody = rc == KT_ENOTFOUND; /* knows the host: no customer gets in */
	if (!rc)
		rc = run->world->traffic
		             ? run->world->traffic(run->world->arg, ns, name, since, &traffic, &err)
		             : kt_fail(&err, KT_EUNSUPPORTED, "this cluster does not count requests");
	/* whoever still waits is neither */
	double answered = kt_real_or(kt_get(traffic, "answered"), 0),
	       offered =
	               kt_real_or(kt_get(traffic, "offered"), 0) - kt_real_or(kt_get(traffic, "waiting"), 0);
	if (nobody) {
		check_found(finding, CHECK_FAILED, "%s", err.text);
	} else if (rc) {
		check_unknown(finding, &err);
	} else if (offered < 1) {
		check_found(finding, CHECK_UNKNOWN, "nobody called %s%s",
		            strchr(service, ' ') ? "" : "service ", service);
	} else {
		double percent = 100 * answered / offered;
		struct kt_json *value = kt_jsonf("[%j]", kt_json_strf("%.6f%%", percent));
		enum check_status status = check_fits(expect, value) ? CHECK_PASSED : CHECK_FAILED;
		struct kt_buf lost = {0};
		if (status == CHECK_FAILED)
			check_tell_lost(traffic, &lost);
		check_found(finding, status, "%.2f %% answered (%.0f of %.0f)%s", percent, answered, offered,
		            kt_buf_str(&lost));
		kt_buf_clear(&lost);
		kt_json_free(value);
	}
	kt_json_free(traffic);
	kt_json_free(expect);
	kt_free(words);
}

enum kt_code check_traffic_value(const struct check_run *run, const char *words, const char *path,
                                 struct kt_json **out, struct kt_err *err)
{
	char ns[64], name[80], *to = NULL;
	struct kt_json *traffic = NULL;
	if (!run->world || !run->world->traffic)
		return kt_fail(err, KT_EUNSUPPORTED, "this cluster does not count requests");
	enum kt_code rc = check_edge_words(run, words, &to, err);
	if (rc)
		return rc;
	split_service(to, ns, name);
	kt_free(to);
	rc = run->world->traffic(run->world->arg, ns, name, run->began, &traffic, err);
	if (rc)
		return rc;
	double value = kt_streq(path, "answered")  ? 100 * kt_real_or(kt_get(traffic, "availability"), 1)
	               : kt_streq(path, "offered") ? kt_real_or(kt_get(traffic, "offered"), 0)
	                                           : 1000 * kt_real_or(kt_get(traffic, path), 0);
	*out = kt_json_int((int64_t)(value + 0.5));
	kt_json_free(traffic);
	return KT_OK;
}

static enum kt_code load_for(const struct check_run *run, struct check_check *const *checks, size_t count,
                             struct kt_err *err);

/* Without traffic there is nothing to be available for. */
static enum kt_code load_one(const struct check_run *run, const struct check_check *check, struct kt_err *err)
{
	char ns[64], name[80];
	struct kt_json *traffic = NULL;
	if (check->kind->look == check_look_drill)
		return KT_OK; /* it sees to its own */
	if (check->kind->look != check_look_available || !run->world->traffic)
		return load_for(run, check->checks, check->check_count, err);
	char *words = NULL;
	if (check_edge_words(run, kt_get_str(check->body, "service"), &words, NULL))
		return KT_OK; /* the check will say so */
	split_service(words, ns, name);
	kt_free(words);
	enum kt_code rc = run->world->traffic(run->world->arg, ns, name, run->began, &traffic, NULL);
	double rps = kt_real_or(kt_get(traffic, "rps"), 0);
	kt_json_free(traffic);
	if (rc || rps > 0)
		return KT_OK;
	const char *space = strchr(name, ' ');
	struct kt_json *load =
	        kt_jsonf("{load: {to: %j, rps: %d}}",
	                 kt_json_strf("%.7s %s/%s", space ? name : "service", ns, space ? space + 1 : name),
	                 LOAD_OF_A_DRILL);
	rc = run->world->disturb(run->world->arg, load, err);
	kt_json_free(load);
	return rc;
}

static enum kt_code load_for(const struct check_run *run, struct check_check *const *checks, size_t count,
                             struct kt_err *err)
{
	enum kt_code rc = KT_OK;
	for (size_t i = 0; !rc && i < count; i++)
		rc = load_one(run, checks[i], err);
	return rc;
}

static enum kt_code start_load(const struct check_run *run, const struct check_check *check,
                               struct kt_err *err)
{
	enum kt_code rc = load_for(run, check->checks, check->check_count, err);
	return rc ? rc : load_for(run, check->end, check->end_count, err);
}

/* --- what must hold --- */

/* A share of all requests so far is judged when the time is over. */
static bool is_share(const struct check_check *check)
{
	bool share = check->kind->look == check_look_available;
	for (size_t i = 0; i < check->check_count && !share; i++)
		share = is_share(check->checks[i]);
	return share;
}

/* True while all hold. One with a `within` of its own may be broken for that long; broken[i] is since when.
 */
static bool holds(const struct check_run *run, const struct check_check *check, bool last, kt_ns *broken,
                  struct check_finding *finding)
{
	for (size_t i = 0; i < check->check_count; i++) {
		const struct check_check *one = check->checks[i];
		kt_ns now = run->world->now(run->world->arg);
		if (is_share(one) && !last)
			continue;
		check_finding_clear(finding);
		check_look_once(run, one, finding);
		if (finding->status == CHECK_PASSED) {
			broken[i] = 0;
			continue;
		}
		broken[i] = broken[i] ? broken[i] : now;
		kt_ns patience = one->patient ? one->within : 0;
		/* a real cluster may not answer for a moment: what was not seen is no breach of it */
		if (finding->status == CHECK_UNKNOWN && !run->world->virtual_time)
			patience = KT_MAX(patience, SILENCE);
		if (last || now - broken[i] >= patience)
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

/* What to expect, and when: real minutes are long. Times are Kubernetes' defaults: a machine is NotReady 50 s
 * after its last word (40 s before 1.32), pods are given up 300 s after that (defaultTolerationSeconds), the
 * autoscaler looks every 15 s and goes down only after 300 s of calm. */
static const struct {
	const char *step, *sentence; /* a kind of step, or what it makes something be */
	kt_ns at;
} expectations[] = {
        {"down", "Kubernetes misses the machines: NotReady, and out of the Services", 50 * KT_SEC},
        {"down", "their pods are given up, successors start elsewhere", 350 * KT_SEC},
        {"load", "the new load shows in the metrics, an autoscaler acts on it", 45 * KT_SEC},
        {"load", "an autoscaler that saw five minutes of calm goes down", 330 * KT_SEC},
        {"cut", "machines that nobody hears from any more are NotReady", 50 * KT_SEC},
        {"missing", "pulls are tried again, later and later: ImagePullBackOff", 40 * KT_SEC},
};

static bool does(const struct check_check *check, const char *what)
{
	for (size_t i = 0; i < check->step_count; i++)
		if (kt_streq(check->steps[i]->kind->name, what) ||
		    kt_streq(kt_get_str(check->steps[i]->body, "is"), what))
			return true;
	return false;
}

static bool tell_time(const struct check_run *run, const struct check_check *check, kt_ns since, kt_ns span)
{
	struct kt_buf text = {0};
	const char *next = NULL;
	kt_ns at = 0;
	for (size_t i = 0; i < KT_COUNT(expectations); i++)
		if (expectations[i].at > since && expectations[i].at < span &&
		    (!next || expectations[i].at < at) && does(check, expectations[i].step)) {
			next = expectations[i].sentence;
			at = expectations[i].at;
		}
	kt_buf_adds(&text, "the drill goes on");
	if (next && !run->world->virtual_time) {
		kt_buf_adds(&text, "; at about ");
		kt_duration_print(at, &text);
		kt_buf_addf(&text, ": %s", next);
	}
	bool go = check_tell(run, since, span, "%s", kt_buf_str(&text));
	kt_buf_clear(&text);
	return go;
}

/* Let `span` pass from now on, the steps being done, and look after each change. Moments are told since the
 * drill began. False: it broke (finding tells), or err. */
static bool hold_on(const struct check_run *run, const struct check_check *check, kt_ns began, kt_ns span,
                    struct check_finding *finding, struct kt_err *err)
{
	kt_ns *broken = kt_alloc(KT_MAX(check->check_count, 1) * sizeof(*broken));
	bool held = true, last = false;
	span += run->world->now(run->world->arg) - began;
	while (held && !last) {
		kt_ns since = run->world->now(run->world->arg) - began, left = span - since;
		last = left <= 0;
		if (run->moment)
			run->moment(run->moment_arg, since, span);
		held = holds(run, check, last, broken, finding);
		if (!held)
			tell_moment(finding, since, "after it began");
		else if (!last && !tell_time(run, check, since, span))
			held = !kt_fail(err, KT_ECANCELLED, "cancelled");
		else if (!last)
			held = !check_pass(run, left, check->check_count > 0, NULL, err);
	}
	kt_free(broken);
	return held;
}

/* What must be so afterwards may still settle, as anywhere else. */
static bool ends_well(const struct check_run *run, const struct check_check *check, kt_ns began,
                      struct check_finding *finding)
{
	struct check_finding *findings = kt_alloc(KT_MAX(check->end_count, 1) * sizeof(*findings));
	bool well = true;
	check_look(run, check->end, check->end_count, findings);
	for (size_t i = 0; i < check->end_count; i++) {
		if (well && findings[i].status != CHECK_PASSED) {
			check_finding_clear(finding);
			*finding = findings[i];
			findings[i] = (struct check_finding){0};
			tell_moment(finding, run->world->now(run->world->arg) - began,
			            "after it began, at the end");
			well = false;
		}
		check_finding_clear(&findings[i]);
	}
	kt_free(findings);
	return well;
}

/* What the learner's cluster lacks for a step is a failure of theirs; that nobody answered is not. */
static void tell_undone(struct check_finding *finding, const struct kt_err *err)
{
	if (err->code == KT_EUNREACHABLE || err->code == KT_EUNSUPPORTED || err->code == KT_ECANCELLED)
		check_unknown(finding, err);
	else
		check_found(finding, CHECK_FAILED, "the drill could not be done: %s", err->text);
}

static void run_drill(const struct check_run *run, const struct check_check *check,
                      struct check_finding *finding)
{
	struct check_run inside = *run;
	struct kt_err err = {0};
	kt_ns span = check_duration(kt_get(check->body, "for"), 0);
	inside.began = run->world->now(run->world->arg);
	inside.no_wait = false;
	if (start_load(&inside, check, &err) || check_do(&inside, check->steps, check->step_count, &err)) {
		tell_undone(finding, &err);
		return;
	}
	if (!hold_on(&inside, check, inside.began, span, finding, &err)) {
		if (err.text[0])
			tell_undone(finding, &err);
		return;
	}
	if (!ends_well(&inside, check, inside.began, finding))
		return;
	check_finding_clear(finding);
	check_expected(finding, "it holds through the drill");
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
		if (step->kind->run == check_do_drain || step->kind->run == check_do_cordon) {
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
	if (!run->no_wait)
		check_wait_for_rollouts(run);
	bool saved = run->world->snapshot && !run->world->snapshot(run->world->arg, &snapshot, &err);
	kt_err_clear(&err);
	/* on real clusters a snapshot is of the machines alone */
	struct kt_json *kept =
	        run->world->virtual_time ? NULL : check_keep(run, check->steps, check->step_count);
	run_drill(run, check, finding);
	if (check_put_back(run, kept, &err))
		check_unknown(finding, &err);
	kt_json_free(kept);
	kt_err_clear(&err);
	if (!saved)
		undo(run, check);
	else if (run->world->restore(run->world->arg, snapshot, &err))
		check_unknown(finding, &err);
	kt_free(snapshot);
}
