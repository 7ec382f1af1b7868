/* SPDX-License-Identifier: MIT */
/* Operators, conversions, dates and optional values. */
#include "cluster/cel/functions.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OVERFLOWN(run) cel_fault(run, "integer overflow")
#define SECOND         1000000000LL

/* What && || ?: and indexes do is done where they are evaluated. */
struct cel_value cel_f_lazy(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)args;
	(void)count;
	return cel_no_overload(run);
}

struct cel_value cel_f_not(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return args[0].kind == CEL_BOOL ? cel_of_bool(!args[0].b) : cel_no_overload(run);
}

struct cel_value cel_f_not_false(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)run;
	(void)count;
	return cel_of_bool(args[0].kind != CEL_BOOL || args[0].b);
}

struct cel_value cel_f_equals(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return cel_of_bool(cel_same(run, &args[0], &args[1]));
}

struct cel_value cel_f_differs(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return cel_of_bool(!cel_same(run, &args[0], &args[1]));
}

static struct cel_value ordered(struct cel_run *run, const struct cel_value *args, int low, int high)
{
	int order;
	if (!cel_order(&args[0], &args[1], &order))
		return cel_no_overload(run);
	order = order < 0 ? -1 : order > 0;
	return cel_of_bool(order >= low && order <= high);
}

struct cel_value cel_f_less(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return ordered(run, args, -1, -1);
}

struct cel_value cel_f_less_equals(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return ordered(run, args, -1, 0);
}

struct cel_value cel_f_greater(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return ordered(run, args, 1, 1);
}

struct cel_value cel_f_greater_equals(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return ordered(run, args, 0, 1);
}

/* --- arithmetic --- */

static struct cel_value of_double(double d)
{
	return (struct cel_value){.kind = CEL_DOUBLE, .d = d};
}

static struct cel_value of_uint(uint64_t u)
{
	return (struct cel_value){.kind = CEL_UINT, .u = u};
}

static struct cel_value time_sum(struct cel_run *run, enum cel_kind kind, int64_t a, int64_t b, bool minus)
{
	struct cel_value out = {.kind = kind};
	bool over = minus ? __builtin_sub_overflow(a, b, &out.i) : __builtin_add_overflow(a, b, &out.i);
	return over ? OVERFLOWN(run) : out;
}

static struct cel_value joined(struct cel_run *run, const struct cel_value *a, const struct cel_value *b)
{
	struct cel_value out = {.kind = a->kind};
	char *s = kt_arena_alloc(&run->arena, a->len + b->len + 1);
	memcpy(s, a->s, a->len);
	memcpy(s + a->len, b->s, b->len);
	out.s = s;
	out.len = a->len + b->len;
	run->cost += out.len / 10;
	return out;
}

struct cel_value cel_f_add(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_value *a = &args[0], *b = &args[1];
	int64_t i;
	uint64_t u;
	(void)count;
	if (a->kind == CEL_TIMESTAMP && b->kind == CEL_DURATION)
		return time_sum(run, CEL_TIMESTAMP, a->i, b->i, false);
	if (a->kind == CEL_DURATION && (b->kind == CEL_TIMESTAMP || b->kind == CEL_DURATION))
		return time_sum(run, b->kind, a->i, b->i, false);
	if (a->kind != b->kind)
		return cel_no_overload(run);
	switch (a->kind) {
	case CEL_INT:
		return __builtin_add_overflow(a->i, b->i, &i) ? OVERFLOWN(run) : cel_of_int(i);
	case CEL_UINT:
		return __builtin_add_overflow(a->u, b->u, &u) ? cel_fault(run, "unsigned integer overflow")
		                                              : of_uint(u);
	case CEL_DOUBLE:
		return of_double(a->d + b->d);
	case CEL_STRING:
	case CEL_BYTES:
		return joined(run, a, b);
	case CEL_LIST:
		return cel_append(run, a, b);
	default:
		return cel_no_overload(run);
	}
}

