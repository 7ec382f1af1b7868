/* SPDX-License-Identifier: MIT */
/* The table of providers, in the order in which they are offered. */
#include "labs/labs_internal.h"

const struct provider *const providers[] = {&provider_embedded, &provider_kind, &provider_context, NULL};

const struct provider *provider_find(const char *name)
{
	for (size_t i = 0; providers[i]; i++)
		if (kt_streq(providers[i]->name, name))
			return providers[i];
	return NULL;
}

const char *provider_lacks(const struct provider *provider, const struct lab *lab)
{
	for (size_t n = 0; lab->needs && lab->needs[n]; n++) {
		bool has = false;
		for (size_t c = 0; provider->capabilities[c]; c++)
			has = has || kt_streq(provider->capabilities[c], lab->needs[n]);
		if (!has)
			return lab->needs[n];
	}
	return NULL;
}
