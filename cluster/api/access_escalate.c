/* SPDX-License-Identifier: MIT */
/* Nobody grants what they do not hold: kubernetes
 * pkg/registry/rbac/{role,rolebinding,…}/policybased/storage.go and pkg/registry/rbac/validation/rule.go
 * (ConfirmNoEscalation). */
#include "cluster/api/access.h"
#include "cluster/api/admit.h"

#include <stdlib.h>
#include <string.h>

/* Rights that lack, gathered: {group, resource or url, name} -> verbs. */
struct lacking {
	struct kt_json *rules; /* keyed by what is shown before the verbs */
};

struct held {
	struct kt_json *rules; /* of the user, in the namespace */
};

static bool hold(void *arg, const struct kt_json *rule, const struct kt_json *binding,
                 const struct kt_json *subject)
{
	struct held *h = arg;
	(void)binding;
	(void)subject;
	kt_push(&h->rules, kt_json_ref(rule));
	return true;
}

static bool covered(const struct held *h, const struct rules_attributes *a)
{
	const struct kt_json *rule;
	KT_JSON_EACH (rule, h->rules)
		if (access_rule_allows(rule, a))
			return true;
	return false;
}

static void quote_list(struct kt_buf *out, const char *name, const char *word)
{
	kt_buf_addf(out, "%s%s:[", out->len > 1 ? ", " : "", name);
	kt_json_print_string(word, strlen(word), out);
	kt_buf_addc(out, ']');
}

static void lack(struct lacking *l, const struct rules_attributes *a, const char *full)
{
	struct kt_buf key = {0};
	kt_buf_addc(&key, '{');
	if (a->path) {
		quote_list(&key, "NonResourceURLs", a->path);
	} else {
		quote_list(&key, "APIGroups", a->group);
		quote_list(&key, "Resources", full);
		if (*a->name)
			quote_list(&key, "ResourceNames", a->name);
	}
	struct kt_json **verbs = kt_edit(&l->rules, kt_buf_str(&key));
	if (!access_has(*verbs, a->verb))
		kt_push(verbs, kt_json_str(a->verb));
	kt_buf_clear(&key);
}

/* One group, resource, name and verb of a rule. */
static void check_right(const struct held *h, struct lacking *l, const char *group, const char *full,
                        const char *name, const char *verb)
{
	const char *slash = strchr(full, '/');
	char *resource = slash ? kt_strndup(full, (size_t)(slash - full)) : kt_strdup(full);
	const struct rules_attributes a = {.verb = verb,
	                                   .group = group,
	                                   .version = "",
	                                   .resource = resource,
	                                   .subresource = slash ? slash + 1 : "",
	                                   .ns = "",
	                                   .name = name};
	if (!covered(h, &a))
		lack(l, &a, full);
	kt_free(resource);
}

static void check_rule(const struct held *h, struct lacking *l, const struct kt_json *rule)
{
	const struct kt_json *group, *resource, *verb, *name, *url;
	const struct kt_json *names = kt_get(rule, "resourceNames");
	KT_JSON_EACH (group, kt_get(rule, "apiGroups"))
		KT_JSON_EACH (resource, kt_get(rule, "resources"))
			KT_JSON_EACH (verb, kt_get(rule, "verbs")) {
				if (kt_count(names) == 0)
					check_right(h, l, kt_str_or(group, ""), kt_str_or(resource, ""), "",
					            kt_str_or(verb, ""));
				KT_JSON_EACH (name, names)
					check_right(h, l, kt_str_or(group, ""), kt_str_or(resource, ""),
					            kt_str_or(name, ""), kt_str_or(verb, ""));
			}
	KT_JSON_EACH (url, kt_get(rule, "nonResourceURLs"))
		KT_JSON_EACH (verb, kt_get(rule, "verbs")) {
			const struct rules_attributes a = {.verb = kt_str_or(verb, ""),
			                                   .path = kt_str_or(url, "")};
			if (!covered(h, &a))
				lack(l, &a, "");
		}
}

