/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct cli_flag cli_format_flag = {"format", "text|json", "how to print: text (default) or json"};

/* --- finding the command --- */

static size_t count_words(const char *name)
{
	size_t words = 1;
	for (; *name; name++)
		words += *name == ' ';
	return words;
}

/* Do the first words of argv spell `name`? */
static bool spelled(const char *name, const char *const *argv, int argc)
{
	const char *piece;
	size_t len;
	for (int i = 0; name && (piece = kt_split(&name, ' ', &len)); i++)
		if (i >= argc || strlen(argv[i]) != len || strncmp(argv[i], piece, len) != 0)
			return false;
	return true;
}

const struct cli_command *cli_find(const char *const *argv, int argc, size_t *words)
{
	const struct cli_command *best = NULL;
	for (size_t i = 0; cli_commands[i]; i++)
		if (spelled(cli_commands[i]->name, argv, argc) &&
		    (!best || count_words(cli_commands[i]->name) > count_words(best->name)))
			best = cli_commands[i];
	*words = best ? count_words(best->name) : 0;
	return best;
}

/* Words that begin commands: a group ("cluster") without its second word is answered with the group. */
static bool is_group(const char *word)
{
	size_t len = strlen(word);
	for (size_t i = 0; cli_commands[i]; i++)
		if (!strncmp(cli_commands[i]->name, word, len) && cli_commands[i]->name[len] == ' ')
			return true;
	return false;
}

/* Names of commands; with `group` the second words of its commands. Borrowed. */
static size_t gather(const char *group, const char *names[256])
{
	size_t count = 0, len = group ? strlen(group) : 0;
	for (size_t i = 0; cli_commands[i] && count < 256; i++) {
		const char *name = cli_commands[i]->name;
		if (cli_commands[i]->hidden)
			continue;
		if (!group)
			names[count++] = name;
		else if (kt_starts(name, group) && name[len] == ' ')
			names[count++] = name + len + 1;
	}
	return count;
}

static int unknown_in_group(const char *const *argv, int argc, FILE *err)
{
	const char *names[256];
	size_t count = gather(argv[0], names);
	const char *nearest = argc > 1 ? kt_nearest(argv[1], names, count) : NULL;
	(void)fprintf(err, "ktutor: '%s' ", argv[0]);
	if (argc > 1) {
		(void)fputs("has no '", err);
		cli_print_clean(err, argv[1]);
		(void)fputs(nearest ? "'; did you mean" : "'; there is:", err);
	} else {
		(void)fputs("needs one of:", err);
	}
	if (nearest)
		(void)fprintf(err, " '%s %s'?", argv[0], nearest);
	for (size_t i = 0; !nearest && i < count; i++)
		(void)fprintf(err, " %s", names[i]);
	(void)fputc('\n', err);
	return CLI_USAGE;
}

static int unknown(const char *const *argv, int argc, FILE *err)
{
	const char *names[256];
	if (is_group(argv[0]))
		return unknown_in_group(argv, argc, err);
	size_t count = gather(NULL, names);
	char *typed = argc > 1 && argv[1][0] != '-' ? kt_strf("%s %s", argv[0], argv[1]) : kt_strdup(argv[0]);
	const char *nearest = kt_nearest(typed, names, count);
	if (!nearest)
		nearest = kt_nearest(argv[0], names, count);
	(void)fputs("ktutor: there is no command '", err);
	cli_print_clean(err, typed);
	if (nearest)
		(void)fprintf(err, "'; did you mean '%s'?\n", nearest);
	else
		(void)fputs("'; `ktutor help` lists them\n", err);
	kt_free(typed);
	return CLI_USAGE;
}

/* --- flags --- */

static ptrdiff_t flag_index(const struct cli_command *command, const char *name, size_t len)
{
	for (size_t i = 0; command->flags && command->flags[i].name; i++)
		if (strlen(command->flags[i].name) == len && !strncmp(command->flags[i].name, name, len))
			return (ptrdiff_t)i;
	return -1;
}

const char *cli_flag(const struct cli_call *call, const char *name)
{
	ptrdiff_t i = flag_index(call->command, name, strlen(name));
	return i < 0 ? NULL : call->values[i];
}

/* Returns how many of argv are used, 0 after an error. */
static int take_flag(struct cli_call *call, const char *const *argv, int argc)
{
	const char *name = argv[0] + 2, *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	ptrdiff_t i = flag_index(call->command, name, len);
	if (i < 0) {
		cli_usage(call, "there is no flag '--%.*s'", (int)len, name);
		return 0;
	}
	if (!call->command->flags[i].value) {
		if (equals) {
			cli_usage(call, "--%.*s takes no value", (int)len, name);
			return 0;
		}
		call->values[i] = "";
		return 1;
	}
	if (!equals && argc < 2) {
		cli_usage(call, "--%s needs a value: %s", name, call->command->flags[i].value);
		return 0;
	}
	call->values[i] = equals ? equals + 1 : argv[1];
	return equals ? 1 : 2;
}

