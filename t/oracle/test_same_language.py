# SPDX-License-Identifier: MIT
"""The ini language next to the real uWSGI's: what a value is in the end, in a hundred small cases,
as --show-config tells it."""
import json
import os
import re
import subprocess

import pytest

from lib.server import COMMAND

ORACLE = "/usr/bin/uwsgi"
pytestmark = pytest.mark.skipif(not os.path.exists(ORACLE), reason="the real uWSGI is not here")
# x is what is compared: each time that env sets it.
CASES = [
    "env = x=1", "env=x=1", "env =x=1", "env= x=1", "\tenv\t=\tx=1\t", "  env = x=1  ",
    "env = x=a=b", "env = x=a:b", "env = x=#1", "env = x=a#b", "env = x=a # b", "env = x=a ; b",
    "env = x=\"quoted\"", "env = x='quoted'", "env = \"x=1\"", "env = x=a\\nb", "env = x=\\",
    "env = x=%%", "env = x=100%%!", "env = x=%n", "env = x=%s", "env = x=%e", "env = x=%q.",
    "env = x=%n%e", "env = x=%%n", "env = x=%%%%", "env = x=50%", "env = x=%x", "env = x=%c",
    "env = x=%0", "env = x=%v", "env = x=%p", "env = x=%d", "env = x=%o",
    "env = x=%k", "env = x=%u", "env = x=%U", "env = x=%g", "env = x=%G", "env = x=%h",
    "a = 1\nenv = x=%(a)", "env = x=%(a)\na = later", "env = x=%(a)", "a = 1\na = 2\nenv = x=%(a)",
    "a = 1\nb = %(a)2\nenv = x=%(b)3", "a = 1\nenv = x=%(a)%(a)", "env = x=%()", "env = x=%(a",
    "a = 2\nenv = x=%(a + 1)", "a = 2\nenv = x=%(a * 3)", "a = 2\nenv = x=%(a + 1 * 4)",
    "a = 7\nenv = x=%(a / 2)", "a = 7\nenv = x=%(a - 9)", "a = 7\nenv = x=%(a ++)",
    "a = 7\nb = 2\nenv = x=%(a + b)", "env = x=%(%k + 2)",
    "n = a\na = 1\nenv = x=%(%(n))", "n = a\nab = 3\nenv = x=%(%(n)b)",
    "n = a\na = 1\nenv = x=%(a + %(n))", "env = x=%(%(none))",
    "env = x=$(GIVEN)", "env = x=$(NOT_GIVEN)", "env = x=$(GIVEN)$(GIVEN)", "env = x=$GIVEN",
    "env = x=${GIVEN}", "a = $(GIVEN)\nenv = x=%(a)", "set-placeholder = a=1\nenv = x=%(a)",
    "set = a=1\nenv = x=%(a)", "set-ph = a=b=c\nenv = x=%(a)",
    "env = x=@(exec://echo hi)", "env = x=@(exec://printf 'a\\n\\n').", "env = x=[@(lines)]",
    "for = a b c\nenv = x=%(_)\nendfor =", "for =  a  b \nenv = x=%(_)\nendfor =",
    "for-times = 3\nenv = x=%(_)\nendfor =", "for-readline = full\nenv = x=[%(_)]\nendfor =",
    "for-glob = ful*\nenv = x=%(_)\nendfor =", "for-glob = no*ne\nenv = x=%(_)\nendfor =",
    "for = a b\nenv = x=%(_)%(_)\nendfor", "for = a b\nenv = x=1\nend-for",
    "if-env = GIVEN\nenv = x=%(_)\nendif =", "if-not-env = GIVEN\nenv = x=1\nendif =",
    "ifenv = GIVEN\nenv = x=%(_)\nendif =", "if-exists = /etc\nenv = x=%(_)\nendif =",
    "if-not-exists = /nope\nenv = x=1\nendif =", "if-file = /etc\nenv = x=1\nendif =",
    "if-file = /etc/passwd\nenv = x=1\nendif =", "if-dir = /etc\nenv = x=%(_)\nendif =",
    "ifdir = /etc/passwd\nenv = x=1\nendif =", "if-directory = /etc\nenv = x=1\nend-if =",
    "if-not-reload =\nenv = x=1\nendif =", "if-reload =\nenv = x=1\nendif =",
    "a = 1\nif-opt = a\nenv = x=1\nendif =", "a = 1\nif-opt = a=1\nenv = x=1\nendif =",
    "a = 1\nif-opt = a=2\nenv = x=1\nendif =", "if-not-opt = a\nenv = x=1\nendif =",
    "if-hostname = nobody\nenv = x=1\nendif =", "if-not-hostname = nobody\nenv = x=1\nendif =",
    "if-hostname-match = .\nenv = x=1\nendif =",
    "env = x=caf\u00e9", "env = x=" + "long" * 200, "env = x=1\r", "# env = x=1", "; env = x=1",
]


# What differs, and is told in docs/differences.md: our value.
DIFFERENT = {"env = x=50%": ["x=50%"],
             # With PCRE2 (2.0.28) uWSGI's never matches.
             "if-hostname-match = .\nenv = x=1\nendif =": ["x=1"]}


def theirs(folder, environment):
    # Ended by the missing socket or by the time; the values stand before.
    run = subprocess.run(["timeout", "-s", "INT", "5", ORACLE, "--show-config", "--no-server",
                          "--ini", "app.ini"], cwd=folder, env=environment,
                         capture_output=True, timeout=20, check=False)
    text = (run.stdout + run.stderr).decode()
    text = text[text.index("[uwsgi]\n"):text.index(";end of")]
    return re.findall(r"^env = (.*?)(?=\n[a-z-]+(?: = |$)|\Z)",
                      text.rstrip("\n"), re.M | re.S)


def ours(folder, environment):
    run = subprocess.run([*COMMAND, "--show-config=json", "--ini", "app.ini"], cwd=folder,
                         env=environment, capture_output=True, text=True, timeout=20, check=False)
    return [o["value"] for o in json.loads(run.stdout)["options"] if o["name"] == "env"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: repr(case)[:50])
def test_a_value_means_the_same(folder, case):
    with open(f"{folder}/app.ini", "w", encoding="utf-8") as f:
        f.write("[uwsgi]\n" + case + "\n")
    for name, text in (("lines", "a\nb\n"), ("full", "one\n two \nthree")):
        with open(f"{folder}/{name}", "w", encoding="utf-8") as f:
            f.write(text)
    environment = {"PATH": os.environ["PATH"], "GIVEN": "from outside"}
    assert ours(folder, environment) == DIFFERENT.get(case, theirs(folder, environment))
