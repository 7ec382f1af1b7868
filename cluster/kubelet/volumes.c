/* SPDX-License-Identifier: MIT */
/* Volumes of pods: a row for each kind; ConfigMaps, Secrets, downward API and tokens are projected, disks
 * (PVs, hostPath) outlive the pod. Words: kubernetes pkg/volume and pkg/kubelet/volumemanager. */
#include <string.h>

#include "cluster/api/rules.h"
#include "cluster/kubelet/kubelet_internal.h"

/* --- disks --- */

static struct volume *disk(struct kubelet *kubelet, const char *key)
{
	struct kubelet_disk *disk;
	const struct kt_json *kept;

	HASH_FIND_STR(kubelet->disk_table, key, disk);
	if (!disk) {
		disk = kt_alloc(sizeof(*disk));
		disk->key = kt_strdup(key);
		disk->volume = volume_new(false, 0);
		kept = cluster_kept(kubelet->cluster, key);
		if (kept)
			volume_load(disk->volume, kept);
		HASH_ADD_KEYPTR(hh, kubelet->disk_table, disk->key, strlen(disk->key), disk);
	}
	return volume_ref(disk->volume);
}

void kubelet_disks_keep(struct kubelet *kubelet)
{
	for (struct kubelet_disk *disk = kubelet->disk_table; disk; disk = disk->hh.next) {
		struct kt_json *saved = volume_save(disk->volume);

		if (kt_equal(saved, cluster_kept(kubelet->cluster, disk->key)))
			kt_json_free(saved);
		else
			cluster_keep(kubelet->cluster, disk->key, saved);
	}
}

static void disk_free(struct kubelet *kubelet, struct kubelet_disk *disk)
{
	HASH_DEL(kubelet->disk_table, disk);
	volume_free(disk->volume);
	kt_free(disk->key);
	kt_free(disk);
}

void kubelet_disk_drop(struct kubelet *kubelet, const char *key)
{
	struct kubelet_disk *disk;

	HASH_FIND_STR(kubelet->disk_table, key, disk);
	if (disk)
		disk_free(kubelet, disk);
	if (cluster_kept(kubelet->cluster, key))
		cluster_keep(kubelet->cluster, key, NULL);
}

void kubelet_disks_free(struct kubelet *kubelet)
{
	struct kubelet_disk *one, *next;

	HASH_ITER (hh, kubelet->disk_table, one, next)
		disk_free(kubelet, one);
}

/* --- projections: {path: text} --- */

static unsigned mode_of(const struct kt_json *source)
{
	return (unsigned)kt_get_int(source, "defaultMode", 0644);
}

static void add_file(struct kt_json **files, const char *path, const char *text, bool base64)
{
	struct kt_buf plain = {0};

	if (base64 && kt_unbase64(text, strlen(text), &plain))
		kt_set(files, path, kt_json_strn(kt_buf_str(&plain), plain.len));
	else
		kt_set(files, path, kt_json_str(text));
	kt_buf_clear(&plain);
}

/* A ConfigMap's or Secret's keys; with `items` only those, at their paths. */
static bool add_keys(struct kubelet_pod *pod, const struct kt_json *source, const char *name, bool secret,
                     struct kt_json **files, char **why)
{
	struct kubelet *kubelet = pod->node->kubelet;
	bool optional = kt_get_bool(source, "optional", false);
	const struct store_object *object =
	        store_get(cluster_store(kubelet->cluster), secret ? kubelet->secrets : kubelet->config_maps,
	                  pod->ns, name);
	const struct kt_json *data = object ? kt_get(object->json, "data") : NULL,
	                     *items = kt_get(source, "items");
	const struct kt_json *binary = object ? kt_get(object->json, "binaryData") : NULL, *item;

