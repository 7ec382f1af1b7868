/* SPDX-License-Identifier: MIT */
/* Security contexts of pods and containers: kubernetes pkg/apis/core/validation/validation.go
 * (ValidateSecurityContext, validatePodSpecSecurityContext, validateHostUsers, validateOS). */
#include "cluster/api/validate.h"

#include <string.h>

static const char *const profile_types[] = {"Localhost", "RuntimeDefault", "Unconfined", NULL};

static bool is_profile_type(const char *type)
{
	for (size_t i = 0; profile_types[i]; i++)
		if (strcmp(profile_types[i], type) == 0)
			return true;
	return false;
}

static void seccomp(struct v *v, const struct v_path *path, const struct kt_json *p)
{
	const char *type = kt_get_text(p, "type"), *profile = kt_get_str(p, "localhostProfile");
	if (!*type)
		v_required(v, V_IN(path, "type"), "type is required when seccompProfile is set");
	else if (!is_profile_type(type))
		v_unsupported(v, V_IN(path, "type"), kt_get(p, "type"), profile_types);
	if (strcmp(type, "Localhost") != 0 && profile)
		v_invalid_steal(v, V_IN(path, "localhostProfile"), v_internal(v, "SeccompProfile", p),
		                "can only be set when seccomp type is Localhost");
	else if (strcmp(type, "Localhost") == 0 && !profile)
		v_required(v, V_IN(path, "localhostProfile"), "must be set when seccomp type is Localhost");
	else if (profile)
		v_descending_path(v, V_IN(path, "localhostProfile"), profile);
}

static void app_armor(struct v *v, const struct v_path *path, const struct kt_json *p)
{
	const char *type = kt_get_text(p, "type"), *profile = kt_get_str(p, "localhostProfile");
	if (!*type)
		v_required(v, V_IN(path, "type"), "type is required when appArmorProfile is set");
	else if (!is_profile_type(type))
		v_unsupported(v, V_IN(path, "type"), kt_get(p, "type"), profile_types);
	else if (strcmp(type, "Localhost") != 0 && profile)
		v_invalid_str(v, V_IN(path, "localhostProfile"), profile,
		              "can only be set when AppArmor type is Localhost");
	else if (strcmp(type, "Localhost") == 0 && (!profile || !*profile))
		v_required(v, V_IN(path, "localhostProfile"), "must be set when AppArmor type is Localhost");
}

static void id(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	if (value && (kt_int_or(value, 0) < 0 || kt_int_or(value, 0) > INT32_MAX))
		v_invalid(v, path, value, "must be between 0 and 2147483647, inclusive");
}

static void proc_mount(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	static const char *const types[] = {"Default", "Unmasked", NULL};
	const char *type = kt_str_or(value, "");
	if (strcmp(type, "Default") && strcmp(type, "Unmasked"))
		v_unsupported(v, path, value, types);
	else if (strcmp(type, "Unmasked") == 0 && kt_get_bool(v->pod, "hostUsers", true))
		v_invalid(v, path, value, "`hostUsers` must be false to use `Unmasked`");
}

void v_security_context(struct v *v, const struct v_path *path, const struct kt_json *sc)
{
	static const struct v_rule rules[] = {
	        {.field = "runAsUser", .kind = V_OBJECT, .fn = id},
	        {.field = "runAsGroup", .kind = V_OBJECT, .fn = id},
	        {.field = "procMount", .kind = V_OBJECT, .fn = proc_mount},
	        {.field = "seccompProfile", .kind = V_OBJECT, .fn = seccomp},
	};
	static const struct v_rule last[] = {
	        {.field = "appArmorProfile", .kind = V_OBJECT, .fn = app_armor},
	};
	const struct kt_json *capability;
	if (!sc)
		return;
	V_RULES(v, path, sc, rules);
	if (kt_get(sc, "allowPrivilegeEscalation") && !kt_get_bool(sc, "allowPrivilegeEscalation", true)) {
		if (kt_get_bool(sc, "privileged", false))
			v_invalid_steal(
			        v, path, v_internal(v, "SecurityContext", sc),
			        "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
		KT_JSON_EACH (capability, kt_path(sc, "capabilities.add"))
			if (kt_streq(kt_str(capability), "CAP_SYS_ADMIN"))
				v_invalid_steal(v, path, v_internal(v, "SecurityContext", sc),
				                "cannot set `allowPrivilegeEscalation` to false and "
				                "`capabilities.Add` CAP_SYS_ADMIN");
	}
	V_RULES(v, path, sc, last);
}

/* --- of the pod --- */

static void sysctls(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, list) {
		const struct v_path *at = V_IN(V_AT(path, item_i), "name");
		const char *name = kt_get_text(item, "name");
		if (!*name)
			v_required(v, at, "");
		else if (v_check(v, at, name, v_sysctl) && kt_find(list, "name", name) < (ptrdiff_t)item_i)
			v_duplicate(v, at, kt_get(item, "name"));
		if (kt_get_bool(v->pod, "hostNetwork", false) && kt_starts(name, "net."))
			v_invalid_str(v, at, name, "may not be specified when 'hostNetwork' is true");
		if (kt_get_bool(v->pod, "hostIPC", false) &&
		    (kt_starts(name, "kernel.shm") || kt_starts(name, "kernel.msg") ||
		     strcmp(name, "kernel.sem") == 0 || kt_starts(name, "fs.mqueue.")))
			v_invalid_str(v, at, name, "may not be specified when 'hostIPC' is true");
	}
}

