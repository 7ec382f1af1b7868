/* SPDX-License-Identifier: MIT */
/* Pods whose worker did not see them begin: after a restart of the simulation (nothing happened, as far as
 * the cluster is concerned) and after a machine was without power (everything on it ended). */
#include <stdio.h>
#include <string.h>

#include "cluster/kubelet/kubelet_internal.h"

static kt_ns time_of(const struct kt_json *object, const char *key)
{
	const char *text = kt_get_str(object, key);
	kt_ns at = 0;

	return text && kt_time_parse(text, &at) ? at : 0;
}

static uint64_t id_of(const struct kt_json *object)
{
	const char *text = kt_get_str(object, "containerID"), *hex = text ? strstr(text, "://") : NULL;
	uint64_t id = 0;

	for (int i = 0; hex && i < 16; i++) {
		char c = hex[3 + i];

		if (!c)
			break;
		id = id << 4 | (uint64_t)(c >= 'a' ? c - 'a' + 10 : c - '0');
	}
	return id;
}

static const char *known_word(const char *word)
{
	static const char *const words[] = {"Completed",         "Error",
	                                    "OOMKilled",         "StartError",
	                                    "Unknown",           "ContainerCannotRun",
	                                    "CrashLoopBackOff",  "ErrImagePull",
	                                    "ImagePullBackOff",  "InvalidImageName",
	                                    "ErrImageNeverPull", "CreateContainerConfigError"};

	for (size_t i = 0; i < KT_COUNT(words); i++)
		if (kt_streq(words[i], word))
			return words[i];
	return NULL;
}

static void read_ended(const struct kt_json *state, struct kubelet_ended *end)
{
	const struct kt_json *told = kt_get(state, "terminated");
	const char *reason = known_word(kt_get_str(told, "reason"));

	kubelet_ended_clear(end);
	end->code = (int)kt_get_int(told, "exitCode", 0);
	end->reason = reason ? reason : end->code ? "Error" : "Completed";
	end->message = kt_strdup(kt_get_str(told, "message"));
	end->started_at = time_of(told, "startedAt");
	end->finished_at = time_of(told, "finishedAt");
	end->id = id_of(told);
}

static void read_last(struct kubelet_ctr *ctr, const struct kt_json *last)
{
	if (!kt_get(last, "terminated"))
		return;
	if (!ctr->last)
		ctr->last = kt_alloc(sizeof(*ctr->last));
	read_ended(last, ctr->last);
}

/* "back-off 40s restarting…": the delay that was waited for. */
static kt_ns told_back_off(const char *message)
{
	const char *from = message && kt_starts(message, "back-off ") ? message + 9 : NULL;
	const char *end = from ? strchr(from, ' ') : NULL;
	char *text = end ? kt_strndup(from, (size_t)(end - from)) : NULL;
	kt_ns span = 0;

	if (!text || !kt_duration_parse(text, &span))
		span = KUBELET_BACKOFF_FIRST;
	kt_free(text);
	return span;
}

