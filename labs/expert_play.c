/* SPDX-License-Identifier: MIT */
/* A round is played: scene, action, then time passes, and every change of what was asked for is noted. */
#include "labs/expert_internal.h"
#include "labs/labs_internal.h"

#include <stdlib.h>
#include <string.h>

#define LOOKS_MAX 5000

struct play {
	const struct lab_round *round;
	struct check_run run;
	kt_ns began;
	struct kt_json **last;   /* of each question: the value now */
	struct kt_json *answers; /* null until known */
	struct kt_json *timeline;
	struct kt_err *err;
};

static kt_ns since(const struct play *p)
{
	return p->run.world->now(p->run.world->arg) - p->began;
}

/* What cannot be looked at is nothing that holds; `why`, if given, says so. */
static bool holds(const struct play *p, const struct lab_round_ask *ask, struct kt_err *why)
{
	struct check_finding *findings = kt_alloc(KT_MAX(ask->when_count, 1) * sizeof(*findings));
	struct check_run run = p->run;
	bool all = true;
	run.once = true;
	check_look(&run, ask->when, ask->when_count, findings);
	for (size_t i = 0; i < ask->when_count; i++) {
		all = all && findings[i].status == CHECK_PASSED;
		if (why && findings[i].status == CHECK_UNKNOWN)
			(void)kt_fail(why, KT_EUNSUPPORTED, "'%s': %s", ask->question, findings[i].found);
		check_finding_clear(&findings[i]);
	}
	kt_free(findings);
	return all;
}

static void note(struct play *p, size_t i, struct kt_json *steal)
{
	if (!p->last[i] || !kt_equal(p->last[i], steal))
		kt_push(&p->timeline, kt_jsonf("{at: %l, ask: %d, value: %J}", (int64_t)(since(p) / KT_SEC),
		                               (int)i, steal));
	kt_json_free(p->last[i]);
	p->last[i] = steal;
}

/* Look at all questions that are still open; answers become known. */
static enum kt_code look(struct play *p)
{
	enum kt_code rc = KT_OK;
	kt_ns now = since(p);
	for (size_t i = 0; !rc && i < p->round->ask_count; i++) {
		const struct lab_round_ask *ask = &p->round->asks[i];
		struct kt_json *value = NULL;
		if (kt_json_type(kt_at(p->answers, i)) != KT_JSON_NULL)
			continue;
		if (ask->value) {
			struct check_run run = p->run;
			run.began = p->began;
			rc = check_value(&run, ask->value, &value, p->err);
			if (rc == KT_ENOTFOUND) { /* not there yet, or no more */
				kt_err_clear(p->err);
				value = kt_json_str("nothing");
				rc = KT_OK;
			}
			if (!rc && now >= ask->at)
				kt_put(&p->answers, i, kt_json_ref(value));
		} else if (ask->holds) {
			if (now >= ask->at) {
				value = kt_json_str(holds(p, ask, p->err) ? "yes" : "no");
				rc = p->err->code;
				kt_put(&p->answers, i, kt_json_ref(value));
			}
		} else if (holds(p, ask, NULL)) {
			value = kt_json_int((now + KT_SEC / 2) / KT_SEC);
			kt_put(&p->answers, i, kt_json_ref(value));
		} else if (now >= ask->at) {
			value = kt_json_str("never");
			kt_put(&p->answers, i, kt_json_ref(value));
		}
		if (value)
			note(p, i, value);
	}
	return rc;
}

/* When the next question is due; 0: none is open. */
static kt_ns next_due(const struct play *p)
{
	kt_ns next = 0, now = since(p);
	for (size_t i = 0; i < p->round->ask_count; i++)
		if (kt_json_type(kt_at(p->answers, i)) == KT_JSON_NULL) {
			kt_ns left = KT_MAX(p->round->asks[i].at - now, KT_MS);
			next = !next || left < next ? left : next;
		}
	return next;
}