static void groups(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, list)
		id(v, V_AT(path, item_i), item);
}

void v_pod_security_context(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	static const char *const fs_policies[] = {"Always", "OnRootMismatch", NULL};
	static const char *const group_policies[] = {"Merge", "Strict", NULL};
	static const char *const change_policies[] = {"Recursive", NULL}; /* SELinuxMount is off */
	static const struct v_rule ids[] = {
	        {.field = "fsGroup", .kind = V_OBJECT, .fn = id},
	        {.field = "runAsUser", .kind = V_OBJECT, .fn = id},
	        {.field = "runAsGroup", .kind = V_OBJECT, .fn = id},
	        {.field = "supplementalGroups", .kind = V_CALL, .fn = groups},
	};
	static const struct v_rule rest[] = {
	        {.field = "sysctls", .kind = V_CALL, .fn = sysctls},
	        {.field = "fsGroupChangePolicy", .kind = V_ENUM, .values = fs_policies},
	        {.field = "seccompProfile", .kind = V_OBJECT, .fn = seccomp},
	        {.field = "appArmorProfile", .kind = V_OBJECT, .fn = app_armor},
	        {.field = "windowsOptions", .kind = V_OBJECT, .fn = v_windows_options},
	        {.field = "supplementalGroupsPolicy", .kind = V_ENUM, .values = group_policies},
	        {.field = "seLinuxChangePolicy", .kind = V_ENUM, .values = change_policies},
	};
	const struct kt_json *sc = kt_get(spec, "securityContext");
	if (sc)
		V_RULES(v, path, sc, ids);
	if (kt_get_bool(spec, "shareProcessNamespace", false) && kt_get_bool(spec, "hostPID", false))
		v_invalid(v, V_IN(path, "shareProcessNamespace"), kt_get(spec, "shareProcessNamespace"),
		          "ShareProcessNamespace and HostPID cannot both be enabled");
	if (sc)
		V_RULES(v, path, sc, rest);
}

static const char *const all_containers[] = {"initContainers", "containers", "ephemeralContainers"};

void v_host_users(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	/* As the server's internal type spells them. */
	static const char *const names[][2] = {
	        {"hostNetwork", "hostNetwork"}, {"hostPID", "HostPID"}, {"hostIPC", "HostIPC"}};
	const struct kt_json *c;
	if (kt_get_bool(spec, "hostUsers", true))
		return;
	for (size_t i = 0; i < KT_COUNT(names); i++)
		if (kt_get_bool(spec, names[i][0], false))
			v_forbidden(v, V_IN(path, names[i][1]), "when `hostUsers` is false");
	for (size_t i = 0; i < KT_COUNT(all_containers); i++)
		KT_JSON_EACH (c, kt_get(spec, all_containers[i]))
			if (kt_count(kt_get(c, "volumeDevices")) > 0)
				v_forbidden(v,
				            V_IN(V_AT(V_IN(path, all_containers[i]), c_i), "volumeDevices"),
				            "when `hostUsers` is false");
}

/* --- what the other system does not have --- */

