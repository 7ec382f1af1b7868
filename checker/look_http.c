/* SPDX-License-Identifier: MIT */
/* http: requests from inside; what came back, and from which version. The version of an answer is that of the
 * pod whose own answer is the same. */
#include "checker/probe_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS_MAX 1000

/* Arguments in the text: count, timeout, url, host header. Each request prints `STATUS FIRST-LINE`; 000 where
 * nothing came. */
static char *http_script(int64_t count, kt_ns timeout, const char *url, const char *host)
{
	struct kt_buf quoted = {0};
	for (const char *c = url; *c; c++)
		kt_buf_adds(&quoted, *c == '\'' ? "'\\''" : (char[]){*c, '\0'});
	char *script =
	        kt_strf("i=0; h='%s'\n"
	                "while [ $i -lt %lld ]; do i=$((i + 1))\n"
	                "if command -v curl >/dev/null 2>&1; then\n"
	                "  r=$(curl -s -m %lld ${h:+-H \"Host: $h\"} -w '\\n%%{http_code}' '%s' 2>&1)\n"
	                "  echo \"$(echo \"$r\" | tail -n 1) $(echo \"$r\" | head -n 1)\"\n"
	                "elif command -v wget >/dev/null 2>&1; then\n"
	                "  if [ -n \"$h\" ]; then r=$(wget -S -q -O - -T %lld --header \"Host: $h\" '%s' "
	                "2>&1); else r=$(wget -S -q -O - -T %lld '%s' 2>&1); fi\n"
	                "  s=$(echo \"$r\" | sed -n 's/.*HTTP\\/1\\.[01] \\([0-9][0-9][0-9]\\).*/\\1/p' | "
	                "tail -n 1)\n"
	                "  b=$(echo \"$r\" | grep -v '^ ' | head -n 1)\n"
	                "  echo \"${s:-000} $b\"\n"
	                "else exit 127; fi\n"
	                "done\n",
	                host, (long long)count, (long long)(timeout / KT_SEC), kt_buf_str(&quoted),
	                (long long)(timeout / KT_SEC), kt_buf_str(&quoted), (long long)(timeout / KT_SEC),
	                kt_buf_str(&quoted));
	kt_buf_clear(&quoted);
	return script;
}

/* {"200 hello": 12, …} from the lines. */
static struct kt_json *tally(const char *text, int64_t *total)
{
	struct kt_json *seen = kt_json_object();
	const char *line;
	size_t len;
	*total = 0;
	while ((line = kt_split(&text, '\n', &len))) {
		if (!len)
			continue;
		char *key = kt_strndup(line, KT_MIN(len, 120));
		kt_set(&seen, key, kt_json_int(kt_get_int(seen, key, 0) + 1));
		++*total;
		kt_free(key);
	}
	return seen;
}

static void show_tally(const struct kt_json *seen, struct kt_buf *out)
{
	for (size_t i = 0; i < kt_count(seen) && i < 4; i++) {
		const char *key = kt_key(seen, i);
		bool none = kt_starts(key, "000");
		kt_buf_addf(out, "%s%lld × %s%.60s", i ? ", " : "", (long long)kt_int_or(kt_at(seen, i), 0),
		            none ? "no answer" : "", none ? (strlen(key) > 4 ? key + 3 : "") : key);
	}
}

/* "90%" or 0.9 as a share. */
static double share(const struct kt_json *v, double otherwise)
{
	if (kt_str(v)) {
		char *end;
		double d = strtod(kt_str(v), &end);
		return *end == '%' ? d / 100 : end != kt_str(v) ? d : otherwise;
	}
	return kt_real_or(v, otherwise);
}

static bool judge_status(const struct kt_json *expect, const struct kt_json *seen, int64_t total,
                         struct check_finding *finding)
{
	const struct kt_json *status = kt_get(expect, "status"), *body = kt_get(expect, "body");
	double least = share(kt_get(expect, "share"), 1.0);
	int64_t fit = 0;
	for (size_t i = 0; i < kt_count(seen); i++) {
		const char *key = kt_key(seen, i);
		struct kt_json *code = kt_jsonf("[%l]", (int64_t)strtol(key, NULL, 10)),
		               *text = kt_jsonf("[%s]", strlen(key) > 4 ? key + 4 : "");
		if ((!status || check_fits(status, code)) && (!body || check_fits(body, text)))
			fit += kt_int_or(kt_at(seen, i), 0);
		kt_json_free(code);
		kt_json_free(text);
	}
	bool passed = total > 0 && (double)fit >= least * (double)total;
	struct kt_buf got = {0};
	show_tally(seen, &got);
	check_found(finding, passed ? CHECK_PASSED : CHECK_FAILED, "%s",
	            got.len ? kt_buf_str(&got) : "no answers");
	kt_buf_clear(&got);
	return passed;
}

/* --- versions --- */

static const char *version_of(const struct kt_json *pod)
{
	static const char *const labels[] = {
	        "version", "app.kubernetes.io/version", "track", "slot", "color", "colour", "release"};
	for (size_t i = 0; i < KT_COUNT(labels); i++) {
		const char *v = kt_get_str(kt_path(pod, "metadata.labels"), labels[i]);
		if (v)
			return v;
	}
	return NULL;
}

