# SPDX-License-Identifier: MIT
"""Cron entries, touched files and orders: what Debian's uWSGI does with them."""
import datetime
import json
import os
import re
import stat

import pytest

from lib import http, orders
from lib.server import Oracle
from lib.wait import until

pytestmark = pytest.mark.oracle

APP = "http-socket = {http}\nmodule = basic\nstats = {stats}\nprocesses = 2\n"
RUNS = r"^(?:\[uwsgi-cron\] running \"|cron \d+ \(pid \d+\) runs: )([^\"\n]*)"


def report(server):
    """uWSGI's statistics answer some time after it serves."""
    def read():
        try:
            return json.loads(http.raw(server.stats, b""))
        except OSError:
            return None
    return until(read, "the statistics")


def order(server, letters):
    """uWSGI makes its FIFO anew behind each writer."""
    def write():
        try:
            orders.order(server, letters)
        except OSError:
            return False
        return True
    until(write, "a reader")


def undated(server):
    """uWSGI has a date of its own."""
    return re.sub(r"^\w{3} \w{3} .\d \d\d:\d\d:\d\d \d{4} - ", "", server.log(), flags=re.M)


def test_the_same_entries_are_due(start, start_oracle):
    today = datetime.date.today()
    week = today.isoweekday()
    numbers = []
    for day in (-1, today.day, today.day % 28 + 1, -2, -3, -today.day):
        for week_day in (-1, week, week % 7 + 1, week % 6 + 1, -2, -3, 7):
            numbers.append(f"-1 -1 {day} -1 {week_day}")
    numbers += [f"-1 -1 -1 {month} -1" for month in (today.month, today.month % 12 + 1, -2, -5)]
    lines = "".join(f"cron = {n} true {i}\n" for i, n in enumerate(numbers))
    ran = []
    for server in (start(APP + lines + "cron = -1 -1 -1 -1 -1 true last\n"),
                   start_oracle(APP + lines + "cron = -1 -1 -1 -1 -1 true last\n")):
        until(lambda s=server: "true last" in undated(s).replace('task: "true last"', ""), "the last one")
        until(lambda s=server: "true last" in re.findall(RUNS, undated(s), re.M), "the last one to run")
        runs = re.findall(RUNS, undated(server), re.M)
        # In the next minute they run again.
        ran.append(runs[:runs.index("true last")])
    if today == datetime.date.today():
        assert ran[0] == ran[1]


def test_statistics_say_the_same_of_entries(start, start_oracle):
    lines = ("cron = 59 2 -1 -1 7 echo  two  blanks\ncron = -5 -2 31 2 -1 x\n"
             "unique-cron = 1 2 30 2 -1 y\ncron2 = hour=3,day=31,month=2,unique=1 z\n"
             "cron2 = minute=-5,day=30,month=2,harakiri=9 z\n")
    said = []
    for server in (start(APP + lines), start_oracle(APP + lines)):
        said.append([{k: v for k, v in c.items() if k not in ("pid", "started_at")}
                     for c in report(server)["crons"]])
    assert said[0] == said[1] and len(said[0]) == 5


def test_orders(start, start_oracle):
    for server in (start(APP + "master-fifo = {here}/orders\n"),
                   start_oracle(APP + "master-fifo = {here}/orders\n")):
        path = f"{server.folder}/orders"
        until(lambda p=path: os.path.exists(p), "the FIFO")
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600  # nobody has written yet

        def statuses(s=server):
            return {w["status"] for w in report(s)["workers"]}
        order(server, "p")
        until(lambda: statuses() == {"pause"}, "a pause")
        order(server, "p")
        until(lambda: statuses() == {"idle"}, "its end")
        assert http.request(server.http, "/hello").status == 200
        order(server, "q")
        assert server.wait() == 0
        assert not os.path.exists(path) or stat.S_ISFIFO(os.stat(path).st_mode)


def test_touch_exec(start, start_oracle):
    for server in (start(APP + "touch-exec = {here}/file echo  touched $PPID\n"),
                   start_oracle(APP + "touch-exec = {here}/file echo  touched $PPID\n")):
        if server.command[0] == Oracle.binary:
            # A file that is made before its first look does not count as new.
            server.wait_log("events will be triggered as soon as the file is created")
        with open(f"{server.folder}/file", "w", encoding="utf-8"):
            pass
        until(lambda s=server: re.search(r"^touched \d+$", undated(s), re.M), "the command to run")
