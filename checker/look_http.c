/* SPDX-License-Identifier: MIT */
/* http: requests from inside; what came back, and from which version. The version of an answer is that of the
 * pod whose own answer is the same. */
#include "checker/probe_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS_MAX 1000
#define BODY_MAX     600  /* of an answer: so much is compared */
#define BODY_ASKED   6000 /* where its body is asked for */

/* Where requests go: what is in the URL may be a name that only an Ingress knows. */
struct aim {
	char *url, *host; /* the Host header; "" the URL's own */
	char ns[64];      /* of what is behind it; "" not known */
	char service[64]; /* "" not known */
	int body;         /* bytes of an answer that count */
};

static void aim_clear(struct aim *aim)
{
	kt_free(aim->url);
	kt_free(aim->host);
}

static void put_quoted(struct kt_buf *out, const char *text)
{
	kt_buf_addc(out, '\'');
	for (const char *c = text; *c; c++)
		kt_buf_adds(out, *c == '\'' ? "'\\''" : (char[]){*c, '\0'});
	kt_buf_addc(out, '\'');
}

/* A shell function `lost URL`: whether it was the name's lookup that got no answer in time, in $w. The DNS is
 * asked once. */
static const char lost_script[] =
        "\nq=\nlost() {\n"
        "  n=${1#*://}; n=${n%%/*}; n=${n%%:*}; w='timed out'\n"
        "  if [ -z \"$q\" ]; then\n"
        "    q=1\n"
        "    case \"$n\" in *[!0-9.]*)\n"
        "      if command -v timeout >/dev/null 2>&1 && command -v nslookup >/dev/null 2>&1; then\n"
        "        timeout 3 nslookup \"$n\" >/dev/null 2>&1\n"
        "        [ $? -ge 124 ] && q=0\n"
        "      fi ;;\n"
        "    esac\n"
        "  fi\n"
        "  [ $q = 0 ] && w='name does not resolve'\n"
        "}";

/* A shell function `ask URL`: each request prints `STATUS BODY` in one line; 000 where nothing came. */
static void put_ask(struct kt_buf *out, kt_ns timeout, const char *host, int body)
{
	long long seconds = (long long)(timeout / KT_SEC);
	kt_buf_adds(out, "h=");
	put_quoted(out, host);
	kt_buf_adds(out, lost_script);
	kt_buf_addf(out,
	            "\nask() {\n"
	            "if command -v curl >/dev/null 2>&1; then\n"
	            "  r=$(curl -s -k -m %lld ${h:+-H \"Host: $h\"} -w ' %%{http_code}' \"$1\" 2>&1); e=$?\n"
	            "  case $e in 6) r='name does not resolve 000' ;; 7) r='connection refused 000' ;; 28) "
	            "lost \"$1\"; r=\"$w 000\" ;; esac\n"
	            "  r=$(echo \"$r\" | tr '\\n\\r\\t' '   '); r=${r%% }\n"
	            "  printf '%%s %%.%ds\\n' \"${r##* }\" \"${r%% *}\"\n"
	            "elif command -v wget >/dev/null 2>&1; then\n"
	            "  case \"$1\" in https:*) k=--no-check-certificate ;; *) k= ;; esac\n"
	            "  if [ -n \"$h\" ]; then r=$(wget $k -S -q -O - -T %lld --header \"Host: $h\" \"$1\" "
	            "2>&1); else r=$(wget $k -S -q -O - -T %lld \"$1\" 2>&1); fi\n"
	            "  s=$(echo \"$r\" | sed -n 's/.*HTTP\\/1\\.[01] \\([0-9][0-9][0-9]\\).*/\\1/p' | head "
	            "-n 1)\n"
	            "  b=$(echo \"$r\" | grep -v '^  ' | tr '\\n\\r\\t' '   ')\n"
	            "  if [ -z \"$s\" ]; then case \"$r\" in *'bad address'*|*resolve*) b='name does not "
	            "resolve' ;; *efused*) b='connection refused' ;; *'timed out'*) lost \"$1\"; b=$w ;; "
	            "esac; fi\n"
	            "  printf '%%s %%.%ds\\n' \"${s:-000}\" \"${b%% }\"\n"
	            "else exit 127; fi\n"
	            "}\n",
	            seconds, body, seconds, seconds, body);
}

