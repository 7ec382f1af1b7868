/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/shell.h"

#include <signal.h>
#include <string.h>

struct task *process_task(struct process *process, int pid)
{
	for (struct task *task = process->tasks; task; task = task->next) {
		if (task->pid == pid)
			return task;
	}
	return NULL;
}

struct process *process_next_seen(const struct container *container, const struct process *process)
{
	const struct container *at = process ? process->spec.container : container;
	struct process *next = process ? process->next : container->processes;
	while (!next && at->sharing && at->sharing != container) {
		at = at->sharing;
		next = at->processes;
	}
	return next;
}

bool process_is_pause(const struct container *container, int pid)
{
	return pid == 1 && container->paused;
}

struct task *container_task(const struct container *container, int pid)
{
	for (struct process *process = NULL; (process = process_next_seen(container, process)) != NULL;) {
		struct task *task = process_task(process, pid);
		if (task && !task->done)
			return task;
	}
	return NULL;
}

struct task *task_new(struct process *process, const struct task *parent)
{
	struct task *task = kt_alloc(sizeof(*task)), **tail = &process->tasks;
	task->process = process;
	task->pid = task->shell_pid = process->next_pid++;
	task->ppid = parent ? parent->pid : 0;
	task->wake = INT64_MAX;
	task->started = process_now(process);
	task->line = 1;
	task->umask = 022;
	while (*tail)
		tail = &(*tail)->next;
	*tail = task;
	process_changed(process);
	return task;
}

static void functions_clear(struct task *task)
{
	for (size_t i = 0; i < task->function_count; i++) {
		kt_free(task->functions[i].name);
		sh_program_unref(task->functions[i].program);
	}
	kt_free(task->functions);
	task->functions = NULL;
	task->function_count = task->function_cap = 0;
}

const char *task_trap(const struct task *task, int signo)
{
	return task->traps ? task->traps[signo] : NULL;
}

void task_set_trap(struct task *task, int signo, char *steal)
{
	if (!task->traps && steal)
		task->traps = kt_alloc(SIGNALS * sizeof(*task->traps));
	if (!task->traps)
		return;
	kt_free(task->traps[signo]);
	task->traps[signo] = steal;
}

void task_clear_traps(struct task *task)
{
	for (int i = 0; task->traps && i < SIGNALS; i++)
		kt_free(task->traps[i]);
	kt_free(task->traps);
	task->traps = NULL;
}

/* Everything but the status, which a parent may still ask for. */
void task_strip(struct task *task)
{
	task_forget(task);
	kt_free(task->stack);
	task->stack = NULL;
	task->cap = 0;
	for (int i = 0; i < FD_MAX; i++)
		fd_close(&task->fds[i]);
	functions_clear(task);
	task_clear_traps(task);
	kt_json_freep(&task->vars.all);
	kt_json_freep(&task->vars.hidden);
	kt_json_freep(&task->vars.readonly);
	kt_json_freep(&task->vars.arrays);
	kt_json_freep(&task->vars.maps);
	kt_strs_clear(&task->args);
}

void task_free(struct task *task)
{
	struct task **link = &task->process->tasks;
	while (*link && *link != task)
		link = &(*link)->next;
	if (*link)
		*link = task->next;
	task_strip(task);
	kt_free(task->dir);
	kt_free(task->name);
	kt_free(task->command);
	kt_free(task->err_trap);
	kt_free(task);
}

