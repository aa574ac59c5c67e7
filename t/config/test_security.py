# SPDX-License-Identifier: MIT
"""docs/security.md says of each limit what docs/options.md does, which is made from the tables."""
import os
import re

import pytest

from lib.server import ROOT


def page(name):
    with open(os.path.join(ROOT, "docs", name), encoding="utf-8") as f:
        return f.read()


def defaults():
    """{option: its default} of the reference."""
    found = {}
    for part in re.split(r"^### ", page("options.md"), flags=re.M)[1:]:
        default = re.search(r"^- default: (.*)$", part, re.M)
        if default:
            found[part.splitlines()[0]] = default[1]
    return found


def limits():
    """(default, option) of each row of the table that has an option."""
    table = page("security.md").partition("| what is limited |")[2].partition("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    assert len(rows) > 15 and all(len(row) == 4 for row in rows)
    return [(row[1], row[3].strip("`")) for row in rows if row[3] != "-"]


@pytest.mark.parametrize("said, option", limits())
def test_a_limit_has_the_default_of_its_option(said, option):
    assert re.match(r"`([^`]*)`", said)[1] == defaults()[option]


def test_every_option_that_is_named_exists():
    named = re.findall(r"`([a-z]+(?:-[a-z]+)+|socket|http|uid|gid|harakiri)\b(?: = [^`]*)?`",
                       page("security.md"))
    headings = set(re.findall(r"^### (.*)$", page("options.md"), re.M))
    assert len(named) > 30
    assert [n for n in named if n not in headings and n != "uwsgi-static"] == []
