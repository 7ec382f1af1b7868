/* SPDX-License-Identifier: MIT */
/* What is known of each cluster: HOME/kind/NAME/cluster.json, written whole or not at all. */
#include "labs/kind/kind_internal.h"

#include <stdio.h>
#include <string.h>

#define RECORD_MAX (64 * 1024)

void kind_cluster_clear(struct kind_cluster *cluster)
{
	kt_free(cluster->dir);
	kt_free(cluster->kubeconfig);
	kt_json_free(cluster->facts);
	memset(cluster, 0, sizeof(*cluster));
}

static void copy(char *out, size_t size, const struct kt_json *json, const char *key)
{
	snprintf(out, size, "%s", kt_str_or(kt_get(json, key), ""));
}

enum kt_code kind_cluster_read(const char *home, const char *name, struct kind_cluster *out,
                               struct kt_err *err)
{
	char *dir = kt_strf("%s/kind/%s", home, name), *path = kt_join(dir, "cluster.json");
	struct kt_json *json = NULL;
	enum kt_code rc = kt_is_file(path)
	                          ? kt_read_json(path, RECORD_MAX, &json, err)
	                          : kt_fail(err, KT_ENOTFOUND, "there is no kind cluster '%s'", name);
	if (!rc) {
		memset(out, 0, sizeof(*out));
		snprintf(out->name, sizeof(out->name), "%s", name);
		copy(out->engine, sizeof(out->engine), json, "engine");
		copy(out->holder, sizeof(out->holder), json, "holder");
		copy(out->shape, sizeof(out->shape), json, "shape");
		out->made = kt_get_bool(json, "made", false);
		out->maker = (long)kt_get_int(json, "maker", 0);
		out->facts = kt_json_ref(kt_get(json, "facts"));
		out->kubeconfig = kt_join(dir, "kubeconfig");
		out->dir = dir;
		dir = NULL;
	}
	kt_json_free(json);
	kt_free(path);
	kt_free(dir);
	return rc;
}

enum kt_code kind_cluster_write(const struct kind_cluster *cluster, struct kt_err *err)
{
	char *path = kt_join(cluster->dir, "cluster.json");
	struct kt_json *json = kt_jsonf("{engine: %s, holder: %s, shape: %s, made: %b, maker: %l, facts: %J}",
	                                cluster->engine, cluster->holder, cluster->shape, cluster->made,
	                                (int64_t)cluster->maker, cluster->facts);
	enum kt_code rc = kt_make_dirs(cluster->dir, 0700, err);
	if (!rc)
		rc = kt_write_json(path, json, 0600, err);
	kt_json_free(json);
	kt_free(path);
	return rc;
}

enum kt_code kind_names(const char *home, struct kt_strs *out, struct kt_err *err)
{
	char *root = kt_join(home, "kind");
	struct kt_strs all = {0};
	enum kt_code rc = kt_is_dir(root) ? kt_list_dir(root, &all, err) : KT_OK;
	for (size_t i = 0; i < all.count; i++) {
		char *path = kt_strf("%s/%s/cluster.json", root, all.items[i]);
		if (kt_is_file(path))
			kt_strs_add(out, all.items[i]);
		kt_free(path);
	}
	kt_strs_clear(&all);
	kt_free(root);
	return rc;
}

enum kt_code kind_find(const char *home, const char *word, struct kind_cluster *out, struct kt_err *err)
{
	struct kt_strs names = {0};
	enum kt_code rc = kind_names(home, &names, err);
	bool found = false;
	for (size_t i = 0; !rc && !found && i < names.count; i++) {
		struct kind_cluster one = {0};
		if (kind_cluster_read(home, names.items[i], &one, NULL))
			continue;
		found = kt_streq(one.name, word) || (one.holder[0] && kt_streq(one.holder, word));
		if (found)
			*out = one;
		else
			kind_cluster_clear(&one);
	}
	if (!rc && !found)
		rc = kt_fail(err, KT_ENOTFOUND, "there is no kind cluster '%s'", word);
	kt_strs_clear(&names);
	return rc;
}
