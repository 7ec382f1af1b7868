#!/bin/sh
# SPDX-License-Identifier: MIT
# `make run` without a kubectl: tools/kubectl fetches the release, holds it against its published SHA-256, and says in one sentence what is wrong
# when that fails. The releases are on a server on loopback.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/script.sh
shown="$place/out $place/err"
server=
trap 'kill $server 2>/dev/null; leave' EXIT
command -v curl >/dev/null 2>&1 || { echo "ok - kubectl is fetched # skip there is no curl here"; exit 0; }

# What a release looks like: a kubectl that says its version, and its checksum.
case $(uname -s) in Darwin) os=darwin ;; *) os=linux ;; esac
case $(uname -m) in aarch64 | arm64) arch=arm64 ;; *) arch=amd64 ;; esac
release() { # VERSION MINOR
	mkdir -p "$place/www/$1/bin/$os/$arch"
	printf '#!/bin/sh\necho %s\n' "'{\"clientVersion\": {\"major\": \"1\", \"minor\": \"$2\"}}'" >"$place/www/$1/bin/$os/$arch/kubectl"
	python3 -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest(), end="")' \
		"$place/www/$1/bin/$os/$arch/kubectl" >"$place/www/$1/bin/$os/$arch/kubectl.sha256"
	printf %s "$1" >"$place/www/stable.txt"
}
release v1.34.0 34
python3 -c '
import functools, http.server, sys
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=sys.argv[1]))
print(s.server_address[1], flush=True); s.serve_forever()' "$place/www" >"$place/port" &
server=$!
until [ -s "$place/port" ]; do sleep 0.02; done
KTUTOR_RELEASES=http://127.0.0.1:$(cat "$place/port")
export KTUTOR_RELEASES
no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
export no_proxy NO_PROXY

# Everything that the script needs, but no kubectl.
mkdir "$place/bin"
for tool in sh curl sed head cut uname mkdir rm mv chmod cat sha256sum shasum dirname tr; do
	real=$(command -v $tool 2>/dev/null) && ln -s "$real" "$place/bin/$tool"
done
fetch() { PATH=$place/bin HOME=$place KTUTOR_HOME=$place/home tools/kubectl >"$place/out" 2>"$place/err" </dev/null; }

fetch && [ "$(cat "$place/out")" = "$place/home/bin/kubectl" ] && [ -x "$place/home/bin/kubectl" ]
ok $? "kubectl is fetched into ktutor's own folder"
kill $server
wait $server 2>/dev/null
fetch && [ ! -s "$place/err" ]
ok $? "a second time it is there already"
rm "$place/home/bin/kubectl"
fetch
[ $? = 1 ] && grep -q 'does not answer. Please install kubectl' "$place/err" && [ "$(grep -c . "$place/err")" = 1 ]
ok $? "without the release server there is a sentence"
python3 -m http.server --bind 127.0.0.1 --directory "$place/www" "$(cat "$place/port")" >/dev/null 2>&1 &
server=$!
until curl -fsS "$KTUTOR_RELEASES/stable.txt" >/dev/null 2>&1; do sleep 0.05; done
echo '# another' >>"$place/www/v1.34.0/bin/$os/$arch/kubectl"
fetch
[ $? = 1 ] && grep -q 'does not have its published SHA-256' "$place/err" && [ -z "$(ls -A "$place/home/bin")" ]
ok $? "what does not have its published SHA-256 is thrown away"
rm "$place/www/v1.34.0/bin/$os/$arch/kubectl.sha256"
fetch
[ $? = 1 ] && grep -q 'broke off' "$place/err" && [ -z "$(ls -A "$place/home/bin")" ]
ok $? "without a checksum nothing is taken"
echo '<html>' >"$place/www/stable.txt"
fetch
[ $? = 1 ] && grep -q 'did not tell a version' "$place/err"
ok $? "a page in the place of a version is none"
printf '#!/bin/sh\necho %s\n' "'{\"clientVersion\": {\"major\": \"1\", \"minor\": \"26+\"}}'" >"$place/bin/kubectl"
chmod 755 "$place/bin/kubectl"
release v1.34.0 34
fetch && [ "$(cat "$place/out")" = "$place/home/bin/kubectl" ]
ok $? "a kubectl that is too old is passed over"
printf '#!/bin/sh\necho %s\n' "'{\"clientVersion\": {\"major\": \"1\", \"minor\": \"27\"}}'" >"$place/bin/kubectl"
fetch && [ "$(cat "$place/out")" = "$place/bin/kubectl" ]
ok $? "one that is new enough is used"
exit $status
