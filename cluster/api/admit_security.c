/* SPDX-License-Identifier: MIT */
/* PodSecurity: k8s.io/pod-security-admission (policy/check_*.go, admission/admission.go). Checks are rows;
 * each gathers what is wrong in the words of the real one. */
#include "cluster/api/admit.h"

#include <stdlib.h>
#include <string.h>

enum level { PRIVILEGED, BASELINE, RESTRICTED };
static const char *const level_names[] = {"privileged", "baseline", "restricted"};

static const char *str(const struct kt_json *v, const char *key)
{
	return kt_str_or(kt_get(v, key), "");
}

/* --- walking containers --- */

struct pod {
	const struct kt_json *spec;
	struct kt_buf detail; /* of the check that runs */
};

static const char *const container_lists[] = {"initContainers", "containers", "ephemeralContainers"};

typedef bool bad_fn(const struct kt_json *container, void *arg);

static void add_name(struct kt_buf *names, const char *name)
{
	kt_buf_addf(names, "%s\"%s\"", names->len > 0 ? ", " : "", name);
}

/* Names of the containers that are bad; how many. */
static size_t bad_containers(const struct pod *p, bad_fn *bad, void *arg, struct kt_buf *names)
{
	const struct kt_json *c;
	size_t count = 0;
	for (size_t l = 0; l < KT_COUNT(container_lists); l++)
		KT_JSON_EACH (c, kt_get(p->spec, container_lists[l]))
			if (bad(c, arg)) {
				add_name(names, str(c, "name"));
				count++;
			}
	return count;
}

static const char *plural(const char *word, size_t count)
{
	static const char *const words[][2] = {
	        {"container", "containers"}, {"volume", "volumes"}, {"hostPort", "hostPorts"}};
	for (size_t i = 0; i < KT_COUNT(words); i++)
		if (strcmp(words[i][0], word) == 0)
			return words[i][count > 1];
	return word;
}

/* "container "c" must …" if any is bad. */
static bool each_must(struct pod *p, bad_fn *bad, void *arg, const char *prefix, const char *must)
{
	struct kt_buf names = {0};
	size_t count = bad_containers(p, bad, arg, &names);
	if (count > 0)
		kt_buf_addf(&p->detail, "%s%s%s %s %s", p->detail.len > 0 ? "; " : "", prefix,
		            plural("container", count), kt_buf_str(&names), must);
	kt_buf_clear(&names);
	return count > 0;
}

static const struct kt_json *security(const struct kt_json *c)
{
	return kt_get(c, "securityContext");
}

/* --- baseline --- */

static bool has_bad_capability(const struct kt_json *c, void *arg)
{
	static const char *const fine[] = {"AUDIT_WRITE", "CHOWN",  "DAC_OVERRIDE",     "FOWNER",  "FSETID",
	                                   "KILL",        "MKNOD",  "NET_BIND_SERVICE", "SETFCAP", "SETGID",
	                                   "SETPCAP",     "SETUID", "SYS_CHROOT"};
	struct kt_strs *found = arg;
	const struct kt_json *item;
	bool bad = false;
	KT_JSON_EACH (item, kt_path(security(c), "capabilities.add")) {
		bool known = false;
		for (size_t i = 0; i < KT_COUNT(fine); i++)
			known = known || kt_streq(fine[i], kt_str(item));
		if (!known && !kt_strs_has(found, kt_str_or(item, "")))
			kt_strs_add(found, kt_str_or(item, ""));
		bad = bad || !known;
	}
	return bad;
}

static void quoted(struct kt_strs *words, struct kt_buf *out)
{
	kt_strs_sort(words);
	for (size_t i = 0; i < words->count; i++)
		add_name(out, words->items[i]);
}

static void non_default_capabilities(struct pod *p)
{
	struct kt_strs found = {0};
	struct kt_buf names = {0}, caps = {0};
	size_t count = bad_containers(p, has_bad_capability, &found, &names);
	quoted(&found, &caps);
	if (count > 0)
		kt_buf_addf(&p->detail, "%s %s must not include %s in securityContext.capabilities.add",
		            plural("container", count), kt_buf_str(&names), kt_buf_str(&caps));
	kt_strs_clear(&found);
	kt_buf_clear(&names);
	kt_buf_clear(&caps);
}

static void host_namespaces(struct pod *p)
{
	static const char *const fields[] = {"hostNetwork", "hostPID", "hostIPC"};
	for (size_t i = 0; i < KT_COUNT(fields); i++)
		if (kt_get_bool(p->spec, fields[i], false))
			kt_buf_addf(&p->detail, "%s%s=true", p->detail.len > 0 ? ", " : "", fields[i]);
}

