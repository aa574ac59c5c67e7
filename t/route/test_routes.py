# SPDX-License-Identifier: MIT
"""Routes: which requests a rule is for, what it does with them, and with their answers."""
import ast
import base64
import glob
import select
import time
import uuid

import pytest

from lib import fastcgi, http, scgi, uwsgi
from lib.wait import until

WAYS = {"http-socket": http, "http": http, "socket": uwsgi, "fastcgi-socket": fastcgi,
        "scgi-socket": scgi}
# openssl passwd -6 -salt salt three
HASH_OF_THREE = ("$6$salt$Y5qJQSSd35hlAun8oD5KVzsiAb8jDgIFa/qmbo2Z3I0i4YcskvB9"
                 "NSv7auq6A4WhyPir0XduCaWARim67jYqi1")
# htpasswd -nbBC 4 bob three
BCRYPT_OF_THREE = "$2b$04$abcdefghijklmnopqrstuuTQOLWRilZE3.iskJhZKSRHBfwfeCS82"
PROGRAM = """
def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/boom":
        raise ValueError("boom")
    status = "404 Not Found" if path == "/missing" else "200 OK"
    start_response(status, [("Content-Type", "text/plain"), ("X-App", "1"), ("X-App", "2")])
    return [repr({k: v for k, v in environ.items() if isinstance(v, str)}).encode()]
"""


@pytest.fixture
def serve(start, tmp_path):
    (tmp_path / "app.py").write_text(PROGRAM, encoding="utf-8")

    def run(ini, way="http-socket"):
        ini = ini.replace("{", "{{").replace("}", "}}")
        return start(f"{way} = {{peer}}\nwsgi-file = {tmp_path}/app.py\n{ini}\n")
    return run


def environ(answer):
    assert answer.status == 200
    return ast.literal_eval(answer.body.decode())


def test_rules_raise_alarms(serve, tmp_path):
    server = serve(f"alarm = page cmd:cat >{tmp_path}/page\n"
                   "route = ^/admin alarm:page somebody asks for ${PATH_INFO}")
    http.request(server.peer, "/admin%0aabc")
    until(lambda: (tmp_path / "page").exists() and (tmp_path / "page").read_text() ==
          "somebody asks for /admin\\x0aabc\n", "the alarm")


RULES = """
route = ^/stop/ addvar:A=1
route = ^/stop/continue$ continue:
route = ^/stop/last$ last:
route = ^/stop/ addvar:A=2
route = ^/jump goto:over
route = ^/jump return:500
route-label = over
route = ^/break$ break:
route = ^/break/403$ break:403 Go Away
route = ^/status$ break-with-status:410
route = ^/return$ return:404
route = ^/old/(.*)/(.*)$ redirect:/new/$2/$1?${QUERY_STRING}
route = ^/moved(.*)$ redirect-permanent:https://${HTTP_HOST}$1
route = ^/rewrite/(\\w+)$ rewrite:/to/$1?id=$1
route = ^/to/x addvar:B=seen
route = ^/rewritten-last$ rewrite-last:/to/y
route = ^/header addheader:X-Path: $0; ${qs[a]}
route = ^/header remheader:x-app
route = ^/set setuser:bob
route = ^/set seturi:/u?v
route = ^/set setmethod:PUT
route = ^/set setscheme:https
route = ^/set sethost:h.example
route = ^/set setremoteaddr:192.0.2.9
route = ^/set setscriptname:/s
route = ^/set setpathinfo:/p
"""


@pytest.mark.parametrize("way", WAYS)
def test_what_rules_do_on_every_protocol(serve, way):
    server = serve(RULES, way)

    def get(path, **more):
        return WAYS[way].request(server.peer, path, **more)
    assert [environ(get(f"/stop/{p}"))["A"] for p in ("continue", "last", "on")] == ["1", "1", "2"]
    assert get("/jump").status == 200
    assert [(a.status, a.body) for a in (get("/break"), get("/break/403"), get("/status"),
                                         get("/return"))] == \
        [(403, b""), (403, b""), (410, b"Gone"), (404, b"Not Found")]
    old = get("/old/a/b%20c?x=1")
    assert (old.status, old.header("Location"), old.body) == (302, "/new/b%20c/a?x=1", b"Moved")
    assert get("/moved/q").status == 301
    assert get("/moved/q").header("Location").startswith("https://")
    rewritten = environ(get("/rewrite/x?q=2"))
    assert (rewritten["PATH_INFO"], rewritten["QUERY_STRING"], rewritten["B"]) == \
        ("/to/x", "id=x&q=2", "seen")
    assert environ(get("/rewritten-last"))["PATH_INFO"] == "/to/y"
    header = get("/header?a=7")
    assert header.header("X-Path") == "/header; 7" and not header.all("X-App")
    changed = environ(get("/set"))
    assert [changed[k] for k in ("REMOTE_USER", "REQUEST_URI", "REQUEST_METHOD", "wsgi.url_scheme",
                                 "HTTP_HOST", "REMOTE_ADDR", "SCRIPT_NAME", "PATH_INFO")] == \
        ["bob", "/u?v", "PUT", "https", "h.example", "192.0.2.9", "/s", "/p"]
    assert "REMOTE_USER" not in environ(get("/untouched"))
    assert get("/return", method="HEAD").header("Content-Length") == "9"


