/* SPDX-License-Identifier: MIT */
/* What the commands about lessons and labs share. */
#ifndef CLI_LABS_H
#define CLI_LABS_H

#include "cli/cli.h"
#include "db/db.h"
#include "labs/labs.h"

/* Folders of the course; owned. */
KT_MUST_CHECK enum kt_code cli_share_dir(const char *name, char **out, struct kt_err *err);
/* From the root, without dots and links, where there is such a file; owned. */
char *cli_whole_path(const char *path);
/* The lab named by the first argument, or the one started last. CLI_OK, or an exit code after a message. */
int cli_lab(struct cli_call *call, struct lab **out);
/* --provider, else the setting, else the first. */
int cli_provider(struct cli_call *call, struct db *db, struct lab_options *options);
/* The flags for provider context, rows of a table of flags. */
#define CLI_CONTEXT_FLAGS                                                                                    \
	{"context", "C", "for provider context: which one (default: the current)"},                          \
	        {"kubeconfig", "FILE", "where it stands (default: where kubectl looks)"},                    \
	        {"yes", NULL, "do not ask"},                                                                 \
	        {"allow-nodes", NULL, "machines of that cluster may be cordoned and drained"},               \
	        {"allow-cluster", NULL, "things outside of namespaces may be made there"},                   \
	{                                                                                                    \
		"allow-exec", NULL, "its credential program may be run"                                      \
	}
/* What the person allowed by flags, and whether somebody is there to be asked. */
void cli_provider_settings(struct cli_call *call, struct lab_options *options);
/* A question to the person at the terminal; true: yes. */
bool cli_ask(struct cli_call *call, const char *question);
/* Progress; NULL with a warning when it cannot be kept (a read-only home): the lab goes on without. */
struct db *cli_progress(struct cli_call *call);
void cli_record(struct cli_call *call, struct db *db, const char *kind, struct kt_json *steal);
/* For lab_options.progress and lab_check_options.progress: a line that changes in place on a terminal,
 * nothing else. `arg` is a cli_call. */
bool cli_show_progress(void *arg, const char *sentence, kt_ns elapsed, kt_ns limit);
void cli_end_progress(struct cli_call *call);
/* The same for whoever watches a check that goes on in the background. */
void cli_away_progress(const struct cli_call *call, const char *sentence, kt_ns elapsed, kt_ns limit);
/* The course's lessons with marks. */
void cli_print_course(FILE *out, const struct lesson_course *course, const struct kt_json *progress);
/* CLI_OK, or an exit code after a message. */
int cli_course(struct cli_call *call, struct lesson_course **out);
/* The lesson named by the first argument; NULL after a usage error. */
const struct lesson *cli_lesson(struct cli_call *call, const struct lesson_course *course);
struct kt_json *cli_read_progress(struct db *db); /* as db_progress_read; NULL: there is none */
/* Ctrl-C asks for an orderly end: cli_show_progress then returns false. */
void cli_catch_interrupt(void);
bool cli_interrupted(void);
/* The folder of the running program, so that a shell finds the same one; owned; NULL: unknown. */
char *cli_own_folder(void);

#endif
