/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <signal.h>
#include <string.h>

/* What a step of the shell costs of a CPU, about. */
enum { STEP_COST = 2000 };
static const kt_ns SLICE = 2 * KT_MS;

struct frame *task_push(struct task *task, enum frame_kind kind)
{
	if (!task->stack) { /* a server never has more than one */
		task->stack = kt_alloc(sizeof(*task->stack));
		task->cap = 1;
	}
	task->stack = kt_grow(task->stack, &task->cap, task->depth + 1, sizeof(*task->stack));
	struct frame *frame = &task->stack[task->depth++];
	memset(frame, 0, sizeof(*frame));
	frame->kind = kind;
	return frame;
}

void task_push_node(struct task *task, const struct sh_node *node, struct sh_program *program,
                    bool no_errexit)
{
	struct frame *frame = task_push(task, FRAME_NODE);
	frame->node = node;
	frame->program = sh_program_ref(program);
	frame->no_errexit = no_errexit;
}

/* Push a node below the top frame: its errexit is the frame's, or off for a condition. */
static void push_child(struct task *task, const struct sh_node *node, bool condition)
{
	const struct frame *top = &task->stack[task->depth - 1];
	task_push_node(task, node, top->program, top->no_errexit || condition);
}

static void restore_variables(struct task *task, struct frame *frame)
{
	for (size_t i = 0; i < kt_count(frame->locals); i++) {
		const char *name = kt_key(frame->locals, i);
		const char *old = kt_str(kt_at(frame->locals, i));
		kt_set(&task->vars.all, name, old ? kt_json_str(old) : NULL);
		kt_set(&task->vars.hidden, name,
		       kt_get_bool(frame->hidden, name, false) ? kt_json_bool(true) : NULL);
	}
	kt_json_freep(&frame->locals);
	kt_json_freep(&frame->hidden);
}

static void frame_clear(struct task *task, struct frame *frame)
{
	if (frame->saved) {
		fds_copy(task->fds, frame->saved);
		for (int i = 0; i < FD_MAX; i++)
			fd_close(&frame->saved[i]);
		kt_free(frame->saved);
	}
	if (frame->kind == FRAME_CALL) {
		kt_strs_clear(&task->args);
		task->args = frame->saved_args;
		frame->saved_args = (struct kt_strs){0};
	}
	if (frame->locals)
		restore_variables(task, frame);
	for (size_t i = 0; i < frame->subst_count; i++)
		kt_free(frame->substs[i].text);
	kt_free(frame->substs);
	if (frame->err_trap) {
		kt_free(task->err_trap);
		task->err_trap = frame->err_trap;
	}
	kt_strs_clear(&frame->words);
	tool_run_free(frame->tool);
	fd_close(&frame->capture);
	kt_buf_clear(&frame->text);
	sh_program_unref(frame->program);
}

/* `trap … ERR`: where errexit would end the shell. */
static void run_err_trap(struct task *task)
{
	char *text = task->err_trap; /* not while it runs itself */
	size_t before = task->depth;
	task->err_trap = NULL;
	if (task_source(task, text, strlen(text), true) && task->depth > before)
		task->stack[before].err_trap = text;
	else
		task->err_trap = text;
}

static void pop(struct task *task)
{
	struct frame frame = task->stack[--task->depth];
	task->memory = frame.tool ? 0 : task->memory;
	task->cpu_milli = frame.tool ? 0 : task->cpu_milli;
	/* before the frame's program, and with it the node, may go */
	bool counts =
	        frame.kind == FRAME_NODE && (frame.node->kind == SH_SIMPLE || frame.node->kind == SH_PIPE ||
	                                     frame.node->kind == SH_SUBSHELL);
	bool was_trap = frame.err_trap != NULL;
	frame_clear(task, &frame);
	bool failed = counts && task->status && !frame.no_errexit && task->jump == JUMP_NONE;
	if (failed && task->err_trap)
		run_err_trap(task); /* errexit comes after it */
	else if (failed && task->errexit)
		task->jump = JUMP_EXIT;
	if (frame.kind == FRAME_SOURCE && frame.keep_status)
		task->status = frame.saved_status;
	if (was_trap && task->errexit && task->status && task->jump == JUMP_NONE)
		task->jump = JUMP_EXIT;
}

