# SPDX-License-Identifier: MIT
"""Flask with Datadog's ddtrace: it refuses a uWSGI whose threads do not run, and sends from a thread."""
import os

import ddtrace.auto  # noqa: F401  pylint: disable=unused-import
from ddtrace.trace import tracer
from flask import Flask

application = Flask(__name__)


@application.get("/")
def hello():
    with tracer.trace(f"inner of {os.getpid()}"):
        return "hello"


@application.get("/fails")
def fails():
    raise ValueError("as asked")
