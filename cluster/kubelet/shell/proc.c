/* SPDX-License-Identifier: MIT */
/* Files that the kernel makes up: /proc, /sys. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/kubelet/shell/shell.h"

int64_t tool_node_memory(const struct tool_run *r)
{
	const struct container *c = tool_container(r);
	const struct store_object *node =
	        store_get(cluster_store(c->cluster), schema_stored(cluster_schema(c->cluster), "", "Node"),
	                  "", c->node ? c->node : "");
	return node ? view_node(node)->capacity.memory : 8LL << 30;
}

int64_t tool_node_cpus(const struct tool_run *r)
{
	const struct container *c = tool_container(r);
	const struct store_object *node =
	        store_get(cluster_store(c->cluster), schema_stored(cluster_schema(c->cluster), "", "Node"),
	                  "", c->node ? c->node : "");
	return node ? KT_MAX(view_node(node)->capacity.cpu_milli / 1000, 1) : 4;
}

static void made_memory_max(const struct tool_run *r, struct kt_buf *out)
{
	int64_t limit = tool_container(r)->memory_limit;
	if (limit)
		kt_buf_addf(out, "%lld\n", (long long)limit);
	else
		kt_buf_adds(out, "max\n");
}

static void made_cpu_max(const struct tool_run *r, struct kt_buf *out)
{
	int64_t limit = tool_container(r)->cpu_limit_milli;
	if (limit)
		kt_buf_addf(out, "%lld 100000\n", (long long)limit * 100);
	else
		kt_buf_adds(out, "max 100000\n");
}

static void made_memory_now(const struct tool_run *r, struct kt_buf *out)
{
	int64_t cpu, memory;
	container_usage(tool_container(r), &cpu, &memory);
	kt_buf_addf(out, "%lld\n", (long long)memory);
}

static void made_meminfo(const struct tool_run *r, struct kt_buf *out)
{
	int64_t kib = tool_node_memory(r) / 1024;
	kt_buf_addf(out, "MemTotal:       %8lld kB\nMemFree:        %8lld kB\nMemAvailable:   %8lld kB\n",
	            (long long)kib, (long long)(kib / 2), (long long)(kib * 3 / 4));
}

static void made_uptime(const struct tool_run *r, struct kt_buf *out)
{
	double seconds = (double)(process_now(r->task->process) % (KT_HOUR * 240)) / 1e9;
	kt_buf_addf(out, "%.2f %.2f\n", seconds, seconds);
}

static void made_version(const struct tool_run *r, struct kt_buf *out)
{
	(void)r;
	kt_buf_adds(out, "Linux version 6.1.0 (ktutor) #1 SMP\n");
}

static void made_load(const struct tool_run *r, struct kt_buf *out)
{
	(void)r;
	kt_buf_adds(out, "0.12 0.10 0.09 1/512 42\n");
}

static void made_cpuinfo(const struct tool_run *r, struct kt_buf *out)
{
	for (int64_t i = 0; i < tool_node_cpus(r); i++)
		kt_buf_addf(out,
		            "processor\t: %lld\nvendor_id\t: GenuineIntel\nmodel name\t: virtual CPU\n\n",
		            (long long)i);
}

/* --- of a process: /proc/PID/… --- */
static void of_cmdline(const struct task *task, struct kt_buf *out)
{
	for (const char *c = task->command ? task->command : ""; *c; c++)
		kt_buf_addc(out, *c == ' ' ? '\0' : *c);
	kt_buf_addc(out, '\0');
}

static void add_name(const struct task *task, struct kt_buf *out)
{
	const char *command = task->command ? task->command : "sh";
	char *program = kt_strndup(command, strcspn(command, " "));
	kt_buf_addf(out, "%.15s", kt_basename(program));
	kt_free(program);
}

static void of_comm(const struct task *task, struct kt_buf *out)
{
	add_name(task, out);
	kt_buf_addc(out, '\n');
}

static void of_status(const struct task *task, struct kt_buf *out)
{
	const struct container *c = task->process->spec.container;
	const struct files_user *user = files_user(c->files);
	uint64_t own = user->uid == 0 ? c->capabilities : 0;
	kt_buf_adds(out, "Name:\t");
	add_name(task, out);
	kt_buf_addf(out, "\nUmask:\t0022\nState:\t%s\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\n",
	            task->pid == 1 ? "S (sleeping)" : "R (running)", task->pid, task->pid, task->ppid);
	kt_buf_addf(out, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", user->uid, user->uid, user->uid,
	            user->uid, user->gid, user->gid, user->gid, user->gid);
	kt_buf_addf(out, "VmRSS:\t%8lld kB\nThreads:\t1\n", (long long)(task->memory / 1024));
	kt_buf_addf(out,
	            "CapInh:\t%016x\nCapPrm:\t%016" PRIx64 "\nCapEff:\t%016" PRIx64 "\nCapBnd:\t%016" PRIx64
	            "\nCapAmb:\t%016x\n",
	            0u, own, own, c->capabilities, 0u);
	kt_buf_addf(out, "NoNewPrivs:\t%d\nSeccomp:\t%d\n", c->no_new_privileges, c->seccomp ? 2 : 0);
}

static void of_environ(const struct task *task, struct kt_buf *out)
{
	const struct container *c = task->process->spec.container;
	for (size_t i = 0; i < kt_count(c->env); i++) {
		kt_buf_addf(out, "%s=%s", kt_key(c->env, i), kt_str_or(kt_at(c->env, i), ""));
		kt_buf_addc(out, '\0');
	}
}

static bool of_process(const struct tool_run *r, const char *path, struct kt_buf *out)
{
	static const struct {
		const char *name;
		void (*make)(const struct task *task, struct kt_buf *out);
	} rows[] = {
	        {"cmdline", of_cmdline}, {"comm", of_comm}, {"environ", of_environ}, {"status", of_status}};
	const struct task *task = r->task;
	char *end = NULL;
	if (!kt_starts(path, "/proc/"))
		return false;
	path += strlen("/proc/");
	if (isdigit((unsigned char)*path)) {
		task = container_task(tool_container(r), (int)strtol(path, &end, 10));
		path = end;
	} else if (kt_starts(path, "self")) {
		path += strlen("self");
	} else {
		return false;
	}
	for (size_t i = 0; task && *path == '/' && i < KT_COUNT(rows); i++) {
		if (!strcmp(rows[i].name, path + 1)) {
			rows[i].make(task, out);
			return true;
		}
	}
	return false;
}

int special_file(const struct tool_run *r, const char *path, struct kt_buf *out)
{
	static const struct {
		const char *path;
		void (*make)(const struct tool_run *r, struct kt_buf *out);
	} rows[] = {{"/sys/fs/cgroup/memory.max", made_memory_max},
	            {"/sys/fs/cgroup/cpu.max", made_cpu_max},
	            {"/sys/fs/cgroup/memory.current", made_memory_now},
	            {"/proc/cpuinfo", made_cpuinfo},
	            {"/proc/meminfo", made_meminfo},
	            {"/proc/loadavg", made_load},
	            {"/proc/uptime", made_uptime},
	            {"/proc/version", made_version}};
	int rc = files_read(tool_container(r)->files, path, out);
	for (size_t i = 0; rc == ENOENT && i < KT_COUNT(rows); i++) {
		if (!strcmp(rows[i].path, path)) {
			rows[i].make(r, out);
			return 0;
		}
	}
	return rc == ENOENT && of_process(r, path, out) ? 0 : rc;
}
