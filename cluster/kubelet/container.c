/* SPDX-License-Identifier: MIT */
/* One container: image, configuration, start, hooks, stop, end. The order of events and the words are those
 * of kubernetes pkg/kubelet/kuberuntime/kuberuntime_container.go. */
#include <string.h>

#include "cluster/kubelet/identity.h"
#include "cluster/kubelet/kubelet_internal.h"

static struct cluster *cluster_of(const struct kubelet_ctr *ctr)
{
	return ctr->pod->node->kubelet->cluster;
}

void kubelet_id_text(uint64_t id, char out[65])
{
	static const char digits[] = "0123456789abcdef";
	uint64_t word = id;

	for (int i = 0; i < 64; i++) {
		if (i && i % 16 == 0) {
			word ^= word >> 31;
			word *= 0x9e3779b97f4a7c15ULL;
			word ^= word >> 29;
		}
		out[i] = digits[(word >> (60 - 4 * (i % 16))) & 15];
	}
	out[64] = 0;
}

void kubelet_ended_clear(struct kubelet_ended *end)
{
	kt_free(end->message);
	*end = (struct kubelet_ended){0};
}

bool kubelet_ctr_alive(const struct kubelet_ctr *ctr)
{
	return ctr->process != NULL;
}

/* shareProcessNamespace: with all of the pod; a debug container with its target (kubernetes
 * pkg/kubelet/util namespacesForPod). */
static void share_processes(struct kubelet_ctr *ctr)
{
	const char *target = kt_get_str(ctr->spec, "targetContainerName");
	struct kubelet_ctr *with;

	if (kt_get_bool(ctr->pod->spec, "shareProcessNamespace", false)) {
		with = ctr->pod->ctrs ? ctr->pod->ctrs : ctr;
		process_share(&ctr->pub, &with->pub, true);
	} else if (target && (with = kubelet_ctr_find(ctr->pod, target)) != NULL) {
		process_share(&ctr->pub, &with->pub, false);
	}
}

struct kubelet_ctr *kubelet_ctr_new(struct kubelet_pod *pod, const struct kt_json *spec,
                                    enum kubelet_role role)
{
	struct kubelet_ctr *ctr = kt_alloc(sizeof(*ctr));
	struct kubelet_node *node = pod->node;

	ctr->pod = pod;
	ctr->role = role;
	ctr->spec = kt_json_ref(spec);
	ctr->pub = (struct container){
	        .cluster = node->kubelet->cluster,
	        .ns = pod->ns,
	        .pod = pod->name,
	        .pod_uid = pod->uid,
	        .name = kt_str_or(kt_get(spec, "name"), ""),
	        .node = node->name,
	        .image = kt_str_or(kt_get(spec, "image"), ""),
	        .labels = pod->labels,
	        .run_as_user = -1,
	        .run_as_group = -1,
	        .fs_group = -1,
	        .kubelet = ctr,
	};
	share_processes(ctr);
	return ctr;
}

void kubelet_ctr_drop(struct kubelet_ctr *ctr)
{
	kubelet_probes_stop(ctr);
	kubelet_exec_free(ctr->hook);
	ctr->hook = NULL;
	if (ctr->process) {
		process_signal(ctr->process, 9); /* with all else that runs in the container */
		process_free(ctr->process);
		ctr->process = NULL;
	}
	container_free_left(&ctr->pub);
	ctr->pub.main = NULL;
	if (!ctr->pub.processes) { /* else at the next start, or with the container */
		files_free(ctr->pub.files);
		ctr->pub.files = NULL;
	}
	kt_json_freep(&ctr->pub.env);
	ctr->stopping = ctr->term_sent = false;
}

