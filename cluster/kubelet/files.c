/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/files_internal.h"

#include <errno.h>
#include <string.h>

void files_set_user(struct files *files, const struct files_user *user)
{
	files->user = *user;
}

const struct files_user *files_user(const struct files *files)
{
	return &files->user;
}

void files_set_read_only(struct files *files)
{
	files->read_only = true;
}

int64_t files_memory(const struct files *files)
{
	int64_t sum = 0;
	for (const struct files_mount *mount = files->mounts; mount; mount = mount->next)
		sum += mount->volume->in_memory ? files_node_bytes(mount->volume->root) : 0;
	return sum;
}

int64_t files_written(const struct files *files)
{
	return files->root ? KT_MAX(files_node_bytes(files->root) - files->image_bytes, 0) : 0;
}

/* Nothing is read from it, and what is written is gone. */
static bool is_null(const char *path)
{
	return !strcmp(path, "/dev/null");
}

int files_stat(struct files *files, const char *path, struct files_stat *out)
{
	struct files_walk at;
	if (is_null(path)) {
		*out = (struct files_stat){.type = FILES_DEVICE, .mode = 0666};
		return 0;
	}
	int rc = files_walk(files, path, true, &at);
	if (rc)
		return rc < 0 ? -rc : rc;
	*out = (struct files_stat){at.node->type, (size_t)files_node_size(at.node),
	                           at.node->mode, at.node->modified,
	                           at.node->uid,  at.node->gid};
	return 0;
}

int files_lstat(struct files *files, const char *path, struct files_stat *out, struct kt_buf *target)
{
	struct files_walk at;
	if (is_null(path))
		return files_stat(files, path, out);
	size_t len = strlen(path);
	int rc = files_walk(files, path, len && path[len - 1] == '/',
	                    &at); /* a slash behind a link: what it names */
	if (rc)
		return rc < 0 ? -rc : rc;
	*out = (struct files_stat){at.node->type, (size_t)files_node_size(at.node),
	                           at.node->mode, at.node->modified,
	                           at.node->uid,  at.node->gid};
	if (target && at.node->type == FILES_LINK)
		kt_buf_adds(target, at.node->data);
	return 0;
}

bool files_untouched(const struct files *files, const char *path)
{
	if (files->root || files->image_files || strstr(path, "//") || strstr(path, "/."))
		return false;
	for (const struct files_mount *mount = files->mounts; mount; mount = mount->next) {
		size_t len = mount->path ? strlen(mount->path) : 0;
		while (len && mount->path[len - 1] == '/')
			len--;
		if (mount->path && strncmp(mount->path, path, KT_MIN(len, strlen(path))) == 0)
			return false;
	}
	return true;
}

/* Read without making the tree: a server reads its configuration, and thousands of servers do. */
static bool read_seed(const struct files *files, const char *path, struct kt_buf *out)
{
	const char *text = NULL;
	for (const struct files_seeds *list = files->seeds; list; list = list->next)
		for (const struct files_seed *seed = list->seed; seed->path; seed++)
			if (seed->text && strcmp(seed->path, path) == 0)
				text = seed->text;
	if (text)
		kt_buf_adds(out, text);
	return text != NULL;
}

static bool list_seed(const struct files *files, const char *path, struct kt_strs *out)
{
	size_t len = strlen(path);
	for (const struct files_seeds *list = files->seeds; list; list = list->next)
		for (const struct files_seed *seed = list->seed; seed->path; seed++) {
			if (strncmp(seed->path, path, len) != 0 || seed->path[len] != '/')
				continue;
			const char *rest = seed->path + len + 1;
			char *name = kt_strndup(rest, strcspn(rest, "/"));
			if (*name && !kt_strs_has(out, name))
				kt_strs_add(out, name);
			kt_free(name);
		}
	kt_strs_sort(out);
	return out->count > 0;
}

int files_read(struct files *files, const char *path, struct kt_buf *out)
{
	struct files_walk at;
	if (is_null(path) || (files_untouched(files, path) && read_seed(files, path, out)))
		return 0;
	int rc = files_walk(files, path, true, &at);
	if (rc)
		return rc < 0 ? -rc : rc;
	if (!files_may(&files->user, at.node, FILES_READ))
		return EACCES;
	if (at.node->type == FILES_DIR)
		return EISDIR;
	kt_buf_add(out, at.node->data ? at.node->data : "", at.node->len);
	for (int64_t left = KT_MIN(at.node->hole, (int64_t)FILES_MAX_FILE); left > 0; left -= 4096) {
		static const char zeros[4096];
		kt_buf_add(out, zeros, (size_t)KT_MIN(left, (int64_t)sizeof(zeros)));
	}
	return 0;
}