static char *http_script(int64_t count, kt_ns timeout, const struct aim *aim)
{
	struct kt_buf script = {0};
	put_ask(&script, timeout, aim->host, aim->body);
	kt_buf_adds(&script, "u=");
	put_quoted(&script, aim->url);
	kt_buf_addf(&script, "\ni=0; while [ $i -lt %lld ]; do i=$((i + 1)); ask \"$u\"; done\n",
	            (long long)count);
	return kt_buf_take(&script);
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
		while (len && line[len - 1] == ' ')
			len--;
		char *key = kt_strndup(line, len);
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
		kt_buf_addf(out, "%s%lld × %.60s", i ? ", " : "", (long long)kt_int_or(kt_at(seen, i), 0),
		            none ? "no answer" : key);
		if (none && strlen(key) > 4)
			kt_buf_addf(out, " (%.60s)", key + 4);
	}
}

/* "90%" or 0.9 as a share. */
static double share(const struct kt_json *v, double otherwise)
{
	if (kt_str(v)) {
		char *end;
		double d = strtod(kt_str(v), &end);
		return end == kt_str(v) ? otherwise : *end == '%' || d > 1 ? d / 100 : d;
	}
	double d = kt_real_or(v, otherwise);
	return d > 1 ? d / 100 : d;
}

/* Does one kind of answer, "STATUS BODY", fit? Without a status any success does. */
static bool answer_fits(const struct kt_json *expect, const char *key)
{
	const struct kt_json *status = kt_get(expect, "status"), *body = kt_get(expect, "body");
	long code = strtol(key, NULL, 10);
	struct kt_json *codes = kt_jsonf("[%l]", (int64_t)code),
	               *texts = kt_jsonf("[%s]", strlen(key) > 4 ? key + 4 : "");
	bool fits = status ? check_fits(status, codes) : code >= 200 && code < 400;
	fits = fits && (!body || check_fits(body, texts));
	kt_json_free(codes);
	kt_json_free(texts);
	return fits;
}

static bool judge_status(const struct check_run *run, const struct aim *aim, const struct kt_json *expect,
                         const struct kt_json *seen, int64_t total, struct check_finding *finding)
{
	double least = share(kt_get(expect, "share"), 1.0);
	int64_t fit = 0;
	for (size_t i = 0; i < kt_count(seen); i++)
		if (answer_fits(expect, kt_key(seen, i)))
			fit += kt_int_or(kt_at(seen, i), 0);
	bool passed = total > 0 && (double)fit >= least * (double)total;
	struct kt_buf got = {0};
	show_tally(seen, &got);
	for (size_t i = 0; !passed && *aim->service && i < kt_count(seen); i++)
		if (kt_starts(kt_key(seen, i), "000")) {
			check_tell_endpoints(run, aim->ns, aim->service, &got);
			break;
		}
	check_found(finding, passed ? CHECK_PASSED : CHECK_FAILED, "%s",
	            got.len ? kt_buf_str(&got) : "no answers");
	kt_buf_clear(&got);
	return passed;
}

/* --- versions --- */

/* The label of the pod that names one of the split's versions; of who else stands behind the Service, the one
 * that usually names a version. */
static const char *version_of(const struct kt_json *pod, const struct kt_json *split, bool behind)
{
	static const char *const usual[] = {"version", "app.kubernetes.io/version", "track", "slot", "color"};
	const struct kt_json *labels = kt_path(pod, "metadata.labels"), *label;
	const char *other = NULL;
	for (size_t i = 0; i < KT_COUNT(usual); i++) {
		const char *v = kt_get_str(labels, usual[i]);
		if (v && kt_get(split, v))
			return v;
		other = other ? other : v;
	}
	KT_JSON_EACH (label, labels)
		if (kt_str(label) && kt_get(split, kt_str(label)))
			return kt_str(label);
	return behind ? other : NULL;
}

/* On which port a Service ("": any) reaches a pod; 0: it does not. */
static int64_t port_behind(const struct kt_json *slices, const struct kt_json *pod, const char *service)
{
	const struct kt_json *slice, *endpoint;
	const char *name = kt_path_str(pod, "metadata.name");
	KT_JSON_EACH (slice, slices) {
		const char *of = kt_get_str(kt_path(slice, "metadata.labels"), "kubernetes.io/service-name");
		if (*service && !kt_streq(of, service))
			continue;
		KT_JSON_EACH (endpoint, kt_get(slice, "endpoints"))
			if (kt_streq(kt_path_str(endpoint, "targetRef.name"), name))
				return kt_path_int(slice, "ports.0.port", 80);
	}
	return 0;
}