	if (!object) {
		if (!optional)
			*why = kt_strf("%s \"%s\" not found", secret ? "secret" : "configmap", name);
		return optional;
	}
	KT_JSON_EACH (item, items) {
		const char *key = kt_str_or(kt_get(item, "key"), ""),
		           *path = kt_str_or(kt_get(item, "path"), "");
		const char *text = kt_get_str(data, key), *raw = kt_get_str(binary, key);

		if (!text && !raw && !optional) {
			*why = secret ? kt_strf("references non-existent secret key: %s", key)
			              : kt_strf("configmap references non-existent config key: %s", key);
			return false;
		}
		if (text || raw)
			add_file(files, path, text ? text : raw, secret || !text);
	}
	for (size_t i = 0; !items && i < kt_count(data); i++) {
		if (secret)
			add_file(files, kt_key(data, i), kt_str_or(kt_at(data, i), ""), true);
		else
			kt_set(files, kt_key(data, i), kt_json_ref(kt_at(data, i)));
	}
	for (size_t i = 0; !items && i < kt_count(binary); i++)
		add_file(files, kt_key(binary, i), kt_str_or(kt_at(binary, i), ""), true);
	return true;
}

static bool add_downward(struct kubelet_pod *pod, const struct kt_json *items, struct kt_json **files,
                         char **why)
{
	const struct kt_json *item;

	KT_JSON_EACH (item, items) {
		const struct kt_json *field = kt_get(item, "fieldRef"),
		                     *resource = kt_get(item, "resourceFieldRef");
		char *text = field ? kubelet_field(pod, kt_str_or(kt_get(field, "fieldPath"), ""), why)
		                   : kubelet_resource_field(pod, resource, NULL, why);

		if (!text)
			return false;
		kt_set(files, kt_str_or(kt_get(item, "path"), ""), kt_json_str(text));
		kt_free(text);
	}
	return true;
}

static struct kt_json *token(struct kubelet_pod *pod, const struct kt_json *source)
{
	struct cluster *cluster = pod->node->kubelet->cluster;
	/* a body only: there is no such resource */
	const struct schema_kind kind = {.group = "authentication.k8s.io",
	                                 .version = "v1",
	                                 .kind = "TokenRequest",
	                                 .api_version = "authentication.k8s.io/v1"};
	const char *account = kt_str_or(kt_get(pod->spec, "serviceAccountName"), "default");
	const char *audience = kt_get_str(source, "audience");
	struct api_user user = {.name = pod->node->user};
	struct api_status status = {0};
	struct kt_json *request = kt_jsonf(
	        "{apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {audiences: %j, "
	        "expirationSeconds: %l, boundObjectRef: {kind: 'Pod', apiVersion: 'v1', name: %s, uid: %s}}}",
	        audience ? kt_jsonf("[%s]", audience) : NULL, kt_get_int(source, "expirationSeconds", 3607),
	        pod->name, pod->uid);
	struct kt_json *text = NULL;

	if (rules_review(cluster, &kind, &user, pod->ns, account, &request, &status))
		text = kt_json_ref(kt_path(request, "status.token"));
	api_status_clear(&status);
	kt_json_free(request);
	return text ? text : kt_json_str("");
}

/* Tokens cost a signature; those of pods that never read them are made when somebody looks. */
static bool add_projected(struct kubelet_pod *pod, const struct kt_json *projected, bool with_tokens,
                          struct kt_json **files, char **why)
{
	const struct kt_json *source, *one;

	KT_JSON_EACH (source, kt_get(projected, "sources")) {
		if ((one = kt_get(source, "configMap")) != NULL) {
			if (!add_keys(pod, one, kt_str_or(kt_get(one, "name"), ""), false, files, why))
				return false;
		} else if ((one = kt_get(source, "secret")) != NULL) {
			if (!add_keys(pod, one, kt_str_or(kt_get(one, "name"), ""), true, files, why))
				return false;
		} else if ((one = kt_get(source, "downwardAPI")) != NULL) {
			if (!add_downward(pod, kt_get(one, "items"), files, why))
				return false;
		} else if ((one = kt_get(source, "serviceAccountToken")) != NULL && with_tokens) {
			kt_set(files, kt_str_or(kt_get(one, "path"), "token"), token(pod, one));
		}
	}
	return true;
}

