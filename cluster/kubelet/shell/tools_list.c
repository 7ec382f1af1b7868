/* SPDX-License-Identifier: MIT */
/* What lies in a folder and whose it is: ls, stat, id and their kin, in busybox's form and in GNU's. */
#include "cluster/kubelet/identity.h"
#include "cluster/kubelet/shell/shell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EVERY "busybox debian"

static struct files *files_of(const struct tool_run *r)
{
	return tool_container(r)->files;
}

static void mode_text(const struct files_stat *st, char out[11])
{
	static const char letters[] = "rwxrwxrwx";
	static const char types[] = {[FILES_NONE] = '-',
	                             [FILES_REGULAR] = '-',
	                             [FILES_DIR] = 'd',
	                             [FILES_LINK] = 'l',
	                             [FILES_DEVICE] = 'c'};
	out[0] = types[st->type];
	for (unsigned i = 0; i < 9; i++)
		out[i + 1] = st->mode & (0400u >> i) ? letters[i] : '-';
	if (st->mode & 02000)
		out[6] = st->mode & 0010 ? 's' : 'S';
	if (st->mode & 01000)
		out[9] = st->mode & 0001 ? 't' : 'T';
	out[10] = '\0';
}

static void owner_text(const struct tool_run *r, uint32_t id, bool group, bool numbers, struct kt_buf *out)
{
	const struct container *c = tool_container(r);
	if (numbers || !(group ? identity_group_name(c, id, out) : identity_user_name(c, id, out)))
		kt_buf_addf(out, "%u", (unsigned)id);
}

/* --- ls --- */
struct entry {
	char *name;
	struct files_stat st;
	struct kt_buf target, user, group, size;
};
struct listing {
	struct entry *items;
	size_t count, cap;
	const char *flags;
};

static bool has(const struct listing *list, char flag)
{
	return strchr(list->flags, flag) != NULL;
}

static void size_text(int64_t size, bool human, bool busybox, struct kt_buf *out)
{
	static const char units[] = "KMGT";
	double value = (double)size;
	size_t unit = 0;
	if (!human || size < 1024) {
		kt_buf_addf(out, "%lld", (long long)size);
		return;
	}
	for (value /= 1024; value >= 1024 && unit < 3; unit++)
		value /= 1024;
	kt_buf_addf(out, value < 10 || busybox ? "%.1f%c" : "%.0f%c", value, units[unit]);
}

