/* SPDX-License-Identifier: MIT */
/* JSONPath after k8s.io/client-go/util/jsonpath (parser.go, jsonpath.go), without its templates (range,
 * text). What is an error there while looking (an index out of bounds, a filter on no array) finds nothing
 * here. */
#include "base/jsonpath.h"

#include "base/json_internal.h"
#include "base/utf8_internal.h"

#include <string.h>

enum { MAX_TEXT = 8192, MAX_NESTING = 16, MAX_VISITS = 1000000 };

enum step_kind { FIELD, WILDCARD, RECURSIVE, SLICE, UNION, FILTER };
enum comparison { EXISTS, EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL };

/* One side of a comparison: a value, or a path from the item that is looked at. */
struct operand {
	struct kt_json *value; /* NULL: the path counts */
	struct kt_jsonpath *path;
};

struct bound {
	bool known;
	int64_t value;
};

struct step {
	enum step_kind kind;
	char *name;  /* FIELD */
	bool single; /* SLICE: [n] */
	struct bound from, to, by;
	struct kt_jsonpath **parts; /* UNION */
	size_t part_count, part_cap;
	enum comparison op; /* FILTER */
	struct operand left, right;
};

struct kt_jsonpath {
	struct step *steps;
	size_t count, cap;
};

struct reader {
	const char *p, *end;
	size_t nesting;
	struct kt_err *err;
};

/* --- reading --- */

static bool read_path(struct reader *r, struct kt_jsonpath *path);

static struct step *add_step(struct kt_jsonpath *path, enum step_kind kind)
{
	path->steps = kt_grow(path->steps, &path->cap, path->count + 1, sizeof(*path->steps));
	struct step *step = &path->steps[path->count++];
	*step = (struct step){.kind = kind};
	return step;
}

static bool wrong(struct reader *r, const char *what)
{
	kt_fail(r->err, KT_EINVAL, "%s", what);
	return false;
}

static bool ends_name(char c)
{
	return strchr(" \t\r\n.,[]$@{}", c) != NULL;
}

/* The name at r->p up to what ends it; "\." is a dot. */
static void read_field(struct reader *r, struct kt_jsonpath *path)
{
	struct kt_buf name = {0};
	const char *start = r->p;
	for (; r->p < r->end && !ends_name(*r->p); r->p++) {
		if (*r->p == '\\' && ++r->p == r->end)
			break;
		kt_buf_addc(&name, *r->p);
	}
	if (r->p - start == 1 && *start == '*')
		add_step(path, WILDCARD);
	else
		add_step(path, FIELD)->name = kt_strdup(kt_buf_str(&name));
	kt_buf_clear(&name);
}

/* The end of the quoted string at p (behind its quote), or NULL. */
static const char *skip_quoted(const char *p, const char *end)
{
	char quote = *p++;
	for (; p < end && *p != quote; p++)
		if (*p == '\\' && p + 1 < end)
			p++;
	return p < end ? p + 1 : NULL;
}

/* The first `wanted` outside of quotes and of brackets that open behind p, or NULL. */
static const char *find_outside(const char *p, const char *end, const char *wanted)
{
	int open = 0;
	while (p < end) {
		if (!open && strchr(wanted, *p))
			return p;
		if (*p == '"' || *p == '\'') {
			p = skip_quoted(p, end);
			if (!p)
				return NULL;
			continue;
		}
		open += *p == '[' || *p == '(';
		open -= *p == ']' || *p == ')';
		p++;
	}
	return NULL;
}

static struct kt_json *unquote(const char *p, const char *end)
{
	struct kt_buf text = {0};
	for (p++, end--; p < end; p++) {
		if (*p != '\\' || p + 1 == end) {
			kt_buf_addc(&text, *p);
			continue;
		}
		p++;
		kt_buf_addc(&text, *p == 'n' ? '\n' : *p == 't' ? '\t' : *p == 'r' ? '\r' : *p);
	}
	struct kt_json *v = kt_json_strn(kt_buf_str(&text), text.len);
	kt_buf_clear(&text);
	return v;
}

static bool read_bound(const char **p, const char *end, struct bound *bound)
{
	const char *start = *p;
	int64_t n = 0;
	bool negative = *p < end && **p == '-';
	*p += negative;
	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++)
		n = KT_MIN(n * 10 + (**p - '0'), INT32_MAX);
	bound->known = *p > start;
	bound->value = negative ? -n : n;
	return !negative || *p > start + 1;
}

