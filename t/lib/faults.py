# SPDX-License-Identifier: MIT
"""Calls of the server that fail or come late, by the preloaded t/chaos/faults.c.

A rule is text, `call:word,word,…`; several are separated by blanks:

    socketpair:ENFILE                    the first one fails
    fork:EAGAIN,in=zygote,times=3        three in the zygote do (master, zygote, worker, http)
    accept4:EMFILE,nth=5,times=all       the fifth and all after it
    epoll_ctl:ENOMEM,each                the first at each place in the program that calls it
    malloc:ENOMEM,each,own               the same, without libev's, which aborts then
    waitpid:delay=2ms,times=all          each one is made 2 ms later
    wall:EINVAL,times=all                the wall clock was set to an hour later

Counted are the calls of all processes of the server together, from when the rule is set.  A call
that is delayed goes on when other rules are set."""
import atexit
import errno
import mmap
import os
import re
import shlex
import shutil
import struct
import subprocess
import tempfile

SOURCE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                      "chaos", "faults.c")
RULE = struct.Struct("=16s16siiqqiiq64s")
CALL_SIZE = 16
RULES, SITES_SIZE = 8, 512 * 16
FLAGS = {"each": 1, "own": 2}
ALL = 2**62
ROLES = {"master": b"master", "zygote": b" zygote", "worker": b" worker", "http": b" http"}
_built = {}


def library():
    """The preload, compiled once a test run."""
    if not _built:
        folder = tempfile.mkdtemp(prefix="uwsgi-t-faults-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.chmod(folder, 0o755)
        _built["path"] = f"{folder}/faults.so"
        subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-D_GNU_SOURCE", "-std=gnu11",
                        "-O1", "-Wall", "-Wextra", "-shared", "-fPIC", "-o", _built["path"], SOURCE,
                        "-ldl"], check=True, timeout=60)
    return _built["path"]


def milliseconds(text):
    return float(re.fullmatch(r"([\d.]+)ms", text)[1])


def parse(text):
    """One rule as the bytes that faults.c reads."""
    call, _, words = text.partition(":")
    error, delay_us, nth, times, flags, role = 0, 0, 1, 1, 0, b""
    for word in words.split(","):
        name, _, value = word.partition("=")
        if name == "in":
            role = ROLES[value]
        elif name == "nth":
            nth = int(value)
        elif name == "times":
            times = ALL if value == "all" else int(value)
        elif name == "delay":
            delay_us = int(milliseconds(value) * 1000)
        elif name in FLAGS:
            flags |= FLAGS[name]
        else:
            error = getattr(errno, name)
    return RULE.pack(call.encode(), role, error, delay_us, nth, nth + times - 1, flags, 0, 0, b"")


class Faults:
    """The rules of one server; `set` replaces them while it runs, "" ends all faults."""

    def __init__(self, folder, rules=""):
        self.path = os.path.join(folder, "faults")
        with open(self.path, "wb") as f:
            f.truncate(RULES * RULE.size + SITES_SIZE)
        os.chmod(self.path, 0o666)  # servers change their user
        with open(self.path, "r+b") as f:
            self.memory = mmap.mmap(f.fileno(), 0)
        self.set(rules)

    def set(self, rules):
        texts = rules.split()
        assert len(texts) <= RULES
        self.memory[:] = bytes(len(self.memory))
        for i, text in enumerate(texts):
            at, rule = i * RULE.size, parse(text)
            # Its name last: processes that run meanwhile see no half of it.
            self.memory[at + CALL_SIZE:at + RULE.size] = rule[CALL_SIZE:]
            self.memory[at:at + CALL_SIZE] = rule[:CALL_SIZE]

    def env(self):
        return {"LD_PRELOAD": library(), "UWSGI_TEST_FAULTS": self.path}

    def _rule(self, number):
        return RULE.unpack_from(self.memory, number * RULE.size)

    def hits(self, number=0):
        """How many calls the rule has made fail or wait."""
        return self._rule(number)[7]

    def where(self, number=0):
        """The last place that it struck, as file+offset: for addr2line -e."""
        return self._rule(number)[9].rstrip(b"\0").decode()
