# SPDX-License-Identifier: MIT
"""One server that speaks every protocol on every kind of socket, with nginx before it: shared by
the tests that only ask and look at the answer."""
from lib import fastcgi, http, scgi, uwsgi

SOCKETS = """
http-socket = {http}
http-socket = {http_unix}
http = {router}
http = {router_unix}
socket = {uwsgi}
uwsgi-socket = {uwsgi_unix}
fastcgi-socket = {fastcgi}
fastcgi-socket = {fastcgi_unix}
scgi-socket = {scgi}
scgi-socket = {scgi_unix}
"""
INI = SOCKETS + """
processes = 2
threads = 2
module = basic
limit-post = 33554432
"""

LISTENERS = {
    "nginx_http": "proxy_pass http://{http}; proxy_set_header Connection close;",
    "nginx_http_keepalive": "proxy_pass http://kept; proxy_set_header Connection '';",
    "nginx_http_unix": "proxy_pass http://unix:{http_unix}; proxy_set_header Host $host;",
    "nginx_http_unbuffered": "proxy_pass http://{http}; proxy_request_buffering off;"
                             " proxy_buffering off;",
    "nginx_router_keepalive": "proxy_pass http://router; proxy_set_header Connection '';",
    "nginx_uwsgi": "uwsgi_pass {uwsgi};",
    "nginx_uwsgi_unix": "uwsgi_pass unix:{uwsgi_unix};",
    "nginx_uwsgi_unbuffered": "uwsgi_pass {uwsgi}; uwsgi_request_buffering off;"
                              " uwsgi_buffering off;",
    "nginx_fastcgi": "fastcgi_pass {fastcgi};",
    "nginx_fastcgi_unix": "fastcgi_pass unix:{fastcgi_unix};",
    "nginx_fastcgi_keep": "fastcgi_pass fast; fastcgi_keep_conn on;",
    "nginx_fastcgi_unbuffered": "fastcgi_pass {fastcgi}; fastcgi_request_buffering off;"
                                " fastcgi_buffering off;",
    "nginx_scgi": "scgi_pass {scgi};",
    "nginx_scgi_unix": "scgi_pass unix:{scgi_unix};",
    "nginx_scgi_unbuffered": "scgi_pass {scgi}; scgi_buffering off;",
}
UPSTREAMS = """
upstream kept {{ server {http}; keepalive 4; }}
upstream router {{ server {router}; keepalive 4; }}
upstream fast {{ server {fastcgi}; keepalive 4; }}
"""

DIRECT = {"http": http.request, "http_unix": http.request,
          "router": http.request, "router_unix": http.request,
          "uwsgi": uwsgi.request, "uwsgi_unix": uwsgi.request,
          "fastcgi": fastcgi.request, "fastcgi_unix": fastcgi.request,
          "scgi": scgi.request, "scgi_unix": scgi.request}
DIRECT_WAYS = list(DIRECT)
NGINX_WAYS = list(LISTENERS)
WAYS = DIRECT_WAYS + NGINX_WAYS


def listeners(names):
    return {k: v.format_map(names) for k, v in LISTENERS.items()}


class Way:
    """One way for a request to reach the application."""

    def __init__(self, name, server, front):
        self.name = name
        self.address = server.names[name] if name in DIRECT else front.names[name]
        self._request = DIRECT.get(name, http.request)

    def request(self, target="/", method="GET", headers=(), body=b"", **how):
        return self._request(self.address, target, method, headers, body, **how)
