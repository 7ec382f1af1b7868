/* SPDX-License-Identifier: MIT */
/* Dynamic volumes: the binder's side (kubernetes pkg/controller/volume/persistentvolume/pv_controller.go
 * provisionClaim) and the one provisioner that this cluster runs, which keeps volumes on the nodes' disks. */
#include "cluster/controllers/volume.h"

#include <string.h>

#define LOCAL     "rancher.io/local-path"
#define COMPONENT "rancher.io/local-path_local-path-provisioner"

static void claim_event(struct cluster *cluster, struct controller_queue *queue,
                        const struct store_object *claim, const char *type, const char *reason,
                        const char *text)
{
	struct api_actor actor = controller_actor(queue, claim);
	api_event(cluster, &actor, claim, type, reason, NULL, NULL, "%s", text);
}

static const struct store_object *annotate(struct cluster *cluster, struct controller_queue *queue,
                                           const struct store_object *claim, const char *provisioner)
{
	static const char *const names[] = {"volume.beta.kubernetes.io/storage-provisioner",
	                                    "volume.kubernetes.io/storage-provisioner"};
	struct api_actor actor = controller_actor(queue, claim);
	if (kt_streq(controller_annotation(claim->json, names[1]), provisioner))
		return claim;
	struct kt_json *json = kt_json_ref(claim->json);
	for (size_t i = 0; i < KT_COUNT(names); i++)
		controller_set_annotation(&json, names[i], provisioner);
	return controller_write(cluster, &actor, claim, json);
}

static struct kt_json *local_volume(struct cluster *cluster, struct controller_queue *queue,
                                    const struct store_object *claim, const struct store_object *class)
{
	const struct kt_json *spec = kt_get(claim->json, "spec");
	const char *node_name = controller_annotation(claim->json, VOLUME_SELECTED_NODE);
	const struct store_object *node =
	        node_name ? store_get(cluster_store(cluster), queue->kinds->node, "", node_name) : NULL;
	char *name = kt_strf("pvc-%s", claim->uid);
	char *path = kt_strf("/var/local-path-provisioner/pvc-%s_%s_%s", claim->uid, claim->ns, claim->name);
	char *version = kt_strf("%llu", (unsigned long long)claim->version);
	struct kt_json *volume = kt_jsonf(
	        "{apiVersion: 'v1', kind: 'PersistentVolume', metadata: {name: %s, annotations: {%s: %s}}, "
	        "spec: {capacity: {storage: %J}, hostPath: {path: %s, type: 'DirectoryOrCreate'}, "
	        "accessModes: %J, "
	        "claimRef: {kind: 'PersistentVolumeClaim', namespace: %s, name: %s, uid: %s, apiVersion: "
	        "'v1', "
	        "resourceVersion: %s}, persistentVolumeReclaimPolicy: %s, storageClassName: %s, volumeMode: "
	        "%s}}",
	        name, VOLUME_PROVISIONED, LOCAL, kt_path(spec, "resources.requests.storage"), path,
	        kt_get(spec, "accessModes"), claim->ns, claim->name, claim->uid, version,
	        kt_str_or(kt_get(class->json, "reclaimPolicy"), "Delete"), class->name,
	        kt_str_or(kt_get(spec, "volumeMode"), "Filesystem"));
	if (node) {
		controller_set_annotation(&volume, "local.path.provisioner/selected-node", node->name);
		kt_set_path(&volume, "spec.nodeAffinity",
		            kt_jsonf("{required: {nodeSelectorTerms: [{matchExpressions: [{key: "
		                     "'kubernetes.io/hostname', operator: 'In', values: [%s]}]}]}}",
		                     view_node(node)->hostname ? view_node(node)->hostname : node->name));
	}
	kt_free(name);
	kt_free(path);
	kt_free(version);
	return volume;
}

static void provision_local(struct cluster *cluster, struct controller_queue *queue,
                            const struct store_object *claim, const struct store_object *class)
{
	struct api_actor actor = {
	        .user = "system:serviceaccount:local-path-storage:local-path-provisioner-service-account",
	        .manager = "local-path-provisioner",
	        .component = COMPONENT,
	        .because = claim};
	struct api_status status = {0};
	api_event(cluster, &actor, claim, "Normal", "Provisioning", NULL, NULL,
	          "External provisioner is provisioning volume for claim \"%s/%s\"", claim->ns, claim->name);
	const struct store_object *volume = api_create(cluster, &actor, queue->kinds->pv,
	                                               local_volume(cluster, queue, claim, class), &status);
	if (volume)
		api_event(cluster, &actor, claim, "Normal", "ProvisioningSucceeded", NULL, NULL,
		          "Successfully provisioned volume %s", volume->name);
	else if (status.code != 409)
		api_event(cluster, &actor, claim, "Warning", "ProvisioningFailed", NULL, NULL,
		          "failed to provision volume with StorageClass \"%s\": %s", class->name,
		          status.message ? status.message : "");
	api_status_clear(&status);
}

