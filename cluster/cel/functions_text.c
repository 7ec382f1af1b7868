/* SPDX-License-Identifier: MIT */
/* Texts: cel-go ext/strings.go (version 2), apiserver's regular expressions. Positions count characters. */
#include "cluster/cel/functions.h"
#include "cluster/schema/schema.h"

#include <math.h>
#include <string.h>

static bool are_texts(const struct cel_value *args, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (args[i].kind != CEL_STRING)
			return false;
	return true;
}

/* Where the i-th character begins; -1 beyond the end. */
static int64_t byte_of(const struct cel_value *v, int64_t i)
{
	int64_t n = 0;
	for (size_t at = 0; at <= v->len; at++)
		if (at == v->len || ((unsigned char)v->s[at] & 0xc0) != 0x80)
			if (n++ == i)
				return (int64_t)at;
	return -1;
}

struct cel_value cel_f_contains(struct cel_run *run, const struct cel_value *args, size_t count)
{
	run->cost += args[0].kind == CEL_STRING ? args[0].len / 10 : 0;
	return are_texts(args, count) ? cel_of_bool(strstr(args[0].s, args[1].s) != NULL)
	                              : cel_no_overload(run);
}

struct cel_value cel_f_starts(struct cel_run *run, const struct cel_value *args, size_t count)
{
	return are_texts(args, count) ? cel_of_bool(kt_starts(args[0].s, args[1].s)) : cel_no_overload(run);
}

struct cel_value cel_f_ends(struct cel_run *run, const struct cel_value *args, size_t count)
{
	return are_texts(args, count) ? cel_of_bool(kt_ends(args[0].s, args[1].s)) : cel_no_overload(run);
}

struct cel_value cel_f_matches(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct kt_err err = {0};
	if (!are_texts(args, count))
		return cel_no_overload(run);
	if (!schema_pattern_parses(args[1].s, &err))
		return cel_fault(run, "%s", err.text);
	run->cost += (args[0].len + 1) * args[1].len / 40;
	return cel_of_bool(schema_pattern_matches(args[1].s, args[0].s));
}

struct cel_value cel_f_char_at(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	if (args[0].kind != CEL_STRING || args[1].kind != CEL_INT)
		return cel_no_overload(run);
	int64_t begin = args[1].i < 0 ? -1 : byte_of(&args[0], args[1].i), end;
	if (begin < 0)
		return cel_fault(run, "index out of range: %lld", (long long)args[1].i);
	end = byte_of(&args[0], args[1].i + 1);
	return cel_of_text(run, args[0].s + begin, end < 0 ? 0 : (size_t)(end - begin));
}

static struct cel_value list_index(struct cel_run *run, const struct cel_value *list,
                                   const struct cel_value *what, bool last)
{
	size_t n = cel_count(list);
	for (size_t i = 0; i < n; i++) {
		size_t at = last ? n - 1 - i : i;
		struct cel_value item = cel_item(run, list, at);
		if (cel_same(run, &item, what))
			return cel_of_int((int64_t)at);
	}
	return cel_of_int(-1);
}

static struct cel_value index_of(struct cel_run *run, const struct cel_value *args, size_t count, bool last)
{
	if (args[0].kind == CEL_LIST && count == 2)
		return list_index(run, &args[0], &args[1], last);
	if (!are_texts(args, 2) || (count == 3 && args[2].kind != CEL_INT))
		return cel_no_overload(run);
	int64_t length = cel_characters(args[0].s, args[0].len), from = last ? length : 0, best = -1;
	if (count == 3) {
		from = args[2].i;
		if (from < 0 || from > length)
			return cel_fault(run, "index out of range: %lld", (long long)from);
	}
	const char *s = args[0].s + (last ? 0 : byte_of(&args[0], from));
	for (const char *at = s; (at = strstr(at, args[1].s)) != NULL; at++) {
		int64_t i = cel_characters(args[0].s, (size_t)(at - args[0].s));
		if (last && i > from)
			break;
		best = i;
		if (!last || !*at)
			break;
	}
	return cel_of_int(best);
}

