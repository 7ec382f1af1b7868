/* SPDX-License-Identifier: MIT */
/* What the client's files share. The only files of the project that see libcurl. */
#ifndef CHECKER_CLIENT_INTERNAL_H
#define CHECKER_CLIENT_INTERNAL_H

#include "checker/checker.h"

#include <curl/curl.h>

/* What a kubeconfig's context says. Secrets are PEM or token texts, owned. */
struct check_config {
	char *server, *ns;
	char *ca_pem, *cert_pem, *key_pem, *token, *username, *password;
	char *tls_server_name;
	bool insecure;
};
KT_MUST_CHECK enum kt_code check_config_read(const char *path, const char *context, bool allow_exec,
                                             struct check_config *out, struct kt_err *err);
void check_config_clear(struct check_config *config);

struct check_client {
	struct check_config config;
	char *origin;            /* what requests go to: the server, or "http://localhost" over `socket` */
	char *socket;            /* NULL: the network */
	const char *accept;      /* NULL: application/json */
	CURL *curl;              /* the kept connection */
	CURLSH *share;           /* TLS sessions, shared with exec connections */
	struct curl_slist *auth; /* Authorization header, if any */
	enum kt_code (*judge)(void *arg, const char *method, const char *path, struct kt_err *err);
	void (*judge_done)(void *arg);
	void *judge_arg;
	struct kt_json *discovery; /* [{group, version, resource, kind, singular, short, namespaced}], NULL
	                              until asked for */
};
/* Server, TLS and credentials for one handle. */
void check_curl_setup(struct check_client *client, CURL *curl);
/* A sentence for a failed transfer. */
enum kt_code check_curl_fail(const struct check_client *client, CURLcode code, struct kt_err *err);

#endif
