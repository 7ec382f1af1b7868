/* SPDX-License-Identifier: MIT */
/* Flow control (kubernetes pkg/apis/flowcontrol/validation) and APIServices (kube-aggregator
 * pkg/apis/apiregistration/validation). */
#include "cluster/api/validate.h"

#include <math.h>
#include <string.h>

#define GROUP "flowcontrol.apiserver.k8s.io"

/* --- FlowSchemas --- */

static void all_alone(struct v *v, const struct v_path *path, const struct kt_json *list, const char *what)
{
	if (kt_count(list) > 1 && kt_has_word(list, "*"))
		v_invalid(v, path, list, "if '*' is present, must not specify other %s", what);
}

static void verbs(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	static const char *const known[] = {"create", "delete", "deletecollection", "get",   "list",
	                                    "patch",  "proxy",  "update",           "watch", NULL};
	const struct kt_json *item;
	bool fine = true;
	if (kt_count(list) == 0) {
		v_required(v, path, "verbs must contain at least one value");
		return;
	}
	if (kt_has_word(list, "*")) {
		all_alone(v, path, list, "verbs");
		return;
	}
	KT_JSON_EACH (item, list) {
		bool is = false;
		for (size_t i = 0; known[i]; i++)
			is = is || kt_streq(kt_str(item), known[i]);
		fine = fine && is;
	}
	if (!fine)
		v_unsupported(v, path, list, known);
}

static void resource_rule(struct v *v, const struct v_path *path, const struct kt_json *rule)
{
	static const struct {
		const char *field, *none, *what;
	} rows[] = {
	        {"apiGroups", "resource rules must supply at least one api group", "api groups"},
	        {"resources", "resource rules must supply at least one resource", "resources"},
	};
	const struct kt_json *spaces = kt_get(rule, "namespaces"), *item;
	const struct v_path *sp = V_IN(path, "namespaces");
	verbs(v, V_IN(path, "verbs"), kt_get(rule, "verbs"));
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		const struct kt_json *list = kt_get(rule, rows[i].field);
		if (kt_count(list) == 0)
			v_required(v, V_IN(path, rows[i].field), rows[i].none);
		else
			all_alone(v, V_IN(path, rows[i].field), list, rows[i].what);
	}
	if (kt_count(spaces) == 0 && !kt_get_bool(rule, "clusterScope", false))
		v_required(v, sp,
		           "resource rules that are not cluster scoped must supply at least one namespace");
	if (kt_has_word(spaces, "*")) {
		all_alone(v, sp, spaces, "namespaces");
		return;
	}
	KT_JSON_EACH (item, spaces) {
		struct kt_strs faults = {0};
		v_dns_label(kt_str_or(item, ""), &faults);
		for (size_t i = 0; i < faults.count; i++)
			v_invalid(v, V_AT(sp, item_i), item,
			          "each member of this list must be '*' or a DNS-1123 label; %s",
			          faults.items[i]);
		kt_strs_clear(&faults);
	}
}

static void url(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	const char *s = kt_str_or(value, ""), *star = strchr(s, '*');
	if (!*s)
		v_invalid(v, path, value, "must not be empty");
	else if (strcmp(s, "/") == 0)
		return;
	else if (*s != '/')
		v_invalid(v, path, value, "must start with slash");
	else if (strchr(s, ' '))
		v_invalid(v, path, value, "must not contain white-space");
	else if (strstr(s, "//"))
		v_invalid(v, path, value, "must not contain double slash");
	else if (star && (star[1] || star == s || star[-1] != '/'))
		v_invalid(v, path, value, "wildcard can only do suffix matching");
}

static void non_resource_rule(struct v *v, const struct v_path *path, const struct kt_json *rule)
{
	const struct kt_json *urls = kt_get(rule, "nonResourceURLs"), *item;
	const struct v_path *up = V_IN(path, "nonResourceURLs");
	verbs(v, V_IN(path, "verbs"), kt_get(rule, "verbs"));
	if (kt_count(urls) == 0)
		v_required(v, up, "nonResourceURLs must contain at least one value");
	if (kt_has_word(urls, "*")) {
		all_alone(v, up, urls, "non-resource URLs");
		return;
	}
	KT_JSON_EACH (item, urls)
		url(v, V_AT(up, item_i), item);
}

