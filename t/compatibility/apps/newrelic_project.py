# SPDX-License-Identifier: MIT
"""Flask with New Relic's agent, in its developer mode, which talks to no one: its harvest thread has to
live in each worker."""
import os
import threading

# Read when the agent is imported.
os.environ.update(NEW_RELIC_LICENSE_KEY="0" * 40, NEW_RELIC_DEVELOPER_MODE="true",
                  NEW_RELIC_APP_NAME="compatibility", NEW_RELIC_LOG="stderr",
                  NEW_RELIC_STARTUP_TIMEOUT="10")

# pylint: disable=wrong-import-position
import newrelic.agent                                                # noqa: E402

newrelic.agent.initialize()

from flask import Flask                                              # noqa: E402

application = Flask(__name__)


@application.get("/")
def hello():
    return "hello"


@application.get("/fails")
def fails():
    raise ValueError("as asked")


@application.get("/agent")
def agent():
    newrelic.agent.register_application(timeout=10)
    names = [thread.name for thread in threading.enumerate() if thread.is_alive()]
    return f"harvests {any(name.startswith('NR-') for name in names)} {names}"


@application.get("/traced")
def traced():
    return f"traced {newrelic.agent.current_transaction() is not None}"


application = newrelic.agent.WSGIApplicationWrapper(application)
