/* SPDX-License-Identifier: MIT */
/* PATCH over HTTP (apiserver pkg/endpoints/handlers/patch.go): the body by its type, what it makes of the
 * object, and that decoded as a body would be. */
#include "cluster/api/internal.h"
#include <string.h>
#include <strings.h>

enum patch_type { PATCH_JSON, PATCH_MERGE, PATCH_STRATEGIC, PATCH_APPLY };
static const struct {
	const char *media;
	enum patch_type type;
	bool custom; /* for custom resources too */
} patch_types[] = {
        {"application/json-patch+json", PATCH_JSON, true},
        {"application/merge-patch+json", PATCH_MERGE, true},
        {"application/strategic-merge-patch+json", PATCH_STRATEGIC, false},
        {"application/apply-patch+yaml", PATCH_APPLY, true},
};

static bool is_custom(const struct schema_kind *kind)
{
	return kind->crd != NULL || kt_ends(kind->group, "gateway.networking.k8s.io");
}

static bool patch_type_of(struct api_request *request, const struct schema_kind *kind, enum patch_type *out)
{
	struct kt_buf accepted = {0};
	char type[96];

	api_media_type(request, type);
	for (size_t i = 0; i < KT_COUNT(patch_types); i++) {
		if (is_custom(kind) && !patch_types[i].custom)
			continue;
		if (strcasecmp(type, patch_types[i].media) == 0) {
			*out = patch_types[i].type;
			kt_buf_clear(&accepted);
			return true;
		}
		kt_buf_addf(&accepted, "%s%s", accepted.len ? ", " : "", patch_types[i].media);
	}
	/* the routes of built-in kinds look at the type themselves, and say less */
	api_fail(&request->status, 415, "UnsupportedMediaType",
	         is_custom(kind) ? "the body of the request was in an unknown format - accepted media types "
	                           "include: %s"
	                         : "415: Unsupported Media Type%.0s",
	         kt_buf_str(&accepted));
	if (!is_custom(kind))
		request->status.details = kt_json_object();
	kt_buf_clear(&accepted);
	return false;
}

static bool fail_yaml(struct api_request *request, const char *text)
{
	char *why = api_yaml_fault(text);

	api_fail(&request->status, 400, "BadRequest",
	         "error decoding YAML: error converting YAML to JSON: %s", why);
	kt_free(why);
	return false;
}

static bool apply_body(struct api_request *request, struct kt_json **out)
{
	struct kt_yaml *yaml = NULL;
	struct kt_err err = {0};
	const struct kt_json *doc;

	if (kt_yaml_parse("", request->http->body, request->http->body_len, &yaml, &err))
		return fail_yaml(request, err.text);
	doc = kt_yaml_count(yaml) ? kt_yaml_doc(yaml, 0) : NULL;
	if (!doc || kt_json_type(doc) == KT_JSON_NULL)
		*out = kt_json_object();
	else if (kt_is_object(doc))
		*out = kt_json_ref(doc);
	else
		api_fail(&request->status, 400, "BadRequest",
		         "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot "
		         "unmarshal %s into Go value of type map[string]interface {}",
		         patch_json_kind(doc));
	kt_yaml_free(yaml);
	return *out != NULL;
}

static bool patch_body(struct api_request *request, enum patch_type type, struct kt_json **out,
                       char **duplicates)
{
	struct kt_err err = {0};

	*out = NULL;
	if (type == PATCH_APPLY)
		return apply_body(request, out);
	if (kt_json_parse(request->http->body, request->http->body_len, NULL, out, duplicates, &err))
		return api_fail(&request->status, 400, "BadRequest",
		                type == PATCH_STRATEGIC ? "%s" : "error decoding patch: %s", err.text);
	return true;
}

