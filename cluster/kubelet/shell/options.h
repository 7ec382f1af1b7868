/* SPDX-License-Identifier: MIT */
/* Options of programs that have many of them, with long names, as rows: -x VALUE, -xVALUE, -abc, --name
 * VALUE,
 * --name=VALUE. (tool_option is for those with letters alone.) */
#ifndef SHELL_OPTIONS_H
#define SHELL_OPTIONS_H

#include "cluster/kubelet/shell/shell.h"

enum option_value {
	OPTION_ALONE,
	OPTION_VALUE,
	OPTION_STICKS /* it may have one that sticks to it, as mysql's -pSECRET */
};
struct option_row {
	const char *name; /* NULL: a letter alone */
	char letter;      /* 0: a name alone */
	enum option_value value;
	int what;      /* the program's own */
	size_t member; /* of its state, where `what` says so */
};
struct option_table {
	const struct option_row *rows;
	size_t count;
	bool equals; /* --name=VALUE is understood */
	/* One was read; value NULL where there is none. `row` NULL: a word that is no option. */
	void (*take)(struct tool_run *r, const struct option_row *row, const char *value);
};
/* The first word that is no known option, or one without its value (*known); borrowed. NULL: all were read.
 */
const char *options_read(struct tool_run *r, const struct option_table *table, bool *known);

#endif