struct cel_value cel_f_index_of(struct cel_run *run, const struct cel_value *args, size_t count)
{
	return index_of(run, args, count, false);
}

struct cel_value cel_f_last_index_of(struct cel_run *run, const struct cel_value *args, size_t count)
{
	return index_of(run, args, count, true);
}

static struct cel_value to_case(struct cel_run *run, const struct cel_value *v, char from, char to)
{
	if (v->kind != CEL_STRING)
		return cel_no_overload(run);
	char *copy = kt_arena_alloc(&run->arena, v->len + 1);
	for (size_t i = 0; i < v->len; i++)
		copy[i] = (char)(v->s[i] >= from && v->s[i] <= to ? v->s[i] ^ 32 : v->s[i]);
	struct cel_value out = *v;
	out.s = copy;
	return out;
}

struct cel_value cel_f_lower(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return to_case(run, &args[0], 'A', 'Z');
}

struct cel_value cel_f_upper(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return to_case(run, &args[0], 'a', 'z');
}

struct cel_value cel_f_replace(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct kt_buf out = {0};
	if (!are_texts(args, 3) || (count == 4 && args[3].kind != CEL_INT))
		return cel_no_overload(run);
	int64_t left = count == 4 ? args[3].i : -1;
	const char *s = args[0].s, *at;
	if (args[1].len == 0) {
		/* before every character, and behind the last */
		for (size_t i = 0; i <= args[0].len; i++) {
			if ((i == args[0].len || ((unsigned char)s[i] & 0xc0) != 0x80) && left-- != 0)
				kt_buf_adds(&out, args[2].s);
			if (i < args[0].len)
				kt_buf_addc(&out, s[i]);
		}
	} else {
		while (left-- != 0 && (at = strstr(s, args[1].s)) != NULL) {
			kt_buf_add(&out, s, (size_t)(at - s));
			kt_buf_add(&out, args[2].s, args[2].len);
			s = at + args[1].len;
		}
		kt_buf_adds(&out, s);
	}
	struct cel_value v = cel_of_text(run, kt_buf_str(&out), out.len);
	run->cost += out.len / 10;
	kt_buf_clear(&out);
	return v;
}

struct cel_value cel_f_split(struct cel_run *run, const struct cel_value *args, size_t count)
{
	if (!are_texts(args, 2) || (count == 3 && args[2].kind != CEL_INT))
		return cel_no_overload(run);
	int64_t most = count == 3 ? args[2].i : -1;
	struct cel_value out = cel_of_list(run, args[0].len + 2);
	const char *s = args[0].s, *at;
	out.list->count = out.count = 0;
	if (most == 0)
		return out;
	while (*s && (most < 0 || (int64_t)out.count < most - 1)) {
		size_t n = 1;
		while (((unsigned char)s[n] & 0xc0) == 0x80)
			n++;
		at = args[1].len ? strstr(s, args[1].s) : s[n] ? s + n : NULL;
		if (!at)
			break;
		out.list->items[out.count++] = cel_of_text(run, s, (size_t)(at - s));
		s = at + args[1].len;
	}
	if (*s || args[1].len)
		out.list->items[out.count++] = cel_of_text(run, s, strlen(s));
	out.list->count = out.count;
	return out;
}

struct cel_value cel_f_substring(struct cel_run *run, const struct cel_value *args, size_t count)
{
	if (args[0].kind != CEL_STRING || args[1].kind != CEL_INT || (count == 3 && args[2].kind != CEL_INT))
		return cel_no_overload(run);
	int64_t length = cel_characters(args[0].s, args[0].len), from = args[1].i,
	        to = count == 3 ? args[2].i : length;
	if (count == 3 && from > to)
		return cel_fault(run, "invalid substring range. start: %lld, end: %lld", (long long)from,
		                 (long long)to);
	if (from < 0 || from > length)
		return cel_fault(run, "index out of range: %lld", (long long)from);
	if (to < 0 || to > length)
		return cel_fault(run, "index out of range: %lld", (long long)to);
	int64_t a = byte_of(&args[0], from), b = byte_of(&args[0], to);
	return cel_of_text(run, args[0].s + a, (size_t)(b - a));
}

