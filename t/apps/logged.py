# SPDX-License-Identifier: MIT
"""What a log may have to show: words of the application, files, output, bodies that are left."""
import os
import sys
import time

import uwsgi


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/print":
        print("printed", flush=True)
        print("to stderr", file=sys.stderr, flush=True)
    elif path == "/logvar":
        uwsgi.set_logvar("who", "ann")
        uwsgi.set_logvar("nobody", environ["QUERY_STRING"])
        assert uwsgi.get_logvar("who") == b"ann" and uwsgi.get_logvar("none") is None
    elif path == "/file":
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](open(__file__, "rb"))
    elif path == "/stream":
        start_response("200 OK", [])
        return (b"x" * 100000 for _ in range(int(environ["QUERY_STRING"])))
    elif path == "/late":
        time.sleep(0.5)
        start_response("200 OK", [])
        return [b"x" * 5000000]
    elif path == "/open":
        with open("/dev/stderr", "w") as f:
            f.write(f"opened by {os.geteuid()}\n")
    elif path == "/pid":
        start_response("200 OK", [])
        return [b"%d" % os.getpid()]
    elif path == "/raise":
        raise ValueError("the client said " + environ["HTTP_USER_AGENT"])
    elif path == "/uwsgi-log":
        uwsgi.log(environ["HTTP_USER_AGENT"])
    elif path == "/no-body":
        start_response("204 No Content", [])
        return []
    elif path.startswith("/lines/"):
        count, length = (int(n) for n in path.split("/")[2:])
        for i in range(count):
            os.write(2, b"<%06d %s>\n" % (i, b"x" * length))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello\n"]
