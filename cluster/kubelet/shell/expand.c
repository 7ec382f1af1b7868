/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <string.h>

/* Text while it grows, with a mark for each byte: where it may be split and what in it is a pattern. */
enum mark { MARK_QUOTED = 'q', MARK_PLAIN = 'p', MARK_EXPANDED = 'e', MARK_BREAK = 'b' };
struct growing {
	struct kt_buf text, marks;
	bool quotes;  /* an empty "" makes a field */
	bool too_big; /* more than fits: such a program runs out of memory sooner or later */
};
enum { MAX_EXPANSION = 8 << 20, MAX_EXPAND_DEPTH = 60 };

static void grow(struct growing *g, const char *data, size_t len, enum mark mark)
{
	if (g->text.len + len > MAX_EXPANSION) {
		g->too_big = true;
		return;
	}
	kt_buf_add(&g->text, data, len);
	for (size_t i = 0; i < len; i++)
		kt_buf_addc(&g->marks, (char)mark);
}

static void growing_clear(struct growing *g)
{
	kt_buf_clear(&g->text);
	kt_buf_clear(&g->marks);
}

static const char *subst_text(const struct frame *frame, const struct sh_part *part)
{
	for (size_t i = 0; frame && i < frame->subst_count; i++) {
		if (frame->substs[i].part == part)
			return frame->substs[i].text;
	}
	return NULL;
}

/* $?, $#, … and variables. `scratch` holds what is made up. NULL: unset. */
static const char *param_value(const struct task *task, const char *name, struct kt_buf *scratch)
{
	kt_buf_cut(scratch, 0);
	if (isdigit((unsigned char)name[0])) {
		size_t n = 0;
		for (const char *c = name; *c && n < 100000; c++)
			n = n * 10 + (size_t)(*c - '0');
		if (!n)
			return task->name ? task->name : "sh";
		return n <= task->args.count ? task->args.items[n - 1] : NULL;
	}
	switch (name[0]) {
	case '?':
		kt_buf_addf(scratch, "%d", task->status);
		break;
	case '#':
		kt_buf_addf(scratch, "%zu", task->args.count);
		break;
	case '$':
		kt_buf_addf(scratch, "%d", task->shell_pid);
		break;
	case '!':
		if (!task->last_background)
			return NULL;
		kt_buf_addf(scratch, "%d", task->last_background);
		break;
	case '-':
		kt_buf_addf(scratch, "%s%s%s%s", task->errexit ? "e" : "", task->interactive ? "i" : "",
		            task->nounset ? "u" : "", task->xtrace ? "x" : "");
		break;
	case '@':
	case '*':
		if (!task->args.count)
			return NULL;
		for (size_t i = 0; i < task->args.count; i++)
			kt_buf_addf(scratch, "%s%s", i ? " " : "", task->args.items[i]);
		break;
	default:
		if (kt_streq(name, "RANDOM") && task->flavour != FLAVOUR_DASH) {
			kt_buf_addf(scratch, "%u",
			            kt_random_below(cluster_random(task->process->cluster), 32768));
			break;
		}
		if (kt_streq(name, "SECONDS") && task->flavour == FLAVOUR_BASH) {
			kt_buf_addf(scratch, "%lld",
			            (long long)((process_now(task->process) - task->started) / KT_SEC));
			break;
		}
		if (kt_streq(name, "LINENO")) {
			kt_buf_addf(scratch, "%u", task->line);
			break;
		}
		return task_var(task, name);
	}
	return kt_buf_str(scratch);
}

static bool grow_parts(struct task *task, const struct frame *frame, const struct sh_part *parts,
                       struct growing *g, unsigned depth);

/* A text for a pattern: quoted characters and what looks special in them escaped. */
static void add_pattern(const struct growing *g, struct kt_buf *out)
{
	for (size_t i = 0; i < g->text.len; i++) {
		char c = g->text.data[i];
		if (g->marks.data[i] == MARK_QUOTED && strchr("*?[]\\!-^", c))
			kt_buf_addc(out, '\\');
		kt_buf_addc(out, c);
	}
	kt_buf_adds(out, "");
}

