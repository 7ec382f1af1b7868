/* SPDX-License-Identifier: MIT */
/* Admission policies and webhooks: kubernetes pkg/apis/admissionregistration/validation. */
#include "cluster/api/expression.h"
#include "cluster/api/validate.h"

#include <string.h>

#define GROUP "admissionregistration.k8s.io"

static const char *const failure_policies[] = {"Fail", "Ignore", NULL};
static const char *const match_policies[] = {"Equivalent", "Exact", NULL};

/* --- rules: which requests --- */

static void operations(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	static const char *const known[] = {"*", "CONNECT", "CREATE", "DELETE", "UPDATE", NULL};
	const struct kt_json *item;
	bool all = false;
	if (kt_count(list) == 0)
		v_required(v, path, "");
	KT_JSON_EACH (item, list)
		all = all || kt_streq(kt_str(item), "*");
	if (all && kt_count(list) > 1)
		v_invalid(v, path, list, "if '*' is present, must not specify other operations");
	KT_JSON_EACH (item, list) {
		bool fine = false;
		for (size_t i = 0; known[i]; i++)
			fine = fine || kt_streq(kt_str(item), known[i]);
		if (!fine)
			v_unsupported(v, V_AT(path, item_i), item, known);
	}
}

/* A list in which "*" stands alone. */
static void all_or_some(struct v *v, const struct v_path *path, const struct kt_json *list, const char *what)
{
	if (kt_count(list) == 0)
		v_required(v, path, "");
	else if (kt_count(list) > 1 && kt_has_word(list, "*"))
		v_invalid(v, path, list, "if '*' is present, must not specify other %s", what);
}

/* Whether "PART/STAR" (or "STAR/PART") stands before item `i`. */
static bool covered(const struct kt_json *list, size_t i, const char *resource, const char *sub)
{
	char *word = kt_strf("%s/%s", resource, sub);
	bool found = false;
	for (size_t j = 0; j < i; j++)
		found = found || kt_streq(kt_str(kt_at(list, j)), word);
	kt_free(word);
	return found;
}

static void rule_resources(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *item;
	bool plain = false;
	if (kt_count(list) == 0)
		v_required(v, path, "");
	KT_JSON_EACH (item, list) {
		const char *text = kt_str_or(item, ""), *slash = strchr(text, '/');
		if (!*text)
			v_required(v, V_AT(path, item_i), "");
		if (!slash) {
			plain = *text ? strcmp(text, "*") != 0 : plain;
			continue;
		}
		char *resource = kt_strf("%.*s", (int)(slash - text), text);
		if (covered(list, item_i, resource, "*"))
			v_invalid(v, V_AT(path, item_i), item, "if '%s/*' is present, must not specify %s",
			          resource, text);
		if (covered(list, item_i, "*", slash + 1))
			v_invalid(v, V_AT(path, item_i), item, "if '*/%s' is present, must not specify %s",
			          slash + 1, text);
		kt_free(resource);
	}
	if (kt_count(list) > 1 && kt_has_word(list, "*/*"))
		v_invalid(v, path, list, "if '*/*' is present, must not specify other resources");
	if (kt_has_word(list, "*") && plain)
		v_invalid(v, path, list,
		          "if '*' is present, must not specify other resources without subresources");
}

static void resource_rule(struct v *v, const struct v_path *path, const struct kt_json *rule)
{
	static const char *const scopes[] = {"*", "Cluster", "Namespaced", NULL};
	const struct kt_json *version, *name, *scope = kt_get(rule, "scope");
	KT_JSON_EACH (name, kt_get(rule, "resourceNames")) {
		const struct v_path *at = V_AT(V_IN(path, "resourceNames"), name_i);
		v_check(v, at, kt_str_or(name, ""), v_path_segment);
		for (size_t i = 0; i < name_i; i++)
			if (kt_equal(kt_at(kt_get(rule, "resourceNames"), i), name)) {
				v_duplicate(v, at, name);
				break;
			}
	}
	operations(v, V_IN(path, "operations"), kt_get(rule, "operations"));
	all_or_some(v, V_IN(path, "apiGroups"), kt_get(rule, "apiGroups"), "API groups");
	all_or_some(v, V_IN(path, "apiVersions"), kt_get(rule, "apiVersions"), "API versions");
	KT_JSON_EACH (version, kt_get(rule, "apiVersions"))
		if (!kt_str_len(version))
			v_required(v, V_AT(V_IN(path, "apiVersions"), version_i), "");
	rule_resources(v, V_IN(path, "resources"), kt_get(rule, "resources"));
	if (scope && strcmp(kt_str_or(scope, ""), "*") && strcmp(kt_str_or(scope, ""), "Cluster") &&
	    strcmp(kt_str_or(scope, ""), "Namespaced"))
		v_unsupported(v, V_IN(path, "scope"), scope, scopes);
}

