#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Replay the golden transcripts on clusters of this project's own.

    replay.py KTUTOR KUBECTL [--only GLOB] [--jobs N] [--attempts N] [--told]

A folder passes when all its transcripts do that not-yet-equal does not list, and none that it lists: the list may
only shrink. Prints a line a folder, as tests/run-programs wants it. --told: all differences are printed, the
listed ones too. --attempts 1 finds those that chance decides.
"""
import argparse
import base64
import fnmatch
import glob
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from cluster import SETTLE, Cluster
from same import Names, difference, same, tidy
from transcript import Transcript, put_in, words_of

HERE = os.path.dirname(os.path.realpath(__file__))
PATIENCE = 60   # seconds of the cluster's time that a `$~` step is repeated for
LIMIT = 60      # real seconds that one command may run
# Time stands still but while a command sleeps, waiting for the cluster; so that what runs under load does not age.
FIRST = 0.1     # real seconds until the first look at a command that runs
LOOK = 0.03     # between two looks
HURRY = 8       # how fast time goes then
COST = "250ms"  # what one command takes of the cluster's time
SERVES = {"kubelet", "network", "network-policy", "metrics", "storage", "nodes-4cpu", "profile"}


class Run:
    """One transcript on one cluster; the first step that differs ends it."""

    def __init__(self, cluster, transcript, folder, attempt):
        self.cluster, self.transcript, self.folder = cluster, transcript, folder
        namespace, config = cluster.begin(folder, attempt)
        self.values = dict(cluster.variables, NS=namespace, FOLDER=folder, SERVER=cluster.server,
                           NS_BASE64=base64.b64encode(namespace.encode()).decode())
        # GOGC: kubectl is gone before it needs to tidy up
        self.environment = {"PATH": os.environ.get("PATH", ""), "HOME": cluster.home, "KUBECONFIG": config, "GOGC": "off"}
        self.names = Names(cluster.nodes)
        self.own = ""

    def difference(self):
        for step in self.transcript.steps:
            self.own = put_in(self.transcript.own, self.values)
            lines = self.step(step)
            if lines is not None:
                expected = [put_in(line, self.values) for line in step.expected]
                return [f"line {step.number}: {step.text}"] + difference(expected, lines, self.names)
        return None

    def step(self, step):
        """None if it printed what it must; else what it printed."""
        body = None if step.body is None else put_in("\n".join(step.body) + "\n", self.values)
        if step.file:
            with open(os.path.join(self.folder, step.file), "w", encoding="utf-8") as f:
                f.write(body)
            return None
        command = put_in(step.command, self.values)
        if step.keep:
            out, err, code = self.execute(command, body, False)
            self.values[step.keep] = out.strip()
            return None if not code else [err]
        return self.until(step, command, body) if step.patient else self.once(step, command, body)

    def once(self, step, command, body):
        fails = bool(step.expected) and step.expected[-1].startswith("[exit")
        out, err, code = self.execute(command, body, not fails)
        lines = tidy(out, command, code, self.own)
        lines += ["! " + line if line else "!" for line in tidy(err, "", code, self.own)]
        lines += [f"[exit {code}]"] if code else []
        expected = [put_in(line, self.values).rstrip() for line in step.expected]
        return None if same(expected, lines, self.names) else lines

    def until(self, step, command, body):
        waited = 0
        while True:
            lines = self.once(step, command, body)
            if lines is None:
                self.cluster.advance(SETTLE)
                return None
            if waited > PATIENCE:
                return lines
            pause = 0.2 if waited < 2 else 1 if waited < 20 else 5
            waited += pause
            self.cluster.advance(f"{int(pause * 1000)}ms")

    def execute(self, command, body, hurry):
        settings, words = words_of(command)
        if not words or words[0] != "kubectl":
            raise ValueError(f"only kubectl is run: {command}")
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err, \
                tempfile.TemporaryFile("w+") as stdin:
            stdin.write(body or "")
            stdin.seek(0)
            child = subprocess.Popen(words, executable=self.cluster.kubectl, cwd=self.folder, stdin=stdin, stdout=out,
                                     stderr=err, env=dict(self.environment, **settings), start_new_session=True)
            code = self.wait(child, hurry)
            out.seek(0)
            err.seek(0)
            return out.read(), err.read(), code

    def wait(self, child, hurry):
        """Its exit code. Time flows while it sleeps."""
        end, slept, flows = time.monotonic() + LIMIT, 0, False
        try:
            child.wait(timeout=FIRST)
        except subprocess.TimeoutExpired:
            pass
        try:
            while child.poll() is None:
                if time.monotonic() > end:
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait()
                    return f"none within {LIMIT} s"
                slept = slept + 1 if asleep(child.pid) else 0
                if (slept >= 2) != flows:
                    flows = not flows
                    self.cluster.flow((HURRY if hurry else 1) if flows else 0)
                time.sleep(LOOK)
        finally:
            if flows:
                self.cluster.flow(0)
        self.cluster.advance(COST)
        return child.returncode


def asleep(pid):
    """No thread of it wants to run. Where nobody can tell, it is."""
    if not os.path.isdir("/proc/self/task"):
        return True
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/stat", "rb") as f:
                if b") S " not in f.read(64):
                    return False
    except OSError:
        return False
    return True


def cannot(transcript, version):
    """Why this cluster or client cannot carry the transcript, or nothing."""
    missing = set(transcript.headers.get("needs", "").split()) - SERVES
    if missing:
        return "needs " + ", ".join(sorted(missing))
    bound = re.match(r"(>=|<) *(\d+)\.(\d+)", transcript.headers.get("kubectl", ""))
    if bound and (version >= (int(bound[2]), int(bound[3]))) != (bound[1] == ">="):
        return f"needs kubectl {bound[0]}"
    return ""


def listed():
    """not-yet-equal: {name: reason}."""
    reasons = {}
    with open(os.path.join(HERE, "not-yet-equal"), encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                name, _, reason = line.strip().partition(" ")
                reasons[name] = reason.strip()
    return reasons


def worker(make, waiting, results, version, reasons, attempts):
    cluster = None
    try:
        cluster = make()
        while True:
            name = waiting.get_nowait()
            results[name] = one(cluster, name, version, 1 if name in reasons else attempts)
    except queue.Empty:
        pass
    finally:
        if cluster:
            cluster.end()


ATTEMPTS = 3  # clients race, and UIDs decide among equal victims: a difference counts when it stays


def one(cluster, name, version, attempts):
    """(outcome, seconds, lines)"""
    start = time.monotonic()
    try:
        transcript = Transcript(os.path.join(HERE, name))
        reason = cannot(transcript, version)
        if reason:
            return "skipped", 0, [reason]
        for attempt in range(attempts):
            with tempfile.TemporaryDirectory(prefix="golden-", dir=cluster.home) as folder:
                lines = Run(cluster, transcript, folder, attempt).difference()
            if not lines:
                break
        return ("differs" if lines else "equal"), time.monotonic() - start, lines or []
    except Exception as problem:  # a transcript's trouble must not end the others' runs
        cluster.connection = None
        return "differs", time.monotonic() - start, [f"{type(problem).__name__}: {problem}"]


def report(results, reasons, told):
    """A line a folder; what is wrong under it. True if nothing is."""
    fine = True
    for folder in sorted({name.split("/")[0] for name in results}):
        mine = {name: r for name, r in results.items() if name.startswith(folder + "/")}
        bad = []
        for name, (outcome, seconds, lines) in sorted(mine.items()):
            if outcome == "differs" and (name not in reasons or told):
                bad.append((name, [f"differs after {seconds:.1f} s"] + lines))
            elif outcome == "equal" and name in reasons:
                bad.append((name, ["is equal now: take it off tests/golden/not-yet-equal"]))
        equal = sum(r[0] == "equal" for r in mine.values())
        judged = [name for name, _ in bad if not (told and name in reasons and mine[name][0] == "differs")]
        words = "not ok" if judged else "ok"
        fine = fine and not judged
        print(f"{words} - golden transcripts: {folder}, {equal} of {len(mine)} equal")
        for name, lines in bad:
            print("\n".join(f"    {line}" for line in [name] + lines))
    return fine


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ktutor")
    parser.add_argument("kubectl")
    parser.add_argument("--only", action="append")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--attempts", type=int, default=ATTEMPTS)
    parser.add_argument("--told", action="store_true")
    options = parser.parse_args()
    version = subprocess.run([options.kubectl, "version", "--client", "-o", "json"], capture_output=True, text=True,
                             check=True).stdout
    version = tuple(int(re.search(rf'"{part}": "(\d+)', version)[1]) for part in ("major", "minor"))
    names = sorted(os.path.relpath(path, HERE) for path in glob.glob(os.path.join(HERE, "*", "*.txt")))
    names = [n for n in names if not options.only or any(fnmatch.fnmatch(n, g) for g in options.only)]
    waiting, results, reasons = queue.Queue(), {}, listed()
    for name in names:
        waiting.put(name)
    nodes = os.path.join(HERE, "nodes.yaml")
    with tempfile.TemporaryDirectory(prefix="golden-") as home:
        workers = [threading.Thread(target=worker, args=(
            lambda i=i: Cluster(os.path.realpath(options.ktutor), options.kubectl, home, f"golden-{i}", nodes),
            waiting, results, version, reasons, options.attempts)) for i in range(options.jobs)]
        for thread in workers:
            thread.start()
        for thread in workers:
            thread.join()
    results.update({name: ("differs", 0, ["was not run"]) for name in names if name not in results})
    if options.told:
        for name, (outcome, seconds, _) in sorted(results.items()):
            print(f"# {outcome:8} {seconds:5.1f} s  {name}")
    return 0 if report(results, reasons, options.told) else 1


if __name__ == "__main__":
    sys.exit(main())
