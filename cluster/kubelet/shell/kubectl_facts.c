/* SPDX-License-Identifier: MIT */
/* kubectl in a pod: what it tells of the server and of who asks: api-resources, api-versions, auth whoami,
 * config. */
#include "cluster/kubelet/shell/kubectl.h"

#include <stdlib.h>
#include <string.h>

static int by_group(const void *a, const void *b)
{
	const struct schema_kind *x = *(const struct schema_kind *const *)a,
	                         *y = *(const struct schema_kind *const *)b;
	int order = strcmp(x->group, y->group);
	return order ? order : strcmp(x->resource, y->resource);
}

/* Each resource once, at the version that is kept. New; *count of them. */
static const struct schema_kind **resources(const struct kubectl *s, size_t *count)
{
	const struct schema *schema = cluster_schema(s->cluster);
	size_t all = schema_kind_count(schema);
	const struct schema_kind **out = kt_alloc((all + 1) * sizeof(*out));
	*count = 0;
	for (size_t i = 0; i < all; i++) {
		const struct schema_kind *kind = schema_kind_at(schema, i);
		bool twice = false;
		if (!kind->resource || !*kind->resource ||
		    (kind->storage && kind->storage != kind && kt_streq(kind->storage->group, kind->group)))
			continue;
		for (size_t k = 0; k < *count && !twice; k++)
			twice = !strcmp(out[k]->resource, kind->resource) &&
			        !strcmp(out[k]->group, kind->group);
		if (!twice)
			out[(*count)++] = kind;
	}
	qsort(out, *count, sizeof(*out), by_group);
	return out;
}

static bool wanted(const struct kubectl *s, const struct schema_kind *kind)
{
	const char *namespaced = kubectl_option(s, "namespaced"), *group = kubectl_option(s, "api-group");
	const struct kt_json *given = kt_get(s->more, "namespaced");
	if (given && kind->namespaced != (namespaced != NULL))
		return false;
	return !group || kt_streq(kind->group, group);
}

bool kubectl_ask_resources(struct tool_run *r, struct kubectl *s)
{
	size_t count, widths[3] = {sizeof("NAME"), sizeof("SHORTNAMES"), sizeof("APIVERSION")};
	const struct schema_kind **all = resources(s, &count);
	bool names = kt_streq(s->output, "name");
	struct kt_strs shorts = {0};
	for (size_t i = 0; i < count; i++) {
		struct kt_buf text = {0};
		for (size_t n = 0; all[i]->short_names && all[i]->short_names[n]; n++)
			kt_buf_addf(&text, "%s%s", n ? "," : "", all[i]->short_names[n]);
		kt_strs_add(&shorts, kt_buf_str(&text));
		if (wanted(s, all[i])) {
			widths[0] = KT_MAX(widths[0], strlen(all[i]->resource) + 1);
			widths[1] = KT_MAX(widths[1], text.len + 1);
			widths[2] = KT_MAX(widths[2], strlen(all[i]->api_version) + 1);
		}
		kt_buf_clear(&text);
	}
	if (!names && !s->no_headers)
		tool_outf(r, "%-*s   %-*s   %-*s   %-12s %s\n", (int)widths[0] - 1, "NAME",
		          (int)widths[1] - 1, "SHORTNAMES", (int)widths[2] - 1, "APIVERSION", "NAMESPACED",
		          "KIND");
	for (size_t i = 0; i < count; i++) {
		if (!wanted(s, all[i]))
			continue;
		if (names)
			tool_outf(r, "%s%s%s\n", all[i]->resource, *all[i]->group ? "." : "", all[i]->group);
		else
			tool_outf(r, "%-*s   %-*s   %-*s   %-12s %s\n", (int)widths[0] - 1, all[i]->resource,
			          (int)widths[1] - 1, shorts.items[i], (int)widths[2] - 1,
			          all[i]->api_version, all[i]->namespaced ? "true" : "false", all[i]->kind);
	}
	kt_strs_clear(&shorts);
	kt_free(all);
	return false;
}

bool kubectl_ask_versions(struct tool_run *r, struct kubectl *s)
{
	const struct schema *schema = cluster_schema(s->cluster);
	struct kt_strs all = {0};
	for (size_t i = 0; i < schema_kind_count(schema); i++) {
		const char *version = schema_kind_at(schema, i)->api_version;
		if (version && *version && !kt_strs_has(&all, version))
			kt_strs_add(&all, version);
	}
	kt_strs_sort(&all);
	for (size_t i = 0; i < all.count; i++)
		tool_outf(r, "%s\n", all.items[i]);
	kt_strs_clear(&all);
	return false;
}

/* auth whoami */
void kubectl_tell_whoami(struct tool_run *r, struct kubectl *s, const char *body)
{
	struct kt_json *review = kubectl_answer(body);
	const struct kt_json *user = kt_path(review, "status.userInfo"), *one, *extra = kt_get(user, "extra");
	if (s->output) {
		kubectl_print(r, s, review);
		kt_json_free(review);
		return;
	}
	struct kt_strs rows = {0};
	size_t width = strlen("ATTRIBUTE");
	kt_strs_add(&rows, "Username");
	kt_strs_add(&rows, kt_str_or(kt_get(user, "username"), ""));
	if (kt_get_str(user, "uid")) {
		kt_strs_add(&rows, "UID");
		kt_strs_add(&rows, kt_get_str(user, "uid"));
	}
	for (size_t i = 0; i <= kt_count(extra); i++) {
		struct kt_buf list = {0};
		KT_JSON_EACH (one, i ? kt_at(extra, i - 1) : kt_get(user, "groups"))
			kt_buf_addf(&list, "%s%s", list.len ? " " : "[", kt_str_or(one, ""));
		kt_buf_adds(&list, list.len ? "]" : "[]");
		char *name = i ? kt_strf("Extra: %s", kt_key(extra, i - 1)) : kt_strdup("Groups");
		kt_strs_add(&rows, name);
		kt_strs_add(&rows, kt_buf_str(&list));
		kt_free(name);
		kt_buf_clear(&list);
	}
	for (size_t i = 0; i < rows.count; i += 2)
		width = KT_MAX(width, strlen(rows.items[i]));
	tool_outf(r, "%-*s   VALUE\n", (int)width, "ATTRIBUTE");
	for (size_t i = 0; i < rows.count; i += 2)
		tool_outf(r, "%-*s   %s\n", (int)width, rows.items[i], rows.items[i + 1]);
	kt_strs_clear(&rows);
	kt_json_free(review);
}

/* In a pod there is no kubeconfig. */
bool kubectl_ask_config(struct tool_run *r, struct kubectl *s)
{
	const char *what = s->words.count > 1 ? s->words.items[1] : "";
	if (kt_streq(what, "view"))
		tool_outs(r, "apiVersion: v1\nclusters: null\ncontexts: null\ncurrent-context: \"\"\nkind: "
		             "Config\n"
		             "preferences: {}\nusers: null\n");
	else if (kt_streq(what, "current-context"))
		kubectl_complain(r, s, "error: current-context is not set");
	else if (kt_streq(what, "get-contexts"))
		tool_outs(r, "CURRENT   NAME   CLUSTER   AUTHINFO   NAMESPACE\n");
	else
		kubectl_complain(r, s, "error: cannot modify a kubeconfig that is not there");
	return false;
}
