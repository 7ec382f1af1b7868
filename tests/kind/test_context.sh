#!/bin/sh
# SPDX-License-Identifier: MIT
# Labs on a cluster that somebody else runs (an embedded one plays it): asked first, only in namespaces of ours, away again; credentials as
# kubectl takes them; what must be allowed is refused before.
set -u
cd "$(dirname "$0")/../.." || exit 1
ktutor=${KTUTOR:-$PWD/build/ktutor}
dir=$(mktemp -d "${TMPDIR:-/tmp}/ktutor-context.XXXXXX") || exit 1
KTUTOR_HOME=$dir/learner
HOME=$dir
export KTUTOR_HOME HOME
unset KUBECONFIG
other=$dir/other # the home of whoever runs the cluster
trap 'KTUTOR_HOME=$other "$ktutor" cluster down --all >/dev/null 2>&1; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
status=0
out=$dir/out
ok() { # STATUS NAME
	if [ "$1" = 0 ]; then
		echo "ok - context: $2"
	else
		echo "not ok - context: $2"
		sed 's/^/    /' "$out"
		status=1
	fi
}
run() {
	"$ktutor" "$@" >"$out" 2>&1 </dev/null
	code=$?
}
says() { # CODE WORDS NAME
	[ "$code" = "$1" ] && grep -qi -- "$2" "$out"
	ok $? "$3"
}
kubectl=$(command -v kubectl) || {
	echo "ok - context: labs on somebody else's cluster # skip there is no kubectl here"
	exit 0
}
KTUTOR_HOME=$other "$ktutor" cluster up theirs --nodes 4 --speed 20 >/dev/null 2>&1 || exit 1
theirs=$other/clusters/theirs/kubeconfig
k() { "$kubectl" --kubeconfig "$theirs" "$@"; }
context=$(k config current-context)
mkdir -p "$HOME/.kube"
cp "$theirs" "$HOME/.kube/config"
sum=$(cksum <"$HOME/.kube/config")
lab=only-the-frontend

run lab start $lab --provider context
says 1 'need a yes.*--yes' 'without a terminal and without --yes: refused'
[ -z "$(k get namespaces -o name | grep -E 'shop|ktutor')" ]
ok $? 'nothing was made before the yes'
run lab start $lab --provider context --context nowhere --yes
says 1 "no context 'nowhere'; there is: $context" 'a context that is not there: names those that are'
k create namespace shop >/dev/null
run lab start $lab --provider context --yes
says 1 "namespace 'shop' is there already" "somebody's namespace of that name: refused"
[ -z "$(k get deployments -n shop -o name)" ] && [ -z "$(k get namespace marketing -o name 2>/dev/null)" ] || [ -z "$(k get namespace -l ktutor.dev/lab -o name)" ]
ok $? 'and left alone'
k delete namespace shop >/dev/null
run lab start $lab --provider context --context "$context" --yes
says 0 'export KUBECONFIG' 'with a yes the lab starts'
[ "$(k get namespaces -l ktutor.dev/made-by=ktutor,ktutor.dev/lab=$lab -o name | grep -c .)" -ge 3 ]
ok $? 'its namespaces are labelled'
[ "$(cksum <"$HOME/.kube/config")" = "$sum" ]
ok $? "the person's kubeconfig is as it was"
run check $lab --no-wait
says 1 'closed-by-default' 'check grades it'
run cluster list
says 0 "$lab .*context" 'cluster list shows it'
run lab reset $lab --yes
says 0 'as it began' 'a reset'
k get deployment backend -n shop >"$out" 2>&1
ok $? 'after a reset it is set up again'
k create namespace bystander >/dev/null
run lab stop $lab
says 0 'is stopped' 'lab stop'
k get namespaces -o name >"$out"
! grep -qE 'shop|marketing|ktutor' "$out" && grep -q bystander "$out"
ok $? 'all that was made is away, and nothing else'

