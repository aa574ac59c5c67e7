# SPDX-License-Identifier: MIT
"""Mixed load over every protocol, directly and behind nginx, in which each answer is compared with
its question.  For tests that do something to the server meanwhile."""
import collections
import contextlib
import hashlib
import os
import random
import re
import signal
import threading
import time

from lib import fastcgi, http, proc, uwsgi
from lib.wait import until

INI = """
processes = 2
threads = 2
module = mixed
http-socket = {http}
http = {router}
socket = {uwsgi_unix}
fastcgi-socket = {fastcgi_unix}
scgi-socket = {scgi_unix}
auto-procname = true
disable-logging = true
vacuum = true
"""
UPSTREAMS = """
upstream kept {{ server {http}; keepalive 8; }}
upstream fast {{ server unix:{fastcgi_unix}; keepalive 8; }}
"""
LISTENERS = {
    "nginx_uwsgi": "uwsgi_pass unix:{uwsgi_unix};",
    "nginx_fastcgi": "fastcgi_pass fast; fastcgi_keep_conn on;",
    "nginx_scgi": "scgi_pass unix:{scgi_unix};",
    "nginx_proxy": "proxy_pass http://kept; proxy_set_header Connection '';",
}


def front(nginx, server):
    """nginx before a server that was started with INI."""
    return nginx(UPSTREAMS.format_map(server.names),
                 {k: v.format_map(server.names) for k, v in LISTENERS.items()})


# ---- questions ----

Question = collections.namedtuple("Question", "method target body answer")


def hello(rng, n):
    return Question("GET", f"/hello?id={n}", b"", f"hello {n}".encode())


def sleep(rng, n):
    return Question("GET", f"/sleep?id={n}&ms={rng.choice((1, 20, 60))}", b"",
                    f"slept {n}".encode())


def big(rng, n):
    kb = rng.choice((1, 64, 700))
    return Question("GET", f"/big?id={n}&kb={kb}", b"", str(n).rjust(16, "_").encode() * 64 * kb)


def stream(rng, n):
    count = rng.choice((1, 10, 100))
    return Question("GET", f"/stream?id={n}&n={count}", b"",
                    "".join(f"{n}:{i};" for i in range(count)).encode())


