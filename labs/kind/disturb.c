/* SPDX-License-Identifier: MIT */
/* Disturbances for real: machines are containers that are killed and started, links are packet filters and
 * delays inside the nodes, an image is missing once it is off the nodes and its registry has no name there. A
 * row a step. */
#include "labs/kind/kind_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN "KTUTOR" /* of iptables, ours alone */
#define KEPT  "ktutor.invalid/kept/"

struct world {
	struct kind *kind;
	const struct kind_cluster *cluster;
	struct check_client *client;
};

/* --- machines --- */

/* [{node, container, zone, region, address, cidr}] */
static enum kt_code machines(struct world *w, struct kt_json **out, struct kt_err *err)
{
	struct kt_json *nodes = NULL, *list = kt_json_array();
	const struct kt_json *node, *address;
	enum kt_code rc = real_call(w->client, "GET", "/api/v1/nodes", NULL, NULL, &nodes, err);
	KT_JSON_EACH (node, kt_get(nodes, "items")) {
		const char *id = kt_path_str(node, "spec.providerID"), *ip = NULL,
		           *name = kt_path_str(node, "metadata.name");
		const struct kt_json *labels = kt_path(node, "metadata.labels");
		KT_JSON_EACH (address, kt_path(node, "status.addresses"))
			if (kt_streq(kt_get_str(address, "type"), "InternalIP") && !ip)
				ip = kt_get_str(address, "address");
		kt_push(&list,
		        kt_jsonf("{node: %s, container: %s, zone: %s, region: %s, address: %s, cidr: %J}",
		                 name, id ? kt_basename(id) : name,
		                 kt_get_str(labels, "topology.kubernetes.io/zone"),
		                 kt_get_str(labels, "topology.kubernetes.io/region"), ip,
		                 kt_path(node, "spec.podCIDR")));
	}
	kt_json_free(nodes);
	if (rc)
		kt_json_free(list);
	else
		*out = list;
	return rc;
}

/* Zones may be written short: a for zone-a. */
static bool is_in(const struct kt_json *machine, const char *key, const char *name)
{
	const char *has = kt_get_str(machine, key);
	return has && name &&
	       (kt_streq(has, name) ||
	        (kt_streq(key, "zone") && kt_starts(has, "zone-") && kt_streq(has + 5, name)));
}

static enum kt_code engine(struct world *w, const char *verb, const char *more, const char *container,
                           struct kt_err *err)
{
	const char *const with[] = {w->kind->engine, verb, more, container, NULL}, *const without[] = {
	                                                                                   w->kind->engine,
	                                                                                   verb, container,
	                                                                                   NULL};
	struct kt_buf errout = {0};
	int status = 0;
	enum kt_code rc = kind_run(
	        w->kind,
	        &(struct kind_ask){.argv = more ? with : without, .errout = &errout, .timeout = 90 * KT_SEC},
	        &status, err);
	if (!rc && status)
		rc = kt_fail(err, KT_EIO, "%s %s %s: %.*s", w->kind->engine, verb, container,
		             (int)KT_MIN(strcspn(kt_buf_str(&errout), "\n"), 200), kt_buf_str(&errout));
	kt_buf_clear(&errout);
	return rc;
}

/* Power is lost: no goodbye. Back: the same container starts, and its kubelet with it. */
static enum kt_code power(struct world *w, const struct kt_json *machine, bool on, struct kt_err *err)
{
	const char *container = kt_get_str(machine, "container");
	struct kt_json *all = NULL;
	const char *state = NULL;
	enum kt_code rc = kind_containers(w->kind, w->cluster->name, &all, err);
	ptrdiff_t i = rc ? -1 : kt_find(all, "name", container);
	if (!rc && i < 0)
		rc = kt_fail(err, KT_ENOTFOUND, "there is no machine '%s' (any more)", container);
	if (!rc) {
		state = kt_get_str(kt_at(all, (size_t)i), "state");
		bool runs = kt_streq(state, "running");
		if (on && kt_streq(state, "paused"))
			rc = engine(w, "unpause", NULL, container, err);
		else if (on && !runs)
			rc = engine(w, "start", NULL, container, err);
		else if (!on && runs)
			rc = engine(w, "kill", NULL, container, err);
	}
	kt_json_free(all);
	return rc;
}