static int parse(struct cli_call *call, const char *const *argv, int argc, bool *help)
{
	bool flags = !call->command->raw;
	for (int i = 0; i < argc;) {
		if (flags && kt_streq(argv[i], "--")) {
			flags = false;
			i++;
		} else if (flags && (kt_streq(argv[i], "--help") || kt_streq(argv[i], "-h"))) {
			*help = true;
			return CLI_OK;
		} else if (flags && kt_starts(argv[i], "--")) {
			int used = take_flag(call, argv + i, argc - i);
			if (!used)
				return CLI_USAGE;
			i += used;
		} else if (flags && argv[i][0] == '-' && argv[i][1]) {
			return cli_usage(call, "there is no flag '%s'", argv[i]);
		} else if (call->arg_count == CLI_MAX_ARGS) {
			return cli_usage(call, "too many arguments");
		} else {
			call->args[call->arg_count++] = argv[i++];
		}
	}
	if (call->arg_count < call->command->min_args)
		return cli_usage(call, "something is missing");
	if (call->arg_count > call->command->max_args)
		return cli_usage(call, "'%s' is one too many", call->args[call->command->max_args]);
	return CLI_OK;
}

bool cli_number(struct cli_call *call, const char *flag, long min, long max, long *out)
{
	const char *text = cli_flag(call, flag);
	char *end;
	if (!text)
		return true;
	long value = strtol(text, &end, 10);
	if (!*text || *end || value < min || value > max) {
		cli_usage(call, "--%s: a whole number from %ld to %ld was expected, not '%s'", flag, min, max,
		          text);
		return false;
	}
	*out = value;
	return true;
}

bool cli_real(struct cli_call *call, const char *flag, double min, double max, double *out)
{
	const char *text = cli_flag(call, flag);
	char *end;
	if (!text)
		return true;
	double value = strtod(text, &end);
	if (!*text || (*end && !kt_streq(end, "x")) || !(value >= min) || !(value <= max)) {
		cli_usage(call, "--%s: a number from %g to %g was expected, not '%s'", flag, min, max, text);
		return false;
	}
	*out = value;
	return true;
}

bool cli_json(struct cli_call *call, bool *json)
{
	const char *format = cli_flag(call, "format");
	*json = kt_streq(format, "json");
	if (!format || *json || kt_streq(format, "text"))
		return true;
	cli_usage(call, "--format: text or json was expected, not '%s'", format);
	return false;
}

/* --- saying what is wrong --- */

int cli_usage(struct cli_call *call, const char *fmt, ...)
{
	struct kt_buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	(void)fprintf(call->err, "ktutor %s: ", call->command->name);
	cli_print_clean(call->err, kt_buf_str(&text));
	(void)fprintf(call->err, "\nusage: ktutor %s%s%s\n", call->command->name,
	              *call->command->args ? " " : "", call->command->args);
	kt_buf_clear(&text);
	return CLI_USAGE;
}

int cli_fail(struct cli_call *call, const struct kt_err *err)
{
	(void)fputs("ktutor: ", call->err);
	cli_print_clean(call->err, err->text);
	(void)fputc('\n', call->err);
	if (call->home && kt_is_dir(call->home) && access(call->home, W_OK) != 0)
		(void)fprintf(call->err,
		              "ktutor: %s cannot be written; KTUTOR_HOME can name another folder\n",
		              call->home);
	return err->code == KT_EUNREACHABLE ? CLI_UNREACHABLE : CLI_FAILED;
}

/* --- running --- */

static int run(const struct cli_command *command, const char *const *argv, int argc, FILE *out,
               FILE *err_file)
{
	struct cli_call call = {.command = command, .out = out, .err = err_file};
	struct kt_err err = {0};
	char *home = NULL;
	bool help = false;
	int code = parse(&call, argv, argc, &help);
	if (code)
		return code;
	if (help) {
		cli_print_help(out, command);
		return CLI_OK;
	}
	if (kt_home(&home, &err))
		return cli_fail(&call, &err);
	call.home = home;
	code = command->run(&call);
	if (fflush(out) && !code) {
		(void)fputs("ktutor: standard output cannot be written\n", err_file);
		code = CLI_FAILED;
	}
	kt_free(home);
	return code;
}

int cli_main(int argc, const char *const *argv, FILE *out, FILE *err)
{
	/* Flags that people type everywhere. */
	static const struct {
		const char *flag, *command;
	} aliases[] = {{"--help", "help"}, {"-h", "help"}, {"--version", "version"}, {"-V", "version"}};
	const char *const *words = argv + 1;
	int count = argc - 1;
	const char *alias;
	static const char *const tutor[] = {"tutor"};
	if (count < 1) {
		words = tutor;
		count = 1;
	}
	for (size_t i = 0; i < KT_COUNT(aliases); i++) {
		if (kt_streq(words[0], aliases[i].flag)) {
			alias = aliases[i].command;
			words = &alias;
			count = 1;
			break;
		}
	}
	size_t name;
	const struct cli_command *command = cli_find(words, count, &name);
	if (command)
		return run(command, words + name, count - (int)name, out, err);
	/* "ktutor cluster --help" */
	if (is_group(words[0]) && count > 1 && (kt_streq(words[1], "--help") || kt_streq(words[1], "-h"))) {
		cli_print_overview(out);
		return CLI_OK;
	}
	return unknown(words, count, err);
}
