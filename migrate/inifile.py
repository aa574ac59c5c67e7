# SPDX-License-Identifier: MIT
"""inifile.py: the ini file that is written, a line after the other, each with where it comes from,
and what has no counterpart.  Every source fills one; __main__.py prints it."""
import configparser
import re

# Their values may hold " #" and " ;"; in those of others a comment would begin there.
FREE_TEXT = {"env", "log-format", "add-header", "print", "cron", "route", "module"}
VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))")


def escape(text):
    """As a value: a percent sign begins a name in an ini file."""
    return text.replace("%", "%%")


def from_shell(text):
    """(text with $NAME as the ini language has it, sentences): ${NAME:-8000} has no counterpart
    in a value."""
    said = []

    def replace(match):
        name, default = match[1] or match[3], match[2]
        if default is not None:
            said.append(f"${{{name}:-{default}}} has its default here; write $({name}) where the "
                        "environment always has the variable")
            return default
        return f"$({name})"
    return VARIABLE.sub(replace, text), said


def parsed(text):
    """Another program's ini file, in which " ;" begins a comment."""
    parser = configparser.RawConfigParser(strict=False, inline_comment_prefixes=(" ;",))
    parser.read_string(text)
    return parser


class Ini:
    def __init__(self, title, lines=("[uwsgi]",)):
        """lines: what it begins with."""
        self.title, self.lines = title, lines
        self.blocks = []
        self.lacks = []
        self.names = set()

    def set(self, name, value, source, note=""):
        """name = value, below a comment: source is what stands in the old configuration."""
        value = str(value)
        if "\n" in value:
            self.lack(source, f"a value of several lines cannot be written: {name}")
        elif name not in FREE_TEXT and re.search(r"\s[#;]", value):
            self.lack(source, f"a comment would begin in the value of {name}")
        else:
            self.comment(f"{source}: {note}" if note else source)
            self.blocks[-1].append(f"{name} = {value}")
            self.names.add(name)

    def comment(self, text):
        self.blocks.append(wrapped(text))

    def suggest(self, name, value, source, note):
        """A line to take in by hand."""
        self.comment(f"{source}: {note}")
        self.blocks[-1].append(f";{name} = {value}")

    def lack(self, source, sentence):
        """What has no counterpart, or needs a hand."""
        if (source, sentence) not in self.lacks:
            self.lacks.append((source, sentence))

    def lacking(self):
        """The list at the end, as lines."""
        if not self.lacks:
            return []
        lines = ["# ---- without a counterpart, or to be done by hand ----"]
        for source, sentence in self.lacks:
            lines.extend(wrapped(f"{source}: {sentence}", "#   "))
        return lines

    def text(self):
        blocks = [[*wrapped(self.title), *self.lines], *self.blocks, self.lacking()]
        return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def wrapped(text, indent="# ", width=100):
    """As comment lines."""
    lines = [""]
    for word in " ".join(text.split()).split(" "):
        if lines[-1] and len(indent) + len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return [indent + lines[0]] + [(indent if indent != "#   " else "#     ") + line
                                  for line in lines[1:]]
