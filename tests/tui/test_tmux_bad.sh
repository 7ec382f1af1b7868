#!/bin/sh
# SPDX-License-Identifier: MIT
# Bad days on the screens: no Unicode, no colour, a crash, an ending from outside, ctrl-z, a second tutor, a killed cluster, a home that cannot
# be written, a full disk, ctrl-c during a start. A sentence each, and the terminal is given back.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/ktutor-tmux-bad.XXXXXX") || exit 1
. tests/tui/tmux.sh
failed=0
fresh() { # NAME: another home, another terminal
	walk=$1
	home=$(mktemp -d "$work/home.XXXXXX")
}

fresh "no Unicode"
locale=C begin 80x24
sees "home is drawn" "enter open"
! screen | LC_ALL=C grep -q '[^ -~]'
ok $? "nothing but ASCII is on the screen"
! t capture-pane -t k -p -e | grep -q '[●─│]'
ok $? "the lines are ASCII too"
end

coloured() { t capture-pane -t k -p -e | grep -qE '\[([0-9]*;)*(3[0-7]|38;5;[0-9]+|9[0-7])(;[0-9]*)*m'; }
fresh "no colour"
begin 80x24
sees "home is drawn" "enter open"
coloured
ok $? "there is colour without NO_COLOR"
end
fresh "no colour"
extra=NO_COLOR=1 begin 80x24
sees "home is drawn" "enter open"
! coloured
ok $? "there is none with it"
end
for signal in SEGV ABRT TERM HUP; do
	fresh "SIG$signal"
	begin 80x24
	sees "home is drawn" "enter open"
	kill -$signal "$(tutor)"
	sees "the tutor ends" "left with"
	sees "the terminal is as it was" "icanon echo"
	! screen | grep -q "enter open"
	ok $? "the screen before it is back"
	end
done

fresh "a small terminal"
begin 40x10
sees "says what it needs" "ktutor needs at least"
key q
sees "can be left" "left with 0"
end

fresh "a killed cluster"
begin 80x24 'learn 6.5'
sees "the lesson opens" "page 1 of"
key l
sees "the lab starts" "expected"
kill -9 "$(KTUTOR_HOME=$home "$ktutor" cluster status --format json | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')"
sees "it is said, and what to do" "the cluster does not answer"
key F3
sees "a check says it again" "the cluster does not answer"
key F10
sees "the lab is left" "page 1 of"
key l
sees "and goes on where it was" "expected"

# In the same home, while the first one is open.
walk="a second tutor" first=$socket
socket=$socket-2
t -f /dev/null new-session -d -s k -x 80 -y 24 "env HOME='$home' KTUTOR_HOME='$home' LC_ALL=$unicode SHELL=/bin/sh ENV= PS1='\$ ' PATH='$work/bin' '$ktutor' learn 6.5"
sees "opens beside the first" "page 1 of"
key l
sees "finds the same lab" "expected"
[ "$(KTUTOR_HOME=$home "$ktutor" cluster list --format json | grep -c '"cluster"')" = 1 ]
ok $? "there is one cluster"
key F10
t kill-server
socket=$first walk="a killed cluster"
letters 'kubectl scale -n shop deploy/frontend --replicas=3'
key Enter
sees "the first one still sees its tasks turn green" "✓ 1 "
end

fresh "a home that cannot be written"
chmod 555 "$home"
if [ "$(id -u)" = 0 ]; then echo "ok - $walk # skip root may write everywhere"; else
	begin 80x24
	sees "the first screen says so" "Progress is not kept"
	key q
	end
fi
chmod 755 "$home"

fresh "a full disk"
before="trap '' XFSZ; ulimit -f 0" begin 80x24 'learn 6.5'
sees "a lesson can be read" "page 1 of"
sees "and it is said that nothing is kept" "rogress is not kept"
key Right
key l
sees "a lab that finds no room says so" "cannot be written"
sees "and the lesson is there" "page 2 of"
end

fresh "ctrl-c during a start"
begin 80x24 'learn 6.5'
sees "the lesson opens" "page 1 of"
key l
key C-c # cancels the start, or reaches the shell if it was faster
calm=0 deadline=$(($(now) + patience)) # the lesson for two seconds: it was cancelled
until [ $calm = 20 ] || screen | grep -qF 'F10 leave' || [ "$(now)" -ge "$deadline" ]; do
	if screen | grep -qF 'page 1 of'; then calm=$((calm + 1)); else calm=0; fi
	sleep 0.1
done
[ $calm = 20 ] || key F10
sees "the lesson is back" "page 1 of"
key l
sees "the lab starts after that" "expected"
end

fresh "ctrl-z"
socket=ktutor-$$-$(basename "$home")
t -f /dev/null new-session -d -s k -x 80 -y 24 "env HOME='$home' KTUTOR_HOME='$home' LC_ALL=$unicode ENV= PS1='> ' sh -i"
sees "a shell" ">"
letters "$ktutor learn 6.5"
key Enter
sees "the lesson opens" "page 1 of"
key C-z
sees "the shell is back" "topped"
letters "fg"
key Enter
sees "fg comes back" "page 1 of"
key Right
sees "and keys work" "page 2 of"
end
exit $failed
