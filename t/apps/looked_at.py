# SPDX-License-Identifier: MIT
"""What a profile is to find, and what makes that hard.  The files named in the query are FIFOs, which a test
opens when a request may go on."""
import ctypes
import os
import sys
import threading
from urllib.parse import parse_qs

holding = ctypes.PyDLL(None)  # calls keep the GIL


def planted(n):
    """Gives the GIL up only when it is asked to."""
    total = 0
    for i in range(n):
        total += i * i
    return total


def mixed(n):
    """The same, but it gives the GIL up every two milliseconds or so, too."""
    with open("/dev/zero", "rb", buffering=0) as f:
        for _ in range(n):
            planted(30000)
            f.read(1)


def wait_outside(path):
    with open(path, "rb") as f:
        f.read()


def wait_holding(path):
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(fd, True)
    holding.poll((ctypes.c_int * 2)(fd, 1), 1, -1)
    os.close(fd)


def start_helper(path):
    threading.Thread(target=wait_outside, args=(path,), name="a helper", daemon=True).start()


def interval_of_a_child(_):
    """Of a child that is forked now, and here."""
    ends = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(ends[1], str(sys.getswitchinterval()).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    text = os.read(ends[0], 100)
    for fd in ends:
        os.close(fd)
    return b"%s %s" % (text, str(sys.getswitchinterval()).encode())


def application(environ, start_response):
    what, argument = environ["QUERY_STRING"].partition("=")[::2]
    argument = next(iter(parse_qs(environ["QUERY_STRING"]).values()), [""])[0]
    work = {"planted": lambda n: planted(int(n)), "mixed": lambda n: mixed(int(n)),
            "outside": wait_outside, "holding": wait_holding, "helper": start_helper,
            "child": interval_of_a_child}[what]
    body = work(argument)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body if isinstance(body, bytes) else b"done\n"]
