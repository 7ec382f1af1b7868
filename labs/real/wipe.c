/* SPDX-License-Identifier: MIT */
/* Putting a cluster back: what there was is kept as an inventory; what is not in it is deleted, what was
 * changed or deleted of it is put back. What controllers made by themselves (it has an owner that controls
 * it) follows its owner and is left alone. */
#include "labs/real/real.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define LIMIT        (150 * KT_SEC)
#define OWN_DELETION (12 * KT_SEC) /* a provisioner deletes its volumes by itself: it is given this long */
#define STUCK        (6 * KT_SEC)  /* then nobody will take the finalizer away */
#define ROUND        (400 * KT_MS)

/* Kept by the system for itself: never deleted, never put back. */
static const char *const left_alone[] = {"events",
                                         "leases",
                                         "endpoints",
                                         "componentstatuses",
                                         "csinodes",
                                         "csistoragecapacities",
                                         "volumeattachments",
                                         "certificatesigningrequests",
                                         "ipaddresses",
                                         "servicecidrs",
                                         "resourceslices",
                                         "flowschemas",
                                         "prioritylevelconfigurations",
                                         "storageversions",
                                         "leasecandidates",
                                         "nodeconditions"};
static const char *const groups_left_alone[] = {"metrics.k8s.io", "crd.projectcalico.org",
                                                "apiregistration.k8s.io"};
/* Single objects likewise: controllers make or change them by themselves. */
static const char *const objects_left_alone[][2] = {{"configmaps", "/kube-root-ca.crt"},
                                                    {"configmaps", "kube-public/cluster-info"},
                                                    {"serviceaccounts", "/default"},
                                                    {"secrets", "kube-system/bootstrap-token-"}};
/* These may refuse requests of ours: they go first. */
static const char *const first[] = {"validatingwebhookconfigurations", "mutatingwebhookconfigurations",
                                    "validatingadmissionpolicybindings", "validatingadmissionpolicies"};
/* Somebody takes these away in time. */
static const char *const honest_finalizers[] = {"kubernetes.io/pvc-protection", "kubernetes.io/pv-protection",
                                                "foregroundDeletion", "orphan"};

static bool among(const char *word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (kt_streq(word, words[i]))
			return true;
	return false;
}

/* --- what kinds there are --- */

static enum kt_code add_version(struct check_client *client, const char *path, struct kt_json **out,
                                struct kt_err *err)
{
	struct kt_json *version = NULL;
	const struct kt_json *r;
	enum kt_code rc = real_call(client, "GET", path, NULL, NULL, &version, err);
	KT_JSON_EACH (r, kt_get(version, "resources")) {
		const char *name = kt_get_str(r, "name");
		if (rc || !name || strchr(name, '/') || !kt_has_word(kt_get(r, "verbs"), "list") ||
		    !kt_has_word(kt_get(r, "verbs"), "delete") ||
		    among(name, left_alone, KT_COUNT(left_alone)))
			continue;
		struct kt_json *row =
		        kt_jsonf("{prefix: %s, resource: %s, kind: %J, version: %s, namespaced: %b}", path,
		                 name, kt_get(r, "kind"), kt_str_or(kt_get(version, "groupVersion"), "v1"),
		                 kt_get_bool(r, "namespaced", false));
		if (among(name, first, KT_COUNT(first)))
			kt_insert(out, 0, row);
		else
			kt_push(out, row);
	}
	kt_json_free(version);
	return rc;
}

/* [{prefix, resource, kind, version, namespaced}] of all that can be listed and deleted, each once. */
static enum kt_code kinds_of(struct check_client *client, struct kt_json **out, struct kt_err *err)
{
	struct kt_json *groups = NULL;
	const struct kt_json *group;
	*out = kt_json_array();
	enum kt_code rc = add_version(client, "/api/v1", out, err);
	if (!rc)
		rc = real_call(client, "GET", "/apis", NULL, NULL, &groups, err);
	KT_JSON_EACH (group, kt_get(groups, "groups")) {
		struct kt_err ignored = {0};
		char *path =
		        kt_strf("/apis/%s", kt_str_or(kt_path(group, "preferredVersion.groupVersion"), ""));
		/* one aggregated API that does not answer is no reason to leave the rest */
		if (!rc &&
		    !among(kt_get_str(group, "name"), groups_left_alone, KT_COUNT(groups_left_alone)) &&
		    add_version(client, path, out, &ignored) == KT_EUNREACHABLE)
			rc = kt_fail(err, KT_EUNREACHABLE, "%s", ignored.text);
		kt_free(path);
	}
	kt_json_free(groups);
	if (rc)
		kt_json_freep(out);
	return rc;
}

