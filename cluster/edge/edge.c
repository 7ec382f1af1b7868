/* SPDX-License-Identifier: MIT */
#include "cluster/edge/edge_internal.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* --- listening --- */

static int bind_port(unsigned port)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	if (fd < 0)
		return -1;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)(void *)&address, sizeof address) || listen(fd, 128)) {
		int saved = errno;
		(void)close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* -1: there is none; loopback does for all. */
static int bind_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path)
		return -1;
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0)
		return -1;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	(void)unlink(path); /* of a process that was killed */
	if (bind(fd, (struct sockaddr *)(void *)&address, sizeof address) || chmod(path, 0600) ||
	    listen(fd, 128)) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

char *edge_socket(const char *dir)
{
	char *path = kt_join(dir, "socket");
	struct stat about;
	if (!lstat(path, &about) && S_ISSOCK(about.st_mode))
		return path;
	kt_free(path);
	return NULL;
}

static unsigned read_port(const char *dir)
{
	struct kt_buf text = {0};
	char *path = kt_join(dir, "port");
	unsigned long port = 0;
	if (kt_is_file(path) && !kt_read_file(path, 32, &text, NULL))
		port = strtoul(kt_buf_str(&text), NULL, 10);
	kt_buf_clear(&text);
	kt_free(path);
	return port < 65536 ? (unsigned)port : 0;
}

static enum kt_code start_listening(struct edge *edge, struct kt_err *err)
{
	unsigned wanted = edge->options.port;
	if (wanted) {
		edge->fd = bind_port(wanted);
		if (edge->fd < 0)
			return kt_fail(err, KT_EIO, "port %u on 127.0.0.1: %s", wanted, strerror(errno));
	} else {
		/* The same port as before keeps kubectl's caches and open shells right; another program may
		 * have it by now. */
		unsigned before = read_port(edge->dir);
		edge->fd = before ? bind_port(before) : -1;
		if (edge->fd < 0)
			edge->fd = bind_port(0);
		if (edge->fd < 0)
			return kt_fail(err, KT_EIO, "no port to listen on at 127.0.0.1: %s", strerror(errno));
	}
	struct sockaddr_in address;
	socklen_t len = sizeof address;
	if (getsockname(edge->fd, (struct sockaddr *)(void *)&address, &len))
		return kt_fail(err, KT_EIO, "the listening socket has no port: %s", strerror(errno));
	edge->port = ntohs(address.sin_port);
	edge->address = kt_strf("https://127.0.0.1:%u", edge->port);
	return KT_OK;
}

static enum kt_code set_up_tls(struct edge *edge, const struct edge_identity *identity, struct kt_err *err)
{
	gnutls_datum_t ca = {(unsigned char *)identity->ca_pem, (unsigned)strlen(identity->ca_pem)};
	gnutls_datum_t cert = {(unsigned char *)identity->server_pem, (unsigned)strlen(identity->server_pem)};
	gnutls_datum_t key = {(unsigned char *)identity->server_key_pem,
	                      (unsigned)strlen(identity->server_key_pem)};
	int rc = gnutls_certificate_allocate_credentials(&edge->creds);
	if (rc >= 0)
		rc = gnutls_certificate_set_x509_trust_mem(edge->creds, &ca, GNUTLS_X509_FMT_PEM);
	if (rc >= 0)
		rc = gnutls_certificate_set_x509_key_mem(edge->creds, &cert, &key, GNUTLS_X509_FMT_PEM);
	if (rc >= 0)
		rc = gnutls_priority_init(&edge->priorities, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2",
		                          NULL);
	return rc >= 0 ? KT_OK : kt_fail(err, KT_EIO, "setting up TLS: %s", gnutls_strerror(rc));
}

enum kt_code edge_new(const struct edge_options *options, const struct edge_identity *identity,
                      struct edge **out, struct kt_err *err)
{
	struct edge *edge = kt_alloc(sizeof *edge);
	edge->options = *options;
	edge->fd = edge->local_fd = -1;
	edge->dir = kt_strdup(options->dir);
	edge->name = kt_strdup(options->name);
	enum kt_code rc = set_up_tls(edge, identity, err);
	if (!rc)
		rc = start_listening(edge, err);
	if (rc) {
		edge_free(edge);
		return rc;
	}
	edge->kubeconfig = edge_kubeconfig(edge->name, edge->address, identity);
	*out = edge;
	return KT_OK;
}

unsigned edge_port(const struct edge *edge)
{
	return edge->port;
}

const char *edge_address(const struct edge *edge)
{
	return edge->address;
}

void edge_free(struct edge *edge)
{
	if (!edge)
		return;
	if (edge->cluster)
		kt_loop_idle(edge->options.loop, NULL, edge);
	if (edge->pause)
		kt_loop_cancel(edge->options.loop, edge->pause);
	edge_holds_end(edge);
	while (edge->conns)
		conn_free(edge->conns);
	if (edge->fd >= 0) {
		kt_loop_watch(edge->options.loop, edge->fd, 0, NULL, NULL);
		(void)close(edge->fd);
	}
	if (edge->local_fd >= 0) {
		kt_loop_watch(edge->options.loop, edge->local_fd, 0, NULL, NULL);
		(void)unlink(edge->socket);
		(void)close(edge->local_fd);
	}
	kt_free(edge->socket);
	for (size_t i = 0; i < edge->snapshot_count; i++) {
		kt_free(edge->snapshots[i].name);
		cluster_snapshot_free(edge->snapshots[i].snapshot);
	}
	if (edge->creds)
		gnutls_certificate_free_credentials(edge->creds);
	if (edge->priorities)
		gnutls_priority_deinit(edge->priorities);
	kt_free(edge->dir);
	kt_free(edge->name);
	kt_free(edge->address);
	kt_free(edge->kubeconfig);
	kt_free(edge->flush_trouble);
	kt_free(edge);
}

