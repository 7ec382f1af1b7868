/* SPDX-License-Identifier: MIT */
/* What a valid object is warned of: deprecated fields and labels, what hides or repeats something, what will
 * not work (kubernetes pkg/api/pod, service, persistentvolume … warnings.go, the strategies'
 * WarningsOnCreate). */
#include "cluster/api/validate.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- addresses --- */

/* Without leading zeros, or NULL: new. */
static char *plain_ip(const char *s)
{
	unsigned a, b, c, d;
	char rest, text[INET6_ADDRSTRLEN];
	unsigned char six[16];
	if (sscanf(s, "%3u.%3u.%3u.%3u%c", &a, &b, &c, &d, &rest) == 4)
		return kt_strf("%u.%u.%u.%u", a, b, c, d);
	if (inet_pton(AF_INET6, s, six) != 1)
		return NULL;
	static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	if (memcmp(six, mapped, 12) == 0)
		return kt_strf("%u.%u.%u.%u", six[12], six[13], six[14], six[15]);
	inet_ntop(AF_INET6, six, text, sizeof(text));
	return kt_strdup(text);
}

static void warn_ip(struct v *v, const struct v_path *path, const char *s)
{
	char *plain = plain_ip(s);
	bool six = strchr(s, ':') != NULL;
	if (plain && strcmp(plain, s) != 0) {
		if (six && strchr(plain, ':'))
			v_warn(v, path, "IPv6 address \"%s\" should be in RFC 5952 canonical format (\"%s\")",
			       s, plain);
		else
			v_warn(v, path,
			       "non-standard IP address \"%s\" will be considered invalid in a future "
			       "Kubernetes release: use \"%s\"",
			       s, plain);
	}
	kt_free(plain);
}

/* Bits behind the prefix that are set: the range that was meant, and the address within it. */
static void warn_cidr(struct v *v, const struct v_path *path, const char *s)
{
	const char *slash = strchr(s, '/');
	char *address = slash ? kt_strndup(s, (size_t)(slash - s)) : NULL,
	     *plain = address ? plain_ip(address) : NULL, text[INET6_ADDRSTRLEN];
	unsigned char bytes[16] = {0};
	unsigned bits = slash ? (unsigned)strtoul(slash + 1, NULL, 10) : 0;
	if (plain) {
		int family = strchr(plain, ':') ? AF_INET6 : AF_INET;
		inet_pton(family, plain, bytes);
		bool beyond = false;
		for (unsigned i = 0; i < (family == AF_INET ? 32u : 128u); i++) {
			unsigned char bit = (unsigned char)(0x80 >> i % 8);
			if (i >= bits && (bytes[i / 8] & bit)) {
				beyond = true;
				bytes[i / 8] = (unsigned char)(bytes[i / 8] & ~bit);
			}
		}
		inet_ntop(family, bytes, text, sizeof(text));
		if (strcmp(plain, address) != 0 && !(family == AF_INET6 && strchr(address, ':')))
			v_warn(v, path,
			       "non-standard CIDR value \"%s\" will be considered invalid in a future "
			       "Kubernetes release: use \"%s/%u\"",
			       s, text, bits);
		else if (beyond)
			v_warn(v, path,
			       "CIDR value \"%s\" is ambiguous in this context (should be \"%s/%u\" or "
			       "\"%s/%u\"?)",
			       s, text, bits, plain, family == AF_INET ? 32 : 128);
		else if (strcmp(plain, address) != 0)
			v_warn(v, path,
			       "IPv6 CIDR value \"%s\" should be in RFC 5952 canonical format (\"%s/%u\")", s,
			       plain, bits);
	}
	kt_free(address);
	kt_free(plain);
}

/* --- labels of nodes --- */

static const char *old_node_label(const char *key)
{
	static const struct {
		const char *key, *text;
	} labels[] = {
	        {"beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"},
	        {"beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"},
	        {"failure-domain.beta.kubernetes.io/region",
	         "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead"},
	        {"failure-domain.beta.kubernetes.io/zone",
	         "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead"},
	        {"beta.kubernetes.io/instance-type",
	         "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead"},
	        {"app.kubernetes.io/created-by", "deprecated since v1.9"},
	        {"scheduler.alpha.kubernetes.io/preferAvoidPods",
	         "deprecated since v1.22; use Taints and Tolerations instead"},
	        {"node-role.kubernetes.io/master", "use \"node-role.kubernetes.io/control-plane\" instead"},
	};
	for (size_t i = 0; i < KT_COUNT(labels); i++)
		if (kt_streq(labels[i].key, key))
			return labels[i].text;
	return NULL;
}

