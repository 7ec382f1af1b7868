/* SPDX-License-Identifier: MIT */
/* Zones and regions that a lab's steps name must be those of its machines: told when it is read, before
 * anything starts. */
#include "labs/labs_internal.h"

#include <stdio.h>
#include <string.h>

struct places {
	const struct kt_yaml *yaml;
	struct kt_strs zones, regions;
	struct kt_err *err;
};

static void note(struct kt_strs *names, const char *name)
{
	if (name && !kt_strs_has(names, name))
		kt_strs_add(names, name);
}

static bool has(const struct kt_strs *names, const char *prefix, const char *name)
{
	for (size_t i = 0; i < names->count; i++) {
		const char *its = names->items[i];
		if (kt_streq(its, name) || (kt_starts(its, prefix) && kt_streq(its + strlen(prefix), name)))
			return true;
	}
	return false;
}

static enum kt_code hold_name(struct places *p, const struct kt_json *node, bool region, const char *name)
{
	const struct kt_strs *names = region ? &p->regions : &p->zones;
	struct kt_buf there = {0};
	if (has(names, region ? "region-" : "zone-", name))
		return KT_OK;
	for (size_t i = 0; i < names->count; i++)
		kt_buf_addf(&there, "%s%s", i ? ", " : "", names->items[i]);
	enum kt_code rc =
	        kt_yaml_fail(p->yaml, node, p->err, "none of the lab's machines is in %s '%s'; there is: %s",
	                     region ? "region" : "zone", name, there.len ? kt_buf_str(&there) : "none");
	kt_buf_clear(&there);
	return rc;
}

/* `zone: a`, `zone: {name: a}`, `between: [zone a, region b]`. */
static enum kt_code hold_key(struct places *p, const char *key, const struct kt_json *v)
{
	bool region = kt_streq(key, "region");
	const char *name = kt_str(v) ? kt_str(v) : kt_get_str(v, "name");
	const struct kt_json *end;
	enum kt_code rc = KT_OK;
	if ((region || kt_streq(key, "zone")) && name)
		return hold_name(p, v, region, name);
	if (!kt_streq(key, "between"))
		return KT_OK;
	KT_JSON_EACH (end, v) {
		const char *text = kt_str_or(end, "");
		if (!rc && kt_starts(text, "zone "))
			rc = hold_name(p, end, false, text + 5);
		else if (!rc && kt_starts(text, "region "))
			rc = hold_name(p, end, true, text + 7);
	}
	return rc;
}

/* What is Kubernetes' or a sentence holds no places of ours. */
static bool is_foreign(const char *key)
{
	static const char *const keys[] = {"manifest",  "has",    "each",   "some",  "none", "merge", "json",
	                                   "strategic", "labels", "expect", "hints", "text", "who",   "whom"};
	for (size_t i = 0; i < KT_COUNT(keys); i++)
		if (kt_streq(keys[i], key))
			return true;
	return false;
}

static enum kt_code walk(struct places *p, const struct kt_json *v)
{
	enum kt_code rc = KT_OK;
	for (size_t i = 0; !rc && i < kt_count(v); i++) {
		const char *key = kt_is_object(v) ? kt_key(v, i) : NULL;
		if (key && is_foreign(key))
			continue;
		if (key)
			rc = hold_key(p, key, kt_at(v, i));
		if (!rc)
			rc = walk(p, kt_at(v, i));
	}
	return rc;
}

enum kt_code lab_hold_places(const struct lab *lab, const struct kt_yaml *yaml, const struct kt_json *doc,
                             struct kt_err *err)
{
	static const char *const parts[] = {"setup", "tasks"};
	struct places p = {.yaml = yaml, .err = err};
	struct kt_json *list = lab_nodes(lab);
	const struct kt_json *node;
	enum kt_code rc = KT_OK;
	KT_JSON_EACH (node, kt_get(list, "items")) {
		const struct kt_json *labels = kt_path(node, "metadata.labels");
		note(&p.zones, kt_get_str(labels, "topology.kubernetes.io/zone"));
		note(&p.regions, kt_get_str(labels, "topology.kubernetes.io/region"));
	}
	for (size_t i = 0; !rc && i < KT_COUNT(parts); i++)
		rc = walk(&p, kt_get(doc, parts[i]));
	kt_strs_clear(&p.zones);
	kt_strs_clear(&p.regions);
	kt_json_free(list);
	return rc;
}
