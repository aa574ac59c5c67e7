# SPDX-License-Identifier: MIT
"""Who is believed: what proxies say of https, and for whom they speak.  Clients of these tests come
from 127.0.0.1, which is believed until the configuration names others."""
import json

import pytest

from lib import fastcgi, http, scgi, uwsgi
from lib.house import SOCKETS

INI = SOCKETS + "module = basic\nprocesses = 2\n"
# cgi.variables() names it as the client.
CLIENT = "192.0.2.7"
SPEAK = {"http": http, "router": http, "uwsgi": uwsgi, "fastcgi": fastcgi, "scgi": scgi}
WAYS = [*SPEAK, *(f"{name}_unix" for name in SPEAK)]
PROTO, SSL = ("X-Forwarded-Proto", "https"), ("X-Forwarded-SSL", "on")


def environ(server, way, headers=(), **how):
    speak = SPEAK[way.split("_")[0]]
    answer = speak.request(server.names[way], "/environ", headers=headers, **how)
    assert answer.status == 200
    return json.loads(answer.body)


def schemes(server, headers=(PROTO,)):
    return {way: environ(server, way, headers)["wsgi.url_scheme"] for way in WAYS}


def everywhere(tcp, unix="https"):
    return {way: unix if way.endswith("unix") else tcp for way in WAYS}


def complaints(server):
    return server.log().count("is not believed")


@pytest.mark.parametrize("header", [PROTO, SSL], ids=["proto", "ssl"])
def test_loopback_and_unix_peers_are_believed_by_default(start, header):
    server = start(INI)
    assert schemes(server, [header]) == everywhere("https")
    assert complaints(server) == 0


def test_others_are_not_and_one_line_says_so(start):
    server = start(INI + "forwarded-allow-ips = 192.0.2.0/28\nforwarded-allow-ips = ::1, 192.0.2.99\n")
    for header in PROTO, SSL:
        # REMOTE_ADDR of a packet is in that network; but who has sent it, is not.
        assert schemes(server, [header]) == everywhere("http")
    assert environ(server, "http", [PROTO])["HTTP_X_FORWARDED_PROTO"] == "https"
    server.wait_log(r"a request from 127\.0\.0\.1 says https in X-Forwarded-Proto or X-Forwarded-SSL, "
                    r"and is not believed: forwarded-allow-ips does not name that address$")
    server.stop()
    assert complaints(server) == 1


def test_who_says_nothing_of_https_is_not_complained_about(start):
    server = start(INI + f"forwarded-allow-ips = {CLIENT}\n")
    assert schemes(server, [("X-Forwarded-Proto", "http")]) == everywhere("http", "http")
    assert schemes(server, [("X-Forwarded-SSL", "off")]) == everywhere("http", "http")
    assert schemes(server, []) == everywhere("http", "http")
    server.stop()
    assert complaints(server) == 0


@pytest.mark.parametrize("line, variable, scheme", [
    ("", "192.0.2.0/24", "http"), ("", "192.0.2.1,127.0.0.0/8", "https"), ("", "*", "https"),
    ("", "", "http"), ("forwarded-allow-ips = *\n", "192.0.2.1", "https"),
    ("forwarded-allow-ips = 192.0.2.1\n", "*", "http")])
def test_the_environment_names_them_unless_the_configuration_does(start, line, variable, scheme):
    server = start(INI + line, env={"FORWARDED_ALLOW_IPS": variable})
    assert schemes(server) == everywhere(scheme)


@pytest.mark.parametrize("extra, scheme", [
    ([("UWSGI_SCHEME", "http"), ("HTTPS", "on")], "http"),
    ([("UWSGI_SCHEME", "https"), ("HTTP_X_FORWARDED_PROTO", "http")], "https"),
    ([("UWSGI_SCHEME", "javascript"), ("HTTPS", "on")], "https"),
    ([("UWSGI_SCHEME", "java\nscript")], "http"), ([("UWSGI_SCHEME", "")], "http"),
    ([("HTTPS", "on"), ("HTTP_X_FORWARDED_PROTO", "http")], "https"),
    ([("HTTPS", "off"), ("HTTP_X_FORWARDED_PROTO", "https")], "https"),
    ([("HTTP_X_FORWARDED_PROTO", "http"), ("HTTP_X_FORWARDED_SSL", "on")], "http"),
    ([("HTTP_X_FORWARDED_PROTO", "https, http")], "http")])
@pytest.mark.parametrize("way", ["uwsgi", "fastcgi", "scgi"])
def test_the_order_of_what_is_said(served, way, extra, scheme):
    assert environ(served, way, extra=extra)["wsgi.url_scheme"] == scheme