static enum kt_code power_where(struct world *w, const char *key, const char *name, bool on,
                                struct kt_err *err)
{
	struct kt_json *list = NULL;
	const struct kt_json *m;
	size_t count = 0;
	enum kt_code rc = machines(w, &list, err);
	KT_JSON_EACH (m, list)
		if (!rc && is_in(m, key, name)) {
			rc = power(w, m, on, err);
			count++;
		}
	if (!rc && !count)
		rc = kt_fail(err, KT_ENOTFOUND, "no machine is %s %s",
		             kt_streq(key, "node") ? "called" : "in", name);
	kt_json_free(list);
	return rc;
}

static bool is_up(const struct kt_json *step)
{
	return kt_streq(kt_get_str(step, "is"), "up");
}

static enum kt_code do_node(struct world *w, const struct kt_json *step, struct kt_err *err)
{
	const char *name = kt_path_str(step, "pick.name");
	return name ? power_where(w, "node", name, is_up(step), err)
	            : kt_fail(err, KT_EINVAL, "node: pick: name is wanted");
}

static enum kt_code do_zone(struct world *w, const struct kt_json *step, struct kt_err *err)
{
	return power_where(w, "zone", kt_str_or(kt_get(step, "name"), ""), is_up(step), err);
}

static enum kt_code do_region(struct world *w, const struct kt_json *step, struct kt_err *err)
{
	return power_where(w, "region", kt_str_or(kt_get(step, "name"), ""), is_up(step), err);
}

/* --- inside a machine --- */

/* A program in the node's container; arguments end with NULL. Its exit code to `*status` (may be NULL: must
 * be 0). */
static enum kt_code inside(struct world *w, const char *container, const char *const *argv, int *status,
                           struct kt_buf *out, struct kt_err *err)
{
	const char *all[32] = {w->kind->engine, "exec", container};
	size_t n = 3;
	int code = 0;
	struct kt_buf errout = {0};
	for (size_t i = 0; argv[i] && n + 1 < KT_COUNT(all); i++)
		all[n++] = argv[i];
	enum kt_code rc =
	        kind_run(w->kind, &(struct kind_ask){.argv = all, .out = out, .errout = &errout}, &code, err);
	if (!rc && status)
		*status = code;
	else if (!rc && code)
		rc = kt_fail(err, KT_EUNSUPPORTED, "%s in %s: %.*s", argv[0], container,
		             (int)KT_MIN(strcspn(kt_buf_str(&errout), "\n"), 200), kt_buf_str(&errout));
	kt_buf_clear(&errout);
	return rc;
}

#define INSIDE(w, container, status, err, ...)                                                               \
	inside(w, container, (const char *const[]){__VA_ARGS__, NULL}, status, NULL, err)

/* --- links --- */

/* A chain of our own in front of what is forwarded, received and sent: dropping by address leaves everything
 * else (conntrack, kube-proxy, policies) alone. */
static enum kt_code have_chain(struct world *w, const char *container, struct kt_err *err)
{
	static const char *const hooks[] = {"FORWARD", "INPUT", "OUTPUT"};
	int status = 0;
	enum kt_code rc = INSIDE(w, container, &status, err, "iptables", "-w", "-N", CHAIN);
	for (size_t i = 0; !rc && i < KT_COUNT(hooks); i++) {
		rc = INSIDE(w, container, &status, err, "iptables", "-w", "-C", hooks[i], "-j", CHAIN);
		if (!rc && status)
			rc = INSIDE(w, container, NULL, err, "iptables", "-w", "-I", hooks[i], "1", "-j",
			            CHAIN);
	}
	return rc;
}