struct cel_value cel_f_subtract(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_value *a = &args[0], *b = &args[1];
	int64_t i;
	uint64_t u;
	(void)count;
	if (a->kind == CEL_TIMESTAMP && (b->kind == CEL_DURATION || b->kind == CEL_TIMESTAMP))
		return time_sum(run, b->kind == CEL_DURATION ? CEL_TIMESTAMP : CEL_DURATION, a->i, b->i,
		                true);
	if (a->kind != b->kind)
		return cel_no_overload(run);
	switch (a->kind) {
	case CEL_DURATION:
		return time_sum(run, CEL_DURATION, a->i, b->i, true);
	case CEL_INT:
		return __builtin_sub_overflow(a->i, b->i, &i) ? OVERFLOWN(run) : cel_of_int(i);
	case CEL_UINT:
		return __builtin_sub_overflow(a->u, b->u, &u) ? cel_fault(run, "unsigned integer overflow")
		                                              : of_uint(u);
	case CEL_DOUBLE:
		return of_double(a->d - b->d);
	default:
		return cel_no_overload(run);
	}
}

struct cel_value cel_f_multiply(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_value *a = &args[0], *b = &args[1];
	int64_t i;
	uint64_t u;
	(void)count;
	if (a->kind != b->kind)
		return cel_no_overload(run);
	if (a->kind == CEL_INT)
		return __builtin_mul_overflow(a->i, b->i, &i) ? OVERFLOWN(run) : cel_of_int(i);
	if (a->kind == CEL_UINT)
		return __builtin_mul_overflow(a->u, b->u, &u) ? cel_fault(run, "unsigned integer overflow")
		                                              : of_uint(u);
	return a->kind == CEL_DOUBLE ? of_double(a->d * b->d) : cel_no_overload(run);
}

static struct cel_value quotient(struct cel_run *run, const struct cel_value *a, const struct cel_value *b,
                                 bool rest)
{
	if (a->kind != b->kind)
		return cel_no_overload(run);
	if ((a->kind == CEL_INT && b->i == 0) || (a->kind == CEL_UINT && b->u == 0))
		return cel_fault(run, rest ? "modulus by zero" : "division by zero");
	if (a->kind == CEL_INT && a->i == INT64_MIN && b->i == -1)
		return OVERFLOWN(run);
	if (a->kind == CEL_INT)
		return cel_of_int(rest ? a->i % b->i : a->i / b->i);
	if (a->kind == CEL_UINT)
		return of_uint(rest ? a->u % b->u : a->u / b->u);
	return a->kind == CEL_DOUBLE && !rest ? of_double(a->d / b->d) : cel_no_overload(run);
}

struct cel_value cel_f_divide(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return quotient(run, &args[0], &args[1], false);
}

struct cel_value cel_f_modulo(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return quotient(run, &args[0], &args[1], true);
}

struct cel_value cel_f_negate(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	if (args[0].kind == CEL_DOUBLE)
		return of_double(-args[0].d);
	if (args[0].kind != CEL_INT)
		return cel_no_overload(run);
	return args[0].i == INT64_MIN ? OVERFLOWN(run) : cel_of_int(-args[0].i);
}

/* --- what contains what --- */

struct cel_value cel_f_in(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_value *in = &args[1];
	struct cel_value other;
	(void)count;
	if (in->kind == CEL_MAP || (in->kind == CEL_STRUCT && in->json))
		return cel_of_bool(cel_find(run, in, &args[0], &other));
	if (in->kind != CEL_LIST)
		return cel_no_overload(run);
	for (size_t i = 0; i < cel_count(in); i++) {
		other = cel_item(run, in, i);
		if (cel_same(run, &other, &args[0]))
			return cel_of_bool(true);
	}
	return cel_of_bool(false);
}

struct cel_value cel_f_size(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	switch (args[0].kind) {
	case CEL_STRING:
		return cel_of_int(cel_characters(args[0].s, args[0].len));
	case CEL_BYTES:
		return cel_of_int((int64_t)args[0].len);
	case CEL_LIST:
	case CEL_MAP:
		return cel_of_int((int64_t)cel_count(&args[0]));
	default:
		return cel_no_overload(run);
	}
}

struct cel_value cel_f_map_insert(struct cel_run *run, const struct cel_value *args, size_t count)
{
	size_t n = cel_count(&args[0]), m = count == 3 ? 1 : cel_count(&args[1]);
	struct cel_value out = cel_of_list(run, 2 * (n + m)), other;
	out.kind = CEL_MAP;
	out.count = 0;
	if (args[0].kind != CEL_MAP || (count == 2 && args[1].kind != CEL_MAP))
		return cel_no_overload(run);
	for (size_t i = 0; i < n + m; i++) {
		struct cel_value key = i < n        ? cel_key(run, &args[0], i)
		                       : count == 3 ? args[1]
		                                    : cel_key(run, &args[1], i - n);
		if (i >= n && cel_find(run, &args[0], &key, &other))
			return cel_fault(run, "insert failed: key already exists");
		out.list->items[2 * i] = key;
		out.list->items[2 * i + 1] = i < n        ? cel_member(run, &args[0], i)
		                             : count == 3 ? args[2]
		                                          : cel_member(run, &args[1], i - n);
		out.count++;
	}
	return out;
}