static bool apply_type(struct api_request *request, const struct schema_kind *kind, enum patch_type type,
                       const struct kt_json *target, const struct kt_json *body, struct kt_json **out)
{
	switch (type) {
	case PATCH_JSON:
		return patch_json(target, body, out, &request->status);
	case PATCH_MERGE:
		return patch_merge(target, body, out, &request->status);
	case PATCH_STRATEGIC:
		return patch_strategic(kind->type, target, body, out, &request->status);
	case PATCH_APPLY:
		break;
	}
	return false;
}

/* Strategic patches, and what is applied, are converted by runtime.DefaultUnstructuredConverter, which has
 * words of its own for a value of the wrong type: what Go itself would convert is told otherwise than what it
 * would not. */
static char *converter_words(const char *text)
{
	static const char *const found[][2] = {{"string", "string"},
	                                       {"number", "int64"},
	                                       {"bool", "bool"},
	                                       {"object", "map"},
	                                       {"array", "slice"}};
	const char *type = strstr(text, " of type "), *word = strstr(text, "cannot unmarshal ");

	if (kt_starts(text, "illegal base64"))
		return kt_strf("error decoding from json: %s", text);
	if (!type || !word)
		return kt_strdup(text);
	type += strlen(" of type ");
	word += strlen("cannot unmarshal ");
	for (size_t i = 0; i < KT_COUNT(found); i++) {
		if (!kt_starts(word, found[i][0]))
			continue;
		if (kt_starts(type, "[]"))
			return kt_strf("cannot restore slice from %s", found[i][1]);
		if (kt_starts(type, "map["))
			return kt_strf("cannot restore map from %s", found[i][1]);
		if (strchr(type, '.'))
			return kt_strf("cannot restore struct from: %s", found[i][1]);
	}
	if (kt_starts(word, "number ") && kt_starts(type, "int"))
		return kt_strf("cannot convert float64 to %s", type);
	if (kt_starts(word, "number") && kt_streq(type, "string"))
		return kt_strdup("cannot convert int64 to string");
	return kt_strf("unrecognized type: %s", type);
}

struct patching {
	struct api_request *request;
	const struct schema_kind *kind;
	enum patch_type type;
	const struct kt_json *body;
	char *duplicates; /* members that the body has twice, as kt_json_parse tells them */
};

/* What the patch came to is no object of its kind: a strategic patch is told by itself, another by its
 * result. */
static bool refuse(const struct patching *p, const struct kt_json *patched, const char *why)
{
	struct kt_buf text = {0};
	struct kt_json *shown;

	if (p->type == PATCH_STRATEGIC)
		return patch_fail_undecodable(&p->request->status, p->body, why);
	shown = patch_shown(patched, p->body);
	kt_json_print(shown, &text);
	patch_fail_text(&p->request->status, kt_buf_str(&text), why);
	kt_buf_clear(&text);
	kt_json_free(shown);
	return false;
}

/* Members of an operation that no operation has are told with the fields that the kind has not. */
static void note_operations(const struct patching *p, struct schema_problems *problems)
{
	static const char *const known[] = {"op", "path", "from", "value"};
	const struct kt_json *op;

	if (p->type != PATCH_JSON)
		return;
	KT_JSON_EACH (op, p->body) {
		for (size_t i = 0; i < kt_count(op); i++) {
			bool fits = false;

			for (size_t k = 0; k < KT_COUNT(known); k++)
				fits = fits || kt_streq(kt_key(op, i), known[k]);
			if (!fits)
				kt_strs_steal(&problems->unknown,
				              kt_strf("json patch unknown field \"[%zu].%s\"", (size_t)op_i,
				                      kt_key(op, i)));
		}
	}
}

