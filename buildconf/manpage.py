#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the manual page uwsgi.ini(5) of docs/ini-language.md, which it reads from standard input.

What it knows of Markdown is what that page uses: headings, paragraphs, lists, tables, blocks of code,
code and bold words, links.  mdoc(7) is the language of what it writes.  Debian's python3 is enough."""
import re
import sys
import textwrap

# The date is that of the page's last change: it must not depend on who builds it.
HEAD = """\
.Dd November 26, 2026
.Dt UWSGI.INI 5
.Os
.Sh NAME
.Nm uwsgi.ini
.Nd the language of configuration files of uwsgi
.Sh DESCRIPTION"""
TAIL = """\
.Sh SEE ALSO
.Xr uwsgi 1"""


def escaped(text):
    """No part of it is markup."""
    return text.replace("\\", "\\e").replace("-", "\\-")


def words(text):
    """What was code or bold is bold; the targets of links go."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text.replace("[options.md]", "[uwsgi(1)]"))
    parts = re.split(r"`([^`]+)`|\*\*([^*]+)\*\*", text)
    return "".join(escaped(part) if i % 3 == 0 else f"\\fB{escaped(part)}\\fP"
                   for i, part in enumerate(parts) if part)


def paragraph(lines):
    """Each sentence begins a line, as mdoc wants it."""
    text = re.sub(r"(^|\s)\*([^*]+)\*(?=\s)", r"\1\2", " ".join(line.strip() for line in lines))
    for sentence in re.split(r"(?<=[.?!])\s+", text):
        for line in textwrap.wrap(words(sentence), 72, break_long_words=False, break_on_hyphens=False):
            yield ("\\&" if line[0] in ".'" else "") + line


def code(lines):
    yield ".Bd -literal -offset indent"
    yield from map(escaped, lines)
    yield ".Ed"


def items(lines):
    """A list, with bullets or numbers; its lines but the first of each item are indented."""
    yield ".Bl -bullet" if lines[0].startswith("-") else ".Bl -enum"
    for item in re.split(r"\n(?=-|\d+\.)", "\n".join(lines)):
        yield ".It"
        yield from paragraph(re.sub(r"^(-|\d+\.) ", "", item).split("\n"))
    yield ".El"


def table(lines):
    """The first cell of a row is the tag of the others; the first row says what they are."""
    yield ".Bl -tag -width Ds"
    for line in lines[2:]:
        first, *others = (cell.strip() for cell in line.strip("|").split("|"))
        yield f".It \\&{words(first)}"
        yield from paragraph([": ".join(filter(None, others))])
    yield ".El"


def blocks(text):
    """The parts between empty lines; a block of code may hold such lines."""
    for match in re.finditer(r"^```.*\n(?:.*\n)*?```$|^(?:(?!```).+\n?)+", text, re.M):
        yield match[0].rstrip("\n").split("\n")


def page(text):
    yield HEAD
    begun = False  # what stands before needs no .Pp
    # The list of links to its own parts is for browsers.
    for lines in blocks(re.sub(r"^- \[.*\n(?:  .*\n|- .*\n)*", "", text, count=1, flags=re.M)):
        first = lines[0]
        if first.startswith("#"):
            if first.startswith("## "):
                yield f".Ss \\&{words(first[3:])}"
            begun = False
            continue
        if first.startswith("```"):
            yield from code(lines[1:-1])
        elif first.startswith("|"):
            yield from table(lines)
        elif re.match(r"- |\d+\. ", first):
            yield from items(lines)
        else:
            yield from ([".Pp"] if begun else [])
            yield from paragraph(lines)
        begun = True
    yield TAIL


def main():
    sys.stdin.reconfigure(encoding="utf-8")
    sys.stdout.reconfigure(encoding="utf-8")
    print("\n".join(page(sys.stdin.read())))


if __name__ == "__main__":
    main()
