/* SPDX-License-Identifier: MIT */
/* Patches and field ownership, as functions from values to values. */
#ifndef API_PATCH_H
#define API_PATCH_H

#include "cluster/api/api.h"

/* All: the patched value in *out (new), or false with a Status in the real server's words. `target` is not
 * changed. */
bool patch_json(const struct kt_json *target, const struct kt_json *operations, struct kt_json **out,
                struct api_status *status); /* RFC 6902 */
bool patch_merge(const struct kt_json *target, const struct kt_json *patch, struct kt_json **out,
                 struct api_status *status); /* RFC 7386 */
/* k8s.io/apimachinery/pkg/util/strategicpatch: merge keys, $patch, $deleteFromPrimitiveList,
 * $setElementOrder, $retainKeys. */
bool patch_strategic(const struct schema_type *type, const struct kt_json *target,
                     const struct kt_json *patch, struct kt_json **out, struct api_status *status);

/* --- errors that patches share, also with who decodes the patched object --- */
/* 422 in the server's words for a patch that cannot be applied, which say nothing. Returns false. */
bool patch_fail_unprocessable(struct api_status *status);
/* 422 where the object of a strategic patch cannot be decoded: `why` is the decoder's or "strict decoding
 * error: …". Returns false. */
bool patch_fail_undecodable(struct api_status *status, const struct kt_json *patch, const char *why);
/* The same where the server shows something else than the patch. */
bool patch_fail_text(struct api_status *status, const char *shown, const char *why);
/* The result of a JSON or merge patch as the server shows it: what the patch went into is a map of Go's, in
 * order of its keys, the rest is as it was. New. */
struct kt_json *patch_shown(const struct kt_json *patched, const struct kt_json *patch);
/* "string", "number"…, as encoding/json names what it found. */
const char *patch_json_kind(const struct kt_json *v);
/* As Go's %v prints a decoded JSON value: map[a:1 b:[x y]]. */
void patch_print_go(const struct kt_json *v, struct kt_buf *out);

/* --- managedFields (sigs.k8s.io/structured-merge-diff) --- */
/* Remembers what objects have in common: the field sets of values of a shape, and what came of putting sets
 * together. So a controller's hundredth pod costs next to nothing. One a cluster; everywhere NULL is fine. */
struct managed_cache;
struct managed_cache *managed_cache_new(void);
void managed_cache_free(struct managed_cache *cache);
/* A writer who sends `managedFields: []` wants them forgotten; decoding drops the empty list. Call this with
 * the body (or the patched value) after decoding it: it puts the list back for managed_update to see. */
void managed_keep_reset(const struct kt_json *raw, struct kt_json **object);
/* After a create or update by `manager`: `*object` gets metadata.managedFields. `old` NULL on create.
 * `subresource` "" or "status", "scale"… */
void managed_update_cached(struct managed_cache *cache, const struct schema_kind *kind,
                           const struct kt_json *old, struct kt_json **object, const char *manager,
                           const char *subresource, kt_ns now);
void managed_update(const struct schema_kind *kind, const struct kt_json *old, struct kt_json **object,
                    const char *manager, const char *subresource, kt_ns now);
/* A write of the Scale of an object whose replicas are at `path` ("spec.replicas"). The Scale's entries, from
 * those of the object; new. Then, of an `*object` that still has its own, what the written Scale's `scale`
 * make of them. */
struct kt_json *managed_to_scale(const struct kt_json *parent, const char *path);
void managed_from_scale(struct kt_json **object, const struct kt_json *scale, const char *path,
                        const char *api_version);
/* Call managed_update with the decoded and defaulted object before admission changes it: what admission adds
 * is nobody's. Server-side apply: `applied` is the body as it came (not defaulted; strictly decoded only for
 * its errors), `old` what is stored. *out is merged but not yet in schema order nor defaulted: decode and
 * default it as a body. On success *out is the merged object with managedFields (equal to `old` if nothing
 * changed). Conflicts: 409 with causes FieldManagerConflict, unless `force`. */
bool managed_apply(const struct schema_kind *kind, const struct kt_json *old /* NULL: create */,
                   const struct kt_json *applied, const char *manager, const char *subresource, bool force,
                   kt_ns now, struct kt_json **out, struct api_status *status);

#endif
