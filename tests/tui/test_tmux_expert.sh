#!/bin/sh
# SPDX-License-Identifier: MIT
# Behind the gate, in tmux at 80x24: the rounds, one of them answered and really played, its verdict with numbers; one that is cancelled, and one
# that is left while it is played. No cluster stays behind.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/ktutor-tmux.XXXXXX") || exit 1
. tests/tui/tmux.sh
command -v python3 >/dev/null 2>&1 || { echo "ok - rounds in a terminal # skip there is no python3 here"; exit 0; }
walk="expert 80x24" failed=0
home=$(mktemp -d "$work/home.XXXXXX") || exit 1

# as if the level were complete and the word typed
HOME=$home KTUTOR_HOME=$home "$ktutor" expert list >/dev/null 2>&1
HOME=$home KTUTOR_HOME=$home "$ktutor" config name ada >/dev/null 2>&1
python3 -c 'import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute("INSERT INTO unlock VALUES (?, 1, 0)", ("EXPERT",)); db.commit()' "$home/progress.db"

families() { HOME=$home KTUTOR_HOME=$home "$ktutor" expert list | grep -c '^[a-z-]*  *[A-Z]'; }
clusters() { KTUTOR_HOME=$home/expert "$ktutor" cluster list 2>/dev/null | grep -c expert-; }
no_cluster() { # until none is left
	deadline=$(($(now) + patience))
	while [ "$(clusters)" != 0 ]; do
		[ "$(now)" -lt "$deadline" ] || return 1
		sleep 0.1
	done
}
begin 80x24
sees "home opens" "enter open"
key End
sees "the last row is the gate, open" "open"
key Enter
sees "the gate leads to the rounds" "enter rounds"
key Enter
sees "the rounds are there, not played yet" "not played yet"
screen | grep -q "1 of $(families) ↓"
ok $? "as many as there are, though not all at once"
key End
sees "the last of them comes into view" "$(families) of $(families) ↑"
key Enter
sees "a round asks before anything is done" "your answer: _"
asked=1
questions=$(screen | sed -n '1s/.*question 1 of \([0-9]*\).*/\1/p')
while [ "$asked" -le "${questions:-0}" ]; do
	waits "question $asked of" || break
	letters 2
	waits "your answer: 2_"
	key Enter
	waits "how sure"
	letters 70
	waits "70_"
	key Enter
	asked=$((asked + 1))
done
sees "the cluster does it, and what was said stands beside what happened" "what happened"
[ "$(screen | grep -c 'you said  2 ')" = "$questions" ]
ok $? "question by question"
sees "the verdict is a curve" "over time"
key End
sees "with how often one is right when so sure" "right this often at 70 %"
[ "$(clusters)" = 0 ]
ok $? "its cluster has ended"
key q
sees "the rounds count" "of $questions right"
HOME=$home KTUTOR_HOME=$home "$ktutor" expert list | grep -q "of $questions predictions right; calibration 0\."
ok $? "and so does the record"

answer_all() {
	asked=1
	while [ "$asked" -le "$questions" ]; do
		waits "question $asked of" || return 1
		letters 1
		waits "your answer: 1_"
		key Enter
		waits "how sure"
		key Enter
		asked=$((asked + 1))
	done
}
key Enter
answer_all
key x
waits_like 'cancelled|what happened' # unless it was faster
ok $? "it can be cancelled while it is played"
key Enter
answer_all
key q
sees "it can be left while it is played" "right"
no_cluster
ok $? "and no cluster is left"
key q
key q
key q
sees "leaving ends with 0" "left with 0"
end
exit $failed