static void warn_term(struct v *v, const struct v_path *path, const struct kt_json *term, bool values)
{
	const struct kt_json *item, *value;
	KT_JSON_EACH (item, kt_get(term, "matchExpressions")) {
		const struct v_path *at = V_AT(V_IN(path, "matchExpressions"), item_i);
		const char *key = kt_get_text(item, "key"), *text = old_node_label(key);
		if (text)
			v_warn(v, V_IN(at, "key"), "%s is %s", key, text);
		KT_JSON_EACH (value, values ? kt_get(item, "values") : NULL) {
			struct kt_strs faults = {0};
			v_label_value(kt_str_or(value, ""), &faults);
			for (size_t i = 0; i < faults.count; i++)
				v_warn(v, V_AT(V_IN(at, "values"), value_i), "%s is invalid, %s",
				       kt_str_or(value, ""), faults.items[i]);
			kt_strs_clear(&faults);
		}
	}
}

static void warn_nodes(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const struct kt_json *selector = kt_get(spec, "nodeSelector"), *item;
	for (size_t i = 0; i < kt_count(selector); i++)
		if (old_node_label(kt_key(selector, i)))
			v_warn(v, V_KEY(V_IN(path, "nodeSelector"), kt_key(selector, i)), "%s",
			       old_node_label(kt_key(selector, i)));
	const struct kt_json *affinity = kt_path(spec, "affinity.nodeAffinity");
	const struct v_path *ap = V_IN(V_IN(path, "affinity"), "nodeAffinity");
	KT_JSON_EACH (item,
	              kt_path(affinity, "requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"))
		warn_term(v,
		          V_AT(V_IN(V_IN(ap, "requiredDuringSchedulingIgnoredDuringExecution"),
		                    "nodeSelectorTerms"),
		               item_i),
		          item, false);
	KT_JSON_EACH (item, kt_get(affinity, "preferredDuringSchedulingIgnoredDuringExecution"))
		warn_term(v,
		          V_IN(V_AT(V_IN(ap, "preferredDuringSchedulingIgnoredDuringExecution"), item_i),
		               "preference"),
		          kt_get(item, "preference"), true);
	KT_JSON_EACH (item, kt_get(spec, "topologySpreadConstraints")) {
		const struct v_path *at = V_AT(V_IN(path, "topologySpreadConstraints"), item_i);
		const char *key = kt_get_text(item, "topologyKey");
		if (old_node_label(key))
			v_warn(v, V_IN(at, "topologyKey"), "%s is %s", key, old_node_label(key));
		if (!kt_get(item, "labelSelector"))
			v_warn(v, V_IN(at, "labelSelector"),
			       "a null labelSelector results in matching no pod");
	}
}

/* --- fields and annotations that are out of use --- */

struct old_name {
	const char *name, *text;
};

static void warn_annotations(struct v *v, const struct v_path *path, const struct kt_json *annotations,
                             const struct old_name *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (kt_get(annotations, names[i].name))
			v_warn(v, V_KEY(V_IN(path, "annotations"), names[i].name), "%s", names[i].text);
}

static void warn_fields(struct v *v, const struct v_path *path, const struct kt_json *object,
                        const struct old_name *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (kt_get(object, names[i].name))
			v_warn(v, V_IN(path, names[i].name), "%s", names[i].text);
}

static void warn_fraction(struct v *v, const struct v_path *path, const struct kt_json *list,
                          const char *name)
{
	const char *text = kt_get_str(list, name);
	struct kt_quantity q;
	if (text && kt_quantity_parse(text, &q) && q.milli % 1000 != 0)
		v_warn(v, V_KEY(path, name), "fractional byte value \"%s\" is invalid, must be an integer",
		       text);
}

/* --- paths within a volume that lie over each other --- */

struct laid {
	const char *path, *source; /* source: "" or "Secret \"x\"", owned by the list */
	size_t len;
};
struct layers {
	struct laid *items;
	size_t count, cap;
	struct kt_strs sources;
};

static void print_laid(struct kt_buf *out, const struct laid *l)
{
	kt_buf_addf(out, "\"%.*s\"", (int)l->len, l->path);
	if (*l->source)
		kt_buf_addf(out, " (%s)", l->source);
}

static bool overlap(const struct laid *a, const struct laid *b)
{
	const struct laid *shorter = a->len < b->len ? a : b, *longer = a->len < b->len ? b : a;
	return shorter->len > 0 && strncmp(shorter->path, longer->path, shorter->len) == 0 &&
	       (longer->len == shorter->len || longer->path[shorter->len] == '/');
}

static void lay(struct v *v, struct layers *layers, const char *volume, const char *of, const char *path,
                const char *source)
{
	struct laid now = {path, source, strlen(path)};
	while (now.len > 0 && path[now.len - 1] == '/')
		now.len--;
	for (size_t i = 0; i < layers->count; i++) {
		struct kt_buf text = {0};
		if (!overlap(&now, &layers->items[i]))
			continue;
		kt_buf_addf(&text, "volume \"%s\" (%s): overlapping paths: ", volume, of);
		print_laid(&text, &now);
		kt_buf_adds(&text, " with ");
		print_laid(&text, &layers->items[i]);
		kt_strs_steal(&v->errors->warnings, kt_buf_take(&text));
	}
	layers->items = kt_grow(layers->items, &layers->cap, layers->count + 1, sizeof(*layers->items));
	layers->items[layers->count++] = now;
}

