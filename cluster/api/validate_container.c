/* SPDX-License-Identifier: MIT */
/* Containers of every sort: kubernetes pkg/apis/core/validation/validation.go (validateContainerCommon and
 * around it). */
#include "cluster/api/validate.h"

#include <string.h>

static const char *str(const struct kt_json *v, const char *key)
{
	return kt_str_or(kt_get(v, key), "");
}

/* --- environment --- */

static void key_selector(struct v *v, const struct v_path *path, const struct kt_json *ref)
{
	if (!*str(ref, "name"))
		v_required(v, V_IN(path, "name"), "");
	if (!*str(ref, "key"))
		v_required(v, V_IN(path, "key"), "");
	else
		v_check(v, V_IN(path, "key"), str(ref, "key"), v_config_key);
}

static bool is_subscript(const char *s)
{
	return kt_starts(s, "metadata.annotations['") || kt_starts(s, "metadata.labels['");
}

static void field_ref(struct v *v, const struct v_path *path, const struct kt_json *ref)
{
	static const char *const fine[] = {"metadata.name",
	                                   "metadata.namespace",
	                                   "metadata.uid",
	                                   "spec.nodeName",
	                                   "spec.serviceAccountName",
	                                   "status.hostIP",
	                                   "status.hostIPs",
	                                   "status.podIP",
	                                   "status.podIPs"};
	static const char *const sorted[] = {"metadata.name",
	                                     "metadata.namespace",
	                                     "metadata.uid",
	                                     "spec.nodeName",
	                                     "spec.serviceAccountName",
	                                     "status.hostIP",
	                                     "status.hostIPs",
	                                     "status.podIP",
	                                     "status.podIPs",
	                                     NULL};
	const char *s = str(ref, "fieldPath");
	bool known = is_subscript(s);
	if (!*str(ref, "apiVersion"))
		v_required(v, V_IN(path, "apiVersion"), "");
	if (!*s) {
		v_required(v, V_IN(path, "fieldPath"), "");
		return;
	}
	for (size_t i = 0; i < KT_COUNT(fine); i++)
		known = known || strcmp(s, fine[i]) == 0;
	if (known)
		return;
	if (strcmp(s, "metadata.annotations") == 0 || strcmp(s, "metadata.labels") == 0 ||
	    strcmp(s, "status.phase") == 0)
		v_unsupported(v, V_IN(path, "fieldPath"), kt_get(ref, "fieldPath"), sorted);
	else
		v_invalid_str(v, V_IN(path, "fieldPath"), s,
		              "error converting fieldPath: field label not supported: %s", s);
}

static void resource_ref(struct v *v, const struct v_path *path, const struct kt_json *ref)
{
	static const char *const fine[] = {"limits.cpu",
	                                   "limits.ephemeral-storage",
	                                   "limits.memory",
	                                   "requests.cpu",
	                                   "requests.ephemeral-storage",
	                                   "requests.memory",
	                                   NULL};
	const char *s = str(ref, "resource");
	if (!*s)
		v_required(v, V_IN(path, "resource"), "");
	for (size_t i = 0; fine[i]; i++)
		if (strcmp(fine[i], s) == 0)
			return;
	if (*s && !kt_starts(s, "limits.hugepages-") && !kt_starts(s, "requests.hugepages-"))
		v_unsupported(v, V_IN(path, "resource"), kt_get(ref, "resource"), fine);
}

static void value_from(struct v *v, const struct v_path *path, const struct kt_json *var)
{
	static const struct {
		const char *name;
		v_fn *fn;
	} sources[] = {{"fieldRef", field_ref},
	               {"resourceFieldRef", resource_ref},
	               {"configMapKeyRef", key_selector},
	               {"secretKeyRef", key_selector}};
	const struct kt_json *from = kt_get(var, "valueFrom");
	size_t count = 0;
	if (!from)
		return;
	for (size_t i = 0; i < KT_COUNT(sources); i++) {
		const struct kt_json *ref = kt_get(from, sources[i].name);
		if (!ref)
			continue;
		count++;
		sources[i].fn(v, V_IN(path, sources[i].name), ref);
	}
	count += kt_get(from, "fileKeyRef") != NULL;
	if (count == 0)
		v_invalid_str(v, path, "",
		              "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
		              "`secretKeyRef` or `fileKeyRef`");
	else if (*str(var, "value"))
		v_invalid_str(v, path, "", "may not be specified when `value` is not empty");
	else if (count > 1)
		v_invalid_str(v, path, "", "may not have more than one field specified at a time");
}