struct cel_value cel_f_trim(struct cel_run *run, const struct cel_value *args, size_t count)
{
	static const char spaces[] = " \t\n\r\f\v";
	(void)count;
	if (args[0].kind != CEL_STRING)
		return cel_no_overload(run);
	const char *s = args[0].s + strspn(args[0].s, spaces);
	size_t n = strlen(s);
	while (n > 0 && strchr(spaces, s[n - 1]))
		n--;
	return cel_of_text(run, s, n);
}

struct cel_value cel_f_join(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct kt_buf out = {0};
	if (args[0].kind != CEL_LIST || (count == 2 && args[1].kind != CEL_STRING))
		return cel_no_overload(run);
	for (size_t i = 0; i < cel_count(&args[0]); i++) {
		struct cel_value item = cel_item(run, &args[0], i);
		if (item.kind != CEL_STRING) {
			kt_buf_clear(&out);
			return cel_no_overload(run);
		}
		if (i > 0 && count == 2)
			kt_buf_add(&out, args[1].s, args[1].len);
		kt_buf_add(&out, item.s, item.len);
	}
	struct cel_value v = cel_of_text(run, kt_buf_str(&out), out.len);
	run->cost += out.len / 5;
	kt_buf_clear(&out);
	return v;
}

struct cel_value cel_f_quote(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct kt_buf out = {0};
	(void)count;
	if (args[0].kind != CEL_STRING)
		return cel_no_overload(run);
	kt_buf_addc(&out, '"');
	for (const char *s = args[0].s; *s; s++) {
		static const char codes[] = "\aa\bb\ff\nn\rr\tt\vv\\\\\"\"";
		const char *code = codes;
		while (*code && *code != *s)
			code += 2;
		if (*code)
			kt_buf_addf(&out, "\\%c", code[1]);
		else
			kt_buf_addc(&out, *s);
	}
	kt_buf_addc(&out, '"');
	struct cel_value v = cel_of_text(run, kt_buf_str(&out), out.len);
	kt_buf_clear(&out);
	return v;
}

struct cel_value cel_f_find(struct cel_run *run, const struct cel_value *args, size_t count)
{
	size_t begin, end;
	if (!are_texts(args, count))
		return cel_no_overload(run);
	run->cost += (args[0].len + 1) * args[1].len / 40;
	if (!schema_pattern_find(args[1].s, args[0].s, &begin, &end))
		return cel_of_text(run, "", 0);
	return cel_of_text(run, args[0].s + begin, end - begin);
}

struct cel_value cel_f_find_all(struct cel_run *run, const struct cel_value *args, size_t count)
{
	size_t begin, end;
	if (!are_texts(args, 2) || (count == 3 && args[2].kind != CEL_INT))
		return cel_no_overload(run);
	struct cel_value out = cel_of_list(run, args[0].len + 1);
	const char *s = args[0].s;
	int64_t most = count == 3 ? args[2].i : -1;
	out.list->count = out.count = 0;
	while ((most < 0 || (int64_t)out.count < most) && schema_pattern_find(args[1].s, s, &begin, &end)) {
		out.list->items[out.count++] = cel_of_text(run, s + begin, end - begin);
		run->cost += args[1].len / 4 + 1;
		if (!s[end])
			break;
		s += end + (end == begin);
	}
	out.list->count = out.count;
	return out;
}

/* --- "%s of %d".format([…]) --- */

static void add_value(struct cel_run *run, struct kt_buf *out, const struct cel_value *v)
{
	struct cel_value text = cel_f_string(run, v, 1);
	if (text.kind == CEL_STRING) {
		kt_buf_add(out, text.s, text.len);
	} else if (v->kind == CEL_NULL) {
		kt_buf_adds(out, "null");
	} else if (v->kind == CEL_LIST) {
		kt_buf_addc(out, '[');
		for (size_t i = 0; i < cel_count(v); i++) {
			struct cel_value item = cel_item(run, v, i);
			kt_buf_adds(out, i > 0 ? ", " : "");
			add_value(run, out, &item);
		}
		kt_buf_addc(out, ']');
	} else if (v->kind == CEL_MAP || v->kind == CEL_STRUCT) {
		kt_buf_addc(out, '{');
		for (size_t i = 0; i < cel_count(v); i++) {
			struct cel_value key = cel_key(run, v, i), member = cel_member(run, v, i);
			kt_buf_adds(out, i > 0 ? ", " : "");
			add_value(run, out, &key);
			kt_buf_adds(out, ": ");
			add_value(run, out, &member);
		}
		kt_buf_addc(out, '}');
	} else if (v->kind == CEL_TYPE) {
		cel_type_print(v->type, out);
	}
}