static void host_paths(struct pod *p)
{
	const struct kt_json *volume;
	struct kt_buf names = {0};
	size_t count = 0;
	KT_JSON_EACH (volume, kt_get(p->spec, "volumes"))
		if (kt_get(volume, "hostPath")) {
			add_name(&names, str(volume, "name"));
			count++;
		}
	if (count > 0)
		kt_buf_addf(&p->detail, "%s %s", plural("volume", count), kt_buf_str(&names));
	kt_buf_clear(&names);
}

static bool has_host_port(const struct kt_json *c, void *arg)
{
	struct kt_strs *found = arg;
	const struct kt_json *port;
	bool bad = false;
	KT_JSON_EACH (port, kt_get(c, "ports")) {
		if (kt_get_int(port, "hostPort", 0) == 0)
			continue;
		char *text = kt_strf("%lld", (long long)kt_get_int(port, "hostPort", 0));
		if (!kt_strs_has(found, text))
			kt_strs_add(found, text);
		kt_free(text);
		bad = true;
	}
	return bad;
}

static void host_ports(struct pod *p)
{
	struct kt_strs found = {0};
	struct kt_buf names = {0}, ports = {0};
	size_t count = bad_containers(p, has_host_port, &found, &names);
	kt_strs_sort(&found);
	for (size_t i = 0; i < found.count; i++)
		kt_buf_addf(&ports, "%s%s", i > 0 ? ", " : "", found.items[i]);
	if (count > 0)
		kt_buf_addf(&p->detail, "%s %s %s %s %s", plural("container", count), kt_buf_str(&names),
		            count > 1 ? "use" : "uses", plural("hostPort", found.count), kt_buf_str(&ports));
	kt_strs_clear(&found);
	kt_buf_clear(&names);
	kt_buf_clear(&ports);
}

static bool is_privileged(const struct kt_json *c, void *arg)
{
	(void)arg;
	return kt_get_bool(security(c), "privileged", false);
}

static void privileged(struct pod *p)
{
	each_must(p, is_privileged, NULL, "", "must not set securityContext.privileged=true");
}

static bool has_proc_mount(const struct kt_json *c, void *arg)
{
	(void)arg;
	const char *s = str(security(c), "procMount");
	return *s && strcmp(s, "Default") != 0;
}

static void proc_mount(struct pod *p)
{
	each_must(p, has_proc_mount, NULL, "", "must not set securityContext.procMount to \"Unmasked\"");
}

static bool is_unconfined(const struct kt_json *c, void *arg)
{
	(void)arg;
	return kt_streq(kt_path_str(security(c), "seccompProfile.type"), "Unconfined");
}

static void unconfined(struct pod *p)
{
	if (kt_streq(kt_path_str(p->spec, "securityContext.seccompProfile.type"), "Unconfined"))
		kt_buf_adds(&p->detail,
		            "pod must not set securityContext.seccompProfile.type to \"Unconfined\"");
	each_must(p, is_unconfined, NULL, "",
	          "must not set securityContext.seccompProfile.type to \"Unconfined\"");
}

static void sysctls(struct pod *p)
{
	static const char *const safe[] = {"kernel.shm_rmid_forced",
	                                   "net.ipv4.ip_local_port_range",
	                                   "net.ipv4.tcp_syncookies",
	                                   "net.ipv4.ping_group_range",
	                                   "net.ipv4.ip_unprivileged_port_start",
	                                   "net.ipv4.ip_local_reserved_ports",
	                                   "net.ipv4.tcp_keepalive_time",
	                                   "net.ipv4.tcp_fin_timeout",
	                                   "net.ipv4.tcp_keepalive_intvl",
	                                   "net.ipv4.tcp_keepalive_probes"};
	const struct kt_json *item;
	KT_JSON_EACH (item, kt_path(p->spec, "securityContext.sysctls")) {
		bool fine = false;
		for (size_t i = 0; i < KT_COUNT(safe); i++)
			fine = fine || strcmp(safe[i], str(item, "name")) == 0;
		if (!fine)
			kt_buf_addf(&p->detail, "%s%s", p->detail.len > 0 ? ", " : "", str(item, "name"));
	}
}

/* --- restricted --- */

static bool may_escalate(const struct kt_json *c, void *arg)
{
	(void)arg;
	return kt_get_bool(security(c), "allowPrivilegeEscalation", true);
}

static void escalation(struct pod *p)
{
	each_must(p, may_escalate, NULL, "", "must set securityContext.allowPrivilegeEscalation=false");
}

