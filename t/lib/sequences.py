# SPDX-License-Identifier: MIT
"""What clients send on a connection: valid requests of every kind, some with a wrong length, one
behind the other; and what becomes of them when bytes are changed, lost or repeated.  All of it
comes from the random generator that is passed in, so that the same seed sends the same bytes."""
import socket
import struct

from lib import cgi, fastcgi, http, scgi, uwsgi

METHODS = ("GET", "GET", "POST", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "X")
TARGETS = ("/hello", "/echo", "/echo", "/environ", "/blocks", "/written", "/fails", "/ignore-body",
           "/a/../b/%2e%2e/%2f", "*", "http://h:1/p?q", "/%00", "/?" + "x" * 50, "/" + "a" * 9000,
           "/" + "a" * 66_000, "")
HEADERS = (("X-A", "a"), ("X-A", ""), ("Cookie", "b" * 3000), ("Proxy", "a"),
           ("Expect", "100-continue"), ("Content_Length", "5"), ("X-Forwarded-Proto", "https"),
           ("Connection", "close"), ("Connection", "keep-alive"), ("Connection", "upgrade"),
           ("Upgrade", "websocket"), ("X-A", "\xe9\x01"), ("Content-Length", "7"),
           ("Transfer-Encoding", "chunked"))
SIZES = (0, 1, 10, 500, 5000, 5000, 9000, 70_000, 70_000, 300_000)
LENGTHS = ("", "-1", "+5", " 5", "0x10", "9" * 18, "9" * 20)
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def _seldom(rng):
    return rng.random() < 0.1


def _off(rng, n):
    """A length that is seldom wrong, by one or by far."""
    return max(0, n + rng.choice((1, -1, 200, -200))) if _seldom(rng) else n


def _question(rng):
    count = rng.choice((80, 300)) if rng.random() < 0.03 else rng.randrange(4)
    return {"target": rng.choice(TARGETS), "method": rng.choice(METHODS),
            "headers": [rng.choice(HEADERS) for _ in range(count)],
            "body": rng.randbytes(rng.choice(SIZES) if rng.random() < 0.5 else 0),
            "version": rng.choice(("1.1", "1.1", "1.1", "1.0")),
            "host": rng.choice(("t", "t:80", "[::1]:8", "", "a b", None))}


# ---- one request of each protocol ----

def _chunks(rng, body):
    parts = []
    while body:
        n = rng.choice((1, 3, 200, 9000, 65536))
        extension = rng.choice((b"", b"", b";a=b", b" ", b";" + b"e" * 300))
        parts.append(b"%x%s\r\n%s\r\n" % (_off(rng, len(body[:n])), extension, body[:n]))
        body = body[n:]
        if len(parts) > 50:
            break
    return b"".join(parts) + b"0\r\n" + rng.choice((b"", b"T: v\r\n")) + b"\r\n"


def http_request(rng):
    q = _question(rng)
    if q["body"] and rng.random() < 0.5:
        coding = rng.choice(("chunked", "chunked", "Chunked", "gzip, chunked", "chunked, x"))
        q["headers"].append(("Transfer-Encoding", coding))
        q["body"] = _chunks(rng, q["body"])
    elif _seldom(rng):
        q["headers"].append(("Content-Length", str(_off(rng, len(q["body"])))))
    return http.request_bytes(**q)


def _variables(rng, q):
    found = cgi.variables(**q)
    if _seldom(rng):
        found.append(("CONTENT_LENGTH", rng.choice(LENGTHS)))
    if _seldom(rng):
        count = rng.choice((20, 500))
        found += [(f"HTTP_{i}", "v" * rng.choice((0, 1, 100))) for i in range(count)]
    if _seldom(rng):
        name = rng.choice(("UWSGI_FILE", "UWSGI_SCHEME", "HTTP_PROXY", "", "SCRIPT_NAME", "HTTPS"))
        found.append((name, rng.choice(("", "/a", "on", "x" * 60_000))))
    return [v for v in found if not rng.random() < 0.01]


def uwsgi_request(rng):
    q = _question(rng)
    found = [(k, v or "") for k, v in _variables(rng, q) if len(v or "") < 65_000]
    block = uwsgi.block(found)
    modifier = rng.choice((5, 30, 100)) if _seldom(rng) else 0
    head = struct.pack("<BHB", modifier, _off(rng, len(block)) & 0xffff, 0)
    return head + block + q["body"]


def _record(rng, kind, request_id, content=b""):
    padding = rng.choice((0, 0, 7, 255))
    return struct.pack(">BBHHBx", 1, kind, request_id, _off(rng, len(content)) & 0xffff,
                       padding) + content + bytes(padding)


