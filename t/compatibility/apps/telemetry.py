# SPDX-License-Identifier: MIT
"""What both applications with OpenTelemetry have: Flask, spans of its instrumentation and of its own,
exported in batches by a thread."""
import os

from flask import Flask
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def init_tracing():
    """Begins the thread."""
    provider = TracerProvider(resource=Resource.create({"service.name": "compatibility"}))
    provider.add_span_processor(BatchSpanProcessor(
        OTLPSpanExporter(endpoint=os.environ["INTAKE"] + "/v1/traces"), schedule_delay_millis=100))
    trace.set_tracer_provider(provider)


def make_application():
    application = Flask(__name__)
    FlaskInstrumentor().instrument_app(application)
    tracer = trace.get_tracer(__name__)

    @application.get("/")
    def hello():
        with tracer.start_as_current_span(f"inner of {os.getpid()}"):
            return "hello"

    @application.get("/fails")
    def fails():
        raise ValueError("as asked")

    return application
