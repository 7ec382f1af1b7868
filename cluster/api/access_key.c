/* SPDX-License-Identifier: MIT */
/* The key pair of service accounts' tokens (kubernetes pkg/serviceaccount/jwt.go, openidmetadata.go): ECDSA
 * over P-256, made when it is first needed and kept with the cluster. Whoever has the published half can
 * verify a token. */
#include "cluster/api/access.h"
#include "cluster/api/state.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <string.h>

#define KEPT "api/service-account-key"
#define HALF (ACCESS_SIGNATURE / 2)

struct access_key {
	gnutls_privkey_t private;
	gnutls_pubkey_t public;
	char *pem; /* as it is kept */
	char *id;  /* "kid" */
};

static void must(int rc, const char *what)
{
	if (rc < 0)
		kt_bug("%s: %s", what, gnutls_strerror(rc));
}

void access_key_free(struct access_key *key)
{
	if (!key)
		return;
	gnutls_privkey_deinit(key->private);
	gnutls_pubkey_deinit(key->public);
	kt_free(key->pem);
	kt_free(key->id);
	kt_free(key);
}

static void make_pem(struct access_key *key)
{
	gnutls_x509_privkey_t plain;
	gnutls_datum_t pem = {0};
	must(gnutls_privkey_generate(key->private, GNUTLS_PK_ECDSA,
	                             GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
	     "making the tokens' key");
	must(gnutls_privkey_export_x509(key->private, &plain), "keeping the tokens' key");
	must(gnutls_x509_privkey_export2(plain, GNUTLS_X509_FMT_PEM, &pem), "keeping the tokens' key");
	key->pem = kt_strndup((const char *)pem.data, pem.size);
	gnutls_memset(pem.data, 0, pem.size);
	gnutls_free(pem.data);
	gnutls_x509_privkey_deinit(plain);
}

/* What can not be read is replaced: its tokens are lost, not the cluster. */
static bool read_pem(struct access_key *key, const char *text)
{
	gnutls_datum_t pem = {(unsigned char *)(uintptr_t)text, (unsigned)strlen(text)};
	if (gnutls_privkey_import_x509_raw(key->private, &pem, GNUTLS_X509_FMT_PEM, NULL, 0) < 0)
		return false;
	key->pem = kt_strdup(text);
	return true;
}

/* keyIDFromPublicKey */
static char *id_of(gnutls_pubkey_t public)
{
	gnutls_datum_t der = {0};
	unsigned char digest[32];
	struct kt_buf text = {0};
	must(gnutls_pubkey_export2(public, GNUTLS_X509_FMT_DER, &der), "naming the tokens' key");
	kt_sha256(der.data, der.size, digest);
	gnutls_free(der.data);
	kt_base64url(digest, sizeof(digest), &text);
	return kt_buf_take(&text);
}

static struct access_key *key_of(struct cluster *cluster)
{
	struct api_state *state = cluster_api_state(cluster);
	const struct kt_json *kept = cluster_kept(cluster, KEPT);
	if (!state->token_key) {
		struct access_key *key = kt_alloc(sizeof(*key));
		must(gnutls_privkey_init(&key->private), "the tokens' key");
		must(gnutls_pubkey_init(&key->public), "the tokens' key");
		if (!kept || !read_pem(key, kt_str_or(kept, "")))
			make_pem(key);
		must(gnutls_pubkey_import_privkey(key->public, key->private, 0, 0), "the tokens' key");
		key->id = id_of(key->public);
		state->token_key = key;
	}
	/* it may be younger than what was restored */
	if (!kept || !kt_streq(kt_str_or(kept, ""), state->token_key->pem))
		cluster_keep(cluster, KEPT, kt_json_str(state->token_key->pem));
	return state->token_key;
}

const char *access_key_id(struct cluster *cluster)
{
	return key_of(cluster)->id;
}

/* A number of ASN.1 (no more bytes than it needs, never negative) as JOSE wants it: of fixed length. */
static void put_half(const gnutls_datum_t *number, unsigned char out[HALF])
{
	size_t zeros = 0, len;
	while (zeros < number->size && number->data[zeros] == 0)
		zeros++;
	len = number->size - zeros;
	if (len > HALF)
		kt_bug("a number of %zu bytes on a curve of %d", len, HALF);
	memset(out, 0, HALF - len);
	memcpy(out + HALF - len, number->data + zeros, len);
}

/* RFC 7518, 3.4; the same for the same text (RFC 6979), so that it does not depend on the machine's noise. */
void access_key_sign(struct cluster *cluster, const char *text, size_t len,
                     unsigned char out[ACCESS_SIGNATURE])
{
	gnutls_datum_t data = {(unsigned char *)(uintptr_t)text, (unsigned)len}, der = {0}, r = {0}, s = {0};
	must(gnutls_privkey_sign_data2(key_of(cluster)->private, GNUTLS_SIGN_ECDSA_SHA256,
	                               GNUTLS_PRIVKEY_FLAG_REPRODUCIBLE, &data, &der),
	     "signing a token");
	must(gnutls_decode_rs_value(&der, &r, &s), "signing a token");
	put_half(&r, out);
	put_half(&s, out + HALF);
	gnutls_free(der.data);
	gnutls_free(r.data);
	gnutls_free(s.data);
}

bool access_key_verify(struct cluster *cluster, const char *text, size_t len,
                       const unsigned char signature[ACCESS_SIGNATURE])
{
	unsigned char *bytes = (unsigned char *)(uintptr_t)signature;
	gnutls_datum_t data = {(unsigned char *)(uintptr_t)text, (unsigned)len}, der = {0}, r = {bytes, HALF},
	               s = {bytes + HALF, HALF};
	bool holds = gnutls_encode_rs_value(&der, &r, &s) >= 0 &&
	             gnutls_pubkey_verify_data2(key_of(cluster)->public, GNUTLS_SIGN_ECDSA_SHA256, 0, &data,
	                                        &der) >= 0;
	gnutls_free(der.data);
	return holds;
}

static char *half_text(const gnutls_datum_t *number)
{
	unsigned char bytes[HALF];
	struct kt_buf text = {0};
	put_half(number, bytes);
	kt_base64url(bytes, sizeof(bytes), &text);
	return kt_buf_take(&text);
}

struct kt_json *access_key_set(struct cluster *cluster)
{
	const struct access_key *key = key_of(cluster);
	gnutls_datum_t x = {0}, y = {0};
	must(gnutls_pubkey_export_ecc_raw2(key->public, NULL, &x, &y, 0), "publishing the tokens' key");
	char *x_text = half_text(&x), *y_text = half_text(&y);
	struct kt_json *set =
	        kt_jsonf("{keys: [{use: 'sig', kty: 'EC', kid: %s, crv: 'P-256', alg: %s, x: %s, y: %s}]}",
	                 key->id, ACCESS_ALGORITHM, x_text, y_text);
	kt_free(x_text);
	kt_free(y_text);
	gnutls_free(x.data);
	gnutls_free(y.data);
	return set;
}
