/* SPDX-License-Identifier: MIT */
/* Tokens of service accounts as others see them: whoever has the published key can verify them; they outlive
 * the process; and tokens of clusters from before there was a key pair still count. */
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#include "cluster/cluster_internal.h"
#include "tests/cluster/api/rules_test.h"
#include "tests/cluster/shelf.h"

#define KEYS  "/openid/v1/jwks"
#define ABOUT "/.well-known/openid-configuration"

static struct answer get(struct cluster *cluster, const char *path, const char *token)
{
	char *value = kt_strf("Bearer %s", token);
	struct cluster_header headers[] = {{"Authorization", value}};
	struct cluster_request request = {
	        .method = "GET", .target = path, .headers = headers, .header_count = 1};
	struct answer answer = answer_to(cluster, &request);
	kt_free(value);
	return answer;
}

static char *issue(struct cluster *cluster)
{
	static const struct row request = {
	        0,
	        "POST",
	        "/api/v1/namespaces/default/serviceaccounts/default/token",
	        "{'apiVersion':'authentication.k8s.io/v1','kind':'TokenRequest','spec':{}}",
	        201,
	        NULL};
	struct answer answer = ask(cluster, &request);
	char *token = kt_strdup(kt_path_str(answer.json, "status.token"));
	assert_non_null(token);
	answer_clear(&answer);
	return token;
}

static struct kt_json *header_of(const char *token)
{
	struct kt_buf text = {0};
	struct kt_json *json = NULL;
	assert_true(kt_unbase64(token, strcspn(token, "."), &text));
	assert_int_equal(kt_json_parse(kt_buf_str(&text), text.len, NULL, &json, NULL, NULL), KT_OK);
	kt_buf_clear(&text);
	return json;
}

/* By the key set alone, as a stranger would. */
static bool verifies(const struct kt_json *set, const char *token)
{
	struct kt_json *header = header_of(token);
	ptrdiff_t at = kt_find(kt_get(set, "keys"), "kid", kt_get_text(header, "kid"));
	const struct kt_json *key = at >= 0 ? kt_at(kt_get(set, "keys"), (size_t)at) : NULL;
	const char *end = strrchr(token, '.');
	struct kt_buf x = {0}, y = {0}, both = {0};
	gnutls_datum_t data = {(unsigned char *)(uintptr_t)token, (unsigned)(end - token)}, der = {0};
	gnutls_pubkey_t public;

	assert_non_null(key);
	assert_string_equal(kt_get_text(key, "alg"), kt_get_text(header, "alg"));
	assert_string_equal(kt_get_text(key, "alg"), "ES256");
	assert_true(kt_unbase64(kt_get_text(key, "x"), strlen(kt_get_text(key, "x")), &x));
	assert_true(kt_unbase64(kt_get_text(key, "y"), strlen(kt_get_text(key, "y")), &y));
	assert_true(kt_unbase64(end + 1, strlen(end + 1), &both));
	assert_int_equal(x.len, 32);
	assert_int_equal(y.len, 32);
	assert_int_equal(both.len, 64);
	gnutls_datum_t dx = {(unsigned char *)x.data, 32}, dy = {(unsigned char *)y.data, 32},
	               r = {(unsigned char *)both.data, 32}, s = {(unsigned char *)both.data + 32, 32};
	assert_int_equal(gnutls_encode_rs_value(&der, &r, &s), 0);
	assert_int_equal(gnutls_pubkey_init(&public), 0);
	assert_int_equal(gnutls_pubkey_import_ecc_raw(public, GNUTLS_ECC_CURVE_SECP256R1, &dx, &dy), 0);
	int rc = gnutls_pubkey_verify_data2(public, GNUTLS_SIGN_ECDSA_SHA256, 0, &data, &der);
	gnutls_pubkey_deinit(public);
	gnutls_free(der.data);
	kt_buf_clear(&x);
	kt_buf_clear(&y);
	kt_buf_clear(&both);
	kt_json_free(header);
	return rc >= 0;
}

static void the_published_key_verifies_tokens(void **state)
{
	struct cluster *cluster = test_cluster();
	(void)state;
	cluster_advance(cluster, cluster_now(cluster) + 5 * KT_SEC);
	for (int i = 0; i < 20; i++) { /* numbers that begin with zeros come by chance */
		char *token = issue(cluster);
		struct answer keys = get(cluster, KEYS, token);
		assert_int_equal(keys.response.status, 200);
		assert_string_equal(keys.response.content_type, "application/jwk-set+json");
		assert_true(verifies(keys.json, token));
		token[strcspn(token, ".") + 3] ^= 1;
		assert_false(verifies(keys.json, token));
		answer_clear(&keys);
		kt_free(token);
	}
	cluster_free(cluster);
}

