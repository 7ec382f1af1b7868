/* SPDX-License-Identifier: MIT */
/* Names: nslookup as busybox and as bind have it, dig, getent. */
#include "cluster/kubelet/shell/fetch.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct lookup {
	const char *type;
	char *name;
	struct network_resolver resolver;
};

static void end_lookup(struct tool_run *r)
{
	network_resolver_clear(&((struct lookup *)r->state)->resolver);
}

/* Another server than the container's own, by name or address. */
static bool use_server(struct tool_run *r, struct network_resolver *resolver, const char *server)
{
	struct kt_strs found = {0};
	enum network_outcome outcome;
	bool known = task_resolve(r->task, server, &found, NULL, &outcome);
	if (known) {
		kt_strs_clear(&resolver->servers);
		kt_strs_add(&resolver->servers, found.items[0]);
	}
	kt_strs_clear(&found);
	return known;
}

static const char *first_server(const struct network_resolver *resolver)
{
	return resolver->servers.count ? resolver->servers.items[0] : "127.0.0.1";
}

static void server_lines(struct tool_run *r)
{
	const char *server = first_server(&((struct lookup *)r->state)->resolver);
	tool_outf(r, "Server:\t\t%s\nAddress:\t%s%c53\n\n", server, server, tool_busybox(r) ? ':' : '#');
}

/* One name, one type. */
static bool ask(struct tool_run *r, const char *name, const char *type, bool quiet,
                enum network_outcome *outcome)
{
	struct lookup *s = r->state;
	struct network_peer from = task_peer(r->task);
	struct kt_strs found = {0};
	char *canonical = NULL;
	bool ok = network_query(r->task->process->cluster, &from, &s->resolver, name, type, false, &found,
	                        &canonical, outcome);
	if (ok && !strcmp(type, "SRV")) {
		for (size_t i = 0; i < found.count; i++)
			tool_outf(r, "%s\tservice = %.*s\n", name,
			          (int)(strlen(found.items[i]) -
			                (tool_busybox(r) && kt_ends(found.items[i], "."))),
			          found.items[i]);
	} else if (ok && !strcmp(type, "PTR")) {
		for (size_t i = 0; i < found.count; i++)
			tool_outf(r, "%s\tname = %s\n", name, found.items[i]);
	} else if (ok && (!strcmp(type, "CNAME") || !strcmp(type, "TXT"))) {
		bool text = !strcmp(type, "TXT");
		for (size_t i = 0; i < found.count; i++)
			tool_outf(r, "%s\t%s = %s%s%s\n", name, text ? "text" : "canonical name",
			          text ? "\"" : "", found.items[i], text ? "\"" : "");
	} else if (ok) {
		if (canonical && strcmp(canonical, name) != 0)
			tool_outf(r, "%s\tcanonical name = %s\n", name, canonical);
		for (size_t i = 0; i < found.count; i++)
			tool_outf(r, "Name:\t%s\nAddress: %s\n", canonical ? canonical : name,
			          found.items[i]);
	} else if (*outcome == NETWORK_REFUSED && !quiet) {
		tool_outf(r, "** server can't find %s%s: NXDOMAIN\n", name,
		          tool_busybox(r) && s->name && kt_ends(s->name, ".") ? "." : "");
	}
	kt_strs_clear(&found);
	kt_free(canonical);
	return ok;
}

/* 0 and what is asked for in the state; else how it ends. */
static int nslookup_words(struct tool_run *r)
{
	struct lookup *s = r->state;
	const char *server = NULL;
	s->type = "";
	task_resolver(r->task, &s->resolver);
	for (size_t i = 1; i < r->argv.count; i++) {
		const char *word = r->argv.items[i];
		if (kt_starts(word, "-type=") || kt_starts(word, "-q=") || kt_starts(word, "-query="))
			s->type = strchr(word, '=') + 1;
		else if (word[0] != '-' && !s->name)
			s->name = r->argv.items[i];
		else if (word[0] != '-')
			server = word;
	}
	if (!server || use_server(r, &s->resolver, server))
		return 0;
	if (!tool_busybox(r))
		tool_outf(r, "nslookup: couldn't get address for '%s': not found\n", server);
	return tool_busybox(r) ? tool_fail(r, 1, "bad address '%s'", server) : 1;
}