/* "1", "1:2", "::2", "*" */
static bool read_slice(struct reader *r, const char *p, const char *end, struct kt_jsonpath *path)
{
	struct step slice = {.kind = SLICE};
	const char *start = p;
	bool all = end - p == 1 && *p == '*', ok = all || read_bound(&p, end, &slice.from);
	slice.single = !all && p == end && slice.from.known;
	if (!all && ok && p < end && *p == ':') {
		p++;
		ok = read_bound(&p, end, &slice.to);
		if (ok && p < end && *p == ':') {
			p++;
			ok = read_bound(&p, end, &slice.by);
		}
	}
	if (!ok || (!all && p != end)) {
		kt_fail(r->err, KT_EINVAL, "invalid array index %.*s", (int)KT_MIN(end - start, 100), start);
		return false;
	}
	if (slice.by.known && slice.by.value <= 0)
		return wrong(r, "step must be > 0");
	*add_step(path, SLICE) = slice;
	return true;
}

static bool read_bracket_part(struct reader *r, const char *p, const char *end, struct kt_jsonpath *path)
{
	while (p < end && *p == ' ')
		p++;
	while (end > p && end[-1] == ' ')
		end--;
	if (end - p >= 2 && (*p == '\'' || *p == '"') && skip_quoted(p, end) == end) {
		struct kt_json *name = unquote(p, end);
		add_step(path, FIELD)->name = kt_strdup(kt_str(name));
		kt_json_free(name);
		return true;
	}
	return read_slice(r, p, end, path);
}

/* "['a','b']", "[0,2]", "[1:3]" */
static bool read_brackets(struct reader *r, struct kt_jsonpath *path)
{
	const char *p = r->p + 1, *end = find_outside(p, r->end, "]");
	if (!end)
		return wrong(r, "unterminated array");
	r->p = end + 1;
	const char *comma = find_outside(p, end, ",");
	if (!comma)
		return read_bracket_part(r, p, end, path);
	size_t at = path->count;
	add_step(path, UNION);
	for (bool ok = true; ok; p = comma + 1) {
		comma = find_outside(p, end, ",");
		struct kt_jsonpath *part = kt_alloc(sizeof(*part));
		struct step *step = &path->steps[at];
		step->parts = kt_grow(step->parts, &step->part_cap, step->part_count + 1,
		                      sizeof(struct kt_jsonpath *));
		step->parts[step->part_count++] = part;
		if (!read_bracket_part(r, p, comma ? comma : end, part))
			return false;
		if (!comma)
			break;
	}
	return true;
}

/* A quoted string, a number, true, false; NULL: none of them. */
static struct kt_json *read_literal(const char *p, const char *end)
{
	size_t len = (size_t)(end - p);
	if (len && (*p == '"' || *p == '\''))
		return skip_quoted(p, end) == end ? unquote(p, end) : NULL;
	struct kt_json *v = NULL;
	if (len && strchr("+-0123456789", *p) && strspn(p + 1, "0123456789.eE") >= len - 1) {
		if (*p == '+')
			p++;
		return json_number(p, (size_t)(end - p), &v) ? v : NULL;
	}
	if (len == 4 && memcmp(p, "true", 4) == 0)
		return kt_json_bool(true);
	return len == 5 && memcmp(p, "false", 5) == 0 ? kt_json_bool(false) : NULL;
}

static bool read_operand(struct reader *r, const char *p, const char *end, struct operand *operand)
{
	while (p < end && *p == ' ')
		p++;
	while (end > p && end[-1] == ' ')
		end--;
	if (p == end)
		return wrong(r, "a filter compares with nothing");
	operand->value = read_literal(p, end);
	if (operand->value)
		return true;
	if (++r->nesting > MAX_NESTING)
		return wrong(r, "filters nested too deep");
	struct reader inner = {p, end, r->nesting, r->err};
	operand->path = kt_alloc(sizeof(*operand->path));
	bool ok = read_path(&inner, operand->path);
	r->nesting--;
	return ok;
}

/* "[?(@.a == 'x')]" */
static bool read_filter(struct reader *r, struct kt_jsonpath *path)
{
	static const struct {
		const char *text;
		enum comparison op;
	} operators[] = {{"==", EQUAL},         {"!=", NOT_EQUAL}, {"<=", LESS_EQUAL},
	                 {">=", GREATER_EQUAL}, {"<", LESS},       {">", GREATER}};
	const char *p = r->p + 3, *end = find_outside(p, r->end, ")");
	if (!end)
		return wrong(r, "unterminated filter");
	if (end + 1 >= r->end || end[1] != ']')
		return wrong(r, "unclosed array expect ]");
	r->p = end + 2;
	const char *op = find_outside(p, end, "!<>=");
	size_t at = path->count;
	add_step(path, FILTER);
	struct operand left = {0}, right = {0};
	enum comparison kind = EXISTS;
	bool ok = read_operand(r, p, op ? op : end, &left);
	if (ok && op) {
		size_t i = 0;
		while (i < KT_COUNT(operators) &&
		       strncmp(op, operators[i].text, strlen(operators[i].text)) != 0)
			i++;
		size_t len = i < KT_COUNT(operators) ? strlen(operators[i].text) : strspn(op, "!<>=~");
		if (i == KT_COUNT(operators) || (op + len < end && strchr("!<>=~", op[len]))) {
			kt_fail(r->err, KT_EINVAL, "unrecognized filter operator %.*s",
			        (int)strspn(op, "!<>=~"), op);
			ok = false;
		} else {
			kind = operators[i].op;
			ok = read_operand(r, op + len, end, &right);
		}
	}
	struct step *step = &path->steps[at];
	step->op = kind;
	step->left = left;
	step->right = right;
	return ok;
}

