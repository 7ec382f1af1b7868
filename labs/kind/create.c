/* SPDX-License-Identifier: MIT */
/* Making a cluster: kind does it, we tell how far it is, and make its machines what the lab asks for. */
#include "labs/kind/kind_internal.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CREATE_TIME   (15 * KT_MIN_NS)
#define DELETE_TIME   (3 * KT_MIN_NS)
#define READY_TIME    (5 * KT_MIN_NS)
#define METRICS_IMAGE "registry.k8s.io/metrics-server/metrics-server:v0.8.0"

/* What kind writes when a stage begins, what we say then, and how long it usually takes (four nodes, two
 * cores). */
static const struct {
	const char *words, *sentence;
	kt_ns usual;
} stages[] = {
        {"Ensuring node image", "looking for the node image", 2 * KT_SEC},
        {"Preparing nodes", "starting the machines", 6 * KT_SEC},
        {"Writing configuration", "writing their configuration", 2 * KT_SEC},
        {"Starting control-plane", "starting the control plane", 20 * KT_SEC},
        {"Installing CNI", "laying the network", 2 * KT_SEC},
        {"Installing StorageClass", "adding storage", 1 * KT_SEC},
        {"Joining worker nodes", "the machines join", 20 * KT_SEC},
        {"Waiting", "waiting for the control plane", 20 * KT_SEC},
};

static bool follow(void *arg, const char *line)
{
	struct kind_stage *stage = arg;
	for (size_t i = 0; line && i < KT_COUNT(stages); i++)
		if (strstr(line, stages[i].words) && stage->sentence != stages[i].sentence) {
			stage->sentence = stages[i].sentence;
			stage->usual = stages[i].usual;
			stage->began = kt_monotonic();
		}
	return kind_tell(stage->kind, stage->sentence, kt_monotonic() - stage->began, stage->usual);
}

static enum kt_code run_create(struct kind *kind, const struct kind_cluster *cluster,
                               const struct kt_json *nodes, struct kt_err *err)
{
	const char *const argv[] = {
	        "kind",           "create",       "cluster",           "--name",   cluster->name, "--image",
	        kind_image(kind), "--kubeconfig", cluster->kubeconfig, "--config", "-",           NULL};
	struct kt_buf config = {0}, errout = {0};
	struct kind_stage stage = {
	        .kind = kind, .sentence = "kind makes the cluster", .began = kt_monotonic()};
	int status = 0;
	kind_config(nodes, kind->cpus, kind->memory, &config);
	enum kt_code rc = kind_run(kind,
	                           &(struct kind_ask){.argv = argv,
	                                              .in = kt_buf_str(&config),
	                                              .errout = &errout,
	                                              .timeout = CREATE_TIME,
	                                              .tick = follow,
	                                              .arg = &stage},
	                           &status, err);
	if (!rc && status)
		rc = kind_explain(kt_buf_str(&errout), err);
	kt_buf_clear(&config);
	kt_buf_clear(&errout);
	return rc;
}

enum kt_code kind_delete(struct kind *kind, const char *name, struct kt_err *err)
{
	char *kubeconfig = kt_strf("%s/kind/%s/kubeconfig", kind->home, name);
	const char *const argv[] = {"kind", "delete",       "cluster",  "--name",
	                            name,   "--kubeconfig", kubeconfig, NULL};
	struct kt_buf errout = {0};
	int status = 0;
	/* not to be cancelled: nothing stays behind */
	enum kt_code rc =
	        kind_run(kind, &(struct kind_ask){.argv = argv, .errout = &errout, .timeout = DELETE_TIME},
	                 &status, err);
	if (!rc && status)
		rc = kt_fail(err, KT_EIO, "kind could not delete the cluster '%s': %.*s", name,
		             (int)KT_MIN(strcspn(kt_buf_str(&errout), "\n"), 200), kt_buf_str(&errout));
	kt_buf_clear(&errout);
	kt_free(kubeconfig);
	return rc;
}

/* --- ready --- */

static bool node_ready(const struct kt_json *node, const char **why)
{
	const struct kt_json *conditions = kt_path(node, "status.conditions");
	ptrdiff_t i = kt_find(conditions, "type", "Ready");
	const struct kt_json *ready = i < 0 ? NULL : kt_at(conditions, (size_t)i);
	*why = kt_get_str(ready, "message");
	return kt_streq(kt_get_str(ready, "status"), "True");
}

/* How many are Ready; the first that is not goes to `waiting`. */
static size_t count_ready(const struct kt_json *nodes, struct kt_buf *waiting)
{
	const struct kt_json *node;
	size_t ready = 0;
	KT_JSON_EACH (node, kt_get(nodes, "items")) {
		const char *why = NULL;
		if (node_ready(node, &why))
			ready++;
		else if (!waiting->len)
			kt_buf_addf(waiting, "%s (%.200s)", kt_str_or(kt_path(node, "metadata.name"), "?"),
			            why ? why : "no word from its kubelet");
	}
	return ready;
}

