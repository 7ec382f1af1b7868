/* SPDX-License-Identifier: MIT */
/* Lists as Kubernetes sees them (apiserver pkg/cel/library/lists.go), and sets (cel-go ext/sets.go). */
#include "cluster/cel/functions.h"

struct cel_value cel_f_is_sorted(struct cel_run *run, const struct cel_value *args, size_t count)
{
	int order;
	(void)count;
	if (args[0].kind != CEL_LIST)
		return cel_no_overload(run);
	for (size_t i = 1; i < cel_count(&args[0]); i++) {
		struct cel_value a = cel_item(run, &args[0], i - 1), b = cel_item(run, &args[0], i);
		if (!cel_order(&a, &b, &order))
			return cel_no_overload(run);
		if (order > 0)
			return cel_of_bool(false);
	}
	return cel_of_bool(true);
}

struct cel_value cel_f_sum(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct cel_value sum[2] = {cel_of_int(0), cel_of_int(0)};
	(void)count;
	if (args[0].kind != CEL_LIST)
		return cel_no_overload(run);
	for (size_t i = 0; i < cel_count(&args[0]) && sum[0].kind != CEL_ERROR; i++) {
		sum[1] = cel_item(run, &args[0], i);
		sum[0] = i == 0 ? sum[1] : cel_f_add(run, sum, 2);
	}
	return sum[0];
}

static struct cel_value outermost(struct cel_run *run, const struct cel_value *list, int wanted,
                                  const char *what)
{
	struct cel_value best = {.kind = CEL_NULL};
	int order;
	if (list->kind != CEL_LIST)
		return cel_no_overload(run);
	if (cel_count(list) == 0)
		return cel_fault(run, "%s called on empty list", what);
	for (size_t i = 0; i < cel_count(list); i++) {
		struct cel_value item = cel_item(run, list, i);
		if (i > 0 && !cel_order(&item, &best, &order))
			return cel_no_overload(run);
		if (i == 0 || (order < 0 ? -1 : order > 0) == wanted)
			best = item;
	}
	return best;
}

struct cel_value cel_f_min(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return outermost(run, &args[0], -1, "min");
}

struct cel_value cel_f_max(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return outermost(run, &args[0], 1, "max");
}

static bool has(struct cel_run *run, const struct cel_value *list, const struct cel_value *what)
{
	for (size_t i = 0; i < cel_count(list); i++) {
		struct cel_value item = cel_item(run, list, i);
		if (cel_same(run, &item, what))
			return true;
	}
	return false;
}

/* How many of b's items a has. */
static size_t shared(struct cel_run *run, const struct cel_value *a, const struct cel_value *b)
{
	size_t n = 0;
	for (size_t i = 0; i < cel_count(b); i++) {
		struct cel_value item = cel_item(run, b, i);
		n += has(run, a, &item);
	}
	return n;
}

struct cel_value cel_f_sets_contains(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	if (args[0].kind != CEL_LIST || args[1].kind != CEL_LIST)
		return cel_no_overload(run);
	return cel_of_bool(shared(run, &args[0], &args[1]) == cel_count(&args[1]));
}

struct cel_value cel_f_sets_equivalent(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct cel_value turned[2] = {args[1], args[0]}, first = cel_f_sets_contains(run, args, count);
	return first.kind == CEL_BOOL && first.b ? cel_f_sets_contains(run, turned, count) : first;
}

struct cel_value cel_f_sets_intersects(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	if (args[0].kind != CEL_LIST || args[1].kind != CEL_LIST)
		return cel_no_overload(run);
	return cel_of_bool(shared(run, &args[0], &args[1]) > 0);
}