static char *inner_text(struct task *task, const struct frame *frame, const struct sh_word *word,
                        bool pattern, unsigned depth)
{
	struct growing g = {0};
	struct kt_buf out = {0};
	bool ok = !word || grow_parts(task, frame, word->parts, &g, depth);
	if (pattern)
		add_pattern(&g, &out);
	else
		kt_buf_add(&out, kt_buf_str(&g.text), g.text.len);
	kt_buf_adds(&out, "");
	growing_clear(&g);
	if (!ok) {
		kt_buf_clear(&out);
		return NULL;
	}
	return kt_buf_take(&out);
}

/* # ## % %%: what remains of `value`. */
static void trim(const char *value, const char *op, const char *pattern, size_t *from, size_t *len)
{
	size_t all = strlen(value);
	bool suffix = op[0] == '%', longest = op[1] == op[0];
	*from = 0;
	*len = all;
	for (size_t i = 0; i <= all; i++) {
		size_t n = longest ? all - i : i;
		if (suffix ? pattern_match(pattern, value + all - n) : pattern_matchn(pattern, value, n)) {
			*from = suffix ? 0 : n;
			*len = all - n;
			return;
		}
	}
}

static void replace(const char *value, const char *pattern, const char *with, bool all, struct kt_buf *out)
{
	size_t len = strlen(value), at = 0;
	bool once = false;
	while (at < len) {
		size_t hit = 0;
		for (size_t n = len - at; *pattern && n > 0 && !hit && (all || !once); n--) {
			if (pattern_matchn(pattern, value + at, n))
				hit = n;
		}
		if (hit) {
			kt_buf_adds(out, with);
			at += hit;
			once = true;
		} else {
			kt_buf_addc(out, value[at++]);
		}
	}
	kt_buf_adds(out, "");
}

static bool wants_word(const struct sh_part *part, const char *value)
{
	bool colon = part->op[0] == ':';
	char op = part->op[colon];
	bool set = value && (!colon || *value);
	if (op == '-' || op == '=' || op == '?')
		return !set;
	if (op == '+')
		return set;
	return true;
}

/* "$@", "$*" and their like of arrays; `how` is their letter. */
static void grow_items(struct task *task, const struct sh_part *part, char how, const struct kt_strs *items,
                       struct growing *g)
{
	if (part->quoted && how == '*') {
		const char *ifs = task_var(task, "IFS");
		for (size_t i = 0; i < items->count; i++) {
			if (i)
				grow(g, ifs ? ifs : " ", ifs && !*ifs ? 0 : 1, MARK_QUOTED);
			grow(g, items->items[i], strlen(items->items[i]), MARK_QUOTED);
		}
		g->quotes = true;
		return;
	}
	for (size_t i = 0; i < items->count; i++) {
		if (i)
			grow(g, " ", 1, MARK_BREAK);
		grow(g, items->items[i], strlen(items->items[i]), part->quoted ? MARK_QUOTED : MARK_EXPANDED);
		if (part->quoted && !*items->items[i])
			g->quotes = true;
	}
}

/* The elements of an array, or its keys. */
static void array_items(const struct task *task, const struct sh_part *part, struct kt_strs *out)
{
	const struct kt_json *all = array_of(task, part->text);
	const char *plain = all ? NULL : task_var(task, part->text);
	for (size_t i = 0; i < kt_count(all); i++)
		kt_strs_add(out, part->keys ? kt_key(all, i) : kt_str_or(kt_at(all, i), ""));
	if (plain)
		kt_strs_add(out, part->keys ? "0" : plain);
}

static void grow_array(struct task *task, const struct sh_part *part, struct growing *g)
{
	struct kt_strs items = {0};
	array_items(task, part, &items);
	if (!strcmp(part->op, "len")) {
		char *count = kt_strf("%zu", items.count);
		grow(g, count, strlen(count), part->quoted ? MARK_QUOTED : MARK_EXPANDED);
		kt_free(count);
	} else {
		grow_items(task, part, part->each, &items, g);
	}
	kt_strs_clear(&items);
}

