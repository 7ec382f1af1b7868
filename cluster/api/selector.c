/* SPDX-License-Identifier: MIT */
#include "cluster/api/selector.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- label selectors: lexer and parser of apimachinery pkg/labels/selector.go --- */
enum token {
	T_END,
	T_ERROR,
	T_WORD,
	T_CLOSE,
	T_COMMA,
	T_NOT,
	T_EQ2,
	T_EQ,
	T_GT,
	T_IN,
	T_LT,
	T_NE,
	T_NOTIN,
	T_OPEN
};
struct lexer {
	const char *at;
	enum token token; /* the one ahead, with its text */
	char *text;
	struct kt_buf *why;
};
static const struct {
	const char *text;
	enum token token;
} symbols[] = {
        {")", T_CLOSE}, {",", T_COMMA}, {"!", T_NOT}, {"==", T_EQ2}, {"=", T_EQ},
        {">", T_GT},    {"<", T_LT},    {"!=", T_NE}, {"(", T_OPEN},
};

static bool is_symbol(char c)
{
	return c && strchr("=!(),><", c) != NULL;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static enum token symbol_token(const char *text, size_t len)
{
	for (size_t i = 0; i < KT_COUNT(symbols); i++) {
		if (strlen(symbols[i].text) == len && strncmp(symbols[i].text, text, len) == 0)
			return symbols[i].token;
	}
	return T_ERROR;
}

static void lex_symbol(struct lexer *lexer)
{
	size_t best = 0, len = 0;

	while (is_symbol(lexer->at[len])) {
		len++;
		if (symbol_token(lexer->at, len) != T_ERROR)
			best = len;
		else if (best)
			break;
	}
	if (!best) {
		lexer->token = T_ERROR;
		lexer->text = kt_strf("error expected: keyword found '%.*s'", (int)len, lexer->at);
		lexer->at += len;
		return;
	}
	lexer->token = symbol_token(lexer->at, best);
	lexer->text = kt_strndup(lexer->at, best);
	lexer->at += best;
}

static void advance(struct lexer *lexer)
{
	const char *start;

	kt_free(lexer->text);
	while (is_space(*lexer->at))
		lexer->at++;
	if (is_symbol(*lexer->at)) {
		lex_symbol(lexer);
		return;
	}
	start = lexer->at;
	while (*lexer->at && !is_symbol(*lexer->at) && !is_space(*lexer->at))
		lexer->at++;
	lexer->text = kt_strndup(start, (size_t)(lexer->at - start));
	lexer->token = !*lexer->text                    ? T_END
	               : kt_streq(lexer->text, "in")    ? T_IN
	               : kt_streq(lexer->text, "notin") ? T_NOTIN
	                                                : T_WORD;
}

/* Where a value is expected, "in" and "notin" are words. */
static enum token value_token(const struct lexer *lexer)
{
	return lexer->token == T_IN || lexer->token == T_NOTIN ? T_WORD : lexer->token;
}

static bool wrong(struct lexer *lexer, const char *expected)
{
	kt_buf_addf(lexer->why, "found '%s', expected: %s", lexer->text, expected);
	return false;
}

static bool parse_list(struct lexer *lexer, struct kt_strs *values)
{
	for (;;) {
		enum token token = value_token(lexer);

		if (token == T_WORD) {
			if (!kt_strs_has(values, lexer->text))
				kt_strs_add(values, lexer->text);
			advance(lexer);
			if (value_token(lexer) == T_CLOSE)
				return true;
			if (value_token(lexer) != T_COMMA)
				return wrong(lexer, "',' or ')'");
		} else if (token == T_COMMA) {
			if (!values->count)
				kt_strs_add(values, "");
			advance(lexer);
			if (value_token(lexer) == T_CLOSE) {
				if (!kt_strs_has(values, ""))
					kt_strs_add(values, "");
				return true;
			}
			if (value_token(lexer) == T_COMMA) {
				advance(lexer);
				if (!kt_strs_has(values, ""))
					kt_strs_add(values, "");
			}
		} else {
			return wrong(lexer, "',', or identifier");
		}
	}
}

static bool parse_values(struct lexer *lexer, struct kt_strs *values)
{
	if (value_token(lexer) != T_OPEN) {
		kt_buf_addf(lexer->why, "found '%s' expected: '('", lexer->text);
		return false;
	}
	advance(lexer);
	switch (value_token(lexer)) {
	case T_WORD:
	case T_COMMA:
		if (!parse_list(lexer, values))
			return false;
		if (value_token(lexer) != T_CLOSE)
			return wrong(lexer, "')'");
		break;
	case T_CLOSE:
		kt_strs_add(values, "");
		break;
	default:
		return wrong(lexer, "',', ')' or identifier");
	}
	advance(lexer);
	return true;
}

static bool parse_exact(struct lexer *lexer, struct kt_strs *values)
{
	enum token token = value_token(lexer);

	if (token == T_END || token == T_COMMA) {
		kt_strs_add(values, "");
		return true;
	}
	if (token != T_WORD)
		return wrong(lexer, "identifier");
	kt_strs_add(values, lexer->text);
	advance(lexer);
	return true;
}

static const struct {
	enum token token;
	enum api_operator op;
} operators[] = {
        {T_IN, API_IN},         {T_NOTIN, API_NOT_IN}, {T_EQ, API_EQUALS}, {T_EQ2, API_EQUALS},
        {T_NE, API_NOT_EQUALS}, {T_GT, API_GREATER},   {T_LT, API_LESS},
};

static bool alnum(char c)
{
	return isalnum((unsigned char)c) != 0;
}

static bool valid_word(const char *s, size_t len)
{
	if (!len || len > 63 || !alnum(s[0]) || !alnum(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!alnum(s[i]) && s[i] != '-' && s[i] != '_' && s[i] != '.')
			return false;
	}
	return true;
}

static bool check_key(const char *key, struct kt_buf *why)
{
	const char *slash = strchr(key, '/'), *name = slash ? slash + 1 : key;

	if (valid_word(name, strlen(name)) && slash != key)
		return true;
	kt_buf_addf(why, "<nil>: Invalid value: \"%s\": ", key); /* the parser knows no path */
	if (strlen(name) > 63)
		kt_buf_adds(why, "name part must be no more than 63 characters");
	else
		kt_buf_adds(
		        why,
		        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start "
		        "and "
		        "end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', "
		        "regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')");
	return false;
}

static bool is_number(const char *s)
{
	if (*s == '-' || *s == '+')
		s++;
	return *s && strspn(s, "0123456789") == strlen(s);
}

static bool check_values(const struct api_requirement *r, struct kt_buf *why)
{
	for (size_t i = 0; i < r->values.count; i++) {
		const char *value = r->values.items[i];

		if ((r->op == API_GREATER || r->op == API_LESS) && !is_number(value)) {
			kt_buf_addf(why,
			            "values[%zu]: Invalid value: \"%s\": for 'Gt', 'Lt' operators, the value "
			            "must be an "
			            "integer",
			            i, value);
			return false;
		}
		if (!*value || valid_word(value, strlen(value)))
			continue;
		kt_buf_addf(why, "values[%zu][%s]: Invalid value: \"%s\": ", i, r->key, value);
		if (strlen(value) > 63)
			kt_buf_adds(why, "must be no more than 63 characters");
		else
			kt_buf_adds(why, "a valid label must be an empty string or consist of alphanumeric "
			                 "characters, '-', "
			                 "'_' or '.', and must start and end with an alphanumeric character "
			                 "(e.g. 'MyValue',  "
			                 "or 'my_value',  or '12345', regex used for validation is "
			                 "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')");
		return false;
	}
	return true;
}

static bool parse_key(struct lexer *lexer, struct api_requirement *r)
{
	r->op = API_IN;
	if (value_token(lexer) == T_NOT) {
		r->op = API_ABSENT;
		advance(lexer);
	}
	if (value_token(lexer) != T_WORD)
		return wrong(lexer, "identifier");
	r->key = kt_strdup(lexer->text);
	advance(lexer);
	if (!check_key(r->key, lexer->why))
		return false;
	if ((value_token(lexer) == T_END || value_token(lexer) == T_COMMA) && r->op != API_ABSENT)
		r->op = API_EXISTS;
	return true;
}

static bool parse_requirement(struct lexer *lexer, struct api_requirement *r)
{
	if (!parse_key(lexer, r))
		return false;
	if (r->op == API_EXISTS || r->op == API_ABSENT)
		return true;
	for (size_t i = 0; i < KT_COUNT(operators); i++) {
		if (operators[i].token != lexer->token)
			continue;
		r->op = operators[i].op;
		advance(lexer);
		if (!(r->op == API_IN || r->op == API_NOT_IN ? parse_values(lexer, &r->values)
		                                             : parse_exact(lexer, &r->values)))
			return false;
		kt_strs_sort(&r->values);
		return check_values(r, lexer->why);
	}
	return wrong(lexer, "in, notin, =, ==, !=, gt, lt");
}

static struct api_requirement *add(struct api_requirement **items, size_t *count, size_t *cap)
{
	*items = kt_grow(*items, cap, *count + 1, sizeof(**items));
	(*items)[*count] = (struct api_requirement){0};
	return &(*items)[(*count)++];
}

static bool parse_all(struct lexer *lexer, struct api_labels *out)
{
	for (;;) {
		struct kt_buf why = {0};
		enum token token = value_token(lexer);
		bool fine;

		if (token == T_END)
			return true;
		if (token != T_WORD && token != T_NOT)
			return wrong(lexer, "!, identifier, or 'end of string'");
		struct kt_buf *outer = lexer->why;
		lexer->why = &why;
		fine = parse_requirement(lexer, add(&out->items, &out->count, &out->cap));
		lexer->why = outer;
		if (!fine)
			kt_buf_addf(outer, "unable to parse requirement: %s", kt_buf_str(&why));
		kt_buf_clear(&why);
		if (!fine)
			return false;
		if (value_token(lexer) == T_END)
			return true;
		if (value_token(lexer) != T_COMMA)
			return wrong(lexer, "',' or 'end of string'");
		advance(lexer);
		token = value_token(lexer);
		if (token != T_WORD && token != T_NOT)
			return wrong(lexer, "identifier after ','");
	}
}

bool api_labels_parse(const char *text, struct api_labels *out, struct kt_buf *why)
{
	struct lexer lexer = {.at = text, .why = why};
	bool fine;

	*out = (struct api_labels){0};
	advance(&lexer);
	fine = parse_all(&lexer, out);
	kt_free(lexer.text);
	if (!fine)
		api_labels_clear(out);
	return fine;
}

static bool requirement_matches(const struct api_requirement *r, const char *value)
{
	switch (r->op) {
	case API_EXISTS:
		return value != NULL;
	case API_ABSENT:
		return value == NULL;
	case API_IN:
	case API_EQUALS:
		return value && kt_strs_has(&r->values, value);
	case API_NOT_IN:
	case API_NOT_EQUALS:
		return !value || !kt_strs_has(&r->values, value);
	case API_GREATER:
		return value && is_number(value) &&
		       strtoll(value, NULL, 10) > strtoll(r->values.items[0], NULL, 10);
	case API_LESS:
		return value && is_number(value) &&
		       strtoll(value, NULL, 10) < strtoll(r->values.items[0], NULL, 10);
	}
	return false;
}

bool api_labels_match(const struct api_labels *selector, const struct kt_json *labels)
{
	for (size_t i = 0; i < selector->count; i++) {
		if (!requirement_matches(&selector->items[i], kt_get_str(labels, selector->items[i].key)))
			return false;
	}
	return true;
}

static void clear_items(struct api_requirement *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		kt_free(items[i].key);
		kt_strs_clear(&items[i].values);
	}
	kt_free(items);
}

