/* SPDX-License-Identifier: MIT */
/* What ktutor may do to a cluster that somebody else runs is decided here, request by request, before it is
 * sent. */
#include "labs/context/context.h"
#include "labs/real/real.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define GONE_TIME (3 * KT_MIN_NS)

struct guard {
	struct context *context;
	struct check_client *plain; /* its own questions are not guarded */
	struct kt_strs ours;        /* namespaces known to be */
};

/* A request that changes nothing: reviews, and what is only tried. */
static bool harmless(const char *method, const char *path)
{
	return kt_streq(method, "GET") || kt_streq(method, "HEAD") || strstr(path, "dryRun=All") ||
	       kt_starts(path, "/apis/authorization.k8s.io/") ||
	       kt_starts(path, "/apis/authentication.k8s.io/");
}

/* "/apis/apps/v1/namespaces/shop/deployments/web" -> "shop"; false: it is about no namespace. */
static bool namespace_of(const char *path, char out[64])
{
	const char *at = strstr(path, "/namespaces/");
	if (!at)
		return false;
	at += strlen("/namespaces/");
	snprintf(out, 64, "%.*s", (int)strcspn(at, "/?"), at);
	return *out != '\0';
}

static bool label_is(const struct kt_json *object, const char *key, const char *value)
{
	return kt_streq(kt_get_str(kt_path(object, "metadata.labels"), key), value);
}

static bool is_ours(const struct context *context, const struct kt_json *object)
{
	return label_is(object, REAL_LABEL, "ktutor") && label_is(object, CONTEXT_LAB, context->lab) &&
	       label_is(object, CONTEXT_HOME, context->home);
}

enum kt_code context_namespace(struct check_client *plain, const struct context *context, const char *name,
                               struct kt_err *err)
{
	struct kt_json *there = NULL,
	               *space = kt_jsonf("{apiVersion: 'v1', kind: 'Namespace', metadata: {name: %s, "
	                                 "labels: {%s: 'ktutor', %s: %s, %s: %s}}}",
	                                 name, REAL_LABEL, CONTEXT_LAB, context->lab, CONTEXT_HOME,
	                                 context->home);
	struct kt_err why = {0};
	char *path = kt_strf("/api/v1/namespaces/%s", name);
	enum kt_code rc = real_call(plain, "GET", path, NULL, NULL, &there, &why);
	if (rc == KT_ENOTFOUND)
		rc = real_call(plain, "POST", "/api/v1/namespaces", NULL, space, NULL, err);
	else if (rc)
		kt_fail(err, rc, "%s", why.text);
	else if (!is_ours(context, there))
		rc = kt_fail(err, KT_EEXIST,
		             "the namespace '%s' is there already and was not made by this lab: ktutor does "
		             "not touch it. "
		             "Another cluster, or `--provider kind`, has room for the lab",
		             name);
	kt_json_free(there);
	kt_json_free(space);
	kt_free(path);
	return rc;
}

static enum kt_code in_namespace(struct guard *g, const char *method, const char *path, const char *ns,
                                 struct kt_err *err)
{
	if (kt_strs_has(&g->ours, ns))
		return KT_OK;
	/* the namespace itself is applied: it is made here, with our labels on it */
	const char *after = strstr(path, "/namespaces/") + strlen("/namespaces/") + strlen(ns);
	bool itself = (*after == '\0' || *after == '?') && kt_streq(method, "PATCH");
	struct kt_json *there = NULL;
	struct kt_err why = {0};
	char *own = kt_strf("/api/v1/namespaces/%s", ns);
	enum kt_code rc = itself ? context_namespace(g->plain, g->context, ns, err)
	                         : real_call(g->plain, "GET", own, NULL, NULL, &there, &why);
	if (!rc && there && !is_ours(g->context, there))
		rc = kt_fail(err, KT_EUNSUPPORTED,
		             "ktutor acts only in namespaces that it made on this cluster, and '%s' is not "
		             "one of them",
		             ns);
	else if (rc && !itself)
		kt_fail(err, rc, "%s", why.text);
	if (!rc)
		kt_strs_add(&g->ours, ns);
	kt_json_free(there);
	kt_free(own);
	return rc;
}

static bool is_made(const struct context *context, const char *path)
{
	return kt_find(context->made, "path", path) >= 0;
}

static enum kt_code keep(struct guard *g, const char *path, bool node, struct kt_err *err)
{
	if (is_made(g->context, path))
		return KT_OK;
	kt_push(&g->context->made, kt_jsonf("{path: %s, node: %b}", path, node));
	return context_write(g->context, err);
}

