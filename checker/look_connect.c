/* SPDX-License-Identifier: MIT */
/* connect, matrix, http: behaviour, tried from inside. */
#include "checker/probe_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_DEFAULT (2 * KT_SEC)
#define PAIRS_MAX       400

/* "(networkpolicies in shop: a, b)": what may stand behind an outcome. */
static void tell_policies(const struct check_run *run, const char *ns, struct kt_buf *out)
{
	struct kt_json *items = NULL;
	const struct kt_json *item;
	char *words = kt_strf("networkpolicies %s", ns);
	if (!check_list_words(run, words, &items, NULL)) {
		size_t n = 0;
		kt_buf_addf(out, " (networkpolicies in %s: ", ns);
		KT_JSON_EACH (item, items)
			kt_buf_addf(out, "%s%s", n++ ? ", " : "",
			            kt_str_or(kt_path(item, "metadata.name"), "?"));
		kt_buf_adds(out, n ? ")" : "none)");
	}
	kt_json_free(items);
	kt_free(words);
}

/* A missing end is a failure of the state; a cluster that does not answer is not. */
static void tell_missing(struct check_finding *finding, enum kt_code rc, const struct kt_err *err)
{
	if (rc == KT_ENOTFOUND)
		check_found(finding, CHECK_FAILED, "%s", err->text);
	else
		check_unknown(finding, err);
}

/* Why nobody answers at a pod: "pod shop/web:80" (or any object with pods) that is not Ready. */
static void tell_pods(const struct check_run *run, const struct kt_json *to, struct kt_buf *out)
{
	static const char *const others[] = {"service ", "node ", "ingress ", "new-pod"};
	const char *text = kt_str(to), *colon = text ? strrchr(text, ':') : NULL;
	for (size_t i = 0; i < KT_COUNT(others); i++)
		if (!text || !strchr(text, ' ') || kt_starts(text, others[i]))
			return;
	char *words = kt_strndup(text, colon ? (size_t)(colon - text) : strlen(text));
	check_tell_behind(run, words, out);
	kt_free(words);
}

/* What was found, in a sentence: "connected in 2 ms (networkpolicies in shop: none)". */
static void judge_connect(const struct check_run *run, const struct check_probe *probe,
                          const struct kt_json *to, bool open, struct check_finding *finding)
{
	const struct check_whom *whom = probe->whom;
	struct kt_buf why = {0};
	bool passed = (probe->outcome == CHECK_OPEN) == open;
	const char *ns = whom->ns[0] ? whom->ns : probe->outcome == CHECK_OPEN ? "" : probe->who->ns;
	/* who is refused, or not answered, may have knocked at a Service behind which nobody stands */
	size_t name = strcspn(whom->host, ".");
	if (!passed && (probe->outcome == CHECK_REFUSED || probe->outcome == CHECK_TIMEOUT) && whom->ns[0] &&
	    whom->host[name] && kt_streq(whom->host + name + 1, whom->ns)) {
		char *service = kt_strndup(whom->host, name);
		check_tell_endpoints(run, whom->ns, service, &why);
		kt_free(service);
	}
	if (!passed && open)
		tell_pods(run, to, &why);
	if (!passed && ns[0])
		tell_policies(run, ns, &why);
	if (!passed && !strcmp(whom->ns, probe->who->ns) && !ns[0])
		tell_policies(run, probe->who->ns, &why);
	if (!passed && whom->ns[0] && strcmp(whom->ns, probe->who->ns) != 0)
		tell_policies(run, probe->who->ns, &why);
	enum check_status status = passed ? CHECK_PASSED : CHECK_FAILED;
	if (probe->outcome == CHECK_NO_NAME)
		check_found(finding, status, "closed: the name %s does not resolve%s", whom->host,
		            kt_buf_str(&why));
	else
		check_found(finding, status, "%s%s%s", probe->outcome == CHECK_OPEN ? "" : "closed: ",
		            check_outcome_text(probe->outcome), kt_buf_str(&why));
	kt_buf_clear(&why);
}

