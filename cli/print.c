/* SPDX-License-Identifier: MIT */
/* What commands print with: clean text, tables, JSON, help made of the table of commands. */
#include "cli/cli.h"
#include <string.h>

void cli_print_clean(FILE *file, const char *text)
{
	struct kt_buf clean = {0};
	kt_buf_add_clean(&clean, text, strlen(text));
	(void)fputs(kt_buf_str(&clean), file);
	kt_buf_clear(&clean);
}

void cli_print_json(struct cli_call *call, const struct kt_json *value)
{
	struct kt_buf text = {0};
	kt_json_print_pretty(value, 2, &text);
	(void)fputs(kt_buf_str(&text), call->out);
	if (!text.len || text.data[text.len - 1] != '\n')
		(void)fputc('\n', call->out);
	kt_buf_clear(&text);
}

void cli_print_table(FILE *file, const char *const *cells, size_t columns, size_t rows)
{
	for (size_t row = 0; row < rows; row++) {
		for (size_t column = 0; column < columns; column++) {
			const char *cell = cells[row * columns + column];
			cell = cell ? cell : "";
			cli_print_clean(file, cell);
			if (column + 1 == columns)
				continue;
			size_t widest = 0;
			for (size_t i = 0; i < rows; i++) {
				const char *other = cells[i * columns + column];
				widest = KT_MAX(widest, other ? kt_width(other, strlen(other)) : 0);
			}
			for (size_t pad = kt_width(cell, strlen(cell)); pad < widest + 3; pad++)
				(void)fputc(' ', file);
		}
		(void)fputc('\n', file);
	}
}

void cli_print_overview(FILE *out)
{
	size_t widest = 0;
	(void)fputs("ktutor teaches Kubernetes in a terminal.\n\nusage: ktutor COMMAND\n\n", out);
	for (size_t i = 0; cli_commands[i]; i++)
		if (!cli_commands[i]->hidden)
			widest = KT_MAX(widest, strlen(cli_commands[i]->name));
	for (size_t i = 0; cli_commands[i]; i++)
		if (!cli_commands[i]->hidden)
			(void)fprintf(out, "  %-*s  %s\n", (int)widest, cli_commands[i]->name,
			              cli_commands[i]->summary);
	(void)fputs("\n`ktutor help COMMAND` says more about one.\n", out);
}

void cli_print_help(FILE *out, const struct cli_command *command)
{
	(void)fprintf(out, "%s: %s\n\nusage: ktutor %s%s%s\n", command->name, command->summary, command->name,
	              *command->args ? " " : "", command->args);
	if (command->help)
		(void)fprintf(out, "\n%s\n", command->help);
	if (!command->flags || !command->flags[0].name)
		return;
	size_t widest = 0;
	for (const struct cli_flag *flag = command->flags; flag->name; flag++)
		widest = KT_MAX(widest, strlen(flag->name) + (flag->value ? strlen(flag->value) + 1 : 0));
	(void)fputc('\n', out);
	for (const struct cli_flag *flag = command->flags; flag->name; flag++) {
		char *left =
		        kt_strf("%s%s%s", flag->name, flag->value ? " " : "", flag->value ? flag->value : "");
		(void)fprintf(out, "  --%-*s  %s\n", (int)widest, left, flag->help);
		kt_free(left);
	}
}
