/* SPDX-License-Identifier: MIT */
/* The container's processes: who runs, signals, what they use. */
#include "cluster/kubelet/identity.h"
#include "cluster/kubelet/shell/shell.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define EVERY "busybox debian"

static const char *argument(const struct tool_run *r, size_t i)
{
	return i < r->argv.count ? r->argv.items[i] : NULL;
}

static void print_process(struct tool_run *r, bool wide, int pid, const char *user, const char *command)
{
	if (tool_busybox(r))
		tool_outf(r, "%5d %-8s  0:00 %s\n", pid, user, command);
	else if (wide)
		tool_outf(r, "%-8s %7d  0.0  0.1   2576  1536 ?        Ss   00:00   0:00 %s\n", "root", pid,
		          command);
	else
		tool_outf(r, "%7d ?        00:00:00 %.15s\n", pid, command);
}

static void user_of(const struct container *c, struct kt_buf *out)
{
	uint32_t uid = files_user(c->files)->uid;
	if (!identity_user_name(c, uid, out))
		kt_buf_addf(out, "%u", (unsigned)uid);
}

/* --- ps --- */
/* The columns of -o: busybox's width and name, procps' where it is another. */
static const struct column {
	const char *names; /* words */
	const char *title, *other_title;
	unsigned width, other_width;
	bool number;        /* on the right */
	const char *always; /* NULL: what is known of it, by its first name */
} columns[] = {
        {"pid", "PID", "PID", 5, 7, true, NULL},
        {"ppid", "PPID", "PPID", 5, 7, true, NULL},
        {"pgid", "PGID", "PGID", 5, 7, true, NULL},
        {"user euser ruser", "USER", "USER", 8, 8, false, NULL},
        {"comm ucmd", "COMMAND", "COMMAND", 16, 15, false, NULL},
        {"args command", "COMMAND", "COMMAND", 27, 27, false, NULL},
        {"cmd", "CMD", "CMD", 27, 27, false, NULL},
        {"time cputime", "TIME", "TIME", 5, 8, true, "0:00"},
        {"etime", "ELAPSED", "ELAPSED", 7, 11, true, "0:00"},
        {"stat state s", "STAT", "STAT", 4, 4, false, "S"},
        {"vsz", "VSZ", "VSZ", 4, 6, true, "2576"},
        {"rss", "RSS", "RSS", 4, 5, true, "1536"},
        {"tty tt", "TT", "TT", 6, 8, false, "?"},
        {"nice ni", "NI", "NI", 5, 3, true, "0"},
        {"%cpu pcpu", "%CPU", "%CPU", 4, 4, true, "0.0"},
        {"%mem pmem", "%MEM", "%MEM", 4, 4, true, "0.1"},
};
enum { MOST_COLUMNS = 16 };
struct ps {
	const struct column *columns[MOST_COLUMNS]; /* of -o */
	char *titles[MOST_COLUMNS];                 /* NAME=TITLE; NULL: its own */
	size_t count;
	bool wide;
};

static const struct column *column_named(const char *name, size_t len)
{
	char *word = kt_strndup(name, len);
	const struct column *found = NULL;
	for (size_t i = 0; i < KT_COUNT(columns) && !found; i++)
		found = kt_listed(columns[i].names, word) ? &columns[i] : NULL;
	kt_free(word);
	return found;
}

/* "pid,user=,args": false after saying which it does not know. */
static bool read_columns(struct tool_run *r, struct ps *s, const char *list)
{
	const char *rest = list;
	size_t len;
	for (const char *one; rest && (one = kt_split(&rest, ',', &len));) {
		size_t name = KT_MIN(strcspn(one, "="), len);
		const struct column *column = column_named(one, name);
		if (!column) {
			tool_errf(r,
			          tool_busybox(r) ? "bad -o argument '%s'"
			                          : "error: unknown user-defined format specifier \"%s\"",
			          one);
			return false;
		}
		if (s->count == MOST_COLUMNS)
			return true;
		s->titles[s->count] = name < len ? kt_strndup(one + name + 1, len - name - 1) : NULL;
		s->columns[s->count++] = column;
	}
	return true;
}

static void print_columns(struct tool_run *r, const struct ps *s, const char *const *values)
{
	struct kt_buf line = {0};
	bool gnu = !tool_busybox(r), any = false;
	for (size_t i = 0; i < s->count; i++) {
		const struct column *column = s->columns[i];
		int width = (int)(gnu ? column->other_width : column->width);
		bool last = i + 1 == s->count, right = column->number && (values || gnu);
		const char *own = gnu ? column->other_title : column->title;
		const char *text = values ? values[i] : s->titles[i] ? s->titles[i] : own;
		any = any || *text;
		kt_buf_addf(&line, right ? "%*s%s" : "%-*s%s", right || !last ? width : 0, text,
		            last ? "" : " ");
	}
	if (values || any)
		tool_outf(r, "%s\n", kt_buf_str(&line));
	kt_buf_clear(&line);
}

