/* SPDX-License-Identifier: MIT */
/* The proof that a lab is sound: the start fails every task, the solution and every other right answer pass,
 * every near miss fails as it says. */
#include "labs/labs_internal.h"
#include "labs/prove_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void lab_proof_tell(struct proof *p, const char *fmt, ...)
{
	struct kt_buf line = {0};
	va_list ap;
	kt_buf_addf(&line, "%s: ", p->lab->lab);
	va_start(ap, fmt);
	kt_buf_vaddf(&line, fmt, ap);
	va_end(ap);
	if (p->options->told)
		p->options->told(p->options->told_arg, kt_buf_str(&line));
	kt_buf_clear(&line);
}

void lab_proof_wrong(struct proof *p, const char *what, const char *fmt, ...)
{
	struct kt_buf line = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&line, fmt, ap);
	va_end(ap);
	p->failures++;
	lab_proof_tell(p, "FAILED %s: %s", what, kt_buf_str(&line));
	kt_buf_clear(&line);
}

enum kt_code lab_proof_check(struct proof *p, const char *task, bool first_failure, struct lab_result **out,
                             struct kt_err *err)
{
	struct lab_session *session = NULL;
	const struct lab_options *lab = p->options->options;
	struct lab_check_options options = {.task = task,
	                                    .ignore_after = task != NULL,
	                                    .first_failure = first_failure,
	                                    .answer_rightly = p->answer,
	                                    .record = p->record,
	                                    .all_drills = p->all_drills,
	                                    .progress = lab->progress,
	                                    .progress_arg = lab->progress_arg};
	enum kt_code rc = lab_open(p->lab, p->options->options, &session, err);
	if (!rc)
		rc = lab_check(session, p->lab, &options, out, err);
	lab_close(session);
	return rc;
}

bool lab_is_answer(const char *name)
{
	return (kt_ends(name, ".yaml") || kt_ends(name, ".yml") || kt_ends(name, ".json")) &&
	       !kt_streq(name, "expect.yaml") && !kt_streq(name, "needs.yaml") &&
	       !kt_streq(name, "record.yaml");
}

/* A document is steps or objects. */
static enum kt_code do_document(struct check_run *run, const char *dir, const struct kt_yaml *yaml,
                                const struct kt_json *doc, struct kt_err *err)
{
	const struct kt_json *list = check_steps_in(doc);
	struct check_step **steps = NULL;
	size_t count = 0;
	if (!kt_count(doc))
		return KT_OK;
	enum kt_code rc = list ? check_steps_parse(yaml, list, dir, &steps, &count, err)
	                       : check_apply_object(run, doc, err);
	if (rc && !list)
		kt_wrap(err, "%s:%u", kt_yaml_file(yaml), kt_yaml_line(yaml, doc));
	if (!rc && list)
		rc = check_do(run, steps, count, err);
	check_steps_free(steps, count);
	return rc;
}

static enum kt_code do_file(struct check_run *run, const char *dir, const char *path, struct kt_err *err)
{
	struct kt_yaml *yaml = NULL;
	enum kt_code rc = kt_yaml_read(path, &yaml, err);
	for (size_t i = 0; !rc && i < kt_yaml_count(yaml); i++)
		rc = do_document(run, dir, yaml, kt_yaml_doc(yaml, i), err);
	kt_yaml_free(yaml);
	return rc;
}

enum kt_code lab_proof_apply(struct proof *p, const char *dir, struct kt_err *err)
{
	struct lab_session *session = NULL;
	struct kt_strs names = {0};
	enum kt_code rc = kt_list_dir(dir, &names, err);
	if (!rc)
		rc = lab_open(p->lab, p->options->options, &session, err);
	for (size_t i = 0; !rc && i < names.count; i++) {
		char *path = kt_join(dir, names.items[i]);
		struct check_run run = {.client = lab_client(session),
		                        .world = lab_world(session),
		                        .progress = p->options->options->progress,
		                        .progress_arg = p->options->options->progress_arg};
		if (lab_is_answer(names.items[i]))
			rc = do_file(&run, dir, path, err);
		kt_free(path);
	}
	if (!rc)
		lab_settle(lab_world(session)); /* what is laid over it comes to a cluster at rest */
	lab_close(session);
	kt_strs_clear(&names);
	return rc;
}

enum kt_code lab_proof_reset(struct proof *p, struct kt_err *err)
{
	return lab_reset(p->lab, p->options->options, err);
}