static void read_container(struct kubelet_ctr *ctr, const struct kt_json *told, kt_ns now)
{
	const struct kt_json *state = kt_get(told, "state"), *waiting = kt_get(state, "waiting");
	const char *reason = known_word(kt_get_str(waiting, "reason"));

	ctr->restarts = (int)kt_get_int(told, "restartCount", 0);
	ctr->loaded_image = kubelet_image_loaded(ctr);
	if (kt_get(state, "running")) {
		ctr->state = KUBELET_RUNNING;
		ctr->seen = ctr->started_once = true;
		ctr->started_at = time_of(kt_get(state, "running"), "startedAt");
		ctr->id = id_of(told);
		ctr->ready = kt_get_bool(told, "ready", false);
		ctr->started = kt_get_bool(told, "started", true);
		read_last(ctr, kt_get(told, "lastState"));
	} else if (kt_get(state, "terminated")) {
		ctr->state = KUBELET_ENDED;
		ctr->started_once = true;
		read_ended(state, &ctr->end);
		read_last(ctr, kt_get(told, "lastState"));
		if (ctr->restarts &&
		    kubelet_restarts(ctr)) { /* in its back-off, which no sync has told yet */
			ctr->backoff = KUBELET_BACKOFF_FIRST;
			for (int i = 1; i < ctr->restarts && ctr->backoff < KUBELET_BACKOFF_LAST; i++)
				ctr->backoff *= 2;
			ctr->backoff = KT_MIN(ctr->backoff, KUBELET_BACKOFF_LAST);
			ctr->backoff_used = ctr->end.started_at;
			ctr->retry_at = ctr->end.finished_at + ctr->backoff;
			ctr->loop_at = now;
		}
	} else if (kt_streq(reason, "CrashLoopBackOff")) {
		ctr->state = KUBELET_ENDED;
		ctr->started_once = true;
		read_ended(kt_get(told, "lastState"), &ctr->end);
		ctr->wait_reason = reason;
		ctr->wait_message = kt_strdup(kt_get_str(waiting, "message"));
		ctr->backoff = told_back_off(ctr->wait_message);
		ctr->backoff_used = ctr->end.started_at;
		ctr->retry_at = ctr->end.finished_at + ctr->backoff;
	} else {
		read_last(ctr, kt_get(told, "lastState"));
		ctr->started_once = ctr->last != NULL;
	}
}

static const struct kt_json *told_of(const struct kt_json *status, const char *name)
{
	static const char *const lists[] = {"containerStatuses", "initContainerStatuses",
	                                    "ephemeralContainerStatuses"};

	for (size_t i = 0; i < KT_COUNT(lists); i++) {
		const struct kt_json *list = kt_get(status, lists[i]);
		ptrdiff_t at = kt_find(list, "name", name);

		if (at >= 0)
			return kt_at(list, (size_t)at);
	}
	return NULL;
}

static void go_on(struct kubelet_pod *pod, kt_ns now)
{
	char *why = NULL;
	bool mounted = kubelet_volumes_setup(pod, &why);

	kt_free(why);
	pod->stage = KUBELET_GOING;
	pod->sandbox = true;
	for (struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next) {
		if (ctr->state != KUBELET_RUNNING)
			continue;
		if (mounted && kubelet_ctr_resume(ctr, now))
			kubelet_probes_start(ctr, now);
	}
	kubelet_pod_wake(pod, now);
}

void kubelet_pod_restore(struct kubelet_pod *pod)
{
	kt_ns now = cluster_now(pod->node->kubelet->cluster);
	const struct kt_json *status = kt_get(pod->object->json, "status"),
	                     *conditions = kt_get(status, "conditions");
	const char *phase = kt_str_or(kt_get(status, "phase"), ""), *ip = kt_get_str(status, "podIP");
	ptrdiff_t at = kt_find(conditions, "type", "Initialized");

	pod->started_at = time_of(status, "startTime");
	for (struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next)
		read_container(ctr, told_of(status, ctr->pub.name), now);
	pod->initialized |= at >= 0 && kt_streq(kt_get_str(kt_at(conditions, (size_t)at), "status"), "True");
	if (ip && strlen(ip) < sizeof(pod->ip))
		memcpy(pod->ip, ip, strlen(ip) + 1);
	if (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0) {
		const char *reason = kt_get_str(status, "reason");

		pod->stage = KUBELET_OVER;
		pod->remove_at = now + KUBELET_REMOVE;
		if (reason) {
			static const char *const reasons[] = {"DeadlineExceeded", "Evicted",   "OutOfcpu",
			                                      "OutOfmemory",      "OutOfpods", "NodeAffinity",
			                                      "NodePorts"};

			for (size_t i = 0; i < KT_COUNT(reasons); i++)
				if (strcmp(reason, reasons[i]) == 0)
					pod->fail_reason = reasons[i];
			pod->fail_message = kt_strdup(kt_get_str(status, "message"));
		}
		if (pod->deleting)
			kubelet_pod_wake(pod, pod->remove_at);
	} else if (pod->started_at && ip) {
		pod->dirty = !view_pod(pod->object)->ready; /* somebody may have said so meanwhile */
		go_on(pod, now);
	} else {
		kubelet_pod_wake(pod, now + KUBELET_SEE);
	}
}

