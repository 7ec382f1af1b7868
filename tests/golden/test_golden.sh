#!/bin/sh
# SPDX-License-Identifier: MIT
# Transcripts of a real cluster, replayed with the real kubectl on the embedded one: see README.md beside this.
set -u
cd "$(dirname "$0")" || exit 1
ktutor=${KTUTOR:-$PWD/../../build/ktutor}

skip() {
	echo "ok - golden transcripts # skip $1"
	exit 0
}
command -v python3 >/dev/null 2>&1 || skip "there is no python3 here"

# They were recorded with kubectl 1.33; other versions word some things differently.
IFS=:
set -f
for folder in $PATH "$(dirname "$(readlink -f "$(command -v kubectl 2>/dev/null)" 2>/dev/null)")"; do
	for kubectl in "$folder/kubectl.1.33" "$folder/kubectl-1.33" "$folder/kubectl"; do
		[ -x "$kubectl" ] || continue
		any=$kubectl
		"$kubectl" version --client 2>/dev/null | grep -q 'v1\.33\.' && exec python3 replay.py "$ktutor" "$kubectl" "$@"
	done
done
[ -n "${any:-}" ] || skip "there is no kubectl here"
skip "they were recorded with kubectl 1.33, which is not here ($any is another)"
