/* SPDX-License-Identifier: MIT */
/* JSON values: the one representation of Kubernetes objects in memory.
 *
 * A value is reference counted and, while more than one holder has it, never
 * changes: holders share structure freely (a pod's spec is its template's spec),
 * old versions stay readable, a snapshot is one reference. Changing goes through
 * *slots* (`struct kt_json **`): the functions that edit copy what is shared on
 * the way down (copy on write) and leave other holders as they were.
 *
 * Readers accept NULL and values of another type: they return NULL or the
 * default, so that chains need no checks. Objects keep their members in order of
 * insertion (callers that decode by schema insert in schema order). Keys are unique.
 * Counts are not atomic: one thread. Strings are UTF-8 with a length; NUL bytes
 * cannot occur (the parser refuses \u0000 as Kubernetes does not need it).
 * Ownership: `steal` arguments are consumed, even by a failure; returned values are
 * borrowed unless the name says new/ref/parse/f. */
#ifndef KT_JSON_H
#define KT_JSON_H

#include "base/err.h"
#include "base/buf.h"
#include <string.h>

enum kt_json_type {
	KT_JSON_NULL,
	KT_JSON_BOOL,
	KT_JSON_INT,
	KT_JSON_REAL,
	KT_JSON_STRING,
	KT_JSON_ARRAY,
	KT_JSON_OBJECT
};

struct kt_json;

/* --- life --- */
struct kt_json *kt_json_ref(const struct kt_json *v); /* one more holder; NULL gives NULL */
void kt_json_free(struct kt_json *v);                 /* one holder less; NULL is fine */
/* Does more than one hold it? */
bool kt_json_is_shared(const struct kt_json *v);
void kt_json_freep(struct kt_json **slot); /* frees *slot and sets it to NULL; for KT_CLEANUP too */
struct kt_json *kt_json_null(void);
struct kt_json *kt_json_bool(bool b);
struct kt_json *kt_json_int(int64_t i);
struct kt_json *kt_json_real(double d);
struct kt_json *kt_json_str(const char *s); /* NULL gives NULL */
struct kt_json *kt_json_strn(const char *s, size_t len);
struct kt_json *kt_json_strf(const char *fmt, ...) KT_PRINTF(1, 2);
struct kt_json *kt_json_array(void);
struct kt_json *kt_json_object(void);
struct kt_json *kt_json_copy(const struct kt_json *v); /* deep, nothing shared */

/* Build from a template in relaxed JSON: keys need no quotes, strings may be in single quotes, and
 *   %s const char * (NULL: the member or item is left out)   %d int   %l int64_t   %f double   %b int as bool
 *   %j struct kt_json *, stolen (NULL: left out)              %J const struct kt_json *, borrowed (NULL: left
 * out) stand for values; %s may also stand for a key. `kt_jsonf("{kind: 'Pod', metadata: {name: %s}}",
 * name)`. A wrong template is a bug. */
struct kt_json *kt_jsonf(const char *fmt, ...);

/* An object of members whose values are stolen, in this order; those without a value (NULL) are left out. The
 * keys differ. Where an object is made again and again: kt_jsonf reads a text, kt_set looks and grows. */
struct kt_json_member {
	const char *key;
	struct kt_json *value;
};
struct kt_json *kt_json_members(const struct kt_json_member *members, size_t count);
#define KT_MEMBERS(...)                                                                                      \
	kt_json_members((const struct kt_json_member[]){__VA_ARGS__},                                        \
	                sizeof((const struct kt_json_member[]){__VA_ARGS__}) /                               \
	                        sizeof(struct kt_json_member))

/* --- reading --- */
enum kt_json_type kt_json_type(const struct kt_json *v); /* NULL counts as KT_JSON_NULL */
bool kt_is_object(const struct kt_json *v);
bool kt_is_array(const struct kt_json *v);
bool kt_is_string(const struct kt_json *v);
size_t kt_count(const struct kt_json *v); /* members or items; 0 for others */
const struct kt_json *kt_at(const struct kt_json *v,
                            size_t i);                 /* item of an array or value of the i-th member */
const char *kt_key(const struct kt_json *v, size_t i); /* key of the i-th member */
/* The member of this name; NULL if there is none. A key that is written out has its length when it is
 * compiled. */