@pytest.mark.parametrize("option,header", [
    ("route-host", ("Host", "needle.example")), ("route-user-agent", ("User-Agent", "needle")),
    ("route-referer", ("Referer", "http://needle/")), ("route-qs", None), ("route-uri", None),
    ("route-remote-addr", None)])
def test_what_rules_look_at(serve, option, header):
    expression = "^127" if option == "route-remote-addr" else "needle"
    server = serve(f"{option} = {expression} return:410")
    assert http.request(server.peer, "/?needle", headers=[header] if header else []).status == 410
    if option != "route-remote-addr":
        assert http.request(server.peer, "/?other").status == 200


CONDITIONS = [
    ("eq:${REQUEST_METHOD};GET", True), ("equal:${PATH_INFO};/else", False),
    ("startswith:${PATH_INFO};/pa", True), ("endswith:${PATH_INFO};th", True),
    ("contains:${PATH_INFO};at", True), ("empty:${QUERY_STRING}", False), ("empty:${NOPE}", True),
    ("regexp:${QUERY_STRING};^n=[0-9]+$", True), ("ishigher:${qs[n]};41", True),
    ("ishigher:${qs[n]};42", False), (">=:${qs[n]};42", True), ("lt:${qs[n]};100", True),
    ("<=:${qs[n]};41", False), ("exists:/etc/passwd", True), ("isfile:/etc", False),
    ("isdir:/etc", True), ("exists:/etc/nothing${PATH_INFO}", False), ("isexec:/etc/passwd", False),
    ("ipv4in:${REMOTE_ADDR};127.0.0.0/8", True), ("ipv4in:${REMOTE_ADDR};128.0.0.0/1", False),
    ("ipv4in:${PATH_INFO};0.0.0.0/0", False), ("ipv6in:::1;::/127", True),
    ("eq:${cookie[b]};two", True), ("eq:${lower[REQUEST_METHOD]};get", True),
    ("eq:${upper[PATH_INFO]}${hex[REQUEST_METHOD]};/PATH474554", True),
    ("ishigher:${time[unix]};1600000000", True), ("endswith:${httptime[60]};GMT", True)]


def test_conditions(serve):
    rules = "".join(f"route-if = {c} addheader:X-True: {i}\nroute-if-not = {c} addheader:X-False: {i}\n"
                    for i, (c, _) in enumerate(CONDITIONS))
    answer = http.request(serve(rules).peer, "/path?n=42", headers=[("Cookie", "a=one; b=two")])
    assert [CONDITIONS[int(i)] for i in answer.all("X-True")] == [c for c in CONDITIONS if c[1]]
    assert [CONDITIONS[int(i)] for i in answer.all("X-False")] == [c for c in CONDITIONS if not c[1]]


def test_what_a_client_says_begins_no_header(serve):
    server = serve("route = (?s)^/r/(.*)$ redirect:/$1\nroute = (?s)^/h/(.*)$ addheader:X-H: $1")
    answer = http.request(server.peer, "/r/a%0D%0AX-Bad:%201%20%C3%BC")
    assert answer.header("Location") == "/a%0D%0AX-Bad:%201%20%C3%BC" and not answer.header("X-Bad")
    answer = http.request(server.peer, "/h/a%0D%0AX-Bad:%201")
    assert answer.status == 200 and not answer.header("X-Bad") and not answer.header("X-H")


def credentials(text):
    return [("Authorization", "Basic " + base64.b64encode(text.encode()).decode())]


