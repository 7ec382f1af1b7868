/* SPDX-License-Identifier: MIT */
/* One exec a pod tries all of its connections at once: a script that uses whichever tool the image has (nc of
 * several makes, curl, bash) and prints a line for each: INDEX WORD. */
#include "checker/probe_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Arguments: TIMEOUT HOST PORT [HOST PORT …]. Plain POSIX shell. `nc -e` is busybox's way to end once
 * connected where it has no -z. */
static const char probe_script[] =
        "t=$1; shift; i=0\n"
        "has() { command -v \"$1\" >/dev/null 2>&1; }\n"
        "how=none\n"
        "if has nc; then\n"
        "  case \"$(nc -z 2>&1)\" in *'invalid option'*|*'unrecognized option'*|*'illegal option'*) how=nce "
        ";; *) how=ncz ;; esac\n"
        "elif has curl; then how=curl\n"
        "elif has bash; then how=bash; fi\n"
        /* a name whose lookup gets no answer ends in the same time-out as a closed port: ask the DNS by
           itself */
        "silent() {\n"
        "  case \"$1\" in *[!0-9.]*) ;; *) return 1 ;; esac\n"
        "  has timeout && has nslookup || return 1\n"
        "  timeout 3 nslookup \"$1\" >/dev/null 2>&1; [ $? -ge 124 ]\n"
        "}\n"
        "word() {\n"
        "  case \"$2\" in\n"
        "  *'bad address'*|*'not known'*|*'not resolve'*|*'No address'*|*'resolution'*|*'unknown host'*|*'no "
        "such host'*) echo \"$1 noname\" ;;\n"
        "  *efused*) echo \"$1 refused\" ;;\n"
        "  *) if silent \"$3\"; then echo \"$1 noname\"; else echo \"$1 timeout\"; fi ;;\n"
        "  esac\n"
        "}\n"
        "try() {\n"
        "  case $how in\n"
        "  ncz) if out=$(nc -z -v -w \"$t\" \"$2\" \"$3\" 2>&1 </dev/null); then echo \"$1 open\"; else word "
        "\"$1\" \"$out\" \"$2\"; fi ;;\n"
        "  nce) if out=$(nc -w \"$t\" \"$2\" \"$3\" -e true 2>&1 </dev/null); then echo \"$1 open\"; else "
        "word \"$1\" \"$out\" \"$2\"; fi ;;\n"
        "  curl)\n"
        "    out=$(curl -s -o /dev/null -w '%{time_connect}' --connect-timeout \"$t\" -m \"$t\" "
        "\"http://$2:$3/\" 2>/dev/null); rc=$?\n"
        "    case \"$rc:$out\" in 6:*) echo \"$1 noname\" ;; 7:*) echo \"$1 refused\" ;; 28:0.000000|28:0) "
        "word \"$1\" timeout \"$2\" ;; *) echo \"$1 open\" ;; esac ;;\n"
        "  bash) if out=$(timeout \"$t\" bash -c \"</dev/tcp/$2/$3\" 2>&1); then echo \"$1 open\"; else word "
        "\"$1\" \"$out\" \"$2\"; fi ;;\n"
        "  *) echo \"$1 notool\" ;;\n"
        "  esac\n"
        "}\n"
        "while [ $# -gt 1 ]; do try $i \"$1\" \"$2\" & i=$((i + 1)); shift; shift; done\n"
        "wait\n";

static const struct {
	const char *word, *text;
	enum check_outcome outcome;
} outcomes[] = {
        {"open", "connected", CHECK_OPEN},
        {"refused", "the connection was refused", CHECK_REFUSED},
        {"timeout", "no answer (timed out)", CHECK_TIMEOUT},
        {"noname", "the name does not resolve", CHECK_NO_NAME},
        {"notool", "its image has no tool to connect with", CHECK_NO_TOOL},
        {"", "could not be tried", CHECK_NOT_RUN},
};

const char *check_outcome_text(enum check_outcome outcome)
{
	return outcomes[outcome].text;
}

static bool same_who(const struct check_who *a, const struct check_who *b)
{
	return !strcmp(a->ns, b->ns) && !strcmp(a->pod, b->pod);
}

struct group {
	struct kt_strs argv;
	size_t *members, count;
	struct check_who *who;
};

static void read_lines(struct check_probe *probes, const struct group *group,
                       const struct check_exec_result *result)
{
	for (size_t m = 0; m < group->count; m++) {
		struct check_probe *probe = &probes[group->members[m]];
		probe->outcome = CHECK_NOT_RUN;
		snprintf(probe->why, sizeof(probe->why), "%.500s",
		         result->why[0] ? result->why : kt_buf_str(&result->errout));
	}
	const char *text = kt_buf_str(&result->out), *line;
	size_t len;
	while ((line = kt_split(&text, '\n', &len))) {
		unsigned index;
		char word[16];
		if (len >= 40 || sscanf(line, "%u %15s", &index, word) != 2 || index >= group->count)
			continue;
		for (size_t o = 0; o < KT_COUNT(outcomes); o++)
			if (kt_streq(outcomes[o].word, word))
				probes[group->members[index]].outcome = outcomes[o].outcome;
	}
}

