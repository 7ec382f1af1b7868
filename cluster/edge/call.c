/* SPDX-License-Identifier: MIT */
/* A small HTTPS client for ktutor's own routes: one request, one answer, one connection. */
#include "cluster/edge/edge.h"
#include "cluster/edge/http.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALL_TIMEOUT    (30 * KT_SEC)
#define CALL_MAX_ANSWER (64u * 1024 * 1024)

struct line {
	int fd;
	gnutls_certificate_credentials_t creds;
	gnutls_session_t tls;
	kt_ns end;
};

static void line_clear(struct line *line)
{
	if (line->tls)
		gnutls_deinit(line->tls);
	if (line->creds)
		gnutls_certificate_free_credentials(line->creds);
	if (line->fd >= 0)
		(void)close(line->fd);
}

static enum kt_code wait_for(struct line *line, bool write, struct kt_err *err)
{
	kt_ns left = line->end - kt_monotonic();
	struct pollfd poller = {.fd = line->fd, .events = write ? POLLOUT : POLLIN};
	int n = left > 0 ? poll(&poller, 1, (int)(left / KT_MS) + 1) : 0;
	if (n > 0 || (n < 0 && errno == EINTR))
		return KT_OK;
	return kt_fail(err, KT_EUNREACHABLE, "the cluster did not answer in time");
}

static enum kt_code read_small(const char *dir, const char *name, struct kt_buf *out, struct kt_err *err)
{
	char *path = kt_join(dir, name);
	enum kt_code rc = kt_read_file(path, 64 * 1024, out, err);
	kt_free(path);
	return rc ? kt_fail(err, KT_EUNREACHABLE, "no cluster there") : KT_OK;
}

static enum kt_code connect_to(struct line *line, const char *dir, struct kt_err *err)
{
	struct kt_buf text = {0};
	enum kt_code rc = read_small(dir, "port", &text, err);
	long port = strtol(kt_buf_str(&text), NULL, 10);
	kt_buf_clear(&text);
	if (rc)
		return KT_EUNREACHABLE;
	int one = 1;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	line->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (line->fd < 0)
		return kt_fail(err, KT_EIO, "socket: %s", strerror(errno));
	(void)fcntl(line->fd, F_SETFD, FD_CLOEXEC);
	if (connect(line->fd, (struct sockaddr *)(void *)&address, sizeof address))
		return kt_fail(err, KT_EUNREACHABLE, "127.0.0.1:%ld: %s", port, strerror(errno));
	/* Else the request waits for the acknowledgement of the handshake's last record. */
	(void)setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	(void)fcntl(line->fd, F_SETFL, O_NONBLOCK);
	return KT_OK;
}

