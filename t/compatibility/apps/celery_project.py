# SPDX-License-Identifier: MIT
"""Flask that hands tasks to a Celery worker, which the server starts beside the application."""
import os

from celery import Celery
from flask import Flask

application = Flask(__name__)
celery = Celery("compatibility", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
celery.conf.broker_connection_retry_on_startup = True


@celery.task(name="add")
def add(a, b):
    return a + b


@application.get("/")
def hello():
    return "hello"


@application.get("/add/<int:a>/<int:b>")
def added(a, b):
    return f"sum {add.delay(a, b).get(timeout=30)}"
