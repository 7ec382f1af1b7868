/* SPDX-License-Identifier: MIT */
#include "cli/labs.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted; /* a signal handler has no other place to write to */

static void on_interrupt(int signo)
{
	(void)signo;
	if (interrupted)
		_exit(130); /* asked twice */
	interrupted = 1;
}

void cli_catch_interrupt(void)
{
	struct sigaction action = {.sa_handler = on_interrupt};
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

bool cli_interrupted(void)
{
	return interrupted;
}

char *cli_whole_path(const char *path)
{
	char real[PATH_MAX];
	return kt_strdup(realpath(path, real) ? real : path);
}

enum kt_code cli_share_dir(const char *name, char **out, struct kt_err *err)
{
	char *share = NULL;
	enum kt_code rc = kt_share(&share, err);
	if (!rc)
		*out = kt_join(share, name);
	kt_free(share);
	return rc;
}

int cli_lab(struct cli_call *call, struct lab **out)
{
	struct kt_err err = {0};
	char *dir = NULL, *current = NULL;
	const char *name = call->arg_count ? call->args[0] : NULL;
	if (!name)
		name = current = lab_current(call->home);
	if (!name)
		return cli_usage(call, "which lab? None was started yet; `ktutor lab list` names them");
	enum kt_code rc = cli_share_dir("labs", &dir, &err);
	if (!rc)
		rc = lab_find(dir, name, out, &err);
	if (!rc && (rc = lab_as_drawn(call->home, out, &err)))
		lab_free(*out);
	kt_free(dir);
	kt_free(current);
	if (!rc)
		return CLI_OK;
	int failed = cli_fail(call, &err);
	return rc == KT_ENOTFOUND ? CLI_USAGE : rc == KT_EIO || rc == KT_EDENIED ? failed : CLI_LAB_WRONG;
}

int cli_provider(struct cli_call *call, struct db *db, struct lab_options *options)
{
	const char *given = cli_flag(call, "provider");
	char *kept = given || !db ? NULL : db_setting(db, "provider");
	const char *name = given ? given : kept;
	int code = CLI_OK;
	if (name) {
		options->provider = provider_find(name);
		if (!options->provider) {
			struct kt_buf names = {0};
			for (size_t i = 0; providers[i]; i++)
				kt_buf_addf(&names, "%s%s", i ? ", " : "", providers[i]->name);
			code = cli_usage(call, "there is no provider '%s'; there is %s", name,
			                 kt_buf_str(&names));
			kt_buf_clear(&names);
		}
	}
	kt_free(kept);
	if (!code)
		cli_provider_settings(call, options);
	return code;
}

static bool ask(void *arg, const char *question)
{
	return cli_ask(arg, question);
}

static void tell(void *arg, const char *line)
{
	struct cli_call *call = arg;
	cli_end_progress(call);
	cli_print_clean(call->err, line);
	(void)fputc('\n', call->err);
}

void cli_provider_settings(struct cli_call *call, struct lab_options *options)
{
	options->kubeconfig = cli_flag(call, "kubeconfig");
	options->context = cli_flag(call, "context");
	options->yes = cli_flag(call, "yes") != NULL;
	options->allow_nodes = cli_flag(call, "allow-nodes") != NULL;
	options->allow_cluster = cli_flag(call, "allow-cluster") != NULL;
	options->allow_exec = cli_flag(call, "allow-exec") != NULL;
	options->ask = isatty(0) && isatty(fileno(call->err)) ? ask : NULL;
	options->ask_arg = call;
	options->tell = tell;
	options->tell_arg = call;
}

bool cli_ask(struct cli_call *call, const char *question)
{
	char answer[16];
	cli_end_progress(call);
	cli_print_clean(call->err, question);
	(void)fputs(" [y/N] ", call->err);
	(void)fflush(call->err);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

struct db *cli_progress(struct cli_call *call)
{
	struct kt_err err = {0};
	struct db *db = NULL;
	if (db_progress_open(call->home, &db, &err)) {
		(void)fputs("ktutor: progress is not kept: ", call->err);
		cli_print_clean(call->err, err.text);
		(void)fputc('\n', call->err);
	}
	return db;
}

void cli_record(struct cli_call *call, struct db *db, const char *kind, struct kt_json *steal)
{
	struct kt_err err = {0};
	if (db && db_record_event(db, kt_clock_real().now(NULL), kind, steal, &err)) {
		(void)fputs("ktutor: progress is not kept: ", call->err);
		cli_print_clean(call->err, err.text);
		(void)fputc('\n', call->err);
	}
	kt_json_free(steal);
}

bool cli_show_progress(void *arg, const char *sentence, kt_ns elapsed, kt_ns limit)
{
	struct cli_call *call = arg;
	if (call->away) {
		cli_away_progress(call, sentence, elapsed, limit);
	} else if (isatty(fileno(call->err))) {
		(void)fputs("\r\033[K", call->err);
		cli_print_clean(call->err, sentence);
		if (limit >= KT_SEC)
			(void)fprintf(call->err, " (%lld of at most %lld s)", (long long)(elapsed / KT_SEC),
			              (long long)(limit / KT_SEC));
		(void)fflush(call->err);
	}
	return !interrupted;
}

void cli_end_progress(struct cli_call *call)
{
	if (call->away)
		return;
	if (isatty(fileno(call->err)))
		(void)fputs("\r\033[K", call->err);
}

char *cli_own_folder(void)
{
	char *path = kt_program(), *slash = path ? strrchr(path, '/') : NULL;
	char *folder = slash ? kt_strndup(path, (size_t)(slash - path)) : NULL;
	kt_free(path);
	return folder;
}
