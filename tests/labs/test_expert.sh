#!/bin/sh
# SPDX-License-Identifier: MIT
# Predictions: locked until the level is complete and the word was typed; then every family is played on a cluster: twice with one seed, the same
# question, the same answer; with other seeds, too. What the explanation reckons is what happens, and what happens is among what is offered. What was
# predicted and how sure the learner was is kept.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/script.sh

"$ktutor" expert list --format json >"$out" 2>&1
python3 -c 'import json, sys; rows = json.load(open(sys.argv[1])); sys.exit(len(rows) < 20 or not all(r["family"] and r["locked"] for r in rows))' "$out"
ok $? "the list names twenty families and more, locked"
"$ktutor" expert play zone-loss --seed 1 </dev/null >"$out" 2>&1
[ $? = 1 ] && grep -q 'locked. Of level 6 is still to do' "$out"
ok $? "a locked round is not played, and what is missing is told"
echo EXPERT | "$ktutor" expert >"$out" 2>&1
[ $? = 1 ]
ok $? "the word alone does not open the gate"

# as if the level were complete and the word typed
python3 -c 'import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute("INSERT INTO unlock VALUES (?, 1, 0)", ("EXPERT",)); db.commit()' "$KTUTOR_HOME/progress.db"
families=$("$ktutor" expert list | awk '/^[a-z-]+ /{print $1}')
for family in $families; do
	echo "0 60%" | "$ktutor" expert play "$family" --seed 7 --format json >"$out" 2>&1 && cp "$out" "$out.first" &&
		echo "0 60%" | "$ktutor" expert play "$family" --seed 7 --format json >"$out" 2>&1 &&
		python3 -c '
import json, sys
def read(name):
    text = open(name).read()
    return json.loads(text[text.index("{"):])
a, b = read(sys.argv[1]), read(sys.argv[2])
sys.exit(a["answers"] != b["answers"] or a["drawn"] != b["drawn"] or None in a["answers"])' "$out.first" "$out"
	ok $? "$family is played, and a seed gives the same answers again"
	status_of=0
	for seed in 1 2 3; do
		"$ktutor" expert play "$family" --seed $seed --format json </dev/null >"$out.$seed" 2>&1 || status_of=1
	done
	[ $status_of = 0 ] && python3 -c '
import json, sys
for name in sys.argv[1:]:
    text = open(name).read()
    round = json.loads(text[text.index("{"):])
    for i, row in enumerate(round["agrees"]):
        if False in row.values():
            sys.exit("question %d with %s: %s is what happened, %s" % (i + 1, round["drawn"], round["answers"][i], row))' \
		"$out.first" "$out.1" "$out.2" "$out.3" >"$out" 2>&1
	ok $? "$family: what is reckoned happens, what happens is offered"
done
printf 'b 80%%\n(c)\n' | "$ktutor" expert play quota-leftover --seed 5 >"$out" 2>&1
[ "$(grep -c 'predicted 4$' "$out")" = 2 ] && grep -q '^   (b) 4$' "$out"
ok $? "a letter stands for what is offered"
"$ktutor" expert list >"$out" 2>&1 && grep -Eq "^[0-9]+ of $(echo $families | wc -w | awk '{print 2 * $1 + 2}') predictions right; calibration 0\." "$out"
ok $? "what was predicted is scored, and how sure it was"
"$ktutor" expert play zone-lost --seed 1 </dev/null >"$out" 2>&1
[ $? = 2 ] && grep -q "did you mean 'zone-loss'" "$out"
ok $? "an unknown family names the nearest"

# who reaches whom is asked of a pod that is started for it, at the moment that the question names
door=$KTUTOR_HOME/door.yaml
cat >"$door" <<'END'
prediction: door
vary: {from: [open, closed]}
meaning: {from: {open: {peers: "[{podSelector: {}}]", answer: yes}, closed: {peers: "[{podSelector: {matchLabels: {no: one}}}]", answer: no}}}
scene:
  - manifest: {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: default, labels: {app: web}}, spec: {containers: [{name: c, image: "nginx:1.27"}]}}
  - wait: {for: {ready: {of: pod default/web, at-least: 1}}, within: 1m}
action:
  - manifest: {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: default}, spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: {peers}}]}}
ask:
  - question: Can a new pod of the namespace reach it?
    holds: {connect: {from: {new-pod: default}, to: pod default/web:80, expect: open}}
    at: 5s
    reckoned: {answer}
explain: "It is {from}."
END
"$ktutor" course test "$door" --seeds 6 >"$out" 2>&1 && grep -q ': yes$' "$out" && grep -q ': no$' "$out"
ok $? "a question may be asked of a new pod"

# a stranger's round: a file, or one of a pack; it is proved as a lab is, and what it reckons wrongly is told
mkdir -p "$KTUTOR_HOME/pack/rounds"
round=$KTUTOR_HOME/pack/rounds/grow.yaml
cat >"$round" <<'END'
prediction: grow
vary: {replicas: [2, 3, 4]}
scene:
  - manifest:
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: web}
      spec:
        replicas: {replicas}
        selector: {matchLabels: {app: web}}
        template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: "nginx:1.27"}]}}
  - wait: {for: {ready: {of: deployment default/web, at-least: {replicas}}}, within: 2m}
action:
  - scale: {object: deployment default/web, replicas: 6}
ask:
  - question: How many are Ready a minute later?
    value: {objects: pods default app=web, count: ready}
    at: 1m
    reckoned: 6
explain: From {replicas} to 6.
END
"$ktutor" course test "$KTUTOR_HOME/pack" --seeds 2 >"$out" 2>&1 && grep -q '^grow: seed 2: 6$' "$out" && grep -q '^1 passed, 0 failed' "$out"
ok $? "a pack of predictions is proved"
sed 's/reckoned: 6/reckoned: {=replicas}/' "$round" >"$round.new" && mv "$round.new" "$KTUTOR_HOME/wrong.yaml"
"$ktutor" course test "$KTUTOR_HOME/wrong.yaml" --seeds 1 >"$out" 2>&1
[ $? = 4 ] && grep -q '^grow: FAILED seed 1, question 1: 6 is what happens, [234] was reckoned' "$out"
ok $? "what a prediction reckons wrongly is told"
sed 's/^ask:/asks:/' "$round" >"$KTUTOR_HOME/wrong.yaml"
"$ktutor" course lint "$KTUTOR_HOME/wrong.yaml" >"$out" 2>&1
[ $? = 4 ] && grep -q "wrong.yaml:[0-9]*: a prediction has no 'asks': did you mean 'ask'" "$out"
ok $? "what is wrong in one is told with its line"
echo 6 | "$ktutor" expert play "$round" --seed 3 >"$out" 2>&1 && grep -q 'happened  6' "$out"
ok $? "a file is played"
"$ktutor" lab add "$KTUTOR_HOME/pack" >"$out" 2>&1 && grep -q '0 labs and 1 prediction added' "$out" && "$ktutor" expert list >"$out" 2>&1 && grep -q '^grow ' "$out" &&
	"$ktutor" lab remove "$KTUTOR_HOME/pack" >"$out" 2>&1
ok $? "those of a pack are listed beside the course's own"
exit $status
