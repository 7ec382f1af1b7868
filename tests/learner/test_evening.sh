#!/bin/sh
# SPDX-License-Identifier: MIT
# An evening at the shop: three tiers over three zones, and the five disasters one after the other: a node dies, a zone fails, a pod crashes,
# the traffic spikes, the database overloads. The timeline is printed; each number in it is explained by `ktutor why`, and has to agree with it.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/script.sh
kubectl=$(command -v kubectl) || {
	echo "ok - an evening at the shop # skip there is no kubectl here"
	exit 0
}
tier() { # NAME REPLICAS UPSTREAM
	cat <<-YAML
		---
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: $1}
		spec:
		  replicas: $2
		  selector: {matchLabels: {app: $1}}
		  template:
		    metadata: {labels: {app: $1}}
		    spec:
		      topologySpreadConstraints:
		      - {maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: $1}}}
		      containers:
		      - name: c
		        image: nginx:1.27
		        env: [{name: UPSTREAM_HOST, value: "$3"}]
		        resources: {requests: {cpu: 200m, memory: 64Mi}, limits: {cpu: "1", memory: 512Mi}}
		        readinessProbe: {httpGet: {port: 80}, periodSeconds: 2}
		---
		apiVersion: v1
		kind: Service
		metadata: {name: $1}
		spec: {selector: {app: $1}, ports: [{port: 80}]}
		---
		apiVersion: policy/v1
		kind: PodDisruptionBudget
		metadata: {name: $1}
		spec: {maxUnavailable: 1, selector: {matchLabels: {app: $1}}}
	YAML
}

"$ktutor" cluster up evening --nodes 6 >/dev/null 2>&1
ok $? "the cluster is up"
eval "$("$ktutor" cluster env evening)"
"$ktutor" cluster time evening pause >/dev/null
pass() { "$ktutor" cluster time evening advance "$1" >/dev/null; }
disturb() { "$ktutor" cluster disturb evening "$1" >"$KTUTOR_HOME/out" 2>&1 || ok 1 "disturb $1" "$KTUTOR_HOME/out"; }
{
	tier orders 3 ""
	tier backend 6 orders
	tier frontend 6 http://backend.default.svc
	cat <<-YAML
		---
		apiVersion: autoscaling/v2
		kind: HorizontalPodAutoscaler
		metadata: {name: backend}
		spec:
		  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: backend}
		  minReplicas: 6
		  maxReplicas: 20
		  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}]
	YAML
} | "$kubectl" apply -f - >"$KTUTOR_HOME/out" 2>&1
ok $? "the shop is described" "$KTUTOR_HOME/out"
pass 30s
disturb '{load: {to: service frontend, rps: 100}}'
pass 60s

why() { "$ktutor" why "$1" --cluster evening --format json; }
# What users saw since the last time, as "OFFERED LOST"; and that the causes add up to what was lost.
seen() { # NAME
	why "service/default/$1" | python3 -c '
import json, sys
t = json.load(sys.stdin).get("traffic") or {"offered": 0, "errors": 0, "causes": [], "p99": 0}
blamed = sum(c["errors"] for c in t["causes"])
print("%.0f %.0f %.0f" % (t["offered"], t["errors"], 1e3 * t["p99"]))
sys.exit(abs(blamed - t["errors"]) > 0.02 * t["errors"] + 2)'
}
before=$(seen frontend)
tell() { # DISASTER
	after=$(seen frontend)
	ok $? "$1: every lost request has its cause"
	echo "# $("$ktutor" cluster time evening | cut -c12-19)  $1: $(echo "$before $after" |
		awk '{o = $4 - $1; e = $5 - $2; printf "%d requests, %d lost (%.2f %% answered)", o, e, o ? 100 * (1 - e / o) : 100}')"
	lost=$(echo "$before $after" | awk '{print $5 - $2}')
	before=$after
}
because() { # OBJECT WORDS NAME
	"$ktutor" why "$1" --cluster evening >"$KTUTOR_HOME/why" 2>&1
	grep -F -- "$2" "$KTUTOR_HOME/why" | tail -2 | sed 's/^/#     /'
	grep -Fq -- "$2" "$KTUTOR_HOME/why"
	ok $? "$3" "$KTUTOR_HOME/why"
}
ready() { "$kubectl" get deployment "$1" -o jsonpath='{.status.readyReplicas}'; }

