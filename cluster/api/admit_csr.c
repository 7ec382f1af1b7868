/* SPDX-License-Identifier: MIT */
/* Who may approve and sign for which signer, and what nobody gets (kubernetes
 * plugin/pkg/admission/certificates: approval, signing, subjectrestriction). */
#include "cluster/api/admit.h"
#include "cluster/api/csr.h"

#include <string.h>

static const char *signer_of(const struct kt_json *csr)
{
	return kt_get_text(kt_get(csr, "spec"), "signerName");
}

static bool may(const struct rules_request *r, const char *verb, const char *name)
{
	const struct rules_attributes a = {.verb = verb,
	                                   .group = "certificates.k8s.io",
	                                   .version = "*",
	                                   .resource = "signers",
	                                   .subresource = "",
	                                   .ns = "",
	                                   .name = name};
	return rules_authorize(r->cluster, r->user, &a, NULL);
}

/* For this signer, or for all of its domain. */
static bool may_for_signer(const struct rules_request *r, const char *verb)
{
	const char *signer = signer_of(r->old);
	if (admit_is_trusted(r) || may(r, verb, signer))
		return true;
	char *all = kt_strf("%.*s/*", (int)strcspn(signer, "/"), signer);
	bool fine = may(r, verb, all);
	kt_free(all);
	return fine;
}

bool admit_csr_approval(const struct rules_request *r, struct api_status *status)
{
	if (strcmp(r->subresource, "approval") != 0 || may_for_signer(r, "approve"))
		return true;
	return admit_forbid(r, status, "user not permitted to approve requests with signerName \"%s\"",
	                    signer_of(r->old));
}

bool admit_csr_signing(const struct rules_request *r, struct api_status *status)
{
	const struct kt_json *now = kt_get(*r->object, "status"), *old = kt_get(r->old, "status");
	if (strcmp(r->subresource, "status") != 0 ||
	    (strcmp(kt_get_text(now, "certificate"), kt_get_text(old, "certificate")) == 0 &&
	     kt_equal(kt_get(now, "conditions"), kt_get(old, "conditions"))) ||
	    may_for_signer(r, "sign"))
		return true;
	return admit_forbid(r, status, "user not permitted to sign requests with signerName \"%s\"",
	                    signer_of(r->old));
}

bool admit_csr_subject(const struct rules_request *r, struct api_status *status)
{
	static const char signer[] = "kubernetes.io/kube-apiserver-client";
	const struct kt_json *spec = kt_get(*r->object, "spec");
	if (strcmp(signer_of(*r->object), signer) != 0 ||
	    !csr_has_organization(kt_get_text(spec, "request"), "system:masters"))
		return true;
	return admit_forbid(r, status, "use of %s signer with system:masters group is not allowed", signer);
}
