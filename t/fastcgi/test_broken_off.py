# SPDX-License-Identifier: MIT
"""What happens to a peer that is left without the rest, and to one that takes nothing."""
import pytest

from lib import fastcgi, http

APP = """
def application(environ, start_response):
    declared = [("Content-Length", "100")] if environ["PATH_INFO"] == "/declared" else []
    start_response("200 OK", [("Content-Type", "text/plain")] + declared)
    yield b"x" * 20000 if environ["PATH_INFO"] == "/large" else b"some"
    raise RuntimeError("broke off")
"""

HOW = {
    "as it comes": "fastcgi_pass kept;",
    "unbuffered": "fastcgi_pass kept; fastcgi_buffering off;",
    "kept": "fastcgi_pass kept; fastcgi_keep_conn on;",
    "kept, unbuffered": "fastcgi_pass kept; fastcgi_keep_conn on; fastcgi_buffering off;",
}


@pytest.mark.parametrize("how", HOW)
def test_nginx_does_not_pass_on_half_an_answer_as_a_whole_one(start, nginx, folder, how):
    with open(f"{folder}/broken.py", "w", encoding="utf-8") as f:
        f.write(APP)
    server = start(f"fastcgi-socket = {{fastcgi}}\nwsgi-file = {folder}/broken.py")
    front = nginx(f"upstream kept {{ server {server.fastcgi}; keepalive 2; }}",
                  {"to": HOW[how]})
    for path in ("/unknown", "/declared", "/large"):
        with http.Connection(front.to) as c:
            c.send(http.request_bytes(path))
            # Until the connection ends: a client that is left waiting is the test's time-out.
            answer = c.read_all()
        assert not answer.endswith(b"0\r\n\r\n"), path
        assert answer == b"" or answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 502 ")), path


def test_one_who_asks_and_takes_no_answer_is_left(served):
    """Memory that answers wait in is bounded: the server closes, and this cannot go on sending."""
    question = fastcgi.record(99, 0) * 8192
    with http.Connection(served.fastcgi) as c:
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            for _ in range(2000):
                c.send(question)
    assert fastcgi.request(served.fastcgi, "/hello").body == b"hello\n"
