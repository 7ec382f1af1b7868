/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/files_internal.h"

#include <errno.h>
#include <string.h>

/* --- volumes --- */
struct volume *volume_new(bool read_only, int64_t size_limit)
{
	struct volume *volume = kt_alloc(sizeof(*volume));
	volume->refs = 1;
	volume->read_only = read_only;
	volume->size_limit = size_limit;
	volume->root = files_node_new(FILES_DIR, "", 0, 0777, 0);
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
	files_node_unref(volume->root);
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
	files_node_set(volume->root, "", 0);
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

void volume_project(struct volume *volume, const struct kt_json *files, unsigned mode,
                    const struct kt_json *modes, const struct kt_json *owners, kt_ns now)
{
	struct files_node *old = volume->root, *root = files_node_new(FILES_DIR, "", 0, old->mode, now), *dir,
	                  *data;
	char *name = project_name(now);
	root->uid = old->uid;
	root->gid = old->gid;
	dir = files_plant(root, name, FILES_DIR, 0755, now);
	data = files_plant(root, "..data", FILES_LINK, 0777, now);
	files_node_set(data, name, strlen(name));
	dir->gid = old->gid;
	dir->mode |= old->mode & 02000;
	for (size_t i = 0; i < kt_count(files); i++) {
		const char *path = kt_key(files, i);
		unsigned own = (unsigned)kt_get_int(modes, path, mode ? mode : 0644);
		struct files_node *node = files_plant(dir, path, FILES_REGULAR, own, now);
		if (!node || node->type != FILES_REGULAR)
			continue;
		files_node_set(node, kt_str_or(kt_at(files, i), ""), kt_str_len(kt_at(files, i)));
		node->uid = (uint32_t)kt_get_int(owners, path, 0);
		node->gid = old->gid;
		if (old->mode & 02000)
			node->mode |= 0440; /* the fsGroup may read */
		char *top = kt_strndup(path, strcspn(path, "/")), *target = kt_strf("..data/%s", top);
		struct files_node *link = files_plant(root, top, FILES_LINK, 0777, now);
		if (link)
			files_node_set(link, target, strlen(target));
		kt_free(top);
		kt_free(target);
	}
	kt_free(name);
	files_node_unref(old);
	volume->root = root;
}

int64_t volume_used(const struct volume *volume)
{
	return files_node_bytes(volume->root);
}

static void save_below(const struct files_node *dir, const char *path, struct kt_json **out)
{
	for (size_t i = 0; i < dir->count; i++) {
		const struct files_node *node = dir->children[i];
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
	struct files_node *old = volume->root;
	volume->root = files_node_new(FILES_DIR, "", 0, old->mode, 0);
	volume->root->uid = old->uid;
	volume->root->gid = old->gid;
	files_node_unref(old);
	for (size_t i = 0; i < kt_count(saved); i++) {
		const struct kt_json *row = kt_at(saved, i);
		int64_t type = kt_get_int(row, "type", FILES_REGULAR);
		if (!*kt_key(saved, i))
			volume_make_file(volume);
		if (type < FILES_REGULAR || type > FILES_LINK)
			continue;
		struct files_node *node = files_plant(volume->root, kt_key(saved, i), (enum files_type)type,
		                                      (unsigned)kt_get_int(row, "mode", 0644) & 07777,
		                                      kt_get_int(row, "modified", 0));
		struct kt_buf data = {0};
		const char *text = kt_get_str(row, "data");
		if (node && node->type != FILES_DIR && text && kt_unbase64(text, strlen(text), &data))
			files_node_set(node, kt_buf_str(&data), data.len);
		if (node) {
			node->hole = KT_MAX(kt_get_int(row, "hole", 0), 0);
			node->uid = (uint32_t)kt_get_int(row, "uid", 0);
			node->gid = (uint32_t)kt_get_int(row, "gid", 0);
		}
		kt_buf_clear(&data);
	}
}
