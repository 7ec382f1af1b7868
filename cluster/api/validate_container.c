/* SPDX-License-Identifier: MIT */
/* Containers of every sort: kubernetes pkg/apis/core/validation/validation.go (validateContainerCommon and
 * around it). */
#include "cluster/api/validate.h"

#include <string.h>

/* --- ports --- */

static void port_number(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	int64_t port = kt_int_or(value, 0);
	if (port < 1 || port > 65535)
		v_invalid(v, path, value, "must be between 1 and 65535, inclusive");
}

static void ports(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *port;
	KT_JSON_EACH (port, list) {
		const struct v_path *at = V_AT(path, port_i);
		const char *name = kt_get_text(port, "name");
		if (*name && v_check(v, V_IN(at, "name"), name, v_port_name) &&
		    kt_find(list, "name", name) < (ptrdiff_t)port_i)
			v_duplicate(v, V_IN(at, "name"), kt_get(port, "name"));
		if (kt_get_int(port, "containerPort", 0) == 0)
			v_required(v, V_IN(at, "containerPort"), "");
		else
			port_number(v, V_IN(at, "containerPort"), kt_get(port, "containerPort"));
		if (kt_get_int(port, "hostPort", 0) != 0)
			port_number(v, V_IN(at, "hostPort"), kt_get(port, "hostPort"));
		if (!*kt_get_text(port, "protocol"))
			v_required(v, V_IN(at, "protocol"), "");
		else if (strcmp(kt_get_text(port, "protocol"), "TCP") &&
		         strcmp(kt_get_text(port, "protocol"), "UDP") &&
		         strcmp(kt_get_text(port, "protocol"), "SCTP"))
			v_unsupported(v, V_IN(at, "protocol"), kt_get(port, "protocol"),
			              V_WORDS("SCTP", "TCP", "UDP"));
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
	if (!*kt_get_text(action, "path"))
		v_required(v, V_IN(path, "path"), "");
	port_or_name(v, V_IN(path, "port"), kt_get(action, "port"));
	if (strcmp(kt_get_text(action, "scheme"), "HTTP") && strcmp(kt_get_text(action, "scheme"), "HTTPS"))
		v_unsupported(v, V_IN(path, "scheme"), kt_get(action, "scheme"), V_WORDS("HTTP", "HTTPS"));
	KT_JSON_EACH (header, kt_get(action, "httpHeaders"))
		v_check(v, V_IN(path, "httpHeaders"), kt_get_text(header, "name"), v_http_header);
}

static void tcp_action(struct v *v, const struct v_path *path, const struct kt_json *action)
{
	port_or_name(v, V_IN(path, "port"), kt_get(action, "port"));
}

static void sleep_action(struct v *v, const struct v_path *path, const struct kt_json *action)
{
	int64_t seconds = kt_get_int(action, "seconds", 0);
	int64_t grace = kt_get_int(v->pod, "terminationGracePeriodSeconds", 30);
	if (seconds < 0 || seconds > grace)
		v_invalid_steal(v, path, kt_json_int(seconds),
		                "must be non-negative and less than terminationGracePeriodSeconds (%lld)",
		                (long long)grace);
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

static void stop_signal(struct v *v, const struct v_path *path, const struct kt_json *signal)
{
	static const char *const of_windows[] = {"SIGKILL", "SIGTERM", NULL};
	const char *os = kt_path_str(v->pod, "os.name");
	if (!os || !*os)
		v_forbidden(v, path, "may not be set for containers with empty `spec.os.name`");
	else if (strcmp(os, "windows") == 0 && strcmp(kt_str_or(signal, ""), "SIGKILL") &&
	         strcmp(kt_str_or(signal, ""), "SIGTERM"))
		v_unsupported(v, path, signal, of_windows);
}

static void probes(struct v *v, const struct v_path *path, const struct kt_json *c)
{
	const struct kt_json *lifecycle = kt_get(c, "lifecycle");
	static const char *const hooks[] = {"postStart", "preStop"};
	for (size_t i = 0; i < KT_COUNT(hooks); i++)
		if (kt_get(lifecycle, hooks[i]))
			handler(v, V_IN(V_IN(path, "lifecycle"), hooks[i]), kt_get(lifecycle, hooks[i]));
	if (kt_get(lifecycle, "stopSignal"))
		stop_signal(v, V_IN(V_IN(path, "lifecycle"), "stopSignal"), kt_get(lifecycle, "stopSignal"));
	probe(v, V_IN(path, "livenessProbe"), kt_get(c, "livenessProbe"), LIVENESS);
	probe(v, V_IN(path, "readinessProbe"), kt_get(c, "readinessProbe"), READINESS);
	probe(v, V_IN(path, "startupProbe"), kt_get(c, "startupProbe"), STARTUP);
}

/* --- mounts --- */

void v_descending_path(struct v *v, const struct v_path *path, const char *s)
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

/* The server reports these at the list, without the index (validateMountPropagation). */
static void propagation(struct v *v, const struct v_path *path, const struct kt_json *m,
                        const struct kt_json *c)
{
	static const char *const modes[] = {"Bidirectional", "HostToContainer", "None", NULL};
	const char *mode = kt_get_text(m, "mountPropagation");
	if (*mode && strcmp(mode, "None") && strcmp(mode, "HostToContainer") && strcmp(mode, "Bidirectional"))
		v_unsupported(v, path, kt_get(m, "mountPropagation"), modes);
	if (strcmp(mode, "Bidirectional") == 0 && !kt_path_bool(c, "securityContext.privileged", false))
		v_forbidden(v, path,
		            "Bidirectional mount propagation is available only to privileged containers");
}

static void recursive(struct v *v, const struct v_path *path, const struct kt_json *m)
{
	static const char *const modes[] = {"Disabled", "Enabled", "IfPossible", NULL};
	const char *mode = kt_get_text(m, "recursiveReadOnly"),
	           *propagated = kt_get_text(m, "mountPropagation");
	if (strcmp(mode, "Disabled") == 0)
		return;
	if (strcmp(mode, "Enabled") && strcmp(mode, "IfPossible")) {
		v_unsupported(v, path, kt_get(m, "recursiveReadOnly"), modes);
		return;
	}
	if (!kt_get_bool(m, "readOnly", false))
		v_forbidden(v, path, "may only be specified when readOnly is true");
	if (*propagated && strcmp(propagated, "None"))
		v_forbidden(v, path, "may only be specified when mountPropagation is None or not specified");
}

/* A volume without a name is none. */
static ptrdiff_t volume_named(const struct kt_json *volumes, const char *name)
{
	return *name ? kt_find(volumes, "name", name) : -1;
}

static void mounts(struct v *v, const struct v_path *path, const struct kt_json *c,
                   const struct kt_json *volumes)
{
	const struct kt_json *list = kt_get(c, "volumeMounts"), *devices = kt_get(c, "volumeDevices"), *m;
	KT_JSON_EACH (m, list) {
		const struct v_path *at = V_AT(path, m_i);
		if (!*kt_get_text(m, "name"))
			v_required(v, V_IN(at, "name"), "");
		if (volume_named(volumes, kt_get_text(m, "name")) < 0)
			v_not_found(v, V_IN(at, "name"), kt_get(m, "name"));
		if (!*kt_get_text(m, "mountPath"))
			v_required(v, V_IN(at, "mountPath"), "");
		if (kt_find(list, "mountPath", kt_get_text(m, "mountPath")) < (ptrdiff_t)m_i)
			v_invalid(v, V_IN(at, "mountPath"), kt_get(m, "mountPath"), "must be unique");
		if (kt_find(devices, "name", kt_get_text(m, "name")) >= 0)
			v_invalid(v, V_IN(at, "name"), kt_get(m, "name"),
			          "must not already exist in volumeDevices");
		if (kt_find(devices, "devicePath", kt_get_text(m, "mountPath")) >= 0)
			v_invalid(v, V_IN(at, "mountPath"), kt_get(m, "mountPath"),
			          "must not already exist as a path in volumeDevices");
		if (*kt_get_text(m, "subPath"))
			v_descending_path(v, V_IN(path, "subPath"), kt_get_text(m, "subPath"));
		if (*kt_get_text(m, "subPathExpr") && *kt_get_text(m, "subPath"))
			v_invalid(v, V_IN(at, "subPathExpr"), kt_get(m, "subPathExpr"),
			          "subPathExpr and subPath are mutually exclusive");
		if (*kt_get_text(m, "subPathExpr"))
			v_descending_path(v, V_IN(path, "subPathExpr"), kt_get_text(m, "subPathExpr"));
		propagation(v, V_IN(path, "mountPropagation"), m, c);
		if (kt_get(m, "recursiveReadOnly"))
			recursive(v, V_IN(path, "recursiveReadOnly"), m);
	}
}

static bool has_backstep(const char *path)
{
	for (const char *p = path; p; p = strchr(p, '/'), p = p ? p + 1 : NULL)
		if (kt_starts(p, "..") && (!p[2] || p[2] == '/'))
			return true;
	return false;
}

static void devices(struct v *v, const struct v_path *path, const struct kt_json *c,
                    const struct kt_json *volumes)
{
	const struct kt_json *list = kt_get(c, "volumeDevices"), *mounted = kt_get(c, "volumeMounts"), *d;
	KT_JSON_EACH (d, list) {
		const struct v_path *at = V_AT(path, d_i);
		ptrdiff_t volume = volume_named(volumes, kt_get_text(d, "name"));
		if (!*kt_get_text(d, "name"))
			v_required(v, V_IN(at, "name"), "");
		else if (kt_find(list, "name", kt_get_text(d, "name")) < (ptrdiff_t)d_i)
			v_invalid(v, V_IN(at, "name"), kt_get(d, "name"), "must be unique");
		if (volume >= 0 && !kt_get(kt_at(volumes, (size_t)volume), "persistentVolumeClaim") &&
		    !kt_get(kt_at(volumes, (size_t)volume), "ephemeral"))
			v_invalid(v, V_IN(at, "name"), kt_get(d, "name"),
			          "can only use volume source type of PersistentVolumeClaim or Ephemeral for "
			          "block mode");
		if (volume < 0)
			v_not_found(v, V_IN(at, "name"), kt_get(d, "name"));
		if (!*kt_get_text(d, "devicePath"))
			v_required(v, V_IN(at, "devicePath"), "");
		if (kt_find(list, "devicePath", kt_get_text(d, "devicePath")) < (ptrdiff_t)d_i)
			v_invalid(v, V_IN(at, "devicePath"), kt_get(d, "devicePath"), "must be unique");
		if (has_backstep(kt_get_text(d, "devicePath")))
			v_invalid(v, V_IN(at, "devicePath"), kt_get(d, "devicePath"),
			          "can not contain backsteps ('..')");
		if (kt_find(mounted, "name", kt_get_text(d, "name")) >= 0)
			v_invalid(v, V_IN(at, "name"), kt_get(d, "name"),
			          "must not already exist in volumeMounts");
		if (kt_find(mounted, "mountPath", kt_get_text(d, "devicePath")) >= 0)
			v_invalid(v, V_IN(at, "devicePath"), kt_get(d, "devicePath"),
			          "must not already exist as a path in volumeMounts");
	}
}

/* --- containers --- */

static void resize_policy(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	static const char *const resources[] = {"cpu", "memory", NULL};
	static const char *const policies[] = {"NotRequired", "RestartContainer", NULL};
	static const struct {
		const char *field;
		const char *const *values;
	} words[] = {{"resourceName", resources}, {"restartPolicy", policies}};
	bool never = strcmp(kt_get_text(v->pod, "restartPolicy"), "Never") == 0;
	const struct kt_json *p;
	KT_JSON_EACH (p, list) {
		if (kt_find(list, "resourceName", kt_get_text(p, "resourceName")) < (ptrdiff_t)p_i)
			v_duplicate(v, V_AT(path, p_i), kt_get(p, "resourceName"));
		for (size_t i = 0; i < KT_COUNT(words); i++) {
			const char *word = kt_get_text(p, words[i].field);
			if (!*word)
				v_required(v, path, "");
			else if (strcmp(word, words[i].values[0]) && strcmp(word, words[i].values[1]))
				v_unsupported(v, path, kt_get(p, words[i].field), words[i].values);
		}
		if (never && strcmp(kt_get_text(p, "restartPolicy"), "NotRequired"))
			v_invalid(v, path, kt_get(p, "restartPolicy"),
			          "must be 'NotRequired' when `restartPolicy` is 'Never'");
	}
}

static void restart_rule(struct v *v, const struct v_path *path, const struct kt_json *rule)
{
	static const char *const operators[] = {"In", "NotIn", NULL};
	static const struct v_rule codes[] = {
	        {.field = "operator", .kind = V_ENUM, .values = operators},
	};
	if (strcmp(kt_get_text(rule, "action"), "Restart") != 0)
		v_unsupported(v, V_IN(path, "action"), kt_get(rule, "action"), V_WORDS("Restart"));
	if (!kt_get(rule, "exitCodes"))
		v_required(v, V_IN(path, "exitCodes"), "must be specified");
	else
		V_RULES(v, V_IN(path, "exitCodes"), kt_get(rule, "exitCodes"), codes);
}

/* Of containers that are no sidecars. */
static void restart_policy(struct v *v, const struct v_path *path, const struct kt_json *c)
{
	static const char *const policies[] = {"Always", "Never", "OnFailure", NULL};
	const char *policy = kt_get_text(c, "restartPolicy");
	const struct kt_json *rule, *rules = kt_get(c, "restartPolicyRules");
	if (!*policy && kt_count(rules) > 0)
		v_required(v, V_IN(path, "restartPolicy"),
		           "must specify restartPolicy when restart rules are used");
	else if (*policy && strcmp(policy, "Always") && strcmp(policy, "Never") &&
	         strcmp(policy, "OnFailure"))
		v_unsupported(v, V_IN(path, "restartPolicy"), kt_get(c, "restartPolicy"), policies);
	KT_JSON_EACH (rule, rules)
		restart_rule(v, V_AT(V_IN(path, "restartPolicyRules"), rule_i), rule);
}

static void common(struct v *v, const struct v_path *path, const struct kt_json *c,
                   const struct kt_json *volumes)
{
	static const char *const policies[] = {"Always", "IfNotPresent", "Never", NULL};
	static const char *const messages[] = {"File", "FallbackToLogsOnError", NULL};
	static const struct v_rule first[] = {
	        {.field = "name", .kind = V_NEEDED, .format = v_dns_label},
	        {.field = "image", .kind = V_REQUIRED},
	        {.field = "terminationMessagePolicy", .kind = V_ENUM_NEEDED, .values = messages},
	        {.field = "ports", .kind = V_CALL, .fn = ports},
	        {.field = "env", .kind = V_CALL, .fn = v_env},
	        {.field = "envFrom", .kind = V_CALL, .fn = v_env_from},
	};
	static const struct v_rule then[] = {
	        {.field = "imagePullPolicy", .kind = V_ENUM_NEEDED, .values = policies},
	        {.field = "resources", .kind = V_CALL, .fn = v_resources},
	        {.field = "resizePolicy", .kind = V_CALL, .fn = resize_policy},
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
			char *key = kt_strf("%s/%s/%lld", kt_get_text(port, "protocol"),
			                    kt_get_text(port, "hostIP"), (long long)host);
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
	if (strcmp(kt_get_text(c, "restartPolicy"), "Always") == 0) {
		probes(v, at, c);
		return;
	}
	for (size_t i = 0; i < KT_COUNT(forbidden); i++)
		if (kt_get(c, forbidden[i]))
			v_forbidden(v, V_IN(at, forbidden[i]),
			            "may not be set for init containers without restartPolicy=Always");
}

/* What they may not have, in the order of the server's type (allowedEphemeralContainerFields). */
static void only_ephemeral(struct v *v, const struct v_path *path, const struct kt_json *c)
{
	static const char *const forbidden[] = {"ports",         "resources",      "resizePolicy",
	                                        "livenessProbe", "readinessProbe", "startupProbe",
	                                        "lifecycle"};
	static const char *const paths[] = {"subPath", "subPathExpr"};
	const char *why = "cannot be set for an Ephemeral Container";
	const struct kt_json *mount;
	for (size_t i = 0; i < KT_COUNT(forbidden); i++) {
		const struct kt_json *is = kt_get(c, forbidden[i]);
		if (is && !(kt_json_type(is) == KT_JSON_OBJECT && kt_count(is) == 0 && i == 1))
			v_forbidden(v, V_IN(path, forbidden[i]), "%s", why);
	}
	KT_JSON_EACH (mount, kt_get(c, "volumeMounts"))
		for (size_t i = 0; i < KT_COUNT(paths); i++)
			if (*kt_get_text(mount, paths[i]))
				v_forbidden(v, V_IN(V_AT(V_IN(path, "volumeMounts"), mount_i), paths[i]),
				            "%s", why);
}

void v_ephemeral_containers(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const struct kt_json *list = kt_get(spec, "ephemeralContainers"), *c;
	const struct kt_json *others[] = {kt_get(spec, "containers"), kt_get(spec, "initContainers")};
	v->pod = spec;
	KT_JSON_EACH (c, list) {
		const struct v_path *at = V_AT(path, c_i);
		const char *name = kt_get_text(c, "name"), *image = kt_get_text(c, "image"),
		           *target = kt_get_text(c, "targetContainerName");
		size_t len = strlen(image);
		common(v, at, c, kt_get(spec, "volumes"));
		if (len && (strchr(" \t\n", *image) || strchr(" \t\n", image[len - 1])))
			v_invalid_str(v, V_IN(at, "image"), image,
			              "must not have leading or trailing whitespace");
		if (kt_find(list, "name", name) < (ptrdiff_t)c_i || kt_find(others[0], "name", name) >= 0 ||
		    kt_find(others[1], "name", name) >= 0)
			v_duplicate(v, V_IN(at, "name"), kt_get(c, "name"));
		if (*target && kt_find(others[0], "name", target) < 0 &&
		    kt_find(others[1], "name", target) < 0)
			v_not_found(v, V_IN(at, "targetContainerName"), kt_get(c, "targetContainerName"));
		only_ephemeral(v, at, c);
	}
}

void v_containers(struct v *v, const struct v_path *path, const struct kt_json *spec,
                  const struct kt_json *meta)
{
	const struct kt_json *containers = kt_get(spec, "containers"),
	                     *inits = kt_get(spec, "initContainers");
	const struct kt_json *volumes = kt_get(spec, "volumes"), *c;
	const struct v_path *cp = V_IN(path, "containers"), *ip = V_IN(path, "initContainers");
	(void)meta;
	v->pod = spec;
	if (kt_count(containers) == 0)
		v_required(v, cp, "");
	KT_JSON_EACH (c, containers) {
		const struct v_path *at = V_AT(cp, c_i);
		common(v, at, c, volumes);
		if (kt_find(containers, "name", kt_get_text(c, "name")) < (ptrdiff_t)c_i)
			v_duplicate(v, V_IN(at, "name"), kt_get(c, "name"));
		probes(v, at, c);
		restart_policy(v, at, c);
	}
	host_ports(v, cp, containers);
	KT_JSON_EACH (c, inits) {
		const struct v_path *at = V_AT(ip, c_i);
		common(v, at, c, volumes);
		if (strcmp(kt_get_text(c, "restartPolicy"), "Always") != 0)
			restart_policy(v, at, c);
		else if (kt_count(kt_get(c, "restartPolicyRules")) > 0)
			v_forbidden(v, V_IN(at, "restartPolicyRules"),
			            "restartPolicyRules are not allowed for init containers with restart "
			            "policy Always");
		if (*kt_get_text(c, "name") &&
		    (kt_find(containers, "name", kt_get_text(c, "name")) >= 0 ||
		     kt_find(inits, "name", kt_get_text(c, "name")) < (ptrdiff_t)c_i))
			v_duplicate(v, V_IN(at, "name"), kt_get(c, "name"));
		/* each by itself, and so the first of its list */
		struct kt_json *alone = kt_jsonf("[%J]", c);
		host_ports(v, ip, alone);
		kt_json_free(alone);
		init_container(v, at, c);
	}
	v_ephemeral_containers(v, V_IN(path, "ephemeralContainers"), spec);
}