static void named_subject(struct v *v, const struct v_path *path, const struct kt_json *subject, bool account)
{
	const char *name = kt_get_text(subject, "name"), *space = kt_get_text(subject, "namespace");
	if (!*name)
		v_required(v, V_IN(path, "name"), "");
	else if (account && strcmp(name, "*") != 0)
		v_check(v, V_IN(path, "name"), name, v_dns_subdomain);
	if (account && !*space)
		v_required(v, V_IN(path, "namespace"), "must specify namespace for service account");
	else if (account)
		v_check(v, V_IN(path, "namespace"), space, v_dns_label);
}

static void subject(struct v *v, const struct v_path *path, const struct kt_json *object)
{
	static const char *const kinds[] = {"Group", "ServiceAccount", "User", NULL};
	/* in the order in which what does not belong is named */
	static const char *const fields[][2] = {
	        {"ServiceAccount", "serviceAccount"}, {"User", "user"}, {"Group", "group"}};
	const char *kind = kt_get_text(object, "kind");
	bool known = false;
	for (size_t i = 0; i < KT_COUNT(fields); i++) {
		const struct kt_json *own = kt_get(object, fields[i][1]);
		if (strcmp(kind, fields[i][0]) != 0)
			continue;
		known = true;
		if (own)
			named_subject(v, V_IN(path, fields[i][1]), own, i == 0);
		else {
			char *text = kt_strf("%s is required when subject kind is '%s'", fields[i][1],
			                     fields[i][0]);
			v_required(v, V_IN(path, fields[i][1]), text);
			kt_free(text);
		}
	}
	if (!known) {
		v_unsupported(v, V_IN(path, "kind"), kt_get(object, "kind"), kinds);
		return;
	}
	for (size_t i = 0; i < KT_COUNT(fields); i++)
		if (strcmp(kind, fields[i][0]) != 0 && kt_get(object, fields[i][1]))
			v_forbidden(v, V_IN(path, fields[i][1]),
			            "%s is forbidden when subject kind is not '%s'", fields[i][1],
			            fields[i][0]);
}

static void policy_rules(struct v *v, const struct v_path *path, const struct kt_json *rules)
{
	static const struct v_rule rows[] = {
	        {.field = "resourceRules", .kind = V_EACH, .fn = resource_rule},
	        {.field = "nonResourceRules", .kind = V_EACH, .fn = non_resource_rule},
	};
	const struct kt_json *item;
	if (kt_count(kt_get(rules, "subjects")) == 0)
		v_required(v, V_IN(path, "subjects"), "subjects must contain at least one value");
	KT_JSON_EACH (item, kt_get(rules, "subjects"))
		subject(v, V_AT(V_IN(path, "subjects"), item_i), item);
	if (kt_count(kt_get(rules, "resourceRules")) + kt_count(kt_get(rules, "nonResourceRules")) == 0)
		v_required(v, path, "at least one of resourceRules and nonResourceRules has to be non-empty");
	V_RULES(v, path, rules, rows);
}

static void flow_schema(struct v *v)
{
	static const char *const methods[] = {"ByNamespace", "ByUser", NULL};
	static const struct v_rule rows[] = {{.field = "rules", .kind = V_EACH, .fn = policy_rules}};
	const struct v_path *path = V_ROOT("spec"), *pp = V_IN(path, "matchingPrecedence"),
	                    *lp = V_IN(V_IN(path, "priorityLevelConfiguration"), "name");
	const struct kt_json *spec = kt_get(v->object, "spec"), *method = kt_get(spec, "distinguisherMethod");
	const char *level = kt_str_or(kt_path(spec, "priorityLevelConfiguration.name"), "");
	struct kt_json *precedence = kt_json_int(kt_get_int(spec, "matchingPrecedence", 0));
	int64_t at = kt_int_or(precedence, 0);
	if (at <= 0)
		v_invalid(v, pp, precedence, "must be a positive value");
	if (at > 10000)
		v_invalid(v, pp, precedence, "must not be greater than 10000");
	if (at == 1 && strcmp(kt_str_or(kt_path(v->object, "metadata.name"), ""), "exempt") != 0)
		v_invalid(v, pp, precedence, "only the schema named 'exempt' may have matchingPrecedence 1");
	if (method && strcmp(kt_get_text(method, "type"), methods[0]) &&
	    strcmp(kt_get_text(method, "type"), methods[1])) {
		struct kt_json *shown = kt_jsonf("{Type: %s}", kt_get_text(method, "type"));
		v_unsupported(v, V_IN(V_IN(path, "distinguisherMethod"), "type"), shown, methods);
		kt_json_free(shown);
	}
	if (*level)
		v_check(v, lp, level, v_dns_subdomain);
	else
		v_required(v, lp, "must reference a priority level");
	V_RULES(v, path, spec, rows);
	kt_json_free(precedence);
}