void kubelet_pod_power_lost(struct kubelet_pod *pod)
{
	struct cluster *cluster = pod->node->kubelet->cluster;
	kt_ns now = cluster_now(cluster);

	cluster_cancel(cluster, pod->timer);
	pod->timer = 0;
	pod->wake = KUBELET_NEVER;
	pod->held = true;
	pod->busy = NULL;
	for (struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next) {
		bool ran = ctr->state == KUBELET_RUNNING || ctr->state == KUBELET_STARTING;

		kubelet_ctr_drop(ctr);
		if (ran) {
			kubelet_ended_clear(&ctr->end);
			ctr->end = (struct kubelet_ended){.started_at = ctr->started_at,
			                                  .finished_at = now,
			                                  .code = 255,
			                                  .reason = "Unknown",
			                                  .id = ctr->id};
			ctr->state = KUBELET_ENDED;
			ctr->ready = ctr->started = ctr->seen = false;
		} else if (ctr->state == KUBELET_EXITED) {
			kubelet_ctr_noticed(ctr, now);
		} else if (ctr->state < KUBELET_RUNNING) {
			ctr->state = KUBELET_WAITING;
		}
	}
}

/* The sandbox is gone with the power: a new one, all init containers again, another address. */
void kubelet_pod_power_back(struct kubelet_pod *pod)
{
	struct cluster *cluster = pod->node->kubelet->cluster;
	kt_ns now = cluster_now(cluster);
	bool again = !kt_streq(kt_get_str(pod->spec, "restartPolicy"), "Never");

	pod->held = false;
	kubelet_pod_wake(pod, now + KUBELET_SEE);
	if (pod->stage != KUBELET_GOING)
		return;
	for (struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next) {
		ctr->retry_at = 0;
		if (again && ctr->role == KUBELET_INIT && ctr->state == KUBELET_ENDED)
			kubelet_ctr_again(ctr);
	}
	if (pod->deleting || !again)
		return;
	if (pod->sandbox && !kt_get_bool(pod->spec, "hostNetwork", false))
		network_release(cluster, pod->ip);
	pod->sandbox = false;
	pod->initialized = !kt_count(kt_get(pod->spec, "initContainers"));
	kubelet_event(pod, NULL, false, "SandboxChanged",
	              "Pod sandbox changed, it will be killed and re-created.");
	pod->stage = KUBELET_SANDBOXING;
	pod->stage_at = now + KUBELET_SANDBOX;
	pod->dirty = true;
}

/* --- what programs had in memory: "memory/UID/CONTAINER" --- */

void kubelet_memories_keep(struct kubelet *kubelet)
{
	struct kt_json *now = kt_json_object();
	struct kt_strs before = {0};

	for (struct kubelet_pod *pod = kubelet->pod_table; pod; pod = pod->hh.next)
		for (struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next) {
			struct kt_json *memory = ctr->pub.main ? process_memory(ctr->pub.main) : NULL;
			char *key = memory ? process_memory_key(&ctr->pub) : NULL;

			if (memory)
				kt_set(&now, key, memory);
			kt_free(key);
		}
	cluster_kept_keys(kubelet->cluster, "memory/", &before);
	for (size_t i = 0; i < before.count; i++)
		if (!kt_get(now, before.items[i]))
			cluster_keep(kubelet->cluster, before.items[i], NULL);
	for (size_t i = 0; i < kt_count(now); i++)
		if (!kt_equal(kt_at(now, i), cluster_kept(kubelet->cluster, kt_key(now, i))))
			cluster_keep(kubelet->cluster, kt_key(now, i), kt_json_ref(kt_at(now, i)));
	kt_strs_clear(&before);
	kt_json_free(now);
}
