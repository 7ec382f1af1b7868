/* SPDX-License-Identifier: MIT */
/* kubectl in a pod: label, annotate, taint, cordon and uncordon: each object is asked for first, and told of
 * after what became of it. */
#include "cluster/kubelet/shell/kubectl.h"

#include <string.h>

/* KEY=VALUE and KEY- are no names: they leave the words, for -l adds names behind them. */
static void take_pairs(struct kubectl *s)
{
	for (size_t i = s->words.count; i-- > 2;) {
		const char *word = s->words.items[i];
		bool pair = strchr(word, '=') || kt_ends(word, "-") ||
		            (kt_streq(s->command->name, "taint") && strchr(word, ':'));
		if (pair)
			kt_strs_add(&s->pairs, word);
		if (pair)
			kubectl_drop_word(s, i);
	}
}

/* The patch of labels or annotations; NULL: complained. *told: what is said when it is done. */
static struct kt_json *metadata_patch(struct tool_run *r, struct kubectl *s, const char **told)
{
	bool labels = kt_streq(s->command->name, "label");
	const char *field = labels ? "labels" : "annotations";
	const struct kt_json *there = kt_get(kt_get(s->seen, "metadata"), field);
	struct kt_json *map = kt_json_object();
	bool adds = false, removes = false;
	for (size_t i = s->pairs.count; i-- > 0;) {
		const char *word = s->pairs.items[i], *equals = strchr(word, '=');
		char *key = kt_strndup(word, equals ? (size_t)(equals - word) : strlen(word) - 1);
		const char *old = kt_get_str(there, key);
		if (!equals && !old)
			tool_outf(r, labels ? "label \"%s\" not found.\n" : "annotation \"%s\" not found.\n",
			          key);
		if (equals && old && strcmp(old, equals + 1) != 0 && !s->overwrite)
			kubectl_complain(
			        r, s,
			        labels ? "error: '%s' already has a value (%s), and --overwrite is false"
			               : "error: --overwrite is false but found the following declared "
			                 "annotation(s): '%s' already has a value (%s)",
			        key, old);
		adds = adds || (equals && !kt_streq(old, equals + 1));
		removes = removes || (!equals && old);
		kt_set(&map, key, equals ? kt_json_str(equals + 1) : kt_json_null());
		kt_free(key);
	}
	*told = !labels ? "annotated" : (adds ? "labeled" : (removes ? "unlabeled" : "not labeled"));
	return kt_jsonf("{metadata: %j}", kt_jsonf("{%s: %j}", field, map));
}

static bool same_taint(const struct kt_json *taint, const char *key, const char *effect)
{
	return kt_streq(kt_get_str(taint, "key"), key) &&
	       (!*effect || kt_streq(kt_get_str(taint, "effect"), effect));
}

/* KEY[=VALUE]:EFFECT, KEY[:EFFECT]- */
static struct kt_json *taint_patch(struct tool_run *r, struct kubectl *s, const char **told)
{
	struct kt_json *taints = kt_json_array();
	const struct kt_json *old = kt_path(s->seen, "spec.taints"), *one;
	KT_JSON_EACH (one, old)
		kt_push(&taints, kt_json_ref(one));
	bool adds = false, removes = false;
	for (size_t i = s->pairs.count; i-- > 0;) {
		const char *word = s->pairs.items[i], *colon = strchr(word, ':'), *equals = strchr(word, '=');
		size_t len = strlen(word);
		bool goes = kt_ends(word, "-"), found = false;
		size_t key_len =
		        equals ? (size_t)(equals - word) : (colon ? (size_t)(colon - word) : len - goes);
		char *key = kt_strndup(word, key_len),
		     *effect = colon ? kt_strndup(colon + 1, strlen(colon + 1) - goes) : kt_strdup(""),
		     *value = equals ? kt_strndup(equals + 1, (colon ? (size_t)(colon - equals) : len) - 1)
		                     : NULL;
		struct kt_json *kept = kt_json_array();
		KT_JSON_EACH (one, taints) {
			if (same_taint(one, key, effect))
				found = true;
			else
				kt_push(&kept, kt_json_ref(one));
		}
		if (!goes && !colon)
			kubectl_complain(r, s, "error: unknown taint spec: %s", word);
		else if (goes && !found)
			kubectl_complain(r, s, "error: taint \"%.*s\" not found", (int)(len - 1), word);
		else if (!goes && found && !s->overwrite)
			kubectl_complain(r, s,
			                 "error: node %s already has %s taint(s) with same effect(s) and "
			                 "--overwrite is "
			                 "false",
			                 kubectl_name_at(s, s->at), key);
		if (!goes) {
			struct kt_json *taint = kt_jsonf("{key: %s, effect: %s}", key, effect);
			if (value && *value)
				kt_set(&taint, "value", kt_json_str(value));
			kt_push(&kept, taint);
		}
		adds = adds || !goes;
		removes = removes || goes || found;
		kt_json_free(taints);
		taints = kept;
		kt_free(key);
		kt_free(effect);
		kt_free(value);
	}
	*told = adds && removes ? "modified" : (removes ? "untainted" : "tainted");
	return kt_jsonf("{spec: %j}", kt_jsonf("{taints: %j}", taints));
}