static void drop_all(struct task *task)
{
	while (task->depth)
		pop(task);
}

/* `exec`: what the shell was doing is forgotten, redirections included. */
void task_forget(struct task *task)
{
	for (size_t i = task->depth; i-- > 0;) {
		struct frame *frame = &task->stack[i];
		for (int fd = 0; frame->saved && fd < FD_MAX; fd++)
			fd_close(&frame->saved[fd]);
		kt_free(frame->saved);
		frame->saved = NULL;
	}
	enum jump jump = task->jump;
	drop_all(task);
	task->jump = jump;
}

void task_interrupt(struct task *task)
{
	while (task->depth && task->stack[task->depth - 1].kind != FRAME_INPUT)
		pop(task);
	if (task->depth) {
		kt_buf_clear(&task->stack[task->depth - 1].text);
		task->stack[task->depth - 1].flag = false;
	}
	task->status = 128 + SIGINT;
	process_changed(task->process);
}

/* --- the compound ones --- */
static enum step run_list(struct task *task, struct frame *frame)
{
	const struct sh_node *node = frame->pc ? frame->at : frame->node->children;
	frame->pc = 1;
	if (!node)
		return STEP_POP;
	frame->at = node->next;
	if (!node->background) {
		push_child(task, node, false);
		return STEP_AGAIN;
	}
	struct task *child = task_fork(task, node, frame->program);
	if (!task->interactive)
		fd_put(&child->fds[0], chan_new(task->process, CHAN_NULL), false);
	task->last_background = child->pid;
	task->status = 0;
	return STEP_AGAIN;
}

static enum step run_and_or(struct task *task, struct frame *frame)
{
	if (frame->pc == 0) {
		frame->pc = 1;
		push_child(task, frame->node->children, true);
		return STEP_AGAIN;
	}
	if (frame->pc == 1 && (task->status == 0) == (frame->node->kind == SH_AND)) {
		frame->pc = 2;
		push_child(task, frame->node->children->next, false);
		return STEP_AGAIN;
	}
	return STEP_POP;
}

static enum step run_not(struct task *task, struct frame *frame)
{
	if (frame->pc == 0) {
		frame->pc = 1;
		push_child(task, frame->node->children, true);
		return STEP_AGAIN;
	}
	task->status = !task->status;
	return STEP_POP;
}

static void start_pipe(struct task *task, struct frame *frame)
{
	struct fd left = {0};
	struct sh_program *program = frame->program;
	for (const struct sh_node *node = frame->node->children; node; node = node->next) {
		struct task *child = task_fork(task, node, program);
		if (left.chan)
			fd_put(&child->fds[0], left.chan, false);
		fd_close(&left);
		if (node->next) {
			struct chan *chan = chan_new(task->process, CHAN_PIPE);
			fd_put(&left, chan, false);
			fd_put(&child->fds[1], chan, true);
		}
		if (!frame->child)
			frame->child = child->pid;
		frame->word++;
	}
	fd_close(&left);
}

static enum step run_pipe(struct task *task, struct frame *frame)
{
	if (frame->pc == 0) {
		frame->pc = 1;
		frame->saved_status = 0;
		start_pipe(task, frame);
		return STEP_AGAIN;
	}
	while (frame->word) {
		int status = 0;
		if (!task_reap(task, frame->child, &status))
			return STEP_WAIT;
		frame->child++;
		frame->word--;
		if (status)
			frame->saved_status = status;
		task->status = status;
	}
	if (task->pipefail && frame->saved_status)
		task->status = frame->saved_status;
	return STEP_POP;
}

static enum step run_subshell(struct task *task, struct frame *frame)
{
	if (frame->pc == 0) {
		frame->pc = 1;
		struct sh_program *program = frame->program;
		frame->child = task_fork(task, frame->node->children, program)->pid;
		return STEP_AGAIN;
	}
	return task_reap_told(task, frame->child, &task->status) ? STEP_POP : STEP_WAIT;
}

