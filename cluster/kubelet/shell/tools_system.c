/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/identity.h"
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EVERY "busybox debian"

static const char *argument(const struct tool_run *r, size_t i)
{
	return i < r->argv.count ? r->argv.items[i] : NULL;
}

/* --- environment --- */
static int run_env(struct tool_run *r)
{
	size_t at = 1;
	bool empty = false;
	struct kt_strs without = {0};
	for (; at < r->argv.count && r->argv.items[at][0] == '-'; at++) {
		const char *word = r->argv.items[at];
		empty = empty || !word[1] || !strcmp(word, "-i") || !strcmp(word, "--ignore-environment");
		if (!strcmp(word, "-u") && at + 1 < r->argv.count)
			kt_strs_add(&without, r->argv.items[++at]);
		else if (kt_starts(word, "--unset="))
			kt_strs_add(&without, word + 8);
	}
	for (size_t i = 0; !r->child && i < kt_count(r->task->vars.all); i++)
		if (empty || kt_strs_has(&without, kt_key(r->task->vars.all, i)))
			kt_set(&r->env, kt_key(r->task->vars.all, i), kt_json_null());
	kt_strs_clear(&without);
	for (; !r->child && at < r->argv.count && strchr(r->argv.items[at], '='); at++) {
		size_t len = strcspn(r->argv.items[at], "=");
		char *name = kt_strndup(r->argv.items[at], len);
		kt_set(&r->env, name, kt_json_str(r->argv.items[at] + len + 1));
		kt_free(name);
	}
	while (at < r->argv.count && strchr(r->argv.items[at], '='))
		at++;
	if (at < r->argv.count) {
		struct kt_strs argv = {0};
		int status = 0;
		for (size_t i = at; i < r->argv.count; i++)
			kt_strs_add(&argv, r->argv.items[i]);
		int rc = tool_run_child(r, &argv, &status);
		kt_strs_clear(&argv);
		return rc ? rc : status;
	}
	struct kt_json *all = tool_env_all(r);
	for (size_t i = 0; i < kt_count(all); i++)
		tool_outf(r, "%s=%s\n", kt_key(all, i), kt_str_or(kt_at(all, i), ""));
	kt_json_free(all);
	return 0;
}

static int run_arch(struct tool_run *r)
{
	tool_outs(r, "x86_64\n");
	return 0;
}

/* busybox APPLET [ARG…]: the program of that name. */
static int run_busybox(struct tool_run *r)
{
	struct kt_strs argv = {0};
	int status = 0;
	if (r->argv.count == 1) {
		tool_outs(r, "BusyBox v1.36.1 (2024-06-10 07:11:47 UTC) multi-call binary.\n");
		return 0;
	}
	if (!r->child && !tool_find(r->task->process->image, r->argv.items[1]) &&
	    !kt_streq(r->argv.items[1], "sh") && !kt_streq(r->argv.items[1], "ash")) {
		struct kt_buf text = {0};
		kt_buf_addf(&text, "%s: applet not found\n", r->argv.items[1]);
		task_write(r->task, 2, text.data, text.len);
		kt_buf_clear(&text);
		return 127;
	}
	for (size_t i = 1; i < r->argv.count; i++)
		kt_strs_add(&argv, r->argv.items[i]);
	int rc = tool_run_child(r, &argv, &status);
	kt_strs_clear(&argv);
	return rc ? rc : status;
}

static int run_printenv(struct tool_run *r)
{
	int status = 0;
	if (r->argv.count == 1)
		return run_env(r);
	for (size_t i = 1; i < r->argv.count; i++) {
		const char *value = tool_env(r, r->argv.items[i]);
		if (value)
			tool_outf(r, "%s\n", value);
		else
			status = 1;
	}
	return status;
}

/* Is the user root, and was the container left this capability? */
static bool may(struct tool_run *r, const char *capability)
{
	const struct container *c = tool_container(r);
	return files_user(c->files)->uid == 0 && identity_may(c->capabilities, capability);
}

static int run_hostname(struct tool_run *r)
{
	const struct container *c = tool_container(r);
	const char *option = argument(r, 1);
	if (option && option[0] != '-' && !may(r, "SYS_ADMIN"))
		return tool_fail(r, 1,
		                 tool_busybox(r) ? "sethostname: Operation not permitted"
		                                 : "you must be root to change the host name");
	if (option && option[0] != '-')
		return 0; /* the name of a privileged container's own, which nothing here reads again */
	const char *subdomain = kt_get_str(c->spec, "subdomain"),
	           *name = c->host_name ? c->host_name : c->pod;
	if (option && (!strcmp(option, "-f") || !strcmp(option, "--fqdn")) && subdomain && *subdomain)
		tool_outf(r, "%s.%s.%s.svc.cluster.local\n", name, subdomain, c->ns);
	else if (option && !strcmp(option, "-d"))
		tool_outf(r, "%s%s%s%s\n", subdomain ? subdomain : "", subdomain ? "." : "",
		          subdomain ? c->ns : "", subdomain ? ".svc.cluster.local" : "");
	else if (option && (!strcmp(option, "-i") || !strcmp(option, "-I")))
		tool_outf(r, "%s%s\n", c->pod_ip ? c->pod_ip : "127.0.0.1", option[1] == 'I' ? " " : "");
	else
		tool_outf(r, "%s\n", name);
	return 0;
}

