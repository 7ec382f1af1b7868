/* SPDX-License-Identifier: MIT */
/* head, tail: where a text begins and ends. */
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define EVERY "busybox debian"

struct ends {
	int64_t count, seen;
	bool bytes, from_start, all_but, follow, by_name;
	struct kt_strs kept;
	struct kt_buf held; /* head -c -N */
	char *path;
	size_t at;
};

static bool parse_count(struct tool_run *r, const char *text, struct ends *s)
{
	char *end;
	s->from_start = *text == '+';
	s->all_but = *text == '-';
	s->count = strtoll(text + (s->from_start || s->all_but), &end, 10);
	if (*end == 'k' || *end == 'K')
		s->count *= 1024;
	else if (*end == 'm' || *end == 'M')
		s->count *= 1048576;
	else if (*end || end == text) {
		tool_errf(r, "invalid number '%s'", text);
		return false;
	}
	return true;
}

static int parse_ends(struct tool_run *r, const char *spec)
{
	struct ends *s = r->state;
	size_t at = 1, in = 0;
	const char *value;
	int option;
	s->count = 10;
	if (at < r->argv.count && r->argv.items[1][0] == '-' && isdigit((unsigned char)r->argv.items[1][1])) {
		if (!parse_count(r, r->argv.items[1] + 1, s))
			return 1;
		at++;
	}
	while ((option = tool_option(r, &at, &in, spec, &value))) {
		if (option == 'n' || option == 'c') {
			s->bytes = option == 'c';
			if (!parse_count(r, value, s))
				return 1;
		} else if (option == 'f' || option == 'F') {
			s->follow = true;
			s->by_name = option == 'F';
		} else if (option == '-') {
			if (kt_starts(value, "lines=") && !parse_count(r, value + 6, s))
				return 1;
			s->follow = s->follow || kt_starts(value, "follow");
		} else if (option == '?') {
			return 1;
		}
	}
	tool_inputs(r, at);
	if (s->follow && at < r->argv.count)
		s->path = tool_path(r, r->argv.items[at]);
	r->opened = true;
	return 0;
}

static void end_ends(struct tool_run *r)
{
	struct ends *s = r->state;
	kt_strs_clear(&s->kept);
	kt_buf_clear(&s->held);
	kt_free(s->path);
}

/* -n -N, -c -N: all but the last N. What comes is held back until N more have come. */
static int head_all_but(struct tool_run *r)
{
	struct ends *s = r->state;
	struct kt_buf piece = {0};
	int rc = 0;
	while ((rc = s->bytes ? tool_bytes(r, &piece) : tool_line(r, &piece)) != 0) {
		if (rc == TOOL_WAIT)
			break;
		if (s->bytes) {
			kt_buf_add(&s->held, kt_buf_str(&piece), piece.len);
			kt_buf_cut(&piece, 0);
			if ((int64_t)s->held.len > s->count) {
				size_t give = s->held.len - (size_t)s->count;
				tool_out(r, s->held.data, give);
				kt_buf_drop(&s->held, give);
			}
			continue;
		}
		kt_strs_add(&s->kept, kt_buf_str(&piece));
		if ((int64_t)(s->kept.count - s->at) > s->count)
			tool_outf(r, "%s\n", s->kept.items[s->at++]);
	}
	kt_buf_clear(&piece);
	return rc == TOOL_WAIT ? TOOL_WAIT : r->in_status;
}

static int run_head(struct tool_run *r)
{
	struct ends *s = r->state;
	struct kt_buf line = {0};
	int rc;
	if (!r->opened && parse_ends(r, "n:c:qv"))
		return 1;
	if (s->all_but)
		return head_all_but(r);
	if (s->bytes) {
		rc = tool_bytes(r, &line);
		size_t take = (size_t)KT_MIN((int64_t)line.len, s->count - s->seen);
		tool_out(r, kt_buf_str(&line), take);
		s->seen += (int64_t)take;
		kt_buf_clear(&line);
		if (rc == TOOL_WAIT)
			return TOOL_WAIT;
		return rc && s->seen < s->count ? TOOL_AGAIN : r->in_status;
	}
	while (s->seen < s->count && (rc = tool_line(r, &line)) != 0) {
		if (rc == TOOL_WAIT) {
			kt_buf_clear(&line);
			return TOOL_WAIT;
		}
		tool_outf(r, "%s%s", kt_buf_str(&line), r->whole ? "\n" : "");
		s->seen++;
	}
	kt_buf_clear(&line);
	return r->in_status;
}

