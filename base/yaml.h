/* SPDX-License-Identifier: MIT */
/* YAML in, through libyaml: documents as JSON values with a place for every node, so that errors can name
 * file and line. YAML 1.1 scalars as sigs.k8s.io/yaml reads them (yes/no/on/off are booleans, 0o17 and 017
 * octal, ~ null); quoted = string. Aliases and merge keys work; depth (100), aliases expanded (10,000 nodes)
 * and size (4 MiB) are capped. A key that is set twice in one mapping is an error. */
#ifndef KT_YAML_H
#define KT_YAML_H

#include "base/json.h"

struct kt_yaml; /* the documents of one text */

/* `file` is for messages. */
KT_MUST_CHECK enum kt_code kt_yaml_parse(const char *file, const char *text, size_t len, struct kt_yaml **out,
                                         struct kt_err *err);
/* y, Y, n, N are texts, as everywhere but in Kubernetes' reader: a file of ours may call its zones x, y, z.
 */
KT_MUST_CHECK enum kt_code kt_yaml_parse_letters(const char *file, const char *text, size_t len,
                                                 struct kt_yaml **out, struct kt_err *err);
/* A file of ours, letters as texts. */
KT_MUST_CHECK enum kt_code kt_yaml_read(const char *path, struct kt_yaml **out, struct kt_err *err);
void kt_yaml_free(struct kt_yaml *yaml);
size_t kt_yaml_count(const struct kt_yaml *yaml); /* documents; empty ones are left out */
const struct kt_json *kt_yaml_doc(const struct kt_yaml *yaml,
                                  size_t i); /* borrowed; its nodes are unshared, so addresses are unique */
const char *kt_yaml_file(const struct kt_yaml *yaml);
/* The 1-based line at which `node` (any value below a document) starts; 0 when it is not of this text. */
unsigned kt_yaml_line(const struct kt_yaml *yaml, const struct kt_json *node);
/* The line of the i-th member's key. */
unsigned kt_yaml_key_line(const struct kt_yaml *yaml, const struct kt_json *object, size_t i);
/* Fail with "FILE:LINE: " in front. */
enum kt_code kt_yaml_fail(const struct kt_yaml *yaml, const struct kt_json *node, struct kt_err *err,
                          const char *fmt, ...) KT_PRINTF(4, 5);
/* Every key of `object` (a map, called `what` in messages) is one of `known`; else an error with the nearest
 * of them. */
KT_MUST_CHECK enum kt_code kt_yaml_keys(const struct kt_yaml *yaml, const struct kt_json *object,
                                        const char *what, const char *const *known, size_t count,
                                        struct kt_err *err);
/* Fail at `node`: `what` has no `key`; with the nearest of `known`, or all of them. */
enum kt_code kt_yaml_unknown_key(const struct kt_yaml *yaml, const struct kt_json *node, const char *what,
                                 const char *key, const char *const *known, size_t count, struct kt_err *err);
/* Block-style YAML as `kubectl -o yaml` prints it (sigs.k8s.io/yaml: keys sorted unless keep_order, strings
 * quoted only where needed). */
void kt_yaml_print(const struct kt_json *v, bool keep_order, struct kt_buf *out);

#endif