static enum kt_code filter(struct world *w, const char *container, const char *flag, const char *peer,
                           bool cut, struct kt_err *err)
{
	int status = 0;
	if (!peer)
		return KT_OK;
	enum kt_code rc =
	        INSIDE(w, container, &status, err, "iptables", "-w", "-C", CHAIN, flag, peer, "-j", "DROP");
	bool there = !status;
	if (!rc && there != cut)
		rc = INSIDE(w, container, NULL, err, "iptables", "-w", cut ? "-A" : "-D", CHAIN, flag, peer,
		            "-j", "DROP");
	return rc;
}

static enum kt_code cut(struct world *w, const struct kt_json *a, const struct kt_json *b, bool on,
                        struct kt_err *err)
{
	const char *container = kt_get_str(a, "container"),
	           *peers[] = {kt_get_str(b, "address"), kt_get_str(b, "cidr")};
	enum kt_code rc = on ? have_chain(w, container, err) : KT_OK;
	for (size_t i = 0; !rc && i < KT_COUNT(peers); i++) {
		rc = filter(w, container, "-s", peers[i], on, err);
		if (!rc)
			rc = filter(w, container, "-d", peers[i], on, err);
	}
	return rc;
}

/* Delay and loss by a class of its own on the machine's interface; what goes elsewhere is not slowed. */
static enum kt_code slow(struct world *w, const struct kt_json *a, const struct kt_json *b, kt_ns delay,
                         double loss, struct kt_err *err)
{
	const char *container = kt_get_str(a, "container"),
	           *peers[] = {kt_get_str(b, "address"), kt_get_str(b, "cidr")};
	char *late = kt_strf("%lldms", (long long)KT_MAX(delay / KT_MS, 0)),
	     *lost = kt_strf("%.2f%%", loss * 100);
	int status = 0;
	/* made once; a second time it is there already */
	enum kt_code rc = INSIDE(w, container, &status, err, "tc", "qdisc", "add", "dev", "eth0", "root",
	                         "handle", "1:", "prio", "bands", "4", "priomap", "0", "0", "0", "0", "0",
	                         "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0");
	if (!rc)
		rc = INSIDE(w, container, NULL, err, "tc", "qdisc", "replace", "dev", "eth0", "parent", "1:4",
		            "handle", "40:", "netem", "delay", late, "loss", lost);
	for (size_t i = 0; !rc && i < KT_COUNT(peers); i++)
		if (peers[i])
			rc = INSIDE(w, container, NULL, err, "tc", "filter", "add", "dev", "eth0", "parent",
			            "1:", "protocol", "ip", "u32", "match", "ip", "dst", peers[i], "flowid",
			            "1:4");
	kt_free(late);
	kt_free(lost);
	return rc;
}

static enum kt_code whole(struct world *w, const struct kt_json *a, struct kt_err *err)
{
	int ignored = 0;
	return INSIDE(w, kt_get_str(a, "container"), &ignored, err, "tc", "qdisc", "del", "dev", "eth0",
	              "root");
}

/* "zone a", "region eu", "node n1", or a bare name of any. */
static bool at_end(const struct kt_json *machine, const char *end)
{
	static const char *const keys[] = {"zone", "region", "node"};
	for (size_t i = 0; i < KT_COUNT(keys); i++) {
		size_t len = strlen(keys[i]);
		if (!strncmp(end, keys[i], len) && end[len] == ' ')
			return is_in(machine, keys[i], end + len + 1);
	}
	for (size_t i = 0; i < KT_COUNT(keys); i++)
		if (is_in(machine, keys[i], end))
			return true;
	return false;
}

struct link {
	bool cut;
	kt_ns delay;
	double loss;
};

static enum kt_code set_link(struct world *w, const struct kt_json *a, const struct kt_json *b,
                             const struct link *link, struct kt_err *err)
{
	enum kt_code rc = cut(w, a, b, link->cut, err);
	if (!rc)
		rc = whole(w, a, err);
	if (!rc && (link->delay || link->loss > 0))
		rc = slow(w, a, b, link->delay, link->loss, err);
	return rc;
}

