/* SPDX-License-Identifier: MIT */
/* One context out of a person's kubeconfigs, and what is kept of it. */
#include "labs/context/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_MAX (1024 * 1024)

/* --- what is kept --- */

void context_clear(struct context *context)
{
	kt_free(context->dir);
	kt_free(context->kubeconfig);
	kt_free(context->name);
	kt_free(context->server);
	kt_json_free(context->made);
	memset(context, 0, sizeof(*context));
}

enum kt_code context_read(const char *home, const char *lab, struct context *out, struct kt_err *err)
{
	char *dir = kt_strf("%s/context/%s", home, lab), *path = kt_join(dir, "context.json");
	struct kt_json *json = NULL;
	enum kt_code rc = kt_is_file(path)
	                          ? kt_read_json(path, RECORD_MAX, &json, err)
	                          : kt_fail(err, KT_ENOTFOUND, "the lab '%s' runs on no context", lab);
	memset(out, 0, sizeof(*out));
	if (!rc) {
		out->dir = kt_strdup(dir);
		out->kubeconfig = kt_join(dir, "kubeconfig");
		out->name = kt_strdup(kt_get_str(json, "context"));
		out->server = kt_strdup(kt_get_str(json, "server"));
		snprintf(out->lab, sizeof(out->lab), "%s", lab);
		snprintf(out->home, sizeof(out->home), "%s", kt_str_or(kt_get(json, "home"), ""));
		out->allow_nodes = kt_get_bool(json, "allow-nodes", false);
		out->allow_cluster = kt_get_bool(json, "allow-cluster", false);
		out->allow_exec = kt_get_bool(json, "allow-exec", false);
		out->made = kt_json_ref(kt_get(json, "made"));
	}
	kt_json_free(json);
	kt_free(path);
	kt_free(dir);
	return rc;
}

enum kt_code context_write(const struct context *context, struct kt_err *err)
{
	char *path = kt_join(context->dir, "context.json");
	struct kt_json *json =
	        kt_jsonf("{context: %s, server: %s, home: %s, 'allow-nodes': %b, 'allow-cluster': %b, "
	                 "'allow-exec': %b, made: %J}",
	                 context->name, context->server, context->home, context->allow_nodes,
	                 context->allow_cluster, context->allow_exec, context->made);
	enum kt_code rc = kt_make_dirs(context->dir, 0700, err);
	if (!rc)
		rc = kt_write_json(path, json, 0600, err);
	kt_json_free(json);
	kt_free(path);
	return rc;
}

void context_forget(const struct context *context)
{
	struct kt_err ignored = {0};
	if (kt_remove_tree(context->dir, &ignored)) {
		/* it stays listed, and a next stop removes it */
	}
}

enum kt_code context_names(const char *home, struct kt_strs *out, struct kt_err *err)
{
	char *root = kt_join(home, "context");
	enum kt_code rc = kt_is_dir(root) ? kt_list_dir(root, out, err) : KT_OK;
	kt_free(root);
	return rc;
}

/* --- kubeconfigs --- */

void context_files(const char *given, struct kt_strs *out)
{
	const char *list = given ? given : getenv("KUBECONFIG"), *home = getenv("HOME"), *piece;
	size_t len;
	if (given) {
		kt_strs_add(out, given);
		return;
	}
	while (list && *list && (piece = kt_split(&list, ':', &len)))
		if (len)
			kt_strs_steal(out, kt_strndup(piece, len));
	if (!out->count && home)
		kt_strs_steal(out, kt_join(home, ".kube/config"));
}

static const struct kt_json *entry(const struct kt_json *doc, const char *list, const char *name)
{
	const struct kt_json *items = kt_get(doc, list);
	ptrdiff_t i = name ? kt_find(items, "name", name) : -1;
	return i < 0 ? NULL : kt_at(items, (size_t)i);
}

/* Members that name files, beside the kubeconfig where they are relative. */
static struct kt_json *absolute(const struct kt_json *row, const char *of, const char *file)
{
	static const char *const paths[] = {"certificate-authority", "client-certificate", "client-key",
	                                    "tokenFile"};
	struct kt_json *copy = kt_json_ref(row);
	size_t dir = (size_t)(kt_basename(file) - file);
	for (size_t i = 0; i < KT_COUNT(paths); i++) {
		const char *path = kt_get_str(kt_get(row, of), paths[i]);
		if (path && path[0] != '/')
			kt_set(kt_edit(&copy, of), paths[i], kt_json_strf("%.*s%s", (int)dir, file, path));
	}
	const char *command = kt_path_str(kt_get(row, of), "exec.command");
	if (command && command[0] != '/' && strchr(command, '/'))
		kt_set_path(kt_edit(&copy, of), "exec.command",
		            kt_json_strf("%.*s%s", (int)dir, file, command));
	return copy;
}

