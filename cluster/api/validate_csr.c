/* SPDX-License-Identifier: MIT */
/* CertificateSigningRequests (kubernetes pkg/apis/certificates/validation). */
#include "cluster/api/csr.h"
#include "cluster/api/validate.h"

#include <string.h>

#define DOMAIN_MAX 253
#define PATH_MAX   (DOMAIN_MAX + 63 + 1)

/* The parts between dots, up to the first that is none; how many there are. */
static size_t dotted(struct v *v, const struct v_path *path, const char *text, v_format *format)
{
	struct kt_strs labels = {0};
	bool fine = true;
	for (const char *at = text;; at++) {
		size_t len = strcspn(at, ".");
		kt_strs_steal(&labels, kt_strndup(at, len));
		at += len;
		if (!*at)
			break;
	}
	for (size_t i = 0; fine && i < labels.count; i++) {
		struct kt_strs faults = {0};
		format(labels.items[i], &faults);
		for (size_t k = 0; k < faults.count; k++)
			v_invalid_str(v, path, text, "validating label \"%s\": %s", labels.items[i],
			              faults.items[k]);
		fine = faults.count == 0;
		kt_strs_clear(&faults);
	}
	size_t count = labels.count;
	kt_strs_clear(&labels);
	return count;
}

/* pkg/apis/core/validation/names.go ValidateSignerName */
void v_signer_name(struct v *v, const struct v_path *path, const char *name)
{
	const char *slash = strchr(name, '/');
	if (!*name) {
		v_required(v, path, "");
		return;
	}
	if (!slash || strchr(slash + 1, '/')) {
		v_invalid_str(
		        v, path, name,
		        "must be a fully qualified domain and path of the form 'example.com/signer-name'");
		return;
	}
	char *domain = kt_strndup(name, (size_t)(slash - name));
	if (strlen(domain) > DOMAIN_MAX)
		v_too_long(v, path, DOMAIN_MAX);
	if (dotted(v, path, domain, v_dns_label) < 2)
		v_invalid_str(v, path, domain,
		              "should be a domain with at least two segments separated by dots");
	dotted(v, path, slash + 1, v_dns_subdomain);
	if (strlen(name) > DOMAIN_MAX + PATH_MAX + 1)
		v_too_long(v, path, DOMAIN_MAX + PATH_MAX + 1);
	kt_free(domain);
}

static const char *const known_usages[] = {"any",
                                           "cert sign",
                                           "client auth",
                                           "code signing",
                                           "content commitment",
                                           "crl sign",
                                           "data encipherment",
                                           "decipher only",
                                           "digital signature",
                                           "email protection",
                                           "encipher only",
                                           "ipsec end system",
                                           "ipsec tunnel",
                                           "ipsec user",
                                           "key agreement",
                                           "key encipherment",
                                           "microsoft sgc",
                                           "netscape sgc",
                                           "ocsp signing",
                                           "s/mime",
                                           "server auth",
                                           "signing",
                                           "timestamping",
                                           NULL};

static void usages(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *usage;
	if (kt_count(list) == 0)
		v_required(v, path, "");
	KT_JSON_EACH (usage, list) {
		bool known = false;
		for (size_t i = 0; known_usages[i]; i++)
			known = known || kt_streq(known_usages[i], kt_str(usage));
		if (!known)
			v_unsupported(v, V_AT(path, usage_i), usage, known_usages);
	}
	KT_JSON_EACH (usage, list)
		for (size_t i = 0; i < usage_i; i++)
			if (kt_equal(kt_at(list, i), usage)) {
				v_duplicate(v, V_AT(path, usage_i), usage);
				break;
			}
}

/* The spec never changes, so that it is looked at once. */
static void create(struct v *v)
{
	const struct v_path *path = V_ROOT("spec");
	const struct kt_json *spec = kt_get(v->object, "spec");
	const char *signer = kt_get_text(spec, "signerName");
	char *why = csr_request_fault(kt_get_text(spec, "request"));
	if (why)
		v_invalid(v, V_IN(path, "request"), kt_get(spec, "request"), "%s", why);
	kt_free(why);
	usages(v, V_IN(path, "usages"), kt_get(spec, "usages"));
	if (strcmp(signer, "kubernetes.io/legacy-unknown") == 0)
		v_invalid_str(v, V_IN(path, "signerName"), signer,
		              "the legacy signerName is not allowed via this API version");
	else
		v_signer_name(v, V_IN(path, "signerName"), signer);
	if (kt_get(spec, "expirationSeconds") && kt_get_int(spec, "expirationSeconds", 0) < 600)
		v_invalid(v, V_IN(path, "expirationSeconds"), kt_get(spec, "expirationSeconds"),
		          "may not specify a duration less than 600 seconds (10 minutes)");
}

