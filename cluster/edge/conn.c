/* SPDX-License-Identifier: MIT */
/* One client: TLS (wire.c), then requests one after another, then perhaps a stream or an upgrade. Everything
 * is non-blocking; what is to be sent waits in `out` until the round's changes are in the journal. */
#include "cluster/edge/edge_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_PIECE    (16 * 1024)
#define READ_ROUNDS   16          /* records a connection may read before others get their turn */
#define IN_WHILE_BUSY (64 * 1024) /* of a next request, while one is being answered */

static void on_event(int fd, int events, void *arg);

static void set_deadline(struct conn *conn, kt_ns in)
{
	conn->deadline = in ? kt_monotonic() + in : 0;
	if (conn->deadline && !conn->edge->next_sweep)
		conn->edge->next_sweep = kt_monotonic() + KT_SEC;
}

/* Watch for what this state waits for. */
static void rewatch(struct conn *conn)
{
	int events = 0;
	bool busy = conn->state == CONN_STREAM && conn->in.len >= IN_WHILE_BUSY;
	if (!conn->read_closed && !busy)
		events |= KT_LOOP_READ;
	if (conn->want_write)
		events |= KT_LOOP_WRITE;
	kt_loop_watch(conn->edge->options.loop, conn->fd, events, on_event, conn);
}

/* Who may open the socket in the cluster's folder may read the admin's key beside it. */
static void take_for_admin(struct conn *conn)
{
	conn->user = kt_strdup(EDGE_ADMIN);
	kt_strs_add(&conn->groups, EDGE_ADMIN_GROUP);
	conn->admin = true;
	conn->state = CONN_HEAD;
}

void conn_accept(struct edge *edge, int fd, bool local)
{
	int one = 1;
	if (!local)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	struct conn *conn = kt_alloc(sizeof *conn);
	conn->edge = edge;
	conn->fd = fd;
	conn->next = edge->conns;
	if (conn->next)
		conn->next->prev = conn;
	edge->conns = conn;
	edge->conn_count++;
	conn->local = local;
	if (!wire_start(conn)) {
		conn->dead = true;
		return;
	}
	if (local)
		take_for_admin(conn);
	set_deadline(conn, EDGE_HEAD_TIME);
	rewatch(conn);
}

static void drop_answer(struct conn *conn)
{
	if (conn->hush)
		kt_loop_cancel(conn->edge->options.loop, conn->hush);
	conn->hush = 0;
	cluster_stream_free(conn->stream);
	conn->stream = NULL;
	session_free(conn->session);
	conn->session = NULL;
	conn->chunked = false;
	conn->ready = false;
}

void conn_free(struct conn *conn)
{
	struct edge *edge = conn->edge;
	if (conn->prev)
		conn->prev->next = conn->next;
	else
		edge->conns = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	edge->conn_count--;
	drop_answer(conn);
	kt_loop_watch(edge->options.loop, conn->fd, 0, NULL, NULL);
	if (conn->tls)
		gnutls_deinit(conn->tls);
	(void)close(conn->fd);
	http_head_clear(&conn->head);
	kt_buf_clear(&conn->in);
	kt_buf_clear(&conn->out);
	kt_buf_clear(&conn->body);
	kt_free(conn->user);
	kt_strs_clear(&conn->groups);
	kt_free(conn);
}

/* --- who it is --- */

static char *dn_part(gnutls_x509_crt_t crt, const char *oid, unsigned index)
{
	char text[256];
	size_t len = sizeof text;
	if (gnutls_x509_crt_get_dn_by_oid(crt, oid, index, 0, text, &len) < 0)
		return NULL;
	return kt_strndup(text, len);
}

void conn_identify(struct conn *conn)
{
	unsigned status = 0, count = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(conn->tls, &count);
	if (!chain || !count || gnutls_certificate_verify_peers2(conn->tls, &status) || status)
		return; /* nobody, or somebody of another CA: the API says 401 */
	gnutls_x509_crt_t crt;
	if (gnutls_x509_crt_init(&crt))
		return;
	if (!gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER)) {
		conn->user = dn_part(crt, GNUTLS_OID_X520_COMMON_NAME, 0);
		char *group;
		for (unsigned i = 0; i < 64 && (group = dn_part(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, i));
		     i++)
			kt_strs_steal(&conn->groups, group);
	}
	gnutls_x509_crt_deinit(crt);
	conn->admin =
	        kt_strs_has(&conn->groups, EDGE_ADMIN_GROUP) || kt_strs_has(&conn->groups, "system:masters");
}

/* --- answers --- */