static enum step run_once(struct task *task, struct frame *frame)
{
	if (frame->pc || !frame->node->children)
		return STEP_POP;
	frame->pc = 1;
	push_child(task, frame->node->children, false);
	return STEP_AGAIN;
}

static enum step run_if(struct task *task, struct frame *frame)
{
	const struct sh_node *at = frame->at;
	if (frame->pc == 0) { /* a condition, or the else part */
		at = at ? at : frame->node->children;
		frame->at = at;
		frame->pc = 1;
		if (!at->next)
			frame->pc = 2;
		push_child(task, at, at->next != NULL);
		return STEP_AGAIN;
	}
	if (frame->pc == 2)
		return STEP_POP;
	if (task->status == 0) {
		frame->pc = 2;
		push_child(task, at->next, false);
		return STEP_AGAIN;
	}
	task->status = 0;
	frame->at = at->next->next;
	frame->pc = 0;
	return frame->at ? STEP_AGAIN : STEP_POP;
}

static enum step run_while(struct task *task, struct frame *frame)
{
	if (frame->pc == 0) {
		frame->saved_status = frame->word++ ? task->status : 0;
		frame->pc = 1;
		push_child(task, frame->node->children, true);
		return STEP_AGAIN;
	}
	if ((task->status == 0) == (frame->node->kind == SH_WHILE)) {
		frame->pc = 0;
		push_child(task, frame->node->children->next, false);
		return STEP_AGAIN;
	}
	task->status = frame->saved_status;
	return STEP_POP;
}

static enum step run_for(struct task *task, struct frame *frame)
{
	if (frame->pc == 0) {
		frame->pc = 1;
		task->status = 0;
		if (!frame->node->has_words) {
			for (size_t i = 0; i < task->args.count; i++)
				kt_strs_add(&frame->words, task->args.items[i]);
		} else if (!expand_words(task, frame, frame->node->words, &frame->words)) {
			task->status = 2;
			task->jump = JUMP_EXIT;
			return STEP_POP;
		}
	}
	if (frame->word >= frame->words.count)
		return STEP_POP;
	task_set_var(task, frame->node->name, frame->words.items[frame->word++]);
	push_child(task, frame->node->children, false);
	return STEP_AGAIN;
}

static enum step run_case(struct task *task, struct frame *frame)
{
	if (frame->pc)
		return STEP_POP;
	frame->pc = 1;
	task->status = 0;
	char *subject = expand_text(task, frame, frame->node->words ? frame->node->words->parts : NULL);
	const struct sh_node *found = NULL;
	for (const struct sh_node *item = frame->node->children; subject && item && !found;
	     item = item->next) {
		for (const struct sh_word *word = item->words; word && !found; word = word->next) {
			char *pattern = expand_pattern(task, frame, word->parts);
			if (pattern && pattern_match(pattern, subject))
				found = item;
			kt_free(pattern);
		}
	}
	kt_free(subject);
	if (!found || !found->children)
		return STEP_POP;
	push_child(task, found->children, false);
	return STEP_AGAIN;
}

static enum step run_function(struct task *task, struct frame *frame)
{
	task->functions = kt_grow(task->functions, &task->function_cap, task->function_count + 1,
	                          sizeof(*task->functions));
	for (size_t i = 0; i < task->function_count; i++) {
		if (!strcmp(task->functions[i].name, frame->node->name)) {
			sh_program_unref(task->functions[i].program);
			task->functions[i].program = sh_program_ref(frame->program);
			task->functions[i].body = frame->node->children;
			task->status = 0;
			return STEP_POP;
		}
	}
	task->functions[task->function_count++] = (struct function){
	        kt_strdup(frame->node->name), sh_program_ref(frame->program), frame->node->children};
	task->status = 0;
	return STEP_POP;
}

