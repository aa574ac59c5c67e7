# SPDX-License-Identifier: MIT
"""The server log: what its lines begin with, where they go, and that none is lost or torn."""
import re

import pytest

from lib import http

LOGGED = "http-socket = {http}\nmodule = logged\n"


@pytest.fixture(params=["ours", "uWSGI"])
def both(request):
    return request.getfixturevalue("start" if request.param == "ours" else "start_oracle")


# ---- what lines begin with ----

@pytest.mark.parametrize("line, begin", [
    ("log-date = %%Y-%%m-%%d %%H:%%M", r"\d{4}-\d\d-\d\d \d\d:\d\d - "),
    ("logdate = true", r"[A-Z]\w\w [A-Z]\w\w [ \d]\d [\d:]{8} \d{4} - "),
    ("log-prefix = my server", "my server - ")])
def test_each_line_of_the_server_begins_with_the_date(both, line, begin):
    server = both(LOGGED + line + "\n")
    http.request(server.http, "/print")
    server.wait_log("GET /print")
    server.stop()
    lines = [text for text in server.log().splitlines()
             if not re.match(r"\[pid: |printed$|to stderr$|\[uWSGI\]|\*\*\*", text)]
    assert len(lines) > 4
    assert [text for text in lines if not re.match(begin, text)] == []


@pytest.mark.parametrize("line", ["", "log-date = false", "log-date = no"])
def test_no_date(start, line):
    server = start(LOGGED + line + "\n")
    server.wait_log("^serving: ")
    assert not re.search("false|no - ", server.log())


def test_the_name_alone_means_the_default(start):
    start(LOGGED + "logdate\n").wait_log(r"^\w{3} \w{3} [ \d]\d [\d:]{8} \d{4} - serving: ")


def test_the_date_follows_a_reload(start):
    server = start(LOGGED + "log-date = one\n")
    server.write_ini(LOGGED + "log-date = two\n")
    assert server.hup()
    server.wait_log("^two - reloaded: ")
