/* SPDX-License-Identifier: MIT */
/* How bytes travel: TLS on loopback, or plain on the Unix socket. GnuTLS' codes for both. */
#include "cluster/edge/edge_internal.h"
#include <errno.h>
#include <gnutls/gnutls.h>
#include <sys/socket.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS: the process ignores SIGPIPE */
#endif

static ssize_t code_of(ssize_t n, int fatal)
{
	if (n >= 0)
		return n;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return GNUTLS_E_AGAIN;
	return errno == EINTR ? GNUTLS_E_INTERRUPTED : fatal;
}

bool wire_start(struct conn *conn)
{
	if (conn->local)
		return true;
	int rc = gnutls_init(&conn->tls,
	                     GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_TICKETS | GNUTLS_NO_SIGNAL);
	if (!rc)
		rc = gnutls_priority_set(conn->tls, conn->edge->priorities);
	if (!rc)
		rc = gnutls_credentials_set(conn->tls, GNUTLS_CRD_CERTIFICATE, conn->edge->creds);
	if (rc)
		return false;
	/* As kube-apiserver: a certificate is asked for, and who has none may bring a token. */
	gnutls_certificate_server_set_request(conn->tls, GNUTLS_CERT_REQUEST);
	gnutls_transport_set_int(conn->tls, conn->fd);
	return true;
}

ssize_t wire_read(struct conn *conn, char *into, size_t len)
{
	if (conn->local)
		return code_of(recv(conn->fd, into, len, 0), GNUTLS_E_PULL_ERROR);
	return gnutls_record_recv(conn->tls, into, len);
}

ssize_t wire_write(struct conn *conn, const char *from, size_t len)
{
	if (conn->local)
		return code_of(send(conn->fd, from, len, MSG_NOSIGNAL), GNUTLS_E_PUSH_ERROR);
	/* A record that TLS has begun to send is asked for again without its bytes. */
	ssize_t n = gnutls_record_send(conn->tls, conn->sending ? NULL : from, conn->sending ? 0 : len);
	if (n != GNUTLS_E_AGAIN && n != GNUTLS_E_INTERRUPTED)
		conn->sending = 0;
	else if (!conn->sending)
		conn->sending = len;
	return n;
}

void wire_end(struct conn *conn)
{
	if (!conn->local)
		(void)gnutls_bye(conn->tls, GNUTLS_SHUT_WR);
	(void)shutdown(conn->fd, SHUT_WR);
}