static void bury(struct kubelet_ctr *ctr)
{
	files_free(ctr->pub.files);
	kubelet_ended_clear(&ctr->end);
	if (ctr->last) {
		kubelet_ended_clear(ctr->last);
		kt_free(ctr->last);
	}
	kt_free(ctr->wait_message);
	kubelet_log_free(ctr->log);
	kubelet_log_free(ctr->previous);
	kt_json_free(ctr->pub.usage_override);
	kt_json_free(ctr->spec);
	kt_free(ctr);
}

void kubelet_ctr_free(struct kubelet_ctr *ctr)
{
	process_unshare(&ctr->pub);
	kubelet_ctr_drop(ctr);
	if (ctr->pub.processes) {
		struct kubelet *kubelet = ctr->pod->node->kubelet;

		/* Somebody's exec is still to be told of its end; its owner frees it. */
		ctr->pub.ns = ctr->pub.pod = ctr->pub.pod_uid = ctr->pub.name = ctr->pub.node =
		        ctr->pub.image = "";
		ctr->pub.pod_ip = ctr->pub.host_name = ctr->pub.working_dir = ctr->pub.message_path = NULL;
		ctr->pub.labels = ctr->pub.spec = ctr->pub.groups = NULL;
		ctr->pod = NULL;
		ctr->next = kubelet->zombies;
		kubelet->zombies = ctr;
		return;
	}
	bury(ctr);
}

static void bury_last(struct container *container)
{
	bury(container->kubelet);
}

void kubelet_zombies_sweep(struct kubelet *kubelet, bool all)
{
	struct kubelet_ctr **link = &kubelet->zombies;

	while (*link) {
		struct kubelet_ctr *ctr = *link;

		if (ctr->pub.processes && !all) {
			link = &ctr->next;
			continue;
		}
		*link = ctr->next;
		if (ctr->pub.processes) /* the kubelet goes, somebody's exec is still there */
			ctr->pub.last_gone = bury_last;
		else
			bury(ctr);
	}
}

void kubelet_ctr_wait(struct kubelet_ctr *ctr, const char *reason, char *message)
{
	if (ctr->wait_reason != reason || !kt_streq(ctr->wait_message, message))
		ctr->pod->dirty = true;
	kt_free(ctr->wait_message);
	ctr->wait_reason = reason;
	ctr->wait_message = message;
}

/* --- start --- */

static bool confined(const struct kt_json *security)
{
	const char *type = kt_path_str(security, "seccompProfile.type");
	return type && strcmp(type, "Unconfined") != 0 && !kt_get_bool(security, "privileged", false);
}

/* The container's security context, else the pod's. */
static void secure(struct kubelet_ctr *ctr)
{
	const struct kt_json *own = kt_get(ctr->spec, "securityContext"),
	                     *all = kt_get(ctr->pod->spec, "securityContext");
	struct container *pub = &ctr->pub;

	pub->run_as_user = kt_get_int(own, "runAsUser", kt_get_int(all, "runAsUser", -1));
	pub->run_as_group = kt_get_int(own, "runAsGroup", kt_get_int(all, "runAsGroup", -1));
	pub->fs_group = kt_get_int(all, "fsGroup", -1);
	pub->spec = ctr->pod->spec;
	pub->message_path = kt_get_str(ctr->spec, "terminationMessagePath");
	pub->groups = kt_get(all, "supplementalGroups");
	pub->read_only_root = kt_get_bool(own, "readOnlyRootFilesystem", false);
	pub->capabilities = identity_capabilities(own);
	pub->no_new_privileges = !kt_get_bool(own, "allowPrivilegeEscalation", true);
	pub->seccomp = confined(kt_get(own, "seccompProfile") ? own : all);
}

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

