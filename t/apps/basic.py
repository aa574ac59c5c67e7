# SPDX-License-Identifier: MIT
"""What most tests ask for, by path.  /echo gives the body back, /environ says what came in."""
import json
import os
import threading
import time
from urllib.parse import parse_qs

imported_in = os.getpid()
imported_count = 0


def answer(start_response, body, status="200 OK", headers=(), kind="text/plain"):
    start_response(status, [("Content-Type", kind), *headers])
    return [body]


def hello(environ, start_response):
    return answer(start_response, b"hello\n")


def pid(environ, start_response):
    return answer(start_response, b"%d" % os.getpid())


def parents(environ, start_response):
    return answer(start_response, json.dumps([imported_in, os.getpid(), os.getppid()]).encode())


def thread(environ, start_response):
    return answer(start_response, threading.current_thread().name.encode())


def echo(environ, start_response):
    length = environ.get("CONTENT_LENGTH")
    body = environ["wsgi.input"].read(int(length)) if length else environ["wsgi.input"].read()
    return answer(start_response, body, kind="application/octet-stream")


def ignore_body(environ, start_response):
    return answer(start_response, b"not read", "403 Forbidden")


def show(environ, start_response):
    """The environ as JSON: strings as they are, of anything else the name of its type."""
    plain = {k: v if isinstance(v, (str, bool, int)) else
             list(v) if isinstance(v, tuple) else f"<{type(v).__name__}>"
             for k, v in environ.items()}
    return answer(start_response, json.dumps(plain).encode(), kind="application/json")


def status(environ, start_response):
    """?line=204+No+Content"""
    line = parse_qs(environ["QUERY_STRING"])["line"][0]
    start_response(line, [("X-One", "1"), ("X-Two", "a"), ("X-Two", "b")])
    return []


def sleep(environ, start_response):
    """?s=0.5"""
    seconds = float(parse_qs(environ["QUERY_STRING"])["s"][0])
    print(f"sleeping in {os.getpid()}", flush=True)
    time.sleep(seconds)
    print(f"slept in {os.getpid()}", flush=True)
    return answer(start_response, b"slept %d" % os.getpid())


def wait(environ, start_response):
    """?for=the path of a FIFO: until somebody has opened it to write, and closed it."""
    print(f"waiting in {os.getpid()}", flush=True)
    with open(parse_qs(environ["QUERY_STRING"])["for"][0], "rb") as fifo:
        fifo.read()
    return answer(start_response, b"waited %d" % os.getpid())


def big(environ, start_response):
    """?n=bytes, in blocks of 64 KiB, without a Content-Length."""
    left = int(parse_qs(environ["QUERY_STRING"])["n"][0])
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    block = b"0123456789abcdef" * 4096
    while left > 0:
        yield block[:left]
        left -= len(block)


def drops(environ, start_response):
    """?n=blocks of 1500 bytes, without a Content-Length."""
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    for _ in range(int(parse_qs(environ["QUERY_STRING"])["n"][0])):
        yield b"d" * 1500


def block(environ, start_response):
    """?n=bytes, which are all there at once."""
    return answer(start_response, b"x" * int(parse_qs(environ["QUERY_STRING"])["n"][0]))


gate = threading.Barrier(2, timeout=10)


def meet(environ, start_response):
    """Answers only when two requests are inside at once."""
    gate.wait()
    return answer(start_response, b"met")


hoard = []


def grow(environ, start_response):
    """?mb=100: keeps that much memory for ever."""
    hoard.append(b"x" * (int(parse_qs(environ["QUERY_STRING"])["mb"][0]) << 20))
    return answer(start_response, b"%d" % os.getpid())


def spend(environ, start_response):
    end = time.thread_time() + float(parse_qs(environ["QUERY_STRING"])["s"][0])
    while time.thread_time() < end:
        pass
    return answer(start_response, b"spent")


ROUTES = {
    "/": hello, "/hello": hello, "/pid": pid, "/parents": parents, "/thread": thread,
    "/echo": echo, "/ignore-body": ignore_body, "/environ": show, "/status": status,
    "/sleep": sleep, "/wait": wait, "/big": big, "/drops": drops, "/block": block,
    "/meet": meet, "/grow": grow, "/spend": spend,
}


def application(environ, start_response):
    return ROUTES.get(environ["PATH_INFO"], show)(environ, start_response)


print(f"imported basic in {os.getpid()}", flush=True)
