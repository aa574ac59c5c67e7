# SPDX-License-Identifier: MIT
"""Connections that send lib/sequences.py's bytes in pieces, with pauses, and leave as they like,
round by round, while an honest client asks and must be answered.  What a round sends follows from
seed, way and number of the round alone, so that a finding can be had again; only when the server
reads it does not."""
import os
import random
import signal
import socket
import struct
import subprocess
import threading
import time
from collections import namedtuple

from lib import fastcgi, http, proc, scgi, sequences, uwsgi
from lib.address import connect
from lib.server import BASE_ENV, REPORT, ROOT, Server
from lib.wait import until

INI = """
processes = 1
threads = 2
limit-post = 1000000
harakiri = 30
http-timeout = 3
socket-timeout = 3
reload-mercy = 30
auto-procname = true
log-format = %(addr) "%(method) %(uri)" %(uagent) %(var.HTTP_X_A)
"""
# Freed memory goes back early, so that what the sanitizer keeps is not taken for a leak.
ENV = {"ASAN_OPTIONS": f"{BASE_ENV['ASAN_OPTIONS']}:quarantine_size_mb=8",
       "PYTHONMALLOC": "malloc"}
WARM_UP_ROUNDS = 10
GUESTS = 25
TURN_S = 0.0005        # the server may read between two pieces
MEMORY_KB = 64 << 10    # more than so much is not the noise of an allocator
PROXIED = b"PROXY TCP4 192.0.2.7 192.0.2.1 5555 80\r\n"
HELLO = b"GET /hello HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"


def ask_http(address):
    return http.request(address, "/hello")


def ask_proxied(address):
    with http.Connection(address) as c:
        c.send(PROXIED + HELLO)
        return c.read()


def ask_uwsgi(address):
    return uwsgi.request(address, "/hello")


def ask_fastcgi(address):
    return fastcgi.request(address, "/hello")


def ask_scgi(address):
    return scgi.request(address, "/hello")


Way = namedtuple("Way", "ini sequence ask app", defaults=("module = fuzzed\n",))
LATER = "plugin = {here}/later_plugin.so\nlater = true\n"
_http = sequences.several(sequences.http_request)
_PROXY = "http-enable-proxy-protocol = true\n"
WAYS = {
    "http-socket": Way("http-socket = {peer}\n", _http, ask_http),
    "http": Way("http = {peer}\nhttp-websockets = true\n", _http, ask_http),
    "socket": Way("socket = {peer}\n", sequences.several(sequences.uwsgi_request), ask_uwsgi),
    "fastcgi-socket": Way("fastcgi-socket = {peer}\n",
                          sequences.several(sequences.fastcgi_request), ask_fastcgi),
    "scgi-socket": Way("scgi-socket = {peer}\n", sequences.several(sequences.scgi_request),
                       ask_scgi),
    "later-http-socket": Way("http-socket = {peer}\n", _http, ask_http, LATER),
    "later-fastcgi-socket": Way("fastcgi-socket = {peer}\n",
                                sequences.several(sequences.fastcgi_request), ask_fastcgi, LATER),
    "proxy-http-socket": Way("http-socket = {peer}\n" + _PROXY, sequences.proxied, ask_proxied),
    "proxy-http": Way("http = {peer}\n" + _PROXY, sequences.proxied, ask_proxied),
}


def build_later(folder):
    """t/sdk/later.c: an application that runs its requests side by side, and takes bodies as they
    come."""
    subprocess.run(["cc", "-std=c11", "-O1", "-g", "-fPIC", "-shared", f"-I{ROOT}/include",
                    "-Wl,--no-as-needed", "-lev", "-o", f"{folder}/later_plugin.so",
                    f"{ROOT}/t/sdk/later.c"], check=True, timeout=60)


# ---- one connection: what it will do, and doing it ----

READ, WAIT, SHUT, RESET = "read", "wait", "shut", "reset"


def plan(rng, data):
    """Steps of a connection: bytes to send, or one of the words above with a number."""
    steps = []
    for piece in sequences.pieces(rng, data):
        steps.append(piece)
        if rng.random() < 0.05:
            steps.append((READ, rng.choice((1, 100, 65536))))
        if rng.random() < 0.03:
            steps.append((WAIT, rng.choice((1, 5, 20))))
    if rng.random() < 0.1:
        del steps[rng.randrange(len(steps) + 1):]
    if rng.random() < 0.2:
        steps.append((SHUT, 0))
    if rng.random() < 0.8:
        steps += [(READ, rng.choice((100, 65536, 65536)))] * rng.choice((1, 10, 30))
    if rng.random() < 0.3:
        steps.append((RESET, 0))
    return steps or [(WAIT, 1)]


