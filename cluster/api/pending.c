/* SPDX-License-Identifier: MIT */
/* Placeholders, to link: each goes when its owner's implementation comes. Permissive: nothing is refused. */
#include "cluster/api/internal.h"

/* --- rules.h --- */
bool rules_authenticate(struct cluster *cluster, const struct cluster_request *request, struct api_user *user,
                        struct api_status *status)
{
	(void)cluster;
	(void)status;
	user->name = kt_strdup(request->cert_user ? request->cert_user : "system:admin");
	kt_strs_add(&user->groups, "system:masters");
	kt_strs_add(&user->groups, "system:authenticated");
	return true;
}

void rules_user_clear(struct api_user *user)
{
	kt_free((void *)(uintptr_t)user->name);
	kt_strs_clear(&user->groups);
	*user = (struct api_user){0};
}

bool rules_authorize(struct cluster *cluster, const struct api_user *user,
                     const struct rules_attributes *attributes, char **reason)
{
	(void)cluster;
	(void)user;
	(void)attributes;
	if (reason)
		*reason = NULL;
	return true;
}

bool rules_review(struct cluster *cluster, const struct schema_kind *kind, const struct api_user *user,
                  const char *ns, const char *name, struct kt_json **object, struct api_status *status)
{
	(void)cluster;
	(void)user;
	(void)ns;
	(void)name;
	(void)object;
	return api_fail(status, 501, "NotImplemented", "%s is not answered yet", kind->kind);
}

void rules_bootstrap(struct cluster *cluster)
{
	(void)cluster;
}