void volume_provision(struct cluster *cluster, struct controller_queue *queue,
                      const struct store_object *claim, const char *class_name)
{
	const struct store_object *class =
	        store_get(cluster_store(cluster), queue->kinds->storage_class, "", class_name);
	if (!class) {
		char *text = kt_strf("storageclass.storage.k8s.io \"%s\" not found", class_name);
		claim_event(cluster, queue, claim, "Warning", "ProvisioningFailed", text);
		kt_free(text);
		return;
	}
	const char *provisioner = kt_str_or(kt_get(class->json, "provisioner"), "");
	if (kt_streq(provisioner, "kubernetes.io/no-provisioner"))
		return;
	const struct store_object *now = annotate(cluster, queue, claim, provisioner);
	if (!now)
		return;
	now = store_ref(now);
	char *text = kt_strf(
	        "Waiting for a volume to be created either by the external provisioner '%s' or manually by "
	        "the system administrator. If volume creation is delayed, please verify that the "
	        "provisioner is running and correctly registered.",
	        provisioner);
	claim_event(cluster, queue, now, "Normal", "ExternalProvisioning", text);
	kt_free(text);
	if (kt_streq(provisioner, LOCAL))
		provision_local(cluster, queue, now, class);
	store_unref(now);
}

/* Why the controller's own plugins cannot delete it, owned; NULL if one does. `theirs`: somebody else's work.
 * (pkg/controller/volume/persistentvolume, doDeleteVolume; pkg/volume/hostpath.) */
static char *why_kept(const struct store_object *volume, bool *theirs)
{
	static const char *const keepers[] = {"nfs", "iscsi", "fc"}; /* it knows them, they delete nothing */
	const struct kt_json *spec = kt_get(volume->json, "spec");
	const char *path = kt_path_str(spec, "hostPath.path");
	const char *after = path ? strstr(path, "/tmp/") : NULL, *why = "no volume plugin matched";
	*theirs = kt_get(spec, "csi") || controller_annotation(volume->json, VOLUME_PROVISIONED);
	if (*theirs || (after && after[5]))
		return NULL;
	if (path)
		return kt_strf("host_path deleter only supports /tmp/.+ but received provided %s", path);
	for (size_t i = 0; i < KT_COUNT(keepers); i++) {
		if (kt_get(spec, keepers[i]))
			why = "no deletable volume plugin matched";
	}
	return kt_strf("error getting deleter volume plugin for volume \"%s\": %s", volume->name, why);
}

void volume_remove(struct cluster *cluster, struct controller_queue *queue, const struct store_object *volume)
{
	struct api_actor actor = controller_actor(queue, volume);
	bool ours = kt_streq(controller_annotation(volume->json, VOLUME_PROVISIONED), LOCAL), theirs;
	char *why = why_kept(volume, &theirs);
	if (why) {
		struct kt_json *status = kt_json_ref(kt_get(volume->json, "status"));
		kt_set(&status, "phase", kt_json_str("Failed"));
		kt_set(&status, "message", kt_json_str(why));
		api_event(cluster, &actor, volume, "Warning", "VolumeFailedDelete", NULL, NULL, "%s", why);
		(void)controller_write_status(cluster, &actor, volume, status);
	} else if (ours || !theirs) {
		controller_delete(cluster, &actor, volume, NULL, NULL);
	}
	kt_free(why);
}

void volume_make_class(struct cluster *cluster, struct controller_queue *queue)
{
	struct api_actor actor = {
	        .user = "kubernetes-admin", .manager = "kubectl-client-side-apply", .component = "bootstrap"};
	if (store_count(cluster_store(cluster), queue->kinds->storage_class, NULL))
		return;
	api_create(cluster, &actor, queue->kinds->storage_class,
	           kt_jsonf("{apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: {name: "
	                    "'standard', "
	                    "annotations: {'storageclass.kubernetes.io/is-default-class': 'true'}}, "
	                    "provisioner: %s, reclaimPolicy: 'Delete', volumeBindingMode: "
	                    "'WaitForFirstConsumer'}",
	                    LOCAL),
	           NULL);
}
