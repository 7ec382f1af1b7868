/* SPDX-License-Identifier: MIT */
/* What a plain YAML 1.1 scalar is, as sigs.k8s.io/yaml (goyaml.v2/resolve.go) takes it. */
#ifndef KT_YAML_INTERNAL_H
#define KT_YAML_INTERNAL_H

#include "base/json.h"

enum yaml_kind {
	YAML_STRING,
	YAML_NULL,
	YAML_BOOL,
	YAML_INT,
	YAML_REAL,
	YAML_BEYOND /* .inf, .nan */,
	YAML_TIME,
	YAML_MERGE
};

/* `*out` (may be NULL) gets a value of its own (json_fresh_*) for all kinds but YAML_BEYOND and YAML_MERGE.
 */
enum yaml_kind yaml_resolve(const char *s, size_t len, struct kt_json **out);
/* "1:30" and the like: other readers take them for numbers, so they are printed in quotes. */
bool yaml_is_base60(const char *s);

#endif
