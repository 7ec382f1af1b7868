# SPDX-License-Identifier: MIT
"""Whether what a command printed is what a transcript says.

A transcript names what differs from run to run: `UID-1`, `TIME`. So its lines are patterns; LABELS says what
each name may stand for. A name with a number stands for one value throughout a transcript, and no other name
does. `Names` holds what has been found out so far.
"""
import re
from itertools import groupby, zip_longest

DURATION = r"(?:\d+[ydhms])+"
# name: what it stands for, whether it is numbered
LABELS = {
    "UID": (r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", True),
    "DIGEST": (r"[0-9a-f]{64}", True),
    "CONTAINER": (r"[0-9a-f]{64}", True),
    "HEX": (r"[0-9a-f]{64}|[0-9A-F]{128}", True),
    "RV": (r"[1-9]\d*", True),
    "IP": (r"\d{1,3}(?:\.\d{1,3}){3}", True),
    "NODEPORT": (r"3[0-2]\d{3}", True),
    "NODE": (r"NODES", True),  # filled in: the cluster's nodes
    "HASH": (r"[4-9bcdf]{6,10}", True),
    "RANDOM": (r"[bcdfghjklmnpqrstvwxz2456789]{5}", True),
    "EVENT": (r"[0-9a-f]{16}", True),
    "SCHEDULED": (r"[23]\d{7}", True),
    "AGE": (rf"(?:AGE|<invalid>|{DURATION})(?: \(x\d+ over [^)]*\))?", False),
    "TIME": (r"TIME", False),
    "METER": (r"METER|\d+(?:m|Mi|%)?", False),
    "PEM": (r"PEM", False),
    "TOKEN": (r"TOKEN", False),
    "CONTINUE": (r"CONTINUE", False),
    "HOLDER": (r"\S+", False),
    "KLOG": (r"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+", False),
    "LIVE": (r"(?:/[\w.-]+)*/LIVE-\d+", False),
    "MERGED": (r"(?:/[\w.-]+)*/MERGED-\d+", False),
}
LABEL = re.compile(rf"\b({'|'.join(LABELS)})(?:-(\d+))?\b(?!\w)")
GENERATED = re.compile(r"\b(?:HASH|RANDOM|EVENT|SCHEDULED)-\d")

# What is found in the output itself, before lines are compared: it may span lines, or stand within words.
FOUND = [
    ("PEM", r"-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----(?:\\n)?|LS0tLS1CRUdJTi[A-Za-z0-9+/=]+"),
    ("TOKEN", r"eyJ[\w-]{10,}\.eyJ[\w-]+\.[\w-]+|\bZXlK[A-Za-z0-9+/]{100,}={0,2}"),
    ("CONTINUE", r"eyJ2Ij[\w=-]+"),
    ("TIME", r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"),
    ("TIME", r"\b20\d\d-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [+-]\d{4}(?: UTC)?"),
    ("TIME", r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} 20\d\d \d\d:\d\d:\d\d [+-]\d{4}"),
]
FOUND = [(name, re.compile(pattern)) for name, pattern in FOUND]

# Lines that are dropped, from both: progress that is a matter of time, and the prose of `explain`.
WAITING = re.compile(r"^Waiting for .*\.\.\.$")
STRUCTURE = re.compile(r"^(?:GROUP|KIND|VERSION|RESOURCE|FIELD|DESCRIPTION|FIELDS):|^\s+\S+\s+<\S+>|^\s*enum: ")
# Neighbours of one kind whose order is chance: entries of managedFields fall into one second or two; kubectl goes
# through a map for the logs of several containers, a Secret's keys and a LimitRange's resources, and asks for the
# kinds of an apply set at once. What is captured is sorted.
CHANCE = [re.compile(pattern) for pattern in (
    r"^(\S+ (?:Update|Apply) \S* ?\{\"f:.*)", r"^(\[pod/\S+\]) ", r"^(\S+): +\d+ bytes$", r"^(\S+) pruned",
    r"^ *(Container +[a-z./-]+) +\S+ +\S+ +\S+ +\S+ +\S+$", r"^ *(Pod +[a-z./-]+) +\S+ +\S+ +\S+ +\S+ +\S+$")]
# Said by a kubectl that is slow to notice the end of its own patience.
RACE = re.compile(r"^E\d{4} \S+ +\d+ reflector\.go:\d+\] \"Failed to watch\" err=\"context deadline exceeded\"")
DELETED = re.compile(r"(?<= deleted) from \S+ namespace(?=$| )")  # said by some versions only


def tidy(text, command, failed, own):
    """What was printed, as lines that can be compared. `own`: the transcript's own words, which stay."""
    for name, pattern in FOUND:
        text = pattern.sub(lambda m, n=name: m.group() if m.group() in own else n, text)
    lines = [DELETED.sub("", line.rstrip()) for line in text.split("\n") if not RACE.match(line)]
    if "rollout status" in command:
        last = [at for at, line in enumerate(lines) if WAITING.match(line)][-1:] if failed else []
        lines = [line for at, line in enumerate(lines) if at in last or not WAITING.match(line)]
    if command.startswith("kubectl explain"):
        lines = list(structure(lines))
    while lines and not lines[-1]:
        lines.pop()
    return lines


def structure(lines):
    values = False
    for line in lines:
        values = line == "ENUM:" or (values and bool(line.strip()))
        if values or STRUCTURE.match(line):
            yield line


def laid_out(line):
    """Widths of columns do not count, since they depend on what was renamed; a first column may be empty."""
    cells = re.split(r" {2,}", line.strip())
    indent = 0 if len(cells) > 1 else min(len(line) - len(line.lstrip()), 12)
    return " " * indent + "  ".join(cells)


def in_order(lines):
    """Neighbours whose order is chance, sorted."""
    for pattern in CHANCE:
        out = []
        for hit, group in groupby(lines, lambda line: bool(pattern.match(line))):
            out += sorted(group, key=lambda line: pattern.match(line)[1]) if hit else group
        lines = out
    return lines


class Names:
    """What the numbered names of one transcript stand for."""

    def __init__(self, nodes):
        self.values, self.names = {}, {}
        self.nodes = "|".join(re.escape(n) for n in sorted(nodes, key=len, reverse=True)) or r"\S+"

    def copy(self):
        other = Names(())
        other.values, other.names, other.nodes = dict(self.values), dict(self.names), self.nodes
        return other

    def pattern(self, line):
        """`line` of a transcript as a regular expression, and the names that it binds."""
        out, at, bound = "", 0, {}
        for match in LABEL.finditer(line):
            kind, number = match.groups()
            stands_for, numbered = LABELS[kind]
            if number and not numbered:
                continue
            out += re.escape(line[at:match.start()])
            at = match.end()
            if kind == "NODE":
                if not number:
                    out += "NODE"
                    continue
                stands_for = self.nodes
            name = match.group()
            if not number:
                out += f"(?:{re.escape(kind)}|{stands_for})"
            elif name in self.values:
                out += re.escape(self.values[name])
            elif name in bound:
                out += f"(?P={bound[name]})"
            else:
                bound[name] = f"g{len(bound)}"
                out += f"(?P<{bound[name]}>{stands_for})"
        return out + re.escape(line[at:]), bound

    def fits(self, expected, line):
        """Does `line` fit? If so, its names are known from now on."""
        pattern, bound = self.pattern(expected)
        match = re.fullmatch(pattern, line)
        if not match:
            return False
        found = {name: match.group(group) for name, group in bound.items()}
        kinds = {name: (name.split("-")[0], value) for name, value in found.items()}
        if len(set(kinds.values())) < len(kinds) or any(key in self.names for key in kinds.values()):
            return False
        self.values.update(found)
        self.names.update({key: name for name, key in kinds.items()})
        return True


def same(expected, lines, names):
    """All lines fit, those with generated names in any order among neighbours. `names` learns if they do."""
    expected = in_order([laid_out(line) for line in expected])
    lines = in_order([laid_out(line) for line in lines])
    if len(expected) != len(lines):
        return False
    trial = names.copy()
    if not matched(expected, lines, trial):
        return False
    names.values, names.names = trial.values, trial.names
    return True


def difference(expected, lines, names):
    """For a reader: the lines of both that do not fit each other."""
    trial, out = names.copy(), []
    for want, got in zip_longest(expected, lines):
        if want is None or got is None or not trial.fits(laid_out(want), laid_out(got)):
            out += [f"- {want}"] if want is not None else []
            out += [f"+ {got}"] if got is not None else []
    return out


def matched(expected, lines, names):
    at = 0
    while at < len(expected):
        end = at
        while end < len(expected) and GENERATED.search(expected[end]):
            end += 1
        if end - at < 2:
            if not names.fits(expected[at], lines[at]):
                return False
            at += 1
        elif not any_order(expected[at:end], lines[at:end], names):
            return False
        else:
            at = end
    return True


def any_order(expected, lines, names):
    if not expected:
        return True
    for i, line in enumerate(lines):
        trial = names.copy()
        if trial.fits(expected[0], line) and any_order(expected[1:], lines[:i] + lines[i + 1:], trial):
            names.values, names.names = trial.values, trial.names
            return True
    return False
