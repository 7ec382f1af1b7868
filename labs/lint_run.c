/* SPDX-License-Identifier: MIT */
/* The commands of a lesson are run, one after the other, where its lab begins, and what is shown is held
 * against what is printed. Where a command needs something first, or stands for a longer one, a row of
 * commands.yaml beside the lesson says so; the rows are in the order of the page. */
#include "labs/labs_internal.h"
#include "labs/shown.h"

#include <string.h>

#define PATIENCE_MS 40000
#define SILENCE     KT_SEC /* real time without a question, after which a command that asked sleeps */
#define STEP        KT_SEC /* of the cluster's time, at each look at one that waits */

static const char *const row_keys[] = {"command", "as", "do", "ends", "skip"};
static const struct lab_rows command_rows = {.file = "commands.yaml",
                                             .what = "a command",
                                             .example = "- {command: …, as: …}",
                                             .wanted = "'command', as the lesson shows it",
                                             .keys = row_keys,
                                             .key_count = KT_COUNT(row_keys),
                                             .required = 1};

struct command {
	char *text;  /* without its comment; lines that go on are joined */
	char *shown; /* "" none */
	unsigned line;
};
struct running {
	struct lesson_pencil *pencil;
	const struct lesson *lesson;
	const struct lab *lab;
	const struct lab_options *options;
	const char *bin; /* a folder that comes first on PATH */
	char *kubeconfig;
	struct lab_session *session; /* while the lab runs */
	struct kt_yaml *yaml;
	size_t row; /* the next of commands.yaml */
	struct command *commands;
	size_t count, cap;
};

/* --- reading the page --- */

/* "kubectl get pdb   # 0: nobody may go" -> "kubectl get pdb" */
static size_t without_comment(const char *line, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++)
		if (line[i] == ' ' && line[i + 1] == '#') {
			len = i;
			break;
		}
	while (len && line[len - 1] == ' ')
		len--;
	return len;
}

static void end_command(struct running *r, struct kt_buf *text, struct kt_buf *shown, unsigned line)
{
	if (text->len) {
		r->commands = kt_grow(r->commands, &r->cap, r->count + 1, sizeof(*r->commands));
		r->commands[r->count++] = (struct command){kt_buf_take(text), kt_buf_take(shown), line};
	}
	kt_buf_cut(text, 0);
	kt_buf_cut(shown, 0);
}

static void read_block(struct running *r, const struct lesson_block *block)
{
	struct kt_buf text = {0}, shown = {0};
	const char *at = block->text, *line;
	size_t len;
	unsigned number = block->line, begun = 0;
	for (bool goes_on = false; at && (line = kt_split(&at, '\n', &len)); number++) {
		bool begins = len > 2 && !strncmp(line, "$ ", 2);
		if (begins) {
			end_command(r, &text, &shown, begun);
			begun = number;
		}
		if (begins || goes_on) {
			size_t skip = begins ? 2 : strspn(line, " "), end = without_comment(line, len);
			goes_on = end && line[end - 1] == '\\';
			kt_buf_add(&text, line + skip, end - skip - goes_on);
		} else if (text.len && !(len && line[0] == '#')) {
			kt_buf_addf(&shown, "%.*s\n", (int)len, line);
		}
	}
	end_command(r, &text, &shown, begun);
	kt_buf_clear(&text);
	kt_buf_clear(&shown);
}

static void read_commands(struct running *r)
{
	for (size_t p = 0; p < r->lesson->page_count; p++)
		for (size_t b = 0; b < r->lesson->pages[p].block_count; b++)
			if (kt_streq(r->lesson->pages[p].blocks[b].language, "console"))
				read_block(r, &r->lesson->pages[p].blocks[b]);
}

/* --- the rows beside it --- */

static const struct kt_json *next_row(struct running *r, const struct command *command)
{
	const struct kt_json *row = kt_at(lab_rows_of(r->yaml), r->row);
	if (!row || !kt_streq(kt_get_str(row, "command"), command->text))
		return NULL;
	r->row++;
	return row;
}

/* --- running --- */

/* The row's steps; then the cluster is at rest. */
static enum kt_code prepare(struct running *r, const struct kt_json *row, struct kt_err *err)
{
	struct check_step **steps = NULL;
	size_t count = 0;
	enum kt_code rc = KT_OK;
	if (kt_get(row, "do"))
		rc = check_steps_parse(r->yaml, kt_get(row, "do"), r->lab->dir, &steps, &count, err);
	if (!rc) {
		struct check_run run = {.client = lab_client(r->session), .world = lab_world(r->session)};
		rc = check_do(&run, steps, count, err);
		lab_settle(run.world);
	}
	check_steps_free(steps, count);
	return rc;
}

/* The cluster's time stands while a command asks and is answered, and passes while it waits: has a watch (or
 * a command in a pod) open that has told all there is, or asks, sleeps, and asks again. */
struct pace {
	const struct check_world *world;
	int64_t asked, first; /* requests so far; before it began (-1: not known yet) */
	kt_ns silent;         /* since when it has asked nothing */
};

