# SPDX-License-Identifier: MIT
"""Work that goes on after the answer; /release, or a file of that name, lets it end."""
import atexit
import concurrent.futures
import os
import sys
import threading
import time

import uwsgi

PLAIN = [("Content-Type", "text/plain")]
executor = concurrent.futures.ThreadPoolExecutor(1)


def say(what):
    sys.stdout.write(f"{what} in {os.getpid()}\n")  # at once, unlike print()


def job(name):
    say(f"{name} began")
    while not os.path.exists("release"):
        time.sleep(0.01)
    say(f"{name} done")


def watch_the_end():
    threading.main_thread().join()
    say("watcher done")


def start_thread():
    threading.Thread(target=job, args=("thread",), name="my job").start()


def start_jobs():
    start_thread()
    executor.submit(job, "first of the executor")
    executor.submit(job, "second of the executor")


STARTS = {
    "/jobs": start_jobs,
    "/thread": start_thread,
    "/daemon": lambda: threading.Thread(target=job, args=("daemon",), daemon=True).start(),
    "/watcher": lambda: threading.Thread(target=watch_the_end).start(),
    "/pid": lambda: None,
}

both = threading.Barrier(2)


def daemon_in_each():
    """In two lanes at the same time: what threads that are made there are."""
    both.wait(20)
    return threading.Thread().daemon


uwsgi.atexit = lambda: say("uwsgi.atexit")
atexit.register(say, "atexit")


def application(environ, start_response):
    if environ["PATH_INFO"] == "/daemon_in_each":
        start_response("200 OK", PLAIN)
        return [str(daemon_in_each()).encode()]
    STARTS[environ["PATH_INFO"]]()
    start_response("200 OK", PLAIN)
    return [b"%d" % os.getpid()]