static bool read_path(struct reader *r, struct kt_jsonpath *path)
{
	bool first = true;
	for (; r->p < r->end; first = false) {
		char c = *r->p;
		bool descent = c == '.' && r->p + 1 < r->end && r->p[1] == '.';
		if (c == ' ' || c == '$' || c == '@') {
			r->p++;
		} else if (c == '[') {
			bool filter = r->end - r->p > 3 && r->p[1] == '?' && r->p[2] == '(';
			if (!(filter ? read_filter(r, path) : read_brackets(r, path)))
				return false;
		} else if (descent) {
			if (path->count && path->steps[path->count - 1].kind == RECURSIVE)
				return wrong(r, "invalid multiple recursive descent");
			add_step(path, RECURSIVE);
			r->p += 2;
			if (r->p < r->end && !ends_name(*r->p))
				read_field(r, path);
		} else if (c == '.') {
			r->p++;
			/* A lone "." is the value itself, "{.}". */
			if (r->p < r->end && (!ends_name(*r->p) || *r->p == '.'))
				read_field(r, path);
		} else if (first && !ends_name(c)) {
			read_field(r, path);
		} else {
			uint32_t wide = (unsigned char)c;
			kt_utf8_next(r->p, (size_t)(r->end - r->p), &wide);
			struct kt_buf text = {0};
			kt_utf8_add(&text, wide);
			kt_fail(r->err, KT_EINVAL, "unrecognized character in action: U+%04X '%s'",
			        (unsigned)wide, kt_buf_str(&text));
			kt_buf_clear(&text);
			return false;
		}
	}
	return true;
}

enum kt_code kt_jsonpath_new(const char *text, struct kt_jsonpath **out, struct kt_err *err)
{
	size_t len = text ? strlen(text) : 0;
	if (len > MAX_TEXT)
		return kt_fail(err, KT_ELIMIT, "JSONPath longer than %d bytes", (int)MAX_TEXT);
	struct kt_err own = {0};
	struct reader r = {.p = text, .end = text ? text + len : NULL, .err = &own};
	bool braces = len && *text == '{', ok = true;
	if (braces && text[len - 1] != '}')
		ok = wrong(&r, "unclosed action");
	if (braces && ok) {
		r.p++;
		r.end--;
	}
	struct kt_jsonpath *path = kt_alloc(sizeof(*path));
	ok = ok && read_path(&r, path);
	if (!ok) {
		kt_jsonpath_free(path);
		return kt_fail(err, own.code, "error parsing jsonpath %s, %s", text, own.text);
	}
	*out = path;
	return KT_OK;
}

static void clear_operand(struct operand *operand)
{
	kt_json_free(operand->value);
	kt_jsonpath_free(operand->path);
}

void kt_jsonpath_free(struct kt_jsonpath *path)
{
	if (!path)
		return;
	for (size_t i = 0; i < path->count; i++) {
		struct step *step = &path->steps[i];
		kt_free(step->name);
		for (size_t j = 0; j < step->part_count; j++)
			kt_jsonpath_free(step->parts[j]);
		kt_free(step->parts);
		clear_operand(&step->left);
		clear_operand(&step->right);
	}
	kt_free(path->steps);
	kt_free(path);
}

/* --- finding --- */

struct found {
	const struct kt_json **items;
	size_t count, cap;
};

static void add_found(struct found *found, const struct kt_json *v)
{
	found->items = kt_grow(found->items, &found->cap, found->count + 1, sizeof(*found->items));
	found->items[found->count++] = v;
}

/* `*visits` counts down what may still be looked at: "..*..*..*" of somebody must end. */
static void follow(const struct kt_jsonpath *path, const struct kt_json *root, struct found *out,
                   size_t *visits);

static void find_slice(const struct step *step, const struct kt_json *v, struct found *out)
{
	int64_t n = (int64_t)kt_count(v);
	int64_t from = step->from.known ? step->from.value : 0, to = step->to.known ? step->to.value : n;
	if (!kt_is_array(v))
		return;
	from += from < 0 ? n : 0;
	to += to < 0 ? n : 0;
	if (step->single)
		to = from + 1;
	if (from < 0 || from >= n || to > n)
		return;
	for (int64_t i = from; i < to; i += step->by.known ? step->by.value : 1)
		add_found(out, kt_at(v, (size_t)i));
}

