/* SPDX-License-Identifier: MIT */
/* Sets of field paths: see managed_internal.h. */
#include "cluster/api/managed_internal.h"

#include <stdio.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "." first, then by text, numbers in keys by value ("k:{\"port\":80}" before 443). */
static int compare_elements(const char *a, const char *b, void *arg)
{
	size_t i = 0, start, na = 0, nb = 0;
	(void)arg;
	while (a[i] && a[i] == b[i])
		i++;
	if (a[0] == 'f' || (!is_digit(a[i]) && !is_digit(b[i])))
		return (unsigned char)a[i] - (unsigned char)b[i];
	for (start = i; start > 0 && is_digit(a[start - 1]);)
		start--;
	while (is_digit(a[start + na]))
		na++;
	while (is_digit(b[start + nb]))
		nb++;
	if (start > 0 && a[start - 1] == ':' && na != nb && na > 0 && nb > 0)
		return na < nb ? -1 : 1;
	return (unsigned char)a[i] - (unsigned char)b[i];
}

void managed_sort(struct kt_json **node)
{
	size_t n = kt_count(*node);
	for (size_t i = 1; i < n; i++) {
		if (compare_elements(kt_key(*node, i - 1), kt_key(*node, i), NULL) > 0) {
			kt_sort_keys(node, compare_elements, NULL);
			return;
		}
	}
}

bool managed_is_member(const struct kt_json *node)
{
	return node && (kt_count(node) == 0 || kt_get(node, "."));
}

void managed_put(struct kt_json **node, const char *prefix, const char *name, struct kt_json *child)
{
	char small[128];
	if (!child)
		return;
	size_t lp = strlen(prefix), ln = strlen(name);
	char *key = lp + ln < sizeof(small) ? small : kt_alloc(lp + ln + 1);
	memcpy(key, prefix, lp);
	memcpy(key + lp, name, ln + 1);
	kt_set(node, key, child);
	if (key != small)
		kt_free(key);
}

void managed_mark(struct kt_json **node)
{
	if (!*node) {
		*node = kt_json_object();
	} else if (kt_count(*node) > 0 && !kt_get(*node, ".")) {
		kt_set(node, ".", kt_json_object());
		managed_sort(node);
	}
}

static bool is_dot(const char *key)
{
	return key[0] == '.' && !key[1];
}

/* What two sets have below the same element is often what many others have there. */
static struct kt_json *below(struct managed_cache *cache, enum managed_op op, const struct kt_json *a,
                             const struct kt_json *b)
{
	if (cache && kt_count(a) && kt_count(b))
		return managed_do(cache, op, a, b);
	return op == MANAGED_UNION ? managed_union(a, b) : managed_difference(a, b);
}

struct kt_json *managed_union_in(struct managed_cache *cache, const struct kt_json *a,
                                 const struct kt_json *b)
{
	if (!a || !b || a == b)
		return kt_json_ref(a ? a : b);
	struct kt_json *out = kt_json_ref(a);
	if (managed_is_member(a) && kt_count(a) == 0 && kt_count(b) > 0)
		kt_set(&out, ".", kt_json_object());
	for (size_t i = 0, n = kt_count(b); i < n; i++) {
		const char *key = kt_key(b, i);
		const struct kt_json *has = kt_get(out, key);
		if (has && (has == kt_at(b, i) || is_dot(key)))
			continue;
		kt_set(&out, key, below(cache, MANAGED_UNION, has, kt_at(b, i)));
	}
	if (kt_count(b) == 0)
		managed_mark(&out);
	managed_sort(&out);
	return out;
}

struct kt_json *managed_union(const struct kt_json *a, const struct kt_json *b)
{
	return managed_union_in(NULL, a, b);
}

struct kt_json *managed_difference_in(struct managed_cache *cache, const struct kt_json *a,
                                      const struct kt_json *b)
{
	if (!a || !b)
		return kt_json_ref(a);
	bool member = managed_is_member(a) && !managed_is_member(b);
	if (kt_count(a) == 0)
		return member ? kt_json_ref(a) : NULL;
	struct kt_json *out = kt_json_ref(a);
	if (!member && kt_get(a, "."))
		kt_unset(&out, ".");
	for (size_t i = 0, n = kt_count(b); i < n; i++) {
		const char *key = kt_key(b, i);
		const struct kt_json *has = is_dot(key) ? NULL : kt_get(out, key);
		if (!has)
			continue;
		struct kt_json *left = below(cache, MANAGED_DIFFERENCE, has, kt_at(b, i));
		if (left == has)
			kt_json_free(left);
		else
			kt_set(&out, key, left); /* NULL removes */
	}
	/* Only "." left: the node alone. Nothing left: nothing, since an empty object would say "member". */
	if (kt_count(out) == 0 || (kt_count(out) == 1 && member)) {
		kt_json_free(out);
		return member ? kt_json_object() : NULL;
	}
	return out;
}

struct kt_json *managed_difference(const struct kt_json *a, const struct kt_json *b)
{
	return managed_difference_in(NULL, a, b);
}

struct kt_json *managed_intersection(const struct kt_json *a, const struct kt_json *b)
{
	if (!a || !b)
		return NULL;
	struct kt_json *out = NULL;
	bool member = managed_is_member(a) && managed_is_member(b);
	for (size_t i = 0, n = kt_count(a); i < n; i++) {
		const char *key = kt_key(a, i);
		if (!is_dot(key))
			managed_put(&out, "", key, managed_intersection(kt_at(a, i), kt_get(b, key)));
	}
	if (member)
		managed_mark(&out);
	return out;
}

/* "f:x" as ".x", "k:{…}" as "[a=1,b=\"x\"]", "v:…" as "[=…]", "i:0" as "[0]". */
void managed_print_element(const char *element, struct kt_buf *out)
{
	struct kt_json *v = NULL;
	struct kt_err err = {0};
	if (element[0] == 'f') {
		kt_buf_addf(out, ".%s", element + 2);
		return;
	}
	kt_buf_addc(out, '[');
	if (element[0] == 'i' ||
	    kt_json_parse(element + 2, strlen(element + 2), NULL, &v, NULL, &err) != KT_OK)
		kt_buf_adds(out, element + 2);
	else if (element[0] == 'v')
		kt_buf_addc(out, '='), kt_json_print(v, out);
	else
		for (size_t i = 0, n = kt_count(v); i < n; i++) {
			kt_buf_addf(out, "%s%s=", i > 0 ? "," : "", kt_key(v, i));
			kt_json_print(kt_at(v, i), out);
		}
	kt_buf_addc(out, ']');
	kt_json_free(v);
}

static void each(const struct kt_json *node, struct kt_buf *path, void (*fn)(void *arg, const char *path),
                 void *arg)
{
	size_t len = path->len, n = kt_count(node);
	for (size_t i = 0; i < n; i++) {
		if (is_dot(kt_key(node, i)) || !managed_is_member(kt_at(node, i)))
			continue;
		managed_print_element(kt_key(node, i), path);
		fn(arg, kt_buf_str(path));
		kt_buf_cut(path, len);
	}
	for (size_t i = 0; i < n; i++) {
		if (is_dot(kt_key(node, i)))
			continue;
		managed_print_element(kt_key(node, i), path);
		each(kt_at(node, i), path, fn, arg);
		kt_buf_cut(path, len);
	}
}

void managed_each(const struct kt_json *set, void (*fn)(void *arg, const char *path), void *arg)
{
	struct kt_buf path = {0};
	each(set, &path, fn, arg);
	kt_buf_clear(&path);
}