static void env(struct v *v, const struct v_path *path, const struct kt_json *vars)
{
	const struct kt_json *var;
	KT_JSON_EACH (var, vars) {
		const struct v_path *at = V_AT(path, var_i);
		if (!*str(var, "name"))
			v_required(v, V_IN(at, "name"), "");
		else
			v_check(v, V_IN(at, "name"), str(var, "name"), v_env_name);
		value_from(v, V_IN(at, "valueFrom"), var);
		if (*str(var, "name") && kt_find(vars, "name", str(var, "name")) < (ptrdiff_t)var_i)
			v_warn(v, at,
			       "hides previous definition of \"%s\", which may be dropped when using apply",
			       str(var, "name"));
	}
}

static void env_from(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, list) {
		static const char *const sources[] = {"configMapRef", "secretRef"};
		const struct v_path *at = V_AT(path, item_i);
		size_t count = 0;
		if (*str(item, "prefix"))
			v_check(v, V_IN(at, "prefix"), str(item, "prefix"), v_env_name);
		for (size_t i = 0; i < KT_COUNT(sources); i++) {
			const struct kt_json *ref = kt_get(item, sources[i]);
			if (!ref)
				continue;
			count++;
			if (!*str(ref, "name"))
				v_required(v, V_IN(V_IN(at, sources[i]), "name"), "");
		}
		if (count == 0)
			v_invalid_str(v, at, "", "must specify one of: `configMapRef` or `secretRef`");
		else if (count > 1)
			v_invalid_str(v, at, "", "may not have more than one field specified at a time");
	}
}

/* --- ports --- */

static void port_number(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	int64_t port = kt_int_or(value, 0);
	if (port < 1 || port > 65535)
		v_invalid(v, path, value, "must be between 1 and 65535, inclusive");
}

static void ports(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *port, *other;
	KT_JSON_EACH (port, list) {
		const struct v_path *at = V_AT(path, port_i);
		const char *name = str(port, "name");
		if (*name && v_check(v, V_IN(at, "name"), name, v_port_name) &&
		    kt_find(list, "name", name) < (ptrdiff_t)port_i)
			v_duplicate(v, V_IN(at, "name"), kt_get(port, "name"));
		if (kt_get_int(port, "containerPort", 0) == 0)
			v_required(v, V_IN(at, "containerPort"), "");
		else
			port_number(v, V_IN(at, "containerPort"), kt_get(port, "containerPort"));
		if (kt_get_int(port, "hostPort", 0) != 0)
			port_number(v, V_IN(at, "hostPort"), kt_get(port, "hostPort"));
		if (!*str(port, "protocol"))
			v_required(v, V_IN(at, "protocol"), "");
		else if (strcmp(str(port, "protocol"), "TCP") && strcmp(str(port, "protocol"), "UDP") &&
		         strcmp(str(port, "protocol"), "SCTP"))
			v_unsupported(v, V_IN(at, "protocol"), kt_get(port, "protocol"),
			              V_WORDS("SCTP", "TCP", "UDP"));
		KT_JSON_EACH (other, list) {
			if (other_i >= port_i)
				break;
			if (kt_equal(kt_get(other, "containerPort"), kt_get(port, "containerPort")) &&
			    kt_equal(kt_get(other, "protocol"), kt_get(port, "protocol")) &&
			    strcmp(str(other, "hostIP"), str(port, "hostIP")) == 0 &&
			    kt_get_int(other, "hostPort", 0) == kt_get_int(port, "hostPort", 0)) {
				struct kt_buf text = {0};
				v_path_print(V_AT(path, other_i), &text);
				v_warn(v, at, "duplicate port definition with %s", kt_buf_str(&text));
				kt_buf_clear(&text);
				break;
			}
		}
	}
}

/* --- handlers and probes --- */

