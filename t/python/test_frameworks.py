# SPDX-License-Identifier: MIT
"""Flask and Django as Debian packages them, on every protocol and through nginx."""
import uuid

import pytest

from lib import fastcgi, http, uwsgi
from lib.server import APPS

SOCKETS = "http-socket = {http}\nsocket = {uwsgi}\nfastcgi-socket = {fastcgi}\nthreads = 2\n"
SPEAK = {"http": http, "uwsgi": uwsgi, "fastcgi": fastcgi}


def module_server(ini, package):
    pytest.importorskip(package)
    from lib.starter import Starter, make_folder
    things = []
    try:
        yield Starter(things, [])(ini, folder=make_folder())
    finally:
        for thing in things:
            thing.end()


@pytest.fixture(scope="module")
def flask():
    yield from module_server(SOCKETS + "module = flask_app:app", "flask")


@pytest.fixture(scope="module")
def django():
    yield from module_server(SOCKETS + f"chdir = {APPS}/django_site\n"
                             "module = site_django.wsgi:application", "django")


@pytest.fixture(params=SPEAK)
def speak(request):
    return lambda server, *a, **k: SPEAK[request.param].request(server.names[request.param],
                                                                *a, **k)


def multipart(data):
    boundary = uuid.uuid4().hex
    body = (f"--{boundary}\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nann\r\n"
            f"--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n"
            ).encode() + data + f"\r\n--{boundary}--\r\n".encode()
    return {"headers": [("Content-Type", f"multipart/form-data; boundary={boundary}")],
            "body": body}


LINES = b"".join(b"line %d\n" % i for i in range(1000))


def test_flask_hello(flask, speak):
    assert speak(flask, "/").body == b"hello from flask\n"


def test_flask_echo(flask, speak):
    assert speak(flask, "/echo", "POST", body=b"\0\xff" * 50000).body == b"\0\xff" * 50000


def test_flask_reads_a_chunked_body(flask):
    response = http.request(flask.http, "/echo", "POST", [("Transfer-Encoding", "chunked")],
                            http.chunked(b"in ", b"chunks"))
    assert response.body == b"in chunks"


def test_flask_upload(flask, speak):
    response = speak(flask, "/form", "POST", **multipart(b"z" * 300000))
    assert response.body == b"ann sent 300000 bytes"


def test_flask_stream(flask, speak):
    assert speak(flask, "/stream").body == LINES


def test_flask_unicode_path(flask, speak):
    assert speak(flask, "/path/%E2%82%AC/x").body.decode() == "\u20ac/x"


def test_flask_error_is_500_and_serves_on(flask, speak):
    assert speak(flask, "/error").status == 500
    assert speak(flask, "/").status == 200


def test_flask_404(flask, speak):
    assert speak(flask, "/nothing").status == 404


def test_django_hello(django, speak):
    assert speak(django, "/").body == b"hello from django\n"


def test_django_echo(django, speak):
    assert speak(django, "/echo", "POST", body=b"\0\xff" * 50000).body == b"\0\xff" * 50000


FORM = ("Content-Type", "application/x-www-form-urlencoded")


def test_django_reads_a_form_in_chunks(django):
    response = http.request(django.http, "/form", "POST", [FORM, ("Transfer-Encoding", "chunked")],
                            http.chunked(b"a=o", b"ne&b=2"))
    assert response.body == b"one 9"


def test_django_reads_a_form_without_content_length(django):
    """What a web server may send over FastCGI."""
    response = fastcgi.request(django.fastcgi, "/form", "POST", [FORM], b"a=one&b=2",
                               extra=[("CONTENT_LENGTH", "")])
    assert response.body == b"one 9"


def test_django_upload(django, speak):
    assert speak(django, "/upload", "POST", **multipart(b"z" * 3000000)).body == b"3000000"


def test_django_stream(django, speak):
    assert speak(django, "/stream").body == LINES


def test_django_file(django, speak):
    with open(f"{APPS}/django_site/site_django/urls.py", "rb") as f:
        assert speak(django, "/file").body == f.read()


def test_django_path_and_host(django, speak):
    response = speak(django, "/where/%C3%A9/x", headers=[("Host", "h.test")])
    assert response.body.decode() == "\u00e9/x False h.test"


@pytest.mark.parametrize("proxy", ["uwsgi_pass {uwsgi};", "fastcgi_pass {fastcgi};",
                                   "proxy_pass http://{http};"])
def test_django_through_nginx(django, nginx, proxy):
    front = nginx(listeners={"to": proxy.format_map(django.names)})
    assert http.request(front.to, "/").body == b"hello from django\n"
    assert http.request(front.to, "/upload", "POST", **multipart(b"z" * 100000)).body == b"100000"
