/* SPDX-License-Identifier: MIT */
/* Tokens of service accounts (kubernetes pkg/serviceaccount/claims.go): the claims are the real ones. */
#include "cluster/api/access.h"

#include <string.h>

#define MAX_TOKEN     16384
#define OLD_SIGNATURE 32

static void add_part(struct kt_buf *out, struct kt_json *steal)
{
	char *text = kt_json_text(steal);
	kt_base64url(text, strlen(text), out);
	kt_free(text);
	kt_json_free(steal);
}

static struct kt_json *claims_of(struct cluster *cluster, const struct access_token *t)
{
	int64_t now = cluster_now(cluster) / KT_SEC;
	char id[37];
	struct kt_json *mine = kt_jsonf("{namespace: %s}", t->ns);
	const char *kind = kt_get_str(t->bound, "kind");
	if (kind) {
		char *lower = kt_strdup(kind);
		for (char *c = lower; *c; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
		kt_set(&mine, lower,
		       kt_jsonf("{name: %s, uid: %s}", kt_get_str(t->bound, "name"),
		                kt_get_str(t->bound, "uid")));
		kt_free(lower);
	}
	kt_set(&mine, "serviceaccount", kt_jsonf("{name: %s, uid: %s}", t->account, t->uid));
	kt_random_uuid(cluster_random(cluster), id);
	struct kt_json *audiences =
	        kt_count(t->audiences) > 0 ? kt_json_ref(t->audiences) : kt_jsonf("[%s]", ACCESS_AUDIENCE);
	return kt_jsonf(
	        "{aud: %j, exp: %l, iat: %l, iss: %s, jti: %s, 'kubernetes.io': %j, nbf: %l, sub: %j}",
	        audiences, now + t->seconds, now, ACCESS_AUDIENCE, id, mine, now,
	        kt_json_strf("system:serviceaccount:%s:%s", t->ns, t->account));
}

static char *sign(struct cluster *cluster, struct kt_json *steal)
{
	struct kt_buf out = {0};
	unsigned char signature[ACCESS_SIGNATURE];
	add_part(&out, kt_jsonf("{alg: %s, kid: %s}", ACCESS_ALGORITHM, access_key_id(cluster)));
	kt_buf_addc(&out, '.');
	add_part(&out, steal);
	access_key_sign(cluster, kt_buf_str(&out), out.len, signature);
	kt_buf_addc(&out, '.');
	kt_base64url(signature, sizeof(signature), &out);
	return kt_buf_take(&out);
}

char *access_token_make(struct cluster *cluster, const struct access_token *token)
{
	return sign(cluster, claims_of(cluster, token));
}

/* pkg/serviceaccount/legacy.go: no end, no audience; the Secret is its life. */
#define LEGACY "kubernetes.io/serviceaccount/"
char *api_secret_token(struct cluster *cluster, const struct store_object *secret,
                       const struct store_object *account)
{
	return sign(cluster,
	            kt_jsonf("{iss: 'kubernetes/serviceaccount', '" LEGACY "namespace': %s, '" LEGACY
	                     "secret.name': %s, '" LEGACY "service-account.name': %s, '" LEGACY
	                     "service-account.uid': %s, sub: %j}",
	                     account->ns, secret->name, account->name, account->uid,
	                     kt_json_strf("system:serviceaccount:%s:%s", account->ns, account->name)));
}

/* The Secret is there, and holds this token. */
static bool secret_holds(struct cluster *cluster, const struct kt_json *claims, const char *token)
{
	const struct schema_kind *kind = schema_stored(cluster_schema(cluster), "", "Secret");
	const struct store_object *secret =
	        store_get(cluster_store(cluster), kind, kt_str_or(kt_get(claims, LEGACY "namespace"), ""),
	                  kt_str_or(kt_get(claims, LEGACY "secret.name"), ""));
	struct kt_buf text = {0};
	kt_base64(token, strlen(token), &text);
	bool same = secret && !view_is_deleting(secret->json) &&
	            kt_streq(kt_get_str(kt_get(secret->json, "data"), "token"), kt_buf_str(&text));
	kt_buf_clear(&text);
	return same;
}

static struct kt_json *part(const char *text, size_t len)
{
	struct kt_buf plain = {0};
	struct kt_json *v = NULL;
	struct kt_err err = {0};
	const struct kt_json_limits limits = {.depth = 16, .bytes = MAX_TOKEN};
	if (kt_unbase64(text, len, &plain) &&
	    kt_json_parse(kt_buf_str(&plain), plain.len, &limits, &v, NULL, &err) != KT_OK)
		v = NULL;
	kt_buf_clear(&plain);
	return v;
}

/* --- what clusters that are kept signed before they had a key pair: HMAC-SHA256, by a key from the seed ---
 */

static void seed_key(struct cluster *cluster, unsigned char key[32])
{
	uint64_t words[4];
	static const char *const names[4] = {"service-account-key-0", "service-account-key-1",
	                                     "service-account-key-2", "service-account-key-3"};
	for (size_t i = 0; i < 4; i++)
		words[i] = cluster_hash(cluster, names[i]);
	kt_sha256(words, sizeof(words), key);
}

/* RFC 2104 */
static void hmac(const unsigned char key[32], const char *text, size_t len, unsigned char out[32])
{
	unsigned char pad[64], inner[32];
	struct kt_buf all = {0};
	for (size_t i = 0; i < 64; i++)
		pad[i] = (unsigned char)((i < 32 ? key[i] : 0) ^ 0x36);
	kt_buf_add(&all, pad, 64);
	kt_buf_add(&all, text, len);
	kt_sha256(kt_buf_str(&all), all.len, inner);
	kt_buf_cut(&all, 0);
	for (size_t i = 0; i < 64; i++)
		pad[i] = (unsigned char)((i < 32 ? key[i] : 0) ^ 0x5c);
	kt_buf_add(&all, pad, 64);
	kt_buf_add(&all, inner, 32);
	kt_sha256(kt_buf_str(&all), all.len, out);
	kt_buf_clear(&all);
}

static bool old_signature_holds(struct cluster *cluster, const char *text, size_t len,
                                const unsigned char *signature)
{
	unsigned char key[32], mac[OLD_SIGNATURE], diff = 0;
	seed_key(cluster, key);
	hmac(key, text, len, mac);
	for (size_t i = 0; i < sizeof(mac); i++)
		diff |= (unsigned char)(signature[i] ^ mac[i]);
	return diff == 0;
}

static bool signature_holds(struct cluster *cluster, const char *text, const char *dot)
{
	struct kt_buf given = {0};
	size_t len = (size_t)(dot - text);
	bool holds = kt_unbase64(dot + 1, strlen(dot + 1), &given);
	const unsigned char *bytes = (const unsigned char *)kt_buf_str(&given);
	if (holds && given.len == OLD_SIGNATURE)
		holds = old_signature_holds(cluster, text, len, bytes);
	else
		holds = holds && given.len == ACCESS_SIGNATURE &&
		        access_key_verify(cluster, text, len, bytes);
	kt_buf_clear(&given);
	return holds;
}

static bool audience_fits(const struct kt_json *claims, const struct kt_json *wanted)
{
	const struct kt_json *aud = kt_get(claims, "aud"), *a;
	if (kt_count(wanted) == 0)
		return access_has(aud, ACCESS_AUDIENCE);
	KT_JSON_EACH (a, wanted)
		if (access_has(aud, kt_str_or(a, "")))
			return true;
	return false;
}

/* What a token is bound to is still there (pkg/serviceaccount/claims.go). */
static bool bound_is_there(struct cluster *cluster, const struct kt_json *mine, const char *ns)
{
	static const char *const kinds[][2] = {{"pod", "Pod"}, {"secret", "Secret"}, {"node", "Node"}};
	for (size_t i = 0; i < KT_COUNT(kinds); i++) {
		const struct kt_json *bound = kt_get(mine, kinds[i][0]);
		const struct schema_kind *kind = schema_stored(cluster_schema(cluster), "", kinds[i][1]);
		const char *name = bound ? kt_get_str(bound, "name") : NULL,
		           *uid = bound ? kt_get_str(bound, "uid") : NULL;
		const struct store_object *object =
		        name ? store_get(cluster_store(cluster), kind, kind->namespaced ? ns : "", name)
		             : NULL;
		if (name && uid && *uid && (!object || strcmp(object->uid, uid) != 0))
			return false;
	}
	return true;
}

struct kt_json *access_token_heard(const char *text, const struct kt_json *wanted)
{
	const char *first = strchr(text, '.'), *last = strrchr(text, '.');
	struct kt_json *claims = first && last > first ? part(first + 1, (size_t)(last - first - 1)) : NULL,
	               *heard = kt_json_array();
	const struct kt_json *a;
	KT_JSON_EACH (a, wanted)
		if (!kt_get(claims, "aud") || access_has(kt_get(claims, "aud"), kt_str_or(a, "")))
			kt_push(&heard, kt_json_ref(a));
	if (kt_count(wanted) == 0)
		kt_push(&heard, kt_json_str(ACCESS_AUDIENCE));
	kt_json_free(claims);
	return heard;
}

static const char *check_claims(struct cluster *cluster, const struct kt_json *claims, const char *token,
                                const struct kt_json *audiences, struct api_user *user)
{
	const struct kt_json *mine = kt_get(claims, "kubernetes.io");
	bool legacy = kt_get(claims, LEGACY "secret.name") != NULL;
	const char *ns = legacy ? kt_get_str(claims, LEGACY "namespace") : kt_get_str(mine, "namespace");
	const char *name = legacy ? kt_get_str(claims, LEGACY "service-account.name")
	                          : kt_path_str(mine, "serviceaccount.name");
	const char *uid = legacy ? kt_get_str(claims, LEGACY "service-account.uid")
	                         : kt_path_str(mine, "serviceaccount.uid");
	const char *id = kt_get_str(claims, "jti");
	const struct schema_kind *kind = schema_stored(cluster_schema(cluster), "", "ServiceAccount");
	if (!ns || !name || !uid)
		return "claims are missing";
	if (legacy && !secret_holds(cluster, claims, token))
		return "service account token has been invalidated";
	if (!legacy && kt_get_int(claims, "exp", 0) <= cluster_now(cluster) / KT_SEC)
		return "token has expired";
	if (!legacy && !audience_fits(claims, audiences))
		return "token audiences are invalid for the target audiences";
	const struct store_object *account = store_get(cluster_store(cluster), kind, ns, name);
	if (!account || strcmp(account->uid, uid) != 0)
		return "service account has been deleted";
	if (!bound_is_there(cluster, mine, ns))
		return "service account token has been invalidated";
	access_user_account(user, ns, name, uid);
	if (id) {
		char *credential = kt_strf("JTI=%s", id);
		access_user_extra(user, "authentication.kubernetes.io/credential-id", credential);
		kt_free(credential);
	}
	return NULL;
}

const char *access_token_check(struct cluster *cluster, const char *text, const struct kt_json *audiences,
                               struct api_user *user)
{
	const char *first = strchr(text, '.'), *last = strrchr(text, '.');
	if (strlen(text) > MAX_TOKEN || !first || first == last || !signature_holds(cluster, text, last))
		return "invalid bearer token";
	struct kt_json *claims = part(first + 1, (size_t)(last - first - 1));
	const char *why =
	        claims ? check_claims(cluster, claims, text, audiences, user) : "invalid bearer token";
	kt_json_free(claims);
	return why;
}
