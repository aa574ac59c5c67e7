#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Minutes of mixed load over every protocol and nginx, with slow and rude clients, while the
server is reloaded, deployed wrongly, recycled and killed.  Ends with a table of what became of the
requests and of the server.  Exit code 1: something was lost, wrong or left behind.

    make soak MINUTES=20 [SEED=7]        the seed chooses what is done, and in which order"""
import argparse
import contextlib
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True

from lib import mixed, nginx, proc, upgrade  # noqa: E402
from lib.address import connect  # noqa: E402
from lib.server import Server  # noqa: E402
from lib.wait import until  # noqa: E402

INI = mixed.INI + ("max-requests = 2000\nharakiri = 30\nreload-timeout = 10\npythonpath = {here}\n"
                   "attach-daemon = sleep 3600 & exec sleep 3600\n"
                   "cron2 = harakiri=20 sleep 3600 & exec sleep 3600\n")
DEPLOYS = {
    "no such module": INI.replace("module = mixed", "module = nowhere"),
    "an import that ends": INI.replace("module = mixed", "module = ends"),
    "an import that fails": INI.replace("module = mixed", "module = fails"),
    "no number": INI + "processes = many\n",
    "a foreign address": INI + "http-socket = 192.0.2.1:99\n",
}
ROLES = ("zygote", "worker", "http", "daemon")
CHAIN = "lazy-apps = true\ntouch-chain-reload = {here}/chain\n"
SETTINGS = ["processes = 3\n", "threads = 1\n", "processes = 1\nthreads = 4\n",
            "lazy-apps = true\n"]
CHEAPER = "processes = 4\ncheaper = 1\ncheaper-overload = 0\n"
# Calls that fail for a while, which costs time and not one request.
FAULTS = ["accept4:EMFILE,times=3", "accept4:ECONNABORTED,times=3", "fork:EAGAIN,in=zygote",
          "socketpair:EMFILE,in=master", "waitpid:delay=5ms,in=master,times=50",
          "recv:EINTR,nth=5,times=20", "sendmsg:EINTR,nth=5,times=20",
          "epoll_ctl:ENOMEM,in=master,times=3"]
BROKEN_PROGRAMS = [b"no program\n", b"#!/bin/sh\nexit 1\n", b"#!/bin/sh\nexit 0\n",
                   b"#!/bin/sh\nkill -SEGV $$\n"]
FAULT_S = 1
REPORT_EACH_S = 30
STANDSTILL_S = 0.3


class Rude(threading.Thread):
    """A client that goes away in the middle, or takes its answer slowly."""

    def __init__(self, addresses, seed):
        super().__init__(daemon=True)
        self.addresses, self.rng = addresses, random.Random(seed)
        self.count, self.ending = 0, threading.Event()

    def run(self):
        habits = (self.half_a_head, self.half_a_body, self.leaves_early, self.reads_slowly)
        while not self.ending.is_set():
            with contextlib.suppress(OSError):
                with connect(self.rng.choice(self.addresses)) as s:
                    self.rng.choice(habits)(s)
            self.count += 1
            self.ending.wait(0.02)

    def half_a_head(self, s):
        s.sendall(b"GET /hel")

    def half_a_body(self, s):
        s.sendall(b"POST /echo?id=0 HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n")
        s.sendall(bytes(self.rng.choice((10, 70_000, 300_000))))

    def leaves_early(self, s):
        s.sendall(b"GET /big?id=0&kb=3000 HTTP/1.1\r\nHost: x\r\n\r\n")
        s.recv(100)

    def reads_slowly(self, s):
        s.sendall(b"GET /big?id=0&kb=3000 HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(40):
            if not s.recv(4096):
                return
            self.ending.wait(0.02)


class Soak:
    def __init__(self, seed, folder):
        self.rng = random.Random(seed)
        self.spool = f"{folder}/spool"
        os.mkdir(self.spool)
        for name, text in (("ends", "import os\nos._exit(0)\n"), ("fails", "1 / 0\n")):
            with open(f"{folder}/{name}.py", "w", encoding="utf-8") as f:
                f.write(text)
        self.server = Server(folder, INI, env={"TMPDIR": self.spool}, faults="")
        self.server.command = upgrade.copy(folder)
        with open(self.server.command[0], "rb") as f:
            self.program = f.read()
        self.server.start()
        os.mkdir(f"{folder}/nginx")
        self.front = nginx.nginx(f"{folder}/nginx", mixed.UPSTREAMS.format_map(self.server.names),
                                 {k: v.format_map(self.server.names)
                                  for k, v in mixed.LISTENERS.items()})
        ways = {name: self.server.names[name] for name in mixed.PEERS} | self.front.names
        self.load = mixed.Mixed(ways, seed=seed, pause_s=0.002)
        self.rude = Rude([ways["http"], ways["router"], ways["nginx_proxy"]], seed)
        self.whole = mixed.roles(self.server, ROLES)
        self.events = {}

    # ---- what is done to it ----

    def reload(self):
        assert self.server.hup(), "a good deploy was given up"

    def upgrade(self):
        """Another file of the same content."""
        seen = len(self.server.log())
        upgrade.replace(self.server.command[0], self.program)
        self.reload()
        assert re.search(upgrade.TAKES_OVER, self.server.log()[seen:]), "it was not executed"

    def broken_upgrade(self):
        upgrade.replace(self.server.command[0], self.rng.choice(BROKEN_PROGRAMS))
        self.reload()
        self.upgrade()

    def upgrade_in_a_storm(self):
        """Processes die while the new program is asked and executed."""
        upgrade.replace(self.server.command[0], self.program)
        self.server.send(signal.SIGHUP)
        self.kill(self.rng.choice(("worker", "http")))
        self.kill_daemon()
        self.storm()

    def broken_deploy(self):
        self.server.write_ini(DEPLOYS[self.rng.choice(list(DEPLOYS))])
        assert not self.server.hup(), "a broken deploy was taken"
        self.server.write_ini(INI)

    def other_settings(self):
        self.server.write_ini(INI + self.rng.choice(SETTINGS))
        self.reload()
        self.server.write_ini(INI)
        self.reload()

    def resize(self):
        """Workers come and go, by themselves and by hand."""
        self.server.write_ini(INI + CHEAPER)
        self.reload()
        for _ in range(40):
            self.server.send(self.rng.choice((signal.SIGTTIN, signal.SIGTTOU)))
            time.sleep(0.05)
        self.server.write_ini(INI)
        self.reload()

    def chain(self):
        """One worker after the other."""
        path = f"{self.server.folder}/chain"
        with open(path, "a", encoding="ascii"):
            pass
        self.server.write_ini(INI + CHAIN)
        self.reload()
        seen = len(self.server.log())
        os.utime(path)
        until(lambda: "workers are replaced" in self.server.log()[seen:], "the last worker", 40)
        self.server.write_ini(INI)
        self.reload()

    def pause(self):
        """Who comes meanwhile waits."""
        for _ in range(2):
            self.server.send(signal.SIGTSTP)
            time.sleep(0.3)

    def storm(self):
        for _ in range(10):
            self.server.send(signal.SIGHUP)
            time.sleep(0.02)
        self.reload()

    def kill(self, role):
        victims = mixed.processes(self.server, role)
        if victims:
            self.load.kill(self.rng.choice(victims))

    def kill_worker(self):
        self.kill("worker")

    def kill_daemon(self):
        for pid in mixed.processes(self.server, "daemon"):
            os.kill(pid, signal.SIGKILL)

    def kill_zygote(self):
        """Where it dies often, it is replaced later and later; a reload does not wait for that."""
        seen = len(self.server.log())
        self.kill("zygote")
        until(lambda: re.search(r"\breloaded: |no worker can be started",
                                self.server.log()[seen:]), "a word about it")
        self.reload()

    def kill_router(self):
        self.kill("http")

    def stand_still(self):
        for pid in mixed.processes(self.server, "worker")[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                time.sleep(STANDSTILL_S)
                os.kill(pid, signal.SIGCONT)

    def faults(self):
        self.server.faults.set(self.rng.choice(FAULTS))
        for pid in mixed.processes(self.server, "worker")[:1]:
            self.load.kill(pid)
        time.sleep(FAULT_S)
        self.server.faults.set("")

    def is_whole(self):
        return mixed.roles(self.server, ROLES) == self.whole and not mixed.zombies(self.server)

    def one_event(self):
        event = self.rng.choices(
            (self.reload, self.broken_deploy, self.other_settings, self.resize, self.chain,
             self.storm, self.kill_worker, self.kill_zygote, self.kill_router, self.kill_daemon,
             self.stand_still, self.faults, self.upgrade, self.broken_upgrade,
             self.upgrade_in_a_storm, self.pause),
            (6, 3, 2, 2, 2, 1, 4, 1, 1, 1, 2, 3, 3, 1, 1, 1))[0]
        self.events[event.__name__] = self.events.get(event.__name__, 0) + 1
        event()
        until(self.is_whole, f"the processes {self.whole} after {event.__name__}", 40)

    # ---- the whole of it ----

    def measure(self):
        workers = mixed.processes(self.server, "worker")
        return {"descriptors of the master": len(proc.open_files(self.server.pid)),
                "memory of the master, kB": int(proc.status(self.server.pid, "VmRSS")[0]),
                "memory of the largest worker, kB":
                    max(int((proc.status(p, "VmRSS") or ["0"])[0]) for p in workers),
                "zombies": len(mixed.zombies(self.server)),
                "temporary files": len(os.listdir(self.spool))}

    def run(self, minutes):
        end = time.monotonic() + minutes * 60
        with self.load:
            self.rude.start()
            self.load.wait_more(20, 60)
            self.before = self.measure()
            said = time.monotonic()
            while time.monotonic() < end:
                self.one_event()
                time.sleep(self.rng.uniform(0.2, 2))
                if time.monotonic() - said > REPORT_EACH_S:
                    said = time.monotonic()
                    print(f"{(end - said) / 60:5.1f} minutes left: {dict(self.load.counts)}",
                          flush=True)
            self.rude.ending.set()
            self.rude.join(20)
        until(self.is_whole, f"the processes {self.whole}", 40)
        until(lambda: not os.listdir(self.spool) and
              len(proc.open_files(self.server.pid)) <= self.before["descriptors of the master"],
              "what requests had open to be closed", 20)
        self.after = self.measure()

    def end(self):
        """Returns the sockets that are left behind."""
        self.server.end()
        self.front.end()
        return [n for n in os.listdir(self.server.folder) if n.endswith(".sock")]

    def table(self):
        counts, killed = self.load.counts, len(self.load.killed())
        lost = [f for f in self.load.unexplained() if not f.what.startswith("refused")]
        print("\n| what became of the requests | |\n|-|-:|")
        print(f"| sent | {sum(counts.values())} |\n| answered | {counts['answered']} |")
        print(f"| sent again, kept connection closed | {counts['again']} |")
        print(f"| refused with a reason | {counts['refused']} |")
        print(f"| gone with a killed process | {killed} |\n| lost | {len(lost)} |")
        print(f"| of rude clients, not counted above | {self.rude.count} |")
        print("\n| the server | at the start | at the end |\n|-|-:|-:|")
        for name, value in self.before.items():
            print(f"| {name} | {value} | {self.after[name]} |")
        print("\n| what was done | times |\n|-|-:|")
        for name, times in sorted(self.events.items()):
            print(f"| {name.replace('_', ' ')} | {times} |")
        for failure in lost[:20]:
            print(f"lost: {failure!r}")
        for failure in [f for f in self.load.failures if f.what.startswith("refused")][:5]:
            print(failure)
        return not lost and not counts["wrong"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    how = parser.parse_args()
    print(f"soak for {how.minutes:g} minutes with seed {how.seed}", flush=True)
    proc.adopt_orphans()
    folder = tempfile.mkdtemp(prefix="uwsgi-soak-")
    os.chmod(folder, 0o755)
    soak = Soak(how.seed, folder)
    try:
        soak.run(how.minutes)
    except AssertionError:
        print(soak.server.log()[-4000:], soak.load.failures[-10:], sep="\n")
        raise
    finally:
        left = soak.end()
    good = soak.table() and not left
    print(f"sockets left behind: {left}" if left else "nothing is left behind")
    if not good:
        print(f"the logs are in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