void check_look_connect(const struct check_run *run, const struct check_check *check,
                        struct check_finding *finding)
{
	const struct kt_json *from = kt_get(check->body, "from"), *to = kt_get(check->body, "to");
	bool open = kt_streq(kt_str_or(kt_get(check->body, "expect"), "open"), "open");
	char *who_text = check_who_text(from), *whom_text = check_who_text(to);
	struct check_who who = {0};
	struct check_whom whom = {0};
	struct kt_err err = {0};
	check_expected(finding, open ? "%s can connect to %s" : "%s cannot connect to %s", who_text,
	               whom_text);
	check_where(finding, whom_text, NULL);
	enum kt_code rc = check_who_find(run, from, &who, &err);
	if (!rc)
		rc = check_whom_find(run, to, &whom, &err);
	struct check_probe probe = {.who = &who, .whom = &whom};
	if (!rc)
		rc = check_probe_all(run, &probe, 1,
		                     check_duration(kt_get(check->body, "timeout"), TIMEOUT_DEFAULT), &err);
	if (rc)
		tell_missing(finding, rc, &err);
	else if (probe.outcome >= CHECK_NO_TOOL)
		check_found(finding, CHECK_UNKNOWN, "%s: %s%s%s", who_text, check_outcome_text(probe.outcome),
		            probe.why[0] ? ": " : "", probe.why);
	else
		judge_connect(run, &probe, to, open, finding);
	check_who_clear(run, &who);
	check_who_clear(run, &whom.pod);
	kt_free(who_text);
	kt_free(whom_text);
}

/* --- matrix --- */

static char *trimmed(const char *from, size_t len)
{
	while (len && *from == ' ') {
		from++;
		len--;
	}
	while (len && from[len - 1] == ' ')
		len--;
	return kt_strndup(from, len);
}

bool check_matrix_pair(const char *text, char **left, char **right)
{
	const char *arrow = text ? strchr(text, '>') : NULL;
	*left = *right = NULL;
	if (!arrow)
		return false;
	size_t len = (size_t)(arrow - text);
	*left = trimmed(text, len && arrow[-1] == '-' ? len - 1 : len); /* "a -> x", too */
	*right = trimmed(arrow + 1, strlen(arrow + 1));
	return true;
}

/* `open` names what `who` and `whom` have: a pair that nobody knows would be graded as closed. */
enum kt_code check_hold_matrix(const struct check_source *source, const struct kt_json *body)
{
	const struct kt_json *pair, *sides[2] = {kt_get(body, "who"), kt_get(body, "whom")};
	static const char *const names[2] = {"who", "whom"};
	KT_JSON_EACH (pair, kt_get(body, "open")) {
		char *ends[2];
		enum kt_code rc = check_matrix_pair(kt_str(pair), &ends[0], &ends[1])
		                          ? KT_OK
		                          : kt_yaml_fail(source->yaml, pair, source->err,
		                                         "'open': expected a pair, as in `a > x`");
		for (size_t i = 0; !rc && i < 2; i++) {
			const char *known[64];
			size_t n = 0;
			for (; n < KT_MIN(kt_count(sides[i]), KT_COUNT(known)); n++)
				known[n] = kt_key(sides[i], n);
			if (!kt_streq(ends[i], "*") && !kt_get(sides[i], ends[i]))
				rc = kt_yaml_unknown_key(source->yaml, pair, names[i], ends[i], known, n,
				                         source->err);
		}
		kt_free(ends[0]);
		kt_free(ends[1]);
		if (rc)
			return rc;
	}
	return KT_OK;
}

struct matrix {
	const struct kt_json *who, *whom, *open;
	struct check_who *whos;
	struct check_whom *whoms;
	struct check_probe *probes;
	size_t rows, columns; /* rows: whom; columns: who */
};

static bool listed(const struct matrix *m, const char *who, const char *whom)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, m->open) {
		char *left, *right;
		bool fits = check_matrix_pair(kt_str(item), &left, &right) &&
		            (kt_streq(left, "*") || kt_streq(left, who)) &&
		            (kt_streq(right, "*") || kt_streq(right, whom));
		kt_free(left);
		kt_free(right);
		if (fits)
			return true;
	}
	return false;
}

static enum kt_code find_ends(const struct check_run *run, struct matrix *m, struct kt_err *err)
{
	enum kt_code rc = KT_OK;
	for (size_t c = 0; !rc && c < m->columns; c++)
		rc = check_who_find(run, kt_at(m->who, c), &m->whos[c], err);
	for (size_t r = 0; !rc && r < m->rows; r++)
		rc = check_whom_find(run, kt_at(m->whom, r), &m->whoms[r], err);
	for (size_t r = 0; r < m->rows; r++)
		for (size_t c = 0; c < m->columns; c++)
			m->probes[r * m->columns + c] =
			        (struct check_probe){.who = &m->whos[c], .whom = &m->whoms[r]};
	return rc;
}

