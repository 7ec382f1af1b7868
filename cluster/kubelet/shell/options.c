/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/options.h"

#include <string.h>

static const struct option_row *named(const struct option_table *table, const char *name, size_t len)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].name && strlen(table->rows[i].name) == len &&
		    !strncmp(table->rows[i].name, name, len))
			return &table->rows[i];
	return NULL;
}

static const struct option_row *lettered(const struct option_table *table, char letter)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].letter == letter)
			return &table->rows[i];
	return NULL;
}

/* The next word as a value; NULL: there is none. */
static const char *next_word(const struct tool_run *r, size_t *i)
{
	return *i + 1 < r->argv.count ? r->argv.items[++*i] : NULL;
}

/* -abc VALUE. False: *known says whether it was one that lacks its value. */
static bool letters(struct tool_run *r, const struct option_table *table, size_t *i, bool *known)
{
	for (const char *c = r->argv.items[*i] + 1; *c; c++) {
		const struct option_row *row = lettered(table, *c);
		const char *value = NULL;
		*known = row != NULL;
		if (!row)
			return false;
		bool takes = row->value == OPTION_VALUE || (row->value == OPTION_STICKS && c[1]);
		if (takes)
			value = c[1] ? c + 1 : next_word(r, i);
		if (takes && !value)
			return false;
		table->take(r, row, value);
		if (takes)
			return true;
	}
	return true;
}

/* --name VALUE */
static bool long_name(struct tool_run *r, const struct option_table *table, size_t *i, bool *known)
{
	const char *name = r->argv.items[*i] + 2, *equals = table->equals ? strchr(name, '=') : NULL;
	const struct option_row *row = named(table, name, equals ? (size_t)(equals - name) : strlen(name));
	const char *value = equals ? equals + 1 : NULL;
	*known = row != NULL;
	if (row && row->value == OPTION_VALUE && !value)
		value = next_word(r, i);
	if (!row || (row->value == OPTION_VALUE && !value))
		return false;
	table->take(r, row, value);
	return true;
}

const char *options_read(struct tool_run *r, const struct option_table *table, bool *known)
{
	bool plain = false;
	size_t given = r->argv.count;
	for (size_t i = 1; i < given; i++) {
		const char *word = r->argv.items[i];
		if (plain || word[0] != '-' || !word[1])
			table->take(r, NULL, word);
		else if (!strcmp(word, "--"))
			plain = true;
		else if (word[1] == '-' ? !long_name(r, table, &i, known) : !letters(r, table, &i, known))
			return word;
	}
	return NULL;
}