static void print_chosen(struct tool_run *r, const struct ps *s, int pid, const char *user,
                         const char *command)
{
	const char *values[MOST_COLUMNS];
	char *number = kt_strf("%d", pid), *parent = kt_strf("%d", pid == 1 ? 0 : 1);
	size_t word = strcspn(command, " ");
	char *path = kt_strndup(command, word);
	for (size_t i = 0; i < s->count; i++) {
		const char *name = s->columns[i]->names;
		values[i] = s->columns[i]->always     ? s->columns[i]->always
		            : kt_starts(name, "ppid") ? parent
		            : *name == 'p'            ? number
		            : kt_starts(name, "user") ? user
		            : kt_starts(name, "comm") ? kt_basename(path)
		                                      : command;
	}
	print_columns(r, s, values);
	kt_free(path);
	kt_free(number);
	kt_free(parent);
}

static void print_one(struct tool_run *r, const struct ps *s, int pid, const char *user, const char *command)
{
	if (s->count)
		print_chosen(r, s, pid, user, command);
	else
		print_process(r, s->wide, pid, user, command);
}

/* What a task runs: its program, where it is one alone (ps itself, `sleep 9 &`), else what it was begun as.
 */
static void command_of(const struct tool_run *r, const struct task *task, struct kt_buf *out)
{
	enum { ALONE = 2 };
	const struct frame *top = task->depth ? &task->stack[task->depth - 1] : NULL;
	bool alone = task->depth == ALONE || (task == r->task && task->depth > 1);
	const struct tool_run *run = alone && top->kind == FRAME_TOOL ? top->tool : NULL;
	for (size_t i = 0; run && i < run->argv.count; i++)
		kt_buf_addf(out, "%s%s", i ? " " : "", run->argv.items[i]);
	if (!run)
		kt_buf_adds(out, task->command ? task->command : "sh");
}

static void print_all(struct tool_run *r, const struct ps *s)
{
	const struct container *c = tool_container(r);
	int last = 0;
	if (process_is_pause(c, 1))
		print_one(r, s, 1, "65535", "/pause");
	for (;;) {
		/* in the order of pids */
		const struct task *next = NULL;
		for (const struct process *p = NULL; (p = process_next_seen(c, p)) != NULL;) {
			for (const struct task *t = p->tasks; t; t = t->next) {
				if (!t->done && t->pid > last && (!next || t->pid < next->pid))
					next = t;
			}
		}
		if (!next)
			return;
		last = next->pid;
		struct kt_buf user = {0}, command = {0};
		user_of(next->process->spec.container, &user);
		command_of(r, next, &command);
		print_one(r, s, next->pid, kt_buf_str(&user), kt_buf_str(&command));
		kt_buf_clear(&user);
		kt_buf_clear(&command);
	}
}

static int run_ps(struct tool_run *r)
{
	struct ps s = {.wide = !tool_busybox(r) && argument(r, 1)};
	bool good = true;
	for (size_t i = 1; i < r->argv.count && good; i++) {
		const char *word = r->argv.items[i];
		size_t len = strlen(word);
		if (word[0] == '-' && word[len - 1] == 'o' && argument(r, i + 1))
			good = read_columns(r, &s, r->argv.items[++i]);
		else if (kt_starts(word, "-o") && len > 2)
			good = read_columns(r, &s, word + 2);
	}
	if (good && s.count)
		print_columns(r, &s, NULL);
	else if (good)
		tool_outs(r, tool_busybox(r) ? "PID   USER     TIME  COMMAND\n"
		             : s.wide ? "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME "
		                        "COMMAND\n"
		                      : "    PID TTY          TIME CMD\n");
	if (good)
		print_all(r, &s);
	for (size_t i = 0; i < s.count; i++)
		kt_free(s.titles[i]);
	return !good;
}

static int run_kill(struct tool_run *r)
{
	int signo = SIGTERM, status = 0;
	size_t i = 1;
	const char *option = argument(r, 1);
	const struct container *c = tool_container(r);
	if (option && option[0] == '-') {
		const char *name = !strcmp(option, "-s") && argument(r, 2) ? r->argv.items[++i] : option + 1;
		signo = signal_number(name);
		i++;
	}
	bool by_name = strcmp(r->tool->name, "kill") != 0;
	for (; i < r->argv.count; i++) {
		bool any = !by_name && process_is_pause(c, (int)strtol(r->argv.items[i], NULL, 10));
		for (struct process *p = NULL; (p = process_next_seen(c, p)) != NULL;) {
			for (struct task *t = p->tasks, *next; t; t = next) {
				next = t->next;
				if (t->done || t == r->task)
					continue;
				bool hit = by_name ? t->command && kt_starts(kt_basename(t->command),
				                                             r->argv.items[i])
				                   : t->pid == (int)strtol(r->argv.items[i], NULL, 10);
				if (!hit)
					continue;
				any = true;
				if (signo > 0)
					task_signal(t, signo);
			}
		}
		if (!any) {
			status = 1;
			if (!by_name)
				tool_errf(r,
				          tool_busybox(r) ? "can't kill pid %s: No such process"
				                          : "(%s): No such process",
				          r->argv.items[i]);
			else if (r->tool->name[0] == 'k')
				tool_errf(r, "%s: no process killed", r->argv.items[i]);
		}
	}
	return status;
}

