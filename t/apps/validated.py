# SPDX-License-Identifier: MIT
"""wsgiref's validator between server and application: it complains of both."""
from wsgiref.validate import validator


def plain(environ, start_response):
    environ["wsgi.input"].read(10)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"valid\n"]


application = validator(plain)
