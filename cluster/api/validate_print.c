/* SPDX-License-Identifier: MIT */
/* Values as Go prints the server's internal types, since error messages show them, and diffs of them. */
#include "cluster/api/validate.h"

#include <string.h>

/* A type's fields in the order of pkg/apis/GROUP/types.go: Name, "(json)" where it is not the name with a
 * small first letter, ":" and what is printed: s "" i 0 b false n null when unset, as it is else; T a struct,
 * *T a struct or null, []T a list or null, {}T a map or null. */
struct internal {
	const char *type, *fields;
};
static const struct internal types[] = {
        {"PodSpec",
         "Volumes:[]Volume InitContainers:[]Container Containers:[]Container "
         "EphemeralContainers:[]EphemeralContainer RestartPolicy:s TerminationGracePeriodSeconds:n "
         "ActiveDeadlineSeconds:n DNSPolicy(dnsPolicy):s NodeSelector:n ServiceAccountName:s "
         "AutomountServiceAccountToken:n NodeName:s SecurityContext:*PodSecurityContext "
         "ImagePullSecrets:[]LocalObjectReference Hostname:s Subdomain:s SetHostnameAsFQDN:n "
         "Affinity:*Affinity SchedulerName:s Tolerations:[]Toleration HostAliases:[]HostAlias "
         "PriorityClassName:s Priority:n PreemptionPolicy:n DNSConfig(dnsConfig):*PodDNSConfig "
         "ReadinessGates:[]PodReadinessGate RuntimeClassName:n Overhead:n EnableServiceLinks:n "
         "TopologySpreadConstraints:[]TopologySpreadConstraint OS(os):*PodOS "
         "SchedulingGates:[]PodSchedulingGate ResourceClaims:[]PodResourceClaim "
         "Resources:*ResourceRequirements HostnameOverride:n"},
        {"Container",
         "Name:s Image:s Command:n Args:n WorkingDir:s Ports:[]ContainerPort EnvFrom:[]EnvFromSource "
         "Env:[]EnvVar Resources:ResourceRequirements ResizePolicy:[]ContainerResizePolicy "
         "RestartPolicy:n RestartPolicyRules:n VolumeMounts:[]VolumeMount VolumeDevices:[]VolumeDevice "
         "LivenessProbe:*Probe ReadinessProbe:*Probe StartupProbe:*Probe Lifecycle:*Lifecycle "
         "TerminationMessagePath:s TerminationMessagePolicy:s ImagePullPolicy:s "
         "SecurityContext:*SecurityContext Stdin:b StdinOnce:b TTY(tty):b"},
        {"EphemeralContainer",
         "Name:s Image:s Command:n Args:n WorkingDir:s Ports:[]ContainerPort EnvFrom:[]EnvFromSource "
         "Env:[]EnvVar Resources:ResourceRequirements ResizePolicy:[]ContainerResizePolicy "
         "RestartPolicy:n RestartPolicyRules:n VolumeMounts:[]VolumeMount VolumeDevices:[]VolumeDevice "
         "LivenessProbe:*Probe ReadinessProbe:*Probe StartupProbe:*Probe Lifecycle:*Lifecycle "
         "TerminationMessagePath:s TerminationMessagePolicy:s ImagePullPolicy:s "
         "SecurityContext:*SecurityContext Stdin:b StdinOnce:b TTY(tty):b TargetContainerName:s"},
        {"ResourceRequirements", "Limits:n Requests:n Claims:[]ResourceClaim"},
        {"ResourceClaim", "Name:s Request:s"},
        {"ContainerResizePolicy", "ResourceName:s RestartPolicy:s"},
        {"ContainerPort", "Name:s HostPort:i ContainerPort:i Protocol:s HostIP:s"},
        {"EnvVar", "Name:s Value:s ValueFrom:*EnvVarSource"},
        {"EnvVarSource", "FieldRef:*ObjectFieldSelector ResourceFieldRef:*ResourceFieldSelector "
                         "ConfigMapKeyRef:*KeySelector SecretKeyRef:*KeySelector FileKeyRef:n"},
        {"KeySelector", "Name:s Key:s Optional:n"},
        {"ObjectFieldSelector", "APIVersion(apiVersion):s FieldPath:s"},
        {"ResourceFieldSelector", "ContainerName:s Resource:s Divisor:q"},
        {"EnvFromSource", "Prefix:s ConfigMapRef:*OptionalRef SecretRef:*OptionalRef"},
        {"OptionalRef", "Name:s Optional:n"},
        {"VolumeMount",
         "Name:s ReadOnly:b RecursiveReadOnly:n MountPath:s SubPath:s MountPropagation:n SubPathExpr:s"},
        {"VolumeDevice", "Name:s DevicePath:s"},
        {"Probe", "Exec:*ExecAction HTTPGet(httpGet):*HTTPGetAction TCPSocket(tcpSocket):*TCPSocketAction "
                  "GRPC(grpc):*GRPCAction InitialDelaySeconds:i TimeoutSeconds:i PeriodSeconds:i "
                  "SuccessThreshold:i FailureThreshold:i TerminationGracePeriodSeconds:n"},
        {"ExecAction", "Command:n"},
        {"HTTPGetAction", "Path:s Port:i Host:s Scheme:s HTTPHeaders(httpHeaders):[]HTTPHeader"},
        {"HTTPHeader", "Name:s Value:s"},
        {"TCPSocketAction", "Port:i Host:s"},
        {"GRPCAction", "Port:i Service:n"},
        {"SleepAction", "Seconds:i"},
        {"Lifecycle", "PostStart:*LifecycleHandler PreStop:*LifecycleHandler StopSignal:n"},
        {"LifecycleHandler",
         "Exec:*ExecAction HTTPGet(httpGet):*HTTPGetAction TCPSocket(tcpSocket):*TCPSocketAction "
         "Sleep:*SleepAction"},
        {"SecurityContext",
         "Capabilities:*Capabilities Privileged:n SELinuxOptions(seLinuxOptions):*SELinuxOptions "
         "WindowsOptions:n RunAsUser:n RunAsGroup:n RunAsNonRoot:n ReadOnlyRootFilesystem:n "
         "AllowPrivilegeEscalation:n ProcMount:n SeccompProfile:*SeccompProfile "
         "AppArmorProfile:*AppArmorProfile"},
        {"Capabilities", "Add:n Drop:n"},
        {"SELinuxOptions", "User:s Role:s Type:s Level:s"},
        {"SeccompProfile", "Type:s LocalhostProfile:n"},
        {"AppArmorProfile", "Type:s LocalhostProfile:n"},
        {"PodSecurityContext",
         "HostNetwork:b HostPID:b HostIPC:b ShareProcessNamespace:n HostUsers:n "
         "SELinuxOptions(seLinuxOptions):*SELinuxOptions WindowsOptions:n RunAsUser:n RunAsGroup:n "
         "RunAsNonRoot:n SupplementalGroups:n SupplementalGroupsPolicy:n FSGroup(fsGroup):n "
         "FSGroupChangePolicy(fsGroupChangePolicy):n Sysctls:[]Sysctl SeccompProfile:*SeccompProfile "
         "AppArmorProfile:*AppArmorProfile SELinuxChangePolicy(seLinuxChangePolicy):n"},
        {"Sysctl", "Name:s Value:s"},
        {"LocalObjectReference", "Name:s"},
        {"Toleration", "Key:s Operator:s Value:s Effect:s TolerationSeconds:n"},
        {"HostAlias", "IP(ip):s Hostnames:n"},
        {"PodDNSConfig", "Nameservers:n Searches:n Options:[]PodDNSConfigOption"},
        {"PodDNSConfigOption", "Name:s Value:n"},
        {"PodReadinessGate", "ConditionType:s"},
        {"PodSchedulingGate", "Name:s"},
        {"PodOS", "Name:s"},
        {"PodResourceClaim", "Name:s ResourceClaimName:n ResourceClaimTemplateName:n"},
        {"TopologySpreadConstraint",
         "MaxSkew:i TopologyKey:s WhenUnsatisfiable:s LabelSelector:n MinDomains:n NodeAffinityPolicy:n "
         "NodeTaintsPolicy:n MatchLabelKeys:n"},
        {"Affinity", "NodeAffinity:*NodeAffinity PodAffinity:*PodAffinity PodAntiAffinity:*PodAffinity"},
        {"NodeAffinity", "RequiredDuringSchedulingIgnoredDuringExecution:*NodeSelector "
                         "PreferredDuringSchedulingIgnoredDuringExecution:[]PreferredSchedulingTerm"},
        {"NodeSelector", "NodeSelectorTerms:[]NodeSelectorTerm"},
        {"NodeSelectorTerm",
         "MatchExpressions:[]NodeSelectorRequirement MatchFields:[]NodeSelectorRequirement"},
        {"NodeSelectorRequirement", "Key:s Operator:s Values:n"},
        {"PreferredSchedulingTerm", "Weight:i Preference:NodeSelectorTerm"},
        {"PodAffinity", "RequiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm "
                        "PreferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm"},
        {"WeightedPodAffinityTerm", "Weight:i PodAffinityTerm:PodAffinityTerm"},
        {"PodAffinityTerm", "LabelSelector:n Namespaces:n TopologyKey:s NamespaceSelector:n MatchLabelKeys:n "
                            "MismatchLabelKeys:n"},
        {"Volume",
         "Name:s HostPath:*HostPath EmptyDir:*EmptyDir GCEPersistentDisk(gcePersistentDisk):n "
         "AWSElasticBlockStore(awsElasticBlockStore):n GitRepo:n Secret:*SecretVolume NFS(nfs):*NFS "
         "ISCSI(iscsi):n Glusterfs:n PersistentVolumeClaim:*ClaimVolume RBD(rbd):n Quobyte:n FlexVolume:n "
         "Cinder:n CephFS(cephfs):n Flocker:n DownwardAPI(downwardAPI):*DownwardVolume FC(fc):n "
         "AzureFile:n ConfigMap:*ConfigMapVolume VsphereVolume:n AzureDisk:n PhotonPersistentDisk:n "
         "Projected:*Projected PortworxVolume:n ScaleIO(scaleIO):n StorageOS(storageos):n CSI(csi):n "
         "Ephemeral:n Image:*ImageVolume"},
        {"HostPath", "Path:s Type:n"},
        {"EmptyDir", "Medium:s SizeLimit:n"},
        {"NFS", "Server:s Path:s ReadOnly:b"},
        {"ImageVolume", "Reference:s PullPolicy:s"},
        {"SecretVolume", "SecretName:s Items:[]KeyToPath DefaultMode:n Optional:n"},
        {"ConfigMapVolume", "Name:s Items:[]KeyToPath DefaultMode:n Optional:n"},
        {"ClaimVolume", "ClaimName:s ReadOnly:b"},
        {"DownwardVolume", "Items:[]DownwardFile DefaultMode:n"},
        {"DownwardFile",
         "Path:s FieldRef:*ObjectFieldSelector ResourceFieldRef:*ResourceFieldSelector Mode:n"},
        {"KeyToPath", "Key:s Path:s Mode:n"},
        {"Projected", "Sources:[]Projection DefaultMode:n"},
        {"Projection",
         "Secret:*RefProjection DownwardAPI(downwardAPI):*DownwardProjection ConfigMap:*RefProjection "
         "ServiceAccountToken:*TokenProjection ClusterTrustBundle:n PodCertificate:n"},
        {"RefProjection", "Name:s Items:[]KeyToPath Optional:n"},
        {"DownwardProjection", "Items:[]DownwardFile"},
        {"TokenProjection", "Audience:s ExpirationSeconds:i Path:s"},
        {"ScopeSelector", "MatchExpressions:[]ScopedSelectorRequirement"},
        {"ScopedSelectorRequirement", "ScopeName:s Operator:s Values:n"},
        {"ServicePort", "Name:s Protocol:s AppProtocol:n Port:i TargetPort:i NodePort:i"},
        {"DeploymentStrategy", "Type:s RollingUpdate:*RollingUpdate"},
        {"RollingUpdate", "MaxUnavailable:i MaxSurge:i"},
        {"PodDisruptionBudgetSpec",
         "MinAvailable:n Selector:n MaxUnavailable:n UnhealthyPodEvictionPolicy:n"},
        {"CustomResourceDefinitionVersion",
         "Name:s Served:b Storage:b Deprecated:b DeprecationWarning:n Schema:*CustomResourceValidation "
         "Subresources:*CustomResourceSubresources "
         "AdditionalPrinterColumns:[]CustomResourceColumnDefinition SelectableFields:[]SelectableField"},
        {"CustomResourceValidation", "OpenAPIV3Schema(openAPIV3Schema):*JSONSchemaProps"},
        {"CustomResourceSubresources", "Status:n Scale:*CustomResourceSubresourceScale"},
        {"CustomResourceSubresourceScale", "SpecReplicasPath:s StatusReplicasPath:s LabelSelectorPath:n"},
        {"CustomResourceColumnDefinition",
         "Name:s Type:s Format:s Description:s Priority:i JSONPath(jsonPath):s"},
        {"SelectableField", "JSONPath(jsonPath):s"},
        {"JSONSchemaProps",
         "ID(id):s Schema($schema):s Ref($ref):n Description:s Type:s Nullable:b Format:s Title:s Default:n "
         "Maximum:n ExclusiveMaximum:b Minimum:n ExclusiveMinimum:b MaxLength:n MinLength:n Pattern:s "
         "MaxItems:n MinItems:n UniqueItems:b MultipleOf:n Enum:n MaxProperties:n MinProperties:n "
         "Required:n Items:*JSONSchemaPropsOrArray AllOf:[]JSONSchemaProps OneOf:[]JSONSchemaProps "
         "AnyOf:[]JSONSchemaProps Not:*JSONSchemaProps Properties:{}JSONSchemaProps "
         "AdditionalProperties:*JSONSchemaPropsOrBool PatternProperties:{}JSONSchemaProps Dependencies:n "
         "AdditionalItems:*JSONSchemaPropsOrBool Definitions:{}JSONSchemaProps "
         "ExternalDocs:*ExternalDocumentation Example:n "
         "XPreserveUnknownFields(x-kubernetes-preserve-unknown-fields):n "
         "XEmbeddedResource(x-kubernetes-embedded-resource):b "
         "XIntOrString(x-kubernetes-int-or-string):b XListMapKeys(x-kubernetes-list-map-keys):n "
         "XListType(x-kubernetes-list-type):n XMapType(x-kubernetes-map-type):n "
         "XValidations(x-kubernetes-validations):[]ValidationRule"},
        {"JSONSchemaPropsOrArray", "Schema:*JSONSchemaProps JSONSchemas(list):[]JSONSchemaProps"},
        {"JSONSchemaPropsOrBool", "Allows:b Schema:*JSONSchemaProps"},
        {"ExternalDocumentation", "Description:s URL(url):s"},
        {"Subject", "Kind:s APIGroup(apiGroup):s Name:s Namespace:s"},
        {"RoleRef", "APIGroup(apiGroup):s Kind:s Name:s"},
        {"PersistentVolumeClaimSpec",
         "AccessModes:n Selector:n Resources:VolumeResources VolumeName:s StorageClassName:n VolumeMode:n "
         "DataSource:*TypedReference DataSourceRef:*TypedReference VolumeAttributesClassName:n"},
        {"VolumeResources", "Limits:n Requests:n"},
        {"TypedReference", "APIGroup(apiGroup):n Kind:s Name:s Namespace:n"},
        {"IngressBackend", "Service:*IngressServiceBackend Resource:n"},
        {"IngressServiceBackend", "Name:s Port:ServiceBackendPort"},
        {"ServiceBackendPort", "Name:s Number:i"},
        {"LimitRangeItem", "Type:s Max:n Min:n Default:n DefaultRequest:n MaxLimitRequestRatio:n"},
        {"NetworkPolicyPort", "Protocol:n Port:n EndPort:n"},
        {"SuccessPolicy", "Rules:[]SuccessPolicyRule"},
        {"SuccessPolicyRule", "SucceededIndexes:n SucceededCount:n"},
        {"StatefulRollingUpdate", "Partition:i MaxUnavailable:n"},
        {"PersistentVolumeSource",
         "GCEPersistentDisk(gcePersistentDisk):n AWSElasticBlockStore(awsElasticBlockStore):n "
         "HostPath:*HostPath Glusterfs:n NFS(nfs):*NFS RBD(rbd):n Quobyte:n ISCSI(iscsi):n FlexVolume:n "
         "Cinder:n CephFS(cephfs):n FC(fc):n Flocker:n AzureFile:n VsphereVolume:n AzureDisk:n "
         "PhotonPersistentDisk:n PortworxVolume:n ScaleIO(scaleIO):n Local:*LocalVolume "
         "StorageOS(storageos):n CSI(csi):*CSIVolume"},
        {"LocalVolume", "Path:s FSType(fsType):n"},
        {"CSIVolume", "Driver:s VolumeHandle:s ReadOnly:b FSType(fsType):s VolumeAttributes:n "
                      "ControllerPublishSecretRef:n NodeStageSecretRef:n NodePublishSecretRef:n "
                      "ControllerExpandSecretRef:n NodeExpandSecretRef:n"},
        {"VolumeNodeAffinity", "Required:*NodeSelector"},
        {"Taint", "Key:s Value:s Effect:s TimeAdded:n"},
        {"AllocationResult", "Devices:AllocatedDevices NodeSelector:*NodeSelector AllocationTimestamp:n"},
        {"AllocatedDevices", "Results:[]AllocatedDevice Config:[]AllocatedConfig"},
        {"AllocatedDevice", "Request:s Driver:s Pool:s Device:s AdminAccess:n Tolerations:[]DeviceToleration "
                            "BindingConditions:n BindingFailureConditions:n ShareID(shareID):n "
                            "ConsumedCapacity:n"},
        {"AllocatedConfig", "Source:s Requests:n Opaque:*DeviceOpaque"},
        {"PodResourceClaim", "Name:s ResourceClaimName:n ResourceClaimTemplateName:n"},
        {"ResourceClaimSpec", "Devices:DeviceClaim"},
        {"DeviceClaim", "Requests:[]DeviceRequest Constraints:[]DeviceConstraint Config:[]DeviceClaimConfig"},
        {"DeviceRequest", "Name:s Exactly:*ExactRequest FirstAvailable:[]DeviceSubRequest"},
        {"ExactRequest",
         "DeviceClassName:s Selectors:[]DeviceSelector AllocationMode:s Count:i AdminAccess:n "
         "Tolerations:[]DeviceToleration Capacity:n"},
        {"DeviceSubRequest", "Name:s DeviceClassName:s Selectors:[]DeviceSelector AllocationMode:s Count:i "
                             "Tolerations:[]DeviceToleration Capacity:n"},
        {"DeviceSelector", "CEL(cel):*CELSelector"},
        {"CELSelector", "Expression:s"},
        {"DeviceToleration", "Key:s Operator:s Value:s Effect:s TolerationSeconds:n"},
        {"DeviceConstraint", "Requests:n MatchAttribute:n DistinctAttribute:n"},
        {"DeviceClaimConfig", "Requests:n Opaque:*DeviceOpaque"},
        {"DeviceOpaque", "Driver:s Parameters:n"},
        {"DeviceAttribute",
         "IntValue(int):n BoolValue(bool):n StringValue(string):n VersionValue(version):n"},
        {"ValidationRule", "Rule:s Message:s MessageExpression:s Reason:n FieldPath:s OptionalOldSelf:n"},
};

