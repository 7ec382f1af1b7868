/* SPDX-License-Identifier: MIT */
/* Keys of our own YAML formats: what is not known is an error that helps. */
#include "base/yaml.h"

#define LISTED 24

enum kt_code kt_yaml_unknown_key(const struct kt_yaml *yaml, const struct kt_json *node, const char *what,
                                 const char *key, const char *const *known, size_t count, struct kt_err *err)
{
	const char *near = kt_nearest(key, known, count);
	if (near)
		return kt_yaml_fail(yaml, node, err, "%s has no '%s': did you mean '%s'?", what, key, near);
	struct kt_buf list = {0};
	for (size_t i = 0; i < count && i < LISTED; i++)
		kt_buf_addf(&list, "%s%s", i ? ", " : "", known[i]);
	enum kt_code rc =
	        kt_yaml_fail(yaml, node, err, "%s has no '%s'; it has %s", what, key, kt_buf_str(&list));
	kt_buf_clear(&list);
	return rc;
}

enum kt_code kt_yaml_keys(const struct kt_yaml *yaml, const struct kt_json *object, const char *what,
                          const char *const *known, size_t count, struct kt_err *err)
{
	if (!kt_is_object(object))
		return kt_yaml_fail(yaml, object, err, "%s: expected a map", what);
	for (size_t i = 0; i < kt_count(object); i++) {
		bool is_known = false;
		for (size_t k = 0; k < count; k++)
			is_known = is_known || kt_streq(kt_key(object, i), known[k]);
		if (!is_known)
			return kt_yaml_unknown_key(yaml, kt_at(object, i), what, kt_key(object, i), known,
			                           count, err);
	}
	return KT_OK;
}
