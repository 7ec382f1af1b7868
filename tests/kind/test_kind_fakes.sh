#!/bin/sh
# SPDX-License-Identifier: MIT
# Labs on kind where there is neither kind nor an engine: fakes on the PATH (tests/kind/fakes), whose clusters are embedded ones. What is
# started, found again, put back, taken over and removed; and the bad days, each of which must end in a sentence with its remedy, with
# nothing left behind and progress intact.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/script.sh
about='kind: '
KTUTOR=$ktutor
FAKE=$place
KTUTOR_HOME=$FAKE/learner # the fakes' own is $FAKE/home
here=$PWD/tests/kind/fakes
KUBECONFIG=$FAKE/users-own
tools=$PATH
PATH=$here:$tools
export KTUTOR FAKE KUBECONFIG PATH
unset KTUTOR_KIND_IMAGE FAKE_DOCKER FAKE_KIND KTUTOR_ENGINE
echo 'apiVersion: v1' >"$KUBECONFIG"
trap 'KTUTOR_HOME=$FAKE/home leave' EXIT
says() { # CODE WORDS NAME: the last command ended so, and said so
	[ "$code" = "$1" ] && grep -qi -- "$2" "$out"
	ok $? "$3"
}
nothing_left() { # NAME
	[ ! -s "$FAKE/containers" ] && [ -z "$(ls "$KTUTOR_HOME/kind" 2>/dev/null | grep ktutor-)" ] && [ -z "$(ls "$FAKE/home/clusters" 2>/dev/null)" ]
	ok $? "$1: nothing is left behind"
}
run() {
	"$KTUTOR" "$@" >"$out" 2>&1 </dev/null
	code=$?
}
lab=only-the-frontend

# --- bad days before anything starts ---
PATH=$FAKE/empty:$(dirname "$(command -v sh)") run lab start $lab --provider kind
case $(PATH=$(dirname "$(command -v sh)") command -v docker podman) in
'') says 1 'neither is on the PATH' 'no engine: says so, and the remedy' ;;
esac
mkdir -p "$FAKE/only-docker"
ln -sf "$here/docker" "$FAKE/only-docker/docker"
case $(PATH=/usr/bin:/bin command -v kind) in
'') PATH=$FAKE/only-docker:/usr/bin:/bin run lab start $lab --provider kind && says 1 'install it' 'no kind: says where to get it' ;;
esac
FAKE_DOCKER=denied run lab start $lab --provider kind
says 1 'usermod -aG docker' 'an engine without rights: says how to get them'
FAKE_DOCKER=off run lab start $lab --provider kind
says 1 'systemctl start docker' 'an engine that is off: says how to start it'
FAKE_KIND_VERSION=0.11.1 run lab start $lab --provider kind
says 1 'v0.11 is too old' 'an old kind: says so'
FAKE_MEMORY=1000000000 run lab start $lab --provider kind
says 1 'MiB of memory' 'too little memory: says how much is needed'
FAKE_DOCKER=no-image run lab start $lab --provider kind
says 1 'kind-image' 'no image and no network: says what can be done'
nothing_left 'before it starts'

# --- bad days while it starts ---
FAKE_KIND=disk run lab start $lab --provider kind
says 1 'disk is full' 'a full disk: says so'
FAKE_KIND=port run lab start $lab --provider kind
says 1 'port .* taken' 'a busy port: says so'
FAKE_KIND=kubelet run lab start $lab --provider kind
says 1 'kubelet did not get healthy' 'a node that never gets healthy: says the usual cause'
nothing_left 'a start that failed'
: >"$FAKE/sleeper"
FAKE_KIND=slow "$KTUTOR" lab start $lab --provider kind >"$out" 2>&1 </dev/null &
pid=$!
n=0
while [ $n -lt 300 ] && [ ! -s "$FAKE/sleeper" ]; do
	sleep 0.2
	n=$((n + 1))
done
kill -INT $pid
wait $pid
code=$?
says 130 'cancelled' 'Ctrl-C in the middle ends it'
case $(ps -o stat= -p "$(cat "$FAKE/sleeper")" 2>/dev/null) in '' | Z*) true ;; *) false ;; esac
ok $? 'Ctrl-C ends what kind had started, too'
nothing_left 'Ctrl-C'