/* --- conversions --- */

struct cel_value cel_f_dyn(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)run;
	(void)count;
	return args[0];
}

struct cel_value cel_f_type(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)run;
	(void)count;
	return (struct cel_value){.kind = CEL_TYPE, .type = cel_type_of(&args[0])};
}

static struct cel_value no_conversion(struct cel_run *run, const struct cel_value *v, const char *to)
{
	if (v->kind == CEL_STRING)
		return cel_fault(run, "type conversion error from 'string' to '%s'", to);
	return cel_no_overload(run);
}

struct cel_value cel_f_bool(struct cel_run *run, const struct cel_value *args, size_t count)
{
	static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"}, *const no[] = {
	                                                                                  "0",     "f",
	                                                                                  "F",     "false",
	                                                                                  "FALSE", "False"};
	(void)count;
	for (size_t i = 0; args[0].kind == CEL_STRING && i < KT_COUNT(yes); i++)
		if (strcmp(args[0].s, yes[i]) == 0 || strcmp(args[0].s, no[i]) == 0)
			return cel_of_bool(strcmp(args[0].s, yes[i]) == 0);
	return args[0].kind == CEL_BOOL ? args[0] : no_conversion(run, &args[0], "bool");
}

struct cel_value cel_f_int(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_value *v = &args[0];
	char *end;
	(void)count;
	switch (v->kind) {
	case CEL_INT:
		return *v;
	case CEL_UINT:
		return v->u > INT64_MAX ? OVERFLOWN(run) : cel_of_int((int64_t)v->u);
	case CEL_DOUBLE:
		return isnan(v->d) || v->d >= 9223372036854775807.0 || v->d <= -9223372036854775808.0
		               ? OVERFLOWN(run)
		               : cel_of_int((int64_t)v->d);
	case CEL_DURATION:
		return cel_of_int(v->i);
	case CEL_TIMESTAMP:
		return cel_of_int(v->i / SECOND);
	case CEL_STRING:
		errno = 0;
		int64_t i = strtoll(v->s, &end, 10);
		if (v->len > 0 && !*end && !errno && *v->s != ' ')
			return cel_of_int(i);
		return no_conversion(run, v, "int");
	default:
		return cel_no_overload(run);
	}
}

struct cel_value cel_f_uint(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_value *v = &args[0];
	char *end;
	(void)count;
	switch (v->kind) {
	case CEL_UINT:
		return *v;
	case CEL_INT:
		return v->i < 0 ? cel_fault(run, "unsigned integer overflow") : of_uint((uint64_t)v->i);
	case CEL_DOUBLE:
		return v->d < 0 || v->d >= 18446744073709551615.0 || isnan(v->d)
		               ? cel_fault(run, "unsigned integer overflow")
		               : of_uint((uint64_t)v->d);
	case CEL_STRING:
		errno = 0;
		uint64_t u = strtoull(v->s, &end, 10);
		return v->len > 0 && !*end && !errno && *v->s != '-' ? of_uint(u)
		                                                     : no_conversion(run, v, "uint");
	default:
		return cel_no_overload(run);
	}
}

struct cel_value cel_f_double(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_value *v = &args[0];
	char *end;
	(void)count;
	if (v->kind == CEL_INT)
		return of_double((double)v->i);
	if (v->kind == CEL_UINT)
		return of_double((double)v->u);
	if (v->kind == CEL_STRING) {
		double d = strtod(v->s, &end);
		return v->len > 0 && !*end && *v->s != ' ' ? of_double(d) : no_conversion(run, v, "double");
	}
	return v->kind == CEL_DOUBLE ? *v : cel_no_overload(run);
}

struct cel_value cel_f_bytes(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct cel_value out = args[0];
	(void)count;
	if (out.kind != CEL_STRING && out.kind != CEL_BYTES)
		return cel_no_overload(run);
	out.kind = CEL_BYTES;
	return out;
}