class Guest:
    """One connection of a round.  turn() does one step; False when it is over."""

    def __init__(self, address, rng, sequence):
        self.steps = plan(rng, sequences.damaged(rng, sequence(rng)))[::-1]
        self.socket = connect(address, receive_buffer=2048 if rng.random() < 0.1 else None)
        self.socket.setblocking(False)

    def turn(self):
        try:
            self._step(self.steps.pop())
        except BlockingIOError:
            pass
        except OSError:
            self.steps = []
        return bool(self.steps)

    def _step(self, step):
        if isinstance(step, bytes):
            self._send(step)
            return
        word, number = step
        if word == WAIT and number > 1:
            self.steps.append((WAIT, number - 1))
        elif word == READ and not self.socket.recv(number):
            self.steps = [s for s in self.steps if s == (RESET, 0)]
        elif word == SHUT:
            self.socket.shutdown(socket.SHUT_WR)
        elif word == RESET:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _send(self, data):
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self.steps.append(data[sent:])


# ---- the honest client ----

class Honest(threading.Thread):
    """Asks again and again; failures holds what it was not answered."""
    PAUSE_S = 0.05

    def __init__(self, ask, address):
        super().__init__(daemon=True)
        self.ask, self.address = ask, address
        self.answered, self.failures, self.ending = 0, [], threading.Event()

    def run(self):
        while not self.ending.wait(self.PAUSE_S):
            try:
                response = self.ask(self.address)
            except (OSError, AssertionError, ValueError, http.Closed) as e:
                self.failures.append(f"an honest client was not answered: {e!r}")
                return
            if (response.status, response.body) != (200, b"hello\n"):
                self.failures.append(f"an honest client was told {response!r}")
            self.answered += 1

    def end(self):
        self.ending.set()
        self.join(30)


# ---- all of it ----

class Siege:
    """A server of one way and what comes over it.  findings: sentences; none is how it should be.
    rounds and connections count what was done."""
    ROUND_S = 0.5

    def __init__(self, way, seed, folder):
        self.name, self.way, self.seed = way, WAYS[way], seed
        self.spool = f"{folder}/spool"
        os.mkdir(self.spool)
        if self.way.app == LATER:
            build_later(folder)
        self.server = Server(folder, self.way.ini + self.way.app + INI,
                             env={**ENV, "TMPDIR": self.spool}).start()
        self.family = {p: proc.title(p) for p in [self.server.pid,
                                                  *proc.descendants(self.server.pid)]}
        self.findings, self.rounds, self.connections = [], 0, 0
        self.honest = Honest(self.way.ask, self.server.peer)

    def round(self, number):
        """Some connections at once, none of which outlives it."""
        rng = random.Random(f"{self.seed} {self.name} {number}")
        guests = [Guest(self.server.peer, rng, self.way.sequence)
                  for _ in range(rng.randrange(1, GUESTS))]
        self.rounds += 1
        self.connections += len(guests)
        end, waiting = time.monotonic() + self.ROUND_S, guests
        while waiting and time.monotonic() < end:
            waiting = [g for g in waiting if g.turn()]
            time.sleep(TURN_S)
        for g in guests:
            g.socket.close()

    def measure(self):
        return {p: (len(proc.open_files(p)), int((proc.status(p, "VmRSS") or ["0"])[0]))
                for p in self.family}

    def run(self, first, rounds, seconds):
        """Rounds from that number on, until so many are done or the time is over or something
        was found."""
        end, before = time.monotonic() + seconds, self.measure()
        self.honest.start()
        for number in range(first, first + rounds):
            if time.monotonic() > end or self.honest.failures or not self.all_alive(number):
                break
            try:
                self.round(number)
            except OSError as e:
                self.findings.append(f"round {number}: no connection: {e!r}")
                break
            if self.rounds == WARM_UP_ROUNDS:
                before = self.measure()
        self.honest.end()
        self.findings += self.honest.failures
        self.settle(before)
        return self

    def all_alive(self, number=None):
        gone = [f"{p} ({title})" for p, title in self.family.items() if not proc.alive(p)]
        if gone:
            self.findings.append(f"ended before round {number or 'the end'}: {', '.join(gone)}")
        return not gone

    def settle(self, before):
        """All clients are gone: nothing of theirs may stay."""
        if self.findings or not self.all_alive():
            return
        try:
            until(lambda: all(now[0] <= before[p][0] for p, now in self.measure().items())
                  and not os.listdir(self.spool), "what clients had open to be closed", 30)
        except AssertionError as e:
            self.findings.append(f"{e}: descriptors, kB before {before}, after {self.measure()}; "
                                 f"temporary files {os.listdir(self.spool)}")
        for p, (_, kb) in self.measure().items():
            if kb > before[p][1] + MEMORY_KB:
                self.findings.append(f"{p} ({self.family[p]}) grew from {before[p][1]} to {kb} kB")

    def end(self):
        """Ends the server, which has nothing left to wait for."""
        if not self.server.ended() and self.server.stop(signal.SIGTERM, 40) != 0:
            self.findings.append(f"the server ended with {self.server.process.returncode}")
        log = self.server.log()
        if REPORT.search(log):
            self.findings.append(f"a sanitizer spoke:\n{log[REPORT.search(log).start():][:6000]}")
        return self.findings
