/* SPDX-License-Identifier: MIT */
/* Who asks: certificate, token or nobody, then whom they claim to be (apiserver pkg/authentication,
 * pkg/endpoints/filters/ impersonation.go). */
#include "cluster/api/access.h"
#include "cluster/api/internal.h"

#include <string.h>
#include <strings.h>

#define AUTHENTICATED   "system:authenticated"
#define UNAUTHENTICATED "system:unauthenticated"
#define ANONYMOUS       "system:anonymous"
#define CREDENTIAL_ID   "authentication.kubernetes.io/credential-id"
#define ACCOUNT_PREFIX  "system:serviceaccount:"

void access_user_set(struct api_user *user, const char *name, const char *uid)
{
	user->name = kt_strdup(name);
	user->uid = kt_strdup(uid ? uid : "");
}

void access_user_group(struct api_user *user, const char *group)
{
	if (!kt_strs_has(&user->groups, group))
		kt_strs_add(&user->groups, group);
}

void access_user_extra(struct api_user *user, const char *key, const char *value)
{
	kt_push(kt_edit(&user->extra, key), kt_json_str(value));
}

bool access_has_group(const struct api_user *user, const char *group)
{
	return kt_strs_has(&user->groups, group);
}

void rules_user_clear(struct api_user *user)
{
	kt_free((void *)(uintptr_t)user->name);
	kt_free((void *)(uintptr_t)user->uid);
	kt_strs_clear(&user->groups);
	kt_json_free(user->extra);
	*user = (struct api_user){0};
}

bool access_split_account(const char *user, char **ns, char **name)
{
	if (!kt_starts(user, ACCOUNT_PREFIX))
		return false;
	const char *rest = user + strlen(ACCOUNT_PREFIX), *colon = strchr(rest, ':');
	if (!colon || colon == rest || !colon[1] || strchr(colon + 1, ':'))
		return false;
	*ns = kt_strndup(rest, (size_t)(colon - rest));
	*name = kt_strdup(colon + 1);
	return true;
}

static void account_groups(struct api_user *user, const char *ns)
{
	char *group = kt_strf("system:serviceaccounts:%s", ns);
	access_user_group(user, "system:serviceaccounts");
	access_user_group(user, group);
	kt_free(group);
}

void access_user_account(struct api_user *user, const char *ns, const char *name, const char *uid)
{
	char *full = kt_strf(ACCOUNT_PREFIX "%s:%s", ns, name);
	access_user_set(user, full, uid);
	account_groups(user, ns);
	access_user_group(user, AUTHENTICATED);
	kt_free(full);
}

/* --- credentials --- */

static void from_certificate(const struct cluster_request *request, struct api_user *user)
{
	struct kt_buf text = {0}, hex = {0};
	unsigned char digest[32];
	access_user_set(user, request->cert_user, NULL);
	kt_buf_adds(&text, request->cert_user);
	for (const char *const *g = request->cert_groups; g && *g; g++) {
		access_user_group(user, *g);
		kt_buf_addf(&text, "/%s", *g);
	}
	/* Of the whole certificate on a real server; here of what it certifies. */
	kt_sha256(kt_buf_str(&text), text.len, digest);
	kt_buf_clear(&text);
	kt_hex(digest, sizeof(digest), &hex);
	char *id = kt_strf("X509SHA256=%s", kt_buf_str(&hex));
	access_user_extra(user, CREDENTIAL_ID, id);
	kt_free(id);
	kt_buf_clear(&hex);
	access_user_group(user, AUTHENTICATED);
}

static bool authenticate(struct cluster *cluster, const struct cluster_request *request,
                         struct api_user *user, struct api_status *status)
{
	const char *header = api_header(request, "Authorization");
	if (request->loopback_admin) {
		access_user_set(user, "system:apiserver", NULL);
		access_user_group(user, "system:masters");
		access_user_group(user, AUTHENTICATED);
		return true;
	}
	if (request->cert_user) {
		from_certificate(request, user);
		return true;
	}
	if (header && strncasecmp(header, "Bearer ", 7) == 0) {
		const char *token = header + 7 + strspn(header + 7, " ");
		if (access_token_check(cluster, token, NULL, user)) {
			rules_user_clear(user);
			return api_fail(status, 401, "Unauthorized", "Unauthorized");
		}
		return true;
	}
	access_user_set(user, ANONYMOUS, NULL);
	access_user_group(user, UNAUTHENTICATED);
	return true;
}