/* --- levels --- */

static void at_least(struct v *v, const struct v_path *path, const struct kt_json *object, const char *field,
                     int64_t lo, int64_t hi, const char *words)
{
	const struct kt_json *value = kt_get(object, field);
	if (value && (kt_int_or(value, 0) < lo || kt_int_or(value, 0) > hi))
		v_invalid(v, V_IN(path, field), value, "%s", words);
}

/* Bits that choosing `hand` of `deck` queues takes (apiserver pkg/util/shufflesharding). */
static int entropy(int64_t deck, int64_t hand)
{
	return (int)ceil(log2((double)deck) * (double)hand);
}

static void queuing(struct v *v, const struct v_path *path, const struct kt_json *q)
{
	int64_t queues = kt_get_int(q, "queues", 0), hand = kt_get_int(q, "handSize", 0),
	        limit = kt_get_int(q, "queueLengthLimit", 0);
	struct kt_json *hand_shown = kt_json_int(hand), *queues_shown = kt_json_int(queues);
	if (limit <= 0)
		v_invalid_steal(v, V_IN(path, "queueLengthLimit"), kt_json_int(limit), "must be positive");
	if (queues <= 0)
		v_invalid(v, V_IN(path, "queues"), queues_shown, "must be positive");
	else if (queues > 10000000)
		v_invalid(v, V_IN(path, "queues"), queues_shown, "must not be greater than 10000000");
	if (hand <= 0)
		v_invalid(v, V_IN(path, "handSize"), hand_shown, "must be positive");
	else if (hand > queues)
		v_invalid(v, V_IN(path, "handSize"), hand_shown, "should not be greater than queues (%lld)",
		          (long long)queues);
	else if (entropy(queues, hand) > 60)
		v_invalid(v, V_IN(path, "handSize"), hand_shown,
		          "required entropy bits of deckSize %lld and handSize %lld should not be greater "
		          "than 60",
		          (long long)queues, (long long)hand);
	kt_json_free(hand_shown);
	kt_json_free(queues_shown);
}

static void limit_response(struct v *v, const struct v_path *path, const struct kt_json *response)
{
	static const char *const types[] = {"Queue", "Reject", NULL};
	const struct kt_json *q = kt_get(response, "queuing"), *type = kt_get(response, "type");
	struct kt_json *none = kt_json_str("");
	if (kt_streq(kt_str(type), "Reject")) {
		if (q)
			v_forbidden(v, V_IN(path, "queuing"),
			            "must be nil if limited.limitResponse.type is not Limited");
	} else if (!kt_streq(kt_str(type), "Queue")) {
		v_unsupported(v, V_IN(path, "type"), type ? type : none, types);
	} else if (!q) {
		v_required(v, V_IN(path, "queuing"),
		           "must not be empty if limited.limitResponse.type is Limited");
	} else {
		queuing(v, V_IN(path, "queuing"), q);
	}
	kt_json_free(none);
}

static void shares(struct v *v, const struct v_path *path, const struct kt_json *object)
{
	at_least(v, path, object, "nominalConcurrencyShares", 0, INT32_MAX, "must be a non-negative integer");
	if (strcmp(path->name, "limited") == 0)
		limit_response(v, V_IN(path, "limitResponse"), kt_get(object, "limitResponse"));
	at_least(v, path, object, "lendablePercent", 0, 100, "must be between 0 and 100, inclusive");
	at_least(v, path, object, "borrowingLimitPercent", 0, INT32_MAX,
	         "if specified, must be a non-negative integer");
}

