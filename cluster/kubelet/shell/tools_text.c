/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define EVERY "busybox debian"

static int run_false(struct tool_run *r)
{
	(void)r;
	return 1;
}

static int run_echo(struct tool_run *r)
{
	struct kt_buf out = {0};
	echo_text(&r->argv, false, &out);
	tool_out(r, kt_buf_str(&out), out.len);
	kt_buf_clear(&out);
	return 0;
}

static int run_printf(struct tool_run *r)
{
	struct kt_buf out = {0};
	char message[160] = "";
	int rc = printf_text(&r->argv, &out, message);
	tool_out(r, kt_buf_str(&out), out.len);
	if (message[0])
		tool_errf(r, "%s", message);
	kt_buf_clear(&out);
	return rc;
}

static int run_test(struct tool_run *r)
{
	char message[160];
	size_t count = r->argv.count - 1;
	if (r->tool->name[0] == '[') {
		if (!count || strcmp(r->argv.items[count], "]") != 0)
			return tool_fail(r, 2, "missing ]");
		count--;
	}
	int rc = test_words(r->task, r->argv.items + 1, count, message);
	if (message[0])
		tool_errf(r, "%s", message);
	return rc;
}

/* --- cat --- */
struct cat {
	bool numbered, full, shows, ends, tabs;
	size_t line;
};

/* -v: what cannot be printed as ^X and M-x; -e: $ at a line's end, -t: tabs too */
static void show_bytes(struct tool_run *r, const struct cat *s, const struct kt_buf *data)
{
	struct kt_buf out = {0};
	for (size_t i = 0; i < data->len; i++) {
		unsigned char c = (unsigned char)data->data[i];
		if (c == '\n') {
			kt_buf_adds(&out, s->ends ? "$\n" : "\n");
			continue;
		}
		if (c >= 128)
			kt_buf_adds(&out, "M-");
		c &= 127;
		if (c == '\t' && !s->tabs)
			kt_buf_addc(&out, '\t');
		else if (c < 32 || c == 127)
			kt_buf_addf(&out, "^%c", c ^ 64);
		else
			kt_buf_addc(&out, (char)c);
	}
	tool_out(r, kt_buf_str(&out), out.len);
	kt_buf_clear(&out);
}

static int run_cat(struct tool_run *r)
{
	struct cat *s = r->state;
	bool *numbered = &s->numbered;
	size_t *line = &s->line;
	struct kt_buf data = {0};
	const char *value;
	int option, rc;
	if (!r->opened) {
		size_t at = 1, in = 0;
		while ((option = tool_option(r, &at, &in, "nAevtbsu", &value))) {
			if (option == '?')
				return 1;
			*numbered = *numbered || option == 'n' || option == 'b';
			s->ends = s->ends || option == 'A' || option == 'e';
			s->shows = s->shows || strchr("Aevt", option);
			s->tabs = s->tabs || option == 'A' || option == 't';
			s->full = s->full || option == 'b';
		}
		tool_inputs(r, at);
		r->opened = true;
	}
	if (*numbered) {
		while ((rc = tool_line(r, &data)) == 1)
			if (s->full && !data.len)
				tool_outs(r, "\n");
			else
				tool_outf(r, "%6zu\t%s\n", ++*line, kt_buf_str(&data));
	} else {
		rc = tool_bytes(r, &data);
		if (s->shows)
			show_bytes(r, s, &data);
		else
			tool_out(r, kt_buf_str(&data), data.len);
	}
	kt_buf_clear(&data);
	if (rc == 1)
		return TOOL_AGAIN;
	return rc == TOOL_WAIT ? TOOL_WAIT : r->in_status;
}

/* --- wc --- */
struct counts {
	bool lines, words, bytes, inside;
	size_t l, w, c;
};

static void count_bytes(struct counts *s, const char *data, size_t len)
{
	s->c += len;
	for (size_t i = 0; i < len; i++) {
		s->l += data[i] == '\n';
		bool space = isspace((unsigned char)data[i]);
		s->w += !space && !s->inside;
		s->inside = !space;
	}
}

static void print_counts(struct tool_run *r, const struct counts *s, const char *name)
{
	bool all = !s->lines && !s->words && !s->bytes, several = all || s->lines + s->words + s->bytes > 1;
	const char *gap = "";
	if (all || s->lines)
		tool_outf(r, several ? "%9zu" : "%zu", s->l), gap = " ";
	if (all || s->words)
		tool_outf(r, several ? "%s%9zu" : "%s%zu", gap, s->w), gap = " ";
	if (all || s->bytes)
		tool_outf(r, several ? "%s%9zu" : "%s%zu", gap, s->c);
	tool_outf(r, "%s%s\n", name ? " " : "", name ? name : "");
}