/* --- time --- */

/* How long the drills of a task (NULL: of all) take, on a cluster whose minutes are minutes. */
static kt_ns drills_of(const struct lab *lab, const char *task)
{
	kt_ns span = 0;
	for (size_t i = 0; i < lab->task_count; i++)
		for (size_t c = 0; c < lab->tasks[i].check_count; c++)
			if (!task || kt_streq(task, lab->tasks[i].task))
				span += check_drill_span(lab->tasks[i].checks[c]);
	return span;
}

/* What would end after the time that is given is left out, and told. */
static bool leave_out(struct proof *p, const char *what, kt_ns span)
{
	const struct provider *provider = p->options->options->provider;
	kt_ns need = provider && provider->real_time ? span + KT_MIN_NS : 0;
	if (!p->options->until || kt_monotonic() + need <= p->options->until)
		return false;
	p->left_out++;
	if (span)
		lab_proof_tell(p, "%s: left out: its drills take %lld s, and there is no time for it", what,
		               (long long)(span / KT_SEC));
	else
		lab_proof_tell(p, "%s: left out: there is no time for it", what);
	return true;
}

/* --- what cannot be done there --- */

static const struct provider *provider_of(const struct proof *p)
{
	return p->options->options->provider;
}

/* Why task `i` cannot be graded on this provider's clusters; NULL: it can. */
static const char *cannot(const struct proof *p, size_t i)
{
	const struct provider *provider = provider_of(p);
	return provider && provider->cannot
	               ? provider->cannot(p->options->options->home, p->lab->lab, p->lab, i)
	               : NULL;
}

static const char *cannot_named(const struct proof *p, const char *task)
{
	for (size_t i = 0; i < p->lab->task_count; i++)
		if (kt_streq(p->lab->tasks[i].task, task))
			return cannot(p, i);
	return NULL;
}

static void tell_cannot(struct proof *p)
{
	for (size_t i = 0; i < p->lab->task_count; i++)
		if (cannot(p, i)) {
			p->left_out++;
			lab_proof_tell(p, "task '%s': left out: %s", p->lab->tasks[i].task, cannot(p, i));
		}
}

/* Somebody else's cluster was spared: nothing is proved by that. */
static bool was_spared(struct proof *p, const char *what, enum kt_code rc, const struct kt_err *err)
{
	if (rc != KT_EUNSUPPORTED || !provider_of(p) || !provider_of(p)->cannot)
		return false;
	p->left_out++;
	lab_proof_tell(p, "%s: left out: %s", what, err->text);
	return true;
}

/* --- what an answer needs --- */

static bool world_has(const struct check_world *world, const char *capability)
{
	for (size_t i = 0; world->capabilities && world->capabilities[i]; i++)
		if (kt_streq(world->capabilities[i], capability))
			return true;
	return false;
}

/* An answer may need more of a cluster than its lab does: needs.yaml beside it is a list of capabilities. */
static bool lacks(struct proof *p, const char *what, const char *dir)
{
	char *path = kt_join(dir, "needs.yaml"), *missing = NULL;
	struct lab_session *session = NULL;
	struct kt_yaml *yaml = NULL;
	struct kt_err err = {0};
	const struct kt_json *item;
	if (kt_is_file(path) &&
	    (kt_yaml_read(path, &yaml, &err) || lab_open(p->lab, p->options->options, &session, &err)))
		lab_proof_wrong(p, what, "%s", err.text);
	KT_JSON_EACH (item, session ? kt_yaml_doc(yaml, 0) : NULL)
		if (!missing && !world_has(lab_world(session), kt_str(item)))
			missing = kt_strdup(kt_str_or(item, "?"));
	if (missing) {
		p->left_out++;
		lab_proof_tell(p, "%s: left out: this cluster has no '%s'", what, missing);
	}
	bool lacking = missing || err.text[0];
	lab_close(session);
	kt_yaml_free(yaml);
	kt_free(missing);
	kt_free(path);
	return lacking;
}

/* --- what is proved --- */

