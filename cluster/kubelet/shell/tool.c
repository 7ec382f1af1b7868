/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/identity.h"
#include "cluster/kubelet/shell/shell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct tool *const tables[] = {
        tools_awk,   tools_bc,   tools_sort,    tools_text,    tools_filter,    tools_sed,
        tools_files, tools_list, tools_kubectl, tools_diff,    tools_system,    tools_network,
        tools_names, tools_curl, tools_servers, tools_agnhost, tools_databases, tools_redis,
        tools_mongo, tools_dump, tools_pack,    tools_date,    tools_ends,      tools_lines,
        tools_sums,  tools_time, tools_process, tools_disk,    tools_work,      tools_expr,
        tools_find,  tools_wrap, tools_getopt};

const struct tool *tool_at(size_t i)
{
	for (size_t t = 0; t < KT_COUNT(tables); t++) {
		for (const struct tool *tool = tables[t]; tool->name; tool++) {
			if (!i--)
				return tool;
		}
	}
	return NULL;
}

bool tool_in(const struct tool *tool, const struct image *image)
{
	const char *rest = tool->sets;
	size_t len;
	for (const char *piece; rest && (piece = kt_split(&rest, ' ', &len));) {
		char word[32] = "";
		if (len && len < sizeof(word)) {
			memcpy(word, piece, len);
			/* "plain": the busybox image itself, which has more applets than alpine */
			if (!strcmp(word, "plain")
			            ? image_is_busybox(image) && !image_has_tools(image, "alpine")
			            : image_has_tools(image, word))
				return true;
		}
	}
	return false;
}

const struct tool *tool_find(const struct image *image, const char *name)
{
	for (size_t t = 0; t < KT_COUNT(tables); t++) {
		for (const struct tool *tool = tables[t]; tool->name; tool++) {
			if (!strcmp(tool->name, name) && tool_in(tool, image))
				return tool;
		}
	}
	return NULL;
}

struct tool_run *tool_run_new(struct task *task, const struct tool *tool, struct kt_strs *take_argv,
                              struct kt_json *steal_env)
{
	struct tool_run *r = kt_alloc(sizeof(*r));
	r->task = task;
	r->tool = tool;
	r->argv = *take_argv;
	*take_argv = (struct kt_strs){0};
	r->env = steal_env;
	r->state = tool->state_size ? kt_alloc(tool->state_size) : NULL;
	return r;
}

void tool_run_free(struct tool_run *r)
{
	if (!r)
		return;
	if (r->tool->end)
		r->tool->end(r);
	kt_strs_clear(&r->argv);
	kt_json_free(r->env);
	kt_buf_clear(&r->in);
	kt_free(r->state);
	kt_free(r);
}

int tool_nothing(struct tool_run *r)
{
	(void)r;
	return 0;
}

bool tool_busybox(const struct tool_run *r)
{
	return image_is_busybox(r->task->process->image);
}

const char *tool_env(const struct tool_run *r, const char *name)
{
	const char *value = kt_get_str(r->env, name);
	return value || kt_get_bool(r->task->vars.hidden, name, false) ? value : task_var(r->task, name);
}

struct kt_json *tool_env_all(const struct tool_run *r)
{
	const struct kt_json *all = r->task->vars.all;
	struct kt_json *out = kt_json_object();
	for (size_t i = 0; i < kt_count(all); i++) {
		if (!kt_get_bool(r->task->vars.hidden, kt_key(all, i), false))
			kt_set(&out, kt_key(all, i), kt_json_ref(kt_at(all, i)));
	}
	for (size_t i = 0; i < kt_count(r->env); i++)
		kt_set(&out, kt_key(r->env, i),
		       kt_is_string(kt_at(r->env, i)) ? kt_json_ref(kt_at(r->env, i)) : NULL);
	return out;
}

void tool_out(struct tool_run *r, const void *data, size_t len)
{
	task_write(r->task, 1, data, len);
}

void tool_outs(struct tool_run *r, const char *text)
{
	task_write(r->task, 1, text, strlen(text));
}

void tool_outf(struct tool_run *r, const char *fmt, ...)
{
	struct kt_buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	tool_out(r, kt_buf_str(&text), text.len);
	kt_buf_clear(&text);
}

static void complain(struct tool_run *r, const char *fmt, va_list ap)
{
	struct kt_buf text = {0};
	kt_buf_addf(&text, "%s: ", r->tool->name);
	kt_buf_vaddf(&text, fmt, ap);
	kt_buf_addc(&text, '\n');
	task_write(r->task, 2, text.data, text.len);
	kt_buf_clear(&text);
}

