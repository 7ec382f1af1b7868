/* SPDX-License-Identifier: MIT */
/* Logs: what containers printed, in records of a line with its time; the oldest are dropped beyond a bound,
 * as rotation does. Positions count bytes since the container's start, so that a follower goes on after it.
 */
#include <string.h>

#include "cluster/kubelet/kubelet_internal.h"

struct record {
	kt_ns at;
	size_t len;
	int fd;
};
struct kubelet_log {
	struct kt_buf text;
	struct record *records;
	size_t count, cap, first; /* records before `first` are dropped */
	uint64_t dropped;         /* bytes of text dropped */
};

size_t kubelet_log_size(const struct kubelet_log *log)
{
	return log->text.len + (size_t)log->dropped;
}

struct kubelet_log *kubelet_log_new(void)
{
	return kt_alloc(sizeof(struct kubelet_log));
}

void kubelet_log_free(struct kubelet_log *log)
{
	if (!log)
		return;
	kt_buf_clear(&log->text);
	kt_free(log->records);
	kt_free(log);
}

static void rotate(struct kubelet_log *log)
{
	size_t gone = 0, i = 0;

	if (log->text.len <= KUBELET_LOG_BYTES)
		return;
	while (i < log->count && log->text.len - gone > KUBELET_LOG_BYTES / 2)
		gone += log->records[i++].len;
	kt_buf_drop(&log->text, gone);
	log->dropped += gone;
	memmove(log->records, log->records + i, (log->count - i) * sizeof(*log->records));
	log->count -= i;
}

void kubelet_log_add(struct kubelet_log *log, kt_ns now, int fd, const void *data, size_t len)
{
	const char *text = data;

	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t piece = end ? (size_t)(end - text) + 1 : len;
		struct record *last = log->count ? &log->records[log->count - 1] : NULL;
		bool open = last && last->len && log->text.data[log->text.len - 1] != '\n' && last->fd == fd;

		if (!open) {
			log->records =
			        kt_grow(log->records, &log->cap, log->count + 1, sizeof(*log->records));
			last = &log->records[log->count++];
			*last = (struct record){.at = now, .fd = fd};
		}
		last->len += piece;
		kt_buf_add(&log->text, text, piece);
		text += piece;
		len -= piece;
	}
	rotate(log);
}

char *kubelet_log_tail(const struct kubelet_log *log, size_t bytes, size_t lines)
{
	size_t from = log->count > lines ? log->count - lines : 0, offset = 0;

	for (size_t i = 0; i < from; i++)
		offset += log->records[i].len;
	if (log->text.len - offset > bytes)
		offset = log->text.len - bytes;
	return kt_strndup(kt_buf_str(&log->text) + offset, log->text.len - offset);
}

/* Nanoseconds, as the kubelet prints them in front of a line. */
static void stamp(kt_ns at, struct kt_buf *out)
{
	struct kt_buf text = {0};

	kt_time_print(at, &text);
	kt_buf_cut(&text, text.len - 1);
	kt_buf_addf(out, "%s.%09dZ ", kt_buf_str(&text), (int)(at % KT_SEC));
	kt_buf_clear(&text);
}

static uint64_t print(const struct kubelet_log *log, size_t from, size_t skip,
                      const struct kubelet_log_options *options, struct kt_buf *out)
{
	size_t offset = 0, began = out->len;

	for (size_t i = 0; i < log->count; i++) {
		const struct record *record = &log->records[i];
		size_t cut = offset + record->len > skip && offset < skip ? skip - offset : 0;

		if (i >= from && record->at >= options->since && offset + record->len > skip) {
			if (options->timestamps && !cut)
				stamp(record->at, out);
			kt_buf_add(out, log->text.data + offset + cut, record->len - cut);
		}
		offset += record->len;
		if (options->limit_bytes >= 0 && out->len - began > (size_t)options->limit_bytes) {
			kt_buf_cut(out, began + (size_t)options->limit_bytes);
			break;
		}
	}
	return log->dropped + log->text.len + 1;
}