/* Source: kubernetes pkg/kubelet/kuberuntime/security_context.go, verifyRunAsNonRoot. */
static bool breaks_non_root(const struct kubelet_ctr *ctr, char **why)
{
	const struct kubelet_pod *pod = ctr->pod;
	const char *path = "securityContext.runAsNonRoot";
	char *cause = NULL;

	if (!kt_path_bool(ctr->spec, path, kt_path_bool(pod->spec, path, false)))
		return false;
	const struct image *image = image_find(NULL, ctr->pub.image, NULL);
	const char *user = image && image->user ? image->user : "";
	if (ctr->pub.run_as_user == 0)
		cause = kt_strdup("container's runAsUser breaks non-root policy");
	else if (ctr->pub.run_as_user < 0 && *user && !is_number(user))
		cause = kt_strf(
		        "container has runAsNonRoot and image has non-numeric user (%s), cannot verify "
		        "user is non-root",
		        user);
	else if (ctr->pub.run_as_user < 0 && (!*user || kt_streq(user, "0")))
		cause = kt_strdup("container has runAsNonRoot and image will run as root");
	if (!cause)
		return false;
	*why = kt_strf("%s (pod: \"%s_%s(%s)\", container: %s)", cause, pod->name, pod->ns, pod->uid,
	               ctr->pub.name);
	kt_free(cause);
	return true;
}

/* setHostnameAsFQDN: the whole name as the cluster's DNS has it (kubernetes pkg/kubelet
 * GeneratePodHostNameAndDomain). */
static const char *full_name(struct kubelet_pod *pod, const char *name)
{
	const char *subdomain = kt_get_str(pod->spec, "subdomain");

	if (!kt_get_bool(pod->spec, "setHostnameAsFQDN", false) || !subdomain || !*subdomain)
		return name;
	if (!pod->full_name)
		pod->full_name = kt_strf("%s.%s.%s.svc.cluster.local", name, subdomain, pod->ns);
	return pod->full_name;
}

/* What is known before the process: environment, files, limits. */
static bool configure(struct kubelet_ctr *ctr, kt_ns now)
{
	struct kubelet_pod *pod = ctr->pod;
	struct container *pub = &ctr->pub;
	const struct kt_json *limits = kt_path(ctr->spec, "resources.limits");
	const char *cpu = kt_get_str(limits, "cpu"), *memory = kt_get_str(limits, "memory");
	const char *host_name = kt_get_str(pod->spec, "hostname");
	struct kt_quantity quantity;
	char *why = NULL;

	pub->host_network = kt_get_bool(pod->spec, "hostNetwork", false);
	pub->pod_ip = pod->ip[0] ? pod->ip : NULL;
	pub->host_name =
	        pub->host_network ? pod->node->name : full_name(pod, host_name ? host_name : pod->name);
	pub->labels = pod->labels;
	pub->working_dir = kt_get_str(ctr->spec, "workingDir");
	pub->cpu_limit_milli = cpu && kt_quantity_parse(cpu, &quantity) ? quantity.milli : 0;
	pub->memory_limit = memory && kt_quantity_parse(memory, &quantity) ? quantity.value : 0;
	secure(ctr);
	kt_json_freep(&pub->env);
	pub->env = kubelet_env(ctr, &why);
	files_free(pub->files);
	pub->files = NULL;
	if (pub->env && !breaks_non_root(ctr, &why) && kubelet_volumes_mount(ctr, &why))
		return true;
	kubelet_event(pod, ctr, true, "Failed", "Error: %s", why);
	kubelet_ctr_wait(ctr, "CreateContainerConfigError", why);
	ctr->retry_at = kubelet_next_sync(pod, now);
	ctr->state = KUBELET_WAITING;
	return false;
}

/* The run before becomes lastState, its log the previous one. */
static void turn_page(struct kubelet_ctr *ctr)
{
	if (!ctr->last)
		ctr->last = kt_alloc(sizeof(*ctr->last));
	kubelet_ended_clear(ctr->last);
	*ctr->last = ctr->end;
	ctr->end = (struct kubelet_ended){0};
	kubelet_log_free(ctr->previous);
	ctr->previous = ctr->log;
	ctr->log = NULL;
	ctr->state = KUBELET_WAITING;
	ctr->seen = ctr->oom = ctr->ready = ctr->started = false;
}

