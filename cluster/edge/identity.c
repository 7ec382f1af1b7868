/* SPDX-License-Identifier: MIT */
#include "cluster/edge/edge_internal.h"
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IDENTITY_FILE "identity.pem"
#define IDENTITY_DAYS 3650

/* The file's blocks in order; a row each so that writing and reading agree. */
static const struct part {
	const char *label;
	size_t offset;
} parts[] = {
        {"CERTIFICATE", offsetof(struct edge_identity, ca_pem)},
        {"EC PRIVATE KEY", offsetof(struct edge_identity, ca_key_pem)},
        {"CERTIFICATE", offsetof(struct edge_identity, server_pem)},
        {"EC PRIVATE KEY", offsetof(struct edge_identity, server_key_pem)},
        {"CERTIFICATE", offsetof(struct edge_identity, admin_pem)},
        {"EC PRIVATE KEY", offsetof(struct edge_identity, admin_key_pem)},
};

static char **slot(struct edge_identity *identity, size_t i)
{
	return (char **)(void *)((char *)identity + parts[i].offset);
}

void edge_identity_clear(struct edge_identity *identity)
{
	for (size_t i = 0; i < KT_COUNT(parts); i++) {
		kt_free(*slot(identity, i));
		*slot(identity, i) = NULL;
	}
}

/* What a certificate says; the names are kubeadm's, so that the course's pages on certificates hold here. */
struct request {
	const char *cn, *organization;
	bool ca;
	const char *purpose;
	const char *const *dns;
};

static int add_names(gnutls_x509_crt_t crt, const char *const *dns)
{
	static const unsigned char addresses[][4] = {{127, 0, 0, 1}, {10, 96, 0, 1}};
	int rc = 0;
	for (; rc >= 0 && *dns; dns++)
		rc = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, *dns,
		                                          (unsigned)strlen(*dns), GNUTLS_FSAN_APPEND);
	for (size_t i = 0; rc >= 0 && i < KT_COUNT(addresses); i++)
		rc = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, addresses[i], 4,
		                                          GNUTLS_FSAN_APPEND);
	static const unsigned char loopback6[16] = {[15] = 1};
	if (rc >= 0)
		rc = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, loopback6, 16,
		                                          GNUTLS_FSAN_APPEND);
	return rc;
}

static int fill(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const struct request *request)
{
	unsigned char serial[16];
	time_t now = time(NULL);
	kt_random_secret(serial, sizeof serial);
	serial[0] = (unsigned char)((serial[0] & 0x7f) | 1); /* positive, and not zero */
	int rc = gnutls_x509_crt_set_version(crt, 3);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_activation_time(crt, now - 3600);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_expiration_time(crt, now + (time_t)IDENTITY_DAYS * 86400);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_key(crt, key);
	if (rc >= 0 && request->organization)
		rc = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, 0,
		                                   request->organization,
		                                   (unsigned)strlen(request->organization));
	if (rc >= 0)
		rc = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, request->cn,
		                                   (unsigned)strlen(request->cn));
	if (rc >= 0)
		rc = gnutls_x509_crt_set_basic_constraints(crt, request->ca, -1);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_key_usage(crt, request->ca ? GNUTLS_KEY_KEY_CERT_SIGN |
		                                                              GNUTLS_KEY_CRL_SIGN |
		                                                              GNUTLS_KEY_DIGITAL_SIGNATURE
		                                                    : GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (rc >= 0 && request->purpose)
		rc = gnutls_x509_crt_set_key_purpose_oid(crt, request->purpose, 0);
	if (rc >= 0 && request->dns)
		rc = add_names(crt, request->dns);
	return rc;
}

/* Key and certificate identifiers link leaf and CA; Go and OpenSSL both look at them. */
static int link_ids(gnutls_x509_crt_t crt, gnutls_x509_crt_t ca)
{
	unsigned char id[64];
	size_t len = sizeof id;
	int rc = gnutls_x509_crt_get_key_id(crt, 0, id, &len);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_subject_key_id(crt, id, len);
	len = sizeof id;
	if (rc >= 0)
		rc = gnutls_x509_crt_get_key_id(ca, 0, id, &len);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_authority_key_id(crt, id, len);
	return rc;
}

static int export(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, char **cert_pem, char **key_pem)
{
	gnutls_datum_t data;
	int rc = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &data);
	if (rc < 0)
		return rc;
	*cert_pem = kt_strndup((const char *)data.data, data.size);
	gnutls_free(data.data);
	rc = gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &data);
	if (rc < 0)
		return rc;
	*key_pem = kt_strndup((const char *)data.data, data.size);
	gnutls_memset(data.data, 0, data.size);
	gnutls_free(data.data);
	return 0;
}

