/* SPDX-License-Identifier: MIT */
/* expert: predictions. Locked until the last level is complete and its word was typed. */
#include "cli/labs.h"
#include "labs/expert.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct cli_flag list_flags[] = {{"format", "text|json", "how to print: text (default) or json"},
                                             {NULL, NULL, NULL}};
static const struct cli_flag play_flags[] = {
        {"seed", "N", "draw what varies from N (default: from the clock)"},
        {"format", "text|json", "how to print what came of it"},
        {NULL, NULL, NULL}};

/* --- the gate --- */

static bool row_done(const struct kt_json *rows, const char *key, const char *value, const char *mark)
{
	ptrdiff_t i = value ? kt_find(rows, key, value) : -1;
	return i >= 0 && kt_get_int(kt_at(rows, (size_t)i), mark, 0) > 0;
}

static bool is_done(const struct kt_json *progress, const struct lesson *lesson)
{
	return row_done(kt_get(progress, "lessons"), "lesson", lesson->id, "read") &&
	       (!lesson->lab || row_done(kt_get(progress, "labs"), "lab", lesson->lab, "passed"));
}

/* What of the gate's level is still to do: "6.2 Everything must be replaceable". */
static void missing(const struct lesson_course *course, const struct kt_json *progress, struct kt_strs *out)
{
	const struct lesson_gate *gate = &course->gate;
	for (size_t l = 0; l < course->level_count; l++)
		for (size_t i = 0;
		     course->levels[l].level == gate->level && i < course->levels[l].lesson_count; i++) {
			const struct lesson *lesson = course->levels[l].lessons[i];
			if (!is_done(progress, lesson))
				kt_strs_steal(out, kt_strf("%s %s", lesson->id, lesson->title));
		}
	for (size_t i = 0; i < gate->line_count; i++)
		for (size_t k = 0; gate->lines[i].lessons[k]; k++)
			if (!lesson_find(course, gate->lines[i].lessons[k]))
				kt_strs_steal(out, kt_strf("%s (the course does not have it yet)",
				                           gate->lines[i].lessons[k]));
}

struct expert {
	struct cli_call *call;
	struct lesson_course *course;
	struct db *db;
	struct kt_json *progress;
};

static void expert_clear(struct expert *e)
{
	kt_json_free(e->progress);
	db_close(e->db);
	lesson_course_free(e->course);
}

static int expert_open(struct cli_call *call, struct expert *e)
{
	*e = (struct expert){.call = call};
	int code = cli_course(call, &e->course);
	if (code)
		return code;
	e->db = cli_progress(call);
	if (!e->db || db_progress_read(e->db, &e->progress, NULL))
		e->progress = kt_json_object();
	return CLI_OK;
}

static bool is_open(const struct expert *e)
{
	const char *word = e->course->gate.word;
	return word && kt_find(kt_get(e->progress, "unlocks"), "what", word) >= 0;
}

/* Tell why it is locked. */
static int locked(const struct expert *e)
{
	struct kt_strs left = {0};
	missing(e->course, e->progress, &left);
	if (left.count) {
		(void)fprintf(e->call->err, "ktutor: locked. Of level %u is still to do:\n",
		              e->course->gate.level);
		for (size_t i = 0; i < left.count; i++)
			(void)fprintf(e->call->err, "  %s\n", left.items[i]);
	} else {
		(void)fprintf(e->call->err, "ktutor: locked: `ktutor expert` waits for a word\n");
	}
	kt_strs_clear(&left);
	return CLI_FAILED;
}

/* Level complete: the word is read, from the terminal or a pipe. */
static int read_word(struct expert *e)
{
	char typed[64];
	struct kt_strs left = {0};
	missing(e->course, e->progress, &left);
	bool earned = !left.count && e->course->gate.word;
	kt_strs_clear(&left);
	if (!earned)
		return locked(e);
	(void)fprintf(e->call->out, "%s\n> ", e->course->gate.title ? e->course->gate.title : "");
	(void)fflush(e->call->out);
	if (!fgets(typed, sizeof(typed), stdin))
		return locked(e);
	typed[strcspn(typed, "\r\n")] = '\0';
	if (!kt_streq(typed, e->course->gate.word))
		return locked(e);
	char *roam = e->db ? db_setting(e->db, "roam") : NULL;
	cli_record(e->call, e->db, "unlock",
	           kt_jsonf("{what: %s, roaming: %d}", e->course->gate.word, (int)kt_streq(roam, "on")));
	kt_free(roam);
	return CLI_OK;
}

