/* SPDX-License-Identifier: MIT */
/* kubectl inside a pod: as its ServiceAccount, over the network to the Service `kubernetes`. The commands
 * that Jobs and sidecars run: get, describe's little brothers are not among them. */
#include "cluster/kubelet/shell/kubectl.h"

#include <stdlib.h>
#include <string.h>

void kubectl_complain(struct tool_run *r, struct kubectl *s, const char *fmt, ...)
{
	struct kt_buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	kt_buf_addc(&text, '\n');
	task_write(r->task, 2, text.data, text.len);
	kt_buf_clear(&text);
	s->status = 1;
}

/* --- get --- */
/* get -w: what changed, then again in a second; of a list in another form than a table one object after the
 * other. */
static void watch_print(struct tool_run *r, struct kubectl *s, struct kt_json *steal)
{
	bool only = kubectl_option(s, "watch-only") && !s->watched;
	const struct kt_json *one;
	if (kt_get(steal, "rows")) {
		struct kt_json *rows = kubectl_changed_rows(s, steal);
		if (kt_count(kt_get(rows, "rows")) && !only) {
			kubectl_print(r, s, rows);
			s->no_headers = true;
		}
		kt_json_free(rows);
	} else if (kt_get(steal, "items")) {
		KT_JSON_EACH (one, kt_get(steal, "items"))
			if (kubectl_is_news(s, one) && !only)
				kubectl_print(r, s, one);
	} else if (kubectl_is_news(s, steal) && !only) {
		kubectl_print(r, s, steal);
	}
	kt_json_free(steal);
	s->pause = KT_SEC;
	s->at = 0;
}

static void tell_get(struct tool_run *r, struct kubectl *s, const char *body)
{
	if (s->raw) {
		tool_outs(r, body);
		return;
	}
	struct kt_json *object = kubectl_answer(body);
	if (!object) {
		kubectl_complain(r, s, "error: %s", body);
		return;
	}
	if (kubectl_watches(s)) {
		watch_print(r, s, object);
		return;
	}
	kubectl_print(r, s, object);
	kt_json_free(object);
}

/* "?labelSelector=…&fieldSelector=…" */
static void add_selectors(const struct kubectl *s, struct kt_buf *path)
{
	const char *const of[][2] = {{"labelSelector", s->selector}, {"fieldSelector", s->field_selector}};
	char mark = '?';
	for (size_t i = 0; i < KT_COUNT(of); i++) {
		if (!of[i][1])
			continue;
		kt_buf_addf(path, "%c%s=", mark, of[i][0]);
		kt_percent(of[i][1], path);
		mark = '&';
	}
}

/* `get pods,svc`, `get all`: one kind after the other. */
static bool next_type(struct tool_run *r, struct kubectl *s)
{
	const char *types = s->words.count > 1 ? s->words.items[1] : "";
	if (!strcmp(types, "all"))
		types = "pods,services,daemonsets,deployments,replicasets,statefulsets,hpa,cronjobs,jobs";
	size_t len, n = 0;
	const char *rest = types;
	s->many_types = strchr(types, ',') != NULL;
	if (!s->many_types || strchr(s->words.items[1], '/'))
		return false;
	for (const char *one; rest && (one = kt_split(&rest, ',', &len)); n++) {
		if (n != s->type_at)
			continue;
		char *type = kt_strndup(one, len);
		bool good = kubectl_want_kind(r, s, type);
		kt_free(type);
		s->type_at++;
		if (!good)
			return false;
		struct kt_buf path = {0};
		char *base = kubectl_path_of(s, s->kind, s->ns, NULL);
		kt_buf_adds(&path, base);
		add_selectors(s, &path);
		kt_free(base);
		s->call = (struct kubectl_call){.method = "GET",
		                                .path = kt_buf_take(&path),
		                                .table = !s->output || kt_streq(s->output, "wide")};
		return true;
	}
	return false;
}