static void on_stream_news(void *arg)
{
	struct conn *conn = arg;
	conn->ready = true;
}

static void on_hush_over(void *arg)
{
	struct conn *conn = arg;
	conn->hush = 0;
	conn->ready = true;
}

static void end_request(struct conn *conn)
{
	http_head_clear(&conn->head);
	kt_buf_clear(&conn->body);
	conn->state = CONN_HEAD;
	if (!conn->keep_alive)
		conn->close_when_sent = true;
	set_deadline(conn, conn->in.len ? EDGE_HEAD_TIME : EDGE_IDLE_TIME);
}

static void add_chunk(struct conn *conn, const struct kt_buf *data)
{
	if (conn->chunked)
		kt_buf_addf(&conn->out, "%zx\r\n", data->len);
	kt_buf_add(&conn->out, kt_buf_str(data), data->len);
	if (conn->chunked)
		kt_buf_adds(&conn->out, "\r\n");
}

static void answer_stream(struct conn *conn, struct cluster_response *response)
{
	struct cluster_stream *stream = response->stream;
	response->stream = NULL;
	if (cluster_stream_kind(stream) == CLUSTER_STREAM_CHUNKS) {
		conn->chunked = conn->head.minor == 1;
		conn->keep_alive = conn->keep_alive && conn->chunked;
		http_print_head(&conn->out, response, -1, conn->chunked, conn->keep_alive,
		                kt_clock_real().now(NULL));
		if (response->body.len)
			add_chunk(conn, &response->body);
		conn->stream = stream;
		conn->state = CONN_STREAM;
		cluster_stream_notify(stream, on_stream_news, conn);
	} else if (!session_new(&conn->head, stream, response, &conn->session)) {
		http_print_head(&conn->out, response, -1, false, true, 0);
		conn->state = CONN_UPGRADED;
		cluster_stream_notify(session_stream(conn->session), on_stream_news, conn);
		if (session_may_be_early(conn->session) && !http_header(&conn->head, "x-ktutor-instant"))
			conn->hush = kt_loop_after(conn->edge->options.loop, EDGE_HUSH, on_hush_over, conn);
	} else {
		http_print_head(&conn->out, response, (int64_t)response->body.len, false, conn->keep_alive,
		                kt_clock_real().now(NULL));
		kt_buf_add(&conn->out, kt_buf_str(&response->body), response->body.len);
		end_request(conn);
		return;
	}
	conn->ready = true;
	set_deadline(conn, 0);
}

static void answer(struct conn *conn, struct cluster_response *response)
{
	if (response->stream) {
		answer_stream(conn, response);
		return;
	}
	bool bodyless = response->status == 204 || response->status == 304;
	http_print_head(&conn->out, response, bodyless ? -1 : (int64_t)response->body.len, false,
	                conn->keep_alive, kt_clock_real().now(NULL));
	if (!bodyless && !kt_streq(conn->head.method, "HEAD"))
		kt_buf_add(&conn->out, kt_buf_str(&response->body), response->body.len);
	end_request(conn);
}

/* The request is not one: say why and close. */
static void refuse(struct conn *conn, int status, const char *message)
{
	struct cluster_response response = {0};
	http_fail(&response, status, status == 413 ? "RequestEntityTooLarge" : "BadRequest", message);
	conn->keep_alive = false;
	kt_buf_clear(&conn->in);
	answer(conn, &response);
	cluster_response_clear(&response);
}

static void handle(struct conn *conn)
{
	struct edge *edge = conn->edge;
	const char **groups = kt_alloc((conn->groups.count + 1) * sizeof *groups);
	for (size_t i = 0; i < conn->groups.count; i++)
		groups[i] = conn->groups.items[i];
	struct cluster_request request = {.method = conn->head.method,
	                                  .target = conn->head.target,
	                                  .headers = conn->head.headers,
	                                  .header_count = conn->head.header_count,
	                                  .body = conn->body.data,
	                                  .body_len = conn->body.len,
	                                  .cert_user = conn->user,
	                                  .cert_groups = groups};
	struct cluster_response response = {0};
	conn->keep_alive = conn->head.keep_alive && !edge->stopping;
	conn->answer_at = conn->out.len;
	conn->unflushed = !kt_streq(request.method, "GET") && !kt_streq(request.method, "HEAD");
	(void)edge_tick(edge); /* the request happens now, not when the last one did */
	edge->asked += !control_is_route(request.target);
	if (!control_is_route(request.target))
		cluster_handle(edge->cluster, &request, &response);
	else if (conn->admin)
		control_handle(edge, &request, &response);
	else
		http_fail(&response, 403, "Forbidden", "the routes of ktutor are for the cluster's admin");
	if (edge->stopping)
		conn->unflushed = false; /* it can be told to stop even when it can keep nothing */
	answer(conn, &response);
	cluster_response_clear(&response);
	kt_free(groups);
}

