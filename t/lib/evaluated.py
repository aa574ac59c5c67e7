# SPDX-License-Identifier: MIT
"""Asks apps/evaluated.py."""
from urllib.parse import quote

from lib import http


def run(server, expression):
    """repr() of its value, or the name of its exception."""
    return http.request(server.http, "/?" + quote(expression)).body.decode()
