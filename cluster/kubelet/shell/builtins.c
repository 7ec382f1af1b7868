/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

typedef enum step builtin_fn(struct task *task, struct frame *frame, const struct kt_strs *argv);

static enum step done(struct task *task, int status)
{
	task->status = status;
	return STEP_POP;
}

static void say(struct task *task, int fd, struct kt_buf *text)
{
	task_write(task, fd, kt_buf_str(text), text->len);
	kt_buf_clear(text);
}

static const char *arg(const struct kt_strs *argv, size_t i)
{
	return i < argv->count ? argv->items[i] : NULL;
}

static int number(const char *text, int otherwise)
{
	char *end;
	if (!text)
		return otherwise;
	long n = strtol(text, &end, 10);
	return *end || end == text || n > INT32_MAX || n < INT32_MIN ? -1 : (int)n;
}

static enum step do_true(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	(void)frame;
	(void)argv;
	return done(task, 0);
}

static enum step do_false(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	(void)frame;
	(void)argv;
	return done(task, 1);
}

static enum step do_echo(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	struct kt_buf out = {0};
	(void)frame;
	echo_text(argv, task->flavour == FLAVOUR_DASH, &out);
	say(task, 1, &out);
	return done(task, 0);
}

static enum step do_printf(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	struct kt_buf out = {0};
	char message[160] = "";
	(void)frame;
	int rc = printf_text(argv, &out, message);
	say(task, 1, &out);
	if (message[0])
		task_error(task, "printf: %s", message);
	return done(task, rc);
}

static enum step do_test(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	size_t count = argv->count - 1;
	char message[160] = "";
	const char *name = argv->items[0];
	(void)frame;
	if (name[0] == '[') {
		const char *close = name[1] ? "]]" : "]";
		if (!count || strcmp(argv->items[argv->count - 1], close) != 0) {
			task_error(task, task->flavour == FLAVOUR_BUSYBOX ? "missing %s" : "[: missing %s",
			           close);
			return done(task, 2);
		}
		count--;
	}
	int rc = test_words(task, argv->items + 1, count, message);
	if (message[0] && task->flavour == FLAVOUR_BUSYBOX)
		task_error(task, "%s", message);
	else if (message[0])
		task_error(task, "%s: %s", name, message);
	return done(task, rc);
}

static void set_dir(struct task *task, const char *path)
{
	/* logical: /a/./b/.. -> /a */
	struct kt_strs parts = {0};
	const char *rest = path;
	size_t len;
	for (const char *piece; rest && (piece = kt_split(&rest, '/', &len));) {
		if (!len || (len == 1 && piece[0] == '.'))
			continue;
		if (len == 2 && piece[0] == '.' && piece[1] == '.') {
			if (parts.count)
				kt_free(parts.items[--parts.count]);
			continue;
		}
		kt_strs_steal(&parts, kt_strndup(piece, len));
	}
	struct kt_buf out = {0};
	for (size_t i = 0; i < parts.count; i++)
		kt_buf_addf(&out, "/%s", parts.items[i]);
	if (!out.len)
		kt_buf_adds(&out, "/");
	kt_strs_clear(&parts);
	kt_free(task->dir);
	task->dir = kt_buf_take(&out);
}

static enum step do_cd(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	const char *target = arg(argv, 1);
	struct files_stat st;
	(void)frame;
	if (!target)
		target = task_var(task, "HOME");
	bool back = target && !strcmp(target, "-");
	if (back)
		target = task_var(task, "OLDPWD");
	char *path = task_path(task, target ? target : "/");
	int rc = files_stat(task->process->spec.container->files, path, &st);
	if (rc || st.type != FILES_DIR) {
		const char *why = rc ? tool_strerror(rc) : "Not a directory";
		if (task->flavour == FLAVOUR_BASH)
			task_error(task, "cd: %s: %s", target, why);
		else
			task_error(task, "cd: %scan't cd to %s%s%s",
			           task->flavour == FLAVOUR_DASH ? "" : "line 0: ", target,
			           task->flavour == FLAVOUR_DASH ? "" : ": ",
			           task->flavour == FLAVOUR_DASH ? "" : why);
		kt_free(path);
		return done(task, task->flavour == FLAVOUR_BASH ? 1 : 2);
	}
	task_set_var(task, "OLDPWD", task->dir);
	set_dir(task, path);
	task_set_var(task, "PWD", task->dir);
	if (back)
		task_write(task, 1, task->dir, strlen(task->dir));
	if (back)
		task_write(task, 1, "\n", 1);
	kt_free(path);
	return done(task, 0);
}

