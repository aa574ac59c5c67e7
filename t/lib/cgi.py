# SPDX-License-Identifier: MIT
"""The variables of a request as a web server in front sends them (nginx's uwsgi_params)."""
from urllib.parse import unquote_to_bytes


def variables(target="/", method="GET", headers=(), body=b"", version="1.1", host="t"):
    path, _, query = target.partition("?")
    found = [
        ("QUERY_STRING", query),
        ("REQUEST_METHOD", method),
        ("CONTENT_TYPE", ""),
        ("CONTENT_LENGTH", str(len(body)) if body or method in ("POST", "PUT") else ""),
        ("REQUEST_URI", target),
        ("PATH_INFO", unquote_to_bytes(path).decode("latin-1")),
        ("DOCUMENT_ROOT", "/srv/www"),
        ("SERVER_PROTOCOL", f"HTTP/{version}"),
        ("REQUEST_SCHEME", "http"),
        ("REMOTE_ADDR", "192.0.2.7"),
        ("REMOTE_PORT", "4711"),
        ("SERVER_PORT", "80"),
        ("SERVER_NAME", "server.test"),
        ("HTTP_HOST", host),
    ]
    for name, value in headers:
        key = name.upper().replace("-", "_")
        if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            found = [v for v in found if v[0] != key] + [(key, value)]
        else:
            found.append(("HTTP_" + key, value))
    return found