enum kt_code kind_wait_ready(struct kind *kind, struct check_client *client, size_t count, struct kt_err *err)
{
	kt_ns began = kt_monotonic();
	for (;;) {
		struct kt_json *nodes = NULL;
		struct kt_err why = {0};
		struct kt_buf waiting = {0};
		enum kt_code rc = real_call(client, "GET", "/api/v1/nodes", NULL, NULL, &nodes, &why);
		size_t ready = count_ready(nodes, &waiting);
		bool all = !rc && ready >= count;
		kt_ns since = kt_monotonic() - began;
		if (!all && since > READY_TIME)
			rc = rc ? kt_fail(err, rc, "%s", why.text)
			        : kt_fail(err, KT_ETIMEOUT,
			                  "%zu of %zu machines are ready after %lld s; not so: %s. Too "
			                  "little "
			                  "memory or disk is the usual cause; try again, or with fewer "
			                  "programs open",
			                  ready, count, (long long)(since / KT_SEC),
			                  waiting.len ? kt_buf_str(&waiting) : "some that did not even join");
		else
			rc = rc == KT_EUNREACHABLE || !rc || rc == KT_EDENIED
			             ? KT_OK
			             : kt_fail(err, rc, "%s", why.text);
		kt_json_free(nodes);
		kt_buf_clear(&waiting);
		if (rc || all)
			return rc;
		char *sentence = kt_strf("waiting for the machines: %zu of %zu are ready", ready, count);
		bool go_on = kind_tell(kind, sentence, since, 30 * KT_SEC);
		kt_free(sentence);
		if (!go_on)
			return kt_fail(err, KT_ECANCELLED, "cancelled");
		(void)poll(NULL, 0, 500);
	}
}

/* --- machines become what the lab asks for --- */

static struct kt_json *odd_resources(const struct kt_json *node)
{
	static const char *const usual[] = {"cpu", "memory", "pods", "ephemeral-storage"};
	const struct kt_json *capacity = kt_path(node, "status.capacity");
	struct kt_json *odd = kt_json_object();
	for (size_t i = 0; i < kt_count(capacity); i++) {
		bool known = kt_starts(kt_key(capacity, i), "hugepages-");
		for (size_t u = 0; u < KT_COUNT(usual); u++)
			known = known || kt_streq(kt_key(capacity, i), usual[u]);
		if (!known)
			kt_set(&odd, kt_key(capacity, i), kt_json_ref(kt_at(capacity, i)));
	}
	return odd;
}

static enum kt_code fit_node(struct check_client *client, const struct kt_json *node, struct kt_err *err)
{
	char *path = kt_strf("/api/v1/nodes/%s", kt_path_str(node, "metadata.name")),
	     *status = kt_strf("%s/status", path);
	struct kt_json *odd = odd_resources(node),
	               *patch = kt_jsonf("{metadata: {labels: %J, annotations: %J}, spec: {taints: %J}}",
	                                 kt_path(node, "metadata.labels"),
	                                 kt_path(node, "metadata.annotations"), kt_path(node, "spec.taints")),
	               *more = kt_jsonf("{status: {capacity: %J, allocatable: %J}}", odd, odd);
	/* a machine's architecture is its own */
	kt_unset(kt_edit_path(&patch, "metadata.labels"), "kubernetes.io/arch");
	kt_unset(kt_edit_path(&patch, "metadata.labels"), "beta.kubernetes.io/arch");
	enum kt_code rc =
	        real_call(client, "PATCH", path, "application/strategic-merge-patch+json", patch, NULL, err);
	if (!rc && kt_count(odd))
		rc = real_call(client, "PATCH", status, "application/strategic-merge-patch+json", more, NULL,
		               err);
	kt_json_free(odd);
	kt_json_free(patch);
	kt_json_free(more);
	kt_free(status);
	kt_free(path);
	return rc;
}

static enum kt_code fit_nodes(struct check_client *client, const struct kt_json *nodes, struct kt_err *err)
{
	const struct kt_json *node;
	enum kt_code rc = KT_OK;
	KT_JSON_EACH (node, kt_get(nodes, "items"))
		if (!rc)
			rc = fit_node(client, node, err);
	return rc ? kt_wrap(err, "the machines cannot be labelled") : KT_OK;
}

/* --- add-ons --- */

/* An image of that name which is on the node already, else `otherwise`. Owned. */
static char *image_there(const struct kt_json *node, const char *word, const char *otherwise)
{
	const struct kt_json *image, *name;
	KT_JSON_EACH (image, kt_path(node, "status.images"))
		KT_JSON_EACH (name, kt_get(image, "names"))
			if (strstr(kt_str_or(name, ""), word) && !strchr(kt_str(name), '@'))
				return kt_strdup(kt_str(name));
	return kt_strdup(otherwise);
}

