/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/shell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EVERY "busybox debian"

static struct files *files_of(const struct tool_run *r)
{
	return tool_container(r)->files;
}

static kt_ns now_of(const struct tool_run *r)
{
	return process_now(r->task->process);
}

/* --- making and removing --- */
static int run_mkdir(struct tool_run *r)
{
	char flags[32];
	size_t first = tool_flags(r, "pvm:", flags);
	int status = first ? 0 : 1;
	if (first == r->argv.count)
		return tool_fail(r, 1, "missing operand");
	for (size_t i = first; first && i < r->argv.count; i++) {
		char *path = tool_path(r, r->argv.items[i]);
		int rc = files_mkdir(files_of(r), path, strchr(flags, 'p') != NULL, now_of(r));
		if (rc) {
			tool_errf(r,
			          tool_busybox(r) ? "can't create directory '%s': %s"
			                          : "cannot create directory '%s': %s",
			          r->argv.items[i], tool_strerror(rc));
			status = 1;
		}
		kt_free(path);
	}
	return status;
}

static int run_rm(struct tool_run *r)
{
	char flags[32];
	size_t first = tool_flags(r, "rRfiv", flags);
	bool recursive = strpbrk(flags, "rR") || !strcmp(r->tool->name, "rmdir"),
	     force = strchr(flags, 'f') != NULL;
	int status = first ? 0 : 1;
	for (size_t i = first; first && i < r->argv.count; i++) {
		char *path = tool_path(r, r->argv.items[i]);
		struct files_stat st;
		int rc = files_lstat(files_of(r), path, &st, NULL);
		if (!rc && st.type == FILES_DIR && !recursive)
			rc = EISDIR;
		if (!rc)
			rc = files_remove(files_of(r), path, recursive && r->tool->name[2] != 'd');
		if (rc && !(rc == ENOENT && force)) {
			if (rc == EISDIR && tool_busybox(r))
				tool_errf(r, "'%s' is a directory", r->argv.items[i]);
			else if (r->tool->name[2] == 'd')
				tool_errf(r, tool_busybox(r) ? "'%s': %s" : "failed to remove '%s': %s",
				          r->argv.items[i], tool_strerror(rc));
			else
				tool_errf(r,
				          tool_busybox(r) ? "can't remove '%s': %s"
				                          : "cannot remove '%s': %s",
				          r->argv.items[i], tool_strerror(rc));
			status = 1;
		}
		kt_free(path);
	}
	return status;
}

static int run_touch(struct tool_run *r)
{
	size_t first = 1, in = 0;
	const char *value;
	bool create = true;
	kt_ns when = now_of(r);
	int status = 0;
	for (int option; (option = tool_option(r, &first, &in, "camt:d:r:", &value));) {
		if (option == '?')
			return 1;
		create = create && option != 'c';
		if (option == 'd' && !tool_date(value, !tool_busybox(r), &when))
			return tool_fail(r, 1,
			                 tool_busybox(r) ? "invalid date '%s'"
			                                 : "invalid date format \u2018%s\u2019",
			                 value);
	}
	for (size_t i = first; i < r->argv.count; i++) {
		char *path = tool_path(r, r->argv.items[i]);
		struct files_stat st;
		int rc = files_stat(files_of(r), path, &st);
		if (!rc && st.type == FILES_REGULAR)
			rc = files_write(files_of(r), path, "", 0, true, 0644, when);
		else if (rc == ENOENT && create)
			rc = files_write(files_of(r), path, "", 0, false, 0644, when);
		if (rc) {
			tool_errf(r, tool_busybox(r) ? "%s: %s" : "cannot touch '%s': %s", r->argv.items[i],
			          tool_strerror(rc));
			status = 1;
		}
		kt_free(path);
	}
	return status;
}

/* Where `source` goes: into `target` if that is a folder. */
static char *into(struct tool_run *r, const char *source, const char *target)
{
	struct files_stat st;
	char *path = tool_path(r, target);
	if (files_stat(files_of(r), path, &st) == 0 && st.type == FILES_DIR) {
		char *base = kt_strdup(source);
		for (size_t n = strlen(base); n > 1 && base[n - 1] == '/'; n--)
			base[n - 1] = '\0';
		char *inner = kt_strf("%s/%s", path, kt_basename(base));
		kt_free(base);
		kt_free(path);
		return inner;
	}
	return path;
}