static enum kt_code watch(struct play *p)
{
	enum kt_code rc = look(p);
	kt_ns left;
	for (int looks = 0; !rc && (left = next_due(p)) > 0; looks++) {
		kt_ns passed = 0;
		/* past LOOKS_MAX only the moments that are asked for count */
		rc = p->run.world->pass(p->run.world->arg, left, looks < LOOKS_MAX, &passed, p->err);
		if (!rc && p->run.progress &&
		    !p->run.progress(p->run.progress_arg, "time passes", since(p), 0))
			rc = kt_fail(p->err, KT_ECANCELLED, "cancelled");
		if (!rc)
			rc = look(p);
	}
	return rc;
}

static enum kt_code play_in(struct play *p)
{
	const struct lab_round *r = p->round;
	enum kt_code rc = check_do(&p->run, r->inner->scene, r->inner->scene_count, p->err);
	p->began = p->run.world->now(p->run.world->arg);
	if (!rc)
		rc = check_do(&p->run, r->inner->action, r->inner->action_count, p->err);
	return rc ? rc : watch(p);
}

enum kt_code lab_round_play(const struct lab_round *round, const struct lab_options *options,
                            struct kt_json **out, struct kt_err *err)
{
	/* a lab without tasks: its start makes the cluster */
	char *name = kt_strf("expert-%s", round->family);
	struct lab lab = {.lab = name,
	                  .title = round->title,
	                  .dir = "",
	                  .source = "",
	                  .cluster = round->inner->cluster};
	struct lab_options fresh = *options;
	struct lab_session *session = NULL;
	fresh.fresh = fresh.held = true;
	enum kt_code rc = lab_start(&lab, &fresh, NULL, err);
	if (!rc)
		rc = lab_open(&lab, &fresh, &session, err);
	struct play p = {.round = round, .err = err, .answers = kt_json_array(), .timeline = kt_json_array()};
	p.last = kt_alloc((round->ask_count + 1) * sizeof(*p.last));
	for (size_t i = 0; i < round->ask_count; i++)
		kt_push(&p.answers, kt_json_null());
	if (!rc) {
		p.run = (struct check_run){.client = lab_client(session),
		                           .world = lab_world(session),
		                           .progress = options->progress,
		                           .progress_arg = options->progress_arg,
		                           .seed = round->seed};
		rc = play_in(&p);
	}
	lab_close(session);
	struct kt_err why = {0};
	if (lab_stop(&lab, &fresh, &why) && !rc)
		rc = kt_fail(err, why.code, "%s", why.text);
	if (!rc)
		*out = kt_jsonf("{answers: %J, timeline: %J}", p.answers, p.timeline);
	for (size_t i = 0; i < round->ask_count; i++)
		kt_json_free(p.last[i]);
	kt_free(p.last);
	kt_json_free(p.answers);
	kt_json_free(p.timeline);
	kt_free(name);
	return rc ? kt_wrap(err, "the round '%s'", round->family) : KT_OK;
}

const struct kt_json *lab_round_choice(const struct lab_round_ask *ask, const char *typed)
{
	const char *letter = typed + strspn(typed, " (");
	size_t at = (size_t)(*letter - 'a');
	return *letter >= 'a' && at < kt_count(ask->choices) && !letter[1 + strspn(letter + 1, " )")]
	               ? kt_at(ask->choices, at)
	               : NULL;
}

bool lab_round_right(const struct lab_round_ask *ask, const struct kt_json *answer, const char *typed)
{
	char *end;
	const struct kt_json *choice = lab_round_choice(ask, typed);
	if (choice)
		return lab_round_agrees(ask, answer, choice);
	double mine = strtod(typed, &end), right = kt_real_or(answer, 0);
	bool number = kt_json_type(answer) == KT_JSON_INT || kt_json_type(answer) == KT_JSON_REAL;
	if (number && end != typed && ask->within > 0)
		return mine >= right - ask->within && mine <= right + ask->within;
	return check_answer_is(answer, typed);
}