void kubelet_ctr_again(struct kubelet_ctr *ctr)
{
	turn_page(ctr);
}

bool kubelet_ctr_resume(struct kubelet_ctr *ctr, kt_ns now)
{
	if (!configure(ctr, now))
		return false;
	if (!ctr->log)
		ctr->log = kubelet_log_new();
	return kubelet_ctr_run(ctr, now, true);
}

static bool create(struct kubelet_ctr *ctr, kt_ns now)
{
	if (!configure(ctr, now))
		return false;
	ctr->loaded_image = kubelet_image_loaded(ctr);
	ctr->pull_backoff = 0;
	ctr->state = KUBELET_CREATING;
	ctr->op_at = now + KUBELET_CREATE;
	return true;
}

static void tell_back_off(struct kubelet_ctr *ctr)
{
	const struct kubelet_pod *pod = ctr->pod;

	kubelet_event(ctr->pod, ctr, true, "BackOff",
	              "Back-off restarting failed container %s in pod %s_%s(%s)", ctr->pub.name, pod->name,
	              pod->ns, pod->uid);
}

static bool in_back_off(const struct kubelet_ctr *ctr, kt_ns now)
{
	return ctr->backoff && now < ctr->end.finished_at + ctr->backoff;
}

bool kubelet_ctr_begin(struct kubelet_ctr *ctr, kt_ns now)
{
	if (ctr->state == KUBELET_ENDED) {
		if (ctr->loop_at) { /* a sync tells first what the one before found */
			kubelet_ctr_tell_loop(ctr);
			kubelet_status_write(ctr->pod, now);
		}
		if (in_back_off(ctr, now)) {
			tell_back_off(ctr);
			ctr->retry_at = kubelet_next_sync(ctr->pod, now);
			return false;
		}
		if (ctr->backoff)
			ctr->backoff = KT_MIN(ctr->backoff * 2, KUBELET_BACKOFF_LAST);
		else
			ctr->backoff = KUBELET_BACKOFF_FIRST;
		ctr->backoff_used = now;
		turn_page(ctr);
	}
	ctr->loop_at = 0;
	switch (kubelet_pull_begin(ctr, now)) {
	case KUBELET_PULL:
		ctr->state = KUBELET_PULLING;
		return true;
	case KUBELET_PRESENT:
		return create(ctr, now);
	case KUBELET_REFUSED:
		break;
	}
	return false;
}

static void output(void *arg, int fd, const void *data, size_t len)
{
	struct kubelet_ctr *ctr = arg;

	if (!ctr->log)
		ctr->log = kubelet_log_new();
	kubelet_log_add(ctr->log, cluster_now(cluster_of(ctr)), fd, data, len);
}

static void ended(struct kubelet_ctr *ctr, kt_ns now, int code, const char *reason)
{
	struct kubelet_pod *pod = ctr->pod;

	kubelet_ended_clear(&ctr->end);
	ctr->end = (struct kubelet_ended){.started_at = ctr->started_at,
	                                  .finished_at = now,
	                                  .code = code,
	                                  .reason = reason,
	                                  .id = ctr->id};
	ctr->state = KUBELET_EXITED;
	if (kt_streq(pod->fail_reason, "Evicted") && ctr->stopping && !ctr->vanished) {
		ctr->vanished = true;
		ctr->restarts++;
	}
	if (ctr->stopping)
		pod->pleg_at = now; /* the one who kills waits for it */
	else if (!pod->pleg_at)
		pod->pleg_at = kubelet_pleg(pod->node, now);
	kubelet_pod_wake(pod, pod->pleg_at);
}

