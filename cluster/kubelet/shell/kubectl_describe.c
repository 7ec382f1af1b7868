/* SPDX-License-Identifier: MIT */
/* kubectl in a pod: describe, the generic way, as kubectl does it for kinds that it does not know: every
 * field by its name, then the object's events. */
#include "cluster/kubelet/shell/kubectl.h"

#include <ctype.h>
#include <string.h>

/* "minReadySeconds" -> "Min Ready Seconds", "podIP" -> "Pod IP" */
static char *title_of(const char *name)
{
	struct kt_buf out = {0};
	for (const char *c = name; *c; c++) {
		bool upper = isupper((unsigned char)*c) != 0,
		     starts = upper && c > name &&
		              (!isupper((unsigned char)c[-1]) || islower((unsigned char)c[1]));
		if (starts)
			kt_buf_addc(&out, ' ');
		kt_buf_addc(&out, c == name ? (char)toupper((unsigned char)*c) : *c);
	}
	kt_buf_adds(&out, "");
	return kt_buf_take(&out);
}

static void add_fields(const struct kt_json *map, int depth, const char *const *skipped, struct kt_buf *out);

static void add_value(const char *title, const struct kt_json *value, int depth, size_t width,
                      struct kt_buf *out)
{
	const struct kt_json *one;
	if (kt_is_object(value)) {
		kt_buf_addf(out, "%*s%s:\n", depth * 2, "", title);
		add_fields(value, depth + 1, NULL, out);
	} else if (kt_is_array(value)) {
		kt_buf_addf(out, "%*s%s:\n", depth * 2, "", title);
		KT_JSON_EACH (one, value) {
			char *text = kt_json_text(one);
			if (kt_is_object(one))
				add_fields(one, depth + 1, NULL, out);
			else
				kt_buf_addf(out, "%*s%s\n", (depth + 1) * 2, "", kt_str_or(one, text));
			kt_free(text);
		}
	} else {
		char *text = kt_json_text(value), *label = kt_strf("%s:", title);
		kt_buf_addf(out, "%*s%-*s  %s\n", depth * 2, "", (int)width, label, kt_str_or(value, text));
		kt_free(text);
		kt_free(label);
	}
}

static void add_fields(const struct kt_json *map, int depth, const char *const *skipped, struct kt_buf *out)
{
	size_t width = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < kt_count(map); i++) {
			const struct kt_json *value = kt_at(map, i);
			bool skip = false;
			for (size_t k = 0; skipped && skipped[k]; k++)
				skip = skip || kt_streq(skipped[k], kt_key(map, i));
			if (skip)
				continue;
			char *title = title_of(kt_key(map, i));
			if (pass)
				add_value(title, value, depth, width, out);
			else if (!kt_is_object(value) && !kt_is_array(value))
				width = KT_MAX(width, strlen(title) + 1);
			kt_free(title);
		}
	}
}

/* labels, annotations: one a line */
static void add_pairs(const char *name, const struct kt_json *map, struct kt_buf *out)
{
	for (size_t i = 0; i < kt_count(map); i++)
		kt_buf_addf(out, "%-13s %s%s%s\n", i ? "" : name, kt_key(map, i), name[0] == 'L' ? "=" : ": ",
		            kt_str_or(kt_at(map, i), ""));
	if (!kt_count(map))
		kt_buf_addf(out, "%-13s <none>\n", name);
}

static void add_object(const struct kt_json *object, struct kt_buf *out)
{
	static const char *const meta[] = {"name",        "namespace",     "labels",
	                                   "annotations", "managedFields", NULL},
	                         *const top[] = {"apiVersion", "kind", "metadata", NULL};
	const struct kt_json *metadata = kt_get(object, "metadata");
	const char *ns = kt_get_str(metadata, "namespace");
	kt_buf_addf(out, "%-13s %s\n", "Name:", kt_str_or(kt_get(metadata, "name"), ""));
	kt_buf_addf(out, "%-13s %s\n", "Namespace:", ns ? ns : "");
	add_pairs("Labels:", kt_get(metadata, "labels"), out);
	add_pairs("Annotations:", kt_get(metadata, "annotations"), out);
	kt_buf_addf(out, "%-13s %s\n%-13s %s\nMetadata:\n",
	            "API Version:", kt_str_or(kt_get(object, "apiVersion"), ""),
	            "Kind:", kt_str_or(kt_get(object, "kind"), ""));
	add_fields(metadata, 1, meta, out);
	add_fields(object, 0, top, out);
}

static void add_events(const struct kt_json *events, struct kt_buf *out)
{
	const struct kt_json *one;
	if (!kt_count(kt_get(events, "items"))) {
		kt_buf_addf(out, "%-13s <none>\n", "Events:");
		return;
	}
	kt_buf_adds(out, "Events:\n  Type     Reason               From                     Message\n  ----  "
	                 "   ------               "
	                 "----                     -------\n");
	KT_JSON_EACH (one, kt_get(events, "items")) {
		const char *from = kt_str_or(kt_path(one, "source.component"), NULL);
		kt_buf_addf(out, "  %-8s %-20s %-24s %s\n", kt_str_or(kt_get(one, "type"), ""),
		            kt_str_or(kt_get(one, "reason"), ""),
		            from && *from ? from : kt_str_or(kt_get(one, "reportingComponent"), ""),
		            kt_str_or(kt_get(one, "message"), ""));
	}
}

/* Stages for each object: it, then its events. Without a name all are listed first. */
bool kubectl_ask_describe(struct tool_run *r, struct kubectl *s)
{
	size_t first = 0;
	if (!kubectl_want_objects(r, s, &first))
		return false;
	s->at = s->at ? s->at : first;
	if (first >= s->words.count && !s->listed) {
		s->call = (struct kubectl_call){.method = "GET",
		                                .path = kubectl_path_of(s, s->kind, s->ns, NULL)};
		return true;
	}
	if (s->at >= s->words.count)
		return false;
	const char *name = kubectl_name_at(s, s->at);
	if (!s->seen)
		s->call = (struct kubectl_call){.method = "GET",
		                                .path = kubectl_path_of(s, s->kind, s->ns, name)};
	else
		s->call = (struct kubectl_call){
		        .method = "GET",
		        .path = kt_strf(
		                "/api/v1%s%s/"
		                "events?fieldSelector=involvedObject.name%%3D%s%%2CinvolvedObject.uid%%3D%s",
		                s->kind->namespaced ? "/namespaces/" : "", s->kind->namespaced ? s->ns : "",
		                name, kt_str_or(kt_path(s->seen, "metadata.uid"), ""))};
	return true;
}

void kubectl_tell_describe(struct tool_run *r, struct kubectl *s, const char *body)
{
	struct kt_json *answer = kubectl_answer(body);
	const struct kt_json *item;
	if (kt_get(answer, "items") && !s->seen) {
		KT_JSON_EACH (item, kt_get(answer, "items"))
			kt_strs_add(&s->words, kt_str_or(kt_path(item, "metadata.name"), ""));
		s->listed = true;
		if (!kt_count(kt_get(answer, "items")))
			tool_err(r, "No resources found in %s namespace.\n", s->ns);
	} else if (!s->seen) {
		s->seen = kt_json_ref(answer);
	} else {
		struct kt_buf out = {0};
		if (s->printed++)
			kt_buf_adds(&out, "\n\n");
		add_object(s->seen, &out);
		add_events(answer, &out);
		tool_outs(r, kt_buf_str(&out));
		kt_buf_clear(&out);
		kt_json_freep(&s->seen);
		s->at++;
	}
	kt_json_free(answer);
}