static bool add_clause(struct cel_run *run, struct kt_buf *out, char verb, int precision,
                       const struct cel_value *v)
{
	double d = v->kind == CEL_DOUBLE ? v->d : v->kind == CEL_INT ? (double)v->i : (double)v->u;
	bool number = v->kind == CEL_DOUBLE || v->kind == CEL_INT || v->kind == CEL_UINT;
	switch (verb) {
	case 's':
		add_value(run, out, v);
		return true;
	case 'd':
		if (!number)
			return false;
		add_value(run, out, v);
		return true;
	case 'f':
	case 'e':
		if (!number)
			return false;
		kt_buf_addf(out, verb == 'f' ? "%.*f" : "%.*e", precision < 0 ? 6 : precision, d);
		return true;
	case 'x':
	case 'X':
		if (v->kind == CEL_STRING || v->kind == CEL_BYTES) {
			for (size_t i = 0; i < v->len; i++)
				kt_buf_addf(out, verb == 'x' ? "%02x" : "%02X", (unsigned char)v->s[i]);
			return true;
		}
		if (v->kind != CEL_INT && v->kind != CEL_UINT)
			return false;
		kt_buf_addf(out, verb == 'x' ? "%llx" : "%llX", (unsigned long long)v->u);
		return true;
	case 'o':
		if (v->kind != CEL_INT && v->kind != CEL_UINT)
			return false;
		kt_buf_addf(out, "%llo", (unsigned long long)v->u);
		return true;
	case 'b':
		if (v->kind == CEL_BOOL) {
			kt_buf_addc(out, v->b ? '1' : '0');
			return true;
		}
		if (v->kind != CEL_INT && v->kind != CEL_UINT)
			return false;
		for (int bit = 63, begun = 0; bit >= 0; bit--) {
			begun |= (v->u >> bit & 1) || bit == 0;
			if (begun)
				kt_buf_addc(out, v->u >> bit & 1 ? '1' : '0');
		}
		return true;
	default:
		return false;
	}
}

struct cel_value cel_f_format(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct kt_buf out = {0};
	struct cel_value v = {.kind = CEL_NULL};
	size_t next = 0, given = args[1].kind == CEL_LIST ? cel_count(&args[1]) : 0;
	const char *wrong = NULL;
	(void)count;
	if (args[0].kind != CEL_STRING || args[1].kind != CEL_LIST)
		return cel_no_overload(run);
	for (const char *s = args[0].s; *s && !wrong; s++) {
		int precision = -1;
		if (*s != '%') {
			kt_buf_addc(&out, *s);
			continue;
		}
		if (*++s == '%') {
			kt_buf_addc(&out, '%');
			continue;
		}
		if (*s == '.')
			for (s++, precision = 0; *s >= '0' && *s <= '9'; s++)
				precision = precision < 1000 ? precision * 10 + (*s - '0') : precision;
		if (!*s) {
			wrong = "unexpected end of string";
			break;
		}
		if (next >= given) {
			v = cel_fault(run, "index %zu out of range", next);
			kt_buf_clear(&out);
			return v;
		}
		v = cel_item(run, &args[1], next++);
		if (!add_clause(run, &out, *s, precision, &v))
			wrong = "error during formatting: unrecognized formatting clause";
	}
	v = wrong ? cel_fault(run, "%s", wrong) : cel_of_text(run, kt_buf_str(&out), out.len);
	run->cost += out.len / 10;
	kt_buf_clear(&out);
	return v;
}