/* Following: a look each second, as without inotify. */
static int follow(struct tool_run *r)
{
	struct ends *s = r->state;
	struct kt_buf data = {0};
	for (;;) {
		int rc = special_file(r->task, s->path, &data);
		if (!rc && data.len < s->at)
			s->at = 0;
		if (!rc && data.len > s->at) {
			tool_out(r, data.data + s->at, data.len - s->at);
			s->at = data.len;
		}
		kt_buf_clear(&data);
		if (tool_sleep(r, KT_SEC))
			return TOOL_WAIT;
	}
}

static int run_tail(struct tool_run *r)
{
	struct ends *s = r->state;
	struct kt_buf line = {0};
	int rc;
	if (r->pc == 1)
		return follow(r);
	if (!r->opened && parse_ends(r, "n:c:fFqs:vr"))
		return 1;
	if (s->path && !strcmp(s->path, "/dev/null")) {
		r->pc = 1;
		return follow(r);
	}
	if (s->path && !strcmp(s->path, "/dev/zero"))
		return run_hog(r);
	if (r->argv.count > 1 && !strcmp(r->argv.items[r->argv.count - 1], "/dev/zero"))
		return run_hog(r);
	if (s->bytes) {
		struct kt_buf all = {0};
		rc = tool_all(r, &all);
		if (rc == TOOL_WAIT) {
			kt_buf_clear(&all);
			return TOOL_WAIT;
		}
		size_t from = s->from_start ? KT_MIN((size_t)KT_MAX(s->count - 1, 0), all.len)
		                            : all.len - KT_MIN((size_t)s->count, all.len);
		tool_out(r, kt_buf_str(&all) + from, all.len - from);
		kt_buf_clear(&all);
		return r->in_status;
	}
	while ((rc = tool_line(r, &line)) == 1) {
		s->seen++;
		if (s->from_start) {
			if (s->seen >= s->count)
				tool_outf(r, "%s%s", kt_buf_str(&line), r->whole ? "\n" : "");
			continue;
		}
		kt_strs_steal(&s->kept, kt_strf("%s%s", kt_buf_str(&line), r->whole ? "\n" : ""));
		if ((int64_t)s->kept.count > 2 * s->count + 100) {
			size_t drop = s->kept.count - (size_t)s->count;
			for (size_t i = 0; i < drop; i++)
				kt_free(s->kept.items[i]);
			memmove(s->kept.items, s->kept.items + drop,
			        (size_t)s->count * sizeof(*s->kept.items));
			s->kept.count = (size_t)s->count;
		}
	}
	kt_buf_clear(&line);
	if (rc == TOOL_WAIT)
		return TOOL_WAIT;
	size_t keep = KT_MIN((size_t)KT_MAX(s->count, 0), s->kept.count);
	for (size_t i = s->kept.count - keep; i < s->kept.count; i++)
		tool_outs(r, s->kept.items[i]);
	if (!s->follow || !s->path)
		return r->in_status;
	struct files_stat st;
	if (!files_stat(tool_container(r)->files, s->path, &st))
		s->at = st.size;
	else if (!s->by_name)
		return tool_fail(r, 1, "no files");
	r->pc = 1;
	return follow(r);
}

const struct tool tools_ends[] = {
        {.name = "head", .sets = EVERY, .run = run_head, .state_size = sizeof(struct ends), .end = end_ends},
        {.name = "tail", .sets = EVERY, .run = run_tail, .state_size = sizeof(struct ends), .end = end_ends},
        {.name = NULL},
};
