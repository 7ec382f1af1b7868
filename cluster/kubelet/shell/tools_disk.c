/* SPDX-License-Identifier: MIT */
/* What is mounted and how full it is; dd, which fills it. */
#include "cluster/kubelet/shell/shell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EVERY "busybox debian"

/* "98.3G", as both kinds of df have it. */
static char *human(int64_t kib)
{
	static const char units[] = "KMGT";
	double n = (double)kib;
	size_t unit = 0;
	for (; n >= 1024 && units[unit + 1]; unit++)
		n /= 1024;
	return kib ? kt_strf("%.1f%c", n, units[unit]) : kt_strdup("0");
}

static void df_row(struct tool_run *r, const char *what, int64_t all, int64_t used, const char *where,
                   bool people)
{
	int64_t shares = all ? (used * 100 + all - 1) / all : 0;
	char *texts[3];
	const int64_t amounts[] = {all, used, all - used};
	for (size_t i = 0; i < KT_COUNT(texts); i++)
		texts[i] = people ? human(amounts[i]) : kt_strf("%lld", (long long)amounts[i]);
	tool_outf(r, "%-20s %9s %9s %9s %3lld%% %s\n", what, texts[0], texts[1], texts[2], (long long)shares,
	          where);
	for (size_t i = 0; i < KT_COUNT(texts); i++)
		kt_free(texts[i]);
}

/* What a mounted volume holds, in KiB. */
static int64_t mounted_kib(const struct container *c, const char *where)
{
	struct files_mounted at;
	for (size_t i = 0; files_mounted(c->files, i, &at); i++)
		if (kt_ends(at.path, where))
			return (at.bytes + 1023) / 1024;
	return 0;
}

/* df [-h] [PATH…]: what is mounted, on the node's disk or in memory. */
static int run_df(struct tool_run *r)
{
	enum { DISK_KIB = 100 << 20 }; /* what a node says of itself: 100Gi */
	const struct container *c = tool_container(r);
	bool people = false;
	size_t first = 1;
	for (; first < r->argv.count && r->argv.items[first][0] == '-'; first++)
		people = people || strchr(r->argv.items[first], 'h');
	struct kt_buf mounts = {0};
	struct kt_strs told = {0};
	task_mounts(r->task, true, &mounts);
	/* of a path: the longest mount above it */
	for (size_t i = first; i < r->argv.count; i++) {
		char *path = tool_path(r, r->argv.items[i]), *best = kt_strdup("/");
		const char *rest = kt_buf_str(&mounts);
		size_t len;
		for (const char *line; rest && *rest && (line = kt_split(&rest, '\n', &len));) {
			const char *where = memchr(line, ' ', len);
			size_t n = where ? strcspn(where + 1, " ") : 0;
			if (n > strlen(best) && !strncmp(path, where + 1, n) &&
			    (!path[n] || path[n] == '/')) {
				kt_free(best);
				best = kt_strndup(where + 1, n);
			}
		}
		kt_strs_steal(&told, best);
		kt_free(path);
	}
	tool_outf(r, people ? "Filesystem                Size      Used Available Use%% Mounted on\n"
	                    : "Filesystem           1K-blocks      Used Available Use%% Mounted on\n");
	const char *rest = kt_buf_str(&mounts);
	size_t len;
	for (const char *line; rest && *rest && (line = kt_split(&rest, '\n', &len));) {
		char *copy = kt_strndup(line, len), *where = strchr(copy, ' '), *type, *how;
		*where++ = '\0';
		type = strchr(where, ' ');
		*type++ = '\0';
		how = strchr(type, ' ');
		*how++ = '\0';
		const char *size = strstr(how, "size=");
		bool memory = !strcmp(type, "tmpfs"),
		     disk = !strcmp(type, "ext4") || !strcmp(type, "overlay");
		bool wanted = !told.count || kt_strs_has(&told, where);
		if (memory && wanted)
			df_row(r, copy, size ? strtoll(size + 5, NULL, 10) : tool_node_memory(r) / 1024,
			       mounted_kib(c, where), where, people);
		else if (disk && wanted)
			df_row(r, copy, DISK_KIB, DISK_KIB / 5 + files_written(c->files) / 1024, where,
			       people);
		kt_free(copy);
	}
	kt_buf_clear(&mounts);
	kt_strs_clear(&told);
	return 0;
}

