/* SPDX-License-Identifier: MIT */
/* Approved CertificateSigningRequests get their certificate from the cluster's signer (kubernetes
 * pkg/controller/certificates/signer/signer.go). */
#include "cluster/controllers/controllers_internal.h"
#include <string.h>

#define YEAR  (365 * 24 * 3600)
#define LEAST 600

/* A signer's rules. `needed` usages must be there, `allowed` may. */
struct rule {
	const char *name;
	const char *needed[3], *allowed[3];
	bool of_node;
	int names;
};
#define SIGNER "kubernetes.io/"
static const struct rule rules[] = {
        {SIGNER "kube-apiserver-client",
         {"client auth"},
         {"digital signature", "key encipherment"},
         false,
         CLUSTER_NAMES_ANY},
        {SIGNER "kube-apiserver-client-kubelet",
         {"client auth", "digital signature"},
         {"key encipherment"},
         true,
         CLUSTER_NAMES_NONE},
        {SIGNER "kubelet-serving",
         {"digital signature", "server auth"},
         {"key encipherment"},
         true,
         CLUSTER_NAMES_NEEDED},
};

static const struct rule *rule_of(const struct store_object *csr)
{
	for (size_t i = 0; i < KT_COUNT(rules); i++)
		if (kt_streq(rules[i].name, kt_path_str(csr->json, "spec.signerName")))
			return &rules[i];
	return NULL;
}

static bool among(const char *const *words, const char *word)
{
	for (size_t i = 0; i < 3 && words[i]; i++)
		if (kt_streq(words[i], word))
			return true;
	return false;
}

/* What a signer says of usages; kubelets' signers have other words for the same. */
static enum kt_code check_usages(const struct rule *rule, const struct kt_json *usages, struct kt_err *err)
{
	const struct kt_json *usage;
	if (rule->of_node) {
		bool fits = kt_has_word(usages, rule->needed[0]) && kt_has_word(usages, rule->needed[1]);
		KT_JSON_EACH (usage, usages)
			fits = fits &&
			       (among(rule->needed, kt_str(usage)) || among(rule->allowed, kt_str(usage)));
		return fits ? KT_OK
		            : kt_fail(err, KT_EDENIED, "usages did not match [%s %s]", rule->needed[0],
		                      rule->needed[1]);
	}
	KT_JSON_EACH (usage, usages)
		if (!among(rule->needed, kt_str(usage)) && !among(rule->allowed, kt_str(usage)))
			return kt_fail(err, KT_EDENIED, "invalid usage for client certificate: %s",
			               kt_str_or(usage, ""));
	if (!kt_has_word(usages, rule->needed[0]))
		return kt_fail(err, KT_EDENIED, "missing required usage for client certificate: %s",
		               rule->needed[0]);
	return KT_OK;
}

static bool condition(const struct store_object *csr, const char *type)
{
	const struct kt_json *found = controller_condition(kt_path(csr->json, "status.conditions"), type);
	return found && !kt_streq(kt_get_str(found, "status"), "False");
}

static enum kt_code sign(struct cluster *cluster, const struct rule *rule, const struct store_object *csr,
                         char **out, struct kt_err *err)
{
	const struct cluster_signer *signer = cluster_get_options(cluster)->signer;
	const struct kt_json *spec = kt_get(csr->json, "spec");
	const char *text = kt_str_or(kt_get(spec, "request"), "");
	int64_t seconds = kt_get_int(spec, "expirationSeconds", YEAR);
	struct kt_buf request = {0};
	enum kt_code rc = check_usages(rule, kt_get(spec, "usages"), err);
	if (!rc && !kt_unbase64(text, strlen(text), &request))
		rc = kt_fail(err, KT_EINVAL, "the request is not base64");
	if (!rc) {
		struct cluster_certificate wanted = {.request = kt_buf_str(&request),
		                                     .usages = kt_get(spec, "usages"),
		                                     .seconds = KT_MAX(KT_MIN(seconds, YEAR), LEAST),
		                                     .of_node = rule->of_node,
		                                     .names = rule->names};
		rc = signer->sign(signer->arg, &wanted, out, err);
	}
	kt_buf_clear(&request);
	return rc;
}

static struct kt_json *failed(struct cluster *cluster, const char *why)
{
	struct kt_json *time = controller_time(cluster_now(cluster));
	return kt_jsonf("{type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message: %s, "
	                "lastUpdateTime: %J, lastTransitionTime: %j}",
	                why, time, time);
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *csr = controller_get(cluster, queue->kinds->csr, key);
	const struct rule *rule = csr ? rule_of(csr) : NULL;
	if (!rule || !cluster_get_options(cluster)->signer || !condition(csr, "Approved") ||
	    condition(csr, "Failed") || kt_path(csr->json, "status.certificate"))
		return true;
	struct api_actor actor = controller_actor(queue, because ? because : csr);
	struct kt_json *status = kt_json_ref(kt_get(csr->json, "status"));
	struct kt_err err = {0};
	char *pem = NULL;
	enum kt_code rc = sign(cluster, rule, csr, &pem, &err);
	if (rc && rc != KT_EDENIED) {
		kt_json_free(status);
		return false;
	}
	if (rc) {
		kt_push(kt_edit(&status, "conditions"), failed(cluster, err.text));
	} else {
		struct kt_buf text = {0};
		kt_base64(pem, strlen(pem), &text);
		kt_set(&status, "certificate", kt_json_str(kt_buf_str(&text)));
		kt_buf_clear(&text);
	}
	kt_free(pem);
	return controller_write_status(cluster, &actor, csr, status) != NULL;
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	if (event->object->kind == queue->kinds->csr && event->change != STORE_DELETED)
		controller_add(cluster, queue, "", event->object->name, event->object);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->csr);
}

const struct controller controller_csr_signing = {
        .name = "csrsigning",
        .component = "csrsigning-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 10 * KT_MS,
};
