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
exit $status
