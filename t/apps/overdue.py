# SPDX-License-Identifier: MIT
"""Requests that take too long, each in its own way: see test_harakiri.py."""
import atexit
import os
import signal
import threading
import time
from urllib.parse import parse_qs

try:
    import uwsgi
except ImportError:
    uwsgi = None

atexit.register(print, "ends in order", flush=True)
deaf_threads = []


def innermost(seconds):
    time.sleep(seconds)


def stand(seconds):
    print("begun", flush=True)
    innermost(seconds)
    print("came back", flush=True)


def hold():
    """Keeps the lock of the interpreter, in C."""
    print("begun", flush=True)
    sum(range(10 ** 13))


def close_late(seconds):
    class Answer(list):
        def close(self):
            stand(seconds)
    return Answer([b"all"])


def deaf():
    """Does not hear that it is to say where it is.  The first one does once a second one is asked."""
    number, own = signal.SIGRTMAX - 1, threading.get_native_id()
    signal.pthread_sigmask(signal.SIG_BLOCK, [number])
    deaf_threads.append(own)
    print("begun", flush=True)
    if own == deaf_threads[0]:
        while not any(is_pending(number, other) for other in deaf_threads[1:]):
            time.sleep(0.001)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
    innermost(600)


def is_pending(number, thread):
    with open(f"/proc/self/task/{thread}/status", encoding="ascii") as f:
        pending = next(line.split()[1] for line in f if line.startswith("SigPnd"))
    return int(pending, 16) >> (number - 1) & 1


def stream(start_response, then):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"x" * 10
    then()
    yield b"y" * 10


def application(environ, start_response):
    query = {k: v[0] for k, v in parse_qs(environ["QUERY_STRING"]).items()}
    path, seconds = environ["PATH_INFO"], float(query.get("s", 600))

    if path == "/stream":
        return stream(start_response, lambda: stand(seconds))
    if "after" in query:
        uwsgi.set_user_harakiri(float(query["after"]))
        if "none" in query:
            uwsgi.set_user_harakiri(0)
    if path in ("/stand", "/user"):
        stand(seconds)
    elif path == "/hold":
        hold()
    elif path == "/deaf":
        deaf()
    elif path == "/stop":
        print("begun", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)
    elif path == "/wait":
        print(f"waiting in {os.getpid()}", flush=True)
        with open(query["for"], encoding="ascii") as fifo:
            fifo.read()
        if "stand" in query:
            uwsgi.set_user_harakiri(float(query["stand"]))
            stand(seconds)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return close_late(seconds) if path == "/close" else [b"%d" % os.getpid()]