# --- what must be allowed ---
mkdir -p "$dir/labs/wide"
cat >"$dir/labs/wide/lab.yaml" <<'YAML'
lab: wide
title: Wider than a namespace
lesson: "6.1"
minutes: 1
setup:
  - manifest: {apiVersion: v1, kind: Namespace, metadata: {name: wide}}
  - manifest: {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: wide}, rules: []}
tasks:
  - task: there
    title: There
    points: 1
    text: It is there.
    checks: [{object: namespace wide}]
  - task: dark
    title: Dark
    points: 1
    text: A machine goes.
    checks: [{drill: {do: [{node: {is: down, pick: {name: x}}}], hold: [{object: namespace wide}], for: 1s}}]
YAML
run lab start "$dir/labs/wide" --provider context --yes
says 1 'allow-cluster' 'what belongs to the whole cluster: refused, and how to allow it'
grep -q "task 'dark' cannot be graded there: it takes machines down" "$out"
ok $? 'which tasks cannot be graded is said beforehand'
k get namespaces -o name >"$out"
! grep -qE 'wide|ktutor' "$out"
ok $? 'of a start that failed nothing stays'
run lab start "$dir/labs/wide" --provider context --yes --allow-cluster
says 0 'export KUBECONFIG' 'allowed, it is made'
run check "$dir/labs/wide" --no-wait --format json
grep -q 'not graded with provider context' "$out" && grep -q '"passed"' "$out"
ok $? 'what cannot be graded is unknown, never failed'
run lab stop "$dir/labs/wide"
k get clusterrole wide >"$out" 2>&1
grep -q NotFound "$out"
ok $? 'and taken away at the end'
k create clusterrole wide --verb=get --resource=pods >/dev/null
run lab start "$dir/labs/wide" --provider context --yes --allow-cluster
says 1 'not ktutor.s: it is left alone' "what is somebody's outside of namespaces is left alone, even so"
run lab stop "$dir/labs/wide"

# --- credentials ---
python3 - "$theirs" "$dir/exec.yaml" "$dir/old.yaml" "$dir/login" <<'PY' || exit 1
import json, re, subprocess, sys
theirs, path, old, login = sys.argv[1:]
import os
config = json.loads(subprocess.check_output(["kubectl", "--kubeconfig", theirs, "config", "view", "--raw", "-o", "json"]))
user = config["users"][0]["user"]
answer = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {}}
if "token" in user:
    answer["status"]["token"] = user["token"]
else:
    import base64
    answer["status"]["clientCertificateData"] = base64.b64decode(user["client-certificate-data"]).decode()
    answer["status"]["clientKeyData"] = base64.b64decode(user["client-key-data"]).decode()
open(login, "w").write("#!/bin/sh\necho ran >>" + login + ".ran\ncat <<'END'\n" + json.dumps(answer) + "\nEND\n")
os.chmod(login, 0o755)
config["users"][0]["user"] = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./login", "interactiveMode": "Never"}}
json.dump(config, open(path, "w"))
config["users"][0]["user"] = {"auth-provider": {"name": "oidc"}}
json.dump(config, open(old, "w"))
PY
run lab start $lab --provider context --kubeconfig "$dir/exec.yaml" --yes
says 1 'logs in by running.*--allow-exec' 'an exec plugin is not run without consent'
[ ! -e "$dir/login.ran" ]
ok $? 'and was not'
run lab start $lab --provider context --kubeconfig "$dir/exec.yaml" --yes --allow-exec
says 0 'export KUBECONFIG' 'with consent it logs in'
run check $lab --no-wait
says 1 'closed-by-default' 'and goes on to, for checks'
run lab stop $lab
says 0 'is stopped' 'and for the end'
run lab start $lab --provider context --kubeconfig "$dir/old.yaml" --yes
says 1 'oidc-login' 'auth-provider: says what took its place'
exit $status
