/* SPDX-License-Identifier: MIT */
/* CertificateSigningRequests: what a request must be, who says what of it. The words are those of Kubernetes
 * 1.34. */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "tests/cluster/api/rules_test.h"

#define CSRS "/apis/certificates.k8s.io/v1/certificatesigningrequests"

static gnutls_x509_crq_t make(gnutls_pk_algorithm_t kind, unsigned bits, gnutls_digest_algorithm_t digest,
                              const char *organization)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crq_t crq;
	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(key, kind, bits, 0), 0);
	assert_int_equal(gnutls_x509_crq_init(&crq), 0);
	assert_int_equal(gnutls_x509_crq_set_key(crq, key), 0);
	assert_int_equal(gnutls_x509_crq_set_dn_by_oid(crq, GNUTLS_OID_X520_COMMON_NAME, 0, "amy", 3), 0);
	assert_int_equal(gnutls_x509_crq_set_dn_by_oid(crq, GNUTLS_OID_X520_ORGANIZATION_NAME, 0,
	                                               organization, (unsigned)strlen(organization)),
	                 0);
	assert_int_equal(gnutls_x509_crq_sign2(crq, key, digest, 0), 0);
	gnutls_x509_privkey_deinit(key);
	return crq;
}

/* DER as PEM in base64, as the API has it; the bytes at `flip` (NULL: none) are changed first. */
static char *wrapped(gnutls_x509_crq_t steal, const char *type, const char *flip)
{
	gnutls_datum_t der = {0};
	struct kt_buf body = {0}, out = {0};
	assert_int_equal(gnutls_x509_crq_export2(steal, GNUTLS_X509_FMT_DER, &der), 0);
	if (flip) {
		unsigned char *at = memmem(der.data, der.size, flip, strlen(flip));
		assert_non_null(at);
		*at ^= 1;
	}
	kt_base64(der.data, der.size, &body);
	char *pem = kt_strf("-----BEGIN %s-----\n%s\n-----END %s-----\n", type, kt_buf_str(&body), type);
	kt_base64(pem, strlen(pem), &out);
	kt_free(pem);
	kt_buf_clear(&body);
	gnutls_free(der.data);
	gnutls_x509_crq_deinit(steal);
	return kt_buf_take(&out);
}

static gnutls_x509_crq_t small(const char *organization)
{
	return make(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), GNUTLS_DIG_SHA256,
	            organization);
}

static struct answer post(struct cluster *cluster, const char *name, const char *request, const char *more)
{
	char *body = kt_strf(
	        "{'apiVersion':'certificates.k8s.io/v1','kind':'CertificateSigningRequest','metadata':{"
	        "'name':'%s'},'spec':{'request':'%s',%s}}",
	        name, request, more);
	const struct row row = {0, "POST", CSRS, body, 0, NULL};
	struct answer answer = ask(cluster, &row);
	kt_free(body);
	return answer;
}

#define USUAL "'signerName':'example.com/x','usages':['client auth']"

/* `why` NULL: created. Else the message of the only cause, or of the Status, ends so. */
static void expect(struct answer *answer, const char *field, const char *why, const char *what)
{
	const char *message = kt_path_str(answer->json, "message");
	if (!why && answer->response.status != 201)
		fail_msg("%s: %d %s", what, answer->response.status, message);
	if (why && (answer->response.status < 400 || !message || !strstr(message, why)))
		fail_msg("%s: %d %s\nwithout\n%s", what, answer->response.status, message ? message : "",
		         why);
	if (why && field)
		assert_string_equal(kt_path_str(answer->json, "details.causes.0.field"), field);
	answer_clear(answer);
}

static void a_request_is_signed_by_the_key_in_it(void **state)
{
	const struct {
		char *request;
		const char *why;
	} rows[] = {
	        {wrapped(small("dev"), "CERTIFICATE REQUEST", NULL), NULL},
	        {wrapped(make(GNUTLS_PK_RSA, 2048, GNUTLS_DIG_SHA256, "dev"), "CERTIFICATE REQUEST", NULL),
	         NULL},
	        {wrapped(make(GNUTLS_PK_RSA, 2048, GNUTLS_DIG_SHA1, "dev"), "CERTIFICATE REQUEST", NULL),
	         NULL},
	        {wrapped(make(GNUTLS_PK_EDDSA_ED25519, 256, GNUTLS_DIG_SHA512, "dev"), "CERTIFICATE REQUEST",
	                 NULL),
	         NULL},
	        {wrapped(small("dev"), "CERTIFICATE REQUEST", "amy"), ": x509: ECDSA verification failure"},
	        {wrapped(make(GNUTLS_PK_RSA, 2048, GNUTLS_DIG_SHA256, "dev"), "CERTIFICATE REQUEST", "amy"),
	         ": crypto/rsa: verification error"},
	        {wrapped(make(GNUTLS_PK_EDDSA_ED25519, 256, GNUTLS_DIG_SHA512, "dev"), "CERTIFICATE REQUEST",
	                 "amy"),
	         ": x509: Ed25519 verification failure"},
	        {wrapped(small("dev"), "NEW CERTIFICATE REQUEST", NULL),
	         ": PEM block type must be CERTIFICATE REQUEST"},
	        {wrapped(small("dev"), "CERTIFICATE", NULL), ": PEM block type must be CERTIFICATE REQUEST"},
	        {kt_strdup("aGVsbG8="), "\"aGVsbG8=\": PEM block type must be CERTIFICATE REQUEST"},
	};
	struct cluster *cluster = test_cluster();
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		char name[16];
		snprintf(name, sizeof(name), "r%zu", i);
		struct answer answer = post(cluster, name, rows[i].request, USUAL);
		expect(&answer, "spec.request", rows[i].why, name);
		kt_free(rows[i].request);
	}
	cluster_free(cluster);
}

