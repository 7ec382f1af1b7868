/* SPDX-License-Identifier: MIT */
/* Secrets of type kubernetes.io/service-account-token get what is in them, and go with their account
 * (kubernetes pkg/controller/serviceaccount/tokens_controller.go). */
#include "cluster/controllers/controllers_internal.h"
#include <string.h>

#define ACCOUNT_NAME "kubernetes.io/service-account.name"
#define ACCOUNT_UID  "kubernetes.io/service-account.uid"

static bool is_token(const struct store_object *secret)
{
	return kt_streq(kt_get_str(secret->json, "type"), "kubernetes.io/service-account-token");
}

/* True if it was not so already. */
static bool put(struct kt_json **secret, const char *key, const char *plain)
{
	struct kt_buf text = {0};
	kt_base64(plain, strlen(plain), &text);
	bool differs = !kt_streq(kt_get_str(kt_get(*secret, "data"), key), kt_buf_str(&text));
	if (differs)
		kt_set(kt_edit(secret, "data"), key, kt_json_str(kt_buf_str(&text)));
	kt_buf_clear(&text);
	return differs;
}

static bool fill(struct cluster *cluster, const struct api_actor *actor, const struct store_object *secret,
                 const struct store_object *account)
{
	const char *ca = cluster_get_options(cluster)->ca_pem;
	struct kt_json *json = kt_json_ref(secret->json);
	bool differs = ca && put(&json, "ca.crt", ca);
	if (!kt_get(kt_get(json, "data"), "namespace"))
		differs |= put(&json, "namespace", secret->ns);
	if (!kt_get(kt_get(json, "data"), "token")) {
		char *token = api_secret_token(cluster, secret, account);
		differs |= put(&json, "token", token);
		kt_free(token);
	}
	if (!differs) {
		kt_json_free(json);
		return true;
	}
	controller_set_annotation(&json, ACCOUNT_UID, account->uid);
	return controller_write(cluster, actor, secret, json) != NULL;
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *secret = controller_get(cluster, queue->kinds->secret, key);
	if (!secret || !is_token(secret) || view_is_deleting(secret->json))
		return true;
	const char *name = controller_annotation(secret->json, ACCOUNT_NAME);
	const char *uid = controller_annotation(secret->json, ACCOUNT_UID);
	const struct store_object *account = store_get(cluster_store(cluster), queue->kinds->service_account,
	                                               secret->ns, name ? name : "");
	struct api_actor actor = controller_actor(queue, because ? because : secret);
	if (!account || (uid && *uid && !kt_streq(uid, account->uid)))
		return controller_delete(cluster, &actor, secret, NULL, NULL);
	return fill(cluster, &actor, secret, account);
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *object = event->object, *secret;
	if (object->kind == queue->kinds->secret && event->change != STORE_DELETED && is_token(object))
		controller_add(cluster, queue, object->ns, object->name, object);
	if (object->kind != queue->kinds->service_account || event->change != STORE_DELETED)
		return;
	STORE_EACH (secret, cluster_store(cluster), queue->kinds->secret, object->ns) {
		if (is_token(secret))
			controller_add(cluster, queue, secret->ns, secret->name, object);
	}
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->secret);
}

const struct controller controller_token_secret = {
        .name = "serviceaccount-token",
        .component = "serviceaccount-token-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 10 * KT_MS,
};
