# SPDX-License-Identifier: MIT
"""What alarms say, and when, as Debian's uWSGI has them."""
import os

import pytest

from lib import http
from lib.wait import until

pytestmark = pytest.mark.oracle

INI = """
http-socket = {http}
module = alarms
disable-logging = true
alarm = one cmd:cat >>{here}/one
alarm = two cmd:cat >>{here}/two
alarm = end cmd:cat >{here}/end
log-alarm = one,two PANIC
log-alarm = two ^TROUBLE
"""


def read(server, name):
    path = os.path.join(server.folder, name)
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as f:
        return f.read().removesuffix("\n")


@pytest.mark.parametrize("path, said", [
    ("/raise?one&a%20text", {"one": "a text"}),
    ("/raise?none&a%20text", {}),
    ("/say?some%20PANIC", {"one": "some PANIC", "two": "some PANIC"}),
    ("/say?TROUBLE", {"two": "TROUBLE"}),
])
def test_what_raises_alarms(start, start_oracle, path, said):
    for begin in (start, start_oracle):
        server = begin(INI)
        http.request(server.http, path)
        http.request(server.http, "/raise?end&end")
        until(lambda: read(server, "end"), "the last one")
        expected = {"one": "", "two": "", **said}
        until(lambda: {n: read(server, n) for n in expected} == expected,
              f"{expected}, not {({n: read(server, n) for n in expected})}")
