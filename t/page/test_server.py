# SPDX-License-Identifier: MIT
"""The live page of a real server, in a real browser: its numbers are those of the statistics, and it
finds what is slow."""
import json
import os
import re
import signal
import threading

import pytest

from lib import http
from lib.wait import until

# /wait/… answers when the file named by the query is there.
PROGRAM = """
import os

def spin(path):
    # Looking for the file gives up the GIL, where a profile sees the request: so it looks seldom.
    while not os.path.exists(path):
        for _ in range(5000000):
            pass

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/fails":
        raise ValueError("planted")
    if path.startswith("/wait"):
        spin(environ["QUERY_STRING"])
    start_response("404 Not Found" if path == "/none" else "200 OK", [("Content-Type", "text/plain")])
    return [b"hello\\n"]
"""


@pytest.fixture
def serve(start, tmp_path):
    (tmp_path / "app.py").write_text(PROGRAM, encoding="utf-8")

    def run(ini="", address="{inspect}"):
        server = start(f"http-socket = {{http}}\nwsgi-file = {tmp_path}/app.py\ninspect = {address}\n{ini}\n")
        server.wait_log(r"^inspect 1 \(pid \d+\) runs$")
        return server
    return run


@pytest.fixture
def held(serve, tmp_path):
    """A request that runs until go() is called: its server."""
    threads, path = [], tmp_path / "go"

    def run(server, target="/wait/17"):
        threads.append(threading.Thread(target=http.request, args=(server.http, f"{target}?{path}")))
        threads[-1].start()
        return path.touch
    yield run
    path.touch()
    for thread in threads:
        thread.join(20)


def stats(server):
    return json.loads(http.request(server.inspect, "/stats", host="127.0.0.1").body)


def number(text):
    return int(text.replace(",", ""))


def test_its_numbers_are_those_of_the_statistics(serve, browser):
    server = serve("processes = 2\nthreads = 2\n")
    page = browser.open(server.inspect)
    for target in ["/"] * 7 + ["/none"] * 3 + ["/fails"] * 2:
        http.request(server.http, target)
    page.wait("#totals", ": 12 requests, 0 × 1xx, 7 × 2xx, 0 × 3xx, 3 × 4xx, 2 × 5xx, 2 failed")
    until(lambda: page.chart("Lanes at work")["busy"] == "0", "the last of them to be done")
    seen = stats(server)
    assert sum(w["requests"] for w in seen["workers"]) == 12
    facts = page.texts(".worker")
    for w, text in zip(seen["workers"], facts, strict=True):
        found = re.search(r"Worker (\d+)\s+serving\s+pid (\d+), generation 1, ([\d,]+) requests?, (\S+) MiB", text)
        assert (int(found[1]), int(found[2]), number(found[3])) == (w["id"], w["pid"], w["requests"])
        assert 0 < float(found[4]) <= w["rss"] / (1 << 20) * 1.01
        assert "2 idle lanes" in text
    assert page.text("header").startswith("uwsgi ") and "serving generation 1, up" in page.text("header")
    sent = re.search(r"([\d,]+) B sent|([\d.]+) KiB sent", page.text("#totals"))
    tx = sum(w["tx"] for w in seen["workers"])
    assert abs((number(sent[1]) if sent[1] else float(sent[2]) * 1024) - tx) <= tx * 0.01
    assert page.text("#sockets").split()[:3] == ["0", "http", seen["sockets"][0]["name"]]
    assert page.chart("Lanes at work") == {"busy": "0", "of": "4"}


def test_who_has_read_nothing_finds_the_slow_route(serve, held, browser):
    server = serve("threads = 2\nlog-slow = 100\n")
    page = browser.open(server.inspect)
    go = held(server)
    page.wait("#now", "GET /wait/17")
    http.request(server.http, "/")

    def ask():
        """On a busy machine there may be no answer in time, and then one looks again."""
        page.click("#ask-stacks")
        text = page.wait("#stacks-text", "worker 1")
        return "no answer" not in text and text
    assert re.search(r"app\.py:\d+ spin", until(ask, "an answer"))
    page.fill("seconds", "1")
    page.click("#ask-profile")
    page.wait("#profile-says", "sample")
    assert re.match(r"(100|9\d) %\s+(100|9\d) %\s+spin \S+/app.py, line", page.texts("#hot tbody tr")[0])
    go()
    page.wait("#slow", "GET /wait/*")
    assert page.text("#now-more") == "No request runs."
    page.click("#slow summary")
    # Queries are for those who have said a password.
    assert page.texts("#slow details[open] .rows .text") == ["GET /wait/17"]


def test_what_a_client_sends_is_text(serve, browser):
    server = serve("log-slow = 1\n")
    target = "/wait/<img src=x onerror=alert(1)>?/"
    http.request(server.http, target.replace(" ", "%20"))
    http.raw(server.http, b"GET /wait/<script>alert(1)</script>?/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    page = browser.open(server.inspect)
    assert page.run("return document.querySelectorAll('img').length") == 0


def test_a_reload_and_the_death_of_the_service_are_seen(serve, browser):
    server = serve("processes = 2\n")
    page = browser.open(server.inspect)
    assert server.hup()
    page.wait("#facts", "generation 2")
    page.wait("#generations", "generation 2: 2 serving")
    os.kill(server.services()[-1], signal.SIGKILL)
    until(lambda: len(server.services()) == 2, "another service")
    page.wait("#link", "Live")
    http.request(server.http, "/")
    page.wait("#totals", ": 1 request,")
    assert all("ERR_" in message for message in page.complaints())


def test_it_works_with_a_password(serve, browser, folder):
    with open(f"{folder}/password", "w", opener=lambda path, flags: os.open(path, flags, 0o600), encoding="ascii") as f:
        f.write("me:secret\n")
    server = serve(f"inspect-password-file = {folder}/password\n")
    page = browser.open(f"me:secret@{server.inspect}")
    http.request(server.http, "/none?query=shown")
    page.wait("#totals", ": 1 request,")
    page.click("#stacks")
    page.wait("#stacks-text", "worker 1")