static void match_resources(struct v *v, const struct v_path *path, const struct kt_json *match)
{
	static const struct v_rule rules[] = {
	        {.field = "matchPolicy", .kind = V_ENUM, .values = match_policies},
	        {.field = "namespaceSelector", .kind = V_CALL, .fn = v_label_selector},
	        {.field = "objectSelector", .kind = V_CALL, .fn = v_label_selector},
	        {.field = "resourceRules", .kind = V_EACH, .fn = resource_rule},
	        {.field = "excludeResourceRules", .kind = V_EACH, .fn = resource_rule},
	};
	V_RULES(v, path, match, rules);
}

/* --- policies --- */

static bool is_blank(const char *s)
{
	return s[strspn(s, " \t\r\n")] == 0;
}

/* Tell what is wrong with an expression; the type that it gives goes to *type (may be NULL). */
static void compile(struct v *v, const struct v_path *path, const char *text, enum expression_result result,
                    struct cel_program **out)
{
	struct cel_program *program = NULL;
	char *why = expression_compile(v->scope, text, result, &program);
	if (why)
		v_invalid_str(v, path, text, "%s", why);
	if (out)
		*out = program;
	else
		cel_program_free(program);
	kt_free(why);
}

static void match_conditions(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *item;
	if (kt_count(list) > 64)
		v_too_many(v, path, kt_count(list), 64);
	KT_JSON_EACH (item, list) {
		const struct v_path *at = V_AT(path, item_i);
		const char *name = kt_get_text(item, "name");
		if (is_blank(kt_get_text(item, "expression")))
			v_required(v, V_IN(at, "expression"), "");
		else
			compile(v, V_IN(at, "expression"), kt_get_text(item, "expression"), EXPRESSION_BOOL,
			        NULL);
		if (!*name)
			v_required(v, V_IN(at, "name"), "");
		else
			v_check(v, V_IN(at, "name"), name, v_qualified_name);
		if (*name && kt_find(list, "name", name) < (ptrdiff_t)item_i)
			v_duplicate(v, V_IN(at, "name"), kt_get(item, "name"));
	}
}

static void param_kind(struct v *v, const struct v_path *path, const struct kt_json *kind)
{
	const char *version = kt_get_text(kind, "apiVersion"), *slash = strchr(version, '/'),
	           *name = kt_get_text(kind, "kind");
	const struct v_path *vp = V_IN(path, "apiVersion");
	if (!*version) {
		v_required(v, vp, "");
	} else if (slash && strchr(slash + 1, '/')) {
		v_invalid_str(v, vp, version, "unexpected GroupVersion string: %s", version);
	} else {
		char *group = kt_strf("%.*s", slash ? (int)(slash - version) : 0, version);
		const char *rest = slash ? slash + 1 : version;
		if (*group)
			v_check(v, vp, group, v_dns_subdomain);
		if (!*rest)
			v_invalid_str(v, vp, version, "version must be specified");
		else
			v_check(v, vp, rest, v_dns_1035);
		kt_free(group);
	}
	if (!*name) {
		v_required(v, V_IN(path, "kind"), "");
	} else {
		char *lower = kt_strdup(name);
		struct kt_strs faults = {0};
		for (char *c = lower; *c; c++)
			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c | 32);
		v_dns_1035(lower, &faults);
		for (size_t i = 0; i < faults.count; i++)
			v_invalid_str(v, V_IN(path, "kind"), name,
			              "may have mixed case, but should otherwise match: %s", faults.items[i]);
		kt_strs_clear(&faults);
		kt_free(lower);
	}
}

static bool is_cel_name(const char *s)
{
	static const char *const reserved[] = {"true",   "false",    "null", "in",      "as",        "break",
	                                       "const",  "continue", "else", "for",     "function",  "if",
	                                       "import", "let",      "loop", "package", "namespace", "return",
	                                       "var",    "void",     "while"};
	struct kt_strs faults = {0};
	bool fine;
	v_c_identifier(s, &faults);
	fine = faults.count == 0;
	kt_strs_clear(&faults);
	for (size_t i = 0; i < KT_COUNT(reserved); i++)
		fine = fine && strcmp(s, reserved[i]) != 0;
	return fine;
}