void api_labels_clear(struct api_labels *selector)
{
	clear_items(selector->items, selector->count);
	*selector = (struct api_labels){0};
}

/* --- field selectors --- */
struct field {
	const char *group, *kind, *field;
	const char *path;   /* where the value is, if not at `field` */
	const char *absent; /* what it is when it is not there */
};
/* kubernetes pkg/apis/{core,batch,certificates,events}/v1/conversion.go */
static const struct field fields[] = {
        {"", "Pod", "spec.nodeName", NULL, ""},
        {"", "Pod", "spec.restartPolicy", NULL, ""},
        {"", "Pod", "spec.schedulerName", NULL, ""},
        {"", "Pod", "spec.serviceAccountName", NULL, ""},
        {"", "Pod", "spec.hostNetwork", NULL, "false"},
        {"", "Pod", "status.phase", NULL, ""},
        {"", "Pod", "status.podIP", NULL, ""},
        {"", "Pod", "status.podIPs", "status.podIP", ""},
        {"", "Pod", "status.nominatedNodeName", NULL, ""},
        {"", "Node", "spec.unschedulable", NULL, "false"},
        {"", "ReplicationController", "status.replicas", NULL, "0"},
        {"", "Namespace", "status.phase", NULL, ""},
        {"", "Secret", "type", NULL, ""},
        {"", "Service", "spec.clusterIP", NULL, ""},
        {"", "Service", "spec.type", NULL, ""},
        {"", "Event", "involvedObject.kind", NULL, ""},
        {"", "Event", "involvedObject.namespace", NULL, ""},
        {"", "Event", "involvedObject.name", NULL, ""},
        {"", "Event", "involvedObject.uid", NULL, ""},
        {"", "Event", "involvedObject.apiVersion", NULL, ""},
        {"", "Event", "involvedObject.resourceVersion", NULL, ""},
        {"", "Event", "involvedObject.fieldPath", NULL, ""},
        {"", "Event", "reason", NULL, ""},
        {"", "Event", "reportingComponent", NULL, ""},
        {"", "Event", "source", "source.component", ""},
        {"", "Event", "type", NULL, ""},
        {"events.k8s.io", "Event", "regarding.kind", "involvedObject.kind", ""},
        {"events.k8s.io", "Event", "regarding.namespace", "involvedObject.namespace", ""},
        {"events.k8s.io", "Event", "regarding.name", "involvedObject.name", ""},
        {"events.k8s.io", "Event", "regarding.uid", "involvedObject.uid", ""},
        {"events.k8s.io", "Event", "regarding.apiVersion", "involvedObject.apiVersion", ""},
        {"events.k8s.io", "Event", "regarding.resourceVersion", "involvedObject.resourceVersion", ""},
        {"events.k8s.io", "Event", "regarding.fieldPath", "involvedObject.fieldPath", ""},
        {"events.k8s.io", "Event", "reason", NULL, ""},
        {"events.k8s.io", "Event", "reportingController", "reportingComponent", ""},
        {"events.k8s.io", "Event", "type", NULL, ""},
        {"batch", "Job", "status.successful", "status.succeeded", "0"},
        {"certificates.k8s.io", "CertificateSigningRequest", "spec.signerName", NULL, ""},
        {"resource.k8s.io", "ResourceSlice", "spec.nodeName", NULL, ""},
        {"resource.k8s.io", "ResourceSlice", "spec.driver", NULL, ""},
};

