# SPDX-License-Identifier: MIT
"""Options of files, routes and compression as public configurations have them are accepted as they are."""
import json
import os
import re

from lib.server import ROOT
from lib.server import command as uwsgi

PATH = os.path.join(ROOT, "t", "fixtures", "files-and-routes.ini")
# What only this machine lacks.
MISSING = re.compile(r"there is no |cannot be read|the same option as|nothing to listen on|no application is named")


def test_nineteen_of_twenty_lines_are_accepted():
    with open(PATH, encoding="utf-8") as f:
        lines = f.read().splitlines()
    written = {n: line for n, line in enumerate(lines, 1) if line and line[0] not in ";["}
    said = json.loads(uwsgi("--check=json", PATH).stdout)["diagnostics"]
    doubted = {m["line"]: m["message"] for m in said if not MISSING.search(m["message"])}
    accepted = len(written) - len(doubted)
    told = "\n".join(f"{lines[n - 1]}\n    {text}" for n, text in doubted.items())
    assert len(set(written.values())) > 140 and set(doubted) <= set(written)
    assert accepted >= 0.95 * len(written), f"{accepted} of {len(written)} are accepted; not these:\n{told}"
