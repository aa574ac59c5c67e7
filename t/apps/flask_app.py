# SPDX-License-Identifier: MIT
from flask import Flask, Response, request

app = Flask(__name__)


@app.route("/")
def hello():
    return "hello from flask\n"


@app.route("/echo", methods=["POST"])
def echo():
    return Response(request.get_data(), mimetype="application/octet-stream")


@app.route("/form", methods=["POST"])
def form():
    return f"{request.form['name']} sent {len(request.files['file'].read())} bytes"


@app.route("/stream")
def stream():
    return Response((f"line {i}\n" for i in range(1000)), mimetype="text/plain")


@app.route("/path/<path:rest>")
def path(rest):
    return rest


@app.route("/error")
def error():
    raise RuntimeError("flask on purpose")
