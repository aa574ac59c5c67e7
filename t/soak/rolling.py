#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Rolling restarts of two instances behind HAProxy and nginx, under load that must not be sent again.
Ends with what became of the requests.  Exit code 1: one failed.

    make rolling ROUNDS=30 [DELAY=0]     DELAY: drain-delay, in seconds"""
import argparse
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True

from lib import nginx, rolling  # noqa: E402
from lib.address import free_address  # noqa: E402
from lib.server import Server  # noqa: E402
from lib.starter import make_folder  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--delay", type=int, default=rolling.DELAY_S)
    args = parser.parse_args()
    folders = [make_folder() for _ in range(4)]
    things, began = [], time.monotonic()
    try:
        for folder in folders[:2]:
            things.append(Server(folder, rolling.INI % args.delay).start())
        front = free_address()
        things.append(rolling.haproxy(folders[2], things[:2]))
        things.append(nginx.nginx(folders[3], rolling.nginx_text(things[:2], front),
                                  others={"http": front}))
        pair = rolling.Rolling(things[:2], things[2], [things[2].http, front])
        failures = pair.restart_all(args.rounds)
    finally:
        for thing in reversed(things):
            thing.end()
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{2 * args.rounds} restarts in {time.monotonic() - began:.0f} s, drain-delay "
          f"{args.delay} s: {sum(l.answers for l in pair.loads)} requests, "
          f"{len(failures)} failed")
    print("\n".join(failures[:20]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