void tool_err(struct tool_run *r, const char *fmt, ...)
{
	struct kt_buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	task_write(r->task, 2, kt_buf_str(&text), text.len);
	kt_buf_clear(&text);
}

void tool_errf(struct tool_run *r, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	complain(r, fmt, ap);
	va_end(ap);
}

int tool_fail(struct tool_run *r, int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	complain(r, fmt, ap);
	va_end(ap);
	return code;
}

/* An option may stand behind what it is about, as in `ls /data -l`: from `at` on, options and their values
 * come first. */
static void options_first(struct tool_run *r, size_t at, const char *spec)
{
	struct kt_strs *argv = &r->argv;
	char **sorted = kt_alloc((argv->count + 1) * sizeof(*sorted));
	size_t n = 0, end = at;
	bool *moved = kt_alloc(argv->count + 1);
	while (end < argv->count && strcmp(argv->items[end], "--") != 0)
		end++;
	for (size_t i = at; i < end; i++) {
		const char *word = argv->items[i], *letter = word + 1, *row = NULL;
		if (word[0] != '-' || !word[1])
			continue;
		moved[i] = true;
		sorted[n++] = argv->items[i];
		for (; word[1] != '-' && *letter && !(row && row[1] == ':'); letter++)
			row = *letter == ':' ? NULL : strchr(spec, *letter);
		if (row && row[1] == ':' && !*letter && i + 1 < end) {
			moved[++i] = true;
			sorted[n++] = argv->items[i];
		}
	}
	for (size_t i = at; i < end; i++)
		if (!moved[i])
			sorted[n++] = argv->items[i];
	memcpy(argv->items + at, sorted, n * sizeof(*sorted));
	kt_free(moved);
	kt_free(sorted);
}

int tool_option(struct tool_run *r, size_t *at, size_t *in, const char *spec, const char **value)
{
	const char *word = *at < r->argv.count ? r->argv.items[*at] : NULL;
	*value = NULL;
	if (!*in && *spec == '+') {
		spec++;
	} else if (!*in && word && (word[0] != '-' || !word[1])) {
		options_first(r, *at, spec);
		word = r->argv.items[*at];
	}
	if (!*in) {
		if (!word || word[0] != '-' || !word[1])
			return 0;
		if (!strcmp(word, "--")) {
			++*at;
			return 0;
		}
		if (word[1] == '-') {
			*value = word + 2;
			++*at;
			return '-';
		}
		*in = 1;
	}
	char letter = word[(*in)++];
	const char *found = letter == ':' ? NULL : strchr(spec, letter);
	if (!found) {
		if (tool_busybox(r))
			tool_errf(r, "unrecognized option: %c", letter);
		else
			tool_errf(r, "invalid option -- '%c'", letter);
		*in = 0;
		++*at;
		return '?';
	}
	if (found[1] == ':') {
		const char *rest = word[*in] ? word + *in : NULL;
		++*at;
		*in = 0;
		if (!rest && *at < r->argv.count)
			rest = r->argv.items[(*at)++];
		if (!rest) {
			tool_errf(r,
			          tool_busybox(r) ? "option requires an argument: %c"
			                          : "option requires an argument -- '%c'",
			          letter);
			return '?';
		}
		*value = rest;
	} else if (!word[*in]) {
		*in = 0;
		++*at;
	}
	return letter;
}

/* --- inputs --- */
void tool_inputs(struct tool_run *r, size_t first)
{
	r->file = first;
	r->file_end = r->argv.count;
	r->use_stdin = first >= r->argv.count;
	r->ended = false;
}

static bool open_next(struct tool_run *r)
{
	while (r->file < r->file_end) {
		const char *name = r->argv.items[r->file++];
		if (!strcmp(name, "-")) {
			r->use_stdin = true;
			r->in_name = "-";
			return true;
		}
		char *path = tool_path(r, name);
		int rc = 0;
		kt_buf_cut(&r->in, 0);
		r->in_at = 0;
		if (!strcmp(path, "/dev/stdin") || !strcmp(path, "/proc/self/fd/0")) {
			r->use_stdin = true;
		} else if (!strcmp(path, "/dev/null")) {
			;
		} else if (!strcmp(path, "/dev/zero") || !strcmp(path, "/dev/urandom") ||
		           !strcmp(path, "/dev/random")) {
			r->endless = true;
			r->random = path[5] != 'z';
		} else {
			rc = special_file(r->task, path, &r->in);
		}
		kt_free(path);
		r->in_name = name;
		if (!rc)
			return true;
		r->in_status = 1;
		if (tool_busybox(r) && rc != EISDIR)
			tool_errf(r, "can't open '%s': %s", name, tool_strerror(rc));
		else if (tool_busybox(r))
			tool_errf(r, "read error: Is a directory");
		else
			tool_errf(r, "%s: %s", name, tool_strerror(rc));
	}
	return false;
}

