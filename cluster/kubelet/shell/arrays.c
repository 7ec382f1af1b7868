/* SPDX-License-Identifier: MIT */
/* bash's arrays: {NAME: {KEY: text}}, an indexed one by the decimal text of its indexes, in the order in
 * which they came. Not there: mapfile, read -a, slices, and what a function's `local` makes of one is seen
 * outside. */
#include "cluster/kubelet/shell/shell.h"

#include <stdlib.h>
#include <string.h>

/* declare -A: its indexes are texts. */
static bool is_map(const struct task *task, const char *name)
{
	return kt_get_bool(task->vars.maps, name, false);
}

const struct kt_json *array_of(const struct task *task, const char *name)
{
	return kt_get(task->vars.arrays, name);
}

char *array_key(struct task *task, const char *name, const char *index)
{
	char message[128];
	int64_t n = 0;
	if (is_map(task, name))
		return kt_strdup(index);
	if (!arithmetic(task, index, &n, message)) {
		task_error(task, "%s", message);
		return NULL;
	}
	const struct kt_json *all = array_of(task, name);
	if (n < 0 && kt_count(all)) /* -1: the last */
		n += strtoll(kt_key(all, kt_count(all) - 1), NULL, 10) + 1;
	return kt_strf("%lld", (long long)n);
}

const char *array_value(const struct task *task, const char *name, const char *key)
{
	const struct kt_json *all = array_of(task, name);
	/* a plain variable is its own first element */
	return all ? kt_get_str(all, key) : (kt_streq(key, "0") ? task_var(task, name) : NULL);
}

void array_put(struct task *task, const char *name, const char *key, const char *value)
{
	const struct kt_json *there = array_of(task, name);
	struct kt_json *all = there ? kt_json_ref(there) : kt_json_object();
	kt_set(&all, key, kt_json_str(value));
	kt_set(&task->vars.arrays, name, all);
}

void array_declare(struct task *task, const char *name, bool map)
{
	if (map)
		kt_set(&task->vars.maps, name, kt_json_bool(true));
	if (!array_of(task, name))
		kt_set(&task->vars.arrays, name, kt_json_object());
}

void array_unset(struct task *task, const char *name)
{
	const char *open = strchr(name, '[');
	if (!open) {
		kt_unset(&task->vars.arrays, name);
		kt_unset(&task->vars.maps, name);
		return;
	}
	char *whole = kt_strndup(name, (size_t)(open - name)),
	     *index = kt_strndup(open + 1, strcspn(open + 1, "]"));
	char *key = array_key(task, whole, index);
	const struct kt_json *there = array_of(task, whole);
	if (key && there) {
		struct kt_json *all = kt_json_ref(there);
		kt_unset(&all, key);
		kt_set(&task->vars.arrays, whole, all);
	}
	kt_free(whole);
	kt_free(index);
	kt_free(key);
}

/* =array [declare [-aA]] NAME = or += VALUE…: what the parser makes of NAME=(VALUE…); [KEY]=VALUE among them.
 */
int array_assign(struct task *task, const struct kt_strs *argv)
{
	size_t at = 1;
	bool map = false;
	for (; at + 1 < argv->count && strcmp(argv->items[at + 1], "=") != 0 &&
	       strcmp(argv->items[at + 1], "+=") != 0;
	     at++)
		map = map || (argv->items[at][0] == '-' && strchr(argv->items[at], 'A'));
	if (at + 1 >= argv->count)
		return 1;
	const char *name = argv->items[at];
	bool adds = argv->items[at + 1][0] == '+';
	map = map || is_map(task, name);
	if (!adds)
		array_unset(task, name);
	array_declare(task, name, map);
	const struct kt_json *all = array_of(task, name);
	long long next = kt_count(all) ? strtoll(kt_key(all, kt_count(all) - 1), NULL, 10) + 1 : 0;
	for (at += 2; at < argv->count; at++) {
		const char *word = argv->items[at], *close = word[0] == '[' ? strstr(word, "]=") : NULL;
		char *index = close ? kt_strndup(word + 1, (size_t)(close - word - 1)) : NULL;
		char *key = close ? array_key(task, name, index) : kt_strf("%lld", next);
		if (key) {
			array_put(task, name, key, close ? close + 2 : word);
			next = strtoll(key, NULL, 10) + 1;
		}
		kt_free(index);
		kt_free(key);
	}
	return 0;
}

/* =element NAME INDEX = or += VALUE */
int array_assign_one(struct task *task, const struct kt_strs *argv)
{
	if (argv->count < 4)
		return 1;
	const char *name = argv->items[1], *value = argv->count > 4 ? argv->items[4] : "";
	char *key = array_key(task, name, argv->items[2]);
	if (!key)
		return 1;
	const char *old = argv->items[3][0] == '+' ? array_value(task, name, key) : NULL;
	char *whole = kt_strf("%s%s", old ? old : "", value);
	array_put(task, name, key, whole);
	kt_free(whole);
	kt_free(key);
	return 0;
}