static enum step do_pwd(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	struct kt_buf out = {0};
	(void)frame;
	(void)argv;
	kt_buf_addf(&out, "%s\n", task->dir);
	say(task, 1, &out);
	return done(task, 0);
}

static enum step do_exit(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	(void)frame;
	task->status = number(arg(argv, 1), task->status) & 255;
	task->jump = JUMP_EXIT;
	return STEP_POP;
}

static enum step do_return(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	(void)frame;
	task->status = number(arg(argv, 1), task->status) & 255;
	task->jump = JUMP_RETURN;
	return STEP_POP;
}

static enum step do_break(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	(void)frame;
	task->jump = argv->items[0][0] == 'b' ? JUMP_BREAK : JUMP_CONTINUE;
	task->jump_count = KT_MAX(number(arg(argv, 1), 1), 1);
	return done(task, 0);
}

static enum step do_eval(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	struct kt_buf text = {0};
	(void)frame;
	for (size_t i = 1; i < argv->count; i++)
		kt_buf_addf(&text, "%s%s", i > 1 ? " " : "", argv->items[i]);
	task->status = 0;
	task_source(task, kt_buf_str(&text), text.len, false);
	kt_buf_clear(&text);
	return STEP_AGAIN;
}

static enum step do_dot(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	struct kt_buf text = {0};
	(void)frame;
	if (!arg(argv, 1)) {
		task_error(task, ".: filename argument required");
		return done(task, 2);
	}
	char *path = task_path(task, argv->items[1]);
	int rc = special_file(task, path, &text);
	kt_free(path);
	if (rc) {
		if (task->flavour == FLAVOUR_BASH)
			task_error(task, "%s: %s", argv->items[1], tool_strerror(rc));
		else if (task->flavour == FLAVOUR_DASH)
			task_error(task, ".: cannot open %s: No such file", argv->items[1]);
		else
			task_error(task, ".: line 0: can't open '%s': %s", argv->items[1], tool_strerror(rc));
		if (!task->interactive && task->flavour != FLAVOUR_BASH)
			task->jump = JUMP_EXIT;
		return done(task, task->flavour == FLAVOUR_BASH ? 1 : 2);
	}
	task->status = 0;
	task_source(task, kt_buf_str(&text), text.len, false);
	kt_buf_clear(&text);
	return STEP_AGAIN;
}

static enum step do_exec(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	if (argv->count == 1) {
		/* the redirections stay */
		for (int fd = 0; frame->saved && fd < FD_MAX; fd++)
			fd_close(&frame->saved[fd]);
		kt_free(frame->saved);
		frame->saved = NULL;
		return done(task, 0);
	}
	struct kt_strs words = {0};
	for (size_t i = 1; i < argv->count; i++)
		kt_strs_add(&words, argv->items[i]);
	char *why = NULL;
	/* looked up first on a copy, so that a failure can still be told from here */
	struct task *probe = task_fork(task, NULL, NULL);
	int rc = task_become(probe, &words, &why);
	task_end(probe, 0);
	int ignored;
	task_reap(task, probe->pid, &ignored);
	if (rc) {
		task_error(task, rc == 126 ? "exec: %s: Permission denied" : "exec: %s: not found",
		           words.items[0]);
		task->jump = JUMP_EXIT;
		task->status = rc;
	} else {
		task_forget(task);
		task_clear_traps(task);
		task_become(task, &words, NULL);
	}
	kt_free(why);
	kt_strs_clear(&words);
	return rc ? STEP_POP : STEP_AGAIN;
}

static bool is_name(const char *text, size_t len)
{
	if (!len || isdigit((unsigned char)text[0]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)text[i]) && text[i] != '_')
			return false;
	}
	return true;
}