/* --- kinds --- */

/* The volume's folder belongs to the pod's fsGroup, and so does what is made in it. One in memory is a file
 * system of its own: sticky, as /tmp. */
static struct volume *grouped(const struct kubelet_pod *pod, struct volume *volume, bool memory)
{
	int64_t group = kt_path_int(pod->spec, "securityContext.fsGroup", -1);

	volume_own(volume, 0, group < 0 ? 0 : (uint32_t)group,
	           (group < 0 ? 0777 : 02777) | (memory ? 01000 : 0));
	return volume;
}

/* The modes that items name, below a source and the sources of a projected volume. */
static void add_modes(const struct kt_json *source, struct kt_json **modes)
{
	const struct kt_json *item, *one;

	KT_JSON_EACH (item, kt_get(source, "items"))
		if (kt_get(item, "mode"))
			kt_set(modes, kt_str_or(kt_get(item, "path"), ""), kt_json_ref(kt_get(item, "mode")));
	KT_JSON_EACH (one, kt_get(source, "sources"))
		for (size_t i = 0; i < kt_count(one); i++)
			add_modes(kt_at(one, i), modes);
}

/* The user that all containers are told to run as; -1 if some are told none, or another (pkg/volume/util
 * FsUserFrom). */
static int64_t common_user(const struct kubelet_pod *pod)
{
	static const char *const lists[] = {"initContainers", "containers", "ephemeralContainers"};
	int64_t of_pod = kt_path_int(pod->spec, "securityContext.runAsUser", -1), common = -1;
	const struct kt_json *container;
	bool first = true;

	for (size_t i = 0; i < KT_COUNT(lists); i++) {
		KT_JSON_EACH (container, kt_get(pod->spec, lists[i])) {
			int64_t user = kt_path_int(container, "securityContext.runAsUser", of_pod);

			if (user < 0 || (!first && user != common))
				return -1;
			common = user;
			first = false;
		}
	}
	return common;
}

/* Only who is meant may read a token: that user, or the fsGroup. */
static void guard_tokens(const struct kubelet_pod *pod, const struct kt_json *source, struct kt_json **modes,
                         struct kt_json **owners)
{
	const struct kt_json *one, *token;
	int64_t user = common_user(pod);

	KT_JSON_EACH (one, kt_get(source, "sources")) {
		token = kt_get(one, "serviceAccountToken");
		if (!token)
			continue;
		if (user >= 0)
			kt_set(owners, kt_str_or(kt_get(token, "path"), "token"), kt_json_int(user));
		if (user >= 0 || kt_path_int(pod->spec, "securityContext.fsGroup", -1) >= 0)
			kt_set(modes, kt_str_or(kt_get(token, "path"), "token"), kt_json_int(0600));
	}
}

/* All but ConfigMaps are kept in memory, never on the node's disk. */
static bool project(const struct kubelet_pod *pod, struct kubelet_mount *mount, const struct kt_json *source,
                    struct kt_json *steal, bool good)
{
	if (good) {
		if (!mount->volume)
			mount->volume = grouped(pod, volume_new(true, 0), !kt_get(mount->spec, "configMap"));
		struct kt_json *modes = kt_json_object(), *owners = kt_json_object();
		add_modes(source, &modes);
		guard_tokens(pod, source, &modes, &owners);
		volume_project(mount->volume, steal, mode_of(source), modes, owners,
		               cluster_now(pod->node->kubelet->cluster));
		kt_json_free(modes);
		kt_json_free(owners);
	}
	kt_json_free(steal);
	return good;
}

