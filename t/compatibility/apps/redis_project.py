# SPDX-License-Identifier: MIT
"""Flask with redis-py: a client made before the fork, whose pool no two processes may share."""
import os
import time

import redis
from flask import Flask

application = Flask(__name__)
client = redis.Redis.from_url(os.environ["REDIS_URL"])
client.set("made", "before the fork")


@application.get("/")
def hello():
    return client.get("made")


@application.get("/count")
def count():
    return f"count {client.incr('count')}"


@application.get("/pipeline")
def pipeline():
    with client.pipeline() as together:
        together.set("a", 1)
        together.incrby("a", 41)
        return f"got {together.execute()[-1]}"


@application.get("/connection")
def connection():
    time.sleep(0.005)
    return f"{os.getpid()} {client.client_id()}"
