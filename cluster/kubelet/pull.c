/* SPDX-License-Identifier: MIT */
/* Images of nodes: which are there, how long a pull takes, what is said when it fails. A node pulls one image
 * at a time (serializeImagePulls). Words: kubernetes pkg/kubelet/images/image_manager.go. */
#include <string.h>

#include "cluster/kubelet/kubelet_internal.h"

#define PULL_LEAST (500 * KT_MS)
#define PULL_MOST  (2 * KT_SEC)
#define PULL_RATE  ((int64_t)60 * 1024 * 1024) /* bytes a second */

/* What the node image brings along, as `kind load` puts it there. */
static const char *const preloaded[] = {"registry.k8s.io/pause:3.10.1", "docker.io/library/nginx:1.27",
                                        "docker.io/library/busybox:1.36"};

static struct kubelet_image *add(struct kubelet_node *node, const char *full)
{
	struct kubelet_image *image;

	HASH_FIND_STR(node->images, full, image);
	if (image)
		return image;
	image = kt_alloc(sizeof(*image));
	image->name = kt_strdup(full);
	HASH_ADD_KEYPTR(hh, node->images, image->name, strlen(image->name), image);
	node->images_changed = true;
	return image;
}

void kubelet_image_preload(struct kubelet_node *node)
{
	for (size_t i = 0; i < KT_COUNT(preloaded); i++)
		add(node, preloaded[i])->loaded = true;
}

void kubelet_image_present(struct kubelet_node *node, const char *reference)
{
	char *full = image_full_name(reference);

	if (full)
		add(node, full);
	kt_free(full);
}

bool kubelet_image_has(struct kubelet_node *node, const char *full, bool *loaded)
{
	struct kubelet_image *image;

	HASH_FIND_STR(node->images, full, image);
	if (loaded)
		*loaded = image && image->loaded;
	return image != NULL;
}

const char *kubelet_image_full(struct kubelet *kubelet, const char *reference)
{
	if (!kt_get(kubelet->full_images, reference)) {
		char *full = image_full_name(reference);

		if (kt_count(kubelet->full_images) > 100)
			kt_json_freep(&kubelet->full_images);
		kt_set(&kubelet->full_images, reference, kt_json_str(full));
		kt_free(full);
	}
	return kt_get_str(kubelet->full_images, reference);
}

bool kubelet_image_loaded(struct kubelet_ctr *ctr)
{
	bool loaded = false;

	kubelet_image_has(ctr->pod->node, kubelet_image_full(ctr->pod->node->kubelet, ctr->pub.image),
	                  &loaded);
	return loaded;
}

/* status.images: the largest first is what the real one tells; here by name, which is as good. */
struct kt_json *kubelet_image_list(struct kubelet_node *node)
{
	struct kt_json *list = kt_json_array();

	for (struct kubelet_image *image = node->images; image; image = image->hh.next) {
		const struct image *known = image_find(node->kubelet->cluster, image->name, NULL);
		struct kt_json *names = kt_json_array(), *row = NULL;
		char id[128];

		image_id(image->name, id);
		if (!image->loaded)
			kt_push(&names, kt_json_str(id));
		kt_push(&names, kt_json_str(image->name));
		kt_set(&row, "names", names);
		kt_set(&row, "sizeBytes", kt_json_int(known ? known->size : 0));
		kt_push(&list, row);
	}
	return list;
}

static void retry_later(struct kubelet_ctr *ctr, kt_ns now)
{
	ctr->state = KUBELET_WAITING;
	ctr->retry_at = kubelet_next_sync(ctr->pod, now);
}

static void invalid(struct kubelet_ctr *ctr, kt_ns now, const char *why)
{
	if (!kt_streq(ctr->wait_reason, "InvalidImageName")) {
		kubelet_event(ctr->pod, ctr, true, "InspectFailed", "%s", why);
		kubelet_event(ctr->pod, ctr, true, "Failed", "Error: InvalidImageName");
	}
	kubelet_ctr_wait(ctr, "InvalidImageName", kt_strdup(why));
	retry_later(ctr, now);
}

static void never(struct kubelet_ctr *ctr, kt_ns now)
{
	char *text =
	        kt_strf("Container image \"%s\" is not present with pull policy of Never", ctr->pub.image);

	if (!kt_streq(ctr->wait_reason, "ErrImageNeverPull")) {
		kubelet_event(ctr->pod, ctr, true, "ErrImageNeverPull", "%s", text);
		kubelet_event(ctr->pod, ctr, true, "Failed", "Error: ErrImageNeverPull");
	}
	kubelet_ctr_wait(ctr, "ErrImageNeverPull", text);
	retry_later(ctr, now);
}

/* The attempt failed: ErrImagePull now, ImagePullBackOff from the next sync on, doubling. */
static void refused(struct kubelet_ctr *ctr, kt_ns now, char *why)
{
	const char *image = ctr->pub.image;
	bool first = !ctr->pull_backoff;

	kubelet_event(ctr->pod, ctr, false, "Pulling", "Pulling image \"%s\"", image);
	kubelet_event(ctr->pod, ctr, true, "Failed", "Failed to pull image \"%s\": %s", image, why);
	kubelet_event(ctr->pod, ctr, true, "Failed", "Error: ErrImagePull");
	kubelet_ctr_wait(ctr, "ErrImagePull", why);
	ctr->pull_backoff = ctr->pull_backoff ? KT_MIN(ctr->pull_backoff * 2, KUBELET_BACKOFF_LAST)
	                                      : KUBELET_BACKOFF_FIRST;
	ctr->state = KUBELET_WAITING;
	ctr->pull_began = now + ctr->pull_backoff; /* not before then */
	/* The sandbox that was found running is a reason for a sync soon after the first. */
	ctr->retry_at = first ? now + 2 * KT_SEC : kubelet_next_sync(ctr->pod, now);
}