const struct kt_json *kt_get_len(const struct kt_json *v, const char *key, size_t len);
static inline const struct kt_json *kt_get(const struct kt_json *v, const char *key)
{
	return key ? kt_get_len(v, key, strlen(key)) : NULL;
}
/* Member by member along "a.b.c"; a number selects an item ("containers.0.name"). Keys with dots: kt_get. */
const struct kt_json *kt_path(const struct kt_json *v, const char *path);
const char *kt_str(const struct kt_json *v); /* a string's bytes, else NULL */
size_t kt_str_len(const struct kt_json *v);
const char *kt_str_or(const struct kt_json *v, const char *otherwise);
int64_t kt_int_or(const struct kt_json *v, int64_t otherwise); /* reals with an integral value count */
/* The same, also of a text that is a whole number: in YAML written by people some stand in quotes. */
int64_t kt_whole_or(const struct kt_json *v, int64_t otherwise);
bool kt_is_whole(const struct kt_json *v);
double kt_real_or(const struct kt_json *v, double otherwise); /* integers count */
bool kt_bool_or(const struct kt_json *v, bool otherwise);
/* NULL unless a string is there. */
static inline const char *kt_get_str(const struct kt_json *v, const char *key)
{
	return kt_str(kt_get(v, key));
}
static inline int64_t kt_get_int(const struct kt_json *v, const char *key, int64_t otherwise)
{
	return kt_int_or(kt_get(v, key), otherwise);
}
/* A member that is a text, "" otherwise. */
const char *kt_get_text(const struct kt_json *v, const char *key);
/* Is this text one of the items? */
bool kt_has_word(const struct kt_json *list, const char *word);
static inline bool kt_get_bool(const struct kt_json *v, const char *key, bool otherwise)
{
	return kt_bool_or(kt_get(v, key), otherwise);
}
const char *kt_path_str(const struct kt_json *v, const char *path);
int64_t kt_path_int(const struct kt_json *v, const char *path, int64_t otherwise);
bool kt_path_bool(const struct kt_json *v, const char *path, bool otherwise);
/* Same value: objects without regard to order, 1 == 1.0. */
bool kt_equal(const struct kt_json *a, const struct kt_json *b);
/* Index of the first item whose member `key` is the string `value`, or -1. */
ptrdiff_t kt_find(const struct kt_json *array, const char *key, const char *value);
/* for (size_t i = 0, n = kt_count(v); i < n && ((item = kt_at(v, i)), 1); i++) */
#define KT_JSON_EACH(item, v)                                                                                \
	for (size_t item##_i = 0, item##_n = kt_count(v);                                                    \
	     item##_i < item##_n && ((item) = kt_at((v), item##_i), 1); item##_i++)

/* --- changing, through slots --- */
/* `*slot` becomes unshared; what is NULL or of another type than wanted becomes an empty object or array
 * first. A container that grows or shrinks may move: what was borrowed of it by address (the container
 * itself, slots in it) ends; its parts stay where they are. */
void kt_set(struct kt_json **slot, const char *key,
            struct kt_json *steal); /* replaces in place or appends; NULL removes */
/* The same with a key that is a string value: shared, not copied, where it is new. */
void kt_set_key(struct kt_json **slot, const struct kt_json *key, struct kt_json *steal);
void kt_unset(struct kt_json **slot, const char *key);
void kt_push(struct kt_json **slot, struct kt_json *steal);
void kt_insert(struct kt_json **slot, size_t i, struct kt_json *steal);
void kt_put(struct kt_json **slot, size_t i, struct kt_json *steal); /* replaces item or member value i */
void kt_remove(struct kt_json **slot, size_t i);                     /* item or member i */
void kt_set_path(struct kt_json **slot, const char *path,
                 struct kt_json *steal); /* makes objects on the way */
void kt_unset_path(struct kt_json **slot, const char *path);
/* The slot of a member or item, its holders unshared on the way; a missing member is made (holding NULL: fill
 * it or kt_unset it before anybody reads). Valid until the parent changes; take no reference to a parent
 * while you hold the slot. */
struct kt_json **kt_edit(struct kt_json **slot, const char *key);
struct kt_json **kt_edit_at(struct kt_json **slot, size_t i);
struct kt_json **kt_edit_path(struct kt_json **slot, const char *path);
/* Order the members by `cmp` (stable), for canonical output. */
void kt_sort_keys(struct kt_json **slot, int (*cmp)(const char *a, const char *b, void *arg), void *arg);
/* Every member below sorted by name, as kubectl prints maps. New value. */
struct kt_json *kt_json_sorted(const struct kt_json *v);

/* --- text --- */
struct kt_json_limits {
	size_t depth; /* 0: 200 */
	size_t bytes; /* 0: 64 MiB */
};
/* Strict RFC 8259; of duplicate keys the last wins and `*duplicates` (may be NULL) gets their dotted paths,
 * one a line, in the order of the text, at most 100, owned by the caller; NULL if there is none. Errors are
 * in the words of Go's encoding/json ("invalid character 'x' looking for beginning of value"). Numbers are
 * read and printed with strtod and printf: LC_NUMERIC must stay "C". */
KT_MUST_CHECK enum kt_code kt_json_parse(const char *text, size_t len, const struct kt_json_limits *limits,
                                         struct kt_json **out, char **duplicates, struct kt_err *err);
/* Compact, as Go's encoding/json prints (HTML characters <, >, & and U+2028/9 escaped as \u003c …). */
void kt_json_print(const struct kt_json *v, struct kt_buf *out);
/* As kubectl -o json: indent of `width` spaces, keys in stored order, no HTML escapes. */
void kt_json_print_pretty(const struct kt_json *v, unsigned width, struct kt_buf *out);
/* As json.MarshalIndent: the same with HTML escapes. */
void kt_json_print_indented(const struct kt_json *v, unsigned width, struct kt_buf *out);
char *kt_json_text(const struct kt_json *v);                              /* compact; owned by the caller */
void kt_json_print_string(const char *s, size_t len, struct kt_buf *out); /* with quotes, Go style */

#endif