/* --- impersonation --- */

static bool may(struct cluster *cluster, const struct api_user *user, const char *group, const char *resource,
                const char *subresource, const char *ns, const char *name, struct api_status *status)
{
	const struct rules_attributes a = {.verb = "impersonate",
	                                   .group = group,
	                                   .version = "v1",
	                                   .resource = resource,
	                                   .subresource = subresource,
	                                   .ns = ns,
	                                   .name = name};
	if (rules_authorize(cluster, user, &a, NULL))
		return true;
	char *full = *subresource ? kt_strf("%s/%s", resource, subresource) : kt_strdup(resource);
	char *where = *ns ? kt_strf("in the namespace \"%s\"", ns) : kt_strdup("at the cluster scope");
	api_fail(status, 403, "Forbidden",
	         "%s%s%s \"%s\" is forbidden: User \"%s\" cannot impersonate resource \"%s\" in API group "
	         "\"%s\" %s",
	         resource, *group ? "." : "", group, name, user->name, full, group, where);
	kt_free(full);
	kt_free(where);
	return false;
}

static bool take_groups(struct cluster *cluster, const struct cluster_request *request,
                        const struct api_user *real, struct api_user *as, struct api_status *status)
{
	for (size_t i = 0; i < request->header_count; i++) {
		const struct cluster_header *h = &request->headers[i];
		if (strcasecmp(h->name, "Impersonate-Group") == 0) {
			if (!may(cluster, real, "", "groups", "", "", h->value, status))
				return false;
			access_user_group(as, h->value);
		} else if (strncasecmp(h->name, "Impersonate-Extra-", 18) == 0) {
			struct kt_buf key = {0};
			kt_unpercent(h->name + 18, strlen(h->name + 18), false, &key);
			for (char *c = key.data; c && *c; c++)
				if (*c >= 'A' && *c <= 'Z')
					*c = (char)(*c + 32);
			bool fine = may(cluster, real, "authentication.k8s.io", "userextras",
			                kt_buf_str(&key), "", h->value, status);
			if (fine)
				access_user_extra(as, kt_buf_str(&key), h->value);
			kt_buf_clear(&key);
			if (!fine)
				return false;
		}
	}
	return true;
}

static bool impersonate(struct cluster *cluster, const struct cluster_request *request, const char *name,
                        const struct api_user *real, struct api_user *as, struct api_status *status)
{
	const char *uid = api_header(request, "Impersonate-Uid");
	char *ns = NULL, *account = NULL;
	bool is_account = access_split_account(name, &ns, &account);
	bool fine = is_account ? may(cluster, real, "", "serviceaccounts", "", ns, account, status)
	                       : may(cluster, real, "", "users", "", "", name, status);
	fine = fine && (!uid || may(cluster, real, "authentication.k8s.io", "uids", "", "", uid, status));
	access_user_set(as, name, uid);
	fine = fine && take_groups(cluster, request, real, as, status);
	if (is_account && as->groups.count == 0)
		account_groups(as, ns);
	if (strcmp(name, ANONYMOUS) == 0) {
		if (!access_has_group(as, UNAUTHENTICATED))
			access_user_group(as, UNAUTHENTICATED);
	} else if (!access_has_group(as, UNAUTHENTICATED)) {
		access_user_group(as, AUTHENTICATED);
	}
	kt_free(ns);
	kt_free(account);
	return fine;
}

bool rules_authenticate(struct cluster *cluster, const struct cluster_request *request, struct api_user *user,
                        struct api_status *status)
{
	const char *name = api_header(request, "Impersonate-User");
	struct api_user real = {0}, as = {0};
	if (!authenticate(cluster, request, user, status))
		return false;
	if (!name || !*name) {
		if (!api_header(request, "Impersonate-Group") && !api_header(request, "Impersonate-Uid"))
			return true;
		rules_user_clear(user);
		return api_fail(
		        status, 500, "InternalError",
		        "Internal error occurred: requested groups or uid without impersonating a user");
	}
	real = *user;
	*user = (struct api_user){0};
	bool fine = impersonate(cluster, request, name, &real, &as, status);
	rules_user_clear(&real);
	if (fine)
		*user = as;
	else
		rules_user_clear(&as);
	return fine;
}
