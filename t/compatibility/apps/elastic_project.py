# SPDX-License-Identifier: MIT
"""Flask with Elastic APM, whose transport is a thread that each worker needs to have."""
import os

from elasticapm import capture_span
from elasticapm.contrib.flask import ElasticAPM
from flask import Flask

application = Flask(__name__)
apm = ElasticAPM(application, service_name="compatibility", server_url=os.environ["INTAKE"],
                 api_request_time="100ms", metrics_interval="30s", central_config=False,
                 cloud_provider="none")


@application.get("/")
def hello():
    with capture_span(f"inner of {os.getpid()}"):
        return "hello"


@application.get("/fails")
def fails():
    raise ValueError("as asked")
