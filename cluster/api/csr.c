/* SPDX-License-Identifier: MIT */
/* What is in a CertificateSigningRequest: a PKCS#10 request in PEM, and the certificate that came of it. Read
 * as Go's encoding/pem, encoding/asn1 and crypto/x509 do, faults in their words. */
#include "cluster/api/csr.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <string.h>

#define LEAST_RSA_BITS 1024

/* The next PEM block at or after *text: its type, whether it has headers, its bytes; *text is then behind it.
 * What looks like one and is none is passed over. */
struct pem {
	char *type;
	bool headers;
	struct kt_buf bytes;
};

static void pem_clear(struct pem *pem)
{
	kt_free(pem->type);
	kt_buf_clear(&pem->bytes);
	*pem = (struct pem){0};
}

static bool pem_body(const char *from, const char *to, struct pem *pem)
{
	struct kt_buf text = {0};
	for (const char *line = from; line < to;) {
		const char *end = memchr(line, '\n', (size_t)(to - line));
		end = end ? end : to;
		if (memchr(line, ':', (size_t)(end - line)))
			pem->headers = true;
		else
			for (const char *s = line; s < end; s++)
				if (!strchr(" \t\r", *s))
					kt_buf_addc(&text, *s);
		line = end + 1;
	}
	bool fine = text.len % 4 == 0 && kt_unbase64(kt_buf_str(&text), text.len, &pem->bytes);
	kt_buf_clear(&text);
	return fine;
}

static bool pem_next(const char **text, struct pem *pem)
{
	for (const char *at = *text, *begin; (begin = strstr(at, "-----BEGIN ")) != NULL; at = begin + 1) {
		const char *type = begin + 11, *line = strchr(type, '\n');
		const char *dashes = strstr(type, "-----");
		if ((begin != *text && begin[-1] != '\n') || !line || !dashes || dashes > line ||
		    strspn(dashes + 5, " \t\r") != (size_t)(line - dashes - 5))
			continue;
		pem->type = kt_strndup(type, (size_t)(dashes - type));
		char *finish = kt_strf("\n-----END %s-----", pem->type);
		const char *end = strstr(line, finish);
		bool fine = end && pem_body(line + 1, KT_MAX(end, line + 1), pem);
		if (fine)
			*text = end + strlen(finish);
		kt_free(finish);
		if (fine)
			return true;
		pem_clear(pem);
	}
	return false;
}

struct der {
	const unsigned char *at;
	size_t len;
};

/* The SEQUENCE at the beginning of `in`: what is in it, and how long all of it is; NULL, or what is wrong,
 * new. */
static char *sequence(const struct der *in, const char *name, struct der *inside, size_t *whole)
{
	if (in->len < 2)
		return kt_strdup(in->len == 0 ? "asn1: syntax error: sequence truncated"
		                              : "asn1: syntax error: truncated tag or length");
	size_t header = 2, length = in->at[1];
	unsigned tag = in->at[0];
	if (length & 0x80) {
		size_t bytes = length & 0x7f;
		length = 0;
		if (bytes == 0)
			return kt_strdup("asn1: syntax error: indefinite length found (not DER)");
		if (bytes > 4)
			return kt_strdup("asn1: structure error: length too large");
		for (size_t i = 0; i < bytes; i++) {
			if (header >= in->len)
				return kt_strdup("asn1: syntax error: truncated tag or length");
			length = length << 8 | in->at[header++];
		}
	}
	if (tag != 0x30)
		return kt_strf("asn1: structure error: tags don't match (16 vs {class:%u tag:%u length:%zu "
		               "isCompound:%s}) "
		               "{optional:false explicit:false application:false private:false "
		               "defaultValue:<nil> tag:<nil> "
		               "stringType:0 timeType:0 set:false omitEmpty:false} %s @%zu",
		               tag >> 6, tag & 0x1f, length, tag & 0x20 ? "true" : "false", name, header);
	if (length > in->len - header)
		return kt_strdup("asn1: syntax error: data truncated");
	*inside = (struct der){in->at + header, length};
	*whole = header + length;
	return NULL;
}

/* The bytes of the request; or what is wrong with them, new. */
static char *request_bytes(const char *base64, struct pem *pem)
{
	struct kt_buf text = {0};
	struct der whole, inside, info;
	size_t len, inner;
	char *why = NULL;
	const char *at = "";
	if (kt_unbase64(base64, strlen(base64), &text))
		at = kt_buf_str(&text);
	if (!pem_next(&at, pem) || strcmp(pem->type, "CERTIFICATE REQUEST") != 0)
		why = kt_strdup("PEM block type must be CERTIFICATE REQUEST");
	kt_buf_clear(&text);
	whole = (struct der){(const unsigned char *)kt_buf_str(&pem->bytes), pem->bytes.len};
	if (!why)
		why = sequence(&whole, "certificateRequest", &inside, &len);
	if (!why && len < whole.len)
		why = kt_strdup("asn1: syntax error: trailing data");
	if (!why)
		why = sequence(&inside, "tbsCertificateRequest", &info, &inner);
	return why;
}