static int run_mount(struct tool_run *r)
{
	const char *words[2] = {NULL, NULL};
	size_t count = 0;
	for (size_t i = 1; i < r->argv.count; i++) {
		const char *word = r->argv.items[i];
		if (word[0] == '-')
			i += word[1] && strchr("to", word[1]) && !word[2];
		else if (count < 2)
			words[count++] = word;
	}
	if (!count) {
		struct kt_buf text = {0};
		task_mounts(r->task, false, &text);
		tool_outs(r, kt_buf_str(&text));
		kt_buf_clear(&text);
		return 0;
	}
	if (tool_may(r, "SYS_ADMIN"))
		return 0;
	if (!tool_busybox(r))
		return tool_fail(r, 32, "%s: permission denied.", words[count - 1]);
	return tool_fail(r, 1, "permission denied (are you root?)");
}

/* Bytes a second that a node's disk takes. */
static const int64_t disk_speed = 800LL * 1000 * 1000;

static void dd_told(struct tool_run *r, int64_t bytes, int64_t block)
{
	int64_t whole = block > 0 ? bytes / block : 0, part = block > 0 && bytes % block ? 1 : 0;
	double seconds = (double)KT_MAX(bytes, (int64_t)1) / (double)disk_speed + 0.00005;
	struct kt_buf text = {0};
	kt_buf_addf(&text, "%lld+%lld records in\n%lld+%lld records out\n", (long long)whole, (long long)part,
	            (long long)whole, (long long)part);
	if (tool_busybox(r))
		kt_buf_addf(&text, "%lld bytes (%.1f%s) copied, %.6f seconds, %.1fMB/s\n", (long long)bytes,
		            bytes < 1048576 ? (double)bytes / 1024 : (double)bytes / 1048576,
		            bytes < 1048576 ? "KB" : "MB", seconds, (double)bytes / seconds / 1048576);
	else
		kt_buf_addf(&text, "%lld bytes (%.0f MB, %.0f MiB) copied, %.6f s, %.1f MB/s\n",
		            (long long)bytes, (double)bytes / 1e6, (double)bytes / 1048576, seconds,
		            (double)bytes / seconds / 1e6);
	task_write(r->task, 2, text.data, text.len);
	kt_buf_clear(&text);
}

/* Zeros into a file: only their number is kept. */
static int dd_fill(struct tool_run *r, const char *out, int64_t bytes, int64_t block)
{
	struct files *files = tool_container(r)->files;
	char *path = tool_path(r, out);
	kt_ns now = process_now(r->task->process);
	struct files_stat st = {0};
	int rc = files_write(files, path, "", 0, false, 0644, now);
	if (!rc)
		rc = files_extend(files, path, bytes, now);
	(void)files_stat(files, path, &st);
	kt_free(path);
	tool_memory(r, r->task->memory); /* the file may be in memory */
	if (r->task->done)
		return 137;
	if (rc == ENOSPC) {
		tool_errf(r, "error writing '%s': %s", out, tool_strerror(rc));
		bytes = (int64_t)st.size;
	} else if (rc) {
		return tool_fail(r, 1, tool_busybox(r) ? "can't open '%s': %s" : "failed to open '%s': %s",
		                 out, tool_strerror(rc));
	}
	dd_told(r, bytes, block);
	return rc ? 1 : 0;
}

/* What is in memory counts as the program's: /dev/shm. A volume's memory is counted by the kubelet. */
static int dd_zeros(struct tool_run *r, const char *out, int64_t bytes, int64_t block)
{
	static const char zeros[4096];
	if (out && kt_starts(out, "/dev/shm")) {
		tool_memory(r, bytes);
		if (r->task->done)
			return 137;
	}
	r->task->slice += bytes + bytes / 4; /* nanoseconds at disk_speed */
	if (out && strcmp(out, "/dev/null") != 0)
		return dd_fill(r, out, bytes, block);
	for (int64_t left = out ? 0 : KT_MIN(bytes, (int64_t)64 << 20); left > 0; left -= 4096)
		tool_out(r, zeros, (size_t)KT_MIN(left, (int64_t)sizeof(zeros)));
	dd_told(r, bytes, block);
	return 0;
}

