# SPDX-License-Identifier: MIT
"""What lib/mixed.py asks for: every answer names the question, so that none is taken for another."""
import hashlib
import os
import time
from urllib.parse import parse_qsl

hoard = []


def hello(q, environ):
    return [b"hello %s" % q["id"].encode()]


def sleep(q, environ):
    time.sleep(int(q["ms"]) / 1000)
    return [b"slept %s" % q["id"].encode()]


def big(q, environ):
    return [q["id"].rjust(16, "_").encode() * (64 * int(q["kb"]))]


def stream(q, environ):
    for i in range(int(q["n"])):
        yield b"%s:%d;" % (q["id"].encode(), i)


def echo(q, environ):
    digest, size = hashlib.sha1(), 0
    while True:
        block = environ["wsgi.input"].read(16384)
        if not block:
            break
        digest.update(block)
        size += len(block)
    return [b"%s %d %s" % (digest.hexdigest().encode(), size, q["id"].encode())]


def grow(q, environ):
    hoard.append(bytearray(int(q["mb"]) << 20))
    return [b"grown"]


def leave(q, environ):
    os._exit(7)


def application(environ, start_response):
    q = dict(parse_qsl(environ["QUERY_STRING"]))
    handler = {"/hello": hello, "/sleep": sleep, "/big": big, "/stream": stream, "/echo": echo,
               "/grow": grow, "/exit": leave}[environ["PATH_INFO"]]
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Id", q.get("id", ""))])
    return handler(q, environ)