static void print_lacking(const struct lacking *l, struct kt_buf *out)
{
	struct kt_strs lines = {0};
	const struct kt_json *verb;
	for (size_t i = 0, n = kt_count(l->rules); i < n; i++) {
		struct kt_buf line = {0};
		kt_buf_addf(&line, "%s, Verbs:[", kt_key(l->rules, i));
		KT_JSON_EACH (verb, kt_at(l->rules, i)) {
			kt_buf_adds(&line, verb_i > 0 ? " " : "");
			kt_json_print_string(kt_str_or(verb, ""), kt_str_len(verb), &line);
		}
		kt_buf_adds(&line, "]}");
		kt_strs_steal(&lines, kt_buf_take(&line));
	}
	kt_strs_sort(&lines);
	for (size_t i = 0; i < lines.count; i++)
		kt_buf_addf(out, "\n%s", lines.items[i]);
	kt_strs_clear(&lines);
}

static bool confirm(const struct rules_request *r, const struct kt_json *rules, struct api_status *status)
{
	struct held h = {.rules = kt_json_array()};
	struct lacking l = {.rules = kt_json_object()};
	const struct kt_json *rule;
	bool fine;
	access_each_rule(r->cluster, r->user, r->ns ? r->ns : "", hold, &h, NULL);
	KT_JSON_EACH (rule, rules)
		check_rule(&h, &l, rule);
	fine = kt_count(l.rules) == 0;
	if (!fine) {
		struct kt_buf text = {0};
		kt_buf_addf(&text, "user \"%s\" (groups=[", r->user->name);
		for (size_t i = 0; i < r->user->groups.count; i++) {
			kt_buf_adds(&text, i > 0 ? " " : "");
			kt_json_print_string(r->user->groups.items[i], strlen(r->user->groups.items[i]),
			                     &text);
		}
		kt_buf_adds(&text, "]) is attempting to grant RBAC permissions not currently held:");
		print_lacking(&l, &text);
		admit_forbid(r, status, "%s", kt_buf_str(&text));
		kt_buf_clear(&text);
	}
	kt_json_free(h.rules);
	kt_json_free(l.rules);
	return fine;
}

static bool may(const struct rules_request *r, const char *verb, const char *resource, const char *ns,
                const char *name)
{
	const struct rules_attributes a = {.verb = verb,
	                                   .group = ACCESS_RBAC,
	                                   .version = "v1",
	                                   .resource = resource,
	                                   .subresource = "",
	                                   .ns = ns,
	                                   .name = name};
	return rules_authorize(r->cluster, r->user, &a, NULL);
}

bool admit_escalation(const struct rules_request *r, struct api_status *status)
{
	const char *ns = r->ns ? r->ns : "", *kind = r->kind->kind;
	if (admit_is_trusted(r) || access_has_group(r->user, "system:masters"))
		return true;
	if (strcmp(kind, "Role") == 0 || strcmp(kind, "ClusterRole") == 0) {
		if (r->old && kt_equal(kt_get(r->old, "rules"), kt_get(*r->object, "rules")) &&
		    kt_equal(kt_get(r->old, "aggregationRule"), kt_get(*r->object, "aggregationRule")))
			return true;
		return may(r, "escalate", r->kind->resource, ns, r->name) ||
		       confirm(r, kt_get(*r->object, "rules"), status);
	}
	const struct kt_json *ref = kt_get(*r->object, "roleRef");
	const char *ref_kind = kt_str_or(kt_get(ref, "kind"), ""), *name = kt_str_or(kt_get(ref, "name"), "");
	bool role = strcmp(ref_kind, "Role") == 0;
	if (!role && strcmp(ref_kind, "ClusterRole") != 0)
		return api_fail(status, 500, "", "unsupported role reference kind: \"%s\"", ref_kind);
	if ((r->old && kt_equal(kt_get(r->old, "roleRef"), ref) &&
	     kt_equal(kt_get(r->old, "subjects"), kt_get(*r->object, "subjects"))) ||
	    may(r, "bind", role ? "roles" : "clusterroles", ns, name))
		return true;
	const struct kt_json *target = access_role_rules(r->cluster, ref_kind, ns, name);
	if (!target) /* told of as if the binding were missing */
		return api_fail_not_found(status, r->kind, name);
	return confirm(r, kt_get(target, "rules"), status);
}
