# SPDX-License-Identifier: MIT
"""What the application sees of signals, and a handler of its own for one of them."""
import json
import os
import signal
import subprocess

NAMES = ("SIGUSR1", "SIGUSR2", "SIGTERM", "SIGCHLD")
seen = []
before = {name: getattr(signal.getsignal(getattr(signal, name)), "name", None) for name in NAMES}
signal.signal(signal.SIGUSR2, lambda number, frame: seen.append(number))


def application(environ, start_response):
    """With what a program that is started here inherits."""
    if environ["PATH_INFO"] == "/leave":
        os.kill(os.getpid(), signal.SIGTERM)
    ran = subprocess.run(["cat", "/proc/self/status"], capture_output=True, check=False)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"before": before, "seen": seen, "program": ran.stdout.decode()}).encode()]