/* --- time --- */
void tool_time(kt_ns now, const char *format, struct kt_buf *out)
{
	char text[512];
	time_t seconds = (time_t)(now / KT_SEC);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	/* %N, %3N and %s are not strftime's everywhere */
	struct kt_buf expanded = {0};
	for (const char *c = format; *c; c++) {
		if (c[0] == '%' && c[1] == 'N')
			kt_buf_addf(&expanded, "%09lld", (long long)(now % KT_SEC)), c++;
		else if (c[0] == '%' && c[1] == '3' && c[2] == 'N')
			kt_buf_addf(&expanded, "%03lld", (long long)(now % KT_SEC / KT_MS)), c += 2;
		else if (c[0] == '%' && c[1] == 's')
			kt_buf_addf(&expanded, "%lld", (long long)(now / KT_SEC)), c++;
		else if (c[0] == '%' && c[1])
			kt_buf_add(&expanded, c, 2), c++;
		else
			kt_buf_addc(&expanded, *c);
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	size_t len = expanded.len ? strftime(text, sizeof(text), kt_buf_str(&expanded), &tm) : 0;
#pragma GCC diagnostic pop
	kt_buf_clear(&expanded);
	kt_buf_add(out, text, len);
}

/* 10, 1.5, 2m, 1h, infinity; false: none of these. */
static bool parse_delay(const char *text, kt_ns *out)
{
	char *end;
	double n;
	if (!strcmp(text, "infinity") || !strcmp(text, "inf")) {
		*out = INT64_MAX / 4;
		return true;
	}
	if (!isdigit((unsigned char)text[0]) && text[0] != '.')
		return false;
	n = strtod(text, &end);
	n *= *end == 'm' ? 60 : (*end == 'h' ? 3600 : (*end == 'd' ? 86400 : 1));
	if (*end && (!strchr("smhd", *end) || end[1]))
		return false;
	*out = n > 9e9 / 4 ? INT64_MAX / 4 : (kt_ns)(n * 1e9);
	return true;
}

static int run_sleep(struct tool_run *r)
{
	kt_ns sum = 0, one;
	if (r->argv.count < 2)
		return tool_fail(r, 1, "missing operand");
	for (size_t i = 1; i < r->argv.count && !r->until; i++) {
		if (!parse_delay(r->argv.items[i], &one)) {
			if (tool_busybox(r))
				return tool_fail(r, 1, "invalid number '%s'", r->argv.items[i]);
			return tool_fail(r, 1, "invalid time interval '%s'", r->argv.items[i]);
		}
		sum = KT_MIN(sum + one, INT64_MAX / 4);
	}
	return tool_sleep(r, sum);
}

struct limited {
	kt_ns limit, kill_after;
	int signo;
	size_t first;
	bool fired;
};

static int run_timeout(struct tool_run *r)
{
	struct limited *s = r->state;
	if (!r->opened) {
		size_t at = 1;
		s->signo = SIGTERM;
		for (; at < r->argv.count && r->argv.items[at][0] == '-'; at++) {
			const char *word = r->argv.items[at];
			if (!strcmp(word, "-s") && at + 1 < r->argv.count)
				s->signo = signal_number(r->argv.items[++at]);
			else if (!strcmp(word, "-k") && at + 1 < r->argv.count)
				parse_delay(r->argv.items[++at], &s->kill_after);
			else if (!strcmp(word, "-t") && at + 1 < r->argv.count)
				parse_delay(r->argv.items[++at], &s->limit);
		}
		if (!s->limit && at < r->argv.count && !parse_delay(r->argv.items[at++], &s->limit))
			return tool_fail(r, 125, "invalid time interval '%s'", r->argv.items[at - 1]);
		s->first = at;
		r->opened = true;
	}
	if (s->first >= r->argv.count)
		return tool_fail(r, tool_busybox(r) ? 1 : 125, "missing operand");
	struct kt_strs argv = {0};
	int status = 0, rc;
	for (size_t i = s->first; i < r->argv.count; i++)
		kt_strs_add(&argv, r->argv.items[i]);
	rc = tool_run_child(r, &argv, &status);
	kt_strs_clear(&argv);
	if (!rc) {
		/* busybox's is the program itself, and the shell tells of its end */
		if (s->fired && tool_busybox(r) && r->task->depth > 1)
			task_write(r->task, 2, status == 137 ? "Killed\n" : "Terminated\n",
			           status == 137 ? 7 : 11);
		return s->fired && !tool_busybox(r) ? 124 : status;
	}
	if (!s->fired && !tool_sleep(r, s->limit)) {
		struct task *child = process_task(r->task->process, r->child);
		s->fired = true;
		if (child)
			task_signal(child, s->signo);
	}
	return TOOL_WAIT;
}

static int run_time(struct tool_run *r)
{
	kt_ns *start = r->state;
	struct kt_strs argv = {0};
	int status = 0, rc;
	if (!*start)
		*start = process_now(r->task->process);
	for (size_t i = 1; i < r->argv.count; i++)
		kt_strs_add(&argv, r->argv.items[i]);
	rc = argv.count ? tool_run_child(r, &argv, &status) : 0;
	kt_strs_clear(&argv);
	if (rc)
		return rc;
	double took = (double)(process_now(r->task->process) - *start) / 1e9;
	tool_err(r, "real\t%dm %.2fs\nuser\t0m 0.00s\nsys\t0m 0.00s\n", (int)(took / 60),
	         took - 60 * (int)(took / 60));
	return status;
}

/* watch -n 2 COMMAND: again and again. */
static int run_watch(struct tool_run *r)
{
	size_t first = 1;
	kt_ns pause = 2 * KT_SEC;
	struct kt_strs argv = {0};
	int status;
	for (; first < r->argv.count && r->argv.items[first][0] == '-'; first++) {
		if (!strcmp(r->argv.items[first], "-n") && first + 1 < r->argv.count)
			parse_delay(r->argv.items[++first], &pause);
	}
	if (r->pc == 0) {
		struct kt_buf text = {0};
		for (size_t i = first; i < r->argv.count; i++)
			kt_buf_addf(&text, "%s%s", i > first ? " " : "", r->argv.items[i]);
		kt_strs_add(&argv, "sh");
		kt_strs_add(&argv, "-c");
		kt_strs_add(&argv, kt_buf_str(&text));
		kt_buf_clear(&text);
		int rc = tool_run_child(r, &argv, &status);
		kt_strs_clear(&argv);
		if (rc)
			return rc;
		r->pc = 1;
	}
	if (tool_sleep(r, pause))
		return TOOL_WAIT;
	r->pc = 0;
	return TOOL_AGAIN;
}

/* --- processes --- */
static int run_ps(struct tool_run *r)
{
	const struct container *c = tool_container(r);
	bool wide = !tool_busybox(r) && argument(r, 1);
	tool_outs(r, tool_busybox(r) ? "PID   USER     TIME  COMMAND\n"
	                             : (wide ? "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START  "
	                                       " TIME COMMAND\n"
	                                     : "    PID TTY          TIME CMD\n"));
	int last = 0;
	struct kt_buf user = {0};
	uint32_t uid = files_user(tool_container(r)->files)->uid;
	if (!identity_user_name(tool_container(r), uid, &user))
		kt_buf_addf(&user, "%u", (unsigned)uid);
	for (;;) {
		/* in the order of pids */
		const struct task *next = NULL;
		for (const struct process *p = c->processes; p; p = p->next) {
			for (const struct task *t = p->tasks; t; t = t->next) {
				if (!t->done && t->pid > last && (!next || t->pid < next->pid))
					next = t;
			}
		}
		if (!next)
			break;
		last = next->pid;
		const char *command =
		        next == r->task && next->depth > 1 ? "ps" : (next->command ? next->command : "sh");
		if (tool_busybox(r))
			tool_outf(r, "%5d %-8s  0:00 %s\n", next->pid, kt_buf_str(&user), command);
		else if (wide)
			tool_outf(r, "%-8s %7d  0.0  0.1   2576  1536 ?        Ss   00:00   0:00 %s\n",
			          "root", next->pid, command);
		else
			tool_outf(r, "%7d ?        00:00:00 %.15s\n", next->pid, command);
	}
	kt_buf_clear(&user);
	return 0;
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
		bool any = false;
		for (struct process *p = c->processes; p; p = p->next) {
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
	for (const struct process *p = c->processes; p && r->argv.count > 1; p = p->next) {
		for (const struct task *t = p->tasks; t; t = t->next) {
			if (t->done || t == r->task || !t->command || !strstr(t->command, pattern))
				continue;
			tool_outf(r, "%d\n", t->pid);
			status = 0;
		}
	}
	return status;
}

static int run_top(struct tool_run *r)
{
	int64_t cpu, memory;
	container_usage(tool_container(r), &cpu, &memory);
	tool_outf(r, "Mem: %lldK used, %lldK free, 0K shrd, 0K buff, 0K cached\n", (long long)(memory / 1024),
	          (long long)(tool_node_memory(r) / 2048));
	return run_ps(r);
}

static int run_free(struct tool_run *r)
{
	int64_t unit = argument(r, 1) && strchr(argument(r, 1), 'm') ? 1 << 20 : 1024,
	        total = tool_node_memory(r) / unit;
	tool_outf(r,
	          "              total        used        free      shared  buff/cache   available\nMem:    "
	          "%11lld %11lld %11lld "
	          "%11d %11lld %11lld\nSwap:             0           0           0\n",
	          (long long)total, (long long)(total / 4), (long long)(total / 2), 0, (long long)(total / 4),
	          (long long)(total * 3 / 4));
	return 0;
}

/* "98.3G", as both kinds of df have it. */
static char *human(int64_t kib)
{
	static const char units[] = "KMGT";
	double n = (double)kib;
	size_t unit = 0;
	for (; n >= 1024 && units[unit + 1]; unit++)
		n /= 1024;
	return kib ? kt_strf("%.1f%c", n, units[unit]) : kt_strdup("0");
}

static void df_row(struct tool_run *r, const char *what, int64_t all, int64_t used, const char *where,
                   bool people)
{
	int64_t shares = all ? (used * 100 + all - 1) / all : 0;
	char *texts[3];
	const int64_t amounts[] = {all, used, all - used};
	for (size_t i = 0; i < KT_COUNT(texts); i++)
		texts[i] = people ? human(amounts[i]) : kt_strf("%lld", (long long)amounts[i]);
	tool_outf(r, "%-20s %9s %9s %9s %3lld%% %s\n", what, texts[0], texts[1], texts[2], (long long)shares,
	          where);
	for (size_t i = 0; i < KT_COUNT(texts); i++)
		kt_free(texts[i]);
}

/* What a mounted volume holds, in KiB. */
static int64_t mounted_kib(const struct container *c, const char *where)
{
	struct files_mounted at;
	for (size_t i = 0; files_mounted(c->files, i, &at); i++)
		if (kt_ends(at.path, where))
			return (at.bytes + 1023) / 1024;
	return 0;
}

/* df [-h] [PATH…]: what is mounted, on the node's disk or in memory. */
static int run_df(struct tool_run *r)
{
	enum { DISK_KIB = 100 << 20 }; /* what a node says of itself: 100Gi */
	const struct container *c = tool_container(r);
	bool people = false;
	size_t first = 1;
	for (; first < r->argv.count && r->argv.items[first][0] == '-'; first++)
		people = people || strchr(r->argv.items[first], 'h');
	struct kt_buf mounts = {0};
	struct kt_strs told = {0};
	task_mounts(r->task, true, &mounts);
	/* of a path: the longest mount above it */
	for (size_t i = first; i < r->argv.count; i++) {
		char *path = tool_path(r, r->argv.items[i]), *best = kt_strdup("/");
		const char *rest = kt_buf_str(&mounts);
		size_t len;
		for (const char *line; rest && *rest && (line = kt_split(&rest, '\n', &len));) {
			const char *where = memchr(line, ' ', len);
			size_t n = where ? strcspn(where + 1, " ") : 0;
			if (n > strlen(best) && !strncmp(path, where + 1, n) &&
			    (!path[n] || path[n] == '/')) {
				kt_free(best);
				best = kt_strndup(where + 1, n);
			}
		}
		kt_strs_steal(&told, best);
		kt_free(path);
	}
	tool_outf(r, people ? "Filesystem                Size      Used Available Use%% Mounted on\n"
	                    : "Filesystem           1K-blocks      Used Available Use%% Mounted on\n");
	const char *rest = kt_buf_str(&mounts);
	size_t len;
	for (const char *line; rest && *rest && (line = kt_split(&rest, '\n', &len));) {
		char *copy = kt_strndup(line, len), *where = strchr(copy, ' '), *type, *how;
		*where++ = '\0';
		type = strchr(where, ' ');
		*type++ = '\0';
		how = strchr(type, ' ');
		*how++ = '\0';
		const char *size = strstr(how, "size=");
		bool memory = !strcmp(type, "tmpfs"),
		     disk = !strcmp(type, "ext4") || !strcmp(type, "overlay");
		bool wanted = !told.count || kt_strs_has(&told, where);
		if (memory && wanted)
			df_row(r, copy, size ? strtoll(size + 5, NULL, 10) : tool_node_memory(r) / 1024,
			       mounted_kib(c, where), where, people);
		else if (disk && wanted)
			df_row(r, copy, DISK_KIB, DISK_KIB / 5 + files_written(c->files) / 1024, where,
			       people);
		kt_free(copy);
	}
	kt_buf_clear(&mounts);
	kt_strs_clear(&told);
	return 0;
}

static int run_uname(struct tool_run *r)
{
	const char *option = argument(r, 1) ? argument(r, 1) : "-s";
	const struct container *c = tool_container(r);
	if (strchr(option, 'a'))
		tool_outf(r, "Linux %s 6.1.0 #1 SMP x86_64 GNU/Linux\n",
		          c->host_name ? c->host_name : c->pod);
	else
		tool_outf(r, "%s\n",
		          strchr(option, 'r')
		                  ? "6.1.0"
		                  : (strchr(option, 'm')
		                             ? "x86_64"
		                             : (strchr(option, 'n') ? (c->host_name ? c->host_name : c->pod)
		                                                    : "Linux")));
	return 0;
}

static int run_nproc(struct tool_run *r)
{
	tool_outf(r, "%lld\n", (long long)tool_node_cpus(r));
	return 0;
}

static int run_which(struct tool_run *r)
{
	int status = 0;
	for (size_t i = 1; i < r->argv.count; i++) {
		if (tool_find(r->task->process->image, r->argv.items[i]))
			tool_outf(r, "/%sbin/%s\n", tool_busybox(r) ? "" : "usr/", r->argv.items[i]);
		else
			status = 1;
	}
	return status;
}

static int run_mount(struct tool_run *r)
{
	const char *words[2] = {NULL, NULL};
	size_t count = 0;
	for (size_t i = 1; i < r->argv.count; i++) {
		const char *word = r->argv.items[i];
		if (word[0] == '-')
			i += word[1] && strchr("to", word[1]) && !word[2];
		else if (count < 2)
			words[count++] = word;
	}
	if (!count) {
		struct kt_buf text = {0};
		task_mounts(r->task, false, &text);
		tool_outs(r, kt_buf_str(&text));
		kt_buf_clear(&text);
		return 0;
	}
	if (may(r, "SYS_ADMIN"))
		return 0;
	if (!tool_busybox(r))
		return tool_fail(r, 32, "%s: permission denied.", words[count - 1]);
	return tool_fail(r, 1, "permission denied (are you root?)");
}

static int run_nothing(struct tool_run *r)
{
	(void)r;
	return 0;
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

/* --- work: what burns CPU and memory --- */
/* A quarter of a GiB each tenth of a second, until the container dies of it (or the node is full). */
int run_hog(struct tool_run *r)
{
	tool_cpu(r, 1000);
	for (;;) {
		if (tool_sleep(r, 100 * KT_MS))
			return TOOL_WAIT;
		int64_t next = r->task->memory + (256LL << 20), most = tool_node_memory(r);
		tool_memory(r, KT_MIN(next, most));
		if (r->task->done)
			return 137;
	}
}

struct stress {
	int64_t cpus, workers, bytes;
	kt_ns limit, hang;
	bool ready;
};

static int64_t size_of(const char *text)
{
	char *end;
	double n = strtod(text, &end);
	switch (toupper((unsigned char)*end)) {
	case 'K':
		n *= 1024;
		break;
	case 'M':
		n *= 1 << 20;
		break;
	case 'G':
		n *= 1 << 30;
		break;
	default:
		break;
	}
	return n > 1e15 ? (int64_t)1e15 : (int64_t)n;
}

static void stress_options(struct tool_run *r, struct stress *s)
{
	bool vish = false;
	s->bytes = 256LL << 20;
	for (size_t i = 1; i < r->argv.count; i++) {
		char *word = kt_strdup(r->argv.items[i]), *equals = strchr(word, '=');
		const char *name = word + strspn(word, "-"), *value = argument(r, i + 1);
		if (equals) {
			*equals = '\0';
			value = equals + 1;
		}
		const char *given = value ? value : "1";
		if (!strcmp(name, "cpu") || !strcmp(name, "c"))
			s->cpus = KT_MIN(strtoll(given, NULL, 10), 512),
			s->cpus = s->cpus ? s->cpus : tool_node_cpus(r);
		else if (!strcmp(name, "cpus"))
			s->cpus = KT_MIN(strtoll(given, NULL, 10), 512);
		else if (!strcmp(name, "vm") || !strcmp(name, "m"))
			s->workers = KT_MIN(strtoll(given, NULL, 10), 512);
		else if (!strcmp(name, "vm-bytes"))
			s->bytes = size_of(given);
		else if (!strcmp(name, "mem-total"))
			s->bytes = size_of(given), s->workers = 1, vish = true;
		else if (!strcmp(name, "timeout") || !strcmp(name, "t"))
			parse_delay(given, &s->limit);
		else if (!strcmp(name, "vm-hang"))
			s->hang = KT_SEC;
		kt_free(word);
	}
	if (vish)
		s->hang = KT_SEC;
}

static int run_stress(struct tool_run *r)
{
	struct stress *s = r->state;
	bool ng = strstr(r->tool->name, "ng") != NULL;
	const char *name = r->tool->name;
	if (!s->ready) {
		s->ready = true;
		stress_options(r, s);
		if (!s->cpus && !s->workers && r->argv.count < 2) {
			tool_outs(r, "`stress' imposes certain types of compute stress on your "
			             "system\n\nUsage: stress [OPTION [ARG]] ...\n");
			return 0;
		}
		tool_outf(r, "%s: info: [%d] dispatching hogs: %lld cpu, 0 io, %lld vm, 0 hdd\n", name,
		          r->task->pid, (long long)s->cpus, (long long)s->workers);
		tool_cpu(r, 1000 * (s->cpus + (s->hang ? 0 : s->workers)));
		tool_memory(r, s->workers * s->bytes);
		if (r->task->done)
			return 137;
	}
	if (!s->limit)
		return TOOL_WAIT;
	if (tool_sleep(r, s->limit))
		return TOOL_WAIT;
	tool_outf(r, "%s: info: [%d] successful run completed in %llds\n", ng ? "stress-ng" : name,
	          r->task->pid, (long long)(s->limit / KT_SEC));
	return 0;
}

/* Bytes a second that a node's disk takes. */
static const int64_t disk_speed = 800LL * 1000 * 1000;

static void dd_told(struct tool_run *r, int64_t bytes, int64_t block)
{
	int64_t whole = block > 0 ? bytes / block : 0, part = block > 0 && bytes % block ? 1 : 0;
	double seconds = (double)KT_MAX(bytes, (int64_t)1) / (double)disk_speed + 0.00005;
	struct kt_buf text = {0};
	kt_buf_addf(&text, "%lld+%lld records in\n%lld+%lld records out\n", (long long)whole, (long long)part,
	            (long long)whole, (long long)part);
	if (tool_busybox(r))
		kt_buf_addf(&text, "%lld bytes (%.1f%s) copied, %.6f seconds, %.1fMB/s\n", (long long)bytes,
		            bytes < 1048576 ? (double)bytes / 1024 : (double)bytes / 1048576,
		            bytes < 1048576 ? "KB" : "MB", seconds, (double)bytes / seconds / 1048576);
	else
		kt_buf_addf(&text, "%lld bytes (%.0f MB, %.0f MiB) copied, %.6f s, %.1f MB/s\n",
		            (long long)bytes, (double)bytes / 1e6, (double)bytes / 1048576, seconds,
		            (double)bytes / seconds / 1e6);
	task_write(r->task, 2, text.data, text.len);
	kt_buf_clear(&text);
}

/* Zeros into a file: only their number is kept. */
static int dd_fill(struct tool_run *r, const char *out, int64_t bytes, int64_t block)
{
	struct files *files = tool_container(r)->files;
	char *path = tool_path(r, out);
	kt_ns now = process_now(r->task->process);
	struct files_stat st = {0};
	int rc = files_write(files, path, "", 0, false, 0644, now);
	if (!rc)
		rc = files_extend(files, path, bytes, now);
	(void)files_stat(files, path, &st);
	kt_free(path);
	tool_memory(r, r->task->memory); /* the file may be in memory */
	if (r->task->done)
		return 137;
	if (rc == ENOSPC) {
		tool_errf(r, "error writing '%s': %s", out, tool_strerror(rc));
		bytes = (int64_t)st.size;
	} else if (rc) {
		return tool_fail(r, 1, tool_busybox(r) ? "can't open '%s': %s" : "failed to open '%s': %s",
		                 out, tool_strerror(rc));
	}
	dd_told(r, bytes, block);
	return rc ? 1 : 0;
}

/* What is in memory counts as the program's: /dev/shm. A volume's memory is counted by the kubelet. */
static int dd_zeros(struct tool_run *r, const char *out, int64_t bytes, int64_t block)
{
	static const char zeros[4096];
	if (out && kt_starts(out, "/dev/shm")) {
		tool_memory(r, bytes);
		if (r->task->done)
			return 137;
	}
	r->task->slice += bytes + bytes / 4; /* nanoseconds at disk_speed */
	if (out && strcmp(out, "/dev/null") != 0)
		return dd_fill(r, out, bytes, block);
	for (int64_t left = out ? 0 : KT_MIN(bytes, (int64_t)64 << 20); left > 0; left -= 4096)
		tool_out(r, zeros, (size_t)KT_MIN(left, (int64_t)sizeof(zeros)));
	dd_told(r, bytes, block);
	return 0;
}

static int run_dd(struct tool_run *r)
{
	const char *in = NULL, *out = NULL;
	int64_t block = 512, count = -1;
	for (size_t i = 1; i < r->argv.count; i++) {
		const char *word = r->argv.items[i];
		if (kt_starts(word, "if="))
			in = word + 3;
		else if (kt_starts(word, "of="))
			out = word + 3;
		else if (kt_starts(word, "bs="))
			block = size_of(word + 3);
		else if (kt_starts(word, "count="))
			count = strtoll(word + 6, NULL, 10);
	}
	enum { NOTICED = 1 << 20 };
	if (block >= NOTICED) /* its buffer */
		tool_memory(r, block);
	if (r->task->done)
		return 137;
	bool endless =
	        in && (!strcmp(in, "/dev/zero") || !strcmp(in, "/dev/urandom") || !strcmp(in, "/dev/random"));
	if (endless && count < 0 && (!out || !strcmp(out, "/dev/null"))) {
		tool_cpu(r, 1000);
		return TOOL_WAIT;
	}
	if (endless && count < 0)
		count = 1 << 30;
	if (endless)
		return dd_zeros(r, out,
		                block > 0 && count > (1LL << 40) / KT_MAX(block, 1)
		                        ? 1LL << 40
		                        : block * KT_MAX(count, 0),
		                block);
	struct kt_buf data = {0};
	if (in) {
		char *path = tool_path(r, in);
		int rc = special_file(r->task, path, &data);
		kt_free(path);
		if (rc)
			return tool_fail(r, 1,
			                 tool_busybox(r) ? "can't open '%s': %s" : "failed to open '%s': %s",
			                 in, tool_strerror(rc));
		if (count >= 0 && (int64_t)data.len > block * count)
			kt_buf_cut(&data, (size_t)(block * count));
	}
	int rc = 0;
	if (out && strcmp(out, "/dev/null") != 0) {
		char *path = tool_path(r, out);
		rc = files_write(tool_container(r)->files, path, kt_buf_str(&data), data.len, false, 0644,
		                 process_now(r->task->process));
		kt_free(path);
	} else if (!out) {
		tool_out(r, kt_buf_str(&data), data.len);
	}
	if (rc)
		tool_errf(r, "error writing '%s': %s", out, tool_strerror(rc));
	else
		dd_told(r, (int64_t)data.len, block);
	kt_buf_clear(&data);
	return rc ? 1 : 0;
}

/* --- packages: there is no network for them --- */
static int run_package(struct tool_run *r)
{
	if (r->tool->name[2] == 'k') {
		tool_outs(r,
		          "fetch https://dl-cdn.alpinelinux.org/alpine/v3.22/main/x86_64/APKINDEX.tar.gz\n");
		static const char text[] =
		        "WARNING: fetching https://dl-cdn.alpinelinux.org/alpine/v3.22/main: network error "
		        "(check "
		        "Internet connection and firewall)\n";
		task_write(r->task, 2, text, sizeof(text) - 1);
		return 1;
	}
	static const char text[] =
	        "E: Failed to fetch http://deb.debian.org/debian/dists/bookworm/InRelease  Temporary failure "
	        "resolving 'deb.debian.org'\nE: Some index files failed to download.\n";
	task_write(r->task, 2, text, sizeof(text) - 1);
	return 100;
}

/* --- expr --- */
/* Anchored; the first group, else the number of characters that match. */
static int expr_match(struct tool_run *r, const char *text, const char *pattern)
{
	regmatch_t at[2] = {{-1, -1}, {-1, -1}};
	regex_t regex;
	char *anchored = kt_strf("^%s", pattern);
	int rc = regcomp(&regex, anchored, 0);
	kt_free(anchored);
	if (rc)
		return tool_fail(r, 2, "syntax error");
	bool group = regex.re_nsub > 0;
	rc = regexec(&regex, text, 2, at, 0);
	regfree(&regex);
	if (group)
		tool_outf(r, "%.*s\n", rc ? 0 : (int)(at[1].rm_eo - at[1].rm_so),
		          rc ? "" : text + at[1].rm_so);
	else
		tool_outf(r, "%d\n", rc ? 0 : (int)at[0].rm_eo);
	return rc || (group ? at[1].rm_eo == at[1].rm_so : at[0].rm_eo == 0);
}

static int run_expr(struct tool_run *r)
{
	size_t n = r->argv.count - 1;
	char *const *w = r->argv.items + 1;
	if (n == 3 && strcmp(w[1], ":") != 0 && strcmp(w[0], "match") != 0 && strcmp(w[0], "index") != 0) {
		static const char *const ops[] = {"+", "-", "*", "/", "%", "<", "<=", ">", ">=", "=", "!="};
		char *end1, *end2;
		long long a = strtoll(w[0], &end1, 10), b = strtoll(w[2], &end2, 10), v = 0;
		bool numbers = *w[0] && *w[2] && !*end1 && !*end2;
		size_t op = 0;
		while (op < KT_COUNT(ops) && strcmp(ops[op], w[1]) != 0)
			op++;
		if (op == KT_COUNT(ops))
			return tool_fail(r, 2, "syntax error");
		if (op < 5 && !numbers)
			return tool_fail(r, 2, "non-numeric argument");
		if ((op == 3 || op == 4) && !b)
			return tool_fail(r, 2, "division by zero");
		int order = numbers ? (a > b) - (a < b) : strcmp(w[0], w[2]);
		uint64_t ua = (uint64_t)a, ub = (uint64_t)b;
		switch (op) {
		case 0:
			v = (long long)(ua + ub);
			break;
		case 1:
			v = (long long)(ua - ub);
			break;
		case 2:
			v = (long long)(ua * ub);
			break;
		case 3:
			v = b == -1 ? (long long)(0 - ua) : a / b;
			break;
		case 4:
			v = b == -1 ? 0 : a % b;
			break;
		case 5:
			v = order < 0;
			break;
		case 6:
			v = order <= 0;
			break;
		case 7:
			v = order > 0;
			break;
		case 8:
			v = order >= 0;
			break;
		case 9:
			v = order == 0;
			break;
		default:
			v = order != 0;
			break;
		}
		tool_outf(r, "%lld\n", v);
		return v == 0;
	}
	if (n == 2 && !strcmp(w[0], "length")) {
		tool_outf(r, "%zu\n", strlen(w[1]));
		return 0;
	}
	if (n == 3 && !strcmp(w[0], "index")) {
		size_t at = strcspn(w[1], w[2]);
		tool_outf(r, "%zu\n", w[1][at] ? at + 1 : 0);
		return !w[1][at];
	}
	if (n == 4 && !strcmp(w[0], "substr")) {
		size_t len = strlen(w[1]), from = strtoul(w[2], NULL, 10), count = strtoul(w[3], NULL, 10);
		bool there = from >= 1 && from <= len && count;
		tool_outf(r, "%.*s\n", there ? (int)KT_MIN(count, len - from + 1) : 0,
		          there ? w[1] + from - 1 : "");
		return !there;
	}
	if (n == 3 && (!strcmp(w[1], ":") || !strcmp(w[0], "match")))
		return expr_match(r, !strcmp(w[1], ":") ? w[0] : w[1], w[2]);
	if (n == 1) {
		tool_outf(r, "%s\n", w[0]);
		return !*w[0] || !strcmp(w[0], "0");
	}
	if (n > 3) {
		/* longer ones: as arithmetic */
		struct kt_buf text = {0};
		char message[128];
		int64_t value = 0;
		for (size_t i = 0; i < n; i++)
			kt_buf_addf(&text, "%s ", w[i]);
		bool ok = arithmetic(r->task, kt_buf_str(&text), &value, message);
		kt_buf_clear(&text);
		if (ok) {
			tool_outf(r, "%lld\n", (long long)value);
			return value == 0;
		}
	}
	return tool_fail(r, 2, "syntax error");
}

/* pi for the Job of Kubernetes' documentation: perl -Mbignum=bpi -wle 'print bpi(2000)'. Gibbons' spigot
 * would need big numbers; this is Rabinowitz and Wagon's, with small ones. */
static void pi_digits(size_t digits, struct kt_buf *out)
{
	size_t len = digits * 10 / 3 + 2, nines = 0;
	unsigned predigit = 0;
	unsigned *a = kt_alloc(len * sizeof(*a));
	for (size_t i = 0; i < len; i++)
		a[i] = 2;
	for (size_t j = 0; j <= digits; j++) {
		unsigned long q = 0;
		for (size_t i = len; i > 0; i--) {
			unsigned long x = 10ul * a[i - 1] + q * i;
			a[i - 1] = (unsigned)(x % (2 * i - 1));
			q = x / (2 * i - 1);
		}
		a[0] = (unsigned)(q % 10);
		q /= 10;
		if (q == 9) {
			nines++;
			continue;
		}
		if (j)
			kt_buf_addf(out, "%u", predigit + (q == 10));
		for (; nines; nines--)
			kt_buf_addc(out, q == 10 ? '0' : '9');
		predigit = q == 10 ? 0 : (unsigned)q;
	}
	kt_buf_addf(out, "%u", predigit);
	kt_free(a);
	if (out->len > 1) {
		char *text = kt_strdup(out->data + 1);
		char first = out->data[0];
		kt_buf_cut(out, 0);
		kt_buf_addf(out, "%c.%s", first, text);
		kt_free(text);
		kt_buf_cut(out, KT_MIN(out->len, digits + 1));
	}
}

static int run_perl(struct tool_run *r)
{
	struct kt_buf out = {0};
	const char *script = argument(r, r->argv.count - 1), *bpi = strstr(script, "bpi(");
	const char *print = strstr(script, "print");
	if (bpi) {
		tool_cpu(r, 1000);
		if (tool_sleep(r, 3 * KT_SEC))
			return TOOL_WAIT;
		size_t digits = KT_MIN((size_t)strtoul(bpi + 4, NULL, 10), (size_t)5000);
		pi_digits(KT_MAX(digits, (size_t)1), &out);
		tool_outf(r, "%s\n", kt_buf_str(&out));
		kt_buf_clear(&out);
		return 0;
	}
	const char *quote = print ? strpbrk(print, "\"'") : NULL,
	           *end = quote ? strchr(quote + 1, *quote) : NULL;
	if (end) {
		bool stop = false;
		unescape(quote + 1, (size_t)(end - quote - 1), false, &out, &stop);
		tool_outf(r, "%s\n", kt_buf_str(&out));
		kt_buf_clear(&out);
	}
	return 0;
}

static int run_shell(struct tool_run *r)
{
	/* task_become and the shell start it as a task; here it comes from a tool that runs tools */
	int status = 0, rc = tool_run_child(r, &r->argv, &status);
	return rc ? rc : status;
}

static int run_usleep(struct tool_run *r)
{
	return tool_sleep(r, argument(r, 1) ? strtoll(argument(r, 1), NULL, 10) * KT_US : 0);
}

static int run_pwd(struct tool_run *r)
{
	tool_outf(r, "%s\n", r->task->dir);
	return 0;
}

const struct tool tools_system[] = {
        {.name = "apk", .sets = "alpine", .run = run_package},
        {.name = "apt", .sets = "debian", .run = run_package},
        {.name = "apt-get", .sets = "debian", .run = run_package},
        {.name = "arch", .sets = EVERY, .run = run_arch},
        {.name = "ash", .sets = "busybox", .run = run_shell, .shell = true},
        {.name = "bash", .sets = "debian bash", .run = run_shell, .shell = true},
        {.name = "chroot", .sets = EVERY, .run = run_nothing},
        {.name = "clear", .sets = EVERY, .run = run_nothing},
        {.name = "dash", .sets = "debian", .run = run_shell, .shell = true},
        {.name = "dd", .sets = EVERY, .run = run_dd},
        {.name = "df", .sets = EVERY, .run = run_df},
        {.name = "busybox", .sets = "busybox", .run = run_busybox},
        {.name = "env", .sets = EVERY, .run = run_env},
        {.name = "expr", .sets = EVERY, .run = run_expr},
        {.name = "free", .sets = "busybox netshoot", .run = run_free},
        {.name = "hostname", .sets = EVERY, .run = run_hostname},
        {.name = "kill", .sets = EVERY, .run = run_kill},
        {.name = "killall", .sets = "busybox", .run = run_kill},
        {.name = "mount", .sets = EVERY, .run = run_mount},
        {.name = "nproc", .sets = EVERY, .run = run_nproc},
        {.name = "perl", .sets = "perl debian", .run = run_perl},
        {.name = "pgrep", .sets = "busybox netshoot", .run = run_pgrep},
        {.name = "pkill", .sets = "busybox netshoot", .run = run_kill},
        {.name = "printenv", .sets = EVERY, .run = run_printenv},
        {.name = "ps", .sets = "busybox netshoot mysql", .run = run_ps},
        {.name = "pwd", .sets = EVERY, .run = run_pwd},
        {.name = "sh", .sets = EVERY, .run = run_shell, .shell = true},
        {.name = "sleep", .sets = EVERY, .run = run_sleep},
        {.name = "stress",
         .sets = "stress netshoot",
         .run = run_stress,
         .state_size = sizeof(struct stress),
         .term = 1},
        {.name = "stress-ng",
         .sets = "stress",
         .run = run_stress,
         .state_size = sizeof(struct stress),
         .term = 1},
        {.name = "sync", .sets = EVERY, .run = run_nothing},
        {.name = "sysctl", .sets = EVERY, .run = run_nothing},
        {.name = "time", .sets = EVERY, .run = run_time, .state_size = sizeof(kt_ns)},
        {.name = "timeout", .sets = EVERY, .run = run_timeout, .state_size = sizeof(struct limited)},
        {.name = "top", .sets = "busybox netshoot", .run = run_top},
        {.name = "tty", .sets = EVERY, .run = run_nothing},
        {.name = "uname", .sets = EVERY, .run = run_uname},
        {.name = "uptime", .sets = EVERY, .run = run_uptime},
        {.name = "usleep", .sets = "busybox", .run = run_usleep},
        {.name = "watch", .sets = EVERY, .run = run_watch},
        {.name = "which", .sets = EVERY, .run = run_which},
        {.name = "zsh", .sets = "netshoot", .run = run_shell, .shell = true},
        {.name = NULL},
};