static int copy_tree(struct tool_run *r, const char *from, const char *to, unsigned depth)
{
	struct files_stat st;
	struct kt_buf data = {0};
	int rc = files_stat(files_of(r), from, &st);
	if (rc || depth > 40)
		return rc ? rc : ELOOP;
	if (st.type != FILES_DIR) {
		rc = files_read(files_of(r), from, &data);
		if (!rc)
			rc = files_write(files_of(r), to, kt_buf_str(&data), data.len, false, st.mode,
			                 now_of(r));
		kt_buf_clear(&data);
		return rc;
	}
	struct kt_strs names = {0};
	rc = files_mkdir(files_of(r), to, true, now_of(r));
	if (!rc)
		rc = files_list(files_of(r), from, &names);
	for (size_t i = 0; i < names.count && !rc; i++) {
		char *a = kt_strf("%s/%s", from, names.items[i]), *b = kt_strf("%s/%s", to, names.items[i]);
		rc = copy_tree(r, a, b, depth + 1);
		kt_free(a);
		kt_free(b);
	}
	kt_strs_clear(&names);
	return rc;
}

static int run_cp(struct tool_run *r)
{
	char flags[32];
	size_t first = tool_flags(r, "rRafpvLdi", flags);
	bool moves = r->tool->name[0] == 'm';
	int status = first ? 0 : 1;
	if (first && r->argv.count < first + 2)
		return tool_fail(r, 1, "missing destination file operand");
	for (size_t i = first; first && i + 1 < r->argv.count; i++) {
		const char *source = r->argv.items[i];
		char *from = tool_path(r, source), *to = into(r, source, r->argv.items[r->argv.count - 1]);
		struct files_stat st;
		int rc = files_stat(files_of(r), from, &st);
		if (!rc && st.type == FILES_DIR && !moves && !strpbrk(flags, "rRa")) {
			tool_errf(r,
			          tool_busybox(r) ? "omitting directory '%s'"
			                          : "-r not specified; omitting directory '%s'",
			          source);
			status = 1;
		} else {
			if (!rc && moves) {
				rc = files_rename(files_of(r), from, to, now_of(r));
			} else if (!rc) {
				rc = copy_tree(r, from, to, 0);
			}
			if (rc) {
				bool there = files_stat(files_of(r), from, &st) == 0;
				const char *busy = moves ? "can't rename"
				                         : (there ? "can't create" : "can't stat"),
				           *gnu = !there ? "cannot stat"
				                         : (moves ? "cannot move"
				                                  : "cannot create regular file");
				tool_errf(r, "%s '%s': %s", tool_busybox(r) ? busy : gnu,
				          there && !moves ? to : source, tool_strerror(rc));
				status = 1;
			}
		}
		kt_free(from);
		kt_free(to);
	}
	return status;
}

static int run_ln(struct tool_run *r)
{
	char flags[32];
	size_t first = tool_flags(r, "sfnv", flags);
	if (!first || r->argv.count < first + 2)
		return tool_fail(r, 1, "missing file operand");
	const char *target = r->argv.items[first];
	char *path = into(r, target, r->argv.items[first + 1]);
	if (strchr(flags, 'f'))
		(void)files_remove(files_of(r), path, false);
	int rc;
	if (strchr(flags, 's')) {
		rc = files_symlink(files_of(r), target, path, now_of(r));
	} else {
		char *from = tool_path(r, target);
		rc = copy_tree(r, from, path, 0);
		kt_free(from);
	}
	kt_free(path);
	return rc ? tool_fail(r, 1, "%s: %s", r->argv.items[first + 1], tool_strerror(rc)) : 0;
}

/* What a letter behind the operator stands for; u, g and o: what that class has now. */
static unsigned chmod_bits(char letter, unsigned now, bool dir)
{
	switch (letter) {
	case 'r':
		return 0444;
	case 'w':
		return 0222;
	case 'x':
		return 0111;
	case 'X':
		return dir || (now & 0111) ? 0111 : 0;
	case 's':
		return 06000;
	case 't':
		return 01000;
	case 'u':
		return (now >> 6 & 7) * 0111;
	case 'g':
		return (now >> 3 & 7) * 0111;
	case 'o':
		return (now & 7) * 0111;
	default:
		return 0;
	}
}