static void back_off(struct kubelet_ctr *ctr, kt_ns now)
{
	const char *image = ctr->pub.image;

	if (!kt_streq(ctr->wait_reason, "ImagePullBackOff"))
		kubelet_ctr_wait(ctr, "ImagePullBackOff",
		                 kt_strf("Back-off pulling image \"%s\": ErrImagePull: %s", image,
		                         ctr->wait_message ? ctr->wait_message : ""));
	kubelet_event(ctr->pod, ctr, false, "BackOff", "Back-off pulling image \"%s\"", image);
	kubelet_event(ctr->pod, ctr, true, "Failed", "Error: ImagePullBackOff");
	ctr->retry_at = kubelet_next_sync(ctr->pod, now);
}

static bool bad_reference(const char *why)
{
	return kt_starts(why, "Failed to apply default image tag");
}

/* Secrets for the registry that are not there are told of; the pull is tried all the same. */
static void look_for_secrets(struct kubelet_pod *pod)
{
	struct cluster *cluster = pod->node->kubelet->cluster;
	const struct schema_kind *kind = schema_stored(cluster_schema(cluster), "", "Secret");
	const struct kt_json *ref;
	struct kt_buf absent = {0};

	KT_JSON_EACH (ref, kt_get(pod->spec, "imagePullSecrets")) {
		const char *name = kt_str_or(kt_get(ref, "name"), "");

		if (!store_get(cluster_store(cluster), kind, pod->ns, name))
			kt_buf_addf(&absent, "%s%s", absent.len ? ", " : "", name);
	}
	if (absent.len)
		kubelet_event(
		        pod, NULL, true, "FailedToRetrieveImagePullSecret",
		        "Unable to retrieve some image pull secrets (%s); attempting to pull the image may "
		        "not succeed.",
		        kt_buf_str(&absent));
	kt_buf_clear(&absent);
}

enum kubelet_pull kubelet_pull_begin(struct kubelet_ctr *ctr, kt_ns now)
{
	struct kubelet_pod *pod = ctr->pod;
	const char *reference = ctr->pub.image;
	const char *policy = kt_str_or(kt_get(ctr->spec, "imagePullPolicy"), "IfNotPresent");
	struct cluster *cluster = pod->node->kubelet->cluster;
	char *why = NULL;
	const struct image *image;
	bool present;

	look_for_secrets(pod);
	present = kubelet_image_has(pod->node, kubelet_image_full(pod->node->kubelet, reference), NULL);
	if (present && strcmp(policy, "Always") != 0) {
		kubelet_event(pod, ctr, false, "Pulled", "Container image \"%s\" already present on machine",
		              reference);
		return KUBELET_PRESENT;
	}
	image = image_find(cluster, reference, &why);
	if (!image && why && bad_reference(why)) {
		invalid(ctr, now, why);
	} else if (strcmp(policy, "Never") == 0) {
		never(ctr, now);
	} else if (ctr->pull_backoff && now < ctr->pull_began) {
		back_off(ctr, now);
	} else if (!image) {
		refused(ctr, now, why);
		why = NULL;
	} else {
		kt_ns takes = (kt_ns)((double)image->size / (double)PULL_RATE * (double)KT_SEC);
		struct kubelet_node *node = pod->node;
		kt_ns from = KT_MAX(now, node->pull_free_at);

		/* Layers that are there already are only looked up. */
		takes = present ? 300 * KT_MS : KT_MIN(KT_MAX(takes, PULL_LEAST), PULL_MOST);
		kubelet_event(pod, ctr, false, "Pulling", "Pulling image \"%s\"", reference);
		ctr->pull_began = now;
		ctr->pull_waited = takes;
		ctr->op_at = from + takes;
		node->pull_free_at = ctr->op_at;
		kt_free(why);
		return KUBELET_PULL;
	}
	kt_free(why);
	return KUBELET_REFUSED;
}

void kubelet_pull_done(struct kubelet_ctr *ctr, kt_ns now)
{
	struct kubelet_node *node = ctr->pod->node;
	const struct image *image = image_find(node->kubelet->cluster, ctr->pub.image, NULL);
	struct kt_buf took = {0}, whole = {0};

	add(node, kubelet_image_full(node->kubelet, ctr->pub.image));
	kt_duration_print(ctr->pull_waited / KT_MS * KT_MS, &took);
	kt_duration_print((now - ctr->pull_began) / KT_MS * KT_MS, &whole);
	kubelet_event(
	        ctr->pod, ctr, false, "Pulled",
	        "Successfully pulled image \"%s\" in %s (%s including waiting). Image size: %lld bytes.",
	        ctr->pub.image, kt_buf_str(&took), kt_buf_str(&whole), image ? (long long)image->size : 0LL);
	kt_buf_clear(&took);
	kt_buf_clear(&whole);
}
