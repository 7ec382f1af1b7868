# SPDX-License-Identifier: MIT
# A tutor in a terminal of its own: tmux on a socket of its own, a home of its own. For the tests that walk through the screens.
# Whoever reads this has set: work (a folder), walk (what is walked, for names), failed. Content is waited for, `patience` seconds at most.
patience=${PATIENCE:-120}
ktutor=${KTUTOR:-$PWD/build/ktutor}
for tool in tmux kubectl; do
	command -v $tool >/dev/null 2>&1 || { echo "ok - screens in a terminal # skip there is no $tool here"; exit 0; }
done
unicode=$(locale -a 2>/dev/null | grep -iE '^(C|en_US)\.utf-?8$' | head -n 1)
[ -n "$unicode" ] || { echo "ok - screens in a terminal # skip there is no UTF-8 locale here"; exit 0; }

t() { tmux -L "$socket" "$@" 2>/dev/null; }
key() { t send-keys -t k "$@"; }
letters() { t send-keys -t k -l "$1"; }
screen() { t capture-pane -t k -p; }
now() { date +%s; }
# begin COLSxROWS [WORDS]: a new home and a terminal with the tutor in it. Nothing but kubectl is on its PATH: a container engine that happens to
# be on this machine is no part of the picture.
begin() {
	home=${home:-$(mktemp -d "$work/home.XXXXXX")}
	socket=ktutor-$$-$(basename "$home")
	mkdir -p "$work/bin"
	[ -x "$work/bin/kubectl" ] || {
		printf '#!/bin/sh\nPATH="%s"\nexec kubectl "$@"\n' "$PATH" >"$home/kubectl"
		chmod +x "$home/kubectl" && mv "$home/kubectl" "$work/bin/kubectl"
	}
	t -f /dev/null new-session -d -s k -x "${1%x*}" -y "${1#*x}" \
		"${before:-:}; env -u NO_COLOR KTUTOR_DRAW=0 ${extra:-} HOME='$home' KTUTOR_HOME='$home' ${share:+KTUTOR_SHARE='$share'} LC_ALL=${locale:-$unicode} SHELL=/bin/sh ENV= PS1='\$ ' \
		PATH='$work/bin' '$ktutor' ${2:-}; echo \"left with \$?\"; PATH='$PATH'; stty -a | grep -oE -e '-?(icanon|echo) ' | tr -d '\n'; exec sleep 600"
}
tutor() { ps -A -o pid=,ppid= | awk -v p="$(t list-panes -t k -F '#{pane_pid}')" '$2 == p { print $1; exit }'; }
end() { # the terminal and the clusters
	t kill-server
	KTUTOR_HOME=$home "$ktutor" cluster down --all >/dev/null 2>&1
}
ok() { # STATUS NAME: with the screen when it is not
	if [ "$1" = 0 ]; then echo "ok - $walk: $2"; else
		echo "not ok - $walk: $2"
		screen | sed 's/^/    /'
		failed=1
	fi
}
waits() { # TEXT: until the screen has it
	deadline=$(($(now) + patience))
	until screen | grep -qF -e "$1"; do
		[ "$(now)" -lt "$deadline" ] || return 1
		sleep 0.1
	done
}
waits_like() { # REGEX: until a line of it fits
	deadline=$(($(now) + patience))
	until screen | grep -qE -e "$1"; do
		[ "$(now)" -lt "$deadline" ] || return 1
		sleep 0.1
	done
}
sees() { waits "$2"; ok $? "$1"; }
# Whatever way the test ends: no terminal, no cluster, no file is left.
leave() {
	for left in "$work"/home.*; do
		[ -d "$left" ] || continue
		for name in "ktutor-$$-$(basename "$left")" "ktutor-$$-$(basename "$left")-2"; do tmux -L "$name" kill-server 2>/dev/null; done
		KTUTOR_HOME=$left "$ktutor" cluster down --all >/dev/null 2>&1
		chmod -R u+w "$left"
	done
	rm -rf "$work"
}
trap leave EXIT
trap 'exit 1' INT TERM
