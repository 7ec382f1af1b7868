/* SPDX-License-Identifier: MIT */
/* Probes: one worker each, as kubernetes pkg/kubelet/prober/worker.go: thresholds, events, what follows. */
#include <string.h>

#include "cluster/kubelet/kubelet_internal.h"

#define LOOKS 2 /* more than the first, of a container that has just started */

enum probe_kind { PROBE_STARTUP, PROBE_LIVENESS, PROBE_READINESS };
static const struct {
	const char *field, *name, *lower;
} kinds[] = {[PROBE_STARTUP] = {"startupProbe", "Startup", "startup"},
             [PROBE_LIVENESS] = {"livenessProbe", "Liveness", "liveness"},
             [PROBE_READINESS] = {"readinessProbe", "Readiness", "readiness"}};

struct kubelet_probe {
	struct kubelet_probe *next;
	struct kubelet_ctr *ctr;
	struct kt_json *spec; /* referenced */
	enum probe_kind kind;
	kt_ns period, timeout, due;
	int64_t success, failure; /* thresholds */
	int64_t run;              /* equal answers in a row */
	bool last, told;          /* what the run is of; the result so far */
	bool held;                /* no more probing until the container restarts */
	unsigned looks;           /* readiness: so many more, a second apart, while it is not ready */
	kt_ns first;              /* not before */
	uint64_t timer;
	struct kubelet_exec *exec;
};

static void tick(struct cluster *cluster, void *arg);

static void next(struct kubelet_probe *probe, kt_ns now)
{
	struct cluster *cluster = probe->ctr->pub.cluster;

	if (probe->held)
		return;
	do {
		bool soon = probe->looks && !probe->told;

		probe->looks = soon ? probe->looks - 1 : 0;
		probe->due += soon ? KT_SEC : probe->period;
	} while (probe->due <= now || probe->due < probe->first);
	probe->timer = cluster_at(cluster, probe->due, tick, probe);
}

/* Nothing of the pod goes on without it: the pod as a whole is stopped (kuberuntime computePodActions). */
static bool is_last(const struct kubelet_ctr *ctr)
{
	for (const struct kubelet_ctr *other = ctr->pod->ctrs; other; other = other->next)
		if (other != ctr && other->role == KUBELET_MAIN && other->state != KUBELET_ENDED)
			return false;
	return true;
}

static void failed_for_good(struct kubelet_probe *probe, kt_ns now)
{
	struct kubelet_ctr *ctr = probe->ctr;
	kt_ns grace = kt_get_int(ctr->pod->spec, "terminationGracePeriodSeconds", 30) * KT_SEC;
	struct kt_buf text = {0};

	grace = kt_get_int(probe->spec, "terminationGracePeriodSeconds", grace / KT_SEC) * KT_SEC;
	bool never =
	        ctr->role == KUBELET_MAIN && kt_streq(kt_get_str(ctr->pod->spec, "restartPolicy"), "Never");

	if (never && is_last(ctr))
		kt_buf_addf(&text, "Stopping container %s", ctr->pub.name);
	else
		kt_buf_addf(&text, "Container %s failed %s probe%s", ctr->pub.name, kinds[probe->kind].lower,
		            never ? "" : ", will be restarted");
	kubelet_ctr_stop(ctr, now, grace, kt_buf_str(&text)); /* frees the probes */
	kt_buf_clear(&text);
}

static void start_others(struct kubelet_ctr *ctr, kt_ns now);

/* The result changed: what the pod's worker must do. */
static void result(struct kubelet_probe *probe, bool good, kt_ns now)
{
	struct kubelet_ctr *ctr = probe->ctr;

	if (probe->kind == PROBE_READINESS) {
		if (ctr->ready != good) {
			ctr->ready = good;
			ctr->pod->dirty = true;
			kubelet_pod_wake(ctr->pod, now);
		}
		probe->told = good;
	} else if (!good) {
		probe->held = true;
		failed_for_good(probe, now);
	} else if (probe->kind == PROBE_STARTUP && !ctr->started) {
		ctr->started = true;
		ctr->ready = !kt_get(ctr->spec, "readinessProbe");
		ctr->pod->dirty = true;
		probe->held = true;
		start_others(ctr, now);
		kubelet_pod_wake(ctr->pod, now);
	}
}