static void port_or_name(struct v *v, const struct v_path *path, const struct kt_json *port)
{
	if (kt_is_string(port)) {
		v_check(v, path, kt_str(port), v_port_name);
		return;
	}
	int64_t number = kt_int_or(port, 0);
	if (number < 1 || number > 65535)
		v_invalid_steal(v, path, kt_json_int(number), "must be between 1 and 65535, inclusive");
}

static void exec_action(struct v *v, const struct v_path *path, const struct kt_json *action)
{
	if (kt_count(kt_get(action, "command")) == 0)
		v_required(v, V_IN(path, "command"), "");
}

static void http_action(struct v *v, const struct v_path *path, const struct kt_json *action)
{
	const struct kt_json *header;
	if (!*str(action, "path"))
		v_required(v, V_IN(path, "path"), "");
	port_or_name(v, V_IN(path, "port"), kt_get(action, "port"));
	if (strcmp(str(action, "scheme"), "HTTP") && strcmp(str(action, "scheme"), "HTTPS"))
		v_unsupported(v, V_IN(path, "scheme"), kt_get(action, "scheme"), V_WORDS("HTTP", "HTTPS"));
	KT_JSON_EACH (header, kt_get(action, "httpHeaders"))
		v_check(v, V_IN(path, "httpHeaders"), str(header, "name"), v_http_header);
}

static void tcp_action(struct v *v, const struct v_path *path, const struct kt_json *action)
{
	port_or_name(v, V_IN(path, "port"), kt_get(action, "port"));
}

static void sleep_action(struct v *v, const struct v_path *path, const struct kt_json *action)
{
	int64_t seconds = kt_get_int(action, "seconds", 0);
	if (seconds < 0)
		v_invalid_steal(v, path, kt_json_int(seconds), "must be non-negative");
}

static void handler(struct v *v, const struct v_path *path, const struct kt_json *h)
{
	static const struct {
		const char *name;
		v_fn *fn;
	} types[] = {{"exec", exec_action},
	             {"httpGet", http_action},
	             {"tcpSocket", tcp_action},
	             {"grpc", tcp_action},
	             {"sleep", sleep_action}};
	size_t count = 0;
	for (size_t i = 0; i < KT_COUNT(types); i++) {
		const struct kt_json *action = kt_get(h, types[i].name);
		if (!action)
			continue;
		if (count++ > 0)
			v_forbidden(v, V_IN(path, types[i].name), "may not specify more than 1 handler type");
		else
			types[i].fn(v, V_IN(path, types[i].name), action);
	}
	if (count == 0)
		v_required(v, path, "must specify a handler type");
}

enum probe_kind { LIVENESS, READINESS, STARTUP };

static void probe(struct v *v, const struct v_path *path, const struct kt_json *p, enum probe_kind kind)
{
	static const struct v_rule rules[] = {
	        {.field = "initialDelaySeconds", .kind = V_MIN}, {.field = "timeoutSeconds", .kind = V_MIN},
	        {.field = "periodSeconds", .kind = V_MIN},       {.field = "successThreshold", .kind = V_MIN},
	        {.field = "failureThreshold", .kind = V_MIN},
	};
	const struct kt_json *grace = kt_get(p, "terminationGracePeriodSeconds");
	if (!p)
		return;
	handler(v, path, p);
	V_RULES(v, path, p, rules);
	if (grace && kt_int_or(grace, 0) <= 0)
		v_invalid(v, V_IN(path, "terminationGracePeriodSeconds"), grace, "must be greater than 0");
	if (kind == READINESS && grace)
		v_invalid(v, V_IN(path, "terminationGracePeriodSeconds"), grace,
		          "must not be set for readinessProbes");
	if (kind != READINESS && kt_get_int(p, "successThreshold", 1) != 1)
		v_invalid(v, V_IN(path, "successThreshold"), kt_get(p, "successThreshold"), "must be 1");
}

static void probes(struct v *v, const struct v_path *path, const struct kt_json *c)
{
	const struct kt_json *lifecycle = kt_get(c, "lifecycle");
	static const char *const hooks[] = {"postStart", "preStop"};
	for (size_t i = 0; i < KT_COUNT(hooks); i++)
		if (kt_get(lifecycle, hooks[i]))
			handler(v, V_IN(V_IN(path, "lifecycle"), hooks[i]), kt_get(lifecycle, hooks[i]));
	probe(v, V_IN(path, "livenessProbe"), kt_get(c, "livenessProbe"), LIVENESS);
	probe(v, V_IN(path, "readinessProbe"), kt_get(c, "readinessProbe"), READINESS);
	probe(v, V_IN(path, "startupProbe"), kt_get(c, "startupProbe"), STARTUP);
}