static int room(const struct volume *volume, int64_t more)
{
	if (!volume || !volume->size_limit)
		return 0;
	return files_node_bytes(volume->root) + more > volume->size_limit ? ENOSPC : 0;
}

void files_set_umask(struct files *files, unsigned mask)
{
	files->umask_flips = (mask & 0777) ^ 022;
}

/* Callers ask for 0644 and 0755, which is what the usual mask leaves of 0666 and 0777. */
static unsigned masked(const struct files *files, unsigned mode)
{
	if (!files->umask_flips)
		return mode;
	unsigned whole = mode == 0644 ? 0666 : (mode == 0755 ? 0777 : mode);
	return whole & ~(files->umask_flips ^ 022);
}

/* The file at `path` to write in, made if need be. */
static int for_writing(struct files *files, const char *path, unsigned mode, kt_ns now, struct files_walk *at,
                       struct files_node **out)
{
	int rc = files_walk(files, path, true, at);
	if (rc > 0)
		return rc;
	if (rc == 0 && at->node->type == FILES_DIR)
		return EISDIR;
	if (at->read_only)
		return EROFS;
	*out = at->node;
	if (rc == 0)
		return files_may(&files->user, at->node, FILES_WRITE) ? 0 : EACCES;
	if (!files_may(&files->user, at->dir, FILES_WRITE | FILES_RUN))
		return EACCES;
	if (at->dir->count >= FILES_MAX_CHILDREN)
		return ENOSPC;
	*out = files_node_new(FILES_REGULAR, at->name, strlen(at->name), masked(files, mode), now);
	files_give(*out, &files->user, at->dir);
	files_child_add(at->dir, *out);
	at->dir->modified = now;
	return 0;
}

static bool is_zeros(const char *data, size_t len)
{
	return len >= 512 && !data[0] && !memcmp(data, data + 1, len - 1);
}

int files_write(struct files *files, const char *path, const void *data, size_t len, bool append,
                unsigned mode, kt_ns now)
{
	struct files_walk at;
	if (is_null(path))
		return 0;
	struct files_node *node;
	int rc = for_writing(files, path, mode, now, &at, &node);
	if (rc)
		return rc;
	if (!append)
		files_node_set(node, "", 0);
	node->modified = now;
	if (room(at.volume, (int64_t)len))
		return ENOSPC;
	if (is_zeros(data, len)) {
		node->hole += (int64_t)len;
		return 0;
	}
	size_t old = node->len + (size_t)node->hole;
	if (files_node_size(node) + (int64_t)len > (int64_t)FILES_MAX_FILE)
		return EFBIG;
	if (!old) {
		files_node_set(node, data, len);
	} else if (len) {
		node->data = kt_realloc(node->data, old + len + 1);
		memset(node->data + node->len, 0, (size_t)node->hole);
		memcpy(node->data + old, data, len);
		node->data[old + len] = '\0';
		node->len = old + len;
		node->hole = 0;
	}
	return 0;
}

int files_extend(struct files *files, const char *path, int64_t count, kt_ns now)
{
	struct files_walk at;
	struct files_node *node;
	int rc = for_writing(files, path, 0644, now, &at, &node);
	if (rc)
		return rc;
	node->modified = now;
	if (room(at.volume, count)) {
		/* as much as goes in, as a program that writes would see it */
		node->hole += KT_MAX(at.volume->size_limit - files_node_bytes(at.volume->root), 0);
		return ENOSPC;
	}
	node->hole += count;
	return 0;
}

int files_mkdir(struct files *files, const char *path, bool parents, kt_ns now)
{
	struct files_walk at;
	int rc = files_walk(files, path, true, &at);
	if (rc == 0)
		return parents && at.node->type == FILES_DIR ? 0 : EEXIST;
	if (rc != -ENOENT && (rc != ENOENT || !parents))
		return rc;
	if (at.read_only)
		return EROFS;
	if (!files_may(&files->user, at.dir, FILES_WRITE | FILES_RUN))
		return EACCES;
	if (at.dir->count >= FILES_MAX_CHILDREN)
		return ENOSPC;
	struct files_node *node =
	        files_node_new(FILES_DIR, at.name, strlen(at.name), masked(files, 0755), now);
	files_give(node, &files->user, at.dir);
	files_child_add(at.dir, node);
	/* it was the first of several missing ones: again */
	return rc == ENOENT ? files_mkdir(files, path, parents, now) : 0;
}

static bool holds_mount(const struct files_node *node)
{
	if (node->mount)
		return true;
	for (size_t i = 0; i < node->count; i++) {
		if (holds_mount(node->children[i]))
			return true;
	}
	return false;
}