static void list_variables(struct task *task, const char *prefix, bool exported)
{
	struct kt_buf out = {0};
	struct kt_json *sorted = kt_json_sorted(task->vars.all);
	for (size_t i = 0; i < kt_count(sorted); i++) {
		if (exported && kt_get_bool(task->vars.hidden, kt_key(sorted, i), false))
			continue;
		kt_buf_addf(&out, "%s%s='%s'\n", prefix, kt_key(sorted, i), kt_str_or(kt_at(sorted, i), ""));
	}
	kt_json_free(sorted);
	say(task, 1, &out);
}

static enum step do_export(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	bool readonly = argv->items[0][0] == 'r', any = false;
	(void)frame;
	for (size_t i = 1; i < argv->count; i++) {
		const char *word = argv->items[i];
		if (word[0] == '-')
			continue;
		any = true;
		size_t len = strcspn(word, "=");
		char *name = kt_strndup(word, len);
		if (!is_name(word, len)) {
			task_error(task, "%s: %s: bad variable name", argv->items[0], name);
			kt_free(name);
			return done(task, 2);
		}
		if (word[len] && !task_set_var(task, name, word + len + 1)) {
			kt_free(name);
			return done(task, 1);
		}
		if (readonly) {
			kt_set(&task->vars.readonly, name, kt_json_bool(true));
		} else {
			if (!kt_get(task->vars.all, name))
				kt_set(&task->vars.all, name, kt_json_str(""));
			kt_unset(&task->vars.hidden, name);
		}
		kt_free(name);
	}
	if (!any)
		list_variables(task, readonly ? "readonly " : "export ", true);
	return done(task, 0);
}

static enum step do_array(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	(void)frame;
	return done(task, kt_streq(argv->items[0], "=array") ? array_assign(task, argv)
	                                                     : array_assign_one(task, argv));
}

static enum step do_local(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	struct frame *call = NULL;
	(void)frame;
	for (size_t i = task->depth; i-- > 0 && !call;) {
		if (task->stack[i].kind == FRAME_CALL)
			call = &task->stack[i];
	}
	if (!call && kt_streq(argv->items[0], "local")) {
		task_error(task,
		           task->flavour == FLAVOUR_BASH ? "local: can only be used in a function"
		                                         : "local: %snot in a function",
		           task->flavour == FLAVOUR_BUSYBOX ? "line 0: " : "");
		task->jump = task->interactive || task->flavour == FLAVOUR_BASH ? JUMP_NONE : JUMP_EXIT;
		return done(task, task->flavour == FLAVOUR_BASH ? 1 : 2);
	}
	bool array = false, map = false;
	for (size_t i = 1; i < argv->count; i++) {
		const char *word = argv->items[i];
		size_t len = strcspn(word, "=");
		array = array || (word[0] == '-' && strpbrk(word, "aA"));
		map = map || (word[0] == '-' && strchr(word, 'A'));
		if (word[0] == '-' || !is_name(word, len))
			continue;
		if (array && task->flavour == FLAVOUR_BASH) {
			array_declare(task, word, map);
			continue;
		}
		char *name = kt_strndup(word, len);
		if (call && !kt_get(call->locals, name)) {
			const struct kt_json *old = kt_get(task->vars.all, name);
			kt_set(&call->locals, name, old ? kt_json_ref(old) : kt_json_null());
			if (kt_get_bool(task->vars.hidden, name, false))
				kt_set(&call->hidden, name, kt_json_bool(true));
		}
		if (word[len] || call)
			task_set_var(task, name, word[len] ? word + len + 1 : "");
		kt_free(name);
	}
	return done(task, 0);
}

static enum step do_unset(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	bool functions = false;
	(void)frame;
	for (size_t i = 1; i < argv->count; i++) {
		if (argv->items[i][0] == '-') {
			functions = argv->items[i][1] == 'f';
			continue;
		}
		for (size_t k = 0; functions && k < task->function_count; k++) {
			if (!strcmp(task->functions[k].name, argv->items[i])) {
				kt_free(task->functions[k].name);
				task->functions[k].name = kt_strdup("");
			}
		}
		if (!functions && task->flavour == FLAVOUR_BASH)
			array_unset(task, argv->items[i]);
		if (!functions && !strchr(argv->items[i], '[') && !task_set_var(task, argv->items[i], NULL))
			return done(task, task->flavour == FLAVOUR_BASH ? 1 : 2);
	}
	return done(task, 0);
}