static bool ask_get(struct tool_run *r, struct kubectl *s)
{
	size_t first = 0;
	struct kt_buf path = {0};
	if (!s->raw && !s->file) {
		bool asks = next_type(r, s);
		if (asks || s->many_types)
			return asks;
	}
	if (kubectl_watches(s) && kubectl_watch_over(r, s))
		return false;
	if (s->raw) {
		s->call = (struct kubectl_call){.method = "GET", .path = kt_strdup(s->raw)};
		return !s->at++;
	}
	if (!s->at && !kubectl_want_objects(r, s, &first))
		return false;
	if (s->at && (s->at >= s->words.count || s->words.count <= 2))
		return false;
	first = strchr(s->words.items[1], '/') ? 1 : 2;
	s->at = s->at ? s->at : first;
	char *base =
	        kubectl_path_of(s, s->kind, s->ns, s->at < s->words.count ? kubectl_name_at(s, s->at) : NULL);
	s->at++;
	kt_buf_adds(&path, base);
	add_selectors(s, &path);
	if (s->sort_by)
		kt_buf_addf(&path, "%cincludeObject=Object", strchr(path.data, '?') ? '&' : '?');
	kt_free(base);
	s->call = (struct kubectl_call){.method = "GET",
	                                .path = kt_buf_take(&path),
	                                .table = !s->output || kt_streq(s->output, "wide")};
	return true;
}

/* --- changes --- */

static void tell_delete(struct tool_run *r, struct kubectl *s, const char *body)
{
	(void)body;
	kubectl_told(r, s, kubectl_name_at(s, s->file ? s->words.count - 1 : s->at - 1), false, "deleted");
}

static bool ask_delete(struct tool_run *r, struct kubectl *s)
{
	size_t first = 0;
	if (s->file) {
		const struct kt_json *doc = kubectl_document(r, s);
		if (!doc)
			return false;
		const char *name = kt_str_or(kt_path(doc, "metadata.name"), "");
		s->kind = schema_by_api_version(cluster_schema(s->cluster),
		                                kt_str_or(kt_get(doc, "apiVersion"), ""),
		                                kt_str_or(kt_get(doc, "kind"), ""));
		if (!s->kind)
			return false;
		kt_strs_add(&s->words, name);
		s->call = (struct kubectl_call){
		        .method = "DELETE",
		        .type = "application/json",
		        .body = kt_strdup("{\"propagationPolicy\":\"Background\"}"),
		        .path = kubectl_path_of(s, s->kind,
		                                kt_str_or(kt_path(doc, "metadata.namespace"), s->ns), name)};
		s->at++;
		return true;
	}
	if (!s->at && !kubectl_want_objects(r, s, &first))
		return false;
	if (!s->at && first >= s->words.count) {
		kubectl_complain(r, s, "error: resource(s) were provided, but no name was specified");
		return false;
	}
	s->at = s->at ? s->at : first;
	if (s->at >= s->words.count)
		return false;
	s->call =
	        (struct kubectl_call){.method = "DELETE",
	                              .type = "application/json",
	                              .body = kt_strdup("{\"propagationPolicy\":\"Background\"}"),
	                              .path = kubectl_path_of(s, s->kind, s->ns, kubectl_name_at(s, s->at))};
	s->at++;
	return true;
}

bool kubectl_patch_with(struct tool_run *r, struct kubectl *s, const char *type, const char *sub, char *steal)
{
	size_t first = 0;
	if (s->at || !kubectl_want_objects(r, s, &first) || first >= s->words.count) {
		if (!s->at && !s->status)
			kubectl_complain(r, s, "error: resource(s) were provided, but no name was specified");
		kt_free(steal);
		return false;
	}
	char *base = kubectl_path_of(s, s->kind, s->ns, kubectl_name_at(s, first));
	s->call = (struct kubectl_call){
	        .method = "PATCH",
	        .type = type,
	        .body = steal,
	        .path = kt_strf("%s%s?fieldManager=kubectl-%s", base, sub, s->command->name)};
	kt_free(base);
	s->at = first + 1;
	return true;
}

static bool ask_scale(struct tool_run *r, struct kubectl *s)
{
	if (!s->replicas) {
		kubectl_complain(
		        r, s,
		        "error: The --replicas=COUNT flag is required, and COUNT must be greater than or "
		        "equal to 0");
		return false;
	}
	return kubectl_patch_with(r, s, "application/merge-patch+json", "/scale",
	                          kt_strf("{\"spec\":{\"replicas\":%ld}}", strtol(s->replicas, NULL, 10)));
}

static void tell_scale(struct tool_run *r, struct kubectl *s, const char *body)
{
	(void)body;
	kubectl_told(r, s, kubectl_name_at(s, s->at - 1), true, "scaled");
}