static int use_identity(struct line *line, const struct edge_identity *identity)
{
	gnutls_datum_t ca = {(unsigned char *)identity->ca_pem, (unsigned)strlen(identity->ca_pem)};
	gnutls_datum_t cert = {(unsigned char *)identity->admin_pem, (unsigned)strlen(identity->admin_pem)};
	gnutls_datum_t key = {(unsigned char *)identity->admin_key_pem,
	                      (unsigned)strlen(identity->admin_key_pem)};
	int rc = gnutls_certificate_allocate_credentials(&line->creds);
	if (rc >= 0)
		rc = gnutls_certificate_set_x509_trust_mem(line->creds, &ca, GNUTLS_X509_FMT_PEM);
	if (rc >= 0)
		rc = gnutls_certificate_set_x509_key_mem(line->creds, &cert, &key, GNUTLS_X509_FMT_PEM);
	if (rc >= 0)
		rc = gnutls_init(&line->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
	if (rc >= 0)
		rc = gnutls_set_default_priority(line->tls);
	if (rc >= 0)
		rc = gnutls_credentials_set(line->tls, GNUTLS_CRD_CERTIFICATE, line->creds);
	if (rc >= 0)
		gnutls_session_set_verify_cert(line->tls, "localhost", 0);
	return rc;
}

static enum kt_code shake_hands(struct line *line, const char *dir, struct kt_err *err)
{
	struct edge_identity identity = {0};
	enum kt_code rc = edge_identity_load(dir, &identity, err);
	if (rc)
		return rc;
	int tls = use_identity(line, &identity);
	edge_identity_clear(&identity);
	if (tls < 0)
		return kt_fail(err, KT_EIO, "setting up TLS: %s", gnutls_strerror(tls));
	gnutls_transport_set_int(line->tls, line->fd);
	while ((tls = gnutls_handshake(line->tls)) < 0) {
		if (gnutls_error_is_fatal(tls))
			return kt_fail(err, KT_EUNREACHABLE, "what listens there is not this cluster: %s",
			               gnutls_strerror(tls));
		rc = wait_for(line, gnutls_record_get_direction(line->tls) == 1, err);
		if (rc)
			return rc;
	}
	return KT_OK;
}

static enum kt_code send_all(struct line *line, const struct kt_buf *request, struct kt_err *err)
{
	for (size_t at = 0; at < request->len;) {
		ssize_t n = gnutls_record_send(line->tls, request->data + at, request->len - at);
		enum kt_code rc = KT_OK;
		if (n >= 0)
			at += (size_t)n;
		else if (gnutls_error_is_fatal((int)n))
			rc = kt_fail(err, KT_EUNREACHABLE, "sending: %s", gnutls_strerror((int)n));
		else
			rc = wait_for(line, true, err);
		if (rc)
			return rc;
	}
	return KT_OK;
}

static enum kt_code receive_all(struct line *line, struct kt_buf *answer, struct kt_err *err)
{
	char piece[16 * 1024];
	for (;;) {
		ssize_t n = gnutls_record_recv(line->tls, piece, sizeof piece);
		enum kt_code rc = KT_OK;
		if (n == 0 || n == GNUTLS_E_PREMATURE_TERMINATION)
			return KT_OK;
		if (n > 0)
			kt_buf_add(answer, piece, (size_t)n);
		else if (gnutls_error_is_fatal((int)n))
			rc = kt_fail(err, KT_EUNREACHABLE, "receiving: %s", gnutls_strerror((int)n));
		else
			rc = wait_for(line, false, err);
		if (answer->len > CALL_MAX_ANSWER)
			rc = kt_fail(err, KT_ELIMIT, "the answer is too long");
		if (rc)
			return rc;
	}
}

static enum kt_code read_answer(const struct kt_buf *answer, struct kt_json **out, struct kt_err *err)
{
	const char *text = kt_buf_str(answer), *body = strstr(text, "\r\n\r\n");
	struct kt_json *json = NULL;
	long status = kt_starts(text, "HTTP/1.1 ") ? strtol(text + 9, NULL, 10) : 0;
	if (!body || !status)
		return kt_fail(err, KT_EUNREACHABLE, "the cluster closed the connection without an answer");
	body += 4;
	enum kt_code rc = kt_json_parse(body, answer->len - (size_t)(body - text), NULL, &json, NULL, err);
	if (rc)
		return kt_wrap(err, "the cluster's answer");
	if (status >= 400) {
		rc = kt_fail(err,
		             status == 404   ? KT_ENOTFOUND
		             : status == 403 ? KT_EDENIED
		                             : KT_EINVAL,
		             "%s", kt_str_or(kt_get(json, "message"), kt_http_reason((int)status)));
		kt_json_free(json);
		return rc;
	}
	if (out)
		*out = json;
	else
		kt_json_free(json);
	return KT_OK;
}

enum kt_code edge_call(const char *dir, const char *method, const char *target, const struct kt_json *body,
                       kt_ns timeout, struct kt_json **out, struct kt_err *err)
{
	struct line line = {.fd = -1, .end = kt_monotonic() + (timeout ? timeout : CALL_TIMEOUT)};
	struct kt_buf request = {0}, answer = {0}, text = {0};
	if (body)
		kt_json_print(body, &text);
	kt_buf_addf(&request,
	            "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: "
	            "application/json\r\nAccept: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	            method, target, text.len, kt_buf_str(&text));
	enum kt_code rc = connect_to(&line, dir, err);
	if (!rc)
		rc = shake_hands(&line, dir, err);
	if (!rc)
		rc = send_all(&line, &request, err);
	if (!rc)
		rc = receive_all(&line, &answer, err);
	if (!rc)
		rc = read_answer(&answer, out, err);
	line_clear(&line);
	kt_buf_clear(&request);
	kt_buf_clear(&answer);
	kt_buf_clear(&text);
	return rc;
}