static bool set_config_map(struct kubelet_pod *pod, struct kubelet_mount *mount, const struct kt_json *source,
                           char **why)
{
	struct kt_json *files = kt_json_object();
	bool good = add_keys(pod, source, kt_str_or(kt_get(source, "name"), ""), false, &files, why);

	return project(pod, mount, source, files, good);
}

static bool set_secret(struct kubelet_pod *pod, struct kubelet_mount *mount, const struct kt_json *source,
                       char **why)
{
	struct kt_json *files = kt_json_object();
	bool good = add_keys(pod, source, kt_str_or(kt_get(source, "secretName"), ""), true, &files, why);

	return project(pod, mount, source, files, good);
}

static bool set_downward(struct kubelet_pod *pod, struct kubelet_mount *mount, const struct kt_json *source,
                         char **why)
{
	struct kt_json *files = kt_json_object();
	bool good = add_downward(pod, kt_get(source, "items"), &files, why);

	return project(pod, mount, source, files, good);
}

static bool has_token(const struct kt_json *source)
{
	const struct kt_json *one;

	KT_JSON_EACH (one, kt_get(source, "sources")) {
		if (kt_get(one, "serviceAccountToken"))
			return true;
	}
	return false;
}

/* A program that is told what to do may read its token; a plain server does not. */
static bool reads_files(const struct kubelet_pod *pod)
{
	for (const struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next)
		if (kt_count(kt_get(ctr->spec, "command")) || kt_count(kt_get(ctr->spec, "args")))
			return true;
	return false;
}

static bool set_projected(struct kubelet_pod *pod, struct kubelet_mount *mount, const struct kt_json *source,
                          char **why)
{
	struct kt_json *files = kt_json_object();
	bool now = !has_token(source) || reads_files(pod) || (mount->volume && !mount->put_off);
	bool good;

	if (!now) {
		/* The sources must be there all the same. */
		good = add_projected(pod, source, false, &files, why);
		kt_json_free(files);
		mount->put_off = true;
		if (good && !mount->volume)
			mount->volume = grouped(pod, volume_new(true, 0), true);
		return good;
	}
	good = add_projected(pod, source, true, &files, why);
	return project(pod, mount, source, files, good);
}

void kubelet_tokens_project(struct kubelet_pod *pod)
{
	for (size_t i = 0; i < pod->mount_count; i++) {
		struct kubelet_mount *mount = &pod->mounts[i];
		const struct kt_json *source = kt_get(mount->spec, "projected");
		struct kt_json *files = NULL;
		char *why = NULL;

		if (!mount->put_off || !source)
			continue;
		mount->put_off = false;
		files = kt_json_object();
		project(pod, mount, source, files, add_projected(pod, source, true, &files, &why));
		kt_free(why);
	}
}

/* Memory is a file system of that size; a disk's limit is looked after by eviction. */
static int64_t memory_size(const struct kt_json *source)
{
	const char *limit = kt_get_str(source, "sizeLimit");
	struct kt_quantity size = {0};

	if (limit && kt_streq(kt_get_str(source, "medium"), "Memory"))
		(void)!kt_quantity_parse(limit, &size);
	return size.value;
}

static bool set_empty(struct kubelet_pod *pod, struct kubelet_mount *mount, const struct kt_json *source,
                      char **why)
{
	(void)why;
	bool memory = kt_streq(kt_get_str(source, "medium"), "Memory");
	if (!mount->volume)
		mount->volume = grouped(pod, volume_new(false, memory_size(source)), memory);
	if (memory)
		volume_in_memory(mount->volume);
	return true;
}