static enum step (*const runners[SH_KINDS])(struct task *, struct frame *) = {
        [SH_SIMPLE] = task_run_simple, [SH_LIST] = run_list,         [SH_AND] = run_and_or,
        [SH_OR] = run_and_or,          [SH_NOT] = run_not,           [SH_PIPE] = run_pipe,
        [SH_GROUP] = run_once,         [SH_SUBSHELL] = run_subshell, [SH_IF] = run_if,
        [SH_WHILE] = run_while,        [SH_UNTIL] = run_while,       [SH_FOR] = run_for,
        [SH_CASE] = run_case,          [SH_FUNCTION] = run_function,
};

static enum step run_node(struct task *task, struct frame *frame)
{
	if (frame->phase == 0)
		return task_substitute(task, frame);
	if (frame->phase == 1) {
		frame->phase = 2;
		if (!task_redirect(task, frame)) {
			task->status = task->flavour == FLAVOUR_DASH ? 2 : 1;
			return STEP_POP;
		}
	}
	return runners[frame->node->kind](task, frame);
}

/* --- texts that come while it runs --- */
static void syntax_error(struct task *task, enum sh_parse state, const char *message, unsigned line)
{
	struct kt_buf text = {0};
	bool end = state == SH_INCOMPLETE && strcmp(message, "unterminated quoted string") != 0;
	if (end)
		message = task->flavour == FLAVOUR_BUSYBOX ? "unexpected end of file"
		                                           : "end of file unexpected";
	if (task->flavour == FLAVOUR_DASH && kt_starts(message, "unexpected \""))
		kt_buf_addf(&text, "%s: %u: Syntax error: %s unexpected\n", task->name, line,
		            message + strlen("unexpected "));
	else if (task->flavour == FLAVOUR_DASH)
		kt_buf_addf(&text, "%s: %u: Syntax error: %c%s\n", task->name, line,
		            end ? message[0] : toupper((unsigned char)message[0]), message + 1);
	else if (task->flavour == FLAVOUR_BASH)
		kt_buf_addf(&text, "%s: -c: line %u: syntax error: %s\n", task->name, line, message);
	else
		kt_buf_addf(&text, "%s: syntax error: %s\n", task->name, message);
	task_write(task, 2, text.data, text.len);
	kt_buf_clear(&text);
}

bool task_source(struct task *task, const char *text, size_t len, bool keep_status)
{
	struct sh_program *program = NULL;
	char message[256];
	unsigned line;
	enum sh_parse state = sh_parse(text, len, task->flavour, &program, message, &line);
	if (state != SH_PARSED) {
		syntax_error(task, state, message, line);
		task->status = 2;
		return false;
	}
	if (task->depth > MAX_STACK) {
		sh_program_unref(program);
		task->status = 2;
		return false;
	}
	struct frame *frame = task_push(task, FRAME_SOURCE);
	frame->program = program;
	frame->keep_status = keep_status;
	frame->saved_status = task->status;
	if (program->root)
		task_push_node(task, program->root, program, false);
	return true;
}

static void prompt(struct task *task, bool more)
{
	struct kt_buf text = {0};
	const char *home = task_var(task, "HOME"), *ps1 = task_var(task, "PS1");
	const char *dir = home && !strcmp(home, task->dir) ? "~" : task->dir;
	bool root = files_user(task->process->spec.container->files)->uid == 0;
	if (more)
		kt_buf_adds(&text, "> ");
	else if (ps1 && !strchr(ps1, '\\'))
		kt_buf_adds(&text, ps1);
	else if (task->flavour == FLAVOUR_BUSYBOX)
		kt_buf_addf(&text, "%s %s ", dir, root ? "#" : "$");
	else if (task->flavour == FLAVOUR_BASH)
		kt_buf_addf(&text, "%s@%s:%s%s ", root ? "root" : "I have no name!",
		            task->process->spec.container->host_name, dir, root ? "#" : "$");
	else
		kt_buf_adds(&text, root ? "# " : "$ ");
	task_write(task, 2, text.data, text.len);
	kt_buf_clear(&text);
}