/* A line is held in memory, which is counted from a MiB on; one of more than this has no end. */
enum { LONGEST_LINE = 128 << 20, LONG_LINE = 1 << 20 };

static void endless_bytes(struct tool_run *r, bool random)
{
	char bytes[4096] = {0};
	if (random)
		kt_random_fill(cluster_random(r->task->process->cluster), bytes, sizeof(bytes));
	kt_buf_add(&r->in, bytes, sizeof(bytes));
}

/* Have bytes at in_at, or: 0 the end of all, TOOL_WAIT. `more`: beyond what is there. */
static int fill(struct tool_run *r, bool more)
{
	for (;;) {
		if (r->in_at < r->in.len && !more)
			return 1;
		if (r->endless) {
			endless_bytes(r, r->random);
			return 1;
		}
		if (r->use_stdin) {
			struct chan *chan = r->task->fds[0].chan;
			size_t have = chan ? chan->data.len - chan->offset : 0;
			if (chan && (chan->kind == CHAN_ZERO || chan->kind == CHAN_RANDOM)) {
				endless_bytes(r, chan->kind == CHAN_RANDOM);
				return 1;
			}
			if (have) {
				if (r->in_at) {
					kt_buf_drop(&r->in, r->in_at);
					r->in_at = 0;
				}
				kt_buf_add(&r->in, chan->data.data + chan->offset, have);
				if (chan->kind == CHAN_FILE)
					chan->offset += have;
				else
					kt_buf_cut(&chan->data, 0);
				process_changed(r->task->process);
				return 1;
			}
			bool over =
			        !chan || chan->kind == CHAN_NULL || chan->kind == CHAN_FILE || !chan->writers;
			if (!over)
				return TOOL_WAIT;
			r->use_stdin = false;
			if (r->in_at < r->in.len)
				return 2;
		} else if (more && r->in_at < r->in.len) {
			return 2;
		}
		if (!open_next(r))
			return 0;
		more = false;
	}
}

int tool_line(struct tool_run *r, struct kt_buf *line)
{
	int rc = fill(r, false);
	kt_buf_cut(line, 0);
	while (rc == 1) {
		const char *from = r->in.data + r->in_at;
		size_t seen = KT_MIN(r->scanned, r->in.len - r->in_at);
		const char *newline = memchr(from + seen, '\n', r->in.len - r->in_at - seen);
		r->scanned = newline ? 0 : r->in.len - r->in_at;
		if (r->scanned / LONG_LINE > seen / LONG_LINE)
			tool_memory(r, (int64_t)r->scanned);
		if (r->scanned > LONGEST_LINE)
			process_out_of_memory(r->task->process);
		if (r->task->done)
			return TOOL_WAIT;
		if (newline) {
			kt_buf_add(line, from, (size_t)(newline - from));
			r->in_at += (size_t)(newline - from) + 1;
			if (r->in_at == r->in.len || r->in_at > 65536) {
				kt_buf_drop(&r->in, r->in_at);
				r->in_at = 0;
			}
			kt_buf_adds(line, "");
			r->whole = true;
			return 1;
		}
		rc = fill(r, true);
		if (rc == TOOL_WAIT)
			return TOOL_WAIT;
	}
	if (rc == 2) {
		kt_buf_add(line, r->in.data + r->in_at, r->in.len - r->in_at);
		kt_buf_adds(line, "");
		kt_buf_cut(&r->in, 0);
		r->in_at = r->scanned = 0;
		r->whole = false;
		return 1;
	}
	return rc;
}

int tool_bytes(struct tool_run *r, struct kt_buf *out)
{
	int rc = fill(r, false);
	if (rc <= 0)
		return rc;
	kt_buf_add(out, r->in.data + r->in_at, r->in.len - r->in_at);
	kt_buf_cut(&r->in, 0);
	r->in_at = 0;
	return 1;
}

int tool_all(struct tool_run *r, struct kt_buf *out)
{
	int rc;
	while ((rc = tool_bytes(r, out)) == 1) {
		if (out->len > 64u << 20)
			return 0;
	}
	return rc;
}

/* What was waited for before a restore need not be waited for again. */
static kt_ns waited_before(struct process *process, kt_ns delay)
{
	enum { FIRST_WAITS = 2 }; /* the command's own, and the server's until it listens */
	if (!process->ran || process->waits++ >= FIRST_WAITS)
		return 0;
	kt_ns waited = KT_MIN(process->ran, KT_MAX(delay, 0));
	process->ran -= waited;
	return waited;
}