static int run_wc(struct tool_run *r)
{
	struct counts *s = r->state, total = {0};
	const char *value;
	int option;
	if (!r->opened) {
		size_t at = 1, in = 0;
		while ((option = tool_option(r, &at, &in, "lwcmL", &value))) {
			s->lines = s->lines || option == 'l';
			s->words = s->words || option == 'w';
			s->bytes = s->bytes || option == 'c' || option == 'm';
			if (option == '?')
				return 1;
		}
		tool_inputs(r, at);
		r->opened = true;
	}
	size_t first = r->file;
	if (!r->use_stdin && first < r->argv.count) {
		int status = 0;
		total = *s;
		for (size_t i = first; i < r->argv.count; i++) {
			struct kt_buf data = {0};
			struct counts one = *s;
			char *path = tool_path(r, r->argv.items[i]);
			int rc = special_file(r->task, path, &data);
			kt_free(path);
			if (rc) {
				tool_errf(r, "%s: %s", r->argv.items[i], tool_strerror(rc));
				status = 1;
				continue;
			}
			count_bytes(&one, kt_buf_str(&data), data.len);
			print_counts(r, &one, r->argv.items[i]);
			total.l += one.l;
			total.w += one.w;
			total.c += one.c;
			kt_buf_clear(&data);
		}
		if (r->argv.count - first > 1)
			print_counts(r, &total, "total");
		return status;
	}
	struct kt_buf data = {0};
	int rc;
	while ((rc = tool_bytes(r, &data)) == 1) {
		count_bytes(s, kt_buf_str(&data), data.len);
		kt_buf_cut(&data, 0);
	}
	kt_buf_clear(&data);
	if (rc == TOOL_WAIT)
		return TOOL_WAIT;
	print_counts(r, s, NULL);
	return 0;
}

/* --- tr, cut, tee, seq, yes --- */
static void tr_set(const char *text, struct kt_buf *out)
{
	static const struct {
		const char *name;
		int (*is)(int);
	} classes[] = {{"[:upper:]", isupper}, {"[:lower:]", islower}, {"[:digit:]", isdigit},
	               {"[:space:]", isspace}, {"[:alpha:]", isalpha}, {"[:alnum:]", isalnum},
	               {"[:punct:]", ispunct}, {"[:blank:]", isblank}};
	struct kt_buf plain = {0};
	bool stop = false;
	unescape(text, strlen(text), false, &plain, &stop);
	for (size_t i = 0; i < plain.len; i++) {
		size_t k = 0;
		while (k < KT_COUNT(classes) && !kt_starts(plain.data + i, classes[k].name))
			k++;
		if (k < KT_COUNT(classes)) {
			for (int c = 0; c < 128; c++) {
				if (classes[k].is(c))
					kt_buf_addc(out, (char)c);
			}
			i += strlen(classes[k].name) - 1;
		} else if (i + 2 < plain.len && plain.data[i + 1] == '-') {
			for (int c = (unsigned char)plain.data[i]; c <= (unsigned char)plain.data[i + 2]; c++)
				kt_buf_addc(out, (char)c);
			i += 2;
		} else {
			kt_buf_addc(out, plain.data[i]);
		}
	}
	kt_buf_clear(&plain);
}

struct translate {
	bool delete, squeeze, complement;
	struct kt_buf from, to;
	int last;
};

static void end_tr(struct tool_run *r)
{
	struct translate *s = r->state;
	kt_buf_clear(&s->from);
	kt_buf_clear(&s->to);
}

static int run_tr(struct tool_run *r)
{
	struct translate *s = r->state;
	const char *value;
	int option;
	if (!r->opened) {
		size_t at = 1, in = 0;
		while ((option = tool_option(r, &at, &in, "dscC", &value))) {
			s->delete = s->delete || option == 'd';
			s->squeeze = s->squeeze || option == 's';
			s->complement = s->complement || option == 'c' || option == 'C';
		}
		if (at >= r->argv.count)
			return tool_fail(r, 1, "missing operand");
		tr_set(r->argv.items[at], &s->from);
		if (at + 1 < r->argv.count)
			tr_set(r->argv.items[at + 1], &s->to);
		tool_inputs(r, r->argv.count);
		s->last = -1;
		r->opened = true;
	}
	struct kt_buf data = {0}, out = {0};
	int rc = tool_bytes(r, &data);
	for (size_t i = 0; i < data.len; i++) {
		char c = data.data[i];
		const char *hit = s->from.len ? memchr(s->from.data, c, s->from.len) : NULL;
		bool in = (hit != NULL) != s->complement;
		if (in && s->delete)
			continue;
		char to = c;
		if (in && s->to.len && hit)
			to = s->to.data[KT_MIN((size_t)(hit - s->from.data), s->to.len - 1)];
		else if (in && s->to.len)
			to = s->to.data[s->to.len - 1];
		bool squeezed = s->squeeze && (s->to.len ? memchr(s->to.data, to, s->to.len) != NULL : in);
		if (squeezed && s->last == (unsigned char)to)
			continue;
		s->last = (unsigned char)to;
		kt_buf_addc(&out, to);
	}
	tool_out(r, kt_buf_str(&out), out.len);
	kt_buf_clear(&data);
	kt_buf_clear(&out);
	return rc == 1 ? TOOL_AGAIN : (rc == TOOL_WAIT ? TOOL_WAIT : 0);
}