/* On which port a pod is reached by its Services; else the first that it declares. */
static int64_t port_of(const struct kt_json *slices, const struct kt_json *pod, const char *service)
{
	int64_t port = port_behind(slices, pod, service);
	port = port ? port : port_behind(slices, pod, "");
	return port ? port : kt_path_int(pod, "spec.containers.0.ports.0.containerPort", 80);
}

/* Which pod answered: known by an answer that is exactly its own, or that names it. */
struct versions {
	struct kt_json *pods;    /* [{version, name, ip, container}] */
	struct kt_json *answers; /* {"200 hello": "v1"}; null where several versions answer so */
	const char *ns;
	kt_ns since; /* the requests began */
};

static void note_answers(struct versions *v, const char *text)
{
	const char *line;
	size_t len;
	for (size_t i = 0; i < kt_count(v->pods) && (line = kt_split(&text, '\n', &len)); i++) {
		const char *version = kt_get_str(kt_at(v->pods, i), "version");
		while (len && line[len - 1] == ' ')
			len--;
		char *key = kt_strndup(line, len);
		const struct kt_json *before = kt_get(v->answers, key);
		if (!kt_starts(key, "000"))
			kt_set(&v->answers, key,
			       before && !kt_streq(kt_str(before), version) ? kt_json_null()
			                                                    : kt_json_str(version));
		kt_free(key);
	}
}

/* Ask each ready pod with one of the versions by itself. */
static enum kt_code find_versions(const struct check_run *run, struct check_who *who, const struct aim *aim,
                                  const struct kt_json *split, kt_ns timeout, struct versions *out,
                                  struct kt_err *err)
{
	const char *ns = aim->ns[0] ? aim->ns : who->ns, *after = strstr(aim->url, "://");
	const char *path = after ? after + 3 + strcspn(after + 3, "/") : "/";
	struct kt_json *pods = NULL, *slices = NULL;
	const struct kt_json *pod;
	char *pods_words = kt_strf("pods %s", ns), *slices_words = kt_strf("endpointslices %s", ns);
	struct kt_buf script = {0};
	struct check_exec_result result = {0};
	out->pods = kt_json_array();
	out->answers = kt_json_object();
	put_ask(&script, timeout, aim->host, aim->body);
	enum kt_code rc = check_list_words(run, pods_words, &pods, err);
	if (!rc)
		rc = check_list_words(run, slices_words, &slices, err);
	KT_JSON_EACH (pod, pods) {
		bool behind = *aim->service && port_behind(slices, pod, aim->service);
		const char *version = version_of(pod, split, behind), *ip = kt_path_str(pod, "status.podIP");
		if (rc || !version || !ip || !check_pod_ready(pod) || !check_pod_active(pod))
			continue;
		kt_push(&out->pods,
		        kt_jsonf("{version: %s, name: %J, ip: %s, container: %J}", version,
		                 kt_path(pod, "metadata.name"), ip, kt_path(pod, "spec.containers.0.name")));
		char *url =
		        kt_strf("http://%s:%lld%s", ip, (long long)port_of(slices, pod, aim->service), path);
		kt_buf_adds(&script, "ask ");
		put_quoted(&script, url);
		kt_buf_addc(&script, '\n');
		kt_free(url);
	}
	if (!rc && kt_count(out->pods))
		rc = check_script(run, who, kt_buf_str(&script),
		                  (long)(timeout / KT_MS) * (long)kt_count(out->pods) + 10000, &result, err);
	if (!rc)
		note_answers(out, kt_buf_str(&result.out));
	check_exec_result_clear(&result);
	kt_buf_clear(&script);
	kt_json_free(pods);
	kt_json_free(slices);
	kt_free(pods_words);
	kt_free(slices_words);
	return rc;
}

/* NULL: cannot be told; *alike: because versions answer alike. */
static const char *who_answered(const struct versions *v, const char *key, bool *alike)
{
	const struct kt_json *known = kt_get(v->answers, key), *pod;
	if (kt_str(known))
		return kt_str(known);
	KT_JSON_EACH (pod, v->pods)
		if (strstr(key, kt_get_str(pod, "name")) || strstr(key, kt_get_str(pod, "ip")))
			return kt_get_str(pod, "version");
	*alike = *alike || known;
	return NULL;
}

/* Where they answer alike: by what each wrote down (but for our own question to it). False: their logs do not
 * tell of about as many requests as were made. */
