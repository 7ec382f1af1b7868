/* SPDX-License-Identifier: MIT */
/* RFC 6902, as the server's library reads it (evanphx/json-patch v4): negative indices count from the end,
 * what is before the first slash of a path does not count, a value that is not given is null, members that
 * are not there can be replaced, copied (as null) and equal null in a "test", the whole document can be
 * replaced and tested only; an operation that cannot be done fails the whole patch with one text that says
 * nothing. */
#include "cluster/api/patch.h"

#include <string.h>

#define MAX_OPERATIONS 10000
#define MAX_COPIED                                                                                           \
	((size_t)3 << 20) /* values that "copy" may add up to; the server: JSONPatchMaxCopyBytes             \
	                   */
#define MAX_MOVED  ((size_t)64 << 20)
#define MAX_TOKENS 256
#define MAX_DEPTH  256 /* of what is moved or copied, so that many moves cannot pile up a tower */

struct pointer {
	char *text; /* the tokens, unescaped, each with its NUL */
	const char *token[MAX_TOKENS];
	size_t count; /* 0: the whole document */
};

static void pointer_clear(struct pointer *p)
{
	kt_free(p->text);
}

static void unescape(char *token)
{
	char *to = token;
	for (const char *from = token; *from; from++) {
		if (from[0] == '~' && (from[1] == '0' || from[1] == '1'))
			*to++ = *++from == '0' ? '~' : '/';
		else
			*to++ = *from;
	}
	*to = '\0';
}

static bool pointer_parse(struct pointer *p, const struct kt_json *path)
{
	const char *text = kt_str(path), *slash = text ? strchr(text, '/') : NULL;
	memset(p, 0, sizeof(*p));
	if (!slash)
		return text && !*text;
	p->text = kt_strdup(slash + 1);
	for (char *at = p->text; at;) {
		if (p->count == MAX_TOKENS)
			return false;
		char *end = strchr(at, '/');
		if (end)
			*end++ = '\0';
		unescape(at);
		p->token[p->count++] = at;
		at = end;
	}
	return true;
}

/* An index below `bound`, as Go's Atoi reads it; "-1" is the last item. */
static bool parse_index(const char *token, size_t bound, size_t *out)
{
	bool negative = *token == '-';
	const char *digits = token + (negative || *token == '+');
	size_t n = 0;
	if (!*digits)
		return false;
	for (; *digits; digits++) {
		if (*digits < '0' || *digits > '9' || n > UINT32_MAX)
			return false;
		n = n * 10 + (size_t)(*digits - '0');
	}
	if (negative && n > bound)
		return false;
	if (negative && n)
		n = bound - n;
	*out = n;
	return n < bound;
}

static const struct kt_json *child(const struct kt_json *v, const char *token)
{
	size_t i;
	if (kt_is_object(v))
		return kt_get(v, token);
	if (kt_is_array(v) && parse_index(token, kt_count(v), &i))
		return kt_at(v, i);
	return NULL;
}

static const struct kt_json *find(const struct kt_json *root, const struct pointer *p, size_t depth)
{
	for (size_t i = 0; i < depth && root; i++)
		root = child(root, p->token[i]);
	return root;
}

/* The slot of the container of the last token; NULL where a step is missing or no container. */
static struct kt_json **parent_slot(struct kt_json **root, const struct pointer *p)
{
	const struct kt_json *parent = find(*root, p, p->count - 1);
	if (!kt_is_object(parent) && !kt_is_array(parent))
		return NULL;
	struct kt_json **slot = root;
	for (size_t i = 0; i + 1 < p->count; i++) {
		size_t at;
		if (kt_is_object(*slot))
			slot = kt_edit(slot, p->token[i]);
		else if (parse_index(p->token[i], kt_count(*slot), &at))
			slot = kt_edit_at(slot, at);
	}
	return slot;
}