static bool *set_flag(struct task *task, char c)
{
	switch (c) {
	case 'e':
		return &task->errexit;
	case 'u':
		return &task->nounset;
	case 'x':
		return &task->xtrace;
	case 'f':
		return &task->noglob;
	case 'C':
		return &task->noclobber;
	default:
		return NULL;
	}
}

static enum step do_set(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	static const struct {
		const char *name;
		char letter;
	} names[] = {
	        {"errexit", 'e'}, {"nounset", 'u'}, {"xtrace", 'x'}, {"noglob", 'f'}, {"noclobber", 'C'}};
	size_t i = 1;
	bool args = false;
	(void)frame;
	for (; i < argv->count; i++) {
		const char *word = argv->items[i];
		if (!strcmp(word, "--")) {
			args = true;
			i++;
			break;
		}
		if ((word[0] != '-' && word[0] != '+') || !word[1]) {
			args = true;
			break;
		}
		bool on = word[0] == '-';
		for (const char *c = word + 1; *c; c++) {
			bool *flag = set_flag(task, *c);
			if (*c == 'o' && i + 1 < argv->count) {
				const char *name = argv->items[++i];
				if (!strcmp(name, "pipefail") && task->flavour == FLAVOUR_DASH) {
					task_error(task, "set: Illegal option -o pipefail");
					task->jump = task->interactive ? JUMP_NONE : JUMP_EXIT;
					return done(task, 2);
				}
				if (!strcmp(name, "pipefail"))
					task->pipefail = on;
				for (size_t k = 0; k < KT_COUNT(names); k++) {
					if (!strcmp(names[k].name, name))
						*set_flag(task, names[k].letter) = on;
				}
			} else if (flag) {
				*flag = on;
			}
		}
	}
	if (argv->count == 1)
		list_variables(task, "", false);
	if (args) {
		kt_strs_clear(&task->args);
		for (; i < argv->count; i++)
			kt_strs_add(&task->args, argv->items[i]);
	}
	return done(task, 0);
}

static enum step do_shift(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	int n = number(arg(argv, 1), 1);
	(void)frame;
	if (n < 0 || (size_t)n > task->args.count) {
		if (task->flavour == FLAVOUR_DASH)
			task_error(task, "shift: can't shift that many");
		return done(task, task->flavour == FLAVOUR_DASH ? 2 : 1);
	}
	for (int i = 0; i < n; i++)
		kt_free(task->args.items[i]);
	task->args.count -= (size_t)n;
	memmove(task->args.items, task->args.items + n, task->args.count * sizeof(*task->args.items));
	return done(task, 0);
}

static enum step do_trap(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	struct kt_buf out = {0};
	(void)frame;
	if (argv->count == 1) {
		for (int i = 0; i < SIGNALS; i++) {
			if (task_trap(task, i))
				kt_buf_addf(&out, "trap -- '%s' %s\n", task_trap(task, i), signal_name(i));
		}
		say(task, 1, &out);
		return done(task, 0);
	}
	size_t first = !strcmp(argv->items[1], "--") ? 2 : 1;
	bool reset = first + 1 == argv->count || !strcmp(argv->items[first], "-");
	for (size_t i = first + (first + 1 < argv->count); i < argv->count; i++) {
		if (kt_streq(argv->items[i], "ERR") && task->flavour != FLAVOUR_DASH) {
			kt_free(task->err_trap);
			task->err_trap = reset ? NULL : kt_strdup(argv->items[first]);
			continue;
		}
		int signo = signal_number(argv->items[i]);
		if (signo < 0) {
			task_error(task, "trap: %s: %s", argv->items[i],
			           task->flavour == FLAVOUR_DASH ? "bad trap"
			                                         : "invalid signal specification");
			return done(task, 1);
		}
		task_set_trap(task, signo, reset ? NULL : kt_strdup(argv->items[first]));
	}
	return done(task, 0);
}

static enum step do_umask(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	struct kt_buf out = {0};
	char *end;
	(void)frame;
	if (argv->count == 1) {
		kt_buf_addf(&out, "%04o\n", task->umask);
		say(task, 1, &out);
		return done(task, 0);
	}
	unsigned long mask = strtoul(argv->items[1], &end, 8);
	if (*end || mask > 0777) {
		task_error(task,
		           task->flavour == FLAVOUR_BASH ? "umask: %s: octal number out of range"
		                                         : "umask: Illegal number: %s",
		           argv->items[1]);
		return done(task, task->flavour == FLAVOUR_BASH ? 1 : 2);
	}
	task->umask = (unsigned)mask;
	task_use_umask(task);
	return done(task, 0);
}