static void the_issuer_says_where_its_keys_are(void **state)
{
	static const struct row rows[] = {
	        {0, "GET", ABOUT, NULL, 200,
	         "{\"issuer\":\"https://kubernetes.default.svc.cluster.local\",\"jwks_uri\":\"https://"},
	        {0, "GET", ABOUT "/", NULL, 200,
	         "/openid/v1/jwks\",\"response_types_supported\":[\"id_token\"],\"subject_types_supported\":["
	         "\"public\"],"
	         "\"id_token_signing_alg_values_supported\":[\"ES256\"]}"},
	        /* who asks for JSON alone */
	        {0, "GET", KEYS, NULL, 406, "Available representations: application/jwk-set+json"},
	        {0, "GET", KEYS "x", NULL, 404, NULL},
	        {0, "GET", KEYS "/x", NULL, 404, NULL},
	        {0, "POST", KEYS, "{}", 405, NULL},
	        {"amy", "GET", KEYS, NULL, 403,
	         "forbidden: User \"amy\" cannot get path \"/openid/v1/jwks\""},
	        {"amy", "GET", ABOUT, NULL, 403,
	         "forbidden: User \"amy\" cannot get path \"/.well-known/openid-configuration\""},
	        {"system:serviceaccount:default:default", "GET", KEYS, NULL, 406, NULL},
	        {"system:serviceaccount:default:default", "GET", ABOUT, NULL, 200, NULL},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

static struct cluster *with_shelf(struct cluster_journal *journal)
{
	struct cluster_options options = {.name = "kept",
	                                  .seed = 5,
	                                  .now = (kt_ns)1764000000 * KT_SEC,
	                                  .workers = 1,
	                                  .journal = journal};
	struct cluster *cluster = NULL;
	assert_int_equal(cluster_new(&options, &cluster, NULL), KT_OK);
	return cluster;
}

static void tokens_outlive_the_process_and_a_restore(void **state)
{
	struct shelf shelf = {0};
	struct cluster_journal journal = {&shelf, shelf_write, shelf_read};
	struct cluster *cluster = with_shelf(&journal);
	(void)state;
	cluster_advance(cluster, cluster_now(cluster) + 5 * KT_SEC);
	struct cluster_snapshot *before = cluster_snapshot(cluster);
	char *token = issue(cluster);
	cluster_restore(cluster, before);
	struct answer answer = get(cluster, KEYS, token);
	assert_int_equal(answer.response.status, 200);
	answer_clear(&answer);
	cluster_snapshot_free(before);
	assert_int_equal(cluster_flush(cluster, NULL), KT_OK);
	cluster_free(cluster);

	cluster = with_shelf(&journal);
	answer = get(cluster, KEYS, token);
	assert_int_equal(answer.response.status, 200);
	assert_true(verifies(answer.json, token));
	answer_clear(&answer);
	cluster_free(cluster);
	kt_free(token);
	kt_json_free(shelf.records);
}

/* As clusters signed that had no key pair: HS256, by a key worked out from the seed. */
static char *signed_of_old(struct cluster *cluster, const char *token)
{
	uint64_t words[4];
	unsigned char key[32], mac[32];
	const char *claims = strchr(token, '.') + 1;
	struct kt_buf out = {0};
	for (size_t i = 0; i < 4; i++) {
		char name[] = "service-account-key-0";
		name[sizeof(name) - 2] = (char)('0' + i);
		words[i] = cluster_hash(cluster, name);
	}
	kt_sha256(words, sizeof(words), key);
	kt_base64url("{\"alg\":\"HS256\",\"kid\":\"cluster\"}", 31, &out);
	kt_buf_addc(&out, '.');
	kt_buf_add(&out, claims, strcspn(claims, "."));
	assert_int_equal(gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, sizeof(key), out.data, out.len, mac), 0);
	kt_buf_addc(&out, '.');
	kt_base64url(mac, sizeof(mac), &out);
	return kt_buf_take(&out);
}

static void tokens_of_old_still_count(void **state)
{
	struct cluster *cluster = test_cluster();
	(void)state;
	cluster_advance(cluster, cluster_now(cluster) + 5 * KT_SEC);
	char *token = issue(cluster), *old = signed_of_old(cluster, token);
	struct answer answer = get(cluster, KEYS, old);
	assert_int_equal(answer.response.status, 200);
	answer_clear(&answer);
	old[strcspn(old, ".") + 3] ^= 1;
	answer = get(cluster, KEYS, old);
	assert_int_equal(answer.response.status, 401);
	answer_clear(&answer);
	kt_free(token);
	kt_free(old);
	cluster_free(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_published_key_verifies_tokens),
	        cmocka_unit_test(the_issuer_says_where_its_keys_are),
	        cmocka_unit_test(tokens_outlive_the_process_and_a_restore),
	        cmocka_unit_test(tokens_of_old_still_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
