# SPDX-License-Identifier: MIT
"""What rules make of a request, and of its answer, is what Debian's uWSGI makes of them."""
import ast
import gzip

import pytest

from lib import uwsgi

pytestmark = pytest.mark.oracle

PROGRAM = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-App", "1")])
    return [repr({k: v for k, v in environ.items() if isinstance(v, str)}).encode()]
"""
INI = """
socket = {peer}
plugins = router_rewrite,router_redirect,router_static,router_basicauth,transformation_gzip
wsgi-file = {here}/app.py
route = ^/seturi seturi:/u/x?q=1
route = ^/setpathinfo setpathinfo:/p?z=2
route = ^/setscriptname setscriptname:/s
route = ^/setscriptname setpathinfo:/rest
route = ^/setmethod setmethod:PUT
route = ^/setscheme setscheme:https
route = ^/setremoteaddr setremoteaddr:192.0.2.9
route = ^/setuser setuser:bob
route = ^/setdocroot setdocroot:/d
route = ^/script setscriptname:/script
route = ^/script fixpathinfo:
route = ^/rewrite/(.*) rewrite:/r/$1?x=1
route = ^/plain rewrite:/r
route = ^/last rewrite-last:/r/a?x=${QUERY_STRING}
route = ^/last addvar:A=not seen
route = ^/r$ addvar:A=seen
route = ^/addvar/(.)(.*) addvar:A=$2-$1 ${REQUEST_METHOD} ${NONE}
route = ^/functions addvar:A=${cookie[c]} ${qs[q]} ${hex[REQUEST_METHOD]} ${base64[REQUEST_METHOD]}
route = ^/jump goto:over
route = ^/jump addvar:A=jumped
route-label = over
route-if = equal:${QUERY_STRING};if addvar:A=if
route-if-not = empty:${QUERY_STRING} addvar:B=not
route-qs = ^qs$ addvar:A=qs
route-uri = ^/uri\\?x addvar:A=uri
route-host = ^other addvar:A=host
route = ^/header/(.*) addheader:X-Route: $1
route = ^/header addheader:X-Two: 2
route = ^/return return:404
route = ^/status break-with-status:410
route = ^/break break:403 Go Away
route = ^/redirect/(.*) redirect:/to/$1?${QUERY_STRING}
route = ^/moved redirect-permanent:https://${HTTP_HOST}/x
route = ^/file static:{here}/app.py
route = ^/auth basicauth:Zone,ann:three
route = ^/gzip gzip:
route = ^/gone delheader:X-App
response-route = ^/added addheader:X-Response: 1
"""
PATHS = ["/seturi/a?b=1", "/setpathinfo/x?b=1", "/setscriptname/q", "/setmethod", "/setscheme", "/setremoteaddr",
         "/setuser", "/setdocroot", "/script/x/y", "/script", "/rewrite/a/b?o=2", "/plain?o=2", "/plain", "/last?o=2",
         "/addvar/xyz", "/functions?p=1&q=2", "/jump", "/x?if", "/x?qs", "/uri?x", "/header/a", "/return", "/status",
         "/break", "/redirect/a/b?c=d", "/moved", "/file", "/auth", "/gzip", "/gone", "/added", "/else"]
HEADERS = ["Content-Type", "Location", "X-Route", "X-Two", "X-App", "X-Response", "Content-Encoding"]
OF_THE_RUN = {"REMOTE_PORT", "SERVER_PORT", "HTTP_HOST", "uwsgi.node"}


def show(answer):
    """What is compared of an answer."""
    body = gzip.decompress(answer.body) if answer.header("Content-Encoding") == "gzip" else answer.body
    # uWSGI says no type of a file, nor of an answer of its own.
    headers = {h: answer.all(h) for h in HEADERS if h != "Content-Type" or body.startswith(b"{")}
    if body.startswith(b"{"):
        body = {"SCRIPT_NAME": "", **{k: v for k, v in ast.literal_eval(body.decode()).items()
                                      if k not in OF_THE_RUN}}
    return {"status": answer.status, **headers, "body": body}


def test_rules_do_the_same(start, start_oracle):
    pair = []
    for run in (start, start_oracle):
        server = run.not_yet(INI.replace("${", "${{").replace("}", "}}").replace("{here}}", "{here}")
                             .replace("{peer}}", "{peer}"))
        with open(f"{server.folder}/app.py", "w", encoding="ascii") as f:
            f.write(PROGRAM)
        pair.append(server.start())
    different = {}
    for path in PATHS:
        headers = [("Accept-Encoding", "gzip"), ("Cookie", "c=3")]
        ours, theirs = (show(uwsgi.request(s.peer, path, headers=headers)) for s in pair)
        if ours != theirs:
            different[path] = {k: v for k, v in ours.items() if theirs[k] != v}, theirs
    assert different == {}, "\n".join(f"{k}: {v}" for k, v in different.items())