def test_passwords(serve, tmp_path):
    (tmp_path / "users").write_text(f"# users\nann:{HASH_OF_THREE}\n", encoding="ascii")
    server = serve("route = ^/list basicauth:Zone,bob:one,eve:two\n"
                   f"route = ^/file basicauth:Files,{tmp_path}/users\n"
                   "route = ^/both basicauth-next:Zone,bob:one\n"
                   "route-if = empty:${REMOTE_USER} goto:end\nroute-run = addheader:X-User: ${REMOTE_USER}\n"
                   "route-label = end\n")

    def get(path, who=None):
        return http.request(server.peer, path, headers=credentials(who) if who else [])
    assert get("/list").status == 401
    assert get("/list").header("WWW-Authenticate").startswith('Basic realm="Zone"')
    for path, who in (("/list", "bob:one"), ("/list", "eve:two"), ("/file", "ann:three"),
                      ("/both", "bob:one")):
        assert environ(get(path, who))["REMOTE_USER"] == who.split(":")[0]
    assert get("/list", "eve:two").header("X-User") == "eve"
    for path, who in (("/list", "bob:two"), ("/list", "bob:on"), ("/list", "bob:one,"), ("/list", "bob"),
                      ("/list", "x" * 600 + ":one"), ("/file", "ann:four"), ("/file", "an:three"),
                      ("/file", "ann:"), ("/file", "ann:three\0")):
        assert get(path, who).status == 401, who
    assert http.request(server.peer, "/list", headers=[("Authorization", "Basic *")]).status == 401
    assert "REMOTE_USER" not in environ(get("/both", "bob:two"))


SLOW = ("$6$rounds=200000$salt$H0beMxuKVSI6.XIGmh9O3AjRKUSMgsPxTG6DBt"
        "D3V6qeGjcuuc8umvWO0HyjCP17ERejdEeDq86A8PRmPjvKf0")


def test_a_slow_hash_holds_up_nobody(serve, tmp_path):
    (tmp_path / "users").write_text(f"ann:{SLOW}\n", encoding="ascii")
    server = serve(f"route = ^/file basicauth:Files,{tmp_path}/users\nroute = ^/file addvar:BEHIND=1")
    with http.Connection(server.peer) as slow, http.Connection(server.peer) as quick:
        slow.send(http.request_bytes("/file", headers=credentials("ann:wrong")))
        assert quick.request("/free").status == 200
        assert slow.read().status == 401
        slow.send(http.request_bytes("/file", headers=credentials("ann:three")) * 3)
        for _ in range(3):
            seen = environ(slow.read())
            assert (seen["REMOTE_USER"], seen["BEHIND"]) == ("ann", "1")
    for _ in range(20):  # they leave before it is known
        with http.Connection(server.peer) as c:
            c.send(http.request_bytes("/file", headers=credentials("ann:three")))
    (tmp_path / "users").write_text("bob:*\n", encoding="ascii")
    assert http.request(server.peer, "/file", headers=credentials("ann:three")).status == 401


def test_others_are_answered_before_a_hash_that_takes_hours(serve, tmp_path):
    """bcrypt at its highest cost; no machine is so quick, or so busy, that this is by chance."""
    (tmp_path / "users").write_text(f"ann:$2b$31${'a' * 53}\nbob:{BCRYPT_OF_THREE}\n", encoding="ascii")
    server = serve(f"route = ^/file basicauth:Files,{tmp_path}/users")
    assert environ(http.request(server.peer, "/file", headers=credentials("bob:three")))["REMOTE_USER"] == "bob"
    with http.Connection(server.peer) as slow, http.Connection(server.peer) as quick:
        slow.send(http.request_bytes("/file", headers=credentials("ann:three")))
        for _ in range(3):
            assert quick.request("/free").status == 200
        assert not select.select([slow.socket], [], [], 0)[0]


