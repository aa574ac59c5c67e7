# SPDX-License-Identifier: MIT
"""The same environ and the same response as Debian's uWSGI, for a table of requests on each
protocol.  What may differ is listed by name here and explained in docs/differences.md; a
difference that is not listed fails."""
import json
import re

import pytest

from lib import fastcgi, http, scgi, uwsgi
from lib.server import ROOT, Oracle

pytestmark = pytest.mark.oracle

INI = """
http-socket = {http}
socket = {uwsgi}
fastcgi-socket = {fastcgi}
scgi-socket = {scgi}
module = basic
processes = 2
threads = 2
enable-threads = true
buffer-size = 32768
"""
LISTENERS = {"nginx_uwsgi": "uwsgi_pass {uwsgi};", "nginx_fastcgi": "fastcgi_pass {fastcgi};",
             "nginx_scgi": "scgi_pass {scgi};", "nginx_http": "proxy_pass http://{http};"}
WAYS = {"http": http, "uwsgi": uwsgi, "fastcgi": fastcgi, "scgi": scgi, "nginx_uwsgi": http,
        "nginx_fastcgi": http, "nginx_scgi": http, "nginx_http": http}

# (name, request): the request as arguments of the clients in lib/.
TABLE = [
    ("a get", dict(target="/environ")),
    ("a query", dict(target="/environ?a=1&b=%20c")),
    ("an empty query", dict(target="/environ?")),
    ("a question mark in the query", dict(target="/environ?a?b")),
    ("a deep path", dict(target="/a/b/c/")),
    ("an escaped path", dict(target="/a%20b/c%2Bd")),
    ("a path in utf-8", dict(target="/caf%C3%A9/%E2%82%AC")),
    ("an escaped slash", dict(target="/a%2Fb")),
    ("a plus sign", dict(target="/a+b?c+d")),
    ("a semicolon", dict(target="/a;b=c")),
    ("the root", dict(target="/environ/..")),
    ("dot segments", dict(target="/x/./y/../z")),
    ("head", dict(target="/environ", method="HEAD")),
    ("another method", dict(target="/environ", method="PROPFIND")),
    ("options", dict(target="/environ", method="OPTIONS")),
    ("delete", dict(target="/environ", method="DELETE")),
    ("a post", dict(target="/environ", method="POST", body=b"a=1",
                    headers=[("Content-Type", "application/x-www-form-urlencoded")])),
    ("an empty post", dict(target="/environ", method="POST")),
    ("a put", dict(target="/environ", method="PUT", body=b"\0\xff" * 40,
                   headers=[("Content-Type", "application/octet-stream")])),
    ("headers", dict(target="/environ", headers=[("X-One", "1"), ("X-Two-Words", "a, b"),
                                                 ("Accept", "*/*"), ("User-Agent", "u/1")])),
    ("an empty header", dict(target="/environ", headers=[("X-Empty", "")])),
    ("a header in latin-1", dict(target="/environ", headers=[("X-Name", "caf\xe9")])),
    ("a header Proxy", dict(target="/environ", headers=[("Proxy", "evil.test:1")])),
    ("cookies", dict(target="/environ", headers=[("Cookie", "a=1; b=2")])),
    ("another host", dict(target="/environ", headers=[("Host", "shop.test:8080")])),
    ("http/1.0", dict(target="/environ", version="1.0")),
    ("authorization", dict(target="/environ", headers=[("Authorization", "Basic YTpi")])),
    ("an echo", dict(target="/echo", method="POST", body=b"hello" * 1000)),
    ("a redirect", dict(target="/status?line=302+Found")),
    ("no content", dict(target="/status?line=204+No+Content")),
    ("not modified", dict(target="/status?line=304+Not+Modified")),
    ("a reason of its own", dict(target="/status?line=299+Very+Fine")),
    ("a stream", dict(target="/big?n=200000")),
]

# Values that describe the run and not the request: ports and the like.
OF_THE_RUN = {"REMOTE_PORT", "SERVER_PORT", "HTTP_HOST"}

