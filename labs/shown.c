/* SPDX-License-Identifier: MIT */
/* Does what a lesson shows look like what a cluster printed? By structure: names that are drawn, times and
 * measures may differ, a table may leave columns out, `…` stands for anything; all else is the same. */
#include "labs/shown.h"

#include <ctype.h>
#include <string.h>

#define COLUMNS_MAX 24
#define ELLIPSIS    "…"

/* Columns whose values no two runs share. */
static const char *const drifting[] = {
        "AGE",           "LAST SEEN",      "IP",         "CLUSTER-IP", "CPU(cores)", "CPU(%)", "MEMORY(%)",
        "MEMORY(bytes)", "NOMINATED NODE", "CREATED AT", "EXTERNAL-IP"};

/* --- a word, without what is drawn --- */

/* Kubernetes draws from letters that make no words, and digits that look like none. */
static bool is_drawn(const char *s, size_t len)
{
	return (len == 5 || (len >= 8 && len <= 10)) && strspn(s, "bcdfghjklmnpqrstvwxz2456789") >= len;
}

/* "2m43s", "31d" */
static bool is_age(const char *s, size_t len)
{
	size_t i = 0;
	bool any = false;
	while (i < len) {
		size_t digits = strspn(s + i, "0123456789");
		if (!digits || i + digits >= len || !strchr("ydhms", s[i + digits]))
			return false;
		i += digits + 1;
		any = true;
	}
	return any;
}

static bool is_address(const char *s, size_t len)
{
	size_t dots = 0;
	for (size_t i = 0; i < len; i++) {
		if (s[i] != '.' && !isdigit((unsigned char)s[i]))
			return false;
		dots += s[i] == '.';
	}
	return dots == 3;
}

static void add_word(struct kt_buf *out, const char *word, size_t len)
{
	if (is_age(word, len) || is_address(word, len)) {
		kt_buf_adds(out, is_age(word, len) ? "TIME" : "ADDRESS");
		return;
	}
	for (size_t i = 0; i < len;) { /* pieces between dashes and slashes */
		size_t piece = 0;
		while (i + piece < len && isalnum((unsigned char)word[i + piece]))
			piece++;
		if (i && word[i - 1] == '-' && is_drawn(word + i, piece))
			kt_buf_addc(out, '*');
		else
			kt_buf_add(out, word + i, piece);
		i += piece;
		if (i < len)
			kt_buf_addc(out, word[i++]);
	}
}

/* One space between words, none around; what is drawn is made alike. Owned. */
static char *plain(const char *text, size_t len)
{
	struct kt_buf out = {0};
	for (size_t i = 0; i < len;) {
		size_t word = 0;
		while (i + word < len && !strchr(" \t()", text[i + word]))
			word++;
		add_word(&out, text + i, word);
		i += word;
		if (i < len && (text[i] == '(' || text[i] == ')'))
			kt_buf_addc(&out, text[i]);
		else if (i < len && out.len && out.data[out.len - 1] != ' ')
			kt_buf_addc(&out, ' ');
		i++;
	}
	while (out.len && out.data[out.len - 1] == ' ')
		kt_buf_cut(&out, out.len - 1);
	return kt_buf_take(&out);
}

/* `shown` with every `…` for any text. */
static bool like(const char *shown, const char *given)
{
	const char *gap = strstr(shown, ELLIPSIS);
	if (!gap)
		return kt_streq(shown, given);
	size_t before = (size_t)(gap - shown);
	if (strncmp(shown, given, before) != 0)
		return false;
	for (given += before;; given++)
		if (like(gap + strlen(ELLIPSIS), given))
			return true;
		else if (!*given)
			return false;
}

static bool same(const char *shown, size_t shown_len, const char *given, size_t given_len)
{
	char *a = plain(shown, shown_len), *b = plain(given, given_len);
	bool fits = like(a, b);
	kt_free(a);
	kt_free(b);
	return fits;
}

/* --- tables --- */

struct column {
	size_t from, to;  /* in characters, not bytes; the last one's `to` is the end */
	const char *name; /* borrowed */
	size_t name_len;
};
struct table {
	struct column columns[COLUMNS_MAX];
	size_t count;
};

static size_t characters(const char *s, size_t bytes)
{
	size_t count = 0;
	for (size_t i = 0; i < bytes; i++)
		count += ((unsigned char)s[i] & 0xc0) != 0x80;
	return count;
}

/* The head of a table: names in capitals with two spaces or more between them. */
static bool read_head(const char *line, size_t len, struct table *out)
{
	*out = (struct table){0};
	for (size_t i = 0; i < len;) {
		size_t end = i;
		while (end < len && !(line[end] == ' ' && (end + 1 >= len || line[end + 1] == ' ')))
			end++;
		if (!isupper((unsigned char)line[i]) ||
		    (end - i > 1 && islower((unsigned char)line[i + 1])) || out->count == COLUMNS_MAX)
			return false;
		out->columns[out->count++] =
		        (struct column){.from = characters(line, i), .name = line + i, .name_len = end - i};
		for (i = end; i < len && line[i] == ' ';)
			i++;
	}
	for (size_t i = 0; i < out->count; i++)
		out->columns[i].to = i + 1 < out->count ? out->columns[i + 1].from : (size_t)-1;
	return out->count > 0;
}