struct field {
	char name[64], json[64], kind[64];
};

/* Take the next field off the text; false at the end. */
static bool next_field(const char **text, struct field *f)
{
	const char *s = *text;
	size_t n = strcspn(s, "(:");
	if (!*s || n == 0 || n >= sizeof(f->name))
		return false;
	memcpy(f->name, s, n);
	f->name[n] = '\0';
	memcpy(f->json, f->name, n + 1);
	if (f->json[0] >= 'A' && f->json[0] <= 'Z')
		f->json[0] = (char)(f->json[0] - 'A' + 'a');
	s += n;
	if (*s == '(') {
		n = strcspn(++s, ")");
		memcpy(f->json, s, n);
		f->json[n] = '\0';
		s += n + 1;
	}
	n = strcspn(++s, " ");
	memcpy(f->kind, s, n);
	f->kind[n] = '\0';
	s += n;
	*text = *s ? s + 1 : s;
	return true;
}

static const char *fields_of(const char *type)
{
	for (size_t i = 0; i < KT_COUNT(types); i++)
		if (strcmp(types[i].type, type) == 0)
			return types[i].fields;
	return NULL;
}

static struct kt_json *print_struct(const char *type, const struct kt_json *value);

static struct kt_json *print_field(const char *kind, const struct kt_json *value)
{
	const struct kt_json *item;
	bool unset = kt_json_type(value) == KT_JSON_NULL;
	if (kind[0] == '[') {
		struct kt_json *out = unset ? kt_json_null() : kt_json_array();
		KT_JSON_EACH (item, value)
			kt_push(&out, print_struct(kind + 2, item));
		return out;
	}
	if (kind[0] == '{') {
		struct kt_json *out = unset ? kt_json_null() : kt_json_object();
		KT_JSON_EACH (item, value)
			kt_set(&out, kt_key(value, item_i), print_struct(kind + 2, item));
		return out;
	}
	if (kind[0] == '*')
		return unset ? kt_json_null() : print_struct(kind + 1, value);
	if (kind[1])
		return print_struct(kind, value);
	if (!unset)
		return kt_json_ref(value);
	switch (kind[0]) {
	case 's':
		return kt_json_str("");
	case 'i':
		return kt_json_int(0);
	case 'b':
		return kt_json_bool(false);
	case 'q':
		return kt_json_str("0");
	default:
		return kt_json_null();
	}
}

