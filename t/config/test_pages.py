# SPDX-License-Identifier: MIT
"""The pages of docs/ name options that there are, with the defaults that they have; both are known
from docs/options.md, which is made from the tables.  Their links lead somewhere."""
import os
import re

import pytest

from lib import pages
from lib.figures import cells, figures
from lib.server import ROOT

TABLES = {"security.md": "| what is limited |", "timeouts.md": "what is waited for |"}


def defaults():
    """{option: its default} of the reference."""
    found = {}
    for part in re.split(r"^### ", pages.read("options.md"), flags=re.M)[1:]:
        default = re.search(r"^- default: (.*)$", part, re.M)
        if default:
            found[part.splitlines()[0]] = default[1]
    return found


def limits(name):
    """(default, option) of each row, with an option, of the page's tables that have both columns."""
    found = []
    for table in pages.read(name).split(TABLES[name])[1:]:
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


@pytest.mark.parametrize("name", [*TABLES, "frameworks.md", "sizing.md", "troubleshooting.md"])
def test_every_option_that_is_named_exists(name):
    named = re.findall(r"`([a-z]+(?:-[a-z]+)+|socket|http|uid|gid|harakiri)\b(?: = [^`]*)?`",
                       pages.read(name))
    headings = set(re.findall(r"^### (.*)$", pages.read("options.md"), re.M))
    assert len(named) > 4
    assert [n for n in named if n not in headings and n != "uwsgi-static"] == []


def anchors(path):
    """What forges, and `make site`, call the headings of this page."""
    with open(path, encoding="utf-8") as f:
        headings = re.findall(r"^#+ (.*)$", f.read(), re.M)
    return {re.sub(r"[^\w\- ]", "", h.strip().lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("path", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] + sorted(
    f"docs/{n}" for n in os.listdir(f"{ROOT}/docs") if n.endswith(".md")))
def test_every_link_leads_to_a_file_and_a_heading(path):
    whole = os.path.join(ROOT, path)
    with open(whole, encoding="utf-8") as f:
        links = re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", f.read())
    targets = [(os.path.join(os.path.dirname(whole), n) if n else whole, a) for n, a in links]
    assert [n for n, _ in targets if not os.path.exists(n)] == []
    assert [f"{n}#{a}" for n, a in targets if a and a not in anchors(n)] == []


def test_what_contributing_names_is_there():
    """Files, folders, and what is said to stand in a file."""
    text = pages.text("CONTRIBUTING.md")
    files = re.findall(r"`((?:core|t|docs|buildconf|include)/[\w./-]*)`", text)
    assert len(files) > 10
    assert [name for name in files if not os.path.exists(f"{ROOT}/{name}")] == []
    for said, path in (("variables[]", "core/exchange/logformat.c"),
                       ("apply_rules(", "core/exchange/response.c"),
                       ("rows[]", "core/exchange/header_rules.c"),
                       ("rows[]", "core/wire/listener.c"), ("setsockopt(", "core/wire/socketoption.c"),
                       ("plugins", "buildconf/default.ini")):
        assert said in text
        assert said in pages.text(path), path


def test_the_targets_that_contributing_names_are_in_the_makefile():
    named = set(re.findall(r"`?make ([a-z]+)", pages.text("CONTRIBUTING.md")))
    targets = set(re.findall(r"^([a-z]+):", pages.text("Makefile"), re.M))
    assert {"check", "lint", "docs", "fuzz"} <= named <= targets


def test_options_of_the_change_log_exist():
    named = re.findall(r"`([a-z]+(?:-[a-z]+)+)`", pages.text("CHANGELOG.md"))
    headings = set(re.findall(r"^### (.*)$", pages.read("options.md"), re.M))
    assert len(named) > 10
    assert [n for n in named if n not in headings and not n.startswith("if-")] == []


def test_figures_of_the_page_about_performance():
    lines = pages.read("performance.md").split("| way |")[1].split("\n\n")[0].splitlines()[2:]
    rows = [cells(line) for line in lines]
    assert len(rows) == 5
    assert [r[1] for r in rows] == [figures(r[2], "requests/s")["this uwsgi"] for r in rows]
