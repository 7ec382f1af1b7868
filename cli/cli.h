/* SPDX-License-Identifier: MIT */
/* cli: the command line. Every command is one row (struct cli_command) in a file of its own; all rows are in
 * the table of cli/commands.c, from which dispatch, usage errors, help, completion and the manual are made.
 *
 * To add a command: a file with its row, the row's declaration here, its address in commands.c. */
#ifndef CLI_H
#define CLI_H

#include "base/base.h"
#include <stdio.h>

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_UNREACHABLE = 3, CLI_LAB_WRONG = 4 };

struct cli_flag {
	const char *name;  /* without dashes; NULL ends a list */
	const char *value; /* what it takes ("N", "FILE", "text|json"); NULL: nothing */
	const char *help;
};
#define CLI_MAX_FLAGS 16
#define CLI_MAX_ARGS  64

struct cli_call;
struct cli_command {
	const char *name;    /* words: "cluster up" */
	const char *args;    /* as shown in usage: "NAME [--nodes N]…" without the flags; "" none */
	const char *summary; /* a line, no full stop */
	const char *help;    /* more, or NULL */
	const struct cli_flag *flags; /* NULL: none */
	unsigned min_args, max_args;
	bool hidden;
	bool raw; /* everything behind the name is the command's own (no flags are looked for) */
	int (*run)(struct cli_call *call);
};

struct cli_call {
	const struct cli_command *command;
	const char *args[CLI_MAX_ARGS + 1];
	size_t arg_count;
	const char *values[CLI_MAX_FLAGS]; /* by the command's flags; "" for a given one that takes nothing */
	const char *home;                  /* $KTUTOR_HOME, made if it was missing */
	FILE *out, *err;
	const char
	        *away; /* a check that goes on in the background writes into this folder; NULL: it does not */
};

/* --- for commands --- */
/* NULL: not given. */
const char *cli_flag(const struct cli_call *call, const char *name);
/* A whole number within bounds; false after a usage error is printed. Not given: *out stays. */
bool cli_number(struct cli_call *call, const char *flag, long min, long max, long *out);
bool cli_real(struct cli_call *call, const char *flag, double min, double max, double *out);
/* --format; false after a usage error. */
bool cli_json(struct cli_call *call, bool *json);
extern const struct cli_flag cli_format_flag; /* its row */
/* "ktutor: what: …" with the usage line; CLI_USAGE. */
int cli_usage(struct cli_call *call, const char *fmt, ...) KT_PRINTF(2, 3);
/* "ktutor: …"; the exit code that fits err->code. */
int cli_fail(struct cli_call *call, const struct kt_err *err);
void cli_print_json(struct cli_call *call, const struct kt_json *value); /* indented, with a newline */
/* Text from a cluster or a file: nothing in it reaches the terminal as an escape. */
void cli_print_clean(FILE *file, const char *text);
/* Rows of cells in columns of equal width; the first row is the head. */
void cli_print_table(FILE *file, const char *const *cells, size_t columns, size_t rows);

/* --- the table --- */
extern const struct cli_command *const cli_commands[]; /* NULL-terminated, in the order of help */
extern const struct cli_command cli_tutor, cli_cluster_up, cli_cluster_down, cli_cluster_list,
        cli_cluster_status, cli_cluster_env, cli_cluster_time, cli_cluster_disturb, cli_cluster_rewind,
        cli_cluster_serve, cli_why, cli_shell, cli_help, cli_version, cli_completion, cli_complete;

extern const struct cli_command cli_learn, cli_quiz, cli_lab_list, cli_lab_start, cli_lab_reset, cli_lab_stop,
        cli_lab_hint, cli_lab_solution, cli_lab_add, cli_lab_remove, cli_lab_answer, cli_check,
        cli_progress_command, cli_config, cli_course_lint, cli_course_test, cli_course_new, cli_expert,
        cli_expert_list, cli_expert_play;

/* The command that the first words spell, and how many of them they are; NULL: none. */
const struct cli_command *cli_find(const char *const *argv, int argc, size_t *words);
extern const char *const cli_settings[]; /* names for `config`; NULL-terminated */
/* Everything: dispatch, flags, run. `argv[0]` is the program. Exit code. */
int cli_main(int argc, const char *const *argv, FILE *out, FILE *err);
/* Words for help; both end with a newline. */
void cli_print_overview(FILE *out);
void cli_print_help(FILE *out, const struct cli_command *command);

/* The cluster meant by the first argument or, without one, the current one: its name (borrowed from the call
 * or owned by *owned) and folder. Prints why not; exit code. */
int cli_cluster(struct cli_call *call, bool running, char **out_name, char **out_dir);

/* Clusters of providers other than the embedded one: [{cluster, provider, status, server, kubeconfig, lab}].
 * New. */
struct kt_json *cli_other_clusters(struct cli_call *call);
/* The one that `name` (or a lab of that name) means; NULL name: that of the lab started last. New; NULL:
 * none. */
struct kt_json *cli_other_cluster(struct cli_call *call, const char *name);
/* The kubeconfig of the cluster meant by the first argument, of whatever provider; owned. */
int cli_cluster_kubeconfig(struct cli_call *call, char **out_name, char **out);

#endif
