/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <string.h>

/* One [...] at `p` (behind the bracket): does `c` fit? Returns the place behind it, NULL if it is no bracket.
 */
static const char *bracket(const char *p, char c, bool *fits)
{
	static const struct {
		const char *name;
		int (*is)(int);
	} classes[] = {{"[:alpha:]", isalpha}, {"[:digit:]", isdigit},  {"[:alnum:]", isalnum},
	               {"[:space:]", isspace}, {"[:upper:]", isupper},  {"[:lower:]", islower},
	               {"[:punct:]", ispunct}, {"[:xdigit:]", isxdigit}};
	bool negate = *p == '!' || *p == '^', any = false;
	if (negate)
		p++;
	const char *first = p;
	while (*p && (*p != ']' || p == first)) {
		size_t i = 0;
		while (i < KT_COUNT(classes) && !kt_starts(p, classes[i].name))
			i++;
		if (i < KT_COUNT(classes)) {
			any = any || classes[i].is((unsigned char)c);
			p += strlen(classes[i].name);
			continue;
		}
		if (*p == '\\' && p[1])
			p++;
		char low = *p++, high = low;
		if (*p == '-' && p[1] && p[1] != ']') {
			high = p[1];
			p += 2;
		}
		any = any || (c >= low && c <= high);
	}
	if (*p != ']')
		return NULL;
	*fits = any != negate;
	return p + 1;
}

/* Iterative with one point of return, so no pattern takes exponential time. */
bool pattern_matchn(const char *pattern, const char *text, size_t len)
{
	const char *p = pattern, *t = text, *end = text + len, *star = NULL, *resume = NULL;
	while (t < end || *p) {
		bool fits = false;
		const char *next = p;
		if (*p == '*') {
			star = ++p;
			resume = t;
			continue;
		}
		if (t < end && *p) {
			if (*p == '?') {
				fits = true;
				next = p + 1;
			} else if (*p == '[' && (next = bracket(p + 1, *t, &fits))) {
				;
			} else {
				next = p;
				if (*next == '\\' && next[1])
					next++;
				fits = *next == *t;
				next++;
			}
		}
		if (fits) {
			p = next;
			t++;
		} else if (star && resume < end) {
			p = star;
			t = ++resume;
		} else {
			return false;
		}
	}
	return true;
}

bool pattern_match(const char *pattern, const char *text)
{
	return pattern_matchn(pattern, text, strlen(text));
}

static bool is_pattern(const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' && text[1])
			text++;
		else if (strchr("*?[", *text))
			return true;
	}
	return false;
}

static char *plain_text(const char *pattern, size_t len)
{
	struct kt_buf out = {0};
	for (size_t i = 0; i < len; i++) {
		if (pattern[i] == '\\' && i + 1 < len)
			i++;
		kt_buf_addc(&out, pattern[i]);
	}
	kt_buf_adds(&out, "");
	return kt_buf_take(&out);
}

/* `done`: what of the path is fixed already, ending in / (or ""). */
static void descend(struct task *task, const char *done, const char *rest, struct kt_strs *out)
{
	if (out->count > 10000)
		return;
	size_t len = strcspn(rest, "/"), slashes = strspn(rest + len, "/");
	char *piece = kt_strndup(rest, len);
	bool last = !rest[len + slashes];
	if (!is_pattern(piece)) {
		char *plain = plain_text(piece, len);
		char *path = kt_strf("%s%s%.*s", done, plain, (int)KT_MIN(slashes, (size_t)1), "/");
		struct files_stat st;
		char *absolute = task_path(task, path);
		if (!last)
			descend(task, path, rest + len + slashes, out);
		else if (files_stat(task->process->spec.container->files, absolute, &st) == 0)
			kt_strs_add(out, path);
		kt_free(absolute);
		kt_free(path);
		kt_free(plain);
	} else {
		struct kt_strs names = {0};
		char *absolute = task_path(task, *done ? done : ".");
		if (files_list(task->process->spec.container->files, absolute, &names) == 0) {
			for (size_t i = 0; i < names.count; i++) {
				if ((names.items[i][0] == '.' && piece[0] != '.') ||
				    !pattern_match(piece, names.items[i]))
					continue;
				char *path =
				        kt_strf("%s%s%s", done, names.items[i], last && !slashes ? "" : "/");
				if (last)
					kt_strs_add(out, path);
				else
					descend(task, path, rest + len + slashes, out);
				kt_free(path);
			}
		}
		kt_strs_clear(&names);
		kt_free(absolute);
	}
	kt_free(piece);
}

void glob_expand(struct task *task, const char *pattern, const char *plain, struct kt_strs *out)
{
	size_t before = out->count;
	if (!task->noglob && is_pattern(pattern) && strlen(pattern) < 4096) {
		size_t slashes = strspn(pattern, "/");
		descend(task, slashes ? "/" : "", pattern + slashes, out);
	}
	if (out->count == before)
		kt_strs_add(out, plain);
}
