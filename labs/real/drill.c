/* SPDX-License-Identifier: MIT */
/* What a drill may disturb on a real cluster, beside objects. */
#include "labs/real/real.h"

#include <string.h>

static enum kt_code list_cordoned(struct check_client *client, struct kt_json **out, struct kt_err *err)
{
	struct kt_json *nodes = NULL;
	const struct kt_json *node;
	enum kt_code rc = real_call(client, "GET", "/api/v1/nodes", NULL, NULL, &nodes, err);
	*out = kt_json_array();
	KT_JSON_EACH (node, kt_get(nodes, "items"))
		if (kt_path_bool(node, "spec.unschedulable", false))
			kt_push(out, kt_json_ref(kt_path(node, "metadata.name")));
	if (rc)
		kt_json_freep(out);
	kt_json_free(nodes);
	return rc;
}

static enum kt_code uncordon(struct check_client *client, const struct kt_json *but, struct kt_err *err)
{
	struct kt_json *cordoned = NULL, *patch = kt_jsonf("{spec: {unschedulable: false}}");
	const struct kt_json *name, *kept;
	enum kt_code rc = list_cordoned(client, &cordoned, err);
	KT_JSON_EACH (name, cordoned) {
		bool stays = false;
		KT_JSON_EACH (kept, but)
			stays = stays || kt_equal(kept, name);
		char *path = kt_strf("/api/v1/nodes/%s", kt_str(name));
		if (!rc && !stays)
			rc = real_call(client, "PATCH", path, "application/strategic-merge-patch+json", patch,
			               NULL, err);
		kt_free(path);
	}
	kt_json_free(patch);
	kt_json_free(cordoned);
	return rc;
}

enum kt_code real_before(struct check_client *client, const char *ns, bool machines, char **out,
                         struct kt_err *err)
{
	struct kt_json *loads = NULL, *cordoned = NULL;
	enum kt_code rc = real_load_rates(client, ns, &loads, err);
	if (!rc && machines)
		rc = list_cordoned(client, &cordoned, err);
	struct kt_json *all = kt_jsonf("{loads: %J, cordoned: %J}", loads, cordoned);
	if (!rc)
		*out = kt_json_text(all);
	kt_json_free(all);
	kt_json_free(loads);
	kt_json_free(cordoned);
	return rc;
}

enum kt_code real_after(struct check_client *client, const char *ns, bool machines, const char *before,
                        struct kt_err *err)
{
	struct kt_json *all = NULL;
	enum kt_code rc = kt_json_parse(before, strlen(before), NULL, &all, NULL, err);
	if (!rc && machines)
		rc = uncordon(client, kt_get(all, "cordoned"), err);
	if (!rc)
		rc = real_load_put(client, ns, kt_get(all, "loads"), err);
	kt_json_free(all);
	return rc;
}