static const struct field *field_of(const struct schema_kind *kind, const char *name, bool *special)
{
	*special = kind->crd != NULL;
	for (size_t i = 0; i < KT_COUNT(fields); i++) {
		if (!kt_streq(fields[i].kind, kind->kind) || !kt_streq(fields[i].group, kind->group))
			continue;
		*special = true;
		if (kt_streq(fields[i].field, name))
			return &fields[i];
	}
	return NULL;
}

static bool selectable(const struct schema_kind *kind, const char *name)
{
	const struct kt_json *version, *field;

	KT_JSON_EACH (version, kt_path(kind->crd, "spec.versions")) {
		KT_JSON_EACH (field, kt_get(version, "selectableFields")) {
			const char *path = kt_get_str(field, "jsonPath");

			if (path && kt_streq(path + (*path == '.'), name))
				return true;
		}
	}
	return false;
}

static bool check_field(const struct schema_kind *kind, const char *name, struct kt_buf *why)
{
	bool special;

	if (field_of(kind, name, &special) || kt_streq(name, "metadata.name") || selectable(kind, name) ||
	    (kt_streq(name, "metadata.namespace") && (kind->namespaced || !special)))
		return true;
	if (kt_streq(kind->kind, "Job") && kt_streq(kind->group, "batch"))
		kt_buf_addf(why, "field label \"%s\" not supported for Job", name);
	else if (kt_streq(kind->kind, "ResourceSlice") && kt_streq(kind->group, "resource.k8s.io"))
		kt_buf_addf(why, "field label not supported for %s, Kind=%s: %s", kind->api_version,
		            kind->kind, name);
	else if (special)
		kt_buf_addf(why, "field label not supported: %s", name);
	else
		kt_buf_addf(why,
		            "\"%s\" is not a known field selector: only \"metadata.name\", "
		            "\"metadata.namespace\"",
		            name);
	return false;
}