struct cut {
	const char *list, *delimiter;
	char kind;
	bool only;
};

static bool cut_has(const char *list, long n)
{
	for (const char *at = list; *at;) {
		char *end;
		long low = *at == '-' ? 1 : strtol(at, &end, 10), high = low;
		if (*at == '-')
			end = (char *)(uintptr_t)at;
		if (*end == '-') {
			const char *from = end + 1;
			high = isdigit((unsigned char)*from) ? strtol(from, &end, 10) : INT32_MAX;
			if (high == INT32_MAX)
				end = (char *)(uintptr_t)from;
		}
		if (n >= low && n <= high)
			return true;
		if (*end != ',')
			break;
		at = end + 1;
	}
	return false;
}

static int run_cut(struct tool_run *r)
{
	struct cut *s = r->state;
	const char *value;
	int option, rc;
	if (!r->opened) {
		size_t at = 1, in = 0;
		s->delimiter = "\t";
		while ((option = tool_option(r, &at, &in, "d:f:c:b:sn", &value))) {
			if (option == '?')
				return 1;
			if (option == 'd')
				s->delimiter = value;
			if (option == 'f' || option == 'c' || option == 'b') {
				s->kind = (char)option;
				s->list = value;
			}
			s->only = s->only || option == 's';
		}
		if (!s->list)
			return tool_fail(r, 1,
			                 tool_busybox(r)
			                         ? "expected a list of bytes, characters, or fields"
			                         : "you must specify a list of bytes, characters, or fields");
		tool_inputs(r, at);
		r->opened = true;
	}
	struct kt_buf line = {0}, out = {0};
	while ((rc = tool_line(r, &line)) == 1) {
		kt_buf_cut(&out, 0);
		const char *text = kt_buf_str(&line);
		if (s->kind != 'f') {
			for (long i = 0; text[i]; i++) {
				if (cut_has(s->list, i + 1))
					kt_buf_addc(&out, text[i]);
			}
		} else if (!strchr(text, s->delimiter[0])) {
			if (s->only)
				continue;
			kt_buf_adds(&out, text);
		} else {
			const char *rest = text;
			size_t len;
			long n = 0;
			bool any = false;
			for (const char *piece; rest && (piece = kt_split(&rest, s->delimiter[0], &len));) {
				if (!cut_has(s->list, ++n))
					continue;
				if (any)
					kt_buf_addc(&out, s->delimiter[0]);
				kt_buf_add(&out, piece, len);
				any = true;
			}
		}
		tool_outf(r, "%s\n", kt_buf_str(&out));
	}
	kt_buf_clear(&line);
	kt_buf_clear(&out);
	return rc == TOOL_WAIT ? TOOL_WAIT : r->in_status;
}

/* What is no file: 1 and 2 its own outputs, 0 nowhere; -1: a file. */
static int tee_device(const char *path)
{
	static const struct {
		const char *path;
		int fd;
	} devices[] = {{"/dev/stdout", 1}, {"/proc/self/fd/1", 1}, {"/dev/fd/1", 1}, {"/dev/tty", 1},
	               {"/dev/stderr", 2}, {"/proc/self/fd/2", 2}, {"/dev/fd/2", 2}, {"/dev/null", 0}};
	for (size_t i = 0; i < KT_COUNT(devices); i++)
		if (!strcmp(path, devices[i].path))
			return devices[i].fd;
	return -1;
}

static int run_tee(struct tool_run *r)
{
	struct kt_buf data = {0};
	size_t first = r->argv.count > 1 && !strcmp(r->argv.items[1], "-a") ? 2 : 1;
	struct files *files = tool_container(r)->files;
	if (!r->opened) {
		tool_inputs(r, r->argv.count);
		for (size_t i = first; first == 1 && i < r->argv.count; i++) {
			char *path = tool_path(r, r->argv.items[i]);
			int rc = tee_device(path) >= 0 ? 0
			                               : files_write(files, path, "", 0, false, 0644,
			                                             process_now(r->task->process));
			if (rc)
				r->in_status = tool_fail(r, 1, "%s: %s", r->argv.items[i], tool_strerror(rc));
			kt_free(path);
		}
		r->opened = true;
	}
	int rc = tool_bytes(r, &data);
	tool_out(r, kt_buf_str(&data), data.len);
	for (size_t i = first; data.len && i < r->argv.count; i++) {
		char *path = tool_path(r, r->argv.items[i]);
		int device = tee_device(path);
		if (device == 1)
			tool_out(r, data.data, data.len);
		else if (device == 2)
			task_write(r->task, 2, data.data, data.len);
		else if (device < 0)
			(void)files_write(files, path, data.data, data.len, true, 0644,
			                  process_now(r->task->process));
		kt_free(path);
	}
	kt_buf_clear(&data);
	return rc == 1 ? TOOL_AGAIN : (rc == TOOL_WAIT ? TOOL_WAIT : r->in_status);
}

