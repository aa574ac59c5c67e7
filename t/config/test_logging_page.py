# SPDX-License-Identifier: MIT
"""docs/logging.md: each configuration in it is run, and writes the lines that stand below it; its
tables name all that there is."""
import os
import re
import textwrap

import pytest

from lib import http
from lib.address import HOST
from lib.pages import text
from lib.wait import until

INI = "http-socket = {http}\nmodule = logged\n"
PAGE = text("docs/logging.md")


def blocks():
    return [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n)+", PAGE, re.M)]


def examples():
    """Pairs: the lines of an ini file, and {a file: the lines that it then has}."""
    found = [("", {})]
    for block in blocks():
        if block.startswith("$ "):
            for command, lines in re.findall(r"\$ (.*)\n((?:[^$].*\n)+)", block):
                found[-1][1][command.split("/")[-1]] = lines.splitlines()
        elif re.match(r"[a-z-]+ = ", block):
            found.append((block, {}))
    return found


EXAMPLES = examples()


def pattern(line):
    """Of any such line: other numbers, another day."""
    line = re.sub(r"(Wed|Nov) ?", "@", re.escape(line).replace(r"\ ", " "))
    return "^" + re.sub(r" ?\d+", r" *\\d+", line).replace("@", "[A-Z][a-z]{2} *") + "$"


def test_the_page_has_examples():
    assert len(EXAMPLES) > 9 and sum(len(files) for _, files in EXAMPLES) > 7


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_does_what_the_page_says(start, receiver, folder, number):
    lines, files = EXAMPLES[number]
    if "uwsgi.log" in files and "/uwsgi.log" not in lines:
        lines += "logto = /var/log/app/uwsgi.log\n"
    lines = lines.replace("{", "{{").replace("}", "}}").replace("/var/log/app", folder)
    lines = lines.replace("/run/app", folder)
    lines = lines.replace("192.0.2.1:514", f"{HOST}:{receiver.getsockname()[1]}")
    server = start.not_yet(INI + lines, folder=folder).spawn()
    server.wait_listening("http")
    assert http.request(server.http, "/print").status == 200

    def is_in(name, expected):
        if name == "receive":
            return re.search(pattern(expected), receiver.recv(65536).decode())
        if not os.path.exists(f"{folder}/{name}"):
            return False
        with open(f"{folder}/{name}", encoding="utf-8") as f:
            return re.search(pattern(expected), f.read(), re.M)

    for name, expected in files.items():
        for line in expected:
            until(lambda: is_in(name, line), f"{pattern(line)} in {name}")
    for path in re.findall(rf"^(?:logto|logger|req-logger) = .*?({folder}/\S+)", lines, re.M):
        until(lambda: os.path.exists(path), path)
    assert not re.search("^(error|warning: (?!running as root))", server.log(), re.M)


def table(path, begin):
    """The first words of the rows of a table in the source."""
    rows = text(path).split(begin)[1].split("};")[0]
    return re.findall(r'\{ "(\w+)", (?!NULL)', rows)


def rows(head):
    """What stands in the first column of the page's table with this head."""
    body = re.split(rf"^\| {head} \|.*\n", PAGE, flags=re.M)[1].split("\n\n")[0]
    return "".join(re.findall(r"^\| (.*?) \|", body, re.M))


def test_all_variables_are_explained():
    explained = re.findall(r"%\(([\w.]+)\)", rows("variable"))
    assert sorted(explained) == sorted(
        ["ftime", "metric.NAME", "var.NAME", *table("core/exchange/logformat.c", "variables[] = {")])


def test_all_loggers_are_explained():
    assert set(re.findall(r"`(\w+)", rows("logger"))) == set(table("core/log/sink.c", "kinds[] = {"))


def test_all_encoders_are_explained():
    parsing = text("core/log/sink.c").split("parse_encoder(")[1].split("\n}\n")[0]
    assert set(re.findall(r"`(\w+)", rows("encoder"))) == \
        set(re.findall(r'slice_is\(name, "(\w+)"\)', parsing))
