/* SPDX-License-Identifier: MIT */
/* Tables of requests and what is answered, for the tests of validation, admission and access. */
#ifndef RULES_TEST_H
#define RULES_TEST_H

#include "tests/cluster/api/api_test.h"

struct row {
	const char *as; /* impersonated user; NULL: the administrator */
	const char *method, *path;
	const char *body; /* single quotes stand for double ones */
	int code;
	const char *message; /* of the Status: a part of it; or a part of the body. NULL: anything */
};

__attribute__((unused)) static char *unquote(const char *text)
{
	char *plain = kt_strdup(text);
	for (char *c = plain; c && *c; c++)
		if (*c == '\'')
			*c = '"';
	return plain;
}

__attribute__((unused)) static struct answer ask(struct cluster *cluster, const struct row *row)
{
	struct cluster_header headers[] = {{"Content-Type", strcmp(row->method, "PATCH") == 0
	                                                            ? "application/merge-patch+json"
	                                                            : "application/json"},
	                                   {"Accept", "application/json"},
	                                   {"Impersonate-User", row->as}};
	static const char *const admins[] = {"kubeadm:cluster-admins", NULL};
	char *body = unquote(row->body);
	struct cluster_request request = {.method = row->method,
	                                  .target = row->path,
	                                  .headers = headers,
	                                  .header_count = row->as ? 3 : 2,
	                                  .body = body,
	                                  .body_len = body ? strlen(body) : 0,
	                                  .cert_user = "kubernetes-admin",
	                                  .cert_groups = admins};
	struct answer answer = answer_to(cluster, &request);
	kt_free(body);
	return answer;
}

__attribute__((unused)) static void run_rows_on(struct cluster *cluster, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct answer answer = ask(cluster, &rows[i]);
		const char *text =
		        kt_str_or(kt_get(answer.json, "message"), kt_buf_str(&answer.response.body));
		if (answer.response.status != rows[i].code)
			fail_msg("row %zu %s %s: %d, not %d: %s", i, rows[i].method, rows[i].path,
			         answer.response.status, rows[i].code, text);
		if (rows[i].message && !strstr(text, rows[i].message))
			fail_msg("row %zu %s %s:\n%s\nwithout\n%s", i, rows[i].method, rows[i].path, text,
			         rows[i].message);
		answer_clear(&answer);
	}
}

__attribute__((unused)) static void run_rows(const struct row *rows, size_t count)
{
	struct cluster *cluster = test_cluster();
	cluster_advance(cluster, cluster_now(cluster) + 5 * KT_SEC);
	run_rows_on(cluster, rows, count);
	cluster_free(cluster);
}

#endif
