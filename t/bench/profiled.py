#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a profile at 99 Hz costs, and what it finds: without and with one, in turn.

usage: t/bench/profiled.py [ROUNDS]

Processor time is compared, which the kernel counts in nanoseconds, since requests a second say more about the
rest of the machine: that of the worker's own threads for each request, and that of the thread that looks.
"""
import os
import statistics
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from lib import http  # noqa: E402
from lib.server import Server  # noqa: E402

SECONDS = 3
CASES = [("1 thread, requests of some 1 ms", 1, "planted=15000"),
         ("1 thread, requests of some 20 ms", 1, "planted=300000"),
         ("4 threads, requests of some 1 ms", 4, "planted=15000"),
         ("4 threads, requests of some 20 ms", 4, "planted=300000")]


def tasks(pid):
    return set(os.listdir(f"/proc/{pid}/task"))


def processor_s(pid, of):
    total = 0
    for task in tasks(pid) & of:
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
            total += int(f.read().split()[0])
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

    def cost(self, pid, own):
        """Of a request, in microseconds of the worker's own threads; and the share of one processor
        that whoever came since has."""
        others = tasks(pid) - own
        before = processor_s(pid, own), processor_s(pid, others), sum(self.served), time.monotonic()
        time.sleep(SECONDS)
        return ((processor_s(pid, own) - before[0]) * 1e6 / (sum(self.served) - before[2]),
                (processor_s(pid, others) - before[1]) / (time.monotonic() - before[3]))

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
        own = tasks(worker)
        load, found, costs, shares = Load(server, query, threads), [0, 0], ([], []), []
        load.cost(worker, own)  # to begin with
        for i in range(rounds):
            for looks in (False, True) if i % 2 else (True, False):
                looking = threading.Thread(target=profile, args=(server, found))
                if looks:
                    looking.start()
                    time.sleep(0.5)
                cost, share = load.cost(worker, own)
                costs[looks].append(cost)
                if looks:
                    looking.join()
                    shares.append(share)
        load.end()
        server.end()
    change = statistics.median(100 * (b / a - 1) for a, b in zip(*costs))
    print(f"| {name} | {statistics.median(costs[0]):,.0f} | {statistics.median(costs[1]):,.0f} "
          f"| {change:+.1f} % | {100 * statistics.median(shares):.1f} % "
          f"| {found[1]} of {sum(found)} |", flush=True)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print("| case | µs of processor a request | with a profile | median of the pairs "
          "| the thread that looks, of one processor | samples in the planted function |\n"
          "|-|-|-|-|-|-|")
    for case in CASES:
        measure(*case, rounds)


if __name__ == "__main__":
    main()
