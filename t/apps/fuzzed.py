# SPDX-License-Identifier: MIT
"""For connections that send anything: every kind of answer, none of which a client can make longer
or larger by what it asks."""
import basic


def blocks(environ, start_response):
    """More than the kernel takes for a client that does not read."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    for _ in range(512):
        yield b"0123456789abcdef" * 1024


def written(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"first")
    return [b"second", environ["wsgi.input"].read(7)]


def fails(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "100")])
    yield b"half"
    raise RuntimeError("in the middle of an answer")


ROUTES = {"/hello": basic.hello, "/echo": basic.echo, "/environ": basic.show, "/blocks": blocks,
          "/written": written, "/fails": fails, "/ignore-body": basic.ignore_body}


def application(environ, start_response):
    return ROUTES.get(environ["PATH_INFO"], basic.show)(environ, start_response)
