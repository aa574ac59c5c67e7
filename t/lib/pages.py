# SPDX-License-Identifier: MIT
"""The pages in docs/ and their blocks, and other files of the repository."""
import re

from lib.server import ROOT

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.M | re.S)
INDENTED = re.compile(r"(?:^    .*\n(?:\s*\n(?=    ))?)+", re.M)


def text(path):
    """A file of the repository."""
    with open(f"{ROOT}/{path}", encoding="utf-8") as f:
        return f.read()


def read(name):
    """A page in docs/."""
    return text(f"docs/{name}")


def blocks(page):
    """(its language, what stands in it) of each."""
    return FENCE.findall(page)


def part(name, heading):
    """The blocks below this heading of the page, up to the next of its rank."""
    return blocks(read(name).split(f"\n## {heading}\n")[1].split("\n## ")[0])
