#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What one hostile client of each kind costs the others: the latency of a well-behaved client that asks
at a fixed rate, without and with it, in turn; the worker's and the router's memory and descriptors.
Of several rounds the quietest one counts: whatever else the machine does only adds to it.

usage: t/bench/hostile.py [--rounds N] [--seconds N] [--only WORD]... [--realtime]
                          [--markdown BENCHMARKS.md]

--only takes a part of a kind's or a way's name; all must fit.  The server has one worker with one
thread, so that nobody can hide in another one, but for those who hold streams: four.  Hostile clients
have machines of their own in life: here they run at a lower priority.  With --realtime, which needs
root, the server and the honest client go before whatever else the machine does.  --markdown replaces
the section of that file.
"""
import argparse
import contextlib
import dataclasses
import os
import resource
import signal
import statistics
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
import report  # noqa: E402
from measure import cpu_s  # noqa: E402
from lib import proc  # noqa: E402
from lib.attacks import KINDS, SPEAK, Attack  # noqa: E402
from lib.hostile import ask_proxied  # noqa: E402
from lib.server import Server  # noqa: E402
from lib.wait import until  # noqa: E402

INI = """
module = basic
listen = 1024
disable-logging = true
chmod-socket = 666
"""
NICE = 5
ANSWER_S = 5        # who has not been answered by then counts with this
TABLE = """| hostile client | on | p50 without | with | p99 without | with | p99 × | server's CPU | memory | descriptors |
|-|-|-|-|-|-|-|-|-|-|"""


# ---- the honest client ----

def asker(kind, way, address):
    if "proxy" in kind.ini:
        return lambda: ask_proxied(address)
    return lambda: SPEAK[way].request(address, kind.target, timeout=ANSWER_S)


def latencies(ask, a_second, seconds):
    """Seconds of each answer.  Who waits for the one before is late by the server's fault, so it counts
    from when it should have been asked; who wakes late is not."""
    found, step = [], 1 / a_second
    due = time.monotonic() + step
    end = due + seconds
    while due < end:
        now = time.monotonic()
        if now < due:
            time.sleep(due - now)
            due = time.monotonic()
        try:
            ask()
            found.append(time.monotonic() - due)
        except OSError:
            found.append(ANSWER_S)
        due += step
    return found


def at(found, part):
    return sorted(found)[min(len(found) - 1, int(len(found) * part))]


# ---- the hostile one ----

def attack_for_ever(kind, address, ready):
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    os.nice(NICE)
    attack = Attack(kind, address)
    attack.build_up()
    os.write(ready, b"r")
    attack.at = time.monotonic()
    while True:
        attack.turn()


class Enemies:
    """The attack in a process of its own, from when all its connections are there."""

    def __init__(self, kind, address):
        ready, says = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                attack_for_ever(kind, address, says)
            finally:
                os._exit(1)
        os.close(says)
        came = os.read(ready, 1)
        os.close(ready)
        if not came:
            raise SystemExit(f"{kind.name}: the attack has ended")

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


@contextlib.contextmanager
def beside(kind, server, before):
    """With an attack of that kind, if any, of which nothing is left afterwards."""
    enemies = Enemies(kind, server.peer) if kind else None
    yield
    if enemies:
        enemies.end()
        settled(server, before)


# ---- one row ----

def family(server):
    return [*server.workers(), *server.routers()]


def descriptors(pids):
    return [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids]


def quiet(pids):
    """The server is done with what these clients have asked for: from now on they only wait."""
    def rests():
        used = cpu_s(pids)
        time.sleep(0.2)
        return cpu_s(pids) - used < 0.01
    until(rests, "the server to rest", 30)


def settled(server, before):
    until(lambda: all(now <= then + 2 for now, then in zip(descriptors(family(server)), before)),
          "the hostile connections to be closed", 60)


def measure(kind, way, options):
    """Rounds of (without, with): their p50 and p99, and what the server has used."""
    rounds, cpu, polite = [], [], dataclasses.replace(kind, reads=True)
    with tempfile.TemporaryDirectory(prefix="uwsgi-hostile-") as folder:
        os.chmod(folder, 0o755)
        server = Server(folder, f"{way} = {{peer}}\n{kind.ini}{INI}").start()
        try:
            ask = asker(kind, way, server.peer)
            latencies(ask, kind.asks, 0.3)
            pids, before = family(server), descriptors(family(server))
            for _ in range(options.rounds):
                with beside(polite if kind.polite else None, server, before):
                    without = latencies(ask, kind.asks, options.seconds)
                with beside(kind, server, before):
                    if kind.answered:
                        quiet(pids)
                    used, began = cpu_s(pids), time.monotonic()
                    with_ = latencies(ask, kind.asks, options.seconds)
                    cpu.append((cpu_s(pids) - used) / (time.monotonic() - began))
                    held = descriptors(pids)
                rounds.append([at(found, part) for found in (without, with_) for part in (.5, .99)])
            memory = [int(proc.status(pid, "VmHWM")[0]) / 1024 for pid in pids]
        finally:
            server.end()
    return rounds, statistics.median(cpu), memory, held


def ms(seconds):
    return f"{seconds * 1e3:.2f}" if seconds < .01 else f"{seconds * 1e3:.0f}"


def row(kind, way, options):
    rounds, cpu, memory, held = measure(kind, way, options)
    p50, p99, bad50, bad99 = (min(column) for column in zip(*rounds))
    times = bad99 / p99
    return (f"| {kind.name}{' (*)' if kind.polite else ''} | {way} | {ms(p50)} | {ms(bad50)} | "
            f"{ms(p99)} | {ms(bad99)} | {times:.1f} | {cpu:.2f} | "
            f"{', '.join(f'{m:.0f}' for m in memory)} | {', '.join(str(h) for h in held)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--realtime", action="store_true")
    parser.add_argument("--markdown")
    options = parser.parse_args()
    if options.realtime:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    proc.adopt_orphans()
    lines = [TABLE]
    print(TABLE, flush=True)
    for kind in KINDS:
        for way in kind.ways:
            if all(word in f"{kind.name} {way}" for word in options.only):
                lines.append(row(kind, way, options))
                print(lines[-1], flush=True)
    if options.markdown:
        report.write_hostile(options.markdown, "\n".join(lines) + "\n", options)


if __name__ == "__main__":
    main()
