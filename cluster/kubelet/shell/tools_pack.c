/* SPDX-License-Identifier: MIT */
/* Archives and compression: tar, gzip, gunzip, zcat. */
#include <errno.h>
#include <string.h>

#include "cluster/kubelet/shell/shell.h"

#define EVERY "busybox debian"
#define MOST  ((size_t)64 << 20) /* of what is unpacked */

static struct files *files_of(const struct tool_run *r)
{
	return tool_container(r)->files;
}

static kt_ns now_of(const struct tool_run *r)
{
	return process_now(r->task->process);
}

/* --- tar: c, x and t with f, z, C, v --- */
struct tar {
	struct kt_buf data;
	struct kt_strs names;
	const char *archive; /* NULL: stdin or stdout */
	char *dir;           /* of the members; NULL: the task's */
	char mode;
	bool verbose, packed, parsed;
};

static void end_tar(struct tool_run *r)
{
	struct tar *s = r->state;
	kt_buf_clear(&s->data);
	kt_strs_clear(&s->names);
	kt_free(s->dir);
}

static void tar_header(struct kt_buf *out, const char *name, const struct files_stat *st, const char *target)
{
	char block[512] = {0};
	size_t len = KT_MIN(strlen(name), (size_t)99);
	unsigned sum = 0;
	struct kt_buf text = {0};
	memcpy(block, name, len);
	kt_buf_addf(&text, "%07o%c%07o%c%07o%c%011zo%c%011llo", st->mode & 07777, 0, 0, 0, 0, 0,
	            st->type == FILES_REGULAR ? st->size : (size_t)0, 0, (long long)(st->modified / KT_SEC));
	memcpy(block + 100, text.data, KT_MIN(text.len, (size_t)48));
	block[156] = st->type == FILES_DIR ? '5' : target ? '2' : '0';
	memcpy(block + 157, target ? target : "", target ? KT_MIN(strlen(target), (size_t)99) : 0);
	memcpy(block + 257, "ustar\00000", 8);
	memcpy(block + 265, "root", 4);
	memcpy(block + 297, "root", 4);
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < sizeof(block); i++)
		sum += (unsigned char)block[i];
	kt_buf_cut(&text, 0);
	kt_buf_addf(&text, "%06o", sum);
	memcpy(block + 148, text.data, 6);
	block[154] = '\0';
	kt_buf_add(out, block, sizeof(block));
	kt_buf_clear(&text);
}

static int tar_add(struct tool_run *r, struct kt_buf *out, const char *name, unsigned depth)
{
	struct files_stat st;
	char *path = tool_path(r, name);
	struct kt_buf target = {0};
	int rc = depth > 40 ? ELOOP : files_lstat(files_of(r), path, &st, &target);
	const char *given = name;
	while (*name == '/')
		name++;
	if (!rc && st.type == FILES_DIR) {
		struct kt_strs names = {0};
		char *folder = kt_strf("%s%s", name, kt_ends(name, "/") ? "" : "/");
		tar_header(out, folder, &st, NULL);
		kt_free(folder);
		(void)files_list(files_of(r), path, &names);
		for (size_t i = 0; i < names.count && !rc; i++) {
			char *full = kt_strf("%s%s%s", given, kt_ends(given, "/") ? "" : "/", names.items[i]);
			rc = tar_add(r, out, full, depth + 1);
			kt_free(full);
		}
		kt_strs_clear(&names);
	} else if (!rc && st.type == FILES_LINK) {
		tar_header(out, name, &st, kt_buf_str(&target));
	} else if (!rc) {
		struct kt_buf data = {0};
		static const char zeros[512];
		rc = files_read(files_of(r), path, &data);
		st.size = data.len;
		tar_header(out, name, &st, NULL);
		kt_buf_add(out, kt_buf_str(&data), data.len);
		kt_buf_add(out, zeros, (512 - data.len % 512) % 512);
		kt_buf_clear(&data);
	}
	kt_buf_clear(&target);
	kt_free(path);
	return rc;
}

static size_t octal(const char *text, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len && n < 1u << 30; i++) {
		if (text[i] >= '0' && text[i] <= '7')
			n = n * 8 + (size_t)(text[i] - '0');
		else if (text[i] != ' ')
			break;
	}
	return n;
}

