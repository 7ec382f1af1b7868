/* SPDX-License-Identifier: MIT */
/* Changing JSON values: copy on write, through slots. */
#include "base/json_internal.h"

#include <stdlib.h>
#include <string.h>

/* Room that an array or object of `n` parts has: growing by one costs a move every few times, and the waste
 * stays below a quarter. */
static size_t capacity(size_t n)
{
	size_t step = 2;
	if (n > 8)
		step = 4;
	while (step * 8 < n)
		step *= 2;
	return (n + step - 1) / step * step;
}

static size_t part_size(const struct kt_json *v)
{
	return json_type(v) == KT_JSON_ARRAY ? sizeof(struct kt_json *) : sizeof(struct json_member);
}

static void *part(const struct kt_json *v, size_t i)
{
	return (char *)json_items(v) + i * part_size(v);
}

static void set_len(struct kt_json *v, size_t len)
{
	if (len > JSON_MAX_LEN)
		kt_bug("a JSON value of %zu parts", len);
	v->info = JSON_INFO(json_type(v), len);
}

/* Make *slot an unshared container of `type` with `n` parts of room (at least its length). What is of
 * another type is replaced. A container with room is one whose allocation holds capacity(its length). */
static struct kt_json *own_container(struct kt_json **slot, enum kt_json_type type, size_t n)
{
	struct kt_json *old = *slot;
	if (!old || json_type(old) != type) {
		struct kt_json *made = type == KT_JSON_ARRAY ? kt_json_array() : kt_json_object();
		kt_json_free(old);
		old = made;
	}
	size_t len = json_len(old);
	n = KT_MAX(n, len);
	if (old->refs == 1) {
		if (capacity(n) != capacity(len) || n > len)
			old = kt_realloc(old, sizeof(*old) + capacity(n) * part_size(old));
		return *slot = old;
	}
	struct kt_json *copy = kt_realloc(NULL, sizeof(*copy) + capacity(n) * part_size(old));
	copy->refs = 1;
	copy->info = old->info;
	memcpy(part(copy, 0), part(old, 0), len * part_size(old));
	for (size_t i = 0; i < len; i++) {
		if (type == KT_JSON_ARRAY) {
			kt_json_ref(json_items(old)[i]);
		} else {
			kt_json_ref(json_members(old)[i].key);
			kt_json_ref(json_members(old)[i].value);
		}
	}
	kt_json_free(old);
	return *slot = copy;
}

/* The slot of a new member. */
static struct kt_json **append(struct kt_json **slot, struct kt_json *name)
{
	struct kt_json *v =
	        own_container(slot, KT_JSON_OBJECT, kt_is_object(*slot) ? json_len(*slot) + 1 : 1);
	size_t n = json_len(v);
	json_members(v)[n] = (struct json_member){.key = name};
	set_len(v, n + 1);
	return &json_members(v)[n].value;
}

/* The value slot of member `key`, made if missing; the parent is unshared. */
static struct kt_json **member_slot(struct kt_json **slot, const char *key, size_t len)
{
	if (kt_is_object(*slot)) {
		ptrdiff_t i = json_index(*slot, key, len);
		if (i >= 0)
			return &json_members(own_container(slot, KT_JSON_OBJECT, 0))[i].value;
	}
	/* now, since `key` may lie in what is about to move */
	return append(slot, json_key(key, len));
}

/* Fill a value slot; the old value goes last, as the new one may be a part of it. */
static void fill(struct kt_json **value, struct kt_json *steal)
{
	struct kt_json *old = *value;
	*value = steal;
	kt_json_free(old);
}

static void remove_part(struct kt_json **slot, size_t i)
{
	struct kt_json *v = own_container(slot, json_type(*slot), 0);
	size_t n = json_len(v);
	struct json_member gone = {0};
	if (json_type(v) == KT_JSON_ARRAY)
		gone.value = json_items(v)[i];
	else
		gone = json_members(v)[i];
	memmove(part(v, i), part(v, i + 1), (n - i - 1) * part_size(v));
	set_len(v, n - 1);
	if (capacity(n - 1) != capacity(n))
		*slot = kt_realloc(v, sizeof(*v) + capacity(n - 1) * part_size(v));
	kt_json_free(gone.key);
	kt_json_free(gone.value);
}

void kt_set(struct kt_json **slot, const char *key, struct kt_json *steal)
{
	if (!slot || !key)
		kt_json_free(steal);
	else if (!steal)
		kt_unset(slot, key);
	else
		fill(member_slot(slot, key, strlen(key)), steal);
}

void kt_set_key(struct kt_json **slot, const struct kt_json *key, struct kt_json *steal)
{
	if (!kt_is_string(key) || !steal || (kt_is_object(*slot) && kt_get(*slot, json_text(key))))
		kt_set(slot, kt_str(key), steal);
	else
		*append(slot, kt_json_ref(key)) = steal;
}

void kt_unset(struct kt_json **slot, const char *key)
{
	if (!slot || !key || !kt_is_object(*slot))
		return;
	ptrdiff_t i = json_index(*slot, key, strlen(key));
	if (i >= 0)
		remove_part(slot, (size_t)i);
}

void kt_push(struct kt_json **slot, struct kt_json *steal)
{
	kt_insert(slot, SIZE_MAX, steal);
}

