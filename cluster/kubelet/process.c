/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/identity.h"
#include "cluster/kubelet/shell/shell.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

enum { MAX_ROUNDS = 20000, MAX_LINE = 65536 };
static const kt_ns INSTANT_LIMIT = 24 * KT_HOUR;
static void wake(struct cluster *cluster, void *arg);

kt_ns process_now(const struct process *process)
{
	return cluster_now(process->cluster) + process->ahead;
}

static void kick(struct process *process, kt_ns when)
{
	cluster_cancel(process->cluster, process->timer);
	process->timer =
	        cluster_at(process->cluster, KT_MAX(when, cluster_now(process->cluster)), wake, process);
}

void process_changed(struct process *process)
{
	process->changes++;
	if (!process->running && !(process->told && process->over))
		kick(process, cluster_now(process->cluster));
}

/* --- CPU and memory --- */
static int64_t burning(const struct process *process)
{
	int64_t milli = 0;
	for (const struct task *task = process->tasks; task; task = task->next)
		milli += task->cpu_milli;
	if (process->spec.is_main && process->image)
		milli += process->image->cpu_milli;
	return milli;
}

static void account(struct process *process)
{
	kt_ns now = process_now(process);
	int64_t milli = burning(process), limit = process->spec.container->cpu_limit_milli;
	if (limit > 0 && milli > limit)
		milli = limit;
	if (now > process->counted)
		process->cpu_nano += (now - process->counted) / 1000 * milli;
	process->counted = now;
}

int64_t container_memory(const struct container *container)
{
	int64_t sum = container->load_memory;
	if (container->files)
		sum += files_memory(container->files);
	for (const struct process *process = container->processes; process; process = process->next) {
		if (process->spec.is_main && process->image && !process->over)
			sum += process->image->memory;
		for (const struct task *task = process->tasks; task; task = task->next)
			sum += task->memory;
	}
	return sum;
}

void container_usage(const struct container *container, int64_t *cpu_nano, int64_t *memory)
{
	*cpu_nano = container->worked_nano;
	for (struct process *process = container->processes; process; process = process->next) {
		account(process);
		*cpu_nano += process->cpu_nano;
	}
	*memory = container_memory(container);
}

void container_work(struct container *container, kt_ns cpu)
{
	container->worked_nano += cpu;
}

void process_out_of_memory(struct process *process)
{
	struct container *container = process->spec.container;
	for (struct process *each = container->processes; each; each = each->next)
		process_end(each, 128 + SIGKILL, "OOMKilled");
}

static void check_memory(struct container *container)
{
	if (container->memory_limit > 0 && container->processes &&
	    container_memory(container) > container->memory_limit)
		process_out_of_memory(container->processes);
}

void container_load(struct container *container, int64_t memory)
{
	container->load_memory = memory;
	check_memory(container);
}

void tool_memory(struct tool_run *r, int64_t bytes)
{
	r->task->memory = bytes;
	check_memory(r->task->process->spec.container);
}

void task_memory(struct task *task, int64_t bytes)
{
	task->memory = bytes;
	check_memory(task->process->spec.container);
}

void tool_cpu(struct tool_run *r, int64_t milli)
{
	account(r->task->process);
	r->task->cpu_milli = milli;
}

/* --- running --- */
void process_end(struct process *process, int code, const char *reason)
{
	if (process->over)
		return;
	account(process);
	process->over = true;
	process->code = code;
	process->reason = reason ? reason : (code ? "Error" : "Completed");
	for (struct task *task = process->tasks; task; task = task->next)
		task_end(task, 128 + SIGKILL);
	process->changes++;
	/* told from a timer, so that nobody is called back from inside */
	kick(process, cluster_now(process->cluster));
	if (!process->spec.is_main)
		return;
	/* the others of the container die with its first */
	for (struct process *other = process->spec.container->processes; other; other = other->next)
		process_end(other, 128 + SIGKILL, reason);
}

static bool goes_on(const struct process *process)
{
	for (const struct task *task = process->tasks; task; task = task->next)
		if (!task->done)
			return true;
	return false;
}

void process_first_ended(struct process *process, int code)
{
	if (process->spec.is_main || process->spec.instant || !goes_on(process)) {
		process_end(process, code, NULL);
		return;
	}
	process->ended = true;
	process->code = code;
	process->changes++;
}

