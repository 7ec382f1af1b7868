/* SPDX-License-Identifier: MIT */
/* Inside the kubelet: parts of an image reference. */
#ifndef IMAGES_H
#define IMAGES_H

#include "cluster/kubelet/process.h"

/* The files that every container with this set of tools has. */
const struct files_seed *image_base_files(const struct image *image);
/* Its shell and tools are busybox's (a Debian one may have busybox beside its own). */
bool image_is_busybox(const struct image *image);
/* True if `image` has the tool set `word`. */
bool image_has_tools(const struct image *image, const char *word);

#endif
