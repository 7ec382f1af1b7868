/* SPDX-License-Identifier: MIT */
#include "cluster/api/api.h"
#include <stdio.h>
#include <string.h>

void api_status_clear(struct api_status *status)
{
	kt_free(status->message);
	kt_json_free(status->details);
	*status = (struct api_status){0};
}

static bool fill(struct api_status *status, int code, const char *reason, char *message,
                 struct kt_json *details)
{
	if (!status || status->code) {
		kt_free(message);
		kt_json_free(details);
		return false;
	}
	status->code = code;
	status->reason = reason;
	status->message = message;
	status->details = details;
	return false;
}

bool api_fail(struct api_status *status, int code, const char *reason, const char *fmt, ...)
{
	struct kt_buf text = {0};
	va_list ap;

	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	return fill(status, code, reason, kt_buf_take(&text), NULL);
}

/* "deployments.apps", "pods" */
static char *qualified(const char *word, const char *group)
{
	return *group ? kt_strf("%s.%s", word, group) : kt_strdup(word);
}

static const char *none_if_empty(const char *s)
{
	return s && *s ? s : NULL;
}

static struct kt_json *details_of(const struct schema_kind *kind, const char *name, const char *word)
{
	return kt_jsonf("{name: %s, group: %s, kind: %s}", none_if_empty(name), none_if_empty(kind->group),
	                none_if_empty(word));
}

bool api_fail_not_found(struct api_status *status, const struct schema_kind *kind, const char *name)
{
	char *resource = qualified(kind->resource, kind->group);
	char *message = kt_strf("%s \"%s\" not found", resource, name);

	kt_free(resource);
	return fill(status, 404, "NotFound", message, details_of(kind, name, kind->resource));
}

bool api_fail_exists(struct api_status *status, const struct schema_kind *kind, const char *name, bool going)
{
	char *resource = qualified(kind->resource, kind->group);
	char *message = kt_strf("%s%s \"%s\" already exists", going ? "object is being deleted: " : "",
	                        resource, name);

	kt_free(resource);
	return fill(status, 409, "AlreadyExists", message, details_of(kind, name, kind->resource));
}

bool api_fail_conflict(struct api_status *status, const struct schema_kind *kind, const char *name,
                       const char *why)
{
	char *resource = qualified(kind->resource, kind->group);
	char *message = kt_strf("Operation cannot be fulfilled on %s \"%s\": %s", resource, name, why);

	kt_free(resource);
	return fill(status, 409, "Conflict", message, details_of(kind, name, kind->resource));
}

bool api_fail_forbidden(struct api_status *status, const struct schema_kind *kind, const char *name,
                        const char *why)
{
	char *resource = qualified(kind->resource, kind->group);
	char *message = name && *name ? kt_strf("%s \"%s\" is forbidden: %s", resource, name, why)
	                              : kt_strf("%s is forbidden: %s", resource, why);

	kt_free(resource);
	return fill(status, 403, "Forbidden", message, details_of(kind, name, kind->resource));
}

/* One cause is told as it is, several as a list in brackets; the same one is not told twice
 * (errors.NewAggregate). */
static void add_causes(struct kt_buf *text, const struct kt_json *causes)
{
	struct kt_strs said = {0};
	const struct kt_json *cause;

	KT_JSON_EACH (cause, causes) {
		char *one = kt_strf("%s: %s", kt_str_or(kt_get(cause, "field"), "<nil>"),
		                    kt_str_or(kt_get(cause, "message"), ""));

		if (kt_strs_has(&said, one))
			kt_free(one);
		else
			kt_strs_steal(&said, one);
	}
	if (said.count > 1)
		kt_buf_addc(text, '[');
	for (size_t i = 0; i < said.count; i++)
		kt_buf_addf(text, "%s%s", i ? ", " : "", said.items[i]);
	if (said.count > 1)
		kt_buf_addc(text, ']');
	kt_strs_clear(&said);
}

bool api_fail_invalid(struct api_status *status, const struct schema_kind *kind, const char *name,
                      const struct kt_json *causes)
{
	struct kt_buf text = {0};
	struct kt_json *details = details_of(kind, name, kind->kind);
	char *word = qualified(kind->kind, kind->group);

	kt_buf_addf(&text, "%s \"%s\" is invalid", word, name ? name : "");
	if (kt_count(causes)) {
		kt_buf_adds(&text, ": ");
		add_causes(&text, causes);
	}
	kt_free(word);
	kt_set(&details, "causes", kt_json_ref(causes));
	return fill(status, 422, "Invalid", kt_buf_take(&text), details);
}

struct kt_json *api_status_json(const struct api_status *status)
{
	return kt_jsonf("{kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: %s, "
	                "reason: %s, "
	                "details: %J, code: %d}",
	                none_if_empty(status->message), none_if_empty(status->reason), status->details,
	                status->code);
}