/* --- how well the learner predicts --- */

static void print_score(FILE *out, const struct kt_json *score_of)
{
	if (!kt_get_int(score_of, "predictions", 0))
		return;
	(void)fprintf(out, "%lld of %lld predictions right", (long long)kt_get_int(score_of, "right", 0),
	              (long long)kt_get_int(score_of, "predictions", 0));
	if (kt_json_type(kt_get(score_of, "brier")) != KT_JSON_NULL)
		(void)fprintf(out, "; calibration %.2f (0 is perfect, 0.25 is guessing)",
		              kt_real_or(kt_get(score_of, "brier"), 0));
	(void)fputc('\n', out);
}

/* --- list --- */

static enum kt_code rounds(struct cli_call *call, struct kt_json **out)
{
	struct kt_err err = {0};
	struct kt_strs wrong = {0};
	char *dir = NULL;
	enum kt_code rc = cli_share_dir("labs/expert", &dir, &err);
	if (!rc)
		rc = lab_rounds(dir, out, &wrong, &err);
	for (size_t i = 0; i < wrong.count; i++) {
		(void)fputs("ktutor: left out: ", call->err);
		cli_print_clean(call->err, wrong.items[i]);
		(void)fputc('\n', call->err);
	}
	if (rc)
		cli_fail(call, &err);
	kt_strs_clear(&wrong);
	kt_free(dir);
	return rc;
}

static int run_list(struct cli_call *call)
{
	struct expert e;
	struct kt_json *list = NULL;
	const struct kt_json *row;
	bool json = false;
	if (!cli_json(call, &json))
		return CLI_USAGE;
	int code = expert_open(call, &e);
	if (!code && rounds(call, &list))
		code = CLI_LAB_WRONG;
	if (!code && json) {
		struct kt_json *shown = kt_json_array();
		KT_JSON_EACH (row, list)
			kt_push(&shown, kt_jsonf("{family: %J, title: %J, locked: %b}", kt_get(row, "family"),
			                         kt_get(row, "title"), !is_open(&e)));
		cli_print_json(call, shown);
		kt_json_free(shown);
	} else if (!code) {
		KT_JSON_EACH (row, list)
			(void)fprintf(call->out, "%-20s %s\n", kt_get_str(row, "family"),
			              kt_get_str(row, "title"));
		struct kt_json *sum = lab_round_score(e.progress);
		print_score(call->out, sum);
		kt_json_free(sum);
		if (!is_open(&e))
			(void)fputs("locked: `ktutor expert` says what is missing\n", call->out);
	}
	kt_json_free(list);
	expert_clear(&e);
	return code;
}

static int run_expert(struct cli_call *call)
{
	struct expert e;
	int code = expert_open(call, &e);
	if (!code && !is_open(&e))
		code = read_word(&e);
	if (!code && e.course->gate.after)
		(void)fprintf(call->out, "%s\n", e.course->gate.after);
	if (!code)
		(void)fputs("`ktutor expert list` names the rounds, `ktutor expert play FAMILY` plays one.\n",
		            call->out);
	expert_clear(&e);
	return code;
}

/* --- play --- */

struct typed {
	char answer[128];
	long sure; /* percent; -1: not told */
};

static bool read_line(struct cli_call *call, const char *prompt, char *out, size_t size)
{
	if (isatty(0))
		(void)fputs(prompt, call->out);
	(void)fflush(call->out);
	if (!fgets(out, (int)size, stdin))
		return false;
	out[strcspn(out, "\r\n")] = '\0';
	return true;
}

static void print_choices(FILE *out, const struct lab_round_ask *ask)
{
	const struct kt_json *choice;
	KT_JSON_EACH (choice, ask->choices) {
		struct kt_buf text = {0};
		lab_round_say(choice, &text);
		(void)fprintf(out, "   (%c) %s\n", (char)('a' + choice_i), kt_buf_str(&text));
		kt_buf_clear(&text);
	}
}