/* What every node has; everything else on it was made by pods. */
static bool node_has_dir(const char *path)
{
	static const char *const dirs[] = {"/",
	                                   "/bin",
	                                   "/boot",
	                                   "/dev",
	                                   "/etc",
	                                   "/home",
	                                   "/lib",
	                                   "/mnt",
	                                   "/opt",
	                                   "/proc",
	                                   "/root",
	                                   "/run",
	                                   "/sbin",
	                                   "/srv",
	                                   "/sys",
	                                   "/tmp",
	                                   "/usr",
	                                   "/var",
	                                   "/var/lib",
	                                   "/var/log",
	                                   "/var/run",
	                                   "/var/tmp",
	                                   "/var/log/pods",
	                                   "/var/log/containers",
	                                   "/etc/kubernetes",
	                                   "/var/lib/kubelet",
	                                   "/var/lib/containerd",
	                                   "/usr/share",
	                                   "/usr/bin",
	                                   "/usr/lib",
	                                   "/var/lib/kubelet/pods",
	                                   "/etc/kubernetes/manifests"};
	for (size_t i = 0; i < KT_COUNT(dirs); i++)
		if (strcmp(dirs[i], path) == 0)
			return true;
	return false;
}

static bool node_has_file(const char *path)
{
	static const char *const files[] = {"/etc/hostname", "/etc/hosts",      "/etc/resolv.conf",
	                                    "/etc/passwd",   "/etc/os-release", "/etc/localtime",
	                                    "/etc/group"};
	for (size_t i = 0; i < KT_COUNT(files); i++)
		if (strcmp(files[i], path) == 0)
			return true;
	return false;
}

/* Source of the words: kubernetes pkg/volume/hostpath/host_path.go. */
static bool host_path_fits(struct kubelet *kubelet, const char *key, const char *path, const char *type,
                           char **why)
{
	static const struct {
		const char *type, *what;
		bool dir;
	} wanted[] = {{"Directory", "directory", true},
	              {"File", "file", false},
	              {"Socket", "socket file", false},
	              {"CharDevice", "character device", false},
	              {"BlockDevice", "block device", false}};
	struct kubelet_disk *disk;
	bool made;

	HASH_FIND_STR(kubelet->disk_table, key, disk);
	made = disk || cluster_kept(kubelet->cluster, key);
	for (size_t i = 0; i < KT_COUNT(wanted); i++) {
		bool there = wanted[i].dir ? made || node_has_dir(path)
		                           : strcmp(type, "File") == 0 && node_has_file(path);

		if (strcmp(wanted[i].type, type) != 0 || there)
			continue;
		*why = kt_strf("hostPath type check failed: %s is not a %s", path, wanted[i].what);
		return false;
	}
	return true;
}

static bool set_host_path(struct kubelet_pod *pod, struct kubelet_mount *mount, const struct kt_json *source,
                          char **why)
{
	const char *path = kt_str_or(kt_get(source, "path"), "/"),
	           *type = kt_str_or(kt_get(source, "type"), "");
	char *key = kt_strf("kubelet/host/%s%s", pod->node->name, path);
	bool good = mount->volume || host_path_fits(pod->node->kubelet, key, path, type, why);

	if (good && !mount->volume) {
		mount->volume = disk(pod->node->kubelet, key);
		volume_own(mount->volume, 0, 0,
		           strcmp(path, "/tmp") && strcmp(path, "/var/tmp") ? 0755 : 01777);
		if (kt_starts(type, "File"))
			volume_make_file(mount->volume);
	}
	kt_free(key);
	return good;
}

static bool claim(struct kubelet_pod *pod, struct kubelet_mount *mount, const char *name, char **why)
{
	struct kubelet *kubelet = pod->node->kubelet;
	const struct store_object *object =
	        store_get(cluster_store(kubelet->cluster), kubelet->claims, pod->ns, name);
	const char *disk_name = object ? kt_path_str(object->json, "spec.volumeName") : NULL;
	char *key;

	if (mount->volume)
		return true;
	if (!object || !disk_name || !*disk_name ||
	    !kt_streq(kt_path_str(object->json, "status.phase"), "Bound")) {
		*why = object ? kt_strf("error processing PVC %s/%s: PVC is not bound", pod->ns, name)
		              : kt_strf("error processing PVC %s/%s: failed to fetch PVC from API server: "
		                        "persistentvolumeclaim \"%s\" not found",
		                        pod->ns, name, name);
		return false;
	}
	key = kt_strf("kubelet/pv/%s", disk_name);
	mount->volume = disk(kubelet, key);
	kt_free(key);
	return true;
}