tell "a quiet minute"
[ "$lost" = 0 ]
ok $? "in quiet nothing is lost"

node=$("$kubectl" get pods -l app=frontend -o jsonpath='{.items[0].spec.nodeName}')
on_it=$("$kubectl" get pods -l app=frontend --field-selector "spec.nodeName=$node" -o name | wc -l)
disturb "{node: {is: down, pick: {name: $node}}}"
pass 30s
tell "node $node dies"
# what goes to the dead pods is lost until the node is given up: their share of 30 seconds, and what is lost behind them
[ "$lost" -ge $((30 * 100 * on_it / 6 * 8 / 10)) ] && [ "$lost" -lt 3000 ]
ok $? "a dead node costs the share of its pods ($on_it of 6)"
because service/default/frontend "not answered: node $node is down" "it is the node's fault"
pass 6m
tell "six minutes later"
[ "$(ready frontend)" = 6 ]
ok $? "after five minutes its pods are elsewhere"
because "node/$node" "node.kubernetes.io/unreachable" "the node lifecycle controller tainted it"
disturb "{node: {is: up, pick: {name: $node}}}"
pass 2m
tell "the node is back"

disturb '{zone: {name: zone-b, is: down}}'
pass 50s
tell "zone b fails"
[ "$lost" -gt 0 ]
ok $? "a zone's failure is felt"
pass 10s
before=$(seen frontend)
pass 60s
tell "a minute later"
[ "$lost" = 0 ]
ok $? "the other zones carry on without it"
disturb '{zone: {name: zone-b, is: up}}'
pass 6m
before=$(seen frontend)

pod=$("$kubectl" get pods -l app=frontend -o jsonpath='{.items[0].metadata.name}')
restarts() { "$kubectl" get pod "$pod" -o jsonpath='{.status.containerStatuses[0].restartCount}'; }
had=$(restarts) # a pod of zone b has been started again already
disturb "{pod: {is: killed, pick: {name: $pod}}}"
pass 30s
tell "pod $pod crashes"
[ "$(restarts)" = $((had + 1)) ]
ok $? "the kubelet started it again, once"
because "pod/default/$pod" "kubelet" "the kubelet tells of it"

disturb '{load: {to: service frontend, rps: 900}}'
pass 30s
tell "nine times the traffic"
pass 4m
tell "four minutes later"
more=$("$kubectl" get deployment backend -o jsonpath='{.spec.replicas}')
[ "$more" -gt 6 ]
ok $? "the autoscaler answered (backend: 6 -> $more)"
because deployment/default/backend "spec.replicas: 6 ->" "the autoscaler changed the size"
because deployment/default/backend "horizontal-pod-autoscaler" "and it is the autoscaler who did it"
disturb '{load: {to: service frontend, rps: 100}}'
pass 60s
before=$(seen frontend)

disturb '{load: {to: service orders, rps: 1200, work: {cpu: 5ms}}}'
pass 60s
tell "the database overloads"
[ "$lost" -gt 100 ]
ok $? "users feel the database"
because service/default/frontend "service default/backend, which it calls" "the frontend waits for the backend"
because service/default/backend "service default/orders, which it calls" "the backend waits for the database"
because service/default/orders "the Service has no ready endpoints" "the database's pods answer nobody, not even their probes"
"$kubectl" get events --field-selector reason=Unhealthy -o jsonpath='{range .items[*]}{.involvedObject.name}{": "}{.message}{"\n"}{end}' >"$KTUTOR_HOME/out" 2>&1
grep '^orders-' "$KTUTOR_HOME/out" | tail -1 | sed 's/^/#     /'
grep -q '^orders-.*Readiness probe failed' "$KTUTOR_HOME/out"
ok $? "as their events say" "$KTUTOR_HOME/out"
disturb '{load: {to: service orders, rps: 0}}'
pass 60s
before=$(seen frontend)
pass 30s
tell "the calm after"
[ "$lost" = 0 ]
ok $? "when the load is gone all is answered again"

# and back to before the database's trouble
"$ktutor" cluster rewind evening 2m >"$KTUTOR_HOME/out" 2>&1
ok $? "rewind: two minutes back" "$KTUTOR_HOME/out"
[ "$(ready frontend)" = 6 ]
ok $? "the shop stands there as it did"
exit $status
