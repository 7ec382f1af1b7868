/* SPDX-License-Identifier: MIT */
/* What the commands on clusters share: which one is meant. */
#include "cli/cli.h"
#include "cli/labs.h"
#include "labs/embedded/embedded.h"

int cli_cluster(struct cli_call *call, bool running, char **out_name, char **out_dir)
{
	struct kt_err err = {0};
	char *name = call->arg_count ? kt_strdup(call->args[0]) : embedded_current(call->home), *dir = NULL;
	enum kt_code rc;
	struct kt_json *other = cli_other_cluster(call, name);
	const char *provider = kt_get_str(other, "provider");
	if (provider)
		rc = kt_fail(
		        &err, KT_EUNSUPPORTED,
		        "'%s' is a %s cluster: only an embedded one has a clock and a history of its own",
		        kt_get_str(other, "cluster"), provider);
	else if (!name)
		rc = kt_fail(&err, KT_EUNREACHABLE,
		             "there is no cluster; start one with `ktutor cluster up NAME` or a lab with "
		             "`ktutor lab "
		             "start LAB`");
	else
		rc = embedded_find(call->home, name, running, &dir, &err);
	kt_json_free(other);
	if (rc) {
		kt_free(name);
		return cli_fail(call, &err);
	}
	*out_dir = dir;
	if (out_name)
		*out_name = name;
	else
		kt_free(name);
	return CLI_OK;
}

struct kt_json *cli_other_clusters(struct cli_call *call)
{
	struct kt_json *all = kt_json_array();
	const struct kt_json *row;
	for (size_t i = 0; providers[i]; i++) {
		struct kt_json *rows = NULL;
		struct kt_err ignored = {0};
		if (!providers[i]->list || providers[i]->list(call->home, &rows, &ignored))
			continue;
		KT_JSON_EACH (row, rows)
			kt_push(&all, kt_json_ref(row));
		kt_json_free(rows);
	}
	return all;
}

/* Without a name: that of the lab started last, where it is not embedded. */
struct kt_json *cli_other_cluster(struct cli_call *call, const char *name)
{
	char *dir = name ? NULL : lab_current(call->home);
	struct kt_json *state = dir ? lab_state(call->home, kt_basename(dir)) : NULL, *all, *found = NULL;
	const struct kt_json *row;
	const struct provider *provider =
	        state ? provider_find(kt_str_or(kt_get(state, "provider"), "")) : NULL;
	if (provider && provider->list)
		name = kt_get_str(state, "cluster");
	all = name ? cli_other_clusters(call) : NULL;
	KT_JSON_EACH (row, all)
		if (!found &&
		    (kt_streq(kt_get_str(row, "cluster"), name) || kt_streq(kt_get_str(row, "lab"), name)))
			found = kt_json_ref(row);
	kt_json_free(all);
	kt_json_free(state);
	kt_free(dir);
	return found;
}

int cli_cluster_kubeconfig(struct cli_call *call, char **out_name, char **out)
{
	struct kt_json *other = cli_other_cluster(call, call->arg_count ? call->args[0] : NULL);
	char *dir = NULL;
	int code = CLI_OK;
	if (other) {
		*out = kt_strdup(kt_get_str(other, "kubeconfig"));
		if (out_name)
			*out_name = kt_strdup(kt_get_str(other, "cluster"));
	} else {
		code = cli_cluster(call, true, out_name, &dir);
		if (!code)
			*out = kt_join(dir, "kubeconfig");
	}
	kt_json_free(other);
	kt_free(dir);
	return code;
}