static void bury(struct process *process)
{
	for (struct task *task = process->tasks, *next; task; task = next) {
		next = task->next;
		if (task->done && task->orphan)
			task_free(task);
	}
}

static kt_ns next_wake(const struct process *process)
{
	kt_ns when = INT64_MAX;
	for (const struct task *task = process->tasks; task; task = task->next) {
		if (!task->done)
			when = KT_MIN(when, task->wake);
	}
	return when;
}

static void run(struct process *process)
{
	process->running = true;
	for (unsigned round = 0; !process->over; round++) {
		unsigned before = process->changes;
		for (struct task *task = process->tasks; task && !process->over; task = task->next) {
			if (!task->done)
				task_run(task);
		}
		bury(process);
		if (process->over)
			break;
		if (process->changes != before && round < MAX_ROUNDS)
			continue;
		kt_ns when = next_wake(process);
		if (!process->spec.instant || when == INT64_MAX)
			break;
		if (when > process_now(process))
			process->ahead += when - process_now(process);
		if (process->ahead > INSTANT_LIMIT || round > 50 * MAX_ROUNDS)
			process_end(process, 128 + SIGKILL, NULL);
	}
	process->running = false;
}

static void destroy(struct process *process);

static void tell_end(struct process *process)
{
	if (process->told)
		return;
	process->told = true;
	if (process->spec.is_main && process->spec.container->main == process)
		process->spec.container->main = NULL;
	/* the owner may free it in there */
	process->spec.exited(process->spec.arg, process->code, process->reason);
}

static void wake(struct cluster *cluster, void *arg)
{
	struct process *process = arg;
	(void)cluster;
	process->timer = 0;
	if (!process->over)
		run(process);
	if (process->ended && !process->over && !goes_on(process))
		process_end(process, process->code, NULL);
	if (process->over) {
		cluster_cancel(process->cluster, process->timer);
		process->timer = 0;
		if (process->left)
			destroy(process);
		else
			tell_end(process);
		return;
	}
	/* a runtime waits until nobody holds the output any more: `sleep 9 &` lets an exec hang */
	if (process->ended && !process->out->writers && !process->err->writers)
		tell_end(process);
	kt_ns when = next_wake(process);
	if (when != INT64_MAX && !process->timer)
		kick(process, when - process->ahead);
}

/* --- starting --- */
static void write_missing(struct files *files, const char *path, const char *text, kt_ns now)
{
	struct files_stat st;
	if (files_stat(files, path, &st) == ENOENT)
		(void)files_write(files, path, text, strlen(text), false, 0644, now);
}

/* Source: kubernetes pkg/kubelet/network/dns/dns.go. */
static char *resolv_conf(const struct container *c)
{
	const struct kt_json *config = kt_get(c->spec, "dnsConfig"), *item;
	const char *policy = kt_str_or(kt_get(c->spec, "dnsPolicy"), "ClusterFirst");
	bool cluster = !strcmp(policy, "ClusterFirstWithHostNet") ||
	               (!strcmp(policy, "ClusterFirst") && !c->host_network);
	bool none = !strcmp(policy, "None");
	struct kt_buf out = {0}, search = {0}, servers = {0}, options = {0};
	char dns[46] = "10.96.0.10";
	if (cluster) {
		(void)network_dns_address(c->cluster, dns);
		kt_buf_addf(&search, " %s.svc.cluster.local svc.cluster.local cluster.local", c->ns);
		kt_buf_addf(&servers, "nameserver %s\n", dns);
	} else if (!none) {
		kt_buf_adds(&servers, "nameserver " NETWORK_NODE_DNS "\n");
	}
	KT_JSON_EACH (item, kt_get(config, "searches"))
		kt_buf_addf(&search, " %s", kt_str_or(item, ""));
	KT_JSON_EACH (item, kt_get(config, "nameservers"))
		kt_buf_addf(&servers, "nameserver %s\n", kt_str_or(item, ""));
	bool has_ndots = kt_find(kt_get(config, "options"), "name", "ndots") >= 0;
	if (cluster && !has_ndots)
		kt_buf_adds(&options, " ndots:5");
	else if (!none && !cluster && !has_ndots)
		kt_buf_adds(&options, " ndots:0");
	KT_JSON_EACH (item, kt_get(config, "options")) {
		const char *value = kt_get_str(item, "value");
		kt_buf_addf(&options, " %s%s%s", kt_str_or(kt_get(item, "name"), ""), value ? ":" : "",
		            value ? value : "");
	}
	if (search.len)
		kt_buf_addf(&out, "search%s\n", search.data);
	kt_buf_adds(&out, kt_buf_str(&servers));
	if (options.len)
		kt_buf_addf(&out, "options%s\n", options.data);
	kt_buf_clear(&search);
	kt_buf_clear(&servers);
	kt_buf_clear(&options);
	kt_buf_adds(&out, "");
	return kt_buf_take(&out);
}