# --- a good day ---
run config kind-image example/node:v1
run lab start $lab --provider kind
says 0 'export KUBECONFIG' 'a lab starts'
kubeconfig=$(sed -n 's/^export KUBECONFIG=//p' "$out")
case $kubeconfig in "$KTUTOR_HOME"/kind/*) true ;; *) false ;; esac
ok $? 'its kubeconfig lies in the home'
grep -q 'create cluster .*--image example/node:v1' "$FAKE/calls"
ok $? 'the image that was set is used'
grep -q 'name: general-a1' "$FAKE/config" && grep -q 'role: control-plane' "$FAKE/config"
ok $? 'machines bear the names of the lab'
[ "$(cat "$KUBECONFIG")" = 'apiVersion: v1' ]
ok $? "the user's kubeconfig is untouched"
run cluster list
says 0 "kind .*running" 'cluster list shows it'
run cluster status $lab
says 0 'provider   kind' 'cluster status shows it by its lab'
run cluster env
says 0 "KUBECONFIG=$kubeconfig" 'cluster env is the current lab'"'"'s'
run check $lab --no-wait
says 1 'closed-by-default' 'check grades it'
run lab start $lab
[ "$code" = 0 ] && [ "$(grep -c 'kind create' "$FAKE/calls")" -le 5 ]
ok $? 'a lab that runs is found again'
before=$(grep -c 'kind create' "$FAKE/calls")

kubectl=$(PATH=$tools command -v kubectl)
if [ -n "$kubectl" ]; then
	k() { KUBECONFIG=$kubeconfig "$kubectl" "$@" >"$out" 2>&1; }
	k create namespace mine && k create configmap left -n default && k label node general-a1 mine=yes && k delete deployment backend -n shop &&
		k cordon general-b1 && k create clusterrole mine --verb=get --resource=pods && k label namespace default mine=yes
	run lab reset $lab --yes
	says 0 'as it began' 'a reset'
	k get namespace mine
	grep -q NotFound "$out" && k get configmap left && false
	grep -q NotFound "$out" && k get clusterrole mine
	grep -q NotFound "$out"
	ok $? 'a reset takes away what was made, in namespaces and outside'
	k get deployment backend -n shop && k get node general-b1 --show-labels && ! grep -q 'SchedulingDisabled' "$out" && k get node general-a1 --show-labels &&
		! grep -q mine= "$out" && k get namespace default --show-labels && ! grep -q mine= "$out"
	ok $? 'a reset puts back what was deleted or changed'
fi
[ "$(grep -c 'kind create' "$FAKE/calls")" = "$before" ]
ok $? 'a reset makes no new cluster'

# --- disturbances ---
run cluster disturb $lab '{zone: {name: b, is: down}}'
[ "$code" = 0 ] && grep -q 'docker kill .*-worker2' "$FAKE/calls" && ! grep -q 'docker kill .*-worker1$' "$FAKE/calls"
ok $? 'a zone is down: the containers of its machines are killed, no others'
run cluster disturb $lab '{zone: {name: b, is: up}}'
[ "$code" = 0 ] && grep -q 'docker start .*-worker2' "$FAKE/calls"
ok $? 'a zone is up: they are started'
run cluster disturb $lab '{link: {between: [zone a, zone b], is: cut}}'
[ "$code" = 0 ] && grep -q 'docker exec .* iptables' "$FAKE/calls"
ok $? 'a link is cut: with packet filters inside the machines'
run cluster disturb $lab '{image: {name: nginx, is: missing}}'
[ "$code" = 0 ] && grep -q 'ctr -n k8s.io images rm docker.io/library/nginx:latest' "$FAKE/calls"
ok $? 'an image is missing: it is off the machines'
run cluster disturb $lab '{zone: {name: x, is: down}}'
says 1 'no machine is in x' 'a zone that is not there: says so'
run cluster time $lab pause
says 1 'is a kind cluster' 'its clock cannot be paused: says so'

# --- bad days later ---
name=$(basename "$(dirname "$kubeconfig")")
sed -i.bak 's/running/exited/' "$FAKE/containers"
KTUTOR_HOME=$FAKE/home "$KTUTOR" cluster down "$name" --keep >/dev/null 2>&1
run check $lab
says 3 'do not run.*ktutor lab start' 'containers that were stopped: never a failure, and the remedy'
KTUTOR_HOME=$FAKE/home "$KTUTOR" cluster up "$name" >/dev/null 2>&1
cp "$FAKE/home/clusters/$name/kubeconfig" "$kubeconfig"
run lab start $lab
[ "$code" = 0 ] && ! grep -q exited "$FAKE/containers"
ok $? 'lab start wakes them'
: >"$FAKE/containers"
KTUTOR_HOME=$FAKE/home "$KTUTOR" cluster down "$name" >/dev/null 2>&1
run check $lab
says 3 'was deleted.*ktutor lab start' 'a cluster deleted behind our back: never a failure, and the remedy'
run lab start $lab
says 0 'export KUBECONFIG' 'lab start makes it anew'
run check $lab --no-wait
says 1 'closed-by-default' 'and sets it up'
kubeconfig=$(ls "$KTUTOR_HOME"/kind/*/kubeconfig)
before=$(grep -c 'kind create' "$FAKE/calls")
run lab stop $lab
says 0 'stopped' 'lab stop'
run cluster list
says 0 'kind .*running' 'its cluster is kept for the next lab'
run lab start $lab --provider kind
[ "$code" = 0 ] && [ "$(grep -c 'kind create' "$FAKE/calls")" = "$before" ]
ok $? 'the next lab takes it over'
name=$(basename "$(dirname "$kubeconfig")")
# killed while making: the record says who made it
printf '{"engine":"docker","holder":"x","shape":"y","made":false,"maker":999999}' >"$FAKE/ruin"
mkdir -p "$KTUTOR_HOME/kind/ktutor-ruin" && mv "$FAKE/ruin" "$KTUTOR_HOME/kind/ktutor-ruin/cluster.json"
run lab start $lab
[ "$code" = 0 ] && [ ! -d "$KTUTOR_HOME/kind/ktutor-ruin" ] && grep -q 'kind delete cluster --name ktutor-ruin' "$FAKE/calls"
ok $? 'what a killed start left is cleared away'
run progress --format json
says 0 "$lab" 'progress is intact'
run lab stop $lab