static char *object_path(const struct kt_json *kind, const char *ns, const char *name)
{
	const char *prefix = kt_get_str(kind, "prefix"), *resource = kt_get_str(kind, "resource");
	bool in_ns = kt_get_bool(kind, "namespaced", false) && ns;
	return kt_strf("%s%s%s/%s%s%s", prefix, in_ns ? "/namespaces/" : "", in_ns ? ns : "", resource,
	               name ? "/" : "", name ? name : "");
}

/* --- objects --- */

static bool controlled(const struct kt_json *object)
{
	const struct kt_json *owner;
	KT_JSON_EACH (owner, kt_path(object, "metadata.ownerReferences"))
		if (kt_get_bool(owner, "controller", false))
			return true;
	return false;
}

static bool is_left_alone(const char *resource, const char *key)
{
	for (size_t i = 0; i < KT_COUNT(objects_left_alone); i++) {
		const char *part = objects_left_alone[i][1];
		if (kt_streq(resource, objects_left_alone[i][0]) &&
		    (part[0] == '/' ? kt_ends(key, part) : kt_starts(key, part)))
			return true;
	}
	return false;
}

/* What is compared and put back: all but what the server and controllers write. */
static struct kt_json *essence(const struct kt_json *object, const char *resource)
{
	static const char *const no_part[] = {"metadata", "status", "apiVersion", "kind"};
	struct kt_json *out = kt_json_object();
	bool node = kt_streq(resource, "nodes");
	for (size_t i = 0; i < kt_count(object); i++)
		if (!node && !among(kt_key(object, i), no_part, KT_COUNT(no_part)))
			kt_set(&out, kt_key(object, i), kt_json_ref(kt_at(object, i)));
	kt_set_path(&out, "metadata.labels", kt_json_ref(kt_path(object, "metadata.labels")));
	if (!node) {
		kt_set_path(&out, "metadata.annotations",
		            kt_json_ref(kt_path(object, "metadata.annotations")));
		return out;
	}
	struct kt_json *taints = kt_json_array();
	const struct kt_json *taint;
	KT_JSON_EACH (taint, kt_path(object, "spec.taints"))
		if (!kt_starts(kt_str_or(kt_get(taint, "key"), ""), "node.kubernetes.io/"))
			kt_push(&taints, kt_json_ref(taint));
	kt_set_path(&out, "spec.taints", taints);
	kt_set_path(&out, "spec.unschedulable",
	            kt_json_bool(kt_path_bool(object, "spec.unschedulable", false)));
	return out;
}

static char *key_of(const struct kt_json *object)
{
	return kt_strf("%s/%s", kt_str_or(kt_path(object, "metadata.namespace"), ""),
	               kt_str_or(kt_path(object, "metadata.name"), ""));
}

static enum kt_code list(struct check_client *client, const struct kt_json *kind, struct kt_json **out,
                         struct kt_err *err)
{
	struct kt_err why = {0};
	char *path = object_path(kind, NULL, NULL);
	enum kt_code rc = real_call(client, "GET", path, NULL, NULL, out, &why);
	kt_free(path);
	if (rc == KT_EUNREACHABLE)
		return kt_fail(err, rc, "%s", why.text);
	return KT_OK; /* a kind that went away, or that nobody may list */
}

enum kt_code real_inventory(struct check_client *client, struct kt_json **out, struct kt_err *err)
{
	struct kt_json *kinds = NULL, *all = kt_json_object();
	const struct kt_json *kind, *object;
	enum kt_code rc = kinds_of(client, &kinds, err);
	KT_JSON_EACH (kind, kinds) {
		struct kt_json *items = NULL, *rows = kt_json_object();
		if (!rc)
			rc = list(client, kind, &items, err);
		KT_JSON_EACH (object, kt_get(items, "items"))
			if (!controlled(object)) {
				const char *resource = kt_get_str(kind, "resource");
				char *key = key_of(object);
				if (!is_left_alone(resource, key))
					kt_set(&rows, key, essence(object, resource));
				kt_free(key);
			}
		kt_set(&all, kt_get_str(kind, "resource"), rows);
		kt_json_free(items);
	}
	kt_json_free(kinds);
	if (rc)
		kt_json_free(all);
	else
		*out = all;
	return rc;
}