static int tar_extract(struct tool_run *r, const struct kt_buf *data, bool list, bool verbose)
{
	char long_name[1024] = "";
	for (size_t at = 0; at + 512 <= data->len;) {
		const char *block = data->data + at;
		size_t size = octal(block + 124, 12);
		char name[1024] = "";
		if (!block[0])
			break;
		at += 512;
		if (size > data->len - at)
			return tool_fail(r, 1, tool_busybox(r) ? "short read" : "Unexpected EOF in archive");
		size_t prefix = strnlen(block + 345, 155), len = strnlen(block, 100);
		if (long_name[0]) {
			memcpy(name, long_name, strlen(long_name) + 1);
			long_name[0] = '\0';
		} else if (prefix && !memcmp(block + 257, "ustar", 5)) {
			memcpy(name, block + 345, prefix);
			name[prefix] = '/';
			memcpy(name + prefix + 1, block, len);
		} else {
			memcpy(name, block, len);
		}
		char type = block[156];
		if (type == 'L' && size < sizeof(long_name)) {
			memcpy(long_name, data->data + at, size);
			long_name[size] = '\0';
		} else if (list) {
			tool_outf(r, "%s\n", name);
		} else if (!strstr(name, "..") && (type == '0' || type == '\0' || type == '5')) {
			char *path = tool_path(r, name);
			int rc;
			if (type == '5') {
				rc = files_mkdir(files_of(r), path, true, now_of(r));
			} else {
				char *dir = kt_strdup(path), *slash = strrchr(dir, '/');
				if (slash && slash != dir)
					*slash = '\0';
				(void)files_mkdir(files_of(r), dir, true, now_of(r));
				kt_free(dir);
				rc = files_write(files_of(r), path, data->data + at, size, false,
				                 (unsigned)octal(block + 100, 8) & 0777, now_of(r));
			}
			kt_free(path);
			if (rc)
				return tool_fail(
				        r, 1, tool_busybox(r) ? "can't open '%s': %s" : "%s: Cannot open: %s",
				        name, tool_strerror(rc));
			if (verbose)
				tool_outf(r, "%s\n", name);
		}
		at += (size + 511) / 512 * 512;
	}
	return 0;
}

/* Members are sought and put there; the archive is not. */
static void tar_swap_dir(struct tool_run *r, struct tar *s)
{
	char *dir = r->task->dir;
	if (!s->dir)
		return;
	r->task->dir = s->dir;
	s->dir = dir;
}

static int tar_enter(struct tool_run *r, struct tar *s, const char *folder)
{
	struct files_stat st;
	tar_swap_dir(r, s);
	char *path = tool_path(r, folder);
	tar_swap_dir(r, s);
	int rc = files_stat(files_of(r), path, &st);
	if (!rc && st.type != FILES_DIR)
		rc = ENOTDIR;
	kt_free(s->dir);
	s->dir = path;
	if (!rc)
		return 0;
	tool_errf(r, tool_busybox(r) ? "can't change directory to '%s': %s" : "%s: Cannot open: %s", folder,
	          tool_strerror(rc));
	if (!tool_busybox(r))
		tool_errf(r, "Error is not recoverable: exiting now");
	return tool_busybox(r) ? 1 : 2;
}

static int tar_options(struct tool_run *r, struct tar *s)
{
	int rc = 0;
	for (size_t i = 1; i < r->argv.count && !rc; i++) {
		const char *word = r->argv.items[i];
		bool bundle = i == 1 || (word[0] == '-' && word[1] && word[1] != '-');
		if (kt_starts(word, "--"))
			continue;
		if (!bundle) {
			kt_strs_add(&s->names, word);
			continue;
		}
		for (const char *c = word + (word[0] == '-'); *c && !rc; c++) {
			if (strchr("cxt", *c))
				s->mode = *c;
			s->verbose = s->verbose || *c == 'v';
			s->packed = s->packed || *c == 'z';
			if (*c == 'f' && i + 1 < r->argv.count)
				s->archive = r->argv.items[++i];
			if (*c == 'C' && i + 1 < r->argv.count)
				rc = tar_enter(r, s, r->argv.items[++i]);
		}
	}
	if (s->archive && !strcmp(s->archive, "-"))
		s->archive = NULL;
	return rc;
}