static void pad(struct kt_buf *out, const char *text, size_t width)
{
	size_t has = kt_width(text, strlen(text));
	kt_buf_adds(out, text);
	for (; has < width; has++)
		kt_buf_addc(out, ' ');
}

/* The table, wrong cells marked with `!`; and the wrong pairs in words. */
static size_t tell_matrix(const struct matrix *m, struct check_finding *finding, struct kt_buf *wrong)
{
	struct kt_buf table = {0};
	size_t first = 0, count = 0;
	for (size_t r = 0; r < m->rows; r++)
		first = KT_MAX(first, strlen(kt_key(m->whom, r)));
	pad(&table, "", first + 2);
	for (size_t c = 0; c < m->columns; c++)
		pad(&table, kt_key(m->who, c), KT_MAX(strlen(kt_key(m->who, c)), 2) + 2);
	for (size_t r = 0; r < m->rows; r++) {
		kt_buf_addc(&table, '\n');
		pad(&table, kt_key(m->whom, r), first + 2);
		for (size_t c = 0; c < m->columns; c++) {
			const char *who = kt_key(m->who, c), *whom = kt_key(m->whom, r);
			enum check_outcome outcome = m->probes[r * m->columns + c].outcome;
			bool open = outcome == CHECK_OPEN, should = listed(m, who, whom);
			char *cell = kt_strf("%s%s", open ? "✓" : "·", open != should ? "!" : "");
			pad(&table, cell, KT_MAX(strlen(who), 2) + 2);
			kt_free(cell);
			if (open == should)
				continue;
			kt_buf_addf(wrong, "%s%s > %s: %s%s", count++ ? "; " : "", who, whom,
			            open ? "open, " : "closed, ", check_outcome_text(outcome));
		}
	}
	finding->table = kt_buf_take(&table);
	return count;
}

static void judge_matrix(const struct check_run *run, const struct matrix *m, struct check_finding *finding)
{
	for (size_t i = 0; i < m->rows * m->columns; i++)
		if (m->probes[i].outcome >= CHECK_NO_TOOL) {
			check_found(finding, CHECK_UNKNOWN, "%s: %s %s", kt_key(m->who, i % m->columns),
			            check_outcome_text(m->probes[i].outcome), m->probes[i].why);
			return;
		}
	struct kt_buf wrong = {0};
	if (!tell_matrix(m, finding, &wrong)) {
		check_found(finding, CHECK_PASSED, "exactly these are open");
	} else {
		if (m->whoms[0].ns[0])
			tell_policies(run, m->whoms[0].ns, &wrong);
		check_found(finding, CHECK_FAILED, "%s", kt_buf_str(&wrong));
	}
	kt_buf_clear(&wrong);
}

void check_look_matrix(const struct check_run *run, const struct check_check *check,
                       struct check_finding *finding)
{
	struct matrix m = {.who = kt_get(check->body, "who"),
	                   .whom = kt_get(check->body, "whom"),
	                   .open = kt_get(check->body, "open")};
	struct kt_buf want = {0};
	struct kt_err err = {0};
	const struct kt_json *pair;
	m.columns = kt_count(m.who);
	m.rows = kt_count(m.whom);
	KT_JSON_EACH (pair, m.open)
		kt_buf_addf(&want, "%s%s", want.len ? ", " : "", kt_str_or(pair, "?"));
	check_expected(finding, want.len ? "only %s" : "nobody can connect%s", kt_buf_str(&want));
	kt_buf_clear(&want);
	if (m.rows * m.columns > PAIRS_MAX) {
		check_found(finding, CHECK_UNKNOWN, "more than %d pairs", PAIRS_MAX);
		return;
	}
	m.whos = kt_alloc((m.columns + 1) * sizeof(*m.whos));
	m.whoms = kt_alloc((m.rows + 1) * sizeof(*m.whoms));
	m.probes = kt_alloc((m.rows * m.columns + 1) * sizeof(*m.probes));
	enum kt_code rc = find_ends(run, &m, &err);
	if (!rc)
		rc = check_probe_all(run, m.probes, m.rows * m.columns,
		                     check_duration(kt_get(check->body, "timeout"), TIMEOUT_DEFAULT), &err);
	if (rc)
		tell_missing(finding, rc, &err);
	else
		judge_matrix(run, &m, finding);
	for (size_t c = 0; c < m.columns; c++)
		check_who_clear(run, &m.whos[c]);
	for (size_t r = 0; r < m.rows; r++)
		check_who_clear(run, &m.whoms[r].pod);
	kt_free(m.whos);
	kt_free(m.whoms);
	kt_free(m.probes);
}
