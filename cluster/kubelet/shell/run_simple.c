/* SPDX-License-Identifier: MIT */
/* A simple command: what its substitutions give, where its files go, assignments, and then a function, a
 * builtin or a program. */
#include "cluster/kubelet/shell/shell.h"

#include <errno.h>
#include <string.h>

/* What the start of a program costs of a CPU, about. */
enum { PROGRAM_COST = 700000 };

/* --- command substitutions --- */
static void remember(struct frame *frame, const struct sh_part *part, struct kt_buf *text)
{
	while (text->len && text->data[text->len - 1] == '\n')
		kt_buf_cut(text, text->len - 1);
	kt_buf_adds(text, "");
	frame->substs =
	        kt_grow(frame->substs, &frame->subst_cap, frame->subst_count + 1, sizeof(*frame->substs));
	frame->substs[frame->subst_count++] = (struct subst){part, kt_buf_take(text)};
}

static const struct sh_part *missing_of(struct task *task, const struct frame *frame)
{
	const struct sh_node *node = frame->node;
	const struct sh_part *part = expand_missing(task, frame, node->assigns);
	if (!part)
		part = expand_missing(task, frame, node->words);
	for (const struct sh_redirect *r = node->redirects; r && !part; r = r->next)
		part = expand_missing(task, frame, r->word);
	for (const struct sh_node *item = node->kind == SH_CASE ? node->children : NULL; item && !part;
	     item = item->next)
		part = expand_missing(task, frame, item->words);
	return part;
}

enum step task_substitute(struct task *task, struct frame *frame)
{
	if (frame->child) {
		const struct task *child = process_task(task->process, frame->child);
		struct chan *chan = frame->capture.chan;
		if ((child && !child->done) || chan->writers)
			return STEP_WAIT;
		task_reap(task, frame->child, &task->status);
		frame->flag = true;
		frame->child = 0;
		remember(frame, frame->part, &chan->data);
		fd_close(&frame->capture);
	}
	const struct sh_part *part = missing_of(task, frame);
	if (!part) {
		frame->phase++;
		return STEP_AGAIN;
	}
	struct kt_buf nothing = {0};
	if (!part->command || task->process->next_pid > 200000) {
		remember(frame, part, &nothing);
		return STEP_AGAIN;
	}
	struct chan *chan = chan_new(task->process, CHAN_CAPTURE);
	fd_put(&frame->capture, chan, false);
	struct task *child = task_fork(task, part->command, frame->program);
	fd_put(&child->fds[1], chan, true);
	frame->child = child->pid;
	frame->part = part;
	return STEP_AGAIN;
}

/* --- redirections --- */
static bool open_file(struct task *task, struct frame *frame, const struct sh_redirect *redirect,
                      const char *target)
{
	struct files *files = task->process->spec.container->files;
	static const struct {
		const char *path;
		enum chan_kind kind;
		int fd;
	} special[] = {{"/dev/null", CHAN_NULL, 0},      {"/dev/zero", CHAN_ZERO, 0},
	               {"/dev/urandom", CHAN_RANDOM, 0}, {"/dev/random", CHAN_RANDOM, 0},
	               {"/dev/full", CHAN_NULL, 0},      {"/dev/stdout", CHAN_FILE, 1},
	               {"/dev/stderr", CHAN_FILE, 2},    {"/dev/stdin", CHAN_FILE, 0},
	               {"/dev/tty", CHAN_FILE, 1},       {"/proc/1/fd/1", CHAN_OUTPUT, 1},
	               {"/proc/1/fd/2", CHAN_OUTPUT, 2}, {"/dev/fd/1", CHAN_FILE, 1},
	               {"/proc/self/fd/1", CHAN_FILE, 1}};
	bool writes = redirect->op[0] == '>' || !strcmp(redirect->op, "<>");
	char *path = task_path(task, target);
	struct chan *chan = NULL;
	int rc = 0;
	(void)frame;
	for (size_t i = 0; i < KT_COUNT(special); i++) {
		if (strcmp(path, special[i].path) != 0)
			continue;
		kt_free(path);
		if (special[i].kind == CHAN_FILE) {
			struct fd *from = &task->fds[special[i].fd];
			fd_put(&task->fds[redirect->fd], from->chan, from->writes);
		} else if (special[i].kind == CHAN_OUTPUT) {
			const struct process *main = task->process->spec.container->main;
			const struct process *to = main ? main : task->process;
			fd_put(&task->fds[redirect->fd], special[i].fd == 1 ? to->out : to->err, true);
		} else {
			fd_put(&task->fds[redirect->fd], chan_new(task->process, special[i].kind), writes);
		}
		return true;
	}
	kt_ns now = process_now(task->process);
	struct files_stat st;
	bool kept = task->noclobber && !strcmp(redirect->op, ">") && !files_stat(files, path, &st);
	if (kept) {
		rc = EEXIST;
	} else if (redirect->op[0] == '>') {
		rc = files_write(files, path, "", 0, redirect->op[1] == '>', 0644, now);
	} else {
		struct kt_buf data = {0};
		rc = special_file(task, path, &data);
		if (!rc) {
			chan = chan_new(task->process, CHAN_FILE);
			chan->data = data;
			data = (struct kt_buf){0};
		}
		kt_buf_clear(&data);
	}
	if (rc) {
		const char *what = redirect->op[0] == '>' ? "can't create" : "can't open";
		if (task->flavour == FLAVOUR_BASH)
			task_error(task, "%s: %s", target, tool_strerror(rc));
		else if (task->flavour == FLAVOUR_DASH)
			task_error(task, "%s %s: %s",
			           redirect->op[0] == '>' ? "cannot create" : "cannot open", target,
			           tool_strerror(rc));
		else
			task_error(task, "%s %s: %s", what, target,
			           redirect->op[0] == '<' && rc == 2
			                   ? "no such file"
			                   : (rc == 2 ? "nonexistent directory" : tool_strerror(rc)));
		kt_free(path);
		return false;
	}
	if (!chan) {
		chan = chan_new(task->process, CHAN_FILE);
		chan->append = true;
	}
	chan->path = path;
	fd_put(&task->fds[redirect->fd], chan, writes);
	return true;
}