/* bash: ${v^^} ${v,,} of all letters, ${v^} ${v,} of the first */
static void change_case(const char *value, const char *op, struct kt_buf *out)
{
	for (size_t i = 0; value[i]; i++) {
		bool hit = op[1] || !i;
		unsigned char c = (unsigned char)value[i];
		kt_buf_addc(out, (char)(!hit ? c : (op[0] == '^' ? toupper(c) : tolower(c))));
	}
}

/* ${x:offset:length}, as ash and bash have it */
static bool grow_slice(struct task *task, const struct frame *frame, const struct sh_part *part,
                       const char *value, struct growing *g, unsigned depth)
{
	char *text = inner_text(task, frame, part->word, false, depth + 1);
	char message[128];
	int64_t from = 0, len = INT64_MAX, all = value ? (int64_t)strlen(value) : 0;
	char *second = text ? strchr(text, ':') : NULL;
	if (second)
		*second++ = '\0';
	bool ok = text && arithmetic(task, text, &from, message) &&
	          (!second || arithmetic(task, second, &len, message));
	if (!ok && text)
		task_error(task, "%s", message);
	if (from < 0)
		from = KT_MAX(all + from, 0);
	from = KT_MIN(from, all);
	if (len < 0)
		len = KT_MAX(all + len - from, 0);
	len = KT_MIN(len, all - from);
	if (ok && value)
		grow(g, value + from, (size_t)len, part->quoted ? MARK_QUOTED : MARK_EXPANDED);
	kt_free(text);
	return ok;
}

/* The variable's value, or an element's; NULL: it is not set. */
static const char *value_of(struct task *task, const struct frame *frame, const struct sh_part *part,
                            struct kt_buf *scratch, unsigned depth)
{
	if (!part->index && !array_of(task, part->text))
		return param_value(task, part->text, scratch);
	char *index = part->index ? inner_text(task, frame, part->index, false, depth + 1) : kt_strdup("0"),
	     *key = index ? array_key(task, part->text, index) : NULL;
	const char *value = key ? array_value(task, part->text, key) : NULL;
	kt_free(index);
	kt_free(key);
	return value;
}

static bool grow_param(struct task *task, const struct frame *frame, const struct sh_part *part,
                       struct growing *g, unsigned depth)
{
	struct kt_buf scratch = {0};
	enum mark mark = part->quoted ? MARK_QUOTED : MARK_EXPANDED;
	bool ok = true;
	if ((part->text[0] == '@' || part->text[0] == '*') && !part->op[0]) {
		grow_items(task, part, part->text[0], &task->args, g);
		return true;
	}
	if (part->each) {
		grow_array(task, part, g);
		return true;
	}
	const char *value = value_of(task, frame, part, &scratch, depth);
	if (part->keys && value) /* ${!name}: the variable of that name */
		value = task_var(task, value);
	bool colon = part->op[0] == ':';
	char op = part->op[colon];
	if (!part->op[0] || !strcmp(part->op, "len") || strchr("#%/^,", op) || (colon && !op)) {
		if (!value && task->nounset && !strchr("@*", part->text[0])) {
			task_error(task, "%s: parameter not set", part->text);
			ok = false;
		} else if (!part->op[0]) {
			grow(g, value ? value : "", value ? strlen(value) : 0, mark);
		} else if (!strcmp(part->op, "len")) {
			struct kt_buf n = {0};
			kt_buf_addf(&n, "%zu", value ? strlen(value) : 0);
			grow(g, n.data, n.len, mark);
			kt_buf_clear(&n);
		} else if (op == '^' || op == ',') {
			struct kt_buf out = {0};
			change_case(value ? value : "", part->op, &out);
			grow(g, kt_buf_str(&out), out.len, mark);
			kt_buf_clear(&out);
		} else if (op == '/') {
			char *pattern = inner_text(task, frame, part->word, true, depth + 1);
			char *with = inner_text(task, frame, part->with, false, depth + 1);
			struct kt_buf out = {0};
			ok = pattern && with;
			if (ok)
				replace(value ? value : "", pattern, with, part->op[1] == '/', &out);
			grow(g, kt_buf_str(&out), out.len, mark);
			kt_buf_clear(&out);
			kt_free(pattern);
			kt_free(with);
		} else if (colon) {
			ok = grow_slice(task, frame, part, value, g, depth);
		} else {
			char *pattern = inner_text(task, frame, part->word, true, depth + 1);
			size_t from, len;
			ok = pattern != NULL;
			if (ok && value) {
				trim(value, part->op, pattern, &from, &len);
				grow(g, value + from, len, mark);
			}
			kt_free(pattern);
		}
	} else if (!wants_word(part, value)) {
		if (op != '+')
			grow(g, value ? value : "", value ? strlen(value) : 0, mark);
	} else if (op == '-' || op == '+') {
		size_t before = g->text.len;
		ok = grow_parts(task, frame, part->word ? part->word->parts : NULL, g, depth + 1);
		for (size_t i = before; !part->quoted && ok && i < g->marks.len; i++) {
			if (g->marks.data[i] == MARK_PLAIN)
				g->marks.data[i] = MARK_EXPANDED;
		}
	} else {
		char *text = inner_text(task, frame, part->word, false, depth + 1);
		ok = text != NULL;
		if (ok && op == '=') {
			task_set_var(task, part->text, text);
			grow(g, text, strlen(text), mark);
		} else if (ok) {
			task_error(task, "%s: %s", part->text, *text ? text : "parameter not set");
			ok = false;
		}
		kt_free(text);
	}
	kt_buf_clear(&scratch);
	return ok;
}