static bool op_add(struct kt_json **root, const struct pointer *p, struct kt_json *steal)
{
	if (p->count == 0) {
		kt_json_free(steal);
		return false;
	}
	struct kt_json **slot = parent_slot(root, p);
	const char *last = p->token[p->count - 1];
	size_t at;
	if (slot && kt_is_object(*slot)) {
		kt_set(slot, last, steal);
		return true;
	}
	if (slot && strcmp(last, "-") == 0) {
		kt_push(slot, steal);
		return true;
	}
	if (slot && parse_index(last, kt_count(*slot) + 1, &at)) {
		kt_insert(slot, at, steal);
		return true;
	}
	kt_json_free(steal);
	return false;
}

static bool op_remove(struct kt_json **root, const struct pointer *p)
{
	if (p->count == 0 || !find(*root, p, p->count))
		return false;
	struct kt_json **slot = parent_slot(root, p);
	const char *last = p->token[p->count - 1];
	size_t at;
	if (kt_is_object(*slot))
		kt_unset(slot, last);
	else if (parse_index(last, kt_count(*slot), &at))
		kt_remove(slot, at);
	return true;
}

static bool op_replace(struct kt_json **root, const struct pointer *p, struct kt_json *steal)
{
	size_t at;
	if (p->count == 0 && (kt_is_object(steal) || kt_is_array(steal))) {
		kt_json_free(*root);
		*root = steal;
		return true;
	}
	if (p->count == 0) {
		kt_json_free(steal);
		return true; /* nor does it mind what it cannot do */
	}
	/* The server's library does not mind that a member is not there; items must be. */
	if (!kt_is_object(find(*root, p, p->count - 1)) && !find(*root, p, p->count)) {
		kt_json_free(steal);
		return false;
	}
	struct kt_json **slot = parent_slot(root, p);
	if (kt_is_object(*slot))
		kt_set(slot, p->token[p->count - 1], steal);
	else if (parse_index(p->token[p->count - 1], kt_count(*slot), &at))
		kt_put(slot, at, steal);
	return true;
}

/* About how many bytes `v` prints as, or more than `limit` as soon as that is sure (shared structure can be
 * far larger than the memory that it takes) or as it is deeper than `depth`. */
static size_t size_of(const struct kt_json *v, size_t limit, size_t depth)
{
	size_t size = 2 + kt_str_len(v);
	if (depth == 0)
		return limit + 1;
	for (size_t i = 0, n = kt_count(v); i < n && size <= limit; i++)
		size += 1 + size_of(kt_at(v, i), limit - size, depth - 1);
	return size;
}

struct run {
	struct kt_json *root;
	size_t copied, moved;
};

static bool transfer(struct run *run, const struct kt_json *op, const struct pointer *to, bool move)
{
	struct pointer from;
	bool ok = false;
	struct kt_json *value = NULL;
	if (!pointer_parse(&from, kt_get(op, "from")) || !from.count || !to->count)
		goto out;
	value = kt_json_ref(find(run->root, &from, from.count));
	if (!value && !move && kt_is_object(find(run->root, &from, from.count - 1)))
		value = kt_json_null(); /* likewise: a member that is not there is copied as null */
	if (!value)
		goto out;
	size_t *sum = move ? &run->moved : &run->copied, limit = move ? MAX_MOVED : MAX_COPIED;
	*sum += size_of(value, limit, MAX_DEPTH);
	if (*sum > limit)
		goto out;
	if (move && !op_remove(&run->root, &from))
		goto out;
	ok = op_add(&run->root, to, kt_json_ref(value));
out:
	kt_json_free(value);
	pointer_clear(&from);
	return ok;
}