/* A letter is kept as what it stands for. */
static void keep_choice(const struct lab_round_ask *ask, struct typed *typed)
{
	const struct kt_json *choice = lab_round_choice(ask, typed->answer);
	struct kt_buf text = {0};
	if (choice)
		lab_round_say(choice, &text);
	if (choice)
		(void)snprintf(typed->answer, sizeof(typed->answer), "%s", kt_buf_str(&text));
	kt_buf_clear(&text);
}

/* Commit to an answer first. A line is `ANSWER` or `ANSWER PERCENT%`. */
static void ask_all(struct cli_call *call, const struct lab_round *round, struct typed *typed)
{
	for (size_t i = 0; i < round->ask_count; i++) {
		(void)fprintf(call->out, "%zu. %s\n", i + 1, round->asks[i].question);
		print_choices(call->out, &round->asks[i]);
		typed[i].sure = -1;
		if (!read_line(call, "   your answer, and how sure you are (`3 80%`): ", typed[i].answer,
		               sizeof(typed[i].answer)))
			continue;
		char *space = strrchr(typed[i].answer, ' '), *end = NULL;
		long sure = space ? strtol(space + 1, &end, 10) : -1;
		if (space && end != space + 1 && *end == '%' && sure >= 0 && sure <= 100) {
			typed[i].sure = sure;
			*space = '\0';
		}
		keep_choice(&round->asks[i], &typed[i]);
	}
}

/* "0 s 4 ▸ 50 s 2 ▸ 372 s 4" */
static void print_timeline(struct cli_call *call, const struct kt_json *timeline, size_t ask)
{
	const struct kt_json *row;
	struct kt_buf line = {0};
	size_t shown = 0;
	KT_JSON_EACH (row, timeline) {
		if (kt_get_int(row, "ask", -1) != (int64_t)ask || ++shown > 12)
			continue;
		kt_buf_addf(&line, "%s%lld s: ", line.len ? " ▸ " : "", (long long)kt_get_int(row, "at", 0));
		lab_round_say(kt_get(row, "value"), &line);
	}
	(void)fprintf(call->out, "   time      %s%s\n", kt_buf_str(&line), shown > 12 ? " …" : "");
	kt_buf_clear(&line);
}

static void print_outcome(struct cli_call *call, const struct lab_round *round, const struct kt_json *result,
                          const struct typed *typed)
{
	for (size_t i = 0; i < round->ask_count; i++) {
		const struct kt_json *answer = kt_at(kt_get(result, "answers"), i);
		struct kt_buf is = {0};
		lab_round_say(answer, &is);
		bool told = typed[i].answer[0],
		     right = told && lab_round_right(&round->asks[i], answer, typed[i].answer);
		(void)fprintf(call->out, "\n%s %zu. %s\n   predicted %s\n   happened  %s\n",
		              !told   ? "·"
		              : right ? "✓"
		                      : "✗",
		              i + 1, round->asks[i].question, told ? typed[i].answer : "nothing",
		              kt_buf_str(&is));
		print_timeline(call, kt_get(result, "timeline"), i);
		kt_buf_clear(&is);
	}
	if (*round->explain)
		(void)fprintf(call->out, "\n%s", round->explain);
}

static void record(struct expert *e, const struct lab_round *round, const struct kt_json *result,
                   const struct typed *typed)
{
	for (size_t i = 0; i < round->ask_count; i++) {
		const struct kt_json *answer = kt_at(kt_get(result, "answers"), i);
		if (!typed[i].answer[0])
			continue;
		cli_record(e->call, e->db, "prediction",
		           lab_round_event(round, i, answer, typed[i].answer, typed[i].sure));
	}
}

