/* SPDX-License-Identifier: MIT */
/* kubectl inside a pod: as its ServiceAccount, over the network to the Service `kubernetes`. The commands
 * that Jobs and sidecars run: get, describe's little brothers are not among them. */
#include "cluster/kubelet/shell/kubectl.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount/"

static struct cluster *cluster_of(const struct tool_run *r)
{
	return r->task->process->cluster;
}

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

/* --- the command line --- */
static char *read_text(const struct tool_run *r, const char *path)
{
	struct kt_buf text = {0};
	if (files_read(tool_container(r)->files, path, &text)) {
		kt_buf_clear(&text);
		return NULL;
	}
	kt_buf_adds(&text, "");
	return kt_buf_take(&text);
}

static void add_option(struct kubectl *s, const char *name, const char *value)
{
	struct kt_json *values = kt_get(s->more, name) ? kt_json_ref(kt_get(s->more, name)) : kt_json_array();
	kt_push(&values, kt_json_str(value));
	kt_set(&s->more, name, values);
}

const char *kubectl_option(const struct kubectl *s, const char *name)
{
	const struct kt_json *values = kt_get(s->more, name);
	const char *value = kt_str_or(kt_at(values, kt_count(values) - (kt_count(values) > 0)), NULL);
	return kt_streq(value, "false") ? NULL : value;
}

static bool takes_value(const char *name)
{
	static const char *const names[] = {"port",
	                                    "target-port",
	                                    "name",
	                                    "restart",
	                                    "env",
	                                    "labels",
	                                    "requests",
	                                    "limits",
	                                    "schedule",
	                                    "from",
	                                    "verb",
	                                    "resource",
	                                    "user",
	                                    "group",
	                                    "role",
	                                    "clusterrole",
	                                    "min",
	                                    "max",
	                                    "cpu-percent",
	                                    "to-revision",
	                                    "revision",
	                                    "since",
	                                    "hard",
	                                    "tcp",
	                                    "cluster-ip",
	                                    "from-file",
	                                    "grace-period",
	                                    "serviceaccount",
	                                    "protocol",
	                                    "external-ip",
	                                    "limit-bytes",
	                                    "since-time",
	                                    "context",
	                                    "kubeconfig",
	                                    "cascade",
	                                    "token",
	                                    "server",
	                                    "as",
	                                    "field-manager",
	                                    "chunk-size",
	                                    "resource-name",
	                                    "from-env-file",
	                                    "duration",
	                                    "overrides",
	                                    "request-timeout",
	                                    "max-log-requests",
	                                    "pod-running-timeout",
	                                    "containers"};
	for (size_t i = 0; i < KT_COUNT(names); i++)
		if (kt_streq(names[i], name))
			return true;
	return false;
}

/* -f, -p of logs and -i, -t of exec are no options with a value. */
static bool own_letters(struct kubectl *s, const char *verb, const char *word)
{
	static const struct {
		const char *verb;
		char letter;
		const char *name;
	} rows[] = {{"logs", 'f', "follow"}, {"logs", 'p', "previous"}, {"exec", 'i', "stdin"},
	            {"exec", 't', "tty"},    {"run", 'i', "stdin"},     {"run", 't', "tty"}};
	bool all = word[1] != '-';
	for (const char *c = word + 1; all && *c; c++) {
		bool known = false;
		for (size_t i = 0; i < KT_COUNT(rows); i++)
			known = known || (kt_streq(rows[i].verb, verb) && rows[i].letter == *c);
		all = known;
	}
	for (const char *c = word + 1; all && *c; c++)
		for (size_t i = 0; i < KT_COUNT(rows); i++)
			if (kt_streq(rows[i].verb, verb) && rows[i].letter == *c)
				add_option(s, rows[i].name, "true");
	return all;
}