static int run_pgrep(struct tool_run *r)
{
	const struct container *c = tool_container(r);
	const char *pattern = argument(r, r->argv.count - 1);
	int status = 1;
	for (const struct process *p = NULL; r->argv.count > 1 && (p = process_next_seen(c, p)) != NULL;) {
		for (const struct task *t = p->tasks; t; t = t->next) {
			if (t->done || t == r->task || !t->command || !strstr(t->command, pattern))
				continue;
			tool_outf(r, "%d\n", t->pid);
			status = 0;
		}
	}
	return status;
}

/* pidof NAME…: processes whose program is so called */
static int run_pidof(struct tool_run *r)
{
	const struct container *c = tool_container(r);
	struct kt_buf out = {0};
	for (size_t i = 1; i < r->argv.count; i++) {
		for (const struct process *p = NULL; (p = process_next_seen(c, p)) != NULL;) {
			for (const struct task *t = p->tasks; t; t = t->next) {
				const char *command = t->command ? t->command : "";
				size_t len = strcspn(command, " :");
				char *name = kt_strndup(command, len);
				if (!t->done && t != r->task &&
				    kt_streq(kt_basename(name), kt_basename(r->argv.items[i])))
					kt_buf_addf(&out, "%s%d", out.len ? " " : "", t->pid);
				kt_free(name);
			}
		}
	}
	bool any = out.len > 0;
	if (any)
		tool_outf(r, "%s\n", kt_buf_str(&out));
	kt_buf_clear(&out);
	return !any;
}

static int run_top(struct tool_run *r)
{
	int64_t cpu, memory;
	container_usage(tool_container(r), &cpu, &memory);
	tool_outf(r, "Mem: %lldK used, %lldK free, 0K shrd, 0K buff, 0K cached\n", (long long)(memory / 1024),
	          (long long)(tool_node_memory(r) / 2048));
	return run_ps(r);
}

static int run_uptime(struct tool_run *r)
{
	struct kt_buf up = {0}, load = {0};
	(void)special_file(r->task, "/proc/uptime", &up);
	(void)special_file(r->task, "/proc/loadavg", &load);
	kt_buf_adds(&up, "");
	kt_buf_adds(&load, "");
	long long seconds = strtoll(up.data, NULL, 10), minutes = seconds / 60 % 60,
	          hours = seconds / 3600 % 24, days = seconds / 86400;
	kt_ns now = process_now(r->task->process);
	double loads[3] = {0};
	char *at = load.data;
	for (size_t i = 0; i < KT_COUNT(loads); i++)
		loads[i] = strtod(at, &at);
	tool_outf(r, " %02lld:%02lld:%02lld up ", (long long)(now / KT_HOUR % 24),
	          (long long)(now / (60 * KT_SEC) % 60), (long long)(now / KT_SEC % 60));
	if (days)
		tool_outf(r, "%lld day%s, ", days, days == 1 ? "" : "s");
	if (hours)
		tool_outf(r, "%2lld:%02lld", hours, minutes);
	else
		tool_outf(r, "%lld min", minutes);
	tool_outf(r, ",  0 users,  load average: %.2f, %.2f, %.2f\n", loads[0], loads[1], loads[2]);
	kt_buf_clear(&up);
	kt_buf_clear(&load);
	return 0;
}

const struct tool tools_process[] = {
        {.name = "pidof", .sets = EVERY, .run = run_pidof},
        {.name = "renice", .sets = EVERY, .run = tool_nothing},
        {.name = "kill", .sets = EVERY, .run = run_kill},
        {.name = "killall", .sets = "busybox", .run = run_kill},
        {.name = "pgrep", .sets = "busybox netshoot", .run = run_pgrep},
        {.name = "pkill", .sets = "busybox netshoot", .run = run_kill},
        {.name = "ps", .sets = "busybox netshoot mysql", .run = run_ps},
        {.name = "top", .sets = "busybox netshoot", .run = run_top},
        {.name = "uptime", .sets = EVERY, .run = run_uptime},
        {.name = NULL},
};