/* --- the rounds --- */

static void on_accept(int fd, int events, void *arg);

static void accept_all(struct edge *edge, bool wanted)
{
	const int fds[] = {edge->fd, edge->local_fd};
	for (size_t i = 0; i < KT_COUNT(fds); i++)
		if (fds[i] >= 0)
			kt_loop_watch(edge->options.loop, fds[i], wanted ? KT_LOOP_READ : 0, on_accept, edge);
}

static void accept_again(void *arg)
{
	struct edge *edge = arg;
	edge->pause = 0;
	accept_all(edge, true);
}

static void on_accept(int fd, int events, void *arg)
{
	struct edge *edge = arg;
	(void)events;
	for (int i = 0; i < 16; i++) {
		int client = accept(fd, NULL, NULL);
		if (client < 0 &&
		    (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
			/* The queue stays readable: asking again at once would only burn CPU. */
			accept_all(edge, false);
			edge->pause = kt_loop_after(edge->options.loop, KT_SEC, accept_again, edge);
			return;
		}
		if (client < 0)
			return;
		if (edge->conn_count >= EDGE_MAX_CONNS || edge->stopping)
			(void)close(client);
		else
			conn_accept(edge, client, fd == edge->local_fd);
	}
}

static void flush(struct edge *edge)
{
	struct kt_err err = {0};
	if (!cluster_flush(edge->cluster, &err)) {
		kt_free(edge->flush_trouble);
		edge->flush_trouble = NULL;
		for (struct conn *conn = edge->conns; conn; conn = conn->next) {
			edge->again |= conn->unflushed && conn->in.len;
			conn->unflushed = false;
		}
		return;
	}
	/* Nobody is told that something is done which a crash would undo. */
	if (!edge->flush_trouble)
		(void)fprintf(stderr, "cluster '%s': %s\n", edge->name, err.text);
	kt_free(edge->flush_trouble);
	edge->flush_trouble = kt_strdup(err.text);
	char *why = kt_strf("the change could not be kept: %s", err.text);
	for (struct conn *conn = edge->conns; conn; conn = conn->next)
		conn_take_back(conn, why);
	kt_free(why);
}

static void sweep(struct edge *edge, kt_ns now)
{
	if (!edge->next_sweep || now < edge->next_sweep)
		return;
	edge->next_sweep = 0;
	for (struct conn *conn = edge->conns; conn; conn = conn->next) {
		if (!conn->deadline)
			continue;
		if (conn->deadline <= now)
			conn->dead = true;
		else if (!edge->next_sweep || conn->deadline < edge->next_sweep)
			edge->next_sweep = KT_MAX(conn->deadline, now + KT_SEC);
	}
}

/* After each round of events: time passes, streams speak, the journal is written, answers leave. */
static kt_ns on_idle(void *arg)
{
	struct edge *edge = arg;
	edge->again = !edge_tick(edge);
	for (struct conn *conn = edge->conns; conn; conn = conn->next)
		conn_pump(conn);
	flush(edge);
	bool waiting = false;
	for (struct conn *conn = edge->conns, *next; conn; conn = next) {
		next = conn->next;
		conn_write(conn);
		if (conn->dead)
			conn_free(conn);
		else
			waiting = waiting || conn->sent < conn->out.len;
	}
	kt_ns now = kt_monotonic();
	sweep(edge, now);
	if (edge->stopping && !waiting)
		kt_loop_stop(edge->options.loop);
	if (edge->again)
		return 0;
	kt_ns wait = edge_rest(edge, now);
	if (edge->next_sweep) {
		kt_ns until = KT_MAX(edge->next_sweep - now, (kt_ns)0);
		wait = wait == KT_LOOP_FOREVER ? until : KT_MIN(wait, until);
	}
	return wait;
}

enum kt_code edge_serve(struct edge *edge, struct cluster *cluster, struct kt_err *err)
{
	char *path = kt_join(edge->dir, "kubeconfig"), *port_path = kt_join(edge->dir, "port");
	char *port = kt_strf("%u\n", edge->port);
	enum kt_code rc = kt_write_file(path, edge->kubeconfig, strlen(edge->kubeconfig), 0600, err);
	if (!rc && read_port(edge->dir) != edge->port)
		rc = kt_write_file(port_path, port, strlen(port), 0600, err);
	kt_free(path);
	kt_free(port_path);
	kt_free(port);
	if (rc)
		return rc;
	edge->cluster = cluster;
	edge->started = kt_monotonic();
	edge_clock_init(&edge->clock, edge->started, cluster_now(cluster),
	                edge->options.speed > 0 ? edge->options.speed : 1);
	if (edge->options.holder && (rc = edge_hold(edge, edge->options.holder, err)))
		return rc;
	edge->socket = kt_join(edge->dir, "socket");
	edge->local_fd = bind_socket(edge->socket);
	accept_all(edge, true);
	kt_loop_idle(edge->options.loop, on_idle, edge);
	return KT_OK;
}

void edge_stop(struct edge *edge)
{
	(void)edge_tick(edge);
	kt_loop_stop(edge->options.loop);
}