static bool apply_redirect(struct task *task, struct frame *frame, const struct sh_redirect *redirect)
{
	if (redirect->fd < 0 || redirect->fd >= FD_MAX)
		return false;
	char *target = redirect->word ? expand_text(task, frame, redirect->word->parts) : kt_strdup("");
	bool ok = target != NULL;
	if (ok && !strncmp(redirect->op, "<<", 2)) {
		struct chan *chan = chan_new(task->process, CHAN_FILE);
		kt_buf_adds(&chan->data, target);
		if (redirect->op[2] == '<')
			kt_buf_addc(&chan->data, '\n');
		fd_put(&task->fds[redirect->fd], chan, false);
	} else if (ok && redirect->op[1] == '&') {
		if (!strcmp(target, "-")) {
			fd_close(&task->fds[redirect->fd]);
		} else if (target[0] >= '0' && target[0] <= '9' && !target[1] &&
		           task->fds[target[0] - '0'].chan) {
			struct fd *from = &task->fds[target[0] - '0'];
			fd_put(&task->fds[redirect->fd], from->chan, from->writes);
		} else {
			task_error(task, "%s: Bad file descriptor", target);
			ok = false;
		}
	} else if (ok) {
		ok = open_file(task, frame, redirect, target);
	}
	kt_free(target);
	return ok;
}

bool task_redirect(struct task *task, struct frame *frame)
{
	if (!frame->node->redirects)
		return true;
	/* a fork's own command is all that it does: nothing is to be put back, and nothing held open */
	if (frame != task->stack) {
		frame->saved = kt_alloc(FD_MAX * sizeof(*frame->saved));
		fds_copy(frame->saved, task->fds);
	}
	for (const struct sh_redirect *r = frame->node->redirects; r; r = r->next) {
		if (!apply_redirect(task, frame, r))
			return false;
	}
	return true;
}

/* --- simple commands --- */
static void assign_temporarily(struct task *task, struct frame *frame, const char *name)
{
	const struct kt_json *old = kt_get(task->vars.all, name);
	if (kt_get(frame->locals, name))
		return;
	kt_set(&frame->locals, name, old ? kt_json_ref(old) : kt_json_null());
	if (kt_get_bool(task->vars.hidden, name, false))
		kt_set(&frame->hidden, name, kt_json_bool(true));
}

/* A name's value; with `env` the variable itself stays as it is. */
static bool do_assigns(struct task *task, struct frame *frame, struct kt_json **env, bool temporary)
{
	for (const struct sh_word *word = frame->node->assigns; word; word = word->next) {
		const char *name = word->parts->text;
		char *value = expand_text(task, frame, word->parts->next);
		if (!value)
			return false;
		if (task->xtrace && !frame->node->words) {
			struct kt_buf line = {0};
			kt_buf_addf(&line, "+ %s=%s\n", name, value);
			task_write(task, 2, line.data, line.len);
			kt_buf_clear(&line);
		}
		if (env) {
			kt_set(env, name, kt_json_str(value));
		} else {
			if (temporary)
				assign_temporarily(task, frame, name);
			if (!task_set_var(task, name, value)) {
				kt_free(value);
				return false;
			}
		}
		kt_free(value);
	}
	return true;
}

static const struct function *function_find(const struct task *task, const char *name)
{
	for (size_t i = task->function_count; i-- > 0;) {
		if (kt_streq(task->functions[i].name, name))
			return &task->functions[i];
	}
	return NULL;
}

static void trace(struct task *task, const struct kt_strs *words)
{
	struct kt_buf text = {0};
	kt_buf_adds(&text, "+");
	for (size_t i = 0; i < words->count; i++) {
		bool plain = *words->items[i] && !strpbrk(words->items[i], " \t\n'\"$&|;<>*?()");
		kt_buf_addf(&text, plain ? " %s" : " '%s'", words->items[i]);
	}
	kt_buf_addc(&text, '\n');
	task_write(task, 2, text.data, text.len);
	kt_buf_clear(&text);
}

