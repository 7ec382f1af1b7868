/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum kt_code fail_errno(struct kt_err *err, const char *path)
{
	int e = errno;
	enum kt_code code = e == ENOENT || e == ENOTDIR ? KT_ENOTFOUND
	                    : e == EACCES || e == EPERM ? KT_EDENIED
	                                                : KT_EIO;
	return kt_fail(err, code, "%s: %s", path, strerror(e));
}

enum kt_code kt_read_file(const char *path, size_t max, struct kt_buf *out, struct kt_err *err)
{
	size_t before = out->len;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, path);
	enum kt_code rc = KT_OK;
	for (;;) {
		kt_buf_reserve(out, 16384);
		ssize_t n = read(fd, out->data + out->len, 16384);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = fail_errno(err, path);
		if (n <= 0)
			break;
		out->len += (size_t)n;
		out->data[out->len] = 0;
		if (max && out->len - before > max) {
			rc = kt_fail(err, KT_ELIMIT, "%s: larger than %zu bytes", path, max);
			break;
		}
	}
	close(fd);
	if (rc)
		kt_buf_cut(out, before);
	return rc;
}

static bool write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	while (len) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* The new name itself outlives a crash only once its folder is on the disk. Some file systems refuse: no
 * matter. */
static void sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? kt_strndup(path, (size_t)(slash - path) + 1) : kt_strdup(".");
	int fd = open(dir, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	kt_free(dir);
}

enum kt_code kt_write_file(const char *path, const void *data, size_t len, unsigned mode, struct kt_err *err)
{
	KT_CLEANUP(kt_freep) char *temporary = kt_strf("%s.XXXXXX", path);
	int fd = mkstemp(temporary);
	if (fd < 0)
		return fail_errno(err, path);
	/* What open(2) would have given. */
	mode_t mask = umask(0);
	umask(mask);
	bool ok = fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fchmod(fd, (mode_t)mode & ~mask) == 0 &&
	          write_all(fd, data, len) && fsync(fd) == 0;
	int e = errno;
	ok = close(fd) == 0 && ok;
	if (ok && rename(temporary, path) == 0) {
		sync_folder_of(path);
		return KT_OK;
	}
	if (ok)
		e = errno;
	unlink(temporary);
	errno = e;
	return fail_errno(err, path);
}

enum kt_code kt_read_json(const char *path, size_t max, struct kt_json **out, struct kt_err *err)
{
	struct kt_buf text = {0};
	struct kt_err why = {0};
	enum kt_code rc = kt_read_file(path, max, &text, err);
	if (!rc && (rc = kt_json_parse(kt_buf_str(&text), text.len, NULL, out, NULL, &why)))
		rc = kt_fail(err, rc, "%s: %s", path, why.text);
	kt_buf_clear(&text);
	return rc;
}

enum kt_code kt_write_json(const char *path, const struct kt_json *json, unsigned mode, struct kt_err *err)
{
	KT_CLEANUP(kt_freep) char *text = kt_json_text(json);
	return kt_write_file(path, text, strlen(text), mode, err);
}

enum kt_code kt_make_dirs(const char *path, unsigned mode, struct kt_err *err)
{
	KT_CLEANUP(kt_freep) char *copy = kt_strdup(path);
	for (char *p = copy; *p;) {
		p++;
		while (*p && *p != '/')
			p++;
		char kept = *p;
		*p = 0;
		if (mkdir(copy, (mode_t)mode) != 0) {
			int why = errno; /* looking changes it */
			if (!kt_is_dir(copy)) {
				errno = why;
				return fail_errno(err, copy);
			}
		}
		*p = kept;
	}
	return KT_OK;
}

enum kt_code kt_list_dir(const char *path, struct kt_strs *out, struct kt_err *err)
{
	DIR *dir = opendir(path);
	if (!dir)
		return fail_errno(err, path);
	for (struct dirent *entry; (entry = readdir(dir));)
		if (!kt_streq(entry->d_name, ".") && !kt_streq(entry->d_name, ".."))
			kt_strs_add(out, entry->d_name);
	closedir(dir);
	kt_strs_sort(out);
	return KT_OK;
}

static bool remove_at(int parent, const char *name);

/* Empty the folder `name`; true when it was one. */
static bool empty_folder(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	DIR *dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return false;
	}
	struct kt_strs names = {0};
	for (struct dirent *entry; (entry = readdir(dir));)
		if (!kt_streq(entry->d_name, ".") && !kt_streq(entry->d_name, ".."))
			kt_strs_add(&names, entry->d_name);
	for (size_t i = 0; i < names.count; i++)
		remove_at(dirfd(dir), names.items[i]);
	kt_strs_clear(&names);
	closedir(dir);
	return true;
}

