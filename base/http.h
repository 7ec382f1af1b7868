/* SPDX-License-Identifier: MIT */
/* HTTP's own words. */
#ifndef KT_HTTP_H
#define KT_HTTP_H

/* The reason phrase of a status (RFC 9110; Go's words where they are older); "Unknown" of one that has none.
 * Static. */
const char *kt_http_reason(int status);

#endif