static void exited(void *arg, int code, const char *reason)
{
	static const char *const reasons[] = {"Completed", "Error", "OOMKilled", "ContainerCannotRun"};
	struct kubelet_ctr *ctr = arg;
	const char *word = code ? "Error" : "Completed";

	for (size_t i = 0; i < KT_COUNT(reasons); i++)
		if (kt_streq(reasons[i], reason))
			word = reasons[i];
	if (ctr->oom && code == 137)
		word = "OOMKilled";
	process_free(ctr->process);
	ctr->process = ctr->pub.main = NULL;
	ended(ctr, cluster_now(cluster_of(ctr)), code, word);
}

/* command and args with $(VAR) replaced; NULL: all from the image. Freed with free_argv. */
static char **make_argv(const struct kubelet_ctr *ctr)
{
	const struct kt_json *command = kt_get(ctr->spec, "command"), *args = kt_get(ctr->spec, "args"),
	                     *word;
	const char *const *entry = NULL;
	size_t n = 0, entries = 0;
	char **argv;

	if (!kt_count(command) && !kt_count(args))
		return NULL;
	if (!kt_count(command)) {
		const struct image *image = image_find(ctr->pub.cluster, ctr->pub.image, NULL);

		entry = image ? image->entrypoint : NULL;
	}
	while (entry && entry[entries])
		entries++;
	argv = kt_alloc((entries + kt_count(command) + kt_count(args) + 1) * sizeof(*argv));
	for (size_t i = 0; i < entries; i++)
		argv[n++] = kt_strdup(entry[i]);
	KT_JSON_EACH (word, command)
		argv[n++] = kubelet_expand(kt_str_or(word, ""), ctr->pub.env);
	KT_JSON_EACH (word, args)
		argv[n++] = kubelet_expand(kt_str_or(word, ""), ctr->pub.env);
	return argv;
}

static void free_argv(char **argv)
{
	for (size_t i = 0; argv && argv[i]; i++)
		kt_free(argv[i]);
	kt_free(argv);
}

/* A number for this run that a replay gives again. */
static uint64_t run_id(const struct kubelet_ctr *ctr)
{
	struct kt_buf words = {0};
	uint64_t id;

	kt_buf_addf(&words, "%s %s %d", ctr->pod->uid, ctr->pub.name, ctr->restarts);
	id = cluster_hash(cluster_of(ctr), kt_buf_str(&words));
	kt_buf_clear(&words);
	id ^= id >> 33; /* neighbours differ in all digits */
	id *= 0xff51afd7ed558ccdULL;
	id ^= id >> 33;
	return id;
}

bool kubelet_ctr_run(struct kubelet_ctr *ctr, kt_ns now, bool quiet)
{
	char **argv = make_argv(ctr), *why = NULL;
	const char *const *view = (const char *const *)argv;
	struct process_spec spec = {.container = &ctr->pub,
	                            .argv = view,
	                            .is_main = true,
	                            .has_stdin = kt_get_bool(ctr->spec, "stdin", false),
	                            .tty = kt_get_bool(ctr->spec, "tty", false),
	                            .ran = quiet ? KT_MAX(now - ctr->started_at, 0) : 0,
	                            .output = output,
	                            .exited = exited,
	                            .arg = ctr};

	if (!quiet) {
		ctr->id = run_id(ctr);
		ctr->started_at = now;
		kubelet_log_free(ctr->log);
		ctr->log = kubelet_log_new();
	}
	ctr->oom = false;
	ctr->process = ctr->pub.main = process_start(&spec, &why);
	free_argv(argv);
	if (ctr->process)
		return true;
	ctr->started_at = 0; /* 1970, as the real one shows it */
	ended(ctr, now, 128, "StartError");
	ctr->end.message =
	        kt_strf("failed to create containerd task: failed to create shim task: OCI runtime create "
	                "failed: runc create failed: unable to start container process: %s: unknown",
	                why ? why : "");
	kubelet_event(ctr->pod, ctr, true, "Failed", "Error: %s", ctr->end.message);
	kt_free(why);
	return false;
}

