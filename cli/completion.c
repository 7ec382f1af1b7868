/* SPDX-License-Identifier: MIT */
/* completion: scripts for shells. They ask `ktutor complete WORD...` what could stand in the place of the
 * last word, which the table of commands answers: no list of commands is written twice. */
#include "cli/labs.h"
#include "labs/embedded/embedded.h"

#include <string.h>

/* --- what could stand here --- */

struct completing {
	struct cli_call *call;
	const char *const *words; /* those before the last */
	size_t count;
	const char *part; /* the last, as far as it is typed */
	struct kt_strs found;
};

static void offer(struct completing *c, const char *word, size_t len)
{
	char *copy = kt_strndup(word, len);
	if (kt_starts(copy, c->part) && !kt_strs_has(&c->found, copy))
		kt_strs_add(&c->found, copy);
	kt_free(copy);
}

/* The words of `name` that begin like what is typed: the one in the last place. */
static void offer_command(struct completing *c, const char *name)
{
	const char *piece;
	size_t len;
	for (size_t i = 0; (piece = kt_split(&name, ' ', &len)); i++) {
		if (i == c->count) {
			offer(c, piece, len);
			return;
		}
		if (strlen(c->words[i]) != len || strncmp(c->words[i], piece, len) != 0)
			return;
	}
}

static void offer_labs(struct completing *c)
{
	struct kt_err err = {0};
	struct lab **labs = NULL;
	size_t count = 0;
	char *dir = NULL;
	if (!cli_share_dir("labs", &dir, &err) && !lab_list(dir, &labs, &count, NULL, &err))
		for (size_t i = 0; i < count; i++)
			offer(c, labs[i]->lab, strlen(labs[i]->lab));
	lab_list_free(labs, count);
	kt_free(dir);
}

static void offer_lessons(struct completing *c)
{
	struct kt_err err = {0};
	struct lesson_course *course = NULL;
	char *dir = NULL;
	if (!cli_share_dir("lessons", &dir, &err) && !lesson_course_new(dir, &course, &err))
		for (size_t l = 0; l < course->level_count; l++)
			for (size_t i = 0; i < course->levels[l].lesson_count; i++)
				offer(c, course->levels[l].lessons[i]->id,
				      strlen(course->levels[l].lessons[i]->id));
	lesson_course_free(course);
	kt_free(dir);
}

static void offer_clusters(struct completing *c)
{
	struct kt_strs names = {0};
	if (!embedded_list(c->call->home, &names, NULL))
		for (size_t i = 0; i < names.count; i++)
			offer(c, names.items[i], strlen(names.items[i]));
	kt_strs_clear(&names);
}

static void offer_providers(struct completing *c)
{
	for (size_t i = 0; providers[i]; i++)
		offer(c, providers[i]->name, strlen(providers[i]->name));
}

static void offer_settings(struct completing *c)
{
	for (size_t i = 0; cli_settings[i]; i++)
		offer(c, cli_settings[i], strlen(cli_settings[i]));
}

static void offer_commands(struct completing *c)
{
	struct completing first = *c;
	first.count = 0;
	for (size_t i = 0; cli_commands[i]; i++)
		if (!cli_commands[i]->hidden)
			offer_command(&first, cli_commands[i]->name);
	c->found = first.found;
}

/* "a|b|c" */
static void offer_choices(struct completing *c, const char *choices)
{
	const char *piece;
	size_t len;
	while (strchr(c->part, '|') == NULL && (piece = kt_split(&choices, '|', &len)))
		offer(c, piece, len);
}

/* What stands for what in a command's usage. */
static const struct {
	const char *word;
	void (*run)(struct completing *c);
} places[] = {{"LAB", offer_labs},         {"LESSON", offer_lessons},      {"NAME", offer_clusters},
              {"P", offer_providers},      {"SETTING", offer_settings},    {"COMMAND", offer_commands},
              {"LAB|FOLDER…", offer_labs}, {"LEVEL.LESSON", offer_lessons}};

static void offer_place(struct completing *c, const char *word, size_t len)
{
	char *place = kt_strndup(word, len);
	bool known = false;
	for (size_t i = 0; i < KT_COUNT(places); i++)
		if (kt_streq(places[i].word, place)) {
			places[i].run(c);
			known = true;
		}
	if (!known && strchr(place, '|'))
		offer_choices(c, place);
	kt_free(place);
}

