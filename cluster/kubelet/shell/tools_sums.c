/* SPDX-License-Identifier: MIT */
/* Check sums, and what is written in letters: base64. */
#include "base/codec.h"
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EVERY "busybox debian"

struct summed {
	struct kt_buf text;
	long width; /* base64's lines */
	bool decodes;
	bool checks, silent, reads; /* of sums */
	size_t first;
};

static void end_summed(struct tool_run *r)
{
	struct summed *s = r->state;
	kt_buf_clear(&s->text);
}

/* cksum: POSIX' CRC, over the bytes and then their number. */
static uint32_t posix_sum(const struct kt_buf *data)
{
	uint32_t crc = 0;
	size_t len = data->len;
	for (size_t i = 0; i < data->len || len; i++) {
		unsigned char byte =
		        (unsigned char)(i < data->len ? (unsigned char)data->data[i] : len & 255);
		if (i >= data->len)
			len >>= 8;
		crc ^= (uint32_t)byte << 24;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 0x80000000u ? crc << 1 ^ 0x04c11db7u : crc << 1;
	}
	return ~crc;
}

static void add_sum(const struct tool_run *r, const struct kt_buf *data, struct kt_buf *out)
{
	unsigned char sum[64];
	const char *text = kt_buf_str(data);
	size_t len = 32;
	if (r->tool->name[2] == '5') {
		kt_md5(text, data->len, sum);
		len = 16;
	} else if (kt_starts(r->tool->name, "sha1")) {
		kt_sha1(text, data->len, sum);
		len = 20;
	} else if (kt_starts(r->tool->name, "sha512")) {
		kt_sha512(text, data->len, sum);
		len = 64;
	} else {
		kt_sha256(text, data->len, sum);
	}
	kt_hex(sum, len, out);
}

static void print_sum(struct tool_run *r, const struct kt_buf *data, const char *name)
{
	struct kt_buf text = {0};
	if (kt_streq(r->tool->name, "cksum")) {
		tool_outf(r, kt_streq(name, "-") ? "%u %zu%s\n" : "%u %zu %s\n", (unsigned)posix_sum(data),
		          data->len, kt_streq(name, "-") ? "" : name);
		return;
	}
	add_sum(r, data, &text);
	tool_outf(r, "%s  %s\n", text.data, name);
	kt_buf_clear(&text);
}

static bool read_summed(struct tool_run *r, const char *name, struct kt_buf *data)
{
	char *path = tool_path(r, name);
	int rc = special_file(r->task, path, data);
	if (rc)
		tool_errf(r, tool_busybox(r) ? "can't open '%s': %s" : "%s: %s", name, tool_strerror(rc));
	kt_free(path);
	return !rc;
}

/* -c: a line for each sum of a list; `silent`: the status alone says it. */
static int check_sums(struct tool_run *r, const struct kt_buf *list, bool silent)
{
	const char *rest = kt_buf_str(list);
	size_t len, all = 0, bad = 0;
	for (const char *line; rest && (line = kt_split(&rest, '\n', &len));) {
		char *one = kt_strndup(line, len);
		size_t digits = strcspn(one, " ");
		const char *name = one[digits] && one[digits + 1] ? one + digits + 2 : "";
		struct kt_buf data = {0}, sum = {0};
		if (*name) {
			bool there = read_summed(r, name, &data);
			add_sum(r, &data, &sum);
			bool same = there && sum.len == digits && !strncasecmp(sum.data, one, digits);
			all++;
			bad += !same;
			if (!silent)
				tool_outf(r, "%s: %s\n", name, same ? "OK" : "FAILED");
		}
		kt_buf_clear(&data);
		kt_buf_clear(&sum);
		kt_free(one);
	}
	if (bad && !silent && tool_busybox(r))
		tool_errf(r, "WARNING: %zu of %zu computed checksums did NOT match", bad, all);
	else if (bad && !silent)
		tool_errf(r, "WARNING: %zu computed checksum%s did NOT match", bad, bad == 1 ? "" : "s");
	return bad || !all;
}

