#!/bin/sh
# SPDX-License-Identifier: MIT
# Labs on a cluster that somebody else runs (an embedded one plays it): asked first, only in namespaces of ours, away again; credentials as
# kubectl takes them; what must be allowed is refused before.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/script.sh
about='context: '
unset KUBECONFIG
dir=$place
other=$dir/other # the home of whoever runs the cluster
trap 'KTUTOR_HOME=$other leave' EXIT
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

# --- proofs ---
mkdir -p "$dir/labs/near/solution" "$dir/labs/near/wrong/other" "$dir/labs/at-home/solution"
cat >"$dir/labs/near/lab.yaml" <<'YAML'
lab: near
title: In a namespace of its own
minutes: 1
vary: {answer: [42, 44]}
setup:
  - manifest: {apiVersion: v1, kind: Namespace, metadata: {name: near}}
  - manifest: {apiVersion: v1, kind: ConfigMap, metadata: {name: kept, namespace: near}, data: {a: one}}
  - manifest: {apiVersion: v1, kind: Service, metadata: {name: web, namespace: near}, spec: {selector: {app: web}, ports: [{port: 80}]}}
  - manifest:
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: web, namespace: near}
      spec:
        replicas: 2
        selector: {matchLabels: {app: web}}
        template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "nginx:1.27"}]}}
tasks:
  - task: answer
    text: It is {answer}.
    checks: [{object: configmap near/answer, has: {data.value: "{answer}"}}]
  - task: stirred
    text: A drill changes much.
    after: [answer]
    checks:
      - drill:
          do:
            - scale: {object: deployment near/web, replicas: 3}
            - patch: {object: configmap near/kept, merge: {data: {a: two}}}
            - patch: {object: service near/web, merge: {spec: {sessionAffinity: ClientIP}}}
            - patch: {object: deployment near/web, merge: {metadata: {labels: {stirred: "yes"}}}}
            - delete: configmap near/answer
            - manifest: {apiVersion: v1, kind: ConfigMap, metadata: {name: passing, namespace: near}}
            - load: {to: service near/web, rps: 5}
          for: 2s
          end: [{object: configmap near/kept, has: {data.a: two}}, {absent: configmap near/answer}, {ready: {of: deployment near/web, equals: 3}}]
  - task: dark
    text: A machine goes.
    checks: [{drill: {do: [{node: {is: down, pick: {name: x}}}], hold: [{object: namespace near}], for: 1s}}]
YAML
cat >"$dir/labs/near/solution/a.yaml" <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata: {name: answer, namespace: near}
data: {value: "{answer}"}
YAML
sed 's/{answer}/43/' "$dir/labs/near/solution/a.yaml" >"$dir/labs/near/wrong/other/a.yaml"
echo '- {task: answer, finding: "43"}' >"$dir/labs/near/wrong/other/expect.yaml"
sed 's/near/default/g; /kind: Namespace/d; s/lab: default/lab: at-home/' "$dir/labs/near/lab.yaml" >"$dir/labs/at-home/lab.yaml"
sed 's/near/default/' "$dir/labs/near/solution/a.yaml" >"$dir/labs/at-home/solution/a.yaml"
run course test "$dir/labs/near" --provider context --yes
says 0 "near: task 'dark': left out: it takes machines down" 'a proof leaves out what cannot be graded there, and says so'
grep -q 'near: solution: passes' "$out" && grep -q 'near: wrong/other: fails as it should' "$out"
ok $? 'the other tasks are proved'
grep -q 'near: variants: left out: minutes take minutes there' "$out"
ok $? 'one variant of it, and says so'
mkfifo "$dir/until" "$dir/held"
python3 -c 'import fcntl, sys, time; f = open(sys.argv[1], "w"); fcntl.lockf(f, fcntl.LOCK_EX); print("held", flush=True); sys.stdin.read()' \
	"$HOME/proofs/context.lock" <"$dir/until" >"$dir/held" &
holder=$!
exec 9>"$dir/until"
read -r _ <"$dir/held"
run course test "$dir/labs/near" --provider context --yes
says 1 "process $holder proves labs on context clusters with this home already: wait for its end, or give this proof a home of its own" \
	'a second proof of the same home is refused, and says what to do'
exec 9>&-
wait "$holder"
run course test "$dir/labs/at-home" --provider context --yes
says 0 "at-home: start: left out: .*'default' is not one of them" "a lab in the namespace 'default' is left out"
run lab start "$dir/labs/near" --provider context --yes
sed 's/{answer}/42/' "$dir/labs/near/solution/a.yaml" | k apply -f - >/dev/null
run check "$dir/labs/near" --task stirred
says 0 'stirred' 'a drill that changes objects'
k get deployment web -n near -o 'jsonpath={.spec.replicas}{.metadata.labels} ' >"$out" 2>&1
k get service web -n near -o 'jsonpath={.spec.sessionAffinity} ' >>"$out" 2>&1
k get configmaps kept answer -n near -o 'jsonpath={.items[*].data} ' >>"$out" 2>&1
k get configmaps -n near -o name >>"$out" 2>&1
k get pods -n ktutor-near -o name >>"$out" 2>&1
grep -q '^2 None {"a":"one"} {"value":"42"}' "$out" && ! grep -q 'passing\|^pod' "$out"
ok $? 'afterwards all of them are as they were'
run lab stop "$dir/labs/near"

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
