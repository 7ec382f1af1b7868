/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/files_internal.h"

#include <errno.h>
#include <string.h>

/* --- a container's tree --- */
struct files *files_new(const struct kt_json *image_files)
{
	struct files *files = kt_alloc(sizeof(*files));
	files->image_files = kt_json_ref(image_files);
	files->user.all = true;
	return files;
}

void files_free(struct files *files)
{
	if (!files)
		return;
	files_node_unref(files->root);
	while (files->mounts) {
		struct files_mount *mount = files->mounts;
		files->mounts = mount->next;
		kt_free(mount->path);
		files_node_unref(mount->root);
		volume_free(mount->volume);
		kt_free(mount);
	}
	while (files->seeds) {
		struct files_seeds *seed = files->seeds;
		files->seeds = seed->next;
		kt_free(seed);
	}
	while (files->looks) {
		struct files_look *look = files->looks;
		files->looks = look->next;
		kt_free(look);
	}
	kt_json_free(files->image_files);
	kt_free(files);
}

static void seed_tree(struct files_node *root, const struct files_seed *seed)
{
	for (; seed->path; seed++) {
		bool dir = !seed->text;
		enum files_type type =
		        seed->mode & FILES_LINKS ? FILES_LINK : (dir ? FILES_DIR : FILES_REGULAR);
		unsigned mode = seed->mode & 07777;
		struct files_node *node =
		        files_plant(root, seed->path, type, mode ? mode : (dir ? 0755 : 0644), 0);
		if (node && !dir)
			files_node_set(node, seed->text, strlen(seed->text));
		if (node) {
			node->uid = node->gid = seed->mode >> 16;
			node->mode = mode ? mode : node->mode;
		}
	}
}

static void place(struct files *files, struct files_mount *mount);

/* In the order in which they were asked for: the list has the latest first. */
static void place_mounts(struct files *files, struct files_mount *mount)
{
	if (!mount)
		return;
	place_mounts(files, mount->next);
	place(files, mount);
}

struct files_node *files_tree(struct files *files)
{
	static const struct files_seed base[] = {
	        {"/dev", NULL, 0},     {"/etc", NULL, 0},     {"/proc", NULL, 0555}, {"/sys", NULL, 0555},
	        {"/tmp", NULL, 01777}, {"/root", NULL, 0700}, {"/var/run", NULL, 0}, {NULL, NULL, 0}};
	if (files->root)
		return files->root;
	files->root = files_node_new(FILES_DIR, "", 0, 0755, 0);
	seed_tree(files->root, base);
	for (struct files_seeds *seed = files->seeds; seed; seed = seed->next)
		seed_tree(files->root, seed->seed);
	for (size_t i = 0; i < kt_count(files->image_files); i++) {
		struct files_node *node =
		        files_plant(files->root, kt_key(files->image_files, i), FILES_REGULAR, 0644, 0);
		const struct kt_json *text = kt_at(files->image_files, i);
		if (node && node->type == FILES_REGULAR)
			files_node_set(node, kt_str_or(text, ""), kt_str_len(text));
	}
	place_mounts(files, files->mounts);
	for (struct files_look *look; (look = files->looks);) {
		const struct files_user user = files->user;
		bool read_only = files->read_only;
		files->looks = look->next;
		files->user.all = true;
		files->read_only = false;
		look->fn(look->arg, files);
		files->user = user;
		files->read_only = read_only;
		kt_free(look);
	}
	files->image_bytes = files_node_bytes(files->root);
	return files->root;
}

void files_on_look(struct files *files, void (*fn)(void *arg, struct files *files), void *arg)
{
	if (files->root) {
		fn(arg, files);
		return;
	}
	struct files_look **end = &files->looks;
	for (; *end; end = &(*end)->next)
		if ((*end)->fn == fn && (*end)->arg == arg)
			return;
	*end = kt_alloc(sizeof(**end));
	**end = (struct files_look){.fn = fn, .arg = arg};
}

void files_add_seed(struct files *files, const struct files_seed *seed)
{
	for (const struct files_seeds *old = files->seeds; old; old = old->next) {
		if (old->seed == seed)
			return;
	}
	struct files_seeds *row = kt_alloc(sizeof(*row));
	row->seed = seed;
	row->next = files->seeds;
	files->seeds = row;
	if (files->root)
		seed_tree(files->root, seed);
}

struct files_node *files_mount_root(const struct files_mount *mount)
{
	return mount->root ? mount->root : mount->volume->root;
}

