/* SPDX-License-Identifier: MIT */
/* Programs that run another one: nice, taskset, setsid, setpriv, stdbuf, flock, start-stop-daemon. What only
 * a kernel would notice (priorities, sessions, CPUs) is taken and means nothing. */
#include "cluster/kubelet/process.h"
#include "cluster/kubelet/shell/shell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EVERY "busybox debian"

struct wrap {
	size_t first; /* where the program's words begin; 0: not looked yet */
	bool locked;
};

static int run_from(struct tool_run *r, size_t first)
{
	struct kt_strs argv = {0};
	int status = 0;
	for (size_t i = first; i < r->argv.count; i++)
		kt_strs_add(&argv, r->argv.items[i]);
	int rc = tool_run_child(r, &argv, &status);
	kt_strs_clear(&argv);
	return rc ? rc : status;
}

/* The options of each, and how many words stand between them and the program. */
static const struct wrapper {
	const char *name, *spec;
	size_t words;
	const char *alone; /* what it prints without a program; NULL: it wants one */
} wrappers[] = {
        {"nice", "+n:", 0, "0\n"},      {"ionice", "+c:n:p:t", 0, "none: prio 0\n"},
        {"taskset", "+pc", 1, NULL},    {"chrt", "+bfiormp", 1, NULL},
        {"setsid", "+cfw", 0, NULL},    {"nohup", "+", 0, NULL},
        {"stdbuf", "+i:o:e:", 0, NULL}, {"linux32", "+", 0, NULL},
        {"linux64", "+", 0, NULL},      {"cttyhack", "+", 0, NULL},
        {"setpriv", "+d", 0, NULL},     {"setarch", "+R", 1, NULL},
};

static int run_wrapper(struct tool_run *r)
{
	struct wrap *s = r->state;
	const struct wrapper *row = wrappers;
	while (strcmp(row->name, r->tool->name) != 0)
		row++;
	const char *value;
	int option;
	for (size_t at = 1, in = 0; !s->first;) {
		option = tool_option(r, &at, &in, row->spec, &value);
		if (option == '?') /* -5 of nice is a number */
			return row == wrappers ? 125 : 1;
		if (!option)
			s->first = at + row->words;
	}
	if (s->first >= r->argv.count && row->alone) {
		tool_outs(r, row->alone);
		return 0;
	}
	if (s->first >= r->argv.count)
		return tool_fail(r, tool_busybox(r) ? 1 : 125, "missing operand");
	return run_from(r, s->first);
}

/* --- flock --- */
struct flock {
	size_t first;
	bool ready, shared, fails, unlocks, shell;
	kt_ns limit, since;
	int code;
	struct fd fd; /* the file's own, or that of the number given */
};

static void end_flock(struct tool_run *r)
{
	struct flock *s = r->state;
	fd_close(&s->fd);
}

/* Does another open file hold it? The chan that it was opened as holds a lock, and goes with its last user.
 */
static bool held(const struct tool_run *r, const struct chan *mine, bool shared)
{
	for (const struct process *p = tool_container(r)->processes; p; p = p->next) {
		for (const struct task *t = p->tasks; t; t = t->next) {
			for (int fd = 0; !t->done && fd < FD_MAX; fd++) {
				const struct chan *chan = t->fds[fd].chan;
				if (chan && chan != mine && chan->path && chan->lock &&
				    !strcmp(chan->path, mine->path) && !(shared && chan->lock == 's'))
					return true;
			}
		}
	}
	return false;
}

/* FILE, or the number of a file that is open. */
static int flock_open(struct tool_run *r, const char *word)
{
	struct flock *s = r->state;
	char *end;
	unsigned long fd = strtoul(word, &end, 10);
	if (!*end && end != word) {
		if (fd >= FD_MAX || !r->task->fds[fd].chan)
			return tool_fail(r, 1, "%s: Bad file descriptor", word);
		fd_put(&s->fd, r->task->fds[fd].chan, r->task->fds[fd].writes);
		return 0;
	}
	struct files *files = tool_container(r)->files;
	struct files_stat st;
	struct chan *chan = chan_new(r->task->process, CHAN_FILE);
	chan->path = tool_path(r, word);
	chan->append = true;
	fd_put(&s->fd, chan, false);
	int rc = files_stat(files, chan->path, &st) == ENOENT
	                 ? files_write(files, chan->path, "", 0, true, 0644, process_now(r->task->process))
	                 : 0;
	if (rc)
		return tool_fail(r, 1,
		                 tool_busybox(r) ? "can't open '%s': %s" : "cannot open lock file %s: %s",
		                 word, tool_strerror(rc));
	/* what it runs holds it, too: it is the last of this task's files */
	fd_put(&r->task->fds[FD_MAX - 1], chan, false);
	return 0;
}