struct task *task_fork(struct task *parent, const struct sh_node *node, struct sh_program *program)
{
	struct task *task = task_new(parent->process, parent);
	fds_copy(task->fds, parent->fds);
	if (node)
		task->shell_pid = parent->shell_pid;
	task->dir = kt_strdup(parent->dir);
	task->name = kt_strdup(parent->name);
	task->command = kt_strdup(parent->command);
	task->vars.all = kt_json_ref(parent->vars.all);
	task->vars.hidden = kt_json_ref(parent->vars.hidden);
	task->vars.readonly = kt_json_ref(parent->vars.readonly);
	task->vars.arrays = parent->vars.arrays ? kt_json_ref(parent->vars.arrays) : NULL;
	task->vars.maps = parent->vars.maps ? kt_json_ref(parent->vars.maps) : NULL;
	for (size_t i = 0; i < parent->args.count; i++)
		kt_strs_add(&task->args, parent->args.items[i]);
	for (size_t i = 0; i < parent->function_count; i++) {
		const struct function *from = &parent->functions[i];
		task->functions =
		        kt_grow(task->functions, &task->function_cap, i + 1, sizeof(*task->functions));
		task->functions[i] =
		        (struct function){kt_strdup(from->name), sh_program_ref(from->program), from->body};
		task->function_count++;
	}
	for (int i = 1; i < SIGNALS; i++) { /* what is ignored stays ignored in children */
		const char *trap = task_trap(parent, i);
		if (trap && !*trap)
			task_set_trap(task, i, kt_strdup(""));
	}
	task->status = parent->status;
	task->errexit = parent->errexit;
	task->nounset = parent->nounset;
	task->xtrace = parent->xtrace;
	task->pipefail = parent->pipefail;
	task->noglob = parent->noglob;
	task->noclobber = parent->noclobber;
	task->umask = parent->umask;
	task->flavour = parent->flavour;
	task->line = parent->line;
	task->last_background = parent->last_background;
	if (node) {
		struct frame *frame = task_push(task, FRAME_NODE);
		frame->node = node;
		frame->program = sh_program_ref(program);
	}
	return task;
}

void task_end(struct task *task, int status)
{
	if (task->done)
		return;
	task->done = true;
	task->status = status & 255;
	task->memory = task->cpu_milli = 0;
	if (!task->executing)
		task_strip(task);
	task->orphan = task->orphan || !task->ppid;
	for (struct task *child = task->process->tasks; child; child = child->next) {
		if (child->ppid == task->pid)
			child->orphan = true;
	}
	process_changed(task->process);
	if (task->pid == task->process->first_pid)
		process_first_ended(task->process, task->status);
}

void task_use_umask(const struct task *task)
{
	files_set_umask(task->process->spec.container->files, task->umask);
}

bool task_reap(struct task *task, int pid, int *status)
{
	struct task *child = process_task(task->process, pid);
	if (!child || child->ppid != task->pid) {
		*status = 127;
		return true;
	}
	if (!child->done)
		return false;
	*status = child->status;
	task_free(child);
	return true;
}

bool task_is_shell(const struct task *task)
{
	return task->depth && task->stack[0].kind != FRAME_TOOL;
}

/* The program that a task is: one that was started as such, or a shell's child for one command, which a shell
 * executes in its place. NULL: a shell. */
static struct tool_run *own_tool(const struct task *task)
{
	const struct frame *first = task->stack, *last = task->depth ? &task->stack[task->depth - 1] : NULL;
	bool one_command = last && first->kind == FRAME_NODE && first->node &&
	                   first->node->kind == SH_SIMPLE && task->pid != 1;
	return last && last->kind == FRAME_TOOL && (last == first || one_command) ? last->tool : NULL;
}

void task_signal(struct task *task, int signo)
{
	struct tool_run *own = own_tool(task);
	bool first = task->pid == 1;
	if (task->done || signo <= 0 || signo >= SIGNALS || signo == SIGCHLD || signo == SIGWINCH ||
	    signo == SIGCONT)
		return;
	if (signo == SIGKILL) {
		if (first)
			return;
		task->signo = signo;
		task_end(task, 128 + SIGKILL);
		return;
	}
	if (task_is_shell(task) && !own) {
		const char *trap = task_trap(task, signo);
		if (trap) {
			task->pending |= *trap ? 1u << signo : 0;
			process_changed(task->process);
			return;
		}
		if (first || (task->interactive && (signo == SIGTERM || signo == SIGINT)))
			return;
	} else if (task->depth) {
		int term = own ? own->tool->term : 0;
		if (signo == SIGHUP && term) {
			if (own->tool->hangup)
				own->tool->hangup(own);
			return;
		}
		if (term) {
			if (own->tool->terminating)
				own->tool->terminating(own);
			task_end(task, term - 1);
			return;
		}
		if (first)
			return;
	}
	task->signo = signo;
	task_end(task, 128 + signo);
}