static bool parse(struct tool_run *r, struct kubectl *s)
{
	const struct {
		const char *longer, *shorter;
		const char **value;
		bool *flag;
	} options[] = {{"namespace", "n", &s->ns, NULL},
	               {"output", "o", &s->output, NULL},
	               {"selector", "l", &s->selector, NULL},
	               {"container", "c", &s->container, NULL},
	               {"patch", "p", &s->patch, NULL},
	               {"type", "", &s->patch_type, NULL},
	               {"filename", "f", &s->file, NULL},
	               {"replicas", "", &s->replicas, NULL},
	               {"tail", "", &s->tail, NULL},
	               {"image", "", &s->image, NULL},
	               {"timeout", "", &s->timeout, NULL},
	               {"field-selector", "", &s->field_selector, NULL},
	               {"for", "", &s->condition, NULL},
	               {"raw", "", &s->raw, NULL},
	               {"subresource", "", &s->subresource, NULL},
	               {"sort-by", "", &s->sort_by, NULL},
	               {"label-columns", "L", &s->label_columns, NULL},
	               {"all", "", NULL, &s->all},
	               {"show-labels", "", NULL, &s->show_labels},
	               {"all-namespaces", "A", NULL, &s->all_namespaces},
	               {"no-headers", "", NULL, &s->no_headers},
	               {"quiet", "q", NULL, &s->quiet},
	               {"ignore-not-found", "", NULL, &s->ignore_missing},
	               {"overwrite", "", NULL, &s->overwrite},
	               {"client", "", NULL, &s->dry}};
	const char *verb = NULL;
	s->cluster = cluster_of(r);
	s->more = kt_json_object();
	for (size_t i = 1; i < r->argv.count; i++) {
		const char *word = r->argv.items[i], *equals;
		bool longer = kt_starts(word, "--");
		size_t n = 0, len;
		if (!strcmp(word, "--")) {
			while (++i < r->argv.count)
				kt_strs_add(&s->rest, r->argv.items[i]);
			break;
		}
		if (word[0] != '-' || !word[1]) {
			verb = verb ? verb : word;
			kt_strs_add(&s->words, word);
			continue;
		}
		if (own_letters(s, verb, word))
			continue;
		if (kt_starts(word, "--from-literal")) {
			equals = strchr(word, '=');
			if (equals)
				kt_strs_add(&s->literals, equals + 1);
			else if (i + 1 < r->argv.count)
				kt_strs_add(&s->literals, r->argv.items[++i]);
			continue;
		}
		word += longer ? 2 : 1;
		equals = longer ? strchr(word, '=') : NULL;
		len = longer ? (equals ? (size_t)(equals - word) : strlen(word)) : 1;
		for (; n < KT_COUNT(options); n++) {
			const char *name = longer ? options[n].longer : options[n].shorter;
			if (strlen(name) == len && !strncmp(name, word, len))
				break;
		}
		if (longer && !strncmp(word, "dry-run", len)) { /* without a value it has one */
			s->dry_run = equals ? equals + 1 : "unchanged";
			continue;
		}
		if (n == KT_COUNT(options) && !longer) {
			kubectl_complain(r, s, "error: unknown shorthand flag: '%c' in -%s", word[0], word);
			return false;
		}
		if (n == KT_COUNT(options)) {
			/* most do not matter here: --wait, --grace-period=0, --force */
			char *name = kt_strndup(word, len);
			bool takes = !equals && takes_value(name) && i + 1 < r->argv.count;
			add_option(s, name, equals ? equals + 1 : (takes ? r->argv.items[++i] : "true"));
			kt_free(name);
			continue;
		}
		if (options[n].flag) {
			*options[n].flag = !equals || strcmp(equals + 1, "false") != 0;
			if (!longer && word[1])
				kubectl_complain(r, s, "error: unknown shorthand flag: '%c' in -%s", word[1],
				                 word);
		} else if (equals) {
			*options[n].value = equals + 1;
		} else if (!longer && word[1]) {
			*options[n].value = word + 1 + (word[1] == '=');
		} else if (i + 1 < r->argv.count) {
			*options[n].value = r->argv.items[++i];
		} else {
			kubectl_complain(r, s, "error: flag needs an argument: %s", r->argv.items[i]);
			return false;
		}
	}
	s->own_ns = read_text(r, ACCOUNT "namespace");
	if (!s->ns)
		s->ns = s->own_ns ? s->own_ns : "default";
	return s->status == 0;
}

