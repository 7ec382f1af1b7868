/* SPDX-License-Identifier: MIT */
/* kubectl's JSONPath (k8s.io/client-go/util/jsonpath): .a.b, ['a.b'], [0], [-1], [1:3:2], [*], ..,
 * [?(@.x=="y")] with
 * == != < <= > >= and nested paths, unions [a,b]. With or without the outer braces and the leading dot or $;
 * a dot in a name may be written \. */
#ifndef KT_JSONPATH_H
#define KT_JSONPATH_H

#include "base/json.h"

struct kt_jsonpath;
KT_MUST_CHECK enum kt_code kt_jsonpath_new(const char *text, struct kt_jsonpath **out, struct kt_err *err);
void kt_jsonpath_free(struct kt_jsonpath *path);
/* Every value that fits, in order, as a new array (empty if none): items share structure with `root`. */
struct kt_json *kt_jsonpath_find(const struct kt_jsonpath *path, const struct kt_json *root);

#endif