def echo(rng, n):
    body = rng.randbytes(16) * (rng.choice((0, 10, 5000, 70000, 300000)) // 16)
    return Question("POST", f"/echo?id={n}", body,
                    f"{hashlib.sha1(body).hexdigest()} {len(body)} {n}".encode())


QUESTIONS = (hello, hello, echo, big, stream, sleep)


# ---- peers: each asks one question after the other ----

class HttpPeer:
    """Stays on its connection until the server ends it."""

    def __init__(self, address):
        self.address, self.connection, self.used = address, None, False

    def ask(self, q):
        if not self.connection:
            self.connection, self.used = http.Connection(self.address), False
        response = self.connection.request(q.target, q.method, body=q.body)
        self.used = True
        if (response.header("Connection") or "").lower() == "close":
            self.close()
        return response

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection, self.used = None, False


class FastcgiPeer(HttpPeer):
    def ask(self, q):
        if not self.connection:
            self.connection, self.used = fastcgi.Connection(self.address), False
        response = self.connection.request(q.target, q.method, body=q.body, keep=True)
        if response.end is None and not response.headers:
            raise http.Closed
        self.used = True
        return response

    def close(self):
        if self.connection:
            self.connection.socket.close()
        self.connection, self.used = None, False


class UwsgiPeer:
    used = False

    def __init__(self, address):
        self.address = address

    def ask(self, q):
        return uwsgi.request(self.address, q.target, q.method, body=q.body)

    def close(self):
        pass


PEERS = {"http": HttpPeer, "router": HttpPeer, "uwsgi_unix": UwsgiPeer, "fastcgi_unix": FastcgiPeer}


# ---- the load ----

class Failure(collections.namedtuple("Failure", "began ended way question what")):
    def __repr__(self):
        q = self.question
        return f"{self.way} {q.method} {q.target} +{len(q.body)}: {self.what}"


class Mixed:
    """ways: {name: address}.  Counts what became of every request:
    answered    as it should be
    again       a kept connection was closed without one byte of an answer: sent again
    refused     the server, or nginx for it, said 4xx or 5xx (but 502 and 504)
    lost        anything else
    wrong       a whole answer that is not the one to this question: never right."""

    def __init__(self, ways, clients=2, seed=1, questions=QUESTIONS, pause_s=0):
        self.counts = collections.Counter()
        self.by_way = {name: collections.Counter() for name in ways}
        self.failures, self.kills = [], []
        self.questions, self.pause_s = questions, pause_s
        self._ending, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._run, daemon=True,
                                          args=(name, address, random.Random(f"{seed} {name} {i}"),
                                                (place * clients + i) * 10_000_000))
                         for place, (name, address) in enumerate(ways.items())
                         for i in range(clients)]

    def __enter__(self):
        for t in self._threads:
            t.start()
        try:
            self.wait_more(1)
        except BaseException:
            self._ending.set()      # nobody asks on behind a test that has failed
            raise
        return self

    def __exit__(self, *_):
        self._ending.set()
        for t in self._threads:
            t.join(30)
            assert not t.is_alive(), "a client still waits for its answer"

    def wait_more(self, count, seconds=20):
        """Until every way has answered so many requests more."""
        goals = {name: c["answered"] + count for name, c in self.by_way.items()}
        until(lambda: all(self.by_way[n]["answered"] >= g for n, g in goals.items()),
              f"{count} more answers on each way", seconds)

    def _run(self, way, address, rng, first):
        peer, n = PEERS.get(way, HttpPeer)(address), first
        while not self._ending.is_set():
            n += 1
            q = rng.choice(self.questions)(rng, n)
            began, used = time.monotonic(), peer.used
            what = self._outcome(peer, q, used)
            with self._lock:
                kind = what.partition(":")[0]
                self.counts[kind] += 1
                self.by_way[way][kind] += 1
                if kind not in ("answered", "again"):
                    self.failures.append(Failure(began, time.monotonic(), way, q, what))
            if kind != "answered":
                peer.close()
            if kind != "answered" or self.pause_s:
                time.sleep(max(self.pause_s, 0.005))
        peer.close()

    @staticmethod
    def _outcome(peer, q, used):
        try:
            response = peer.ask(q)
        except (http.Closed, BrokenPipeError, ConnectionResetError) as e:
            return "again" if used else f"lost: {e!r}"
        except (OSError, AssertionError, ValueError) as e:
            return f"lost: {e!r}"
        if response.status in (502, 504):
            return f"lost: {response.status}"
        if response.status != 200:
            return f"refused: {response.status} {response.body[:60]!r}"
        if response.body == q.answer and response.complete:
            return "answered"
        if response.complete and not q.answer.startswith(response.body):
            return f"wrong: {response.body[:60]!r}"
        return f"lost: cut off after {len(response.body)} bytes"

    # ---- what is done meanwhile ----

    def kill(self, pid, number=signal.SIGKILL):
        """What runs in that process is lost with it; nothing else is."""
        began = time.monotonic()
        os.kill(pid, number)
        until(lambda: not proc.alive(pid), f"process {pid} to end")
        self.kills.append((began, time.monotonic()))

    def killed(self):
        """The failures of requests that were under way when a process was killed."""
        return [f for f in self.failures if not f.what.startswith("wrong")
                and any(f.began <= end and begin <= f.ended for begin, end in self.kills)]

    def unexplained(self):
        explained = set(map(id, self.killed()))
        return [f for f in self.failures if id(f) not in explained]


# ---- the server ----

def processes(server, role):
    """The pids of its children that have this role in their name: worker, zygote, http, daemon."""
    return [p for p in proc.children(server.pid)
            if proc.alive(p) and f" {role}" in proc.title(p)]


def kill_one(server, role):
    """Kills a process of this role, not one that has just left by itself, and waits until it is dead."""
    def killed():
        for pid in processes(server, role):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                return pid
        return None
    pid = until(killed, f"a {role} to kill")
    until(lambda: not proc.alive(pid), f"process {pid} to end")
    return pid


def roles(server, names=("zygote", "worker", "http")):
    """How many there are of each."""
    return {role: len(processes(server, role)) for role in names}


def zombies(server):
    return [p for p in proc.children(server.pid) if not proc.alive(p)]


def reloads(server):
    """How many have been done."""
    return len(re.findall(r"\breloaded: \d+ worker", server.log()))
