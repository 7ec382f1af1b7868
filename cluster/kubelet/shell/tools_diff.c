/* SPDX-License-Identifier: MIT */
/* cmp and diff: busybox tells differences in the unified form, GNU in the normal one unless asked. */
#include "cluster/kubelet/shell/shell.h"

#include <string.h>

#define EVERY "busybox debian"
enum { MOST_LINES = 2000, AROUND = 3 };

static int read_side(struct tool_run *r, const char *name, struct kt_buf *out)
{
	char *path = tool_path(r, name);
	int rc = special_file(r->task, path, out);
	kt_free(path);
	if (rc)
		tool_errf(r, tool_busybox(r) ? "can't stat '%s': %s" : "%s: %s", name, tool_strerror(rc));
	kt_buf_adds(out, "");
	return rc;
}

static int run_cmp(struct tool_run *r)
{
	size_t at = 1, in = 0, n = 0, line = 1;
	const char *value;
	int option;
	bool quiet = false;
	struct kt_buf a = {0}, b = {0};
	while ((option = tool_option(r, &at, &in, "sln:", &value))) {
		if (option == '?')
			return 2;
		quiet = quiet || option == 's';
	}
	if (r->argv.count < at + 2)
		return tool_fail(r, 2, "missing operand");
	const char *one = r->argv.items[at], *two = r->argv.items[at + 1];
	int rc = read_side(r, one, &a) || read_side(r, two, &b) ? 2 : 0;
	for (; !rc && n < a.len && n < b.len && a.data[n] == b.data[n]; n++)
		line += a.data[n] == '\n';
	if (!rc && (n < a.len || n < b.len)) {
		if (!quiet && n < a.len && n < b.len)
			tool_outf(r, "%s %s differ: char %zu, line %zu\n", one, two, n + 1, line);
		else if (!quiet)
			tool_errf(r, "EOF on %s", n < a.len ? two : one);
		rc = 1;
	}
	kt_buf_clear(&a);
	kt_buf_clear(&b);
	return rc;
}

/* --- diff --- */
struct side {
	struct kt_strs lines;
};
struct edit {
	char op; /* ' ', '-', '+' */
	size_t a, b;
};

static void split(const struct kt_buf *text, struct side *out)
{
	const char *rest = text->len ? text->data : NULL;
	size_t len;
	for (const char *line;
	     rest && (line = kt_split(&rest, '\n', &len)) && out->lines.count < MOST_LINES;) {
		if (rest || len)
			kt_strs_steal(&out->lines, kt_strndup(line, len));
	}
}

/* The longest common subsequence, by a table. */
static struct edit *compare(const struct side *a, const struct side *b, size_t *count)
{
	size_t n = a->lines.count, m = b->lines.count, i = 0, j = 0;
	unsigned short *table = kt_alloc((n + 1) * (m + 1) * sizeof(*table));
	struct edit *edits = kt_alloc((n + m + 1) * sizeof(*edits));
	for (i = n; i-- > 0;) {
		for (j = m; j-- > 0;) {
			unsigned short *cell = &table[i * (m + 1) + j];
			if (!strcmp(a->lines.items[i], b->lines.items[j]))
				*cell = (unsigned short)(cell[m + 2] + 1);
			else
				*cell = KT_MAX(cell[m + 1], cell[1]);
		}
	}
	*count = 0;
	for (i = j = 0; i < n || j < m;) {
		const unsigned short *cell = &table[i * (m + 1) + j];
		char op = '+';
		if (i < n && j < m && !strcmp(a->lines.items[i], b->lines.items[j]))
			op = ' ';
		else if (i < n && (j == m || cell[m + 1] >= cell[1]))
			op = '-';
		edits[(*count)++] = (struct edit){op, i, j};
		i += op != '+';
		j += op != '-';
	}
	kt_free(table);
	return edits;
}

static void range(struct tool_run *r, char sign, size_t from, size_t count)
{
	tool_outf(r, " %c%zu", sign, count ? from + 1 : from);
	if (count != 1)
		tool_outf(r, ",%zu", count);
}

