/* SPDX-License-Identifier: MIT */
/* sort: keys with flags of their own (-k2,2nr -k1), separators, -u, -c, -o, versions and human numbers. */
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SORT_KEYS = 8 };
struct key {
	long from, from_char, to, to_char; /* fields and characters from 1; 0: the line's end, the field's */
	char flags[16];
};
struct sort {
	struct kt_strs lines;
	struct kt_buf line;
	char flags[32]; /* for keys that have none */
	char separator;
	const char *out;
	bool unique, check, stable;
	struct key keys[SORT_KEYS];
	size_t key_count;
};

static void end_sort(struct tool_run *r)
{
	struct sort *s = r->state;
	kt_strs_clear(&s->lines);
	kt_buf_clear(&s->line);
}

/* "2.3,4nr". False: rubbish. */
static bool read_key(struct sort *s, const char *text)
{
	char *at;
	struct key *key = &s->keys[s->key_count];
	if (s->key_count == SORT_KEYS)
		return false;
	*key = (struct key){.from = strtol(text, &at, 10), .from_char = 1};
	if (*at == '.')
		key->from_char = strtol(at + 1, &at, 10);
	for (size_t n = 0; *at && *at != ',' && n + 1 < sizeof(key->flags); at++)
		key->flags[n++] = *at;
	if (*at == ',') {
		key->to = strtol(at + 1, &at, 10);
		if (*at == '.')
			key->to_char = strtol(at + 1, &at, 10);
		for (size_t n = strlen(key->flags); *at && n + 1 < sizeof(key->flags); at++)
			key->flags[n++] = *at;
	}
	s->key_count++;
	return key->from > 0;
}

/* Where field n (from 1) begins; blanks before it belong to it where there is no separator. */
static const char *field_start(const struct sort *s, const char *line, long n)
{
	for (long i = 1; i < n && *line; i++) {
		if (s->separator) {
			line += strcspn(line, (char[]){s->separator, '\0'});
			line += *line != '\0';
		} else {
			line += strspn(line, " \t");
			line += strcspn(line, " \t");
		}
	}
	return line;
}

static const char *field_end(const struct sort *s, const char *line, long n)
{
	const char *at = field_start(s, line, n);
	if (s->separator)
		return at + strcspn(at, (char[]){s->separator, '\0'});
	at += strspn(at, " \t");
	return at + strcspn(at, " \t");
}

/* The part of a line that a key is about; owned. */
static char *part(const struct sort *s, const struct key *key, const char *line)
{
	const char *from = field_start(s, line, key->from), *end = line + strlen(line);
	const char *flags = *key->flags ? key->flags : s->flags;
	if (strchr(flags, 'b') || (!s->separator && strpbrk(flags, "nghV")))
		from += strspn(from, " \t");
	from += KT_MIN((size_t)(key->from_char - 1), strlen(from));
	if (key->to && key->to_char)
		end = KT_MIN(field_start(s, line, key->to) + key->to_char, end);
	else if (key->to)
		end = field_end(s, line, key->to);
	return kt_strndup(from, end > from ? (size_t)(end - from) : 0);
}

static double human(const char *text)
{
	char *end;
	double n = strtod(text, &end);
	const char *units = "KMGTP", *found = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	for (const char *u = units; found && u <= found; u++)
		n *= 1024;
	return n;
}

/* 1.9 before 1.10. */
static int versions(const char *a, const char *b)
{
	while (*a && *b) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			char *x, *y;
			unsigned long m = strtoul(a, &x, 10), n = strtoul(b, &y, 10);
			if (m != n)
				return m < n ? -1 : 1;
			a = x;
			b = y;
		} else if (*a != *b) {
			return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
		} else {
			a++;
			b++;
		}
	}
	return (*a != '\0') - (*b != '\0');
}

static int compare_parts(const char *flags, const char *a, const char *b)
{
	int order;
	if (strpbrk(flags, "ng")) {
		double m = strtod(a, NULL), n = strtod(b, NULL);
		order = (m > n) - (m < n);
	} else if (strchr(flags, 'h')) {
		double m = human(a), n = human(b);
		order = (m > n) - (m < n);
	} else if (strchr(flags, 'V')) {
		order = versions(a, b);
	} else {
		order = strchr(flags, 'f') ? strcasecmp(a, b) : strcmp(a, b);
	}
	return strchr(flags, 'r') ? -order : order;
}