static void running(struct kubelet_ctr *ctr, kt_ns now)
{
	struct kubelet_pod *pod = ctr->pod;

	ctr->state = KUBELET_RUNNING;
	if (!pod->pleg_at)
		pod->pleg_at = kubelet_pleg(pod->node, now);
}

static void post_started(void *arg, enum kubelet_answer answer, const char *text)
{
	struct kubelet_ctr *ctr = arg;
	kt_ns now = cluster_now(cluster_of(ctr));

	(void)text;
	if (ctr->state == KUBELET_STARTING) {
		running(ctr, now);
		if (answer != KUBELET_SUCCESS) {
			kubelet_event(ctr->pod, ctr, true, "FailedPostStartHook", "PostStartHook failed");
			kubelet_ctr_stop(ctr, now,
			                 kt_get_int(ctr->pod->spec, "terminationGracePeriodSeconds", 30) *
			                         KT_SEC,
			                 "FailedPostStartHook");
		}
	}
	ctr->op_at = now;
	kubelet_pod_wake(ctr->pod, now);
}

static bool start(struct kubelet_ctr *ctr, kt_ns now)
{
	const struct kt_json *hook = kt_path(ctr->spec, "lifecycle.postStart");

	if (ctr->started_once)
		ctr->restarts++;
	ctr->started_once = true;
	kubelet_ctr_wait(ctr, NULL, NULL);
	if (!kubelet_ctr_run(ctr, now, false))
		return true;
	kubelet_event(ctr->pod, ctr, false, "Started", "Started container %s", ctr->pub.name);
	if (hook) {
		ctr->op_at = KUBELET_NEVER;
		ctr->hook = kubelet_exec_new(ctr, hook, 0, post_started, ctr);
		return false;
	}
	running(ctr, now);
	return true;
}

bool kubelet_ctr_step(struct kubelet_ctr *ctr, kt_ns now)
{
	if (ctr->state == KUBELET_RUNNING || ctr->state >= KUBELET_EXITED || ctr->state == KUBELET_WAITING)
		return true;
	if (now < ctr->op_at)
		return false;
	if (ctr->state == KUBELET_PULLING) {
		kubelet_pull_done(ctr, now);
		return !create(ctr, now);
	}
	if (ctr->state == KUBELET_CREATING) {
		kubelet_event(ctr->pod, ctr, false, "Created", "Created container: %s", ctr->pub.name);
		ctr->state = KUBELET_STARTING;
		ctr->op_at = now + KUBELET_START;
		return false;
	}
	return start(ctr, now);
}

/* --- stop --- */

static void terminate(struct kubelet_ctr *ctr)
{
	ctr->term_sent = true;
	if (ctr->process)
		process_signal(ctr->process, 15);
}

static void pre_stopped(void *arg, enum kubelet_answer answer, const char *text)
{
	struct kubelet_ctr *ctr = arg;
	kt_ns now = cluster_now(cluster_of(ctr));

	(void)text;
	if (answer != KUBELET_SUCCESS)
		kubelet_event(ctr->pod, ctr, true, "FailedPreStopHook", "PreStopHook failed");
	/* A container gets two seconds after its hook, whatever the grace was. */
	ctr->kill_at = KT_MAX(ctr->kill_at, now + 2 * KT_SEC);
	ctr->op_at = now;
	kubelet_pod_wake(ctr->pod, now);
}

void kubelet_ctr_stop(struct kubelet_ctr *ctr, kt_ns now, kt_ns grace, const char *message)
{
	const struct kt_json *hook = kt_path(ctr->spec, "lifecycle.preStop");

	if (!ctr->process)
		return;
	/* The runtime waits as long as it was told first, whatever is asked of it meanwhile. */
	if (ctr->stopping)
		return;
	if (message)
		kubelet_event(ctr->pod, ctr, false, "Killing", "%s", message);
	else
		kubelet_event(ctr->pod, ctr, false, "Killing", "Stopping container %s", ctr->pub.name);
	ctr->stopping = true;
	ctr->kill_at = now + grace;
	kubelet_probes_stop(ctr);
	kubelet_pod_wake(ctr->pod, ctr->kill_at);
	if (hook && grace > 0) {
		ctr->op_at = KUBELET_NEVER;
		kubelet_exec_free(ctr->hook);
		ctr->hook = kubelet_exec_new(ctr, hook, grace, pre_stopped, ctr);
	} else {
		terminate(ctr);
	}
}