static void windows(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	static const char *const fields[] = {
	        "securityContext.appArmorProfile",
	        "securityContext.seLinuxOptions",
	        "hostUsers",
	        "hostPID",
	        "hostIPC",
	        "securityContext.seccompProfile",
	        "securityContext.fsGroup",
	        "securityContext.fsGroupChangePolicy",
	        "securityContext.sysctls",
	        "shareProcessNamespace",
	        "securityContext.runAsUser",
	        "securityContext.runAsGroup",
	        "securityContext.supplementalGroups",
	        "securityContext.supplementalGroupsPolicy",
	        "securityContext.seLinuxChangePolicy",
	};
	static const char *const own[] = {"appArmorProfile",
	                                  "seLinuxOptions",
	                                  "seccompProfile",
	                                  "capabilities",
	                                  "readOnlyRootFilesystem",
	                                  "privileged",
	                                  "allowPrivilegeEscalation",
	                                  "procMount",
	                                  "runAsUser",
	                                  "runAsGroup"};
	const struct kt_json *c;
	for (size_t i = 0; i < KT_COUNT(fields); i++)
		if (kt_path(spec, fields[i]))
			v_forbidden(v, V_IN(path, fields[i]), "cannot be set for a windows pod");
	for (size_t l = 0; l < KT_COUNT(all_containers); l++)
		KT_JSON_EACH (c, kt_get(spec, all_containers[l]))
			for (size_t i = 0; i < KT_COUNT(own); i++)
				if (kt_get(kt_get(c, "securityContext"), own[i]))
					v_forbidden(v,
					            V_IN(V_IN(V_AT(V_IN(path, all_containers[l]), c_i),
					                      "securityContext"),
					                 own[i]),
					            "cannot be set for a windows pod");
}

static void linux(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	static const char none[] = "windows options cannot be set for a linux pod";
	const struct kt_json *c;
	if (kt_path(spec, "securityContext.windowsOptions"))
		v_forbidden(v, V_IN(V_IN(path, "securityContext"), "windowsOptions"), none);
	for (size_t l = 0; l < KT_COUNT(all_containers); l++)
		KT_JSON_EACH (c, kt_get(spec, all_containers[l]))
			if (kt_path(c, "securityContext.windowsOptions"))
				v_forbidden(v,
				            V_IN(V_IN(V_AT(V_IN(path, all_containers[l]), c_i),
				                      "securityContext"),
				                 "windowsOptions"),
				            none);
}

/* Either all containers are processes of the host, in its network, or none (validateWindowsHostProcessPod).
 */
void v_host_process(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const struct kt_json *of_pod = kt_path(spec, "securityContext.windowsOptions.hostProcess"), *c;
	struct kt_json *no = kt_json_bool(false);
	size_t all = 0, of_host = 0;
	for (size_t l = 0; l < KT_COUNT(all_containers); l++)
		KT_JSON_EACH (c, kt_get(spec, all_containers[l])) {
			const struct kt_json *own = kt_path(c, "securityContext.windowsOptions.hostProcess");
			all++;
			of_host += kt_bool_or(own ? own : of_pod, false);
			if (own && of_pod && kt_bool_or(own, false) != kt_bool_or(of_pod, false))
				v_invalid(v,
				          V_IN(V_IN(V_IN(V_AT(V_IN(path, all_containers[l]), c_i),
				                         "securityContext"),
				                    "windowsOptions"),
				               "hostProcess"),
				          own,
				          "pod hostProcess value must be identical if both are specified, "
				          "was %s",
				          kt_bool_or(of_pod, false) ? "true" : "false");
		}
	if (of_host > 0 && of_host != all)
		v_invalid_str(
		        v, path, "",
		        "If pod contains any hostProcess containers then all containers must be HostProcess "
		        "containers");
	if (of_host > 0 && !kt_get_bool(spec, "hostNetwork", false))
		v_invalid(v, V_IN(path, "hostNetwork"), no,
		          "hostNetwork must be true if pod contains any hostProcess containers");
	kt_json_free(no);
}

void v_windows_options(struct v *v, const struct v_path *path, const struct kt_json *options)
{
	static const char *const texts[] = {"gmsaCredentialSpec", "runAsUserName"};
	if (kt_get(options, "gmsaCredentialSpecName"))
		v_check(v, V_IN(path, "gmsaCredentialSpecName"),
		        kt_get_text(options, "gmsaCredentialSpecName"), v_dns_subdomain);
	for (size_t i = 0; i < KT_COUNT(texts); i++)
		if (kt_get(options, texts[i]) && !*kt_get_text(options, texts[i]))
			v_invalid_str(v, V_IN(path, texts[i]), "", "%s cannot be an empty string", texts[i]);
}

void v_pod_os(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	static const char *const systems[] = {"linux", "windows", NULL};
	const struct kt_json *os = kt_get(spec, "os");
	const char *name = kt_get_text(os, "name");
	if (!os)
		return;
	if (!*name)
		v_required(v, V_IN(V_IN(path, "os"), "name"), "");
	else if (strcmp(name, "linux") && strcmp(name, "windows"))
		v_unsupported(v, V_IN(path, "os"), kt_get(os, "name"), systems);
	else if (strcmp(name, "windows") == 0)
		windows(v, path, spec);
	else
		linux(v, path, spec);
}
