/* SPDX-License-Identifier: MIT */
/* base: what every other module stands on. Knows nothing of Kubernetes beyond
 * its notations (quantities, RFC 3339 times, labels are elsewhere); no curses,
 * no sockets of its own, no SQLite. This is the header to include. */
#ifndef KT_BASE_H
#define KT_BASE_H

#include "base/mem.h"
#include "base/err.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/jsonpath.h"
#include "base/yaml.h"
#include "base/quantity.h"
#include "base/time.h"
#include "base/random.h"
#include "base/codec.h"
#include "base/http.h"
#include "base/file.h"
#include "base/loop.h"

#endif