static void a_request_names_signer_usages_and_time_that_there_are(void **state)
{
	static const struct {
		const char *more, *field, *why;
	} rows[] = {
	        {"'usages':['client auth']", "spec.signerName", "Required value"},
	        {"'usages':['client auth'],'signerName':'x'", "spec.signerName",
	         "\"x\": must be a fully qualified domain and path of the form 'example.com/signer-name'"},
	        {"'usages':['client auth'],'signerName':'example.com/a/b'", "spec.signerName",
	         "must be a fully qualified domain and path of the form 'example.com/signer-name'"},
	        {"'usages':['client auth'],'signerName':'a/b'", "spec.signerName",
	         "\"a\": should be a domain with at least two segments separated by dots"},
	        {"'usages':['client auth'],'signerName':'Example.com/b'", "spec.signerName",
	         "\"Example.com\": validating label \"Example\": a lowercase RFC 1123 label must consist of"},
	        {"'usages':['client auth'],'signerName':'example.com/'", "spec.signerName",
	         "\"\": validating label \"\": a lowercase RFC 1123 subdomain must consist of"},
	        {"'usages':['client auth'],'signerName':'kubernetes.io/legacy-unknown'", "spec.signerName",
	         "the legacy signerName is not allowed via this API version"},
	        {"'signerName':'example.com/x'", "spec.usages", "Required value"},
	        {"'signerName':'example.com/x','usages':['x']", "spec.usages[0]",
	         "Unsupported value: \"x\": supported values: \"any\", \"cert sign\","},
	        {"'signerName':'example.com/x','usages':['any','any']", "spec.usages[1]",
	         "Duplicate value: \"any\""},
	        {USUAL ",'expirationSeconds':599", "spec.expirationSeconds",
	         "599: may not specify a duration less than 600 seconds (10 minutes)"},
	        {USUAL ",'expirationSeconds':600", NULL, NULL},
	        {"'usages':['any'],'signerName':'kubernetes.io/kube-apiserver-client'", NULL, NULL},
	};
	char *request = wrapped(small("dev"), "CERTIFICATE REQUEST", NULL),
	     *masters = wrapped(small("system:masters"), "CERTIFICATE REQUEST", NULL);
	struct cluster *cluster = test_cluster();
	struct answer answer;
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		char name[16];
		snprintf(name, sizeof(name), "s%zu", i);
		answer = post(cluster, name, request, rows[i].more);
		expect(&answer, rows[i].field, rows[i].why, rows[i].more);
	}
	answer = post(cluster, "masters", masters,
	              "'usages':['client auth'],'signerName':'kubernetes.io/kube-apiserver-client'");
	expect(&answer, NULL,
	       "certificatesigningrequests.certificates.k8s.io \"masters\" is forbidden: use of "
	       "kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed",
	       "masters");
	cluster_free(cluster);
	kt_free(request);
	kt_free(masters);
}

#define TO(part, conditions) "PATCH", CSRS "/a/" part, "{'status':{'conditions':[" conditions "]}}"
#define APPROVED             "{'type':'Approved','status':'True'}"
#define DENIED               "{'type':'Denied','status':'True'}"
#define FAILED               "{'type':'Failed','status':'True'}"
#define RBAC                 "/apis/rbac.authorization.k8s.io/v1"