static bool count_logged(const struct check_run *run, const struct versions *v, int64_t total,
                         struct kt_json **counts, int64_t *sum)
{
	const struct kt_json *pod;
	struct kt_json *logged = kt_json_object();
	*sum = 0;
	KT_JSON_EACH (pod, v->pods) {
		const char *version = kt_get_str(pod, "version");
		int64_t n = check_lines_since(run, v->ns, kt_get_str(pod, "name"),
		                              kt_get_str(pod, "container"), v->since);
		n = KT_MAX(n - 1, (int64_t)0);
		kt_set(&logged, version, kt_json_int(kt_get_int(logged, version, 0) + n));
		*sum += n;
	}
	bool told = *sum * 10 >= total * 9 && *sum * 10 <= total * 11 + 10;
	if (told) {
		kt_json_free(*counts);
		*counts = logged;
	} else {
		kt_json_free(logged);
	}
	return told;
}

static void judge_split(const struct check_run *run, const struct kt_json *expect, const struct kt_json *seen,
                        const struct versions *v, int64_t total, struct check_finding *finding)
{
	const struct kt_json *split = kt_get(expect, "split");
	double slack = share(kt_get(expect, "within"), 0.05) + 1e-9;
	struct kt_json *counts = kt_json_object();
	int64_t nobody = 0;
	bool alike = false, passed = total > 0;
	for (size_t i = 0; i < kt_count(seen); i++) {
		const char *version = who_answered(v, kt_key(seen, i), &alike);
		int64_t n = kt_int_or(kt_at(seen, i), 0);
		if (version)
			kt_set(&counts, version, kt_json_int(kt_get_int(counts, version, 0) + n));
		else
			nobody += n;
	}
	int64_t logged;
	if (alike && count_logged(run, v, total, &counts, &logged)) {
		alike = false;
		nobody = 0;
		total = logged;
	}
	struct kt_buf got = {0};
	for (size_t i = 0; i < kt_count(split); i++) {
		double wanted = share(kt_at(split, i), 0),
		       is = total ? (double)kt_get_int(counts, kt_key(split, i), 0) / (double)total : 0;
		passed = passed && is >= wanted - slack && is <= wanted + slack;
		kt_buf_addf(&got, "%s%s %.0f%%", i ? ", " : "", kt_key(split, i), is * 100);
	}
	for (size_t i = 0; i < kt_count(counts); i++)
		if (!kt_get(split, kt_key(counts, i)) && total)
			kt_buf_addf(&got, ", %s %.0f%%", kt_key(counts, i),
			            100 * kt_real_or(kt_at(counts, i), 0) / (double)total);
	if (nobody)
		kt_buf_addf(&got, ", %lld of %lld answers from no version%s", (long long)nobody,
		            (long long)total, alike ? ": the versions answer alike" : "");
	check_found(finding,
	            passed  ? CHECK_PASSED
	            : alike ? CHECK_UNKNOWN
	                    : CHECK_FAILED,
	            "%s", kt_buf_str(&got));
	kt_buf_clear(&got);
	kt_json_free(counts);
}

/* --- where to --- */

/* A host that is no Service's: the edge that knows it is asked instead, with the host in the header. */
static enum kt_code aim_at_edge(const struct check_run *run, const char *host, const char *rest,
                                const char *scheme, struct aim *out, struct kt_err *err)
{
	struct check_edge edge = {0};
	if (check_edge_find(run, host, &edge))
		return KT_OK;
	const char *address = check_edge_address(&edge);
	enum kt_code rc = KT_OK;
	if (address) {
		out->url = kt_strf("%s://%s%s", scheme, address, rest);
		out->host = out->host ? out->host : kt_strdup(host);
		snprintf(out->ns, sizeof(out->ns), "%s",
		         kt_str_or(kt_path(edge.rules, "metadata.namespace"), ""));
	} else {
		rc = kt_fail(err, KT_ENOTFOUND, "%s has no address yet, so nobody gets to %s",
		             kt_str_or(kt_path(edge.rules, "metadata.name"), "?"), host);
	}
	check_edge_clear(&edge);
	return rc;
}

/* "name.ns.svc…" names a Service; "name" one beside whoever asks. */
static void read_service(const char *host, const char *beside, struct aim *out)
{
	size_t name = strcspn(host, "."), ns = host[name] ? strcspn(host + name + 1, ".") : 0;
	snprintf(out->service, sizeof(out->service), "%.*s", (int)KT_MIN(name, 63), host);
	snprintf(out->ns, sizeof(out->ns), "%.*s", (int)KT_MIN(ns ? ns : strlen(beside), 63),
	         ns ? host + name + 1 : beside);
}

