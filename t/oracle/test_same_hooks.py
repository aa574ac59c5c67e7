# SPDX-License-Identifier: MIT
"""The same phases in the same order, and the same effect of actions, as Debian's uWSGI.  What differs is
in docs/differences.md, and not in these lists."""
import os
import re
import signal

import pytest

from lib import http
from lib.wait import until

pytestmark = [pytest.mark.oracle,
              pytest.mark.skipif(os.geteuid() != 0, reason="gives up root, which only root can")]

INI = "http-socket = {http}\nmodule = basic\nuid = nobody\ngid = nogroup\nprocesses = 1\n"
HOOKS = ["as-user-atexit", "accepting1-once", "accepting1", "accepting-once", "accepting",
         "post-fork", "post-app", "pre-app", "as-user", "as-root", "in-jail", "pre-jail", "asap"]
COMMANDS = ["as-user-atexit", "post-app", "pre-app", "as-user", "as-root", "in-jail", "pre-jail",
            "asap"]
SAYING = "".join(f"{kind}-{phase} = {action}echo \"<{kind}-{phase} $(id -u)>\"\n"
                 for kind, phases, action in (("exec", COMMANDS, ""), ("hook", HOOKS, "exec:"))
                 for phase in phases)
ACTIONS = """
hook-as-root = mkdir:{here}/made
hook-as-root = chmod:{here}/made 750
hook-as-root = sticky:{here}/made
hook-as-root = chown:{here}/made nobody nogroup
hook-as-root = write:{here}/made/text one two
hook-as-root = append:{here}/made/text and three
hook-as-root = appendn:{here}/made/text  four
hook-as-root = writen:{here}/made/line last
hook-as-root = chown2:{here}/made/line 1 2
hook-as-root = create:{here}/made/one
hook-as-root = creat:{here}/made/two
hook-as-root = write:{here}/made/three x
hook-as-root = create:{here}/made/three
hook-as-root = unlink:{here}/made/one
hook-as-root = safeexec:exit 5
hook-as-root = cd:{here}/made
hook-as-root = putenv:COLOUR=dark blue
exec-as-root = echo "$PWD $COLOUR" >{here}/made/where
hook-as-user = exec:touch {here}/made/mine
"""


def said(server):
    return re.findall(r"^<(\S+ \d+)>$", server.log(), re.M)


def serve(server):
    """A worker of uWSGI's that is told to end before it serves may stay."""
    assert http.request(server.http, "/hello").status == 200


def life(server):
    """What is said at the start, when another worker takes the place of one that was killed, and at
    the end."""
    parts = []

    def wait(word):
        before = sum(len(p) for p in parts)
        until(lambda: any(line.startswith(word) for line in said(server)[before:]), word)
        parts.append(said(server)[before:])

    wait("hook-accepting1-once")
    os.kill(server.workers()[0], signal.SIGKILL)
    wait("hook-accepting1 ")
    serve(server)
    server.stop()
    wait("exec-as-user-atexit")
    return parts


def test_the_same_phases_in_the_same_order(start, start_oracle):
    ours = life(start(INI + SAYING))
    assert ours == life(start_oracle(INI + SAYING))
    assert [len(part) for part in ours] == [19, 3, 2]


def tree(server):
    folder = f"{server.folder}/made"
    found = {"": os.stat(folder)}
    found.update({name: os.stat(f"{folder}/{name}") for name in os.listdir(folder)})
    texts = {}
    for name in found:
        if name:
            with open(f"{folder}/{name}", encoding="ascii") as f:
                texts[name] = f.read().replace(server.folder, "HERE")
    return {name: (oct(st.st_mode), st.st_uid, st.st_gid, texts.get(name))
            for name, st in found.items()}


def test_actions_have_the_same_effect(start, start_oracle):
    ours = start(INI + ACTIONS)
    theirs = start_oracle(INI + ACTIONS)
    serve(theirs)
    assert tree(ours) == tree(theirs)
    assert len(tree(ours)) == 7


@pytest.mark.parametrize("hook", ["exec:exit 3", "chmod:/nowhere/x 600", "cd:/nowhere",
                                  "writefifo:/nowhere/x y", "umount:/nowhere", "nothing:x"])
def test_the_same_failures_end_the_start(start, start_oracle, hook):
    for server in (start.not_yet(INI + f"hook-as-root = {hook}\n"),
                   start_oracle.not_yet(INI + f"hook-as-root = {hook}\n")):
        assert server.run() == 1


DECORATED = """
import os, threading, uwsgi
from uwsgidecorators import harakiri, postfork, thread

def say(*words):
    os.write(2, ("<" + " ".join(map(str, (*words, uwsgi.worker_id()))) + ">\\n").encode())

@postfork
def first():
    say("first")

@postfork(2)
def second():
    say("second")

@postfork
@thread
def background():
    say("background", threading.current_thread().daemon)

@postfork
def last():
    say("last")

@thread
def asked(word):
    say(word)

@harakiri(60)
def application(environ, start_response):
    start_response("200 OK", [])
    return [asked("asked").__name__.encode()]
"""


def decorated(server):
    for worker in "12":
        server.wait_log(f"<last {worker}>")
        server.wait_log(f"<background True {worker}>")
    assert http.request(server.http, "/").body == b"asked"
    server.wait_log(r"<asked \d>")
    return [re.findall(f"^<(first|second|last) {worker}>$", server.log(), re.M) for worker in "12"]


def test_the_same_decorators(start, start_oracle, folder):
    with open(f"{folder}/decorated.py", "w", encoding="utf-8") as f:
        f.write(DECORATED)
    ini = "http-socket = {http}\nmodule = decorated\nprocesses = 2\nenable-threads = true\n" + \
        f"pythonpath = {folder}\n"
    ours = decorated(start(ini))
    assert ours == decorated(start_oracle(ini))
    assert ours == [["first", "last"], ["first", "second", "last"]]