static int run_sum(struct tool_run *r)
{
	struct summed *s = r->state;
	const char *value;
	size_t in = 0;
	if (!r->opened) {
		s->first = 1;
		for (int option; (option = tool_option(r, &s->first, &in, "cswbt", &value));) {
			if (option == '?')
				return 1;
			bool named = option == '-';
			s->checks = s->checks || option == 'c' || (named && !strcmp(value, "check"));
			s->silent = s->silent || option == 's' ||
			            (named && (!strcmp(value, "status") || !strcmp(value, "quiet")));
		}
		r->opened = true;
	}
	if (s->first < r->argv.count && !kt_streq(r->argv.items[s->first], "-")) {
		int status = 0;
		for (size_t i = s->first; i < r->argv.count; i++) {
			struct kt_buf data = {0};
			if (!read_summed(r, r->argv.items[i], &data))
				status = 1;
			else if (s->checks)
				status |= check_sums(r, &data, s->silent);
			else
				print_sum(r, &data, r->argv.items[i]);
			kt_buf_clear(&data);
		}
		return status;
	}
	if (!s->reads)
		tool_inputs(r, r->argv.count);
	s->reads = true;
	if (tool_all(r, &s->text))
		return TOOL_WAIT;
	if (s->checks)
		return check_sums(r, &s->text, s->silent);
	print_sum(r, &s->text, "-");
	return 0;
}

static int run_base64(struct tool_run *r)
{
	struct summed *s = r->state;
	const char *value;
	int option;
	if (!r->opened) {
		size_t at = 1, in = 0;
		s->width = 76;
		while ((option = tool_option(r, &at, &in, "dDw:i", &value))) {
			if (option == '?')
				return 1;
			if (option == 'd' || option == 'D' || (option == '-' && !strcmp(value, "decode")))
				s->decodes = true;
			if (option == 'w')
				s->width = strtol(value, NULL, 10);
			if (option == '-' && kt_starts(value, "wrap="))
				s->width = strtol(value + 5, NULL, 10);
		}
		tool_inputs(r, at);
		r->opened = true;
	}
	if (tool_all(r, &s->text))
		return TOOL_WAIT;
	struct kt_buf out = {0};
	int status = r->in_status;
	if (s->decodes) {
		struct kt_buf packed = {0};
		for (size_t i = 0; i < s->text.len; i++) {
			if (!isspace((unsigned char)s->text.data[i]))
				kt_buf_addc(&packed, s->text.data[i]);
		}
		if (!kt_unbase64(kt_buf_str(&packed), packed.len, &out)) {
			tool_errf(r, tool_busybox(r) ? "truncated input" : "invalid input");
			status = 1;
		}
		tool_out(r, kt_buf_str(&out), out.len);
		kt_buf_clear(&packed);
	} else {
		kt_base64(kt_buf_str(&s->text), s->text.len, &out);
		size_t width = s->width > 0 ? (size_t)s->width : SIZE_MAX;
		for (size_t at = 0; at < out.len; at += KT_MIN(width, out.len - at)) {
			tool_out(r, out.data + at, KT_MIN(width, out.len - at));
			if (s->width > 0)
				tool_outs(r, "\n");
		}
	}
	kt_buf_clear(&out);
	return status;
}

#define SUMMED .state_size = sizeof(struct summed), .end = end_summed
const struct tool tools_sums[] = {
        {.name = "cksum", .sets = EVERY, .run = run_sum, SUMMED},
        {.name = "base64", .sets = EVERY, .run = run_base64, SUMMED},
        {.name = "md5sum", .sets = EVERY, .run = run_sum, SUMMED},
        {.name = "sha1sum", .sets = EVERY, .run = run_sum, SUMMED},
        {.name = "sha256sum", .sets = EVERY, .run = run_sum, SUMMED},
        {.name = "sha512sum", .sets = EVERY, .run = run_sum, SUMMED},
        {.name = NULL},
};