/* What each ready pod of the namespace that has a version answers by itself: {"200 hello": "v1"}. */
static struct kt_json *own_answers(const struct check_run *run, struct check_who *who, const char *url,
                                   kt_ns timeout, struct kt_err *err)
{
	struct kt_json *pods = NULL, *answers = kt_json_object();
	const struct kt_json *pod;
	const char *host = strstr(url, "://") ? strstr(url, "://") + 3 : url,
	           *path = host + strcspn(host, "/");
	char *words = kt_strf("pods %s", who->ns);
	enum kt_code rc = check_list_words(run, words, &pods, err);
	kt_free(words);
	KT_JSON_EACH (pod, pods) {
		const char *version = version_of(pod), *ip = kt_path_str(pod, "status.podIP");
		if (rc || !version || !ip || !check_pod_ready(pod))
			continue;
		char *direct = kt_strf(
		        "http://%s:%lld%s", ip,
		        (long long)kt_path_int(pod, "spec.containers.0.ports.0.containerPort", 80), path);
		char *script = http_script(1, timeout, direct, "");
		struct check_exec_result result = {0};
		rc = check_script(run, who, script, (long)(timeout / KT_MS) + 10000, &result, err);
		size_t len = strcspn(kt_buf_str(&result.out), "\n");
		char *key = kt_strndup(kt_buf_str(&result.out), KT_MIN(len, 120));
		if (!rc && !kt_starts(key, "000"))
			kt_set(&answers, key, kt_json_str(version));
		check_exec_result_clear(&result);
		kt_free(key);
		kt_free(script);
		kt_free(direct);
	}
	kt_json_free(pods);
	return answers;
}

static void judge_split(const struct kt_json *expect, const struct kt_json *seen,
                        const struct kt_json *versions, int64_t total, struct check_finding *finding)
{
	const struct kt_json *split = kt_get(expect, "split");
	double slack = share(kt_get(expect, "within"), 0.05);
	struct kt_json *counts = kt_json_object();
	int64_t nobody = 0;
	for (size_t i = 0; i < kt_count(seen); i++) {
		const char *version = kt_get_str(versions, kt_key(seen, i));
		int64_t n = kt_int_or(kt_at(seen, i), 0);
		if (version)
			kt_set(&counts, version, kt_json_int(kt_get_int(counts, version, 0) + n));
		else
			nobody += n;
	}
	struct kt_buf got = {0};
	bool passed = total > 0;
	for (size_t i = 0; i < kt_count(split); i++) {
		double wanted = share(kt_at(split, i), 0),
		       is = total ? (double)kt_get_int(counts, kt_key(split, i), 0) / (double)total : 0;
		passed = passed && is >= wanted - slack && is <= wanted + slack;
		kt_buf_addf(&got, "%s%s %.0f %%", i ? ", " : "", kt_key(split, i), is * 100);
	}
	if (nobody)
		kt_buf_addf(&got, ", %lld answers of no version", (long long)nobody);
	check_found(finding, passed ? CHECK_PASSED : CHECK_FAILED, "%s", kt_buf_str(&got));
	kt_buf_clear(&got);
	kt_json_free(counts);
}

void check_look_http(const struct check_run *run, const struct check_check *check,
                     struct check_finding *finding)
{
	const struct kt_json *expect = kt_get(check->body, "expect"), *from = kt_get(check->body, "from");
	const char *url = kt_get_str(check->body, "to");
	int64_t requests = KT_MIN(KT_MAX(kt_get_int(check->body, "requests", 1), 1), REQUESTS_MAX);
	kt_ns timeout = KT_MAX(check_duration(kt_get(check->body, "timeout"), 2 * KT_SEC), KT_SEC);
	char *who_text = check_who_text(from),
	     *full = kt_starts(url, "http") ? kt_strdup(url) : kt_strf("http://%s", url);
	struct check_who who = {0};
	struct check_exec_result result = {0};
	struct kt_err err = {0};
	struct kt_buf want = {0};
	if (kt_get(expect, "split"))
		kt_json_print(kt_get(expect, "split"), &want);
	else if (kt_get(expect, "status"))
		check_describe(kt_get(expect, "status"), &want);
	check_expected(finding, "%lld requests from %s to %s: %s", (long long)requests, who_text, url,
	               kt_buf_str(&want));
	check_where(finding, url, NULL);
	kt_buf_clear(&want);
	char *script = http_script(requests, timeout, full, kt_str_or(kt_get(check->body, "host"), ""));
	enum kt_code rc = check_who_find(run, from, &who, &err);
	if (!rc)
		rc = check_script(run, &who, script, (long)(requests * (timeout / KT_MS)) + 10000, &result,
		                  &err);
	if (rc == KT_ENOTFOUND) {
		check_found(finding, CHECK_FAILED, "%s", err.text);
	} else if (rc) {
		check_unknown(finding, &err);
	} else if (result.exit_code) {
		check_found(finding, CHECK_UNKNOWN, "the requests could not be made: %s",
		            result.why[0]             ? result.why
		            : result.exit_code == 127 ? "its image has neither curl nor wget"
		                                      : kt_buf_str(&result.errout));
	} else {
		int64_t total;
		struct kt_json *seen = tally(kt_buf_str(&result.out), &total), *versions = NULL;
		if (kt_get(expect, "status") || kt_get(expect, "body") || !kt_get(expect, "split"))
			judge_status(expect, seen, total, finding);
		if (kt_get(expect, "split") && finding->status == CHECK_PASSED) {
			versions = own_answers(run, &who, full, timeout, &err);
			judge_split(expect, seen, versions, total, finding);
		}
		kt_json_free(versions);
		kt_json_free(seen);
	}
	check_exec_result_clear(&result);
	check_who_clear(run, &who);
	kt_free(script);
	kt_free(full);
	kt_free(who_text);
}
