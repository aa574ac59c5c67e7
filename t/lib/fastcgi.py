# SPDX-License-Identifier: MIT
"""A client of FastCGI 1.0, record by record."""
import struct

from lib import cgi
from lib.address import connect
from lib.http import Response

BEGIN_REQUEST, ABORT_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR = range(1, 8)
GET_VALUES, GET_VALUES_RESULT, UNKNOWN_TYPE = 9, 10, 11
RESPONDER, KEEP_CONN = 1, 1
REQUEST_COMPLETE, CANT_MPX_CONN, OVERLOADED, UNKNOWN_ROLE = range(4)


def record(kind, request_id, content=b"", padding=0):
    return struct.pack(">BBHHBx", 1, kind, request_id, len(content), padding) + content + \
        b"\xee" * padding


def stream(kind, request_id, data, size=65535, padding=0):
    """A stream in records of at most size bytes, with the empty record that ends it."""
    parts = [record(kind, request_id, data[i:i + size], padding)
             for i in range(0, len(data), size)]
    return b"".join(parts) + record(kind, request_id)


def begin(request_id=1, keep=False, role=RESPONDER):
    return record(BEGIN_REQUEST, request_id, struct.pack(">HB5x", role, KEEP_CONN if keep else 0))


def pairs(variables):
    def length(n):
        return bytes([n]) if n < 128 else struct.pack(">I", n | 0x80000000)
    out = []
    for k, v in variables:
        k, v = (s if isinstance(s, bytes) else s.encode("latin-1") for s in (k, v))
        out.append(length(len(k)) + length(len(v)) + k + v)
    return b"".join(out)


def parse_pairs(data):
    found = {}
    while data:
        sizes = []
        for _ in range(2):
            if data[0] < 128:
                sizes.append(data[0])
                data = data[1:]
            else:
                sizes.append(struct.unpack(">I", data[:4])[0] & 0x7fffffff)
                data = data[4:]
        found[data[:sizes[0]].decode()] = data[sizes[0]:sum(sizes)].decode()
        data = data[sum(sizes):]
    return found


def request_bytes(target="/", method="GET", headers=(), body=b"", version="1.1", host="t",
                  extra=(), request_id=1, keep=False, size=65535, padding=0):
    names = {k for k, _ in extra}
    base = cgi.variables(target, method, headers, body, version, host)
    variables = [v for v in base if v[0] not in names] + list(extra)
    return begin(request_id, keep) + stream(PARAMS, request_id, pairs(variables), size, padding) + \
        stream(STDIN, request_id, body, size, padding)


class Connection:
    def __init__(self, address, timeout=20):
        self.socket = connect(address, timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _bytes(self, n):
        data = b""
        while len(data) < n:
            try:
                more = self.socket.recv(n - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                break
            data += more
        return data

    def record(self):
        """(type, request id, content), or None at the end of the connection."""
        head = self._bytes(8)
        if len(head) < 8:
            assert not head, f"cut off inside a record: {head!r}"
            return None
        version, kind, request_id, length, padding = struct.unpack(">BBHHBx", head)
        assert version == 1
        content = self._bytes(length)
        assert len(content) == length and len(self._bytes(padding)) == padding
        return kind, request_id, content

    def read(self, request_id=1):
        """The response of one request; .end is (app status, protocol status) or None."""
        out, err, end = [], [], None
        while end is None:
            got = self.record()
            if got is None:
                break
            kind, rid, content = got
            assert rid == request_id, f"record {kind} for request {rid}"
            if kind == STDOUT:
                out.append(content)
            elif kind == STDERR:
                err.append(content)
            elif kind == END_REQUEST:
                end = struct.unpack(">IB3x", content)
        return parse_response(b"".join(out), b"".join(err), end)

    def request(self, target="/", method="GET", headers=(), body=b"", **how):
        self.send(request_bytes(target, method, headers, body, **how))
        return self.read(how.get("request_id", 1))

    def is_closed(self):
        return self.record() is None


def parse_response(out, err, end):
    head, _, body = out.partition(b"\r\n\r\n")
    headers = [tuple(line.decode("latin-1").split(": ", 1)) for line in head.split(b"\r\n") if line]
    status = dict((k.lower(), v) for k, v in headers).get("status", "200 OK")
    code, _, reason = status.partition(" ")
    response = Response(int(code), reason, None, [h for h in headers if h[0].lower() != "status"])
    response.body, response.stderr, response.end = body, err, end
    length = response.header("Content-Length")
    response.complete = end is not None and (length is None or int(length) == len(body) or not body)
    return response


def request(address, target="/", method="GET", headers=(), body=b"", timeout=20, **how):
    with Connection(address, timeout) as c:
        response = c.request(target, method, headers, body, **how)
        if not how.get("keep"):
            assert c.is_closed()
        return response
