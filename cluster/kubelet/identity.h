/* SPDX-License-Identifier: MIT */
/* Who the programs of a container are: from the pod's security contexts, the image's user and the image's
 * /etc/passwd and /etc/group, as a container runtime puts them together. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "cluster/kubelet/process.h"

/* The ids, and whether permissions bind. Reads the container's files. */
void identity_of(const struct container *container, const struct image *image, struct files_user *out);
/* What the runtime leaves to root of a container with this securityContext (may be NULL), as in CapBnd of
 * /proc/self/status. Only some of it is looked at in here: CAP_DAC_OVERRIDE. */
uint64_t identity_capabilities(const struct kt_json *security);
bool identity_overrides(uint64_t capabilities);                   /* permissions of files do not bind */
bool identity_may(uint64_t capabilities, const char *capability); /* "SYS_ADMIN" */
/* The name of a user or group in the container's own files; false if there is none. */
bool identity_user_name(const struct container *container, uint32_t uid, struct kt_buf *out);
bool identity_group_name(const struct container *container, uint32_t gid, struct kt_buf *out);
/* Their numbers, from names or digits; -1 if there are none of that name. */
int64_t identity_user(const struct container *container, const char *name);
int64_t identity_group(const struct container *container, const char *name);
/* HOME of the user; "/" for one that /etc/passwd does not know. */
void identity_home(const struct container *container, uint32_t uid, struct kt_buf *out);

#endif