static void lay_items(struct v *v, struct layers *layers, const char *volume, const char *of,
                      const struct kt_json *items, const char *source)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, items)
		lay(v, layers, volume, of, kt_get_text(item, "path"), source);
}

static void warn_projected(struct v *v, const char *volume, const struct kt_json *sources)
{
	static const struct {
		const char *field, *kind;
	} kinds[] = {{"configMap", "ConfigMap"}, {"secret", "Secret"}, {"downwardAPI", NULL}};
	const struct kt_json *source;
	struct layers layers = {0};
	KT_JSON_EACH (source, sources) {
		if (kt_count(source) == 0) {
			kt_strs_steal(&v->errors->warnings,
			              kt_strf("volume \"%s\" (Projected) has no sources provided", volume));
			continue;
		}
		for (size_t i = 0; i < KT_COUNT(kinds); i++) {
			const struct kt_json *of = kt_get(source, kinds[i].field);
			if (!of)
				continue;
			kt_strs_steal(&layers.sources, kinds[i].kind ? kt_strf("%s \"%s\"", kinds[i].kind,
			                                                       kt_get_text(of, "name"))
			                                             : kt_strdup("DownwardAPI"));
			lay_items(v, &layers, volume, "Projected", kt_get(of, "items"),
			          layers.sources.items[layers.sources.count - 1]);
		}
		if (kt_get(source, "serviceAccountToken"))
			lay(v, &layers, volume, "Projected",
			    kt_get_text(kt_get(source, "serviceAccountToken"), "path"),
			    "ServiceAccountToken");
	}
	kt_free(layers.items);
	kt_strs_clear(&layers.sources);
}

static void warn_overlaps(struct v *v, const struct kt_json *volumes)
{
	static const struct {
		const char *field, *kind, *name;
	} kinds[] = {{"configMap", "ConfigMap", "name"},
	             {"secret", "Secret", "secretName"},
	             {"downwardAPI", NULL, NULL}};
	const struct kt_json *volume;
	KT_JSON_EACH (volume, volumes) {
		const char *name = kt_get_text(volume, "name");
		for (size_t i = 0; i < KT_COUNT(kinds); i++) {
			const struct kt_json *of = kt_get(volume, kinds[i].field);
			struct layers layers = {0};
			char *what = kinds[i].kind ? kt_strf("%s \"%s\"", kinds[i].kind,
			                                     kt_get_text(of, kinds[i].name))
			                           : kt_strdup("DownwardAPI");
			lay_items(v, &layers, name, what, kt_get(of, "items"), "");
			kt_free(layers.items);
			kt_free(what);
		}
		warn_projected(v, name, kt_path(volume, "projected.sources"));
	}
}

static void warn_volumes(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	static const struct old_name sources[] = {
	        {"photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"},
	        {"gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"},
	        {"scaleIO", "deprecated in v1.16, non-functional in v1.22+"},
	        {"flocker", "deprecated in v1.22, non-functional in v1.25+"},
	        {"storageos", "deprecated in v1.22, non-functional in v1.25+"},
	        {"quobyte", "deprecated in v1.22, non-functional in v1.25+"},
	        {"glusterfs", "deprecated in v1.25, non-functional in v1.26+"},
	        {"cephfs", "deprecated in v1.28, non-functional in v1.31+"},
	        {"rbd", "deprecated in v1.28, non-functional in v1.31+"},
	};
	const struct kt_json *volume;
	KT_JSON_EACH (volume, kt_get(spec, "volumes")) {
		const struct v_path *at = V_AT(V_IN(path, "volumes"), volume_i);
		const struct kt_json *claim = kt_path(volume, "ephemeral.volumeClaimTemplate.spec.resources");
		const struct v_path *cp =
		        V_IN(V_IN(V_IN(V_IN(at, "ephemeral"), "volumeClaimTemplate"), "spec"), "resources");
		warn_fields(v, at, volume, sources, KT_COUNT(sources));
		warn_fraction(v, V_IN(cp, "requests"), kt_get(claim, "requests"), "storage");
		warn_fraction(v, V_IN(cp, "limits"), kt_get(claim, "limits"), "storage");
	}
	warn_overlaps(v, kt_get(spec, "volumes"));
}

/* --- containers --- */

static const char *const container_lists[] = {"initContainers", "containers", "ephemeralContainers"};

static void warn_env(struct v *v, const struct v_path *path, const struct kt_json *vars)
{
	const struct kt_json *var;
	KT_JSON_EACH (var, vars) {
		const char *name = kt_get_text(var, "name"), *value = kt_get_text(var, "value");
		char *ref = kt_strf("$(%s)", name);
		if (kt_find(vars, "name", name) < (ptrdiff_t)var_i &&
		    (kt_get(var, "valueFrom") || strcmp(value, ref) == 0 || !strstr(value, ref)))
			v_warn(v, V_AT(path, var_i),
			       "hides previous definition of \"%s\", which may be dropped when using apply",
			       name);
		kt_free(ref);
	}
}