static bool grow_part(struct task *task, const struct frame *frame, const struct sh_part *part,
                      struct growing *g, bool first, unsigned depth)
{
	enum mark mark = part->quoted ? MARK_QUOTED : MARK_EXPANDED;
	if (part->quoted &&
	    !(part->kind == PART_PARAM && (part->text[0] == '@' || (part->each == '@' && !part->op[0]))))
		g->quotes = true;
	if (part->kind == PART_TEXT) {
		const char *text = part->text ? part->text : "";
		if (first && !part->quoted && text[0] == '~' && (!text[1] || text[1] == '/')) {
			const char *home = task_var(task, "HOME");
			grow(g, home ? home : "/root", strlen(home ? home : "/root"), MARK_QUOTED);
			text++;
		}
		grow(g, text, strlen(text), part->quoted ? MARK_QUOTED : MARK_PLAIN);
		return true;
	}
	if (part->kind == PART_PARAM)
		return grow_param(task, frame, part, g, depth);
	if (part->kind == PART_COMMAND) {
		const char *text = subst_text(frame, part);
		grow(g, text ? text : "", text ? strlen(text) : 0, mark);
		return true;
	}
	char *text = inner_text(task, frame, part->word, false, depth + 1);
	char message[128];
	int64_t value = 0;
	if (!text)
		return false;
	bool ok = arithmetic(task, text, &value, message);
	if (!ok)
		task_error(task, "%s", message);
	struct kt_buf n = {0};
	kt_buf_addf(&n, "%lld", (long long)value);
	grow(g, n.data, n.len, mark);
	kt_buf_clear(&n);
	kt_free(text);
	return ok;
}

static bool grow_parts(struct task *task, const struct frame *frame, const struct sh_part *parts,
                       struct growing *g, unsigned depth)
{
	if (depth > MAX_EXPAND_DEPTH) {
		task_error(task, "expansion too deep");
		return false;
	}
	for (const struct sh_part *part = parts; part; part = part->next) {
		if (!grow_part(task, frame, part, g, part == parts, depth))
			return false;
	}
	if (g->too_big)
		process_out_of_memory(task->process);
	return !g->too_big;
}

static void add_field(struct task *task, const struct growing *g, size_t from, size_t to, struct kt_strs *out)
{
	struct growing field = {0};
	struct kt_buf pattern = {0};
	kt_buf_add(&field.text, g->text.data + from, to - from);
	kt_buf_add(&field.marks, g->marks.data + from, to - from);
	add_pattern(&field, &pattern);
	glob_expand(task, kt_buf_str(&pattern), kt_buf_str(&field.text), out);
	kt_buf_clear(&pattern);
	growing_clear(&field);
}

