/* SPDX-License-Identifier: MIT */
/* create, apply and replace: from files, or (create) of the command line. */
#include "cluster/kubelet/shell/kubectl.h"

#include <stdlib.h>
#include <string.h>

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
	if (!kubectl_want_kind(r, s, "deployments"))
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

static bool add_file(struct tool_run *r, struct kubectl *s, const char *key, const char *path,
                     struct kt_json **data)
{
	char *text = kubectl_read(r, path);
	if (!text)
		kubectl_complain(r, s, "error: error reading %s: no such file or directory", path);
	else
		kt_set(data, key ? key : kt_basename(path), kt_json_str(text));
	kt_free(text);
	return text != NULL;
}

/* --from-file=[KEY=]FILE or FOLDER, --from-env-file=FILE; false: complained */
static bool add_files(struct tool_run *r, struct kubectl *s, struct kt_json **data)
{
	const struct kt_json *one;
	struct files *files = tool_container(r)->files;
	KT_JSON_EACH (one, kt_get(s->more, "from-file")) {
		const char *word = kt_str_or(one, ""), *equals = strchr(word, '=');
		char *path = tool_path(r, equals ? equals + 1 : word),
		     *key = equals ? kt_strndup(word, (size_t)(equals - word)) : NULL;
		struct files_stat st;
		struct kt_strs names = {0};
		bool folder = !files_stat(files, path, &st) && st.type == FILES_DIR, good = true;
		if (folder)
			(void)files_list(files, path, &names);
		for (size_t i = 0; i < names.count && good; i++) {
			char *inner = kt_strf("%s/%s", path, names.items[i]);
			if (!files_stat(files, inner, &st) && st.type == FILES_REGULAR)
				good = add_file(r, s, NULL, inner, data);
			kt_free(inner);
		}
		if (!folder)
			good = add_file(r, s, key, path, data);
		kt_strs_clear(&names);
		kt_free(path);
		kt_free(key);
		if (!good)
			return false;
	}
	KT_JSON_EACH (one, kt_get(s->more, "from-env-file")) {
		char *path = tool_path(r, kt_str_or(one, "")), *text = kubectl_read(r, path);
		if (!text)
			kubectl_complain(r, s, "error: open %s: no such file or directory",
			                 kt_str_or(one, ""));
		const char *rest = text;
		size_t len;
		for (const char *line; rest && (line = kt_split(&rest, '\n', &len));) {
			const char *equals = memchr(line, '=', len);
			if (!len || *line == '#' || !equals)
				continue;
			char *key = kt_strndup(line, (size_t)(equals - line)),
			     *value = kt_strndup(equals + 1, len - (size_t)(equals - line) - 1);
			kt_set(data, key, kt_json_str(value));
			kt_free(key);
			kt_free(value);
		}
		kt_free(path);
		kt_free(text);
	}
	return !s->status;
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
	if (!kubectl_want_kind(r, s, s->words.items[1])) {
		kt_json_free(data);
		return NULL;
	}
	for (size_t i = 0; i < s->literals.count; i++) {
		char *key = kt_strndup(s->literals.items[i], strcspn(s->literals.items[i], "="));
		const char *value = s->literals.items[i] + strlen(key);
		kt_set(&data, key, kt_json_str(*value ? value + 1 : ""));
		kt_free(key);
	}
	if (!add_files(r, s, &data)) {
		kt_json_free(data);
		return NULL;
	}
	struct kt_json *object = kt_jsonf("{apiVersion: %s, kind: %s, metadata: {name: %s}}",
	                                  s->kind->api_version, s->kind->kind, s->words.items[name]);
	if (kt_count(data))
		kt_set(&object, secret ? "stringData" : "data", data);
	else
		kt_json_free(data);
	return object;
}

const struct kt_json *kubectl_document(struct tool_run *r, struct kubectl *s)
{
	if (!s->docs) {
		struct kt_err err = {0};
		struct kt_buf text = {0};
		if (kt_streq(s->file, "-")) {
			kt_buf_add(&text, kt_buf_str(&s->input), s->input.len);
		} else {
			char *path = tool_path(r, s->file), *read = kubectl_read(r, path);
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

bool kubectl_ask_create(struct tool_run *r, struct kubectl *s)
{
	bool apply = s->command->name[0] == 'a', replace = s->command->name[0] == 'r';
	struct kt_json *object = NULL;
	if (s->file) {
		const struct kt_json *doc = kubectl_document(r, s);
		if (!doc)
			return false;
		object = kt_json_ref(doc);
		s->kind = schema_by_api_version(cluster_schema(kubectl_cluster(r)),
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
		return s->file ? kubectl_ask_create(r, s) : false;
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

void kubectl_tell_create(struct tool_run *r, struct kubectl *s, const char *body)
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
