/* SPDX-License-Identifier: MIT */
/* The requests and certificates within CertificateSigningRequests; each as the API has them, PEM in base64.
 */
#ifndef API_CSR_H
#define API_CSR_H

#include "base/base.h"

/* What is wrong with spec.request, its own signature too; new. NULL: nothing. */
char *csr_request_fault(const char *base64);
/* What is wrong with status.certificate; new. NULL: nothing, or there is none. */
char *csr_certificate_fault(const char *base64);
/* Whether the subject of a request is of this organization. */
bool csr_has_organization(const char *base64, const char *organization);

#endif