/* Follow `path`. The last component's link is followed if `follow`. */
int files_walk(struct files *files, const char *path, bool follow, struct files_walk *out)
{
	struct step {
		struct files_node *node;
		struct volume *volume;
		bool read_only;
	} stack[FILES_MAX_DEPTH + 1];
	size_t depth = 0;
	unsigned links = 0;
	char *rest = kt_strdup(path), *at = rest;
	int rc = 0;
	stack[0] = (struct step){files_tree(files), NULL, files->read_only};
	*out = (struct files_walk){
	        .node = stack[0].node, .dir = stack[0].node, .read_only = stack[0].read_only};
	for (;;) {
		while (*at == '/')
			at++;
		if (!*at)
			break;
		size_t len = strcspn(at, "/");
		if (len > 255 || depth >= FILES_MAX_DEPTH) {
			rc = ENAMETOOLONG;
			break;
		}
		if (len == 1 && at[0] == '.') {
			at += len;
			continue;
		}
		if (len == 2 && at[0] == '.' && at[1] == '.') {
			if (depth)
				depth--;
			at += len;
			continue;
		}
		struct step here = stack[depth];
		if (here.node->type != FILES_DIR) {
			rc = ENOTDIR;
			break;
		}
		if (!files_may(&files->user, here.node, FILES_RUN)) {
			rc = EACCES;
			break;
		}
		struct files_node *child = files_child(here.node, at, len);
		const char *behind = at + len;
		while (*behind == '/')
			behind++;
		memcpy(out->name, at, len);
		out->name[len] = '\0';
		out->dir = here.node;
		out->volume = here.volume;
		out->read_only = here.read_only;
		out->node = child;
		if (!child) {
			rc = ENOENT;
			/* only the last component missing is no error for those who create */
			if (!*behind)
				rc = -ENOENT;
			break;
		}
		if (child->type == FILES_LINK && !child->mount && (*behind || follow)) {
			if (++links > FILES_MAX_LINKS) {
				rc = ELOOP;
				break;
			}
			char *next = kt_strf("%s/%s", child->data, behind);
			if (child->data[0] == '/')
				depth = 0;
			kt_free(rest);
			rest = at = next;
			out->node = stack[depth].node;
			continue;
		}
		struct step step = {child, here.volume, here.read_only};
		if (child->mount) {
			step.node = files_mount_root(child->mount);
			step.volume = child->mount->volume;
			step.read_only = child->mount->read_only;
			out->node = step.node;
			out->volume = step.volume;
			out->read_only = step.read_only;
		}
		stack[++depth] = step;
		at += len;
	}
	if (!rc) {
		out->node = stack[depth].node;
		out->volume = stack[depth].volume;
		out->read_only = stack[depth].read_only;
		if (depth) {
			/* for removal and renaming: the real parent, whatever `..` came before */
			out->dir = stack[depth - 1].node;
			struct files_node *node = stack[depth].node;
			for (size_t i = 0; i < out->dir->count; i++) {
				struct files_node *child = out->dir->children[i];
				if (child == node ||
				    (child->mount && files_mount_root(child->mount) == node)) {
					size_t len = strlen(child->name);
					memcpy(out->name, child->name, len + 1);
				}
			}
		} else {
			out->name[0] = '\0';
		}
	}
	kt_free(rest);
	return rc;
}

void files_mount(struct files *files, const char *path, struct volume *volume, const char *sub_path,
                 bool read_only)
{
	struct files_mount *mount = kt_alloc(sizeof(*mount));
	mount->volume = volume_ref(volume);
	mount->read_only = read_only || volume->read_only;
	if (sub_path && *sub_path) {
		struct files_node *sub = volume->root;
		struct files probe = {.root = volume->root, .user.all = true};
		struct files_walk in;
		if (files_walk(&probe, sub_path, true, &in) == 0)
			sub = in.node;
		else if (!volume->read_only)
			sub = files_plant(volume->root, sub_path, FILES_DIR, volume->root->mode, 0);
		if (sub) {
			sub->refs++;
			mount->root = sub;
		}
	}
	mount->path = kt_strdup(path);
	mount->next = files->mounts;
	files->mounts = mount;
	if (files->root)
		place(files, mount);
}

static void place(struct files *files, struct files_mount *mount)
{
	struct files_walk at;
	const char *path = mount->path;
	if (mount->placed)
		return;
	mount->placed = true;
	bool file = files_mount_root(mount)->type == FILES_REGULAR;
	struct files_node *node = NULL;
	struct files_user user = files->user;
	files->user.all = true; /* the runtime mounts, whoever the user is */
	int rc = files_walk(files, path, true, &at);
	files->user = user;
	if (rc == 0 && at.name[0])
		node = files_child(at.dir, at.name, strlen(at.name));
	else if (rc == 0)
		node = at.node;
	else if (rc == -ENOENT)
		files_child_add(at.dir, node = files_node_new(file ? FILES_REGULAR : FILES_DIR, at.name,
		                                              strlen(at.name), 0755, 0));
	else if (rc == ENOENT)
		node = files_plant(at.volume ? at.dir : files_tree(files), at.volume ? at.name : path,
		                   file ? FILES_REGULAR : FILES_DIR, 0755, 0);
	if (node)
		node->mount = mount;
}

bool files_mounted(const struct files *files, size_t i, struct files_mounted *out)
{
	size_t count = 0;
	const struct files_mount *mount = files->mounts;
	for (const struct files_mount *m = mount; m; m = m->next)
		count++;
	if (i >= count)
		return false;
	for (size_t at = count - 1; at > i; at--)
		mount = mount->next;
	*out = (struct files_mounted){.path = mount->path,
	                              .read_only = mount->read_only,
	                              .in_memory = mount->volume->in_memory,
	                              .size_limit = mount->volume->size_limit,
	                              .bytes = files_node_bytes(mount->volume->root)};
	return true;
}