static void who_approves_says_it_once_and_who_signs_not_at_all(void **state)
{
	static const struct row rows[] = {
	        {0, TO("approval", "{'type':'Approved','status':'False'}"), 422,
	         "status.conditions[0].status: Unsupported value: \"False\": supported values: \"True\""},
	        {0, TO("approval", "{'type':'Approved'}"), 422,
	         "status.conditions[0].status: Required value"},
	        {0, TO("approval", "{'status':'True'}"), 422, "status.conditions[0].type: Required value"},
	        {0, TO("approval", "{'type':'Other','status':'Maybe'}"), 422,
	         "Unsupported value: \"Maybe\": supported values: \"False\", \"True\", \"Unknown\""},
	        {0, TO("approval", APPROVED "," APPROVED), 422,
	         "status.conditions[1].type: Duplicate value: \"Approved\""},
	        {0, TO("approval", APPROVED "," DENIED), 422,
	         "status.conditions: Invalid value: \"Denied\": Approved and Denied conditions are mutually "
	         "exclusive"},
	        {0, TO("status", APPROVED), 422,
	         "status.conditions: Forbidden: updates may not add a condition of type \"Approved\""},
	        /* what the object itself says of status and spec is not heard */
	        {0, "PATCH", CSRS "/a", "{'status':{'conditions':[" APPROVED "]},'spec':{'usages':['any']}}",
	         200, "\"usages\":[\"client auth\"]"},
	        {0, "GET", CSRS "/a", NULL, 200, "\"status\":{}"},
	        {"eve", TO("approval", APPROVED), 403, "cannot patch resource"},
	        {0, "POST", RBAC "/clusterroles",
	         "{'apiVersion':'rbac.authorization.k8s.io/"
	         "v1','kind':'ClusterRole','metadata':{'name':'eve'},'rules':[{'"
	         "apiGroups':['certificates.k8s.io'],'resources':['certificatesigningrequests/approval','"
	         "certificatesigningrequests/status'],'verbs':['patch']}]}",
	         201, NULL},
	        {0, "POST", RBAC "/clusterrolebindings",
	         "{'apiVersion':'rbac.authorization.k8s.io/"
	         "v1','kind':'ClusterRoleBinding','metadata':{'name':'eve'},'"
	         "subjects':[{'kind':'User','name':'eve'}],'roleRef':{'apiGroup':'rbac.authorization.k8s.io',"
	         "'kind':'"
	         "ClusterRole','name':'eve'}}",
	         201, NULL},
	        {"eve", TO("approval", APPROVED), 403,
	         "is forbidden: user not permitted to approve requests with signerName \"example.com/x\""},
	        {"eve", TO("status", FAILED), 403,
	         "is forbidden: user not permitted to sign requests with signerName \"example.com/x\""},
	        {0, "POST", RBAC "/clusterroles",
	         "{'apiVersion':'rbac.authorization.k8s.io/"
	         "v1','kind':'ClusterRole','metadata':{'name':'all'},'rules':[{'"
	         "apiGroups':['certificates.k8s.io'],'resources':['signers'],'resourceNames':['example.com/"
	         "*'],'verbs':"
	         "['approve','sign']}]}",
	         201, NULL},
	        {0, "POST", RBAC "/clusterrolebindings",
	         "{'apiVersion':'rbac.authorization.k8s.io/"
	         "v1','kind':'ClusterRoleBinding','metadata':{'name':'all'},'"
	         "subjects':[{'kind':'User','name':'eve'}],'roleRef':{'apiGroup':'rbac.authorization.k8s.io',"
	         "'kind':'"
	         "ClusterRole','name':'all'}}",
	         201, NULL},
	        {"eve", TO("approval", APPROVED), 200, "\"type\":\"Approved\""},
	        {0, TO("approval", ""), 422,
	         "status.conditions: Forbidden: updates may not remove a condition of type \"Approved\""},
	        {0, TO("approval", "{'type':'Approved','status':'True','reason':'Why'}"), 200,
	         "\"reason\":\"Why\""},
	        /* who signs cannot change why somebody approved */
	        {0, TO("status", "{'type':'Approved','status':'True','reason':'Else'}," FAILED), 200,
	         "\"reason\":\"Why\""},
	        {0, TO("status", "{'type':'Approved','status':'True'}"), 422,
	         "updates may not remove a condition of type \"Failed\""},
	        {0, "PATCH", CSRS "/a/status", "{'status':{'certificate':'eA=='}}", 422,
	         "status.certificate: Invalid value: \"<certificate data>\": must contain at least one "
	         "CERTIFICATE PEM block"},
	        /* -----BEGIN CERTIFICATE----- around an empty SEQUENCE */
	        {0, "PATCH", CSRS "/a/status",
	         "{'status':{'certificate':'"
	         "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1BQT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0t"
	         "LQo='}}",
	         422, "\"<certificate data>\": x509: malformed tbs certificate"},
	        {0, "PATCH", CSRS "/a/approval", "{'status':{'certificate':'eA=='}}", 200, NULL},
	};
	char *request = wrapped(small("dev"), "CERTIFICATE REQUEST", NULL);
	struct cluster *cluster = test_cluster();
	struct answer answer = post(cluster, "a", request, USUAL);
	(void)state;
	expect(&answer, NULL, NULL, "a");
	run_rows_on(cluster, rows, KT_COUNT(rows));
	cluster_free(cluster);
	kt_free(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_request_is_signed_by_the_key_in_it),
	        cmocka_unit_test(a_request_names_signer_usages_and_time_that_there_are),
	        cmocka_unit_test(who_approves_says_it_once_and_who_signs_not_at_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
