/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <regex.h>
#include <string.h>

/* What echo, printf and test do, as builtins and as programs. */
void unescape(const char *text, size_t len, bool octal0, struct kt_buf *out, bool *stop)
{
	static const char from[] = "abefnrtv\\\"", to[] = "\a\b\033\f\n\r\t\v\\\"";
	for (size_t i = 0; i < len; i++) {
		const char *found;
		if (text[i] != '\\' || i + 1 >= len) {
			kt_buf_addc(out, text[i]);
			continue;
		}
		char c = text[++i];
		if (c == 'c') {
			*stop = true;
			return;
		}
		if (c == 'x' && i + 1 < len && isxdigit((unsigned char)text[i + 1])) {
			char digits[3] = {text[i + 1], i + 2 < len && isxdigit((unsigned char)text[i + 2])
			                                       ? text[i + 2]
			                                       : '\0'};
			kt_buf_addc(out, (char)strtol(digits, NULL, 16));
			i += strlen(digits);
		} else if (c >= '0' && c <= '7') {
			unsigned value = 0;
			size_t max = octal0 && c == '0' ? 4 : 3;
			size_t n = 0;
			for (; n < max && i + n < len && text[i + n] >= '0' && text[i + n] <= '7'; n++)
				value = value * 8 + (unsigned)(text[i + n] - '0');
			i += n - 1;
			kt_buf_addc(out, (char)value);
		} else if (c && (found = strchr(from, c))) {
			kt_buf_addc(out, to[found - from]);
		} else {
			kt_buf_addc(out, '\\');
			kt_buf_addc(out, c);
		}
	}
}

void echo_text(const struct kt_strs *argv, bool escapes, struct kt_buf *out)
{
	size_t i = 1;
	bool newline = true, stop = false;
	for (; i < argv->count && argv->items[i][0] == '-' && argv->items[i][1] &&
	       strspn(argv->items[i] + 1, "neE") == strlen(argv->items[i] + 1);
	     i++) {
		newline = newline && !strchr(argv->items[i], 'n');
		escapes = (escapes || strchr(argv->items[i], 'e')) && !strchr(argv->items[i], 'E');
	}
	for (size_t first = i; i < argv->count && !stop; i++) {
		if (i > first)
			kt_buf_addc(out, ' ');
		if (escapes)
			unescape(argv->items[i], strlen(argv->items[i]), true, out, &stop);
		else
			kt_buf_adds(out, argv->items[i]);
	}
	if (newline && !stop)
		kt_buf_addc(out, '\n');
}

static void add_formatted(struct kt_buf *out, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	kt_buf_vaddf(out, format, ap);
	va_end(ap);
}

/* One conversion of printf: `spec` is "%-5d". */
static void convert(const char *spec, size_t len, const char *value, struct kt_buf *out, char message[160],
                    int *rc)
{
	char kind = spec[len - 1], format[64], *end = NULL;
	size_t digits = 0;
	/* width and precision of sane size only */
	for (size_t i = 0; i < len; i++) {
		digits = isdigit((unsigned char)spec[i]) ? digits + 1 : 0;
		if (digits > 4 || len > 40)
			return;
	}
	bool quoted = value[0] == '\'' || value[0] == '"';
	memcpy(format, spec, len - 1);
	if (strchr("dioux"
	           "X",
	           kind)) {
		long long n = quoted ? (unsigned char)value[1] : strtoll(value, &end, 0);
		if (end && *end) {
			struct kt_buf text = {0};
			kt_buf_addf(&text, "invalid number '%.80s'", value);
			memcpy(message, text.data, text.len + 1);
			kt_buf_clear(&text);
			*rc = 1;
		}
		memcpy(format + len - 1, "ll", 2);
		format[len + 1] = kind;
		format[len + 2] = '\0';
		add_formatted(out, format, n);
		return;
	}
	bool real = strchr("eEfFgG", kind) != NULL;
	format[len - 1] = real ? kind : 's';
	format[len] = '\0';
	char one[2] = {value[0], '\0'};
	if (real)
		add_formatted(out, format, strtod(value, NULL));
	else
		add_formatted(out, format, kind == 'c' ? one : value);
}