@pytest.mark.parametrize("way", WAYS)
def test_files_of_rules(serve, tmp_path, way):
    for name, text in (("a.css", "a {}"), ("index.html", "<p>"), ("404.html", "missing")):
        (tmp_path / "site").mkdir(exist_ok=True)
        (tmp_path / "site" / name).write_text(text, encoding="ascii")
    (tmp_path / "outside").write_text("secret", encoding="ascii")
    (tmp_path / "site" / "link").symlink_to(tmp_path / "outside")
    server = serve(f"route = ^/logo$ static:{tmp_path}/site/a.css\n"
                   f"route = ^/from/(.*)$ static:{tmp_path}/site/$1\n"
                   f"static-index = index.html\nroute = ^/all static:{tmp_path}/site\n"
                   f"static-expires-type = text/css=60\nerror-page-404 = {tmp_path}/site/404.html", way)

    def get(path, **more):
        return WAYS[way].request(server.peer, path, **more)
    logo = get("/logo")
    assert (logo.body, logo.header("Content-Type")) == (b"a {}", "text/css; charset=utf-8")
    assert logo.header("Cache-Control") == "max-age=60"
    assert get("/logo", headers=[("If-None-Match", logo.header("ETag"))]).status == 304
    assert get("/from/a.css").body == b"a {}" and get("/all").body == b"<p>"
    assert get("/from/a.css", method="HEAD").header("Content-Length") == "4"
    assert (get("/from/none").status, get("/from/none").body) == (404, b"missing")
    for path in ("/from/../outside", "/from/%2e%2e/outside", "/from//etc/passwd", "/from/link",
                 "/from/%2fetc%2fpasswd", "/from/a.css%00"):
        assert not any(word in get(path).body for word in (b"secret", b"root:", b"a {}")), path
    refused = get("/logo", method="POST", body=b"x")
    assert (refused.status, refused.header("Allow")) == (405, "GET, HEAD")
    assert environ(get("/else"))["PATH_INFO"] == "/else"


def test_the_path_that_repeats_the_script_name(serve):
    """nginx cannot take a location off PATH_INFO."""
    server = serve("route-if = startswith:${PATH_INFO};/app setscriptname:/app\nroute-run = fixpathinfo:",
                   "socket")
    for path, rest in (("/app/x", "/x"), ("/app", ""), ("/application", "/application"), ("/else", "/else")):
        assert environ(uwsgi.request(server.peer, path))["PATH_INFO"] == rest


def test_what_rules_know_of_the_server(serve):
    server = serve("processes = 2\nroute-run = addvar:WID=${uwsgi[wid]}\nroute-run = addvar:PID=${uwsgi[pid]}\n"
                   "route-run = addvar:ID=${uwsgi[uuid]}\nroute-run = addvar:SINCE=${uwsgi[sor]} ${uwsgi[rtime]}")
    seen = [environ(http.request(server.peer)) for _ in range(2)]
    for one in seen:
        assert int(one["PID"]) in server.workers() and one["WID"] in "12"
        began, took = map(int, one["SINCE"].split())
        assert abs(began / 1e6 - time.time()) < 600 and took >= 0
    assert uuid.UUID(seen[0]["ID"]).version == 4 and seen[0]["ID"] != seen[1]["ID"]


HANGS = """
import os, time
def application(environ, start_response):
    open(f"{environ['QUERY_STRING']}.{os.getpid()}", "w").close()
    while not os.path.exists(environ["QUERY_STRING"]):
        time.sleep(0.01)
    start_response("200 OK", [])
    return [b"done"]
"""


def ask(server, target):
    """On a connection of its own, which no worker takes before the request is there."""
    c = http.Connection(server.http)
    c.send(http.request_bytes(target))
    return c


def ask_and_wait(server, target, number):
    """The same; returns when so many requests have reached the application."""
    c = ask(server, target)
    until(lambda: len(glob.glob(target.partition("?")[2] + ".*")) == number,
          f"{number} requests to run")
    return c


def test_rules_know_how_many_wait(start, folder):
    with open(f"{folder}/hangs.py", "w", encoding="ascii") as f:
        f.write(HANGS)
    server = start(f"http-socket = {{http}}\nprocesses = 2\nwsgi-file = {folder}/hangs.py\n"
                   "route = ^/waits addheader:X-Waiting: ${{uwsgi[lq]}}\n"
                   "route-if = ishigher:${{uwsgi[lq]}};1000 break:503 Busy")
    all_of_them = [ask_and_wait(server, f"/hang?{folder}/go", n) for n in (1, 2)]
    all_of_them += [ask(server, f"/waits?{folder}/go") for _ in range(8)]
    with open(f"{folder}/go", "w", encoding="ascii"):
        pass
    waiting = [int(c.read().header("X-Waiting")) for c in all_of_them[2:]]
    assert max(waiting) > 0
    for c in all_of_them:
        c.close()