/* What is a schema or something else, as the struct that it is internally. New. */
static struct kt_json *spread(const char *type, const struct kt_json *value)
{
	if (strcmp(type, "JSONSchemaPropsOrArray") == 0)
		return kt_is_array(value) ? kt_jsonf("{list: %J}", value) : kt_jsonf("{schema: %J}", value);
	if (strcmp(type, "JSONSchemaPropsOrBool") == 0)
		return kt_is_object(value) ? kt_jsonf("{allows: %b, schema: %J}", 1, value)
		                           : kt_jsonf("{allows: %J}", value);
	return kt_json_ref(value);
}

static struct kt_json *print_struct(const char *type, const struct kt_json *value)
{
	const char *fields = fields_of(type);
	struct kt_json *out = kt_json_object();
	struct field f;
	if (!fields) {
		kt_json_free(out);
		return kt_json_ref(value);
	}
	struct kt_json *members = spread(type, value);
	while (next_field(&fields, &f))
		kt_set(&out, f.name, print_field(f.kind, kt_get(members, f.json)));
	kt_json_free(members);
	return out;
}

/* Internally the host's namespaces belong to the security context. */
static struct kt_json *print_pod_spec(const struct kt_json *spec)
{
	static const char *const moved[] = {"hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace",
	                                    "hostUsers"};
	struct kt_json *copy = kt_json_ref(spec);
	for (size_t i = 0; i < KT_COUNT(moved); i++)
		if (kt_get(spec, moved[i]))
			kt_set(kt_edit(&copy, "securityContext"), moved[i],
			       kt_json_ref(kt_get(spec, moved[i])));
	struct kt_json *out = print_struct("PodSpec", copy);
	kt_json_free(copy);
	return out;
}