bool task_reap_told(struct task *task, int pid, int *status)
{
	static const struct {
		int signo;
		const char *text;
	} words[] = {{SIGKILL, "Killed\n"},
	             {SIGTERM, "Terminated\n"},
	             {SIGSEGV, "Segmentation fault\n"},
	             {SIGABRT, "Aborted\n"},
	             {SIGHUP, "Hangup\n"}};
	const struct task *child = process_task(task->process, pid);
	int signo = child && child->ppid == task->pid && child->done ? child->signo : 0;
	bool over = task_reap(task, pid, status);
	for (size_t i = 0; over && signo && task->flavour != FLAVOUR_BASH && i < KT_COUNT(words); i++) {
		if (words[i].signo == signo)
			task_write(task, 2, words[i].text, strlen(words[i].text));
	}
	return over;
}

/* --- variables --- */
const char *task_var(const struct task *task, const char *name)
{
	return kt_get_str(task->vars.all, name);
}

enum { BIG_VALUE = 1 << 20 };

bool task_set_var(struct task *task, const char *name, const char *value)
{
	if (kt_get(task->vars.readonly, name)) {
		task_error(task, "%s: is read only", name);
		if (!task->interactive && task->flavour != FLAVOUR_BASH) {
			task->jump = JUMP_EXIT;
			task->status = 2;
		}
		return false;
	}
	size_t len = value ? strlen(value) : 0;
	if (len > BIG_VALUE)
		task_memory(task, (int64_t)len * 3); /* the old, the new, and the one being made */
	if (task->done)
		return false;
	task->slice += (kt_ns)len;
	if (!kt_get(task->vars.all, name))
		kt_set(&task->vars.hidden, name, kt_json_bool(true));
	kt_set(&task->vars.all, name, value ? kt_json_str(value) : NULL);
	if (!value)
		kt_unset(&task->vars.hidden, name);
	return true;
}

char *task_path(const struct task *task, const char *path)
{
	if (path[0] == '/')
		return kt_strdup(path);
	return kt_strf("%s%s%s", task->dir, kt_ends(task->dir, "/") ? "" : "/", path);
}

/* --- output --- */
void task_write(struct task *task, int fd, const void *data, size_t len)
{
	struct chan *chan = task->fds[fd].chan;
	struct process *process = task->process;
	if (!chan || !len)
		return;
	switch (chan->kind) {
	case CHAN_OUTPUT: {
		struct process *to = chan->process;
		if (!to->spec.output)
			break;
		if (!to->spec.tty) {
			to->spec.output(to->spec.arg, chan->fd, data, len);
			break;
		}
		struct kt_buf text = {0};
		for (const char *c = data; c < (const char *)data + len; c++) {
			if (*c == '\n')
				kt_buf_addc(&text, '\r');
			kt_buf_addc(&text, *c);
		}
		to->spec.output(to->spec.arg, 1, text.data, text.len);
		kt_buf_clear(&text);
		break;
	}
	case CHAN_PIPE:
		if (!chan->readers) {
			task->broken = true;
			break;
		}
		kt_buf_add(&chan->data, data, len);
		process_changed(process);
		break;
	case CHAN_CAPTURE:
		if (chan->data.len + len <= 4u << 20)
			kt_buf_add(&chan->data, data, len);
		chan->taken += (int64_t)len;
		if (chan->taken > BIG_VALUE) /* the shell reads it all, and keeps a copy */
			task_memory(task, chan->taken * 2);
		break;
	case CHAN_FILE:
		if (chan->path)
			(void)files_write(process->spec.container->files, chan->path, data, len, true, 0644,
			                  process_now(process));
		break;
	case CHAN_NULL:
	case CHAN_ZERO:
	case CHAN_RANDOM:
	case CHAN_INPUT:
	default:
		break;
	}
}

void task_error(struct task *task, const char *fmt, ...)
{
	struct kt_buf text = {0};
	va_list ap;
	const char *name = task->name ? task->name : "sh";
	if (task->flavour == FLAVOUR_DASH)
		kt_buf_addf(&text, "%s: %u: ", name, task->line);
	else if (task->flavour == FLAVOUR_BASH && !task->interactive)
		kt_buf_addf(&text, "%s: line %u: ", name, task->line);
	else if (strchr(name, '/'))
		kt_buf_addf(&text, "%s: line %u: ", name, task->line);
	else
		kt_buf_addf(&text, "%s: ", name);
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	kt_buf_addc(&text, '\n');
	task_write(task, 2, text.data, text.len);
	kt_buf_clear(&text);
}