# What the environ may have otherwise, by the names of docs/differences.md.
ENVIRON_DIFFERENCES = {
    "uwsgi keys in environ": {"uwsgi.version", "uwsgi.core", "uwsgi.node"},
    "wsgi.input_terminated": {"wsgi.input_terminated"},
    "SERVER_NAME of http-socket": {"SERVER_NAME"},
    "REMOTE_PORT of http-socket": {"REMOTE_PORT"},
    "HTTP_PROXY dropped": {"HTTP_PROXY"},
    "SCRIPT_NAME always present": {"SCRIPT_NAME"},
    "HTTP_CONTENT_LENGTH and HTTP_CONTENT_TYPE": {"HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE"},
    "types of the wsgi objects": {"wsgi.input", "wsgi.file_wrapper"},
}
HEADER_DIFFERENCES = {
    "Content-Length added": {"content-length"},
    "Connection and chunks on http-socket": {"connection", "transfer-encoding", "keep-alive"},
    "Date and Server": {"date", "server"},
    "HEAD on socket, fastcgi-socket and scgi-socket": {"x-accel-expires"},
}


@pytest.fixture(scope="module")
def both():
    """{ours, theirs}: (server, nginx), one of each for all requests."""
    from lib.starter import make_folder
    from lib import nginx as fronts
    from lib.server import Server
    if Oracle.missing():
        pytest.skip(Oracle.missing())
    things, pair = [], {}
    try:
        for name, kind in (("ours", Server), ("theirs", Oracle)):
            server = kind(make_folder(), INI).start()
            things.append(server)
            front = fronts.nginx(make_folder(), listeners={
                k: v.format_map(server.names) for k, v in LISTENERS.items()})
            things.append(front)
            pair[name] = server, front
        yield pair
    finally:
        for thing in reversed(things):
            thing.end()


def ask(pair, way, request):
    server, front = pair
    address = front.names[way] if way.startswith("nginx") else server.names[way]
    return WAYS[way].request(address, **request)


def different(ours, theirs, tolerated):
    """{key: (ours, theirs)} of all that differs and is not tolerated."""
    return {k: (ours.get(k), theirs.get(k)) for k in {*ours, *theirs}
            if k not in tolerated and ours.get(k) != theirs.get(k)}


def all_of(differences):
    return set().union(*differences.values())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name, request_", TABLE, ids=[t[0] for t in TABLE])
def test_environ_and_response_are_those_of_uwsgi(both, way, name, request_):
    ours, theirs = (ask(both[k], way, request_) for k in ("ours", "theirs"))
    assert ours.status == theirs.status
    assert (ours.reason or None) == (theirs.reason or None)
    headers = [{k.lower(): r.all(k) for k, _ in r.headers} for r in (ours, theirs)]
    assert different(*headers, all_of(HEADER_DIFFERENCES)) == {}
    if request_.get("method") == "HEAD":
        assert ours.body == b""
    elif ours.header("Content-Type") == "application/json" and ours.body:
        environs = [json.loads(r.body) for r in (ours, theirs)]
        assert different(*environs, all_of(ENVIRON_DIFFERENCES) | OF_THE_RUN) == {}
    else:
        assert ours.body == theirs.body


def test_what_is_tolerated_is_really_different_somewhere(both):
    """A tolerance that nothing needs any more hides the next mistake."""
    needed = set()
    for way in WAYS:
        for _, request in TABLE:
            pair = [ask(both[k], way, request) for k in ("ours", "theirs")]
            headers = [{k.lower(): r.all(k) for k, _ in r.headers} for r in pair]
            needed |= set(different(*headers, ()))
            if pair[0].header("Content-Type") == "application/json" and pair[0].body and \
                    pair[1].body:
                needed |= set(different(*(json.loads(r.body) for r in pair), ()))
    for name, keys in {**ENVIRON_DIFFERENCES, **HEADER_DIFFERENCES}.items():
        assert keys & needed, f"nothing needs {name!r}"


def test_every_tolerated_difference_is_explained():
    with open(f"{ROOT}/docs/differences.md", encoding="utf-8") as f:
        explained = re.findall(r"^\| \*\*(.+?)\*\* \|", f.read(), re.M)
    for name in {**ENVIRON_DIFFERENCES, **HEADER_DIFFERENCES}:
        assert name in explained
