/* SPDX-License-Identifier: MIT */
/* config: settings. Each is a row: its name, what it may be, what it is for. */
#include "cli/labs.h"

#include <string.h>

static const struct {
	const char *name, *values, *about; /* values NULL: any text; "" decided by a function */
} rows[] = {
        {"provider", "", "where labs run"},
        {"kind-image", NULL, "the node image that kind clusters start from"},
        {"theme", "dark|light|contrast|none", "colours of the screens"},
        {"roam", "on|off", "open levels before those below are passed"},
        {"name", NULL, "what the first screen calls you"},
};
const char *const cli_settings[] = {"provider", "kind-image", "theme", "roam", "name", NULL};
_Static_assert(KT_COUNT(rows) + 1 == KT_COUNT(cli_settings), "a row for each setting");

static bool is_choice(const char *choices, const char *word)
{
	const char *piece;
	size_t len;
	while ((piece = kt_split(&choices, '|', &len)))
		if (strlen(word) == len && !strncmp(piece, word, len))
			return true;
	return false;
}

/* CLI_OK, or CLI_USAGE after a message. */
static int find_row(struct cli_call *call, const char *name, size_t *row)
{
	for (*row = 0; *row < KT_COUNT(rows); ++*row)
		if (kt_streq(rows[*row].name, name))
			return CLI_OK;
	const char *near = kt_nearest(name, cli_settings, KT_COUNT(rows));
	return near ? cli_usage(call, "there is no setting '%s'; did you mean '%s'?", name, near)
	            : cli_usage(call, "there is no setting '%s'; `ktutor config` names them", name);
}

static int suits(struct cli_call *call, size_t row, const char *value)
{
	const char *values = rows[row].values;
	if (values && !*values && !provider_find(value))
		return cli_usage(call, "there is no provider '%s'", value);
	if (values && *values && !is_choice(values, value))
		return cli_usage(call, "%s: %s was expected, not '%s'", rows[row].name, values, value);
	return CLI_OK;
}

static void print(struct cli_call *call, struct db *db, const char *name, bool json)
{
	struct kt_json *list = kt_json_array();
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		if (name && !kt_streq(name, rows[i].name))
			continue;
		char *now = db_setting(db, rows[i].name);
		kt_push(&list,
		        kt_jsonf("{setting: %s, value: %s, about: %s}", rows[i].name, now, rows[i].about));
		if (!json && name)
			(void)fprintf(call->out, "%s: %s\n", rows[i].name, now ? now : "(not set)");
		else if (!json)
			(void)fprintf(call->out, "%s: %-12s %s%s%s\n", rows[i].name, now ? now : "(not set)",
			              rows[i].about, rows[i].values && *rows[i].values ? ": " : "",
			              rows[i].values ? rows[i].values : "");
		kt_free(now);
	}
	if (json)
		cli_print_json(call, list);
	kt_json_free(list);
}

static int run(struct cli_call *call)
{
	const char *name = call->arg_count ? call->args[0] : NULL,
	           *value = call->arg_count > 1 ? call->args[1] : NULL;
	size_t row = 0;
	bool json = false;
	if (!cli_json(call, &json))
		return CLI_USAGE;
	int code = name ? find_row(call, name, &row) : CLI_OK;
	if (!code && value)
		code = suits(call, row, value);
	struct db *db = code ? NULL : cli_progress(call);
	if (!code && !db)
		code = CLI_FAILED;
	if (!code && value)
		cli_record(call, db, "setting", kt_jsonf("{name: %s, value: %s}", name, value));
	if (!code)
		print(call, db, name, json);
	db_close(db);
	return code;
}

static const struct cli_flag flags[] = {
        {"format", "text|json", "how to print: text (default) or json"},
        {NULL, NULL, NULL},
};

const struct cli_command cli_config = {
        .name = "config",
        .args = "[SETTING [VALUE]] [--format text|json]",
        .summary = "show or change a setting (provider, kind-image, theme, roam, name)",
        .flags = flags,
        .max_args = 2,
        .run = run,
};
