/* SPDX-License-Identifier: MIT */
/* find: the expression is a tree, evaluated for each file in the order of the walk. -exec waits for its
 * program; then the file is evaluated once more, and what has been done for it is remembered. */
#include "cluster/kubelet/shell/shell.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#define EVERY "busybox debian"

enum find_kind { FIND_TEST, FIND_AND, FIND_OR, FIND_NOT };
struct find_node;
struct find_file {
	const char *path, *full;
	struct files_stat st;
};
typedef bool find_fn(struct tool_run *r, const struct find_node *node, const struct find_file *file);
struct find_row {
	const char *name;
	unsigned words; /* behind it */
	find_fn *test;
	bool action; /* so that nothing is printed unless told */
	bool global; /* an option: true for every file */
};
struct find_node {
	enum find_kind kind;
	const struct find_row *row;
	const char *value;
	struct find_node *a, *b, *next; /* next: all of them, to be freed */
	size_t from, to;                /* -exec: its words */
	bool collects;                  /* -exec … + */
	struct kt_strs collected;
	int64_t number;
	char sign;      /* of a number: + - or 0 */
	int64_t unit;   /* of -size: bytes */
	kt_ns than;     /* -newer */
	unsigned state; /* for this file: 0 not asked yet, 1 false, 2 true */
	regex_t regex;
	bool has_regex;
};
struct find_at {
	char *path;
	size_t depth;
};
struct find {
	struct find_node *tree, *all;
	struct find_at *stack;
	size_t count, cap;
	size_t minimum, deepest;
	size_t at; /* parsing */
	bool bad, acts, depth_first, follows, pruned, quits, waiting, running;
	struct find_node *flushing;
};
enum { FIND_DEEPEST = 40, FIND_MOST = 100000 };

static struct files *files_of(const struct tool_run *r)
{
	return tool_container(r)->files;
}

/* --- tests --- */
static bool fits_number(const struct find_node *node, int64_t n)
{
	return node->sign == '+' ? n > node->number
	                         : (node->sign == '-' ? n < node->number : n == node->number);
}