static void update(struct v *v)
{
	(void)v;
}

/* --- conditions --- */

static const char *const lasting[] = {"Approved", "Denied",
                                      "Failed"}; /* True for ever, once they are there */

static void condition_status(struct v *v, const struct v_path *path, const struct kt_json *condition)
{
	const char *type = kt_get_text(condition, "type"), *status = kt_get_text(condition, "status");
	static const char *const any[] = {"False", "True", "Unknown", NULL}, *const only[] = {"True", NULL};
	const char *const *allowed = any;
	bool known = false;
	for (size_t i = 0; i < KT_COUNT(lasting); i++)
		if (strcmp(type, lasting[i]) == 0)
			allowed = only;
	for (size_t i = 0; allowed[i]; i++)
		known = known || strcmp(allowed[i], status) == 0;
	if (!*status)
		v_required(v, path, "");
	else if (!known)
		v_unsupported(v, path, kt_get(condition, "status"), allowed);
}

static size_t count_before(const struct kt_json *conditions, const char *type, size_t end)
{
	size_t count = 0;
	for (size_t i = 0; i < end; i++)
		count += strcmp(kt_get_text(kt_at(conditions, i), "type"), type) == 0;
	return count;
}

static void conditions(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *condition;
	KT_JSON_EACH (condition, list) {
		const struct v_path *at = V_AT(path, condition_i);
		const char *type = kt_get_text(condition, "type");
		const char *other = strcmp(type, "Approved") == 0 ? "Denied"
		                    : strcmp(type, "Denied") == 0 ? "Approved"
		                                                  : NULL;
		if (!*type)
			v_required(v, V_IN(at, "type"), "");
		condition_status(v, V_IN(at, "status"), condition);
		if (other && count_before(list, other, condition_i))
			v_invalid_str(v, path, type, "Approved and Denied conditions are mutually exclusive");
		if (count_before(list, type, condition_i)) {
			struct kt_json *text = kt_json_str(type);
			v_duplicate(v, V_IN(at, "type"), text);
			kt_json_free(text);
		}
	}
}

/* What is said stays said; who signs does not say that somebody approved. */
static void condition_changes(struct v *v, const struct v_path *path, const struct kt_json *now,
                              const struct kt_json *old, bool approves)
{
	for (size_t i = 0; i < KT_COUNT(lasting); i++)
		if (count_before(now, lasting[i], kt_count(now)) <
		    count_before(old, lasting[i], kt_count(old)))
			v_forbidden(v, path, "updates may not remove a condition of type \"%s\"", lasting[i]);
	for (size_t i = 0; !approves && strcmp(lasting[i], "Failed") != 0; i++)
		if (count_before(now, lasting[i], kt_count(now)) >
		    count_before(old, lasting[i], kt_count(old)))
			v_forbidden(v, path, "updates may not add a condition of type \"%s\"", lasting[i]);
}

static void part(struct v *v, const char *subresource)
{
	const struct v_path *path = V_ROOT("status");
	const struct kt_json *now = kt_get(v->object, "status"), *old = kt_get(v->old, "status");
	const char *text = kt_get_text(now, "certificate"), *was = kt_get_text(old, "certificate");
	conditions(v, V_IN(path, "conditions"), kt_get(now, "conditions"));
	char *why = strcmp(text, was) != 0 ? csr_certificate_fault(text) : NULL;
	if (why) {
		struct kt_json *shown = kt_json_str("<certificate data>");
		v_invalid(v, V_IN(path, "certificate"), shown, "%s", why);
		kt_json_free(shown);
	}
	kt_free(why);
	condition_changes(v, V_IN(path, "conditions"), kt_get(now, "conditions"), kt_get(old, "conditions"),
	                  strcmp(subresource, "approval") == 0);
	if (*was && strcmp(text, was) != 0)
		v_forbidden(v, V_IN(path, "certificate"),
		            "updates may not modify existing certificate content");
}

const struct v_kind v_kinds_csr[] = {
        {.group = "certificates.k8s.io",
         .kind = "CertificateSigningRequest",
         .name = v_path_segment,
         .prefix = v_path_segment,
         .create = create,
         .update = update,
         .part = part},
        {0},
};
