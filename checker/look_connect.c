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

/* The namespace of whom, for what is told about policies; "" outside. */
static void ns_of(const struct kt_json *whom, const struct check_whom *found, char ns[64])
{
	const char *dot = strchr(found->host, '.'), *words = kt_str(whom),
	           *space = words ? strchr(words, ' ') : NULL, *slash = space ? strchr(space, '/') : NULL;
	ns[0] = '\0';
	if (found->pod.ns[0])
		snprintf(ns, 64, "%s", found->pod.ns);
	else if (slash)
		snprintf(ns, 64, "%.*s", (int)(slash - space - 1), space + 1);
	else if (dot && words)
		snprintf(ns, 64, "%s", dot + 1);
}

/* A missing end is a failure of the state; a cluster that does not answer is not. */
static void tell_missing(struct check_finding *finding, enum kt_code rc, const struct kt_err *err)
{
	if (rc == KT_ENOTFOUND)
		check_found(finding, CHECK_FAILED, "%s", err->text);
	else
		check_unknown(finding, err);
}

void check_look_connect(const struct check_run *run, const struct check_check *check,
                        struct check_finding *finding)
{
	const struct kt_json *from = kt_get(check->body, "from"), *to = kt_get(check->body, "to");
	bool open = kt_streq(kt_str_or(kt_get(check->body, "expect"), "open"), "open");
	char *who_text = check_who_text(from), *whom_text = check_who_text(to), ns[64];
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
	if (rc) {
		tell_missing(finding, rc, &err);
	} else if (probe.outcome >= CHECK_NO_TOOL) {
		check_found(finding, CHECK_UNKNOWN, "%s: %s%s%s", who_text, check_outcome_text(probe.outcome),
		            probe.why[0] ? ": " : "", probe.why);
	} else {
		struct kt_buf why = {0};
		ns_of(to, &whom, ns);
		bool passed = (probe.outcome == CHECK_OPEN) == open;
		if (!passed && (ns[0] || probe.outcome != CHECK_OPEN))
			tell_policies(run, ns[0] ? ns : who.ns, &why);
		check_found(finding, passed ? CHECK_PASSED : CHECK_FAILED,
		            probe.outcome == CHECK_NO_NAME ? "%s: %s does not resolve%s" : "%s: %s%s",
		            whom_text,
		            probe.outcome == CHECK_NO_NAME ? whom.host : check_outcome_text(probe.outcome),
		            kt_buf_str(&why));
		kt_buf_clear(&why);
	}
	check_who_clear(run, &who);
	check_who_clear(run, &whom.pod);
	kt_free(who_text);
	kt_free(whom_text);
}

/* --- matrix --- */

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
		const char *text = kt_str_or(item, ""), *arrow = strchr(text, '>');
		if (!arrow)
			continue;
		size_t left = (size_t)(arrow - text);
		while (left && text[left - 1] == ' ')
			left--;
		const char *right = arrow + 1 + strspn(arrow + 1, " ");
		if (strlen(who) == left && !strncmp(text, who, left) && kt_streq(right, whom))
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
			kt_buf_addf(wrong, "%s%s > %s: %s", count++ ? "; " : "", who, whom,
			            outcome == CHECK_NO_NAME ? "the name does not resolve"
			                                     : check_outcome_text(outcome));
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
	char ns[64] = "";
	if (!tell_matrix(m, finding, &wrong)) {
		check_found(finding, CHECK_PASSED, "exactly these are open");
	} else {
		ns_of(kt_at(m->whom, 0), &m->whoms[0], ns);
		if (ns[0])
			tell_policies(run, ns, &wrong);
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