static void warn_container(struct v *v, const struct v_path *path, const struct kt_json *container,
                           const struct v_path *meta_path, const struct kt_json *meta)
{
	static const char *const names[] = {"memory", "ephemeral-storage"};
	const struct kt_json *resources = kt_get(container, "resources");
	char *key =
	        kt_strf("container.seccomp.security.alpha.kubernetes.io/%s", kt_get_text(container, "name"));
	const struct v_path *rp = V_IN(path, "resources");
	if (!kt_path(container, "securityContext.seccompProfile") && kt_get(kt_get(meta, "annotations"), key))
		v_warn(v, V_KEY(V_IN(meta_path, "annotations"), key),
		       "non-functional in v1.27+; use the \"seccompProfile\" field instead");
	kt_free(key);
	for (size_t i = 0; i < KT_COUNT(names); i++) {
		warn_fraction(v, V_IN(rp, "limits"), kt_get(resources, "limits"), names[i]);
		warn_fraction(v, V_IN(rp, "requests"), kt_get(resources, "requests"), names[i]);
	}
	warn_env(v, V_IN(path, "env"), kt_get(container, "env"));
}

/* A port, and where it stands. */
struct port {
	const struct kt_json *port;
	const char *list;
	size_t container, index;
};
struct ports {
	struct port *items;
	size_t count, cap;
};

static void print_port(const struct v_path *path, const struct port *p, struct kt_buf *out)
{
	kt_buf_cut(out, 0);
	v_path_print(V_AT(V_IN(V_AT(V_IN(path, p->list), p->container), "ports"), p->index), out);
}

static void compare_ports(struct v *v, const struct v_path *at, const struct v_path *path,
                          const struct port *now, const struct port *other)
{
	struct kt_buf text = {0};
	int64_t a = kt_get_int(now->port, "hostPort", 0), b = kt_get_int(other->port, "hostPort", 0);
	const char *x = kt_get_text(now->port, "hostIP"), *y = kt_get_text(other->port, "hostIP");
	print_port(path, other, &text);
	if (strcmp(x, y) == 0 && a == b)
		v_warn(v, at, "duplicate port definition with %s", kt_buf_str(&text));
	else if (a == 0 || b == 0)
		v_warn(v, at, "overlapping port definition with %s", kt_buf_str(&text));
	else if (a == b && !*x != !*y)
		v_warn(v, at, "dangerously ambiguous port definition with %s", kt_buf_str(&text));
	kt_buf_clear(&text);
}

static void warn_ports(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	struct ports all = {0};
	const struct kt_json *container, *port;
	for (size_t l = 0; l < KT_COUNT(container_lists); l++)
		KT_JSON_EACH (container, kt_get(spec, container_lists[l]))
			KT_JSON_EACH (port, kt_get(container, "ports")) {
				all.items = kt_grow(all.items, &all.cap, all.count + 1, sizeof(*all.items));
				all.items[all.count++] =
				        (struct port){port, container_lists[l], container_i, port_i};
			}
	for (size_t i = 0; i < all.count; i++) {
		const struct port *now = &all.items[i];
		const struct v_path *at =
		        V_AT(V_IN(V_AT(V_IN(path, now->list), now->container), "ports"), now->index);
		if (*kt_get_text(now->port, "hostIP") && !kt_get_int(now->port, "hostPort", 0))
			v_warn(v, at,
			       "hostIP set without hostPort: {Name:%s HostPort:0 ContainerPort:%lld "
			       "Protocol:%s HostIP:%s}",
			       kt_get_text(now->port, "name"),
			       (long long)kt_get_int(now->port, "containerPort", 0),
			       kt_get_text(now->port, "protocol"), kt_get_text(now->port, "hostIP"));
		for (size_t k = 0; k < i; k++)
			if (kt_equal(kt_get(all.items[k].port, "containerPort"),
			             kt_get(now->port, "containerPort")) &&
			    kt_equal(kt_get(all.items[k].port, "protocol"), kt_get(now->port, "protocol")))
				compare_ports(v, at, path, now, &all.items[k]);
	}
	for (size_t i = 0; i < all.count; i++) {
		const char *name = kt_get_text(all.items[i].port, "name");
		struct kt_buf here = {0}, text = {0};
		for (size_t k = 0; *name && k < i; k++) {
			if (strcmp(name, kt_get_text(all.items[k].port, "name")) != 0)
				continue;
			print_port(path, &all.items[k], &text);
			print_port(path, &all.items[i], &here);
			kt_strs_steal(&v->errors->warnings,
			              kt_strf("%s: duplicate port name \"%s\" with %s, services and probes "
			                      "that select ports by name "
			                      "will use %s",
			                      kt_buf_str(&here), name, kt_buf_str(&text), kt_buf_str(&text)));
			break;
		}
		kt_buf_clear(&here);
		kt_buf_clear(&text);
	}
	kt_free(all.items);
}