/* --- programs --- */
static void set_command(struct task *task, const struct kt_strs *argv, size_t from)
{
	struct kt_buf text = {0};
	for (size_t i = from; i < argv->count && text.len < 4096; i++)
		kt_buf_addf(&text, "%s%s", i > from ? " " : "", argv->items[i]);
	kt_buf_adds(&text, "");
	kt_free(task->command);
	task->command = kt_buf_take(&text);
}

static enum flavour flavour_of(const struct task *task, const char *name)
{
	if (kt_streq(name, "bash") || kt_streq(name, "zsh"))
		return FLAVOUR_BASH;
	const struct image *image = task->process->image;
	return image && image_is_busybox(image) ? FLAVOUR_BUSYBOX : FLAVOUR_DASH;
}

static int become_text(struct task *task, const char *text, size_t len)
{
	if (!task_source(task, text, len, false)) {
		task_end(task, 2);
		return 0;
	}
	return 0;
}

static int become_script(struct task *task, const char *path)
{
	struct kt_buf text = {0};
	char *full = task_path(task, path);
	int rc = files_read(task->process->spec.container->files, full, &text);
	if (rc) {
		struct kt_buf line = {0};
		if (task->flavour == FLAVOUR_BUSYBOX)
			kt_buf_addf(&line, "sh: can't open '%s': %s\n", path, tool_strerror(rc));
		else if (task->flavour == FLAVOUR_DASH)
			kt_buf_addf(&line, "sh: 0: cannot open %s: No such file\n", path);
		else
			kt_buf_addf(&line, "bash: %s: %s\n", path, tool_strerror(rc));
		task_write(task, 2, line.data, line.len);
		kt_buf_clear(&line);
		task_end(task, task->flavour == FLAVOUR_BASH ? 127 : 2);
	} else {
		become_text(task, kt_buf_str(&text), text.len);
	}
	kt_buf_clear(&text);
	kt_free(full);
	return 0;
}

/* A new shell has what is exported of its parent's variables alone. */
static void forget_own(struct task *task)
{
	static const char *const kept[] = {"PWD", "OLDPWD"};
	for (size_t i = 0; i < kt_count(task->vars.hidden); i++) {
		const char *name = kt_key(task->vars.hidden, i);
		bool keep = !kt_bool_or(kt_at(task->vars.hidden, i), false);
		for (size_t k = 0; k < KT_COUNT(kept); k++)
			keep = keep || !strcmp(kept[k], name);
		if (!keep)
			kt_unset(&task->vars.all, name);
	}
	kt_json_free(task->vars.hidden);
	kt_json_free(task->vars.readonly);
	task->vars.hidden = kt_json_object();
	task->vars.readonly = kt_json_object();
}

