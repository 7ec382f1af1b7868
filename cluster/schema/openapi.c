/* SPDX-License-Identifier: MIT */
#include "cluster/schema/schema_internal.h"
void schema_openapi_free(struct schema *schema)
{
	(void)schema;
}