bool lab_round_agrees(const struct lab_round_ask *ask, const struct kt_json *answer,
                      const struct kt_json *said)
{
	struct lab_round_ask open = *ask;
	struct kt_buf text = {0};
	open.choices = NULL; /* a word is a word */
	lab_round_say(said, &text);
	bool right = lab_round_right(&open, answer, kt_buf_str(&text));
	kt_buf_clear(&text);
	return right;
}

struct kt_json *lab_round_held(const struct lab_round *round, const struct kt_json *result)
{
	struct kt_json *list = kt_json_array();
	for (size_t i = 0; i < round->ask_count; i++) {
		const struct lab_round_ask *ask = &round->asks[i];
		const struct kt_json *answer = kt_at(kt_get(result, "answers"), i), *choice;
		bool among = false;
		KT_JSON_EACH (choice, ask->choices)
			among = among || lab_round_agrees(ask, answer, choice);
		kt_push(&list,
		        kt_jsonf("{reckoned: %j, offered: %j}",
		                 ask->reckoned ? kt_json_bool(lab_round_agrees(ask, answer, ask->reckoned))
		                               : kt_json_null(),
		                 ask->choices ? kt_json_bool(among) : kt_json_null()));
	}
	return list;
}

/* One seed's round; a sentence for each question that is not sound. */
static size_t tell_held(const struct lab_round *round, const struct kt_json *result,
                        void (*told)(void *arg, const char *line), void *arg)
{
	struct kt_json *held = lab_round_held(round, result);
	struct kt_buf all = {0};
	size_t failures = 0;
	for (size_t i = 0; i < round->ask_count; i++) {
		const struct kt_json *answer = kt_at(kt_get(result, "answers"), i), *row = kt_at(held, i);
		struct kt_buf is = {0}, said = {0};
		lab_round_say(answer, &is);
		lab_round_say(round->asks[i].reckoned, &said);
		bool as_reckoned = kt_get_bool(row, "reckoned", true),
		     offered = kt_get_bool(row, "offered", true);
		char *line =
		        as_reckoned && offered ? NULL
		        : as_reckoned
		                ? kt_strf("%s: FAILED seed %llu, question %zu: %s is what happens, and not "
		                          "among the choices",
		                          round->family, (unsigned long long)round->seed, i + 1,
		                          kt_buf_str(&is))
		                : kt_strf("%s: FAILED seed %llu, question %zu: %s is what happens, %s was "
		                          "reckoned",
		                          round->family, (unsigned long long)round->seed, i + 1,
		                          kt_buf_str(&is), kt_buf_str(&said));
		if (line)
			told(arg, line);
		failures += line != NULL;
		kt_buf_addf(&all, "%s%s", i ? ", " : "", kt_buf_str(&is));
		kt_buf_clear(&is);
		kt_buf_clear(&said);
		kt_free(line);
	}
	char *line = kt_strf("%s: seed %llu: %s", round->family, (unsigned long long)round->seed,
	                     kt_buf_str(&all));
	if (!failures)
		told(arg, line);
	kt_free(line);
	kt_buf_clear(&all);
	kt_json_free(held);
	return failures;
}

enum kt_code lab_round_prove(const char *path, unsigned seeds, const struct lab_options *options,
                             void (*told)(void *arg, const char *line), void *arg, size_t *failures,
                             struct kt_err *err)
{
	enum kt_code rc = KT_OK;
	for (unsigned seed = 1; !rc && seed <= seeds; seed++) {
		struct lab_round *round = NULL;
		struct kt_json *result = NULL;
		rc = lab_round_new(path, seed, &round, err);
		if (!rc)
			rc = lab_round_play(round, options, &result, err);
		if (!rc)
			*failures += tell_held(round, result, told, arg);
		kt_json_free(result);
		lab_round_free(round);
	}
	return rc;
}
