# SPDX-License-Identifier: MIT
"""What the application sees of signals, and a handler of its own for one of them."""
import atexit
import json
import os
import signal
import subprocess

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGPIPE")
seen = []


def said_of(name):
    handler = signal.getsignal(getattr(signal, name))
    return getattr(handler, "name", None) or getattr(handler, "__name__", None)


def set_for_a_while():
    for name in NAMES:
        number = getattr(signal, name)
        signal.signal(number, signal.signal(number, lambda *_: None))


before = {name: said_of(name) for name in NAMES}
set_for_a_while()
atexit.register(print, "atexit", flush=True)
signal.signal(signal.SIGUSR2, lambda number, frame: seen.append(number))


def application(environ, start_response):
    """With what a program that is started here inherits."""
    if environ["PATH_INFO"] == "/leave":
        os.kill(os.getpid(), signal.SIGTERM)
    if environ["PATH_INFO"] == "/set_for_a_while":
        set_for_a_while()
    ran = subprocess.run(["cat", "/proc/self/status"], capture_output=True, check=False)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"before": before, "seen": seen, "program": ran.stdout.decode()}).encode()]
