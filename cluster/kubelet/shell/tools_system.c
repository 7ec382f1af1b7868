/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/identity.h"
#include "cluster/kubelet/shell/shell.h"

#include <errno.h>
#include <string.h>

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

static int run_hostname(struct tool_run *r)
{
	const struct container *c = tool_container(r);
	const char *option = argument(r, 1);
	if (option && option[0] != '-' && !tool_may(r, "SYS_ADMIN"))
		return tool_fail(r, 1,
		                 tool_busybox(r) ? "sethostname: Operation not permitted"
		                                 : "you must be root to change the host name");
	if (option && option[0] != '-')
		return 0; /* the name of a privileged container's own, which nothing here reads again */
	const char *subdomain = kt_get_str(c->spec, "subdomain"),
	           *name = c->host_name ? c->host_name : c->pod;
	bool whole = kt_get_bool(c->spec, "setHostnameAsFQDN", false);
	if (option && (!strcmp(option, "-f") || !strcmp(option, "--fqdn")) && subdomain && *subdomain &&
	    !whole)
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

/* sysctl [-n] NAME…; writing is for privileged containers only */
static int run_sysctl(struct tool_run *r)
{
	bool plain = false;
	int status = 0;
	for (size_t i = 1; i < r->argv.count; i++) {
		const char *word = r->argv.items[i];
		if (word[0] == '-') {
			plain = plain || strchr(word, 'n');
			continue;
		}
		char *name = kt_strndup(word, strcspn(word, "="));
		struct kt_buf value = {0};
		for (char *c = name; *c; c++)
			*c = *c == '/' ? '.' : *c;
		if (strchr(word, '='))
			status = tool_may(r, "SYS_ADMIN")
			                 ? 0
			                 : tool_fail(r, 1,
			                             tool_busybox(r)
			                                     ? "error setting key '%s': Read-only file system"
			                                     : "setting key \"%s\": Read-only file system",
			                             name);
		else if (!task_sysctl(r->task, name, &value))
			status = tool_fail(r, 1,
			                   tool_busybox(r) ? "error: '%s' is an unknown key"
			                                   : "cannot stat %s: No such file or directory",
			                   name);
		else
			tool_outf(r, "%s%s%s", plain ? "" : name, plain ? "" : " = ", kt_buf_str(&value));
		kt_buf_clear(&value);
		kt_free(name);
	}
	return status;
}

static int run_tty(struct tool_run *r)
{
	bool is = r->task->process->spec.tty;
	if (!argument(r, 1))
		tool_outs(r, is ? "/dev/pts/0\n" : "not a tty\n");
	return !is;
}

/* groups, logname, hostid, dnsdomainname */
static int run_groups(struct tool_run *r)
{
	const struct files_user *user = files_user(tool_container(r)->files);
	struct kt_buf out = {0};
	if (!identity_group_name(tool_container(r), user->gid, &out))
		kt_buf_addf(&out, "%u", (unsigned)user->gid);
	for (size_t i = 0; i < user->group_count; i++) {
		if (user->groups[i] == user->gid)
			continue;
		kt_buf_addc(&out, ' ');
		if (!identity_group_name(tool_container(r), user->groups[i], &out))
			kt_buf_addf(&out, "%u", (unsigned)user->groups[i]);
	}
	tool_outf(r, "%s\n", kt_buf_str(&out));
	kt_buf_clear(&out);
	return 0;
}

static int run_hostid(struct tool_run *r)
{
	tool_outs(r, "00000000\n");
	return 0;
}

static int run_domain(struct tool_run *r)
{
	const struct container *c = tool_container(r);
	const char *subdomain = kt_get_str(c->spec, "subdomain");
	if (subdomain && *subdomain)
		tool_outf(r, "%s.%s.svc.cluster.local\n", subdomain, c->ns);
	return 0;
}

static int run_logname(struct tool_run *r)
{
	return tool_fail(r, 1, tool_busybox(r) ? "getlogin: No such device or address" : "no login name");
}

static int run_nologin(struct tool_run *r)
{
	tool_outs(r, "This account is not available\n");
	return tool_busybox(r) ? 1 : 1;
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

static int run_shell(struct tool_run *r)
{
	/* task_become and the shell start it as a task; here it comes from a tool that runs tools */
	int status = 0, rc = tool_run_child(r, &r->argv, &status);
	return rc ? rc : status;
}

static int run_pwd(struct tool_run *r)
{
	tool_outf(r, "%s\n", r->task->dir);
	return 0;
}

const struct tool tools_system[] = {
        {.name = "dnsdomainname", .sets = EVERY, .run = run_domain},
        {.name = "groups", .sets = EVERY, .run = run_groups},
        {.name = "hostid", .sets = EVERY, .run = run_hostid},
        {.name = "logger", .sets = EVERY, .run = tool_nothing},
        {.name = "logname", .sets = EVERY, .run = run_logname},
        {.name = "nologin", .sets = EVERY, .run = run_nologin},
        {.name = "stty", .sets = EVERY, .run = tool_nothing},
        {.name = "apk", .sets = "alpine", .run = run_package},
        {.name = "apt", .sets = "debian", .run = run_package},
        {.name = "apt-get", .sets = "debian", .run = run_package},
        {.name = "arch", .sets = EVERY, .run = run_arch},
        {.name = "ash", .sets = "busybox", .run = run_shell, .shell = true},
        {.name = "bash", .sets = "debian bash", .run = run_shell, .shell = true},
        {.name = "chroot", .sets = EVERY, .run = tool_nothing},
        {.name = "clear", .sets = EVERY, .run = tool_nothing},
        {.name = "dash", .sets = "debian", .run = run_shell, .shell = true},
        {.name = "busybox", .sets = "busybox", .run = run_busybox},
        {.name = "env", .sets = EVERY, .run = run_env},
        {.name = "free", .sets = "busybox netshoot", .run = run_free},
        {.name = "hostname", .sets = EVERY, .run = run_hostname},
        {.name = "nproc", .sets = EVERY, .run = run_nproc},
        {.name = "printenv", .sets = EVERY, .run = run_printenv},
        {.name = "pwd", .sets = EVERY, .run = run_pwd},
        {.name = "sh", .sets = EVERY, .run = run_shell, .shell = true},
        {.name = "sync", .sets = EVERY, .run = tool_nothing},
        {.name = "sysctl", .sets = EVERY, .run = run_sysctl},
        {.name = "tty", .sets = EVERY, .run = run_tty},
        {.name = "uname", .sets = EVERY, .run = run_uname},
        {.name = "which", .sets = EVERY, .run = run_which},
        {.name = "zsh", .sets = "netshoot", .run = run_shell, .shell = true},
        {.name = NULL},
};