static bool ask_patch(struct tool_run *r, struct kubectl *s)
{
	const char *type = !s->patch_type || kt_streq(s->patch_type, "strategic")
	                           ? "application/strategic-merge-patch+json"
	                           : (kt_streq(s->patch_type, "json") ? "application/json-patch+json"
	                                                              : "application/merge-patch+json");
	if (!s->patch) {
		kubectl_complain(
		        r, s,
		        "error: must specify --patch or --patch-file containing the contents of the patch");
		return false;
	}
	char *sub = s->subresource ? kt_strf("/%s", s->subresource) : kt_strdup("");
	bool asked = kubectl_patch_with(r, s, type, sub, kt_strdup(s->patch));
	kt_free(sub);
	return asked;
}

static void tell_patch(struct tool_run *r, struct kubectl *s, const char *body)
{
	(void)body;
	kubectl_told(r, s, kubectl_name_at(s, s->at - 1), true, "patched");
}

void kubectl_drop_word(struct kubectl *s, size_t i)
{
	kt_free(s->words.items[i]);
	memmove(s->words.items + i, s->words.items + i + 1,
	        (s->words.count - i - 1) * sizeof(*s->words.items));
	s->words.count--;
}

static const struct kubectl_command rollout_status = {
        "rollout", kubectl_ask_status, kubectl_tell_status, false, false, NULL};

static const struct kubectl_command rollout_revisions = {
        "rollout", kubectl_ask_revisions, kubectl_tell_revisions, false, true, NULL};

/* rollout restart TYPE NAME */
static bool ask_rollout(struct tool_run *r, struct kubectl *s)
{
	struct kt_buf now = {0};
	if (s->at)
		return false;
	if (s->words.count >= 3 && !strcmp(s->words.items[1], "status")) {
		kubectl_drop_word(s, 1);
		s->command = &rollout_status;
		return s->command->ask(r, s);
	}
	if (s->words.count >= 3 &&
	    (!strcmp(s->words.items[1], "undo") || !strcmp(s->words.items[1], "history"))) {
		s->what = s->words.items[1][0] == 'u' ? "undo" : "history";
		kubectl_drop_word(s, 1);
		s->command = &rollout_revisions;
		return s->command->ask(r, s);
	}
	if (s->words.count >= 3 &&
	    (!strcmp(s->words.items[1], "pause") || !strcmp(s->words.items[1], "resume"))) {
		s->what = s->words.items[1][0] == 'p' ? "paused" : "resumed";
		kubectl_drop_word(s, 1);
		return kubectl_patch_with(r, s, "application/strategic-merge-patch+json", "",
		                          kt_strdup(s->what[0] == 'p' ? "{\"spec\":{\"paused\":true}}"
		                                                      : "{\"spec\":{\"paused\":null}}"));
	}
	if (s->words.count < 3 || strcmp(s->words.items[1], "restart") != 0) {
		kubectl_complain(r, s, "error: unknown command \"%s\"",
		                 s->words.count > 1 ? s->words.items[1] : "");
		return false;
	}
	kubectl_drop_word(s, 1);
	kt_time_print(process_now(r->task->process), &now);
	char *text =
	        kt_strf("{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"kubectl.kubernetes.io/"
	                "restartedAt\":\"%s\"}}}}}",
	                kt_buf_str(&now));
	kt_buf_clear(&now);
	return kubectl_patch_with(r, s, "application/strategic-merge-patch+json", "", text);
}

static void tell_rollout(struct tool_run *r, struct kubectl *s, const char *body)
{
	(void)body;
	kubectl_told(r, s, kubectl_name_at(s, s->at - 1), true, s->what ? s->what : "restarted");
}

