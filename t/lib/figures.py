# SPDX-License-Identifier: MIT
"""Tables of pages, and those of BENCHMARKS.md."""
from lib.pages import text


def cells(line):
    return [cell.strip() for cell in line.strip("| \n").split(" | ")]


def figures(heading, *columns, where=""):
    """{server: these columns} of the table below a heading of BENCHMARKS.md."""
    lines = text("BENCHMARKS.md").split(f"\n### {heading}\n")[1].split("\n### ")[0].splitlines()
    lines = [cells(line) for line in lines if line.startswith("|")]
    head = lines[0]
    places = [head.index(c) for c in columns]
    name = head.index("server")
    return {line[name]: ", ".join(line[p] for p in places) for line in lines[2:]
            if line[0].startswith(where)}