static enum step start_program(struct task *task, struct frame *frame)
{
	struct kt_strs argv = frame->words;
	frame->words = (struct kt_strs){0};
	struct kt_json *env = NULL;
	bool ok = do_assigns(task, frame, &env, false);
	const struct tool *tool =
	        strchr(argv.items[0], '/') ? NULL : tool_find(task->process->image, argv.items[0]);
	task->slice += PROGRAM_COST;
	frame->phase = 4;
	if (!ok) {
		task->status = 1;
	} else if (tool && !tool->shell) {
		struct tool_run *run = tool_run_new(task, tool, &argv, env);
		env = NULL;
		task_push(task, FRAME_TOOL)->tool = run;
	} else {
		/* a shell, a script, a path: a task of its own */
		struct task *child = task_fork(task, NULL, NULL);
		char *why = NULL;
		for (size_t i = 0; i < kt_count(env); i++)
			kt_set(&child->vars.all, kt_key(env, i), kt_json_ref(kt_at(env, i)));
		for (size_t i = 0; i < kt_count(env); i++)
			kt_unset(&child->vars.hidden, kt_key(env, i));
		int rc = task_become(child, &argv, &why);
		if (rc) {
			task_end(child, rc);
			task_reap(task, child->pid, &task->status);
			bool slash = strchr(argv.items[0], '/') != NULL;
			const char *text =
			        rc == 126 ? "Permission denied"
			                  : (slash && task->flavour == FLAVOUR_BASH
			                             ? "No such file or directory"
			                             : (task->flavour == FLAVOUR_BASH ? "command not found"
			                                                              : "not found"));
			task_error(task, "%s: %s", argv.items[0], text);
		} else {
			frame = &task->stack[task->depth - 1];
			frame->child = child->pid;
			frame->phase = 5;
		}
		kt_free(why);
	}
	kt_json_free(env);
	kt_strs_clear(&argv);
	return STEP_AGAIN;
}

static enum step call_function(struct task *task, struct frame *frame, const struct function *function)
{
	if (task->depth > MAX_STACK) {
		task_error(task, "maximum function nesting level exceeded");
		task->jump = JUMP_EXIT;
		task->status = 2;
		return STEP_AGAIN;
	}
	const struct sh_node *body = function->body;
	struct sh_program *program = function->program;
	bool no_errexit = frame->no_errexit;
	struct kt_strs args = {0};
	for (size_t i = 1; i < frame->words.count; i++)
		kt_strs_add(&args, frame->words.items[i]);
	frame->phase = 4;
	struct frame *call = task_push(task, FRAME_CALL);
	call->program = sh_program_ref(program);
	call->saved_args = task->args;
	task->args = args;
	task_push_node(task, body, program, no_errexit);
	return STEP_AGAIN;
}

static enum step dispatch(struct task *task, struct frame *frame)
{
	static const char *const keeping[] = {":", "eval", "exec", "export", "readonly", ".", "set", NULL};
	const char *name = frame->words.items[0];
	const struct function *function = function_find(task, name);
	if (!function && !builtin_is(name))
		return start_program(task, frame);
	if (frame->pc == 0 && frame->node->assigns) {
		bool keep = false;
		for (size_t i = 0; keeping[i]; i++)
			keep = keep || !strcmp(keeping[i], name);
		if (!do_assigns(task, frame, NULL, !keep)) {
			task->status = 1;
			return STEP_POP;
		}
	}
	if (function)
		return call_function(task, frame, function);
	struct kt_strs argv = frame->words;
	frame->words = (struct kt_strs){0};
	enum step step = STEP_POP;
	size_t at = task->depth - 1;
	frame->phase = 4; /* for those that push something */
	builtin_run(task, frame, &argv, &step);
	if (step == STEP_WAIT) {
		frame = &task->stack[at];
		frame->phase = 3;
		frame->pc++;
		frame->words = argv;
		return STEP_WAIT;
	}
	kt_strs_clear(&argv);
	return step;
}

enum step task_run_simple(struct task *task, struct frame *frame)
{
	switch (frame->phase) {
	case 2:
		task->line = frame->node->line;
		if (!frame->node->words) {
			/* `$?` in a value is still the status of the command before */
			if (!do_assigns(task, frame, NULL, false))
				task->status = task->flavour == FLAVOUR_BASH ? 1 : 2;
			else if (!frame->flag)
				task->status = 0;
			return STEP_POP;
		}
		if (!expand_words(task, frame, frame->node->words, &frame->words)) {
			task->status = task->flavour == FLAVOUR_BASH ? 1 : 2;
			task->jump = task->interactive ? JUMP_NONE : JUMP_EXIT;
			return STEP_POP;
		}
		if (!frame->words.count) {
			if (!frame->flag)
				task->status = 0;
			return STEP_POP;
		}
		if (task->xtrace)
			trace(task, &frame->words);
		frame->phase = 3;
		return STEP_AGAIN;
	case 3:
		return dispatch(task, frame);
	case 5:
		return task_reap_told(task, frame->child, &task->status) ? STEP_POP : STEP_WAIT;
	default:
		return STEP_POP;
	}
}