/* Which log of which container; NULL with *why, or without for a container that has none yet. */
static struct kubelet_log *find(struct kubelet *kubelet, const char *ns, const char *name,
                                const struct kubelet_log_options *options, struct kubelet_ctr **out_ctr,
                                char **why)
{
	const struct store_object *object =
	        store_get(cluster_store(kubelet->cluster), kubelet->pods, ns, name);
	const struct kt_json *containers;
	const char *container = options->container;
	struct kubelet_pod *pod;
	struct kubelet_ctr *ctr;

	*out_ctr = NULL;
	if (!object) {
		*why = kt_strf("pods \"%s\" not found", name);
		return NULL;
	}
	containers = kt_path(object->json, "spec.containers");
	if (!container || !*container) {
		if (kt_count(containers) != 1) {
			struct kt_buf names = {0};
			const struct kt_json *one;

			KT_JSON_EACH (one, containers)
				kt_buf_addf(&names, "%s%s", names.len ? " " : "",
				            kt_str_or(kt_get(one, "name"), ""));
			*why = kt_strf("a container name must be specified for pod %s, choose one of: [%s]",
			               name, kt_buf_str(&names));
			kt_buf_clear(&names);
			return NULL;
		}
		container = kt_get_str(kt_at(containers, 0), "name");
	}
	if (kt_find(containers, "name", container) < 0 &&
	    kt_find(kt_path(object->json, "spec.initContainers"), "name", container) < 0 &&
	    kt_find(kt_path(object->json, "spec.ephemeralContainers"), "name", container) < 0) {
		*why = kt_strf("container %s is not valid for pod %s", container, name);
		return NULL;
	}
	HASH_FIND_STR(kubelet->pod_table, object->uid, pod);
	if (!pod) {
		const char *node_name = kt_path_str(object->json, "spec.nodeName");
		char *address = NULL,
		     *silence = node_name ? kubelet_no_answer(kubelet->cluster, node_name, &address) : NULL;

		if (silence && address)
			*why = kt_strf("Get \"https://%s:10250/containerLogs/%s/%s/%s\": %s", address, ns,
			               name, container, silence);
		else if (silence)
			*why = kt_strdup(silence);
		kt_free(address);
		kt_free(silence);
		return NULL; /* not scheduled, or not seen yet: an empty log */
	}
	ctr = kubelet_ctr_find(pod, container);
	*out_ctr = ctr;
	if (options->previous) {
		if (!ctr || !ctr->last) {
			*why = kt_strf("previous terminated container \"%s\" in pod \"%s\" not found",
			               container, name);
			return NULL;
		}
		return ctr->previous;
	}
	if (ctr && ctr->log)
		return ctr->log;
	if (ctr && ctr->last && ctr->previous)
		return ctr->previous;
	if (kubelet_is_rejection(pod->fail_reason)) {
		*why = kt_strf("container \"%s\" in pod \"%s\" is not available", container, name);
	} else if (pod->node->up) {
		const char *reason = ctr && ctr->wait_reason ? ctr->wait_reason
		                     : kt_path(object->json, "spec.initContainers") && !pod->initialized
		                             ? "PodInitializing"
		                             : "ContainerCreating";

		if (kt_streq(reason, "ErrImagePull"))
			reason = "image can't be pulled";
		else if (kt_streq(reason, "ImagePullBackOff"))
			reason = "trying and failing to pull image";
		*why = kt_strf("container \"%s\" in pod \"%s\" is waiting to start: %s", container, name,
		               reason);
	}
	return NULL;
}

bool kubelet_log(struct cluster *cluster, const char *ns, const char *pod,
                 const struct kubelet_log_options *options, struct kt_buf *out, uint64_t *position,
                 char **why)
{
	struct kubelet_ctr *ctr;
	char *words = NULL;
	struct kubelet_log *log = find(kubelet_of(cluster), ns, pod, options, &ctr, &words);
	size_t from = 0;

	*position = 0;
	if (words) {
		if (why)
			*why = words;
		else
			kt_free(words);
		return false;
	}
	*position = 1;
	/* Of two dead containers the kubelet keeps the younger one's log only; of a deleted pod that has
	 * ended, and that a finalizer holds, none. */
	bool removed = !options->previous && ctr && ctr->state == KUBELET_ENDED && ctr->pod->deleting &&
	               ctr->pod->stage == KUBELET_OVER;
	if (removed || (options->previous && ctr && !log && ctr->last)) {
		char id[65];

		kubelet_id_text(removed ? ctr->end.id : ctr->last->id, id);
		kt_buf_addf(out, "unable to retrieve container logs for containerd://%s", id);
		return true;
	}
	if (!log)
		return true;
	if (options->tail >= 0 && (uint64_t)options->tail < log->count)
		from = log->count - (size_t)options->tail;
	*position = print(log, from, 0, options, out);
	return true;
}

bool kubelet_log_more(struct cluster *cluster, const char *ns, const char *pod,
                      const struct kubelet_log_options *options, struct kt_buf *out, uint64_t *position)
{
	struct kubelet_ctr *ctr;
	char *words = NULL;
	struct kubelet_log *log = find(kubelet_of(cluster), ns, pod, options, &ctr, &words);

	kt_free(words);
	if (words)
		return false;
	if (log) {
		uint64_t read = *position ? *position - 1 : 0;

		if (read > log->dropped + log->text.len)
			read = 0; /* a new run of the container: from its start */
		*position =
		        print(log, 0, read > log->dropped ? (size_t)(read - log->dropped) : 0, options, out);
	}
	if (!ctr)
		return store_get(cluster_store(cluster), kubelet_of(cluster)->pods, ns, pod) != NULL;
	return ctr->state == KUBELET_RUNNING || (!options->previous && ctr->state < KUBELET_RUNNING && !log);
}
