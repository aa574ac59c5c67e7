#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a profile at 99 Hz costs, and what it finds: without and with one, in turn.

usage: t/bench/profiled.py [ROUNDS]

The processor time of the worker for each request is compared, since requests a second say more about the
rest of the machine; the kernel counts it in nanoseconds.
"""
import os
import statistics
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from lib import http  # noqa: E402
from lib.server import Server  # noqa: E402

import tempfile  # noqa: E402

SECONDS = 3
CASES = [("1 thread, requests of some 1 ms", 1, "planted=15000"),
         ("1 thread, requests of some 20 ms", 1, "planted=300000"),
         ("4 threads, requests of some 1 ms", 4, "planted=15000"),
         ("4 threads, requests of some 20 ms", 4, "planted=300000")]


def processor_s(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
                total += int(f.read().split()[0])
        except OSError:
            pass  # it has ended
    return total / 1e9


class Load:
    def __init__(self, server, query, clients):
        self.server, self.query, self.stop, self.served = server, query, False, [0] * clients
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(clients)]
        for t in self.threads:
            t.start()

    def run(self, i):
        with http.Connection(self.server.http) as c:
            while not self.stop:
                assert c.request(f"/?{self.query}").status == 200
                self.served[i] += 1

    def cost(self, pid):
        """Microseconds a request."""
        before, served = processor_s(pid), sum(self.served)
        time.sleep(SECONDS)
        return (processor_s(pid) - before) * 1e6 / (sum(self.served) - served)

    def end(self):
        self.stop = True
        for t in self.threads:
            t.join()


def profile(server, found):
    answer = http.request(server.inspect, f"/profile?seconds={SECONDS + 1}&hz=99",
                          host="localhost")
    for line in answer.body.decode().splitlines():
        stack, _, times = line.rpartition(" ")
        found[":planted:" in stack] += int(times)


def measure(name, threads, query, rounds):
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder, "http-socket = {http}\ninspect = {inspect}\nmodule = looked_at\n"
                                f"disable-logging = true\nthreads = {threads}\n")
        server.start()
        worker, = server.workers()
        load, found, without, with_one = Load(server, query, threads), [0, 0], [], []
        load.cost(worker)  # to begin with
        for _ in range(rounds):
            without.append(load.cost(worker))
            looking = threading.Thread(target=profile, args=(server, found))
            looking.start()
            time.sleep(0.5)
            with_one.append(load.cost(worker))
            looking.join()
        load.end()
        server.end()
    changes = [100 * (b / a - 1) for a, b in zip(without, with_one)]
    print(f"| {name} | {statistics.median(without):,.0f} | {statistics.median(with_one):,.0f} "
          f"| {statistics.median(changes):+.1f} % | {found[1]} of {sum(found)} |", flush=True)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print("| case | µs of processor a request | with a profile | median of the pairs "
          "| samples in the planted function |\n|-|-|-|-|-|")
    for case in CASES:
        measure(*case, rounds)


if __name__ == "__main__":
    main()
