/* SPDX-License-Identifier: MIT */
/* The given solution beside the learner's own objects. The cluster itself says what a solution's manifest
 * means (a dry run fills in the defaults and reads quantities), so that only what is meant differently is
 * told. */
#include "labs/labs_internal.h"

#include <string.h>

#define DIFFERENCES_MAX 40 /* of an object */
#define VALUE_MAX       120

struct comparing {
	struct check_client *client;
	struct kt_json *rows; /* what is told */
};

/* --- two values --- */

/* Members of metadata that say what is meant; all others are the cluster's. */
static const char *const meant[] = {"labels", "annotations"};
static const char *const left_out[] = {"apiVersion", "kind", "status", "metadata"};
static const char *const noise[] = {"kubectl.kubernetes.io/last-applied-configuration",
                                    "deployment.kubernetes.io/revision",
                                    "clusterIP",
                                    "clusterIPs",
                                    "resourceVersion",
                                    "uid"};

static bool is_among(const char *const *words, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (kt_streq(words[i], word))
			return true;
	return false;
}

static bool same_value(const struct kt_json *a, const struct kt_json *b)
{
	struct kt_quantity ignored;
	const char *x = kt_str(a), *y = kt_str(b);
	if (kt_equal(a, b))
		return true;
	return x && y && kt_quantity_parse(x, &ignored) && kt_quantity_parse(y, &ignored) &&
	       kt_quantity_compare(x, y) == 0;
}

static struct kt_json *short_text(const struct kt_json *value)
{
	char *text = kt_str(value) ? kt_strdup(kt_str(value)) : kt_json_text(value);
	struct kt_json *kept =
	        strlen(text) > VALUE_MAX ? kt_json_strf("%.*s…", VALUE_MAX, text) : kt_json_str(text);
	kt_free(text);
	return kept;
}

static void tell(struct kt_json **out, const char *path, const struct kt_json *own,
                 const struct kt_json *given)
{
	kt_push(out, kt_jsonf("{path: %s, yours: %j, given: %j}", path, own ? short_text(own) : NULL,
	                      given ? short_text(given) : NULL));
}

static void compare(struct kt_json **out, const char *path, const struct kt_json *own,
                    const struct kt_json *given);

static void compare_members(struct kt_json **out, const char *path, const struct kt_json *own,
                            const struct kt_json *given)
{
	const struct kt_json *sides[] = {given, own};
	for (size_t s = 0; s < KT_COUNT(sides); s++)
		for (size_t i = 0; i < kt_count(sides[s]); i++) {
			const char *key = kt_key(sides[s], i);
			if ((s && kt_get(given, key)) || is_among(noise, KT_COUNT(noise), key))
				continue; /* seen from the other side already */
			char *below = *path ? kt_strf("%s.%s", path, key) : kt_strdup(key);
			compare(out, below, kt_get(own, key), kt_get(given, key));
			kt_free(below);
		}
}

/* What tells the items of a list apart; NULL: their place. */
static const char *list_key(const struct kt_json *list)
{
	static const char *const keys[] = {"name", "topologyKey", "containerPort",
	                                   "port", "mountPath",   "key"};
	for (size_t k = 0; k < KT_COUNT(keys); k++) {
		bool all = kt_count(list) > 0;
		for (size_t i = 0; i < kt_count(list); i++)
			all = all && kt_get(kt_at(list, i), keys[k]) != NULL;
		if (all)
			return keys[k];
	}
	return NULL;
}

static const struct kt_json *partner(const struct kt_json *list, const char *key, const struct kt_json *item,
                                     size_t place)
{
	const struct kt_json *other;
	if (!key)
		return kt_at(list, place);
	KT_JSON_EACH (other, list)
		if (kt_equal(kt_get(other, key), kt_get(item, key)))
			return other;
	return NULL;
}

static void compare_items(struct kt_json **out, const char *path, const struct kt_json *own,
                          const struct kt_json *given)
{
	const struct kt_json *sides[] = {given, own};
	const char *key = list_key(given);
	for (size_t s = 0; s < KT_COUNT(sides); s++)
		for (size_t i = 0; i < kt_count(sides[s]); i++) {
			const struct kt_json *item = kt_at(sides[s], i),
			                     *other = partner(sides[1 - s], key, item, i);
			if (s && other)
				continue;
			char *name = key && kt_get(item, key) ? kt_json_text(kt_get(item, key))
			                                      : kt_strf("%zu", i);
			char *below = kt_strf("%s[%.*s]", path, (int)strlen(name) - 2 * (*name == '"'),
			                      name + (*name == '"'));
			compare(out, below, s ? item : other, s ? NULL : item);
			kt_free(below);
			kt_free(name);
		}
}

static void compare(struct kt_json **out, const char *path, const struct kt_json *own,
                    const struct kt_json *given)
{
	if (kt_count(*out) >= DIFFERENCES_MAX || same_value(own, given))
		return;
	if (kt_is_object(own) && kt_is_object(given))
		compare_members(out, path, own, given);
	else if (kt_is_array(own) && kt_is_array(given))
		compare_items(out, path, own, given);
	else if (!(!own && given && !kt_count(given) && (kt_is_object(given) || kt_is_array(given))))
		tell(out, path, own, given);
}

