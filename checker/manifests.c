/* SPDX-License-Identifier: MIT */
/* Manifests wherever they stand: in files and folders beside the lab, in the lab, as a text. */
#include "checker/steps_internal.h"

#include <string.h>

static enum kt_code each_document(struct kt_yaml *yaml, const char *path, check_see_fn *see, void *arg,
                                  struct kt_err *err)
{
	enum kt_code rc = KT_OK;
	for (size_t i = 0; !rc && i < kt_yaml_count(yaml); i++) {
		rc = see(arg, kt_yaml_doc(yaml, i), err);
		if (rc && path)
			kt_wrap(err, "%s:%u", path, kt_yaml_line(yaml, kt_yaml_doc(yaml, i)));
	}
	kt_yaml_free(yaml);
	return rc;
}

static bool is_manifest(const char *name)
{
	return (kt_ends(name, ".yaml") || kt_ends(name, ".yml") || kt_ends(name, ".json")) &&
	       !kt_streq(name, "expect.yaml");
}

enum kt_code check_each_manifest_in(const char *path, check_see_fn *see, void *arg, struct kt_err *err)
{
	struct kt_yaml *yaml = NULL;
	struct kt_strs names = {0};
	if (!kt_is_dir(path)) {
		enum kt_code rc = kt_yaml_read(path, &yaml, err);
		return rc ? rc : each_document(yaml, path, see, arg, err);
	}
	enum kt_code rc = kt_list_dir(path, &names, err);
	for (size_t i = 0; !rc && i < names.count; i++) {
		char *file = kt_join(path, names.items[i]);
		if (is_manifest(names.items[i]))
			rc = check_each_manifest_in(file, see, arg, err);
		kt_free(file);
	}
	kt_strs_clear(&names);
	return rc;
}

enum kt_code check_each_manifest(const char *dir, const struct kt_json *item, check_see_fn *see, void *arg,
                                 struct kt_err *err)
{
	const struct kt_json *written = check_written_here(item), *one;
	struct kt_yaml *yaml = NULL;
	enum kt_code rc = KT_OK;
	if (written)
		return check_each_manifest(dir, written, see, arg, err);
	if (kt_is_object(item))
		return see(arg, item, err);
	if (kt_is_array(item)) {
		KT_JSON_EACH (one, item)
			rc = rc ? rc : check_each_manifest(dir, one, see, arg, err);
		return rc;
	}
	if (strchr(kt_str(item), '\n')) {
		rc = kt_yaml_parse_letters("manifest", kt_str(item), kt_str_len(item), &yaml, err);
		return rc ? rc : each_document(yaml, NULL, see, arg, err);
	}
	char *path = kt_join(dir, kt_str(item));
	rc = check_each_manifest_in(path, see, arg, err);
	kt_free(path);
	return rc;
}