/* apimachinery pkg/fields/selector.go UnescapeValue; NULL and `why` if it is not escaped as it should be. */
static char *unescape(const char *text, size_t len, struct kt_buf *why)
{
	struct kt_buf out = {0};
	size_t why_len = why->len;

	for (size_t i = 0; i < len && why->len == why_len; i++) {
		if (text[i] == ',' || text[i] == '=') {
			kt_buf_addf(why, "invalid field selector: unescaped character in value: %d", text[i]);
		} else if (text[i] != '\\') {
			kt_buf_addc(&out, text[i]);
		} else if (i + 1 < len && strchr("\\,=", text[i + 1])) {
			kt_buf_addc(&out, text[++i]);
		} else {
			kt_buf_addf(why, "invalid field selector: invalid escape sequence: %.*s",
			            (int)KT_MIN(len - i, 2), text + i);
		}
	}
	if (why->len == why_len)
		return kt_buf_take(&out);
	kt_buf_clear(&out);
	return NULL;
}

static bool parse_term(const char *text, size_t len, const char *whole, struct api_requirement *r,
                       struct kt_buf *why)
{
	static const struct {
		const char *text;
		enum api_operator op;
	} ops[] = {{"!=", API_NOT_EQUALS}, {"==", API_EQUALS}, {"=", API_EQUALS}};

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\') {
			i++;
			continue;
		}
		for (size_t k = 0; k < KT_COUNT(ops); k++) {
			size_t op_len = strlen(ops[k].text);

			if (len - i < op_len || strncmp(text + i, ops[k].text, op_len) != 0)
				continue;
			r->op = ops[k].op;
			r->key = kt_strndup(text, i);
			char *value = unescape(text + i + op_len, len - i - op_len, why);
			if (value)
				kt_strs_steal(&r->values, value);
			return value != NULL;
		}
	}
	kt_buf_addf(why, "invalid selector: '%s'; can't understand '%.*s'", whole, (int)len, text);
	return false;
}