# --- long drills: watched, left, taken up again ---
mkdir -p "$FAKE/labs/long"
cat >"$FAKE/labs/long/lab.yaml" <<'YAML'
lab: long
title: A long drill
lesson: "6.1"
minutes: 1
cluster: {nodes: [{pool: general, count: 1, zones: [a]}]}
setup: [{manifest: {apiVersion: v1, kind: ConfigMap, metadata: {name: held, namespace: default}}}]
tasks:
  - task: hold
    title: Hold
    points: 1
    text: It holds.
    checks: [{drill: {do: [{cordon: {name: general-a1}}], hold: [{object: configmap default/held}], for: 12s}}]
YAML
run lab start "$FAKE/labs/long" --provider kind
says 0 'export KUBECONFIG' 'a lab with a long drill starts'
left() { # begin a check and leave it; the file out has what was said
	"$KTUTOR" check "$FAKE/labs/long" >"$out" 2>&1 </dev/null &
	pid=$!
	n=0
	while [ $n -lt 300 ] && ! grep -q 'drill goes on' "$KTUTOR_HOME/labs/long/check/progress" 2>/dev/null; do
		sleep 0.2
		n=$((n + 1))
	done
	kill -INT $pid
	wait $pid
	code=$?
}
left
says 130 'left: the check goes on' 'a drill can be left'
run check "$FAKE/labs/long" --format json
says 0 '"passed"' 'and is taken up again, in any format'
grep -q '"passed": *true\|"status": *"passed"' "$out"
ok $? 'with what it found'
left
run check "$FAKE/labs/long" --cancel
says 0 'put back' 'one that was left can be ended'
kubeconfig=$(sed -n 's/.*"kubeconfig": *"\([^"]*\)".*/\1/p' "$KTUTOR_HOME/labs/long/state.json")
if [ -n "$kubectl" ]; then
	KUBECONFIG=$kubeconfig "$kubectl" get nodes >"$out" 2>&1
	grep -q general-a1 "$out" && ! grep -q SchedulingDisabled "$out"
	ok $? 'and the machine that it cordoned is back'
fi
run check "$FAKE/labs/long" --cancel
says 0 'no check goes on' 'there is nothing to end then'
run cluster down --all
nothing_left 'cluster down --all'
exit $status