static void variable(struct v *v, const struct v_path *path, const struct kt_json *item)
{
	const char *name = kt_get_text(item, "name");
	if (is_blank(name))
		v_required(v, V_IN(path, "name"), "name is not specified");
	else if (!is_cel_name(name))
		v_invalid_str(v, V_IN(path, "name"), name, "must be a valid CEL identifier");
	if (is_blank(kt_get_text(item, "expression"))) {
		v_required(v, V_IN(path, "expression"), "expression is not specified");
		return;
	}
	struct cel_program *program;
	compile(v, V_IN(path, "expression"), kt_get_text(item, "expression"), EXPRESSION_ANY, &program);
	/* Its type outlives the program: what follows is checked against it. */
	expression_add(v->scope, name,
	               program ? cel_type_copy(&v->scope->arena, cel_program_type(program)) : NULL);
	cel_program_free(program);
}

/* `whole` without the variables whose names begin so. */
static void leave_out(const struct expression_scope *whole, const char *prefix, struct expression_scope *out)
{
	size_t n = 0;
	*out = *whole;
	for (size_t i = 0; whole->declared[i].name; i++)
		if (!kt_starts(whole->declared[i].name, prefix))
			out->declared[n++] = whole->declared[i];
	out->declared[n] = (struct cel_variable){0};
}

static void validation(struct v *v, const struct v_path *path, const struct kt_json *item)
{
	static const char *const reasons[] = {"Forbidden", "Invalid", "RequestEntityTooLarge", NULL};
	const char *message = kt_get_text(item, "message"), *text = kt_get_text(item, "messageExpression");
	const struct kt_json *reason = kt_get(item, "reason");
	size_t end = strlen(message);
	if (is_blank(kt_get_text(item, "expression")))
		v_required(v, V_IN(path, "expression"), "expression is not specified");
	else
		compile(v, V_IN(path, "expression"), kt_get_text(item, "expression"), EXPRESSION_BOOL, NULL);
	if (*text && is_blank(text)) {
		v_invalid_str(v, V_IN(path, "messageExpression"), text, "must be non-empty if specified");
	} else if (*text) {
		/* Messages must not depend on who may do what. */
		struct expression_scope said, *whole = v->scope;
		leave_out(whole, "authorizer", &said);
		v->scope = &said;
		compile(v, V_IN(path, "messageExpression"), text, EXPRESSION_TEXT, NULL);
		v->scope = whole;
	}
	while (end > 0 && strchr(" \t\r\n", message[end - 1]))
		end--;
	if (*message && is_blank(message))
		v_invalid_str(v, V_IN(path, "message"), message, "must be non-empty if specified");
	else if (strcspn(message + strspn(message, " \t\r\n"), "\r\n") + strspn(message, " \t\r\n") < end)
		v_invalid_str(v, V_IN(path, "message"), message, "must not contain line breaks");
	if (reason && strcmp(kt_str_or(reason, ""), "Forbidden") &&
	    strcmp(kt_str_or(reason, ""), "Invalid") &&
	    strcmp(kt_str_or(reason, ""), "RequestEntityTooLarge"))
		v_unsupported(v, V_IN(path, "reason"), reason, reasons);
}

/* Whether a policy is asked at all is known before its variables are. */
static void policy_conditions(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	struct expression_scope early, *whole = v->scope;
	leave_out(whole, "variables", &early);
	v->scope = &early;
	match_conditions(v, path, list);
	v->scope = whole;
}

static void audit_annotations(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, list) {
		const struct v_path *at = V_AT(path, item_i), *kp = V_IN(at, "key");
		const char *name = kt_str_or(kt_path(v->object, "metadata.name"), "");
		char *whole = kt_strf("%s/%s", name, kt_get_text(item, "key"));
		if (*name)
			v_check(v, kp, whole, v_qualified_name);
		else
			v_invalid_str(v, kp, kt_get_text(item, "key"), "requires metadata.name be non-empty");
		kt_free(whole);
		if (is_blank(kt_get_text(item, "valueExpression")))
			v_required(v, V_IN(at, "valueExpression"), "valueExpression is not specified");
		else
			compile(v, V_IN(at, "valueExpression"), kt_get_text(item, "valueExpression"),
			        EXPRESSION_TEXT_OR_NULL, NULL);
		if (kt_find(list, "key", kt_get_text(item, "key")) < (ptrdiff_t)item_i)
			v_duplicate(v, kp, kt_get(item, "key"));
	}
}