static int play(struct expert *e, const struct lab_round *round, bool json)
{
	struct cli_call *call = e->call;
	struct kt_err err = {0};
	struct kt_json *result = NULL;
	struct typed *typed = kt_alloc((round->ask_count + 1) * sizeof(*typed));
	char *home = kt_strf("%s/expert", call->home);
	struct lab_options options = {.home = home, .progress = cli_show_progress, .progress_arg = call};
	if (!json)
		(void)fprintf(call->out, "%s (seed %llu)\n\n%s%s", round->title,
		              (unsigned long long)round->seed, round->text, *round->text ? "\n" : "");
	if (!json && *round->does)
		(void)fprintf(call->out, "What is done: %s\n\n", round->does);
	if (!json || !isatty(0))
		ask_all(call, round, typed);
	cli_catch_interrupt();
	enum kt_code rc = lab_round_play(round, &options, &result, &err);
	cli_end_progress(call);
	int code = rc ? cli_fail(call, &err) : CLI_OK;
	if (!rc) {
		record(e, round, result, typed);
		if (json) {
			kt_set(&result, "family", kt_json_str(round->family));
			kt_set(&result, "drawn", kt_json_ref(round->drawn));
			kt_set(&result, "agrees", lab_round_held(round, result));
			cli_print_json(call, result);
		} else {
			print_outcome(call, round, result, typed);
		}
	}
	kt_json_free(result);
	kt_free(home);
	kt_free(typed);
	return code;
}

/* A name with a slash or a dot is a file: whoever wrote it needs no key to it. */
static bool is_file(const char *family)
{
	return strpbrk(family, "/.") && kt_is_file(family);
}

static char *file_of(const struct kt_json *list, const char *family, struct cli_call *call)
{
	const struct kt_json *row;
	const char **names = kt_alloc((kt_count(list) + 1) * sizeof(*names));
	char *file = is_file(family) ? kt_strdup(family) : NULL;
	KT_JSON_EACH (row, list) {
		names[row_i] = kt_get_str(row, "family");
		if (kt_streq(names[row_i], family))
			file = kt_strdup(kt_get_str(row, "file"));
	}
	const char *near = kt_nearest(family, names, kt_count(list));
	if (!file)
		cli_usage(call, "there is no round '%s'%s%s%s", family, near ? ": did you mean '" : "",
		          near ? near : "; `ktutor expert list` names them", near ? "'?" : "");
	kt_free(names);
	return file;
}

static int run_play(struct cli_call *call)
{
	struct expert e;
	struct kt_err err = {0};
	struct kt_json *list = NULL;
	struct lab_round *round = NULL;
	bool json = false;
	long seed = 0;
	if (!cli_json(call, &json) || !cli_number(call, "seed", 1, 2000000000L, &seed))
		return CLI_USAGE;
	int code = expert_open(call, &e);
	if (!code && !is_open(&e) && !is_file(call->args[0]))
		code = locked(&e);
	if (!code && rounds(call, &list))
		code = CLI_LAB_WRONG;
	char *file = code ? NULL : file_of(list, call->args[0], call);
	if (!code && !file)
		code = CLI_USAGE;
	if (!seed)
		seed = (long)(kt_clock_real().now(NULL) / KT_SEC % 1000000) + 1;
	if (!code && lab_round_new(file, (uint64_t)seed, &round, &err)) {
		cli_fail(call, &err);
		code = CLI_LAB_WRONG;
	}
	if (!code)
		code = play(&e, round, json);
	lab_round_free(round);
	kt_json_free(list);
	kt_free(file);
	expert_clear(&e);
	return code;
}

const struct cli_command cli_expert = {.name = "expert",
                                       .args = "",
                                       .summary =
                                               "the gate behind the last level: what is missing, or the word",
                                       .run = run_expert};
const struct cli_command cli_expert_list = {.name = "expert list",
                                            .args = "[--format text|json]",
                                            .summary = "name the rounds of predictions",
                                            .flags = list_flags,
                                            .run = run_list};
const struct cli_command cli_expert_play = {
        .name = "expert play",
        .args = "FAMILY|FILE [--seed N] [--format text|json]",
        .summary = "predict what a cluster does, then see it done",
        .help = "Answers are read line by line, `ANSWER` or `ANSWER PERCENT%` (how sure you are). A FILE is "
                "one\n"
                "that you write yourself; `ktutor course test FILE` proves it.",
        .flags = play_flags,
        .min_args = 1,
        .max_args = 1,
        .run = run_play,
};