static bool remove_at(int parent, const char *name)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return true;
	if (!empty_folder(parent, name))
		return false;
	return unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

enum kt_code kt_remove_tree(const char *path, struct kt_err *err)
{
	return remove_at(AT_FDCWD, path) ? KT_OK : fail_errno(err, path);
}

bool kt_is_dir(const char *path)
{
	struct stat st;
	return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool kt_is_file(const char *path)
{
	struct stat st;
	return path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

char *kt_join(const char *dir, const char *name)
{
	if (!*dir)
		return kt_strdup(name);
	return kt_strf("%s%s%s", dir, kt_ends(dir, "/") ? "" : "/", name);
}

const char *kt_basename(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* --- where things are --- */

static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

enum kt_code kt_home(char **out, struct kt_err *err)
{
#ifdef __APPLE__
	static const char under_home[] = "%s/Library/Application Support/ktutor";
#else
	static const char under_home[] = "%s/.local/state/ktutor";
#endif
	const char *home = variable("KTUTOR_HOME"), *state = variable("XDG_STATE_HOME");
	if (home) {
		*out = kt_strdup(home);
	} else if (state && *state == '/') { /* the XDG specification ignores relative paths */
		*out = kt_join(state, "ktutor");
	} else {
		home = variable("HOME");
		if (!home)
			return kt_fail(err, KT_ENOTFOUND, "neither KTUTOR_HOME nor HOME is set");
		*out = kt_strf(under_home, home);
	}
	return KT_OK;
}

#ifndef KT_PREFIX_SHARE
#define KT_PREFIX_SHARE "/usr/local/share/ktutor"
#endif
#ifndef KT_SOURCE_DIR
#define KT_SOURCE_DIR "."
#endif

static bool has_course(const char *dir)
{
	KT_CLEANUP(kt_freep) char *lessons = kt_join(dir, "lessons");
	KT_CLEANUP(kt_freep) char *labs = kt_join(dir, "labs");
	return kt_is_dir(lessons) && kt_is_dir(labs);
}

char *kt_program(void)
{
	char path[4096];
#ifdef __APPLE__
	uint32_t size = sizeof(path);
	if (_NSGetExecutablePath(path, &size))
		return NULL;
#else
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (len <= 0)
		return NULL;
	path[len] = '\0';
#endif
	return kt_strdup(path);
}

/* BIN/../share/ktutor of the running program, so that an installed tree can be moved. NULL where the system
 * does not tell. */
static char *beside_program(void)
{
	KT_CLEANUP(kt_freep) char *path = kt_program();
	for (int up = 0; path && up < 2;
	     up++) { /* PREFIX/bin/ktutor: without the program, without its folder */
		char *slash = strrchr(path, '/');
		if (!slash)
			return NULL;
		*slash = '\0';
	}
	return path ? kt_strf("%s/share/ktutor", path) : NULL;
}

enum kt_code kt_share(char **out, struct kt_err *err)
{
	const char *given = variable("KTUTOR_SHARE");
	if (given) {
		*out = kt_strdup(given);
		return KT_OK;
	}
	KT_CLEANUP(kt_freep) char *installed = beside_program();
	const char *const places[] = {installed, KT_SOURCE_DIR, KT_PREFIX_SHARE};
	for (size_t i = 0; i < KT_COUNT(places); i++) {
		if (places[i] && has_course(places[i])) {
			*out = kt_strdup(places[i]);
			return KT_OK;
		}
	}
	return kt_fail(err, KT_ENOTFOUND, "no course in %s; KTUTOR_SHARE names another place",
	               KT_PREFIX_SHARE);
}

char *kt_which(const char *program)
{
	if (!program || !*program)
		return NULL;
	if (strchr(program, '/'))
		return kt_is_file(program) && access(program, X_OK) == 0 ? kt_strdup(program) : NULL;
	const char *path = variable("PATH"), *folder;
	size_t len;
	while ((folder = kt_split(&path, ':', &len))) {
		KT_CLEANUP(kt_freep) char *dir = kt_strndup(len ? folder : ".", len ? len : 1);
		char *candidate = kt_join(dir, program);
		if (kt_is_file(candidate) && access(candidate, X_OK) == 0)
			return candidate;
		kt_free(candidate);
	}
	return NULL;
}