static enum kt_code hold_user(const struct kt_json *user, const char *name, struct kt_err *err)
{
	const char *old = kt_path_str(user, "auth-provider.name");
	if (!old)
		return KT_OK;
	return kt_fail(
	        err, KT_EUNSUPPORTED,
	        "context '%s' logs in with auth-provider '%s', which kubectl no longer knows (since 1.26): "
	        "its "
	        "place is taken by exec plugins, for OIDC `kubectl oidc-login` (kubelogin); set one up, then "
	        "start the lab again",
	        name, old);
}

/* Entries may stand in several files, as kubectl merges them: the first that has one counts. */
struct merged {
	struct kt_yaml **yamls;
	const char **files;
	size_t count;
};

static const struct kt_json *find(const struct merged *m, const char *list, const char *name,
                                  const char **file)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct kt_json *row = entry(kt_yaml_doc(m->yamls[i], 0), list, name);
		if (row) {
			*file = m->files[i];
			return row;
		}
	}
	return NULL;
}

static void names_of(const struct merged *m, struct kt_buf *out)
{
	const struct kt_json *row;
	for (size_t i = 0; i < m->count; i++)
		KT_JSON_EACH (row, kt_get(kt_yaml_doc(m->yamls[i], 0), "contexts"))
			if (out->len < 300)
				kt_buf_addf(out, "%s%s", out->len ? ", " : "",
				            kt_str_or(kt_get(row, "name"), "?"));
}

static enum kt_code extract(const struct merged *m, const char *name, struct kt_json **out, char **plugin,
                            struct kt_err *err)
{
	const char *file = NULL, *cluster_file = NULL, *user_file = NULL;
	for (size_t i = 0; !name && i < m->count; i++)
		name = kt_get_str(kt_yaml_doc(m->yamls[i], 0), "current-context");
	const struct kt_json *context = find(m, "contexts", name, &file);
	struct kt_buf there = {0};
	names_of(m, &there);
	enum kt_code rc = KT_OK;
	if (!context)
		rc = kt_fail(err, KT_ENOTFOUND,
		             name && *name ? "there is no context '%s'; there is: %s"
		                           : "%swhich context? --context C is wanted; there is: %s",
		             name && *name ? name : "",
		             there.len ? kt_buf_str(&there) : "none (no kubeconfig was found)");
	const struct kt_json *cluster = find(m, "clusters", kt_path_str(context, "context.cluster"),
	                                     &cluster_file),
	                     *user = find(m, "users", kt_path_str(context, "context.user"), &user_file);
	if (!rc && !kt_path_str(cluster, "cluster.server"))
		rc = kt_fail(err, KT_EINVAL, "context '%s' names no cluster with a server", name);
	if (!rc)
		rc = hold_user(kt_get(user, "user"), name, err);
	if (!rc) {
		const char *command = kt_path_str(user, "user.exec.command");
		*plugin = kt_strdup(command);
		*out = kt_jsonf(
		        "{apiVersion: 'v1', kind: 'Config', 'current-context': %s, contexts: [%J], clusters: "
		        "[%j], users: [%j]}",
		        name, context, absolute(cluster, "cluster", cluster_file),
		        user ? absolute(user, "user", user_file) : NULL);
	}
	kt_buf_clear(&there);
	return rc;
}

enum kt_code context_extract(const struct kt_strs *files, const char *name, struct kt_json **out,
                             char **plugin, struct kt_err *err)
{
	struct merged m = {.yamls = kt_alloc((files->count + 1) * sizeof(*m.yamls)),
	                   .files = kt_alloc((files->count + 1) * sizeof(*m.files))};
	enum kt_code rc = KT_OK;
	for (size_t i = 0; !rc && i < files->count; i++) {
		if (!kt_is_file(files->items[i]))
			continue; /* kubectl passes over them, too */
		rc = kt_yaml_read(files->items[i], &m.yamls[m.count], err);
		m.files[m.count] = files->items[i];
		m.count += !rc;
	}
	if (!rc)
		rc = extract(&m, name, out, plugin, err);
	for (size_t i = 0; i < m.count; i++)
		kt_yaml_free(m.yamls[i]);
	kt_free(m.yamls);
	kt_free(m.files);
	return rc;
}