static void prove_start(struct proof *p)
{
	struct lab_result *result = NULL;
	struct kt_err err = {0};
	unsigned before = p->failures;
	p->answer = false;
	if (lab_proof_record(p, NULL, &err) || lab_proof_check(p, NULL, false, &result, &err)) {
		lab_proof_wrong(p, "start", "%s", err.text);
		return;
	}
	for (size_t i = 0; i < result->task_count; i++) {
		const struct check_report_task *task = &result->tasks[i];
		enum check_status status = check_task_status(task);
		if (cannot(p, i))
			continue;
		if (status == CHECK_PASSED)
			lab_proof_wrong(p, "start", "task '%s' passes before anything was done", task->task);
		for (size_t f = 0; status == CHECK_UNKNOWN && f < task->finding_count; f++)
			if (task->findings[f].status == CHECK_UNKNOWN)
				lab_proof_wrong(p, "start", "task '%s' is unknown: %s", task->task,
				                task->findings[f].found);
	}
	lab_result_free(result);
	if (p->failures == before)
		lab_proof_tell(p, "start: every task fails");
}

/* True where all pass. */
static bool prove_right(struct proof *p, const char *what, const char *dir)
{
	struct lab_result *result = NULL;
	struct kt_err err = {0};
	unsigned before = p->failures;
	kt_ns began = kt_monotonic();
	if (leave_out(p, what, drills_of(p->lab, NULL)))
		return false;
	p->answer = true;
	enum kt_code rc = lab_proof_record(p, dir, &err);
	if (!rc)
		rc = lab_proof_reset(p, &err);
	kt_ns reset = kt_monotonic();
	if (!rc)
		rc = lab_proof_apply(p, dir, &err);
	kt_ns applied = kt_monotonic();
	if (!rc)
		rc = lab_proof_check(p, NULL, false, &result, &err);
	if (!p->check) { /* the solution is the first */
		p->reset = reset - began;
		p->check = kt_monotonic() - applied;
	}
	if (rc) {
		if (!was_spared(p, what, rc, &err))
			lab_proof_wrong(p, what, "%s", err.text);
		return false;
	}
	for (size_t i = 0; i < result->task_count; i++) {
		const struct check_report_task *task = &result->tasks[i];
		if (cannot(p, i))
			continue;
		if (task->blocked)
			lab_proof_wrong(p, what, "task '%s' waits for one that does not pass", task->task);
		for (size_t f = 0; f < task->finding_count; f++)
			if (task->findings[f].status != CHECK_PASSED)
				lab_proof_wrong(p, what, "task '%s': expected %s; found %s", task->task,
				                task->findings[f].expected, task->findings[f].found);
	}
	lab_result_free(result);
	if (p->failures == before)
		lab_proof_tell(p, "%s: passes", what);
	return p->failures == before;
}

/* All that a finding says, in one text. */
static void all_said(const struct check_finding *finding, struct kt_buf *out)
{
	const char *const parts[] = {finding->expected, finding->found, finding->table, finding->object,
	                             finding->path};
	for (size_t i = 0; i < KT_COUNT(parts); i++)
		kt_buf_addf(out, "%s\n", parts[i] ? parts[i] : "");
}

/* A number is its digits; `no` may stand as it is written, or as `false`. */
static bool is_said(const struct kt_buf *said, const struct kt_json *word)
{
	static const char *const spelled[2][2] = {{"no", "false"}, {"yes", "true"}};
	if (kt_json_type(word) == KT_JSON_BOOL) {
		const char *const *either = spelled[kt_bool_or(word, false)];
		return strcasestr(kt_buf_str(said), either[0]) || strcasestr(kt_buf_str(said), either[1]);
	}
	char *text = kt_str(word) ? kt_strdup(kt_str(word)) : kt_json_text(word);
	bool is = strcasestr(kt_buf_str(said), text) != NULL;
	kt_free(text);
	return is;
}

/* `finding:` is a text or a list of texts, all of which are said. */
static bool says_all(const struct kt_buf *said, const struct kt_json *words)
{
	const struct kt_json *word;
	bool all = !words || kt_is_array(words) || is_said(said, words);
	if (kt_is_array(words))
		KT_JSON_EACH (word, words)
			all = all && is_said(said, word);
	return all;
}

/* Does the named task fail, and do its findings say these words, be it one of them or all together? `said`
 * gets what they say instead; *spared: a drill was left out. */
