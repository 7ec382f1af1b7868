/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cluster/edge/edge.h"
#include <stdlib.h>
#include <string.h>

/* An advance over days of a large cluster takes its time. */
#define ADVANCE_TIMEOUT (600 * KT_SEC)

static struct kt_json *body_pause(const char *argument)
{
	(void)argument;
	return kt_jsonf("{paused: true}");
}

static struct kt_json *body_resume(const char *argument)
{
	(void)argument;
	return kt_jsonf("{paused: false}");
}

static struct kt_json *body_speed(const char *argument)
{
	char *end;
	double speed = strtod(argument, &end);
	return *argument && (!*end || kt_streq(end, "x")) ? kt_jsonf("{speed: %f}", speed) : NULL;
}

static struct kt_json *body_advance(const char *argument)
{
	kt_ns by;
	return kt_duration_parse(argument, &by) ? kt_jsonf("{advance: %s}", argument) : NULL;
}

static struct kt_json *body_jump(const char *argument)
{
	(void)argument;
	return kt_jsonf("{jump: 'next'}");
}

/* What each word sends; NULL from `body`: that is not such an argument. */
static const struct verb {
	const char *word, *argument;
	struct kt_json *(*body)(const char *argument);
} verbs[] = {
        {"pause", NULL, body_pause},
        {"resume", NULL, body_resume},
        {"speed", "a number such as 60", body_speed},
        {"advance", "a duration such as 90s or 10m", body_advance},
        {"jump", NULL, body_jump},
};

static const struct verb *find_verb(const char *word)
{
	for (size_t i = 0; i < KT_COUNT(verbs); i++)
		if (kt_streq(verbs[i].word, word))
			return &verbs[i];
	return NULL;
}

static void print_clock(struct cli_call *call, const struct kt_json *clock)
{
	const char *now = kt_str_or(kt_get(clock, "now"), "?");
	struct kt_buf ahead = {0};
	kt_ns by = (kt_ns)(kt_real_or(kt_get(clock, "ahead"), 0) * 1e9);
	kt_ns size = (by < 0 ? -by : by) / KT_SEC * KT_SEC;
	kt_duration_print(size, &ahead);
	(void)fprintf(call->out, "%.19sZ  %s", now,
	              kt_get_bool(clock, "paused", false) ? "paused"
	              : kt_get_bool(clock, "held", false) ? "held by a set-up or a check"
	                                                  : "running");
	(void)fprintf(call->out, "  %gx", kt_real_or(kt_get(clock, "speed"), 1));
	if (size)
		(void)fprintf(call->out, "  %s %s", kt_buf_str(&ahead), by < 0 ? "behind" : "ahead");
	(void)fputc('\n', call->out);
	kt_buf_clear(&ahead);
}

/* [NAME] [VERB [ARGUMENT]]: a verb's word wins over a cluster of that name. */
static int run_time(struct cli_call *call)
{
	size_t at = call->arg_count && !find_verb(call->args[0]) ? 1 : 0;
	const struct verb *verb = call->arg_count > at ? find_verb(call->args[at]) : NULL;
	struct kt_json *body = NULL, *clock = NULL;
	struct kt_err err = {0};
	char *dir = NULL;
	bool json;
	if (!cli_json(call, &json))
		return CLI_USAGE;
	if (call->arg_count > at && !verb)
		return cli_usage(call, "pause, resume, speed, advance or jump was expected, not '%s'",
		                 call->args[at]);
	const char *argument = verb && call->arg_count > at + 1 ? call->args[at + 1] : NULL;
	if (call->arg_count > at + 1 + (argument ? 1 : 0) || (verb && !verb->argument && argument))
		return cli_usage(call, "'%s' is one too many", call->args[call->arg_count - 1]);
	if (verb && verb->argument && !argument)
		return cli_usage(call, "%s needs %s", verb->word, verb->argument);
	if (verb && !(body = verb->body(argument)))
		return cli_usage(call, "%s: %s was expected, not '%s'", verb->word, verb->argument, argument);
	call->arg_count = at;
	int code = cli_cluster(call, true, NULL, &dir);
	if (!code &&
	    edge_call(dir, body ? "POST" : "GET", "/ktutor/v1/clock", body, ADVANCE_TIMEOUT, &clock, &err))
		code = cli_fail(call, &err);
	if (!code && json)
		cli_print_json(call, clock);
	else if (!code)
		print_clock(call, clock);
	kt_json_free(body);
	kt_json_free(clock);
	kt_free(dir);
	return code;
}

static const struct cli_flag flags[] = {
        {"format", "text|json", "how to print: text (default) or json"},
        {NULL, NULL, NULL},
};

const struct cli_command cli_cluster_time = {
        .name = "cluster time",
        .args = "[NAME] [pause | resume | speed X | advance D | jump]",
        .summary = "a cluster's clock: see it, stop it, hurry it",
        .help = "  pause      the cluster stands still\n"
                "  resume     it goes on\n"
                "  speed X    X seconds in the cluster a second\n"
                "  advance D  D (90s, 10m, 24h) passes at once\n"
                "  jump       to the next moment at which something happens",
        .flags = flags,
        .max_args = 3,
        .run = run_time,
};
