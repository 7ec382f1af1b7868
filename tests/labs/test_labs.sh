#!/bin/sh
# SPDX-License-Identifier: MIT
# Labs as strangers write them, from the document of the language alone: each proves itself (start, solution, near misses, other right answers).
# They run in virtual time. A pack from elsewhere with a wrong lab in it: the wrong one is told, the others go on.
set -u
cd "$(dirname "$0")/../.." || exit 1
ktutor=${KTUTOR:-$PWD/build/ktutor}
KTUTOR_HOME=$(mktemp -d "${TMPDIR:-/tmp}/ktutor-labs.XXXXXX") || exit 1
HOME=$KTUTOR_HOME
export KTUTOR_HOME HOME
trap '"$ktutor" cluster down --all >/dev/null 2>&1; rm -rf "$KTUTOR_HOME"' EXIT
trap 'exit 1' INT TERM
out=$KTUTOR_HOME/out
ok() { # STATUS NAME
	if [ "$1" = 0 ]; then
		echo "ok - $2"
	else
		echo "not ok - $2"
		sed 's/^/    /' "$out"
	fi
}

"$ktutor" course test tests/labs >"$out" 2>&1
code=$?
for lab in tests/labs/*/lab.yaml; do
	name=$(basename "$(dirname "$lab")")
	! grep -q "^$name: FAILED" "$out" && grep -q "^$name: 0 failed" "$out"
	ok $? "the lab $name proves itself"
done
[ "$code" = 0 ]
ok $? "the proof ends with 0"

pack=$KTUTOR_HOME/pack
mkdir -p "$pack/broken" && cp -r tests/labs/self-healing "$pack/"
printf 'lab: broken\ntitle: Broken\ntasks:\n  - task: a\n    title: A\n    checks:\n      - objct: pod web\n' >"$pack/broken/lab.yaml"
"$ktutor" lab add "$pack" >"$out" 2>&1
grep -q '1 lab added' "$out" && grep -q "lab.yaml:7: the list of checks has no 'objct': did you mean 'object'" "$out"
ok $? "a pack is added; its wrong lab is told with file, line and remedy"
"$ktutor" lab list >"$out" 2>&1 && grep -q '^self-healing' "$out" && grep -q '^zone-goes-dark' "$out"
ok $? "the other labs go on"
"$ktutor" lab start self-healing >"$out" 2>&1 && "$ktutor" check --no-wait --format tap >>"$out" 2>&1
[ $? = 1 ] && grep -q 'not ok 1 - self-healing survives' "$out"
ok $? "one of the pack is started by name and checked"
"$ktutor" check broken >"$out" 2>&1
[ $? = 4 ]
ok $? "the wrong one ends with 4"
"$ktutor" lab remove "$pack" >"$out" 2>&1 && KTUTOR_LABS=$pack "$ktutor" lab list >>"$out" 2>&1 && grep -q '^self-healing' "$out"
ok $? "KTUTOR_LABS does the same for one command"