static bool keeps_capabilities(const struct kt_json *c, void *arg)
{
	const struct kt_json *item;
	(void)arg;
	KT_JSON_EACH (item, kt_path(security(c), "capabilities.drop"))
		if (kt_streq(kt_str(item), "ALL"))
			return false;
	return true;
}

static bool adds_capabilities(const struct kt_json *c, void *arg)
{
	struct kt_strs *found = arg;
	const struct kt_json *item;
	bool bad = false;
	KT_JSON_EACH (item, kt_path(security(c), "capabilities.add")) {
		if (kt_streq(kt_str(item), "NET_BIND_SERVICE"))
			continue;
		if (!kt_strs_has(found, kt_str_or(item, "")))
			kt_strs_add(found, kt_str_or(item, ""));
		bad = true;
	}
	return bad;
}

static void capabilities(struct pod *p)
{
	struct kt_strs found = {0};
	struct kt_buf names = {0}, caps = {0};
	each_must(p, keeps_capabilities, NULL, "", "must set securityContext.capabilities.drop=[\"ALL\"]");
	size_t count = bad_containers(p, adds_capabilities, &found, &names);
	quoted(&found, &caps);
	if (count > 0)
		kt_buf_addf(&p->detail, "%s%s %s must not include %s in securityContext.capabilities.add",
		            p->detail.len > 0 ? "; " : "", plural("container", count), kt_buf_str(&names),
		            kt_buf_str(&caps));
	kt_strs_clear(&found);
	kt_buf_clear(&names);
	kt_buf_clear(&caps);
}

static void volume_types(struct pod *p)
{
	static const char *const fine[] = {"configMap", "csi",   "downwardAPI",           "emptyDir",
	                                   "ephemeral", "image", "persistentVolumeClaim", "projected",
	                                   "secret",    "name"};
	const struct kt_json *volume;
	struct kt_strs types = {0};
	struct kt_buf names = {0}, list = {0};
	size_t count = 0;
	KT_JSON_EACH (volume, kt_get(p->spec, "volumes"))
		for (size_t i = 0, n = kt_count(volume); i < n; i++) {
			bool known = false;
			for (size_t k = 0; k < KT_COUNT(fine); k++)
				known = known || strcmp(fine[k], kt_key(volume, i)) == 0;
			if (known)
				continue;
			add_name(&names, str(volume, "name"));
			if (!kt_strs_has(&types, kt_key(volume, i)))
				kt_strs_add(&types, kt_key(volume, i));
			count++;
		}
	quoted(&types, &list);
	if (count > 0)
		kt_buf_addf(&p->detail, "%s %s %s restricted volume type%s %s", plural("volume", count),
		            kt_buf_str(&names), count > 1 ? "use" : "uses", types.count > 1 ? "s" : "",
		            kt_buf_str(&list));
	kt_strs_clear(&types);
	kt_buf_clear(&names);
	kt_buf_clear(&list);
}

static bool may_be_root(const struct kt_json *c, void *arg)
{
	const struct kt_json *own = kt_get(security(c), "runAsNonRoot");
	return own ? !kt_bool_or(own, false) : !*(const bool *)arg;
}

static bool says_root(const struct kt_json *c, void *arg)
{
	const struct kt_json *own = kt_get(security(c), "runAsNonRoot");
	(void)arg;
	return own && !kt_bool_or(own, true);
}

static void non_root(struct pod *p)
{
	const struct kt_json *pod = kt_path(p->spec, "securityContext.runAsNonRoot");
	bool covered = kt_bool_or(pod, false);
	if (pod && !covered) {
		kt_buf_adds(&p->detail, "pod must not set securityContext.runAsNonRoot=false");
		return;
	}
	if (each_must(p, says_root, NULL, "", "must not set securityContext.runAsNonRoot=false"))
		return;
	each_must(p, may_be_root, &covered, "pod or ", "must set securityContext.runAsNonRoot=true");
}

static bool is_root(const struct kt_json *c, void *arg)
{
	const struct kt_json *user = kt_get(security(c), "runAsUser");
	(void)arg;
	return user && kt_int_or(user, 1) == 0;
}

static void root_user(struct pod *p)
{
	const struct kt_json *user = kt_path(p->spec, "securityContext.runAsUser");
	if (user && kt_int_or(user, 1) == 0)
		kt_buf_adds(&p->detail, "pod must not set runAsUser=0");
	each_must(p, is_root, NULL, "", "must not set runAsUser=0");
}

