#!/bin/sh
# SPDX-License-Identifier: MIT
# A learner goes through the whole of level 6 with the real kubectl alone, from an empty home to seven lines with a tick: reads each lesson, starts its lab,
# answers what is asked, types the solution, checks.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/script.sh
export ktutor
KTUTOR_DRAW=0 # the first of what varies: answers.tsv knows no other
export KTUTOR_DRAW
tab=$(printf '\t')
command -v kubectl >/dev/null 2>&1 || {
	echo "ok - the whole level # skip there is no kubectl here"
	exit 0
}

answer() { # LAB
	grep "^$1$tab" tests/learner/answers.tsv >"$out.answers"
	while IFS=$tab read -r _ question says; do
		case $says in
		'$ '*) says=$(sh -c "${says#??}" | tr '\n' ' ') ;;
		esac
		"$ktutor" lab answer "$question" "$says" </dev/null >>"$out" 2>&1 || return 1
	done <"$out.answers"
}

quiz() { # LESSON FOLDER: each question has its right choice, or number, typed
	awk '/^  - ask:/ {n = 0} /^      - text:/ {n++} /^        right: true/ {print n} /^    right: / {print $2}' "$2/quiz.yaml" |
		"$ktutor" quiz "$1" >"$out" 2>&1 && ! grep -q '✗' "$out"
}

typed() { # LAB FILE: the commands that stand for a file which is no manifest
	grep "^$1$tab$2$tab" tests/learner/commands.tsv >"$out.commands" || return 1
	while IFS=$tab read -r _ _ line; do
		line=$(echo "$line" | sed "s#^\$ktutor#$ktutor#")
		# shellcheck disable=SC2086
		set -- $line
		"$@" </dev/null >>"$out" 2>&1 || return 1
	done <"$out.commands"
}

for lesson in lessons/level-6-pro/*/lesson.md; do
	id=$(sed -n 's/^lesson: "\(.*\)"/\1/p' "$lesson")
	lab=$(sed -n 's/^lab: //p' "$lesson")
	"$ktutor" learn "$id" >"$out" 2>&1
	ok $? "$id: read"
	quiz "$id" "$(dirname "$lesson")"
	ok $? "$id: its questions are answered"
	"$ktutor" lab start "$lab" >"$out" 2>&1
	ok $? "$id: $lab starts"
	KUBECONFIG=$KTUTOR_HOME/clusters/$lab/kubeconfig
	export KUBECONFIG
	: >"$out"
	answer "$lab"
	ok $? "$id: $lab: what is asked is answered"
	for step in "$(solution_of "$lab")"/*.yaml; do
		if grep -q '^- ' "$step"; then
			typed "$lab" "$(basename "$step")"
		else
			kubectl apply --server-side --force-conflicts --field-manager=ktutor -f "$step" >"$out" 2>&1
		fi
		ok $? "$id: $lab: $(basename "$step")"
	done
	"$ktutor" check "$lab" >"$out" 2>&1
	ok $? "$id: $lab: check passes"
	"$ktutor" lab stop "$lab" >"$out" 2>&1
done

"$ktutor" progress >"$out" 2>&1
[ "$(grep -c '^✔' "$out")" = 7 ] && ! grep -q '^·' "$out" && ! grep -q ': to do' "$out"
ok $? "all seven lines are earned, each with its tasks"
if "$ktutor" help expert >/dev/null 2>&1; then
	echo EXPERT | "$ktutor" expert >"$out" 2>&1
	ok $? "the gate opens to its word"
	"$ktutor" progress --format json >"$out" 2>&1
	grep -q '"EXPERT"' "$out"
	ok $? "the unlock is recorded"
fi
exit $status