def test_rules_say_how_long_a_request_may_take(start, folder):
    """More than harakiri, and without it."""
    with open(f"{folder}/hangs.py", "w", encoding="ascii") as f:
        f.write(HANGS)
    both = []
    for ini in ("harakiri = 1\nroute = ^/long harakiri:100", "route = ^/hang harakiri:1"):
        server = start(f"http-socket = {{http}}\nprocesses = 2\nwsgi-file = {folder}/hangs.py\n{ini}")
        # One after the other, so that they are not in the same worker.
        long = ask_and_wait(server, f"/long?{folder}/go", 2 * len(both) + 1)
        hang = ask_and_wait(server, f"/hang?{folder}/go", 2 * len(both) + 2)
        both.append((server, long, hang))
    for server, long, hang in both:
        server.wait_log(r"GET /hang.* ran [\d.]+ s \(harakiri 1\)")
    with open(f"{folder}/go", "w", encoding="ascii"):
        pass
    for _, long, hang in both:
        with long, hang:
            assert long.read().body == b"done"


def test_answers_of_the_application(serve):
    server = serve("""
error-route-status = 404 addheader:X-Missing: ${REQUEST_URI}
response-route = ^/secret return:403
response-route-status = 404 addheader:X-Status: ${uwsgi[status]}
response-route-run = remheader:X-App
response-route-if = startswith:${PATH_INFO};/go redirect:/there""")
    missing = http.request(server.peer, "/missing")
    assert (missing.header("X-Missing"), missing.header("X-Status")) == ("/missing", "404")
    assert not missing.all("X-App") and missing.body.startswith(b"{")
    secret = http.request(server.peer, "/secret")
    assert (secret.status, secret.body, secret.all("Content-Length")) == (403, b"Forbidden", ["9"])
    assert http.request(server.peer, "/go").header("Location") == "/there"
    with http.Connection(server.peer) as c:
        assert [c.request(p).status for p in ("/secret", "/go", "/missing", "/x")] == [403, 302, 404, 200]


@pytest.mark.parametrize("way", WAYS)
def test_pages_for_errors_of_the_server(serve, tmp_path, way):
    (tmp_path / "404.html").write_text("<p>nowhere</p>", encoding="ascii")
    (tmp_path / "500.html").write_text("<p>sorry</p>" * 1000, encoding="ascii")
    server = serve(f"error-page-404 = {tmp_path}/none\nerror-page-404 = {tmp_path}/404.html\n"
                   f"error-page-500 = {tmp_path}/500.html\nroute = ^/gone return:404", way)

    def get(path, method="GET"):
        return WAYS[way].request(server.peer, path, method=method)
    gone, boom, own = get("/gone"), get("/boom"), get("/missing")
    assert (gone.status, gone.body, gone.header("Content-Type")) == (404, b"<p>nowhere</p>", "text/html")
    assert (boom.status, boom.body) == (500, b"<p>sorry</p>" * 1000)
    assert boom.header("Content-Type") == "text/html"
    assert own.status == 404 and own.body.startswith(b"{")
    assert (get("/boom", "HEAD").body, get("/gone", "HEAD").header("Content-Length")) == (b"", "14")


def test_headers_become_variables(serve):
    server = serve("""
collect-header = content-type TYPE
pull-header = X-App APP
pull-header = X-Nothing NOTHING
log-format = collected %(var.TYPE) %(var.APP) %(var.NOTHING)
response-route-run = addheader:X-Type: ${TYPE}""")
    answer = http.request(server.peer)
    assert (answer.header("X-Type"), answer.header("Content-Type")) == ("text/plain", "text/plain")
    assert not answer.all("X-App")
    server.wait_log("collected text/plain 1 -$")


def test_what_the_log_says(serve):
    server = serve("""
log-format = line %(uri) %(who)
route = ^/quiet donotlog:
route-run = logvar:who=${qs[who]}
route = ^/say log:said ${QUERY_STRING}
final-route-status = 404 log:final ${REQUEST_URI}
final-route = ^/hidden donotlog:""")
    for path in ("/quiet", "/hidden", "/say?who=me%0A", "/missing", "/last?who=bob"):
        http.request(server.peer, path)
    server.wait_log(r"line /last\?who=bob bob$")
    text = server.log()
    assert "said who=me%0A" in text and "final /missing" in text
    assert "line /quiet" not in text and "line /hidden" not in text


def test_what_an_answer_is_as_right_without_only_warns(start):
    server = start("http-socket = {http}\nmodule = basic\nroute-run = chunked:\nroute-run = cache:\n")
    assert http.request(server.http, "/hello").body == b"hello\n"
    server.wait_log("warning: route-run = cache:: the action cache does nothing here; it will when")
    assert "chunked" not in server.log()
