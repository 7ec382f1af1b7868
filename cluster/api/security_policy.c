/* SPDX-License-Identifier: MIT */
/* PodSecurity's checks: k8s.io/pod-security-admission policy/check_*.go. Checks are rows; each gathers what
 * is wrong in the words of the real one. */
#include "cluster/api/security_policy.h"

#include <stdlib.h>
#include <string.h>

/* --- walking containers --- */

struct pod {
	const struct kt_json *spec;
	int minor;            /* the version of the standards */
	struct kt_buf detail; /* of the check that runs */
	const char *reason;   /* in place of its row's */
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
				add_name(names, kt_get_text(c, "name"));
				count++;
			}
	return count;
}

static const char *plural(const char *word, size_t count)
{
	static const char *const words[][2] = {{"container", "containers"},
	                                       {"volume", "volumes"},
	                                       {"hostPort", "hostPorts"},
	                                       {"type", "types"},
	                                       {"probe or lifecycle host", "probe or lifecycle hosts"}};
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
			add_name(&names, kt_get_text(volume, "name"));
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
	const char *s = kt_get_text(security(c), "procMount");
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

bool security_sysctl_safe(const char *name, int minor)
{
	static const struct {
		const char *name;
		int since;
	} rows[] = {
	        {"kernel.shm_rmid_forced", 0},
	        {"net.ipv4.ip_local_port_range", 0},
	        {"net.ipv4.tcp_syncookies", 0},
	        {"net.ipv4.ping_group_range", 0},
	        {"net.ipv4.ip_unprivileged_port_start", 0},
	        {"net.ipv4.ip_local_reserved_ports", 27},
	        {"net.ipv4.tcp_keepalive_time", 29},
	        {"net.ipv4.tcp_fin_timeout", 29},
	        {"net.ipv4.tcp_keepalive_intvl", 29},
	        {"net.ipv4.tcp_keepalive_probes", 29},
	        {"net.ipv4.tcp_rmem", 32},
	        {"net.ipv4.tcp_wmem", 32},
	};
	for (size_t i = 0; i < KT_COUNT(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return minor >= rows[i].since;
	return false;
}

static void sysctls(struct pod *p)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, kt_path(p->spec, "securityContext.sysctls"))
		if (!security_sysctl_safe(kt_get_text(item, "name"), p->minor))
			kt_buf_addf(&p->detail, "%s%s", p->detail.len > 0 ? ", " : "",
			            kt_get_text(item, "name"));
}

static void note_host(struct kt_strs *hosts, const struct kt_json *handler)
{
	static const char *const paths[] = {"httpGet.host", "tcpSocket.host"};
	for (size_t i = 0; i < KT_COUNT(paths); i++) {
		const char *host = kt_str_or(kt_path(handler, paths[i]), "");
		if (*host && !kt_strs_has(hosts, host))
			kt_strs_add(hosts, host);
	}
}

static bool has_host(const struct kt_json *c, void *arg)
{
	static const char *const handlers[] = {"livenessProbe", "readinessProbe", "startupProbe",
	                                       "lifecycle.postStart", "lifecycle.preStop"};
	struct kt_strs *all = arg, own = {0};
	for (size_t i = 0; i < KT_COUNT(handlers); i++)
		note_host(&own, kt_path(c, handlers[i]));
	for (size_t i = 0; i < own.count; i++)
		if (!kt_strs_has(all, own.items[i]))
			kt_strs_add(all, own.items[i]);
	bool bad = own.count > 0;
	kt_strs_clear(&own);
	return bad;
}

static void probe_hosts(struct pod *p)
{
	struct kt_strs found = {0};
	struct kt_buf names = {0}, hosts = {0};
	size_t count = bad_containers(p, has_host, &found, &names);
	quoted(&found, &hosts);
	if (count > 0)
		kt_buf_addf(&p->detail, "%s %s %s %s %s", plural("container", count), kt_buf_str(&names),
		            count > 1 ? "use" : "uses", plural("probe or lifecycle host", found.count),
		            kt_buf_str(&hosts));
	kt_strs_clear(&found);
	kt_buf_clear(&names);
	kt_buf_clear(&hosts);
}

/* "pod and containers "a", "b"": who sets something bad, in the pod itself and in its containers. */
static bool setters(struct pod *p, bad_fn *bad, void *arg, struct kt_buf *out)
{
	struct kt_buf names = {0};
	bool of_pod = bad(p->spec, arg);
	size_t count = bad_containers(p, bad, arg, &names);
	if (of_pod)
		kt_buf_adds(out, "pod");
	if (count > 0)
		kt_buf_addf(out, "%s%s %s", of_pod ? " and " : "", plural("container", count),
		            kt_buf_str(&names));
	kt_buf_clear(&names);
	return of_pod || count > 0;
}

static bool is_unarmoured(const struct kt_json *c, void *arg)
{
	struct kt_strs *found = arg;
	const char *type = kt_path_str(security(c), "appArmorProfile.type");
	if (!type || strcmp(type, "RuntimeDefault") == 0 || strcmp(type, "Localhost") == 0)
		return false;
	if (!kt_strs_has(found, type))
		kt_strs_add(found, type);
	return true;
}

static void app_armor(struct pod *p)
{
	struct kt_strs found = {0};
	struct kt_buf who = {0}, types = {0};
	if (setters(p, is_unarmoured, &found, &who)) {
		quoted(&found, &types);
		kt_buf_addf(&p->detail, "%s must not set AppArmor profile type to %s", kt_buf_str(&who),
		            kt_buf_str(&types));
		p->reason = found.count > 1 ? "forbidden AppArmor profiles" : NULL;
	}
	kt_strs_clear(&found);
	kt_buf_clear(&who);
	kt_buf_clear(&types);
}

struct se_linux {
	int minor; /* the version of the standards */
	struct kt_strs types;
	bool user, role;
};

static bool is_relabelled(const struct kt_json *c, void *arg)
{
	static const char *const fine[] = {"", "container_t", "container_init_t", "container_kvm_t"};
	struct se_linux *found = arg;
	const struct kt_json *options = kt_path(security(c), "seLinuxOptions");
	bool known = found->minor >= 31 && kt_streq(kt_get_str(options, "type"), "container_engine_t"),
	     user = *kt_get_text(options, "user"), role = *kt_get_text(options, "role");
	if (!options)
		return false;
	for (size_t i = 0; i < KT_COUNT(fine); i++)
		known = known || strcmp(fine[i], kt_get_text(options, "type")) == 0;
	if (!known && !kt_strs_has(&found->types, kt_get_text(options, "type")))
		kt_strs_add(&found->types, kt_get_text(options, "type"));
	found->user = found->user || user;
	found->role = found->role || role;
	return !known || user || role;
}

static void se_linux(struct pod *p)
{
	struct se_linux found = {.minor = p->minor};
	struct kt_buf who = {0}, types = {0};
	if (setters(p, is_relabelled, &found, &who)) {
		kt_buf_addf(&p->detail,
		            "%s set forbidden securityContext.seLinuxOptions: ", kt_buf_str(&who));
		quoted(&found.types, &types);
		if (found.types.count > 0)
			kt_buf_addf(&p->detail, "%s %s", plural("type", found.types.count),
			            kt_buf_str(&types));
		if (found.user)
			kt_buf_addf(&p->detail, "%suser may not be set", found.types.count > 0 ? "; " : "");
		if (found.role)
			kt_buf_addf(&p->detail, "%srole may not be set",
			            found.types.count > 0 || found.user ? "; " : "");
	}
	kt_strs_clear(&found.types);
	kt_buf_clear(&who);
	kt_buf_clear(&types);
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
			add_name(&names, kt_get_text(volume, "name"));
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

#define BASELINE   SECURITY_BASELINE
#define RESTRICTED SECURITY_RESTRICTED

static const struct {
	enum security_level level, until; /* a restricted check may take a baseline one's place */
	int since;                        /* the minor version that brought it */
	const char *reason;
	void (*check)(struct pod *p);
} checks[] = {
        {BASELINE, RESTRICTED, 0, "forbidden AppArmor profile", app_armor},
        {BASELINE, BASELINE, 0, "non-default capabilities", non_default_capabilities},
        {BASELINE, RESTRICTED, 0, "host namespaces", host_namespaces},
        {BASELINE, RESTRICTED, 0, "hostPath volumes", host_paths},
        {BASELINE, RESTRICTED, 0, "hostPort", host_ports},
        {BASELINE, RESTRICTED, 34, "probe or lifecycle host", probe_hosts},
        {BASELINE, RESTRICTED, 0, "privileged", privileged},
        {BASELINE, RESTRICTED, 0, "procMount", proc_mount},
        {BASELINE, RESTRICTED, 0, "seLinuxOptions", se_linux},
        {BASELINE, BASELINE, 19, "seccompProfile", unconfined},
        {BASELINE, RESTRICTED, 0, "forbidden sysctls", sysctls},
        {RESTRICTED, RESTRICTED, 8, "allowPrivilegeEscalation != false", escalation},
        {RESTRICTED, RESTRICTED, 22, "unrestricted capabilities", capabilities},
        {RESTRICTED, RESTRICTED, 0, "restricted volume types", volume_types},
        {RESTRICTED, RESTRICTED, 0, "runAsNonRoot != true", non_root},
        {RESTRICTED, RESTRICTED, 23, "runAsUser=0", root_user},
        {RESTRICTED, RESTRICTED, 19, "seccompProfile", profile},
};

/* The minor version of "v1.x"; the newest of all for "latest". */
static int minor_of(const char *version)
{
	return kt_starts(version, "v1.") ? (int)strtol(version + 3, NULL, 10) : SECURITY_LATEST;
}

void security_evaluate(const struct kt_json *spec, enum security_level level, const char *version,
                       bool details, struct kt_buf *out)
{
	int minor = minor_of(version);
	for (size_t i = 0; i < KT_COUNT(checks); i++) {
		struct pod p = {.spec = spec, .minor = minor};
		if (level < checks[i].level || level > checks[i].until || minor < checks[i].since)
			continue;
		checks[i].check(&p);
		const char *reason = p.reason ? p.reason : checks[i].reason;
		if (p.detail.len > 0 && details)
			kt_buf_addf(out, "%s%s (%s)", out->len > 0 ? ", " : "", reason,
			            kt_buf_str(&p.detail));
		else if (p.detail.len > 0)
			kt_buf_addf(out, "%s%s", out->len > 0 ? ", " : "", reason);
		kt_buf_clear(&p.detail);
	}
}
