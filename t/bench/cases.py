# SPDX-License-Identifier: MIT
"""What is asked: one row a case."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    name: str
    path: str = "/"
    length: int = 12          # of the answer's body
    body: int = 0             # bytes to send
    app: str = "app"          # the module
    workers: int = 1
    threads: int = 1
    beside: str = ""          # this path is kept busy meanwhile
    seconds: int = 0          # at least so long: what happens at its start must not show
    servers: str = ""         # only those whose name holds one of these words; "": all


CASES = {case.name: case for case in [
    Case("hello"),
    Case("hello-2", workers=2),
    Case("hello-60", workers=60, servers="uwsgi gunicorn floor"),
    Case("json", path="/json", length=1024),
    Case("post", path="/echo", length=16384, body=16384),
    Case("big", path="/big", length=1 << 20),
    Case("stream", path="/stream", length=65536),
    Case("file", path="/file", length=1 << 20),
    Case("flask", app="flask_app"),
    Case("django", app="django_app"),
    Case("sleep", path="/sleep", threads=16),
    Case("mixed", path="/short", workers=2, threads=4, beside="/long", seconds=5),
]}

# case, mode, connections: the short form takes those marked.
PLAN = [
    ("hello", "keep-alive", 1, True),
    ("hello", "keep-alive", 32, True),
    ("hello", "keep-alive", 256, True),
    ("hello", "close", 1, False),
    ("hello", "close", 32, True),
    ("hello", "nginx-uwsgi", 32, True),
    ("hello", "nginx-fastcgi", 32, True),
    ("hello", "nginx-fastcgi-keep", 32, True),
    ("hello", "nginx-http-keep", 32, True),
    ("hello", "router", 32, True),
    ("hello-2", "keep-alive", 32, True),
    ("hello-2", "nginx-uwsgi", 32, False),
    ("hello-60", "keep-alive", 32, True),
    ("hello-60", "close", 32, True),
    ("json", "keep-alive", 32, True),
    ("post", "keep-alive", 32, True),
    ("big", "keep-alive", 8, True),
    ("stream", "keep-alive", 32, True),
    ("file", "keep-alive", 8, True),
    ("flask", "keep-alive", 32, True),
    ("django", "keep-alive", 32, True),
    ("sleep", "keep-alive", 16, True),
    ("sleep", "keep-alive", 64, True),
    ("mixed", "keep-alive", 64, True),
]