/* --- mounts --- */

static void descending_path(struct v *v, const struct v_path *path, const char *s)
{
	size_t len;
	const char *rest = s, *piece;
	if (*s == '/')
		v_invalid_str(v, path, s, "must be a relative path");
	while ((piece = kt_split(&rest, '/', &len)) != NULL)
		if (len == 2 && strncmp(piece, "..", 2) == 0) {
			v_invalid_str(v, path, s, "must not contain '..'");
			return;
		}
}

static void mounts(struct v *v, const struct v_path *path, const struct kt_json *c,
                   const struct kt_json *volumes)
{
	static const char *const modes[] = {"Bidirectional", "HostToContainer", "None", NULL};
	const struct kt_json *list = kt_get(c, "volumeMounts"), *devices = kt_get(c, "volumeDevices"), *m;
	KT_JSON_EACH (m, list) {
		const struct v_path *at = V_AT(path, m_i);
		const char *mode = str(m, "mountPropagation");
		if (!*str(m, "name"))
			v_required(v, V_IN(at, "name"), "");
		if (kt_find(volumes, "name", str(m, "name")) < 0)
			v_not_found(v, V_IN(at, "name"), kt_get(m, "name"));
		if (!*str(m, "mountPath"))
			v_required(v, V_IN(at, "mountPath"), "");
		if (kt_find(list, "mountPath", str(m, "mountPath")) < (ptrdiff_t)m_i)
			v_invalid(v, V_IN(at, "mountPath"), kt_get(m, "mountPath"), "must be unique");
		if (kt_find(devices, "name", str(m, "name")) >= 0)
			v_invalid(v, V_IN(at, "name"), kt_get(m, "name"),
			          "must not already exist in volumeDevices");
		if (kt_find(devices, "devicePath", str(m, "mountPath")) >= 0)
			v_invalid(v, V_IN(at, "mountPath"), kt_get(m, "mountPath"),
			          "must not already exist as a path in volumeDevices");
		if (*str(m, "subPath"))
			descending_path(v, V_IN(path, "subPath"), str(m, "subPath"));
		if (*str(m, "subPathExpr") && *str(m, "subPath"))
			v_invalid(v, V_IN(at, "subPathExpr"), kt_get(m, "subPathExpr"),
			          "subPathExpr and subPath are mutually exclusive");
		if (*str(m, "subPathExpr"))
			descending_path(v, V_IN(path, "subPathExpr"), str(m, "subPathExpr"));
		if (*mode && strcmp(mode, "None") && strcmp(mode, "HostToContainer") &&
		    strcmp(mode, "Bidirectional"))
			v_unsupported(v, V_IN(at, "mountPropagation"), kt_get(m, "mountPropagation"), modes);
		if (strcmp(mode, "Bidirectional") == 0 &&
		    !kt_path_bool(c, "securityContext.privileged", false))
			v_forbidden(
			        v, V_IN(at, "mountPropagation"),
			        "Bidirectional mount propagation is available only to privileged containers");
	}
}

static void devices(struct v *v, const struct v_path *path, const struct kt_json *c,
                    const struct kt_json *volumes)
{
	const struct kt_json *d;
	KT_JSON_EACH (d, kt_get(c, "volumeDevices")) {
		const struct v_path *at = V_AT(path, d_i);
		ptrdiff_t volume = kt_find(volumes, "name", str(d, "name"));
		if (!*str(d, "name"))
			v_required(v, V_IN(at, "name"), "");
		if (volume >= 0 && !kt_get(kt_at(volumes, (size_t)volume), "persistentVolumeClaim") &&
		    !kt_get(kt_at(volumes, (size_t)volume), "ephemeral"))
			v_invalid(v, V_IN(at, "name"), kt_get(d, "name"),
			          "can only use volume source type of PersistentVolumeClaim or Ephemeral for "
			          "block mode");
		if (volume < 0)
			v_not_found(v, V_IN(at, "name"), kt_get(d, "name"));
		if (!*str(d, "devicePath"))
			v_required(v, V_IN(at, "devicePath"), "");
	}
}

