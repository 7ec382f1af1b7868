#!/bin/sh
# SPDX-License-Identifier: MIT
# `make install PREFIX= DESTDIR=`: what is installed runs from where it lies, with the course beside it; `make uninstall` leaves nothing.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/script.sh
unset MAKEFLAGS MAKELEVEL KTUTOR_SHARE KTUTOR_LABS
build=$(dirname "$ktutor")
for prefix in /opt/tutor ''; do
	make -s BUILD="${build#"$PWD"/}" SAN= PREFIX=$prefix DESTDIR="$place/root" install >"$place/out" 2>&1
	ok $? "make install PREFIX=$prefix"
	mkdir -p "$place/elsewhere"
	(cd "$place/elsewhere" && "$place/root$prefix/bin/ktutor" learn) >"$place/out" 2>&1 && grep -q 'High availability' "$place/out"
	ok $? "what is installed in '$prefix' finds its course from any folder"
	lab=$place/root$prefix/share/ktutor/labs/level-6-pro/zone-goes-dark/lab.yaml
	sed 's/^title:.*/title: Of this place/' "$lab" >"$place/lab" && cat "$place/lab" >"$lab"
	"$place/root$prefix/bin/ktutor" lab list >"$place/out" 2>&1 && grep -q 'Of this place' "$place/out"
	ok $? "and that course is the one beside it"
	"$place/root$prefix/bin/ktutor" lab start zone-goes-dark >"$place/out" 2>&1 && "$place/root$prefix/bin/ktutor" lab stop zone-goes-dark >>"$place/out" 2>&1
	ok $? "a lab starts from there"
	make -s PREFIX=$prefix DESTDIR="$place/root" uninstall >"$place/out" 2>&1
	[ -z "$(find "$place/root" -type f)" ]
	ok $? "make uninstall leaves no file"
done
exit $status