void kubelet_ctr_stop_step(struct kubelet_ctr *ctr, kt_ns now)
{
	if (!ctr->stopping || !ctr->process)
		return;
	if (!ctr->term_sent && now >= ctr->op_at) {
		kubelet_exec_free(ctr->hook);
		ctr->hook = NULL;
		terminate(ctr);
	}
	if (ctr->process && now >= ctr->kill_at)
		process_signal(ctr->process, 9);
}

/* --- end --- */

static char *termination_message(struct kubelet_ctr *ctr)
{
	const char *path = kt_str_or(kt_get(ctr->spec, "terminationMessagePath"), "/dev/termination-log");
	struct kt_buf text = {0};

	if (ctr->pub.files && files_read(ctr->pub.files, path, &text) == 0 && text.len) {
		if (text.len > 4096)
			kt_buf_cut(&text, 4096);
		return kt_buf_take(&text);
	}
	kt_buf_clear(&text);
	if (ctr->end.code && ctr->log &&
	    kt_streq(kt_get_str(ctr->spec, "terminationMessagePolicy"), "FallbackToLogsOnError"))
		return kubelet_log_tail(ctr->log, 2048, 80);
	return NULL;
}

void kubelet_ctr_tell_loop(struct kubelet_ctr *ctr)
{
	struct kubelet_pod *pod = ctr->pod;
	struct kt_buf span = {0};

	ctr->loop_at = 0;
	kt_duration_print(ctr->backoff, &span);
	kubelet_ctr_wait(ctr, "CrashLoopBackOff",
	                 kt_strf("back-off %s restarting failed container=%s pod=%s_%s(%s)",
	                         kt_buf_str(&span), ctr->pub.name, pod->name, pod->ns, pod->uid));
	kt_buf_clear(&span);
}

/* The back-off is over some time between two syncs; the later one starts the container. Until the next sync
 * the status tells how it ended; only the first back-off of one that hardly ran is found at once (so seen on
 * a real node). */
static void back_off(struct kubelet_ctr *ctr, kt_ns now)
{
	kt_ns ran = ctr->end.finished_at - ctr->end.started_at;

	/* The entry of client-go's backoff expires after twice the longest delay. */
	if (ctr->backoff_used && now - ctr->backoff_used > 2 * KUBELET_BACKOFF_LAST)
		ctr->backoff = 0;
	ctr->retry_at = now;
	if (!in_back_off(ctr, now))
		return;
	ctr->retry_at = kubelet_next_sync(ctr->pod, now);
	ctr->loop_at = ctr->restarts == 1 && ran < 2 * KT_SEC ? now + KT_SEC : ctr->retry_at;
	tell_back_off(ctr);
}

void kubelet_ctr_noticed(struct kubelet_ctr *ctr, kt_ns now)
{
	struct kubelet_pod *pod = ctr->pod;

	if (!ctr->end.message)
		ctr->end.message = termination_message(ctr);
	kubelet_ctr_drop(ctr);
	if (ctr->restarts) { /* one dead container is kept, not two */
		kubelet_log_free(ctr->previous);
		ctr->previous = NULL;
	}
	ctr->state = KUBELET_ENDED;
	ctr->ready = ctr->started = ctr->seen = false;
	kubelet_ctr_wait(ctr, NULL, NULL);
	pod->dirty = true;
	if (kubelet_restarts(ctr))
		back_off(ctr, now);
}