static bool look_as_named(struct proof *p, const char *task, const struct kt_json *words, bool *spared,
                          struct kt_buf *said, struct kt_err *err)
{
	struct lab_result *result = NULL;
	struct kt_buf all = {0};
	bool failed = false;
	kt_buf_cut(said, 0);
	if (lab_proof_check(p, task, false, &result, err))
		return false;
	for (size_t i = 0; i < result->task_count; i++)
		for (size_t f = 0;
		     kt_streq(result->tasks[i].task, task) && f < result->tasks[i].finding_count; f++) {
			const struct check_finding *finding = &result->tasks[i].findings[f];
			if (finding->status == CHECK_PASSED)
				continue;
			kt_buf_addf(said, "%s%sexpected %s; found %s", said->len ? " | " : "",
			            finding->status == CHECK_UNKNOWN ? "unknown: " : "", finding->expected,
			            finding->found);
			if (finding->status == CHECK_FAILED)
				all_said(finding, &all);
			failed = failed || finding->status == CHECK_FAILED;
			*spared = *spared ||
			          (finding->status == CHECK_UNKNOWN && kt_streq(finding->check, "drill"));
		}
	bool fits = failed && says_all(&all, words);
	kt_buf_clear(&all);
	lab_result_free(result);
	return fits;
}

/* What is wrong already needs no drill, but the words may be the drill's. */
static bool fails_as_named(struct proof *p, const char *task, const struct kt_json *words,
                           struct kt_buf *said, struct kt_err *err)
{
	bool spared = false, fits = look_as_named(p, task, words, &spared, said, err);
	if (fits || !spared)
		return fits;
	p->all_drills = true;
	fits = look_as_named(p, task, words, &spared, said, err);
	p->all_drills = false;
	return fits;
}

static bool all_fail_as_named(struct proof *p, const struct kt_json *list, struct kt_buf *said,
                              struct kt_err *err)
{
	const struct kt_json *row;
	struct kt_buf one = {0};
	bool all = true;
	KT_JSON_EACH (row, list) {
		if (!all || cannot_named(p, kt_get_str(row, "task")) ||
		    fails_as_named(p, kt_get_str(row, "task"), kt_get(row, "finding"), &one, err))
			continue;
		all = false;
		kt_buf_addf(said, "%s: %s", kt_get_str(row, "task"), one.len ? kt_buf_str(&one) : "passes");
	}
	kt_buf_clear(&one);
	return all;
}

/* A near miss is whole, or is laid over the solution. */
static bool try_wrong(struct proof *p, const char *dir, const struct kt_json *list, struct kt_buf *said,
                      struct kt_err *err)
{
	char *solution = kt_join(p->lab->dir, "solution");
	bool fits = false;
	for (int over = 0; over < 2 && !fits; over++) {
		kt_err_clear(err);
		enum kt_code rc = lab_proof_reset(p, err);
		if (!rc && over)
			rc = lab_proof_apply(p, solution, err);
		if (!rc)
			rc = lab_proof_apply(p, dir, err);
		if (!rc)
			kt_buf_addf(said, "%s%s: ", said->len ? "; " : "",
			            over ? "over the solution" : "alone");
		fits = !rc && all_fail_as_named(p, list, said, err);
	}
	kt_free(solution);
	return fits;
}

/* `finding` is a text or texts. */
static bool is_finding(const struct kt_json *words)
{
	const struct kt_json *word;
	bool fine = !kt_is_object(words);
	if (kt_is_array(words))
		KT_JSON_EACH (word, words)
			fine = fine && !kt_is_object(word) && !kt_is_array(word);
	return fine;
}

/* Rows {task, finding}, of tasks that the lab has. */
static enum kt_code hold_expect(const struct lab *lab, const struct kt_yaml *yaml, const struct kt_json *list,
                                struct kt_err *err)
{
	static const char *const keys[] = {"task", "finding"};
	const struct kt_json *row;
	if (!kt_count(list))
		return kt_yaml_fail(yaml, list, err, "expected `- {task: NAME, finding: WORDS}`");
	KT_JSON_EACH (row, list) {
		const char **names = kt_alloc((lab->task_count + 1) * sizeof(*names)),
		           *task = kt_get_str(row, "task");
		bool known = false;
		for (size_t i = 0; i < lab->task_count; i++) {
			names[i] = lab->tasks[i].task;
			known = known || kt_streq(names[i], task);
		}
		enum kt_code rc = kt_yaml_keys(yaml, row, "expect.yaml", keys, KT_COUNT(keys), err);
		if (!rc && !task)
			rc = kt_yaml_fail(yaml, row, err, "expected `{task: NAME, finding: WORDS}`");
		else if (!rc && !known)
			rc = kt_yaml_unknown_key(yaml, row, "the lab", task, names, lab->task_count, err);
		else if (!rc && !is_finding(kt_get(row, "finding")))
			rc = kt_yaml_fail(yaml, kt_get(row, "finding"), err,
			                  "'finding': expected a text or a list of texts");
		kt_free(names);
		if (rc)
			return rc;
	}
	return KT_OK;
}