/* --- pods --- */

static void warn_lists(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const struct kt_json *item, *aliases = kt_get(spec, "hostAliases"),
	                            *secrets = kt_get(spec, "imagePullSecrets");
	const struct v_path *sp = V_IN(path, "imagePullSecrets");
	KT_JSON_EACH (item, aliases)
		if (kt_find(aliases, "ip", kt_get_text(item, "ip")) < (ptrdiff_t)item_i)
			v_warn(v, V_IN(V_AT(V_IN(path, "hostAliases"), item_i), "ip"), "duplicate ip \"%s\"",
			       kt_get_text(item, "ip"));
	KT_JSON_EACH (item, secrets)
		for (size_t i = 0; i < item_i; i++)
			if (strcmp(kt_get_text(item, "name"), kt_get_text(kt_at(secrets, i), "name")) == 0) {
				v_warn(v, V_IN(V_AT(sp, item_i), "name"), "duplicate name \"%s\"",
				       kt_get_text(item, "name"));
				break;
			}
	KT_JSON_EACH (item, secrets)
		if (!*kt_get_text(item, "name"))
			v_warn(v, V_IN(V_AT(sp, item_i), "name"), "invalid empty name \"\"");
}

static void warn_pod_affinity(struct v *v, const struct v_path *path, const struct kt_json *affinity)
{
	static const char required[] = "requiredDuringSchedulingIgnoredDuringExecution",
	                  preferred[] = "preferredDuringSchedulingIgnoredDuringExecution";
	const struct kt_json *item;
	KT_JSON_EACH (item, kt_get(affinity, required))
		if (!kt_get(item, "labelSelector"))
			v_warn(v, V_IN(V_AT(V_IN(path, required), item_i), "labelSelector"),
			       "a null labelSelector results in matching no pod");
	KT_JSON_EACH (item, kt_get(affinity, preferred))
		if (!kt_path(item, "podAffinityTerm.labelSelector"))
			v_warn(v,
			       V_IN(V_IN(V_AT(V_IN(path, preferred), item_i), "podAffinityTerm"),
			            "labelSelector"),
			       "a null labelSelector results in matching no pod");
}

/* `path`: of the pod or template, NULL for a pod itself. */
static void warn_pod(struct v *v, const struct v_path *path, const struct kt_json *meta,
                     const struct kt_json *spec)
{
	static const struct old_name annotations[] = {
	        {"scheduler.alpha.kubernetes.io/critical-pod",
	         "non-functional in v1.16+; use the \"priorityClassName\" field instead"},
	        {"security.alpha.kubernetes.io/sysctls",
	         "non-functional in v1.11+; use the \"sysctls\" field instead"},
	        {"security.alpha.kubernetes.io/unsafe-sysctls",
	         "non-functional in v1.11+; use the \"sysctls\" field instead"},
	};
	static const char seccomp[] = "seccomp.security.alpha.kubernetes.io/pod";
	const struct v_path *sp = path ? V_IN(path, "spec") : V_ROOT("spec"),
	                    *mp = path ? V_IN(path, "metadata") : V_ROOT("metadata");
	const struct kt_json *item;
	warn_nodes(v, sp, spec);
	warn_annotations(v, mp, kt_get(meta, "annotations"), annotations, KT_COUNT(annotations));
	warn_volumes(v, sp, spec);
	warn_lists(v, sp, spec);
	warn_fraction(v, V_IN(sp, "overhead"), kt_get(spec, "overhead"), "memory");
	warn_fraction(v, V_IN(sp, "overhead"), kt_get(spec, "overhead"), "ephemeral-storage");
	if (!kt_path(spec, "securityContext.seccompProfile") && kt_get(kt_get(meta, "annotations"), seccomp))
		v_warn(v, V_KEY(V_IN(mp, "annotations"), seccomp),
		       "non-functional in v1.27+; use the \"seccompProfile\" field instead");
	for (size_t l = 0; l < KT_COUNT(container_lists); l++)
		KT_JSON_EACH (item, kt_get(spec, container_lists[l]))
			warn_container(v, V_AT(V_IN(sp, container_lists[l]), item_i), item, mp, meta);
	warn_ports(v, sp, spec);
	if (kt_get_int(spec, "terminationGracePeriodSeconds", 0) < 0)
		v_warn(v, V_IN(sp, "terminationGracePeriodSeconds"),
		       "must be >= 0; negative values are invalid and will be treated as 1");
	warn_pod_affinity(v, V_IN(V_IN(sp, "affinity"), "podAffinity"),
	                  kt_path(spec, "affinity.podAffinity"));
	warn_pod_affinity(v, V_IN(V_IN(sp, "affinity"), "podAntiAffinity"),
	                  kt_path(spec, "affinity.podAntiAffinity"));
	KT_JSON_EACH (item, kt_path(spec, "dnsConfig.nameservers"))
		warn_ip(v, V_AT(V_IN(V_IN(sp, "dnsConfig"), "nameservers"), item_i), kt_str_or(item, ""));
	KT_JSON_EACH (item, kt_get(spec, "hostAliases"))
		warn_ip(v, V_IN(V_AT(V_IN(sp, "hostAliases"), item_i), "ip"), kt_get_text(item, "ip"));
}

