/* SPDX-License-Identifier: MIT */
/* Whom the control plane's parts are: a service account for each controller (kubernetes
 * cmd/kube-controller-manager/app, getOrCreateServiceAccount of controller-manager/pkg/clientbuilder), and
 * what the API server tells extension servers of how it knows its clients (pkg/controlplane/controller). */
#include "cluster/api/internal.h"

static const struct api_actor server = {
        .user = "system:apiserver", .manager = "kube-apiserver", .component = "kube-apiserver"};
static const struct api_actor manager = {.user = "system:kube-controller-manager",
                                         .manager = "kube-controller-manager",
                                         .component = "kube-controller-manager"};

static void create(struct cluster *cluster, const struct api_actor *actor, const char *kind,
                   struct kt_json *steal)
{
	(void)api_create(cluster, actor, schema_stored(cluster_schema(cluster), "", kind), steal, NULL);
}

static void accounts(struct cluster *cluster)
{
	static const char *const names[] = {
	        "attachdetach-controller",
	        "bootstrap-signer",
	        "certificate-controller",
	        "clusterrole-aggregation-controller",
	        "cronjob-controller",
	        "daemon-set-controller",
	        "deployment-controller",
	        "disruption-controller",
	        "endpoint-controller",
	        "endpointslice-controller",
	        "endpointslicemirroring-controller",
	        "ephemeral-volume-controller",
	        "expand-controller",
	        "generic-garbage-collector",
	        "horizontal-pod-autoscaler",
	        "job-controller",
	        "legacy-service-account-token-cleaner",
	        "namespace-controller",
	        "node-controller",
	        "persistent-volume-binder",
	        "pod-garbage-collector",
	        "pv-protection-controller",
	        "pvc-protection-controller",
	        "replicaset-controller",
	        "replication-controller",
	        "resource-claim-controller",
	        "resourcequota-controller",
	        "root-ca-cert-publisher",
	        "service-account-controller",
	        "service-cidrs-controller",
	        "statefulset-controller",
	        "token-cleaner",
	        "ttl-after-finished-controller",
	        "ttl-controller",
	        "validatingadmissionpolicy-status-controller",
	        "volumeattributesclass-protection-controller",
	};

	for (size_t i = 0; i < KT_COUNT(names); i++)
		create(cluster, &manager, "ServiceAccount",
		       kt_jsonf("{metadata: {name: %s, namespace: 'kube-system'}}", names[i]));
}

void api_bootstrap_accounts(struct cluster *cluster)
{
	const char *ca = cluster_get_options(cluster)->ca_pem;
	char *now = api_time(cluster_now(cluster));

	accounts(cluster);
	create(cluster, &server, "ConfigMap",
	       kt_jsonf("{metadata: {name: 'extension-apiserver-authentication', namespace: 'kube-system'}, "
	                "data: {'client-ca-file': %s, 'requestheader-allowed-names': "
	                "'[\"front-proxy-client\"]', 'requestheader-client-ca-file': %s, "
	                "'requestheader-extra-headers-prefix': '[\"X-Remote-Extra-\"]', "
	                "'requestheader-group-headers': '[\"X-Remote-Group\"]', "
	                "'requestheader-username-headers': '[\"X-Remote-User\"]'}}",
	                ca ? ca : "", ca ? ca : ""));
	now[10] = '\0'; /* the date */
	create(cluster, &server, "ConfigMap",
	       kt_jsonf("{metadata: {name: 'kube-apiserver-legacy-service-account-token-tracking', "
	                "namespace: 'kube-system'}, data: {since: %s}}",
	                now));
	kt_free(now);
}
