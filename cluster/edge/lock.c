/* SPDX-License-Identifier: MIT */
/* One process a cluster: an fcntl lock goes with its process, whatever ends it, and names its holder. */
#include "cluster/edge/edge.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct flock whole(short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
	return lock;
}

enum kt_code edge_lock(const char *dir, int *fd, long *pid, struct kt_err *err)
{
	char *path = kt_join(dir, "lock");
	struct flock lock = whole(F_WRLCK);
	enum kt_code rc = KT_OK;
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0) {
		rc = kt_fail(err, KT_EIO, "%s: %s", path, strerror(errno));
	} else if (fcntl(file, F_SETLK, &lock)) {
		*pid = errno == EACCES || errno == EAGAIN ? edge_holder(dir) : 0;
		rc = *pid ? kt_fail(err, KT_EEXIST, "process %ld serves this cluster already", *pid)
		          : kt_fail(err, KT_EIO, "%s: cannot be locked: %s", path, strerror(errno));
		(void)close(file);
	} else {
		*fd = file;
	}
	kt_free(path);
	return rc;
}

long edge_holder(const char *dir)
{
	char *path = kt_join(dir, "lock");
	struct flock lock = whole(F_WRLCK);
	long pid = 0;
	int file = open(path, O_RDWR | O_CLOEXEC);
	if (file >= 0) {
		if (!fcntl(file, F_GETLK, &lock) && lock.l_type != F_UNLCK)
			pid = (long)lock.l_pid;
		(void)close(file);
	}
	kt_free(path);
	return pid;
}
