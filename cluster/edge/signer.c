/* SPDX-License-Identifier: MIT */
/* The CA signs what the cluster has approved (kubernetes pkg/controller/certificates/authority/policies.go).
 */
#include "cluster/edge/edge.h"
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <time.h>

#define BACKDATE 300        /* clocks may differ */
#define SHORT    (8 * 3600) /* what holds shorter is not shortened by that */

/* The words of spec.usages: a bit of the key usage or an extended one. */
static const struct {
	const char *word;
	unsigned bit;
	const char *oid;
} usages[] = {
        {"signing", GNUTLS_KEY_DIGITAL_SIGNATURE, NULL},
        {"digital signature", GNUTLS_KEY_DIGITAL_SIGNATURE, NULL},
        {"content commitment", GNUTLS_KEY_NON_REPUDIATION, NULL},
        {"key encipherment", GNUTLS_KEY_KEY_ENCIPHERMENT, NULL},
        {"data encipherment", GNUTLS_KEY_DATA_ENCIPHERMENT, NULL},
        {"key agreement", GNUTLS_KEY_KEY_AGREEMENT, NULL},
        {"encipher only", GNUTLS_KEY_ENCIPHER_ONLY, NULL},
        {"decipher only", GNUTLS_KEY_DECIPHER_ONLY, NULL},
        {"server auth", 0, GNUTLS_KP_TLS_WWW_SERVER},
        {"client auth", 0, GNUTLS_KP_TLS_WWW_CLIENT},
        {"code signing", 0, GNUTLS_KP_CODE_SIGNING},
        {"email protection", 0, GNUTLS_KP_EMAIL_PROTECTION},
        {"timestamping", 0, GNUTLS_KP_TIME_STAMPING},
        {"ocsp signing", 0, GNUTLS_KP_OCSP_SIGNING},
        {"any", 0, GNUTLS_KP_ANY},
};

struct desk {
	gnutls_x509_crt_t ca, crt;
	gnutls_x509_privkey_t key;
	gnutls_x509_crq_t crq;
};

static void desk_clear(struct desk *desk)
{
	if (desk->ca)
		gnutls_x509_crt_deinit(desk->ca);
	if (desk->crt)
		gnutls_x509_crt_deinit(desk->crt);
	if (desk->key)
		gnutls_x509_privkey_deinit(desk->key);
	if (desk->crq)
		gnutls_x509_crq_deinit(desk->crq);
}

static int read_all(const struct edge_identity *identity, const char *request, struct desk *desk)
{
	gnutls_datum_t ca = {(unsigned char *)identity->ca_pem, (unsigned)strlen(identity->ca_pem)};
	gnutls_datum_t key = {(unsigned char *)identity->ca_key_pem, (unsigned)strlen(identity->ca_key_pem)};
	gnutls_datum_t crq = {(unsigned char *)(uintptr_t)request, (unsigned)strlen(request)};
	int rc = gnutls_x509_crt_init(&desk->ca);
	if (rc >= 0)
		rc = gnutls_x509_crt_init(&desk->crt);
	if (rc >= 0)
		rc = gnutls_x509_privkey_init(&desk->key);
	if (rc >= 0)
		rc = gnutls_x509_crq_init(&desk->crq);
	if (rc >= 0)
		rc = gnutls_x509_crt_import(desk->ca, &ca, GNUTLS_X509_FMT_PEM);
	if (rc >= 0)
		rc = gnutls_x509_privkey_import(desk->key, &key, GNUTLS_X509_FMT_PEM);
	if (rc >= 0)
		rc = gnutls_x509_crq_import(desk->crq, &crq, GNUTLS_X509_FMT_PEM);
	if (rc >= 0)
		rc = gnutls_x509_crq_verify(desk->crq, 0);
	return rc;
}

static bool subject_is(gnutls_x509_crq_t crq, const char *oid, unsigned index, char *text, size_t len)
{
	return gnutls_x509_crq_get_dn_by_oid(crq, oid, index, 0, text, &len) >= 0;
}

