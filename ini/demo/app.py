"""The application that `make demo` serves: a few pages that show what the server does."""
import os
import time

from flask import Flask, request

app = Flask(__name__)


@app.route("/")
def index():
    return (
        "<h1>It works</h1>"
        f"<p>Answered by worker process {os.getpid()}.</p>"
        "<ul>"
        "<li><a href=/environ>What the server told the application</a></li>"
        "<li><a href=/stream>A response that comes piece by piece</a></li>"
        "</ul>"
    )


@app.route("/environ")
def environ():
    lines = (f"{key} = {value!r}" for key, value in sorted(request.environ.items()))
    return "\n".join(lines), {"Content-Type": "text/plain"}


@app.route("/stream")
def stream():
    def pieces():
        for i in range(10):
            yield f"piece {i}\n"
            time.sleep(0.2)

    return pieces(), {"Content-Type": "text/plain"}


@app.route("/echo", methods=["POST"])
def echo():
    return request.get_data()
