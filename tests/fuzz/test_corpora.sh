#!/bin/sh
# SPDX-License-Identifier: MIT
# Every fuzz corpus once, without the sanitizers (make fuzz-replay has them): what was found once stays mended.
set -u
cd "$(dirname "$0")" || exit 1
programs=$(dirname "${KTUTOR:-$PWD/../../build/ktutor}")/fuzz
status=0
for target in fuzz_*.c; do
	name=${target#fuzz_}
	name=${name%.c}
	if out=$("$programs/$name" "corpus/$name" 2>&1); then
		echo "ok - fuzz corpus: $out"
	else
		echo "not ok - fuzz corpus: $name"
		echo "$out" | sed 's/^/    /'
		status=1
	fi
done
exit $status