static void split_fields(struct task *task, const struct growing *g, struct kt_strs *out)
{
	const char *ifs = task_var(task, "IFS");
	size_t from = 0, len = g->text.len, before = out->count;
	bool open = g->quotes && !len;
	if (!ifs)
		ifs = " \t\n";
	for (size_t i = 0; i < len; i++) {
		char c = g->text.data[i], mark = g->marks.data[i];
		bool separator = mark == MARK_BREAK || (mark == MARK_EXPANDED && c && strchr(ifs, c));
		if (!separator) {
			if (!open)
				from = i;
			open = true;
			continue;
		}
		bool blank = mark != MARK_BREAK && isspace((unsigned char)c);
		if (open || !blank)
			add_field(task, g, open ? from : i, i, out);
		open = false;
		/* blanks around one other separator belong to it */
		if (blank && i + 1 < len && g->marks.data[i + 1] == MARK_EXPANDED &&
		    !isspace((unsigned char)g->text.data[i + 1]) && strchr(ifs, g->text.data[i + 1]))
			i++;
	}
	if (open)
		add_field(task, g, len ? from : 0, len, out);
	else if (out->count == before && g->quotes)
		kt_strs_add(out, "");
}

bool expand_words(struct task *task, const struct frame *frame, const struct sh_word *words,
                  struct kt_strs *out)
{
	for (const struct sh_word *word = words; word; word = word->next) {
		struct growing g = {0};
		bool ok = grow_parts(task, frame, word->parts, &g, 0);
		/* "$@" without arguments is no field at all */
		bool only_all = word->parts && !word->parts->next && word->parts->kind == PART_PARAM &&
		                word->parts->text[0] == '@' && !task->args.count;
		if (word->parts && !word->parts->next && word->parts->kind == PART_PARAM &&
		    word->parts->each == '@' && !word->parts->op[0]) {
			struct kt_strs items = {0};
			array_items(task, word->parts, &items);
			only_all = !items.count;
			kt_strs_clear(&items);
		}
		if (ok && !only_all)
			split_fields(task, &g, out);
		growing_clear(&g);
		if (!ok)
			return false;
	}
	return true;
}

char *expand_text(struct task *task, const struct frame *frame, const struct sh_part *parts)
{
	struct growing g = {0};
	if (!grow_parts(task, frame, parts, &g, 0)) {
		growing_clear(&g);
		return NULL;
	}
	kt_buf_adds(&g.text, "");
	char *text = kt_buf_take(&g.text);
	growing_clear(&g);
	return text;
}

char *expand_pattern(struct task *task, const struct frame *frame, const struct sh_part *parts)
{
	struct growing g = {0};
	struct kt_buf out = {0};
	bool ok = grow_parts(task, frame, parts, &g, 0);
	add_pattern(&g, &out);
	growing_clear(&g);
	if (!ok) {
		kt_buf_clear(&out);
		return NULL;
	}
	return kt_buf_take(&out);
}

static const struct sh_part *missing_in(struct task *task, const struct frame *frame,
                                        const struct sh_part *parts, unsigned depth)
{
	struct kt_buf scratch = {0};
	const struct sh_part *found = NULL;
	for (const struct sh_part *part = parts; part && !found && depth < MAX_EXPAND_DEPTH;
	     part = part->next) {
		if (part->kind == PART_COMMAND && !subst_text(frame, part)) {
			found = part;
		} else if (part->kind == PART_ARITH) {
			found = missing_in(task, frame, part->word->parts, depth + 1);
		} else if (part->kind == PART_PARAM && part->word &&
		           wants_word(part, param_value(task, part->text, &scratch))) {
			found = missing_in(task, frame, part->word->parts, depth + 1);
			if (!found && part->with)
				found = missing_in(task, frame, part->with->parts, depth + 1);
		}
	}
	kt_buf_clear(&scratch);
	return found;
}

const struct sh_part *expand_missing(struct task *task, const struct frame *frame,
                                     const struct sh_word *words)
{
	for (const struct sh_word *word = words; word; word = word->next) {
		const struct sh_part *part = missing_in(task, frame, word->parts, 0);
		if (part)
			return part;
	}
	return NULL;
}