enum kt_code lab_expect_read(const struct lab *lab, const char *dir, struct kt_json **out, struct kt_err *err)
{
	char *path = kt_join(dir, "expect.yaml");
	struct kt_yaml *yaml = NULL;
	enum kt_code rc = kt_yaml_read(path, &yaml, err);
	const struct kt_json *doc = rc ? NULL : kt_yaml_doc(yaml, 0);
	struct kt_json *list = kt_is_array(doc) ? kt_json_ref(doc) : doc ? kt_jsonf("[%J]", doc) : NULL;
	if (!rc)
		rc = hold_expect(lab, yaml, list, err);
	if (rc)
		kt_json_free(list);
	*out = rc ? NULL : list;
	kt_yaml_free(yaml);
	kt_free(path);
	return rc;
}

static void prove_wrong(struct proof *p, const char *what, const char *dir)
{
	struct kt_json *list = NULL;
	struct kt_buf said = {0};
	struct kt_err err = {0};
	p->answer = true;
	enum kt_code rc = lab_expect_read(p->lab, dir, &list, &err);
	if (!rc)
		rc = lab_proof_record(p, dir, &err);
	const struct kt_json *row;
	kt_ns span = 0;
	size_t graded = 0;
	KT_JSON_EACH (row, list) {
		span += rc ? 0 : drills_of(p->lab, kt_get_str(row, "task"));
		graded += !cannot_named(p, kt_get_str(row, "task"));
	}
	if (rc)
		lab_proof_wrong(p, what, "%s", err.text);
	else if (!graded)
		lab_proof_tell(p, "%s: left out: what it should fail cannot be graded there", what);
	else if (leave_out(p, what, span))
		; /* told */
	else if (try_wrong(p, dir, list, &said, &err))
		lab_proof_tell(p, "%s: fails as it should", what);
	else if (!was_spared(p, what, err.code, &err))
		lab_proof_wrong(p, what, "%s%s%s", kt_buf_str(&said), said.len && err.text[0] ? "; " : "",
		                err.text);
	kt_json_free(list);
	kt_buf_clear(&said);
}

static void prove_folder(struct proof *p, const char *folder, bool right)
{
	char *dir = kt_join(p->lab->dir, folder);
	struct kt_strs names = {0};
	if (kt_is_dir(dir) && !kt_list_dir(dir, &names, NULL))
		for (size_t i = 0; i < names.count; i++) {
			char *path = kt_join(dir, names.items[i]),
			     *what = kt_strf("%s/%s", folder, names.items[i]);
			if (kt_is_dir(path) && lacks(p, what, path))
				; /* told */
			else if (kt_is_dir(path) && right)
				prove_right(p, what, path);
			else if (kt_is_dir(path))
				prove_wrong(p, what, path);
			kt_free(what);
			kt_free(path);
		}
	kt_strs_clear(&names);
	kt_free(dir);
}

bool lab_proof_parts(const char *words, unsigned *out)
{
	static const struct {
		const char *word;
		unsigned part;
	} rows[] = {{"start", LAB_PROOF_START},
	            {"solution", LAB_PROOF_SOLUTION},
	            {"wrong", LAB_PROOF_WRONG},
	            {"also-right", LAB_PROOF_ALSO_RIGHT}};
	const char *word;
	size_t len;
	for (*out = 0; (word = kt_split(&words, ',', &len));) {
		unsigned part = 0;
		for (size_t i = 0; i < KT_COUNT(rows); i++)
			if (strlen(rows[i].word) == len && !strncmp(rows[i].word, word, len))
				part = rows[i].part;
		if (!part)
			return false;
		*out |= part;
	}
	return true;
}

#define WORDS_MAX 24 /* what was drawn may mean whole sentences */

/* "zone a, count 3" */
static char *drawn_words(const struct lab *lab)
{
	struct kt_buf words = {0};
	for (size_t i = 0; i < kt_count(lab->drawn); i++) {
		char *value = kt_str(kt_at(lab->drawn, i)) ? kt_strdup(kt_str(kt_at(lab->drawn, i)))
		                                           : kt_json_text(kt_at(lab->drawn, i));
		if (strlen(value) <= WORDS_MAX)
			kt_buf_addf(&words, "%s%s %s", words.len ? ", " : "", kt_key(lab->drawn, i), value);
		kt_free(value);
	}
	return kt_buf_take(&words);
}

