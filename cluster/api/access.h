/* SPDX-License-Identifier: MIT */
/* What the access_*.c files share. */
#ifndef API_ACCESS_H
#define API_ACCESS_H

#include "cluster/api/rules.h"

#define ACCESS_RBAC     "rbac.authorization.k8s.io"
#define ACCESS_AUDIENCE "https://kubernetes.default.svc.cluster.local"

/* Add to a user that starts zeroed; strings are copied. */
void access_user_set(struct api_user *user, const char *name, const char *uid);
void access_user_group(struct api_user *user, const char *group);
void access_user_extra(struct api_user *user, const char *key, const char *value);
bool access_has_group(const struct api_user *user, const char *group);
/* A service account as a user. */
void access_user_account(struct api_user *user, const char *ns, const char *name, const char *uid);
/* "system:serviceaccount:NS:NAME" taken apart; false for others. Both owned by the caller. */
bool access_split_account(const char *user, char **ns, char **name);

/* --- their key (access_key.c), which the cluster keeps. Made when it is first asked for: then tokens, and
 * what holds them, differ from run to run. --- */
#define ACCESS_ALGORITHM "ES256"
#define ACCESS_SIGNATURE 64 /* bytes */
struct access_key;
void access_key_free(struct access_key *key);       /* NULL is fine */
const char *access_key_id(struct cluster *cluster); /* borrowed */
void access_key_sign(struct cluster *cluster, const char *text, size_t len,
                     unsigned char out[ACCESS_SIGNATURE]);
bool access_key_verify(struct cluster *cluster, const char *text, size_t len,
                       const unsigned char signature[ACCESS_SIGNATURE]);
struct kt_json *access_key_set(struct cluster *cluster); /* the public half as a JSON Web Key Set; new */

/* --- tokens (access_token.c): JSON Web Tokens --- */
struct access_token {
	const char *ns, *account, *uid;
	const struct kt_json *audiences; /* NULL: the API server */
	const struct kt_json *bound;     /* spec.boundObjectRef, or NULL */
	int64_t seconds;
};
/* Which of the audiences that are asked for (none: the server's own) a valid token is meant for. New. */
struct kt_json *access_token_heard(const char *text, const struct kt_json *wanted);
char *access_token_make(struct cluster *cluster, const struct access_token *token); /* owned */
/* Fill `user` from a token that is whole, in time and of an account that is there; NULL or why not (static).
 */
const char *access_token_check(struct cluster *cluster, const char *text, const struct kt_json *audiences,
                               struct api_user *user);

/* --- rules (access_rbac.c) --- */
/* Each policy rule that holds for `user` in `ns` ("" cluster-wide ones only); until fn returns false.
 * `reason` tells by which binding, borrowed. */
typedef bool access_rule_fn(void *arg, const struct kt_json *rule, const struct kt_json *binding,
                            const struct kt_json *subject);
void access_each_rule(struct cluster *cluster, const struct api_user *user, const char *ns,
                      access_rule_fn *fn, void *arg,
                      struct kt_strs *missing /* roles that bindings name and nobody made; may be NULL */);
bool access_rule_allows(const struct kt_json *rule, const struct rules_attributes *attributes);
/* Rules of a Role or ClusterRole by its reference; NULL if there is none. */
const struct kt_json *access_role_rules(struct cluster *cluster, const char *kind, const char *ns,
                                        const char *name);
bool access_has(const struct kt_json *list, const char *word);

/* --- kubelets (access_node.c) --- */
/* The node whose kubelet asks; NULL: it is none. */
const char *access_node_name(const struct api_user *user);
/* What the node authorizer says; `why` (may be NULL) gets why not, owned, where it has a reason. */
bool access_node_may(struct cluster *cluster, const struct api_user *user,
                     const struct rules_attributes *attributes, char **why);

#endif
