/* SPDX-License-Identifier: MIT */
/* Admission webhooks: apiserver pkg/admission/plugin/webhook. Which requests they are about is decided as
 * there, and the call is made as far as it goes: no program in here serves AdmissionReviews over TLS, so
 * every call fails, and the failurePolicy says what comes of that. */
#include "cluster/api/admit.h"
#include "cluster/network/network.h"

#include <string.h>

#define GROUP "admissionregistration.k8s.io"

/* Where the call goes, and what came of it: "service \"guard\" not found". Owned. */
static char *call(const struct rules_request *r, const struct kt_json *hook)
{
	const struct kt_json *client = kt_get(hook, "clientConfig"), *service = kt_get(client, "service"),
	                     *object;
	const char *url = kt_get_str(client, "url");
	long long seconds = (long long)kt_get_int(hook, "timeoutSeconds", 10);
	struct network_peer server = {0};
	struct network_path path = {0};
	char *out, *to, *why = NULL;
	if (url) {
		const char *host = strstr(url, "://") ? strstr(url, "://") + 3 : url;
		why = kt_strf("dial tcp: lookup %.*s: no such host", (int)strcspn(host, ":/"), host);
		to = kt_strf("%s%stimeout=%llds", url, strchr(url, '?') ? "&" : "?", seconds);
	} else {
		const char *ns = kt_get_text(service, "namespace"), *name = kt_get_text(service, "name");
		long long port = (long long)kt_get_int(service, "port", 443);
		to = kt_strf("https://%s.%s.svc:%lld%s?timeout=%llds", name, ns, port,
		             kt_get_text(service, "path"), seconds);
		object = admit_get(r, "", "Service", ns, name);
		const char *address = object ? kt_path_str(object, "spec.clusterIP") : NULL;
		if (!object)
			why = kt_strf("service \"%s\" not found", name);
		else if (address)
			network_connect(r->cluster, &server, address, (unsigned)port, "TCP", &path);
		const struct network_listener *listener = network_path_listener(r->cluster, &path);
		if (address && path.outcome == NETWORK_OPEN)
			why = kt_strdup(listener && listener->http
			                        ? "http: server gave HTTP response to HTTPS client"
			                        : "EOF");
		else if (address && path.outcome == NETWORK_TIMEOUT)
			why = kt_strdup("context deadline exceeded");
		else if (!why)
			why = kt_strf("dial tcp %s:%lld: connect: connection refused", address ? address : "",
			              port);
	}
	out = kt_strf("failed calling webhook \"%s\": failed to call webhook: Post \"%s\": %s",
	              kt_get_text(hook, "name"), to, why);
	kt_free(to);
	kt_free(why);
	return out;
}

static bool is_about(const struct rules_request *r, const struct kt_json *hook)
{
	const struct kt_json *rule;
	bool fits = false;
	KT_JSON_EACH (rule, kt_get(hook, "rules"))
		fits = fits || admit_rule_fits(r, rule);
	return fits && admit_selectors_fit(r, hook);
}

/* All of one kind, in the order of their names; the first that must not fail ends it. */
static bool run(const struct rules_request *r, const char *name, struct api_status *status)
{
	const struct schema_kind *kind = schema_stored(cluster_schema(r->cluster), GROUP, name);
	const struct store_object *config;
	const struct kt_json *hook;
	bool fine = true;
	/* configurations are not theirs to judge: who could mend them? */
	if (strcmp(r->kind->group, GROUP) == 0 || store_count(cluster_store(r->cluster), kind, NULL) == 0)
		return true;
	STORE_EACH (config, cluster_store(r->cluster), kind, NULL)
		KT_JSON_EACH (hook, kt_get(config->json, "webhooks")) {
			if (!fine || !is_about(r, hook) ||
			    kt_streq(kt_get_str(hook, "failurePolicy"), "Ignore"))
				continue;
			char *why = call(r, hook);
			api_fail(status, 500, "InternalError", "Internal error occurred: %s", why);
			if (status && !status->details)
				status->details = kt_jsonf("{causes: [{message: %s}]}", why);
			kt_free(why);
			fine = false;
		}
	return fine;
}

bool admit_mutating_webhooks(const struct rules_request *r, struct api_status *status)
{
	return run(r, "MutatingWebhookConfiguration", status);
}

bool admit_validating_webhooks(const struct rules_request *r, struct api_status *status)
{
	return run(r, "ValidatingWebhookConfiguration", status);
}
