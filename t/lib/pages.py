# SPDX-License-Identifier: MIT
"""The blocks of the pages in docs/."""
import os
import re

from lib.server import ROOT

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.M | re.S)
INDENTED = re.compile(r"(?:^    .*\n(?:\s*\n(?=    ))?)+", re.M)


def read(name):
    with open(os.path.join(ROOT, "docs", name), encoding="utf-8") as f:
        return f.read()


def blocks(text):
    """(its language, what stands in it) of each."""
    return FENCE.findall(text)


def part(name, heading):
    """The blocks below this heading of the page, up to the next of its rank."""
    return blocks(read(name).split(f"\n## {heading}\n")[1].split("\n## ")[0])
