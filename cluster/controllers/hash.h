/* SPDX-License-Identifier: MIT */
/* uthash with the house's hash: its own falls through cases, which the compilers object to. */
#ifndef CONTROLLERS_HASH_H
#define CONTROLLERS_HASH_H

#include "base/buf.h"

#define HASH_FUNCTION(key, len, out) ((out) = kt_hash32((key), (len)))
#include <uthash.h>

#endif
