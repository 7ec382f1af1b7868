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
echo '- apply: nowhere.yaml' >"$new/wrong/off-by-one/step.yaml"
"$ktutor" course test "$new" >"$out" 2>&1
[ $? = 4 ] && grep -q 'FAILED wrong/off-by-one: .*/step.yaml:1: .*nowhere.yaml: No such file' "$out"
ok $? "what a near miss cannot do is told alone"
rm "$new/wrong/off-by-one/step.yaml" "$new/solution.md"
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

# A set-up that waits for what never comes ends with a sentence, in no time; time goes on, held by nobody.
never=$KTUTOR_HOME/new/never
"$ktutor" course new "$never" >"$out" 2>&1 && sed 's/^setup:/setup:\n  - wait: {for: {ready: {of: deployment default\/nobody}}, within: 1h}/' "$never/lab.yaml" >"$never/lab.new" &&
	mv "$never/lab.new" "$never/lab.yaml" && "$ktutor" lab start "$never" >"$out" 2>&1
[ $? != 0 ] && grep -q 'lab.yaml:[0-9]*: wait: not so after 3600 s: expected .*; found ' "$out"
ok $? "a set-up that waits for ever ends with what it waited for"
"$ktutor" cluster time never >"$out" 2>&1 && grep -q "  running  1x  \(1h\|59m\)" "$out"
ok $? "and the clock is let go"
"$ktutor" cluster down never >/dev/null 2>&1

# What stands where something else is expected is told with its line; a number in quotes is a number.
form=$KTUTOR_HOME/form/form
"$ktutor" course new "$form" >"$out" 2>&1
cp "$form/lab.yaml" "$form/good"
while IFS='|' read -r change told; do
	sed "$change" "$form/good" >"$form/lab.yaml"
	"$ktutor" course lint "$form" --fast >"$out" 2>&1
	grep -q "lab.yaml:[0-9]*: $told" "$out"
	ok $? "told: $told"