/* One of `u+x,g=r,a-w`: where nobody is named, all but what the umask keeps back. */
static const char *chmod_clause(const char *text, unsigned keep, bool dir, unsigned *mode)
{
	unsigned who = 0;
	for (; *text && strchr("ugoa", *text); text++)
		who |= *text == 'u' ? 04700u : (*text == 'g' ? 02070u : (*text == 'o' ? 01007u : 07777u));
	unsigned of = who ? who : 07777u & ~keep;
	while (*text && strchr("+-=", *text)) {
		unsigned bits = 0;
		char op = *text++;
		for (; *text && !strchr("+-=,", *text); text++)
			bits |= chmod_bits(*text, *mode, dir);
		bits &= of;
		*mode = op == '+' ? *mode | bits : (op == '-' ? *mode & ~bits : (*mode & ~of & 0777u) | bits);
	}
	return text;
}

static unsigned chmod_mode(const char *text, unsigned old, unsigned keep, bool dir)
{
	if (*text >= '0' && *text <= '7')
		return (unsigned)strtoul(text, NULL, 8);
	while (*text) {
		text = chmod_clause(text, keep, dir, &old);
		text += *text ? 1 : 0;
	}
	return old;
}

static int run_chmod(struct tool_run *r)
{
	size_t at = 1;
	int status = 0;
	while (at < r->argv.count && r->argv.items[at][0] == '-' && strpbrk(r->argv.items[at], "Rvf"))
		at++;
	if (at + 1 >= r->argv.count)
		return tool_fail(r, 1, "missing operand");
	for (size_t i = at + 1; i < r->argv.count; i++) {
		char *path = tool_path(r, r->argv.items[i]);
		struct files_stat st;
		int rc = files_stat(files_of(r), path, &st);
		if (!rc)
			rc = files_chmod(
			        files_of(r), path,
			        chmod_mode(r->argv.items[at], st.mode, r->task->umask, st.type == FILES_DIR));
		if (rc) {
			if (tool_busybox(r))
				tool_errf(r, "%s: %s", r->argv.items[i], tool_strerror(rc));
			else
				tool_errf(r, "%s '%s': %s",
				          rc == ENOENT ? "cannot access" : "changing permissions of",
				          r->argv.items[i], tool_strerror(rc));
			status = 1;
		}
		kt_free(path);
	}
	return status;
}

/* Without links and dots: as realpath(3). The last part may be missing. */
static char *real_path(struct tool_run *r, const char *path, unsigned depth)
{
	struct kt_buf out = {0};
	const char *at = path;
	size_t len;
	while (*(at += strspn(at, "/"))) {
		struct kt_buf target = {0};
		struct files_stat st;
		len = strcspn(at, "/");
		if (len == 1 && at[0] == '.') {
			at += len;
			continue;
		}
		if (len == 2 && at[0] == '.' && at[1] == '.') {
			const char *slash = out.len ? strrchr(out.data, '/') : NULL;
			kt_buf_cut(&out, slash ? (size_t)(slash - out.data) : 0);
			at += len;
			continue;
		}
		size_t before = out.len;
		kt_buf_addf(&out, "/%.*s", (int)len, at);
		at += len;
		if (depth < 16 && files_lstat(files_of(r), out.data, &st, &target) == 0 && target.len) {
			char *next;
			kt_buf_cut(&out, before);
			next = target.data[0] == '/'
			               ? kt_strf("%s%s", target.data, at)
			               : kt_strf("%s/%s%s", before ? out.data : "", target.data, at);
			char *real = real_path(r, next, depth + 1);
			kt_free(next);
			kt_buf_clear(&target);
			kt_buf_clear(&out);
			return real;
		}
		kt_buf_clear(&target);
	}
	if (!out.len)
		kt_buf_addc(&out, '/');
	return kt_buf_take(&out);
}