static int tar_create(struct tool_run *r, struct tar *s)
{
	static const char zeros[1024];
	struct kt_buf out = {0}, packed = {0};
	int status = 0;
	bool rooted = false;
	for (size_t i = 0; i < s->names.count; i++) {
		tar_swap_dir(r, s);
		int rc = tar_add(r, &out, s->names.items[i], 0);
		tar_swap_dir(r, s);
		if (!rc && s->names.items[i][0] == '/' && !rooted) {
			tool_errf(r, tool_busybox(r) ? "removing leading '/' from member names"
			                             : "Removing leading `/' from member names");
			rooted = true;
		}
		if (!rc)
			continue;
		tool_errf(r, tool_busybox(r) ? "%s: %s" : "%s: Cannot stat: %s", s->names.items[i],
		          tool_strerror(rc));
		status = tool_busybox(r) ? 1 : 2;
	}
	if (status)
		tool_errf(r, tool_busybox(r) ? "error exit delayed from previous errors"
		                             : "Exiting with failure status due to previous errors");
	kt_buf_add(&out, zeros, sizeof(zeros));
	if (s->packed) {
		kt_gzip(out.data, out.len, &packed);
		kt_buf_clear(&out);
		out = packed;
	}
	if (s->archive) {
		char *path = tool_path(r, s->archive);
		int rc = files_write(files_of(r), path, out.data, out.len, false, 0644, now_of(r));
		if (rc)
			status = tool_fail(r, 1, "can't open '%s': %s", s->archive, tool_strerror(rc));
		kt_free(path);
	} else {
		tool_out(r, out.data, out.len);
	}
	kt_buf_clear(&out);
	return status;
}

static int tar_read(struct tool_run *r, struct tar *s)
{
	struct kt_buf plain = {0};
	if (s->archive) {
		char *path = tool_path(r, s->archive);
		int rc = files_read(files_of(r), path, &s->data);
		kt_free(path);
		if (rc)
			return tool_fail(r, 1, "can't open '%s': %s", s->archive, tool_strerror(rc));
	} else {
		if (!r->opened)
			tool_inputs(r, r->argv.count);
		r->opened = true;
		if (tool_all(r, &s->data))
			return TOOL_WAIT;
	}
	/* that it is packed shows in its first bytes */
	if (s->data.len > 2 && (unsigned char)s->data.data[0] == 0x1f &&
	    (unsigned char)s->data.data[1] == 0x8b) {
		if (!kt_gunzip(s->data.data, s->data.len, MOST, &plain)) {
			kt_buf_clear(&plain);
			return tool_fail(r, 1, "corrupted data");
		}
		kt_buf_clear(&s->data);
		s->data = plain;
	} else if (s->packed) {
		return tool_fail(r, 1, tool_busybox(r) ? "invalid magic" : "not in gzip format");
	}
	return 0;
}

static int run_tar(struct tool_run *r)
{
	struct tar *s = r->state;
	int rc = s->parsed ? 0 : tar_options(r, s);
	s->parsed = true;
	if (rc)
		return rc;
	if (!s->mode)
		return tool_fail(r, 1, "must specify one of -c, -x, -t");
	if (s->mode == 'c')
		return tar_create(r, s);
	rc = tar_read(r, s);
	if (rc)
		return rc;
	tar_swap_dir(r, s);
	rc = tar_extract(r, &s->data, s->mode == 't', s->verbose);
	tar_swap_dir(r, s);
	return rc;
}

/* --- gzip, gunzip, zcat --- */
struct gzip {
	struct kt_buf data;
	bool unpack, to_stdout, keep, force, parsed;
	size_t first;
};

static void end_gzip(struct tool_run *r)
{
	kt_buf_clear(&((struct gzip *)r->state)->data);
}

