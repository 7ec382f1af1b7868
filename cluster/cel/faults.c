/* SPDX-License-Identifier: MIT */
/* What is wrong with an expression, as cel-go shows it: line, column, the line itself and a mark below it. */
#include "cluster/cel/cel_internal.h"

#include <stdarg.h>
#include <string.h>

#define MAX_FAULTS 100

int64_t cel_characters(const char *s, size_t len)
{
	int64_t n = 0;
	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

/* Kept in the order of the text, those at one place as they came. */
void cel_faults_add(struct cel_faults *faults, uint32_t at, const char *fmt, ...)
{
	struct cel_fault **slot = &faults->first, *f;
	struct kt_buf message = {0};
	size_t begin = 0, line = 1;
	va_list ap;
	if (++faults->count > MAX_FAULTS)
		return;
	for (size_t i = 0; at != CEL_NOWHERE && i < at && faults->text[i]; i++) {
		if (faults->text[i] == '\n') {
			line++;
			begin = i + 1;
		}
	}
	va_start(ap, fmt);
	kt_buf_vaddf(&message, fmt, ap);
	va_end(ap);
	f = kt_arena_alloc(faults->arena, sizeof(*f));
	f->line = at == CEL_NOWHERE ? 0 : line;
	f->column = at == CEL_NOWHERE ? 0 : (size_t)cel_characters(faults->text + begin, at - begin);
	f->message = kt_arena_strdup(faults->arena, kt_buf_str(&message));
	kt_buf_clear(&message);
	while (*slot &&
	       ((*slot)->line < f->line || ((*slot)->line == f->line && (*slot)->column <= f->column)))
		slot = &(*slot)->next;
	f->next = *slot;
	*slot = f;
}

static void print_line(const struct cel_faults *faults, const struct cel_fault *f, struct kt_buf *out)
{
	const char *s = faults->text;
	size_t len, i = 0;
	for (size_t line = 1; line < f->line; line++)
		s = strchr(s, '\n') + 1;
	len = strcspn(s, "\n");
	kt_buf_adds(out, "\n | ");
	for (size_t k = 0; k < len; k++)
		kt_buf_addc(out, s[k] == '\t' ? ' ' : s[k]);
	kt_buf_adds(out, "\n | ");
	for (size_t column = 0; column < f->column && i < len; column++) {
		size_t n = 1;
		while (i + n < len && ((unsigned char)s[i + n] & 0xc0) == 0x80)
			n++;
		kt_buf_adds(out, n > 1 ? "\xef\xbc\x8e" : ".");
		i += n;
	}
	kt_buf_adds(out, i < len && (unsigned char)s[i] >= 0x80 ? "\xef\xbc\xbe" : "^");
}

void cel_faults_print(const struct cel_faults *faults, struct kt_buf *out)
{
	for (const struct cel_fault *f = faults->first; f; f = f->next) {
		if (f->line == 0) {
			kt_buf_addf(out, "ERROR: <input>:-1:0: %s", f->message);
		} else if (!*faults->text) { /* there is no line to show */
			kt_buf_addf(out, "ERROR: <input>:1:0: %s", f->message);
		} else {
			kt_buf_addf(out, "ERROR: <input>:%zu:%zu: %s", f->line, f->column + 1, f->message);
			print_line(faults, f, out);
		}
		if (f->next)
			kt_buf_addc(out, '\n');
	}
	if (faults->count > MAX_FAULTS)
		kt_buf_addf(out, "\n%zu more errors were truncated", faults->count - MAX_FAULTS);
}