/* What differs between two objects of a kind. New. */
static struct kt_json *differences(const struct kt_json *own, const struct kt_json *given)
{
	struct kt_json *out = kt_json_array(), *a = kt_json_ref(own), *b = kt_json_ref(given);
	for (size_t i = 0; i < KT_COUNT(meant); i++) {
		char *path = kt_strf("metadata.%s", meant[i]);
		compare_members(&out, path, kt_path(own, path), kt_path(given, path));
		kt_free(path);
	}
	for (size_t i = 0; i < KT_COUNT(left_out); i++) {
		kt_unset(&a, left_out[i]);
		kt_unset(&b, left_out[i]);
	}
	compare(&out, "", a, b);
	kt_json_free(a);
	kt_json_free(b);
	return out;
}

/* --- the cluster's word --- */

/* The answer to a request when it was good, else NULL. New. */
static struct kt_json *ask(struct comparing *c, const char *method, const char *path, const char *type,
                           const struct kt_json *body)
{
	struct check_answer answer = {0};
	struct kt_json *json = NULL;
	char *text = body ? kt_json_text(body) : NULL;
	if (!check_request(c->client, method, path, type, text, text ? strlen(text) : 0, &answer, NULL) &&
	    answer.status < 300)
		json = kt_json_ref(answer.json);
	check_answer_clear(&answer);
	kt_free(text);
	return json;
}

/* What the manifest means here: as it would be kept in the place of `own`, or anew. New. */
static struct kt_json *meaning(struct comparing *c, const char *collection, const char *path,
                               const struct kt_json *manifest, bool there)
{
	char *replace = kt_strf("%s?dryRun=All", path),
	     *apply = kt_strf("%s?dryRun=All&fieldManager=ktutor-compare&force=true", path),
	     *create = kt_strf("%s?dryRun=All", collection);
	struct kt_json *given = there ? ask(c, "PUT", replace, "application/json", manifest)
	                              : ask(c, "POST", create, "application/json", manifest);
	if (!given && there) /* something in it cannot be replaced */
		given = ask(c, "PATCH", apply, "application/apply-patch+yaml", manifest);
	kt_free(replace);
	kt_free(apply);
	kt_free(create);
	return given ? given : kt_json_ref(manifest);
}

/* Among the learner's objects of the kind, the one that is most like the given. */
static const struct kt_json *nearest(const struct kt_json *list, const struct kt_json *given)
{
	const struct kt_json *item, *best = NULL;
	size_t fewest = DIFFERENCES_MAX;
	KT_JSON_EACH (item, kt_get(list, "items")) {
		struct kt_json *d = differences(item, given);
		if (kt_count(d) < fewest) {
			fewest = kt_count(d);
			best = item;
		}
		kt_json_free(d);
	}
	return best;
}

static void compare_object(struct comparing *c, const struct kt_json *manifest)
{
	struct check_resource resource;
	const char *kind = kt_str_or(kt_get(manifest, "kind"), ""),
	           *api = kt_str_or(kt_get(manifest, "apiVersion"), ""),
	           *name = kt_path_str(manifest, "metadata.name"),
	           *ns = kt_str_or(kt_path(manifest, "metadata.namespace"), "default");
	const char *slash = strchr(api, '/');
	char *words =
	        slash ? kt_strf("%s.%s.%.*s", kind, slash + 1, (int)(slash - api), api) : kt_strdup(kind);
	bool known = name && !check_find_resource(c->client, words, &resource, NULL);
	kt_free(words);
	if (!known)
		return;
	char *collection = resource.namespaced
	                           ? kt_strf("%s/namespaces/%s/%s", resource.prefix, ns, resource.resource)
	                           : kt_strf("%s/%s", resource.prefix, resource.resource);
	char *path = kt_strf("%s/%s", collection, name);
	struct kt_json *own = ask(c, "GET", path, NULL, NULL);
	bool there = own != NULL;
	struct kt_json *given = meaning(c, collection, path, manifest, there);
	if (!there) {
		struct kt_json *list = ask(c, "GET", collection, NULL, NULL);
		own = kt_json_ref(nearest(list, given));
		kt_json_free(list);
	}
	const char *other = there ? NULL : kt_path_str(own, "metadata.name");
	kt_push(&c->rows,
	        kt_jsonf("{kind: %s, namespace: %s, name: %s, there: %b, nearest: %s, differences: %j}", kind,
	                 resource.namespaced ? ns : NULL, name, (int)there, other,
	                 own ? differences(own, given) : NULL));
	kt_json_free(own);
	kt_json_free(given);
	kt_free(path);
	kt_free(collection);
}

static void compare_file(struct comparing *c, const char *path)
{
	struct kt_yaml *yaml = NULL;
	const struct kt_json *item;
	if (!kt_is_file(path) || kt_yaml_read(path, &yaml, NULL))
		return;
	for (size_t i = 0; i < kt_yaml_count(yaml); i++) {
		const struct kt_json *doc = kt_yaml_doc(yaml, i);
		if (!kt_get(doc, "items"))
			compare_object(c, doc);
		KT_JSON_EACH (item, kt_get(doc, "items"))
			compare_object(c, item);
	}
	kt_yaml_free(yaml);
}

struct kt_json *lab_compare(struct lab_session *session, const struct lab *lab)
{
	struct comparing c = {.client = session->client, .rows = kt_json_array()};
	struct kt_strs names = {0};
	char *dir = kt_join(lab->dir, "solution");
	if (kt_list_dir(dir, &names, NULL))
		kt_strs_clear(&names);
	for (size_t i = 0; i < names.count; i++) {
		char *path = kt_join(dir, names.items[i]);
		compare_file(&c, path);
		kt_free(path);
	}
	kt_strs_clear(&names);
	kt_free(dir);
	return c.rows;
}