static int run_readlink(struct tool_run *r)
{
	char flags[32];
	size_t first = tool_flags(r, "fenm", flags);
	struct kt_buf target = {0};
	struct files_stat st;
	int status = 0;
	if (!first || first >= r->argv.count)
		return tool_fail(r, 1, "missing operand");
	bool real = strchr(flags, 'f') || !strcmp(r->tool->name, "realpath");
	for (size_t i = first; i < r->argv.count; i++) {
		char *path = tool_path(r, r->argv.items[i]), *whole = real ? real_path(r, path, 0) : NULL;
		int rc = files_lstat(files_of(r), real ? whole : path, &st, &target);
		if (real && (!rc || strchr(flags, 'f')))
			tool_outf(r, "%s\n", whole);
		else if (!rc && target.len)
			tool_outf(r, "%s\n", kt_buf_str(&target));
		else if (real)
			status = tool_fail(r, 1, "%s: %s", r->argv.items[i], tool_strerror(rc));
		else
			status = 1;
		kt_buf_cut(&target, 0);
		kt_free(whole);
		kt_free(path);
	}
	kt_buf_clear(&target);
	return status;
}

static int run_basename(struct tool_run *r)
{
	bool dir = r->tool->name[0] == 'd';
	if (r->argv.count < 2)
		return tool_fail(r, 1, "missing operand");
	char *text = kt_strdup(r->argv.items[1]);
	for (size_t n = strlen(text); n > 1 && text[n - 1] == '/'; n--)
		text[n - 1] = '\0';
	char *slash = strrchr(text, '/');
	if (dir) {
		if (slash && slash != text)
			*slash = '\0';
		tool_outf(r, "%s\n", slash ? (slash == text ? "/" : text) : ".");
	} else {
		char *base = slash && slash[1] ? slash + 1 : text;
		if (r->argv.count > 2 && kt_ends(base, r->argv.items[2]) && !kt_streq(base, r->argv.items[2]))
			base[strlen(base) - strlen(r->argv.items[2])] = '\0';
		tool_outf(r, "%s\n", base);
	}
	kt_free(text);
	return 0;
}

/* unlink FILE, link FILE NEW (a copy: there are no second names here) */
static int run_unlink(struct tool_run *r)
{
	bool links = r->tool->name[0] == 'l';
	if (r->argv.count != (links ? 3u : 2u))
		return tool_fail(r, 1, "missing operand");
	struct kt_buf data = {0};
	char *path = tool_path(r, r->argv.items[1]), *to = links ? tool_path(r, r->argv.items[2]) : NULL;
	int rc = links ? files_read(files_of(r), path, &data) : files_remove(files_of(r), path, false);
	if (links && !rc)
		rc = files_write(files_of(r), to, kt_buf_str(&data), data.len, false, 0644, now_of(r));
	kt_buf_clear(&data);
	kt_free(path);
	kt_free(to);
	return rc ? tool_fail(r, 1, "%s: %s", r->argv.items[1], tool_strerror(rc)) : 0;
}

/* install [-d] [-m MODE] FILE… TO */
static int run_install(struct tool_run *r)
{
	size_t at = 1, in = 0;
	const char *value;
	unsigned mode = 0755;
	bool folders = false;
	int status = 0;
	for (int option; (option = tool_option(r, &at, &in, "dDcsm:o:g:v", &value));) {
		if (option == '?')
			return 1;
		folders = folders || option == 'd';
		if (option == 'm')
			mode = (unsigned)strtoul(value, NULL, 8);
	}
	const char *last = r->argv.count > at ? r->argv.items[r->argv.count - 1] : "";
	for (size_t i = at; i + !folders < r->argv.count && !status; i++) {
		struct kt_buf data = {0};
		struct files_stat st;
		char *from = tool_path(r, r->argv.items[i]),
		     *to = tool_path(r, folders ? r->argv.items[i] : last);
		if (!folders && !files_stat(files_of(r), to, &st) && st.type == FILES_DIR) {
			char *inner = kt_strf("%s/%s", to, kt_basename(from));
			kt_free(to);
			to = inner;
		}
		int rc = folders ? files_mkdir(files_of(r), to, true, now_of(r))
		                 : files_read(files_of(r), from, &data);
		if (!rc && !folders)
			rc = files_write(files_of(r), to, kt_buf_str(&data), data.len, false, mode,
			                 now_of(r));
		if (!rc)
			rc = files_chmod(files_of(r), to, mode);
		if (rc)
			status = tool_fail(r, 1,
			                   tool_busybox(r) ? "can't stat '%s': %s" : "cannot stat '%s': %s",
			                   r->argv.items[i], tool_strerror(rc));
		kt_buf_clear(&data);
		kt_free(from);
		kt_free(to);
	}
	return status;
}