/* --- wiping --- */

struct wipe {
	struct check_client *client;
	const struct kt_json *inventory;
	kt_ns began;
	size_t left; /* objects that are still there and should not be, this round */
	char last[160];
};

/* The namespace is of the cluster itself. */
static bool own_namespace(const struct wipe *w, const char *ns)
{
	char *key = kt_strf("/%s", ns);
	bool own = kt_get(kt_get(w->inventory, "namespaces"), key) != NULL;
	kt_free(key);
	return own;
}

static enum kt_code quietly(struct wipe *w, const char *method, const char *path, const char *type,
                            const struct kt_json *body, struct kt_err *err)
{
	struct kt_err why = {0};
	enum kt_code rc = real_call(w->client, method, path, type, body, NULL, &why);
	return rc == KT_EUNREACHABLE ? kt_fail(err, rc, "%s", why.text) : KT_OK;
}

static bool has_odd_finalizer(const struct kt_json *object)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, kt_path(object, "metadata.finalizers"))
		if (!among(kt_str(item), honest_finalizers, KT_COUNT(honest_finalizers)))
			return true;
	return false;
}

static enum kt_code take_away(struct wipe *w, const struct kt_json *kind, const struct kt_json *object,
                              struct kt_err *err)
{
	const char *resource = kt_get_str(kind, "resource"), *name = kt_path_str(object, "metadata.name"),
	           *ns = kt_path_str(object, "metadata.namespace");
	bool going = kt_path(object, "metadata.deletionTimestamp") != NULL;
	kt_ns since = kt_monotonic() - w->began;
	char *path = object_path(kind, ns, name);
	enum kt_code rc = KT_OK;
	if (kt_streq(resource, "namespaces") && !going) {
		/* nobody waits for programs that are thrown away */
		char *pods = kt_strf("/api/v1/namespaces/%s/pods?gracePeriodSeconds=0", name);
		rc = quietly(w, "DELETE", pods, NULL, NULL, err);
		kt_free(pods);
	}
	bool by_itself = kt_streq(resource, "persistentvolumes") && since < OWN_DELETION;
	if (!rc && !going && !by_itself) {
		char *now = kt_strf("%s%s", path, kt_streq(resource, "pods") ? "?gracePeriodSeconds=0" : "");
		rc = quietly(w, "DELETE", now, NULL, NULL, err);
		kt_free(now);
	}
	if (!rc && going && since > STUCK && has_odd_finalizer(object)) {
		struct kt_json *patch = kt_jsonf("{metadata: {}}");
		kt_set_path(&patch, "metadata.finalizers", kt_json_null());
		rc = quietly(w, "PATCH", path, "application/merge-patch+json", patch, err);
		kt_json_free(patch);
	}
	kt_free(path);
	return rc;
}

/* What a person changed of the cluster's own goes back to what it was. */
static enum kt_code put_back(struct wipe *w, const struct kt_json *kind, const struct kt_json *object,
                             const struct kt_json *wanted, struct kt_err *err)
{
	const char *ns = kt_path_str(object, "metadata.namespace"),
	           *name = kt_path_str(object, "metadata.name");
	struct kt_json *now = kt_json_ref(object);
	bool node = kt_streq(kt_get_str(kind, "resource"), "nodes");
	static const char *const kept[] = {"metadata", "status"};
	for (size_t i = kt_count(now); i-- > 0;)
		if (!node && !among(kt_key(now, i), kept, KT_COUNT(kept)))
			kt_remove(&now, i);
	for (size_t i = 0; i < kt_count(wanted); i++)
		if (!among(kt_key(wanted, i), kept, KT_COUNT(kept)) && !node)
			kt_set(&now, kt_key(wanted, i), kt_json_ref(kt_at(wanted, i)));
	kt_set(&now, "apiVersion", kt_json_ref(kt_get(kind, "version")));
	kt_set(&now, "kind", kt_json_ref(kt_get(kind, "kind")));
	kt_set_path(&now, "metadata.labels", kt_json_ref(kt_path(wanted, "metadata.labels")));
	if (node) {
		kt_set_path(&now, "spec.taints", kt_json_ref(kt_path(wanted, "spec.taints")));
		kt_set_path(&now, "spec.unschedulable", kt_json_ref(kt_path(wanted, "spec.unschedulable")));
	} else {
		kt_set_path(&now, "metadata.annotations",
		            kt_json_ref(kt_path(wanted, "metadata.annotations")));
	}
	char *path = object_path(kind, ns, name);
	enum kt_code rc = quietly(w, "PUT", path, "application/json", now, err);
	kt_free(path);
	kt_json_free(now);
	return rc;
}

