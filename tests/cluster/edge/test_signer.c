/* SPDX-License-Identifier: MIT */
/* What the CA signs, and what it refuses; requests are made here with a key of their own. */
#include "cluster/edge/edge.h"
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static char *request(const char *cn, const char *organization, const char *dns)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crq_t crq;
	gnutls_datum_t pem = {0};
	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
	                                              GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
	                 0);
	assert_int_equal(gnutls_x509_crq_init(&crq), 0);
	assert_int_equal(gnutls_x509_crq_set_key(crq, key), 0);
	assert_int_equal(
	        gnutls_x509_crq_set_dn_by_oid(crq, GNUTLS_OID_X520_COMMON_NAME, 0, cn, (unsigned)strlen(cn)),
	        0);
	assert_int_equal(gnutls_x509_crq_set_dn_by_oid(crq, GNUTLS_OID_X520_ORGANIZATION_NAME, 0,
	                                               organization, (unsigned)strlen(organization)),
	                 0);
	if (dns)
		assert_int_equal(gnutls_x509_crq_set_subject_alt_name(crq, GNUTLS_SAN_DNSNAME, dns,
		                                                      (unsigned)strlen(dns), GNUTLS_FSAN_SET),
		                 0);
	assert_int_equal(gnutls_x509_crq_sign2(crq, key, GNUTLS_DIG_SHA256, 0), 0);
	assert_int_equal(gnutls_x509_crq_export2(crq, GNUTLS_X509_FMT_PEM, &pem), 0);
	char *text = kt_strndup((const char *)pem.data, pem.size);
	gnutls_free(pem.data);
	gnutls_x509_crq_deinit(crq);
	gnutls_x509_privkey_deinit(key);
	return text;
}

static int make_identity(void **state)
{
	char dir[] = "/tmp/kt-signer-XXXXXX", file[64];
	struct edge_identity *identity = kt_alloc(sizeof *identity);
	if (!mkdtemp(dir) || edge_identity_load(dir, identity, NULL))
		return -1;
	(void)snprintf(file, sizeof file, "%s/identity.pem", dir);
	(void)unlink(file);
	(void)rmdir(dir);
	*state = identity;
	return 0;
}

static int drop_identity(void **state)
{
	edge_identity_clear(*state);
	kt_free(*state);
	return 0;
}

static void a_signed_certificate_verifies_and_says_what_was_asked(void **state)
{
	const struct edge_identity *identity = *state;
	struct cluster_signer signer = edge_signer(identity);
	char *text = request("amy", "dev", NULL), *pem = NULL, name[64], purpose[64];
	struct kt_json *usages = kt_jsonf("['client auth', 'digital signature']");
	struct cluster_certificate wanted = {.request = text, .usages = usages, .seconds = 3600};
	gnutls_x509_crt_t ca, crt;
	unsigned status = 1, bits = 0;
	size_t len = sizeof name, purpose_len = sizeof purpose;
	assert_int_equal(signer.sign(signer.arg, &wanted, &pem, NULL), KT_OK);
	gnutls_datum_t ca_data = {(unsigned char *)identity->ca_pem, (unsigned)strlen(identity->ca_pem)},
	               data = {(unsigned char *)pem, (unsigned)strlen(pem)};
	assert_int_equal(gnutls_x509_crt_init(&ca) | gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(ca, &ca_data, GNUTLS_X509_FMT_PEM), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_PEM), 0);
	assert_int_equal(gnutls_x509_crt_verify(crt, &ca, 1, 0, &status), 0);
	assert_int_equal(status, 0);
	assert_int_equal(gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &len),
	                 0);
	assert_string_equal(name, "amy");
	assert_int_equal(gnutls_x509_crt_get_key_usage(crt, &bits, NULL), 0);
	assert_int_equal(bits, GNUTLS_KEY_DIGITAL_SIGNATURE);
	assert_int_equal(gnutls_x509_crt_get_key_purpose_oid(crt, 0, purpose, &purpose_len, NULL), 0);
	assert_string_equal(purpose, GNUTLS_KP_TLS_WWW_CLIENT);
	time_t left = gnutls_x509_crt_get_expiration_time(crt) - time(NULL);
	assert_in_range(left, 3500, 3600);
	gnutls_x509_crt_deinit(ca);
	gnutls_x509_crt_deinit(crt);
	kt_json_free(usages);
	kt_free(pem);
	kt_free(text);
}

static void what_breaks_a_signers_rules_is_refused_with_its_words(void **state)
{
	static const struct {
		const char *cn, *organization, *dns;
		int names;
		const char *why;
	} rows[] = {
	        {"system:node:n1", "system:nodes", NULL, CLUSTER_NAMES_NONE, NULL},
	        {"system:node:n1", "system:nodes", "n1", CLUSTER_NAMES_NEEDED, NULL},
	        {"system:node:n1", "dev", NULL, CLUSTER_NAMES_NONE,
	         "subject organization is not system:nodes"},
	        {"amy", "system:nodes", NULL, CLUSTER_NAMES_NONE,
	         "subject common name does not begin with system:node:"},
	        {"system:node:n1", "system:nodes", "n1", CLUSTER_NAMES_NONE,
	         "DNS subjectAltNames are not allowed"},
	        {"system:node:n1", "system:nodes", NULL, CLUSTER_NAMES_NEEDED,
	         "DNS or IP subjectAltName is required"},
	};
	struct cluster_signer signer = edge_signer(*state);
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		char *text = request(rows[i].cn, rows[i].organization, rows[i].dns), *pem = NULL;
		struct cluster_certificate wanted = {
		        .request = text, .seconds = 600, .of_node = true, .names = rows[i].names};
		struct kt_err err = {0};
		enum kt_code rc = signer.sign(signer.arg, &wanted, &pem, &err);
		assert_int_equal(rc, rows[i].why ? KT_EDENIED : KT_OK);
		if (rows[i].why)
			assert_string_equal(err.text, rows[i].why);
		kt_free(pem);
		kt_free(text);
	}
}

static void rubbish_is_no_request(void **state)
{
	static const char *const rows[] = {
	        "", "pem", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"};
	struct cluster_signer signer = edge_signer(*state);
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct cluster_certificate wanted = {.request = rows[i], .seconds = 600};
		char *pem = NULL;
		assert_int_equal(signer.sign(signer.arg, &wanted, &pem, NULL), KT_EINVAL);
		assert_null(pem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_signed_certificate_verifies_and_says_what_was_asked),
	        cmocka_unit_test(what_breaks_a_signers_rules_is_refused_with_its_words),
	        cmocka_unit_test(rubbish_is_no_request),
	};
	return cmocka_run_group_tests(tests, make_identity, drop_identity);
}
