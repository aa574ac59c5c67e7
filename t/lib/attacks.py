# SPDX-License-Identifier: MIT
"""Clients that mean harm, one row of KINDS for each of docs/security.md: what they send, how fast, and
whether they read.  The tests run them for a moment, t/bench/hostile.py measures what they cost
others."""
import random
import select
import socket
import struct
import time
from dataclasses import dataclass

from lib import fastcgi, http, scgi, uwsgi
from lib.address import connect

TURN_S = 0.005
BURST_S = 0.1         # what was not sent in this time is not made up for
HTTP, UWSGI, FASTCGI, SCGI = ("http-socket", "http"), ("socket",), ("fastcgi-socket",), ("scgi-socket",)
SPEAK = {"http-socket": http, "http": http, "socket": uwsgi, "fastcgi-socket": fastcgi,
         "scgi-socket": scgi}
UNREAD = "/block?n=4000000"
HELD = "/big?n=26000000"
FOUR = "processes = 2\nthreads = 2\n"
PLACES = "max-connections = 200\n"
FIELDS = [(f"X-{n}", "v" * 200) for n in range(250)]


@dataclass(frozen=True)
class Kind:
    """first is sent on each connection when it is there; unit is then repeated, on all connections
    together so many bytes a second.  With `each_s` a connection ends about so long after it began, and
    with `new` so many are opened a second; where `connections` are to be there, one that has ended is
    opened again.  A function makes the bytes from a random generator."""
    name: str
    ways: tuple
    connections: int = 1
    first: object = b""
    unit: bytes = b""
    rate: int = 0
    new: int = 0
    each_s: float = None
    reads: bool = True
    answered: bool = False      # all have had an answer to the first before it counts
    reset: bool = False         # connections end with a reset
    polite: bool = False        # what it costs that they do not read: compare with clients that do
    ini: str = ""
    target: str = "/hello"      # what the honest client asks for
    asks: int = 200             # and how often a second


def _rubbish(rng):
    return rng.randbytes(rng.randrange(1, 200)) + b"\r\n\r\n"


def _proxy_rubbish(rng):
    return rng.choice((b"PROXY TCP4 ", b"\r\n\r\n\0\r\nQUIT\n\x21\x11", b"PROXY UNKNOWN")) + \
        _rubbish(rng)


def _post(headers, target="/ignore-body"):
    return http.request_bytes(target, "POST", headers)


def _fields(target="/hello"):
    return http.request_bytes(target, headers=FIELDS)


def _fastcgi_post(length):
    head = fastcgi.request_bytes("/ignore-body", "POST", [("Content-Length", str(length))])
    return head[:-len(fastcgi.record(fastcgi.STDIN, 1))]


CHUNKED = _post([("Transfer-Encoding", "chunked")])
ENDLESS = _post([("Content-Length", "1000000000")])
UWSGI_ENDLESS = uwsgi.request_bytes("/ignore-body", "POST", [("Content-Length", "1000000000")])
SCGI_ENDLESS = scgi.request_bytes("/ignore-body", "POST", [("Content-Length", "1000000000")])
ABORTED = fastcgi.begin(keep=True) + fastcgi.record(fastcgi.ABORT_REQUEST, 1)
ASKED = fastcgi.record(fastcgi.GET_VALUES, 0, fastcgi.pairs([("FCGI_MPXS_CONNS", "")]))

