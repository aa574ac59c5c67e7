# SPDX-License-Identifier: MIT
"""What applications need beside them, started for one run and ended with it: PostgreSQL, redis, and
an intake that takes whatever agents send."""
import contextlib
import glob
import gzip
import http.server
import os
import shutil
import subprocess
import threading

from lib.address import accepts, free_port
from lib.wait import until

HOST = "127.0.0.1"


class Unavailable(Exception):
    pass


class _Taker(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self):
        body = self._body()
        if body[:2] == b"\x1f\x8b":
            with contextlib.suppress(OSError, EOFError):
                body = gzip.decompress(body)
        self.server.taken.append((self.path, body))
        self.send_response(202 if "intake" in self.path else 200)
        said = b'{"version": "8.0.0"}'
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, *_):
        """Says nothing."""


class Intake(http.server.ThreadingHTTPServer):
    """taken: (path, body) of what came."""
    daemon_threads = True
    block_on_close = False

    def __init__(self):
        self.taken = []
        super().__init__((HOST, 0), _Taker)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, *_):
        """An agent that goes while it is answered is nothing to speak of."""


@contextlib.contextmanager
def _ended(argv, port, **how):
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how) as service:
        try:
            until(lambda: accepts(f"{HOST}:{port}") or service.poll() is not None, argv[0], 60)
            if service.poll() is not None:
                raise Unavailable(f"{argv[0]} ended with {service.returncode}")
            yield
        finally:
            service.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                service.wait(10)
            service.kill()


@contextlib.contextmanager
def redis(folder):
    program = shutil.which("redis-server")
    if not program:
        raise Unavailable("there is no redis-server")
    port = free_port(HOST)
    with _ended([program, "--port", str(port), "--bind", HOST, "--save", "", "--dir", folder], port):
        yield {"REDIS_URL": f"redis://{HOST}:{port}/0"}


@contextlib.contextmanager
def postgresql(folder):
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not found:
        raise Unavailable("there is no PostgreSQL")
    port, data = free_port(HOST), os.path.join(folder, "postgresql")
    os.mkdir(data)
    # It refuses to run as root.
    how = {}
    if os.getuid() == 0:
        shutil.chown(data, "postgres", "postgres")
        how = {"user": "postgres", "group": "postgres", "cwd": "/"}
    subprocess.run([f"{found[-1]}/initdb", "-D", data, "-A", "trust", "-U", "app", "-N"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)
    with _ended([f"{found[-1]}/postgres", "-D", data, "-p", str(port), "-h", HOST, "-k", "",
                 "-c", "fsync=off"], port, **how):
        yield {"DATABASE_URL": f"postgresql://app@{HOST}:{port}/postgres"}


SERVICES = {"redis": redis, "postgresql": postgresql}
