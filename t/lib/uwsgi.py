# SPDX-License-Identifier: MIT
"""A client of the native uwsgi protocol."""
import struct

from lib import cgi, http


def block(variables):
    def text(s):
        data = s if isinstance(s, bytes) else s.encode("latin-1")
        return struct.pack("<H", len(data)) + data
    return b"".join(text(k) + text(v) for k, v in variables)


def packet(variables, modifier1=0, modifier2=0):
    data = block(variables)
    return struct.pack("<BHB", modifier1, len(data), modifier2) + data


def request_bytes(target="/", method="GET", headers=(), body=b"", version="1.1", host="t",
                  extra=()):
    """extra replaces or adds variables."""
    names = {k for k, _ in extra}
    base = cgi.variables(target, method, headers, body, version, host)
    return packet([v for v in base if v[0] not in names] + list(extra)) + body


def request(address, target="/", method="GET", headers=(), body=b"", version="1.1", host="t",
            extra=(), timeout=20):
    with http.Connection(address, timeout) as c:
        c.send(request_bytes(target, method, headers, body, version, host, extra))
        response = c.read_head()
        c.read_body(response, method)
        response.trailing = c.read_all()
        return response