/* sh [-options] [-c TEXT [NAME [ARG…]]] [SCRIPT [ARG…]] */
static int become_shell(struct task *task, const struct kt_strs *argv, size_t first)
{
	size_t at = first + 1;
	bool command = false, from_stdin = false, interactive = false;
	kt_free(task->name);
	task->name = kt_strdup(kt_basename(argv->items[first]));
	task->flavour = flavour_of(task, task->name);
	functions_clear(task);
	task_clear_traps(task);
	forget_own(task);
	task->errexit = task->nounset = task->xtrace = task->pipefail = task->interactive = false;
	task->noglob = task->noclobber = false;
	for (; at < argv->count && argv->items[at][0] == '-' && argv->items[at][1]; at++) {
		const char *option = argv->items[at];
		if (!strcmp(option, "--")) {
			at++;
			break;
		}
		if (option[1] == '-')
			continue;
		if (strchr(option + 1, '-')) {
			task_write(task, 2, "sh: 0: Illegal option --\n", 25);
			task_end(task, 2);
			return 0;
		}
		for (const char *c = option + 1; *c; c++) {
			command = command || *c == 'c';
			from_stdin = from_stdin || *c == 's';
			interactive = interactive || *c == 'i';
			task->errexit = task->errexit || *c == 'e';
			task->nounset = task->nounset || *c == 'u';
			task->xtrace = task->xtrace || *c == 'x';
			task->noglob = task->noglob || *c == 'f';
		}
		if (strchr(option, 'o') && at + 1 < argv->count) {
			at++;
			task->pipefail = task->pipefail || !strcmp(argv->items[at], "pipefail");
			task->errexit = task->errexit || !strcmp(argv->items[at], "errexit");
		}
	}
	kt_strs_clear(&task->args);
	if (command) {
		if (at >= argv->count) {
			task_write(task, 2, "sh: -c requires an argument\n", 28);
			task_end(task, 2);
			return 0;
		}
		const char *text = argv->items[at++];
		if (at < argv->count) {
			kt_free(task->name);
			task->name = kt_strdup(argv->items[at++]);
		}
		for (; at < argv->count; at++)
			kt_strs_add(&task->args, argv->items[at]);
		return become_text(task, text, strlen(text));
	}
	if (at < argv->count && !from_stdin) {
		const char *script = argv->items[at++];
		kt_free(task->name);
		task->name = kt_strdup(script);
		for (; at < argv->count; at++)
			kt_strs_add(&task->args, argv->items[at]);
		return become_script(task, script);
	}
	for (; at < argv->count; at++)
		kt_strs_add(&task->args, argv->items[at]);
	task->interactive = interactive || (task->process->spec.tty && task->fds[0].chan &&
	                                    task->fds[0].chan->kind == CHAN_INPUT);
	task_push(task, FRAME_INPUT);
	return 0;
}

/* Wrappers that end by running what is behind them. */
static size_t skip_wrappers(const struct kt_strs *argv)
{
	static const char *const wrappers[] = {
	        "docker-entrypoint.sh",  "entrypoint.sh", "tini",   "dumb-init",
	        "docker-php-entrypoint", "exec",          "busybox"};
	size_t at = 0;
	for (bool again = true; again && at + 1 < argv->count;) {
		const char *name = kt_basename(argv->items[at]);
		again = false;
		for (size_t i = 0; i < KT_COUNT(wrappers); i++)
			again = again || kt_streq(name, wrappers[i]);
		if (again)
			at++;
		while (again && at + 1 < argv->count && argv->items[at][0] == '-')
			at++;
	}
	return at;
}

static bool in_bin(const char *path)
{
	static const char *const folders[] = {"/bin/",  "/usr/bin/",  "/usr/local/bin/",
	                                      "/sbin/", "/usr/sbin/", "/usr/local/sbin/"};
	for (size_t i = 0; i < KT_COUNT(folders); i++) {
		if (kt_starts(path, folders[i]) && !strchr(path + strlen(folders[i]), '/'))
			return true;
	}
	return false;
}

bool task_program_at(const struct task *task, const char *path)
{
	const char *name = kt_basename(path);
	const struct image *image = task->process->image;
	return in_bin(path) && (tool_find(image, name) || (kt_streq(name, "sh") && tool_find(image, "cat")));
}

static bool image_names(const struct image *image, const char *path)
{
	for (size_t i = 0; image->entrypoint && image->entrypoint[i]; i++) {
		if (kt_streq(image->entrypoint[i], path))
			return true;
	}
	for (size_t i = 0; image->command && image->command[i]; i++) {
		if (kt_streq(image->command[i], path))
			return true;
	}
	return false;
}

/* Any program of an image that the catalogue does not know is taken for its server. */
static const struct tool *unknown_program(const struct image *image, const char *name)
{
	static const char *const absent[] = {"no-such",   "nosuch",  "does-not-exist", "nonexist",
	                                     "not-exist", "missing", "not-found",      "invalid"};
	if (!image_has_tools(image, "generic-server"))
		return NULL;
	for (size_t i = 0; i < KT_COUNT(absent); i++) {
		if (strstr(name, absent[i]))
			return NULL;
	}
	return tool_find(image, "server");
}