static enum kt_code aim_at_words(const struct check_run *run, const struct kt_json *to, struct aim *out,
                                 struct kt_err *err)
{
	struct check_whom whom = {0};
	const char *text = kt_str(to), *space = text ? strchr(text, ' ') : NULL,
	           *slash = space ? strchr(space, '/') : NULL, *path = slash ? strchr(slash + 1, '/') : NULL;
	struct kt_json *head = path ? kt_json_strn(text, (size_t)(path - text)) : kt_json_ref(to);
	path = path ? path : kt_str_or(kt_get(to, "path"), "/");
	enum kt_code rc = check_whom_find(run, head, &whom, err);
	if (!rc) {
		out->url = kt_strf("http://%s:%u%s", whom.host, whom.port, path);
		snprintf(out->ns, sizeof(out->ns), "%s", whom.ns);
		if (space && kt_starts(text, "s"))
			read_service(whom.host, whom.ns, out);
	}
	check_who_clear(run, &whom.pod);
	kt_json_free(head);
	return rc;
}

static enum kt_code take_aim(const struct check_run *run, const struct kt_json *body, const char *beside,
                             struct aim *out, struct kt_err *err)
{
	const struct kt_json *to = kt_get(body, "to");
	const char *text = kt_str(to), *scheme_end = text ? strstr(text, "://") : NULL;
	enum kt_code rc = KT_OK;
	out->host = kt_strdup(kt_get_str(body, "host"));
	if (!text || (!scheme_end && strchr(text, ' '))) {
		rc = aim_at_words(run, to, out, err);
	} else {
		const char *rest = scheme_end ? scheme_end + 3 : text;
		char *scheme = scheme_end ? kt_strndup(text, (size_t)(scheme_end - text)) : kt_strdup("http");
		size_t len = strcspn(rest, ":/");
		char *host = kt_strndup(rest, len);
		bool address = strspn(host, "0123456789.") == strlen(host) || *host == '[',
		     inside = !strchr(host, '.') || strstr(host, ".svc") || kt_ends(host, ".local");
		if (!address && !inside)
			rc = aim_at_edge(run, host, rest + len, scheme, out, err);
		if (!out->url) {
			out->url = kt_strf("%s://%s", scheme, rest);
			if (!address)
				read_service(host, beside, out);
		}
		kt_free(host);
		kt_free(scheme);
	}
	if (!out->host)
		out->host = kt_strdup("");
	return rc;
}

/* --- the check --- */

/* `expect: 200` is short for {status: 200}. New. */
static struct kt_json *expect_of(const struct kt_json *body)
{
	const struct kt_json *expect = kt_get(body, "expect");
	return kt_is_object(expect) ? kt_json_ref(expect)
	       : expect             ? kt_jsonf("{status: %J}", expect)
	                            : kt_jsonf("{status: 200}");
}

enum kt_code check_hold_http(const struct check_source *source, const struct kt_json *body)
{
	static const struct check_shape shapes[] = {
	        {"status", CHECK_T_EXPECT, false, NULL, NULL}, {"split", CHECK_T_MAP, false, NULL, NULL},
	        {"within", CHECK_T_TEXT, false, NULL, NULL},   {"body", CHECK_T_EXPECT, false, NULL, NULL},
	        {"share", CHECK_T_TEXT, false, NULL, NULL},    {0}};
	const struct kt_json *expect = kt_get(body, "expect"), *part, *to = kt_get(body, "to");
	enum kt_code rc = kt_is_object(expect) ? check_shape_hold(source, expect, shapes, "expect") : KT_OK;
	if (!rc && kt_is_object(to)) {
		struct check_shape whom = {.key = "to", .type = CHECK_T_WHOM};
		rc = check_type_hold(source, to, &whom);
	}
	const char *scheme_end = kt_str(to) ? strstr(kt_str(to), "://") : NULL;
	if (!rc && scheme_end && strncmp(kt_str(to), "http://", 7) && strncmp(kt_str(to), "https://", 8))
		rc = kt_yaml_fail(source->yaml, to, source->err,
		                  "'to': expected http:// or https://, or `service ns/name`, not '%.*s'",
		                  (int)(scheme_end + 3 - kt_str(to)), kt_str(to));
	const struct kt_json *requests = kt_get(body, "requests"), *slack = kt_get(expect, "within");
	if (!rc && requests && kt_whole_or(requests, 0) < 1)
		rc = kt_yaml_fail(source->yaml, requests, source->err, "'requests': expected 1 or more");
	if (!rc && slack && share(slack, -1) < 0)
		rc = kt_yaml_fail(source->yaml, slack, source->err, "'within': expected a share, as in 4%%");
	KT_JSON_EACH (part, kt_get(expect, "split"))
		if (!rc && share(part, -1) < 0)
			rc = kt_yaml_fail(source->yaml, part, source->err,
			                  "'split': expected shares, as in {v1: 90%%, v2: 10%%}");
	return rc;
}