/* --- resources --- */

/* Native resources have no domain, or that of Kubernetes. */
static bool is_native(const char *name)
{
	return !strchr(name, '/') || strstr(name, "kubernetes.io/");
}

bool v_resource_name(const char *name, struct kt_strs *out)
{
	static const char *const standard[] = {"cpu",
	                                       "memory",
	                                       "ephemeral-storage",
	                                       "requests.cpu",
	                                       "requests.memory",
	                                       "requests.ephemeral-storage",
	                                       "limits.cpu",
	                                       "limits.memory",
	                                       "limits.ephemeral-storage",
	                                       "pods",
	                                       "resourcequotas",
	                                       "services",
	                                       "replicationcontrollers",
	                                       "secrets",
	                                       "configmaps",
	                                       "persistentvolumeclaims",
	                                       "storage",
	                                       "requests.storage",
	                                       "services.nodeports",
	                                       "services.loadbalancers"};
	size_t before = out->count;
	v_qualified_name(name, out);
	if (out->count > before)
		return false;
	for (size_t i = 0; i < KT_COUNT(standard); i++)
		if (strcmp(name, standard[i]) == 0)
			return true;
	if (strchr(name, '/') || kt_starts(name, "hugepages-") || kt_starts(name, "requests.hugepages-"))
		return true;
	kt_strs_add(out, "must be a standard resource type or fully qualified");
	return false;
}

static void resource_name(struct v *v, const struct v_path *path, const char *name)
{
	struct kt_strs faults = {0};
	v_resource_name(name, &faults);
	for (size_t i = 0; i < faults.count; i++)
		v_invalid_str(v, path, name, "%s", faults.items[i]);
	kt_strs_clear(&faults);
	if (!strchr(name, '/') && strcmp(name, "cpu") && strcmp(name, "memory") &&
	    strcmp(name, "ephemeral-storage") && !kt_starts(name, "hugepages-"))
		v_invalid_str(v, path, name, "must be a standard resource for containers");
	else if (strchr(name, '/') && !is_native(name) && kt_starts(name, "requests."))
		v_invalid_str(v, path, name, "doesn't follow extended resource name standard");
}

void v_quantity_min(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	if (kt_str(value) && kt_quantity_compare(kt_str(value), "0") < 0)
		v_invalid(v, path, value, "must be greater than or equal to 0");
}

static void resource_quantity(struct v *v, const struct v_path *path, const char *name,
                              const struct kt_json *value)
{
	struct kt_quantity q;
	v_quantity_min(v, path, value);
	if (!is_native(name) && kt_str(value) && kt_quantity_parse(kt_str(value), &q) && q.milli % 1000 != 0)
		v_invalid(v, path, value, "must be an integer");
	if ((strcmp(name, "memory") == 0 || strcmp(name, "ephemeral-storage") == 0) && kt_str(value) &&
	    kt_quantity_parse(kt_str(value), &q) && q.milli % 1000 != 0)
		v_warn(v, path, "fractional byte value \"%s\" is invalid, must be an integer", kt_str(value));
}

