# SPDX-License-Identifier: MIT
"""Compressed answers: which ones, for whom, on every protocol, and at once where the application waits."""
import gzip
import zlib

import pytest

from lib import fastcgi, http, scgi, uwsgi
from lib.wait import until

WAYS = {"http-socket": http, "http": http, "socket": uwsgi, "fastcgi-socket": fastcgi,
        "scgi-socket": scgi}
TEXT = b"What is said twice is said twice as well. " * 1000
ACCEPT = [("Accept-Encoding", "gzip")]
PROGRAM = """
import os
import time
from urllib.parse import parse_qsl

TEXT = b"What is said twice is said twice as well. " * 1000


def wait_for(name):
    yield b"first"
    while not os.path.exists(name):
        time.sleep(0.01)
    yield b"second"


def application(environ, start_response):
    said = parse_qsl(environ["QUERY_STRING"])
    path = environ["PATH_INFO"]
    if path == "/boom":
        raise ValueError("boom")
    start_response(dict(said).pop("status", "200 OK"),
                   [("Content-Type", "text/plain")][:"Content-Type" not in dict(said)] +
                   [(k, v) for k, v in said if k not in ("status", "wait")])
    if path == "/waits":
        return wait_for(dict(said)["wait"])
    if path == "/file":
        return environ["wsgi.file_wrapper"](open(os.environ["FILE"], "rb"))
    if path == "/short":
        return [b"short"]
    if path == "/blocks":
        return iter([TEXT[i:i + 7000] for i in range(0, len(TEXT), 7000)])
    if path == "/cut":
        return iter([TEXT[:100], TEXT[:100]])
    return [] if path == "/empty" else [TEXT]
"""


