# SPDX-License-Identifier: MIT
"""The pages of docs/ name options that there are, with the defaults that they have; both are known
from docs/options.md, which is made from the tables.  Their links lead somewhere."""
import os
import re

import pytest

from lib.server import ROOT

TABLES = {"security.md": "| what is limited |", "timeouts.md": "what is waited for |"}


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


def limits(name):
    """(default, option) of each row, with an option, of the page's tables that have both columns."""
    found = []
    for table in page(name).split(TABLES[name])[1:]:
        head, _, *rows = table.partition("\n\n")[0].splitlines()
        columns = [c.strip() for c in head.strip("| ").split("|")]
        for row in rows:
            cells = [c.strip() for c in row.strip("| ").split(" | ")][-len(columns):]
            said = dict(zip(columns, cells))
            if said["option"] != "-":
                found.append((name, said["default"], said["option"].strip("`")))
    assert len(found) > 12
    return found


@pytest.mark.parametrize("name, said, option", [row for name in TABLES for row in limits(name)])
def test_a_limit_has_the_default_of_its_option(name, said, option):
    assert re.match(r"`([^`]*)`", said)[1] == defaults()[option], name


@pytest.mark.parametrize("name", TABLES)
def test_every_option_that_is_named_exists(name):
    named = re.findall(r"`([a-z]+(?:-[a-z]+)+|socket|http|uid|gid|harakiri)\b(?: = [^`]*)?`",
                       page(name))
    headings = set(re.findall(r"^### (.*)$", page("options.md"), re.M))
    assert len(named) > 15
    assert [n for n in named if n not in headings and n != "uwsgi-static"] == []


@pytest.mark.parametrize("path", ["README.md"] + sorted(
    f"docs/{n}" for n in os.listdir(f"{ROOT}/docs") if n.endswith(".md")))
def test_every_link_leads_to_a_file(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", f.read())
    folder = os.path.dirname(os.path.join(ROOT, path))
    assert [n for n in links if not os.path.exists(os.path.join(folder, n))] == []