static void priority_level(struct v *v)
{
	static const char *const types[] = {"Exempt", "Limited", NULL};
	const struct v_path *path = V_ROOT("spec"), *lp = V_IN(path, "limited"), *ep = V_IN(path, "exempt");
	const struct kt_json *spec = kt_get(v->object, "spec"), *limited = kt_get(spec, "limited"),
	                     *exempt = kt_get(spec, "exempt");
	const char *type = kt_get_text(spec, "type");
	bool is_exempt = strcmp(type, "Exempt") == 0,
	     named = strcmp(kt_str_or(kt_path(v->object, "metadata.name"), ""), "exempt") == 0;
	if (is_exempt != named)
		v_invalid_str(v, V_IN(path, "type"), type,
		              "must be 'Exempt' if and only if `name` is 'exempt'");
	if (is_exempt) {
		if (limited)
			v_forbidden(v, lp, "must be nil if the type is not Limited");
		if (exempt)
			shares(v, ep, exempt);
	} else if (strcmp(type, "Limited") == 0) {
		if (exempt)
			v_forbidden(v, ep, "must be nil if the type is Limited");
		if (!limited)
			v_required(v, lp, "must not be empty when type is Limited");
		else
			shares(v, lp, limited);
	} else {
		struct kt_json *shown = kt_json_str(type);
		v_unsupported(v, V_IN(path, "type"), shown, types);
		kt_json_free(shown);
	}
}

/* --- APIServices --- */

static void service_of(struct v *v, const struct v_path *path, const struct kt_json *service)
{
	static const char *const needed[] = {"namespace", "name"};
	int64_t port = kt_get_int(service, "port", 0);
	for (size_t i = 0; i < KT_COUNT(needed); i++)
		if (!*kt_get_text(service, needed[i]))
			v_required(v, V_IN(path, needed[i]), "");
	if (port < 1 || port > 65535)
		v_invalid_steal(v, V_IN(path, "port"), kt_json_int(port),
		                "port is not valid: must be between 1 and 65535, inclusive");
}

static void priority(struct v *v, const struct v_path *path, int64_t value, int64_t max)
{
	if (value <= 0 || value > max)
		v_invalid_steal(v, path, kt_json_int(value), "must be positive and less than %lld",
		                (long long)max);
}

static void api_service(struct v *v)
{
	const struct v_path *path = V_ROOT("spec");
	const struct kt_json *spec = kt_get(v->object, "spec"), *service = kt_get(spec, "service"),
	                     *skip = kt_get(spec, "insecureSkipTLSVerify");
	const char *group = kt_get_text(spec, "group"), *version = kt_get_text(spec, "version"),
	           *bundle = kt_get_text(spec, "caBundle");
	const char *name = kt_str_or(kt_path(v->object, "metadata.name"), "");
	char *wanted = kt_strf("%s.%s", version, group);
	if (!v->old && strcmp(name, wanted) != 0)
		v_invalid_str(v, V_IN(V_ROOT("metadata"), "name"), name,
		              "must be `spec.version+\".\"+spec.group`: \"%s\"", wanted);
	kt_free(wanted);
	if (!*group && strcmp(version, "v1") != 0)
		v_required(v, V_IN(path, "group"),
		           "only v1 may have an empty group and it better be legacy kube");
	if (*group)
		v_check(v, V_IN(path, "group"), group, v_dns_subdomain);
	v_check(v, V_IN(path, "version"), version, v_dns_1035);
	priority(v, V_IN(path, "groupPriorityMinimum"), kt_get_int(spec, "groupPriorityMinimum", 0), 20000);
	priority(v, V_IN(path, "versionPriority"), kt_get_int(spec, "versionPriority", 0), 1000);
	if (service) {
		service_of(v, V_IN(path, "service"), service);
		if (kt_bool_or(skip, false) && *bundle)
			v_invalid(v, V_IN(path, "insecureSkipTLSVerify"), skip,
			          "may not be true if caBundle is present");
		return;
	}
	if (*bundle) {
		struct kt_buf bytes = {0};
		if (kt_unbase64(bundle, strlen(bundle), &bytes)) {
			char *shown = kt_strf("%zu bytes", bytes.len);
			v_invalid_str(v, V_IN(path, "caBundle"), shown,
			              "local APIServices may not have a caBundle");
			kt_free(shown);
		}
		kt_buf_clear(&bytes);
	}
	if (kt_bool_or(skip, false))
		v_invalid(v, V_IN(path, "insecureSkipTLSVerify"), skip,
		          "local APIServices may not have insecureSkipTLSVerify");
}

const struct v_kind v_kinds_flow[] = {
        {.group = GROUP, .kind = "FlowSchema", .create = flow_schema},
        {.group = GROUP, .kind = "PriorityLevelConfiguration", .create = priority_level},
        {.group = "apiregistration.k8s.io",
         .kind = "APIService",
         .create = api_service,
         .name = v_path_segment},
        {0},
};