struct kt_json *v_internal(struct v *v, const char *type, const struct kt_json *value)
{
	(void)v;
	if (strcmp(type, "PodSpec") == 0)
		return print_pod_spec(value);
	if (strcmp(type, "PodTemplateSpec") == 0) {
		struct kt_json *out = kt_json_ref(kt_get(value, "metadata"));
		kt_set(&out, "Spec", print_pod_spec(kt_get(value, "spec")));
		return out;
	}
	if (strcmp(type, "ResourceClaimTemplateSpec") == 0) {
		struct kt_json *out = kt_json_ref(kt_get(value, "metadata"));
		kt_set(&out, "Spec", print_struct("ResourceClaimSpec", kt_get(value, "spec")));
		return out;
	}
	if (kt_starts(type, "[]"))
		return print_field(type, value);
	return print_struct(type, value);
}

/* --- diffs --- */

struct lines {
	struct kt_buf text;
	const char **item;
	size_t *len;
	size_t count;
};

static void lines_init(struct lines *l, const struct kt_json *value)
{
	size_t cap = 0;
	*l = (struct lines){0};
	kt_json_print_pretty(value, 1, &l->text);
	const char *rest = kt_buf_str(&l->text), *line;
	size_t len, lcap = 0;
	while ((line = kt_split(&rest, '\n', &len)) != NULL) {
		if (!rest && len == 0)
			break;
		l->item = kt_grow((void *)(uintptr_t)l->item, &cap, l->count + 1, sizeof(*l->item));
		l->len = kt_grow(l->len, &lcap, l->count + 1, sizeof(*l->len));
		l->item[l->count] = line;
		l->len[l->count++] = len;
	}
}