int files_remove(struct files *files, const char *path, bool recursive)
{
	struct files_walk at;
	int rc = files_walk(files, path, false, &at);
	if (rc)
		return rc < 0 ? -rc : rc;
	if (!at.name[0]) /* where something is mounted */
		return EBUSY;
	struct files_node *child = files_child(at.dir, at.name, strlen(at.name));
	if (!child || holds_mount(child))
		return EBUSY;
	if (at.read_only)
		return EROFS;
	if (!files_may_remove(&files->user, at.dir, child))
		return EACCES;
	if (child->type == FILES_DIR && child->count && !recursive)
		return ENOTEMPTY;
	files_node_unref(files_child_take(at.dir, at.name));
	return 0;
}

int files_rename(struct files *files, const char *from, const char *to, kt_ns now)
{
	struct files_walk source, target;
	int rc = files_walk(files, from, false, &source);
	if (rc)
		return rc < 0 ? -rc : rc;
	rc = files_walk(files, to, false, &target);
	if (rc > 0)
		return rc;
	if (!source.name[0] || !target.name[0])
		return EBUSY;
	struct files_node *node = files_child(source.dir, source.name, strlen(source.name));
	if (!node || holds_mount(node))
		return EBUSY;
	if (source.read_only || target.read_only)
		return EROFS;
	if (!files_may_remove(&files->user, source.dir, node) ||
	    !files_may(&files->user, target.dir, FILES_WRITE | FILES_RUN))
		return EACCES;
	if (rc == 0 && target.node == node)
		return 0;
	if (rc == 0 && target.node->type == FILES_DIR && target.node->count)
		return ENOTEMPTY;
	if (kt_starts(to, from) && to[strlen(from)] == '/')
		return EINVAL;
	if (source.volume != target.volume && room(target.volume, files_node_bytes(node)))
		return ENOSPC;
	files_child_take(source.dir, source.name);
	kt_free(node->name);
	node->name = kt_strdup(target.name);
	node->modified = now;
	files_child_add(target.dir, node);
	return 0;
}

int files_symlink(struct files *files, const char *target, const char *path, kt_ns now)
{
	struct files_walk at;
	int rc = files_walk(files, path, false, &at);
	if (rc == 0)
		return EEXIST;
	if (rc > 0)
		return rc;
	if (at.read_only)
		return EROFS;
	if (!files_may(&files->user, at.dir, FILES_WRITE | FILES_RUN))
		return EACCES;
	struct files_node *node = files_node_new(FILES_LINK, at.name, strlen(at.name), 0777, now);
	files_node_set(node, target, strlen(target));
	files_give(node, &files->user, at.dir);
	files_child_add(at.dir, node);
	return 0;
}

int files_chmod(struct files *files, const char *path, unsigned mode)
{
	struct files_walk at;
	int rc = files_walk(files, path, true, &at);
	if (rc)
		return rc < 0 ? -rc : rc;
	if (at.read_only)
		return EROFS;
	if (!files->user.all && at.node->uid != files->user.uid)
		return EPERM;
	at.node->mode = mode & 07777;
	return 0;
}

int files_chown(struct files *files, const char *path, int64_t uid, int64_t gid)
{
	struct files_walk at;
	int rc = files_walk(files, path, true, &at);
	if (rc)
		return rc < 0 ? -rc : rc;
	if (at.read_only)
		return EROFS;
	bool own = at.node->uid == files->user.uid && (uid < 0 || uid == at.node->uid) &&
	           (gid < 0 || files_in_group(&files->user, (uint32_t)gid));
	if ((!files->user.all || files->user.keeps) && !own)
		return EPERM;
	at.node->uid = uid < 0 ? at.node->uid : (uint32_t)uid;
	at.node->gid = gid < 0 ? at.node->gid : (uint32_t)gid;
	return 0;
}

int files_access(struct files *files, const char *path, unsigned wanted)
{
	struct files_walk at;
	int rc = files_walk(files, path, true, &at);
	if (rc)
		return rc < 0 ? -rc : rc;
	if ((wanted & FILES_WRITE) && at.read_only)
		return EROFS;
	if (at.node->type == FILES_REGULAR && (wanted & FILES_RUN) && !(at.node->mode & 0111))
		return EACCES;
	return files_may(&files->user, at.node, wanted) ? 0 : EACCES;
}

int files_list(struct files *files, const char *path, struct kt_strs *out)
{
	struct files_walk at;
	if (!out->count && path[0] && path[1] && files_untouched(files, path) && list_seed(files, path, out))
		return 0;
	int rc = files_walk(files, path, true, &at);
	if (rc)
		return rc < 0 ? -rc : rc;
	if (at.node->type != FILES_DIR)
		return ENOTDIR;
	if (!files_may(&files->user, at.node, FILES_READ))
		return EACCES;
	for (size_t i = 0; i < at.node->count; i++)
		kt_strs_add(out, at.node->children[i]->name);
	return 0;
}
