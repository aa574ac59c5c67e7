#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Counts the instructions that one hello request costs all processes of the server, by callgrind.

usage: t/bench/instructions.py [BINARY ...]

Each way is run twice, with few and with many requests on kept connections; the difference is what a
request costs.  The same binary gives the same figure within a few tenths of a percent, however busy
the machine is, so two binaries can be compared.
"""
import glob
import os
import re
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from lib import fastcgi, http, scgi, uwsgi  # noqa: E402
from lib.server import Server  # noqa: E402

FEW, MANY = 200, 2200
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"


def kept(address, count, request, answer_ends):
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port))) as s:
        for _ in range(count):
            s.sendall(request)
            got = b""
            while not answer_ends(got):
                part = s.recv(65536)
                assert part, got
                got += part


def over_http(address, count):
    kept(address, count, GET, lambda got: got.endswith(b"\r\n\r\nhello"))


def over_fastcgi(address, count):
    request = fastcgi.request_bytes("/", keep=True)
    end = bytes((1, fastcgi.END_REQUEST))
    kept(address, count, request, lambda got: end in got[-16:])


def over_uwsgi(address, count):
    for _ in range(count):
        assert uwsgi.request(address, "/").body == b"hello"


def over_scgi(address, count):
    for _ in range(count):
        assert scgi.request(address, "/").body == b"hello"


WAYS = {"http-socket": over_http, "http": over_http, "fastcgi-socket": over_fastcgi,
        "socket": over_uwsgi, "scgi-socket": over_scgi}


class Counted(Server):
    """One worker under callgrind, which writes a file for each process as it ends."""

    def __init__(self, folder, binary, way):
        self.command = ["valgrind", "-q", "--tool=callgrind", "--trace-children=yes",
                        f"--callgrind-out-file={folder}/counts.%p", binary]
        super().__init__(folder, f"pythonpath = {HERE}\nmodule = hello\nprocesses = 1\n"
                         f"disable-logging = true\n{way} = {{address}}",
                         env={"PYTHONHASHSEED": "0"})

    def counts(self):
        self.stop(seconds=60)
        totals = [re.search(r"^(?:totals|summary): (\d+)", open(f, encoding="ascii").read(), re.M)
                  for f in glob.glob(f"{self.folder}/counts.*")]
        return sum(int(m[1]) for m in totals if m)


def counted(binary, way, requests):
    with tempfile.TemporaryDirectory() as folder:
        server = Counted(folder, binary, way).start()
        try:
            WAYS[way](server.address, requests)
            return server.counts()
        finally:
            server.end()


def per_request(binary, way):
    """None: that one does not speak it."""
    try:
        return (counted(binary, way, MANY) - counted(binary, way, FEW)) / (MANY - FEW)
    except AssertionError:
        return None


def main():
    binaries = [os.path.abspath(b) for b in sys.argv[1:]] or [os.path.join(HERE, "../../uwsgi")]
    print("| way | instructions a request" + " | of the next binary" * (len(binaries) - 1) + " |")
    print("|-|" + "-|" * len(binaries))
    for way in WAYS:
        first, *more = [per_request(b, way) for b in binaries]
        cells = [f"{n:,.0f}" + (f" ({(n / first - 1) * 100:+.1f} %)" if first else "") for n in more]
        print(f"| {way} | " + " | ".join([f"{first:,.0f}" if first else "-", *cells]) + " |",
              flush=True)


if __name__ == "__main__":
    main()