/* Scalars are compared as they are written: 1 is not 1.0. */
static bool same_text(const struct kt_json *a, const struct kt_json *b)
{
	if (kt_json_type(a) != kt_json_type(b) || kt_count(a) != kt_count(b))
		return false;
	if (!kt_is_object(a) && !kt_is_array(a))
		return kt_equal(a, b);
	for (size_t i = 0; i < kt_count(a); i++) {
		const struct kt_json *other = kt_is_object(a) ? kt_get(b, kt_key(a, i)) : kt_at(b, i);
		if (!other || !same_text(kt_at(a, i), other))
			return false;
	}
	return true;
}

static bool test(const struct kt_json *root, const struct pointer *path, const struct kt_json *wanted)
{
	const struct kt_json *is = find(root, path, path->count),
	                     *in = path->count ? find(root, path, path->count - 1) : NULL;
	if (!wanted || (!is && !kt_is_object(in)))
		return false; /* without a value the library breaks down */
	if (!is)
		return kt_json_type(wanted) == KT_JSON_NULL;
	return same_text(is, wanted);
}

static struct kt_json *given(const struct kt_json *op)
{
	const struct kt_json *value = kt_get(op, "value");
	return value ? kt_json_ref(value) : kt_json_null();
}

static bool apply(struct run *run, const struct kt_json *op)
{
	const char *name = kt_get_str(op, "op");
	struct pointer path = {0};
	bool ok = false;
	if (name && pointer_parse(&path, kt_get(op, "path"))) {
		if (strcmp(name, "add") == 0)
			ok = op_add(&run->root, &path, given(op));
		else if (strcmp(name, "remove") == 0)
			ok = op_remove(&run->root, &path);
		else if (strcmp(name, "replace") == 0)
			ok = op_replace(&run->root, &path, given(op));
		else if (strcmp(name, "move") == 0)
			ok = transfer(run, op, &path, true);
		else if (strcmp(name, "copy") == 0)
			ok = transfer(run, op, &path, false);
		else if (strcmp(name, "test") == 0)
			ok = test(run->root, &path, kt_get(op, "value"));
	}
	pointer_clear(&path);
	return ok;
}

static bool is_operation(const struct kt_json *op, struct api_status *status)
{
	static const char *const words[] = {"op", "path", "from"};
	if (!kt_is_object(op))
		return api_fail(status, 400, "BadRequest",
		                "error decoding patch: json: cannot unmarshal %s into Go value of "
		                "type handlers.jsonPatchOp",
		                patch_json_kind(op));
	for (size_t i = 0; i < KT_COUNT(words); i++) {
		const struct kt_json *word = kt_get(op, words[i]);
		if (word && !kt_is_string(word) && kt_json_type(word) != KT_JSON_NULL)
			return api_fail(
			        status, 400, "BadRequest",
			        "error decoding patch: json: cannot unmarshal %s into Go struct field "
			        "jsonPatchOp.%s of type string",
			        patch_json_kind(word), words[i]);
	}
	return true;
}

bool patch_json(const struct kt_json *target, const struct kt_json *operations, struct kt_json **out,
                struct api_status *status)
{
	struct run run = {.root = kt_json_ref(target)};
	const struct kt_json *op;
	if (!kt_is_array(operations)) {
		kt_json_free(run.root);
		return api_fail(status, 400, "BadRequest",
		                "error decoding patch: json: cannot unmarshal %s into Go value of type "
		                "[]handlers.jsonPatchOp",
		                patch_json_kind(operations));
	}
	if (kt_count(operations) > MAX_OPERATIONS) {
		kt_json_free(run.root);
		return api_fail(status, 413, "RequestEntityTooLarge",
		                "The allowed maximum operations in a JSON patch is %d, got %zu",
		                MAX_OPERATIONS, kt_count(operations));
	}
	KT_JSON_EACH (op, operations) {
		if (!is_operation(op, status)) {
			kt_json_free(run.root);
			return false;
		}
	}
	KT_JSON_EACH (op, operations) {
		if (!apply(&run, op)) {
			kt_json_free(run.root);
			return patch_fail_unprocessable(status);
		}
	}
	*out = run.root;
	return true;
}