static void lines_clear(struct lines *l)
{
	kt_buf_clear(&l->text);
	kt_free((void *)(uintptr_t)l->item);
	kt_free(l->len);
}

static bool same_line(const struct lines *a, size_t i, const struct lines *b, size_t j)
{
	return a->len[i] == b->len[j] && memcmp(a->item[i], b->item[j], a->len[i]) == 0;
}

/* One step of an edit script: ' ' both, '-' old only, '+' new only. */
struct script {
	char *ops;
	size_t count, cap;
};

static void step(struct script *s, char op)
{
	s->ops = kt_grow(s->ops, &s->cap, s->count + 1, 1);
	s->ops[s->count++] = op;
}

#define MAX_MIDDLE 1500 /* lines that are compared exactly; beyond, the middle counts as replaced */

/* The longest common subsequence of the middle parts. */
static void middle(const struct lines *a, size_t a0, size_t a1, const struct lines *b, size_t b0, size_t b1,
                   struct script *s)
{
	size_t n = a1 - a0, m = b1 - b0, i = 0, j = 0;
	uint16_t *best =
	        n > 0 && m > 0 && n <= MAX_MIDDLE && m <= MAX_MIDDLE ? kt_alloc((n + 1) * (m + 1) * 2) : NULL;
	for (size_t x = n; best && x-- > 0;)
		for (size_t y = m; y-- > 0;) {
			uint16_t down = best[(x + 1) * (m + 1) + y], right = best[x * (m + 1) + y + 1];
			best[x * (m + 1) + y] = same_line(a, a0 + x, b, b0 + y)
			                                ? (uint16_t)(best[(x + 1) * (m + 1) + y + 1] + 1)
			                                : (down >= right ? down : right);
		}
	while (i < n || j < m) {
		if (best && i < n && j < m && same_line(a, a0 + i, b, b0 + j)) {
			step(s, ' ');
			i++, j++;
		} else if (i < n &&
		           (j >= m || !best || best[(i + 1) * (m + 1) + j] >= best[i * (m + 1) + j + 1])) {
			step(s, '-');
			i++;
		} else {
			step(s, '+');
			j++;
		}
	}
	kt_free(best);
}