static enum kt_code read_link(const struct kt_json *step, struct link *out, struct kt_err *err)
{
	const char *delay =
	                   kt_get_str(step, "slow") ? kt_get_str(step, "slow") : kt_path_str(step, "is.slow"),
	           *loss = kt_get_str(step, "loss");
	out->cut = kt_streq(kt_get_str(step, "is"), "cut");
	out->loss = loss ? strtod(loss, NULL) / (strchr(loss, '%') ? 100 : 1)
	                 : kt_real_or(kt_get(step, "loss"), 0);
	/* what was slow and is ok again */
	if (kt_streq(kt_get_str(step, "is"), "ok"))
		*out = (struct link){0};
	else if (delay && !kt_duration_parse(delay, &out->delay))
		return kt_fail(err, KT_EINVAL, "link: slow: a duration is wanted, not '%s'", delay);
	return KT_OK;
}

static enum kt_code do_link(struct world *w, const struct kt_json *step, struct kt_err *err)
{
	const struct kt_json *between = kt_get(step, "between"), *a, *b;
	const char *one = kt_str(kt_at(between, 0)), *two = kt_str(kt_at(between, 1));
	struct link link = {0};
	struct kt_json *list = NULL;
	size_t pairs = 0;
	if (kt_count(between) != 2 || !one || !two)
		return kt_fail(err, KT_EINVAL, "link: between: two ends are wanted, as in [zone a, zone b]");
	enum kt_code rc = read_link(step, &link, err);
	if (!rc)
		rc = machines(w, &list, err);
	KT_JSON_EACH (a, list)
		KT_JSON_EACH (b, list) {
			bool there = at_end(a, one) && at_end(b, two),
			     back = at_end(a, two) && at_end(b, one);
			if (rc || a == b || !(there || back))
				continue;
			rc = set_link(w, a, b, &link, err);
			pairs++;
		}
	if (!rc && !pairs)
		rc = kt_fail(err, KT_ENOTFOUND, "link: no machines are at '%s' and '%s'", one, two);
	kt_json_free(list);
	return rc;
}

/* --- images --- */

/* "nginx:1.27" -> "docker.io/library/nginx:1.27", as containerd calls it. Owned. */
static char *full_name(const char *name)
{
	const char *slash = strchr(name, '/'), *last = strrchr(name, '/');
	size_t first = slash ? (size_t)(slash - name) : 0;
	bool host = slash && (memchr(name, '.', first) || memchr(name, ':', first) ||
	                      !strncmp(name, "localhost", first));
	bool tagged = strchr(last ? last : name, ':') || strchr(name, '@');
	return kt_strf("%s%s%s",
	               host    ? ""
	               : slash ? "docker.io/"
	                       : "docker.io/library/",
	               name, tagged ? "" : ":latest");
}

static char *registry_of(const char *full)
{
	char *host = kt_strndup(full, strcspn(full, "/"));
	if (kt_streq(host, "docker.io")) {
		kt_free(host);
		return kt_strdup("registry-1.docker.io");
	}
	return host;
}

static const char hosts_off[] =
        "grep -q \"$1 # ktutor\" /etc/hosts || echo \"127.0.0.1 $1 # ktutor\" >>/etc/hosts";
/* docker binds the file: it is written over, not replaced */
static const char hosts_on[] =
        "grep -v \"${1:-} # ktutor\" /etc/hosts >/tmp/ktutor-hosts; cat /tmp/ktutor-hosts >/etc/hosts; rm -f "
        "/tmp/ktutor-hosts";

static enum kt_code image_on(struct world *w, const char *container, const char *full, bool there,
                             struct kt_err *err)
{
	char *kept = kt_strf("%s%s", KEPT, full), *registry = registry_of(full);
	const char *from = there ? kept : full, *to = there ? full : kept;
	int status = 0;
	/* kept under another name, so that it can come back without a network */
	enum kt_code rc = INSIDE(w, container, &status, err, "ctr", "-n", "k8s.io", "images", "tag",
	                         "--force", from, to);
	if (!rc && !status)
		rc = INSIDE(w, container, &status, err, "ctr", "-n", "k8s.io", "images", "rm", from);
	if (!rc)
		rc = INSIDE(w, container, &status, err, "sh", "-c", there ? hosts_on : hosts_off, "hosts",
		            registry);
	kt_free(kept);
	kt_free(registry);
	return rc;
}

