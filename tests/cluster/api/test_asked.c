/* SPDX-License-Identifier: MIT */
/* Requests that are wrong in all the ways that somebody thought of, and what Kubernetes 1.34 answered to
 * them: tests/cluster/api/asked, a request a line, one after another on one cluster. "…" stands for anything
 * (uids, times, versions). The answer's code, reason, message, details and warnings are compared. */
#include <stdlib.h>

#include "tests/cluster/api/rules_test.h"

/* `pattern` with … for any run. */
static bool fits(const char *text, const char *pattern)
{
	const char *dots = strstr(pattern, "…");
	size_t len = dots ? (size_t)(dots - pattern) : strlen(pattern);
	if (strncmp(text, pattern, len) != 0)
		return false;
	if (!dots)
		return !text[len];
	for (const char *rest = text + len;; rest++) {
		if (fits(rest, dots + strlen("…")))
			return true;
		if (!*rest)
			return false;
	}
}

static void add_header(struct cluster_header *headers, size_t *count, const char *name, const char *value)
{
	if (value && *value)
		headers[(*count)++] = (struct cluster_header){name, value};
}

static struct answer do_it(struct cluster *cluster, const struct kt_json *row)
{
	static const char *const admins[] = {"kubeadm:cluster-admins", NULL};
	struct cluster_header headers[8];
	const struct kt_json *more = kt_get(row, "headers"), *value;
	const char *body = kt_get_str(row, "body"), *hex = kt_get_str(row, "hex");
	struct kt_buf bytes = {0};
	size_t count = 0;
	for (; hex && *hex; hex += 2) {
		char pair[3] = {hex[0], hex[1], '\0'};
		kt_buf_addc(&bytes, (char)strtol(pair, NULL, 16));
	}
	if (body)
		kt_buf_adds(&bytes, body);
	add_header(headers, &count, "Content-Type", kt_str_or(kt_get(row, "type"), "application/json"));
	add_header(headers, &count, "Accept", kt_str_or(kt_get(row, "accept"), "application/json"));
	KT_JSON_EACH (value, more)
		if (count < KT_COUNT(headers))
			headers[count++] =
			        (struct cluster_header){kt_key(more, value_i), kt_str_or(value, "")};
	struct cluster_request request = {.method = kt_get_text(row, "do"),
	                                  .target = kt_get_text(row, "at"),
	                                  .headers = headers,
	                                  .header_count = count,
	                                  .body = kt_buf_str(&bytes),
	                                  .body_len = bytes.len,
	                                  .cert_user = "kubernetes-admin",
	                                  .cert_groups = admins};
	struct answer answer = answer_to(cluster, &request);
	kt_buf_clear(&bytes);
	return answer;
}

static char *text_of(const struct kt_json *value)
{
	struct kt_json *sorted = value ? kt_json_sorted(value) : NULL;
	char *text = kt_json_text(sorted);
	kt_json_free(sorted);
	return text;
}

static size_t compare_warnings(const struct kt_json *wanted, const struct cluster_header_list *headers,
                               const char *where)
{
	size_t at = 0, faults = 0;
	for (size_t i = 0; i < headers->names.count; i++) {
		if (!kt_streq(headers->names.items[i], "Warning"))
			continue;
		const char *text = kt_str_or(kt_at(wanted, at++), "(none)");
		struct kt_buf quoted = {0};
		kt_json_print_string(text, strlen(text), &quoted);
		if (!strstr(headers->values.items[i], kt_buf_str(&quoted))) {
			print_error("%s: warns %s, not %s\n", where, headers->values.items[i], text);
			faults++;
		}
		kt_buf_clear(&quoted);
	}
	if (at < kt_count(wanted)) {
		print_error("%s: warns %zu times, not %zu\n", where, at, kt_count(wanted));
		faults++;
	}
	return faults;
}

static size_t compare(const struct kt_json *row, const struct answer *answer, const char *where)
{
	static const char *const members[] = {"reason", "message", "details"};
	const struct kt_json *said = kt_get(row, "says");
	int code = (int)kt_get_int(row, "code", 0);
	size_t faults = compare_warnings(kt_get(row, "warns"), &answer->response.headers, where);
	if (code && answer->response.status != code) { /* 0: only for what it does */
		print_error("%s: %d, not %d\n", where, answer->response.status, code);
		faults++;
	}
	for (size_t i = 0; said && i < KT_COUNT(members); i++) {
		char *is = text_of(kt_get(answer->json, members[i])),
		     *wanted = text_of(kt_get(said, members[i]));
		if (!fits(is, wanted)) {
			print_error("%s: %s\n  is     %s\n  not    %s\n", where, members[i], is, wanted);
			faults++;
		}
		kt_free(is);
		kt_free(wanted);
	}
	return faults;
}

static void ask_all(const char *name)
{
	char *path = kt_strf("tests/cluster/api/asked/%s", name);
	struct cluster *cluster = test_cluster();
	struct kt_buf text = {0};
	struct kt_err err = {0};
	size_t faults = 0, line = 0, len;
	static const struct row ns = {0,   "POST", "/api/v1/namespaces", "{'metadata':{'name':'ns1'}}",
	                              201, NULL};
	struct answer answer = ask(cluster, &ns);
	answer_clear(&answer);
	cluster_advance(cluster, cluster_now(cluster) + 2 * KT_SEC);
	if (kt_read_file(path, 4 << 20, &text, &err))
		fail_msg("%s", err.text);
	for (const char *rest = kt_buf_str(&text), *at; rest && *rest;) {
		struct kt_json *row = NULL;
		char where[128];
		at = kt_split(&rest, '\n', &len);
		line++;
		if (!len)
			continue;
		if (kt_json_parse(at, len, NULL, &row, NULL, &err) != KT_OK)
			fail_msg("%s:%zu: %s", name, line, err.text);
		snprintf(where, sizeof(where), "%s:%zu: %s %s", name, line, kt_get_text(row, "do"),
		         kt_get_text(row, "at"));
		answer = do_it(cluster, row);
		faults += compare(row, &answer, where);
		answer_clear(&answer);
		kt_json_free(row);
	}
	assert_true(line > 10);
	kt_buf_clear(&text);
	kt_free(path);
	cluster_free(cluster);
	if (faults)
		fail_msg("%zu answers differ", faults);
}

static void patches_that_do_not_fit_are_told_so(void **state)
{
	(void)state;
	ask_all("patches.jsonl");
}

static void bad_requests_are_told_so(void **state)
{
	(void)state;
	ask_all("requests.jsonl");
}

static void odd_requests_are_answered_as_oddly(void **state)
{
	(void)state;
	ask_all("odd.jsonl");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(patches_that_do_not_fit_are_told_so),
	        cmocka_unit_test(bad_requests_are_told_so),
	        cmocka_unit_test(odd_requests_are_answered_as_oddly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