static void policy(struct v *v)
{
	static const char both[] = "validations or auditAnnotations must contain at least one item";
	static const struct v_rule first[] = {
	        {.field = "failurePolicy", .kind = V_ENUM, .values = failure_policies},
	        {.field = "paramKind", .kind = V_OBJECT, .fn = param_kind},
	};
	static const struct v_rule then[] = {
	        {.field = "matchConditions", .kind = V_CALL, .fn = policy_conditions},
	        {.field = "variables", .kind = V_EACH, .fn = variable},
	};
	static const struct v_rule last[] = {
	        {.field = "validations", .kind = V_EACH, .fn = validation},
	        {.field = "auditAnnotations", .kind = V_CALL, .fn = audit_annotations},
	};
	const struct v_path *path = V_ROOT("spec"), *mp = V_IN(path, "matchConstraints");
	const struct kt_json *spec = kt_get(v->object, "spec"), *match = kt_get(spec, "matchConstraints");
	struct expression_scope scope;
	expression_open(&scope, NULL, kt_get(spec, "paramKind") != NULL, NULL, true, true);
	v->scope = &scope;
	V_RULES(v, path, spec, first);
	if (!match)
		v_required(v, mp, "");
	else
		match_resources(v, mp, match);
	if (match && kt_count(kt_get(match, "resourceRules")) == 0)
		v_required(v, V_IN(mp, "resourceRules"), "");
	V_RULES(v, path, spec, then);
	if (kt_count(kt_get(spec, "validations")) + kt_count(kt_get(spec, "auditAnnotations")) == 0) {
		v_required(v, V_IN(path, "validations"), both);
		v_required(v, V_IN(path, "auditAnnotations"), both);
	}
	V_RULES(v, path, spec, last);
	v->scope = NULL;
	expression_close(&scope);
}

static void param_ref(struct v *v, const struct v_path *path, const struct kt_json *ref)
{
	static const char *const known[] = {"Deny", "Allow", NULL};
	static const char one[] = "name and selector are mutually exclusive";
	const char *name = kt_get_text(ref, "name"), *action = kt_get_text(ref, "parameterNotFoundAction");
	const struct kt_json *selector = kt_get(ref, "selector");
	if (*name)
		v_check(v, V_IN(path, "name"), name, v_path_segment);
	if (*name && selector)
		v_forbidden(v, V_IN(path, "name"), "%s", one);
	if (selector)
		v_label_selector(v, V_IN(path, "selector"), selector);
	if (*name && selector)
		v_forbidden(v, V_IN(path, "selector"), "%s", one);
	if (!*name && !selector)
		v_required(v, path, "one of name or selector must be specified");
	if (!*action)
		v_required(v, V_IN(path, "parameterNotFoundAction"), "");
	else if (strcmp(action, "Deny") && strcmp(action, "Allow"))
		v_unsupported(v, V_IN(path, "parameterNotFoundAction"),
		              kt_get(ref, "parameterNotFoundAction"), known);
}

static void actions(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	static const char *const known[] = {"Audit", "Deny", "Warn", NULL};
	const struct kt_json *item;
	bool deny = false, warn = false;
	KT_JSON_EACH (item, list) {
		const char *action = kt_str_or(item, "");
		if (strcmp(action, "Audit") && strcmp(action, "Deny") && strcmp(action, "Warn"))
			v_unsupported(v, V_AT(path, item_i), item, known);
		for (size_t i = 0; i < item_i; i++)
			if (kt_equal(kt_at(list, i), item)) {
				v_duplicate(v, V_AT(path, item_i), item);
				break;
			}
		deny = deny || strcmp(action, "Deny") == 0;
		warn = warn || strcmp(action, "Warn") == 0;
	}
	if (deny && warn)
		v_invalid(v, path, list,
		          "must not contain both Deny and Warn (repeating the same validation failure "
		          "information in the API response and headers serves no purpose)");
	if (kt_count(list) == 0)
		v_required(v, path, "at least one validation action is required");
}

