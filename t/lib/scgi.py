# SPDX-License-Identifier: MIT
"""A client of SCGI."""
from lib import cgi, http


def netstring(variables):
    def text(s):
        return s if isinstance(s, bytes) else s.encode("latin-1")
    data = b"".join(text(k) + b"\0" + text(v) + b"\0" for k, v in variables)
    return b"%d:%s," % (len(data), data)


def variables(target="/", method="GET", headers=(), body=b"", version="1.1", host="t", extra=()):
    """CONTENT_LENGTH first, as the protocol wants it; extra replaces or adds others."""
    names = {k for k, _ in extra}
    found = [v for v in cgi.variables(target, method, headers, body, version, host)
             if v[0] not in names] + list(extra)
    length = [v or "0" for k, v in found if k == "CONTENT_LENGTH"][:1]
    return [("CONTENT_LENGTH", v) for v in length] + [("SCGI", "1")] * ("SCGI" not in names) + \
        [v for v in found if v[0] != "CONTENT_LENGTH"]


def request_bytes(target="/", method="GET", headers=(), body=b"", version="1.1", host="t",
                  extra=()):
    return netstring(variables(target, method, headers, body, version, host, extra)) + body


class Connection(http.Connection):
    def read_head(self):
        """As CGI has it: the status is the first of the headers."""
        name, _, line = self._line().partition(": ")
        assert name == "Status", (name, line)
        self.buffer = b"- %s\r\n" % line.encode("latin-1") + self.buffer
        return super().read_head()


def request(address, target="/", method="GET", headers=(), body=b"", version="1.1", host="t",
            extra=(), timeout=20):
    with Connection(address, timeout) as c:
        c.send(request_bytes(target, method, headers, body, version, host, extra))
        response = c.read(method)
        response.trailing = c.read_all()
        return response