static void pod(struct v *v)
{
	/* Nobody watches what happens to a pod later. */
	if (!v->old)
		warn_pod(v, NULL, kt_get(v->object, "metadata"), kt_get(v->object, "spec"));
}

static void template_at(struct v *v, const struct v_path *path, const struct kt_json *template)
{
	warn_pod(v, path, kt_get(template, "metadata"), kt_get(template, "spec"));
}

static bool is_same_spec(const struct v *v)
{
	return v->old && kt_equal(kt_get(v->object, "spec"), kt_get(v->old, "spec"));
}

static void workload(struct v *v)
{
	if (!is_same_spec(v))
		template_at(v, V_IN(V_ROOT("spec"), "template"), kt_path(v->object, "spec.template"));
}

static void cron_job(struct v *v)
{
	if (!is_same_spec(v))
		template_at(v, V_IN(V_IN(V_IN(V_ROOT("spec"), "jobTemplate"), "spec"), "template"),
		            kt_path(v->object, "spec.jobTemplate.spec.template"));
}

static void pod_template(struct v *v)
{
	template_at(v, V_ROOT("template"), kt_get(v->object, "template"));
}

static void stateful_set(struct v *v)
{
	const struct kt_json *claim;
	if (is_same_spec(v))
		return;
	workload(v);
	KT_JSON_EACH (claim, kt_path(v->object, "spec.volumeClaimTemplates")) {
		const struct v_path *at =
		        V_IN(V_IN(V_AT(V_IN(V_ROOT("spec"), "volumeClaimTemplates"), claim_i), "spec"),
		             "resources");
		warn_fraction(v, V_IN(at, "requests"), kt_path(claim, "spec.resources.requests"), "storage");
		warn_fraction(v, V_IN(at, "limits"), kt_path(claim, "spec.resources.limits"), "storage");
	}
}

/* --- the network --- */

static void plainly(struct v *v, const char *text)
{
	kt_strs_add(&v->errors->warnings, text);
}

static void service(struct v *v)
{
	static const char topology[] = "service.kubernetes.io/topology-aware-hints";
	const struct kt_json *spec = kt_get(v->object, "spec"), *outside = kt_get(spec, "externalIPs"), *item;
	const char *type = kt_get_text(spec, "type"), *ip = kt_get_text(spec, "clusterIP");
	const struct v_path *path = V_ROOT("spec");
	bool external = strcmp(type, "ExternalName") == 0;
	if (kt_get(kt_path(v->object, "metadata.annotations"), topology))
		plainly(v, "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use "
		           "service.kubernetes.io/topology-mode instead");
	if (*ip && strcmp(ip, "None") != 0)
		KT_JSON_EACH (item, kt_get(spec, "clusterIPs"))
			warn_ip(v, V_AT(V_IN(path, "clusterIPs"), item_i), kt_str_or(item, ""));
	if (strcmp(type, "ClusterIP") == 0 && strcmp(ip, "None") == 0) {
		if (*kt_get_text(spec, "loadBalancerIP"))
			plainly(v, "spec.loadBalancerIP is ignored for headless services");
		if (kt_count(outside) > 0)
			plainly(v, "spec.externalIPs is ignored for headless services");
		if (strcmp(kt_get_text(spec, "sessionAffinity"), "None") != 0)
			plainly(v, "spec.SessionAffinity is ignored for headless services");
	}
	KT_JSON_EACH (item, outside)
		warn_ip(v, V_AT(V_IN(path, "externalIPs"), item_i), kt_str_or(item, ""));
	if (*kt_get_text(spec, "loadBalancerIP"))
		warn_ip(v, V_IN(path, "loadBalancerIP"), kt_get_text(spec, "loadBalancerIP"));
	KT_JSON_EACH (item, kt_get(spec, "loadBalancerSourceRanges"))
		warn_cidr(v, V_AT(V_IN(path, "loadBalancerSourceRanges"), item_i), kt_str_or(item, ""));
	if (external && kt_count(outside) > 0)
		plainly(v, "spec.externalIPs is ignored when spec.type is \"ExternalName\"");
	if (!external && *kt_get_text(spec, "externalName"))
		plainly(v, "spec.externalName is ignored when spec.type is not \"ExternalName\"");
}

