/* SPDX-License-Identifier: MIT */
/* Files that the kernel makes up: /proc, /sys. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/kubelet/shell/shell.h"

static const struct view_node *node_of(const struct container *c)
{
	const struct store_object *node =
	        store_get(cluster_store(c->cluster), schema_stored(cluster_schema(c->cluster), "", "Node"),
	                  "", c->node ? c->node : "");
	return node ? view_node(node) : NULL;
}

static int64_t node_memory(const struct container *c)
{
	const struct view_node *node = node_of(c);
	return node ? node->capacity.memory : 8LL << 30;
}

static int64_t node_cpus(const struct container *c)
{
	const struct view_node *node = node_of(c);
	return node ? KT_MAX(node->capacity.cpu_milli / 1000, 1) : 4;
}

int64_t tool_node_memory(const struct tool_run *r)
{
	return node_memory(tool_container(r));
}

int64_t tool_node_cpus(const struct tool_run *r)
{
	return node_cpus(tool_container(r));
}

static void made_memory_max(const struct task *task, struct kt_buf *out)
{
	int64_t limit = task->process->spec.container->memory_limit;
	if (limit)
		kt_buf_addf(out, "%lld\n", (long long)limit);
	else
		kt_buf_adds(out, "max\n");
}

static void made_cpu_max(const struct task *task, struct kt_buf *out)
{
	int64_t limit = task->process->spec.container->cpu_limit_milli;
	if (limit)
		kt_buf_addf(out, "%lld 100000\n", (long long)limit * 100);
	else
		kt_buf_adds(out, "max 100000\n");
}

static void made_memory_now(const struct task *task, struct kt_buf *out)
{
	int64_t cpu, memory;
	container_usage(task->process->spec.container, &cpu, &memory);
	kt_buf_addf(out, "%lld\n", (long long)memory);
}

static void made_meminfo(const struct task *task, struct kt_buf *out)
{
	int64_t kib = node_memory(task->process->spec.container) / 1024;
	kt_buf_addf(out, "MemTotal:       %8lld kB\nMemFree:        %8lld kB\nMemAvailable:   %8lld kB\n",
	            (long long)kib, (long long)(kib / 2), (long long)(kib * 3 / 4));
}

static void made_uptime(const struct task *task, struct kt_buf *out)
{
	double seconds = (double)(process_now(task->process) % (KT_HOUR * 240)) / 1e9;
	kt_buf_addf(out, "%.2f %.2f\n", seconds, seconds);
}

static void made_version(const struct task *task, struct kt_buf *out)
{
	(void)task;
	kt_buf_adds(out, "Linux version 6.1.0 (ktutor) #1 SMP\n");
}

static void made_load(const struct task *task, struct kt_buf *out)
{
	(void)task;
	kt_buf_adds(out, "0.12 0.10 0.09 1/512 42\n");
}

static void made_cpuinfo(const struct task *task, struct kt_buf *out)
{
	for (int64_t i = 0; i < node_cpus(task->process->spec.container); i++)
		kt_buf_addf(out,
		            "processor\t: %lld\nvendor_id\t: GenuineIntel\nmodel name\t: virtual CPU\n\n",
		            (long long)i);
}

/* --- what is mounted --- */
struct mounted {
	const char *what, *where, *type, *how;
};

/* What a runtime mounts before and behind the pod's volumes. */
static const struct mounted first_mounts[] = {
        {"overlay", "/", "overlay", "rw,relatime"},
        {"proc", "/proc", "proc", "rw,nosuid,nodev,noexec,relatime"},
        {"tmpfs", "/dev", "tmpfs", "rw,nosuid,size=65536k,mode=755"},
        {"devpts", "/dev/pts", "devpts", "rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=666"},
        {"mqueue", "/dev/mqueue", "mqueue", "rw,nosuid,nodev,noexec,relatime"},
        {"sysfs", "/sys", "sysfs", "ro,nosuid,nodev,noexec,relatime"},
        {"cgroup", "/sys/fs/cgroup", "cgroup2", "ro,nosuid,nodev,noexec,relatime"},
};
static const struct mounted last_mounts[] = {
        {"/dev/vda1", "/etc/hosts", "ext4", "rw,relatime"},
        {"/dev/vda1", "/etc/hostname", "ext4", "rw,relatime"},
        {"/dev/vda1", "/etc/resolv.conf", "ext4", "rw,relatime"},
        {"shm", "/dev/shm", "tmpfs", "rw,nosuid,nodev,noexec,relatime,size=65536k"},
        {"proc", "/proc/bus", "proc", "ro,nosuid,nodev,noexec,relatime"},
        {"proc", "/proc/fs", "proc", "ro,nosuid,nodev,noexec,relatime"},
        {"proc", "/proc/irq", "proc", "ro,nosuid,nodev,noexec,relatime"},
        {"proc", "/proc/sys", "proc", "ro,nosuid,nodev,noexec,relatime"},
        {"tmpfs", "/sys/firmware", "tmpfs", "ro,relatime"},
};