static enum step do_ulimit(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	(void)frame;
	if (argv->count < 3)
		task_write(task, 1, "unlimited\n", 10);
	return done(task, 0);
}

/* The N-th of those in the background that are not waited for yet; %% and %+: the last. */
static int job_pid(const struct task *task, const char *name)
{
	int wanted = number(name + 1, -1), seen = 0;
	if (wanted < 0)
		return task->last_background;
	for (int pid = 0; pid < task->process->next_pid; pid++) {
		const struct task *child = process_task(task->process, pid);
		if (child && child->ppid == task->pid && ++seen == wanted)
			return pid;
	}
	return -1;
}

static enum step do_jobs(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	struct kt_buf out = {0};
	const char *option = arg(argv, 1);
	int seen = 0;
	(void)frame;
	for (int pid = 0; pid < task->process->next_pid; pid++) {
		const struct task *child = process_task(task->process, pid);
		if (!child || child->ppid != task->pid)
			continue;
		seen++;
		if (option && !strcmp(option, "-p"))
			kt_buf_addf(&out, "%d\n", pid);
		else
			kt_buf_addf(&out, "[%d]%c  %-22s  %s\n", seen,
			            pid == task->last_background ? '+' : '-',
			            child->done ? (child->status ? "Exit" : "Done") : "Running",
			            child->command ? child->command : "");
	}
	say(task, 1, &out);
	return done(task, 0);
}

/* wait [PID…]: ends early when a caught signal comes. */
static enum step do_wait(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	(void)frame;
	for (int i = 1; i < SIGNALS; i++) {
		if (task->pending & 1u << i)
			return done(task, 128 + i);
	}
	if (argv->count > 1) {
		for (size_t i = 1; i < argv->count; i++) {
			int pid = argv->items[i][0] == '%' ? job_pid(task, argv->items[i])
			                                   : number(argv->items[i], -1),
			    status = 0;
			const struct task *child = process_task(task->process, pid);
			if (child && child->ppid == task->pid && !child->done)
				return STEP_WAIT;
			if (i + 1 == argv->count) {
				task_reap_told(task, pid, &status);
				return done(task, status);
			}
		}
	}
	for (struct task *child = task->process->tasks, *next; child; child = next) {
		next = child->next;
		if (child->ppid != task->pid || child == task || child->orphan) /* a daemon is nobody's */
			continue;
		if (!child->done)
			return STEP_WAIT;
		task_free(child);
	}
	return done(task, 0);
}

static int took_line(struct task *task, struct chan *chan, size_t at, struct kt_buf *line)
{
	kt_buf_adds(line, "");
	if (chan->kind == CHAN_FILE)
		chan->offset = at;
	else
		kt_buf_drop(&chan->data, at);
	process_changed(task->process);
	return 1;
}

/* One line for read, or `most` characters of it: 1 read, 0 the end, 2 it ended without a newline, -1 wait.
 * Only what belongs to it is taken. */
static int read_line(struct task *task, bool raw, size_t most, struct kt_buf *line)
{
	struct chan *chan = task->fds[0].chan;
	if (!chan || chan->kind == CHAN_NULL)
		return 0;
	bool ended = chan->kind == CHAN_FILE || !chan->writers;
	size_t at = chan->offset;
	while (at < chan->data.len) {
		char c = chan->data.data[at++];
		if (c == '\\' && !raw && at < chan->data.len) {
			char next = chan->data.data[at++];
			if (next != '\n') {
				kt_buf_addc(line, '\\');
				kt_buf_addc(line, next);
			}
		} else if (c == '\n') {
			return took_line(task, chan, at, line);
		} else {
			kt_buf_addc(line, c);
		}
		if (most && line->len >= most)
			return took_line(task, chan, at, line);
	}
	if (!ended) {
		kt_buf_cut(line, 0);
		return -1;
	}
	bool any = at > chan->offset;
	if (chan->kind == CHAN_FILE)
		chan->offset = at;
	else
		kt_buf_drop(&chan->data, at);
	kt_buf_adds(line, "");
	return any ? 2 : 0;
}