static enum kt_code do_image(struct world *w, const struct kt_json *step, struct kt_err *err)
{
	const char *name = kt_str_or(kt_get(step, "name"), "");
	bool there = !kt_streq(kt_get_str(step, "is"), "missing");
	struct kt_json *list = NULL;
	const struct kt_json *m;
	char *full = full_name(name);
	enum kt_code rc = machines(w, &list, err);
	KT_JSON_EACH (m, list)
		if (!rc)
			rc = image_on(w, kt_get_str(m, "container"), full, there, err);
	kt_json_free(list);
	kt_free(full);
	return rc;
}

/* --- pods --- */

/* The first process of the container, as its machine sees it, gets SIGKILL: what a crash or the memory killer
 * does. Without programs in the image, and whatever the image's user may do. */
static const char kill_script[] = "pid=$(ctr -n k8s.io tasks ls | awk -v id=\"$1\" '$1 == id { print $2 }')\n"
                                  "[ -n \"$pid\" ] && kill -9 \"$pid\"\n";

static const struct kt_json *container_status(const struct kt_json *pod, const char *name)
{
	const struct kt_json *list = kt_path(pod, "status.containerStatuses");
	ptrdiff_t i = name ? kt_find(list, "name", name) : 0;
	return i < 0 ? NULL : kt_at(list, (size_t)i);
}

static enum kt_code kill_container(struct world *w, const struct kt_json *pod, const char *container_id,
                                   struct kt_err *err)
{
	struct kt_json *list = NULL;
	const char *id = strstr(container_id, "://") ? strstr(container_id, "://") + 3 : container_id;
	enum kt_code rc = machines(w, &list, err);
	ptrdiff_t i = rc ? -1 : kt_find(list, "node", kt_path_str(pod, "spec.nodeName"));
	if (!rc && i < 0)
		rc = kt_fail(err, KT_ENOTFOUND, "the pod runs on no machine");
	if (!rc)
		rc = INSIDE(w, kt_get_str(kt_at(list, (size_t)i), "container"), NULL, err, "sh", "-c",
		            kill_script, "kill", id);
	kt_json_free(list);
	return rc;
}

/* The kernel kills what is over its limit, and the kubelet then says OOMKilled: so it is made to be over. */
static enum kt_code do_oom(struct world *w, const struct kt_json *pod, const char *container,
                           struct kt_err *err)
{
	const char *const argv[] = {"sh", "-c",
	                            "x=x; while :; do x=$x$x$x$x; done", /* the shell itself grows */
	                            NULL};
	struct check_exec exec = {.ns = kt_path_str(pod, "metadata.namespace"),
	                          .pod = kt_path_str(pod, "metadata.name"),
	                          .container = container,
	                          .argv = argv,
	                          .timeout_ms = 60000};
	struct check_exec_result result = {0};
	const struct kt_json *spec = kt_path(pod, "spec.containers");
	ptrdiff_t i = container ? kt_find(spec, "name", container) : 0;
	if (i < 0 || !kt_path(kt_at(spec, (size_t)i), "resources.limits.memory"))
		return kt_fail(
		        err, KT_EUNSUPPORTED,
		        "pod: oom: the container has no memory limit, so nothing kills it on a real machine");
	enum kt_code rc = check_exec(w->client, &exec, 1, &result, err);
	check_exec_result_clear(&result);
	return rc;
}