static void ingress(struct v *v)
{
	if (!v->old && !kt_path(v->object, "spec.ingressClassName") &&
	    kt_get(kt_path(v->object, "metadata.annotations"), "kubernetes.io/ingress.class"))
		plainly(v, "annotation \"kubernetes.io/ingress.class\" is deprecated, please use "
		           "'spec.ingressClassName' instead");
}

static void network_policy(struct v *v)
{
	static const char *const ways[][2] = {{"ingress", "from"}, {"egress", "to"}};
	const struct kt_json *rule, *peer, *except;
	for (size_t w = 0; w < KT_COUNT(ways); w++)
		KT_JSON_EACH (rule, kt_get(kt_get(v->object, "spec"), ways[w][0]))
			KT_JSON_EACH (peer, kt_get(rule, ways[w][1])) {
				const struct kt_json *block = kt_get(peer, "ipBlock");
				const struct v_path *at = V_IN(
				        V_AT(V_IN(V_AT(V_IN(V_ROOT("spec"), ways[w][0]), rule_i), ways[w][1]),
				             peer_i),
				        "ipBlock");
				if (!block)
					continue;
				warn_cidr(v, V_IN(at, "cidr"), kt_get_text(block, "cidr"));
				KT_JSON_EACH (except, kt_get(block, "except"))
					warn_cidr(v, V_AT(V_IN(at, "except"), except_i),
					          kt_str_or(except, ""));
			}
}

static void endpoint_slice(struct v *v)
{
	const char *by =
	        kt_get_text(kt_path(v->object, "metadata.labels"), "endpointslice.kubernetes.io/managed-by");
	const struct kt_json *endpoint, *address;
	if (!v->old && strcmp(kt_get_text(v->object, "addressType"), "FQDN") == 0)
		v_warn(v, V_IN(V_ROOT("spec"), "addressType"), "FQDN endpoints are deprecated");
	if (strcmp(by, "endpointslice-controller.k8s.io") == 0 ||
	    strcmp(by, "endpointslicemirroring-controller.k8s.io") == 0)
		return;
	KT_JSON_EACH (endpoint, kt_get(v->object, "endpoints"))
		KT_JSON_EACH (address, kt_get(endpoint, "addresses"))
			warn_ip(v, V_AT(V_IN(V_AT(V_ROOT("endpoints"), endpoint_i), "addresses"), address_i),
			        kt_str_or(address, ""));
}

/* --- storage --- */

static void volume(struct v *v)
{
	static const struct old_name annotations[] = {
	        {"volume.beta.kubernetes.io/storage-class",
	         "deprecated since v1.8; use \"storageClassName\" attribute instead"},
	        {"volume.beta.kubernetes.io/mount-options",
	         "deprecated since v1.31; use \"mountOptions\" attribute instead"},
	};
	static const struct old_name sources[] = {
	        {"cephfs", "deprecated in v1.28, non-functional in v1.31+"},
	        {"photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"},
	        {"scaleIO", "deprecated in v1.16, non-functional in v1.22+"},
	        {"storageos", "deprecated in v1.22, non-functional in v1.25+"},
	        {"glusterfs", "deprecated in v1.25, non-functional in v1.26+"},
	        {"rbd", "deprecated in v1.28, non-functional in v1.31+"},
	};
	const struct kt_json *spec = kt_get(v->object, "spec"), *term;
	const struct v_path *path = V_ROOT("spec");
	warn_annotations(v, V_ROOT("metadata"), kt_path(v->object, "metadata.annotations"), annotations,
	                 KT_COUNT(annotations));
	if (strcmp(kt_get_text(spec, "persistentVolumeReclaimPolicy"), "Recycle") == 0)
		v_warn(v, V_IN(path, "persistentVolumeReclaimPolicy"),
		       "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to "
		       "use dynamic provisioning.");
	KT_JSON_EACH (term, kt_path(spec, "nodeAffinity.required.nodeSelectorTerms"))
		warn_term(
		        v,
		        V_AT(V_IN(V_IN(V_IN(path, "nodeAffinity"), "required"), "nodeSelectorTerms"), term_i),
		        term, false);
	warn_fields(v, path, spec, sources, KT_COUNT(sources));
}

static void claim(struct v *v)
{
	static const struct old_name annotations[] = {
	        {"volume.beta.kubernetes.io/storage-class",
	         "deprecated since v1.8; use \"storageClassName\" attribute instead"}};
	const struct kt_json *resources = kt_path(v->object, "spec.resources");
	const struct v_path *path = V_IN(V_ROOT("spec"), "resources");
	warn_annotations(v, V_ROOT("metadata"), kt_path(v->object, "metadata.annotations"), annotations,
	                 KT_COUNT(annotations));
	warn_fraction(v, V_IN(path, "requests"), kt_get(resources, "requests"), "storage");
	warn_fraction(v, V_IN(path, "limits"), kt_get(resources, "limits"), "storage");
}

