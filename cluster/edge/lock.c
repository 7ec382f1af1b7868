/* SPDX-License-Identifier: MIT */
/* One process a cluster: it holds the lock of the cluster's folder. */
#include "cluster/edge/edge.h"

enum kt_code edge_lock(const char *dir, int *fd, long *pid, struct kt_err *err)
{
	char *path = kt_join(dir, "lock");
	enum kt_code rc = kt_lock(path, fd, pid, err);
	kt_free(path);
	return rc == KT_EEXIST ? kt_fail(err, rc, "process %ld serves this cluster already", *pid) : rc;
}

long edge_holder(const char *dir)
{
	char *path = kt_join(dir, "lock");
	long pid = kt_lock_holder(path);
	kt_free(path);
	return pid;
}