int printf_text(const struct kt_strs *argv, struct kt_buf *out, char message[160])
{
	size_t first = argv->count > 1 && !strcmp(argv->items[1], "--") ? 2 : 1, next = first + 1;
	int rc = 0;
	bool stop = false, used;
	if (argv->count <= first)
		return 2;
	const char *format = argv->items[first];
	do {
		used = false;
		for (const char *at = format; *at && !stop;) {
			size_t plain = strcspn(at, "%");
			if (plain) {
				unescape(at, plain, false, out, &stop);
				at += plain;
				continue;
			}
			if (at[1] == '%') {
				kt_buf_addc(out, '%');
				at += 2;
				continue;
			}
			size_t len = 1 + strspn(at + 1, "-+ #0123456789.");
			char spec[64];
			const char *value = next < argv->count ? argv->items[next] : "";
			char width[16] = "";
			if (at[len] == '*') { /* a width from the arguments */
				snprintf(width, sizeof(width), "%d",
				         (int)KT_MIN(strtol(value, NULL, 10), 9999L));
				len++;
				next++;
				value = next < argv->count ? argv->items[next] : "";
			}
			if (!at[len] || !strchr("diouxXcsbeEfFgG", at[len]) || len > 40) {
				memcpy(message, "bad format", 11);
				return 1;
			}
			used = used || next < argv->count;
			next++;
			size_t flags = len - (*width != '\0');
			memcpy(spec, at, flags);
			memcpy(spec + flags, width, strlen(width));
			spec[flags + strlen(width)] = at[len];
			if (at[len] == 'b')
				unescape(value, strlen(value), true, out, &stop);
			else
				convert(spec, flags + strlen(width) + 1, value, out, message, &rc);
			at += len + 1;
		}
	} while (used && next < argv->count && !stop && out->len < 1u << 20);
	return rc;
}

/* --- test --- */
struct test {
	struct task *task;
	char *const *words;
	size_t at, count, depth;
	char *message;
};
static bool test_or(struct test *t);

static void test_trouble(struct test *t, const char *fmt, const char *word)
{
	struct kt_buf text = {0};
	if (t->message[0])
		return;
	kt_buf_addf(&text, "%.60s%s%s", word ? word : "", word ? ": " : "", fmt);
	size_t len = KT_MIN(text.len, (size_t)150);
	memcpy(t->message, text.data, len);
	t->message[len] = '\0';
	kt_buf_clear(&text);
}

static int64_t test_number(struct test *t, const char *word)
{
	char *end;
	long long n = strtoll(word, &end, 10);
	while (isspace((unsigned char)*end))
		end++;
	if (*end || end == word)
		test_trouble(t, t->task->flavour == FLAVOUR_DASH ? "Illegal number" : "bad number", NULL);
	return n;
}

static bool test_file(struct test *t, char op, const char *word)
{
	struct files_stat st;
	char *path = task_path(t->task, word);
	struct files *files = t->task->process->spec.container->files;
	bool link = op == 'L' || op == 'h';
	int rc = link ? files_lstat(files, path, &st, NULL) : files_stat(files, path, &st);
	bool device = !strcmp(path, "/dev/null") || !strcmp(path, "/dev/zero");
	bool program = rc && task_program_at(t->task, path);
	bool made_up = rc && !program && (kt_starts(path, "/proc/") || kt_starts(path, "/sys/"));
	struct kt_buf text = {0};
	made_up = made_up && !special_file(t->task, path, &text);
	kt_buf_clear(&text);
	unsigned wanted = op == 'r' ? FILES_READ : (op == 'w' ? FILES_WRITE : 0);
	bool may = !wanted || !files_access(files, path, wanted);
	kt_free(path);
	if (made_up)
		return strchr("efr", op) != NULL;
	if (program)
		return strchr("efxrs", op) != NULL;
	if (device)
		return strchr("ecrw", op) != NULL;
	if (rc)
		return false;
	switch (op) {
	case 'f':
		return st.type == FILES_REGULAR;
	case 'd':
		return st.type == FILES_DIR;
	case 'L':
	case 'h':
		return st.type == FILES_LINK;
	case 's':
		return st.type == FILES_DIR || st.size > 0;
	case 'x':
		return st.type == FILES_DIR || (st.mode & 0111);
	case 'b':
	case 'c':
	case 'p':
	case 'S':
		return false;
	default:
		return may;
	}
}

static bool test_unary(struct test *t, char op, const char *word)
{
	if (op == 'n')
		return *word != '\0';
	if (op == 'z')
		return !*word;
	if (op == 't')
		return t->task->process->spec.tty;
	return test_file(t, op, word);
}