static void add_mount(const struct mounted *row, bool plain, struct kt_buf *out)
{
	kt_buf_addf(out, plain ? "%s %s %s %s 0 0\n" : "%s on %s type %s (%s)\n", row->what, row->where,
	            row->type, row->how);
}

/* The volumes; of a service account's token the path is told without the link /var/run. */
static void add_volumes(const struct container *c, bool plain, struct kt_buf *out)
{
	struct files_mounted at;
	for (size_t i = 0; files_mounted(c->files, i, &at); i++) {
		bool token = kt_ends(at.path, "/secrets/kubernetes.io/serviceaccount"),
		     tmpfs = at.in_memory || token;
		struct kt_buf how = {0};
		kt_buf_addf(&how, "%s,relatime", at.read_only ? "ro" : "rw");
		if (tmpfs)
			kt_buf_addf(&how, ",size=%lldk,noswap",
			            (long long)(at.size_limit ? at.size_limit : node_memory(c)) / 1024);
		add_mount(&(struct mounted){tmpfs ? "tmpfs" : "/dev/vda1",
		                            token && kt_starts(at.path, "/var/run/") ? at.path + 4 : at.path,
		                            tmpfs ? "tmpfs" : "ext4", kt_buf_str(&how)},
		          plain, out);
		kt_buf_clear(&how);
	}
}

void task_mounts(const struct task *task, bool plain, struct kt_buf *out)
{
	for (size_t i = 0; i < KT_COUNT(first_mounts); i++)
		add_mount(&first_mounts[i], plain, out);
	add_volumes(task->process->spec.container, plain, out);
	for (size_t i = 0; i < KT_COUNT(last_mounts); i++)
		add_mount(&last_mounts[i], plain, out);
}

/* --- of a process: /proc/PID/… --- */
static void of_mounts(const struct task *task, struct kt_buf *out)
{
	task_mounts(task, true, out);
}

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
	struct kt_json *env = process_env(task->process);
	for (size_t i = 0; i < kt_count(env); i++) {
		kt_buf_addf(out, "%s=%s", kt_key(env, i), kt_str_or(kt_at(env, i), ""));
		kt_buf_addc(out, '\0');
	}
	kt_json_free(env);
}

/* What there is of pause. */
static bool of_pause(const char *path, struct kt_buf *out)
{
	if (!strcmp(path, "/cmdline"))
		kt_buf_add(out, "/pause", sizeof("/pause"));
	else if (!strcmp(path, "/comm"))
		kt_buf_adds(out, "pause\n");
	else if (!strcmp(path, "/status"))
		kt_buf_adds(out, "Name:\tpause\nState:\tS (sleeping)\nTgid:\t1\nPid:\t1\nPPid:\t0\n");
	else
		return false;
	return true;
}

