/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/files.h"

#include <errno.h>
#include <string.h>

/* One file, directory or link. Reference counted, since a mount with a subPath holds on to what it found when
 * the container started, even if the volume is projected anew (as with real bind mounts). */
struct node {
	unsigned refs;
	enum files_type type;
	unsigned mode;
	uint32_t uid, gid;
	kt_ns modified;
	char *name;
	char *data; /* regular: bytes; link: target */
	size_t len;
	int64_t hole;           /* zeros behind the bytes, which take no room in here */
	struct node **children; /* sorted by name */
	size_t count, cap;
	struct mount *mount; /* something is mounted here */
};
struct mount {
	struct mount *next;
	struct volume *volume;
	struct node *root; /* referenced; NULL: the volume's own root */
	char *path;        /* where, as long as it is not in the tree yet */
	bool read_only;
};
struct volume {
	unsigned refs;
	struct node *root;
	bool read_only, in_memory;
	int64_t size_limit;
};
struct seed_list {
	struct seed_list *next;
	const struct files_seed *seed;
};
struct files {
	struct kt_json *image_files;
	struct seed_list *seeds;
	struct node *root; /* NULL until somebody looks */
	int64_t image_bytes;
	bool read_only;
	struct files_user user;
	struct mount *mounts;
	void (*on_look)(void *arg, struct files *files);
	void *on_look_arg;
};
enum { MAX_LINKS = 16, MAX_DEPTH = 64, MAX_CHILDREN = 20000 };
static const size_t MAX_FILE = 64u << 20;

static struct node *node_new(enum files_type type, const char *name, size_t len, unsigned mode, kt_ns now)
{
	struct node *node = kt_alloc(sizeof(*node));
	node->refs = 1;
	node->type = type;
	node->name = kt_strndup(name, len);
	node->mode = mode;
	node->modified = now;
	return node;
}

static void node_unref(struct node *node)
{
	if (!node || --node->refs)
		return;
	for (size_t i = 0; i < node->count; i++)
		node_unref(node->children[i]);
	kt_free(node->children);
	kt_free(node->data);
	kt_free(node->name);
	kt_free(node);
}

static size_t child_index(const struct node *dir, const char *name, size_t len, bool *found)
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

static struct node *child_find(const struct node *dir, const char *name, size_t len)
{
	bool found;
	size_t i = child_index(dir, name, len, &found);
	return found ? dir->children[i] : NULL;
}

static void child_add(struct node *dir, struct node *steal)
{
	bool found;
	size_t i = child_index(dir, steal->name, strlen(steal->name), &found);
	if (found) {
		node_unref(dir->children[i]);
		dir->children[i] = steal;
		return;
	}
	dir->children = kt_grow(dir->children, &dir->cap, dir->count + 1, sizeof(*dir->children));
	memmove(dir->children + i + 1, dir->children + i, (dir->count - i) * sizeof(*dir->children));
	dir->children[i] = steal;
	dir->count++;
}

static struct node *child_take(struct node *dir, const char *name)
{
	bool found;
	size_t i = child_index(dir, name, strlen(name), &found);
	if (!found)
		return NULL;
	struct node *node = dir->children[i];
	memmove(dir->children + i, dir->children + i + 1, (dir->count - i - 1) * sizeof(*dir->children));
	dir->count--;
	return node;
}

static int64_t node_size(const struct node *node)
{
	return (int64_t)node->len + node->hole;
}

static int64_t node_bytes(const struct node *node)
{
	int64_t sum = node_size(node);
	for (size_t i = 0; i < node->count; i++)
		sum += node_bytes(node->children[i]);
	return sum;
}