static enum kt_code do_pod(struct world *w, const struct kt_json *step, struct kt_err *err)
{
	const char *ns = kt_path_str(step, "pick.namespace"), *name = kt_path_str(step, "pick.name"),
	           *container = kt_path_str(step, "pick.container"), *is = kt_get_str(step, "is");
	char *path = kt_strf("/api/v1/namespaces/%s/pods/%s", ns ? ns : "default", name ? name : "");
	struct kt_json *pod = NULL;
	enum kt_code rc = kt_streq(is, "deleted")
	                          ? real_call(w->client, "DELETE", path, NULL, NULL, NULL, err)
	                          : real_call(w->client, "GET", path, NULL, NULL, &pod, err);
	const char *id = kt_get_str(container_status(pod, container), "containerID");
	if (!rc && kt_streq(is, "oom"))
		rc = do_oom(w, pod, container, err);
	else if (!rc && kt_streq(is, "killed"))
		rc = id ? kill_container(w, pod, id, err)
		        : kt_fail(err, KT_ENOTFOUND, "the pod %s has no running container", name);
	kt_json_free(pod);
	kt_free(path);
	return rc;
}

/* --- the rest --- */

static enum kt_code do_load(struct world *w, const struct kt_json *step, struct kt_err *err)
{
	return real_load(w->client, REAL_NAMESPACE, step, err);
}

static const struct {
	const char *name;
	enum kt_code (*run)(struct world *w, const struct kt_json *step, struct kt_err *err);
} steps[] = {{"node", do_node}, {"zone", do_zone}, {"region", do_region}, {"link", do_link},
             {"load", do_load}, {"pod", do_pod},   {"image", do_image}};

enum kt_code kind_disturb(struct kind *kind, const struct kind_cluster *cluster, struct check_client *client,
                          const struct kt_json *step, struct kt_err *err)
{
	struct world w = {kind, cluster, client};
	const char *name = kt_count(step) ? kt_key(step, 0) : "";
	enum kt_code rc = kind_look(kind, err);
	for (size_t i = 0; !rc && i < KT_COUNT(steps); i++)
		if (kt_streq(steps[i].name, name)) {
			rc = steps[i].run(&w, kt_at(step, 0), err);
			return rc ? kt_wrap(err, "%s", name) : KT_OK;
		}
	return rc ? rc
	          : kt_fail(err, KT_EUNSUPPORTED,
	                    "'%s' cannot be done to a kind cluster; `--provider embedded` can", name);
}

/* --- all of it undone --- */

static const char mend_script[] =
        "iptables -w -F " CHAIN " 2>/dev/null; tc qdisc del dev eth0 root 2>/dev/null\n"
        "for kept in $(ctr -n k8s.io images ls -q | grep '^" KEPT "'); do\n"
        "  ctr -n k8s.io images tag --force \"$kept\" \"${kept#" KEPT
        "}\" && ctr -n k8s.io images rm \"$kept\"\n"
        "done >/dev/null\n"
        "grep -q '# ktutor$' /etc/hosts && { grep -v '# ktutor$' /etc/hosts >/tmp/ktutor-hosts; cat "
        "/tmp/ktutor-hosts >/etc/hosts; rm -f /tmp/ktutor-hosts; }\n"
        "true\n";

enum kt_code kind_mend(struct kind *kind, const struct kind_cluster *cluster, struct check_client *client,
                       struct kt_err *err)
{
	struct world w = {kind, cluster, client};
	struct kt_json *containers = NULL;
	const struct kt_json *c;
	enum kt_code rc = kind_look(kind, err);
	if (!rc)
		rc = kind_containers(kind, cluster->name, &containers, err);
	KT_JSON_EACH (c, containers) {
		const char *state = kt_get_str(c, "state"), *name = kt_get_str(c, "name");
		struct kt_err ignored = {0};
		int status = 0;
		bool runs = kt_streq(state, "running");
		if (!rc && kt_streq(state, "paused"))
			rc = engine(&w, "unpause", NULL, name, err);
		else if (!rc && !runs)
			rc = engine(&w, "start", NULL, name, err);
		/* filters and delays end with the container; what is on its disk does not. A machine that has
		 * only just started says so later: the next reset asks again. */
		if (!rc && INSIDE(&w, name, &status, &ignored, "sh", "-c", mend_script))
			kt_err_clear(&ignored);
	}
	kt_json_free(containers);
	return rc;
}
