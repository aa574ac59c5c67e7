# SPDX-License-Identifier: MIT
"""numpy and pandas: their threads of BLAS, made before the fork, and modules that like one interpreter."""
import numpy
import pandas
from flask import Flask, request

application = Flask(__name__)
before = numpy.ones((300, 300)) @ numpy.ones((300, 300))


@application.get("/")
def hello():
    return f"sum {before.sum():.0f}"


@application.get("/blas")
def blas():
    numbers = numpy.arange(90000.0).reshape(300, 300)
    return f"rank {numpy.linalg.matrix_rank(numbers @ numbers)}"


@application.post("/table")
def table():
    got = pandas.read_csv(request.stream)
    return got.groupby("kind")["value"].sum().to_json()


@application.get("/random")
def random():
    return f"mean {abs(numpy.random.default_rng(1).normal(size=10000).mean()) < 0.1}"