static void list_add(struct tool_run *r, struct listing *list, const char *name, const char *path)
{
	struct entry entry = {0};
	bool numbers = has(list, 'n');
	int rc = has(list, 'L') ? files_stat(files_of(r), path, &entry.st)
	                        : files_lstat(files_of(r), path, &entry.st, &entry.target);
	if (rc)
		return;
	entry.name = kt_strdup(name);
	if (has(list, 'l') || numbers) {
		owner_text(r, entry.st.uid, false, numbers, &entry.user);
		owner_text(r, entry.st.gid, true, numbers, &entry.group);
		size_text(entry.st.type == FILES_DIR ? 4096 : (int64_t)entry.st.size, has(list, 'h'),
		          tool_busybox(r), &entry.size);
	}
	list->items = kt_grow(list->items, &list->cap, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = entry;
}

static void list_clear(struct listing *list)
{
	for (size_t i = 0; i < list->count; i++) {
		kt_free(list->items[i].name);
		kt_buf_clear(&list->items[i].target);
		kt_buf_clear(&list->items[i].user);
		kt_buf_clear(&list->items[i].group);
		kt_buf_clear(&list->items[i].size);
	}
	kt_free(list->items);
	list->items = NULL;
	list->count = list->cap = 0;
}

static bool goes_after(const struct listing *list, const struct entry *a, const struct entry *b)
{
	bool after = false;
	if (has(list, 't'))
		after = a->st.modified < b->st.modified;
	else if (has(list, 'S'))
		after = a->st.size < b->st.size;
	else if (has(list, 'r'))
		return strcmp(a->name, b->name) < 0;
	return has(list, 'r') ? !after : after;
}

static void list_order(struct listing *list)
{
	if (!has(list, 't') && !has(list, 'S') && !has(list, 'r'))
		return; /* by name already */
	for (size_t i = 1; i < list->count; i++) {
		struct entry entry = list->items[i];
		size_t at = i;
		for (; at && goes_after(list, &list->items[at - 1], &entry); at--)
			list->items[at] = list->items[at - 1];
		list->items[at] = entry;
	}
}

static void long_line(struct tool_run *r, const struct entry *e, const size_t width[3])
{
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct kt_buf time = {0};
	char mode[11];
	int links = e->st.type == FILES_DIR ? 2 : 1;
	mode_text(&e->st, mode);
	kt_time_print(e->st.modified ? e->st.modified : r->task->process->counted, &time);
	int month = (int)strtol(kt_buf_str(&time) + 5, NULL, 10);
	if (tool_busybox(r))
		tool_outf(r, "%s %4d %-8.8s %-8.8s %9s", mode, links, e->user.data, e->group.data,
		          e->size.data);
	else
		tool_outf(r, "%s %d %-*s %-*s %*s", mode, links, (int)width[0], e->user.data, (int)width[1],
		          e->group.data, (int)width[2], e->size.data);
	tool_outf(r, " %s %2ld %.5s %s%s%s\n", months[(month + 11) % 12],
	          strtol(kt_buf_str(&time) + 8, NULL, 10), kt_buf_str(&time) + 11, e->name,
	          e->st.type == FILES_LINK ? " -> " : "", e->target.len ? e->target.data : "");
	kt_buf_clear(&time);
}

static void list_print(struct tool_run *r, struct listing *list)
{
	size_t width[3] = {0};
	list_order(list);
	for (size_t i = 0; i < list->count; i++) {
		width[0] = KT_MAX(width[0], list->items[i].user.len);
		width[1] = KT_MAX(width[1], list->items[i].group.len);
		width[2] = KT_MAX(width[2], list->items[i].size.len);
	}
	for (size_t i = 0; i < list->count; i++) {
		const struct entry *e = &list->items[i];
		if (has(list, 'l') || has(list, 'n'))
			long_line(r, e, width);
		else
			tool_outf(r, "%s%s\n", e->name,
			          (has(list, 'F') || has(list, 'p')) && e->st.type == FILES_DIR ? "/" : "");
	}
}

static int64_t blocks_of(const struct files_stat *st)
{
	if (st->type == FILES_LINK)
		return 0;
	return st->type == FILES_DIR ? 4 : ((int64_t)st->size + 4095) / 4096 * 4;
}

static void ls_below(struct tool_run *r, const char *path, const char *shown, const char *flags,
                     unsigned depth);

static int ls_dir(struct tool_run *r, const char *path, const char *shown, const char *flags, unsigned depth)
{
	struct kt_strs names = {0};
	struct listing list = {.flags = flags};
	int64_t total = 0;
	int rc = files_list(files_of(r), path, &names);
	if (rc) {
		tool_errf(r, tool_busybox(r) ? "can't open '%s': %s" : "cannot open directory '%s': %s",
		          shown, tool_strerror(rc));
		return tool_busybox(r) ? 1 : 2;
	}
	for (int i = 0; has(&list, 'a') && i < 2; i++)
		list_add(r, &list, i ? ".." : ".", path);
	for (size_t i = 0; i < names.count; i++) {
		if (names.items[i][0] == '.' && !has(&list, 'a') && !has(&list, 'A'))
			continue;
		char *full = kt_strf("%s/%s", path, names.items[i]);
		list_add(r, &list, names.items[i], full);
		kt_free(full);
	}
	for (size_t i = 0; i < list.count; i++)
		total += blocks_of(&list.items[i].st);
	if (has(&list, 'l') || has(&list, 'n'))
		tool_outf(r, "total %lld\n", (long long)total);
	list_print(r, &list);
	list_clear(&list);
	kt_strs_clear(&names);
	if (strchr(flags, 'R') && depth < 20)
		ls_below(r, path, shown, flags, depth);
	return 0;
}

static void ls_below(struct tool_run *r, const char *path, const char *shown, const char *flags,
                     unsigned depth)
{
	struct kt_strs names = {0};
	(void)files_list(files_of(r), path, &names);
	for (size_t i = 0; i < names.count; i++) {
		char *full = kt_strf("%s/%s", strcmp(path, "/") ? path : "", names.items[i]);
		char *as = kt_strf("%s%s%s", shown, kt_ends(shown, "/") ? "" : "/", names.items[i]);
		struct files_stat st;
		bool hidden = names.items[i][0] == '.' && !strpbrk(flags, "aA");
		if (!hidden && files_lstat(files_of(r), full, &st, NULL) == 0 && st.type == FILES_DIR) {
			tool_outf(r, "\n%s:\n", as);
			(void)ls_dir(r, full, as, flags, depth + 1);
		}
		kt_free(full);
		kt_free(as);
	}
	kt_strs_clear(&names);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int run_ls(struct tool_run *r)
{
	char flags[32];
	size_t first = tool_flags(r, "laAh1RrtdiFnSsCpkLHcuXvg", flags);
	int trouble = tool_busybox(r) ? 1 : 2, status = 0;
	struct listing list = {.flags = flags};
	bool headed = false;
	if (!first)
		return trouble;
	size_t count = r->argv.count - first, dirs = 0;
	qsort(r->argv.items + first, count, sizeof(*r->argv.items), by_text);
	/* files first, then folders */
	for (size_t i = 0; i < KT_MAX(count, (size_t)1); i++) {
		const char *name = count ? r->argv.items[first + i] : ".";
		char *path = tool_path(r, name);
		struct files_stat st;
		int rc = files_stat(files_of(r), path, &st);
		if (rc == ENOENT && files_lstat(files_of(r), path, &st, NULL) == 0)
			rc = 0; /* a link to nowhere */
		if (rc) {
			tool_errf(r, tool_busybox(r) ? "%s: %s" : "cannot access '%s': %s", name,
			          tool_strerror(rc));
			status = trouble;
		} else if (st.type == FILES_DIR && !has(&list, 'd')) {
			dirs++;
		} else {
			list_add(r, &list, name, path);
		}
		kt_free(path);
	}
	headed = list.count > 0;
	list_print(r, &list);
	list_clear(&list);
	for (size_t i = 0; dirs && i < KT_MAX(count, (size_t)1); i++) {
		const char *name = count ? r->argv.items[first + i] : ".";
		char *path = tool_path(r, name);
		struct files_stat st;
		if (files_stat(files_of(r), path, &st) == 0 && st.type == FILES_DIR && !has(&list, 'd')) {
			if (count > 1 || has(&list, 'R'))
				tool_outf(r, "%s%s:\n", headed ? "\n" : "", name);
			headed = true;
			int rc = ls_dir(r, path, name, flags, 0);
			status = rc ? rc : status;
		}
		kt_free(path);
	}
	return status;
}

/* --- stat --- */
static void stat_field(struct tool_run *r, char letter, const char *name, const struct files_stat *st)
{
	struct kt_buf text = {0};
	char mode[11];
	switch (letter) {
	case 'a':
		kt_buf_addf(&text, "%o", st->mode & 07777);
		break;
	case 's':
		kt_buf_addf(&text, "%zu", st->size);
		break;
	case 'n':
	case 'N':
		kt_buf_adds(&text, name);
		break;
	case 'A':
		mode_text(st, mode);
		kt_buf_adds(&text, mode);
		break;
	case 'U':
	case 'u':
		owner_text(r, st->uid, false, letter == 'u', &text);
		break;
	case 'G':
	case 'g':
		owner_text(r, st->gid, true, letter == 'g', &text);
		break;
	case 'F':
		kt_buf_adds(&text, st->type == FILES_DIR
		                           ? "directory"
		                           : (st->size ? "regular file" : "regular empty file"));
		break;
	case 'Y':
	case 'X':
	case 'Z':
		kt_buf_addf(&text, "%lld", (long long)(st->modified / KT_SEC));
		break;
	case '%':
		kt_buf_addc(&text, '%');
		break;
	default:
		kt_buf_addc(&text, '?');
		break;
	}
	tool_out(r, kt_buf_str(&text), text.len);
	kt_buf_clear(&text);
}

static void stat_long(struct tool_run *r, const char *name, const struct files_stat *st)
{
	struct kt_buf user = {0}, group = {0}, time = {0};
	char mode[11];
	mode_text(st, mode);
	owner_text(r, st->uid, false, false, &user);
	owner_text(r, st->gid, true, false, &group);
	kt_time_print(st->modified ? st->modified : r->task->process->counted, &time);
	tool_outf(r, "  File: %s\n  Size: %-10zu\tBlocks: %-10lld IO Block: 4096   %s\n", name, st->size,
	          (long long)blocks_of(st) * 2, st->type == FILES_DIR ? "directory" : "regular file");
	tool_outf(r, "Access: (%04o/%s)  Uid: (%5u/%8s)   Gid: (%5u/%8s)\n", st->mode & 07777, mode,
	          (unsigned)st->uid, kt_buf_str(&user), (unsigned)st->gid, kt_buf_str(&group));
	tool_outf(r, "Modify: %.10s %.8s.000000000 +0000\n", kt_buf_str(&time), kt_buf_str(&time) + 11);
	kt_buf_clear(&user);
	kt_buf_clear(&group);
	kt_buf_clear(&time);
}

static int run_stat(struct tool_run *r)
{
	const char *format = NULL, *value;
	size_t at = 1, in = 0;
	int status = 0, option;
	bool follow = false;
	while ((option = tool_option(r, &at, &in, "Lc:tf", &value))) {
		if (option == '?')
			return 1;
		follow = follow || option == 'L';
		if (option == 'c')
			format = value;
		else if (option == '-' && value &&
		         (kt_starts(value, "format=") || kt_starts(value, "printf=")))
			format = strchr(value, '=') + 1;
	}
	for (; at < r->argv.count; at++) {
		struct files_stat st;
		char *path = tool_path(r, r->argv.items[at]);
		int rc = follow ? files_stat(files_of(r), path, &st)
		                : files_lstat(files_of(r), path, &st, NULL);
		kt_free(path);
		if (rc) {
			status = tool_fail(r, 1,
			                   tool_busybox(r) ? "can't stat '%s': %s" : "cannot statx '%s': %s",
			                   r->argv.items[at], tool_strerror(rc));
			continue;
		}
		if (!format)
			stat_long(r, r->argv.items[at], &st);
		for (const char *c = format ? format : ""; *c; c++) {
			if (*c == '%' && c[1])
				stat_field(r, *++c, r->argv.items[at], &st);
			else
				tool_out(r, c, 1);
		}
		if (format)
			tool_outs(r, "\n");
	}
	return status;
}

/* --- who am I --- */
static void id_part(struct tool_run *r, const char *label, uint32_t id, bool group)
{
	struct kt_buf name = {0};
	const struct container *c = tool_container(r);
	if (group ? identity_group_name(c, id, &name) : identity_user_name(c, id, &name))
		tool_outf(r, "%s%u(%s)", label, (unsigned)id, kt_buf_str(&name));
	else
		tool_outf(r, "%s%u", label, (unsigned)id);
	kt_buf_clear(&name);
}

/* Root is seldom asked for; its groups are those of the image. */
static void who(const struct tool_run *r, struct files_user *user)
{
	const struct files_user now = *files_user(files_of(r));
	identity_of(tool_container(r), r->task->process->image, user);
	files_set_user(files_of(r), &now);
}

static int run_id(struct tool_run *r)
{
	char flags[32];
	struct files_user user;
	size_t first = tool_flags(r, "ugGnr", flags);
	bool name = strchr(flags, 'n') != NULL;
	if (!first)
		return 1;
	who(r, &user);
	if (strchr(flags, 'G')) {
		for (size_t i = 0; i < user.group_count; i++) {
			struct kt_buf text = {0};
			owner_text(r, user.groups[i], true, !name, &text);
			tool_outf(r, "%s%s", i ? " " : "", kt_buf_str(&text));
			kt_buf_clear(&text);
		}
		tool_outs(r, "\n");
	} else if (strpbrk(flags, "ug")) {
		struct kt_buf text = {0};
		bool group = strchr(flags, 'g') != NULL;
		owner_text(r, group ? user.gid : user.uid, group, !name, &text);
		tool_outf(r, "%s\n", kt_buf_str(&text));
		kt_buf_clear(&text);
	} else {
		id_part(r, "uid=", user.uid, false);
		id_part(r, " gid=", user.gid, true);
		for (size_t i = 0; i < user.group_count; i++)
			id_part(r, i ? "," : " groups=", user.groups[i], true);
		tool_outs(r, "\n");
	}
	return 0;
}

static int run_whoami(struct tool_run *r)
{
	struct kt_buf name = {0};
	uint32_t uid = files_user(files_of(r))->uid;
	bool known = identity_user_name(tool_container(r), uid, &name);
	if (known)
		tool_outf(r, "%s\n", kt_buf_str(&name));
	kt_buf_clear(&name);
	if (known)
		return 0;
	return tool_fail(r, 1, tool_busybox(r) ? "unknown uid %u" : "cannot find name for user ID %u",
	                 (unsigned)uid);
}

/* --- whose it shall be --- */
static int chown_tree(struct tool_run *r, const char *path, const int64_t ids[2], bool deep, unsigned depth)
{
	struct files_stat st;
	struct kt_strs names = {0};
	int rc = files_chown(files_of(r), path, ids[0], ids[1]);
	if (deep && depth < 40 && files_lstat(files_of(r), path, &st, NULL) == 0 && st.type == FILES_DIR)
		(void)files_list(files_of(r), path, &names);
	for (size_t i = 0; i < names.count; i++) {
		char *full = kt_strf("%s/%s", path, names.items[i]);
		int inner = chown_tree(r, full, ids, deep, depth + 1);
		rc = rc ? rc : inner;
		kt_free(full);
	}
	kt_strs_clear(&names);
	return rc;
}

/* "user", "user:group", ":group", "user:" into ids. */
static bool owners(struct tool_run *r, const char *text, int64_t ids[2])
{
	const struct container *c = tool_container(r);
	bool group_only = !strcmp(r->tool->name, "chgrp");
	size_t len = group_only ? 0 : strcspn(text, ":.");
	const char *group = group_only ? text : (text[len] ? text + len + 1 : "");
	char *user = kt_strndup(text, len);
	ids[0] = *user ? identity_user(c, user) : -1;
	ids[1] = *group ? identity_group(c, group) : -1;
	bool good = (!*user || ids[0] >= 0) && (!*group || ids[1] >= 0);
	if (!good && tool_busybox(r))
		tool_errf(r, "unknown %s %s", *user && ids[0] < 0 ? "user" : "group",
		          *user && ids[0] < 0 ? user : group);
	else if (!good)
		tool_errf(r, "invalid %s: '%s'", *user && ids[0] < 0 ? "user" : "group", text);
	kt_free(user);
	return good;
}

static int run_chown(struct tool_run *r)
{
	char flags[32];
	int64_t ids[2];
	int status = 0;
	size_t first = tool_flags(r, "RhvfcLHP", flags);
	if (!first || r->argv.count < first + 2)
		return first ? tool_fail(r, 1, "missing operand") : 1;
	if (!owners(r, r->argv.items[first], ids))
		return 1;
	for (size_t i = first + 1; i < r->argv.count; i++) {
		char *path = tool_path(r, r->argv.items[i]);
		int rc = chown_tree(r, path, ids, strchr(flags, 'R') != NULL, 0);
		if (rc) {
			if (tool_busybox(r))
				tool_errf(r, "%s: %s", r->argv.items[i], tool_strerror(rc));
			else
				tool_errf(r, "%s '%s': %s",
				          rc == ENOENT ? "cannot access" : "changing ownership of",
				          r->argv.items[i], tool_strerror(rc));
			status = 1;
		}
		kt_free(path);
	}
	return status;
}

const struct tool tools_list[] = {
        {.name = "chgrp", .sets = EVERY, .run = run_chown},
        {.name = "chown", .sets = EVERY, .run = run_chown},
        {.name = "id", .sets = EVERY, .run = run_id},
        {.name = "ls", .sets = EVERY, .run = run_ls},
        {.name = "stat", .sets = EVERY, .run = run_stat},
        {.name = "whoami", .sets = EVERY, .run = run_whoami},
        {.name = NULL},
};
