# SPDX-License-Identifier: MIT
"""Goes on making blocks for a client that is not there any more, and says how far it got.  The client has
gone when there is a file `gone`."""
import os
import time

BLOCKS = 30


def pause(made):
    while made == 1 and not os.path.exists("gone"):
        time.sleep(0.001)
    time.sleep(0.01)


def blocks():
    made = 0
    try:
        for made in range(1, BLOCKS + 1):
            yield b"x" * 1000000
            pause(made)
    finally:
        print(f"made {made} blocks", flush=True)
        with open("/proc/self/status", encoding="ascii") as f:
            held = next(line.split()[1] for line in f if line.startswith("VmRSS"))
        print(f"holding {int(held) // 1024} MB", flush=True)


def application(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/iterate":
        return blocks()
    if environ["PATH_INFO"] == "/write":
        written = 0
        try:
            for written in range(1, BLOCKS + 1):
                write(b"x" * 1000000)
                pause(written)
        except OSError as e:
            print(f"raised after {written} blocks", flush=True)
            if environ["QUERY_STRING"] == "raise":
                raise
        else:
            print(f"wrote {written} blocks", flush=True)
    return []