static int flock_options(struct tool_run *r)
{
	struct flock *s = r->state;
	size_t at = 1, in = 0;
	const char *value;
	int option;
	s->limit = -1;
	s->code = 1;
	while ((option = tool_option(r, &at, &in, "+sxenuw:E:oF", &value))) {
		if (option == '?' || (option == 'w' && !tool_delay(value, &s->limit)))
			return 1;
		s->shared = s->shared || option == 's' || (option == '-' && !strcmp(value, "shared"));
		s->fails = s->fails || option == 'n' || (option == '-' && !strncmp(value, "nonb", 4));
		s->unlocks = s->unlocks || option == 'u' || (option == '-' && !strcmp(value, "unlock"));
		if (option == 'E')
			s->code = (int)strtol(value, NULL, 10);
		if (option == '-' && kt_starts(value, "timeout="))
			(void)tool_delay(value + 8, &s->limit);
	}
	if (at >= r->argv.count)
		return tool_fail(r, 1, "requires file descriptor, file or directory");
	int rc = flock_open(r, r->argv.items[at++]);
	s->shell = at < r->argv.count &&
	           (!strcmp(r->argv.items[at], "-c") || !strcmp(r->argv.items[at], "--command"));
	s->first = at + s->shell;
	s->since = process_now(r->task->process);
	s->ready = true;
	return rc;
}

static int run_flock(struct tool_run *r)
{
	struct flock *s = r->state;
	if (!s->ready) {
		int rc = flock_options(r);
		if (rc)
			return rc;
	}
	struct chan *chan = s->fd.chan;
	if (s->unlocks) {
		chan->lock = 0;
		return 0;
	}
	while (!chan->lock && chan->path && held(r, chan, s->shared)) {
		kt_ns waited = process_now(r->task->process) - s->since;
		if (s->fails || (s->limit >= 0 && waited >= s->limit))
			return s->code;
		if (tool_sleep(r, 10 * KT_MS))
			return TOOL_WAIT;
	}
	chan->lock = s->shared ? 's' : 'x';
	if (s->first >= r->argv.count)
		return 0;
	if (!s->shell)
		return run_from(r, s->first);
	struct kt_strs argv = {0};
	int status = 0;
	kt_strs_add(&argv, "sh");
	kt_strs_add(&argv, "-c");
	kt_strs_add(&argv, r->argv.items[s->first]);
	int rc = tool_run_child(r, &argv, &status);
	kt_strs_clear(&argv);
	return rc ? rc : status;
}

/* start-stop-daemon -S [-b] [-m -p FILE] -x PROGRAM [-a ARGV0] -- ARG…: started; -K is kill's work. */
static int run_daemon(struct tool_run *r)
{
	size_t at = 1, in = 0;
	const char *value, *program = NULL, *pid_file = NULL;
	bool behind = false, makes = false;
	int option;
	struct kt_strs argv = {0};
	while ((option = tool_option(r, &at, &in, "+SKTbqovtmp:x:a:n:u:c:s:d:", &value))) {
		if (option == '?')
			return 1;
		behind = behind || option == 'b' || (option == '-' && !strcmp(value, "background"));
		makes = makes || option == 'm';
		program = option == 'x' || option == 'a' ? value : program;
		pid_file = option == 'p' ? value : pid_file;
	}
	if (!program)
		return tool_fail(r, 1, "-x is needed");
	kt_strs_add(&argv, program);
	for (; at < r->argv.count; at++)
		kt_strs_add(&argv, r->argv.items[at]);
	int status = 0, rc = 0;
	if (!behind) {
		rc = tool_run_child(r, &argv, &status);
	} else {
		struct task *child = task_fork(r->task, NULL, NULL);
		child->orphan = true;
		char *path = makes && pid_file ? tool_path(r, pid_file) : NULL;
		char *pid = kt_strf("%d\n", child->pid);
		if (path)
			(void)files_write(tool_container(r)->files, path, pid, strlen(pid), false, 0644,
			                  process_now(r->task->process));
		kt_free(pid);
		kt_free(path);
		status = task_become(child, &argv, NULL);
		if (status)
			task_end(child, status);
	}
	kt_strs_clear(&argv);
	return rc ? rc : status;
}

#define WRAPPER .run = run_wrapper, .state_size = sizeof(struct wrap)
const struct tool tools_wrap[] = {
        {.name = "chrt", .sets = EVERY, WRAPPER},
        {.name = "cttyhack", .sets = "busybox", WRAPPER},
        {.name = "flock",
         .sets = EVERY,
         .run = run_flock,
         .state_size = sizeof(struct flock),
         .end = end_flock},
        {.name = "ionice", .sets = EVERY, WRAPPER},
        {.name = "linux32", .sets = EVERY, WRAPPER},
        {.name = "linux64", .sets = EVERY, WRAPPER},
        {.name = "nice", .sets = EVERY, WRAPPER},
        {.name = "nohup", .sets = EVERY, WRAPPER},
        {.name = "setarch", .sets = EVERY, WRAPPER},
        {.name = "setpriv", .sets = EVERY, WRAPPER},
        {.name = "setsid", .sets = EVERY, WRAPPER},
        {.name = "start-stop-daemon", .sets = EVERY, .run = run_daemon},
        {.name = "stdbuf", .sets = "debian", WRAPPER},
        {.name = "taskset", .sets = EVERY, WRAPPER},
        {.name = NULL},
};
