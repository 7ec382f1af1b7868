#!/bin/sh
# SPDX-License-Identifier: MIT
# Labs as strangers write them, from the document of the language alone: each proves itself (start, solution, near misses, other right answers).
# They run in virtual time. A pack from elsewhere with a wrong lab in it: the wrong one is told, the others go on.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/script.sh

"$ktutor" course test tests/labs >"$out" 2>&1
code=$?
for lab in tests/labs/*/lab.yaml; do
	name=$(basename "$(dirname "$lab")")
	! grep -q "^$name: FAILED" "$out" && grep -q "^$name: 0 failed" "$out"
	ok $? "the lab $name proves itself"
done
[ "$code" = 0 ]
ok $? "the proof ends with 0"

# lint: a new lab has nothing that is found; what is broken then is found, all of it
new=$KTUTOR_HOME/new/my-lab
"$ktutor" course new "$new" >"$out" 2>&1 && "$ktutor" course lint "$new" >>"$out" 2>&1 && "$ktutor" course test "$new" >>"$out" 2>&1
ok $? "a new lab passes lint and proves itself"
rm "$new/solution.md"
sed 's/^setup:/setup:\n  - zone: {name: b, is: down}/' "$new/lab.yaml" >"$new/lab.new" && mv "$new/lab.new" "$new/lab.yaml"
printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: c, image: i, port: 80}]}\n---\napiVersion: v1\nkind: Pud\nmetadata: {name: x}\n' >"$new/start.yaml"
"$ktutor" course lint "$new" >"$out" 2>&1
[ $? = 4 ] && grep -q 'no solution.md' "$out" && grep -q "setup needs 'zones'" "$out" && grep -q 'start.yaml:1: .*unknown field "spec.containers\[0\].port"' "$out" &&
	grep -q "start.yaml:6: Kubernetes has no kind 'Pud' in v1" "$out"
ok $? "lint tells what is missing, not declared, not of Kubernetes"

sed 's/zone: {name: b/zone: {name: q/' "$new/lab.yaml" >"$new/lab.new" && mv "$new/lab.new" "$new/lab.yaml"
"$ktutor" lab start "$new" >"$out" 2>&1
[ $? = 4 ] && grep -q "lab.yaml:[0-9]*: none of the lab's machines is in zone 'q'; there is: a, b, c" "$out"
ok $? "a zone that is not there is told before anything starts"

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
exit $status