void kt_insert(struct kt_json **slot, size_t i, struct kt_json *steal)
{
	if (!slot || !steal) {
		kt_json_free(steal);
		return;
	}
	struct kt_json *v =
	        own_container(slot, KT_JSON_ARRAY, kt_is_array(*slot) ? json_len(*slot) + (size_t)1 : 1);
	size_t n = json_len(v);
	i = KT_MIN(i, n);
	memmove(json_items(v) + i + 1, json_items(v) + i, (n - i) * sizeof(*json_items(v)));
	json_items(v)[i] = steal;
	set_len(v, n + 1);
}

void kt_put(struct kt_json **slot, size_t i, struct kt_json *steal)
{
	if (!slot || i >= kt_count(*slot))
		kt_json_free(steal);
	else if (!steal)
		remove_part(slot, i);
	else
		fill(kt_edit_at(slot, i), steal);
}

void kt_remove(struct kt_json **slot, size_t i)
{
	if (slot && i < kt_count(*slot))
		remove_part(slot, i);
}

struct kt_json **kt_edit(struct kt_json **slot, const char *key)
{
	return slot && key ? member_slot(slot, key, strlen(key)) : NULL;
}

struct kt_json **kt_edit_at(struct kt_json **slot, size_t i)
{
	if (!slot || i >= kt_count(*slot))
		return NULL;
	struct kt_json *v = own_container(slot, json_type(*slot), 0);
	return json_type(v) == KT_JSON_ARRAY ? &json_items(v)[i] : &json_members(v)[i].value;
}

/* A step that is a number, or -1. */
static ptrdiff_t step_number(const char *step, size_t len)
{
	ptrdiff_t n = 0;
	if (!len || len > 9)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (step[i] < '0' || step[i] > '9')
			return -1;
		n = n * 10 + (step[i] - '0');
	}
	return n;
}

struct kt_json **kt_edit_path(struct kt_json **slot, const char *path)
{
	size_t len;
	for (const char *step; slot && (step = kt_split(&path, '.', &len));) {
		ptrdiff_t i = kt_is_array(*slot) ? step_number(step, len) : -1;
		slot = i >= 0 ? kt_edit_at(slot, (size_t)i) : member_slot(slot, step, len);
	}
	return slot;
}

void kt_set_path(struct kt_json **slot, const char *path, struct kt_json *steal)
{
	if (!steal) {
		kt_unset_path(slot, path);
		return;
	}
	struct kt_json **value = kt_edit_path(slot, path);
	if (value)
		fill(value, steal);
	else
		kt_json_free(steal);
}

void kt_unset_path(struct kt_json **slot, const char *path)
{
	/* Nothing is unshared for a member that is not there. */
	if (!slot || !path || !kt_path(*slot, path))
		return;
	const char *dot = strrchr(path, '.');
	if (dot) {
		char *parent = kt_strndup(path, (size_t)(dot - path));
		slot = kt_edit_path(slot, parent);
		kt_free(parent);
	}
	const char *last = dot ? dot + 1 : path;
	if (kt_is_array(*slot))
		kt_remove(slot, (size_t)step_number(last, strlen(last)));
	else
		kt_unset(slot, last);
}

/* --- order --- */

/* A stable merge sort of members. */
static void sort_members(struct json_member *m, size_t n, struct json_member *room,
                         int (*cmp)(const char *a, const char *b, void *arg), void *arg)
{
	if (n < 2)
		return;
	size_t half = n / 2;
	sort_members(m, half, room, cmp, arg);
	sort_members(m + half, n - half, room, cmp, arg);
	if (cmp(json_text(m[half - 1].key), json_text(m[half].key), arg) <= 0)
		return;
	memcpy(room, m, half * sizeof(*m));
	for (size_t i = 0, j = half, k = 0; i < half; k++) {
		bool right = j < n && cmp(json_text(room[i].key), json_text(m[j].key), arg) > 0;
		m[k] = right ? m[j++] : room[i++];
	}
}

static bool in_order(const struct kt_json *v, int (*cmp)(const char *a, const char *b, void *arg), void *arg)
{
	for (size_t i = 1, n = kt_count(v); i < n; i++)
		if (cmp(kt_key(v, i - 1), kt_key(v, i), arg) > 0)
			return false;
	return true;
}

void kt_sort_keys(struct kt_json **slot, int (*cmp)(const char *a, const char *b, void *arg), void *arg)
{
	if (!slot || !kt_is_object(*slot) || in_order(*slot, cmp, arg))
		return;
	struct kt_json *v = own_container(slot, KT_JSON_OBJECT, 0);
	size_t n = json_len(v);
	struct json_member *room = kt_alloc(n * sizeof(*room));
	sort_members(json_members(v), n, room, cmp, arg);
	kt_free(room);
}

static int by_name(const char *a, const char *b, void *arg)
{
	(void)arg;
	return strcmp(a, b);
}

struct kt_json *kt_json_sorted(const struct kt_json *v)
{
	struct kt_json *sorted = kt_json_ref(v);
	for (size_t i = 0, n = kt_count(v); i < n; i++) {
		struct kt_json *below = kt_json_sorted(kt_at(v, i));
		/* What is sorted already stays shared. */
		if (below == kt_at(v, i))
			kt_json_free(below);
		else
			kt_put(&sorted, i, below);
	}
	kt_sort_keys(&sorted, by_name, NULL);
	return sorted;
}