struct pair {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
};

static void pair_clear(struct pair *pair)
{
	if (pair->crt)
		gnutls_x509_crt_deinit(pair->crt);
	if (pair->key)
		gnutls_x509_privkey_deinit(pair->key);
}

/* `ca` NULL: signs itself. */
static int make_pair(const struct request *request, const struct pair *ca, struct pair *out, char **cert_pem,
                     char **key_pem)
{
	int rc = gnutls_x509_privkey_init(&out->key);
	if (rc >= 0)
		rc = gnutls_x509_privkey_generate(out->key, GNUTLS_PK_ECDSA,
		                                  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	if (rc >= 0)
		rc = gnutls_x509_crt_init(&out->crt);
	if (rc >= 0)
		rc = fill(out->crt, out->key, request);
	const struct pair *signer = ca ? ca : out;
	if (rc >= 0)
		rc = link_ids(out->crt, signer->crt);
	if (rc >= 0)
		rc = gnutls_x509_crt_sign2(out->crt, signer->crt, signer->key, GNUTLS_DIG_SHA256, 0);
	if (rc >= 0)
		rc = export(out->crt, out->key, cert_pem, key_pem);
	return rc;
}

static enum kt_code make(struct edge_identity *out, struct kt_err *err)
{
	static const char *const names[] = {"kubernetes",
	                                    "kubernetes.default",
	                                    "kubernetes.default.svc",
	                                    "kubernetes.default.svc.cluster.local",
	                                    "localhost",
	                                    NULL};
	static const struct request ca = {.cn = "kubernetes", .ca = true},
	                            server = {.cn = "kube-apiserver",
	                                      .purpose = GNUTLS_KP_TLS_WWW_SERVER,
	                                      .dns = names},
	                            admin = {.cn = EDGE_ADMIN,
	                                     .organization = EDGE_ADMIN_GROUP,
	                                     .purpose = GNUTLS_KP_TLS_WWW_CLIENT};
	struct pair ca_pair = {0}, server_pair = {0}, admin_pair = {0};
	int rc = make_pair(&ca, NULL, &ca_pair, &out->ca_pem, &out->ca_key_pem);
	if (rc >= 0)
		rc = make_pair(&server, &ca_pair, &server_pair, &out->server_pem, &out->server_key_pem);
	if (rc >= 0)
		rc = make_pair(&admin, &ca_pair, &admin_pair, &out->admin_pem, &out->admin_key_pem);
	pair_clear(&ca_pair);
	pair_clear(&server_pair);
	pair_clear(&admin_pair);
	return rc >= 0 ? KT_OK : kt_fail(err, KT_EIO, "making certificates: %s", gnutls_strerror(rc));
}

static enum kt_code parse(const struct kt_buf *text, const char *path, struct edge_identity *out,
                          struct kt_err *err)
{
	const char *at = kt_buf_str(text);
	for (size_t i = 0; i < KT_COUNT(parts); i++) {
		char *begin = kt_strf("-----BEGIN %s-----", parts[i].label);
		char *finish = kt_strf("-----END %s-----\n", parts[i].label);
		const char *from = strstr(at, begin), *to = from ? strstr(from, finish) : NULL;
		if (to) {
			to += strlen(finish);
			*slot(out, i) = kt_strndup(from, (size_t)(to - from));
			at = to;
		}
		kt_free(begin);
		kt_free(finish);
		if (!to)
			return kt_fail(err, KT_EINVAL, "%s: block %zu (%s) is missing", path, i + 1,
			               parts[i].label);
	}
	return KT_OK;
}

enum kt_code edge_identity_load(const char *dir, struct edge_identity *out, struct kt_err *err)
{
	struct edge_identity identity = {0};
	struct kt_buf text = {0};
	char *path = kt_join(dir, IDENTITY_FILE);
	enum kt_code rc;
	if (kt_is_file(path)) {
		rc = kt_read_file(path, 64 * 1024, &text, err);
		if (!rc)
			rc = parse(&text, path, &identity, err);
	} else {
		rc = make(&identity, err);
		for (size_t i = 0; !rc && i < KT_COUNT(parts); i++)
			kt_buf_adds(&text, *slot(&identity, i));
		if (!rc)
			rc = kt_write_file(path, text.data, text.len, 0600, err);
	}
	if (rc)
		edge_identity_clear(&identity);
	else
		*out = identity;
	kt_buf_clear(&text);
	kt_free(path);
	return rc;
}
