#!/bin/sh
# SPDX-License-Identifier: MIT
# Nothing that level 6 must cover is lost, docs/coverage.md says so, and a loss would be noticed.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/script.sh
command -v python3 >/dev/null 2>&1 || { echo "ok - coverage # skip there is no python3"; exit 0; }
tools/coverage --check
ok $? "every section and every value has its lesson and its tasks"

copy=$place/copy
mkdir -p "$copy/tests" && cp -r lessons labs docs tools "$copy/" && cp -r tests/coverage "$copy/tests/"
sed -i.old 's/maxSurge: 1 /maxSurge: 2 /' "$copy"/lessons/level-6-pro/07-*/lesson.md
sed -i.old 's/maxSurge: 1$/maxSurge: 2/' "$copy"/labs/level-6-pro/quiet-release/solution/*.yaml
said=$("$copy/tools/coverage" --check)
[ $? = 1 ] && echo "$said" | grep -q "6.7 does not say 'strategy:"
ok $? "a changed value is noticed"
exit $status