/* Make `path` below `root`, with the directories on the way. */
static struct node *plant(struct node *root, const char *path, enum files_type type, unsigned mode, kt_ns now)
{
	const char *rest = path;
	struct node *dir = root;
	while (*rest == '/')
		rest++;
	if (!*rest)
		return root;
	for (unsigned depth = 0; depth < MAX_DEPTH; depth++) {
		size_t len = strcspn(rest, "/");
		const char *behind = rest + len;
		while (*behind == '/')
			behind++;
		struct node *child = child_find(dir, rest, len);
		bool last = !*behind;
		if (!child || (last && child->type != type && type != FILES_DIR)) {
			child = node_new(last ? type : FILES_DIR, rest, len, last ? mode : 0755, now);
			child_add(dir, child);
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

static void node_set(struct node *node, const void *data, size_t len)
{
	kt_free(node->data);
	node->data = kt_alloc(len + 1);
	if (len)
		memcpy(node->data, data, len);
	node->len = len;
	node->hole = 0;
}

/* --- who may --- */
static bool in_group(const struct files_user *user, uint32_t gid)
{
	bool found = user->gid == gid;
	for (size_t i = 0; i < user->group_count && !found; i++)
		found = user->groups[i] == gid;
	return found;
}

static bool may(const struct files_user *user, const struct node *node, unsigned wanted)
{
	unsigned bits;
	if (user->all)
		return true;
	if (node->uid == user->uid)
		bits = node->mode >> 6;
	else
		bits = in_group(user, node->gid) ? node->mode >> 3 : node->mode;
	return (bits & wanted) == wanted;
}

/* In a folder with the sticky bit only owners remove. */
static bool may_remove(const struct files_user *user, const struct node *dir, const struct node *node)
{
	if (!may(user, dir, FILES_WRITE | FILES_RUN))
		return false;
	return user->all || !(dir->mode & 01000) || node->uid == user->uid || dir->uid == user->uid;
}

static void give(struct node *node, const struct files_user *user, const struct node *dir)
{
	node->uid = user->uid;
	node->gid = dir->mode & 02000 ? dir->gid : user->gid;
	if (node->type == FILES_DIR)
		node->mode |= dir->mode & 02000;
}

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
	for (const struct mount *mount = files->mounts; mount; mount = mount->next)
		sum += mount->volume->in_memory ? node_bytes(mount->volume->root) : 0;
	return sum;
}

int64_t files_written(const struct files *files)
{
	return files->root ? KT_MAX(node_bytes(files->root) - files->image_bytes, 0) : 0;
}

/* --- volumes --- */
struct volume *volume_new(bool read_only, int64_t size_limit)
{
	struct volume *volume = kt_alloc(sizeof(*volume));
	volume->refs = 1;
	volume->read_only = read_only;
	volume->size_limit = size_limit;
	volume->root = node_new(FILES_DIR, "", 0, 0777, 0);
	return volume;
}

struct volume *volume_ref(struct volume *volume)
{
	volume->refs++;
	return volume;
}

void volume_free(struct volume *volume)
{
	if (!volume || --volume->refs)
		return;
	node_unref(volume->root);
	kt_free(volume);
}

void volume_own(struct volume *volume, uint32_t uid, uint32_t gid, unsigned mode)
{
	volume->root->uid = uid;
	volume->root->gid = gid;
	volume->root->mode = mode;
}

void volume_in_memory(struct volume *volume)
{
	volume->in_memory = true;
}

void volume_make_file(struct volume *volume)
{
	if (volume->root->type != FILES_DIR || volume->root->count)
		return;
	volume->root->type = FILES_REGULAR;
	volume->root->mode = 0644;
	node_set(volume->root, "", 0);
}

/* "..2026_01_31_10_20_30.123456789" */
static char *project_name(kt_ns now)
{
	struct kt_buf time = {0}, name = {0};
	kt_time_print(now, &time);
	kt_buf_adds(&name, "..");
	for (const char *c = kt_buf_str(&time); *c && *c != 'Z'; c++)
		kt_buf_addc(&name, *c >= '0' && *c <= '9' ? *c : '_');
	kt_buf_addf(&name, ".%09lld", (long long)((now + 271828183) % KT_SEC));
	kt_buf_clear(&time);
	return kt_buf_take(&name);
}

void volume_project(struct volume *volume, const struct kt_json *files, unsigned mode, kt_ns now)
{
	struct node *old = volume->root, *root = node_new(FILES_DIR, "", 0, old->mode, now), *dir, *data;
	char *name = project_name(now);
	root->uid = old->uid;
	root->gid = old->gid;
	dir = plant(root, name, FILES_DIR, 0755, now);
	data = plant(root, "..data", FILES_LINK, 0777, now);
	node_set(data, name, strlen(name));
	dir->gid = old->gid;
	dir->mode |= old->mode & 02000;
	for (size_t i = 0; i < kt_count(files); i++) {
		const char *path = kt_key(files, i);
		struct node *node = plant(dir, path, FILES_REGULAR, mode ? mode : 0644, now);
		if (!node || node->type != FILES_REGULAR)
			continue;
		node_set(node, kt_str_or(kt_at(files, i), ""), kt_str_len(kt_at(files, i)));
		node->gid = old->gid;
		if (old->mode & 02000)
			node->mode |= 0040; /* the fsGroup may read */
		char *top = kt_strndup(path, strcspn(path, "/")), *target = kt_strf("..data/%s", top);
		struct node *link = plant(root, top, FILES_LINK, 0777, now);
		if (link)
			node_set(link, target, strlen(target));
		kt_free(top);
		kt_free(target);
	}
	kt_free(name);
	node_unref(old);
	volume->root = root;
}

int64_t volume_used(const struct volume *volume)
{
	return node_bytes(volume->root);
}

static void save_below(const struct node *dir, const char *path, struct kt_json **out)
{
	for (size_t i = 0; i < dir->count; i++) {
		const struct node *node = dir->children[i];
		char *name = kt_strf("%s/%s", path, node->name);
		struct kt_buf text = {0};
		kt_base64(node->data, node->len, &text);
		kt_set(out, name,
		       kt_jsonf("{type: %d, mode: %d, modified: %l, data: %s, hole: %l, uid: %l, gid: %l}",
		                (int)node->type, (int)node->mode, node->modified, kt_buf_str(&text),
		                node->hole, (int64_t)node->uid, (int64_t)node->gid));
		kt_buf_clear(&text);
		save_below(node, name, out);
		kt_free(name);
	}
}

struct kt_json *volume_save(const struct volume *volume)
{
	struct kt_json *out = kt_json_object();
	save_below(volume->root, "", &out);
	if (volume->root->type == FILES_REGULAR) {
		struct kt_buf text = {0};
		kt_base64(volume->root->data, volume->root->len, &text);
		kt_set(&out, "", kt_jsonf("{data: %s}", kt_buf_str(&text)));
		kt_buf_clear(&text);
	}
	return out;
}

void volume_load(struct volume *volume, const struct kt_json *saved)
{
	struct node *old = volume->root;
	volume->root = node_new(FILES_DIR, "", 0, old->mode, 0);
	volume->root->uid = old->uid;
	volume->root->gid = old->gid;
	node_unref(old);
	for (size_t i = 0; i < kt_count(saved); i++) {
		const struct kt_json *row = kt_at(saved, i);
		int64_t type = kt_get_int(row, "type", FILES_REGULAR);
		if (!*kt_key(saved, i))
			volume_make_file(volume);
		if (type < FILES_REGULAR || type > FILES_LINK)
			continue;
		struct node *node = plant(volume->root, kt_key(saved, i), (enum files_type)type,
		                          (unsigned)kt_get_int(row, "mode", 0644) & 07777,
		                          kt_get_int(row, "modified", 0));
		struct kt_buf data = {0};
		const char *text = kt_get_str(row, "data");
		if (node && node->type != FILES_DIR && text && kt_unbase64(text, strlen(text), &data))
			node_set(node, kt_buf_str(&data), data.len);
		if (node) {
			node->hole = KT_MAX(kt_get_int(row, "hole", 0), 0);
			node->uid = (uint32_t)kt_get_int(row, "uid", 0);
			node->gid = (uint32_t)kt_get_int(row, "gid", 0);
		}
		kt_buf_clear(&data);
	}
}

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
	node_unref(files->root);
	while (files->mounts) {
		struct mount *mount = files->mounts;
		files->mounts = mount->next;
		kt_free(mount->path);
		node_unref(mount->root);
		volume_free(mount->volume);
		kt_free(mount);
	}
	while (files->seeds) {
		struct seed_list *seed = files->seeds;
		files->seeds = seed->next;
		kt_free(seed);
	}
	kt_json_free(files->image_files);
	kt_free(files);
}

static void seed_tree(struct node *root, const struct files_seed *seed)
{
	for (; seed->path; seed++) {
		bool dir = !seed->text;
		enum files_type type =
		        seed->mode & FILES_LINKS ? FILES_LINK : (dir ? FILES_DIR : FILES_REGULAR);
		unsigned mode = seed->mode & 07777;
		struct node *node = plant(root, seed->path, type, mode ? mode : (dir ? 0755 : 0644), 0);
		if (node && !dir)
			node_set(node, seed->text, strlen(seed->text));
		if (node) {
			node->uid = node->gid = seed->mode >> 16;
			node->mode = mode ? mode : node->mode;
		}
	}
}

static void place(struct files *files, struct mount *mount);

/* In the order in which they were asked for: the list has the latest first. */
static void place_mounts(struct files *files, struct mount *mount)
{
	if (!mount)
		return;
	place_mounts(files, mount->next);
	place(files, mount);
}

static struct node *tree(struct files *files)
{
	static const struct files_seed base[] = {
	        {"/dev", NULL, 0},     {"/etc", NULL, 0},     {"/proc", NULL, 0555}, {"/sys", NULL, 0555},
	        {"/tmp", NULL, 01777}, {"/root", NULL, 0700}, {"/var/run", NULL, 0}, {NULL, NULL, 0}};
	if (files->root)
		return files->root;
	files->root = node_new(FILES_DIR, "", 0, 0755, 0);
	seed_tree(files->root, base);
	for (struct seed_list *seed = files->seeds; seed; seed = seed->next)
		seed_tree(files->root, seed->seed);
	for (size_t i = 0; i < kt_count(files->image_files); i++) {
		struct node *node = plant(files->root, kt_key(files->image_files, i), FILES_REGULAR, 0644, 0);
		const struct kt_json *text = kt_at(files->image_files, i);
		if (node && node->type == FILES_REGULAR)
			node_set(node, kt_str_or(text, ""), kt_str_len(text));
	}
	place_mounts(files, files->mounts);
	if (files->on_look) {
		const struct files_user user = files->user;
		bool read_only = files->read_only;
		files->user.all = true;
		files->read_only = false;
		files->on_look(files->on_look_arg, files);
		files->user = user;
		files->read_only = read_only;
	}
	files->on_look = NULL;
	files->image_bytes = node_bytes(files->root);
	return files->root;
}

void files_on_look(struct files *files, void (*fn)(void *arg, struct files *files), void *arg)
{
	if (files->root) {
		fn(arg, files);
		return;
	}
	files->on_look = fn;
	files->on_look_arg = arg;
}

void files_add_seed(struct files *files, const struct files_seed *seed)
{
	for (const struct seed_list *old = files->seeds; old; old = old->next) {
		if (old->seed == seed)
			return;
	}
	struct seed_list *row = kt_alloc(sizeof(*row));
	row->seed = seed;
	row->next = files->seeds;
	files->seeds = row;
	if (files->root)
		seed_tree(files->root, seed);
}

struct walk {
	struct node *node; /* what is there; NULL: nothing */
	struct node *dir;  /* the directory that would hold it */
	char name[256];    /* its name in `dir`; "" for a root */
	struct volume *volume;
	bool read_only;
};

static struct node *mount_root(const struct mount *mount)
{
	return mount->root ? mount->root : mount->volume->root;
}

/* Follow `path`. The last component's link is followed if `follow`. */
static int walk(struct files *files, const char *path, bool follow, struct walk *out)
{
	struct step {
		struct node *node;
		struct volume *volume;
		bool read_only;
	} stack[MAX_DEPTH + 1];
	size_t depth = 0;
	unsigned links = 0;
	char *rest = kt_strdup(path), *at = rest;
	int rc = 0;
	stack[0] = (struct step){tree(files), NULL, files->read_only};
	*out = (struct walk){.node = stack[0].node, .dir = stack[0].node, .read_only = stack[0].read_only};
	for (;;) {
		while (*at == '/')
			at++;
		if (!*at)
			break;
		size_t len = strcspn(at, "/");
		if (len > 255 || depth >= MAX_DEPTH) {
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
		if (!may(&files->user, here.node, FILES_RUN)) {
			rc = EACCES;
			break;
		}
		struct node *child = child_find(here.node, at, len);
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
			if (++links > MAX_LINKS) {
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
			step.node = mount_root(child->mount);
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
			struct node *node = stack[depth].node;
			for (size_t i = 0; i < out->dir->count; i++) {
				struct node *child = out->dir->children[i];
				if (child == node || (child->mount && mount_root(child->mount) == node)) {
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
	struct mount *mount = kt_alloc(sizeof(*mount));
	mount->volume = volume_ref(volume);
	mount->read_only = read_only || volume->read_only;
	if (sub_path && *sub_path) {
		struct node *sub = volume->root;
		struct files probe = {.root = volume->root, .user.all = true};
		struct walk in;
		if (walk(&probe, sub_path, true, &in) == 0)
			sub = in.node;
		else if (!volume->read_only)
			sub = plant(volume->root, sub_path, FILES_DIR, volume->root->mode, 0);
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

static void place(struct files *files, struct mount *mount)
{
	struct walk at;
	char *path = mount->path;
	if (!path)
		return;
	mount->path = NULL;
	bool file = mount_root(mount)->type == FILES_REGULAR;
	struct node *node = NULL;
	struct files_user user = files->user;
	files->user.all = true; /* the runtime mounts, whoever the user is */
	int rc = walk(files, path, true, &at);
	files->user = user;
	if (rc == 0 && at.name[0])
		node = child_find(at.dir, at.name, strlen(at.name));
	else if (rc == 0)
		node = at.node;
	else if (rc == -ENOENT)
		child_add(at.dir, node = node_new(file ? FILES_REGULAR : FILES_DIR, at.name, strlen(at.name),
		                                  0755, 0));
	else if (rc == ENOENT)
		node = plant(at.volume ? at.dir : tree(files), at.volume ? at.name : path,
		             file ? FILES_REGULAR : FILES_DIR, 0755, 0);
	if (node)
		node->mount = mount;
	kt_free(path);
}

int files_stat(struct files *files, const char *path, struct files_stat *out)
{
	struct walk at;
	int rc = walk(files, path, true, &at);
	if (rc)
		return rc < 0 ? -rc : rc;
	*out = (struct files_stat){at.node->type, (size_t)node_size(at.node),
	                           at.node->mode, at.node->modified,
	                           at.node->uid,  at.node->gid};
	return 0;
}

int files_lstat(struct files *files, const char *path, struct files_stat *out, struct kt_buf *target)
{
	struct walk at;
	int rc = walk(files, path, false, &at);
	if (rc)
		return rc < 0 ? -rc : rc;
	*out = (struct files_stat){at.node->type, (size_t)node_size(at.node),
	                           at.node->mode, at.node->modified,
	                           at.node->uid,  at.node->gid};
	if (target && at.node->type == FILES_LINK)
		kt_buf_adds(target, at.node->data);
	return 0;
}

/* Nobody has looked yet and nothing is mounted above or at `path`: the image's own files say what is there.
 */
static bool pristine(const struct files *files, const char *path)
{
	if (files->root || files->image_files || strstr(path, "//") || strstr(path, "/."))
		return false;
	for (const struct mount *mount = files->mounts; mount; mount = mount->next) {
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
	for (const struct seed_list *list = files->seeds; list; list = list->next)
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
	for (const struct seed_list *list = files->seeds; list; list = list->next)
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
	struct walk at;
	if (pristine(files, path) && read_seed(files, path, out))
		return 0;
	int rc = walk(files, path, true, &at);
	if (rc)
		return rc < 0 ? -rc : rc;
	if (!may(&files->user, at.node, FILES_READ))
		return EACCES;
	if (at.node->type == FILES_DIR)
		return EISDIR;
	kt_buf_add(out, at.node->data ? at.node->data : "", at.node->len);
	for (int64_t left = KT_MIN(at.node->hole, (int64_t)MAX_FILE); left > 0; left -= 4096) {
		static const char zeros[4096];
		kt_buf_add(out, zeros, (size_t)KT_MIN(left, (int64_t)sizeof(zeros)));
	}
	return 0;
}

static int room(const struct volume *volume, int64_t more)
{
	if (!volume || !volume->size_limit)
		return 0;
	return node_bytes(volume->root) + more > volume->size_limit ? ENOSPC : 0;
}

/* The file at `path` to write in, made if need be. */
static int for_writing(struct files *files, const char *path, unsigned mode, kt_ns now, struct walk *at,
                       struct node **out)
{
	int rc = walk(files, path, true, at);
	if (rc > 0)
		return rc;
	if (rc == 0 && at->node->type == FILES_DIR)
		return EISDIR;
	if (at->read_only)
		return EROFS;
	*out = at->node;
	if (rc == 0)
		return may(&files->user, at->node, FILES_WRITE) ? 0 : EACCES;
	if (!may(&files->user, at->dir, FILES_WRITE | FILES_RUN))
		return EACCES;
	if (at->dir->count >= MAX_CHILDREN)
		return ENOSPC;
	*out = node_new(FILES_REGULAR, at->name, strlen(at->name), mode, now);
	give(*out, &files->user, at->dir);
	child_add(at->dir, *out);
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
	struct walk at;
	struct node *node;
	int rc = for_writing(files, path, mode, now, &at, &node);
	if (rc)
		return rc;
	if (!append)
		node_set(node, "", 0);
	node->modified = now;
	if (room(at.volume, (int64_t)len))
		return ENOSPC;
	if (is_zeros(data, len)) {
		node->hole += (int64_t)len;
		return 0;
	}
	size_t old = node->len + (size_t)node->hole;
	if (node_size(node) + (int64_t)len > (int64_t)MAX_FILE)
		return EFBIG;
	if (!old) {
		node_set(node, data, len);
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
	struct walk at;
	struct node *node;
	int rc = for_writing(files, path, 0644, now, &at, &node);
	if (rc)
		return rc;
	node->modified = now;
	if (room(at.volume, count)) {
		/* as much as goes in, as a program that writes would see it */
		node->hole += KT_MAX(at.volume->size_limit - node_bytes(at.volume->root), 0);
		return ENOSPC;
	}
	node->hole += count;
	return 0;
}

int files_mkdir(struct files *files, const char *path, bool parents, kt_ns now)
{
	struct walk at;
	int rc = walk(files, path, true, &at);
	if (rc == 0)
		return parents && at.node->type == FILES_DIR ? 0 : EEXIST;
	if (rc != -ENOENT && (rc != ENOENT || !parents))
		return rc;
	if (at.read_only)
		return EROFS;
	if (!may(&files->user, at.dir, FILES_WRITE | FILES_RUN))
		return EACCES;
	if (at.dir->count >= MAX_CHILDREN)
		return ENOSPC;
	struct node *node = node_new(FILES_DIR, at.name, strlen(at.name), 0755, now);
	give(node, &files->user, at.dir);
	child_add(at.dir, node);
	/* it was the first of several missing ones: again */
	return rc == ENOENT ? files_mkdir(files, path, parents, now) : 0;
}

static bool holds_mount(const struct node *node)
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
	struct walk at;
	int rc = walk(files, path, false, &at);
	if (rc)
		return rc < 0 ? -rc : rc;
	if (at.read_only)
		return EROFS;
	if (!at.name[0])
		return EBUSY;
	struct node *child = child_find(at.dir, at.name, strlen(at.name));
	if (!child || holds_mount(child))
		return EBUSY;
	if (!may_remove(&files->user, at.dir, child))
		return EACCES;
	if (child->type == FILES_DIR && child->count && !recursive)
		return ENOTEMPTY;
	node_unref(child_take(at.dir, at.name));
	return 0;
}

int files_rename(struct files *files, const char *from, const char *to, kt_ns now)
{
	struct walk source, target;
	int rc = walk(files, from, false, &source);
	if (rc)
		return rc < 0 ? -rc : rc;
	rc = walk(files, to, false, &target);
	if (rc > 0)
		return rc;
	if (source.read_only || target.read_only)
		return EROFS;
	if (!source.name[0] || !target.name[0])
		return EBUSY;
	struct node *node = child_find(source.dir, source.name, strlen(source.name));
	if (!node || holds_mount(node))
		return EBUSY;
	if (!may_remove(&files->user, source.dir, node) ||
	    !may(&files->user, target.dir, FILES_WRITE | FILES_RUN))
		return EACCES;
	if (rc == 0 && target.node == node)
		return 0;
	if (rc == 0 && target.node->type == FILES_DIR && target.node->count)
		return ENOTEMPTY;
	if (kt_starts(to, from) && to[strlen(from)] == '/')
		return EINVAL;
	if (source.volume != target.volume && room(target.volume, node_bytes(node)))
		return ENOSPC;
	child_take(source.dir, source.name);
	kt_free(node->name);
	node->name = kt_strdup(target.name);
	node->modified = now;
	child_add(target.dir, node);
	return 0;
}

int files_symlink(struct files *files, const char *target, const char *path, kt_ns now)
{
	struct walk at;
	int rc = walk(files, path, false, &at);
	if (rc == 0)
		return EEXIST;
	if (rc > 0)
		return rc;
	if (at.read_only)
		return EROFS;
	if (!may(&files->user, at.dir, FILES_WRITE | FILES_RUN))
		return EACCES;
	struct node *node = node_new(FILES_LINK, at.name, strlen(at.name), 0777, now);
	node_set(node, target, strlen(target));
	give(node, &files->user, at.dir);
	child_add(at.dir, node);
	return 0;
}

int files_chmod(struct files *files, const char *path, unsigned mode)
{
	struct walk at;
	int rc = walk(files, path, true, &at);
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
	struct walk at;
	int rc = walk(files, path, true, &at);
	if (rc)
		return rc < 0 ? -rc : rc;
	if (at.read_only)
		return EROFS;
	bool own = at.node->uid == files->user.uid && (uid < 0 || uid == at.node->uid) &&
	           (gid < 0 || in_group(&files->user, (uint32_t)gid));
	if (!files->user.all && !own)
		return EPERM;
	at.node->uid = uid < 0 ? at.node->uid : (uint32_t)uid;
	at.node->gid = gid < 0 ? at.node->gid : (uint32_t)gid;
	return 0;
}

int files_access(struct files *files, const char *path, unsigned wanted)
{
	struct walk at;
	int rc = walk(files, path, true, &at);
	if (rc)
		return rc < 0 ? -rc : rc;
	if ((wanted & FILES_WRITE) && at.read_only)
		return EROFS;
	if (at.node->type == FILES_REGULAR && (wanted & FILES_RUN) && !(at.node->mode & 0111))
		return EACCES;
	return may(&files->user, at.node, wanted) ? 0 : EACCES;
}

int files_list(struct files *files, const char *path, struct kt_strs *out)
{
	struct walk at;
	if (!out->count && path[0] && path[1] && pristine(files, path) && list_seed(files, path, out))
		return 0;
	int rc = walk(files, path, true, &at);
	if (rc)
		return rc < 0 ? -rc : rc;
	if (at.node->type != FILES_DIR)
		return ENOTDIR;
	if (!may(&files->user, at.node, FILES_READ))
		return EACCES;
	for (size_t i = 0; i < at.node->count; i++)
		kt_strs_add(out, at.node->children[i]->name);
	return 0;
}
