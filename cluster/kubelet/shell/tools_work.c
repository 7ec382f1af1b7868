/* SPDX-License-Identifier: MIT */
/* What burns CPU and memory: stress, and the Job of the documentation that computes pi. */
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define EVERY "busybox debian"

static const char *argument(const struct tool_run *r, size_t i)
{
	return i < r->argv.count ? r->argv.items[i] : NULL;
}

/* A quarter of a GiB each tenth of a second, until the container dies of it (or the node is full). */
int run_hog(struct tool_run *r)
{
	tool_cpu(r, 1000);
	for (;;) {
		if (tool_sleep(r, 100 * KT_MS))
			return TOOL_WAIT;
		int64_t next = r->task->memory + (256LL << 20), most = tool_node_memory(r);
		tool_memory(r, KT_MIN(next, most));
		if (r->task->done)
			return 137;
	}
}

struct stress {
	int64_t cpus, workers, bytes;
	kt_ns limit, hang;
	bool ready;
};

int64_t tool_size(const char *text)
{
	char *end;
	double n = strtod(text, &end);
	switch (toupper((unsigned char)*end)) {
	case 'K':
		n *= 1024;
		break;
	case 'M':
		n *= 1 << 20;
		break;
	case 'G':
		n *= 1 << 30;
		break;
	default:
		break;
	}
	return n > 1e15 ? (int64_t)1e15 : (int64_t)n;
}

static void stress_options(struct tool_run *r, struct stress *s)
{
	bool vish = false;
	s->bytes = 256LL << 20;
	for (size_t i = 1; i < r->argv.count; i++) {
		char *word = kt_strdup(r->argv.items[i]), *equals = strchr(word, '=');
		const char *name = word + strspn(word, "-"), *value = argument(r, i + 1);
		if (equals) {
			*equals = '\0';
			value = equals + 1;
		}
		const char *given = value ? value : "1";
		if (!strcmp(name, "cpu") || !strcmp(name, "c"))
			s->cpus = KT_MIN(strtoll(given, NULL, 10), 512),
			s->cpus = s->cpus ? s->cpus : tool_node_cpus(r);
		else if (!strcmp(name, "cpus"))
			s->cpus = KT_MIN(strtoll(given, NULL, 10), 512);
		else if (!strcmp(name, "vm") || !strcmp(name, "m"))
			s->workers = KT_MIN(strtoll(given, NULL, 10), 512);
		else if (!strcmp(name, "vm-bytes"))
			s->bytes = tool_size(given);
		else if (!strcmp(name, "mem-total"))
			s->bytes = tool_size(given), s->workers = 1, vish = true;
		else if (!strcmp(name, "timeout") || !strcmp(name, "t"))
			tool_delay(given, &s->limit);
		else if (!strcmp(name, "vm-hang"))
			s->hang = KT_SEC;
		kt_free(word);
	}
	if (vish)
		s->hang = KT_SEC;
}

static int run_stress(struct tool_run *r)
{
	struct stress *s = r->state;
	bool ng = strstr(r->tool->name, "ng") != NULL;
	const char *name = r->tool->name;
	if (!s->ready) {
		s->ready = true;
		stress_options(r, s);
		if (!s->cpus && !s->workers && r->argv.count < 2) {
			tool_outs(r, "`stress' imposes certain types of compute stress on your "
			             "system\n\nUsage: stress [OPTION [ARG]] ...\n");
			return 0;
		}
		tool_outf(r, "%s: info: [%d] dispatching hogs: %lld cpu, 0 io, %lld vm, 0 hdd\n", name,
		          r->task->pid, (long long)s->cpus, (long long)s->workers);
		tool_cpu(r, 1000 * (s->cpus + (s->hang ? 0 : s->workers)));
		tool_memory(r, s->workers * s->bytes);
		if (r->task->done)
			return 137;
	}
	if (!s->limit)
		return TOOL_WAIT;
	if (tool_sleep(r, s->limit))
		return TOOL_WAIT;
	tool_outf(r, "%s: info: [%d] successful run completed in %llds\n", ng ? "stress-ng" : name,
	          r->task->pid, (long long)(s->limit / KT_SEC));
	return 0;
}

/* pi for the Job of Kubernetes' documentation: perl -Mbignum=bpi -wle 'print bpi(2000)'. Gibbons' spigot
 * would need big numbers; this is Rabinowitz and Wagon's, with small ones. */
static void pi_digits(size_t digits, struct kt_buf *out)
{
	size_t len = digits * 10 / 3 + 2, nines = 0;
	unsigned predigit = 0;
	unsigned *a = kt_alloc(len * sizeof(*a));
	for (size_t i = 0; i < len; i++)
		a[i] = 2;
	for (size_t j = 0; j <= digits; j++) {
		unsigned long q = 0;
		for (size_t i = len; i > 0; i--) {
			unsigned long x = 10ul * a[i - 1] + q * i;
			a[i - 1] = (unsigned)(x % (2 * i - 1));
			q = x / (2 * i - 1);
		}
		a[0] = (unsigned)(q % 10);
		q /= 10;
		if (q == 9) {
			nines++;
			continue;
		}
		if (j)
			kt_buf_addf(out, "%u", predigit + (q == 10));
		for (; nines; nines--)
			kt_buf_addc(out, q == 10 ? '0' : '9');
		predigit = q == 10 ? 0 : (unsigned)q;
	}
	kt_buf_addf(out, "%u", predigit);
	kt_free(a);
	if (out->len > 1) {
		char *text = kt_strdup(out->data + 1);
		char first = out->data[0];
		kt_buf_cut(out, 0);
		kt_buf_addf(out, "%c.%s", first, text);
		kt_free(text);
		kt_buf_cut(out, KT_MIN(out->len, digits + 1));
	}
}

static int run_perl(struct tool_run *r)
{
	struct kt_buf out = {0};
	const char *script = argument(r, r->argv.count - 1), *bpi = strstr(script, "bpi(");
	const char *print = strstr(script, "print");
	if (bpi) {
		tool_cpu(r, 1000);
		if (tool_sleep(r, 3 * KT_SEC))
			return TOOL_WAIT;
		size_t digits = KT_MIN((size_t)strtoul(bpi + 4, NULL, 10), (size_t)5000);
		pi_digits(KT_MAX(digits, (size_t)1), &out);
		tool_outf(r, "%s\n", kt_buf_str(&out));
		kt_buf_clear(&out);
		return 0;
	}
	const char *quote = print ? strpbrk(print, "\"'") : NULL,
	           *end = quote ? strchr(quote + 1, *quote) : NULL;
	if (end) {
		bool stop = false;
		unescape(quote + 1, (size_t)(end - quote - 1), false, &out, &stop);
		tool_outf(r, "%s\n", kt_buf_str(&out));
		kt_buf_clear(&out);
	}
	return 0;
}

const struct tool tools_work[] = {
        {.name = "perl", .sets = "perl debian", .run = run_perl},
        {.name = "stress",
         .sets = "stress netshoot",
         .run = run_stress,
         .state_size = sizeof(struct stress),
         .term = 1},
        {.name = "stress-ng",
         .sets = "stress",
         .run = run_stress,
         .state_size = sizeof(struct stress),
         .term = 1},
        {.name = NULL},
};
