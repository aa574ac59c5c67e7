# SPDX-License-Identifier: MIT
"""nginx asks for HEAD with HEAD, and a cache whose key does not say which it was must not take that
answer for the one to a GET."""
import pytest

from lib import http

APP = """
def application(environ, start_response):
    length = [("Content-Length", "8")] if environ["PATH_INFO"] != "/open" else []
    start_response("200 OK", [("Content-Type", "text/plain"), ("Cache-Control", "max-age=60"),
                              ("X-Accel-Expires", "60")] + length)
    if environ["REQUEST_METHOD"] == "HEAD" and environ["PATH_INFO"] != "/always":
        return []
    return iter([b"see", b" ", b"this"])
"""
ZONES = """
fastcgi_cache_path {0}/fastcgi keys_zone=fastcgi:1m;
uwsgi_cache_path {0}/uwsgi keys_zone=uwsgi:1m;
scgi_cache_path {0}/scgi keys_zone=scgi:1m;
add_header X-Cache $upstream_cache_status;
"""


@pytest.mark.parametrize("path", ["/known", "/open", "/always"])
@pytest.mark.parametrize("way", ["fastcgi", "scgi", "uwsgi"])
def test_a_head_does_not_fill_the_cache_of_a_get(start, nginx, folder, way, path):
    with open(f"{folder}/heads.py", "w", encoding="utf-8") as f:
        f.write(APP)
    server = start(f"socket = {{uwsgi}}\nfastcgi-socket = {{fastcgi}}\n"
                   f"scgi-socket = {{scgi}}\nwsgi-file = {folder}/heads.py")
    front = nginx(ZONES.format(folder), {
        "to": f"{way}_pass {server.names[way]}; {way}_cache {way}; {way}_cache_key $request_uri;"
              f" {way}_cache_valid 200 1m;"})
    for method, cache in ("HEAD", "MISS"), ("GET", "MISS"), ("GET", "HIT"), ("HEAD", "HIT"):
        with http.Connection(front.to) as c:
            answer = c.request(path, method, [("Connection", "close")])
            # A client may have all before nginx has stored it, but not the end of the connection.
            assert c.is_closed()
        assert (answer.status, answer.header("X-Cache")) == (200, cache)
        assert answer.body == (b"see this" if method == "GET" else b"")
        assert answer.complete and not answer.header("X-Accel-Expires")
