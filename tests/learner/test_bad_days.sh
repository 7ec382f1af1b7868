#!/bin/sh
# SPDX-License-Identifier: MIT
# Bad days, on the command line: each ends with a sentence and an exit code, and nothing is lost.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/script.sh
lab=zone-goes-dark
run() { "$ktutor" "$@" >"$place/out" 2>&1 </dev/null; }
says() { grep -qF -e "$1" "$place/out"; }
field() { "$ktutor" cluster status "$lab" --format json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
gone() { while kill -0 "$1" 2>/dev/null; do sleep 0.02; done; }

# --- no terminal ---
"$ktutor" </dev/null 2>"$place/err" | cat >"$place/out"
says 'High availability' && [ ! -s "$place/err" ]
ok $? "without a terminal the overview is printed"
run
ok $? "and the exit code is 0"

# --- a home that cannot be written (nobody is root here, for once) ---
mkdir "$place/locked" && chmod 555 "$place/locked"
as=
if [ "$(id -u)" = 0 ]; then as='setpriv --reuid=65534 --regid=65534 --clear-groups'; chmod 755 "$place"; fi
if [ -z "$as" ] || $as "$ktutor" version >/dev/null 2>&1; then
	KTUTOR_HOME=$place/locked $as "$ktutor" learn 6.5 >"$place/out" 2>&1
	[ $? = 0 ] && says 'progress is not kept' && says 'High availability'
	ok $? "a lesson can be read with a home that cannot be written"
	KTUTOR_HOME=$place/locked $as "$ktutor" lab start $lab >"$place/out" 2>&1
	[ $? = 1 ] && says 'Permission denied' && says 'KTUTOR_HOME can name another folder'
	ok $? "a lab is not started in a home that cannot be written, and it is said what helps"
else
	echo "ok - a home that cannot be written # skip nobody else may run the program here"
fi

# --- a full disk: no file may grow ---
full() { (trap '' XFSZ; ulimit -f 0; KTUTOR_HOME=$place/full "$ktutor" "$@" 2>&1 </dev/null; echo "exit $?") | cat >"$place/out"; }
mkdir "$place/full"
full learn 6.5
says 'progress is not kept' && says 'High availability' && says 'exit 0'
ok $? "a lesson can be read when the disk is full"
full lab start $lab
says 'exit 1' && says 'ktutor: lab'
ok $? "a lab that finds no room says so"
KTUTOR_HOME=$place/full run lab start $lab
ok $? "and starts when there is room again"
KTUTOR_HOME=$place/full run config name ada
full config name eve
KTUTOR_HOME=$place/full run config name
says 'name: ada'
ok $? "what was kept before the disk was full is still there"
KTUTOR_HOME=$place/full run cluster down --all

# --- a killed cluster, its port taken by somebody else ---
run lab start $lab
ok $? "a lab starts"
pid=$(field pid) port=$(field server) port=${port##*:}
kill -9 "$pid"
gone "$pid"
run check $lab
[ $? = 3 ] && says "ktutor lab start $lab"
ok $? "check of a killed cluster ends with 3 and says how to start it"
python3 -c '
import socket, sys, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(); print("bound", flush=True); time.sleep(600)' "$port" >"$place/bound" &
squatter=$!
until [ -s "$place/bound" ]; do sleep 0.02; done
run lab start $lab && [ "$(field server)" != "https://127.0.0.1:$port" ] && run check $lab --no-wait --no-drills
[ $? = 1 ] && says 'spec.replicas'
ok $? "with its port in use it starts on another, and its kubeconfig knows"
kill $squatter

# --- yesterday's cluster, a second start at the same time ---
pid=$(field pid)
run lab start $lab && [ "$(field pid)" = "$pid" ] && [ "$("$ktutor" cluster list --format json | grep -c '"cluster"')" = 1 ]
ok $? "a cluster that runs is found again, not doubled"
run lab stop $lab
"$ktutor" lab start $lab >"$place/one" 2>&1 &
one=$!
"$ktutor" lab start $lab >"$place/out" 2>&1
two=$?
wait $one && [ $two = 0 ] && [ "$("$ktutor" cluster list --format json | grep -c '"cluster"')" = 1 ]
ok $? "two starts at the same time end with one cluster"
run lab stop $lab

# --- an interrupt during a start ---
for pause in 0 0.02 0.05 0.1; do
	(trap - INT; exec "$ktutor" lab start $lab) >"$place/out" 2>&1 &
	start=$!
	sleep $pause
	kill -INT $start 2>/dev/null
	wait $start
done
run lab start $lab
ok $? "after interrupted starts the lab starts"
run check $lab --no-wait --no-drills
[ $? = 1 ] && says 'spec.replicas is 1'
ok $? "and is the lab as it begins"
run lab stop $lab
run cluster list
says 'no clusters'
ok $? "nothing is left over"
exit $status