/* The value and all containers below, outer ones first; empty ones have nothing to give. */
static void find_all(const struct kt_json *v, struct found *out, size_t *visits)
{
	size_t n = kt_count(v);
	if (!n || !*visits)
		return;
	--*visits;
	add_found(out, v);
	for (size_t i = 0; i < n; i++)
		find_all(kt_at(v, i), out, visits);
}

/* The value of a side for one item: exactly one, or NULL. */
static const struct kt_json *value_of(const struct operand *operand, const struct kt_json *item,
                                      size_t *visits)
{
	if (operand->value)
		return operand->value;
	struct found found = {0};
	follow(operand->path, item, &found, visits);
	const struct kt_json *v = found.count == 1 ? found.items[0] : NULL;
	kt_free(found.items);
	return v;
}

static bool is_number(const struct kt_json *v)
{
	return kt_json_type(v) == KT_JSON_INT || kt_json_type(v) == KT_JSON_REAL;
}

/* -1, 0, 1, or 2 when they cannot be ordered. */
static int order(const struct kt_json *a, const struct kt_json *b)
{
	if (kt_equal(a, b))
		return 0;
	if (kt_is_string(a) && kt_is_string(b))
		return strcmp(json_text(a), json_text(b)) < 0 ? -1 : 1;
	if (is_number(a) && is_number(b))
		return kt_real_or(a, 0) < kt_real_or(b, 0) ? -1 : 1;
	return 2;
}

static bool fits(const struct step *step, const struct kt_json *item, size_t *visits)
{
	if (step->op == EXISTS) {
		struct found found = {0};
		bool literal = step->left.value != NULL;
		if (!literal)
			follow(step->left.path, item, &found, visits);
		kt_free(found.items);
		return literal || found.count > 0;
	}
	const struct kt_json *left = value_of(&step->left, item, visits),
	                     *right = value_of(&step->right, item, visits);
	int cmp = left && right ? order(left, right) : 2;
	switch (step->op) {
	case EQUAL:
		return cmp == 0;
	case NOT_EQUAL:
		return left && right && cmp != 0;
	case LESS:
		return cmp == -1;
	case LESS_EQUAL:
		return cmp == -1 || cmp == 0;
	case GREATER:
		return cmp == 1;
	case GREATER_EQUAL:
		return cmp == 1 || cmp == 0;
	case EXISTS:
		break;
	}
	return false;
}

static void take_step(const struct step *step, const struct kt_json *v, struct found *out, size_t *visits)
{
	const struct kt_json *member;
	switch (step->kind) {
	case FIELD:
		member = kt_get(v, step->name);
		if (member)
			add_found(out, member);
		break;
	case WILDCARD:
		for (size_t i = 0, n = kt_count(v); i < n; i++)
			add_found(out, kt_at(v, i));
		break;
	case RECURSIVE:
		find_all(v, out, visits);
		break;
	case SLICE:
		find_slice(step, v, out);
		break;
	case FILTER:
		for (size_t i = 0, n = kt_is_array(v) ? kt_count(v) : 0; i < n; i++)
			if (fits(step, kt_at(v, i), visits))
				add_found(out, kt_at(v, i));
		break;
	case UNION: /* for all values at once, by follow() */
		break;
	}
}

static void take_union(const struct step *step, const struct found *from, struct found *out, size_t *visits)
{
	for (size_t p = 0; p < step->part_count; p++)
		for (size_t i = 0; i < from->count; i++)
			follow(step->parts[p], from->items[i], out, visits);
}

static void follow(const struct kt_jsonpath *path, const struct kt_json *root, struct found *out,
                   size_t *visits)
{
	struct found now = {0};
	add_found(&now, root);
	for (size_t s = 0; s < path->count; s++) {
		struct found next = {0};
		if (path->steps[s].kind == UNION)
			take_union(&path->steps[s], &now, &next, visits);
		for (size_t i = 0; i < now.count && *visits; i++) {
			--*visits;
			take_step(&path->steps[s], now.items[i], &next, visits);
		}
		kt_free(now.items);
		now = next;
	}
	for (size_t i = 0; i < now.count; i++)
		add_found(out, now.items[i]);
	kt_free(now.items);
}

struct kt_json *kt_jsonpath_find(const struct kt_jsonpath *path, const struct kt_json *root)
{
	struct found found = {0};
	size_t visits = MAX_VISITS;
	if (root)
		follow(path, root, &found, &visits);
	struct kt_json **items = kt_alloc((found.count + 1) * sizeof(*items));
	for (size_t i = 0; i < found.count; i++)
		items[i] = found.items[i] ? kt_json_ref(found.items[i]) : kt_json_null();
	struct kt_json *v = json_array_of(items, found.count);
	kt_free(items);
	kt_free(found.items);
	return v;
}