struct cel_value cel_f_string(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_value *v = &args[0];
	struct kt_buf text = {0};
	(void)count;
	switch (v->kind) {
	case CEL_STRING:
		return *v;
	case CEL_BYTES:
		if (!kt_utf8_valid(v->s, v->len))
			return cel_fault(run, "invalid UTF-8 in bytes, cannot convert to string");
		return cel_of_text(run, v->s, v->len);
	case CEL_BOOL:
		return v->b ? cel_of_text(run, "true", 4) : cel_of_text(run, "false", 5);
	case CEL_INT:
		kt_buf_addf(&text, "%lld", (long long)v->i);
		break;
	case CEL_UINT:
		kt_buf_addf(&text, "%llu", (unsigned long long)v->u);
		break;
	case CEL_DOUBLE: {
		struct kt_json *json = kt_json_real(v->d);
		kt_json_print(json, &text);
		kt_json_free(json);
		break;
	}
	case CEL_TIMESTAMP:
		kt_time_print(v->i, &text);
		break;
	case CEL_DURATION:
		kt_buf_addf(&text, "%lld", (long long)(v->i / SECOND));
		if (v->i % SECOND != 0) {
			kt_buf_addf(&text, ".%09lld", llabs(v->i % SECOND));
			while (text.data[text.len - 1] == '0')
				kt_buf_cut(&text, text.len - 1);
		}
		kt_buf_addc(&text, 's');
		break;
	case CEL_OPAQUE:
		if (!v->opaque || (v->as && cel_is_optional(v->as)))
			return cel_no_overload(run);
		kt_buf_adds(&text, v->opaque->text);
		break;
	default:
		return cel_no_overload(run);
	}
	struct cel_value out = cel_of_text(run, kt_buf_str(&text), text.len);
	kt_buf_clear(&text);
	return out;
}

struct cel_value cel_f_duration(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_value *v = &args[0];
	struct cel_value out = {.kind = CEL_DURATION};
	(void)count;
	if (v->kind == CEL_DURATION)
		return *v;
	if (v->kind == CEL_INT) {
		out.i = v->i;
		return out;
	}
	if (v->kind != CEL_STRING)
		return cel_no_overload(run);
	/* Go's durations have no days. */
	return !strpbrk(v->s, "dwy ") && kt_duration_parse(v->s, &out.i)
	               ? out
	               : cel_fault(run, "time: invalid duration \"%s\"", v->s);
}

struct cel_value cel_f_timestamp(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_value *v = &args[0];
	struct cel_value out = {.kind = CEL_TIMESTAMP};
	(void)count;
	if (v->kind == CEL_TIMESTAMP)
		return *v;
	if (v->kind == CEL_INT) {
		if (__builtin_mul_overflow(v->i, SECOND, &out.i))
			return cel_fault(run, "timestamp overflow");
		return out;
	}
	if (v->kind != CEL_STRING)
		return cel_no_overload(run);
	return kt_time_parse(v->s, &out.i)
	               ? out
	               : cel_fault(run, "type conversion error from 'string' to 'google.protobuf.Timestamp'");
}

/* --- dates: in UTC, or at an offset as in "+02:00" --- */

