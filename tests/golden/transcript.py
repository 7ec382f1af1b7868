# SPDX-License-Identifier: MIT
"""Transcripts as written down: headers, commands, what they print (the format is in README.md)."""
import re
import shlex

VARIABLE = re.compile(r"\$(?:\{([A-Z][A-Z0-9_]*)\}|([A-Z][A-Z0-9_]*))")
HERE = re.compile(r"\s*<<'?(\w+)'?\s*$")
KEEP = re.compile(r"([A-Z][A-Z0-9_]*)=\$\((kubectl .*)\)$")
WRITE = re.compile(r"cat >\s*(\S+)$")
HEADER = re.compile(r"# *(title|needs|alone|limit|kubectl)\b *:? *(.*)")


class Step:
    """One command. `file`: it only writes `body` there; `keep`: what it prints is that variable's value."""

    def __init__(self, patient, text, number):
        self.patient, self.number, self.body, self.expected = patient, number, None, []
        here = HERE.search(text)
        self.end = here and here.group(1)
        self.text = text[:here.start()] if here else text
        write, keep = WRITE.match(self.text), KEEP.match(self.text)
        self.file = write and write.group(1)
        self.keep = keep and keep.group(1)
        self.command = keep.group(2) if keep else self.text


class Transcript:
    def __init__(self, path):
        self.headers, self.steps = {}, []
        with open(path, encoding="utf-8") as f:
            lines = f.read().split("\n")
        at = 0
        while at < len(lines):
            at = self.take(path, lines, at)
        said = [step.text for step in self.steps] + ["\n".join(step.body or []) for step in self.steps]
        self.own = "\n".join(said)

    def take(self, path, lines, at):
        line = lines[at]
        if line.startswith("$ ") or line.startswith("$~ "):
            step = Step(line[1] == "~", line.split(" ", 1)[1].strip(), at + 1)
            self.steps.append(step)
            if step.end:
                end = lines.index(step.end, at)
                step.body, at = lines[at + 1:end], end
        elif line.startswith("  ") and self.steps:
            self.steps[-1].expected.append(line[2:])
        elif line.startswith("#"):
            header = HEADER.match(line)
            if header and not self.steps:
                self.headers[header.group(1)] = header.group(2)
        elif not line.strip():
            later = next((later for later in lines[at:] if later.strip()), "")
            if self.steps and later.startswith("  "):
                self.steps[-1].expected.append("")
        else:
            raise ValueError(f"{path}:{at + 1}: neither a command, nor its output, nor a comment")
        return at + 1


def put_in(text, values):
    """The values of known variables; every other dollar stays."""
    return VARIABLE.sub(lambda m: values.get(m.group(1) or m.group(2), m.group()), text)


def words_of(command):
    """The settings in front of a command, and its words; there is no shell."""
    words, settings = shlex.split(command), {}
    while words and re.match(r"[A-Z][A-Z_]*=", words[0]):
        name, _, settings[name] = words.pop(0).partition("=")
    return settings, words