def _records(rng, kind, request_id, data):
    parts = []
    while data and len(parts) < 50:
        n = rng.choice((1, 50, 500, 60_000, 60_000))
        parts.append(_record(rng, kind, request_id, data[:n]))
        data = data[n:]
        if rng.random() < 0.02:
            other = rng.choice((fastcgi.ABORT_REQUEST, fastcgi.GET_VALUES, 8, 77))
            parts.append(_record(rng, other, rng.choice((0, request_id, 3)), b"abc"))
    return b"".join(parts) + fastcgi.record(kind, request_id)


def fastcgi_request(rng):
    q = _question(rng)
    number = rng.choice((1, 1, 1, 2, 65535))
    found = fastcgi.pairs([(k, v or "") for k, v in _variables(rng, q)])
    role = rng.choice((2, 3, 9)) if _seldom(rng) else fastcgi.RESPONDER
    before = fastcgi.record(fastcgi.GET_VALUES, 0, b"\x0e\0FCGI_MAX_CONNS") if _seldom(rng) else b""
    return before + fastcgi.begin(number, rng.random() < 0.6, role) + \
        _records(rng, fastcgi.PARAMS, number, found) + \
        _records(rng, fastcgi.STDIN, number, q["body"])


def scgi_request(rng):
    q = _question(rng)
    found = [(k, v or "") for k, v in _variables(rng, q)]
    if not _seldom(rng):
        length = dict(found).get("CONTENT_LENGTH") or "0"
        found = [("CONTENT_LENGTH", length), ("SCGI", rng.choice(("1", "1", "1", "2")))] + \
            [v for v in found if v[0] != "CONTENT_LENGTH"]
    text = scgi.netstring(found).partition(b":")[2]
    return b"%d:%s" % (_off(rng, len(text) - 1), text) + q["body"]


def proxy_header(rng):
    """The PROXY protocol's text or binary header."""
    if rng.random() < 0.5:
        return rng.choice((b"PROXY TCP4 192.0.2.7 192.0.2.1 5555 80\r\n", b"PROXY UNKNOWN\r\n",
                           b"PROXY TCP6 2001:db8::7 ::1 5556 80\r\n",
                           b"PROXY TCP4 " + b"1" * 200 + b"\r\n"))
    family, size = rng.choice(((0x11, 12), (0x12, 12), (0x21, 36), (0x31, 216), (0, 0)))
    addresses = socket.inet_aton("192.0.2.7").ljust(size, b"\x07")[:size]
    more = b"\x04\0\x01x" * rng.choice((0, 0, 1, 100))
    return SIGNATURE + struct.pack(">BBH", rng.choice((0x20, 0x21, 0x21, 0x21)), family,
                                   _off(rng, size + len(more))) + addresses + more


# ---- all that is sent on one connection ----

def several(request):
    """A sequence of such requests, one behind the other."""
    def sequence(rng):
        return b"".join(request(rng) for _ in range(rng.choice((1, 1, 1, 2, 5, 20))))
    return sequence


def proxied(rng):
    return proxy_header(rng) + several(http_request)(rng)


def _change(rng, data, at):
    kind = rng.randrange(6)
    if kind == 0:
        data[at] = rng.randrange(256)
    elif kind == 1:
        data[at] ^= 1 << rng.randrange(8)
    elif kind == 2:
        del data[at:at + rng.choice((1, 2, 8, 100))]
    elif kind == 3:
        data[at:at] = bytes([rng.randrange(256)]) * rng.choice((1, 3, 200))
    elif kind == 4:
        data[at:at] = data[at:at + rng.choice((4, 50, 1000))]
    else:
        del data[at:]


def damaged(rng, data):
    """More than half of the time changed in a few places, most of them near the start."""
    data = bytearray(data)
    if rng.random() < 0.4:
        return bytes(data)
    for _ in range(rng.choice((1, 1, 2, 5, 30))):
        if data:
            _change(rng, data, rng.randrange(min(len(data), rng.choice((40, 400, len(data))))))
    return bytes(data)


def pieces(rng, data):
    """The same bytes as they may be written: at once, in a few parts, or in crumbs at first."""
    how = rng.randrange(3)
    if how == 0:
        return [data]
    if how == 1:
        cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.choice((1, 2, 6))))
        return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)])]
    parts, at = [], 0
    while at < len(data) and len(parts) < 80:
        n = rng.choice((1, 1, 2, 7))
        parts.append(data[at:at + n])
        at += n
    return [*parts, data[at:]]