static bool is_confining(const char *type)
{
	return kt_streq(type, "RuntimeDefault") || kt_streq(type, "Localhost");
}

static bool lacks_profile(const struct kt_json *c, void *arg)
{
	const char *own = kt_path_str(security(c), "seccompProfile.type");
	return own ? !is_confining(own) : !*(const bool *)arg;
}

static void profile(struct pod *p)
{
	const char *own = kt_path_str(p->spec, "securityContext.seccompProfile.type");
	bool covered = is_confining(own);
	if (own && !covered)
		kt_buf_addf(&p->detail, "pod must not set securityContext.seccompProfile.type to \"%s\"",
		            own);
	else
		each_must(p, lacks_profile, &covered, "pod or ",
		          "must set securityContext.seccompProfile.type to \"RuntimeDefault\" or "
		          "\"Localhost\"");
}

static const struct {
	enum level level, until; /* a restricted check may take a baseline one's place */
	const char *reason;
	void (*check)(struct pod *p);
} checks[] = {
        {BASELINE, BASELINE, "non-default capabilities", non_default_capabilities},
        {BASELINE, RESTRICTED, "host namespaces", host_namespaces},
        {BASELINE, RESTRICTED, "hostPath volumes", host_paths},
        {BASELINE, RESTRICTED, "hostPort", host_ports},
        {BASELINE, RESTRICTED, "privileged", privileged},
        {BASELINE, RESTRICTED, "procMount", proc_mount},
        {BASELINE, BASELINE, "seccompProfile", unconfined},
        {BASELINE, RESTRICTED, "forbidden sysctls", sysctls},
        {RESTRICTED, RESTRICTED, "allowPrivilegeEscalation != false", escalation},
        {RESTRICTED, RESTRICTED, "unrestricted capabilities", capabilities},
        {RESTRICTED, RESTRICTED, "restricted volume types", volume_types},
        {RESTRICTED, RESTRICTED, "runAsNonRoot != true", non_root},
        {RESTRICTED, RESTRICTED, "runAsUser=0", root_user},
        {RESTRICTED, RESTRICTED, "seccompProfile", profile},
};

/* What a pod violates, "reason (detail), …"; empty if nothing. */
static void evaluate(const struct kt_json *spec, enum level level, bool details, struct kt_buf *out)
{
	for (size_t i = 0; i < KT_COUNT(checks); i++) {
		struct pod p = {.spec = spec};
		if (level < checks[i].level || level > checks[i].until)
			continue;
		checks[i].check(&p);
		if (p.detail.len > 0 && details)
			kt_buf_addf(out, "%s%s (%s)", out->len > 0 ? ", " : "", checks[i].reason,
			            kt_buf_str(&p.detail));
		else if (p.detail.len > 0)
			kt_buf_addf(out, "%s%s", out->len > 0 ? ", " : "", checks[i].reason);
		kt_buf_clear(&p.detail);
	}
}

/* --- levels of a namespace --- */

#define LABEL "pod-security.kubernetes.io/"

static bool level_of(const struct kt_json *ns, const char *mode, enum level *level, const char **version)
{
	const struct kt_json *labels = kt_path(ns, "metadata.labels");
	char *key = kt_strf(LABEL "%s", mode), *version_key = kt_strf(LABEL "%s-version", mode);
	const char *text = kt_get_str(labels, key);
	*version = kt_str_or(kt_get(labels, version_key), "latest");
	bool known = false;
	for (size_t i = 0; text && i < KT_COUNT(level_names); i++)
		if (strcmp(text, level_names[i]) == 0) {
			*level = (enum level)i;
			known = true;
		}
	kt_free(key);
	kt_free(version_key);
	return known;
}

/* Where a kind holds a pod; NULL: nowhere. Pods are held to "enforce", the others only warned about. */
static const struct kt_json *pod_spec(const struct rules_request *r)
{
	static const struct {
		const char *group, *kind, *path;
	} rows[] = {
	        {"", "Pod", "spec"},
	        {"", "PodTemplate", "template.spec"},
	        {"", "ReplicationController", "spec.template.spec"},
	        {"apps", "Deployment", "spec.template.spec"},
	        {"apps", "ReplicaSet", "spec.template.spec"},
	        {"apps", "StatefulSet", "spec.template.spec"},
	        {"apps", "DaemonSet", "spec.template.spec"},
	        {"batch", "Job", "spec.template.spec"},
	        {"batch", "CronJob", "spec.jobTemplate.spec.template.spec"},
	};
	for (size_t i = 0; i < KT_COUNT(rows); i++)
		if (admit_is(r, rows[i].group, rows[i].kind))
			return kt_path(*r->object, rows[i].path);
	return NULL;
}