static bool import(const struct pem *pem, gnutls_x509_crq_t *out)
{
	gnutls_datum_t der = {(unsigned char *)pem->bytes.data, (unsigned)pem->bytes.len};
	if (gnutls_x509_crq_init(out) < 0)
		return false;
	if (gnutls_x509_crq_import(*out, &der, GNUTLS_X509_FMT_DER) >= 0)
		return true;
	gnutls_x509_crq_deinit(*out);
	return false;
}

/* x509.CertificateRequest.CheckSignature; SHA-1 is still good enough for requests. */
static char *check_signature(gnutls_x509_crq_t crq)
{
	static const struct {
		int algorithm;
		const char *why;
	} failures[] = {
	        {GNUTLS_PK_RSA, "crypto/rsa: verification error"},
	        {GNUTLS_PK_RSA_PSS, "crypto/rsa: verification error"},
	        {GNUTLS_PK_ECDSA, "x509: ECDSA verification failure"},
	        {GNUTLS_PK_EDDSA_ED25519, "x509: Ed25519 verification failure"},
	};
	unsigned bits = 0;
	int key = gnutls_x509_crq_get_pk_algorithm(crq, &bits);
	if (gnutls_x509_crq_get_signature_algorithm(crq) == GNUTLS_SIGN_RSA_MD5)
		return kt_strdup("x509: cannot verify signature: insecure algorithm MD5-RSA");
	if (key == GNUTLS_PK_RSA && bits < LEAST_RSA_BITS)
		return kt_strf("crypto/rsa: %u-bit keys are insecure (see "
		               "https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)",
		               bits);
	for (size_t i = 0; i < KT_COUNT(failures); i++)
		if (failures[i].algorithm == key)
			return gnutls_x509_crq_verify(crq, GNUTLS_VERIFY_ALLOW_BROKEN) >= 0
			               ? NULL
			               : kt_strdup(failures[i].why);
	return kt_strdup("x509: cannot verify signature: algorithm unimplemented");
}

char *csr_request_fault(const char *base64)
{
	struct pem pem = {0};
	gnutls_x509_crq_t crq;
	char *why = request_bytes(base64, &pem);
	if (!why && !import(&pem, &crq)) {
		why = kt_strdup("x509: malformed certificate request");
	} else if (!why) {
		why = check_signature(crq);
		gnutls_x509_crq_deinit(crq);
	}
	pem_clear(&pem);
	return why;
}

bool csr_has_organization(const char *base64, const char *organization)
{
	struct pem pem = {0};
	gnutls_x509_crq_t crq;
	char *why = request_bytes(base64, &pem), name[256];
	bool found = false;
	if (!why && import(&pem, &crq)) {
		for (unsigned i = 0; !found; i++) {
			size_t len = sizeof(name);
			int rc = gnutls_x509_crq_get_dn_by_oid(crq, GNUTLS_OID_X520_ORGANIZATION_NAME, i, 0,
			                                       name, &len);
			if (rc < 0 && rc != GNUTLS_E_SHORT_MEMORY_BUFFER)
				break;
			found = rc >= 0 && kt_streq(name, organization);
		}
		gnutls_x509_crq_deinit(crq);
	}
	kt_free(why);
	pem_clear(&pem);
	return found;
}

static char *certificate_fault(const struct pem *pem)
{
	gnutls_x509_crt_t crt;
	gnutls_datum_t der = {(unsigned char *)pem->bytes.data, (unsigned)pem->bytes.len};
	struct der whole = {(const unsigned char *)kt_buf_str(&pem->bytes), pem->bytes.len}, inside;
	size_t len;
	if (strcmp(pem->type, "CERTIFICATE") != 0)
		return kt_strf("only CERTIFICATE PEM blocks are allowed, found \"%s\"", pem->type);
	if (pem->headers)
		return kt_strdup("no PEM block headers are permitted");
	char *why = sequence(&whole, "certificate", &inside, &len);
	if (why) {
		kt_free(why);
		return kt_strdup("x509: malformed certificate");
	}
	if (gnutls_x509_crt_init(&crt) < 0)
		return NULL;
	bool fine = gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER) >= 0;
	gnutls_x509_crt_deinit(crt);
	return fine ? NULL : kt_strdup("x509: malformed tbs certificate");
}

char *csr_certificate_fault(const char *base64)
{
	struct kt_buf text = {0};
	struct pem pem = {0};
	const char *at = "";
	char *why = NULL;
	size_t blocks = 0;
	if (!*base64)
		return NULL;
	if (kt_unbase64(base64, strlen(base64), &text))
		at = kt_buf_str(&text);
	for (; !why && pem_next(&at, &pem); pem_clear(&pem), blocks++)
		why = certificate_fault(&pem);
	if (!why && !blocks)
		why = kt_strdup("must contain at least one CERTIFICATE PEM block");
	kt_buf_clear(&text);
	return why;
}