/* The n-th word of a usage that is no flag: "[LAB] [--task T]". */
static void offer_argument(struct completing *c, const char *usage, size_t n)
{
	const char *piece;
	size_t len;
	while (usage && (piece = kt_split(&usage, ' ', &len))) {
		while (len && *piece == '[')
			piece++, len--;
		while (len && piece[len - 1] == ']')
			len--;
		if (kt_starts(piece, "--"))
			return;
		if (len && !n--) {
			offer_place(c, piece, len);
			return;
		}
	}
}

static const struct cli_flag *flag_of(const struct cli_command *command, const char *word)
{
	for (const struct cli_flag *f = command->flags; f && f->name && kt_starts(word, "--"); f++)
		if (kt_streq(f->name, word + 2))
			return f;
	return NULL;
}

static void offer_flags(struct completing *c, const struct cli_command *command)
{
	for (const struct cli_flag *f = command->flags; f && f->name; f++) {
		char *word = kt_strf("--%s", f->name);
		offer(c, word, strlen(word));
		kt_free(word);
	}
	offer(c, "--help", strlen("--help"));
}

static void offer_for(struct completing *c, const struct cli_command *command, size_t name)
{
	const struct cli_flag *waiting = c->count > name ? flag_of(command, c->words[c->count - 1]) : NULL;
	if (waiting && waiting->value) {
		offer_place(c, waiting->value, strlen(waiting->value));
		return;
	}
	if (c->part[0] == '-') {
		offer_flags(c, command);
		return;
	}
	size_t given = 0;
	for (size_t i = name; i < c->count; i++) {
		const struct cli_flag *f = flag_of(command, c->words[i]);
		if (!kt_starts(c->words[i], "--"))
			given++;
		else if (f && f->value)
			i++; /* its value is no argument */
	}
	if (given < command->max_args)
		offer_argument(c, command->args, given);
}

static int run_complete(struct cli_call *call)
{
	struct completing c = {.call = call, .words = call->args, .part = ""};
	if (call->arg_count) {
		c.count = call->arg_count - 1;
		c.part = call->args[c.count];
	}
	size_t name = 0;
	const struct cli_command *command = cli_find(c.words, (int)c.count, &name);
	for (size_t i = 0; cli_commands[i]; i++)
		if (!cli_commands[i]->hidden)
			offer_command(&c, cli_commands[i]->name);
	if (command && !c.found.count)
		offer_for(&c, command, name);
	for (size_t i = 0; i < c.found.count; i++)
		(void)fprintf(call->out, "%s\n", c.found.items[i]);
	kt_strs_clear(&c.found);
	return CLI_OK;
}

const struct cli_command cli_complete = {
        .name = "complete",
        .args = "[WORD…]",
        .summary = "what could stand in the place of the last word, a line each (for the shells' scripts)",
        .max_args = CLI_MAX_ARGS,
        .hidden = true,
        .raw = true,
        .run = run_complete,
};

/* --- the scripts --- */

static const struct {
	const char *shell, *script;
} shells[] = {
        {"bash", "_ktutor() {\n"
                 "\tlocal IFS=$'\\n'\n"
                 "\tCOMPREPLY=($(ktutor complete \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null))\n"
                 "}\n"
                 "complete -o default -F _ktutor ktutor\n"},
        {"zsh", "#compdef ktutor\n"
                "_ktutor() {\n"
                "\tlocal -a found\n"
                "\tfound=(${(f)\"$(ktutor complete \"${(@)words[2,CURRENT]}\" 2>/dev/null)\"})\n"
                "\tif (( ${#found} )); then compadd -a found; else _files; fi\n"
                "}\n"
                "compdef _ktutor ktutor\n"},
        {"fish", "function __ktutor_complete\n"
                 "\tset -l words (commandline -opc) (commandline -ct)\n"
                 "\tktutor complete $words[2..-1] 2>/dev/null\n"
                 "end\n"
                 "complete -c ktutor -f -a '(__ktutor_complete)'\n"},
};

static int run_completion(struct cli_call *call)
{
	for (size_t i = 0; i < KT_COUNT(shells); i++)
		if (kt_streq(shells[i].shell, call->args[0])) {
			(void)fputs(shells[i].script, call->out);
			return CLI_OK;
		}
	return cli_usage(call, "bash, zsh or fish was expected, not '%s'", call->args[0]);
}

const struct cli_command cli_completion = {
        .name = "completion",
        .args = "bash|zsh|fish",
        .summary = "a script that completes ktutor's words in your shell",
        .help = "  bash  eval \"$(ktutor completion bash)\" in ~/.bashrc\n"
                "  zsh   eval \"$(ktutor completion zsh)\" in ~/.zshrc, behind compinit\n"
                "  fish  ktutor completion fish >~/.config/fish/completions/ktutor.fish",
        .min_args = 1,
        .max_args = 1,
        .run = run_completion,
};
