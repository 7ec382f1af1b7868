/* SPDX-License-Identifier: MIT */
#include "tests/cluster/api/rules_test.h"

#define PODS  "/api/v1/namespaces/default/pods"
#define ROLES "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles"
#define BINDS "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings"
#define ROLE(name, rule)                                                                                     \
	"{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'Role','metadata':{'name':'" name               \
	"'},'rules':[" rule "]}"
#define BIND(name, role, user)                                                                               \
	"{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'RoleBinding','metadata':{'name':'" name        \
	"'},'subjects':[{'apiGroup':'rbac.authorization.k8s.io','kind':'User','name':'" user                 \
	"'}],'roleRef':{'apiGroup':'rbac.authorization.k8s.io','kind':'Role','name':'" role "'}}"
#define SSAR "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

static void roles_say_who_may_what(void **state)
{
	static const struct row rows[] = {
	        {"amy", "GET", PODS, NULL, 403,
	         "User \"amy\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\""},
	        {"amy", "GET", "/healthz", NULL, 200, NULL},
	        {"amy", "GET", "/metrics", NULL, 403, "User \"amy\" cannot get path \"/metrics\""},
	        {0, "POST", ROLES,
	         ROLE("reader", "{'verbs':['get','list'],'apiGroups':[''],'resources':['pods']}"), 201, NULL},
	        {0, "POST", BINDS, BIND("amy", "reader", "amy"), 201, NULL},
	        {"amy", "GET", PODS, NULL, 200, NULL},
	        {"amy", "GET", "/api/v1/pods", NULL, 403, "at the cluster scope"},
	        {"amy", "POST", SSAR,
	         "{'apiVersion':'authorization.k8s.io/"
	         "v1','kind':'SelfSubjectAccessReview','spec':{'resourceAttributes':{'verb':'list',"
	         "'resource':'pods','namespace':'default'}}}",
	         201,
	         "RBAC: allowed by RoleBinding \\\"amy/default\\\" of Role \\\"reader\\\" to User "
	         "\\\"amy\\\""},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

static void nobody_grants_what_they_do_not_hold(void **state)
{
	static const struct row rows[] = {
	        {0, "POST", ROLES,
	         ROLE("maker", "{'verbs':['create'],'apiGroups':['rbac.authorization.k8s.io'],'resources':['"
	                       "roles','rolebindings']}"),
	         201, NULL},
	        {0, "POST", BINDS, BIND("bob", "maker", "bob"), 201, NULL},
	        {"bob", "POST", ROLES,
	         ROLE("more", "{'verbs':['get'],'apiGroups':[''],'resources':['secrets']}"), 403,
	         "user \"bob\" (groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions "
	         "not currently held:\n"
	         "{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\"]}"},
	        {"bob", "POST", ROLES,
	         ROLE("same",
	              "{'verbs':['create'],'apiGroups':['rbac.authorization.k8s.io'],'resources':['roles']}"),
	         201, NULL},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

static struct answer with_token(struct cluster *cluster, const char *token)
{
	char *value = kt_strf("Bearer %s", token);
	struct cluster_header headers[] = {{"Authorization", value},
	                                   {"Content-Type", "application/json"},
	                                   {"Accept", "application/json"}};
	const char *body = "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"SelfSubjectReview\"}";
	struct cluster_request request = {.method = "POST",
	                                  .target = "/apis/authentication.k8s.io/v1/selfsubjectreviews",
	                                  .headers = headers,
	                                  .header_count = 3,
	                                  .body = body,
	                                  .body_len = strlen(body)};
	struct answer answer = answer_to(cluster, &request);
	kt_free(value);
	return answer;
}

static void tokens_hold_until_they_expire_or_are_changed(void **state)
{
	static const struct row request = {0,
	                                   "POST",
	                                   "/api/v1/namespaces/default/serviceaccounts/default/token",
	                                   "{'apiVersion':'authentication.k8s.io/"
	                                   "v1','kind':'TokenRequest','spec':{'expirationSeconds':600}}",
	                                   201,
	                                   NULL};
	struct cluster *cluster = test_cluster();
	(void)state;
	cluster_advance(cluster, cluster_now(cluster) + 5 * KT_SEC);
	struct answer issued = ask(cluster, &request), answer;
	char *token = kt_strdup(kt_path_str(issued.json, "status.token"));
	assert_non_null(token);
	answer = with_token(cluster, token);
	assert_int_equal(answer.response.status, 201);
	assert_string_equal(kt_path_str(answer.json, "status.userInfo.username"),
	                    "system:serviceaccount:default:default");
	answer_clear(&answer);
	char *end = strrchr(token, '.') + 1, kept = *end;
	*end = kept == 'A' ? 'B' : 'A';
	answer = with_token(cluster, token);
	assert_int_equal(answer.response.status, 401);
	answer_clear(&answer);
	*end = kept;
	cluster_advance(cluster, cluster_now(cluster) + 601 * KT_SEC);
	answer = with_token(cluster, token);
	assert_int_equal(answer.response.status, 401);
	answer_clear(&answer);
	answer = with_token(cluster, "nonsense");
	assert_int_equal(answer.response.status, 401);
	answer_clear(&answer);
	answer_clear(&issued);
	kt_free(token);
	cluster_free(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(roles_say_who_may_what),
	        cmocka_unit_test(nobody_grants_what_they_do_not_hold),
	        cmocka_unit_test(tokens_hold_until_they_expire_or_are_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
