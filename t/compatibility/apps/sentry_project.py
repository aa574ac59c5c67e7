# SPDX-License-Identifier: MIT
"""Flask with the Sentry SDK, whose thread in each worker sends errors and some traces to the intake; with
all of them its queue of a hundred would be full during the reload."""
import os
import warnings

with warnings.catch_warnings(record=True) as said:
    import sentry_sdk
    sentry_sdk.init(dsn=os.environ["INTAKE"].replace("//", "//key@") + "/1", traces_sample_rate=0.02)

from flask import Flask  # noqa: E402  pylint: disable=wrong-import-position

application = Flask(__name__)


@application.get("/")
def hello():
    return "hello"


@application.get("/warned")
def warned():
    return f"warned of {[str(each.message) for each in said]}"


@application.get("/fails")
def fails():
    raise ValueError(f"as asked in {os.getpid()}")
