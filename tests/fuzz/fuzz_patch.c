/* SPDX-License-Identifier: MIT */
/* Any patch on any target gives a value or words, and never changes the target. The first byte says which
 * kind of patch; then the target and the patch as two lines of JSON. What a merge patch gives, it gives
 * again. */
#include "tests/fuzz/fuzz.h"

#include "cluster/api/patch.h"

#include <string.h>

static struct kt_json *parse(const char *text, size_t len)
{
	struct kt_json *v = NULL;
	static const struct kt_json_limits limits = {.depth = 64, .bytes = 64 * 1024};
	return kt_json_parse(text, len, &limits, &v, NULL, NULL) ? NULL : v;
}

static bool apply(unsigned how, const struct schema_kind *kind, const struct kt_json *target,
                  const struct kt_json *patch, struct kt_json **out, struct api_status *status)
{
	switch (how % 4) {
	case 0:
		return patch_json(target, patch, out, status);
	case 1:
		return patch_merge(target, patch, out, status);
	case 2:
		return patch_strategic(kind->type, target, patch, out, status);
	default:
		return managed_apply(kind, kt_is_object(target) ? target : NULL, patch, "fuzz", "", how & 4,
		                     KT_SEC, out, status);
	}
}

static void check(unsigned how, const struct schema_kind *kind, const struct kt_json *target,
                  const struct kt_json *patch)
{
	struct kt_json *before = kt_json_copy(target), *out = NULL, *again = NULL;
	struct api_status status = {0};
	bool fine = apply(how, kind, target, patch, &out, &status);
	if (!kt_equal(before, target))
		kt_bug("the target was changed");
	if (!fine && (!status.code || out))
		kt_bug("a failure without a code, or with a value");
	if (fine && how % 4 == 1) {
		struct api_status none = {0};
		if (!patch_merge(out, patch, &again, &none) || !kt_equal(out, again))
			kt_bug("a merge patch does not give the same again");
		api_status_clear(&none);
	}
	api_status_clear(&status);
	kt_json_free(again);
	kt_json_free(out);
	kt_json_free(before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *line = size > 1 ? memchr(text + 1, '\n', size - 1) : NULL;
	if (!line)
		return 0;
	static struct schema *schema;
	if (!schema)
		schema = schema_new();
	const struct schema_kind *kind = schema_stored(schema, "", "Pod");
	struct kt_json *target = parse(text + 1, (size_t)(line - text) - 1);
	struct kt_json *patch = parse(line + 1, size - (size_t)(line - text) - 1);
	/* the verbs give objects only */
	if (kt_is_object(target) && patch && (data[0] % 4 != 3 || kt_is_object(patch)))
		check(data[0], kind, target, patch);
	kt_json_free(target);
	kt_json_free(patch);
	return 0;
}