/* Outside of namespaces: only what is not there yet, or is ours. */
static enum kt_code outside(struct guard *g, const char *method, const char *path, struct kt_err *err)
{
	char *bare = kt_strndup(path, strcspn(path, "?"));
	bool node = kt_starts(bare, "/api/v1/nodes/");
	struct kt_err why = {0};
	enum kt_code rc = KT_OK;
	if (node ? !g->context->allow_nodes : !g->context->allow_cluster)
		rc = kt_fail(err, KT_EUNSUPPORTED,
		             node ? "this would change the machine '%s' of a cluster that is not ktutor's; "
		                    "`--allow-nodes` allows it"
		                  : "this would change %s, which belongs to the whole cluster; "
		                    "`--allow-cluster` allows "
		                    "it",
		             kt_basename(bare));
	else if (node)
		rc = keep(g, bare, true, err);
	else if (!is_made(g->context, bare) && kt_streq(method, "PATCH")) {
		rc = real_call(g->plain, "GET", bare, NULL, NULL, NULL, &why);
		rc = rc == KT_ENOTFOUND ? keep(g, bare, false, err)
		     : rc               ? kt_fail(err, rc, "%s", why.text)
		                        : kt_fail(err, KT_EUNSUPPORTED,
		                                  "%s is there already and is not ktutor's: it is left alone",
		                                  kt_basename(bare));
	} else if (!is_made(g->context, bare)) {
		rc = kt_fail(err, KT_EUNSUPPORTED, "%s is not ktutor's: it is left alone", kt_basename(bare));
	}
	kt_free(bare);
	return rc;
}

static enum kt_code judge(void *arg, const char *method, const char *path, struct kt_err *err)
{
	struct guard *g = arg;
	char ns[64];
	if (harmless(method, path))
		return KT_OK;
	return namespace_of(path, ns) ? in_namespace(g, method, path, ns, err)
	                              : outside(g, method, path, err);
}

static void guard_free(void *arg)
{
	struct guard *g = arg;
	check_client_free(g->plain);
	context_clear(g->context);
	kt_free(g->context);
	kt_strs_clear(&g->ours);
	kt_free(g);
}

enum kt_code context_client(struct context *steal, struct check_client **out, struct kt_err *err)
{
	struct guard *g = kt_alloc(sizeof(*g));
	struct check_client *client = NULL;
	g->context = steal;
	enum kt_code rc = check_client_new(steal->kubeconfig, NULL, steal->allow_exec, &g->plain, err);
	if (!rc)
		rc = check_client_new(steal->kubeconfig, NULL, steal->allow_exec, &client, err);
	if (rc) {
		guard_free(g);
		return rc;
	}
	check_client_guard(client, judge, guard_free, g);
	*out = client;
	return KT_OK;
}

/* --- its end --- */

static enum kt_code delete_namespaces(const struct context *context, struct check_client *plain, size_t *left,
                                      struct kt_err *err)
{
	char *path =
	        kt_strf("/api/v1/namespaces?labelSelector=" CONTEXT_LAB "%%3D%s%%2C" CONTEXT_HOME "%%3D%s",
	                context->lab, context->home);
	struct kt_json *list = NULL;
	const struct kt_json *space;
	enum kt_code rc = real_call(plain, "GET", path, NULL, NULL, &list, err);
	*left = kt_count(kt_get(list, "items"));
	KT_JSON_EACH (space, kt_get(list, "items")) {
		char *one = kt_strf("/api/v1/namespaces/%s", kt_path_str(space, "metadata.name"));
		struct kt_err why = {0};
		if (!rc && !kt_path(space, "metadata.deletionTimestamp") && is_ours(context, space)) {
			rc = real_call(plain, "DELETE", one, NULL, NULL, NULL, &why);
			rc = rc == KT_ENOTFOUND || rc == KT_ECONFLICT ? KT_OK : rc;
			if (rc)
				kt_fail(err, rc, "%s", why.text);
		}
		kt_free(one);
	}
	kt_json_free(list);
	kt_free(path);
	return rc;
}

static enum kt_code delete_made(const struct context *context, struct check_client *plain, struct kt_err *err)
{
	struct kt_json *uncordon = kt_jsonf("{spec: {unschedulable: false}}");
	const struct kt_json *row;
	enum kt_code rc = KT_OK;
	KT_JSON_EACH (row, context->made) {
		const char *path = kt_get_str(row, "path");
		bool node = kt_get_bool(row, "node", false);
		struct kt_err why = {0};
		if (rc)
			break;
		rc = node ? real_call(plain, "PATCH", path, "application/merge-patch+json", uncordon, NULL,
		                      &why)
		          : real_call(plain, "DELETE", path, NULL, NULL, NULL, &why);
		rc = rc == KT_ENOTFOUND ? KT_OK : rc;
		if (rc)
			kt_fail(err, rc, "%s", why.text);
	}
	kt_json_free(uncordon);
	return rc;
}

enum kt_code context_clean(const struct context *context,
                           bool (*tell)(void *arg, const char *sentence, kt_ns elapsed, kt_ns usual),
                           void *arg, struct kt_err *err)
{
	struct check_client *plain = NULL;
	size_t left = 1;
	kt_ns began = kt_monotonic();
	enum kt_code rc = check_client_new(context->kubeconfig, NULL, context->allow_exec, &plain, err);
	if (!rc)
		rc = delete_made(context, plain, err);
	while (!rc && left) {
		kt_ns since = kt_monotonic() - began;
		rc = delete_namespaces(context, plain, &left, err);
		if (!rc && left && since > GONE_TIME)
			rc = kt_fail(err, KT_ETIMEOUT,
			             "%zu namespaces do not go away; `ktutor lab stop %s` tries again", left,
			             context->lab);
		else if (!rc && left && tell && !tell(arg, "taking away what ktutor made", since, GONE_TIME))
			rc = kt_fail(err, KT_ECANCELLED, "cancelled; `ktutor lab stop %s` goes on with it",
			             context->lab);
		if (!rc && left)
			(void)poll(NULL, 0, 400);
	}
	check_client_free(plain);
	return rc;
}