static void tell_wanted(const struct kt_json *expect, struct kt_buf *out)
{
	const struct kt_json *share_of;
	KT_JSON_EACH (share_of, kt_get(expect, "split"))
		kt_buf_addf(out, "%s%s %.0f%%", share_of_i ? ", " : "",
		            kt_key(kt_get(expect, "split"), share_of_i), share(share_of, 0) * 100);
	static const char *const keys[] = {"status", "body"};
	for (size_t i = 0; i < KT_COUNT(keys); i++)
		if (kt_get(expect, keys[i])) {
			kt_buf_addf(out, "%s%s ", out->len ? ", " : "", keys[i]);
			check_describe(kt_get(expect, keys[i]), out);
		}
}

static void judge_answers(const struct check_run *run, struct check_who *who, const struct aim *aim,
                          const struct kt_json *expect, kt_ns timeout, kt_ns since, const char *text,
                          struct check_finding *finding)
{
	int64_t total;
	struct kt_json *seen = tally(text, &total);
	struct versions v = {.ns = aim->ns[0] ? aim->ns : who->ns, .since = since};
	struct kt_err err = {0};
	const struct kt_json *split = kt_get(expect, "split");
	bool plain = kt_get(expect, "status") || kt_get(expect, "body") || !split;
	if ((!plain || judge_status(run, aim, expect, seen, total, finding)) && split) {
		if (find_versions(run, who, aim, split, timeout, &v, &err))
			check_unknown(finding, &err);
		else
			judge_split(run, expect, seen, &v, total, finding);
	}
	kt_json_free(v.pods);
	kt_json_free(v.answers);
	kt_json_free(seen);
}

void check_look_http(const struct check_run *run, const struct check_check *check,
                     struct check_finding *finding)
{
	const struct kt_json *from = kt_get(check->body, "from"), *to = kt_get(check->body, "to");
	struct kt_json *expect = expect_of(check->body);
	int64_t requests = KT_MIN(KT_MAX(kt_whole_or(kt_get(check->body, "requests"), 1), 1), REQUESTS_MAX);
	kt_ns timeout = KT_MAX(check_duration(kt_get(check->body, "timeout"), 2 * KT_SEC), KT_SEC);
	char *who_text = check_who_text(from), *to_text = check_who_text(to);
	struct check_who who = {0};
	struct aim aim = {.body = kt_get(expect, "body") ? BODY_ASKED : BODY_MAX};
	struct check_exec_result result = {0};
	struct kt_err err = {0};
	struct kt_buf want = {0};
	tell_wanted(expect, &want);
	check_expected(finding, "%lld request%s from %s to %s: %s", (long long)requests,
	               requests == 1 ? "" : "s", who_text, to_text, kt_buf_str(&want));
	check_where(finding, to_text, NULL);
	kt_buf_clear(&want);
	enum kt_code rc = check_who_find(run, from, &who, &err);
	if (!rc)
		rc = take_aim(run, check->body, who.ns, &aim, &err);
	kt_ns since = run->world->now(run->world->arg);
	char *script = rc ? NULL : http_script(requests, timeout, &aim);
	if (!rc)
		rc = check_script(run, &who, script, (long)(requests * (timeout / KT_MS)) + 10000, &result,
		                  &err);
	if (rc == KT_ENOTFOUND)
		check_found(finding, CHECK_FAILED, "%s", err.text);
	else if (rc)
		check_unknown(finding, &err);
	else if (result.exit_code)
		check_found(finding, CHECK_UNKNOWN, "the requests could not be made: %s",
		            result.why[0]             ? result.why
		            : result.exit_code == 127 ? "its image has neither curl nor wget"
		                                      : kt_buf_str(&result.errout));
	else
		judge_answers(run, &who, &aim, expect, timeout, since, kt_buf_str(&result.out), finding);
	check_exec_result_clear(&result);
	check_who_clear(run, &who);
	aim_clear(&aim);
	kt_json_free(expect);
	kt_free(script);
	kt_free(to_text);
	kt_free(who_text);
}
