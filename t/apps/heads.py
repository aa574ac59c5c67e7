# SPDX-License-Identifier: MIT
"""/heads?n=200: a response with that many headers of 100 bytes; anything else: a short one."""


def application(environ, start_response):
    n = int(environ["QUERY_STRING"][2:] or 0)
    start_response("200 OK", [(f"X-{i}", "x" * 100) for i in range(n)])
    return [b"hello\n"]