int tool_sleep(struct tool_run *r, kt_ns delay)
{
	kt_ns now = process_now(r->task->process);
	if (!r->until)
		delay -= waited_before(r->task->process, delay);
	if (!r->until)
		r->until = delay > INT64_MAX - now - KT_SEC ? INT64_MAX - KT_SEC : now + KT_MAX(delay, 0);
	if (r->until <= now) {
		r->until = 0;
		return 0;
	}
	r->task->wake = KT_MIN(r->task->wake, r->until);
	return TOOL_WAIT;
}

int tool_run_child(struct tool_run *r, const struct kt_strs *argv, int *status)
{
	if (!r->child) {
		struct task *child = task_fork(r->task, NULL, NULL);
		for (size_t i = 0; i < kt_count(r->env); i++) {
			/* null: taken out (env -i, env -u) */
			kt_set(&child->vars.all, kt_key(r->env, i),
			       kt_is_string(kt_at(r->env, i)) ? kt_json_ref(kt_at(r->env, i)) : NULL);
			kt_unset(&child->vars.hidden, kt_key(r->env, i));
		}
		r->child = child->pid;
		int rc = task_become(child, argv, NULL);
		if (rc) {
			task_end(child, rc);
			if (tool_busybox(r))
				tool_errf(r, "can't execute '%s': %s", argv->items[0],
				          rc == 126 ? "Permission denied" : "No such file or directory");
			else
				tool_errf(
				        r, "%s%s%s: %s", kt_streq(r->tool->name, "env") ? "\xE2\x80\x98" : "",
				        argv->items[0], kt_streq(r->tool->name, "env") ? "\xE2\x80\x99" : "",
				        rc == 126 ? "Permission denied" : "No such file or directory");
		}
	}
	if (!task_reap(r->task, r->child, status))
		return TOOL_WAIT;
	r->child = 0;
	return 0;
}

char *tool_path(const struct tool_run *r, const char *path)
{
	return task_path(r->task, path);
}

const char *tool_strerror(int err)
{
	static const struct {
		int err;
		const char *text;
	} rows[] = {{ENOENT, "No such file or directory"},
	            {EPERM, "Operation not permitted"},
	            {EACCES, "Permission denied"},
	            {EEXIST, "File exists"},
	            {EISDIR, "Is a directory"},
	            {ENOTDIR, "Not a directory"},
	            {EROFS, "Read-only file system"},
	            {ENOSPC, "No space left on device"},
	            {ENOTEMPTY, "Directory not empty"},
	            {EBUSY, "Device or resource busy"},
	            {ELOOP, "Too many levels of symbolic links"},
	            {EFBIG, "File too large"},
	            {EINVAL, "Invalid argument"},
	            {ENAMETOOLONG, "File name too long"}};
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		if (rows[i].err == err)
			return rows[i].text;
	}
	return "Input/output error";
}

struct container *tool_container(const struct tool_run *r)
{
	return r->task->process->spec.container;
}

struct network_peer task_peer(const struct task *task)
{
	const struct container *c = task->process->spec.container;
	return (struct network_peer){.ns = c->ns, .pod = c->pod, .node = c->node, .address = c->pod_ip};
}

void task_resolver(const struct task *task, struct network_resolver *out)
{
	struct kt_buf text = {0};
	(void)files_read(task->process->spec.container->files, "/etc/resolv.conf", &text);
	network_resolver_read(out, kt_buf_str(&text));
	kt_buf_clear(&text);
}

bool task_resolve(const struct task *task, const char *name, struct kt_strs *addresses, char **canonical,
                  enum network_outcome *outcome)
{
	struct network_peer from = task_peer(task);
	struct network_resolver resolver;
	task_resolver(task, &resolver);
	bool found = network_resolve(task->process->cluster, &from, &resolver, name, addresses, canonical,
	                             outcome);
	network_resolver_clear(&resolver);
	return found;
}

size_t tool_flags(struct tool_run *r, const char *spec, char flags[32])
{
	size_t at = 1, in = 0, n = 0;
	const char *value;
	int option;
	memset(flags, 0, 32);
	while ((option = tool_option(r, &at, &in, spec, &value))) {
		if (option == '?')
			return 0;
		if (n < 31)
			flags[n++] = (char)option;
	}
	return at;
}

bool tool_may(const struct tool_run *r, const char *capability)
{
	const struct container *c = tool_container(r);
	return files_user(c->files)->uid == 0 && identity_may(c->capabilities, capability);
}