static bool offset(const struct cel_value *zone, int64_t *seconds)
{
	int hours, minutes;
	char sign;
	*seconds = 0;
	if (zone->kind != CEL_STRING || strcmp(zone->s, "UTC") == 0 || strcmp(zone->s, "") == 0)
		return zone->kind == CEL_STRING;
	if (sscanf(zone->s, "%c%2d:%2d", &sign, &hours, &minutes) == 3 && (sign == '+' || sign == '-'))
		*seconds = (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	else if (sscanf(zone->s, "%2d:%2d", &hours, &minutes) == 2)
		*seconds = hours * 3600 + minutes * 60;
	else
		return false;
	return true;
}

struct cel_value cel_f_date(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const char *what = run->function + 3;
	int64_t shift = 0, ns = args[0].i, ms = ns / 1000000;
	struct tm tm;
	if (args[0].kind == CEL_DURATION) {
		int64_t s = ns / SECOND;
		return cel_of_int(strcmp(what, "Hours") == 0     ? s / 3600
		                  : strcmp(what, "Minutes") == 0 ? s / 60
		                  : strcmp(what, "Seconds") == 0 ? s
		                                                 : ms % 1000);
	}
	if (args[0].kind != CEL_TIMESTAMP)
		return cel_no_overload(run);
	if (count > 1 && !offset(&args[1], &shift))
		return cel_fault(run, "unknown time zone %s", args[1].kind == CEL_STRING ? args[1].s : "");
	int64_t seconds = ns / SECOND - (ns % SECOND < 0) + shift;
	time_t t = (time_t)seconds;
	gmtime_r(&t, &tm);
	if (strcmp(what, "Milliseconds") == 0)
		return cel_of_int(((ns % SECOND + SECOND) % SECOND) / 1000000);
	return cel_of_int(strcmp(what, "FullYear") == 0     ? tm.tm_year + 1900
	                  : strcmp(what, "Month") == 0      ? tm.tm_mon
	                  : strcmp(what, "DayOfYear") == 0  ? tm.tm_yday
	                  : strcmp(what, "DayOfMonth") == 0 ? tm.tm_mday - 1
	                  : strcmp(what, "Date") == 0       ? tm.tm_mday
	                  : strcmp(what, "DayOfWeek") == 0  ? tm.tm_wday
	                  : strcmp(what, "Hours") == 0      ? tm.tm_hour
	                  : strcmp(what, "Minutes") == 0    ? tm.tm_min
	                                                    : tm.tm_sec);
}

/* --- optional values --- */

static bool is_optional(const struct cel_value *v)
{
	return v->kind == CEL_OPAQUE && v->as && cel_is_optional(v->as);
}

struct cel_value cel_f_opt_of(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return cel_of_optional(run, &args[0]);
}

struct cel_value cel_f_opt_non_zero(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_value *v = &args[0];
	bool zero = v->kind == CEL_NULL || (v->kind == CEL_BOOL && !v->b) ||
	            ((v->kind == CEL_INT || v->kind == CEL_DURATION) && v->i == 0) ||
	            (v->kind == CEL_UINT && v->u == 0) || (v->kind == CEL_DOUBLE && v->d == 0) ||
	            ((v->kind == CEL_STRING || v->kind == CEL_BYTES) && v->len == 0) ||
	            ((v->kind == CEL_LIST || v->kind == CEL_MAP) && cel_count(v) == 0);
	(void)count;
	return cel_of_optional(run, zero ? NULL : v);
}

struct cel_value cel_f_opt_none(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)args;
	(void)count;
	return cel_of_optional(run, NULL);
}

struct cel_value cel_f_opt_value(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	if (!is_optional(&args[0]))
		return cel_no_overload(run);
	return args[0].inner ? *args[0].inner : cel_fault(run, "optional.none() dereference");
}

struct cel_value cel_f_opt_has(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return is_optional(&args[0]) ? cel_of_bool(args[0].inner != NULL) : cel_no_overload(run);
}

struct cel_value cel_f_opt_or(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	if (!is_optional(&args[0]))
		return cel_no_overload(run);
	return args[0].inner ? args[0] : args[1];
}

struct cel_value cel_f_opt_or_value(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	if (!is_optional(&args[0]))
		return cel_no_overload(run);
	return args[0].inner ? *args[0].inner : args[1];
}

struct cel_value cel_f_unwrap(struct cel_run *run, const struct cel_value *args, size_t count)
{
	size_t n = cel_count(&args[0]);
	struct cel_value out = cel_of_list(run, n);
	(void)count;
	out.list->count = out.count = 0;
	for (size_t i = 0; i < n; i++) {
		struct cel_value v = cel_item(run, &args[0], i);
		if (is_optional(&v) && v.inner)
			out.list->items[out.count++] = *v.inner;
	}
	out.list->count = out.count;
	return out;
}

struct cel_value cel_f_first(struct cel_run *run, const struct cel_value *args, size_t count)
{
	size_t n = args[0].kind == CEL_LIST ? cel_count(&args[0]) : 0;
	struct cel_value v = n > 0 ? cel_item(run, &args[0], 0) : args[0];
	(void)count;
	return cel_of_optional(run, n > 0 ? &v : NULL);
}

struct cel_value cel_f_last(struct cel_run *run, const struct cel_value *args, size_t count)
{
	size_t n = args[0].kind == CEL_LIST ? cel_count(&args[0]) : 0;
	struct cel_value v = n > 0 ? cel_item(run, &args[0], n - 1) : args[0];
	(void)count;
	return cel_of_optional(run, n > 0 ? &v : NULL);
}