@pytest.fixture
def serve(start, tmp_path):
    (tmp_path / "app.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "file.txt").write_bytes(TEXT)

    def run(ini="gzip = true", way="http-socket"):
        ini = ini.replace("{", "{{").replace("}", "}}").replace("ROOT", str(tmp_path))
        return start(f"{way} = {{peer}}\nwsgi-file = {tmp_path}/app.py\n{ini}\n",
                     env={"FILE": f"{tmp_path}/file.txt"})
    return run


def text_of(answer):
    assert answer.all("Content-Encoding") == ["gzip"] and not answer.header("uWSGI-Encoding")
    return gzip.decompress(answer.body)


@pytest.mark.parametrize("way", WAYS)
def test_answers_are_compressed_on_every_protocol(serve, way):
    server = serve(way=way)

    def get(path="/", headers=ACCEPT, **more):
        return WAYS[way].request(server.peer, path, headers=headers, **more)
    for path in ("/", "/blocks", "/file", "/?Content-Length=42000"):
        answer = get(path)
        assert text_of(answer) == TEXT and len(answer.body) < 2000
        assert answer.header("Vary") == "Accept-Encoding"
        assert answer.header("Content-Length") in (None, str(len(answer.body)))
    plain = get(headers=[])
    assert plain.body == TEXT and plain.header("Vary") == "Accept-Encoding"
    assert plain.header("Content-Length") == "42000"
    head = get(method="HEAD")
    assert (head.header("Content-Encoding"), head.header("Content-Length"), head.body) == \
        ("gzip", None, b"")
    for path in ("/short", "/empty", "/?Content-Type=image/png", "/?status=204+No+Content",
                 "/?Content-Encoding=br", "/?Content-Digest=sha-256=x", "/?Cache-Control=no-transform"):
        answer = get(path)
        assert answer.header("Content-Encoding") in (None, "br") and not answer.header("Vary"), path


def test_a_kept_connection_goes_on_behind_each(serve):
    server = serve()
    with http.Connection(server.peer) as c:
        for _ in range(3):
            assert text_of(c.request("/blocks", headers=ACCEPT)) == TEXT
            assert c.request("/", method="HEAD", headers=ACCEPT).status == 200
            assert c.request("/short", headers=ACCEPT).body == b"short"


def see_blocks_leave(address, folder):
    with http.Connection(address) as c:
        c.send(http.request_bytes(f"/waits?wait={folder}/go", headers=ACCEPT, version="1.0"))
        c.read_head()
        unpacked, inflate = b"", zlib.decompressobj(31)
        while unpacked != b"first":
            assert c.buffer or c._fill(), unpacked
            unpacked, c.buffer = unpacked + inflate.decompress(c.buffer), b""
        with open(f"{folder}/go", "w", encoding="ascii"):
            pass
        assert inflate.decompress(c.read_all()) == b"second" and inflate.eof


@pytest.mark.parametrize("way", ["http-socket", "http"])
def test_a_block_leaves_at_once_when_the_application_waits(serve, folder, way):
    see_blocks_leave(serve(way=way).peer, folder)


def test_what_another_server_answers(serve, folder):
    server = serve(f"gzip = true\nroute = ^/ http:{serve('threads = 1').peer}")
    assert text_of(http.request(server.peer, "/blocks", headers=ACCEPT)) == TEXT
    see_blocks_leave(server.peer, folder)


def test_what_breaks_off_is_seen_to_be_cut(serve):
    server = serve()
    answer = http.request(server.peer, "/cut?Content-Length=300", headers=ACCEPT)
    assert not answer.complete
    with pytest.raises(EOFError):
        gzip.decompress(answer.body)
    assert text_of(http.request(server.peer, headers=ACCEPT)) == TEXT


def test_etags_and_unchanged_answers(serve):
    server = serve()

    def get(etag, status="200+OK", headers=()):
        return http.request(server.peer, f"/?ETag={etag}&Accept-Ranges=bytes&Vary=Cookie&status={status}",
                            headers=[*ACCEPT, *headers])
    strong = get('"a"')
    assert strong.header("ETag") == 'W/"a"' and strong.all("Vary") == ["Cookie", "Accept-Encoding"]
    assert not strong.header("Accept-Ranges")
    assert http.request(server.peer, "/?Vary=Cookie,accept-encoding").all("Vary") == ["Cookie,accept-encoding"]
    assert get('W/"a"').header("ETag") == 'W/"a"'
    unchanged = get('"a"', "304+Not+Modified", [("If-None-Match", 'W/"a"')])
    assert unchanged.header("ETag") == 'W/"a"' and "Accept-Encoding" in unchanged.all("Vary")
    assert get('"a"', "304+Not+Modified", [("If-None-Match", '"a"')]).header("ETag") == '"a"'
    assert http.request(server.peer, '/?ETag="a"').header("ETag") == '"a"'


def test_files_and_parts_of_them(serve):
    server = serve("gzip = true\nstatic-map = /s=ROOT")
    whole = http.request(server.peer, "/s/file.txt", headers=ACCEPT)
    assert text_of(whole) == TEXT and whole.header("ETag").startswith('W/"')
    part = http.request(server.peer, "/s/file.txt", headers=[*ACCEPT, ("Range", "bytes=0-9999")])
    assert (part.status, part.body, part.header("Content-Encoding")) == (206, TEXT[:10000], None)
    again = http.request(server.peer, "/s/file.txt",
                         headers=[*ACCEPT, ("If-None-Match", whole.header("ETag"))])
    assert (again.status, again.header("ETag")) == (304, whole.header("ETag"))
    bigger = serve("gzip = true\ngzip-max-length = 10k\nstatic-map = /s=ROOT")
    assert http.request(bigger.peer, "/s/file.txt", headers=ACCEPT).body == TEXT
    named = serve("gzip = true\nfile-serve-mode = nginx\nstatic-map = /s=ROOT")
    assert not http.request(named.peer, "/s/file.txt", headers=ACCEPT).header("Content-Encoding")


def test_types_lengths_and_level(serve):
    server = serve("gzip = true\ngzip-types = text/html *+json\ngzip-min-length = 5\ngzip-level = 9")

    def coding(path):
        return http.request(server.peer, path, headers=ACCEPT).header("Content-Encoding")
    assert coding("/short?Content-Type=text/html") == "gzip"
    assert coding("/?Content-Type=application/ld%2Bjson") == "gzip" and not coding("/")


@pytest.mark.parametrize("rules", [
    "route-run = gzip:", "route = ^/ gzip:", "response-route-run = gzip:",
    "collect-header = Content-Type KIND\nresponse-route-if = equal:${KIND};text/plain gzip:",
    "plugin = transformation_gzip\nroute-if = contains:${HTTP_ACCEPT_ENCODING};gzip goto:on\n"
    "route-run = last:\nroute-label = on\nroute-run = gzip:"])
def test_rules_ask_for_it(serve, rules):
    """Whatever the length and, but for the rule that looks at it, the type."""
    server = serve(rules)
    assert text_of(http.request(server.peer, headers=ACCEPT)) == TEXT
    assert text_of(http.request(server.peer, "/short", headers=ACCEPT)) == b"short"
    plain = http.request(server.peer)
    assert plain.body == TEXT and not plain.header("uWSGI-Encoding")


def test_an_answer_of_a_rule_and_a_page_for_an_error(serve):
    server = serve("gzip = true\ngzip-min-length = 1\nroute = ^/gone return:410\n"
                   "error-page-500 = ROOT/file.txt")
    gone = http.request(server.peer, "/gone", headers=ACCEPT)
    assert (gone.status, text_of(gone)) == (410, b"Gone")
    page = http.request(server.peer, "/boom", headers=ACCEPT)
    assert (page.status, text_of(page)) == (500, TEXT)


@pytest.mark.parametrize("way", WAYS)
def test_the_application_asks_for_it(serve, way):
    server = serve("http-auto-gzip = true", way)

    def get(path):
        return WAYS[way].request(server.peer, path, headers=ACCEPT)
    assert text_of(get("/?uWSGI-Encoding=gzip")) == TEXT
    assert text_of(get("/short?uWSGI-Encoding=gzip&Content-Type=image/png")) == b"short"
    assert get("/").body == TEXT


def test_a_server_that_is_not_asked_to_does_not_load_it(serve):
    server = serve("route-run = addheader:X-Is: gzip")
    assert http.request(server.peer, headers=ACCEPT).body == TEXT
    for worker in server.workers():
        with open(f"/proc/{worker}/maps", encoding="ascii") as maps:
            assert "gzip_plugin" not in maps.read()


def test_a_reload_begins_and_ends_it(serve):
    server = serve("threads = 1")
    with open(server.ini_path, encoding="utf-8") as f:
        ini = f.read()
    for lines, coding in (("gzip = true", "gzip"), ("", None), ("route-run = gzip:", "gzip")):
        with open(server.ini_path, "w", encoding="utf-8") as f:
            f.write(f"{ini}\n{lines}\n")
        assert server.hup()
        # A worker that leaves may still take one connection.
        until(lambda: http.request(server.peer, headers=ACCEPT).header("Content-Encoding") == coding,
              f"{coding} after the reload")


def test_the_log_says_what_was_sent(serve):
    server = serve("gzip = true\nlog-format = %(uri) %(rsize)")
    size = len(http.request(server.peer, "/sent", headers=ACCEPT).body)
    server.wait_log(rf"/sent {size}$")
