# SPDX-License-Identifier: MIT
"""The application that every server runs: one path for each case."""
import json
import os
import time

HERE = os.path.dirname(os.path.abspath(__file__))
JSON_VALUE = {"users": [{"id": n, "name": f"user {n}", "tags": ["a", "b"]} for n in range(20)]}
BIG = b"x" * (1 << 20)
FILE = os.environ.get("BENCH_FILE", "")


def hello(environ, start):
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "12")])
    return [b"Hello World\n"]


def json_1k(environ, start):
    body = json.dumps(JSON_VALUE).encode()[:1024].ljust(1024)
    start("200 OK", [("Content-Type", "application/json"), ("Content-Length", "1024")])
    return [body]


def echo(environ, start):
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    start("200 OK", [("Content-Type", "application/octet-stream"),
                     ("Content-Length", str(len(body)))])
    return [body]


def big(environ, start):
    start("200 OK", [("Content-Type", "application/octet-stream"),
                     ("Content-Length", str(len(BIG)))])
    return [BIG]


def stream(environ, start):
    start("200 OK", [("Content-Type", "application/octet-stream")])
    return (BIG[:1024] for _ in range(64))


def file(environ, start):
    start("200 OK", [("Content-Type", "application/octet-stream"),
                     ("Content-Length", str(1 << 20))])
    return environ["wsgi.file_wrapper"](open(FILE, "rb"), 65536)


def sleep(environ, start):
    time.sleep(0.01)
    return hello(environ, start)


def short(environ, start):
    time.sleep(0.001)
    return hello(environ, start)


def long(environ, start):
    time.sleep(0.5)
    return hello(environ, start)


PATHS = {"/": hello, "/json": json_1k, "/echo": echo, "/big": big, "/stream": stream,
         "/file": file, "/sleep": sleep, "/short": short, "/long": long}


def application(environ, start):
    return PATHS[environ["PATH_INFO"]](environ, start)