bool admit_pod_security(const struct rules_request *r, struct api_status *status)
{
	const struct kt_json *spec, *ns;
	enum level level = PRIVILEGED;
	const char *version;
	bool is_pod = admit_is(r, "", "Pod"), fine = true;
	if (!r->kind->namespaced || (*r->subresource && strcmp(r->subresource, "ephemeralcontainers") != 0))
		return true;
	spec = pod_spec(r);
	if (!spec || (is_pod && r->operation == RULES_UPDATE && !*r->subresource &&
	              kt_get(r->old, "spec") == kt_get(*r->object, "spec")))
		return true;
	ns = admit_get(r, "", "Namespace", "", r->ns);
	if (is_pod && level_of(ns, "enforce", &level, &version)) {
		struct kt_buf text = {0};
		evaluate(spec, level, true, &text);
		if (text.len > 0)
			fine = admit_forbid(r, status, "violates PodSecurity \"%s:%s\": %s",
			                    level_names[level], version, kt_buf_str(&text));
		kt_buf_clear(&text);
	}
	if (fine && level_of(ns, "warn", &level, &version)) {
		struct kt_buf text = {0};
		evaluate(spec, level, true, &text);
		if (text.len > 0)
			admit_warn(r, "would violate PodSecurity \"%s:%s\": %s", level_names[level], version,
			           kt_buf_str(&text));
		kt_buf_clear(&text);
	}
	return fine;
}

/* --- labels of namespaces --- */

static void check_labels(const struct kt_json *labels, struct rules_errors *errors)
{
	static const char *const modes[] = {"enforce", "audit", "warn"};
	for (size_t i = 0; i < KT_COUNT(modes); i++) {
		char *key = kt_strf(LABEL "%s", modes[i]),
		     *field = kt_strf("metadata.labels[" LABEL "%s]", modes[i]);
		const struct kt_json *value = kt_get(labels, key);
		bool known = !value;
		for (size_t k = 0; k < KT_COUNT(level_names); k++)
			known = known || kt_streq(kt_str(value), level_names[k]);
		if (!known)
			rules_error(errors, "FieldValueInvalid", field, value,
			            "must be one of privileged, baseline, restricted");
		kt_free(key);
		kt_free(field);
	}
}

/* Who tightens a namespace is told what already breaks the new rule: "NAME (and 2 other pods): reasons". */
static void warn_existing(const struct rules_request *r, enum level level, const char *version)
{
	const struct schema_kind *kind = schema_stored(cluster_schema(r->cluster), "", "Pod");
	struct kt_json *groups = kt_json_object();
	const struct store_object *pod;
	STORE_EACH (pod, cluster_store(r->cluster), kind, r->name) {
		struct kt_buf text = {0};
		evaluate(kt_get(pod->json, "spec"), level, false, &text);
		if (text.len > 0)
			kt_push(kt_edit(&groups, kt_buf_str(&text)), kt_json_str(pod->name));
		kt_buf_clear(&text);
	}
	if (kt_count(groups) > 0)
		admit_warn(r,
		           "existing pods in namespace \"%s\" violate the new PodSecurity enforce level "
		           "\"%s:%s\"",
		           r->name, level_names[level], version);
	for (size_t i = 0, n = kt_count(groups); i < n; i++) {
		size_t more = kt_count(kt_at(groups, i)) - 1;
		const char *first = kt_str(kt_at(kt_at(groups, i), 0));
		if (more == 0)
			admit_warn(r, "%s: %s", first, kt_key(groups, i));
		else
			admit_warn(r, "%s (and %zu other pod%s): %s", first, more, more > 1 ? "s" : "",
			           kt_key(groups, i));
	}
	kt_json_free(groups);
}

bool admit_security_labels(const struct rules_request *r, struct api_status *status)
{
	struct rules_errors errors = {0};
	enum level now = PRIVILEGED, old = PRIVILEGED;
	const char *version, *ignored;
	if (*r->subresource)
		return true;
	check_labels(kt_path(*r->object, "metadata.labels"), &errors);
	if (kt_count(errors.causes) > 0) {
		api_fail_invalid(status, r->kind, r->name, errors.causes);
		rules_errors_clear(&errors);
		return false;
	}
	rules_errors_clear(&errors);
	if (r->operation != RULES_UPDATE || !level_of(*r->object, "enforce", &now, &version))
		return true;
	level_of(r->old, "enforce", &old, &ignored);
	if (now > old)
		warn_existing(r, now, version);
	return true;
}