static bool servers_answer(struct tool_run *r)
{
	struct lookup *s = r->state;
	struct network_peer from = task_peer(r->task);
	struct kt_strs probe = {0};
	enum network_outcome outcome = NETWORK_OPEN;
	(void)network_query(r->task->process->cluster, &from, &s->resolver,
	                    "kubernetes.default.svc.cluster.local.", "A", false, &probe, NULL, &outcome);
	kt_strs_clear(&probe);
	return outcome != NETWORK_TIMEOUT;
}

static int no_servers(struct tool_run *r)
{
	struct lookup *s = r->state;
	if (tool_sleep(r, 10 * KT_SEC))
		return TOOL_WAIT;
	if (tool_busybox(r))
		tool_outs(r, ";; connection timed out; no servers could be reached\n\n");
	else
		tool_outf(r, ";; communications error to %s#53: timed out\n;; no servers could be reached\n",
		          first_server(&s->resolver));
	return 1;
}

/* A name that stands for itself: busybox asks for both kinds of address. */
static bool ask_alone(struct tool_run *r, const char *name, const char *type)
{
	const struct lookup *s = r->state;
	enum network_outcome outcome = NETWORK_OPEN;
	bool ok = ask(r, name, type, false, &outcome);
	if (!*s->type)
		tool_outs(r, "\n");
	if (!*s->type && !ok)
		(void)ask(r, name, type, false, &outcome);
	return ok;
}

/* busybox asks for all of the search list, each for both kinds of address, and tells of each; it does not ask
 * for the bare name unless there is no list. *missed: one of them is not there. */
static bool ask_all(struct tool_run *r, const char *name, const char *type, bool *missed)
{
	const struct lookup *s = r->state;
	const struct kt_strs *search = &s->resolver.search;
	enum network_outcome outcome = NETWORK_OPEN;
	bool ok = false;
	for (size_t i = 0; i < KT_MAX(search->count, (size_t)1); i++) {
		char *candidate =
		        i < search->count ? kt_strf("%s.%s", name, search->items[i]) : kt_strdup(name);
		bool one = ask(r, candidate, type, false, &outcome);
		tool_outs(r, "\n");
		if (!one && !*s->type)
			(void)ask(r, candidate, type, false, &outcome);
		if (!*s->type)
			tool_outs(r, "\n");
		ok = ok || one;
		*missed = *missed || !one;
		kt_free(candidate);
	}
	return ok;
}

/* bind's takes the first of the search list that is there, and the bare name last. */
static bool ask_first(struct tool_run *r, const char *name, const char *type)
{
	const struct lookup *s = r->state;
	const struct kt_strs *search = &s->resolver.search;
	enum network_outcome outcome = NETWORK_OPEN;
	bool ok = false;
	for (size_t i = 0; i <= search->count && !ok; i++) {
		char *candidate =
		        i < search->count ? kt_strf("%s.%s", name, search->items[i]) : kt_strdup(name);
		ok = ask(r, candidate, type, true, &outcome);
		kt_free(candidate);
	}
	if (!ok)
		tool_outf(r, "** server can't find %s: NXDOMAIN\n", name);
	return ok;
}

/* "10.0.0.1" is asked for backwards; NULL: it is no address. New. */
static char *backwards(const char *name)
{
	unsigned a, b, c, d;
	char rest;
	return sscanf(name, "%3u.%3u.%3u.%3u%c", &a, &b, &c, &d, &rest) == 4
	               ? kt_strf("%u.%u.%u.%u.in-addr.arpa", d, c, b, a)
	               : NULL;
}

static const char *asked_type(const char *word)
{
	static const char *const types[] = {"SRV", "CNAME", "TXT"};
	for (size_t i = 0; i < KT_COUNT(types); i++)
		if (!strcasecmp(word, types[i]))
			return types[i];
	return "A";
}