/* Bytes of `line` that lie in the column. */
static const char *cell(const char *line, size_t len, const struct column *column, size_t *out_len)
{
	size_t at = 0, from = len, to = len;
	for (size_t i = 0; i < len; i++) {
		if (((unsigned char)line[i] & 0xc0) == 0x80)
			continue;
		if (at == column->from)
			from = i;
		if (at == column->to) {
			to = i;
			break;
		}
		at++;
	}
	*out_len = to > from ? to - from : 0;
	return line + from;
}

static const struct column *column_named(const struct table *table, const struct column *like_this)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->columns[i].name_len == like_this->name_len &&
		    !strncmp(table->columns[i].name, like_this->name, like_this->name_len))
			return &table->columns[i];
	return NULL;
}

static bool drifts(const struct column *column)
{
	for (size_t i = 0; i < KT_COUNT(drifting); i++)
		if (strlen(drifting[i]) == column->name_len &&
		    !strncmp(drifting[i], column->name, column->name_len))
			return true;
	return false;
}

static bool row_fits(const char *shown, size_t shown_len, const struct table *shown_table, const char *given,
                     size_t given_len, const struct table *given_table)
{
	for (size_t i = 0; i < shown_table->count; i++) {
		const struct column *column = &shown_table->columns[i];
		size_t a_len, b_len;
		const char *a = cell(shown, shown_len, column, &a_len),
		           *b = cell(given, given_len, column_named(given_table, column), &b_len);
		if (!drifts(column) && !same(a, a_len, b, b_len))
			return false;
	}
	return true;
}

struct lines {
	struct {
		const char *text;
		size_t len;
		bool used;
	} list[200];
	size_t count;
	bool elided; /* one of them is `…` */
};

static void split(const char *text, struct lines *out)
{
	size_t len;
	const char *line;
	*out = (struct lines){0};
	while (text && (line = kt_split(&text, '\n', &len))) {
		bool elision = len == strlen(ELLIPSIS) && !strncmp(line, ELLIPSIS, len);
		out->elided = out->elided || elision;
		if (!len || elision || out->count == KT_COUNT(out->list))
			continue;
		out->list[out->count].text = line;
		out->list[out->count++].len = len;
	}
}

/* Every row that is shown is there, in any order, and no other. */
static bool table_fits(struct lines *shown, const struct table *a, struct lines *given, const struct table *b,
                       struct kt_buf *why)
{
	for (size_t i = 0; i < a->count; i++)
		if (!column_named(b, &a->columns[i])) {
			kt_buf_addf(why, "there is no column '%.*s'", (int)a->columns[i].name_len,
			            a->columns[i].name);
			return false;
		}
	for (size_t s = 1; s < shown->count; s++) {
		size_t g = 1;
		while (g < given->count &&
		       (given->list[g].used || !row_fits(shown->list[s].text, shown->list[s].len, a,
		                                         given->list[g].text, given->list[g].len, b)))
			g++;
		if (g == given->count) {
			kt_buf_addf(why, "there is no row like '%.*s'", (int)shown->list[s].len,
			            shown->list[s].text);
			return false;
		}
		given->list[g].used = true;
	}
	for (size_t g = 1; !shown->elided && g < given->count; g++)
		if (!given->list[g].used) {
			kt_buf_addf(why,
			            "there is a row '%.*s' besides; a line `…` says that some are left out",
			            (int)given->list[g].len, given->list[g].text);
			return false;
		}
	return true;
}

/* Every line that is shown is there, in this order. */
static bool lines_fit(const struct lines *shown, const struct lines *given, struct kt_buf *why)
{
	size_t g = 0;
	for (size_t s = 0; s < shown->count; s++, g++) {
		size_t begin = g;
		while (g < given->count &&
		       !same(shown->list[s].text, shown->list[s].len, given->list[g].text,
		             given->list[g].len) &&
		       shown->elided)
			g++;
		if (g < given->count &&
		    same(shown->list[s].text, shown->list[s].len, given->list[g].text, given->list[g].len))
			continue;
		kt_buf_addf(why, "there is no line like '%.*s'", (int)shown->list[s].len,
		            shown->list[s].text);
		if (begin < given->count)
			kt_buf_addf(why, ", but '%.*s'", (int)given->list[begin].len,
			            given->list[begin].text);
		return false;
	}
	if (g < given->count && !shown->elided) {
		kt_buf_addf(why, "there is a line '%.*s' besides; a line `…` says that some are left out",
		            (int)given->list[g].len, given->list[g].text);
		return false;
	}
	return true;
}

bool lab_shown_fits(const char *shown, const char *given, struct kt_buf *why)
{
	struct lines *a = kt_alloc(sizeof(*a)), *b = kt_alloc(sizeof(*b));
	struct table shown_table, given_table;
	split(shown, a);
	split(given, b);
	bool table = a->count && b->count && read_head(a->list[0].text, a->list[0].len, &shown_table) &&
	             read_head(b->list[0].text, b->list[0].len, &given_table);
	bool fits = table ? table_fits(a, &shown_table, b, &given_table, why) : lines_fit(a, b, why);
	kt_free(a);
	kt_free(b);
	return fits;
}