def test_a_router_decides_for_the_server_behind_it(start):
    behind = start("socket = {uwsgi}\nmodule = basic\n")
    ini = "http = {router}\nhttp-to = {to}\nmodule = basic\n"
    open_ = start(ini, to=behind.uwsgi)
    strict = start(ini + "forwarded-allow-ips = 192.0.2.1\n", to=behind.uwsgi)
    assert environ(open_, "router", [PROTO])["wsgi.url_scheme"] == "https"
    for header in PROTO, SSL:
        assert environ(strict, "router", [header])["wsgi.url_scheme"] == "http"
    assert "UWSGI_SCHEME" not in environ(strict, "router")
    strict.wait_log("127.0.0.1 says https")


# ---- the PROXY protocol ----

def through_a_proxy(server, address, way="http"):
    with http.Connection(server.names[way]) as c:
        c.send(f"PROXY TCP4 {address} 192.0.2.1 5555 80\r\n".encode() +
               http.request_bytes("/environ", headers=[PROTO]))
        answer = c.read()
        return answer.status, answer.status == 200 and json.loads(answer.body)


PROXIED = "{option} = {http}\nhttp-enable-proxy-protocol = true\nmodule = basic\n"


@pytest.mark.parametrize("option", ["http-socket", "http"])
def test_it_is_the_client_behind_a_proxy_that_must_be_believed(start, option):
    server = start(PROXIED + f"forwarded-allow-ips = {CLIENT}\n", option=option)
    for address, scheme in (CLIENT, "https"), ("192.0.2.8", "http"), ("127.0.0.1", "http"):
        status, seen = through_a_proxy(server, address)
        assert (status, seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == (200, address, scheme)
    server.wait_log("192.0.2.8 says https")


@pytest.mark.parametrize("option", ["http-socket", "http"])
@pytest.mark.parametrize("line, status", [
    ("", 200), ("proxy-allow-ips = 192.0.2.1, 2001:db8::/32\n", 403),
    ("proxy-allow-ips = 192.0.2.1\nproxy-allow-ips = 127.0.0.1\n", 200),
    ("proxy-allow-ips = *\n", 200)])
def test_who_may_speak_for_others(start, option, line, status):
    server = start(PROXIED + line, option=option)
    assert through_a_proxy(server, CLIENT)[0] == status
    if status == 403:
        server.wait_log(r"from 127\.0\.0\.1 with 403: proxy-allow-ips does not name this peer$")


def test_a_proxy_on_a_unix_socket_may(start):
    server = start(PROXIED + "http-socket = {http_unix}\nproxy-allow-ips = 192.0.2.1\n",
                   option="http-socket")
    assert through_a_proxy(server, CLIENT, "http_unix")[0] == 200


# ---- mistakes ----

@pytest.mark.parametrize("option", ["forwarded-allow-ips", "proxy-allow-ips"])
@pytest.mark.parametrize("value", ["localhost", "127.0.0.1/33", "::1/129", "10.0.0.0/", "10.0.0.0/-1",
                                   "10.0.0", "127.0.0.1; ::1", "/8", "10.0.0.0/8x"])
def test_what_is_no_address_is_an_error(start, option, value):
    server = start.not_yet(f"http-socket = {{http}}\nmodule = basic\n{option} = {value}\n")
    assert server.run() != 0
    assert "expected addresses, networks such as 10.0.0.0/8, or *" in server.log()


def test_the_environment_is_checked_too(start):
    server = start.not_yet("http-socket = {http}\nmodule = basic\n",
                           env={"FORWARDED_ALLOW_IPS": "10.0.0.1,me"})
    assert server.run() != 0
    assert "FORWARDED_ALLOW_IPS in the environment: me is no address" in server.log()


# ---- variables that no client and no web server has a say in ----

@pytest.mark.parametrize("way", ["uwsgi", "fastcgi", "scgi"])
def test_the_server_s_own_keys_cannot_be_replaced(served, way):
    own = environ(served, way)
    forged = ["wsgi.input", "wsgi.errors", "wsgi.file_wrapper", "wsgi.multithread", "wsgi.version",
              "wsgi.url_scheme", "wsgi.run_once", "uwsgi.version", "uwsgi.node", "uwsgi.core",
              "wsgi.other", "uwsgi.other"]
    seen = environ(served, way, extra=[(name, "forged") for name in forged])
    changing = {"uwsgi.core"}
    assert "forged" not in seen.values()
    assert {k: v for k, v in seen.items() if k in forged and k not in changing} == \
        {k: v for k, v in own.items() if k in forged and k not in changing}


@pytest.mark.parametrize("way", WAYS)
def test_http_proxy_passes_nowhere(served, way):
    seen = environ(served, way, [("Proxy", "http://evil.test"), ("Proxy-Connection", "close")])
    assert "HTTP_PROXY" not in seen and seen["HTTP_PROXY_CONNECTION"] == "close"