static int run_mktemp(struct tool_run *r)
{
	bool dir = false, dry = false, in_tmp = false, quiet = false;
	const char *value, *folder = NULL;
	size_t at = 1, in = 0;
	char drawn[17];
	int option;
	while ((option = tool_option(r, &at, &in, "dqtup:", &value))) {
		if (option == '?')
			return 1;
		dir = dir || option == 'd';
		dry = dry || option == 'u';
		in_tmp = in_tmp || option == 't';
		quiet = quiet || option == 'q';
		folder = option == 'p' ? value : folder;
	}
	const char *template = at < r->argv.count ? r->argv.items[at] : NULL;
	if (!folder && (in_tmp || !template))
		folder = tool_env(r, "TMPDIR") ? tool_env(r, "TMPDIR") : "/tmp";
	if (!template)
		template = tool_busybox(r) ? "tmp.XXXXXX" : "tmp.XXXXXXXXXX";
	char *path = kt_strf("%s%s%s", folder ? folder : "", folder ? "/" : "", template);
	size_t len = strlen(path), count = 0;
	while (count < len && path[len - 1 - count] == 'X')
		count++;
	int rc = count < (tool_busybox(r) ? 6 : 3) ? EINVAL : 0;
	count = KT_MIN(count, sizeof(drawn) - 1);
	kt_random_name(cluster_random(r->task->process->cluster), drawn, count);
	memcpy(path + len - KT_MIN(count, len), drawn, KT_MIN(count, len));
	char *full = tool_path(r, path);
	if (!rc && !dry && dir)
		rc = files_mkdir(files_of(r), full, false, now_of(r));
	if (!rc && !dry && dir)
		(void)files_chmod(files_of(r), full, 0700);
	else if (!rc && !dry)
		rc = files_write(files_of(r), full, "", 0, false, 0600, now_of(r));
	if (!rc)
		tool_outf(r, "%s\n", path);
	else if (!quiet && tool_busybox(r))
		tool_errf(r, "(null): %s", rc == EINVAL ? "Invalid argument" : tool_strerror(rc));
	else if (!quiet && rc == EINVAL)
		tool_errf(r, "too few X's in template \xE2\x80\x98%s\xE2\x80\x99", template);
	else if (!quiet)
		tool_errf(r, "failed to create %s via template \xE2\x80\x98%s\xE2\x80\x99: %s",
		          dir ? "directory" : "file", path, tool_strerror(rc));
	kt_free(full);
	kt_free(path);
	return rc ? 1 : 0;
}

static int64_t own_size(struct tool_run *r, const char *path, struct files_stat *st)
{
	if (files_lstat(files_of(r), path, st, NULL) || st->type == FILES_LINK)
		return 0;
	return st->type == FILES_DIR ? 4 : ((int64_t)st->size + 4095) / 4096 * 4;
}

static void du_line(struct tool_run *r, int64_t kib, const char *name, const char *flags)
{
	if (!strchr(flags, 'h'))
		tool_outf(r, "%lld\t%s\n",
		          (long long)(strchr(flags, 'm') ? (kib + 1023) / 1024
		                                         : (strchr(flags, 'b') ? kib * 1024 : kib)),
		          name);
	else if (kib >= 1 << 20)
		tool_outf(r, "%.1fG\t%s\n", (double)kib / (1 << 20), name);
	else if (kib >= 1024)
		tool_outf(r, "%.1fM\t%s\n", (double)kib / 1024, name);
	else
		tool_outf(r, "%.1fK\t%s\n", (double)kib, name);
}