/* The patched value, decoded as the kind. */
static bool decode_patched(const struct patching *p, struct kt_json *patched, struct kt_json **out)
{
	struct api_request *request = p->request;
	struct schema_problems problems = {.wraps = p->type == PATCH_STRATEGIC};
	struct kt_err err = {0};
	kt_ns offset = cluster_wire_offset(request->cluster);
	bool strict = kt_streq(api_query(request, "fieldValidation"), "Strict"), fine = true;
	char *why = api_kind_fault(request, p->kind, kt_get_str(patched, "apiVersion"),
	                           kt_get_str(patched, "kind"));
	/* Go's maps are written in order of their keys: so unknown fields are told. */
	struct kt_json *sorted = kt_json_sorted(patched);

	api_add_duplicates(p->duplicates, p->type == PATCH_JSON ? "json patch " : "", &problems);
	note_operations(p, &problems);
	if (!why && schema_decode(cluster_schema(request->cluster), p->kind, sorted, out, &problems, &err))
		why = p->type == PATCH_STRATEGIC ? converter_words(err.text) : kt_strdup(err.text);
	else if (!why && strict && (problems.unknown.count || problems.duplicate.count))
		why = api_strict_fault(&problems);
	if (why)
		fine = refuse(p, patched, why);
	else
		fine = api_tolerate(request, sorted, p->kind, &problems);
	if (fine)
		managed_keep_reset(sorted, out);
	else
		kt_json_freep(out);
	if (fine && offset) {
		struct kt_json *shifted = api_shift_times(p->kind->type, *out, offset);

		kt_json_free(*out);
		*out = shifted;
	}
	kt_free(why);
	schema_problems_clear(&problems);
	kt_json_free(sorted);
	kt_json_free(patched);
	return fine;
}

static bool apply_options_fit(struct api_request *request)
{
	static const struct schema_kind options = {
	        .group = "meta.k8s.io", .kind = "PatchOptions", .resource = ""};
	const char *manager = api_query(request, "fieldManager");
	struct kt_json *causes;

	if (manager && *manager)
		return true;
	causes = kt_jsonf("[{reason: 'FieldValueRequired', message: 'Required value: is required for apply "
	                  "patch', field: "
	                  "'fieldManager'}]");
	api_fail_invalid(&request->status, &options, "", causes);
	kt_json_free(causes);
	return false;
}

/* versioncheck.go: what is applied says of what kind it is. */
static bool applied_kind_fits(struct api_request *request, const struct schema_kind *kind,
                              const struct kt_json *body)
{
	const char *version = kt_get_text(body, "apiVersion"), *said = kt_get_text(body, "kind");

	if (kt_streq(version, kind->api_version) && kt_streq(said, kind->kind))
		return true;
	return api_fail(&request->status, 400, "BadRequest", "invalid object type: %s%s, Kind=%s",
	                strchr(version, '/') ? "" : "/", version, said);
}

static bool fail_conversion(struct api_request *request, const struct schema_kind *kind,
                            const struct kt_json *body, const char *why)
{
	char *which = kt_strf("%s%s, Kind=%s", *kind->group ? "" : "/", kind->api_version, kind->kind);

	api_fail(&request->status, 500, "",
	         "failed to convert new object (%s/%s; %s) to proper version: unable to convert unstructured "
	         "object to %s: %s",
	         kt_get_text(kt_get(body, "metadata"), "namespace"),
	         kt_get_text(kt_get(body, "metadata"), "name"), which, which, why);
	kt_free(which);
	return false;
}

static bool server_side_apply(struct api_request *request, const struct schema_kind *kind,
                              const struct kt_json *target, struct kt_json *body, struct kt_json **out)
{
	struct kt_json *applied = NULL, *merged = NULL;
	struct schema_problems problems = {.wraps = true};
	struct kt_err err = {0};
	bool fine = apply_options_fit(request) && applied_kind_fits(request, kind, body);

	if (fine && kt_path(body, "metadata.managedFields"))
		fine = api_fail(&request->status, 400, "BadRequest", "metadata.managedFields must be nil");
	/* The body is applied as it came: decoding would add members that its author never named. */
	if (fine && kind->storage && kind->storage != kind) {
		const struct patching p = {.request = request, .kind = kind, .type = PATCH_APPLY};

		fine = decode_patched(&p, kt_json_ref(body), &applied);
		kt_json_free(body);
		body = fine ? schema_convert(applied, kind, kind->storage) : NULL;
		kt_json_free(applied);
	}
	fine = fine && managed_apply(kind->storage, target, body, api_query(request, "fieldManager"),
	                             request->subresource, api_query_bool(request, "force"),
	                             cluster_now(request->cluster), &merged, &request->status);
	if (!fine || merged == target) {
		*out = merged;
	} else {
		if (schema_decode(cluster_schema(request->cluster), kind->storage, merged, out, &problems,
		                  &err)) {
			char *why = converter_words(err.text);

			fine = fail_conversion(request, kind, body, why);
			kt_free(why);
		}
		schema_problems_clear(&problems);
		kt_json_free(merged);
	}
	kt_json_free(body);
	if (fine && !api_name_fits(request, *out)) {
		kt_json_freep(out);
		fine = false;
	}
	return fine;
}

