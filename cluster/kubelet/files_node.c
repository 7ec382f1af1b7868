/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/files_internal.h"

#include <errno.h>
#include <string.h>

struct files_node *files_node_new(enum files_type type, const char *name, size_t len, unsigned mode,
                                  kt_ns now)
{
	struct files_node *node = kt_alloc(sizeof(*node));
	node->refs = 1;
	node->type = type;
	node->name = kt_strndup(name, len);
	node->mode = mode;
	node->modified = now;
	return node;
}

void files_node_unref(struct files_node *node)
{
	if (!node || --node->refs)
		return;
	for (size_t i = 0; i < node->count; i++)
		files_node_unref(node->children[i]);
	kt_free(node->children);
	kt_free(node->data);
	kt_free(node->name);
	kt_free(node);
}

static size_t child_index(const struct files_node *dir, const char *name, size_t len, bool *found)
{
	size_t low = 0, high = dir->count;
	*found = false;
	while (low < high) {
		size_t mid = (low + high) / 2;
		const char *other = dir->children[mid]->name;
		int order = strncmp(other, name, len);
		if (order == 0 && other[len])
			order = 1;
		if (order == 0) {
			*found = true;
			return mid;
		}
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct files_node *files_child(const struct files_node *dir, const char *name, size_t len)
{
	bool found;
	size_t i = child_index(dir, name, len, &found);
	return found ? dir->children[i] : NULL;
}

void files_child_add(struct files_node *dir, struct files_node *steal)
{
	bool found;
	size_t i = child_index(dir, steal->name, strlen(steal->name), &found);
	if (found) {
		files_node_unref(dir->children[i]);
		dir->children[i] = steal;
		return;
	}
	dir->children = kt_grow(dir->children, &dir->cap, dir->count + 1, sizeof(*dir->children));
	memmove(dir->children + i + 1, dir->children + i, (dir->count - i) * sizeof(*dir->children));
	dir->children[i] = steal;
	dir->count++;
}

struct files_node *files_child_take(struct files_node *dir, const char *name)
{
	bool found;
	size_t i = child_index(dir, name, strlen(name), &found);
	if (!found)
		return NULL;
	struct files_node *node = dir->children[i];
	memmove(dir->children + i, dir->children + i + 1, (dir->count - i - 1) * sizeof(*dir->children));
	dir->count--;
	return node;
}

int64_t files_node_size(const struct files_node *node)
{
	return (int64_t)node->len + node->hole;
}

int64_t files_node_bytes(const struct files_node *node)
{
	int64_t sum = files_node_size(node);
	for (size_t i = 0; i < node->count; i++)
		sum += files_node_bytes(node->children[i]);
	return sum;
}

/* Make `path` below `root`, with the directories on the way. */
struct files_node *files_plant(struct files_node *root, const char *path, enum files_type type, unsigned mode,
                               kt_ns now)
{
	const char *rest = path;
	struct files_node *dir = root;
	while (*rest == '/')
		rest++;
	if (!*rest)
		return root;
	for (unsigned depth = 0; depth < FILES_MAX_DEPTH; depth++) {
		size_t len = strcspn(rest, "/");
		const char *behind = rest + len;
		while (*behind == '/')
			behind++;
		struct files_node *child = files_child(dir, rest, len);
		bool last = !*behind;
		if (!child || (last && child->type != type && type != FILES_DIR)) {
			child = files_node_new(last ? type : FILES_DIR, rest, len, last ? mode : 0755, now);
			files_child_add(dir, child);
		}
		if (last)
			return child;
		if (child->type != FILES_DIR)
			return NULL;
		dir = child;
		rest = behind;
	}
	return NULL;
}

void files_node_set(struct files_node *node, const void *data, size_t len)
{
	kt_free(node->data);
	node->data = kt_alloc(len + 1);
	if (len)
		memcpy(node->data, data, len);
	node->len = len;
	node->hole = 0;
}

/* --- who may --- */
bool files_in_group(const struct files_user *user, uint32_t gid)
{
	bool found = user->gid == gid;
	for (size_t i = 0; i < user->group_count && !found; i++)
		found = user->groups[i] == gid;
	return found;
}

bool files_may(const struct files_user *user, const struct files_node *node, unsigned wanted)
{
	unsigned bits;
	if (user->all)
		return true;
	if (node->uid == user->uid)
		bits = node->mode >> 6;
	else
		bits = files_in_group(user, node->gid) ? node->mode >> 3 : node->mode;
	return (bits & wanted) == wanted;
}

/* In a folder with the sticky bit only owners remove. */
bool files_may_remove(const struct files_user *user, const struct files_node *dir,
                      const struct files_node *node)
{
	if (!files_may(user, dir, FILES_WRITE | FILES_RUN))
		return false;
	return user->all || !(dir->mode & 01000) || node->uid == user->uid || dir->uid == user->uid;
}

void files_give(struct files_node *node, const struct files_user *user, const struct files_node *dir)
{
	node->uid = user->uid;
	node->gid = dir->mode & 02000 ? dir->gid : user->gid;
	if (node->type == FILES_DIR)
		node->mode |= dir->mode & 02000;
}
