# SPDX-License-Identifier: MIT
"""Flask: templates, sessions, uploads, streams, errors; Flask-Caching where it is installed."""
import os

from flask import Flask, abort, jsonify, render_template_string, request, session

application = Flask(__name__)
application.secret_key = "not one"


@application.get("/")
def hello():
    return "hello"


@application.get("/template/<name>")
def template(name):
    return render_template_string("<b>{{ name }}</b>", name=name)


@application.post("/json")
def json():
    return jsonify(got=request.get_json())


@application.post("/form")
def form():
    session["name"] = request.form["name"]
    return f"name {session['name']}"


@application.post("/upload")
def upload():
    return str(len(request.get_data()))


@application.get("/stream")
def stream():
    return application.response_class(f"part {i}\n" for i in range(100))


@application.get("/teapot")
def teapot():
    abort(418)


@application.get("/fails")
def fails():
    raise ValueError("as asked")


try:
    from flask_caching import Cache
except ImportError:
    pass
else:
    cache = Cache(application, config={"CACHE_TYPE": "FileSystemCache",
                                       "CACHE_DIR": os.path.join(os.environ["APP_FOLDER"], "cache")})

    @application.get("/cached")
    @cache.cached(timeout=600)
    def cached():
        return f"made by {os.getpid()}"

    @application.get("/same")
    def same():
        """What every process finds is what one of them made."""
        with application.test_client() as client:
            return f"{os.getpid()} {client.get('/cached').text == cache.get('view//cached')}"
