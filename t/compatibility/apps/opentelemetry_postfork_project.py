# SPDX-License-Identifier: MIT
"""The same as opentelemetry_project, in the way that OpenTelemetry's documentation has for uWSGI: what
sends is made in each worker, after the fork."""
import os

from flask import Flask
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

try:
    from uwsgidecorators import postfork
except ImportError:     # gunicorn has none

    def postfork(function):
        return function()

application = Flask(__name__)
FlaskInstrumentor().instrument_app(application)
tracer = trace.get_tracer(__name__)


@postfork
def init_tracing():
    provider = TracerProvider(resource=Resource.create({"service.name": "compatibility"}))
    provider.add_span_processor(BatchSpanProcessor(
        OTLPSpanExporter(endpoint=os.environ["INTAKE"] + "/v1/traces"), schedule_delay_millis=100))
    trace.set_tracer_provider(provider)


@application.get("/")
def hello():
    with tracer.start_as_current_span(f"inner of {os.getpid()}"):
        return "hello"


@application.get("/fails")
def fails():
    raise ValueError("as asked")