void conn_take_back(struct conn *conn, const char *why)
{
	if (!conn->unflushed || conn->dead)
		return;
	struct cluster_response response = {0};
	drop_answer(conn);
	kt_buf_cut(&conn->out, conn->answer_at);
	http_fail(&response, 500, "InternalError", why);
	conn->keep_alive = false;
	answer(conn, &response);
	cluster_response_clear(&response);
	conn->unflushed = false;
}

/* --- requests --- */

static bool take_head(struct conn *conn)
{
	if (!conn->in.len)
		return false;
	ptrdiff_t used = http_parse_head(conn->in.data, conn->in.len, &conn->head);
	if (used <= 0)
		http_head_clear(&conn->head);
	if (used == 0)
		return false;
	if (used < 0) {
		refuse(conn, (int)-used, kt_http_reason((int)-used));
		return false;
	}
	kt_buf_drop(&conn->in, (size_t)used);
	if (conn->head.length > HTTP_MAX_BODY) {
		refuse(conn, 413, "Request entity too large: limit is 3145728");
		return false;
	}
	memset(&conn->chunks, 0, sizeof conn->chunks);
	kt_buf_cut(&conn->body, 0);
	conn->state = CONN_BODY;
	set_deadline(conn, EDGE_BODY_TIME);
	if (conn->head.expect_continue && !conn->in.len)
		kt_buf_adds(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
	return true;
}

static bool take_body(struct conn *conn)
{
	bool done;
	if (conn->head.chunked) {
		ptrdiff_t used = http_parse_chunks(&conn->chunks, kt_buf_str(&conn->in), conn->in.len,
		                                   HTTP_MAX_BODY, &conn->body, &done);
		if (used < 0) {
			refuse(conn, (int)-used,
			       used == -413 ? "Request entity too large: limit is 3145728"
			                    : kt_http_reason((int)-used));
			return false;
		}
		kt_buf_drop(&conn->in, (size_t)used);
	} else {
		size_t more = KT_MIN((size_t)conn->head.length - conn->body.len, conn->in.len);
		kt_buf_add(&conn->body, kt_buf_str(&conn->in), more);
		kt_buf_drop(&conn->in, more);
		done = conn->body.len == conn->head.length;
	}
	if (done)
		handle(conn);
	return done;
}

static void process(struct conn *conn)
{
	bool more = true;
	while (more && !conn->dead && !conn->close_when_sent) {
		switch (conn->state) {
		case CONN_HEAD:
			/* One answer at a time waits for the journal. */
			more = !conn->unflushed && conn->out.len < EDGE_OUT_HIGH && take_head(conn);
			break;
		case CONN_BODY:
			more = take_body(conn);
			break;
		case CONN_UPGRADED:
			if (conn->in.len && !session_feed(conn->session, conn->in.data, conn->in.len))
				conn->read_closed = true;
			kt_buf_cut(&conn->in, 0);
			conn->ready = true;
			more = false;
			break;
		case CONN_LINGER:
			kt_buf_cut(&conn->in, 0);
			more = false;
			break;
		default:
			more = false;
		}
	}
	if (conn->close_when_sent)
		kt_buf_cut(&conn->in, 0);
}

/* --- the socket --- */

static void read_some(struct conn *conn)
{
	char piece[READ_PIECE];
	for (int round = 0; round < READ_ROUNDS; round++) {
		ssize_t n = wire_read(conn, piece, sizeof piece);
		if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
			return;
		if (n < 0 && !gnutls_error_is_fatal((int)n))
			continue;
		if (n <= 0) {
			/* An end in the middle of a request, or of a stream: nobody waits for the answer. */
			conn->read_closed = true;
			if (n < 0 || conn->state != CONN_HEAD || (conn->out.len == conn->sent))
				conn->dead = true;
			return;
		}
		bool first = conn->state == CONN_HEAD && !conn->in.len;
		kt_buf_add(&conn->in, piece, (size_t)n);
		if (first)
			set_deadline(conn, EDGE_HEAD_TIME);
		if (conn->state == CONN_STREAM && conn->in.len >= IN_WHILE_BUSY) {
			conn->more = true;
			return;
		}
		if (conn->in.len > HTTP_MAX_BODY + HTTP_MAX_HEAD)
			break;
		if (conn->state == CONN_BODY || conn->state == CONN_UPGRADED)
			process(conn);
	}
	conn->more = conn->edge->again = true;
}

static void handshake(struct conn *conn)
{
	int rc = gnutls_handshake(conn->tls);
	if (rc == GNUTLS_E_SUCCESS) {
		conn_identify(conn);
		conn->state = CONN_HEAD;
		conn->want_write = false;
		set_deadline(conn, EDGE_HEAD_TIME);
		read_some(conn);
		process(conn);
	} else if (gnutls_error_is_fatal(rc)) {
		(void)gnutls_alert_send_appropriate(conn->tls, rc);
		conn->dead = true;
	} else {
		conn->want_write = gnutls_record_get_direction(conn->tls) == 1;
	}
}

static void on_event(int fd, int events, void *arg)
{
	struct conn *conn = arg;
	(void)fd;
	if (conn->dead)
		return;
	if (conn->state == CONN_HANDSHAKE) {
		handshake(conn);
	} else {
		if (events & KT_LOOP_WRITE)
			conn->want_write = false;
		if ((events & (KT_LOOP_READ | KT_LOOP_ERROR)) && !conn->read_closed) {
			read_some(conn);
			process(conn);
		} else if (events & KT_LOOP_ERROR) {
			conn->dead = true;
		}
	}
	if (!conn->dead)
		rewatch(conn);
}

void conn_pump(struct conn *conn)
{
	struct kt_buf data = {0};
	unsigned channel = 0;
	if (conn->dead)
		return;
	bool busy = conn->state == CONN_STREAM && conn->in.len >= IN_WHILE_BUSY;
	if (conn->more && !busy) {
		conn->more = false;
		read_some(conn);
		process(conn);
	} else if (conn->state == CONN_HEAD && conn->in.len) {
		process(conn);
	}
	if (conn->dead || !conn->ready || conn->hush || conn->out.len - conn->sent >= EDGE_OUT_HIGH)
		return;
	conn->ready = false;
	if (conn->state == CONN_UPGRADED) {
		if (!session_pump(conn->session, EDGE_OUT_HIGH, &conn->out))
			conn->close_when_sent = true;
	}
	while (conn->state == CONN_STREAM && conn->out.len - conn->sent < EDGE_OUT_HIGH) {
		kt_buf_cut(&data, 0);
		enum cluster_stream_state state = cluster_stream_read(conn->stream, &channel, &data);
		if (state == CLUSTER_STREAM_WAIT)
			break;
		if (data.len)
			add_chunk(conn, &data);
		if (state == CLUSTER_STREAM_END) {
			if (conn->chunked)
				kt_buf_adds(&conn->out, "0\r\n\r\n");
			drop_answer(conn);
			end_request(conn);
			conn->edge->again |= conn->in.len || conn->more; /* what the client said meanwhile */
		}
	}
	if ((conn->state == CONN_STREAM || conn->state == CONN_UPGRADED) &&
	    conn->out.len - conn->sent >= EDGE_OUT_HIGH)
		conn->ready = true; /* there is more, when the client has taken this */
	kt_buf_clear(&data);
}

/* All is said: close our side, and wait for the client's, so that nothing unread resets the connection. */
static void linger(struct conn *conn)
{
	wire_end(conn);
	drop_answer(conn);
	conn->state = CONN_LINGER;
	conn->close_when_sent = false;
	set_deadline(conn, EDGE_LINGER_TIME);
	if (conn->read_closed)
		conn->dead = true;
}

void conn_write(struct conn *conn)
{
	if (conn->dead || conn->state == CONN_HANDSHAKE || conn->want_write)
		return;
	bool some = conn->sent < conn->out.len;
	while (conn->sent < conn->out.len) {
		ssize_t n = wire_write(conn, conn->out.data + conn->sent,
		                       KT_MIN(conn->out.len - conn->sent, (size_t)READ_PIECE));
		if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED) {
			conn->want_write = true;
			set_deadline(conn, EDGE_WRITE_TIME);
			rewatch(conn);
			return;
		}
		if (n < 0) {
			conn->dead = true;
			return;
		}
		conn->sent += (size_t)n;
	}
	if (some) {
		kt_buf_clear(&conn->out);
		conn->sent = 0;
		if (conn->state == CONN_STREAM || conn->state == CONN_UPGRADED)
			set_deadline(conn, 0);
		if (conn->ready)
			conn->edge->again = true;
		rewatch(conn);
	}
	if (conn->close_when_sent)
		linger(conn);
}