static enum kt_code apply_document(struct check_client *client, const struct kt_json *object,
                                   struct kt_err *err)
{
	struct check_resource resource;
	const char *ns = kt_path_str(object, "metadata.namespace");
	enum kt_code rc = check_find_resource(client, kt_str_or(kt_get(object, "kind"), ""), &resource, err);
	if (rc)
		return rc;
	char *path = kt_strf("%s%s%s/%s/%s", resource.prefix, resource.namespaced ? "/namespaces/" : "",
	                     resource.namespaced ? ns : "", resource.resource,
	                     kt_path_str(object, "metadata.name"));
	rc = real_apply(client, path, object, err);
	kt_free(path);
	return rc;
}

static enum kt_code add_metrics(struct check_client *client, const char *control_plane, struct kt_err *err)
{
	char *share = NULL, *file = NULL, *path = kt_strf("/api/v1/nodes/%s", control_plane), *image = NULL;
	struct kt_json *node = NULL;
	struct kt_yaml *yaml = NULL;
	enum kt_code rc = kt_share(&share, err);
	if (!rc)
		rc = real_call(client, "GET", path, NULL, NULL, &node, err);
	if (!rc) {
		file = kt_strf("%s/labs/kind/metrics-server.yaml", share);
		image = image_there(node, "metrics-server", METRICS_IMAGE);
		rc = kt_yaml_read(file, &yaml, err);
	}
	for (size_t i = 0; !rc && i < kt_yaml_count(yaml); i++) {
		struct kt_json *object = kt_json_ref(kt_yaml_doc(yaml, i));
		if (kt_streq(kt_get_str(object, "kind"), "Deployment"))
			kt_set_path(&object, "spec.template.spec.containers.0.image", kt_json_str(image));
		rc = apply_document(client, object, err);
		kt_json_free(object);
	}
	kt_yaml_free(yaml);
	kt_json_free(node);
	kt_free(image);
	kt_free(file);
	kt_free(path);
	kt_free(share);
	return rc;
}

static enum kt_code add_namespace(struct check_client *client, struct kt_err *err)
{
	struct kt_json *space = kt_jsonf("{apiVersion: 'v1', kind: 'Namespace', metadata: {name: %s, labels: "
	                                 "{'ktutor.dev/made-by': 'ktutor'}}}",
	                                 REAL_NAMESPACE);
	enum kt_code rc = real_apply(client, "/api/v1/namespaces/" REAL_NAMESPACE, space, err);
	kt_json_free(space);
	return rc;
}

/* --- all of it --- */

static enum kt_code write_json(const struct kind_cluster *cluster, const char *name,
                               const struct kt_json *value, struct kt_err *err)
{
	char *path = kt_join(cluster->dir, name);
	enum kt_code rc = kt_write_json(path, value, 0600, err);
	kt_free(path);
	return rc;
}

static enum kt_code finish(struct kind *kind, const struct kind_cluster *cluster, const struct kt_json *nodes,
                           struct kt_err *err)
{
	struct check_client *client = NULL;
	struct kt_json *inventory = NULL;
	enum kt_code rc = check_client_new(cluster->kubeconfig, NULL, false, &client, err);
	if (!rc) /* a control plane that was just made may refuse the first connections */
		rc = kind_wait_ready(kind, client, 1, err);
	if (!rc)
		rc = add_namespace(client, err);
	if (!rc)
		rc = add_metrics(client, kt_path_str(nodes, "items.0.metadata.name"), err);
	if (!rc)
		rc = kind_wait_ready(kind, client, kt_count(kt_get(nodes, "items")), err);
	if (!rc)
		rc = fit_nodes(client, nodes, err);
	if (!rc)
		rc = real_inventory(client, &inventory, err);
	if (!rc)
		rc = write_json(cluster, "baseline.json", inventory, err);
	kt_json_free(inventory);
	check_client_free(client);
	return rc;
}

enum kt_code kind_create(struct kind *kind, const struct kind_cluster *cluster, const struct kt_json *nodes,
                         struct kt_err *err)
{
	struct kt_err ignored = {0};
	enum kt_code rc = kind_room(kind, kt_count(kt_get(nodes, "items")), err);
	if (!rc)
		rc = kind_fetch_image(kind, err);
	if (!rc)
		rc = run_create(kind, cluster, nodes, err);
	if (!rc)
		rc = finish(kind, cluster, nodes, err);
	if (rc && (kind_delete(kind, cluster->name, &ignored) || kt_remove_tree(cluster->dir, &ignored)))
		kt_wrap(err, "(and what there was of it could not be removed: %.200s)", ignored.text);
	return rc;
}
