#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The golden transcripts on a real cluster beside the embedded one, by folder.

    golden.py KTUTOR KUBECTL KUBECONFIG [--only GLOB] [--jobs N] [--minutes N] [--told]

What differs on the real cluster, too, is a matter of the recording or of the machine, not of the embedded cluster; what
differs on the embedded one alone is its fault. Everything made bears the transcript's namespace in its name, and goes.
"""
import argparse
import fnmatch
import glob
import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time

GOLDEN = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "golden")
sys.path.insert(0, GOLDEN)
import replay  # noqa: E402
from cluster import names_of, namespace_config, new_namespace  # noqa: E402
from transcript import Transcript  # noqa: E402

SERVES = {"kubelet", "network", "network-policy", "metrics", "storage"}
OUTSIDE = "namespaces,clusterroles,clusterrolebindings,persistentvolumes,storageclasses,priorityclasses," \
          "customresourcedefinitions,runtimeclasses,ingressclasses"


class Real:
    """What replay.Run asks of a cluster; time is its own."""

    def __init__(self, kubectl, kubeconfig, home):
        self.kubectl, self.kubeconfig, self.home, self.connection = kubectl, kubeconfig, home, None
        self.config = json.loads(self.call("config", "view", "--raw", "--flatten", "--minify", "-o", "json"))
        self.server = self.config["clusters"][0]["cluster"]["server"].split("//", 1)[1]
        self.nodes, self.variables = names_of(json.loads(self.call("get", "nodes", "-o", "json"))["items"])

    def call(self, *words):
        return subprocess.run([self.kubectl, "--kubeconfig", self.kubeconfig, *words], check=True,
                              capture_output=True, text=True, timeout=120).stdout

    def advance(self, span):
        if span.endswith("ms"):
            time.sleep(int(span[:-2]) / 1000 if span != replay.COST else 0)
        else:
            time.sleep(float(span[:-1]))

    def flow(self, factor):
        pass

    def begin(self, folder, attempt=0):
        namespace = new_namespace()
        self.call("create", "namespace", namespace)
        for _ in range(50):  # as on the embedded one: its account is there
            if self.call("get", "serviceaccounts", "-n", namespace, "-o", "name"):
                break
            time.sleep(0.2)
        return namespace, namespace_config(self.config, namespace, folder)

    def clean(self):
        made = [name for name in self.call("get", OUTSIDE, "-o", "name").split() if "golden-" in name]
        if made:
            self.call("delete", "--wait=false", *made)


def on_real(cluster, names, version, jobs, until):
    """{name: outcome}; what touches machines runs last, by itself."""
    alone = [n for n in names if "alone" in Transcript(os.path.join(GOLDEN, n)).headers]
    results = {}

    def work(waiting):
        while time.monotonic() < until:
            try:
                name = waiting.get_nowait()
            except queue.Empty:
                return
            results[name] = replay.one(cluster, name, version, 1)

    for part, count in (([n for n in names if n not in alone], jobs), (alone, 1)):
        waiting = queue.Queue()
        for name in part:
            waiting.put(name)
        threads = [threading.Thread(target=work, args=(waiting,)) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    cluster.clean()
    return results


def on_embedded(ktutor, kubectl, only):
    globs = [word for glob_ in only or [] for word in ("--only", glob_)]
    told = subprocess.run([sys.executable, os.path.join(GOLDEN, "replay.py"), ktutor, kubectl, "--told", *globs],
                          capture_output=True, text=True, check=False).stdout
    return dict(reversed(m) for m in re.findall(r"^# (\w+) +[\d.]+ s +(\S+)$", told, re.M))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ktutor")
    parser.add_argument("kubectl")
    parser.add_argument("kubeconfig")
    parser.add_argument("--only", action="append")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--told", action="store_true")
    options = parser.parse_args()
    text = subprocess.run([options.kubectl, "version", "--client", "-o", "json"], capture_output=True, text=True,
                          check=True).stdout
    version = tuple(int(re.search(rf'"{part}": "(\d+)', text)[1]) for part in ("major", "minor"))
    names = sorted(os.path.relpath(path, GOLDEN) for path in glob.glob(os.path.join(GOLDEN, "*", "*.txt")))
    names = [n for n in names if not options.only or any(fnmatch.fnmatch(n, g) for g in options.only)]
    replay.SERVES = SERVES
    with tempfile.TemporaryDirectory(prefix="golden-kind-") as home:
        real = on_real(Real(options.kubectl, options.kubeconfig, home), names, version, options.jobs,
                       time.monotonic() + options.minutes * 60)
    embedded = on_embedded(options.ktutor, options.kubectl, options.only)
    print(f"{'transcripts':14} {'there':>6} {'real: run':>10} {'equal':>6}   {'embedded: equal':>15}")
    for folder in sorted({name.split("/")[0] for name in names}):
        mine = [name for name in names if name.startswith(folder + "/")]
        run = [name for name in mine if real.get(name, ("skipped",))[0] != "skipped"]
        print(f"{folder:14} {len(mine):6} {len(run):10} {sum(real[n][0] == 'equal' for n in run):6}   "
              f"{sum(embedded.get(n) == 'equal' for n in mine):15}")
    if options.told:
        for name, (outcome, _, lines) in sorted(real.items()):
            if outcome == "differs":
                print("\n".join(f"    {line}" for line in [name] + lines[:14]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
