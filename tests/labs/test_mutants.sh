#!/bin/sh
# SPDX-License-Identifier: MIT
# Mutations of solutions: what no task notices fails the proof, unless survivors.yaml says why; a row that explains nothing fails, too. Then the labs
# of the course whose drills are short (`make mutants` proves all of them).
set -u
cd "$(dirname "$0")/../.." || exit 1
ktutor=${KTUTOR:-$PWD/build/ktutor}
KTUTOR_HOME=$(mktemp -d "${TMPDIR:-/tmp}/ktutor-mutants.XXXXXX") || exit 1
HOME=$KTUTOR_HOME
export KTUTOR_HOME HOME
trap '"$ktutor" cluster down --all >/dev/null 2>&1; rm -rf "$KTUTOR_HOME"' EXIT
trap 'exit 1' INT TERM
out=$KTUTOR_HOME/out
status=0
ok() { # STATUS NAME
	if [ "$1" = 0 ]; then
		echo "ok - $2"
	else
		echo "not ok - $2"
		sed 's/^/    /' "$out"
		status=1
	fi
}
mutate() {
	"$ktutor" course test "$lab" --mutate --parts solution >"$out" 2>&1
	code=$?
}

# A lab whose task looks at one thing of two, and whose solution has a step in it.
lab=$KTUTOR_HOME/labs/two-things
"$ktutor" course new "$lab" >"$out" 2>&1
rm "$lab"/solution/*
cat >"$lab/lab.yaml" <<'EOF'
lab: two-things
title: Two things
lesson: "6.1"
minutes: 5
cluster: {nodes: [{pool: general, count: 1, zones: [a], cpu: 4, memory: 8Gi}]}
setup: [{apply: start.yaml}]
tasks:
  - task: one
    title: One
    points: 1
    text: A budget of two, and no question.
    checks:
      - {object: poddisruptionbudget default/web, has: {spec.minAvailable: 2}, within: 1s}
      - {absent: configmap default/question, within: 1s}
    hints: [Look.]
    why: It counts.
EOF
printf -- '- delete: configmap default/question\n- wait: 1s\n' >"$lab/solution/10-step.yaml"
printf 'apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web, namespace: default}\nspec: {minAvailable: 2, selector: {matchLabels: {app: web}}}\n' >"$lab/solution/20-budget.yaml"
mutate
[ "$code" = 4 ] && grep -qF "no task notices '10-step.yaml: step 2 dropped'; tighten a check, or say why in survivors.yaml" "$out" &&
	grep -qF "no task notices 'PodDisruptionBudget default/web: spec.selector.matchLabels.app changed'" "$out" &&
	grep -qF "no task notices 'PodDisruptionBudget default/web: spec.selector.matchLabels.app widened'" "$out"
ok $? "what no task notices is told, and fails the proof"
! grep -qE "notices '(10-step.yaml: step 1|.*(: dropped|minAvailable))" "$out" && grep -qF 'mutations: 3 of 6 noticed, 0 explained' "$out"
ok $? "what a task notices is not told: an object, a step, a value"
printf -- '- {change: "*: step 2 dropped", because: it only waits}\n- {change: "*/web: spec.selector.*", because: nothing runs}\n' >"$lab/survivors.yaml"
mutate
[ "$code" = 0 ] && grep -qF 'not noticed: 10-step.yaml: step 2 dropped; it only waits' "$out" && grep -qF 'mutations: 3 of 6 noticed, 3 explained' "$out"
ok $? "a survivor that is explained is told with its reason, and passes"
printf -- '- {change: "*: nothing of the sort", because: it was so once}\n' >>"$lab/survivors.yaml"
mutate
[ "$code" = 4 ] && grep -qF "survivors.yaml:3: nothing that survives is '*: nothing of the sort'; take it out" "$out"
ok $? "a row that explains nothing fails"
sed '$s/}$/, sometimes: yes}/' "$lab/survivors.yaml" >"$lab/new" && mv "$lab/new" "$lab/survivors.yaml"
mutate
[ "$code" = 0 ]
ok $? "unless chance decides whether it survives"
printf -- '- {chnage: "*", because: so}\n' >"$lab/survivors.yaml"
mutate
[ "$code" = 4 ] && grep -qF "survivors.yaml:1: a survivor has no 'chnage': did you mean 'change'?" "$out"
ok $? "a row with a word that rows do not have is named"
rm "$lab/survivors.yaml"
printf -- '- {change: "*: s*", because: what is true of all labs here}\n' >"$lab/../survivors.yaml"
mutate
[ "$code" = 0 ] && grep -qF '3 explained' "$out"
ok $? "rows of the folder above count for all its labs, used or not"

for lab in least-privilege one-switch only-the-frontend quiet-release ten-times-the-traffic the-review zone-goes-dark; do
	mutate
	[ "$code" = 0 ] && grep -q '^1 passed, 0 failed$' "$out"
	ok $? "$lab: every survivor is explained"
done
exit $status