static void policy_binding(struct v *v)
{
	static const struct v_rule rows[] = {
	        {.field = "policyName", .kind = V_NEEDED, .format = v_dns_subdomain},
	        {.field = "paramRef", .kind = V_OBJECT, .fn = param_ref},
	        {.field = "matchResources", .kind = V_OBJECT, .fn = match_resources},
	        {.field = "validationActions", .kind = V_CALL, .fn = actions},
	};
	V_RULES(v, V_ROOT("spec"), kt_get(v->object, "spec"), rows);
}

/* --- webhooks --- */

static void webhook_name(struct v *v, const struct v_path *path, const char *name)
{
	size_t dots = 0;
	if (!*name) {
		v_required(v, path, "");
		return;
	}
	for (const char *c = name; *c; c++)
		dots += *c == '.';
	if (v_check(v, path, name, v_dns_subdomain) && dots < 2)
		v_invalid_str(v, path, name,
		              "should be a domain with at least three segments separated by dots");
}

void v_review_versions(struct v *v, const struct v_path *path, const struct kt_json *list, const char *none)
{
	const struct kt_json *item;
	bool known = false;
	if (kt_count(list) == 0) {
		v_required(v, path, none);
		return;
	}
	KT_JSON_EACH (item, list) {
		bool twice = false;
		for (size_t i = 0; i < item_i; i++)
			twice = twice || kt_equal(kt_at(list, i), item);
		if (twice)
			v_invalid(v, V_AT(path, item_i), item, "duplicate version");
		else
			v_check(v, V_AT(path, item_i), kt_str_or(item, ""), v_dns_1035);
		known = known || kt_streq(kt_str(item), "v1") || kt_streq(kt_str(item), "v1beta1");
	}
	if (!known)
		v_invalid(v, path, list, "must include at least one of v1, v1beta1");
}

/* The parts of a URL that are told apart here: scheme, user, host, query, fragment. */
static void webhook_url(struct v *v, const struct v_path *path, const char *url)
{
	static const char form[] = "; desired format: https://host[/path]";
	size_t scheme = strcspn(url, ":/?#");
	const char *rest = url[scheme] == ':' && scheme > 0 ? url + scheme + 1 : url, *query, *fragment, *at;
	bool has_scheme = rest != url;
	char *name = kt_strf("%.*s", has_scheme ? (int)scheme : 0, url);
	if (strcmp(name, "https") != 0)
		v_invalid_str(v, path, name, "'https' is the only allowed URL scheme%s", form);
	rest = kt_starts(rest, "//") ? rest + 2 : "";
	at = memchr(rest, '@', strcspn(rest, "/?#"));
	if (strcspn(at ? at + 1 : rest, "/?#") == 0)
		v_invalid_str(v, path, "", "host must be specified%s", form);
	if (at) {
		char *user = kt_strf("%.*s", (int)(at - rest), rest);
		v_invalid_str(v, path, user, "user information is not permitted in the URL");
		kt_free(user);
	}
	fragment = strchr(url, '#');
	query = strchr(url, '?');
	if (fragment && fragment[1])
		v_invalid_str(v, path, fragment + 1, "fragments are not permitted in the URL");
	if (query && query[1] && (!fragment || query < fragment)) {
		char *text = kt_strf("%.*s", (int)strcspn(query + 1, "#"), query + 1);
		v_invalid_str(v, path, text, "query parameters are not permitted in the URL");
		kt_free(text);
	}
	kt_free(name);
}

static void webhook_path(struct v *v, const struct v_path *path, const char *s)
{
	const char *p = s + 1;
	size_t n = 0;
	if (!*s || strcmp(s, "/") == 0)
		return;
	if (strcmp(s, "//") == 0) {
		v_invalid_str(v, path, s, "segment[0] may not be empty");
		return;
	}
	if (*s != '/')
		v_invalid_str(v, path, s, "must start with a '/'");
	for (;; n++) {
		size_t length = strcspn(p, "/");
		char *step = kt_strf("%.*s", (int)length, p);
		struct kt_strs faults = {0};
		if (length == 0)
			v_invalid_str(v, path, s, "segment[%zu] may not be empty", n);
		else
			v_dns_subdomain(step, &faults);
		for (size_t i = 0; i < faults.count; i++)
			v_invalid_str(v, path, s, "segment[%zu]: %s", n, faults.items[i]);
		kt_strs_clear(&faults);
		kt_free(step);
		p += length;
		if (!*p || !p[1])
			return;
		p++;
	}
}

