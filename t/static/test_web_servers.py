# SPDX-License-Identifier: MIT
"""file-serve-mode behind the web servers that send the file: they, not this server, open it."""
import os
import textwrap

import pytest

from lib import http
from lib.address import free_address
from lib.nginx import Front, apache

LIGHTTPD = "/usr/sbin/lighttpd"
XSENDFILE = "/usr/lib/apache2/modules/mod_xsendfile.so"
TEXT = b"a file of some length\n" * 1000


@pytest.fixture
def site(folder):
    """A folder that web servers, which are another user's, may read."""
    os.chmod(folder, 0o755)
    for name in ("x.txt", "a bé.txt", "50%.txt"):
        with open(f"{folder}/{name}", "wb") as f:
            f.write(TEXT)
    return folder


def assert_is_sent(address, *more):
    for path in ("/s/x.txt", "/s/a%20b%C3%A9.txt", *more):
        got = http.request(address, path)
        assert (got.status, got.body) == (200, TEXT)
        assert got.header("Content-Type") == "text/plain; charset=utf-8"
        assert not got.all("X-Accel-Redirect") and not got.all("X-Sendfile")
    part = http.request(address, "/s/x.txt", headers=[("Range", "bytes=5-9")])
    assert (part.status, part.body) == (206, TEXT[5:10])
    assert http.request(address, "/hello").body == b"hello\n"


@pytest.mark.parametrize("option,passes", [("http-socket", "proxy_pass http://{peer};"),
                                           ("socket", "uwsgi_pass {peer};"),
                                           ("fastcgi-socket", "fastcgi_pass {peer};")])
def test_nginx(start, nginx, site, option, passes):
    server = start(f"{option} = {{peer}}\nmodule = basic\nstatic-map = /s={site}\n"
                   "check-static-docroot = false\nfile-serve-mode = nginx\n")
    front = nginx(listeners={"http": passes.format(peer=server.peer) + f"""
        }} location {site}/ {{ internal; root /;"""})
    assert_is_sent(front.http, "/s/50%25.txt")
    assert http.request(front.http, f"{site}/x.txt").status == 404


def test_apache(start, folder, site, started):
    if not os.path.exists(XSENDFILE):
        pytest.skip("libapache2-mod-xsendfile is not installed")
    server = start(f"socket = {{peer}}\nmodule = basic\nstatic-map = /s={site}\n"
                   "file-serve-mode = x-sendfile\n")
    started.append(apache(folder, f"uwsgi://{server.peer}/", more=f"""
        LoadModule xsendfile_module {XSENDFILE}
        XSendFile on
        XSendFilePath {site}
        """))
    assert_is_sent(started[-1].http)


def test_lighttpd(start, folder, site, started):
    if not os.path.exists(LIGHTTPD):
        pytest.skip("lighttpd is not installed")
    server = start(f"fastcgi-socket = {{peer}}\nmodule = basic\nstatic-map = /s={site}\n"
                   "file-serve-mode = x-sendfile\n")
    address = free_address()
    host, port = address.split(":")
    peer, peer_port = server.peer.split(":")
    with open(f"{folder}/lighttpd.conf", "w", encoding="utf-8") as f:
        f.write(textwrap.dedent(f"""
            server.bind = "{host}"
            server.port = {port}
            server.document-root = "{folder}"
            server.errorlog = "{folder}/lighttpd.log"
            server.modules = ("mod_fastcgi")
            fastcgi.server = ("/" => (("host" => "{peer}", "port" => {peer_port},
                "check-local" => "disable", "fix-root-scriptname" => "enable",
                "x-sendfile" => "enable", "x-sendfile-docroot" => ("{site}"))))
            """))
    started.append(Front(folder, {"http": address}, [LIGHTTPD, "-D", "-f",
                                                     f"{folder}/lighttpd.conf"],
                         f"{folder}/lighttpd.log"))
    assert_is_sent(address, "/s/50%25.txt")
