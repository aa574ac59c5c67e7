# SPDX-License-Identifier: MIT
"""Answers that break off.  /kill?blocks=2&size=10&length=100: after that many blocks of that size the
worker is killed; /raise, /segv, /exit and /hang do what they say; any other path goes on to the
end.  With `length` the head says a Content-Length."""
import os
import signal
import time
from urllib.parse import parse_qs

ENDS = {
    "/kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "/segv": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "/exit": lambda: os._exit(3),
    "/hang": lambda: time.sleep(600),
}


def application(environ, start_response):
    query = {k: int(v[0]) for k, v in parse_qs(environ["QUERY_STRING"]).items()}
    headers = [("Content-Type", "text/plain")]
    if "length" in query:
        headers.append(("Content-Length", str(query["length"])))
    start_response("200 OK", headers)
    for _ in range(query.get("blocks", 1)):
        yield b"x" * query.get("size", 10)
    if environ["PATH_INFO"] == "/raise":
        raise RuntimeError("broke off")
    ENDS.get(environ["PATH_INFO"], int)()