static void webhook_service(struct v *v, const struct v_path *path, const struct kt_json *service)
{
	int64_t port = kt_get_int(service, "port", 443);
	/* the server gives the two in the wrong order, so each names the other */
	if (!*kt_get_text(service, "namespace"))
		v_required(v, V_IN(path, "name"), "");
	if (!*kt_get_text(service, "name"))
		v_required(v, V_IN(path, "namespace"), "");
	if (port < 1 || port > 65535)
		v_invalid(v, V_IN(path, "port"), kt_get(service, "port"),
		          "port is not valid: must be between 1 and 65535, inclusive");
	if (kt_get(service, "path"))
		webhook_path(v, V_IN(path, "path"), kt_get_text(service, "path"));
}

void v_webhook_client(struct v *v, const struct v_path *path, const struct kt_json *client)
{
	const struct kt_json *url = kt_get(client, "url"), *service = kt_get(client, "service");
	if (!url == !service)
		v_required(v, path, "exactly one of url or service is required");
	else if (url)
		webhook_url(v, V_IN(path, "url"), kt_str_or(url, ""));
	else
		webhook_service(v, V_IN(path, "service"), service);
}

static void webhook(struct v *v, const struct v_path *path, const struct kt_json *hook)
{
	static const char *const again[] = {"IfNeeded", "Never", NULL};
	static const char *const effects[] = {"None", "NoneOnDryRun", NULL};
	static const struct v_rule first[] = {
	        {.field = "rules", .kind = V_EACH, .fn = resource_rule},
	        {.field = "failurePolicy", .kind = V_ENUM, .values = failure_policies},
	        {.field = "matchPolicy", .kind = V_ENUM, .values = match_policies},
	};
	static const struct v_rule then[] = {
	        {.field = "sideEffects", .kind = V_ENUM, .values = effects},
	};
	static const struct v_rule last[] = {
	        {.field = "namespaceSelector", .kind = V_CALL, .fn = v_label_selector},
	        {.field = "objectSelector", .kind = V_CALL, .fn = v_label_selector},
	        {.field = "reinvocationPolicy", .kind = V_ENUM, .values = again},
	        {.field = "clientConfig", .kind = V_CALL, .fn = v_webhook_client},
	        {.field = "matchConditions", .kind = V_CALL, .fn = match_conditions},
	};
	int64_t seconds = kt_get_int(hook, "timeoutSeconds", 10);
	webhook_name(v, V_IN(path, "name"), kt_get_text(hook, "name"));
	V_RULES(v, path, hook, first);
	if (!*kt_get_text(hook, "sideEffects"))
		v_required(v, V_IN(path, "sideEffects"), "must specify one of None, NoneOnDryRun");
	else
		V_RULES(v, path, hook, then);
	if (seconds < 1 || seconds > 30)
		v_invalid(v, V_IN(path, "timeoutSeconds"), kt_get(hook, "timeoutSeconds"),
		          "the timeout value must be between 1 and 30 seconds");
	V_RULES(v, path, hook, last);
}

/* All hooks, then their versions, as the server goes through them. */
static void webhooks(struct v *v)
{
	const struct kt_json *hooks = kt_get(v->object, "webhooks"), *hook;
	const struct v_path *path = V_ROOT("webhooks");
	struct expression_scope scope;
	expression_open(&scope, NULL, false, NULL, true, false);
	v->scope = &scope;
	KT_JSON_EACH (hook, hooks) {
		const struct v_path *at = V_AT(path, hook_i);
		webhook(v, at, hook);
		v_review_versions(v, V_IN(at, "admissionReviewVersions"),
		                  kt_get(hook, "admissionReviewVersions"), "must specify one of v1, v1beta1");
		if (*kt_get_text(hook, "name") &&
		    kt_find(hooks, "name", kt_get_text(hook, "name")) < (ptrdiff_t)hook_i)
			v_duplicate(v, V_IN(at, "name"), kt_get(hook, "name"));
	}
	v->scope = NULL;
	expression_close(&scope);
}

const struct v_kind v_kinds_admission[] = {
        {.group = GROUP, .kind = "ValidatingAdmissionPolicy", .create = policy},
        {.group = GROUP, .kind = "ValidatingAdmissionPolicyBinding", .create = policy_binding},
        {.group = GROUP, .kind = "ValidatingWebhookConfiguration", .create = webhooks},
        {.group = GROUP, .kind = "MutatingWebhookConfiguration", .create = webhooks},
        {0},
};