/* One variant: its solution; in full also its start, near misses and other right answers. */
static void prove_draw(struct proof *p, size_t draw, bool in_full)
{
	const struct lab *first = p->lab;
	struct lab *lab = NULL;
	struct kt_err err = {0};
	if (lab_stop(first, p->options->options, &err) || lab_new_drawn(first->source, draw, &lab, &err) ||
	    lab_lay(p->options->options->home, &lab, &err) ||
	    lab_start(lab, p->options->options, NULL, &err)) {
		lab_proof_wrong(p, "variants", "%s", err.text);
	} else {
		char *words = drawn_words(lab), *what = kt_strf("solution with %s", words),
		     *solution = kt_join(lab->dir, "solution");
		p->lab = lab;
		if (in_full)
			prove_start(p);
		prove_right(p, what, solution);
		if (in_full) {
			prove_folder(p, "wrong", false);
			prove_folder(p, "also-right", true);
		}
		p->lab = first;
		kt_free(solution);
		kt_free(words);
		kt_free(what);
	}
	lab_free(lab);
}

/* What a learner may draw holds as well. */
static void prove_draws(struct proof *p)
{
	size_t covers = lab_covers(p->lab);
	struct kt_random random;
	if (!p->options->seeds && covers > 1 && provider_of(p) && provider_of(p)->real_time) {
		p->left_out++;
		lab_proof_tell(p, "variants: left out: minutes take minutes there; --seeds proves them");
		return;
	}
	if (!p->options->seeds || p->lab->draws < 2) {
		for (size_t i = 1; i < covers; i++)
			prove_draw(p, lab_cover(p->lab, i), false);
		return;
	}
	for (unsigned seed = 1; seed <= p->options->seeds; seed++) {
		kt_random_init(&random, seed);
		prove_draw(p, kt_random_below(&random, (uint32_t)p->lab->draws), true);
	}
}

enum kt_code lab_prove(const struct lab *lab, const struct lab_proof_options *options,
                       struct lab_proof_result *out, struct kt_err *err)
{
	struct lab_options held = *options->options;
	struct lab_proof_options own = *options;
	held.held = true; /* what holds, holds however slow this machine is */
	own.options = &held;
	options = &own;
	struct proof p = {.lab = lab, .options = options};
	struct kt_err why = {0};
	char *solution = kt_join(lab->dir, "solution");
	kt_ns began = kt_monotonic();
	*out = (struct lab_proof_result){0};
	enum kt_code rc = lab_start(lab, options->options, NULL, err);
	out->start = kt_monotonic() - began;
	bool spared = was_spared(&p, "start", rc, err);
	if (spared) {
		kt_err_clear(err);
		rc = KT_OK;
	} else if (!rc) {
		lab_proof_tell(&p, "started in %lld ms", (long long)(out->start / KT_MS));
		unsigned parts = options->parts ? options->parts : ~0u;
		tell_cannot(&p);
		bool sound = false;
		if (parts & LAB_PROOF_START)
			prove_start(&p);
		if (parts & LAB_PROOF_SOLUTION)
			sound = kt_is_dir(solution)
			                ? prove_right(&p, "solution", solution)
			                : (lab_proof_wrong(&p, "solution", "there is none"), false);
		/* near misses first: what no drill has to show is shown soon */
		if (parts & LAB_PROOF_WRONG)
			prove_folder(&p, "wrong", false);
		if (parts & LAB_PROOF_ALSO_RIGHT)
			prove_folder(&p, "also-right", true);
		if (sound && options->mutate && lab_proof_record(&p, solution, &why))
			lab_proof_wrong(&p, "mutations", "%s", why.text);
		else if (sound && options->mutate)
			lab_proof_mutate(&p, solution);
		if (sound && !options->mutate)
			prove_draws(&p);
		lab_proof_tell(&p, "%u failed, %lld ms", p.failures,
		               (long long)((kt_monotonic() - began) / KT_MS));
	}
	if (!spared && lab_stop(lab, options->options, &why) && !rc)
		lab_proof_tell(&p, "its cluster could not be stopped: %s", why.text);
	kt_free(solution);
	kt_json_free(p.record);
	out->failures = p.failures;
	out->left_out = p.left_out;
	out->reset = p.reset;
	out->check = p.check;
	return rc;
}
