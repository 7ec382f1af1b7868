#!/bin/sh
# SPDX-License-Identifier: MIT
# `course lint` over a course of one lesson: what is right says nothing; each thing that is wrong is told with file, line and remedy. The lesson's
# commands are run where its lab begins. Then the course itself: nothing is found.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/script.sh
command -v kubectl >/dev/null 2>&1 || {
	echo "ok - lint runs the commands of lessons # skip there is no kubectl here"
	exit 0
}

# A course of one lesson and its lab.
share=$place/share
lesson=$share/lessons/level-1-first/01-one
mkdir -p "$lesson" "$share/labs"
printf 'course: C\nlevels:\n  - {level: 1, name: first, title: First, about: pods}\n' >"$share/lessons/course.yaml"
"$ktutor" course new "$share/labs/my-lab" >"$out" 2>&1 && sed 's/lesson: "6.1"/lesson: "1.1"/' "$share/labs/my-lab/lab.yaml" >"$place/lab" &&
	mv "$place/lab" "$share/labs/my-lab/lab.yaml"
ok $? "a lab to go with it"
{
	printf 'quiz: "1.1"\nquestions:\n'
	for n in 1 2 3; do printf '  - {ask: "%s?", type: number, right: %s, because: so}\n' $n $n; done
} >"$lesson/quiz.yaml"
page() { # CONSOLE YAML
	printf -- '---\nlesson: "1.1"\ntitle: One\nminutes: 5\nlab: my-lab\n---\n\n## One\n\n> A rule.\n\n```picture\n[ ]\n```\n\n```console\n%s\n```\n\n```yaml\n%s\n```\n' "$1" "$2" \
		>"$lesson/lesson.md"
}
lint() {
	KTUTOR_SHARE=$share "$ktutor" course lint "$@" >"$out" 2>&1
}
# shellcheck disable=SC2016 # a dollar is a prompt
printed='$ kubectl get configmap question     # what is there?
NAME       DATA   AGE
question   1      7d
$ kubectl get configmap \
    -o name
configmap/kube-root-ca.crt
configmap/question'
page "$printed" 'replicas: 3'
lint && grep -q '^1 lab: nothing found$' "$out"
ok $? "what is right says nothing"

finds() { # NAME WORDS
	[ "$code" = 4 ] && grep -qF "$2" "$out" && grep -q '^1 lab: 1 found$' "$out"
	ok $? "$1"
}
wrong_page() { # NAME WORDS CONSOLE YAML
	page "$3" "$4"
	lint
	code=$?
	finds "$1" "$2"
}
at='lesson 1.1: 01-one/lesson.md'
# shellcheck disable=SC2016
{
	wrong_page "another output" "$at:17: \`kubectl get configmap question\` prints something else: there is no row like 'question   2      7d'; show what it prints" \
		'$ kubectl get configmap question
NAME       DATA   AGE
question   2      7d' 'replicas: 3'
	wrong_page "a command that fails" "$at:17: \`kubectl get configmap answr\` ends with 1: Error from server (NotFound): configmaps \"answr\" not found; mend it, or say in commands.yaml" \
		'$ kubectl get configmap answr' 'replicas: 3'
	wrong_page "the first of two is right" "$at:18: \`kubectl get pod x\` ends with 1" '$ kubectl get configmap question -o name
$ kubectl get pod x' 'replicas: 3'
}
wrong_page "a field that Kubernetes does not have" "$at:27: this is no piece of an object of Kubernetes; mend its names" "$printed" 'replcas: 3'
wrong_page "a field of an object" ":27: a Deployment has no 'spec.template.spec.containers', or not so; \`kubectl explain\`" "$printed" 'apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
        - {name: c, imagee: i}'
wrong_page "a kind" ":27: Kubernetes has no kind 'Deploymnt' in apps/v1; name one it has" "$printed" 'apiVersion: apps/v1
kind: Deploymnt'
wrong_page "a kind alone" ":27: Kubernetes has no kind 'Deploymnt'; name one it has" "$printed" 'kind: Deploymnt'
wrong_page "what is no YAML" "$at:27: lesson.md:2: key \"replicas\" is already set in line 1" "$printed" 'replicas: 1
replicas: 2'

# what comes before a command, and what it stands for
# shellcheck disable=SC2016
page '$ kubectl get configmap NAME
NAME     DATA   AGE
answer   1      1s
$ kubectl get pod x
Error from server (NotFound): pods "x" not found
$ watch kubectl get pods' 'replicas: 3'
cat >"$lesson/commands.yaml" <<'EOF'
- command: kubectl get configmap NAME
  do: [{apply: solution/10-answer.yaml}]
  as: kubectl get configmap answer
- {command: kubectl get pod x, ends: 1}
- {command: watch kubectl get pods, skip: it has no end}
EOF
lint && grep -q 'nothing found' "$out"
ok $? "rows say what comes before a command, what it stands for, how it ends, which are not run"
printf '%s\n' '- {command: kubectl get nodes, as: kubectl get pods}' >>"$lesson/commands.yaml"
lint
code=$?
finds "a row for no command" "lesson 1.1: 01-one/commands.yaml:6: the lesson shows no \`kubectl get nodes\`, or not there"
printf '%s\n' '- {comand: kubectl get nodes}' >"$lesson/commands.yaml"
lint
code=$?
finds "a row with a word that rows do not have" "commands.yaml:1: a command has no 'comand': did you mean 'command'?"
lint --fast && grep -q 'nothing found' "$out"
ok $? "--fast runs no commands"
rm "$lesson/commands.yaml"
page "$printed" 'replicas: 3'
echo 'kubectl delete pod one' >"$share/labs/my-lab/solution/fix.sh"
lint
code=$?
finds "a script among the answers" "lab 'my-lab': solution/fix.sh is not applied: an answer is .yaml, .yml or .json"
rm "$share/labs/my-lab/solution/fix.sh"
sed 's/lesson: "1.1"/lesson: "1.2"/' "$share/labs/my-lab/lab.yaml" >"$place/lab" && mv "$place/lab" "$share/labs/my-lab/lab.yaml"
lint
code=$?
finds "a lab without a lesson" "lab 'my-lab': lab.yaml: there is no lesson 1.2; name one of the course"

"$ktutor" course lint >"$out" 2>&1 && grep -q '^[1-9][0-9]* labs: nothing found$' "$out"
ok $? "nothing is found in the course"
exit $status