static void assign_fields(struct task *task, const struct kt_strs *argv, size_t first, const char *line,
                          bool raw)
{
	const char *ifs = task_var(task, "IFS");
	const char *at = line;
	if (!ifs)
		ifs = " \t\n";
	for (size_t i = first; i < argv->count; i++) {
		struct kt_buf value = {0};
		bool last = i + 1 == argv->count;
		while (*at && strchr(ifs, *at) && isspace((unsigned char)*at))
			at++;
		while (*at && (last || !strchr(ifs, *at))) {
			if (*at == '\\' && !raw && at[1])
				at++;
			kt_buf_addc(&value, *at++);
		}
		while (last && value.len && strchr(ifs, value.data[value.len - 1]) &&
		       isspace((unsigned char)value.data[value.len - 1]))
			kt_buf_cut(&value, value.len - 1);
		if (*at && !isspace((unsigned char)*at))
			at++;
		kt_buf_adds(&value, "");
		task_set_var(task, argv->items[i], value.data);
		kt_buf_clear(&value);
	}
}

static enum step do_read(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	bool raw = false;
	size_t first = 1;
	kt_ns limit = 0;
	size_t most = 0;
	const char *text = NULL;
	for (; first < argv->count && argv->items[first][0] == '-' && argv->items[first][1]; first++) {
		const char *option = argv->items[first];
		raw = raw || strchr(option, 'r') != NULL;
		const char *number_of = strchr(option, 'n');
		if (number_of && number_of[1]) {
			most = strtoul(number_of + 1, NULL, 10);
		} else if (strpbrk(option, "tpn") && first + 1 < argv->count) {
			const char *value = argv->items[++first];
			if (number_of)
				most = strtoul(value, NULL, 10);
			else if (strchr(option, 't'))
				limit = (kt_ns)(strtod(value, NULL) * 1e9);
			else
				text = value;
		}
	}
	const struct chan *from = task->fds[0].chan;
	/* asked where somebody types */
	if (text && !frame->pc && task->process->spec.tty && from && from->kind == CHAN_INPUT)
		task_write(task, 2, text, strlen(text));
	struct kt_buf line = {0};
	int rc = read_line(task, raw, most, &line);
	if (rc < 0) {
		kt_ns now = process_now(task->process);
		if (limit && !frame->saved_status && frame->subst_seen == 0)
			frame->subst_seen = (size_t)(now + limit);
		if (limit && (kt_ns)frame->subst_seen <= now)
			return done(task, task->flavour == FLAVOUR_BASH ? 142 : 1);
		if (limit)
			task->wake = (kt_ns)frame->subst_seen;
		return STEP_WAIT;
	}
	if (first >= argv->count) {
		task_set_var(task, "REPLY", kt_buf_str(&line));
	} else {
		assign_fields(task, argv, first, kt_buf_str(&line), raw);
	}
	kt_buf_clear(&line);
	return done(task, rc != 1);
}

/* kill -l [NUMBER|NAME…]: a status of what a signal ended is a number, too */
static int list_signals(struct task *task, const struct kt_strs *argv)
{
	enum { ENDED_BY = 128 };
	struct kt_buf out = {0};
	int status = 0;
	for (int n = 1; argv->count < 3 && n < SIGNALS; n++) {
		const char *name = signal_name(n);
		if (*name != '?' && task->flavour == FLAVOUR_BUSYBOX)
			kt_buf_addf(&out, "%2d) %s\n", n, name);
		else if (*name != '?')
			kt_buf_addf(&out, "%s\n", name);
	}
	for (size_t i = 2; i < argv->count; i++) {
		const char *word = argv->items[i];
		int n = number(word, -1), named = n < 0 ? signal_number(word) : -1;
		n = n > ENDED_BY ? n - ENDED_BY : n;
		if (named >= 0) {
			kt_buf_addf(&out, "%d\n", named);
		} else if (n >= 0 && *signal_name(n) != '?') {
			kt_buf_addf(&out, "%s\n", signal_name(n));
		} else {
			task_error(task, "kill: invalid signal number or name: %s", word);
			status = 1;
		}
	}
	task_write(task, 1, kt_buf_str(&out), out.len);
	kt_buf_clear(&out);
	return status;
}

