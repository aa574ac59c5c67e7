# SPDX-License-Identifier: MIT
"""Each example of docs/ini-language.md means what the page says.

A block is a file (```ini NAME, ```json NAME, ```text NAME; shop.ini without a name), a command
(```sh), what that prints for the names that it speaks of (```), or what it reports (```log)."""
import json
import os
import re
import shlex
import subprocess

import pytest

from lib.server import COMMAND, ROOT

PAGE = os.path.join(ROOT, "docs", "ini-language.md")
FOLDER = "/etc/shop"


def examples():
    """(heading, blocks) of each part of the page that has some; a block is (kind, name, text)."""
    with open(PAGE, encoding="utf-8") as f:
        parts = re.split(r"^## (.*)$", f.read(), flags=re.M)
    for heading, part in zip(parts[1::2], parts[2::2]):
        blocks = re.findall(r"^```(\w*) ?(\S*)\n(.*?)^```$", part, re.M | re.S)
        if blocks:
            yield heading, blocks


def by_name(pairs):
    """{name: its values}."""
    found = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def run(folder, line):
    """What the command means, as {name: its values}, and what it complains of."""
    words = shlex.split(line)
    env = {"PATH": os.environ["PATH"], "PORT": "8080"}
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        env[name] = value
    assert words[0] == "uwsgi"
    result = subprocess.run([*COMMAND, "--show-config=json", *words[1:]], cwd=folder, env=env,
                            text=True, capture_output=True, timeout=60, check=False)
    shown = json.loads(result.stdout)
    return by_name((o["name"], o["value"]) for o in shown["options"] + shown["placeholders"]), \
        result.stderr


@pytest.mark.parametrize("heading, blocks", examples(), ids=lambda v: v if isinstance(v, str) else "")
def test_an_example_means_what_the_page_says(tmp_path, heading, blocks):
    folder = tmp_path / "etc" / "shop"
    folder.mkdir(parents=True)
    shown = errors = None

    def here(text):
        return text.replace(FOLDER, str(folder))
    for i, (kind, name, text) in enumerate(blocks):
        if kind in ("ini", "json", "text"):
            (folder / (name or "shop.ini")).write_text(here(text), encoding="utf-8")
            shown = None
        elif kind == "sh":
            shown, errors = run(folder, here(text))
        else:
            if shown is None:
                shown, errors = run(folder, "uwsgi shop.ini")
            assert kind in ("", "log")
            if kind == "log":
                assert here(text).strip() in errors
                continue
            page = by_name(line.split(" = ", 1) for line in here(text).splitlines())
            assert {n: shown.get(n) for n in page} == page
            assert page and "error" not in errors
            assert "warning" not in errors or blocks[i + 1][0] == "log"


def letters():
    """(letter, what it stands for) of the tables of letters."""
    with open(PAGE, encoding="utf-8") as f:
        part = f.read().split("## Letters")[1].split("\n## ")[0]
    return re.findall(r"^\| `%(\w)` \| [^|]* \| `([^`]*)` \|$", part, re.M)


def test_letters_stand_for_what_the_table_says(tmp_path):
    """The file's own, and in capitals those of the file that includes it."""
    folder = tmp_path / "etc" / "shop"
    folder.mkdir(parents=True)
    assert len(letters()) > 5
    lines = "".join(f"print = {letter}=%{letter}=%{letter.upper()}\n" for letter, _ in letters())
    (folder / "shop.ini").write_text("[uwsgi]\n" + lines, encoding="utf-8")
    shown, _ = run(folder, "uwsgi shop.ini")
    for letter, value in letters():
        value = value.replace(FOLDER, str(folder))
        assert f"{letter}={value}={value}" in shown["print"]


@pytest.mark.parametrize("kind", ["conditions", "loops"])
def test_the_page_has_every_word_of_the_language(kind):
    """As logic.c has them."""
    with open(os.path.join(ROOT, "core/settings/logic.c"), encoding="utf-8") as f:
        table = f.read().split(f"}} {kind}[] = {{")[1].split("};")[0]
    words = re.findall(r'\{ "([a-z-]+)"', table)
    with open(PAGE, encoding="utf-8") as f:
        text = f.read()
    prefix = "if-" if kind == "conditions" else ""
    missing = [w for w in words if f"`{prefix}{w} =" not in text and w != "directory"]
    assert words and missing == []