done <<'END'
s/minutes: 15/minutes: ten/|'minutes': expected a whole number
s/points: 1/points: many/|'points': expected a whole number
s/memory: 8Gi/memory: lots/|'memory': expected a quantity, as in 8Gi
s/count: 3/count: few/|'count': expected a number
s,object: configmap default/answer,object: configmap a/b/c,|'object': expected an object, written `KIND NAMESPACE/NAME`
s/needs: \[\]/needs: [nodez]/|the list of capabilities has no 'nodez'
s,- object: configmap default/answer,- http: {from: {new-pod: default}\, to: "htp://web/"}\n      - object: configmap default/answer,|'to': expected http:// or https://, or `service ns/name`, not 'htp://'
s/title: What is wanted/title: what: is wanted/|mapping values are not allowed in this context; a text with `: ` in it wants quotes
s/has: {/has: {spec.a[0].b: c, /|did not find expected ',' or '}'; a text with \[ \] { } , or : inside { } wants quotes
s/why: Why it matters in production./why: [because]/|'why': expected a text
s/title: What is wanted/title: {what: is wanted}/|'title': expected a text
s/has: {/has: {a.b: {atleast: 1}, /|the language has no 'atleast': did you mean 'at-least'?
END
cp "$form/good" "$form/lab.yaml"
miss=$form/wrong/off-by-one/expect.yaml
while IFS='|' read -r rows told; do
	echo "$rows" >"$miss"
	"$ktutor" course lint "$form" --fast >"$out" 2>&1
	[ $? = 4 ] && grep -q "expect.yaml:1: $told" "$out"
	ok $? "told of expect.yaml: $told"
done <<'END'
- {task: nobody, finding: x}|the lab has no 'nobody'
- {finding: x}|expected `{task: NAME, finding: WORDS}`
- {task: a, finds: x}|expect.yaml has no 'finds'
- {task: first-task, finding: {a: b}}|'finding': expected a text or a list of texts
END
sed 's/minutes: 15/minutes: "15"/; s/points: 1/points: "2"/; s/count: 3/count: "3"/; s/cpu: 4/cpu: "4"/' "$form/good" >"$form/lab.yaml"
"$ktutor" lab start "$form" >"$out" 2>&1 && grep -q '(2 points)' "$out" && [ "$(KUBECONFIG=$KTUTOR_HOME/clusters/form/kubeconfig kubectl get nodes -o name | grep -c general)" = 3 ]
ok $? "a number in quotes is a number"
"$ktutor" lab stop form >/dev/null 2>&1

# A proof that is killed leaves its cluster behind: the next one ends it.
"$ktutor" course test tests/labs/told-why >"$out" 2>&1 &
proof=$!
while kill -0 $proof 2>/dev/null && [ ! -f "$KTUTOR_HOME/proofs/$proof/clusters/told-why/kubeconfig" ]; do sleep 0.02; done
kill -9 $proof
wait $proof 2>/dev/null
left=$(KTUTOR_HOME=$KTUTOR_HOME/proofs/$proof "$ktutor" cluster status told-why --format json | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')
"$ktutor" course test "$form" >"$out" 2>&1
case "$left $(ps -o stat= -p "$left")" in [0-9]*' ' | [0-9]*' Z'*) [ -z "$(ls "$KTUTOR_HOME/proofs")" ] ;; *) false ;; esac
ok $? "what a killed proof left behind is cleared by the next"

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

# What varies is drawn at each start; every variant is proved; a wrong one is told.
lab=$KTUTOR_HOME/drawn/any-of-three
"$ktutor" course new "$lab" >"$out" 2>&1
sed -e 's/^cluster:/vary: {word: [one, two, three]}\nmeaning: {word: {one: {number: 1}, two: {number: 2}, three: {number: 3}}}\ncluster:/' \
	-e 's/text: What must be so.*/text: The word is {word}, the number {number}./' "$lab/lab.yaml" >"$lab/lab.new" && mv "$lab/lab.new" "$lab/lab.yaml"
"$ktutor" lab start "$lab" >"$out" 2>&1 && grep -q 'The word is one, the number 1\.' "$out" && "$ktutor" lab stop "$lab" >"$out" 2>&1 &&
	"$ktutor" lab start "$lab" >"$out" 2>&1 && grep -q 'The word is t' "$out" && "$ktutor" lab stop "$lab" >"$out" 2>&1
ok $? "the first start is the first variant, the next another one"
KTUTOR_DRAW=1 "$ktutor" lab start "$lab" >"$out" 2>&1 && grep -q 'The word is two, the number 2\.' "$out" &&
	KTUTOR_DRAW=2 "$ktutor" lab start "$lab" >"$out" 2>&1 && grep -q 'The word is two, the number 2\.' "$out"
ok $? "what was drawn stays as long as the lab runs"
"$ktutor" lab stop "$lab" >"$out" 2>&1 && KTUTOR_DRAW=2 "$ktutor" lab start "$lab" >"$out" 2>&1 && grep -q 'The word is three, the number 3\.' "$out"
ok $? "the next start draws anew"
"$ktutor" lab stop "$lab" >"$out" 2>&1
drawn=
for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
	drawn="$drawn $("$ktutor" lab start --fresh "$lab" 2>&1 | sed -n 's/.*The word is \([a-z]*\),.*/\1/p')"
done
echo "$drawn" >"$out"
[ "$(echo "$drawn" | tr ' ' '\n' | grep . | sort -u | wc -l)" -gt 1 ] && [ "$(echo "$drawn" | wc -w)" = 12 ]
ok $? "without being told which, by lot"
"$ktutor" lab stop "$lab" >"$out" 2>&1
"$ktutor" course test "$lab" >"$out" 2>&1 && grep -q 'solution with word two, number 2: passes' "$out" && grep -q 'solution with word three, number 3: passes' "$out"
ok $? "the proof holds for every variant"

# what was drawn is in the manifests, the answers and the texts, too
wide=$KTUTOR_HOME/drawn/in-all-files
"$ktutor" course new "$wide" >"$out" 2>&1
sed -e 's/^cluster:/vary: {word: [one, two, three], number: [4, 5]}\nmeaning: {number: {4: {twice: 8}, 5: {twice: 10}}}\ncluster:/' \
	-e 's#configmap default/answer#configmap default/answer-{word}#' -e 's/data.value: "42"/data.value: "{twice}"/' "$wide/lab.yaml" >"$wide/lab.new" &&
	mv "$wide/lab.new" "$wide/lab.yaml"
for file in start.yaml solution/10-answer.yaml also-right/labelled/answer.yaml wrong/off-by-one/answer.yaml; do
	sed -e 's/name: \(answer\|question\)/name: "\1-{word}"/' -e 's/"42"/"{twice}"/' -e 's/"?"/"{number}"/' "$wide/$file" >"$wide/new" && mv "$wide/new" "$wide/$file"
done
echo 'Twice {number} is {twice}; {else} is not drawn.' >"$wide/solution.md"
"$ktutor" course lint "$wide" >"$out" 2>&1 && "$ktutor" course test "$wide" >>"$out" 2>&1 && grep -q 'solution with word two, number 5, twice 10: passes' "$out" &&
	grep -q 'solution with word three, number 4, twice 8: passes' "$out" && [ "$(grep -c 'solution with' "$out")" = 2 ]
ok $? "every value of what varies is proved once, in manifests as well"
"$ktutor" course test "$wide" --seeds 3 >"$out" 2>&1 && [ "$(grep -c 'solution with .*: passes' "$out")" = 3 ] &&
	[ "$(grep -c 'wrong/off-by-one: fails as it should' "$out")" = 4 ] && [ "$(grep -c 'also-right/labelled: passes' "$out")" = 4 ]
ok $? "with --seeds variants are drawn and proved in full"
KTUTOR_DRAW=4 "$ktutor" lab start "$wide" >"$out" 2>&1 && KUBECONFIG=$KTUTOR_HOME/clusters/in-all-files/kubeconfig kubectl get configmap question-two -o 'jsonpath={.data.value}' >"$out" 2>&1 &&
	[ "$(cat "$out")" = 5 ]
ok $? "a start sets up what was drawn"
"$ktutor" lab solution "$wide" >"$out" 2>&1
grep -q 'Twice 5 is 10; {else} is not drawn' "$out" && grep -q 'answer-two' "$out"
ok $? "the solution shown is that of what was drawn"
(cd "$wide" && sed 's/Twice/Two times/' solution.md >new && mv new solution.md && touch -d '+2 seconds' solution.md)
"$ktutor" lab solution "$wide" >"$out" 2>&1
grep -q 'Two times 5 is 10' "$out"
ok $? "what is written anew is laid down anew"
"$ktutor" lab stop "$wide" >"$out" 2>&1
sed 's/data.value: "42"/data.value: "4{number}"/' "$lab/lab.yaml" >"$lab/lab.new" && mv "$lab/lab.new" "$lab/lab.yaml"
sed 's/"42"/"41"/' "$lab/solution/10-answer.yaml" >"$lab/solution/new" && mv "$lab/solution/new" "$lab/solution/10-answer.yaml"
"$ktutor" course test "$lab" --parts solution >"$out" 2>&1
[ $? = 4 ] && grep -q '^any-of-three: solution: passes' "$out" && grep -q "FAILED solution with word two, number 2: task 'first-task': expected configmap default/answer: data.value 42; found data.value is 41" "$out"
ok $? "a variant that the solution does not pass is told"
sed 's/^vary:.*/vary: {word: one}/' "$lab/lab.yaml" >"$lab/lab.new" && mv "$lab/lab.new" "$lab/lab.yaml"
"$ktutor" course lint "$lab" >"$out" 2>&1
[ $? = 4 ] && grep -q "vary: 'word': expected a list to draw from" "$out"
ok $? "what cannot be drawn from is told"
exit $status
