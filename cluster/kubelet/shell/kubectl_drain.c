/* SPDX-License-Identifier: MIT */
/* kubectl in a pod: drain. The words are kubectl/pkg/drain's. */
#include "cluster/kubelet/shell/kubectl.h"

#include <string.h>

/* A node is asked for (cordoned unless it is), its pods listed and sorted, each evicted (again after 5 s
 * while a budget refuses), then looked at until it is gone. */
enum { DRAIN_NODE, DRAIN_CORDON, DRAIN_LIST, DRAIN_EVICT, DRAIN_GONE };
static const kt_ns RETRY = 5 * KT_SEC;

static bool owned_by(const struct kt_json *pod, const char *kind)
{
	const struct kt_json *one;
	KT_JSON_EACH (one, kt_path(pod, "metadata.ownerReferences"))
		if (kt_get_bool(one, "controller", false) &&
		    (!kind || kt_streq(kt_get_str(one, "kind"), kind)))
			return true;
	return false;
}

static bool has_local_storage(const struct kt_json *pod)
{
	const struct kt_json *one;
	KT_JSON_EACH (one, kt_path(pod, "spec.volumes"))
		if (kt_get(one, "emptyDir"))
			return true;
	return false;
}

static void add_name(struct kt_buf *out, const struct kt_json *pod)
{
	kt_buf_addf(out, "%s%s/%s", out->len ? ", " : "", kt_str_or(kt_path(pod, "metadata.namespace"), ""),
	            kt_str_or(kt_path(pod, "metadata.name"), ""));
}

/* Who is to go (into `rest`, NAMESPACE NAME each); false: some may not, which is told. */
static bool sort_pods(struct tool_run *r, struct kubectl *s, const struct kt_json *pods)
{
	enum { BARE, DAEMON, LOCAL, KINDS };
	static const struct {
		const char *refused, *warned, *option;
	} words[KINDS] = {
	        [BARE] = {"cannot delete cannot delete Pods that declare no controller (use --force to "
	                  "override): ",
	                  "deleting Pods that declare no controller: ", "force"},
	        [DAEMON] = {"cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): ",
	                    "ignoring DaemonSet-managed Pods: ", "ignore-daemonsets"},
	        [LOCAL] = {"cannot delete Pods with local storage (use --delete-emptydir-data to override): ",
	                   "deleting Pods with local storage: ", "delete-emptydir-data"}};
	struct kt_buf names[KINDS] = {{0}, {0}, {0}}, warnings = {0}, refused = {0};
	const struct kt_json *pod;
	KT_JSON_EACH (pod, kt_get(pods, "items")) {
		const char *phase = kt_str_or(kt_path(pod, "status.phase"), "");
		bool over = kt_streq(phase, "Succeeded") || kt_streq(phase, "Failed"),
		     daemon = owned_by(pod, "DaemonSet"),
		     mirror = kt_get(kt_path(pod, "metadata.annotations"), "kubernetes.io/config.mirror") !=
		              NULL;
		if (mirror)
			continue;
		if (daemon)
			add_name(&names[DAEMON], pod);
		else if (!over && !owned_by(pod, NULL))
			add_name(&names[BARE], pod);
		if (!daemon && !over && has_local_storage(pod))
			add_name(&names[LOCAL], pod);
		if (!daemon) {
			kt_strs_add(&s->rest, kt_str_or(kt_path(pod, "metadata.namespace"), ""));
			kt_strs_add(&s->rest, kt_str_or(kt_path(pod, "metadata.name"), ""));
		}
	}
	size_t kinds = 0;
	for (size_t i = 0; i < KINDS; i++) {
		bool allowed = kubectl_option(s, words[i].option) != NULL;
		if (names[i].len && allowed && i != LOCAL)
			kt_buf_addf(&warnings, "%s%s%s", warnings.len ? "; " : "", words[i].warned,
			            kt_buf_str(&names[i]));
		if (names[i].len && !allowed && ++kinds)
			kt_buf_addf(&refused, "%s%s%s", refused.len ? ", " : "", words[i].refused,
			            kt_buf_str(&names[i]));
		kt_buf_clear(&names[i]);
	}
	const char *node = kubectl_name_at(s, s->at);
	if (refused.len)
		kubectl_complain(
		        r, s,
		        "error: unable to drain node \"%s\" due to error: %s%s%s, continuing command...\n"
		        "There are pending nodes to be drained:\n %s\n%s",
		        node, kinds > 1 ? "[" : "", kt_buf_str(&refused), kinds > 1 ? "]" : "", node,
		        kt_buf_str(&refused));
	else if (warnings.len)
		tool_err(r, "Warning: %s\n", kt_buf_str(&warnings));
	bool good = !refused.len;
	kt_buf_clear(&warnings);
	kt_buf_clear(&refused);
	return good;
}

/* The place in `rest` of the pod that is dealt with. */
static const char *part(const struct kubectl *s, size_t i)
{
	return s->rest.items[s->type_at + i];
}

static bool late(struct tool_run *r, struct kubectl *s)
{
	if (!kubectl_expired(r, s, s->timeout))
		return false;
	kubectl_complain(
	        r, s,
	        "error: unable to drain node \"%s\" due to error: error when evicting pods/\"%s\" -n \"%s\": "
	        "global timeout reached: %s, continuing command...\nThere are pending nodes to be "
	        "drained:\n %s\nerror when evicting pods/\"%s\" -n \"%s\": global timeout reached: %s",
	        kubectl_name_at(s, s->at), part(s, 1), part(s, 0), s->timeout, kubectl_name_at(s, s->at),
	        part(s, 1), part(s, 0), s->timeout);
	return true;
}