static const struct tool *find_program(struct task *task, const char *path, int *rc, char **why,
                                       struct kt_buf *script)
{
	const struct image *image = task->process->image;
	struct files *files = task->process->spec.container->files;
	const char *name = kt_basename(path);
	const struct tool *tool = NULL;
	struct files_stat st;
	*rc = 0;
	if (!strchr(path, '/')) {
		tool = tool_find(image, path);
		if (!tool)
			tool = unknown_program(image, path);
		if (!tool && why)
			*why = kt_strf("exec: \"%s\": executable file not found in $PATH", path);
		*rc = tool ? 0 : 127;
		return tool;
	}
	char *full = task_path(task, path);
	int there = files_stat(files, full, &st);
	if (there == 0 && (st.type == FILES_DIR || !(st.mode & 0111))) {
		*rc = 126;
		if (why)
			*why = kt_strf("exec: \"%s\": permission denied", path);
	} else if (there == 0) {
		(void)files_read(files, full, script);
	} else if (in_bin(full) || image_names(image, path)) {
		tool = tool_find(image, name);
	}
	if (there && !tool)
		tool = unknown_program(image, path);
	if (there && !tool) {
		*rc = 127;
		if (why)
			*why = kt_strf("exec: \"%s\": stat %s: no such file or directory", path, path);
	}
	kt_free(full);
	return tool;
}

/* A file with the x bit: its first line says who reads it. */
static int become_file(struct task *task, const struct kt_strs *argv, size_t at, const char *text, char **why)
{
	struct kt_strs words = {0};
	int rc = 0;
	if (kt_starts(text, "#!")) {
		char *line = kt_strndup(text + 2, strcspn(text + 2, "\r\n"));
		const char *rest = line;
		size_t len;
		for (const char *piece; rest && (piece = kt_split(&rest, ' ', &len));) {
			if (len)
				kt_strs_steal(&words, kt_strndup(piece, len));
		}
		kt_free(line);
		if (words.count > 1 && kt_streq(kt_basename(words.items[0]), "env")) {
			struct kt_strs cut = {0};
			for (size_t i = 1; i < words.count; i++)
				kt_strs_add(&cut, words.items[i]);
			kt_strs_clear(&words);
			words = cut;
		}
	}
	/* a shell runs such a file by itself; the kernel does not */
	bool no_format = !words.count && !task->ppid && !task->executing;
	if (no_format) {
		struct kt_buf line = {0};
		kt_buf_addf(&line, "exec %s: exec format error\n", argv->items[at]);
		task_write(task, 2, line.data, line.len);
		kt_buf_clear(&line);
	}
	if (!words.count)
		kt_strs_add(&words, no_format ? "false" : "sh");
	const struct tool *tool = tool_find(task->process->image, kt_basename(words.items[0]));
	for (size_t i = at; i < argv->count; i++)
		kt_strs_add(&words, argv->items[i]);
	if (!tool) {
		if (why)
			*why = kt_strf("exec: \"%s\": no such file or directory", argv->items[at]);
		rc = 127;
	} else if (tool->shell) {
		become_shell(task, &words, 0);
	} else {
		struct tool_run *run = tool_run_new(task, tool, &words, NULL);
		task_push(task, FRAME_TOOL)->tool = run;
	}
	kt_strs_clear(&words);
	return rc;
}

int task_become(struct task *task, const struct kt_strs *argv, char **why)
{
	size_t at = skip_wrappers(argv);
	struct kt_buf script = {0};
	int rc = 0;
	if (why)
		*why = NULL;
	const struct tool *tool = find_program(task, argv->items[at], &rc, why, &script);
	if (rc) {
		kt_buf_clear(&script);
		return rc;
	}
	set_command(task, argv, at);
	task->wrapped = at > 0;
	if (!tool) {
		rc = become_file(task, argv, at, kt_buf_str(&script), why);
	} else if (tool->shell) {
		task->shell_pid = task->pid;
		become_shell(task, argv, at);
	} else {
		struct kt_strs words = {0};
		for (size_t i = at; i < argv->count; i++)
			kt_strs_add(&words, argv->items[i]);
		struct tool_run *run = tool_run_new(task, tool, &words, NULL);
		task_push(task, FRAME_TOOL)->tool = run;
		kt_strs_clear(&words);
	}
	kt_buf_clear(&script);
	return rc;
}