static int run_dd(struct tool_run *r)
{
	const char *in = NULL, *out = NULL;
	int64_t block = 512, count = -1;
	for (size_t i = 1; i < r->argv.count; i++) {
		const char *word = r->argv.items[i];
		if (kt_starts(word, "if="))
			in = word + 3;
		else if (kt_starts(word, "of="))
			out = word + 3;
		else if (kt_starts(word, "bs="))
			block = tool_size(word + 3);
		else if (kt_starts(word, "count="))
			count = strtoll(word + 6, NULL, 10);
	}
	enum { NOTICED = 1 << 20 };
	if (block >= NOTICED) /* its buffer */
		tool_memory(r, block);
	if (r->task->done)
		return 137;
	bool endless =
	        in && (!strcmp(in, "/dev/zero") || !strcmp(in, "/dev/urandom") || !strcmp(in, "/dev/random"));
	if (endless && count < 0 && (!out || !strcmp(out, "/dev/null"))) {
		tool_cpu(r, 1000);
		return TOOL_WAIT;
	}
	if (endless && count < 0)
		count = 1 << 30;
	int64_t random = endless && in[5] != 'z' ? block * KT_MAX(count, 0) : 0;
	if (endless && !(random > 0 && random <= NOTICED))
		return dd_zeros(r, out,
		                block > 0 && count > (1LL << 40) / KT_MAX(block, 1)
		                        ? 1LL << 40
		                        : block * KT_MAX(count, 0),
		                block);
	struct kt_buf data = {0};
	if (random) {
		char *bytes = kt_alloc((size_t)random);
		kt_random_fill(cluster_random(r->task->process->cluster), bytes, (size_t)random);
		kt_buf_add(&data, bytes, (size_t)random);
		kt_free(bytes);
	} else if (in) {
		char *path = tool_path(r, in);
		int rc = special_file(r->task, path, &data);
		kt_free(path);
		if (rc)
			return tool_fail(r, 1,
			                 tool_busybox(r) ? "can't open '%s': %s" : "failed to open '%s': %s",
			                 in, tool_strerror(rc));
		if (count >= 0 && (int64_t)data.len > block * count)
			kt_buf_cut(&data, (size_t)(block * count));
	}
	int rc = 0;
	if (out && strcmp(out, "/dev/null") != 0) {
		char *path = tool_path(r, out);
		rc = files_write(tool_container(r)->files, path, kt_buf_str(&data), data.len, false, 0644,
		                 process_now(r->task->process));
		kt_free(path);
	} else if (!out) {
		tool_out(r, kt_buf_str(&data), data.len);
	}
	if (rc)
		tool_errf(r, "error writing '%s': %s", out, tool_strerror(rc));
	else
		dd_told(r, (int64_t)data.len, block);
	kt_buf_clear(&data);
	return rc ? 1 : 0;
}

/* mountpoint [-q] PATH */
static int run_mountpoint(struct tool_run *r)
{
	char flags[32];
	size_t first = tool_flags(r, "qd", flags);
	struct files_mounted mounted;
	if (!first || first >= r->argv.count)
		return tool_fail(r, 1, "missing operand");
	char *path = tool_path(r, r->argv.items[first]);
	struct files_stat st;
	int rc = files_stat(tool_container(r)->files, path, &st);
	bool is = kt_streq(path, "/") || kt_streq(path, "/proc") || kt_streq(path, "/dev") ||
	          kt_streq(path, "/sys");
	for (size_t i = 0; !rc && !is && files_mounted(tool_container(r)->files, i, &mounted); i++)
		is = kt_streq(mounted.path, path);
	kt_free(path);
	bool told = !strchr(flags, 'q');
	if (rc && told)
		tool_errf(r, "%s: %s", r->argv.items[first], tool_strerror(rc));
	else if (told)
		tool_outf(r, "%s is %sa mountpoint\n", r->argv.items[first], is ? "" : "not ");
	return rc || !is ? (tool_busybox(r) ? 1 : 32 - 31 * (rc != 0)) : 0;
}

const struct tool tools_disk[] = {
        {.name = "mountpoint", .sets = EVERY, .run = run_mountpoint},
        {.name = "dd", .sets = EVERY, .run = run_dd},
        {.name = "df", .sets = EVERY, .run = run_df},
        {.name = "mount", .sets = EVERY, .run = run_mount},
        {.name = NULL},
};