KINDS = [
    Kind("9,000 idle", HTTP, 9_000, http.request_bytes("/hello"), answered=True),
    Kind("9,000 idle, slow application", HTTP, 9_000, http.request_bytes("/hello"), answered=True,
         ini="processes = 2\n", target="/sleep?s=0.02", asks=25),
    Kind("9,000 idle", FASTCGI, 9_000, fastcgi.request_bytes("/hello", keep=True), answered=True),
    Kind("4,000 half heads", HTTP, 4_000, http.request_bytes("/hello")[:-9]),
    Kind("4,000 half heads", UWSGI, 4_000, uwsgi.request_bytes("/hello")[:-9]),
    Kind("4,000 half heads", FASTCGI, 4_000, fastcgi.begin()),
    Kind("4,000 half heads", SCGI, 4_000, scgi.request_bytes("/hello")[:-9]),
    Kind("all places idle, new ones", HTTP, 0, http.request_bytes("/hello"), new=1_000, ini=PLACES),
    Kind("all places half heads, new ones", HTTP, 0, http.request_bytes("/hello")[:-9], new=1_000,
         ini=PLACES),
    Kind("all places half heads, new ones", FASTCGI, 0, fastcgi.begin(), new=1_000, ini=PLACES),
    Kind("heads, a byte a second", HTTP, 2_000, b"GET /hello HTTP/1.1\r\nHost: ", b"h", 2_000),
    Kind("heads, a byte a second", FASTCGI, 2_000, fastcgi.begin() + b"\1\4\0\1\x40\0\0\0", b"\0", 2_000),
    Kind("bodies, a byte a second", HTTP, 2_000, ENDLESS, b"b", 2_000),
    Kind("bodies, a byte a second", UWSGI, 2_000, UWSGI_ENDLESS, b"b", 2_000),
    Kind("bodies, a byte a second", SCGI, 2_000, SCGI_ENDLESS, b"b", 2_000),
    Kind("one-byte chunks", HTTP, 1, CHUNKED, b"1\r\nx\r\n", 2_000_000),
    Kind("one-byte records", FASTCGI, 1, _fastcgi_post(10**9),
         fastcgi.record(fastcgi.STDIN, 1, b"x"), 2_000_000),
    Kind("one-byte records of variables", FASTCGI, 1, fastcgi.begin(),
         fastcgi.record(fastcgi.PARAMS, 1, b"\0"), 2_000_000),
    Kind("400 unread answers of 4 MB", HTTP, 400, http.request_bytes(UNREAD), reads=False,
         answered=True),
    Kind("400 unread answers of 4 MB", UWSGI, 400, uwsgi.request_bytes(UNREAD), reads=False,
         answered=True),
    Kind("400 unread answers of 4 MB", FASTCGI, 400, fastcgi.request_bytes(UNREAD), reads=False,
         answered=True),
    Kind("400 unread answers of 4 MB", SCGI, 400, scgi.request_bytes(UNREAD), reads=False,
         answered=True),
    Kind("12 unread streams of 26 MB", HTTP, 12, http.request_bytes(HELD), reads=False, each_s=4,
         ini=FOUR, polite=True),
    Kind("12 unread streams of 26 MB", UWSGI, 12, uwsgi.request_bytes(HELD), reads=False, each_s=4,
         ini=FOUR, polite=True),
    Kind("12 unread streams of 26 MB", FASTCGI, 12, fastcgi.request_bytes(HELD), reads=False, each_s=4,
         ini=FOUR, polite=True),
    Kind("12 unread streams of 26 MB", SCGI, 12, scgi.request_bytes(HELD), reads=False, each_s=4,
         ini=FOUR, polite=True),
    Kind("heads of 53 kB in 250 fields", HTTP, 1, b"", _fields(), 2_000_000),
    Kind("paths of 60 kB of dots", HTTP, 1, b"", http.request_bytes("/a/.." * 12_000), 2_000_000),
    Kind("pipelined requests", HTTP, 1, b"", http.request_bytes("/hello"), 2_000_000),
    Kind("pipelined requests", FASTCGI, 1, b"", fastcgi.request_bytes("/hello", keep=True), 2_000_000),
    Kind("begin and abort", FASTCGI, 1, b"", ABORTED, 2_000_000),
    Kind("management records, unread", FASTCGI, 1, b"", ASKED, 2_000_000, reads=False),
    Kind("connections opened and closed", HTTP + UWSGI + FASTCGI + SCGI, 0, new=1_000, each_s=0),
    Kind("requests reset at once", HTTP, 0, http.request_bytes("/hello"), new=1_000, each_s=0,
         reset=True),
    Kind("requests reset at once", UWSGI, 0, uwsgi.request_bytes("/hello"), new=1_000, each_s=0,
         reset=True),
    Kind("requests reset at once", FASTCGI, 0, fastcgi.request_bytes("/hello"), new=1_000, each_s=0,
         reset=True),
    Kind("requests reset at once", SCGI, 0, scgi.request_bytes("/hello"), new=1_000, each_s=0,
         reset=True),
    Kind("rubbish", HTTP + UWSGI + FASTCGI + SCGI, 0, _rubbish, new=500, each_s=0.1),
    Kind("rubbish for the PROXY protocol", HTTP, 0, _proxy_rubbish, new=500, each_s=0.1,
         ini="http-enable-proxy-protocol = true\n"),
    Kind("big bodies", HTTP, 4, ENDLESS, b"b" * 65536, 40_000_000),
    Kind("big bodies", UWSGI, 4, UWSGI_ENDLESS, b"b" * 65536, 40_000_000),
    Kind("big bodies", SCGI, 4, SCGI_ENDLESS, b"b" * 65536, 40_000_000),
    Kind("big bodies", FASTCGI, 4, _fastcgi_post(10**9),
         fastcgi.record(fastcgi.STDIN, 1, b"b" * 65535), 40_000_000),
]