static bool of_process(const struct task *self, const char *path, struct kt_buf *out)
{
	static const struct {
		const char *name;
		void (*make)(const struct task *task, struct kt_buf *out);
	} rows[] = {{"cmdline", of_cmdline},
	            {"comm", of_comm},
	            {"environ", of_environ},
	            {"mounts", of_mounts},
	            {"status", of_status}};
	const struct task *task = self;
	char *end = NULL;
	if (!kt_starts(path, "/proc/"))
		return false;
	path += strlen("/proc/");
	if (isdigit((unsigned char)*path)) {
		int pid = (int)strtol(path, &end, 10);
		if (process_is_pause(self->process->spec.container, pid))
			return of_pause(end, out);
		task = container_task(self->process->spec.container, pid);
		path = end;
		/* the files of a program in another container */
		if (task && kt_starts(path, "/root/"))
			return !files_read(task->process->spec.container->files, path + strlen("/root"), out);
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

static void made_cgroup(const struct task *task, struct kt_buf *out)
{
	(void)task;
	kt_buf_adds(out, "0::/\n");
}

/* /proc/sys/net/core/somaxconn: as the pod's sysctls say, or as it usually is. */
bool task_sysctl(const struct task *task, const char *name, struct kt_buf *out)
{
	static const char *const usual[][2] = {{"fs.file-max", "9223372036854775807"},
	                                       {"fs.inotify.max_user_instances", "128"},
	                                       {"fs.inotify.max_user_watches", "65536"},
	                                       {"kernel.ostype", "Linux"},
	                                       {"kernel.osrelease", "6.1.0"},
	                                       {"kernel.msgmax", "8192"},
	                                       {"kernel.pid_max", "4194304"},
	                                       {"kernel.shm_rmid_forced", "0"},
	                                       {"kernel.shmmax", "18446744073692774399"},
	                                       {"net.core.somaxconn", "4096"},
	                                       {"net.ipv4.ip_forward", "1"},
	                                       {"net.ipv4.ip_local_port_range", "32768\t60999"},
	                                       {"net.ipv4.ip_unprivileged_port_start", "0"},
	                                       {"net.ipv4.ping_group_range", "0\t2147483647"},
	                                       {"net.ipv4.tcp_fin_timeout", "60"},
	                                       {"net.ipv4.tcp_keepalive_time", "7200"},
	                                       {"net.ipv4.tcp_syncookies", "1"},
	                                       {"vm.max_map_count", "65530"},
	                                       {"vm.overcommit_memory", "1"},
	                                       {"vm.swappiness", "60"}};
	const struct container *c = task->process->spec.container;
	const struct kt_json *one;
	KT_JSON_EACH (one, kt_path(c->spec, "securityContext.sysctls")) {
		if (kt_streq(kt_get_str(one, "name"), name)) {
			kt_buf_addf(out, "%s\n", kt_str_or(kt_get(one, "value"), ""));
			return true;
		}
	}
	if (kt_streq(name, "kernel.hostname")) {
		kt_buf_addf(out, "%s\n", c->host_name ? c->host_name : c->pod);
		return true;
	}
	for (size_t i = 0; i < KT_COUNT(usual); i++) {
		if (kt_streq(usual[i][0], name)) {
			kt_buf_addf(out, "%s\n", usual[i][1]);
			return true;
		}
	}
	return false;
}

static bool of_sysctl(const struct task *task, const char *path, struct kt_buf *out)
{
	if (!kt_starts(path, "/proc/sys/"))
		return false;
	char *name = kt_strdup(path + strlen("/proc/sys/"));
	for (char *c = name; *c; c++)
		*c = *c == '/' ? '.' : *c;
	bool there = task_sysctl(task, name, out);
	kt_free(name);
	return there;
}

int special_file(const struct task *task, const char *path, struct kt_buf *out)
{
	static const struct {
		const char *path;
		void (*make)(const struct task *task, struct kt_buf *out);
	} rows[] = {{"/sys/fs/cgroup/memory.max", made_memory_max},
	            {"/sys/fs/cgroup/cpu.max", made_cpu_max},
	            {"/sys/fs/cgroup/memory.current", made_memory_now},
	            {"/proc/self/cgroup", made_cgroup},
	            {"/proc/1/cgroup", made_cgroup},
	            {"/proc/cpuinfo", made_cpuinfo},
	            {"/proc/meminfo", made_meminfo},
	            {"/proc/loadavg", made_load},
	            {"/proc/mounts", of_mounts},
	            {"/proc/uptime", made_uptime},
	            {"/proc/version", made_version}};
	int rc = files_read(task->process->spec.container->files, path, out);
	for (size_t i = 0; rc == ENOENT && i < KT_COUNT(rows); i++) {
		if (!strcmp(rows[i].path, path)) {
			rows[i].make(task, out);
			return 0;
		}
	}
	return rc == ENOENT && (of_process(task, path, out) || of_sysctl(task, path, out)) ? 0 : rc;
}
