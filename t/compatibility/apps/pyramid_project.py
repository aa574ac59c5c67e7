# SPDX-License-Identifier: MIT
"""Pyramid: routes, renderers, sessions, tweens, app_iter, wsgiapp."""
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPFound
from pyramid.response import Response
from pyramid.session import SignedCookieSessionFactory


def hello(_request):
    return Response("hello")


def found(request):
    return HTTPFound(location=request.route_url("hello"))


def echo(request):
    return {"got": request.json_body, "way": request.method}


def stream(_request):
    return Response(app_iter=(b"part %d\n" % i for i in range(100)), content_type="text/plain")


def named(request):
    request.session["name"] = request.matchdict["name"]
    return {"name": request.session["name"]}


def tween(handler, _registry):
    def through(request):
        response = handler(request)
        response.headers["X-Tween"] = "yes"
        return response
    return through


with Configurator() as config:
    config.set_session_factory(SignedCookieSessionFactory("not one"))
    config.add_tween(f"{__name__}.tween")
    for name, path, view, renderer in (
            ("hello", "/", hello, None), ("found", "/found", found, None),
            ("echo", "/echo", echo, "json"), ("stream", "/stream", stream, None),
            ("named", "/named/{name}", named, "json")):
        config.add_route(name, path)
        config.add_view(view, route_name=name, renderer=renderer)
    application = config.make_wsgi_app()