/* --- kinds --- */
static bool names_kind(const struct schema_kind *kind, const char *name, size_t len)
{
	if ((strlen(kind->resource) == len && !strncasecmp(kind->resource, name, len)) ||
	    (kind->singular && strlen(kind->singular) == len && !strncasecmp(kind->singular, name, len)))
		return true;
	for (size_t i = 0; kind->short_names && kind->short_names[i]; i++) {
		if (strlen(kind->short_names[i]) == len && !strncasecmp(kind->short_names[i], name, len))
			return true;
	}
	return false;
}

/* "pods", "po", "deployments.apps". */
const struct schema_kind *kubectl_kind_named(const struct kubectl *s, const char *name)
{
	const struct schema *schema = cluster_schema(s->cluster);
	size_t len = strcspn(name, ".");
	const char *group = name[len] ? name + len + 1 : NULL;
	const struct schema_kind *found = NULL;
	for (size_t i = 0; i < schema_kind_count(schema); i++) {
		const struct schema_kind *kind = schema_kind_at(schema, i);
		if (kind->unstored || !names_kind(kind, name, len) ||
		    (group && strcmp(group, kind->group) != 0))
			continue;
		/* core first, and the version that is kept */
		if (!found || (found->storage != found && kind->storage == kind) ||
		    (*found->group && !*kind->group))
			found = kind;
	}
	return found;
}

static bool want_kind(struct tool_run *r, struct kubectl *s, const char *name)
{
	s->kind = kubectl_kind_named(s, name);
	if (!s->kind)
		kubectl_complain(r, s, "error: the server doesn't have a resource type \"%s\"", name);
	return s->kind != NULL;
}

bool kubectl_want_objects(struct tool_run *r, struct kubectl *s, size_t *first)
{
	char *word, *slash;
	bool good;
	if (s->words.count < 2) {
		kubectl_complain(r, s, "error: You must specify the type of resource to %s.",
		                 s->command->name);
		return false;
	}
	word = kt_strdup(s->words.items[1]);
	slash = strchr(word, '/');
	*first = 2;
	if (slash) {
		/* every word is TYPE/NAME */
		*slash = '\0';
		*first = 1;
	}
	good = want_kind(r, s, word);
	kt_free(word);
	return good;
}

const char *kubectl_name_at(const struct kubectl *s, size_t i)
{
	const char *word = s->words.items[i], *slash = strchr(word, '/');
	return slash ? slash + 1 : word;
}

char *kubectl_path_of(const struct kubectl *s, const struct schema_kind *kind, const char *ns,
                      const char *name)
{
	struct kt_buf path = {0};
	kt_buf_addf(&path, *kind->group ? "/apis/%s/%s" : "/api%.0s/%s", kind->group, kind->version);
	if (kind->namespaced && !s->all_namespaces)
		kt_buf_addf(&path, "/namespaces/%s", ns);
	kt_buf_addf(&path, "/%s", kind->resource);
	if (name)
		kt_buf_addf(&path, "/%s", name);
	return kt_buf_take(&path);
}

/* "deployment.apps/web" */
void kubectl_full_name(const struct schema_kind *kind, const char *name, bool slash, struct kt_buf *out)
{
	kt_buf_addf(out, "%s%s%s", kind->singular, *kind->group ? "." : "", kind->group);
	kt_buf_addf(out, slash ? "/%s" : " \"%s\"", name);
}

void kubectl_told(struct tool_run *r, const struct kubectl *s, const char *name, bool slash, const char *what)
{
	struct kt_buf text = {0};
	kubectl_full_name(s->kind, name, slash, &text);
	tool_outf(r, "%s %s\n", kt_buf_str(&text), what);
	kt_buf_clear(&text);
}

struct kt_json *kubectl_answer(const char *body)
{
	struct kt_json *object = NULL;
	return kt_json_parse(body, strlen(body), NULL, &object, NULL, NULL) ? NULL : object;
}

/* --- get --- */
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
		bool good = want_kind(r, s, type);
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
static const struct kt_json *next_document(struct tool_run *r, struct kubectl *s);

static void tell_delete(struct tool_run *r, struct kubectl *s, const char *body)
{
	(void)body;
	kubectl_told(r, s, kubectl_name_at(s, s->file ? s->words.count - 1 : s->at - 1), false, "deleted");
}