/* A shell that reads its commands: one complete one at a time. */
static enum step run_input(struct task *task, struct frame *frame)
{
	struct chan *chan = task->fds[0].chan;
	bool ended = !chan || chan->kind == CHAN_NULL;
	if (task->interactive && !frame->flag) {
		frame->flag = true;
		prompt(task, frame->text.len > 0);
	}
	const char *newline =
	        chan && chan->data.len > chan->offset
	                ? memchr(chan->data.data + chan->offset, '\n', chan->data.len - chan->offset)
	                : NULL;
	size_t have = chan ? chan->data.len - chan->offset : 0;
	ended = ended || (chan->kind == CHAN_FILE) || chan->writers == 0;
	if (!newline && !ended)
		return STEP_WAIT;
	size_t take = newline ? (size_t)(newline - (chan->data.data + chan->offset)) + 1 : have;
	if (take)
		kt_buf_add(&frame->text, chan->data.data + chan->offset, take);
	if (chan && chan->kind == CHAN_FILE)
		chan->offset += take;
	else if (chan && take)
		kt_buf_drop(&chan->data, take);
	if (!frame->text.len) {
		if (task->interactive)
			task_write(task, 2, "exit\n", task->flavour == FLAVOUR_BASH ? 5 : 0);
		return STEP_POP;
	}
	struct sh_program *program = NULL;
	char message[256];
	unsigned line;
	enum sh_parse state =
	        sh_parse(frame->text.data, frame->text.len, task->flavour, &program, message, &line);
	frame->flag = false;
	bool document = state == SH_PARSED && newline && strstr(frame->text.data, "<<") &&
	                sh_open_document(frame->text.data, frame->text.len);
	if (document)
		sh_program_unref(program);
	if (document || (state == SH_INCOMPLETE && newline))
		return STEP_AGAIN;
	kt_buf_clear(&frame->text);
	if (state != SH_PARSED) {
		syntax_error(task, state, message, line);
		task->status = 2;
		return task->interactive ? STEP_AGAIN : STEP_POP;
	}
	if (program->root)
		task_push_node(task, program->root, program, false);
	sh_program_unref(program);
	return STEP_AGAIN;
}

static enum step run_tool(struct task *task, struct frame *frame)
{
	for (int i = 1; i < 3; i++) {
		if (chan_full(task->fds[i].chan))
			return STEP_WAIT;
	}
	int rc = frame->tool->tool->run(frame->tool);
	if (rc == TOOL_WAIT)
		return STEP_WAIT;
	if (rc == TOOL_AGAIN)
		return STEP_AGAIN;
	task->status = rc;
	return STEP_POP;
}

static enum step step_top(struct task *task)
{
	struct frame *frame = &task->stack[task->depth - 1];
	switch (frame->kind) {
	case FRAME_NODE:
		return run_node(task, frame);
	case FRAME_TOOL:
		return run_tool(task, frame);
	case FRAME_INPUT:
		return run_input(task, frame);
	case FRAME_CALL:
	case FRAME_SOURCE:
	default:
		return STEP_POP;
	}
}

/* --- leaving --- */
static bool is_loop(const struct frame *frame)
{
	return frame->kind == FRAME_NODE && (frame->node->kind == SH_FOR || frame->node->kind == SH_WHILE ||
	                                     frame->node->kind == SH_UNTIL);
}

static void unwind(struct task *task)
{
	enum jump jump = task->jump;
	task->jump = JUMP_NONE;
	if (jump == JUMP_EXIT) {
		if (task->interactive && task->errexit)
			task->errexit = false;
		int status = task->status;
		drop_all(task);
		task->status = status;
		task->jump = JUMP_NONE;
		return;
	}
	bool found = false;
	for (size_t i = task->depth; i-- > 0 && !found;) {
		const struct frame *frame = &task->stack[i];
		found = jump == JUMP_RETURN ? frame->kind == FRAME_CALL || frame->kind == FRAME_SOURCE
		                            : is_loop(frame);
		if (!found && jump != JUMP_RETURN && frame->kind == FRAME_CALL)
			break;
	}
	if (!found) {
		/* `return` outside ends a script; `break` outside is nothing */
		if (jump == JUMP_RETURN)
			while (task->depth)
				pop(task);
		return;
	}
	int count = task->jump_count;
	while (task->depth) {
		struct frame *frame = &task->stack[task->depth - 1];
		if (jump == JUMP_RETURN) {
			bool last = frame->kind == FRAME_CALL || frame->kind == FRAME_SOURCE;
			int status = task->status;
			pop(task);
			task->status = status;
			if (last)
				break;
		} else if (is_loop(frame)) {
			if (--count <= 0 && jump == JUMP_CONTINUE) {
				frame->pc = frame->node->kind == SH_FOR;
				break;
			}
			pop(task);
			if (count <= 0)
				break;
		} else {
			pop(task);
		}
	}
	task->jump = JUMP_NONE;
}

