#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What reloads cost clients meanwhile: the latency of one that asks at a fixed rate, without and
with reloads, one after the other, in turn.  Of several rounds the quietest one counts: whatever else
the machine does only adds to it.

usage: t/bench/reload.py [--rounds N] [--seconds N] [--import SECONDS] [--realtime] [INI-LINE]...

The application takes so much of a processor to be imported, as Django does.  With --realtime, which needs
root, the server and the client go before whatever else the machine does."""
import argparse
import os
import shutil
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
from hostile import at, latencies, ms  # noqa: E402
from lib import http  # noqa: E402
from lib.server import Server  # noqa: E402
from lib.starter import make_folder  # noqa: E402

INI = """
http-socket = {http}
chdir = {here}
module = slow
processes = 2
disable-logging = true
"""
APP = """
import time
while time.process_time() < %f:
    pass
from basic import application
"""
A_SECOND = 200


def reload_for_ever(server):
    while True:
        server.hup()


def beside(server, ask, seconds):
    """Latencies while it is reloaded."""
    pid = os.fork()
    if pid == 0:
        reload_for_ever(server)
    found = latencies(ask, A_SECOND, seconds)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    seen = server.log().count("reloaded: ")
    time.sleep(1)           # what is under way ends
    return found, seen


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--import", type=float, default=.3, dest="import_s")
    parser.add_argument("--realtime", action="store_true")
    parser.add_argument("lines", nargs="*")
    options = parser.parse_args()
    if options.realtime:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    folder, rounds = make_folder(), []
    with open(f"{folder}/slow.py", "w", encoding="ascii") as f:
        f.write(APP % options.import_s)
    server = Server(folder, INI + "\n".join(options.lines) + "\n").start()
    try:
        def ask():
            assert http.request(server.http, "/hello").status == 200
        latencies(ask, A_SECOND, 0.3)
        for _ in range(options.rounds):
            without = latencies(ask, A_SECOND, options.seconds)
            found, reloads = beside(server, ask, options.seconds)
            rounds.append([at(f, part) for f in (without, found) for part in (.5, .99)])
    finally:
        server.end()
        shutil.rmtree(folder)
    p50, p99, with50, with99 = (min(column) for column in zip(*rounds))
    print(f"{reloads} reloads; p50 {ms(p50)} → {ms(with50)} ms, p99 {ms(p99)} → {ms(with99)} ms, "
          f"× {with99 / p99:.1f}")


if __name__ == "__main__":
    main()
