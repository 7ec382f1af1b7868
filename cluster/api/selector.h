/* SPDX-License-Identifier: MIT */
/* Selectors as they come in URLs: labels ("app in (a,b),!x"), fields ("status.phase!=Running"). Words and
 * grammar of k8s.io/apimachinery/pkg/labels and fields. */
#ifndef API_SELECTOR_H
#define API_SELECTOR_H

#include "cluster/api/api.h"

enum api_operator {
	API_EXISTS,
	API_ABSENT,
	API_IN,
	API_NOT_IN,
	API_EQUALS,
	API_NOT_EQUALS,
	API_GREATER,
	API_LESS
};
struct api_requirement {
	char *key;
	enum api_operator op;
	struct kt_strs values;
};
struct api_labels {
	struct api_requirement *items;
	size_t count, cap;
};
/* False with the real parser's words in `why`. */
bool api_labels_parse(const char *text, struct api_labels *out, struct kt_buf *why);
bool api_labels_match(const struct api_labels *selector, const struct kt_json *labels);
void api_labels_clear(struct api_labels *selector);

struct api_fields {
	struct api_requirement *items; /* API_EQUALS, API_NOT_EQUALS */
	size_t count, cap;
};
bool api_fields_parse(const char *text, const struct schema_kind *kind, struct api_fields *out,
                      struct kt_buf *why);
bool api_fields_match(const struct api_fields *selector, const struct schema_kind *kind,
                      const struct kt_json *object);
void api_fields_clear(struct api_fields *selector);

#endif
