# SPDX-License-Identifier: MIT
"""Ways to die of a fault: /null, /thread, /child, /abort, /signal?8 for any signal, and /overflow?1
in the lane of that number; the other one waits for it."""
import ctypes
import os
import sys
import threading


def read_null():
    ctypes.string_at(0)


def overflow():
    """The C library goes one call deeper for each parenthesis, whatever Python's limits."""
    ctypes.CDLL(None).regcomp(ctypes.create_string_buffer(1024), b"(" * (1 << 20), 1)


def in_thread():
    thread = threading.Thread(target=read_null)
    thread.start()
    thread.join()


def in_child():
    if os.fork() == 0:
        read_null()
    os.wait()


WAYS = {"/null": read_null, "/thread": in_thread, "/child": in_child, "/abort": os.abort}


def application(environ, start_response):
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    if path == "/signal":
        os.kill(os.getpid(), int(query))
    elif path == "/overflow":
        if int(query) != environ["uwsgi.core"]:
            print("waits", file=sys.stderr, flush=True)
            threading.Event().wait()
        overflow()
    elif path in WAYS:
        WAYS[path]()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"alive\n"]