static void print_range(struct kt_buf *out, char sign, size_t start, size_t count)
{
	kt_buf_addf(out, "%c%zu", sign, count == 0 ? start : start + 1);
	if (count != 1)
		kt_buf_addf(out, ",%zu", count);
}

#define CONTEXT 3

/* Hunks with three lines around each change, joined where they touch. */
static void print_hunks(const struct lines *a, const struct lines *b, const struct script *s,
                        struct kt_buf *out)
{
	size_t i = 0, j = 0, at = 0;
	while (at < s->count) {
		size_t first = at, same = 0, end;
		while (first < s->count && s->ops[first] == ' ')
			first++;
		if (first == s->count)
			return;
		size_t start = first - at > CONTEXT ? first - CONTEXT : at;
		i += start - at, j += start - at;
		for (end = first; end < s->count && same <= 2 * CONTEXT; end++)
			same = s->ops[end] == ' ' ? same + 1 : 0;
		if (same > CONTEXT)
			end -= same - CONTEXT;
		size_t ac = 0, bc = 0;
		for (size_t k = start; k < end; k++) {
			ac += s->ops[k] != '+';
			bc += s->ops[k] != '-';
		}
		kt_buf_adds(out, "@@ ");
		print_range(out, '-', i, ac);
		kt_buf_addc(out, ' ');
		print_range(out, '+', j, bc);
		kt_buf_adds(out, " @@\n");
		for (size_t k = start; k < end; k++) {
			bool old = s->ops[k] != '+';
			kt_buf_addc(out, s->ops[k]);
			kt_buf_add(out, old ? a->item[i] : b->item[j], old ? a->len[i] : b->len[j]);
			kt_buf_addc(out, '\n');
			i += old;
			j += s->ops[k] != '-';
		}
		at = end;
	}
}

void v_diff(const struct kt_json *was, const struct kt_json *is, struct kt_buf *out)
{
	struct lines a, b;
	struct script s = {0};
	size_t head = 0, tail = 0;
	lines_init(&a, was);
	lines_init(&b, is);
	while (head < a.count && head < b.count && same_line(&a, head, &b, head))
		head++;
	while (tail < a.count - head && tail < b.count - head &&
	       same_line(&a, a.count - 1 - tail, &b, b.count - 1 - tail))
		tail++;
	for (size_t i = 0; i < head; i++)
		step(&s, ' ');
	middle(&a, head, a.count - tail, &b, head, b.count - tail, &s);
	for (size_t i = 0; i < tail; i++)
		step(&s, ' ');
	print_hunks(&a, &b, &s, out);
	kt_free(s.ops);
	lines_clear(&a);
	lines_clear(&b);
}