static enum step do_kill(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	int signo = SIGTERM, status = argv->count < 2;
	size_t i = 1;
	(void)frame;
	if (arg(argv, 1) && argv->items[1][0] == '-' && argv->items[1][1]) {
		if (!strcmp(argv->items[1], "-l"))
			return done(task, list_signals(task, argv));
		const char *name =
		        !strcmp(argv->items[1], "-s") && arg(argv, 2) ? argv->items[++i] : argv->items[1] + 1;
		signo = signal_number(name);
		i++;
	}
	for (; i < argv->count; i++) {
		int pid =
		        argv->items[i][0] == '%' ? job_pid(task, argv->items[i]) : number(argv->items[i], -1);
		const struct container *c = task->process->spec.container;
		struct task *target = pid == -1 ? NULL : container_task(c, abs(pid));
		if (process_is_pause(c, abs(pid)))
			continue; /* it looks after nobody's signals */
		if (signo < 0 || !target) {
			if (task->flavour == FLAVOUR_BASH)
				task_error(task, "kill: (%s) - No such process", argv->items[i]);
			else if (task->flavour == FLAVOUR_DASH)
				task_error(task, "kill: No such process");
			else
				task_error(task, "can't kill pid %s: No such process", argv->items[i]);
			status = 1;
		} else if (signo) {
			task_signal(target, signo);
			process_changed(target->process);
		}
	}
	if (task->done) /* of its own signal */
		return STEP_POP;
	return done(task, status);
}

static enum step do_type(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	struct kt_buf out = {0};
	bool command = argv->items[0][0] == 'c', which = command && arg(argv, 1) && argv->items[1][0] == '-';
	int status = 0;
	(void)frame;
	for (size_t i = which ? 2 : 1; i < argv->count; i++) {
		const char *name = argv->items[i];
		const struct tool *tool = tool_find(task->process->image, name);
		bool function = false;
		for (size_t k = 0; k < task->function_count; k++)
			function = function || !strcmp(task->functions[k].name, name);
		if (function || builtin_is(name))
			kt_buf_addf(&out,
			            command ? "%s\n"
			                    : (function ? "%s is a function\n" : "%s is a shell builtin\n"),
			            name);
		else if (tool)
			kt_buf_addf(&out, command ? "%.0s/bin/%s\n" : "%s is /bin/%s\n", name, name);
		else
			status = task->flavour == FLAVOUR_DASH || !command ? 127 : 127;
		if (!function && !builtin_is(name) && !tool && !command)
			kt_buf_addf(&out, "%s: not found\n", name);
	}
	say(task, 1, &out);
	return done(task, status);
}

/* command NAME …: without functions. */
static enum step do_command(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	if (!arg(argv, 1))
		return done(task, 0);
	if (argv->items[1][0] == '-' && strcmp(argv->items[1], "-p") != 0 &&
	    strcmp(argv->items[1], "--") != 0)
		return do_type(task, frame, argv);
	struct kt_buf text = {0};
	for (size_t i = 1 + (argv->items[1][0] == '-'); i < argv->count; i++) {
		kt_buf_adds(&text, i > 1 ? " '" : "'");
		for (const char *c = argv->items[i]; *c; c++)
			*c == '\'' ? kt_buf_adds(&text, "'\\''") : kt_buf_addc(&text, *c);
		kt_buf_addc(&text, '\'');
	}
	task_source(task, kt_buf_str(&text), text.len, false);
	kt_buf_clear(&text);
	return STEP_AGAIN;
}

static enum step do_let(struct task *task, struct frame *frame, const struct kt_strs *argv);

/* (( SUM )), which is bash's: to others it is a subshell in a subshell, in which nobody finds the program. */
static enum step do_sum(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	if (task->flavour == FLAVOUR_BASH)
		return do_let(task, frame, argv);
	const char *sum = arg(argv, 1);
	sum = sum ? sum + strspn(sum, " ") : "";
	task_error(task, "%.*s: not found", (int)strcspn(sum, " "), sum);
	return done(task, 127);
}

static enum step do_let(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	char message[128];
	int64_t value = 0;
	(void)frame;
	for (size_t i = 1; i < argv->count; i++) {
		if (!arithmetic(task, argv->items[i], &value, message)) {
			task_error(task, "%s", message);
			return done(task, 1);
		}
	}
	return done(task, value == 0);
}