static void let_pass(void *arg)
{
	struct pace *pace = arg;
	struct check_clients clients;
	kt_ns now = kt_monotonic(), passed;
	if (!pace->world->clients || pace->world->clients(pace->world->arg, &clients, NULL))
		return; /* it is gone: the command finds out */
	if (pace->first < 0)
		pace->first = clients.asked;
	if (clients.asked != pace->asked)
		pace->silent = now;
	pace->asked = clients.asked;
	bool sleeps = clients.asked > pace->first && now - pace->silent >= SILENCE;
	if (clients.waiting || sleeps)
		(void)!pace->world->pass(pace->world->arg, STEP, false, &passed, NULL);
}

static enum kt_code run_command(const struct running *r, const char *text, int *status, struct kt_buf *out,
                                struct kt_err *err)
{
	char *script = kt_strf("exec 2>&1\nPATH=\"%s:$PATH\"\n%s\n", r->bin, text),
	     *config = kt_strf("KUBECONFIG=%s", r->kubeconfig),
	     *home = kt_strf("KTUTOR_HOME=%s", r->options->home);
	const char *argv[] = {"sh", "-c", script, NULL}, *env[] = {config, home, NULL};
	struct pace pace = {.world = lab_world(r->session), .first = -1};
	struct kt_run run = {.argv = argv,
	                     .env = env,
	                     .dir = r->lab->dir,
	                     .out = out,
	                     .timeout_ms = PATIENCE_MS,
	                     .meanwhile = let_pass,
	                     .meanwhile_arg = &pace};
	enum kt_code rc = kt_run(&run, status, err);
	kt_free(script);
	kt_free(config);
	kt_free(home);
	return rc;
}

static void hold(struct running *r, const struct command *command)
{
	const struct kt_json *row = next_row(r, command);
	struct kt_buf out = {0}, why = {0};
	struct kt_err err = {0};
	int status = 0;
	if (kt_get_str(row, "skip"))
		return;
	enum kt_code rc = prepare(r, row, &err);
	if (!rc)
		rc = run_command(r, kt_str_or(kt_get(row, "as"), command->text), &status, &out, &err);
	const char *end = out.len ? strchr(kt_buf_str(&out), '\n') : NULL;
	if (rc)
		lesson_found(r->pencil, "lesson.md", command->line, "`%s` was not run: %s", command->text,
		             err.text);
	else if (status != kt_get_int(row, "ends", 0))
		lesson_found(r->pencil, "lesson.md", command->line,
		             "`%s` ends with %d: %.*s; mend it, or say in commands.yaml what comes before it",
		             command->text, status, end ? (int)(end - out.data) : (int)out.len,
		             kt_buf_str(&out));
	else if (*command->shown && !lab_shown_fits(command->shown, kt_buf_str(&out), &why))
		lesson_found(r->pencil, "lesson.md", command->line,
		             "`%s` prints something else: %s; show what it prints", command->text,
		             kt_buf_str(&why));
	kt_buf_clear(&out);
	kt_buf_clear(&why);
}

static void hold_all(struct running *r)
{
	struct kt_err err = {0};
	struct lab_options held = *r->options;
	held.held = true;
	if (lab_start(r->lab, &held, &r->kubeconfig, &err) || lab_open(r->lab, &held, &r->session, &err)) {
		lesson_found(r->pencil, "lesson.md", 1, "its commands were not run: %s", err.text);
		return;
	}
	for (size_t i = 0; i < r->count; i++)
		hold(r, &r->commands[i]);
	const struct kt_json *rows = lab_rows_of(r->yaml);
	if (r->row < kt_count(rows))
		lesson_found(r->pencil, "commands.yaml", kt_yaml_line(r->yaml, kt_at(rows, r->row)),
		             "the lesson shows no `%s`, or not there; the rows are in its order",
		             kt_get_str(kt_at(rows, r->row), "command"));
	lab_close(r->session);
	if (lab_stop(r->lab, r->options, &err))
		lesson_found(r->pencil, "lesson.md", 1, "its lab did not end: %s", err.text);
}

void lab_lint_commands(const struct lesson *lesson, const struct lab *lab, const struct lab_options *options,
                       const char *bin, struct lesson_pencil *pencil)
{
	struct running r = {.pencil = pencil, .lesson = lesson, .lab = lab, .options = options, .bin = bin};
	struct kt_err err = {0};
	pencil->lesson = lesson;
	read_commands(&r);
	if (lab_read_rows(&command_rows, lesson->dir, &r.yaml, &err))
		lesson_found(pencil, "commands.yaml", 1, "%s", err.text);
	else if (r.count)
		hold_all(&r);
	for (size_t i = 0; i < r.count; i++) {
		kt_free(r.commands[i].text);
		kt_free(r.commands[i].shown);
	}
	kt_free(r.commands);
	kt_free(r.kubeconfig);
	kt_yaml_free(r.yaml);
}