static int compare(const struct sort *s, const char *a, const char *b)
{
	int order = s->key_count ? 0 : compare_parts(s->flags, a, b);
	for (size_t i = 0; i < s->key_count && !order; i++) {
		const struct key *key = &s->keys[i];
		char *x = part(s, key, a), *y = part(s, key, b);
		order = compare_parts(*key->flags ? key->flags : s->flags, x, y);
		kt_free(x);
		kt_free(y);
	}
	if (!order && !s->stable && !s->unique) /* whole lines decide at last */
		order = strchr(s->flags, 'r') ? strcmp(b, a) : strcmp(a, b);
	return order;
}

/* A merge sort of our own: qsort has no argument everywhere. */
static void sort_lines(const struct sort *s, char **lines, char **spare, size_t count)
{
	if (count < 2)
		return;
	size_t half = count / 2, i = 0, j = half, k = 0;
	sort_lines(s, lines, spare, half);
	sort_lines(s, lines + half, spare, count - half);
	while (i < half || j < count) {
		bool left = j >= count || (i < half && compare(s, lines[i], lines[j]) <= 0);
		spare[k++] = left ? lines[i++] : lines[j++];
	}
	memcpy(lines, spare, count * sizeof(*lines));
}

static int options(struct tool_run *r, struct sort *s)
{
	size_t at = 1, in = 0;
	const char *value;
	int option;
	while ((option = tool_option(r, &at, &in, "nrufhgsbcik:t:o:VdMmz", &value))) {
		size_t n = strlen(s->flags);
		if (option == '?')
			return 2;
		if (option == 'k' && !read_key(s, value))
			return tool_fail(r, 2, "invalid number '%s'", value);
		if (option == 't')
			s->separator = value[0] == '\\' && value[1] == 't' ? '\t' : value[0];
		if (option == 'o')
			s->out = value;
		s->unique = s->unique || option == 'u';
		s->check = s->check || option == 'c';
		s->stable = s->stable || option == 's';
		if (strchr("nrfghVb", option) && n + 1 < sizeof(s->flags))
			s->flags[n] = (char)option;
	}
	tool_inputs(r, at);
	return 0;
}

static int check_order(struct tool_run *r, const struct sort *s)
{
	for (size_t i = 1; i < s->lines.count; i++)
		if (compare(s, s->lines.items[i - 1], s->lines.items[i]) > 0) {
			tool_errf(r, "-:%zu: disorder: %s", i + 1, s->lines.items[i]);
			return 1;
		}
	return 0;
}

static int run_sort(struct tool_run *r)
{
	struct sort *s = r->state;
	struct kt_buf out = {0};
	int rc;
	if (!r->opened) {
		r->opened = true;
		if ((rc = options(r, s)))
			return rc;
	}
	while ((rc = tool_line(r, &s->line)) == 1)
		kt_strs_add(&s->lines, kt_buf_str(&s->line));
	if (rc)
		return rc;
	if (s->check)
		return check_order(r, s);
	char **spare = kt_alloc((s->lines.count + 1) * sizeof(*spare));
	sort_lines(s, s->lines.items, spare, s->lines.count);
	kt_free(spare);
	for (size_t i = 0; i < s->lines.count; i++)
		if (!i || !s->unique || compare(s, s->lines.items[i - 1], s->lines.items[i]))
			kt_buf_addf(&out, "%s\n", s->lines.items[i]);
	if (s->out) {
		char *path = tool_path(r, s->out);
		rc = files_write(tool_container(r)->files, path, kt_buf_str(&out), out.len, false, 0644,
		                 process_now(r->task->process));
		kt_free(path);
	} else {
		tool_out(r, kt_buf_str(&out), out.len);
	}
	kt_buf_clear(&out);
	if (rc)
		return tool_fail(r, 2, "can't open '%s': %s", s->out, tool_strerror(rc));
	return r->in_status ? 2 : 0;
}

const struct tool tools_sort[] = {
        {.name = "sort",
         .sets = "busybox debian",
         .run = run_sort,
         .state_size = sizeof(struct sort),
         .end = end_sort},
        {.name = NULL},
};
