# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: MIT
# What tests that are scripts have in common. They read it in at the project's root, and end with `exit $status`. Theirs are: a folder $place
# that goes in the end, with an empty home in it whose clusters go, too; $out for what programs say; $shown, the files shown when something is not
# right (words); $about, before each name.
ktutor=${KTUTOR:-$PWD/build/ktutor}
place=$(mktemp -d "${TMPDIR:-/tmp}/ktutor-test.XXXXXX") || exit 1
HOME=$place/home KTUTOR_HOME=$place/home
export HOME KTUTOR_HOME
mkdir "$HOME"
out=$place/out
shown=$out
about=
status=0
# The folder of a lab's solution: with what was drawn at its start, where something varies.
solution_of() { # LAB
	for folder in "$KTUTOR_HOME/labs/$1/drawn/$(cat "$KTUTOR_HOME/labs/$1/draw" 2>/dev/null)/$1/solution" "$PWD"/labs/*/"$1/solution"; do
		if [ -d "$folder" ]; then
			echo "$folder"
			return
		fi
	done
}
leave() {
	"$ktutor" cluster down --all >/dev/null 2>&1
	chmod -R u+w "$place"
	rm -rf "$place"
}
trap leave EXIT
trap 'exit 1' INT TERM
ok() { # STATUS NAME [FILE]
	if [ "$1" = 0 ]; then
		echo "ok - $about$2"
	else
		echo "not ok - $about$2"
		# shellcheck disable=SC2086 # words
		sed 's/^/    /' ${3:-$shown} 2>/dev/null
		status=1
	fi
}