/* `target` as the client knows it, patched and decoded, in the version that is asked for. */
static bool patch_object(const struct patching *p, const struct kt_json *target, struct kt_json **out)
{
	struct kt_json *outward = api_outward(p->kind, target, cluster_wire_offset(p->request->cluster));
	struct kt_json *patched = NULL;
	/* a patch that is null changes nothing, if it is not a merge */
	bool nothing = kt_json_type(p->body) == KT_JSON_NULL && p->type != PATCH_MERGE;
	bool fine = nothing || apply_type(p->request, p->kind, p->type, outward, p->body, &patched), named;

	if (nothing)
		patched = kt_json_ref(outward);
	/* the typed object that a strategic patch becomes does not know what it was called */
	if (fine && p->type == PATCH_STRATEGIC) {
		kt_set(&patched, "kind", kt_json_str(p->kind->kind));
		kt_set(&patched, "apiVersion", kt_json_str(p->kind->api_version));
	}
	/* what has a kind and no version is read as nothing at all */
	named = p->kind->crd || *kt_get_text(patched, "apiVersion") || !*kt_get_text(patched, "kind");
	fine = fine && decode_patched(p, patched, out);
	if (fine && !api_name_fits(p->request, named ? *out : NULL)) {
		kt_json_freep(out);
		fine = false;
	}
	kt_json_free(outward);
	return fine;
}

bool api_patch_value(struct api_request *request, const struct schema_kind *kind,
                     const struct kt_json *target, bool *out_applied, struct kt_json **out)
{
	struct patching p = {.request = request, .kind = kind};
	struct kt_json *body, *decoded = NULL;
	bool fine;

	*out_applied = false;
	if (!patch_type_of(request, kind, &p.type) || api_body_too_big(request))
		return false;
	if (!target && p.type != PATCH_APPLY)
		return api_fail_not_found(&request->status, kind, request->name);
	if (!patch_body(request, p.type, &body, &p.duplicates))
		return false;
	if (p.type == PATCH_APPLY) {
		*out_applied = true;
		return server_side_apply(request, kind, target, body, out);
	}
	p.body = body;
	fine = patch_object(&p, target, &decoded);
	kt_free(p.duplicates);
	kt_json_free(body);
	if (!fine)
		return false;
	if (kind->storage && kind->storage != kind) {
		*out = schema_convert(decoded, kind, kind->storage);
		kt_json_free(decoded);
	} else {
		*out = decoded;
	}
	return true;
}

void api_patch_request(struct api_request *request)
{
	const struct store_object *old;
	struct api_write write;
	struct kt_json *object = NULL, *out = NULL;
	bool fine;

	if (!api_options_fit(request, "PatchOptions"))
		return;
	api_write_from_request(&write, request);
	old = store_get(cluster_store(request->cluster), request->kind->storage,
	                request->kind->namespaced ? request->ns : "", request->name);
	if (!api_patch_value(request, request->kind, old ? old->json : NULL, &write.applied, &object))
		return;
	write.patched = true;
	if (old)
		fine = api_write_update(&write, old, object, &out);
	else
		fine = api_write_create(&write, object, &out);
	if (fine)
		api_respond_object(request, old ? 200 : 201, out);
	kt_json_free(out);
}
