#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Counts what one request costs a worker: system calls, and calls of malloc.

usage: t/bench/syscalls.py [./uwsgi]

Needs strace and cc: malloc is counted by a preloaded library that this script compiles. Prints a
table for BENCHMARKS.md.
"""
import collections
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BINARY = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../../uwsgi"))
REQUESTS = 500

# Counts calls of malloc in all processes of the server; only the worker is busy meanwhile.
COUNTER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
static unsigned long unshared, *calls = &unshared;
void *malloc(size_t n)
{
	static void *(*next)(size_t);
	if (!next)
		next = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
	__atomic_fetch_add(calls, 1, __ATOMIC_RELAXED);
	return next(n);
}
__attribute__((constructor)) static void share(void)
{
	int fd = open(getenv("MALLOC_COUNT"), O_RDWR);
	void *p = mmap(0, sizeof *calls, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		calls = p;
}
"""


def uwsgi_packet():
    variables = {
        "REQUEST_METHOD": "GET", "REQUEST_URI": "/", "PATH_INFO": "/", "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1", "CONTENT_LENGTH": "", "CONTENT_TYPE": "",
        "HTTP_HOST": "localhost", "HTTP_USER_AGENT": "bench", "HTTP_ACCEPT": "*/*",
    }
    body = b"".join(struct.pack("<H", len(part)) + part.encode()
                    for pair in variables.items() for part in pair)
    return struct.pack("<BHB", 0, len(body), 0) + body


HTTP = (b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n"
        b"Accept-Encoding: gzip\r\nAccept-Language: en\r\nCookie: a=b\r\n\r\n")


def read_answer(connection, until_close):
    data = b""
    while until_close or b"hello" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            break
        data += chunk
    assert b" 200 " in data and data.endswith(b"hello"), data


def keep_alive(address):
    with socket.create_connection(address) as connection:
        for _ in range(REQUESTS):
            connection.sendall(HTTP)
            read_answer(connection, False)


def one_each(address, request):
    for _ in range(REQUESTS):
        with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as c:
            c.connect(address)
            c.sendall(request)
            read_answer(c, True)


def worker_of(master):
    """The child of the master that is no zygote: it listens in an epoll."""
    for _ in range(200):
        children = open(f"/proc/{master}/task/{master}/children").read().split()
        if len(children) == 2:
            return int(children[1])
        time.sleep(0.02)
    raise SystemExit("no worker came up")


def trace(pid, load):
    with tempfile.NamedTemporaryFile("r") as out:
        strace = subprocess.Popen(["strace", "-f", "-qq", "-o", out.name, "-p", str(pid)],
                                  stderr=subprocess.DEVNULL)
        while "TracerPid:\t0" in open(f"/proc/{pid}/status").read():
            time.sleep(0.01)
        load()
        strace.send_signal(signal.SIGINT)
        strace.wait()
        return collections.Counter(re.findall(r"^\d+ +(\w+)\(", out.read(), re.M))


def main():
    folder = tempfile.mkdtemp()
    source = os.path.join(folder, "counter.c")
    with open(source, "w") as f:
        f.write(COUNTER)
    counter = os.path.join(folder, "counter.so")
    subprocess.check_call(["cc", "-shared", "-fPIC", "-O1", "-o", counter, source, "-ldl"])
    path = os.path.join(folder, "uwsgi.sock")
    count = os.path.join(folder, "count")
    with open(count, "wb") as f:
        f.write(bytes(4096))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = probe.getsockname()
    log = open(os.path.join(folder, "log"), "w+")
    server = subprocess.Popen(
        [BINARY, "--http-socket", "%s:%d" % address, "--socket", path, "--disable-logging",
         "--chdir", HERE, "--module", "hello"],
        stderr=log, stdout=log, env={**os.environ, "LD_PRELOAD": counter, "MALLOC_COUNT": count})
    try:
        worker = worker_of(server.pid)

        def mallocs():
            with open(count, "rb") as f:
                return struct.unpack("<Q", f.read(8))[0]

        cases = [
            ("HTTP, kept alive", lambda: keep_alive(address)),
            ("uwsgi packet over a UNIX socket", lambda: one_each(path, uwsgi_packet())),
            ("HTTP, a connection each",
             lambda: one_each(address, HTTP.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))),
        ]
        print("| request | system calls | which | malloc |\n|-|-|-|-|")
        for name, load in cases:
            load()
            before = mallocs()
            load()
            allocations = (mallocs() - before) / REQUESTS
            calls = trace(worker, load)
            each = {call: count / REQUESTS for call, count in calls.most_common()
                    if count >= REQUESTS / 10}
            which = ", ".join(call if round(count) == 1 else f"{call} × {count:.1f}"
                              for call, count in each.items())
            print(f"| {name} | {sum(calls.values()) / REQUESTS:.2f} | {which} | {allocations:.2f} |")
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


if __name__ == "__main__":
    main()