static void print_unified(struct tool_run *r, const struct side *a, const struct side *b,
                          const struct edit *edits, size_t count)
{
	for (size_t i = 0; i < count;) {
		size_t first = i, end, minus = 0, plus = 0;
		if (edits[i].op == ' ') {
			i++;
			continue;
		}
		/* up to where nothing changes for twice the context */
		for (end = i; i < count && i <= end + 2 * AROUND; i++) {
			if (edits[i].op != ' ')
				end = i;
		}
		first = first > AROUND ? first - AROUND : 0;
		i = KT_MIN(end + AROUND + 1, count);
		for (size_t k = first; k < i; k++) {
			minus += edits[k].op != '+';
			plus += edits[k].op != '-';
		}
		tool_outs(r, "@@");
		range(r, '-', edits[first].a, minus);
		range(r, '+', edits[first].b, plus);
		tool_outs(r, " @@\n");
		for (size_t k = first; k < i; k++)
			tool_outf(r, "%c%s\n", edits[k].op,
			          edits[k].op == '+' ? b->lines.items[edits[k].b]
			                             : a->lines.items[edits[k].a]);
	}
}

static void normal_range(struct tool_run *r, size_t from, size_t count)
{
	if (count > 1)
		tool_outf(r, "%zu,%zu", from + 1, from + count);
	else
		tool_outf(r, "%zu", from + count);
}

static void print_normal(struct tool_run *r, const struct side *a, const struct side *b,
                         const struct edit *edits, size_t count)
{
	for (size_t i = 0, end; i < count; i = end) {
		size_t minus = 0, plus = 0;
		for (end = i; end < count && edits[end].op != ' '; end++) {
			minus += edits[end].op == '-';
			plus += edits[end].op == '+';
		}
		if (end == i) {
			end++;
			continue;
		}
		normal_range(r, edits[i].a, minus);
		tool_outs(r, minus && plus ? "c" : (minus ? "d" : "a"));
		normal_range(r, edits[i].b, plus);
		tool_outs(r, "\n");
		for (size_t k = i; k < end; k++) {
			if (edits[k].op == '-')
				tool_outf(r, "< %s\n", a->lines.items[edits[k].a]);
		}
		if (minus && plus)
			tool_outs(r, "---\n");
		for (size_t k = i; k < end; k++) {
			if (edits[k].op == '+')
				tool_outf(r, "> %s\n", b->lines.items[edits[k].b]);
		}
	}
}

static int run_diff(struct tool_run *r)
{
	size_t at = 1, in = 0, count;
	const char *value;
	int option;
	bool brief = false, unified = tool_busybox(r);
	struct kt_buf texts[2] = {{0}, {0}};
	struct side sides[2] = {{{0}}, {{0}}};
	while ((option = tool_option(r, &at, &in, "abBdiNqruswU:", &value))) {
		if (option == '?')
			return 2;
		brief = brief || option == 'q';
		unified = unified || option == 'u' || option == 'U';
	}
	if (r->argv.count < at + 2)
		return tool_fail(r, 2, "missing operand");
	const char *one = r->argv.items[at], *two = r->argv.items[at + 1];
	int rc = read_side(r, one, &texts[0]) || read_side(r, two, &texts[1]) ? 2 : 0;
	if (!rc &&
	    (texts[0].len != texts[1].len || memcmp(texts[0].data, texts[1].data, texts[0].len) != 0)) {
		rc = 1;
		split(&texts[0], &sides[0]);
		split(&texts[1], &sides[1]);
		struct edit *edits = compare(&sides[0], &sides[1], &count);
		if (brief)
			tool_outf(r, "Files %s and %s differ\n", one, two);
		else if (unified)
			tool_outf(r, "--- %s\n+++ %s\n", one, two);
		if (!brief && unified)
			print_unified(r, &sides[0], &sides[1], edits, count);
		else if (!brief)
			print_normal(r, &sides[0], &sides[1], edits, count);
		kt_free(edits);
	}
	for (int i = 0; i < 2; i++) {
		kt_buf_clear(&texts[i]);
		kt_strs_clear(&sides[i].lines);
	}
	return rc;
}

const struct tool tools_diff[] = {
        {.name = "cmp", .sets = EVERY, .run = run_cmp},
        {.name = "diff", .sets = EVERY, .run = run_diff},
        {.name = NULL},
};