/* `!==` is what the parser makes of the != in [[ ]], where it takes a pattern */
static const char *const binaries[] = {"=",   "==",  "!=",  "!==", "-eq", "-ne", "-lt", "-le",
                                       "-gt", "-ge", "-nt", "-ot", "<",   ">",   "=~"};

static bool test_regex(struct test *t, const char *text, const char *pattern)
{
	regex_t regex;
	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB)) {
		test_trouble(t, "bad regex", pattern);
		return false;
	}
	bool found = !regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return found;
}

static bool test_binary(struct test *t, const char *a, const char *op, const char *b)
{
	if (!strcmp(op, "=~"))
		return test_regex(t, a, b);
	if (op[0] == '=' || op[0] == '!') {
		bool pattern = !strcmp(op, "==") || !strcmp(op, "!==");
		bool same = !strcmp(a, b) || (pattern && pattern_match(b, a));
		return same == (op[0] == '=');
	}
	if (op[0] == '<' || op[0] == '>')
		return op[0] == '<' ? strcmp(a, b) < 0 : strcmp(a, b) > 0;
	if (!strcmp(op, "-nt") || !strcmp(op, "-ot")) {
		struct files_stat x = {0}, y = {0};
		struct files *files = t->task->process->spec.container->files;
		char *pa = task_path(t->task, a), *pb = task_path(t->task, b);
		bool ra = !files_stat(files, pa, &x), rb = !files_stat(files, pb, &y);
		kt_free(pa);
		kt_free(pb);
		return op[1] == 'n' ? ra && (!rb || x.modified > y.modified)
		                    : rb && (!ra || x.modified < y.modified);
	}
	int64_t x = test_number(t, a), y = test_number(t, b);
	switch (op[1]) {
	case 'e':
		return x == y;
	case 'n':
		return x != y;
	case 'l':
		return op[2] == 't' ? x < y : x <= y;
	default:
		return op[2] == 't' ? x > y : x >= y;
	}
}

static bool is_binary(const char *word)
{
	for (size_t i = 0; i < KT_COUNT(binaries); i++) {
		if (!strcmp(binaries[i], word))
			return true;
	}
	return false;
}

static bool test_primary(struct test *t)
{
	size_t left = t->count - t->at;
	bool value;
	if (!left || ++t->depth > 100) {
		test_trouble(t, "argument expected", NULL);
		return false;
	}
	const char *word = t->words[t->at];
	if (left >= 3 && is_binary(t->words[t->at + 1])) {
		value = test_binary(t, word, t->words[t->at + 1], t->words[t->at + 2]);
		t->at += 3;
	} else if (!strcmp(word, "!") && left > 1) {
		t->at++;
		value = !test_primary(t);
	} else if (!strcmp(word, "(") && left > 1) {
		t->at++;
		value = test_or(t);
		if (t->at < t->count && !strcmp(t->words[t->at], ")"))
			t->at++;
		else
			test_trouble(t, "closing paren expected", NULL);
	} else if (left >= 2 && word[0] == '-' && word[1] && !word[2] &&
	           strchr("bcdefghkLnoprsStuwxzOG", word[1])) {
		value = test_unary(t, word[1], t->words[t->at + 1]);
		t->at += 2;
	} else {
		value = *word != '\0';
		t->at++;
	}
	t->depth--;
	return value;
}

static bool test_and(struct test *t)
{
	bool value = test_primary(t);
	while (t->at < t->count && (!strcmp(t->words[t->at], "-a") || !strcmp(t->words[t->at], "&&"))) {
		t->at++;
		value = test_primary(t) && value;
	}
	return value;
}

static bool test_or(struct test *t)
{
	bool value = test_and(t);
	while (t->at < t->count && (!strcmp(t->words[t->at], "-o") || !strcmp(t->words[t->at], "||"))) {
		t->at++;
		value = test_and(t) || value;
	}
	return value;
}

int test_words(struct task *task, char *const *words, size_t count, char message[160])
{
	struct test t = {.task = task, .words = words, .count = count, .message = message};
	message[0] = '\0';
	if (!count)
		return 1;
	bool value = test_or(&t);
	if (t.at < count && !message[0])
		test_trouble(&t, "unknown operand", words[t.at]);
	if (message[0])
		return 2;
	return !value;
}
