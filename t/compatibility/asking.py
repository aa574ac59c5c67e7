# SPDX-License-Identifier: MIT
"""What one start of one application shows: its table of requests, what processes must not share, what
agents bring, a reload under load."""
import contextlib
import http.client
import os
import re
import signal
import subprocess
import threading
from dataclasses import dataclass, field

from lib import proc
from lib.wait import until

ROUNDS = 3              # of the table: both workers are to have their turn
TURN_S, AGENT_S, RELOAD_S = 20, 20, 60
AFTERWARDS = 20         # requests of each client after the reload
CLIENTS = 2


@dataclass
class Said:
    asked: int = 0
    wrong: list = field(default_factory=list)   # sentences
    loaded: int = 0     # requests while it was reloaded
    lost: list = field(default_factory=list)


def one(address, ask):
    """What is wrong with the answer; "": nothing."""
    connection = http.client.HTTPConnection(address, timeout=TURN_S)
    headers = {"Content-Type": ask.type} if ask.body else {}
    try:
        connection.request(ask.method, ask.path, ask.body or None, headers)
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as e:
        return f"{ask.method} {ask.path}: {type(e).__name__} {e}"
    finally:
        connection.close()
    if answer.status != ask.status:
        return f"{ask.method} {ask.path}: status {answer.status}"
    if not re.search(ask.part, body, re.S):
        return f"{ask.method} {ask.path}: {body[:100]!r}"
    return ""


def answers(address, ask):
    return not one(address, ask)


def table(address, app, said):
    for ask in app.asks * ROUNDS:
        said.asked += 1
        if wrong := one(address, ask):
            said.wrong.append(wrong)


def fetch(address, path):
    connection = http.client.HTTPConnection(address, timeout=TURN_S)
    with contextlib.closing(connection):
        connection.request("GET", path)
        return connection.getresponse().read().decode()


def apart(address, app, said):
    """Two processes are asked what they hold, at the same time, until both have answered."""
    pairs = []

    def client():
        with contextlib.suppress(OSError, http.client.HTTPException):
            for _ in range(50):
                pairs.append(tuple(fetch(address, app.apart).split()))

    together(client, 4)
    said.asked += 1
    holders = {}
    for pid, thing in (pair for pair in pairs if len(pair) == 2):
        holders.setdefault(thing, set()).add(pid)
    if any(len(pids) > 1 for pids in holders.values()):
        said.wrong.append(f"{app.apart}: two processes have the same")
    if len(set().union(*holders.values())) < 2:
        said.wrong.append(f"{app.apart}: not two processes, but {pairs[:3]}")


def together(client, count):
    threads = [threading.Thread(target=client) for _ in range(count)]
    for thread in threads:
        thread.start()
    return [thread.join() for thread in threads]


def agents(app, intake, said):
    said.asked += 1

    def came():
        return any(re.search(app.sends, f"{path} {body.decode(errors='replace')}")
                   for path, body in list(intake.taken))
    try:
        until(came, "the agent", AGENT_S)
    except AssertionError:
        said.wrong.append(f"nothing of the agent came in {AGENT_S} s")


def reload(address, app, pid, said):
    """HUP while two clients ask; over when no process is left of those that were there."""
    before = proc.descendants(pid)
    done = threading.Event()

    def client():
        after = 0
        while after < AFTERWARDS:
            after += done.is_set()
            said.loaded += 1
            if wrong := one(address, app.asks[0]):
                said.lost.append(wrong)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    os.kill(pid, signal.SIGHUP)
    try:
        until(lambda: not any(map(proc.alive, before)), "the old workers to go", RELOAD_S)
    except AssertionError:
        said.wrong.append(f"the old workers were there {RELOAD_S} s after HUP")
    done.set()
    for thread in threads:
        thread.join()


def ended(process):
    """Its whole family goes, too."""
    family = proc.descendants(process.pid)
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(15)
    for pid in (process.pid, *family):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def tried(process, address, app, intake):
    said = Said()
    until(lambda: process.poll() is not None or answers(address, app.asks[0]), "an answer", 60)
    if process.poll() is not None:
        said.wrong.append("it ended instead of serving")
        return said
    table(address, app, said)
    if app.apart:
        apart(address, app, said)
    if app.sends:
        agents(app, intake, said)
    reload(address, app, process.pid, said)
    table(address, app, said)
    if app.sends:
        intake.taken.clear()
        table(address, app, said)
        agents(app, intake, said)
    return said
