/* SPDX-License-Identifier: MIT */
/* agnhost stress --mem-total 150Mi --mem-alloc-size 10Mi --mem-alloc-sleep 100ms --cpus 1: memory step by
 * step, and then it stays (kubernetes test/images/agnhost/stress). */
#include "cluster/kubelet/shell/shell.h"

#include <stdlib.h>
#include <string.h>

static const char *option(const struct tool_run *r, const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 2; i < r->argv.count; i++) {
		const char *word = r->argv.items[i] + strspn(r->argv.items[i], "-");
		if (!strncmp(word, name, len) && word[len] == '=')
			return word + len + 1;
		if (kt_streq(word, name) && i + 1 < r->argv.count)
			return r->argv.items[i + 1];
	}
	return NULL;
}

static int64_t bytes_of(const struct tool_run *r, const char *name, int64_t otherwise)
{
	const char *text = option(r, name);
	struct kt_quantity q;
	return text && kt_quantity_parse(text, &q) && q.value >= 0 ? q.value : otherwise;
}

static void begin(struct tool_run *r, struct hoard *h)
{
	const char *pause = option(r, "mem-alloc-sleep"), *cpus = option(r, "cpus");
	int64_t burning = cpus ? strtoll(cpus, NULL, 10) : 0;
	h->ready = true;
	h->total = bytes_of(r, "mem-total", 0);
	h->step = KT_MAX(bytes_of(r, "mem-alloc-size", 4096), 1);
	h->pause = KT_MS;
	if (pause && !kt_duration_parse(pause, &h->pause))
		h->pause = KT_MS;
	/* thousands of small steps in one moment look like one */
	while (h->pause && h->pause < 100 * KT_MS && h->step * 2 <= h->total) {
		h->step *= 2;
		h->pause *= 2;
	}
	tool_cpu(r, 1000 * KT_MIN(KT_MAX(burning, 0), 512));
}

int run_hoard(struct tool_run *r, struct hoard *h)
{
	if (!h->ready)
		begin(r, h);
	while (r->task->memory + h->step <= h->total) {
		if (h->pause && tool_sleep(r, h->pause))
			return TOOL_WAIT;
		tool_memory(r, h->pause ? r->task->memory + h->step : h->total);
		if (r->task->done)
			return 137;
	}
	return TOOL_WAIT;
}