bool api_fields_parse(const char *text, const struct schema_kind *kind, struct api_fields *out,
                      struct kt_buf *why)
{
	const char *at = text;
	bool fine = true;

	*out = (struct api_fields){0};
	while (fine && at && *at) {
		size_t len = 0;
		struct api_requirement *r;

		while (at[len] && at[len] != ',')
			len += at[len] == '\\' && at[len + 1] ? 2 : 1;
		if (len) {
			r = add(&out->items, &out->count, &out->cap);
			fine = parse_term(at, len, text, r, why) && check_field(kind, r->key, why);
		}
		at += len;
		if (*at == ',')
			at++;
	}
	if (!fine)
		api_fields_clear(out);
	return fine;
}

static bool field_is(const struct schema_kind *kind, const struct kt_json *object, const char *name,
                     const char *want)
{
	bool special;
	const struct field *field = field_of(kind, name, &special);
	const struct kt_json *value = kt_path(object, field && field->path ? field->path : name);
	char *text;
	bool same;

	if (kt_streq(name, "source") && !value)
		value = kt_get(object, "reportingComponent");
	if (!value)
		return kt_streq(want, field ? field->absent : "");
	if (kt_str(value))
		return kt_streq(kt_str(value), want);
	text = kt_json_text(value);
	same = kt_streq(text, want);
	kt_free(text);
	return same;
}

bool api_fields_match(const struct api_fields *selector, const struct schema_kind *kind,
                      const struct kt_json *object)
{
	for (size_t i = 0; i < selector->count; i++) {
		const struct api_requirement *r = &selector->items[i];

		if (field_is(kind, object, r->key, r->values.items[0]) != (r->op == API_EQUALS))
			return false;
	}
	return true;
}

void api_fields_clear(struct api_fields *selector)
{
	clear_items(selector->items, selector->count);
	*selector = (struct api_fields){0};
}