static bool ask_delete(struct tool_run *r, struct kubectl *s)
{
	size_t first = 0;
	if (s->file) {
		const struct kt_json *doc = next_document(r, s);
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

/* label and annotate: NAME KEY=VALUE KEY- */
static bool ask_label(struct tool_run *r, struct kubectl *s)
{
	const char *field = s->command->name[0] == 'l' ? "labels" : "annotations";
	struct kt_json *map = kt_json_object();
	size_t first = s->words.count > 1 && strchr(s->words.items[1], '/') ? 2 : 3;
	for (size_t i = first; i < s->words.count; i++) {
		const char *word = s->words.items[i], *equals = strchr(word, '=');
		size_t len = equals ? (size_t)(equals - word) : strlen(word) - kt_ends(word, "-");
		char *key = kt_strndup(word, len);
		kt_set(&map, key, equals ? kt_json_str(equals + 1) : kt_json_null());
		kt_free(key);
	}
	struct kt_json *meta = NULL, *patch = NULL;
	kt_set(&meta, field, map);
	kt_set(&patch, "metadata", meta);
	char *text = kt_json_text(patch);
	kt_json_free(patch);
	return kubectl_patch_with(r, s, "application/merge-patch+json", "", text);
}

static void tell_label(struct tool_run *r, struct kubectl *s, const char *body)
{
	(void)body;
	kubectl_told(r, s, kubectl_name_at(s, s->at - 1), true,
	             s->command->name[0] == 'l' ? "labeled" : "annotated");
}

void kubectl_drop_word(struct kubectl *s, size_t i)
{
	kt_free(s->words.items[i]);
	memmove(s->words.items + i, s->words.items + i + 1,
	        (s->words.count - i - 1) * sizeof(*s->words.items));
	s->words.count--;
}

static const struct kubectl_command rollout_status = {"rollout", kubectl_ask_status, kubectl_tell_status,
                                                      false, false};

static const struct kubectl_command rollout_revisions = {"rollout", kubectl_ask_revisions,
                                                         kubectl_tell_revisions, false, true};

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

/* --- create and apply from files; create configmap|secret generic --- */
/* create deployment NAME --image=IMAGE */
static struct kt_json *created_deployment(struct tool_run *r, struct kubectl *s)
{
	if (s->words.count < 3 || !s->image) {
		kubectl_complain(r, s,
		                 s->image ? "error: exactly one NAME is required, got %d"
		                          : "error: required flag(s) \"image\" not set%.0d",
		                 (int)s->words.count - 2);
		return NULL;
	}
	if (!want_kind(r, s, "deployments"))
		return NULL;
	const char *name = s->words.items[2], *base = kt_basename(s->image);
	char *container = kt_strndup(base, strcspn(base, ":@"));
	struct kt_json *object = kt_jsonf("{apiVersion: 'apps/v1', kind: 'Deployment', metadata: {name: %s, "
	                                  "labels: {app: %s}}, spec: {replicas: %l, "
	                                  "selector: {matchLabels: {app: %s}}, template: {metadata: {labels: "
	                                  "{app: %s}}, spec: {containers: [{name: %s, "
	                                  "image: %s}]}}}}",
	                                  name, name, s->replicas ? strtoll(s->replicas, NULL, 10) : 1LL,
	                                  name, name, container, s->image);
	kt_free(container);
	return object;
}

static struct kt_json *created_object(struct tool_run *r, struct kubectl *s)
{
	if (s->words.count > 1 &&
	    (kt_streq(s->words.items[1], "deployment") || kt_streq(s->words.items[1], "deploy")))
		return created_deployment(r, s);
	bool made;
	struct kt_json *other = kubectl_made(r, s, &made);
	if (made)
		return other;
	bool secret = s->words.count > 1 && kt_streq(s->words.items[1], "secret");
	size_t name = secret ? 3 : 2;
	struct kt_json *data = kt_json_object();
	if (s->words.count <= name ||
	    !(secret || kt_streq(s->words.items[1], "configmap") || kt_streq(s->words.items[1], "cm") ||
	      kt_streq(s->words.items[1], "namespace") || kt_streq(s->words.items[1], "ns") ||
	      kt_streq(s->words.items[1], "serviceaccount") || kt_streq(s->words.items[1], "sa"))) {
		kubectl_complain(r, s, "error: unknown command \"%s\"",
		                 s->words.count > 1 ? s->words.items[1] : "");
		kt_json_free(data);
		return NULL;
	}
	if (!want_kind(r, s, s->words.items[1])) {
		kt_json_free(data);
		return NULL;
	}
	for (size_t i = 0; i < s->literals.count; i++) {
		char *key = kt_strndup(s->literals.items[i], strcspn(s->literals.items[i], "="));
		const char *value = s->literals.items[i] + strlen(key);
		kt_set(&data, key, kt_json_str(*value ? value + 1 : ""));
		kt_free(key);
	}
	struct kt_json *object = kt_jsonf("{apiVersion: %s, kind: %s, metadata: {name: %s}}",
	                                  s->kind->api_version, s->kind->kind, s->words.items[name]);
	if (kt_count(data))
		kt_set(&object, secret ? "stringData" : "data", data);
	else
		kt_json_free(data);
	return object;
}

static const struct kt_json *next_document(struct tool_run *r, struct kubectl *s)
{
	if (!s->docs) {
		struct kt_err err = {0};
		struct kt_buf text = {0};
		if (kt_streq(s->file, "-")) {
			kt_buf_add(&text, kt_buf_str(&s->input), s->input.len);
		} else {
			char *path = tool_path(r, s->file), *read = read_text(r, path);
			kt_free(path);
			if (!read) {
				kubectl_complain(r, s, "error: the path \"%s\" does not exist", s->file);
				return NULL;
			}
			kt_buf_adds(&text, read);
			kt_free(read);
		}
		if (kt_yaml_parse(s->file, kt_buf_str(&text), text.len, &s->docs, &err))
			kubectl_complain(r, s, "error: error parsing %s", s->file);
		kt_buf_clear(&text);
		if (!s->docs)
			return NULL;
	}
	return s->at < kt_yaml_count(s->docs) ? kt_yaml_doc(s->docs, s->at) : NULL;
}

/* --dry-run=client: what would be sent. */
static void tell_dry(struct tool_run *r, struct kubectl *s, const struct kt_json *object)
{
	if (!s->output)
		kubectl_told(r, s, kt_str_or(kt_path(object, "metadata.name"), ""), true,
		             "created (dry run)");
	else
		kubectl_print(r, s, object);
}

static bool ask_create(struct tool_run *r, struct kubectl *s)
{
	bool apply = s->command->name[0] == 'a', replace = s->command->name[0] == 'r';
	struct kt_json *object = NULL;
	if (s->file) {
		const struct kt_json *doc = next_document(r, s);
		if (!doc)
			return false;
		object = kt_json_ref(doc);
		s->kind = schema_by_api_version(cluster_schema(cluster_of(r)),
		                                kt_str_or(kt_get(doc, "apiVersion"), ""),
		                                kt_str_or(kt_get(doc, "kind"), ""));
		if (!s->kind)
			kubectl_complain(
			        r, s,
			        "error: resource mapping not found for name: \"%s\" from \"%s\": no matches "
			        "for kind "
			        "\"%s\" in version \"%s\"",
			        kt_str_or(kt_path(doc, "metadata.name"), ""), s->file,
			        kt_str_or(kt_get(doc, "kind"), ""), kt_str_or(kt_get(doc, "apiVersion"), ""));
	} else if (!s->at && !apply && kubectl_option(s, "from") && !s->seen) {
		return kubectl_ask_from(r, s);
	} else if (!s->at && !apply && s->seen) {
		object = kubectl_made_from(s);
	} else if (!s->at && s->words.count == 3 && kt_streq(s->words.items[1], "token")) {
		s->at++;
		s->call = (struct kubectl_call){
		        .method = "POST",
		        .type = "application/json",
		        .body = kt_strdup(
		                "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenRequest\","
		                "\"spec\":{}}"),
		        .path = kt_strf("/api/v1/namespaces/%s/serviceaccounts/%s/token", s->ns,
		                        s->words.items[2])};
		return true;
	} else if (!s->at && !apply) {
		object = created_object(r, s);
	} else if (!s->at) {
		kubectl_complain(r, s, "error: must specify one of -f and -k");
	}
	if (!object || !s->kind) {
		kt_json_free(object);
		return false;
	}
	if (s->dry_run && strcmp(s->dry_run, "server") != 0 && strcmp(s->dry_run, "none") != 0) {
		tell_dry(r, s, object);
		kt_json_free(object);
		s->at++;
		return s->file ? ask_create(r, s) : false;
	}
	const char *name = kt_str_or(kt_path(object, "metadata.name"), ""),
	           *ns = kt_str_or(kt_path(object, "metadata.namespace"), s->ns);
	char *base = kubectl_path_of(s, s->kind, ns, apply || replace ? name : NULL);
	s->call = (struct kubectl_call){
	        .method = apply ? "PATCH" : (replace ? "PUT" : "POST"),
	        .type = apply ? "application/apply-patch+yaml" : "application/json",
	        .body = kt_json_text(object),
	        .path = kt_strf("%s?fieldManager=kubectl%s%s", base, apply ? "&force=true" : "-create",
	                        s->dry_run && !strcmp(s->dry_run, "server") ? "&dryRun=All" : "")};
	kt_free(base);
	kt_json_free(object);
	s->at++;
	return true;
}

static void tell_create(struct tool_run *r, struct kubectl *s, const char *body)
{
	struct kt_json *object = kubectl_answer(body);
	if (!object)
		return;
	if (kubectl_option(s, "from") && !s->seen) {
		s->seen = object;
		return;
	}
	if (kt_streq(kt_get_str(object, "kind"), "TokenRequest")) {
		tool_outf(r, "%s\n", kt_str_or(kt_path(object, "status.token"), ""));
		kt_json_free(object);
		return;
	}
	bool created = s->command->name[0] == 'c' || s->fetch.response.status == 201;
	kubectl_told(r, s, kt_str_or(kt_path(object, "metadata.name"), ""), true,
	             created ? "created" : (s->command->name[0] == 'r' ? "replaced" : "configured"));
	kt_json_free(object);
}

/* --- auth can-i VERB TYPE [NAME] --- */
static bool ask_auth(struct tool_run *r, struct kubectl *s)
{
	if (s->at)
		return false;
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
        {"annotate", ask_label, tell_label, false, false},
        {"apply", ask_create, tell_create, false, false},
        {"auth", ask_auth, tell_auth, false, false},
        {"autoscale", kubectl_ask_autoscale, kubectl_tell_created, false, false},
        {"cordon", kubectl_ask_cordon, kubectl_tell_cordon, false, false},
        {"create", ask_create, tell_create, false, false},
        {"exec", kubectl_ask_exec, kubectl_tell_exec, false, true},
        {"expose", kubectl_ask_expose, kubectl_tell_expose, false, true},
        {"replace", ask_create, tell_create, false, false},
        {"delete", ask_delete, tell_delete, true, false},
        {"get", ask_get, tell_get, false, false},
        {"label", ask_label, tell_label, false, false},
        {"logs", kubectl_ask_logs, kubectl_tell_logs, false, false},
        {"patch", ask_patch, tell_patch, false, false},
        {"rollout", ask_rollout, tell_rollout, false, false},
        {"scale", ask_scale, tell_scale, false, false},
        {"run", kubectl_ask_run, kubectl_tell_created, false, false},
        {"set", kubectl_ask_set, kubectl_tell_set, false, true},
        {"top", kubectl_ask_top, kubectl_tell_top, false, true},
        {"uncordon", kubectl_ask_cordon, kubectl_tell_cordon, false, false},
        {"wait", kubectl_ask_wait, kubectl_tell_wait, true, false},
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

static const struct kubectl_command listing = {"list", ask_list, tell_list, false, false};

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
		kubectl_complain(r, s, "The %s", message ? message : "");
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
	char *token = read_text(r, ACCOUNT "token"), *bearer;
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
	if (!parse(r, s))
		return false;
	const char *word = s->words.count ? s->words.items[0] : "";
	if (!strcmp(word, "cluster-info")) {
		tool_outf(r, "Kubernetes control plane is running at https://%s:%s\n",
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
		if (s->pause && tool_sleep(r, KT_SEC))
			return TOOL_WAIT;
		s->pause = false;
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
		if (s->fetch.response.status >= 300)
			refused(r, s, &s->fetch.response);
		else
			command->tell(r, s, kt_buf_str(&s->fetch.response.body));
		if ((lists || command->staged) && s->fetch.response.status >= 300)
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
