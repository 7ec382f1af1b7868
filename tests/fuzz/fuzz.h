/* SPDX-License-Identifier: MIT */
/* What every fuzz target offers. libFuzzer calls it (make fuzz TARGET=x); else replay.c does, with the files
 * of tests/fuzz/corpus/x (make fuzz-replay). A property that does not hold ends the program. */
#ifndef KT_FUZZ_H
#define KT_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