void v_resources(struct v *v, const struct v_path *path, const struct kt_json *resources)
{
	const struct kt_json *limits = kt_get(resources, "limits"), *requests = kt_get(resources, "requests");
	const struct v_path *lp = V_IN(path, "limits"), *rp = V_IN(path, "requests");
	bool huge = false, base = false;
	for (size_t i = 0, n = kt_count(limits); i < n; i++) {
		const char *name = kt_key(limits, i);
		resource_name(v, V_KEY(lp, name), name);
		resource_quantity(v, V_KEY(lp, name), name, kt_at(limits, i));
		huge = huge || kt_starts(name, "hugepages-");
		base = base || strcmp(name, "cpu") == 0 || strcmp(name, "memory") == 0;
	}
	for (size_t i = 0, n = kt_count(requests); i < n; i++) {
		const char *name = kt_key(requests, i), *is = kt_str_or(kt_at(requests, i), "0"),
		           *limit = kt_get_str(limits, name);
		bool overcommit = is_native(name) && !kt_starts(name, "hugepages-");
		resource_name(v, V_KEY(rp, name), name);
		resource_quantity(v, V_KEY(rp, name), name, kt_at(requests, i));
		huge = huge || kt_starts(name, "hugepages-");
		base = base || strcmp(name, "cpu") == 0 || strcmp(name, "memory") == 0;
		if (!limit && !overcommit)
			v_required(v, lp, "Limit must be set for non overcommitable resources");
		else if (limit && !overcommit && kt_quantity_compare(is, limit) != 0)
			v_invalid_str(v, rp, is, "must be equal to %s limit of %s", name, limit);
		else if (limit && kt_quantity_compare(is, limit) > 0)
			v_invalid_str(v, rp, is, "must be less than or equal to %s limit of %s", name, limit);
	}
	if (huge && !base)
		v_forbidden(v, path, "HugePages require cpu or memory");
}

/* --- security --- */

static void security_profile(struct v *v, const struct v_path *path, const struct kt_json *p)
{
	static const char *const types[] = {"Localhost", "RuntimeDefault", "Unconfined", NULL};
	const char *type = str(p, "type"), *profile = kt_get_str(p, "localhostProfile");
	if (!*type)
		v_required(v, V_IN(path, "type"), "type is required when seccompProfile is set");
	else if (strcmp(type, "Localhost") && strcmp(type, "RuntimeDefault") && strcmp(type, "Unconfined"))
		v_unsupported(v, V_IN(path, "type"), kt_get(p, "type"), types);
	else if (strcmp(type, "Localhost") == 0 && !profile)
		v_required(v, V_IN(path, "localhostProfile"), "must be set when seccomp type is Localhost");
	else if (strcmp(type, "Localhost") != 0 && profile)
		v_invalid_str(v, V_IN(path, "localhostProfile"), profile,
		              "can only be set when seccomp type is Localhost");
}

static void user_id(struct v *v, const struct v_path *path, const struct kt_json *id)
{
	if (id && (kt_int_or(id, 0) < 0 || kt_int_or(id, 0) > INT32_MAX))
		v_invalid(v, path, id, "must be between 0 and 2147483647, inclusive");
}