static bool set_claim(struct kubelet_pod *pod, struct kubelet_mount *mount, const struct kt_json *source,
                      char **why)
{
	return claim(pod, mount, kt_str_or(kt_get(source, "claimName"), ""), why);
}

/* A generic ephemeral volume is a claim named after pod and volume. */
static bool set_ephemeral(struct kubelet_pod *pod, struct kubelet_mount *mount, const struct kt_json *source,
                          char **why)
{
	char *name = kt_strf("%s-%s", pod->name, mount->name);
	bool good = claim(pod, mount, name, why);

	(void)source;
	kt_free(name);
	return good;
}

/* Storage of other makers: a disk of the node by the volume's own words. */
static bool set_other(struct kubelet_pod *pod, struct kubelet_mount *mount, const struct kt_json *source,
                      char **why)
{
	char *text = kt_json_text(source), *key = kt_strf("kubelet/other/%s", text);

	(void)why;
	if (!mount->volume)
		mount->volume = disk(pod->node->kubelet, key);
	kt_free(text);
	kt_free(key);
	return true;
}

static const struct {
	const char *field;
	bool (*set)(struct kubelet_pod *pod, struct kubelet_mount *mount, const struct kt_json *source,
	            char **why);
	bool refreshed, attached;
} kinds[] = {
        {"projected", set_projected, true, false},
        {"configMap", set_config_map, true, false},
        {"secret", set_secret, true, false},
        {"downwardAPI", set_downward, true, false},
        {"emptyDir", set_empty, false, false},
        {"hostPath", set_host_path, false, false},
        {"persistentVolumeClaim", set_claim, false, true},
        {"ephemeral", set_ephemeral, false, true},
        {"nfs", set_other, false, true},
        {"csi", set_other, false, true},
        {"image", set_empty, false, false},
};

static bool set_up(struct kubelet_pod *pod, struct kubelet_mount *mount, bool refresh, char **why)
{
	for (size_t i = 0; i < KT_COUNT(kinds); i++) {
		const struct kt_json *source = kt_get(mount->spec, kinds[i].field);
		char *words = NULL;

		if (!source)
			continue;
		if ((refresh && !kinds[i].refreshed) || kinds[i].set(pod, mount, source, &words))
			return true;
		if (kinds[i].attached)
			*why = kt_strf("Unable to attach or mount volumes: unmounted volumes=[%s], "
			               "unattached volumes=[], "
			               "failed to process volumes=[%s]: %s",
			               mount->name, mount->name, words);
		else
			*why = kt_strf("MountVolume.SetUp failed for volume \"%s\" : %s", mount->name, words);
		kt_free(words);
		return false;
	}
	if (!mount->volume)
		mount->volume = volume_new(false, 0);
	return true;
}

bool kubelet_volumes_setup(struct kubelet_pod *pod, char **why)
{
	const struct kt_json *volumes = kt_get(pod->spec, "volumes");
	size_t count = kt_count(volumes);

	if (!pod->mounts && count) {
		pod->mounts = kt_alloc(count * sizeof(*pod->mounts));
		pod->mount_count = count;
		for (size_t i = 0; i < count; i++) {
			pod->mounts[i].spec = kt_at(volumes, i);
			pod->mounts[i].name = kt_str_or(kt_get(kt_at(volumes, i), "name"), "");
		}
	}
	for (size_t i = 0; i < pod->mount_count; i++)
		if (!pod->mounts[i].volume && !set_up(pod, &pod->mounts[i], false, why))
			return false;
	return true;
}