/* hostAliases, as the kubelet appends them. */
static char *with_aliases(const struct container *c, const char *hosts)
{
	const struct kt_json *aliases = kt_get(c->spec, "hostAliases"), *alias, *name;
	struct kt_buf out = {0};
	kt_buf_adds(&out, hosts);
	if (kt_count(aliases))
		kt_buf_adds(&out, "\n# Entries added by HostAliases.\n");
	KT_JSON_EACH (alias, aliases) {
		kt_buf_adds(&out, kt_str_or(kt_get(alias, "ip"), ""));
		KT_JSON_EACH (name, kt_get(alias, "hostnames"))
			kt_buf_addf(&out, "\t%s", kt_str_or(name, ""));
		kt_buf_addc(&out, '\n');
	}
	return kt_buf_take(&out);
}

/* The file for the last words, which the kubelet mounts: once, though every program of the container asks. */
static void mount_message(const struct container *c, struct files *files)
{
	struct files_mounted at;
	for (size_t i = 0; files_mounted(files, i, &at); i++)
		if (!strcmp(at.path, c->message_path))
			return;
	struct volume *volume = volume_new(false, 0);
	volume_make_file(volume);
	volume_own(volume, 0, 0, 0666);
	files_mount(files, c->message_path, volume, NULL, false);
	volume_free(volume);
}

/* What a runtime puts into /etc, unless the kubelet did. */
static void write_etc(void *arg, struct files *files)
{
	const struct container *c = arg;
	char *text;
	kt_ns now = cluster_now(c->cluster);
	text = kt_strf("%s\n", c->host_name ? c->host_name : c->pod);
	write_missing(files, "/etc/hostname", text, now);
	kt_free(text);
	const char *subdomain = kt_get_str(c->spec, "subdomain"),
	           *name = c->host_name ? c->host_name : c->pod;
	bool whole_name = kt_get_bool(c->spec, "setHostnameAsFQDN", false);
	char *first = whole_name ? kt_strndup(name, strcspn(name, ".")) : kt_strdup(name);
	char *own = !c->pod_ip ? kt_strdup("")
	            : subdomain && *subdomain && !c->host_network
	                    ? kt_strf("%s\t%s.%s.%s.svc.cluster.local\t%s\n", c->pod_ip, first, subdomain,
	                              c->ns, first)
	                    : kt_strf("%s\t%s\n", c->pod_ip, name);
	kt_free(first);
	text = kt_strf("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost "
	               "ip6-loopback\n"
	               "fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-"
	               "allrouters\n%s",
	               own);
	kt_free(own);
	char *whole = with_aliases(c, text);
	write_missing(files, "/etc/hosts", whole, now);
	kt_free(whole);
	kt_free(text);
	if (c->message_path && *c->message_path)
		mount_message(c, files);
	text = resolv_conf(c);
	write_missing(files, "/etc/resolv.conf", text, now);
	kt_free(text);
}

static void add_env(struct kt_json **vars, const char *pair)
{
	const char *equals = strchr(pair, '=');
	char *name = kt_strndup(pair, (size_t)(equals - pair));
	if (!kt_get(*vars, name))
		kt_set(vars, name, kt_json_str(equals + 1));
	kt_free(name);
}

/* Root, whom nothing binds: nobody need look into /etc/passwd. */
static bool is_plain(const struct container *c, const struct image *image)
{
	return (c->run_as_user == 0 || (c->run_as_user < 0 && !image->user)) &&
	       identity_overrides(c->capabilities) && identity_may(c->capabilities, "CHOWN");
}

/* NGINX_VERSION and the like: of the tag. */
static void add_version(struct kt_json **vars, const struct process *process)
{
	const struct container *c = process->spec.container;
	for (size_t i = 0; process->image->env && process->image->env[i]; i++) {
		const char *one = process->image->env[i], *end = strstr(one, "_VERSION=");
		char *version = end ? image_version(process->image, c->image) : NULL;
		char *name = end ? kt_strf("%.*s_VERSION", (int)(end - one), one) : NULL;
		if (version && !kt_get(c->env, name))
			kt_set(vars, name, kt_json_str(version));
		kt_free(name);
		kt_free(version);
	}
}

