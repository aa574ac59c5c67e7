# SPDX-License-Identifier: MIT
"""An HTTP client that sends exactly what it is told and hides nothing of what comes back."""
import contextlib
import socket

from lib.address import connect


class Response:
    def __init__(self, status, reason, version, headers):
        self.status, self.reason, self.version = status, reason, version
        self.headers = headers  # [(name, value)] in order
        self.body = b""
        self.complete = True  # False: the connection ended inside the body

    def all(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    def header(self, name):
        values = self.all(name)
        return values[-1] if values else None

    def __repr__(self):
        return f"<{self.status} {self.headers} {len(self.body)} bytes {self.body[:200]!r}>"


class Closed(Exception):
    """The peer closed before one byte of a response."""


class Connection:
    def __init__(self, address, timeout=20, receive_buffer=None):
        self.socket = connect(address, timeout, receive_buffer)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def finish_sending(self):
        with contextlib.suppress(OSError):      # the peer was quicker, and has reset the connection
            self.socket.shutdown(socket.SHUT_WR)

    def is_closed(self):
        """Waits for the peer's end of the connection; False when it sends something instead."""
        try:
            self.buffer += self.socket.recv(1)
            return not self.buffer
        except ConnectionResetError:
            return True

    def read_all(self):
        while self._fill():
            pass
        data, self.buffer = self.buffer, b""
        return data

    def read_until(self, text):
        """Until that has come, in however many pieces; what is read stays for other readers."""
        while text not in self.buffer:
            assert self._fill(), f"ended before {text!r}: {self.buffer[-500:]!r}"

    def _fill(self):
        try:
            data = self.socket.recv(262144)
        except ConnectionResetError:
            data = b""
        self.buffer += data
        return bool(data)

    def _line(self):
        while b"\n" not in self.buffer:
            if not self._fill():
                if self.buffer:
                    raise AssertionError(f"cut off inside a line: {self.buffer[:500]!r}")
                raise Closed
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.rstrip(b"\r").decode("latin-1")

    def _bytes(self, n):
        while len(self.buffer) < n and self._fill():
            pass
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def read_head(self):
        version, status, reason = (self._line() + " ").split(" ", 2)
        headers = []
        while True:
            line = self._line()
            if not line:
                return Response(int(status), reason.rstrip(), version, headers)
            name, _, value = line.partition(":")
            headers.append((name, value.strip()))

    def read_body(self, response, method="GET"):
        length = response.header("Content-Length")
        if method == "HEAD" or response.status in (204, 304) or response.status < 200:
            return response
        if "chunked" in (response.header("Transfer-Encoding") or ""):
            self._read_chunks(response)
        elif length is not None:
            response.body = self._bytes(int(length))
            response.complete = len(response.body) == int(length)
        else:
            response.body = self.read_all()
        return response

    def _read_chunks(self, response):
        parts = []
        while True:
            try:
                size = int(self._line(), 16)
                data = self._bytes(size)
                parts.append(data)
                self._line()
            except (Closed, AssertionError):
                response.complete = False
                break
            if size == 0:
                break
        response.body = b"".join(parts)

    def read(self, method="GET"):
        return self.read_body(self.read_head(), method)

    def request(self, target="/", method="GET", headers=(), body=b"", version="1.1", host="t"):
        self.send(request_bytes(target, method, headers, body, version, host))
        return self.read(method)


def request_bytes(target="/", method="GET", headers=(), body=b"", version="1.1", host="t"):
    lines = [f"{method} {target} HTTP/{version}"]
    names = {k.lower() for k, _ in headers}
    if host is not None and "host" not in names:
        lines.append(f"Host: {host}")
    lines += [f"{k}: {v}" for k, v in headers]
    if (body or method in ("POST", "PUT")) and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def request(address, target="/", method="GET", headers=(), body=b"", version="1.1", host="t",
            timeout=20):
    """One request on a connection of its own."""
    with Connection(address, timeout) as c:
        return c.request(target, method, [*headers, ("Connection", "close")], body, version, host)


def is_answered(address, target="/"):
    """Whether with 200; the server may as well end over it."""
    try:
        return request(address, target).status == 200
    except (Closed, ConnectionError):
        return False


def raw(address, data, timeout=20):
    """All bytes that come back before the peer closes."""
    with Connection(address, timeout) as c:
        if data:    # a server that is asked nothing may have sent all and closed
            c.send(data)
        return c.read_all()


def chunked(*chunks, trailers=()):
    """A chunked body of these chunks."""
    parts = [b"%x\r\n%s\r\n" % (len(c), c) for c in chunks]
    lines = [f"{k}: {v}\r\n".encode() for k, v in trailers]
    return b"".join([*parts, b"0\r\n", *lines, b"\r\n"])