void kubelet_volumes_clear(struct kubelet_pod *pod)
{
	for (size_t i = 0; i < pod->mount_count; i++)
		volume_free(pod->mounts[i].volume);
	kt_free(pod->mounts);
	pod->mounts = NULL;
	pod->mount_count = 0;
}

void kubelet_volumes_refresh(struct kubelet_pod *pod)
{
	for (size_t i = 0; i < pod->mount_count; i++) {
		char *why = NULL;

		if (!set_up(pod, &pod->mounts[i], true, &why))
			kubelet_event(pod, NULL, true, "FailedMount", "%s", why);
		kt_free(why);
	}
}

bool kubelet_volumes_tell_of_pod(const struct kubelet_pod *pod)
{
	for (size_t i = 0; i < pod->mount_count; i++) {
		const struct kt_json *spec = pod->mounts[i].spec, *source;

		if (kt_get(spec, "downwardAPI"))
			return true;
		KT_JSON_EACH (source, kt_path(spec, "projected.sources"))
			if (kt_get(source, "downwardAPI"))
				return true;
	}
	return false;
}

bool kubelet_volumes_uses(const struct kubelet_pod *pod, bool secret, const char *name)
{
	for (size_t i = 0; i < pod->mount_count; i++) {
		const struct kt_json *spec = pod->mounts[i].spec, *source;
		const struct kt_json *own = kt_get(spec, secret ? "secret" : "configMap");

		if (own && kt_streq(kt_get_str(own, secret ? "secretName" : "name"), name))
			return true;
		KT_JSON_EACH (source, kt_path(spec, "projected.sources")) {
			if (kt_streq(kt_path_str(source, secret ? "secret.name" : "configMap.name"), name))
				return true;
		}
	}
	return false;
}

/* Shorter paths first, so that what is mounted below another mount is seen. */
static int by_path(const void *a, const void *b)
{
	const struct kt_json *const *x = a, *const *y = b;
	const char *one = kt_str_or(kt_get(*x, "mountPath"), ""),
	           *two = kt_str_or(kt_get(*y, "mountPath"), "");

	return strcmp(one, two);
}

bool kubelet_volumes_mount(struct kubelet_ctr *ctr, char **why)
{
	const struct kubelet_pod *pod = ctr->pod;
	const struct kt_json *list = kt_get(ctr->spec, "volumeMounts");
	const struct kt_json *sorted[64];
	size_t count = KT_MIN(kt_count(list), KT_COUNT(sorted));

	ctr->pub.files = files_new(NULL);
	for (size_t i = 0; i < count; i++)
		sorted[i] = kt_at(list, i);
	qsort(sorted, count, sizeof(sorted[0]), by_path);
	for (size_t i = 0; i < count; i++) {
		const char *name = kt_str_or(kt_get(sorted[i], "name"), ""),
		           *sub = kt_get_str(sorted[i], "subPath");
		const char *form = kt_get_str(sorted[i], "subPathExpr"),
		           *path = kt_get_str(sorted[i], "mountPath");
		char *expanded = form ? kubelet_expand(form, ctr->pub.env) : NULL;
		bool found = false;

		for (size_t j = 0; j < pod->mount_count && path; j++) {
			if (strcmp(pod->mounts[j].name, name) != 0 || !pod->mounts[j].volume)
				continue;
			files_mount(ctr->pub.files, path, pod->mounts[j].volume, expanded ? expanded : sub,
			            kt_get_bool(sorted[i], "readOnly", false) ||
			                    kt_path_bool(pod->mounts[j].spec,
			                                 "persistentVolumeClaim.readOnly", false));
			found = true;
		}
		kt_free(expanded);
		if (!found) {
			*why = kt_strf("cannot find volume \"%s\" to mount into container \"%s\"", name,
			               ctr->pub.name);
			return false;
		}
	}
	return true;
}