static const char *dry_words(const struct kubectl *s)
{
	return kt_streq(s->dry_run, "server") ? "server dry run" : "dry run";
}

static bool done_with_node(struct tool_run *r, struct kubectl *s)
{
	char *told = s->dry_run ? kt_strf("drained (%s)", dry_words(s)) : kt_strdup("drained");
	kubectl_told(r, s, kubectl_name_at(s, s->at), true, told);
	kt_free(told);
	kt_strs_clear(&s->rest);
	s->type_at = 0;
	s->stage = DRAIN_NODE;
	return ++s->at < s->words.count;
}

/* One pod's eviction. */
static void evict(struct tool_run *r, struct kubectl *s)
{
	char *base = kubectl_path_of(s, kubectl_kind_named(s, "pods"), part(s, 0), part(s, 1));
	tool_outf(r, "evicting pod %s/%s\n", part(s, 0), part(s, 1));
	s->call = (struct kubectl_call){
	        .method = "POST",
	        .type = "application/json",
	        .path = kt_strf("%s/eviction", base),
	        .body = kt_strf("{\"apiVersion\":\"policy/"
	                        "v1\",\"kind\":\"Eviction\",\"metadata\":{\"name\":\"%s\","
	                        "\"namespace\":\"%s\"}}",
	                        part(s, 1), part(s, 0))};
	kt_free(base);
}

bool kubectl_ask_drain(struct tool_run *r, struct kubectl *s)
{
	const struct schema_kind *pods = kubectl_kind_named(s, "pods");
	s->kind = kubectl_kind_named(s, "nodes");
	if (!s->at) {
		s->at = 1;
		s->since = process_now(r->task->process);
	}
	if (s->words.count < 2)
		kubectl_complain(r, s, "error: USAGE: drain NODE [flags]");
	if (s->status)
		return false;
	if ((s->stage == DRAIN_EVICT || s->stage == DRAIN_GONE) && s->type_at >= s->rest.count) {
		bool again = s->stage == DRAIN_EVICT && s->rest.count;
		s->stage = DRAIN_GONE;
		s->type_at = 0;
		if (!again && !done_with_node(r, s))
			return false;
	}
	if ((s->stage == DRAIN_EVICT || s->stage == DRAIN_GONE) && late(r, s))
		return false;
	char *node = kubectl_path_of(s, s->kind, NULL, kubectl_name_at(s, s->at));
	switch (s->stage) {
	case DRAIN_NODE:
		s->call = (struct kubectl_call){.method = "GET", .path = kt_strdup(node)};
		break;
	case DRAIN_CORDON:
		if (s->dry_run) {
			tool_outf(r, "node/%s cordoned (%s)\n", kubectl_name_at(s, s->at), dry_words(s));
			s->stage = DRAIN_LIST;
			kt_free(node);
			return kubectl_ask_drain(r, s);
		}
		s->call = (struct kubectl_call){.method = "PATCH",
		                                .type = "application/merge-patch+json",
		                                .body = kt_strdup("{\"spec\":{\"unschedulable\":true}}"),
		                                .path = kt_strdup(node)};
		break;
	case DRAIN_LIST:
		s->call = (struct kubectl_call){
		        .method = "GET",
		        .path = kt_strf("/api/v1/pods?fieldSelector=spec.nodeName%%3D%s",
		                        kubectl_name_at(s, s->at))};
		break;
	case DRAIN_EVICT:
		if (s->dry_run) {
			for (; s->type_at < s->rest.count; s->type_at += 2)
				tool_outf(r, "evicting pod %s/%s (%s)\n", part(s, 0), part(s, 1),
				          dry_words(s));
			kt_strs_clear(&s->rest);
			kt_free(node);
			return kubectl_ask_drain(r, s);
		}
		evict(r, s);
		break;
	default:
		s->call = (struct kubectl_call){.method = "GET",
		                                .path = kubectl_path_of(s, pods, part(s, 0), part(s, 1))};
	}
	kt_free(node);
	return true;
}

/* 404 is what is waited for; 429 is asked again. */
bool kubectl_drain_refused(struct tool_run *r, struct kubectl *s, int status)
{
	if (status == 404 && (s->stage == DRAIN_EVICT || s->stage == DRAIN_GONE)) {
		if (s->stage == DRAIN_GONE)
			tool_outf(r, "pod/%s evicted\n", part(s, 1));
		s->type_at += 2;
		return true;
	}
	if (status != 429 || s->stage != DRAIN_EVICT)
		return false;
	tool_err(r,
	         "error when evicting pods/\"%s\" -n \"%s\" (will retry after 5s): Cannot evict pod as it "
	         "would violate "
	         "the pod's disruption budget.\n",
	         part(s, 1), part(s, 0));
	s->pause = RETRY;
	return true;
}

void kubectl_tell_drain(struct tool_run *r, struct kubectl *s, const char *body)
{
	struct kt_json *answer = kubectl_answer(body);
	if (s->stage == DRAIN_NODE) {
		bool is = kt_path_bool(answer, "spec.unschedulable", false);
		s->stage = is ? DRAIN_LIST : DRAIN_CORDON;
		if (is)
			kubectl_told(r, s, kubectl_name_at(s, s->at), true, "already cordoned");
	} else if (s->stage == DRAIN_CORDON) {
		kubectl_told(r, s, kubectl_name_at(s, s->at), true, "cordoned");
		s->stage = DRAIN_LIST;
	} else if (s->stage == DRAIN_LIST) {
		s->type_at = 0;
		(void)sort_pods(r, s, answer);
		s->stage = DRAIN_EVICT;
	} else if (s->stage == DRAIN_EVICT) {
		s->type_at += 2;
	} else {
		s->pause = KT_SEC;
	}
	kt_json_free(answer);
}
