/* SPDX-License-Identifier: MIT */
/* The files of a container: a small tree with mounts. Volumes are trees that several containers (and for PVs:
 * pods) share. */
#ifndef FILES_H
#define FILES_H

#include "base/base.h"

struct files;
struct volume; /* a tree that can be mounted; reference counted */
struct volume *volume_new(bool read_only, int64_t size_limit /* bytes, 0 none */);
/* Of the volume's own folder: who owns it, its mode (02000: what is made in it gets its group). */
void volume_own(struct volume *volume, uint32_t uid, uint32_t gid, unsigned mode);
struct volume *volume_ref(struct volume *volume);
void volume_free(struct volume *volume);
void volume_in_memory(struct volume *volume); /* what is written in it takes memory */
void volume_make_file(struct volume *volume); /* it is a file, not a folder, if it is empty yet */
/* Set the content of a projected volume (ConfigMap, Secret, downward API, token), replaced as one the way the
 * kubelet's atomic writer does it: a folder with the time as its name, the link ..data to it, and links to
 * the files. */
void volume_project(struct volume *volume, const struct kt_json *files /* {path: "text"} */, unsigned mode,
                    const struct kt_json *modes /* {path: mode}, or NULL */,
                    const struct kt_json *owners /* {path: uid}, or NULL: root */, kt_ns now);
struct kt_json *volume_save(const struct volume *volume); /* for persistence and snapshots */
void volume_load(struct volume *volume, const struct kt_json *saved);
int64_t volume_used(const struct volume *volume); /* bytes: for sizeLimit evictions */

struct files *files_new(const struct kt_json *image_files /* {path: text}, shared, may be NULL */);
void files_free(struct files *files);
/* The image's files from a static table (images.c): made into a tree only when somebody looks, so that a pod
 * whose files nobody reads costs nothing. Ends with a row without path; `text` NULL: a directory. */
struct files_seed {
	const char *path, *text;
	unsigned mode; /* 0: 0644, directories 0755; with FILES_OWNED and FILES_LINKS */
};
#define FILES_OWNED(id) ((unsigned)(id) << 16) /* user and group */
#define FILES_LINKS     0100000u               /* a link to `text` */
void files_add_seed(struct files *files, const struct files_seed *seed);
/* What is written only when somebody looks: each `fn` is called once, in order, before the first look (at
 * once if that was). The same again counts once. */
void files_on_look(struct files *files, void (*fn)(void *arg, struct files *files), void *arg);
void files_mount(struct files *files, const char *path, struct volume *volume, const char *sub_path,
                 bool read_only);

/* What is mounted, in the order of mounting; false behind the last. */
struct files_mounted {
	const char *path; /* borrowed */
	bool read_only, in_memory;
	int64_t size_limit; /* 0: none */
	int64_t bytes;      /* that are in it */
};
bool files_mounted(const struct files *files, size_t i, struct files_mounted *out);

/* Who reads and writes from now on (at first root). `all`: permissions do not bind it (CAP_DAC_OVERRIDE). */
enum { FILES_GROUPS = 16 };
struct files_user {
	uint32_t uid, gid, groups[FILES_GROUPS];
	size_t group_count;
	bool all;
	bool keeps; /* lacks CAP_CHOWN: what is another's stays another's */
};
void files_set_user(struct files *files, const struct files_user *user);
/* Kept back from the modes of what is made from now on; 022 at the start. */
void files_set_umask(struct files *files, unsigned mask);
const struct files_user *files_user(const struct files *files);
/* Nothing but what is mounted can be written (readOnlyRootFilesystem). */
void files_set_read_only(struct files *files);
/* Bytes written into the container's own layer, without what is mounted. */
int64_t files_written(const struct files *files);
/* Bytes in volumes of memory, which the container pays for. */
int64_t files_memory(const struct files *files);

enum files_type { FILES_NONE, FILES_REGULAR, FILES_DIR, FILES_LINK, FILES_DEVICE };
struct files_stat {
	enum files_type type;
	size_t size;
	unsigned mode;
	kt_ns modified;
	uint32_t uid, gid;
};
/* Paths are absolute. Errors are errno values (ENOENT, EACCES, EPERM, EISDIR, EROFS, ENOSPC…), 0 is success.
 */
int files_stat(struct files *files, const char *path, struct files_stat *out);
/* Of a link itself; its target is added to `target` (may be NULL). */
int files_lstat(struct files *files, const char *path, struct files_stat *out, struct kt_buf *target);
int files_read(struct files *files, const char *path, struct kt_buf *out);
int files_write(struct files *files, const char *path, const void *data, size_t len, bool append,
                unsigned mode, kt_ns now);
/* Add `count` zeros; they take no room in here. */
int files_extend(struct files *files, const char *path, int64_t count, kt_ns now);
int files_mkdir(struct files *files, const char *path, bool parents, kt_ns now);
int files_remove(struct files *files, const char *path, bool recursive);
int files_rename(struct files *files, const char *from, const char *to, kt_ns now);
int files_symlink(struct files *files, const char *target, const char *path, kt_ns now);
int files_chmod(struct files *files, const char *path, unsigned mode);
int files_chown(struct files *files, const char *path, int64_t uid, int64_t gid); /* -1: as it is */
enum { FILES_READ = 4, FILES_WRITE = 2, FILES_RUN = 1 };
int files_access(struct files *files, const char *path, unsigned wanted); /* as access(2) */
int files_list(struct files *files, const char *path, struct kt_strs *out);
/* Is everything below `path` as the image has it: nobody has looked yet, and nothing is mounted there or
 * above? */
bool files_untouched(const struct files *files, const char *path);

#endif
