/* SPDX-License-Identifier: MIT */
/* The process of one cluster: journal, cluster, edge, loop. */
#include "labs/embedded/embedded_internal.h"
#include "cluster/edge/edge.h"
#include "db/db.h"
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define WANTED_FILES 1024
#define COMING_UP    KT_MIN_NS

struct server {
	char *dir;
	int lock;
	struct edge_identity identity;
	struct cluster_signer signer;
	struct db *db;
	struct kt_loop *loop;
	struct edge *edge;
	struct cluster *cluster;
	struct cluster_journal journal;
};

/* --- the journal: the cluster's words for db's --- */

static enum kt_code journal_write(void *arg, const struct cluster_record *records, size_t count,
                                  struct kt_err *err)
{
	struct db_record *rows = kt_alloc((count + 1) * sizeof *rows);
	for (size_t i = 0; i < count; i++)
		rows[i] = (struct db_record){records[i].key, records[i].value, records[i].len};
	enum kt_code rc = db_journal_write(arg, rows, count, err);
	kt_free(rows);
	return rc;
}

struct reader {
	void (*row)(void *arg, const struct cluster_record *record);
	void *arg;
};

static void read_row(void *arg, const struct db_record *record)
{
	const struct reader *reader = arg;
	struct cluster_record row = {record->key, record->value, record->len};
	reader->row(reader->arg, &row);
}

static enum kt_code journal_read(void *arg, void (*row)(void *row_arg, const struct cluster_record *record),
                                 void *row_arg, struct kt_err *err)
{
	struct reader reader = {row, row_arg};
	return db_journal_read(arg, read_row, &reader, err);
}

/* --- start and end --- */

static void on_term(int signo, void *arg)
{
	(void)signo;
	edge_stop(arg);
}

/* A start needs more than what comes after it. */
static void on_started(void *arg)
{
	(void)arg;
	kt_mem_trim();
}

/* Schedules go by the minute. */
static kt_ns birth(const struct embedded_options *options)
{
	kt_ns now = kt_clock_real().now(NULL);
	return options->holder ? now - now % KT_MIN_NS : now;
}

static enum kt_code open_all(struct server *server, const struct embedded_options *options,
                             struct kt_err *err)
{
	char *path = kt_join(server->dir, "cluster.db");
	struct edge_options edge = {.dir = server->dir,
	                            .name = options->name,
	                            .speed = options->speed,
	                            .holder = options->holder,
	                            .loop = server->loop};
	enum kt_code rc = edge_identity_load(server->dir, &server->identity, err);
	if (!rc)
		rc = db_journal_open(path, &server->db, err);
	if (!rc)
		rc = edge_new(&edge, &server->identity, &server->edge, err);
	kt_free(path);
	if (rc)
		return rc;
	server->journal =
	        (struct cluster_journal){.arg = server->db, .write = journal_write, .read = journal_read};
	server->signer = edge_signer(&server->identity);
	struct cluster_options cluster = {.name = options->name,
	                                  .seed = options->seed,
	                                  .now = birth(options),
	                                  .nodes = options->nodes,
	                                  .workers = options->workers,
	                                  .journal = &server->journal,
	                                  .signer = &server->signer,
	                                  .ca_pem = server->identity.ca_pem,
	                                  .server_address = edge_address(server->edge)};
	/* it comes up before anybody sees it: who starts a program at once finds its DNS, and metrics of
	 * nodes */
	kt_ns seen = cluster.now;
	cluster.now -= COMING_UP;
	rc = cluster_new(&cluster, &server->cluster, err);
	if (!rc && cluster_now(server->cluster) == cluster.now)
		cluster_advance(server->cluster, seen);
	if (!rc)
		rc = cluster_flush(server->cluster, err);
	if (!rc)
		rc = edge_serve(server->edge, server->cluster, err);
	return rc;
}

static void close_all(struct server *server)
{
	edge_free(server->edge);
	cluster_free(server->cluster);
	db_close(server->db);
	edge_identity_clear(&server->identity);
	kt_loop_free(server->loop);
	kt_free(server->dir);
	if (server->lock >= 0)
		(void)close(server->lock); /* last: now another may serve */
}

/* Room for the edge's connections: some systems start with 256 descriptors. */
static void raise_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= WANTED_FILES)
		return;
	limit.rlim_cur = limit.rlim_max < WANTED_FILES ? limit.rlim_max : WANTED_FILES;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

enum kt_code embedded_serve(const struct embedded_options *options, int ready_fd, struct kt_err *err)
{
	struct server server = {.lock = -1};
	long holder = 0;
	enum kt_code rc = embedded_dir(options->home, options->name, &server.dir, err);
	if (rc)
		return rc;
	rc = kt_make_dirs(server.dir, 0700, err);
	if (!rc)
		rc = edge_lock(server.dir, &server.lock, &holder, err);
	raise_limit();
	server.loop = kt_loop_new();
	if (!rc)
		rc = open_all(&server, options, err);
	if (!rc) {
		(void)signal(SIGPIPE, SIG_IGN);
		kt_loop_signal(server.loop, SIGTERM, on_term, server.edge);
		kt_loop_signal(server.loop, SIGINT, on_term, server.edge);
		if (ready_fd >= 0) {
			ssize_t told = write(ready_fd, "ok\n", 3);
			(void)told;
			(void)close(ready_fd);
		}
		(void)kt_loop_after(server.loop, KT_SEC, on_started, NULL);
		kt_loop_run(server.loop);
		rc = cluster_flush(server.cluster, err);
	}
	close_all(&server);
	return rc ? kt_wrap(err, "cluster '%s'", options->name) : KT_OK;
}