static size_t make_groups(struct check_probe *probes, size_t count, const bool *wanted, struct group *groups,
                          const char *seconds)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		size_t g = 0;
		if (!wanted[i])
			continue;
		while (g < n && !same_who(groups[g].who, probes[i].who))
			g++;
		struct group *group = &groups[g];
		if (g == n) {
			n++;
			group->who = probes[i].who;
			group->members = kt_alloc(count * sizeof(size_t));
			const char *const head[] = {"sh", "-c", probe_script, "probe", seconds};
			for (size_t h = 0; h < KT_COUNT(head); h++)
				kt_strs_add(&group->argv, head[h]);
		}
		group->members[group->count++] = i;
		kt_strs_add(&group->argv, probes[i].whom->host);
		kt_strs_steal(&group->argv, kt_strf("%u", probes[i].whom->port));
	}
	return n;
}

static enum kt_code run_groups(const struct check_run *run, struct check_probe *probes, struct group *groups,
                               size_t n, kt_ns timeout, struct kt_err *err)
{
	struct check_exec *execs = kt_alloc(KT_MAX(n, 1) * sizeof(*execs));
	struct check_exec_result *results = kt_alloc(KT_MAX(n, 1) * sizeof(*results));
	const char ***argvs = kt_alloc(KT_MAX(n, 1) * sizeof(*argvs));
	for (size_t g = 0; g < n; g++) {
		argvs[g] = kt_alloc((groups[g].argv.count + 1) * sizeof(char *));
		for (size_t a = 0; a < groups[g].argv.count; a++)
			argvs[g][a] = groups[g].argv.items[a];
		struct check_who *who = groups[g].who;
		execs[g] = (struct check_exec){.ns = who->ns,
		                               .pod = who->pod,
		                               .container = who->container[0] ? who->container : NULL,
		                               .argv = argvs[g],
		                               .timeout_ms = (long)(timeout / KT_MS) + 20000,
		                               .instant = true};
	}
	enum kt_code rc = check_exec(run->client, execs, n, results, err);
	for (size_t g = 0; g < n; g++) {
		if (!rc)
			read_lines(probes, &groups[g], &results[g]);
		check_exec_result_clear(&results[g]);
		kt_free(argvs[g]);
	}
	kt_free(execs);
	kt_free(results);
	kt_free(argvs);
	return rc;
}

static enum kt_code probe_once(const struct check_run *run, struct check_probe *probes, size_t count,
                               const bool *wanted, kt_ns timeout, struct kt_err *err)
{
	char seconds[16];
	snprintf(seconds, sizeof(seconds), "%lld", (long long)KT_MAX(timeout / KT_SEC, 1));
	struct group *groups = kt_alloc(KT_MAX(count, 1) * sizeof(*groups));
	size_t n = make_groups(probes, count, wanted, groups, seconds);
	enum kt_code rc = run_groups(run, probes, groups, n, timeout, err);
	for (size_t g = 0; g < n; g++) {
		kt_strs_clear(&groups[g].argv);
		kt_free(groups[g].members);
	}
	kt_free(groups);
	return rc;
}

/* No shell in the image: the runtime says that the program is not there. */
static bool no_shell(const struct check_probe *probe)
{
	return probe->outcome == CHECK_NO_TOOL ||
	       (probe->outcome == CHECK_NOT_RUN &&
	        (strstr(probe->why, "executable file not found") || strstr(probe->why, "no such file")));
}

enum kt_code check_probe_all(const struct check_run *run, struct check_probe *probes, size_t count,
                             kt_ns timeout, struct kt_err *err)
{
	bool *wanted = kt_alloc(KT_MAX(count, 1) * sizeof(*wanted)), again = false;
	for (size_t i = 0; i < count; i++)
		wanted[i] = true;
	enum kt_code rc = probe_once(run, probes, count, wanted, timeout, err);
	for (size_t i = 0; !rc && i < count; i++) {
		wanted[i] = no_shell(&probes[i]) && !run->no_wait;
		if (wanted[i] && !probes[i].who->ours)
			rc = check_who_twin(run, probes[i].who, err);
		again = again || wanted[i];
	}
	if (!rc && again)
		rc = probe_once(run, probes, count, wanted, timeout, err);
	kt_free(wanted);
	return rc;
}

enum kt_code check_script(const struct check_run *run, struct check_who *who, const char *script,
                          long timeout_ms, struct check_exec_result *out, struct kt_err *err)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	for (int attempt = 0;; attempt++) {
		struct check_exec exec = {.ns = who->ns,
		                          .pod = who->pod,
		                          .container = who->container[0] ? who->container : NULL,
		                          .argv = argv,
		                          .timeout_ms = timeout_ms,
		                          .instant = true};
		enum kt_code rc = check_exec(run->client, &exec, 1, out, err);
		bool absent = !rc && out->exit_code < 0 && strstr(out->why, "executable file not found");
		bool toolless = !rc && out->exit_code == 127;
		if (rc || !(absent || toolless) || attempt || who->ours || run->no_wait)
			return rc;
		check_exec_result_clear(out);
		rc = check_who_twin(run, who, err);
		if (rc)
			return rc;
	}
}
