#!/bin/sh
# SPDX-License-Identifier: MIT
# The learner's path through the screens, in tmux, for each of the three labs at 80x24 and 120x36: home, the lesson's pages, its quiz, the lab
# with kubectl typed into the shell, tasks that turn green by themselves, the result, home with what was done. Screens are held against kept
# ones (tests/tui/walks); KTUTOR_KEEP=1 keeps what is shown now. Nothing sleeps a fixed time: content is waited for.
# test_tmux.sh [LAB [COLSxROWS]] walks one alone.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/ktutor-tmux.XXXXXX") || exit 1
. tests/tui/tmux.sh

# A course of these three, so that a walk does not change when lessons are added.
share=$work/share
mkdir -p "$share/lessons/level-6-pro" "$share/labs/level-6-pro"
cp lessons/*.yaml "$share/lessons/"
for lab in zone-goes-dark ten-times-the-traffic only-the-frontend; do
	cp -R "labs/level-6-pro/$lab" "$share/labs/level-6-pro/"
	lesson=$(grep -l "^lab: $lab\$" lessons/level-6-pro/*/lesson.md)
	cp -R "$(dirname "$lesson")" "$share/lessons/level-6-pro/"
done

# What differs from run to run: clocks, spans of time, which node a pod is on.
plain() {
	sed -E -e 's/ [0-9][0-9]:[0-9][0-9]:[0-9][0-9] / HH:MM:SS /' -e 's/(points   +)([0-9]+m ?)?([0-9]+s)?   attempt/\1SPAN   attempt/' \
		-e '/^│/s/(●|◐|◌|✗|○)/ /g' -e '/^│/s/cpu [0-9]+%( mem [0-9]+%)?//' -e 's/[[:space:]]*$//'
}
# Of the result only what is seen at once: below it stands how this walk went, and no two are alike.
part() { if [ "$1" = result ]; then sed '/beside yours/q'; else cat; fi; }
keeps() { # NAME: the screen becomes the kept one
	kept=tests/tui/walks/$lab-$1-$size.txt
	deadline=$(($(now) + patience))
	if [ -n "${KTUTOR_KEEP:-}" ]; then
		mkdir -p tests/tui/walks
		before=
		while screen | plain | part "$1" >"$home/screen"; [ "$before" != "$(cat "$home/screen")" ]; do
			before=$(cat "$home/screen")
			sleep 2
		done
		cp "$home/screen" "$kept"
	fi
	while screen | plain | part "$1" >"$home/screen"; ! cmp -s "$home/screen" "$kept"; do
		if [ "$(now)" -ge "$deadline" ]; then
			ok 1 "$1 is the kept screen"
			diff "$kept" "$home/screen" | sed 's/^/    /'
			return
		fi
		sleep 0.2
	done
	ok 0 "$1 is the kept screen"
}

# --- the path ---
steps_of() { # what a learner would type for the lab, a line each
	for file in labs/level-6-pro/"$1"/solution/*.yaml; do echo "kubectl apply -f $(basename "$file")"; done
}
walk() { # LAB COLSxROWS
	lab=$1 size=$2 walk="$1 $2" failed=0
	home=$(mktemp -d "$work/home.XXXXXX") || return 1
	mkdir -p "$home/labs/$lab/work"
	cp labs/level-6-pro/"$lab"/solution/*.yaml "$home/labs/$lab/work/"
	begin "$size"
	sees "home opens" "enter open"
	key /
	letters "$lab"
	key Enter
	sees "the lesson is found by its lab" "questions"
	keeps home
	key Enter
	sees "the lesson opens" "page 1 of"
	keeps lesson
	pages=$(screen | sed -n '1s/.*page 1 of \([0-9]*\).*/\1/p')
	page=1
	while [ "$page" -lt "${pages:-1}" ]; do
		page=$((page + 1))
		key Right
		waits "page $page of $pages" || break
	done
	sees "the pages turn to the last" "page $pages of $pages"
	key Enter
	sees "the quiz opens" "question 1 of"
	keeps quiz
	questions=$(screen | sed -n '1s/.*question 1 of \([0-9]*\).*/\1/p')
	asked=1
	while [ "$asked" -le "$questions" ]; do
		waits "question $asked of" || break
		if screen | grep -q 'a number:'; then letters 1; key Enter; else key 1; fi
		waits "enter go on" || break
		key Enter
		asked=$((asked + 1))
	done
	sees "the quiz counts" " of $questions right"
	key l
	sees "the lab starts, and its first task fails with a finding" "expected"
	waits_like '(^|│)\$ *$' # the shell's prompt
	keeps lab
	steps_of "$lab" >"$home/steps"
	while read -r line; do
		letters "$line"
		waits "$(basename "${line##* }")" || break
		key Enter
		waits_like '(^|│)\$ *$' || break
	done <"$home/steps"
	waits_like '^(▸| )(✓|◐) [0-9] '
	ok $? "tasks turn green by themselves"
	deadline=$(($(now) + patience)) # F3 when nothing is red any more
	while screen | grep -qE '^(▸| )(✗|○|\?) [0-9]' && [ "$(now)" -lt "$deadline" ]; do sleep 0.3; done
	! screen | grep -qE '^(▸| )(✗|○|\?) [0-9]'
	ok $? "all of them"
	key F3
	sees "the result comes" "passed"
	sees "with all points" "attempt"
	keeps result
	key g
	sees "back on the first screen" "enter open"
	keeps home-after
	t resize-window -t k -x 40 -y 10
	sees "a small terminal gets a sentence" "ktutor needs at least"
	t resize-window -t k -x "${size%x*}" -y "${size#*x}"
	sees "and what was there comes back" "enter open"
	key q
	sees "leaving ends with 0" "left with 0"
	sees "and gives the terminal back" "icanon echo"
	HOME=$home KTUTOR_HOME=$home KTUTOR_SHARE=$work/share "$ktutor" progress >"$home/progress" 2>&1
	grep -q "^✓ lab $lab" "$home/progress"
	ok $? "the pass is kept"
	end
	return $failed
}

labs=${1:-zone-goes-dark ten-times-the-traffic only-the-frontend}
sizes=${2:-80x24 120x36}
status=0 walks=
for lab in $labs; do
	for size in $sizes; do
		walk "$lab" "$size" >"$work/out.$lab.$size" 2>&1 &
		walks="$walks $!"
	done
	for one in $walks; do wait "$one" || status=1; done
	walks=
	for size in $sizes; do cat "$work/out.$lab.$size"; done
done
exit $status