struct seq {
	double now;
	bool begun;
};

static int decimals(const char *number)
{
	const char *point = strchr(number, '.');
	return point ? (int)strlen(point + 1) : 0;
}

/* seq [-w] [-s SEPARATOR] [FIRST [STEP]] LAST */
static int run_seq(struct tool_run *r)
{
	struct seq *s = r->state;
	const char *separator = "\n";
	bool pad = false;
	size_t at = 1;
	for (; at < r->argv.count && r->argv.items[at][0] == '-' && strchr("ws", r->argv.items[at][1]) &&
	       r->argv.items[at][1];
	     at++) {
		const char *word = r->argv.items[at];
		if (word[1] == 'w')
			pad = true;
		else if (word[2])
			separator = word + 2;
		else if (at + 1 < r->argv.count)
			separator = r->argv.items[++at];
	}
	size_t n = r->argv.count - at;
	if (n < 1 || n > 3)
		return tool_fail(r, 1, "missing operand");
	char *const *w = r->argv.items + at;
	double from = n > 1 ? strtod(w[0], NULL) : 1, step = n > 2 ? strtod(w[1], NULL) : 1,
	       to = strtod(w[n - 1], NULL);
	int after = KT_MAX(n > 1 ? decimals(w[0]) : 0, n > 2 ? decimals(w[1]) : 0);
	int width = pad ? (int)KT_MAX(n > 1 ? strlen(w[0]) : 1, strlen(w[n - 1])) : 0;
	struct kt_buf out = {0};
	for (int i = 0; i < 2000; i++) {
		double value = from + s->now * step;
		bool over = step == 0 || (step > 0 ? value > to + 1e-9 : value < to - 1e-9);
		if (over && s->begun)
			kt_buf_addc(&out, '\n');
		if (over) {
			tool_out(r, kt_buf_str(&out), out.len);
			kt_buf_clear(&out);
			return 0;
		}
		kt_buf_addf(&out, "%s%0*.*f", s->begun ? separator : "", width, after, value);
		s->begun = true;
		s->now += 1;
	}
	tool_out(r, kt_buf_str(&out), out.len);
	kt_buf_clear(&out);
	return TOOL_AGAIN;
}

/* Into nowhere: it burns one core and says nothing. */
static int run_yes(struct tool_run *r)
{
	struct chan *chan = r->task->fds[1].chan;
	if (!chan || chan->kind == CHAN_NULL) {
		tool_cpu(r, 1000);
		return TOOL_WAIT;
	}
	for (int i = 0; i < 200; i++)
		tool_outf(r, "%s\n", r->argv.count > 1 ? r->argv.items[1] : "y");
	r->task->slice += KT_MS;
	return TOOL_AGAIN;
}

const struct tool tools_text[] = {
        {.name = "[", .sets = EVERY, .run = run_test},
        {.name = "cat", .sets = EVERY, .run = run_cat, .state_size = sizeof(struct cat)},
        {.name = "less", .sets = EVERY, .run = run_cat, .state_size = sizeof(struct cat)},
        {.name = "more", .sets = EVERY, .run = run_cat, .state_size = sizeof(struct cat)},
        {.name = "cut", .sets = EVERY, .run = run_cut, .state_size = sizeof(struct cut)},
        {.name = "echo", .sets = EVERY, .run = run_echo},
        {.name = "false", .sets = EVERY, .run = run_false},
        {.name = "printf", .sets = EVERY, .run = run_printf},
        {.name = "seq", .sets = EVERY, .run = run_seq, .state_size = sizeof(struct seq)},
        {.name = "tee", .sets = EVERY, .run = run_tee},
        {.name = "test", .sets = EVERY, .run = run_test},
        {.name = "tr", .sets = EVERY, .run = run_tr, .state_size = sizeof(struct translate), .end = end_tr},
        {.name = "true", .sets = EVERY, .run = tool_nothing},
        {.name = "wc", .sets = EVERY, .run = run_wc, .state_size = sizeof(struct counts)},
        {.name = "yes", .sets = EVERY, .run = run_yes},
        {.name = NULL},
};