/* pkg/apis/certificates/helpers.go ValidateKubeletServingCSR, ValidateKubeletClientCSR */
static enum kt_code check_node(gnutls_x509_crq_t crq, int names, struct kt_err *err)
{
	static const char *const others[] = {[GNUTLS_SAN_DNSNAME] = "DNS",
	                                     [GNUTLS_SAN_RFC822NAME] = "Email",
	                                     [GNUTLS_SAN_URI] = "URI",
	                                     [GNUTLS_SAN_IPADDRESS] = "IP"};
	char text[256], name[512];
	bool some = false;
	if (!subject_is(crq, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, text, sizeof text) ||
	    strcmp(text, "system:nodes") != 0 ||
	    subject_is(crq, GNUTLS_OID_X520_ORGANIZATION_NAME, 1, text, sizeof text))
		return kt_fail(err, KT_EDENIED, "subject organization is not system:nodes");
	if (!subject_is(crq, GNUTLS_OID_X520_COMMON_NAME, 0, text, sizeof text) ||
	    strncmp(text, "system:node:", 12) != 0)
		return kt_fail(err, KT_EDENIED, "subject common name does not begin with system:node:");
	for (unsigned i = 0; i < 1000; i++) {
		size_t len = sizeof name;
		int kind = gnutls_x509_crq_get_subject_alt_name(crq, i, name, &len, NULL, NULL);
		if (kind == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		bool address = kind == GNUTLS_SAN_DNSNAME || kind == GNUTLS_SAN_IPADDRESS;
		some = some || address;
		if (names == CLUSTER_NAMES_NONE || !address)
			return kt_fail(err, KT_EDENIED, "%s subjectAltNames are not allowed",
			               kind > 0 && kind < (int)KT_COUNT(others) && others[kind] ? others[kind]
			                                                                        : "other");
	}
	if (names == CLUSTER_NAMES_NEEDED && !some)
		return kt_fail(err, KT_EDENIED, "DNS or IP subjectAltName is required");
	return KT_OK;
}

static int set_usages(gnutls_x509_crt_t crt, const struct kt_json *words)
{
	const struct kt_json *word;
	unsigned bits = 0;
	int rc = 0;
	KT_JSON_EACH (word, words) {
		for (size_t i = 0; rc >= 0 && i < KT_COUNT(usages); i++) {
			if (!kt_streq(usages[i].word, kt_str(word)))
				continue;
			bits |= usages[i].bit;
			if (usages[i].oid)
				rc = gnutls_x509_crt_set_key_purpose_oid(crt, usages[i].oid, 0);
		}
	}
	return rc >= 0 && bits ? gnutls_x509_crt_set_key_usage(crt, bits) : rc;
}

static int set_times(gnutls_x509_crt_t crt, int64_t seconds)
{
	time_t now = time(NULL), end = now + (time_t)seconds - (seconds > SHORT ? BACKDATE : 0);
	int rc = gnutls_x509_crt_set_activation_time(crt, now - BACKDATE);
	return rc >= 0 ? gnutls_x509_crt_set_expiration_time(crt, end) : rc;
}

static int fill(const struct desk *desk, const struct cluster_certificate *wanted)
{
	unsigned char serial[16], id[64];
	size_t len = sizeof id;
	kt_random_secret(serial, sizeof serial);
	serial[0] = (unsigned char)((serial[0] & 0x7f) | 1); /* positive, and not zero */
	int rc = gnutls_x509_crt_set_crq(desk->crt, desk->crq);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_version(desk->crt, 3);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_serial(desk->crt, serial, sizeof serial);
	if (rc >= 0)
		rc = set_times(desk->crt, wanted->seconds);
	if (rc >= 0)
		rc = set_usages(desk->crt, wanted->usages);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_basic_constraints(desk->crt, 0, -1);
	if (rc >= 0) {
		rc = gnutls_x509_crt_set_crq_extension_by_oid(desk->crt, desk->crq, GNUTLS_X509EXT_OID_SAN,
		                                              0);
		if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			rc = 0;
	}
	if (rc >= 0)
		rc = gnutls_x509_crt_get_subject_key_id(desk->ca, id, &len, NULL);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_authority_key_id(desk->crt, id, len);
	return rc;
}

static enum kt_code sign(void *arg, const struct cluster_certificate *wanted, char **out, struct kt_err *err)
{
	struct desk desk = {0};
	gnutls_datum_t pem = {0};
	enum kt_code rc = KT_OK;
	int tls = read_all(arg, wanted->request, &desk);
	if (tls >= 0 && wanted->of_node)
		rc = check_node(desk.crq, (int)wanted->names, err);
	if (tls >= 0 && !rc)
		tls = fill(&desk, wanted);
	if (tls >= 0 && !rc)
		tls = gnutls_x509_crt_sign2(desk.crt, desk.ca, desk.key, GNUTLS_DIG_SHA256, 0);
	if (tls >= 0 && !rc)
		tls = gnutls_x509_crt_export2(desk.crt, GNUTLS_X509_FMT_PEM, &pem);
	if (tls < 0)
		rc = kt_fail(err, KT_EINVAL, "signing: %s", gnutls_strerror(tls));
	if (!rc)
		*out = kt_strndup((const char *)pem.data, pem.size);
	gnutls_free(pem.data);
	desk_clear(&desk);
	return rc;
}

struct cluster_signer edge_signer(const struct edge_identity *identity)
{
	return (struct cluster_signer){.arg = (void *)(uintptr_t)identity, .sign = sign};
}