struct kt_json *process_env(const struct process *process)
{
	const struct container *c = process->spec.container;
	struct kt_json *vars = kt_json_object();
	kt_set(&vars, "PATH", kt_json_str("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
	kt_set(&vars, "HOSTNAME", kt_json_str(c->host_name ? c->host_name : c->pod));
	if (process->spec.tty)
		kt_set(&vars, "TERM", kt_json_str("xterm"));
	for (size_t i = 0; i < kt_count(c->env); i++)
		kt_set(&vars, kt_key(c->env, i), kt_json_ref(kt_at(c->env, i)));
	for (size_t i = 0; process->image->env && process->image->env[i]; i++)
		add_env(&vars, process->image->env[i]);
	add_version(&vars, process);
	if (!kt_get(vars, "HOME")) {
		struct kt_buf home = {0};
		if (is_plain(c, process->image))
			kt_buf_adds(&home, "/root");
		else
			identity_home(c, files_user(c->files)->uid, &home);
		kt_set(&vars, "HOME", kt_json_str(kt_buf_str(&home)));
		kt_buf_clear(&home);
	}
	return vars;
}

void process_share(struct container *container, struct container *with, bool paused)
{
	container->paused = paused;
	container->guest = !paused;
	if (!with->sharing)
		with->sharing = with;
	if (container == with)
		return;
	container->sharing = with->sharing;
	with->sharing = container;
}

void process_unshare(struct container *container)
{
	struct container *before = container->sharing;
	while (before && before->sharing != container)
		before = before->sharing;
	if (before)
		before->sharing = container->sharing;
	container->sharing = NULL;
}

static int new_pid(const struct container *container)
{
	int pid = 1;
	for (const struct process *process = NULL; (process = process_next_seen(container, process)) != NULL;)
		pid = KT_MAX(pid, process->next_pid + 6);
	return pid;
}

static bool is_first(const struct process_spec *spec)
{
	return spec->is_main && !spec->container->paused && !spec->container->guest;
}

static void gather_argv(const struct process_spec *spec, const struct image *image, struct kt_strs *argv)
{
	for (size_t i = 0; spec->argv && spec->argv[i]; i++)
		kt_strs_add(argv, spec->argv[i]);
	for (size_t i = 0; !spec->argv && image->entrypoint && image->entrypoint[i]; i++)
		kt_strs_add(argv, image->entrypoint[i]);
	for (size_t i = 0; !spec->argv && image->command && image->command[i]; i++)
		kt_strs_add(argv, image->command[i]);
}

/* An image's entrypoint script puts its program before words that are an option (redis: `--requirepass x`);
 * those of curl and node, before all that is no program. nginx' runs the words as they are. */
static void put_program_first(const struct image *image, struct kt_strs *argv)
{
	static const char *const of_all[] = {"curl", "node"};
	const char *program = image->command ? image->command[0] : NULL;
	if (argv->count < 2 || !program || !image->entrypoint || kt_streq(program, "nginx") ||
	    !kt_streq(argv->items[0], image->entrypoint[0]) || !kt_ends(argv->items[0], "entrypoint.sh"))
		return;
	bool first = argv->items[1][0] == '-';
	for (size_t i = 0; i < KT_COUNT(of_all); i++)
		first = first ||
		        (kt_streq(program, of_all[i]) && !tool_find(image, kt_basename(argv->items[1])));
	if (!first)
		return;
	struct kt_strs all = {0};
	for (size_t i = 0; i < argv->count; i++) {
		if (i == 1)
			kt_strs_add(&all, program);
		kt_strs_add(&all, argv->items[i]);
	}
	kt_strs_clear(argv);
	*argv = all;
}

static void unlink_process(struct process *process)
{
	struct process **link = &process->spec.container->processes;
	while (*link && *link != process)
		link = &(*link)->next;
	if (*link)
		*link = process->next;
}

/* The runtime makes it, whoever the user is. */
static void make_working_dir(const struct container *c, kt_ns now)
{
	const struct files_user root = {.all = true};
	files_set_user(c->files, &root);
	(void)files_mkdir(c->files, c->working_dir, true, now);
}

struct process *process_start(const struct process_spec *spec, char **why)
{
	struct container *c = spec->container;
	/* what is known is found faster; but a running container does not care what the registry has by now
	 */
	const struct image *image = image_find(c->cluster, c->image, NULL);
	if (!image)
		image = image_find(NULL, c->image, NULL);
	struct kt_strs argv = {0};
	if (why)
		*why = NULL;
	if (!image)
		image = image_find(NULL, "busybox", NULL);
	gather_argv(spec, image, &argv);
	put_program_first(image, &argv);
	if (!argv.count) {
		if (why)
			*why = kt_strdup("no command specified");
		return NULL;
	}
	struct process *process = kt_alloc(sizeof(*process));
	process->spec = *spec;
	process->cluster = c->cluster;
	process->image = image;
	process->running = true;
	process->ran = spec->ran;
	process->first_pid = process->next_pid = is_first(spec) ? 1 : KT_MAX(new_pid(c), 7);
	process->counted = cluster_now(c->cluster);
	process->next = c->processes;
	c->processes = process;
	if (spec->is_main) {
		c->main = process;
		c->began = cluster_now(c->cluster);
		c->worked_nano = c->load_memory = 0;
	}
	if (image->files)
		files_add_seed(c->files, image->files);
	if (image_base_files(image))
		files_add_seed(c->files, image_base_files(image));
	files_on_look(c->files, write_etc, c);
	struct files_user user = {.all = true};
	if (!is_plain(c, image))
		identity_of(c, image, &user);
	if (spec->is_main && c->working_dir)
		make_working_dir(c, process->counted);
	files_set_user(c->files, &user);
	if (c->read_only_root)
		files_set_read_only(c->files);
	struct task *task = task_new(process, NULL);
	process->in = chan_new(process, spec->has_stdin ? CHAN_INPUT : CHAN_NULL);
	process->in->refs++;
	process->in->writers = spec->has_stdin;
	process->out = chan_new(process, CHAN_OUTPUT);
	process->err = chan_new(process, CHAN_OUTPUT);
	process->out->fd = 1;
	process->err->fd = 2;
	process->out->refs++;
	process->err->refs++;
	fd_put(&task->fds[0], process->in, false);
	fd_put(&task->fds[1], process->out, true);
	fd_put(&task->fds[2], process->err, true);
	task->dir =
	        kt_strdup(c->working_dir ? c->working_dir : (image->working_dir ? image->working_dir : "/"));
	task->vars.all = process_env(process);
	int rc = task_become(task, &argv, why);
	kt_strs_clear(&argv);
	process->running = false;
	if (rc) {
		process->told = true;
		if (spec->is_main)
			c->main = NULL;
		process_free(process);
		return NULL;
	}
	kick(process, cluster_now(c->cluster));
	return process;
}

static void forget_exit(void *arg, int code, const char *reason)
{
	(void)arg;
	(void)code;
	(void)reason;
}

void process_free(struct process *process)
{
	if (!process)
		return;
	if (process->ended && !process->over && process->spec.container->main && goes_on(process)) {
		process->left = process->told = true;
		process->spec.output = NULL;
		process->spec.exited = forget_exit;
		process->in->writers = 0;
		return;
	}
	destroy(process);
}

void container_free_left(struct container *container)
{
	for (struct process *each = container->processes, *next; each; each = next) {
		next = each->next;
		if (each->left)
			destroy(each);
	}
}

static void destroy(struct process *process)
{
	process->told = process->over = true;
	account(process);
	process->spec.container->worked_nano += process->cpu_nano;
	while (process->tasks)
		task_free(process->tasks);
	cluster_cancel(process->cluster, process->timer);
	unlink_process(process);
	if (process->spec.container->main == process)
		process->spec.container->main = NULL;
	if (!process->spec.container->processes && process->spec.container->last_gone)
		process->spec.container->last_gone(process->spec.container);
	struct chan *chans[] = {process->in, process->out, process->err};
	for (size_t i = 0; i < KT_COUNT(chans); i++) {
		if (chans[i] && !--chans[i]->refs) {
			kt_buf_clear(&chans[i]->data);
			kt_free(chans[i]);
		}
	}
	kt_buf_clear(&process->line);
	kt_free(process);
}

/* --- what comes from outside --- */
static void echo(struct process *process, const char *data, size_t len)
{
	if (process->spec.output && len)
		process->spec.output(process->spec.arg, 1, data, len);
}

/* ^C: what runs in the foreground ends, the interactive shell goes on. */
static void interrupt(struct process *process)
{
	struct task *first = process_task(process, process->first_pid);
	echo(process, "^C\r\n", 4);
	kt_buf_clear(&process->line);
	for (struct task *task = process->tasks; task; task = task->next) {
		if (task != first && !task->orphan)
			task_signal(task, SIGINT);
	}
	if (!first || first->done)
		return;
	if (first->interactive && task_is_shell(first))
		task_interrupt(first);
	else
		task_signal(first, SIGINT);
}

/* A terminal in its usual mode: lines, with echo and erasing. */
static void type(struct process *process, char c)
{
	struct kt_buf *line = &process->line;
	if (c == '\r' || c == '\n') {
		echo(process, "\r\n", 2);
		kt_buf_addc(line, '\n');
		kt_buf_add(&process->in->data, line->data, line->len);
		kt_buf_cut(line, 0);
	} else if (c == 3) {
		interrupt(process);
	} else if (c == 4) {
		if (line->len) {
			kt_buf_add(&process->in->data, line->data, line->len);
			kt_buf_cut(line, 0);
		} else {
			process->in->writers = 0;
		}
	} else if (c == 127 || c == 8) {
		size_t n = line->len;
		while (n && ((unsigned char)line->data[n - 1] & 0xC0) == 0x80)
			n--;
		if (n) {
			kt_buf_cut(line, n - 1);
			echo(process, "\b \b", 3);
		}
	} else if (c == 21) {
		for (size_t i = 0; i < line->len; i++)
			echo(process, "\b \b", 3);
		kt_buf_cut(line, 0);
	} else if (((unsigned char)c >= 32 || c == '\t') && line->len < MAX_LINE) {
		kt_buf_addc(line, c);
		echo(process, &c, 1);
	}
}

void process_write(struct process *process, const void *data, size_t len)
{
	if (process->over || process->in->kind != CHAN_INPUT)
		return;
	if (process->spec.tty) {
		for (size_t i = 0; i < len; i++)
			type(process, ((const char *)data)[i]);
	} else if (process->in->readers) {
		kt_buf_add(&process->in->data, data, len);
	}
	process_changed(process);
}

void process_eof(struct process *process)
{
	if (process->over)
		return;
	process->in->writers = 0;
	process_changed(process);
}

kt_ns process_finish(struct process *process)
{
	if (!process->over)
		run(process);
	if (!process->over)
		process_end(process, 128 + SIGKILL, NULL);
	return process->ahead;
}

static void keep_output(void *arg, int fd, const void *data, size_t len)
{
	if (fd == 1)
		kt_buf_add(arg, data, len);
}

bool process_answer(struct container *container, const char *const *argv, const void *in, size_t len,
                    struct kt_buf *out, kt_ns *took, int *code)
{
	struct process_spec spec = {.container = container,
	                            .argv = argv,
	                            .has_stdin = true,
	                            .instant = true,
	                            .output = keep_output,
	                            .exited = forget_exit,
	                            .arg = out};
	struct process *process = process_start(&spec, NULL);
	if (!process)
		return false;
	process_write(process, in, len);
	process_eof(process);
	*took = process_finish(process);
	if (code)
		*code = process->code;
	process_free(process);
	return true;
}

void process_signal(struct process *process, int signo)
{
	if (process->over)
		return;
	if (signo == SIGKILL) {
		process_end(process, 128 + SIGKILL, NULL);
		return;
	}
	struct task *task = process_task(process, process->first_pid);
	if (task)
		task_signal(task, signo);
}

void process_resize(struct process *process, unsigned columns, unsigned rows)
{
	process->columns = columns;
	process->rows = rows;
}

struct kt_json *process_memory(const struct process *process)
{
	for (const struct task *task = process->tasks; task; task = task->next) {
		const struct frame *top =
		        task->depth ? &task->stack[task->depth - 1] : NULL; /* a shell's command, too */
		struct tool_run *run = top && top->kind == FRAME_TOOL ? top->tool : NULL;
		struct kt_json *memory = run && run->tool->memory ? run->tool->memory(run) : NULL;
		if (memory)
			return memory;
	}
	return NULL;
}

char *process_memory_key(const struct container *container)
{
	return kt_strf("memory/%s/%s", container->pod_uid, container->name);
}
