#!/bin/sh
# SPDX-License-Identifier: MIT
# What a learner does, with the real kubectl: for each lab start it; check fails every task with a finding; the steps of the solution are typed
# one by one; check passes; progress shows it; after kill -9 of the cluster's process everything is still so. With every kubectl that is here.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/script.sh

# Every kubectl: on PATH, and beside the real file behind it (kubectl.1.27 …).
found=$(command -v kubectl 2>/dev/null) || found=
if [ -z "$found" ]; then
	echo "ok - a learner's evening # skip there is no kubectl here"
	exit 0
fi
folder=$(dirname "$(readlink -f "$found" 2>/dev/null || echo "$found")")
all=$(for k in "$found" "$folder"/kubectl.[0-9]*; do [ -x "$k" ] && echo "$k"; done)

json() { # what a check says, as lines TASK STATUS FINDING
	python3 -c '
import json, sys
for t in json.load(sys.stdin)["tasks"]:
    bad = [f for f in t["findings"] if f["status"] != "passed"]
    print(t["task"], t["status"], "|", bad[0]["expected"] if bad else "", "|", bad[0]["found"] if bad else "")'
}

for kubectl in $all; do
	version=$(basename "$kubectl")
	for lab in zone-goes-dark ten-times-the-traffic only-the-frontend; do
		out=$KTUTOR_HOME/out
		"$ktutor" lab start "$lab" >"$out" 2>&1
		ok $? "$version: $lab starts" "$out"
		KUBECONFIG=$KTUTOR_HOME/clusters/$lab/kubeconfig
		export KUBECONFIG
		"$ktutor" check "$lab" --format json >"$out" 2>"$out.err"
		code=$?
		json <"$out" >"$out.lines" 2>>"$out.err"
		[ "$code" = 1 ] && ! grep -Eq ' (passed|unknown) ' "$out.lines" && grep -q '| [^ ]' "$out.lines"
		ok $? "$version: $lab: check fails every task and says why" "$out.lines"
		for step in "$(solution_of "$lab")"/*.yaml; do
			"$kubectl" apply -f "$step" >"$out" 2>&1
			ok $? "$version: $lab: kubectl apply $(basename "$step")" "$out"
		done
		"$ktutor" check "$lab" >"$out" 2>&1
		ok $? "$version: $lab: check passes" "$out"
		"$ktutor" progress --format json >"$out" 2>&1
		python3 -c '
import json, sys
rows = [l for l in json.load(open(sys.argv[1]))["labs"] if l["lab"] == sys.argv[2]]
sys.exit(not (rows and rows[0]["passed"]))' "$out" "$lab"
		ok $? "$version: $lab: progress shows the pass" "$out"
		if [ "$kubectl" = "$found" ]; then
			pid=$("$ktutor" cluster status "$lab" --format json | python3 -c 'import json, sys; print(json.load(sys.stdin)["pid"])')
			"$kubectl" get all,networkpolicy,pdb,hpa -A -o name | sort >"$out.before" 2>&1
			kill -9 "$pid"
			while kill -0 "$pid" 2>/dev/null; do :; done # the kernel takes a moment to clear a large process away
			"$ktutor" check "$lab" >"$out" 2>&1
			[ $? = 3 ] && grep -q 'lab start' "$out"
			ok $? "$version: $lab: without its cluster check ends with 3 and says how to start it" "$out"
			"$ktutor" lab start "$lab" >"$out" 2>&1
			ok $? "$version: $lab: found again after kill -9" "$out"
			"$kubectl" get all,networkpolicy,pdb,hpa -A -o name | sort >"$out.after" 2>&1
			diff "$out.before" "$out.after" >"$out"
			ok $? "$version: $lab: its objects are still so" "$out"
			"$ktutor" check "$lab" >"$out" 2>&1
			ok $? "$version: $lab: check still passes" "$out"
		fi
		"$ktutor" lab stop "$lab" >"$out" 2>&1
		ok $? "$version: $lab stops" "$out"
	done
done
exit $status