static int gzip_options(struct tool_run *r, struct gzip *s)
{
	size_t in = 0;
	const char *value;
	int option;
	s->first = 1;
	s->unpack = strcmp(r->tool->name, "gzip") != 0;
	s->to_stdout = !strcmp(r->tool->name, "zcat");
	while ((option = tool_option(r, &s->first, &in, "cdfkntq123456789", &value))) {
		if (option == '?')
			return 1;
		s->unpack = s->unpack || option == 'd';
		s->to_stdout = s->to_stdout || option == 'c';
		s->keep = s->keep || option == 'k';
		s->force = s->force || option == 'f';
	}
	return 0;
}

/* `name`: for the complaint. */
static bool gzip_turn(struct tool_run *r, const struct gzip *s, const struct kt_buf *from, const char *name,
                      struct kt_buf *to)
{
	if (!s->unpack) {
		kt_gzip(kt_buf_str(from), from->len, to);
		return true;
	}
	if (kt_gunzip(kt_buf_str(from), from->len, MOST, to))
		return true;
	if (tool_busybox(r))
		tool_errf(r, "invalid magic");
	else
		tool_errf(r, "%s: not in gzip format", name);
	return false;
}

static char *gzip_target(struct tool_run *r, const struct gzip *s, const char *name)
{
	size_t len = strlen(name);
	if (!s->unpack)
		return kt_strf("%s.gz", name);
	if (kt_ends(name, ".tgz"))
		return kt_strf("%.*s.tar", (int)(len - 4), name);
	if (kt_ends(name, ".gz"))
		return kt_strndup(name, len - 3);
	tool_errf(r, tool_busybox(r) ? "%s: unknown suffix - ignored" : "%s: unknown suffix -- ignored",
	          name);
	return NULL;
}

static int gzip_file(struct tool_run *r, const struct gzip *s, const char *name)
{
	struct kt_buf from = {0}, to = {0};
	char *path = tool_path(r, name), *target = NULL, *goal = NULL;
	int rc = files_read(files_of(r), path, &from), status = 1;
	struct files_stat st;
	if (rc) {
		tool_errf(r, tool_busybox(r) && s->unpack ? "can't open '%s': %s" : "%s: %s", name,
		          tool_strerror(rc));
	} else if (!gzip_turn(r, s, &from, name, &to)) {
		status = 1;
	} else if (s->to_stdout) {
		tool_out(r, kt_buf_str(&to), to.len);
		status = 0;
	} else if ((target = gzip_target(r, s, name))) {
		goal = tool_path(r, target);
		if (!s->force && !files_stat(files_of(r), goal, &st))
			rc = EEXIST;
		else
			rc = files_write(files_of(r), goal, kt_buf_str(&to), to.len, false, 0644, now_of(r));
		if (rc)
			tool_errf(r, "can't open '%s': %s", target, tool_strerror(rc));
		else if (!s->keep)
			(void)files_remove(files_of(r), path, false);
		status = rc ? 1 : 0;
	}
	kt_buf_clear(&from);
	kt_buf_clear(&to);
	kt_free(path);
	kt_free(target);
	kt_free(goal);
	return status;
}

static int run_gzip(struct tool_run *r)
{
	struct gzip *s = r->state;
	int rc = s->parsed ? 0 : gzip_options(r, s), status = 0;
	s->parsed = true;
	if (rc)
		return rc;
	if (s->first < r->argv.count) {
		for (size_t i = s->first; i < r->argv.count; i++)
			status |= gzip_file(r, s, r->argv.items[i]);
		return status;
	}
	if (!r->opened)
		tool_inputs(r, r->argv.count);
	r->opened = true;
	if (tool_all(r, &s->data))
		return TOOL_WAIT;
	struct kt_buf to = {0};
	status = gzip_turn(r, s, &s->data, "stdin", &to) ? 0 : 1;
	tool_out(r, kt_buf_str(&to), to.len);
	kt_buf_clear(&to);
	return status;
}

#define GZIP .run = run_gzip, .state_size = sizeof(struct gzip), .end = end_gzip
const struct tool tools_pack[] = {
        {.name = "gunzip", .sets = EVERY, GZIP},
        {.name = "gzip", .sets = EVERY, GZIP},
        {.name = "tar", .sets = EVERY, .run = run_tar, .state_size = sizeof(struct tar), .end = end_tar},
        {.name = "zcat", .sets = EVERY, GZIP},
        {.name = NULL},
};