/* A caught signal's commands run between two commands of the shell. */
static bool run_traps(struct task *task)
{
	const struct frame *top = &task->stack[task->depth - 1];
	bool between = top->kind == FRAME_INPUT || (top->kind == FRAME_NODE && top->phase >= 2 &&
	                                            (top->node->kind == SH_LIST || is_loop(top) ||
	                                             top->node->kind == SH_AND || top->node->kind == SH_OR));
	if (!between)
		return false;
	for (int i = 1; i < SIGNALS; i++) {
		if (!(task->pending & 1u << i))
			continue;
		task->pending &= ~(1u << i);
		const char *trap = task_trap(task, i);
		if (trap && *trap) {
			char *text = kt_strdup(trap);
			task_source(task, text, strlen(text), true);
			kt_free(text);
			return true;
		}
	}
	return false;
}

/* The slice is used up: it goes on when the CPU time has passed. One that never waits gets coarser slices, so
 * that a busy loop costs little. */
static void nap(struct task *task)
{
	const struct container *container = task->process->spec.container;
	kt_ns cost = task->slice, pause;
	task->busy += cost;
	pause = cost;
	if (task->busy > 60 * KT_SEC)
		pause = 10 * KT_SEC;
	else if (task->busy > KT_SEC)
		pause = KT_SEC / 2;
	task->process->cpu_nano += pause;
	if (pause > cost)
		task->busy += pause;
	if (container->cpu_limit_milli > 0 && container->cpu_limit_milli < 1000)
		pause = pause * 1000 / container->cpu_limit_milli;
	task->slice = 0;
	task->nap_until = process_now(task->process) + pause;
	task->wake = task->nap_until;
}

void task_run(struct task *task)
{
	struct process *process = task->process;
	if (task->nap_until > process_now(process)) {
		task->wake = task->nap_until;
		return;
	}
	task->nap_until = 0;
	task->wake = INT64_MAX;
	task_use_umask(task);
	while (!task->done && !process->over) {
		if (!task->depth) {
			const char *trap = task_trap(task, 0);
			if (trap && *trap) {
				char *text = kt_strdup(trap);
				task_set_trap(task, 0, NULL);
				bool ok = task_source(task, text, strlen(text), true);
				kt_free(text);
				if (ok)
					continue;
			}
			task_end(task, task->status);
			return;
		}
		if (task->pending && run_traps(task))
			continue;
		task->slice += STEP_COST;
		task->executing = true;
		enum step step = step_top(task);
		task->executing = false;
		if (task->done)
			task_strip(task);
		if (task->done || process->over)
			return;
		if (task->broken) {
			task->broken = false;
			if (task->depth && task->stack[task->depth - 1].kind == FRAME_TOOL &&
			    task->depth > 1) {
				task->status = 128 + SIGPIPE;
				pop(task);
			} else {
				drop_all(task);
				task_end(task, 128 + SIGPIPE);
				return;
			}
			continue;
		}
		if (step == STEP_WAIT) {
			/* a real pause; what it cost so far still counts as use */
			process->cpu_nano += task->slice;
			task->slice = 0;
			if (task->wake > process_now(process) + 5 * KT_MS)
				task->busy = 0;
			return;
		}
		if (step == STEP_POP && task->depth)
			pop(task);
		process_changed(process);
		if (task->jump != JUMP_NONE)
			unwind(task);
		if (task->slice >= SLICE) {
			nap(task);
			return;
		}
	}
}
