# SPDX-License-Identifier: MIT
"""Handlers that the server has never heard of: one answers and replaces, one filters."""
import pytest

from lib import fastcgi, http, proc, uwsgi
from lib.address import connect
from lib.wait import until

APP = """
import time
def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/missing":
        start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "400")])
        return [b"z" * 400]
    if path == "/unchanged":
        start_response("304 Not Modified", [])
        return []
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Notice", "mine")])
    if path == "/parts":
        return iter([b"one ", b"two ", b"three"])
    if path == "/waits":
        return parts(environ)
    return [b"the answer"]

def parts(environ):
    yield b"first"
    while not __import__("os").path.exists(environ["QUERY_STRING"]):
        time.sleep(0.01)
    yield b"second"
"""


@pytest.fixture
def handlers(start, plugin, folder):
    with open(f"{folder}/notice.txt", "w", encoding="ascii") as f:
        f.write("read me" * 100)

    def run(ini=""):
        with open(f"{folder}/app.py", "w", encoding="ascii") as f:
            f.write(APP)
        return start(f"plugin = {plugin('notice')},{plugin('capitals')}\nhttp-socket = {{http}}\n"
                     "socket = {uwsgi}\nfastcgi-socket = {fastcgi}\nhttp = {router}\n"
                     f"wsgi-file = {folder}/app.py\n{ini}", notice=f"{folder}/notice.txt")
    return run


def test_without_work_the_chain_is_empty(handlers):
    answer = http.request(handlers().http)
    assert answer.body == b"the answer" and answer.header("X-Notice") == "mine"


@pytest.mark.parametrize("way", ["http", "router", "uwsgi", "fastcgi"])
def test_what_handlers_do_holds_on_every_protocol(handlers, way):
    server = handlers("notice-file = {notice}\nnotice-page = not here\ncapitals = true\n")
    speak = {"uwsgi": uwsgi, "fastcgi": fastcgi}.get(way, http)
    address = getattr(server, way)

    def get(path, method="GET"):
        return speak.request(address, path, method)
    assert get("/").body == b"THE ANSWER" and get("/").header("X-Notice") == "seen"
    assert get("/parts").body == b"ONE TWO THREE"
    gone = get("/missing")
    assert (gone.status, gone.body) == (410, b"NOT HERE")
    notice = get("/notice")
    assert notice.body == b"read me" * 100 and notice.header("Content-Length") == "700"
    assert get("/", "HEAD").status == 200 and get("/unchanged").status == 304
    assert get("/notice", "HEAD").header("Content-Length") == "700"


def test_a_kept_connection_goes_on_behind_each(handlers):
    server = handlers("notice-file = {notice}\nnotice-page = not here\ncapitals = true\n")
    with http.Connection(server.http) as c:
        for path, body in (("/", b"THE ANSWER"), ("/notice", b"read me" * 100),
                           ("/missing", b"NOT HERE"), ("/parts", b"ONE TWO THREE")) * 3:
            assert c.request(path).body == body


def test_what_a_filter_holds_back_leaves_when_the_application_waits(handlers, folder):
    server = handlers("capitals = true\n")
    with http.Connection(server.http) as c:
        c.send(http.request_bytes(f"/waits?{folder}/go", version="1.0"))
        got = b""
        while not got.endswith(b"\r\n\r\nFIRST"):
            got += c.socket.recv(1000)
        with open(f"{folder}/go", "w", encoding="ascii"):
            pass
        assert c.read_all() == b"SECOND"


@pytest.mark.parametrize("way", ["http", "router", "uwsgi", "fastcgi"])
def test_a_page_in_the_place_of_the_application_s(handlers, way):
    server = handlers("notice-page = not here\n")
    speak = {"uwsgi": uwsgi, "fastcgi": fastcgi}.get(way, http)
    for method, body in (("GET", b"not here"), ("HEAD", b"")):
        gone = speak.request(getattr(server, way), "/missing", method)
        assert (gone.status, gone.body, gone.all("Content-Length")) == (410, body, ["8"])


def test_the_log_says_what_was_sent(handlers):
    server = handlers("notice-page = not here\n"
                      "log-format = %(uri) %(status) %(rsize)\n")
    http.request(server.http, "/missing")
    server.wait_log(r"/missing 410 8$")


def test_a_slow_reader_of_a_file_holds_up_nobody(handlers, folder):
    """The lane serves others meanwhile, and the file is closed when its last byte is sent."""
    server = handlers("notice-file = {notice}\n")
    with open(f"{folder}/notice.txt", "wb") as f:
        f.truncate(30 << 20)
    with connect(server.http, receive_buffer=4096) as slow:
        slow.sendall(http.request_bytes("/notice", headers=[("Connection", "close")]))
        assert slow.recv(100)
        assert http.request(server.http).body == b"the answer"
        worker = server.workers()[0]
        assert f"{folder}/notice.txt" in proc.open_files(worker)
    until(lambda: f"{folder}/notice.txt" not in proc.open_files(worker), "the file to be closed", 10)