static char *lower(const char *text)
{
	char *copy = kt_strdup(text);
	for (char *c = copy; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
	return copy;
}

static bool test_name(struct tool_run *r, const struct find_node *node, const struct find_file *file)
{
	(void)r;
	bool whole = strstr(node->row->name, "path") || strstr(node->row->name, "whole"),
	     nocase = node->row->name[1] == 'i';
	const char *text = whole ? file->path : kt_basename(file->path);
	if (!nocase)
		return pattern_match(node->value, text);
	char *a = lower(node->value), *b = lower(text);
	bool fits = pattern_match(a, b);
	kt_free(a);
	kt_free(b);
	return fits;
}

static bool test_regex(struct tool_run *r, const struct find_node *node, const struct find_file *file)
{
	(void)r;
	regmatch_t at;
	return node->has_regex && !regexec(&node->regex, file->path, 1, &at, 0) && !at.rm_so &&
	       (size_t)at.rm_eo == strlen(file->path);
}

static bool test_type(struct tool_run *r, const struct find_node *node, const struct find_file *file)
{
	(void)r;
	static const struct {
		char letter;
		enum files_type type;
	} types[] = {{'f', FILES_REGULAR}, {'d', FILES_DIR}, {'l', FILES_LINK}, {'c', FILES_DEVICE}};
	for (size_t i = 0; i < KT_COUNT(types); i++)
		if (types[i].type == file->st.type)
			return strchr(node->value, types[i].letter) != NULL;
	return false;
}

/* -mmin, -mtime: whole minutes, days since it was written. Reading and changing are not kept apart. */
static bool test_time(struct tool_run *r, const struct find_node *node, const struct find_file *file)
{
	kt_ns written = file->st.modified ? file->st.modified : r->task->process->counted,
	      unit = strstr(node->row->name, "min") ? 60 * KT_SEC : 24 * KT_HOUR;
	return fits_number(node, (process_now(r->task->process) - written) / unit);
}

static bool test_newer(struct tool_run *r, const struct find_node *node, const struct find_file *file)
{
	(void)r;
	return file->st.modified > node->than;
}

/* busybox compares bytes, GNU's whole units, rounded up. */
static bool test_size(struct tool_run *r, const struct find_node *node, const struct find_file *file)
{
	int64_t size = (int64_t)file->st.size;
	struct find_node bytes = {.sign = node->sign, .number = node->number * node->unit};
	return tool_busybox(r) ? fits_number(&bytes, size)
	                       : fits_number(node, (size + node->unit - 1) / node->unit);
}

static bool test_empty(struct tool_run *r, const struct find_node *node, const struct find_file *file)
{
	(void)node;
	struct kt_strs names = {0};
	bool empty = file->st.type == FILES_REGULAR && !file->st.size;
	if (file->st.type == FILES_DIR) {
		empty = !files_list(files_of(r), file->full, &names) && !names.count;
		kt_strs_clear(&names);
	}
	return empty;
}

static bool test_perm(struct tool_run *r, const struct find_node *node, const struct find_file *file)
{
	(void)r;
	unsigned mode = file->st.mode & 07777,
	         wanted = (unsigned)strtoul(node->value + strspn(node->value, "-/+"), NULL, 8);
	switch (node->value[0]) {
	case '-':
		return (mode & wanted) == wanted;
	case '/':
	case '+':
		return !wanted || (mode & wanted);
	default:
		return mode == wanted;
	}
}

static bool test_access(struct tool_run *r, const struct find_node *node, const struct find_file *file)
{
	unsigned wanted = node->row->name[1] == 'e' ? FILES_RUN
	                                            : (node->row->name[1] == 'r' ? FILES_READ : FILES_WRITE);
	return !files_access(files_of(r), file->full, wanted);
}

static bool test_owner(struct tool_run *r, const struct find_node *node, const struct find_file *file)
{
	char *end;
	unsigned long id = strtoul(node->value, &end, 10);
	if (*end) { /* a name: only root is known everywhere */
		(void)r;
		id = 0;
		if (strcmp(node->value, "root") != 0)
			return false;
	}
	return id == (node->row->name[1] == 'u' ? file->st.uid : file->st.gid);
}

static bool test_true(struct tool_run *r, const struct find_node *node, const struct find_file *file)
{
	(void)r;
	(void)file;
	return node->row->name[1] != 'f' || node->row->name[2] != 'a';
}

/* --- actions --- */
static bool do_print(struct tool_run *r, const struct find_node *node, const struct find_file *file)
{
	tool_out(r, file->path, strlen(file->path));
	tool_out(r, kt_ends(node->row->name, "0") ? "" : "\n", 1);
	return true;
}

/* GNU's -printf: the commonest of its directives. */
static bool do_printf(struct tool_run *r, const struct find_node *node, const struct find_file *file)
{
	static const char types[] = {'U', 'f', 'd', 'l', 'c'};
	struct kt_buf out = {0}, text = {0};
	bool stop = false;
	unescape(node->value, strlen(node->value), true, &text, &stop);
	const char *slash = strrchr(file->path, '/');
	for (const char *c = kt_buf_str(&text); *c; c++) {
		if (*c != '%' || !c[1]) {
			kt_buf_addc(&out, *c);
			continue;
		}
		switch (*++c) {
		case 'p':
			kt_buf_adds(&out, file->path);
			break;
		case 'f':
			kt_buf_adds(&out, kt_basename(file->path));
			break;
		case 'h':
			kt_buf_add(&out, slash ? file->path : ".", slash ? (size_t)(slash - file->path) : 1);
			break;
		case 's':
			kt_buf_addf(&out, "%zu", file->st.size);
			break;
		case 'm':
			kt_buf_addf(&out, "%o", file->st.mode & 07777);
			break;
		case 'y':
			kt_buf_addc(&out, types[file->st.type]);
			break;
		case 'u':
		case 'U':
			kt_buf_addf(&out, "%u", (unsigned)file->st.uid);
			break;
		case 'T':
			tool_time(file->st.modified, *++c == '@' ? "%s" : (char[]){'%', *c, '\0'}, &out);
			c -= !*c;
			break;
		default:
			kt_buf_addc(&out, *c);
		}
	}
	tool_out(r, kt_buf_str(&out), out.len);
	kt_buf_clear(&out);
	kt_buf_clear(&text);
	return true;
}

static bool do_delete(struct tool_run *r, const struct find_node *node, const struct find_file *file)
{
	(void)node;
	if (!strcmp(file->path, "."))
		return true;
	int rc = files_remove(files_of(r), file->full, false);
	if (rc) {
		tool_errf(r, tool_busybox(r) ? "%s: %s" : "cannot delete '%s': %s", file->path,
		          tool_strerror(rc));
		r->in_status = 1;
	}
	return !rc;
}

static bool do_prune(struct tool_run *r, const struct find_node *node, const struct find_file *file)
{
	(void)node;
	(void)file;
	((struct find *)r->state)->pruned = true;
	return true;
}

static bool do_quit(struct tool_run *r, const struct find_node *node, const struct find_file *file)
{
	(void)node;
	(void)file;
	((struct find *)r->state)->quits = true;
	return true;
}

/* `waiting` says that there is no answer yet. */
static bool run_words(struct tool_run *r, const struct find_node *node, const struct kt_strs *paths)
{
	struct find *s = r->state;
	struct kt_strs argv = {0};
	int status = 0;
	for (size_t i = node->from; i < node->to; i++) {
		const char *word = r->argv.items[i], *hole = strstr(word, "{}");
		if (!hole) {
			kt_strs_add(&argv, word);
			continue;
		}
		for (size_t p = 0; p < paths->count; p++) {
			char *filled =
			        kt_strf("%.*s%s%s", (int)(hole - word), word, paths->items[p], hole + 2);
			kt_strs_add(&argv, filled);
			kt_free(filled);
		}
	}
	s->waiting = argv.count && tool_run_child(r, &argv, &status);
	kt_strs_clear(&argv);
	return !s->waiting && !status;
}

static bool do_exec(struct tool_run *r, const struct find_node *node, const struct find_file *file)
{
	struct kt_strs one = {0};
	if (node->collects) {
		kt_strs_add(&((struct find_node *)(uintptr_t)node)->collected, file->path);
		return true;
	}
	kt_strs_add(&one, file->path);
	bool good = run_words(r, node, &one);
	kt_strs_clear(&one);
	return good;
}

static const struct find_row find_rows[] = {
        {"-name", 1, test_name, false, false},
        {"-iname", 1, test_name, false, false},
        {"-path", 1, test_name, false, false},
        {"-ipath", 1, test_name, false, false},
        {"-wholename", 1, test_name, false, false},
        {"-regex", 1, test_regex, false, false},
        {"-iregex", 1, test_regex, false, false},
        {"-type", 1, test_type, false, false},
        {"-mtime", 1, test_time, false, false},
        {"-mmin", 1, test_time, false, false},
        {"-atime", 1, test_time, false, false},
        {"-amin", 1, test_time, false, false},
        {"-ctime", 1, test_time, false, false},
        {"-cmin", 1, test_time, false, false},
        {"-newer", 1, test_newer, false, false},
        {"-size", 1, test_size, false, false},
        {"-empty", 0, test_empty, false, false},
        {"-perm", 1, test_perm, false, false},
        {"-executable", 0, test_access, false, false},
        {"-readable", 0, test_access, false, false},
        {"-writable", 0, test_access, false, false},
        {"-user", 1, test_owner, false, false},
        {"-group", 1, test_owner, false, false},
        {"-uid", 1, test_owner, false, false},
        {"-gid", 1, test_owner, false, false},
        {"-true", 0, test_true, false, false},
        {"-false", 0, test_true, false, false},
        {"-print", 0, do_print, true, false},
        {"-print0", 0, do_print, true, false},
        {"-printf", 1, do_printf, true, false},
        {"-delete", 0, do_delete, true, false},
        {"-prune", 0, do_prune, false, false},
        {"-quit", 0, do_quit, true, false},
        {"-exec", 0, do_exec, true, false},
        {"-ok", 0, do_exec, true, false},
        {"-execdir", 0, do_exec, true, false},
        {"-maxdepth", 1, test_true, false, true},
        {"-mindepth", 1, test_true, false, true},
        {"-xdev", 0, test_true, false, true},
        {"-mount", 0, test_true, false, true},
        {"-depth", 0, test_true, false, true},
        {"-follow", 0, test_true, false, true},
        {"-noleaf", 0, test_true, false, true},
        {"-regextype", 1, test_true, false, true},
};

/* --- the expression --- */
static const char *word_at(const struct tool_run *r)
{
	const struct find *s = r->state;
	return s->at < r->argv.count ? r->argv.items[s->at] : NULL;
}

static struct find_node *node_new(struct find *s, enum find_kind kind, struct find_node *a,
                                  struct find_node *b)
{
	struct find_node *node = kt_alloc(sizeof(*node));
	memset(node, 0, sizeof(*node));
	*node = (struct find_node){.kind = kind, .a = a, .b = b, .next = s->all};
	s->all = node;
	return node;
}

static void wrong(struct tool_run *r, const char *fmt, const char *word)
{
	struct find *s = r->state;
	struct kt_buf text = {0};
	if (!s->bad) {
		kt_buf_addf(&text, "%.0s", fmt);
		const char *hole = strstr(fmt, "%s");
		kt_buf_add(&text, fmt, (size_t)(hole - fmt));
		kt_buf_addf(&text, "%s%s", word, hole + 2);
		tool_errf(r, "%s", kt_buf_str(&text));
	}
	kt_buf_clear(&text);
	s->bad = true;
}

static void read_number(struct find_node *node)
{
	char *end;
	const char *text = node->value;
	node->sign = *text == '+' || *text == '-' ? *text++ : '0';
	node->number = strtoll(text, &end, 10);
	switch (*end) {
	case 'c':
		node->unit = 1;
		break;
	case 'w':
		node->unit = 2;
		break;
	case 'k':
		node->unit = 1024;
		break;
	case 'M':
		node->unit = 1 << 20;
		break;
	case 'G':
		node->unit = 1 << 30;
		break;
	default:
		node->unit = 512;
	}
}

static void read_exec(struct tool_run *r, struct find_node *node)
{
	struct find *s = r->state;
	node->from = s->at;
	while (word_at(r) && strcmp(word_at(r), ";") != 0 &&
	       !(s->at > node->from && !strcmp(word_at(r), "+") && !strcmp(r->argv.items[s->at - 1], "{}")))
		s->at++;
	node->to = s->at;
	node->collects = word_at(r) && !strcmp(word_at(r), "+");
	if (!word_at(r))
		wrong(r, tool_busybox(r) ? "-exec CMD must end by ';'%s" : "missing argument to `-exec'%s",
		      "");
	s->at++;
}

/* What a row needs of its word before the walk. */
static void ready(struct tool_run *r, struct find_node *node)
{
	struct find *s = r->state;
	const char *name = node->row->name;
	if (node->row->test == do_exec) {
		read_exec(r, node);
	} else if (node->row->test == test_regex) {
		node->has_regex = !regcomp(&node->regex, node->value, name[1] == 'i' ? REG_ICASE : 0);
	} else if (node->row->test == test_newer) {
		struct files_stat st;
		char *full = tool_path(r, node->value);
		if (files_stat(files_of(r), full, &st))
			wrong(r,
			      tool_busybox(r) ? "%s: No such file or directory"
			                      : "'%s': No such file or directory",
			      node->value);
		else
			node->than = st.modified;
		kt_free(full);
	} else if (!strcmp(name, "-maxdepth")) {
		s->deepest = KT_MIN((size_t)strtoul(node->value, NULL, 10), (size_t)FIND_DEEPEST);
	} else if (!strcmp(name, "-mindepth")) {
		s->minimum = (size_t)strtoul(node->value, NULL, 10);
	} else if (node->row->words) {
		read_number(node);
	}
	s->follows = s->follows || !strcmp(name, "-follow");
	s->depth_first = s->depth_first || !strcmp(name, "-depth") || node->row->test == do_delete;
	s->acts = s->acts || node->row->action;
}

static struct find_node *parse_or(struct tool_run *r);
static struct find_node *parse_primary(struct tool_run *r)
{
	struct find *s = r->state;
	const char *word = word_at(r);
	if (!word) {
		wrong(r, "missing expression%s", "");
		return NULL;
	}
	s->at++;
	if (!strcmp(word, "!") || !strcmp(word, "-not"))
		return node_new(s, FIND_NOT, parse_primary(r), NULL);
	if (!strcmp(word, "(")) {
		struct find_node *inner = parse_or(r);
		if (!word_at(r) || strcmp(word_at(r), ")") != 0)
			wrong(r, "unmatched '('%s", "");
		s->at++;
		return inner;
	}
	for (size_t i = 0; i < KT_COUNT(find_rows); i++) {
		if (strcmp(find_rows[i].name, word) != 0)
			continue;
		struct find_node *node = node_new(s, FIND_TEST, NULL, NULL);
		node->row = &find_rows[i];
		if (node->row->words && !word_at(r)) {
			wrong(r,
			      tool_busybox(r) ? "option requires an argument: %s"
			                      : "missing argument to `%s'",
			      word);
			return node;
		}
		if (node->row->words)
			node->value = r->argv.items[s->at++];
		ready(r, node);
		return node;
	}
	wrong(r, tool_busybox(r) ? "unrecognized: %s" : "unknown predicate `%s'", word);
	return NULL;
}

static struct find_node *parse_and(struct tool_run *r)
{
	struct find *s = r->state;
	struct find_node *left = parse_primary(r);
	while (!s->bad && word_at(r)) {
		const char *word = word_at(r);
		if (!strcmp(word, ")") || !strcmp(word, "-o") || !strcmp(word, "-or"))
			break;
		s->at += !strcmp(word, "-a") || !strcmp(word, "-and");
		left = node_new(s, FIND_AND, left, parse_primary(r));
	}
	return left;
}

static struct find_node *parse_or(struct tool_run *r)
{
	struct find *s = r->state;
	struct find_node *left = parse_and(r);
	while (!s->bad && word_at(r) && (!strcmp(word_at(r), "-o") || !strcmp(word_at(r), "-or"))) {
		s->at++;
		left = node_new(s, FIND_OR, left, parse_and(r));
	}
	return left;
}

/* --- the walk --- */
static void push(struct find *s, const char *path, size_t depth)
{
	s->stack = kt_grow(s->stack, &s->cap, s->count + 1, sizeof(*s->stack));
	s->stack[s->count++] = (struct find_at){kt_strdup(path), depth};
}

static void push_children(struct tool_run *r, const char *path, const char *full, size_t depth)
{
	struct find *s = r->state;
	struct kt_strs names = {0};
	if (files_list(files_of(r), full, &names))
		return;
	for (size_t i = names.count; i-- && s->count < FIND_MOST;) {
		char *inner = kt_strf("%s%s%s", path, kt_ends(path, "/") ? "" : "/", names.items[i]);
		push(s, inner, depth);
		kt_free(inner);
	}
	kt_strs_clear(&names);
}

static bool evaluate(struct tool_run *r, struct find_node *node, const struct find_file *file)
{
	struct find *s = r->state;
	if (!node)
		return true;
	if (node->state)
		return node->state == 2;
	bool yes = true;
	if (node->kind == FIND_TEST)
		yes = node->row->test(r, node, file);
	else if (node->kind == FIND_NOT)
		yes = !evaluate(r, node->a, file);
	else if (node->kind == FIND_AND)
		yes = evaluate(r, node->a, file) && !s->waiting && evaluate(r, node->b, file);
	else
		yes = evaluate(r, node->a, file) || (!s->waiting && evaluate(r, node->b, file));
	if (!s->waiting)
		node->state = yes ? 2 : 1;
	return yes;
}

/* One file; TOOL_WAIT while its -exec runs. */
static int visit(struct tool_run *r, const char *path, const char *full, const struct files_stat *st,
                 size_t depth)
{
	struct find *s = r->state;
	const struct find_file file = {path, full, *st};
	if (depth < s->minimum)
		return 0;
	if (!s->running)
		for (struct find_node *node = s->all; node; node = node->next)
			node->state = 0;
	s->running = true;
	s->waiting = false;
	bool yes = evaluate(r, s->tree, &file);
	if (s->waiting)
		return TOOL_WAIT;
	s->running = false;
	if (yes && !s->acts)
		tool_outf(r, "%s\n", path);
	return 0;
}

static int step_walk(struct tool_run *r)
{
	struct find *s = r->state;
	enum { BEHIND = 1 << 20 }; /* its children were visited */
	struct find_at *top = &s->stack[s->count - 1];
	size_t depth = top->depth & (BEHIND - 1);
	char *path = top->path, *full = tool_path(r, path);
	struct files_stat st;
	int rc = s->follows ? files_stat(files_of(r), full, &st) : files_lstat(files_of(r), full, &st, NULL);
	bool descends = !rc && st.type == FILES_DIR && depth < s->deepest;
	if (rc) {
		tool_errf(r, tool_busybox(r) ? "%s: %s" : "'%s': %s", path, tool_strerror(rc));
		r->in_status = 1;
	} else if (s->depth_first && descends && !(top->depth & BEHIND)) {
		top->depth |= BEHIND;
		push_children(r, path, full, depth + 1);
		kt_free(full);
		return 0;
	} else {
		s->pruned = s->running && s->pruned;
		rc = visit(r, path, full, &st, depth);
		if (rc) {
			kt_free(full);
			return rc;
		}
	}
	s->count--;
	if (descends && !s->depth_first && !s->pruned)
		push_children(r, path, full, depth + 1);
	kt_free(full);
	kt_free(path);
	return 0;
}

static bool begin(struct tool_run *r)
{
	struct find *s = r->state;
	size_t first = 1;
	s->deepest = FIND_DEEPEST;
	for (; first < r->argv.count && r->argv.items[first][0] == '-' &&
	       strchr("HLP", r->argv.items[first][1]) && r->argv.items[first][1] && !r->argv.items[first][2];
	     first++)
		s->follows = r->argv.items[first][1] == 'L';
	s->at = first;
	while (word_at(r) && word_at(r)[0] != '-' && strcmp(word_at(r), "(") != 0 &&
	       strcmp(word_at(r), "!") != 0)
		s->at++;
	size_t end = s->at;
	if (word_at(r))
		s->tree = parse_or(r);
	if (!s->bad && word_at(r))
		wrong(r, "unexpected '%s'", word_at(r));
	for (size_t i = end; i-- > first;)
		push(s, r->argv.items[i], 0);
	if (end == first)
		push(s, ".", 0);
	return !s->bad;
}

static int run_find(struct tool_run *r)
{
	struct find *s = r->state;
	if (!r->opened) {
		r->opened = true;
		if (!begin(r))
			return 1;
		s->flushing = s->all;
	}
	while (s->count && !s->quits) {
		int rc = step_walk(r);
		if (rc)
			return rc;
	}
	for (; s->flushing; s->flushing = s->flushing->next) {
		if (!s->flushing->collected.count)
			continue;
		bool good = run_words(r, s->flushing, &s->flushing->collected);
		if (s->waiting)
			return TOOL_WAIT;
		if (!good)
			r->in_status = 1;
	}
	return r->in_status;
}

static void end_find(struct tool_run *r)
{
	struct find *s = r->state;
	while (s->count)
		kt_free(s->stack[--s->count].path);
	kt_free(s->stack);
	while (s->all) {
		struct find_node *node = s->all;
		s->all = node->next;
		kt_strs_clear(&node->collected);
		if (node->has_regex)
			regfree(&node->regex);
		kt_free(node);
	}
}

const struct tool tools_find[] = {
        {.name = "find", .sets = EVERY, .run = run_find, .state_size = sizeof(struct find), .end = end_find},
        {.name = NULL},
};
