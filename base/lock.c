/* SPDX-License-Identifier: MIT */
/* A file's lock: fcntl's go with their process, whatever ends it, and name their holder. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct flock whole(short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
	return lock;
}

enum kt_code kt_lock(const char *path, int *fd, long *pid, struct kt_err *err)
{
	struct flock lock = whole(F_WRLCK);
	enum kt_code rc = KT_OK;
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0) {
		rc = kt_fail(err, KT_EIO, "%s: %s", path, strerror(errno));
	} else if (fcntl(file, F_SETLK, &lock)) {
		*pid = errno == EACCES || errno == EAGAIN ? kt_lock_holder(path) : 0;
		rc = *pid ? KT_EEXIST
		          : kt_fail(err, KT_EIO, "%s: cannot be locked: %s", path, strerror(errno));
		(void)close(file);
	} else {
		*fd = file;
	}
	return rc;
}

long kt_lock_holder(const char *path)
{
	struct flock lock = whole(F_WRLCK);
	long pid = 0;
	int file = open(path, O_RDWR | O_CLOEXEC);
	if (file >= 0) {
		if (!fcntl(file, F_GETLK, &lock) && lock.l_type != F_UNLCK)
			pid = (long)lock.l_pid;
		(void)close(file);
	}
	return pid;
}