static enum kt_code make_again(struct wipe *w, const struct kt_json *kind, const char *key,
                               const struct kt_json *wanted, struct kt_err *err)
{
	const char *slash = strchr(key, '/');
	char *ns = slash > key ? kt_strndup(key, (size_t)(slash - key)) : NULL,
	     *path = object_path(kind, ns, NULL);
	struct kt_json *object = kt_json_ref(wanted);
	kt_set(&object, "apiVersion", kt_json_ref(kt_get(kind, "version")));
	kt_set(&object, "kind", kt_json_ref(kt_get(kind, "kind")));
	kt_set_path(&object, "metadata.name", kt_json_str(slash + 1));
	if (ns)
		kt_set_path(&object, "metadata.namespace", kt_json_str(ns));
	enum kt_code rc = quietly(w, "POST", path, "application/json", object, err);
	kt_json_free(object);
	kt_free(path);
	kt_free(ns);
	return rc;
}

static enum kt_code wipe_object(struct wipe *w, const struct kt_json *kind, const struct kt_json *rows,
                                const struct kt_json *object, struct kt_json **seen, struct kt_err *err)
{
	const char *ns = kt_path_str(object, "metadata.namespace"), *resource = kt_get_str(kind, "resource");
	char *key = key_of(object);
	const struct kt_json *wanted = kt_get(rows, key);
	enum kt_code rc = KT_OK;
	bool inside = ns && !own_namespace(w, ns), /* goes with its namespace */
	        going = kt_path(object, "metadata.deletionTimestamp") != NULL;
	if (wanted) {
		struct kt_json *now = essence(object, resource);
		kt_set(seen, key, kt_json_bool(true));
		if (!kt_equal(now, wanted))
			rc = put_back(w, kind, object, wanted, err);
		kt_json_free(now);
	} else if (!inside && is_left_alone(resource, key)) {
		/* a controller's business */
	} else if ((inside && going && has_odd_finalizer(object)) || (!inside && !controlled(object))) {
		rc = take_away(w, kind, object, err);
		w->left++;
		snprintf(w->last, sizeof(w->last), "%s %s", resource, key + (key[0] == '/'));
	}
	kt_free(key);
	return rc;
}

static enum kt_code wipe_round(struct wipe *w, const struct kt_json *kinds, struct kt_err *err)
{
	const struct kt_json *kind, *object;
	enum kt_code rc = KT_OK;
	w->left = 0;
	KT_JSON_EACH (kind, kinds) {
		const struct kt_json *rows = kt_get(w->inventory, kt_get_str(kind, "resource"));
		struct kt_json *items = NULL, *seen = kt_json_object();
		if (!rc)
			rc = list(w->client, kind, &items, err);
		KT_JSON_EACH (object, kt_get(items, "items"))
			if (!rc)
				rc = wipe_object(w, kind, rows, object, &seen, err);
		for (size_t i = 0; !rc && items && i < kt_count(rows); i++)
			if (!kt_get(seen, kt_key(rows, i)) && !kt_streq(kt_get_str(kind, "resource"), "pods"))
				rc = make_again(w, kind, kt_key(rows, i), kt_at(rows, i), err);
		kt_json_free(seen);
		kt_json_free(items);
	}
	return rc;
}

enum kt_code real_wipe(struct check_client *client, const struct kt_json *inventory,
                       bool (*tell)(void *arg, const char *sentence, kt_ns elapsed, kt_ns limit), void *arg,
                       struct kt_err *err)
{
	struct wipe w = {.client = client, .inventory = inventory, .began = kt_monotonic()};
	for (;;) {
		struct kt_json *kinds = NULL;
		enum kt_code rc = kinds_of(client, &kinds, err);
		if (!rc)
			rc = wipe_round(&w, kinds, err);
		kt_json_free(kinds);
		kt_ns since = kt_monotonic() - w.began;
		if (rc || !w.left)
			return rc;
		if (since > LIMIT)
			return kt_fail(err, KT_ETIMEOUT, "%s does not go away", w.last);
		if (tell && !tell(arg, "putting back what there was", since, LIMIT))
			return kt_fail(err, KT_ECANCELLED, "cancelled");
		(void)poll(NULL, 0, (int)(ROUND / KT_MS));
	}
}