void v_security_context(struct v *v, const struct v_path *path, const struct kt_json *sc)
{
	const struct kt_json *capability;
	if (!sc)
		return;
	user_id(v, V_IN(path, "runAsUser"), kt_get(sc, "runAsUser"));
	user_id(v, V_IN(path, "runAsGroup"), kt_get(sc, "runAsGroup"));
	if (kt_get(sc, "seccompProfile"))
		security_profile(v, V_IN(path, "seccompProfile"), kt_get(sc, "seccompProfile"));
	if (!kt_get(sc, "allowPrivilegeEscalation") || kt_get_bool(sc, "allowPrivilegeEscalation", true))
		return;
	if (kt_get_bool(sc, "privileged", false))
		v_invalid_steal(v, path, v_internal(v, "SecurityContext", sc),
		                "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
	KT_JSON_EACH (capability, kt_path(sc, "capabilities.add"))
		if (kt_streq(kt_str(capability), "CAP_SYS_ADMIN"))
			v_invalid_steal(v, path, v_internal(v, "SecurityContext", sc),
			                "cannot set `allowPrivilegeEscalation` to false and "
			                "`capabilities.Add` CAP_SYS_ADMIN");
}

/* --- containers --- */

static void common(struct v *v, const struct v_path *path, const struct kt_json *c,
                   const struct kt_json *volumes)
{
	static const char *const policies[] = {"Always", "IfNotPresent", "Never", NULL};
	static const char *const messages[] = {"FallbackToLogsOnError", "File", NULL};
	static const struct v_rule first[] = {
	        {.field = "name", .kind = V_NEEDED, .format = v_dns_label},
	        {.field = "image", .kind = V_REQUIRED},
	        {.field = "terminationMessagePolicy", .kind = V_ENUM_NEEDED, .values = messages},
	        {.field = "ports", .kind = V_CALL, .fn = ports},
	        {.field = "env", .kind = V_CALL, .fn = env},
	        {.field = "envFrom", .kind = V_CALL, .fn = env_from},
	};
	static const struct v_rule then[] = {
	        {.field = "imagePullPolicy", .kind = V_ENUM_NEEDED, .values = policies},
	        {.field = "resources", .kind = V_CALL, .fn = v_resources},
	        {.field = "securityContext", .kind = V_CALL, .fn = v_security_context},
	};
	V_RULES(v, path, c, first);
	mounts(v, V_IN(path, "volumeMounts"), c, volumes);
	devices(v, V_IN(path, "volumeDevices"), c, volumes);
	V_RULES(v, path, c, then);
}

/* Two containers of a pod cannot have one port of the host. */
static void host_ports(struct v *v, const struct v_path *path, const struct kt_json *containers)
{
	struct kt_json *seen = kt_json_object();
	const struct kt_json *c, *port;
	KT_JSON_EACH (c, containers) {
		KT_JSON_EACH (port, kt_get(c, "ports")) {
			int64_t host = kt_get_int(port, "hostPort", 0);
			if (host == 0)
				continue;
			char *key = kt_strf("%s/%s/%lld", str(port, "protocol"), str(port, "hostIP"),
			                    (long long)host);
			if (kt_get(seen, key)) {
				struct kt_json *text = kt_json_str(key);
				v_duplicate(v, V_IN(V_AT(V_IN(V_AT(path, c_i), "ports"), port_i), "hostPort"),
				            text);
				kt_json_free(text);
			}
			kt_set(&seen, key, kt_json_bool(true));
			kt_free(key);
		}
	}
	kt_json_free(seen);
}

static void init_container(struct v *v, const struct v_path *at, const struct kt_json *c)
{
	static const char *const forbidden[] = {"lifecycle", "livenessProbe", "readinessProbe",
	                                        "startupProbe"};
	if (strcmp(str(c, "restartPolicy"), "Always") == 0) {
		probes(v, at, c);
		return;
	}
	for (size_t i = 0; i < KT_COUNT(forbidden); i++)
		if (kt_get(c, forbidden[i]))
			v_forbidden(v, V_IN(at, forbidden[i]),
			            "may not be set for init containers without restartPolicy=Always");
}

void v_containers(struct v *v, const struct v_path *path, const struct kt_json *spec,
                  const struct kt_json *meta)
{
	const struct kt_json *containers = kt_get(spec, "containers"),
	                     *inits = kt_get(spec, "initContainers");
	const struct kt_json *volumes = kt_get(spec, "volumes"), *c;
	const struct v_path *cp = V_IN(path, "containers"), *ip = V_IN(path, "initContainers");
	(void)meta;
	if (kt_count(containers) == 0)
		v_required(v, cp, "");
	KT_JSON_EACH (c, containers) {
		const struct v_path *at = V_AT(cp, c_i);
		common(v, at, c, volumes);
		if (kt_find(containers, "name", str(c, "name")) < (ptrdiff_t)c_i)
			v_duplicate(v, V_IN(at, "name"), kt_get(c, "name"));
		probes(v, at, c);
		if (*str(c, "restartPolicy") && strcmp(str(c, "restartPolicy"), "Never") &&
		    strcmp(str(c, "restartPolicy"), "OnFailure"))
			v_forbidden(v, V_IN(at, "restartPolicy"), "may not be set for non-init containers");
	}
	host_ports(v, cp, containers);
	KT_JSON_EACH (c, inits) {
		const struct v_path *at = V_AT(ip, c_i);
		const char *policy = str(c, "restartPolicy");
		common(v, at, c, volumes);
		if (*policy && strcmp(policy, "Always") && strcmp(policy, "OnFailure") &&
		    strcmp(policy, "Never"))
			v_unsupported(v, V_IN(at, "restartPolicy"), kt_get(c, "restartPolicy"),
			              V_WORDS("Always", "Never", "OnFailure"));
		if (*str(c, "name") && (kt_find(containers, "name", str(c, "name")) >= 0 ||
		                        kt_find(inits, "name", str(c, "name")) < (ptrdiff_t)c_i))
			v_duplicate(v, V_IN(at, "name"), kt_get(c, "name"));
		init_container(v, at, c);
	}
}
