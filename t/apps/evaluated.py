# SPDX-License-Identifier: MIT
"""Runs the expression of its query (lib/evaluated.py), and answers with what it gives or raises."""
from urllib.parse import unquote

import uwsgi  # noqa: F401, expressions name it


def application(environ, start_response):
    try:
        text = repr(eval(unquote(environ["QUERY_STRING"])))
    except Exception as e:
        text = type(e).__name__
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode()]
