# SPDX-License-Identifier: MIT
"""A module whose callable is named app, as in Flask's tutorials."""
import sys


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr(sys.argv[1:]).encode()]
