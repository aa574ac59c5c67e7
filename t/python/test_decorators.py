# SPDX-License-Identifier: MIT
"""The module uwsgidecorators, which the server has inside."""
import re

import pytest

from lib import http
from lib.evaluated import run

HEAD = """
import os, threading, uwsgi
def say(*words):
    os.write(2, " ".join(map(str, ("[", *words, uwsgi.worker_id(), "]\\n"))).encode())
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'x']
"""
IN_ORDER = """
uwsgi.post_fork_hook = lambda: say("hook")
from uwsgidecorators import postfork, thread
@postfork
def one():
    say("one")
@postfork()
def two():
    say("two")
@postfork(2)
def second():
    say("second")
@postfork
def fails():
    raise ValueError("as asked")
@postfork
@thread
def background():
    say("background", threading.current_thread().daemon)
@postfork
def last():
    say("last")
one()
"""


@pytest.fixture
def serve(start, folder):
    def run_it(code, more=""):
        with open(f"{folder}/decorated.py", "w", encoding="utf-8") as f:
            f.write(HEAD + code)
        return start(f"http-socket = {{http}}\nmodule = decorated\n{more}\n", folder=folder)
    return run_it


@pytest.mark.parametrize("lazy", ["false", "true"])
def test_functions_are_called_in_each_worker_in_order(serve, lazy):
    server = serve(IN_ORDER, f"processes = 2\nlazy-apps = {lazy}")
    for worker in (1, 2):
        for word in ("last", "background True"):
            server.wait_log(rf"^\[ {word} {worker} \]$")
        said = server.log()[server.log().index(f"[ hook {worker} ]"):]
        assert re.findall(rf"^\[ (\w+) {worker} \]$", said, re.M) == \
            ["hook", "one", "two", *(["second"] if worker == 2 else []), "last"]
    assert server.log().count("exception in a postfork function:\nTraceback") == 2
    assert server.log().count("ValueError: as asked") == 2


def test_new_workers_after_a_reload_are_told_too(serve):
    server = serve("import uwsgidecorators\nuwsgidecorators.postfork(lambda: say('forked'))")
    server.wait_log(r"^\[ forked 1 \]$")
    server.hup()
    server.wait_each(r"^\[ forked 1 \]$", 2)


LIMITED = """
import time
from uwsgidecorators import harakiri
@harakiri(0.2)
def long_one():
    time.sleep(60)
@harakiri(60)
def application(environ, start_response):
    'Says this.'
    if environ['PATH_INFO'] == '/long':
        long_one()
    start_response('200 OK', [])
    return [application.__doc__.encode()]
"""


def test_a_call_that_takes_longer_costs_the_request(serve):
    server = serve(LIMITED)
    assert http.request(server.http, "/").body == b"Says this."
    assert http.request(server.http, "/long").status == 504
    server.wait_log(r"GET /long of \S+ ran [\d.]+ s \(set_user_harakiri 0\.2\)")


ASKING = """
import uwsgidecorators
for form in ('from uwsgidecorators import timer', '@uwsgidecorators.timer(10)\\ndef f(): pass',
             'getattr(uwsgidecorators, "timer", None)', 'from uwsgidecorators import postfork, spool',
             'uwsgidecorators.nothing', 'from uwsgidecorators import *; harakiri, postfork, thread'):
    try:
        exec(form)
    except (ImportError, AttributeError) as e:
        say(type(e).__name__, e)
say(hasattr(uwsgidecorators, 'nothing'))
"""


def test_what_is_missing_is_an_import_error_with_the_reason(serve):
    timer = "ImportError uwsgidecorators.timer is not there: this server has no uwsgi signals"
    spool = "ImportError uwsgidecorators.spool is not there: this server has no spooler"
    nothing = "AttributeError module 'uwsgidecorators' has no attribute 'nothing'"
    assert re.findall(r"^\[ (.*) 0 \]$", serve(ASKING).log(), re.M) == [
        timer, timer, timer, spool, nothing, "False"]


def test_who_does_not_import_it_does_not_have_it(start):
    server = start("http-socket = {http}\nmodule = evaluated")
    assert run(server, "'uwsgidecorators' in __import__('sys').modules") == "False"