/* --- auth can-i VERB TYPE [NAME] --- */
static bool ask_auth(struct tool_run *r, struct kubectl *s)
{
	if (s->at)
		return false;
	if (s->words.count > 1 && kt_streq(s->words.items[1], "whoami")) {
		s->at = 1;
		s->call = (struct kubectl_call){
		        .method = "POST",
		        .type = "application/json",
		        .path = kt_strdup("/apis/authentication.k8s.io/v1/selfsubjectreviews"),
		        .body = kt_strdup("{\"apiVersion\":\"authentication.k8s.io/"
		                          "v1\",\"kind\":\"SelfSubjectReview\"}")};
		return true;
	}
	if (s->words.count < 4 || strcmp(s->words.items[1], "can-i") != 0) {
		kubectl_complain(r, s,
		                 "error: you must specify two arguments: verb resource or verb "
		                 "resource/resourceName.");
		return false;
	}
	char *type = kt_strndup(s->words.items[3], strcspn(s->words.items[3], "/"));
	const char *slash = strchr(s->words.items[3], '/');
	const struct schema_kind *kind = kubectl_kind_named(s, type);
	struct kt_json *review =
	        kt_jsonf("{apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: "
	                 "{resourceAttributes: "
	                 "{verb: %s, resource: %s, group: %s, namespace: %s, name: %s}}}",
	                 s->words.items[2], kind ? kind->resource : type, kind ? kind->group : "",
	                 s->all_namespaces ? "" : s->ns, slash ? slash + 1 : "");
	s->call = (struct kubectl_call){
	        .method = "POST",
	        .type = "application/json",
	        .path = kt_strdup("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
	        .body = kt_json_text(review)};
	kt_json_free(review);
	kt_free(type);
	s->at = 1;
	return true;
}

static void tell_auth(struct tool_run *r, struct kubectl *s, const char *body)
{
	if (kt_streq(s->words.items[1], "whoami")) {
		kubectl_tell_whoami(r, s, body);
		return;
	}
	struct kt_json *review = kubectl_answer(body);
	if (!review)
		return;
	bool yes = kt_path_bool(review, "status.allowed", false);
	if (!s->quiet)
		tool_outs(r, yes ? "yes\n" : "no\n");
	s->status = yes ? 0 : 1;
	kt_json_free(review);
}

static const struct kubectl_command commands[] = {
        {"annotate", kubectl_ask_alter, kubectl_tell_alter, true, true, NULL},
        {"api-resources", kubectl_ask_resources, NULL, false, false, NULL},
        {"api-versions", kubectl_ask_versions, NULL, false, false, NULL},
        {"apply", kubectl_ask_create, kubectl_tell_create, false, false, NULL},
        {"auth", ask_auth, tell_auth, false, false, NULL},
        {"autoscale", kubectl_ask_autoscale, kubectl_tell_created, false, false, NULL},
        {"config", kubectl_ask_config, NULL, false, false, NULL},
        {"cordon", kubectl_ask_alter, kubectl_tell_alter, false, true, NULL},
        {"create", kubectl_ask_create, kubectl_tell_create, false, false, NULL},
        {"exec", kubectl_ask_exec, kubectl_tell_exec, false, true, NULL},
        {"expose", kubectl_ask_expose, kubectl_tell_expose, false, true, NULL},
        {"replace", kubectl_ask_create, kubectl_tell_create, false, false, NULL},
        {"delete", ask_delete, tell_delete, true, false, NULL},
        {"describe", kubectl_ask_describe, kubectl_tell_describe, true, true, NULL},
        {"drain", kubectl_ask_drain, kubectl_tell_drain, false, true, kubectl_drain_refused},
        {"get", ask_get, tell_get, false, false, NULL},
        {"label", kubectl_ask_alter, kubectl_tell_alter, true, true, NULL},
        {"logs", kubectl_ask_logs, kubectl_tell_logs, false, false, NULL},
        {"patch", ask_patch, tell_patch, false, false, NULL},
        {"rollout", ask_rollout, tell_rollout, false, false, NULL},
        {"scale", ask_scale, tell_scale, false, false, NULL},
        {"run", kubectl_ask_run, kubectl_tell_created, false, false, NULL},
        {"set", kubectl_ask_set, kubectl_tell_set, false, true, NULL},
        {"top", kubectl_ask_top, kubectl_tell_top, false, true, NULL},
        {"taint", kubectl_ask_alter, kubectl_tell_alter, true, true, NULL},
        {"uncordon", kubectl_ask_alter, kubectl_tell_alter, false, true, NULL},
        {"wait", kubectl_ask_wait, kubectl_tell_wait, true, false, NULL},
};

/* -l, --all: those that are there become words of the command line. */
static bool ask_list(struct tool_run *r, struct kubectl *s)
{
	size_t first = 0;
	struct kt_buf path = {0};
	if (!kubectl_want_objects(r, s, &first))
		return false;
	char *base = kubectl_path_of(s, s->kind, s->ns, NULL);
	kt_buf_adds(&path, base);
	add_selectors(s, &path);
	kt_free(base);
	s->call = (struct kubectl_call){.method = "GET", .path = kt_buf_take(&path)};
	return true;
}

static void tell_list(struct tool_run *r, struct kubectl *s, const char *body)
{
	struct kt_json *list = kubectl_answer(body);
	const struct kt_json *item;
	s->listed = true;
	if (!list)
		return;
	KT_JSON_EACH (item, kt_get(list, "items"))
		kt_strs_add(&s->words, kt_str_or(kt_path(item, "metadata.name"), ""));
	bool deletes = s->command->name[0] == 'd';
	if (!kt_count(kt_get(list, "items")) && deletes) {
		tool_outs(r, "No resources found\n");
		s->words.count = KT_MIN(s->words.count, (size_t)1); /* nothing is left to be done */
	} else if (!kt_count(kt_get(list, "items"))) {
		kubectl_complain(r, s, "error: no matching resources found");
	}
	kt_json_free(list);
}

static const struct kubectl_command listing = {"list", ask_list, tell_list, false, false, NULL};

/* --- the conversation --- */
static void call_clear(struct kubectl_call *call)
{
	kt_free(call->path);
	kt_free(call->body);
	*call = (struct kubectl_call){0};
}

static void refused(struct tool_run *r, struct kubectl *s, const struct network_http_response *response)
{
	struct kt_json *status = NULL;
	struct kt_err err = {0};
	struct kt_buf body = {0};
	kt_buf_add(&body, response->body.data ? response->body.data : "", response->body.len);
	const char *reason = NULL, *message = NULL;
	if (!kt_json_parse(kt_buf_str(&body), body.len, NULL, &status, NULL, &err)) {
		reason = kt_get_str(status, "reason");
		message = kt_get_str(status, "message");
	}
	bool gone = s->command->ask == kubectl_ask_wait && kt_streq(s->condition, "delete");
	if (response->status == 404 && (s->ignore_missing || gone))
		;
	else if (response->status == 401)
		kubectl_complain(r, s, "error: You must be logged in to the server (Unauthorized)");
	else if (kt_streq(reason, "Invalid"))
		kubectl_complain(r, s,
		                 kt_path(status, "details.kind") ? "The %s" : "The request is invalid: %s",
		                 message ? message : "");
	else
		kubectl_complain(r, s, "Error from server%s%s%s: %s", reason ? " (" : "",
		                 reason ? reason : "", reason ? ")" : "", message ? message : "");
	kt_json_free(status);
	kt_buf_clear(&body);
}

static bool prepare(struct tool_run *r, struct kubectl *s)
{
	const char *host = tool_env(r, "KUBERNETES_SERVICE_HOST"),
	           *port = tool_env(r, "KUBERNETES_SERVICE_PORT");
	char *token = kubectl_option(s, "token") ? kt_strdup(kubectl_option(s, "token"))
	                                         : kubectl_read(r, KUBECTL_ACCOUNT "token"),
	     *bearer;
	if (!host || !token) {
		kubectl_complain(
		        r, s,
		        "The connection to the server localhost:8080 was refused - did you specify the right "
		        "host or port?");
		kt_free(token);
		return false;
	}
	token[strcspn(token, "\r\n")] = '\0';
	bearer = kt_strf("Bearer %s", token);
	kt_set(&s->headers, "Authorization", kt_json_str(bearer));
	if (kubectl_option(s, "as"))
		kt_set(&s->headers, "Impersonate-User", kt_json_str(kubectl_option(s, "as")));
	if (kubectl_option(s, "as-group"))
		kt_set(&s->headers, "Impersonate-Group", kt_json_str(kubectl_option(s, "as-group")));
	kt_free(bearer);
	kt_free(token);
	s->fetch.host = kt_strdup(host);
	s->fetch.port = port ? (unsigned)strtoul(port, NULL, 10) : 443;
	s->fetch.https = true;
	s->fetch.limit = 30 * KT_SEC;
	return true;
}

static bool begin(struct tool_run *r, struct kubectl *s)
{
	if (!kubectl_parse(r, s))
		return false;
	const char *word = s->words.count ? s->words.items[0] : "";
	if (!strcmp(word, "cluster-info")) {
		tool_outf(r,
		          "Kubernetes control plane is running at https://%s:%s\n\nTo further debug and "
		          "diagnose cluster "
		          "problems, use 'kubectl cluster-info dump'.\n",
		          tool_env(r, "KUBERNETES_SERVICE_HOST"), tool_env(r, "KUBERNETES_SERVICE_PORT"));
		return false;
	}
	if (!strcmp(word, "version")) {
		tool_outs(r, "Client Version: v1.34.1\nKustomize Version: v5.7.1\n");
		return false;
	}
	for (size_t i = 0; i < KT_COUNT(commands) && !s->command; i++) {
		if (!strcmp(commands[i].name, word))
			s->command = &commands[i];
	}
	if (!*word)
		tool_outs(r, "kubectl controls the Kubernetes cluster manager.\n\n Find more information at: "
		             "https://kubernetes.io/docs/reference/kubectl/\n");
	else if (!s->command)
		kubectl_complain(r, s, "error: unknown command \"%s\" for \"kubectl\"", word);
	return s->command != NULL;
}

static int run_kubectl(struct tool_run *r)
{
	struct kubectl *s = r->state;
	if (!s->prepared) {
		s->prepared = true;
		if (!begin(r, s))
			return s->status;
	}
	if (kt_streq(s->file, "-") && !s->docs) {
		tool_inputs(r, r->argv.count);
		if (tool_all(r, &s->input) == TOOL_WAIT)
			return TOOL_WAIT;
	}
	if (s->exec)
		return kubectl_exec_run(r, s);
	for (;;) {
		bool lists = s->command->many && (s->selector || s->field_selector || s->all) && !s->listed;
		const struct kubectl_command *command = lists ? &listing : s->command;
		if (s->pause && tool_sleep(r, s->pause))
			return TOOL_WAIT;
		s->pause = 0;
		if (!s->call.path) {
			if (s->listed && s->words.count < 3)
				return s->status;
			if (!command->ask(r, s))
				return s->status;
			fetch_clear(&s->fetch);
			kt_json_freep(&s->headers);
			if (!prepare(r, s))
				return s->status;
			s->fetch.path = kt_strdup(s->call.path);
			kt_set(&s->headers, "Accept",
			       kt_json_str(s->call.table ? "application/"
			                                   "json;as=Table;v=v1;g=meta.k8s.io,application/json"
			                                 : "application/json"));
			kt_set(&s->headers, "User-Agent", kt_json_str("kubectl/v1.34.1 (linux/amd64)"));
			if (s->call.type)
				kt_set(&s->headers, "Content-Type", kt_json_str(s->call.type));
		}
		if (fetch_connect(r, &s->fetch))
			return TOOL_WAIT;
		if (s->fetch.result != FETCH_OK) {
			kubectl_complain(
			        r, s,
			        s->fetch.result == FETCH_REFUSED
			                ? "The connection to the server %s:%u was refused - did you specify "
			                  "the "
			                  "right host or port?"
			                : "Unable to connect to the server: dial tcp %s:%u: i/o timeout",
			        s->fetch.host, s->fetch.port);
			return s->status;
		}
		if (fetch_request(r, &s->fetch, s->call.method, s->headers, s->call.body))
			return TOOL_WAIT;
		kt_buf_adds(&s->fetch.response.body, "");
		/* who may exec is told to upgrade the connection, which is done by other means here */
		bool upgrade =
		        s->stage == 3 && !strcmp(s->command->name, "exec") && s->fetch.response.status == 400;
		if (upgrade) {
			if (!kubectl_exec_start(r, s))
				return s->status;
			call_clear(&s->call);
			return kubectl_exec_run(r, s);
		}
		bool bad = s->fetch.response.status >= 300;
		if (bad && command->refused && command->refused(r, s, (int)s->fetch.response.status))
			bad = false;
		else if (bad)
			refused(r, s, &s->fetch.response);
		else
			command->tell(r, s, kt_buf_str(&s->fetch.response.body));
		if ((lists || command->staged) && bad)
			return s->status;
		call_clear(&s->call);
	}
}

static void end_kubectl(struct tool_run *r)
{
	struct kubectl *s = r->state;
	fetch_clear(&s->fetch);
	call_clear(&s->call);
	kt_json_free(s->headers);
	kt_strs_clear(&s->words);
	kt_strs_clear(&s->literals);
	kt_strs_clear(&s->pairs);
	kt_json_free(s->watched);
	kt_strs_clear(&s->rest);
	kt_json_free(s->more);
	kt_json_free(s->seen);
	kubectl_exec_end(s);
	kt_yaml_free(s->docs);
	kt_buf_clear(&s->input);
	kt_free(s->told);
	kt_free(s->own_ns);
}

const struct tool tools_kubectl[] = {
        {.name = "kubectl",
         .sets = "kubectl",
         .run = run_kubectl,
         .state_size = sizeof(struct kubectl),
         .end = end_kubectl},
        {.name = NULL},
};
