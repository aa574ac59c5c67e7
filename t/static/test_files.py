# SPDX-License-Identifier: MIT
"""Files that the server answers by itself: which file a path names, and what is said of it."""
import email.utils
import gzip
import os
import re
import socket
import time

import pytest

from lib import fastcgi, http, scgi, uwsgi
from lib.wait import until

WAYS = {"http-socket": http, "http": http, "socket": uwsgi, "fastcgi-socket": fastcgi,
        "scgi-socket": scgi}
CSS, SECRET = b"body { color: red }\n", b"not for clients\n"
PAGE, DATA = b"<p>page</p>\n", bytes(range(256)) * 40
YEAR_2020 = 1577836800
APP = b"the application\n"
PROGRAM = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-App", "1")])
    return [b"the application\\n"]
"""


@pytest.fixture
def site(tmp_path):
    """A folder of files, beside one that nobody should see."""
    root = tmp_path / "root"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "bare").mkdir()
    (tmp_path / "shared").mkdir()
    (tmp_path / "root-2").mkdir()
    for path, data in {
            "root/a.css": CSS, "root/a.css.gz": gzip.compress(CSS, mtime=0), "root/a.css.br": b"br",
            "root/data.bin": DATA, "root/empty.txt": b"", "root/a b.txt": b"blank\n",
            "root/sub/index.html": PAGE, "root/sub/deep/x.js": b"x\n", "root/none": b"none\n",
            "root/.hidden": b"dot\n", "root/run.cgi": b"cgi\n", "root/%2e": b"percent\n",
            "secret": SECRET, "shared/s.txt": b"shared\n", "root-2/s.txt": SECRET}.items():
        (tmp_path / path).write_bytes(data)
    os.utime(root / "a.css", (YEAR_2020, YEAR_2020))
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(root / "socket"))
    for name, to in {"inside": "a.css", "inside_whole": root / "a.css", "out": tmp_path / "secret",
                     "out_up": "../secret", "shared": tmp_path / "shared", "proc": "/proc/self/root",
                     "beside": tmp_path / "root-2", "loop": "loop", "passwd": "/etc/passwd",
                     "gone": "nowhere"}.items():
        os.symlink(to, root / name)
    (tmp_path / "app.py").write_text(PROGRAM, encoding="utf-8")
    return tmp_path


@pytest.fixture
def serve(start, site):
    def run(ini, way="http-socket"):
        ini = ini.replace("ROOT", str(site / "root")).replace("SITE", str(site))
        return start(f"{way} = {{peer}}\nwsgi-file = {site}/app.py\n{ini}\n")
    return run


def get(server, path, headers=(), method="GET", way="http-socket"):
    return WAYS[way].request(server.peer, path, method, list(headers))


def is_apps(response):
    return response.header("X-App") is not None


# ---- which file ----

@pytest.mark.parametrize("way", WAYS)
def test_a_file_is_answered_on_every_way(serve, way):
    server = serve("static-map = /static=ROOT", way)
    r = get(server, "/static/a.css", way=way)
    assert (r.status, r.body, r.header("Content-Length")) == (200, CSS, str(len(CSS)))
    assert r.header("Content-Type") == "text/css; charset=utf-8"
    assert r.header("Last-Modified") == email.utils.formatdate(YEAR_2020, usegmt=True)
    assert get(server, "/static/data.bin", way=way).body == DATA
    r = get(server, "/static/a.css", way=way, method="HEAD")
    assert (r.status, r.body, r.header("Content-Length")) == (200, b"", str(len(CSS)))
    assert is_apps(get(server, "/static/not-there", way=way))
    assert is_apps(get(server, "/elsewhere", way=way))


@pytest.mark.parametrize("ini, path, body", [
    ("static-map = /s=ROOT", "/s/sub/deep/x.js", b"x\n"),
    ("static-map = /s=ROOT", "/s/a%20b.txt", b"blank\n"),
    ("static-map = /s=ROOT", "/s/empty.txt", b""),
    ("static-map = /s=ROOT", "/s/.hidden", b"dot\n"),
    ("static-map = /s=ROOT", "/s//a.css", CSS),
    ("static-map = /s=ROOT", "/s/./a.css", CSS),
    ("static-map = /s=ROOT", "/s/a.css?v=1", CSS),
    ("static-map = /s=ROOT", "/s/inside", CSS),
    ("static-map = /s=ROOT", "/s/inside_whole", CSS),
    ("static-map = /s/=ROOT/", "/s/a.css", CSS),
    ("static-map = /=ROOT", "/a.css", CSS),
    ("static-map = /favicon.ico=ROOT/none", "/favicon.ico", b"none\n"),
    ("static-map = /s=ROOT/sub\nstatic-map = /s=ROOT", "/s/a.css", CSS),
    ("static-map2 = /sub=ROOT", "/sub/index.html", PAGE),
    ("check-static = ROOT", "/a.css", CSS),
    ("static-check = ROOT", "/a.css", CSS),
    ("check-static = ROOT\nstatic-map = /a.css=ROOT/none", "/a.css", CSS),
    ("check-static = ROOT\nstatic-index = nowhere\nstatic-index = index.html", "/sub/", PAGE),
    ("static-map = /s=ROOT\nstatic-safe = SITE/shared", "/s/shared/s.txt", b"shared\n"),
    ("mount = /m=SITE/app.py\nmanage-script-name = true\nstatic-map = /s=ROOT", "/m/s/a.css", CSS),
])
def test_it_is_found(serve, ini, path, body):
    r = get(serve(ini), path)
    assert (r.status, r.body, r.header("X-App")) == (200, body, None)


@pytest.mark.parametrize("ini, path", [
    ("static-map = /s=ROOT", "/s-2/s.txt"),
    ("static-map = /s=ROOT", "/sa.css"),
    ("static-map = /s=ROOT/nowhere", "/s/a.css"),
    ("static-map = /s=ROOT", "/s/sub/"),
    ("static-map = /s=ROOT", "/s"),
    ("static-map = /s=ROOT\nstatic-index = index.html", "/s/bare/"),
    ("static-map = /s=ROOT\nstatic-skip-ext = .cgi", "/s/run.cgi"),
    ("mount = /m=SITE/app.py\nmanage-script-name = true\nstatic-map = /m/s=ROOT", "/m/s/a.css"),
])
def test_it_is_the_applications(serve, ini, path):
    assert is_apps(get(serve(ini), path))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "GETS", "get"])
def test_other_methods_are_the_applications(serve, method):
    assert is_apps(get(serve("static-map = /s=ROOT"), "/s/a.css", method=method))


def test_the_folder_that_the_web_server_names(serve, site):
    server = serve("check-static-docroot = true", "socket")
    packet = uwsgi.packet({"REQUEST_METHOD": "GET", "PATH_INFO": "/a.css",
                           "DOCUMENT_ROOT": str(site / "root")}.items())
    assert CSS in http.raw(server.peer, packet)


def test_a_page_of_a_folder_is_at_its_slash(serve):
    server = serve("check-static = ROOT\nstatic-index = index.html")
    assert get(server, "/sub/").body == PAGE
    r = get(server, "/sub?a=1")
    assert (r.status, r.header("Location")) == (301, "/sub/?a=1")
    # It would lead to the host "sub".
    assert get(server, "//sub").header("Location") == "/sub/"


def test_a_new_release_is_seen_within_a_second_or_two(serve, site):
    server = serve("static-map = /s=SITE/current")
    (site / "next").mkdir()
    (site / "next" / "a.css").write_bytes(b"new\n")
    os.symlink(site / "root", site / "current")
    assert get(server, "/s/a.css").body == CSS
    os.symlink(site / "next", site / "current.new")
    os.rename(site / "current.new", site / "current")
    until(lambda: get(server, "/s/a.css").body == b"new\n", "the new release", 5)


# ---- what nobody may see ----

UP = ["..", "%2e%2e", "%2E.", ".%2e", "..%00", "..%2f", "..%5c", "..\\", "%c0%ae%c0%ae", "%252e%252e",
      ".%00.", "...", "..;", "%e0%80%ae%e0%80%ae"]
HOSTILE = [f"/s/{up}/secret" for up in UP] + [f"/s/sub/{up}/{up}/secret" for up in UP] + [
    f"/s{up}/secret" for up in ("/..", "/%2e%2e", "..", "%2e%2e", "/sub/../..", "/./..", "//..")] + [
    "/s/out", "/s/out_up", "/s/passwd", "/s/proc/etc/passwd", "/s/beside/s.txt", "/s/loop", "/s/gone",
    "/s/shared/s.txt", "/s/fifo", "/s/socket", "/s/a.css/", "/s/a.css/.", "/s/a.css/../a.css/x",
    "/s/a.css%00", "/s/a.css%00.html", "/s/%00", "/s/sub", "/s/bare", "/s/-2/s.txt", "/s%2f..%2fsecret",
    "/s/" + "a" * 300, "/s/" + "a/" * 3000, "/s/" + "../" * 500 + "etc/passwd", "/s/" + "x" * 5000,
    "/s/%ff%fe", "/s//etc/passwd", "/s/%2fetc%2fpasswd", "/s/file:///etc/passwd", "/s/~root/.profile"]


@pytest.mark.parametrize("way", ["http-socket", "socket", "fastcgi-socket"])
def test_nothing_is_told_that_does_not_lie_below(serve, way):
    assert len(HOSTILE) >= 60
    server = serve("static-map = /s=ROOT", way)
    for path in HOSTILE:
        try:
            r = get(server, path, way=way)
        except http.Closed:
            continue
        # What the protocol or the application makes of it is not a file.
        assert r.status in (400, 404, 414, 431) or is_apps(r), (path, r)
        assert SECRET not in r.body and b"root:" not in r.body, path
    assert get(server, "/s/a.css", way=way).body == CSS


def test_raw_paths_of_a_packet(serve):
    """A web server passes on what it has decoded."""
    server = serve("static-map = /s=ROOT", "socket")
    for path in ("/s/../secret", "/s/sub/../../secret", "/s/..", "/s/a.css\0", "/s/\0", "s/a.css", "",
                 "/s/../root-2/s.txt", "/s/sub/..", "/s/./../secret"):
        said = http.raw(server.peer, uwsgi.packet({"REQUEST_METHOD": "GET", "PATH_INFO": path}.items()))
        assert SECRET not in said and (b"X-App" in said or b" 400 " in said), path


def test_a_link_that_leads_out_is_said(serve):
    server = serve("static-map = /s=ROOT")
    get(server, "/s/out")
    server.wait_log("out is not served: a link leads out of .*; static-safe")


# ---- what is said of it ----

def test_the_client_has_it_already(serve):
    server = serve("static-map = /s=ROOT")
    r = get(server, "/s/a.css")
    etag, modified = r.header("ETag"), r.header("Last-Modified")
    assert etag.startswith('"')
    for headers in ([("If-None-Match", etag)], [("If-None-Match", "W/" + etag)],
                    [("If-None-Match", f'"x", {etag}')], [("If-Modified-Since", modified)]):
        r = get(server, "/s/a.css", headers)
        assert (r.status, r.body, r.header("ETag")) == (304, b"", etag)
    for headers in ([("If-None-Match", '"x"')], [("If-None-Match", '"x"'), ("If-Modified-Since", modified)],
                    [("If-Modified-Since", "rubbish")]):
        assert get(server, "/s/a.css", headers).status == 200
    assert get(server, "/s/a.css", [("If-Match", '"x"')]).status == 412


def test_another_file_has_another_tag(serve, site):
    server = serve("static-map = /s=ROOT")
    before = get(server, "/s/a.css").header("ETag")
    (site / "root" / "a.css").write_bytes(CSS.upper())
    r = get(server, "/s/a.css")
    assert r.body == CSS.upper() and r.header("ETag") != before


def test_parts(serve):
    server = serve("static-map = /s=ROOT")
    for field, first, last in (("0-9", 0, 9), ("100-", 100, len(DATA) - 1),
                               ("-7", len(DATA) - 7, len(DATA) - 1)):
        r = get(server, "/s/data.bin", [("Range", f"bytes={field}")])
        assert (r.status, r.body) == (206, DATA[first:last + 1])
        assert r.header("Content-Range") == f"bytes {first}-{last}/{len(DATA)}"
    r = get(server, "/s/data.bin", [("Range", "bytes=999999-")])
    assert (r.status, r.header("Content-Range")) == (416, f"bytes */{len(DATA)}")
    assert get(server, "/s/data.bin", [("Range", "lines=1-2")]).body == DATA
    assert get(server, "/s/data.bin", [("Range", "bytes=0-9"), ("If-Range", '"x"')]).body == DATA
    etag = get(server, "/s/data.bin").header("ETag")
    assert get(server, "/s/data.bin", [("Range", "bytes=0-9"), ("If-Range", etag)]).status == 206
    assert get(server, "/s/data.bin", [("Range", "bytes=0-9")], method="HEAD").status == 200
    assert get(serve("static-map = /s=ROOT\nhonour-range = false"), "/s/data.bin",
               [("Range", "bytes=0-9")]).body == DATA


@pytest.mark.parametrize("way", WAYS)
def test_several_parts(serve, way):
    r = get(serve("static-map = /s=ROOT", way), "/s/data.bin", [("Range", "bytes=1-2,-1,300-6000")],
            way=way)
    kind, _, boundary = r.header("Content-Type").partition("; boundary=")
    assert (r.status, kind, len(r.body)) == (206, "multipart/byteranges", int(r.header("Content-Length")))
    parts = r.body.split(b"\r\n--" + boundary.encode())
    assert (parts[0], parts[-1]) == (b"", b"--\r\n")
    for part, (first, last) in zip(parts[1:-1], ((1, 2), (10239, 10239), (300, 6000))):
        head, _, body = part.partition(b"\r\n\r\n")
        assert f"Content-Range: bytes {first}-{last}/10240".encode() in head
        assert body == DATA[first:last + 1]


def test_precompressed_files(serve):
    server = serve("static-map = /s=ROOT\nstatic-gzip-all = true")

    def asked(accepts, path="/s/a.css"):
        r = get(server, path, [("Accept-Encoding", accepts)])
        assert r.header("Vary") == "Accept-Encoding" and r.header("Content-Type").startswith("text/")
        return r.header("Content-Encoding"), r.body
    assert asked("gzip") == ("gzip", gzip.compress(CSS, mtime=0))
    assert asked("deflate, GZIP;q=0.5")[0] == "gzip"
    assert asked("gzip, deflate, br, zstd") == ("br", b"br")
    for accepts in ("gzip;q=0", "identity", "xgzip", "gzipx", "br;q=0.0, gzip; q=0", ""):
        assert asked(accepts) == (None, CSS)
    assert asked("gzip", "/s/sub/index.html") == (None, PAGE)
    for ini, compressed in (("static-gzip = \\.css$", True), ("static-gzip = \\.js$", False),
                            ("static-gzip-ext = .css", True), ("static-gzip-dir = ROOT", True),
                            ("static-gzip-dir = /nowhere", False), ("", False)):
        r = get(serve(f"static-map = /s=ROOT\n{ini}"), "/s/a.css", [("Accept-Encoding", "gzip")])
        assert (r.header("Content-Encoding") == "gzip") == compressed, ini


@pytest.mark.parametrize("ini, path, seconds", [
    ("static-expires = root/.*css 3600", "/s/a.css", 3600),
    ("static-expires = root/.*css=3600", "/s/a.css", 3600),
    ("static-expires = root/.*js 3600", "/s/a.css", None),
    ("static-expires-type = text/css=60", "/s/a.css", 60),
    ("static-expires-type = text/html=60", "/s/a.css", None),
    ("static-expires-uri = v= 20", "/s/a.css?v=1", 20),
    ("static-expires-uri = v= 20", "/s/a.css", None),
    ("static-expires-path-info = ^/s/ 30", "/s/a.css", 30),
    ("static-expires-path-info = ^/s/ 30\nstatic-expires = . 10", "/s/a.css", 10),
    ("static-expires-mtime = . 10", "/s/a.css", YEAR_2020 + 10),
    ("static-expires-type-mtime = text/css=10", "/s/a.css", YEAR_2020 + 10),
])
def test_how_long_it_may_be_kept(serve, ini, path, seconds):
    r = get(serve(f"static-map = /s=ROOT\n{ini}"), path)
    if seconds is None:
        assert r.header("Expires") is None
        return
    at = email.utils.parsedate_to_datetime(r.header("Expires")).timestamp()
    if seconds > YEAR_2020:
        assert (at, r.header("Cache-Control")) == (seconds, "max-age=0")
    else:
        assert abs(at - time.time() - seconds) < 20
        assert r.header("Cache-Control") == f"max-age={seconds}"


@pytest.mark.parametrize("mode, name, blank", [
    ("x-sendfile", "X-Sendfile", " "), ("nginx", "X-Accel-Redirect", "%20"),
    ("X-Accel-Redirect", "X-Accel-Redirect", "%20")])
def test_the_web_server_sends_it(serve, site, mode, name, blank):
    server = serve(f"static-map = /s=ROOT\nfile-serve-mode = {mode}")
    r = get(server, "/s/a%20b.txt")
    assert r.header(name) == f"{site}/root/a{blank}b.txt" and not r.body


def test_a_slow_client_keeps_nobody_waiting(serve, site):
    """One thread: the others are answered while 60 MB wait for their client."""
    with open(site / "root" / "large", "wb") as f:
        f.truncate(60_000_000)
    server = serve("static-map = /s=ROOT")
    with http.Connection(server.peer, receive_buffer=4096) as slow:
        slow.send(http.request_bytes("/s/large"))
        slow.socket.recv(1)
        for _ in range(20):
            assert get(server, "/s/a.css").body == CSS and is_apps(get(server, "/"))


def test_a_file_that_shrinks_while_it_is_sent(serve, site):
    with open(site / "root" / "large", "wb") as f:
        f.truncate(60_000_000)
    server = serve("static-map = /s=ROOT")
    with http.Connection(server.peer, receive_buffer=4096) as c:
        c.send(http.request_bytes("/s/large"))
        c.socket.recv(1)
        os.truncate(site / "root" / "large", 10)
        assert len(c.read_all()) < 60_000_000      # and then the connection ends
    assert get(server, "/s/a.css").body == CSS


def test_many_names_are_not_kept(serve, site):
    """More files and more names of nothing than are remembered: descriptors stay few."""
    for n in range(400):
        (site / "root" / f"f{n}").write_bytes(b"%d" % n)
    server = serve("static-map = /s=ROOT")
    with http.Connection(server.peer) as c:
        for n in range(400):
            assert c.request(f"/s/f{n}").body == b"%d" % n
            assert is_apps(c.request(f"/s/none{n}"))
    assert len(os.listdir(f"/proc/{server.workers()[0]}/fd")) < 300


# ---- mistakes ----

@pytest.mark.parametrize("line, sentence", [
    ("static-map = /static", "static-map = /static: expected /path=FOLDER"),
    ("static-expires = foo", "expected what it is for and seconds"),
    ("static-expires = ( 30", "missing closing parenthesis"),
    ("static-gzip = [", "static-gzip"),
])
def test_a_mistake_is_named(start, line, sentence):
    server = start.not_yet(f"http-socket = {{http}}\nmodule = basic\n{line}\n")
    assert server.run() == 1
    assert sentence in server.log()


def test_what_is_not_there_is_found_by_check(start):
    server = start.not_yet("http-socket = {http}\nmodule = basic\nstatic-map = /s=/nowhere\n"
                           "static-map2 = /t=/neither\ncheck-static = /no\nstatic-check = /none\n"
                           "static-map = /here=/\nchdir = /usr\nstatic-map = /l=lib\n"
                           "static-map = /m=nothing\nfile-serve-mode = lighttpd\n", args=["--check"])
    assert server.run() == 0
    lines = re.findall(r"ini:(\d+): warning: (.*): there is no (\S+)$", server.log(), re.M)
    first = int(lines[0][0])
    assert lines == [(str(first), "static-map = /s=/nowhere", "/nowhere"),
                     (str(first + 1), "static-map2 = /t=/neither", "/neither"),
                     (str(first + 2), "check-static = /no", "/no"),
                     (str(first + 3), "static-check = /none", "/none"),
                     (str(first + 7), "static-map = /m=nothing", "/usr/nothing")]
    assert '"lighttpd" is neither x-accel-redirect' in server.log()
