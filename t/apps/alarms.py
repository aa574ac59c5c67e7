# SPDX-License-Identifier: MIT
"""What raises alarms: /raise?NAME&TEXT, /large?NAME, /say?TEXT, which is a line of the log, and /crash."""
import os
import signal
import sys
from urllib.parse import unquote

import uwsgi


def application(environ, start_response):
    path, words = environ["PATH_INFO"], unquote(environ["QUERY_STRING"])
    if path == "/raise":
        name, _, text = words.partition("&")
        assert uwsgi.alarm(name, text) is None
    elif path == "/large":
        uwsgi.alarm(words, "x" * 70000)
    elif path == "/say":
        sys.stderr.write(words + "\n")
    elif path == "/crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    start_response("200 OK", [])
    return [b"done"]
