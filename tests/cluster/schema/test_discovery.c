/* SPDX-License-Identifier: MIT */
/* Discovery against what the real server answered (discovery-*.json: recorded). */
#include "tests/cluster/schema/help.h"

/* Our groups that a bare real server does not have. */
static bool ours_only(const struct kt_json *group)
{
	const char *name = kt_path_str(group, "metadata.name");
	return kt_streq(name, "gateway.networking.k8s.io") || kt_streq(name, "metrics.k8s.io");
}

static void check_root(bool legacy, const char *path)
{
	struct kt_json *real = read_json(path), *ours = schema_discovery_root(schema, legacy, "v2");
	const struct kt_json *groups = kt_get(ours, "items"), *expected = kt_get(real, "items");
	size_t n = 0;
	for (size_t i = 0; i < kt_count(groups); i++) {
		if (ours_only(kt_at(groups, i)))
			continue;
		char *have = kt_json_text(kt_at(groups, i)), *want = kt_json_text(kt_at(expected, n));
		if (!kt_equal(kt_at(groups, i), kt_at(expected, n)))
			fail_msg("ours %.3000s\nreal %.3000s", have, want);
		kt_free(have);
		kt_free(want);
		n++;
	}
	assert_int_equal(n, kt_count(expected));
	assert_string_equal(kt_get_str(ours, "apiVersion"), "apidiscovery.k8s.io/v2");
	kt_json_free(real);
	kt_json_free(ours);
}

static void aggregated_discovery_equals_the_real_one_in_its_order(void **state)
{
	(void)state;
	check_root(true, "tests/cluster/schema/discovery-api.json");
	check_root(false, "tests/cluster/schema/discovery-apis.json");
}

static void plain_discovery_prints_as_the_real_one_does(void **state)
{
	(void)state;
	struct kt_json *all = read_json("tests/cluster/schema/discovery-plain.json");
	assert_true(kt_count(all) >= 4);
	for (size_t i = 0; i < kt_count(all); i++) {
		char *path = kt_strdup(kt_key(all, i) + strlen("/apis/"));
		char *slash = strchr(path, '/');
		if (slash)
			*slash = 0;
		struct kt_json *ours = slash ? schema_discovery_version(schema, path, slash + 1)
		                             : schema_discovery_group(schema, path);
		char *want = kt_json_text(kt_at(all, i));
		assert_json(ours, want);
		kt_free(want);
		kt_free(path);
		kt_json_free(ours);
	}
	kt_json_free(all);
}

static void what_is_not_there_has_no_discovery(void **state)
{
	(void)state;
	assert_null(schema_discovery_group(schema, "nonsense"));
	assert_null(schema_discovery_group(schema, ""));
	assert_null(schema_discovery_version(schema, "apps", "v9"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(aggregated_discovery_equals_the_real_one_in_its_order),
	        cmocka_unit_test(plain_discovery_prints_as_the_real_one_does),
	        cmocka_unit_test(what_is_not_there_has_no_discovery),
	};
	return cmocka_run_group_tests(tests, with_schema, without_schema);
}
