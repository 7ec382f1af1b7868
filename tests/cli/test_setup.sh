#!/bin/sh
# SPDX-License-Identifier: MIT
# `tools/setup` on a machine with nothing: it names what it is about to install, asks a person, and calls each package manager with the packages as
# that one names them. The managers here only write down how they were called.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/script.sh
called=$place/called
shown="$out $called"
tab=$(printf '\t')
unset YES # whoever runs the tests may have said it already
# A folder for PATH: the few tools the script itself needs, and one manager (none: -) that ends with a status. No compiler, no pkg-config.
machine() { # MANAGER SYSTEM [STATUS]
	rm -rf "$place/bin" "$called"
	mkdir "$place/bin"
	for tool in sh dirname id; do ln -s "$(command -v $tool)" "$place/bin/$tool"; done
	printf '#!/bin/sh\necho %s\n' "$2" >"$place/bin/uname"
	# brew is asked where it lies before anything is installed.
	[ "$1" = - ] || printf '#!/bin/sh\n[ "$*" != --prefix ] || { echo /opt/homebrew; exit; }\necho "%s $*" >>"%s"\nexit %s\n' "$1" "$called" "${3:-0}" >"$place/bin/$1"
	chmod +x "$place"/bin/*
}
setup() { PATH=$place/bin tools/setup build </dev/null >"$out" 2>&1; }

# manager, system, the column of tools/packages.tsv, its words for installing
while read -r manager system column words; do
	machine "$manager" "$system"
	setup
	ok $? "$manager: ends well without a terminal"
	packages=$(awk -F "$tab" -v column="$column" '$7 == "build" && $column != "-" { print $column }' tools/packages.tsv | tr '\n' ' ')
	packages=${packages% }
	echo "$manager $words $packages" | cmp -s - "$called"
	ok $? "$manager $words names every package"
	grep -qF "About to install with ${manager%-get}: $packages" "$out"
	ok $? "$manager: says so before"
done <<'END'
apt-get Linux 3 install -y --no-install-recommends
dnf Linux 4 install -y
apk Linux 5 add
brew Darwin 6 install
END

machine - Linux
setup
[ $? = 1 ] && grep -q 'No package manager that I know is here (apt-get, dnf, apk, brew)' "$out" && grep -q 'SQLite' "$out"
ok $? "without a package manager: what is needed, in a sentence"
machine dnf Linux 1
setup
[ $? = 1 ] && grep -q 'The package manager failed. ktutor needs compiler, make' "$out"
ok $? "a manager that fails is not taken for one that did not"

if command -v tmux >/dev/null 2>&1; then
	for answer in n y; do
		machine apk Linux
		tmux -L "setup$$" -f /dev/null new-session -d -x 200 -y 20 "PATH=$place/bin tools/setup build 2>&1; echo \$? >$place/ended"
		tries=0
		until tmux -L "setup$$" capture-pane -p 2>/dev/null | tee "$out" | grep -qF 'Go on? [Y/n]' || [ $tries = 200 ]; do tries=$((tries + 1)); sleep 0.05; done
		tmux -L "setup$$" send-keys "$answer" Enter
		until [ -s "$place/ended" ] || [ $tries = 400 ]; do tries=$((tries + 1)); sleep 0.05; done
		tmux -L "setup$$" kill-server 2>/dev/null
		case $answer in
		n) [ "$(cat "$place/ended")" = 1 ] && [ ! -e "$called" ] ;;
		y) [ "$(cat "$place/ended")" = 0 ] && grep -q '^apk add ' "$called" ;;
		esac
		ok $? "a person is asked, and said $answer"
		rm -f "$place/ended"
	done
else
	echo "ok - a person is asked # skip no tmux"
fi
exit $status
