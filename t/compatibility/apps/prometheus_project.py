# SPDX-License-Identifier: MIT
"""prometheus_client for several processes: each writes files, whoever is asked adds them up."""
import os

from flask import Flask
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

application = Flask(__name__)
hits = Counter("hits", "Requests", ["pid"])
busy = Gauge("busy", "Requests that run", multiprocess_mode="livesum")
took = Histogram("took", "Seconds")


@application.get("/")
def hello():
    with busy.track_inprogress(), took.time():
        hits.labels(os.getpid()).inc()
        return "hello"


@application.get("/metrics")
def metrics():
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    return generate_latest(registry), {"Content-Type": "text/plain"}