static void answered(struct kubelet_probe *probe, enum kubelet_answer answer, const char *text)
{
	struct kubelet_ctr *ctr = probe->ctr;
	kt_ns now = cluster_now(ctr->pub.cluster);
	bool good = answer == KUBELET_SUCCESS;

	next(probe, now);
	if (answer == KUBELET_ERROR)
		kubelet_event(ctr->pod, ctr, true, "Unhealthy",
		              "%s probe errored and resulted in unknown state: %s", kinds[probe->kind].name,
		              text);
	else if (!good)
		kubelet_event(ctr->pod, ctr, true, "Unhealthy", "%s probe failed: %s",
		              kinds[probe->kind].name, text);
	if (answer == KUBELET_ERROR)
		return; /* the result stays */
	if (good != probe->last)
		probe->run = 0;
	probe->last = good;
	probe->run++;
	if (probe->run < (good ? probe->success : probe->failure))
		return;
	result(probe, good, now);
}

static void exec_done(void *arg, enum kubelet_answer answer, const char *text)
{
	struct kubelet_probe *probe = arg;
	struct kubelet_exec *exec = probe->exec;

	probe->exec = NULL;
	answered(probe, answer, text);
	kubelet_exec_free(exec);
}

static void tick(struct cluster *cluster, void *arg)
{
	struct kubelet_probe *probe = arg;
	struct kubelet_ctr *ctr = probe->ctr;
	enum kubelet_answer answer;
	char *text = NULL;
	kt_ns took;

	(void)cluster;
	probe->timer = 0;
	if (!ctr->process)
		return;
	if (kt_get(probe->spec, "exec") ||
	    !kubelet_exec_instant(ctr, probe->spec, probe->timeout, &answer, &took, &text)) {
		probe->exec = kubelet_exec_new(ctr, probe->spec, probe->timeout, exec_done, probe);
		return;
	}
	answered(probe, answer, text ? text : "");
	kt_free(text);
}

static void add(struct kubelet_ctr *ctr, enum probe_kind kind, kt_ns now)
{
	const struct kt_json *spec = kt_get(ctr->spec, kinds[kind].field);
	struct kubelet_probe *probe;

	if (!spec)
		return;
	probe = kt_alloc(sizeof(*probe));
	probe->ctr = ctr;
	probe->kind = kind;
	probe->spec = kt_json_ref(spec);
	probe->period = KT_MAX(kt_get_int(spec, "periodSeconds", 10), 1) * KT_SEC;
	probe->timeout = KT_MAX(kt_get_int(spec, "timeoutSeconds", 1), 1) * KT_SEC;
	probe->success = KT_MAX(kt_get_int(spec, "successThreshold", 1), 1);
	probe->failure = KT_MAX(kt_get_int(spec, "failureThreshold", 3), 1);
	probe->told = ctr->ready;
	probe->last = kind != PROBE_READINESS;
	probe->first = ctr->started_at + kt_get_int(spec, "initialDelaySeconds", 0) * KT_SEC;
	if (kind == PROBE_READINESS) {
		/* Syncs of a pod that has just started look at once, in its first seconds; the period counts
		 * from the last of these looks. A program that listens at once is not asked too early. */
		probe->looks = LOOKS;
		probe->due = KT_MAX(now + 100 * KT_MS, ctr->started_at + 300 * KT_MS);
		if (probe->due < probe->first)
			next(probe, now);
	} else {
		/* Its worker has ticked since the kubelet saw the pod. */
		probe->due = ctr->pod->started_at ? ctr->pod->started_at : now;
		next(probe, now);
	}
	if (probe->timer)
		cluster_cancel(ctr->pub.cluster, probe->timer);
	probe->timer = cluster_at(ctr->pub.cluster, probe->due, tick, probe);
	probe->next = ctr->probes;
	ctr->probes = probe;
}

static void start_others(struct kubelet_ctr *ctr, kt_ns now)
{
	add(ctr, PROBE_LIVENESS, now);
	add(ctr, PROBE_READINESS, now);
}

void kubelet_probes_start(struct kubelet_ctr *ctr, kt_ns now)
{
	if (!ctr->started)
		add(ctr, PROBE_STARTUP, now);
	else
		start_others(ctr, now);
}

void kubelet_probes_stop(struct kubelet_ctr *ctr)
{
	while (ctr->probes) {
		struct kubelet_probe *probe = ctr->probes;

		ctr->probes = probe->next;
		cluster_cancel(ctr->pub.cluster, probe->timer);
		kubelet_exec_free(probe->exec);
		kt_json_free(probe->spec);
		kt_free(probe);
	}
}