static int run_nslookup(struct tool_run *r)
{
	struct lookup *s = r->state;
	int code = s->type ? 0 : nslookup_words(r);
	if (code)
		return code;
	if (!s->name)
		return tool_fail(r, 1, "missing host name");
	if (!servers_answer(r))
		return no_servers(r);
	server_lines(r);
	enum network_outcome outcome = NETWORK_OPEN;
	const char *type = asked_type(s->type);
	bool dotted = kt_ends(s->name, "."), ok = true, missed = false;
	char *plain = kt_strndup(s->name, strlen(s->name) - dotted), *address = backwards(plain);
	if (address)
		ok = ask(r, address, "PTR", false, &outcome);
	else if (!strcasecmp(s->type, "aaaa"))
		tool_outs(r, "\n");
	else if (dotted || (tool_busybox(r) && strchr(s->name, '.')))
		ok = ask_alone(r, plain, type);
	else if (tool_busybox(r))
		ok = ask_all(r, plain, type, &missed);
	else
		ok = ask_first(r, plain, type);
	kt_free(address);
	kt_free(plain);
	if (missed)
		return 1;
	tool_outs(r, "\n");
	return ok ? 0 : 1;
}

static int run_dig(struct tool_run *r)
{
	struct lookup *s = r->state;
	const char *name = NULL, *type = "A", *server = NULL;
	bool short_form = false, search = false;
	for (size_t i = 1; i < r->argv.count; i++) {
		const char *word = r->argv.items[i];
		if (word[0] == '+') {
			short_form = short_form || !strcmp(word, "+short");
			search = search || !strcmp(word, "+search");
		} else if (!strcasecmp(word, "srv")) {
			type = "SRV";
		} else if (word[0] == '@') {
			server = word + 1;
		} else if (word[0] != '-' && strcasecmp(word, "a") != 0 && !name) {
			name = word;
		}
	}
	if (!name)
		return 0;
	if (!s->type) {
		s->type = type;
		task_resolver(r->task, &s->resolver);
		if (server && !use_server(r, &s->resolver, server)) {
			tool_errf(r, "couldn't get address for '%s': not found", server);
			return 10;
		}
	}
	struct network_peer from = task_peer(r->task);
	struct kt_strs found = {0};
	enum network_outcome outcome;
	char *canonical = NULL;
	bool ok = network_query(r->task->process->cluster, &from, &s->resolver, name, type, search, &found,
	                        &canonical, &outcome);
	if (!ok && outcome == NETWORK_TIMEOUT) {
		kt_free(canonical);
		if (tool_sleep(r, 15 * KT_SEC))
			return TOOL_WAIT;
		tool_outs(r, ";; communications error: timed out\n;; no servers could be reached\n");
		return 9;
	}
	if (!short_form)
		tool_outf(r,
		          ";; ->>HEADER<<- opcode: QUERY, status: %s, id: 4242\n;; QUESTION "
		          "SECTION:\n;%s.\t\tIN\t%s\n\n%s",
		          ok ? "NOERROR" : "NXDOMAIN", name, type, ok ? ";; ANSWER SECTION:\n" : "");
	for (size_t i = 0; i < found.count; i++) {
		if (short_form)
			tool_outf(r, "%s\n", found.items[i]);
		else
			tool_outf(r, "%s.\t30\tIN\t%s\t%s\n", canonical ? canonical : name, type,
			          found.items[i]);
	}
	kt_strs_clear(&found);
	kt_free(canonical);
	return 0;
}

static void end_getent(struct tool_run *r)
{
	fetch_clear(r->state);
}

static int run_getent(struct tool_run *r)
{
	struct fetch *f = r->state;
	if (r->argv.count < 3)
		return 1;
	if (!f->host)
		f->host = kt_strdup(r->argv.items[2]);
	f->port = 1;
	f->limit = KT_MS;
	if (fetch_connect(r, f))
		return TOOL_WAIT;
	if (f->result == FETCH_BAD_NAME || f->result == FETCH_NO_DNS)
		return 2;
	tool_outf(r, "%-15s %s  %s\n", f->address, f->canonical ? f->canonical : f->host, f->host);
	return 0;
}

#define LOOKUP .state_size = sizeof(struct lookup), .end = end_lookup

const struct tool tools_names[] = {
        {.name = "dig", .sets = "netshoot", .run = run_dig, LOOKUP},
        {.name = "getent",
         .sets = "debian alpine",
         .run = run_getent,
         .state_size = sizeof(struct fetch),
         .end = end_getent},
        {.name = "nslookup", .sets = "busybox netshoot", .run = run_nslookup, LOOKUP},
        {.name = NULL},
};