# ---- doing it ----

class Enemy:
    """One connection of a kind."""

    def __init__(self, attack):
        kind = attack.kind
        self.attack = attack
        self.socket = connect(attack.address, receive_buffer=None if kind.reads else 4096)
        self.socket.setblocking(False)
        self.left = kind.first(attack.rng) if callable(kind.first) else kind.first
        self.has_answer = False
        self.until = time.monotonic() + (kind.each_s or 0) * attack.rng.uniform(0.5, 1.5)

    def send(self, n):
        """What is left and whole units for n bytes; how many bytes were taken."""
        unit = self.attack.kind.unit
        if unit and len(self.left) < n:
            self.left += unit * ((n - len(self.left) - 1) // len(unit) + 1)
        try:
            sent = self.socket.send(self.left) if self.left else 0
        except BlockingIOError:
            sent = 0
        self.left = self.left[sent:]
        return sent

    def look(self, events):
        """False: the server has ended it."""
        self.has_answer = True
        if not self.attack.kind.reads:
            return not events & (select.EPOLLHUP | select.EPOLLERR)
        try:
            return self.socket.recv(262144) != b""
        except BlockingIOError:
            return True

    def end(self):
        if self.attack.kind.reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Attack:
    """All connections of a kind.  opened and sent count what was done."""

    def __init__(self, kind, address, seed=1):
        self.kind, self.address, self.rng = kind, address, random.Random(seed)
        self.open, self.poll = {}, select.epoll()
        self.opened = self.sent = self.refused = 0
        self.at, self.credit = time.monotonic(), 0

    def add(self):
        try:
            enemy = Enemy(self)
            enemy.send(0)
        except OSError:
            self.refused += 1
            return
        self.opened += 1
        self.open[enemy.socket.fileno()] = enemy
        once = 0 if self.kind.reads else select.EPOLLET
        self.poll.register(enemy.socket, select.EPOLLIN | once)

    def drop(self, fd):
        enemy = self.open.pop(fd)
        self.poll.unregister(fd)
        enemy.end()

    def build_up(self):
        """Until all are there; a few at a time, since a queue has an end."""
        while len(self.open) < self.kind.connections:
            for _ in range(min(200, self.kind.connections - len(self.open))):
                self.add()
            self.listen(0.01)
        end = time.monotonic() + 20
        while self.kind.answered and time.monotonic() < end and \
                not all(e.has_answer for e in self.open.values()):
            self.listen(TURN_S)

    def listen(self, seconds):
        """Takes what has come, or looks at it only."""
        for fd, events in self.poll.poll(seconds):
            try:
                if self.open[fd].look(events):
                    continue
            except OSError:
                pass
            self.drop(fd)

    def speak(self, passed):
        """As much as these seconds allow."""
        kind = self.kind
        self.credit = min(self.credit + kind.rate * passed, kind.rate * BURST_S)
        enemies = list(self.open.values())
        if kind.unit and self.credit > 0:
            count = min(len(enemies), int(self.credit) // len(kind.unit) + 1)
            enemies, share = self.rng.sample(enemies, count), int(self.credit) // count
        else:
            enemies, share = [e for e in enemies if e.left], 0
        for enemy in enemies:
            try:
                sent = enemy.send(share)
            except OSError:
                continue        # listen() will see it
            self.sent += sent
            self.credit -= sent

    def renew(self, passed):
        kind, now = self.kind, time.monotonic()
        if kind.each_s is not None:
            for fd, enemy in list(self.open.items()):
                if now >= enemy.until and not enemy.left:
                    self.drop(fd)
        for _ in range(min(200, kind.connections - len(self.open))):
            self.add()
        for _ in range(min(200, int(kind.new * passed + self.rng.random()))):
            self.add()

    def turn(self):
        now = time.monotonic()
        passed, self.at = now - self.at, now
        self.renew(passed)
        if self.open:
            self.speak(passed)
        self.listen(TURN_S)

    def run(self, seconds):
        self.build_up()
        self.at = time.monotonic()
        end = self.at + seconds
        while time.monotonic() < end:
            self.turn()
        return self

    def end(self):
        for fd in list(self.open):
            self.drop(fd)
        self.poll.close()
