#!/bin/sh
# SPDX-License-Identifier: MIT
# The command line as a script meets it: exit codes, the shape of every list's JSON, what is said to a typing error, completion in each shell.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/script.sh
home=$HOME
shown="$home/out $home/err"
run() { "$ktutor" "$@" >"$home/out" 2>"$home/err" </dev/null; }

# WORDS|EXIT CODE|what is said, on either output
while IFS='|' read -r words code says; do
	# shellcheck disable=SC2086 # words
	run $words
	got=$?
	[ $got = "$code" ] && cat "$home/out" "$home/err" | grep -qF -e "$says"
	ok $? "ktutor $words: exit $code, '$says'"
done <<'TABLE'
|0|High availability
help|0|completion
--help|0|usage: ktutor COMMAND
help lab|0|usage: ktutor lab start LAB
lab start --help|0|returns when it is ready
--version|0|ktutor
chek|2|did you mean 'check'?
lab strat x|2|did you mean 'lab start'?
cluster|2|needs one of: up
cluster bogus|2|there is: up
lab start|2|something is missing
lab start nowhere|2|nowhere
check nowhere|2|nowhere
check --fromat json|2|there is no flag '--fromat'
check --format yaml|2|text, json, junit or tap
check|2|lab list
check zone-goes-dark|3|ktutor lab start zone-goes-dark
lab reset zone-goes-dark --yes|1|ktutor lab start zone-goes-dark
cluster status nowhere|1|nowhere
learn 99.1|2|there is no lesson '99.1'
learn --plain|0|High availability
learn 6.5 --plain|0|Questions
quiz|0|questions
config theme blue|2|dark|light|contrast|none
config colour|2|`ktutor config` names them
config them|2|did you mean 'theme'?
config roam on|0|roam: on
completion tcsh|2|bash, zsh or fish
complete clu|0|cluster
complete lab start z|0|zone-goes-dark
complete check --format j|0|junit
TABLE

# COMMAND|what python says of its JSON `j`
while IFS='|' read -r words fits; do
	# shellcheck disable=SC2086 # words
	run $words --format json && python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' "$home/out" "$fits"
	ok $? "ktutor $words --format json: $fits"
done <<'TABLE'
lab list|all(isinstance(r[k], str) for r in j for k in ("lab", "lesson", "title")) and "zone-goes-dark" in [r["lab"] for r in j]
learn|[r["lab"] for r in j if r["lesson"] == "6.12"] == ["only-the-frontend"]
quiz|[r["right"] for r in j if r["lesson"] == "6.12"] == [0] and all(r["questions"] > 0 for r in j)
config|[r["value"] for r in j if r["setting"] == "roam"] == ["on"]
progress|set(j) >= {"lessons", "answers", "labs", "tasks"}
cluster list|j == []
TABLE
run cluster up one --nodes 1 && run cluster status one --format json &&
	python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); sys.exit(not (j["pid"] > 1 and j["provider"] == "embedded" and j["server"].startswith("https://127.0.0.1:")))' "$home/out"
ok $? "cluster status --format json has pid, provider, server"
run cluster list --format json && python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); sys.exit([r["cluster"] for r in j] != ["one"])' "$home/out"
ok $? "cluster list --format json has the cluster"
run cluster env && grep -q "^export KUBECONFIG=$home/clusters/one/kubeconfig\$" "$home/out"
ok $? "cluster env names the kubeconfig"

# A solution beside the learner's own: by meaning, whatever it is called and however it is written.
run lab start zone-goes-dark
cat >"$home/own.yaml" <<'YAML'
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: mine, namespace: shop}
spec: {minAvailable: 2, selector: {matchLabels: {app: frontend}}}
YAML
sed -e 's/replicas: 3/replicas: 4/' -e 's/cpu: 100m/cpu: "0.1"/' -e '/imagePullPolicy/d' -e '/nodeTaintsPolicy/d' \
	labs/level-6-pro/zone-goes-dark/solution/10-frontend.yaml >"$home/own-frontend.yaml"
if command -v kubectl >/dev/null 2>&1; then
	kubectl --kubeconfig "$home/clusters/zone-goes-dark/kubeconfig" apply -f "$home/own.yaml" -f "$home/own-frontend.yaml" >"$home/out" 2>"$home/err"
	run lab solution zone-goes-dark --compare --format json
	python3 -c '
import json, sys
rows = {r["kind"]: r for r in json.load(open(sys.argv[1]))}
paths = [d["path"] for d in rows["Deployment"]["differences"]]
assert sorted(paths) == ["spec.replicas", "spec.template.spec.topologySpreadConstraints[topology.kubernetes.io/zone].nodeTaintsPolicy"], paths
budget = rows["PodDisruptionBudget"]
assert budget["nearest"] == "mine" and not budget["differences"], budget' "$home/out" 2>>"$home/err"
	ok $? "lab solution --compare tells what is meant differently, and nothing else"
fi
run lab stop zone-goes-dark

# Each shell's script, where the shell is here.
mkdir "$home/bin" && ln -s "$ktutor" "$home/bin/ktutor"
PATH=$home/bin:$PATH
export PATH
if command -v bash >/dev/null 2>&1; then
	bash -c 'eval "$(ktutor completion bash)"; COMP_WORDS=(ktutor lab start zo); COMP_CWORD=3; _ktutor; echo "${COMPREPLY[@]}"' >"$home/out" 2>"$home/err"
	[ "$(cat "$home/out")" = zone-goes-dark ]
	ok $? "bash completes a lab's name"
fi
if command -v zsh >/dev/null 2>&1; then
	zsh -fc 'compdef() { :; }; compadd() { shift; print -l -- ${(P)1}; }; eval "$(ktutor completion zsh)"; words=(ktutor lab start zo); CURRENT=4; _ktutor' >"$home/out" 2>"$home/err"
	[ "$(cat "$home/out")" = zone-goes-dark ]
	ok $? "zsh completes a lab's name"
fi
if command -v fish >/dev/null 2>&1; then
	fish --no-config -c 'ktutor completion fish | source; complete -C "ktutor lab start zo"' >"$home/out" 2>"$home/err"
	grep -q '^zone-goes-dark' "$home/out"
	ok $? "fish completes a lab's name"
fi
exit $status