static struct kt_json *cordon_patch(struct tool_run *r, struct kubectl *s, const char **told)
{
	bool cordons = s->command->name[0] == 'c', is = kt_path_bool(s->seen, "spec.unschedulable", false);
	(void)r;
	*told = cordons ? (is ? "already cordoned" : "cordoned") : (is ? "uncordoned" : "already uncordoned");
	return is == cordons
	               ? kt_json_object()
	               : kt_jsonf("{spec: %j}", kt_jsonf("{unschedulable: %j}",
	                                                 cordons ? kt_json_bool(true) : kt_json_null()));
}

static const struct {
	const char *command, *missing;
	struct kt_json *(*patch)(struct tool_run *r, struct kubectl *s, const char **told);
} alters[] = {{"annotate", "error: at least one annotation update is required", metadata_patch},
              {"cordon", NULL, cordon_patch},
              {"label", "error: at least one label update is required", metadata_patch},
              {"taint", "error: at least one taint update is required", taint_patch},
              {"uncordon", NULL, cordon_patch}};

static struct kt_json *patch_of(struct tool_run *r, struct kubectl *s, const char **told)
{
	size_t i = 0;
	while (strcmp(alters[i].command, s->command->name) != 0)
		i++;
	if (alters[i].missing && !s->pairs.count) {
		kubectl_complain(r, s, "%s", alters[i].missing);
		return NULL;
	}
	struct kt_json *patch = alters[i].patch(r, s, told);
	if (s->status)
		kt_json_freep(&patch);
	return patch;
}

bool kubectl_ask_alter(struct tool_run *r, struct kubectl *s)
{
	size_t first = 1;
	bool nodes = strstr(s->command->name, "cordon");
	if (!s->stage++)
		take_pairs(s);
	if (nodes && !s->listed)
		s->kind = kubectl_kind_named(s, "nodes");
	else if (!kubectl_want_objects(r, s, &first))
		return false;
	s->at = s->at ? s->at : first;
	if (s->at >= s->words.count && s->at == first)
		kubectl_complain(r, s,
		                 nodes ? "error: USAGE: %s NODE [flags]"
		                       : "error: resource(s) were provided, but no name was specified%.0s",
		                 s->command->name);
	const char *told = NULL;
	struct kt_json *patch = NULL;
	while (s->seen && !patch) {
		patch = patch_of(r, s, &told);
		if (!patch)
			return false;
		if (kt_count(patch))
			break;
		kubectl_told(r, s, kubectl_name_at(s, s->at++), true, told);
		kt_json_freep(&patch);
		kt_json_freep(&s->seen);
	}
	if (s->at >= s->words.count || s->status)
		return false;
	char *base = kubectl_path_of(s, s->kind, s->ns, kubectl_name_at(s, s->at));
	s->what = told;
	s->call = patch ? (struct kubectl_call){.method = "PATCH",
	                                        .type = "application/merge-patch+json",
	                                        .body = kt_json_text(patch),
	                                        .path = kt_strf("%s?fieldManager=kubectl-%s", base,
	                                                        s->command->name)}
	                : (struct kubectl_call){.method = "GET", .path = kt_strdup(base)};
	kt_free(base);
	kt_json_free(patch);
	return true;
}

void kubectl_tell_alter(struct tool_run *r, struct kubectl *s, const char *body)
{
	if (!s->seen) {
		s->seen = kubectl_answer(body);
		return;
	}
	kubectl_told(r, s, kubectl_name_at(s, s->at++), true, s->what);
	kt_json_freep(&s->seen);
}
