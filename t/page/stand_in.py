# SPDX-License-Identifier: MIT
"""What the live page speaks with, without a server behind it: it says exactly what a test wants it to
say, such as a histogram with known percentiles, a reload that stands still, or a hostile URI."""

import contextlib
import copy
import http.server
import json
import os
import queue
import socket
import sys
import threading
import urllib.parse

from lib.address import HOST, free_port
from lib.server import ROOT

sys.path.insert(0, os.path.join(ROOT, "plugins", "inspect", "page"))
from compose import compose  # noqa: E402

INDEX = os.path.join(ROOT, "plugins", "inspect", "page", "index.html")
STARTED = 1_700_000_000


def lane(n, ms=None, uri="/", method="GET"):
    return {
        "n": n,
        "busy": ms is not None,
        "method": method if ms is not None else "",
        "uri": uri if ms is not None else "",
        "ms": ms or 0,
        "requests": 10,
    }


def worker(number, lanes, generation=1, state="serving", **more):
    return {
        "id": number,
        "pid": 4000 + 100 * generation + number,
        "generation": generation,
        "state": state,
        "requests": 1000 * number,
        "rss": 60 << 20,
        "pss": 20 << 20,
        "since": STARTED + 1,
        "lanes": lanes,
        **more,
    }


def slow(at, uri, run_ms, method="GET", status=200, wait_ms=2, send_ms=1):
    return {
        "at": STARTED + at,
        "method": method,
        "uri": uri,
        "status": status,
        "wait_us": wait_ms * 1000,
        "run_us": run_ms * 1000,
        "send_us": send_ms * 1000,
        "worker": 1,
        "lane": 0,
    }


def first_event():
    return {
        "t": STARTED + 100.0,
        "started": STARTED,
        "version": "1.0",
        "generation": 1,
        "state": "serving",
        "requests": 12345,
        "failed": 3,
        "sent": 5 << 30,
        "gone": 2,
        "classes": [0, 12000, 300, 42, 3],
        "hist": {
            "wait": [[100, 12345]],
            "run": [[1000, 6000], [5000, 12000], [90000, 12345]],
            "send": [[100, 12345]],
        },
        "workers": [worker(1, [lane(0), lane(1)]), worker(2, [lane(0), lane(1)])],
        "sockets": [{"name": "127.0.0.1:8000", "protocol": "http", "queue": 0, "max_queue": 100}],
        "slow": [],
        "log": [],
    }


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path, _, query = self.path.partition("?")
        self.server.asked.append(self.path)
        if path == "/":
            page, policy = compose(INDEX)
            self.answer(200, "text/html; charset=utf-8", page, {"Content-Security-Policy": policy})
        elif path == "/events":
            self.events()
        elif path in self.server.answers:
            answer = self.server.answers[path]
            self.answer(*(answer(urllib.parse.parse_qs(query)) if callable(answer) else answer))
        else:
            self.answer(404, "text/plain", "there is no such page\n")

    def answer(self, status, kind, text, headers=()):
        body = text.encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": len(body),
            "Cache-Control": "no-store",
            **dict(headers),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def events(self):
        mine = queue.Queue()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        with self.server.lock:
            if not self.server.silent or not self.server.readers:
                mine.put(self.server.state)
            self.server.readers.append(mine)
        with contextlib.suppress(OSError):
            while (event := self.next(mine)) is not None:
                self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
                self.wfile.flush()

    def next(self, mine):
        """What a test has said, or after a second nothing new: a server is never silent."""
        try:
            return mine.get(timeout=None if self.server.silent else 1)
        except queue.Empty:
            return {}

    def log_message(self, *_):
        pass


class StandIn(http.server.ThreadingHTTPServer):
    """answers: {path: (status, type, text) or a function of the query that returns these}.
    silent: all that is said is the first event, to the first reader."""

    daemon_threads = True

    def __init__(self, state=None, port=None):
        self.lock = threading.Lock()
        self.state, self.readers, self.connections = state or first_event(), [], []
        self.answers, self.asked, self.silent = {}, [], False
        super().__init__((HOST, port or free_port()), Handler)
        self.address = f"{HOST}:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def process_request(self, request, client_address):
        self.connections.append(request)
        super().process_request(request, client_address)

    def handle_error(self, request, client_address):
        """A browser that has gone is none."""

    def say(self, seconds=1, **changes):
        """An event to all readers, with the time that has passed since the last one."""
        with self.lock:
            changes["t"] = self.state["t"] + seconds
            self.state = {**copy.deepcopy(self.state), **changes}
            for reader in self.readers:
                reader.put(changes)

    def cut(self):
        """Ends the connections of all readers."""
        with self.lock:
            for reader in self.readers:
                reader.put(None)
            self.readers.clear()

    def end(self):
        """As a process that is killed: also connections end that the browser has not used yet."""
        self.shutdown()
        self.server_close()
        self.cut()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
