# SPDX-License-Identifier: MIT
"""Flask's smallest application."""
from flask import Flask

application = Flask(__name__)


@application.route("/")
def hello():
    return "Hello World\n"