/* getopts SPEC NAME [ARG…] */
static enum step do_getopts(struct task *task, struct frame *frame, const struct kt_strs *argv)
{
	struct kt_strs own = {.items = argv->items + 3, .count = argv->count - KT_MIN(argv->count, 3)};
	const struct kt_strs *args = own.count ? &own : &task->args;
	const char *spec = arg(argv, 1), *name = arg(argv, 2), *index = task_var(task, "OPTIND");
	const char *offset = task_var(task, "_OPTOFF");
	size_t at = index && number(index, 1) > 0 ? (size_t)number(index, 1) - 1 : 0;
	size_t in = offset && number(offset, 1) > 0 ? (size_t)number(offset, 1) : 1;
	char letter[2] = "?";
	struct kt_buf n = {0};
	int status = 0;
	(void)frame;
	if (!spec || !name)
		return done(task, 2);
	const char *word = at < args->count ? args->items[at] : NULL;
	if (!word || word[0] != '-' || !word[1] || !strcmp(word, "--") || in >= strlen(word)) {
		status = 1;
		at += word && !strcmp(word, "--");
	} else {
		letter[0] = word[in++];
		const char *found = strchr(spec, letter[0]);
		if (!found || letter[0] == ':') {
			if (spec[0] != ':')
				task_error(task, "Illegal option -%s", letter);
			letter[0] = '?';
		} else if (found[1] == ':') {
			const char *value =
			        word[in] ? word + in : (++at < args->count ? args->items[at] : NULL);
			task_set_var(task, "OPTARG", value ? value : "");
			if (!value) {
				if (spec[0] != ':')
					task_error(task, "No arg for -%s option", letter);
				letter[0] = spec[0] == ':' ? ':' : '?';
			}
			in = SIZE_MAX;
		}
		if (in >= strlen(word)) {
			at = KT_MIN(at + 1, args->count);
			in = 1;
		}
	}
	kt_buf_addf(&n, "%zu", at + 1);
	task_set_var(task, "OPTIND", n.data);
	kt_buf_cut(&n, 0);
	kt_buf_addf(&n, "%zu", in);
	task_set_var(task, "_OPTOFF", n.data);
	kt_buf_clear(&n);
	task_set_var(task, name, letter);
	return done(task, status);
}

static const struct {
	const char *name;
	builtin_fn *run;
} builtins[] = {
        {"((", do_sum},         {":", do_true},          {".", do_dot},           {"[", do_test},
        {"[[", do_test},        {"alias", do_true},      {"bg", do_true},         {"break", do_break},
        {"=array", do_array},   {"=element", do_array},  {"cd", do_cd},           {"command", do_command},
        {"continue", do_break}, {"declare", do_local},   {"echo", do_echo},       {"eval", do_eval},
        {"exec", do_exec},      {"exit", do_exit},       {"export", do_export},   {"false", do_false},
        {"fg", do_wait},        {"getopts", do_getopts}, {"hash", do_true},       {"jobs", do_jobs},
        {"kill", do_kill},      {"let", do_let},         {"local", do_local},     {"printf", do_printf},
        {"pwd", do_pwd},        {"read", do_read},       {"readonly", do_export}, {"return", do_return},
        {"set", do_set},        {"shift", do_shift},     {"shopt", do_true},      {"source", do_dot},
        {"test", do_test},      {"times", do_true},      {"trap", do_trap},       {"true", do_true},
        {"type", do_type},      {"typeset", do_local},   {"ulimit", do_ulimit},   {"umask", do_umask},
        {"unalias", do_true},   {"unset", do_unset},     {"wait", do_wait}};

bool builtin_is(const char *name)
{
	for (size_t i = 0; i < KT_COUNT(builtins); i++) {
		if (!strcmp(builtins[i].name, name))
			return true;
	}
	return false;
}

bool builtin_run(struct task *task, struct frame *frame, const struct kt_strs *argv, enum step *step)
{
	for (size_t i = 0; i < KT_COUNT(builtins); i++) {
		if (!strcmp(builtins[i].name, argv->items[0])) {
			*step = builtins[i].run(task, frame, argv);
			return true;
		}
	}
	return false;
}