/* KiB below `path`; folders on the way are told, unless only the sum is wanted. */
static int64_t du_tree(struct tool_run *r, const char *path, const char *shown, const char *flags,
                       unsigned depth)
{
	struct files_stat st = {0};
	struct kt_strs names = {0};
	int64_t sum = own_size(r, path, &st);
	if (st.type == FILES_DIR && depth < 40)
		(void)files_list(files_of(r), path, &names);
	for (size_t i = 0; i < names.count; i++) {
		char *inner = kt_strf("%s/%s", path, names.items[i]),
		     *as = kt_strf("%s%s%s", shown, kt_ends(shown, "/") ? "" : "/", names.items[i]);
		sum += du_tree(r, inner, as, flags, depth + 1);
		kt_free(inner);
		kt_free(as);
	}
	kt_strs_clear(&names);
	if (!depth || (!strchr(flags, 's') && (st.type == FILES_DIR || strchr(flags, 'a'))))
		du_line(r, sum, shown, flags);
	return sum;
}

static int run_du(struct tool_run *r)
{
	char flags[32];
	size_t first = tool_flags(r, "shkmacbxd:", flags);
	int status = first ? 0 : 1;
	for (size_t i = first; first && i < KT_MAX(r->argv.count, first + 1); i++) {
		const char *name = i < r->argv.count ? r->argv.items[i] : ".";
		char *path = tool_path(r, name);
		struct files_stat st;
		int rc = files_stat(files_of(r), path, &st);
		if (rc)
			status = tool_fail(r, 1, tool_busybox(r) ? "%s: %s" : "cannot access '%s': %s", name,
			                   tool_strerror(rc));
		else
			(void)du_tree(r, path, name, flags, 0);
		kt_free(path);
	}
	return status;
}

/* fallocate -l SIZE FILE, truncate -s SIZE FILE */
static int run_truncate(struct tool_run *r)
{
	size_t at = 1, in = 0;
	const char *value, *size = NULL;
	int option, status = 0;
	while ((option = tool_option(r, &at, &in, r->tool->name[0] == 'f' ? "l:o:n" : "cs:", &value))) {
		if (option == '?')
			return 1;
		if (value)
			size = value;
	}
	if (!size || at >= r->argv.count)
		return tool_fail(r, 1, size ? "missing file operand" : "you must specify a size");
	char *end;
	double count = strtod(size, &end);
	static const char units[] = "KMGT";
	const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;
	for (const char *u = units; unit && u <= unit; u++)
		count *= 1024;
	for (; at < r->argv.count; at++) {
		char *path = tool_path(r, r->argv.items[at]);
		int rc = files_write(files_of(r), path, "", 0, false, 0644, now_of(r));
		if (!rc)
			rc = files_extend(files_of(r), path, (int64_t)KT_MIN(count, 1e15), now_of(r));
		if (rc)
			status = tool_fail(r, 1, "%s: %s", r->argv.items[at], tool_strerror(rc));
		kt_free(path);
	}
	return status;
}

const struct tool tools_files[] = {
        {.name = "install", .sets = EVERY, .run = run_install},
        {.name = "link", .sets = EVERY, .run = run_unlink},
        {.name = "unlink", .sets = EVERY, .run = run_unlink},
        {.name = "basename", .sets = EVERY, .run = run_basename},
        {.name = "chmod", .sets = EVERY, .run = run_chmod},
        {.name = "cp", .sets = EVERY, .run = run_cp},
        {.name = "dirname", .sets = EVERY, .run = run_basename},
        {.name = "du", .sets = EVERY, .run = run_du},
        {.name = "fallocate", .sets = EVERY, .run = run_truncate},
        {.name = "ln", .sets = EVERY, .run = run_ln},
        {.name = "mkdir", .sets = EVERY, .run = run_mkdir},
        {.name = "mktemp", .sets = EVERY, .run = run_mktemp},
        {.name = "mv", .sets = EVERY, .run = run_cp},
        {.name = "readlink", .sets = EVERY, .run = run_readlink},
        {.name = "realpath", .sets = EVERY, .run = run_readlink},
        {.name = "rm", .sets = EVERY, .run = run_rm},
        {.name = "rmdir", .sets = EVERY, .run = run_rm},
        {.name = "touch", .sets = EVERY, .run = run_touch},
        {.name = "truncate", .sets = EVERY, .run = run_truncate},
        {.name = NULL},
};
