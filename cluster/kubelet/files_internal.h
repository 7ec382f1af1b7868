/* SPDX-License-Identifier: MIT */
/* Inside files_*.c: nodes (files_node.c), volumes (files_volume.c), a container's tree of them and the ways
 * through it (files_tree.c), what programs do with it (files.c). */
#ifndef FILES_INTERNAL_H
#define FILES_INTERNAL_H

#include "cluster/kubelet/files.h"

/* One file, directory or link. Reference counted, since a mount with a subPath holds on to what it found when
 * the container started, even if the volume is projected anew (as with real bind mounts). */
struct files_node {
	unsigned refs;
	enum files_type type;
	unsigned mode;
	uint32_t uid, gid;
	kt_ns modified;
	char *name;
	char *data; /* regular: bytes; link: target */
	size_t len;
	int64_t hole;                 /* zeros behind the bytes, which take no room in here */
	struct files_node **children; /* sorted by name */
	size_t count, cap;
	struct files_mount *mount; /* something is mounted here */
};
struct files_mount {
	struct files_mount *next;
	struct volume *volume;
	struct files_node *root; /* referenced; NULL: the volume's own root */
	char *path;              /* where */
	bool read_only, placed;  /* placed: it is in the tree */
};
struct volume {
	unsigned refs;
	struct files_node *root;
	bool read_only, in_memory;
	int64_t size_limit;
};
struct files_seeds {
	struct files_seeds *next;
	const struct files_seed *seed;
};
struct files {
	struct kt_json *image_files;
	struct files_seeds *seeds;
	struct files_node *root; /* NULL until somebody looks */
	int64_t image_bytes;
	bool read_only;
	struct files_user user;
	unsigned umask_flips; /* umask, exclusive or 022: 0 is the usual one */
	struct files_mount *mounts;
	struct files_look *looks; /* list, in order */
};
struct files_look {
	struct files_look *next;
	void (*fn)(void *arg, struct files *files);
	void *arg;
};
/* What one container or volume may hold at most. */
enum { FILES_MAX_LINKS = 16, FILES_MAX_DEPTH = 64, FILES_MAX_CHILDREN = 20000, FILES_MAX_FILE = 64 << 20 };

/* --- nodes: modes and owners as in stat --- */
struct files_node *files_node_new(enum files_type type, const char *name, size_t len, unsigned mode,
                                  kt_ns now);
void files_node_unref(struct files_node *node);
struct files_node *files_child(const struct files_node *dir, const char *name, size_t len);
void files_child_add(struct files_node *dir, struct files_node *steal);
/* Out of the folder, the caller's now. */
struct files_node *files_child_take(struct files_node *dir, const char *name);
int64_t files_node_size(const struct files_node *node);
int64_t files_node_bytes(const struct files_node *node);
/* The node at `path`, made with all above it; NULL where something else is in the way. */
struct files_node *files_plant(struct files_node *root, const char *path, enum files_type type, unsigned mode,
                               kt_ns now);
void files_node_set(struct files_node *node, const void *data, size_t len);
/* FILES_READ, FILES_WRITE, FILES_EXECUTE by mode and owner; sticky folders; a new node's owner. */
bool files_in_group(const struct files_user *user, uint32_t gid);
bool files_may(const struct files_user *user, const struct files_node *node, unsigned wanted);
bool files_may_remove(const struct files_user *user, const struct files_node *dir,
                      const struct files_node *node);
void files_give(struct files_node *node, const struct files_user *user, const struct files_node *dir);

/* --- ways --- */
/* Where a path leads. */
struct files_walk {
	struct files_node *node; /* what is there; NULL: nothing */
	struct files_node *dir;  /* the directory that would hold it */
	char name[256];          /* its name in `dir`; "" for a root */
	struct volume *volume;
	bool read_only;
};
/* The root; made when first looked at. */
struct files_node *files_tree(struct files *files);
/* Follow `path`, a link in its last place if `follow`. 0; -ENOENT: only the last name is missing, `dir` would
 * hold it; else an errno. */
int files_walk(struct files *files, const char *path, bool follow, struct files_walk *out);
struct files_node *files_mount_root(const struct files_mount *mount);

#endif
