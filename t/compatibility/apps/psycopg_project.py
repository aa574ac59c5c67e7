# SPDX-License-Identifier: MIT
"""Flask with psycopg 3 and its pool, whose threads each worker needs to have: PostgreSQL beside it."""
import os
import time

from flask import Flask
from psycopg_pool import ConnectionPool

application = Flask(__name__)
pools = {}


def pool():
    """Of this process: psycopg's pages say that a pool is made behind the fork."""
    if os.getpid() not in pools:
        pools[os.getpid()] = ConnectionPool(os.environ["DATABASE_URL"], min_size=1, max_size=2, open=True)
    return pools[os.getpid()]


@application.get("/")
def hello():
    with pool().connection() as connection:
        return f"sum {connection.execute('SELECT 40 + 2').fetchone()[0]}"


@application.get("/rows")
def rows():
    with pool().connection() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT n, repeat('x', 100) FROM generate_series(1, %s) AS n", (1000,))
        return application.response_class(f"{n} {text}\n" for n, text in cursor.fetchall())


@application.get("/fails")
def fails():
    with pool().connection() as connection:
        return str(connection.execute("SELECT 1 / 0"))


@application.get("/connection")
def connection_of():
    time.sleep(0.005)
    with pool().connection() as connection:
        return f"{os.getpid()} {connection.info.backend_pid}"