static void storage_class(struct v *v)
{
	const struct kt_json *topology, *item;
	KT_JSON_EACH (topology, kt_get(v->object, "allowedTopologies"))
		KT_JSON_EACH (item, kt_get(topology, "matchLabelExpressions"))
			if (old_node_label(kt_get_text(item, "key")))
				v_warn(v,
				       V_IN(V_AT(V_IN(V_AT(V_ROOT("allowedTopologies"), topology_i),
				                      "matchLabelExpressions"),
				                 item_i),
				            "key"),
				       "%s", old_node_label(kt_get_text(item, "key")));
}

/* --- the rest --- */

/* Whether the text has a PEM block, as crypto/tls looks for it. */
static bool has_pem(const struct kt_json *secret, const char *key)
{
	struct kt_buf text = {0};
	const char *encoded = kt_get_text(kt_get(secret, "data"), key);
	bool found = kt_unbase64(encoded, strlen(encoded), &text) && strstr(kt_buf_str(&text), "-----BEGIN ");
	kt_buf_clear(&text);
	return found;
}

static void secret(struct v *v)
{
	if (strcmp(kt_get_text(v->object, "type"), "kubernetes.io/tls") != 0)
		return;
	if (!has_pem(v->object, "tls.crt"))
		plainly(v, "tls: failed to find any PEM data in certificate input");
	else if (!has_pem(v->object, "tls.key"))
		plainly(v, "tls: failed to find any PEM data in key input");
}

static void service_account(struct v *v)
{
	static const struct old_name annotations[] = {
	        {"kubernetes.io/enforce-mountable-secrets",
	         "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"}};
	const struct kt_json *is = kt_path(v->object, "metadata.annotations"),
	                     *was = kt_path(v->old, "metadata.annotations");
	if (!kt_get(was, annotations[0].name))
		warn_annotations(v, V_ROOT("metadata"), is, annotations, 1);
}

static void warn_formats(struct v *v, const struct kt_json *schema, unsigned depth)
{
	static const char *const known[] = {"bsonobjectid", "uri",   "email",    "hostname", "ipv4",
	                                    "ipv6",         "cidr",  "mac",      "uuid",     "uuid3",
	                                    "uuid4",        "uuid5", "isbn",     "isbn10",   "isbn13",
	                                    "creditcard",   "ssn",   "hexcolor", "rgbcolor", "byte",
	                                    "password",     "date",  "duration", "datetime"};
	const char *format = kt_get_text(schema, "format");
	if (!kt_is_object(schema) || depth > 64)
		return;
	if (*format && strcmp(kt_get_text(schema, "type"), "string") == 0) {
		char *plain = kt_strdup(format), *to = plain;
		for (const char *s = format; *s; s++)
			if (*s != '-')
				*to++ = *s;
		*to = '\0';
		bool found = false;
		for (size_t i = 0; i < KT_COUNT(known); i++)
			found = found || strcmp(known[i], plain) == 0;
		if (!found)
			kt_strs_steal(&v->errors->warnings, kt_strf("unrecognized format \"%s\"", format));
		kt_free(plain);
	}
	warn_formats(v, kt_get(schema, "items"), depth + 1);
	warn_formats(v, kt_get(schema, "additionalProperties"), depth + 1);
	const struct kt_json *properties = kt_get(schema, "properties");
	for (size_t i = 0; i < kt_count(properties); i++)
		warn_formats(v, kt_at(properties, i), depth + 1);
}

static void definition(struct v *v)
{
	const struct kt_json *version;
	if (is_same_spec(v))
		return;
	KT_JSON_EACH (version, kt_path(v->object, "spec.versions"))
		warn_formats(v, kt_path(version, "schema.openAPIV3Schema"), 0);
}

static const struct {
	const char *group, *kind;
	void (*warn)(struct v *v);
} rows[] = {
        {"", "Pod", pod},
        {"", "PodTemplate", pod_template},
        {"", "ReplicationController", workload},
        {"apps", "Deployment", workload},
        {"apps", "ReplicaSet", workload},
        {"apps", "DaemonSet", workload},
        {"apps", "StatefulSet", stateful_set},
        {"batch", "Job", workload},
        {"batch", "CronJob", cron_job},
        {"", "Service", service},
        {"networking.k8s.io", "Ingress", ingress},
        {"networking.k8s.io", "NetworkPolicy", network_policy},
        {"discovery.k8s.io", "EndpointSlice", endpoint_slice},
        {"", "PersistentVolume", volume},
        {"", "PersistentVolumeClaim", claim},
        {"storage.k8s.io", "StorageClass", storage_class},
        {"", "Secret", secret},
        {"", "ServiceAccount", service_account},
        {"apiextensions.k8s.io", "CustomResourceDefinition", definition},
};

void v_warnings(struct v *v)
{
	for (size_t i = 0; i < KT_COUNT(rows); i++)
		if (strcmp(rows[i].kind, v->kind->kind) == 0 && strcmp(rows[i].group, v->kind->group) == 0)
			rows[i].warn(v);
}
